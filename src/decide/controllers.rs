//! Controller flags: QPS, burst and concurrency by the number of clusters, never below the running version's own default, and only with
//! evidence that the present value is the limit.
//!
//! A flag is raised, never lowered: a value that somebody raised by hand had a reason that no metric shows any more.

use std::collections::BTreeSet;

use crate::model::{
    Binding, Change, ComponentName, Decision, Evidence, Finite, FlagName, Grade, HoldReason, Inventory, LiveController,
    ManagementClusterName, MetricKey, Priority, Reason, Refusal, Scalar, Signal, Site, Target, Verdict,
};
use crate::policy::catalogue::{FlagDefault, default_of};
use crate::policy::{Candidate as Selected, ControllerPolicy, Percent, Rung};

use super::evidence::{Terms, Worth, judge};
use super::guards::{self, Candidate, PolicyTerms, State};
use super::inventory::{self, unseen};
use super::{World, only};

/// The flags that a policy names, on every management cluster that it selects.
pub(super) fn targets(world: &World<'_>) -> BTreeSet<Target> {
    let mut targets: BTreeSet<Target> = world
        .declared
        .bindings
        .keys()
        .filter(|target| matches!(target, Target::Controller { .. }))
        .cloned()
        .collect();
    for policy in &world.policies.controllers {
        let component = &policy.component;
        let live = &world.snapshot.live.management_clusters;
        let known = world.fleet.management_clusters().map(|(_, known)| &known.name);
        for management_cluster in known.chain(live.keys()) {
            let selected = world.region(management_cluster).is_some_and(|region| {
                policy
                    .selector
                    .matches(&Selected::of_management_cluster(region, management_cluster))
            });
            // Where it may run unseen, it is blind; where it does not run, there is nothing to decide.
            let runs = live.get(management_cluster).is_none_or(|live| {
                live.controllers.contains_key(component) || live.gap_in(Inventory::Controllers).is_some()
            });
            if selected && runs {
                targets.extend(policy.flags.iter().map(|flag| Target::Controller {
                    management_cluster: management_cluster.clone(),
                    component: component.clone(),
                    flag: flag.name.clone(),
                }));
            }
        }
    }
    targets
}

/// One decision for each of them.
pub(super) fn decide(world: &World<'_>, targets: &BTreeSet<Target>) -> Vec<Decision> {
    targets
        .iter()
        .filter_map(|target| match target {
            Target::Controller {
                management_cluster,
                component,
                flag,
            } => Some(decide_one(world, target, management_cluster, component, flag)),
            _ => None,
        })
        .collect()
}

fn decide_one(
    world: &World<'_>,
    target: &Target,
    management_cluster: &ManagementClusterName,
    component: &ComponentName,
    flag: &FlagName,
) -> Decision {
    let Some(region) = world.region(management_cluster) else {
        return super::hold(target, vec![HoldReason::NoPolicy]);
    };
    let candidate = Selected::of_management_cluster(region, management_cluster);
    let selected = world.policies.for_controller(component, &candidate);
    let naming = selected.filter(|policy| policy.flags.iter().any(|known| known.name == *flag));
    let (policy, reference) = match only(target, naming, |policy| &policy.meta) {
        Ok(selected) => selected,
        Err(decision) => return decision,
    };
    let Some(ladder) = policy
        .flags
        .iter()
        .find(|known| known.name == *flag)
        .map(|known| &known.ladder)
    else {
        return super::hold(target, vec![HoldReason::NoPolicy]);
    };
    let held = |wanted, reasons| Decision {
        target: target.clone(),
        policy: Some(reference.clone()),
        verdict: Verdict::Hold { wanted, reasons },
    };

    let live_cluster = world.snapshot.live.management_clusters.get(management_cluster);
    let live = live_cluster.and_then(|live| live.controllers.get(component));
    let (Some(live_cluster), Some(live)) = (live_cluster, live) else {
        let reason = unseen(world, management_cluster, live_cluster, Inventory::Controllers);
        return held(None, vec![reason]);
    };
    let Some(version) = &live.version else {
        let cause = "no default is known without it".to_owned();
        return held(
            None,
            vec![HoldReason::Gap {
                input: "version".to_owned(),
                grade: Grade::Missing,
                cause,
                blocks: None,
            }],
        );
    };
    let unknown = |input: &str, cause: String| {
        held(
            None,
            vec![HoldReason::Gap {
                input: input.to_owned(),
                grade: Grade::Invalid,
                cause,
                blocks: None,
            }],
        )
    };
    let (default, source) = match default_of(component, flag, version) {
        FlagDefault::Is { value, source } => (value, source),
        FlagDefault::UnknownFlag => {
            return held(
                None,
                vec![HoldReason::UnknownFlag {
                    version: version.clone(),
                }],
            );
        }
        FlagDefault::UnknownVersion => {
            return unknown("version", format!("{version} is not in the catalogue of {component}"));
        }
        FlagDefault::UnknownComponent => return unknown("component", format!("{component} is not in the catalogue")),
        FlagDefault::Computed { how } => return unknown("default", format!("the controller computes it: {how}")),
        FlagDefault::Duration { value } => return unknown("default", format!("{value} is a duration, not a number")),
    };
    let default = i64::from(default);
    let Some(binding) = world.declared.bindings.get(target) else {
        return held(None, vec![HoldReason::NotDeclared]);
    };
    let candidate = Candidate {
        world,
        target,
        binding,
        management_cluster: live_cluster,
        inventory: Inventory::Controllers,
        state: State {
            replicas: live.replicas,
            ready: live.ready,
            up_to_date: live.replicas,
            changed_at: live.changed_at,
            ..State::default()
        },
        terms: PolicyTerms {
            mode: policy.meta.mode,
            suspend: policy.meta.suspend,
            cooldown: policy.cooldown,
            down_windows: &[],
        },
    };
    let live_value = live_flag(live, flag).unwrap_or(Scalar::Integer(default));
    let declared = match declared_value(binding, default) {
        Ok(declared) => declared,
        Err(reason) => return held(None, vec![reason]),
    };
    if let Some(reason) = guards::not_applied(world, target, &Scalar::Integer(declared), &live_value) {
        return held(None, candidate.standing(vec![reason]));
    }
    let in_range = |summary: String| {
        // With clusters unseen, the ladder may well say more.
        let gap = live_cluster.gap_in(Inventory::Clusters).map(inventory::blind);
        let reasons = gap.into_iter().chain([HoldReason::InRange { summary }]).collect();
        held(None, candidate.standing(reasons))
    };
    if declared <= 0 {
        // To client-go a negative rate is no limit at all: any number of ours would be a lower one.
        return in_range(format!("{declared} has a meaning of its own and is left as it is"));
    }
    let clusters = u32::try_from(live_cluster.cluster_count()).unwrap_or(u32::MAX);
    let Some(Rung { from: rung, value }) = ladder.rung(clusters) else {
        return in_range(format!("{clusters} clusters, below the ladder's first rung"));
    };
    if i64::from(value) <= default && declared <= default {
        let version = version.clone();
        return held(
            None,
            candidate.standing(vec![HoldReason::BelowDefault { version, default }]),
        );
    }
    if i64::from(value) <= declared {
        return in_range(format!(
            "{clusters} clusters, the ladder says {value} from {rung} on, and it is {declared}"
        ));
    }
    let mut reasons = vec![
        Reason::Ladder {
            counted: "clusters".to_owned(),
            count: clusters,
            rung,
        },
        Reason::VersionDefault {
            version: version.clone(),
            value: default,
            source: source.to_owned(),
        },
    ];
    let mut found = Vec::new();
    match look_for_evidence(world, policy, live, component) {
        Ok(evidence) => reasons.extend(evidence),
        Err(reason) => found.push(reason),
    }
    let change = Change {
        from: Scalar::Integer(declared),
        to: value.into(),
        priority: Priority::Routine,
        reasons,
    };
    let objections = candidate.objections(&change, found);
    if objections.is_empty() {
        Decision {
            target: target.clone(),
            policy: Some(reference),
            verdict: Verdict::Set(change),
        }
    } else {
        held(Some(change), objections)
    }
}

/// The value that Git declares; where it leaves the flag out and it can be appended, that is the version's default.
fn declared_value(binding: &Binding, default: i64) -> Result<i64, HoldReason> {
    if let Some(value) = binding.value.as_ref().and_then(Scalar::integer) {
        return Ok(value);
    }
    match &binding.site {
        Site::Writable(place) if let Some(value) = &binding.value => Err(HoldReason::NotWritable {
            path: Some(place.path.clone()),
            line: place.line,
            refusal: Refusal::NotAnInteger {
                text: value.to_string(),
            },
        }),
        Site::Writable(place) if place.form.is_new() => Ok(default),
        Site::Writable(_) => Err(HoldReason::NotDeclared),
        Site::Refused { path, line, refusal } => Err(HoldReason::NotWritable {
            path: path.clone(),
            line: *line,
            refusal: refusal.clone(),
        }),
    }
}

/// The value of a flag among live arguments. The last one wins, as in pflag.
fn live_flag(live: &LiveController, flag: &FlagName) -> Option<Scalar> {
    let name = format!("--{flag}");
    let mut found = None;
    let mut arguments = live.args.iter();
    while let Some(argument) = arguments.next() {
        let value = match argument.strip_prefix(&name) {
            Some("") => arguments.next().map(String::as_str),
            Some(rest) => rest.strip_prefix('='),
            None => None,
        };
        if let Some(value) = value {
            found = Some(
                value
                    .parse()
                    .map_or_else(|_| Scalar::Text(value.to_owned()), Scalar::Integer),
            );
        }
    }
    found
}

/// The samples that must be there. The lower bound of an incomplete value is no help here: the queues of a day, understated, would make
/// those of an hour look as if they grew.
const COMPLETE: Percent = Percent::of(95);

/// Evidence that the controller is held back by its limit: it sends almost as many requests as it may, and its queues grow.
///
/// No metric shows client-side throttling itself: controller-runtime does not export the rate limiter. `rest_client_requests_total` with
/// code 429 counts the server's rejections, which is something else.
fn look_for_evidence(
    world: &World<'_>,
    policy: &ControllerPolicy,
    live: &LiveController,
    component: &ComponentName,
) -> Result<Vec<Reason>, HoldReason> {
    let terms = Terms {
        now: world.now,
        max_age: policy.max_age,
        min_coverage: COMPLETE.share(),
        ready: 0,
        size: 0,
    };
    let measure = |signal, window| {
        let key = MetricKey { signal, window };
        let gap = |(grade, cause): (Grade, &str)| HoldReason::Gap {
            input: key.to_string(),
            grade,
            cause: cause.to_owned(),
            blocks: None,
        };
        match judge(key, live.measurements.get(&key), &terms) {
            Worth::Fresh(evidence) => Ok(evidence),
            worth => Err(worth.flaw().map_or(
                HoldReason::NoEvidence {
                    looked_for: key.to_string(),
                },
                gap,
            )),
        }
    };
    let seen = &policy.evidence;
    let requests: Evidence = measure(Signal::ClientRequests, seen.window)?;
    let queue: Evidence = measure(Signal::QueueDepth, seen.window)?;
    let baseline: Evidence = measure(Signal::QueueDepth, seen.baseline)?;
    let Some(qps) = client_qps(live, component) else {
        let looked_for = "the controller has no client-side limit that is known".to_owned();
        return Err(HoldReason::NoEvidence { looked_for });
    };
    let enough = seen.client_requests.share().get() * qps.get();
    if requests.value.get() < enough || queue.value <= baseline.value {
        let looked_for = format!("{requests} where {qps} are allowed (evidence from {enough:.1}), {queue}, {baseline}");
        return Err(HoldReason::NoEvidence { looked_for });
    }
    Ok(vec![
        Reason::AtLimit {
            evidence: requests,
            limit: qps,
        },
        Reason::Growing {
            evidence: queue,
            baseline,
        },
    ])
}

/// The requests per second that the controller allows itself: its flag, or the version's default.
fn client_qps(live: &LiveController, component: &ComponentName) -> Option<Finite> {
    let flag: FlagName = "kube-api-qps".parse().ok()?;
    let number = match live_flag(live, &flag) {
        Some(Scalar::Integer(number)) => u32::try_from(number).ok()?,
        Some(Scalar::Decimal(_) | Scalar::Text(_)) => return None,
        None => match default_of(component, &flag, live.version.as_deref()?) {
            FlagDefault::Is { value, .. } => value,
            _ => return None,
        },
    };
    Finite::try_from(f64::from(number))
        .ok()
        .filter(|qps| *qps > Finite::ZERO)
}
