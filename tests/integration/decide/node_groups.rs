//! Node groups: when they grow and shrink, and how far.

use fleetscale::model::{Direction, Grade, NodesSeen, PullRequestState, Verdict};
use fleetscale::policy::{Bounds, Percent, Step};
use insta::assert_snapshot;

use super::news;
use crate::support::parts::*;
use crate::support::world::World;

#[test]
fn one_hour_of_cpu_above_95_percent_is_p1() {
    assert_snapshot!(news(|w| w.set(BLUE, "cpu/1h", 0.951)), @r"
    node-group/eu-1/shard-a/blue/md-0/replicas: 10 -> 14 P1
        P1: cpu 95.1 % over 1h, above 95 %
        cpu is projected to be 67.9 % (measured on 10 nodes, target 70 %)
    ");
}

#[test]
fn one_hour_of_memory_above_85_percent_is_p1() {
    assert_snapshot!(news(|w| w.set(BLUE, "memory/1h", 0.86)), @r"
    node-group/eu-1/shard-a/blue/md-0/replicas: 10 -> 13 P1
        P1: memory 86 % over 1h, above 85 %
        memory is projected to be 66.2 % (measured on 10 nodes, target 70 %)
    ");
}

#[test]
fn a_day_above_75_percent_is_p2() {
    assert_snapshot!(news(|w| w.set(BLUE, "memory/24h", 0.76)), @r"
    node-group/eu-1/shard-a/blue/md-0/replicas: 10 -> 11 P2
        P2: memory 76 % over 24h, above 75 %
        memory is projected to be 69.1 % (measured on 10 nodes, target 70 %)
    ");
}

#[test]
fn a_use_exactly_at_its_threshold_is_not_above_it() {
    let ups = |key: &str, share: f64| {
        let verdict = World::healthy().with(|w| w.set(BLUE, key, share)).verdict(BLUE);
        matches!(verdict, Verdict::Set(change) if change.direction() == Some(Direction::Up))
    };
    for (key, at, above) in [
        ("cpu/1h", 0.95, 0.9500001),
        ("memory/1h", 0.85, 0.8500001),
        ("cpu/24h", 0.75, 0.7500001),
        ("memory/24h", 0.75, 0.7500001),
    ] {
        assert!(!ups(key, at), "{key} at {at}");
        assert!(ups(key, above), "{key} at {above}");
    }
    assert!(!ups("cpu/7d", 0.99), "seven days are looked at for downs only");
}

#[test]
fn an_up_goes_to_the_nodes_that_bring_every_signal_under_the_target_at_once() {
    // CPU triggers, but memory needs more nodes: 0.84 * 10 / 0.7 = 12, where 0.76 * 10 / 0.7 = 10.9.
    assert_snapshot!(news(|w| {
        w.set(BLUE, "cpu/24h", 0.76);
        w.set(BLUE, "memory/1h", 0.84);
    }), @r"
    node-group/eu-1/shard-a/blue/md-0/replicas: 10 -> 13 P2
        P2: cpu 76 % over 24h, above 75 %
        memory is projected to be 64.6 % (measured on 10 nodes, target 70 %)
    ");
}

#[test]
fn an_up_is_cut_by_the_step() {
    assert_snapshot!(news(|w| {
        w.usage(BLUE, 0.97);
        w.nodes_policy().scale_up.max_step = Step { nodes: Some(3), percent: Some(Percent::of(50)) };
    }), @r"
    node-group/eu-1/shard-a/blue/md-0/replicas: 10 -> 13 P1
        P1: cpu 97 % over 1h, above 95 %
        P1: memory 97 % over 1h, above 85 %
        P2: cpu 97 % over 24h, above 75 %
        P2: memory 97 % over 24h, above 75 %
        cpu is projected to be 74.6 % (measured on 10 nodes, target 70 %)
        14 needed, cut by the policy's step of 3 nodes
    ");
}

#[test]
fn an_up_is_cut_by_the_maximum() {
    assert_snapshot!(news(|w| {
        w.usage(BLUE, 0.97);
        w.nodes_policy().bounds = Bounds::new(3, 12).unwrap();
    }), @r"
    node-group/eu-1/shard-a/blue/md-0/replicas: 10 -> 12 P1
        P1: cpu 97 % over 1h, above 95 %
        P1: memory 97 % over 1h, above 85 %
        P2: cpu 97 % over 24h, above 75 %
        P2: memory 97 % over 24h, above 75 %
        cpu is projected to be 80.8 % (measured on 10 nodes, target 70 %)
        14 needed, cut by the policy's maximum of 12
    ");
}

#[test]
fn scale_up_holds_at_the_maximum() {
    assert_snapshot!(news(|w| {
        w.usage(BLUE, 0.97);
        w.nodes_policy().bounds = Bounds::new(3, 10).unwrap();
    }), @r"
    node-group/eu-1/shard-a/blue/md-0/replicas: hold instead of 10 -> 14 P1
        at-maximum: bounds.max of its policy is 10
    ");
}

#[test]
fn scale_up_stands_on_one_fresh_signal_while_all_others_are_missing() {
    assert_snapshot!(news(|w| {
        w.usage(BLUE, 0.97);
        let cpu = n("cpu/1h");
        w.live(BLUE).measurements.retain(|key, _| *key == cpu);
    }), @r"
    node-group/eu-1/shard-a/blue/md-0/replicas: 10 -> 14 P1
        P1: cpu 97 % over 1h, above 95 %
        cpu is projected to be 69.3 % (measured on 10 nodes, target 70 %)
    ");
}

#[test]
fn scale_up_stands_on_the_lower_bound_of_a_partial_signal() {
    assert_snapshot!(news(|w| {
        w.set(BLUE, "memory/1h", 0.97);
        w.metric(BLUE, "memory/1h").nodes = Some(NodesSeen { seen: 9, expected: 10 });
    }), @r"
    node-group/eu-1/shard-a/blue/md-0/replicas: 10 -> 13 P1
        P1: memory 87.3 % over 1h, above 85 %
        memory is projected to be 67.2 % (measured on 10 nodes, target 70 %)
    ");
}

#[test]
fn scale_up_holds_while_the_lower_bound_of_a_partial_signal_does_not_cross() {
    assert_snapshot!(news(|w| {
        w.set(BLUE, "memory/1h", 0.97);
        w.metric(BLUE, "memory/1h").nodes = Some(NodesSeen { seen: 8, expected: 10 });
    }), @r"
    node-group/eu-1/shard-a/blue/md-0/replicas: hold
        gap: memory/1h is partial (8 of 10 nodes report)
        above-target: memory 77.6 % over 1h, between the target of 70 % and what scales up: nothing new is asked for
        in-range: cpu 60 % over 1h (up above 95 %), at least memory 77.6 % over 1h (up above 85 %), cpu 60 % over 24h (up above 75 %), memory 60 % over 24h (up above 75 %); down below 50 %
    ");
}

#[test]
fn scale_up_holds_while_it_is_not_known_who_reports() {
    assert_snapshot!(news(|w| {
        w.set(BLUE, "cpu/1h", 0.99);
        w.metric(BLUE, "cpu/1h").nodes = None;
    }), @r"
    node-group/eu-1/shard-a/blue/md-0/replicas: hold
        gap: cpu/1h is partial (the number of nodes behind it is not known)
        in-range: memory 60 % over 1h (up above 85 %), cpu 60 % over 24h (up above 75 %), memory 60 % over 24h (up above 75 %); down below 50 %
    ");
}

#[test]
fn scale_down_goes_as_far_as_the_target_and_the_step_allow() {
    assert_snapshot!(news(|w| w.usage(BLUE, 0.4)), @r"
    node-group/eu-1/shard-a/blue/md-0/replicas: 10 -> 8 routine
        cpu 40 % over 1h; with fewer nodes 50 %, below 65 %
    ");
    assert_snapshot!(news(|w| {
        w.usage(BLUE, 0.4);
        w.nodes_policy().scale_down.as_mut().unwrap().max_step = Step { nodes: None, percent: None };
    }), @r"
    node-group/eu-1/shard-a/blue/md-0/replicas: 10 -> 7 routine
        cpu 40 % over 1h; with fewer nodes 57.1 %, below 65 %
    ");
}

#[test]
fn scale_down_follows_the_highest_of_all_signals_and_windows() {
    assert_snapshot!(news(|w| {
        w.usage(BLUE, 0.1);
        w.set(BLUE, "memory/7d", 0.49);
        w.nodes_policy().scale_down.as_mut().unwrap().max_step = Step { nodes: None, percent: None };
    }), @r"
    node-group/eu-1/shard-a/blue/md-0/replicas: 10 -> 8 routine
        memory 49 % over 7d; with fewer nodes 61.3 %, below 65 %
    ");
}

#[test]
fn scale_down_holds_while_one_signal_in_one_window_is_not_below() {
    assert_snapshot!(news(|w| {
        w.usage(BLUE, 0.1);
        w.set(BLUE, "memory/7d", 0.5);
    }), @r"
    node-group/eu-1/shard-a/blue/md-0/replicas: hold
        in-range: cpu 10 % over 1h (up above 95 %), memory 10 % over 1h (up above 85 %), cpu 10 % over 24h (up above 75 %), memory 10 % over 24h (up above 75 %); down below 50 %
    ");
}

#[test]
fn scale_down_holds_at_the_minimum() {
    assert_snapshot!(news(|w| {
        w.usage(BLUE, 0.1);
        w.nodes_policy().bounds = Bounds::new(10, 20).unwrap();
    }), @r"
    node-group/eu-1/shard-a/blue/md-0/replicas: hold
        at-minimum: bounds.min of its policy is 10
    ");
}

#[test]
fn scale_down_stops_at_the_minimum() {
    assert_snapshot!(news(|w| {
        w.usage(BLUE, 0.1);
        w.nodes_policy().bounds = Bounds::new(9, 20).unwrap();
    }), @r"
    node-group/eu-1/shard-a/blue/md-0/replicas: 10 -> 9 routine
        cpu 10 % over 1h; with fewer nodes 11.1 %, below 65 %
    ");
}

#[test]
fn scale_down_holds_where_one_node_less_would_overshoot() {
    assert_snapshot!(news(|w| {
        w.nodes_policy().scale_down.as_mut().unwrap().target = Percent::of(50);
        w.usage(BLUE, 0.48);
    }), @r"
    node-group/eu-1/shard-a/blue/md-0/replicas: hold
        would-overshoot: cpu over 1h would be 53.3 % with fewer nodes, above 50 %
    ");
}

#[test]
fn scale_down_never_happens_without_leave_of_the_policy() {
    assert_snapshot!(news(|w| {
        w.usage(BLUE, 0.1);
        w.nodes_policy().scale_down = None;
    }), @r"
    node-group/eu-1/shard-a/blue/md-0/replicas: hold
        in-range: cpu 10 % over 1h (up above 95 %), memory 10 % over 1h (up above 85 %), cpu 10 % over 24h (up above 75 %), memory 10 % over 24h (up above 75 %); never down
    node-group/eu-1/shard-a/blue/md-1/replicas: hold
        in-range: cpu 60 % over 1h (up above 95 %), memory 60 % over 1h (up above 85 %), cpu 60 % over 24h (up above 75 %), memory 60 % over 24h (up above 75 %); never down
    node-group/eu-2/shard-b/green/md-0/replicas: hold
        in-range: cpu 60 % over 1h (up above 95 %), memory 60 % over 1h (up above 85 %), cpu 60 % over 24h (up above 75 %), memory 60 % over 24h (up above 75 %); never down
    node-group/us-1/shard-c/red/md-0/replicas: hold
        in-range: cpu 60 % over 1h (up above 95 %), memory 60 % over 1h (up above 85 %), cpu 60 % over 24h (up above 75 %), memory 60 % over 24h (up above 75 %); never down
    ");
}

#[test]
fn scale_down_holds_while_any_signal_is_less_than_fresh() {
    for grade in [
        Grade::Stale,
        Grade::Missing,
        Grade::Partial,
        Grade::Invalid,
        Grade::Suspect,
    ] {
        for key in ["cpu/1h", "memory/1h", "cpu/24h", "memory/24h", "cpu/7d", "memory/7d"] {
            let verdict = World::healthy()
                .with(|w| {
                    w.usage(BLUE, 0.1);
                    w.metric(BLUE, key).grade = grade;
                })
                .verdict(BLUE);
            assert!(matches!(verdict, Verdict::Hold { .. }), "{key} {grade}: {verdict:?}");
        }
    }
    assert_snapshot!(news(|w| {
        w.usage(BLUE, 0.1);
        w.metric(BLUE, "memory/7d").grade = Grade::Stale;
        w.metric(BLUE, "memory/7d").cause = Some("no sample since Sunday".to_owned());
    }), @r"
    node-group/eu-1/shard-a/blue/md-0/replicas: hold
        gap: no down: memory/7d is stale (no sample since Sunday)
        in-range: cpu 10 % over 1h (up above 95 %), memory 10 % over 1h (up above 85 %), cpu 10 % over 24h (up above 75 %), memory 10 % over 24h (up above 75 %); down below 50 %
    ");
}

#[test]
fn scale_down_holds_while_a_trigger_of_ups_can_not_be_judged() {
    assert_snapshot!(news(|w| {
        w.usage(BLUE, 0.1);
        w.nodes_policy().scale_down.as_mut().unwrap().lookback = vec![n("7d")];
        w.live(BLUE).measurements.remove(&n("cpu/1h"));
    }), @r"
    node-group/eu-1/shard-a/blue/md-0/replicas: hold instead of 10 -> 8 routine
        gap: cpu/1h is missing (not in the snapshot)
    ");
}

#[test]
fn scale_down_holds_while_whoever_measures_knows_of_fewer_nodes_than_are_ready() {
    assert_snapshot!(news(|w| {
        w.usage(BLUE, 0.4);
        w.metric(BLUE, "cpu/24h").nodes = Some(NodesSeen { seen: 2, expected: 2 });
    }), @r"
    node-group/eu-1/shard-a/blue/md-0/replicas: hold
        gap: cpu/24h is partial (2 of 10 nodes report)
        in-range: cpu 40 % over 1h (up above 95 %), memory 40 % over 1h (up above 85 %), at least cpu 8 % over 24h (up above 75 %), memory 40 % over 24h (up above 75 %); down below 50 %
    ");
}

#[test]
fn a_metrics_outage_that_looks_like_zero_is_suspect() {
    assert_snapshot!(news(|w| w.usage(BLUE, 0.0)), @r"
    node-group/eu-1/shard-a/blue/md-0/replicas: hold
        gap: cpu/1h is suspect (nodes that run can't use nothing)
        gap: memory/1h is suspect (nodes that run can't use nothing)
        gap: cpu/24h is suspect (nodes that run can't use nothing)
        gap: memory/24h is suspect (nodes that run can't use nothing)
        gap: no down: cpu/7d is suspect (nodes that run can't use nothing)
        gap: no down: memory/7d is suspect (nodes that run can't use nothing)
        in-range: nothing was measured; down below 50 %
    ");
}

#[test]
fn a_metrics_outage_that_looks_empty_is_missing() {
    assert_snapshot!(news(|w| w.live(BLUE).measurements.clear()), @r"
    node-group/eu-1/shard-a/blue/md-0/replicas: hold
        gap: cpu/1h is missing (not in the snapshot)
        gap: memory/1h is missing (not in the snapshot)
        gap: cpu/24h is missing (not in the snapshot)
        gap: memory/24h is missing (not in the snapshot)
        gap: no down: cpu/7d is missing (not in the snapshot)
        gap: no down: memory/7d is missing (not in the snapshot)
        in-range: nothing was measured; down below 50 %
    ");
}

#[test]
fn a_group_of_zero_nodes_is_switched_off() {
    assert_snapshot!(news(|w| {
        w.usage(BLUE, 0.97);
        w.live(BLUE).replicas = 0;
        w.binding(BLUE).value = Some(0.into());
    }), @r"
    node-group/eu-1/shard-a/blue/md-0/replicas: hold
        in-range: it is switched off: 0 nodes
    ");
}

#[test]
fn nodes_that_are_missing_count_as_coming() {
    // 0.97 on six Ready nodes needs nine, and ten are declared.
    assert_snapshot!(news(|w| {
        w.live(BLUE).ready = 6;
        w.usage(BLUE, 0.97);
    }), @r"
    node-group/eu-1/shard-a/blue/md-0/replicas: hold
        gap: no up: nodes is partial (6 of 10 are Ready; with all of them 9 are enough)
    ");
}

#[test]
fn a_use_between_target_and_threshold_asks_for_nothing_new() {
    assert_snapshot!(news(|w| w.set(BLUE, "cpu/24h", 0.74)), @r"
    node-group/eu-1/shard-a/blue/md-0/replicas: hold
        above-target: cpu 74 % over 24h, between the target of 70 % and what scales up: nothing new is asked for
        in-range: cpu 60 % over 1h (up above 95 %), memory 60 % over 1h (up above 85 %), cpu 74 % over 24h (up above 75 %), memory 60 % over 24h (up above 75 %); down below 50 %
    ");
}

#[test]
fn a_down_waits_until_the_windows_of_ups_are_clean() {
    assert_snapshot!(news(|w| {
        w.usage(BLUE, 0.4);
        w.nodes_policy().cooldown.down = n("1h");
        w.live(BLUE).changed_at = Some(n("2026-10-06T07:00:00Z"));
    }), @r"
    node-group/eu-1/shard-a/blue/md-0/replicas: hold instead of 10 -> 8 routine
        cooling-down: it changed at 2026-10-06T07:00:00Z and rests until 2026-10-07T07:00:00Z
    ");
}

#[test]
fn a_week_in_which_the_group_was_larger_counts_with_the_nodes_of_then() {
    let merged = |w: &mut World, ended_at: &str| {
        w.usage(BLUE, 0.3);
        w.set(BLUE, "memory/7d", 0.42);
        w.live(BLUE).changed_at = Some(n("2026-10-04T09:00:00Z"));
        w.nodes_policy().scale_down.as_mut().unwrap().max_step = Step {
            nodes: None,
            percent: None,
        };
        let request = w.pull_request(7, "fleetscale/eu-1/shard-a/blue/down", &[(BLUE, 14.into(), 10.into())]);
        request.state = PullRequestState::Merged;
        request.ended_at = Some(n(ended_at));
    };
    // 0.42 of fourteen nodes are 5.9 nodes, and need ten at 65 %.
    assert_snapshot!(news(|w| merged(w, "2026-10-04T08:00:00Z")), @r"
    node-group/eu-1/shard-a/blue/md-0/replicas: hold
        would-overshoot: memory over 7d would be 65.3 % with fewer nodes, above 65 %
    ");
    // A month ago is outside of the week: 0.42 of ten nodes need seven.
    assert_snapshot!(news(|w| merged(w, "2026-09-04T08:00:00Z")), @r"
    node-group/eu-1/shard-a/blue/md-0/replicas: 10 -> 7 routine
        memory 42 % over 7d; with fewer nodes 60 %, below 65 %
    ");
}

#[test]
fn an_up_whose_age_the_api_server_does_not_tell_rests_from_its_merge() {
    assert_snapshot!(news(|w| {
        w.set(BLUE, "cpu/24h", 0.9);
        w.live(BLUE).changed_at = None;
        let request = w.pull_request(7, "fleetscale/eu-1/shard-a/blue/up", &[(BLUE, 8.into(), 10.into())]);
        request.state = PullRequestState::Merged;
        request.ended_at = Some(n("2026-10-06T06:00:00Z"));
    }), @r"
    node-group/eu-1/shard-a/blue/md-0/replicas: hold instead of 10 -> 13 P2
        cooling-down: it changed at 2026-10-06T06:00:00Z and rests until 2026-10-07T06:00:00Z
    ");
}
