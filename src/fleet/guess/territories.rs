//! From what is seen to management clusters: each with its name, its region and its folders.

use std::collections::{BTreeMap, BTreeSet};

use crate::fleet::screen::is_manifest_name;
use crate::fleet::tree::FleetTree;
use crate::model::{ManagementClusterName, RegionName, RepoPath};
use crate::policy::catalogue::managers;

use super::GuessedCluster;
use super::appliers::Applier;
use super::names::{above, is_generic, region_above, slug};
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
    for workload in &sightings.workloads {
        homes.extend(homes_of(workload, sightings));
    }
    homes.extend(of_components(sightings, &homes));
    if homes.is_empty() {
        homes.extend(sightings.components.iter().map(of_folder));
    }
    let mut by_name: BTreeMap<String, Vec<Home>> = BTreeMap::new();
    for home in distinct(homes) {
        by_name.entry(home.name.clone()).or_default().push(home);
    }
    let folders = Folders::of(tree, sightings);
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
fn homes_of(workload: &Workload, sightings: &Sightings) -> Vec<Home> {
    let parts = above(&workload.at, &workload.names);
    // Whoever applies it may say whose it is, in the name of a folder on the way or by its destination.
    let owners = sightings.appliers.owners_of(&workload.at);
    let evidence = owners.iter().flat_map(|applier| {
        let names = applier.names.iter();
        names.map(move |name| (name, *applier))
    });
    let on_the_way = evidence.filter_map(|(name, applier)| {
        let depth = parts.iter().rposition(|part| slug(part).as_ref() == Some(name))?;
        Some((depth, name, applier))
    });
    // The deepest counts; of several objects that say the same, the first.
    let best = on_the_way.reduce(|best, other| if other.0 > best.0 { other } else { best });
    if let Some((depth, name, applier)) = best
        && let Some(folder) = joined(&parts[..=depth])
    {
        return vec![Home {
            folder,
            named: true,
            name: name.clone(),
            why: applier.words(),
        }];
    }
    let names: BTreeMap<&String, &Applier> = owners
        .iter()
        .rev()
        .filter_map(|applier| Some((applier.names.first()?, *applier)))
        .collect();
    if names.len() > 1 {
        return names.into_iter().filter_map(of_one_of_several).collect();
    }
    let folder = joined(&parts);
    // A destination is a name that somebody gave; a folder may be called after anything.
    let given = owners.iter().any(|applier| applier.destination.is_some());
    let last = parts.last().and_then(|last| slug(last));
    match (last.filter(|name| !given && !is_generic(name)), &folder) {
        (Some(name), Some(folder)) => vec![Home {
            why: format!("{folder} is the folder above the namespaces and clusters"),
            folder: folder.clone(),
            named: true,
            name,
        }],
        _ => vec![unnamed(workload, folder, names.first_key_value())],
    }
}

/// The home of one of several clusters that apply the same folder: what they share is nobody's, so it is where the object stands that
/// applies it.
fn of_one_of_several((name, applier): (&String, &Applier)) -> Option<Home> {
    let folder = applier.bearer.clone()?;
    Some(Home {
        folder,
        named: true,
        name: name.clone(),
        why: format!("{}, and so does another one", applier.words()),
    })
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
    let mut folders = std::iter::successors(file.parent(), RepoPath::parent);
    let telling = folders.find_map(|folder| {
        let name = slug(folder.file_name())?;
        let of_a_component = managers().any(|(component, _)| component == name);
        (!of_a_component && !is_generic(&name)).then_some((name, folder))
    });
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
fn of_components(sightings: &Sightings, homes: &BTreeSet<Home>) -> Vec<Home> {
    let known: BTreeSet<&String> = homes.iter().map(|home| &home.name).collect();
    let mut found = Vec::new();
    for file in &sightings.components {
        for applier in sightings.appliers.owners_of(file) {
            let Some(folder) = &applier.folder else { continue };
            let parts: Vec<&str> = folder.as_str().split('/').collect();
            let named = applier.names.iter().find_map(|name| {
                let depth = parts.iter().rposition(|part| slug(part).as_ref() == Some(name))?;
                (!known.contains(name)).then_some((joined(&parts[..=depth])?, name))
            });
            found.extend(named.map(|(folder, name)| Home {
                why: applier.words(),
                folder,
                named: true,
                name: name.clone(),
            }));
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
        let components = sightings.components.iter().map(RepoPath::as_str);
        let matter: BTreeSet<&str> = workloads.chain(components).collect();
        let matters = |folder: &RepoPath| {
            let below = format!("{folder}/");
            let first = matter.range(below.as_str()..).next();
            first.is_some_and(|path| path.starts_with(&below))
        };
        let applied = sightings.appliers.folders().filter_map(|(folder, who)| {
            let first = *who.first()?;
            let one = who.iter().all(|other| other.names == first.names);
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
