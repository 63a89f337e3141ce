//! Edits that could be wrong, each with the reason for which it is refused.

use std::borrow::Cow;

use fleetscale::model::{RepoPath, Scalar};
use fleetscale::render::{Problem, render};
use fleetscale::yaml::ObstacleKind;

use super::{item, key, number, refused, replicas, string};

#[test]
fn an_insertion_that_could_be_wrong_is_refused() {
    for (before, edit) in [
        ("spec:\n  note: |\n    text\n", replicas()),
        ("spec:\n  a:\n    b: >-\n      text\n\nc: 1\n", replicas()),
        ("spec:\n  ? x\n  : 1\n", replicas()),
        ("spec:\n  &k x: 1\n", replicas()),
        ("spec:\n  !!str x: 1\n", replicas()),
        ("spec: {a: 1, b}\n", replicas()),
        ("spec: {a: 1, b: }\n", replicas()),
        ("spec: { # c\n}\n", replicas()),
        ("spec: [a: 1]\n", key("/spec/0", "b", Scalar::Integer(1))),
        ("spec:\n  x: 1\rstatus: {}\n", replicas()),
        ("l:\n- a\n- |\n  text\n", item("/l", "x")),
        ("l:\n-\n  a: 1\n", item("/l", "x")),
        ("l:\n- !x a\n", item("/l", "x")),
        ("l:\n-\ta\n", item("/l", "x")),
        ("l: [\n]\n", item("/l", "x")),
    ] {
        let problem = refused(before, edit);
        assert!(matches!(problem, Problem::Layout(_)), "{before:?}: {problem:?}");
    }
}

#[test]
fn a_key_that_is_there_already_is_not_inserted() {
    let there = || Problem::KeyExists {
        key: "replicas".to_owned(),
    };
    for before in [
        "spec:\n  replicas: 3\n",
        "spec: {'replicas': }\n",
        "x: &r replicas\nspec:\n  *r : 3\n",
    ] {
        assert_eq!(refused(before, replicas()), there(), "{before:?}");
    }
    let merged = refused("x: &s\n  replicas: 3\nspec:\n  <<: *s\n  a: c\n", replicas());
    assert!(matches!(merged, Problem::Layout(_)), "{merged:?}");
}

#[test]
fn a_value_that_is_not_the_planned_one_is_stale() {
    let stale = |expected: &str, found: &str| Problem::Stale {
        expected: expected.to_owned(),
        found: found.to_owned(),
    };
    assert_eq!(refused("a: 4\n", number("/a", 3, 5)), stale("3", "4"));
    assert_eq!(refused("a: \"4\"\n", number("/a", 3, 5)), stale("3", "4"));
    assert_eq!(refused("a: x\n", string("/a", "y", "z")), stale("y", "x"));
    // Plain, it is a number or a boolean to some reader, so it is not the text that was planned for.
    assert_eq!(refused("a: 3\n", string("/a", "3", "z")), stale("3", "3"));
    assert_eq!(refused("a: yes\n", string("/a", "yes", "z")), stale("yes", "yes"));
}

#[test]
fn a_scalar_that_is_no_plain_value_on_one_line_is_refused() {
    let not_integer = |text: &str| Problem::NotAnInteger { text: text.to_owned() };
    for text in [
        "3.0",
        "1e3",
        "0x3",
        "03",
        "3_0",
        "-3",
        "+3",
        "three",
        "1000000000",
        "~",
        "3 4",
    ] {
        assert_eq!(refused(&format!("a: {text}\n"), number("/a", 3, 5)), not_integer(text));
    }
    assert_eq!(refused("a:\n", number("/a", 3, 5)), not_integer(""));
    for text in ["|\n  3", "|-\n  3", ">\n  3", "\"3\\\n  \"", "'x\n  y'", "x\n  y"] {
        assert_eq!(
            refused(&format!("a: {text}\n"), number("/a", 3, 5)),
            Problem::SeveralLines,
            "{text}"
        );
    }
    for (text, source) in [
        ("--qps=20", "\"\\x2d-qps=20\""),
        ("a/b", "\"a\\/b\""),
        ("a\tb", "\"a\\tb\""),
    ] {
        let text = text.to_owned();
        assert_eq!(
            refused(&format!("a: {source}\n"), string("/a", &text, "x")),
            Problem::Escapes { text }
        );
    }
    let wrong = |wanted, found| Problem::WrongKind { wanted, found };
    assert_eq!(
        refused("a: {{ .Values.n }}\n", number("/a", 3, 5)),
        wrong("scalar", "mapping")
    );
    assert_eq!(refused("a: [3]\n", number("/a", 3, 5)), wrong("scalar", "list"));
    assert_eq!(refused("spec:\n", replicas()), wrong("mapping", "null"));
    assert_eq!(refused("spec: x\n", replicas()), wrong("mapping", "scalar"));
    assert_eq!(refused("args: {}\n", item("/args", "x")), wrong("list", "mapping"));
    assert_eq!(refused("args:\n", item("/args", "x")), wrong("list", "null"));
    for text in ["\"{{ .n }}\"", "${n}", "'x{{n}}'", "pre-${n}"] {
        let problem = refused(&format!("a: {text}\n"), number("/a", 3, 5));
        assert!(matches!(problem, Problem::Template { .. }), "{text}: {problem:?}");
    }
}

#[test]
fn a_value_that_can_not_be_written_in_place_is_refused() {
    for (before, edit) in [
        ("a: 3\n", number("/a", 3, -1)),
        ("a: 3\n", number("/a", 3, 1_000_000_000)),
        ("a: x\n", string("/a", "x", "true")),
        ("a: x\n", string("/a", "x", "1e3")),
        ("a: x\n", string("/a", "x", "y # z")),
        ("a: x\n", string("/a", "x", "y: z")),
        ("a: 'x'\n", string("/a", "x", "y\nz")),
        ("a: \"x\"\n", string("/a", "x", "{{ y }}")),
        ("[x]\n", string("/0", "x", "y,z")),
        ("l:\n- x\n", item("/l", "a\nb")),
        ("l:\n- x\n", item("/l", "${a}")),
        ("spec:\n  a: 1\n", key("/spec", "b\nc", Scalar::Integer(1))),
    ] {
        let problem = refused(before, edit);
        assert!(matches!(problem, Problem::Unwritable { .. }), "{before:?}: {problem:?}");
    }
}

#[test]
fn what_shares_or_hides_the_value_is_refused_by_its_name() {
    let set = || number("/spec/replicas", 3, 5);
    for (before, kind) in [
        ("spec:\n  replicas: &n 3\n  minReady: *n\n", ObstacleKind::SharedAnchor),
        ("x: &n 3\nspec:\n  replicas: *n\n", ObstacleKind::Alias),
        ("x: &s\n  replicas: 3\nspec: *s\n", ObstacleKind::Alias),
        ("x: &s\n  replicas: 3\nspec:\n  <<: *s\n", ObstacleKind::MergeKey),
        ("spec:\n  replicas: !!int \"3\"\n", ObstacleKind::Tag),
        ("spec:\n  x: 1\n", ObstacleKind::Missing),
        ("spec: x\n", ObstacleKind::NotACollection),
    ] {
        match refused(before, set()) {
            Problem::Obstacle(obstacle) => assert_eq!(obstacle.kind, kind, "{before:?}"),
            other => panic!("{before:?}: {other:?}"),
        }
    }
    let twice = refused("spec:\n  replicas: 3\n  x: 1\n  replicas: 4\n", set());
    assert!(matches!(twice, Problem::Obstacle(obstacle) if matches!(obstacle.kind, ObstacleKind::DuplicateKey(_))));
}

#[test]
fn a_file_that_is_not_sound_yaml_is_refused() {
    for before in [
        "spec:\n\treplicas: 3\n",
        "spec:\n  replicas: 3\n  {{- if x }}\n",
        "spec:\n  replicas: 3\0\n",
        "a: [\n",
    ] {
        assert!(
            matches!(refused(before, number("/spec/replicas", 3, 5)), Problem::NotYaml(_)),
            "{before:?}"
        );
    }
    let bytes = |_: &RepoPath| Some(Cow::Borrowed(b"a: \xff\n".as_slice()));
    assert_eq!(
        render(bytes, &[number("/a", 3, 5)]).unwrap_err().problem,
        Problem::NotText
    );
    assert_eq!(
        render(|_| None, &[number("/a", 3, 5)]).unwrap_err().problem,
        Problem::NoSuchFile
    );
    let sops = "a: 3\nsops:\n  mac: ENC[x]\n";
    assert_eq!(refused(sops, number("/a", 3, 5)), Problem::Encrypted);
}

#[test]
fn a_file_that_readers_break_into_different_lines_is_refused() {
    for before in ["a: 3 # c\u{85}b: 4\n", "a: 3\nb: x\u{2028}y\n", "# \u{2029}\na: 3\n"] {
        assert_eq!(
            refused(before, number("/a", 3, 5)),
            Problem::StrangeLineBreaks,
            "{before:?}"
        );
    }
}
