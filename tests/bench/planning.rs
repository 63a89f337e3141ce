//! What it takes to plan: list, screen, read, bind, decide, plan, render and prove, for the quickstart fleet and for 1,000 copies of it,
//! beside just listing and reading every blob of the same commit.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use fleetscale::git::{self, Identity, Store};
use fleetscale::model::{ObjectId, Snapshot};
use fleetscale::observe;
use fleetscale::policy::{FleetFile, PolicySet};

use crate::line::{self, Planned};
use crate::{in_words, median, milliseconds, peak_memory, ratio, timed};

/// Prints one row for each size.
pub(crate) fn measure(smoke: bool) {
    println!(
        "{:>8}  {:>8}  {:>8}  {:>10}  {:>10}  {:>7}  {:>12}",
        "copies", "files", "changes", "read", "plan", "ratio", "peak memory"
    );
    for copies in [1, 1000] {
        row(copies, if smoke { 1 } else { 7 });
    }
}

fn row(copies: usize, runs: usize) {
    let world = World::of(copies);
    let (mut reads, mut plans) = (Vec::new(), Vec::new());
    let (mut changes, mut stages) = (0, Vec::new());
    for _ in 0..runs {
        // In turn, so that a slow stretch of the machine hits both.
        reads.push(timed(|| line::read_blobs(&world.store, &world.commit)).1);
        stages.clear();
        let (Planned { plan, .. }, time) = timed(|| line::run(world.inputs(), &mut stages));
        changes = plan.proposals.iter().map(|proposal| proposal.changes.len()).sum();
        plans.push(time);
    }
    let (read, made) = (median(&mut reads), median(&mut plans));
    println!(
        "{copies:>8}  {:>8}  {changes:>8}  {:>10}  {:>10}  {:>7.1}  {:>8} MiB",
        world.files,
        milliseconds(read),
        milliseconds(made),
        ratio(made, read),
        peak_memory().unwrap_or(0)
    );
    println!("          of which in the last run: {}", in_words(&stages));
}

/// A fleet of copies, in a packed bare repository.
pub(crate) struct World {
    _folder: tempfile::TempDir,
    pub(crate) store: Store,
    pub(crate) commit: ObjectId,
    pub(crate) files: usize,
    pub(crate) fleet: FleetFile,
    pub(crate) policies: PolicySet,
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
    /// At least so many files, or one copy.
    pub(crate) fn of_files(files: usize) -> Self {
        let one = Self::of(1).files;
        Self::of(files.div_ceil(one))
    }

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

    fn inputs(&self) -> line::Inputs<'_> {
        line::Inputs {
            store: &self.store,
            commit: &self.commit,
            fleet: &self.fleet,
            policies: &self.policies,
            snapshot: &self.snapshot,
        }
    }
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
