//! Every number that a repository holds, whether a policy decides on it or not.

mod control_planes;
mod outside;
mod shape;
mod spot;
#[cfg(test)]
pub(super) mod testing;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Binding, Declared, Form, RepoPath, Site, Target, Unbound};
use crate::policy::catalogue::{chart_words, managers};
use crate::policy::{FleetFile, PolicySet};

use super::bind::{bind_with_bounds, components, index_of, of_releases, screen};
use super::index::Index;
use super::release::Releases;
use super::screen::Screen;
use super::shapes::KAMAJI_GROUP;
use super::tree::FleetTree;

pub use shape::Shape;
pub use spot::Spot;

/// A number in the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    /// What it is the value of.
    pub target: Target,
    /// Its value, its place, and who may change it.
    pub binding: Binding,
    /// Where in its file it stands; nothing where no file declares it, or the file can't be read.
    pub spot: Option<Spot>,
    /// The shape in which it is written.
    pub shape: Shape,
}

/// What a finder looks at.
struct Scanner<'a, 't> {
    fleet: &'a FleetFile,
    tree: &'a FleetTree,
    index: &'a Index<'t>,
    releases: &'a Releases,
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
    |scanner| components::all(scanner.fleet, scanner.tree, scanner.index, scanner.releases).into(),
    |scanner| Found {
        unbound: components::shadowed(scanner.fleet, scanner.index),
        ..Found::default()
    },
    control_planes::find_all,
    outside::find_all,
];

/// What a tree has to hold so that it can be scanned.
pub fn screen_everything(fleet: &FleetFile, policies: &PolicySet) -> Screen {
    let components = managers().filter_map(|(name, _)| name.parse().ok());
    let words = components.flat_map(|component| chart_words(&component));
    of_releases(screen(fleet, policies))
        .words(managers().map(|(_, manager)| manager.deployment))
        .words(words)
        // What a container asks for; no policy does, so nobody else looks for it.
        .words(["resources"])
        .words([KAMAJI_GROUP, components::VARIABLE])
}

/// Lists every number in the order of targets, and what looks like one but can't be bound.
///
/// The tree must have passed [`screen_everything`] of the same policies. What policies ask for is bound as [`bind`](super::bind()) binds it, in
/// the same places; besides that there is what no policy asks for.
pub fn scan(fleet: &FleetFile, policies: &PolicySet, tree: &FleetTree) -> (Vec<Number>, Declared) {
    let index = index_of(fleet, policies, tree);
    let releases = Releases::of(fleet, tree, &index);
    let (mut declared, bounds) = bind_with_bounds(fleet, policies, tree, &index, &releases);
    let (index, releases) = (&index, &releases);
    let scanner = Scanner {
        fleet,
        tree,
        index,
        releases,
    };
    let mut found: BTreeMap<Target, Binding> = declared.bindings.clone();
    let others = FINDERS.iter().map(|find| find(&scanner));
    for Found { numbers, unbound } in std::iter::once(Found::from(bounds)).chain(others) {
        for (target, binding) in numbers {
            found.entry(target).or_insert(binding);
        }
        declared.unbound.extend(unbound);
    }
    declared.unbound.sort();
    declared.unbound.dedup();
    let patches = patches(index);
    let numbers = found.into_iter().map(|(target, binding)| {
        let spot = Spot::of(&index.opened, &target, &binding);
        let shape = match (path_of(&binding), &spot) {
            // The one that would be appended.
            _ if is_patched(&binding) => Shape::JsonPatch,
            (Some(path), Some(spot)) => Shape::of(&target, path, spot, patches.contains(&(path, spot.document))),
            _ => Shape::Unknown,
        };
        Number {
            target,
            binding,
            spot,
            shape,
        }
    });
    (numbers.collect(), declared)
}

/// The documents of files that are patches.
fn patches<'i>(index: &'i Index<'_>) -> BTreeSet<(&'i RepoPath, usize)> {
    let objects = index.objects.iter();
    let patches = objects.filter(|object| object.said().is_some_and(|said| said.is_patch));
    patches.map(|object| (&object.path, object.at.document)).collect()
}

fn is_patched(binding: &Binding) -> bool {
    matches!(&binding.site, Site::Writable(place) if matches!(place.form, Form::Patched(_)))
}

fn path_of(binding: &Binding) -> Option<&RepoPath> {
    match &binding.site {
        Site::Writable(place) => Some(&place.path),
        Site::Refused { path, .. } => path.as_ref(),
    }
}
