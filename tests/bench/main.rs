//! Speed, as ratios within one run: the machine's own pace cancels out.
//!
//! `plan` (list, screen, read, bind, decide, plan, render and prove) is measured beside just listing and reading every blob of the same
//! commit, for the quickstart fleet and for 1,000 copies of it; `observe` beside just reading the pages. The figures are medians. Nothing
//! here passes or fails.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and one that can not go on has failed"
)]

mod observing;

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use fleetscale::decide::decide;
use fleetscale::fleet::{self, FleetTree, LARGEST_FILE, Lent, Mode, TreeEntry};
use fleetscale::git::{self, FileMode, Identity, Store};
use fleetscale::model::{Base, Edit, ObjectId, Plan, Snapshot};
use fleetscale::observe;
use fleetscale::plan::{self, plan};
use fleetscale::policy::{FleetFile, PolicySet};
use fleetscale::render::render;

fn main() {
    if std::env::args().any(|argument| argument == observing::REPLAY) {
        return observing::replay();
    }
    // `cargo test --benches` asks for a smoke test.
    let runs = if std::env::args().any(|argument| argument == "--test") {
        1
    } else {
        7
    };
    println!(
        "{:>8}  {:>8}  {:>8}  {:>10}  {:>10}  {:>7}  {:>12}",
        "copies", "files", "changes", "read", "plan", "ratio", "peak memory"
    );
    for copies in [1, 1000] {
        measure(copies, runs);
    }
    observing::measure();
}

fn measure(copies: usize, runs: usize) {
    let world = World::of(copies);
    let (mut reads, mut plans) = (Vec::new(), Vec::new());
    let (mut changes, mut stages) = (0, Vec::new());
    for _ in 0..runs {
        // In turn, so that a slow stretch of the machine hits both.
        reads.push(timed(|| world.read_blobs()).1);
        let ((made, times), time) = timed(|| world.plan());
        changes = made.proposals.iter().map(|proposal| proposal.changes.len()).sum();
        plans.push(time);
        stages = times;
    }
    let (read, made) = (median(&mut reads), median(&mut plans));
    println!(
        "{copies:>8}  {:>8}  {changes:>8}  {:>10}  {:>10}  {:>7.1}  {:>12}",
        world.files,
        milliseconds(read),
        milliseconds(made),
        made.as_secs_f64() / read.as_secs_f64(),
        peak_memory()
    );
    let stages: Vec<String> = stages
        .into_iter()
        .map(|(name, time)| format!("{name} {}", milliseconds(time)))
        .collect();
    println!("          of which in the last run: {}", stages.join(", "));
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark is about time")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn peak_memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = status.lines().find_map(|line| {
        line.strip_prefix("VmHWM:")?
            .trim()
            .strip_suffix(" kB")?
            .parse::<u64>()
            .ok()
    });
    kib.map_or("unknown".to_owned(), |kib| format!("{} MiB", kib / 1024))
}

/// A fleet of copies, in a packed bare repository.
struct World {
    _folder: tempfile::TempDir,
    store: Store,
    commit: ObjectId,
    files: usize,
    fleet: FleetFile,
    policies: PolicySet,
    snapshot: Snapshot,
}

const MANAGEMENT_CLUSTERS: [&str; 3] = ["eu-1", "eu-2", "us-1"];

/// The name in the n-th copy; the first keeps its own.
fn renamed(name: &str, copy: usize) -> String {
    if copy == 0 {
        name.to_owned()
    } else {
        format!("{name}-{copy}")
    }
}

impl World {
    fn of(copies: usize) -> Self {
        let fixture = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/quickstart");
        let folder = tempfile::TempDir::new().unwrap();
        let tree = folder.path().join("fleet");
        let mut files = 0;
        copy_files(&fixture.join("fleet"), Path::new(""), &tree, copies, &mut files);
        let snapshot = observe::recorded("snapshot.yaml", &fs::read(fixture.join("snapshot.yaml")).unwrap()).unwrap();
        let bare = folder.path().join("fleet.git");
        let author = Identity::new("bench", "bench@example.org").unwrap();
        let commit = git::import(&tree, &bare, &author, snapshot.captured_at).unwrap();
        // What a clone looks like: one pack.
        assert!(
            Command::new("git")
                .arg("-C")
                .arg(&bare)
                .args(["repack", "-adq"])
                .status()
                .unwrap()
                .success()
        );
        fs::remove_dir_all(&tree).unwrap();

        let fleet = FleetFile::load("fleet.yaml", &fs::read(fixture.join("fleet.yaml")).unwrap()).unwrap();
        let policies = fs::read_dir(fixture.join("fleet/fleetscale"))
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let policies: Vec<(String, Vec<u8>)> = policies
            .map(|path| (path.display().to_string(), fs::read(path).unwrap()))
            .collect();
        let policies = PolicySet::load(policies, Some(&fleet)).unwrap();
        Self {
            store: Store::open(&bare).unwrap(),
            _folder: folder,
            commit,
            files,
            fleet: multiplied_fleet(fleet, copies),
            policies,
            snapshot: multiplied_snapshot(snapshot, copies),
        }
    }

    /// The floor: every blob, in the order of the tree.
    fn read_blobs(&self) -> usize {
        let listing = self.store.tree(&self.commit).unwrap();
        let most = usize::try_from(LARGEST_FILE).unwrap();
        listing
            .entries
            .iter()
            .map(|entry| self.store.with_blob(&entry.id, most, <[u8]>::len).unwrap())
            .sum()
    }

    /// Everything that `plan` does between its inputs and its output, with the time of each stage.
    fn plan(&self) -> (Plan, Vec<(&'static str, Duration)>) {
        let Self {
            store,
            commit,
            fleet,
            policies,
            snapshot,
            ..
        } = self;
        let mut stages = Vec::new();
        let entries = store.tree(commit).unwrap().entries.into_iter().map(|entry| {
            let mode = match entry.mode {
                FileMode::File => Mode::File,
                FileMode::Executable => Mode::Executable,
                FileMode::Symlink => Mode::Symlink,
                FileMode::Submodule => Mode::Submodule,
            };
            TreeEntry {
                path: entry.path,
                mode,
                id: entry.id,
            }
        });
        let most = usize::try_from(LARGEST_FILE).unwrap();
        let screen = fleet::screen(fleet, policies);
        let tree = stage("read", &mut stages, || {
            FleetTree::read(commit.clone(), entries, &screen, |id, lend| {
                store.with_blob(id, most, lend).map(|()| Lent::Whole)
            })
            .unwrap()
        });
        let declared = stage("bind", &mut stages, || fleet::bind(fleet, policies, &tree));
        let now = snapshot.captured_at;
        let decisions = stage("decide", &mut stages, || {
            decide(fleet, policies, snapshot, &declared, now)
        });
        let base = Base {
            branch: fleet.branch.clone(),
            commit: commit.clone(),
        };
        let made = stage("plan", &mut stages, || {
            let inputs = plan::Inputs {
                base,
                snapshot: snapshot.digest(),
                policies: policies.digest.clone(),
            };
            plan(decisions, &declared, &snapshot.ledger, fleet, policies, inputs, now)
        });
        stage("render", &mut stages, || {
            for proposal in &made.proposals {
                let edits: Vec<Edit> = proposal.edits().cloned().collect();
                render(|path| tree.file(path).ok().map(Cow::Borrowed), &edits).unwrap();
            }
        });
        (made, stages)
    }
}

fn stage<T>(name: &'static str, stages: &mut Vec<(&'static str, Duration)>, work: impl FnOnce() -> T) -> T {
    let (result, time) = timed(work);
    stages.push((name, time));
    result
}

/// Copies the files of management clusters under the names of each copy, and all others once.
fn copy_files(from: &Path, relative: &Path, to: &Path, copies: usize, files: &mut usize) {
    for entry in fs::read_dir(from.join(relative)).unwrap() {
        let entry = entry.unwrap();
        let path = relative.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_files(from, &path, to, copies, files);
            continue;
        }
        let bytes = fs::read(from.join(&path)).unwrap();
        let owned = path
            .iter()
            .any(|part| MANAGEMENT_CLUSTERS.iter().any(|name| part == *name));
        for copy in 0..if owned { copies } else { 1 } {
            let named: PathBuf = path
                .iter()
                .map(|part| {
                    let part = part.to_str().unwrap();
                    if MANAGEMENT_CLUSTERS.contains(&part) {
                        renamed(part, copy)
                    } else {
                        part.to_owned()
                    }
                })
                .collect();
            let target = to.join(named);
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::write(target, &bytes).unwrap();
            *files += 1;
        }
    }
}

fn multiplied_fleet(mut fleet: FleetFile, copies: usize) -> FleetFile {
    for region in &mut fleet.regions {
        let originals = std::mem::take(&mut region.management_clusters);
        for original in originals {
            for copy in 0..copies {
                let mut cluster = original.clone();
                let name = original.name.as_str();
                cluster.name = renamed(name, copy).parse().unwrap();
                for path in &mut cluster.paths {
                    let parts: Vec<String> = path
                        .as_str()
                        .split('/')
                        .map(|part| {
                            if part == name {
                                renamed(part, copy)
                            } else {
                                part.to_owned()
                            }
                        })
                        .collect();
                    *path = parts.join("/").parse().unwrap();
                }
                region.management_clusters.push(cluster);
            }
        }
        region.management_clusters.sort_by(|a, b| a.name.cmp(&b.name));
    }
    // Everything that is wanted is planned and rendered.
    fleet.limits.new_pull_requests = u32::MAX;
    fleet.limits.new_urgent_pull_requests = u32::MAX;
    fleet.limits.open_pull_requests = u32::MAX;
    fleet.limits.budgets.clear();
    fleet
}

fn multiplied_snapshot(mut snapshot: Snapshot, copies: usize) -> Snapshot {
    let originals = std::mem::take(&mut snapshot.live.management_clusters);
    for (name, live) in originals {
        for copy in 0..copies {
            snapshot
                .live
                .management_clusters
                .insert(renamed(name.as_str(), copy).parse().unwrap(), live.clone());
        }
    }
    snapshot
}
