//! Whole files: which document is meant, several edits at once, and moves.

use std::borrow::Cow;

use fleetscale::model::{Edit, Location, RepoPath, Scalar};
use fleetscale::render::{Problem, render};

use super::{at, edited, item, key, nothing, number, object, path, refused, replicas, string, text};

const STREAM: &str = "# top\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\nn: 3\n--- # second\n\
    apiVersion: cluster.x-k8s.io/v1beta1\nkind: MachineDeployment\nmetadata: {name: a, namespace: s}\nn: 3 # c\n...\n%YAML 1.2\n---\n\
    apiVersion: v1\nkind: List\nitems:\n- apiVersion: apps/v1\n  kind: Deployment\n  metadata:\n    name: d\n  n: 3\n";

#[test]
fn the_document_must_be_the_one_that_the_edit_names() {
    let set = |document, object, pointer: &str| Edit::Replace {
        at: at(document, object, pointer),
        from: Scalar::Integer(3),
        to: Scalar::Integer(5),
    };
    let machines = || object("cluster.x-k8s.io", "MachineDeployment", "s", "a");
    let got = edited(STREAM, &[set(1, machines(), "/n")]).unwrap();
    assert_eq!(got, STREAM.replace("n: 3 # c", "n: 5 # c"));
    let got = edited(STREAM, &[set(0, object("", "ConfigMap", "", "a"), "/n")]).unwrap();
    assert_eq!(got, STREAM.replacen("n: 3", "n: 5", 1));
    let deployment = || object("apps", "Deployment", "", "d");
    let got = edited(STREAM, &[set(2, deployment(), "/items/0/n")]).unwrap();
    assert_eq!(got, STREAM.replace("  n: 3", "  n: 5"));
    for (document, object) in [
        (0, machines()),
        (1, object("", "MachineDeployment", "s", "a")),
        (1, object("cluster.x-k8s.io", "MachineDeployment", "", "a")),
        (1, nothing()),
        (2, deployment()),
    ] {
        let problem = refused(STREAM, set(document, object.clone(), "/n"));
        assert!(
            matches!(problem, Problem::OtherObject { .. }),
            "{document} {object:?}: {problem:?}"
        );
    }
    let (document, documents) = (3, 3);
    assert_eq!(
        refused(STREAM, set(3, nothing(), "/n")),
        Problem::NoSuchDocument { document, documents }
    );
}

#[test]
fn edits_of_one_file_are_applied_together_or_not_at_all() {
    let before = "a: 3\nargs:\n- x\nspec:\n  l:\n  - y # c\nb: {c: 3}\n";
    let edits = [
        number("/b/c", 3, 7),
        replicas(),
        item("/spec/l", "z"),
        number("/a", 3, 5),
        item("/args", "v"),
        item("/args", "w"),
        key("/b", "d", text("e")),
        string("/args/0", "x", "u"),
    ];
    let after = "a: 5\nargs:\n- u\n- v\n- w\nspec:\n  l:\n  - y # c\n  - z\n  replicas: 5\nb: {c: 7, d: e}\n";
    assert_eq!(edited(before, &edits).unwrap(), after);
    let mut one_stale = edits.to_vec();
    one_stale.push(number("/b/c", 4, 5));
    assert_eq!(edited(before, &one_stale).unwrap_err().problem, Problem::Conflict);
    assert!(matches!(edited("a: 3\nb: 4\n", &[number("/a", 3, 5), number("/b", 3, 5)]), Err(error) if error.line == 2));
    let twice = [key("/spec", "k", text("a")), key("/spec", "k", text("b"))];
    assert_eq!(edited(before, &twice).unwrap_err().problem, Problem::Conflict);
}

fn moved(from: &str, to: &str, edits: Vec<Edit>) -> Edit {
    Edit::Move {
        from: path(from),
        to: path(to),
        edits,
    }
}

#[test]
fn a_file_moves_with_its_named_edits_alone() {
    let cluster = "# new\nmetadata:\n  name: c\n---\nmetadata:\n  name: d\n  namespace: requests\n";
    let read = |asked: &RepoPath| match asked.as_str() {
        "f.yaml" => Some(Cow::Borrowed(cluster.as_bytes())),
        "shard/kustomization.yaml" => Some(Cow::Borrowed(b"resources:\n- a.yaml\n".as_slice())),
        "taken.yaml" => Some(Cow::Borrowed(b"".as_slice())),
        _ => None,
    };
    let inner = vec![
        key("/metadata", "namespace", text("shard-a")),
        Edit::Replace {
            at: at(1, nothing(), "/metadata/namespace"),
            from: text("requests"),
            to: text("shard-a"),
        },
    ];
    let resources = Edit::AppendItem {
        at: Location {
            path: path("shard/kustomization.yaml"),
            ..at(0, nothing(), "/resources")
        },
        value: text("f.yaml"),
    };
    let rendered = render(read, &[moved("f.yaml", "shard/f.yaml", inner.clone()), resources]).unwrap();
    let files: Vec<_> = rendered
        .files
        .iter()
        .map(|(to, file)| (to.as_str(), file.from.as_str()))
        .collect();
    assert_eq!(
        files,
        [
            ("shard/f.yaml", "f.yaml"),
            ("shard/kustomization.yaml", "shard/kustomization.yaml")
        ]
    );
    assert_eq!(rendered.removed().collect::<Vec<_>>(), [&path("f.yaml")]);
    let after = |file: &str| String::from_utf8(rendered.files[&path(file)].after.clone()).unwrap();
    assert_eq!(
        after("shard/f.yaml"),
        "# new\nmetadata:\n  name: c\n  namespace: shard-a\n---\nmetadata:\n  name: d\n  namespace: shard-a\n"
    );
    assert_eq!(after("shard/kustomization.yaml"), "resources:\n- a.yaml\n- f.yaml\n");

    let problem = |edits: &[Edit]| render(read, edits).unwrap_err().problem;
    let exists = |to: &str| Problem::Exists { path: path(to) };
    assert_eq!(problem(&[moved("f.yaml", "taken.yaml", vec![])]), exists("taken.yaml"));
    assert_eq!(problem(&[moved("gone.yaml", "new.yaml", vec![])]), Problem::NoSuchFile);
    let two = [
        moved("f.yaml", "new.yaml", vec![]),
        moved("taken.yaml", "new.yaml", vec![]),
    ];
    assert_eq!(problem(&two), exists("new.yaml"));
    let twice = [
        moved("f.yaml", "new.yaml", vec![]),
        moved("f.yaml", "other.yaml", vec![]),
    ];
    assert_eq!(problem(&twice), Problem::Conflict);
    let nested = moved("f.yaml", "new.yaml", vec![moved("f.yaml", "other.yaml", vec![])]);
    assert_eq!(problem(&[nested]), Problem::Conflict);
    assert_eq!(problem(&[moved("taken.yaml", "new.yaml", inner)]), Problem::Conflict);
}

#[test]
fn a_move_without_edits_takes_any_bytes() {
    let bytes = b"\xff\x00 not yaml: [";
    let read = |asked: &RepoPath| (asked.as_str() == "a").then_some(Cow::Borrowed(bytes.as_slice()));
    let rendered = render(read, &[moved("a", "b", vec![])]).unwrap();
    assert_eq!(rendered.files[&path("b")].after, bytes);
}

#[test]
fn many_files_at_once_become_what_each_becomes_alone() {
    let edit = |file: usize, from: i64| Edit::Replace {
        at: Location {
            path: path(&format!("{file:03}.yaml")),
            ..at(0, nothing(), "/a")
        },
        from: Scalar::Integer(from),
        to: Scalar::Integer(1_000),
    };
    let bytes = |asked: &RepoPath| -> Vec<u8> {
        let number: u32 = asked.as_str()[..3].parse().unwrap();
        format!("a: {number} # c\n").into_bytes()
    };
    let read = |asked: &RepoPath| Some(Cow::Owned(bytes(asked)));
    let edits: Vec<Edit> = (0..200)
        .rev()
        .map(|file| edit(file, i64::try_from(file).unwrap()))
        .collect();
    let together = render(read, &edits).unwrap();
    assert_eq!(together.files.len(), 200);
    for edit in &edits {
        let alone = render(read, std::slice::from_ref(edit)).unwrap();
        let (path, file) = alone.files.first_key_value().unwrap();
        assert_eq!(together.files.get(path), Some(file));
    }
    // Whichever of two is found first, the first by path is told.
    for (wrong, told) in [(vec![7, 190], 7), (vec![150, 190], 150), (vec![190], 190)] {
        let stale = |file: usize| wrong.contains(&file).then(|| edit(file, 999));
        let edits: Vec<Edit> = edits
            .iter()
            .enumerate()
            .map(|(index, edit)| stale(199 - index).unwrap_or_else(|| edit.clone()))
            .collect();
        assert_eq!(render(read, &edits).unwrap_err().path, path(&format!("{told:03}.yaml")));
    }
}
