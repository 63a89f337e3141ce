//! Git's smart HTTP protocol under libgit2, over ureq and rustls.
//!
//! libgit2 brings its own HTTP client. It follows redirects, reads proxies from the repository's configuration, has one limit for a silence
//! and none for an operation, and needs OpenSSL; none of that is used here. This transport takes its place for both `http` and `https`.
//!
//! Invariants: a request goes to the address of the server that [`Operation::run`] was called for, with `/info/refs`, `/git-upload-pack` or
//! `/git-receive-pack` behind it, and nowhere else, so the credentials do too; no redirect is followed; every request ends by the
//! operation's deadline, however slowly the server talks; what is read and sent has a largest size. Outside of [`Operation::run`], and on
//! any other thread, libgit2 can't reach a server at all.
//!
//! Absent on purpose: retries, protocol version 2 (libgit2 does not speak it), cookies, compression of requests, credential helpers.

mod error;
mod exchange;

use std::cell::RefCell;
use std::time::Duration;

use git2::transport::{Service, SmartSubtransport, SmartSubtransportStream, Transport};
use git2::{ErrorClass, ErrorCode};

use crate::net::Deadline;

use super::error::GitError;
use super::server::RemoteServer;

pub use error::ServerError;

use exchange::Exchange;

/// Makes this the transport of `http` and `https` for the whole process.
#[expect(
    unsafe_code,
    reason = "libgit2's list of transports has no lock. It is written before any remote exists: every entry into this room passes \
              `settings::isolate` first, which calls this once"
)]
pub(super) fn register() -> Result<(), git2::Error> {
    for scheme in ["http", "https"] {
        // SAFETY: see the reason above.
        unsafe { git2::transport::register(scheme, |remote| Transport::smart(remote, true, Gate)) }?;
    }
    Ok(())
}

/// A fetch, a push or a listing: one server, one deadline for all of its requests.
pub(super) struct Operation<'a> {
    server: &'a RemoteServer,
    deadline: Deadline,
    limit: Duration,
}

/// What the transport needs while libgit2 is at work.
struct Active {
    server: RemoteServer,
    deadline: Deadline,
    /// How long the operation was given.
    limit: Duration,
    /// The first thing that went wrong. libgit2 carries texts only, and this is a value.
    failure: Option<ServerError>,
}

thread_local! {
    static ACTIVE: RefCell<Option<Active>> = const { RefCell::new(None) };
}

/// Takes the access away again, however the call ended.
struct Guard;

impl Guard {
    fn take() -> Option<Active> {
        ACTIVE.with_borrow_mut(Option::take)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        Self::take();
    }
}

impl<'a> Operation<'a> {
    /// Starts the clock.
    pub(super) fn on(server: &'a RemoteServer) -> Self {
        let deadline = server.deadline();
        let limit = deadline.remaining();
        Self {
            server,
            deadline,
            limit,
        }
    }

    /// When it has to be over.
    pub(super) fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Runs something of libgit2 that talks to this server.
    pub(super) fn run<T>(
        &self,
        doing: impl Into<String>,
        call: impl FnOnce() -> Result<T, git2::Error>,
    ) -> Result<T, GitError> {
        let active = Active {
            server: self.server.clone(),
            deadline: self.deadline,
            limit: self.limit,
            failure: None,
        };
        ACTIVE.with_borrow_mut(|slot| *slot = Some(active));
        let guard = Guard;
        let outcome = call();
        let failure = Guard::take().and_then(|active| active.failure);
        drop(guard);
        outcome.map_err(|source| {
            let doing = doing.into();
            match failure {
                Some(source) => GitError::Server { doing, source },
                None => GitError::Git { doing, source },
            }
        })
    }
}

/// The door between libgit2 and the network.
struct Gate;

impl SmartSubtransport for Gate {
    fn action(&self, url: &str, service: Service) -> Result<Box<dyn SmartSubtransportStream>, git2::Error> {
        let open = ACTIVE.with_borrow_mut(|slot| {
            let active = slot.as_mut()?;
            if active.server.url() == url {
                return Some(());
            }
            active.failure.get_or_insert(ServerError::Elsewhere);
            None
        });
        // The text is a constant: libgit2's binding aborts on some characters, and the address may be anybody's.
        let closed = || git2::Error::new(ErrorCode::GenericError, ErrorClass::Net, "no access to this address");
        open.map(|()| Box::new(Exchange::new(service)) as Box<dyn SmartSubtransportStream>)
            .ok_or_else(closed)
    }

    fn close(&self) -> Result<(), git2::Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
