//! Which pull request a change belongs to, and what its branch is called.
//!
//! Both are pure functions: whoever knows the scope finds the branch, and two scopes never share one. Up and down never share a scope.

use sha2::{Digest as _, Sha256};

use crate::model::{BRANCH_PREFIX, BranchName, Direction, ManagementClusterName, Placement, Scope, Subject, Target};
use crate::policy::GroupBy;

/// The scope of a change of a target's value; nothing for a value without a direction where the scope needs one.
pub(super) fn scope_of_change(target: &Target, direction: Option<Direction>, group_by: GroupBy) -> Option<Scope> {
    Some(match target {
        Target::NodeGroup(key) => Scope {
            management_cluster: key.management_cluster.clone(),
            subject: match group_by {
                GroupBy::Cluster => Subject::Cluster {
                    namespace: key.namespace.clone(),
                    cluster: key.cluster.clone(),
                    direction: direction?,
                },
                GroupBy::ManagementCluster => Subject::NodeGroups { direction: direction? },
            },
        },
        Target::Platform {
            management_cluster,
            component: _,
        } => Scope {
            management_cluster: management_cluster.clone(),
            subject: Subject::Platform { direction: direction? },
        },
        Target::Controller {
            management_cluster,
            component,
            flag: _,
        } => Scope {
            management_cluster: management_cluster.clone(),
            subject: Subject::Controller {
                component: component.clone(),
            },
        },
        Target::Placement { .. }
        | Target::NodeGroupBound { .. }
        | Target::ControlPlane { .. }
        | Target::Resources { .. } => return None,
    })
}

/// The scope of a placement.
pub(super) fn scope_of_placement(target: &Target, placement: &Placement) -> Option<Scope> {
    let Target::Placement { region: _, cluster } = target else {
        return None;
    };
    Some(Scope {
        management_cluster: placement.management_cluster.clone(),
        subject: Subject::Place {
            cluster: cluster.clone(),
        },
    })
}

/// The branch of a scope: `fleetscale/eu-1/shard-a/blue/up`.
pub fn branch_of(scope: &Scope) -> BranchName {
    let Scope {
        management_cluster,
        subject,
    } = scope;
    let subject = match subject {
        Subject::Cluster {
            namespace,
            cluster,
            direction,
        } => {
            format!("{}/{}/{direction}", part(namespace.as_str()), part(cluster.as_str()))
        }
        Subject::NodeGroups { direction } => format!("node-groups/{direction}"),
        Subject::Platform { direction } => format!("platform/{direction}"),
        Subject::Controller { component } => format!("controller/{}", part(component.as_str())),
        Subject::Place { cluster } => format!("place/{}", part(cluster.as_str())),
        Subject::Shard { name } => format!("shard/{}", part(name.as_str())),
        Subject::ManagementCluster => "management-cluster".to_owned(),
    };
    let name = format!("{BRANCH_PREFIX}{}/{subject}", mc_part(management_cluster));
    // Every part was made for a branch name; the length is bounded by `part`.
    BranchName::try_from(name).expect("parts of a branch name are safe")
}

fn mc_part(name: &ManagementClusterName) -> String {
    part(name.as_str())
}

/// Words that start another kind of subject. A namespace of that name would make a branch below another branch, which Git can't store.
const RESERVED: [&str; 6] = [
    "node-groups",
    "platform",
    "controller",
    "place",
    "shard",
    "management-cluster",
];

/// The longest name that stands in a branch as it is.
const LONGEST_PART: usize = 63;

/// A name as a part of a branch name.
///
/// Nearly every name stands there as it is. One that Git or we can't have there (`x.lock`, a reserved word, a very long one) is cut, and
/// an underscore and eight hexadecimal digits of its SHA-256 tell it from all others: no Kubernetes name contains an underscore.
fn part(name: &str) -> String {
    if name.len() <= LONGEST_PART && !name.ends_with(".lock") && !RESERVED.contains(&name) {
        return name.to_owned();
    }
    let digest = Sha256::digest(name.as_bytes());
    let suffix: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let stem: String = name.chars().take(40).map(|c| if c == '.' { '-' } else { c }).collect();
    format!("{}_{suffix}", stem.trim_end_matches('-'))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn cluster(namespace: &str, cluster: &str, direction: Direction) -> String {
        let subject = Subject::Cluster {
            namespace: namespace.parse().unwrap(),
            cluster: cluster.parse().unwrap(),
            direction,
        };
        branch_of(&Scope {
            management_cluster: "eu-1".parse().unwrap(),
            subject,
        })
        .to_string()
    }

    #[test]
    fn a_branch_reads_like_its_scope() {
        assert_eq!(
            cluster("shard-a", "blue", Direction::Up),
            "fleetscale/eu-1/shard-a/blue/up"
        );
        assert_eq!(
            cluster("shard-a", "blue.lock", Direction::Down),
            "fleetscale/eu-1/shard-a/blue-lock_bd73e1b8/down"
        );
        let platform = Scope {
            management_cluster: "eu-1".parse().unwrap(),
            subject: Subject::Platform {
                direction: Direction::Up,
            },
        };
        assert_eq!(branch_of(&platform).to_string(), "fleetscale/eu-1/platform/up");
    }

    #[test]
    fn no_two_scopes_share_a_branch_or_lie_below_each_other() {
        let names = [
            "platform",
            "controller",
            "place",
            "shard",
            "up",
            "down",
            "a",
            "a.lock",
            "a-lock",
            "node-groups",
        ];
        let mc: ManagementClusterName = "eu-1".parse().unwrap();
        let scope = |subject| {
            branch_of(&Scope {
                management_cluster: mc.clone(),
                subject,
            })
            .to_string()
        };
        let mut branches = BTreeSet::new();
        let mut count = 0;
        let mut add = |branch: String| {
            count += 1;
            branches.insert(branch);
        };
        for direction in [Direction::Up, Direction::Down] {
            for namespace in names {
                for name in names {
                    add(cluster(namespace, name, direction));
                }
            }
            add(scope(Subject::Platform { direction }));
            add(scope(Subject::NodeGroups { direction }));
        }
        for name in names {
            add(scope(Subject::Controller {
                component: name.parse().unwrap(),
            }));
            add(scope(Subject::Place {
                cluster: name.parse().unwrap(),
            }));
            add(scope(Subject::Shard {
                name: name.parse().unwrap(),
            }));
        }
        add(scope(Subject::ManagementCluster));
        assert_eq!(branches.len(), count);
        for branch in &branches {
            assert!(
                !branches.iter().any(|other| other.starts_with(&format!("{branch}/"))),
                "{branch}"
            );
        }
    }

    #[test]
    fn a_very_long_name_still_makes_a_branch() {
        let long = "a".repeat(63) + "." + &"b".repeat(63) + "." + &"c".repeat(63);
        assert!(cluster(&long, &long, Direction::Up).len() < 200);
    }
}
