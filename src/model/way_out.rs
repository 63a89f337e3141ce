//! What would change a verdict: for each reason to hold and for each refusal, the way out, as `explain` and `scan` tell it.

use super::hold::HoldReason;
use super::refusal::Refusal;

impl Refusal {
    /// What a person can do so that the value can be changed. One sentence without a full stop.
    pub fn way_out(&self) -> &'static str {
        match self {
            Self::Symlink => {
                "declare it in the file that the link leads to, if that is below a management cluster's paths"
            }
            Self::Submodule => "change it in the repository of the submodule, or declare it in this one",
            Self::TooLarge { .. } => "split the file; what people review is smaller",
            Self::NotText => "save the file as UTF-8",
            Self::LfsPointer => "keep manifests out of Git LFS (.gitattributes)",
            Self::Sops => "move the number to a file that is not encrypted; it is no secret",
            Self::Template => {
                "let the number be a value that the template is rendered with, and name that place with the policy's writeTo"
            }
            Self::Variable { .. } => "write the number where the variable gets its value, or as a plain integer here",
            Self::Generated => {
                "change what the file is generated from, or remove the comment if nobody generates it any more"
            }
            Self::NotYaml { .. } => "mend the file; its line is named",
            Self::TooComplex { .. } => "split or simplify the file",
            Self::DuplicateKey { .. } => "remove one of the two keys: readers disagree on which one counts",
            Self::Alias => "write the number out instead of the alias",
            Self::SharedAnchor => "write the number out at each place that refers to the anchor",
            Self::Tag => "remove the tag",
            Self::MergeKey => "write the key out beside the merge key",
            Self::Absent { .. } => "write the key with its present value, if Git is to own it",
            Self::WrongShape { .. } => {
                "write a plain integer at one place, or name the place with the policy's writeTo"
            }
            Self::NotAnInteger { .. } => "write it as a plain decimal integer",
            Self::Ambiguous { .. } => {
                "remove all but one of the places, or name the one that counts with the policy's writeTo"
            }
            Self::SharedBase { patch: Some(_), .. } => {
                "let the policy say `onSharedBase: patch`, or give each overlay a patch with a number of its own"
            }
            Self::SharedBase { patch: None, .. } => "give each overlay a patch with a number of its own",
            Self::Owned { .. } => "leave the number to its owner, or end what the owner claims and let Git own it",
            Self::Suspended { .. } => "resume what is suspended: until then nothing that is merged takes effect",
            Self::NoSuchFile | Self::NoSuchObject { .. } => "correct the policy's writeTo, or add what it names",
            Self::Outside { .. } => "add its folder or file to the `paths` of its management cluster in the fleet file",
            Self::BadName { .. } => "use lower-case letters, digits and `-` in names",
            Self::Exists { .. } => "remove or rename what is there",
        }
    }
}

impl HoldReason {
    /// What has to happen before this reason goes away. One sentence without a full stop.
    pub fn way_out(&self) -> &'static str {
        match self {
            Self::InRange { .. } => "nothing has to be done; the policy's thresholds say when it would",
            Self::NoPolicy => "a policy in the fleet repository has to select it (spec.selector)",
            Self::PolicyConflict { .. } => "narrow the selectors until one policy selects it",
            Self::Gap { .. } => "the input has to become fresh and complete; nothing is taken away while it is not",
            Self::Blind { .. } => {
                "the management cluster has to be listed completely; check its API server and the agent's rights"
            }
            Self::RolloutInProgress { .. } => "wait until every machine is of the newest template",
            Self::NotReady { .. } => "wait until every node is Ready, or mend those that are not",
            Self::Paused => "unpause the cluster or the object (spec.paused, cluster.x-k8s.io/paused)",
            Self::Deleting => "nothing: the cluster is going away",
            Self::CoolingDown { .. } => "wait; spec.cooldown of the policy says how long a value rests",
            Self::UnknownAge => {
                "the API server has to tell when the value last changed (managedFields, newest Machine)"
            }
            Self::WindowClosed { .. } => "wait for the window, or change scaleDown.windows of the policy",
            Self::AtMinimum { .. } => "lower bounds.min of the policy if it may really shrink further",
            Self::AtMaximum { .. } => "raise bounds.max of the policy if there is hardware and budget",
            Self::OwnedByAutoscaler { .. } => {
                "edit the autoscaler's min and max annotations, or remove them to give the number to Git"
            }
            Self::KeyNotEffective { .. } => {
                "name the key that the chart reads with the policy's chart.key, or wait until Git is applied"
            }
            Self::NotApplied { .. } => {
                "Argo CD or Flux has to apply what is merged, or somebody has to undo a change by hand"
            }
            Self::OtherPullRequest { .. } => "merge or close the other pull request",
            Self::ClosedByReviewer {
                branch_deleted: true, ..
            } => "restore the branch to have it reviewed after all, or close the pull request",
            Self::ClosedByReviewer { .. } => "wait, or change the policy if the reviewer's reason is a lasting one",
            Self::NotDeclared => {
                "declare it in a file below one of its management cluster's paths, or name the place with writeTo"
            }
            Self::NotLive => "it has to be created first; check that Argo CD or Flux applies the file",
            Self::NotWritable { .. } => "write the value as a plain integer at one place, or change it by hand",
            Self::Frozen { .. } => "wait for the end of the freeze; only P1 ups pass",
            Self::Suspended => "set suspend: false in the policy",
            Self::ReportOnly => "set mode: propose in the policy",
            Self::HeldByAnnotation { .. } => "remove the annotation fleetscale.io/hold",
            Self::BudgetExhausted { .. } => "wait for the next run, merge or close what is open, or raise the budget",
            Self::WouldOvershoot { .. } => "nothing: with fewer nodes it would have to grow again",
            Self::AboveTarget { .. } => "nothing has to be done; above the threshold it grows",
            Self::NoEvidence { .. } => {
                "nothing: raising it would not help; look at reconcile time and the API server first"
            }
            Self::BelowDefault { .. } => "nothing: the running version's default is at least as high",
            Self::UnknownFlag { .. } => "remove the flag from the policy for this version",
            Self::NoRoom { .. } => "raise a capacity, open another shard, or mend the blind one",
            Self::AlreadyPlaced { .. } => "give the new cluster another name, or remove its request",
        }
    }
}
