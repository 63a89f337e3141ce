//! What `run` and `publish` share: the ledger, the steps, and the report of what became of each.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::ControlFlow;

use serde::Serialize;

use crate::error::{ErrorKind, Failure};
use crate::git::FileChange;
use crate::model::{BranchName, Ledger, Plan, Priority, RepoPath, Severity};
use crate::plan::printable;
use crate::publish::{self, Action, Done, Outcome, Publication, Step};
use crate::render::Rendered;

use super::args::InputArgs;
use super::inputs::Inputs;
use super::terminal::Terminal;
use super::waiting::wait;
use super::workspace::Workspace;

/// What we said before and what became of it, read from the remote and the forge.
pub(super) fn ledger(inputs: &Inputs) -> Result<Ledger, Failure> {
    let Inputs {
        workspace, declared, ..
    } = inputs;
    let Workspace {
        store,
        remote,
        base,
        agent,
        forge,
        ..
    } = workspace;
    let read = wait(publish::ledger(store, remote, &base.branch, agent, forge))?;
    let (ledger, head) = read.map_err(|error| {
        Failure::new(ErrorKind::Publish, &error).with_hint("nothing was changed; mend what is named, and run again")
    })?;
    if head != base.commit {
        let moved = format!(
            "the base {} is at {}, and what was read is {}: it is stale",
            base.branch,
            head.short(),
            base.commit.short()
        );
        return Err(
            Failure::plain(ErrorKind::Input, moved).with_hint("plan again on the present base; nothing was changed")
        );
    }
    Ok(publish::landed(ledger, declared))
}

/// The same for a verb that only answers. A recorded snapshot answers for the moment that it recorded, and another base has no pull requests.
pub(super) fn ledger_to_answer(inputs: &Inputs, args: &InputArgs) -> Result<Ledger, Failure> {
    match &inputs.workspace.recorded {
        Some(recorded) if args.snapshot.is_some() => Ok(recorded.ledger.clone()),
        recorded if args.reference.is_some() => Ok(recorded
            .as_ref()
            .map_or_else(Ledger::default, |recorded| recorded.ledger.clone())),
        _ => ledger(inputs),
    }
}

/// The same for a verb that answers from files alone where there is a file: remote and forge are asked only if the clusters are.
pub(super) fn ledger_of_files(inputs: &Inputs, args: &InputArgs) -> Result<Ledger, Failure> {
    match &inputs.workspace.recorded {
        Some(recorded) => Ok(recorded.ledger.clone()),
        None => ledger_to_answer(inputs, args),
    }
}

/// What became of one branch, for people and programs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ScopeReport {
    branch: BranchName,
    done: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tree: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    #[serde(skip)]
    urgent: bool,
    #[serde(skip)]
    failed: bool,
}

/// Carries a plan out, or with `dry_run` only says what would be done. The drafts are made in memory either way, by the same code.
pub(super) fn carry_out(
    workspace: &Workspace,
    plan: &Plan,
    ledger: &Ledger,
    rendered: &BTreeMap<BranchName, Rendered>,
    dry_run: bool,
    terminal: &Terminal,
) -> Result<Vec<ScopeReport>, Failure> {
    if let Some(note) = plan.notes.iter().find(|note| note.severity == Severity::Error) {
        let message = format!(
            "the plan breaks a rule of its own and is not published: {}",
            note.message
        );
        return Err(Failure::plain(ErrorKind::Input, message)
            .with_hint("this is a bug; `plan -o json` has what is needed to report it"));
    }
    let files = rendered
        .iter()
        .map(|(branch, rendered)| (branch.clone(), changes(rendered)))
        .collect();
    let Workspace {
        store,
        remote,
        forge,
        agent,
        base,
        now,
        deadline,
        ..
    } = workspace;
    let publication = Publication {
        plan,
        ledger,
        files: &files,
        store,
        remote,
        forge,
        agent,
    };
    let mut drafts = BTreeMap::new();
    // A proposal that can't be drafted stops no other, least of all a P1.
    let mut unready = BTreeMap::new();
    for proposal in &plan.proposals {
        match publish::draft(&publication, proposal) {
            Ok((drafted, message)) => {
                let urgent = proposal.priority == Priority::P1;
                drafts.insert(proposal.branch.clone(), (drafted.tree, message.title, urgent));
            }
            Err(error) => {
                unready.insert(
                    proposal.branch.clone(),
                    Failure::new(ErrorKind::Publish, &error).message,
                );
            }
        }
    }
    let actions = publish::reconcile(&publish::desired(plan), ledger, &base.branch, *now);
    let outcomes: Vec<Report> = if dry_run {
        actions
            .iter()
            .map(|action| would(action, unready.get(&action.branch)))
            .collect()
    } else {
        let mut watch = |branch: &BranchName, moment| {
            tracing::debug!(%branch, ?moment, "publishing");
            // What is not done by now is the next run's. A push without its pull request would be taken up there.
            if deadline.is_over() {
                tracing::warn!(%branch, "the run's time is up");
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        };
        if actions.len() > 20 {
            terminal.progress(&format!("publishing {} branches", actions.len()));
        }
        wait(publish::perform(&publication, &actions, &mut watch))?
            .into_iter()
            .map(became)
            .collect()
    };
    Ok(outcomes
        .into_iter()
        .map(
            |Report {
                 branch,
                 number,
                 location,
                 done,
                 why,
                 failed,
             }| {
                let draft = drafts.get(&branch);
                ScopeReport {
                    number,
                    title: draft.map(|(_, title, _)| title.clone()),
                    tree: draft.map(|(tree, _, _)| tree.to_string()),
                    urgent: draft.is_some_and(|(_, _, urgent)| *urgent),
                    branch,
                    done: done.to_owned(),
                    why,
                    location,
                    failed,
                }
            },
        )
        .collect())
}

/// The files of a proposal as changes of the tree.
fn changes(rendered: &Rendered) -> BTreeMap<RepoPath, FileChange> {
    let files = rendered.files.iter().map(|(path, file)| {
        let bytes = file.after.clone();
        let change = if file.from == *path {
            FileChange::Replace(bytes)
        } else {
            FileChange::Move {
                from: file.from.clone(),
                bytes,
            }
        };
        (path.clone(), change)
    });
    files.collect()
}

/// What became of a branch, or would.
struct Report {
    branch: BranchName,
    number: Option<u64>,
    location: Option<String>,
    done: &'static str,
    why: Option<String>,
    failed: bool,
}

fn became(outcome: Outcome) -> Report {
    let Outcome {
        branch,
        number,
        location,
        done,
    } = outcome;
    let word = word(done.word());
    let failed = matches!(done, Done::Failed { .. } | Done::Deferred { .. } | Done::Stopped);
    let why = match done {
        Done::Unchanged { why } => why,
        Done::Closed { why } | Done::Failed { why } | Done::Deferred { why } => Some(why),
        Done::HandsOff(why) => Some(why.to_string()),
        Done::Created | Done::Adopted | Done::Updated | Done::Merged | Done::Stopped => None,
    };
    Report {
        branch,
        number,
        location,
        done: word,
        why,
        failed,
    }
}

/// What people call it.
fn word(done: &'static str) -> &'static str {
    if done == "hands off" { "left alone" } else { done }
}

fn would(action: &Action, unready: Option<&String>) -> Report {
    let Action { branch, step } = action;
    let writes = matches!(step, Step::Open { .. } | Step::Update { .. });
    let unready = unready.filter(|_| writes).cloned();
    let failed = unready.is_some();
    let (number, done, why) = match step {
        Step::Open { .. } if failed => (None, "would fail", unready),
        Step::Update { number, .. } if failed => (Some(*number), "would fail", unready),
        Step::Open { push: Some(_) } => (None, "would create", None),
        Step::Open { push: None } => (None, "would adopt", None),
        Step::Update { number, .. } => (Some(*number), "would update", None),
        Step::Unchanged { number, why } => (Some(*number), "unchanged", why.clone()),
        Step::Close { number, why, .. } => (Some(*number), "would close", Some(why.clone())),
        Step::RecordMerge { number } => (Some(*number), "merged", None),
        Step::HandsOff { number, why } => (*number, "left alone", Some(why.to_string())),
    };
    Report {
        branch: branch.clone(),
        number,
        location: None,
        done,
        why,
        failed,
    }
}

/// The report as a person reads it.
pub(super) fn text(reports: &[ScopeReport]) -> String {
    let mut out = String::new();
    if reports.is_empty() {
        return out;
    }
    let wide = reports
        .iter()
        .map(|report| report.branch.as_str().len())
        .max()
        .unwrap_or(0);
    let _ = writeln!(out, "  {:<12}  {:<5}  {:<wide$}  WHERE", "PULL REQUEST", "", "BRANCH");
    for report in reports {
        let number = report.number.map_or(String::new(), |number| format!("#{number}"));
        let urgent = if report.urgent { "P1" } else { "" };
        let location = report.location.as_deref().unwrap_or_default();
        let line = format!(
            "  {:<12}  {number:<3}{urgent:<2}  {:<wide$}  {location}",
            report.done, report.branch
        );
        let _ = writeln!(out, "{}", line.trim_end());
        if let Some(why) = &report.why {
            let _ = writeln!(out, "  {:<12}  {:<5}  {}", "", "", printable(why));
        }
    }
    out.push('\n');
    out
}

/// 0 if every scope went well, 2 if one did not.
pub(super) fn exit_code(reports: &[ScopeReport]) -> u8 {
    if reports.iter().any(|report| report.failed) {
        2
    } else {
        0
    }
}
