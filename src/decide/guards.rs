//! What stands in the way of a change that is wanted. Each guard is one question, and they are asked in this order.
//!
//! All of them answer, not only the first: a person who clears one reason should not meet the next one at the following run.

use jiff::Timestamp;

use crate::model::{
    AutoscalerBounds, Binding, Change, Direction, HoldAnnotation, HoldReason, Inventory, LiveManagementCluster,
    Priority, Scalar, Site, Target,
};
use crate::policy::{Cooldown, Mode, Window};

use super::{World, history, inventory};

/// A target with everything that could stand in the way of changing it.
pub(super) struct Candidate<'a> {
    pub(super) world: &'a World<'a>,
    pub(super) target: &'a Target,
    pub(super) binding: &'a Binding,
    pub(super) management_cluster: &'a LiveManagementCluster,
    pub(super) inventory: Inventory,
    pub(super) state: State,
    pub(super) terms: PolicyTerms<'a>,
}

/// The live object's state, as far as every kind of target has it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct State {
    /// Paused live, or being deleted.
    pub(super) paused: bool,
    pub(super) deleting: bool,
    /// The cluster autoscaler's bounds on the live object.
    pub(super) autoscaler: Option<AutoscalerBounds>,
    pub(super) replicas: u32,
    pub(super) ready: u32,
    /// As `replicas` where a rollout is no notion of the kind.
    pub(super) up_to_date: u32,
    pub(super) changed_at: Option<Timestamp>,
}

/// What every policy says about acting.
#[derive(Clone, Copy)]
pub(super) struct PolicyTerms<'a> {
    pub(super) mode: Mode,
    pub(super) suspend: bool,
    pub(super) cooldown: Cooldown,
    /// The windows for downs; an empty list is always open.
    pub(super) down_windows: &'a [Window],
}

/// The guards that ask about the target, whatever is wanted, in their order. A new one is one function and one line.
const STANDING: [fn(&Candidate<'_>) -> Option<HoldReason>; 7] = [
    suspended,
    report_only,
    annotated,
    deleting,
    paused,
    owned_by_autoscaler,
    not_writable,
];

/// The guards that ask about the change, in their order.
const MOVING: [fn(&Candidate<'_>, &Change) -> Option<HoldReason>; 8] = [
    blind,
    doubted,
    frozen,
    rollout,
    not_ready,
    unknown_age,
    cooling_down,
    window_closed,
];

impl Candidate<'_> {
    /// Everything that stands in the way of a change, with what its decider found beside it. Empty means that it may be made.
    pub(super) fn objections(&self, change: &Change, found: Vec<HoldReason>) -> Vec<HoldReason> {
        let direction = change.direction();
        let standing = STANDING.iter().filter_map(|guard| guard(self));
        let moving = MOVING.iter().filter_map(|guard| guard(self, change));
        let all = standing.chain(moving).chain(found);
        let mut reasons: Vec<HoldReason> = Vec::new();
        for reason in all.filter(|reason| reason.blocks().direction(direction)) {
            let same = reasons.iter_mut().find(|known| {
                matches!(
                    (&**known, &reason),
                    (HoldReason::CoolingDown { .. }, HoldReason::CoolingDown { .. })
                )
            });
            // Of two rests the longer one counts.
            match same {
                Some(known) if *known < reason => *known = reason,
                Some(_) => {}
                None => reasons.push(reason),
            }
        }
        reasons
    }

    /// What would stand in the way of any change, after the reasons for which none is wanted.
    ///
    /// Nothing is wanted of a paused cluster whose metrics are missing; an open pull request for it is withdrawn all the same.
    pub(super) fn standing(&self, mut reasons: Vec<HoldReason>) -> Vec<HoldReason> {
        reasons.extend(STANDING.iter().filter_map(|guard| guard(self)));
        reasons
    }
}

fn suspended(candidate: &Candidate<'_>) -> Option<HoldReason> {
    candidate.terms.suspend.then_some(HoldReason::Suspended)
}

fn report_only(candidate: &Candidate<'_>) -> Option<HoldReason> {
    (candidate.terms.mode == Mode::Report).then_some(HoldReason::ReportOnly)
}

fn annotated(candidate: &Candidate<'_>) -> Option<HoldReason> {
    annotation(candidate.binding.hold.as_ref(), candidate.world.now)
}

/// The hold of an annotation, while it lasts.
pub(super) fn annotation(hold: Option<&HoldAnnotation>, now: Timestamp) -> Option<HoldReason> {
    let hold = hold.filter(|hold| hold.until.is_none_or(|until| now < until))?;
    Some(HoldReason::HeldByAnnotation {
        reason: hold.reason.clone(),
        until: hold.until,
    })
}

fn deleting(candidate: &Candidate<'_>) -> Option<HoldReason> {
    candidate.state.deleting.then_some(HoldReason::Deleting)
}

fn paused(candidate: &Candidate<'_>) -> Option<HoldReason> {
    (candidate.state.paused || candidate.binding.paused).then_some(HoldReason::Paused)
}

/// An autoscaler owns the number as soon as either Git or the live object says so: the webhook rejects both together, and without the
/// webhook they fight.
fn owned_by_autoscaler(candidate: &Candidate<'_>) -> Option<HoldReason> {
    owner(candidate.binding, candidate.state)
}

/// The hold of a cluster autoscaler.
pub(super) fn owner(binding: &Binding, state: State) -> Option<HoldReason> {
    let bounds = binding.autoscaler.or(state.autoscaler)?;
    Some(HoldReason::OwnedByAutoscaler {
        min: bounds.min,
        max: bounds.max,
    })
}

fn not_writable(candidate: &Candidate<'_>) -> Option<HoldReason> {
    site(&candidate.binding.site)
}

/// The hold of a place that can't be written.
pub(super) fn site(site: &Site) -> Option<HoldReason> {
    match site {
        Site::Writable(_) => None,
        Site::Refused { path, line, refusal } => Some(HoldReason::NotWritable {
            path: path.clone(),
            line: *line,
            refusal: refusal.clone(),
        }),
    }
}

/// An object that was seen may grow although others of its kind were not: what is missing from a list is no reason against more nodes.
fn blind(candidate: &Candidate<'_>, change: &Change) -> Option<HoldReason> {
    let gap = candidate.management_cluster.gap_in(candidate.inventory)?;
    let up = change.direction() == Some(Direction::Up);
    (!up).then(|| inventory::blind(gap))
}

/// Nothing shrinks on the word of a management cluster that shows far fewer clusters than Git declares.
fn doubted(candidate: &Candidate<'_>, change: &Change) -> Option<HoldReason> {
    let up = change.direction() == Some(Direction::Up);
    let doubt = candidate.world.shrunk.doubt(candidate.target.management_cluster()?)?;
    (!up).then_some(doubt)
}

/// A freeze stops all but P1 ups.
fn frozen(candidate: &Candidate<'_>, change: &Change) -> Option<HoldReason> {
    let urgent = change.priority == Priority::P1 && change.direction() == Some(Direction::Up);
    if urgent { None } else { freeze(candidate.world) }
}

/// The freeze that is open, the one that ends last.
pub(super) fn freeze(world: &World<'_>) -> Option<HoldReason> {
    let (freeze, until) = world.fleet.frozen_at(world.now)?;
    Some(HoldReason::Frozen {
        freeze: freeze.name.clone(),
        until,
    })
}

fn rollout(candidate: &Candidate<'_>, _: &Change) -> Option<HoldReason> {
    let State {
        replicas, up_to_date, ..
    } = candidate.state;
    (up_to_date < replicas).then_some(HoldReason::RolloutInProgress { up_to_date, replicas })
}

/// More Ready nodes than replicas is a surge: the group is not at rest either.
fn not_ready(candidate: &Candidate<'_>, _: &Change) -> Option<HoldReason> {
    let State { replicas, ready, .. } = candidate.state;
    (ready != replicas).then_some(HoldReason::NotReady { ready, replicas })
}

fn unknown_age(candidate: &Candidate<'_>, _: &Change) -> Option<HoldReason> {
    let known = history::known(candidate.world, candidate.state.changed_at);
    known.is_none().then_some(HoldReason::UnknownAge)
}

/// Counted from the moment at which the last change's effect was seen live, not from its merge.
fn cooling_down(candidate: &Candidate<'_>, change: &Change) -> Option<HoldReason> {
    let changed_at = history::last_change(candidate.world, candidate.target, candidate.state.changed_at)?;
    let rest = candidate.terms.cooldown.before(change.direction()?);
    let until = rest.after(changed_at);
    (candidate.world.now < until).then_some(HoldReason::CoolingDown { changed_at, until })
}

fn window_closed(candidate: &Candidate<'_>, change: &Change) -> Option<HoldReason> {
    let windows = candidate.terms.down_windows;
    let now = candidate.world.now;
    if change.direction() != Some(Direction::Down)
        || windows.is_empty()
        || windows.iter().any(|w| w.open_at(now).is_some())
    {
        return None;
    }
    Some(HoldReason::WindowClosed {
        opens: windows.iter().filter_map(|window| window.next_open(now)).min(),
    })
}

/// Whether a key of a chart's values seems to have no effect: Git and the cluster disagree, and no merge of ours explains it.
pub(super) fn not_effective(candidate: &Candidate<'_>, declared: &Scalar, live: &Scalar) -> Option<HoldReason> {
    let Site::Writable(place) = &candidate.binding.site else {
        return None;
    };
    let key = place.chart_key()?;
    let merged = history::merged_as(candidate.world, candidate.target, declared);
    (declared != live && merged.is_none()).then(|| HoldReason::KeyNotEffective {
        key,
        declared: declared.clone(),
        live: live.clone(),
    })
}

/// Whether Git and the cluster disagree, and which merged pull request explains it.
pub(super) fn not_applied(world: &World<'_>, target: &Target, declared: &Scalar, live: &Scalar) -> Option<HoldReason> {
    (declared != live).then(|| HoldReason::NotApplied {
        declared: declared.clone(),
        live: live.clone(),
        merged: history::merged_as(world, target, declared),
    })
}
