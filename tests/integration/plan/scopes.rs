//! What becomes one pull request, and what its digest is made from.

use fleetscale::model::*;
use fleetscale::policy::GroupBy;
use insta::assert_snapshot;

use super::plan;
use crate::support::parts::*;
use crate::support::world::World;

/// Something happens in every kind of target.
fn busy(w: &mut World) {
    w.usage(BLUE, 0.97);
    w.set(BLUE_1, "cpu/24h", 0.8);
    w.usage(GREEN, 0.4);
    w.usage(RED, 0.4);
    w.kamaji().tenants = counted(600.0);
    w.request("eu", "orange");
}

/// Each proposal's branch with its priority and its targets.
fn proposals(w: &World) -> String {
    let lines = w.plan().proposals.into_iter().map(|proposal| {
        let targets: Vec<String> = proposal.changes.iter().map(|change| change.target.short()).collect();
        format!(
            "{} {}: {} ({})\n",
            proposal.branch,
            proposal.priority,
            targets.join(" "),
            proposal.scope
        )
    });
    lines.collect()
}

#[test]
fn each_scope_becomes_one_proposal_the_urgent_first() {
    assert_snapshot!(proposals(&World::healthy().with(busy)), @r"
    fleetscale/eu-1/shard-a/blue/up P1: md-0 md-1 (eu-1 shard-a/blue up)
    fleetscale/eu-1/platform/up routine: kamaji (eu-1 platform up)
    fleetscale/eu-1/place/orange routine: orange (eu-1 place orange)
    fleetscale/eu-2/shard-b/green/down routine: md-0 (eu-2 shard-b/green down)
    fleetscale/us-1/shard-c/red/down routine: md-0 (us-1 shard-c/red down)
    ");
}

#[test]
fn all_clusters_of_a_management_cluster_share_one_if_the_policy_says_so() {
    assert_snapshot!(proposals(&World::healthy().with(|w| {
        busy(w);
        w.nodes_policy().group_by = GroupBy::ManagementCluster;
    })), @r"
    fleetscale/eu-1/node-groups/up P1: md-0 md-1 (eu-1 node groups up)
    fleetscale/eu-1/platform/up routine: kamaji (eu-1 platform up)
    fleetscale/eu-1/place/orange routine: orange (eu-1 place orange)
    fleetscale/eu-2/node-groups/down routine: md-0 (eu-2 node groups down)
    fleetscale/us-1/node-groups/down routine: md-0 (us-1 node groups down)
    ");
}

#[test]
fn a_plan_reads_like_this() {
    assert_snapshot!(plan(|w| {
        busy(w);
        w.live(GREEN).up_to_date = 2;
        w.live(RED).paused = true;
        w.gap("us-1", Inventory::Clusters);
    }), @r"
      TARGET                                      FROM -> TO  WHY
      node-group/eu-1/shard-a/blue/md-0/replicas  10 -> 14    P1: cpu 97 % over 1h, above 95 %
                                                              P1: memory 97 % over 1h, above 85 %
                                                              P2: cpu 97 % over 24h, above 75 %
                                                              P2: memory 97 % over 24h, above 75 %
                                                              cpu is projected to be 69.3 % (measured on 10 nodes, target 70 %)
      node-group/eu-1/shard-a/blue/md-1/replicas  5 -> 6      P2: cpu 80 % over 24h, above 75 %
                                                              cpu is projected to be 66.7 % (measured on 5 nodes, target 70 %)
      platform/eu-1/kamaji/replicas               3 -> 5      600 tenants, the ladder's rung from 500
      placement/eu/orange                         -> shard-a  room for 4 of 5 clusters, the most of 2 shards that can take it

      HELD                                         WHY
      node-group/eu-2/shard-b/green/md-0/replicas  rollout-in-progress: 2 of 6 machines are of the newest template (wanted 6 -> 4)
      node-group/us-1/shard-c/red/md-0/replicas    paused: spec.paused or cluster.x-k8s.io/paused is set, live or in Git (wanted 8 -> 6)
                                                   blind: the list of clusters is incomplete (503 from the API server)

    4 to change, 2 held, 2 unchanged
    ");
}

#[test]
fn a_healthy_fleet_has_nothing_to_change() {
    assert_snapshot!(plan(|_| ()), @r"
    Nothing to change.

    0 to change, 0 held, 7 unchanged
    ");
}

#[test]
fn a_plan_reads_back_from_its_own_form() {
    let plan = World::healthy().with(busy).plan();
    let json = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
    let yaml = serde_yaml::to_string(&plan).unwrap();
    assert_eq!(serde_yaml::from_str::<Plan>(&yaml).unwrap(), plan);
}

#[test]
fn the_digest_of_a_proposal_covers_its_edits_alone() {
    let digests = |deviation: &dyn Fn(&mut World)| -> Vec<Digest> {
        let world = World::healthy().with(busy).with(|w| deviation(w));
        world
            .plan()
            .proposals
            .into_iter()
            .map(|proposal| proposal.digest)
            .collect()
    };
    let before = digests(&|_| ());
    // Fresh figures that ask for the same numbers, a later time, another base.
    let same = digests(&|w| {
        w.set(BLUE, "cpu/1h", 0.968);
        w.now = n("2026-10-06T09:01:00Z");
        w.snapshot.captured_at = w.now;
        w.declared.base = n(&"c".repeat(40));
    });
    assert_eq!(before, same);
    let other_number = digests(&|w| {
        w.set(BLUE, "cpu/1h", 1.05);
    });
    assert_eq!(before.iter().zip(&other_number).filter(|(a, b)| a != b).count(), 1);
    let other_place = digests(&|w| {
        let Site::Writable(place) = &mut w.binding(BLUE).site else {
            panic!()
        };
        place.path = n("clusters/eu-1/shard-a/blue-2.yaml");
    });
    assert_eq!(before.iter().zip(&other_place).filter(|(a, b)| a != b).count(), 1);
    let other_line = digests(&|w| {
        let Site::Writable(place) = &mut w.binding(BLUE).site else {
            panic!()
        };
        place.line = 70;
    });
    assert_eq!(before, other_line, "a line number moves with every comment above it");
}

#[test]
fn a_placement_moves_the_file_names_the_namespace_and_lists_it() {
    let world = World::healthy().with(|w| {
        let request = w.request("eu", "orange");
        let documents = request.documents.as_mut().unwrap();
        let mut second = documents[0].clone();
        second.document = 1;
        second.namespace = Some("default".to_owned());
        let mut third = second.clone();
        third.document = 2;
        third.namespace = Some("shard-a".to_owned());
        documents.extend([second, third]);
    });
    let plan = world.plan();
    let edits: Vec<&Edit> = plan.proposals[0].edits().collect();
    assert_snapshot!(serde_yaml::to_string(&edits).unwrap(), @r"
    - edit: move
      from: requests/eu/orange.yaml
      to: clusters/eu-1/shard-a/orange.yaml
      edits:
      - edit: insertKey
        at:
          path: requests/eu/orange.yaml
          document: 0
          object:
            group: cluster.x-k8s.io
            kind: Cluster
            namespace: ''
            name: it
          pointer: /metadata
        key: namespace
        value: shard-a
      - edit: replace
        at:
          path: requests/eu/orange.yaml
          document: 1
          object:
            group: cluster.x-k8s.io
            kind: Cluster
            namespace: ''
            name: it
          pointer: /metadata/namespace
        from: default
        to: shard-a
    - edit: appendItem
      at:
        path: clusters/eu-1/shard-a/kustomization.yaml
        document: 0
        object:
          group: cluster.x-k8s.io
          kind: Cluster
          namespace: ''
          name: it
        pointer: /resources
      value: orange.yaml
    ");
}

#[test]
fn a_flag_is_replaced_with_its_prefix_or_appended() {
    let world = World::healthy().with(|w| {
        let shard = w.management_cluster("eu-1").clusters.get_mut(&n("shard-a")).unwrap();
        for index in 0..120 {
            shard.insert(n(&format!("tenant-{index}")), LiveCluster::default());
        }
        for (key, value) in [
            ("client-requests/1h", 19.0),
            ("queue-depth/1h", 40.0),
            ("queue-depth/24h", 5.0),
        ] {
            w.capi().measurements.insert(n(key), counted(value));
        }
        w.capi().args.retain(|arg| !arg.contains("burst"));
        w.binding(BURST).value = None;
        let prefix = "--kube-api-burst=".to_owned();
        w.binding(BURST).site = Site::Writable(place("clusters/eu-1/capi.yaml", "/args", Form::Appended { prefix }));
    });
    let plan = world.plan();
    let edits: Vec<&Edit> = plan.proposals[0].edits().collect();
    assert_snapshot!(serde_yaml::to_string(&edits).unwrap(), @r"
    - edit: appendItem
      at:
        path: clusters/eu-1/capi.yaml
        document: 0
        object:
          group: cluster.x-k8s.io
          kind: Cluster
          namespace: ''
          name: it
        pointer: /args
      value: --kube-api-burst=100
    - edit: replace
      at:
        path: clusters/eu-1/capi.yaml
        document: 0
        object:
          group: cluster.x-k8s.io
          kind: Cluster
          namespace: ''
          name: it
        pointer: /spec/template/spec/containers/0/args/1
      from: --kube-api-qps=20
      to: --kube-api-qps=50
    ");
}

#[test]
fn a_reviewer_sees_what_is_held_beside_the_change() {
    let world = World::healthy().with(|w| {
        w.usage(BLUE, 0.97);
        w.usage(BLUE_1, 0.97);
        w.live(BLUE_1).paused = true;
        w.usage(GREEN, 0.97);
        w.live(GREEN).paused = true;
    });
    let plan = world.plan();
    let related: Vec<String> = plan.proposals[0]
        .related
        .iter()
        .map(crate::support::words::words)
        .collect();
    assert_snapshot!(related.concat(), @r"
    node-group/eu-1/shard-a/blue/md-1/replicas: hold instead of 5 -> 7 P1
        paused: spec.paused or cluster.x-k8s.io/paused is set, live or in Git
    ");
}
