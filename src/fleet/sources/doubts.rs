//! What may apply folders otherwise than its own object says: a patch changes it, or it names an address that is not known to be this
//! repository's.
//!
//! A number that such an applier applies is held, since an edit may have no effect, or another one. Who knows better says so: with an address
//! in `aliases`, or with what the patch says written into the object itself.

use crate::fleet::address::Address;
use crate::fleet::kustomize::{self, Kustomization, Patch, PatchContent};
use crate::fleet::resolve::Graph;
use crate::fleet::tree::FleetTree;

use super::{GitRepository, Origin, OwnerOf, Reference, Sources, Whence, patch_of, text_in};

/// The fields of Flux and Argo CD that say what is applied, and how. Variables are not among them: whoever fills them in is asked itself.
const FIELDS: [&str; 14] = [
    "suspend",
    "patches",
    "targetNamespace",
    "kubeConfig",
    "components",
    "namePrefix",
    "nameSuffix",
    "commonMetadata",
    "source",
    "destination",
    "kustomize",
    "template",
    "generators",
    "directory",
];

/// Writes its doubt down at each applier of a graph. `unnamed` are the addresses of this repository if no object names one of them, with all
/// that Flux fetches.
pub(super) fn add(
    tree: &FleetTree,
    graph: &mut Graph,
    unnamed: Option<(Vec<Address>, Vec<GitRepository>)>,
    owner_of: OwnerOf<'_>,
) {
    if !graph.kustomizations.iter().any(|user| user.role.applies()) {
        return;
    }
    let strict = unnamed.map(|(own, repositories)| {
        let mut strict = Sources {
            own,
            ..Sources::default()
        };
        strict.add(tree, graph, repositories, owner_of);
        strict
    });
    let doubts: Vec<Option<String>> = graph
        .kustomizations
        .iter()
        .map(|applier| {
            let origin = applier.origin.as_ref().filter(|_| applier.doubt.is_none())?;
            patched(tree, graph, applier, origin).or_else(|| {
                let is_another = strict
                    .as_ref()?
                    .is_another(tree, graph, &applier.path, origin, owner_of);
                is_another.then(|| from_elsewhere(applier, origin))
            })
        })
        .collect();
    for (applier, doubt) in graph.kustomizations.iter_mut().zip(doubts) {
        applier.doubt = applier.doubt.take().or(doubt);
    }
}

fn patched(tree: &FleetTree, graph: &Graph, applier: &Kustomization, Origin { object, .. }: &Origin) -> Option<String> {
    let asked_for = |user: &Kustomization, patch: &Patch| changes_what_is_applied(tree, user, patch, &object.name);
    let (user, patch) = patch_of(tree, graph, &applier.path, object, asked_for)?;
    let (path, by, line) = (&applier.path, &user.path, patch.line);
    Some(format!(
        "{object} ({path}) applies it, and the patch at {by}:{line} may change what that applies, or how"
    ))
}

fn from_elsewhere(applier: &Kustomization, Origin { object, whence }: &Origin) -> String {
    let from = match whence {
        Whence::Address(address) => address.clone(),
        Whence::Reference(Reference { kind, name, .. }) => format!("the {kind} {name}"),
        Whence::Unknown => "an unknown source".to_owned(),
    };
    format!(
        "{object} ({}) applies it from {from}, which is no address of this repository that is known; if it is one, name the address in \
         spec.repository.aliases of the fleet file",
        applier.path
    )
}

/// Whether a patch speaks of a field that says what is applied, and of the object, if it has no target. One that is not read may.
fn changes_what_is_applied(
    tree: &FleetTree,
    user: &Kustomization,
    Patch { content, target, .. }: &Patch,
    name: &str,
) -> bool {
    // Names that kustomizations give have the first one in them.
    let speaks_of_it = |text: &str| speaks_of_fields(text) && (target.is_some() || text.contains(name));
    match content {
        PatchContent::Opaque(_) => true,
        PatchContent::Count(_) => false,
        PatchContent::Fields(fields) => speaks_of_it(&fields.words()),
        PatchContent::File(text) => {
            let path = kustomize::relative(&user.path, text);
            let bytes = path.and_then(|path| tree.file(&path).ok());
            bytes.is_none_or(|bytes| speaks_of_it(&String::from_utf8_lossy(bytes)))
        }
        PatchContent::Text(pointer) => text_in(tree, user, pointer).is_none_or(|text| speaks_of_it(&text)),
    }
}

fn speaks_of_fields(text: &str) -> bool {
    // Every operation has a path of its own.
    let has_operations = ["op:", "\"op\""].iter().any(|mark| text.contains(mark));
    let path = if has_operations { "/spec/path" } else { "path" };
    text.contains(path) || FIELDS.iter().any(|field| text.contains(field))
}
