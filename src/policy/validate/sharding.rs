//! The rules for a `ShardingPolicy`.

use super::check::Check;
use super::suggest;
use crate::model::{ManagementClusterName, RegionName, RepoPath};
use crate::policy::set::{Meta, Shard, ShardingPolicy};
use crate::policy::v1alpha1::{self, ShardingPolicySpec};

/// A planning figure: one set of controllers first met its rate limit at 600 clusters in the Metal3 project's test.
const SHARD_CAPACITY: u32 = 500;

/// The largest run that the Metal3 project has published.
const MANAGEMENT_CLUSTER_CAPACITY: u32 = 1000;

pub(super) fn read(check: &mut Check<'_>, meta: Meta, spec: ShardingPolicySpec) -> Option<ShardingPolicy> {
    let ShardingPolicySpec {
        region,
        capacity,
        requests,
        shards,
        mode: _,
        suspend: _,
    } = spec;
    let region: Option<RegionName> = check.required("/spec/region", region.as_ref());
    if let (Some(fleet), Some(region)) = (check.fleet(), &region)
        && !fleet.regions.iter().any(|known| known.name == *region)
    {
        let known: Vec<&str> = fleet.regions.iter().map(|known| known.name.as_str()).collect();
        let hint = suggest::among(region.as_str(), known.into_iter());
        check.error("/spec/region", format!("the fleet file has no region `{region}`"), hint);
    }
    let default = v1alpha1::Capacity::default();
    let capacities = check
        .or("/spec/capacity", capacity.as_ref(), &default)
        .and_then(|capacity| {
            let v1alpha1::Capacity {
                shard,
                management_cluster,
            } = *capacity;
            let shard = check.or("/spec/capacity/shard", shard, SHARD_CAPACITY);
            let whole = check.or(
                "/spec/capacity/managementCluster",
                management_cluster,
                MANAGEMENT_CLUSTER_CAPACITY,
            );
            shard.zip(whole)
        });
    if let Some((shard, whole)) = capacities
        && shard > whole
    {
        check.error(
            "/spec/capacity",
            format!("a shard of {shard} clusters does not fit into a management cluster of {whole}"),
            "raise managementCluster, or lower shard",
        );
    }
    let requests: Option<RepoPath> = check.required("/spec/requests", requests.as_ref());
    let shards = shards.map(|raw| {
        let shard_capacity = capacities.map(|(shard, _)| shard);
        let read: Vec<Option<Shard>> = raw
            .iter()
            .enumerate()
            .map(|(index, raw)| shard(check, index, raw, shard_capacity, region.as_ref()))
            .collect();
        compare(check, &read, requests.as_ref());
        read.into_iter().collect::<Option<Vec<Shard>>>()
    });
    let mut shards = shards??;
    shards.sort_by(|a, b| a.name.cmp(&b.name));
    Some(ShardingPolicy {
        requests_position: {
            let at = check.position("/spec/requests");
            (at.line, at.column)
        },
        meta,
        region: region?,
        management_cluster_capacity: capacities?.1,
        requests: requests?,
        shards,
    })
}

fn shard(
    check: &mut Check<'_>,
    index: usize,
    raw: &v1alpha1::Shard,
    default: Option<u32>,
    region: Option<&RegionName>,
) -> Option<Shard> {
    let at = |field: &str| format!("/spec/shards/{index}/{field}");
    let v1alpha1::Shard {
        name,
        management_cluster,
        namespace,
        path,
        capacity,
    } = raw;
    let name = check.required(&at("name"), name.as_ref());
    let management_cluster = check.required(&at("managementCluster"), management_cluster.as_ref());
    let namespace = check.required(&at("namespace"), namespace.as_ref());
    let path: Option<RepoPath> = check.required(&at("path"), path.as_ref());
    if let Some(management_cluster) = &management_cluster {
        in_fleet(check, index, management_cluster, path.as_ref(), region);
    }
    let capacity = match capacity {
        Some(capacity) => Some(*capacity),
        None if check.is_broken(&at("capacity")) => None,
        None => default,
    };
    Some(Shard {
        name: name?,
        management_cluster: management_cluster?,
        namespace: namespace?,
        path: path?,
        capacity: capacity?,
    })
}

/// A shard's management cluster must be one of its region, and own the shard's folder.
fn in_fleet(
    check: &mut Check<'_>,
    index: usize,
    name: &ManagementClusterName,
    path: Option<&RepoPath>,
    region: Option<&RegionName>,
) {
    let Some(fleet) = check.fleet() else { return };
    let at = |field: &str| format!("/spec/shards/{index}/{field}");
    let Some((its_region, cluster)) = fleet.management_cluster(name) else {
        let known: Vec<&str> = fleet
            .management_clusters()
            .map(|(_, known)| known.name.as_str())
            .collect();
        let hint = suggest::among(name.as_str(), known.into_iter());
        check.error(
            &at("managementCluster"),
            format!("the fleet file has no management cluster `{name}`"),
            hint,
        );
        return;
    };
    if let Some(region) = region
        && its_region != region
    {
        check.error(
            &at("managementCluster"),
            format!("{name} is in the region {its_region}"),
            format!("a cluster is placed in its own region, here {region}"),
        );
    }
    if let Some(path) = path
        && fleet.owner_of(path).is_none_or(|(_, owner)| owner.name != *name)
    {
        let folders: Vec<&str> = cluster.paths.iter().map(RepoPath::as_str).collect();
        check.error(
            &at("path"),
            format!("{path} does not belong to {name}, so a cluster that is placed there would not either"),
            format!("its folders are {}", suggest::list(folders.into_iter())),
        );
    }
}

/// Two shards that share a name, a namespace or a folder are one, and would be counted as two.
fn compare(check: &mut Check<'_>, shards: &[Option<Shard>], requests: Option<&RepoPath>) {
    for (index, shard) in shards.iter().enumerate() {
        let Some(shard) = shard else { continue };
        let at = |field: &str| format!("/spec/shards/{index}/{field}");
        if let Some(requests) = requests
            && (shard.path.is_under(requests) || requests.is_under(&shard.path))
        {
            check.error(
                &at("path"),
                format!("{} and the requests folder {requests} contain one another", shard.path),
                "a cluster that waits must not be one that is placed: use separate folders",
            );
        }
        for (first, other) in shards[..index]
            .iter()
            .enumerate()
            .filter_map(|(at, other)| Some((at, other.as_ref()?)))
        {
            if shard.name == other.name {
                check.error(
                    &at("name"),
                    format!("{} is the name of spec.shards[{first}] already", shard.name),
                    "names of shards are unique in the whole fleet",
                );
            }
            if (&shard.management_cluster, &shard.namespace) == (&other.management_cluster, &other.namespace) {
                check.error(
                    &at("namespace"),
                    format!(
                        "{} on {} is spec.shards[{first}] already",
                        shard.namespace, shard.management_cluster
                    ),
                    "a shard is a namespace of a management cluster",
                );
            }
            if shard.path.is_under(&other.path) || other.path.is_under(&shard.path) {
                check.error(
                    &at("path"),
                    format!(
                        "{} and {} of spec.shards[{first}] contain one another",
                        shard.path, other.path
                    ),
                    "give each shard a folder of its own",
                );
            }
        }
    }
}
