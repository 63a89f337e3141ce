//! What a patch that is not taken apart may change, by its words.

use crate::policy::HOLD_ANNOTATION;
use crate::yaml::{Entry, Node, Stream};

use super::shapes::REPLICAS_MANAGED_BY;

/// What a text that is not taken apart may change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Touched {
    /// A number of replicas.
    pub(super) replicas: bool,
    /// Arguments of a container, or what it asks for.
    pub(super) arguments: bool,
    /// Entries of a topology: it may bring new ones.
    pub(super) entries: bool,
    /// Annotations: the bounds of an autoscaler.
    pub(super) annotations: bool,
    /// Values of a chart, or where a release takes them from.
    pub(super) values: bool,
    /// The annotation by which people hold an object.
    pub(super) hold: bool,
    /// The annotation by which people leave the replicas to somebody else.
    pub(super) managed: bool,
}

impl Touched {
    /// What a text that is not read may change. That it holds something, or brings a node group, would be far-fetched.
    pub(super) const ANYTHING: Self = Self {
        replicas: true,
        arguments: true,
        entries: false,
        annotations: true,
        values: true,
        hold: false,
        managed: false,
    };

    /// What a patch with these words may change. An operation on something above a value reaches the value, too, so an RFC 6902 patch that
    /// replaces or removes the whole `spec` counts for all.
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
                    [
                        "/spec",
                        "/template",
                        "/workers",
                        "/machineDeployments",
                        "/machinePools",
                        "/controlPlane",
                        "/deployment",
                        "/manager",
                    ]
                    .iter()
                    .any(|end| line.ends_with(end))
                });
        Self {
            replicas: whole || above(&["replicas", "machineDeployments", "machinePools", "variables"]),
            arguments: whole || above(&["args", "command", "containers", "manager:", "/manager/"]),
            entries: above(&["machineDeployments", "machinePools"]),
            annotations: whole || above(&["annotations", "metadata"]),
            values: whole || above(&["values", "chart", "data", "postRenderers", "suspend", "kubeConfig"]),
            // As a key, and as a part of a JSON pointer.
            hold: above(&[HOLD_ANNOTATION, &HOLD_ANNOTATION.replace('/', "~1")]),
            managed: above(&[REPLICAS_MANAGED_BY, &REPLICAS_MANAGED_BY.replace('/', "~1")]),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_that_reaches_above_a_value_reaches_the_value() {
        for (text, replicas, arguments, annotations) in [
            ("- {op: replace, path: /spec/replicas, value: 3}", true, false, false),
            ("- op: replace\n  path: /spec\n  value: {}", true, true, true),
            ("- {\"op\": \"remove\", \"path\": \"/spec\"}", true, true, true),
            (
                "- op: remove\n  path: /spec/topology/workers/machineDeployments/0\n",
                true,
                false,
                false,
            ),
            ("- op: remove\n  path: /spec/topology/controlPlane\n", true, true, true),
            ("- op: add\n  path: /metadata/labels/a\n  value: b", false, false, true),
            (
                "spec: {template: {spec: {containers: [{name: a}]}}}",
                false,
                true,
                false,
            ),
        ] {
            let touched = Touched::of(text);
            let found = (touched.replicas, touched.arguments, touched.annotations);
            assert_eq!(found, (replicas, arguments, annotations), "{text}");
            assert!(!touched.hold, "{text}");
        }
    }
}
