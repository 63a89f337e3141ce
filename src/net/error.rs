//! What can go wrong between us and a server.

use std::time::Duration;

/// A call that got no usable answer. Its text never holds a credential.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// The certificates that were configured can't be read.
    #[error("reading the certificates (caFile) for {server}: {why}")]
    Authorities {
        /// The server's address.
        server: String,
        /// Why.
        why: String,
    },
    /// The client could not be built.
    #[error("preparing the connection to {server}")]
    Client {
        /// The server's address.
        server: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// The request can't be written down: an address or a header that HTTP does not allow.
    #[error("writing a request to {server}: {why}")]
    Request {
        /// The server's address.
        server: String,
        /// Why.
        why: String,
    },
    /// No connection: the request was not sent.
    #[error("connecting to {server}")]
    NotSent {
        /// The server's address.
        server: String,
        /// Why: a name that does not resolve, a refused connection, a certificate.
        #[source]
        source: reqwest::Error,
    },
    /// No answer in time. The request may have arrived.
    #[error("waiting for {server}: no answer within {limit:.1?}")]
    TooLate {
        /// The server's address.
        server: String,
        /// How long we waited.
        limit: Duration,
    },
    /// The connection ended before the answer did. The request may have arrived.
    #[error("reading the answer of {server}")]
    Cut {
        /// The server's address.
        server: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// The answer is larger than the most that is read.
    #[error("reading the answer of {server}: it is larger than {most} bytes")]
    TooLarge {
        /// The server's address.
        server: String,
        /// The most that is read.
        most: usize,
    },
    /// The server sends us elsewhere, and we don't go: the credentials are for this one.
    #[error(
        "the answer of {server} is a redirect ({status}), which is not followed; configure the address that it leads to"
    )]
    Redirected {
        /// The server's address.
        server: String,
        /// The status.
        status: u16,
    },
}

impl NetError {
    /// Whether the request may have arrived, and so may have had its effect.
    pub fn may_have_arrived(&self) -> bool {
        match self {
            Self::Authorities { .. } | Self::Client { .. } | Self::Request { .. } | Self::NotSent { .. } => false,
            Self::TooLate { .. } | Self::Cut { .. } | Self::TooLarge { .. } | Self::Redirected { .. } => true,
        }
    }
}
