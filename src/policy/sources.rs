//! The servers of the validated fleet file. Paths are relative to the fleet file's folder.

use crate::model::Duration;

use super::template::Template;

/// A server, and where the credentials for it lie.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServerRef {
    /// Its address: `http` or `https`, without a user, a password or a slash at its end.
    pub url: String,
    /// Where the credentials lie.
    pub credentials: CredentialsRef,
    /// The file with its authorities' certificates; nothing for the system's.
    pub ca_file: Option<String>,
}

/// Where credentials lie.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum CredentialsRef {
    /// There are none.
    #[default]
    None,
    /// A token. Git needs a user's name beside it.
    Token {
        /// The name, if one is given.
        user: Option<String>,
        /// The token.
        token: SecretRef,
    },
    /// A user with a password.
    Password {
        /// The user's name.
        user: String,
        /// The password.
        password: SecretRef,
    },
}

/// Where a secret lies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretRef {
    /// In a file.
    File(String),
    /// In an environment variable.
    Env(String),
}

/// The API server of a management cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KubernetesRef {
    /// A context of a kubeconfig file; without a file, of the one that kubectl would use.
    Context {
        /// The file.
        kubeconfig: Option<String>,
        /// The context.
        context: String,
    },
    /// A server with a token.
    Server {
        /// Its address.
        url: String,
        /// Who vouches for it.
        authorities: AuthoritiesRef,
        /// The file with the token.
        token_file: String,
    },
    /// The cluster that this runs in.
    InCluster,
}

/// Where certificates lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthoritiesRef {
    /// The system's.
    System,
    /// In a file, PEM.
    File(String),
    /// In the fleet file itself, PEM in base64 as in a kubeconfig.
    Data(String),
}

/// A Prometheus and how its series are labelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrometheusRef {
    /// Where it is.
    pub server: ServerRef,
    /// The label that names the cluster of a series.
    pub cluster_label: String,
    /// Its value for a workload cluster.
    pub cluster_value: Template,
    /// Its value for a management cluster.
    pub management_cluster_value: Template,
    /// The label that names the node.
    pub node_label: String,
    /// The label that names the node group, and its value; nothing if the Machines tell.
    pub node_group: Option<(String, Template)>,
    /// More matchers for node_exporter's series, as PromQL without its braces.
    pub matchers: Option<String>,
    /// How often it scrapes; at least a second.
    pub scrape_interval: Duration,
}

/// How long things may take; each at least a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// The whole run.
    pub run: Duration,
    /// The observation of one region.
    pub region: Duration,
    /// One call of an API.
    pub call: Duration,
    /// One fetch or push.
    pub git: Duration,
}

impl Default for Deadlines {
    /// A run is over before the CronJob's next one (ten minutes), a region long before the run, and a push has time for the server's hooks.
    fn default() -> Self {
        Self {
            run: Duration::from_minutes(8),
            region: Duration::from_minutes(2),
            call: Duration::from_seconds(30),
            git: Duration::from_minutes(2),
        }
    }
}
