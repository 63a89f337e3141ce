//! Where new clusters go: never beyond a capacity, never where nobody sees, never what lives already.

use std::collections::{BTreeMap, BTreeSet};

use fleetscale::model::*;
use insta::assert_snapshot;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::properties::holds;
use crate::support::parts::*;
use crate::support::world::World;

fn news(deviation: impl FnOnce(&mut World)) -> String {
    World::healthy().with(deviation).news()
}

/// A healthy fleet in which one new cluster waits.
fn orange(deviation: impl FnOnce(&mut World)) -> String {
    news(|w| {
        w.request("eu", "orange");
        deviation(w);
    })
}

/// So many live clusters of one namespace.
fn settle(w: &mut World, management_cluster: &str, namespace: &str, count: usize) {
    let live = w.management_cluster(management_cluster);
    let clusters = live.clusters.entry(n(namespace)).or_default();
    for index in 0..count {
        clusters.insert(n(&format!("{namespace}-{index}")), LiveCluster::default());
    }
}

fn placed(shard: &str) -> (&'static str, Scalar, Scalar) {
    let text = |text: &str| Scalar::Text(text.to_owned());
    (ORANGE, text("requested"), text(shard))
}

#[test]
fn a_new_cluster_goes_where_the_most_room_is() {
    assert_snapshot!(orange(|w| settle(w, "eu-1", "shard-a", 2)), @r"
    controller/eu-1/capi/kube-api-burst: hold
        in-range: 3 clusters, below the ladder's first rung
    controller/eu-1/capi/kube-api-qps: hold
        in-range: 3 clusters, below the ladder's first rung
    placement/eu/orange: into shard-b on eu-2
        room for 4 of 5 clusters, the most of 2 shards that can take it
    ");
}

#[test]
fn of_two_shards_with_equal_room_the_first_by_name_is_taken() {
    assert_snapshot!(orange(|_| ()), @r"
    placement/eu/orange: into shard-a on eu-1
        room for 4 of 5 clusters, the most of 2 shards that can take it
    ");
}

#[test]
fn nothing_is_placed_by_an_old_list() {
    let told = orange(|w| w.snapshot.captured_at = Duration::from_minutes(11).before(w.now));
    assert!(told.contains("its clusters were listed at"), "{told}");
    assert!(!told.contains("into shard"), "{told}");
    let told = orange(|w| w.snapshot.captured_at = Duration::from_minutes(9).before(w.now));
    assert!(told.contains("into shard-a"), "{told}");
}

#[test]
fn declared_clusters_take_room_before_they_are_live() {
    assert_snapshot!(orange(|w| {
        let shard = w.declared.shards.get_mut(&n("shard-a")).unwrap();
        shard.clusters.extend(["a", "b", "c"].map(n::<ClusterName>));
    }), @r"
    placement/eu/orange: into shard-b on eu-2
        room for 4 of 5 clusters, the most of 2 shards that can take it
    ");
}

#[test]
fn the_capacity_of_a_management_cluster_counts_all_its_namespaces() {
    assert_snapshot!(orange(|w| settle(w, "eu-1", "elsewhere", 7)), @r"
    controller/eu-1/capi/kube-api-burst: hold
        in-range: 8 clusters, below the ladder's first rung
    controller/eu-1/capi/kube-api-qps: hold
        in-range: 8 clusters, below the ladder's first rung
    placement/eu/orange: into shard-b on eu-2
        room for 4 of 5 clusters, the only shard that can take it
    ");
    assert_snapshot!(orange(|w| {
        settle(w, "eu-1", "elsewhere", 7);
        settle(w, "eu-2", "shard-b", 4);
    }), @r"
    controller/eu-1/capi/kube-api-burst: hold
        in-range: 8 clusters, below the ladder's first rung
    controller/eu-1/capi/kube-api-qps: hold
        in-range: 8 clusters, below the ladder's first rung
    placement/eu/orange: hold
        no-room: no shard can take it: shard-a is full: eu-1 has 8 of 8 clusters; shard-b is full: 5 of 5 clusters
    ");
}

#[test]
fn a_blind_shard_is_never_chosen() {
    assert_snapshot!(orange(|w| w.gap("eu-1", Inventory::Clusters)), @r"
    controller/eu-1/capi/kube-api-burst: hold
        blind: the list of clusters is incomplete (503 from the API server)
        in-range: 1 clusters, below the ladder's first rung
    controller/eu-1/capi/kube-api-qps: hold
        blind: the list of clusters is incomplete (503 from the API server)
        in-range: 1 clusters, below the ladder's first rung
    placement/eu/orange: into shard-b on eu-2
        room for 4 of 5 clusters, the only shard that can take it
    ");
    assert_snapshot!(orange(|w| {
        w.gap("eu-1", Inventory::Clusters);
        w.snapshot.live.management_clusters.remove(&n("eu-2"));
    }), @r"
    node-group/eu-2/shard-b/green/md-0/replicas: hold
        blind: the list of clusters is incomplete (the management cluster is not in the snapshot)
    controller/eu-1/capi/kube-api-burst: hold
        blind: the list of clusters is incomplete (503 from the API server)
        in-range: 1 clusters, below the ladder's first rung
    controller/eu-1/capi/kube-api-qps: hold
        blind: the list of clusters is incomplete (503 from the API server)
        in-range: 1 clusters, below the ladder's first rung
    controller/eu-2/capi/kube-api-burst: hold
        blind: the list of controllers is incomplete (the management cluster is not in the snapshot)
    controller/eu-2/capi/kube-api-qps: hold
        blind: the list of controllers is incomplete (the management cluster is not in the snapshot)
    placement/eu/orange: hold
        no-room: no shard can take it: shard-a is blind: 503 from the API server; shard-b is blind: its management cluster is not in the snapshot
    ");
}

#[test]
fn a_shard_that_can_not_be_written_is_not_chosen() {
    assert_snapshot!(orange(|w| {
        w.declared.shards.remove(&n("shard-b"));
        let shard = w.declared.shards.get_mut(&n("shard-a")).unwrap();
        shard.kustomization = Site::Refused { path: None, line: 0, refusal: Refusal::Generated };
    }), @r"
    placement/eu/orange: hold
        no-room: no shard can take it: shard-a can't be written: a comment at the top of the file says that it is generated; shard-b is not declared
    ");
    assert_snapshot!(orange(|w| {
        w.declared.shards.get_mut(&n("shard-a")).unwrap().files.push("orange.yaml".to_owned());
        w.declared.shards.get_mut(&n("shard-b")).unwrap().files.push("orange.yaml".to_owned());
    }), @r"
    placement/eu/orange: hold
        no-room: no shard can take it: shard-a can't be written: clusters/eu-1/shard-a/orange.yaml exists already; shard-b can't be written: clusters/eu-2/shard-b/orange.yaml exists already
    ");
}

#[test]
fn what_lives_already_is_never_placed() {
    assert_snapshot!(orange(|w| {
        w.management_cluster("us-1").clusters.entry(n("shard-c")).or_default().insert(n("orange"), LiveCluster::default());
    }), @r"
    placement/eu/orange: hold
        already-placed: a cluster of that name exists already: us-1 shard-c/orange
    ");
    assert_snapshot!(orange(|w| {
        w.declared.shards.get_mut(&n("shard-b")).unwrap().clusters.push(n("orange"));
    }), @r"
    placement/eu/orange: hold
        already-placed: a cluster of that name exists already: eu-2 shard-b/orange
    ");
}

#[test]
fn two_requests_of_one_name_in_two_regions_are_placed_once() {
    assert_snapshot!(orange(|w| {
        let mut us = w.policies.sharding[0].clone();
        us.meta.name = n("us");
        us.region = n("us");
        us.shards.truncate(1);
        us.shards[0].name = n("shard-c");
        us.shards[0].management_cluster = n("us-1");
        us.shards[0].namespace = n("shard-c");
        w.policies.sharding.push(us);
        w.add_shard("shard-c", "us-1", &["red"]);
        w.request("us", "orange");
    }), @r"
    placement/eu/orange: into shard-a on eu-1
        room for 4 of 5 clusters, the most of 2 shards that can take it
    placement/us/orange: hold
        already-placed: a cluster of that name exists already: eu-1 shard-a/orange
    ");
}

#[test]
fn two_requests_with_files_of_one_name_do_not_meet_in_one_folder() {
    assert_snapshot!(news(|w| {
        w.request("eu", "orange").path = n("requests/eu/orange/cluster.yaml");
        w.request("eu", "pear").path = n("requests/eu/pear/cluster.yaml");
        w.declared.shards.remove(&n("shard-b"));
    }), @r"
    placement/eu/orange: into shard-a on eu-1
        room for 4 of 5 clusters, the only shard that can take it
    placement/eu/pear: hold
        no-room: no shard can take it: shard-a can't be written: clusters/eu-1/shard-a/cluster.yaml exists already; shard-b is not declared
    ");
    // Nor where the other one is under review already.
    assert_snapshot!(news(|w| {
        w.request("eu", "orange").path = n("requests/eu/orange/cluster.yaml");
        w.request("eu", "apple").path = n("requests/eu/apple/cluster.yaml");
        w.declared.shards.remove(&n("shard-b"));
        w.pull_request(5, "fleetscale/eu-1/place/orange", &[placed("shard-a")]);
    }), @r"
    placement/eu/apple: hold
        no-room: no shard can take it: shard-a can't be written: clusters/eu-1/shard-a/cluster.yaml exists already; shard-b is not declared
    placement/eu/orange: into shard-a on eu-1
        room for 4 of 5 clusters, the only shard that can take it
    ");
}

#[test]
fn placements_under_review_take_room() {
    assert_snapshot!(news(|w| {
        w.request("eu", "orange");
        w.request("eu", "apple");
        settle(w, "eu-1", "shard-a", 3);
        settle(w, "eu-2", "shard-b", 4);
        w.pull_request(5, "fleetscale/eu-1/place/orange", &[placed("shard-a")]);
    }), @r"
    controller/eu-1/capi/kube-api-burst: hold
        in-range: 4 clusters, below the ladder's first rung
    controller/eu-1/capi/kube-api-qps: hold
        in-range: 4 clusters, below the ladder's first rung
    placement/eu/apple: hold
        no-room: no shard can take it: shard-a is full: 5 of 5 clusters; shard-b is full: 5 of 5 clusters
    placement/eu/orange: into shard-a on eu-1
        room for 1 of 5 clusters, the only shard that can take it
    ");
}

#[test]
fn an_open_pull_requests_choice_stays_while_it_is_possible() {
    assert_snapshot!(orange(|w| {
        settle(w, "eu-2", "shard-b", 3);
        w.pull_request(5, "fleetscale/eu-2/place/orange", &[placed("shard-b")]);
    }), @r"
    placement/eu/orange: into shard-b on eu-2
        it stays as the open pull request #5 proposes it
    ");
    assert_snapshot!(orange(|w| {
        settle(w, "eu-2", "shard-b", 4);
        w.pull_request(5, "fleetscale/eu-2/place/orange", &[placed("shard-b")]);
    }), @r"
    placement/eu/orange: into shard-a on eu-1
        room for 4 of 5 clusters, the only shard that can take it
    ");
}

#[test]
fn an_open_pull_requests_choice_waits_while_its_shard_is_blind() {
    assert_snapshot!(orange(|w| {
        w.gap("eu-2", Inventory::Clusters);
        w.pull_request(5, "fleetscale/eu-2/place/orange", &[placed("shard-b")]);
    }), @r"
    placement/eu/orange: hold
        blind: the list of clusters is incomplete (503 from the API server)
    ");
}

#[test]
fn a_deleted_branch_takes_no_room_and_chooses_nothing() {
    assert_snapshot!(orange(|w| {
        w.pull_request(5, "fleetscale/eu-2/place/orange", &[placed("shard-b")]);
        w.snapshot.ledger.branches.clear();
    }), @r"
    placement/eu/orange: into shard-a on eu-1
        room for 4 of 5 clusters, the most of 2 shards that can take it
    ");
}

#[test]
fn a_request_waits_for_policy_freeze_annotation_and_a_file_that_can_move() {
    assert_snapshot!(orange(|w| w.policies.sharding.clear()), @r"
    placement/eu/orange: hold
        no-policy: no policy selects it
    ");
    assert_snapshot!(orange(|w| {
        let meta = &mut w.policies.sharding[0].meta;
        meta.suspend = true;
        meta.mode = fleetscale::policy::Mode::Report;
        w.fleet.freezes = vec![fleetscale::policy::Freeze { name: "audit".to_owned(), window: window("0 0 1 10 *", "30d"), reason: None }];
        let request = w.request("eu", "orange");
        request.hold = Some(HoldAnnotation { reason: "waits for its network".to_owned(), until: None });
        request.documents = Err(RefusedRequest { line: 3, refusal: Refusal::Template });
    }), @r"
    placement/eu/orange: hold
        suspended: its policy says suspend: true
        report-only: its policy says mode: report
        held-by-annotation: fleetscale.io/hold: waits for its network
        frozen: by the freeze audit until 2026-10-31T00:00:00Z
        not-writable: requests/eu/orange.yaml:3: the file is a template (`{{`); what it declares is known only after rendering
    ");
}

/// What a set of requests is made from.
#[derive(Debug, Clone)]
struct Fleet {
    /// By shard: capacity, live clusters, declared ones, and whether its management cluster is seen.
    shards: Vec<(u32, usize, usize, bool)>,
    management_cluster_capacity: u32,
    /// The names that wait, some of which live already.
    requests: BTreeSet<u8>,
    /// Open placements: which request, which shard.
    open: Vec<(Index, Index)>,
}

fn fleets() -> impl Strategy<Value = Fleet> {
    let shard = (0..8u32, 0..8usize, 0..8usize, prop::bool::weighted(0.85));
    (
        prop::collection::vec(shard, 1..6),
        1..25u32,
        prop::collection::btree_set(0..30u8, 0..20),
        prop::collection::vec((any::<Index>(), any::<Index>()), 0..4),
    )
        .prop_map(|(shards, management_cluster_capacity, requests, open)| Fleet {
            shards,
            management_cluster_capacity,
            requests,
            open,
        })
}

/// Three shards on the first management cluster, the rest on the second.
fn home(shard: usize) -> &'static str {
    if shard < 3 { "eu-1" } else { "eu-2" }
}

impl Fleet {
    fn world(&self) -> World {
        let Self {
            shards,
            management_cluster_capacity,
            requests,
            open,
        } = self;
        let mut w = World::healthy();
        w.declared.shards.clear();
        let policy = &mut w.policies.sharding[0];
        let template = policy.shards[0].clone();
        policy.management_cluster_capacity = *management_cluster_capacity;
        policy.shards.clear();
        for (index, (capacity, ..)) in shards.iter().enumerate() {
            let name = format!("shard-{index}");
            let mut shard = template.clone();
            shard.name = n(&name);
            shard.namespace = n(&name);
            shard.management_cluster = n(home(index));
            shard.capacity = *capacity;
            policy.shards.push(shard);
        }
        for (index, (_, live, declared, _)) in shards.iter().enumerate() {
            let name = format!("shard-{index}");
            let clusters: Vec<String> = (0..*declared).map(|cluster| format!("{name}-{cluster}")).collect();
            let clusters: Vec<&str> = clusters.iter().map(String::as_str).collect();
            w.add_shard(&name, home(index), &clusters);
            settle(&mut w, home(index), &name, *live);
        }
        // The names 0 to 4 live already, unseen by Git.
        for index in 0..5 {
            let clusters = &mut w.management_cluster("us-1").clusters;
            clusters
                .entry(n("old"))
                .or_default()
                .insert(n(&format!("new-{index}")), LiveCluster::default());
        }
        let names: Vec<String> = requests.iter().map(|name| format!("new-{name}")).collect();
        for name in &names {
            w.request("eu", name);
        }
        for (number, (request, shard)) in open.iter().enumerate().filter(|_| !names.is_empty()) {
            let name = &names[request.index(names.len())];
            let shard = shard.index(shards.len());
            let (_, from, to) = placed(&format!("shard-{shard}"));
            let target = format!("placement/eu/{name}");
            let branch = format!("fleetscale/{}/place/{name}", home(shard));
            w.pull_request(number as u64 + 1, &branch, &[(&target, from, to)]);
        }
        for (index, (.., seen)) in shards.iter().enumerate() {
            if !seen {
                w.gap(home(index), Inventory::Clusters);
            }
        }
        w
    }
}

/// Who is where after every placement is merged, by management cluster and namespace.
fn occupied(w: &World, decisions: &[Decision]) -> BTreeMap<(String, String), BTreeSet<String>> {
    let mut found: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    let mut add = |management_cluster: &ManagementClusterName, namespace: &Namespace, cluster: &ClusterName| {
        let key = (management_cluster.to_string(), namespace.to_string());
        found.entry(key).or_default().insert(cluster.to_string());
    };
    for (management_cluster, live) in &w.snapshot.live.management_clusters {
        for (namespace, clusters) in &live.clusters {
            clusters
                .keys()
                .for_each(|cluster| add(management_cluster, namespace, cluster));
        }
    }
    for shard in w.declared.shards.values() {
        shard
            .clusters
            .iter()
            .for_each(|cluster| add(&shard.management_cluster, &shard.namespace, cluster));
    }
    for decision in decisions {
        if let (Target::Placement { cluster, .. }, Verdict::Place(to)) = (&decision.target, &decision.verdict) {
            add(&to.management_cluster, &to.namespace, cluster);
        }
    }
    found
}

#[test]
fn no_set_of_requests_exceeds_a_capacity_or_moves_what_lives() {
    holds(
        "no_set_of_requests_exceeds_a_capacity_or_moves_what_lives",
        &fleets(),
        |fleet: Fleet| {
            let w = fleet.world();
            let decisions = w.decide();
            let (before, after) = (occupied(&w, &[]), occupied(&w, &decisions));
            let count = |of: &BTreeMap<(String, String), BTreeSet<String>>, home: &str| -> usize {
                of.iter()
                    .filter(|((at, _), _)| at == home)
                    .map(|(_, clusters)| clusters.len())
                    .sum()
            };
            for (index, (capacity, ..)) in fleet.shards.iter().enumerate() {
                let key = (home(index).to_owned(), format!("shard-{index}"));
                let size = |of: &BTreeMap<_, BTreeSet<String>>| of.get(&key).map_or(0, BTreeSet::len);
                // What is over its capacity already gets nothing more.
                prop_assert!(size(&after) <= size(&before).max(*capacity as usize), "{key:?}");
            }
            for home in ["eu-1", "eu-2", "us-1"] {
                let capacity = fleet.management_cluster_capacity as usize;
                prop_assert!(count(&after, home) <= count(&before, home).max(capacity), "{home}");
            }
            let waiting: Vec<&Decision> = decisions
                .iter()
                .filter(|decision| decision.target.kind() == TargetKind::Placement)
                .collect();
            prop_assert_eq!(waiting.len(), fleet.requests.len(), "each exactly once");
            for decision in waiting {
                let Target::Placement { cluster, .. } = &decision.target else {
                    continue;
                };
                let lives = before.values().any(|clusters| clusters.contains(cluster.as_str()));
                match &decision.verdict {
                    Verdict::Place(to) => {
                        let seen = &w.snapshot.live.management_clusters[&to.management_cluster];
                        prop_assert!(!lives && seen.gaps.is_empty(), "{cluster} into {}", to.shard);
                        prop_assert!(!to.reasons.is_empty());
                    }
                    Verdict::Hold { reasons, .. } => prop_assert!(!reasons.is_empty()),
                    other => prop_assert!(false, "{other:?}"),
                }
            }
            let mut turned = w.clone();
            turned.snapshot.ledger.pull_requests.reverse();
            prop_assert_eq!(turned.decide(), decisions);
            Ok(())
        },
    );
}

/// Where nothing is merged between two runs, the second one says the same, word for word.
#[test]
fn the_next_run_says_of_every_placement_what_the_first_one_said() {
    holds(
        "the_next_run_says_of_every_placement_what_the_first_one_said",
        &fleets(),
        |mut fleet: Fleet| {
            fleet.open.clear();
            let first = fleet.world();
            let decisions = first.decide();
            let mut next = first.clone();
            for (number, decision) in decisions.iter().enumerate() {
                if let (Target::Placement { cluster, .. }, Verdict::Place(to)) = (&decision.target, &decision.verdict) {
                    let branch = format!("fleetscale/{}/place/{cluster}", to.management_cluster);
                    let (_, from, to) = placed(to.shard.as_str());
                    next.pull_request(number as u64 + 1, &branch, &[(&decision.target.to_string(), from, to)]);
                }
            }
            prop_assert_eq!(next.decide(), decisions);
            Ok(())
        },
    );
}
