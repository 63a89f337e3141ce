//! Every number that a repository holds, whether a policy decides on it or not.

use crate::model::{Binding, Declared, Site, Target};
use crate::policy::{FleetFile, PolicySet};

use super::bind::{bind, screen};
use super::screen::Screen;
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

/// What a tree has to hold so that it can be scanned.
pub fn screen_everything(fleet: &FleetFile, policies: &PolicySet) -> Screen {
    screen(fleet, policies)
}

/// Lists every number in the order of targets, and what looks like one but can't be bound.
///
/// The tree must have passed [`screen_everything`] of the same policies. It binds what [`bind`] binds for these policies, in the same places,
/// and besides that what no policy asks for.
pub fn scan(fleet: &FleetFile, policies: &PolicySet, tree: &FleetTree) -> (Vec<Number>, Declared) {
    let declared = bind(fleet, policies, tree);
    let numbers = declared.bindings.iter().map(|(target, binding)| Number {
        target: target.clone(),
        binding: binding.clone(),
        shape: shape_of(binding),
    });
    (numbers.collect(), declared)
}

/// The shape of a binding, from where it is written.
fn shape_of(binding: &Binding) -> &'static str {
    match &binding.site {
        Site::Writable(place) => match place.object.kind.as_str() {
            "MachineDeployment" => "machine-deployment",
            "Cluster" => "topology",
            "Deployment" => "arguments",
            _ => "values",
        },
        Site::Refused { .. } => "unknown",
    }
}
