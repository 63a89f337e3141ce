//! What can go wrong between us and an API server, in words that name the way out.
//!
//! No text here holds a credential: a file that can't be parsed is named with its line alone, never with what stands there.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use crate::net::InvalidAddress;

/// Why an API server can't even be asked.
#[derive(Debug, thiserror::Error)]
pub enum KubeError {
    /// A file can't be read.
    #[error("reading the {what} {}", path.display())]
    File {
        /// What the file is for.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A context is wanted, and nobody said where the kubeconfig is.
    #[error(
        "looking for a kubeconfig: neither the fleet file nor the environment names one; set `kubeconfig` beside `context`"
    )]
    NoKubeconfig,
    /// A file that is no kubeconfig.
    #[error("reading the kubeconfig {}: it can't be understood{}", path.display(), line.map_or(String::new(), |line| format!(" (line {line})")))]
    NotAKubeconfig {
        /// The file.
        path: PathBuf,
        /// The line, if that is known.
        line: Option<usize>,
    },
    /// A name that a kubeconfig does not explain.
    #[error("reading the kubeconfig {}: it has no {what} {name:?}", path.display())]
    NotThere {
        /// The file.
        path: PathBuf,
        /// `context`, `cluster` or `user`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A kubeconfig that asks for something that is never done.
    #[error("using the context {context:?} of {}: {asked}; {instead}", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// The context.
        context: String,
        /// What it asks for.
        asked: String,
        /// What to do instead.
        instead: &'static str,
    },
    /// An address that can't be used.
    #[error("reading the address of the API server")]
    Address(#[from] InvalidAddress),
    /// A token would be readable on the way.
    #[error("connecting to {server}: credentials are not sent over plain HTTP to another machine; use https://")]
    Readable {
        /// The server's address.
        server: String,
    },
    /// Certificates or a key that can't be used.
    #[error("reading the {what} for {server}: {why}")]
    Certificates {
        /// Which of them.
        what: &'static str,
        /// The server's address.
        server: String,
        /// Why.
        why: &'static str,
    },
    /// `inCluster`, and this is no pod.
    #[error(
        "looking for the cluster that this runs in: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set, so this is no pod"
    )]
    NotInCluster,
    /// The client could not be built.
    #[error("preparing the connection to {server}")]
    Client {
        /// The server's address.
        server: String,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

/// Why a call got no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// No connection, or one that ended before the answer did.
    #[error("no answer")]
    Broken {
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// No answer in time.
    #[error("{}", silence(*limit))]
    TooLate {
        /// How long we waited.
        limit: Duration,
    },
    /// The answer is larger than the most that is read.
    #[error("the answer is larger than {most} bytes")]
    TooLarge {
        /// The most that is read.
        most: usize,
    },
    /// The server refused.
    #[error("{code} {}{}", phrase(*code), said(message))]
    Status {
        /// The HTTP status.
        code: u16,
        /// What it said. Hostile until escaped; one line.
        message: String,
        /// How long it asks us to stay away.
        retry_after: Option<Duration>,
    },
    /// The answer is not what was asked for.
    #[error("the answer can't be read")]
    Malformed(#[from] serde_json::Error),
    /// A list that ends nowhere, or is none.
    #[error("the answer is no list: {why}")]
    NotAList {
        /// Why.
        why: &'static str,
    },
    /// The server forgot the list while it was read, again and again.
    #[error("the list expired while it was read (410), {times} times")]
    Expired {
        /// How often.
        times: u32,
    },
}

impl CallError {
    /// The HTTP status, if the server gave one.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// How long to wait before the next try, at least; nothing if another try can't help.
    pub(super) fn pause(&self, shortest: Duration) -> Option<Duration> {
        match self {
            Self::Broken { source } => (!is_about_certificates(source.as_ref())).then_some(shortest),
            Self::Status {
                code: 429 | 500..=599,
                retry_after,
                ..
            } => Some(retry_after.map_or(shortest, |asked| asked.max(shortest))),
            _ => None,
        }
    }
}

fn silence(limit: Duration) -> String {
    if limit.is_zero() {
        return "not asked: the time for this region was over".to_owned();
    }
    format!("no answer within {limit:.1?}")
}

fn phrase(code: u16) -> String {
    let reason = http::StatusCode::from_u16(code)
        .ok()
        .and_then(|code| code.canonical_reason());
    reason.unwrap_or("unknown status").to_lowercase()
}

fn said(message: &str) -> String {
    match message {
        "" => String::new(),
        message => format!(": {message}"),
    }
}

/// Whether TLS failed: the same certificates would fail again.
fn is_about_certificates(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(|cause| cause.is::<rustls::Error>())
}

/// An error and its causes, outermost first. What `io::Error` wraps counts too: its `source()` skips it.
fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| cause(*error))
}

fn cause<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    match wrapped {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

/// An error with its causes in one line, each said once.
pub(in crate::observe) fn in_words(error: &(dyn Error + 'static)) -> String {
    let mut words = String::new();
    for cause in causes(error) {
        let text = cause.to_string();
        if !words.ends_with(&text) {
            if !words.is_empty() {
                words.push_str(": ");
            }
            words.push_str(&text);
        }
    }
    one_line(&words, 600)
}

/// The first so many characters of a text, without line ends and other control characters.
pub(super) fn one_line(text: &str, most: usize) -> String {
    let spaced = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c });
    spaced
        .filter(|c| !c.is_control())
        .take(most)
        .collect::<String>()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let shortest = Duration::from_millis(250);
        let status = |code, after: Option<u64>| CallError::Status {
            code,
            message: String::new(),
            retry_after: after.map(Duration::from_secs),
        };
        for (code, after, want) in [
            (401, None, None),
            (403, Some(1), None),
            (404, None, None),
            (410, None, None),
            (429, None, Some(shortest)),
            (429, Some(0), Some(shortest)),
            (429, Some(3_600), Some(Duration::from_secs(3_600))),
            (500, None, Some(shortest)),
            (503, Some(2), Some(Duration::from_secs(2))),
        ] {
            assert_eq!(status(code, after).pause(shortest), want, "{code} {after:?}");
        }
        let broken = |source: Box<dyn Error + Send + Sync>| CallError::Broken { source }.pause(shortest);
        assert_eq!(broken("reset".into()), Some(shortest));
        let tls = std::io::Error::new(std::io::ErrorKind::InvalidData, rustls::Error::DecryptError);
        assert_eq!(broken(Box::new(tls)), None);
        assert_eq!(CallError::TooLate { limit: shortest }.pause(shortest), None);
    }

    #[test]
    fn an_error_says_each_of_its_causes_once_and_in_one_line() {
        let inner = std::io::Error::other("refused\n\u{1b}[31m by the peer");
        let error = CallError::Broken {
            source: Box::new(inner),
        };
        assert_eq!(in_words(&error), "no answer: refused [31m by the peer");
        let forbidden = CallError::Status {
            code: 403,
            message: "no".to_owned(),
            retry_after: None,
        };
        assert_eq!(in_words(&forbidden), "403 forbidden: no");
    }
}
