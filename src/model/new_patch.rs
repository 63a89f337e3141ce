//! A new patch of a kustomization.

use json_patch::jsonptr::PointerBuf;
use serde::{Deserialize, Serialize};

use super::ids::ObjectKey;
use super::scalar::Scalar;

/// A patch (RFC 6902) that gives one field of one object another value, as an item of a kustomization's `patches`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NewPatch {
    /// What it is for, by the name in its manifest, which kustomize looks for whatever the object is called in the end. The namespace is left
    /// open.
    pub object: ObjectKey,
    /// The field (RFC 6901), which the object must have.
    pub field: PointerBuf,
    /// Its new value.
    pub value: Scalar,
}

/// A field of an object that others share, as long as it has no patch.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SharedField {
    /// The object, by the name in its manifest and without a namespace.
    pub object: ObjectKey,
    /// The field (RFC 6901).
    pub field: PointerBuf,
    /// Whether the field is a text, however its value reads.
    pub is_text: bool,
}

impl SharedField {
    /// The patch that gives it another value.
    pub fn patch(&self, value: &Scalar) -> NewPatch {
        let Self { object, field, is_text } = self;
        NewPatch {
            object: object.clone(),
            field: field.clone(),
            value: match value {
                Scalar::Integer(number) if *is_text => Scalar::Text(number.to_string()),
                value => value.clone(),
            },
        }
    }
}

impl NewPatch {
    /// The fields of `target`, in the order in which kustomize documents them.
    ///
    /// Each is an expression, so that the dots of a name are escaped. Those of a group are left as everybody writes them: no two groups differ
    /// by a dot alone.
    pub fn target(&self) -> Vec<(&'static str, String)> {
        let ObjectKey {
            group,
            kind,
            namespace: _,
            name,
        } = &self.object;
        let name = name.replace('.', "\\.");
        let mut fields = vec![("group", group.to_string()), ("kind", kind.to_string()), ("name", name)];
        // The core group has no name.
        fields.retain(|(_, text)| !text.is_empty());
        fields
    }

    /// The text of `patch`: one operation.
    pub fn text(&self) -> String {
        let value = match &self.value {
            number @ (Scalar::Integer(_) | Scalar::Decimal(_)) => number.to_string(),
            // A text in JSON's quotes is one to every reader of YAML.
            Scalar::Text(text) => serde_json::Value::from(text.as_str()).to_string(),
        };
        format!("- op: replace\n  path: {}\n  value: {value}", self.field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_is_for_one_object_and_says_one_thing() {
        let mut patch = NewPatch {
            object: ObjectKey {
                group: "".into(),
                kind: "ConfigMap".into(),
                namespace: "".into(),
                name: "a".into(),
            },
            field: "/data/n".parse().unwrap(),
            value: Scalar::Text("3".to_owned()),
        };
        let target = |patch: &NewPatch| format!("{:?}", patch.target());
        assert_eq!(target(&patch), r#"[("kind", "ConfigMap"), ("name", "a")]"#);
        patch.object.name = "a.b".into();
        assert_eq!(target(&patch), r#"[("kind", "ConfigMap"), ("name", "a\\.b")]"#);
        assert_eq!(patch.text(), "- op: replace\n  path: /data/n\n  value: \"3\"");
        patch.value = Scalar::Integer(3);
        assert_eq!(patch.text(), "- op: replace\n  path: /data/n\n  value: 3");
    }
}
