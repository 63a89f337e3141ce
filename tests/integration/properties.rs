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
use crate::support::world::World;

/// Tries a property on as many cases as asked for, and says how many those were.
#[expect(clippy::disallowed_methods, reason = "the number of cases comes from outside")]
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
            let degraded = full.clone().with(|world| {
                for degradation in &degradations {
                    degradation.apply(world);
                }
            });
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
