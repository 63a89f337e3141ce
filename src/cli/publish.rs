//! `publish PLAN`: a saved plan as branches and pull requests. Not "apply": Argo CD and Flux apply.

use std::path::PathBuf;

use crate::error::{ErrorKind, Failure};
use crate::model::Plan;
use crate::plan::printable;

use super::args::InputArgs;
use super::compute::render_all;
use super::inputs::Inputs;
use super::publishing::{self, carry_out};
use super::run::publishable;
use super::saved;
use super::terminal::Terminal;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The plan, as `plan --out` wrote it.
    plan: PathBuf,
    #[command(flatten)]
    inputs: InputArgs,
}

pub(super) fn run(
    Args {
        plan,
        inputs: input_args,
    }: Args,
    terminal: &Terminal,
) -> super::Outcome {
    publishable(&input_args)?;
    let plan = saved::load(&plan)?;
    let inputs = Inputs::read(&input_args, terminal)?;
    fresh(&plan, &inputs)?;
    let plan = match &input_args.select {
        Some(selection) => selection.narrow(plan, &inputs.workspace.fleet),
        None => plan,
    };
    let ledger = publishing::ledger(&inputs)?;
    let rendered = render_all(&inputs.tree, &plan).map_err(|unproven| {
        let first = unproven.into_values().next();
        first.map_or_else(
            || Failure::plain(ErrorKind::Input, "the plan's edits can't be made"),
            |error| Failure::new(ErrorKind::Input, &error),
        )
    })?;
    let scopes = carry_out(&inputs.workspace, &plan, &ledger, &rendered, false, terminal)?;
    terminal.data(&publishing::text(&scopes));
    Ok(publishing::exit_code(&scopes))
}

/// A plan is valid for exactly one base commit, and for the policies that lie in it.
fn fresh(plan: &Plan, inputs: &Inputs) -> Result<(), Failure> {
    let base = &inputs.workspace.base;
    let stale = |message: String| {
        Err(Failure::plain(ErrorKind::Input, message).with_hint("plan again, review it, and publish that"))
    };
    if plan.base != *base {
        let Plan { base: planned, .. } = plan;
        return stale(format!(
            "the plan is stale: it was made for {} at {}, which is at {} now",
            planned.branch,
            planned.commit.short(),
            base.commit.short()
        ));
    }
    if plan.policies != inputs.policies.digest {
        return stale("the plan was made with other policies than those of the base commit".to_owned());
    }
    let found = crate::plan::check(plan);
    if plan.notes != found {
        let new = found.iter().find(|note| !plan.notes.contains(note));
        let what = new.map_or(String::new(), |note| {
            let target = note
                .target
                .as_ref()
                .map_or(String::new(), |target| format!("{target} "));
            format!(" ({target}{})", printable(&note.message))
        });
        return stale(format!(
            "the plan's notes are not those that the checker finds: it was edited by hand{what}"
        ));
    }
    Ok(())
}
