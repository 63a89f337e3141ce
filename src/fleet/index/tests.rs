use super::*;
use crate::fleet::testing::{fleet, machine_deployment, tree};

/// Every instance in a line: identity, manifest, patches, what else may touch it, who shares it.
fn indexed(files: &[(&str, &str)]) -> Vec<String> {
    let fleet = fleet(&[
        ("eu-1", &["clusters/eu-1"]),
        ("eu-2", &["clusters/eu-2", "clusters/eu-3"]),
    ]);
    let tree = tree(files);
    let requests = "requests".parse().unwrap();
    let index = Index::build(&fleet, &tree, &[&requests]);
    let mut lines = Vec::new();
    for (identity, instances) in &index.instances {
        let Identity {
            management_cluster,
            group: _,
            kind,
            name,
            namespace,
        } = &**identity;
        let namespace = namespace.as_deref().unwrap_or("?");
        for instance in instances {
            let Instance {
                object,
                layers,
                holds: _,
                variables: _,
                ignored: _,
                owned: _,
                renamed: _,
                suspended: _,
            } = instance;
            let mut line = format!(
                "{management_cluster} {kind} {namespace}/{name} {}",
                index.place_of(*object)
            );
            for layer in layers {
                line += &match layer {
                    Layer::Object(patch) => format!(" + {}", index.place_of(*patch)),
                    Layer::Replacement { path, line, fields } => format!("{path}:{line} {}", fields.words()),
                    Layer::Opaque { path, line, touched } => {
                        let whats = [("replicas", touched.replicas), ("args", touched.arguments)];
                        let whats: Vec<&str> = whats.into_iter().filter(|(_, is)| *is).map(|(what, _)| what).collect();
                        format!(" ! {} {path}:{line}", whats.join(" "))
                    }
                };
            }
            match index.shared_by(*object) {
                None => {}
                Some(Shared::Doubtful(doubt)) => line += &format!(" doubtful: {doubt}"),
                Some(Shared::Objects(objects)) => line += &format!(" makes {}", objects.join(", ")),
                Some(Shared::Overlays(overlays)) => {
                    let overlays: Vec<&str> = overlays.iter().map(RepoPath::as_str).collect();
                    line += &format!(" shared by {}", overlays.join(", "));
                }
            }
            lines.push(line);
        }
    }
    let unbound = index.unbound.iter();
    lines.extend(unbound.map(
        |Unbound {
             path,
             line,
             what,
             refusal,
         }| format!("{path}:{line} {what}: {refusal}"),
    ));
    lines
}

fn kustomization(lists: &str) -> String {
    format!("resources: [{lists}]\n")
}

#[test]
fn an_object_belongs_to_the_management_cluster_whose_path_holds_it() {
    let md = machine_deployment("shard-a", "md-0");
    assert_eq!(
        indexed(&[
            ("clusters/eu-1/blue/md.yaml", &md),
            ("clusters/eu-10/md.yaml", &md),
            (
                "clusters/eu-3/x.json",
                "{\"apiVersion\": \"cluster.x-k8s.io/v1beta1\", \"kind\": \"Cluster\", \"metadata\": {\"name\": \"a\"}}"
            ),
            ("requests/new.yaml", &md),
            (
                "clusters/eu-1/secret.yaml",
                "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n"
            ),
        ]),
        [
            "eu-1 MachineDeployment shard-a/md-0 clusters/eu-1/blue/md.yaml:1",
            "eu-2 Cluster ?/a clusters/eu-3/x.json:1",
            "clusters/eu-10/md.yaml:1 MachineDeployment shard-a/md-0: it lies outside the paths of every management cluster",
        ]
    );
}

#[test]
fn a_kustomizations_namespace_overwrites_the_one_that_is_written() {
    assert_eq!(
        indexed(&[
            ("clusters/eu-1/blue/md.yaml", &machine_deployment("written", "md-0")),
            (
                "clusters/eu-1/blue/kustomization.yaml",
                "namespace: shard-a\nresources: [md.yaml]\n"
            ),
            ("clusters/eu-1/green/md.yaml", &machine_deployment("", "md-0")),
            (
                "clusters/eu-1/green/kustomization.yaml",
                "namespace: shard-b\nresources: []\n"
            ),
        ]),
        [
            "eu-1 MachineDeployment ?/md-0 clusters/eu-1/green/md.yaml:1",
            "eu-1 MachineDeployment shard-a/md-0 clusters/eu-1/blue/md.yaml:1",
        ]
    );
}

#[test]
fn a_base_belongs_to_whoever_uses_it() {
    let base = [
        ("base/md.yaml", &*machine_deployment("", "md-0")),
        ("base/kustomization.yaml", "resources: [md.yaml]\n"),
        (
            "clusters/eu-1/a/kustomization.yaml",
            "namespace: a\nresources: [../../../base]\n",
        ),
    ]
    .map(|(path, text)| (path, text.to_owned()));
    let files = |more: &[(&'static str, &str)]| {
        let more = more.iter().map(|(path, text)| (*path, (*text).to_owned()));
        let all: Vec<(&str, String)> = base.iter().cloned().chain(more).collect();
        indexed(
            &all.iter()
                .map(|(path, text)| (*path, text.as_str()))
                .collect::<Vec<_>>(),
        )
    };
    assert_eq!(files(&[]), ["eu-1 MachineDeployment a/md-0 base/md.yaml:1"]);
    let shared = "base/md.yaml:1 shared by clusters/eu-1/a/kustomization.yaml, clusters/eu-2/b/kustomization.yaml";
    assert_eq!(
        files(&[(
            "clusters/eu-2/b/kustomization.yaml",
            "namespace: b\nresources: [../../../base]\n"
        )]),
        [
            format!("eu-1 MachineDeployment a/md-0 {shared}"),
            format!("eu-2 MachineDeployment b/md-0 {shared}"),
        ]
    );
    assert_eq!(
        files(&[("elsewhere/kustomization.yaml", "resources: [../base]\n")]),
        [
            "eu-1 MachineDeployment a/md-0 base/md.yaml:1 shared by clusters/eu-1/a/kustomization.yaml, elsewhere/kustomization.yaml"
        ]
    );
    assert_eq!(
        files(&[(
            "clusters/eu-1/all/kustomization.yaml",
            "resources: [../a]\nnamePrefix: x-\n"
        )]),
        ["eu-1 MachineDeployment a/x-md-0 base/md.yaml:1"]
    );
}

#[test]
fn a_patch_is_part_of_the_object_that_it_names() {
    let patch =
        "apiVersion: cluster.x-k8s.io/v1beta2\nkind: MachineDeployment\nmetadata: {name: md-0}\nspec: {replicas: 5}\n";
    assert_eq!(
        indexed(&[
            ("base/kustomization.yaml", &kustomization("md.yaml, other.yaml")),
            ("base/md.yaml", &machine_deployment("", "md-0")),
            ("base/other.yaml", &machine_deployment("", "md-1")),
            (
                "clusters/eu-1/a/kustomization.yaml",
                "namespace: a\nresources: [../../../base]\npatches: [{path: p.yaml}]\n"
            ),
            ("clusters/eu-1/a/p.yaml", patch),
        ]),
        [
            "eu-1 MachineDeployment a/md-0 base/md.yaml:1 + clusters/eu-1/a/p.yaml:1",
            "eu-1 MachineDeployment a/md-1 base/other.yaml:1",
        ]
    );
}

#[test]
fn a_target_says_what_a_patch_is_for() {
    let patch = |target: &str| format!("patches:\n- {{path: p.yaml, target: {{{target}}}}}\nresources: [md.yaml]\n");
    let deployment =
        "apiVersion: cluster.x-k8s.io/v1beta1\nkind: MachineDeployment\nmetadata: {name: any}\nspec: {replicas: 5}\n";
    let operations = "- op: replace\n  path: /spec/replicas\n  value: 5\n";
    let with = |target: &str, p: &str| {
        indexed(&[
            ("clusters/eu-1/kustomization.yaml", &patch(target)),
            ("clusters/eu-1/md.yaml", &machine_deployment("a", "md-0")),
            ("clusters/eu-1/p.yaml", p),
        ])
    };
    let plain = "eu-1 MachineDeployment a/md-0 clusters/eu-1/md.yaml:1";
    let patched = [format!("{plain} + clusters/eu-1/p.yaml:1")];
    let touched = [format!("{plain} ! replicas clusters/eu-1/kustomization.yaml:2")];
    assert_eq!(with("kind: MachineDeployment", deployment), patched);
    assert_eq!(with("name: md-.*", deployment), patched);
    assert_eq!(with("name: pool-.*", operations), [plain]);
    assert_eq!(with("kind: MachineDeployment, name: md-0", operations), patched);
    // What some targets are for is only known to kustomize, so the value is not touched.
    assert_eq!(with("name: md-0|md-1", deployment), touched);
    assert_eq!(with("labelSelector: a=b", operations), touched);
    assert_eq!(with("kind: Cluster", operations), [plain]);
    assert_eq!(
        with("kind: MachineDeployment", "{{ x }}: ["),
        [format!("{plain} ! replicas args clusters/eu-1/kustomization.yaml:2")]
    );
    // A patch for something that the repository does not have stands for itself, under the name of its target.
    assert_eq!(
        with("kind: MachineDeployment, name: md-9", deployment),
        [plain, "eu-1 MachineDeployment ?/md-9 clusters/eu-1/p.yaml:1"]
    );
}

#[test]
fn patches_in_a_kustomization_itself_are_seen() {
    assert_eq!(
        indexed(&[
            (
                "clusters/eu-1/kustomization.yaml",
                "resources: [md.yaml, manager.yaml]\npatches:\n- patch: |-\n    - {op: add, path: /spec/template/spec/containers/0/args/-, value: x}\n  \
                 target: {kind: Deployment, name: manager}\nreplicas:\n- {name: manager, count: 2}\n"
            ),
            ("clusters/eu-1/md.yaml", &machine_deployment("a", "md-0")),
            (
                "clusters/eu-1/manager.yaml",
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: manager}\n"
            ),
        ]),
        [
            "eu-1 Deployment ?/manager clusters/eu-1/manager.yaml:1 + clusters/eu-1/kustomization.yaml:4 + clusters/eu-1/kustomization.yaml:1",
            "eu-1 MachineDeployment a/md-0 clusters/eu-1/md.yaml:1",
        ]
    );
}

#[test]
fn a_patch_of_a_remote_base_stands_for_itself() {
    assert_eq!(
        indexed(&[
            (
                "clusters/eu-1/capi/kustomization.yaml",
                "namespace: capi-system\nresources: [https://example.org/core-components.yaml]\npatches: [{path: args.yaml}]\n"
            ),
            (
                "clusters/eu-1/capi/args.yaml",
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: capi-controller-manager}\n"
            ),
        ]),
        ["eu-1 Deployment capi-system/capi-controller-manager clusters/eu-1/capi/args.yaml:1"]
    );
}

#[test]
fn what_does_not_parse_is_named_if_it_mentions_a_node_group() {
    let huge = format!("# {}\n", "x".repeat(1024 * 1024));
    assert_eq!(
        indexed(&[
            ("clusters/eu-1/chart.yaml", "kind: MachineDeployment\n{{- if .x }}\n"),
            ("clusters/eu-1/other.yaml", "kind: ConfigMap\n{{- if .x }}\n"),
            (
                "clusters/eu-1/twice.yaml",
                "kind: MachineDeployment\nkind: MachineDeployment\n"
            ),
            ("clusters/eu-1/vast.yaml", &huge),
            ("elsewhere/vast.yaml", &huge),
        ]),
        [
            "clusters/eu-1/chart.yaml:2 file: the file is a template (`{{`); what it declares is known only after rendering",
            "clusters/eu-1/twice.yaml:2 document: the key `kind` stands there twice",
            "clusters/eu-1/vast.yaml:0 file: the file is larger than 1 MiB (1048579 bytes)",
        ]
    );
}
