//! The place that a policy names with `writeTo`: a file, perhaps an object in it, perhaps a pointer.

use json_patch::jsonptr::PointerBuf;

use crate::fleet::document::{Document, Manifest};
use crate::fleet::gate::Refused;
use crate::fleet::shapes::{self, Reading, Said, values};
use crate::fleet::tree::FleetTree;
use crate::model::{ComponentName, InvalidName, ObjectKey, Refusal, RepoPath, Site};
use crate::policy::{Candidate, WriteTo, WriteToObject};

/// The number of nodes of a group at the place that its policy names.
pub(super) fn node_group(tree: &FleetTree, write_to: &WriteTo, candidate: &Candidate<'_>) -> Reading {
    in_file(tree, write_to, candidate, None, None, |document| {
        if let Some(pointer) = &write_to.pointer {
            return values::locate(document, pointer);
        }
        let group = candidate.node_group.map_or("", |name| name.as_str());
        let claims = shapes::of(document)
            .map(|shape| (shape.read)(document).groups)
            .unwrap_or_default();
        let entries = claims
            .into_iter()
            .filter(|claim| claim.group == group || document.key.kind != "Cluster");
        let mut readings: Vec<Reading> = entries.map(|claim| claim.replicas).collect();
        if let [_] = readings[..] {
            return readings.remove(0);
        }
        let object = format!("the node group {group} in {}", document.key);
        Reading::unwritten(document, Refused::at(document.line(), Refusal::NoSuchObject { object }))
    })
}

/// A value of a component at the place that its policy names: `read` is given the document.
pub(super) fn component(
    tree: &FleetTree,
    write_to: &WriteTo,
    candidate: &Candidate<'_>,
    component: &ComponentName,
    default: Option<&WriteToObject>,
    read: impl FnOnce(&Document<'_>) -> Reading,
) -> Reading {
    in_file(tree, write_to, candidate, Some(component), default, read)
}

fn in_file(
    tree: &FleetTree,
    write_to: &WriteTo,
    candidate: &Candidate<'_>,
    component: Option<&ComponentName>,
    default: Option<&WriteToObject>,
    read: impl FnOnce(&Document<'_>) -> Reading,
) -> Reading {
    let path = match write_to.path.fill(candidate, component) {
        Ok(path) => path,
        Err(InvalidName { what, why, .. }) => {
            let message = format!("the policy's writeTo makes a {what} that {why}");
            return nowhere(None, Refused::at(0, Refusal::BadName { message }));
        }
    };
    let manifest = match Manifest::open(tree, &path) {
        Ok(manifest) => manifest,
        Err(refused) => return nowhere(Some(&path), refused),
    };
    let documents = manifest.documents();
    let wanted = write_to
        .object
        .as_ref()
        .or(default)
        .map(|object| wanted(object, candidate, component));
    let found = match &wanted {
        None => only_document(documents.objects),
        Some(wanted) => only_object(documents.objects, wanted),
    };
    // An object that says twice what it is may be the one that is meant.
    match (documents.unidentified.into_iter().next(), found) {
        (Some(refused), _) | (None, Err(refused)) => nowhere(Some(&path), refused),
        (None, Ok(document)) => {
            let mut reading = read(&document);
            let Said { hold, refused, .. } = shapes::marked(&document);
            reading.holds.extend(hold);
            reading.refuse(&document, refused);
            reading
        }
    }
}

/// A kind, and a name and namespace that may be left open.
struct Wanted {
    kind: String,
    name: Option<String>,
    namespace: Option<String>,
}

fn wanted(object: &WriteToObject, candidate: &Candidate<'_>, component: Option<&ComponentName>) -> Wanted {
    let WriteToObject { kind, name, namespace } = object;
    Wanted {
        kind: kind.clone(),
        name: name.as_ref().map(|name| name.fill(candidate, component)),
        namespace: namespace.as_ref().map(|name| name.fill(candidate, component)),
    }
}

fn only_document(mut documents: Vec<Document<'_>>) -> Result<Document<'_>, Refused> {
    match documents.len() {
        1 => Ok(documents.remove(0)),
        0 => Err(Refused::shape(0, "the file that the policy's writeTo names is empty")),
        count => {
            let message = format!("the file has {count} documents, and the policy's writeTo names none of them");
            Err(Refused::shape(documents[1].line(), message))
        }
    }
}

fn only_object<'s>(documents: Vec<Document<'s>>, wanted: &Wanted) -> Result<Document<'s>, Refused> {
    let Wanted { kind, name, namespace } = wanted;
    let meant = |key: &ObjectKey| {
        key.kind == *kind
            && name.as_ref().is_none_or(|name| *name == key.name)
            && namespace.as_ref().is_none_or(|namespace| *namespace == key.namespace)
    };
    let mut found: Vec<Document<'s>> = documents.into_iter().filter(|document| meant(&document.key)).collect();
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => {
            let names = [namespace, name].into_iter().flatten().map(String::as_str);
            let names: Vec<&str> = names.collect();
            let object = format!("{kind} {}", names.join("/")).trim_end().to_owned();
            Err(Refused::at(0, Refusal::NoSuchObject { object }))
        }
        _ => {
            let places = found
                .iter()
                .map(|found| format!("{}:{}", found.path, found.line()))
                .collect();
            Err(Refused::at(found[1].line(), Refusal::Ambiguous { places }))
        }
    }
}

/// A value for which there is no document.
fn nowhere(path: Option<&RepoPath>, refused: Refused) -> Reading {
    let Refused { line, refusal } = refused;
    Reading {
        value: None,
        site: Site::Refused {
            path: path.cloned(),
            line,
            refusal,
        },
        written: false,
        holds: Vec::new(),
    }
}

/// The pointer of a policy, or the usual one.
pub(super) fn pointer_or(write_to: &WriteTo, usual: [&str; 2]) -> PointerBuf {
    write_to
        .pointer
        .clone()
        .unwrap_or_else(|| PointerBuf::from_tokens(usual))
}
