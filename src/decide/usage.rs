//! What a node group's measured use asks for, before anything stands in the way.
//!
//! Up: a signal is above a threshold; then as many nodes as bring every signal that can be judged to the target. Down: every signal in every
//! window is fresh, complete and low. Between the two nothing is wanted, and what was measured is told.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::model::{
    Change, Direction, Duration, Evidence, Finite, Grade, HoldReason, LiveNodeGroup, MetricKey, Priority, Reason,
    Signal, Target, amount,
};
use crate::policy::{NodeGroupPolicy, ScaleDown};

use super::demand::Demand;
use super::evidence::{Terms, Worth, judge};
use super::{World, history};

const SIGNALS: [Signal; 2] = [Signal::Cpu, Signal::Memory];

/// A live group under its policy.
pub(super) struct Group<'a> {
    pub(super) world: &'a World<'a>,
    pub(super) target: &'a Target,
    pub(super) policy: &'a NodeGroupPolicy,
    pub(super) live: &'a LiveNodeGroup,
}

/// What a group's use asks for.
pub(super) struct Wish {
    pub(super) change: Option<Change>,
    /// Why nothing is wanted, or what limits what is wanted.
    pub(super) reasons: Vec<HoldReason>,
}

impl Wish {
    fn nothing(reasons: Vec<HoldReason>) -> Self {
        Self { change: None, reasons }
    }
}

/// A measured signal that is above its threshold.
struct Crossing {
    evidence: Evidence,
    threshold: Finite,
    priority: Priority,
}

/// The size that a change of ours aims at.
struct Size {
    needed: u32,
    to: u32,
    cut: Option<String>,
}

impl Group<'_> {
    /// What the use asks for.
    pub(super) fn wish(&self) -> Wish {
        if self.live.replicas == 0 {
            // As in HPA: whoever sets zero switches it off, and no number of ours switches it on again.
            let summary = "it is switched off: 0 nodes".to_owned();
            return Wish::nothing(vec![HoldReason::InRange { summary }]);
        }
        let (mut crossings, up_gaps) = self.crossings();
        if crossings.iter().any(|crossing| self.rest(&crossing.evidence).is_none()) {
            crossings.retain(|crossing| self.rest(&crossing.evidence).is_none());
            return self.wish_up(&crossings);
        }
        if let Some(reason) = crossings
            .iter()
            .filter_map(|crossing| self.rest(&crossing.evidence))
            .min()
        {
            let mut wish = self.wish_up(&crossings);
            wish.reasons.push(reason);
            return wish;
        }
        let mut wish = match &self.policy.scale_down {
            Some(down) => self.wish_down(down),
            None => Wish::nothing(vec![self.in_range()]),
        };
        if wish.change.is_none() {
            wish.reasons.splice(0..0, self.above_target());
        }
        // Not to know whether more nodes are needed is reason enough not to take one away.
        let known: BTreeSet<String> = up_gaps.iter().filter_map(input).collect();
        wish.reasons
            .retain(|reason| input(reason).is_none_or(|input| !known.contains(&input)));
        wish.reasons.splice(0..0, up_gaps);
        wish
    }

    fn measure(&self, key: MetricKey) -> Worth {
        let terms = Terms {
            now: self.world.now,
            max_age: self.policy.max_age,
            min_coverage: self.policy.min_coverage.share(),
            ready: self.live.ready,
            size: self.live.replicas,
        };
        judge(key, self.live.measurements.get(&key), &terms)
    }

    fn demand(&self, evidence: &Evidence) -> Demand {
        Demand::new(evidence.value, self.nodes(evidence))
    }

    /// The nodes behind a value, those that are Ready and were not expected to report among them: they count as idle.
    fn nodes(&self, evidence: &Evidence) -> u32 {
        let expected = self.live.measurements.get(&evidence.metric).and_then(|m| m.nodes);
        expected.map_or(0, |nodes| nodes.expected).max(self.live.ready)
    }

    /// Whether an average must be left to rest: its window began before the last change, so that it mixes two sizes of the group.
    fn rest(&self, evidence: &Evidence) -> Option<HoldReason> {
        let changed_at = history::last_change(self.world, self.target, self.live.changed_at)?;
        let until = evidence.metric.window.after(changed_at);
        (self.world.now < until).then_some(HoldReason::CoolingDown { changed_at, until })
    }

    /// What triggers ups, with the thresholds and priorities.
    fn triggers(&self) -> impl Iterator<Item = (MetricKey, Finite, Priority)> {
        self.policy
            .scale_up
            .triggers()
            .into_iter()
            .flat_map(|(priority, trigger)| {
                SIGNALS.into_iter().filter_map(move |signal| {
                    let window = trigger.window;
                    Some((
                        MetricKey { signal, window },
                        trigger.threshold(signal)?.share(),
                        priority,
                    ))
                })
            })
    }

    /// The signals above their thresholds, the most urgent first, and what can't be judged.
    fn crossings(&self) -> (Vec<Crossing>, Vec<HoldReason>) {
        let (mut crossings, mut gaps) = (Vec::new(), Vec::new());
        for (key, threshold, priority) in self.triggers() {
            let worth = self.measure(key);
            if let Some(evidence) = worth.for_up().filter(|evidence| evidence.value > threshold) {
                crossings.push(Crossing {
                    evidence: evidence.clone(),
                    threshold,
                    priority,
                });
            } else {
                gaps.extend(gap(key, &worth, None));
            }
        }
        crossings.sort_by(|a, b| {
            a.priority
                .cmp(&b.priority)
                .then(b.evidence.value.cmp(&a.evidence.value))
        });
        (crossings, gaps)
    }

    fn wish_up(&self, crossings: &[Crossing]) -> Wish {
        let target = self.policy.scale_up.target.share();
        let current = self.live.replicas;
        // Whatever else is known counts too: a signal below its threshold may still need more nodes than the one that is above.
        let known: Vec<Evidence> = self
            .triggers()
            .filter_map(|(key, _, _)| self.measure(key).for_up().cloned())
            .filter(|evidence| self.rest(evidence).is_none())
            .collect();
        let all = crossings.iter().map(|crossing| &crossing.evidence).chain(&known);
        let largest = all.max_by(|a, b| {
            let by_demand = self.demand(a).partial_cmp(&self.demand(b)).unwrap_or(Ordering::Equal);
            by_demand.then(b.metric.cmp(&a.metric))
        });
        let (Some(strongest), Some(priority)) = (largest, crossings.iter().map(|c| c.priority).min()) else {
            return Wish::nothing(vec![self.in_range()]);
        };
        let needed = self.demand(strongest).nodes_for(target);
        if needed <= current {
            // The nodes that are missing are on their way: they count as if they were here.
            let cause = format!(
                "{} of {current} are Ready; with all of them {needed} are enough",
                self.live.ready
            );
            return Wish::nothing(vec![HoldReason::Gap {
                input: "nodes".to_owned(),
                grade: Grade::Partial,
                cause,
                blocks: Some(Direction::Up),
            }]);
        }
        let Size { needed, to, cut } = self.size(needed);
        let mut reasons: Vec<Reason> = crossings
            .iter()
            .map(|crossing| Reason::AboveThreshold {
                evidence: crossing.evidence.clone(),
                threshold: crossing.threshold,
                priority: crossing.priority,
            })
            .collect();
        if let Some(projected) = self.demand(strongest).spread_over(to) {
            reasons.push(Reason::Projected {
                evidence: strongest.clone(),
                nodes: self.nodes(strongest),
                target,
                projected,
            });
        }
        reasons.extend(cut.map(|by| Reason::Capped { needed, by }));
        let max = self.policy.bounds.max();
        Wish {
            change: Some(Change {
                from: current.into(),
                to: to.into(),
                priority,
                reasons,
            }),
            reasons: (current >= max)
                .then_some(HoldReason::AtMaximum { max })
                .into_iter()
                .collect(),
        }
    }

    /// How far an up goes in one change.
    fn size(&self, needed: u32) -> Size {
        let current = self.live.replicas;
        let (step, max) = (self.policy.scale_up.max_step.of(current), self.policy.bounds.max());
        let (mut to, mut cut) = (needed, None);
        if current.saturating_add(step) < to {
            to = current.saturating_add(step);
            cut = Some(format!("the policy's step of {step} nodes"));
        }
        if current < max && max < to {
            to = max;
            cut = Some(format!("the policy's maximum of {max}"));
        }
        Size { needed, to, cut }
    }

    /// Down only if every signal in every window is fresh, complete and low.
    fn wish_down(&self, down: &ScaleDown) -> Wish {
        let (mut gaps, mut peak): (Vec<HoldReason>, Option<(Demand, Evidence)>) = (Vec::new(), None);
        let mut rest: Option<HoldReason> = None;
        let mut ruled_out = false;
        let keys = down.lookback.iter().flat_map(|window| {
            SIGNALS.map(|signal| MetricKey {
                signal,
                window: *window,
            })
        });
        for key in keys {
            let worth = self.measure(key);
            // Even a lower bound can rule a down out.
            ruled_out |= worth
                .for_up()
                .is_some_and(|evidence| evidence.value >= down.below.share());
            gaps.extend(gap(key, &worth, Some(Direction::Down)));
            if let Some(evidence) = worth.for_down() {
                let demand = self.demand_in_its_window(evidence);
                if peak.as_ref().is_none_or(|(highest, _)| demand > *highest) {
                    peak = Some((demand, evidence.clone()));
                }
                if key.window <= self.longest_trigger() {
                    rest = rest.max(self.rest(evidence));
                }
            }
        }
        if ruled_out {
            return Wish::nothing(vec![self.in_range()]);
        }
        let (Some((demand, evidence)), true) = (peak, gaps.is_empty()) else {
            gaps.push(self.in_range());
            return Wish::nothing(gaps);
        };
        let mut wish = self.wish_down_to(down, demand, evidence);
        if wish.change.is_some() {
            wish.reasons.extend(rest);
        }
        wish
    }

    fn wish_down_to(&self, down: &ScaleDown, demand: Demand, evidence: Evidence) -> Wish {
        let (current, min) = (self.live.replicas, self.policy.bounds.min());
        let target = down.target.share();
        let lowest = current.saturating_sub(down.max_step.of(current)).max(min).max(1);
        let to = demand.nodes_for(target).max(lowest);
        if current <= min {
            return Wish::nothing(vec![HoldReason::AtMinimum { min }]);
        }
        if to >= current {
            let projected = demand.spread_over(current.saturating_sub(1));
            let reason = projected.map_or_else(
                || self.in_range(),
                |projected| HoldReason::WouldOvershoot {
                    metric: evidence.metric,
                    projected,
                    bound: target,
                },
            );
            return Wish::nothing(vec![reason]);
        }
        let Some(projected) = demand.spread_over(to) else {
            return Wish::nothing(vec![self.in_range()]);
        };
        let reasons = vec![Reason::BelowTarget {
            evidence,
            projected,
            target,
        }];
        Wish {
            change: Some(Change {
                from: current.into(),
                to: to.into(),
                priority: Priority::Routine,
                reasons,
            }),
            reasons: Vec::new(),
        }
    }

    /// The demand behind an average, with the most nodes that the group is known to have had in its window.
    ///
    /// A window of a week may well begin before the last down: its average is then that of a larger group and understates the demand.
    fn demand_in_its_window(&self, evidence: &Evidence) -> Demand {
        let since: Timestamp = evidence.metric.window.before(self.world.now);
        let largest = history::largest_since(self.world, self.target, since).unwrap_or(0);
        Demand::new(evidence.value, self.nodes(evidence).max(largest))
    }

    /// The longest window that ups look at. Until it is clean, it is not known what the last change has brought about.
    fn longest_trigger(&self) -> Duration {
        let windows = self.policy.scale_up.triggers().map(|(_, trigger)| trigger.window);
        windows.into_iter().max().unwrap_or(Duration::ZERO)
    }

    /// A use between the target and the threshold: too low for a new up, too high to take back one that is under review.
    ///
    /// Without this band, a use that wavers around a threshold would open and close a pull request at every run.
    fn above_target(&self) -> Option<HoldReason> {
        let target = self.policy.scale_up.target.share();
        let values = self
            .triggers()
            .filter_map(|(key, _, _)| self.measure(key).for_up().cloned());
        let needy = values.filter(|evidence| self.demand(evidence).nodes_for(target) > self.live.replicas);
        let strongest = needy.max_by(|a, b| a.value.cmp(&b.value).then(b.metric.cmp(&a.metric)))?;
        Some(HoldReason::AboveTarget {
            metric: strongest.metric,
            value: strongest.value,
            target,
        })
    }

    /// What was measured, in words, where nothing is to be done.
    fn in_range(&self) -> HoldReason {
        let seen = self.triggers().filter_map(|(key, threshold, _)| {
            let worth = self.measure(key);
            let evidence = worth.for_up()?;
            let least = if evidence.grade == Grade::Fresh {
                ""
            } else {
                "at least "
            };
            let threshold = amount(key.signal, threshold);
            Some(format!("{least}{evidence} (up above {threshold})"))
        });
        let mut seen: Vec<String> = seen.collect();
        if seen.is_empty() {
            seen.push("nothing was measured".to_owned());
        }
        let down = match &self.policy.scale_down {
            Some(down) => format!("down below {}", amount(Signal::Cpu, down.below.share())),
            None => "never down".to_owned(),
        };
        HoldReason::InRange {
            summary: format!("{}; {down}", seen.join(", ")),
        }
    }
}

/// The input that a gap is about.
fn input(reason: &HoldReason) -> Option<String> {
    match reason {
        HoldReason::Gap { input, .. } => Some(input.clone()),
        _ => None,
    }
}

/// What is wrong with an input, as a hold.
fn gap(key: MetricKey, worth: &Worth, blocks: Option<Direction>) -> Option<HoldReason> {
    let (grade, cause) = worth.flaw()?;
    Some(HoldReason::Gap {
        input: key.to_string(),
        grade,
        cause: cause.to_owned(),
        blocks,
    })
}
