//! Node groups by identity: a `MachineDeployment`, or an entry of a `Cluster`'s topology.

use std::collections::BTreeMap;

use crate::fleet::field::Field;
use crate::fleet::index::{Identity, Index, Instance, Object};
use crate::fleet::layers;
use crate::fleet::shapes::{CAPI_GROUP, GroupClaim, Reading, integer};
use crate::fleet::tree::FleetTree;
use crate::model::{Binding, Declared, InvalidName, NodeGroupKey, Refusal, RepoPath, Site, Target, Unbound};
use crate::policy::{Candidate, FleetFile, PolicySet};

use super::{last_hold, placed, refuse, refuse_shared, write_to};

/// Binds all node groups of an index, and asks the policies for other places of theirs.
pub(super) fn bind(
    fleet: &FleetFile,
    policies: &PolicySet,
    tree: &FleetTree,
    index: &Index<'_>,
    declared: &mut Declared,
) {
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

struct Binder<'i, 't> {
    index: &'i Index<'t>,
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

impl<'i> Binder<'i, '_> {
    fn object(&self, number: usize) -> &'i Object {
        &self.index.objects[number]
    }

    /// The documents of an object: the manifest first, then its patches as they apply.
    fn sources(&self, instances: &[Instance]) -> Vec<usize> {
        let mut sources = Vec::new();
        for number in instances.iter().flat_map(Instance::sources) {
            // Operations and counts say nothing about who owns an object.
            if self.object(number).said().is_some() && !sources.contains(&number) {
                sources.push(number);
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
        for (object, said) in sources.iter().filter_map(|number| {
            let object = self.object(*number);
            Some((object, object.said()?))
        }) {
            governed.paused |= said.paused;
            governed.holds.extend(said.hold.clone());
            if let (None, Some(refused)) = (&governed.refused, &said.refused) {
                governed.refused = Some((object.path.clone(), refused.line, refused.refusal.clone()));
            }
        }
        governed
            .holds
            .extend(instances.iter().flat_map(|instance| instance.holds.clone()));
        let management_cluster = identity.management_cluster.to_string();
        self.clusters
            .insert((management_cluster, namespace, identity.name.clone()), governed);
        for claimed in self.topology(&sources) {
            let (claim, name) = (claimed.claim, claimed.claim.group.as_str());
            let field = Field::of_worker("machineDeployments", name, &["replicas"]);
            let (object, mut reading) = self.effective(instances, &field, claimed);
            if instances.len() > 1 {
                let places = sources.iter().map(|number| self.index.place_of(*number)).collect();
                reading.value = None;
                refuse(&mut reading.site, Some(claim.line), || Refusal::Ambiguous { places });
            }
            self.add(identity, instances, (object, reading), &[claimed]);
        }
    }

    /// The entries of a cluster's topology: those of the last document that has a list, and those that it leaves out.
    ///
    /// `Cluster` is no kind that kustomize knows, so a patch with a list replaces the list: what it leaves out is refused where it is read.
    fn topology(&self, sources: &[usize]) -> Vec<Claimed<'i>> {
        let mut seen: Vec<&str> = Vec::new();
        let mut claims = Vec::new();
        for number in sources.iter().rev() {
            let groups = self.object(*number).said().into_iter().flat_map(|said| &said.groups);
            let of_one: Vec<Claimed<'i>> = groups.map(|claim| Claimed { object: *number, claim }).collect();
            let new = of_one
                .iter()
                .filter(|claimed| !seen.contains(&claimed.claim.group.as_str()));
            claims.extend(new.copied());
            seen.extend(of_one.iter().map(|claimed| claimed.claim.group.as_str()));
        }
        claims
    }

    /// The number that counts: what the claim says, unless something else is merged over it.
    fn effective(&self, instances: &[Instance], field: &Field<'_>, claimed: Claimed<'i>) -> (usize, Reading) {
        let said = (claimed.object, claimed.claim.replicas.clone());
        match instances {
            [instance] if !instance.layers.is_empty() || !instance.variables.is_empty() => {
                let merged = layers::value(self.index, instance, field, integer);
                merged.unwrap_or(said)
            }
            _ => said,
        }
    }

    fn machine_deployment(&mut self, identity: &Identity, instances: &'i [Instance]) {
        let sources = self.sources(instances);
        let claims = sources.iter().flat_map(|number| {
            let claim = self.object(*number).said()?.groups.first();
            claim.map(|claim| Claimed { object: *number, claim })
        });
        let claims: Vec<Claimed<'i>> = claims.collect();
        let Some(first) = claims.first() else { return };
        if self.namespace_of(identity, &sources).is_none() {
            return;
        }
        let (object, mut reading) = self.effective(instances, &Field::replicas(), *first);
        if instances.len() > 1 {
            // Which of them counts is unknown, so no value does.
            let places = sources.iter().map(|number| self.index.place_of(*number)).collect();
            reading.value = None;
            refuse(&mut reading.site, None, || Refusal::Ambiguous { places });
        }
        self.add(identity, instances, (object, reading), &claims);
    }

    /// Adds a node group of which these claims tell, with the number that counts and the object that has it.
    fn add(
        &mut self,
        identity: &Identity,
        instances: &[Instance],
        (object, reading): (usize, Reading),
        claims: &[Claimed<'i>],
    ) {
        let [Claimed { object: first, claim }, ..] = claims else {
            return;
        };
        let key = match self.key_of(identity, claims) {
            Ok(key) => key,
            Err(refusal) => return self.unbound(*first, claim, refusal),
        };
        let mut binding = placed(reading);
        refuse_shared(self.index, object, &mut binding.site);
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
        // The last one that says it counts.
        binding.autoscaler = claims.iter().rev().find_map(|claimed| claimed.claim.autoscaler);
        binding.paused =
            claims.iter().any(|claimed| claimed.claim.paused) || governed.is_some_and(|cluster| cluster.paused);
        let own = claims.iter().filter_map(|claimed| claimed.claim.hold.as_ref());
        let own = own.chain(instances.iter().flat_map(|instance| &instance.holds));
        binding.hold = last_hold(own.chain(governed.into_iter().flat_map(|cluster| &cluster.holds)));
        let place = match &binding.site {
            Site::Writable(place) => format!("{}:{}", place.path, place.line),
            Site::Refused { .. } => format!("{}:{}", self.object(object).path, claim.line),
        };
        let found = self.found.entry(key).or_insert_with(|| Vec::with_capacity(1));
        found.push(Found { place, binding });
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
