//! Gitea and Forgejo, through a small client of our own.
//!
//! Traps, all seen in Gitea 1.26: `GET /pulls/{base}/{head}` returns any pull request between two branches, a closed one as soon as the open
//! one, so the open ones are listed; the list knows no filter by head and ignores it in silence, so it is filtered here; labels are numbers;
//! a server may give fewer a page than it is asked for, so the count in `X-Total-Count` tells the end; `PATCH` answers 201.

mod labels;

use http::Method;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::OnceCell;

use crate::model::{BranchName, PullRequestState};
use crate::net::{Answer, Request};

use super::gate::{Failure, Gate};
use super::pages::{self, More, Page, Pulls};
use super::wire::{Pull, Us, User};
use super::{Forge, ForgeAccess, ForgeError, ForgePullRequest, Hosted, NewPullRequest, PullRequestText};

/// The most that Gitea gives on a page unless it is configured to give more.
const PAGE: &str = "50";

/// A repository on Gitea or Forgejo.
#[derive(Debug)]
pub struct GiteaForge {
    gate: Gate,
    owner: String,
    /// `owner/name`.
    repository: String,
    since: Timestamp,
    us: OnceCell<Us>,
    labels: labels::Known,
}

/// A repository as far as it tells about rights.
#[derive(Deserialize)]
struct Repository {
    permissions: Option<Permissions>,
    has_pull_requests: Option<bool>,
    archived: Option<bool>,
}

#[derive(Deserialize)]
struct Permissions {
    push: bool,
    pull: bool,
}

#[derive(Deserialize)]
struct Version {
    version: String,
}

impl GiteaForge {
    /// A repository on a server. Nothing is sent yet.
    pub fn new(hosted: &Hosted<'_>) -> Result<Self, ForgeError> {
        Ok(Self {
            gate: hosted.gate()?,
            owner: hosted.owner.to_owned(),
            repository: hosted.repository(),
            since: hosted.since,
            us: OnceCell::new(),
            labels: labels::Known::default(),
        })
    }

    /// The path of something in the repository.
    fn path(&self, below: &str) -> String {
        format!("/api/v1/repos/{}{below}", self.repository)
    }

    fn error(&self, doing: &str, failure: Failure) -> ForgeError {
        let needs = format!(
            "the token needs the scopes read:user, write:repository and write:issue, and its user write access to {}",
            self.repository
        );
        self.gate.error(doing, failure, &needs)
    }

    async fn send(&self, doing: &str, request: Request<'_>) -> Result<Answer, ForgeError> {
        let answer = self.gate.send(request).await;
        answer.map_err(|failure| self.error(doing, failure))
    }

    async fn fetch<T: for<'de> Deserialize<'de>>(&self, doing: &str, path: &str) -> Result<T, ForgeError> {
        let answer = self.send(doing, Request::get(path)).await?;
        self.gate.read(doing, &answer)
    }

    async fn change(
        &self,
        doing: &str,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Answer, ForgeError> {
        let body = serde_json::to_vec(body).map_err(|error| self.gate.malformed(doing, &error.to_string()))?;
        let request = Request {
            method,
            path,
            query: &[],
            body: Some(("application/json", body)),
        };
        self.send(doing, request).await
    }

    /// Who the token belongs to; asked once. Without it other people's pull requests could not be told from ours.
    async fn us(&self) -> Result<&Us, ForgeError> {
        let ask = async || -> Result<Us, ForgeError> {
            let user: User = self.fetch("asking whose token it is", "/api/v1/user").await?;
            Ok(Us::User(user.login))
        };
        self.us.get_or_try_init(ask).await
    }

    async fn page(&self, doing: &str, page: u32, filter: &[(&str, &str)]) -> Result<Page, ForgeError> {
        let (path, page) = (self.path("/pulls"), page.to_string());
        let mut query = vec![("limit", PAGE), ("page", page.as_str())];
        query.extend(filter);
        let request = Request {
            query: &query,
            ..Request::get(&path)
        };
        let answer = self.send(doing, request).await?;
        let total = answer.headers.get("x-total-count");
        let total = total.and_then(|total| total.to_str().ok()?.parse().ok());
        Ok(Page {
            pulls: self.gate.read(doing, &answer)?,
            more: total.map_or(More::Yes, More::Of),
        })
    }

    async fn open(&self) -> Result<Pulls, ForgeError> {
        let doing = self.doing("listing the open pull requests");
        let filter = [("state", "open"), ("sort", "oldest")];
        let pulls = pages::all(async |page| self.page(&doing, page, &filter).await).await?;
        pulls.ok_or_else(|| self.gate.malformed(&doing, "there are too many"))
    }

    /// Those that we opened. What others opened and ended is none of our business.
    async fn ended(&self, us: &Us) -> Result<Pulls, ForgeError> {
        let doing = self.doing("listing the ended pull requests");
        let mut filter = vec![("state", "closed"), ("sort", "recentupdate")];
        if let Us::User(login) = us {
            filter.push(("poster", login));
        }
        let pulls = pages::changed_since(async |page| self.page(&doing, page, &filter).await, self.since).await?;
        pulls.ok_or_else(|| self.gate.malformed(&doing, "there are too many"))
    }

    fn doing(&self, what: &str) -> String {
        format!("{what} of {}", self.repository)
    }

    fn read(&self, doing: &str, pull: &Pull, prefix: &str, us: &Us) -> Result<Option<ForgePullRequest>, ForgeError> {
        pull.read(prefix, us).map_err(|why| self.gate.malformed(doing, &why))
    }

    fn read_all(&self, pulls: &Pulls, prefix: &str, us: &Us) -> Result<Vec<ForgePullRequest>, ForgeError> {
        let doing = self.doing("reading the pull requests");
        let read = pulls.values().map(|pull| self.read(&doing, pull, prefix, us));
        read.filter_map(Result::transpose).collect()
    }
}

impl Forge for GiteaForge {
    async fn access(&self) -> Result<ForgeAccess, ForgeError> {
        let doing = self.doing("asking for the version of the server");
        let answer = self.send(&doing, Request::get("/api/v1/version")).await?;
        let clock = answer.date();
        let Version { version } = self.gate.read(&doing, &answer)?;
        let Us::User(login) = self.us().await? else {
            return Err(self.gate.malformed(&doing, "the token has no user"));
        };
        let doing = format!("asking what may be done in {}", self.repository);
        let Repository {
            permissions,
            has_pull_requests,
            archived,
        } = self.fetch(&doing, &self.path("")).await?;
        let living = archived != Some(true);
        let may_push = permissions.as_ref().map(|permissions| permissions.push && living);
        let may_open = permissions
            .as_ref()
            .map(|permissions| permissions.pull && living && has_pull_requests != Some(false));
        Ok(ForgeAccess {
            login: Some(login.clone()),
            may_read: permissions.is_none_or(|permissions| permissions.pull) && has_pull_requests != Some(false),
            may_push,
            may_open,
            clock,
            version: Some(version),
        })
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ForgePullRequest>, ForgeError> {
        let us = self.us().await?;
        let mut pulls = self.open().await?;
        // The ended ones second: what is closed between the two is in both, and the later word counts.
        pulls.extend(self.ended(us).await?);
        let mut requests = self.read_all(&pulls, prefix, us)?;
        requests.retain(|request| request.is_recent(self.since));
        Ok(requests)
    }

    async fn open_from(&self, branch: &BranchName) -> Result<Vec<ForgePullRequest>, ForgeError> {
        let us = self.us().await?;
        let pulls = self.open().await?;
        let mut requests = self.read_all(&pulls, branch.as_str(), us)?;
        requests.retain(|request| request.branch == *branch && request.state == PullRequestState::Open);
        Ok(requests)
    }

    async fn get(&self, number: u64) -> Result<Option<ForgePullRequest>, ForgeError> {
        let us = self.us().await?;
        let doing = self.doing(&format!("reading #{number}"));
        let pull: Pull = self.fetch(&doing, &self.path(&format!("/pulls/{number}"))).await?;
        self.read(&doing, &pull, "", us)
    }

    async fn create(&self, new: &NewPullRequest) -> Result<u64, ForgeError> {
        let NewPullRequest { branch, base, text } = new;
        let PullRequestText { title, body, labels } = text;
        let labels = self.label_ids(labels).await?;
        let doing = format!("opening a pull request from {branch} in {}", self.repository);
        let body = json!({ "head": branch, "base": base, "title": title, "body": body, "labels": labels });
        let answer = self.change(&doing, Method::POST, &self.path("/pulls"), &body).await?;
        let pull: Pull = self.gate.read(&doing, &answer)?;
        Ok(pull.number)
    }

    async fn update(&self, number: u64, text: &PullRequestText) -> Result<(), ForgeError> {
        let PullRequestText { title, body, labels } = text;
        // The body carries the machine's record of all this, so it comes last.
        self.update_labels(number, labels).await?;
        let doing = self.doing(&format!("updating #{number}"));
        let body = json!({ "title": title, "body": body });
        let path = self.path(&format!("/pulls/{number}"));
        self.change(&doing, Method::PATCH, &path, &body).await?;
        Ok(())
    }

    async fn comment(&self, number: u64, comment: &str) -> Result<(), ForgeError> {
        let doing = self.doing(&format!("commenting on #{number}"));
        let path = self.path(&format!("/issues/{number}/comments"));
        self.change(&doing, Method::POST, &path, &json!({ "body": comment }))
            .await?;
        Ok(())
    }

    async fn close(&self, number: u64, _at: Timestamp) -> Result<(), ForgeError> {
        let doing = self.doing(&format!("closing #{number}"));
        let path = self.path(&format!("/pulls/{number}"));
        self.change(&doing, Method::PATCH, &path, &json!({ "state": "closed" }))
            .await?;
        Ok(())
    }

    async fn record_merge(&self, _number: u64, _at: Timestamp) -> Result<(), ForgeError> {
        Ok(())
    }
}
