mod appliers;
mod components;
mod helm_charts;
mod layers;
mod markers;
mod node_groups;
mod owners;
mod releases;
mod sharding;
mod shared;

use std::convert::Infallible;

use super::*;
use crate::fleet::shapes::testing::{shown_refusal, shown_site};
use crate::fleet::testing::{fleet, tree};
use crate::fleet::tree::{Lent, Mode, TreeEntry};
use crate::model::{AutoscalerBounds, Unbound};

const FLEET: &[(&str, &[&str])] = &[("eu-1", &["clusters/eu-1"]), ("eu-2", &["clusters/eu-2"])];

fn declared(policies: &str, files: &[(&str, &str)]) -> Declared {
    let fleet = fleet(FLEET);
    let policies = match PolicySet::load([("policies.yaml", policies)], Some(&fleet)) {
        Ok(policies) => policies,
        Err(problems) => panic!("{problems:?}"),
    };
    let whole = tree(files);
    let declared = bind(&fleet, &policies, &whole);
    // What the screen leaves out must not matter.
    let entries = files.iter().map(|(path, text)| TreeEntry {
        path: path.parse().unwrap(),
        mode: Mode::File,
        id: text.as_bytes(),
    });
    let screened = FleetTree::read(
        whole.base().clone(),
        entries,
        &screen(&fleet, &policies),
        |bytes, lend| {
            lend(bytes);
            Ok::<_, Infallible>(Lent::Whole)
        },
    );
    assert_eq!(
        bind(&fleet, &policies, &screened.unwrap()),
        declared,
        "the screen left something out"
    );
    declared
}

/// Every binding and everything unbound, a line each.
fn shown(declared: &Declared) -> Vec<String> {
    let bindings = declared.bindings.iter().map(|(target, binding)| {
        let Binding {
            value,
            site,
            autoscaler,
            unscaled,
            paused,
            hold,
        } = binding;
        let value = value.as_ref().map_or("-".to_owned(), ToString::to_string);
        let mut line = format!("{target} = {value} at {}", shown_site(site));
        if let Some(AutoscalerBounds { min, max }) = autoscaler {
            line += &format!(" autoscaler {min}..{max}");
        }
        if let Some(why) = unscaled {
            line += &format!(" ({why})");
        }
        if *paused {
            line += " paused";
        }
        if let Some(HoldAnnotation { reason, until }) = hold {
            line += &format!(
                " held: {reason} until {}",
                until.map_or("ever".to_owned(), |until| until.to_string())
            );
        }
        line
    });
    bindings.chain(unbound(declared)).collect()
}

fn unbound(declared: &Declared) -> Vec<String> {
    let unbound = declared.unbound.iter();
    unbound
        .map(
            |Unbound {
                 path,
                 line,
                 what,
                 refusal,
             }| format!("{path}:{line} {what}: {}", shown_refusal(refusal)),
        )
        .collect()
}

fn policy(kind: &str, spec: &str) -> String {
    format!(
        "apiVersion: fleetscale.io/v1alpha1\nkind: {kind}\nmetadata: {{name: p}}\nspec:\n  {}\n",
        spec.replace('\n', "\n  ")
    )
}

#[test]
fn of_several_holds_the_last_to_end_counts() {
    let last = |texts: &[&str]| {
        last_hold(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()).map(|hold| hold.reason)
    };
    assert_eq!(last(&[]), None);
    assert_eq!(
        last(&["a; until=2026-01-01", "b; until=2026-02-01"]).as_deref(),
        Some("b")
    );
    assert_eq!(
        last(&["a; until=2026-03-01", "b; until=2026-02-01"]).as_deref(),
        Some("a")
    );
    assert_eq!(last(&["a; until=2026-01-01", "b"]).as_deref(), Some("b"));
    assert_eq!(last(&["a", "b"]).as_deref(), Some("a"));
}
