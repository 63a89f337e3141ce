//! Brings a server's branches into this program's own store.

use git2::{AutotagOption, FetchOptions, FetchPrune, RemoteRedirect};

use crate::model::BranchName;

use super::error::GitError;
use super::remote::Remote;
use super::store::Store;

impl Store {
    /// Fetches the base branch and every branch under `prefix`, with their history, and forgets those that are gone.
    ///
    /// A repository on this disk needs no fetch: open it as the store. For a server the store's own branches are overwritten, so it must be
    /// one that this program made. The history is not cut off: whether a branch was merged can't be told from a shallow one.
    pub fn fetch(&self, remote: &Remote, base: &BranchName, prefix: &str) -> Result<(), GitError> {
        let Remote::Url(url) = remote else {
            return Ok(());
        };
        let mut options = FetchOptions::new();
        options
            .follow_redirects(RemoteRedirect::None)
            .download_tags(AutotagOption::None)
            .update_fetchhead(false)
            .prune(FetchPrune::On);
        let ours = prefix.trim_end_matches('/');
        let refspecs = [
            format!("+refs/heads/{base}:refs/heads/{base}"),
            format!("+refs/heads/{ours}/*:refs/heads/{ours}/*"),
        ];
        self.anonymous(url)?
            .fetch(&refspecs, Some(&mut options), Some("fetch"))
            .map_err(GitError::doing(format!("fetching {base} and {ours}/* from {url}")))
    }
}
