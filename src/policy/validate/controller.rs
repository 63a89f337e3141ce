//! The rules for a `ControllerPolicy`.

use std::collections::BTreeMap;

use super::check::Check;
use super::common::{self, Selects};
use super::platform::ladder;
use super::suggest;
use crate::model::{ComponentName, Duration, FlagName};
use crate::policy::catalogue::{self, FlagDefault};
use crate::policy::set::{ControllerPolicy, Evidence, FlagLadder, Meta};
use crate::policy::v1alpha1::{self, ControllerPolicySpec, FlagRung};
use crate::policy::{Ladder, Percent, Rung, Variable};

const EVIDENCE_WINDOW: Duration = Duration::from_hours(1);
const EVIDENCE_BASELINE: Duration = Duration::from_hours(24);

/// The client's limiter is a token bucket: bursts wait while the average is still below the limit.
const CLIENT_REQUESTS: Percent = Percent::of(80);

/// A rate, and the burst that must not be below it. Every default upstream has a burst of 1.5 to 2 times the rate.
pub(crate) const PAIRS: [(&str, &str); 3] = [
    ("kube-api-qps", "kube-api-burst"),
    ("clustercache-client-qps", "clustercache-client-burst"),
    ("rate-limiter-qps", "rate-limiter-bucket-size"),
];

pub(super) fn read(check: &mut Check<'_>, meta: Meta, spec: ControllerPolicySpec) -> Option<ControllerPolicy> {
    let ControllerPolicySpec {
        component,
        selector,
        flags,
        evidence,
        cooldown,
        max_age,
        chart,
        write_to,
        mode: _,
        suspend: _,
    } = spec;
    let component: Option<ComponentName> = check.required("/spec/component", component.as_ref());
    let known = component
        .as_ref()
        .filter(|component| catalogue::components().any(|known| known == component.as_str()));
    if let (Some(component), None) = (&component, known) {
        let known: Vec<&str> = catalogue::components().collect();
        let hint = suggest::among(component.as_str(), known.into_iter());
        check.error(
            "/spec/component",
            format!("unknown controller {:?}", component.as_str()),
            hint,
        );
    }
    let selector = common::selector(check, selector.as_ref(), Selects::Components);
    let flags = flags.map(|flags| self::flags(check, known, &flags));
    let evidence = self::evidence(check, evidence.as_ref());
    let cooldown = common::cooldown(check, cooldown.as_ref());
    let max_age = common::max_age(check, max_age.as_ref());
    let chart = common::chart(check, chart.as_ref(), write_to.is_some());
    let write_to = common::write_to(check, write_to.as_ref(), Variable::OF_COMPONENTS, true);
    if let (Some(Some(write_to)), Some(selector)) = (&write_to, &selector) {
        common::warn_of_shared_place(check, write_to, selector, Selects::Components);
    }
    Some(ControllerPolicy {
        meta,
        selector: selector?,
        flags: flags??,
        evidence: evidence?,
        cooldown: cooldown?,
        max_age: max_age?,
        chart: chart?,
        write_to: write_to?,
        component: component?,
    })
}

fn flags(
    check: &mut Check<'_>,
    component: Option<&ComponentName>,
    raw: &[v1alpha1::FlagLadder],
) -> Option<Vec<FlagLadder>> {
    let mut places: BTreeMap<FlagName, usize> = BTreeMap::new();
    let mut flags = Vec::new();
    for (index, v1alpha1::FlagLadder { name, ladder: rungs }) in raw.iter().enumerate() {
        let at = format!("/spec/flags/{index}");
        let name = name
            .as_ref()
            .and_then(|name| self::name(check, &format!("{at}/name"), name.as_ref()));
        let name =
            name.filter(|name| component.is_none_or(|component| knows(check, &format!("{at}/name"), component, name)));
        if let Some(name) = &name
            && let Some(first) = places.get(name)
        {
            check.error(
                &format!("{at}/name"),
                format!("--{name} has a ladder already, in spec.flags[{first}]"),
                "merge the two",
            );
        }
        let rungs = rungs.as_ref().map(|rungs| {
            let rung = |raw: &FlagRung| {
                Some(Rung {
                    from: raw.clusters?,
                    value: raw.value?,
                })
            };
            rungs.iter().map(rung).collect::<Vec<_>>()
        });
        let ladder = rungs.and_then(|rungs| ladder(check, &format!("{at}/ladder"), rungs, "clusters", "value"));
        if let (Some(component), Some(name), Some(ladder)) = (component, &name, &ladder) {
            above_some_default(check, &format!("{at}/ladder"), component, name, ladder);
        }
        if let Some(name) = &name {
            places.entry(name.clone()).or_insert(index);
        }
        flags.push(name.zip(ladder).map(|(name, ladder)| FlagLadder { name, ladder }));
    }
    let mut flags: Vec<FlagLadder> = flags.into_iter().collect::<Option<_>>()?;
    for (rate, burst) in PAIRS {
        compare(check, &places, &flags, rate, burst);
    }
    flags.sort_by(|a, b| a.name.cmp(&b.name));
    Some(flags)
}

fn name(check: &mut Check<'_>, at: &str, text: &str) -> Option<FlagName> {
    if let Some(bare) = text.strip_prefix('-') {
        let bare = bare.trim_start_matches('-');
        check.error(at, format!("{text:?} has dashes"), format!("write `{bare}`"));
        return None;
    }
    check.parse(at, text)
}

/// Whether a flag is one that can be laddered.
fn knows(check: &mut Check<'_>, at: &str, component: &ComponentName, name: &FlagName) -> bool {
    let (component, name) = (component.as_str(), name.as_str());
    match catalogue::defaults_of(component, name).last() {
        None => {
            let elsewhere: Vec<&str> = catalogue::components()
                .filter(|other| catalogue::flags_of(other).any(|flag| flag == name))
                .collect();
            let known: Vec<&str> = catalogue::flags_of(component).collect();
            let near = match suggest::meant(name, known.iter().copied()) {
                Some(question) => question,
                None if elsewhere.is_empty() => suggest::among(name, known.into_iter()) + ".",
                None => format!("It is a flag of {}.", suggest::list(elsewhere.into_iter())),
            };
            let hint = format!("{near} A controller does not start with a flag that it doesn't know");
            check.error(
                at,
                format!("no known version of {component} has the flag --{name}"),
                hint,
            );
            false
        }
        Some((_, FlagDefault::Duration { value })) => {
            check.error(
                at,
                format!("--{name} takes a duration (default {value})"),
                "ladders hold whole numbers only",
            );
            false
        }
        Some((_, FlagDefault::Computed { how })) => {
            check.error(
                at,
                format!("the default of --{name} is computed ({how}), so no value is known to be above it"),
                "set it by hand, where you know the machine",
            );
            false
        }
        Some(_) => true,
    }
}

/// A value that is no higher than every version's default can never take effect.
fn above_some_default(check: &mut Check<'_>, at: &str, component: &ComponentName, name: &FlagName, ladder: &Ladder) {
    let lowest = catalogue::defaults_of(component.as_str(), name.as_str())
        .filter_map(|(since, default)| match default {
            FlagDefault::Is { value, source } => Some((value, since, source)),
            _ => None,
        })
        .min();
    let Some((lowest, _, source)) = lowest else { return };
    for (index, rung) in ladder
        .rungs()
        .iter()
        .enumerate()
        .filter(|(_, rung)| rung.value <= lowest)
    {
        check.error(
            &format!("{at}/{index}/value"),
            format!(
                "is {}, not above {lowest}, the lowest default that --{name} has had ({source})",
                rung.value
            ),
            "a flag is only ever raised above the running version's default: remove the rung, or raise it",
        );
    }
}

/// The burst must not be below the rate at any count.
fn compare(check: &mut Check<'_>, places: &BTreeMap<FlagName, usize>, flags: &[FlagLadder], rate: &str, burst: &str) {
    let find = |name: &str| flags.iter().find(|flag| flag.name.as_str() == name);
    let Some(rates) = find(rate) else { return };
    let place = |flag: &FlagLadder| places.get(&flag.name).copied().unwrap_or_default();
    let Some(bursts) = find(burst) else {
        check.warning(
            &format!("/spec/flags/{}/name", place(rates)),
            format!("--{rate} has a ladder and --{burst} has none"),
            format!("a burst below the rate caps it: add a ladder for {burst}, 1.5 to 2 times as high"),
        );
        return;
    };
    for (index, rung) in rates.ladder.rungs().iter().enumerate() {
        if let Some(other) = bursts.ladder.rung(rung.from).filter(|other| other.value < rung.value) {
            check.error(
                &format!("/spec/flags/{}/ladder/{index}/value", place(rates)),
                format!(
                    "--{rate} is {} from {} clusters on, above --{burst} of {}",
                    rung.value, rung.from, other.value
                ),
                "a burst below the rate caps it: make it 1.5 to 2 times as high",
            );
        }
    }
}

fn evidence(check: &mut Check<'_>, raw: Option<&v1alpha1::Evidence>) -> Option<Evidence> {
    let at = "/spec/evidence";
    let default = v1alpha1::Evidence::default();
    let v1alpha1::Evidence {
        window,
        baseline,
        client_requests,
    } = check.or(at, raw, &default)?;
    let window = common::positive(check, &format!("{at}/window"), window.as_ref(), EVIDENCE_WINDOW);
    let baseline = common::positive(check, &format!("{at}/baseline"), baseline.as_ref(), EVIDENCE_BASELINE);
    let client_requests = common::percent(
        check,
        &format!("{at}/clientRequests"),
        client_requests.as_ref(),
        CLIENT_REQUESTS,
        Percent::of(1),
        Percent::of(100),
    );
    let (window, baseline) = (window?, baseline?);
    if window >= baseline {
        check.error(
            &format!("{at}/window"),
            format!("is {window}, not shorter than the baseline of {baseline}"),
            "queues grow if more waits over the window than over the longer baseline",
        );
        return None;
    }
    Some(Evidence {
        window,
        baseline,
        client_requests: client_requests?,
    })
}
