//! Beside what is under review already, and after what reviewers have said.

use fleetscale::model::*;
use fleetscale::policy::GroupBy;
use insta::assert_snapshot;

use super::plan;
use crate::support::parts::*;
use crate::support::world::World;

const BLUE_UP: &str = "fleetscale/eu-1/shard-a/blue/up";
const BLUE_DOWN: &str = "fleetscale/eu-1/shard-a/blue/down";

fn up(w: &mut World) {
    w.usage(BLUE, 0.97);
}

/// An open pull request for what `up` wants.
fn open(w: &mut World) -> &mut PullRequest {
    w.pull_request(5, BLUE_UP, &[(BLUE, 10.into(), 14.into())])
}

/// What becomes of the open pull request after a deviation: its line of the plan.
fn standing(deviation: impl FnOnce(&mut World)) -> String {
    let plan = World::healthy().with(|w| {
        open(w);
        deviation(w);
    });
    let plan = plan.plan();
    let lines = plan.standing.iter().map(|standing| {
        let verb = if standing.keep { "keep" } else { "withdraw" };
        let reasons = standing.reasons.iter().flat_map(|of_target| &of_target.reasons);
        let ids: Vec<&str> = reasons.map(HoldReason::id).collect();
        format!("{verb} {}", ids.join(" "))
    });
    lines.collect::<Vec<String>>().join("\n")
}

#[test]
fn its_own_pull_request_holds_nothing() {
    let without = World::healthy().with(up).plan();
    let with = World::healthy()
        .with(|w| {
            up(w);
            open(w);
        })
        .plan();
    assert_eq!(with.proposals, without.proposals);
    assert_eq!((with.held, with.standing), (without.held, Vec::new()));
}

#[test]
fn an_open_pull_request_is_kept_or_withdrawn_as_each_reason_says() {
    type Case = (&'static str, fn(&mut World));
    let cases: &[Case] = &[
        ("withdraw in-range", |_| ()),
        ("keep above-target in-range", |w| w.set(BLUE, "cpu/24h", 0.74)),
        ("withdraw no-policy", |w| {
            w.nodes_policy().selector.clusters = Some(vec![n("x")])
        }),
        ("keep policy-conflict", |w| {
            let other = w.nodes_policy().clone();
            w.policies.node_groups.push(other);
        }),
        ("keep gap gap in-range", |w| {
            w.live(BLUE)
                .measurements
                .retain(|key, _| key.signal == Signal::Cpu || key.window == n("7d"))
        }),
        ("keep blind", |w| {
            drop(w.snapshot.live.management_clusters.remove(&n("eu-1")))
        }),
        ("keep cooling-down", |w| {
            up(w);
            w.live(BLUE).changed_at = Some(n("2026-10-06T08:30:00Z"));
        }),
        ("withdraw at-maximum", |w| {
            up(w);
            w.nodes_policy().bounds = fleetscale::policy::Bounds::new(3, 10).unwrap();
        }),
        ("withdraw paused", |w| {
            up(w);
            w.live(BLUE).paused = true;
        }),
        ("withdraw gap gap in-range paused", |w| {
            w.live(BLUE).paused = true;
            w.live(BLUE)
                .measurements
                .retain(|key, _| key.signal == Signal::Cpu || key.window == n("7d"));
        }),
        ("withdraw deleting", |w| {
            up(w);
            w.live_cluster(BLUE).deleting = true;
        }),
        ("withdraw owned-by-autoscaler", |w| {
            up(w);
            w.live(BLUE).autoscaler = Some(AutoscalerBounds { min: 1, max: 9 });
        }),
        ("keep not-applied", |w| {
            up(w);
            w.live(BLUE).replicas = 9;
        }),
        ("withdraw not-declared", |w| {
            up(w);
            w.declared.bindings.remove(&n(BLUE));
        }),
        ("keep not-live", |w| {
            drop(w.live_cluster(BLUE).node_groups.remove(&n("md-0")))
        }),
        ("withdraw not-writable", |w| {
            up(w);
            w.binding(BLUE).site = Site::Refused {
                path: None,
                line: 0,
                refusal: Refusal::Alias,
            };
        }),
        ("keep frozen", |w| {
            w.set(BLUE, "cpu/24h", 0.8);
            w.fleet.freezes = vec![fleetscale::policy::Freeze {
                name: "audit".to_owned(),
                window: window("0 0 1 10 *", "30d"),
                reason: None,
            }];
        }),
        ("keep suspended", |w| {
            up(w);
            w.nodes_policy().meta.suspend = true;
        }),
        ("keep in-range suspended", |w| w.nodes_policy().meta.suspend = true),
        ("withdraw report-only", |w| {
            up(w);
            w.nodes_policy().meta.mode = fleetscale::policy::Mode::Report;
        }),
        ("withdraw held-by-annotation", |w| {
            up(w);
            w.binding(BLUE).hold = Some(HoldAnnotation {
                reason: "x".to_owned(),
                until: None,
            });
        }),
        // What blocks only downs keeps no up.
        ("withdraw gap in-range", |w| {
            w.usage(BLUE, 0.3);
            w.live(BLUE).measurements.remove(&n("cpu/7d"));
        }),
        ("withdraw in-range", |w| w.live(BLUE).up_to_date = 4),
        // Nodes are missing, and those that are there are above the threshold.
        ("keep gap", |w| {
            w.live(BLUE).ready = 6;
            w.usage(BLUE, 0.97);
        }),
        // Nothing is known of it any more.
        ("withdraw in-range", |w| {
            w.live_cluster(BLUE).node_groups.remove(&n("md-0"));
            w.declared.bindings.remove(&n(BLUE));
        }),
        // Somebody else's, or nobody's: no record, no word.
        ("", |w| w.snapshot.ledger.pull_requests[0].record = None),
    ];
    for (index, (expected, deviation)) in cases.iter().enumerate() {
        assert_eq!(standing(deviation), *expected, "case {index}");
    }
}

#[test]
fn an_open_pull_request_that_goes_the_wrong_way_is_withdrawn_and_its_successor_waits_for_that() {
    assert_snapshot!(plan(|w| {
        w.pull_request(5, BLUE_DOWN, &[(BLUE, 10.into(), 8.into())]);
        up(w);
    }), @r"
    Nothing to change.

      HELD                                        WHY
      node-group/eu-1/shard-a/blue/md-0/replicas  other-pull-request: the open pull request #5 is about it too (wanted 10 -> 14)

    Pull request #5 (fleetscale/eu-1/shard-a/blue/down) is withdrawn:
      node-group/eu-1/shard-a/blue/md-0/replicas: 14 is wanted now instead of 8

    0 to change, 1 held, 6 unchanged
    ");
    // Even where another target of it can't be judged, and where the new change is held itself.
    assert_snapshot!(plan(|w| {
        w.pull_request(5, BLUE_DOWN, &[(BLUE, 10.into(), 8.into()), (BLUE_1, 5.into(), 4.into())]);
        up(w);
        w.nodes_policy().meta.suspend = true;
        w.live(BLUE_1).measurements.clear();
    }), @r"
    Nothing to change.

      HELD                                        WHY
      node-group/eu-1/shard-a/blue/md-0/replicas  suspended: its policy says suspend: true (wanted 10 -> 14)
      node-group/eu-1/shard-a/blue/md-1/replicas  gap: cpu/1h, memory/1h, cpu/24h, memory/24h, cpu/7d, memory/7d are missing (not in the snapshot)
                                                  suspended: its policy says suspend: true

    Pull request #5 (fleetscale/eu-1/shard-a/blue/down) is withdrawn:
      node-group/eu-1/shard-a/blue/md-0/replicas: 14 is wanted now instead of 8
      node-group/eu-1/shard-a/blue/md-1/replicas: cpu/1h is missing (not in the snapshot); memory/1h is missing (not in the snapshot); cpu/24h is missing (not in the snapshot); memory/24h is missing (not in the snapshot); no down: cpu/7d is missing (not in the snapshot); no down: memory/7d is missing (not in the snapshot); its policy says suspend: true

    0 to change, 2 held, 5 unchanged
    ");
}

#[test]
fn a_pull_request_of_another_grouping_is_withdrawn_and_not_waited_for_for_ever() {
    let regrouped = |w: &mut World| {
        up(w);
        open(w);
        w.nodes_policy().group_by = GroupBy::ManagementCluster;
    };
    assert_snapshot!(plan(regrouped), @r"
    Nothing to change.

      HELD                                        WHY
      node-group/eu-1/shard-a/blue/md-0/replicas  other-pull-request: the open pull request #5 is about it too (wanted 10 -> 14)

    Pull request #5 (fleetscale/eu-1/shard-a/blue/up) is withdrawn:
      node-group/eu-1/shard-a/blue/md-0/replicas: it belongs into another pull request now

    0 to change, 1 held, 6 unchanged
    ");
    // Next run.
    assert_snapshot!(plan(|w| {
        regrouped(w);
        let old = &mut w.snapshot.ledger.pull_requests[0];
        old.state = PullRequestState::Closed;
        old.record.as_mut().unwrap().withdrawn = Some("grouped anew".to_owned());
    }), @r"
      TARGET                                      FROM -> TO  WHY
      node-group/eu-1/shard-a/blue/md-0/replicas  10 -> 14    P1: cpu 97 % over 1h, above 95 %
                                                              P1: memory 97 % over 1h, above 85 %
                                                              P2: cpu 97 % over 24h, above 75 %
                                                              P2: memory 97 % over 24h, above 75 %
                                                              cpu is projected to be 69.3 % (measured on 10 nodes, target 70 %)

    1 to change, 0 held, 6 unchanged
    ");
}

#[test]
fn one_target_that_can_not_be_judged_keeps_the_whole_pull_request() {
    assert_snapshot!(plan(|w| {
        w.pull_request(5, BLUE_UP, &[(BLUE, 10.into(), 14.into()), (BLUE_1, 5.into(), 7.into())]);
        w.live(BLUE_1).measurements.clear();
    }), @r"
    Nothing to change.

      HELD                                        WHY
      node-group/eu-1/shard-a/blue/md-1/replicas  gap: cpu/1h, memory/1h, cpu/24h, memory/24h, cpu/7d, memory/7d are missing (not in the snapshot)

    Pull request #5 (fleetscale/eu-1/shard-a/blue/up) stays open as it is:
      node-group/eu-1/shard-a/blue/md-0/replicas: cpu 60 % over 1h (up above 95 %), memory 60 % over 1h (up above 85 %), cpu 60 % over 24h (up above 75 %), memory 60 % over 24h (up above 75 %); down below 50 %
      node-group/eu-1/shard-a/blue/md-1/replicas: cpu/1h is missing (not in the snapshot); memory/1h is missing (not in the snapshot); cpu/24h is missing (not in the snapshot); memory/24h is missing (not in the snapshot); no down: cpu/7d is missing (not in the snapshot); no down: memory/7d is missing (not in the snapshot)

    0 to change, 1 held, 6 unchanged
    ");
}

#[test]
fn an_up_that_can_not_be_judged_is_carried_beside_a_new_one() {
    assert_snapshot!(plan(|w| {
        w.pull_request(5, BLUE_UP, &[(BLUE_1, 5.into(), 7.into())]);
        w.live(BLUE_1).measurements.clear();
        up(w);
    }), @r"
      TARGET                                      FROM -> TO  WHY
      node-group/eu-1/shard-a/blue/md-0/replicas  10 -> 14    P1: cpu 97 % over 1h, above 95 %
                                                              P1: memory 97 % over 1h, above 85 %
                                                              P2: cpu 97 % over 24h, above 75 %
                                                              P2: memory 97 % over 24h, above 75 %
                                                              cpu is projected to be 69.3 % (measured on 10 nodes, target 70 %)
      node-group/eu-1/shard-a/blue/md-1/replicas  5 -> 7      it stays as the open pull request #5 proposes it

    2 to change, 0 held, 5 unchanged
    ");
    // Not where Git says another number by now, and never a down.
    assert_snapshot!(plan(|w| {
        w.pull_request(5, BLUE_UP, &[(BLUE_1, 4.into(), 7.into())]);
        w.pull_request(6, BLUE_DOWN, &[(BLUE_1, 5.into(), 4.into())]);
        w.live(BLUE_1).measurements.clear();
        up(w);
    }), @r"
      TARGET                                      FROM -> TO  WHY
      node-group/eu-1/shard-a/blue/md-0/replicas  10 -> 14    P1: cpu 97 % over 1h, above 95 %
                                                              P1: memory 97 % over 1h, above 85 %
                                                              P2: cpu 97 % over 24h, above 75 %
                                                              P2: memory 97 % over 24h, above 75 %
                                                              cpu is projected to be 69.3 % (measured on 10 nodes, target 70 %)

      HELD                                        WHY
      node-group/eu-1/shard-a/blue/md-1/replicas  gap: cpu/1h, memory/1h, cpu/24h, memory/24h, cpu/7d, memory/7d are missing (not in the snapshot)

    Pull request #6 (fleetscale/eu-1/shard-a/blue/down) stays open as it is:
      node-group/eu-1/shard-a/blue/md-1/replicas: cpu/1h is missing (not in the snapshot); memory/1h is missing (not in the snapshot); cpu/24h is missing (not in the snapshot); memory/24h is missing (not in the snapshot); no down: cpu/7d is missing (not in the snapshot); no down: memory/7d is missing (not in the snapshot)

    1 to change, 1 held, 5 unchanged
    ");
}

#[test]
fn what_a_reviewer_closed_is_not_proposed_again() {
    let closed = |w: &mut World| {
        let request = open(w);
        request.state = PullRequestState::Closed;
        request.ended_at = Some(n("2026-10-06T08:30:00Z"));
    };
    assert_snapshot!(plan(|w| { up(w); closed(w); }), @r"
    Nothing to change.

      HELD                                        WHY
      node-group/eu-1/shard-a/blue/md-0/replicas  closed-by-reviewer: a reviewer closed pull request #5; not proposed again before 2026-11-05T08:30:00Z unless the need grows (wanted 10 -> 14)

    0 to change, 1 held, 6 unchanged
    ");
    // The need has grown, but the day is not over.
    assert_snapshot!(plan(|w| { w.usage(BLUE, 1.05); closed(w); }), @r"
    Nothing to change.

      HELD                                        WHY
      node-group/eu-1/shard-a/blue/md-0/replicas  closed-by-reviewer: a reviewer closed pull request #5; not proposed again before 2026-10-07T08:30:00Z unless the need grows (wanted 10 -> 15)

    0 to change, 1 held, 6 unchanged
    ");
    // The day is over: the same is still a no, more is not.
    let later = |w: &mut World| w.snapshot.ledger.pull_requests[0].ended_at = Some(n("2026-10-05T09:00:00Z"));
    let proposed = |deviation: &dyn Fn(&mut World)| {
        World::healthy()
            .with(|w| {
                deviation(w);
                closed(w);
                later(w);
            })
            .plan()
            .proposals
            .len()
    };
    assert_eq!(proposed(&up), 0);
    assert_eq!(proposed(&|w| w.usage(BLUE, 1.05)), 1);
    // A month later nobody remembers.
    let month = |w: &mut World| w.snapshot.ledger.pull_requests[0].ended_at = Some(n("2026-09-06T09:00:00Z"));
    assert_eq!(
        World::healthy()
            .with(|w| {
                up(w);
                closed(w);
                month(w);
            })
            .plan()
            .proposals
            .len(),
        1
    );
    // The other way was never refused.
    assert_eq!(
        World::healthy()
            .with(|w| {
                w.usage(BLUE, 0.4);
                closed(w);
            })
            .plan()
            .proposals
            .len(),
        1
    );
}

#[test]
fn a_no_outlives_later_pull_requests_about_other_targets_and_of_another_grouping() {
    let closed = |w: &mut World| {
        up(w);
        let request = open(w);
        request.state = PullRequestState::Closed;
        request.ended_at = Some(n("2026-10-06T08:30:00Z"));
    };
    assert_snapshot!(plan(|w| {
        closed(w);
        w.usage(BLUE_1, 0.97);
        w.pull_request(6, BLUE_UP, &[(BLUE_1, 5.into(), 7.into())]);
    }), @r"
      TARGET                                      FROM -> TO  WHY
      node-group/eu-1/shard-a/blue/md-1/replicas  5 -> 7      P1: cpu 97 % over 1h, above 95 %
                                                              P1: memory 97 % over 1h, above 85 %
                                                              P2: cpu 97 % over 24h, above 75 %
                                                              P2: memory 97 % over 24h, above 75 %
                                                              cpu is projected to be 69.3 % (measured on 5 nodes, target 70 %)

      HELD                                        WHY
      node-group/eu-1/shard-a/blue/md-0/replicas  closed-by-reviewer: a reviewer closed pull request #5; not proposed again before 2026-11-05T08:30:00Z unless the need grows (wanted 10 -> 14)

    1 to change, 1 held, 5 unchanged
    ");
    assert_snapshot!(plan(|w| {
        closed(w);
        w.nodes_policy().group_by = GroupBy::ManagementCluster;
    }), @r"
    Nothing to change.

      HELD                                        WHY
      node-group/eu-1/shard-a/blue/md-0/replicas  closed-by-reviewer: a reviewer closed pull request #5; not proposed again before 2026-11-05T08:30:00Z unless the need grows (wanted 10 -> 14)

    0 to change, 1 held, 6 unchanged
    ");
}

#[test]
fn what_we_withdrew_or_somebody_merged_is_no_no() {
    let proposals = |ended: &dyn Fn(&mut PullRequest)| {
        let world = World::healthy().with(|w| {
            up(w);
            let request = open(w);
            request.ended_at = Some(n("2026-10-06T08:30:00Z"));
            ended(request);
        });
        world.plan().proposals.len()
    };
    assert_eq!(
        proposals(&|request| {
            request.state = PullRequestState::Closed;
            request.record.as_mut().unwrap().withdrawn = Some("the need is gone".to_owned());
        }),
        1
    );
    assert_eq!(proposals(&|request| request.state = PullRequestState::Merged), 1);
}

#[test]
fn a_deleted_branch_is_a_no_for_as_long_as_its_pull_request_stays_open() {
    let deleted = |w: &mut World| {
        up(w);
        open(w);
        w.snapshot.ledger.branches.clear();
    };
    assert_snapshot!(plan(deleted), @r"
    Nothing to change.

      HELD                                        WHY
      node-group/eu-1/shard-a/blue/md-0/replicas  closed-by-reviewer: somebody deleted the branch of pull request #5; not proposed again while that is open without it (wanted 10 -> 14)

    0 to change, 1 held, 6 unchanged
    ");
    // It was observed long ago, and nobody knows when the branch went.
    assert_snapshot!(plan(|w| {
        deleted(w);
        w.snapshot.ledger.pull_requests[0].record.as_mut().unwrap().observed_at = n("2026-03-01T08:00:00Z");
    }), @r"
    Nothing to change.

      HELD                                        WHY
      node-group/eu-1/shard-a/blue/md-0/replicas  closed-by-reviewer: somebody deleted the branch of pull request #5; not proposed again while that is open without it (wanted 10 -> 14)

    0 to change, 1 held, 6 unchanged
    ");
}
