//! Judges what a measurement is worth at the time of the decision.
//!
//! A scale-down needs values that are fresh and complete. A scale-up may also stand on a partial value, but only on its lower bound: nodes
//! that did not report count as idle, and so does the time for which there are no samples. Nothing here ever turns a missing value into a
//! number.

use jiff::Timestamp;

use crate::model::{Duration, Evidence, Finite, Grade, Measurement, MetricKey, NodesSeen};

/// What a measurement has to meet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    /// The time of the decision.
    pub(super) now: Timestamp,
    /// The oldest that a newest sample may be.
    pub(super) max_age: Duration,
    /// The smallest share of a window's samples that counts as complete.
    pub(super) min_coverage: Finite,
    /// The group's Ready nodes; 0 where a measurement is not about nodes.
    pub(super) ready: u32,
    /// The nodes that it is meant to have; 0 likewise.
    pub(super) size: u32,
}

/// What a measurement is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Worth {
    /// Fresh and complete: good for either direction.
    Fresh(Evidence),
    /// Incomplete: its value is a lower bound, good for an up only.
    AtLeast(Evidence, String),
    /// Good for nothing.
    Nothing(Grade, String),
}

impl Worth {
    /// The evidence that may carry an up.
    pub(super) fn for_up(&self) -> Option<&Evidence> {
        match self {
            Self::Fresh(evidence) | Self::AtLeast(evidence, _) => Some(evidence),
            Self::Nothing(..) => None,
        }
    }

    /// The evidence that may carry a down.
    pub(super) fn for_down(&self) -> Option<&Evidence> {
        match self {
            Self::Fresh(evidence) => Some(evidence),
            Self::AtLeast(..) | Self::Nothing(..) => None,
        }
    }

    /// What is wrong with it, where something is.
    pub(super) fn flaw(&self) -> Option<(Grade, &str)> {
        match self {
            Self::Fresh(_) => None,
            Self::AtLeast(_, cause) => Some((Grade::Partial, cause)),
            Self::Nothing(grade, cause) => Some((*grade, cause)),
        }
    }
}

/// How far a clock may be ahead of ours before its samples are from the future. Prometheus and the agent run on hosts with NTP; half a
/// minute is far outside of what NTP allows and far inside of what a decision over an hour notices.
pub(super) const CLOCK_SKEW: Duration = Duration::from_seconds(30);

/// A share of a whole can't be above 1. Rates are extrapolated, so that a few percent more do occur; a percentage by mistake (75 for 75 %)
/// is far beyond.
const LARGEST_SHARE: f64 = 1.1;

/// Judges one measurement of nodes or of a controller over a window.
pub(super) fn judge(key: MetricKey, measurement: Option<&Measurement>, terms: &Terms) -> Worth {
    let nothing = |grade: Grade, cause: &str| Worth::Nothing(grade, cause.to_owned());
    let Some(measurement) = measurement else {
        return nothing(Grade::Missing, "not in the snapshot");
    };
    let value = match judge_value(measurement, terms) {
        Ok(value) => value,
        Err((grade, cause)) => return Worth::Nothing(grade, cause),
    };
    if key.signal.is_share() && value.get() > LARGEST_SHARE {
        return nothing(Grade::Invalid, "a share above 1: a percentage by mistake?");
    }
    let Some(coverage) = measurement.coverage else {
        return nothing(Grade::Partial, "the share of samples behind it is not known");
    };
    let nodes = match key
        .signal
        .is_share()
        .then(|| judge_nodes(measurement, value, terms))
        .transpose()
    {
        Ok(nodes) => nodes,
        Err((grade, cause)) => return nothing(grade, cause),
    };
    let evidence = |value, grade| Evidence {
        metric: key,
        value,
        grade,
        at: measurement.at,
    };
    let share_of_nodes = nodes.map_or(1.0, |NodesSeen { seen, expected }| {
        f64::from(seen) / f64::from(expected)
    });
    let cause = if let Some(NodesSeen { seen, expected }) = nodes.filter(|nodes| nodes.seen < nodes.expected) {
        format!("{seen} of {expected} nodes report")
    } else if coverage < terms.min_coverage {
        format!("{:.0} % of the samples are there", coverage.get() * 100.0)
    } else if measurement.grade == Grade::Partial {
        measurement
            .cause
            .clone()
            .unwrap_or_else(|| "the source says that it is partial".to_owned())
    } else {
        return Worth::Fresh(evidence(value, Grade::Fresh));
    };
    // Nodes that were not seen and time without samples count as idle.
    match Finite::try_from(value.get() * coverage.get() * share_of_nodes) {
        Ok(bound) => Worth::AtLeast(evidence(bound, Grade::Partial), cause),
        Err(_) => nothing(Grade::Invalid, "its lower bound is not finite"),
    }
}

/// Judges the nodes behind a share: all that are Ready should report, whether whoever measured knew of them or not.
fn judge_nodes(measurement: &Measurement, value: Finite, terms: &Terms) -> Result<NodesSeen, (Grade, &'static str)> {
    let NodesSeen { seen, expected } = measurement
        .nodes
        .ok_or((Grade::Partial, "the number of nodes behind it is not known"))?;
    if seen > expected {
        return Err((Grade::Suspect, "more nodes report than are Ready"));
    }
    if seen == 0 {
        return Err((Grade::Missing, "no node reports"));
    }
    // A rollout may double a group. What is beyond that are other groups' nodes, and their load is none of its.
    if expected > terms.ready.max(terms.size).saturating_mul(2) {
        return Err((
            Grade::Suspect,
            "it was measured on more than twice the nodes of the group",
        ));
    }
    // A kubelet alone uses something. A zero is what an outage of the monitoring looks like after `or vector(0)`.
    if value == Finite::ZERO {
        return Err((Grade::Suspect, "nodes that run can't use nothing"));
    }
    Ok(NodesSeen {
        seen,
        expected: expected.max(terms.ready),
    })
}

/// Judges a count at an instant: tenants.
///
/// A partial count is a lower bound as it is.
pub(super) fn judge_count(measurement: &Measurement, terms: &Terms) -> Result<(u32, Grade), (Grade, String)> {
    let value = judge_value(measurement, terms)?;
    let count = whole(value).ok_or_else(|| (Grade::Invalid, "a count that is no whole number".to_owned()))?;
    let complete = measurement.coverage.is_none_or(|share| share.get() >= 1.0);
    let grade = if measurement.grade == Grade::Fresh && complete {
        Grade::Fresh
    } else {
        Grade::Partial
    };
    Ok((count, grade))
}

fn judge_value(measurement: &Measurement, terms: &Terms) -> Result<Finite, (Grade, String)> {
    let Measurement {
        value,
        grade,
        at,
        coverage: _,
        nodes: _,
        cause,
    } = measurement;
    if !matches!(grade, Grade::Fresh | Grade::Partial) {
        return Err((*grade, cause.clone().unwrap_or_else(|| "no cause given".to_owned())));
    }
    let value = value.ok_or_else(|| (Grade::Missing, "no value".to_owned()))?;
    let at = at.ok_or_else(|| (Grade::Stale, "the time of its newest sample is not known".to_owned()))?;
    if at > CLOCK_SKEW.after(terms.now) {
        return Err((Grade::Invalid, format!("its newest sample is from the future ({at})")));
    }
    if terms.max_age.after(at) < terms.now {
        return Err((
            Grade::Stale,
            format!("its newest sample is from {at}, older than {}", terms.max_age),
        ));
    }
    Ok(value)
}

/// The whole number that a value is, if it is one. There is no `as` from floats in this room: it turns NaN into 0.
pub(super) fn whole(value: Finite) -> Option<u32> {
    // A finite float with no fraction prints as a plain integer.
    value.get().to_string().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Signal;

    fn terms() -> Terms {
        Terms {
            now: "2026-10-06T09:00:00Z".parse().unwrap(),
            max_age: Duration::from_minutes(10),
            min_coverage: Finite::try_from(0.95).unwrap(),
            ready: 4,
            size: 4,
        }
    }

    fn healthy() -> Measurement {
        Measurement {
            value: Finite::try_from(0.8).ok(),
            grade: Grade::Fresh,
            at: Some("2026-10-06T08:59:30Z".parse().unwrap()),
            coverage: Finite::try_from(1.0).ok(),
            nodes: Some(NodesSeen { seen: 4, expected: 4 }),
            cause: None,
        }
    }

    const KEY: MetricKey = MetricKey {
        signal: Signal::Cpu,
        window: Duration::from_hours(1),
    };

    fn grade_of(change: impl FnOnce(&mut Measurement)) -> (Option<Grade>, Option<f64>, Option<f64>) {
        let mut measurement = healthy();
        change(&mut measurement);
        let worth = judge(KEY, Some(&measurement), &terms());
        (
            worth.flaw().map(|(grade, _)| grade),
            worth.for_up().map(|e| e.value.get()),
            worth.for_down().map(|e| e.value.get()),
        )
    }

    #[test]
    fn only_a_fresh_and_complete_value_is_good_for_a_down() {
        assert_eq!(grade_of(|_| ()), (None, Some(0.8), Some(0.8)));
        assert_eq!(
            grade_of(|m| m.at = Some("2026-10-06T08:49:59Z".parse().unwrap())),
            (Some(Grade::Stale), None, None)
        );
        assert_eq!(
            grade_of(|m| m.at = Some("2026-10-06T08:50:00Z".parse().unwrap())),
            (None, Some(0.8), Some(0.8))
        );
        assert_eq!(grade_of(|m| m.at = None), (Some(Grade::Stale), None, None));
        assert_eq!(
            grade_of(|m| m.at = Some("2026-10-06T09:00:31Z".parse().unwrap())),
            (Some(Grade::Invalid), None, None)
        );
        assert_eq!(grade_of(|m| m.value = None), (Some(Grade::Missing), None, None));
        assert_eq!(
            grade_of(|m| m.value = Finite::try_from(80.0).ok()),
            (Some(Grade::Invalid), None, None)
        );
        assert_eq!(
            grade_of(|m| m.grade = Grade::Suspect),
            (Some(Grade::Suspect), None, None)
        );
        assert_eq!(grade_of(|m| m.coverage = None), (Some(Grade::Partial), None, None));
        assert_eq!(grade_of(|m| m.nodes = None), (Some(Grade::Partial), None, None));
        assert_eq!(
            grade_of(|m| m.nodes = Some(NodesSeen { seen: 0, expected: 0 })),
            (Some(Grade::Missing), None, None)
        );
        assert_eq!(
            grade_of(|m| m.nodes = Some(NodesSeen { seen: 5, expected: 4 })),
            (Some(Grade::Suspect), None, None)
        );
        assert_eq!(
            grade_of(|m| m.nodes = Some(NodesSeen { seen: 8, expected: 8 })),
            (None, Some(0.8), Some(0.8))
        );
        assert_eq!(
            grade_of(|m| m.nodes = Some(NodesSeen { seen: 9, expected: 9 })),
            (Some(Grade::Suspect), None, None)
        );
        assert_eq!(
            grade_of(|m| m.value = Some(Finite::ZERO)),
            (Some(Grade::Suspect), None, None)
        );
    }

    #[test]
    fn a_partial_value_is_a_lower_bound_with_unseen_nodes_idle() {
        assert_eq!(
            grade_of(|m| m.nodes = Some(NodesSeen { seen: 2, expected: 4 })),
            (Some(Grade::Partial), Some(0.4), None)
        );
        assert_eq!(
            grade_of(|m| m.coverage = Finite::try_from(0.5).ok()),
            (Some(Grade::Partial), Some(0.4), None)
        );
        assert_eq!(
            grade_of(|m| m.grade = Grade::Partial),
            (Some(Grade::Partial), Some(0.8), None)
        );
        // Whoever measured knew of two nodes, the API server knows of four that are Ready.
        assert_eq!(
            grade_of(|m| m.nodes = Some(NodesSeen { seen: 2, expected: 2 })),
            (Some(Grade::Partial), Some(0.4), None)
        );
    }

    #[test]
    fn a_whole_number_is_read_without_a_cast() {
        for (value, want) in [
            (0.0, Some(0)),
            (41.0, Some(41)),
            (41.5, None),
            (4e9, Some(4_000_000_000)),
            (5e9, None),
            (1e300, None),
        ] {
            assert_eq!(whole(Finite::try_from(value).unwrap()), want, "{value}");
        }
    }
}
