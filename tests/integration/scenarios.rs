//! Every scenario of `fixtures/scenarios`: what is found in a repository, and the bytes that come of an edit.

#![allow(
    clippy::use_debug,
    reason = "a report of what differs is for people who write scenarios"
)]

mod editing;
mod runner;

use crate::scenario::{Scenario, Set, all};
use editing::{Variant, run};

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

/// The target of the first edit.
fn first(scenario: &mut Scenario) -> &mut Set {
    &mut scenario.set[0]
}
