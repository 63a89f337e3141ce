//! `diff`: what a plan would change in the fleet repository. Exits with 0 for nothing, 1 for differences, more for an error, as kubectl.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{ErrorKind, Failure};
use crate::model::{Edit, Plan};
use crate::render::{Rendered, unified_diff};

use super::args::InputArgs;
use super::clock;
use super::compute::{compute, render_edits};
use super::inputs::Inputs;
use super::observing;
use super::publishing;
use super::saved;
use super::terminal::Terminal;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A saved plan; without it, one is made of the inputs.
    plan: Option<PathBuf>,
    #[command(flatten)]
    inputs: InputArgs,
}

/// The exit code for an error: 1 means that there are differences.
pub(super) const TROUBLE: u8 = 2;

pub(super) fn run(args: Args, terminal: &Terminal) -> super::Outcome {
    // An error must not look like a difference.
    differences(args, terminal).or_else(|failure| {
        terminal.talk(&format!("{failure}\n"));
        Ok(TROUBLE)
    })
}

fn differences(args: Args, terminal: &Terminal) -> super::Outcome {
    let Args {
        plan,
        inputs: mut input_args,
    } = args;
    let saved = plan.map(|path| saved::load(&path)).transpose()?;
    if let Some(plan) = &saved {
        // The plan's own base is what it is valid for.
        input_args.reference.get_or_insert_with(|| plan.base.commit.to_string());
    }
    let inputs = Inputs::read(&input_args, terminal)?;
    let plan = match (saved, &input_args.select) {
        (Some(plan), Some(selection)) => selection.narrow(plan, &inputs.workspace.fleet),
        (Some(plan), None) => plan,
        (None, selection) => {
            let ledger = publishing::ledger_of_files(&inputs, &input_args)?;
            let snapshot = observing::snapshot(&inputs, ledger, terminal)?;
            compute(&inputs, snapshot, selection.as_ref())?.plan
        }
    };
    let rendered = render_together(&inputs, &plan)?;
    if let Some(program) = clock::external_diff() {
        return external(&program, &rendered);
    }
    let diff = unified_diff(&rendered);
    terminal.data(&terminal.coloured_diff(&diff));
    Ok(u8::from(!diff.is_empty()))
}

/// All proposals in one: what the repository would look like with all of them merged.
fn render_together(inputs: &Inputs, plan: &Plan) -> Result<Rendered, Failure> {
    let edits: Vec<Edit> = plan
        .proposals
        .iter()
        .flat_map(|proposal| proposal.edits().cloned())
        .collect();
    render_edits(&inputs.tree, &edits).map_err(|error| {
        Failure::new(ErrorKind::Input, &error)
            .with_hint("if the plan was saved for another commit, make it anew, or name its commit with --ref")
    })
}

/// Hands two folders to another program, as kubectl does with KUBECTL_EXTERNAL_DIFF.
fn external(program: &str, rendered: &Rendered) -> super::Outcome {
    let failed = |error: std::io::Error| Failure::plain(ErrorKind::Input, format!("running {program}: {error}"));
    let folder = clock::scratch_folder(None).map_err(failed)?;
    let (live, merged) = (folder.join("LIVE"), folder.join("MERGED"));
    for (path, file) in &rendered.files {
        write_below(&live, file.from.as_str(), &file.before).map_err(failed)?;
        write_below(&merged, path.as_str(), &file.after).map_err(failed)?;
    }
    if rendered.files.is_empty() {
        return Ok(0);
    }
    let mut words = program.split_whitespace();
    let status = Command::new(words.next().unwrap_or("diff"))
        .args(words)
        .arg(&live)
        .arg(&merged)
        .status();
    // What could not be removed is in the system's own scratch folder.
    let _ = std::fs::remove_dir_all(&folder);
    let code = status.map_err(failed)?.code().unwrap_or(i32::from(TROUBLE));
    Ok(u8::try_from(code).unwrap_or(TROUBLE))
}

fn write_below(folder: &Path, path: &str, bytes: &[u8]) -> std::io::Result<()> {
    let file = folder.join(path);
    if let Some(parent) = file.parent() {
        std::fs::create_dir_all(parent)?;
    }
    std::fs::write(file, bytes)
}
