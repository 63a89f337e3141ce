//! The whole line on real servers: API servers and Prometheus in, pull requests on Gitea out.

use std::fs;
use std::path::{Path, PathBuf};

use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::agent::{Agent, git};
use crate::env::gitea::Gitea;
use crate::env::kubernetes::{Kubernetes, cluster};
use crate::env::{Api, Prometheus, wait_until};
use crate::fleet::{self, EXPECTED, Group, MANAGEMENT_CLUSTERS, NODES_EACH};

/// Everything that is live of one management cluster.
pub(crate) fn populate(kubernetes: &Kubernetes, management_cluster: &str) {
    kubernetes.define_cluster_api(Some("v1beta2"));
    kubernetes.define_kamaji();
    kubernetes.allow("reader", &READS);
    kubernetes.apply(&[json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": fleet::NAMESPACE}})]);
    let clusters: Vec<Value> = fleet::clusters(management_cluster)
        .iter()
        .map(|name| fleet::cluster_object(name))
        .collect();
    kubernetes.apply(&clusters);
    for group in fleet::groups() {
        if group.management_cluster == management_cluster {
            scale(kubernetes, &group, 0, NODES_EACH);
        }
    }
}

/// What the agent may list.
const READS: [&str; 5] = [
    "clusters.cluster.x-k8s.io",
    "machinedeployments.cluster.x-k8s.io",
    "machines.cluster.x-k8s.io",
    "tenantcontrolplanes.kamaji.clastix.io",
    "deployments.apps",
];

/// What Argo CD and Cluster API do once a change is merged.
fn scale(kubernetes: &Kubernetes, group: &Group, from: usize, to: usize) {
    let machines: Vec<Value> = (from..to).map(|index| fleet::live_machine(group, index)).collect();
    kubernetes.apply(&machines);
    kubernetes.apply(&[fleet::live_deployment(group, to)]);
}

/// Starts and fills the API servers, all at once.
fn management_clusters() -> Vec<&'static Kubernetes> {
    let start = |name: &'static str| std::thread::spawn(move || cluster(name, |kubernetes| populate(kubernetes, name)));
    let threads: Vec<_> = MANAGEMENT_CLUSTERS.iter().map(|(name, _)| start(name)).collect();
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}

/// The open pull requests, by title.
pub(crate) fn open_titles(api: &Api, repository: &str) -> Vec<String> {
    let listed = api.get(&format!("/api/v1/repos/{repository}/pulls?state=open&limit=50"));
    let titles = listed.as_array().unwrap().iter();
    let mut titles: Vec<String> = titles
        .map(|request| request["title"].as_str().unwrap().to_owned())
        .collect();
    titles.sort();
    titles
}

pub(crate) fn expected_titles() -> Vec<String> {
    let title = |(key, to, urgent): &(&str, usize, bool)| {
        let (cluster, group) = key.split_once('/').unwrap();
        let urgent = if *urgent { "[P1] " } else { "" };
        let management_cluster = &cluster[..4];
        let namespace = fleet::NAMESPACE;
        format!("{urgent}{management_cluster}: {namespace}/{cluster} up: {cluster}-{group} {NODES_EACH} -> {to}")
    };
    let mut titles: Vec<String> = EXPECTED.iter().map(title).collect();
    titles.sort();
    titles
}

/// The plan within the report of `run -o json`, as `plan -o json` prints it.
fn plan_in(report: &str) -> String {
    let (_, rest) = report.split_once("\"plan\": ").unwrap();
    let (plan, _) = rest.split_once(",\n  \"scopes\": ").unwrap();
    format!("{}\n", plan.replace("\n  ", "\n"))
}

#[test]
fn four_p1_and_three_p2_become_seven_pull_requests_and_the_next_run_is_quiet() {
    let servers = management_clusters();
    // Whatever was created a moment ago rests for an hour; so it is three days later.
    let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap() + SignedDuration::from_hours(72);
    let prometheus = Prometheus::with(&fleet::samples(now));
    let gitea = Gitea::shared();
    let repository = gitea.repository("line");
    let folder = tempfile::tempdir().unwrap();
    let base = first_commit(gitea, &repository, folder.path());
    let fleet_file = fleet_file(gitea, &repository, &prometheus, &servers, folder.path());
    let agent = Agent::new(&fleet_file, &folder.path().join("work")).at(now);
    let person = gitea.api(&gitea.jo);

    let snapshot = folder.path().join("snapshot.json");
    let report = agent.good(&["run", "-o", "json", "--snapshot-out", snapshot.to_str().unwrap()]);
    assert_eq!(open_titles(&person, &repository), expected_titles(), "{report}");

    let replay = agent.good(&[
        "plan",
        "-o",
        "json",
        "--snapshot",
        snapshot.to_str().unwrap(),
        "--repo",
        base.to_str().unwrap(),
    ]);
    assert_eq!(replay, plan_in(&report), "the snapshot replays to the byte-equal plan");

    let again = agent.good(&["run"]);
    assert_eq!(again.matches("  unchanged ").count(), EXPECTED.len(), "{again}");
    assert_eq!(open_titles(&person, &repository), expected_titles());

    for number in 1..=EXPECTED.len() {
        let path = format!("/api/v1/repos/{repository}/pulls/{number}/merge");
        let merge = || person.call(Method::POST, &path, Some(&json!({"Do": "merge"}))).0 == 200;
        assert!(wait_until(std::time::Duration::from_secs(60), merge), "{path}");
    }
    let merged = agent.good(&["run"]);
    assert!(merged.contains("not-applied"), "{merged}");
    assert_eq!(open_titles(&person, &repository), Vec::<String>::new(), "{merged}");

    for group in fleet::groups() {
        if let Some((_, to, _)) = EXPECTED.iter().find(|(key, ..)| *key == group.key()) {
            let at = MANAGEMENT_CLUSTERS
                .iter()
                .position(|(name, _)| *name == group.management_cluster);
            scale(servers[at.unwrap()], &group, NODES_EACH, *to);
        }
    }
    let quiet = agent.good(&["run"]);
    assert!(
        quiet.contains("0 to change") && !quiet.contains("not-applied"),
        "{quiet}"
    );
    assert_eq!(open_titles(&person, &repository), Vec::<String>::new());
}

/// Pushes the fleet's files as a person would, and returns a bare clone of them.
pub(crate) fn first_commit(gitea: &Gitea, repository: &str, folder: &Path) -> PathBuf {
    let address = gitea.url().replace("http://", &format!("http://jo:{}@", gitea.jo));
    let clone = folder.join("clone");
    git(
        folder,
        &["clone", "-q", &format!("{address}/{repository}.git"), "clone"],
    );
    for (path, text) in fleet::files() {
        let path = clone.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    git(&clone, &["add", "-A"]);
    git(&clone, &["commit", "-qm", "The fleet"]);
    git(&clone, &["push", "-q", "origin", "main"]);
    git(folder, &["clone", "-q", "--bare", "clone", "base.git"]);
    folder.join("base.git")
}

fn fleet_file(
    gitea: &Gitea,
    repository: &str,
    prometheus: &Prometheus,
    servers: &[&Kubernetes],
    folder: &Path,
) -> PathBuf {
    fs::write(folder.join("forge-token"), &gitea.bot).unwrap();
    let mut text = format!(
        "apiVersion: fleetscale.io/v1alpha1
kind: Fleet
metadata: {{name: line}}
spec:
  repository: {{url: \"{url}/{repository}.git\"}}
  forge:
    gitea: {{url: \"{url}\", repository: {repository}, credentials: {{tokenFile: forge-token}}}}
  author: {{name: fleet-bot, email: fleet-bot@example.org}}
  regions:
",
        url = gitea.url(),
    );
    for region in ["eu", "us"] {
        text.push_str(&format!(
            "    - name: {region}
      prometheus: {{url: \"{}\", clusterValue: \"{{namespace}}-{{cluster}}\", scrapeInterval: {}s}}
      managementClusters:
",
            prometheus.server.url(),
            fleet::SCRAPE
        ));
        for ((name, _), server) in MANAGEMENT_CLUSTERS
            .iter()
            .zip(servers)
            .filter(|((_, of), _)| *of == region)
        {
            let of = server.folder.display();
            text.push_str(&format!(
                "        - name: {name}
          paths: [clusters/{name}]
          kubernetes: {{server: \"{}\", caFile: \"{of}/ca.crt\", tokenFile: \"{of}/reader-token\"}}
",
                server.url
            ));
        }
    }
    let path = folder.join("fleet.yaml");
    fs::write(&path, text).unwrap();
    path
}
