//! Connections that break after every so many bytes, on the way there and on the way back.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};

use super::*;
use crate::git::testing::remote_server;
use crate::net::Credentials;

/// Where the connection of the push breaks.
#[derive(Clone, Copy, Debug)]
enum Cut {
    /// After this many bytes of the request.
    There(usize),
    /// After this many bytes of the answer.
    Back(usize),
}

/// Passes connections on to a server, and breaks the one that pushes.
fn relay(to: String, cut: Cut) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    // The thread waits for a next connection for ever, and ends with the process.
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (client, server) = (client.unwrap(), TcpStream::connect(&to).unwrap());
            std::thread::spawn(move || pass(client, server, cut));
        }
    });
    address
}

fn pass(mut client: TcpStream, mut server: TcpStream, cut: Cut) {
    let mut first = [0; 16];
    let count = client.read(&mut first).unwrap_or(0);
    let pushes = first.starts_with(b"POST");
    let (there, back) = match cut {
        _ if !pushes => (usize::MAX, usize::MAX),
        Cut::There(most) => (most, usize::MAX),
        Cut::Back(most) => (usize::MAX, most),
    };
    if server.write_all(&first[..count.min(there)]).is_err() {
        return;
    }
    let (from_client, to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let upwards =
        std::thread::spawn(move || copy(from_client, to_server, there.saturating_sub(count), there != usize::MAX));
    copy(server, client, back, true);
    let _ = upwards.join();
}

/// Copies at most so many bytes; then, or at the end if it is the end of both directions, breaks the connections.
fn copy(mut from: TcpStream, mut to: TcpStream, most: usize, ends: bool) {
    let (mut left, mut buffer) = (most, [0; 4096]);
    while left > 0 {
        let size = left.min(buffer.len());
        match from.read(&mut buffer[..size]) {
            Ok(count) if count > 0 && to.write_all(&buffer[..count]).is_ok() => left -= count,
            _ => break,
        }
    }
    if ends {
        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    }
}

#[test]
fn wherever_the_connection_breaks_the_outcome_says_what_is_there() {
    let here = Setup::http();
    let Remote::Server(direct) = &here.remote else {
        unreachable!()
    };
    let target = direct
        .url()
        .trim_start_matches("http://")
        .trim_end_matches("/remote.git");
    let mut ours = BTreeSet::new();
    let (mut standing, mut moved, mut unknown) = (here.standing(), 0, 0);
    let cuts = (0..700)
        .step_by(43)
        .map(Cut::There)
        .chain((0..400).step_by(37).map(Cut::Back));
    for (number, cut) in cuts.enumerate() {
        let url = format!("http://{}/remote.git", relay(target.to_owned(), cut));
        let remote = Remote::Server(remote_server(&url, Credentials::None));
        let next = draft(&here.store, &here.main(), &format!("x: {number}0\n"));
        ours.insert(next.clone());
        let outcome = here.store.push(&remote, &branch(), &next, Some(&standing));
        match outcome {
            PushOutcome::Pushed => {
                assert_eq!(here.world.head(BRANCH), next, "{cut:?}");
                moved += 1;
            }
            PushOutcome::Unknown { .. } => unknown += 1,
            // The effect of the push before came after its outcome.
            PushOutcome::LeaseLost { found: Some(found) } if ours.contains(&found) => {}
            other => panic!("{cut:?}: {other:?}"),
        }
        standing = here.world.head(BRANCH);
    }
    assert!(moved > 0 && unknown > 0, "{moved} moved, {unknown} unknown");
}
