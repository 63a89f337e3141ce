//! Fields that Flux or Argo CD were told to leave alone in what they apply: a change of such a field in Git has no effect, or fights with
//! whoever owns it.
//!
//! Which fields the managers of `managedFieldsManagers` write only a cluster knows: where an item names the kind of an object, any field may
//! be one of them. An item for every kind is about what Kubernetes itself fills in, and says nothing of a number.

use json_patch::jsonptr::Pointer;

use crate::model::{ObjectKey, Owner, Refusal, RepoPath};
use crate::yaml::Node;

use super::document::Document;
use super::field::Field;
use super::find::find;
use super::patch_target::{Fits, PatchTarget, Pattern};

/// Fields of some objects that an applier ignores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ignored {
    /// Whose way of leaving it alone it is.
    pub(super) owner: Owner,
    /// Who does, and where that is written.
    pub(super) by: String,
    /// In which objects.
    pub(super) target: PatchTarget,
    /// The keys that lead to each field; items of lists are left out.
    fields: Vec<Vec<String>>,
}

impl Ignored {
    /// Why a field of it is nobody's here.
    pub(super) fn refusal(&self) -> Refusal {
        Refusal::owned(self.owner, self.by.clone())
    }

    /// Reads `spec.ignore` of a Flux Kustomization.
    pub(super) fn of_flux(document: &Document<'_>) -> Vec<Self> {
        let list = find(document.root, &["spec", "ignore"]);
        list.map_or_else(Vec::new, |list| {
            Self::of_list(list, "spec.ignore", &document.key, document.path)
        })
    }

    /// Reads `spec.driftDetection.ignore` of a Flux HelmRelease. The mode does not matter: whoever lists a field expects another owner.
    pub(super) fn of_release(list: Node<'_>, key: &ObjectKey, path: &RepoPath) -> Vec<Self> {
        Self::of_list(list, "driftDetection.ignore", key, path)
    }

    fn of_list(list: Node<'_>, what: &str, key: &ObjectKey, path: &RepoPath) -> Vec<Self> {
        let read = |item: Node<'_>| Self {
            owner: Owner::FluxIgnore,
            by: by(key, path, what, item),
            target: find(item, &["target"]).map_or_else(PatchTarget::default, PatchTarget::read),
            fields: texts(item, "paths").map(of_pointer).collect(),
        };
        list.items().map(read).collect()
    }

    /// Reads `spec.ignoreDifferences` of an Argo CD Application, or of the template of an ApplicationSet.
    pub(super) fn of_application(application: Node<'_>, key: &ObjectKey, path: &RepoPath) -> Vec<Self> {
        let items = find(application, &["spec", "ignoreDifferences"])
            .into_iter()
            .flat_map(Node::items);
        let read = |item: Node<'_>| {
            let pattern = |key| glob(find(item, &[key]).and_then(Node::text).unwrap_or_default());
            let kind = pattern("kind");
            let is_for_one_kind = kind.text().is_some();
            let target = PatchTarget {
                group: pattern("group"),
                kind,
                name: pattern("name"),
                namespace: pattern("namespace"),
                ..PatchTarget::default()
            };
            let pointers = texts(item, "jsonPointers").map(of_pointer);
            let expressions = texts(item, "jqPathExpressions").map(of_expression);
            let managers = texts(item, "managedFieldsManagers").filter(|_| is_for_one_kind);
            Self {
                owner: Owner::IgnoreDifferences,
                by: by(key, path, "ignoreDifferences", item),
                target,
                fields: pointers
                    .chain(expressions)
                    .chain(managers.map(|_| Vec::new()))
                    .collect(),
            }
        };
        items.map(read).collect()
    }

    /// Whether it may mean an object. An unknown namespace may be any.
    pub(super) fn means(&self, object: [&str; 3], namespace: Option<&str>) -> bool {
        self.target.fits(object, namespace) != Fits::No
    }

    /// Whether it covers a field of the objects that it means: the field itself, or something that the field is in.
    pub(super) fn covers(&self, field: &Field<'_>) -> bool {
        let keys: Vec<&str> = field.words().collect();
        let above =
            |ignored: &Vec<String>| ignored.len() <= keys.len() && ignored.iter().zip(&keys).all(|(a, b)| a == b);
        self.fields.iter().any(above)
    }
}

fn by(key: &ObjectKey, path: &RepoPath, what: &str, item: Node<'_>) -> String {
    let line = item.position().line;
    let mut managers = texts(item, "managedFieldsManagers");
    let whom = managers.next().unwrap_or("somebody else");
    format!("{what} of {key} leaves it to {whom} ({path}:{line})")
}

fn texts<'s>(item: Node<'s>, key: &str) -> impl Iterator<Item = &'s str> + use<'s> {
    let list = find(item, &[key]).into_iter().flat_map(Node::items);
    list.filter_map(Node::text)
}

/// A pattern of Argo CD, whose stars stand for anything.
fn glob(text: &str) -> Pattern {
    if text.contains(['?', '[', '{']) {
        return Pattern::default();
    }
    let escaped: Vec<String> = text.split('*').map(|part| part.replace('.', "\\.")).collect();
    Pattern::expression(&escaped.join(".*"))
}

/// The keys of a JSON pointer. One that can't be read is taken for the whole object.
fn of_pointer(text: &str) -> Vec<String> {
    let Ok(pointer) = Pointer::parse(text) else {
        return Vec::new();
    };
    let tokens = pointer.tokens().map(|token| token.decoded().into_owned());
    let is_index = |token: &String| token == "-" || token.bytes().all(|byte| byte.is_ascii_digit());
    tokens.filter(|token| !is_index(token)).collect()
}

/// The keys of a jq path: `.spec.replicas`, `.spec.a[] | select(.name == "b") | .c`, `.metadata.annotations["x/y"]`.
///
/// What follows something else is left out, so that an expression that is not understood covers too much and not too little.
fn of_expression(text: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let mut rest = text.trim();
    loop {
        rest = rest.trim_start_matches([' ', '|', '?', '.']);
        if let Some(inner) = rest.strip_prefix("select(") {
            let Some(after) = after_closing(inner) else { return keys };
            rest = after;
        } else if let Some(quoted) = rest.strip_prefix("[\"").or(rest.strip_prefix('"')) {
            let Some((key, after)) = quoted.split_once('"') else {
                return keys;
            };
            keys.push(key.to_owned());
            rest = after.strip_prefix(']').unwrap_or(after);
        } else if let Some(inner) = rest.strip_prefix('[') {
            let Some((_, after)) = inner.split_once(']') else {
                return keys;
            };
            rest = after;
        } else {
            let end = rest
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(rest.len());
            if end == 0 {
                return keys;
            }
            keys.push(rest[..end].to_owned());
            rest = &rest[end..];
        }
    }
}

/// What follows the bracket that closes one that was opened before.
fn after_closing(text: &str) -> Option<&str> {
    let mut depth = 1_usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return text.get(at + 1..);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::shapes::testing::with_objects;

    #[test]
    fn the_keys_of_an_expression_lead_to_the_field() {
        for (text, keys) in [
            (".spec.replicas", "spec replicas"),
            (
                ".spec.template.spec.containers[] | select(.name == \"manager\") | .args",
                "spec template spec containers args",
            ),
            (".spec.containers[0].args?", "spec containers args"),
            (".metadata.annotations[\"x/y\"]", "metadata annotations x/y"),
            (".metadata.\"a-b\".c", "metadata a-b c"),
            (".", ""),
            ("", ""),
            (".spec | to_entries", "spec to_entries"),
            (".a.b, .c", "a b"),
            (".a[", "a"),
            ("select(", ""),
        ] {
            assert_eq!(of_expression(text).join(" "), keys, "{text}");
        }
        assert_eq!(of_pointer("/spec/workers/0/replicas"), ["spec", "workers", "replicas"]);
        assert_eq!(of_pointer("spec"), Vec::<String>::new());
    }

    #[test]
    fn argo_and_flux_name_objects_and_fields() {
        let ignored = |spec: &str, read: fn(&Document<'_>) -> Vec<Ignored>| {
            let text = format!("apiVersion: a/v1\nkind: Application\nmetadata: {{name: x}}\nspec:\n  {spec}\n");
            with_objects(&text, |objects| read(&objects[0])).remove(0)
        };
        let object = ["apps", "Deployment", "kamaji"];
        for (item, means, covers) in [
            (
                "group: apps, kind: Deployment, jsonPointers: [/spec/replicas]",
                true,
                true,
            ),
            ("group: '*', kind: '*', jsonPointers: [/spec]", true, true),
            (
                "group: app*, kind: Deployment, name: kamaji, jqPathExpressions: [.spec.replicas]",
                true,
                true,
            ),
            (
                "group: apps, kind: Deployment, name: other, jsonPointers: [/spec/replicas]",
                false,
                true,
            ),
            (
                "kind: Deployment, namespace: b, jsonPointers: [/spec/replicas]",
                false,
                true,
            ),
            (
                "kind: Deployment, jsonPointers: [/spec/replicas/x, /spec/paused]",
                true,
                false,
            ),
            ("kind: Deployment, managedFieldsManagers: [somebody else]", true, true),
            ("kind: '*', managedFieldsManagers: [somebody else]", true, false),
            ("managedFieldsManagers: [somebody else]", true, false),
        ] {
            let ignored = ignored(&format!("ignoreDifferences: [{{{item}}}]"), |document| {
                Ignored::of_application(document.root, &document.key, document.path)
            });
            let found = (ignored.means(object, Some("a")), ignored.covers(&Field::replicas()));
            assert_eq!(found, (means, covers), "{item}");
            assert_eq!(
                ignored.by,
                "ignoreDifferences of Application x leaves it to somebody else (a.yaml:5)"
            );
        }
        for (item, means, covers) in [
            ("paths: [/spec/replicas]", true, true),
            (
                "paths: [/spec/replicas], target: {kind: Deployment, name: kam.*}",
                true,
                true,
            ),
            (
                "paths: [/spec/replicas], target: {kind: MachineDeployment}",
                false,
                true,
            ),
            ("paths: [/spec/replicas], target: {labelSelector: a=b}", true, true),
            ("paths: [/metadata]", true, false),
        ] {
            let ignored = ignored(&format!("ignore: [{{{item}}}]"), Ignored::of_flux);
            let found = (ignored.means(object, None), ignored.covers(&Field::replicas()));
            assert_eq!(found, (means, covers), "{item}");
        }
    }
}
