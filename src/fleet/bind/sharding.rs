//! New clusters that wait in requests folders, and the shards that they can move into.

use std::collections::BTreeMap;

use crate::fleet::document::Manifest;
use crate::fleet::gate::Refused;
use crate::fleet::index::Index;
use crate::fleet::kustomize;
use crate::fleet::screen::is_manifest_name;
use crate::fleet::shapes::{CAPI_GROUP, kustomization, request};
use crate::fleet::tree::FleetTree;
use crate::model::{
    ClusterName, Declared, DeclaredShard, PlacementRequest, Refusal, RefusedRequest, RegionName, RepoPath, Site,
    Target, Unbound,
};
use crate::policy::{PolicySet, Shard};

use super::last_hold;

/// Adds the requests and shards of all sharding policies.
pub(super) fn bind(policies: &PolicySet, tree: &FleetTree, index: &Index<'_>, declared: &mut Declared) {
    let clusters = clusters(index);
    for policy in &policies.sharding {
        for path in tree.paths_under(&policy.requests) {
            let name = path.file_name();
            if is_manifest_name(name) && !kustomize::is_name(name) {
                add_request(tree, &policy.region, path, index.listed_requests.get(path), declared);
            }
        }
        for shard in &policy.shards {
            let key = (shard.management_cluster.as_str(), shard.namespace.as_str());
            declared.shards.insert(
                shard.name.clone(),
                DeclaredShard {
                    management_cluster: shard.management_cluster.clone(),
                    namespace: shard.namespace.clone(),
                    clusters: clusters.get(&key).cloned().unwrap_or_default(),
                    kustomization: list_of(tree, shard),
                    folder: shard.path.clone(),
                    files: files(tree, &shard.path),
                },
            );
        }
    }
}

/// The clusters that Git declares by management cluster and namespace, in the order of their names.
fn clusters<'i>(index: &'i Index<'_>) -> BTreeMap<(&'i str, &'i str), Vec<ClusterName>> {
    let mut clusters: BTreeMap<(&'i str, &'i str), Vec<ClusterName>> = BTreeMap::new();
    for identity in index.instances.keys() {
        if identity.kind != "Cluster" || identity.group != CAPI_GROUP {
            continue;
        }
        if let (Some(namespace), Ok(name)) = (&identity.namespace, identity.name.parse()) {
            let key = (identity.management_cluster.as_str(), namespace.as_str());
            clusters.entry(key).or_default().push(name);
        }
    }
    clusters
}

fn add_request(
    tree: &FleetTree,
    region: &RegionName,
    path: &RepoPath,
    listed_by: Option<&RepoPath>,
    declared: &mut Declared,
) {
    let read = Manifest::open(tree, path).and_then(|manifest| request::read(&manifest.documents()));
    let unbound = |Refused { line, refusal }| Unbound {
        path: path.clone(),
        line,
        what: "request".to_owned(),
        refusal,
    };
    let request = match read {
        Ok(request) => request,
        Err(refused) => return declared.unbound.push(unbound(refused)),
    };
    let cluster: ClusterName = match request.cluster.parse() {
        Ok(cluster) => cluster,
        Err(error) => {
            let message = crate::model::InvalidName::to_string(&error);
            return declared
                .unbound
                .push(unbound(Refused::at(0, Refusal::BadName { message })));
        }
    };
    let target = Target::Placement {
        region: region.clone(),
        cluster: cluster.clone(),
    };
    let documents = match listed_by {
        // It may be applied already, and what lists it could not be built any more without it.
        Some(user) => {
            let message = format!("{user} lists it; a request is listed by nothing until it is placed");
            Err(Refused::shape(0, message))
        }
        None => request.documents,
    };
    let documents = documents.map_err(|Refused { line, refusal }| RefusedRequest { line, refusal });
    if let Some(first) = declared.requests.get_mut(&target) {
        let places = [&first.path, path].map(|path| path.to_string()).to_vec();
        first.documents = Err(RefusedRequest {
            line: 0,
            refusal: Refusal::Ambiguous { places },
        });
        return;
    }
    declared.requests.insert(
        target,
        PlacementRequest {
            region: region.clone(),
            cluster,
            path: path.clone(),
            documents,
            hold: last_hold(&request.hold),
        },
    );
}

/// Where the shard's kustomization lists its clusters.
fn list_of(tree: &FleetTree, shard: &Shard) -> Site {
    let refused = |path: Option<RepoPath>, Refused { line, refusal }| Site::Refused { path, line, refusal };
    let Some(path) = kustomize::of_folder(tree, &shard.path) else {
        let path = shard.path.join("kustomization.yaml").ok();
        return refused(path, Refused::at(0, Refusal::NoSuchFile));
    };
    let manifest = match Manifest::open(tree, &path) {
        Ok(manifest) => manifest,
        Err(why) => return refused(Some(path), why),
    };
    let documents = manifest.documents();
    match (&documents.objects[..], documents.unidentified.first()) {
        ([document], None) => kustomization::resources(document, &shard.namespace),
        (_, Some(why)) => refused(Some(path.clone()), why.clone()),
        (documents, None) => {
            let message = format!("a kustomization has one document, this file has {}", documents.len());
            refused(Some(path.clone()), Refused::shape(0, message))
        }
    }
}

/// The names of the files that lie in a folder itself.
fn files(tree: &FleetTree, folder: &RepoPath) -> Vec<String> {
    let within = tree.paths_under(folder);
    let names = within.filter_map(|path| path.as_str().strip_prefix(folder.as_str())?.strip_prefix('/'));
    names.filter(|name| !name.contains('/')).map(str::to_owned).collect()
}
