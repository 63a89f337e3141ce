//! A kubeconfig, as far as it only says where a server is and what to show it.
//!
//! Accepted are a server, its authorities and a token, a token file or a client certificate. What would start a process (`exec`,
//! `auth-provider`), trust anybody (`insecure-skip-tls-verify`), send the credentials another way (`proxy-url`) or act as somebody else
//! (`as`) is refused before anything is sent, and so is every field that is not known here: it may mean any of these. Only the context that
//! is asked for is looked at. Absent on purpose: merging several files.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::net::{Credentials, Secret, Server};

use super::access::{Endpoint, Identity, checked, decoded, read, token};
use super::error::KubeError;

#[derive(Deserialize)]
struct Kubeconfig {
    #[serde(default)]
    contexts: Vec<Named<Context>>,
    #[serde(default)]
    clusters: Vec<Named<Cluster>>,
    #[serde(default)]
    users: Vec<Named<User>>,
}

#[derive(Deserialize)]
struct Named<T> {
    name: String,
    #[serde(alias = "context", alias = "cluster", alias = "user")]
    is: Option<T>,
}

#[derive(Deserialize)]
struct Context {
    cluster: String,
    #[serde(default)]
    user: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Cluster {
    server: Option<String>,
    certificate_authority: Option<String>,
    certificate_authority_data: Option<String>,
    tls_server_name: Option<String>,
    insecure_skip_tls_verify: Option<bool>,
    #[serde(flatten)]
    more: BTreeMap<String, IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct User {
    token: Option<String>,
    #[serde(rename = "tokenFile")]
    token_file: Option<String>,
    client_certificate: Option<String>,
    client_certificate_data: Option<String>,
    client_key: Option<String>,
    client_key_data: Option<String>,
    #[serde(flatten)]
    more: BTreeMap<String, IgnoredAny>,
}

/// Fields that say nothing about the connection.
const HARMLESS: [&str; 2] = ["extensions", "disable-compression"];

const USE_A_TOKEN: &str =
    "give `server`, `caFile` and `tokenFile` in the fleet file, with the token of a service account, or such a context";

/// What to do instead of a field.
fn instead_of(field: &str) -> &'static str {
    match field {
        "insecure-skip-tls-verify" => "give the certificates of its authority (`certificate-authority`)",
        "proxy-url" => "the API server has to be reachable itself; run where it is",
        _ => USE_A_TOKEN,
    }
}

/// Reads a context of a kubeconfig.
pub(super) fn endpoint(path: &Path, context: &str) -> Result<Endpoint, KubeError> {
    let bytes = read("kubeconfig", path)?;
    let file: Kubeconfig = serde_yaml::from_slice(&bytes).map_err(|error| KubeError::NotAKubeconfig {
        path: path.to_owned(),
        // The message itself may quote what stands there.
        line: error.location().map(|location| location.line()),
    })?;
    let found = named(path, "context", context, file.contexts)?;
    let cluster = named(path, "cluster", &found.cluster, file.clusters)?;
    let user = match found.user.as_str() {
        "" => User::default(),
        user => named(path, "user", user, file.users)?,
    };
    let refuse = |asked: String, instead| {
        Err(KubeError::Refused {
            path: path.to_owned(),
            context: context.to_owned(),
            asked,
            instead,
        })
    };
    if cluster.insecure_skip_tls_verify == Some(true) {
        let field = "insecure-skip-tls-verify";
        return refuse(format!("it has `{field}`"), instead_of(field));
    }
    let fields = cluster.more.keys().chain(user.more.keys());
    if let Some(field) = fields.into_iter().find(|field| !HARMLESS.contains(&field.as_str())) {
        return refuse(format!("it has `{field}`"), instead_of(field));
    }
    // As in kubectl, paths are relative to the file that they stand in.
    let beside = |file: &str| path.parent().unwrap_or(Path::new("")).join(file);
    let mut server = Server::new(cluster.server.as_deref().unwrap_or_default())?;
    let pem = |what: &'static str, data: Option<&String>, file: Option<&String>| match (data, file) {
        (Some(data), _) => decoded(what, server.url(), data).map(Some),
        (None, Some(file)) => read(what, &beside(file)).map(Some),
        (None, None) => Ok(None),
    };
    let (data, file) = (&cluster.certificate_authority_data, &cluster.certificate_authority);
    let authorities = pem("certificates of the cluster", data.as_ref(), file.as_ref())?;
    let (data, file) = (&user.client_certificate_data, &user.client_certificate);
    let certificate = pem("client certificate", data.as_ref(), file.as_ref())?;
    let key = pem("client key", user.client_key_data.as_ref(), user.client_key.as_ref())?;
    let identity = match (certificate, key) {
        (Some(certificate), Some(key)) => {
            let key = String::from_utf8(key).map_err(|_| KubeError::Certificates {
                what: "client key",
                server: server.url().to_owned(),
                why: "it is no text",
            })?;
            let key = Secret::new(&key);
            Some(Identity { certificate, key })
        }
        (None, None) => None,
        _ => {
            return refuse(
                "it has a client certificate or its key, but not both".to_owned(),
                USE_A_TOKEN,
            );
        }
    };
    let bearer = match (&user.token, &user.token_file) {
        (Some(text), _) => Some(Secret::new(text)),
        (None, Some(file)) => Some(token(&beside(file))?),
        (None, None) => None,
    };
    if bearer.is_none() && identity.is_none() {
        return refuse("it has no credentials".to_owned(), USE_A_TOKEN);
    }
    server.authorities = authorities;
    server.credentials = bearer.map_or(Credentials::None, Credentials::Bearer);
    checked(Endpoint {
        server,
        server_name: cluster.tls_server_name,
        identity,
    })
}

/// The first of a name counts, as in kubectl.
fn named<T>(path: &Path, what: &'static str, name: &str, list: Vec<Named<T>>) -> Result<T, KubeError> {
    let found = list.into_iter().find(|entry| entry.name == name);
    found.and_then(|entry| entry.is).ok_or_else(|| KubeError::NotThere {
        path: path.to_owned(),
        what,
        name: name.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(cluster: &str, user: &str) -> Result<Endpoint, KubeError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        std::fs::write(folder.path().join("token"), "from-file\n").unwrap();
        std::fs::write(folder.path().join("ca.crt"), "PEM").unwrap();
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: other\ncontexts:\n- name: eu\n  context: {{cluster: c, user: u, namespace: x}}\n\
             - name: other\n  context: {{cluster: c, user: with-exec}}\nclusters:\n- name: c\n  cluster: {cluster}\nusers:\n- name: u\n  user: \
             {user}\n- name: with-exec\n  user: {{exec: {{command: rm}}}}\n"
        );
        std::fs::write(&path, text).unwrap();
        endpoint(&path, "eu")
    }

    const SERVER: &str = "{server: 'https://a:6443', certificate-authority: ca.crt}";

    #[test]
    fn a_server_with_a_token_or_a_certificate_is_taken() {
        for (user, token, identity) in [
            ("{token: hunter2}", Some("hunter2"), false),
            ("{tokenFile: token}", Some("from-file"), false),
            ("{token: hunter2, tokenFile: none}", Some("hunter2"), false),
            ("{client-certificate-data: UEVN, client-key-data: UEVN}", None, true),
            (
                "{client-certificate: ca.crt, client-key: ca.crt, extensions: []}",
                None,
                true,
            ),
        ] {
            let endpoint = of(SERVER, user).unwrap();
            let credentials = token.map_or(Credentials::None, |token| Credentials::Bearer(Secret::new(token)));
            assert_eq!(endpoint.server.credentials, credentials, "{user}");
            assert_eq!(endpoint.identity.is_some(), identity, "{user}");
            assert_eq!(endpoint.server.authorities.as_deref(), Some(&b"PEM"[..]));
            assert!(!format!("{endpoint:?}").contains("hunter2"));
        }
        let named = of(
            "{server: 'https://10.0.0.1:6443', certificate-authority-data: UEVN, tls-server-name: api.example.org, insecure-skip-tls-verify: false}",
            "{token: t}",
        );
        assert_eq!(named.unwrap().server_name.as_deref(), Some("api.example.org"));
    }

    #[test]
    fn what_would_start_a_process_or_trust_anybody_is_refused() {
        for (cluster, user, words) in [
            (
                SERVER,
                "{exec: {apiVersion: client.authentication.k8s.io/v1, command: touch}}",
                "`exec`; give `server`",
            ),
            (SERVER, "{token: hunter2, exec: {command: touch}}", "`exec`"),
            (SERVER, "{auth-provider: {name: gcp}}", "`auth-provider`"),
            (SERVER, "{username: me, password: hunter2}", "`password`"),
            (SERVER, "{token: hunter2, as: admin}", "`as`"),
            (SERVER, "{token: hunter2, as-groups: ['system:masters']}", "`as-groups`"),
            (SERVER, "{token: hunter2, something-new: 1}", "`something-new`"),
            (SERVER, "{}", "no credentials"),
            (SERVER, "{client-certificate-data: UEVN}", "not both"),
            (
                SERVER,
                "{client-certificate-data: UEVN, client-key-data: '?hunter2'}",
                "not base64",
            ),
            (SERVER, "[hunter2]", "can't be understood (line "),
            (
                "{server: 'https://a', insecure-skip-tls-verify: true}",
                "{token: hunter2}",
                "`insecure-skip-tls-verify`; give the certificates",
            ),
            (
                "{server: 'https://a', proxy-url: 'http://p:3128'}",
                "{token: hunter2}",
                "`proxy-url`",
            ),
            ("{server: 'http://mgmt.example.org'}", "{token: hunter2}", "plain HTTP"),
            ("{server: 'https://a:hunter2@b'}", "{token: hunter2}", "address"),
            ("{}", "{token: hunter2}", "address"),
            ("", "{token: hunter2}", "no cluster \"c\""),
        ] {
            let error = of(cluster, user).unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(error.to_string().contains(words), "{cluster} {user}: {error}");
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
}
