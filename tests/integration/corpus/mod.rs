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

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

use fleetscale::fleet::{FleetTree, Mode, bind};
use fleetscale::model::{Change, Decision, Declared, Priority, RepoPath, Scalar, Site, Target, Verdict};
use fleetscale::plan::edits_of;
use fleetscale::policy::{FleetFile, PolicySet};
use fleetscale::render::render;

const FLEET: &str = "
apiVersion: fleetscale.io/v1alpha1
kind: Fleet
metadata: {name: corpus}
spec:
  repository: {path: fleet.git}
  regions:
    - name: eu
      managementClusters:
        - {name: eu-1, paths: [clusters, management, platform]}
";

const POLICIES: &str = "
apiVersion: fleetscale.io/v1alpha1
kind: PlatformPolicy
metadata: {name: kamaji}
spec:
  component: kamaji
  selector: {regions: [eu]}
  ladder: [{tenants: 0, replicas: 2}]
  writeTo: {path: platform/values.yaml, pointer: /kamaji/replicas}
---
apiVersion: fleetscale.io/v1alpha1
kind: ControllerPolicy
metadata: {name: capi}
spec:
  component: capi
  selector: {regions: [eu]}
  flags: [{name: kube-api-qps, ladder: [{clusters: 1, value: 100}]}]
  writeTo: {path: management/args.yaml, object: {kind: Deployment, name: capi-controller-manager}}
";

/// The number that every file of the corpus has at the place that it is about, and the one that it is to have.
const FROM: i64 = 3;
const TO: i64 = 7;

fn fixtures(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder)
}

/// What is read once for all cases.
struct Corpus {
    fleet: FleetFile,
    policies: PolicySet,
}

/// A repository made for one number.
#[derive(Clone)]
struct Repository {
    files: Vec<(String, Vec<u8>)>,
    links: Vec<(RepoPath, Mode)>,
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
    RefusedByWriter { why: String, line: usize },
    /// Nothing in the repository says that there is such a number: whatever lives is held as not declared.
    Unseen,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Preserved { line, column } => write!(f, "preserved {line}:{column}"),
            Self::Appended { line } => write!(f, "appended {line}"),
            Self::Refused { id, line } => write!(f, "refused {id} {line}"),
            Self::RefusedByWriter { line, .. } => write!(f, "refused by-the-writer {line}"),
            Self::Unseen => f.write_str("unseen"),
        }
    }
}

impl Repository {
    fn of(path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            files: vec![(path.to_owned(), bytes.into())],
            links: Vec::new(),
        }
    }

    fn tree(&self) -> FleetTree {
        let base = "0".repeat(40).parse().unwrap();
        let tree = FleetTree::from_files(base, self.files.iter().cloned()).unwrap();
        let links = self.links.iter().cloned();
        links.fold(tree, |tree, (path, mode)| tree.with_entry(path, mode))
    }

    fn with(&self, path: &RepoPath, bytes: &[u8]) -> Self {
        let mut changed = self.clone();
        let file = changed
            .files
            .iter_mut()
            .find(|(name, _)| name == path.as_str())
            .unwrap();
        file.1 = bytes.to_vec();
        changed
    }
}

impl Corpus {
    fn load() -> Self {
        let fleet = FleetFile::load("fleet.yaml", FLEET.as_bytes()).unwrap();
        let policies = PolicySet::load([("policies.yaml", POLICIES)], Some(&fleet)).unwrap();
        Self { fleet, policies }
    }

    fn declared(&self, tree: &FleetTree) -> Declared {
        bind(&self.fleet, &self.policies, tree)
    }

    /// What becomes of the number of a target. Panics if an edit is made and is wrong.
    fn judge(&self, repository: &Repository, is_target: fn(&Target) -> bool) -> Outcome {
        let tree = repository.tree();
        let declared = self.declared(&tree);
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
                Some(Scalar::Integer(FROM)) => {
                    let target = target.clone();
                    self.edit(repository, &tree, declared, &target)
                }
                // Decisions are about numbers: this is what they say of another value.
                Some(Scalar::Text(_)) => Outcome::Refused {
                    id: "not-an-integer",
                    line: place.line,
                },
                None if place.form.is_new() => insert(&tree, &declared, target, place.line),
                other => panic!("{target} is {other:?}"),
            },
        }
    }

    fn edit(&self, repository: &Repository, tree: &FleetTree, declared: Declared, target: &Target) -> Outcome {
        let (path, after) = match edited(tree, &declared, target, FROM, TO) {
            Ok(edited) => edited,
            Err(outcome) => return outcome,
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
        let bound = self.declared(&new);
        assert_eq!(bound.bindings[target].value, Some(Scalar::Integer(TO)), "{path}");
        let undone = edited(&new, &bound, target, TO, FROM).unwrap();
        assert!(undone == (path, before.to_vec()), "undo does not restore the file");
        let line = 1 + before[..at].iter().filter(|byte| **byte == b'\n').count();
        let start = before[..at]
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1);
        let column = 1 + std::str::from_utf8(&before[start..at]).unwrap().chars().count();
        Outcome::Preserved { line, column }
    }
}

/// The file that an edit of a target changes, and its new bytes.
fn edited(
    tree: &FleetTree,
    declared: &Declared,
    target: &Target,
    from: i64,
    to: i64,
) -> Result<(RepoPath, Vec<u8>), Outcome> {
    let decision = Decision {
        target: target.clone(),
        policy: None,
        verdict: Verdict::Set(Change {
            from: Scalar::Integer(from),
            to: Scalar::Integer(to),
            priority: Priority::Routine,
            reasons: Vec::new(),
        }),
    };
    let edits = edits_of(&decision, declared).unwrap();
    let read = |path: &RepoPath| tree.file(path).ok().map(Cow::Borrowed);
    let rendered = render(read, &edits).map_err(|error| Outcome::RefusedByWriter {
        why: error.problem.to_string(),
        line: error.line,
    })?;
    assert_eq!(rendered.files.len(), 1);
    let (path, file) = rendered.files.into_iter().next().unwrap();
    Ok((path, file.after))
}

/// Makes a new item or key, and checks that nothing goes for it.
fn insert(tree: &FleetTree, declared: &Declared, target: &Target, line: usize) -> Outcome {
    let (path, after) = match edited(tree, declared, target, FROM, TO) {
        Ok(edited) => edited,
        Err(outcome) => return outcome,
    };
    let before = tree.file(&path).unwrap();
    let start = before.iter().zip(&after).take_while(|(old, new)| old == new).count();
    assert!(after.ends_with(&before[start..]), "{path}: more than an insertion");
    Outcome::Appended { line }
}

fn is_workers(target: &Target) -> bool {
    matches!(target, Target::NodeGroup(key) if key.namespace.as_str() == "shard-a" && key.group.as_str().ends_with("md-0"))
}
