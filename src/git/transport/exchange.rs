//! One request and its answer.

use std::io::{self, Read, Write};

use git2::transport::Service;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, Response, Uri};
use ureq::{Body, BodyReader, Timeout};

use super::super::server::RemoteServer;
use super::{ACTIVE, Active, ServerError};

/// A request that is written, sent at the first reading, and its answer.
pub(super) struct Exchange {
    service: Service,
    request: Vec<u8>,
    answer: Option<Reading>,
}

struct Reading {
    body: BodyReader<'static>,
    left: u64,
    most: u64,
}

/// The most of an error's page that is read.
const MOST_WORDS: u64 = 2_000;

impl Exchange {
    pub(super) fn new(service: Service) -> Self {
        Self {
            service,
            request: Vec::new(),
            answer: None,
        }
    }

    fn read_some(&mut self, active: &Active, buffer: &mut [u8]) -> Result<usize, ServerError> {
        if self.answer.is_none() {
            self.answer = Some(send(self.service, &self.request, active)?);
            self.request = Vec::new();
        }
        let Some(reading) = &mut self.answer else {
            return Ok(0);
        };
        let count = reading
            .body
            .read(buffer)
            .map_err(|error| broken(ureq::Error::from(error), active))?;
        let most = reading.most;
        reading.left = reading
            .left
            .checked_sub(count as u64)
            .ok_or(ServerError::TooLarge { most })?;
        Ok(count)
    }
}

/// libgit2 gets a constant text; the value is kept in [`Active`].
fn failed(active: &mut Active, error: ServerError) -> io::Error {
    active.failure.get_or_insert(error);
    io::Error::other("the server gave no usable answer")
}

fn with_active<T>(call: impl FnOnce(&mut Active) -> io::Result<T>) -> io::Result<T> {
    ACTIVE.with_borrow_mut(|slot| match slot {
        Some(active) => call(active),
        None => Err(io::Error::other("no access outside of an operation")),
    })
}

impl Read for Exchange {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        with_active(|active| self.read_some(active, buffer).map_err(|error| failed(active, error)))
    }
}

impl Write for Exchange {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        with_active(|active| {
            let most = active.server.sizes().sent;
            if self.request.len() + bytes.len() > most {
                return Err(failed(active, ServerError::TooMuch { most }));
            }
            self.request.extend_from_slice(bytes);
            Ok(bytes.len())
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn send(service: Service, request: &[u8], active: &Active) -> Result<Reading, ServerError> {
    let Active {
        server,
        deadline,
        limit,
        failure: _,
    } = active;
    let left = deadline.remaining();
    if left.is_zero() {
        return Err(ServerError::TooLate { limit: *limit });
    }
    let (program, posts, most) = match service {
        Service::UploadPackLs => ("git-upload-pack", false, server.sizes().advertised),
        Service::ReceivePackLs => ("git-receive-pack", false, server.sizes().advertised),
        Service::UploadPack => ("git-upload-pack", true, server.sizes().received),
        Service::ReceivePack => ("git-receive-pack", true, server.sizes().advertised),
    };
    let url = server.url();
    let (sent, expected) = if posts {
        let answer = format!("application/x-{program}-result");
        let mut post = server
            .agent()
            .post(format!("{url}/{program}"))
            .header(CONTENT_TYPE, format!("application/x-{program}-request"))
            .header(ACCEPT, &answer);
        if let Some(value) = server.authorization() {
            post = post.header(AUTHORIZATION, value);
        }
        let sent = post.config().timeout_global(Some(left)).build().send(request);
        (sent, answer)
    } else {
        let answer = format!("application/x-{program}-advertisement");
        let mut get = server
            .agent()
            .get(format!("{url}/info/refs?service={program}"))
            .header(ACCEPT, &answer);
        if let Some(value) = server.authorization() {
            get = get.header(AUTHORIZATION, value);
        }
        let sent = get.config().timeout_global(Some(left)).build().call();
        (sent, answer)
    };
    let response = sent.map_err(|error| unsent(error, active))?;
    if response.status().as_u16() != 200 {
        return Err(refused(server, response));
    }
    let found = kind(response.headers());
    if found != expected {
        let found = match server.harmless(found.as_bytes()) {
            empty if empty.is_empty() => "of no type".to_owned(),
            found => found,
        };
        return Err(ServerError::NotGit { found });
    }
    Ok(Reading {
        body: response.into_body().into_with_config().limit(u64::MAX).reader(),
        left: most,
        most,
    })
}

/// The type of an answer, without its parameters.
fn kind(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let value = value.unwrap_or_default().split(';').next().unwrap_or_default();
    value.trim().to_ascii_lowercase()
}

/// Any status but success, as a value.
fn refused(server: &RemoteServer, response: Response<Body>) -> ServerError {
    let status = response.status().as_u16();
    if response.status().is_redirection() {
        let to = destination(response.headers());
        return ServerError::Redirected { status, to };
    }
    // A page for people starts with its markup, which tells nobody anything.
    let words = if kind(response.headers()) == "text/html" {
        String::new()
    } else {
        let mut page = Vec::new();
        // Words that can't be read are left out: the status says what counts.
        let _ = response
            .into_body()
            .into_reader()
            .take(MOST_WORDS)
            .read_to_end(&mut page);
        match server.harmless(&page) {
            empty if empty.is_empty() => empty,
            words => format!(" ({words})"),
        }
    };
    match status {
        401 => ServerError::Unauthorized {
            sent: server.authorization().is_some(),
            words,
        },
        403 => ServerError::Forbidden { words },
        404 => ServerError::NotFound { words },
        _ => ServerError::Status { status, words },
    }
}

/// Where a redirect leads: the scheme and the host. The rest of such an address may hold a secret, and a user's name always comes from nowhere good.
fn destination(headers: &HeaderMap) -> String {
    let Some(location) = headers.get(LOCATION).and_then(|value| value.to_str().ok()) else {
        return "nowhere".to_owned();
    };
    let Ok(uri) = location.parse::<Uri>() else {
        return "an address that can't be read".to_owned();
    };
    match (uri.scheme_str(), uri.host()) {
        (Some(scheme), Some(host)) => {
            let port = uri.port_u16().map_or(String::new(), |port| format!(":{port}"));
            let host: String = host.chars().take(200).collect();
            format!("{scheme}://{host}{port}")
        }
        _ => "another path of the same server".to_owned(),
    }
}

/// What kept a request from being answered.
fn unsent(error: ureq::Error, active: &Active) -> ServerError {
    match error {
        ureq::Error::HostNotFound => no_connection("the host's name does not resolve".to_owned()),
        ureq::Error::ConnectionFailed | ureq::Error::ConnectProxyFailed(_) | ureq::Error::Tls(_) => {
            no_connection(active.server.harmless(error.to_string().as_bytes()))
        }
        ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect) if !active.deadline.is_over() => {
            no_connection("no connection in time".to_owned())
        }
        ureq::Error::Io(ref cause) if is_before_sending(cause) => {
            no_connection(active.server.harmless(error.to_string().as_bytes()))
        }
        other => broken(other, active),
    }
}

fn no_connection(why: String) -> ServerError {
    ServerError::NoConnection { why }
}

/// How the standard library begins the error of a name that does not resolve. It has no kind of its own.
const NO_SUCH_NAME: &str = "failed to lookup address information";

/// Whether an error of the system can only come from making the connection: no such name, or it or its certificate was refused.
fn is_before_sending(cause: &io::Error) -> bool {
    let certificate = cause.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(
        cause.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable
    ) || cause.to_string().starts_with(NO_SUCH_NAME)
        || matches!(certificate, Some(rustls::Error::InvalidCertificate(_)))
}

/// What broke an exchange on its way.
fn broken(error: ureq::Error, active: &Active) -> ServerError {
    let Active {
        server,
        deadline,
        limit,
        failure: _,
    } = active;
    if matches!(error, ureq::Error::Timeout(_)) || deadline.is_over() {
        return ServerError::TooLate { limit: *limit };
    }
    let why = server.harmless(error.to_string().as_bytes());
    ServerError::Cut { why }
}
