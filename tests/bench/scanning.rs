//! What `scan` costs: list, screen, read and find every number of 10,000 files, beside reading every blob of the same commit and parsing the
//! files that may hold a number.
//!
//! Two fleets, since they differ in what there is to find: many clusters of the same five files, and copies of the quickstart, which has
//! most shapes. Parsing is the scan's own, which is quicker than the YAML library's; the ratio with the library's is told as well.

use fleetscale::fleet::{self, FleetTree};
use fleetscale::git::Store;
use fleetscale::model::ObjectId;
use fleetscale::policy::{FleetFile, PolicySet};
use fleetscale::yaml::Stream;

use crate::{Stage, in_words, large_fleet, line, median, milliseconds, planning, ratio, stage, timed};

const FILES: usize = 10_000;
const RUNS: usize = 15;

/// Prints one row for each fleet.
pub(crate) fn measure(smoke: bool) {
    println!(
        "{:>16}  {:>8}  {:>8}  {:>10}  {:>10}  {:>7}  {:>12}",
        "scan of", "files", "numbers", "floor", "scan", "ratio", "goal"
    );
    let runs = if smoke { 1 } else { RUNS };
    let files = if smoke { 100 } else { FILES };
    let folder = tempfile::TempDir::new().unwrap();
    let made = large_fleet::Made::of(&folder.path().join("fleet.git"), files);
    row(
        "equal clusters",
        &Scanned {
            store: &made.store,
            commit: &made.commit,
            fleet: &made.fleet,
            policies: &made.policies,
            files: made.files,
        },
        runs,
    );
    let world = planning::World::of_files(files);
    row(
        "quickstarts",
        &Scanned {
            store: &world.store,
            commit: &world.commit,
            fleet: &world.fleet,
            policies: &world.policies,
            files: world.files,
        },
        runs,
    );
}

/// What is scanned.
struct Scanned<'a> {
    store: &'a Store,
    commit: &'a ObjectId,
    fleet: &'a FleetFile,
    policies: &'a PolicySet,
    files: usize,
}

fn row(name: &str, scanned: &Scanned<'_>, runs: usize) {
    let candidates = scanned.tree();
    let (mut floors, mut library, mut scans) = (Vec::new(), Vec::new(), Vec::new());
    let (mut numbers, mut stages) = (0, Vec::new());
    for _ in 0..runs {
        // In turn, so that a slow stretch of the machine hits all.
        let (_, read) = timed(|| line::read_blobs(scanned.store, scanned.commit));
        floors.push(read + timed(|| parse(&candidates, |text| Stream::read(text).is_ok())).1);
        library.push(read + timed(|| parse(&candidates, |text| Stream::parse(text).is_ok())).1);
        stages.clear();
        let (found, time) = timed(|| scanned.scan(&mut stages));
        numbers = found;
        scans.push(time);
    }
    assert!(numbers > scanned.files / 10, "there is much to find");
    let (floor, library, scan) = (median(&mut floors), median(&mut library), median(&mut scans));
    println!(
        "{name:>16}  {:>8}  {numbers:>8}  {:>10}  {:>10}  {:>7.2}  {:>12}",
        scanned.files,
        milliseconds(floor),
        milliseconds(scan),
        ratio(scan, floor),
        "1.5"
    );
    println!(
        "                  of which in the last run: {}; {:.2} with the library's parser in the floor ({})",
        in_words(&stages),
        ratio(scan, library),
        milliseconds(library)
    );
}

/// How many files parse.
fn parse(tree: &FleetTree, parses: impl Fn(&str) -> bool) -> usize {
    let texts = tree.kept().filter_map(|(_, bytes)| std::str::from_utf8(bytes).ok());
    texts.filter(|text| parses(text)).count()
}

impl Scanned<'_> {
    fn tree(&self) -> FleetTree {
        let listing = self.store.tree(self.commit).unwrap();
        line::read(
            self.store,
            listing,
            &fleet::screen_everything(self.fleet, self.policies),
        )
    }

    /// Returns how many numbers there are.
    fn scan(&self, stages: &mut Vec<Stage>) -> usize {
        let tree = stage("read", stages, || self.tree());
        let (numbers, _) = stage("find", stages, || fleet::scan(self.fleet, self.policies, &tree));
        stage("drop", stages, || drop(tree));
        numbers.len()
    }
}
