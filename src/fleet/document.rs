//! A manifest as far as every reader of it agrees: its documents and what each says it is.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use json_patch::jsonptr::{Pointer, PointerBuf};
use smol_str::SmolStr;

use crate::model::{ObjectKey, Refusal, RepoPath};
use crate::yaml::{DuplicateKey, Embedded, Node, Obstacle, ObstacleKind, Stream};

use super::gate::{self, Refused};
use super::tree::FleetTree;

/// A file that parses.
#[derive(Debug)]
pub(super) struct Manifest<'t> {
    path: RepoPath,
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
    /// The scalar whose text it stands in, if it stands in one.
    pub(super) outer: Option<Box<Outer>>,
}

/// A scalar of a file that holds a text of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outer {
    /// Which document of the file's stream, counted from 0.
    pub(super) index: usize,
    /// What that document says it is.
    pub(super) key: ObjectKey,
    /// The pointer from that document's root to the scalar.
    pub(super) pointer: PointerBuf,
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
    pub(super) fn open(tree: &'t FleetTree, path: &RepoPath) -> Result<Self, Refused> {
        let bytes = tree.file(path).map_err(|refusal| Refused::at(0, refusal))?;
        let text = gate::text(bytes)?;
        let stream = Stream::read(text).map_err(|error| gate::unparsed(text, error))?;
        let standing = gate::standing(tree, path, &stream);
        Ok(Self {
            path: path.clone(),
            stream,
            standing,
        })
    }

    /// Its text as parsed.
    pub(super) fn stream(&self) -> &Stream<'t> {
        &self.stream
    }

    /// The objects. Documents with nothing in them are left out; the others keep their index.
    pub(super) fn documents(&self) -> Documents<'_> {
        Documents::of(&self.path, &self.stream, self.standing.as_ref(), None)
    }
}

/// Where an object stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct At {
    /// Which document of the file's stream, counted from 0.
    pub(super) document: usize,
    /// The pointer from the document's root to the object, for an item of a list.
    pub(super) prefix: PointerBuf,
    /// Where the text is that all this is counted in, if it is not the file.
    pub(super) outer: Option<Box<Outer>>,
}

/// A tree whose files are parsed when they are asked for. The last few stay open: what is asked for in turn is a manifest and its patches.
pub(super) struct Opened<'t> {
    tree: &'t FleetTree,
    recent: RefCell<VecDeque<Rc<Manifest<'t>>>>,
}

/// How many files stay open. A manifest is rarely patched from more places; each holds about 16 times the bytes of its file.
const KEPT_OPEN: usize = 8;

impl<'t> Opened<'t> {
    /// Opens nothing yet.
    pub(super) fn new(tree: &'t FleetTree) -> Self {
        Self {
            tree,
            recent: RefCell::default(),
        }
    }

    /// A file, parsed.
    pub(super) fn manifest(&self, path: &RepoPath) -> Result<Rc<Manifest<'t>>, Refused> {
        let mut recent = self.recent.borrow_mut();
        let known = recent.iter().position(|manifest| manifest.path == *path);
        let manifest = match known.and_then(|index| recent.remove(index)) {
            Some(manifest) => manifest,
            None => Rc::new(Manifest::open(self.tree, path)?),
        };
        recent.push_front(Rc::clone(&manifest));
        recent.truncate(KEPT_OPEN);
        Ok(manifest)
    }

    /// Looks at an object; nothing if it is not there.
    pub(super) fn look<T>(&self, path: &RepoPath, at: &At, look: impl FnOnce(&Document<'_>) -> T) -> Option<T> {
        let manifest = self.manifest(path).ok()?;
        match &at.outer {
            None => {
                let document = manifest.object(at.document, &at.prefix)?;
                Some(look(&document))
            }
            Some(outer) => {
                let Outer { index, pointer, .. } = &**outer;
                let outer = manifest.object(*index, &PointerBuf::root())?;
                let looked = outer.within(pointer, |documents| {
                    let same = |found: &&Document<'_>| found.index == at.document && found.prefix == at.prefix;
                    documents.objects.iter().find(same).map(look)
                });
                looked.ok().flatten()
            }
        }
    }
}

impl Manifest<'_> {
    /// One object by its place.
    pub(super) fn object(&self, document: usize, prefix: &Pointer) -> Option<Document<'_>> {
        let root = self.stream.documents().get(document)?.root.nearest(prefix).node;
        let key = identify(root).ok()?;
        Some(Document {
            path: &self.path,
            index: document,
            prefix: prefix.to_owned(),
            root,
            key,
            standing: self.standing.clone(),
            outer: None,
        })
    }
}

impl<'s> Documents<'s> {
    fn of(path: &'s RepoPath, stream: &'s Stream<'s>, standing: Option<&Refused>, outer: Option<&Outer>) -> Self {
        let mut documents = Self::default();
        let mut add = |index: usize, prefix: PointerBuf, root: Node<'s>| match identify(root) {
            Ok(key) => documents.objects.push(Document {
                path,
                index,
                prefix,
                root,
                key,
                standing: standing.cloned(),
                outer: outer.cloned().map(Box::new),
            }),
            Err(duplicate) => {
                let line = duplicate.second.line;
                let key = duplicate.key;
                documents
                    .unidentified
                    .push(Refused::at(line, Refusal::DuplicateKey { key }));
            }
        };
        for (index, document) in stream.documents().into_iter().enumerate() {
            if document.root.is_null() {
                continue;
            }
            let Some(items) = list_items(document.root) else {
                add(index, PointerBuf::root(), document.root);
                continue;
            };
            for (item, root) in items.items().enumerate() {
                let prefix = PointerBuf::from_tokens(["items", &item.to_string()]);
                add(index, prefix, root);
            }
        }
        documents
    }
}

impl Document<'_> {
    /// Where it stands.
    pub(super) fn at(&self) -> At {
        At {
            document: self.index,
            prefix: self.prefix.clone(),
            outer: self.outer.clone(),
        }
    }

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

    /// Looks at the objects in the text of a scalar of this object. A text within a text within a text is not followed.
    pub(super) fn within<T>(&self, below: &Pointer, look: impl FnOnce(Documents<'_>) -> T) -> Result<T, Refused> {
        let scalar = self.root.lookup(below).map_err(refused)?.node;
        let line = scalar.position().line;
        if self.outer.is_some() {
            return Err(Refused::shape(line, "it is a text within a text within a text"));
        }
        let text =
            Embedded::of(scalar).map_err(|error| Refused::shape(line, format!("the text is not edited: {error}")))?;
        let stream = text.parse().map_err(|error| gate::unparsed(text.text(), error))?;
        let standing = self.standing.clone().or_else(|| gate::standing_text(&stream));
        let outer = Outer {
            index: self.index,
            key: self.key.clone(),
            pointer: self.prefix.concat(below),
        };
        Ok(look(Documents::of(self.path, &stream, standing.as_ref(), Some(&outer))))
    }
}

/// What a document says it is.
///
/// A document without `kind` and `apiVersion`, such as Helm values, has a key whose parts are all empty. A key is what is written: nothing
/// is filled in, and aliases are not followed.
pub fn identify(root: Node<'_>) -> Result<ObjectKey, DuplicateKey> {
    let text = |node: Node<'_>, key: &str| Ok(SmolStr::from(node.get(key)?.and_then(Node::text).unwrap_or_default()));
    let mut key = ObjectKey {
        kind: text(root, "kind")?,
        ..ObjectKey::default()
    };
    let version = text(root, "apiVersion")?;
    if key.kind.is_empty() || version.is_empty() {
        return Ok(ObjectKey::default());
    }
    if let Some((group, _)) = version.split_once('/') {
        key.group = group.into();
    }
    if let Some(metadata) = root.get("metadata")? {
        key.namespace = text(metadata, "namespace")?;
        key.name = text(metadata, "name")?;
    }
    Ok(key)
}

/// The items of a `v1` `List` or a typed one (`MachineDeploymentList`), which `kubectl get -o yaml` prints.
fn list_items(root: Node<'_>) -> Option<Node<'_>> {
    // Who says no version is no list to whoever reads it.
    let ObjectKey { kind, .. } = identify(root).ok()?;
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
