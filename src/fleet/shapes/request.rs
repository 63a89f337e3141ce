//! A new cluster's manifest in a requests folder: one `Cluster`, and what belongs to it, that may move to another namespace as a whole.

use std::collections::BTreeMap;

use json_patch::jsonptr::PointerBuf;

use crate::fleet::document::{self, Document, Documents};
use crate::fleet::find::find;
use crate::fleet::gate::Refused;
use crate::model::{NamespaceSite, ObjectKey, Refusal};
use crate::yaml::{Kind, Node, ScalarStyle};

use super::CAPI_GROUP;
use super::metadata::Marks;
use super::reading::expanded_elsewhere;

/// Kinds that live in no namespace and come along with clusters. To name a namespace on one of them is an error in the cluster.
const WITHOUT_NAMESPACE: [&str; 13] = [
    "APIService",
    "ClusterIssuer",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "DataStore",
    "IngressClass",
    "MutatingWebhookConfiguration",
    "Namespace",
    "PersistentVolume",
    "PriorityClass",
    "StorageClass",
    "ValidatingWebhookConfiguration",
];

/// What a file of a requests folder asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::fleet) struct Request {
    /// The cluster's name as written.
    pub(in crate::fleet) cluster: String,
    /// The text of its hold annotation.
    pub(in crate::fleet) hold: Option<String>,
    /// What has to be said in each document, or why the file can't be moved.
    pub(in crate::fleet) documents: Result<Vec<NamespaceSite>, Refused>,
}

/// Reads a request; an error is a file that is none.
pub(in crate::fleet) fn read(documents: &Documents<'_>) -> Result<Request, Refused> {
    let Documents { objects, unidentified } = documents;
    let clusters: Vec<&Document<'_>> = objects
        .iter()
        .filter(|object| object.key.kind == "Cluster" && object.key.group == CAPI_GROUP)
        .collect();
    let [cluster] = clusters[..] else {
        return Err(match (&clusters[..], unidentified.first()) {
            ([_, second, ..], _) => {
                Refused::shape(second.line(), "a request is for one Cluster, and this is the second")
            }
            (_, Some(refused)) => refused.clone(),
            _ => {
                let object = "a Cluster".to_owned();
                Refused::at(0, Refusal::NoSuchObject { object })
            }
        });
    };
    let marks = Marks::of(cluster.path, cluster.root);
    let sites = match unidentified.first().cloned().or(marks.refused) {
        Some(refused) => Err(refused),
        None => sites(objects),
    };
    Ok(Request {
        cluster: cluster.key.name.to_string(),
        hold: marks.hold,
        documents: sites,
    })
}

fn sites(objects: &[Document<'_>]) -> Result<Vec<NamespaceSite>, Refused> {
    let mut sites = Vec::new();
    let mut seen: BTreeMap<&ObjectKey, usize> = BTreeMap::new();
    for object in objects {
        let line = object.line();
        if let Some(first) = seen.insert(&object.key, line) {
            let places = [first, line].map(|line| format!("{}:{line}", object.path)).to_vec();
            return Err(Refused::at(line, Refusal::Ambiguous { places }));
        }
        sites.push(site(object)?);
    }
    let old: Vec<&str> = sites.iter().filter_map(|site| site.namespace.as_deref()).collect();
    for (object, site) in objects.iter().zip(&sites) {
        if let Some(other) = site.namespace.as_deref().filter(|namespace| *namespace != old[0]) {
            let message = format!(
                "one document is in the namespace `{}` and this one in `{other}`",
                old[0]
            );
            return Err(Refused::shape(object.line(), message));
        }
        if let Some(refused) = fixed_reference(object, old.first().copied(), &seen) {
            return Err(refused);
        }
    }
    Ok(sites)
}

fn site(object: &Document<'_>) -> Result<NamespaceSite, Refused> {
    let (line, key) = (object.line(), &object.key);
    if let Some(refused) = &object.standing {
        return Err(refused.clone());
    }
    if !object.prefix.is_root() {
        return Err(Refused::shape(
            line,
            "a request with a list object can't be moved; give each object a document",
        ));
    }
    if let Some(duplicate) = object.root.duplicate_keys().into_iter().next() {
        let (line, key) = (duplicate.second.line, duplicate.key);
        return Err(Refused::at(line, Refusal::DuplicateKey { key }));
    }
    if key.kind.is_empty() || key.name.is_empty() {
        return Err(Refused::shape(
            line,
            "a document has no apiVersion, kind or metadata.name",
        ));
    }
    if WITHOUT_NAMESPACE.contains(&key.kind.as_str()) {
        return Err(Refused::shape(
            line,
            format!("{key} lives in no namespace, so it can't move with the cluster"),
        ));
    }
    let metadata = object
        .root
        .lookup(&PointerBuf::from_tokens(["metadata"]))
        .map_err(document::refused)?;
    let namespace = PointerBuf::from_tokens(["metadata", "namespace"]);
    match object.root.lookup(&namespace).map_err(document::refused) {
        Ok(found) => check_namespace(found.node)?,
        Err(refused) if !matches!(refused.refusal, Refusal::Absent { .. }) => return Err(refused),
        Err(_) if !metadata.node.is_mapping() => return Err(Refused::shape(line, "metadata is no mapping")),
        Err(_) => {}
    }
    Ok(NamespaceSite {
        document: object.index,
        object: key.clone(),
        namespace: Some(key.namespace.to_string()).filter(|namespace| !namespace.is_empty()),
    })
}

/// Whether the namespace is one scalar on one line that means what it says.
fn check_namespace(node: Node<'_>) -> Result<(), Refused> {
    let line = node.position().line;
    match node.kind() {
        Kind::Scalar { text, style } if !matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) => {
            if let Some(refusal) = expanded_elsewhere(text) {
                return Err(Refused::at(line, refusal));
            }
            if text.is_empty() || node.is_null() || node.source().contains('\n') {
                return Err(Refused::shape(
                    line,
                    "metadata.namespace is empty or runs over several lines",
                ));
            }
            Ok(())
        }
        _ => Err(Refused::shape(line, "metadata.namespace is no plain text")),
    }
}

/// A reference that would still point to the old namespace after the move: one that names it, and one that gives any namespace for an
/// object of the same file (v1beta1's `infrastructureRef.namespace`).
fn fixed_reference(object: &Document<'_>, old: Option<&str>, moved: &BTreeMap<&ObjectKey, usize>) -> Option<Refused> {
    let own = find(object.root, &["metadata", "namespace"]);
    let mut open = vec![object.root];
    while let Some(node) = open.pop() {
        open.extend(node.items());
        let text = |key| find(node, &[key])?.text();
        let (kind, name) = (text("kind"), text("name"));
        let to_moved = moved
            .keys()
            .any(|key| Some(key.kind.as_str()) == kind && Some(key.name.as_str()) == name);
        for entry in node.entries() {
            open.push(entry.value);
            let Some(namespace) = entry.value.text().filter(|_| Some(entry.value) != own) else {
                continue;
            };
            let key = entry.key_text().unwrap_or_default();
            if key == "namespace" && to_moved || key.ends_with("amespace") && Some(namespace) == old {
                let message = format!("a reference names the namespace `{namespace}`, which a move would leave behind");
                return Some(Refused::shape(entry.value.position().line, message));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::document::Manifest;
    use crate::fleet::shapes::testing::shown_refusal;
    use crate::fleet::tree::FleetTree;

    fn request(text: &str) -> Result<Request, Refused> {
        let tree = FleetTree::from_files("0".repeat(40).parse().unwrap(), [("a.yaml", text)]).unwrap();
        let path = "a.yaml".parse().unwrap();
        read(&Manifest::open(&tree, &path).unwrap().documents())
    }

    fn why_not(text: &str) -> String {
        let refused = match request(text) {
            Err(refused) => refused,
            Ok(request) => request.documents.unwrap_err(),
        };
        format!("line {}: {}", refused.line, shown_refusal(&refused.refusal))
    }

    const CLUSTER: &str = "apiVersion: cluster.x-k8s.io/v1beta1\nkind: Cluster\nmetadata:\n  name: orange\n";

    fn with(document: &str) -> String {
        format!("{CLUSTER}---\n{document}\n")
    }

    #[test]
    fn a_request_says_where_each_document_says_its_namespace() {
        let text = "# new\n---\napiVersion: cluster.x-k8s.io/v1beta2\nkind: Cluster\nmetadata: {name: orange, annotations: {fleetscale.io/hold: wait}}\n\
                    spec: {topology: {classRef: {name: a, namespace: classes}}}\n---\n---\napiVersion: v1\nkind: Secret\nmetadata:\n  \
                    namespace: 'new'\n  name: orange\n";
        let key = |group: &str, kind: &str, namespace: &str| ObjectKey {
            group: group.into(),
            kind: kind.into(),
            namespace: namespace.into(),
            name: "orange".into(),
        };
        let site = |document, object: ObjectKey, namespace: Option<&str>| NamespaceSite {
            document,
            object,
            namespace: namespace.map(str::to_owned),
        };
        assert_eq!(
            request(text),
            Ok(Request {
                cluster: "orange".to_owned(),
                hold: Some("wait".to_owned()),
                documents: Ok(vec![
                    site(0, key(CAPI_GROUP, "Cluster", ""), None),
                    site(2, key("", "Secret", "new"), Some("new")),
                ]),
            })
        );
    }

    #[test]
    fn a_file_that_is_not_for_one_cluster_is_no_request() {
        assert_eq!(why_not(""), "line 0: no-such-object");
        assert_eq!(
            why_not("apiVersion: v1\nkind: Cluster\nmetadata: {name: a}\n"),
            "line 0: no-such-object"
        );
        assert_eq!(
            why_not(&with(CLUSTER)),
            "line 6: a request is for one Cluster, and this is the second"
        );
        assert_eq!(why_not("kind: Cluster\nkind: Cluster\n"), "line 2: duplicate-key");
    }

    #[test]
    fn what_can_not_move_safely_is_refused() {
        for (document, want) in [
            ("a: 1", "line 6: a document has no apiVersion, kind or metadata.name"),
            (
                "apiVersion: v1\nkind: Secret",
                "line 6: a document has no apiVersion, kind or metadata.name",
            ),
            (
                "apiVersion: v1\nkind: Secret\nmetadata: {generateName: a-}",
                "line 6: a document has no apiVersion, kind or metadata.name",
            ),
            (
                "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: a}",
                "line 6: ClusterRole a lives in no namespace, so it can't move with the cluster",
            ),
            (
                "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: x}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: y}",
                "line 10: one document is in the namespace `x` and this one in `y`",
            ),
            (
                "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: a}",
                "line 10: ambiguous a.yaml:6, a.yaml:10",
            ),
            (
                "apiVersion: x/v1\nkind: A\nmetadata: {name: a, namespace: old}\nspec:\n  infrastructureRef:\n    namespace: old",
                "line 11: a reference names the namespace `old`, which a move would leave behind",
            ),
            (
                "apiVersion: x/v1\nkind: A\nmetadata: {name: a, namespace: old}\nspec: [{targetNamespace: old}]",
                "line 9: a reference names the namespace `old`, which a move would leave behind",
            ),
            (
                "apiVersion: x/v1\nkind: A\nmetadata: {name: a}\nspec: {clusterRef: {kind: Cluster, name: orange, namespace: x}}",
                "line 9: a reference names the namespace `x`, which a move would leave behind",
            ),
            (
                "apiVersion: x/v1\nkind: A\nmetadata: {name: a}\nspec: {b: 1, b: 2}",
                "line 9: duplicate-key",
            ),
            (
                "apiVersion: x/v1\nkind: A\nmetadata: {name: a, namespace: '${ns}'}",
                "line 8: variable",
            ),
            (
                "apiVersion: x/v1\nkind: A\nmetadata: {name: a, namespace: }",
                "line 8: metadata.namespace is empty or runs over several lines",
            ),
            (
                "apiVersion: x/v1\nkind: A\nmetadata:\n  name: a\n  namespace: >-\n    b",
                "line 11: metadata.namespace is no plain text",
            ),
            (
                "apiVersion: x/v1\nkind: A\nmetadata: {name: a, namespace: [a]}",
                "line 8: metadata.namespace is no plain text",
            ),
            (
                "apiVersion: x/v1\nkind: A\nmetadata: &m {name: a}\nspec: *m",
                "line 8: shared-anchor",
            ),
            (
                "apiVersion: x/v1\nkind: A\nmetadata: {name: a, <<: {b: 1}}",
                "line 8: merge-key",
            ),
            (
                "apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: Secret, metadata: {name: a}}]",
                "line 8: a request with a list object can't be moved; give each object a document",
            ),
        ] {
            assert_eq!(why_not(&with(document)), want, "{document}");
        }
        assert_eq!(
            why_not(&format!("# generated; do not edit\n{CLUSTER}")),
            "line 1: generated"
        );
    }
}
