mod way;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;
use crate::git::server::Sizes;
use crate::git::testing::{Server, World, remote_server};
use crate::git::{PushOutcome, Remote, Store};
use crate::model::BranchName;
use crate::net::{Credentials, Deadline, Secret};

/// What no error and no log may hold.
const CANARY: &str = "canary-0815";

fn me() -> Credentials {
    Credentials::Basic {
        user: "me".to_owned(),
        password: Secret::new(CANARY),
    }
}

/// A server of one behaviour: it reads a request's head, remembers it, and does what it is told with the connection.
struct Odd {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Odd {
    fn new(behave: impl Fn(&str, &mut TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/fleet.git", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let remembered = asked.clone();
        // The thread waits for a next request for ever, and ends with the process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                    head.push(byte[0]);
                }
                let head = String::from_utf8(head).unwrap();
                remembered.lock().unwrap().push(head.clone());
                behave(&head, &mut stream);
            }
        });
        Self { url, asked }
    }

    /// A server that answers everything with these bytes and closes the connection.
    fn saying(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::new(move |_, stream| {
            let _ = stream.write_all(&answer);
        })
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}

const ADVERTISEMENT: &str = "Content-Type: application/x-git-upload-pack-advertisement\r\n";

fn ls(server: &RemoteServer) -> Result<usize, GitError> {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_or_create(&folder.path().join("store.git")).unwrap();
    store.ls(&Remote::Server(server.clone()), "").map(|heads| heads.len())
}

/// What a listing says went wrong.
fn complaint(server: &RemoteServer) -> ServerError {
    let error = ls(server).unwrap_err();
    let words = format!("{error:?} {}", error.in_words());
    assert!(!words.contains(CANARY), "{words}");
    match error {
        GitError::Server { doing: _, source } => source,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_status_is_told_with_the_servers_words_and_without_the_secret() {
    let plain = "Content-Type: text/plain\r\n";
    let html = "Content-Type: text/html\r\n";
    let token = base64(&format!("me:{CANARY}"));
    let cases: [(&str, &str, &str, &str); 9] = [
        (
            "401 Unauthorized",
            plain,
            "bad\u{7} password\nmore",
            "401: the credentials were refused; see spec.repository.credentials (bad password)",
        ),
        (
            "403 Forbidden",
            plain,
            "",
            "403: these credentials may not do that; see spec.repository.credentials",
        ),
        (
            "404 Not Found",
            plain,
            "nope",
            "404: there is no such repository, or it can't be seen with these credentials (nope)",
        ),
        (
            "500 Internal Server Error",
            html,
            "<h1>Oh no</h1>",
            "the server answered 500",
        ),
        ("429 Too Many Requests", plain, CANARY, "the server answered 429"),
        ("418 I'm a teapot", plain, &token, "the server answered 418"),
        ("204 No Content", plain, "", "the server answered 204"),
        (
            "301 Moved Permanently",
            "Location: https://me:secret@other.example:8443/fleet.git?token=secret\r\n",
            "",
            "the server answered 301, a redirect to https://other.example:8443, which is not followed; configure the address that it leads to",
        ),
        (
            "302 Found",
            "Location: /login?token=secret\r\n",
            "",
            "the server answered 302, a redirect to another path of the same server, which is not followed; configure the address that it leads to",
        ),
    ];
    for (status, headers, body, expected) in cases {
        let odd = Odd::saying(answer(status, headers, body));
        assert_eq!(complaint(&remote_server(&odd.url, me())).to_string(), expected);
        assert_eq!(odd.asked().len(), 1, "nothing is asked twice: {status}");
    }
    let odd = Odd::saying(answer("401 Unauthorized", "", ""));
    assert_eq!(
        complaint(&remote_server(&odd.url, Credentials::None)).to_string(),
        "401: the server wants credentials; see spec.repository.credentials"
    );
}

fn base64(text: &str) -> String {
    use ::base64::Engine as _;
    ::base64::prelude::BASE64_STANDARD.encode(text)
}

#[test]
fn a_page_for_people_is_not_a_list_of_branches() {
    let odd = Odd::saying(answer(
        "200 OK",
        "Content-Type: text/html; charset=utf-8\r\n",
        "<html>Sign in</html>",
    ));
    let found = complaint(&remote_server(&odd.url, me()));
    assert_eq!(
        found,
        ServerError::NotGit {
            found: "text/html".to_owned()
        }
    );
    let odd = Odd::saying(answer("200 OK", "", "001e# service=git-upload-pack\n0000"));
    let found = complaint(&remote_server(&odd.url, me()));
    assert_eq!(
        found,
        ServerError::NotGit {
            found: "of no type".to_owned()
        }
    );
}

#[test]
fn what_is_no_protocol_behind_the_right_type_is_an_error_of_libgit2() {
    for body in [
        "<html>Sign in</html>",
        "",
        "0000",
        "001e# service=git-upload-pack\n",
        "ffffzzzz",
    ] {
        let odd = Odd::saying(answer("200 OK", ADVERTISEMENT, body));
        assert!(ls(&remote_server(&odd.url, me())).is_err(), "{body}");
    }
}

#[test]
fn credentials_go_to_the_configured_server_and_to_no_other() {
    let other = Odd::saying(answer("404 Not Found", "", ""));
    let location = format!("Location: {}/info/refs?service=git-upload-pack\r\n", other.url);
    let odd = Odd::saying(answer("302 Found", &location, ""));
    assert!(matches!(
        complaint(&remote_server(&odd.url, me())),
        ServerError::Redirected { .. }
    ));
    assert_eq!(other.asked(), Vec::<String>::new());
    let [asked] = &odd.asked()[..] else { panic!() };
    let head = asked.to_ascii_lowercase();
    assert!(
        head.starts_with("get /fleet.git/info/refs?service=git-upload-pack http/1.1\r\n"),
        "{head}"
    );
    assert!(
        asked.contains(&format!(": Basic {}\r\n", base64(&format!("me:{CANARY}")))),
        "{asked}"
    );
    assert!(head.contains("\r\nuser-agent: git/2.0 (fleetscale"), "{head}");
    assert!(!head.contains("accept-encoding"), "{head}");

    let odd = Odd::saying(answer("404 Not Found", "", ""));
    complaint(&remote_server(&odd.url, Credentials::Bearer(Secret::new(CANARY))));
    assert!(odd.asked()[0].contains(&format!(": Bearer {CANARY}\r\n")));
}

#[test]
fn outside_of_an_operation_and_for_another_address_there_is_no_access() {
    let odd = Odd::saying(answer("404 Not Found", "", ""));
    let server = remote_server(&odd.url, me());
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_or_create(&folder.path().join("store.git")).unwrap();
    let connect = |url: &str| {
        let mut remote = store.repo().remote_anonymous(url)?;
        remote.connect(git2::Direction::Fetch)
    };
    assert!(connect(&odd.url).is_err());
    let elsewhere = odd.url.replace("fleet", "other");
    let refused = Operation::on(&server).run("trying", || connect(&elsewhere));
    assert!(matches!(
        refused,
        Err(GitError::Server {
            source: ServerError::Elsewhere,
            ..
        })
    ));
    assert_eq!(odd.asked(), Vec::<String>::new());
    assert!(Operation::on(&server).run("trying", || connect(&odd.url)).is_err());
    assert_eq!(odd.asked().len(), 1);
    assert!(connect(&odd.url).is_err());
    assert_eq!(odd.asked().len(), 1);
}

/// The same with a third of a second for an operation.
fn impatient(url: &str) -> RemoteServer {
    let server = crate::net::Server::new(url).unwrap();
    let limit = Duration::from_millis(300);
    RemoteServer::new(server, limit, Deadline::after(Duration::from_secs(60))).unwrap()
}

#[test]
fn a_server_that_hangs_or_drips_is_given_up_at_the_deadline() {
    let silent = Odd::new(|_, stream| {
        let _ = stream.read(&mut [0]);
    });
    assert!(matches!(
        complaint(&impatient(&silent.url)),
        ServerError::TooLate { .. }
    ));
    let dripping = Odd::new(|_, stream| {
        let head = format!("HTTP/1.1 200 OK\r\n{ADVERTISEMENT}\r\n001e# service=git-upload-pack\n0000fff0");
        let _ = stream.write_all(head.as_bytes());
        while stream.write_all(b"1").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    assert!(matches!(
        complaint(&impatient(&dripping.url)),
        ServerError::TooLate { .. }
    ));
    let slow_head = Odd::new(|_, stream| {
        while stream.write_all(b"H").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let found = complaint(&impatient(&slow_head.url));
    assert!(
        matches!(found, ServerError::TooLate { .. } | ServerError::Cut { .. }),
        "{found:?}"
    );
}

#[test]
fn after_the_runs_end_nothing_is_sent() {
    let odd = Odd::saying(answer("404 Not Found", "", ""));
    let server = crate::net::Server::new(&odd.url).unwrap();
    let over = RemoteServer::new(server, Duration::from_secs(10), Deadline::after(Duration::ZERO)).unwrap();
    assert!(matches!(complaint(&over), ServerError::TooLate { .. }));
    assert_eq!(odd.asked(), Vec::<String>::new());
}

#[test]
fn an_answer_that_breaks_off_is_cut() {
    let odd = Odd::new(|_, stream| {
        let head = format!("HTTP/1.1 200 OK\r\n{ADVERTISEMENT}Content-Length: 1000\r\n\r\n001e# service=git-upl");
        let _ = stream.write_all(head.as_bytes());
    });
    let found = complaint(&remote_server(&odd.url, me()));
    assert!(matches!(found, ServerError::Cut { .. }), "{found:?}");
    let odd = Odd::saying("");
    let found = complaint(&remote_server(&odd.url, me()));
    assert!(matches!(found, ServerError::Cut { .. }), "{found:?}");
}

#[test]
fn nobody_there_is_no_connection() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let found = complaint(&remote_server(&format!("http://{free}/x"), me()));
    assert!(matches!(found, ServerError::NoConnection { .. }), "{found:?}");
    let found = complaint(&remote_server("http://no-such-host.invalid/x", me()));
    assert!(matches!(found, ServerError::NoConnection { .. }), "{found:?}");
}

#[test]
fn an_advertisement_without_end_is_refused() {
    let odd = Odd::new(|_, stream| {
        let head = format!("HTTP/1.1 200 OK\r\n{ADVERTISEMENT}\r\n001e# service=git-upload-pack\n0000");
        let _ = stream.write_all(head.as_bytes());
        let line = format!("{} refs/heads/{:0>40}\n", "1".repeat(40), 7);
        let line = format!("{:04x}{line}", line.len() + 4);
        while stream.write_all(line.as_bytes()).is_ok() {}
    });
    let sizes = Sizes {
        advertised: 100_000,
        received: 1,
        sent: 1,
    };
    let found = complaint(&remote_server(&odd.url, me()).with_sizes(sizes));
    assert_eq!(found, ServerError::TooLarge { most: 100_000 });
}

#[test]
fn a_pack_that_is_too_large_is_not_fetched() {
    let world = World::new();
    let noise: String = (0..20_000_u32)
        .map(|n| format!("{:x}", n.wrapping_mul(2_654_435_761)))
        .collect();
    world.human("main", &[("noise", &noise)]);
    let server = Server::start(world.folder(), |_| None);
    let url = server.url("remote.git");
    let sizes = Sizes {
        advertised: 100_000,
        received: 10_000,
        sent: 100_000,
    };
    let small = remote_server(&url, Credentials::None).with_sizes(sizes);
    let store = Store::open_or_create(&world.folder().join("store.git")).unwrap();
    let main = "main".parse().unwrap();
    let error = store.fetch(&Remote::Server(small), &main, "fleetscale/").unwrap_err();
    assert!(
        matches!(
            error,
            GitError::Server {
                source: ServerError::TooLarge { most: 10_000 },
                ..
            }
        ),
        "{error:?}"
    );
    // The store is none the worse for it.
    let heads = store.fetch(&server.remote("remote.git"), &main, "fleetscale/").unwrap();
    assert_eq!(heads[&main], world.head("main"));
}

#[test]
fn certificates_and_credentials_that_can_not_be_used_are_refused_at_once() {
    let mut server = crate::net::Server::new("https://git.example.org/x").unwrap();
    let limit = Duration::from_secs(1);
    let new =
        |server: &crate::net::Server| RemoteServer::new(server.clone(), limit, Deadline::after(limit)).unwrap_err();
    for pem in [
        "",
        "nonsense",
        "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n",
    ] {
        server.authorities = Some(pem.into());
        assert!(
            new(&server)
                .to_string()
                .starts_with("reading the certificates (caFile) for https://git.example.org/x")
        );
    }
    server.authorities = None;
    server.credentials = Credentials::Bearer(Secret::new(&format!("{CANARY}\nX-Injected: 1")));
    let words = new(&server).to_string();
    assert!(
        words.contains("credentials have characters") && !words.contains(CANARY),
        "{words}"
    );
}

#[test]
fn a_server_that_knows_us_is_fetched_from_and_pushed_to() {
    let world = World::new();
    let expected = format!("Basic {}", base64(&format!("me:{CANARY}")));
    let server = Server::start(world.folder(), move |asked| {
        (asked.authorization != expected).then(|| answer("401 Unauthorized", "WWW-Authenticate: Basic realm=x\r\n", ""))
    });
    let main: BranchName = "main".parse().unwrap();
    let cache = world.folder().join("cache/store.git");
    let remote = Remote::Server(remote_server(&server.url("remote.git"), me()));
    let (store, heads) = Store::fetched(&remote, &cache, &main, "fleetscale/").unwrap();
    let copy: BranchName = "fleetscale/copy".parse().unwrap();
    let outcome = store.push(&remote, &copy, &heads[&main], None);
    assert!(matches!(outcome, PushOutcome::Pushed), "{outcome:?}");
    assert_eq!(world.head("fleetscale/copy"), world.head("main"));

    let nobody = server.remote("remote.git");
    let outcome = store.push(&nobody, &copy, &heads[&main], None);
    assert!(
        matches!(&outcome, PushOutcome::Rejected { words } if words.starts_with("401: the server wants")),
        "{outcome:?}"
    );
    assert_not_in_files(&world.folder().join("cache"));
}

fn assert_not_in_files(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_not_in_files(&path);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let found = bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes());
        assert!(!found, "{}", path.display());
    }
}
