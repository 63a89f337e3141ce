//! The pure middle of every verb: inputs in, plan and new bytes out. Nothing is read or written here.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::decide;
use crate::error::{ErrorKind, Failure};
use crate::fleet::FleetTree;
use crate::model::{BranchName, Decision, Edit, HoldReason, Ledger, Plan, Refusal, RepoPath, Snapshot, Verdict};
use crate::plan;
use crate::render::{self, Rendered};

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
pub(super) fn compute(inputs: &Inputs, ledger: Ledger, selection: Option<&Selection>) -> Result<Computed, Failure> {
    let Inputs {
        workspace,
        policies,
        tree,
        declared,
    } = inputs;
    let fleet = &workspace.fleet;
    let snapshot = Snapshot {
        ledger,
        ..workspace.snapshot.clone()
    };
    let decisions = decide::decide(fleet, policies, &snapshot, declared, workspace.now);
    let decisions = decisions.into_iter().map(|decision| prove(decision, inputs)).collect();
    let stands_on = plan::Inputs {
        base: workspace.base.clone(),
        snapshot: snapshot.digest(),
        policies: policies.digest.clone(),
    };
    let mut plan = plan::plan(
        decisions,
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
    let rendered = render_all(tree, &plan)?;
    Ok(Computed {
        snapshot,
        plan,
        rendered,
    })
}

/// A change whose edits can't be proven becomes a hold with the reason, before anything is planned around it.
fn prove(decision: Decision, inputs: &Inputs) -> Decision {
    let Some(edits) = plan::edits_of(&decision, &inputs.declared) else {
        return decision;
    };
    let Err(error) = render_edits(&inputs.tree, &edits) else {
        return decision;
    };
    let path = edits.first().map(|edit| edit.path().clone());
    let refusal = Refusal::WrongShape {
        message: error.to_string(),
    };
    let wanted = match decision.verdict {
        Verdict::Set(change) => Some(change),
        Verdict::Place(_) | Verdict::Open { .. } | Verdict::Hold { .. } => None,
    };
    let reasons = vec![HoldReason::NotWritable { path, line: 0, refusal }];
    Decision {
        verdict: Verdict::Hold { wanted, reasons },
        ..decision
    }
}

/// Each proposal's files, each on the base alone: every pull request stands for itself.
pub(super) fn render_all(tree: &FleetTree, plan: &Plan) -> Result<BTreeMap<BranchName, Rendered>, Failure> {
    let proposals = plan.proposals.iter();
    proposals
        .map(|proposal| {
            let edits: Vec<Edit> = proposal.edits().cloned().collect();
            let rendered = render_edits(tree, &edits).map_err(|error| Failure::new(ErrorKind::Input, &error))?;
            Ok((proposal.branch.clone(), rendered))
        })
        .collect()
}

/// The files that some edits lead to.
pub(super) fn render_edits(tree: &FleetTree, edits: &[Edit]) -> Result<Rendered, render::RenderError> {
    render::render(|path| read(tree, path), edits)
}

/// The bytes of a file, or none: what was not kept can't be edited, but it is there and nothing may move onto it.
fn read<'t>(tree: &'t FleetTree, path: &RepoPath) -> Option<Cow<'t, [u8]>> {
    match tree.file(path) {
        Ok(bytes) => Some(Cow::Borrowed(bytes)),
        Err(_) => tree.mode(path).map(|_| Cow::Borrowed(&[][..])),
    }
}
