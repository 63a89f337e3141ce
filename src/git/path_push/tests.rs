use super::*;
use crate::git::testing::{World, git_in};

fn oid_of(id: &ObjectId) -> Oid {
    oid(id).unwrap()
}

fn branch() -> BranchName {
    "fleetscale/x/up".parse().unwrap()
}

/// A person moves the branch after the first look and before the lock; packed or loose makes no difference.
#[test]
fn under_the_lock_the_branch_is_compared_again() {
    for packed in [false, true] {
        let world = World::new();
        let main = oid_of(&world.head("main"));
        let theirs = world.human("fleetscale/x/up", &[("mine", "1")]);
        if packed {
            git_in(world.remote_path(), &["pack-refs", "--all"]);
        }
        let repo = Repository::open(world.remote_path()).unwrap();
        let name = "refs/heads/fleetscale/x/up";
        for (to, expected) in [(Some(main), None), (Some(main), Some(main)), (None, Some(main))] {
            let outcome = under_lock(&repo, name, to, expected).unwrap();
            assert!(matches!(outcome, PushOutcome::LeaseLost { found: Some(found) } if found == theirs));
            assert_eq!(world.head("fleetscale/x/up"), theirs);
        }
        let outcome = under_lock(&repo, name, None, Some(oid_of(&theirs))).unwrap();
        assert!(matches!(outcome, PushOutcome::Pushed));
        assert_eq!(world.find("fleetscale/x/up"), None);
        let outcome = under_lock(&repo, name, Some(main), Some(main)).unwrap();
        assert!(matches!(outcome, PushOutcome::LeaseLost { found: None }));
    }
}

#[test]
fn the_lock_is_the_one_of_git() {
    let world = World::new();
    let main = oid_of(&world.head("main"));
    world.human("fleetscale/x/up", &[("mine", "1")]);
    let lock = world.remote_path().join("refs/heads/fleetscale/x/up.lock");
    std::fs::write(&lock, "").unwrap();
    let repo = Repository::open(world.remote_path()).unwrap();
    let outcome = under_lock(&repo, "refs/heads/fleetscale/x/up", Some(main), None).unwrap();
    assert!(matches!(outcome, PushOutcome::Rejected { words } if words.contains("locked by another process")));
    assert!(lock.exists());
}

#[test]
fn a_repository_with_a_work_tree_is_refused() {
    let world = World::new();
    let store = Store::open(world.clone_path()).unwrap();
    let refused = move_branch(&store, world.clone_path(), &branch(), Some(&world.head("main")), None);
    assert!(matches!(refused, Ok(PushOutcome::Rejected { words }) if words.contains("has a work tree")));
    assert_eq!(world.git(&["branch", "--list", "fleetscale/*"]), "");
}

#[test]
fn a_branch_that_is_a_folder_of_branches_is_refused_even_if_packed() {
    for taken in ["fleetscale/x", "fleetscale/x/up/more"] {
        let world = World::new();
        world.human(taken, &[("mine", "1")]);
        git_in(world.remote_path(), &["pack-refs", "--all"]);
        let store = Store::open(world.remote_path()).unwrap();
        let refused = move_branch(&store, world.remote_path(), &branch(), Some(&world.head("main")), None);
        assert!(
            matches!(refused, Ok(PushOutcome::Rejected { words }) if words.contains("is in the way")),
            "{taken}"
        );
        git_in(world.remote_path(), &["fsck", "--strict"]);
    }
}

#[test]
fn a_commit_whose_parent_is_not_there_is_not_delivered() {
    let world = World::new();
    let elsewhere = World::new();
    elsewhere.human("main", &[("other", "1")]);
    let lonely = elsewhere.human("main", &[("other", "2")]);
    let store = Store::open(elsewhere.remote_path()).unwrap();
    let refused = move_branch(&store, world.remote_path(), &branch(), Some(&lonely), None);
    assert!(refused.unwrap_err().in_words().contains("is not there"));
    assert_eq!(world.find("fleetscale/x/up"), None);
}

/// A commit with this many changed files is pushed by path; returns how many files and packs the repository has more.
fn grown_by(files: usize) -> (usize, usize) {
    let world = World::new();
    let names: Vec<String> = (0..files)
        .map(|number| format!("folder-{}/{number}", number % 7))
        .collect();
    let contents: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), name.as_str())).collect();
    let elsewhere = world.folder().join("elsewhere.git");
    git_in(
        world.folder(),
        &["clone", "-q", "--bare", "remote.git", "elsewhere.git"],
    );
    let work = world.human("fleetscale/x/up", &contents);
    let store = Store::open(world.remote_path()).unwrap();
    let objects = || {
        let count = git_in(&elsewhere, &["count-objects", "-v"]);
        let of = |key: &str| {
            let line = count.lines().find_map(|line| line.strip_prefix(key));
            line.unwrap().trim().parse::<usize>().unwrap()
        };
        (of("count:"), of("packs:"))
    };
    let before = objects();
    let pushed = move_branch(&store, &elsewhere, &branch(), Some(&work), None);
    assert!(matches!(pushed, Ok(PushOutcome::Pushed)), "{pushed:?}");
    git_in(&elsewhere, &["fsck", "--strict", "--full"]);
    assert_eq!(
        git_in(&elsewhere, &["rev-parse", "refs/heads/fleetscale/x/up"]),
        work.as_str()
    );
    let after = objects();
    (after.0 - before.0, after.1 - before.1)
}

#[test]
fn many_objects_arrive_as_one_pack_and_few_as_files() {
    // Seven folders, the root and the commit come on top.
    assert_eq!(grown_by(90), (99, 0));
    assert_eq!(grown_by(91), (0, 1));
}
