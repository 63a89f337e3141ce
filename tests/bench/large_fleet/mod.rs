//! The whole way of a run over a fleet of 75,000 files: read, planned, rendered, committed and pushed, with 5,000 numbers to change; beside
//! what Git itself takes to clone the repository and to read it, and what `sed` and Git take to change the same files in a checkout.
//!
//! It starts from a bare copy that is there already and pushes to another bare repository on the same disk. The 5,000 edits are 15 pull
//! requests (`groupBy: managementCluster`), so 15 commits on 15 branches; `sed` makes one. Each run is a process of its own, so that its
//! peak memory is that of one run. What it gets in memory, and not on the clock, is the snapshot.

mod fleet;
mod git;
mod manifests;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use fleetscale::git::{FileChange, Identity, Remote, Store};
use fleetscale::model::{Ledger, ObjectId, Snapshot};
use fleetscale::policy::{FleetFile, PolicySet};
use fleetscale::publish::{self, Publication};

use crate::line::{self, Planned};
use crate::{Stage, in_words, median, milliseconds, peak_memory_of, ratio, seconds, stage, timed};

/// The flag with which this binary starts itself for one run.
pub(crate) const RUN: &str = "--large-fleet-run";

const CLUSTERS: usize = 15_000;
/// Enough for each management cluster to have one.
const FEW_CLUSTERS: usize = 30;
const FILES_OF_A_CLUSTER: usize = 5;
const RUNS: usize = 3;

/// Makes the fleet, measures everything and prints it.
pub(crate) fn measure(smoke: bool) {
    let (clusters, runs) = if smoke { (FEW_CLUSTERS, 1) } else { (CLUSTERS, RUNS) };
    let folder = tempfile::TempDir::new().unwrap();
    let world = World {
        folder: folder.path(),
        clusters,
    };
    let (files, made) = timed(|| git::make(&world.base(), clusters));
    let short: Vec<String> = fleet::clusters(clusters).flat_map(fleet::Cluster::short).collect();
    println!(
        "large fleet: {clusters} clusters, {files} files, {} MachineDeployments, {} to change (made in {})",
        clusters * fleet::GROUPS.len(),
        short.len(),
        seconds(made)
    );

    let mut whole: Vec<Run> = (0..runs).map(|number| world.run(number, short.len())).collect();
    let mut read: Vec<Duration> = (0..runs).map(|_| world.read_blobs()).collect();
    let read = median(&mut read);
    whole.sort_by_key(Run::in_all);
    let run = &whole[runs / 2];
    let peak = whole
        .iter()
        .flat_map(|run| &run.stages)
        .map(|stage| stage.peak)
        .max()
        .unwrap();
    println!(
        "  in all {} (goal 1.00 s); without the push {}, {:.1} x reading all blobs (goal 3); peak memory {peak} MiB (goal 250)",
        seconds(run.in_all()),
        seconds(run.without_push()),
        ratio(run.without_push(), read)
    );
    let of_stages = |what: &dyn Fn(&Stage) -> String| {
        let stages = run.stages.iter().map(|stage| format!("{} {}", stage.name, what(stage)));
        stages.collect::<Vec<_>>().join(", ")
    };
    println!("    of which {}", in_words(&run.stages));
    println!(
        "    processor time of the main thread: {}",
        of_stages(&|stage| milliseconds(stage.processor))
    );
    println!(
        "    peak memory after each, in MiB: {}",
        of_stages(&|stage| stage.peak.to_string())
    );
    let (time, memory) = world.program(short.len());
    println!(
        "  the program itself, with a snapshot to read and pull requests to write: {}, peak memory {memory} MiB",
        seconds(time)
    );
    println!(
        "  reading all blobs {}; git clone --no-checkout {}",
        milliseconds(read),
        seconds(git::clone_without_checkout(&world.base(), world.folder))
    );
    let by_hand = git::sed_in_a_checkout(&world.base(), world.folder, &short);
    let in_all = by_hand.iter().map(|stage| stage.time).sum();
    println!("  sed and git in an existing checkout {}", seconds(in_all));
    println!("    of which {}", in_words(&by_hand));
}

/// A fleet of the same clusters that something else measures.
pub(crate) struct Made {
    pub(crate) store: Store,
    pub(crate) commit: ObjectId,
    pub(crate) fleet: FleetFile,
    pub(crate) policies: PolicySet,
    pub(crate) files: usize,
}

impl Made {
    /// Makes a bare repository of at least so many files.
    pub(crate) fn of(bare: &Path, files: usize) -> Self {
        let clusters = files.div_ceil(FILES_OF_A_CLUSTER).max(FEW_CLUSTERS);
        let files = git::make(bare, clusters);
        let file = fleet::fleet_file(clusters, bare.to_str().unwrap());
        let fleet = FleetFile::load("fleet.yaml", file.as_bytes()).unwrap();
        let policies = PolicySet::load([(fleet::POLICY_PATH, fleet::POLICY)], Some(&fleet)).unwrap();
        let store = Store::open(bare).unwrap();
        Self {
            commit: store.resolve("main").unwrap(),
            store,
            fleet,
            policies,
            files,
        }
    }
}

/// Where everything lies.
struct World<'a> {
    folder: &'a Path,
    clusters: usize,
}

/// What one run told of itself.
struct Run {
    stages: Vec<Stage>,
}

impl Run {
    fn in_all(&self) -> Duration {
        self.stages.iter().map(|stage| stage.time).sum()
    }

    fn without_push(&self) -> Duration {
        let stages = self.stages.iter().filter(|stage| stage.name != "push");
        stages.map(|stage| stage.time).sum()
    }
}

impl World<'_> {
    fn base(&self) -> PathBuf {
        self.folder.join("fleet.git")
    }

    /// One run in a process of its own, to a remote of its own.
    fn run(&self, number: usize, edits: usize) -> Run {
        let remote = git::bare_copy(&self.base(), &self.folder.join(format!("remote-{number}.git")));
        let told = self.ask(&["line", remote.to_str().unwrap()]);
        git::check_branches(&remote, edits);
        let stages = told.lines().map(|line| {
            let [name, time, processor, peak] = line.split(' ').collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            let nanoseconds = |text: &str| Duration::from_nanos(text.parse().unwrap());
            Stage {
                name: name.to_owned(),
                time: nanoseconds(time),
                processor: nanoseconds(processor),
                peak: peak.parse().unwrap(),
            }
        });
        let stages = stages.collect();
        Run { stages }
    }

    /// The program itself, as a CronJob starts it: it reads the snapshot from a file, asks for open pull requests, and writes new ones into
    /// a folder. Returns its time and its peak memory.
    fn program(&self, edits: usize) -> (Duration, u64) {
        let remote = git::bare_copy(&self.base(), &self.folder.join("program-remote.git"));
        let fleet = self.folder.join("fleet.yaml");
        fs::write(&fleet, fleet::fleet_file(self.clusters, remote.to_str().unwrap())).unwrap();
        let snapshot = serde_json::to_string(&fleet::snapshot(self.clusters)).unwrap();
        fs::write(self.folder.join("snapshot.json"), snapshot).unwrap();
        let mut program = Command::new(env!("CARGO_BIN_EXE_fleetscale"));
        program
            .arg("run")
            .arg("--fleet")
            .arg(fleet)
            .arg("--work-dir")
            .arg(self.folder.join("work"));
        let (peak, time) = timed(|| peak_memory_of(&mut program, 0));
        git::check_branches(&remote, edits);
        (time, peak)
    }

    /// The floor: what it takes to read every blob.
    fn read_blobs(&self) -> Duration {
        Duration::from_nanos(self.ask(&["read"]).trim().parse().unwrap())
    }

    fn ask(&self, what: &[&str]) -> String {
        let answer = Command::new(std::env::current_exe().unwrap())
            .arg(RUN)
            .arg(self.base())
            .arg(self.clusters.to_string())
            .args(what)
            .output()
            .unwrap();
        assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
        String::from_utf8(answer.stdout).unwrap()
    }
}

/// The process of one run: `BARE CLUSTERS line REMOTE` or `BARE CLUSTERS read`.
pub(crate) fn run(arguments: &[String]) {
    let [bare, clusters, what, rest @ ..] = arguments else {
        panic!("{arguments:?}")
    };
    let bare = Path::new(bare);
    if what == "read" {
        let read = || {
            let store = Store::open(bare).unwrap();
            let commit = store.resolve("main").unwrap();
            line::read_blobs(&store, &commit)
        };
        return println!("{}", timed(read).1.as_nanos());
    }
    let snapshot = fleet::snapshot(clusters.parse().unwrap());
    for stage in whole_line(bare, &snapshot, clusters.parse().unwrap(), Path::new(&rest[0])) {
        let Stage {
            name,
            time,
            processor,
            peak,
        } = stage;
        println!("{name} {} {} {peak}", time.as_nanos(), processor.as_nanos());
    }
}

fn whole_line(bare: &Path, snapshot: &Snapshot, clusters: usize, remote: &Path) -> Vec<Stage> {
    let remote = Remote::Path(remote.to_owned());
    let mut stages = Vec::new();
    let (store, commit, fleet, policies) = stage("open", &mut stages, || {
        let store = Store::open(bare).unwrap();
        let commit = store.resolve("main").unwrap();
        let fleet = fleet::fleet_file(clusters, bare.to_str().unwrap());
        let fleet = FleetFile::load("fleet.yaml", fleet.as_bytes()).unwrap();
        let policies = PolicySet::load([(fleet::POLICY_PATH, fleet::POLICY)], Some(&fleet)).unwrap();
        (store, commit, fleet, policies)
    });
    let inputs = line::Inputs {
        store: &store,
        commit: &commit,
        fleet: &fleet,
        policies: &policies,
        snapshot,
    };
    let Planned { plan, rendered } = line::run(inputs, &mut stages);
    let commits = stage("commit", &mut stages, || {
        let files = rendered.into_iter().map(|(branch, rendered)| {
            let files = rendered.files.into_iter();
            let changes = files.map(|(path, file)| (path, FileChange::Replace(file.after)));
            (branch, changes.collect())
        });
        let publication = Publication {
            plan: &plan,
            ledger: &Ledger::default(),
            files: &files.collect(),
            store: &store,
            remote: &remote,
            forge: &(),
            agent: &Identity::new("bench", "bench@example.org").unwrap(),
        };
        let commits = plan.proposals.iter().map(|proposal| {
            let (drafted, _) = publish::draft(&publication, proposal).unwrap();
            (&proposal.branch, drafted.commit)
        });
        commits.collect::<Vec<_>>()
    });
    stage("push", &mut stages, || {
        for (branch, commit) in &commits {
            let outcome = store.push(&remote, branch, commit, None);
            assert!(matches!(outcome, fleetscale::git::PushOutcome::Pushed), "{outcome:?}");
        }
    });
    stages
}
