//! The validated fleet file.

use crate::model::{BranchName, Direction, ManagementClusterName, RegionName, RepoPath};
use crate::policy::{Deadlines, KubernetesRef, Percent, Problem, PrometheusRef, ServerRef, Window};

/// What the agent knows before it has read anything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetFile {
    /// `metadata.name`.
    pub name: String,
    /// The repository that declares the fleet.
    pub repository: Repository,
    /// More addresses of it, as Flux and Argo CD may name it. Nothing is fetched from them.
    pub aliases: Vec<String>,
    /// The branch that is deployed.
    pub branch: BranchName,
    /// The folder of the policies in the repository.
    pub policies: RepoPath,
    /// Where pull requests are opened.
    pub forge: Forge,
    /// The recorded snapshot, a path relative to the fleet file's folder; nothing if the command line names one, or the clusters are asked.
    pub snapshot: Option<String>,
    /// The regions in the order of their names. Never empty.
    pub regions: Vec<Region>,
    /// How much may change at once.
    pub limits: Limits,
    /// When nothing may change but urgent ups, in the order of their names.
    pub freezes: Vec<Freeze>,
    /// How long things may take.
    pub deadlines: Deadlines,
    /// The author of the commits.
    pub author: Author,
    /// What is allowed but probably not meant.
    pub warnings: Vec<Problem>,
}

/// The repository. Paths are relative to the fleet file's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repository {
    /// A folder whose files become the first commit of a new bare repository.
    Import(String),
    /// A bare repository on this machine.
    Path(String),
    /// A server.
    Server(ServerRef),
}

/// Where pull requests are opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forge {
    /// Files in a folder, relative to the fleet file's folder; nothing means `forge` in the work folder.
    Local {
        /// The folder.
        path: Option<String>,
    },
    /// Gitea or Forgejo.
    Gitea {
        /// Where it is.
        server: ServerRef,
        /// The repository there.
        repository: ForgeRepository,
    },
    /// GitHub or GitHub Enterprise Server.
    GitHub {
        /// Where its API is.
        server: ServerRef,
        /// The repository there.
        repository: ForgeRepository,
    },
}

/// A repository on a forge. Both names consist of letters, digits, `-`, `_` and `.`, so they can stand in an address as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForgeRepository {
    /// The user or organization.
    pub owner: String,
    /// The repository.
    pub name: String,
}

/// Management clusters that fail and are observed together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// Its name.
    pub name: RegionName,
    /// Its management clusters in the order of their names. Never empty.
    pub management_clusters: Vec<ManagementCluster>,
    /// Its Prometheus.
    pub prometheus: Option<PrometheusRef>,
}

/// A cluster that runs Cluster API and Kamaji.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagementCluster {
    /// Its name, unique in the fleet.
    pub name: ManagementClusterName,
    /// The folders whose objects belong to it, sorted. No two management clusters share one; of nested ones the deepest counts.
    pub paths: Vec<RepoPath>,
    /// Its API server, if it can be asked.
    pub kubernetes: Option<KubernetesRef>,
    /// Its own Prometheus, in place of the region's.
    pub prometheus: Option<PrometheusRef>,
}

/// How much may change at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// New pull requests in one run without an urgent up.
    pub new_pull_requests: u32,
    /// New pull requests in one run with one.
    pub new_urgent_pull_requests: u32,
    /// Open pull requests at any time.
    pub open_pull_requests: u32,
    /// Budgets, in the order of the file. Each must leave room.
    pub budgets: Vec<Budget>,
}

/// An upper bound on what is changed. At least one of the maxima is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// Which changes it counts; nothing means both directions together.
    pub direction: Option<Direction>,
    /// Targets that change.
    pub max_changes: Option<u32>,
    /// Nodes that come or go.
    pub max_nodes: Option<u32>,
    /// Nodes that come or go, as a share of those declared: use [`Percent::of_count`].
    pub max_percent: Option<Percent>,
    /// What it is counted over.
    pub per: BudgetPer,
    /// When it applies; nothing means always.
    pub window: Option<Window>,
}

pub use crate::policy::v1alpha1::BudgetPer;

impl Region {
    /// The Prometheus of one of its management clusters: its own, or the region's.
    pub fn prometheus_of<'a>(&'a self, cluster: &'a ManagementCluster) -> Option<&'a PrometheusRef> {
        cluster.prometheus.as_ref().or(self.prometheus.as_ref())
    }
}

impl Budget {
    /// Whether it counts changes in a direction. What has no direction (a placement) counts for budgets of both directions only.
    pub fn counts(&self, direction: Option<Direction>) -> bool {
        self.direction.is_none() || self.direction == direction
    }

    /// Whether it applies at some time.
    pub fn applies_at(&self, now: jiff::Timestamp) -> bool {
        self.window.as_ref().is_none_or(|window| window.open_at(now).is_some())
    }
}

/// A stretch of time in which nothing may change but urgent ups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freeze {
    /// Its name.
    pub name: String,
    /// When.
    pub window: Window,
    /// Why, for people.
    pub reason: Option<String>,
}

/// The author and committer of the commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// A name.
    pub name: String,
    /// An address.
    pub email: String,
}

impl FleetFile {
    /// The region of a management cluster, and what is known about it.
    pub fn management_cluster(&self, name: &ManagementClusterName) -> Option<(&RegionName, &ManagementCluster)> {
        self.management_clusters().find(|(_, cluster)| cluster.name == *name)
    }

    /// All management clusters with their regions.
    pub fn management_clusters(&self) -> impl Iterator<Item = (&RegionName, &ManagementCluster)> {
        self.regions
            .iter()
            .flat_map(|region| region.management_clusters.iter().map(|cluster| (&region.name, cluster)))
    }

    /// The management cluster that a file belongs to: the one with the deepest folder that contains it.
    pub fn owner_of(&self, path: &RepoPath) -> Option<(&RegionName, &ManagementCluster)> {
        let depth = |cluster: &ManagementCluster| {
            let containing = cluster.paths.iter().filter(|folder| path.is_under(folder));
            containing.map(|folder| folder.as_str().len()).max()
        };
        let owners = self
            .management_clusters()
            .filter_map(|(region, cluster)| Some((depth(cluster)?, (region, cluster))));
        // No two management clusters share a folder, so there is one deepest.
        owners.max_by_key(|(depth, _)| *depth).map(|(_, owner)| owner)
    }

    /// The freeze that is open at some time, and when it ends: the one that ends last.
    pub fn frozen_at(&self, now: jiff::Timestamp) -> Option<(&Freeze, jiff::Timestamp)> {
        let open = self
            .freezes
            .iter()
            .filter_map(|freeze| Some((freeze, freeze.window.open_at(now)?)));
        // Of equal ends the first by name counts: `max_by_key` would take the last.
        open.reduce(|first, other| if other.1 > first.1 { other } else { first })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fleet() -> FleetFile {
        let text = "
apiVersion: fleetscale.io/v1alpha1
kind: Fleet
metadata: {name: example}
spec:
  repository: {path: fleet.git}
  regions:
    - name: eu
      managementClusters:
        - {name: eu-2, paths: [clusters/eu/two]}
        - {name: eu-1, paths: [platform/eu-1, clusters/eu]}
  freezes:
    - {name: short, schedule: '0 0 24 12 *', duration: 24h}
    - {name: long, schedule: '0 0 20 12 *', duration: 14d}
    - {name: also-long, schedule: '0 0 20 12 *', duration: 14d}
";
        FleetFile::load("fleet.yaml", text.as_bytes()).unwrap()
    }

    #[test]
    fn a_file_belongs_to_the_management_cluster_with_the_deepest_folder() {
        let fleet = fleet();
        let owner = |path: &str| {
            let path: RepoPath = path.parse().unwrap();
            fleet
                .owner_of(&path)
                .map(|(region, cluster)| format!("{region}/{}", cluster.name))
        };
        assert_eq!(owner("clusters/eu/blue/md.yaml").as_deref(), Some("eu/eu-1"));
        assert_eq!(owner("clusters/eu/two/md.yaml").as_deref(), Some("eu/eu-2"));
        assert_eq!(owner("clusters/eu/twofold/md.yaml").as_deref(), Some("eu/eu-1"));
        assert_eq!(owner("clusters/us/md.yaml"), None);
    }

    #[test]
    fn of_open_freezes_the_one_that_ends_last_counts() {
        let fleet = fleet();
        let frozen = |now: &str| {
            fleet
                .frozen_at(now.parse().unwrap())
                .map(|(freeze, until)| (freeze.name.as_str(), until.to_string()))
        };
        assert_eq!(
            frozen("2026-12-24T12:00:00Z"),
            Some(("also-long", "2027-01-03T00:00:00Z".to_owned()))
        );
        assert_eq!(frozen("2026-12-19T23:59:59Z"), None);
        assert_eq!(frozen("2027-01-03T00:00:00Z"), None);
    }

    #[test]
    fn a_budget_counts_its_direction_and_one_for_any_counts_all() {
        let budget = |direction| Budget {
            direction,
            max_changes: Some(1),
            max_nodes: None,
            max_percent: None,
            per: BudgetPer::Run,
            window: None,
        };
        let counts = |budget: &Budget| {
            [Some(Direction::Up), Some(Direction::Down), None].map(|direction| budget.counts(direction))
        };
        assert_eq!(counts(&budget(Some(Direction::Down))), [false, true, false]);
        assert_eq!(counts(&budget(None)), [true, true, true]);
        let always = budget(None);
        assert!(always.applies_at(jiff::Timestamp::UNIX_EPOCH));
    }
}
