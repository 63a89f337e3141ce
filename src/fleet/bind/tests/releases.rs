//! Numbers in the values of charts: of several sources the one that takes effect is the place.

use super::{declared, policy, shown};

const KAMAJI: &str = "component: kamaji\nselector: {managementClusters: [eu-1]}\nladder: [{tenants: 0, replicas: 2}]\n";
const RELEASE: &str = "clusters/eu-1/release.yaml";

/// What a policy for Kamaji's replicas finds in these files, without the target's name.
fn found(more: &str, files: &[(&str, &str)]) -> String {
    let policy = policy("PlatformPolicy", &format!("{KAMAJI}{more}"));
    let lines = shown(&declared(&policy, files));
    match lines.first() {
        Some(line) => line.trim_start_matches("platform/eu-1/kamaji/replicas = ").to_owned(),
        None => "nothing".to_owned(),
    }
}

fn helm_release(chart: &str, spec: &str) -> String {
    format!(
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: kamaji, namespace: a}}\n\
         spec:\n  chart: {{spec: {{chart: {chart}}}}}\n{spec}"
    )
}

fn config_map(name: &str, data: &str) -> String {
    format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: a}}\ndata: {data}\n")
}

/// What is found in a release of the chart `kamaji` and what lies beside it.
fn released(spec: &str, beside: &str) -> String {
    let text = helm_release("kamaji", spec) + beside;
    found("", &[(RELEASE, &text)])
}

const VALUES: &str = "  values: {replicaCount: 2}\n";
const AT_VALUES: &str = "2 at clusters/eu-1/release.yaml#0/spec/values/replicaCount";

#[test]
fn the_values_of_a_release_win_over_those_that_it_refers_to() {
    let from = |item: &str| format!("  valuesFrom: [{item}]\n");
    let map = "{kind: ConfigMap, name: m}";
    let m = config_map("m", "{values.yaml: 'replicaCount: 3'}");
    let at_map = "3 at clusters/eu-1/release.yaml#1/data/values.yaml|0/replicaCount";
    assert_eq!(released(VALUES, ""), format!("{AT_VALUES}:6 Scalar"));
    assert_eq!(released(&(from(map) + VALUES), &m), format!("{AT_VALUES}:7 Scalar"));
    assert_eq!(released(&from(map), &m), format!("{at_map}:11 Scalar"));
    // What can't be read may say anything, but never wins over what stands above it.
    let secret = "{kind: Secret, name: s}";
    assert_eq!(released(&(from(secret) + VALUES), ""), format!("{AT_VALUES}:7 Scalar"));
    let beside = |items: &str| released(&from(items), &m);
    let refused = |what: &str| format!("3 at line 11: {what} at clusters/eu-1/release.yaml:6 may set the value, too");
    assert_eq!(
        beside(&format!("{map}, {secret}")),
        refused("Secret s, whose values are not in the repository,")
    );
    assert_eq!(beside(&format!("{secret}, {map}")), format!("{at_map}:11 Scalar"));
    assert_eq!(
        beside(&format!("{map}, {{kind: ConfigMap, name: x}}")),
        refused("ConfigMap x, which is not in the repository,")
    );
    assert_eq!(
        beside(&format!("{map}, {{kind: ConfigMap, name: x, optional: true}}")),
        format!("{at_map}:11 Scalar")
    );
    assert_eq!(
        beside(&format!("{map}, {{kind: ConfigMap, name: m, valuesKey: other}}")),
        refused("ConfigMap m, which has no key other,")
    );
    assert_eq!(
        beside(secret),
        "- at line 6: Secret s, whose values are not in the repository, may set the value"
    );
}

#[test]
fn a_value_at_a_path_wins_over_values() {
    let from = "  valuesFrom: [{kind: ConfigMap, name: m, valuesKey: n, targetPath: replicaCount}]\n";
    let at = |data: &str| released(&format!("{from}{VALUES}"), &config_map("m", data));
    let place = "clusters/eu-1/release.yaml#1/data/n:12 Prefixed { prefix: \"\" }";
    assert_eq!(at("{n: '3'}"), format!("3 at {place}"));
    assert_eq!(at("{n: '3x'}"), "- at line 12: not-an-integer");
    assert_eq!(at("{n: 3}"), "- at line 12: not-an-integer");
    let above = from.replace("targetPath: replicaCount", "targetPath: 'replicaCount[0]'");
    assert_eq!(
        released(&format!("{above}{VALUES}"), &config_map("m", "{n: '3'}")),
        "- at line 12: replicaCount.0 sets a part of it, or what it is in"
    );
    let elsewhere = from.replace("targetPath: replicaCount", "targetPath: image.tag");
    assert_eq!(
        released(&format!("{elsewhere}{VALUES}"), &config_map("m", "{n: '3'}")),
        format!("{AT_VALUES}:7 Scalar")
    );
}

#[test]
fn what_stands_against_a_release_stands_against_its_values() {
    assert_eq!(
        released(&format!("{VALUES}  suspend: true\n"), ""),
        "2 at line 7: the release is suspended: a change has no effect"
    );
    assert_eq!(
        released(&format!("{VALUES}  suspend: false\n"), ""),
        format!("{AT_VALUES}:6 Scalar")
    );
    assert_eq!(
        released(&format!("{VALUES}  kubeConfig: {{secretRef: {{name: x}}}}\n"), ""),
        "clusters/eu-1/release.yaml:7 HelmRelease a/kamaji: its kubeConfig puts the release into another cluster"
    );
    let renderers = "  postRenderers:\n  - kustomize:\n      patches:\n      - target: {kind: KIND}\n        patch: '[{op: replace, path: PATH, value: 3}]'\n";
    let with = |kind: &str, path: &str| {
        let renderers = renderers.replace("KIND", kind).replace("PATH", path);
        released(&format!("{VALUES}{renderers}"), "")
    };
    assert_eq!(
        with("Deployment", "/spec/replicas"),
        "2 at line 6: a patch of a post-renderer at clusters/eu-1/release.yaml:10 may set the value, too: its target may be more than one object"
    );
    assert_eq!(
        with("Deployment, name: kamaji", "/spec/replicas"),
        "3 at clusters/eu-1/release.yaml#0/spec/postRenderers/0/kustomize/patches/0/patch|0/0/value:11 Scalar"
    );
    assert_eq!(
        with("Deployment, name: kamaji-console", "/spec/replicas"),
        format!("{AT_VALUES}:6 Scalar")
    );
    let of_another_chart = |name: &str| {
        let renderers = renderers
            .replace("KIND", &format!("Deployment, name: {name}"))
            .replace("PATH", "/spec/replicas");
        let text = helm_release("podinfo", &renderers).replace("{name: kamaji,", "{name: podinfo,");
        found("", &[(RELEASE, &text)])
    };
    assert_eq!(of_another_chart("podinfo"), "nothing");
    // Whoever patches the Deployment that is called so means it, whatever the chart.
    assert_eq!(
        of_another_chart("kamaji"),
        "3 at clusters/eu-1/release.yaml#0/spec/postRenderers/0/kustomize/patches/0/patch|0/0/value:10 Scalar"
    );
    assert_eq!(with("Service", "/spec/replicas"), format!("{AT_VALUES}:6 Scalar"));
    assert_eq!(
        with("Deployment", "/metadata/labels/x"),
        format!("{AT_VALUES}:6 Scalar")
    );
    assert_eq!(
        released("  values: {replicaCount: }\n", ""),
        "- at line 6: null stands where a number is expected"
    );
}

#[test]
fn of_a_chart_that_nobody_has_looked_at_the_key_that_is_written_counts() {
    let platform = |values: &str| {
        let text = helm_release("platform", &format!("  values: {values}\n"));
        found("", &[(RELEASE, &text)])
    };
    let at = |key: &str| format!("2 at clusters/eu-1/release.yaml#0/spec/values/kamaji/{key}:6 Scalar");
    assert_eq!(platform("{kamaji: {replicas: 2}}"), at("replicas"));
    assert_eq!(platform("{kamaji: {replicaCount: 2}}"), at("replicaCount"));
    assert_eq!(platform("{replicaCount: 2}"), "nothing");
    assert_eq!(platform("{kamaji: {enabled: true}}"), "nothing");
    let both = "{kamaji: {replicas: 2, replicaCount: 2}}";
    assert_eq!(
        platform(both),
        "- at line 6: ambiguous clusters/eu-1/release.yaml:6, clusters/eu-1/release.yaml:6"
    );
    let text = helm_release("platform", &format!("  values: {both}\n"));
    let named = |more: &str| found(more, &[(RELEASE, &text)]);
    assert_eq!(named("chart: {name: platform, key: /kamaji/replicas}"), at("replicas"));
    assert_eq!(named("chart: {name: other, key: /kamaji/replicas}"), "nothing");
    assert_eq!(
        named("chart: {name: platform, key: /tcm/replicas}"),
        "- at line 6: /spec/values/tcm absent"
    );
}

#[test]
fn a_release_and_a_deployment_are_two_places() {
    let deployment =
        "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: kamaji, namespace: a}\nspec: {replicas: 2}\n";
    assert_eq!(
        released(VALUES, deployment),
        "- at line 6: ambiguous clusters/eu-1/release.yaml:6, clusters/eu-1/release.yaml:11"
    );
}

#[test]
fn a_null_takes_away_what_lies_below_it() {
    let text = helm_release(
        "platform",
        "  valuesFrom: [{kind: ConfigMap, name: m}]\n  values: {kamaji: }\n",
    ) + &config_map("m", "{values.yaml: 'kamaji: {replicas: 3}'}");
    assert_eq!(
        found("", &[(RELEASE, &text)]),
        "- at line 7: ambiguous clusters/eu-1/release.yaml:7, clusters/eu-1/release.yaml:7"
    );
    assert_eq!(
        found("chart: {name: platform, key: /kamaji/replicas}", &[(RELEASE, &text)]),
        "- at line 7: null takes kamaji away"
    );
}

#[test]
fn a_generator_makes_the_config_map_of_a_release() {
    let release = helm_release("kamaji", "  valuesFrom: [{kind: ConfigMap, name: m}]\n");
    let with = |generator: &str, values: &str| {
        let kustomization = format!("namespace: a\nresources: [release.yaml]\nconfigMapGenerator:\n- {generator}\n");
        let files = [
            (RELEASE, release.as_str()),
            ("clusters/eu-1/kustomization.yaml", kustomization.as_str()),
            ("clusters/eu-1/values.yaml", values),
        ];
        found("", &files)
    };
    let plain = "{name: m, files: [values.yaml]}";
    assert_eq!(
        with(plain, "replicaCount: 3 # three\n"),
        "3 at clusters/eu-1/values.yaml#0/replicaCount:1 Scalar"
    );
    assert_eq!(with(plain, "other: 3\n"), "- at line 5: /spec/values absent");
    assert_eq!(
        with(plain, "replicaCount: 3\n---\nreplicaCount: 4\n"),
        "- at line 3: the file of values has more than one document"
    );
    assert_eq!(with(plain, "replicaCount: {{ n }}\n"), "- at line 1: template");
    for unusual in [
        "{name: m, behavior: merge, files: [values.yaml]}",
        "{name: m, envs: [x.env], files: [values.yaml]}",
    ] {
        assert_eq!(
            with(unusual, "replicaCount: 3\n"),
            "- at line 6: the generator of ConfigMap m in clusters/eu-1/kustomization.yaml may set the value"
        );
    }
}

#[test]
fn a_literal_of_a_generator_is_a_key_and_a_number() {
    let release = helm_release(
        "kamaji",
        "  valuesFrom: [{kind: ConfigMap, name: m, valuesKey: n, targetPath: replicaCount}]\n",
    );
    let with = |literal: &str| {
        let kustomization =
            format!("resources: [release.yaml]\nconfigMapGenerator:\n- {{name: m, literals: [x=1, {literal}]}}\n");
        let files = [
            (RELEASE, release.as_str()),
            ("clusters/eu-1/kustomization.yaml", kustomization.as_str()),
        ];
        found("", &files)
    };
    let at = "clusters/eu-1/kustomization.yaml#0/configMapGenerator/0/literals/1:3";
    assert_eq!(with("n=3"), format!("3 at {at} Prefixed {{ prefix: \"n=\" }}"));
    assert_eq!(with("'n=3'"), format!("3 at {at} Prefixed {{ prefix: \"n=\" }}"));
    assert_eq!(with("n=three"), "- at line 3: not-an-integer");
}

fn application(spec: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: kamaji, namespace: argocd}}\n\
         spec:\n  destination: {{name: in-cluster, namespace: a}}\n{spec}"
    )
}

fn applied(helm: &str) -> String {
    let text = application(&format!("  source:\n    chart: kamaji\n    helm:\n{helm}"));
    found("", &[("clusters/eu-1/app.yaml", &text)])
}

#[test]
fn parameters_of_an_application_win_over_its_values() {
    let object = "      valuesObject: {replicaCount: 3}\n";
    let text = "      values: 'replicaCount: 4'\n";
    let at = |pointer: &str| format!("clusters/eu-1/app.yaml#0/spec/source/helm{pointer}");
    let parameter = |items: &str| format!("      parameters: [{items}]\n");
    let prefixed = "Prefixed { prefix: \"\" }";
    assert_eq!(applied(text), format!("4 at {}:9 Scalar", at("/values|0/replicaCount")));
    assert_eq!(
        applied(&format!("{text}{object}")),
        format!("3 at {}:10 Scalar", at("/valuesObject/replicaCount"))
    );
    assert_eq!(
        applied(&format!("{object}{}", parameter("{name: replicaCount, value: '5'}"))),
        format!("5 at {}:10 {prefixed}", at("/parameters/0/value"))
    );
    assert_eq!(
        applied(&parameter(
            "{name: replicaCount, value: '5'}, {name: replicaCount, value: '6'}"
        )),
        format!("6 at {}:9 {prefixed}", at("/parameters/1/value"))
    );
    assert_eq!(
        applied(&parameter(
            "{name: replicaCount, value: '5', forceString: true}, {name: replicaCount, value: '6'}"
        )),
        format!("5 at {}:9 {prefixed}", at("/parameters/0/value"))
    );
    assert_eq!(
        applied(&format!(
            "{object}      fileParameters: [{{name: replicaCount, path: n.txt}}]\n"
        )),
        "- at line 10: not-an-integer"
    );
    assert_eq!(
        applied(&format!("{object}      valueFiles: [own.yaml]\n")),
        format!("3 at {}:9 Scalar", at("/valuesObject/replicaCount"))
    );
    assert_eq!(
        applied("      valueFiles: [own.yaml]\n"),
        "- at line 9: the file of values own.yaml, which is not in this repository, may set the value"
    );
    assert_eq!(
        applied("      values: >\n        replicaCount: 4\n"),
        "- at line 10: the text is not edited: it is a folded block (`>`), whose lines are not those of the text"
    );
    assert_eq!(applied("      values: >\n        other: 4\n"), "nothing");
}

#[test]
fn an_application_belongs_to_the_cluster_that_its_destination_names() {
    let text = application("  source: {chart: kamaji, helm: {valuesObject: {replicaCount: 3}}}\n");
    let named = text.replace("in-cluster", "eu-1");
    let other = text.replace("in-cluster", "eu-2");
    let at = |file: &str| format!("3 at {file}#0/spec/source/helm/valuesObject/replicaCount:6 Scalar");
    assert_eq!(found("", &[("apps/a.yaml", &named)]), at("apps/a.yaml"));
    assert_eq!(
        found("", &[("clusters/eu-2/a.yaml", &named)]),
        at("clusters/eu-2/a.yaml")
    );
    assert_eq!(found("", &[("clusters/eu-1/a.yaml", &other)]), "nothing");
    assert_eq!(found("", &[("apps/a.yaml", &text)]), "nothing");
}

#[test]
fn a_number_in_the_template_of_a_set_belongs_to_all_that_it_makes() {
    let set = |elements: &str, value: &str| {
        format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {{name: s}}\nspec:\n  generators:\n  - {elements}\n  template:\n    \
             metadata: {{name: 'kamaji-{{{{cluster}}}}'}}\n    spec:\n      destination: {{name: '{{{{cluster}}}}'}}\n      source:\n        \
             chart: kamaji\n        helm: {{parameters: [{{name: replicaCount, value: '{value}'}}]}}\n"
        )
    };
    let found = |elements: &str, value: &str| found("", &[("apps/set.yaml", &set(elements, value))]);
    let two = "list: {elements: [{cluster: eu-1, n: '2'}, {cluster: eu-2, n: 3}]}";
    let one = "list: {elements: [{cluster: eu-1, n: 2}]}";
    let at = "apps/set.yaml#0/spec";
    assert_eq!(
        found(two, "{{n}}"),
        format!("2 at {at}/generators/0/list/elements/0/n:6 Prefixed {{ prefix: \"\" }}")
    );
    assert_eq!(
        found(one, "{{ n }}"),
        format!("2 at {at}/generators/0/list/elements/0/n:6 Scalar")
    );
    assert_eq!(
        found(two, "4"),
        "4 at line 13: it is the value of 2 releases at once: kamaji-eu-1, kamaji-eu-2"
    );
    assert_eq!(
        found(one, "4"),
        format!("4 at {at}/template/spec/source/helm/parameters/0/value:13 Prefixed {{ prefix: \"\" }}")
    );
    assert_eq!(found(two, "{{n}}0"), "- at line 13: template");
    assert_eq!(found("clusters: {}", "4"), "nothing");
}
