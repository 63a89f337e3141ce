use http::HeaderMap;

use super::*;
use crate::net::{Limits, Server};

fn gate() -> Gate {
    let limits = Limits {
        connect: Duration::from_secs(1),
        call: Duration::from_secs(1),
        body: 1_000,
    };
    let server = Server::new("http://127.0.0.1:9").unwrap();
    let client = Client::new(&server, limits).unwrap();
    Gate::new(client, Deadline::after(Duration::from_secs(9)), Duration::ZERO)
}

fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Answer {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, value.parse().unwrap());
    }
    Answer {
        status,
        headers: map,
        body: body.as_bytes().to_vec(),
    }
}

#[test]
fn a_limit_is_told_from_a_missing_permission() {
    let date = ("date", "Sun, 01 Mar 2026 12:00:00 GMT");
    let table = [
        (
            answer(403, &[], r#"{"message":"Resource not accessible by token"}"#),
            false,
            None,
        ),
        (answer(403, &[("x-ratelimit-remaining", "4999")], "{}"), false, None),
        (
            answer(403, &[("retry-after", "60"), date], "{}"),
            true,
            Some("2026-03-01T12:01:00Z"),
        ),
        (answer(403, &[("retry-after", "60")], "{}"), true, None),
        (
            answer(
                403,
                &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1772366700")],
                "{}",
            ),
            true,
            Some("2026-03-01T12:05:00Z"),
        ),
        (
            answer(403, &[], r#"{"message":"You have exceeded a secondary rate limit."}"#),
            true,
            None,
        ),
        (
            answer(
                403,
                &[],
                r#"{"message":"You have triggered an abuse detection mechanism"}"#,
            ),
            true,
            None,
        ),
        (answer(429, &[("retry-after", "soon")], "slow down"), true, None),
        (answer(404, &[("retry-after", "60")], "{}"), false, None),
    ];
    for (answer, limited, end) in table {
        assert_eq!(is_limited(&answer, &words(&answer)), limited, "{answer:?}");
        if limited {
            assert_eq!(until(&answer), end.map(|end| end.parse().unwrap()), "{answer:?}");
        }
    }
}

#[test]
fn a_status_says_whether_it_took_effect() {
    let gate = gate();
    let error = |status| {
        let words = "words".to_owned();
        gate.error("opening", Failure(Why::Status { status, words }), "it needs more")
    };
    for (status, expected, ambiguous) in [
        (400, "opening: http://127.0.0.1:9 refuses (400): words", false),
        (
            403,
            "opening: http://127.0.0.1:9 denies it or does not have it (403): words; it needs more",
            false,
        ),
        (
            404,
            "opening: http://127.0.0.1:9 denies it or does not have it (404): words; it needs more",
            false,
        ),
        (408, "opening: http://127.0.0.1:9 gave no clear answer: 408 words", true),
        (422, "opening: http://127.0.0.1:9 refuses (422): words", false),
        (500, "opening: http://127.0.0.1:9 gave no clear answer: 500 words", true),
        (502, "opening: http://127.0.0.1:9 gave no clear answer: 502 words", true),
        (304, "opening: http://127.0.0.1:9 gave no clear answer: 304 words", true),
    ] {
        let error = error(status);
        assert_eq!(
            (error.to_string().as_str(), error.is_ambiguous()),
            (expected, ambiguous)
        );
        assert!(!error.stops_the_run());
    }
}

#[test]
fn the_words_of_a_server_are_one_short_line() {
    let table = [
        (
            r#"{"message":"Validation Failed","errors":[{"message":"A pull request already exists for o:b."},{"code":"invalid"},"text",7]}"#,
            "Validation Failed: A pull request already exists for o:b.: invalid: text",
        ),
        ("{\"message\":\"a\\n\\u001b[31mb\"}", "a [31mb"),
        ("<html>\n<h1>502</h1>", ""),
        ("\n\nupstream down\nmore", "upstream down"),
        (r#"{"message":7}"#, r#"{"message":7}"#),
        ("", ""),
    ];
    for (body, expected) in table {
        assert_eq!(words(&answer(502, &[], body)), expected, "{body}");
    }
    let long = format!(r#"{{"message":"{}"}}"#, "x".repeat(5_000));
    assert_eq!(words(&answer(502, &[], &long)).len(), LONGEST_WORDS);
}

#[tokio::test]
async fn nothing_is_sent_when_there_is_no_connection_or_no_time() {
    let open = gate();
    let refused = open.send(Request::get("/")).await.unwrap_err();
    let error = open.error("listing", refused, "");
    assert!(matches!(error, ForgeError::Unreachable { .. }), "{error:?}");
    assert!(!error.is_ambiguous() && !error.stops_the_run());

    let late = Gate {
        deadline: Deadline::after(Duration::ZERO),
        ..gate()
    };
    let over = late.send(Request::get("/")).await.unwrap_err();
    let error = late.error("listing", over, "");
    assert_eq!(error.to_string(), "listing: the time for http://127.0.0.1:9 is over");
    assert!(error.stops_the_run());
}
