//! From a change and its place to the edits that make it.

use json_patch::jsonptr::PointerBuf;

use crate::model::{
    Change, Declared, Edit, Form, Location, NamespaceSite, Place, Placement, PlacementRequest, Scalar, Site, Target,
};

/// The edits of a change of a value; nothing if the target has no place that can be written.
pub(super) fn of_change(declared: &Declared, target: &Target, change: &Change) -> Option<Vec<Edit>> {
    let Site::Writable(place) = &declared.bindings.get(target)?.site else {
        return None;
    };
    let at = location(place);
    let with = |prefix: &str, value: &Scalar| Scalar::Text(format!("{prefix}{value}"));
    Some(vec![match &place.form {
        Form::Scalar => Edit::Replace {
            at,
            from: change.from.clone(),
            to: change.to.clone(),
        },
        Form::Prefixed { prefix } => Edit::Replace {
            at,
            from: with(prefix, &change.from),
            to: with(prefix, &change.to),
        },
        Form::Appended { prefix } => Edit::AppendItem {
            at,
            value: with(prefix, &change.to),
        },
    }])
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
        Edit::AppendItem {
            at: location(list),
            value: Scalar::Text(path.file_name().to_owned()),
        },
    ])
}

fn location(place: &Place) -> Location {
    Location {
        path: place.path.clone(),
        document: place.document,
        object: place.object.clone(),
        pointer: place.pointer.clone(),
    }
}
