//! The pure middle of every verb: inputs in, plan and new bytes out. Nothing is read or written here.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::error::Error as _;

use crate::decide;
use crate::error::Failure;
use crate::fleet::FleetTree;
use crate::model::{BranchName, Decision, Edit, HoldReason, Plan, Refusal, RepoPath, Snapshot, Target, Verdict};
use crate::plan;
use crate::render::{self, RenderError, Rendered};

use super::inputs::Inputs;
use super::select::Selection;

/// A plan with the bytes that it leads to.
pub(super) struct Computed {
    /// The snapshot that it follows from, with the ledger that was used.
    pub(super) snapshot: Snapshot,
    pub(super) plan: Plan,
    /// By the branch of the proposal.
    pub(super) rendered: BTreeMap<BranchName, Rendered>,
}

/// Decides, plans and renders.
pub(super) fn compute(inputs: &Inputs, snapshot: Snapshot, selection: Option<&Selection>) -> Result<Computed, Failure> {
    let Inputs {
        workspace,
        policies,
        tree,
        declared,
    } = inputs;
    let fleet = &workspace.fleet;
    let decisions = decide::decide(fleet, policies, &snapshot, declared, workspace.now);
    let mut decisions: Vec<Decision> = decisions.into_iter().map(|decision| prove(decision, inputs)).collect();
    let (digest, base) = (snapshot.digest(), &workspace.base);
    loop {
        let stands_on = plan::Inputs {
            base: base.clone(),
            snapshot: digest.clone(),
            policies: policies.digest.clone(),
        };
        let mut plan = plan::plan(
            decisions.clone(),
            declared,
            &snapshot.ledger,
            fleet,
            policies,
            stands_on,
            workspace.now,
        );
        if let Some(selection) = selection {
            if selection.misses(&plan, fleet) {
                tracing::warn!("--select matches no target");
            }
            plan = selection.narrow(plan, fleet);
        }
        // Edits that can be proven one by one and not together hold their own targets, and nobody else's.
        let unproven = match render_all(tree, &plan) {
            Ok(rendered) => {
                return Ok(Computed {
                    snapshot,
                    plan,
                    rendered,
                });
            }
            Err(unproven) => unproven,
        };
        decisions = decisions
            .into_iter()
            .map(|decision| match unproven.get(&decision.target) {
                Some(error) => refused(decision, error),
                None => decision,
            })
            .collect();
    }
}

/// A change whose edits can't be proven becomes a hold with the reason, before anything is planned around it.
fn prove(decision: Decision, inputs: &Inputs) -> Decision {
    let Some(edits) = plan::edits_of(&decision, &inputs.declared) else {
        return decision;
    };
    let Err(error) = render_edits(&inputs.tree, &edits) else {
        return decision;
    };
    refused(decision, &error)
}

/// The hold of a change that the writer refuses.
fn refused(decision: Decision, error: &RenderError) -> Decision {
    let RenderError { path, line, problem } = error;
    let mut message = problem.to_string();
    let mut cause = problem.source();
    while let Some(error) = cause {
        message.push_str(&format!(": {error}"));
        cause = error.source();
    }
    let (path, line) = (Some(path.clone()), *line);
    let refusal = Refusal::WrongShape { message };
    let wanted = match decision.verdict {
        Verdict::Set(change) => Some(change),
        Verdict::Place(_) | Verdict::Open { .. } | Verdict::Hold { .. } => None,
    };
    let reasons = vec![HoldReason::NotWritable { path, line, refusal }];
    Decision {
        verdict: Verdict::Hold { wanted, reasons },
        ..decision
    }
}

/// Each proposal's files, each on the base alone: every pull request stands for itself. If some can't be proven, their targets with the reason.
pub(super) fn render_all(
    tree: &FleetTree,
    plan: &Plan,
) -> Result<BTreeMap<BranchName, Rendered>, BTreeMap<Target, RenderError>> {
    let (mut rendered, mut unproven) = (BTreeMap::new(), BTreeMap::new());
    for proposal in &plan.proposals {
        let edits: Vec<Edit> = proposal.edits().cloned().collect();
        match render_edits(tree, &edits) {
            Ok(files) => {
                rendered.insert(proposal.branch.clone(), files);
            }
            Err(error) => {
                let targets = proposal.changes.iter().map(|change| change.target.clone());
                unproven.extend(targets.map(|target| (target, error.clone())));
            }
        }
    }
    if unproven.is_empty() {
        Ok(rendered)
    } else {
        Err(unproven)
    }
}

/// The files that some edits lead to.
pub(super) fn render_edits(tree: &FleetTree, edits: &[Edit]) -> Result<Rendered, RenderError> {
    render::render(|path| read(tree, path), edits)
}

/// The bytes of a file, or none: what was not kept can't be edited, but it is there and nothing may move onto it.
fn read<'t>(tree: &'t FleetTree, path: &RepoPath) -> Option<Cow<'t, [u8]>> {
    match tree.file(path) {
        Ok(bytes) => Some(Cow::Borrowed(bytes)),
        Err(_) => tree.mode(path).map(|_| Cow::Borrowed(&[][..])),
    }
}
