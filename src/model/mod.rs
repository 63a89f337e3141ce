//! The nouns: plain values that every room speaks in. No I/O, no clock, and nothing of any other room.

mod decision;
mod declared;
mod duration;
mod edit;
mod hold;
mod ids;
mod ledger;
mod measurement;
mod new_patch;
mod owner;
mod place;
mod plan;
mod quantity;
mod refusal;
mod scalar;
mod snapshot;
mod target;
mod unique;
mod way_out;
mod words;

pub use decision::{Change, Decision, Evidence, Placement, PolicyRef, Priority, Reason, Verdict};
pub use declared::{
    Binding, Declared, DeclaredShard, HoldAnnotation, NamespaceSite, PlacementRequest, RefusedRequest, Site, Unbound,
};
pub use duration::{Duration, InvalidDuration};
pub use edit::{Edit, Embedded, Location};
pub use hold::{Blocks, HoldReason, OpenPullRequest};
pub use ids::{
    BranchName, ClusterName, ComponentName, Digest, FlagName, InvalidName, ManagementClusterName, Namespace,
    NodeGroupName, ObjectId, ObjectKey, PolicyName, RegionName, RepoPath, ShardName,
};
pub use ledger::{
    BRANCH_PREFIX, BranchOwner, FORGET_CLOSE, LABEL, Ledger, LedgerBranch, ProposalRecord, PullRequest,
    PullRequestState, RecordedChange, is_our_label,
};
pub use measurement::{Grade, Measurement, NodesSeen};
pub use new_patch::{NewPatch, SharedField};
pub use owner::Owner;
pub use place::{Form, Place};
pub use plan::{
    Base, Note, Plan, Proposal, ProposedAction, ProposedChange, Scope, Severity, Standing, StandingReason, Subject,
    Summary, is_held,
};
pub use quantity::{GoDuration, Quantity, compare_amounts};
pub use refusal::Refusal;
pub use scalar::{Bytes, Cores, Decimal, Finite, InvalidQuantity, NotDecimal, NotFinite, Scalar};
pub use snapshot::{
    AutoscalerBounds, Gap, InvalidMetricKey, Inventory, Live, LiveCluster, LiveController, LiveManagementCluster,
    LiveNodeGroup, LivePlatform, MACHINE_API_VERSION, MetricKey, Signal, Snapshot,
};
pub use target::{Bound, Claim, Direction, InvalidTarget, NodeGroupKey, Resource, Target, TargetKind};
pub use words::amount;
