//! Servers in the fleet file: where they are, and where the credentials for them lie. The credentials themselves are never written here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::{DurationText, FileText, TemplateText};

/// Where the credentials for a server lie: a token, or a user with a password. Files are read anew at every run, so that a rotated token needs
/// no restart; variables are for a laptop.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Credentials {
    /// A file that holds a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_file: Option<FileText>,
    /// An environment variable that holds a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_env: Option<String>,
    /// The user's name that goes with the password; with a token only Git asks for one, and any does (`x-access-token`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// A file that holds a password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_file: Option<FileText>,
    /// An environment variable that holds a password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_env: Option<String>,
}

/// Pull requests on Gitea or Forgejo.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GiteaForge {
    /// Its address, without `/api/v1`: `https://git.example.org`.
    #[schemars(required)]
    pub url: Option<String>,
    /// The repository there: `platform/fleet`.
    #[schemars(required)]
    pub repository: Option<String>,
    /// A token with the scopes `read:user` (to tell our pull requests from other people's), `write:repository`, and `write:issue` (for labels).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Credentials>,
    /// A file with the certificates (PEM) of the authorities that vouch for it. Default: the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<FileText>,
}

/// Pull requests on GitHub.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GitHubForge {
    /// The address of its API. Default `https://api.github.com`; GitHub Enterprise Server has `https://github.example.org/api/v3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The repository there: `example/fleet`.
    #[schemars(required)]
    pub repository: Option<String>,
    /// A fine-grained token for this repository alone: Contents and Pull requests read and write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Credentials>,
    /// A file with the certificates (PEM) of the authorities that vouch for it. Default: the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<FileText>,
}

/// The API server of a management cluster: exactly one of `context`, `server` and `inCluster`.
///
/// Only `list` is ever asked of it. A context that runs a program for its credentials (`exec`, `auth-provider`) is refused: name a
/// token instead.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Kubernetes {
    /// A context of a kubeconfig file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// The kubeconfig file with that context. Default: the one that kubectl would use (`KUBECONFIG`, `~/.kube/config`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubeconfig: Option<FileText>,
    /// The API server's address: `https://10.0.0.1:6443`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Its authorities' certificates (PEM, base64), as in a kubeconfig's `certificate-authority-data`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_data: Option<String>,
    /// The same in a file, not encoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<FileText>,
    /// A file with the token for `server`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_file: Option<FileText>,
    /// The cluster that this runs in, with the pod's service account.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_cluster: bool,
}

/// A Prometheus that has the metrics of nodes and controllers, or what speaks its API (Thanos, Mimir, VictoriaMetrics).
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Prometheus {
    /// Its address, without `/api/v1`: `https://prometheus.example.org`.
    #[schemars(required)]
    pub url: Option<String>,
    /// A token or a user with a password, if it asks for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Credentials>,
    /// A file with the certificates (PEM) of the authorities that vouch for it. Default: the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<FileText>,
    /// The label that says which cluster a series comes from. Default `cluster`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_label: Option<String>,
    /// That label's value for a workload cluster: `{region}`, `{managementCluster}`, `{namespace}` and `{cluster}` may stand in it. Default
    /// `{cluster}`; where two namespaces have clusters of one name, write `{namespace}-{cluster}` and label so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_value: Option<TemplateText>,
    /// That label's value for a management cluster itself. Default `{managementCluster}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub management_cluster_value: Option<TemplateText>,
    /// The label of node_exporter's series that holds the node's name as Kubernetes knows it. Default `node`, as kube-prometheus-stack
    /// relabels them; `instance` is often an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_label: Option<String>,
    /// A label that says which node group a node is in. Default: none, and the Machines' `status.nodeRef` tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_group_label: Option<String>,
    /// That label's value: as `clusterValue`, and `{nodeGroup}`. Default `{nodeGroup}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_group_value: Option<TemplateText>,
    /// More label matchers for node_exporter's series, as in PromQL without its braces: `job="node-exporter"`. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matchers: Option<String>,
    /// How often it scrapes. The share of samples that are there is counted against it. Default `1m`, Prometheus' own default; more samples
    /// than that allows are an error of this setting and graded invalid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scrape_interval: Option<DurationText>,
}

/// How long things may take.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Deadlines {
    /// The whole run. Default `8m`: the CronJob starts one every ten minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<DurationText>,
    /// The observation of one region, all of its management clusters and its Prometheus. What has not answered by then is a gap. Default `2m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<DurationText>,
    /// One call of an API. Default `30s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<DurationText>,
    /// One fetch or push. Default `2m`: a push is answered after the server's hooks have run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<DurationText>,
}
