//! Values that several overlays have in common, and the patch by which one of them gets a value of its own.

use json_patch::jsonptr::PointerBuf;

use crate::model::{Form, Place, Refusal, SharedField, Site};
use crate::policy::OnSharedBase;
use crate::yaml::Kind;

use super::document::At;
use super::index::{Content, Identity, Index, Object, Shared};

/// Refuses a value that stands in a document of which other objects come, too.
///
/// The refusal says where a patch would change it for one object, if the object is known.
pub(super) fn refuse_shared(index: &Index<'_>, object: usize, identity: Option<&Identity>, site: &mut Site) {
    let Some(shared) = index.shared_by(object) else {
        return;
    };
    let Site::Writable(place) = &*site else { return };
    let patch = identity.and_then(|identity| patch_place(index, identity, object, place));
    site.refuse(None, || match shared {
        Shared::Overlays(used_by) => Refusal::SharedBase {
            used_by,
            patch: patch.map(Box::new),
        },
        Shared::Objects(objects) => {
            let message = format!("it is the value of several objects at once: {}", objects.join(", "));
            Refusal::WrongShape { message }
        }
        Shared::Doubtful(message) => Refusal::WrongShape { message },
    });
}

/// Where a patch would change a value for one object alone; nothing unless that is certain.
///
/// The patch is an operation on a field that keys lead to: an item of a list is known by its number alone there, and another patch may
/// move it.
fn patch_place(index: &Index<'_>, identity: &Identity, object: usize, shared: &Place) -> Option<Place> {
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
