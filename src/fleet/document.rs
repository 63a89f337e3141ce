//! A manifest as far as every reader of it agrees: its documents and what each says it is.

use json_patch::jsonptr::PointerBuf;

use crate::model::{ObjectKey, Refusal, RepoPath};
use crate::yaml::{DuplicateKey, Node, Obstacle, ObstacleKind, Stream};

use super::gate::{self, Refused};
use super::tree::FleetTree;

/// A file that parses.
#[derive(Debug)]
pub(super) struct Manifest<'t> {
    path: &'t RepoPath,
    stream: Stream<'t>,
    standing: Option<Refused>,
}

/// One object of a file: a document, or an item of a document that is a list.
#[derive(Debug, Clone)]
pub(super) struct Document<'s> {
    /// The file.
    pub(super) path: &'s RepoPath,
    /// Which document of the file's stream, counted from 0.
    pub(super) index: usize,
    /// The pointer from the document's root to the object; empty unless it is an item of a list.
    pub(super) prefix: PointerBuf,
    /// The object.
    pub(super) root: Node<'s>,
    /// What it says it is.
    pub(super) key: ObjectKey,
    /// What stands against every edit of it.
    pub(super) standing: Option<Refused>,
}

/// The objects of a file.
#[derive(Debug, Default)]
pub(super) struct Documents<'s> {
    /// Those that say what they are, in the file's order.
    pub(super) objects: Vec<Document<'s>>,
    /// Those that say it twice.
    pub(super) unidentified: Vec<Refused>,
}

impl<'t> Manifest<'t> {
    /// Parses a file of the tree. A file that may be read but not edited opens, and each of its documents says why.
    pub(super) fn open(tree: &'t FleetTree, path: &'t RepoPath) -> Result<Self, Refused> {
        let bytes = tree.file(path).map_err(|refusal| Refused::at(0, refusal))?;
        let text = gate::text(bytes)?;
        let stream = Stream::read(text).map_err(|error| gate::unparsed(text, error))?;
        let standing = gate::standing(tree, path, &stream);
        Ok(Self { path, stream, standing })
    }

    /// Its text as parsed.
    pub(super) fn stream(&self) -> &Stream<'t> {
        &self.stream
    }

    /// The objects. Documents with nothing in them are left out; the others keep their index.
    pub(super) fn documents(&self) -> Documents<'_> {
        let mut documents = Documents::default();
        for (index, document) in self.stream.documents().into_iter().enumerate() {
            if document.root.is_null() {
                continue;
            }
            let Some(items) = list_items(document.root) else {
                self.add(&mut documents, index, PointerBuf::root(), document.root);
                continue;
            };
            for (item, root) in items.items().enumerate() {
                let prefix = PointerBuf::from_tokens(["items", &item.to_string()]);
                self.add(&mut documents, index, prefix, root);
            }
        }
        documents
    }

    fn add<'s>(&'s self, documents: &mut Documents<'s>, index: usize, prefix: PointerBuf, root: Node<'s>) {
        match identify(root) {
            Ok(key) => documents.objects.push(Document {
                path: self.path,
                index,
                prefix,
                root,
                key,
                standing: self.standing.clone(),
            }),
            Err(duplicate) => {
                let line = duplicate.second.line;
                let key = duplicate.key;
                documents
                    .unidentified
                    .push(Refused::at(line, Refusal::DuplicateKey { key }));
            }
        }
    }
}

impl Document<'_> {
    /// The line on which it begins.
    pub(super) fn line(&self) -> usize {
        self.root.position().line
    }

    /// The pointer from the document's root to something in the object.
    pub(super) fn pointer(&self, below: &[&str]) -> PointerBuf {
        let mut pointer = self.prefix.clone();
        for token in below {
            pointer.push_back(*token);
        }
        pointer
    }
}

/// What a document says it is.
///
/// A document without `kind` and `apiVersion`, such as Helm values, has a key whose parts are all empty. A key is what is written: nothing
/// is filled in, and aliases are not followed.
pub fn identify(root: Node<'_>) -> Result<ObjectKey, DuplicateKey> {
    let text = |node: Node<'_>, key: &str| Ok(node.get(key)?.and_then(Node::text).unwrap_or_default().to_owned());
    let mut key = ObjectKey {
        group: String::new(),
        kind: text(root, "kind")?,
        namespace: String::new(),
        name: String::new(),
    };
    let version = text(root, "apiVersion")?;
    if key.kind.is_empty() || version.is_empty() {
        key.kind.clear();
        return Ok(key);
    }
    if let Some((group, _)) = version.split_once('/') {
        group.clone_into(&mut key.group);
    }
    if let Some(metadata) = root.get("metadata")? {
        key.namespace = text(metadata, "namespace")?;
        key.name = text(metadata, "name")?;
    }
    Ok(key)
}

/// The items of a `v1` `List` or a typed one (`MachineDeploymentList`), which `kubectl get -o yaml` prints.
fn list_items(root: Node<'_>) -> Option<Node<'_>> {
    let kind = root.get("kind").ok()??.text()?;
    let items = root.get("items").ok()??;
    (kind.ends_with("List") && items.is_sequence()).then_some(items)
}

/// What stands in the way of a pointer, as a reason not to edit.
pub(super) fn refused(obstacle: Obstacle) -> Refused {
    let Obstacle { at, position, kind } = obstacle;
    let message = format!("{at} {kind}");
    let refusal = match kind {
        ObstacleKind::Missing => Refusal::Absent {
            pointer: at.to_string(),
        },
        ObstacleKind::DuplicateKey(duplicate) => Refusal::DuplicateKey { key: duplicate.key },
        ObstacleKind::Alias => Refusal::Alias,
        ObstacleKind::SharedAnchor => Refusal::SharedAnchor,
        ObstacleKind::Tag => Refusal::Tag,
        ObstacleKind::MergeKey => Refusal::MergeKey,
        ObstacleKind::NotACollection | ObstacleKind::NotAnIndex => Refusal::WrongShape { message },
    };
    Refused::at(position.line, refusal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(text: &str) -> Vec<String> {
        let base = "0".repeat(40).parse().unwrap();
        let tree = FleetTree::from_files(base, [("a.yaml", text)]).unwrap();
        let path = "a.yaml".parse().unwrap();
        let manifest = Manifest::open(&tree, &path).unwrap();
        let Documents { objects, unidentified } = manifest.documents();
        let objects = objects.iter().map(|object| {
            let ObjectKey { group, .. } = &object.key;
            let standing = object.standing.as_ref().map_or("", |refused| refused.refusal.id());
            format!("{}{} {group}|{} {standing}", object.index, object.prefix, object.key)
        });
        let unidentified = unidentified
            .iter()
            .map(|refused| format!("line {}: {}", refused.line, refused.refusal.id()));
        objects.chain(unidentified).collect()
    }

    #[test]
    fn a_stream_is_its_documents_and_each_says_what_it_is() {
        let text = "\u{feff}# a fleet\n---\r\napiVersion: cluster.x-k8s.io/v1beta2\r\nkind: 'Cluster'\r\nmetadata:\r\n  name: blue\r\n\
                    ---\n# nothing\n---\n{\"apiVersion\": \"v1\", \"kind\": \"Namespace\", \"metadata\": {\"name\": \"a\", \"namespace\": \"b\"}}\n\
                    ...\n---\nkamaji: {replicas: 2}\n--- text\n---\nkind: X\n";
        assert_eq!(
            listed(text),
            [
                "0 cluster.x-k8s.io|Cluster blue ",
                "2 |Namespace b/a ",
                "3 |values ",
                "4 |values ",
                "5 |values "
            ]
        );
    }

    #[test]
    fn the_items_of_a_list_are_objects_of_their_own() {
        let text = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: a}\n- x\n";
        assert_eq!(listed(text), ["0/items/0 |Secret a ", "0/items/1 |values "]);
        let text = "apiVersion: a/v1\nkind: AllowList\nmetadata: {name: a}\nitems: {}\n";
        assert_eq!(listed(text), ["0 a|AllowList a "]);
    }

    #[test]
    fn a_document_that_says_twice_what_it_is_is_nothing() {
        let text = "apiVersion: v1\nkind: A\nkind: B\n---\napiVersion: v1\nkind: A\nmetadata:\n  name: a\n  name: b\n";
        assert_eq!(listed(text), ["line 3: duplicate-key", "line 9: duplicate-key"]);
    }

    #[test]
    fn what_is_in_the_way_of_a_pointer_becomes_a_reason() {
        let text =
            "a: &x {b: 1}\nb: *x\nc: !t {d: 1}\nd: {<<: *x, e: 1}\ne: {f: 1, f: 2}\ng: [1]\nh: {i: &y 2}\nj: *y\n";
        let stream = Stream::parse(text).unwrap();
        let root = stream.documents()[0].root;
        for (pointer, line, id) in [
            ("/a/b", 1, "shared-anchor"),
            ("/b/b", 2, "alias"),
            ("/c/d", 3, "tag"),
            ("/d/b", 4, "merge-key"),
            ("/e/f", 5, "duplicate-key"),
            ("/e/g", 5, "absent"),
            ("/g/x", 6, "wrong-shape"),
            ("/g/0/x", 6, "wrong-shape"),
            ("/g/1", 6, "absent"),
            ("/h/i", 7, "shared-anchor"),
        ] {
            let obstacle = root.lookup(&PointerBuf::parse(pointer).unwrap()).unwrap_err();
            let refused = refused(obstacle);
            assert_eq!((refused.line, refused.refusal.id()), (line, id), "{pointer}");
        }
    }
}
