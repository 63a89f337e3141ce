//! Rules between manifests: names that stand twice, and names that the fleet file does not know.

use std::collections::BTreeMap;

use super::check::field;
use super::suggest;
use crate::model::RegionName;
use crate::policy::problem::{Problem, Severity};
use crate::policy::set::{Meta, PolicySet, ShardingPolicy};
use crate::policy::{FleetFile, Kind, Pattern, Selector};
use crate::yaml::Position;

/// Where the fields of a manifest are.
#[derive(Debug, Clone)]
pub(in crate::policy) struct Positions {
    pub(in crate::policy) file: String,
    pub(in crate::policy) places: BTreeMap<String, Position>,
}

impl Positions {
    /// The position of a field, or of the nearest thing around it.
    pub(in crate::policy) fn of(&self, at: &str) -> Position {
        let mut above = at;
        loop {
            match (self.places.get(above), above.rsplit_once('/')) {
                (Some(position), _) => return *position,
                (None, Some((rest, _))) => above = rest,
                (None, None) => return Position { line: 1, column: 1 },
            }
        }
    }

    fn problem(&self, at: &str, severity: Severity, message: String, hint: String) -> Problem {
        let Position { line, column } = self.of(at);
        Problem {
            file: self.file.clone(),
            line,
            column,
            field: field(at),
            severity,
            message,
            hint,
        }
    }
}

/// Checks the policies of a set against each other and, if there is one, against the fleet file. `positions` are by kind and name.
pub(in crate::policy) fn across(
    set: &PolicySet,
    fleet: Option<&FleetFile>,
    positions: &BTreeMap<(Kind, String), Positions>,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let place = |meta: &Meta| positions.get(&(meta.kind, meta.name.to_string()));
    sharding(set, fleet, &place, &mut problems);
    if let Some(fleet) = fleet {
        let selectors = (set.node_groups.iter().map(|policy| (&policy.meta, &policy.selector)))
            .chain(set.platforms.iter().map(|policy| (&policy.meta, &policy.selector)))
            .chain(set.controllers.iter().map(|policy| (&policy.meta, &policy.selector)));
        for (meta, selector) in selectors {
            if let Some(positions) = place(meta) {
                self::selector(selector, fleet, positions, &mut problems);
            }
        }
    }
    problems
}

/// Names without a star must be known; a pattern that matches nothing yet may be waiting for its region.
fn selector(selector: &Selector, fleet: &FleetFile, positions: &Positions, problems: &mut Vec<Problem>) {
    let regions: Vec<&str> = fleet.regions.iter().map(|region| region.name.as_str()).collect();
    let clusters: Vec<&str> = fleet
        .management_clusters()
        .map(|(_, cluster)| cluster.name.as_str())
        .collect();
    let lists: [(&str, &str, &Option<Vec<Pattern>>, &[&str]); 2] = [
        ("regions", "region", &selector.regions, &regions),
        (
            "managementClusters",
            "management cluster",
            &selector.management_clusters,
            &clusters,
        ),
    ];
    for (list, what, patterns, known) in lists {
        for (index, pattern) in patterns.iter().flatten().enumerate() {
            if known.iter().any(|name| pattern.matches(name)) {
                continue;
            }
            let at = format!("/spec/selector/{list}/{index}");
            let hint = suggest::among(&pattern.to_string(), known.iter().copied());
            problems.push(match pattern.literal() {
                Some(name) => positions.problem(
                    &at,
                    Severity::Error,
                    format!("the fleet file has no {what} {name:?}"),
                    hint,
                ),
                None => positions.problem(
                    &at,
                    Severity::Warning,
                    format!(
                        "the pattern {:?} matches no {what} of the fleet file",
                        pattern.to_string()
                    ),
                    hint,
                ),
            });
        }
    }
}

fn sharding<'a>(
    set: &PolicySet,
    fleet: Option<&FleetFile>,
    place: &impl Fn(&Meta) -> Option<&'a Positions>,
    problems: &mut Vec<Problem>,
) {
    let mut regions: BTreeMap<&RegionName, &ShardingPolicy> = BTreeMap::new();
    for policy in &set.sharding {
        let Some(positions) = place(&policy.meta) else { continue };
        let mut error = |at: &str, message: String, hint: String| {
            problems.push(positions.problem(at, Severity::Error, message, hint));
        };
        if let Some(first) = regions.get(&policy.region) {
            let Meta { name, file, line, .. } = &first.meta;
            error(
                "/spec/region",
                format!(
                    "the region {} has a sharding policy already: {name} ({file}:{line})",
                    policy.region
                ),
                "a region has one, so that a request can't be placed twice: merge the two".to_owned(),
            );
        }
        regions.entry(&policy.region).or_insert(policy);
        // The validated shards are sorted; the file's are not.
        for shard in &policy.shards {
            let others = set.sharding.iter().filter(|other| other.meta.name < policy.meta.name);
            for other in others.filter(|other| other.shards.iter().any(|theirs| theirs.name == shard.name)) {
                error(
                    "/spec/shards",
                    format!("the shard {} stands in {} too", shard.name, other.meta.name),
                    "names of shards are unique in the whole fleet".to_owned(),
                );
            }
            if let Some(fleet) = fleet {
                match fleet.management_cluster(&shard.management_cluster) {
                    None => {
                        let known: Vec<&str> = fleet
                            .management_clusters()
                            .map(|(_, known)| known.name.as_str())
                            .collect();
                        error(
                            "/spec/shards",
                            format!(
                                "shard {}: the fleet file has no management cluster {:?}",
                                shard.name,
                                shard.management_cluster.as_str()
                            ),
                            suggest::among(shard.management_cluster.as_str(), known.into_iter()),
                        );
                    }
                    Some((region, _)) if *region != policy.region => error(
                        "/spec/shards",
                        format!(
                            "shard {}: {} is in the region {region}",
                            shard.name, shard.management_cluster
                        ),
                        format!("a cluster is placed in its own region, here {}", policy.region),
                    ),
                    Some((_, cluster)) if !cluster.paths.iter().any(|folder| shard.path.is_under(folder)) => error(
                        "/spec/shards",
                        format!(
                            "shard {}: {} lies in none of the folders of {}",
                            shard.name, shard.path, cluster.name
                        ),
                        "whatever is placed there would belong to another management cluster, or to none".to_owned(),
                    ),
                    Some(_) => {}
                }
            }
        }
        if let Some(fleet) = fleet
            && !fleet.regions.iter().any(|region| region.name == policy.region)
        {
            let known = fleet.regions.iter().map(|region| region.name.as_str());
            error(
                "/spec/region",
                format!("the fleet file has no region {:?}", policy.region.as_str()),
                suggest::among(policy.region.as_str(), known),
            );
        }
    }
}
