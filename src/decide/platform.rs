//! Platform components: Kamaji's replicas by the number of its tenants.
//!
//! Replicas buy availability, never throughput: the controller elects a leader, and one replica reconciles for all. So the number follows a
//! ladder of tenants (the more depend on it, the more of its replicas may be lost) and never a load.

use std::collections::BTreeSet;

use crate::model::{
    Change, Decision, Direction, Finite, Grade, HoldReason, Inventory, Priority, Reason, Scalar, Target, Verdict,
};
use crate::policy::{Candidate as Selected, Rung};

use super::evidence::{Terms, judge_count};
use super::guards::{self, Candidate, PolicyTerms, State};
use super::{World, hold, only};

/// The components that are live or declared.
pub(super) fn targets(world: &World<'_>) -> BTreeSet<Target> {
    let live = world
        .snapshot
        .live
        .management_clusters
        .iter()
        .flat_map(|(management_cluster, live)| {
            live.platforms.keys().map(|component| Target::Platform {
                management_cluster: management_cluster.clone(),
                component: component.clone(),
            })
        });
    let declared = world
        .declared
        .bindings
        .keys()
        .filter(|target| matches!(target, Target::Platform { .. }))
        .cloned();
    live.chain(declared).collect()
}

/// One decision for each of them.
pub(super) fn decide(world: &World<'_>, targets: &BTreeSet<Target>) -> Vec<Decision> {
    targets.iter().filter_map(|target| decide_one(world, target)).collect()
}

fn decide_one(world: &World<'_>, target: &Target) -> Option<Decision> {
    let Target::Platform {
        management_cluster,
        component,
    } = target
    else {
        return None;
    };
    let Some(region) = world.region(management_cluster) else {
        return Some(hold(target, vec![HoldReason::NoPolicy]));
    };
    let candidate = Selected::of_management_cluster(region, management_cluster);
    let selected = world.policies.for_platform(component, &candidate);
    let (policy, reference) = match only(target, selected, |policy| &policy.meta) {
        Ok(selected) => selected,
        Err(decision) => return Some(decision),
    };
    let held = |wanted, reasons| {
        Some(Decision {
            target: target.clone(),
            policy: Some(reference.clone()),
            verdict: Verdict::Hold { wanted, reasons },
        })
    };

    let Some(live_cluster) = world.snapshot.live.management_clusters.get(management_cluster) else {
        let cause = "the management cluster is not in the snapshot".to_owned();
        return held(
            None,
            vec![HoldReason::Blind {
                inventory: Inventory::Platforms,
                cause,
            }],
        );
    };
    let Some(live) = live_cluster.platforms.get(component) else {
        return held(
            None,
            vec![match live_cluster.gap_in(Inventory::Platforms) {
                Some(gap) => HoldReason::Blind {
                    inventory: gap.what,
                    cause: gap.cause.clone(),
                },
                None => HoldReason::NotLive,
            }],
        );
    };
    let Some(binding) = world.declared.bindings.get(target) else {
        return held(None, vec![HoldReason::NotDeclared]);
    };
    let Some(declared) = binding.value.as_ref().and_then(Scalar::integer) else {
        return held(
            None,
            vec![guards::site(&binding.site).unwrap_or(HoldReason::NotDeclared)],
        );
    };
    if let Some(reason) = guards::not_applied(world, target, &Scalar::Integer(declared), &live.replicas.into()) {
        return held(None, vec![reason]);
    }

    let terms = Terms {
        now: world.now,
        max_age: policy.max_age,
        min_coverage: Finite::ZERO,
    };
    let (tenants, grade) = match judge_count(&live.tenants, &terms) {
        Ok(count) => count,
        Err((grade, cause)) => {
            return held(
                None,
                vec![HoldReason::Gap {
                    input: "tenants".to_owned(),
                    grade,
                    cause,
                    blocks: None,
                }],
            );
        }
    };
    let Some(Rung {
        from: rung,
        value: replicas,
    }) = policy.ladder.rung(tenants)
    else {
        let summary = format!("{tenants} tenants, below the ladder's first rung");
        return held(None, vec![HoldReason::InRange { summary }]);
    };
    let Some(direction) = Direction::of(i64::from(live.replicas), i64::from(replicas)) else {
        let summary = format!("{tenants} tenants, the ladder says {replicas} replicas from {rung} tenants on");
        return held(None, vec![HoldReason::InRange { summary }]);
    };
    if direction == Direction::Down && policy.scale_down.is_none() {
        let summary = format!("{tenants} tenants would do with {replicas} replicas, but the policy never scales down");
        return held(None, vec![HoldReason::InRange { summary }]);
    }
    let change = Change {
        from: live.replicas.into(),
        to: replicas.into(),
        priority: Priority::Routine,
        reasons: vec![Reason::Ladder {
            counted: "tenants".to_owned(),
            count: tenants,
            rung,
        }],
    };
    let mut reasons = guards::objections(&Candidate {
        world,
        change: &change,
        binding,
        management_cluster: live_cluster,
        inventory: Inventory::Platforms,
        state: State {
            replicas: live.replicas,
            ready: live.ready,
            up_to_date: live.replicas,
            changed_at: live.changed_at,
            ..State::default()
        },
        terms: PolicyTerms {
            mode: policy.meta.mode,
            suspend: policy.meta.suspend,
            cooldown: policy.cooldown,
            down_windows: policy.scale_down.as_deref().unwrap_or_default(),
        },
    });
    // A partial count is a lower bound: enough for an up, never for a down.
    if direction == Direction::Down && grade != Grade::Fresh {
        reasons.push(HoldReason::Gap {
            input: "tenants".to_owned(),
            grade,
            cause: live
                .tenants
                .cause
                .clone()
                .unwrap_or_else(|| "the count is partial".to_owned()),
            blocks: Some(Direction::Down),
        });
    }
    if reasons.is_empty() {
        Some(Decision {
            target: target.clone(),
            policy: Some(reference),
            verdict: Verdict::Set(change),
        })
    } else {
        held(Some(change), reasons)
    }
}
