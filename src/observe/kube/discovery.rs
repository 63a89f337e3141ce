//! Which API groups a server has, and in which versions.
//!
//! A group that is not there (404) is known not to be there. A group that may not be asked for is unknown.

use serde::Deserialize;

use super::error::{CallError, in_words};
use super::list::{Reader, Resource};

/// An API group as a server has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    /// Its versions, the preferred one first.
    pub(super) versions: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Discovered {
    versions: Vec<Version>,
    preferred_version: Option<Version>,
}

#[derive(Deserialize)]
struct Version {
    version: String,
}

impl Reader<'_> {
    /// Asks for a group; nothing if the server does not have it.
    pub(super) async fn group(&self, name: &str) -> Result<Option<Group>, CallError> {
        let found: Result<Discovered, _> = self.api.read(&format!("/apis/{name}"), self.deadline).await;
        match found {
            Ok(found) => {
                let all = found.preferred_version.into_iter().chain(found.versions);
                let versions = all.map(|version| version.version).collect();
                Ok(Some(Group { versions }))
            }
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Why a group is not known, for people.
pub(super) fn unknown_group(name: &str, error: &CallError) -> String {
    format!("asking for the API group {name}: {}", in_words(error))
}

/// Why a list could not be read, for people.
pub(super) fn unlisted(resource: &Resource, error: &CallError) -> String {
    let name = resource.name();
    let hint = match error.status() {
        Some(403) => format!("; we may not list {name}: the ClusterRole of the service account has to allow it"),
        Some(404) => format!("; there is no {name} in version {}", resource.version),
        _ => String::new(),
    };
    format!("listing {}: {}{hint}", resource.plural, in_words(error))
}
