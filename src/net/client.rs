//! One HTTP client for one server.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method};
use jiff::Timestamp;

use super::deadline::Deadline;
use super::error::NetError;
use super::server::{Credentials, Server};

/// The time to get a connection, TLS included: more than two lost SYN packets. With less, a busy server looks dead.
pub const CONNECT: Duration = Duration::from_secs(10);

/// How long and how large an exchange may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The time to get a connection, TLS included.
    pub connect: Duration,
    /// The time of a whole exchange, the last byte of the answer included.
    pub call: Duration,
    /// The most bytes of an answer that are read.
    pub body: usize,
}

/// A client of one server. What it sends goes there and nowhere else.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    server: Server,
    limits: Limits,
}

/// A request as its caller sees it.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The method.
    pub method: Method,
    /// What follows the server's address, from its slash on: `/api/v1/query`. Names in it have to be escaped already.
    pub path: &'a str,
    /// The query, not escaped yet.
    pub query: &'a [(&'a str, &'a str)],
    /// The body and its type.
    pub body: Option<(&'static str, Vec<u8>)>,
}

impl<'a> Request<'a> {
    /// A GET without a query.
    pub fn get(path: &'a str) -> Self {
        Self {
            method: Method::GET,
            path,
            query: &[],
            body: None,
        }
    }
}

/// An answer, whatever its status.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, whole.
    pub body: Vec<u8>,
}

impl Answer {
    /// Whether the status says that it went well.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// How long the server asks us to stay away. A date in place of seconds is not understood and counts as nothing.
    pub fn retry_after(&self) -> Option<Duration> {
        retry_after(&self.headers)
    }

    /// What time it is by the server's clock, to the second.
    pub fn date(&self) -> Option<Timestamp> {
        date(&self.headers)
    }

    /// The first line of the body, for an error's text: at most 200 characters, all printable.
    pub fn first_line(&self) -> String {
        first_line(&self.body)
    }
}

/// The first line of what a server says, for an error's text: at most 200 characters, all printable.
pub fn first_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes.get(..2_000).unwrap_or(bytes)).into_owned();
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("");
    line.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// How long a server asks us to stay away, by an answer's `Retry-After` header in seconds.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// The time in an answer's `Date` header.
pub fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let text = headers.get(DATE)?.to_str().ok()?;
    jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp())
}

/// The implementation of TLS's primitives, the same for every connection of this process.
pub fn tls_provider() -> Arc<rustls::crypto::CryptoProvider> {
    // The second installation of a process fails, and says what was there before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    rustls::crypto::CryptoProvider::get_default()
        .cloned()
        .unwrap_or_else(|| Arc::new(rustls::crypto::ring::default_provider()))
}

impl Client {
    /// A client of a server. Nothing is sent yet.
    pub fn new(server: &Server, limits: Limits) -> Result<Self, NetError> {
        tls_provider();
        let name = || server.url().to_owned();
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(limits.connect)
            .referer(false)
            .retry(reqwest::retry::never())
            .http1_only();
        if let Some(pem) = &server.authorities {
            let unusable = |why: String| NetError::Authorities { server: name(), why };
            let certificates =
                reqwest::Certificate::from_pem_bundle(pem).map_err(|error| unusable(error.to_string()))?;
            if certificates.is_empty() {
                return Err(unusable("there is none in it".to_owned()));
            }
            builder = builder.tls_certs_only(certificates);
        }
        let http = builder
            .build()
            .map_err(|source| NetError::Client { server: name(), source })?;
        Ok(Self {
            http,
            server: server.clone(),
            limits,
        })
    }

    /// The server's address.
    pub fn address(&self) -> &str {
        self.server.url()
    }

    /// Sends a request and reads the whole answer, by the deadline and within the limits.
    pub async fn send(&self, request: Request<'_>, deadline: Deadline) -> Result<Answer, NetError> {
        let limit = self.limits.call.min(deadline.remaining());
        let deadline = Deadline::after(limit);
        let late = || NetError::TooLate {
            server: self.address().to_owned(),
            limit,
        };
        deadline
            .bound(self.exchange(request))
            .await
            .unwrap_or_else(|| Err(late()))
    }

    async fn exchange(&self, request: Request<'_>) -> Result<Answer, NetError> {
        let server = || self.address().to_owned();
        let built = self.build(request)?;
        let mut response = self.http.execute(built).await.map_err(|error| self.failed(error))?;
        let status = response.status().as_u16();
        if response.status().is_redirection() && status != 304 {
            return Err(NetError::Redirected {
                server: server(),
                status,
            });
        }
        let headers = response.headers().clone();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| NetError::Cut {
            server: server(),
            source: error.without_url(),
        })? {
            if body.len() + chunk.len() > self.limits.body {
                return Err(NetError::TooLarge {
                    server: server(),
                    most: self.limits.body,
                });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, headers, body })
    }

    fn build(&self, request: Request<'_>) -> Result<reqwest::Request, NetError> {
        let Request {
            method,
            path,
            query,
            body,
        } = request;
        let wrong = |why: String| NetError::Request {
            server: self.address().to_owned(),
            why,
        };
        let mut url =
            reqwest::Url::parse(&format!("{}{path}", self.address())).map_err(|error| wrong(error.to_string()))?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut built = reqwest::Request::new(method, url);
        let headers = built.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(
            USER_AGENT,
            HeaderValue::from_static(concat!("fleetscale/", env!("CARGO_PKG_VERSION"))),
        );
        if let Some(value) = authorization(&self.server.credentials) {
            headers.insert(AUTHORIZATION, value);
        } else if self.server.credentials != Credentials::None {
            // The credential itself is left out: it is what is wrong.
            return Err(wrong(
                "the credential has characters that a header can't carry".to_owned(),
            ));
        }
        if let Some((kind, bytes)) = body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
            *built.body_mut() = Some(bytes.into());
        }
        Ok(built)
    }

    fn failed(&self, error: reqwest::Error) -> NetError {
        let server = self.address().to_owned();
        let source = error.without_url();
        if source.is_connect() || source.is_builder() {
            NetError::NotSent { server, source }
        } else {
            NetError::Cut { server, source }
        }
    }
}

/// The value of the `Authorization` header of some credentials, if there are any and HTTP can carry them. It prints as `Sensitive`.
pub fn authorization(credentials: &Credentials) -> Option<HeaderValue> {
    let text = match credentials {
        Credentials::None => return None,
        Credentials::Bearer(token) => format!("Bearer {}", token.reveal()),
        Credentials::Basic { user, password } => {
            let pair = format!("{user}:{}", password.reveal());
            format!("Basic {}", BASE64_STANDARD.encode(pair))
        }
    };
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests;
