//! The repository's server and the forge, as the fleet file names them, with their credentials.

use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::error::{ErrorKind, Failure};
use crate::forge::{AnyForge, ForgeError, GITHUB_PACE, GitHubForge, GiteaForge, Hosted, LocalForge};
use crate::git::{Remote, RemoteServer};
use crate::net::{CONNECT, Deadline, Limits};
use crate::policy::{CredentialsRef, FleetFile, Forge, ForgeRepository, ServerRef};

use super::servers;

/// The most of a forge's answer that is read: a page of pull requests with full bodies has some six megabytes.
const LARGEST_ANSWER: usize = 16 << 20;

/// How far back ended pull requests are looked at. A reviewer's no holds for 30 days, and a week's average may contain a change that was
/// merged before it.
const MEMORY: SignedDuration = SignedDuration::from_hours(45 * 24);

/// A repository on a server.
pub(super) fn remote(
    fleet: &FleetFile,
    folder: &Path,
    reference: &ServerRef,
    deadline: Deadline,
) -> Result<Remote, Failure> {
    let reference = with_the_forges_credentials(reference, &fleet.forge);
    let server = servers::resolve_for_git(folder, &reference).map_err(|why| {
        let what = format!("preparing the connection to {}: {why}", reference.url);
        Failure::plain(ErrorKind::Publish, what).with_hint("see spec.repository.credentials of the fleet file")
    })?;
    let remote = RemoteServer::new(server, fleet.deadlines.git.standard(), deadline);
    remote
        .map(Remote::Server)
        .map_err(|error| Failure::new(ErrorKind::Publish, &error))
}

/// One token usually does for both: a repository without credentials of its own on the forge's host has the forge's.
pub(super) fn with_the_forges_credentials(reference: &ServerRef, forge: &Forge) -> ServerRef {
    let (Forge::Gitea { server, .. } | Forge::GitHub { server, .. }) = forge else {
        return reference.clone();
    };
    if reference.credentials != CredentialsRef::None || !is_same_host(&reference.url, &server.url) {
        return reference.clone();
    }
    ServerRef {
        url: reference.url.clone(),
        credentials: server.credentials.clone(),
        ca_file: reference.ca_file.clone().or_else(|| server.ca_file.clone()),
    }
}

/// GitHub's API has a host of its own; the one of GitHub Enterprise Server does not.
fn is_same_host(repository: &str, forge: &str) -> bool {
    let origin = |url: &str| {
        let (scheme, rest) = url.split_once("://")?;
        Some((
            scheme.to_ascii_lowercase(),
            rest.split('/').next()?.to_ascii_lowercase(),
        ))
    };
    let without_api = |(scheme, host): (String, String)| {
        let host = if host == "api.github.com" {
            "github.com".to_owned()
        } else {
            host
        };
        (scheme, host)
    };
    origin(repository).is_some_and(|repository| origin(forge).map(without_api) == Some(repository))
}

/// The forge, and where a person finds its pull requests.
pub(super) fn forge(
    fleet: &FleetFile,
    folder: &Path,
    work: &Path,
    now: Timestamp,
    deadline: Deadline,
) -> Result<(AnyForge, String), Failure> {
    let (reference, repository) = match &fleet.forge {
        Forge::Local { path } => {
            let path = path
                .as_ref()
                .map_or_else(|| work.join("pull-requests"), |path| folder.join(path));
            return Ok((AnyForge::Local(LocalForge::new(&path)), path.display().to_string()));
        }
        Forge::Gitea { server, repository } | Forge::GitHub { server, repository } => (server, repository),
    };
    let server = servers::resolve(folder, reference).map_err(|why| {
        let what = format!("preparing the connection to {}: {why}", reference.url);
        Failure::plain(ErrorKind::Publish, what).with_hint("see the forge's `credentials` in the fleet file")
    })?;
    let ForgeRepository { owner, name } = repository;
    let hosted = |pace| Hosted {
        server: &server,
        owner,
        name,
        limits: Limits {
            connect: CONNECT,
            call: fleet.deadlines.call.standard(),
            body: LARGEST_ANSWER,
        },
        deadline,
        pace,
        since: now - MEMORY,
    };
    let failed = |error: ForgeError| Failure::new(ErrorKind::Publish, &error);
    Ok(match &fleet.forge {
        Forge::GitHub { .. } => {
            let forge = GitHubForge::new(&hosted(GITHUB_PACE)).map_err(failed)?;
            let root = server
                .url()
                .trim_end_matches("/api/v3")
                .replace("://api.github.com", "://github.com");
            (
                AnyForge::GitHub(Box::new(forge)),
                format!("{root}/{owner}/{name}/pulls"),
            )
        }
        Forge::Gitea { .. } | Forge::Local { .. } => {
            let forge = GiteaForge::new(&hosted(Duration::ZERO)).map_err(failed)?;
            (
                AnyForge::Gitea(Box::new(forge)),
                format!("{}/{owner}/{name}/pulls", server.url()),
            )
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_on_the_forges_host_or_it_is_not() {
        for (repository, forge, same) in [
            ("https://git.example.org/a/b.git", "https://git.example.org", true),
            ("https://GIT.example.org/a/b.git", "https://git.example.org/forge", true),
            ("https://github.com/a/b", "https://api.github.com", true),
            ("https://ghe.example.org/a/b", "https://ghe.example.org/api/v3", true),
            ("http://git.example.org/a/b.git", "https://git.example.org", false),
            ("https://git.example.org:8443/a/b.git", "https://git.example.org", false),
            (
                "https://git.example.org.evil.example/a",
                "https://git.example.org",
                false,
            ),
            ("https://github.com.evil.example/a", "https://api.github.com", false),
        ] {
            assert_eq!(is_same_host(repository, forge), same, "{repository} {forge}");
        }
    }
}
