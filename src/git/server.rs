//! A Git server as this room uses it: where it is, who we are to it, how long and how much.
//!
//! Invariant: the address that libgit2 sees carries no credential; what it takes to authenticate stays in this value and is handed to the
//! transport for the time of one operation. Its `Debug` shows the address alone.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use crate::net::{CONNECT, Credentials, Deadline, Server, authorization, first_line, tls_provider};

use super::remote::RemoteError;

/// How long an unused connection is kept. Servers close theirs after five seconds and more, and what is sent into a connection that the
/// server is closing has an unknown outcome.
const IDLE_LIMIT: Duration = Duration::from_secs(2);

/// The most that an answer may have, in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// The list of branches. libgit2 holds it in memory; half a million references have some 50 MB.
    pub(super) advertised: u64,
    /// A pack that is fetched; it goes to the disk.
    pub(super) received: u64,
    /// A request, which is held in memory. A pack of changed files has some kilobytes; if the base moved meanwhile, all of its files.
    pub(super) sent: usize,
}

const SIZES: Sizes = Sizes {
    advertised: 128 << 20,
    received: 2 << 30,
    sent: 512 << 20,
};

/// A repository on a server that speaks Git's smart HTTP protocol.
#[derive(Clone)]
pub struct RemoteServer(Arc<Access>);

#[derive(Clone)]
struct Access {
    server: Server,
    header: Option<HeaderValue>,
    agent: ureq::Agent,
    operation: Duration,
    run: Deadline,
    sizes: Sizes,
}

impl RemoteServer {
    /// A repository at the server's address. Nothing is sent yet.
    ///
    /// A fetch, a push or a listing ends after `operation`, or when `run` is over if that is earlier. Proxies are those of the environment
    /// (`ALL_PROXY`, `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`). Fails if the certificates can't be read or HTTP can't carry the credentials.
    pub fn new(server: Server, operation: Duration, run: Deadline) -> Result<Self, RemoteError> {
        let header = authorization(&server.credentials);
        if header.is_none() && server.credentials != Credentials::None {
            return Err(RemoteError::Credentials {
                server: server.url().to_owned(),
            });
        }
        let tls = TlsConfig::builder()
            .unversioned_rustls_crypto_provider(tls_provider())
            .root_certs(roots(&server)?)
            .build();
        let agent = ureq::Agent::config_builder()
            .tls_config(tls)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .timeout_resolve(Some(CONNECT))
            .timeout_connect(Some(CONNECT))
            .max_idle_age(IDLE_LIMIT)
            // Servers that tell Git's clients from browsers look for these first letters.
            .user_agent(concat!("git/2.0 (fleetscale ", env!("CARGO_PKG_VERSION"), ")"))
            .build()
            .new_agent();
        Ok(Self(Arc::new(Access {
            server,
            header,
            agent,
            operation,
            run,
            sizes: SIZES,
        })))
    }

    /// The address, without a slash at its end.
    pub fn url(&self) -> &str {
        self.0.server.url()
    }

    /// When an operation that starts now has to be over.
    pub(super) fn deadline(&self) -> Deadline {
        self.0.run.within(self.0.operation)
    }

    pub(super) fn agent(&self) -> &ureq::Agent {
        &self.0.agent
    }

    pub(super) fn sizes(&self) -> Sizes {
        self.0.sizes
    }

    /// The value of the header that says who we are.
    pub(super) fn authorization(&self) -> Option<&HeaderValue> {
        self.0.header.as_ref()
    }

    /// What a server says, fit for an error: one line, short, printable, and nothing at all if it holds what we authenticate with.
    pub(super) fn harmless(&self, text: &[u8]) -> String {
        let line = first_line(text);
        let secret = match &self.0.server.credentials {
            Credentials::None => None,
            Credentials::Bearer(token) => Some(token.reveal()),
            Credentials::Basic { user: _, password } => Some(password.reveal()),
        };
        let encoded = self.0.header.as_ref().and_then(|header| header.to_str().ok());
        let encoded = encoded.and_then(|header| header.split(' ').next_back());
        let told = [secret, encoded].into_iter().flatten();
        if told
            .filter(|secret| !secret.is_empty())
            .any(|secret| line.contains(secret))
        {
            return String::new();
        }
        line
    }

    #[cfg(test)]
    pub(super) fn with_sizes(mut self, sizes: Sizes) -> Self {
        Arc::make_mut(&mut self.0).sizes = sizes;
        self
    }
}

impl fmt::Debug for RemoteServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RemoteServer").field(&self.url()).finish()
    }
}

impl fmt::Display for RemoteServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url())
    }
}

/// The authorities that vouch for a server: those that are configured and no others, or the system's.
fn roots(server: &Server) -> Result<RootCerts, RemoteError> {
    let Some(pem) = &server.authorities else {
        return Ok(RootCerts::PlatformVerifier);
    };
    let refused = |why: String| RemoteError::Authorities {
        server: server.url().to_owned(),
        why,
    };
    let mut certificates: Vec<Certificate<'static>> = Vec::new();
    for item in parse_pem(pem) {
        match item.map_err(|error| refused(error.to_string()))? {
            PemItem::Certificate(certificate) => certificates.push(certificate),
            PemItem::PrivateKey(_) => return Err(refused("it holds a private key".to_owned())),
            _ => {}
        }
    }
    if certificates.is_empty() {
        return Err(refused("it holds no certificate".to_owned()));
    }
    Ok(RootCerts::new_with_certs(&certificates))
}
