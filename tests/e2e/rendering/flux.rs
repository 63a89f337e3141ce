//! Flux's own fields and variables around the real kustomize.

use std::collections::BTreeMap;

use super::*;

fn with(variables: &[(&str, &str)], text: &str) -> Result<String, String> {
    let owned = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
    let variables: BTreeMap<String, String> = variables.iter().map(owned).collect();
    flux_substitute(text, &variables)
}

#[test]
fn variables_are_replaced_as_envsubst_does_it() {
    let some = [("n", "3"), ("lines", "a\nb\n"), ("empty", "")];
    for (text, expected) in [
        ("replicas: ${n}\n", "replicas: 3\n"),
        ("a${n}b${n}c", "a3b3c"),
        (
            "${n:=5} ${none:=5} ${none:-6} ${none=7} ${empty:=8} ${none:=}",
            "3 5 6 7 8 ",
        ),
        ("x${none}y${empty}z", "xyz"),
        ("${lines}", "ab"),
        ("$${n} $$${n} $$$${n} $n $", "${n} $3 $${n} $n $"),
        ("$((1)) {n} }", "$((1)) {n} }"),
    ] {
        assert_eq!(with(&some, text).as_deref(), Ok(expected), "{text}");
    }
    for text in [
        "${n",
        "${}",
        "${n:2}",
        "${n^^}",
        "${#n}",
        "${n:?no}",
        "${none:=${n}}",
        "${n/3/4}",
    ] {
        assert!(with(&some, text).is_err(), "{text}");
    }
    assert_eq!(with(&[], "${n}").as_deref(), Ok("${n}"));
    assert!(with(&[("a-b", "1")], "").is_err());
    assert!(with(&[("1a", "1")], "").is_err());
}

#[test]
fn an_object_that_says_disabled_is_left_alone() {
    let off = "metadata: {annotations: {kustomize.toolkit.fluxcd.io/substitute: disabled}}\na: ${n}\n";
    let on = "metadata: {annotations: {kustomize.toolkit.fluxcd.io/substitute: enabled}}\na: ${n}\n";
    let stream = format!("{off}---\n{on}");
    let expected = format!("{off}---\n{}", on.replace("${n}", "3"));
    assert_eq!(with(&[("n", "3")], &stream).unwrap(), expected);
}

fn kustomization(spec: &str) -> serde_yaml::Value {
    serde_yaml::from_str(&format!(
        "{{apiVersion: kustomize.toolkit.fluxcd.io/v1, kind: Kustomization, metadata: {{name: eu, namespace: flux-system}}, spec: {spec}}}"
    ))
    .unwrap()
}

const VARIABLES: &str =
    "{apiVersion: v1, kind: ConfigMap, metadata: {name: vars, namespace: flux-system}, data: {n: '4', m: '5'}}";

fn flux_objects(repository: &Path, spec: &str) -> Result<Objects, String> {
    let built = flux_build(repository, &kustomization(spec), &objects(VARIABLES).unwrap());
    built.and_then(|stream| objects(&stream))
}

#[test]
fn a_folder_without_kustomization_is_all_its_files_with_patches_and_variables() {
    let repository = folder(&[
        (
            "clusters/eu/kamaji.yaml",
            &DEPLOYMENT.replace("replicas: 2", "replicas: ${n}"),
        ),
        (
            "clusters/eu/deep/er/map.yml",
            &VARIABLES.replace("flux-system", "other"),
        ),
        ("clusters/eu/own/kustomization.yaml", "resources: [list.yaml]\n"),
        (
            "clusters/eu/own/list.yaml",
            "{apiVersion: v1, kind: ConfigMap, metadata: {name: own}}\n",
        ),
        ("clusters/eu/own/not.yaml", "not: an object\n"),
        ("clusters/eu/notes.txt", "no YAML: [\n"),
    ]);
    let value = |spec: &str| {
        let found = flux_objects(repository.path(), spec).unwrap();
        assert_eq!(found.len(), 3);
        found[NAME]["spec"]["replicas"].clone()
    };
    let from = "substituteFrom: [{kind: ConfigMap, name: vars}, {kind: ConfigMap, name: none, optional: true}]";
    let path = "path: ./clusters/eu";
    assert_eq!(value(&format!("{{{path}}}")), serde_yaml::Value::from("${n}"));
    assert_eq!(
        value(&format!("{{{path}, postBuild: {{{from}}}}}")),
        serde_yaml::Value::from(4)
    );
    let both = format!("{{{path}, postBuild: {{{from}, substitute: {{n: '6'}}}}}}");
    assert_eq!(value(&both), serde_yaml::Value::from(6));
    let patch = r#"patches: [{target: {kind: Deployment}, patch: "- {op: replace, path: /spec/replicas, value: 7}"}]"#;
    assert_eq!(value(&format!("{{{path}, {patch}}}")), serde_yaml::Value::from(7));
    assert!(!repository.path().join("clusters/eu/kustomization.yaml").exists());
}

#[test]
fn a_kustomizations_own_patches_come_after_the_folders_and_its_namespace_wins() {
    let patch = |value| {
        format!(
            r#"patches: [{{target: {{kind: Deployment}}, patch: "- {{op: replace, path: /spec/replicas, value: {value}}}"}}]"#
        )
    };
    let file = format!("namespace: first\nresources: [kamaji.yaml]\n{}\n", patch(5));
    let repository = folder(&[("eu/kustomization.yml", &file), ("eu/kamaji.yaml", DEPLOYMENT)]);
    let plain = flux_objects(repository.path(), "{path: eu}").unwrap();
    let name = "apps/v1 Deployment first/kamaji";
    assert_eq!(plain[name]["spec"]["replicas"], serde_yaml::Value::from(5));
    let spec = format!("{{path: eu, targetNamespace: second, nameSuffix: -eu, {}}}", patch(6));
    let own = flux_objects(repository.path(), &spec).unwrap();
    let name = "apps/v1 Deployment second/kamaji-eu";
    assert_eq!(own[name]["spec"]["replicas"], serde_yaml::Value::from(6));
    assert_eq!(
        fs::read_to_string(repository.path().join("eu/kustomization.yml")).unwrap(),
        file
    );
}

#[test]
fn what_is_not_modelled_or_missing_is_an_error() {
    let repository = folder(&[("eu/kamaji.yaml", DEPLOYMENT)]);
    for (spec, said) in [
        ("{path: eu, images: []}", "spec.images is not modelled"),
        ("{path: us}", "us"),
        (
            "{path: eu, postBuild: {substituteFrom: [{kind: Secret, name: vars}]}}",
            "variables of a Secret",
        ),
        (
            "{path: eu, postBuild: {substituteFrom: [{kind: ConfigMap, name: none}]}}",
            "v1 ConfigMap flux-system/none is not there",
        ),
    ] {
        let error = flux_objects(repository.path(), spec).unwrap_err();
        assert!(error.contains(said), "{spec}: {error}");
    }
}
