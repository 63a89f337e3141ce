//! What the answers say about one node group.
//!
//! Invariant: a group's value is the mean over the nodes that were seen: those with a usable number and a sample of the last five minutes.
//! What was not seen is counted and never filled in. Where something makes the numbers themselves doubtful (two series of one node, two
//! clusters under one label, everything at zero) the grade says so, and nothing is decided on them.
//!
//! Machines of one group are alike, so no node weighs more than another. While a rollout changes them they may not be, and then the group is
//! held anyway.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::model::{Duration, Finite, Grade, Measurement, MetricKey, NodesSeen};
use crate::policy::PrometheusRef;

use super::answer::{Reading, Vector};
use super::ask::Answers;
use super::promql::{Question, metric};
use super::{hint, number};

/// A node without a sample for this long is not seen. It is how far Prometheus itself looks back for a newest sample
/// (`--query.lookback-delta`, 5 minutes), so that a longer time could not be told apart from it.
pub(super) const SEEN_WITHIN: Duration = Duration::from_minutes(5);

/// A share can't be above 1. The clocks that CPU time is counted by differ by a percent or so between modes and CPUs, so that a little
/// more does occur, as it does below zero on idle nodes; a percentage by mistake (75 for 75 %) is far beyond. `decide` has the same bound.
const LARGEST_SHARE: f64 = 1.1;
const SMALLEST_SHARE: f64 = -0.01;

/// A window may hold a sample more than its length divided by the interval, and an exporter that was restarted a few more. What is beyond
/// that comes more often than the fleet file says, and then half of the samples would look like all of them.
pub(super) const MOST_SAMPLES: f64 = 1.1;

/// Where a group's series are.
pub(super) struct Group<'a> {
    /// The cluster label's value.
    pub(super) cluster: &'a str,
    /// The group label's value, where there is one.
    pub(super) label: Option<&'a str>,
    /// The nodes that its Machines have.
    pub(super) nodes: &'a BTreeSet<String>,
    /// The nodes that should report.
    pub(super) expected: u32,
}

/// What was found about each node of a group, by what it is worth.
#[derive(Default)]
struct Found {
    values: Vec<Finite>,
    times: Vec<Timestamp>,
    coverage: Vec<Finite>,
    /// Nodes with a value, but without a recent sample.
    old: Vec<String>,
    /// NaN.
    empty: Vec<String>,
    nonsense: Vec<String>,
    crowded: Vec<String>,
    twice: Vec<String>,
}

/// The measurement of a group.
pub(super) fn measure(
    key: MetricKey,
    group: &Group<'_>,
    source: &PrometheusRef,
    answers: &Answers,
    now: Timestamp,
) -> Measurement {
    let ask = |question: Question| match answers.get(&question) {
        Some(Ok(vector)) => Ok(vector),
        Some(Err(cause)) => Err(cause.clone()),
        None => Err("it was not asked for".to_owned()),
    };
    let signal = key.signal;
    let read = ask(Question::Value(key))
        .and_then(|values| Ok((values, ask(Question::Newest(signal))?, ask(Question::Copies(signal))?)));
    let (values, newest, copies) = match read {
        Ok(read) => read,
        Err(cause) => return Measurement::missing(cause),
    };
    if group.expected == 0 {
        return Measurement::missing("the group has no nodes");
    }
    let samples = ask(Question::Samples(key));
    let found = find(
        key,
        group,
        source,
        [values, newest, copies],
        samples.as_ref().ok().copied(),
        now,
    );
    let names = |nodes: &[String]| list(nodes);
    let what = metric(signal);
    let seen = u32::try_from(found.values.len()).unwrap_or(u32::MAX);
    let measured = |grade: Grade, cause: Option<String>| Measurement {
        value: number::mean(&found.values).filter(|_| grade != Grade::Invalid),
        grade,
        at: found.times.iter().min().copied(),
        coverage: number::mean(&found.coverage),
        nodes: Some(NodesSeen {
            seen,
            expected: group.expected,
        }),
        cause,
    };
    if !found.nonsense.is_empty() {
        let cause = format!("{signal} of {} can't be", names(&found.nonsense));
        return measured(Grade::Invalid, Some(cause));
    }
    if !found.twice.is_empty() {
        let cause = format!(
            "more than one series of {what} for {}; choose one exporter with `matchers`",
            names(&found.twice)
        );
        return measured(Grade::Suspect, Some(cause));
    }
    if !found.crowded.is_empty() {
        let interval = source.scrape_interval;
        let cause = format!(
            "more samples than `scrapeInterval: {interval}` allows, of {}; set it to the interval at which node_exporter is scraped, once per node",
            names(&found.crowded)
        );
        return measured(Grade::Invalid, Some(cause));
    }
    if seen == 0 {
        let (grade, cause) = nothing_seen(&found, key, group, source, [values, newest]);
        return measured(grade, Some(cause));
    }
    if number::all_zero(values) {
        let cause = format!(
            "{signal} is exactly zero on all {} nodes that it has",
            values.readings.len()
        );
        return measured(Grade::Suspect, Some(cause));
    }
    let unknown = samples
        .as_ref()
        .err()
        .map(|cause| format!("the samples were not counted: {cause}"));
    let vectors = [Some(values), Some(newest), Some(copies), samples.ok()];
    let warning = vectors.into_iter().flatten().find_map(|vector| vector.partial.clone());
    let unseen = (seen < group.expected).then(|| {
        let why = match (found.old.is_empty(), found.empty.is_empty()) {
            (false, _) => format!("; no sample of {} for {SEEN_WITHIN}", names(&found.old)),
            (true, false) => format!("; NaN for {}", names(&found.empty)),
            (true, true) => String::new(),
        };
        format!("{seen} of {} nodes report{why}", group.expected)
    });
    match warning.or(unknown).or(unseen) {
        Some(cause) => measured(Grade::Partial, Some(cause)),
        None => measured(Grade::Fresh, None),
    }
}

fn find(
    key: MetricKey,
    group: &Group<'_>,
    source: &PrometheusRef,
    [values, newest, copies]: [&Vector; 3],
    samples: Option<&Vector>,
    now: Timestamp,
) -> Found {
    let mut found = Found::default();
    for node in group.members(&[values, newest]) {
        let at = group.key_of(&node);
        let of = |vector: &Vector| vector.readings.get(&at).cloned();
        match of(copies) {
            Some(Reading::Number(count)) if count.get() <= 1.0 => {}
            None => {}
            Some(_) => found.twice.push(node.clone()),
        }
        let value = match of(values) {
            Some(Reading::Number(value)) if (SMALLEST_SHARE..=LARGEST_SHARE).contains(&value.get()) => {
                value.max(Finite::ZERO)
            }
            Some(Reading::Number(value)) => {
                found.nonsense.push(format!("{node} ({value})"));
                continue;
            }
            Some(Reading::Nonsense(text)) => {
                found.nonsense.push(format!("{node} ({text})"));
                continue;
            }
            Some(Reading::Nothing) => {
                found.empty.push(node);
                continue;
            }
            None => continue,
        };
        let Some(time) = of(newest)
            .and_then(|reading| number::time(&reading))
            .filter(|time| is_recent(*time, now))
        else {
            found.old.push(node);
            continue;
        };
        if let Some(samples) = samples {
            match of(samples).map(|reading| number::share_of_samples(&reading, key.window, source.scrape_interval)) {
                Some(Some(share)) if share.get() > MOST_SAMPLES => found.crowded.push(node.clone()),
                Some(Some(share)) => found.coverage.push(number::at_most_one(share)),
                Some(None) | None => found.coverage.push(Finite::ZERO),
            }
        }
        found.values.push(value);
        found.times.push(time);
    }
    found
}

/// Whether a newest sample is recent enough for its node to count as seen.
pub(super) fn is_recent(time: Timestamp, now: Timestamp) -> bool {
    now.duration_since(time) <= SignedDuration::from_secs(i64::from(SEEN_WITHIN.seconds()))
}

/// Why no node was seen.
fn nothing_seen(
    found: &Found,
    key: MetricKey,
    group: &Group<'_>,
    source: &PrometheusRef,
    [values, newest]: [&Vector; 2],
) -> (Grade, String) {
    if !found.old.is_empty() {
        let cause = format!(
            "none of its nodes has had a sample for {SEEN_WITHIN}: {}",
            list(&found.old)
        );
        return (Grade::Stale, cause);
    }
    if !found.empty.is_empty() {
        return (
            Grade::Invalid,
            format!("{} is NaN on {}", key.signal, list(&found.empty)),
        );
    }
    (Grade::Missing, hint::why_nothing(key, group, source, [values, newest]))
}

impl Group<'_> {
    /// The key of a node in an answer.
    fn key_of(&self, node: &str) -> Vec<String> {
        [Some(self.cluster), self.label, Some(node)]
            .into_iter()
            .flatten()
            .map(str::to_owned)
            .collect()
    }

    /// How many of its nodes have a newest sample.
    pub(super) fn reporting(&self, newest: &Vector) -> u32 {
        let members = self.members(&[newest]);
        let has = |node: &&String| newest.readings.contains_key(&self.key_of(node));
        u32::try_from(members.iter().filter(has).count()).unwrap_or(u32::MAX)
    }

    /// The nodes to look for: those of its Machines, or all that carry the group's label.
    fn members(&self, vectors: &[&Vector]) -> BTreeSet<String> {
        let Some(label) = self.label else {
            return self.nodes.clone();
        };
        let first = vec![self.cluster.to_owned(), label.to_owned()];
        let labelled = vectors.iter().flat_map(|vector| {
            vector
                .readings
                .range(first.clone()..)
                .take_while(|(at, _)| at.starts_with(&first))
                .filter_map(|(at, _)| at.last().cloned())
        });
        labelled.filter(|node| !node.is_empty()).collect()
    }
}

/// The first names of a list, for a sentence.
pub(super) fn list(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(3).map(String::as_str).collect();
    match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests;
