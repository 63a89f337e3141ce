use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

use super::*;
use crate::net::Secret;

/// Answers each connection with the same bytes, and tells what it was asked. An empty answer keeps the connection open and silent.
fn server(answer: &'static str) -> (Server, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/base", listener.local_addr().unwrap());
    let (tell, told) = channel();
    std::thread::spawn(move || {
        let mut silent = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut bytes = [0; 4_096];
            let read = stream.read(&mut bytes).unwrap_or(0);
            if tell.send(String::from_utf8_lossy(&bytes[..read]).into_owned()).is_err() {
                return;
            }
            if answer.is_empty() {
                silent.push(stream);
            } else {
                let _ = stream.write_all(answer.as_bytes());
            }
        }
    });
    (Server::new(&url).unwrap(), told)
}

const LIMITS: Limits = Limits {
    connect: Duration::from_secs(5),
    call: Duration::from_millis(300),
    body: 1_000,
};

async fn get(server: &Server) -> Result<Answer, NetError> {
    let client = Client::new(server, LIMITS).unwrap();
    let request = Request {
        query: &[("query", "a b&c")],
        ..Request::get("/api")
    };
    client.send(request, Deadline::after(Duration::from_secs(60))).await
}

#[tokio::test]
async fn a_request_carries_its_credentials_and_its_query() {
    let (mut server, told) = server(
        "HTTP/1.1 503 x\r\nRetry-After: 7\r\nDate: Tue, 06 Oct 2026 09:00:00 GMT\r\nContent-Length: 12\r\nConnection: close\r\n\r\n\u{1b}[31mno\nmore",
    );
    server.credentials = Credentials::Basic {
        user: "me".to_owned(),
        password: Secret::new("hunter2"),
    };
    let answer = get(&server).await.unwrap();
    let asked = told.recv().unwrap();
    assert!(asked.starts_with("GET /base/api?query=a+b%26c HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("authorization: Basic bWU6aHVudGVyMg==\r\n"), "{asked}");
    assert_eq!((answer.status, answer.is_success()), (503, false));
    assert_eq!(answer.retry_after(), Some(Duration::from_secs(7)));
    assert_eq!(answer.date(), "2026-10-06T09:00:00Z".parse().ok());
    assert_eq!(answer.first_line(), "[31mno");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (other, told_other) = server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let answer = format!(
        "HTTP/1.1 302 Found\r\nLocation: {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        other.url()
    );
    let (mut first, _told) = server(String::leak(answer));
    first.credentials = Credentials::Bearer(Secret::new("hunter2"));
    let error = get(&first).await.unwrap_err();
    assert!(matches!(error, NetError::Redirected { status: 302, .. }), "{error}");
    assert!(told_other.try_recv().is_err());
}

#[tokio::test]
async fn silence_a_flood_and_a_cut_are_errors_that_may_have_had_an_effect() {
    let late = get(&server("").0).await.unwrap_err();
    assert!(
        matches!(late, NetError::TooLate { .. }) && late.may_have_arrived(),
        "{late}"
    );
    let flood = format!("HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n{}", "x".repeat(2_000));
    let large = get(&server(String::leak(flood)).0).await.unwrap_err();
    assert!(matches!(large, NetError::TooLarge { most: 1_000, .. }) && large.may_have_arrived());
    let cut = get(&server("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort").0)
        .await
        .unwrap_err();
    assert!(matches!(cut, NetError::Cut { .. }) && cut.may_have_arrived(), "{cut}");
}

#[tokio::test]
async fn what_was_not_sent_had_no_effect() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = get(&Server::new(&format!("http://{address}")).unwrap())
        .await
        .unwrap_err();
    assert!(
        matches!(error, NetError::NotSent { .. }) && !error.may_have_arrived(),
        "{error}"
    );
    let mut wrong = Server::new("http://127.0.0.1:9").unwrap();
    wrong.credentials = Credentials::Bearer(Secret::new("hunter2\nX-Evil: 1"));
    let error = get(&wrong).await.unwrap_err();
    assert!(matches!(error, NetError::Request { .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    wrong.authorities = Some(b"no certificate".to_vec());
    assert!(matches!(Client::new(&wrong, LIMITS), Err(NetError::Authorities { .. })));
}
