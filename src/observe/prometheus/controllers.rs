//! What the answers say about one controller.
//!
//! Its pods come and go: a window of a day often holds the series of the pod before, too, and both count for the time in which they ran. How
//! complete that is, is told by the pods that run now: so many series are expected at each moment.
//!
//! Requests are a rate over the whole window, which understates while samples are missing; queues are the sum of all samples by the number of
//! moments that were sampled. Neither can look larger than it was, and a flag is raised on large values alone. The exception is a pod that
//! two scrape jobs read: it counts twice, and the grade says so.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::model::{Finite, Grade, Measurement, MetricKey, Signal};
use crate::policy::PrometheusRef;

use super::answer::{Reading, Vector};
use super::ask::Answers;
use super::nodes::{MOST_SAMPLES, SEEN_WITHIN, is_recent, list};
use super::number;
use super::promql::{Question, metric};

/// Where a controller's series are.
pub(super) struct Controller<'a> {
    /// The cluster label's value.
    pub(super) cluster: &'a str,
    /// The namespace of its pods.
    pub(super) namespace: &'a str,
    /// The Deployment that they belong to.
    pub(super) deployment: &'a str,
    /// The pods that it should have.
    pub(super) replicas: u32,
}

/// What was found about its pods, those of earlier in the window among them.
#[derive(Default)]
struct Found {
    pods: usize,
    /// The newest samples of the pods that run now.
    running: Vec<Timestamp>,
    /// The values, added up.
    total: f64,
    /// The shares of the window's samples, added up.
    share: f64,
    nonsense: Vec<String>,
    crowded: Vec<String>,
    twice: Vec<String>,
}

/// The measurement of a controller.
pub(super) fn measure(
    key: MetricKey,
    controller: &Controller<'_>,
    source: &PrometheusRef,
    answers: &Answers,
    now: Timestamp,
) -> Measurement {
    let ask = |question: Question| match answers.get(&question) {
        Some(Ok(vector)) => Ok(vector),
        Some(Err(cause)) => Err(cause.clone()),
        None => Err("it was not asked for".to_owned()),
    };
    let read = || {
        Ok::<_, String>([
            ask(Question::Value(key))?,
            ask(Question::Newest(key.signal))?,
            ask(Question::Copies(key.signal))?,
            ask(Question::Samples(key))?,
        ])
    };
    let vectors = match read() {
        Ok(vectors) => vectors,
        Err(cause) => return Measurement::missing(cause),
    };
    let found = find(key, controller, source, vectors, now);
    let Controller {
        cluster,
        namespace,
        deployment,
        replicas,
    } = controller;
    let metric = metric(key.signal);
    if found.pods == 0 {
        let label = &source.cluster_label;
        return Measurement::missing(format!(
            "no series of {metric} with {label}={cluster:?} is about a pod of {namespace}/{deployment}: are its metrics scraped?"
        ));
    }
    let running = u32::try_from(found.running.len()).unwrap_or(u32::MAX);
    // A pod that waits for the leader's lease sends requests, but has no queues.
    let expected = match key.signal {
        Signal::QueueDepth => running.max(1),
        _ => running.max(*replicas).max(1),
    };
    let covered = found.share / f64::from(expected);
    let value = match key.signal {
        Signal::QueueDepth => {
            let moments = covered * number::seconds(key.window) / number::seconds(source.scrape_interval);
            number::rounded(found.total / moments)
        }
        _ => number::rounded(found.total),
    };
    let measured = |grade: Grade, cause: Option<String>| Measurement {
        value: value.filter(|_| grade != Grade::Invalid),
        grade,
        at: found.running.iter().min().copied(),
        coverage: number::rounded(covered).map(number::at_most_one),
        nodes: None,
        cause,
    };
    if !found.nonsense.is_empty() {
        let cause = format!("{} of {} can't be", key.signal, list(&found.nonsense));
        return measured(Grade::Invalid, Some(cause));
    }
    if !found.twice.is_empty() {
        let cause = format!(
            "more than one series says the same of {}; scrape each pod once",
            list(&found.twice)
        );
        return measured(Grade::Suspect, Some(cause));
    }
    if !found.crowded.is_empty() {
        let interval = source.scrape_interval;
        let cause = format!(
            "more samples than `scrapeInterval: {interval}` allows, of {}; set it to the interval at which the controllers are scraped",
            list(&found.crowded)
        );
        return measured(Grade::Invalid, Some(cause));
    }
    if running == 0 {
        let cause = format!("no pod of {namespace}/{deployment} has had a sample for {SEEN_WITHIN}");
        return measured(Grade::Stale, Some(cause));
    }
    if value.is_none() {
        return Measurement::missing(format!("the samples of {metric} were not counted"));
    }
    let warning = vectors.iter().find_map(|vector| vector.partial.clone());
    let unseen = (running < *replicas && key.signal == Signal::ClientRequests)
        .then(|| format!("{running} of {replicas} pods report"));
    match warning.or(unseen) {
        Some(cause) => measured(Grade::Partial, Some(cause)),
        None => measured(Grade::Fresh, None),
    }
}

fn find(
    key: MetricKey,
    controller: &Controller<'_>,
    source: &PrometheusRef,
    vectors: [&Vector; 4],
    now: Timestamp,
) -> Found {
    let [values, newest, copies, samples] = vectors;
    let mut found = Found::default();
    let pods: BTreeSet<&Vec<String>> = vectors.into_iter().flat_map(|vector| controller.pods(vector)).collect();
    for at in pods {
        found.pods += 1;
        let pod = at.last().map(String::as_str).unwrap_or_default();
        let time = newest.readings.get(at).and_then(number::time);
        found.running.extend(time.filter(|time| is_recent(*time, now)));
        if let Some(reading) = copies.readings.get(at)
            && !matches!(reading, Reading::Number(count) if count.get() <= 1.0)
        {
            found.twice.push(pod.to_owned());
        }
        match values.readings.get(at) {
            Some(Reading::Number(value)) if *value >= Finite::ZERO => found.total += value.get(),
            Some(Reading::Number(value)) => found.nonsense.push(format!("{pod} ({value})")),
            Some(Reading::Nothing) => found.nonsense.push(format!("{pod} (NaN)")),
            Some(Reading::Nonsense(text)) => found.nonsense.push(format!("{pod} ({text})")),
            None => {}
        }
        let share = samples
            .readings
            .get(at)
            .and_then(|count| number::share_of_samples(count, key.window, source.scrape_interval));
        match share {
            Some(share) if share.get() > MOST_SAMPLES => found.crowded.push(pod.to_owned()),
            Some(share) => found.share += share.get(),
            None => {}
        }
    }
    found
}

impl<'a> Controller<'a> {
    /// Its pods in an answer.
    fn pods<'v>(&self, vector: &'v Vector) -> impl Iterator<Item = &'v Vec<String>> + use<'a, 'v> {
        let first = vec![self.cluster.to_owned(), self.namespace.to_owned()];
        let deployment = self.deployment;
        vector
            .readings
            .range(first.clone()..)
            .take_while(move |(at, _)| at.starts_with(&first))
            .map(|(at, _)| at)
            .filter(move |at| at.last().is_some_and(|pod| is_pod_of(deployment, pod)))
    }
}

/// Whether a pod is called as a Deployment's pods are: its name, the hash of the template, and five characters.
///
/// Its name and a dash are not enough: `kamaji-etcd-0` is no pod of `kamaji`.
fn is_pod_of(deployment: &str, pod: &str) -> bool {
    let rest = pod.strip_prefix(deployment).and_then(|rest| rest.strip_prefix('-'));
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    rest.and_then(|rest| rest.split_once('-'))
        .is_some_and(|(hash, end)| (1..=10).contains(&hash.len()) && plain(hash) && end.len() == 5 && plain(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::prometheus::testing::{NOW, at, source, vector};

    const KEY: &str = "queue-depth/1h";
    const OLD: &str = "eu-1,capi-system,capi-controller-manager-6d5f7-aaaaa";
    const NEW: &str = "eu-1,capi-system,capi-controller-manager-6d5f7-bbbbb";

    fn measured(key: &str, parts: [&[(&str, f64)]; 4]) -> Measurement {
        let key: MetricKey = key.parse().unwrap();
        let [values, newest, copies, samples] = parts.map(vector);
        let answers: Answers = [
            (Question::Value(key), Ok(values)),
            (Question::Newest(key.signal), Ok(newest)),
            (Question::Copies(key.signal), Ok(copies)),
            (Question::Samples(key), Ok(samples)),
        ]
        .into();
        let controller = Controller {
            cluster: "eu-1",
            namespace: "capi-system",
            deployment: "capi-controller-manager",
            replicas: 1,
        };
        measure(key, &controller, &source(), &answers, at(NOW))
    }

    fn summary(measurement: &Measurement) -> (Grade, Option<f64>, Option<f64>) {
        let Measurement {
            value, grade, coverage, ..
        } = measurement;
        (*grade, value.map(Finite::get), coverage.map(Finite::get))
    }

    const RECENT: f64 = 1_791_277_170.0;

    #[test]
    fn the_pod_of_before_counts_for_the_time_in_which_it_ran() {
        // 40 minutes with 10 items in its queues, then 20 minutes with 40.
        let seen = measured(
            KEY,
            [
                &[(OLD, 400.0), (NEW, 800.0)],
                &[(NEW, RECENT)],
                &[(NEW, 1.0)],
                &[(OLD, 40.0), (NEW, 20.0)],
            ],
        );
        assert_eq!(summary(&seen), (Grade::Fresh, Some(20.0), Some(1.0)));
        let seen = measured(
            "client-requests/1h",
            [
                &[(OLD, 12.0), (NEW, 6.0)],
                &[(NEW, RECENT)],
                &[(NEW, 1.0)],
                &[(OLD, 40.0), (NEW, 20.0)],
            ],
        );
        assert_eq!(summary(&seen), (Grade::Fresh, Some(18.0), Some(1.0)));
    }

    #[test]
    fn two_pods_with_half_of_the_samples_each_cover_half_of_the_window() {
        let seen = measured(
            "client-requests/1h",
            [
                &[(OLD, 12.0), (NEW, 6.0)],
                &[(OLD, RECENT), (NEW, RECENT)],
                &[],
                &[(OLD, 30.0), (NEW, 30.0)],
            ],
        );
        assert_eq!(summary(&seen), (Grade::Fresh, Some(18.0), Some(0.5)));
    }

    #[test]
    fn what_can_not_be_is_graded_with_its_cause() {
        let healthy: [&[(&str, f64)]; 4] = [&[(NEW, 60.0)], &[(NEW, RECENT)], &[(NEW, 1.0)], &[(NEW, 60.0)]];
        let with = |at: usize, part: &'static [(&'static str, f64)]| {
            let mut parts = healthy;
            parts[at] = part;
            measured(KEY, parts)
        };
        assert_eq!(summary(&measured(KEY, healthy)), (Grade::Fresh, Some(1.0), Some(1.0)));
        for (seen, grade, cause) in [
            (with(0, &[(NEW, -1.0)]), Grade::Invalid, "(-1) can't be"),
            (with(0, &[(NEW, f64::NAN)]), Grade::Invalid, "(NaN) can't be"),
            (with(1, &[(NEW, RECENT - 600.0)]), Grade::Stale, "for 5m"),
            (
                with(1, &[]),
                Grade::Stale,
                "no pod of capi-system/capi-controller-manager",
            ),
            (with(2, &[(NEW, 2.0)]), Grade::Suspect, "scrape each pod once"),
            (with(3, &[(NEW, 120.0)]), Grade::Invalid, "scrapeInterval: 1m"),
            (with(3, &[]), Grade::Missing, "were not counted"),
            (measured(KEY, [&[]; 4]), Grade::Missing, "are its metrics scraped?"),
        ] {
            assert_eq!(seen.grade, grade, "{cause}");
            assert!(seen.cause.as_deref().unwrap().contains(cause), "{seen:?}");
        }
    }

    #[test]
    fn a_pod_is_known_by_the_name_of_its_deployment() {
        for (pod, own) in [
            ("kamaji-6d5f7c9b8-x2x4z", true),
            ("kamaji-0", false),
            ("kamaji-etcd-0", false),
            ("kamaji-etcd-6d5f7c9b8-x2x4z", false),
            ("kamajix-6d5f7c9b8-x2x4z", false),
            ("kamaji", false),
            ("", false),
        ] {
            assert_eq!(is_pod_of("kamaji", pod), own, "{pod}");
        }
    }
}
