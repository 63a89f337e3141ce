//! What `scan --repo` and `init --repo` make of repositories in the layouts that people have, without a fleet file.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use super::{fleetscale, root};
use crate::scenario;

/// What is said of a repository without a fleet file.
struct Guessed {
    numbers: Vec<Number>,
    /// What `scan` says beside the numbers: what is not bound, and the notes.
    said: String,
    /// The fleet file that `init` writes.
    fleet: String,
}

impl Guessed {
    /// Asks both verbs about a folder, and holds what `init` writes against `validate` and `scan`.
    fn of(repo: &Path) -> Result<Self, String> {
        let home = TempDir::new().unwrap();
        let repo = repo.to_str().unwrap();
        let run = |arguments: &[&str]| {
            let ended = fleetscale(arguments, home.path());
            match ended.code {
                0 => Ok(ended),
                code => Err(format!(
                    "{arguments:?} ends with {code}: {}{}",
                    ended.stdout, ended.stderr
                )),
            }
        };
        let out = home.path().join("out");
        let to = out.to_str().unwrap();
        run(&["init", "--repo", repo, "--to", to])?;
        let file = out.join("fleet.yaml");
        let file = file.to_str().unwrap();
        let policies = out.join("fleetscale");
        if !policies.exists() {
            std::fs::create_dir(&policies).unwrap();
            std::fs::write(policies.join("workers.yaml"), POLICY).unwrap();
        }
        run(&["validate", policies.to_str().unwrap(), "--fleet", file])?;
        let found = run(&["scan", "--repo", repo, "-o", "json"])?;
        let again = run(&["scan", "--fleet", file, "-o", "json"])?;
        if found.stdout != again.stdout {
            return Err(format!(
                "the file of init finds other numbers: {} {}",
                found.stdout, again.stdout
            ));
        }
        let scan: Value = serde_json::from_str(&found.stdout).unwrap();
        Ok(Self {
            numbers: numbers(&scan),
            said: format!("{}\n{}\n{}", scan["unbound"], ambiguous(&scan), found.stderr),
            fleet: std::fs::read_to_string(file).unwrap(),
        })
    }

    /// The same for a repository with these files.
    #[track_caller]
    fn of_files(files: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        match Self::of(folder.path()) {
            Ok(guessed) => guessed,
            Err(error) => panic!("{error}"),
        }
    }

    /// The targets that have a value.
    fn targets(&self) -> Vec<&str> {
        let written = self.numbers.iter().filter(|number| number.is_written);
        written.map(|number| number.target.as_str()).collect()
    }
}

/// Something to validate where `init` found nothing to make policies of.
const POLICY: &str = "apiVersion: fleetscale.io/v1alpha1\nkind: NodeGroupPolicy\nmetadata: {name: workers}\nspec:\n  mode: report\n  \
                      selector: {regions: ['*']}\n  bounds: {min: 2, max: 12}\n";

/// A number as `scan` tells it.
struct Number {
    target: String,
    path: String,
    is_written: bool,
    is_writable: bool,
}

impl Number {
    /// The target without the name of its management cluster, which a guess may choose.
    fn anywhere(&self) -> String {
        let mut parts: Vec<&str> = self.target.split('/').collect();
        parts[1] = "*";
        parts.join("/")
    }
}

/// The places of numbers that several files declare.
fn ambiguous(scan: &Value) -> String {
    let numbers = scan["numbers"].as_array().unwrap().iter();
    let refusals = numbers.map(|number| &number["refusal"]);
    let several = refusals.filter(|refusal| refusal["why"] == "ambiguous");
    several.map(|refusal| refusal["places"].to_string()).collect()
}

fn numbers(scan: &Value) -> Vec<Number> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let numbers = scan["numbers"].as_array().unwrap().iter();
    let numbers = numbers.map(|number| Number {
        target: text(&number["target"]),
        path: text(&number["path"]),
        is_written: number.get("value").is_some(),
        is_writable: number["writable"] == true,
    });
    numbers.collect()
}

fn machines(namespace: &str, cluster: &str) -> String {
    format!(
        "apiVersion: cluster.x-k8s.io/v1beta2\nkind: MachineDeployment\nmetadata:\n  name: {cluster}-md\n{namespace}spec:\n  \
         clusterName: {cluster}\n  replicas: 3\n"
    )
}

fn deployment(name: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: x-system}}\nspec:\n  replicas: 2\n  template:\n    \
         spec:\n      containers:\n        - name: manager\n          args: [\"--kube-api-qps=150\", \"--kube-api-burst=300\"]\n"
    )
}

/// A Flux Kustomization.
fn flux(name: &str, path: &str) -> String {
    format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\nspec:\n  \
         interval: 10m\n  path: {path}\n  prune: true\n  sourceRef: {{kind: GitRepository, name: flux-system}}\n"
    )
}

/// An Application of Argo CD.
fn argo(name: &str, path: &str, destination: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}, namespace: argocd}}\nspec:\n  project: default\n  \
         source: {{repoURL: 'https://git.example.org/fleet', path: {path}}}\n  destination: {{{destination}, namespace: shard-a}}\n"
    )
}

const IN_SHARD_A: &str = "  namespace: shard-a\n";

#[test]
fn a_flux_monorepo_with_overlays_for_each_cluster_has_a_management_cluster_for_each() {
    // https://github.com/fluxcd/flux2-kustomize-helm-example, with workload clusters as apps and Cluster API as infrastructure.
    let (blue, capi) = (machines("", "blue"), deployment("capi-controller-manager"));
    let overlay = "namespace: blue\nresources: [../base/blue]\npatches:\n- path: blue-values.yaml\n  target: {kind: MachineDeployment}\n";
    let patch = "apiVersion: cluster.x-k8s.io/v1beta2\nkind: MachineDeployment\nmetadata: {name: blue-md}\nspec: {replicas: 5}\n";
    let (staging, production) = (flux("apps", "./apps/staging"), flux("apps", "./apps/production"));
    let infrastructure = flux("infra-controllers", "./infrastructure/controllers");
    let sync = [
        flux("flux-system", "./clusters/staging"),
        flux("flux-system", "./clusters/production"),
    ];
    let guessed = Guessed::of_files(&[
        ("apps/base/blue/kustomization.yaml", "resources: [md.yaml]\n"),
        ("apps/base/blue/md.yaml", &blue),
        ("apps/production/blue-values.yaml", patch),
        ("apps/production/kustomization.yaml", overlay),
        ("apps/staging/blue-values.yaml", patch),
        ("apps/staging/kustomization.yaml", overlay),
        ("clusters/production/apps.yaml", &production),
        ("clusters/production/flux-system/gotk-sync.yaml", &sync[1]),
        ("clusters/production/infrastructure.yaml", &infrastructure),
        ("clusters/staging/apps.yaml", &staging),
        ("clusters/staging/flux-system/gotk-sync.yaml", &sync[0]),
        ("clusters/staging/infrastructure.yaml", &infrastructure),
        ("infrastructure/controllers/capi.yaml", &capi),
        (
            "infrastructure/controllers/kustomization.yaml",
            "resources: [capi.yaml]\n",
        ),
    ]);
    assert_eq!(
        guessed.targets(),
        [
            "node-group/production/blue/blue/blue-md/replicas",
            "node-group/staging/blue/blue/blue-md/replicas",
            "controller/production/capi/kube-api-burst",
            "controller/production/capi/kube-api-qps",
            "controller/staging/capi/kube-api-burst",
            "controller/staging/capi/kube-api-qps",
        ],
        "{}",
        guessed.fleet
    );
    // What both clusters have is changed for both.
    let writable = guessed.numbers.iter().filter(|number| number.is_writable);
    let paths: Vec<&str> = writable.map(|number| number.path.as_str()).collect();
    assert_eq!(
        paths,
        ["apps/production/blue-values.yaml", "apps/staging/blue-values.yaml"]
    );
}

#[test]
fn a_workloads_folder_is_the_clusters_that_applies_it() {
    // Whether the folder bears the name of its workload cluster or another one.
    for (entry, name) in [
        ("clusters/eu-1/checkout.yaml", "eu-1"),
        ("clusters/eu-1/flux-system/checkout.yaml", "eu-1"),
        ("eu-1/flux/checkout.yaml", "eu-1"),
        ("clusters/eu/eu-1/checkout.yaml", "eu-1"),
    ] {
        let (checkout, search) = (
            flux("checkout", "./workloads/checkout"),
            flux("search", "./workloads/search"),
        );
        let other = entry.replace("checkout", "search");
        let guessed = Guessed::of_files(&[
            (entry, &checkout),
            (&other, &search),
            (
                "workloads/checkout/md.yaml",
                &machines("  namespace: checkout-ns\n", "checkout-prod"),
            ),
            ("workloads/search/md.yaml", &machines("  namespace: search\n", "search")),
        ]);
        assert_eq!(
            guessed.targets(),
            [
                format!("node-group/{name}/checkout-ns/checkout-prod/checkout-prod-md/replicas"),
                format!("node-group/{name}/search/search/search-md/replicas"),
            ],
            "{}",
            guessed.fleet
        );
        assert!(guessed.numbers.iter().all(|number| number.is_writable), "{entry}");
    }
}

#[test]
fn what_a_tenant_applies_is_the_clusters_that_applies_the_tenant() {
    let (sync, tenants, blue) = (
        flux("flux-system", "./clusters/eu-1"),
        flux("alpha", "./tenants/alpha"),
        flux("blue", "./blueprints/blue"),
    );
    let guessed = Guessed::of_files(&[
        ("blueprints/blue/md.yaml", &machines(IN_SHARD_A, "indigo")),
        ("clusters/eu-1/flux-system/gotk-sync.yaml", &sync),
        ("clusters/eu-1/tenants.yaml", &tenants),
        ("tenants/alpha/blue.yaml", &blue),
    ]);
    assert_eq!(
        guessed.targets(),
        ["node-group/eu-1/shard-a/indigo/indigo-md/replicas"],
        "{}",
        guessed.fleet
    );
}

#[test]
fn a_patch_in_a_namespaces_folder_makes_no_management_cluster_of_it() {
    let patch = "apiVersion: cluster.x-k8s.io/v1beta2\nkind: MachineDeployment\nmetadata: {name: blue-md}\nspec: {clusterName: blue, replicas: 5}\n";
    let applied = flux("other", "./clusters/eu-1/shard-b");
    for kustomization in [
        "namespace: shard-a\nresources: [../../base]\npatches: [{path: patch.yaml}]\n",
        "namespace: shard-a\nresources: [../../base]\npatchesStrategicMerge: [patch.yaml]\n",
        "namespace: shard-a\nresources: ['https://git.example.org/base?ref=v1']\npatches: [{path: patch.yaml}]\n",
    ] {
        for more in [&[][..], &[("flux/other.yaml", applied.as_str())]] {
            let base = machines("", "blue");
            let mut files = vec![
                ("clusters/eu-1/shard-a/kustomization.yaml", kustomization),
                ("clusters/eu-1/shard-a/patch.yaml", patch),
            ];
            files.extend(more);
            if kustomization.contains("../../base") {
                files.push(("clusters/base/kustomization.yaml", "resources: [md.yaml]\n"));
                files.push(("clusters/base/md.yaml", &base));
            }
            let guessed = Guessed::of_files(&files);
            let all = guessed.targets();
            assert!(
                matches!(&all[..], [only] if only.starts_with("node-group/eu-1/shard-a/")),
                "{kustomization}: {all:?} {} {}",
                guessed.said,
                guessed.fleet
            );
            assert_eq!(guessed.numbers[0].path, "clusters/eu-1/shard-a/patch.yaml");
        }
    }
}

#[test]
fn controllers_under_a_name_prefix_are_found_or_named() {
    // As the projects write them: the prefix makes the name.
    let manager = deployment("controller-manager");
    let guessed = Guessed::of_files(&[
        (
            "clusters/eu-1/capi/kustomization.yaml",
            "namePrefix: capi-\nresources: [manager.yaml]\n",
        ),
        ("clusters/eu-1/capi/manager.yaml", &manager),
    ]);
    assert_eq!(
        guessed.targets(),
        [
            "controller/eu-1/capi/kube-api-burst",
            "controller/eu-1/capi/kube-api-qps"
        ],
        "{}",
        guessed.said
    );
    // A prefix of one's own hides who it is.
    for (component, name) in [("kamaji", "kamaji"), ("capi", "capi-controller-manager")] {
        let file = deployment(name);
        let guessed = Guessed::of_files(&[
            ("base/x/kustomization.yaml", "resources: [manager.yaml]\n"),
            ("base/x/manager.yaml", &file),
            (
                "clusters/eu-1/x/kustomization.yaml",
                "namePrefix: eu-1-\nresources: [../../../base/x]\n",
            ),
        ]);
        assert_eq!(guessed.targets(), Vec::<&str>::new(), "{}", guessed.said);
        for words in ["base/x/manager.yaml", &format!("makes eu-1-{name} of it"), component] {
            assert!(guessed.said.contains(words), "{words}: {}", guessed.said);
        }
        assert!(guessed.fleet.contains("- clusters/eu-1 "), "{}", guessed.fleet);
    }
}

#[test]
fn a_base_for_two_destinations_is_that_of_both() {
    let base = machines(IN_SHARD_A, "blue");
    let [one, two] = ["eu-1", "eu-2"].map(|name| argo(&format!("blue-{name}"), "base/blue", &format!("name: {name}")));
    let both = format!("{one}---\n{two}");
    let both_found = [
        "node-group/eu-1/shard-a/blue/blue-md/replicas",
        "node-group/eu-2/shard-a/blue/blue-md/replicas",
    ];
    for files in [
        &[("apps/one.yaml", one.as_str()), ("apps/two.yaml", &two)][..],
        &[("apps/both.yaml", &both)],
    ] {
        let files = [files, &[("base/blue/md.yaml", &base)]].concat();
        let guessed = Guessed::of_files(&files);
        assert_eq!(guessed.targets(), both_found, "{}", guessed.fleet);
        // To change it for one would change it for the other.
        assert!(guessed.numbers.iter().all(|number| !number.is_writable));
    }
    // An address or a kubeconfig of another cluster can't be followed: that is said.
    let [one, two] =
        ["one", "two"].map(|name| argo(name, "base/blue", &format!("server: 'https://{name}.example.org:6443'")));
    let guessed = Guessed::of_files(&[
        ("apps/one.yaml", &one),
        ("apps/two.yaml", &two),
        ("base/blue/md.yaml", &base),
    ]);
    assert_eq!(guessed.targets(), Vec::<&str>::new());
    for said in [&guessed.said, &guessed.fleet] {
        assert!(
            said.contains("base/blue/md.yaml:1 MachineDeployment shard-a/blue-md"),
            "{said}"
        );
        assert!(
            said.contains("the Application in apps/two.yaml, whose destination is not named"),
            "{said}"
        );
    }
}

/// How often each target is found in each file, whatever the management cluster.
fn counted(numbers: &[Number]) -> BTreeMap<(String, &str), usize> {
    let mut counted = BTreeMap::new();
    for number in numbers {
        *counted.entry((number.anywhere(), number.path.as_str())).or_default() += 1;
    }
    counted
}

#[test]
fn whatever_a_fleet_file_finds_a_guess_finds_or_names() {
    let folder = root().join("fixtures/scenarios");
    let mut wrong = Vec::new();
    let mut found = 0;
    for scenario in scenario::all() {
        let scenario::Scenario { name, fleet, .. } = scenario.unwrap();
        let repo = folder.join(&name).join("repo");
        let home = TempDir::new().unwrap();
        let usual = format!(
            "{{repository: {{import: {:?}}}, regions: [{{name: eu, managementClusters: [{{name: eu-1, paths: [eu-1]}}]}}]}}",
            repo.to_str().unwrap()
        );
        let mut spec: serde_yaml::Mapping = serde_yaml::from_str(&usual).unwrap();
        // A folder has no address that either could know.
        spec.extend(fleet.into_iter().filter(|(key, _)| key != "repository"));
        let head = "{apiVersion: fleetscale.io/v1alpha1, kind: Fleet, metadata: {name: scenario}}";
        let mut file: serde_yaml::Mapping = serde_yaml::from_str(head).unwrap();
        file.insert("spec".into(), serde_yaml::Value::Mapping(spec));
        let path = home.path().join("fleet.yaml");
        std::fs::write(&path, serde_yaml::to_string(&file).unwrap()).unwrap();
        let written = fleetscale(&["scan", "-o", "json", "--fleet", path.to_str().unwrap()], home.path()).with_code(0);
        let written = numbers(&serde_json::from_str(&written.stdout).unwrap());
        let guessed = match Guessed::of(&repo) {
            Ok(guessed) => guessed,
            Err(error) => {
                wrong.push(format!("{name}: {error}"));
                continue;
            }
        };
        let (wanted, there) = (counted(&written), counted(&guessed.numbers));
        found += wanted.len();
        for ((target, path), count) in &wanted {
            let key = (target.clone(), *path);
            if there.get(&key).is_none_or(|found| found < count) && !guessed.said.contains(path) {
                wrong.push(format!(
                    "{name}: {target} at {path} is lost without a word:\n{}",
                    guessed.fleet
                ));
            }
        }
        // To be more certain than somebody who wrote down what is whose would be a wrong edit.
        for number in guessed.numbers.iter().filter(|number| number.is_writable) {
            let same = |other: &&Number| other.anywhere() == number.anywhere() && other.path == number.path;
            if written.iter().filter(same).any(|other| !other.is_writable) {
                let Number { target, path, .. } = number;
                wrong.push(format!(
                    "{name}: {target} at {path} is writable for the guess alone:\n{}",
                    guessed.fleet
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(found > 100, "{found}");
}
