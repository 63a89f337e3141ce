//! Edits in a text that a scalar holds: values in an `Application`, patches in a kustomization.

use fleetscale::model::{Edit, Embedded, Location, Scalar};
use fleetscale::render::Problem;
use fleetscale::yaml::NotEmbedded;

use super::{at, check, edited, nothing, object, refused, text};

/// The same edit, in the text at `/a` of the file.
fn within(edit: Edit) -> Edit {
    within_at("/a", edit)
}

fn within_at(outer: &str, mut edit: Edit) -> Edit {
    let (Edit::Replace { at: place, .. } | Edit::InsertKey { at: place, .. } | Edit::AppendItem { at: place, .. }) =
        &mut edit
    else {
        panic!("a move is within nothing");
    };
    let Location {
        document,
        object,
        pointer,
        ..
    } = place.clone();
    *place = Location {
        embedded: Some(Box::new(Embedded {
            document,
            object,
            pointer,
        })),
        ..at(0, nothing(), outer)
    };
    edit
}

fn number(pointer: &str) -> Edit {
    within(super::number(pointer, 3, 15))
}

#[test]
fn a_number_in_a_block_changes_and_nothing_else() {
    check(&[
        (
            "a: |\n  # workers\n  kamaji:\n    replicas: 3   # three\n    'x': [1, 3]\nb: 3\n",
            number("/kamaji/replicas"),
            "a: |\n  # workers\n  kamaji:\n    replicas: 15   # three\n    'x': [1, 3]\nb: 3\n",
        ),
        (
            "b: 1\na: |-\n    - op: replace\n      path: /spec/replicas\n      value: 3\n",
            number("/0/value"),
            "b: 1\na: |-\n    - op: replace\n      path: /spec/replicas\n      value: 15\n",
        ),
        (
            "a: \"kamaji: {replicas: 3}\" # x\n",
            number("/kamaji/replicas"),
            "a: \"kamaji: {replicas: 15}\" # x\n",
        ),
        (
            "{\"a\": \"k:\\n  r: 3\\n\\\"q\\\": 3\\n\"}\n",
            number("/k/r"),
            "{\"a\": \"k:\\n  r: 15\\n\\\"q\\\": 3\\n\"}\n",
        ),
        (
            "a: '- {op: add, path: ''/x'', value: 3}'\n",
            number("/0/value"),
            "a: '- {op: add, path: ''/x'', value: 15}'\n",
        ),
    ]);
}

#[test]
fn what_is_new_in_a_block_is_indented_as_the_block_is() {
    check(&[
        (
            "a: |-\n  spec:\n    args:\n    - --v=2\n    - '--x'\nb: 1\n",
            within(super::item("/spec/args", "--qps=5")),
            "a: |-\n  spec:\n    args:\n    - --v=2\n    - '--x'\n    - '--qps=5'\nb: 1\n",
        ),
        (
            "l:\n- a: |\n    m:\n      \"k\": \"v\"\n",
            within_at("/l/0/a", super::key("/m", "--qps", text("5"))),
            "l:\n- a: |\n    m:\n      \"k\": \"v\"\n      \"--qps\": \"5\"\n",
        ),
        (
            "a: \"args: [x]\"\n",
            within(super::item("/args", "--qps=5")),
            "a: \"args: [x, --qps=5]\"\n",
        ),
        (
            "a: \"args: ['x']\"\n",
            within(super::item("/args", "--qps=5")),
            "a: \"args: ['x', '--qps=5']\"\n",
        ),
        (
            "a: \"[{\\\"value\\\": \\\"--qps=3\\\"}]\"\n",
            within(super::string("/0/value", "--qps=3", "--qps=15")),
            "a: \"[{\\\"value\\\": \\\"--qps=15\\\"}]\"\n",
        ),
        (
            "a: 'args: [x]'\n",
            within(super::item("/args", "it's")),
            "a: 'args: [x, \"it''s\"]'\n",
        ),
    ]);
}

#[test]
fn several_edits_of_one_text_and_of_the_file_go_together() {
    let before = "n: 3\na: |\n  x: 3\n  y: 3\nb: \"z: 3\"\n";
    let edits = [
        super::number("/n", 3, 1),
        number("/y"),
        number("/x"),
        within_at("/b", super::number("/z", 3, 4)),
    ];
    let after = edited(before, &edits).unwrap();
    assert_eq!(after, "n: 1\na: |\n  x: 15\n  y: 15\nb: \"z: 4\"\n");
    let conflict = edited(before, &[number("/x"), number("/x")]).unwrap_err().problem;
    assert_eq!(conflict, Problem::Conflict);
}

#[test]
fn a_text_that_is_not_one_to_one_in_the_file_is_refused() {
    for (before, why) in [
        ("a: >\n  x: 3\n", NotEmbedded::Folded),
        ("a: \"x: 3\n\n  y: 1\"\n", NotEmbedded::SeveralLines),
        ("a: {x: 3}\n", NotEmbedded::NoScalar),
        ("a: \"\\x78: 3\"\n", NotEmbedded::Unusual),
    ] {
        assert_eq!(refused(before, number("/x")), Problem::NotEmbedded(why), "{before:?}");
    }
    let template = refused("a: |\n  x: {{ n }}\n", number("/x"));
    assert!(matches!(template, Problem::WrongKind { .. }), "{template:?}");
    let broken = refused("a: |\n  x: [3\n", number("/x"));
    assert!(matches!(broken, Problem::NotYaml(_)), "{broken:?}");
    let shared = refused("a: &a |\n  x: 3\nb: *a\n", number("/x"));
    assert!(matches!(shared, Problem::Obstacle(_)), "{shared:?}");
    let stale = refused("a: |\n  x: 4\n", number("/x"));
    assert!(matches!(stale, Problem::Stale { .. }), "{stale:?}");
}

#[test]
fn the_document_in_the_text_is_the_planned_one() {
    let patch = |kind: &str| {
        let mut edit = number("/spec/replicas");
        if let Edit::Replace { at, .. } = &mut edit {
            at.embedded.as_mut().unwrap().object = object("apps", kind, "", "x");
        }
        edit
    };
    let before = "a: |\n  apiVersion: apps/v1\n  kind: Deployment\n  metadata: {name: x}\n  spec: {replicas: 3}\n";
    assert!(edited(before, &[patch("Deployment")]).unwrap().contains("replicas: 15"));
    let other = edited(before, &[patch("StatefulSet")]).unwrap_err().problem;
    assert!(matches!(other, Problem::OtherObject { .. }), "{other:?}");
    let Edit::Replace { from, .. } = patch("Deployment") else {
        return;
    };
    assert_eq!(from, Scalar::Integer(3));
}
