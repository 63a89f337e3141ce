//! The rules for a `NodeGroupPolicy`.

use super::check::Check;
use super::common::{self, Selects};
use crate::model::Duration;
use crate::policy::set::{Bounds, Meta, NodeGroupPolicy, ScaleDown, ScaleUp, Step, Trigger};
use crate::policy::v1alpha1::{self, NodeGroupPolicySpec};
use crate::policy::{Percent, Variable};

/// With fewer than three nodes the loss of one takes half of the capacity or all of it; Compliant Kubernetes asks for smaller nodes there.
const MIN_NODES: u32 = 3;

/// P1 of Compliant Kubernetes: one hour, CPU above 95 % or memory above 85 %.
const URGENT: Trigger = Trigger {
    window: Duration::from_hours(1),
    cpu: Percent::of(95),
    memory: Percent::of(85),
};

/// P2 of Compliant Kubernetes: a day, CPU or memory above 75 %.
const SUSTAINED: Trigger = Trigger {
    window: Duration::from_hours(24),
    cpu: Percent::of(75),
    memory: Percent::of(75),
};

/// Below the sustained threshold by [`MARGIN`].
const UP_TARGET: Percent = Percent::of(70);

/// Doubling is where Compliant Kubernetes has somebody ask whether the application misbehaves.
const UP_STEP: Step = Step {
    nodes: None,
    percent: Some(Percent::of(100)),
};

/// Now, a day, and a week with its weekend.
const LOOKBACK: [Duration; 3] = [
    Duration::from_hours(1),
    Duration::from_hours(24),
    Duration::from_hours(7 * 24),
];

/// Cluster Autoscaler's `--scale-down-utilization-threshold`.
const DOWN_BELOW: Percent = Percent::of(50);

/// Below the target of ups by [`MARGIN`].
const DOWN_TARGET: Percent = Percent::of(65);

const DOWN_STEP: Step = Step {
    nodes: Some(1),
    percent: None,
};

const MIN_COVERAGE: Percent = Percent::of(95);

/// How many points a projection stays away from the threshold on the other side.
///
/// A projection assumes that load spreads evenly, and it never quite does. Without a margin the noise of one day would undo what another
/// day's noise did, and each undoing is a pull request. Five points are the distance between the defaults of Compliant Kubernetes'
/// threshold (75 %) and our target (70 %).
const MARGIN: u16 = 5;

pub(super) fn read(check: &mut Check<'_>, meta: Meta, spec: NodeGroupPolicySpec) -> Option<NodeGroupPolicy> {
    let NodeGroupPolicySpec {
        selector,
        bounds,
        scale_up,
        scale_down,
        cooldown,
        max_age,
        min_coverage,
        group_by,
        variable,
        write_to,
        on_shared_base,
        mode: _,
        suspend: _,
    } = spec;
    let selector = common::selector(check, selector.as_ref(), Selects::NodeGroups);
    let bounds = bounds.and_then(|raw| self::bounds(check, &raw));
    let scale_up = self::scale_up(check, scale_up.as_ref());
    let scale_down = match check.or("/spec/scaleDown", scale_down.as_ref().map(Some), None) {
        Some(Some(raw)) => self::scale_down(check, raw, scale_up.as_ref()).map(Some),
        Some(None) => Some(None),
        None => None,
    };
    let cooldown = common::cooldown(check, cooldown.as_ref());
    if let (Some(cooldown), Some(scale_up)) = (cooldown, scale_up)
        && cooldown.up < scale_up.urgent.window
    {
        check.warning(
            "/spec/cooldown/up",
            format!(
                "is {}, shorter than the urgent window of {}: averages still contain the time before the last change and ask for the same nodes again",
                cooldown.up, scale_up.urgent.window
            ),
            format!("set it to {} or more", scale_up.urgent.window),
        );
    }
    let max_age = common::max_age(check, max_age.as_ref());
    let at = "/spec/minCoverage";
    let min_coverage = common::percent(
        check,
        at,
        min_coverage.as_ref(),
        MIN_COVERAGE,
        Percent::of(1),
        Percent::of(100),
    );
    let on_shared_base = common::on_shared_base(check, on_shared_base, write_to.is_some());
    let write_to = common::write_to(check, write_to.as_ref(), Variable::OF_NODE_GROUPS, false);
    if let (Some(Some(write_to)), Some(selector)) = (&write_to, &selector) {
        common::warn_of_shared_place(check, write_to, selector, Selects::NodeGroups);
    }
    if let Some(name) = &variable {
        if name.is_empty() {
            check.error(
                "/spec/variable",
                "must not be empty",
                "name a variable of the topology, or leave it out",
            );
        } else if write_to.as_ref().is_some_and(Option::is_some) {
            check.error(
                "/spec/variable",
                "stands beside writeTo, and both say where the number is",
                "keep one of them",
            );
        }
    }
    Some(NodeGroupPolicy {
        meta,
        selector: selector?,
        bounds: bounds?,
        scale_up: scale_up?,
        scale_down: scale_down?,
        cooldown: cooldown?,
        max_age: max_age?,
        min_coverage: min_coverage?,
        group_by: group_by.unwrap_or_default(),
        variable,
        write_to: write_to?,
        on_shared_base,
    })
}

fn bounds(check: &mut Check<'_>, raw: &v1alpha1::Bounds) -> Option<Bounds> {
    let v1alpha1::Bounds { min, max } = raw;
    let given = min.is_some();
    let (min, max) = (check.or("/spec/bounds/min", *min, MIN_NODES)?, (*max)?);
    let bounds = Bounds::new(min, max);
    if bounds.is_none() {
        let hint = if given { "" } else { "min is 3 unless you set it" };
        check.error(
            "/spec/bounds/max",
            format!("is {max}, below the minimum of {min}"),
            hint,
        );
    }
    bounds
}

fn scale_up(check: &mut Check<'_>, raw: Option<&v1alpha1::ScaleUp>) -> Option<ScaleUp> {
    let at = "/spec/scaleUp";
    let default = v1alpha1::ScaleUp::default();
    let v1alpha1::ScaleUp {
        urgent,
        sustained,
        target,
        max_step,
    } = check.or(at, raw, &default)?;
    let urgent = trigger(check, &format!("{at}/urgent"), urgent.as_ref(), URGENT);
    let sustained = trigger(check, &format!("{at}/sustained"), sustained.as_ref(), SUSTAINED);
    let at_target = format!("{at}/target");
    let given = target.is_some();
    let target = common::percent(
        check,
        &at_target,
        target.as_ref(),
        UP_TARGET,
        Percent::of(1),
        Percent::of(100),
    );
    let max_step = common::step(check, &format!("{at}/maxStep"), max_step.as_ref(), UP_STEP);
    if let (Some(urgent), Some(sustained)) = (urgent, sustained) {
        compare_triggers(check, at, urgent, sustained);
    }
    let up = ScaleUp {
        urgent: urgent?,
        sustained: sustained?,
        target: target?,
        max_step: max_step?,
    };
    let lowest = up.lowest_threshold();
    if up.target >= lowest {
        check.error(
            &at_target,
            format!(
                "is {}{}, not below the lowest threshold of {lowest}: the change would trigger the next one",
                up.target,
                by_default(given)
            ),
            format!("set it to {} or less", lowest.minus_points(MARGIN)),
        );
        return None;
    }
    Some(up)
}

/// So that nobody looks for a value in the file that is not there.
fn by_default(given: bool) -> &'static str {
    if given { "" } else { " by default" }
}

fn trigger(check: &mut Check<'_>, at: &str, raw: Option<&v1alpha1::Trigger>, default: Trigger) -> Option<Trigger> {
    let Some(v1alpha1::Trigger { window, cpu, memory }) = check.or(at, raw.map(Some), None)? else {
        return Some(default);
    };
    let window = common::positive(check, &format!("{at}/window"), window.as_ref(), default.window);
    let mut threshold = |name: &str, raw, default| {
        common::percent(
            check,
            &format!("{at}/{name}"),
            raw,
            default,
            Percent::of(1),
            Percent::of(100),
        )
    };
    let (cpu, memory) = (
        threshold("cpu", cpu.as_ref(), default.cpu),
        threshold("memory", memory.as_ref(), default.memory),
    );
    Some(Trigger {
        window: window?,
        cpu: cpu?,
        memory: memory?,
    })
}

/// P1 is a higher threshold over a shorter time than P2: otherwise the names would change places.
fn compare_triggers(check: &mut Check<'_>, at: &str, urgent: Trigger, sustained: Trigger) {
    if urgent.window >= sustained.window {
        check.error(
            &format!("{at}/urgent/window"),
            format!(
                "is {}, not shorter than the sustained window of {}",
                urgent.window, sustained.window
            ),
            "urgent (P1) means a high threshold over a short time, sustained (P2) a lower one over a long time",
        );
    }
    for (name, urgent, sustained) in [
        ("cpu", urgent.cpu, sustained.cpu),
        ("memory", urgent.memory, sustained.memory),
    ] {
        if urgent < sustained {
            check.error(
                &format!("{at}/urgent/{name}"),
                format!("is {urgent}, below the sustained threshold of {sustained}"),
                "urgent (P1) means a high threshold over a short time, sustained (P2) a lower one over a long time",
            );
        }
    }
}

fn scale_down(check: &mut Check<'_>, raw: &v1alpha1::ScaleDown, up: Option<&ScaleUp>) -> Option<ScaleDown> {
    let at = "/spec/scaleDown";
    let v1alpha1::ScaleDown {
        lookback,
        below,
        target,
        max_step,
        windows,
    } = raw;
    let at_lookback = format!("{at}/lookback");
    let lookback = match check.or(&at_lookback, lookback.as_ref().map(Some), None) {
        Some(Some(texts)) => {
            let read: Vec<Option<Duration>> = texts
                .iter()
                .enumerate()
                .map(|(index, text)| {
                    common::positive(check, &format!("{at_lookback}/{index}"), Some(text), LOOKBACK[0])
                })
                .collect();
            read.into_iter().collect::<Option<Vec<Duration>>>()
        }
        Some(None) => Some(LOOKBACK.to_vec()),
        None => None,
    };
    let lookback = lookback.map(|mut lookback| {
        lookback.sort_unstable();
        lookback.dedup();
        lookback
    });
    let at_target = format!("{at}/target");
    let below = common::percent(
        check,
        &format!("{at}/below"),
        below.as_ref(),
        DOWN_BELOW,
        Percent::of(1),
        Percent::of(100),
    );
    let given = target.is_some();
    let target = common::percent(
        check,
        &at_target,
        target.as_ref(),
        DOWN_TARGET,
        Percent::of(1),
        Percent::of(100),
    );
    let max_step = common::step(check, &format!("{at}/maxStep"), max_step.as_ref(), DOWN_STEP);
    let windows = common::down_windows(check, &format!("{at}/windows"), windows.as_deref());
    if let (Some(lookback), Some(up)) = (&lookback, up)
        && lookback.last().is_some_and(|longest| *longest < up.sustained.window)
    {
        check.warning(
            &at_lookback,
            format!(
                "looks back less far than the sustained window of {}: a quiet hour would shrink what a busy day needs",
                up.sustained.window
            ),
            format!("add {} or longer", up.sustained.window),
        );
    }
    if let (Some(target), Some(up)) = (target, up) {
        let most = up.target.min(up.lowest_threshold().minus_points(MARGIN));
        if target > most {
            let (why, other) = if most == up.target {
                ("above the target of ups", up.target)
            } else {
                (
                    "less than 5 points below the lowest threshold of ups",
                    up.lowest_threshold(),
                )
            };
            check.error(
                &at_target,
                format!(
                    "is {target}{}, {why} ({other}): the change would bring about its own inverse",
                    by_default(given)
                ),
                format!("set it to {most} or less"),
            );
            return None;
        }
    }
    Some(ScaleDown {
        lookback: lookback?,
        below: below?,
        target: target?,
        max_step: max_step?,
        windows: windows?,
    })
}
