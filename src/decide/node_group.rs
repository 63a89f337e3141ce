//! Node groups: up when an hour (P1) or a day (P2) of measured use says so, down only when everything agrees.

use std::collections::BTreeSet;

use crate::model::{
    Change, Decision, Direction, Duration, Evidence, Finite, Grade, HoldReason, Inventory, LiveCluster, LiveNodeGroup,
    MetricKey, NodeGroupKey, Priority, Reason, Scalar, Signal, Target, Verdict,
};
use crate::policy::{Candidate as Selected, NodeGroupPolicy, ScaleDown};

use super::demand::Demand;
use super::evidence::{Terms, Worth, judge};
use super::guards::{self, Candidate, PolicyTerms, State};
use super::{World, hold, only};

const SIGNALS: [Signal; 2] = [Signal::Cpu, Signal::Memory];

/// The node groups that are live or declared.
pub(super) fn targets(world: &World<'_>) -> BTreeSet<Target> {
    let declared = world
        .declared
        .bindings
        .keys()
        .filter(|target| matches!(target, Target::NodeGroup(_)))
        .cloned();
    world
        .live_node_groups()
        .map(Target::NodeGroup)
        .chain(declared)
        .collect()
}

/// One decision for each of them.
pub(super) fn decide(world: &World<'_>, targets: &BTreeSet<Target>) -> Vec<Decision> {
    targets
        .iter()
        .filter_map(|target| match target {
            Target::NodeGroup(key) => Some(decide_one(world, target, key)),
            _ => None,
        })
        .collect()
}

/// A live group under its policy.
struct Group<'a> {
    policy: &'a NodeGroupPolicy,
    live: &'a LiveNodeGroup,
    terms: Terms,
}

fn decide_one(world: &World<'_>, target: &Target, key: &NodeGroupKey) -> Decision {
    let Some(region) = world.region(&key.management_cluster) else {
        return hold(target, vec![HoldReason::NoPolicy]);
    };
    let candidate = Selected::of_node_group(region, key);
    let selected = world.policies.for_node_group(&candidate);
    let (policy, reference) = match only(target, selected, |policy| &policy.meta) {
        Ok(selected) => selected,
        Err(decision) => return decision,
    };
    let held = |wanted, reasons| Decision {
        target: target.clone(),
        policy: Some(reference.clone()),
        verdict: Verdict::Hold { wanted, reasons },
    };

    let management_cluster = world.snapshot.live.management_clusters.get(&key.management_cluster);
    let cluster = management_cluster.and_then(|live| live.clusters.get(&key.namespace)?.get(&key.cluster));
    let live = cluster.and_then(|cluster| cluster.node_groups.get(&key.group));
    let (Some(management_cluster), Some(cluster), Some(live)) = (management_cluster, cluster, live) else {
        // A listing with a gap may have missed it: then nobody knows whether it is live.
        let gap = management_cluster.map(|live| live.gap_in(Inventory::Clusters));
        return held(
            None,
            vec![match gap {
                Some(Some(gap)) => HoldReason::Blind {
                    inventory: gap.what,
                    cause: gap.cause.clone(),
                },
                Some(None) => HoldReason::NotLive,
                None => HoldReason::Blind {
                    inventory: Inventory::Clusters,
                    cause: "the management cluster is not in the snapshot".to_owned(),
                },
            }],
        );
    };
    let group = Group {
        policy,
        live,
        terms: Terms {
            now: world.now,
            max_age: policy.max_age,
            min_coverage: policy.min_coverage.share(),
        },
    };
    let wish = group.wish();
    let Some(binding) = world.declared.bindings.get(target) else {
        return held(wish.change, vec![HoldReason::NotDeclared]);
    };
    let state = state(cluster, live);
    // An owner is asked first: where an autoscaler works, Git rightly has no number to compare.
    if let Some(reason) = guards::owner(binding, state) {
        return held(wish.change, vec![reason]);
    }
    let Some(declared) = binding.value.as_ref().and_then(Scalar::integer) else {
        return held(
            wish.change,
            vec![guards::site(&binding.site).unwrap_or(HoldReason::NotDeclared)],
        );
    };
    if let Some(reason) = guards::not_applied(world, target, &Scalar::Integer(declared), &live.replicas.into()) {
        return held(None, vec![reason]);
    }
    let Some(change) = wish.change else {
        return held(None, wish.reasons);
    };
    let mut reasons = guards::objections(&Candidate {
        world,
        change: &change,
        binding,
        management_cluster,
        inventory: Inventory::Clusters,
        state,
        terms: PolicyTerms {
            mode: policy.meta.mode,
            suspend: policy.meta.suspend,
            cooldown: policy.cooldown,
            down_windows: policy.scale_down.as_ref().map_or(&[], |down| &down.windows),
        },
    });
    let direction = change.direction();
    reasons.extend(
        wish.reasons
            .into_iter()
            .filter(|reason| reason.blocks().direction(direction)),
    );
    if reasons.is_empty() {
        Decision {
            target: target.clone(),
            policy: Some(reference),
            verdict: Verdict::Set(change),
        }
    } else {
        held(Some(change), reasons)
    }
}

fn state(cluster: &LiveCluster, live: &LiveNodeGroup) -> State {
    State {
        paused: cluster.paused || live.paused,
        deleting: cluster.deleting,
        autoscaler: live.autoscaler,
        replicas: live.replicas,
        ready: live.ready,
        up_to_date: live.up_to_date,
        changed_at: live.changed_at,
    }
}

/// What a group's use asks for, before anything stands in the way.
struct Wish {
    change: Option<Change>,
    /// Why nothing is wanted, or what limits what is wanted.
    reasons: Vec<HoldReason>,
}

/// A measured signal that is above its threshold.
struct Crossing {
    evidence: Evidence,
    threshold: Finite,
    priority: Priority,
}

impl Group<'_> {
    fn measure(&self, signal: Signal, window: Duration) -> Worth {
        let key = MetricKey { signal, window };
        judge(key, self.live.measurements.get(&key), &self.terms)
    }

    /// The nodes behind a measurement.
    fn nodes(&self, metric: MetricKey) -> u32 {
        self.live
            .measurements
            .get(&metric)
            .and_then(|m| m.nodes)
            .map_or(self.live.ready, |nodes| nodes.expected)
    }

    fn wish(&self) -> Wish {
        let (mut crossings, up_gaps) = self.crossings();
        // An average over a window that began before the last change mixes two sizes of the group: it waits until it is clean.
        let rest = |crossing: &Crossing| {
            let changed_at = self.live.changed_at?;
            let until = crossing.evidence.metric.window.after(changed_at);
            (self.terms.now < until).then_some(HoldReason::CoolingDown { changed_at, until })
        };
        let clean = |crossing: &Crossing| rest(crossing).is_none();
        if crossings.iter().any(clean) {
            crossings.retain(clean);
            return self.wish_up(&crossings);
        }
        if let Some(reason) = crossings.iter().filter_map(rest).min() {
            let mut wish = self.wish_up(&crossings);
            wish.reasons.push(reason);
            return wish;
        }
        let mut reasons = Vec::new();
        let blind_up = up_gaps.len();
        reasons.extend(up_gaps);
        let mut wish = match &self.policy.scale_down {
            Some(down) => self.wish_down(down, blind_up == 0),
            None => Wish {
                change: None,
                reasons: vec![self.in_range()],
            },
        };
        if wish.change.is_some() {
            // Not to know whether more nodes are needed is reason enough not to take one away.
            wish.reasons.extend(reasons);
        } else {
            reasons.extend(wish.reasons);
            wish.reasons = reasons;
        }
        wish
    }

    /// The signals above their thresholds, the most urgent first, and what can't be judged.
    fn crossings(&self) -> (Vec<Crossing>, Vec<HoldReason>) {
        let (mut crossings, mut gaps) = (Vec::new(), Vec::new());
        for (priority, trigger) in self.policy.scale_up.triggers() {
            let window = trigger.window;
            for (signal, threshold) in [(Signal::Cpu, trigger.cpu), (Signal::Memory, trigger.memory)] {
                let worth = self.measure(signal, window);
                if let Some(evidence) = worth.for_up().filter(|evidence| evidence.value > threshold.share()) {
                    crossings.push(Crossing {
                        evidence: evidence.clone(),
                        threshold: threshold.share(),
                        priority,
                    });
                } else if let Some((grade, cause)) = worth.flaw() {
                    gaps.push(HoldReason::Gap {
                        input: MetricKey { signal, window }.to_string(),
                        grade,
                        cause: cause.to_owned(),
                        blocks: None,
                    });
                }
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
        let policy = self.policy;
        let target = policy.scale_up.target.share();
        let current = self.live.replicas;
        let priority = crossings
            .iter()
            .map(|crossing| crossing.priority)
            .min()
            .unwrap_or(Priority::Routine);
        let demand_of = |evidence: &Evidence| Demand::new(evidence.value, self.nodes(evidence.metric));
        let largest = crossings
            .iter()
            .map(|crossing| (demand_of(&crossing.evidence).nodes_for(target), &crossing.evidence))
            .max_by(|a, b| a.0.cmp(&b.0).then(b.1.metric.cmp(&a.1.metric)));
        let Some((needed, strongest)) = largest else {
            return Wish {
                change: None,
                reasons: vec![self.in_range()],
            };
        };
        let mut reasons: Vec<Reason> = crossings
            .iter()
            .map(|crossing| Reason::AboveThreshold {
                evidence: crossing.evidence.clone(),
                threshold: crossing.threshold,
                priority: crossing.priority,
            })
            .collect();
        if needed <= current {
            // The nodes that are missing are on their way: they count as if they were here.
            let summary = format!(
                "{strongest} on {} Ready nodes, but {current} nodes are declared and {needed} are enough",
                self.live.ready
            );
            return Wish {
                change: None,
                reasons: vec![HoldReason::InRange { summary }],
            };
        }
        let (step, max) = (policy.scale_up.max_step.of(current), policy.bounds.max());
        let (mut to, mut cut) = (needed, None);
        if current.saturating_add(step) < to {
            to = current.saturating_add(step);
            cut = Some(format!("the policy's step of {step} nodes"));
        }
        if current < max && max < to {
            to = max;
            cut = Some(format!("the policy's maximum of {max}"));
        }
        if let Some(projected) = demand_of(strongest).spread_over(to) {
            reasons.push(Reason::Projected {
                evidence: strongest.clone(),
                nodes: self.nodes(strongest.metric),
                target,
                projected,
            });
        }
        if let Some(by) = cut {
            reasons.push(Reason::Capped { needed, by });
        }
        let at_maximum = (current >= max).then_some(HoldReason::AtMaximum { max });
        let change = Change {
            from: current.into(),
            to: to.into(),
            priority,
            reasons,
        };
        Wish {
            change: Some(change),
            reasons: at_maximum.into_iter().collect(),
        }
    }

    /// Down only if every signal in every window is fresh, complete and low.
    fn wish_down(&self, down: &ScaleDown, sees_ups: bool) -> Wish {
        let (mut gaps, mut peak): (Vec<HoldReason>, Option<(Demand, Evidence)>) = (Vec::new(), None);
        let mut ruled_out = false;
        for window in &down.lookback {
            for signal in SIGNALS {
                let worth = self.measure(signal, *window);
                // Even a lower bound can rule a down out.
                ruled_out |= worth
                    .for_up()
                    .is_some_and(|evidence| evidence.value >= down.below.share());
                match worth.for_down() {
                    Some(evidence) => {
                        let demand = Demand::new(evidence.value, self.nodes(evidence.metric));
                        if peak.as_ref().is_none_or(|(highest, _)| demand > *highest) {
                            peak = Some((demand, evidence.clone()));
                        }
                    }
                    None => {
                        let (grade, cause) = worth.flaw().unwrap_or((Grade::Missing, "no value"));
                        gaps.push(HoldReason::Gap {
                            input: MetricKey {
                                signal,
                                window: *window,
                            }
                            .to_string(),
                            grade,
                            cause: cause.to_owned(),
                            blocks: Some(Direction::Down),
                        });
                    }
                }
            }
        }
        if ruled_out {
            return Wish {
                change: None,
                reasons: vec![self.in_range()],
            };
        }
        let (Some((demand, evidence)), true) = (peak, gaps.is_empty()) else {
            if sees_ups {
                gaps.push(self.in_range());
            }
            return Wish {
                change: None,
                reasons: gaps,
            };
        };
        let (current, min) = (self.live.replicas, self.policy.bounds.min());
        let target = down.target.share();
        let step = down.max_step.of(current);
        let lowest = current.saturating_sub(step).max(min).max(1);
        let to = demand.nodes_for(target).max(lowest);
        if to >= current {
            let reason = if current <= min {
                HoldReason::AtMinimum { min }
            } else {
                match demand.spread_over(current - 1) {
                    Some(projected) => HoldReason::WouldOvershoot {
                        metric: evidence.metric,
                        projected,
                        bound: target,
                    },
                    None => self.in_range(),
                }
            };
            return Wish {
                change: None,
                reasons: vec![reason],
            };
        }
        let Some(projected) = demand.spread_over(to) else {
            return Wish {
                change: None,
                reasons: vec![self.in_range()],
            };
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

    /// What was measured, in words, where nothing is to be done.
    fn in_range(&self) -> HoldReason {
        let mut seen: Vec<String> = Vec::new();
        for (_, trigger) in self.policy.scale_up.triggers() {
            for signal in SIGNALS {
                if let Some(evidence) = self.measure(signal, trigger.window).for_down() {
                    seen.push(evidence.to_string());
                }
            }
        }
        let summary = if seen.is_empty() {
            "nothing was measured".to_owned()
        } else {
            seen.join(", ")
        };
        HoldReason::InRange { summary }
    }
}
