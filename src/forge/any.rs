//! One of the forges, for whoever learns only at run time which.

use jiff::Timestamp;

use crate::model::BranchName;

use super::{
    Forge, ForgeAccess, ForgeError, ForgePullRequest, GitHubForge, GiteaForge, LocalForge, NewPullRequest,
    PullRequestText,
};

/// One of the forges.
#[derive(Debug)]
pub enum AnyForge {
    /// A folder.
    Local(LocalForge),
    /// Gitea or Forgejo.
    Gitea(Box<GiteaForge>),
    /// GitHub.
    GitHub(Box<GitHubForge>),
}

/// The same call to whichever it is.
macro_rules! pass_on {
    ($this:ident, $forge:ident => $call:expr) => {
        match $this {
            AnyForge::Local($forge) => $call.await,
            AnyForge::Gitea($forge) => $call.await,
            AnyForge::GitHub($forge) => $call.await,
        }
    };
}

impl Forge for AnyForge {
    async fn access(&self) -> Result<ForgeAccess, ForgeError> {
        pass_on!(self, forge => forge.access())
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ForgePullRequest>, ForgeError> {
        pass_on!(self, forge => forge.list(prefix))
    }

    async fn open_from(&self, branch: &BranchName) -> Result<Vec<ForgePullRequest>, ForgeError> {
        pass_on!(self, forge => forge.open_from(branch))
    }

    async fn get(&self, number: u64) -> Result<Option<ForgePullRequest>, ForgeError> {
        pass_on!(self, forge => forge.get(number))
    }

    async fn create(&self, new: &NewPullRequest) -> Result<u64, ForgeError> {
        pass_on!(self, forge => forge.create(new))
    }

    async fn update(&self, number: u64, text: &PullRequestText) -> Result<(), ForgeError> {
        pass_on!(self, forge => forge.update(number, text))
    }

    async fn comment(&self, number: u64, comment: &str) -> Result<(), ForgeError> {
        pass_on!(self, forge => forge.comment(number, comment))
    }

    async fn close(&self, number: u64, at: Timestamp) -> Result<(), ForgeError> {
        pass_on!(self, forge => forge.close(number, at))
    }

    async fn record_merge(&self, number: u64, at: Timestamp) -> Result<(), ForgeError> {
        pass_on!(self, forge => forge.record_merge(number, at))
    }
}
