//! The committed corpus of hostile and unwritable files, and what must become of each.

use std::collections::BTreeMap;
use std::path::Path;

use fleetscale::fleet::Mode;
use fleetscale::model::Target;

use super::{Outcome, fixtures, is_workers, judge};
use crate::support::repository::{Fleet, Repository};

/// The fewest cases that the corpus may have.
const FEWEST: usize = 150;

/// One case: where it lies below the corpus, and the words of its outcome.
pub(super) type Expected = BTreeMap<String, String>;

/// The manifest of the corpus: one line for each case.
pub(super) fn expected() -> Expected {
    let text = std::fs::read_to_string(fixtures("hostile/expected.yaml")).unwrap();
    let mut expected = Expected::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (name, outcome) = line.split_once(": ").unwrap();
        let twice = expected.insert(name.to_owned(), outcome.to_owned());
        assert!(twice.is_none(), "{name} stands twice");
    }
    expected
}

fn files(folder: &Path, prefix: &str, into: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().to_str().unwrap());
        match path.is_dir() {
            true => files(&path, &format!("{name}/"), into),
            false => into.push((name, std::fs::read(&path).unwrap())),
        }
    }
}

/// The repository that a case stands for. Links can't lie in a folder that is checked out on every system, so a file `links` tells of them.
pub(super) fn repository(name: &str) -> Repository {
    let path = fixtures("hostile").join(name);
    let (folder, file) = name.split_once('/').unwrap();
    if folder != "repositories" {
        let place = match folder {
            "values" => "platform/values.yaml".to_owned(),
            "args" => "management/args.yaml".to_owned(),
            _ => format!("clusters/{file}"),
        };
        return Repository::of(&place, std::fs::read(path).unwrap());
    }
    let mut found = Vec::new();
    files(&path, "", &mut found);
    found.sort();
    let links = found.iter().position(|(name, _)| name == "links");
    let links = links.map(|at| String::from_utf8(found.remove(at).1).unwrap());
    let links = links.unwrap_or_default();
    let links = links.lines().map(|line| match line.split_once(' ').unwrap() {
        ("symlink", path) => (path.parse().unwrap(), Mode::Symlink),
        ("submodule", path) => (path.parse().unwrap(), Mode::Submodule),
        other => panic!("{name}: {other:?}"),
    });
    Repository {
        links: links.collect(),
        files: found,
    }
}

/// What a case is about.
pub(super) fn target(name: &str) -> fn(&Target) -> bool {
    match name.split('/').next().unwrap() {
        "values" => |target| matches!(target, Target::Platform { .. }),
        "args" => |target| matches!(target, Target::Controller { .. }),
        "repositories" if name.contains("values") => |target| matches!(target, Target::Platform { .. }),
        _ => is_workers,
    }
}

/// The names of all cases, as the folders have them.
fn names() -> Vec<String> {
    let mut names = Vec::new();
    for folder in ["args", "repositories", "topology", "values", "workers"] {
        for entry in std::fs::read_dir(fixtures("hostile").join(folder)).unwrap() {
            let name = entry.unwrap().file_name();
            names.push(format!("{folder}/{}", name.to_str().unwrap()));
        }
    }
    names.sort();
    names
}

#[test]
fn every_hostile_file_is_refused_with_its_reason_or_changes_by_its_number_alone() {
    let fleet = Fleet::load();
    let expected = expected();
    assert_eq!(names(), expected.keys().cloned().collect::<Vec<_>>());
    assert!(expected.len() >= FEWEST);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (name, want) in &expected {
        let outcome = judge(&fleet, &repository(name), target(name));
        let word = match &outcome {
            Outcome::Refused { id, .. } => format!("refused: {id}"),
            Outcome::RefusedByWriter { .. } => "refused by the writer".to_owned(),
            Outcome::Preserved { .. } => "preserved".to_owned(),
            Outcome::Appended { .. } => "appended".to_owned(),
            Outcome::Unseen => "unseen".to_owned(),
        };
        *counts.entry(word).or_default() += 1;
        let outcome = outcome.to_string();
        if outcome != *want {
            wrong.push(format!("{name}: {outcome}, not {want}"));
        }
    }
    println!("{} hostile files: {counts:?}", expected.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}
