//! Git over HTTP against a real Gitea: the fetch without history, the push with a lease, refusals, and where a token is found afterwards.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fleetscale::git::{
    BranchState, Draft, FileChange, GitError, Heads, Identity, PushOutcome, Remote, RemoteServer, Store,
};
use fleetscale::model::{BranchName, Digest, ObjectId};
use fleetscale::net::{Credentials, Deadline, Secret, Server};
use serde_json::{Value, json};

use crate::env::gitea::Gitea;

const BRANCH: &str = "fleetscale/eu-1/blue/up";
const PREFIX: &str = "fleetscale/";

/// A repository of a Gitea, and this program's cache of it.
struct Fleet {
    gitea: &'static Gitea,
    name: String,
    folder: tempfile::TempDir,
}

impl Fleet {
    fn new(name: &str) -> Self {
        let gitea = Gitea::shared();
        let name = gitea.repository(name);
        Self {
            gitea,
            name,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// The repository for whoever has this token.
    fn remote(&self, token: &str) -> Remote {
        let mut server = Server::new(&format!("{}/{}.git", self.gitea.url(), self.name)).unwrap();
        server.credentials = Credentials::Basic {
            user: "fleet-bot".to_owned(),
            password: Secret::new(token),
        };
        let limit = Duration::from_secs(60);
        Remote::Server(RemoteServer::new(server, limit, Deadline::after(limit)).unwrap())
    }

    fn ours(&self) -> Remote {
        self.remote(&self.gitea.bot)
    }

    fn fetched(&self) -> (Store, Heads) {
        Store::fetched(&self.ours(), &self.folder.path().join("store.git"), &main(), PREFIX).unwrap()
    }

    /// A person writes a file over the forge's API, on a branch that is there.
    fn person_writes(&self, branch: &str, path: &str, text: &str) {
        use base64::Engine as _;
        let content = base64::prelude::BASE64_STANDARD.encode(text);
        let jo = self.gitea.api(&self.gitea.jo);
        let body = json!({ "branch": branch, "content": content, "message": "By hand" });
        jo.post(&format!("/api/v1/repos/{}/contents/{path}", self.name), &body);
    }

    /// Where the forge says that a branch stands.
    fn head(&self, branch: &str) -> ObjectId {
        let jo = self.gitea.api(&self.gitea.jo);
        let path = format!("/api/v1/repos/{}/branches/{}", self.name, branch);
        let found: Value = jo.good(http::Method::GET, &path, None);
        found["commit"]["id"].as_str().unwrap().parse().unwrap()
    }
}

fn main() -> BranchName {
    "main".parse().unwrap()
}

fn branch() -> BranchName {
    BRANCH.parse().unwrap()
}

fn agent() -> Identity {
    Identity::new("fleetscale", "fleetscale@example.com").unwrap()
}

fn draft(store: &Store, base: &ObjectId, text: &str) -> ObjectId {
    let changes = BTreeMap::from([("README.md".parse().unwrap(), FileChange::Replace(text.into()))]);
    let draft = Draft {
        base,
        changes: &changes,
        message: "Scale blue up",
        scope: "eu-1/blue/up",
        plan: &Digest::of_bytes(text.as_bytes()),
        observed_at: "2026-03-01T12:00:00Z".parse().unwrap(),
        author: &agent(),
    };
    store.commit(&draft).unwrap().commit
}

#[test]
fn a_proposal_goes_to_gitea_and_back_while_the_base_moves() {
    let fleet = Fleet::new("git-round");
    let mut standing: Option<ObjectId> = None;
    for round in 0..20 {
        fleet.person_writes("main", &format!("count-{round}.yaml"), "x: 1\n");
        let (store, heads) = fleet.fetched();
        assert_eq!(heads[&main()], fleet.head("main"));
        assert_eq!(heads.get(&branch()), standing.as_ref());
        assert_eq!(store.tree(&heads[&main()]).unwrap().entries.len(), round + 2);
        if let Some(head) = &standing {
            let state = store.inspect(head, &heads[&main()], &agent());
            assert!(matches!(state, BranchState::Ours(ours) if !ours.conflicts_with_base));
        }
        let next = draft(&store, &heads[&main()], &format!("round {round}\n"));
        let outcome = store.push(&fleet.ours(), &branch(), &next, standing.as_ref());
        assert!(matches!(outcome, PushOutcome::Pushed), "{outcome:?}");
        standing = Some(next);
    }
    let (store, _) = fleet.fetched();
    let outcome = store.delete(&fleet.ours(), &branch(), &standing.unwrap());
    assert!(matches!(outcome, PushOutcome::Pushed), "{outcome:?}");
    assert_eq!(fleet.fetched().1.keys().collect::<Vec<_>>(), [&main()]);
}

#[test]
fn a_persons_commit_on_gitea_is_neither_taken_for_ours_nor_overwritten() {
    let fleet = Fleet::new("git-person");
    let (store, heads) = fleet.fetched();
    let ours = draft(&store, &heads[&main()], "ours\n");
    assert!(matches!(
        store.push(&fleet.ours(), &branch(), &ours, None),
        PushOutcome::Pushed
    ));
    fleet.person_writes(BRANCH, "mine.yaml", "x: 1\n");
    let theirs = fleet.head(BRANCH);
    let next = draft(&store, &heads[&main()], "next\n");
    let outcome = store.push(&fleet.ours(), &branch(), &next, Some(&ours));
    assert!(
        matches!(&outcome, PushOutcome::LeaseLost { found: Some(found) } if *found == theirs),
        "{outcome:?}"
    );
    assert!(matches!(
        store.delete(&fleet.ours(), &branch(), &ours),
        PushOutcome::LeaseLost { .. }
    ));
    drop(store);
    let (store, heads) = fleet.fetched();
    let state = store.inspect(&heads[&branch()], &heads[&main()], &agent());
    assert!(matches!(state, BranchState::Foreign { .. }), "{state:?}");
    assert_eq!(fleet.head(BRANCH), theirs);
}

#[test]
fn a_conflict_with_the_base_is_seen_without_history() {
    let fleet = Fleet::new("git-conflict");
    let (store, heads) = fleet.fetched();
    let ours = draft(&store, &heads[&main()], "ours\n");
    assert!(matches!(
        store.push(&fleet.ours(), &branch(), &ours, None),
        PushOutcome::Pushed
    ));
    // Jo moves the base over our change.
    let jo = fleet.gitea.api(&fleet.gitea.jo);
    let path = format!("/api/v1/repos/{}/contents/README.md", fleet.name);
    let there: Value = jo.good(http::Method::GET, &path, None);
    let body = json!({ "branch": "main", "content": "bWluZQo=", "message": "By hand", "sha": there["sha"] });
    jo.good(http::Method::PUT, &path, Some(&body));
    drop(store);
    let (store, heads) = fleet.fetched();
    let state = store.inspect(&heads[&branch()], &heads[&main()], &agent());
    assert!(matches!(state, BranchState::Ours(ours) if ours.conflicts_with_base));
}

#[test]
fn branch_protection_is_a_rejection_in_the_servers_words() {
    let fleet = Fleet::new("git-protected");
    let boss = fleet.gitea.boss();
    let rule = json!({ "rule_name": "fleetscale/**", "enable_push": false });
    boss.post(&format!("/api/v1/repos/{}/branch_protections", fleet.name), &rule);
    let (store, heads) = fleet.fetched();
    let ours = draft(&store, &heads[&main()], "ours\n");
    let outcome = store.push(&fleet.ours(), &branch(), &ours, None);
    let PushOutcome::Rejected { words } = outcome else {
        panic!("{outcome:?}")
    };
    assert!(words.contains("protected branch"), "{words}");
    assert_eq!(fleet.fetched().1.keys().collect::<Vec<_>>(), [&main()]);
}

#[test]
fn refused_credentials_are_told_and_written_nowhere() {
    let canary = "canary-4711-canary-4711-canary-4711-0000";
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(Mutex::new(log.clone()))
        .finish();
    let fleet = Fleet::new("git-refused");
    let repository = format!("{}/{}.git", fleet.gitea.url(), fleet.name);
    let cache = fleet.folder.path().join("refused.git");
    let error = tracing::subscriber::with_default(subscriber, || {
        Store::fetched(&fleet.remote(canary), &cache, &main(), PREFIX)
            .err()
            .unwrap()
    });
    let words = error.in_words();
    let expected = format!(
        "listing the branches of {repository}: 401: the credentials were refused; see spec.repository.credentials"
    );
    assert!(words.starts_with(&expected), "{words}");
    assert!(!format!("{words} {error:?}").contains(canary));
    assert!(!log.text().contains(canary));

    // The right token works, and is in no file of the store either.
    let (store, heads) = fleet.fetched();
    let ours = draft(&store, &heads[&main()], "ours\n");
    assert!(matches!(
        store.push(&fleet.ours(), &branch(), &ours, None),
        PushOutcome::Pushed
    ));
    assert_nowhere(fleet.folder.path(), &[canary, &fleet.gitea.bot]);

    // A token that may only read can fetch; its push is refused, and that is certain.
    let outcome = store.push(
        &fleet.remote(&fleet.gitea.reader),
        &branch(),
        &heads[&main()],
        Some(&ours),
    );
    assert!(
        matches!(&outcome, PushOutcome::Rejected { words } if words.starts_with("403")),
        "{outcome:?}"
    );
    assert_eq!(fleet.head(BRANCH), ours);
}

#[test]
fn a_repository_that_is_not_there_is_told() {
    let fleet = Fleet::new("git-nowhere");
    let other = Fleet {
        name: format!("{}-not", fleet.name),
        ..fleet
    };
    let cache = other.folder.path().join("store.git");
    let error = Store::fetched(&other.ours(), &cache, &main(), PREFIX).err().unwrap();
    assert!(
        matches!(&error, GitError::Server { source, .. } if source.is_refusal()),
        "{error:?}"
    );
    assert!(
        error.in_words().contains("404: there is no such repository"),
        "{}",
        error.in_words()
    );
}

/// What is logged, kept.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// No file of a folder holds one of these texts.
fn assert_nowhere(folder: &Path, texts: &[&str]) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_nowhere(&path, texts);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        for text in texts {
            let found = bytes.windows(text.len()).any(|window| window == text.as_bytes());
            assert!(!found, "{}", path.display());
        }
    }
}
