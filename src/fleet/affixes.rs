//! What kustomizations put before and behind the names of objects.

use smol_str::{SmolStr, format_smolstr};

use crate::yaml::Node;

use super::find::find;

/// The kinds whose names kustomize leaves alone, with their groups; an empty group stands for any (`PrefixTransformer.go`).
const NEVER_RENAMED: [(&str, &str); 3] = [
    ("", "CustomResourceDefinition"),
    ("apiregistration.k8s.io", "APIService"),
    ("", "Namespace"),
];

/// What a kustomization puts before and behind the names of objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Affixes {
    prefix: Option<String>,
    suffix: Option<String>,
}

impl Affixes {
    /// Reads `namePrefix` and `nameSuffix` of a mapping.
    pub(super) fn read(node: Node<'_>) -> Self {
        let text = |key| find(node, &[key])?.text().filter(|text| !text.is_empty());
        Self {
            prefix: text("namePrefix").map(str::to_owned),
            suffix: text("nameSuffix").map(str::to_owned),
        }
    }

    /// The same with other texts.
    pub(super) fn map(self, change: impl Fn(String) -> String) -> Self {
        Self {
            prefix: self.prefix.map(&change),
            suffix: self.suffix.map(change),
        }
    }

    /// Whether no name changes.
    pub(super) fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Whether something else fills in a part of them: a variable of Flux, of Argo CD's build environment or of a template.
    pub(super) fn is_filled_in(&self) -> bool {
        let texts = self.prefix.iter().chain(&self.suffix);
        texts.into_iter().any(|text| text.contains(['$', '{']))
    }

    /// These, where an applier gives none of its own: it overwrites the field of the kustomization that it applies.
    pub(super) fn overwritten_by(&self, applier: &Self) -> Self {
        Self {
            prefix: applier.prefix.as_ref().or(self.prefix.as_ref()).cloned(),
            suffix: applier.suffix.as_ref().or(self.suffix.as_ref()).cloned(),
        }
    }

    /// The new name of an object.
    pub(super) fn name(&self, [group, kind, name]: [&str; 3]) -> SmolStr {
        let never = |(of, never): &(&str, &str)| *never == kind && (of.is_empty() || *of == group);
        if NEVER_RENAMED.iter().any(never) {
            return name.into();
        }
        let [prefix, suffix] = [&self.prefix, &self.suffix].map(|affix| affix.as_deref().unwrap_or_default());
        format_smolstr!("{prefix}{name}{suffix}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_and_definitions_keep_their_names() {
        let affixes = Affixes {
            prefix: Some("p-".to_owned()),
            suffix: None,
        };
        for (group, kind, name) in [
            ("", "Namespace", "a"),
            ("apiextensions.k8s.io", "CustomResourceDefinition", "a"),
            ("apiregistration.k8s.io", "APIService", "a"),
            ("", "ConfigMap", "p-a"),
        ] {
            assert_eq!(affixes.name([group, kind, "a"]), name, "{kind}");
        }
    }
}
