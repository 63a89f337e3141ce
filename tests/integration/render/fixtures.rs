//! Every value of the shipped fleet, edited one by one.

use std::collections::BTreeMap;
use std::path::Path;

use fleetscale::model::{Edit, Location, ObjectKey};
use fleetscale::yaml::{Node, Stream};
use json_patch::jsonptr::PointerBuf;

use super::generated::{check, draw_edit};
use super::writer::Tape;
use crate::support::readers::places;

fn yaml_files(folder: &Path, into: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.extension().and_then(|extension| extension.to_str()) {
            _ if path.is_dir() => yaml_files(&path, into),
            Some("yaml" | "yml" | "json") => into.push(path),
            _ => {}
        }
    }
}

fn object(root: Node<'_>) -> ObjectKey {
    let text = |node: Node<'_>, key: &str| {
        let value = node.get(key).ok().flatten();
        value.and_then(Node::text).unwrap_or_default().to_owned()
    };
    let metadata = root.get("metadata").ok().flatten();
    let in_metadata = |key| metadata.map(|metadata| text(metadata, key)).unwrap_or_default();
    let (version, kind) = (text(root, "apiVersion"), text(root, "kind"));
    let known = !version.is_empty() && !kind.is_empty();
    let only_if_known = |text: &str| if known { text.into() } else { "".into() };
    ObjectKey {
        group: only_if_known(version.split_once('/').map_or("", |(group, _)| group)),
        kind: only_if_known(&kind),
        namespace: only_if_known(&in_metadata("namespace")),
        name: only_if_known(&in_metadata("name")),
    }
}

/// Points a drawn edit at the object that its document is about.
fn meant_for(edit: Edit, object: ObjectKey) -> Edit {
    let at = |at: Location| Location { object, ..at };
    match edit {
        Edit::Replace { at: old, from, to } => Edit::Replace { at: at(old), from, to },
        Edit::InsertKey { at: old, key, value } => Edit::InsertKey {
            at: at(old),
            key,
            value,
        },
        Edit::AppendItem { at: old, value } => Edit::AppendItem { at: at(old), value },
        Edit::AppendPatch { at: old, patch } => Edit::AppendPatch { at: at(old), patch },
        moved @ Edit::Move { .. } => moved,
    }
}

#[test]
fn every_value_of_the_shipped_fleet_can_be_edited_or_is_refused_for_a_reason() {
    let mut files = Vec::new();
    yaml_files(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/quickstart/fleet"),
        &mut files,
    );
    assert!(files.len() > 20, "{files:?}");
    let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let Ok(stream) = Stream::parse(&text) else {
            *outcomes.entry("not YAML").or_default() += 1;
            continue;
        };
        let roots: Vec<Node<'_>> = stream.documents().iter().map(|document| document.root).collect();
        for place in places(&stream) {
            let identity = ["/apiVersion", "/kind", "/metadata/name", "/metadata/namespace"];
            // The undo of an edit of the identity would be an edit of another object.
            if identity
                .iter()
                .any(|pointer| place.1 == PointerBuf::parse(*pointer).unwrap())
            {
                continue;
            }
            for choice in 0..4 {
                let edit = draw_edit(&mut Tape::of(&[choice, 77, 2]), &place);
                let edit = meant_for(edit, object(roots[place.0]));
                match check(&text, place.2, &edit) {
                    Ok(outcome) => *outcomes.entry(outcome).or_default() += 1,
                    Err(error) => panic!("{}: {edit:?}: {error}", file.display()),
                }
            }
        }
    }
    println!("{outcomes:?}");
    assert!(outcomes["edited and patched"] > 1000, "{outcomes:?}");
}
