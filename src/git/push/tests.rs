mod cuts;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;
use crate::git::testing::{Server, World, agent, noon};
use crate::git::{Draft, FileChange, ServerError};
use crate::model::Digest;
use crate::net::Deadline;

const BRANCH: &str = "fleetscale/eu-1/blue/up";

fn branch() -> BranchName {
    BRANCH.parse().unwrap()
}

fn draft(store: &Store, base: &ObjectId, text: &str) -> ObjectId {
    let changes = BTreeMap::from([("base.yaml".parse().unwrap(), FileChange::Replace(text.into()))]);
    store
        .commit(&Draft {
            base,
            changes: &changes,
            message: "Scale blue up",
            scope: "eu-1/blue/up",
            plan: &Digest::of_bytes(text.as_bytes()),
            observed_at: noon(),
            author: &agent(),
        })
        .unwrap()
        .commit
}

/// When a person gets in the way.
#[derive(Clone, Copy, PartialEq)]
enum Person {
    Nowhere,
    BeforeConnect,
    /// Between what the server advertised and what we send.
    BeforeSend,
}

/// How the remote is reached, with a store to push from.
struct Setup {
    world: Arc<World>,
    remote: Remote,
    store: Store,
    person: Arc<Mutex<Person>>,
    _server: Option<Server>,
}

impl Setup {
    fn path() -> Self {
        let world = Arc::new(World::new());
        let store = Store::open(world.remote_path()).unwrap();
        Self {
            remote: Remote::Path(world.remote_path().to_owned()),
            store,
            person: Arc::new(Mutex::new(Person::Nowhere)),
            world,
            _server: None,
        }
    }

    fn http() -> Self {
        let world = Arc::new(World::new());
        let person = Arc::new(Mutex::new(Person::Nowhere));
        let (their_world, their_person) = (world.clone(), person.clone());
        let server = Server::start(world.folder(), move |request| {
            let mut person = their_person.lock().unwrap();
            if *person == Person::BeforeSend && request.line == "POST /remote.git/git-receive-pack" {
                *person = Person::Nowhere;
                their_world.human(BRANCH, &[("human.yaml", "mine\n")]);
            }
            None
        });
        let remote = server.remote("remote.git");
        let store = Store::open_or_create(&world.folder().join("store.git")).unwrap();
        store.fetch(&remote, &"main".parse().unwrap(), "fleetscale/").unwrap();
        let _server = Some(server);
        Self {
            world,
            remote,
            store,
            person,
            _server,
        }
    }

    fn main(&self) -> ObjectId {
        self.world.head("main")
    }

    /// Pushes a commit of ours; the branch stands there before the story begins.
    fn standing(&self) -> ObjectId {
        let commit = draft(&self.store, &self.main(), "x: 2\n");
        let outcome = self.store.push(&self.remote, &branch(), &commit, None);
        assert!(matches!(outcome, PushOutcome::Pushed), "{outcome:?}");
        commit
    }

    fn arrange(&self, person: Person) -> Option<ObjectId> {
        *self.person.lock().unwrap() = person;
        (person == Person::BeforeConnect).then(|| self.world.human(BRANCH, &[("human.yaml", "mine\n")]))
    }
}

/// Every row of the lease table over one kind of remote. In none of them is a person's commit lost.
fn lease_table(setup: fn() -> Setup) {
    // Nobody in the way: create, update, delete.
    let here = setup();
    let first = here.standing();
    let second = draft(&here.store, &here.main(), "x: 3\n");
    assert!(matches!(
        here.store.push(&here.remote, &branch(), &second, Some(&first)),
        PushOutcome::Pushed
    ));
    assert_eq!(here.world.head(BRANCH), second);
    assert!(matches!(
        here.store.push(&here.remote, &branch(), &second, Some(&second)),
        PushOutcome::Pushed
    ));
    assert_eq!(
        here.store.ls(&here.remote, "fleetscale/").unwrap(),
        BTreeMap::from([(branch(), second.clone())])
    );
    assert!(matches!(
        here.store.delete(&here.remote, &branch(), &second),
        PushOutcome::Pushed
    ));
    assert_eq!(here.world.find(BRANCH), None);

    // A person pushed before we connect.
    let here = setup();
    let ours = here.standing();
    let theirs = here.arrange(Person::BeforeConnect).unwrap();
    let next = draft(&here.store, &here.main(), "x: 3\n");
    let outcome = here.store.push(&here.remote, &branch(), &next, Some(&ours));
    assert!(matches!(outcome, PushOutcome::LeaseLost { found: Some(found) } if found == theirs));
    assert_eq!(here.world.head(BRANCH), theirs);

    // The branch is there, but none was expected.
    let outcome = here.store.push(&here.remote, &branch(), &next, None);
    assert!(matches!(outcome, PushOutcome::LeaseLost { found: Some(found) } if found == theirs));
    assert_eq!(here.world.head(BRANCH), theirs);

    // A person pushed before we delete.
    let outcome = here.store.delete(&here.remote, &branch(), &ours);
    assert!(matches!(outcome, PushOutcome::LeaseLost { found: Some(found) } if found == theirs));
    assert_eq!(here.world.head(BRANCH), theirs);

    // A person deleted the branch before we connect.
    let here = setup();
    let ours = here.standing();
    here.world.git(&["push", "-q", "origin", "--delete", BRANCH]);
    let next = draft(&here.store, &here.main(), "x: 3\n");
    let outcome = here.store.push(&here.remote, &branch(), &next, Some(&ours));
    assert!(matches!(outcome, PushOutcome::LeaseLost { found: None }));
    assert_eq!(here.world.find(BRANCH), None);
}

#[test]
fn no_row_of_the_lease_table_loses_a_commit_over_a_path() {
    lease_table(Setup::path);
}

#[test]
fn no_row_of_the_lease_table_loses_a_commit_over_smart_http() {
    lease_table(Setup::http);
}

#[test]
fn a_person_between_advertising_and_sending_wins() {
    for standing in [true, false] {
        for delete in [false, true] {
            let here = Setup::http();
            let ours = standing.then(|| here.standing());
            let next = draft(&here.store, &here.main(), "x: 3\n");
            here.arrange(Person::BeforeSend);
            let outcome = match (&ours, delete) {
                (Some(ours), true) => here.store.delete(&here.remote, &branch(), ours),
                (None, true) => continue,
                (expected, false) => here.store.push(&here.remote, &branch(), &next, expected.as_ref()),
            };
            let theirs = here.world.head(BRANCH);
            assert!(matches!(outcome, PushOutcome::LeaseLost { found: Some(found) } if found == theirs));
            assert_eq!(
                here.world
                    .git(&["log", "-1", "--format=%s", &format!("origin/{BRANCH}")]),
                "By hand"
            );
        }
    }
}

fn hook(repository: &Path, name: &str, script: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let path = repository.join("hooks").join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_hook_of_the_server_that_declines_is_a_rejection() {
    let here = Setup::http();
    let ours = here.standing();
    let next = draft(&here.store, &here.main(), "x: 3\n");
    for name in ["update", "pre-receive"] {
        hook(here.world.remote_path(), name, "exit 1");
        let outcome = here.store.push(&here.remote, &branch(), &next, Some(&ours));
        assert!(
            matches!(&outcome, PushOutcome::Rejected { words } if words.contains("hook declined")),
            "{outcome:?}"
        );
        assert_eq!(here.world.head(BRANCH), ours);
        let outcome = here.store.delete(&here.remote, &branch(), &ours);
        assert!(matches!(outcome, PushOutcome::Rejected { .. }));
        assert_eq!(here.world.head(BRANCH), ours);
    }
}

#[test]
fn hooks_of_a_path_are_not_run() {
    let here = Setup::path();
    hook(here.world.remote_path(), "update", "exit 1");
    hook(here.world.remote_path(), "reference-transaction", "exit 1");
    here.standing();
}

/// A server that answers the push with `answer`, before or after the push took place.
fn broken_answer(effect_first: bool) -> (PushOutcome, Option<ObjectId>, ObjectId) {
    let world = Arc::new(World::new());
    let root = world.folder().to_owned();
    let server = Server::start(&root, move |request| {
        (request.line == "POST /remote.git/git-receive-pack" && !effect_first)
            .then(|| "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned())
    });
    let remote = server.remote("remote.git");
    let store = Store::open_or_create(&world.folder().join("store.git")).unwrap();
    store.fetch(&remote, &"main".parse().unwrap(), "fleetscale/").unwrap();
    if effect_first {
        // The server kills its own answer after the branch has moved.
        hook(world.remote_path(), "post-update", "kill -9 $PPID");
    }
    let commit = draft(&store, &world.head("main"), "x: 2\n");
    let outcome = store.push(&remote, &branch(), &commit, None);
    (outcome, world.find(BRANCH), commit)
}

#[test]
fn an_error_before_the_effect_is_unknown_and_moves_nothing() {
    let (outcome, found, _) = broken_answer(false);
    assert!(matches!(outcome, PushOutcome::Unknown { .. }), "{outcome:?}");
    assert_eq!(found, None);
}

#[test]
fn an_error_after_the_effect_is_seen_through() {
    let (outcome, found, commit) = broken_answer(true);
    assert!(matches!(outcome, PushOutcome::Pushed), "{outcome:?}");
    assert_eq!(found, Some(commit));
}

/// The server is silent for longer than the operation may take, after the branch has moved.
#[test]
fn a_silence_after_the_effect_is_seen_through_and_one_before_it_is_unknown() {
    for (hook_name, moved) in [("post-update", true), ("pre-receive", false)] {
        let here = Setup::http();
        hook(here.world.remote_path(), hook_name, "sleep 8");
        let commit = draft(&here.store, &here.main(), "x: 2\n");
        let Remote::Server(server) = &here.remote else {
            unreachable!()
        };
        let (limit, run) = (Duration::from_secs(3), Duration::from_secs(60));
        let server = crate::net::Server::new(server.url()).unwrap();
        let impatient = Remote::Server(RemoteServer::new(server, limit, Deadline::after(run)).unwrap());
        let outcome = here.store.push(&impatient, &branch(), &commit, None);
        match outcome {
            PushOutcome::Pushed => assert!(moved),
            PushOutcome::Unknown { error } => {
                assert!(!moved);
                assert!(
                    matches!(
                        error,
                        GitError::Server {
                            source: ServerError::TooLate { .. },
                            ..
                        }
                    ),
                    "{error:?}"
                );
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_a_hook_says_is_told() {
    let here = Setup::http();
    hook(
        here.world.remote_path(),
        "pre-receive",
        "printf 'error:\\nerror: \\033[31mno, because\\033[0m\\nmore\\n' >&2; exit 1",
    );
    let commit = draft(&here.store, &here.main(), "x: 2\n");
    let outcome = here.store.push(&here.remote, &branch(), &commit, None);
    let PushOutcome::Rejected { words } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(words, "pre-receive hook declined ([31mno, because[0m; more)");
}

#[test]
fn a_redirect_is_not_followed() {
    let world = World::new();
    let elsewhere = Server::start(world.folder(), |_| None);
    let to = elsewhere.url("").replace("127.0.0.1", "localhost");
    let server = Server::start(world.folder(), move |request| {
        let target = request.line.split_once(" /").map_or("", |(_, target)| target);
        Some(format!(
            "HTTP/1.1 302 Found\r\nLocation: {to}{target}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        ))
    });
    let direct = elsewhere.remote("remote.git");
    let remote = server.remote("remote.git");
    let (path, main) = (world.folder().join("store.git"), "main".parse().unwrap());
    let store = Store::open_or_create(&path).unwrap();
    store.fetch(&direct, &main, "fleetscale/").unwrap();
    let commit = draft(&store, &world.head("main"), "x: 2\n");

    assert!(
        store
            .ls(&remote, "")
            .unwrap_err()
            .in_words()
            .contains("a redirect to http://localhost:")
    );
    assert!(store.fetch(&remote, &main, "fleetscale/").is_err());
    assert!(matches!(
        store.push(&remote, &branch(), &commit, None),
        PushOutcome::Rejected { words } if words.contains("a redirect to http://localhost:")
    ));
    assert_eq!(world.find(BRANCH), None);
}

#[test]
fn a_store_that_rewrites_addresses_is_refused() {
    let here = Setup::http();
    let config = here.store.path().join("config");
    let url = here.remote.to_string();
    for key in ["insteadOf", "pushInsteadOf"] {
        let before = std::fs::read_to_string(&config).unwrap();
        std::fs::write(
            &config,
            format!("{before}[url \"http://127.0.0.1:1/\"]\n\t{key} = {url}\n"),
        )
        .unwrap();
        let store = Store::open(here.store.path()).unwrap();
        assert!(
            matches!(store.ls(&here.remote, ""), Err(GitError::Rewritten { .. })),
            "{key}"
        );
        std::fs::write(&config, before).unwrap();
    }
    let theirs = Store::open(here.world.remote_path()).unwrap();
    assert!(matches!(theirs.ls(&here.remote, ""), Err(GitError::NotOurStore { .. })));
}

#[test]
fn a_fetch_brings_what_is_there_and_forgets_what_is_gone() {
    let here = Setup::http();
    here.standing();
    here.world.human("fleetscale/eu-1/green/up", &[("a", "1")]);
    here.world.human("unrelated", &[("a", "1")]);
    let main = "main".parse().unwrap();
    here.store.fetch(&here.remote, &main, "fleetscale/").unwrap();
    assert_eq!(
        here.store.resolve("fleetscale/eu-1/green/up").unwrap(),
        here.world.head("fleetscale/eu-1/green/up")
    );
    assert!(here.store.resolve("unrelated").is_err());
    here.world
        .git(&["push", "-q", "origin", "--delete", "fleetscale/eu-1/green/up"]);
    here.store.fetch(&here.remote, &main, "fleetscale/").unwrap();
    assert!(here.store.resolve("fleetscale/eu-1/green/up").is_err());
    assert_eq!(here.store.resolve("main").unwrap(), here.main());
}
