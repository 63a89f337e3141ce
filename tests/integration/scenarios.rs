//! Every scenario of `fixtures/scenarios`: what is found in a repository, and the bytes that come of an edit.

#![allow(
    clippy::use_debug,
    reason = "a report of what differs is for people who write scenarios"
)]

mod editing;
mod restyle;
mod runner;

use crate::scenario::{Scenario, Set, all};
use editing::{Outcome, Variant, run, run_restyled};

#[test]
fn every_scenario_is_found_edited_and_undone_as_it_says() {
    let mut wrong = Vec::new();
    let (mut scenarios, mut runs) = (0, 0);
    for scenario in all() {
        scenarios += 1;
        let scenario = match scenario {
            Ok(scenario) => scenario,
            Err(error) => {
                wrong.push(error);
                continue;
            }
        };
        for variant in Variant::ALL {
            let Some(varied) = variant.of(&scenario) else { continue };
            runs += 1;
            if let Err(error) = run(&varied) {
                wrong.push(format!("{} ({variant:?}): {error}", scenario.name));
            }
        }
    }
    println!("{scenarios} scenarios, {runs} runs");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(scenarios > 0 && runs > scenarios);
}

/// `make accept-edits` asks for 100,000 edits with `FLEETSCALE_CASES`; `FLEETSCALE_SEED` is where the seeds begin.
#[test]
#[expect(clippy::disallowed_methods, reason = "the number of cases comes from outside")]
fn edits_in_any_style_change_their_values_alone() {
    let number = |name: &str, default: u64| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let (cases, first) = (number("FLEETSCALE_CASES", 1_000), number("FLEETSCALE_SEED", 20_261_123));
    let scenarios: Vec<Scenario> = all()
        .into_iter()
        .map(Result::unwrap)
        .filter(|it| !it.set.is_empty())
        .collect();
    let (mut edits, mut refused, mut inserted, mut seed) = (0, 0, 0, first);
    while edits < cases {
        let scenario = &scenarios[usize::try_from(seed).unwrap() % scenarios.len()];
        match run_restyled(scenario, seed) {
            Ok(Outcome { replaced, new, layouts }) => {
                edits += replaced + new;
                inserted += new;
                refused += layouts;
            }
            Err(error) => panic!("{}, seed {seed}: {error}", scenario.name),
        }
        seed += 1;
    }
    let shapes = scenarios.len();
    println!(
        "{edits} edits of {shapes} scenarios, {inserted} of them insertions, 0 failures, {refused} insertions refused by their layout, seeds {first} to {}",
        seed - 1
    );
    assert!(refused * 10 < edits, "{refused} of {edits} insertions are refused");
}

/// The target of the first edit.
fn first(scenario: &mut Scenario) -> &mut Set {
    &mut scenario.set[0]
}
