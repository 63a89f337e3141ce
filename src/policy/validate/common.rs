//! What several kinds have in common.

use json_patch::jsonptr::PointerBuf;

use super::check::Check;
use super::suggest;
use crate::model::Duration;
use crate::policy::set::{ChartKey, Cooldown, Step, WriteTo, WriteToObject};
use crate::policy::v1alpha1::{self, DurationText, PatternText, PercentText};
use crate::policy::{InGap, OnSharedBase, PathTemplate, Pattern, Percent, Selector, Template, Variable, Window};

/// Whose selector it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Selects {
    NodeGroups,
    Components,
}

pub(super) fn selector(check: &mut Check<'_>, raw: Option<&v1alpha1::Selector>, selects: Selects) -> Option<Selector> {
    let at = "/spec/selector";
    let default = v1alpha1::Selector::default();
    let raw = check.or(at, raw, &default)?;
    let v1alpha1::Selector {
        regions,
        management_clusters,
        namespaces,
        clusters,
        node_groups,
    } = raw;
    if selects == Selects::Components {
        for (name, list) in [
            ("namespaces", namespaces),
            ("clusters", clusters),
            ("nodeGroups", node_groups),
        ] {
            if list.is_some() {
                check.error_at_key(
                    &format!("{at}/{name}"),
                    "means nothing here: the component belongs to a management cluster",
                    "select by regions and managementClusters",
                );
            }
        }
    }
    let (mut known_regions, mut known_clusters) = (None, None);
    if let Some(fleet) = check.fleet() {
        let regions = fleet.regions.iter().map(|region| region.name.as_str()).collect();
        let clusters = fleet
            .management_clusters()
            .map(|(_, cluster)| cluster.name.as_str())
            .collect();
        known_regions = Some(Known {
            what: "region",
            names: regions,
        });
        known_clusters = Some(Known {
            what: "management cluster",
            names: clusters,
        });
    }
    let mut list = |name: &str, texts: &Option<Vec<PatternText>>, known: Option<Known<'_>>| {
        patterns(check, &format!("{at}/{name}"), texts.as_deref(), known.as_ref())
    };
    // Every list is read before the first that failed ends it.
    let regions = list("regions", regions, known_regions);
    let management_clusters = list("managementClusters", management_clusters, known_clusters);
    let namespaces = list("namespaces", namespaces, None);
    let clusters = list("clusters", clusters, None);
    let node_groups = list("nodeGroups", node_groups, None);
    let selector = Selector {
        regions: regions?,
        management_clusters: management_clusters?,
        namespaces: namespaces?,
        clusters: clusters?,
        node_groups: node_groups?,
    };
    if selector.is_empty() {
        check.warning(
            at,
            "the selector is empty, so this policy selects nothing",
            "to select everything write `regions: [\"*\"]`",
        );
    }
    Some(selector)
}

/// The names that a list may hold.
struct Known<'a> {
    what: &'static str,
    names: Vec<&'a str>,
}

/// A list of a selector. Names without a star must be known; a pattern that matches nothing yet may be waiting for its region.
#[expect(clippy::option_option, reason = "wrong and absent lead to different ends")]
fn patterns(
    check: &mut Check<'_>,
    at: &str,
    texts: Option<&[PatternText]>,
    known: Option<&Known<'_>>,
) -> Option<Option<Vec<Pattern>>> {
    let Some(texts) = check.or(at, texts.map(Some), None)? else {
        return Some(None);
    };
    let mut read = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let at = format!("{at}/{index}");
        let pattern: Option<Pattern> = check.parse(&at, text.as_ref());
        if let (Some(pattern), Some(Known { what, names })) = (&pattern, known)
            && !names.iter().any(|name| pattern.matches(name))
        {
            let hint = suggest::among(&pattern.to_string(), names.iter().copied());
            match pattern.literal() {
                Some(name) => check.error(&at, format!("the fleet file has no {what} `{name}`"), hint),
                None => check.warning(
                    &at,
                    format!("the pattern `{pattern}` matches no {what} of the fleet file"),
                    hint,
                ),
            }
        }
        read.push(pattern);
    }
    read.into_iter().collect::<Option<Vec<Pattern>>>().map(Some)
}

/// A percentage within bounds.
pub(super) fn percent(
    check: &mut Check<'_>,
    at: &str,
    raw: Option<&PercentText>,
    default: Percent,
    least: Percent,
    most: Percent,
) -> Option<Percent> {
    let percent = check.defaulted(at, raw, default)?;
    if percent < least || percent > most {
        check.error(at, format!("must be from {least} to {most}, found {percent}"), "");
        return None;
    }
    Some(percent)
}

/// A duration above zero.
pub(super) fn positive(
    check: &mut Check<'_>,
    at: &str,
    raw: Option<&DurationText>,
    default: Duration,
) -> Option<Duration> {
    let duration = check.defaulted(at, raw, default)?;
    if duration == Duration::ZERO {
        check.error(at, "must be longer than 0s", "");
        return None;
    }
    Some(duration)
}

/// Prometheus gives a series up after 5 minutes (`--query.lookback-delta`); twice that forgives one missed round of a remote write.
const MAX_AGE: Duration = Duration::from_minutes(10);

/// Data older than the shortest window of the defaults describes another time than the one that is decided on.
const LONGEST_SENSIBLE_AGE: Duration = Duration::from_hours(1);

pub(super) fn max_age(check: &mut Check<'_>, raw: Option<&DurationText>) -> Option<Duration> {
    let at = "/spec/maxAge";
    let age = positive(check, at, raw, MAX_AGE)?;
    if age > LONGEST_SENSIBLE_AGE {
        check.warning(
            at,
            format!("measurements up to {age} old count as fresh: they describe another time than the one that is decided on"),
            "keep it well below the shortest window, which is 1h by default",
        );
    }
    Some(age)
}

/// The defaults are the windows of the urgent and the sustained signal: until then an average still contains the time before the change.
const COOLDOWN: Cooldown = Cooldown {
    up: Duration::from_hours(1),
    down: Duration::from_hours(24),
};

pub(super) fn cooldown(check: &mut Check<'_>, raw: Option<&v1alpha1::Cooldown>) -> Option<Cooldown> {
    let at = "/spec/cooldown";
    let default = v1alpha1::Cooldown::default();
    let v1alpha1::Cooldown { up, down } = check.or(at, raw, &default)?;
    let up = check.defaulted(&format!("{at}/up"), up.as_ref(), COOLDOWN.up);
    let down = check.defaulted(&format!("{at}/down"), down.as_ref(), COOLDOWN.down);
    Some(Cooldown { up: up?, down: down? })
}

pub(super) fn step(check: &mut Check<'_>, at: &str, raw: Option<&v1alpha1::Step>, default: Step) -> Option<Step> {
    let Some(v1alpha1::Step { nodes, percent: share }) = check.or(at, raw.map(Some), None)? else {
        return Some(default);
    };
    let at_share = format!("{at}/percent");
    let share = match share {
        None if check.is_broken(&at_share) => return None,
        None => None,
        Some(share) => Some(percent(
            check,
            &at_share,
            Some(share),
            Percent::of(100),
            Percent::of(1),
            Percent::of(1000),
        )?),
    };
    if nodes.is_none() && check.is_broken(&format!("{at}/nodes")) {
        return None;
    }
    if nodes.is_none() && share.is_none() {
        check.error(at, "a step without a size", "give `nodes`, `percent` or both");
        return None;
    }
    Some(Step {
        nodes: *nodes,
        percent: share,
    })
}

/// What a window consists of, wherever its fields stand.
pub(super) struct RawWindow<'a> {
    pub(super) schedule: Option<&'a v1alpha1::ScheduleText>,
    pub(super) time_zone: Option<&'a v1alpha1::ZoneText>,
    pub(super) duration: Option<&'a DurationText>,
    pub(super) week: Option<u8>,
    pub(super) in_gap: InGap,
}

pub(super) fn window(check: &mut Check<'_>, at: &str, raw: &RawWindow<'_>) -> Option<Window> {
    use crate::policy::InvalidSchedule as Wrong;
    let RawWindow {
        schedule,
        time_zone,
        duration,
        week,
        in_gap,
    } = raw;
    let at_duration = format!("{at}/duration");
    let length: Option<Duration> = check.required(&at_duration, *duration);
    let schedule = (*schedule)?.as_ref();
    if time_zone.is_none() && check.is_broken(&format!("{at}/timeZone")) {
        return None;
    }
    // Without its length the rest is checked all the same.
    let stand_in = length.unwrap_or(Duration::from_hours(1));
    match Window::parse(schedule, time_zone.map(AsRef::as_ref), stand_in, *week, *in_gap) {
        Ok(window) => length.map(|_| window),
        Err(error) => {
            let field = match &error {
                Wrong::Zone { .. } => "timeZone",
                Wrong::Week { .. } => "week",
                Wrong::NoDuration => "duration",
                Wrong::FieldCount { .. }
                | Wrong::Descriptor { .. }
                | Wrong::ZoneInside { .. }
                | Wrong::Field { .. }
                | Wrong::Never { .. } => "schedule",
            };
            check.error(&format!("{at}/{field}"), error.to_string(), "");
            None
        }
    }
}

/// Windows in which downs are allowed.
pub(super) fn down_windows(check: &mut Check<'_>, at: &str, raw: Option<&[v1alpha1::Window]>) -> Option<Vec<Window>> {
    let raw = check.or(at, raw, &[])?;
    let read: Vec<_> = raw
        .iter()
        .enumerate()
        .map(|(index, raw)| {
            let v1alpha1::Window {
                schedule,
                time_zone,
                duration,
                week,
            } = raw;
            let raw = RawWindow {
                schedule: schedule.as_ref(),
                time_zone: time_zone.as_ref(),
                duration: duration.as_ref(),
                week: *week,
                in_gap: InGap::Skip,
            };
            window(check, &format!("{at}/{index}"), &raw)
        })
        .collect();
    read.into_iter().collect()
}

/// What becomes of a number that several overlays share.
pub(super) fn on_shared_base(check: &mut Check<'_>, raw: Option<OnSharedBase>, has_place: bool) -> OnSharedBase {
    if raw == Some(OnSharedBase::Patch) && has_place {
        check.error_at_key(
            "/spec/onSharedBase",
            "means nothing beside `writeTo`, which names the place",
            "remove one of the two",
        );
    }
    raw.unwrap_or_default()
}

/// The outer nothing means that it is wrong; the inner one that it is absent.
#[expect(clippy::option_option, reason = "wrong and absent lead to different ends")]
pub(super) fn chart(
    check: &mut Check<'_>,
    raw: Option<&v1alpha1::ChartKey>,
    has_place: bool,
) -> Option<Option<ChartKey>> {
    let at = "/spec/chart";
    let Some(raw) = check.or(at, raw.map(Some), None)? else {
        return Some(None);
    };
    if has_place {
        check.error_at_key(
            at,
            "means nothing beside `writeTo`, which names the place",
            "remove one of the two",
        );
    }
    let v1alpha1::ChartKey { name, key } = raw;
    let name: Option<crate::model::ComponentName> = check.required(&format!("{at}/name"), name.as_ref());
    let at_key = format!("{at}/key");
    let key = match key {
        Some(text) => {
            let parsed = PointerBuf::parse(text.as_ref())
                .map_err(|_| format!("{:?} is no JSON pointer: write `/kamaji/replicas`", text.as_ref()));
            check.accept(&at_key, parsed).map(Some)
        }
        None if check.is_broken(&at_key) => None,
        None => Some(None),
    };
    Some(Some(ChartKey {
        name: name?.into(),
        key: key?,
    }))
}

/// The outer nothing means that it is wrong; the inner one that it is absent.
#[expect(clippy::option_option, reason = "wrong and absent lead to different ends")]
pub(super) fn write_to(
    check: &mut Check<'_>,
    raw: Option<&v1alpha1::WriteTo>,
    known: &[Variable],
    takes_container: bool,
) -> Option<Option<WriteTo>> {
    let at = "/spec/writeTo";
    let Some(raw) = check.or(at, raw.map(Some), None)? else {
        return Some(None);
    };
    let v1alpha1::WriteTo {
        path,
        object,
        pointer,
        container,
    } = raw;
    let path = path
        .as_ref()
        .and_then(|text| check.accept(&format!("{at}/path"), PathTemplate::parse(text.as_ref(), known)));
    let object = match object {
        Some(object) => {
            let v1alpha1::WriteToObject { kind, name, namespace } = object;
            let mut template = |field: &str, text: &Option<v1alpha1::TemplateText>| match text {
                Some(text) => check
                    .accept(&format!("{at}/object/{field}"), Template::parse(text.as_ref(), known))
                    .map(Some),
                None => Some(None),
            };
            let (name, namespace) = (template("name", name), template("namespace", namespace));
            if kind.as_deref() == Some("") {
                check.error(&format!("{at}/object/kind"), "must not be empty", "");
            }
            kind.clone()
                .and_then(|kind| {
                    Some(WriteToObject {
                        kind,
                        name: name?,
                        namespace: namespace?,
                    })
                })
                .map(Some)
        }
        None if check.is_broken(&format!("{at}/object")) => None,
        None => Some(None),
    };
    let at_pointer = format!("{at}/pointer");
    let pointer = match pointer {
        Some(text) => {
            let parsed = check.accept(
                &at_pointer,
                PointerBuf::parse(text.as_ref())
                    .map_err(|_| format!("{:?} is no JSON pointer: write `/spec/replicas`", text.as_ref()))
                    .and_then(|pointer| match text.as_ref().contains(['{', '}']) {
                        true => Err(format!(
                            "{:?} is taken as it stands: placeholders are filled in in `path` and `object` only",
                            text.as_ref()
                        )),
                        false => Ok(pointer),
                    }),
            );
            parsed.map(Some)
        }
        None if check.is_broken(&at_pointer) => None,
        None => Some(None),
    };
    let at_container = format!("{at}/container");
    if container.is_some() && !takes_container {
        check.error_at_key(
            &at_container,
            "means nothing here: only flags stand in a container's args",
            "remove it",
        );
    }
    if matches!((&object, &pointer), (Some(None), Some(None))) && !takes_container {
        check.error(
            at,
            "says which file, but not what in it",
            "name the `object`, or the `pointer` in a file that is no Kubernetes object",
        );
    }
    let container = check.optional::<crate::model::ComponentName>(&at_container, container.as_ref());
    Some(Some(WriteTo {
        path: path?,
        object: object?,
        pointer: pointer?,
        container: container?.map(String::from),
    }))
}

/// Warns where several targets would be written to the same place.
pub(super) fn warn_of_shared_place(check: &mut Check<'_>, write_to: &WriteTo, selector: &Selector, selects: Selects) {
    let mut variables = write_to.path.variables();
    for template in write_to
        .object
        .iter()
        .flat_map(|object| [&object.name, &object.namespace])
        .flatten()
    {
        variables.extend(template.variables());
    }
    let one = |patterns: &Option<Vec<Pattern>>| matches!(patterns.as_deref(), Some([only]) if only.literal().is_some());
    let (variable, literal, what) = match selects {
        Selects::NodeGroups => (Variable::Cluster, one(&selector.clusters), "workload cluster"),
        Selects::Components => (
            Variable::ManagementCluster,
            one(&selector.management_clusters),
            "management cluster",
        ),
    };
    if !literal && !selector.is_empty() && !variables.contains(&variable) {
        check.warning(
            "/spec/writeTo",
            format!("every {what} that the policy selects is written to the same place"),
            format!(
                "put `{{{}}}` into the path, or select a single {what}",
                variable.as_str()
            ),
        );
    }
}
