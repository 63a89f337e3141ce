//! What holds for every world: each property is tried on ten thousand generated ones.
//!
//! `FLEETSCALE_CASES` sets another number and `FLEETSCALE_SEED` another seed; without it the worlds are the same at every run, so that a
//! red build is red for everybody. What has ever failed is kept in `properties.proptest-regressions` and tried first.

mod degrade;
mod worlds;

use std::collections::BTreeMap;

use fleetscale::model::*;
use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence, RngSeed, TestCaseError, TestRunner};

use self::degrade::{Degradation, degradations};
use self::worlds::{Spec, specs};
use crate::support::parts::{digest, n};
use crate::support::world::World;

/// Tries a property on as many cases as asked for, and says how many those were.
#[expect(clippy::disallowed_methods, reason = "the number of cases comes from outside")]
#[expect(clippy::print_stdout, reason = "an acceptance run is asked for its figures")]
pub(crate) fn holds<S: Strategy>(property: &str, strategy: &S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let number = |name: &str, default: u64| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let (cases, seed) = (
        number("FLEETSCALE_CASES", 10_000),
        number("FLEETSCALE_SEED", 20_261_006),
    );
    let persistence = FileFailurePersistence::Direct(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/integration/properties.proptest-regressions"
    ));
    let config = Config {
        cases: u32::try_from(cases).unwrap(),
        rng_seed: RngSeed::Fixed(seed),
        max_shrink_iters: 50_000,
        failure_persistence: Some(Box::new(persistence)),
        ..Config::default()
    };
    match TestRunner::new(config).run(strategy, test) {
        Ok(()) => println!("{property}: {cases} cases, seed {seed}"),
        Err(error) => panic!("{property}, seed {seed}: {error}"),
    }
}

/// Where each target ends: the declared value, or the one that is decided. The verdict is kept for the message.
fn ends(world: &World) -> BTreeMap<Target, Decision> {
    let decisions = world.decide().into_iter();
    decisions.map(|decision| (decision.target.clone(), decision)).collect()
}

/// The number that a decision brings down to; nothing for everything else.
fn down(decision: &Decision) -> Option<i64> {
    match &decision.verdict {
        Verdict::Set(change) if change.direction() == Some(Direction::Down) => change.to.integer(),
        _ => None,
    }
}

/// The key property. Whatever is taken from the inputs, a target only ends below its declared value if it did so with all of them, and then no
/// lower; a hold or an up never becomes a down.
///
/// A new cluster is never put into a shard that can't be seen, and no placement becomes possible that was not. With one exception that
/// nobody can see: a cluster that lives on a management cluster which can't be seen and that Git does not declare anywhere. A cluster of its
/// name may then be placed on another one.
#[test]
fn degrading_any_input_never_makes_a_down() {
    let strategy = (specs(), degradations());
    let counts = std::cell::Cell::new((0u64, 0u64));
    holds(
        "degrading_any_input_never_makes_a_down",
        &strategy,
        |(spec, degradations): (Spec, Vec<Degradation>)| {
            let full = spec.world();
            let degraded = degraded(&full, &degradations);
            let (before, after) = (ends(&full), ends(&degraded));
            let (downs, kept) = counts.get();
            let of =
                |ends: &BTreeMap<Target, Decision>| ends.values().filter(|decision| down(decision).is_some()).count();
            counts.set((downs + of(&before) as u64, kept + of(&after) as u64));
            for (target, decision) in &after {
                let Some(then) = before.get(target) else {
                    continue;
                };
                if let Some(to) = down(decision) {
                    let least = down(then);
                    prop_assert!(
                        least.is_some_and(|least| least <= to),
                        "{target} goes down to {to}; with all inputs: {then:?}"
                    );
                }
                if let Verdict::Place(placement) = &decision.verdict {
                    let live = &degraded.snapshot.live.management_clusters;
                    let seen = live.get(&placement.management_cluster);
                    prop_assert!(seen.is_some_and(|seen| seen.gap_in(Inventory::Clusters).is_none()));
                    let possible = match &then.verdict {
                        Verdict::Place(_) => true,
                        Verdict::Hold { reasons, .. } => {
                            matches!(reasons[..], [HoldReason::AlreadyPlaced { .. }])
                        }
                        _ => false,
                    };
                    prop_assert!(possible, "{target} is placed; with all inputs: {then:?}");
                }
            }
            // What Git declares is never forgotten.
            for target in full.declared.bindings.keys() {
                prop_assert!(after.contains_key(target), "{target} has no decision");
            }
            Ok(())
        },
    );
    let (downs, kept) = counts.get();
    println!("downs with all inputs: {downs}, of which {kept} are left");
    assert!(
        kept > 0 && kept < downs,
        "the worlds must show downs, and the degradations must stop some"
    );
}

/// The world without some of its inputs.
fn degraded(full: &World, degradations: &[Degradation]) -> World {
    full.clone().with(|world| {
        for degradation in degradations {
            degradation.apply(world);
        }
    })
}

/// Nothing goes down on an input to which anything has happened, even if its value is still the same.
#[test]
fn a_down_stands_on_inputs_to_which_nothing_has_happened() {
    let strategy = (specs(), degradations());
    holds(
        "a_down_stands_on_inputs_to_which_nothing_has_happened",
        &strategy,
        |(spec, faults)| {
            let full = spec.world();
            let mut partial = degraded(&full, &faults);
            for decision in partial.decide().iter().filter(|decision| down(decision).is_some()) {
                let name = decision.target.management_cluster().unwrap().to_string();
                let mut full = full.clone();
                let (before, after) = (full.management_cluster(&name), partial.management_cluster(&name));
                match &decision.target {
                    Target::NodeGroup(key) => {
                        let group = |live: &LiveManagementCluster| {
                            live.clusters[&key.namespace][&key.cluster].node_groups[&key.group].clone()
                        };
                        prop_assert_eq!(group(before), group(after));
                        prop_assert!(after.gap_in(Inventory::Clusters).is_none());
                    }
                    Target::Platform { component, .. } => {
                        prop_assert_eq!(&before.platforms[component], &after.platforms[component]);
                        prop_assert!(after.gap_in(Inventory::Platforms).is_none());
                    }
                    other => prop_assert!(false, "{other} goes down"),
                }
            }
            Ok(())
        },
    );
}

/// Where a target ends.
fn end(decision: &Decision) -> Option<i64> {
    match &decision.verdict {
        Verdict::Set(change) => change.to.integer(),
        _ => None,
    }
}

/// What is not seen of one management cluster changes nothing on another, but for where new clusters go.
#[test]
fn a_fault_on_one_management_cluster_changes_no_decision_on_another() {
    let strategy = (specs(), degradations());
    holds(
        "a_fault_on_one_management_cluster_changes_no_decision_on_another",
        &strategy,
        |(spec, faults)| {
            let full = spec.world();
            let mut partial = degraded(&full, &faults);
            // Only what happened to one of them stays.
            for name in ["eu-2", "us-1"].map(n::<ManagementClusterName>) {
                let live = full.snapshot.live.management_clusters[&name].clone();
                partial.snapshot.live.management_clusters.insert(name, live);
            }
            let elsewhere = |world: &World| -> Vec<Decision> {
                let decisions = world.decide().into_iter();
                decisions
                    .filter(|decision| {
                        decision
                            .target
                            .management_cluster()
                            .is_some_and(|at| at.as_str() != "eu-1")
                    })
                    .collect()
            };
            prop_assert_eq!(elsewhere(&partial), elsewhere(&full));
            Ok(())
        },
    );
}

/// More use never means fewer nodes.
#[test]
fn more_use_never_means_fewer_nodes() {
    let strategy = (specs(), prop::collection::vec(0..300u32, 36));
    holds("more_use_never_means_fewer_nodes", &strategy, |(spec, more)| {
        let ends = |spec: &Spec| -> Vec<(Target, i64)> {
            let mut world = spec.world();
            world
                .declared
                .bindings
                .retain(|target, _| target.kind() == TargetKind::NodeGroup);
            let decisions = world.decide();
            let declared = |target: &Target| world.declared.bindings.get(target)?.value.as_ref()?.integer();
            decisions
                .iter()
                .filter_map(|decision| {
                    Some((
                        decision.target.clone(),
                        end(decision).or_else(|| declared(&decision.target))?,
                    ))
                })
                .collect()
        };
        let less = spec.bounded(&[]);
        for (a, b) in ends(&less).iter().zip(ends(&spec.bounded(&more))) {
            prop_assert!(a.0 == b.0 && a.1 <= b.1, "{a:?}, with more use {b:?}");
        }
        Ok(())
    });
}

/// No number leaves the policy's bounds or goes further than its step, whatever the inputs; the sum of all changes leaves no budget and no limit
/// of pull requests; and the checker has nothing to say.
#[test]
fn changes_stay_within_bounds_steps_budgets_and_limits() {
    let strategy = (specs(), degradations(), worlds::limits());
    holds(
        "changes_stay_within_bounds_steps_budgets_and_limits",
        &strategy,
        |(spec, faults, limits)| {
            let mut world = degraded(&spec.world(), &faults);
            world.fleet.limits = limits;
            let step = world.nodes_policy().scale_down.as_ref().unwrap().max_step;
            let plan = world.plan();
            prop_assert_eq!(&plan.notes, &Vec::new());
            let mut sums = worlds::Sums::new(&world);
            for proposal in &plan.proposals {
                for change in &proposal.changes {
                    sums.add(proposal, change);
                    let ProposedAction::Set(set) = &change.action else {
                        continue;
                    };
                    let number = |value: &Scalar| u32::try_from(value.integer().unwrap()).unwrap();
                    let (from, to) = (number(&set.from), number(&set.to));
                    if change.target.kind() == TargetKind::NodeGroup {
                        let within = if to > from {
                            to <= 18 && to - from <= from
                        } else {
                            2 <= to && from - to <= step.of(from)
                        };
                        prop_assert!(within, "{}: {from} -> {to}", change.target);
                    }
                    prop_assert!(!set.reasons.is_empty() && from != to);
                }
            }
            sums.check(&world)?;
            Ok(())
        },
    );
}

/// The same inputs give the same bytes, in whatever order they come.
#[test]
fn the_order_of_the_inputs_changes_nothing() {
    let strategy = (specs(), degradations(), worlds::ledgers());
    holds(
        "the_order_of_the_inputs_changes_nothing",
        &strategy,
        |(spec, faults, ledger)| {
            let world = degraded(&spec.world(), &faults).with(|world| ledger.apply(world));
            let mut turned = world.clone();
            turned.snapshot.ledger.pull_requests.reverse();
            for live in turned.snapshot.live.management_clusters.values_mut() {
                live.gaps.reverse();
            }
            for shard in turned.declared.shards.values_mut() {
                shard.clusters.reverse();
                shard.files.reverse();
            }
            let bytes = |world: &World| {
                let mut plan = world.plan();
                plan.snapshot = digest("the snapshot's own form keeps its order");
                serde_json::to_string(&plan).unwrap()
            };
            prop_assert_eq!(bytes(&world), bytes(&world.clone()));
            prop_assert_eq!(bytes(&world), bytes(&turned));
            Ok(())
        },
    );
}

/// Each decided target is proposed or held exactly once, and each pull request under review is renewed, kept or withdrawn exactly once.
#[test]
fn every_target_and_every_pull_request_is_accounted_for() {
    let strategy = (specs(), degradations(), worlds::ledgers(), worlds::limits());
    holds(
        "every_target_and_every_pull_request_is_accounted_for",
        &strategy,
        |(spec, faults, ledger, limits)| {
            let mut world = degraded(&spec.world(), &faults).with(|world| ledger.apply(world));
            world.fleet.limits = limits;
            let (plan, decisions) = (world.plan(), world.decide());
            prop_assert_eq!(&plan.notes, &Vec::new());
            let mut told: Vec<&Target> = plan.held.iter().map(|decision| &decision.target).collect();
            told.extend(
                plan.proposals
                    .iter()
                    .flat_map(|proposal| &proposal.changes)
                    .map(|change| &change.target),
            );
            told.sort();
            let decided: Vec<&Target> = decisions.iter().map(|decision| &decision.target).collect();
            prop_assert_eq!(told, decided);
            for request in world.snapshot.ledger.under_review() {
                let renewed = plan
                    .proposals
                    .iter()
                    .filter(|proposal| proposal.branch == request.branch)
                    .count();
                let standing = plan
                    .standing
                    .iter()
                    .filter(|standing| standing.number == request.number)
                    .count();
                let expected = usize::from(request.record.is_some());
                prop_assert!(
                    renewed + standing == expected || request.record.is_none() && standing == 0,
                    "#{}",
                    request.number
                );
            }
            // No change is made up, and none is another number than what was decided or is under review.
            for change in plan.proposals.iter().flat_map(|proposal| &proposal.changes) {
                let ProposedAction::Set(set) = &change.action else {
                    continue;
                };
                let decided = decisions
                    .iter()
                    .find(|decision| decision.target == change.target)
                    .unwrap();
                let carried = matches!(set.reasons[..], [Reason::Carried { .. }]);
                prop_assert!(
                    carried || decided.verdict == Verdict::Set(set.clone()),
                    "{}",
                    change.target
                );
                prop_assert!(!carried || set.direction() == Some(Direction::Up), "{}", change.target);
            }
            // It can be printed.
            prop_assert!(!fleetscale::plan::text(&plan).is_empty());
            Ok(())
        },
    );
}

/// Once a plan is applied, the next one is empty; and under a constant load no plan ever undoes an earlier one, until there is nothing left to do.
#[test]
fn a_plan_never_triggers_its_own_inverse() {
    holds("a_plan_never_triggers_its_own_inverse", &specs(), |spec: Spec| {
        let mut world = spec.without_requests().world();
        world.fleet.limits.new_pull_requests = 100;
        let mut directions: BTreeMap<Target, Direction> = BTreeMap::new();
        for round in 0.. {
            prop_assert!(round < 20, "it does not come to rest");
            let plan = world.plan();
            let changed = worlds::apply(&mut world, &plan);
            if changed.is_empty() {
                break;
            }
            for (target, direction) in changed {
                let before = *directions.entry(target.clone()).or_insert(direction);
                prop_assert_eq!(before, direction, "round {}: {} goes back", round, target);
            }
            let next = world.plan();
            prop_assert!(next.proposals.is_empty(), "{}", fleetscale::plan::text(&next));
            worlds::wait(&mut world, 25);
        }
        Ok(())
    });
}

/// Whatever numbers come, there is an answer.
#[test]
fn no_number_in_a_snapshot_makes_it_panic() {
    holds(
        "no_number_in_a_snapshot_makes_it_panic",
        &worlds::extremes(),
        |extreme| {
            let world = extreme.world();
            let plan = world.plan();
            let count = plan.held.len()
                + plan
                    .proposals
                    .iter()
                    .map(|proposal| proposal.changes.len())
                    .sum::<usize>();
            prop_assert_eq!(count, world.decide().len());
            prop_assert_eq!(&plan.notes, &Vec::new());
            prop_assert!(!fleetscale::plan::text(&plan).is_empty());
            Ok(())
        },
    );
}
