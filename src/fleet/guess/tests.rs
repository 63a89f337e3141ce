use super::*;
use crate::fleet::testing::tree;

fn machine_deployment(namespace: &str, cluster: &str) -> String {
    let namespace = if namespace.is_empty() {
        String::new()
    } else {
        format!(", namespace: {namespace}")
    };
    format!(
        "apiVersion: cluster.x-k8s.io/v1beta2\nkind: MachineDeployment\nmetadata: {{name: {cluster}-md{namespace}}}\n\
         spec: {{clusterName: {cluster}, replicas: 3}}\n"
    )
}

fn flux(path: &str) -> String {
    format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: x, namespace: flux-system}}\n\
         spec: {{path: {path}}}\n"
    )
}

fn flux_to(path: &str, secret: &str) -> String {
    flux(path).replace(
        "spec: {",
        &format!("spec: {{kubeConfig: {{secretRef: {{name: {secret}}}}}, "),
    )
}

fn argo(path: &str, destination: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: x, namespace: argocd}}\n\
         spec: {{source: {{path: {path}}}, destination: {{{destination}}}}}\n"
    )
}

/// One line per management cluster: its region, its name, its folders.
fn shown(files: &[(&str, &str)]) -> Vec<String> {
    let guess = guess(&tree(files));
    let shown = guess.management_clusters.iter().map(|cluster| {
        let region = cluster.region.as_ref().map_or("-", |(name, _)| name.as_str());
        let paths: Vec<&str> = cluster.paths.iter().map(|(path, _)| path.as_str()).collect();
        format!("{region} {} {}", cluster.name, paths.join(" "))
    });
    shown.collect()
}

#[test]
fn the_folder_above_namespaces_and_clusters_is_a_management_cluster() {
    let md = machine_deployment("shard-a", "blue");
    assert_eq!(
        shown(&[
            ("clusters/eu/eu-1/shard-a/blue/md.yaml", &md),
            ("clusters/eu/eu-1/shard-a.yaml", &md),
            ("clusters/us/us-1/shard-a/blue.yaml", &md),
            ("platform/us-1/values.yaml", ""),
            ("platform/eu-1/README.md", ""),
            ("docs/eu/readme.yaml", ""),
        ]),
        ["eu eu-1 clusters/eu/eu-1", "us us-1 clusters/us/us-1 platform/us-1"]
    );
}

#[test]
fn one_management_cluster_needs_no_name() {
    let md = machine_deployment("team-a", "blue");
    assert_eq!(
        shown(&[("clusters/team-a/blue/md.yaml", &md)]),
        ["- management clusters"]
    );
    assert_eq!(shown(&[("blue.yaml", &md)]), ["- management blue.yaml"]);
    assert_eq!(shown(&[("blue/md.yaml", &md)]), ["- management blue"]);
    assert_eq!(shown(&[("values.yaml", "a: 1\n")]), Vec::<String>::new());
}

#[test]
fn components_alone_are_at_home_in_the_nearest_folder_that_says_more() {
    let values = "kamaji: {replicas: 2}\n";
    assert_eq!(shown(&[("platform/x/values.yaml", values)]), ["- x platform/x"]);
    assert_eq!(
        shown(&[("platform/kamaji/values.yaml", values)]),
        ["- management platform"]
    );
    assert_eq!(shown(&[("x/controllers/capi/values.yaml", values)]), ["- x x"]);
    let applied = flux("platform/x");
    assert_eq!(
        shown(&[("apps/x/flux.yaml", &applied), ("platform/x/values.yaml", values)]),
        ["- x apps/x platform/x"]
    );
}

#[test]
fn whoever_applies_a_folder_says_whose_it_is() {
    let md = machine_deployment("", "blue");
    // Flux as its bootstrap lays it out: the entry is named, and what it applies is not.
    let bootstrap = flux("./clusters/production");
    let tenants = flux("./tenants");
    assert_eq!(
        shown(&[
            ("clusters/production/flux-system/gotk-sync.yaml", &bootstrap),
            ("clusters/production/tenants.yaml", &tenants),
            ("tenants/blue/md.yaml", &md),
        ]),
        ["- production clusters/production tenants"]
    );
    // The file is named after the cluster, and so is a folder of what it applies.
    let (one, two) = (flux("clusters/one/a"), flux("clusters/two/a"));
    assert_eq!(
        shown(&[
            ("flux/one.yaml", &one),
            ("flux/two.yaml", &two),
            ("clusters/one/a/deep/md.yaml", &md),
            ("clusters/two/a/deep/md.yaml", &md),
        ]),
        ["- one clusters/one", "- two clusters/two"]
    );
}

#[test]
fn a_destination_names_a_management_cluster() {
    let md = machine_deployment("", "blue");
    for destination in [
        argo("work/here", "name: eu-1"),
        argo("work/here", "server: 'https://eu-1.example.org:6443'"),
        flux_to("work/here", "eu-1-kubeconfig"),
    ] {
        let files = [("hub/apps.yaml", destination.as_str()), ("work/here/blue/md.yaml", &md)];
        assert_eq!(shown(&files), ["- eu-1 work/here"], "{destination}");
    }
    for own in ["server: 'https://kubernetes.default.svc'", "name: in-cluster"] {
        let destination = argo("work/here", own);
        let files = [("hub/apps.yaml", destination.as_str()), ("work/here/blue/md.yaml", &md)];
        assert_eq!(shown(&files), ["- here work/here"], "{destination}");
    }
}

#[test]
fn equal_names_in_one_tree_are_told_apart_by_the_folder_above() {
    let md = machine_deployment("default", "blue");
    assert_eq!(
        shown(&[
            ("clusters/eu/prod/md.yaml", &md),
            ("clusters/us/prod/md.yaml", &md),
            ("platform/eu/prod/values.yaml", ""),
        ]),
        [
            "eu eu-prod clusters/eu/prod platform/eu/prod",
            "us us-prod clusters/us/prod"
        ]
    );
}

#[test]
fn a_base_belongs_to_whoever_makes_something_of_it() {
    let md = machine_deployment("", "blue");
    let overlay = "resources: [../../../base/blue]\nnamespace: shard-a\n";
    assert_eq!(
        shown(&[
            ("base/blue/kustomization.yaml", "resources: [md.yaml]\n"),
            ("base/blue/md.yaml", &md),
            ("clusters/eu-1/shard-a/kustomization.yaml", overlay),
            ("clusters/eu-2/shard-a/kustomization.yaml", overlay),
        ]),
        ["- eu-1 clusters/eu-1", "- eu-2 clusters/eu-2"]
    );
}

#[test]
fn a_folder_that_several_clusters_apply_is_nobodys() {
    let md = machine_deployment("", "blue");
    let applied = flux("teams/alpha");
    assert_eq!(
        shown(&[
            ("eu-1/flux/blue.yaml", &applied),
            ("eu-2/flux/blue.yaml", &applied),
            ("teams/alpha/md.yaml", &md),
        ]),
        ["- eu-1 eu-1", "- eu-2 eu-2"]
    );
    let values = "kamaji: {replicas: 2}\n";
    let overlay = "resources: [../../base/x]\n";
    assert_eq!(
        shown(&[
            ("base/x/kustomization.yaml", "resources: [values.yaml]\n"),
            ("base/x/values.yaml", values),
            ("overlays/eu-1/kustomization.yaml", overlay),
            ("overlays/eu-2/kustomization.yaml", overlay),
        ]),
        ["- eu-1 overlays/eu-1", "- eu-2 overlays/eu-2"]
    );
}

#[test]
fn clusters_that_wait_are_nobodys() {
    let (waiting, placed) = (machine_deployment("", "orange"), machine_deployment("shard-a", "blue"));
    let applied = flux("clusters/eu-1/shard-a");
    let files = [
        ("apps/eu-1/shard.yaml", applied.as_str()),
        ("clusters/eu-1/shard-a/blue.yaml", &placed),
        ("requests/eu/orange.yaml", &waiting),
        ("inbox/lemon.yaml", &waiting),
    ];
    assert_eq!(shown(&files), ["- eu-1 apps/eu-1 clusters/eu-1"]);
    let requests: Vec<String> = guess(&tree(&files)).requests.iter().map(ToString::to_string).collect();
    assert_eq!(requests, ["inbox", "requests/eu"]);
}

#[test]
fn the_folder_with_the_most_policies_is_that_of_the_policies() {
    let policy = "apiVersion: fleetscale.io/v1alpha1\nkind: NodeGroupPolicy\nmetadata: {name: a}\n";
    let two = format!("{policy}---\n{policy}");
    let fleet = policy.replace("NodeGroupPolicy", "Fleet");
    let folder = |files: &[(&str, &str)]| guess(&tree(files)).policies.map(|path| path.to_string());
    assert_eq!(
        folder(&[("a/p.yaml", policy), ("b/p.yaml", &two), ("c/fleet.yaml", &fleet)]).as_deref(),
        Some("b")
    );
    assert_eq!(folder(&[("c/fleet.yaml", &fleet)]), None);
}

#[test]
fn a_template_and_a_file_that_does_not_parse_say_nothing() {
    let md = machine_deployment("a", "blue");
    let template = md.replace("replicas: 3", "replicas: {{ .n }}");
    assert_eq!(
        shown(&[
            ("charts/x/Chart.yaml", "name: x\n"),
            ("charts/x/templates/md.yaml", &md),
            ("clusters/eu-1/md.yaml", &template),
        ]),
        Vec::<String>::new()
    );
}

#[test]
fn what_a_clusters_own_folder_applies_is_the_clusters_whatever_its_file_is_called() {
    let md = machine_deployment("checkout-ns", "checkout-prod");
    let checkout = flux("workloads/checkout");
    let all = |entry: &str| shown(&[(entry, checkout.as_str()), ("workloads/checkout/md.yaml", &md)]);
    assert_eq!(
        all("clusters/eu-1/checkout.yaml"),
        ["- eu-1 clusters/eu-1 workloads/checkout"]
    );
    assert_eq!(
        all("eu-1/flux-system/checkout.yaml"),
        ["- eu-1 eu-1 workloads/checkout"]
    );
    // A folder that applies itself is a cluster's, and what is applied from it, too.
    let (own, tenants) = (flux("./site"), flux("./tenants/alpha"));
    assert_eq!(
        shown(&[
            ("site/flux-system/gotk-sync.yaml", &own),
            ("site/tenants.yaml", &tenants),
            ("tenants/alpha/checkout.yaml", &checkout),
            ("workloads/checkout/md.yaml", &md),
        ]),
        ["- site site workloads/checkout"]
    );
}

#[test]
fn a_name_that_may_be_another_one_says_so() {
    let (md, applied) = (machine_deployment("shop", "blue"), flux("services/checkout"));
    let guess = guess(&tree(&[
        ("delivery/checkout.yaml", &applied),
        ("services/checkout/md.yaml", &md),
    ]));
    let [GuessedCluster { name, why, .. }] = &guess.management_clusters[..] else {
        panic!("{guess:?}");
    };
    assert_eq!(name.as_str(), "checkout");
    assert!(
        why.ends_with("if delivery is the management cluster, this is a path of it"),
        "{why}"
    );
}

#[test]
fn the_namespace_that_an_applier_gives_is_no_management_cluster() {
    let md = machine_deployment("", "blue");
    let applied = flux("clusters/eu-1/shard-a").replace("spec: {", "spec: {targetNamespace: shard-a, ");
    assert_eq!(
        shown(&[("flux/shards.yaml", &applied), ("clusters/eu-1/shard-a/md.yaml", &md)]),
        ["- eu-1 clusters/eu-1"]
    );
}

#[test]
fn a_patch_is_at_home_where_its_kustomization_is() {
    let patch = machine_deployment("", "blue");
    let remote = "resources: ['https://example.org/base']\nnamespace: shard-a\npatches: [{path: patch.yaml}]\n";
    let inline = "resources: ['https://example.org/base']\nnamespace: shard-a\npatches:\n- patch: |-\n    \
                  apiVersion: cluster.x-k8s.io/v1beta2\n    kind: MachineDeployment\n    metadata: {name: blue-md}\n    \
                  spec: {clusterName: blue, replicas: 5}\n";
    let other = flux("clusters/eu-1/shard-b");
    let files = [
        ("clusters/eu-1/shard-a/kustomization.yaml", remote),
        ("clusters/eu-1/shard-a/patch.yaml", &patch),
        ("clusters/eu-1/shard-b/md.yaml", &machine_deployment("shard-b", "red")),
        ("flux/shards.yaml", &other),
    ];
    assert_eq!(shown(&files), ["- eu-1 clusters/eu-1"]);
    assert_eq!(guess(&tree(&files)).requests, []);
    assert_eq!(shown(&files[..2]), ["- eu-1 clusters/eu-1"]);
    assert_eq!(
        shown(&[("clusters/eu-1/shard-a/kustomization.yaml", inline)]),
        ["- eu-1 clusters/eu-1"]
    );
}

#[test]
fn clusters_that_only_destinations_name_have_the_file_that_names_them_or_a_place_of_their_own() {
    let md = machine_deployment("shard-a", "blue");
    let [one, two] = ["name: eu-1", "name: eu-2"].map(|destination| argo("base/blue", destination));
    let base = ("base/blue/md.yaml", md.as_str());
    assert_eq!(
        shown(&[("apps/one.yaml", &one), ("apps/two.yaml", &two), base]),
        ["- eu-1 apps/one.yaml", "- eu-2 apps/two.yaml"]
    );
    let both = format!("{one}---\n{two}");
    assert_eq!(
        shown(&[("apps/both.yaml", &both), base]),
        ["- eu-1 eu-1", "- eu-2 eu-2"]
    );
    let release =
        argo("charts/kamaji", "name: eu-3").replace("source: {", "source: {helm: {values: 'replicaCount: 2'}, ");
    assert_eq!(shown(&[("hub/kamaji.yaml", &release)]), ["- eu-3 hub/kamaji.yaml"]);
}

#[test]
fn addons_that_go_to_workload_clusters_make_no_management_clusters_of_them() {
    let md = machine_deployment("shard-a", "blue");
    let release = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: cilium}\nspec: {}\n";
    let addons = flux_to("addons", "blue-kubeconfig");
    assert_eq!(
        shown(&[
            ("addons/cilium.yaml", release),
            ("clusters/eu-1/shard-a/blue.yaml", &md),
            ("clusters/eu-1/shard-a/addons.yaml", &addons),
        ]),
        ["- eu-1 clusters/eu-1"]
    );
}
