//! `Fleet`: the fleet file, the agent's bootstrap configuration.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::sources::{Credentials, Deadlines, GitHubForge, GiteaForge, Kubernetes, Prometheus};
use super::text::{BranchText, DurationText, FileText, NameText, PercentText, RepoPathText, ScheduleText, ZoneText};

/// What the agent has to know before it can read anything: the repository, the forge, the regions, the limits.
///
/// It lies on the machine that runs the agent (a file or a ConfigMap), not among the policies. Paths to files are relative to its folder.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FleetSpec {
    /// The repository that declares the fleet.
    #[schemars(required)]
    pub repository: Option<Repository>,
    /// The branch that is deployed, and that pull requests are opened against. Default `main`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<BranchText>,
    /// Where the policies are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<PoliciesSource>,
    /// Where pull requests are opened. Default `local: {}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forge: Option<Forge>,
    /// A recorded observation in place of the clusters. Default: the clusters are asked (`kubernetes` and `prometheus` of the regions), or the
    /// snapshot that is given on the command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The regions and their management clusters.
    #[schemars(required, length(min = 1))]
    pub regions: Option<Vec<Region>>,
    /// How much may change at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// When nothing may change but urgent (P1) ups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freezes: Option<Vec<Freeze>>,
    /// How long things may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadlines: Option<Deadlines>,
    /// The author of the commits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<Author>,
}

/// The repository: exactly one of `import`, `path` and `url`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Repository {
    /// A folder whose files become the first commit of a new bare repository. For trying things out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import: Option<FileText>,
    /// A bare repository on this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<FileText>,
    /// An address: `https://git.example.org/platform/fleet.git`. It must not contain a password or a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// More addresses of the same repository, for Flux and Argo CD objects that name it by another path than `url` has: a mirror's, or the one
    /// before it was renamed. Other hosts, SSH, ports and `.git` need no alias. Nothing is ever fetched from them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aliases: Option<Vec<String>>,
    /// Who we are to `url`. Default: the forge's credentials, if the forge is on the same host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Credentials>,
    /// A file with the certificates (PEM) of the authorities that vouch for `url`. Default: the forge's on the same host, or the
    /// system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<FileText>,
}

/// Where the policies are. They are read from the commit that is deployed, never from a pull request's branch.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PoliciesSource {
    /// The folder in the repository. Default `fleetscale`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<RepoPathText>,
}

/// Where pull requests are opened: exactly one.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Forge {
    /// Files in a folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<LocalForge>,
    /// Gitea or Forgejo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gitea: Option<GiteaForge>,
    /// GitHub or GitHub Enterprise Server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub github: Option<GitHubForge>,
}

/// Pull requests as files in a folder.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LocalForge {
    /// The folder. Default: `forge` in the work folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<FileText>,
}

/// Where observations come from: exactly one.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Source {
    /// A recorded snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<FileText>,
}

/// Management clusters that fail and are observed together.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Region {
    /// Its name, unique in the fleet.
    #[schemars(required)]
    pub name: Option<NameText>,
    /// The Prometheus of the region. It and its management clusters are observed by a deadline of the region's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prometheus: Option<Prometheus>,
    /// Its management clusters.
    #[schemars(required, length(min = 1))]
    pub management_clusters: Option<Vec<ManagementCluster>>,
}

/// A cluster that runs Cluster API and Kamaji.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ManagementCluster {
    /// Its name, unique in the fleet.
    #[schemars(required)]
    pub name: Option<NameText>,
    /// The folders of the repository whose objects belong to it. No two management clusters may share one; of nested ones the deepest counts.
    #[schemars(required, length(min = 1))]
    pub paths: Option<Vec<RepoPathText>>,
    /// Its API server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<Kubernetes>,
    /// Its Prometheus, where it is not the region's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prometheus: Option<Prometheus>,
}

/// How much may change at once.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Limits {
    /// New pull requests in one run, not counting those with an urgent (P1) up. Default 5: what a person reads between two runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 1000))]
    pub new_pull_requests: Option<u32>,
    /// New pull requests with an urgent (P1) up in one run. Default 20.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 1000))]
    pub new_urgent_pull_requests: Option<u32>,
    /// Open pull requests at any time; nothing but urgent (P1) ups is added beyond. Default 20.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 10_000))]
    pub open_pull_requests: Option<u32>,
    /// Budgets. Every one that applies must leave room, so the most restrictive wins, as in Karpenter. Default: downs of at most `10%` of
    /// the nodes of each management cluster in one run (Karpenter's default is 10% of the nodes, too). `[]` means no budgets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budgets: Option<Vec<Budget>>,
}

/// An upper bound on what is changed. At least one of the three maxima is given; 0 allows nothing.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Budget {
    /// Which changes it counts and bounds.
    #[schemars(required)]
    pub direction: Option<BudgetDirection>,
    /// Targets that change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 1_000_000))]
    pub max_changes: Option<u32>,
    /// Nodes that come or go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 1_000_000))]
    pub max_nodes: Option<u32>,
    /// Nodes that come or go, as a share of those that are declared, rounded up to at least one node (`0%` stays none).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_percent: Option<PercentText>,
    /// What it is counted over. Default `run`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per: Option<BudgetPer>,
    /// Only while this window is open, as in Karpenter: five fields as in a CronJob. Default: always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<ScheduleText>,
    /// The IANA time zone of the schedule. Default `UTC`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<ZoneText>,
    /// How long the window stays open. Required with `schedule`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<DurationText>,
}

/// Which changes a budget is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum BudgetDirection {
    /// Ups.
    Up,
    /// Downs.
    Down,
    /// Both together.
    Any,
}

/// What a budget is counted over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum BudgetPer {
    /// One run over the whole fleet.
    #[default]
    Run,
    /// Each management cluster in one run.
    ManagementCluster,
    /// Each workload cluster in one run.
    Cluster,
}

/// A stretch of time in which nothing may change but urgent (P1) ups.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Freeze {
    /// Its name, for the holds that it causes.
    #[schemars(required)]
    pub name: Option<NameText>,
    /// When it starts: five fields as in a CronJob. A start that the clock leaves out (daylight-saving time) counts as the instant after it.
    #[schemars(required)]
    pub schedule: Option<ScheduleText>,
    /// The IANA time zone of the schedule. Default `UTC`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<ZoneText>,
    /// How long it lasts, in elapsed time.
    #[schemars(required)]
    pub duration: Option<DurationText>,
    /// Only in this week of the month: 1 is days 1 to 7. Default: every week.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 5))]
    pub week: Option<u8>,
    /// Why, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The author and committer of the commits.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Author {
    /// Default `fleetscale`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Default `fleetscale@localhost`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}
