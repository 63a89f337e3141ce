//! A small fleet in a repository on a real forge, what was seen of it, and what people do there.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::agent::{Agent, git, text};
use crate::env::gitea::Gitea;
use crate::env::github::{self, GitHub};
use crate::env::{Api, Fault, Proxy, Seen, wait_until};
use crate::fleet::{self, Group, NAMESPACE, NODES_EACH, Use};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Gitea,
    GitHub,
}

/// The clusters of the fleet, each with one node group.
const CLUSTERS: [&str; 3] = ["blue", "lime", "teal"];

/// One seen use of CPU, over an hour and over a day, and the nodes that are live.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    pub(super) cpu: (f64, f64),
    pub(super) nodes: usize,
}

/// Between all thresholds.
pub(super) const QUIET: Load = Load {
    cpu: (0.6, 0.6),
    nodes: NODES_EACH,
};
/// A P1 from three nodes to five: 3 × 0.97 / 0.70 = 4.2.
pub(super) const URGENT: Load = Load {
    cpu: (0.97, 0.6),
    nodes: NODES_EACH,
};
/// A P2 from three nodes to four: 3 × 0.80 / 0.70 = 3.4.
pub(super) const BUSY: Load = Load {
    cpu: (0.8, 0.8),
    nodes: NODES_EACH,
};

/// A repository on a forge with the fleet in it, and the agent that works there through a proxy.
pub(super) struct Site {
    pub(super) kind: Kind,
    pub(super) proxy: Proxy,
    pub(super) repository: String,
    pub(super) folder: TempDir,
    /// A person's clone.
    pub(super) clone: PathBuf,
    token: String,
    person: Api,
    seen_at: Cell<Timestamp>,
}

/// How the program ended.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) code: i32,
    pub(super) out: String,
    pub(super) err: String,
}

impl Ran {
    /// Sees to it that the program ended with this code and said all of this.
    pub(super) fn expect(&self, code: i32, words: &[&str]) -> &Self {
        assert_eq!(self.code, code, "{self:#?}");
        for word in words {
            assert!(self.all().contains(word), "no {word:?} in {self:#?}");
        }
        self
    }

    fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
}

/// Runs a test on both forges.
pub(super) fn on_both(name: &str, test: impl Fn(&Site)) {
    for (kind, words) in [(Kind::Gitea, "on Gitea"), (Kind::GitHub, "on GitHub")] {
        println!("{words}");
        test(&Site::new(kind, name));
    }
}

/// The branch of a cluster's proposal.
pub(super) fn branch(cluster: &str) -> String {
    format!("fleetscale/eu-1/{NAMESPACE}/{cluster}/up")
}

fn group(cluster: &str, index: usize) -> Group {
    Group {
        management_cluster: "eu-1",
        cluster: cluster.to_owned(),
        name: format!("md-{index}"),
        load: Use {
            cpu: (0.0, 0.0),
            memory: (0.0, 0.0),
        },
    }
}

impl Site {
    pub(super) fn new(kind: Kind, name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (repository, upstream, person, token, jo) = match kind {
            Kind::Gitea => {
                let gitea = Gitea::shared();
                let person = gitea.api(&gitea.jo);
                (
                    gitea.repository(name),
                    gitea.url(),
                    person,
                    gitea.bot.clone(),
                    gitea.jo.clone(),
                )
            }
            Kind::GitHub => {
                let github = GitHub::shared();
                let person = github.through_the_stub(github::JO);
                let (bot, jo) = (github::BOT.to_owned(), github::JO.to_owned());
                (github.repository(name), github.url().to_owned(), person, bot, jo)
            }
        };
        let address = upstream.replace("http://", &format!("http://jo:{jo}@"));
        git(
            folder.path(),
            &["clone", "-q", &format!("{address}/{repository}.git"), "clone"],
        );
        let site = Self {
            kind,
            proxy: Proxy::before(&upstream, None),
            repository,
            clone: folder.path().join("clone"),
            folder,
            token,
            person,
            seen_at: Cell::new(Timestamp::from_second(Timestamp::now().as_second()).unwrap()),
        };
        let files = fleet::files();
        let policy = "fleetscale/workers.yaml";
        site.write(policy, &files[policy]);
        for cluster in CLUSTERS {
            site.declare(cluster, NODES_EACH);
        }
        site.commit("The fleet");
        git(&site.clone, &["push", "-q", "origin", "HEAD:main"]);
        site.configure(&site.token, None);
        site.sees(&[]);
        site
    }

    /// Writes the fleet file, with the forge's token and, if it is another one, Git's.
    pub(super) fn configure(&self, forge: &str, git: Option<&str>) {
        let (folder, url, repository) = (self.folder.path(), self.proxy.url(), &self.repository);
        fs::write(folder.join("token"), forge).unwrap();
        fs::write(folder.join("git-token"), git.unwrap_or(forge)).unwrap();
        let own = git.map_or("", |_| ", credentials: {tokenFile: git-token}");
        let kind = match self.kind {
            Kind::Gitea => "gitea",
            Kind::GitHub => "github",
        };
        let text = format!(
            "apiVersion: fleetscale.io/v1alpha1
kind: Fleet
metadata: {{name: lifecycle}}
spec:
  repository: {{url: \"{url}/{repository}.git\"{own}}}
  forge:
    {kind}: {{url: \"{url}\", repository: {repository}, credentials: {{tokenFile: token}}}}
  source: {{snapshot: snapshot.yaml}}
  deadlines: {{call: 10s, git: 10s}}
  author: {{name: fleet-bot, email: fleet-bot@example.org}}
  regions:
    - name: eu
      managementClusters: [{{name: eu-1, paths: [clusters/eu-1]}}]
"
        );
        fs::write(folder.join("fleet.yaml"), text).unwrap();
    }

    /// The agent's token.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// It is seen so much later.
    pub(super) fn hours_pass(&self, hours: i64) {
        self.seen_at.set(self.seen_at.get() + SignedDuration::from_hours(hours));
    }

    /// From now on this is what is live; what is not named is quiet.
    pub(super) fn sees(&self, loads: &[(&str, Load)]) {
        let mut groups = BTreeMap::new();
        for cluster in CLUSTERS {
            let load = loads.iter().find(|(name, _)| *name == cluster);
            groups.insert(cluster, (1, load.map_or(QUIET, |(_, load)| *load)));
        }
        self.sees_groups(&groups);
    }

    /// The same for clusters with so many node groups, all alike.
    pub(super) fn sees_groups(&self, clusters: &BTreeMap<&str, (usize, Load)>) {
        let clusters: serde_json::Map<String, Value> = clusters
            .iter()
            .map(|(cluster, (groups, load))| {
                let groups: serde_json::Map<String, Value> = (0..*groups)
                    .map(|index| (format!("{cluster}-md-{index}"), self.live(*load)))
                    .collect();
                ((*cluster).to_owned(), json!({ "nodeGroups": groups }))
            })
            .collect();
        let snapshot = json!({
            "apiVersion": "fleetscale.io/v1alpha1",
            "kind": "Snapshot",
            "capturedAt": self.seen_at.get(),
            "live": {"managementClusters": {"eu-1": {"region": "eu", "clusters": {NAMESPACE: clusters}}}},
        });
        fs::write(self.folder.path().join("snapshot.yaml"), snapshot.to_string()).unwrap();
    }

    fn live(&self, Load { cpu, nodes }: Load) -> Value {
        let seen_at = self.seen_at.get();
        let days_ago = seen_at - SignedDuration::from_hours(30 * 24);
        let measured = |value: f64| {
            let nodes = json!({ "seen": nodes, "expected": nodes });
            json!({ "value": value, "grade": "fresh", "at": seen_at, "coverage": 1, "nodes": nodes })
        };
        json!({
            "replicas": nodes, "ready": nodes, "upToDate": nodes, "changedAt": days_ago,
            "measurements": {
                "cpu/1h": measured(cpu.0), "cpu/24h": measured(cpu.1), "cpu/7d": measured(0.6),
                "memory/1h": measured(0.6), "memory/24h": measured(0.6), "memory/7d": measured(0.6),
            },
        })
    }

    /// Runs the program, so many minutes after what was seen.
    pub(super) fn ends(&self, minutes: i64, words: &[&str]) -> Ran {
        let agent = Agent::new(&self.folder.path().join("fleet.yaml"), &self.folder.path().join("work"));
        let output = agent
            .at(self.seen_at.get() + SignedDuration::from_mins(minutes))
            .run(words);
        let ran = Ran {
            code: output.status.code().unwrap(),
            out: text(&output.stdout),
            err: text(&output.stderr),
        };
        assert!(!ran.all().contains(&self.token), "the token is in {ran:#?}");
        ran
    }

    /// `run` at that time.
    pub(super) fn runs(&self, minutes: i64) -> Ran {
        self.ends(minutes, &["run"])
    }

    /// The requests since the last call that change something, as `POST /path`.
    pub(super) fn writes(&self) -> Vec<String> {
        let seen = self.proxy.take_seen();
        let writes = seen.iter().filter(|seen| is_write(seen));
        writes.map(|seen| seen.line.clone()).collect()
    }

    /// Makes the next so many requests whose line holds both words go wrong.
    pub(super) fn fault(&self, times: usize, (method, path): (&'static str, &'static str), fault: Fault) {
        let left = AtomicUsize::new(times);
        self.proxy.when(move |seen| {
            let target = seen.line.split('?').next().unwrap_or_default();
            let wanted = target.starts_with(method) && target.ends_with(path);
            let one = |left: usize| left.checked_sub(1);
            if wanted && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one).is_ok() {
                return fault.clone();
            }
            Fault::None
        });
    }

    pub(super) fn path(&self, below: &str) -> String {
        let root = match self.kind {
            Kind::Gitea => "/api/v1",
            Kind::GitHub => "",
        };
        format!("{root}/repos/{}{below}", self.repository)
    }

    /// The pull requests in this state, by number, with their titles.
    pub(super) fn pulls(&self, state: &str) -> Vec<(u64, String)> {
        let listed = self.person.get(&self.path(&format!("/pulls?state={state}")));
        let pulls = listed.as_array().unwrap().iter();
        let mut pulls: Vec<(u64, String)> = pulls
            .map(|pull| {
                (
                    pull["number"].as_u64().unwrap(),
                    pull["title"].as_str().unwrap().to_owned(),
                )
            })
            .collect();
        pulls.sort();
        pulls
    }

    pub(super) fn person_gets(&self, below: &str) -> Value {
        self.person.get(&self.path(below))
    }

    pub(super) fn person_closes(&self, number: u64) {
        let path = self.path(&format!("/pulls/{number}"));
        self.person
            .good(Method::PATCH, &path, Some(&json!({ "state": "closed" })));
    }

    /// Merges as a person does with the button.
    pub(super) fn person_merges(&self, number: u64) {
        let path = self.path(&format!("/pulls/{number}/merge"));
        let (method, body) = match self.kind {
            Kind::Gitea => (Method::POST, json!({ "Do": "merge" })),
            Kind::GitHub => (Method::PUT, json!({})),
        };
        // Gitea answers 405 as long as it has not found out whether there are conflicts.
        let merged = wait_until(Duration::from_secs(30), || {
            self.person.call(method.clone(), &path, Some(&body)).0 == 200
        });
        assert!(merged, "#{number} can't be merged");
    }

    /// Writes a file into the person's clone.
    pub(super) fn write(&self, path: &str, text: &str) {
        let path = self.clone.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Declares a cluster with a node group of this size.
    pub(super) fn declare(&self, cluster: &str, nodes: usize) {
        self.declare_groups(cluster, 1, nodes);
    }

    /// Declares a cluster with so many node groups of this size.
    pub(super) fn declare_groups(&self, cluster: &str, groups: usize, nodes: usize) {
        let mut objects = vec![fleet::cluster_object(cluster)];
        objects.extend((0..groups).map(|index| fleet::deployment_object(&group(cluster, index), nodes)));
        let yaml: Vec<String> = objects
            .iter()
            .map(|object| serde_yaml::to_string(object).unwrap())
            .collect();
        self.write(&format!("clusters/eu-1/{cluster}.yaml"), &yaml.join("---\n"));
    }

    pub(super) fn commit(&self, message: &str) {
        git(&self.clone, &["add", "-A"]);
        git(&self.clone, &["commit", "-qm", message]);
    }

    /// Where a branch stands on the server; empty if it does not exist.
    pub(super) fn head(&self, branch: &str) -> String {
        let found = git(&self.clone, &["ls-remote", "origin", &format!("refs/heads/{branch}")]);
        found.split_whitespace().next().unwrap_or_default().to_owned()
    }

    /// The names of all branches on the server.
    pub(super) fn branches(&self) -> Vec<String> {
        let found = git(&self.clone, &["ls-remote", "--heads", "origin"]);
        let names = found.lines().filter_map(|line| line.split_once("refs/heads/"));
        names.map(|(_, name)| name.to_owned()).collect()
    }

    /// The lines that a branch changes against its own parent, without their context.
    pub(super) fn changed(&self, branch: &str) -> Vec<String> {
        git(&self.clone, &["fetch", "-q", "origin", branch]);
        let diff = git(&self.clone, &["diff", "-U0", "FETCH_HEAD^", "FETCH_HEAD"]);
        let lines = diff
            .lines()
            .filter(|line| line.starts_with(['+', '-']) && !line.starts_with("+++") && !line.starts_with("---"));
        lines.map(str::to_owned).collect()
    }

    /// Sees to it that nothing was written, and that the server has only main and no pull request.
    pub(super) fn is_untouched(&self) {
        assert_eq!(self.writes(), Vec::<String>::new());
        assert_eq!(self.branches(), ["main"]);
        assert_eq!(self.pulls("all"), []);
    }
}

/// Whether a request changes something. A fetch is a POST, too.
fn is_write(seen: &Seen) -> bool {
    let reads = seen.line.starts_with("GET ") && !seen.line.contains("git-receive-pack");
    !reads && !seen.line.ends_with("/git-upload-pack")
}
