//! Files that a person wrote down because they are hard: what becomes of the one number that each is about.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests are tests, and they print their figures"
)]

mod hostile;
mod large;
mod memory;
mod tricky;

use std::fmt;
use std::path::{Path, PathBuf};

use fleetscale::fleet::FleetTree;
use fleetscale::model::{Declared, Scalar, Site, Target};

use crate::support::repository::{Fleet, Repository, edited};

/// The number that every file of the corpus has at the place that it is about, and the one that it is to have.
const FROM: Scalar = Scalar::Integer(3);
const TO: Scalar = Scalar::Integer(7);

fn fixtures(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder)
}

/// What becomes of the number.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    /// It can be edited, and exactly this character of the file changes. Line and column are counted from 1.
    Preserved { line: usize, column: usize },
    /// It is not there, and a new item that says it joins the list on this line.
    Appended { line: usize },
    /// It can't be edited, and this line is named; 0 for the whole file.
    Refused { id: &'static str, line: usize },
    /// The binding takes the place for writable, and the writer refuses.
    RefusedByWriter { line: usize },
    /// Nothing in the repository says that there is such a number: whatever lives is held as not declared.
    Unseen,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Preserved { line, column } => write!(f, "preserved {line}:{column}"),
            Self::Appended { line } => write!(f, "appended {line}"),
            Self::Refused { id, line } => write!(f, "refused {id} {line}"),
            Self::RefusedByWriter { line } => write!(f, "refused by-the-writer {line}"),
            Self::Unseen => f.write_str("unseen"),
        }
    }
}

/// What becomes of the number of a target. Panics if an edit is made and is wrong.
fn judge(fleet: &Fleet, repository: &Repository, is_target: fn(&Target) -> bool) -> Outcome {
    let tree = repository.tree();
    let declared = fleet.declared(&tree);
    let mut bindings = declared.bindings.iter().filter(|(target, _)| is_target(target));
    let Some((target, binding)) = bindings.next() else {
        return match declared.unbound.first() {
            Some(unbound) => Outcome::Refused {
                id: unbound.refusal.id(),
                line: unbound.line,
            },
            None => Outcome::Unseen,
        };
    };
    assert!(bindings.next().is_none(), "two targets: {:?}", declared.bindings.keys());
    match &binding.site {
        Site::Refused { line, refusal, .. } => Outcome::Refused {
            id: refusal.id(),
            line: *line,
        },
        Site::Writable(place) => match &binding.value {
            Some(FROM) => {
                let target = target.clone();
                edit(fleet, repository, &tree, declared, &target)
            }
            // Decisions are about numbers: this is what they say of another value.
            Some(Scalar::Decimal(_) | Scalar::Text(_)) => Outcome::Refused {
                id: "not-an-integer",
                line: place.line,
            },
            None if place.form.is_new() => insert(&tree, &declared, target, place.line),
            other => panic!("{target} is {other:?}"),
        },
    }
}

fn edit(fleet: &Fleet, repository: &Repository, tree: &FleetTree, declared: Declared, target: &Target) -> Outcome {
    let (path, after) = match edited(tree, &declared, target, &FROM, &TO) {
        Ok(edited) => edited,
        Err(error) => return Outcome::RefusedByWriter { line: error.line },
    };
    // Of a file with thousands of numbers both readings together would be too much.
    drop(declared);
    let before = tree.file(&path).unwrap();
    assert_eq!(before.len(), after.len(), "{path}");
    let changed: Vec<usize> = (0..before.len()).filter(|at| before[*at] != after[*at]).collect();
    let [at] = changed[..] else {
        panic!("{path}: {} bytes changed", changed.len())
    };
    assert_eq!((before[at], after[at]), (b'3', b'7'), "{path}");
    // The other way: the new file is bound and edited as if a person had written it.
    let new = repository.with(&path, &after).tree();
    let bound = fleet.declared(&new);
    assert_eq!(bound.bindings[target].value, Some(TO), "{path}");
    let undone = edited(&new, &bound, target, &TO, &FROM).unwrap();
    assert!(undone == (path, before.to_vec()), "undo does not restore the file");
    let line = 1 + before[..at].iter().filter(|byte| **byte == b'\n').count();
    let start = before[..at]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |end| end + 1);
    let column = 1 + std::str::from_utf8(&before[start..at]).unwrap().chars().count();
    Outcome::Preserved { line, column }
}

/// Makes a new item or key, and checks that nothing goes for it.
fn insert(tree: &FleetTree, declared: &Declared, target: &Target, line: usize) -> Outcome {
    let (path, after) = match edited(tree, declared, target, &FROM, &TO) {
        Ok(edited) => edited,
        Err(error) => return Outcome::RefusedByWriter { line: error.line },
    };
    let before = tree.file(&path).unwrap();
    let start = before.iter().zip(&after).take_while(|(old, new)| old == new).count();
    assert!(after.ends_with(&before[start..]), "{path}: more than an insertion");
    Outcome::Appended { line }
}

fn is_workers(target: &Target) -> bool {
    matches!(target, Target::NodeGroup(key) if key.namespace.as_str() == "shard-a" && key.group.as_str().ends_with("md-0"))
}
