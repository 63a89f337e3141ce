//! The words of a pull request and of its commit; pure.
//!
//! The order is that of a reviewer's questions: what changes from what to what, why, what is held beside it, what happens next, who decided.
//! Long lists are cut with a count and never push the table out of sight. Invariant: no text from outside stands in a body unescaped, and
//! none at all in a title or a commit.

mod sections;

use crate::model::{Direction, LABEL, Plan, Priority, Proposal, ProposalRecord, ProposedChange, Subject, Target};

use super::{escape, state};
use sections::Room;

/// The label of one with a P1 in it.
pub(super) const URGENT_LABEL: &str = "fleetscale/P1";

/// The start of its title, for forges that give no labels.
pub(super) const URGENT_TITLE: &str = "[P1] ";

/// The longest body, in bytes. GitHub takes 65,536 characters; Renovate stops at 58,000 because forges count differently, and so do we.
const LONGEST_BODY: usize = 58_000;

/// The most of it that the hidden state may take. A proposal beyond that would have no room left for words.
const LONGEST_STATE: usize = 40_000;

/// The longest title, in characters. Longer ones are cut by every forge's lists.
const LONGEST_TITLE: usize = 120;

/// How many changes a commit message spells out.
const MOST_COMMIT_LINES: usize = 200;

/// What a proposal looks like to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// One line, unique to the change.
    pub title: String,
    /// Markdown, with the hidden state at its end.
    pub body: String,
    /// Sorted.
    pub labels: Vec<String>,
    /// The commit's subject and body, without trailers.
    pub commit: String,
}

/// Why there is no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// The proposal has more changes than a pull request's hidden state can hold.
    #[error(
        "writing the pull request of {branch}: {changes} changes are too many for one; lower the budget of changes per run"
    )]
    TooManyChanges {
        /// The branch.
        branch: String,
        /// How many changes it has.
        changes: usize,
    },
}

/// Words for a proposal of a plan.
pub fn message(proposal: &Proposal, plan: &Plan) -> Result<Message, MessageError> {
    let record = ProposalRecord {
        plan: proposal.digest.clone(),
        observed_at: plan.now,
        changes: proposal.recorded_changes(),
        withdrawn: None,
    };
    let hidden = state::write(&record);
    if hidden.len() > LONGEST_STATE {
        return Err(MessageError::TooManyChanges {
            branch: proposal.branch.to_string(),
            changes: proposal.changes.len(),
        });
    }
    Ok(Message {
        title: title(proposal),
        body: body(proposal, plan, &hidden),
        labels: labels(proposal),
        commit: commit(proposal),
    })
}

/// What is said on a pull request that we close.
pub fn closing_comment(why: &str) -> String {
    format!(
        "Closed by fleetscale, because this is no longer wanted: {}.\n\nIf the need comes back, a new pull request is opened.\n",
        escape::text(why)
    )
}

/// `eu-1: shard-a/blue up: md-0 3 -> 5`; a P1 is named first.
fn title(proposal: &Proposal) -> String {
    let urgent = if proposal.priority == Priority::P1 {
        URGENT_TITLE
    } else {
        ""
    };
    let head = format!(
        "{urgent}{}: {}: ",
        proposal.scope.management_cluster,
        subject(&proposal.scope.subject)
    );
    let mut title = head;
    let total = proposal.changes.len();
    for (done, change) in proposal.changes.iter().enumerate() {
        let (from, to) = from_to(change);
        let separator = if done == 0 { "" } else { ", " };
        let next = format!(
            "{separator}{} {from} -> {to}",
            short(&change.target, &proposal.scope.subject)
        );
        // Room for the count of the rest, which always has to be told.
        if done > 0 && title.chars().count() + next.chars().count() > LONGEST_TITLE - " and 1000 more".len() {
            title.push_str(&format!(" and {} more", total - done));
            break;
        }
        title.push_str(&next);
    }
    if title.chars().count() > LONGEST_TITLE {
        title = title.chars().take(LONGEST_TITLE - 1).collect();
        title.push('~');
    }
    title
}

fn subject(subject: &Subject) -> String {
    match subject {
        Subject::Cluster {
            namespace,
            cluster,
            direction,
        } => format!("{namespace}/{cluster} {direction}"),
        Subject::NodeGroups { direction } => format!("node groups {direction}"),
        Subject::Platform { direction } => format!("platform {direction}"),
        Subject::Controller { component } => format!("controller {component}"),
        Subject::Place { cluster } => format!("place {cluster}"),
        Subject::Shard { name } => format!("shard {name}"),
        Subject::ManagementCluster => "management cluster".to_owned(),
    }
}

/// A target's name within its scope: with its cluster, where the scope is not about one cluster.
fn short(target: &Target, subject: &Subject) -> String {
    match (target, subject) {
        (Target::NodeGroup(key), Subject::NodeGroups { .. }) => {
            format!("{}/{}/{}", key.namespace, key.cluster, key.group)
        }
        _ => target.short(),
    }
}

/// Both values as words that are safe anywhere.
fn from_to(change: &ProposedChange) -> (String, String) {
    let (from, to) = change.action.values();
    (escape::word(&from.to_string()), escape::word(&to.to_string()))
}

fn labels(proposal: &Proposal) -> Vec<String> {
    let direction = proposal.scope.direction().map(|direction| match direction {
        Direction::Up => "fleetscale/up",
        Direction::Down => "fleetscale/down",
    });
    let urgent = (proposal.priority == Priority::P1).then_some(URGENT_LABEL);
    let mut labels: Vec<String> = [Some(LABEL), direction, urgent]
        .into_iter()
        .flatten()
        .map(str::to_owned)
        .collect();
    labels.sort();
    labels
}

/// The title and one line for each change. Everything in it is a name, a number or a word of ours.
fn commit(proposal: &Proposal) -> String {
    let mut lines = vec![title(proposal), String::new()];
    for change in proposal.changes.iter().take(MOST_COMMIT_LINES) {
        let (from, to) = from_to(change);
        lines.push(format!("{} {from} -> {to}", change.target));
    }
    if let Some(more) = proposal
        .changes
        .len()
        .checked_sub(MOST_COMMIT_LINES)
        .filter(|more| *more > 0)
    {
        lines.push(format!("and {more} more"));
    }
    lines.join("\n")
}

fn body(proposal: &Proposal, plan: &Plan, hidden: &str) -> String {
    let next = sections::what_happens_next();
    let decided = sections::who_decided(proposal, plan);
    let mut room = Room(LONGEST_BODY.saturating_sub(hidden.len() + next.len() + decided.len()));
    // The table comes first and may take half, the evidence half of what is left, and the holds the rest.
    let table = room.take_part(2, |room| sections::changes(proposal, room));
    let evidence = room.take_part(2, |room| sections::evidence(proposal, plan.now, room));
    let held = room.take_part(1, |room| sections::held(&proposal.related, room));
    format!("{table}{evidence}{held}{next}{decided}{hidden}")
}

#[cfg(test)]
mod tests;
