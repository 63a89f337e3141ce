//! What would change a verdict: for each reason to hold, the way out, as `explain` tells it.

use super::hold::HoldReason;

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
