//! The rules for a `PlatformPolicy`.

use super::check::Check;
use super::common::{self, Selects};
use crate::model::ComponentName;
use crate::policy::set::{Meta, PlatformPolicy};
use crate::policy::v1alpha1::{self, PlatformPolicySpec, ReplicaRung};
use crate::policy::{InvalidLadder, Ladder, Rung, Variable};

/// The components whose replicas can be set.
const COMPONENTS: [&str; 1] = ["kamaji"];

pub(super) fn read(check: &mut Check<'_>, meta: Meta, spec: PlatformPolicySpec) -> Option<PlatformPolicy> {
    let PlatformPolicySpec {
        component,
        selector,
        ladder,
        scale_down,
        cooldown,
        max_age,
        chart,
        write_to,
        on_shared_base,
        mode: _,
        suspend: _,
    } = spec;
    let component: Option<ComponentName> = check.required("/spec/component", component.as_ref());
    if let Some(component) = &component
        && !COMPONENTS.contains(&component.as_str())
    {
        let hint = super::suggest::among(component.as_str(), COMPONENTS.into_iter());
        check.error(
            "/spec/component",
            format!("unknown platform component {:?}", component.as_str()),
            hint,
        );
    }
    let selector = common::selector(check, selector.as_ref(), Selects::Components);
    let rungs = ladder.map(|rungs| {
        let rung = |raw: &ReplicaRung| {
            Some(Rung {
                from: raw.tenants?,
                value: raw.replicas?,
            })
        };
        rungs.iter().map(rung).collect::<Vec<_>>()
    });
    let ladder = rungs.and_then(|rungs| self::ladder(check, "/spec/ladder", rungs, "tenants", "replicas"));
    let at = "/spec/scaleDown";
    let scale_down = match check.or(at, scale_down.as_ref().map(Some), None) {
        Some(Some(v1alpha1::DownWindows { windows })) => {
            common::down_windows(check, &format!("{at}/windows"), windows.as_deref()).map(Some)
        }
        Some(None) => Some(None),
        None => None,
    };
    let cooldown = common::cooldown(check, cooldown.as_ref());
    let max_age = common::max_age(check, max_age.as_ref());
    let chart = common::chart(check, chart.as_ref(), write_to.is_some());
    let on_shared_base = common::on_shared_base(check, on_shared_base, write_to.is_some());
    let write_to = common::write_to(check, write_to.as_ref(), Variable::OF_COMPONENTS, false);
    if let (Some(Some(write_to)), Some(selector)) = (&write_to, &selector) {
        common::warn_of_shared_place(check, write_to, selector, Selects::Components);
    }
    Some(PlatformPolicy {
        meta,
        component: component?,
        selector: selector?,
        ladder: ladder?,
        scale_down: scale_down?,
        cooldown: cooldown?,
        max_age: max_age?,
        chart: chart?,
        write_to: write_to?,
        on_shared_base,
    })
}

/// Rungs in ascending order. `from` and `value` are the fields' names.
pub(super) fn ladder(
    check: &mut Check<'_>,
    at: &str,
    rungs: Vec<Option<Rung>>,
    from: &str,
    value: &str,
) -> Option<Ladder> {
    let rungs: Vec<Rung> = rungs.into_iter().collect::<Option<_>>()?;
    match Ladder::new(rungs) {
        Ok(ladder) => Some(ladder),
        Err(InvalidLadder::Empty) => None,
        Err(InvalidLadder::NotAscending { index, before, rung }) => {
            let (field, low, high) = if rung.from <= before.from {
                (from, rung.from, before.from)
            } else {
                (value, rung.value, before.value)
            };
            check.error(
                &format!("{at}/{index}/{field}"),
                format!("is {low}, not above the {high} of the rung before it"),
                format!("sort the rungs so that both {from} and {value} ascend"),
            );
            None
        }
    }
}
