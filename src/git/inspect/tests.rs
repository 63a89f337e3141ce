use std::collections::BTreeMap;

use super::*;
use crate::git::testing::{World, agent, noon};
use crate::git::{Draft, FileChange, PushOutcome, Remote};
use crate::model::{BranchName, Digest};

const BRANCH: &str = "fleetscale/eu-1/blue/up";

/// A remote on whose branch stands one commit of ours.
struct Proposal {
    world: World,
    commit: ObjectId,
}

fn push_proposal(world: &World, text: &str) -> ObjectId {
    let store = Store::open(world.remote_path()).unwrap();
    let changes = BTreeMap::from([("base.yaml".parse().unwrap(), FileChange::Replace(text.into()))]);
    let draft = Draft {
        base: &world.head("main"),
        changes: &changes,
        message: "Scale blue up",
        scope: "eu-1/blue/up",
        plan: &Digest::of_bytes(text.as_bytes()),
        observed_at: noon(),
        author: &agent(),
    };
    let commit = store.commit(&draft).unwrap().commit;
    let remote = Remote::Path(world.remote_path().to_owned());
    let branch: BranchName = BRANCH.parse().unwrap();
    let pushed = store.push(&remote, &branch, &commit, world.find(BRANCH).as_ref());
    assert!(matches!(pushed, PushOutcome::Pushed), "{pushed:?}");
    commit
}

fn proposal() -> Proposal {
    let world = World::new();
    let commit = push_proposal(&world, "x: 2\n");
    world.git(&["fetch", "-q"]);
    world.git(&["checkout", "-q", BRANCH]);
    Proposal { world, commit }
}

fn state(world: &World) -> BranchState {
    let store = Store::open(world.remote_path()).unwrap();
    store.inspect(&world.head(BRANCH), &world.head("main"), &agent())
}

fn foreign(world: &World) -> String {
    match state(world) {
        BranchState::Foreign { why } => why.to_string(),
        other => panic!("{other:?}"),
    }
}

impl Proposal {
    /// A person works on the branch with these git commands and pushes it by force.
    fn edited(&self, commands: &[&[&str]]) -> &World {
        for command in commands {
            self.world.git(command);
        }
        self.world
            .git(&["push", "-q", "--force", "origin", &format!("HEAD:refs/heads/{BRANCH}")]);
        &self.world
    }

    /// Commits again what the index holds, as if the agent had, but for the given changes of the environment.
    fn forged(&self, set: &[(&str, &str)]) -> &World {
        let message = self.world.git(&["log", "-1", "--format=%B"]);
        std::fs::write(self.world.folder().join("message"), message + "\n").unwrap();
        let mut environment = BTreeMap::from([
            ("GIT_AUTHOR_NAME", "fleetscale"),
            ("GIT_AUTHOR_EMAIL", "fleetscale@example.com"),
            ("GIT_AUTHOR_DATE", "2026-03-01T12:00:00Z"),
            ("GIT_COMMITTER_NAME", "fleetscale"),
            ("GIT_COMMITTER_EMAIL", "fleetscale@example.com"),
            ("GIT_COMMITTER_DATE", "2026-03-01T12:00:00Z"),
        ]);
        environment.extend(set.iter().copied());
        let status = std::process::Command::new("git")
            .args(["commit", "-q", "--amend", "--reset-author", "-F", "../message"])
            .current_dir(self.world.clone_path())
            .envs(environment)
            .status()
            .unwrap();
        assert!(status.success());
        self.edited(&[])
    }
}

#[test]
fn a_commit_that_nobody_touched_is_ours() {
    let proposal = proposal();
    let BranchState::Ours(ours) = state(&proposal.world) else {
        panic!("{:?}", state(&proposal.world));
    };
    assert_eq!(ours.commit, proposal.commit);
    assert_eq!(ours.trailers.scope, "eu-1/blue/up");
    assert_eq!(ours.trailers.plan, Digest::of_bytes(b"x: 2\n"));
    assert!(!ours.conflicts_with_base);
}

#[test]
fn an_amend_that_is_byte_for_byte_ours_is_ours() {
    let proposal = proposal();
    assert!(matches!(state(proposal.forged(&[])), BranchState::Ours(ours) if ours.commit == proposal.commit));
}

#[test]
fn a_moved_base_conflicts_only_where_it_touches_the_same_lines() {
    let proposal = proposal();
    proposal.world.human("main", &[("other.yaml", "y: 1\n")]);
    assert!(matches!(state(&proposal.world), BranchState::Ours(ours) if !ours.conflicts_with_base));
    proposal.world.human("main", &[("base.yaml", "x: 7\n")]);
    assert!(matches!(state(&proposal.world), BranchState::Ours(ours) if ours.conflicts_with_base));
}

#[test]
fn a_branch_that_the_base_contains_is_merged() {
    let Proposal { world, .. } = proposal();
    world.git(&["checkout", "-q", "main"]);
    world.git(&["merge", "-q", "--no-ff", BRANCH, "-m", "Merge"]);
    world.git(&["push", "-q", "origin", "main"]);
    let BranchState::Merged { ours: Some(trailers) } = state(&world) else {
        panic!("{:?}", state(&world));
    };
    assert_eq!(trailers.scope, "eu-1/blue/up");
}

#[test]
fn a_branch_that_a_person_put_on_the_base_is_merged_but_not_ours() {
    let world = World::new();
    world.git(&["push", "-q", "origin", &format!("main:refs/heads/{BRANCH}")]);
    assert_eq!(state(&world), BranchState::Merged { ours: None });
}

#[test]
fn a_commit_on_top_is_foreign() {
    let proposal = proposal();
    let edited = proposal.edited(&[&["commit", "-q", "--allow-empty", "-m", "Mine"]]);
    assert!(foreign(edited).ends_with("on it has the author A Human"));
}

#[test]
fn an_amend_is_foreign() {
    let proposal = proposal();
    let edited = proposal.edited(&[&["commit", "-q", "--amend", "--no-edit"]]);
    assert!(foreign(edited).ends_with("on it has the committer A Human"));
}

#[test]
fn an_amend_under_our_name_at_another_time_is_foreign() {
    let proposal = proposal();
    let world = proposal.forged(&[("GIT_COMMITTER_DATE", "2026-03-01T12:00:01Z")]);
    assert!(foreign(world).contains("Fleetscale-Observed-At says 1772366400 UTC+0, but the commit has 1772366401"));
}

#[test]
fn an_amend_under_our_name_with_another_content_is_foreign() {
    let proposal = proposal();
    std::fs::write(proposal.world.clone_path().join("base.yaml"), "x: 99\n").unwrap();
    proposal.world.git(&["add", "-A"]);
    assert!(foreign(proposal.forged(&[])).contains("its trailer Fleetscale-Tree says"));
}

#[test]
fn a_rebase_is_foreign() {
    let proposal = proposal();
    proposal.world.human("main", &[("other.yaml", "y: 1\n")]);
    proposal
        .world
        .git(&["checkout", "-q", "-B", "mine", &format!("origin/{BRANCH}")]);
    let edited = proposal.edited(&[&["rebase", "-q", "origin/main"]]);
    assert!(foreign(edited).ends_with("on it has the committer A Human"));
}

#[test]
fn a_merge_of_the_base_into_the_branch_is_foreign() {
    let proposal = proposal();
    proposal.world.human("main", &[("other.yaml", "y: 1\n")]);
    proposal
        .world
        .git(&["checkout", "-q", "-B", "mine", &format!("origin/{BRANCH}")]);
    let edited = proposal.edited(&[&["merge", "-q", "--no-ff", "-m", "Update", "origin/main"]]);
    assert!(foreign(edited).ends_with("on it has the author A Human"));
}

#[test]
fn a_base_that_was_rewritten_makes_the_branch_foreign() {
    let proposal = proposal();
    proposal.world.git(&["checkout", "-q", "--orphan", "fresh"]);
    proposal.world.git(&["commit", "-q", "-m", "Start again"]);
    proposal
        .world
        .git(&["push", "-q", "--force", "origin", "HEAD:refs/heads/main"]);
    assert!(foreign(&proposal.world).ends_with("on it has the author A Human"));
}

#[test]
fn a_commit_that_is_not_here_is_foreign_and_not_an_error() {
    let world = World::new();
    let store = Store::open(world.remote_path()).unwrap();
    let nowhere: ObjectId = "1".repeat(40).parse().unwrap();
    let state = store.inspect(&nowhere, &world.head("main"), &agent());
    assert!(matches!(
        state,
        BranchState::Foreign {
            why: Foreign::Unreadable { .. }
        }
    ));
}
