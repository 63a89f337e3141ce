//! A healthy fleet in which nothing is to be done, for tests that change one thing and look at everything that follows.
//!
//! Two regions, three management clusters, four node groups at a comfortable use, Kamaji and the Cluster API controller at their right
//! size, two shards with room. Whatever differs from its decisions is the consequence of the deviation.

use std::collections::BTreeMap;

use fleetscale::decide::decide;
use fleetscale::model::*;
use fleetscale::plan::{Inputs, plan};
use fleetscale::policy::*;
use jiff::Timestamp;

use super::parts::*;
use super::words::words;

/// Everything that `decide` and `plan` are told.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) fleet: FleetFile,
    pub(crate) policies: PolicySet,
    pub(crate) snapshot: Snapshot,
    pub(crate) declared: Declared,
    pub(crate) now: Timestamp,
}

impl World {
    /// The fleet in which nothing is to be done.
    pub(crate) fn healthy() -> Self {
        let live = Live {
            management_clusters: [("eu-1", "eu"), ("eu-2", "eu"), ("us-1", "us")]
                .into_iter()
                .map(|(name, region)| {
                    let live = LiveManagementCluster {
                        region: n(region),
                        gaps: Vec::new(),
                        clusters: BTreeMap::new(),
                        platforms: BTreeMap::new(),
                        controllers: BTreeMap::new(),
                    };
                    (n(name), live)
                })
                .collect(),
        };
        let mut world = Self {
            fleet: fleet(),
            policies: policies(),
            snapshot: Snapshot::new(n(NOW), live, Ledger::default()),
            declared: Declared {
                base: n(&"a".repeat(40)),
                bindings: BTreeMap::new(),
                requests: BTreeMap::new(),
                shards: BTreeMap::new(),
                unbound: Vec::new(),
            },
            now: n(NOW),
        };
        for (target, nodes) in [(BLUE, 10), (BLUE_1, 5), (GREEN, 6), (RED, 8)] {
            world.add_group(target, group(nodes, 0.6));
        }
        world.add_platform_and_controller();
        world.add_shard("shard-a", "eu-1", &["blue"]);
        world.add_shard("shard-b", "eu-2", &["green"]);
        world
    }

    fn add_platform_and_controller(&mut self) {
        let eu = self.management_cluster("eu-1");
        let kamaji = LivePlatform {
            replicas: 3,
            ready: 3,
            changed_at: Some(n(LONG_AGO)),
            tenants: counted(150.0),
        };
        eu.platforms.insert(n("kamaji"), kamaji);
        let capi = LiveController {
            version: Some("v1.12.4".to_owned()),
            args: ["--leader-elect", "--kube-api-qps=20", "--kube-api-burst=30"]
                .map(str::to_owned)
                .to_vec(),
            replicas: 1,
            ready: 1,
            changed_at: Some(n(LONG_AGO)),
            measurements: BTreeMap::new(),
        };
        eu.controllers.insert(n("capi"), capi);
        let kamaji = place(
            "clusters/eu-1/kmetal-values.yaml",
            "/kmetal/kamaji/replicas",
            Form::Scalar,
        );
        self.declared.bindings.insert(n(KAMAJI), binding(3, kamaji));
        for (target, value, index) in [(QPS, 20, 1), (BURST, 30, 2)] {
            let prefix = format!("--{}=", target.rsplit('/').next().unwrap());
            let place = place(
                "clusters/eu-1/capi.yaml",
                &format!("/spec/template/spec/containers/0/args/{index}"),
                Form::Prefixed { prefix },
            );
            self.declared.bindings.insert(n(target), binding(value, place));
        }
    }

    /// The same world with a deviation.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// Adds a node group to the cluster, to Git and, if its cluster is new, that too.
    pub(crate) fn add_group(&mut self, target: &str, live: LiveNodeGroup) {
        let Target::NodeGroup(key) = n(target) else {
            panic!("{target}")
        };
        let path = format!(
            "clusters/{}/{}/{}.yaml",
            key.management_cluster, key.namespace, key.cluster
        );
        let pointer = format!("/spec/topology/workers/{}/replicas", key.group);
        let bound = binding(i64::from(live.replicas), place(&path, &pointer, Form::Scalar));
        self.declared.bindings.insert(n(target), bound);
        let management_cluster = self.management_cluster(key.management_cluster.as_str());
        let cluster = management_cluster.clusters.entry(key.namespace).or_default();
        cluster
            .entry(key.cluster)
            .or_default()
            .node_groups
            .insert(key.group, live);
    }

    pub(crate) fn add_shard(&mut self, name: &str, management_cluster: &str, clusters: &[&str]) {
        let folder = format!("clusters/{management_cluster}/{name}");
        let item = Form::Appended { prefix: String::new() };
        let list = place(&format!("{folder}/kustomization.yaml"), "/resources", item);
        let shard = DeclaredShard {
            management_cluster: n(management_cluster),
            namespace: n(name),
            clusters: clusters.iter().map(|cluster| n(cluster)).collect(),
            kustomization: Site::Writable(list),
            folder: n(&folder),
            files: clusters.iter().map(|cluster| format!("{cluster}.yaml")).collect(),
        };
        self.declared.shards.insert(n(name), shard);
    }

    /// A new cluster that waits for its place.
    pub(crate) fn request(&mut self, region: &str, cluster: &str) -> &mut PlacementRequest {
        let document = NamespaceSite {
            document: 0,
            object: place("x", "/x", Form::Scalar).object,
            namespace: None,
        };
        let request = PlacementRequest {
            region: n(region),
            cluster: n(cluster),
            path: n(&format!("requests/{region}/{cluster}.yaml")),
            documents: Ok(vec![document]),
            hold: None,
        };
        let target: Target = n(&format!("placement/{region}/{cluster}"));
        self.declared.requests.entry(target).or_insert(request)
    }

    pub(crate) fn management_cluster(&mut self, name: &str) -> &mut LiveManagementCluster {
        self.snapshot.live.management_clusters.get_mut(&n(name)).unwrap()
    }

    pub(crate) fn live_cluster(&mut self, target: &str) -> &mut LiveCluster {
        let Target::NodeGroup(key) = n(target) else {
            panic!("{target}")
        };
        let management_cluster = self.management_cluster(key.management_cluster.as_str());
        let clusters = management_cluster.clusters.get_mut(&key.namespace).unwrap();
        clusters.get_mut(&key.cluster).unwrap()
    }

    pub(crate) fn live(&mut self, target: &str) -> &mut LiveNodeGroup {
        let Target::NodeGroup(key) = n(target) else {
            panic!("{target}")
        };
        self.live_cluster(target).node_groups.get_mut(&key.group).unwrap()
    }

    pub(crate) fn binding(&mut self, target: &str) -> &mut Binding {
        self.declared.bindings.get_mut(&n(target)).unwrap()
    }

    pub(crate) fn metric(&mut self, target: &str, key: &str) -> &mut Measurement {
        self.live(target).measurements.get_mut(&n(key)).unwrap()
    }

    /// A use of all nodes in every window.
    pub(crate) fn usage(&mut self, target: &str, share: f64) {
        let nodes = self.live(target).ready;
        for measurement in self.live(target).measurements.values_mut() {
            *measurement = measured(share, nodes);
        }
    }

    /// The value of one metric.
    pub(crate) fn set(&mut self, target: &str, key: &str, value: f64) {
        self.metric(target, key).value = Some(finite(value));
    }

    pub(crate) fn gap(&mut self, management_cluster: &str, what: Inventory) {
        let cause = "503 from the API server".to_owned();
        self.management_cluster(management_cluster)
            .gaps
            .push(Gap { what, cause });
    }

    pub(crate) fn nodes_policy(&mut self) -> &mut NodeGroupPolicy {
        &mut self.policies.node_groups[0]
    }

    pub(crate) fn kamaji(&mut self) -> &mut LivePlatform {
        self.management_cluster("eu-1").platforms.get_mut(&n("kamaji")).unwrap()
    }

    pub(crate) fn capi(&mut self) -> &mut LiveController {
        self.management_cluster("eu-1").controllers.get_mut(&n("capi")).unwrap()
    }

    /// A pull request of ours, from the branch that belongs to a scope. Its branch is there, too.
    pub(crate) fn pull_request(
        &mut self,
        number: u64,
        branch: &str,
        changes: &[(&str, Scalar, Scalar)],
    ) -> &mut PullRequest {
        let plan = digest(branch);
        let observed_at = n("2026-10-06T08:00:00Z");
        let owner = BranchOwner::Ours {
            plan: plan.clone(),
            base: self.declared.base.clone(),
            observed_at,
        };
        let head = LedgerBranch {
            head: n(&"b".repeat(40)),
            owner,
            merged: false,
            conflicts: false,
        };
        let ledger = &mut self.snapshot.ledger;
        ledger.branches.insert(n(branch), head);
        let changes = changes.iter().map(|(target, from, to)| RecordedChange {
            target: n(target),
            from: from.clone(),
            to: to.clone(),
        });
        let record = ProposalRecord {
            plan,
            observed_at,
            changes: changes.collect(),
            withdrawn: None,
        };
        ledger.pull_requests.push(PullRequest {
            number,
            branch: n(branch),
            base: n("main"),
            opened_by: None,
            state: PullRequestState::Open,
            title: format!("Pull request {number}"),
            body: digest("body"),
            labels: Vec::new(),
            location: format!("pulls/{number}"),
            ended_at: None,
            record: Some(record),
        });
        ledger.pull_requests.last_mut().unwrap()
    }

    pub(crate) fn decide(&self) -> Vec<Decision> {
        decide(&self.fleet, &self.policies, &self.snapshot, &self.declared, self.now)
    }

    pub(crate) fn plan(&self) -> Plan {
        let inputs = Inputs {
            base: Base {
                branch: self.fleet.branch.clone(),
                commit: self.declared.base.clone(),
            },
            snapshot: self.snapshot.digest(),
            policies: self.policies.digest.clone(),
        };
        plan(
            self.decide(),
            &self.declared,
            &self.snapshot.ledger,
            &self.fleet,
            &self.policies,
            inputs,
            self.now,
        )
    }

    /// The decision on one target.
    pub(crate) fn verdict(&self, target: &str) -> Verdict {
        let target: Target = n(target);
        self.decide()
            .into_iter()
            .find(|decision| decision.target == target)
            .unwrap()
            .verdict
    }

    /// Every decision that is another one than in the healthy world, in words.
    pub(crate) fn news(&self) -> String {
        let healthy: Vec<String> = World::healthy().decide().iter().map(words).collect();
        let decisions: Vec<String> = self.decide().iter().map(words).collect();
        let news: Vec<String> = decisions.into_iter().filter(|text| !healthy.contains(text)).collect();
        news.concat()
    }
}
