//! The list `resources:` of a kustomization, to which a placed cluster's file is added.

use json_patch::jsonptr::PointerBuf;

use crate::fleet::document::{self, Document};
use crate::fleet::find::find;
use crate::fleet::gate::Refused;
use crate::model::{Form, Namespace, Refusal, Site};

use super::reading::{Reading, site_refused};

/// Where a resource can be added, provided that all that the kustomization lists ends up in this namespace under its own name.
pub(in crate::fleet) fn resources(document: &Document<'_>, namespace: &Namespace) -> Site {
    if let Some(refused) = contradiction(document, namespace) {
        return site_refused(document, refused);
    }
    let list = match document.root.lookup(&PointerBuf::from_tokens(["resources"])) {
        Ok(found) => found,
        Err(obstacle) => return site_refused(document, document::refused(obstacle)),
    };
    let line = list.key.unwrap_or(list.node).position().line;
    if list.node.is_null() {
        let pointer = document.pointer(&["resources"]).to_string();
        return site_refused(document, Refused::at(line, Refusal::Absent { pointer }));
    }
    if !list.node.is_sequence() {
        return site_refused(document, Refused::shape(line, "resources is no list"));
    }
    let prefix = String::new();
    Reading::at(
        document,
        None,
        document.pointer(&["resources"]),
        line,
        Form::Appended { prefix },
    )
    .site
}

/// What would make the cluster another one than the one that was placed.
fn contradiction(document: &Document<'_>, namespace: &Namespace) -> Option<Refused> {
    let text = |key: &str| {
        let node = find(document.root, &[key])?;
        Some((node.position().line, node.text()?))
    };
    if let Some((line, other)) = text("namespace").filter(|(_, other)| *other != namespace.as_str()) {
        let message = format!("the kustomization puts everything into the namespace `{other}`, not `{namespace}`");
        return Some(Refused::shape(line, message));
    }
    let (line, _) = ["namePrefix", "nameSuffix"]
        .into_iter()
        .filter_map(text)
        .find(|(_, text)| !text.is_empty())?;
    Some(Refused::shape(line, "the kustomization renames what it lists"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::shapes::testing::{shown_site, with_objects};

    fn site(text: &str) -> String {
        let namespace = "shard-a".parse().unwrap();
        with_objects(text, |objects| shown_site(&resources(&objects[0], &namespace)))
    }

    #[test]
    fn a_resource_is_added_to_the_list_that_is_there() {
        let at = |line| format!("a.yaml#0/resources:{line} Appended {{ prefix: \"\" }}");
        assert_eq!(site("resources:\n- blue.yaml\n- green.yaml\n"), at(1));
        assert_eq!(
            site(
                "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: shard-a\nnamePrefix: ''\nresources: []\n"
            ),
            at(5)
        );
        assert_eq!(site("---\n\"resources\":\n  # clusters\n    - blue.yaml\n"), at(2));
    }

    #[test]
    fn a_list_that_would_make_another_cluster_is_refused() {
        for (text, want) in [
            (
                "namespace: shard-b\nresources: []\n",
                "line 1: the kustomization puts everything into the namespace `shard-b`, not `shard-a`",
            ),
            (
                "resources: []\nnameSuffix: -eu\n",
                "line 2: the kustomization renames what it lists",
            ),
            ("bases: []\n", "line 1: /resources absent"),
            ("a: 1\nresources:\n", "line 2: /resources absent"),
            ("resources: blue.yaml\n", "line 1: resources is no list"),
            ("resources: &a []\nbases: *a\n", "line 1: shared-anchor"),
            ("resources: []\nresources: []\n", "line 2: duplicate-key"),
            ("# generated. Do not edit\nresources: []\n", "line 1: generated"),
        ] {
            assert_eq!(site(text), want, "{text:?}");
        }
    }
}
