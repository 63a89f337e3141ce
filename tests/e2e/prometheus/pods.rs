//! Controllers: their pods, those of before among them, and nobody else's.

use std::collections::BTreeMap;

use fleetscale::model::*;

use super::fleet::*;
use crate::env::{Prometheus, Samples};

/// Writes a counter that grows by some requests a second, and a queue of a length.
fn pod(samples: &mut Samples, labels: &str, (first, last): (i64, i64), requests: f64, queue: f64) {
    let mut total = 0.0;
    let mut seconds = first;
    while seconds >= last {
        let at = ago(seconds);
        total += requests * 60.0;
        // Two methods share them.
        for (method, share) in [("GET", 0.75), ("PUT", 0.25)] {
            let labels = format!(r#"{labels},code="200",method="{method}",host="10.0.0.1:443""#);
            samples.add("rest_client_requests_total", &labels, total * share, at);
        }
        for (name, priority, length) in [
            ("cluster", "0", queue),
            ("machine", "0", queue / 2.0),
            ("machine", "-100", 5_000.0),
        ] {
            let labels = format!(r#"{labels},name="{name}",controller="{name}",priority="{priority}""#);
            samples.add("workqueue_depth", &labels, length, at);
        }
        seconds -= 60;
    }
}

#[test]
fn a_controller_is_measured_by_its_own_pods_over_the_whole_window() {
    let mut samples = Samples::default();
    let labels = |cluster: &str, pod: &str| format!(r#"cluster="{cluster}",namespace="capi-system",pod="{pod}""#);
    let long_ago = 25 * 3_600 + 15;
    // Restarted half an hour ago: twice the requests since, and queues of 30 items instead of 12.
    let old = labels("eu-1", "capi-controller-manager-6d5f7c9b8-aaaaa");
    let new = labels("eu-1", "capi-controller-manager-6d5f7c9b8-bbbbb");
    pod(&mut samples, &old, (long_ago, 1_815), 10.0, 8.0);
    pod(&mut samples, &new, (1_755, 15), 20.0, 20.0);
    // Nobody of these is the controller: another Deployment, another cluster, a kubelet.
    pod(
        &mut samples,
        &labels("eu-1", "capi-controller-manager-x-6d5f7c9b8-aaaaa"),
        (long_ago, 15),
        500.0,
        900.0,
    );
    pod(
        &mut samples,
        &labels("eu-2", "capi-controller-manager-6d5f7c9b8-ccccc"),
        (long_ago, 15),
        500.0,
        900.0,
    );
    pod(&mut samples, r#"cluster="eu-1",node="a""#, (long_ago, 15), 500.0, 900.0);

    let mut region = Region::new("");
    let controller = LiveController {
        version: Some("v1.12.4".to_owned()),
        args: Vec::new(),
        replicas: 1,
        ready: 1,
        changed_at: None,
        measurements: BTreeMap::new(),
    };
    region.live.controllers.insert(n("capi"), controller);
    let deployment = ("capi-system".to_owned(), "capi-controller-manager".to_owned());
    region.pods.insert(n("capi"), deployment);
    let prometheus = Prometheus::with(&samples);
    region.measure(&prometheus.server);

    let measured = |key: &str| &region.live.controllers[&n::<ComponentName>("capi")].measurements[&n::<MetricKey>(key)];
    for key in ["client-requests/1h", "queue-depth/1h", "queue-depth/24h"] {
        let Measurement {
            grade, at, coverage, ..
        } = measured(key);
        assert_eq!(
            (*grade, *at),
            (Grade::Fresh, Some(ago(15))),
            "{key}: {:?}",
            measured(key)
        );
        assert!(coverage.unwrap().get() > 0.99, "{key}");
    }
    let value = |key: &str| measured(key).value.unwrap().get();
    // 30 samples of 12 and 30 of 30; over a day it is 1,410 and 30.
    assert!(
        (value("queue-depth/1h") - 21.0).abs() < 1e-6,
        "{}",
        value("queue-depth/1h")
    );
    assert!((value("queue-depth/24h") - (12.0 * 1_410.0 + 30.0 * 30.0) / 1_440.0).abs() < 1e-6);
    // 15 a second on average. Each of the two counters tells nothing about the minute in which the other one ended.
    let requests = value("client-requests/1h");
    assert!((14.5..=15.1).contains(&requests), "{requests}");
}
