//! Decisions and plans in words, for comparing them whole.

use std::fmt::Write as _;

use fleetscale::model::*;

/// A decision in words, the first line its verdict, then a line for each reason.
pub(crate) fn words(decision: &Decision) -> String {
    let Decision {
        target,
        policy: _,
        verdict,
    } = decision;
    let mut out = format!("{target}: ");
    let change = |change: &Change| format!("{} -> {} {}", change.from, change.to, change.priority);
    let _ = match verdict {
        Verdict::Set(set) => writeln!(out, "{}\n{}", change(set), lines(&set.reasons)),
        Verdict::Place(placed) => writeln!(
            out,
            "into {} on {}\n{}",
            placed.shard,
            placed.management_cluster,
            lines(&placed.reasons)
        ),
        Verdict::Open { name, reasons, .. } => writeln!(out, "open {name}\n{}", lines(reasons)),
        Verdict::Hold { wanted, reasons } => {
            let wanted = wanted
                .as_ref()
                .map_or(String::new(), |wanted| format!(" instead of {}", change(wanted)));
            let reasons: Vec<String> = reasons
                .iter()
                .map(|reason| format!("{}: {reason}", reason.id()))
                .collect();
            writeln!(out, "hold{wanted}\n{}", lines(&reasons))
        }
    };
    out
}

fn lines(reasons: &[impl std::fmt::Display]) -> String {
    let lines: Vec<String> = reasons.iter().map(|reason| format!("    {reason}")).collect();
    lines.join("\n")
}

/// The whole plan as text, without the lines that only name digests.
pub(crate) fn told(plan: &Plan) -> String {
    let text = fleetscale::plan::text(plan);
    let lines: Vec<&str> = text.lines().skip(3).map(str::trim_end).collect();
    lines.join("\n")
}
