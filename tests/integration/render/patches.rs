//! New patches of a kustomization: where they stand, and the layouts that leave no certain place.

use fleetscale::model::{Edit, NewPatch, Scalar};
use fleetscale::render::Problem;

use super::{at, check, edited, item, nothing, object};

fn patch(name: &str, value: i64) -> Edit {
    Edit::AppendPatch {
        at: at(0, nothing(), ""),
        patch: NewPatch {
            object: object("apps", "Deployment", "", name),
            field: "/spec/replicas".parse().unwrap(),
            value: Scalar::Integer(value),
        },
    }
}

/// The lines of a patch of `a` to 5, each after an indent.
fn new(first: &str, indent: &str) -> String {
    format!(
        "{first}target:\n{indent}  group: apps\n{indent}  kind: Deployment\n{indent}  name: a\n{indent}patch: |-\n{indent}  - op: \
         replace\n{indent}    path: /spec/replicas\n{indent}    value: 5\n"
    )
}

#[test]
fn a_patch_joins_the_others_in_their_style_or_begins_the_list() {
    let cases: [(&str, String); 9] = [
        ("resources: [a.yaml]\n", new("patches:\n- ", "  ")),
        ("resources:\n- a.yaml\n", new("patches:\n- ", "  ")),
        ("resources:\n  - a.yaml\n", new("patches:\n  - ", "    ")),
        ("resources:\n  -   a.yaml\n", new("patches:\n  -   ", "      ")),
        ("resources: [a.yaml]\nnamePrefix:\n", new("patches:\n- ", "  ")),
        ("patches:\n  - path: a.yaml # b\n", new("  - ", "    ")),
        (
            "patches:\n- patch: |-\n    - op: remove\n      path: /a\n",
            new("- ", "  "),
        ),
        (
            "patches:\n- patch: |\n    - op: remove\n      path: /a\n",
            new("- ", "  "),
        ),
        ("patches: &all\n- &one {path: a.yaml}\n- *one\n", new("- ", "  ")),
    ];
    let cases: Vec<(&str, Edit, String)> = cases
        .into_iter()
        .map(|(before, added)| (before, patch("a", 5), format!("{before}{added}")))
        .collect();
    for (before, edit, after) in &cases {
        // A block scalar without its last line break has another text than one with it.
        if before.contains("patch: |\n") {
            assert_eq!(edited(before, std::slice::from_ref(edit)).unwrap(), *after);
        } else {
            check(&[(before, edit.clone(), after)]);
        }
    }
}

#[test]
fn what_follows_the_list_stays_where_it_is() {
    let before = "patches:\n- path: a.yaml\n# of the list\n\n# of the images\nimages: []\n";
    let after = format!(
        "patches:\n- path: a.yaml\n{}# of the list\n\n# of the images\nimages: []\n",
        new("- ", "  ")
    );
    assert_eq!(edited(before, &[patch("a", 5)]).unwrap(), after);
}

#[test]
fn several_patches_come_in_their_order() {
    let second = new("- ", "  ")
        .replace("name: a", "name: b")
        .replace("value: 5", "value: 6");
    let both = [patch("a", 5), patch("b", 6)];
    assert_eq!(
        edited("namespace: x\n", &both).unwrap(),
        format!("namespace: x\npatches:\n{}{second}", new("- ", "  "))
    );
    assert_eq!(
        edited(
            "resources: [a]\npatches:\n- path: x\n",
            &[item("/resources", "b"), both[0].clone(), both[1].clone()]
        )
        .unwrap(),
        format!("resources: [a, b]\npatches:\n- path: x\n{}{second}", new("- ", "  "))
    );
}

#[test]
fn a_layout_without_a_certain_place_is_refused() {
    for before in [
        "{resources: [a]}\n",
        "patches: []\n",
        "patches: [{path: a}]\n",
        "patches:\n",
        "patches: &p\nother: *p\n",
        "patches:\n- patch: |+\n    - op: remove\n\n",
        "patches:\n- patch: |\n    - op: remove",
        "<<: {a: b}\n",
        "  resources: [a]\n",
        "- a\n",
        "",
    ] {
        let error = edited(before, &[patch("a", 5)]).map(|_| ()).unwrap_err();
        let is_layout = matches!(error.problem, Problem::Layout(_) | Problem::NoSuchDocument { .. });
        assert!(is_layout, "{before:?}: {error:?}");
    }
    let error = edited("resources: [a]\n", &[patch("a", 5), patch("a", 6)]).unwrap_err();
    assert_eq!(error.problem, Problem::Conflict);
    let mut strange = patch("a", 5);
    if let Edit::AppendPatch { patch, .. } = &mut strange {
        patch.field = "/spec/a: b".parse().unwrap();
    }
    let error = edited("resources: [a]\n", &[strange]).unwrap_err();
    assert!(matches!(error.problem, Problem::Unwritable { .. }), "{error:?}");
    let mut template = patch("a", 5);
    if let Edit::AppendPatch { patch, .. } = &mut template {
        patch.value = Scalar::Text("${a}".to_owned());
    }
    let error = edited("resources: [a]\n", &[template]).unwrap_err();
    assert!(matches!(error.problem, Problem::Unwritable { .. }), "{error:?}");
}
