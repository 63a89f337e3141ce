//! What a plan wants of each branch, in the order in which it is carried out; pure.

use jiff::Timestamp;

use crate::model::{BranchName, Digest, Direction, Plan, Priority, Proposal, Standing};

/// What the plan wants of one branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desired {
    /// The branch.
    pub branch: BranchName,
    /// What it wants.
    pub want: Want,
}

/// The three things that a plan can want of a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Want {
    /// An open pull request with this proposal.
    Propose {
        /// The digest of its edits.
        plan: Digest,
        /// Whether one of its changes is a P1.
        urgent: bool,
        /// When its inputs were observed.
        observed_at: Timestamp,
    },
    /// Its open pull request as it is.
    Keep {
        /// Why, for people; untrusted text.
        why: String,
    },
    /// No pull request any more.
    Withdraw {
        /// Why, for people; untrusted text.
        why: String,
    },
}

/// What a plan wants, most urgent first.
pub fn desired(plan: &Plan) -> Vec<Desired> {
    let mut proposals: Vec<&Proposal> = plan.proposals.iter().collect();
    proposals.sort_by_key(|proposal| {
        let direction = match proposal.scope.direction() {
            Some(Direction::Up) => 0,
            None => 1,
            Some(Direction::Down) => 2,
        };
        (proposal.priority, direction, proposal.branch.clone())
    });
    let proposed = proposals.into_iter().map(|proposal| Desired {
        branch: proposal.branch.clone(),
        want: Want::Propose {
            plan: proposal.digest.clone(),
            urgent: proposal.priority == Priority::P1,
            observed_at: plan.now,
        },
    });
    let standing = plan.standing.iter().map(|standing| {
        let why = standing_in_words(standing);
        let want = if standing.keep {
            Want::Keep { why }
        } else {
            Want::Withdraw { why }
        };
        let branch = standing.branch.clone();
        Desired { branch, want }
    });
    proposed.chain(standing).collect()
}

/// The reasons of a standing pull request in one line.
fn standing_in_words(standing: &Standing) -> String {
    let lines: Vec<String> = standing
        .reasons
        .iter()
        .map(|of_target| {
            let reasons: Vec<String> = of_target.reasons.iter().map(ToString::to_string).collect();
            let reasons = if reasons.is_empty() {
                "nothing is known of it any more".to_owned()
            } else {
                reasons.join(", ")
            };
            format!("{}: {reasons}", of_target.target.short())
        })
        .collect();
    if lines.is_empty() {
        "nothing of it is wanted any more".to_owned()
    } else {
        lines.join("; ")
    }
}
