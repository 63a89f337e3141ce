//! What it costs to read one hostile file: each in a process of its own, so that none hides behind another's memory.

#![allow(
    clippy::disallowed_methods,
    reason = "a child is told by its environment what to read, and the times of a run are printed"
)]

use std::process::Command;
use std::time::Instant;

use super::{Outcome, hostile, judge, large};
use crate::support::repository::{Fleet, Repository};

/// The variable that names the case to a child.
const CASE: &str = "FLEETSCALE_HOSTILE_CASE";

/// What any file of at most 1 MiB may cost its reader, and what a container of the agent has to spare. KiB.
const MOST_KIB: u64 = 64 * 1024;

/// A field of this process's status, in KiB.
fn status(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.trim_start_matches(':')
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap()
}

/// What a child says of its case.
#[derive(Debug)]
struct Cost {
    name: String,
    /// The memory that the process had before, its own code and the file included. KiB.
    before: u64,
    /// The most memory that it ever had. KiB.
    peak: u64,
    micros: u128,
}

#[test]
#[ignore = "measures its own process: run by no_hostile_file_costs_64_mib"]
fn judge_one_alone() {
    let name = std::env::var(CASE).unwrap();
    let fleet = Fleet::load();
    let usual = Repository::of("clusters/md.yaml", large::manifest(""));
    assert!(matches!(
        judge(&fleet, &usual, super::is_workers),
        Outcome::Preserved { .. }
    ));
    let large = large::CASES.iter().find(|(known, ..)| *known == name);
    let (repository, target, want) = match large {
        Some((_, written, want)) => (written(), super::is_workers as fn(&_) -> _, Some(*want)),
        None => (hostile::repository(&name), hostile::target(&name), None),
    };
    // From here on the peak is that of this case.
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let (before, start) = (status("VmRSS"), Instant::now());
    let outcome = judge(&fleet, &repository, target);
    let micros = start.elapsed().as_micros();
    if let Some(want) = want {
        assert_eq!(outcome.to_string(), want);
    }
    println!("cost {before} {} {micros}", status("VmHWM"));
}

fn measure(name: &str) -> Cost {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "corpus::memory::judge_one_alone", "--ignored", "--nocapture"])
        .env(CASE, name)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    let failed = || format!("{name}: {said}{}", String::from_utf8_lossy(&child.stderr));
    assert!(child.status.success(), "{}", failed());
    let cost = said.lines().find_map(|line| line.strip_prefix("cost "));
    let cost = cost.unwrap_or_else(|| panic!("{}", failed()));
    let numbers: Vec<u128> = cost.split(' ').map(|number| number.parse().unwrap()).collect();
    let [before, peak, micros] = numbers[..] else {
        panic!("{}", failed())
    };
    Cost {
        name: name.to_owned(),
        before: before.try_into().unwrap(),
        peak: peak.try_into().unwrap(),
        micros,
    }
}

#[cfg(target_os = "linux")]
#[test]
fn no_hostile_file_costs_64_mib() {
    let mut names: Vec<String> = hostile::expected().into_keys().collect();
    names.extend(large::CASES.iter().map(|(name, ..)| (*name).to_owned()));
    let mut costs: Vec<Cost> = names.iter().map(|name| measure(name)).collect();
    let own = costs.iter().map(|cost| cost.before).max().unwrap();
    println!(
        "{} files, each read, planned, edited and undone in a process of its own, of which the test is up to {own} KiB",
        costs.len()
    );
    costs.sort_by_key(|cost| std::cmp::Reverse(cost.peak));
    println!("the five largest:");
    for Cost {
        name,
        before,
        peak,
        micros,
    } in costs.iter().take(5)
    {
        println!(
            "  {peak:>6} KiB, {:>6} of them for the file  {micros:>8} us  {name}",
            peak - before
        );
    }
    // What the test's own code and the file take is not what it costs to read it.
    let too_large: Vec<&Cost> = costs
        .iter()
        .filter(|cost| cost.peak - cost.before >= MOST_KIB)
        .collect();
    assert!(too_large.is_empty(), "{too_large:?}");
    costs.sort_by_key(|cost| std::cmp::Reverse(cost.micros));
    println!("the five slowest:");
    for Cost { name, micros, .. } in costs.iter().take(5) {
        println!("  {micros:>8} us  {name}");
    }
}
