//! What a kustomization says, as far as it decides where an object ends up and who writes its values last.
//!
//! This is no kustomize: nothing is built. Whatever a kustomization may do to an object that is not understood here makes the object's
//! values unwritable, never wrong. Absent on purpose: generators, images and labels, which touch no value that is edited.

use crate::model::{Refusal, RepoPath};
use crate::policy::HOLD_ANNOTATION;
use crate::yaml::{Entry, Kind, Node, Stream};

use super::document::Manifest;
use super::gate::Refused;
use super::tree::FleetTree;

/// The names that kustomize looks for in a folder (`konfig.RecognizedKustomizationFileNames`).
const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Whether a file is a kustomization by its name.
pub(super) fn is_name(name: &str) -> bool {
    NAMES.contains(&name)
}

/// One kustomization file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kustomization {
    /// The file.
    pub(super) path: RepoPath,
    /// Whether it is a `Component`, whose patches reach what its users list.
    pub(super) component: bool,
    /// The namespace that it gives to everything.
    pub(super) namespace: Option<String>,
    /// Whether it changes the names of objects.
    pub(super) renames: bool,
    /// The hold annotation that it puts on everything.
    pub(super) hold: Option<String>,
    /// The files and folders of `resources`, `bases` and `components`.
    pub(super) lists: Vec<Listed>,
    /// Its patches in the order in which they apply.
    pub(super) patches: Vec<Patch>,
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
}

/// Where a patch stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PatchContent {
    /// In a file of its own, relative to the kustomization's folder.
    File(String),
    /// In the kustomization itself, where nothing is edited: only what it may touch is known.
    Inline(Touched),
}

/// The kind and name that a patch is for, as far as they are plain; what is a pattern or a selector is for anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PatchTarget {
    /// The kind.
    pub(super) kind: Option<String>,
    /// The name.
    pub(super) name: Option<String>,
    /// Whether it says more than a plain kind and name, so that what it is for is not known.
    pub(super) uncertain: bool,
}

/// What a text that is not taken apart may change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Touched {
    /// A number of replicas.
    pub(super) replicas: bool,
    /// Arguments of a container.
    pub(super) arguments: bool,
    /// The annotation by which people hold an object.
    pub(super) hold: bool,
}

impl Touched {
    /// What a text that is not read may change. That it holds something would be far-fetched.
    pub(super) const ANYTHING: Self = Self {
        replicas: true,
        arguments: true,
        hold: false,
    };

    /// What a patch with these words may change. An operation on something above a value reaches the value, too, so an RFC 6902 patch that
    /// replaces or removes the whole `spec` counts for both.
    ///
    /// Keys and values count as they are written and as a parser reads them, so that no escape hides a word.
    pub(super) fn of(text: &str) -> Self {
        let (read, root) = as_read(text);
        let text = read.as_str();
        let above = |words: &[&str]| words.iter().any(|word| text.contains(word));
        let whole = root || text.contains("$patch");
        let whole = whole
            || text
                .lines()
                .map(|line| line.trim_end_matches(['"', '\'', ',', '}', ' ', '\r']))
                .any(|line| {
                    ["/spec", "/template", "/workers", "/machineDeployments"]
                        .iter()
                        .any(|end| line.ends_with(end))
                });
        Self {
            replicas: whole || above(&["replicas", "machineDeployments"]),
            arguments: whole || above(&["args", "command", "containers"]),
            // As a key, and as a part of a JSON pointer.
            hold: above(&[HOLD_ANNOTATION, &HOLD_ANNOTATION.replace('/', "~1")]),
        }
    }
}

/// A text, then every key and value in it as a parser reads them; and whether an operation is about the root.
fn as_read(text: &str) -> (String, bool) {
    let (mut read, mut root) = (text.to_owned(), false);
    let Ok(stream) = Stream::parse(text) else {
        return (read, root);
    };
    let mut open: Vec<Node<'_>> = stream.documents().iter().map(|document| document.root).collect();
    while let Some(node) = open.pop() {
        read.push('\n');
        read.push_str(node.text().unwrap_or_default());
        for Entry { key, value } in node.entries() {
            root |= matches!(key.text(), Some("path" | "from")) && value.text() == Some("");
            open.extend([key, value]);
        }
        open.extend(node.items());
    }
    (read, root)
}

impl PatchTarget {
    /// Whether it may mean an object of this kind and name.
    pub(super) fn may_mean(&self, kind: &str, name: &str) -> bool {
        let Self {
            kind: k,
            name: n,
            uncertain: _,
        } = self;
        k.as_deref().is_none_or(|own| own == kind) && n.as_deref().is_none_or(|own| own == name)
    }
}

/// Reads a kustomization.
pub(super) fn read(tree: &FleetTree, path: &RepoPath) -> Result<Kustomization, Refused> {
    let manifest = Manifest::open(tree, path)?;
    let mut kustomization = Kustomization {
        path: path.clone(),
        component: false,
        namespace: None,
        renames: false,
        hold: None,
        lists: Vec::new(),
        patches: Vec::new(),
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
    kustomization.component = text("kind") == Some("Component");
    kustomization.namespace = text("namespace").map(str::to_owned);
    kustomization.renames = text("namePrefix").or(text("nameSuffix")).is_some();
    kustomization.hold = get(root, "commonAnnotations")
        .and_then(|annotations| get(annotations, HOLD_ANNOTATION))
        .map(|hold| hold.text().unwrap_or_default().to_owned());
    for key in ["resources", "bases", "components"] {
        let items = get(root, key).into_iter().flat_map(Node::items);
        kustomization.lists.extend(items.filter_map(|item| {
            let (text, line) = (item.text()?.to_owned(), item.position().line);
            Some(Listed { text, line })
        }));
    }
    // The order is kustomize's own: strategic merges, then patches, then RFC 6902, then replicas.
    for key in ["patchesStrategicMerge", "patches", "patchesJson6902"] {
        let items = get(root, key).into_iter().flat_map(Node::items);
        kustomization.patches.extend(items.filter_map(patch));
    }
    let counts = get(root, "replicas").into_iter().flat_map(Node::items);
    // A configuration may extend them to other kinds.
    let configured = get(root, "configurations").is_some();
    kustomization.patches.extend(counts.map(|item| count(item, configured)));
    for key in ["replacements", "transformers"] {
        let items = get(root, key).into_iter().flat_map(Node::items);
        kustomization.patches.extend(items.map(rewriter));
    }
    Ok(kustomization)
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
fn patch(item: Node<'_>) -> Option<Patch> {
    let line = item.position().line;
    if let Some(text) = item.text() {
        // `patchesStrategicMerge` holds file names and whole patches alike.
        let inline = text.contains('\n') || text.contains(": ");
        return Some(if inline {
            inline_patch(line, text, None)
        } else {
            let content = PatchContent::File(text.to_owned());
            Patch {
                line,
                content,
                target: None,
            }
        });
    }
    let target = get(item, "target").map(|target| PatchTarget {
        kind: get(target, "kind").and_then(Node::text).and_then(plain),
        name: get(target, "name").and_then(Node::text).and_then(plain),
        uncertain: target.entries().any(|entry| match entry.key_text() {
            Some("kind" | "name") => entry.value.text().and_then(plain).is_none(),
            Some("group" | "version") => false,
            _ => true,
        }),
    });
    if let Some(path) = get(item, "path").and_then(Node::text) {
        let content = PatchContent::File(path.to_owned());
        return Some(Patch { line, content, target });
    }
    match get(item, "patch").and_then(Node::text) {
        Some(text) => Some(inline_patch(line, text, target)),
        // Neither a path nor a text that can be read: an alias, or a mapping written as YAML.
        None => Some(inline_patch(line, item.source(), target)),
    }
}

/// An item of `replicas:`, which sets the replicas of Deployments by name, and of what else a configuration names.
fn count(item: Node<'_>, configured: bool) -> Patch {
    let touched = Touched {
        replicas: true,
        ..Touched::default()
    };
    Patch {
        line: item.position().line,
        content: PatchContent::Inline(touched),
        target: Some(PatchTarget {
            kind: (!configured).then(|| "Deployment".to_owned()),
            name: get(item, "name").and_then(Node::text).and_then(plain),
            uncertain: false,
        }),
    }
}

/// An item of `replacements:` or `transformers:`, which writes last, into whatever it chooses. One in a file of its own is not read.
fn rewriter(item: Node<'_>) -> Patch {
    let file = match item.text() {
        Some(text) => !text.contains('\n'),
        None => get(item, "path").is_some(),
    };
    let touched = if file {
        Touched::ANYTHING
    } else {
        Touched::of(item.text().unwrap_or(item.source()))
    };
    Patch {
        line: item.position().line,
        content: PatchContent::Inline(touched),
        target: None,
    }
}

fn inline_patch(line: usize, text: &str, target: Option<PatchTarget>) -> Patch {
    Patch {
        line,
        content: PatchContent::Inline(Touched::of(text)),
        target: target.or_else(|| Some(named_in(text))),
    }
}

/// What a strategic merge in a text names.
fn named_in(text: &str) -> PatchTarget {
    let Ok(stream) = Stream::parse(text) else {
        return PatchTarget::default();
    };
    let documents = stream.documents();
    let [document] = &documents[..] else {
        return PatchTarget::default();
    };
    let name = get(document.root, "metadata").and_then(|metadata| get(metadata, "name"));
    PatchTarget {
        kind: get(document.root, "kind").and_then(Node::text).and_then(plain),
        name: name.and_then(Node::text).and_then(plain),
        uncertain: false,
    }
}

/// A kind or name without signs of a regular expression; `.` is one, so names with a dot are for anything.
fn plain(text: &str) -> Option<String> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    plain.then(|| text.to_owned())
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
            component,
            namespace,
            renames,
            hold: _,
            lists,
            patches,
        } = kustomization(text).unwrap();
        assert_eq!(
            (component, namespace.as_deref(), renames),
            (false, Some("shard-a"), false)
        );
        let lists: Vec<(&str, usize)> = lists.iter().map(|listed| (listed.text.as_str(), listed.line)).collect();
        assert_eq!(lists, [("md.yaml", 5), ("../base", 6), ("../old", 7), ("../c", 9)]);
        let shown: Vec<String> = patches
            .iter()
            .map(|Patch { line, content, target }| {
                let PatchTarget { kind, name, .. } = target.clone().unwrap_or_default();
                let content = match content {
                    PatchContent::File(path) => path.clone(),
                    PatchContent::Inline(Touched {
                        replicas, arguments, ..
                    }) => format!("{replicas} {arguments}"),
                };
                format!(
                    "{line}: {content} for {}/{}",
                    kind.unwrap_or_default(),
                    name.unwrap_or_default()
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                "11: smp.yaml for /",
                "13: true false for MachineDeployment/blue",
                "17: p.yaml for MachineDeployment/",
                "19: false true for Deployment/capi",
                "25: true false for Deployment/kamaji",
            ]
        );
    }

    #[test]
    fn a_kustomization_may_be_almost_nothing() {
        assert_eq!(kustomization("").unwrap().lists, []);
        assert_eq!(kustomization("- 1\n").unwrap().lists, []);
        assert_eq!(kustomization("resources:\npatches: 3\n").unwrap().patches, []);
        assert!(kustomization("kind: Component\nnamePrefix: a-\n").unwrap().renames);
        assert!(!kustomization("nameSuffix: ''\n").unwrap().renames);
        assert_eq!(kustomization("resources: []\nresources: [a]\n").unwrap_err().line, 2);
        assert_eq!(
            kustomization("resources: [{{ x }}]\nnamespace: a-{{ y }}\n").map(|_| ()),
            Ok(())
        );
    }

    #[test]
    fn a_patch_that_reaches_above_a_value_reaches_the_value() {
        for (text, replicas, arguments) in [
            ("- {op: replace, path: /spec/replicas, value: 3}", true, false),
            ("- op: replace\n  path: /spec\n  value: {}", true, true),
            ("- {\"op\": \"remove\", \"path\": \"/spec\"}", true, true),
            (
                "- op: remove\n  path: /spec/topology/workers/machineDeployments/0\n",
                true,
                false,
            ),
            ("- op: add\n  path: /metadata/labels/a\n  value: b", false, false),
            ("spec: {template: {spec: {containers: [{name: a}]}}}", false, true),
        ] {
            let hold = false;
            let expected = Touched {
                replicas,
                arguments,
                hold,
            };
            assert_eq!(Touched::of(text), expected, "{text}");
        }
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
