//! Reads the fleet repository and writes one commit at a time to it; the only user of git2 and ureq.
//!
//! Nothing here has a work tree: files are read from the object database, commits are built from a base tree and stay in memory until they
//! are pushed, and a push moves one branch only if it still stands where we saw it. That last rule has one home, [`Store::push`], and no
//! way around it: no function of this room moves a branch of somebody else's repository without naming the commit that it replaces.
//!
//! Absent on purpose: configuration of the machine or its user (see `settings.rs`), hooks, filters, credential helpers, redirects, and any
//! retry: an ambiguous answer is re-read and reported, and what to do about it is the caller's decision.
//!
//! The calls block. They are made one after another by a program that has nothing else to do meanwhile; each ends by its deadline.

mod cache;
mod commit;
mod error;
mod fetch;
mod identity;
mod import;
mod inspect;
mod listing;
mod path_push;
mod push;
mod remote;
mod server;
mod settings;
mod store;
mod trailers;
mod transport;

#[cfg(test)]
pub(crate) mod testing;

pub use commit::{Draft, DraftError, Drafted, FileChange};
pub use error::GitError;
pub use fetch::Heads;
pub use identity::{Identity, InvalidIdentity};
pub use import::{ImportError, import};
pub use inspect::{BranchState, Foreign, OurCommit};
pub use listing::{FileMode, TreeEntry, TreeListing, UnusableEntry};
pub use push::PushOutcome;
pub use remote::{Remote, RemoteError};
pub use server::RemoteServer;
pub use store::{BlobId, Store};
pub use trailers::{TrailerError, Trailers};
pub use transport::ServerError;
