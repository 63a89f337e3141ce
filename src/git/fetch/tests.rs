use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use super::*;
use crate::git::testing::{Server, World, agent, git_in, noon};
use crate::git::{BranchState, Draft, FileChange, Foreign, PushOutcome};
use crate::model::Digest;

const BRANCH: &str = "fleetscale/eu-1/blue/up";
const PREFIX: &str = "fleetscale/";

/// A remote behind a server that counts what it is asked.
struct Setup {
    world: World,
    server: Server,
    asked: Arc<Mutex<Vec<(String, usize)>>>,
}

impl Setup {
    fn new() -> Self {
        let world = World::new();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let counted = asked.clone();
        let server = Server::start(world.folder(), move |asked| {
            counted.lock().unwrap().push((asked.line.to_owned(), asked.length));
            None
        });
        Self { world, server, asked }
    }

    fn remote(&self) -> Remote {
        self.server.remote("remote.git")
    }

    fn cache(&self) -> PathBuf {
        self.world.folder().join("cache/store.git")
    }

    fn fetched(&self) -> (Store, Heads) {
        Store::fetched(&self.remote(), &self.cache(), &main(), PREFIX).unwrap()
    }

    /// The requests since the last call.
    fn requests(&self) -> Vec<(String, usize)> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    /// The base and our branches of the remote as git itself lists them.
    fn truth(&self) -> Heads {
        let listed = git_in(
            self.world.remote_path(),
            &["for-each-ref", "--format=%(refname:short) %(objectname)"],
        );
        let lines = listed.lines().filter_map(|line| line.split_once(' '));
        lines
            .filter(|(name, _)| *name == "main" || name.starts_with(PREFIX))
            .map(|(name, id)| (name.parse().unwrap(), id.parse().unwrap()))
            .collect()
    }

    fn propose(&self, store: &Store, base: &ObjectId, branch: &str, text: &str) -> ObjectId {
        let commit = draft(store, base, text);
        let expected = self.world.find(branch);
        let outcome = store.push(&self.remote(), &branch.parse().unwrap(), &commit, expected.as_ref());
        assert!(matches!(outcome, PushOutcome::Pushed), "{outcome:?}");
        commit
    }

    fn state(&self, branch: &str) -> BranchState {
        let (store, heads) = self.fetched();
        store.inspect(&heads[&branch.parse().unwrap()], &heads[&main()], &agent())
    }
}

fn main() -> BranchName {
    "main".parse().unwrap()
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

/// Whether git finds nothing wrong with a store, which includes that nothing it names is missing.
fn assert_sound(store: &Path) {
    git_in(store, &["fsck", "--connectivity-only"]);
}

#[test]
fn the_base_is_fetched_without_its_history_and_again_while_it_moves() {
    let here = Setup::new();
    for round in 0..20 {
        here.world.human("main", &[("count.yaml", &format!("x: {round}\n"))]);
        let (store, heads) = here.fetched();
        assert_eq!(heads, here.truth());
        let files = store.tree(&heads[&main()]).unwrap().entries;
        let ids: Vec<_> = files.iter().map(|entry| entry.id).collect();
        assert_eq!(
            store.with_blob(ids[1], 100, <[u8]>::to_vec).unwrap(),
            format!("x: {round}\n").into_bytes()
        );
        assert_sound(&here.cache());
    }
    let commits = git_in(&here.cache(), &["rev-list", "--all"]);
    assert_eq!(commits.lines().count(), 1, "the history is not here");
}

#[test]
fn what_has_not_moved_is_not_fetched() {
    let here = Setup::new();
    let (store, heads) = here.fetched();
    here.propose(&store, &heads[&main()], BRANCH, "x: 2\n");
    here.fetched();
    here.requests();
    here.fetched();
    let asked = here.requests();
    assert_eq!(asked.len(), 1, "{asked:?}");
}

#[test]
fn the_references_are_those_of_the_server_whatever_happens_there() {
    let here = Setup::new();
    let (store, heads) = here.fetched();
    let base = heads[&main()].clone();
    here.propose(&store, &base, BRANCH, "x: 2\n");
    here.propose(&store, &base, "fleetscale/eu-1/green/up", "x: 3\n");
    here.world.human("unrelated", &[("a", "1")]);
    assert_eq!(here.fetched().1, here.truth());
    assert_eq!(here.truth().len(), 3);

    // A branch vanishes, and another takes its name as a folder's.
    here.world.git(&["push", "-q", "origin", "--delete", BRANCH]);
    here.world.human(&format!("{BRANCH}/more"), &[("a", "1")]);
    assert_eq!(here.fetched().1, here.truth());

    // The base is rewritten.
    here.world.git(&["checkout", "-q", "--orphan", "fresh"]);
    here.world.git(&["commit", "-q", "-m", "Start again"]);
    here.world
        .git(&["push", "-q", "--force", "origin", "HEAD:refs/heads/main"]);
    assert_eq!(here.fetched().1, here.truth());
    assert_sound(&here.cache());

    // The base is put back to what it was.
    here.world
        .git(&["push", "-q", "--force", "origin", &format!("{base}:refs/heads/main")]);
    assert_eq!(here.fetched().1, here.truth());

    // A branch of ours stands where the base does, then the base moves on.
    here.world
        .git(&["push", "-q", "origin", &format!("{base}:refs/heads/{PREFIX}same")]);
    assert_eq!(here.fetched().1, here.truth());
    here.world.human("main", &[("next", "1")]);
    assert_eq!(here.fetched().1, here.truth());
    assert_sound(&here.cache());

    // The base is gone.
    git_in(
        here.world.remote_path(),
        &["config", "receive.denyDeleteCurrent", "ignore"],
    );
    here.world.git(&["push", "-q", "origin", "--delete", "main"]);
    let (_, heads) = here.fetched();
    assert_eq!(heads, here.truth());
    assert!(!heads.contains_key(&main()));
}

#[test]
fn many_branches_are_fetched_at_once() {
    let here = Setup::new();
    let (store, heads) = here.fetched();
    let base = heads[&main()].clone();
    for round in 0..3 {
        for number in 0..25 {
            let commit = draft(&store, &base, &format!("x: {round}{number}\n"));
            let branch: BranchName = format!("{PREFIX}eu-1/c{number}/up").parse().unwrap();
            let expected = here.world.find(branch.as_str());
            let outcome = store.push(&here.remote(), &branch, &commit, expected.as_ref());
            assert!(matches!(outcome, PushOutcome::Pushed), "{outcome:?}");
        }
        here.world.human("main", &[("other.yaml", &format!("{round}"))]);
        here.requests();
        let (fetched, heads) = here.fetched();
        assert_eq!(heads, here.truth());
        let posts = here.requests().len();
        assert!(posts < 12, "{posts} requests for 25 branches");
        let state = fetched.inspect(
            &heads[&format!("{PREFIX}eu-1/c7/up").parse().unwrap()],
            &heads[&main()],
            &agent(),
        );
        assert!(matches!(state, BranchState::Ours(ours) if !ours.conflicts_with_base));
    }
    assert_sound(&here.cache());
}

#[test]
fn a_branch_is_told_apart_without_history() {
    let here = Setup::new();
    let (store, heads) = here.fetched();
    let ours = here.propose(&store, &heads[&main()], BRANCH, "x: 2\n");
    let BranchState::Ours(found) = here.state(BRANCH) else {
        panic!()
    };
    assert_eq!((found.commit, found.conflicts_with_base), (ours.clone(), false));

    // The base moves, first beside our change and then over it.
    here.world.human("main", &[("other.yaml", "y: 1\n")]);
    assert!(matches!(here.state(BRANCH), BranchState::Ours(ours) if !ours.conflicts_with_base));
    here.world.human("main", &[("base.yaml", "x: 7\n")]);
    assert!(matches!(here.state(BRANCH), BranchState::Ours(ours) if ours.conflicts_with_base));

    // A person commits on it, amends it, merges the base into it.
    here.world.human(BRANCH, &[("mine.yaml", "z: 1\n")]);
    assert!(matches!(
        here.state(BRANCH),
        BranchState::Foreign {
            why: Foreign::WrittenBy { .. }
        }
    ));
    here.world.git(&["checkout", "-q", "--detach", ours.as_str()]);
    here.world.git(&["commit", "-q", "--amend", "--no-edit"]);
    here.world
        .git(&["push", "-q", "--force", "origin", &format!("HEAD:refs/heads/{BRANCH}")]);
    assert!(matches!(
        here.state(BRANCH),
        BranchState::Foreign {
            why: Foreign::WrittenBy { role: "committer", .. }
        }
    ));
    here.world.git(&["checkout", "-q", "--detach", ours.as_str()]);
    here.world
        .git(&["merge", "-q", "-s", "ours", "--no-ff", "-m", "Update", "origin/main"]);
    here.world
        .git(&["push", "-q", "--force", "origin", &format!("HEAD:refs/heads/{BRANCH}")]);
    assert!(matches!(
        here.state(BRANCH),
        BranchState::Foreign {
            why: Foreign::WrittenBy { .. }
        }
    ));

    // The base is brought forward to it.
    let (store, heads) = here.fetched();
    let next = here.propose(&store, &heads[&main()], BRANCH, "x: 9\n");
    here.world.git(&["fetch", "-q"]);
    here.world
        .git(&["push", "-q", "origin", &format!("{next}:refs/heads/main")]);
    assert!(matches!(here.state(BRANCH), BranchState::Merged { ours: Some(_) }));
}

#[test]
fn a_commit_of_ours_that_names_another_parent_is_foreign_without_history_too() {
    let here = Setup::new();
    let (store, heads) = here.fetched();
    let ours = here.propose(&store, &heads[&main()], BRANCH, "x: 2\n");
    let theirs = here.world.human("main", &[("other.yaml", "y: 1\n")]);
    here.world.git(&["fetch", "-q"]);
    let raw = here.world.git(&["cat-file", "commit", ours.as_str()]);
    let moved = raw.replacen(&format!("parent {}", heads[&main()]), &format!("parent {theirs}"), 1) + "\n";
    fs::write(here.world.clone_path().join("raw"), moved).unwrap();
    let forged = here.world.git(&["hash-object", "-t", "commit", "-w", "raw"]);
    here.world.git(&[
        "push",
        "-q",
        "--force",
        "origin",
        &format!("{forged}:refs/heads/{BRANCH}"),
    ]);
    let BranchState::Foreign { why } = here.state(BRANCH) else {
        panic!()
    };
    assert!(why.to_string().starts_with("its trailer Fleetscale-Base says"), "{why}");
}

#[test]
fn a_push_from_a_store_without_history_sends_what_is_new() {
    let here = Setup::new();
    let noise: String = (0..50_000_u32)
        .map(|n| format!("{:x}", n.wrapping_mul(2_654_435_761)))
        .collect();
    here.world.human("main", &[("noise", &noise)]);
    let (store, heads) = here.fetched();
    here.requests();
    here.propose(&store, &heads[&main()], BRANCH, "x: 2\n");
    let (_, sent) = here
        .requests()
        .into_iter()
        .find(|(line, _)| line.starts_with("POST /remote.git/git-receive-pack"))
        .unwrap();
    assert!(sent < 2_000, "{sent} bytes for one number");
    // The base moves between fetch and push: it costs its files, and works.
    here.world.human("main", &[("other.yaml", "y: 1\n")]);
    here.propose(&store, &heads[&main()], "fleetscale/eu-1/green/up", "x: 3\n");
    git_in(here.world.remote_path(), &["fsck", "--strict"]);
}

#[test]
fn a_fetch_that_was_killed_is_done_again() {
    let here = Setup::new();
    let (store, heads) = here.fetched();
    let ours = here.propose(&store, &heads[&main()], BRANCH, "x: 2\n");
    drop(store);
    here.world.human("main", &[("other.yaml", "y: 1\n")]);
    let before = fs::read(here.cache().join("shallow")).unwrap_or_default();
    let (store, _) = here.fetched();
    drop(store);
    // The pack has arrived, and neither the list of shallow commits nor a reference is written.
    fs::write(here.cache().join("shallow"), before).unwrap();
    fs::write(here.cache().join("refs/heads/main"), format!("{}\n", heads[&main()])).unwrap();
    fs::remove_file(here.cache().join("refs/heads").join(BRANCH)).unwrap();
    fs::write(here.cache().join("shallow.lock"), "").unwrap();
    fs::write(here.cache().join("refs/heads/main.lock"), "").unwrap();
    fs::write(here.cache().join("objects/pack/pack_git2_killed"), "PACK").unwrap();
    let (store, heads) = here.fetched();
    assert_eq!(heads, here.truth());
    let state = store.inspect(&ours, &heads[&main()], &agent());
    assert!(matches!(state, BranchState::Ours(_)), "{state:?}");
    assert_sound(&here.cache());
}

#[test]
fn a_store_that_lost_something_is_filled_anew() {
    let everything: fn(&Path) = |packs| {
        fs::remove_dir_all(packs).unwrap();
        fs::create_dir(packs).unwrap();
    };
    let newest: fn(&Path) = |packs| {
        let mut files: Vec<PathBuf> = fs::read_dir(packs)
            .unwrap()
            .flatten()
            .map(|entry| entry.path())
            .collect();
        files.sort_by_key(|file| fs::metadata(file).unwrap().modified().unwrap());
        fs::remove_file(files.pop().unwrap()).unwrap();
    };
    let contents: fn(&Path) = |packs| {
        for entry in fs::read_dir(packs).unwrap().flatten() {
            let length = fs::metadata(entry.path()).unwrap().len();
            let mut permissions = fs::metadata(entry.path()).unwrap().permissions();
            std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o644);
            fs::set_permissions(entry.path(), permissions).unwrap();
            fs::write(entry.path(), vec![0; length as usize]).unwrap();
        }
    };
    for damage in [everything, newest, contents] {
        let here = Setup::new();
        let (store, heads) = here.fetched();
        here.propose(&store, &heads[&main()], BRANCH, "x: 2\n");
        here.world.human("main", &[("other.yaml", "y: 1\n")]);
        drop(store);
        drop(here.fetched());
        damage(&here.cache().join("objects/pack"));
        let (store, heads) = here.fetched();
        assert_eq!(heads, here.truth());
        assert_eq!(store.tree(&heads[&main()]).unwrap().entries.len(), 2);
        assert_sound(&here.cache());
    }
}

#[test]
fn a_server_that_fails_does_not_cost_the_store() {
    let here = Setup::new();
    drop(here.fetched());
    let broken = Server::start(here.world.folder(), |_| {
        Some("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned())
    });
    let error = Store::fetched(&broken.remote("remote.git"), &here.cache(), &main(), PREFIX)
        .err()
        .unwrap();
    let url = broken.url("remote.git");
    assert_eq!(
        error.in_words(),
        format!("listing the branches of {url}: the server answered 502")
    );
    assert!(!cache::is_spoiled(&here.cache()));
}

#[test]
fn two_processes_share_a_store() {
    let here = Setup::new();
    let (first, _) = here.fetched();
    here.world.human("main", &[("other.yaml", "y: 1\n")]);
    let (second, heads) = here.fetched();
    here.propose(&first, &heads[&main()], BRANCH, "x: 2\n");
    here.propose(&second, &heads[&main()], "fleetscale/eu-1/green/up", "x: 3\n");
    assert_eq!(first.fetch(&here.remote(), &main(), PREFIX).unwrap(), here.truth());
    assert_eq!(second.fetch(&here.remote(), &main(), PREFIX).unwrap(), here.truth());
}
