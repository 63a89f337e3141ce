//! Where pull requests live. One file per forge; what they have in common is here.
//!
//! A forge does what it is told and remembers nothing: whether a pull request should exist is decided elsewhere. No call is repeated here.
//! After an ambiguous error it is unknown whether the call took effect, and whoever made it reads again before doing anything else.
//!
//! Invariants: what is listed comes from branches of this very repository, with who opened it; a label of other people's is never taken;
//! after a rate limit, an unknown token or the deadline nothing more is sent. Absent on purpose: reviews, merges, retries, and webhooks.

mod any;
mod error;
mod gate;
mod gitea;
mod github;
mod labels;
mod local;
mod pages;
mod wire;

use std::time::Duration;

use jiff::Timestamp;

use crate::model::{BranchName, ObjectId, PullRequestState};
use crate::net::{Client, Deadline, Limits, Server};

use gate::Gate;

pub use any::AnyForge;
pub use error::ForgeError;
pub use gitea::GiteaForge;
pub use github::GitHubForge;
pub use local::{LocalError, LocalForge};

/// A repository on a forge's server, and how long and how far back we look at it.
#[derive(Debug, Clone)]
pub struct Hosted<'a> {
    /// The server. Gitea: its root. GitHub: the root of its API.
    pub server: &'a Server,
    /// The repository's owner: a user or an organization. Letters, digits, `-`, `_` and `.` alone.
    pub owner: &'a str,
    /// The repository's name, of the same letters.
    pub name: &'a str,
    /// How long and how large one exchange may be. A page of pull requests with full bodies has some six megabytes.
    pub limits: Limits,
    /// When the last exchange has to be over.
    pub deadline: Deadline,
    /// The least time between two mutations. GitHub asks for a second; [`GITHUB_PACE`] is that.
    pub pace: Duration,
    /// Pull requests that ended before are not listed.
    pub since: Timestamp,
}

impl Hosted<'_> {
    /// `platform/fleet`.
    fn repository(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }

    /// What every request to it passes.
    fn gate(&self) -> Result<Gate, ForgeError> {
        let client = Client::new(self.server, self.limits).map_err(|source| ForgeError::Unreachable {
            doing: format!("preparing to talk about {}", self.repository()),
            source,
        })?;
        Ok(Gate::new(client, self.deadline, self.pace))
    }
}

/// The least time between two mutations on GitHub: "wait at least one second between each request" (its best practices for the REST API).
pub const GITHUB_PACE: Duration = Duration::from_secs(1);

/// A pull request as the forge holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForgePullRequest {
    /// Its number.
    pub number: u64,
    /// Its head branch.
    pub branch: BranchName,
    /// The branch that it is to be merged into.
    pub base: BranchName,
    /// The commit at its head, where the forge tells.
    pub head: Option<ObjectId>,
    /// Who opened it, if somebody else did; nothing means us. Hostile until escaped.
    pub opened_by: Option<String>,
    /// What became of it.
    pub state: PullRequestState,
    /// Its title. Hostile until escaped.
    pub title: String,
    /// Its body in Markdown, with the hidden state. Hostile until escaped.
    pub body: String,
    /// Its labels, sorted.
    pub labels: Vec<String>,
    /// Where a person reads it: a URL, or a folder.
    pub location: String,
    /// When it was closed or merged, where the forge tells.
    pub ended_at: Option<Timestamp>,
}

impl ForgePullRequest {
    /// Whether it is open or ended not before then. One that does not say when it ended counts as recent.
    fn is_recent(&self, since: Timestamp) -> bool {
        self.state == PullRequestState::Open || self.ended_at.is_none_or(|at| at >= since)
    }
}

/// A pull request to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPullRequest {
    /// Its head branch, which must exist.
    pub branch: BranchName,
    /// The branch that it is to be merged into.
    pub base: BranchName,
    /// What people read.
    pub text: PullRequestText,
}

/// The parts of a pull request that people read and that can change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequestText {
    /// One line.
    pub title: String,
    /// Markdown.
    pub body: String,
    /// The labels of ours, sorted. Those of other people stay as they are.
    pub labels: Vec<String>,
}

/// What a token is good for, as far as a forge tells without being changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForgeAccess {
    /// Who we are; nothing for a GitHub App and for the local forge.
    pub login: Option<String>,
    /// Whether pull requests can be listed.
    pub may_read: bool,
    /// Whether branches can be pushed, where it can be told: a role that allows it, which a token may still narrow.
    pub may_push: Option<bool>,
    /// Whether pull requests can be opened, in the same sense.
    pub may_open: Option<bool>,
    /// What time it is by the server's clock, to the second.
    pub clock: Option<Timestamp>,
    /// The server's version, where it tells. Hostile until escaped.
    pub version: Option<String>,
}

/// A forge: the calls that publishing needs, and none that it doesn't (no review, no merge, no rerun).
#[expect(
    async_fn_in_trait,
    reason = "every caller is in this crate and awaits on one thread, so no future has to be Send"
)]
pub trait Forge {
    /// What can be done here, without changing anything.
    async fn access(&self) -> Result<ForgeAccess, ForgeError>;

    /// The pull requests whose head branch starts with `prefix`, by number: all open ones, and the ended ones that ended not too long ago.
    ///
    /// A pull request from a fork is not listed, whatever its branch is called. One that somebody else opened from our branch is.
    async fn list(&self, prefix: &str) -> Result<Vec<ForgePullRequest>, ForgeError>;

    /// The open pull requests from exactly this branch, by number, to whatever base and by whomever.
    async fn open_from(&self, branch: &BranchName) -> Result<Vec<ForgePullRequest>, ForgeError>;

    /// One pull request from a branch of this repository; nothing if its branch is a fork's.
    async fn get(&self, number: u64) -> Result<Option<ForgePullRequest>, ForgeError>;

    /// Opens a pull request and returns its number. An error means that there is none, unless it is ambiguous.
    async fn create(&self, new: &NewPullRequest) -> Result<u64, ForgeError>;

    /// Replaces title and body, and gives and takes labels of ours.
    async fn update(&self, number: u64, text: &PullRequestText) -> Result<(), ForgeError>;

    /// Adds a comment.
    async fn comment(&self, number: u64, comment: &str) -> Result<(), ForgeError>;

    /// Closes it without a merge. The time is for a forge without a clock of its own.
    async fn close(&self, number: u64, at: Timestamp) -> Result<(), ForgeError>;

    /// Notes that its branch was merged. A forge that sees merges itself does nothing.
    async fn record_merge(&self, number: u64, at: Timestamp) -> Result<(), ForgeError>;
}
