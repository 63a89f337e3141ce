//! A forge whose calls fail before or after they took effect, that is slow to list, and in which somebody else was faster.

use std::ops::ControlFlow;

use super::*;
use crate::forge::{ForgeAccess, ForgeError, NewPullRequest, PullRequestText};

/// What is wrong with a forge.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// One kind of call ends in a 502 before it takes effect.
    Before(&'static str),
    /// The same, after it took effect.
    After(&'static str),
    /// One kind of call meets a rate limit.
    Limit(&'static str),
    /// What was created is not listed yet; its number answers.
    Lag,
    /// Somebody else opened a pull request from the branch a moment ago.
    Somebody,
}

struct Faulty<'a> {
    forge: &'a LocalForge,
    fault: Fault,
}

impl Faulty<'_> {
    async fn call<T>(&self, name: &str, call: impl Future<Output = Result<T, ForgeError>>) -> Result<T, ForgeError> {
        let server = || "https://git.example.org".to_owned();
        let gateway = || ForgeError::Unknown {
            doing: "asking".to_owned(),
            server: server(),
            words: "502 Bad Gateway".to_owned(),
            source: None,
        };
        match self.fault {
            Fault::Before(faulty) if faulty == name => Err(gateway()),
            Fault::After(faulty) if faulty == name => {
                call.await?;
                Err(gateway())
            }
            Fault::Limit(faulty) if faulty == name => Err(ForgeError::RateLimited {
                doing: "asking".to_owned(),
                server: server(),
                until: Some("2026-03-01T12:01:00Z".parse().unwrap()),
                words: "slow down".to_owned(),
            }),
            _ => call.await,
        }
    }
}

impl Forge for Faulty<'_> {
    async fn access(&self) -> Result<ForgeAccess, ForgeError> {
        self.forge.access().await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ForgePullRequest>, ForgeError> {
        self.call("list", self.forge.list(prefix)).await
    }

    async fn open_from(&self, branch: &BranchName) -> Result<Vec<ForgePullRequest>, ForgeError> {
        let mut open = self.call("open_from", self.forge.open_from(branch)).await?;
        match self.fault {
            Fault::Lag => open.clear(),
            Fault::Somebody => open.iter_mut().for_each(|one| one.opened_by = Some("jo".to_owned())),
            _ => {}
        }
        Ok(open)
    }

    async fn get(&self, number: u64) -> Result<Option<ForgePullRequest>, ForgeError> {
        self.call("get", self.forge.get(number)).await
    }

    async fn create(&self, new: &NewPullRequest) -> Result<u64, ForgeError> {
        self.call("create", self.forge.create(new)).await
    }

    async fn update(&self, number: u64, text: &PullRequestText) -> Result<(), ForgeError> {
        self.call("update", self.forge.update(number, text)).await
    }

    async fn comment(&self, number: u64, comment: &str) -> Result<(), ForgeError> {
        self.call("comment", self.forge.comment(number, comment)).await
    }

    async fn close(&self, number: u64, at: jiff::Timestamp) -> Result<(), ForgeError> {
        self.call("close", self.forge.close(number, at)).await
    }

    async fn record_merge(&self, number: u64, at: jiff::Timestamp) -> Result<(), ForgeError> {
        self.call("record_merge", self.forge.record_merge(number, at)).await
    }
}

#[test]
fn an_ambiguous_answer_is_read_again_and_never_repeated() {
    use Fault::{After, Before};
    let table = [
        (Wish::Propose(5), After("create"), "created"),
        (Wish::Propose(5), Before("create"), "failed"),
        (Wish::Propose(5), Before("open_from"), "failed"),
        (Wish::Propose(6), After("update"), "updated"),
        (Wish::Propose(6), Before("update"), "failed"),
        (Wish::Withdraw, After("close"), "closed"),
        (Wish::Withdraw, Before("close"), "failed"),
        (Wish::Withdraw, After("comment"), "closed"),
        (Wish::Withdraw, Before("comment"), "closed"),
        (Wish::Withdraw, Before("update"), "failed"),
        (Wish::Withdraw, Before("get"), "failed"),
    ];
    for (wish, fault, expected) in table {
        let stage = Stage::new();
        if !matches!(wish, Wish::Propose(5)) {
            stage.run(Wish::Propose(5));
        }
        let faulty = Faulty {
            forge: &stage.forge,
            fault,
        };
        let outcomes = stage.run_over(&faulty, wish, &mut |_, _| ControlFlow::Continue(()));
        assert_eq!(words(&outcomes), [expected], "{outcomes:?}");
        assert!(expected != "failed" || failure(&outcomes).contains("502 Bad Gateway"));
        // The next run, over a sound forge, brings it to its end.
        assert!(!words(&stage.run(wish)).contains(&"failed"));
        let open = if matches!(wish, Wish::Withdraw) { 0 } else { 1 };
        assert_eq!((stage.requests().len(), stage.open()), (1, open), "{outcomes:?}");
    }
}

#[test]
fn a_forge_that_lists_late_is_asked_by_number() {
    let stage = Stage::new();
    let faulty = Faulty {
        forge: &stage.forge,
        fault: Fault::Lag,
    };
    let outcomes = stage.run_over(&faulty, Wish::Propose(5), &mut |_, _| ControlFlow::Continue(()));
    assert_eq!(words(&outcomes), ["created"]);
    assert_eq!(outcomes[0].number, Some(1));
}

#[test]
fn a_pull_request_that_somebody_else_opened_meanwhile_is_left_alone() {
    let stage = Stage::new();
    stage.run(Wish::Propose(5));
    let before = stage.requests();
    let faulty = Faulty {
        forge: &stage.forge,
        fault: Fault::Somebody,
    };
    for wish in [Wish::Propose(6), Wish::Withdraw] {
        let outcomes = stage.run_over(&faulty, wish, &mut |_, _| ControlFlow::Continue(()));
        assert_eq!(words(&outcomes), ["hands off"], "{outcomes:?}");
        assert_eq!(stage.requests(), before);
    }
}

/// The first of three meets a limit; nothing is pushed for the others.
#[test]
fn a_rate_limit_leaves_the_rest_to_the_next_run() {
    let stage = Stage::new();
    let proposals: Vec<Proposal> = ["aaa", "bbb", "ccc"]
        .into_iter()
        .map(|name| {
            let mut proposal = proposal(vec![change("md-0", 1, 5)]);
            proposal.branch = format!("fleetscale/eu-1/{name}/up").parse().unwrap();
            proposal
        })
        .collect();
    let files: BTreeMap<_, _> = proposals
        .iter()
        .map(|proposal| (proposal.branch.clone(), files(&proposal.changes)))
        .collect();
    let faulty = Faulty {
        forge: &stage.forge,
        fault: Fault::Limit("create"),
    };
    let outcomes = stage.carry_out(
        &faulty,
        proposals.clone(),
        &files,
        &mut |_, _| ControlFlow::Continue(()),
    );
    assert_eq!(words(&outcomes), ["failed", "deferred", "deferred"]);
    let until = "asking: https://git.example.org limits our requests until 2026-03-01T12:01:00Z: slow down";
    for outcome in &outcomes {
        let (Done::Failed { why } | Done::Deferred { why }) = &outcome.done else {
            panic!("{outcome:?}");
        };
        assert_eq!(why, until);
    }
    assert_eq!(stage.requests(), []);
    assert_eq!(
        proposals
            .iter()
            .map(|one| stage.world.find(one.branch.as_str()).is_some())
            .collect::<Vec<_>>(),
        [true, false, false]
    );
    let again = stage.carry_out(&stage.forge, proposals, &files, &mut |_, _| ControlFlow::Continue(()));
    assert!(
        words(&again)
            .iter()
            .all(|word| ["created", "adopted", "failed"].contains(word)),
        "{again:?}"
    );
}
