//! What the tests of this room share: a small plan about one node group.

use crate::model::{
    Base, BranchName, Change, Digest, Edit, Evidence, Grade, Location, ObjectId, ObjectKey, Plan, PolicyRef, Priority,
    Proposal, ProposedAction, ProposedChange, Reason, Scalar, Scope, Subject,
};

pub(super) const BRANCH: &str = "fleetscale/eu-1/shard-a/blue/up";

/// A change of a node group of the cluster blue, read from `base.yaml`.
pub(super) fn change(group: &str, from: i64, to: i64) -> ProposedChange {
    measured(group, from, to, 0.973)
}

/// The same with another figure behind it.
pub(super) fn measured(group: &str, from: i64, to: i64, value: f64) -> ProposedChange {
    let evidence = Evidence {
        metric: "cpu/1h".parse().unwrap(),
        value: value.try_into().unwrap(),
        grade: Grade::Fresh,
        at: Some("2026-03-01T11:58:00Z".parse().unwrap()),
    };
    ProposedChange {
        target: format!("node-group/eu-1/shard-a/blue/{group}/replicas")
            .parse()
            .unwrap(),
        policy: PolicyRef {
            kind: "NodeGroupPolicy".to_owned(),
            name: "default".parse().unwrap(),
        },
        action: ProposedAction::Set(Change {
            from: Scalar::Integer(from),
            to: Scalar::Integer(to),
            priority: Priority::P1,
            reasons: vec![Reason::AboveThreshold {
                evidence,
                threshold: 0.95.try_into().unwrap(),
                priority: Priority::P1,
            }],
        }),
        edits: vec![Edit::Replace {
            at: Location {
                path: "base.yaml".parse().unwrap(),
                document: 0,
                object: ObjectKey {
                    group: "cluster.x-k8s.io".into(),
                    kind: "MachineDeployment".into(),
                    namespace: "shard-a".into(),
                    name: format!("blue-{group}").into(),
                },
                pointer: "/spec/replicas".parse().unwrap(),
                embedded: None,
            },
            from: Scalar::Integer(from),
            to: Scalar::Integer(to),
        }],
    }
}

/// A proposal to bring the node groups of the cluster blue up.
pub(super) fn proposal(changes: Vec<ProposedChange>) -> Proposal {
    let edits: Vec<&Edit> = changes.iter().flat_map(|change| &change.edits).collect();
    Proposal {
        scope: Scope {
            management_cluster: "eu-1".parse().unwrap(),
            subject: Subject::Cluster {
                namespace: "shard-a".parse().unwrap(),
                cluster: "blue".parse().unwrap(),
                direction: crate::model::Direction::Up,
            },
        },
        branch: branch(),
        priority: Priority::P1,
        digest: Digest::of(&edits),
        related: Vec::new(),
        changes,
    }
}

pub(super) fn branch() -> BranchName {
    BRANCH.parse().unwrap()
}

/// A plan for a base commit, observed at noon.
pub(super) fn plan(base: ObjectId, proposals: Vec<Proposal>) -> Plan {
    let (api_version, kind) = Plan::envelope();
    Plan {
        api_version,
        kind,
        base: Base {
            branch: "main".parse().unwrap(),
            commit: base,
        },
        snapshot: Digest::of_bytes(b"snapshot"),
        policies: Digest::of_bytes(b"policies"),
        now: "2026-03-01T12:00:00Z".parse().unwrap(),
        proposals,
        standing: Vec::new(),
        held: Vec::new(),
        notes: Vec::new(),
    }
}
