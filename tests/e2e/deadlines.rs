//! A dependency hangs at a random point of a run, and the run ends by itself all the same.

use std::fs;
use std::fs::File;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use crate::agent::{Agent, git};
use crate::env::gitea::Gitea;
use crate::env::{Fault, Proxy, wait_until};
use crate::region::{self, Named, Servers};

const RUNS: u64 = 20;
/// The deadline of a run.
const RUN: Duration = Duration::from_secs(8);
/// Whoever is still there after this is killed, and the test has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// What hangs, and up to which of its requests a hang may begin.
const DEPENDENCIES: [(&str, u64); 4] = [("API server", 8), ("Prometheus", 16), ("git", 10), ("forge", 20)];

/// SplitMix64: good enough to choose with, and the same everywhere.
fn random(state: &mut u64, below: u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (mixed ^ (mixed >> 31)) % below
}

/// A hang.
#[derive(Debug, Clone)]
struct Hang {
    run: u64,
    dependency: usize,
    /// The first request that hangs, from 0.
    from: u64,
    /// All later ones hang, too.
    for_good: bool,
    /// What hangs has had its effect.
    after_effect: bool,
}

impl Hang {
    fn before(&self, proxy: &Proxy) {
        let (seen, hang) = (AtomicUsize::new(0), self.clone());
        proxy.when(move |_| {
            let number = u64::try_from(seen.fetch_add(1, Ordering::SeqCst)).unwrap();
            if number == hang.from || (hang.for_good && number > hang.from) {
                if hang.after_effect {
                    Fault::HangAfterEffect
                } else {
                    Fault::Hang
                }
            } else {
                Fault::None
            }
        });
    }
}

/// How a run ended: how long it took, and its exit code; none if it had to be killed.
fn run(hang: &Hang, servers: &Servers) -> (Duration, Option<i32>) {
    let gitea = Gitea::shared();
    let repository = gitea.repository(&format!("deadlines-{}", hang.run));
    let folder = tempfile::tempdir().unwrap();
    push_files(gitea, &repository, folder.path());

    let [eu, us] = servers.kubernetes;
    let authorities = |of: &crate::env::kubernetes::Kubernetes| fs::read(of.folder.join("ca.crt")).unwrap();
    let other = Proxy::before(&us.url, Some(&authorities(us)));
    let metrics = servers.prometheus.server.url();
    let proxies = [
        Proxy::before(&eu.url, Some(&authorities(eu))),
        Proxy::before(metrics, None),
        Proxy::before(&gitea.url(), None),
        Proxy::before(&gitea.url(), None),
    ];
    hang.before(&proxies[hang.dependency]);
    let [api, prometheus, of_git, forge] = proxies.each_ref().map(Proxy::url);
    fs::write(folder.path().join("token"), &gitea.bot).unwrap();
    let head = format!(
        "  repository: {{url: \"{of_git}/{repository}.git\", credentials: {{tokenFile: token}}}}
  forge:
    gitea: {{url: \"{forge}\", repository: {repository}, credentials: {{tokenFile: token}}}}
  deadlines: {{run: {}s, region: 3s, call: 2s, git: 3s}}",
        RUN.as_secs()
    );
    let named = [Named::new(api, prometheus, eu), Named::new(other.url(), metrics, us)];
    let file = region::fleet_file(folder.path(), &head, &named);
    let agent = Agent::new(&file, &folder.path().join("work")).at(servers.now);
    let mut command = agent.command(&["run", "-o", "json"]);
    let log = |name: &str| File::create(folder.path().join(name)).unwrap();
    command.stdout(log("out")).stderr(log("err"));
    let started = Instant::now();
    let mut child = command.spawn().unwrap();
    let mut code = None;
    let ended = wait_until(PATIENCE, || match child.try_wait().unwrap() {
        Some(status) => {
            code = status.code();
            true
        }
        None => false,
    });
    let took = started.elapsed();
    if !ended {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    (took, code)
}

fn push_files(gitea: &Gitea, repository: &str, folder: &Path) {
    let address = gitea.url().replace("http://", &format!("http://jo:{}@", gitea.jo));
    git(
        folder,
        &["clone", "-q", &format!("{address}/{repository}.git"), "clone"],
    );
    let clone = folder.join("clone");
    region::commit_files(&clone);
    git(&clone, &["push", "-q", "origin", "main"]);
}

#[test]
fn a_run_ends_by_itself_whatever_hangs() {
    let servers = Servers::shared();
    let seed = match std::env::var("FLEETSCALE_TEST_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs(),
    };
    println!("FLEETSCALE_TEST_SEED={seed}");
    let mut state = seed;
    let hangs: Vec<Hang> = (0..RUNS)
        .map(|run| {
            let dependency = usize::try_from(run % 4).unwrap();
            Hang {
                run,
                dependency,
                from: random(&mut state, DEPENDENCIES[dependency].1),
                for_good: random(&mut state, 2) == 0,
                after_effect: random(&mut state, 2) == 0,
            }
        })
        .collect();
    let (queue, ended) = (Mutex::new(hangs), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                loop {
                    let Some(hang) = queue.lock().unwrap().pop() else { break };
                    let (took, code) = run(&hang, servers);
                    ended.lock().unwrap().push((hang, took, code));
                }
            });
        }
    });
    let ended = ended.into_inner().unwrap();
    for (hang, took, code) in &ended {
        let (name, over) = (DEPENDENCIES[hang.dependency].0, took.saturating_sub(RUN));
        println!("{name} hangs: {hang:?}: {code:?} after {took:.1?}, {over:.1?} over");
    }
    let largest = ended.iter().map(|(_, took, _)| took.saturating_sub(RUN)).max();
    println!("the largest overrun: {:.1?}", largest.unwrap());
    assert!(ended.iter().all(|(_, _, code)| code.is_some()), "none was killed");
}
