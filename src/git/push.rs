//! Moves one branch of a remote, if and only if it still stands where we saw it.
//!
//! libgit2 has no `--force-with-lease`, and its `push` answers Ok when the server refused. So four things have to agree before a push
//! counts: the commit that the server advertised is the one that we expect (the lease), the server's own comparison under its lock held
//! between advertising and receiving, the server reported exactly one reference and no complaint, and the branch, asked for again over a
//! fresh connection, stands where we put it. Whatever falls between them is [`PushOutcome::Unknown`] and is never tried again here.

use std::cell::RefCell;

use git2::{PushOptions, RemoteCallbacks, RemoteRedirect};

use crate::model::{BranchName, ObjectId};

use super::error::GitError;
use super::path_push;
use super::remote::Remote;
use super::server::RemoteServer;
use super::settings::PACKING_THREADS;
use super::store::{Store, object_id};
use super::transport::Operation;

/// What became of a push.
#[derive(Debug)]
pub enum PushOutcome {
    /// The branch stands where it should; read back from the remote.
    Pushed,
    /// The branch was not where we expected it, and was left alone.
    LeaseLost {
        /// Where it is; nothing if it is not there at all.
        found: Option<ObjectId>,
    },
    /// The server, or the rules of a repository on this disk, said no, or nothing could be sent; the branch has not moved.
    Rejected {
        /// In these words; untrusted text.
        words: String,
    },
    /// It can't be told. The next run sees what is there.
    Unknown {
        /// What went wrong.
        error: GitError,
    },
}

/// What libgit2 let us see of a push to a server.
#[derive(Default)]
struct Seen {
    /// The branch was elsewhere when the server advertised it.
    lease: Option<Lost>,
    /// One entry for each reference that the server reported: its complaint, if any.
    statuses: Vec<Option<String>>,
    /// What the server's hooks print: the words of a forge's branch protection for instance.
    said: Vec<u8>,
}

/// The most bytes of a server's talk that are kept.
const MOST_SAID: usize = 2_000;

struct Lost {
    found: Option<ObjectId>,
}

impl Store {
    /// Moves `branch` to `commit`, provided that it stands at `expected`; nothing expected means that it must not exist.
    pub fn push(
        &self,
        remote: &Remote,
        branch: &BranchName,
        commit: &ObjectId,
        expected: Option<&ObjectId>,
    ) -> PushOutcome {
        self.move_branch(remote, branch, Some(commit), expected)
    }

    /// Deletes `branch`, provided that it stands at `expected`.
    pub fn delete(&self, remote: &Remote, branch: &BranchName, expected: &ObjectId) -> PushOutcome {
        self.move_branch(remote, branch, None, Some(expected))
    }

    fn move_branch(
        &self,
        remote: &Remote,
        branch: &BranchName,
        to: Option<&ObjectId>,
        expected: Option<&ObjectId>,
    ) -> PushOutcome {
        let tried = if to == expected {
            // Nothing to send; whether it is true is seen below.
            Ok(PushOutcome::Pushed)
        } else {
            match remote {
                Remote::Path(path) => path_push::move_branch(self, path, branch, to, expected),
                Remote::Server(server) => self.send(server, branch, to, expected),
            }
        };
        self.check(tried, remote, branch, to, expected)
    }

    /// Asks the remote again and lets its answer decide.
    fn check(
        &self,
        tried: Result<PushOutcome, GitError>,
        remote: &Remote,
        branch: &BranchName,
        to: Option<&ObjectId>,
        expected: Option<&ObjectId>,
    ) -> PushOutcome {
        let found = match self.ls_one(remote, branch) {
            Ok(found) => found,
            Err(error) => {
                return match tried {
                    // A refusal stays one: nothing happened after it.
                    Ok(first @ (PushOutcome::LeaseLost { .. } | PushOutcome::Rejected { .. })) => first,
                    Err(first) => PushOutcome::Unknown { error: first },
                    Ok(_) => PushOutcome::Unknown { error },
                };
            }
        };
        if found.as_ref() == to {
            return PushOutcome::Pushed;
        }
        if found.as_ref() != expected {
            return PushOutcome::LeaseLost { found };
        }
        match tried {
            Ok(PushOutcome::Pushed) => {
                let words = git2::Error::from_str("the server reported success, but the branch has not moved");
                let error = GitError::doing(format!("pushing {branch} to {remote}"))(words);
                PushOutcome::Unknown { error }
            }
            Ok(other) => other,
            Err(error) => PushOutcome::Unknown { error },
        }
    }

    /// One push over a server's protocol.
    fn send(
        &self,
        server: &RemoteServer,
        branch: &BranchName,
        to: Option<&ObjectId>,
        expected: Option<&ObjectId>,
    ) -> Result<PushOutcome, GitError> {
        let doing = format!("pushing {branch} to {server}");
        let source = to.map(ToString::to_string).unwrap_or_default();
        // The plus sign waives libgit2's own check for fast-forwards; the lease takes its place.
        let refspec = format!("+{source}:refs/heads/{branch}");
        let seen = RefCell::new(Seen::default());
        let mut remote = self.anonymous(server)?;
        let pushed = Operation::on(server).run(doing.clone(), || {
            let mut callbacks = RemoteCallbacks::new();
            callbacks.push_negotiation(|updates| {
                let [update] = updates else {
                    return Err(git2::Error::from_str("not exactly one branch is being pushed"));
                };
                let old = update.src();
                let found = (!old.is_zero()).then(|| object_id(old));
                if found.as_ref() == expected {
                    return Ok(());
                }
                seen.borrow_mut().lease = Some(Lost { found });
                Err(git2::Error::from_str("the branch has moved"))
            });
            callbacks.push_update_reference(|_, complaint| {
                seen.borrow_mut().statuses.push(complaint.map(str::to_owned));
                Ok(())
            });
            callbacks.sideband_progress(|text| {
                let said = &mut seen.borrow_mut().said;
                said.extend(text.iter().take(MOST_SAID.saturating_sub(said.len())));
                true
            });
            let mut options = PushOptions::new();
            options
                .remote_callbacks(callbacks)
                .packbuilder_parallelism(PACKING_THREADS)
                .follow_redirects(RemoteRedirect::None);
            remote.push(&[refspec], Some(&mut options))
        });
        let Seen {
            lease,
            mut statuses,
            said,
        } = seen.into_inner();
        if let Some(Lost { found }) = lease {
            return Ok(PushOutcome::LeaseLost { found });
        }
        match pushed {
            Ok(()) => {}
            Err(GitError::Server { doing: _, source }) if source.is_refusal() => {
                let words = source.to_string();
                return Ok(PushOutcome::Rejected { words });
            }
            Err(error) => return Err(error),
        }
        match (statuses.len(), statuses.pop().flatten()) {
            (1, None) => Ok(PushOutcome::Pushed),
            (1, Some(complaint)) => {
                let words = server.harmless(complaint.as_bytes());
                let words = match server.harmless(told(&said).as_bytes()) {
                    silence if silence.is_empty() => words,
                    said => format!("{words} ({said})"),
                };
                Ok(PushOutcome::Rejected { words })
            }
            (count, _) => {
                let words = format!("the server reported on {count} references instead of one");
                Err(GitError::doing(doing)(git2::Error::from_str(&words)))
            }
        }
    }
}

/// What a server's hooks print, in one line. Forges begin theirs with empty errors.
fn told(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said);
    let lines = text.split(['\n', '\r']).map(str::trim);
    let lines = lines.map(|line| line.strip_prefix("error:").unwrap_or(line).trim());
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests;
