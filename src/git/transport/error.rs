//! What can go wrong between us and a Git server.

use std::time::Duration;

/// Why a server gave no usable answer. The texts of servers in it are untrusted, short and printable, and hold no credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServerError {
    /// The server wants to know who we are, or does not believe it.
    #[error("401: {}; see spec.repository.credentials{words}", if *.sent { "the credentials were refused" } else { "the server wants credentials" })]
    Unauthorized {
        /// Whether credentials were sent.
        sent: bool,
        /// The server's words in brackets, or nothing.
        words: String,
    },
    /// We may not do that.
    #[error("403: these credentials may not do that; see spec.repository.credentials{words}")]
    Forbidden {
        /// The server's words in brackets, or nothing.
        words: String,
    },
    /// There is no such repository, which is also what many servers say to whoever may not see it.
    #[error("404: there is no such repository, or it can't be seen with these credentials{words}")]
    NotFound {
        /// The server's words in brackets, or nothing.
        words: String,
    },
    /// Any other status than success.
    #[error("the server answered {status}{words}")]
    Status {
        /// The status.
        status: u16,
        /// The server's words in brackets, or nothing.
        words: String,
    },
    /// The server sends us elsewhere, and we don't go: the credentials are for this address alone.
    #[error(
        "the server answered {status}, a redirect to {to}, which is not followed; configure the address that it leads to"
    )]
    Redirected {
        /// The status.
        status: u16,
        /// The scheme and host that it leads to.
        to: String,
    },
    /// The answer is something else than Git's protocol, a page for people for instance.
    #[error("the answer is {found} and not Git's protocol; is this the address of a repository?")]
    NotGit {
        /// Its type, as the server says.
        found: String,
    },
    /// The answer is larger than the most that is read.
    #[error("the answer is larger than {most} bytes")]
    TooLarge {
        /// The most that is read.
        most: u64,
    },
    /// What is to be sent is larger than the most that is sent. Nothing was sent.
    #[error("the request is larger than {most} bytes")]
    TooMuch {
        /// The most that is sent.
        most: usize,
    },
    /// The connection could not be made. Nothing was sent.
    #[error("connecting failed: {why}")]
    NoConnection {
        /// Why: a name that does not resolve, a refused connection, a certificate, a proxy.
        why: String,
    },
    /// The operation did not end in time. What was sent may have arrived.
    #[error("no end within {limit:.1?}")]
    TooLate {
        /// How long it was given.
        limit: Duration,
    },
    /// The connection ended before the answer did. What was sent may have arrived.
    #[error("the connection broke: {why}")]
    Cut {
        /// Why.
        why: String,
    },
    /// libgit2 asked for another address than the one that was configured. A bug, caught before anything left the process.
    #[error("another address than the configured one was asked for")]
    Elsewhere,
}

impl ServerError {
    /// Whether it is certain that what was asked for did not happen.
    ///
    /// A status of refusal counts: a server that says 403 to a push and moves the branch all the same can't be helped.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Unauthorized { .. }
            | Self::Forbidden { .. }
            | Self::NotFound { .. }
            | Self::Redirected { .. }
            | Self::TooMuch { .. }
            | Self::NoConnection { .. }
            | Self::Elsewhere => true,
            Self::Status { status, .. } => (400..500).contains(status),
            Self::NotGit { .. } | Self::TooLarge { .. } | Self::TooLate { .. } | Self::Cut { .. } => false,
        }
    }
}
