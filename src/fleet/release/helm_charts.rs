//! A chart that a kustomization inflates: an item of `helmCharts`, or a `HelmChartInflationGenerator` among its generators.
//!
//! `additionalValuesFiles` win over all others, the last one first. Below them come `valuesInline` over `valuesFile`; `valuesMerge: merge` turns
//! these two around, and `replace` drops the file (kustomize 5.8.1, `HelmChartInflationGenerator.go` and `HelmChart.AsHelmArgs`). Without a
//! `valuesFile` the chart's own file stands in its place. What the chart makes goes through the patches of the kustomization and of all that
//! use it. Absent on purpose: the deprecated `helmChartInflationGenerator`, which is named and not followed.

use crate::fleet::document::{At, Document};
use crate::fleet::find::find;
use crate::fleet::gate::Refused;
use crate::fleet::index::{Index, Used};
use crate::fleet::kustomize::{self, Kustomization};
use crate::fleet::tree::FleetTree;
use crate::model::{Refusal, RepoPath, Unbound};
use crate::yaml::{self, Node};

use super::{Release, Source, Spot, renderers};

/// The kind of a generator that inflates a chart.
pub(super) const GENERATOR: &str = "HelmChartInflationGenerator";

/// The field that kustomize 4.1 replaced by `helmCharts`.
const DEPRECATED: &str = "helmChartInflationGenerator";

/// A chart that is inflated.
struct Chart {
    path: RepoPath,
    line: usize,
    /// The name of the chart.
    name: String,
    /// The name of the release.
    release: String,
    sources: Vec<Source>,
    refused: Option<Refused>,
}

/// Reads all of them, and names those that are not followed.
pub(super) fn releases(tree: &FleetTree, index: &Index<'_>) -> Vec<Result<Release, Unbound>> {
    let mut releases = Vec::new();
    for (kustomization, uses) in index.kustomizations() {
        let words = ["helmCharts", "generators", DEPRECATED];
        if !tree
            .file(&kustomization.path)
            .is_ok_and(|bytes| yaml::mentions(bytes, &words))
        {
            continue;
        }
        let reader = Reader { tree, kustomization };
        let (charts, unbound) = reader.charts(index);
        if uses.iter().any(|used| used.management_cluster.is_some()) {
            releases.extend(unbound.into_iter().map(Err));
        }
        for chart in charts {
            for used in &uses {
                releases.extend(release(index, &chart, used, uses.len()).map(Ok));
            }
        }
    }
    releases
}

/// One use of a chart; nothing outside of all management clusters.
fn release(index: &Index<'_>, chart: &Chart, used: &Used<'_>, uses: usize) -> Option<Release> {
    let mut refused = chart.refused.clone();
    let refuse = |refused: Option<Refused>, message: String| refused.or(Some(Refused::shape(chart.line, message)));
    if let (None, Some(message)) = (&refused, &used.suspended) {
        let message = message.clone();
        refused = Some(Refused::at(chart.line, Refusal::Suspended { message }));
    }
    if uses > 1 {
        let message = format!("{uses} overlays use the kustomization, and its values are those of all");
        refused = refuse(refused, message);
    }
    if used.renames {
        let message =
            "a kustomization changes the names of what the chart makes, so that its patches can't be told apart";
        refused = refuse(refused, message.to_owned());
    }
    Some(Release {
        management_cluster: used.management_cluster.clone()?,
        path: chart.path.clone(),
        line: chart.line,
        name: chart.release.clone(),
        chart: Some(chart.name.clone()),
        sources: chart.sources.clone(),
        holds: used.holds.clone(),
        patches: renderers::of_kustomizations(index, &used.patches),
        ignored: used.ignored.clone(),
        refused,
    })
}

/// One that reads the charts of a kustomization.
struct Reader<'a> {
    tree: &'a FleetTree,
    kustomization: &'a Kustomization,
}

impl Reader<'_> {
    fn charts(&self, index: &Index<'_>) -> (Vec<Chart>, Vec<Unbound>) {
        let (mut charts, mut unbound) = (Vec::new(), Vec::new());
        let Kustomization { path, .. } = self.kustomization;
        let looked = index.opened.look(path, &self.kustomization.at(), |document| {
            let home = find(document.root, &["helmGlobals", "chartHome"]);
            let list = find(document.root, &["helmCharts"]).into_iter().flat_map(Node::items);
            for (number, item) in list.enumerate() {
                let below = ["helmCharts".to_owned(), number.to_string()];
                let spot = spot(path, self.kustomization.at());
                charts.extend(self.chart((&spot, &below), item, home));
            }
            let deprecated = find(document.root, &[DEPRECATED]).into_iter().flat_map(Node::items);
            unbound.extend(deprecated.map(|item| self.not_followed(item)));
            let generators = find(document.root, &["generators"]).into_iter().flat_map(Node::items);
            generators
                .filter_map(|item| item.text().map(str::to_owned))
                .collect::<Vec<_>>()
        });
        for file in looked.unwrap_or_default() {
            let Some(file) = kustomize::relative(path, &file) else {
                continue;
            };
            let Ok(manifest) = index.opened.manifest(&file) else {
                continue;
            };
            let documents = manifest.documents().objects;
            for document in documents.iter().filter(|document| document.key.kind == GENERATOR) {
                charts.extend(self.of_generator(document));
            }
        }
        (charts, unbound)
    }

    fn of_generator(&self, document: &Document<'_>) -> Option<Chart> {
        let home = find(document.root, &["chartHome"]);
        self.chart((&spot(document.path, document.at()), &[]), document.root, home)
    }

    /// What an item says; nothing for one that names no chart, which kustomize refuses.
    fn chart(&self, (spot, below): (&Spot, &[String]), item: Node<'_>, home: Option<Node<'_>>) -> Option<Chart> {
        let text = |key: &str| find(item, &[key]).and_then(Node::text).filter(|text| !text.is_empty());
        let name = text("name")?;
        let home = home
            .and_then(Node::text)
            .filter(|home| !home.is_empty())
            .unwrap_or("charts");
        // Where kustomize pulls a chart of a version to (`absChartHome`).
        let home = match (text("repo"), text("version")) {
            (Some(_), Some(version)) => format!("{home}/{name}-{version}"),
            _ => home.to_owned(),
        };
        let line = item.position().line;
        let own = self.file(&format!("{home}/{name}/values.yaml"));
        let anything = |what: String| Source::Anything {
            path: spot.path.clone(),
            line,
            what,
        };
        let named = |file: &str| match self.file(file) {
            Some(path) => Source::File(path),
            None => anything(format!("the file of values {file}, which is not in this repository,")),
        };
        let additional = find(item, &["additionalValuesFiles"]).into_iter().flat_map(Node::items);
        let mut sources: Vec<Source> = additional.map(|file| named(file.text().unwrap_or_default())).collect();
        sources.reverse();
        let has_inline = find(item, &["valuesInline"]).is_some_and(|inline| inline.entries().next().is_some());
        let inline = Source::Mapping {
            spot: spot.clone(),
            below: below.iter().cloned().chain(["valuesInline".to_owned()]).collect(),
        };
        let file = text("valuesFile").map(named);
        let mut refused = None;
        match text("valuesMerge").unwrap_or("override") {
            _ if !has_inline => sources.extend(file),
            "override" => sources.extend([inline].into_iter().chain(file)),
            "replace" => sources.push(inline),
            "merge" => {
                // Without a file of its own the chart's wins over what is written here.
                let own = || match &own {
                    Some(path) => Source::File(path.clone()),
                    None => anything("the chart's own values.yaml, which wins by valuesMerge: merge,".to_owned()),
                };
                sources.extend([file.unwrap_or_else(own), inline]);
            }
            other => {
                let message = format!("kustomize knows no valuesMerge: {other}");
                refused = Some(Refused::shape(line, message));
            }
        }
        sources.extend(own.map(Source::File));
        Some(Chart {
            path: spot.path.clone(),
            line,
            name: name.to_owned(),
            release: text("releaseName").unwrap_or(name).to_owned(),
            sources,
            refused,
        })
    }

    /// A file that the kustomization names, if it is in this repository.
    fn file(&self, text: &str) -> Option<RepoPath> {
        let path = kustomize::relative(&self.kustomization.path, text)?;
        self.tree.mode(&path).is_some().then_some(path)
    }

    fn not_followed(&self, item: Node<'_>) -> Unbound {
        let chart = find(item, &["chartName"]).and_then(Node::text).unwrap_or_default();
        let message =
            format!("{DEPRECATED} is deprecated and not followed here; `kustomize edit fix` makes helmCharts of it");
        Unbound {
            path: self.kustomization.path.clone(),
            line: item.position().line,
            what: format!("values of the chart {chart}"),
            refusal: Refusal::WrongShape { message },
        }
    }
}

fn spot(path: &RepoPath, at: At) -> Spot {
    let path = path.clone();
    let object = None;
    Spot { path, at, object }
}
