//! One client of one API server: GETs with deadlines, a few tries, and a largest answer, and one POST that writes nothing.
//!
//! The crate's own retries are off: they wait as long as a server asks (an hour for `Retry-After: 3600`), try fifteen times, and leave a
//! dropped connection alone. Absent on purpose: proxies, redirects, watches, and every verb that writes.

use std::error::Error;
use std::time::Duration;

use ::kube::client::Body;
use ::kube::config::AuthInfo;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Method, Request};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::net::{CONNECT, Credentials, Deadline, date, retry_after, tls_provider};

use super::access::{Endpoint, KubeAccess, endpoint};
use super::error::{CallError, KubeError, one_line};

/// The pauses before the second and the third try. An API server that restarts is back within seconds behind its load balancer; one that
/// is not is a gap, and the next run asks it again.
const PAUSES: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(1)];

/// The most of an answer that is read. A page of 500 Machines with all that people put into annotations has a few MiB; 64 MiB is what a
/// server would need to exhaust us with.
const LARGEST_ANSWER: usize = 64 << 20;

/// A client of one API server.
#[derive(Clone)]
pub struct Api {
    client: ::kube::Client,
    authorization: Option<HeaderValue>,
    server: String,
    call: Duration,
}

/// A body, and what time it is by the server's clock.
pub(super) struct Answer {
    pub(super) body: Bytes,
    pub(super) date: Option<Timestamp>,
}

/// What a server says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerVersion {
    /// Its version: `v1.35.3`.
    pub version: String,
    /// What time it is by its clock, to the second.
    pub clock: Option<Timestamp>,
}

/// Makes a client of an API server. Files are read, nothing is sent. Has to be called within a tokio runtime.
///
/// `call` is the longest that one answer may take, its last byte included.
pub fn client(access: &KubeAccess<'_>, call: Duration) -> Result<Api, KubeError> {
    let Endpoint {
        server,
        server_name,
        identity,
    } = endpoint(access)?;
    let failed = |source| KubeError::Client {
        server: server.url().to_owned(),
        source,
    };
    let unusable = |what, why| KubeError::Certificates {
        what,
        server: server.url().to_owned(),
        why,
    };
    tls_provider();
    let uri = server.url().parse().map_err(|error| failed(Box::from(error)))?;
    let mut config = ::kube::Config::new(uri);
    config.connect_timeout = Some(CONNECT);
    config.write_timeout = Some(call);
    config.default_retry = false;
    config.tls_server_name = server_name;
    if let Some(pem) = &server.authorities {
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let certificates = certificates.map_err(|_| unusable("certificates of the cluster", "they are not PEM"))?;
        if certificates.is_empty() {
            return Err(unusable("certificates of the cluster", "there is none"));
        }
        config.root_cert = Some(certificates.iter().map(|der| der.to_vec()).collect());
    }
    if let Some(identity) = identity {
        let pair = serde_json::json!({
            "client-certificate-data": BASE64_STANDARD.encode(identity.certificate),
            "client-key-data": BASE64_STANDARD.encode(identity.key.reveal()),
        });
        config.auth_info =
            AuthInfo::deserialize(pair).map_err(|_| unusable("client certificate", "it can't be used"))?;
    }
    let authorization = match &server.credentials {
        Credentials::Bearer(token) => {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", token.reveal()))
                .map_err(|_| failed("the token has characters that a header can't carry".into()))?;
            value.set_sensitive(true);
            Some(value)
        }
        _ => None,
    };
    let client = ::kube::Client::try_from(config).map_err(|error| failed(Box::new(error)))?;
    Ok(Api {
        client,
        authorization,
        server: server.url().to_owned(),
        call,
    })
}

impl Api {
    /// The server's address.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Asks the server for its version.
    pub async fn version(&self, deadline: Deadline) -> Result<ServerVersion, CallError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Version {
            git_version: String,
        }
        let Answer { body, date } = self.get("/version", deadline).await?;
        let Version { git_version } = serde_json::from_slice(&body)?;
        Ok(ServerVersion {
            version: one_line(&git_version, 100),
            clock: date,
        })
    }

    /// Reads a JSON document.
    pub(super) async fn read<T: DeserializeOwned>(&self, path: &str, deadline: Deadline) -> Result<T, CallError> {
        let answer = self.get(path, deadline).await?;
        Ok(serde_json::from_slice(&answer.body)?)
    }

    /// Asks the server for a review of ourselves, which it answers and keeps nothing of: a POST by its form alone, so that it is repeated
    /// like a GET.
    pub(super) async fn review<T: DeserializeOwned>(
        &self,
        path: &str,
        review: &serde_json::Value,
        deadline: Deadline,
    ) -> Result<T, CallError> {
        let body = review.to_string().into_bytes();
        let answer = self.send(path, Some(&body), deadline).await?;
        Ok(serde_json::from_slice(&answer.body)?)
    }

    /// Sends a GET.
    pub(super) async fn get(&self, path: &str, deadline: Deadline) -> Result<Answer, CallError> {
        self.send(path, None, deadline).await
    }

    /// Sends a GET, or a POST of a review, up to three times if the server is overloaded, restarts or drops the connection, and only as long as the deadline
    /// allows. What it refuses for good is not asked again.
    async fn send(&self, path: &str, review: Option<&[u8]>, deadline: Deadline) -> Result<Answer, CallError> {
        let mut pauses = PAUSES.into_iter();
        loop {
            let error = match self.once(path, review, deadline).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let pause = pauses.next().and_then(|shortest| error.pause(shortest));
            match pause.filter(|pause| *pause < deadline.remaining()) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(error),
            }
        }
    }

    async fn once(&self, path: &str, review: Option<&[u8]>, deadline: Deadline) -> Result<Answer, CallError> {
        let limit = self.call.min(deadline.remaining());
        let answer = Deadline::after(limit).bound(self.exchange(path, review)).await;
        answer.unwrap_or(Err(CallError::TooLate { limit }))
    }

    async fn exchange(&self, path: &str, review: Option<&[u8]>) -> Result<Answer, CallError> {
        let (method, body) = match review {
            Some(bytes) => (Method::POST, Body::from(bytes.to_vec())),
            None => (Method::GET, Body::empty()),
        };
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, concat!("fleetscale/", env!("CARGO_PKG_VERSION")));
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        if review.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let request = request.body(body).map_err(|error| broken(Box::new(error)))?;
        let response = self.client.send(request).await.map_err(|error| broken(plain(error)))?;
        let (head, body) = response.into_parts();
        if !head.status.is_success() {
            let body = collect(body, 64 << 10).await.unwrap_or_default();
            return Err(CallError::Status {
                code: head.status.as_u16(),
                message: message(&body),
                retry_after: retry_after(&head.headers),
            });
        }
        Ok(Answer {
            body: collect(body, LARGEST_ANSWER).await?,
            date: date(&head.headers),
        })
    }
}

fn broken(source: Box<dyn Error + Send + Sync>) -> CallError {
    CallError::Broken { source }
}

/// What the crate wraps: its own words add nothing to it.
fn plain(error: ::kube::Error) -> Box<dyn Error + Send + Sync> {
    match error {
        ::kube::Error::Service(source) => source,
        ::kube::Error::HyperError(source) => Box::new(source),
        other => Box::new(other),
    }
}

/// The whole body, up to a size.
async fn collect(body: Body, most: usize) -> Result<Bytes, CallError> {
    let collected = Limited::new(body, most).collect().await;
    collected.map(|body| body.to_bytes()).map_err(|error| {
        if error.is::<LengthLimitError>() {
            CallError::TooLarge { most }
        } else {
            broken(error)
        }
    })
}

/// What a refusal says: the message of a Kubernetes `Status`, else the body's beginning.
fn message(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Status {
        message: String,
    }
    let status = serde_json::from_slice(body).map(|Status { message }| message);
    one_line(
        &status.unwrap_or_else(|_| String::from_utf8_lossy(body).into_owned()),
        300,
    )
}
