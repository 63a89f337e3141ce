//! An `Application` of Argo CD that installs a chart.
//!
//! `parameters` win over `valuesObject`, this over `values` (which counts only without it), and this over `valueFiles`, of which the last
//! wins (Argo CD's `docs/user-guide/helm.md`). `.argocd-source.yaml` in the folder of the source, and then `.argocd-source-<name>.yaml`, change
//! the source like a merge patch.

use std::collections::{BTreeMap, BTreeSet};

use crate::fleet::address::Means;
use crate::fleet::document::{At, Manifest};
use crate::fleet::find::find;
use crate::fleet::gate::Refused;
use crate::fleet::generated::{self, Element};
use crate::fleet::ignored::Ignored;
use crate::fleet::index::{Identity, Index, Instance, Object};
use crate::fleet::kustomize;
use crate::fleet::tree::FleetTree;
use crate::model::{ManagementClusterName, RepoPath};
use crate::policy::FleetFile;
use crate::yaml::Node;

use super::config_maps::set_path;
use super::{Release, Source, Spot};

pub(super) const GROUP: &str = "argoproj.io";
pub(super) const APPLICATION: &str = "Application";
pub(super) const SET: &str = "ApplicationSet";

/// The files beside a source that change it begin so.
pub(in crate::fleet) const OVERRIDE: &str = ".argocd-source";

/// Reads all of them.
pub(super) fn releases(fleet: &FleetFile, tree: &FleetTree, index: &Index<'_>) -> Vec<Release> {
    let mut made_of: BTreeMap<usize, Vec<(&Identity, &Instance)>> = BTreeMap::new();
    let mut patches = BTreeSet::new();
    let instances = index.instances.iter().filter(|(identity, _)| identity.group == GROUP);
    for (identity, instance) in instances.flat_map(|(identity, all)| all.iter().map(move |one| (identity, one))) {
        made_of.entry(instance.object).or_default().push((identity, instance));
        patches.extend(instance.sources().filter(|number| *number != instance.object));
    }
    let mut releases = Vec::new();
    for (number, object) in index.objects.iter().enumerate() {
        let is_one = object.key.group == GROUP && [APPLICATION, SET].contains(&object.key.kind.as_str());
        if !is_one || object.at.outer.is_some() || patches.contains(&number) {
            continue;
        }
        let reader = Reader {
            fleet,
            tree,
            index,
            number,
            object,
            uses: made_of.get(&number).map_or(&[], Vec::as_slice),
        };
        releases.extend(reader.releases());
    }
    releases
}

/// One that reads an `Application`, or the template of an `ApplicationSet`.
struct Reader<'a, 't> {
    fleet: &'a FleetFile,
    tree: &'a FleetTree,
    index: &'a Index<'t>,
    number: usize,
    object: &'a Object,
    /// The ways in which the object comes to be within the management clusters.
    uses: &'a [(&'a Identity, &'a Instance)],
}

/// A mapping `helm` of a source, or of a file that changes it.
#[derive(Debug, Clone)]
struct Helm {
    spot: Spot,
    below: Vec<String>,
}

/// A source that installs a chart.
struct Installed {
    /// The way to it from the object.
    below: Vec<String>,
    chart: Option<String>,
    /// The folder of the chart, if it comes from a repository of Git.
    folder: Option<RepoPath>,
    /// The line of what Argo CD does not take beside a chart: `kustomize`, which patches nothing that a chart makes.
    beside: Option<usize>,
}

impl Reader<'_, '_> {
    fn releases(&self) -> Vec<Release> {
        let looked = self.look(|root| {
            if self.object.key.kind == APPLICATION {
                return vec![self.of_application(root, &[], &Element::default(), None)];
            }
            let mut set = generated::elements(root);
            if set.elements.is_empty() {
                set.elements.push(set.unknown);
            }
            let made = set
                .elements
                .iter()
                .map(|element| self.of_application(root, &["spec", "template"], element, set.refused.clone()));
            made.collect()
        });
        looked.into_iter().flatten().flatten().collect()
    }

    fn look<T>(&self, look: impl FnOnce(Node<'_>) -> T) -> Option<T> {
        let Object { path, at, .. } = self.object;
        self.index.opened.look(path, at, |document| look(document.root))
    }

    /// The releases of an application that stands below some keys.
    fn of_application(
        &self,
        root: Node<'_>,
        below: &[&str],
        element: &Element,
        refused: Option<Refused>,
    ) -> Vec<Release> {
        let Some(application) = find(root, below) else {
            return Vec::new();
        };
        let text = |keys: &[&str]| element.fill(find(application, keys)?.text()?);
        let name = text(&["metadata", "name"]);
        let named = text(&["spec", "destination", "name"]);
        let mut installed = Vec::new();
        let sources = find(application, &["spec", "sources"]).filter(|sources| sources.items().next().is_some());
        let keys = |keys: &[&str]| {
            below
                .iter()
                .chain(keys)
                .map(|key| (*key).to_owned())
                .collect::<Vec<String>>()
        };
        match sources {
            None => {
                let source = find(application, &["spec", "source"]);
                installed.extend(source.and_then(|source| self.installed(source, keys(&["spec", "source"]), element)));
            }
            Some(sources) => {
                for (index, source) in sources.items().enumerate() {
                    let below = keys(&["spec", "sources", &index.to_string()]);
                    installed.extend(self.installed(source, below, element));
                }
            }
        }
        let referred: Vec<String> = sources
            .into_iter()
            .flat_map(Node::items)
            .filter(|source| !self.is_another(*source, element))
            .filter_map(|source| find(source, &["ref"])?.text().map(str::to_owned))
            .collect();
        let ignored = Ignored::of_application(application, &self.object.key, &self.object.path);
        let mut releases = Vec::new();
        for source in installed {
            let beside = source.beside.map(|line| {
                let message = "Argo CD takes no source that is for Helm and for kustomize at once";
                Refused::shape(line, message)
            });
            let refused = refused.clone().or(beside);
            let sources = self.sources(&source, name.as_deref(), &referred, element);
            for (management_cluster, instance) in self.owners(named.as_deref()) {
                releases.push(Release {
                    management_cluster,
                    path: self.object.path.clone(),
                    line: self.object.line,
                    name: name.clone().unwrap_or_default(),
                    chart: source.chart.clone(),
                    sources: sources.clone(),
                    holds: self.holds(instance),
                    patches: Vec::new(),
                    ignored: ignored.clone(),
                    refused: refused.clone().or_else(|| self.refused(instance)),
                });
            }
        }
        releases
    }

    /// The management clusters that it is for: the one that its destination names, else those in whose paths it lies.
    fn owners(&self, named: Option<&str>) -> Vec<(ManagementClusterName, Option<&Instance>)> {
        let mut clusters = self.fleet.management_clusters().map(|(_, cluster)| &cluster.name);
        if let Some(cluster) = clusters.find(|cluster| Some(cluster.as_str()) == named) {
            return vec![(cluster.clone(), self.uses.first().map(|(_, instance)| *instance))];
        }
        let owners = self.uses.iter();
        owners
            .map(|(identity, instance)| (identity.management_cluster.clone(), Some(*instance)))
            .collect()
    }

    fn holds(&self, instance: Option<&Instance>) -> Vec<String> {
        let own = self.index.objects[self.number]
            .said()
            .and_then(|said| said.hold.clone());
        let above = instance.into_iter().flat_map(|instance| instance.holds.clone());
        own.into_iter().chain(above).collect()
    }

    fn refused(&self, instance: Option<&Instance>) -> Option<Refused> {
        if instance.is_some_and(|instance| !instance.layers.is_empty()) {
            let message = format!("a kustomization patches the {}", self.object.key.kind);
            return Some(Refused::shape(self.object.line, message));
        }
        let suspended = instance.and_then(|instance| instance.suspended.as_deref());
        if let Some(suspended) = suspended {
            return Some(Refused::at(self.object.line, suspended.clone()));
        }
        let doubt = self.index.doubt_of(self.number);
        let doubt = doubt.map(|message| Refused::shape(self.object.line, message));
        doubt.or_else(|| self.object.said().and_then(|said| said.refused.clone()))
    }

    /// What a source installs; nothing for one that is no chart.
    fn installed(&self, source: Node<'_>, below: Vec<String>, element: &Element) -> Option<Installed> {
        let text = |key: &str| find(source, &[key]).and_then(Node::text);
        let beside = find(source, &["kustomize"]).filter(|other| other.entries().next().is_some());
        let beside = beside.map(|other| other.position().line);
        if let Some(chart) = text("chart") {
            return Some(Installed {
                below,
                chart: element.fill(chart),
                folder: None,
                beside,
            });
        }
        let folder = self.below_root(&element.fill(text("path")?)?)?;
        if self.is_another(source, element) {
            // What else lies in the folder of another repository is not known: only `helm` tells that it is a chart.
            find(source, &["helm"])?;
            return Some(Installed {
                below,
                chart: Some(folder.file_name().to_owned()),
                folder: None,
                beside,
            });
        }
        let chart = folder
            .join("Chart.yaml")
            .ok()
            .filter(|chart| self.tree.mode(chart).is_some());
        if chart.is_none() && (find(source, &["helm"]).is_none() || self.tree.has_folder(&folder)) {
            return None;
        }
        let name = chart.and_then(|chart| name_of(self.tree, &chart));
        Some(Installed {
            below,
            chart: Some(name.unwrap_or_else(|| folder.file_name().to_owned())),
            folder: Some(folder),
            beside,
        })
    }

    /// Whether a source is certainly of another repository than this.
    fn is_another(&self, source: Node<'_>, element: &Element) -> bool {
        let address = find(source, &["repoURL"]).and_then(Node::text);
        let address = address.and_then(|text| element.fill(text));
        address.is_some_and(|text| self.index.sources.of_address(&text) == Means::Another)
    }

    fn below_root(&self, text: &str) -> Option<RepoPath> {
        // Any file at the root will do: the path is relative to its folder.
        let root: RepoPath = "x".parse().ok()?;
        kustomize::relative(&root, text.trim_start_matches('/'))
    }

    fn sources(&self, source: &Installed, name: Option<&str>, referred: &[String], element: &Element) -> Vec<Source> {
        let helms = self.helms(source, name);
        let mut sources = Vec::new();
        for list in ["fileParameters", "parameters"] {
            let Some((helm, items)) = self.field(&helms, list, |node| {
                node.items().map(|item| parameter(item, list)).collect::<Vec<_>>()
            }) else {
                continue;
            };
            // What is forced to be a text comes on top of the others (`--set-string`), and of two of one name the later one.
            let mut set: Vec<(bool, Source)> = Vec::new();
            for (index, item) in items.into_iter().enumerate() {
                let mut below = helm.below.clone();
                below.extend([list.to_owned(), index.to_string()]);
                let (is_forced, parameter) = item;
                set.push((is_forced, self.parameter(&helm, below, parameter, element)));
            }
            let (forced, plain): (Vec<_>, Vec<_>) = set.into_iter().partition(|(is_forced, _)| *is_forced);
            let ordered = forced.into_iter().rev().chain(plain.into_iter().rev());
            sources.extend(ordered.map(|(_, source)| source));
        }
        let objects: Vec<&Helm> = helms.iter().filter(|helm| self.has(helm, "valuesObject")).collect();
        for helm in &objects {
            let (spot, below) = helm.at("valuesObject");
            sources.push(Source::Mapping { spot, below });
        }
        if objects.is_empty()
            && let Some(helm) = helms.iter().find(|helm| self.has(helm, "values"))
        {
            let (spot, below) = helm.at("values");
            sources.push(Source::Text { spot, below });
        }
        let files = self.field(&helms, "valueFiles", |node| {
            let file = |item: Node<'_>| (item.position().line, item.text().map(str::to_owned));
            node.items().map(file).collect::<Vec<_>>()
        });
        let lenient = self.field(&helms, "ignoreMissingValueFiles", |node| node.text() == Some("true"));
        let lenient = lenient.is_some_and(|(_, lenient)| lenient);
        if let Some((helm, files)) = files {
            for (line, file) in files.into_iter().rev() {
                let file = file.and_then(|file| element.fill(&file));
                sources.extend(self.value_file(source, &helm, referred, (line, file), lenient));
            }
        }
        let own = source
            .folder
            .as_ref()
            .and_then(|folder| folder.join("values.yaml").ok());
        sources.extend(own.filter(|own| self.tree.mode(own).is_some()).map(Source::File));
        sources
    }

    /// The mappings `helm` that count, the one that wins first.
    fn helms(&self, source: &Installed, name: Option<&str>) -> Vec<Helm> {
        let mut helms = Vec::new();
        if let Some(folder) = &source.folder {
            let names = [
                name.map(|name| format!("{OVERRIDE}-{name}.yaml")),
                Some(format!("{OVERRIDE}.yaml")),
            ];
            for file in names.into_iter().flatten() {
                let Ok(path) = folder.join(&file) else { continue };
                if self.tree.mode(&path).is_some() {
                    let spot = Spot {
                        path,
                        at: At {
                            document: 0,
                            prefix: Default::default(),
                            outer: None,
                        },
                        object: None,
                    };
                    let below = vec!["helm".to_owned()];
                    helms.push(Helm { spot, below });
                }
            }
        }
        let mut below = source.below.clone();
        below.push("helm".to_owned());
        let spot = Spot {
            path: self.object.path.clone(),
            at: self.object.at.clone(),
            object: Some(self.number),
        };
        helms.push(Helm { spot, below });
        helms
    }

    fn within<T>(&self, helm: &Helm, key: &str, look: impl FnOnce(Node<'_>) -> T) -> Option<T> {
        let below: Vec<&str> = helm.below.iter().map(String::as_str).chain([key]).collect();
        let looked = self.index.opened.look(&helm.spot.path, &helm.spot.at, |document| {
            find(document.root, &below).map(look)
        });
        looked.flatten()
    }

    fn has(&self, helm: &Helm, key: &str) -> bool {
        self.within(helm, key, |node| !node.is_null()).unwrap_or(false)
    }

    /// A field of the first mapping that has it: a merge patch replaces whatever is no mapping, a null included.
    fn field<T>(&self, helms: &[Helm], key: &str, look: impl Fn(Node<'_>) -> T) -> Option<(Helm, T)> {
        helms
            .iter()
            .find_map(|helm| Some((helm.clone(), self.within(helm, key, &look)?)))
    }

    fn parameter(&self, helm: &Helm, mut below: Vec<String>, parameter: Parameter, element: &Element) -> Source {
        let Parameter { line, name, value, key } = parameter;
        let path = name
            .and_then(|name| element.fill(&name))
            .and_then(|name| set_path(&name));
        let Some(path) = path else {
            return Source::Anything {
                path: helm.spot.path.clone(),
                line,
                what: "a parameter whose name is not read".to_owned(),
            };
        };
        below.push(key.to_owned());
        let spot = helm.spot.clone();
        // A value that is one element's own stands there; files beside the source are no templates.
        let own = value.filter(|_| spot.object.is_some());
        if let Some(own) = own.and_then(|value| element.place(&value)) {
            below = own;
        }
        let prefix = String::new();
        Source::Set {
            path,
            spot,
            below,
            prefix,
        }
    }

    fn value_file(
        &self,
        source: &Installed,
        helm: &Helm,
        referred: &[String],
        (line, file): (usize, Option<String>),
        lenient: bool,
    ) -> Option<Source> {
        let anything = |what: String| {
            let path = helm.spot.path.clone();
            Some(Source::Anything { path, line, what })
        };
        let Some(file) = file else {
            return anything("a file of values whose name is a template".to_owned());
        };
        let path = match (file.strip_prefix('$'), &source.folder) {
            _ if file.contains(['*', '?', '[', '{']) || file.contains("://") => None,
            (Some(referring), _) => referring
                .split_once('/')
                .filter(|(name, _)| referred.iter().any(|known| known == name))
                .and_then(|(_, rest)| self.below_root(rest)),
            (None, _) if file.starts_with('/') => self.below_root(&file),
            (None, Some(folder)) => folder
                .join("x")
                .ok()
                .and_then(|beside| kustomize::relative(&beside, &file)),
            (None, None) => None,
        };
        match path {
            Some(path) if self.tree.mode(&path).is_some() => Some(Source::File(path)),
            Some(_) if lenient => None,
            _ => anything(format!("the file of values {file}, which is not in this repository,")),
        }
    }
}

impl Helm {
    fn at(&self, key: &str) -> (Spot, Vec<String>) {
        let below = self.below.iter().cloned().chain([key.to_owned()]).collect();
        (self.spot.clone(), below)
    }
}

/// An item of `parameters` or `fileParameters`.
struct Parameter {
    line: usize,
    name: Option<String>,
    value: Option<String>,
    /// The key that has the value, or the file in which it is.
    key: &'static str,
}

fn parameter(item: Node<'_>, list: &str) -> (bool, Parameter) {
    let text = |key: &str| find(item, &[key]).and_then(Node::text).map(str::to_owned);
    let key = if list == "parameters" { "value" } else { "path" };
    let parameter = Parameter {
        line: item.position().line,
        name: text("name"),
        value: text(key),
        key,
    };
    (text("forceString").as_deref() == Some("true"), parameter)
}

/// The name that a chart gives itself.
fn name_of(tree: &FleetTree, chart: &RepoPath) -> Option<String> {
    let manifest = Manifest::open(tree, chart).ok()?;
    let document = manifest.stream().documents().into_iter().next()?;
    find(document.root, &["name"])?.text().map(str::to_owned)
}
