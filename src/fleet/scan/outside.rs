//! What would be a number of a management cluster, if anybody knew of which: what lies outside of all paths, and what gets another name.

use crate::fleet::index::{Index, Object};
use crate::fleet::release;
use crate::fleet::shapes::{self, CONTROL_PLANE_GROUP, KAMAJI_GROUP, OPERATOR_GROUP};
use crate::model::{ObjectKey, Refusal, Unbound};
use crate::policy::FleetFile;
use crate::policy::catalogue::managers;

use super::{Found, Scanner};

/// Finds it.
pub(super) fn find_all(scanner: &Scanner<'_, '_>) -> Found {
    let Scanner { fleet, index, .. } = scanner;
    let outside = index.left_out().filter_map(|(object, name, by)| {
        let matters = matters(&object.key, &name) || installs(fleet, index, object);
        matters.then(|| unbound(object, Refusal::Outside { by }))
    });
    let unbound = outside.chain(renamed(index)).chain(nameless(index));
    Found {
        unbound: unbound.collect(),
        ..Found::default()
    }
}

/// Whether an object of this kind and with this name in the end holds numbers.
fn matters(key: &ObjectKey, name: &str) -> bool {
    let is_control_plane = match key.group.as_str() {
        CONTROL_PLANE_GROUP => key.kind.ends_with("ControlPlane"),
        KAMAJI_GROUP => key.kind == "TenantControlPlane",
        _ => false,
    };
    is_control_plane
        || key.group == OPERATOR_GROUP
        || shapes::declares_groups(key)
        || is_deployment(key) && (component_of(name).is_some() || component_of(&key.name).is_some())
}

/// Whether an object installs the chart of a component, in no cluster that is known.
fn installs(fleet: &FleetFile, index: &Index<'_>, object: &Object) -> bool {
    // A file is opened for those alone that may be one.
    if object.key.kind == "ConfigMap" || !release::matters(&object.key.group, &object.key.kind) {
        return false;
    }
    let looked = index.opened.look(&object.path, &object.at, |document| {
        let known = release::destinations(document);
        let mut clusters = fleet.management_clusters();
        release::speaks_of_a_component(document) && !clusters.any(|(_, cluster)| known.contains(cluster.name.as_str()))
    });
    looked == Some(true)
}

/// The Deployments of components that a kustomization gives another name, by which nobody knows them.
fn renamed(index: &Index<'_>) -> impl Iterator<Item = Unbound> {
    let instances = index.instances.iter();
    let instances = instances.flat_map(|(identity, all)| all.iter().map(move |instance| (identity, instance)));
    instances.filter_map(|(identity, instance)| {
        let name = &identity.name;
        let object = &index.objects[instance.object];
        if !is_deployment(&object.key) || *name == object.key.name || component_of(name).is_some() {
            return None;
        }
        let component = component_of(&object.key.name)?;
        let message = format!(
            "a kustomization (namePrefix, nameSuffix or the target of a patch) makes {name} of it, which is not known as the \
             Deployment of {component}"
        );
        Some(unbound(object, Refusal::WrongShape { message }))
    })
}

/// The patches of what is not in the repository and gets another name.
fn nameless(index: &Index<'_>) -> impl Iterator<Item = Unbound> {
    let objects = index.nameless.iter().map(|number| &index.objects[*number]);
    let objects = objects.filter(|object| matters(&object.key, &object.key.name));
    objects.map(|object| {
        let message =
            "it patches what is not in the repository, and a namePrefix or nameSuffix changes the name".to_owned();
        unbound(object, Refusal::WrongShape { message })
    })
}

fn is_deployment(key: &ObjectKey) -> bool {
    (key.group.as_str(), key.kind.as_str()) == ("apps", "Deployment")
}

/// The component whose Deployment is called so.
fn component_of(deployment: &str) -> Option<&'static str> {
    let mut managers = managers();
    managers.find_map(|(component, manager)| (manager.deployment == deployment).then_some(component))
}

fn unbound(object: &Object, refusal: Refusal) -> Unbound {
    Unbound {
        path: object.path.clone(),
        line: object.line,
        what: object.key.to_string(),
        refusal,
    }
}

#[cfg(test)]
mod tests {
    use crate::fleet::scan::testing::scanned;
    use crate::fleet::testing::machine_deployment;

    fn deployment(name: &str) -> String {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec: {{template: {{spec: {{containers: []}}}}}}\n"
        )
    }

    #[test]
    fn what_holds_numbers_outside_of_all_paths_is_named_with_whoever_makes_it() {
        let (md, capi) = (
            machine_deployment("shard-a", "md-0"),
            deployment("capi-controller-manager"),
        );
        let found = scanned(&[
            ("base/kustomization.yaml", "resources: [capi.yaml, md.yaml, web.yaml]\n"),
            ("base/capi.yaml", &capi),
            ("base/md.yaml", &md),
            ("base/web.yaml", &deployment("web")),
            ("clusters/eu-1/kustomization.yaml", "resources: [../../base]\n"),
            ("clusters/eu-9/kustomization.yaml", "resources: [../../base]\n"),
        ]);
        let outside: Vec<&String> = found.iter().filter(|line| line.ends_with("outside")).collect();
        assert_eq!(
            outside,
            [
                "base/capi.yaml:1 Deployment capi-controller-manager: outside",
                "base/md.yaml:1 MachineDeployment shard-a/md-0: outside"
            ]
        );
    }

    #[test]
    fn a_controller_under_another_name_is_named() {
        let files = |prefix: &'static str, name: &str| {
            scanned(&[
                ("clusters/eu-1/kustomization.yaml", prefix),
                ("clusters/eu-1/manager.yaml", &deployment(name)),
            ])
        };
        let renamed = files("namePrefix: eu-1-\nresources: [manager.yaml]\n", "kamaji");
        assert_eq!(renamed.len(), 1, "{renamed:?}");
        assert!(
            renamed[0].starts_with("clusters/eu-1/manager.yaml:1 Deployment kamaji: "),
            "{renamed:?}"
        );
        let of_the_project = files("namePrefix: capi-\nresources: [manager.yaml]\n", "controller-manager");
        assert!(
            of_the_project
                .iter()
                .all(|line| line.starts_with("controller/eu-1/capi/")),
            "{of_the_project:?}"
        );
    }
}
