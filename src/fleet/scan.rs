//! Every number that a repository holds, whether a policy decides on it or not.

mod control_planes;
#[cfg(test)]
pub(super) mod testing;

use std::collections::BTreeMap;

use crate::model::{Binding, Declared, Site, Target, Unbound};
use crate::policy::catalogue::{chart_words, managers};
use crate::policy::{FleetFile, PolicySet};

use super::bind::{bind_index, components, index_of, node_groups, of_releases, screen};
use super::index::Index;
use super::screen::Screen;
use super::shapes::KAMAJI_GROUP;
use super::tree::FleetTree;

/// A number in the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    /// What it is the value of.
    pub target: Target,
    /// Its value, its place, and who may change it.
    pub binding: Binding,
    /// The shape in which it is written: `machine-deployment`, `helm-release`, `arguments`.
    pub shape: &'static str,
}

/// What a finder looks at.
struct Scanner<'a, 't> {
    fleet: &'a FleetFile,
    tree: &'a FleetTree,
    index: &'a Index<'t>,
}

/// What a finder finds.
#[derive(Default)]
struct Found {
    numbers: Vec<(Target, Binding)>,
    /// What looks like a number and is the value of no target.
    unbound: Vec<Unbound>,
}

impl From<Vec<(Target, Binding)>> for Found {
    fn from(numbers: Vec<(Target, Binding)>) -> Self {
        let unbound = Vec::new();
        Self { numbers, unbound }
    }
}

/// One that finds the numbers of a kind which no policy asks for. A new kind is a file and a line here.
type Finder = fn(&Scanner<'_, '_>) -> Found;

const FINDERS: [Finder; 4] = [
    |scanner| components::all(scanner.fleet, scanner.tree, scanner.index).into(),
    |scanner| Found {
        unbound: components::shadowed(scanner.fleet, scanner.index),
        ..Found::default()
    },
    |scanner| node_groups::bounds(scanner.index).into(),
    control_planes::find_all,
];

/// What a tree has to hold so that it can be scanned.
pub fn screen_everything(fleet: &FleetFile, policies: &PolicySet) -> Screen {
    let components = managers().filter_map(|(name, _)| name.parse().ok());
    let words = components.flat_map(|component| chart_words(&component));
    of_releases(screen(fleet, policies))
        .words(managers().map(|(_, manager)| manager.deployment))
        .words([KAMAJI_GROUP, components::VARIABLE])
        .words(words)
        // What a container asks for; no policy does, so nobody else looks for it.
        .words(["resources"])
}

/// Lists every number in the order of targets, and what looks like one but can't be bound.
///
/// The tree must have passed [`screen_everything`] of the same policies. What policies ask for is bound as [`bind`](super::bind) binds it, in
/// the same places; besides that there is what no policy asks for.
pub fn scan(fleet: &FleetFile, policies: &PolicySet, tree: &FleetTree) -> (Vec<Number>, Declared) {
    let index = index_of(fleet, policies, tree);
    let mut declared = bind_index(fleet, policies, tree, &index);
    let index = &index;
    let scanner = Scanner { fleet, tree, index };
    let mut found: BTreeMap<Target, Binding> = declared.bindings.clone();
    for Found { numbers, unbound } in FINDERS.iter().map(|find| find(&scanner)) {
        for (target, binding) in numbers {
            found.entry(target).or_insert(binding);
        }
        declared.unbound.extend(unbound);
    }
    declared.unbound.sort();
    declared.unbound.dedup();
    let numbers = found.into_iter().map(|(target, binding)| Number {
        shape: shape_of(&binding),
        target,
        binding,
    });
    (numbers.collect(), declared)
}

/// The shape of a binding, from where it is written.
fn shape_of(binding: &Binding) -> &'static str {
    match &binding.site {
        Site::Writable(place) => match place.object.kind.as_str() {
            "MachineDeployment" => "machine-deployment",
            "MachinePool" => "machine-pool",
            "Cluster" => "topology",
            kind if kind.ends_with("Provider") => "provider",
            "KubeadmControlPlane" | "KamajiControlPlane" | "TenantControlPlane" => "control-plane",
            "Deployment" => "arguments",
            _ => "values",
        },
        Site::Refused { .. } => "unknown",
    }
}
