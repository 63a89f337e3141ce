//! The single steps. Each write is followed by a read, and the read decides.

use std::error::Error;
use std::ops::ControlFlow;

use crate::forge::{Forge, ForgeError, ForgePullRequest, NewPullRequest, PullRequestText};
use crate::git::PushOutcome;
use crate::model::{BranchName, ObjectId, PullRequestState, is_our_label};

use super::super::message::{Message, closing_comment};
use super::super::reconcile::{HandsOff, Lease};
use super::super::state;
use super::{Moment, Publication, Watch, draft};

/// Why a step did not come to its end.
pub(super) enum Trouble {
    /// The caller said so.
    Stopped,
    /// It failed.
    Failed { why: String },
    /// It failed, and nothing more can be asked of the forge in this run.
    Over { why: String },
    /// A person did something meanwhile.
    HandsOff(HandsOff),
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
            self.write(there.number, &text).await?;
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
        // Whether it worked or not, what the forge lists now is what is there. Only a forge that takes nothing more is not asked.
        let error = match created {
            Ok(number) => return self.opened(number).await,
            Err(error) if error.stops_the_run() => return Err(error.into()),
            Err(error) => error,
        };
        let Some(there) = self.the_open_one().await? else {
            return Err(error.into());
        };
        let ours = says(&there, &new.text);
        if !ours {
            self.write(there.number, &new.text).await?;
        }
        Ok((there, ours))
    }

    /// The pull request that the forge says to have opened. A list may lag behind by half a minute, so it is also asked for by its number.
    async fn opened(&mut self, number: u64) -> Result<(ForgePullRequest, bool), Trouble> {
        if let Some(there) = self.the_open_one().await? {
            return Ok((there, true));
        }
        let there = self.publication.forge.get(number).await?;
        match there.filter(|there| there.branch == *self.branch && there.state == PullRequestState::Open) {
            Some(there) => Ok((there, true)),
            None => Err(Trouble::Failed {
                why: format!("the forge opened #{number}, but does not have it; the next run looks again"),
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
        self.write(there.number, &text(&message)).await
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
        if body != there.body {
            let ForgePullRequest { title, mut labels, .. } = there;
            labels.retain(|label| is_our_label(label));
            self.write(number, &PullRequestText { title, body, labels }).await?;
        }
        self.reach(Moment::BeforeClose)?;
        match forge.comment(number, &closing_comment(why)).await {
            // It may have been said, and is not said twice. The record holds the reason, too.
            Err(error) if error.is_ambiguous() => {}
            said => said?,
        }
        match forge.close(number, plan.now).await {
            Err(error) if error.is_ambiguous() && self.is_open(number).await? => return Err(error.into()),
            Ok(()) if self.is_open(number).await? => {
                let why = format!("the forge closed #{number}, but has it as open");
                return Err(Trouble::Failed { why });
            }
            Err(error) if !error.is_ambiguous() => return Err(error.into()),
            _ => {}
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
        Ok(forge.record_merge(number, plan.now).await?)
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

    /// Replaces the text; an error that could mean two things counts only if the text is not there afterwards.
    async fn write(&self, number: u64, text: &PullRequestText) -> Result<(), Trouble> {
        let forge = self.publication.forge;
        match forge.update(number, text).await {
            Err(error) if error.is_ambiguous() => match forge.get(number).await? {
                Some(there) if says(&there, text) => Ok(()),
                _ => Err(error.into()),
            },
            written => Ok(written?),
        }
    }

    async fn is_open(&self, number: u64) -> Result<bool, Trouble> {
        let there = self.publication.forge.get(number).await?;
        Ok(there.is_some_and(|there| there.state == PullRequestState::Open))
    }

    /// The open pull request of the branch; more than one is trouble, and somebody else's is left alone.
    async fn the_open_one(&self) -> Result<Option<ForgePullRequest>, Trouble> {
        let mut open = self.publication.forge.open_from(self.branch).await?;
        if let Some((number, who)) = open.iter().find_map(|one| Some((one.number, one.opened_by.clone()?))) {
            return Err(Trouble::HandsOff(HandsOff::NotOurs { number, who }));
        }
        match &open[..] {
            [one, other, ..] => Err(Trouble::Failed {
                why: format!("#{} and #{} are both open from it; close one", one.number, other.number),
            }),
            _ => Ok(open.pop()),
        }
    }
}

/// Whether a pull request carries these words. Labels are not asked after: not every forge gives them. Nor is the end of the body, which
/// some forges trim.
fn says(there: &ForgePullRequest, text: &PullRequestText) -> bool {
    there.title == text.title && there.body.trim_end() == text.body.trim_end()
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

impl From<ForgeError> for Trouble {
    fn from(error: ForgeError) -> Self {
        let why = in_words(&error);
        if error.stops_the_run() {
            Self::Over { why }
        } else {
            Self::Failed { why }
        }
    }
}

fn failed(doing: &str, error: &(dyn Error + 'static)) -> Trouble {
    let why = format!("{doing}: {}", in_words(error));
    Trouble::Failed { why }
}

/// An error with its causes, in one line.
fn in_words(error: &(dyn Error + 'static)) -> String {
    let mut why = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        why.push_str(": ");
        why.push_str(&error.to_string());
        cause = error.source();
    }
    why
}
