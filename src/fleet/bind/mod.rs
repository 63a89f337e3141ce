//! From policies and a tree to what Git declares: each target with its value, its place, and who may change it.
//!
//! Everything that is declared is bound, whether a policy selects it or not: who decides wants to say so. What can't be written is bound all
//! the same, with the reason; what can't even be named is unbound, with its line.

mod autoscalers;
pub(super) mod components;
mod entries;
pub(super) mod governed;
mod ironic;
mod markers;
pub(super) mod node_groups;
mod provider;
mod releases;
mod sharding;
mod write_to;

use std::collections::BTreeMap;

use crate::model::{Binding, Declared, HoldAnnotation, Refusal, Site, Target};
use crate::policy::catalogue::{chart_words, manager_of};
use crate::policy::{Candidate, ChartKey, FleetFile, PolicySet, parse_hold};

use super::applied;
use super::index::{Index, VARIABLE};
use super::operation;
use super::owners;
use super::release::{self, Releases};
use super::screen::Screen;
use super::shapes::{self, Reading};
use super::tree::FleetTree;

/// What a tree has to hold so that these policies can be bound.
pub fn screen(fleet: &FleetFile, policies: &PolicySet) -> Screen {
    let PolicySet {
        node_groups,
        platforms,
        controllers,
        sharding,
        warnings: _,
        digest: _,
    } = policies;
    let mut screen = Screen::new()
        .words([shapes::CAPI_GROUP, operation::WORD, VARIABLE])
        .words(applied::WORDS)
        .words(owners::WORDS)
        .words_of_small(["ConfigMap", "args"])
        .words([super::markers::TOKEN]);
    for write_to in node_groups.iter().filter_map(|policy| policy.write_to.as_ref()) {
        screen = screen.pattern(&write_to.path.to_string());
    }
    let charts = platforms.iter().map(|policy| &policy.chart);
    let charts = charts.chain(controllers.iter().map(|policy| &policy.chart)).flatten();
    for ChartKey { name, key } in charts {
        let key = key.as_ref().and_then(|key| key.tokens().next());
        screen = screen
            .words([name.clone()])
            .words(key.map(|key| key.decoded().into_owned()));
    }
    let platforms = platforms.iter().map(|policy| (&policy.component, &policy.write_to));
    let controllers = controllers.iter().map(|policy| (&policy.component, &policy.write_to));
    for (component, write_to) in platforms.chain(controllers) {
        let Some(write_to) = write_to else {
            screen = screen
                .words(manager_of(component).map(|manager| manager.deployment))
                .words([ironic::VARIABLE]);
            screen = of_releases(screen).words(chart_words(component));
            continue;
        };
        for (region, cluster) in fleet.management_clusters() {
            let candidate = Candidate::of_management_cluster(region, &cluster.name);
            if let Ok(path) = write_to.path.fill(&candidate, Some(component)) {
                screen = screen.file(path);
            }
        }
    }
    sharding
        .iter()
        .fold(screen, |screen, policy| screen.folder(policy.requests.clone()))
}

/// Keeps the releases of charts and the ConfigMaps that they may take values from. An un-kept ConfigMap is one that is not there.
pub(super) fn of_releases(screen: Screen) -> Screen {
    screen.words(release::WORDS)
}

/// Binds every target that a tree declares.
///
/// The tree must have passed [`screen`] of the same policies. Nothing fails: what is wrong with the repository is part of the answer.
pub fn bind(fleet: &FleetFile, policies: &PolicySet, tree: &FleetTree) -> Declared {
    let index = index_of(fleet, policies, tree);
    let index = &index;
    bind_all(fleet, policies, tree, (index, false), &Releases::of(fleet, tree, index)).0
}

/// The objects of a tree, without the requests that the policies name.
pub(super) fn index_of<'t>(fleet: &'t FleetFile, policies: &PolicySet, tree: &'t FleetTree) -> Index<'t> {
    let requests: Vec<_> = policies.sharding.iter().map(|policy| &policy.requests).collect();
    Index::build(fleet, tree, &requests)
}

/// Binds every target that an index of the tree and the releases in it declare, and the bounds of node groups, which no policy decides on.
pub(super) fn bind_with_bounds(
    fleet: &FleetFile,
    policies: &PolicySet,
    tree: &FleetTree,
    index: &Index<'_>,
    releases: &Releases,
) -> (Declared, Vec<(Target, Binding)>) {
    bind_all(fleet, policies, tree, (index, true), releases)
}

/// Binds every target, and the bounds if they are asked for.
fn bind_all(
    fleet: &FleetFile,
    policies: &PolicySet,
    tree: &FleetTree,
    (index, with_bounds): (&Index<'_>, bool),
    releases: &Releases,
) -> (Declared, Vec<(Target, Binding)>) {
    let mut declared = Declared {
        base: tree.base().clone(),
        bindings: Default::default(),
        requests: Default::default(),
        shards: Default::default(),
        unbound: index.unbound.clone(),
    };
    let bounds = node_groups::bind(fleet, policies, tree, (index, with_bounds), &mut declared);
    components::bind(fleet, policies, tree, index, releases, &mut declared);
    sharding::bind(policies, tree, index, &mut declared);
    markers::bind(fleet, policies, tree, index, &mut declared);
    refuse_shared_places(&mut declared);
    declared.unbound.sort();
    declared.unbound.dedup();
    (declared, bounds)
}

/// A binding that says only where.
pub(super) fn placed(reading: Reading) -> Binding {
    Binding {
        value: reading.value,
        site: reading.site,
        autoscaler: None,
        unscaled: None,
        paused: false,
        hold: last_hold(&reading.holds),
    }
}

/// Refuses every value that several targets have in common: to change it for one would change it for the others. New items of a list are
/// no such value.
fn refuse_shared_places(declared: &mut Declared) {
    let mut targets: BTreeMap<_, Vec<Target>> = BTreeMap::new();
    for (target, binding) in &declared.bindings {
        if let Site::Writable(place) = &binding.site
            && !place.form.is_new()
        {
            targets.entry(place.address()).or_default().push(target.clone());
        }
    }
    for sharing in targets.into_values().filter(|targets| targets.len() > 1) {
        let names: Vec<String> = sharing.iter().take(3).map(Target::to_string).collect();
        let (count, names) = (sharing.len(), names.join(", "));
        for target in sharing {
            let message = format!("it is the value of {count} targets at once: {names}");
            if let Some(binding) = declared.bindings.get_mut(&target) {
                binding.site.refuse(None, || Refusal::WrongShape { message });
            }
        }
    }
}

/// Of several hold annotations the one that ends last.
fn last_hold<'a>(texts: impl IntoIterator<Item = &'a String>) -> Option<HoldAnnotation> {
    let holds = texts.into_iter().map(|text| parse_hold(text));
    // `None` is never. Of two that end together the nearer one, which comes first, is told.
    holds.reduce(|nearer, other| match (nearer.until, other.until) {
        (Some(end), Some(later)) if later > end => other,
        (Some(_), None) => other,
        _ => nearer,
    })
}

#[cfg(test)]
mod tests;
