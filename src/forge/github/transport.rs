//! Carries octocrab's requests over our own client: with its deadlines, its authorities and its bounds, and without redirects and retries.
//!
//! octocrab's own client tries a `POST` four times within two milliseconds and waits for ever; none of it is built here. Its headers are left
//! out: the credentials are our client's business, and the version of the API is the one that GitHub takes when none is named.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use octocrab::{AuthState, OctoBody, Octocrab, OctocrabBuilder};

use crate::net::Request;

use super::super::gate::{Failure, Gate};

/// The service that octocrab sends its requests to.
struct Transport(Arc<Gate>);

/// What the service's calls return.
type Answering = Pin<Box<dyn Future<Output = Result<http::Response<Full<Bytes>>, Box<Broken>>> + Send>>;

/// Why a request of octocrab's came to nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// There is no good answer.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// The request's own body could not be read, so nothing was sent.
    #[error("writing the request")]
    Body(#[source] octocrab::Error),
}

impl tower::Service<http::Request<OctoBody>> for Transport {
    type Response = http::Response<Full<Bytes>>;
    type Error = Box<Broken>;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<OctoBody>) -> Self::Future {
        let gate = self.0.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.map_err(Broken::Body)?.to_bytes();
            let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
            let request = Request {
                method: parts.method,
                path,
                query: &[],
                body: (!body.is_empty()).then(|| ("application/json", body.to_vec())),
            };
            let answer = gate.send(request).await.map_err(Broken::Failure)?;
            let mut response = http::Response::new(Full::new(Bytes::from(answer.body)));
            if let Ok(status) = http::StatusCode::from_u16(answer.status) {
                *response.status_mut() = status;
            }
            *response.headers_mut() = answer.headers;
            Ok(response)
        })
    }
}

/// An octocrab that works within the present runtime, and not longer.
pub(super) fn octocrab(gate: &Arc<Gate>) -> Octocrab {
    let built: Result<Octocrab, Infallible> = OctocrabBuilder::new_empty()
        .with_service(Transport(gate.clone()))
        .with_auth(AuthState::None)
        .build();
    match built {
        Ok(octocrab) => octocrab,
        Err(never) => match never {},
    }
}

/// What our own client said below an error of octocrab's; octocrab's error back if it was none of ours.
pub(super) fn broken(error: octocrab::Error) -> Result<Broken, octocrab::Error> {
    match error {
        octocrab::Error::Service { source, backtrace } => match source.downcast::<Box<Broken>>() {
            Ok(broken) => Ok(**broken),
            Err(source) => Err(octocrab::Error::Service { source, backtrace }),
        },
        other => Err(other),
    }
}
