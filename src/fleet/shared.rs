//! Values that several overlays have in common, and the patch by which one of them gets a value of its own.

use json_patch::jsonptr::PointerBuf;

use crate::model::{Form, Place, Refusal, SharedField, Site};
use crate::policy::OnSharedBase;
use crate::yaml::{self, Kind};

use super::document::{At, Document};
use super::gate::Refused;
use super::index::{Content, Identity, Index, Object, Overlay, Shared};

/// Refuses a value that stands in a document of which other objects come, too.
///
/// The refusal says where a patch would change it for one object, if the object is known.
pub(super) fn refuse_shared(index: &Index<'_>, object: usize, identity: Option<&Identity>, site: &mut Site) {
    let Some(shared) = index.shared_by(object) else {
        return;
    };
    let Site::Writable(place) = &*site else { return };
    let (patch, no_patch) = match identity.map(|identity| patch_place(index, identity, object, place)) {
        Some(Ok(patch)) => (Some(Box::new(patch)), None),
        Some(Err(why)) => (None, Some(why)),
        None => (None, None),
    };
    site.refuse(None, || match shared {
        Shared::Overlays(used_by) => Refusal::SharedBase {
            used_by,
            patch,
            no_patch,
        },
        Shared::Objects(objects) => {
            let message = format!("it is the value of several objects at once: {}", objects.join(", "));
            Refusal::WrongShape { message }
        }
        Shared::Doubtful(message) => Refusal::WrongShape { message },
    });
}

/// Where a patch would change a value for one object alone, or why that is not certain.
///
/// The patch is an operation on a field that keys lead to: an item of a list is known by its number alone there, and another patch may
/// move it.
fn patch_place(index: &Index<'_>, identity: &Identity, object: usize, shared: &Place) -> Result<Place, String> {
    let Object { at, content, .. } = &index.objects[object];
    let is_text = match &shared.form {
        Form::Scalar => false,
        Form::Prefixed { prefix } if prefix.is_empty() => true,
        _ => return Err("the value is a part of something that a patch sets as a whole".to_owned()),
    };
    let is_whole = matches!(content, Content::Says(_)) && at.outer.is_none() && at.prefix.is_root();
    if !is_whole || shared.embedded.is_some() {
        return Err("the value stands in a text, in a list of objects or in a list of operations".to_owned());
    }
    let by_keys = shared
        .pointer
        .tokens()
        .all(|token| token.decoded().parse::<usize>().is_err());
    if !by_keys {
        return Err("a patch would have to count the items of the list that the value is in".to_owned());
    }
    let overlay = index.overlay_of(object, identity)?;
    let root = At {
        document: 0,
        prefix: PointerBuf::root(),
        outer: None,
    };
    let looked = index.opened.look(&overlay.path, &root, |document| {
        joined(document, &overlay, shared, is_text)
    });
    looked.unwrap_or_else(|| Err(format!("{} can't be read", overlay.path)))
}

/// The place of a new patch among those of a kustomization, or why there is none.
fn joined(document: &Document<'_>, overlay: &Overlay, shared: &Place, is_text: bool) -> Result<Place, String> {
    let path = &overlay.path;
    let patches = match document.root.get("patches") {
        Ok(patches) => patches,
        Err(duplicate) => return Err(format!("{path}:{}: patches stands there twice", duplicate.second.line)),
    };
    let line = patches.map_or(document.line(), |list| list.position().line);
    let refuse = |why: &str| Err(format!("{path}:{line}: {why}"));
    if let Some(Refused { refusal, line }) = &document.standing {
        return Err(format!("{path}:{line}: {refusal}"));
    }
    if !matches!(document.root.kind(), Kind::Mapping { flow: false }) {
        return refuse("the kustomization is not written in lines of its own");
    }
    if patches.is_some_and(|list| !matches!(list.kind(), Kind::Sequence { flow: false })) {
        return refuse(
            "its patches are not written as a list of lines, which a new one could join; remove the key if it is empty",
        );
    }
    let last = patches.or_else(|| document.root.entries().last().map(|entry| entry.value));
    match last {
        Some(last) if yaml::end_of_lines(last).is_none() => {
            return refuse(
                "it ends with a block scalar (`|+`, or without a line break) to which a new line would belong",
            );
        }
        None => return refuse("the kustomization is empty"),
        Some(_) => {}
    }
    Ok(Place {
        path: path.clone(),
        document: document.index,
        object: document.key.clone(),
        pointer: PointerBuf::root(),
        embedded: None,
        line,
        form: Form::Patched(Box::new(SharedField {
            object: overlay.object.clone(),
            field: shared.pointer.clone(),
            is_text,
        })),
    })
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
