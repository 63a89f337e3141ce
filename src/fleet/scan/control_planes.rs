//! The replicas of control planes: of several objects that hold the number of one control plane, the top owner's counts.
//!
//! A `Cluster`'s topology writes the control plane that it makes, a `KamajiControlPlane` its `TenantControlPlane`, and that one its
//! Deployment, each on every reconcile. What is written further down is named with its owner and is no place.

use std::collections::{BTreeMap, BTreeSet};

use crate::fleet::bind::governed::Governed;
use crate::fleet::bind::placed;
use crate::fleet::document::Document;
use crate::fleet::field::Field;
use crate::fleet::find::find;
use crate::fleet::gate::Refused;
use crate::fleet::index::{Identity, Index, Instance, Object};
use crate::fleet::layers;
use crate::fleet::owners;
use crate::fleet::shapes::{CAPI_GROUP, CONTROL_PLANE_GROUP, KAMAJI_GROUP, Reading, integer, is_generated, text_at};
use crate::fleet::shared::refuse_shared;
use crate::model::{Binding, Owner, Refusal, Scalar, Site, Target, Unbound};

use super::{Found, Scanner};

/// What is known of a control plane besides its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ControlPlane {
    /// Whether its members are etcd's members, too: the webhook of a `KubeadmControlPlane` wants an odd number of them, since an even one
    /// has no more of a quorum than the odd one below it.
    stacked: bool,
}

impl ControlPlane {
    /// Whether it can have so many members; else why not.
    pub(super) fn allows(self, members: i64) -> Result<(), Refusal> {
        if self.stacked && members % 2 == 0 {
            let message =
                format!("with a stacked etcd only an odd number of members is possible, and {members} is even");
            return Err(Refusal::WrongShape { message });
        }
        Ok(())
    }
}

/// The kinds of control planes below a topology, from the top.
const KINDS: [(&str, &str, &[&str]); 3] = [
    (CONTROL_PLANE_GROUP, "KubeadmControlPlane", &["spec", "replicas"]),
    (CONTROL_PLANE_GROUP, "KamajiControlPlane", &["spec", "replicas"]),
    (
        KAMAJI_GROUP,
        "TenantControlPlane",
        &["spec", "controlPlane", "deployment", "replicas"],
    ),
];

/// Finds them all.
pub(super) fn find_all(scanner: &Scanner<'_, '_>) -> Found {
    let mut finder = Finder {
        index: scanner.index,
        clusters: BTreeMap::new(),
        users: BTreeMap::new(),
        kamaji: BTreeMap::new(),
        numbers: BTreeMap::new(),
        unbound: Vec::new(),
    };
    for (identity, instances) in finder.of_kind(CAPI_GROUP, "Cluster") {
        finder.cluster(identity, instances);
    }
    for (group, kind, keys) in KINDS {
        for (identity, instances) in finder.of_kind(group, kind) {
            finder.control_plane(identity, instances, keys);
        }
    }
    let numbers = finder.numbers.into_iter().map(|(target, found)| (target, one(found)));
    Found {
        numbers: numbers.collect(),
        unbound: finder.unbound,
    }
}

/// A `Cluster` as far as its control plane goes.
struct Cluster<'i> {
    identity: &'i Identity,
    /// Where it stands, for people.
    place: String,
    /// Whether it has a topology.
    topology: bool,
    governed: Governed,
}

struct Finder<'i, 't> {
    index: &'i Index<'t>,
    clusters: BTreeMap<&'i Identity, Cluster<'i>>,
    /// By the control plane that a cluster refers to, without its group: the first cluster that does.
    users: BTreeMap<Identity, &'i Identity>,
    /// The places of the `KamajiControlPlane`s.
    kamaji: BTreeMap<Identity, String>,
    numbers: BTreeMap<Target, Vec<(String, Binding)>>,
    unbound: Vec<Unbound>,
}

impl<'i> Finder<'i, '_> {
    fn of_kind(
        &self,
        group: &'static str,
        kind: &'static str,
    ) -> impl Iterator<Item = (&'i Identity, &'i Vec<Instance>)> + use<'i> {
        let instances = self.index.instances.iter();
        let instances = instances.map(|(identity, instances)| (&**identity, instances));
        instances.filter(move |(identity, _)| identity.kind == kind && identity.group == group)
    }

    fn value(&self, instance: &Instance, keys: &[&str], read: layers::Read) -> Option<(usize, Reading)> {
        layers::value(self.index, instance, &Field::keys(keys), read)
    }

    fn text(&self, instance: &Instance, keys: &[&str]) -> Option<String> {
        match self.value(instance, keys, text_at)?.1.value? {
            Scalar::Text(text) => Some(text),
            Scalar::Integer(_) | Scalar::Decimal(_) => None,
        }
    }

    fn is_there(&self, instance: &Instance, keys: &[&str]) -> bool {
        self.value(instance, keys, presence)
            .is_some_and(|(_, reading)| reading.written)
    }

    fn cluster(&mut self, identity: &'i Identity, instances: &'i [Instance]) {
        let [first, ..] = instances else { return };
        let reference = |key| self.text(first, &["spec", "controlPlaneRef", key]);
        let referred = reference("kind").zip(reference("name"));
        let cluster = Cluster {
            identity,
            place: self.index.place_of(first.object),
            topology: self.is_there(first, &["spec", "topology"]),
            governed: Governed::of(self.index, instances),
        };
        let keys = ["spec", "topology", "controlPlane", "replicas"];
        let number = self.value(first, &keys, integer).filter(|(_, reading)| reading.written);
        let name = identity.name.clone();
        if let Some(number) = number {
            self.add(
                identity,
                instances,
                &Field::keys(&keys),
                number,
                &name,
                &cluster.governed,
            );
        }
        // A namespace in the reference must be the cluster's own (the webhook's rule), so it is not asked for.
        if let Some((kind, name)) = referred {
            let referred = beside(identity, "", &kind, &name);
            self.users.entry(referred).or_insert(identity);
        }
        self.clusters.insert(identity, cluster);
    }

    fn control_plane(&mut self, identity: &'i Identity, instances: &'i [Instance], keys: &[&str]) {
        let [first, ..] = instances else { return };
        let object = &self.index.objects[first.object];
        if identity.kind == "KamajiControlPlane" {
            let place = self.index.place_of(first.object);
            self.kamaji.insert(identity.clone(), place);
        }
        let user = self.users.get(&beside(identity, "", &identity.kind, &identity.name));
        let cluster = user.and_then(|user| self.clusters.get(user));
        if let Some((owner, by)) = self.owner(identity, first, cluster) {
            self.unbound.push(Unbound {
                path: object.path.clone(),
                line: object.line,
                what: object.key.to_string(),
                refusal: Refusal::Owned { owner, by },
            });
            return;
        }
        let name = cluster.map_or(&identity.name, |cluster| &cluster.identity.name).clone();
        let mut governed = Governed::of(self.index, instances);
        if let Some(Cluster { governed: above, .. }) = cluster {
            governed.paused |= above.paused;
            governed.holds.extend(above.holds.clone());
            governed.refused = governed.refused.or(above.refused.clone());
        }
        let Some((number, mut reading)) = self.value(first, keys, integer) else {
            return;
        };
        let etcd = ["spec", "kubeadmConfigSpec", "clusterConfiguration", "etcd", "external"];
        let control_plane = ControlPlane {
            stacked: identity.kind == "KubeadmControlPlane" && !self.is_there(first, &etcd),
        };
        let members = reading.value.as_ref().and_then(Scalar::integer);
        if let Some(Err(refusal)) = members.map(|members| control_plane.allows(members)) {
            reading.refuse_as(refusal);
        }
        self.add(
            identity,
            instances,
            &Field::keys(keys),
            (number, reading),
            &name,
            &governed,
        );
    }

    /// Who overwrites the number of an object.
    fn owner(
        &self,
        identity: &Identity,
        instance: &Instance,
        cluster: Option<&Cluster<'_>>,
    ) -> Option<(Owner, String)> {
        let Object { path, at, .. } = &self.index.objects[instance.object];
        let look = |look: &dyn Fn(&Document<'_>) -> Option<String>| self.index.opened.look(path, at, look).flatten();
        let by_topology = |place: &str| {
            let by = format!("the topology of its Cluster, which overwrites it ({place})");
            Some((Owner::Topology, by))
        };
        if let Some(Cluster { place, .. }) = cluster.filter(|cluster| cluster.topology) {
            return by_topology(place);
        }
        let labelled = look(&|document| {
            let name = find(document.root, &["metadata", "labels", "cluster.x-k8s.io/cluster-name"]);
            is_generated(document.root).then(|| name.and_then(|name| name.text()).unwrap_or_default().to_owned())
        });
        if let Some(name) = labelled {
            let known = self.clusters.get(&beside(identity, CAPI_GROUP, "Cluster", &name));
            let place = known.map_or("by its label topology.cluster.x-k8s.io/owned", |cluster| &cluster.place);
            return by_topology(place);
        }
        if identity.kind != "TenantControlPlane" {
            return None;
        }
        let above = Identity {
            group: CONTROL_PLANE_GROUP.into(),
            kind: "KamajiControlPlane".into(),
            ..identity.clone()
        };
        if let Some(place) = self.kamaji.get(&above) {
            let by = format!("the KamajiControlPlane of its name, which overwrites it ({place})");
            return Some((Owner::ControlPlane, by));
        }
        let by = look(&|document| {
            let owners = find(document.root, &["metadata", "ownerReferences"])?;
            let kind = find(owners.items().next()?, &["kind"])?.text()?;
            Some(format!("the {kind} that its ownerReferences name"))
        });
        by.map(|by| (Owner::OwnerReference, by))
    }

    fn add(
        &mut self,
        identity: &Identity,
        instances: &[Instance],
        field: &Field<'_>,
        (object, reading): (usize, Reading),
        cluster: &str,
        governed: &Governed,
    ) {
        let line = self.index.objects[object].line;
        let unbound = |refusal| Unbound {
            path: self.index.objects[object].path.clone(),
            line,
            what: self.index.objects[object].key.to_string(),
            refusal,
        };
        let bad = |message: String| unbound(Refusal::BadName { message });
        let namespace = identity.namespace.as_deref().unwrap_or_default();
        let target = match (namespace.parse(), cluster.parse()) {
            (Ok(namespace), Ok(cluster)) => Target::ControlPlane {
                management_cluster: identity.management_cluster.clone(),
                namespace,
                cluster,
            },
            (Err(error), _) | (_, Err(error)) => {
                let unbound = bad(error.to_string());
                return self.unbound.push(unbound);
            }
        };
        let mut binding = placed(reading);
        if let Some(refusal) = owners::owner(self.index, identity, instances, field) {
            binding.site.refuse(None, || refusal);
        }
        refuse_shared(self.index, object, Some(identity), &mut binding.site);
        governed.apply(&mut binding);
        if instances.len() > 1 {
            let manifests: BTreeSet<usize> = instances.iter().map(|instance| instance.object).collect();
            let places = manifests.iter().map(|number| self.index.place_of(*number)).collect();
            binding.value = None;
            binding.site.refuse(None, || Refusal::Ambiguous { places });
        }
        let place = match &binding.site {
            Site::Writable(place) => format!("{}:{}", place.path, place.line),
            Site::Refused { .. } => self.index.place_of(object),
        };
        self.numbers.entry(target).or_default().push((place, binding));
    }
}

/// What an object of a kind is that lives in the namespace of another, on its management cluster.
fn beside(one: &Identity, group: &str, kind: &str, name: &str) -> Identity {
    Identity {
        group: group.into(),
        kind: kind.into(),
        name: name.into(),
        ..one.clone()
    }
}

/// Reads only whether something is there.
fn presence(document: &Document<'_>, below: &[&str]) -> Reading {
    let refused = Refused::shape(document.line(), "it is not read");
    match find(document.root, below) {
        Some(node) if !node.is_null() => Reading::refused(document, None, refused),
        _ => Reading::unwritten(document, refused),
    }
}

/// One binding of all control planes that one cluster has: of several, none is the place.
fn one(mut found: Vec<(String, Binding)>) -> Binding {
    let places: Vec<String> = found.iter().map(|(place, _)| place.clone()).collect();
    let (_, mut binding) = found.remove(0);
    if !found.is_empty() {
        binding.value = None;
        binding.site.refuse(None, || Refusal::Ambiguous { places });
    }
    binding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::scan::testing::scanned;

    const CLUSTER: &str =
        "apiVersion: cluster.x-k8s.io/v1beta2\nkind: Cluster\nmetadata: {name: blue, namespace: a}\nspec:\n  ";

    fn object(group: &str, kind: &str, name: &str, spec: &str) -> String {
        format!("apiVersion: {group}/v1beta2\nkind: {kind}\nmetadata: {{name: {name}, namespace: a}}\nspec: {spec}\n")
    }

    fn kubeadm(name: &str, spec: &str) -> String {
        object(CONTROL_PLANE_GROUP, "KubeadmControlPlane", name, spec)
    }

    const TARGET: &str = "control-plane/eu-1/a/blue/replicas";

    #[test]
    fn only_odd_numbers_are_possible_with_a_stacked_etcd() {
        for (stacked, members, possible) in [
            (true, 1, true),
            (true, 2, false),
            (true, 0, false),
            (true, 5, true),
            (false, 2, true),
            (false, 3, true),
        ] {
            let control_plane = ControlPlane { stacked };
            assert_eq!(control_plane.allows(members).is_ok(), possible, "{stacked} {members}");
        }
    }

    #[test]
    fn a_number_belongs_to_the_cluster_that_refers_to_it() {
        let reference = |kind: &str| format!("{CLUSTER}controlPlaneRef: {{kind: {kind}, name: cp}}\n---\n");
        let external = "{replicas: 2, kubeadmConfigSpec: {clusterConfiguration: {etcd: {external: {endpoints: [x]}}}}}";
        let even = "with a stacked etcd only an odd number of members is possible, and 2 is even";
        for (text, want) in [
            (
                reference("KubeadmControlPlane") + &kubeadm("cp", "{replicas: 3}"),
                format!("{TARGET} = 3 at c.yaml#1/spec/replicas:10 Scalar"),
            ),
            (
                reference("KubeadmControlPlane") + &kubeadm("cp", "{replicas: 2}"),
                format!("{TARGET} = 2 at line 10: {even}"),
            ),
            (
                reference("KubeadmControlPlane") + &kubeadm("cp", external),
                format!("{TARGET} = 2 at c.yaml#1/spec/replicas:10 Scalar"),
            ),
            (
                reference("KamajiControlPlane") + &kubeadm("cp", "{replicas: 3}"),
                "control-plane/eu-1/a/cp/replicas = 3 at c.yaml#1/spec/replicas:10 Scalar".to_owned(),
            ),
            (
                reference("KamajiControlPlane")
                    + &object(CONTROL_PLANE_GROUP, "KamajiControlPlane", "cp", "{replicas: 2}"),
                format!("{TARGET} = 2 at c.yaml#1/spec/replicas:10 Scalar"),
            ),
            (
                object(
                    KAMAJI_GROUP,
                    "TenantControlPlane",
                    "blue",
                    "{controlPlane: {deployment: {replicas: 2}}}",
                ),
                format!("{TARGET} = 2 at c.yaml#0/spec/controlPlane/deployment/replicas:4 Scalar"),
            ),
            (
                kubeadm("blue", "{}"),
                format!("{TARGET} = - at line 4: /spec/replicas absent"),
            ),
            (
                kubeadm("blue", "{replicas: 3}")
                    + "---\n"
                    + &object(CONTROL_PLANE_GROUP, "KamajiControlPlane", "blue", "{replicas: 2}"),
                format!("{TARGET} = - at line 4: ambiguous clusters/eu-1/c.yaml:4, clusters/eu-1/c.yaml:9"),
            ),
        ] {
            let want = want.replace(" c.yaml", " clusters/eu-1/c.yaml");
            assert_eq!(scanned(&[("clusters/eu-1/c.yaml", &text)]), [want], "{text}");
        }
    }

    #[test]
    fn what_an_owner_overwrites_is_no_place() {
        let topology = format!("{CLUSTER}topology: {{controlPlane: {{replicas: 3}}}}\n---\n");
        let generated = kubeadm("x", "{replicas: 3}").replace(
            "namespace: a",
            "namespace: a, labels: {topology.cluster.x-k8s.io/owned: ''}",
        );
        let kamaji = object(CONTROL_PLANE_GROUP, "KamajiControlPlane", "blue", "{replicas: 2}");
        let tenant = object(
            KAMAJI_GROUP,
            "TenantControlPlane",
            "blue",
            "{controlPlane: {deployment: {replicas: 2}}}",
        );
        let owned = tenant.replace("namespace: a", "namespace: a, ownerReferences: [{kind: X}]");
        let file = "clusters/eu-1/c.yaml";
        let with = |texts: &[&str]| scanned(&[(file, &texts.concat())]);
        assert_eq!(
            with(&[&topology, &generated]),
            [
                format!("{TARGET} = 3 at {file}#0/spec/topology/controlPlane/replicas:5 Scalar"),
                format!(
                    "{file}:7 KubeadmControlPlane a/x: the topology of its Cluster, which overwrites it (by its label topology.cluster.x-k8s.io/owned)"
                ),
            ]
        );
        assert_eq!(
            with(&[&tenant, "---\n", &kamaji]),
            [
                format!("{TARGET} = 2 at {file}#1/spec/replicas:9 Scalar"),
                format!(
                    "{file}:1 TenantControlPlane a/blue: the KamajiControlPlane of its name, which overwrites it ({file}:6)"
                ),
            ]
        );
        assert_eq!(
            with(&[&owned]),
            [format!(
                "{file}:1 TenantControlPlane a/blue: the X that its ownerReferences name"
            )]
        );
    }

    #[test]
    fn a_paused_cluster_pauses_its_control_plane() {
        let text = format!("{CLUSTER}paused: true\n  topology: {{controlPlane: {{replicas: 3}}}}\n");
        let file = "clusters/eu-1/c.yaml";
        assert_eq!(
            scanned(&[(file, &text)]),
            [format!(
                "{TARGET} = 3 at {file}#0/spec/topology/controlPlane/replicas:6 Scalar paused"
            )]
        );
    }
}
