//! Reads the ledger: our branches on the remote and the pull requests on the forge.
//!
//! Git is believed about merges where its history is at hand, since it is what will be deployed; the forge about everything that people do
//! there, and about merges where a server's history was not fetched. A branch that can't be read is foreign, so a fault here leads to less
//! being done, never to more.

use std::collections::BTreeMap;

use crate::forge::{Forge, ForgeError, ForgePullRequest};
use crate::git::{BranchState, GitError, Identity, OurCommit, Remote, Store, Trailers};
use crate::model::{
    BRANCH_PREFIX, BranchName, BranchOwner, Digest, Ledger, LedgerBranch, ObjectId, PullRequest, PullRequestState,
};

use super::state;

/// Why the ledger can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// The remote.
    #[error("reading our branches")]
    Git(#[from] GitError),
    /// The remote has no base branch.
    #[error("reading our branches: {remote} has no branch {base}")]
    NoBase {
        /// The remote.
        remote: String,
        /// The branch.
        base: BranchName,
    },
    /// The forge.
    #[error("listing our pull requests")]
    Forge(#[source] ForgeError),
}

/// Reads the ledger and the head of the base branch.
///
/// The store has to be that of the remote: the repository itself where it lies on this disk, our own store where it is a server.
pub async fn ledger<F: Forge>(
    store: &Store,
    remote: &Remote,
    base: &BranchName,
    agent: &Identity,
    forge: &F,
) -> Result<(Ledger, ObjectId), ObserveError> {
    let mut heads = store.fetch(remote, base, BRANCH_PREFIX)?;
    let Some(base_head) = heads.remove(base) else {
        return Err(ObserveError::NoBase {
            remote: remote.to_string(),
            base: base.clone(),
        });
    };
    let branches: BTreeMap<BranchName, LedgerBranch> = heads
        .into_iter()
        .map(|(name, head)| {
            let found = store.inspect(&head, &base_head, agent);
            let branch = branch(&name, head, found);
            (name, branch)
        })
        .collect();
    let listed = forge.list(BRANCH_PREFIX).await.map_err(ObserveError::Forge)?;
    Ok((assemble(branches, listed), base_head))
}

/// Puts the two halves together. What Git knows of merges goes into the pull requests, and what the forge knows into the branches: an open
/// pull request stays open beside a merged one from the same commit.
fn assemble(mut branches: BTreeMap<BranchName, LedgerBranch>, listed: Vec<ForgePullRequest>) -> Ledger {
    let pull_requests = listed
        .iter()
        .map(|request| pull_request(request.clone(), branches.get(&request.branch)))
        .collect();
    note_merges(&mut branches, &listed);
    Ledger {
        branches,
        pull_requests,
    }
}

/// What a branch is, from what was found on it.
fn branch(name: &BranchName, head: ObjectId, found: BranchState) -> LedgerBranch {
    let (owner, merged, conflicts) = match found {
        BranchState::Ours(OurCommit {
            commit: _,
            trailers,
            conflicts_with_base,
        }) => (owner(name, trailers), false, conflicts_with_base),
        BranchState::Merged { ours: Some(trailers) } => (owner(name, trailers), true, false),
        BranchState::Merged { ours: None } => {
            let why = "the base contains it, and its head is not a commit of ours".to_owned();
            (BranchOwner::Foreign { why }, true, false)
        }
        BranchState::Foreign { why } => (BranchOwner::Foreign { why: why.to_string() }, false, false),
    };
    LedgerBranch {
        head,
        owner,
        merged,
        conflicts,
    }
}

/// Marks branches of ours as merged whose very head the forge has merged.
///
/// A fetch without history can't tell. A branch that is not ours stays as it is: a squash leaves a person's commits on it alone.
fn note_merges(branches: &mut BTreeMap<BranchName, LedgerBranch>, listed: &[ForgePullRequest]) {
    let merged = listed
        .iter()
        .filter(|request| request.state == PullRequestState::Merged);
    for ForgePullRequest { branch, head, .. } in merged {
        if let Some(branch) = branches.get_mut(branch)
            && matches!(branch.owner, BranchOwner::Ours { .. })
            && head.as_ref() == Some(&branch.head)
        {
            branch.merged = true;
            branch.conflicts = false;
        }
    }
}

/// A commit of ours under another branch's name was put there by somebody else.
fn owner(name: &BranchName, trailers: Trailers) -> BranchOwner {
    let Trailers {
        scope,
        plan,
        base,
        tree: _,
        observed_at,
    } = trailers;
    if name.as_str().strip_prefix(BRANCH_PREFIX) == Some(scope.as_str()) {
        return BranchOwner::Ours {
            plan,
            base,
            observed_at,
        };
    }
    let why = format!("its commit was made for {scope}");
    BranchOwner::Foreign { why }
}

/// A pull request as the forge has it, with the merge that Git knows of.
fn pull_request(request: ForgePullRequest, branch: Option<&LedgerBranch>) -> PullRequest {
    let ForgePullRequest {
        number,
        branch: name,
        base,
        head: _,
        opened_by,
        state,
        title,
        body,
        labels,
        location,
        ended_at,
    } = request;
    // What somebody else wrote is no record of ours, however well it reads.
    let record = if opened_by.is_none() { state::read(&body) } else { None };
    // An open request always follows a push, so a commit of ours that the base contains is the one that it proposed.
    let merged = branch.is_some_and(|branch| branch.merged && matches!(branch.owner, BranchOwner::Ours { .. }));
    let state = if state == PullRequestState::Open && merged {
        PullRequestState::Merged
    } else {
        state
    };
    PullRequest {
        number,
        branch: name,
        base,
        opened_by,
        state,
        title,
        body: Digest::of_bytes(body.as_bytes()),
        labels,
        location,
        ended_at,
        record,
    }
}

#[cfg(test)]
mod tests;
