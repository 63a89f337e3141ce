//! Asks one Prometheus one question after the other.
//!
//! Invariants: every question is about one instant, the time of the observation. It is tried at most three times, and only if another try
//! can help: no connection, a connection that ended early, a server that is overloaded or restarts. All tries end by the deadline. A server
//! that can't be reached, or does not answer the light questions, is not asked the heavy ones.
//!
//! One after the other on purpose: people look at dashboards on the same server.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use http::Method;
use jiff::Timestamp;

use crate::net::{Answer, Client, Deadline, NetError, Request};

use super::answer::{self, AnswerError, Vector};
use super::promql::{Question, Scope, labels};

/// What came back, by question: a vector, or why there is none.
pub(super) type Answers = BTreeMap<Question, Result<Vector, String>>;

/// Why not a single question was answered; nothing if one was, or none was asked.
pub(super) type Silence = Option<String>;

/// The largest answer that is read. A node is about 200 bytes of an answer: this is more than 300,000 of them.
pub(super) const LARGEST_ANSWER: usize = 64 << 20;

/// Pauses before the second and the third try. A Prometheus behind a load balancer is back at another replica by then; one that restarts
/// is not, and its region waits for the next run.
const PAUSES: [Duration; 2] = [Duration::from_millis(300), Duration::from_secs(2)];

/// The longest that a server may ask us to stay away before another try.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Why there is no vector.
#[derive(Debug, thiserror::Error)]
pub(super) enum AskError {
    /// No answer.
    #[error(transparent)]
    Net(#[from] NetError),
    /// An answer that says no.
    #[error("{server} answers {status}: {said}{hint}")]
    Status {
        /// The server's address.
        server: String,
        /// The status.
        status: u16,
        /// What it says.
        said: String,
        /// What to look at.
        hint: &'static str,
    },
    /// An answer that can't be used.
    #[error("{server}")]
    Unusable {
        /// The server's address.
        server: String,
        /// Why.
        #[source]
        source: AnswerError,
    },
}

/// Asks all questions; each gets a vector, or the reason why there is none. If none gets a vector, the first reason stands for all.
pub(super) async fn ask_all(
    client: &Client,
    scope: &Scope<'_>,
    questions: &BTreeSet<Question>,
    call: Duration,
    deadline: Deadline,
    now: Timestamp,
) -> (Answers, Silence) {
    // Light ones first, then short windows: where the time is short, a week is what is missing, not the hour.
    let mut ordered: Vec<Question> = questions.iter().copied().collect();
    ordered.sort_by_key(|question| (question.window(), *question));
    let (mut answers, mut gone, mut first) = (Answers::new(), None, None);
    for question in ordered {
        let answer = match &gone {
            Some(cause) => Err(format!("not asked, after this: {cause}")),
            None => match ask(client, scope, question, call, deadline, now).await {
                Ok(vector) => Ok(vector),
                Err(error) => {
                    let cause = words(&error);
                    first.get_or_insert_with(|| cause.clone());
                    if is_gone(&error, question) {
                        gone = Some(cause.clone());
                    }
                    Err(cause)
                }
            },
        };
        answers.insert(question, answer);
    }
    let silence = first.filter(|_| answers.values().all(Result::is_err));
    (answers, silence)
}

/// Whether more questions would only cost time.
fn is_gone(error: &AskError, question: Question) -> bool {
    match error {
        AskError::Net(NetError::TooLate { .. }) => question.window().seconds() == 0,
        AskError::Net(NetError::Cut { .. } | NetError::TooLarge { .. }) => false,
        AskError::Net(_) => true,
        AskError::Status { status, .. } => matches!(status, 401 | 403 | 404),
        AskError::Unusable { .. } => false,
    }
}

async fn ask(
    client: &Client,
    scope: &Scope<'_>,
    question: Question,
    call: Duration,
    deadline: Deadline,
    now: Timestamp,
) -> Result<Vector, AskError> {
    let (promql, by) = (scope.promql(question), labels(scope.source, question.signal()));
    let (time, timeout) = (seconds(now), format!("{}s", call.as_secs().max(1)));
    let form = form(&[
        ("query", promql.as_str()),
        ("time", time.as_str()),
        // The server stops when we do.
        ("timeout", timeout.as_str()),
        // To Thanos: no answer is better than a part of it. Others don't know the word.
        ("partial_response", "false"),
    ]);
    let mut pauses = PAUSES.into_iter();
    loop {
        let request = Request {
            method: Method::POST,
            path: "/api/v1/query",
            query: &[],
            body: Some(("application/x-www-form-urlencoded", form.clone().into_bytes())),
        };
        let sent = client.send(request, deadline).await;
        let (result, again) = match sent {
            Ok(answer) if answer.is_success() => (read(client, &answer, &by, now), None),
            Ok(answer) => {
                let again = may_help(&answer).then(|| answer.retry_after());
                (Err(refusal(client, &answer)), again)
            }
            Err(error) => {
                let again = matches!(error, NetError::NotSent { .. } | NetError::Cut { .. }).then_some(None);
                (Err(error.into()), again)
            }
        };
        let (Some(asked), Some(pause)) = (again, pauses.next()) else {
            return result;
        };
        let pause = asked.unwrap_or(pause).max(pause);
        if pause > LONGEST_PAUSE || pause >= deadline.remaining() {
            return result;
        }
        tokio::time::sleep(pause).await;
    }
}

fn read(client: &Client, answer: &Answer, by: &[&str], now: Timestamp) -> Result<Vector, AskError> {
    answer::read(&answer.body, by, now).map_err(|source| AskError::Unusable {
        server: client.address().to_owned(),
        source,
    })
}

/// Whether another try may get another answer. Prometheus answers 503 for a query that took too long, too: it would again.
fn may_help(answer: &Answer) -> bool {
    let too_slow = answer.status == 503 && answer.first_line().contains(r#""errorType":"timeout""#);
    (answer.status >= 500 || answer.status == 429) && !too_slow
}

fn refusal(client: &Client, answer: &Answer) -> AskError {
    let said = match answer::read(&answer.body, &[], Timestamp::UNIX_EPOCH) {
        Err(error @ AnswerError::Refused { .. }) => error.to_string(),
        _ => answer.first_line(),
    };
    AskError::Status {
        server: client.address().to_owned(),
        status: answer.status,
        said,
        hint: match answer.status {
            401 | 403 => " (look at `credentials` of the Prometheus in the fleet file)",
            404 => " (is `url` its address without `/api/v1`?)",
            _ => "",
        },
    }
}

/// An error and its causes, on one line.
pub(super) fn words(error: &AskError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text.chars().filter(|c| !c.is_control()).take(600).collect()
}

/// A time as Prometheus takes it.
fn seconds(time: Timestamp) -> String {
    format!("{}.{:03}", time.as_second(), time.subsec_millisecond())
}

/// A form's fields as a browser would send them.
fn form(fields: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in fields {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
        for byte in value.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.push(char::from(byte)),
                _ => text.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_holds_any_text() {
        let fields = [("query", r#"a{b="ü"} + 1"#), ("time", "1.000")];
        assert_eq!(form(&fields), "query=a%7Bb%3D%22%C3%BC%22%7D%20%2B%201&time=1.000");
        let time: Timestamp = "2026-10-06T09:00:00.25Z".parse().unwrap();
        assert_eq!(seconds(time), "1791277200.250");
    }
}
