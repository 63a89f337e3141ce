//! A Prometheus that misbehaves: every fault is a grade with a cause, and never a number that looks right.

use std::time::Duration;

use fleetscale::model::*;
use fleetscale::net::Server;

use super::fleet::*;
use crate::env::{Fault, Prometheus, Proxy, Samples, Seen, json_answer};

/// A Prometheus with two nodes behind a proxy, and the region that they are in.
struct Faulty {
    region: Region,
    proxy: Proxy,
    _prometheus: Prometheus,
}

impl Faulty {
    fn new() -> Self {
        let (mut samples, mut region) = (Samples::default(), Region::new(""));
        for name in ["a", "b"] {
            Node::new("blue", name).write(&mut samples, always(0.2), always(0.25));
        }
        region.add("shard-a", "blue", &["a", "b"]);
        let prometheus = Prometheus::with(&samples);
        Self {
            proxy: Proxy::before(prometheus.server.url(), None),
            region,
            _prometheus: prometheus,
        }
    }

    /// Measures while requests are treated so; the grades of all measurements, and the cause of one.
    fn measure(&mut self, decide: impl Fn(&Seen) -> Fault + Send + Sync + 'static) -> (Vec<Grade>, String, Vec<Seen>) {
        self.proxy.take_seen();
        self.proxy.when(decide);
        let server = Server::new(self.proxy.url()).unwrap();
        self.region
            .measure_within(&server, Duration::from_secs(5), Duration::from_millis(700));
        let group = &self.region.live.clusters[&n("shard-a")][&n("blue")].node_groups[&n("md-0")];
        let grades = group.measurements.values().map(|measured| {
            let is_number = measured.value.is_some();
            assert_eq!(
                is_number,
                matches!(measured.grade, Grade::Fresh | Grade::Partial),
                "{measured:?}"
            );
            measured.grade
        });
        let cause = group.measurements[&n("cpu/1h")].cause.clone().unwrap_or_default();
        (grades.collect(), cause, self.proxy.take_seen())
    }
}

fn html(status: &str) -> String {
    let body = "<!DOCTYPE html>\n<title>Log in</title>";
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn every_fault_of_the_server_is_a_cause_and_no_number() {
    let mut faulty = Faulty::new();
    let all = |grade| vec![grade; 4];
    let (grades, _, seen) = faulty.measure(|_| Fault::None);
    assert_eq!(grades, all(Grade::Fresh));
    // Newest and copies of two signals, values and samples of two signals over two windows.
    assert_eq!(seen.len(), 12);
    let body = String::from_utf8(seen[0].body.clone()).unwrap();
    assert!(
        body.ends_with("&time=1791277200.000&timeout=1s&partial_response=false"),
        "{body}"
    );

    let refused = r#"{"status":"error","errorType":"execution","error":"too many samples"}"#;
    for (fault, cause, tries) in [
        (Fault::Hang, "no answer within", 1),
        (Fault::Slow, "no answer within", 1),
        (
            Fault::Answer(html("502 Bad Gateway")),
            "answers 502: <!DOCTYPE html>",
            36,
        ),
        (
            Fault::Answer(html("503 Service Unavailable")),
            "answers 503: <!DOCTYPE html>",
            36,
        ),
        (Fault::Answer(html("200 OK")), r#"it begins with "<!DOCTYPE html>""#, 12),
        (Fault::Answer(html("401 Unauthorized")), "look at `credentials`", 1),
        (Fault::Answer(html("404 Not Found")), "without `/api/v1`?", 1),
        (Fault::Answer(html("302 Found")), "is a redirect (302)", 1),
        (
            Fault::Answer(json_answer("422 Unprocessable Entity", "", refused)),
            "answers 422: Prometheus refuses the query: execution: too many samples",
            12,
        ),
        (Fault::Cut(100), "reading the answer of", 36),
        (
            Fault::Edit(|body| body[..body.len() / 2].to_vec()),
            "EOF while parsing",
            12,
        ),
    ] {
        // Three tries with their pauses would take half a minute for twelve questions: the deadline ends them.
        let told = format!("{fault:?}");
        let (grades, found, seen) = faulty.measure(move |_| fault.clone());
        assert_eq!(grades, all(Grade::Missing), "{told}");
        assert!(found.contains(cause), "{told}: {found}");
        assert!((1..=tries).contains(&seen.len()), "{told}: {} requests", seen.len());
    }
}

#[test]
fn a_part_of_the_truth_is_partial() {
    let mut faulty = Faulty::new();
    for (edit, cause) in [
        (
            (|body| replace(&body, "}}", r#"},"isPartial":true}"#)) as fn(Vec<u8>) -> Vec<u8>,
            "the source says that its answer is partial",
        ),
        (
            |body| replace(&body, "}}", r#"},"warnings":["store eu-2: connection refused"]}"#),
            "the source warns: store eu-2: connection refused",
        ),
    ] {
        let (grades, found, _) = faulty.measure(move |_| Fault::Edit(edit));
        assert_eq!((grades, found.as_str()), (vec![Grade::Partial; 4], cause));
    }
    let harmless: fn(Vec<u8>) -> Vec<u8> =
        |body| replace(&body, "}}", r#"},"warnings":["PromQL info: x"],"infos":["y"]}"#);
    let (grades, found, _) = faulty.measure(move |_| Fault::Edit(harmless));
    assert_eq!((grades, found.as_str()), (vec![Grade::Fresh; 4], ""));
}

/// Replaces the end of an answer.
fn replace(body: &[u8], end: &str, by: &str) -> Vec<u8> {
    let text = String::from_utf8(body.to_vec()).unwrap();
    let text = text.trim_end().strip_suffix(end).unwrap();
    format!("{text}{by}").into_bytes()
}

#[test]
fn a_server_that_is_back_at_the_second_try_is_heard() {
    let mut faulty = Faulty::new();
    let first = std::sync::atomic::AtomicBool::new(true);
    let (grades, _, seen) = faulty.measure(move |_| {
        if first.swap(false, std::sync::atomic::Ordering::SeqCst) {
            Fault::Answer(html("503 Service Unavailable"))
        } else {
            Fault::None
        }
    });
    assert_eq!((grades, seen.len()), (vec![Grade::Fresh; 4], 13));
}

#[test]
fn one_question_without_an_answer_takes_no_other_with_it() {
    let mut faulty = Faulty::new();
    let is_day = |seen: &Seen| String::from_utf8_lossy(&seen.body).contains("%5B86400s%5D");
    let (_, cause, _) = faulty.measure(move |seen| if is_day(seen) { Fault::Hang } else { Fault::None });
    assert_eq!(cause, "", "the hour was asked first and is there");
    let day = faulty.region.of("blue", "cpu/24h");
    assert_eq!((day.grade, day.value), (Grade::Missing, None));
    assert!(day.cause.as_deref().unwrap().contains("no answer within"), "{day:?}");
}

#[test]
fn a_server_that_is_down_is_asked_once() {
    let mut region = Region::new("");
    region.add("shard-a", "blue", &["a", "b"]);
    let port = crate::env::free_port();
    let server = Server::new(&format!("http://127.0.0.1:{port}")).unwrap();
    region.measure(&server);
    let cause = |key: &str| region.of("blue", key).cause.clone().unwrap();
    assert!(cause("cpu/1h").contains("Connection refused"), "{}", cause("cpu/1h"));
    assert!(cause("memory/24h").starts_with("not asked, after this: connecting to http://127.0.0.1"));
}
