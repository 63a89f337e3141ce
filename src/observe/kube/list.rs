//! Reads a list page by page, whole or not at all.
//!
//! Each page is folded into what is wanted of it and forgotten. A list that expires while it is read begins anew: the server offers a token
//! that would go on from another moment, and such a list may lack what moved in between, so that token is never used. Whatever is not
//! certainly the whole list is an error. Absent on purpose: `remainingItemCount`, which is an estimate.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::net::Deadline;

use super::client::{Answer, Api};
use super::error::CallError;

/// What is listed, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resource {
    /// The API group.
    pub(super) group: &'static str,
    /// Its version.
    pub(super) version: String,
    /// The plural in paths: `machinedeployments`.
    pub(super) plural: &'static str,
    /// The kind: `MachineDeployment`.
    pub(super) kind: &'static str,
}

impl Resource {
    /// Its name in rules of RBAC: `machinedeployments.cluster.x-k8s.io`.
    pub(super) fn name(&self) -> String {
        format!("{}.{}", self.plural, self.group)
    }
}

/// How lists are read.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) api: &'a Api,
    /// When everything has to be over.
    pub(super) deadline: Deadline,
    /// The most objects of a page.
    pub(super) page: u32,
}

/// How often a list that expired begins anew. A list of 60,000 Machines takes seconds and a server keeps its past for five minutes: one that
/// expires this often does not keep it.
const RESTARTS: u32 = 3;

#[derive(Deserialize)]
struct Page<T> {
    kind: Option<String>,
    #[serde(default)]
    metadata: PageMetadata,
    items: Option<Vec<T>>,
}

#[derive(Default, Deserialize)]
struct PageMetadata {
    #[serde(rename = "continue", default)]
    token: Option<String>,
}

impl Reader<'_> {
    /// Folds all objects of a list into a state, which is made anew whenever the list has to be.
    ///
    /// `named` lists only the object of that name, in every namespace.
    pub(super) async fn fold<T: DeserializeOwned, S>(
        &self,
        resource: &Resource,
        named: Option<&str>,
        fresh: impl Fn() -> S,
        add: impl Fn(&mut S, T),
    ) -> Result<S, CallError> {
        for _ in 0..=RESTARTS {
            let mut state = fresh();
            match self.pages(resource, named, |item| add(&mut state, item)).await {
                Ok(()) => return Ok(state),
                Err(error) if error.status() == Some(410) => {}
                Err(error) => return Err(error),
            }
        }
        Err(CallError::Expired { times: RESTARTS + 1 })
    }

    async fn pages<T: DeserializeOwned>(
        &self,
        resource: &Resource,
        named: Option<&str>,
        mut add: impl FnMut(T),
    ) -> Result<(), CallError> {
        let Resource {
            group,
            version,
            plural,
            kind,
        } = resource;
        let mut first = format!("/apis/{group}/{version}/{plural}?limit={}", self.page);
        if let Some(name) = named {
            first.push_str("&fieldSelector=metadata.name%3D");
            first.push_str(&escaped(name));
        }
        let mut path = first.clone();
        let mut tokens = BTreeSet::new();
        loop {
            let Answer { body, .. } = self.api.get(&path, self.deadline).await?;
            let page: Page<T> = serde_json::from_slice(&body)?;
            if page.kind.is_none_or(|found| found != format!("{kind}List")) {
                return Err(CallError::NotAList {
                    why: "it is of another kind",
                });
            }
            let items = page.items.ok_or(CallError::NotAList { why: "it has no items" })?;
            items.into_iter().for_each(&mut add);
            let Some(token) = page.metadata.token.filter(|token| !token.is_empty()) else {
                return Ok(());
            };
            path = format!("{first}&continue={}", escaped(&token));
            if !tokens.insert(token) {
                return Err(CallError::NotAList {
                    why: "it goes round in circles",
                });
            }
        }
    }
}

/// A text as part of a query.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => escaped.push(char::from(byte)),
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_can_not_leave_its_place_in_the_query() {
        assert_eq!(escaped("aZ0-_.~"), "aZ0-_.~");
        assert_eq!(escaped("a=&limit=1#\u{e9} /"), "a%3D%26limit%3D1%23%C3%A9%20%2F");
    }
}
