//! Platform components: Kamaji's replicas by the number of its tenants.
//!
//! Replicas buy availability, never throughput: the controller elects a leader, and one replica reconciles for all. So the number follows a
//! ladder of tenants (the more depend on it, the more of its replicas may be lost) and never a load.

use std::collections::BTreeSet;

use crate::model::{
    Change, Decision, Direction, Finite, Grade, HoldReason, Inventory, LivePlatform, Priority, Reason, Scalar, Target,
    Verdict,
};
use crate::policy::{Candidate as Selected, PlatformPolicy, Rung};

use super::evidence::{Terms, judge_count};
use super::guards::{self, Candidate, PolicyTerms, State};
use super::inventory::unseen;
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

    let live_cluster = world.snapshot.live.management_clusters.get(management_cluster);
    let live = live_cluster.and_then(|live| live.platforms.get(component));
    let (Some(live_cluster), Some(live)) = (live_cluster, live) else {
        let reason = unseen(world, management_cluster, live_cluster, Inventory::Platforms);
        return held(None, vec![reason]);
    };
    let Some(binding) = world.declared.bindings.get(target) else {
        return held(None, vec![HoldReason::NotDeclared]);
    };
    let candidate = Candidate {
        world,
        target,
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
    };
    let Some(declared) = binding.value.as_ref().and_then(Scalar::integer) else {
        return held(
            None,
            vec![guards::site(&binding.site).unwrap_or(HoldReason::NotDeclared)],
        );
    };
    let (said, seen) = (Scalar::Integer(declared), live.replicas.into());
    let disagreement = guards::not_effective(&candidate, &said, &seen);
    if let Some(reason) = disagreement.or_else(|| guards::not_applied(world, target, &said, &seen)) {
        return held(None, candidate.standing(vec![reason]));
    }
    let (change, found) = match wish(world, policy, live) {
        Wish::Nothing(reasons) => return held(None, candidate.standing(reasons)),
        Wish::Change(change, found) => (change, found),
    };
    let reasons = candidate.objections(&change, found);
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

/// What the number of tenants asks for.
enum Wish {
    Nothing(Vec<HoldReason>),
    Change(Change, Vec<HoldReason>),
}

/// The ladder's answer for a count of tenants.
///
/// For a down it is asked for a tenth more tenants than there are, as HPA tolerates a tenth (`--horizontal-pod-autoscaler-tolerance`): else
/// one tenant that comes and goes at the edge of a rung would take a replica away today and bring it back tomorrow.
fn wish(world: &World<'_>, policy: &PlatformPolicy, live: &LivePlatform) -> Wish {
    let in_range = |summary: String| Wish::Nothing(vec![HoldReason::InRange { summary }]);
    if live.replicas == 0 {
        return in_range("it is switched off: 0 replicas".to_owned());
    }
    let terms = Terms {
        now: world.now,
        max_age: policy.max_age,
        min_coverage: Finite::ZERO,
        ready: 0,
        size: 0,
    };
    let gap = |grade: Grade, cause: String| HoldReason::Gap {
        input: "tenants".to_owned(),
        grade,
        cause,
        blocks: None,
    };
    let (tenants, grade) = match judge_count(&live.tenants, &terms) {
        Ok(count) => count,
        Err((grade, cause)) => return Wish::Nothing(vec![gap(grade, cause)]),
    };
    // A partial count is a lower bound: enough for an up, never for a down, and no proof that an up is needless.
    let partial = (grade != Grade::Fresh).then(|| {
        let cause = live.tenants.cause.clone();
        gap(grade, cause.unwrap_or_else(|| "the count is partial".to_owned()))
    });
    let nothing = |summary: String| {
        Wish::Nothing(
            partial
                .clone()
                .into_iter()
                .chain([HoldReason::InRange { summary }])
                .collect(),
        )
    };
    let Some(rung) = policy.ladder.rung(tenants) else {
        return nothing(format!("{tenants} tenants, below the ladder's first rung"));
    };
    let mut counted = "tenants".to_owned();
    let mut answer = rung;
    if rung.value < live.replicas {
        if tenants == 0 {
            // Nobody has so many replicas for nobody: a zero is what an outage of the monitoring looks like after `or vector(0)`.
            let cause = format!("no tenant at all for {} replicas", live.replicas);
            return Wish::Nothing(vec![gap(Grade::Suspect, cause)]);
        }
        let more = tenants.saturating_add(tenants.div_ceil(MARGIN));
        answer = policy.ladder.rung(more).unwrap_or(rung);
        if live.replicas <= answer.value {
            let fewer = rung.value;
            return nothing(format!(
                "{tenants} tenants would do with {fewer} replicas, but a tenth more would not"
            ));
        }
        if answer != rung {
            counted = "tenants (and a tenth more)".to_owned();
        }
    }
    let Rung { from, value } = answer;
    match Direction::of(i64::from(live.replicas), i64::from(value)) {
        None => nothing(format!(
            "{tenants} tenants, the ladder says {value} replicas from {from} tenants on"
        )),
        Some(Direction::Down) if policy.scale_down.is_none() => nothing(format!(
            "{tenants} tenants would do with {value} replicas, but the policy never scales down"
        )),
        Some(direction) => Wish::Change(
            Change {
                from: live.replicas.into(),
                to: value.into(),
                priority: Priority::Routine,
                reasons: vec![Reason::Ladder {
                    counted,
                    count: tenants,
                    rung: from,
                }],
            },
            partial.into_iter().filter(|_| direction == Direction::Down).collect(),
        ),
    }
}

/// The part of the tenants that is added before replicas are given up: a tenth.
const MARGIN: u32 = 10;
