//! A new patch for one overlay, where the value itself is shared by several.

use json_patch::jsonptr::PointerBuf;

use crate::fleet::document::At;
use crate::fleet::index::{Content, Identity, Index, Object};
use crate::model::{Form, Place, Refusal, SharedField, Site};
use crate::policy::OnSharedBase;
use crate::yaml::Kind;

/// Where a patch would change a value for one object alone; nothing unless that is certain.
///
/// The patch is an operation on a field that keys lead to: an item of a list is known by its number alone there, and another patch may
/// move it.
pub(super) fn place(index: &Index<'_>, identity: &Identity, object: usize, shared: &Place) -> Option<Place> {
    let Object { at, content, .. } = &index.objects[object];
    let is_text = match &shared.form {
        Form::Scalar => false,
        Form::Prefixed { prefix } if prefix.is_empty() => true,
        _ => return None,
    };
    let by_keys = shared
        .pointer
        .tokens()
        .all(|token| token.decoded().parse::<usize>().is_err());
    let is_whole = matches!(content, Content::Says(_)) && at.outer.is_none() && at.prefix.is_root();
    if !by_keys || !is_whole || shared.embedded.is_some() {
        return None;
    }
    let overlay = index.overlay_of(object, identity)?;
    let root = At {
        document: 0,
        prefix: PointerBuf::root(),
        outer: None,
    };
    index.opened.look(&overlay.path, &root, |document| {
        let is_block = matches!(document.root.kind(), Kind::Mapping { flow: false });
        let patches = document.root.get("patches").ok()?;
        let can_join = patches.is_none_or(|list| matches!(list.kind(), Kind::Sequence { flow: false }));
        if !is_block || !can_join || document.standing.is_some() {
            return None;
        }
        Some(Place {
            path: overlay.path.clone(),
            document: document.index,
            object: document.key.clone(),
            pointer: PointerBuf::root(),
            embedded: None,
            line: patches.map_or(document.line(), |list| list.position().line),
            form: Form::Patched(Box::new(SharedField {
                object: overlay.object.clone(),
                field: shared.pointer.clone(),
                is_text,
            })),
        })
    })?
}

/// Makes a shared value writable by a new patch, if the policy wants that.
pub(super) fn patch(site: &mut Site, wanted: OnSharedBase) {
    if let Site::Refused {
        refusal: Refusal::SharedBase { patch: Some(place), .. },
        ..
    } = site
        && wanted == OnSharedBase::Patch
    {
        *site = Site::Writable((**place).clone());
    }
}
