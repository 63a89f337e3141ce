//! A management cluster that shows far fewer clusters than Git declares.

use fleetscale::model::*;
use insta::assert_snapshot;

use super::news;
use crate::support::parts::*;
use crate::support::world::World;

/// Clusters that Git declares and nobody lists.
fn declared_only(w: &mut World, count: usize) {
    for index in 0..count {
        let target = format!("node-group/eu-1/shard-a/gone-{index}/md-0/replicas");
        let path = format!("clusters/eu-1/shard-a/gone-{index}.yaml");
        let place = place(&path, "/spec/replicas", Form::Scalar);
        w.declared.bindings.insert(n(&target), binding(3, place));
    }
}

#[test]
fn nothing_shrinks_where_far_fewer_clusters_are_live_than_declared() {
    assert_snapshot!(news(|w| {
        declared_only(w, 3);
        w.usage(BLUE, 0.4);
        w.kamaji().tenants = counted(20.0);
        w.policies.platforms[0].scale_down = Some(Vec::new());
    }), @r"
    node-group/eu-1/shard-a/blue/md-0/replicas: hold instead of 10 -> 8 routine
        blind: the list of clusters is incomplete (only 1 of 4 declared clusters are live)
    node-group/eu-1/shard-a/gone-0/md-0/replicas: hold
        blind: the list of clusters is incomplete (only 1 of 4 declared clusters are live)
    node-group/eu-1/shard-a/gone-1/md-0/replicas: hold
        blind: the list of clusters is incomplete (only 1 of 4 declared clusters are live)
    node-group/eu-1/shard-a/gone-2/md-0/replicas: hold
        blind: the list of clusters is incomplete (only 1 of 4 declared clusters are live)
    platform/eu-1/kamaji/replicas: hold instead of 3 -> 2 routine
        blind: the list of clusters is incomplete (only 1 of 4 declared clusters are live)
    ");
}

#[test]
fn an_empty_list_is_not_an_empty_fleet() {
    assert_snapshot!(news(|w| {
        declared_only(w, 2);
        w.management_cluster("eu-1").clusters.clear();
    }), @r"
    node-group/eu-1/shard-a/blue/md-0/replicas: hold
        blind: the list of clusters is incomplete (only 0 of 3 declared clusters are live)
    node-group/eu-1/shard-a/blue/md-1/replicas: hold
        blind: the list of clusters is incomplete (only 0 of 3 declared clusters are live)
    node-group/eu-1/shard-a/gone-0/md-0/replicas: hold
        blind: the list of clusters is incomplete (only 0 of 3 declared clusters are live)
    node-group/eu-1/shard-a/gone-1/md-0/replicas: hold
        blind: the list of clusters is incomplete (only 0 of 3 declared clusters are live)
    controller/eu-1/capi/kube-api-burst: hold
        in-range: 0 clusters, below the ladder's first rung
    controller/eu-1/capi/kube-api-qps: hold
        in-range: 0 clusters, below the ladder's first rung
    ");
}

#[test]
fn a_cluster_that_is_still_being_created_is_no_reason_for_doubt() {
    assert_snapshot!(news(|w| {
        declared_only(w, 2);
        w.usage(BLUE, 0.4);
    }), @r"
    node-group/eu-1/shard-a/blue/md-0/replicas: 10 -> 8 routine
        cpu 40 % over 1h; with fewer nodes 50 %, below 65 %
    node-group/eu-1/shard-a/gone-0/md-0/replicas: hold
        not-live: it is declared, but not live
    node-group/eu-1/shard-a/gone-1/md-0/replicas: hold
        not-live: it is declared, but not live
    ");
}
