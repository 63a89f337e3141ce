//! Node groups by identity: a `MachineDeployment`, or an entry of a `Cluster`'s topology.

use std::collections::BTreeMap;

use crate::fleet::index::{Identity, Index, Instance, Object};
use crate::fleet::shapes::{CAPI_GROUP, GroupClaim, Reading};
use crate::fleet::tree::FleetTree;
use crate::model::{Binding, Declared, InvalidName, NodeGroupKey, Refusal, RepoPath, Site, Target, Unbound};
use crate::policy::{Candidate, FleetFile, PolicySet};

use super::{last_hold, placed, refuse, write_to};

/// Binds all node groups of an index, and asks the policies for other places of theirs.
pub(super) fn bind(fleet: &FleetFile, policies: &PolicySet, tree: &FleetTree, index: &Index, declared: &mut Declared) {
    let mut binder = Binder {
        index,
        clusters: BTreeMap::new(),
        found: BTreeMap::new(),
        unbound: Vec::new(),
    };
    let of_kind = |kind: &'static str| {
        let instances = index.instances.iter();
        instances.filter(move |(identity, _)| identity.kind == kind && identity.group == CAPI_GROUP)
    };
    for (identity, instances) in of_kind("Cluster") {
        binder.cluster(identity, instances);
    }
    for (identity, instances) in of_kind("MachineDeployment") {
        binder.machine_deployment(identity, instances);
    }
    let Binder { found, unbound, .. } = binder;
    declared.unbound.extend(unbound);
    for (key, found) in found {
        let mut binding = one(found);
        let region = fleet
            .management_cluster(&key.management_cluster)
            .map(|(region, _)| region);
        if let Some(reading) = region.and_then(|region| {
            let candidate = Candidate::of_node_group(region, &key);
            let mut policies = policies.for_node_group(&candidate);
            let explicit = policies.next()?.write_to.as_ref()?;
            // Two policies for one group are a conflict that the decision reports; neither says where the number is.
            policies
                .next()
                .is_none()
                .then(|| write_to::node_group(tree, explicit, &candidate))
        }) {
            let Binding { value, site, hold, .. } = placed(reading);
            binding = Binding {
                value,
                site,
                hold: binding.hold.or(hold),
                ..binding
            };
        }
        declared.bindings.insert(Target::NodeGroup(key), binding);
    }
}

/// What a cluster says about all its node groups.
#[derive(Default)]
struct Governed {
    paused: bool,
    holds: Vec<String>,
    refused: Option<(RepoPath, usize, Refusal)>,
}

/// A node group with the place that people find it by.
struct Found {
    place: String,
    binding: Binding,
}

struct Binder<'i> {
    index: &'i Index,
    /// By management cluster, namespace and name.
    clusters: BTreeMap<(String, String, String), Governed>,
    found: BTreeMap<NodeGroupKey, Vec<Found>>,
    unbound: Vec<Unbound>,
}

/// A group claim and the document that makes it.
#[derive(Clone, Copy)]
struct Claimed<'i> {
    object: usize,
    claim: &'i GroupClaim,
}

impl<'i> Binder<'i> {
    fn object(&self, number: usize) -> &'i Object {
        &self.index.objects[number]
    }

    /// The documents of an object: the manifest first, then its patches as they apply.
    fn sources(&self, instances: &[Instance]) -> Vec<usize> {
        let mut sources = Vec::new();
        for Instance { object, patches, .. } in instances {
            for number in std::iter::once(object).chain(patches) {
                if !sources.contains(number) {
                    sources.push(*number);
                }
            }
        }
        sources
    }

    fn cluster(&mut self, identity: &Identity, instances: &'i [Instance]) {
        let sources = self.sources(instances);
        let Some(namespace) = self.namespace_of(identity, &sources) else {
            return;
        };
        let mut governed = Governed::default();
        for object in sources.iter().map(|number| self.object(*number)) {
            governed.paused |= object.said.paused;
            governed.holds.extend(object.said.hold.clone());
            if let (None, Some(refused)) = (&governed.refused, &object.said.refused) {
                governed.refused = Some((object.path.clone(), refused.line, refused.refusal.clone()));
            }
        }
        governed
            .holds
            .extend(instances.iter().flat_map(|instance| instance.holds.clone()));
        let management_cluster = identity.management_cluster.to_string();
        self.clusters
            .insert((management_cluster, namespace, identity.name.clone()), governed);
        for (claimed, refusal) in self.topology(instances, &sources) {
            let mut reading = claimed.claim.replicas.clone();
            if let Some(refusal) = refusal {
                if let Refusal::Ambiguous { .. } = refusal {
                    reading.value = None;
                }
                refuse(&mut reading.site, Some(claimed.claim.line), || refusal);
            }
            self.add(identity, instances, reading, &[claimed]);
        }
    }

    /// The entries of a cluster's topology that count.
    ///
    /// `Cluster` is no kind that kustomize knows, so a patch with a list replaces the list. A configured merge key would keep the entries
    /// that the patch leaves out: what becomes of them is uncertain, and they are refused.
    fn topology(&self, instances: &[Instance], sources: &[usize]) -> Vec<(Claimed<'i>, Option<Refusal>)> {
        let claims = |number: usize| {
            let groups = self.object(number).said.groups.iter();
            groups.map(move |claim| Claimed { object: number, claim })
        };
        let manifests: Vec<usize> = instances.iter().map(|instance| instance.object).collect();
        let lists: Vec<usize> = sources
            .iter()
            .copied()
            .filter(|number| claims(*number).next().is_some())
            .collect();
        if lists.len() < 2 {
            return lists
                .into_iter()
                .flat_map(claims)
                .map(|claimed| (claimed, None))
                .collect();
        }
        let patches: Vec<usize> = lists
            .iter()
            .copied()
            .filter(|number| !manifests.contains(number))
            .collect();
        if let ([patch], 1) = (&patches[..], instances.len()) {
            let patched: Vec<Claimed<'i>> = claims(*patch).collect();
            let left = claims(manifests[0])
                .filter(|base| patched.iter().all(|claimed| claimed.claim.group != base.claim.group));
            let message = format!(
                "the patch {} replaces the list that it is in",
                self.index.place_of(*patch)
            );
            let refusal = Refusal::WrongShape { message };
            let left: Vec<_> = left.map(|claimed| (claimed, Some(refusal.clone()))).collect();
            return patched.into_iter().map(|claimed| (claimed, None)).chain(left).collect();
        }
        let places = lists.iter().map(|number| self.index.place_of(*number)).collect();
        let refusal = Refusal::Ambiguous { places };
        let mut seen = Vec::new();
        let all = lists.into_iter().flat_map(claims);
        all.filter(|claimed| {
            let first = !seen.contains(&&claimed.claim.group);
            seen.push(&claimed.claim.group);
            first
        })
        .map(|claimed| (claimed, Some(refusal.clone())))
        .collect()
    }

    fn machine_deployment(&mut self, identity: &Identity, instances: &'i [Instance]) {
        let sources = self.sources(instances);
        let claims = sources.iter().flat_map(|number| {
            let claim = self.object(*number).said.groups.first();
            claim.map(|claim| Claimed { object: *number, claim })
        });
        let claims: Vec<Claimed<'i>> = claims.collect();
        let Some(first) = claims.first() else { return };
        if self.namespace_of(identity, &sources).is_none() {
            return;
        }
        let manifests: Vec<usize> = instances.iter().map(|instance| instance.object).collect();
        let written: Vec<&Claimed<'i>> = claims
            .iter()
            .filter(|claimed| claimed.claim.replicas.written && !manifests.contains(&claimed.object))
            .collect();
        let several = |numbers: Vec<usize>| {
            let places = numbers.iter().map(|number| self.index.place_of(*number)).collect();
            Some(Refusal::Ambiguous { places })
        };
        let (last, refusal) = match (instances, &written[..]) {
            ([_], []) => (first, None),
            ([_], [patch]) => (*patch, None),
            ([_], patches) => (first, several(patches.iter().map(|claimed| claimed.object).collect())),
            _ => (first, several(sources.clone())),
        };
        let mut reading = last.claim.replicas.clone();
        if let Some(refusal) = refusal {
            // Which of them counts is unknown, so no value does.
            reading.value = None;
            refuse(&mut reading.site, None, || refusal);
        }
        let mut order = vec![*last];
        order.extend(claims.iter().rev().filter(|claimed| claimed.object != last.object));
        self.add(identity, instances, reading, &order);
    }

    /// Adds a node group of which these claims, the one that counts first, tell.
    fn add(&mut self, identity: &Identity, instances: &[Instance], reading: Reading, claims: &[Claimed<'i>]) {
        let [Claimed { object, claim }, ..] = claims else {
            return;
        };
        let key = match self.key_of(identity, claims) {
            Ok(key) => key,
            Err(refusal) => return self.unbound(*object, claim, refusal),
        };
        let mut binding = placed(reading);
        if let Some(used_by) = self.index.shared_by(*object) {
            refuse(&mut binding.site, None, || Refusal::SharedBase { used_by });
        }
        if let Some((path, line)) = instances.iter().find_map(|instance| instance.replicas_touched.as_ref()) {
            let message = format!("the patch at {path}:{line} may set the number, too");
            refuse(&mut binding.site, None, || Refusal::WrongShape { message });
        }
        let NodeGroupKey {
            management_cluster,
            namespace,
            cluster,
            group: _,
        } = &key;
        let governed = [management_cluster.as_str(), namespace.as_str(), cluster.as_str()]
            .map(str::to_owned)
            .into();
        let governed = self.clusters.get(&governed);
        if let Some((_, line, refusal)) = governed.and_then(|governed| governed.refused.as_ref()) {
            refuse(&mut binding.site, Some(*line), || refusal.clone());
        }
        binding.autoscaler = claims.iter().find_map(|claimed| claimed.claim.autoscaler);
        binding.paused =
            claims.iter().any(|claimed| claimed.claim.paused) || governed.is_some_and(|cluster| cluster.paused);
        let own = claims.iter().filter_map(|claimed| claimed.claim.hold.as_ref());
        let own = own.chain(instances.iter().flat_map(|instance| &instance.holds));
        binding.hold = last_hold(own.chain(governed.into_iter().flat_map(|cluster| &cluster.holds)));
        let place = match &binding.site {
            Site::Writable(place) => format!("{}:{}", place.path, place.line),
            Site::Refused { .. } => format!("{}:{}", self.object(*object).path, claim.line),
        };
        self.found.entry(key).or_default().push(Found { place, binding });
    }

    fn key_of(&self, identity: &Identity, claims: &[Claimed<'i>]) -> Result<NodeGroupKey, Refusal> {
        let bad = |error: InvalidName| Refusal::BadName {
            message: error.to_string(),
        };
        let cluster = claims.iter().find_map(|claimed| claimed.claim.cluster.as_ref());
        let cluster = cluster.ok_or_else(|| Refusal::Absent {
            pointer: "/spec/clusterName".to_owned(),
        })?;
        // A patch with a target may bear any name; that of the object counts.
        let group = match identity.kind.as_str() {
            "MachineDeployment" => &identity.name,
            _ => &claims[0].claim.group,
        };
        Ok(NodeGroupKey {
            management_cluster: identity.management_cluster.clone(),
            namespace: identity.namespace.clone().unwrap_or_default().parse().map_err(bad)?,
            cluster: cluster.parse().map_err(bad)?,
            group: group.parse().map_err(bad)?,
        })
    }

    /// The namespace of an object; what has none is unbound.
    fn namespace_of(&mut self, identity: &Identity, sources: &[usize]) -> Option<String> {
        if identity.namespace.is_none() {
            for number in sources {
                let Object { path, line, key, .. } = self.object(*number);
                let message = "neither it nor a kustomization that lists it names a namespace".to_owned();
                self.unbound.push(Unbound {
                    path: path.clone(),
                    line: *line,
                    what: key.to_string(),
                    refusal: Refusal::WrongShape { message },
                });
            }
        }
        identity.namespace.clone()
    }

    fn unbound(&mut self, object: usize, claim: &GroupClaim, refusal: Refusal) {
        let Object { path, key, .. } = self.object(object);
        let what = match key.kind.as_str() {
            "Cluster" => format!("node group {} of {key}", claim.group),
            _ => key.to_string(),
        };
        self.unbound.push(Unbound {
            path: path.clone(),
            line: claim.line,
            what,
            refusal,
        });
    }
}

/// One binding of all that claim the same node group: of several, none is the place.
fn one(mut found: Vec<Found>) -> Binding {
    let places: Vec<String> = found.iter().map(|found| found.place.clone()).collect();
    let mut binding = found.remove(0).binding;
    for Found { binding: other, .. } in found {
        binding.value = None;
        binding.autoscaler = binding.autoscaler.or(other.autoscaler);
        binding.paused |= other.paused;
        binding.hold = binding.hold.or(other.hold);
        let places = places.clone();
        refuse(&mut binding.site, None, || Refusal::Ambiguous { places });
    }
    binding
}
