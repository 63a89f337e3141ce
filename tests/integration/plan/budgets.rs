//! How much may change at once.

use fleetscale::model::*;
use fleetscale::policy::{Budget, BudgetPer, Percent};
use insta::assert_snapshot;

use super::plan;
use crate::support::parts::*;
use crate::support::world::World;

/// A budget that bounds nothing.
fn budget(direction: Option<Direction>, per: BudgetPer) -> Budget {
    Budget {
        direction,
        max_changes: None,
        max_nodes: None,
        max_percent: None,
        per,
        window: None,
    }
}

/// Everything shrinks by two nodes, but for BLUE_1 that shrinks by one.
fn quiet(w: &mut World) {
    for target in [BLUE, BLUE_1, GREEN, RED] {
        w.usage(target, 0.4);
    }
}

#[test]
fn downs_without_a_budget_all_go() {
    assert_snapshot!(plan(quiet), @r"
      TARGET                                       FROM -> TO  WHY
      node-group/eu-1/shard-a/blue/md-0/replicas   10 -> 8     cpu 40 % over 1h; with fewer nodes 50 %, below 65 %
      node-group/eu-1/shard-a/blue/md-1/replicas   5 -> 4      cpu 40 % over 1h; with fewer nodes 50 %, below 65 %
      node-group/eu-2/shard-b/green/md-0/replicas  6 -> 4      cpu 40 % over 1h; with fewer nodes 60 %, below 65 %
      node-group/us-1/shard-c/red/md-0/replicas    8 -> 6      cpu 40 % over 1h; with fewer nodes 53.3 %, below 65 %

    4 to change, 0 held, 3 unchanged
    ");
}

#[test]
fn a_share_of_the_nodes_is_rounded_up_to_at_least_one() {
    // 5 % of eu-1's 15 nodes is one node, of the others' six and eight too; all want two.
    assert_snapshot!(plan(|w| {
        quiet(w);
        w.nodes_policy().scale_down.as_mut().unwrap().max_step.nodes = Some(1);
        w.fleet.limits.budgets = vec![Budget { max_percent: Some(Percent::of(5)), ..budget(Some(Direction::Down), BudgetPer::ManagementCluster) }];
    }), @r"
      TARGET                                       FROM -> TO  WHY
      node-group/eu-1/shard-a/blue/md-0/replicas   10 -> 9     cpu 40 % over 1h; with fewer nodes 44.4 %, below 65 %
      node-group/eu-2/shard-b/green/md-0/replicas  6 -> 5      cpu 40 % over 1h; with fewer nodes 48 %, below 65 %
      node-group/us-1/shard-c/red/md-0/replicas    8 -> 7      cpu 40 % over 1h; with fewer nodes 45.7 %, below 65 %

      HELD                                        WHY
      node-group/eu-1/shard-a/blue/md-1/replicas  budget-exhausted: downs: 2 nodes, 5% of 15 are 1, of eu-1 (wanted 5 -> 4)

    3 to change, 1 held, 3 unchanged
    ");
}

#[test]
fn a_change_that_finds_no_room_is_held_whole_and_a_smaller_one_may_pass() {
    assert_snapshot!(plan(|w| {
        quiet(w);
        w.fleet.limits.budgets = vec![Budget { max_nodes: Some(1), ..budget(Some(Direction::Down), BudgetPer::Cluster) }];
        w.usage(BLUE_1, 0.49);
    }), @r"
      TARGET                                      FROM -> TO  WHY
      node-group/eu-1/shard-a/blue/md-1/replicas  5 -> 4      cpu 49 % over 1h; with fewer nodes 61.3 %, below 65 %

      HELD                                         WHY
      node-group/eu-1/shard-a/blue/md-0/replicas   budget-exhausted: downs: 2 of 1 nodes of eu-1 shard-a/blue (wanted 10 -> 8)
      node-group/eu-2/shard-b/green/md-0/replicas  budget-exhausted: downs: 2 of 1 nodes of eu-2 shard-b/green (wanted 6 -> 4)
      node-group/us-1/shard-c/red/md-0/replicas    budget-exhausted: downs: 2 of 1 nodes of us-1 shard-c/red (wanted 8 -> 6)

    1 to change, 3 held, 3 unchanged
    ");
}

#[test]
fn of_several_budgets_the_most_restrictive_wins() {
    assert_snapshot!(plan(|w| {
        quiet(w);
        w.fleet.limits.budgets = vec![
            Budget { max_nodes: Some(6), ..budget(Some(Direction::Down), BudgetPer::Run) },
            Budget { max_changes: Some(1), ..budget(Some(Direction::Down), BudgetPer::ManagementCluster) },
            Budget { max_nodes: Some(2), ..budget(None, BudgetPer::ManagementCluster) },
        ];
    }), @r"
      TARGET                                       FROM -> TO  WHY
      node-group/eu-1/shard-a/blue/md-0/replicas   10 -> 8     cpu 40 % over 1h; with fewer nodes 50 %, below 65 %
      node-group/eu-2/shard-b/green/md-0/replicas  6 -> 4      cpu 40 % over 1h; with fewer nodes 60 %, below 65 %
      node-group/us-1/shard-c/red/md-0/replicas    8 -> 6      cpu 40 % over 1h; with fewer nodes 53.3 %, below 65 %

      HELD                                        WHY
      node-group/eu-1/shard-a/blue/md-1/replicas  budget-exhausted: 1 of 1 downs of eu-1 (wanted 5 -> 4)

    3 to change, 1 held, 3 unchanged
    ");
}

#[test]
fn p1_ups_come_first_then_ups_then_downs() {
    assert_snapshot!(plan(|w| {
        w.usage(BLUE, 0.4);
        w.set(GREEN, "cpu/24h", 0.8);
        w.usage(RED, 0.97);
        w.fleet.limits.budgets = vec![Budget { max_changes: Some(2), ..budget(None, BudgetPer::Run) }];
    }), @r"
      TARGET                                       FROM -> TO  WHY
      node-group/us-1/shard-c/red/md-0/replicas    8 -> 12     P1: cpu 97 % over 1h, above 95 %
                                                               P1: memory 97 % over 1h, above 85 %
                                                               P2: cpu 97 % over 24h, above 75 %
                                                               P2: memory 97 % over 24h, above 75 %
                                                               cpu is projected to be 64.7 % (measured on 8 nodes, target 70 %)
      node-group/eu-2/shard-b/green/md-0/replicas  6 -> 7      P2: cpu 80 % over 24h, above 75 %
                                                               cpu is projected to be 68.6 % (measured on 6 nodes, target 70 %)

      HELD                                        WHY
      node-group/eu-1/shard-a/blue/md-0/replicas  budget-exhausted: 2 of 2 changes of this run (wanted 10 -> 8)

    2 to change, 1 held, 4 unchanged
    ");
}

#[test]
fn a_budget_applies_in_its_window_only() {
    let with = |schedule: &str| {
        plan(|w| {
            quiet(w);
            w.fleet.limits.budgets = vec![Budget {
                max_changes: Some(0),
                window: Some(window(schedule, "8h")),
                ..budget(Some(Direction::Down), BudgetPer::Run)
            }];
        })
    };
    assert_eq!(with("0 18 * * *"), plan(quiet));
    assert_snapshot!(with("0 6 * * *"), @r"
    Nothing to change.

      HELD                                         WHY
      node-group/eu-1/shard-a/blue/md-0/replicas   budget-exhausted: 0 of 0 downs of this run (wanted 10 -> 8)
      node-group/eu-1/shard-a/blue/md-1/replicas   budget-exhausted: 0 of 0 downs of this run (wanted 5 -> 4)
      node-group/eu-2/shard-b/green/md-0/replicas  budget-exhausted: 0 of 0 downs of this run (wanted 6 -> 4)
      node-group/us-1/shard-c/red/md-0/replicas    budget-exhausted: 0 of 0 downs of this run (wanted 8 -> 6)

    0 to change, 4 held, 3 unchanged
    ");
}

#[test]
fn what_is_under_review_has_its_budget_already() {
    // Four nodes are in flight, of which two are those of BLUE itself.
    assert_snapshot!(plan(|w| {
        quiet(w);
        w.fleet.limits.budgets = vec![Budget { max_nodes: Some(4), ..budget(Some(Direction::Down), BudgetPer::Run) }];
        w.pull_request(1, "fleetscale/us-1/shard-c/red/down", &[(RED, 8.into(), 6.into())]);
        w.pull_request(2, "fleetscale/eu-1/shard-a/blue/down", &[(BLUE, 10.into(), 8.into())]);
    }), @r"
      TARGET                                      FROM -> TO  WHY
      node-group/eu-1/shard-a/blue/md-0/replicas  10 -> 8     cpu 40 % over 1h; with fewer nodes 50 %, below 65 %
      node-group/us-1/shard-c/red/md-0/replicas   8 -> 6      cpu 40 % over 1h; with fewer nodes 53.3 %, below 65 %

      HELD                                         WHY
      node-group/eu-1/shard-a/blue/md-1/replicas   budget-exhausted: downs: 5 of 4 nodes of this run (wanted 5 -> 4)
      node-group/eu-2/shard-b/green/md-0/replicas  budget-exhausted: downs: 6 of 4 nodes of this run (wanted 6 -> 4)

    2 to change, 2 held, 3 unchanged
    ");
}

#[test]
fn a_change_under_review_that_grows_beyond_the_budget_stays_as_it_is_and_keeps_its_share() {
    assert_snapshot!(plan(|w| {
        quiet(w);
        w.fleet.limits.budgets = vec![Budget { max_nodes: Some(1), ..budget(Some(Direction::Down), BudgetPer::ManagementCluster) }];
        w.pull_request(2, "fleetscale/eu-1/shard-a/blue/down", &[(BLUE, 10.into(), 9.into())]);
    }), @r"
    Nothing to change.

      HELD                                         WHY
      node-group/eu-1/shard-a/blue/md-0/replicas   budget-exhausted: downs: 2 of 1 nodes of eu-1 (wanted 10 -> 8)
      node-group/eu-1/shard-a/blue/md-1/replicas   budget-exhausted: downs: 2 of 1 nodes of eu-1 (wanted 5 -> 4)
      node-group/eu-2/shard-b/green/md-0/replicas  budget-exhausted: downs: 2 of 1 nodes of eu-2 (wanted 6 -> 4)
      node-group/us-1/shard-c/red/md-0/replicas    budget-exhausted: downs: 2 of 1 nodes of us-1 (wanted 8 -> 6)

    Pull request #2 (fleetscale/eu-1/shard-a/blue/down) stays open as it is:
      node-group/eu-1/shard-a/blue/md-0/replicas: downs: 2 of 1 nodes of eu-1

    0 to change, 4 held, 3 unchanged
    ");
}

#[test]
fn a_placement_counts_where_it_goes() {
    assert_snapshot!(plan(|w| {
        w.request("eu", "orange");
        w.request("eu", "pear");
        w.request("eu", "plum");
        w.fleet.limits.budgets = vec![Budget { max_changes: Some(1), ..budget(None, BudgetPer::ManagementCluster) }];
    }), @r"
      TARGET               FROM -> TO  WHY
      placement/eu/orange  -> shard-a  room for 4 of 5 clusters, the most of 2 shards that can take it
      placement/eu/pear    -> shard-b  room for 4 of 5 clusters, the most of 2 shards that can take it

      HELD               WHY
      placement/eu/plum  budget-exhausted: 1 of 1 changes of eu-1

    2 to change, 1 held, 7 unchanged
    ");
}

#[test]
fn new_pull_requests_are_limited_and_urgent_ones_have_a_limit_of_their_own() {
    assert_snapshot!(plan(|w| {
        w.usage(BLUE, 0.97);
        w.usage(RED, 0.97);
        w.set(GREEN, "cpu/24h", 0.8);
        w.kamaji().tenants = counted(600.0);
        w.fleet.limits.new_urgent_pull_requests = 1;
        w.fleet.limits.new_pull_requests = 1;
    }), @r"
      TARGET                                       FROM -> TO  WHY
      node-group/eu-1/shard-a/blue/md-0/replicas   10 -> 14    P1: cpu 97 % over 1h, above 95 %
                                                               P1: memory 97 % over 1h, above 85 %
                                                               P2: cpu 97 % over 24h, above 75 %
                                                               P2: memory 97 % over 24h, above 75 %
                                                               cpu is projected to be 69.3 % (measured on 10 nodes, target 70 %)
      node-group/eu-2/shard-b/green/md-0/replicas  6 -> 7      P2: cpu 80 % over 24h, above 75 %
                                                               cpu is projected to be 68.6 % (measured on 6 nodes, target 70 %)

      HELD                                       WHY
      node-group/us-1/shard-c/red/md-0/replicas  budget-exhausted: 1 new urgent pull requests in this run (wanted 8 -> 12)
      platform/eu-1/kamaji/replicas              budget-exhausted: 1 new pull requests in this run (wanted 3 -> 5)

    2 to change, 2 held, 3 unchanged
    ");
}

#[test]
fn open_pull_requests_are_limited_but_for_urgent_ones() {
    assert_snapshot!(plan(|w| {
        w.usage(BLUE, 0.97);
        w.set(GREEN, "cpu/24h", 0.8);
        w.set(RED, "cpu/24h", 0.8);
        w.pull_request(1, "fleetscale/us-1/shard-c/red/up", &[(RED, 8.into(), 10.into())]);
        w.fleet.limits.open_pull_requests = 2;
    }), @r"
      TARGET                                      FROM -> TO  WHY
      node-group/eu-1/shard-a/blue/md-0/replicas  10 -> 14    P1: cpu 97 % over 1h, above 95 %
                                                              P1: memory 97 % over 1h, above 85 %
                                                              P2: cpu 97 % over 24h, above 75 %
                                                              P2: memory 97 % over 24h, above 75 %
                                                              cpu is projected to be 69.3 % (measured on 10 nodes, target 70 %)
      node-group/us-1/shard-c/red/md-0/replicas   8 -> 10     P2: cpu 80 % over 24h, above 75 %
                                                              cpu is projected to be 64 % (measured on 8 nodes, target 70 %)

      HELD                                         WHY
      node-group/eu-2/shard-b/green/md-0/replicas  budget-exhausted: 2 open pull requests (wanted 6 -> 7)

    2 to change, 1 held, 4 unchanged
    ");
}

#[test]
fn pull_requests_of_other_people_count_against_no_limit() {
    let planned = |limit, opened_by: Option<&str>| {
        plan(|w| {
            w.set(GREEN, "cpu/24h", 0.8);
            let request = w.pull_request(1, "fleetscale/us-1/shard-c/red/up", &[(RED, 8.into(), 10.into())]);
            request.opened_by = opened_by.map(str::to_owned);
            request.record = request.record.take().filter(|_| opened_by.is_none());
            w.fleet.limits.open_pull_requests = limit;
        })
    };
    assert!(planned(1, None).contains("budget-exhausted: 1 open pull requests"));
    assert!(!planned(1, Some("jo")).contains("budget-exhausted"));
}

#[test]
fn a_change_without_a_budget_takes_no_pull_request_from_another() {
    assert_snapshot!(plan(|w| {
        quiet(w);
        w.kamaji().tenants = counted(600.0);
        w.kamaji().replicas = 5;
        w.kamaji().ready = 5;
        w.binding(KAMAJI).value = Some(5.into());
        w.kamaji().tenants = counted(50.0);
        w.fleet.limits.new_pull_requests = 1;
        w.fleet.limits.budgets = vec![Budget { max_nodes: Some(0), ..budget(Some(Direction::Down), BudgetPer::Run) }];
    }), @r"
      TARGET                         FROM -> TO  WHY
      platform/eu-1/kamaji/replicas  5 -> 2      50 tenants, the ladder's rung from 1

      HELD                                         WHY
      node-group/eu-1/shard-a/blue/md-0/replicas   budget-exhausted: downs: 2 of 0 nodes of this run (wanted 10 -> 8)
      node-group/eu-1/shard-a/blue/md-1/replicas   budget-exhausted: downs: 1 of 0 nodes of this run (wanted 5 -> 4)
      node-group/eu-2/shard-b/green/md-0/replicas  budget-exhausted: downs: 2 of 0 nodes of this run (wanted 6 -> 4)
      node-group/us-1/shard-c/red/md-0/replicas    budget-exhausted: downs: 2 of 0 nodes of this run (wanted 8 -> 6)

    1 to change, 4 held, 2 unchanged
    ");
}
