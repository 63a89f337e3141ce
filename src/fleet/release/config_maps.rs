//! The ConfigMaps that a `HelmRelease` takes values from: objects of the repository, or what a generator of kustomize makes of its files.

use crate::fleet::document::{At, Manifest};
use crate::fleet::find::find as find_node;
use crate::fleet::index::{Identity, Index, Instance};
use crate::fleet::kustomize;
use crate::fleet::tree::FleetTree;
use crate::model::{ManagementClusterName, RepoPath};
use crate::policy::FleetFile;
use crate::yaml::{self, Node};

use super::effective;
use super::{Source, Spot};

/// An item of `valuesFrom`.
#[derive(Debug, Clone)]
pub(super) struct Reference {
    /// Its line.
    pub(super) line: usize,
    /// The kind of what it refers to.
    pub(super) kind: String,
    /// The name of that.
    pub(super) name: String,
    /// The key in it.
    pub(super) key: String,
    /// The path that the value is set at; without one it is YAML that is merged.
    pub(super) target: Option<String>,
    /// Whether it need not be there.
    pub(super) optional: bool,
}

/// What a reference leads to.
pub(super) enum Found {
    /// To nothing, and that is all right.
    Nothing,
    /// To values.
    Source(Box<Source>),
    /// To something that may say anything.
    Anything(String),
}

/// The generators of ConfigMaps in a repository.
#[derive(Debug, Default)]
pub(super) struct Generators(Vec<Generator>);

#[derive(Debug)]
struct Generator {
    /// The kustomization.
    path: RepoPath,
    /// The management cluster in whose paths it lies.
    owner: Option<ManagementClusterName>,
    name: String,
    namespace: Option<String>,
    /// Whether it changes what another one makes, or reads files that are not looked at.
    unusual: bool,
    entries: Vec<(String, Entry)>,
}

#[derive(Debug)]
enum Entry {
    /// A file of this repository.
    File(RepoPath),
    /// A literal at this place in the kustomization.
    Literal(Vec<String>),
    /// Something that is not followed.
    Unknown,
}

/// What the file of a generator mentions.
const WORD: &str = "configMapGenerator";

impl Generators {
    /// Reads them.
    pub(super) fn read(fleet: &FleetFile, tree: &FleetTree) -> Self {
        let mut generators = Self::default();
        let kept = tree.kept().filter(|(path, _)| kustomize::is_name(path.file_name()));
        for (path, _) in kept.filter(|(_, bytes)| yaml::mentions(bytes, &[WORD])) {
            let Ok(manifest) = Manifest::open(tree, path) else {
                continue;
            };
            let Some(document) = manifest.stream().documents().into_iter().next() else {
                continue;
            };
            let owner = owner_of(fleet, path);
            let items = find_node(document.root, &[WORD]).into_iter().flat_map(Node::items);
            for (index, item) in items.enumerate() {
                let generator = generator(path, document.root, index, item, owner.clone());
                generators.0.extend(generator);
            }
        }
        generators
    }
}

/// The management cluster of a path: that of the longest path of the fleet file that contains it.
fn owner_of(fleet: &FleetFile, path: &RepoPath) -> Option<ManagementClusterName> {
    let clusters = fleet.management_clusters();
    let folders = clusters.flat_map(|(_, cluster)| cluster.paths.iter().map(move |folder| (folder, &cluster.name)));
    let containing = folders.filter(|(folder, _)| path.is_under(folder));
    let longest = containing.max_by_key(|(folder, _)| folder.as_str().len());
    longest.map(|(_, name)| name.clone())
}

fn generator(
    path: &RepoPath,
    root: Node<'_>,
    index: usize,
    item: Node<'_>,
    owner: Option<ManagementClusterName>,
) -> Option<Generator> {
    let text = |node: Node<'_>, key: &str| find_node(node, &[key]).and_then(Node::text).map(str::to_owned);
    let changes = text(item, "behavior").is_some_and(|behavior| behavior != "create");
    let reads = ["env", "envs", "binaryData"]
        .iter()
        .any(|key| find_node(item, &[key]).is_some());
    let renames = text(root, "namePrefix").or(text(root, "nameSuffix")).is_some();
    let mut entries = Vec::new();
    for file in find_node(item, &["files"]).into_iter().flat_map(Node::items) {
        let Some(file) = file.text() else { continue };
        let (key, below) = match file.split_once('=') {
            Some((key, below)) => (key, below),
            None => (file.rsplit('/').next().unwrap_or(file), file),
        };
        let entry = kustomize::relative(path, below).map_or(Entry::Unknown, Entry::File);
        entries.push((key.to_owned(), entry));
    }
    for (number, literal) in find_node(item, &["literals"])
        .into_iter()
        .flat_map(Node::items)
        .enumerate()
    {
        let Some((key, _)) = literal.text().and_then(|text| text.split_once('=')) else {
            continue;
        };
        let below = [WORD, &index.to_string(), "literals", &number.to_string()].map(str::to_owned);
        entries.push((key.to_owned(), Entry::Literal(below.to_vec())));
    }
    Some(Generator {
        path: path.clone(),
        owner,
        name: text(item, "name")?,
        // The kustomization's namespace overwrites the generator's.
        namespace: text(root, "namespace").or_else(|| text(item, "namespace")),
        unusual: changes || reads || renames,
        entries,
    })
}

/// Finds what a reference of a release leads to. `release` is the file that declares it.
pub(super) fn find(
    tree: &FleetTree,
    index: &Index<'_>,
    generators: &Generators,
    identity: &Identity,
    release: &RepoPath,
    reference: &Reference,
) -> Found {
    let Reference {
        kind,
        name,
        key,
        optional,
        ..
    } = reference;
    if kind != "ConfigMap" {
        return Found::Anything(format!("{kind} {name}, whose values are not in the repository,"));
    }
    let objects = objects(index, identity, name);
    let made: Vec<&Generator> = generators
        .0
        .iter()
        .filter(|generator| generator.name == *name && generator.is_for(identity, release))
        .collect();
    match (&objects[..], &made[..]) {
        ([], []) if *optional => Found::Nothing,
        ([], []) => Found::Anything(format!("ConfigMap {name}, which is not in the repository,")),
        ([instance], []) => match of_object(index, instance, reference) {
            None if *optional => Found::Nothing,
            None => Found::Anything(format!("ConfigMap {name}, which has no key {key},")),
            Some(Ok(source)) => Found::Source(Box::new(source)),
            Some(Err(why)) => Found::Anything(format!("ConfigMap {name} ({why})")),
        },
        ([], [generator]) if !generator.unusual => generator.source(tree, reference),
        ([], [generator]) => Found::Anything(format!("the generator of ConfigMap {name} in {}", generator.path)),
        _ => Found::Anything(format!("ConfigMap {name}, which comes from several places,")),
    }
}

/// The ConfigMaps of the release's namespace that have this name.
fn objects<'i>(index: &'i Index<'_>, release: &Identity, name: &str) -> Vec<&'i Instance> {
    let identity = Identity {
        management_cluster: release.management_cluster.clone(),
        group: "".into(),
        kind: "ConfigMap".into(),
        name: name.into(),
        namespace: release.namespace.clone(),
    };
    index.instances.get(&identity).into_iter().flatten().collect()
}

fn of_object(index: &Index<'_>, instance: &Instance, reference: &Reference) -> Option<Result<Source, String>> {
    let found = effective::at(index, instance, &["data", &reference.key])?;
    if let Some(refusal) = found.uncertain {
        return Some(Err(refusal.to_string()));
    }
    Some(values(found.spot, found.below, reference))
}

impl Source {
    /// The value of a literal, which is `key=value`.
    fn behind(mut self, key: &str) -> Self {
        if let Self::Set { prefix, .. } = &mut self {
            *prefix = format!("{key}=");
        }
        self
    }
}

/// The source that a text is.
fn values(spot: Spot, below: Vec<String>, reference: &Reference) -> Result<Source, String> {
    match &reference.target {
        None => Ok(Source::Text { spot, below }),
        Some(target) => {
            let path = set_path(target).ok_or_else(|| format!("the path {target} is not read"))?;
            let prefix = String::new();
            Ok(Source::Set {
                path,
                spot,
                below,
                prefix,
            })
        }
    }
}

impl Generator {
    /// Whether it may make what a release of this namespace refers to: in the paths of the same management cluster, or beside the release.
    fn is_for(&self, release: &Identity, file: &RepoPath) -> bool {
        let beside = self.path.parent() == file.parent();
        let same = self.owner.as_ref() == Some(&release.management_cluster);
        let known = self.namespace.is_none() || release.namespace.is_none();
        (same || self.owner.is_none() && beside) && (known || self.namespace.as_deref() == release.namespace.as_deref())
    }

    fn source(&self, tree: &FleetTree, reference: &Reference) -> Found {
        let Reference {
            name,
            key,
            target,
            optional,
            ..
        } = reference;
        let mut entries = self.entries.iter().filter(|(entry, _)| entry == key);
        let unknown = || Found::Anything(format!("ConfigMap {name}, of which {} makes {key},", self.path));
        match (entries.next(), entries.next()) {
            (None, _) if *optional => Found::Nothing,
            (None, _) => Found::Anything(format!("ConfigMap {name}, which has no key {key},")),
            (Some((_, Entry::File(path))), None) if target.is_none() && tree.mode(path).is_some() => {
                Found::Source(Box::new(Source::File(path.clone())))
            }
            (Some((_, Entry::Literal(below))), None) if target.is_some() => {
                let at = At {
                    document: 0,
                    prefix: Default::default(),
                    outer: None,
                };
                let spot = Spot {
                    path: self.path.clone(),
                    at,
                    object: None,
                };
                let source = values(spot, below.clone(), reference);
                source
                    .map(|source| source.behind(key))
                    .map_or_else(|_| unknown(), |source| Found::Source(Box::new(source)))
            }
            _ => unknown(),
        }
    }
}

/// The keys of a path of `helm --set`: `a.b`, where a backslash keeps the next character from counting, and `a[0]` is an item. Nothing for
/// what is no such path.
pub(super) fn set_path(text: &str) -> Option<Vec<String>> {
    let mut keys = vec![String::new()];
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let key = keys.last_mut()?;
        match character {
            '\\' => key.push(characters.next()?),
            '.' => keys.push(String::new()),
            '[' => {
                let index: String = characters.by_ref().take_while(|c| *c != ']').collect();
                index.parse::<usize>().ok()?;
                keys.push(index);
            }
            ',' | '=' | '{' | '}' | ']' => return None,
            other => key.push(other),
        }
    }
    // `a[0].b` leaves nothing between the bracket and the dot.
    Some(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_set_is_keys_and_items() {
        for (text, keys) in [
            ("replicaCount", Some(vec!["replicaCount"])),
            ("kamaji.replicas", Some(vec!["kamaji", "replicas"])),
            ("a\\.b.c", Some(vec!["a.b", "c"])),
            ("extraArgs[0]", Some(vec!["extraArgs", "0"])),
            ("a[0].b", Some(vec!["a", "0", "b"])),
            ("a[x]", None),
            ("a=b", None),
            ("a,b", None),
            ("a\\", None),
        ] {
            let keys: Option<Vec<String>> = keys.map(|keys| keys.into_iter().map(str::to_owned).collect());
            assert_eq!(set_path(text), keys, "{text}");
        }
    }
}
