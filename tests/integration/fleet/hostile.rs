//! Repositories that nobody prepared: mutated manifests, and bytes that are none.

use std::borrow::Cow;
use std::sync::OnceLock;

use fleetscale::fleet::{FleetTree, applied_paths, bind, scan};
use fleetscale::model::{Declared, RepoPath, Scalar, Site};
use fleetscale::policy::{FleetFile, PolicySet};
use fleetscale::render::{Problem, RenderError, Unproven, render};
use proptest::prelude::*;
use proptest::sample::Index;

use super::{quickstart, tree};
use crate::scenario;

/// How many repositories are drawn. Each is bound as a whole, which costs some milliseconds.
const CASES: u32 = 500;

/// What is put into a file, beside pieces of the other files: what a parser, a template engine or a person does to a manifest.
const PIECES: &[&str] = &[
    "",
    "\n",
    "\r",
    "\t",
    " ",
    "  ",
    "---\n",
    "...\n",
    "%YAML 1.1\n",
    "\u{feff}",
    "\0",
    "\u{2028}",
    "{{ .Values.x }}",
    "'{{ x }}'",
    "${x}",
    "&a ",
    "*a",
    "<<: *a\n",
    "!t ",
    "# generated, do not edit\n",
    "|-\n",
    "[",
    "]",
    "{",
    "}",
    "- ",
    ": ",
    "? ",
    "'",
    "\"",
    "0",
    "-1",
    "99999999999",
    "null",
    "~",
    "replicas: 3\n",
    "namespace: shard-b\n",
    "namePrefix: x-\n",
    "paused: true\n",
    "apiVersion: v1\nkind: List\nitems:\n",
    "patches: [{path: cluster.yaml}]\n",
    "resources: [../blue, .., ., ../../../base/addons]\n",
    "--kube-api-qps",
    "--kube-api-qps=7",
    "metadata: {annotations: {fleetscale.io/hold: x}}\n",
    "sops: {mac: x}\n",
];

/// One change of one file.
#[derive(Debug, Clone)]
enum Mutation {
    /// Bytes are replaced by a piece.
    Piece { at: Index, length: usize, piece: Index },
    /// Bytes are replaced by bytes of another file.
    Other {
        at: Index,
        length: usize,
        from: Index,
        start: Index,
        take: usize,
    },
    /// Lines are copied to another place.
    Lines { from: Index, count: usize, to: Index },
    /// The file is a copy of another.
    Copy { of: Index },
    /// The file is noise.
    Noise(Vec<u8>),
}

fn mutation() -> impl Strategy<Value = (Index, Mutation)> {
    let index = any::<Index>;
    let mutation = prop_oneof![
        8 => (index(), 0..12usize, index()).prop_map(|(at, length, piece)| Mutation::Piece { at, length, piece }),
        3 => (index(), 0..40usize, index(), index(), 0..200usize)
            .prop_map(|(at, length, from, start, take)| Mutation::Other { at, length, from, start, take }),
        4 => (index(), 1..8usize, index()).prop_map(|(from, count, to)| Mutation::Lines { from, count, to }),
        1 => index().prop_map(|of| Mutation::Copy { of }),
        1 => proptest::collection::vec(any::<u8>(), 0..300).prop_map(Mutation::Noise),
    ];
    (index(), mutation)
}

type Files = Vec<(String, Vec<u8>)>;

fn mutate(files: &mut Files, (file, mutation): &(Index, Mutation)) {
    let number = file.index(files.len());
    let old = files[number].1.clone();
    let span = |at: &Index, length: usize, bytes: &[u8]| {
        let start = at.index(bytes.len() + 1);
        start..(start + length).min(bytes.len())
    };
    let new = match mutation {
        Mutation::Piece { at, length, piece } => {
            let mut new = old.clone();
            let piece = PIECES[piece.index(PIECES.len())].as_bytes();
            new.splice(span(at, *length, &old), piece.iter().copied());
            new
        }
        Mutation::Other {
            at,
            length,
            from,
            start,
            take,
        } => {
            let mut new = old.clone();
            let other = files[from.index(files.len())].1.clone();
            let piece = other[span(start, *take, &other)].to_vec();
            new.splice(span(at, *length, &old), piece);
            new
        }
        Mutation::Lines { from, count, to } => {
            let mut lines: Vec<&[u8]> = old.split_inclusive(|byte| *byte == b'\n').collect();
            let from = from.index(lines.len().max(1)).min(lines.len());
            let copied = lines[from..(from + count).min(lines.len())].to_vec();
            let to = to.index(lines.len() + 1);
            lines.splice(to..to, copied);
            lines.concat()
        }
        Mutation::Copy { of } => files[of.index(files.len())].1.clone(),
        Mutation::Noise(bytes) => bytes.clone(),
    };
    files[number].1 = new;
}

/// Whatever is declared writable can be written.
fn check_places(tree: &FleetTree, declared: &Declared) {
    let read = |path: &RepoPath| tree.file(path).ok().map(Cow::Borrowed);
    for (target, binding) in &declared.bindings {
        let Site::Writable(place) = &binding.site else { continue };
        assert_eq!(place.form.is_new(), binding.value.is_none(), "{target}");
        let from = binding.value.clone().unwrap_or(Scalar::Integer(0));
        let to = match &from {
            Scalar::Integer(_) => Scalar::Integer(123),
            Scalar::Decimal(_) | Scalar::Text(_) => Scalar::Text("123m".to_owned()),
        };
        let edit = place.edit(&from, &to);
        match render(read, &[edit]) {
            Ok(_) => {}
            // Whether there is room for a new item depends on the lines around it, which only the writer looks at.
            Err(error) if place.form.is_new() && matches!(error.problem, Problem::Layout(_)) => {}
            // The second parser reads fewer files than the first; only the writer asks it.
            Err(RenderError {
                problem: Problem::Unproven(Unproven::Unreadable { which: "old", .. }),
                ..
            }) => {}
            Err(error) => panic!("{target} is declared writable: {error}: {:?}", error.problem),
        }
    }
}

fn check(fleet: &FleetFile, policies: &PolicySet, files: &Files) {
    let tree = tree(files);
    let declared = bind(fleet, policies, &tree);
    applied_paths(fleet, &tree);
    check_places(&tree, &declared);
    let reversed: Files = files.iter().rev().cloned().collect();
    assert_eq!(bind(fleet, policies, &super::tree(&reversed)), declared);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn a_mutated_repository_is_bound_without_a_panic_and_what_is_writable_can_be_written(
        mutations in proptest::collection::vec(mutation(), 1..12)
    ) {
        let (fleet, policies, mut files) = quickstart();
        for change in &mutations {
            mutate(&mut files, change);
        }
        check(&fleet, &policies, &files);
    }
}

/// The files of every scenario: all shapes in which a number may be written.
fn scenarios() -> &'static [Files] {
    static SCENARIOS: OnceLock<Vec<Files>> = OnceLock::new();
    SCENARIOS.get_or_init(|| {
        let files = |scenario: scenario::Scenario| {
            let files = scenario.before.into_iter();
            files.filter_map(|(path, bytes)| Some((path, bytes?))).collect()
        };
        scenario::all()
            .into_iter()
            .map(|scenario| files(scenario.unwrap()))
            .collect()
    })
}

const FLEET: &str = "
apiVersion: fleetscale.io/v1alpha1
kind: Fleet
metadata: {name: scenarios}
spec:
  repository: {import: repo}
  regions: [{name: eu, managementClusters: [{name: eu-1, paths: [eu-1]}, {name: eu-2, paths: [eu-2]}]}]
";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn a_mutated_scenario_is_scanned_without_a_panic_and_what_is_writable_can_be_written(
        scenario in any::<Index>(),
        mutations in proptest::collection::vec(mutation(), 0..6)
    ) {
        let fleet = FleetFile::load("fleet.yaml", FLEET.as_bytes()).unwrap();
        let policies = PolicySet::load(Vec::<(&str, &str)>::new(), Some(&fleet)).unwrap();
        let mut files = scenario.get(scenarios()).clone();
        for change in &mutations {
            mutate(&mut files, change);
        }
        let tree = tree(&files);
        let (numbers, mut declared) = scan(&fleet, &policies, &tree);
        declared.bindings = numbers.into_iter().map(|number| (number.target, number.binding)).collect();
        check_places(&tree, &declared);
    }
}
