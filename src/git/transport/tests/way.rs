//! The way to a server: through TLS, and through a proxy.

use super::*;

#[test]
fn tls_is_trusted_by_the_configured_authority_alone() {
    let world = World::new();
    let server = Server::start_tls(world.folder());
    assert_eq!(ls(&remote_server(&server.url("remote.git"), me())).unwrap(), 1);
    let by_name = server.url("remote.git").replace("127.0.0.1", "localhost");
    assert_eq!(ls(&remote_server(&by_name, me())).unwrap(), 1);

    let strangers = crate::net::Server::new(&server.url("remote.git")).unwrap();
    let limit = Duration::from_secs(10);
    let untrusting = RemoteServer::new(strangers, limit, Deadline::after(limit)).unwrap();
    let found = complaint(&untrusting);
    assert!(
        matches!(&found, ServerError::NoConnection { why } if why.contains("certificate")),
        "{found:?}"
    );
}

/// A proxy that opens tunnels for whoever knows the password, and remembers what it was asked.
fn tunnels() -> Odd {
    Odd::new(|head, stream| {
        let known = head.contains(&base64(&format!("me:{CANARY}")));
        let target = head.split(' ').nth(1).unwrap_or_default();
        let Some(mut target) = known.then(|| TcpStream::connect(target).unwrap()) else {
            let _ = stream.write_all(answer("407 Proxy Authentication Required", "", "").as_bytes());
            return;
        };
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        let (mut from, mut to) = (stream.try_clone().unwrap(), target.try_clone().unwrap());
        let there = std::thread::spawn(move || {
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(std::net::Shutdown::Write);
        });
        let _ = std::io::copy(&mut target, stream);
        let _ = stream.shutdown(std::net::Shutdown::Both);
        let _ = there.join();
    })
}

/// The environment is the process's, so another process lists the branches.
#[test]
fn a_proxy_of_the_environment_is_used() {
    let world = World::new();
    let server = Server::start_tls(world.folder());
    let proxy = tunnels();
    let address = proxy.url.trim_start_matches("http://").trim_end_matches("/fleet.git");
    let list = |user: &str, no_proxy: &str| {
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        for name in [
            "ALL_PROXY",
            "all_proxy",
            "https_proxy",
            "HTTP_PROXY",
            "http_proxy",
            "no_proxy",
        ] {
            command.env_remove(name);
        }
        let output = command
            .args([
                "--ignored",
                "--exact",
                "--nocapture",
                "git::transport::tests::way::child_lists",
            ])
            .env("HTTPS_PROXY", format!("http://me:{user}@{address}"))
            .env("NO_PROXY", no_proxy)
            .env("FLEETSCALE_TEST_URL", server.url("remote.git"))
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    };
    let said = list(CANARY, "");
    assert!(said.contains("listed Ok(1)"), "{said}");
    let connect = format!(
        "CONNECT {} HTTP/1.1\r\n",
        server.url("").trim_start_matches("https://").trim_end_matches('/')
    );
    assert!(proxy.asked()[0].starts_with(&connect), "{:?}", proxy.asked());
    assert!(!said.contains(CANARY));

    let asked = proxy.asked().len();
    let said = list("nobody-knows", "");
    assert!(
        said.contains("connecting failed: CONNECT proxy failed: proxy server responded 407"),
        "{said}"
    );
    assert!(!said.contains("nobody-knows"));
    assert_eq!(proxy.asked().len(), asked + 1);

    assert!(list(CANARY, "127.0.0.1").contains("listed Ok(1)"));
    assert_eq!(proxy.asked().len(), asked + 1, "NO_PROXY is heeded");
}

#[test]
#[ignore = "runs as another process, started by a_proxy_of_the_environment_is_used"]
#[expect(clippy::disallowed_methods, reason = "it is told by its environment what to do")]
fn child_lists() {
    let url = std::env::var("FLEETSCALE_TEST_URL").unwrap();
    let listed = ls(&remote_server(&url, Credentials::None)).map_err(|error| error.in_words());
    println!("listed {listed:?}");
}
