//! Controller flags by the number of clusters, the version's default and the evidence.

use fleetscale::model::*;
use insta::assert_snapshot;

use super::news;
use crate::support::parts::*;
use crate::support::world::World;

/// So many workload clusters without node groups beside the one that is there.
fn crowd(w: &mut World, clusters: usize) {
    let shard = w.management_cluster("eu-1").clusters.get_mut(&n("shard-a")).unwrap();
    for index in 1..clusters {
        shard.insert(n(&format!("tenant-{index}")), LiveCluster::default());
    }
}

/// The controller sends almost as much as it may and its queues grow.
fn busy(w: &mut World) {
    for (key, value) in [
        ("client-requests/1h", 19.0),
        ("queue-depth/1h", 40.0),
        ("queue-depth/24h", 5.0),
    ] {
        w.capi().measurements.insert(n(key), counted(value));
    }
}

fn large(w: &mut World) {
    crowd(w, 120);
    busy(w);
}

fn version(w: &mut World, version: &str) {
    w.capi().version = Some(version.to_owned());
}

#[test]
fn flags_follow_the_ladder_where_the_evidence_is_there() {
    assert_snapshot!(news(large), @r"
    controller/eu-1/capi/kube-api-burst: 30 -> 100 routine
        120 clusters, the ladder's rung from 100
        the default of v1.12.4 is 30 (cluster-api up to v1.12, main.go)
        client-requests 19 over 1h, against a limit of 20
        queue-depth 40 over 1h, against 5 over 24h
    controller/eu-1/capi/kube-api-qps: 20 -> 50 routine
        120 clusters, the ladder's rung from 100
        the default of v1.12.4 is 20 (cluster-api up to v1.12, main.go)
        client-requests 19 over 1h, against a limit of 20
        queue-depth 40 over 1h, against 5 over 24h
    ");
}

#[test]
fn flags_hold_without_evidence_in_the_snapshot() {
    assert_snapshot!(news(|w| crowd(w, 120)), @r"
    controller/eu-1/capi/kube-api-burst: hold instead of 30 -> 100 routine
        gap: client-requests/1h is missing (not in the snapshot)
    controller/eu-1/capi/kube-api-qps: hold instead of 20 -> 50 routine
        gap: client-requests/1h is missing (not in the snapshot)
    ");
    assert_snapshot!(news(|w| {
        large(w);
        w.capi().measurements.insert(n("client-requests/1h"), counted(15.9));
    }), @r"
    controller/eu-1/capi/kube-api-burst: hold instead of 30 -> 100 routine
        no-evidence: client-requests 15.9 over 1h where 20 are allowed (evidence from 16.0), queue-depth 40 over 1h, queue-depth 5 over 24h
    controller/eu-1/capi/kube-api-qps: hold instead of 20 -> 50 routine
        no-evidence: client-requests 15.9 over 1h where 20 are allowed (evidence from 16.0), queue-depth 40 over 1h, queue-depth 5 over 24h
    ");
    assert_snapshot!(news(|w| {
        large(w);
        w.capi().measurements.insert(n("queue-depth/1h"), counted(5.0));
    }), @r"
    controller/eu-1/capi/kube-api-burst: hold instead of 30 -> 100 routine
        no-evidence: client-requests 19 over 1h where 20 are allowed (evidence from 16.0), queue-depth 5 over 1h, queue-depth 5 over 24h
    controller/eu-1/capi/kube-api-qps: hold instead of 20 -> 50 routine
        no-evidence: client-requests 19 over 1h where 20 are allowed (evidence from 16.0), queue-depth 5 over 1h, queue-depth 5 over 24h
    ");
}

#[test]
fn evidence_is_measured_against_the_limit_in_force() {
    assert_eq!(
        news(|w| {
            large(w);
            w.capi().measurements.insert(n("client-requests/1h"), counted(16.0));
        })
        .matches("hold")
        .count(),
        0
    );
}

#[test]
fn a_version_whose_own_default_is_higher_gets_no_lower_flag() {
    assert_snapshot!(news(|w| {
        large(w);
        version(w, "v1.13.0");
        w.capi().args.clear();
        for target in [QPS, BURST] {
            let prefix = format!("--{}=", target.rsplit('/').next().unwrap());
            w.binding(target).value = None;
            w.binding(target).site = Site::Writable(place("clusters/eu-1/capi.yaml", "/args", Form::Appended { prefix }));
        }
    }), @r"
    controller/eu-1/capi/kube-api-burst: hold
        below-default: not above 200, which is the default of v1.13.0
    controller/eu-1/capi/kube-api-qps: hold
        below-default: not above 100, which is the default of v1.13.0
    ");
}

#[test]
fn an_absent_flag_is_its_versions_default_and_is_appended() {
    assert_snapshot!(news(|w| {
        large(w);
        w.capi().args.retain(|arg| !arg.starts_with("--kube-api-qps"));
        w.binding(QPS).value = None;
        let prefix = "--kube-api-qps=".to_owned();
        w.binding(QPS).site = Site::Writable(place("clusters/eu-1/capi.yaml", "/args", Form::Appended { prefix }));
    }), @r"
    controller/eu-1/capi/kube-api-burst: 30 -> 100 routine
        120 clusters, the ladder's rung from 100
        the default of v1.12.4 is 30 (cluster-api up to v1.12, main.go)
        client-requests 19 over 1h, against a limit of 20
        queue-depth 40 over 1h, against 5 over 24h
    controller/eu-1/capi/kube-api-qps: 20 -> 50 routine
        120 clusters, the ladder's rung from 100
        the default of v1.12.4 is 20 (cluster-api up to v1.12, main.go)
        client-requests 19 over 1h, against a limit of 20
        queue-depth 40 over 1h, against 5 over 24h
    ");
}

#[test]
fn a_value_above_the_default_is_raised_to_its_rung() {
    assert_snapshot!(news(|w| {
        crowd(w, 600);
        busy(w);
        version(w, "v1.13.0");
        w.capi().args = ["--kube-api-qps=100".to_owned(), "--kube-api-burst=200".to_owned()].to_vec();
        w.capi().measurements.insert(n("client-requests/1h"), counted(90.0));
        w.binding(QPS).value = Some(Scalar::Integer(100));
        w.binding(BURST).value = Some(Scalar::Integer(200));
    }), @r"
    controller/eu-1/capi/kube-api-burst: 200 -> 300 routine
        600 clusters, the ladder's rung from 500
        the default of v1.13.0 is 200 (cluster-api v1.13, main.go (raised by #13317 and #13496))
        client-requests 90 over 1h, against a limit of 100
        queue-depth 40 over 1h, against 5 over 24h
    controller/eu-1/capi/kube-api-qps: 100 -> 150 routine
        600 clusters, the ladder's rung from 500
        the default of v1.13.0 is 100 (cluster-api v1.13, main.go (raised by #13317 and #13496))
        client-requests 90 over 1h, against a limit of 100
        queue-depth 40 over 1h, against 5 over 24h
    ");
}

#[test]
fn a_flag_is_never_lowered() {
    assert_snapshot!(news(|w| {
        large(w);
        w.capi().args = ["--kube-api-qps=400".to_owned(), "--kube-api-burst=30".to_owned()].to_vec();
        w.capi().measurements.insert(n("client-requests/1h"), counted(390.0));
        w.binding(QPS).value = Some(Scalar::Integer(400));
    }), @r"
    controller/eu-1/capi/kube-api-burst: 30 -> 100 routine
        120 clusters, the ladder's rung from 100
        the default of v1.12.4 is 30 (cluster-api up to v1.12, main.go)
        client-requests 390 over 1h, against a limit of 400
        queue-depth 40 over 1h, against 5 over 24h
    controller/eu-1/capi/kube-api-qps: hold
        in-range: 120 clusters, the ladder says 50 from 100 on, and it is 400
    ");
}

#[test]
fn nothing_is_assumed_of_an_unknown_version() {
    assert_snapshot!(news(|w| {
        large(w);
        version(w, "v1.99.0");
    }), @r"
    controller/eu-1/capi/kube-api-burst: hold
        gap: version is invalid (v1.99.0 is not in the catalogue of capi)
    controller/eu-1/capi/kube-api-qps: hold
        gap: version is invalid (v1.99.0 is not in the catalogue of capi)
    ");
    assert_snapshot!(news(|w| {
        large(w);
        w.capi().version = None;
    }), @r"
    controller/eu-1/capi/kube-api-burst: hold
        gap: version is missing (no default is known without it)
    controller/eu-1/capi/kube-api-qps: hold
        gap: version is missing (no default is known without it)
    ");
}

#[test]
fn a_flag_that_the_version_does_not_know_is_never_written() {
    assert_snapshot!(news(|w| {
        large(w);
        version(w, "v1.4.0");
    }), @r"
    controller/eu-1/capi/kube-api-burst: hold
        unknown-flag: v1.4.0 does not know the flag and would not start with it
    controller/eu-1/capi/kube-api-qps: hold
        unknown-flag: v1.4.0 does not know the flag and would not start with it
    ");
}

#[test]
fn the_last_of_repeated_flags_is_in_force() {
    assert_snapshot!(news(|w| {
        large(w);
        w.capi().args.push("--kube-api-qps".to_owned());
        w.capi().args.push("30".to_owned());
    }), @r"
    controller/eu-1/capi/kube-api-burst: hold instead of 30 -> 100 routine
        no-evidence: client-requests 19 over 1h where 30 are allowed (evidence from 24.0), queue-depth 40 over 1h, queue-depth 5 over 24h
    controller/eu-1/capi/kube-api-qps: hold
        not-applied: Git declares 20, live is 30: waiting until they agree
    ");
}

#[test]
fn a_controller_that_is_not_seen_is_blind_or_not_live() {
    assert_snapshot!(news(|w| {
        w.management_cluster("eu-1").controllers.clear();
    }), @r"
    controller/eu-1/capi/kube-api-burst: hold
        not-live: it is declared, but not live
    controller/eu-1/capi/kube-api-qps: hold
        not-live: it is declared, but not live
    ");
    assert_snapshot!(news(|w| {
        w.management_cluster("eu-1").controllers.clear();
        w.gap("eu-1", Inventory::Controllers);
    }), @r"
    controller/eu-1/capi/kube-api-burst: hold
        blind: the list of controllers is incomplete (503 from the API server)
    controller/eu-1/capi/kube-api-qps: hold
        blind: the list of controllers is incomplete (503 from the API server)
    ");
}

#[test]
fn what_git_does_not_say_of_a_flag_is_held() {
    assert_snapshot!(news(|w| {
        large(w);
        w.declared.bindings.remove(&n(QPS));
        w.binding(BURST).value = None;
        w.binding(BURST).site = Site::Refused { path: None, line: 0, refusal: Refusal::Alias };
    }), @r"
    controller/eu-1/capi/kube-api-burst: hold
        not-writable: the path goes through an alias
    controller/eu-1/capi/kube-api-qps: hold
        not-declared: it is live, but no file that was read declares it
    ");
}

#[test]
fn an_understated_baseline_is_no_evidence_that_queues_grow() {
    assert_snapshot!(news(|w| {
        large(w);
        w.capi().measurements.insert(n("queue-depth/24h"), counted(60.0));
        w.capi().measurements.get_mut(&n("queue-depth/24h")).unwrap().coverage = Some(finite(0.3));
    }), @r"
    controller/eu-1/capi/kube-api-burst: hold instead of 30 -> 100 routine
        gap: queue-depth/24h is partial (30 % of the samples are there)
    controller/eu-1/capi/kube-api-qps: hold instead of 20 -> 50 routine
        gap: queue-depth/24h is partial (30 % of the samples are there)
    ");
}

#[test]
fn a_limit_that_is_switched_off_is_not_switched_on() {
    assert_snapshot!(news(|w| {
        large(w);
        w.capi().args[1] = "--kube-api-qps=-1".to_owned();
        w.binding(QPS).value = Some(Scalar::Integer(-1));
    }), @r"
    controller/eu-1/capi/kube-api-burst: hold instead of 30 -> 100 routine
        no-evidence: the controller has no client-side limit that is known
    controller/eu-1/capi/kube-api-qps: hold
        in-range: -1 has a meaning of its own and is left as it is
    ");
}

#[test]
fn clusters_that_are_not_seen_may_ask_for_more() {
    assert_snapshot!(news(|w| {
        busy(w);
        w.gap("eu-1", Inventory::Clusters);
    }), @r"
    controller/eu-1/capi/kube-api-burst: hold
        blind: the list of clusters is incomplete (503 from the API server)
        in-range: 1 clusters, below the ladder's first rung
    controller/eu-1/capi/kube-api-qps: hold
        blind: the list of clusters is incomplete (503 from the API server)
        in-range: 1 clusters, below the ladder's first rung
    ");
}

#[test]
fn flags_that_only_the_policy_names_are_blind_while_nobody_answers() {
    assert_snapshot!(news(|w| {
        w.declared.bindings.remove(&n(QPS));
        w.declared.bindings.remove(&n(BURST));
        w.declared.bindings.remove(&n(KAMAJI));
        w.live_cluster(BLUE).node_groups.clear();
        w.declared.bindings.remove(&n(BLUE));
        w.declared.bindings.remove(&n(BLUE_1));
        w.snapshot.live.management_clusters.remove(&n("eu-1"));
    }), @r"
    controller/eu-1/capi/kube-api-burst: hold
        blind: the list of controllers is incomplete (the management cluster is not in the snapshot)
    controller/eu-1/capi/kube-api-qps: hold
        blind: the list of controllers is incomplete (the management cluster is not in the snapshot)
    ");
}
