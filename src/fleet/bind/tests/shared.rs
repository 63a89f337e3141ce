//! Numbers in bases that several overlays share, and the patch that one of them would get.

use super::{declared, policy};
use crate::fleet::testing::machine_deployment;
use crate::model::Site;

const SPEC: &str = "selector: {regions: ['*']}\nbounds: {max: 9}\nonSharedBase: patch";

/// What is said of the number of the group `md-0` in the namespace `a`: where its patch would join, or the sentence.
fn found(files: &[(&str, &str)]) -> String {
    let declared = declared(&policy("NodeGroupPolicy", SPEC), files);
    let target = "node-group/eu-1/a/blue/md-0/replicas".parse().unwrap();
    match &declared.bindings[&target].site {
        Site::Writable(place) => format!("{}:{}", place.path, place.line),
        Site::Refused { refusal, .. } => refusal.to_string(),
    }
}

/// A base and two overlays of it, of which the first is this.
fn overlay(text: &str) -> String {
    let text = format!("namespace: a\nresources: [../../../base]\n{text}");
    found(&[
        ("base/md.yaml", &machine_deployment("", "md-0")),
        ("base/kustomization.yaml", "resources: [md.yaml]\n"),
        ("clusters/eu-1/a/kustomization.yaml", &text),
        (
            "clusters/eu-1/b/kustomization.yaml",
            "namespace: b\nresources: [../../../base]\n",
        ),
    ])
}

#[test]
fn why_no_patch_is_offered_is_said() {
    assert_eq!(overlay(""), "clusters/eu-1/a/kustomization.yaml:1");
    let block = "patches:\n- target: {kind: Service}\n  patch: |-\n    - {op: add, path: /spec/x, value: y}\n";
    assert_eq!(overlay(block), "clusters/eu-1/a/kustomization.yaml:4");
    let shared = "it is declared in a base that several overlays share: clusters/eu-1/a/kustomization.yaml, clusters/eu-1/b/kustomization.yaml";
    let no = |line: usize, why: &str| {
        format!("{shared}; no patch of one overlay can be offered: clusters/eu-1/a/kustomization.yaml:{line}: {why}")
    };
    let flow =
        "its patches are not written as a list of lines, which a new one could join; remove the key if it is empty";
    assert_eq!(overlay("patches: []\n"), no(3, flow));
    assert_eq!(overlay("patches:\n"), no(3, flow));
    let keeps = "it ends with a block scalar (`|+`, or without a line break) to which a new line would belong";
    assert_eq!(overlay(&block.replace("|-", "|+")), no(4, keeps));
    assert_eq!(overlay(block.replace("|-", "|").trim_end()), no(4, keeps));
}

#[test]
fn of_several_tiers_the_overlay_is_the_one_that_makes_the_object() {
    let md = machine_deployment("", "md-0");
    let with = |more: &[(&str, &str)]| {
        let base = [
            ("base/md.yaml", md.as_str()),
            ("base/kustomization.yaml", "resources: [md.yaml]\n"),
        ];
        found(&base.iter().chain(more).copied().collect::<Vec<_>>())
    };
    let (eu, us) = (
        ("tier/eu/kustomization.yaml", "resources: [../../base]\n"),
        ("tier/us/kustomization.yaml", "resources: [../../base]\n"),
    );
    let (a, b, c) = (
        (
            "clusters/eu-1/a/kustomization.yaml",
            "namespace: a\nresources: [../../../tier/eu]\n",
        ),
        (
            "clusters/eu-1/b/kustomization.yaml",
            "namespace: b\nresources: [../../../tier/eu]\n",
        ),
        (
            "clusters/eu-2/c/kustomization.yaml",
            "namespace: a\nresources: [../../../tier/us]\n",
        ),
    );
    assert_eq!(with(&[eu, us, a, b, c]), "clusters/eu-1/a/kustomization.yaml:1");
    // Another management cluster has an object of the same name.
    let d = (
        "clusters/eu-2/d/kustomization.yaml",
        "namespace: a\nresources: [../../../tier/eu]\n",
    );
    assert_eq!(with(&[eu, a, d]), "clusters/eu-1/a/kustomization.yaml:1");
    // What lists the overlay may be nobody's.
    let all = ("clusters/eu-1/kustomization.yaml", "resources: [a, b]\n");
    assert_eq!(with(&[eu, a, b, all]), "clusters/eu-1/a/kustomization.yaml:1");
}
