//! Starter policies as text: all of them in mode `report`, with bounds and ladders from the numbers that are there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::fleet::{ChartValues, FleetTree, Guess, Number};
use crate::model::{ManagementClusterName, RepoPath, Site, Target};
use crate::plan::printable;
use crate::policy::catalogue::{FlagDefault, defaults_of, flags_of, managers};
use crate::policy::v1alpha1::API_VERSION;
use crate::policy::{FLAG_PAIRS, FleetFile};

use super::fleet_file::quoted;

/// What the policies are made of.
pub(super) struct Material<'a> {
    pub(super) fleet: &'a FleetFile,
    pub(super) guess: &'a Guess,
    /// The numbers, with every flag that a policy could name.
    pub(super) numbers: &'a [Number],
    pub(super) kamaji: &'a [ChartValues],
    pub(super) tree: &'a FleetTree,
}

/// Policies for every whole-number flag of every controller that is known: with them a scan finds what flags there are.
pub(super) fn for_every_flag() -> String {
    let mut out = String::new();
    for (component, _) in managers() {
        let flags: Vec<&str> = flags_of(component).filter(|flag| is_whole(component, flag)).collect();
        if flags.is_empty() {
            continue;
        }
        let _ = writeln!(
            out,
            "---\napiVersion: {API_VERSION}\nkind: ControllerPolicy\nmetadata: {{name: {component}}}\nspec:\n  component: {component}\n  \
             selector: {{regions: [\"*\"]}}\n  flags:"
        );
        for flag in flags {
            let _ = writeln!(out, "    - {{name: {flag}, ladder: [{{clusters: 1, value: 10000}}]}}");
        }
    }
    out
}

/// Files by name, each with its text. A kind of which nothing was found has none.
pub(super) fn texts(material: &Material<'_>) -> BTreeMap<&'static str, String> {
    let texts = [
        ("node-groups.yaml", node_groups(material)),
        ("kamaji.yaml", kamaji(material)),
        ("controllers.yaml", controllers(material)),
        (SHARDING, sharding(material)),
    ];
    texts
        .into_iter()
        .filter_map(|(name, text)| Some((name, text?)))
        .collect()
}

/// The file of the sharding policies.
pub(super) const SHARDING: &str = "sharding.yaml";

fn head(kind: &str, name: &str) -> String {
    format!(
        "apiVersion: {API_VERSION}\nkind: {kind}\nmetadata:\n  name: {}\nspec:\n  mode: report  # says what it would do; `propose` opens pull requests\n",
        quoted(name)
    )
}

fn node_groups(Material { numbers, .. }: &Material<'_>) -> Option<String> {
    let groups = numbers
        .iter()
        .filter(|number| matches!(number.target, Target::NodeGroup(_)));
    let sizes = groups.filter_map(|number| Some((number.binding.value.as_ref()?.integer()?, number)));
    let sizes: Vec<(u32, &Number)> = sizes
        .filter_map(|(size, number)| Some((u32::try_from(size).ok()?.min(MOST_NODES), number)))
        .collect();
    let smallest = sizes.iter().min_by_key(|(size, _)| *size)?;
    // Of equal ones the first: `max_by_key` would take the last.
    let largest = sizes.iter().rev().max_by_key(|(size, _)| *size)?;
    let mut out = head("NodeGroupPolicy", "workers");
    let max = largest.0.max(1);
    let _ = write!(
        out,
        "  selector:\n    regions: [\"*\"]  # guess: every node group of the repository\n  bounds:\n    \
         min: {}  # guess: the smallest of today, {}\n    max: {max}  # guess: the largest of today, {}; only you know the hardware and the bill\n",
        smallest.0.max(1),
        source(smallest.1),
        source(largest.1)
    );
    out.push_str("  # There is no scaleDown block, so nothing shrinks. `fleetscale schema nodegrouppolicy` documents all fields.\n");
    Some(out)
}

/// The largest bound of a node group.
const MOST_NODES: u32 = 5000;

/// A number and where it is written, for a comment.
fn source(number: &Number) -> String {
    let place = match &number.binding.site {
        Site::Writable(place) => format!("{}:{}", place.path, place.line),
        Site::Refused {
            path: Some(path), line, ..
        } => format!("{path}:{line}"),
        Site::Refused { path: None, .. } => "nowhere".to_owned(),
    };
    printable(&format!("{} at {place}", number.target))
}

fn kamaji(
    Material {
        fleet, kamaji, numbers, ..
    }: &Material<'_>,
) -> Option<String> {
    // By template and pointer: where the number of which management cluster is.
    let mut groups: BTreeMap<(String, &str), BTreeMap<&ManagementClusterName, &ChartValues>> = BTreeMap::new();
    let mut seen: BTreeSet<&ManagementClusterName> = BTreeSet::new();
    let mut more = Vec::new();
    for values in *kamaji {
        match fleet.owner_of(&values.path) {
            Some((region, cluster)) if seen.insert(&cluster.name) => {
                let template = template(&values.path, region.as_str(), cluster.name.as_str());
                let group = groups.entry((template, &values.pointer)).or_default();
                group.insert(&cluster.name, values);
            }
            _ => more.push(values),
        }
    }
    // What is found by itself needs no place in the policy.
    let mut itself: BTreeMap<&ManagementClusterName, (i64, &Number)> = BTreeMap::new();
    for number in *numbers {
        let Target::Platform {
            management_cluster,
            component,
        } = &number.target
        else {
            continue;
        };
        let value = number.binding.value.as_ref().and_then(|value| value.integer());
        if let (Some(value), "kamaji", false) = (value, component.as_str(), seen.contains(management_cluster)) {
            itself.insert(management_cluster, (value, number));
        }
    }
    let several = groups.len() + usize::from(!itself.is_empty()) > 1;
    let mut out = String::new();
    for (count, ((template, pointer), found)) in groups.iter().enumerate() {
        let name = if several {
            format!("kamaji-{}", count + 1)
        } else {
            "kamaji".to_owned()
        };
        let _ = write!(
            out,
            "{}{}",
            if count == 0 { "" } else { "---\n" },
            head("PlatformPolicy", &name)
        );
        let most = found.values().rev().max_by_key(|values| values.replicas)?;
        let source = printable(&format!("{}:{}", most.path, most.line));
        out.push_str(&kamaji_spec(found.keys().copied(), most.replicas, &source));
        let _ = write!(
            out,
            "  writeTo:\n    path: {}  # guess: a values file with that key; see that its chart reads it\n    pointer: {}\n",
            quoted(template),
            quoted(pointer)
        );
    }
    if let Some((most, number)) = itself.values().rev().max_by_key(|(value, _)| *value) {
        let name = if several { "kamaji-deployment" } else { "kamaji" };
        let separator = if out.is_empty() { "" } else { "---\n" };
        let _ = write!(out, "{separator}{}", head("PlatformPolicy", name));
        out.push_str(&kamaji_spec(itself.keys().copied(), *most, &source(number)));
    }
    if out.is_empty() {
        return None;
    }
    for values in more {
        let _ = writeln!(
            out,
            "# {} says {} too; it has no policy, since one file may decide for a management cluster.",
            printable(&format!("{}:{}", values.path, values.line)),
            values.pointer
        );
    }
    Some(out)
}

/// What every policy for Kamaji says.
fn kamaji_spec<'a>(clusters: impl Iterator<Item = &'a ManagementClusterName>, most: i64, source: &str) -> String {
    let clusters: Vec<String> = clusters.map(|name| quoted(name.as_str())).collect();
    let replicas = u32::try_from(most).unwrap_or(2).clamp(2, 100);
    format!(
        "  component: kamaji\n  selector:\n    managementClusters: [{}]  # guess: those with such a number\n  ladder:\n    \
         # guess: the most of today, {source}; at least 2, so that a drained node is no outage\n    - {{tenants: 0, replicas: {replicas}}}\n",
        clusters.join(", ")
    )
}

/// A path with the names of region and management cluster as variables, where they are whole folders.
fn template(path: &RepoPath, region: &str, cluster: &str) -> String {
    let parts = path.as_str().split('/').map(|part| match part {
        part if part == cluster => "{managementCluster}",
        part if part == region => "{region}",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

fn is_whole(component: &str, flag: &str) -> bool {
    let newest = defaults_of(component, flag).last();
    newest.is_some_and(|(_, default)| matches!(default, FlagDefault::Is { .. }))
}

/// The flags of a controller, each with the values that it has and where.
type Flags<'a> = BTreeMap<String, Vec<(u32, &'a Number)>>;

fn controllers(Material { numbers, .. }: &Material<'_>) -> Option<String> {
    let mut found: BTreeMap<&str, Flags<'_>> = BTreeMap::new();
    let mut clusters: BTreeMap<&str, BTreeSet<&ManagementClusterName>> = BTreeMap::new();
    for number in *numbers {
        let Target::Controller {
            management_cluster,
            component,
            flag,
        } = &number.target
        else {
            continue;
        };
        let value = number.binding.value.as_ref().and_then(|value| value.integer());
        let Some(value) = value.and_then(|value| u32::try_from(value).ok()) else {
            continue;
        };
        if is_whole(component.as_str(), flag.as_str()) {
            let flags = found.entry(component.as_str()).or_default();
            flags.entry(flag.to_string()).or_default().push((value, number));
            clusters
                .entry(component.as_str())
                .or_default()
                .insert(management_cluster);
        }
    }
    let mut out = String::new();
    for (component, flags) in &mut found {
        // A rate and its burst go together, or one caps the other.
        for (rate, burst) in FLAG_PAIRS {
            if flags.contains_key(rate) || flags.contains_key(burst) {
                flags.entry(rate.to_owned()).or_default();
                flags.entry(burst.to_owned()).or_default();
            }
        }
        let separator = if out.is_empty() { "" } else { "---\n" };
        let names = clusters.get(component).into_iter().flatten();
        let names: Vec<String> = names.map(|name| quoted(name.as_str())).collect();
        let _ = write!(
            out,
            "{separator}{}  component: {component}\n  selector:\n    managementClusters: [{}]  # guess: those that set one of the flags\n  flags:\n",
            head("ControllerPolicy", component),
            names.join(", ")
        );
        let mut values: BTreeMap<&str, (u32, String)> = BTreeMap::new();
        for (flag, found) in flags.iter() {
            values.insert(flag, rung(component, flag, found));
        }
        for (rate, burst) in FLAG_PAIRS {
            if let (Some((rate, _)), Some((burst, why))) = (values.get(rate).cloned(), values.get_mut(burst))
                && *burst < rate
            {
                *burst = rate.saturating_mul(2).min(MOST_VALUE);
                *why = "guess: twice the rate".to_owned();
            }
        }
        for (flag, (value, why)) in values {
            let _ = writeln!(
                out,
                "    - name: {flag}\n      ladder:\n        - {{clusters: 1, value: {value}}}  # {why}"
            );
        }
    }
    (!out.is_empty()).then_some(out)
}

/// The largest value of a flag.
const MOST_VALUE: u32 = 10_000;

/// The value to begin a ladder with, and why: what is set today or the newest default, whichever is more; it must be above the lowest
/// default that the flag has had, or it would do nothing.
fn rung(component: &str, flag: &str, found: &[(u32, &Number)]) -> (u32, String) {
    let defaults = || {
        defaults_of(component, flag).filter_map(|(since, default)| match default {
            FlagDefault::Is { value, .. } => Some((since, value)),
            _ => None,
        })
    };
    let lowest = defaults().map(|(_, value)| value).min().unwrap_or(0);
    let set = found.iter().rev().max_by_key(|(value, _)| *value);
    let newest = defaults().last();
    let of_today = set.filter(|(value, _)| *value > lowest && newest.is_none_or(|(_, newest)| *value >= newest));
    if let Some((value, number)) = of_today {
        return (
            (*value).min(MOST_VALUE),
            format!("guess: the most of today, {}", source(number)),
        );
    }
    match newest.filter(|(_, value)| *value > lowest) {
        Some((since, value)) => (value, format!("guess: the default from v{}.{} on", since.0, since.1)),
        None => (
            lowest.saturating_mul(2).clamp(1, MOST_VALUE),
            format!("guess: twice the default of {lowest}; a place to begin, measured by nobody"),
        ),
    }
}

fn sharding(material: &Material<'_>) -> Option<String> {
    let Material {
        fleet,
        guess,
        numbers,
        tree,
        ..
    } = material;
    let mut out = String::new();
    for region in &fleet.regions {
        let of_region = |folder: &&RepoPath| fleet.regions.len() == 1 || folder.file_name() == region.name.as_str();
        let Some(requests) = guess.requests.iter().find(of_region) else {
            continue;
        };
        let mut shards: BTreeMap<(&str, &str), RepoPath> = BTreeMap::new();
        for number in *numbers {
            let (Target::NodeGroup(key), Site::Writable(place)) = (&number.target, &number.binding.site) else {
                continue;
            };
            let here = region
                .management_clusters
                .iter()
                .any(|cluster| cluster.name == key.management_cluster);
            if let (true, Some(folder)) = (here, folder_of(&place.path, key.namespace.as_str(), tree)) {
                let names = (key.management_cluster.as_str(), key.namespace.as_str());
                shards.entry(names).or_insert(folder);
            }
        }
        if shards.is_empty() {
            continue;
        }
        let separator = if out.is_empty() { "" } else { "---\n" };
        let _ = write!(
            out,
            "{separator}{}  region: {}\n  requests: {}  # guess: manifests without a namespace, which nothing lists or applies\n  \
             # How many clusters fit is not written anywhere: 500 in a shard and 1000 in a management cluster unless `capacity` says else.\n  shards:\n",
            head("ShardingPolicy", region.name.as_str()),
            quoted(region.name.as_str()),
            quoted(requests.as_str())
        );
        for ((cluster, namespace), folder) in shards {
            let _ = writeln!(
                out,
                "    - name: {}\n      managementCluster: {}\n      namespace: {}\n      path: {}  # guess: it bears the namespace's name and has a kustomization",
                quoted(&format!("{cluster}-{namespace}")),
                quoted(cluster),
                quoted(namespace),
                quoted(folder.as_str())
            );
        }
    }
    (!out.is_empty()).then_some(out)
}

/// The folder above a file that bears a namespace's name and lists what is in it.
fn folder_of(path: &RepoPath, namespace: &str, tree: &FleetTree) -> Option<RepoPath> {
    let mut above = path.parent();
    while let Some(folder) = above {
        let lists = || {
            folder
                .join("kustomization.yaml")
                .is_ok_and(|file| tree.mode(&file).is_some())
        };
        if folder.file_name() == namespace && lists() {
            return Some(folder);
        }
        above = folder.parent();
    }
    None
}
