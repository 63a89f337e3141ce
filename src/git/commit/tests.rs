use super::*;
use crate::git::testing::{World, agent, git_in, noon};

fn path(text: &str) -> RepoPath {
    text.parse().unwrap()
}

fn changes(list: &[(&str, FileChange)]) -> BTreeMap<RepoPath, FileChange> {
    list.iter().map(|(name, change)| (path(name), change.clone())).collect()
}

fn replace(text: &str) -> FileChange {
    FileChange::Replace(text.as_bytes().to_vec())
}

fn create(text: &str) -> FileChange {
    FileChange::Create(text.as_bytes().to_vec())
}

fn moved(from: &str, text: &str) -> FileChange {
    FileChange::Move {
        from: path(from),
        bytes: text.as_bytes().to_vec(),
    }
}

fn draft(store: &Store, base: &ObjectId, list: &[(&str, FileChange)]) -> Result<Drafted, DraftError> {
    store.commit(&Draft {
        base,
        changes: &changes(list),
        message: "eu-1: blue up\n\nmd-0 3 -> 5\n",
        scope: "eu-1/blue/up",
        plan: &Digest::of_bytes(b"plan"),
        observed_at: noon(),
        author: &agent(),
    })
}

/// A remote with one file of each kind on main.
fn world() -> (World, ObjectId) {
    let world = World::new();
    world.human(
        "main",
        &[("a/one.yaml", "1\n"), ("a/two.yaml", "2\n"), ("run.sh", "x\n")],
    );
    std::os::unix::fs::symlink("a", world.clone_path().join("link")).unwrap();
    world.git(&["add", "link"]);
    world.git(&["update-index", "--chmod=+x", "run.sh"]);
    world.git(&[
        "update-index",
        "--add",
        "--cacheinfo",
        &format!("160000,{},sub", "1".repeat(40)),
    ]);
    world.git(&["commit", "-qm", "kinds"]);
    world.git(&["push", "-q", "origin", "HEAD:main"]);
    let main = world.head("main");
    (world, main)
}

#[test]
fn a_commit_changes_the_planned_files_and_keeps_their_modes() {
    let (world, main) = world();
    let store = Store::open(world.remote_path()).unwrap();
    let list = [
        ("a/one.yaml", replace("10\n")),
        ("run.sh", replace("y\n")),
        ("new/deep/three.yaml", create("3\n")),
        ("b/two.yaml", moved("a/two.yaml", "2\nmore\n")),
    ];
    let Drafted { commit, tree } = draft(&store, &main, &list).unwrap();

    let branch = "fleetscale/eu-1/blue/up".parse().unwrap();
    let remote = crate::git::Remote::Path(world.remote_path().to_owned());
    assert!(matches!(
        store.push(&remote, &branch, &commit, None),
        crate::git::PushOutcome::Pushed
    ));
    let git = |args: &[&str]| git_in(world.remote_path(), args);
    git(&["fsck", "--strict"]);
    assert_eq!(git(&["rev-parse", &format!("{commit}^{{tree}}")]), tree.to_string());
    assert_eq!(
        git(&[
            "diff",
            "--no-renames",
            "--summary",
            "--name-status",
            main.as_str(),
            commit.as_str()
        ]),
        "M\ta/one.yaml\nD\ta/two.yaml\nA\tb/two.yaml\nA\tnew/deep/three.yaml\nM\trun.sh"
    );
    assert_eq!(
        git(&["ls-tree", commit.as_str(), "run.sh"]).split(' ').next(),
        Some("100755")
    );
    assert_eq!(git(&["cat-file", "blob", &format!("{commit}:b/two.yaml")]), "2\nmore");
    let message = git(&["log", "-1", "--format=%an <%ae> %cn <%ce> %aI %cI%n%B", commit.as_str()]);
    assert_eq!(
        message,
        format!(
            "fleetscale <fleetscale@example.com> fleetscale <fleetscale@example.com> \
             2026-03-01T12:00:00+00:00 2026-03-01T12:00:00+00:00\n\
             eu-1: blue up\n\nmd-0 3 -> 5\n\n\
             Fleetscale-Scope: eu-1/blue/up\nFleetscale-Plan: {}\nFleetscale-Base: {main}\n\
             Fleetscale-Tree: {tree}\nFleetscale-Observed-At: 2026-03-01T12:00:00Z",
            Digest::of_bytes(b"plan")
        )
    );
    assert_eq!(git(&["interpret-trailers", "--parse", "/dev/null"]), "");
}

#[test]
fn equal_drafts_give_equal_commits_and_write_nothing() {
    let (world, main) = world();
    let list = [("a/one.yaml", replace("10\n"))];
    let one = draft(&Store::open(world.remote_path()).unwrap(), &main, &list).unwrap();
    let two = draft(&Store::open(world.remote_path()).unwrap(), &main, &list).unwrap();
    assert_eq!(one, two);
    let there = Store::open(world.remote_path()).unwrap().resolve(one.commit.as_str());
    assert!(matches!(there, Err(GitError::NotFound { .. })));
}

#[test]
fn git_reads_our_last_paragraph_as_trailers() {
    let (world, main) = world();
    let store = Store::open(world.remote_path()).unwrap();
    let Drafted { commit, .. } = draft(&store, &main, &[("a/one.yaml", replace("10\n"))]).unwrap();
    let message = store.commit_object(&commit).unwrap().message().unwrap().to_owned();
    let file = world.folder().join("message");
    std::fs::write(&file, message).unwrap();
    let read = git_in(world.folder(), &["interpret-trailers", "--parse", "message"]);
    assert_eq!(read.lines().count(), 5);
}

#[test]
fn moving_the_last_file_of_a_folder_leaves_no_empty_folder() {
    let (world, main) = world();
    let store = Store::open(world.remote_path()).unwrap();
    let list = [
        ("b/one.yaml", moved("a/one.yaml", "1\n")),
        ("b/two.yaml", moved("a/two.yaml", "2\n")),
    ];
    let Drafted { commit, .. } = draft(&store, &main, &list).unwrap();
    let listing = store.tree(&commit).unwrap();
    let paths: Vec<&str> = listing.entries.iter().map(|entry| entry.path.as_str()).collect();
    assert_eq!(
        paths,
        ["b/one.yaml", "b/two.yaml", "base.yaml", "link", "run.sh", "sub"]
    );
}

#[test]
fn what_can_not_be_changed_is_refused_by_name() {
    let (world, main) = world();
    let store = Store::open(world.remote_path()).unwrap();
    let refused = |list: &[(&str, FileChange)]| draft(&store, &main, list).unwrap_err().to_string();
    let table: [(&[(&str, FileChange)], &str); 15] = [
        (
            &[("a/none.yaml", replace("x"))],
            "changing a/none.yaml: the base has no such file",
        ),
        (
            &[("none/b.yaml", replace("x"))],
            "changing none/b.yaml: the base has no such file",
        ),
        (
            &[("a/one.yaml", replace("1\n"))],
            "changing a/one.yaml: the new bytes are the old ones",
        ),
        (
            &[("a/one.yaml", create("x"))],
            "creating a/one.yaml: the base has it already",
        ),
        (
            &[("a/two.yaml", moved("a/one.yaml", "1\n"))],
            "creating a/two.yaml: the base has it already",
        ),
        (
            &[("a/x.yaml", moved("a/none.yaml", "1\n"))],
            "changing a/none.yaml: the base has no such file",
        ),
        (&[("a", replace("x"))], "changing a: it is a folder, not a plain file"),
        (
            &[("link", replace("x"))],
            "changing link: it is a symbolic link, not a plain file",
        ),
        (
            &[("sub", replace("x"))],
            "changing sub: it is a submodule, not a plain file",
        ),
        (
            &[("link/one.yaml", replace("x"))],
            "changing link/one.yaml: link is a symbolic link, not a folder",
        ),
        (
            &[("sub/x.yaml", create("x"))],
            "changing sub/x.yaml: sub is a submodule, not a folder",
        ),
        (
            &[("run.sh/x.yaml", create("x"))],
            "changing run.sh/x.yaml: run.sh is a file, not a folder",
        ),
        (
            &[("new", create("x")), ("new/x", create("x"))],
            "changing new/x: new is planned too, and they exclude each other",
        ),
        (
            &[("x", moved("a/one.yaml", "1\n")), ("y", moved("a/one.yaml", "1\n"))],
            "changing a/one.yaml: a/one.yaml is planned too, and they exclude each other",
        ),
        (
            &[("x", moved("a/one.yaml", "1\n")), ("a/one.yaml", replace("5\n"))],
            "changing a/one.yaml: a/one.yaml is planned too, and they exclude each other",
        ),
    ];
    for (list, words) in table {
        assert_eq!(refused(list), words);
    }
    assert!(matches!(draft(&store, &main, &[]), Err(DraftError::Empty { .. })));
}

#[test]
fn the_proof_finds_a_path_that_nobody_planned() {
    let (world, main) = world();
    let store = Store::open(world.remote_path()).unwrap();
    let list = [("a/one.yaml", replace("10\n")), ("a/two.yaml", replace("20\n"))];
    let Drafted { tree, .. } = draft(&store, &main, &list).unwrap();
    let before = store.commit_object(&main).unwrap().tree().unwrap();
    let after = store.folder(crate::git::store::oid(&tree).unwrap()).unwrap();
    let planned = store.planned(&main, &before, &changes(&list[..1])).unwrap();
    let error = store.prove(&main, &before, &after, &planned).unwrap_err();
    assert!(matches!(error, DraftError::Unplanned { found, .. } if found.len() == 2));
}

#[test]
fn a_message_with_control_characters_or_none_is_refused() {
    let (world, main) = world();
    let store = Store::open(world.remote_path()).unwrap();
    for (message, scope) in [
        ("", "s"),
        (" \n", "s"),
        ("a\0b", "s"),
        ("a\u{1b}[31m", "s"),
        ("fine", "a\nb"),
        ("fine", ""),
    ] {
        let refused = store.commit(&Draft {
            base: &main,
            changes: &changes(&[("a/one.yaml", replace("10\n"))]),
            message,
            scope,
            plan: &Digest::of_bytes(b"plan"),
            observed_at: noon(),
            author: &agent(),
        });
        assert!(
            matches!(refused, Err(DraftError::Message { .. })),
            "{message:?} {scope:?}"
        );
    }
}
