//! A field of an object by the names of what it is in, and where a document has it.

use crate::model::Refusal;
use crate::yaml::{Kind, Node};

use super::document::{self, Document};
use super::find::find;
use super::gate::Refused;
use super::touched::Touched;

/// One step to a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// The value of a key.
    Key(&'a str),
    /// The item of a list that has this name.
    Named(&'a str),
}

/// A field of an object of a kind.
#[derive(Debug, Clone)]
pub(super) struct Field<'a> {
    /// The way to it.
    pub(super) steps: Vec<Step<'a>>,
    /// Whether a strategic merge keeps the items of the list on the way that it does not name. Kubernetes' own lists of containers are
    /// merged by name; kustomize knows no schema of a custom resource, and a list in a patch replaces the one that it patches.
    pub(super) merged: bool,
}

/// Where a document has a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Located {
    /// Here, or nothing but keys is missing on the way: whoever reads it there sees which.
    At(Vec<String>),
    /// There is a list on the way that has no item of the name.
    NoItem,
    /// What the list is in is not there.
    Nowhere,
}

impl<'a> Field<'a> {
    /// `spec.replicas` of anything.
    pub(super) fn replicas() -> Self {
        Self::keys(&["spec", "replicas"])
    }

    /// A field that only keys lead to.
    pub(super) fn keys(keys: &[&'a str]) -> Self {
        Self {
            steps: keys.iter().map(|key| Step::Key(key)).collect(),
            merged: true,
        }
    }

    /// A field of a container of a pod template.
    pub(super) fn of_container(container: &'a str, keys: &[&'a str]) -> Self {
        let way = ["spec", "template", "spec", "containers"].map(Step::Key);
        Self::of_item(&way, container, keys, true)
    }

    /// A field of an entry of a list of a cluster's topology: `machineDeployments` or `machinePools`.
    pub(super) fn of_worker(list: &'a str, name: &'a str, keys: &[&'a str]) -> Self {
        let way = [
            Step::Key("spec"),
            Step::Key("topology"),
            Step::Key("workers"),
            Step::Key(list),
        ];
        Self::of_item(&way, name, keys, false)
    }

    /// The value of a variable of a cluster's topology.
    pub(super) fn of_variable(name: &'a str) -> Self {
        let way = ["spec", "topology", "variables"].map(Step::Key);
        Self::of_item(&way, name, &["value"], false)
    }

    fn of_item(way: &[Step<'a>], name: &'a str, keys: &[&'a str], merged: bool) -> Self {
        let keys = keys.iter().map(|key| Step::Key(key));
        Self {
            steps: way.iter().copied().chain([Step::Named(name)]).chain(keys).collect(),
            merged,
        }
    }

    /// The keys on the way.
    pub(super) fn words(&self) -> impl DoubleEndedIterator<Item = &'a str> {
        self.steps.iter().filter_map(|step| match step {
            Step::Key(key) => Some(*key),
            Step::Named(_) => None,
        })
    }

    /// How many steps lead to the list, and the name that is looked for in it.
    pub(super) fn list(&self) -> Option<(usize, &'a str)> {
        self.steps.iter().enumerate().find_map(|(index, step)| match step {
            Step::Named(name) => Some((index, *name)),
            Step::Key(_) => None,
        })
    }

    /// Whether a patch that is not taken apart may set it.
    pub(super) fn is_touched(&self, touched: Touched) -> bool {
        let passes = |key| self.steps.contains(&Step::Key(key));
        let of_release = [
            "values",
            "valuesFrom",
            "chart",
            "chartRef",
            "postRenderers",
            "suspend",
            "kubeConfig",
        ];
        let is_release = |step: &Step<'_>| of_release.iter().any(|key| *step == Step::Key(key));
        if self.steps.get(1).is_some_and(is_release) || self.steps.first() == Some(&Step::Key("data")) {
            touched.values
        } else if passes("containers") || passes("manager") {
            touched.arguments
        } else if passes("annotations") {
            touched.annotations
        } else {
            touched.replicas
        }
    }
}

/// Finds a field from a node on. `strict` for a patch: what takes something away there is refused.
pub(super) fn locate(from: Node<'_>, steps: &[Step<'_>], strict: bool) -> Result<Located, Refused> {
    let mut node = from;
    let mut tokens: Vec<String> = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let line = node.position().line;
        if strict {
            no_directive(node)?;
        }
        match step {
            Step::Key(key) => {
                tokens.push((*key).to_owned());
                let below = node.get(key).map_err(|duplicate| {
                    let (line, key) = (duplicate.second.line, duplicate.key);
                    Refused::at(line, Refusal::DuplicateKey { key })
                })?;
                let Some(value) = below else {
                    return missing(node, steps, index, tokens);
                };
                let is_last = index + 1 == steps.len();
                if strict && value.is_null() && !is_last {
                    let line = value.position().line;
                    return Err(Refused::shape(line, format!("null takes {key} away")));
                }
                node = value;
            }
            Step::Named(name) => match node.kind() {
                Kind::Sequence { .. } => {
                    let mut found = None;
                    for (index, item) in node.items().enumerate() {
                        if strict {
                            no_directive(item)?;
                        }
                        let named = match item.kind() {
                            Kind::Alias => return Err(Refused::at(item.position().line, Refusal::Alias)),
                            _ => find(item, &["name"]).and_then(Node::text) == Some(name),
                        };
                        if named && found.replace((index, item)).is_some() {
                            let message = format!("{name} stands in the list more than once");
                            return Err(Refused::shape(item.position().line, message));
                        }
                    }
                    let Some((index, item)) = found else {
                        return Ok(Located::NoItem);
                    };
                    tokens.push(index.to_string());
                    node = item;
                }
                Kind::Alias => return Err(Refused::at(line, Refusal::Alias)),
                _ if node.is_null() => return Ok(Located::Nowhere),
                _ => return Err(Refused::shape(line, "a list is expected here")),
            },
        }
    }
    Ok(Located::At(tokens))
}

/// What is missing on the way: a list with all that is in it, or the field alone.
fn missing(node: Node<'_>, steps: &[Step<'_>], index: usize, mut tokens: Vec<String>) -> Result<Located, Refused> {
    let rest = &steps[index + 1..];
    if rest.iter().any(|step| matches!(step, Step::Named(_))) {
        let line = node.position().line;
        return match node.kind() {
            Kind::Alias => Err(Refused::at(line, Refusal::Alias)),
            _ if node.has_merge_key() => Err(Refused::at(line, Refusal::MergeKey)),
            Kind::Mapping { .. } => Ok(Located::Nowhere),
            _ if node.is_null() => Ok(Located::Nowhere),
            _ => Err(Refused::shape(line, "a mapping is expected here")),
        };
    }
    tokens.extend(rest.iter().filter_map(|step| match step {
        Step::Key(key) => Some((*key).to_owned()),
        Step::Named(_) => None,
    }));
    Ok(Located::At(tokens))
}

/// A strategic merge may say what is to be deleted or replaced (`$patch`, `$deleteFromPrimitiveList`, `$retainKeys`).
fn no_directive(node: Node<'_>) -> Result<(), Refused> {
    let directive = node
        .entries()
        .find(|entry| entry.key_text().is_some_and(|key| key.starts_with('$')));
    match directive {
        None => Ok(()),
        Some(entry) => {
            let key = entry.key_text().unwrap_or_default();
            let message = format!("the directive {key} of a strategic merge stands beside it");
            Err(Refused::shape(entry.key.position().line, message))
        }
    }
}

/// The names of the items of the list that a field is in; nothing if the document has no such list.
pub(super) fn names(document: &Document<'_>, field: &Field<'_>) -> Option<Vec<Option<String>>> {
    let (length, _) = field.list()?;
    let keys: Vec<&str> = field.steps[..length]
        .iter()
        .filter_map(|step| match step {
            Step::Key(key) => Some(*key),
            Step::Named(_) => None,
        })
        .collect();
    let list = find(document.root, &keys)?;
    list.is_sequence().then(|| list.items().map(name_of).collect())
}

/// The name of an item of a list.
pub(super) fn name_of(item: Node<'_>) -> Option<String> {
    find(item, &["name"]).and_then(Node::text).map(str::to_owned)
}

/// A refusal for what a document says nothing about.
pub(super) fn absent(document: &Document<'_>, field: &Field<'_>) -> Refused {
    let tokens = field.steps.iter().map(|step| match step {
        Step::Key(key) | Step::Named(key) => *key,
    });
    let pointer = json_patch::jsonptr::PointerBuf::from_tokens(tokens);
    match document.root.lookup(&pointer).map_err(document::refused) {
        Err(refused) if !matches!(refused.refusal, Refusal::Absent { .. }) && field.list().is_none() => refused,
        _ => Refused::at(
            document.line(),
            Refusal::Absent {
                pointer: pointer.to_string(),
            },
        ),
    }
}
