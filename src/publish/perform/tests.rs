mod faults;

use std::cell::RefCell;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::super::testing::{BRANCH, branch, change, measured, plan, proposal};
use super::super::{desired, ledger, reconcile};
use super::*;
use crate::forge::LocalForge;
use crate::git::testing::{Server, World, agent};
use crate::model::{ProposedChange, PullRequestState, Standing};

/// A remote and a forge, and what is wanted of them.
struct Stage {
    world: World,
    remote: Remote,
    forge: LocalForge,
    _server: Option<Server>,
}

/// What one run wants.
#[derive(Clone, Copy)]
enum Wish {
    /// `base.yaml` with this number.
    Propose(i64),
    /// Nothing any more.
    Withdraw,
}

impl Stage {
    fn new() -> Self {
        let world = World::new();
        let forge = LocalForge::new(world.folder().join("pulls"));
        Self {
            remote: Remote::Path(world.remote_path().to_owned()),
            world,
            forge,
            _server: None,
        }
    }

    /// The same with a server between us and the remote.
    fn over_http() -> Self {
        let stage = Self::new();
        let server = Server::start(stage.world.folder(), |_| None);
        Self {
            remote: server.remote("remote.git"),
            _server: Some(server),
            ..stage
        }
    }

    /// One whole run over a forge that may be a faulty one.
    fn run_over<F: Forge>(&self, forge: &F, wish: Wish, watch: &mut Watch<'_>) -> Vec<Outcome> {
        let proposals = match wish {
            Wish::Propose(to) => vec![proposal(vec![change("md-0", 1, to)])],
            Wish::Withdraw => Vec::new(),
        };
        let files = proposals
            .iter()
            .map(|proposal| (proposal.branch.clone(), files(&proposal.changes)))
            .collect();
        self.carry_out(forge, proposals, &files, watch)
    }

    fn carry_out<F: Forge>(
        &self,
        forge: &F,
        proposals: Vec<Proposal>,
        files: &BTreeMap<BranchName, BTreeMap<RepoPath, FileChange>>,
        watch: &mut Watch<'_>,
    ) -> Vec<Outcome> {
        let store = Store::of(&self.remote, &self.world.folder().join("cache.git")).unwrap();
        let remote = &self.remote;
        let (agent, main) = (agent(), "main".parse().unwrap());
        block_on(async {
            let (ledger, base) = ledger(&store, remote, &main, &agent, &self.forge).await.unwrap();
            let nothing_wanted = proposals.is_empty();
            let mut plan = plan(base, proposals);
            let standing = |number| Standing {
                number,
                branch: branch(),
                keep: false,
                reasons: Vec::new(),
            };
            if nothing_wanted {
                plan.standing = ledger.open().map(|open| standing(open.number)).collect();
            }
            let actions = reconcile(&desired(&plan), &ledger, &main, plan.now);
            let publication = Publication {
                plan: &plan,
                ledger: &ledger,
                files,
                store: &store,
                remote,
                forge,
                agent: &agent,
            };
            perform(&publication, &actions, watch).await
        })
    }

    fn run(&self, wish: Wish) -> Vec<Outcome> {
        self.run_over(&self.forge, wish, &mut |_, _| ControlFlow::Continue(()))
    }

    /// A run that is killed at a moment.
    fn killed(&self, wish: Wish, at: Moment) -> Vec<Outcome> {
        self.run_over(&self.forge, wish, &mut |_, moment| {
            if moment == at {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })
    }

    fn requests(&self) -> Vec<ForgePullRequest> {
        block_on(self.forge.list("")).unwrap()
    }

    fn open(&self) -> usize {
        let open = |request: &&ForgePullRequest| request.state == PullRequestState::Open;
        self.requests().iter().filter(open).count()
    }

    /// Everything that a person can see of the remote and the forge.
    fn picture(&self) -> String {
        let refs = crate::git::testing::git_in(self.world.remote_path(), &["for-each-ref"]);
        format!("{refs}\n{:?}", self.requests())
    }
}

fn files(changes: &[ProposedChange]) -> BTreeMap<RepoPath, FileChange> {
    let text: String = changes
        .iter()
        .map(|change| format!("x: {}\n", change.action.values().1))
        .collect();
    BTreeMap::from([("base.yaml".parse().unwrap(), FileChange::Replace(text.into_bytes()))])
}

/// Runs a future to its end. The local forge never waits, and tests run one run inside another, which a runtime would not allow.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("a local forge never waits"),
    }
}

fn words(outcomes: &[Outcome]) -> Vec<&str> {
    outcomes.iter().map(|outcome| outcome.done.word()).collect()
}

fn failure(outcomes: &[Outcome]) -> &str {
    match outcomes {
        [
            Outcome {
                done: Done::Failed { why },
                ..
            },
        ] => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_first_run_creates_and_ten_more_change_nothing() {
    let stage = Stage::new();
    let created = stage.run(Wish::Propose(5));
    let location = stage.world.folder().join("pulls/0001").display().to_string();
    assert_eq!(
        created,
        [Outcome {
            branch: branch(),
            number: Some(1),
            location: Some(location),
            done: Done::Created,
        }]
    );
    let picture = stage.picture();
    for _ in 0..10 {
        assert_eq!(words(&stage.run(Wish::Propose(5))), ["unchanged"]);
        assert_eq!(stage.picture(), picture);
    }
    // Nor do ten whose figures alone have moved.
    for jitter in 1..=10 {
        let proposal = proposal(vec![measured("md-0", 1, 5, 0.95 + 0.001 * f64::from(jitter))]);
        let files = BTreeMap::from([(branch(), files(&proposal.changes))]);
        let outcomes = stage.carry_out(&stage.forge, vec![proposal], &files, &mut |_, _| {
            ControlFlow::Continue(())
        });
        assert_eq!(words(&outcomes), ["unchanged"]);
        assert_eq!(stage.picture(), picture);
    }
}

#[test]
fn over_a_server_it_is_the_same() {
    let stage = Stage::over_http();
    for (wish, word) in [
        (Wish::Propose(5), "created"),
        (Wish::Propose(5), "unchanged"),
        (Wish::Propose(6), "updated"),
        (Wish::Withdraw, "closed"),
        (Wish::Propose(6), "created"),
    ] {
        assert_eq!(words(&stage.run(wish)), [word]);
    }
    let theirs = stage.world.human(BRANCH, &[("mine.yaml", "1")]);
    assert_eq!(words(&stage.run(Wish::Propose(7))), ["hands off"]);
    assert_eq!((stage.world.head(BRANCH), stage.open()), (theirs, 1));
}

/// A second agent runs from beginning to end at each moment of the first one's run.
#[test]
fn two_agents_at_once_make_one_pull_request() {
    for moment in MOMENTS {
        for theirs in [Wish::Propose(5), Wish::Propose(6)] {
            let stage = Stage::new();
            let outcomes = stage.run_over(&stage.forge, Wish::Propose(5), &mut |_, reached| {
                if reached == moment {
                    let words_of_theirs = stage.run(theirs);
                    assert!(!words(&words_of_theirs).contains(&"failed"), "{words_of_theirs:?}");
                }
                ControlFlow::Continue(())
            });
            assert_eq!(
                (stage.requests().len(), stage.open()),
                (1, 1),
                "{moment:?}: {outcomes:?}"
            );
            // Whoever was last, the next run makes branch and words agree again.
            stage.run(Wish::Propose(5));
            assert_eq!(words(&stage.run(Wish::Propose(5))), ["unchanged"], "{moment:?}");
            assert_eq!(stage.requests()[0].title, "[P1] eu-1: shard-a/blue up: md-0 1 -> 5");
        }
    }
}

#[test]
fn another_proposal_updates_branch_and_pull_request_in_place() {
    let stage = Stage::new();
    stage.run(Wish::Propose(5));
    let before = stage.world.head(BRANCH);
    assert_eq!(words(&stage.run(Wish::Propose(6))), ["updated"]);
    assert_ne!(stage.world.head(BRANCH), before);
    assert_eq!(stage.requests()[0].title, "[P1] eu-1: shard-a/blue up: md-0 1 -> 6");
    assert_eq!(stage.requests().len(), 1);
    assert_eq!(words(&stage.run(Wish::Propose(6))), ["unchanged"]);
}

const MOMENTS: [Moment; 7] = [
    Moment::Begin,
    Moment::BeforePush,
    Moment::AfterPush,
    Moment::BeforePullRequest,
    Moment::AfterPullRequest,
    Moment::BeforeClose,
    Moment::BeforeDelete,
];

/// A run that is killed at any moment and then run again ends where an undisturbed one does, with one pull request for the branch.
#[test]
fn a_killed_run_loses_nothing_and_doubles_nothing() {
    for killed_in in [Wish::Propose(5), Wish::Propose(6), Wish::Withdraw] {
        for moment in MOMENTS {
            let (disturbed, undisturbed) = (Stage::new(), Stage::new());
            if !matches!(killed_in, Wish::Propose(5)) {
                disturbed.run(Wish::Propose(5));
                undisturbed.run(Wish::Propose(5));
            }
            disturbed.killed(killed_in, moment);
            let again = disturbed.run(killed_in);
            assert!(!words(&again).contains(&"failed"), "{moment:?}: {again:?}");
            undisturbed.run(killed_in);

            let expected = if matches!(killed_in, Wish::Withdraw) { 0 } else { 1 };
            assert_eq!(
                (disturbed.requests().len(), disturbed.open()),
                (1, expected),
                "{moment:?}"
            );
            let text = |stage: &Stage| {
                let [request] = &stage.requests()[..] else {
                    unreachable!()
                };
                (
                    request.title.clone(),
                    request.body.clone(),
                    request.labels.clone(),
                    request.state,
                )
            };
            assert_eq!(text(&disturbed), text(&undisturbed), "{moment:?}");
            // A kill between closing and deleting leaves the branch: nobody knows any more that it was to go.
            if moment != Moment::BeforeDelete {
                assert_eq!(
                    disturbed.world.find(BRANCH),
                    undisturbed.world.find(BRANCH),
                    "{moment:?}"
                );
            }
        }
    }
}

#[test]
fn a_run_killed_between_push_and_pull_request_is_adopted() {
    let stage = Stage::new();
    assert_eq!(words(&stage.killed(Wish::Propose(5), Moment::AfterPush)), ["stopped"]);
    let pushed = stage.world.head(BRANCH);
    assert_eq!(stage.requests(), []);
    assert_eq!(words(&stage.run(Wish::Propose(5))), ["adopted"]);
    assert_eq!((stage.world.head(BRANCH), stage.open()), (pushed, 1));
}

#[test]
fn a_person_who_pushes_in_the_middle_of_a_run_wins() {
    let stage = Stage::new();
    stage.run(Wish::Propose(5));
    let theirs = RefCell::new(None);
    let outcomes = stage.run_over(&stage.forge, Wish::Propose(6), &mut |_, moment| {
        if moment == Moment::BeforePush {
            theirs.replace(Some(stage.world.human(BRANCH, &[("mine.yaml", "1")])));
        }
        ControlFlow::Continue(())
    });
    assert!(failure(&outcomes).contains("somebody moved it to"));
    assert_eq!(Some(stage.world.head(BRANCH)), theirs.into_inner());
    assert_eq!(words(&stage.run(Wish::Propose(6))), ["hands off"]);
    assert_eq!(stage.requests()[0].title, "[P1] eu-1: shard-a/blue up: md-0 1 -> 5");
}

#[test]
fn what_a_person_does_is_respected() {
    let commit = Stage::new();
    commit.run(Wish::Propose(5));
    let theirs = commit.world.human(BRANCH, &[("mine.yaml", "1")]);
    for wish in [Wish::Propose(5), Wish::Propose(6), Wish::Withdraw] {
        assert_eq!(words(&commit.run(wish)), ["hands off"]);
        assert_eq!((commit.world.head(BRANCH), commit.open()), (theirs.clone(), 1));
    }

    let closed = Stage::new();
    closed.run(Wish::Propose(5));
    std::fs::write(closed.world.folder().join("pulls/0001/state"), "closed\n").unwrap();
    let picture = closed.picture();
    assert_eq!(words(&closed.run(Wish::Propose(5))), ["hands off"]);
    assert_eq!(words(&closed.run(Wish::Withdraw)), Vec::<&str>::new());
    assert_eq!(closed.picture(), picture);

    let deleted = Stage::new();
    deleted.run(Wish::Propose(5));
    deleted.world.git(&["push", "-q", "origin", "--delete", BRANCH]);
    assert_eq!(words(&deleted.run(Wish::Propose(5))), ["hands off"]);
    assert_eq!(deleted.world.find(BRANCH), None);
}

#[test]
fn a_merge_with_plain_git_is_noted_and_the_next_proposal_is_a_new_pull_request() {
    let stage = Stage::new();
    stage.run(Wish::Propose(5));
    let world = &stage.world;
    world.git(&["fetch", "-q"]);
    world.git(&["checkout", "-q", "main"]);
    world.git(&["merge", "-q", "--no-ff", "-m", "Merge", &format!("origin/{BRANCH}")]);
    world.git(&["push", "-q", "origin", "main"]);
    assert_eq!(words(&stage.run(Wish::Withdraw)), ["merged"]);
    assert_eq!(stage.requests()[0].state, PullRequestState::Merged);
    assert_eq!(words(&stage.run(Wish::Propose(7))), ["created"]);
    assert_eq!((stage.requests().len(), stage.open()), (2, 1));
}

#[test]
fn what_is_no_longer_wanted_is_closed_with_the_reason_and_may_come_back() {
    let stage = Stage::new();
    stage.run(Wish::Propose(5));
    assert_eq!(words(&stage.run(Wish::Withdraw)), ["closed"]);
    assert_eq!((stage.world.find(BRANCH), stage.open()), (None, 0));
    let comments = std::fs::read_to_string(stage.world.folder().join("pulls/0001/comments.md")).unwrap();
    assert!(comments.contains("no longer wanted: nothing of it is wanted any more."));
    assert_eq!(words(&stage.run(Wish::Propose(5))), ["created"]);
}

#[test]
fn a_failed_proposal_stops_no_other() {
    let stage = Stage::new();
    let mut broken = proposal(vec![change("md-0", 1, 5)]);
    broken.branch = "fleetscale/eu-1/aaa/up".parse().unwrap();
    let fine = proposal(vec![change("md-0", 1, 5)]);
    let files = BTreeMap::from([(fine.branch.clone(), files(&fine.changes))]);
    let outcomes = stage.carry_out(&stage.forge, vec![broken, fine], &files, &mut |_, _| {
        ControlFlow::Continue(())
    });
    assert_eq!(words(&outcomes), ["failed", "created"]);
    assert_eq!(stage.open(), 1);
}

#[test]
fn a_dry_run_drafts_the_commit_that_a_run_pushes() {
    let stage = Stage::new();
    let store = Store::open(stage.world.remote_path()).unwrap();
    let plan = plan(stage.world.head("main"), vec![proposal(vec![change("md-0", 1, 5)])]);
    let proposed = &plan.proposals[0];
    let publication = Publication {
        plan: &plan,
        ledger: &Ledger::default(),
        files: &BTreeMap::from([(branch(), files(&proposed.changes))]),
        store: &store,
        remote: &Remote::Path(stage.world.remote_path().to_owned()),
        forge: &stage.forge,
        agent: &agent(),
    };
    let (drafted, _) = draft(&publication, proposed).unwrap();
    assert_eq!(stage.world.find(BRANCH), None);
    stage.run(Wish::Propose(5));
    assert_eq!(stage.world.head(BRANCH), drafted.commit);
}
