//! The nouns: plain values that every room speaks in. No I/O, no clock, and nothing of any other room.

mod ids;

pub use ids::{
    BranchName, ClusterName, ComponentName, Digest, FlagName, InvalidName, ManagementClusterName, Namespace,
    NodeGroupName, ObjectId, ObjectKey, PolicyName, RegionName, RepoPath, ShardName,
};
