//! Kamaji's replicas by the number of its tenants.

use fleetscale::model::*;
use insta::assert_snapshot;

use super::news;
use crate::support::parts::*;
use crate::support::world::World;

fn tenants(count: f64) -> impl FnOnce(&mut World) {
    move |w| w.kamaji().tenants = counted(count)
}

#[test]
fn replicas_follow_the_ladder_up() {
    assert_snapshot!(news(tenants(500.0)), @r"
    platform/eu-1/kamaji/replicas: 3 -> 5 routine
        500 tenants, the ladder's rung from 500
    ");
    assert_snapshot!(news(tenants(499.0)), @r"
    platform/eu-1/kamaji/replicas: hold
        in-range: 499 tenants, the ladder says 3 replicas from 100 tenants on
    ");
}

#[test]
fn replicas_follow_the_ladder_down() {
    assert_snapshot!(news(tenants(50.0)), @r"
    platform/eu-1/kamaji/replicas: 3 -> 2 routine
        50 tenants, the ladder's rung from 1
    ");
}

#[test]
fn replicas_become_fewer_only_with_leave_of_the_policy() {
    assert_snapshot!(news(|w| {
        tenants(50.0)(w);
        w.policies.platforms[0].scale_down = None;
    }), @r"
    platform/eu-1/kamaji/replicas: hold
        in-range: 50 tenants would do with 2 replicas, but the policy never scales down
    ");
}

#[test]
fn a_partial_count_is_a_lower_bound_and_enough_for_an_up() {
    assert_snapshot!(news(|w| {
        tenants(600.0)(w);
        w.kamaji().tenants.grade = Grade::Partial;
    }), @r"
    platform/eu-1/kamaji/replicas: 3 -> 5 routine
        600 tenants, the ladder's rung from 500
    ");
}

#[test]
fn a_partial_count_takes_no_replica_away() {
    assert_snapshot!(news(|w| {
        tenants(50.0)(w);
        w.kamaji().tenants.grade = Grade::Partial;
        w.kamaji().tenants.cause = Some("one datastore does not answer".to_owned());
    }), @r"
    platform/eu-1/kamaji/replicas: hold instead of 3 -> 2 routine
        gap: tenants is partial (one datastore does not answer)
    ");
}

#[test]
fn replicas_hold_while_the_tenants_can_not_be_counted() {
    assert_snapshot!(news(|w| w.kamaji().tenants = Measurement::missing("403 Forbidden")), @r"
    platform/eu-1/kamaji/replicas: hold
        gap: tenants is missing (403 Forbidden)
    ");
    assert_snapshot!(news(tenants(50.5)), @r"
    platform/eu-1/kamaji/replicas: hold
        gap: tenants is invalid (a count that is no whole number)
    ");
}

#[test]
fn a_component_that_is_not_seen_is_blind_or_not_live() {
    assert_snapshot!(news(|w| {
        w.management_cluster("eu-1").platforms.clear();
    }), @r"
    platform/eu-1/kamaji/replicas: hold
        not-live: it is declared, but not live
    ");
    assert_snapshot!(news(|w| {
        w.management_cluster("eu-1").platforms.clear();
        w.gap("eu-1", Inventory::Platforms);
    }), @r"
    platform/eu-1/kamaji/replicas: hold
        blind: the list of platforms is incomplete (503 from the API server)
    ");
}

#[test]
fn the_guards_of_node_groups_hold_replicas_too() {
    assert_snapshot!(news(|w| {
        tenants(50.0)(w);
        w.kamaji().ready = 2;
        w.kamaji().changed_at = Some(n("2026-10-06T08:00:00Z"));
        w.policies.platforms[0].scale_down = Some(vec![window("0 2 * * 6", "4h")]);
        w.gap("eu-1", Inventory::Platforms);
    }), @r"
    platform/eu-1/kamaji/replicas: hold instead of 3 -> 2 routine
        blind: the list of platforms is incomplete (503 from the API server)
        not-ready: 2 of 3 are Ready
        cooling-down: it changed at 2026-10-06T08:00:00Z and rests until 2026-10-07T08:00:00Z
        window-closed: its window opens at 2026-10-10T02:00:00Z
    ");
    assert_snapshot!(news(|w| {
        tenants(500.0)(w);
        w.kamaji().ready = 2;
        w.kamaji().changed_at = None;
    }), @r"
    platform/eu-1/kamaji/replicas: 3 -> 5 routine
        500 tenants, the ladder's rung from 500
    ");
    assert_snapshot!(news(|w| {
        tenants(500.0)(w);
        w.declared.bindings.remove(&n(KAMAJI));
    }), @r"
    platform/eu-1/kamaji/replicas: hold
        not-declared: it is live, but no file that was read declares it
    ");
    assert_snapshot!(news(|w| {
        tenants(500.0)(w);
        w.kamaji().replicas = 2;
    }), @r"
    platform/eu-1/kamaji/replicas: hold
        not-applied: Git declares 3, live is 2: waiting until they agree
    ");
}

#[test]
fn a_key_of_a_charts_values_that_is_not_what_is_live_may_be_one_that_nothing_reads() {
    let values = |w: &mut World| {
        tenants(500.0)(w);
        w.kamaji().replicas = 2;
        let Site::Writable(place) = &mut w.binding(KAMAJI).site else {
            panic!("it can be written");
        };
        place.object = ObjectKey::default();
    };
    assert_snapshot!(news(values), @r"
    platform/eu-1/kamaji/replicas: hold
        key-not-effective: the chart's values say /kmetal/kamaji/replicas: 3, live is 2: the chart may not read that key
    ");
    assert_snapshot!(news(|w| {
        values(w);
        let merged = w.pull_request(41, "fleetscale/eu-1/kamaji/up", &[(KAMAJI, 2.into(), 3.into())]);
        merged.state = PullRequestState::Merged;
    }), @r"
    platform/eu-1/kamaji/replicas: hold
        not-applied: Git declares 3, live is 2: waiting until the merged pull request #41 is applied
    ");
}

#[test]
fn a_tenant_that_comes_and_goes_at_the_edge_of_a_rung_moves_nothing() {
    assert_snapshot!(news(tenants(91.0)), @r"
    platform/eu-1/kamaji/replicas: hold
        in-range: 91 tenants would do with 2 replicas, but a tenth more would not
    ");
    assert_snapshot!(news(tenants(90.0)), @r"
    platform/eu-1/kamaji/replicas: 3 -> 2 routine
        90 tenants, the ladder's rung from 1
    ");
}

#[test]
fn a_down_over_two_rungs_keeps_the_margin_too() {
    assert_snapshot!(news(|w| {
        tenants(95.0)(w);
        w.kamaji().replicas = 5;
        w.kamaji().ready = 5;
        w.binding(KAMAJI).value = Some(5.into());
    }), @r"
    platform/eu-1/kamaji/replicas: 5 -> 3 routine
        95 tenants (and a tenth more), the ladder's rung from 100
    ");
}

#[test]
fn a_partial_count_does_not_prove_that_an_up_is_needless() {
    assert_snapshot!(news(|w| w.kamaji().tenants.grade = Grade::Partial), @r"
    platform/eu-1/kamaji/replicas: hold
        gap: tenants is partial (the count is partial)
        in-range: 150 tenants, the ladder says 3 replicas from 100 tenants on
    ");
}

#[test]
fn no_tenant_at_all_is_suspect() {
    assert_snapshot!(news(|w| {
        tenants(0.0)(w);
        w.policies.platforms[0].ladder = ladder(&[(0, 2), (100, 3)]);
    }), @r"
    platform/eu-1/kamaji/replicas: hold
        gap: tenants is suspect (no tenant at all for 3 replicas)
    ");
}

#[test]
fn a_component_that_is_switched_off_stays_off() {
    assert_snapshot!(news(|w| {
        w.kamaji().replicas = 0;
        w.kamaji().ready = 0;
        w.binding(KAMAJI).value = Some(0.into());
    }), @r"
    platform/eu-1/kamaji/replicas: hold
        in-range: it is switched off: 0 replicas
    ");
}
