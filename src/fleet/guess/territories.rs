//! From what is seen to management clusters: each with its name, its region and its folders.

use std::collections::{BTreeMap, BTreeSet};

use crate::fleet::screen::is_manifest_name;
use crate::fleet::tree::FleetTree;
use crate::model::{ManagementClusterName, RegionName, RepoPath};
use crate::policy::catalogue::managers;

use super::GuessedCluster;
use super::appliers::Applier;
use super::names::{above, holds_workloads, is_among_management_clusters, is_generic, region_above, slug};
use super::sightings::{Sightings, Workload};

/// What a management cluster is called that nothing names.
const UNNAMED: &str = "management";

/// A folder that belongs to a management cluster, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Home {
    folder: RepoPath,
    /// Whether the folder bears the name.
    named: bool,
    name: String,
    why: String,
}

/// The management clusters of a repository.
pub(super) fn of(tree: &FleetTree, sightings: &Sightings) -> Vec<GuessedCluster> {
    let mut homes: BTreeSet<Home> = BTreeSet::new();
    let folders = Folders::of(tree, sightings);
    let own = Places::of(tree, sightings);
    for workload in &sightings.workloads {
        homes.extend(homes_of(workload, sightings, &own));
    }
    homes.extend(of_components(sightings, &homes, &own));
    if homes.is_empty() {
        // Where a chart goes to another cluster, the file says nothing of its own.
        let destined: BTreeSet<&RepoPath> = sightings.destinations.values().collect();
        let files = sightings.components.keys().filter(|file| !destined.contains(file));
        homes.extend(files.map(of_folder));
    }
    homes.extend(of_destinations(sightings, &homes, &own));
    homes.extend(of_neighbours(tree, sightings, &homes));
    let mut by_name: BTreeMap<String, Vec<Home>> = BTreeMap::new();
    for home in distinct(homes) {
        by_name.entry(home.name.clone()).or_default().push(home);
    }
    let mut clusters: Vec<GuessedCluster> = Vec::new();
    for (name, homes) in &by_name {
        let Ok(name) = name.parse::<ManagementClusterName>() else {
            continue;
        };
        clusters.push(GuessedCluster {
            region: homes.iter().filter(|home| home.named).find_map(region_of),
            why: homes[0].why.clone(),
            paths: paths_of(&name, homes, &folders),
            name,
        });
    }
    share_nothing(&mut clusters);
    clusters
}

fn region_of(home: &Home) -> Option<(RegionName, String)> {
    let (name, folder) = region_above(&home.folder)?;
    Some((
        name.parse().ok()?,
        format!("the folder {folder} is above {}", home.folder),
    ))
}

/// Where a workload is at home: once, unless several clusters apply it.
fn homes_of(workload: &Workload, sightings: &Sightings, own: &Places<'_>) -> Vec<Home> {
    let owners = sightings.appliers.owners_of(&workload.at);
    let mut below = workload.names.clone();
    let is_a_cluster = |name: &String| owners.iter().any(|applier| applier.names.contains(name));
    let namespaces = owners.iter().filter_map(|applier| applier.namespace.clone());
    below.extend(namespaces.filter(|namespace| !is_a_cluster(namespace)));
    let parts = above(&workload.at, &below);
    // Whoever applies it may say whose it is, in the name of a folder on the way or by its destination.
    let evidence = owners
        .iter()
        .flat_map(|applier| applier.evidence().map(move |name| (name, *applier)));
    let on_the_way = evidence.filter_map(|(name, applier)| {
        let depth = parts.iter().rposition(|part| slug(part).as_ref() == Some(name))?;
        // `flux/blue.yaml` that applies `workloads/blue` is called after the workload.
        let is_workload = applier.stem.as_ref() == Some(name) && is_of_workloads(&parts[..=depth]);
        (!is_workload).then_some((depth, name, applier))
    });
    // The deepest counts; of several objects that say the same, the first.
    let best = on_the_way.reduce(|best, other| if other.0 > best.0 { other } else { best });
    if let Some((depth, name, applier)) = best
        && let Some(folder) = joined(&parts[..=depth])
    {
        let why = match applier.name() {
            Some(other) if other != name => format!(
                "{}, and its file is called so; if {other} is the management cluster, this is a path of it",
                applier.words()
            ),
            _ => applier.words(),
        };
        return vec![Home {
            folder,
            named: true,
            name: name.clone(),
            why,
        }];
    }
    let names: BTreeMap<&String, &Applier> = owners
        .iter()
        .rev()
        .filter_map(|applier| Some((applier.name()?, *applier)))
        .collect();
    if names.len() > 1 {
        let homes = names.into_iter();
        return homes
            .map(|(name, applier)| own.of_one_of_several(name, applier))
            .collect();
    }
    let folder = joined(&parts);
    // What is certain is a name that somebody gave; a folder may be called after anything.
    let given = owners.iter().any(|applier| applier.is_certain) || !names.is_empty() && is_of_workloads(&parts);
    let last = parts.last().and_then(|last| slug(last));
    match (last.filter(|name| !given && !is_generic(name)), &folder) {
        (Some(name), Some(folder)) => vec![Home {
            why: match owners.first() {
                Some(applier) => format!(
                    "{folder} is the folder above the namespaces and clusters, and {}",
                    applier.words()
                ),
                None => format!("{folder} is the folder above the namespaces and clusters"),
            },
            folder: folder.clone(),
            named: true,
            name,
        }],
        _ => vec![unnamed(workload, folder, names.first_key_value())],
    }
}

/// Whether the last of these folders is one of several that hold workloads.
fn is_of_workloads(parts: &[&str]) -> bool {
    matches!(parts, [.., above, _] if holds_workloads(above))
}

/// The places that clusters have for themselves, where what is applied to them is not theirs alone.
struct Places<'s> {
    tree: &'s FleetTree,
    /// By file: the clusters that something in it applies to by their names.
    named_in: BTreeMap<&'s RepoPath, BTreeSet<&'s String>>,
}

impl<'s> Places<'s> {
    fn of(tree: &'s FleetTree, sightings: &'s Sightings) -> Self {
        let mut named_in: BTreeMap<&RepoPath, BTreeSet<&String>> = BTreeMap::new();
        let appliers = sightings.appliers.all();
        let applied = appliers.filter_map(|applier| Some((&applier.file, applier.destination.as_ref()?)));
        let installed = sightings.destinations.iter().map(|(name, file)| (file, name));
        for (file, name) in applied.chain(installed) {
            named_in.entry(file).or_default().insert(name);
        }
        Self { tree, named_in }
    }

    /// The home of one of several clusters that apply the same folder: what they share is nobody's, so it is where the object stands that
    /// applies it.
    fn of_one_of_several(&self, name: &str, applier: &Applier) -> Home {
        let why = format!("{}, and so does another one", applier.words());
        match &applier.bearer {
            Some(folder) => Home {
                folder: folder.clone(),
                named: true,
                name: name.to_owned(),
                why,
            },
            None => self.of_destination(name, &applier.file, why),
        }
    }

    /// The home of a cluster that is known by its name alone: the file that names it, if that names no other one. Else it is a folder of
    /// that name, whether it is there or not, since every management cluster needs one.
    fn of_destination(&self, name: &str, file: &RepoPath, why: String) -> Home {
        let alone = self.named_in.get(file).is_none_or(|names| names.len() < 2);
        let own = name.parse::<RepoPath>().ok().filter(|_| !alone);
        let (folder, why) = match own {
            None => (file.clone(), why),
            Some(folder) if self.tree.has_folder(&folder) => (folder, why),
            Some(folder) => {
                let why = format!("{why}; nothing lies in a folder {folder}, which only stands for the cluster");
                (folder, why)
            }
        };
        Home {
            folder,
            named: false,
            name: name.to_owned(),
            why,
        }
    }
}

/// The homes of clusters in which Argo CD installs components, and which nothing else names.
fn of_destinations(sightings: &Sightings, homes: &BTreeSet<Home>, own: &Places<'_>) -> Vec<Home> {
    let known: BTreeSet<&String> = homes.iter().map(|home| &home.name).collect();
    let unknown = sightings.destinations.iter().filter(|(name, _)| !known.contains(name));
    let found = unknown.map(|(name, file)| {
        let why = format!("something in {file} installs a chart in {name}");
        own.of_destination(name, file, why)
    });
    found.collect()
}

/// The homes of components that nothing applies, in folders beside that of a known management cluster: `platform/eu-2` if there is `platform/eu-1`.
fn of_neighbours(tree: &FleetTree, sightings: &Sightings, homes: &BTreeSet<Home>) -> Vec<Home> {
    let known: BTreeSet<&String> = homes.iter().map(|home| &home.name).collect();
    let is_placed = |file: &RepoPath| {
        homes
            .iter()
            .any(|home| file == &home.folder || file.is_under(&home.folder))
    };
    let files = sightings
        .components
        .iter()
        .filter_map(|(file, sure)| sure.then_some(file));
    let alone = files.filter(|file| !is_placed(file) && sightings.appliers.owners_of(file).is_empty());
    let found = alone.map(of_folder).filter(|home| {
        let above = home.folder.parent();
        let beside = |name: &String| match &above {
            Some(above) => above.join(name).ok(),
            None => name.parse().ok(),
        };
        let mut beside = known.iter().filter_map(|name| beside(name));
        home.named && !known.contains(&home.name) && beside.any(|folder| tree.has_folder(&folder))
    });
    found.collect()
}

/// The home of a workload whose folders bear no name: that of the one cluster that applies it, or of one that nothing names.
fn unnamed(workload: &Workload, folder: Option<RepoPath>, owner: Option<(&&String, &&Applier)>) -> Home {
    if let Some((name, applier)) = owner {
        return Home {
            folder: applier.folder.clone().or(folder).unwrap_or_else(|| workload.at.clone()),
            named: false,
            why: applier.words(),
            name: (*name).clone(),
        };
    }
    let nobodys = of_nobody(&workload.at);
    Home {
        folder: folder.unwrap_or(nobodys.folder),
        ..nobodys
    }
}

/// The home of a component that nothing applies: the nearest folder that says more than what lies in it.
fn of_folder(file: &RepoPath) -> Home {
    let folders = || std::iter::successors(file.parent(), RepoPath::parent);
    let telling = |folder: RepoPath| {
        let name = slug(folder.file_name())?;
        let of_a_component = managers().any(|(component, _)| component == name);
        (!of_a_component && !is_generic(&name)).then_some((name, folder))
    };
    let of_a_cluster = folders().filter(is_among_management_clusters).find_map(telling);
    let telling = of_a_cluster.or_else(|| folders().find_map(telling));
    let Some((name, folder)) = telling else {
        return of_nobody(file);
    };
    Home {
        why: format!("{folder} holds components, and nothing in the repository applies them"),
        folder,
        named: true,
        name,
    }
}

/// The home of what nothing names: the top folder, or the file itself if it lies in none.
fn of_nobody(path: &RepoPath) -> Home {
    let top = path.as_str().split('/').next().unwrap_or_default();
    Home {
        why: "no folder and no destination names it".to_owned(),
        folder: top.parse().unwrap_or_else(|_| path.clone()),
        named: false,
        name: UNNAMED.to_owned(),
    }
}

fn joined(parts: &[&str]) -> Option<RepoPath> {
    parts.join("/").parse().ok()
}

/// The homes of management clusters that have components and no workloads yet.
fn of_components(sightings: &Sightings, homes: &BTreeSet<Home>, own: &Places<'_>) -> Vec<Home> {
    let known: BTreeSet<&String> = homes.iter().map(|home| &home.name).collect();
    let mut found = Vec::new();
    for (file, sure) in &sightings.components {
        let owners = sightings.appliers.owners_of(file);
        let several = owners
            .iter()
            .filter_map(|applier| applier.name())
            .collect::<BTreeSet<_>>()
            .len()
            > 1;
        for applier in owners {
            let Some(folder) = &applier.folder else { continue };
            let parts: Vec<&str> = folder.as_str().split('/').collect();
            let named = applier.evidence().find_map(|name| {
                let depth = parts.iter().rposition(|part| slug(part).as_ref() == Some(name))?;
                Some((joined(&parts[..=depth])?, name))
            });
            let home = match (named, applier.name()) {
                (Some((folder, name)), _) => Home {
                    why: applier.words(),
                    folder,
                    named: true,
                    name: name.clone(),
                },
                (None, Some(name)) if *sure && several => own.of_one_of_several(name, applier),
                (None, Some(name)) if *sure && applier.is_certain => Home {
                    why: applier.words(),
                    folder: folder.clone(),
                    named: false,
                    name: name.clone(),
                },
                _ => continue,
            };
            found.extend(Some(home).filter(|home| !known.contains(&home.name)));
        }
    }
    found
}

/// Tells homes apart that end in the same name within one tree: `clusters/eu/prod` and `clusters/us/prod` are `eu-prod` and `us-prod`.
fn distinct(homes: BTreeSet<Home>) -> Vec<Home> {
    let mut trees: BTreeMap<(String, String), BTreeSet<RepoPath>> = BTreeMap::new();
    let tree_of = |home: &Home| {
        let top = home.folder.as_str().split('/').next().unwrap_or_default().to_owned();
        (home.name.clone(), top)
    };
    for home in homes.iter().filter(|home| home.named) {
        trees.entry(tree_of(home)).or_default().insert(home.folder.clone());
    }
    let twice: BTreeSet<&String> = trees
        .iter()
        .filter(|(_, folders)| folders.len() > 1)
        .map(|((name, _), _)| name)
        .collect();
    let qualified = homes.iter().map(|home| {
        let mut home = home.clone();
        let above = home.folder.parent().and_then(|above| slug(above.file_name()));
        if let (true, true, Some(above)) = (home.named, twice.contains(&home.name), above) {
            home.name = format!("{above}-{}", home.name);
        }
        home
    });
    qualified.collect()
}

/// The folders of a management cluster: its homes, whatever else bears its name, and what is applied to it alone.
fn paths_of(name: &ManagementClusterName, homes: &[Home], folders: &Folders<'_>) -> Vec<(RepoPath, String)> {
    let mut paths: BTreeMap<RepoPath, String> = BTreeMap::new();
    for home in homes {
        let why = if home.named { "it bears the name" } else { &home.why };
        paths.entry(home.folder.clone()).or_insert_with(|| why.to_owned());
    }
    // How the paths of its folders end, and nobody else's: with its name, or with the folder above and its name.
    let end_of = |home: &Home| {
        let last = home.folder.file_name();
        let qualified = slug(last).as_deref() != Some(name.as_str());
        let above = home.folder.parent().filter(|_| qualified);
        above.map_or(last.to_owned(), |above| format!("{}/{last}", above.file_name()))
    };
    let ends: BTreeSet<String> = homes
        .iter()
        .filter(|home| home.name != UNNAMED)
        .map(|home| if home.named { end_of(home) } else { home.name.clone() })
        .collect();
    for end in &ends {
        let last = end.rsplit('/').next().unwrap_or(end);
        for folder in folders.by_name.get(last).into_iter().flatten() {
            let before = folder.as_str().strip_suffix(end.as_str());
            if before.is_some_and(|before| before.is_empty() || before.ends_with('/')) {
                paths
                    .entry(folder.clone())
                    .or_insert_with(|| "it bears the name".to_owned());
            }
        }
    }
    for (folder, who) in &folders.applied_by_one {
        if who.names.iter().any(|own| own == name.as_str()) {
            paths
                .entry((*folder).clone())
                .or_insert_with(|| format!("only {} applies it", who.who));
        }
    }
    let all: Vec<RepoPath> = paths.keys().cloned().collect();
    let within = |path: &RepoPath| all.iter().any(|other| other != path && path.is_under(other));
    paths.into_iter().filter(|(path, _)| !within(path)).collect()
}

/// The folders that management clusters may have besides their homes.
struct Folders<'s> {
    /// Those with manifests, by their last part.
    by_name: BTreeMap<String, BTreeSet<RepoPath>>,
    /// Those with something that matters, which are applied to one cluster alone, each with the first who does it.
    applied_by_one: Vec<(&'s RepoPath, &'s Applier)>,
}

impl<'s> Folders<'s> {
    fn of(tree: &FleetTree, sightings: &'s Sightings) -> Self {
        let elsewhere: Vec<&RepoPath> = sightings.policies.keys().chain(&sightings.requests).collect();
        let usable = |folder: &RepoPath| !elsewhere.iter().any(|other| folder.is_under(other));
        let mut all: BTreeSet<RepoPath> = BTreeSet::new();
        for path in tree.paths().filter(|path| is_manifest_name(path.file_name())) {
            let mut above = path.parent();
            while let Some(folder) = above {
                above = folder.parent();
                if !all.insert(folder) {
                    break;
                }
            }
        }
        let mut by_name: BTreeMap<String, BTreeSet<RepoPath>> = BTreeMap::new();
        for folder in all.into_iter().filter(usable) {
            by_name.entry(folder.file_name().to_owned()).or_default().insert(folder);
        }
        let workloads = sightings.workloads.iter().map(|workload| workload.at.as_str());
        let components = sightings.components.keys().map(RepoPath::as_str);
        let matter: BTreeSet<&str> = workloads.chain(components).collect();
        let matters = |folder: &RepoPath| {
            let below = format!("{folder}/");
            let first = matter.range(below.as_str()..).next();
            first.is_some_and(|path| path.starts_with(&below))
        };
        let applied = sightings.appliers.folders().filter_map(|(folder, who)| {
            let first = *who.first()?;
            let one = who.iter().all(|other| other.name() == first.name());
            (one && usable(folder) && matters(folder)).then_some((folder, first))
        });
        Self {
            by_name,
            applied_by_one: applied.collect(),
        }
    }
}

/// Leaves a folder that two claim to the first of them: nobody may share one.
fn share_nothing(clusters: &mut Vec<GuessedCluster>) {
    let mut taken: BTreeSet<RepoPath> = BTreeSet::new();
    for cluster in clusters.iter_mut() {
        cluster.paths.retain(|(path, _)| taken.insert(path.clone()));
    }
    clusters.retain(|cluster| !cluster.paths.is_empty());
}
