//! Node groups by identity: a `MachineDeployment` or `MachinePool`, or an entry of a `Cluster`'s topology.

use std::collections::BTreeMap;

use smol_str::SmolStr;

use crate::fleet::field::Field;
use crate::fleet::index::{Identity, Index, Instance, Object};
use crate::fleet::layers;
use crate::fleet::owners;
use crate::fleet::shapes::{CAPI_GROUP, GroupClaim, Reading, annotation_of, integer, list_of};
use crate::fleet::shared::{self, refuse_shared};
use crate::fleet::tree::FleetTree;
use crate::model::{Binding, Bound, Declared, InvalidName, NodeGroupKey, Refusal, Site, Target, Unbound};
use crate::policy::{Candidate, FleetFile, PolicySet};

use super::autoscalers::{self, Autoscaler};
use super::entries::{self, Claimed, Way};
use super::governed::{Governed, pauses};
use super::{last_hold, placed, write_to};

/// Binds all node groups of an index, and asks the policies for other places of theirs. Returns the bounds that cluster autoscalers keep
/// them within, if they are asked for.
pub(super) fn bind(
    fleet: &FleetFile,
    policies: &PolicySet,
    tree: &FleetTree,
    (index, with_bounds): (&Index<'_>, bool),
    declared: &mut Declared,
) -> Vec<(Target, Binding)> {
    let Binder {
        found, unbound, bounds, ..
    } = Binder::of(index, with_bounds);
    declared.unbound.extend(unbound);
    for (key, found) in found {
        let (mut binding, owner) = one(found);
        let region = fleet
            .management_cluster(&key.management_cluster)
            .map(|(region, _)| region);
        // Two policies for one group are a conflict that the decision reports; neither says where the number is.
        let only = |candidate: &Candidate<'_>| {
            let mut policies = policies.for_node_group(candidate);
            policies.next().filter(|_| policies.next().is_none())
        };
        let candidate = region.map(|region| Candidate::of_node_group(region, &key));
        if let Some((candidate, policy)) = candidate.and_then(|candidate| Some((candidate, only(&candidate)?))) {
            let reading = match (&policy.write_to, &policy.variable) {
                (Some(explicit), _) => Some(write_to::node_group(tree, explicit, &candidate)),
                (None, Some(variable)) => topology_variable(index, &key, variable),
                (None, None) => None,
            };
            if let Some(Binding { value, site, hold, .. }) = reading.map(placed) {
                binding = Binding {
                    value,
                    site,
                    hold: binding.hold.or(hold),
                    ..binding
                };
            }
            shared::patch(&mut binding.site, policy.on_shared_base);
        }
        if let Some(refusal) = owner {
            binding.site.refuse(None, || refusal);
        }
        declared.bindings.insert(Target::NodeGroup(key), binding);
    }
    let bounds = bounds.into_iter();
    bounds.map(|(target, found)| (target, one(found).0)).collect()
}

/// The variable of a group's cluster that a policy names; nothing without such a cluster.
fn topology_variable(index: &Index<'_>, key: &NodeGroupKey, variable: &str) -> Option<Reading> {
    let object = [CAPI_GROUP, "Cluster", key.cluster.as_str()];
    let clusters = index.all_named(&key.management_cluster, object);
    let mut same = clusters.filter(|(identity, _)| identity.namespace.as_deref() == Some(key.namespace.as_str()));
    let (identity, instance) = same.next()?;
    let (object, mut reading) = layers::value(index, instance, &Field::of_variable(variable), integer)?;
    refuse_shared(index, object, Some(identity), &mut reading.site);
    if same.next().is_some() {
        let places = instance.sources().map(|number| index.place_of(number)).collect();
        reading.value = None;
        reading.refuse_as(Refusal::Ambiguous { places });
    }
    Some(reading)
}

/// A node group, or a bound of one, with the place that people find it by.
struct Found {
    place: String,
    binding: Binding,
    /// Why it has another owner than Git.
    owner: Option<Refusal>,
}

struct Binder<'i, 't> {
    index: &'i Index<'t>,
    /// By management cluster, namespace and name.
    clusters: BTreeMap<[SmolStr; 3], Governed>,
    found: BTreeMap<NodeGroupKey, Vec<Found>>,
    unbound: Vec<Unbound>,
    /// Whether bounds are looked for.
    with_bounds: bool,
    bounds: BTreeMap<Target, Vec<Found>>,
}

impl<'i, 't> Binder<'i, 't> {
    /// Finds all node groups of an index.
    fn of(index: &'i Index<'t>, with_bounds: bool) -> Self {
        let mut binder = Self {
            index,
            clusters: BTreeMap::new(),
            found: BTreeMap::new(),
            unbound: Vec::new(),
            with_bounds,
            bounds: BTreeMap::new(),
        };
        let of_kind = |kind: &'static str| {
            let instances = index.instances.iter();
            instances.filter(move |(identity, _)| identity.kind == kind && identity.group == CAPI_GROUP)
        };
        for (identity, instances) in of_kind("Cluster") {
            binder.cluster(identity, instances);
        }
        for (identity, instances) in of_kind("MachineDeployment").chain(of_kind("MachinePool")) {
            binder.machines(identity, instances);
        }
        binder
    }

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
        let governed = Governed::of(self.index, instances);
        let management_cluster = identity.management_cluster.as_str().into();
        self.clusters
            .insert([management_cluster, namespace, identity.name.clone()], governed);
        for claimed in self.topology(instances) {
            let GroupClaim { group, pool, .. } = claimed.claim;
            let list = list_of(*pool);
            self.add(identity, instances, Way::Entry { list, name: group }, &[claimed]);
        }
        self.unbound.extend(entries::unbound(self.index, identity, instances));
    }

    /// The entries of a cluster's topology: those of the last document that has a list, and those that it leaves out.
    ///
    /// `Cluster` is no kind that kustomize knows, so a patch with a list replaces the list: what it leaves out is refused where it is read.
    fn topology(&self, instances: &'i [Instance]) -> Vec<Claimed<'i>> {
        let mut seen: Vec<(bool, &str)> = Vec::new();
        let name = |claimed: &Claimed<'i>| (claimed.claim.pool, claimed.claim.group.as_str());
        let mut claims = Vec::new();
        for of_one in entries::all(self.index, instances).into_iter().rev() {
            let new = of_one.iter().filter(|claimed| !seen.contains(&name(claimed)));
            claims.extend(new.copied());
            seen.extend(of_one.iter().map(name));
        }
        claims
    }

    /// A value after everything that is merged over its manifest; nothing where the manifest alone says it.
    fn effective(&self, instances: &[Instance], field: &Field<'_>) -> Option<(usize, Reading)> {
        match instances {
            [
                Instance {
                    layers,
                    variables,
                    suspended,
                    ..
                },
            ] if layers.is_empty() && variables.is_empty() && suspended.is_none() => None,
            [instance] => layers::value(self.index, instance, field, integer),
            _ => None,
        }
    }

    /// Refuses a value of an object that stands there several times: which of them counts is unknown, so no value does.
    fn refuse_several(&self, instances: &[Instance], reading: &mut Reading, line: Option<usize>) {
        if instances.len() > 1 {
            let sources = self.sources(instances);
            let places = sources.iter().map(|number| self.index.place_of(*number)).collect();
            reading.value = None;
            reading.site.refuse(line, || Refusal::Ambiguous { places });
        }
    }

    fn machines(&mut self, identity: &Identity, instances: &'i [Instance]) {
        let sources = self.sources(instances);
        let claims = sources.iter().flat_map(|number| {
            let claim = self.object(*number).said()?.groups.first();
            claim.map(|claim| Claimed { object: *number, claim })
        });
        let claims: Vec<Claimed<'i>> = claims.collect();
        if claims.is_empty() || self.namespace_of(identity, &sources).is_none() {
            return;
        }
        self.add(identity, instances, Way::Object, &claims);
    }

    /// Adds a node group of which these claims tell.
    fn add(&mut self, identity: &Identity, instances: &[Instance], way: Way<'_>, claims: &[Claimed<'i>]) {
        let [first, ..] = claims else { return };
        let key = match self.key_of(identity, claims) {
            Ok(key) => key,
            Err(refusal) => return self.unbound(identity, first, refusal),
        };
        let said = (first.object, first.claim.replicas.clone());
        let (object, mut reading) = self.effective(instances, &way.replicas()).unwrap_or(said);
        let line = matches!(way, Way::Entry { .. }).then_some(first.claim.line);
        self.refuse_several(instances, &mut reading, line);
        let (mut found, object) = self.found((identity, instances), &key, (object, reading), claims);
        let mut sizes = autoscalers::sizes(self.index, instances, way, claims);
        let Autoscaler {
            bounds,
            owner,
            unscaled,
        } = autoscalers::of(self.index, (identity, instances), &mut sizes, claims);
        for (_, size) in sizes.iter_mut().flatten() {
            self.refuse_several(instances, size, None);
        }
        found.binding.autoscaler = bounds;
        found.binding.unscaled = unscaled;
        found.owner = owner.or_else(|| owners::owner(self.index, identity, instances, &way.replicas()));
        if self.with_bounds {
            for (bound, size) in Bound::ALL.into_iter().zip(sizes) {
                let Some(size) = size else { continue };
                let group = key.clone();
                let (mut found, _) = self.found((identity, instances), &key, size, claims);
                let field = way.annotation(annotation_of(bound));
                if let Some(refusal) = owners::owner(self.index, identity, instances, &field) {
                    found.binding.site.refuse(None, || refusal);
                }
                let bounds = self.bounds.entry(Target::NodeGroupBound { group, bound });
                bounds.or_default().push(found);
            }
        }
        for Claimed { object: other, claim } in claims {
            let Some(refused) = &claim.refused else { continue };
            let line = (*other == object).then_some(refused.line);
            // Who owns the number does not own the bounds that it is kept within.
            refuse_for(&mut found.binding.site, line, &refused.refusal);
        }
        self.found
            .entry(key)
            .or_insert_with(|| Vec::with_capacity(1))
            .push(found);
    }

    /// A value of a group with all that goes for it, and the object that has it.
    fn found(
        &self,
        (identity, instances): (&Identity, &[Instance]),
        key: &NodeGroupKey,
        (object, reading): (usize, Reading),
        claims: &[Claimed<'i>],
    ) -> (Found, usize) {
        let holds = reading.holds.clone();
        let mut binding = placed(reading);
        refuse_shared(self.index, object, Some(identity), &mut binding.site);
        let NodeGroupKey {
            management_cluster,
            namespace,
            cluster,
            group: _,
        } = key;
        let governed = [management_cluster.as_str(), namespace.as_str(), cluster.as_str()].map(SmolStr::from);
        let governed = self.clusters.get(&governed);
        binding.paused = claims.iter().any(|claimed| claimed.claim.paused) || pauses(self.index, instances);
        let own = claims.iter().filter_map(|claimed| claimed.claim.hold.as_ref());
        let own = own
            .chain(instances.iter().flat_map(|instance| &instance.holds))
            .chain(&holds);
        binding.hold = last_hold(own.chain(governed.into_iter().flat_map(|cluster| &cluster.holds)));
        if let Some(governed) = governed {
            governed.apply(&mut binding);
        }
        let place = match &binding.site {
            Site::Writable(place) => format!("{}:{}", place.path, place.line),
            Site::Refused { .. } => {
                let line = claims.first().map_or(0, |claimed| claimed.claim.line);
                format!("{}:{line}", self.object(object).path)
            }
        };
        let owner = None;
        (Found { place, binding, owner }, object)
    }

    fn key_of(&self, identity: &Identity, claims: &[Claimed<'i>]) -> Result<NodeGroupKey, Refusal> {
        let bad = |error: InvalidName| Refusal::BadName {
            message: error.to_string(),
        };
        // A patch with a target may bear any name, and kustomizations change names; the object's own one counts.
        let (cluster, group) = if identity.kind == "Cluster" {
            (identity.name.as_str(), claims[0].claim.group.as_str())
        } else {
            let cluster = claims.iter().find_map(|claimed| claimed.claim.cluster.as_deref());
            let absent = || Refusal::Absent {
                pointer: "/spec/clusterName".to_owned(),
            };
            (cluster.ok_or_else(absent)?, identity.name.as_str())
        };
        Ok(NodeGroupKey {
            management_cluster: identity.management_cluster.clone(),
            namespace: identity.namespace.as_deref().unwrap_or_default().parse().map_err(bad)?,
            cluster: cluster.parse().map_err(bad)?,
            group: group.parse().map_err(bad)?,
        })
    }

    /// The namespace of an object; what has none is unbound.
    fn namespace_of(&mut self, identity: &Identity, sources: &[usize]) -> Option<SmolStr> {
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

    fn unbound(&mut self, identity: &Identity, claimed: &Claimed<'_>, refusal: Refusal) {
        let Claimed { object, claim } = claimed;
        let Object { path, key, .. } = self.object(*object);
        let what = match identity.kind.as_str() {
            "Cluster" if key.kind.is_empty() => format!("node group {} of {}", claim.group, entries::of(identity)),
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

/// Refuses a value for what an annotation says; `line` is that of the annotation, if it stands in the file of the value.
fn refuse_for(site: &mut Site, line: Option<usize>, refusal: &Refusal) {
    let line = line.filter(|_| !matches!(refusal, Refusal::Owned { .. }));
    site.refuse(line, || refusal.clone());
}

/// One binding of all that claim the same node group, and its other owner: of several, none is the place.
fn one(mut found: Vec<Found>) -> (Binding, Option<Refusal>) {
    let places: Vec<String> = found.iter().map(|found| found.place.clone()).collect();
    let Found {
        mut binding, mut owner, ..
    } = found.remove(0);
    for Found {
        binding: other,
        owner: others,
        ..
    } in found
    {
        binding.value = None;
        binding.autoscaler = binding.autoscaler.or(other.autoscaler);
        binding.unscaled = binding.unscaled.or(other.unscaled);
        binding.paused |= other.paused;
        binding.hold = binding.hold.or(other.hold);
        owner = owner.or(others);
        let places = places.clone();
        binding.site.refuse(None, || Refusal::Ambiguous { places });
    }
    (binding, owner)
}
