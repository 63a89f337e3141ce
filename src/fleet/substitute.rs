//! A variable that Flux fills in, and the place that gives its value.
//!
//! `replicas: ${workers}` says nothing itself: the number stands in `spec.postBuild.substitute` of the Flux Kustomization that applies the
//! object, or in a ConfigMap that it names. Only a value that is one variable and nothing else is followed, and only if nothing else of what
//! is applied uses the variable.

use crate::model::{Refusal, RepoPath, Site};
use crate::yaml::Node;

use super::appliers::FLUX;
use super::document::{At, Document};
use super::field::Field;
use super::find::find;
use super::index::{Identity, Index, Instance};
use super::layers;
use super::owners;
use super::shapes::{Reading, text_integer};

/// A Flux Kustomization that fills in variables.
#[derive(Debug, Clone)]
pub(super) struct Substituter {
    /// Its file.
    pub(super) path: RepoPath,
    /// Where it stands in the file.
    pub(super) at: At,
    /// The files that it applies and that mention a variable.
    pub(super) files: Vec<RepoPath>,
}

/// Follows a value that is a variable to the place that gives it, with the object that has it. A reading of anything else stays.
pub(super) fn follow(index: &Index<'_>, instance: &Instance, number: usize, reading: Reading) -> (usize, Reading) {
    let Site::Refused {
        refusal: Refusal::Variable { text },
        path,
        line,
    } = &reading.site
    else {
        return (number, reading);
    };
    let Some(name) = name_of(text) else {
        return (number, reading);
    };
    let [substituter] = &instance.variables[..] else {
        return (number, reading);
    };
    let substituter = &index.substituters[*substituter];
    let refused = |message: String| Reading {
        site: Site::Refused {
            path: path.clone(),
            line: *line,
            refusal: Refusal::WrongShape { message },
        },
        ..reading.clone()
    };
    let Some((object, mut found)) = value(index, substituter, name) else {
        let at = &substituter.path;
        return (
            number,
            refused(format!(
                "{at} gives no value for the variable {name} that can be read here"
            )),
        );
    };
    let uses = uses(index, substituter, name);
    if uses.len() != 1 {
        let places: Vec<String> = uses.iter().take(3).cloned().collect();
        let (count, places) = (uses.len(), places.join(", "));
        let message = format!("the variable {name} is used {count} times: {places}");
        found.refuse_as(Refusal::WrongShape { message });
    }
    found.holds.extend(reading.holds);
    (object, found)
}

/// The name of the variable that a text is: `${name}`, perhaps with a default (`:=`, `:-`, as Flux documents them).
fn name_of(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("${")?.strip_suffix('}')?;
    let end = inner
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(inner.len());
    let (name, default) = inner.split_at(end);
    let plain = default.is_empty() || default.starts_with(":=") || default.starts_with(":-");
    (!name.is_empty() && plain && !default.contains('$')).then_some(name)
}

/// The place of a variable: `substitute` wins over `substituteFrom`, and there the last one that has it (Flux's documentation, "Post build
/// variable substitution").
fn value(index: &Index<'_>, substituter: &Substituter, name: &str) -> Option<(usize, Reading)> {
    let (identity, instance) = instance_of(index, &substituter.path, &substituter.at)?;
    let field = Field::keys(&["spec", "postBuild", "substitute", name]);
    let (number, own) = layers::value(index, instance, &field, text_integer)?;
    if own.written {
        return Some((number, marked(index, (identity, instance), &field, own)));
    }
    let sources = index
        .opened
        .look(&substituter.path, &substituter.at, sources)
        .unwrap_or_default();
    for source in sources.into_iter().rev() {
        let Some(config_map) = source else {
            // A Secret may have it, and nobody reads that.
            return None;
        };
        let object = ["", "ConfigMap", config_map.as_str()];
        let in_namespace = |(found, _): &(&Identity, _)| found.namespace == identity.namespace;
        let mut instances = index
            .all_named(&identity.management_cluster, object)
            .filter(in_namespace);
        let (Some((identity, instance)), None) = (instances.next(), instances.next()) else {
            return None;
        };
        let field = Field::keys(&["data", name]);
        let (number, found) = layers::value(index, instance, &field, text_integer)?;
        if found.written {
            return Some((number, marked(index, (identity, instance), &field, found)));
        }
    }
    None
}

/// Adds what the object that gives a value says of itself: who holds it, and why it may not be changed.
fn marked(
    index: &Index<'_>,
    (identity, instance): (&Identity, &Instance),
    field: &Field<'_>,
    mut reading: Reading,
) -> Reading {
    reading.holds.extend(instance.holds.iter().cloned());
    for said in instance.sources().filter_map(|number| index.objects[number].said()) {
        reading.holds.extend(said.hold.clone());
        if let Some(refused) = &said.refused {
            reading.refuse_as(refused.refusal.clone());
        }
    }
    if let Some(refusal) = owners::owner(index, identity, std::slice::from_ref(instance), field) {
        reading.refuse_as(refusal);
    }
    reading
}

/// The ConfigMaps of `substituteFrom` in their order; nothing for what is no ConfigMap.
fn sources(document: &Document<'_>) -> Vec<Option<String>> {
    let list = find(document.root, &["spec", "postBuild", "substituteFrom"]);
    let source = |item: Node<'_>| {
        let text = |key| find(item, &[key]).and_then(Node::text);
        (text("kind") == Some("ConfigMap")).then(|| text("name").map(str::to_owned))?
    };
    list.into_iter().flat_map(Node::items).map(source).collect()
}

fn instance_of<'i>(index: &'i Index<'_>, path: &RepoPath, at: &At) -> Option<(&'i Identity, &'i Instance)> {
    let mut found = index
        .instances
        .iter()
        .filter(|(identity, _)| identity.kind == "Kustomization" && identity.group == FLUX)
        .flat_map(|(identity, instances)| instances.iter().map(move |instance| (&**identity, instance)))
        .filter(|(_, instance)| {
            let object = &index.objects[instance.object];
            object.path == *path && object.at == *at
        });
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// Where a variable is used in what is applied with it; comments don't count.
fn uses(index: &Index<'_>, substituter: &Substituter, name: &str) -> Vec<String> {
    let start = format!("${{{name}");
    let mut uses = Vec::new();
    for path in &substituter.files {
        let Ok(manifest) = index.opened.manifest(path) else {
            uses.push(path.to_string());
            continue;
        };
        for (number, line) in manifest.stream().text().lines().enumerate() {
            if line.trim_start().starts_with('#') {
                continue;
            }
            let ends = line
                .match_indices(&start)
                .map(|(at, _)| line[at + start.len()..].chars().next());
            let of_it = ends.filter(|next| !next.is_some_and(|next| next.is_ascii_alphanumeric() || next == '_'));
            uses.extend(of_it.map(|_| format!("{path}:{}", number + 1)));
        }
    }
    uses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_one_variable_or_none() {
        for (text, name) in [
            ("${workers}", Some("workers")),
            ("${workers:=3}", Some("workers")),
            ("${workers:-3}", Some("workers")),
            ("${a}${b}", None),
            ("x${a}", None),
            ("${a:3}", None),
            ("${a:=${b}}", None),
            ("${}", None),
            ("$(a)", None),
            ("${a/b/c}", None),
        ] {
            assert_eq!(name_of(text), name, "{text}");
        }
    }
}
