//! Chart values of Kamaji in files of their own, whatever brings them to the chart.

use json_patch::jsonptr::PointerBuf;

use crate::fleet::document::{Document, Manifest};
use crate::fleet::screen::is_manifest_name;
use crate::fleet::shapes::values;
use crate::fleet::tree::FleetTree;
use crate::model::RepoPath;
use crate::yaml;

/// A values file that says how many replicas Kamaji has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChartValues {
    /// The file.
    pub path: RepoPath,
    /// Where in it.
    pub pointer: String,
    /// How many.
    pub replicas: i64,
    /// On which line, counted from 1.
    pub line: usize,
}

/// The keys by which charts take the number: kMetal's umbrella, one that passes on to the chart below, and the chart itself.
const OF_AN_UMBRELLA: [[&str; 2]; 2] = [["kamaji", "replicas"], ["kamaji", "replicaCount"]];
const OF_THE_CHART: [&str; 1] = ["replicaCount"];

/// Lists the values files of a tree that name a number of replicas of Kamaji, in the order of their paths.
///
/// A chart's own defaults (`values.yaml` beside a `Chart.yaml`) are no place to change, so they are left out.
pub fn kamaji_values(tree: &FleetTree) -> Vec<ChartValues> {
    let mut found = Vec::new();
    for (path, bytes) in tree.kept() {
        let spoken_of = yaml::mentions(bytes, &["kamaji"]) || path.as_str().contains("kamaji");
        if !spoken_of || !is_manifest_name(path.file_name()) || is_of_a_chart(tree, path) {
            continue;
        }
        let Ok(manifest) = Manifest::open(tree, path) else {
            continue;
        };
        let documents = manifest.documents().objects;
        if let [document] = &documents[..] {
            found.extend(replicas(document));
        }
    }
    found
}

/// Whether a document is values of Kamaji.
pub(super) fn is_kamaji(document: &Document<'_>) -> bool {
    replicas(document).is_some()
}

fn replicas(document: &Document<'_>) -> Option<ChartValues> {
    if !document.key.kind.is_empty() {
        return None;
    }
    let umbrella = OF_AN_UMBRELLA.iter().map(|keys| &keys[..]);
    let own = document.path.as_str().contains("kamaji").then_some(&OF_THE_CHART[..]);
    let mut found = umbrella.chain(own).filter_map(|keys| {
        let pointer = PointerBuf::from_tokens(keys.iter().copied());
        let reading = values::locate(document, &pointer);
        Some(ChartValues {
            path: document.path.clone(),
            pointer: pointer.to_string(),
            replicas: reading.value?.integer()?,
            line: document.root.nearest(&pointer).node.position().line,
        })
    });
    found.next()
}

fn is_of_a_chart(tree: &FleetTree, path: &RepoPath) -> bool {
    let chart = path
        .parent()
        .map_or_else(|| "Chart.yaml".parse(), |folder| folder.join("Chart.yaml"));
    chart.is_ok_and(|chart| tree.mode(&chart).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::testing::tree;

    #[test]
    fn values_of_kamaji_are_found_under_their_usual_keys() {
        let tree = tree(&[
            ("a/kmetal.yaml", "metallb: {}\nkamaji:\n  replicas: 2\n"),
            ("b/umbrella.yaml", "kamaji: {replicaCount: 3}\n"),
            ("kamaji/values.yaml", "replicaCount: 4\n"),
            ("other/values.yaml", "replicaCount: 5 # not kamaji\n"),
            (
                "object.yaml",
                "apiVersion: v1\nkind: ConfigMap\nkamaji: {replicas: 6}\n",
            ),
            ("chart/Chart.yaml", "name: kamaji\n"),
            ("chart/values.yaml", "kamaji: {replicas: 7}\n"),
            ("template/kamaji.yaml", "kamaji: {replicas: {{ .x }}}\n"),
            ("text/kamaji.yaml", "kamaji: {replicas: two}\n"),
        ]);
        let found: Vec<String> = kamaji_values(&tree)
            .iter()
            .map(|found| format!("{}:{} {} {}", found.path, found.line, found.pointer, found.replicas))
            .collect();
        assert_eq!(
            found,
            [
                "a/kmetal.yaml:3 /kamaji/replicas 2",
                "b/umbrella.yaml:1 /kamaji/replicaCount 3",
                "kamaji/values.yaml:1 /replicaCount 4"
            ]
        );
    }
}
