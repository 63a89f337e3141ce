//! What a kustomization says, as far as it decides where an object ends up and who writes its values last.
//!
//! This is no kustomize: nothing is built. Whatever a kustomization may do to an object that is not understood here makes the object's
//! values unwritable, never wrong. Absent on purpose: images and labels, which touch no value that is edited.

use json_patch::jsonptr::PointerBuf;
use smol_str::SmolStr;

use crate::model::{Refusal, RepoPath};
use crate::yaml::{Kind, Node};

use super::affixes::Affixes;
use super::common_annotations::CommonAnnotations;
use super::document::Manifest;
use super::gate::Refused;
use super::ignored::Ignored;
use super::patch_target::{PatchTarget, Pattern};
use super::replacement::{self, Fields};
use super::sources::Origin;
use super::touched::Touched;
use super::tree::FleetTree;

/// The names that kustomize looks for in a folder (`konfig.RecognizedKustomizationFileNames`).
const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Whether a file is a kustomization by its name.
pub(super) fn is_name(name: &str) -> bool {
    NAMES.contains(&name)
}

/// One kustomization file, or an object of Flux or Argo CD that does the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kustomization {
    /// The file.
    pub(super) path: RepoPath,
    /// Which document of the file's stream, counted from 0.
    pub(super) document: usize,
    /// The pointer from the document's root to it; empty unless it is an item of a list.
    pub(super) prefix: PointerBuf,
    /// What it is.
    pub(super) role: Role,
    /// The namespace that it gives to everything.
    pub(super) namespace: Option<SmolStr>,
    /// What it puts before and behind the names of objects.
    pub(super) affixes: Affixes,
    /// Whether it tells kustomize of more fields that hold names (`configurations`, `crds`).
    pub(super) configures: bool,
    /// The annotations that it puts on everything.
    pub(super) annotations: CommonAnnotations,
    /// The files and folders of `resources`, `bases` and `components`.
    pub(super) lists: Vec<Listed>,
    /// Its patches in the order in which they apply.
    pub(super) patches: Vec<Patch>,
    /// The fields that it leaves alone.
    pub(super) ignored: Vec<Ignored>,
    /// Of an object of Flux or Argo CD: the object, and the repository that it applies from.
    pub(super) origin: Option<Origin>,
    /// Why it may apply its folders more than once, or otherwise than is known.
    pub(super) doubt: Option<String>,
    /// That it applies nothing for now, and where that is written.
    pub(super) suspended: Option<String>,
}

/// What a kustomization is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Role {
    /// A `Kustomization` of a folder.
    Folder,
    /// A `Component`, whose patches reach what its users list.
    Component,
    /// A Flux `Kustomization`, which applies a folder.
    Flux {
        /// Whether it applies to another cluster than its own.
        elsewhere: bool,
        /// Whether it replaces variables in what it applies.
        substitutes: bool,
    },
    /// A source of an Argo CD `Application`, which applies a folder.
    Argo {
        /// The cluster that it applies to.
        destination: Destination,
        /// The namespace of what names none.
        namespace: Option<SmolStr>,
        /// Whether it takes files in folders of the folder.
        recurses: bool,
    },
}

/// The cluster that an Application applies to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Destination {
    /// The one that it lives in itself.
    Own,
    /// The one of this name.
    Named(String),
    /// One that is not named.
    Unknown,
}

impl Role {
    /// Whether it applies a folder from outside.
    pub(super) fn applies(&self) -> bool {
        matches!(self, Self::Flux { .. } | Self::Argo { .. })
    }
}

/// A file or folder as a kustomization names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    /// The text, relative to the kustomization's folder; may be an address.
    pub(super) text: String,
    /// The line.
    pub(super) line: usize,
}

/// A patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Patch {
    /// The line.
    pub(super) line: usize,
    /// What it does.
    pub(super) content: PatchContent,
    /// What it is for; a strategic merge without a target is for the object that it names.
    pub(super) target: Option<PatchTarget>,
    /// Whether it applies after the field `patches`, to which Flux and Argo CD add theirs.
    pub(super) late: bool,
}

/// Where a patch stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PatchContent {
    /// In a file of its own, relative to the kustomization's folder.
    File(String),
    /// In a text of the kustomization, at this pointer.
    Text(PointerBuf),
    /// In an item of `replicas:`, whose count stands at this pointer.
    Count(PointerBuf),
    /// In something that is not taken apart: only what it may touch is known.
    Opaque(Touched),
    /// In a replacement, of which the fields are known.
    Fields(Fields),
}

/// Reads a kustomization.
pub(super) fn read(tree: &FleetTree, path: &RepoPath) -> Result<Kustomization, Refused> {
    let manifest = Manifest::open(tree, path)?;
    let mut kustomization = Kustomization {
        path: path.clone(),
        document: 0,
        prefix: PointerBuf::root(),
        role: Role::Folder,
        namespace: None,
        affixes: Affixes::default(),
        configures: false,
        annotations: CommonAnnotations::default(),
        lists: Vec::new(),
        patches: Vec::new(),
        ignored: Vec::new(),
        origin: None,
        doubt: None,
        suspended: None,
    };
    let Some(document) = manifest.stream().documents().into_iter().next() else {
        return Ok(kustomization);
    };
    let root = document.root;
    if let Some(duplicate) = root.duplicate_keys().into_iter().next() {
        let (line, message) = (duplicate.second.line, duplicate.to_string());
        return Err(Refused::shape(line, message));
    }
    if let Some(alias) = alias_in(root) {
        return Err(Refused::at(alias.position().line, Refusal::Alias));
    }
    let text = |key| get(root, key).and_then(Node::text).filter(|text| !text.is_empty());
    if text("kind") == Some("Component") {
        kustomization.role = Role::Component;
    }
    kustomization.namespace = text("namespace").map(SmolStr::from);
    kustomization.affixes = Affixes::read(root);
    kustomization.configures = ["configurations", "crds"].iter().any(|key| get(root, key).is_some());
    kustomization.annotations = CommonAnnotations::read(get(root, "commonAnnotations"));
    for key in ["resources", "bases", "components"] {
        let items = get(root, key).into_iter().flat_map(Node::items);
        kustomization.lists.extend(items.filter_map(|item| {
            let (text, line) = (item.text()?.to_owned(), item.position().line);
            Some(Listed { text, line })
        }));
    }
    kustomization.patches = patches(root, &[]);
    Ok(kustomization)
}

/// The patches of a mapping that has the fields of a kustomization, in the order in which they apply.
///
/// The order is kustomize's own (`configureBuiltinTransformers`): strategic merges, then patches, then RFC 6902, then replicas, then
/// replacements; transformers come last.
pub(super) fn patches(root: Node<'_>, below: &[&str]) -> Vec<Patch> {
    let mut patches = Vec::new();
    let mut each = |key: &str, read: &dyn Fn(Node<'_>, PointerBuf) -> Patch| {
        let items = get(root, key).into_iter().flat_map(Node::items);
        for (index, item) in items.enumerate() {
            let mut at = PointerBuf::from_tokens(below.iter().copied());
            at.push_back(key);
            at.push_back(index);
            let late = !matches!(key, "patchesStrategicMerge" | "patches");
            patches.push(Patch { late, ..read(item, at) });
        }
    };
    for key in ["patchesStrategicMerge", "patches", "patchesJson6902"] {
        each(key, &patch);
    }
    // A configuration may extend them to other kinds.
    let configured = get(root, "configurations").is_some();
    each("replicas", &|item, at| count(item, at, configured));
    for item in get(root, "replacements").into_iter().flat_map(Node::items) {
        match replacement::patches(item) {
            Some(certain) => patches.extend(certain),
            None => patches.push(rewriter(item)),
        }
    }
    let transformers = get(root, "transformers").into_iter().flat_map(Node::items);
    patches.extend(transformers.map(rewriter));
    patches
}

/// An alias: what a list or patch holds is then written elsewhere, where nobody looks for it.
fn alias_in<'s>(root: Node<'s>) -> Option<Node<'s>> {
    let mut open = vec![root];
    while let Some(node) = open.pop() {
        if node.kind() == Kind::Alias {
            return Some(node);
        }
        open.extend(node.entries().flat_map(|entry| [entry.key, entry.value]));
        open.extend(node.items());
    }
    None
}

fn get<'s>(node: Node<'s>, key: &str) -> Option<Node<'s>> {
    node.get(key).ok()?
}

/// An item of one of the three lists of patches.
fn patch(item: Node<'_>, mut at: PointerBuf) -> Patch {
    let line = item.position().line;
    if let Some(text) = item.text() {
        // `patchesStrategicMerge` holds file names and whole patches alike.
        let content = if text.contains('\n') || text.contains(": ") {
            PatchContent::Text(at)
        } else {
            PatchContent::File(text.to_owned())
        };
        let target = None;
        return Patch {
            line,
            content,
            target,
            late: false,
        };
    }
    let target = get(item, "target").map(PatchTarget::read);
    let content = if let Some(path) = get(item, "path").and_then(Node::text) {
        PatchContent::File(path.to_owned())
    } else if get(item, "patch").and_then(Node::text).is_some() {
        at.push_back("patch");
        PatchContent::Text(at)
    } else {
        // Neither a path nor a text that can be read: an alias, or a mapping written as YAML.
        PatchContent::Opaque(Touched::of(item.source()))
    };
    Patch {
        line,
        content,
        target,
        late: false,
    }
}

/// The kinds that `replicas:` of a kustomization counts (kustomize's `replicas.go` in its default configuration).
pub(super) const COUNTED_KINDS: [&str; 4] = ["Deployment", "ReplicationController", "ReplicaSet", "StatefulSet"];

/// An item of `replicas:`, which sets the replicas of Deployments by name, and of what else a configuration names.
fn count(item: Node<'_>, mut at: PointerBuf, configured: bool) -> Patch {
    let content = if configured {
        let replicas = true;
        PatchContent::Opaque(Touched {
            replicas,
            ..Touched::default()
        })
    } else {
        at.push_back("count");
        PatchContent::Count(at)
    };
    let name = get(item, "name").and_then(Node::text).map(Pattern::literal);
    Patch {
        line: item.position().line,
        content,
        target: Some(PatchTarget {
            name: name.unwrap_or_default(),
            ..PatchTarget::default()
        }),
        late: true,
    }
}

/// An item of `transformers:`, or one of `replacements:` that is not taken apart, which writes last, into whatever it chooses. One in a file of its own is not read.
fn rewriter(item: Node<'_>) -> Patch {
    let file = match item.text() {
        Some(text) => !text.contains('\n'),
        None => get(item, "path").is_some(),
    };
    let touched = if file {
        Touched::ANYTHING
    } else {
        // It fills fields, and brings nothing that could be a node group.
        let entries = false;
        Touched {
            entries,
            ..Touched::of(item.text().unwrap_or(item.source()))
        }
    };
    Patch {
        line: item.position().line,
        content: PatchContent::Opaque(touched),
        target: None,
        late: true,
    }
}

/// The path that a kustomization means by a text, without a slash at its end; nothing for addresses and for what leaves the repository.
pub(super) fn relative(kustomization: &RepoPath, text: &str) -> Option<RepoPath> {
    if text.is_empty() || text.starts_with('/') || text.contains("://") || text.contains('?') {
        return None;
    }
    let folder = kustomization.parent();
    let mut parts: Vec<&str> = folder
        .as_ref()
        .map_or(Vec::new(), |folder| folder.as_str().split('/').collect());
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    parts.join("/").parse().ok()
}

/// The kustomization of the root of the repository.
pub(super) fn of_root(tree: &FleetTree) -> Option<RepoPath> {
    let paths = NAMES.iter().filter_map(|name| name.parse().ok());
    paths.into_iter().find(|path| tree.mode(path).is_some())
}

/// The kustomization of a folder.
pub(super) fn of_folder(tree: &FleetTree, folder: &RepoPath) -> Option<RepoPath> {
    let paths = NAMES.iter().filter_map(|name| folder.join(name).ok());
    paths.into_iter().find(|path| tree.mode(path).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kustomization(text: &str) -> Result<Kustomization, Refused> {
        let tree = FleetTree::from_files("0".repeat(40).parse().unwrap(), [("a/kustomization.yaml", text)]).unwrap();
        read(&tree, &"a/kustomization.yaml".parse().unwrap())
    }

    #[test]
    fn a_kustomization_is_what_it_lists_and_what_it_patches() {
        let text = "\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: shard-a
resources:
- md.yaml   # workers
- ../base
bases: [\"../old\"]
components:
- ../c
patchesStrategicMerge:
- smp.yaml
- |-
  kind: MachineDeployment
  metadata: {name: blue}
  spec: {replicas: 3}
patches:
- path: p.yaml
  target: {kind: MachineDeployment, name: blue-.*}
- target: {kind: Deployment, name: capi}
  patch: |-
    - op: add
      path: /spec/template/spec/containers/0/args/-
      value: --v=2
replicas:
- {name: kamaji, count: 3}
";
        let Kustomization {
            path: _,
            document: _,
            prefix: _,
            role,
            namespace,
            affixes,
            configures,
            annotations: _,
            lists,
            patches,
            ignored: _,
            origin: _,
            doubt: _,
            suspended: _,
        } = kustomization(text).unwrap();
        assert_eq!(
            (role, namespace.as_deref(), affixes.is_none(), configures),
            (Role::Folder, Some("shard-a"), true, false)
        );
        let lists: Vec<(&str, usize)> = lists.iter().map(|listed| (listed.text.as_str(), listed.line)).collect();
        assert_eq!(lists, [("md.yaml", 5), ("../base", 6), ("../old", 7), ("../c", 9)]);
        let shown: Vec<String> = patches
            .iter()
            .map(
                |Patch {
                     line, content, target, ..
                 }| {
                    let PatchTarget { kind, name, .. } = target.clone().unwrap_or_default();
                    let content = match content {
                        PatchContent::File(path) => path.clone(),
                        PatchContent::Text(pointer) | PatchContent::Count(pointer) => pointer.to_string(),
                        PatchContent::Opaque(Touched {
                            replicas, arguments, ..
                        }) => format!("{replicas} {arguments}"),
                        PatchContent::Fields(fields) => fields.words(),
                    };
                    format!("{line}: {content} for {kind}/{name}")
                },
            )
            .collect();
        assert_eq!(
            shown,
            [
                "11: smp.yaml for /",
                "13: /patchesStrategicMerge/1 for /",
                "17: p.yaml for MachineDeployment/blue-.*",
                "19: /patches/1/patch for Deployment/capi",
                "25: /replicas/0/count for /kamaji",
            ]
        );
    }

    #[test]
    fn a_kustomization_may_be_almost_nothing() {
        assert_eq!(kustomization("").unwrap().lists, []);
        assert_eq!(kustomization("- 1\n").unwrap().lists, []);
        assert_eq!(kustomization("resources:\npatches: 3\n").unwrap().patches, []);
        assert!(
            !kustomization("kind: Component\nnamePrefix: a-\n")
                .unwrap()
                .affixes
                .is_none()
        );
        assert!(kustomization("nameSuffix: ''\n").unwrap().affixes.is_none());
        assert_eq!(kustomization("resources: []\nresources: [a]\n").unwrap_err().line, 2);
        assert_eq!(
            kustomization("resources: [{{ x }}]\nnamespace: a-{{ y }}\n").map(|_| ()),
            Ok(())
        );
    }

    #[test]
    fn a_text_means_a_path_below_the_repository() {
        let at = "clusters/blue/kustomization.yaml".parse().unwrap();
        for (text, path) in [
            ("md.yaml", Some("clusters/blue/md.yaml")),
            ("./md.yaml", Some("clusters/blue/md.yaml")),
            ("../../base/", Some("base")),
            ("../..", None),
            ("../../..", None),
            ("../../../x", None),
            ("/etc/passwd", None),
            ("https://example.org/x", None),
            ("github.com/a/b?ref=v1", None),
            ("", None),
            (".", Some("clusters/blue")),
        ] {
            assert_eq!(relative(&at, text).as_ref().map(RepoPath::as_str), path, "{text}");
        }
    }
}
