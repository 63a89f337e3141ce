//! The single steps. Each write is followed by a read, and the read decides.

use std::error::Error;
use std::ops::ControlFlow;

use crate::forge::{Forge, ForgePullRequest, NewPullRequest, PullRequestText};
use crate::git::PushOutcome;
use crate::model::{BranchName, ObjectId, PullRequestState};

use super::super::message::{Message, closing_comment, is_our_label};
use super::super::reconcile::Lease;
use super::super::state;
use super::{Moment, Publication, Watch, draft};

/// Why a step did not come to its end.
pub(super) enum Trouble {
    /// The caller said so.
    Stopped,
    /// It failed.
    Failed { why: String },
}

/// One step on its way.
pub(super) struct At<'a, 'w, F> {
    pub(super) publication: &'a Publication<'a, F>,
    pub(super) branch: &'a BranchName,
    pub(super) watch: &'a mut Watch<'w>,
}

impl<F: Forge> At<'_, '_, F> {
    pub(super) fn reach(&mut self, moment: Moment) -> Result<(), Trouble> {
        match (self.watch)(self.branch, moment) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Trouble::Stopped),
        }
    }

    /// Pushes if asked to, and sees to it that the branch has one open pull request. Also tells whether it is one that this call made.
    pub(super) async fn open(&mut self, push: Option<&Lease>) -> Result<(ForgePullRequest, bool), Trouble> {
        let message = self.prepare(push)?;
        let text = text(&message);
        // Somebody may have been faster, and a forge may be slow to list what it was told.
        if let Some(there) = self.the_open_one().await? {
            self.write(there.number, &with_their_labels(text, &there)).await?;
            return Ok((there, false));
        }
        self.reach(Moment::BeforePullRequest)?;
        let new = NewPullRequest {
            branch: self.branch.clone(),
            base: self.publication.plan.base.branch.clone(),
            text,
        };
        let created = self.publication.forge.create(&new).await;
        self.reach(Moment::AfterPullRequest)?;
        // Whether it worked or not, what the forge lists now is what is there.
        match (self.the_open_one().await?, created) {
            (Some(there), _) => Ok((there, true)),
            (None, Err(error)) => Err(failed("opening the pull request", &error)),
            (None, Ok(number)) => Err(Trouble::Failed {
                why: format!("the forge opened #{number}, but does not list it; the next run looks again"),
            }),
        }
    }

    pub(super) async fn update(&mut self, number: u64, push: Option<&Lease>) -> Result<(), Trouble> {
        let message = self.prepare(push)?;
        let there = self.the_open_one().await?.filter(|there| there.number == number);
        let Some(there) = there else {
            let why =
                format!("#{number} is not the open pull request of its branch any more; the next run looks again");
            return Err(Trouble::Failed { why });
        };
        self.write(number, &with_their_labels(text(&message), &there)).await
    }

    pub(super) async fn close(&mut self, number: u64, why: &str, delete: Option<&ObjectId>) -> Result<(), Trouble> {
        let Publication { forge, plan, .. } = self.publication;
        let there = self.the_open_one().await?.filter(|there| there.number == number);
        let Some(there) = there else {
            let why = format!("#{number} is not open any more; the next run looks again");
            return Err(Trouble::Failed { why });
        };
        // The record says that we closed it before it is closed: the other way round, a kill between the two would leave what looks like
        // a person's no.
        let record = state::read(&there.body).map(|record| crate::model::ProposalRecord {
            withdrawn: Some(why.to_owned()),
            ..record
        });
        let Some(body) = record.and_then(|record| state::replace(&there.body, &record)) else {
            let why = format!("#{number} does not carry our record any more");
            return Err(Trouble::Failed { why });
        };
        let ForgePullRequest { title, labels, .. } = there;
        self.write(number, &PullRequestText { title, body, labels }).await?;
        self.reach(Moment::BeforeClose)?;
        let closed = match forge.comment(number, &closing_comment(why)).await {
            Ok(()) => forge.close(number, plan.now).await,
            Err(error) => Err(error),
        };
        if self.the_open_one().await?.is_some() {
            return Err(match closed {
                Err(error) => failed("closing the pull request", &error),
                Ok(()) => Trouble::Failed {
                    why: format!("the forge closed #{number}, but lists it as open"),
                },
            });
        }
        self.reach(Moment::BeforeDelete)?;
        if let Some(head) = delete {
            let Publication { store, remote, .. } = self.publication;
            match store.delete(remote, self.branch, head) {
                // A branch that moved holds a person's work and stays.
                PushOutcome::Pushed | PushOutcome::LeaseLost { .. } => {}
                other => return Err(push_trouble("deleting the branch of the closed pull request", other)),
            }
        }
        Ok(())
    }

    pub(super) async fn record_merge(&mut self, number: u64) -> Result<(), Trouble> {
        let Publication { forge, plan, .. } = self.publication;
        forge
            .record_merge(number, plan.now)
            .await
            .map_err(|error| failed("noting the merge", &error))
    }

    /// Builds the commit and the words, and pushes if asked to.
    fn prepare(&mut self, push: Option<&Lease>) -> Result<Message, Trouble> {
        let Publication {
            plan, store, remote, ..
        } = self.publication;
        let Some(proposal) = plan.proposals.iter().find(|proposal| proposal.branch == *self.branch) else {
            let why = "the plan has no proposal for it".to_owned();
            return Err(Trouble::Failed { why });
        };
        let (drafted, message) =
            draft(self.publication, proposal).map_err(|error| failed("drafting the commit", &error))?;
        if let Some(Lease(expected)) = push {
            self.reach(Moment::BeforePush)?;
            match store.push(remote, self.branch, &drafted.commit, expected.as_ref()) {
                PushOutcome::Pushed => {}
                other => return Err(push_trouble("pushing the branch", other)),
            }
            self.reach(Moment::AfterPush)?;
        }
        Ok(message)
    }

    /// Replaces the text; an error counts only if the text is not there afterwards.
    async fn write(&mut self, number: u64, text: &PullRequestText) -> Result<(), Trouble> {
        let Err(error) = self.publication.forge.update(number, text).await else {
            return Ok(());
        };
        let there = self.the_open_one().await?;
        let took_effect = there.is_some_and(|there| {
            there.number == number
                && there.title == text.title
                && there.body == text.body
                && there.labels == text.labels
        });
        if took_effect {
            Ok(())
        } else {
            Err(failed("updating the pull request", &error))
        }
    }

    /// The open pull request of the branch; more than one is trouble.
    async fn the_open_one(&self) -> Result<Option<ForgePullRequest>, Trouble> {
        let listed = self
            .publication
            .forge
            .list(self.branch.as_str())
            .await
            .map_err(|error| failed("listing the pull requests of the branch", &error))?;
        let mut open = listed
            .into_iter()
            .filter(|request| request.branch == *self.branch && request.state == PullRequestState::Open);
        match (open.next(), open.next()) {
            (Some(one), Some(other)) => Err(Trouble::Failed {
                why: format!("#{} and #{} are both open from it; close one", one.number, other.number),
            }),
            (one, _) => Ok(one),
        }
    }
}

fn text(message: &Message) -> PullRequestText {
    let Message {
        title,
        body,
        labels,
        commit: _,
    } = message.clone();
    PullRequestText { title, body, labels }
}

/// The labels that people gave stay: `do-not-merge` is worth more than our words beside it.
fn with_their_labels(mut text: PullRequestText, there: &ForgePullRequest) -> PullRequestText {
    let theirs = there.labels.iter().filter(|label| !is_our_label(label));
    text.labels.extend(theirs.cloned());
    text.labels.sort();
    text.labels.dedup();
    text
}

fn push_trouble(doing: &str, outcome: PushOutcome) -> Trouble {
    let why = match outcome {
        PushOutcome::Pushed => format!("{doing}: done"),
        PushOutcome::LeaseLost { found: Some(found) } => {
            format!(
                "{doing}: somebody moved it to {} meanwhile, which is left alone",
                found.short()
            )
        }
        PushOutcome::LeaseLost { found: None } => format!("{doing}: somebody deleted it meanwhile"),
        PushOutcome::Rejected { words } => format!("{doing}: the server refused: {words}"),
        PushOutcome::Unknown { error } => {
            format!(
                "{doing}: it is not known whether it worked ({}); the next run looks again",
                error.in_words()
            )
        }
    };
    Trouble::Failed { why }
}

fn failed(doing: &str, error: &(dyn Error + 'static)) -> Trouble {
    let mut why = format!("{doing}: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        why.push_str(": ");
        why.push_str(&error.to_string());
        cause = error.source();
    }
    Trouble::Failed { why }
}
