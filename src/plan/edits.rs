//! From a change and its place to the edits that make it.

use json_patch::jsonptr::PointerBuf;

use crate::model::{
    Change, Declared, Edit, Location, NamespaceSite, Placement, PlacementRequest, Scalar, Site, Target,
};

/// The edits of a change of a value; nothing if the target has no place that can be written.
pub(super) fn of_change(declared: &Declared, target: &Target, change: &Change) -> Option<Vec<Edit>> {
    let Site::Writable(place) = &declared.bindings.get(target)?.site else {
        return None;
    };
    Some(vec![place.edit(&change.from, &change.to)])
}

/// The edits of a placement: the file moves, each document gets the namespace, and the shard's kustomization lists it.
pub(super) fn of_placement(declared: &Declared, target: &Target, placement: &Placement) -> Option<Vec<Edit>> {
    let PlacementRequest { path, documents, .. } = declared.requests.get(target)?;
    let shard = declared.shards.get(&placement.shard)?;
    let Site::Writable(list) = &shard.kustomization else {
        return None;
    };
    let namespace = Scalar::Text(placement.namespace.to_string());
    let edits = documents.as_ref().ok()?.iter().filter_map(|document| {
        let NamespaceSite {
            document,
            object,
            namespace: old,
        } = document;
        let at = |pointer| Location {
            path: path.clone(),
            document: *document,
            object: object.clone(),
            pointer,
            embedded: None,
        };
        match old {
            None => Some(Edit::InsertKey {
                at: at(PointerBuf::from_tokens(["metadata"])),
                key: "namespace".to_owned(),
                value: namespace.clone(),
            }),
            Some(old) if *old == placement.namespace.as_str() => None,
            Some(old) => Some(Edit::Replace {
                at: at(PointerBuf::from_tokens(["metadata", "namespace"])),
                from: Scalar::Text(old.clone()),
                to: namespace.clone(),
            }),
        }
    });
    let to = shard.folder.join(path.file_name()).ok()?;
    Some(vec![
        Edit::Move {
            from: path.clone(),
            to,
            edits: edits.collect(),
        },
        list.edit(&Scalar::Text(String::new()), &Scalar::Text(path.file_name().to_owned())),
    ])
}
