//! One deviation from a healthy fleet, and every decision that follows from it.
//!
//! The snapshots show the decisions that differ from those of the healthy fleet: what is not in them has not changed.

mod controllers;
mod guards;
mod inventory;
mod node_groups;
mod platform;
mod totality;

use insta::assert_snapshot;

use crate::support::words::words;
use crate::support::world::World;

/// What a deviation changes.
fn news(deviation: impl FnOnce(&mut World)) -> String {
    World::healthy().with(deviation).news()
}

#[test]
fn nothing_is_to_be_done_in_a_healthy_fleet() {
    let texts: Vec<String> = World::healthy().decide().iter().map(words).collect();
    assert_snapshot!(texts.concat(), @r"
    node-group/eu-1/shard-a/blue/md-0/replicas: hold
        in-range: cpu 60 % over 1h (up above 95 %), memory 60 % over 1h (up above 85 %), cpu 60 % over 24h (up above 75 %), memory 60 % over 24h (up above 75 %); down below 50 %
    node-group/eu-1/shard-a/blue/md-1/replicas: hold
        in-range: cpu 60 % over 1h (up above 95 %), memory 60 % over 1h (up above 85 %), cpu 60 % over 24h (up above 75 %), memory 60 % over 24h (up above 75 %); down below 50 %
    node-group/eu-2/shard-b/green/md-0/replicas: hold
        in-range: cpu 60 % over 1h (up above 95 %), memory 60 % over 1h (up above 85 %), cpu 60 % over 24h (up above 75 %), memory 60 % over 24h (up above 75 %); down below 50 %
    node-group/us-1/shard-c/red/md-0/replicas: hold
        in-range: cpu 60 % over 1h (up above 95 %), memory 60 % over 1h (up above 85 %), cpu 60 % over 24h (up above 75 %), memory 60 % over 24h (up above 75 %); down below 50 %
    platform/eu-1/kamaji/replicas: hold
        in-range: 150 tenants, the ladder says 3 replicas from 100 tenants on
    controller/eu-1/capi/kube-api-burst: hold
        in-range: 1 clusters, below the ladder's first rung
    controller/eu-1/capi/kube-api-qps: hold
        in-range: 1 clusters, below the ladder's first rung
    ");
}
