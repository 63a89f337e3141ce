//! The one way to a forge's server: what every request has to pass, and what each answer is taken for.
//!
//! Invariants: a request is sent once. No request is sent after the deadline, after a rate limit, or after a token was found to be unknown.
//! Two mutations are at least the pace apart. A status is read here and nowhere else, so that both forges mean the same by an error.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::Method;
use jiff::Timestamp;
use serde::Deserialize;

use crate::net::{Answer, Client, Deadline, NetError, Request};

use super::error::ForgeError;

/// The most characters of a server's words that an error repeats.
const LONGEST_WORDS: usize = 300;

/// A server behind its gate.
#[derive(Debug)]
pub(super) struct Gate {
    client: Client,
    deadline: Deadline,
    /// The least time between the end of a mutation and the next one.
    pace: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next_mutation: Option<Deadline>,
    closed: Option<Closed>,
}

/// Why nothing more is sent.
#[derive(Debug, Clone)]
enum Closed {
    Limited { until: Option<Timestamp>, words: String },
    Unauthorized { words: String },
}

/// Why there is no good answer. It becomes a [`ForgeError`] where it is known what was being done.
#[derive(Debug, thiserror::Error)]
#[error("a request got no good answer")]
pub(super) struct Failure(Why);

#[derive(Debug)]
enum Why {
    Closed(Closed),
    OutOfTime,
    Net(NetError),
    Status { status: u16, words: String },
}

impl Gate {
    pub(super) fn new(client: Client, deadline: Deadline, pace: Duration) -> Self {
        Self {
            client,
            deadline,
            pace,
            state: Mutex::default(),
        }
    }

    /// The server's address.
    pub(super) fn address(&self) -> &str {
        self.client.address()
    }

    /// Sends a request, if nothing stands against it, and returns an answer with a good status.
    pub(super) async fn send(&self, request: Request<'_>) -> Result<Answer, Failure> {
        let mutation = !matches!(request.method, Method::GET | Method::HEAD);
        let (closed, wait) = {
            let state = self.state();
            (state.closed.clone(), state.next_mutation.filter(|_| mutation))
        };
        if let Some(closed) = closed {
            return Err(Failure(Why::Closed(closed)));
        }
        let wait = wait.map(Deadline::remaining).unwrap_or_default();
        if wait >= self.deadline.remaining() {
            return Err(Failure(Why::OutOfTime));
        }
        tokio::time::sleep(wait).await;
        let answer = self.client.send(request, self.deadline).await;
        if mutation {
            self.state().next_mutation = Some(Deadline::after(self.pace));
        }
        let answer = answer.map_err(|error| Failure(Why::Net(error)))?;
        if answer.is_success() {
            return Ok(answer);
        }
        let words = words(&answer);
        let closed = if answer.status == 401 {
            Some(Closed::Unauthorized { words: words.clone() })
        } else {
            let until = until(&answer);
            is_limited(&answer, &words).then(|| Closed::Limited {
                until,
                words: words.clone(),
            })
        };
        if let Some(closed) = closed {
            self.state().closed = Some(closed.clone());
            return Err(Failure(Why::Closed(closed)));
        }
        let status = answer.status;
        Err(Failure(Why::Status { status, words }))
    }

    /// What an answer says, as JSON.
    pub(super) fn read<T: for<'de> Deserialize<'de>>(&self, doing: &str, answer: &Answer) -> Result<T, ForgeError> {
        serde_json::from_slice(&answer.body).map_err(|error| self.malformed(doing, &error.to_string()))
    }

    /// An answer that makes no sense.
    pub(super) fn malformed(&self, doing: &str, why: &str) -> ForgeError {
        ForgeError::Malformed {
            doing: doing.to_owned(),
            server: self.address().to_owned(),
            why: one_line(why),
        }
    }

    /// The error of a request that was doing this, with a token that needs that.
    pub(super) fn error(&self, doing: &str, Failure(why): Failure, needs: &str) -> ForgeError {
        let (doing, server) = (doing.to_owned(), self.address().to_owned());
        match why {
            Why::OutOfTime => ForgeError::OutOfTime { doing, server },
            Why::Closed(Closed::Unauthorized { words }) => ForgeError::Unauthorized { doing, server, words },
            Why::Closed(Closed::Limited { until, words }) => ForgeError::RateLimited {
                doing,
                server,
                until,
                words,
            },
            Why::Net(error @ NetError::TooLarge { .. }) => self.malformed(&doing, &error.to_string()),
            Why::Net(source) if source.may_have_arrived() => ForgeError::Unknown {
                doing,
                server,
                words: String::new(),
                source: Some(source),
            },
            Why::Net(source) => ForgeError::Unreachable { doing, source },
            Why::Status { status, words } => match status {
                403 | 404 => ForgeError::Denied {
                    doing,
                    server,
                    status,
                    words,
                    needs: needs.to_owned(),
                },
                // 408 is a server that stopped waiting, and it does not say at what point.
                400..=499 if status != 408 => ForgeError::Refused {
                    doing,
                    server,
                    status,
                    words,
                },
                _ => ForgeError::Unknown {
                    doing,
                    server,
                    words: format!("{status} {words}").trim_end().to_owned(),
                    source: None,
                },
            },
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// GitHub answers 403 or 429 with one of three signs; its documentation asks to look for them in this order. Others answer 429.
fn is_limited(answer: &Answer, words: &str) -> bool {
    let spent = header(answer, "x-ratelimit-remaining").is_some_and(|left| left.trim() == "0");
    let words = words.to_ascii_lowercase();
    let said = words.contains("rate limit") || words.contains("abuse detection");
    answer.status == 429 || (answer.status == 403 && (answer.retry_after().is_some() || spent || said))
}

/// Until when the server wants to be left alone: what `Retry-After` counts from its `Date`, else its `X-RateLimit-Reset`.
fn until(answer: &Answer) -> Option<Timestamp> {
    let asked = answer.retry_after().zip(answer.date());
    asked
        .and_then(|(wait, date)| date.checked_add(wait).ok())
        .or_else(|| Timestamp::from_second(header(answer, "x-ratelimit-reset")?.trim().parse().ok()?).ok())
}

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.headers.get(name)?.to_str().ok()
}

/// What both forges' APIs say about an error: a message, and on GitHub a list of details, each a text or an object with a message or a code.
#[derive(Deserialize)]
struct Complaint {
    message: String,
    #[serde(default)]
    errors: serde_json::Value,
}

fn words(answer: &Answer) -> String {
    let Ok(Complaint { message, errors }) = serde_json::from_slice(&answer.body) else {
        // A page of a proxy says nothing in its first line.
        let line = answer.first_line();
        return if line.starts_with('<') { String::new() } else { line };
    };
    let details = errors.as_array().into_iter().flatten().filter_map(|error| {
        let text = error.as_str().or_else(|| error.get("message")?.as_str());
        text.or_else(|| error.get("code")?.as_str())
    });
    let mut words = vec![message.as_str()];
    words.extend(details);
    one_line(&words.join(": "))
}

/// The text as one printable line of bounded length.
fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(|c| !c.is_control()).take(LONGEST_WORDS).collect()
}

#[cfg(test)]
mod tests;
