//! Every number that a repository holds, whether a policy decides on it or not.

use std::collections::BTreeMap;

use crate::model::{Binding, Declared, Site, Target};
use crate::policy::catalogue::{chart_words, managers};
use crate::policy::{FleetFile, PolicySet};

use super::bind::{bind_index, components, index_of, of_releases, screen};
use super::index::Index;
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

/// What a finder looks at.
struct Scanner<'a, 't> {
    fleet: &'a FleetFile,
    tree: &'a FleetTree,
    index: &'a Index<'t>,
}

/// One that finds the numbers of a kind which no policy asks for. A new kind is a file and a line here.
type Finder = fn(&Scanner<'_, '_>) -> Vec<(Target, Binding)>;

const FINDERS: [Finder; 1] = [|scanner| components::all(scanner.fleet, scanner.tree, scanner.index)];

/// What a tree has to hold so that it can be scanned.
pub fn screen_everything(fleet: &FleetFile, policies: &PolicySet) -> Screen {
    let components = managers().filter_map(|(name, _)| name.parse().ok());
    let words = components.flat_map(|component| chart_words(&component));
    of_releases(screen(fleet, policies))
        .words(managers().map(|(_, manager)| manager.deployment))
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
    let declared = bind_index(fleet, policies, tree, &index);
    let index = &index;
    let scanner = Scanner { fleet, tree, index };
    let mut found: BTreeMap<Target, Binding> = declared.bindings.clone();
    for (target, binding) in FINDERS.iter().flat_map(|find| find(&scanner)) {
        found.entry(target).or_insert(binding);
    }
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
            "Cluster" => "topology",
            "Deployment" => "arguments",
            _ => "values",
        },
        Site::Refused { .. } => "unknown",
    }
}
