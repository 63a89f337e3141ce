//! The manifests of `deploy/` on a real API server, and `check` of what they allow.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::agent::{Agent, git, text};
use crate::env::gitea::Gitea;
use crate::env::kubernetes::{Kubernetes, cluster, path_of};
use crate::env::{Prometheus, Samples, free_port, wait_until};
use crate::prometheus::fleet::{NOW, Node, always, n};

/// The documents of the manifests, as they stand in their files.
fn manifests() -> Vec<String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("deploy");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    let texts = files.iter().map(|path| fs::read_to_string(path).unwrap());
    texts
        .flat_map(|text| text.split("\n---\n").map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

/// A server with the manifests applied as `kubectl apply --server-side` does, a cluster with two nodes, Kamaji, and the account's token.
fn deployed() -> &'static Kubernetes {
    cluster("deploy", |api| {
        crate::live::set_up(api);
        api.define_kamaji();
        let kamaji = crate::kubernetes::deployment("kamaji", "shard-a", "clastix/kamaji:v1.0.0", &["manager"]);
        api.apply(&[kamaji]);
        for manifest in manifests() {
            let object: Value = serde_yaml::from_str(&manifest).unwrap();
            let path = format!("{}?fieldManager=kubectl&fieldValidation=Strict", path_of(&object));
            let applied = api.call_with(
                Method::PATCH,
                &path,
                "application/apply-patch+yaml",
                manifest.into_bytes(),
            );
            applied.unwrap_or_else(|error| panic!("{path}: {error}"));
        }
        let path = "/api/v1/namespaces/fleetscale/serviceaccounts/fleetscale/token";
        let request = json!({
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3_600},
        });
        let answer = api
            .call(Method::POST, path, Some(("application/json", &request)))
            .unwrap();
        let token = answer["status"]["token"].as_str().unwrap();
        fs::write(api.folder.join("fleetscale-token"), token).unwrap();
    })
}

fn get(api: &Kubernetes, path: &str) -> Value {
    api.call(Method::GET, path, None).unwrap()
}

/// Puts a Pod into the namespace without keeping it.
fn try_pod(api: &Kubernetes, spec: &Value) -> Result<Value, String> {
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "try", "namespace": "fleetscale"}, "spec": spec,
    });
    let path = "/api/v1/namespaces/fleetscale/pods?dryRun=All&fieldValidation=Strict";
    api.call(Method::POST, path, Some(("application/json", &pod)))
}

#[test]
fn the_manifests_are_accepted_and_their_pod_stands_where_a_privileged_one_is_refused() {
    let api = deployed();
    let job = get(api, "/apis/batch/v1/namespaces/fleetscale/cronjobs/fleetscale");
    let spec = &job["spec"]["jobTemplate"]["spec"]["template"]["spec"];
    assert_eq!(spec["volumes"][1]["secret"]["defaultMode"], json!(0o440));
    let mut privileged = spec.clone();
    privileged["containers"][0]["securityContext"] = json!({"privileged": true});
    let refused = || match try_pod(api, &privileged) {
        Err(error) => error.contains("violates PodSecurity") && error.contains("restricted"),
        Ok(_) => false,
    };
    // The admission sees a namespace a moment after it was made.
    assert!(
        wait_until(Duration::from_secs(30), refused),
        "{:?}",
        try_pod(api, &privileged)
    );
    let accepted = try_pod(api, spec).unwrap();
    assert_eq!(accepted["spec"]["serviceAccountName"], "fleetscale");
}

const FLEET: &str = "
apiVersion: fleetscale.io/v1alpha1
kind: Fleet
metadata: {name: example}
spec:
  REPOSITORY
  author: {name: fleet-bot, email: fleet-bot@example.org}
  deadlines: {region: 20s, call: 5s}
  regions:
    - name: eu
      prometheus: {url: 'METRICS', clusterValue: '{managementCluster}.{cluster}'}
      managementClusters:
        - name: eu-1
          paths: [clusters/eu/1]
          kubernetes: {server: 'SERVER', caFile: 'FOLDER/ca.crt', tokenFile: 'FOLDER/USER-token'}
";

/// The line about Prometheus, for worlds without one.
const METRICS: &str = "      prometheus: {url: 'METRICS', clusterValue: '{managementCluster}.{cluster}'}\n";

/// A fleet file and the folder around it.
struct World {
    folder: tempfile::TempDir,
    fleet: String,
}

impl World {
    /// A repository on this disk.
    fn small(api: &Kubernetes) -> Self {
        let folder = tempfile::tempdir().unwrap();
        git(folder.path(), &["init", "-q", "-b", "main", "clone"]);
        commit(&folder.path().join("clone"));
        git(folder.path(), &["clone", "-q", "--bare", "clone", "fleet.git"]);
        let fleet = FLEET
            .replace("REPOSITORY", "repository: {path: fleet.git}")
            .replace("SERVER", &api.url)
            .replace("FOLDER", &api.folder.display().to_string());
        Self { folder, fleet }
    }

    fn with(mut self, from: &str, to: &str) -> Self {
        self.fleet = self.fleet.replace(from, to);
        self
    }

    fn agent(&self) -> Agent {
        let (path, work) = (self.folder.path().join("fleet.yaml"), self.folder.path().join("work"));
        fs::write(&path, &self.fleet).unwrap();
        Agent::new(&path, &work).at(n(NOW))
    }

    /// What `check` says for programs, and its exit code.
    fn check(&self) -> (Value, Option<i32>) {
        let output = self.agent().run(&["check", "-o", "json"]);
        let report = serde_json::from_slice(&output.stdout);
        let report = report.unwrap_or_else(|error| panic!("{error}: {}", text(&output.stderr)));
        (report, output.status.code())
    }

    /// The line of `check` about a kind of dependency.
    fn line(&self, kind: &str) -> Value {
        let (report, _) = self.check();
        line(&report, kind).clone()
    }
}

fn line<'a>(report: &'a Value, kind: &str) -> &'a Value {
    let lines = report["checks"].as_array().unwrap();
    let found = lines.iter().find(|line| line["kind"] == kind);
    found.unwrap_or_else(|| panic!("{kind}: {report:#}"))
}

/// The first commit: a policy.
fn commit(clone: &Path) {
    fs::create_dir_all(clone.join("fleetscale")).unwrap();
    fs::write(clone.join("fleetscale/workers.yaml"), crate::live::POLICY).unwrap();
    git(clone, &["add", "-A"]);
    git(clone, &["commit", "-qm", "The fleet"]);
}

fn metrics(value: &str) -> Prometheus {
    let mut samples = Samples::default();
    for name in ["a", "b"] {
        Node::new(value, name).write(&mut samples, always(0.5), always(0.5));
    }
    Prometheus::with(&samples)
}

/// The whole world, with a repository on Gitea and everything as it should be.
fn healthy(name: &str) -> (World, Prometheus) {
    let (api, gitea) = (deployed(), Gitea::shared());
    let repository = gitea.repository(name);
    let prometheus = metrics("eu-1.blue");
    let forge = format!(
        "repository: {{url: '{url}/{repository}.git'}}\n  forge:\n    gitea: {{url: '{url}', repository: {repository}, credentials: \
         {{tokenFile: forge-token}}}}",
        url = gitea.url()
    );
    let world = World::small(api)
        .with("repository: {path: fleet.git}", &forge)
        .with("METRICS", prometheus.server.url())
        .with("USER", "fleetscale");
    fs::write(world.folder.path().join("forge-token"), &gitea.bot).unwrap();
    let address = gitea.url().replace("http://", &format!("http://jo:{}@", gitea.jo));
    let clone = world.folder.path().join("clone");
    git(
        &clone,
        &["push", "-q", "-f", &format!("{address}/{repository}.git"), "main"],
    );
    (world, prometheus)
}

#[test]
fn a_healthy_world_is_ok_and_nothing_is_left_behind() {
    let (world, prometheus) = healthy("check");
    let (api, gitea) = (deployed(), Gitea::shared());
    let before = fs::read_dir(world.folder.path()).unwrap().count();
    let table = world.agent().good(&["check"]);
    let commit = git(&world.folder.path().join("clone"), &["rev-parse", "--short=12", "HEAD"]);
    let version = |text: &Value| text.as_str().unwrap().to_owned();
    let folder = world.folder.path().display().to_string();
    let mut table = table.replace(&folder, "FOLDER").replace(gitea.url().as_str(), "GITEA");
    let gitea_version = version(&gitea.api(&gitea.bot).get("/api/v1/version")["version"]);
    let kubernetes = version(&get(api, "/version")["gitVersion"]);
    for (text, name) in [
        (prometheus.server.url(), "PROMETHEUS"),
        (&commit, "COMMIT"),
        (&gitea_version, "VERSION"),
        (&kubernetes, "VERSION"),
    ] {
        table = table.replace(text, name);
    }
    let table = squeezed(&table);
    insta::assert_snapshot!(table);
    // The fleet file was written; the work folder of `run` was not made.
    assert_eq!(fs::read_dir(world.folder.path()).unwrap().count(), before + 1);
    let branches = gitea.api(&gitea.jo).get("/api/v1/repos/platform/check/branches");
    assert_eq!(branches.as_array().unwrap().len(), 1);

    // What is seen with this token is what a run decides on.
    let observed = world.agent().good(&["observe", "-o", "json"]);
    let observed: Value = serde_json::from_str(&observed).unwrap();
    let live = &observed["live"]["managementClusters"]["eu-1"];
    assert_eq!(live["gaps"].as_array().map_or(0, Vec::len), 0, "{live:#}");
    assert_eq!(live["platforms"]["kamaji"]["tenants"]["value"], json!(0.0), "{live:#}");
}

/// The columns' widths depend on names that differ from run to run.
fn squeezed(table: &str) -> String {
    let rows = table.lines().map(|row| {
        let (start, rest) = row.split_at(row.len() - row.trim_start().len());
        let cells: Vec<&str> = rest
            .split("  ")
            .map(str::trim)
            .filter(|cell| !cell.is_empty())
            .collect();
        format!("{start}{}", cells.join("  "))
    });
    rows.collect::<Vec<_>>().join("\n")
}

/// Lets a user do what the ClusterRole of the manifests allows, after a change of it.
fn bind(api: &Kubernetes, user: &str, change: impl FnOnce(&mut Vec<Value>)) {
    let role = get(api, "/apis/rbac.authorization.k8s.io/v1/clusterroles/fleetscale");
    let mut rules = role["rules"].as_array().unwrap().clone();
    change(&mut rules);
    let path = format!("/apis/rbac.authorization.k8s.io/v1/clusterroles/{user}");
    api.patch(&path, &json!({ "rules": rules }));
}

#[test]
fn each_right_of_the_cluster_role_is_needed_and_named_where_it_lacks() {
    let api = deployed();
    let world = World::small(api).with(METRICS, "").with("USER", "blinded");
    api.allow("blinded", &[]);
    let role = get(api, "/apis/rbac.authorization.k8s.io/v1/clusterroles/fleetscale");
    let rules = role["rules"].as_array().unwrap().clone();
    let mut tried = 0;
    for (at, rule) in rules.iter().enumerate() {
        assert_eq!(rule["verbs"], json!(["list"]));
        for (which, resource) in rule["resources"].as_array().unwrap().iter().enumerate() {
            let name = format!(
                "{}.{}",
                resource.as_str().unwrap(),
                rule["apiGroups"][0].as_str().unwrap()
            );
            bind(api, "blinded", |rules| {
                rules[at]["resources"].as_array_mut().unwrap().remove(which);
                // A rule without resources is not valid.
                rules.retain(|rule| rule["resources"] != json!([]));
            });
            let says = format!("; may not list {name}");
            let told = || {
                let line = world.line("api-server");
                line["state"] == "failed" && line["says"].as_str().unwrap().ends_with(&says)
            };
            assert!(
                wait_until(Duration::from_secs(30), told),
                "{says}: {}",
                world.line("api-server")
            );
            assert_eq!(world.check().1, Some(2));
            let observed = text(&world.agent().run(&["observe", "-o", "json"]).stdout);
            let cause = format!("we may not list {name}: the ClusterRole of the service account has to allow it");
            assert!(observed.contains(&cause), "{cause}\n{observed}");
            let others = observed.matches("we may not list ").count();
            assert_eq!(others, observed.matches(&cause).count(), "{observed}");
            tried += 1;
        }
    }
    assert_eq!(tried, 5);
}

#[test]
fn an_account_that_may_write_or_read_secrets_is_warned_about() {
    let api = deployed();
    let world = World::small(api).with(METRICS, "").with("USER", "reader");
    for (rule, wider) in [
        (
            json!({"apiGroups": ["cluster.x-k8s.io"], "resources": ["machinedeployments/scale"], "verbs": ["update"]}),
            "update machinedeployments/scale.cluster.x-k8s.io",
        ),
        (
            json!({"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}),
            "get secrets",
        ),
    ] {
        bind(api, "reader", |rules| rules.push(rule));
        let note = json!([format!("may do more than it needs: {wider}")]);
        let told = || {
            let line = world.line("api-server");
            line["state"] == "warning" && line["notes"] == note
        };
        assert!(
            wait_until(Duration::from_secs(30), told),
            "{}",
            world.line("api-server")
        );
    }
}

#[test]
fn each_dependency_fails_alone_and_says_why() {
    let api = deployed();
    let gone = format!("http://127.0.0.1:{}", free_port());
    let (world, prometheus) = healthy("check-faults");
    let states = |report: &Value| {
        let lines = report["checks"].as_array().unwrap().iter();
        let failed = lines.filter(|line| line["state"] != "ok");
        let words =
            failed.map(|line| format!("{} {}", line["kind"].as_str().unwrap(), line["state"].as_str().unwrap()));
        words.collect::<Vec<_>>().join(", ")
    };
    let gitea = Gitea::shared();
    fs::write(world.folder.path().join("reader-token"), &gitea.reader).unwrap();
    for (from, to, want, code) in [
        (prometheus.server.url(), gone.as_str(), "prometheus failed", 2),
        (api.url.as_str(), gone.as_str(), "api-server failed", 2),
        ("fleetscale-token", "no-token", "api-server failed", 2),
        (
            gitea.url().as_str(),
            gone.as_str(),
            "git failed, policies failed, forge failed",
            4,
        ),
        ("platform/check-faults,", "platform/none,", "forge failed", 4),
        ("{managementCluster}.{cluster}", "{cluster}", "prometheus warning", 0),
        (
            "  author:",
            "  branch: nowhere\n  author:",
            "git failed, policies failed",
            4,
        ),
        (
            "  author:",
            "  policies: {path: elsewhere}\n  author:",
            "policies failed",
            3,
        ),
        ("kind: Fleet", "kind: Fleat", "fleet-file failed", 3),
    ] {
        assert!(world.fleet.contains(from), "{from}");
        let broken = World {
            folder: tempfile::tempdir().unwrap(),
            fleet: world.fleet.replace(from, to),
        };
        fs::write(broken.folder.path().join("forge-token"), &gitea.bot).unwrap();
        let (report, exit) = broken.check();
        assert_eq!((states(&report).as_str(), exit), (want, Some(code)), "{to}: {report:#}");
        if want == "prometheus warning" {
            let reason =
                "eu-1: shard-a/blue/md-0 (0 of 2 nodes): no series of node_cpu_seconds_total has cluster=\"blue\"; ";
            let note = line(&report, "prometheus")["notes"][0].as_str().unwrap();
            assert!(note.starts_with(reason) && note.contains("eu-1.blue"), "{note}");
        }
    }
}
