//! What a decision is about: a target is one tunable value of one object.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::ids::{
    ClusterName, ComponentName, FlagName, InvalidName, ManagementClusterName, Namespace, NodeGroupName, RegionName,
};

/// One tunable value of one object.
///
/// Its text form is what people type (`explain node-group/eu-1/shard-a/blue/md-0/replicas`), what maps are keyed by in JSON and YAML, and
/// what everything is sorted by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Target {
    /// The number of nodes of a node group: `node-group/<management cluster>/<namespace>/<cluster>/<group>/replicas`.
    NodeGroup(NodeGroupKey),
    /// The replicas of a platform component's Deployment: `platform/<management cluster>/<component>/replicas`.
    Platform {
        /// Where it runs.
        management_cluster: ManagementClusterName,
        /// Which component: `kamaji`.
        component: ComponentName,
    },
    /// A flag of a controller: `controller/<management cluster>/<component>/<flag>`.
    Controller {
        /// Where it runs.
        management_cluster: ManagementClusterName,
        /// Which component: `capi`.
        component: ComponentName,
        /// The flag without its dashes: `kube-api-qps`.
        flag: FlagName,
    },
    /// A bound that a cluster autoscaler keeps a node group within: `node-group/<management cluster>/<namespace>/<cluster>/<group>/min` or
    /// `max`. No policy decides on it.
    NodeGroupBound {
        /// The node group.
        group: NodeGroupKey,
        /// Which of the two.
        bound: Bound,
    },
    /// The replicas of a workload cluster's control plane: `control-plane/<management cluster>/<namespace>/<cluster>/replicas`. No policy
    /// decides on it.
    ControlPlane {
        /// Where its cluster is managed.
        management_cluster: ManagementClusterName,
        /// The namespace of its cluster.
        namespace: Namespace,
        /// Its cluster.
        cluster: ClusterName,
    },
    /// What a component's container asks for: `resources/<management cluster>/<component>/<requests or limits>/<cpu or memory>`. No policy
    /// decides on it.
    Resources {
        /// Where it runs.
        management_cluster: ManagementClusterName,
        /// Which component: `kamaji`.
        component: ComponentName,
        /// Which of its two statements.
        claim: Claim,
        /// Of what.
        resource: Resource,
    },
    /// The place of a new cluster that waits in a region's requests folder: `placement/<region>/<cluster>`.
    Placement {
        /// The region that it asked for.
        region: RegionName,
        /// The cluster's name.
        cluster: ClusterName,
    },
}

/// A bound of a node group's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bound {
    /// Never smaller.
    Min,
    /// Never larger.
    Max,
}

/// What a container says about a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claim {
    /// What it is scheduled by.
    Requests,
    /// What it may not exceed.
    Limits,
}

/// A resource of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// Cores.
    Cpu,
    /// Bytes.
    Memory,
}

impl Bound {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Min, Self::Max];

    /// Its word in a target.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Min => "min",
            Self::Max => "max",
        }
    }
}

impl Claim {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Requests, Self::Limits];

    /// Its word in a manifest and in a target.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Limits => "limits",
        }
    }
}

impl Resource {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Cpu, Self::Memory];

    /// Its word in a manifest and in a target.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
        }
    }
}

/// What identifies a node group across the fleet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NodeGroupKey {
    /// Where its cluster is managed.
    pub management_cluster: ManagementClusterName,
    /// The namespace of its `Cluster`.
    pub namespace: Namespace,
    /// Its `Cluster`.
    pub cluster: ClusterName,
    /// Its own name.
    pub group: NodeGroupName,
}

/// The kinds of target, for selection and for counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetKind {
    /// Nodes of a node group.
    NodeGroup,
    /// Replicas of a platform component.
    Platform,
    /// A controller's flag.
    Controller,
    /// Replicas of a control plane.
    ControlPlane,
    /// What a component's container asks for.
    Resources,
    /// A new cluster's place.
    Placement,
}

impl TargetKind {
    /// The word that starts the target's text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NodeGroup => "node-group",
            Self::Platform => "platform",
            Self::Controller => "controller",
            Self::ControlPlane => "control-plane",
            Self::Resources => "resources",
            Self::Placement => "placement",
        }
    }
}

impl Target {
    /// Its kind.
    pub fn kind(&self) -> TargetKind {
        match self {
            Self::NodeGroup(_) | Self::NodeGroupBound { .. } => TargetKind::NodeGroup,
            Self::ControlPlane { .. } => TargetKind::ControlPlane,
            Self::Resources { .. } => TargetKind::Resources,
            Self::Platform { .. } => TargetKind::Platform,
            Self::Controller { .. } => TargetKind::Controller,
            Self::Placement { .. } => TargetKind::Placement,
        }
    }

    /// The management cluster that it belongs to; nothing for a cluster that has no place yet.
    pub fn management_cluster(&self) -> Option<&ManagementClusterName> {
        match self {
            Self::NodeGroup(key) | Self::NodeGroupBound { group: key, .. } => Some(&key.management_cluster),
            Self::Platform { management_cluster, .. }
            | Self::Controller { management_cluster, .. }
            | Self::ControlPlane { management_cluster, .. }
            | Self::Resources { management_cluster, .. } => Some(management_cluster),
            Self::Placement { .. } => None,
        }
    }

    /// The name that a person would use within its scope: `md-0`, `kamaji`, `--kube-api-qps`, `orange`.
    pub fn short(&self) -> String {
        match self {
            Self::NodeGroup(key) => key.group.to_string(),
            Self::NodeGroupBound { group: key, bound } => format!("{} {}", key.group, bound.as_str()),
            Self::ControlPlane { cluster, .. } => cluster.to_string(),
            Self::Resources {
                component,
                claim,
                resource,
                management_cluster: _,
            } => format!("{component} {}.{}", claim.as_str(), resource.as_str()),
            Self::Platform { component, .. } => component.to_string(),
            Self::Controller { flag, .. } => format!("--{flag}"),
            Self::Placement { cluster, .. } => cluster.to_string(),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::NodeGroup(NodeGroupKey {
                management_cluster,
                namespace,
                cluster,
                group,
            }) => {
                format!("node-group/{management_cluster}/{namespace}/{cluster}/{group}/replicas")
            }
            Self::NodeGroupBound {
                group:
                    NodeGroupKey {
                        management_cluster,
                        namespace,
                        cluster,
                        group,
                    },
                bound,
            } => format!(
                "node-group/{management_cluster}/{namespace}/{cluster}/{group}/{}",
                bound.as_str()
            ),
            Self::ControlPlane {
                management_cluster,
                namespace,
                cluster,
            } => format!("control-plane/{management_cluster}/{namespace}/{cluster}/replicas"),
            Self::Resources {
                management_cluster,
                component,
                claim,
                resource,
            } => format!(
                "resources/{management_cluster}/{component}/{}/{}",
                claim.as_str(),
                resource.as_str()
            ),
            Self::Platform {
                management_cluster,
                component,
            } => format!("platform/{management_cluster}/{component}/replicas"),
            Self::Controller {
                management_cluster,
                component,
                flag,
            } => format!("controller/{management_cluster}/{component}/{flag}"),
            Self::Placement { region, cluster } => format!("placement/{region}/{cluster}"),
        };
        f.pad(&text)
    }
}

/// A text that is no target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTarget {
    /// It has another form.
    #[error(
        "{text:?} is no target: expected `node-group/<management cluster>/<namespace>/<cluster>/<group>/replicas` (or `/min`, `/max`), \
         `platform/<management cluster>/<component>/replicas`, `controller/<management cluster>/<component>/<flag>`, \
         `control-plane/<management cluster>/<namespace>/<cluster>/replicas`, \
         `resources/<management cluster>/<component>/<requests or limits>/<cpu or memory>` or `placement/<region>/<cluster>`"
    )]
    Form {
        /// The text as it came in.
        text: String,
    },
    /// One of its parts is no name.
    #[error(transparent)]
    Name(#[from] InvalidName),
}

impl FromStr for Target {
    type Err = InvalidTarget;
    fn from_str(text: &str) -> Result<Self, InvalidTarget> {
        let parts: Vec<&str> = text.split('/').collect();
        let form = || InvalidTarget::Form {
            text: text.chars().take(200).collect(),
        };
        Ok(match parts[..] {
            ["node-group", management_cluster, namespace, cluster, group, number] => {
                let group = NodeGroupKey {
                    management_cluster: management_cluster.parse()?,
                    namespace: namespace.parse()?,
                    cluster: cluster.parse()?,
                    group: group.parse()?,
                };
                match Bound::ALL.into_iter().find(|bound| bound.as_str() == number) {
                    Some(bound) => Self::NodeGroupBound { group, bound },
                    None if number == "replicas" => Self::NodeGroup(group),
                    None => return Err(form()),
                }
            }
            ["control-plane", management_cluster, namespace, cluster, "replicas"] => Self::ControlPlane {
                management_cluster: management_cluster.parse()?,
                namespace: namespace.parse()?,
                cluster: cluster.parse()?,
            },
            ["resources", management_cluster, component, claim, resource] => Self::Resources {
                management_cluster: management_cluster.parse()?,
                component: component.parse()?,
                claim: Claim::ALL
                    .into_iter()
                    .find(|known| known.as_str() == claim)
                    .ok_or_else(form)?,
                resource: Resource::ALL
                    .into_iter()
                    .find(|known| known.as_str() == resource)
                    .ok_or_else(form)?,
            },
            ["platform", management_cluster, component, "replicas"] => Self::Platform {
                management_cluster: management_cluster.parse()?,
                component: component.parse()?,
            },
            ["controller", management_cluster, component, flag] => Self::Controller {
                management_cluster: management_cluster.parse()?,
                component: component.parse()?,
                flag: flag.parse()?,
            },
            ["placement", region, cluster] => Self::Placement {
                region: region.parse()?,
                cluster: cluster.parse()?,
            },
            _ => return Err(form()),
        })
    }
}

impl TryFrom<String> for Target {
    type Error = InvalidTarget;
    fn try_from(text: String) -> Result<Self, InvalidTarget> {
        text.parse()
    }
}

impl From<Target> for String {
    fn from(target: Target) -> Self {
        target.to_string()
    }
}

/// Which way a change goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// More nodes, more replicas, a higher limit.
    Up,
    /// Fewer.
    Down,
}

impl Direction {
    /// The direction from one number to another; nothing when they are equal.
    pub fn of(from: i64, to: i64) -> Option<Self> {
        match from.cmp(&to) {
            std::cmp::Ordering::Less => Some(Self::Up),
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Greater => Some(Self::Down),
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Up => "up",
            Self::Down => "down",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_reads_back_from_its_text() {
        for text in [
            "node-group/eu-1/shard-a/blue/md-0/replicas",
            "platform/eu-1/kamaji/replicas",
            "controller/eu-1/capi/kube-api-qps",
            "node-group/eu-1/shard-a/blue/md-0/max",
            "control-plane/eu-1/shard-a/blue/replicas",
            "resources/eu-1/kamaji/limits/memory",
            "placement/eu/orange",
        ] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
        }
        for bad in [
            "",
            "node-group/eu-1",
            "node-group/eu-1/a/b/c",
            "node-group/eu-1/shard-a/blue/md-0/size",
            "resources/eu-1/kamaji/limits/disk",
            "platform/eu-1/kamaji",
            "placement/eu/Orange",
            "x/y/z",
        ] {
            assert!(bad.parse::<Target>().is_err(), "{bad}");
        }
    }
}
