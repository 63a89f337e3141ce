//! The sections of a body, each within the room that it is given; pure.

use jiff::Timestamp;

use crate::model::{
    Decision, Edit, Evidence, Plan, PolicyRef, Proposal, ProposedAction, ProposedChange, Reason, Verdict,
};

use super::super::escape;
use super::{from_to, short};

/// Bytes that are left of a body.
pub(super) struct Room(pub(super) usize);

/// What a heading, a closing tag and a count of what was left out take at most.
const FRAME: usize = 400;

impl Room {
    /// Lets a section use one part of the room and keeps the rest.
    pub(super) fn take_part(&mut self, parts: usize, section: impl FnOnce(usize) -> String) -> String {
        let text = section((self.0 / parts).saturating_sub(FRAME));
        self.0 = self.0.saturating_sub(text.len());
        text
    }
}

/// As many lines as fit, and how many do not.
fn fit(lines: impl Iterator<Item = String>, room: usize) -> (String, usize) {
    let (mut text, mut left_out) = (String::new(), 0);
    for line in lines {
        // Once one line is left out all that follow are, so that what is shown is a beginning and not a selection.
        if left_out == 0 && text.len() + line.len() <= room {
            text.push_str(&line);
        } else {
            left_out += 1;
        }
    }
    (text, left_out)
}

fn count(left_out: usize, what: &str) -> String {
    if left_out == 0 {
        return String::new();
    }
    format!("\n… and {left_out} more {what}, left out for length; the diff has them all.\n")
}

/// The table of what changes from what to what, and where.
pub(super) fn changes(proposal: &Proposal, room: usize) -> String {
    let rows = proposal.changes.iter().map(|change| {
        let (from, to) = from_to(change);
        let target = short(&change.target, &proposal.scope.subject);
        let priority = change.action.priority();
        format!(
            "| {target} | {from} | {to} | {priority} | {} |\n",
            places(&change.edits)
        )
    });
    let (rows, left_out) = fit(rows, room);
    format!(
        "| target | from | to | priority | where |\n|---|---|---|---|---|\n{rows}{}\n",
        count(left_out, "changes")
    )
}

/// The files that a change touches.
fn places(edits: &[Edit]) -> String {
    let mut places: Vec<String> = edits
        .iter()
        .map(|edit| match edit {
            Edit::Move { from, to, edits: _ } => {
                format!("{} -> {}", escape::code(from.as_str()), escape::code(to.as_str()))
            }
            Edit::Replace { .. } | Edit::InsertKey { .. } | Edit::AppendItem { .. } | Edit::AppendPatch { .. } => {
                escape::code(edit.path().as_str())
            }
        })
        .collect();
    places.dedup();
    places.join("<br>")
}

/// Why each change is wanted, with what was measured.
pub(super) fn evidence(proposal: &Proposal, now: Timestamp, room: usize) -> String {
    let lines = proposal.changes.iter().map(|change| {
        let target = short(&change.target, &proposal.scope.subject);
        let reasons: String = reasons(change)
            .iter()
            .map(|reason| format!("  - {}{}\n", escape::text(&reason.to_string()), quality(reason, now)))
            .collect();
        format!("- {target}, by {}\n{reasons}", policy(&change.policy))
    });
    let (lines, left_out) = fit(lines, room);
    format!("### Why\n\n{lines}{}\n", count(left_out, "changes"))
}

fn policy(policy: &PolicyRef) -> String {
    escape::text(&policy.to_string())
}

fn reasons(change: &ProposedChange) -> &[Reason] {
    match &change.action {
        ProposedAction::Set(change) => &change.reasons,
        ProposedAction::Place(placement) => &placement.reasons,
    }
}

/// How far the measurement behind a reason may be trusted: `(fresh, 40s old)`.
fn quality(reason: &Reason, now: Timestamp) -> String {
    let evidence = match reason {
        Reason::AboveThreshold { evidence, .. }
        | Reason::BelowTarget { evidence, .. }
        | Reason::Projected { evidence, .. }
        | Reason::AtLimit { evidence, .. }
        | Reason::Growing { evidence, .. } => evidence,
        Reason::Capped { .. }
        | Reason::Ladder { .. }
        | Reason::VersionDefault { .. }
        | Reason::MostRoom { .. }
        | Reason::Carried { .. } => return String::new(),
    };
    let Evidence {
        metric: _,
        value: _,
        grade,
        at: _,
    } = evidence;
    match evidence.age(now) {
        Some(age) => format!(" ({grade}, {age} old)"),
        None => format!(" ({grade})"),
    }
}

/// What is held on the same cluster, folded.
pub(super) fn held(related: &[Decision], room: usize) -> String {
    if related.is_empty() {
        return String::new();
    }
    let lines = related.iter().map(|decision| {
        let Decision {
            target,
            policy: _,
            verdict,
        } = decision;
        let reasons = match verdict {
            Verdict::Hold { wanted: _, reasons } => reasons
                .iter()
                .map(|reason| escape::text(&reason.to_string()))
                .collect::<Vec<_>>()
                .join("; "),
            Verdict::Set(_) | Verdict::Place(_) | Verdict::Open { .. } => "proposed elsewhere".to_owned(),
        };
        format!("- {}: {reasons}\n", target.short())
    });
    let total = related.len();
    let (lines, left_out) = fit(lines, room);
    let left_out = if left_out == 0 {
        String::new()
    } else {
        format!("\n… and {left_out} more.\n")
    };
    format!(
        "<details>\n<summary>Left as it is on the same cluster: {total}</summary>\n\n{lines}{left_out}\n</details>\n\n"
    )
}

/// The contract with the reviewer.
pub(super) fn what_happens_next() -> String {
    "### What happens next\n\
     \n\
     - **Merge it**: Argo CD or Flux applies it. Nothing else is proposed for these targets until it is live.\n\
     - **Close it**: the same is not proposed again for a month, and more only if the need grows and a day has passed.\n\
     - **Edit it** (a commit, an amend, a rebase, another base): fleetscale leaves branch and pull request alone from then on.\n\
     - **Leave it**: it is kept up to date in place, and closed with the reason when it is no longer wanted.\n\
     \n"
    .to_owned()
}

/// The policy, and the commit that it was read at.
pub(super) fn who_decided(proposal: &Proposal, plan: &Plan) -> String {
    let mut policies: Vec<&PolicyRef> = proposal.changes.iter().map(|change| &change.policy).collect();
    policies.sort();
    policies.dedup();
    let shown: Vec<String> = policies.iter().take(5).map(|name| policy(name)).collect();
    let more = policies.len().saturating_sub(shown.len());
    let more = if more == 0 {
        String::new()
    } else {
        format!(" and {more} more")
    };
    format!(
        "Decided by {}{more}, read at {} of {}; observed at {}; proposal {}.\n\n",
        shown.join(", "),
        escape::code(plan.base.commit.short()),
        escape::code(plan.base.branch.as_str()),
        plan.now,
        escape::code(proposal.digest.short()),
    )
}
