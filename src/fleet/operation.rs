//! RFC 6902 operations as a patch holds them.

use json_patch::jsonptr::Pointer;

use crate::yaml::Node;

use super::document::Document;
use super::find::find;
use super::shapes::{self, GroupClaim, Unclaimed};

/// What a file of operations on a spec mentions: it need not name what they are for.
pub(super) const WORD: &str = "/spec/";

/// The fields that say what an object is called and whose it is.
pub(super) const NAMES: [&[&str]; 5] = [
    &["metadata", "name"],
    &["metadata", "namespace"],
    &["kind"],
    &["apiVersion"],
    &["spec", "clusterName"],
];

/// One operation of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Operation {
    /// Its index in the list.
    pub(super) index: usize,
    /// Its line.
    pub(super) line: usize,
    /// What it does.
    pub(super) verb: Verb,
    /// What it does it to, token by token.
    pub(super) path: Vec<String>,
    /// Where it takes the value from, for a move or a copy.
    pub(super) from: Vec<String>,
    /// The entries that it brings to the topology of a cluster.
    pub(super) groups: Vec<GroupClaim>,
    /// What it brings there and can't be bound.
    pub(super) unbound: Vec<Unclaimed>,
    /// Whether it pauses the object.
    pub(super) pauses: bool,
}

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    /// Adds a key or an item, or replaces a key.
    Add,
    /// Replaces what is there.
    Replace,
    /// Takes it away.
    Remove,
    /// Fails the build unless the value is the one that it names.
    Test,
    /// Moves a value to here.
    Move,
    /// Copies a value to here.
    Copy,
    /// It can't be read, so it may do anything.
    Unknown,
}

impl Operation {
    /// Whether it may change anything that is read here: an object's spec, or an annotation that says who owns it.
    pub(super) fn matters(&self) -> bool {
        let matters = |path: &[String]| match path.first().map(String::as_str) {
            Some("metadata") => path.get(1).is_none_or(|below| below == "annotations"),
            Some("spec") | None => true,
            Some(_) => false,
        };
        self.verb == Verb::Unknown || matters(&self.path) || self.verb == Verb::Move && matters(&self.from)
    }

    /// Whether it may change what an object is called or whose it is: kustomize lets an operation do that.
    pub(super) fn renames(&self) -> bool {
        let above = |path: &[String]| {
            // The whole spec has the name of the cluster in it, and whoever writes it anew is refused as such.
            let is_spec = path.len() == 1 && path[0] == "spec";
            !is_spec
                && NAMES
                    .iter()
                    .any(|name| name.len() >= path.len() && path.iter().zip(*name).all(|(a, b)| a == b))
        };
        match self.verb {
            Verb::Test => false,
            Verb::Move => above(&self.path) || above(&self.from),
            _ => above(&self.path),
        }
    }

    /// Reads a list of operations; nothing if a document is none.
    pub(super) fn read_all(document: &Document<'_>) -> Option<Vec<Self>> {
        if !document.root.is_sequence() {
            return None;
        }
        let items = document.root.items().enumerate();
        Some(items.map(|(index, item)| Self::read(document, index, item)).collect())
    }

    fn read(document: &Document<'_>, index: usize, item: Node<'_>) -> Self {
        let text = |key| find(item, &[key]).and_then(Node::text);
        let tokens = |key| -> Option<Vec<String>> {
            match text(key).map(Pointer::parse) {
                Some(Ok(pointer)) => Some(pointer.tokens().map(|token| token.decoded().into_owned()).collect()),
                Some(Err(_)) | None => None,
            }
        };
        let verb = match text("op") {
            _ if !item.duplicate_keys().is_empty() || item.has_merge_key() => Verb::Unknown,
            Some("add") => Verb::Add,
            Some("replace") => Verb::Replace,
            Some("remove") => Verb::Remove,
            Some("test") => Verb::Test,
            Some("move") => Verb::Move,
            Some("copy") => Verb::Copy,
            _ => Verb::Unknown,
        };
        let (path, from) = (tokens("path"), tokens("from"));
        let needs_from = matches!(verb, Verb::Move | Verb::Copy);
        let readable = path.is_some() && (from.is_some() || !needs_from);
        let line = item.position().line;
        let (groups, mut unbound) = match (verb, &path) {
            (Verb::Add | Verb::Replace, Some(path)) => shapes::brought(document, &[&index.to_string(), "value"], path),
            _ => Default::default(),
        };
        let writes = !matches!(verb, Verb::Test | Verb::Remove);
        if let Some(path) = path.as_ref().filter(|_| writes) {
            unbound.extend(shapes::renamed(path, needs_from, line));
        }
        let pauses = match (verb, &path, find(item, &["value"])) {
            (Verb::Add | Verb::Replace, Some(path), Some(value)) => shapes::pauses(path, value),
            _ => false,
        };
        Self {
            index,
            line,
            verb: if readable { verb } else { Verb::Unknown },
            path: path.unwrap_or_default(),
            from: from.unwrap_or_default(),
            groups,
            unbound,
            pauses,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::shapes::testing::with_objects;

    #[test]
    fn some_operations_give_an_object_another_name() {
        for (operation, renames) in [
            ("{op: replace, path: /metadata/name, value: a}", true),
            ("{op: add, path: /metadata, value: {}}", true),
            ("{op: add, path: '', value: {}}", true),
            (
                "{op: move, from: /metadata/namespace, path: /metadata/annotations/a}",
                true,
            ),
            ("{op: replace, path: /spec/clusterName, value: a}", true),
            ("{op: test, path: /metadata/name, value: a}", false),
            ("{op: replace, path: /spec, value: {}}", false),
            ("{op: add, path: /metadata/annotations/a, value: b}", false),
            ("{op: replace, path: /spec/replicas, value: 3}", false),
        ] {
            let text = format!("- {operation}\n");
            let read = with_objects(&text, |objects| Operation::read_all(&objects[0])).unwrap();
            assert_eq!(read[0].renames(), renames, "{operation}");
        }
    }

    #[test]
    fn operations_are_read_one_by_one() {
        let text = "- op: replace\n  path: /spec/a~1b/0\n  value: 3\n- {\"op\": \"move\", \"from\": \"/a\", \"path\": \"/b\"}\n\
                    - {op: move, path: /b}\n- {op: add}\n- x\n- {op: add, op: test, path: /a}\n- {op: add, path: a}\n";
        let read = with_objects(text, |objects| Operation::read_all(&objects[0])).unwrap();
        let shown: Vec<String> = read
            .iter()
            .map(|operation| {
                let Operation {
                    index,
                    line,
                    verb,
                    path,
                    from,
                    groups: _,
                    unbound: _,
                    pauses: _,
                } = operation;
                format!("{index} line {line}: {verb:?} {} {}", path.join(" "), from.join(" "))
            })
            .collect();
        assert_eq!(
            shown,
            [
                "0 line 1: Replace spec a/b 0 ",
                "1 line 4: Move b a",
                "2 line 5: Unknown b ",
                "3 line 6: Unknown  ",
                "4 line 7: Unknown  ",
                "5 line 8: Unknown a ",
                "6 line 9: Unknown  ",
            ]
        );
        assert_eq!(with_objects("a: 1\n", |objects| Operation::read_all(&objects[0])), None);
    }
}
