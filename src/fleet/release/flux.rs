//! A `HelmRelease` of Flux.
//!
//! `valuesFrom` are merged in their order, `values` over them, and over these what has a `targetPath`; post-renderers change what the chart
//! makes of it all (helm-controller, `docs/spec/v2/helmreleases.md`).

use crate::fleet::address::Means;
use crate::fleet::find::find;
use crate::fleet::gate::Refused;
use crate::fleet::ignored::Ignored;
use crate::fleet::index::{Identity, Index, Instance};
use crate::fleet::kustomize;
use crate::fleet::shapes::Said;
use crate::fleet::sources::Reference;
use crate::fleet::tree::FleetTree;
use crate::model::{Refusal, RepoPath, Unbound};
use crate::yaml::Node;

use super::config_maps::{self, Generators};
use super::effective::{self, Effective};
use super::{Release, Source, owner, renderers};

pub(super) const GROUP: &str = "helm.toolkit.fluxcd.io";
pub(super) const KIND: &str = "HelmRelease";

/// Reads one.
pub(super) fn release(
    tree: &FleetTree,
    index: &Index<'_>,
    generators: &Generators,
    identity: &Identity,
    instance: &Instance,
) -> Result<Release, Unbound> {
    let object = &index.objects[instance.object];
    let at = |keys: &[&str]| effective::at(index, instance, keys);
    if let Some(found) = at(&["spec", "kubeConfig"]) {
        let message = "its kubeConfig puts the release into another cluster".to_owned();
        return Err(Unbound {
            path: found.spot.path,
            line: found.line,
            what: object.key.to_string(),
            refusal: Refusal::WrongShape { message },
        });
    }
    let mut refused = None;
    let mut holds = instance.holds.clone();
    for number in instance.sources() {
        let doubt = index.doubt_of(number);
        refused = refused.or_else(|| doubt.map(|message| Refused::shape(object.line, message)));
        if let Some(Said {
            hold, refused: said, ..
        }) = index.objects[number].said()
        {
            holds.extend(hold.clone());
            refused = refused.or(said.clone());
        }
    }
    if let Some(suspended) = &instance.suspended {
        refused = refused.or(Some(Refused::at(object.line, (**suspended).clone())));
    }
    let suspended =
        at(&["spec", "suspend"]).filter(|found| found.look(index, |node| node.text() != Some("false")) == Some(true));
    if let Some(suspended) = suspended {
        let message = "the release is suspended: a change has no effect".to_owned();
        refused = refused.or(Some(Refused::at(suspended.line, Refusal::Suspended { message })));
    }
    let (path, line) = (object.path.clone(), object.line);
    let chart = chart(index, instance);
    let mut sources = Vec::new();
    let (mut merged, mut set) = (Vec::new(), Vec::new());
    if let Some(list) = at(&["spec", "valuesFrom"]) {
        if let Some(refusal) = &list.uncertain {
            let what = format!("valuesFrom is not certain ({refusal}), and");
            merged.push(anything(&list, list.line, what));
        }
        for reference in references(index, &list) {
            let found = config_maps::find(tree, index, generators, identity, &path, &reference);
            match found {
                config_maps::Found::Nothing => {}
                config_maps::Found::Source(source) if reference.target.is_some() => set.push(*source),
                config_maps::Found::Source(source) => merged.push(*source),
                config_maps::Found::Anything(what) => {
                    let source = anything(&list, reference.line, what);
                    let to = if reference.target.is_some() {
                        &mut set
                    } else {
                        &mut merged
                    };
                    to.push(source);
                }
            }
        }
    }
    sources.extend(set.into_iter().rev());
    sources.push(Source::Fields {
        identity: identity.clone(),
        instance: instance.clone(),
        below: &["spec", "values"],
    });
    sources.extend(merged.into_iter().rev());
    let chart = of_path(tree, index, (identity, instance), chart, &mut sources);
    let ignored = at(&["spec", "driftDetection", "ignore"]).and_then(|list| {
        let path = &list.spot.path;
        list.look(index, |node| Ignored::of_release(node, &object.key, path))
    });
    Ok(Release {
        management_cluster: owner(identity),
        path,
        line,
        name: identity.name.to_string(),
        chart,
        sources,
        holds,
        patches: renderers::patches(index, at(&["spec", "postRenderers"])),
        ignored: ignored.unwrap_or_default(),
        refused,
    })
}

fn chart(index: &Index<'_>, instance: &Instance) -> Option<String> {
    let text = |keys: &[&str]| effective::text(index, instance, keys);
    text(&["spec", "chart", "spec", "chart"]).or_else(|| text(&["spec", "chartRef", "name"]))
}

/// A chart that lies in a repository: its own files of values come last, if they are in this one.
fn of_path(
    tree: &FleetTree,
    index: &Index<'_>,
    (identity, instance): (&Identity, &Instance),
    chart: Option<String>,
    sources: &mut Vec<Source>,
) -> Option<String> {
    let text = chart?;
    let of_reference = |key| effective::text(index, instance, &["spec", "chart", "spec", "sourceRef", key]);
    let kind = of_reference("kind");
    if kind.as_deref() != Some("GitRepository") && !text.contains('/') {
        return Some(text);
    }
    let root: RepoPath = "kustomization.yaml".parse().ok()?;
    let folder = kustomize::relative(&root, text.trim_start_matches('/'));
    let Some(folder) = folder else { return Some(text) };
    let name = Some(folder.file_name().to_owned());
    let reference = Reference {
        kind: kind.unwrap_or_default(),
        name: of_reference("name").unwrap_or_default(),
        namespace: of_reference("namespace"),
    };
    let asker = (Some(&identity.management_cluster), identity.namespace.as_deref());
    if index.sources.of_reference(asker, &reference) == Means::Another {
        return name;
    }
    if folder.join("Chart.yaml").is_ok_and(|chart| tree.mode(&chart).is_some()) {
        let files = effective::at(index, instance, &["spec", "chart", "spec", "valuesFiles"]);
        match files {
            None => sources.extend(folder.join("values.yaml").map(Source::File)),
            Some(list) => {
                let files = list.look(index, |node| {
                    node.items()
                        .map(|item| item.text().map(str::to_owned))
                        .collect::<Vec<_>>()
                });
                for file in files.unwrap_or_default().into_iter().rev() {
                    let path = file.as_deref().and_then(|file| kustomize::relative(&root, file));
                    let there = path.filter(|path| tree.mode(path).is_some());
                    sources.push(there.map_or_else(
                        || {
                            anything(
                                &list,
                                list.line,
                                "a file of the chart that is not in this repository".to_owned(),
                            )
                        },
                        Source::File,
                    ));
                }
            }
        }
    }
    name
}

fn anything(list: &Effective, line: usize, what: String) -> Source {
    Source::Anything {
        path: list.spot.path.clone(),
        line,
        what,
    }
}

fn references(index: &Index<'_>, list: &Effective) -> Vec<config_maps::Reference> {
    let read = |node: Node<'_>| node.items().map(reference).collect();
    list.look(index, read).unwrap_or_default()
}

fn reference(item: Node<'_>) -> config_maps::Reference {
    let text = |key: &str| find(item, &[key]).and_then(Node::text).map(str::to_owned);
    config_maps::Reference {
        line: item.position().line,
        kind: text("kind").unwrap_or_default(),
        name: text("name").unwrap_or_default(),
        key: text("valuesKey").unwrap_or_else(|| "values.yaml".to_owned()),
        target: text("targetPath").filter(|path| !path.is_empty()),
        optional: text("optional").as_deref() == Some("true"),
    }
}
