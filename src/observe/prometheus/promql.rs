//! The questions that are asked, as PromQL.
//!
//! One question is about a whole Prometheus: the server adds up by cluster and node, or by cluster, namespace and pod, so that an answer has
//! one number per node and the number of questions does not grow with the fleet.
//!
//! Invariant: whatever comes from the fleet file or from a cluster stands in a query escaped, in a place where only a label's value can
//! stand. The fleet file's own matchers are the exception: they are PromQL by their nature.
//!
//! Two things are not what one would write first. A series ends when its exporter is restarted, because the new pod's labels are others;
//! so a day of one node is often two series, and an average of series would give an hour of the one the weight of 23 hours of the other.
//! Here samples and increments are added up and divided, which counts each moment once. And `rate` divides by the whole window, however
//! little of it has samples, so that `1 - rate(idle)` takes the time without samples for busy; here the idle time is compared with all
//! modes' time of one CPU, which lacks the same moments.

use std::fmt::Write as _;

use crate::model::{Duration, MetricKey, Signal};
use crate::policy::PrometheusRef;

/// A question about everything that a Prometheus has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Question {
    /// The time of the newest sample, in seconds since 1970.
    ///
    /// It is asked of the raw series. An aggregation and a function over a window are always from now, however old their samples.
    Newest(Signal),
    /// How many series say the same.
    Copies(Signal),
    /// The value over the window.
    Value(MetricKey),
    /// The samples in the window.
    Samples(MetricKey),
}

impl Question {
    /// The signal that it is about.
    pub(super) fn signal(self) -> Signal {
        match self {
            Self::Newest(signal) | Self::Copies(signal) => signal,
            Self::Value(key) | Self::Samples(key) => key.signal,
        }
    }

    /// The time that it looks at: none for the newest samples alone.
    pub(super) fn window(self) -> Duration {
        match self {
            Self::Newest(_) | Self::Copies(_) => Duration::ZERO,
            Self::Value(key) | Self::Samples(key) => key.window,
        }
    }
}

/// What the questions of one Prometheus have in common.
pub(super) struct Scope<'a> {
    /// Its labels.
    pub(super) source: &'a PrometheusRef,
    /// The cluster label's values of the management clusters.
    pub(super) management_clusters: Vec<String>,
    /// The Deployments whose pods count.
    pub(super) deployments: Vec<String>,
}

/// The labels of an answer, in their order.
pub(super) fn labels(source: &PrometheusRef, signal: Signal) -> Vec<&str> {
    let cluster = source.cluster_label.as_str();
    if signal.is_share() {
        let group = source.node_group.as_ref().map(|(label, _)| label.as_str());
        [Some(cluster), group, Some(source.node_label.as_str())]
            .into_iter()
            .flatten()
            .collect()
    } else {
        vec![cluster, "namespace", "pod"]
    }
}

/// The metric that a signal is made of, for words.
pub(super) fn metric(signal: Signal) -> &'static str {
    match signal {
        Signal::Cpu => "node_cpu_seconds_total",
        Signal::Memory => "node_memory_MemTotal_bytes",
        Signal::ClientRequests => "rest_client_requests_total",
        Signal::QueueDepth => "workqueue_depth",
    }
}

impl Scope<'_> {
    /// A question as PromQL.
    pub(super) fn promql(&self, question: Question) -> String {
        let by = labels(self.source, question.signal()).join(", ");
        let window = format!("[{}s]", question.window().seconds());
        match question.signal() {
            Signal::Cpu => self.cpu(question, &by, &window),
            Signal::Memory => self.memory(question, &by, &window),
            Signal::ClientRequests => {
                let raw = self.of_pods("rest_client_requests_total", "");
                let value = format!("sum by ({by}) (rate({raw}{window}))");
                of_controllers(question, &by, &raw, &window, "code, method, host", value)
            }
            Signal::QueueDepth => {
                // What a resync puts there has the lowest priority and waits for everything else; it says nothing about a backlog.
                let raw = self.of_pods("workqueue_depth", r#",priority!="-100""#);
                // The sum of all samples: its readers know how many there should be, which an average over each series would hide.
                let value = format!("sum by ({by}) (sum_over_time({raw}{window}))");
                of_controllers(question, &by, &raw, &window, "name, controller, priority", value)
            }
        }
    }

    fn cpu(&self, question: Question, by: &str, window: &str) -> String {
        // One series per node, as long as nothing reports it twice.
        let one = self.of_nodes("node_cpu_seconds_total", r#"mode="idle",cpu="0""#);
        match question {
            Question::Newest(_) => newest(by, &one),
            Question::Copies(_) => format!("count by ({by}) ({one})"),
            Question::Samples(_) => format!("sum by ({by}) (count_over_time({one}{window}))"),
            Question::Value(_) => {
                let idle = self.of_nodes("node_cpu_seconds_total", r#"mode="idle""#);
                let all = self.of_nodes("node_cpu_seconds_total", r#"cpu="0""#);
                format!(
                    "1 - avg by ({by}) (sum by ({by}, cpu) (rate({idle}{window}))) / sum by ({by}) (rate({all}{window}))"
                )
            }
        }
    }

    fn memory(&self, question: Question, by: &str, window: &str) -> String {
        let total = self.of_nodes("node_memory_MemTotal_bytes", "");
        match question {
            Question::Newest(_) => newest(by, &total),
            Question::Copies(_) => format!("count by ({by}) ({total})"),
            Question::Samples(_) => format!("sum by ({by}) (count_over_time({total}{window}))"),
            Question::Value(_) => {
                let free = self.of_nodes("node_memory_MemAvailable_bytes", "");
                format!(
                    "1 - sum by ({by}) (sum_over_time({free}{window})) / sum by ({by}) (sum_over_time({total}{window}))"
                )
            }
        }
    }

    /// A series of node_exporter.
    fn of_nodes(&self, metric: &str, matchers: &str) -> String {
        let own = self.source.matchers.as_deref();
        let all: Vec<&str> = [Some(matchers), own]
            .into_iter()
            .flatten()
            .filter(|text| !text.is_empty())
            .collect();
        format!("{metric}{{{}}}", all.join(","))
    }

    /// A series of the controllers' pods. The kubelets of a fleet export `rest_client_requests_total`, too: they are left out by the server.
    fn of_pods(&self, metric: &str, more: &str) -> String {
        let label = &self.source.cluster_label;
        let clusters = any_of(&self.management_clusters, "");
        let pods = any_of(&self.deployments, "-.+");
        // Without a Deployment the expression is empty, and would match what has no pod at all.
        format!(r#"{metric}{{{label}=~{clusters},pod=~{pods},pod!=""{more}}}"#)
    }
}

fn newest(by: &str, raw: &str) -> String {
    format!("min by ({by}) (timestamp({raw}))")
}

/// The questions about controllers; `own` are the labels by which the series of one pod differ.
fn of_controllers(question: Question, by: &str, raw: &str, window: &str, own: &str, value: String) -> String {
    match question {
        Question::Newest(_) => format!("max by ({by}) (timestamp({raw}))"),
        Question::Copies(_) => format!("max by ({by}) (count by ({by}, {own}) ({raw}))"),
        Question::Samples(_) => format!("max by ({by}) (count_over_time({raw}{window}))"),
        Question::Value(_) => value,
    }
}

/// A PromQL string with a regular expression for any of some texts, each with the same end.
fn any_of(texts: &[String], end: &str) -> String {
    let escaped: Vec<String> = texts.iter().map(|text| format!("{}{end}", literal(text))).collect();
    string(&escaped.join("|"))
}

/// A regular expression that matches a text alone.
fn literal(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if c.is_ascii_punctuation() && !matches!(c, '-' | '_') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// A text as a PromQL string.
fn string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(c);
            }
            // Writing to a string does not fail.
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::prometheus::testing::source;

    fn asked(source: &PrometheusRef, question: Question) -> String {
        let scope = Scope {
            source,
            management_clusters: vec!["eu-1".to_owned(), "eu.2".to_owned()],
            deployments: vec!["capi-controller-manager".to_owned()],
        };
        scope.promql(question)
    }

    #[test]
    fn a_question_about_nodes_is_one_query_for_all_of_them() {
        let mut source = source();
        let cpu: MetricKey = "cpu/24h".parse().unwrap();
        let memory: MetricKey = "memory/7d".parse().unwrap();
        assert_eq!(
            asked(&source, Question::Value(cpu)),
            r#"1 - avg by (cluster, node) (sum by (cluster, node, cpu) (rate(node_cpu_seconds_total{mode="idle"}[86400s]))) / sum by (cluster, node) (rate(node_cpu_seconds_total{cpu="0"}[86400s]))"#
        );
        assert_eq!(
            asked(&source, Question::Newest(Signal::Cpu)),
            r#"min by (cluster, node) (timestamp(node_cpu_seconds_total{mode="idle",cpu="0"}))"#
        );
        source.matchers = Some(r#"job="node-exporter""#.to_owned());
        source.node_group = Some((
            "pool".to_owned(),
            crate::policy::Template::parse("{nodeGroup}", crate::policy::Variable::OF_NODE_GROUPS).unwrap(),
        ));
        assert_eq!(
            asked(&source, Question::Value(memory)),
            r#"1 - sum by (cluster, pool, node) (sum_over_time(node_memory_MemAvailable_bytes{job="node-exporter"}[604800s])) / sum by (cluster, pool, node) (sum_over_time(node_memory_MemTotal_bytes{job="node-exporter"}[604800s]))"#
        );
        assert_eq!(
            asked(&source, Question::Copies(Signal::Cpu)),
            r#"count by (cluster, pool, node) (node_cpu_seconds_total{mode="idle",cpu="0",job="node-exporter"})"#
        );
    }

    #[test]
    fn a_question_about_controllers_is_about_their_pods_alone() {
        let source = source();
        assert_eq!(
            asked(&source, Question::Value("client-requests/1h".parse().unwrap())),
            r#"sum by (cluster, namespace, pod) (rate(rest_client_requests_total{cluster=~"eu-1|eu\\.2",pod=~"capi-controller-manager-.+",pod!=""}[3600s]))"#
        );
        assert_eq!(
            asked(&source, Question::Samples("queue-depth/1h".parse().unwrap())),
            r#"max by (cluster, namespace, pod) (count_over_time(workqueue_depth{cluster=~"eu-1|eu\\.2",pod=~"capi-controller-manager-.+",pod!="",priority!="-100"}[3600s]))"#
        );
    }

    #[test]
    fn a_text_can_not_leave_its_string() {
        for (text, expected) in [
            ("blue", r#""blue""#),
            (r#"a"} or vector(1) #"#, r#""a\"} or vector(1) #""#),
            (r"a\", r#""a\\""#),
            ("a\n", r#""a\u000a""#),
        ] {
            assert_eq!(string(text), expected);
        }
        assert_eq!(any_of(&["a.b*".to_owned()], "-.+"), r#""a\\.b\\*-.+""#);
    }
}
