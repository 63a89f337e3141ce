//! Where pull requests live. One file per forge; what they have in common is here.
//!
//! A forge does what it is told and remembers nothing: whether a pull request should exist is decided elsewhere. No call is repeated here.
//! After an error it is unknown whether the call took effect, and whoever made it reads again before doing anything else.

mod local;

use jiff::Timestamp;

use crate::model::{BranchName, PullRequestState};

pub use local::{LocalError, LocalForge};

/// A pull request as the forge holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForgePullRequest {
    /// Its number.
    pub number: u64,
    /// Its head branch.
    pub branch: BranchName,
    /// The branch that it is to be merged into.
    pub base: BranchName,
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
    /// Sorted.
    pub labels: Vec<String>,
}

/// A forge: the calls that publishing needs, and none that it doesn't (no review, no merge, no rerun).
#[expect(
    async_fn_in_trait,
    reason = "every caller is in this crate and awaits on one thread, so no future has to be Send"
)]
pub trait Forge {
    /// What can go wrong.
    type Error: std::error::Error + Send + Sync + 'static;

    /// All pull requests, ended ones too, whose head branch starts with `prefix`, by number.
    ///
    /// A pull request from a fork is not listed, whatever its branch is called.
    async fn list(&self, prefix: &str) -> Result<Vec<ForgePullRequest>, Self::Error>;

    /// Opens a pull request and returns its number.
    async fn create(&self, new: &NewPullRequest) -> Result<u64, Self::Error>;

    /// Replaces title, body and labels.
    async fn update(&self, number: u64, text: &PullRequestText) -> Result<(), Self::Error>;

    /// Adds a comment.
    async fn comment(&self, number: u64, comment: &str) -> Result<(), Self::Error>;

    /// Closes it without a merge.
    async fn close(&self, number: u64, at: Timestamp) -> Result<(), Self::Error>;

    /// Notes that its branch was merged. A forge that sees merges itself does nothing.
    async fn record_merge(&self, number: u64, at: Timestamp) -> Result<(), Self::Error>;
}
