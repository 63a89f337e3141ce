//! What a scan finds, a line each.

use crate::fleet::shapes::testing::{shown_refusal, shown_site};
use crate::fleet::testing::{fleet, tree};
use crate::model::Unbound;
use crate::policy::PolicySet;

use super::{scan, screen_everything};

/// Scans these files for policies; the management cluster `eu-1` has the folder `clusters/eu-1`.
pub(in crate::fleet) fn scanned_for(policies: &str, files: &[(&str, &str)]) -> Vec<String> {
    let fleet = fleet(&[("eu-1", &["clusters/eu-1"])]);
    let policies = match PolicySet::load([("policies.yaml", policies)], Some(&fleet)) {
        Ok(policies) => policies,
        Err(problems) => panic!("{problems:?}"),
    };
    let screen = screen_everything(&fleet, &policies);
    let kept = |(path, text): &&(&str, &str)| screen.keeps(&path.parse().unwrap(), text.as_bytes());
    let kept: Vec<(&str, &str)> = files.iter().filter(kept).copied().collect();
    let (numbers, declared) = scan(&fleet, &policies, &tree(files));
    let screened = scan(&fleet, &policies, &tree(&kept));
    assert_eq!(
        (&numbers, &declared),
        (&screened.0, &screened.1),
        "the screen left something out"
    );
    let numbers = numbers.iter().map(|number| {
        let binding = &number.binding;
        let value = binding.value.as_ref().map_or("-".to_owned(), ToString::to_string);
        let paused = if binding.paused { " paused" } else { "" };
        format!("{} = {value} at {}{paused}", number.target, shown_site(&binding.site))
    });
    let unbound = declared.unbound.iter().map(|unbound| {
        let Unbound {
            path,
            line,
            what,
            refusal,
        } = unbound;
        format!("{path}:{line} {what}: {}", shown_refusal(refusal))
    });
    numbers.chain(unbound).collect()
}

/// Scans these files without policies.
pub(in crate::fleet) fn scanned(files: &[(&str, &str)]) -> Vec<String> {
    scanned_for("", files)
}
