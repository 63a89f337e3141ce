use super::*;
use crate::observe::prometheus::testing::{NOW, at, source, vector};
use crate::policy::{Template, Variable};

const KEY: &str = "cpu/1h";
/// Half a minute ago.
const RECENT: f64 = 1_791_277_170.0;
const A: &str = "blue,a";
const B: &str = "blue,b";

/// The answers about two nodes; each test changes one of them.
struct Answered {
    values: Vec<(&'static str, f64)>,
    newest: Vec<(&'static str, f64)>,
    copies: Vec<(&'static str, f64)>,
    samples: Vec<(&'static str, f64)>,
}

impl Answered {
    fn healthy() -> Self {
        Self {
            values: vec![(A, 0.8), (B, 0.6), ("green,a", 0.1)],
            newest: vec![(A, RECENT), (B, RECENT - 15.0), ("green,a", RECENT)],
            copies: vec![(A, 1.0), (B, 1.0), ("green,a", 1.0)],
            samples: vec![(A, 60.0), (B, 57.0), ("green,a", 60.0)],
        }
    }

    fn answers(&self) -> Answers {
        let key: MetricKey = KEY.parse().unwrap();
        [
            (Question::Value(key), Ok(vector(&self.values))),
            (Question::Newest(key.signal), Ok(vector(&self.newest))),
            (Question::Copies(key.signal), Ok(vector(&self.copies))),
            (Question::Samples(key), Ok(vector(&self.samples))),
        ]
        .into()
    }
}

fn group_of(nodes: &[&str], expected: u32, answers: &Answers, source: &PrometheusRef) -> Measurement {
    let nodes: BTreeSet<String> = nodes.iter().map(|node| (*node).to_owned()).collect();
    let group = Group {
        cluster: "blue",
        label: source.node_group.as_ref().map(|_| "md-0"),
        nodes: &nodes,
        expected,
    };
    measure(KEY.parse().unwrap(), &group, source, answers, at(NOW))
}

fn after(change: impl FnOnce(&mut Answered)) -> Measurement {
    let mut answered = Answered::healthy();
    change(&mut answered);
    group_of(&["a", "b"], 2, &answered.answers(), &source())
}

type Summary = (Grade, Option<f64>, Option<f64>, Option<(u32, u32)>);

fn summary(measurement: &Measurement) -> Summary {
    (
        measurement.grade,
        measurement.value.map(Finite::get),
        measurement.coverage.map(Finite::get),
        measurement.nodes.map(|nodes| (nodes.seen, nodes.expected)),
    )
}

#[test]
fn a_group_is_the_mean_of_its_own_nodes_and_as_old_as_the_oldest() {
    let healthy = after(|_| ());
    assert_eq!(summary(&healthy), (Grade::Fresh, Some(0.7), Some(0.975), Some((2, 2))));
    assert_eq!(healthy.at.unwrap().to_string(), "2026-10-06T08:59:15Z");
    assert_eq!(healthy.cause, None);
}

#[test]
fn a_node_without_a_value_or_a_recent_sample_is_not_seen() {
    let partial = (Grade::Partial, Some(0.8), Some(1.0), Some((1, 2)));
    let five_minutes = RECENT + 30.0 - 300.0;
    for (change, cause) in [
        (
            Box::new(|a: &mut Answered| a.values.retain(|(at, _)| *at != B)) as Box<dyn FnOnce(&mut Answered)>,
            "1 of 2 nodes report",
        ),
        (Box::new(|a| a.values[1].1 = f64::NAN), "1 of 2 nodes report; NaN for b"),
        (
            Box::new(|a| a.newest.retain(|(at, _)| *at != B)),
            "1 of 2 nodes report; no sample of b for 5m",
        ),
        (
            Box::new(move |a| a.newest[1].1 = five_minutes - 1.0),
            "1 of 2 nodes report; no sample of b for 5m",
        ),
    ] {
        let seen = after(change);
        assert_eq!((summary(&seen), seen.cause.as_deref()), (partial, Some(cause)));
    }
    let seen = after(|a| a.newest[1].1 = five_minutes);
    assert_eq!(seen.grade, Grade::Fresh);
}

#[test]
fn a_group_of_which_no_node_is_seen_says_why() {
    let stale = after(|a| a.newest.clear());
    assert_eq!(summary(&stale), (Grade::Stale, None, None, Some((0, 2))));
    assert_eq!(stale.cause.unwrap(), "none of its nodes has had a sample for 5m: a, b");
    let nan = after(|a| {
        a.values[0].1 = f64::NAN;
        a.values[1].1 = f64::NAN;
    });
    assert_eq!((nan.grade, nan.value), (Grade::Invalid, None));
    assert_eq!(nan.cause.unwrap(), "cpu is NaN on a, b");
    let answers = Answered::healthy().answers();
    let empty = group_of(&[], 0, &answers, &source());
    assert_eq!(
        (empty.grade, empty.cause.as_deref()),
        (Grade::Missing, Some("the group has no nodes"))
    );
}

#[test]
fn one_number_that_can_not_be_spoils_the_group() {
    for (number, shown) in [
        (1.11, "b (1.11)"),
        (75.0, "b (75)"),
        (-0.02, "b (-0.02)"),
        (f64::INFINITY, "b (inf)"),
    ] {
        let seen = after(|a| a.values[1].1 = number);
        assert_eq!((seen.grade, seen.value), (Grade::Invalid, None), "{number}");
        assert_eq!(seen.cause.unwrap(), format!("cpu of {shown} can't be"));
    }
    assert_eq!(after(|a| a.values[1].1 = 1.1).grade, Grade::Fresh);
    assert_eq!(after(|a| a.values[1].1 = -0.01).value.unwrap().get(), 0.4);
}

#[test]
fn more_samples_than_the_interval_allows_are_an_error_of_the_setting() {
    let seen = after(|a| a.samples[0].1 = 120.0);
    assert_eq!((seen.grade, seen.value), (Grade::Invalid, None));
    assert!(
        seen.cause
            .unwrap()
            .contains("`scrapeInterval: 1m` allows, of a; set it")
    );
    // One sample more is the edge of the window.
    let seen = after(|a| a.samples[0].1 = 61.0);
    assert_eq!(summary(&seen).2, Some(0.975));
    let none = after(|a| a.samples.clear());
    assert_eq!(summary(&none), (Grade::Fresh, Some(0.7), Some(0.0), Some((2, 2))));
}

#[test]
fn two_series_of_one_node_and_a_world_at_zero_are_suspect() {
    let seen = after(|a| a.copies[0].1 = 2.0);
    assert_eq!(seen.grade, Grade::Suspect);
    assert_eq!(
        seen.cause.unwrap(),
        "more than one series of node_cpu_seconds_total for a; choose one exporter with `matchers`"
    );
    let seen = after(|a| a.values.iter_mut().for_each(|(_, value)| *value = 0.0));
    assert_eq!(seen.grade, Grade::Suspect);
    assert_eq!(seen.cause.unwrap(), "cpu is exactly zero on all 3 nodes that it has");
}

#[test]
fn a_question_without_an_answer_leaves_no_number() {
    let key: MetricKey = KEY.parse().unwrap();
    let refused = || Err("503".to_owned());
    for question in [
        Question::Value(key),
        Question::Newest(key.signal),
        Question::Copies(key.signal),
    ] {
        let mut answers = Answered::healthy().answers();
        answers.insert(question, refused());
        let seen = group_of(&["a", "b"], 2, &answers, &source());
        assert_eq!(
            (seen.grade, seen.value, seen.cause.as_deref()),
            (Grade::Missing, None, Some("503"))
        );
    }
    let mut answers = Answered::healthy().answers();
    answers.insert(Question::Samples(key), refused());
    let seen = group_of(&["a", "b"], 2, &answers, &source());
    assert_eq!(summary(&seen), (Grade::Partial, Some(0.7), None, Some((2, 2))));
    assert_eq!(seen.cause.unwrap(), "the samples were not counted: 503");
}

#[test]
fn a_warning_of_any_answer_makes_the_measurement_partial() {
    let key: MetricKey = KEY.parse().unwrap();
    let mut answers = Answered::healthy().answers();
    if let Some(Ok(vector)) = answers.get_mut(&Question::Samples(key)) {
        vector.partial = Some("the source warns: no store".to_owned());
    }
    let seen = group_of(&["a", "b"], 2, &answers, &source());
    assert_eq!(
        (seen.grade, seen.cause.as_deref()),
        (Grade::Partial, Some("the source warns: no store"))
    );
}

#[test]
fn nothing_under_a_label_leads_to_the_setting_that_is_wrong() {
    let hint = |nodes: &[&str], rows: &[(&'static str, f64)], source: &PrometheusRef| {
        let mut answered = Answered::healthy();
        answered.values = rows.to_vec();
        answered.newest.clear();
        group_of(nodes, 2, &answered.answers(), source).cause.unwrap()
    };
    let plain = source();
    for (rows, expected) in [
        (
            &[][..],
            "no series of node_cpu_seconds_total at all: is node_exporter scraped?",
        ),
        (
            &[("blu,a", 0.5), ("red,a", 0.5)],
            r#"no series of node_cpu_seconds_total has cluster="blue"; did you mean `blu`?"#,
        ),
        (
            &[("x,a", 0.5), ("y,a", 0.5)],
            r#"no series of node_cpu_seconds_total has cluster="blue"; there is x, y"#,
        ),
        (
            &[(",a", 0.5)],
            r#"no series of node_cpu_seconds_total has cluster="blue"; none of its series has a label `cluster`"#,
        ),
        (
            &[("blue,10.0.0.1:9100", 0.5)],
            r#"no series of node_cpu_seconds_total with cluster="blue" is about its nodes (a, b); there is 10.0.0.1:9100: is `nodeLabel: node` right?"#,
        ),
        (
            &[("blue,", 0.5)],
            r#"no series of node_cpu_seconds_total with cluster="blue" is about its nodes (a, b); none of its series has a label `node`: is `nodeLabel: node` right?"#,
        ),
    ] {
        assert_eq!(hint(&["a", "b"], rows, &plain), expected);
    }
    let mut labelled = source();
    let template = Template::parse("{nodeGroup}", Variable::OF_NODE_GROUPS).unwrap();
    labelled.node_group = Some(("pool".to_owned(), template));
    assert_eq!(
        hint(&["a"], &[("blue,md-00,a", 0.5)], &labelled),
        r#"no series of node_cpu_seconds_total with cluster="blue" has pool="md-0"; did you mean `md-00`?"#
    );
}

#[test]
fn a_group_label_finds_nodes_by_any_name() {
    let mut source = source();
    let template = Template::parse("{nodeGroup}", Variable::OF_NODE_GROUPS).unwrap();
    source.node_group = Some(("pool".to_owned(), template));
    let rows = |value: f64| {
        vec![
            ("blue,md-0,10.0.0.1:9100", value),
            ("blue,md-0,10.0.0.2:9100", value),
            ("blue,md-1,10.0.0.3:9100", value / 2.0),
        ]
    };
    let mut answered = Answered::healthy();
    answered.values = rows(0.5);
    answered.newest = rows(RECENT);
    answered.copies = rows(1.0);
    answered.samples = rows(60.0);
    let seen = group_of(&["a", "b"], 2, &answered.answers(), &source);
    assert_eq!(summary(&seen), (Grade::Fresh, Some(0.5), Some(1.0), Some((2, 2))));
}
