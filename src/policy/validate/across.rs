//! Rules between manifests: what may stand only once in the whole set.

use std::collections::BTreeMap;

use super::check::field;
use crate::model::{RegionName, ShardName};
use crate::policy::Kind;
use crate::policy::problem::{Problem, Severity};
use crate::policy::set::{Meta, PolicySet, ShardingPolicy};
use crate::yaml::Position;

/// Where the fields of a manifest are.
#[derive(Debug, Clone)]
pub(in crate::policy) struct Positions {
    pub(in crate::policy) file: String,
    pub(in crate::policy) places: BTreeMap<String, Position>,
}

impl Positions {
    /// The position of a field, or of the nearest thing around it.
    fn of(&self, at: &str) -> Position {
        let mut above = at;
        loop {
            match (self.places.get(above), above.rsplit_once('/')) {
                (Some(position), _) => return *position,
                (None, Some((rest, _))) => above = rest,
                (None, None) => return Position { line: 1, column: 1 },
            }
        }
    }

    pub(in crate::policy) fn error(&self, at: &str, message: String, hint: &str) -> Problem {
        let Position { line, column } = self.of(at);
        Problem {
            file: self.file.clone(),
            line,
            column,
            field: field(at),
            severity: Severity::Error,
            message,
            hint: hint.to_owned(),
        }
    }
}

/// Checks the policies of a set against each other. `positions` are by kind and name.
pub(in crate::policy) fn across(set: &PolicySet, positions: &BTreeMap<(Kind, String), Positions>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut regions: BTreeMap<&RegionName, &Meta> = BTreeMap::new();
    let mut shards: BTreeMap<&ShardName, &Meta> = BTreeMap::new();
    for policy in &set.sharding {
        let Some(positions) = positions.get(&(policy.meta.kind, policy.meta.name.to_string())) else {
            continue;
        };
        if let Some(Meta { name, file, line, .. }) = regions.get(&policy.region) {
            problems.push(positions.error(
                "/spec/region",
                format!(
                    "the region {} has a sharding policy already: {name} ({file}:{line})",
                    policy.region
                ),
                "a region has one, so that a request can't be placed twice: merge the two",
            ));
        }
        regions.entry(&policy.region).or_insert(&policy.meta);
        let earlier = set.sharding.iter().filter(|other| other.meta.name < policy.meta.name);
        for other in earlier {
            problems.extend(folders(policy, other).map(|(message, hint)| positions.error("/spec", message, hint)));
        }
        for shard in &policy.shards {
            match shards.get(&shard.name) {
                Some(other) if other.name != policy.meta.name => problems.push(positions.error(
                    "/spec/shards",
                    format!(
                        "the shard {} stands in {} ({}:{}) too",
                        shard.name, other.name, other.file, other.line
                    ),
                    "names of shards are unique in the whole fleet",
                )),
                _ => {}
            }
            shards.entry(&shard.name).or_insert(&policy.meta);
        }
    }
    problems
}

/// Folders of two sharding policies that contain one another: a file in both would be placed twice, or be waiting and placed at once.
fn folders(policy: &ShardingPolicy, other: &ShardingPolicy) -> impl Iterator<Item = (String, &'static str)> {
    let of = |policy: &ShardingPolicy| {
        let shards = policy
            .shards
            .iter()
            .map(|shard| (shard.path.clone(), format!("the shard {}", shard.name)));
        shards
            .chain([(policy.requests.clone(), "requests".to_owned())])
            .collect::<Vec<_>>()
    };
    let Meta { name, file, line, .. } = other.meta.clone();
    let (ours, theirs) = (of(policy), of(other));
    ours.into_iter().flat_map(move |(path, what)| {
        let at = format!("{name} ({file}:{line})");
        let theirs = theirs.clone().into_iter();
        let overlapping = theirs.filter(move |(other, _)| path.is_under(other) || other.is_under(&path));
        overlapping.map(move |(path, theirs)| {
            (
                format!("{what} and {theirs} of {at} share the folder {path}"),
                "give each a folder of its own",
            )
        })
    })
}
