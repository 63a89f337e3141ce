//! Numbers in the values of charts that kustomizations inflate.

use super::{declared, policy, shown};

const KAMAJI: &str = "component: kamaji\nselector: {managementClusters: [eu-1]}\nladder: [{tenants: 0, replicas: 2}]\n";

/// What a policy for Kamaji's replicas finds in these files, without the target's name.
fn found(files: &[(&str, &str)]) -> String {
    let lines = shown(&declared(&policy("PlatformPolicy", KAMAJI), files));
    match lines.first() {
        Some(line) => line.trim_start_matches("platform/eu-1/kamaji/replicas = ").to_owned(),
        None => "nothing".to_owned(),
    }
}

#[test]
fn the_values_of_an_inflated_chart_have_an_order() {
    const KUSTOMIZATION: &str = "clusters/eu-1/kustomization.yaml";
    let with = |chart: &str, more: &str, files: &[(&str, &str)]| {
        let text = format!("helmCharts:\n- name: kamaji\n  releaseName: kamaji\n{chart}{more}");
        let files: Vec<(&str, &str)> = files.iter().copied().chain([(KUSTOMIZATION, text.as_str())]).collect();
        found(&files)
    };
    let inline = "  valuesInline: {replicaCount: 2}\n";
    let file = "  valuesFile: v.yaml\n";
    let v = ("clusters/eu-1/v.yaml", "replicaCount: 3\n");
    let w = ("clusters/eu-1/w.yaml", "replicaCount: 4\n");
    let own = ("clusters/eu-1/charts/kamaji/values.yaml", "replicaCount: 5\n");
    let at_inline =
        |line: usize| format!("2 at {KUSTOMIZATION}#0/helmCharts/0/valuesInline/replicaCount:{line} Scalar");
    let at = |(path, _): (&str, &str), number: usize| format!("{number} at {path}#0/replicaCount:1 Scalar");
    let both = format!("{inline}{file}");
    let merge = |how: &str| format!("{both}  valuesMerge: {how}\n");
    assert_eq!(with(inline, "", &[]), at_inline(4));
    assert_eq!(with(&both, "", &[v, own]), at_inline(4));
    assert_eq!(with(file, "", &[v, own]), at(v, 3));
    assert_eq!(with("", "", &[own]), at(own, 5));
    assert_eq!(with(&merge("merge"), "", &[v, own]), at(v, 3));
    assert_eq!(with(&merge("replace"), "", &[v, own]), at_inline(4));
    let additional = format!("{both}  additionalValuesFiles: [w.yaml, x.yaml]\n");
    let x = ("clusters/eu-1/x.yaml", "a: 1\n");
    assert_eq!(with(&additional, "", &[v, w, x]), at(w, 4));
    let missing = format!(
        "2 at line 4: the file of values x.yaml, which is not in this repository, at {KUSTOMIZATION}:2 may set the value, too"
    );
    assert_eq!(with(&additional.replace("w.yaml, ", ""), "", &[v, w]), missing);
    assert_eq!(
        with(&format!("{inline}  valuesMerge: merge\n"), "", &[]),
        missing.replace(
            "the file of values x.yaml, which is not in this repository,",
            "the chart's own values.yaml, which wins by valuesMerge: merge,"
        )
    );
    assert_eq!(with(&merge("deep"), "", &[]), "nothing");
    assert_eq!(with("", "", &[]), "nothing");
    let patch = |patch: &str| with(inline, &format!("patches:\n- {patch}\n"), &[]);
    let own_way = "of a kustomization at clusters/eu-1/kustomization.yaml:6 may set the value, too";
    assert_eq!(
        patch("{target: {kind: Deployment, name: kamaji}, patch: '[{op: replace, path: /spec/replicas, value: 7}]'}"),
        format!("7 at {KUSTOMIZATION}#0/patches/0/patch|0/0/value:6 Scalar")
    );
    assert_eq!(
        patch("{target: {kind: Deployment}, patch: '[{op: replace, path: /spec/replicas, value: 7}]'}"),
        format!("2 at line 4: a patch {own_way}: its target may be more than one object")
    );
    assert_eq!(
        patch("{target: {kind: Deployment, name: x}, patch: '[{op: replace, path: /spec/replicas, value: 7}]'}"),
        at_inline(4)
    );
    assert_eq!(
        with(inline, "replicas: [{name: kamaji, count: 7}]\n", &[]),
        "2 at line 4: a patch of a kustomization at clusters/eu-1/kustomization.yaml:5 may set the value, too: it is not taken apart"
    );
    // kustomize finds the Deployment that the chart makes by its name, which is no second place.
    let merge = |spec: &str| {
        format!(
            "patches:\n- patch: |-\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {{name: kamaji}}\n    spec: {spec}\n"
        )
    };
    assert_eq!(with(inline, &merge("{minReadySeconds: 9}"), &[]), at_inline(4));
    assert_eq!(
        with(inline, &merge("{replicas: 9}"), &[]),
        format!("9 at {KUSTOMIZATION}#0/patches/0/patch|0/spec/replicas:10 Scalar")
    );
    let p = (
        "clusters/eu-1/p.yaml",
        "# beside kamaji\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec: {replicas: 7}\n",
    );
    assert_eq!(with(inline, "patches: [{path: p.yaml}]\n", &[p]), at_inline(4));
    assert_eq!(
        with(inline, "namePrefix: eu-\n", &[]),
        "2 at line 2: a kustomization changes the names of what the chart makes, so that its patches can't be told apart"
    );
    let twice = [
        ("clusters/eu-1/a/kustomization.yaml", "resources: [../base]\n"),
        ("clusters/eu-1/b/kustomization.yaml", "resources: [../base]\n"),
        (
            "clusters/eu-1/base/kustomization.yaml",
            "helmCharts: [{name: kamaji, valuesInline: {replicaCount: 2}}]\n",
        ),
    ];
    assert!(found(&twice).contains("ambiguous"), "{}", found(&twice));
    let elsewhere = [
        ("base/kustomization.yaml", twice[2].1),
        ("clusters/eu-1/a/kustomization.yaml", "resources: [../../../base]\n"),
        ("other/kustomization.yaml", "resources: [../base]\n"),
    ];
    assert_eq!(
        found(&elsewhere),
        "2 at line 1: 2 overlays use the kustomization, and its values are those of all"
    );
    let generator = "apiVersion: builtin\nkind: HelmChartInflationGenerator\nmetadata: {name: kamaji}\nname: kamaji\nvaluesInline: {replicaCount: 2}\n";
    assert_eq!(
        found(&[
            (KUSTOMIZATION, "generators: [g.yaml]\n"),
            ("clusters/eu-1/g.yaml", generator)
        ]),
        "2 at clusters/eu-1/g.yaml#0/valuesInline/replicaCount:5 Scalar"
    );
    let deprecated = "helmChartInflationGenerator:\n- {chartName: kamaji, valuesLocal: {replicaCount: 2}}\n";
    assert_eq!(
        found(&[(KUSTOMIZATION, deprecated)]),
        "clusters/eu-1/kustomization.yaml:2 values of the chart kamaji: helmChartInflationGenerator is deprecated and not followed here; \
         `kustomize edit fix` makes helmCharts of it"
    );
}
