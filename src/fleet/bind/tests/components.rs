use crate::fleet::bind::bind;
use crate::fleet::testing::{fleet, tree};
use crate::fleet::tree::Mode;
use crate::model::RepoPath;
use crate::policy::PolicySet;

use super::{FLEET, declared, policy, shown};

pub(super) const KAMAJI: &str = "component: kamaji\nselector: {regions: ['*']}\nladder: [{tenants: 0, replicas: 2}]\n";

#[test]
fn a_platform_component_is_written_in_values_or_in_its_deployment() {
    let values = policy(
        "PlatformPolicy",
        &format!("{KAMAJI}writeTo: {{path: 'values/{{managementCluster}}.yaml', pointer: /kamaji/replicas}}"),
    );
    assert_eq!(
        shown(&declared(
            &values,
            &[("values/eu-1.yaml", "kamaji:\n  replicas: 2 # ha\n")]
        )),
        [
            "platform/eu-1/kamaji/replicas = 2 at values/eu-1.yaml#0/kamaji/replicas:2 Scalar",
            "platform/eu-2/kamaji/replicas = - at line 0: no-such-file",
        ]
    );
    let found = policy("PlatformPolicy", KAMAJI);
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: kamaji, namespace: kamaji-system}\nspec: {replicas: 2}\n";
    assert_eq!(
        shown(&declared(&found, &[("clusters/eu-1/kamaji.yaml", deployment)])),
        ["platform/eu-1/kamaji/replicas = 2 at clusters/eu-1/kamaji.yaml#0/spec/replicas:4 Scalar"]
    );
    assert_eq!(
        shown(&declared(
            &found,
            &[
                ("clusters/eu-1/a.yaml", deployment),
                ("clusters/eu-1/b.yaml", deployment)
            ]
        )),
        ["platform/eu-1/kamaji/replicas = - at line 4: ambiguous clusters/eu-1/a.yaml:1, clusters/eu-1/b.yaml:1"]
    );
    assert_eq!(
        shown(&declared(
            &found,
            &[
                ("clusters/eu-1/a.yaml", deployment),
                (
                    "clusters/eu-1/kustomization.yaml",
                    "resources: [a.yaml]\nreplicas:\n- {name: kamaji, count: 5}\n"
                )
            ]
        )),
        ["platform/eu-1/kamaji/replicas = 5 at clusters/eu-1/kustomization.yaml#0/replicas/0/count:3 Scalar"]
    );
}

const CAPI: &str = "component: capi\nselector: {managementClusters: [eu-1]}\nflags: [{name: kube-api-qps, ladder: [{clusters: 1, value: 100}]}]\n";

fn manager(args: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: capi-controller-manager}}\nspec: {{template: {{spec: {{containers: [{{name: \
         manager{args}}}]}}}}}}\n"
    )
}

#[test]
fn a_controller_is_found_by_its_deployment_or_a_patch_of_it() {
    let policy = policy("ControllerPolicy", CAPI);
    let target = "controller/eu-1/capi/kube-api-qps";
    let at = |file: &str| format!("clusters/eu-1/{file}.yaml#0/spec/template/spec/containers/0/args");
    let twenty = manager(", args: [--kube-api-qps=20]");
    let prefixed = "Prefixed { prefix: \"--kube-api-qps=\" }";
    assert_eq!(
        shown(&declared(&policy, &[("clusters/eu-1/m.yaml", &twenty)])),
        [format!("{target} = 20 at {}/0:4 {prefixed}", at("m"))]
    );
    let with = |patch: &str| {
        shown(&declared(
            &policy,
            &[
                ("clusters/eu-1/m.yaml", &twenty),
                (
                    "clusters/eu-1/kustomization.yaml",
                    "resources: [m.yaml]\npatches: [{path: p.yaml}]\n",
                ),
                ("clusters/eu-1/p.yaml", patch),
            ],
        ))
    };
    assert_eq!(
        with(&manager(", args: [--v=2]")),
        [format!(
            "{target} = - at {}:4 Appended {{ prefix: \"--kube-api-qps=\" }}",
            at("p")
        )]
    );
    assert_eq!(
        with(&manager("")),
        [format!("{target} = 20 at {}/0:4 {prefixed}", at("m"))]
    );
    assert_eq!(
        shown(&declared(
            &policy,
            &[
                (
                    "clusters/eu-1/kustomization.yaml",
                    "resources: [https://example.org/capi.yaml]\npatches: [{path: p.yaml}]\n"
                ),
                ("clusters/eu-1/p.yaml", &twenty),
            ],
        )),
        [format!("{target} = 20 at {}/0:4 {prefixed}", at("p"))]
    );
    assert_eq!(shown(&declared(&policy, &[])), [""; 0]);
}

#[test]
fn a_policy_may_say_where_a_controllers_flags_are_written() {
    let with = |write_to: &str, text: &str| {
        let policy = policy("ControllerPolicy", &format!("{CAPI}writeTo: {write_to}"));
        let lines = shown(&declared(&policy, &[("m/eu-1.yaml", text)]));
        lines[0]
            .strip_prefix("controller/eu-1/capi/kube-api-qps = ")
            .unwrap()
            .to_owned()
    };
    let path = "path: 'm/{managementCluster}.yaml'";
    let twenty = manager(", args: [--kube-api-qps=20]");
    let at = "m/eu-1.yaml#0/spec/template/spec/containers/0/args/0:4";
    assert_eq!(
        with(&format!("{{{path}}}"), &twenty),
        format!("20 at {at} Prefixed {{ prefix: \"--kube-api-qps=\" }}")
    );
    assert_eq!(
        with(&format!("{{{path}, container: other}}"), &twenty),
        "- at line 1: no-such-object"
    );
    assert_eq!(
        with(
            &format!("{{{path}, object: {{kind: Deployment, name: other}}}}"),
            &twenty
        ),
        "- at line 0: no-such-object"
    );
    assert_eq!(
        with(
            &format!("{{{path}, pointer: /extraArgs}}"),
            "extraArgs: [--kube-api-qps, '20']\n"
        ),
        "20 at m/eu-1.yaml#0/extraArgs/1:1 Prefixed { prefix: \"\" }"
    );
}

#[test]
fn a_link_is_refused_where_a_policy_names_it() {
    let values = policy(
        "PlatformPolicy",
        &format!("{KAMAJI}writeTo: {{path: 'values/{{managementCluster}}.yaml', pointer: /a}}"),
    );
    let fleet = fleet(FLEET);
    let policies = PolicySet::load([("p.yaml", values)], Some(&fleet)).unwrap();
    let link: RepoPath = "values/eu-1.yaml".parse().unwrap();
    let module: RepoPath = "values/eu-2.yaml".parse().unwrap();
    let tree = tree(&[])
        .with_entry(link, Mode::Symlink)
        .with_entry(module, Mode::Submodule);
    assert_eq!(
        shown(&bind(&fleet, &policies, &tree)),
        [
            "platform/eu-1/kamaji/replicas = - at line 0: symlink",
            "platform/eu-2/kamaji/replicas = - at line 0: submodule"
        ]
    );
}
