//! `explain TARGET`: the verdict, its reasons, the measurements behind it, and what would change it.

use std::fmt::Write as _;

use serde::Serialize;

use crate::error::{ErrorKind, Failure};
use crate::model::{
    Binding, Decision, Grade, Measurement, MetricKey, Placement, Plan, ProposedAction, ProposedChange, RepoPath, Site,
    Target, Verdict,
};
use crate::plan::printable;

use super::args::{Format, InputArgs};
use super::compute::{Computed, compute};
use super::inputs::Inputs;
use super::observing;
use super::publishing;
use super::saved;
use super::terminal::Terminal;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The target, or any part of it that no other target has: `blue/md-0`.
    target: String,
    #[command(flatten)]
    inputs: InputArgs,
    /// How to print it.
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
}

/// Everything that is known about one target.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Explanation {
    decision: Decision,
    #[serde(skip_serializing_if = "Option::is_none")]
    branch: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    declared: Option<Binding>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<RepoPath>,
    measurements: Vec<(String, Measurement)>,
}

pub(super) fn run(
    Args {
        target,
        inputs: input_args,
        output,
    }: Args,
    terminal: &Terminal,
) -> super::Outcome {
    let inputs = Inputs::read(&input_args, terminal)?;
    let ledger = publishing::ledger_to_answer(&inputs, &input_args)?;
    let snapshot = observing::snapshot(&inputs, ledger, terminal)?;
    let Computed { plan, snapshot, .. } = compute(&inputs, snapshot, None)?;
    let target = find(&target, &plan)?;
    let (decision, branch) = verdict(&target, &plan)?;
    let explanation = Explanation {
        decision,
        branch,
        declared: inputs.declared.bindings.get(&target).cloned(),
        request: inputs
            .declared
            .requests
            .get(&target)
            .map(|request| request.path.clone()),
        measurements: measurements(&target, &snapshot),
    };
    let text = match output {
        Format::Text => words(&target, &explanation),
        Format::Json => saved::json(&explanation)?,
        Format::Yaml => saved::yaml(&explanation)?,
    };
    terminal.data(&text);
    Ok(0)
}

fn all(plan: &Plan) -> impl Iterator<Item = &Target> {
    let proposed = plan
        .proposals
        .iter()
        .flat_map(|proposal| &proposal.changes)
        .map(|change| &change.target);
    proposed.chain(plan.held.iter().map(|decision| &decision.target))
}

/// The one target that is meant.
fn find(text: &str, plan: &Plan) -> Result<Target, Failure> {
    if let Some(exact) = all(plan).find(|target| target.to_string() == text) {
        return Ok(exact.clone());
    }
    let mut found: Vec<&Target> = all(plan).filter(|target| target.to_string().contains(text)).collect();
    found.sort();
    match found[..] {
        [target] => Ok(target.clone()),
        [] => {
            let nothing = Failure::plain(
                ErrorKind::Usage,
                format!("no target is called {text}, live or declared"),
            );
            Err(nothing.with_hint(
                "`fleetscale plan -o json` lists every target; a file that could not be bound is listed by `plan`",
            ))
        }
        _ => {
            let names: Vec<String> = found.iter().take(20).map(|target| format!("  {target}")).collect();
            Err(Failure::plain(
                ErrorKind::Usage,
                format!("{text} could be {} targets:\n{}", found.len(), names.join("\n")),
            ))
        }
    }
}

fn verdict(target: &Target, plan: &Plan) -> Result<(Decision, Option<String>), Failure> {
    for proposal in &plan.proposals {
        if let Some(ProposedChange {
            target,
            policy,
            action,
            edits: _,
        }) = proposal.changes.iter().find(|c| c.target == *target)
        {
            let verdict = match action {
                ProposedAction::Set(change) => Verdict::Set(change.clone()),
                ProposedAction::Place(placement) => Verdict::Place(placement.clone()),
            };
            let decision = Decision {
                target: target.clone(),
                policy: Some(policy.clone()),
                verdict,
            };
            return Ok((decision, Some(proposal.branch.to_string())));
        }
    }
    let held = plan.held.iter().find(|decision| decision.target == *target);
    held.map(|decision| (decision.clone(), None))
        .ok_or_else(|| Failure::plain(ErrorKind::Usage, format!("{target} has no verdict in this plan")))
}

fn measurements(target: &Target, snapshot: &crate::model::Snapshot) -> Vec<(String, Measurement)> {
    let live = target
        .management_cluster()
        .and_then(|name| snapshot.live.management_clusters.get(name));
    let Some(live) = live else { return Vec::new() };
    let by_key = |found: &std::collections::BTreeMap<MetricKey, Measurement>| {
        found
            .iter()
            .map(|(key, measurement)| (key.to_string(), measurement.clone()))
            .collect()
    };
    match target {
        Target::NodeGroup(key) => live
            .clusters
            .get(&key.namespace)
            .and_then(|clusters| clusters.get(&key.cluster)?.node_groups.get(&key.group))
            .map_or_else(Vec::new, |group| by_key(&group.measurements)),
        Target::Platform { component, .. } => live.platforms.get(component).map_or_else(Vec::new, |platform| {
            vec![("tenants".to_owned(), platform.tenants.clone())]
        }),
        Target::Controller { component, .. } => live
            .controllers
            .get(component)
            .map_or_else(Vec::new, |controller| by_key(&controller.measurements)),
        Target::Placement { .. }
        | Target::NodeGroupBound { .. }
        | Target::ControlPlane { .. }
        | Target::Resources { .. } => Vec::new(),
    }
}

fn words(target: &Target, explanation: &Explanation) -> String {
    let Explanation {
        decision,
        branch,
        declared,
        request,
        measurements,
    } = explanation;
    let mut out = format!("{target}\n");
    let policy = decision.policy.as_ref().map_or("none".to_owned(), ToString::to_string);
    let _ = writeln!(out, "  policy    {policy}");
    if let Some(request) = request {
        let _ = writeln!(out, "  request   {request}");
    }
    if let Some(Binding {
        value, site, unscaled, ..
    }) = declared
    {
        let value = value.as_ref().map_or("nothing".to_owned(), ToString::to_string);
        let place = match site {
            Site::Writable(place) => format!("{}:{} ({} {})", place.path, place.line, place.object, place.pointer),
            Site::Refused { path, line, refusal } => {
                let path = path.as_ref().map_or("nowhere".to_owned(), ToString::to_string);
                format!("{path}:{line}: {refusal}")
            }
        };
        let _ = writeln!(out, "  declared  {} at {}", printable(&value), printable(&place));
        if let Some(unscaled) = unscaled {
            let _ = writeln!(out, "    {}", printable(unscaled));
        }
    }
    match &decision.verdict {
        Verdict::Set(change) => {
            let _ = writeln!(
                out,
                "  verdict   {} -> {} ({})",
                change.from, change.to, change.priority
            );
            for reason in &change.reasons {
                let _ = writeln!(out, "    because {}", printable(&reason.to_string()));
            }
        }
        Verdict::Place(Placement {
            shard,
            management_cluster,
            namespace,
            reasons,
        }) => {
            let _ = writeln!(
                out,
                "  verdict   into shard {shard} ({management_cluster}, namespace {namespace})"
            );
            for reason in reasons {
                let _ = writeln!(out, "    because {}", printable(&reason.to_string()));
            }
        }
        Verdict::Open {
            template,
            name,
            reasons: _,
        } => {
            let _ = writeln!(out, "  verdict   open {name} from {template}");
        }
        Verdict::Hold { wanted, reasons } => {
            let wanted = wanted.as_ref().map_or(String::new(), |change| {
                format!(", though {} -> {} is wanted", change.from, change.to)
            });
            let _ = writeln!(out, "  verdict   hold{wanted}");
            for reason in reasons {
                let _ = writeln!(out, "    {}: {}", reason.id(), printable(&reason.to_string()));
                let _ = writeln!(out, "      way out: {}", reason.way_out());
            }
        }
    }
    if let Some(branch) = branch {
        let _ = writeln!(out, "  proposed  on branch {branch}");
    }
    if !measurements.is_empty() {
        let _ = writeln!(out, "  measured");
    }
    for (name, measurement) in measurements {
        let Measurement {
            value,
            grade,
            at,
            coverage,
            nodes,
            cause,
        } = measurement;
        let value = value.map_or("no value".to_owned(), |value| value.to_string());
        let mut line = format!("    {name:<20} {value:<10} {grade}");
        if let Some(at) = at {
            let _ = write!(line, ", newest sample {at}");
        }
        if let Some(coverage) = coverage.filter(|share| share.get() < 1.0) {
            let _ = write!(line, ", {:.0} % of the samples", coverage.get() * 100.0);
        }
        if let Some(nodes) = nodes {
            let _ = write!(line, ", {} of {} nodes", nodes.seen, nodes.expected);
        }
        if let Some(cause) = cause.as_ref().filter(|_| *grade != Grade::Fresh) {
            let _ = write!(line, " ({})", printable(cause));
        }
        let _ = writeln!(out, "{line}");
    }
    out
}
