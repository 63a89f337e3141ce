//! Where an API server is, who vouches for it, and who we are to it.
//!
//! A file is read once, when the client is made: a region is observed in minutes, and a projected token lives longer. Nothing here starts a
//! process, and nothing is sent.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::net::{Credentials, Secret, Server};
use crate::policy::{AuthoritiesRef, KubernetesRef};

use super::error::KubeError;
use super::kubeconfig;

/// The API server of a management cluster, as the fleet file names it, and what the environment adds.
#[derive(Debug, Clone, Copy)]
pub struct KubeAccess<'a> {
    /// What the fleet file says.
    pub reference: &'a KubernetesRef,
    /// The fleet file's folder, which its paths are relative to.
    pub folder: &'a Path,
    /// The kubeconfig that kubectl would use, for a context without a file.
    pub default_kubeconfig: Option<&'a Path>,
    /// The cluster that this runs in, if this is a pod.
    pub in_cluster: Option<&'a InClusterEnv>,
}

/// What a pod is told of its cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InClusterEnv {
    /// The address of its API server: `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT` as a URL.
    pub url: String,
    /// Where the service account's files are: [`SERVICE_ACCOUNT`].
    pub folder: PathBuf,
}

/// Where a pod finds the files of its service account: `ca.crt` and `token`.
pub const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// All that a connection needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// The server, its authorities and a token.
    pub(super) server: Server,
    /// The name in its certificate, where that is not its host.
    pub(super) server_name: Option<String>,
    /// A client certificate with its key.
    pub(super) identity: Option<Identity>,
}

/// A client certificate, PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    /// The certificate and those between it and its authority.
    pub(super) certificate: Vec<u8>,
    /// Its key.
    pub(super) key: Secret,
}

/// Reads whatever a reference leads to.
pub(super) fn endpoint(access: &KubeAccess<'_>) -> Result<Endpoint, KubeError> {
    let KubeAccess {
        reference,
        folder,
        default_kubeconfig,
        in_cluster,
    } = access;
    match reference {
        KubernetesRef::Context { kubeconfig, context } => {
            let named = kubeconfig.as_ref().map(|file| folder.join(file));
            let path = named
                .or_else(|| default_kubeconfig.map(Path::to_owned))
                .ok_or(KubeError::NoKubeconfig)?;
            kubeconfig::endpoint(&path, context)
        }
        KubernetesRef::Server {
            url,
            authorities,
            token_file,
        } => {
            let authorities = match authorities {
                AuthoritiesRef::System => None,
                AuthoritiesRef::File(file) => Some(read("certificates (caFile)", &folder.join(file))?),
                AuthoritiesRef::Data(text) => Some(decoded("certificates (caData)", url, text)?),
            };
            let token = token(&folder.join(token_file))?;
            with_token(url, authorities, token)
        }
        KubernetesRef::InCluster => {
            let InClusterEnv { url, folder } = in_cluster.ok_or(KubeError::NotInCluster)?;
            let authorities = read("certificates of the service account", &folder.join("ca.crt"))?;
            let token = token(&folder.join("token"))?;
            with_token(url, Some(authorities), token)
        }
    }
}

fn with_token(url: &str, authorities: Option<Vec<u8>>, token: Secret) -> Result<Endpoint, KubeError> {
    let mut server = Server::new(url)?;
    server.authorities = authorities;
    server.credentials = Credentials::Bearer(token);
    checked(Endpoint {
        server,
        server_name: None,
        identity: None,
    })
}

/// An endpoint to which nothing secret goes in the clear.
pub(super) fn checked(endpoint: Endpoint) -> Result<Endpoint, KubeError> {
    let secret = endpoint.server.credentials != Credentials::None || endpoint.identity.is_some();
    if secret && endpoint.server.is_readable_on_the_way() {
        let server = endpoint.server.url().to_owned();
        return Err(KubeError::Readable { server });
    }
    Ok(endpoint)
}

/// The bytes of a file. A file of credentials is small; one that is not is another file.
pub(super) fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, KubeError> {
    const LARGEST: u64 = 1 << 20;
    let failed = |source| KubeError::File {
        what,
        path: path.to_owned(),
        source,
    };
    let too_large = || failed(std::io::Error::other("it is larger than 1 MiB"));
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut std::io::Read::take(file, LARGEST + 1), &mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LARGEST {
        return Err(too_large());
    }
    Ok(bytes)
}

/// The token in a file.
pub(super) fn token(path: &Path) -> Result<Secret, KubeError> {
    let failed = |why: &str| KubeError::File {
        what: "token",
        path: path.to_owned(),
        source: std::io::Error::other(why.to_owned()),
    };
    let bytes = read("token", path)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| failed("it is no text"))?;
    if text.trim().is_empty() {
        return Err(failed("it is empty"));
    }
    Ok(Secret::new(text.trim()))
}

/// What stands in base64 in a file.
pub(super) fn decoded(what: &'static str, server: &str, text: &str) -> Result<Vec<u8>, KubeError> {
    let joined: String = text.split_whitespace().collect();
    BASE64_STANDARD.decode(joined).map_err(|_| KubeError::Certificates {
        what,
        server: server.to_owned(),
        why: "it is not base64",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(folder: &Path, reference: &KubernetesRef) -> Result<Endpoint, KubeError> {
        let environment = InClusterEnv {
            url: "https://[fd00::1]:443".to_owned(),
            folder: folder.to_owned(),
        };
        endpoint(&KubeAccess {
            reference,
            folder,
            default_kubeconfig: None,
            in_cluster: Some(&environment),
        })
    }

    fn server(url: &str, authorities: AuthoritiesRef) -> KubernetesRef {
        KubernetesRef::Server {
            url: url.to_owned(),
            authorities,
            token_file: "token".to_owned(),
        }
    }

    #[test]
    fn an_explicit_server_reads_its_files_beside_the_fleet_file() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("token"), "hunter2\n").unwrap();
        std::fs::write(folder.path().join("ca.crt"), "PEM").unwrap();
        for authorities in [
            AuthoritiesRef::File("ca.crt".to_owned()),
            AuthoritiesRef::Data("UEVN\n".to_owned()),
        ] {
            let endpoint = of(folder.path(), &server("https://mgmt.example.org:6443", authorities)).unwrap();
            assert_eq!(endpoint.server.url(), "https://mgmt.example.org:6443");
            assert_eq!(endpoint.server.authorities.as_deref(), Some(&b"PEM"[..]));
            assert_eq!(endpoint.server.credentials, Credentials::Bearer(Secret::new("hunter2")));
            assert!(!format!("{endpoint:?}").contains("hunter2"));
        }
    }

    #[test]
    fn a_pod_finds_its_cluster() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("token"), "t").unwrap();
        let missing = of(folder.path(), &KubernetesRef::InCluster).unwrap_err().to_string();
        assert!(missing.contains("ca.crt"), "{missing}");
        std::fs::write(folder.path().join("ca.crt"), "PEM").unwrap();
        let endpoint = of(folder.path(), &KubernetesRef::InCluster).unwrap();
        assert_eq!(endpoint.server.url(), "https://[fd00::1]");
    }

    #[test]
    fn what_can_not_be_used_is_refused_without_a_word_of_the_token() {
        let folder = tempfile::tempdir().unwrap();
        let token = folder.path().join("token");
        std::fs::write(&token, "hunter2").unwrap();
        let system = || AuthoritiesRef::System;
        for (reference, words) in [
            (server("http://mgmt.example.org:8080", system()), "plain HTTP"),
            (server("https://me:hunter2@mgmt.example.org", system()), "address"),
            (
                server("https://a", AuthoritiesRef::Data("hunter2!".to_owned())),
                "not base64",
            ),
            (server("https://a", AuthoritiesRef::File("none".to_owned())), "none"),
            (
                KubernetesRef::Context {
                    kubeconfig: None,
                    context: "a".to_owned(),
                },
                "set `kubeconfig`",
            ),
        ] {
            let error = of(folder.path(), &reference).unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(text.contains(words) && !text.contains("hunter2"), "{text}");
        }
        for bytes in [&b""[..], b" \n", b"\xff\xfe", &vec![b'a'; 2 << 20]] {
            std::fs::write(&token, bytes).unwrap();
            assert!(of(folder.path(), &server("https://a", system())).is_err());
        }
        assert!(matches!(
            endpoint(&KubeAccess {
                reference: &KubernetesRef::InCluster,
                folder: folder.path(),
                default_kubeconfig: None,
                in_cluster: None
            }),
            Err(KubeError::NotInCluster)
        ));
    }
}
