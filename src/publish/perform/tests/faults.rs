//! A forge whose calls fail before or after they took effect.

use std::ops::ControlFlow;

use super::{Stage, Wish, failure, words};
use crate::forge::{Forge, ForgePullRequest, LocalError, LocalForge, NewPullRequest, PullRequestText};

/// A forge that fails one kind of call, before or after it took effect.
struct Faulty<'a> {
    forge: &'a LocalForge,
    call: &'static str,
    after_effect: bool,
}

#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("502 Bad Gateway")]
    Gateway,
    #[error(transparent)]
    Local(#[from] LocalError),
}

impl Faulty<'_> {
    async fn call<T>(&self, name: &str, call: impl Future<Output = Result<T, LocalError>>) -> Result<T, Fault> {
        if name != self.call {
            return Ok(call.await?);
        }
        if self.after_effect {
            call.await?;
        }
        Err(Fault::Gateway)
    }
}

impl Forge for Faulty<'_> {
    type Error = Fault;

    async fn list(&self, prefix: &str) -> Result<Vec<ForgePullRequest>, Fault> {
        self.call("list", self.forge.list(prefix)).await
    }

    async fn create(&self, new: &NewPullRequest) -> Result<u64, Fault> {
        self.call("create", self.forge.create(new)).await
    }

    async fn update(&self, number: u64, text: &PullRequestText) -> Result<(), Fault> {
        self.call("update", self.forge.update(number, text)).await
    }

    async fn comment(&self, number: u64, comment: &str) -> Result<(), Fault> {
        self.call("comment", self.forge.comment(number, comment)).await
    }

    async fn close(&self, number: u64, at: jiff::Timestamp) -> Result<(), Fault> {
        self.call("close", self.forge.close(number, at)).await
    }

    async fn record_merge(&self, number: u64, at: jiff::Timestamp) -> Result<(), Fault> {
        self.call("record_merge", self.forge.record_merge(number, at)).await
    }
}

#[test]
fn an_ambiguous_answer_is_read_again_and_never_repeated() {
    let table = [
        (Wish::Propose(5), "create", true, "created"),
        (Wish::Propose(5), "create", false, "failed"),
        (Wish::Propose(5), "list", false, "failed"),
        (Wish::Propose(6), "update", true, "updated"),
        (Wish::Propose(6), "update", false, "failed"),
        (Wish::Withdraw, "close", true, "closed"),
        (Wish::Withdraw, "close", false, "failed"),
        (Wish::Withdraw, "comment", true, "failed"),
    ];
    for (wish, call, after_effect, expected) in table {
        let stage = Stage::new();
        if !matches!(wish, Wish::Propose(5)) {
            stage.run(Wish::Propose(5));
        }
        let faulty = Faulty {
            forge: &stage.forge,
            call,
            after_effect,
        };
        let outcomes = stage.run_over(&faulty, wish, &mut |_, _| ControlFlow::Continue(()));
        assert_eq!(words(&outcomes), [expected], "{call} {after_effect}: {outcomes:?}");
        assert!(expected != "failed" || failure(&outcomes).contains("502 Bad Gateway"));
        // The next run, over a sound forge, brings it to its end.
        assert!(!words(&stage.run(wish)).contains(&"failed"));
        let open = if matches!(wish, Wish::Withdraw) { 0 } else { 1 };
        assert_eq!(
            (stage.requests().len(), stage.open()),
            (1, open),
            "{call} {after_effect}"
        );
    }
}
