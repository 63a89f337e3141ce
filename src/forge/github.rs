//! GitHub and GitHub Enterprise Server, through octocrab on our own client.
//!
//! octocrab knows the routes, the pages and the JSON; its models are left aside. They require fields that GitHub Enterprise Server and
//! GitHub's emulator leave out, and an answer that can't be read after a pull request was opened would look like a failure.
//!
//! Traps: the list's filter by head is ignored in silence without the owner before the branch; a list may lag behind what was just done by
//! half a minute; a limit may come as 403; an app's token has no user to ask for.

mod transport;

use std::sync::Arc;

use jiff::Timestamp;
use octocrab::Octocrab;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::OnceCell;

use crate::model::{BranchName, PullRequestState};
use crate::net::date;

use super::gate::Gate;
use super::labels::{Change, change};
use super::pages::{self, More, Page, Pulls};
use super::wire::{Pull, Us, User};
use super::{Forge, ForgeAccess, ForgeError, ForgePullRequest, Hosted, NewPullRequest, PullRequestText};

/// The most that GitHub gives on a page.
const PAGE: usize = 100;

/// A repository on GitHub.
#[derive(Debug)]
pub struct GitHubForge {
    gate: Arc<Gate>,
    owner: String,
    /// `owner/name`.
    repository: String,
    since: Timestamp,
    us: OnceCell<Us>,
}

/// A repository as far as it tells about rights.
#[derive(Deserialize)]
struct Repository {
    permissions: Option<Permissions>,
    archived: Option<bool>,
}

#[derive(Deserialize)]
struct Permissions {
    push: bool,
    pull: bool,
}

/// The filter of a list of pull requests.
#[derive(Serialize)]
struct Filter<'a> {
    state: &'a str,
    sort: &'a str,
    direction: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<String>,
    per_page: usize,
    page: u32,
}

impl GitHubForge {
    /// A repository on a server. Nothing is sent yet.
    pub fn new(hosted: &Hosted<'_>) -> Result<Self, ForgeError> {
        Ok(Self {
            gate: Arc::new(hosted.gate()?),
            owner: hosted.owner.to_owned(),
            repository: hosted.repository(),
            since: hosted.since,
            us: OnceCell::new(),
        })
    }

    /// octocrab's worker lives in the runtime that made it, so each call has its own.
    fn octocrab(&self) -> Octocrab {
        transport::octocrab(&self.gate)
    }

    /// The path of something in the repository.
    fn path(&self, below: &str) -> String {
        format!("/repos/{}{below}", self.repository)
    }

    fn doing(&self, what: &str) -> String {
        format!("{what} of {}", self.repository)
    }

    fn error(&self, doing: &str, error: octocrab::Error) -> ForgeError {
        let needs = format!(
            "the token needs, on {}, Contents and Pull requests read and write",
            self.repository
        );
        match transport::broken(error) {
            Ok(transport::Broken::Failure(failure)) => self.gate.error(doing, failure, &needs),
            Ok(transport::Broken::Body(error)) | Err(error) => self.gate.malformed(doing, &words(&error)),
        }
    }

    /// Who the token belongs to; asked once.
    async fn us(&self) -> Result<&Us, ForgeError> {
        let ask = async || -> Result<Us, ForgeError> {
            let doing = "asking whose token it is";
            let user = self.octocrab().get("/user", None::<&()>).await;
            match user.map_err(|error| self.error(doing, error)) {
                Ok(User { login, .. }) => Ok(Us::User(login)),
                // "Resource not accessible by integration": the token of an app or an action, which is no user.
                Err(ForgeError::Denied { status: 403, .. }) => Ok(Us::App),
                Err(error) => Err(error),
            }
        };
        self.us.get_or_try_init(ask).await
    }

    async fn pages(&self, doing: &str, filter: &Filter<'_>) -> Result<Page, ForgeError> {
        let page = self.octocrab().get(self.path("/pulls"), Some(filter)).await;
        let octocrab::Page::<Pull> { items, next, .. } = page.map_err(|error| self.error(doing, error))?;
        // A full page without a link to the next one is a proxy that takes headers away.
        let more = if next.is_some() || items.len() >= PAGE {
            More::Yes
        } else {
            More::No
        };
        Ok(Page { pulls: items, more })
    }

    async fn open(&self, head: Option<String>) -> Result<Pulls, ForgeError> {
        let doing = self.doing("listing the open pull requests");
        let filter = |page| Filter {
            state: "open",
            sort: "created",
            direction: "asc",
            head: head.clone(),
            per_page: PAGE,
            page,
        };
        let pulls = pages::all(async |page| self.pages(&doing, &filter(page)).await).await?;
        pulls.ok_or_else(|| self.gate.malformed(&doing, "there are too many"))
    }

    async fn ended(&self) -> Result<Pulls, ForgeError> {
        let doing = self.doing("listing the ended pull requests");
        let filter = |page| Filter {
            state: "closed",
            sort: "updated",
            direction: "desc",
            head: None,
            per_page: PAGE,
            page,
        };
        let pulls = pages::changed_since(async |page| self.pages(&doing, &filter(page)).await, self.since).await?;
        pulls.ok_or_else(|| self.gate.malformed(&doing, "there are too many"))
    }

    fn read(&self, doing: &str, pull: &Pull, prefix: &str, us: &Us) -> Result<Option<ForgePullRequest>, ForgeError> {
        pull.read(prefix, us).map_err(|why| self.gate.malformed(doing, &why))
    }

    fn read_all(&self, pulls: &Pulls, prefix: &str, us: &Us) -> Result<Vec<ForgePullRequest>, ForgeError> {
        let doing = self.doing("reading the pull requests");
        let read = pulls.values().map(|pull| self.read(&doing, pull, prefix, us));
        read.filter_map(Result::transpose).collect()
    }

    async fn pull(&self, doing: &str, number: u64) -> Result<Pull, ForgeError> {
        let path = self.path(&format!("/pulls/{number}"));
        let pull = self.octocrab().get(path, None::<&()>).await;
        pull.map_err(|error| self.error(doing, error))
    }

    async fn patch(&self, doing: &str, number: u64, body: &serde_json::Value) -> Result<(), ForgeError> {
        let path = self.path(&format!("/pulls/{number}"));
        let patched = self.octocrab().patch(path, Some(body)).await;
        let _: serde::de::IgnoredAny = patched.map_err(|error| self.error(doing, error))?;
        Ok(())
    }

    /// Gives and takes labels. GitHub makes those that are missing.
    async fn label(&self, number: u64, Change { give, take }: &Change) -> Result<(), ForgeError> {
        let doing = self.doing(&format!("changing the labels of #{number}"));
        let path = self.path(&format!("/issues/{number}/labels"));
        if !give.is_empty() {
            let given = self.octocrab().post(&path, Some(&json!({ "labels": give }))).await;
            let _: serde::de::IgnoredAny = given.map_err(|error| self.error(&doing, error))?;
        }
        for label in take {
            let path = format!("{path}/{}", escaped(label));
            let taken = self.octocrab().delete(path, None::<&()>).await;
            let _: serde::de::IgnoredAny = taken.map_err(|error| self.error(&doing, error))?;
        }
        Ok(())
    }
}

impl Forge for GitHubForge {
    async fn access(&self) -> Result<ForgeAccess, ForgeError> {
        let doing = format!("asking what may be done in {}", self.repository);
        let octocrab = self.octocrab();
        let answer = octocrab._get(self.path("")).await;
        let answer = answer.map_err(|error| self.error(&doing, error))?;
        let header = |name: &str| Some(answer.headers().get(name)?.to_str().ok()?.to_owned());
        let clock = date(answer.headers());
        let version = header("x-github-enterprise-version");
        let repository = <Repository as octocrab::FromResponse>::from_response(answer).await;
        let Repository { permissions, archived } = repository.map_err(|error| self.error(&doing, error))?;
        let living = archived != Some(true);
        let may_push = permissions.as_ref().map(|permissions| permissions.push && living);
        // Any reader may open one from a branch that is there.
        let may_open = permissions.as_ref().map(|permissions| permissions.pull && living);
        Ok(ForgeAccess {
            login: match self.us().await? {
                Us::User(login) => Some(login.clone()),
                Us::App => None,
            },
            may_read: permissions.is_none_or(|permissions| permissions.pull),
            may_push,
            may_open,
            clock,
            version,
        })
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ForgePullRequest>, ForgeError> {
        let us = self.us().await?;
        let mut pulls = self.open(None).await?;
        // The ended ones second: what is closed between the two is in both, and the later word counts.
        pulls.extend(self.ended().await?);
        let mut requests = self.read_all(&pulls, prefix, us)?;
        requests.retain(|request| request.is_recent(self.since));
        Ok(requests)
    }

    async fn open_from(&self, branch: &BranchName) -> Result<Vec<ForgePullRequest>, ForgeError> {
        let us = self.us().await?;
        let pulls = self.open(Some(format!("{}:{branch}", self.owner))).await?;
        let mut requests = self.read_all(&pulls, branch.as_str(), us)?;
        requests.retain(|request| request.branch == *branch && request.state == PullRequestState::Open);
        Ok(requests)
    }

    async fn get(&self, number: u64) -> Result<Option<ForgePullRequest>, ForgeError> {
        let us = self.us().await?;
        let doing = self.doing(&format!("reading #{number}"));
        let pull = self.pull(&doing, number).await?;
        self.read(&doing, &pull, "", us)
    }

    async fn create(&self, new: &NewPullRequest) -> Result<u64, ForgeError> {
        let NewPullRequest { branch, base, text } = new;
        let PullRequestText { title, body, labels } = text;
        let doing = format!("opening a pull request from {branch} in {}", self.repository);
        let body = json!({ "head": branch, "base": base, "title": title, "body": body });
        let opened = self.octocrab().post(self.path("/pulls"), Some(&body)).await;
        let opened: Pull = opened.map_err(|error| self.error(&doing, error))?;
        let give = labels.clone();
        let take = Vec::new();
        // It is open, with or without labels. Whatever stands against more requests, the next one will meet.
        if let Err(error) = self.label(opened.number, &Change { give, take }).await {
            tracing::warn!(%error, "going on without the labels");
        }
        Ok(opened.number)
    }

    async fn update(&self, number: u64, text: &PullRequestText) -> Result<(), ForgeError> {
        let PullRequestText { title, body, labels } = text;
        let doing = self.doing(&format!("updating #{number}"));
        let there = self.pull(&doing, number).await?;
        // The body carries the machine's record of all this, so it comes last.
        match self.label(number, &change(&there.labels(), labels)).await {
            Err(error) if !error.stops_the_run() => tracing::warn!(%error, "going on without the labels"),
            labelled => labelled?,
        }
        self.patch(&doing, number, &json!({ "title": title, "body": body }))
            .await
    }

    async fn comment(&self, number: u64, comment: &str) -> Result<(), ForgeError> {
        let doing = self.doing(&format!("commenting on #{number}"));
        let path = self.path(&format!("/issues/{number}/comments"));
        let said = self.octocrab().post(path, Some(&json!({ "body": comment }))).await;
        let _: serde::de::IgnoredAny = said.map_err(|error| self.error(&doing, error))?;
        Ok(())
    }

    async fn close(&self, number: u64, _at: Timestamp) -> Result<(), ForgeError> {
        let doing = self.doing(&format!("closing #{number}"));
        self.patch(&doing, number, &json!({ "state": "closed" })).await
    }

    async fn record_merge(&self, _number: u64, _at: Timestamp) -> Result<(), ForgeError> {
        Ok(())
    }
}

/// A name as one part of a path.
fn escaped(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

/// An error of octocrab's with its causes, without the backtrace that some of them print.
fn words(error: &octocrab::Error) -> String {
    match error {
        octocrab::Error::Json { source, .. } => format!("{}: {}", source.path(), source.inner()),
        other => {
            let text = other.to_string();
            let cause = std::error::Error::source(other).map(ToString::to_string);
            [Some(text), cause].into_iter().flatten().collect::<Vec<_>>().join(": ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_one_part_of_a_path() {
        assert_eq!(escaped("fleetscale/P1 ü"), "fleetscale%2FP1%20%C3%BC");
    }
}
