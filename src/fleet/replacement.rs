//! Which fields of which objects an item of `replacements:` sets, as far as that is certain (kustomize's `filters/replacement`).
//!
//! An item in a file, with a path that is more than plain names, numbers and brackets, or with `options.create` is not taken apart: what its
//! words speak of counts then, in every object.

use std::sync::Arc;

use crate::yaml::Node;

use super::field::{Field, Step};
use super::find::find;
use super::kustomize::{Patch, PatchContent};
use super::operation;
use super::patch_target::PatchTarget;

/// The fields that a replacement is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fields {
    /// The ways to them.
    paths: Arc<[Vec<Token>]>,
    /// Whether it takes their values for others; else it sets them.
    pub(super) takes: bool,
}

/// A part of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// A key, or the number of an item.
    Name(String),
    /// Any item or key: `*`, `[name=manager]`, or a key in brackets.
    Any,
}

/// The patches that an item stands for, one for each target and one for its source; nothing if it is not taken apart.
pub(super) fn patches(item: Node<'_>) -> Option<Vec<Patch>> {
    only(item, &["source", "sourceValue", "targets"])?;
    let mut patches = Vec::new();
    if let Some(source) = find(item, &["source"]) {
        only(source, &[&OF_OBJECT[..], &["fieldPath", "options"]].concat())?;
        let path = match find(source, &["fieldPath"]) {
            None => path(NAME)?,
            Some(text) => path(text.text()?)?,
        };
        let fields = Fields {
            paths: Arc::from([path]),
            takes: true,
        };
        patches.push(patch(source, of_object(source), fields));
    }
    let targets = find(item, &["targets"])?;
    if !targets.is_sequence() {
        return None;
    }
    for target in targets.items() {
        only(target, &["select", "reject", "fieldPaths", "options"])?;
        if let Some(options) = find(target, &["options"]) {
            only(options, &["delimiter", "index", "encoding"])?;
        }
        let select = find(target, &["select"]).filter(|select| select.is_mapping())?;
        let mut paths = Vec::new();
        if let Some(list) = find(target, &["fieldPaths"]) {
            if !list.is_sequence() {
                return None;
            }
            for text in list.items() {
                paths.push(path(text.text()?)?);
            }
        }
        if paths.is_empty() {
            paths.push(path(NAME)?);
        }
        let mut selected = PatchTarget::read(select);
        for rejected in find(target, &["reject"]).into_iter().flat_map(Node::items) {
            let mut read = PatchTarget::read(rejected);
            // Whether kustomize passes over one that says little is left open.
            read.uncertain |= find(rejected, &["name"]).is_none();
            selected.rejected.push(read);
        }
        let fields = Fields {
            paths: paths.into(),
            takes: false,
        };
        patches.push(patch(target, selected, fields));
    }
    Some(patches)
}

/// The field of a replacement that names none.
const NAME: &str = "metadata.name";

/// The keys that say which object is meant.
const OF_OBJECT: [&str; 5] = ["group", "version", "kind", "name", "namespace"];

fn of_object(source: Node<'_>) -> PatchTarget {
    let mut read = PatchTarget::read(source);
    // Its other keys say nothing of the object.
    read.uncertain = false;
    read
}

fn patch(node: Node<'_>, target: PatchTarget, fields: Fields) -> Patch {
    Patch {
        line: node.position().line,
        content: PatchContent::Fields(fields),
        target: Some(target),
        late: true,
    }
}

/// Nothing if a node is more than a mapping of these keys.
fn only(node: Node<'_>, known: &[&str]) -> Option<()> {
    let is_known = |key: Option<&str>| key.is_some_and(|key| known.contains(&key));
    let certain = node.is_mapping() && node.duplicate_keys().is_empty() && !node.has_merge_key();
    (certain && node.entries().all(|entry| is_known(entry.key_text()))).then_some(())
}

/// The tokens of a path (kyaml's `SmarterPathSplitter`); nothing for one with escapes, quotes or empty parts.
fn path(text: &str) -> Option<Vec<Token>> {
    if text.contains(['\\', '"', '\'', '$', '{']) {
        return None;
    }
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        let (token, after) = if rest.starts_with('[') {
            // Dots in brackets are part of them.
            let (_, after) = rest.split_once(']')?;
            (Token::Any, after)
        } else {
            let end = rest.find('.').unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            let plain = !name.is_empty() && !name.contains(['[', ']', '*']);
            match name {
                "*" => (Token::Any, after),
                _ if plain => (Token::Name(name.to_owned()), after),
                _ => return None,
            }
        };
        tokens.push(token);
        if after.is_empty() {
            return Some(tokens);
        }
        rest = after.strip_prefix('.')?;
    }
}

impl Fields {
    /// Whether a field may be one of them, lie in one, or have one in it.
    pub(super) fn reach(&self, field: &Field<'_>) -> bool {
        self.paths.iter().any(|path| reaches(path, field))
    }

    /// Whether it may give an object another name, or another cluster.
    pub(super) fn rename(&self) -> bool {
        // The whole spec has the name of the cluster in it, and a value in it is refused as such.
        let is_spec = |path: &[Token]| *path == [Token::Name("spec".to_owned())];
        let names = |path: &Vec<Token>| {
            let mut names = operation::NAMES.iter();
            !is_spec(path) && names.any(|keys| reaches(path, &Field::keys(keys)))
        };
        !self.takes && self.paths.iter().any(names)
    }

    /// The words of the fields.
    pub(super) fn words(&self) -> String {
        let words = self.paths.iter().flatten().map(|token| match token {
            Token::Name(name) => name.as_str(),
            Token::Any => "*",
        });
        words.collect::<Vec<_>>().join("\n")
    }

    /// What is said of a value that it reaches.
    pub(super) fn message(&self, place: &str) -> String {
        match self.takes {
            false => format!("the replacement at {place} sets the value, too"),
            true => format!("the replacement at {place} copies the value to another field, which would change with it"),
        }
    }
}

fn reaches(path: &[Token], field: &Field<'_>) -> bool {
    for (depth, (token, step)) in path.iter().zip(&field.steps).enumerate() {
        match (token, step) {
            (Token::Name(name), Step::Key(key)) if name != key => {
                // What names the item of a list says which one it is.
                let names_item = depth > 0 && matches!(field.steps[depth - 1], Step::Named(_)) && name == "name";
                return names_item && path.len() == depth + 1;
            }
            _ => {}
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::Stream;

    #[test]
    fn a_path_reaches_what_lies_on_it() {
        let replicas = Field::replicas();
        let entry = Field::of_worker("machineDeployments", "md-0", &["replicas"]);
        let args = Field::of_container("manager", &["args"]);
        for (text, want) in [
            ("spec.replicas", [true, false, false]),
            ("spec", [true, true, true]),
            (
                "spec.template.spec.containers.[name=manager].args.0",
                [false, false, true],
            ),
            ("spec.template.spec.containers.*.image", [false, false, false]),
            (
                "spec.topology.workers.machineDeployments.0.replicas",
                [false, true, false],
            ),
            ("spec.topology.workers.machineDeployments.0.name", [false, true, false]),
            (
                "spec.topology.workers.machineDeployments.0.class",
                [false, false, false],
            ),
            ("spec.topology.version", [false, false, false]),
            ("metadata.annotations.[a.b/c]", [false, false, false]),
            ("*.replicas", [true, false, false]),
        ] {
            let path = path(text).unwrap();
            assert_eq!(
                [&replicas, &entry, &args].map(|field| reaches(&path, field)),
                want,
                "{text}"
            );
        }
        for odd in [
            "",
            "spec.",
            ".spec",
            "a..b",
            "a\\.b",
            "spec.a[0]",
            "spec.[a",
            "spec.*x",
            "${a}",
        ] {
            assert_eq!(path(odd), None, "{odd}");
        }
    }

    #[test]
    fn only_what_is_certain_is_taken_apart() {
        let read = |text: &str| {
            let stream = Stream::parse(text).unwrap();
            let root = stream.documents().remove(0).root;
            patches(root).map(|patches| patches.len())
        };
        let target = "{select: {kind: A}, fieldPaths: [spec.a]}";
        assert_eq!(
            read(&format!(
                "{{source: {{kind: B, name: b}}, targets: [{target}, {target}]}}"
            )),
            Some(3)
        );
        assert_eq!(read(&format!("{{sourceValue: x, targets: [{target}]}}")), Some(1));
        for odd in [
            "{path: r.yaml}",
            "r.yaml",
            "{source: {kind: B}}",
            "{sourceValue: x, targets: [{fieldPaths: [spec.a]}]}",
            "{sourceValue: x, targets: [{select: {kind: A}, options: {create: true}}]}",
            "{sourceValue: x, targets: [{select: {kind: A}, fieldPaths: ['a\\.b']}]}",
            "{sourceValue: x, more: y, targets: [{select: {kind: A}}]}",
            "{source: {kind: B, fieldPath: [a]}, targets: [{select: {kind: A}}]}",
        ] {
            assert_eq!(read(odd), None, "{odd}");
        }
    }
}
