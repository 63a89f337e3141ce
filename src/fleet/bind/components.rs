//! Platform components and controllers: what a policy names, or else the Deployment of that component.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use crate::fleet::document::Document;
use crate::fleet::field::Field;
use crate::fleet::gate::Refused;
use crate::fleet::index::{Identity, Index, Instance, Object};
use crate::fleet::layers::{self, Text};
use crate::fleet::owners;
use crate::fleet::release::{Asker, Releases};
use crate::fleet::shapes::{self, Reading, Said, arguments, integer, quantity, values};
use crate::fleet::shared::{self, refuse_shared};
use crate::fleet::tree::FleetTree;
use crate::model::{
    Binding, Claim, ComponentName, Declared, FlagName, ManagementClusterName, Owner, Refusal, RegionName, Resource,
    Site, Target, Unbound,
};
use crate::policy::catalogue::{Manager, flags_of, manager_of, managers, provider_of};
use crate::policy::{
    Candidate, ChartKey, ControllerPolicy, FlagLadder, FleetFile, PlatformPolicy, PolicySet, WriteTo, WriteToObject,
};

use super::releases::{Component, ambiguous, places, says_something};
use super::{ironic, placed, provider, write_to};

/// Binds what the policies for components select. A component that no policy selects has no target: nobody would look at it.
pub(super) fn bind(
    fleet: &FleetFile,
    policies: &PolicySet,
    tree: &FleetTree,
    index: &Index<'_>,
    releases: &Releases,
    declared: &mut Declared,
) {
    declared.unbound.extend(releases.unbound.iter().cloned());
    let asker = Asker { tree, index, releases };
    for (region, cluster) in fleet.management_clusters() {
        let binder = Binder {
            asker: &asker,
            tree,
            index,
            region,
            management_cluster: &cluster.name,
            arguments: RefCell::new(None),
        };
        for policy in &policies.platforms {
            binder.platform(policy, declared);
        }
        for policy in &policies.controllers {
            binder.controller(policy, declared);
        }
    }
}

/// Everything that a component's Deployment says in a management cluster, whether a policy asks for it or not: its replicas, if it is a
/// platform component, and the flags that the catalogue knows.
pub(in crate::fleet) fn all(
    fleet: &FleetFile,
    tree: &FleetTree,
    index: &Index<'_>,
    releases: &Releases,
) -> Vec<(Target, Binding)> {
    let mut found = Vec::new();
    let asker = Asker { tree, index, releases };
    for (region, cluster) in fleet.management_clusters() {
        let management_cluster = &cluster.name;
        let binder = Binder {
            asker: &asker,
            tree,
            index,
            region,
            management_cluster,
            arguments: RefCell::new(None),
        };
        for (name, manager) in managers() {
            let Ok(component) = name.parse::<ComponentName>() else {
                continue;
            };
            let flags = flags_of(name).filter_map(|flag| flag.parse::<FlagName>().ok());
            for flag in flags {
                let container = manager.container;
                let wanted = Wanted::Argument { container, flag: &flag };
                // A flag that is not written is at its default, and that is no number of the repository's.
                let reading = binder.found(&component, None, wanted).filter(says_something);
                let target = Target::Controller {
                    management_cluster: management_cluster.clone(),
                    component: component.clone(),
                    flag: flag.clone(),
                };
                found.extend(reading.map(|reading| (target, placed(reading))));
            }
            for (claim, resource) in CLAIMS {
                let container = manager.container;
                let wanted = Wanted::Resources {
                    container,
                    claim,
                    resource,
                };
                let reading = binder.found(&component, None, wanted).filter(|reading| reading.written);
                let target = Target::Resources {
                    management_cluster: management_cluster.clone(),
                    component: component.clone(),
                    claim,
                    resource,
                };
                found.extend(reading.map(|reading| (target, placed(reading))));
            }
            if name == PLATFORM {
                let reading = binder.found(&component, None, Wanted::Replicas);
                let target = Target::Platform {
                    management_cluster: management_cluster.clone(),
                    component,
                };
                found.extend(reading.map(|reading| (target, placed(reading))));
            }
        }
    }
    found
}

/// What a container may ask for.
const CLAIMS: [(Claim, Resource); 4] = [
    (Claim::Requests, Resource::Cpu),
    (Claim::Requests, Resource::Memory),
    (Claim::Limits, Resource::Cpu),
    (Claim::Limits, Resource::Memory),
];

/// What the files mention that give a flag by a variable.
pub(in crate::fleet) const VARIABLE: &str = ironic::VARIABLE;

/// The Deployments that the Cluster API Operator makes for an object which is in the repository, too.
pub(in crate::fleet) fn shadowed(fleet: &FleetFile, index: &Index<'_>) -> Vec<Unbound> {
    let mut shadowed = Vec::new();
    for (_, cluster) in fleet.management_clusters() {
        for (name, manager) in managers() {
            let component = name.parse::<ComponentName>().ok();
            let Some(provider) = component.and_then(|component| provider_of(&component)) else {
                continue;
            };
            let object = [shapes::OPERATOR_GROUP, provider.kind, provider.name];
            let Some((_, instance)) = index.all_named(&cluster.name, object).next() else {
                continue;
            };
            let (key, place) = (&index.objects[instance.object].key, index.place_of(instance.object));
            for (_, deployment) in index.all_named(&cluster.name, ["apps", "Deployment", manager.deployment]) {
                let Object {
                    path, line, key: made, ..
                } = &index.objects[deployment.object];
                let by = format!("the Cluster API Operator makes it for {key} ({place})");
                shadowed.push(Unbound {
                    path: path.clone(),
                    line: *line,
                    what: made.to_string(),
                    refusal: Refusal::Owned {
                        owner: Owner::Operator,
                        by,
                    },
                });
            }
        }
    }
    shadowed
}

/// The component whose replicas a policy may decide on.
const PLATFORM: &str = "kamaji";

struct Binder<'a, 't> {
    asker: &'a Asker<'a, 't>,
    tree: &'a FleetTree,
    index: &'a Index<'t>,
    region: &'a RegionName,
    management_cluster: &'a ManagementClusterName,
    /// The arguments that were asked for last: flags are asked for one after the other.
    arguments: RefCell<Option<Asked>>,
}

/// The arguments of a container of an object.
struct Asked {
    instance: Instance,
    container: String,
    arguments: Rc<Arguments>,
}

/// What a container is started with.
struct Arguments {
    items: Vec<Text>,
    list: Option<(usize, Reading)>,
    uncertain: Option<(usize, Refused)>,
}

/// Which of the values of a Deployment is read, and what else may set it.
#[derive(Clone, Copy)]
enum Wanted<'a> {
    Replicas,
    Argument {
        container: &'a str,
        flag: &'a FlagName,
    },
    Resources {
        container: &'a str,
        claim: Claim,
        resource: Resource,
    },
}

impl<'a> Wanted<'a> {
    /// The field that it stands in.
    fn field(self) -> Field<'a> {
        match self {
            Self::Replicas => Field::replicas(),
            Self::Argument { container, .. } => Field::of_container(container, &["args"]),
            Self::Resources {
                container,
                claim,
                resource,
            } => Field::of_container(container, &["resources", claim.as_str(), resource.as_str()]),
        }
    }
}

impl Binder<'_, '_> {
    fn candidate(&self) -> Candidate<'_> {
        Candidate::of_management_cluster(self.region, self.management_cluster)
    }

    fn platform(&self, policy: &PlatformPolicy, declared: &mut Declared) {
        let component = &policy.component;
        if !policy.selector.matches(&self.candidate()) {
            return;
        }
        let reading = match &policy.write_to {
            None => self.found(component, policy.chart.as_ref(), Wanted::Replicas),
            Some(explicit) => {
                let pointer = write_to::pointer_or(explicit, ["spec", "replicas"]);
                let read = |document: &Document<'_>| values::locate(document, &pointer);
                Some(write_to::component(
                    self.tree,
                    explicit,
                    &self.candidate(),
                    component,
                    None,
                    read,
                ))
            }
        };
        let target = Target::Platform {
            management_cluster: self.management_cluster.clone(),
            component: component.clone(),
        };
        let reading = reading.map(|mut reading| {
            shared::patch(&mut reading.site, policy.on_shared_base);
            reading
        });
        add(declared, target, reading);
    }

    fn controller(&self, policy: &ControllerPolicy, declared: &mut Declared) {
        let component = &policy.component;
        if !policy.selector.matches(&self.candidate()) {
            return;
        }
        let manager = manager_of(component);
        let named = policy
            .write_to
            .as_ref()
            .and_then(|write_to| write_to.container.as_deref());
        let container = named.or(manager.map(|manager| manager.container)).unwrap_or("manager");
        for FlagLadder { name: flag, ladder: _ } in &policy.flags {
            let reading = match &policy.write_to {
                None => self.found(component, policy.chart.as_ref(), Wanted::Argument { container, flag }),
                Some(explicit) => Some(self.explicit_argument(explicit, component, manager, container, flag)),
            };
            let target = Target::Controller {
                management_cluster: self.management_cluster.clone(),
                component: component.clone(),
                flag: flag.clone(),
            };
            add(declared, target, reading);
        }
    }

    fn explicit_argument(
        &self,
        explicit: &WriteTo,
        component: &ComponentName,
        manager: Option<Manager>,
        container: &str,
        flag: &FlagName,
    ) -> Reading {
        // Without an object and a pointer, the file is one of manifests, and the component's Deployment is meant.
        let name = manager.and_then(|manager| crate::policy::Template::parse(manager.deployment, &[]).ok());
        let deployment = WriteToObject {
            kind: "Deployment".to_owned(),
            name,
            namespace: None,
        };
        let default = explicit.pointer.is_none().then_some(&deployment);
        write_to::component(
            self.tree,
            explicit,
            &self.candidate(),
            component,
            default,
            |document| match &explicit.pointer {
                Some(list) => arguments::locate_in(document, list, flag),
                None => arguments::locate(document, container, flag),
            },
        )
    }

    /// A value of the object that makes the component's Deployment, or else of that Deployment.
    fn of_component(&self, component: &ComponentName, wanted: Wanted<'_>) -> Option<Reading> {
        let provider = provider_of(component).and_then(|provider| {
            let object = [shapes::OPERATOR_GROUP, provider.kind, provider.name];
            let first = self.index.all_named(self.management_cluster, object).next();
            first.map(|_| object)
        });
        if let Some(provider) = provider {
            return self.of_object(provider, wanted);
        }
        let reading = self.of_deployment(component, wanted)?;
        let is_missing = matches!(&reading.site, Site::Writable(place) if place.form.is_new());
        match wanted {
            Wanted::Argument { flag, .. } if is_missing && ironic::gives(component, flag) => {
                let manager = manager_of(component)?;
                let object = ["apps", "Deployment", manager.deployment];
                let (identity, instance) = self.index.all_named(self.management_cluster, object).next()?;
                let variable = ironic::variable(self.index, identity, instance);
                let Some((object, mut variable)) = variable else {
                    return Some(reading);
                };
                refuse_shared(self.index, object, Some(identity), &mut variable.site);
                variable.holds.extend(reading.holds);
                Some(variable)
            }
            _ => Some(reading),
        }
    }

    /// The one place of a value, in the component's Deployment or in the values of its chart. A policy that names the chart has decided.
    fn found(&self, component: &ComponentName, chart: Option<&ChartKey>, wanted: Wanted<'_>) -> Option<Reading> {
        let released = Component {
            asker: self.asker,
            management_cluster: self.management_cluster,
            name: component,
            chart,
        };
        let mut readings = match wanted {
            Wanted::Replicas => released.replicas(),
            Wanted::Argument { flag, .. } => released.flag(flag),
            Wanted::Resources { claim, resource, .. } => released.resources(claim, resource),
        };
        if chart.is_none() && !released.patches_alone(self.index) {
            readings.extend(self.of_component(component, wanted));
        }
        // What a container does not ask for is written nowhere, whoever could ask.
        if matches!(wanted, Wanted::Resources { .. }) {
            readings.retain(|reading| reading.written);
        }
        only(readings)
    }

    /// A value of the component's Deployment within the paths of the management cluster; nothing if there is no such Deployment.
    fn of_deployment(&self, component: &ComponentName, wanted: Wanted<'_>) -> Option<Reading> {
        let name = manager_of(component)?.deployment;
        self.of_object(["apps", "Deployment", name], wanted)
    }

    /// A value of an object that a component is known by.
    fn of_object(&self, object: [&str; 3], wanted: Wanted<'_>) -> Option<Reading> {
        let by_operator = object[0] == shapes::OPERATOR_GROUP;
        let found: Vec<(&Identity, &Instance)> = self.index.all_named(self.management_cluster, object).collect();
        let instances: Vec<&Instance> = found.iter().map(|(_, instance)| *instance).collect();
        let (first, more) = instances.split_first()?;
        let (object, mut reading) = if by_operator {
            self.of_provider(first, wanted)?
        } else {
            self.of_instance(first, wanted)?
        };
        for (identity, instance) in &found {
            let owner = owners::owner(self.index, identity, std::slice::from_ref(*instance), &wanted.field());
            if let Some(refusal) = owner {
                reading.refuse_as(refusal);
            }
        }
        for number in instances.iter().flat_map(|instance| instance.sources()) {
            let Some(Said { hold, refused, .. }) = self.index.objects[number].said() else {
                continue;
            };
            reading.holds.extend(hold.clone());
            if let Some(Refused { line, refusal }) = refused {
                reading.site.refuse(Some(*line), || refusal.clone());
            }
        }
        reading
            .holds
            .extend(instances.iter().flat_map(|instance| instance.holds.clone()));
        let manifests: BTreeSet<usize> = instances.iter().map(|instance| instance.object).collect();
        if !more.is_empty() {
            let places = manifests.iter().map(|number| self.index.place_of(*number)).collect();
            reading.value = None;
            reading.site.refuse(None, || Refusal::Ambiguous { places });
        }
        let identity = found.first().map(|(identity, _)| *identity);
        refuse_shared(self.index, object, identity, &mut reading.site);
        Some(reading)
    }

    /// A value in an object of the operator.
    fn of_provider(&self, instance: &Instance, wanted: Wanted<'_>) -> Option<(usize, Reading)> {
        match wanted {
            Wanted::Replicas => None,
            Wanted::Argument { container, flag } => provider::flag(self.index, instance, container, flag),
            Wanted::Resources {
                container,
                claim,
                resource,
            } => {
                let field = provider::of_container(container, &["resources", claim.as_str(), resource.as_str()]);
                layers::value(self.index, instance, &field, quantity)
            }
        }
    }

    /// The value in the last layer that writes it, else in the manifest.
    fn of_instance(&self, instance: &Instance, wanted: Wanted<'_>) -> Option<(usize, Reading)> {
        match wanted {
            Wanted::Replicas => layers::value(self.index, instance, &Field::replicas(), integer),
            Wanted::Resources { .. } => layers::value(self.index, instance, &wanted.field(), quantity),
            Wanted::Argument { container, flag } => {
                let arguments = self.arguments(instance, container);
                let Arguments { items, list, uncertain } = &*arguments;
                let (object, mut reading) = arguments::of_flag(items, list.clone(), flag)?;
                if let Some((number, Refused { line, refusal })) = uncertain {
                    let message = format!("{}:{line}: {refusal}", self.index.objects[*number].path);
                    reading.refuse_as(Refusal::WrongShape { message });
                }
                Some((object, reading))
            }
        }
    }

    /// The arguments of a container: its command's, and those that follow.
    fn arguments(&self, instance: &Instance, container: &str) -> Rc<Arguments> {
        let is_it = |asked: &Asked| asked.instance == *instance && asked.container == container;
        let mut last = self.arguments.borrow_mut();
        if let Some(asked) = last.as_ref().filter(|asked| is_it(asked)) {
            return Rc::clone(&asked.arguments);
        }
        let texts = |list| {
            let field = Field::of_container(container, &[list]);
            let read: (layers::Read, layers::Read) = (arguments::list_at, arguments::text_at);
            layers::texts(self.index, instance, &field, read)
        };
        let (command, args) = (texts("command"), texts("args"));
        let arguments = Rc::new(Arguments {
            items: command.items.into_iter().chain(args.items).collect(),
            list: args.list,
            uncertain: args.uncertain.or(command.uncertain),
        });
        *last = Some(Asked {
            instance: instance.clone(),
            container: container.to_owned(),
            arguments: Rc::clone(&arguments),
        });
        arguments
    }
}

/// The only one; of several none is certain.
fn only(mut readings: Vec<Reading>) -> Option<Reading> {
    if readings.len() < 2 {
        return readings.pop();
    }
    let places = places(&readings);
    let mut first = readings.swap_remove(0);
    first.value = None;
    ambiguous(&mut first, places);
    Some(first)
}

/// Adds a binding. Two policies for one component are a conflict that the decision reports; the place of the first by name is as good.
fn add(declared: &mut Declared, target: Target, reading: Option<Reading>) {
    if let Some(reading) = reading {
        declared.bindings.entry(target).or_insert_with(|| placed(reading));
    }
}
