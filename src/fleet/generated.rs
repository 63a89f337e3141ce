//! What an `ApplicationSet` fills its template with: the elements of its lists.

use std::collections::BTreeMap;

use crate::yaml::Node;

use super::find::find;
use super::gate::Refused;

/// One element: the template is filled with its values. Without any, as it is for an `Application`, texts stay as they are.
#[derive(Debug, Clone, Default)]
pub(super) struct Element {
    /// The values by name, each with the way to it.
    values: BTreeMap<String, (String, Vec<String>)>,
    /// What stands before a name: a dot in Go templates.
    dot: &'static str,
    /// Whether texts are templates.
    is_template: bool,
}

/// The elements of a set.
pub(super) struct Elements {
    /// In their order.
    pub(super) elements: Vec<Element>,
    /// Why nothing may be changed: something else fills or changes the template, too.
    pub(super) refused: Option<Refused>,
    /// Whether there may be more than these.
    pub(super) open: bool,
    /// What stands for one whose values are not known.
    pub(super) unknown: Element,
}

/// The most elements of one set that are told apart; Argo CD itself is slow with as many.
const MOST: usize = 1_000;

/// Reads the generators of a set.
pub(super) fn elements(root: Node<'_>) -> Elements {
    let go = find(root, &["spec", "goTemplate"]).and_then(Node::text) == Some("true");
    let dot = if go { "." } else { "" };
    let (mut elements, mut refused, mut open) = (Vec::new(), None, false);
    if let Some(patch) = find(root, &["spec", "templatePatch"]) {
        let line = patch.position().line;
        refused = Some(Refused::shape(line, "a templatePatch may change it, too"));
    }
    let generators = find(root, &["spec", "generators"]).into_iter().flat_map(Node::items);
    for (number, generator) in generators.enumerate() {
        if let Some(message) = unknown(generator) {
            refused = refused.or(Some(Refused::shape(generator.position().line, message)));
            open = true;
            continue;
        }
        let items = find(generator, &["list", "elements"]).into_iter().flat_map(Node::items);
        for (index, item) in items.enumerate() {
            let way = [
                "spec",
                "generators",
                &number.to_string(),
                "list",
                "elements",
                &index.to_string(),
            ];
            elements.push(element(item, &way, dot));
        }
    }
    if elements.len() > MOST {
        let message = format!("the set has more than {MOST} elements");
        refused = refused.or(Some(Refused::shape(root.position().line, message)));
        elements.truncate(MOST);
        open = true;
    }
    Elements {
        elements,
        refused,
        open,
        unknown: Element {
            dot,
            is_template: true,
            ..Element::default()
        },
    }
}

/// Why the elements of a generator are not known here, unless it is a plain list (Argo CD's `docs/operator-manual/applicationset`).
fn unknown(generator: Node<'_>) -> Option<String> {
    let has = |keys: &[&str]| find(generator, keys).is_some();
    let kinds = generator.entries().filter_map(|entry| entry.key_text());
    let kind = kinds.filter(|key| *key != "selector").min().unwrap_or_default();
    let why = match kind {
        "list" if has(&["selector"]) => "a selector beside it leaves elements out",
        "list" if has(&["list", "elementsYaml"]) => "its elementsYaml is a template itself",
        "list" if has(&["list", "template"]) => "it has a template of its own that changes the set's",
        "list" if has(&["list", "elements"]) => return None,
        "list" => "it has no elements",
        "clusters" => "the clusters are those that are registered with Argo CD",
        "clusterDecisionResource" => "an object in the cluster of Argo CD chooses the clusters",
        "git" => "its files and folders are looked for by patterns, which are not followed here",
        "matrix" | "merge" => "it combines the elements of others, which is not followed here",
        "scmProvider" => "the repositories are those that a forge lists",
        "pullRequest" => "the pull requests are those that a forge lists",
        "plugin" => "a plugin makes its elements",
        _ => "nothing is known of this kind",
    };
    Some(format!("the set's Applications come from a generator `{kind}`: {why}"))
}

fn element(item: Node<'_>, way: &[&str], dot: &'static str) -> Element {
    let values = item.entries().filter_map(|entry| {
        let (key, text) = (entry.key_text()?, entry.value.text()?);
        let below = way.iter().copied().chain([key]).map(str::to_owned).collect();
        Some((key.to_owned(), (text.to_owned(), below)))
    });
    Element {
        values: values.collect(),
        dot,
        is_template: true,
    }
}

impl Element {
    /// A text of the template with the element's values; nothing if something else is in it.
    pub(super) fn fill(&self, text: &str) -> Option<String> {
        if !self.is_template {
            return Some(text.to_owned());
        }
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once("{{") {
            let (expression, after) = behind.split_once("}}")?;
            filled.push_str(before);
            filled.push_str(&self.value(expression)?.0);
            rest = after;
        }
        Some(filled + rest)
    }

    /// The way to the value of the element that a text of the template is as a whole.
    pub(super) fn place(&self, text: &str) -> Option<Vec<String>> {
        let expression = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
        Some(self.value(expression)?.1.clone())
    }

    fn value(&self, expression: &str) -> Option<&(String, Vec<String>)> {
        let name = expression.trim().strip_prefix(self.dot)?;
        self.values.get(name)
    }
}
