//! The plan as a person reads it: what changes and why, what is held and why, and one line with the counts.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::model::{Decision, Grade, HoldReason, Plan, ProposedAction, Severity, Unbound, Verdict, is_held};

/// The whole plan as text. Text from outside is made harmless for a terminal.
pub fn text(plan: &Plan) -> String {
    let Plan {
        api_version: _,
        kind: _,
        base,
        snapshot,
        policies,
        now,
        proposals: _,
        standing,
        held: _,
        notes,
    } = plan;
    let mut out = String::new();
    let _ = writeln!(out, "Plan for {} at {}, as of {now}", base.branch, base.commit.short());
    let _ = writeln!(out, "snapshot {}, policies {}\n", snapshot.short(), policies.short());
    out.push_str(&changes_table(plan));
    out.push_str(&holds(plan));
    for standing in standing {
        let verb = if standing.keep {
            "stays open as it is"
        } else {
            "is withdrawn"
        };
        let _ = writeln!(out, "Pull request #{} ({}) {verb}:", standing.number, standing.branch);
        for of_target in &standing.reasons {
            let _ = writeln!(out, "  {}: {}", of_target.target, join(&of_target.reasons));
        }
        out.push('\n');
    }
    for note in notes {
        let word = match note.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let target = note
            .target
            .as_ref()
            .map_or(String::new(), |target| format!("{target} "));
        let _ = writeln!(out, "{word}: {target}{}", note.message);
    }
    let _ = writeln!(out, "{}", plan.summary());
    out
}

/// What changes, by proposal: target, from and to, why.
pub fn changes_table(plan: &Plan) -> String {
    let mut out = String::new();
    if plan.proposals.is_empty() {
        out.push_str("Nothing to change.\n\n");
        return out;
    }
    let targets = plan.proposals.iter().flat_map(|proposal| &proposal.changes);
    let rows = targets.map(|change| (change.target.to_string().len(), arrow(&change.action).len()));
    let (wide, narrow) = rows.fold((6, 10), |(wide, narrow), (target, arrow)| {
        (wide.max(target), narrow.max(arrow))
    });
    let _ = writeln!(out, "  {:wide$}  {:narrow$}  WHY", "TARGET", "FROM -> TO");
    for proposal in &plan.proposals {
        for change in &proposal.changes {
            let mut reasons = super::reasons(&change.action).iter();
            let first = reasons
                .next()
                .map(|reason| printable(&reason.to_string()))
                .unwrap_or_default();
            let _ = writeln!(
                out,
                "  {:wide$}  {:narrow$}  {first}",
                change.target,
                arrow(&change.action)
            );
            for reason in reasons {
                let _ = writeln!(
                    out,
                    "  {:wide$}  {:narrow$}  {}",
                    "",
                    "",
                    printable(&reason.to_string())
                );
            }
        }
    }
    out.push('\n');
    out
}

fn arrow(action: &ProposedAction) -> String {
    match action {
        ProposedAction::Set(change) => format!("{} -> {}", change.from, change.to),
        ProposedAction::Place(placement) => format!("-> {}", placement.shard),
    }
}

/// What is held, with every reason.
pub fn holds(plan: &Plan) -> String {
    let mut out = String::new();
    let held: Vec<&Decision> = plan.held.iter().filter(|decision| is_held(decision)).collect();
    if held.is_empty() {
        return out;
    }
    let wide = held
        .iter()
        .map(|decision| decision.target.to_string().len())
        .max()
        .unwrap_or(0)
        .max(4);
    let _ = writeln!(out, "  {:wide$}  WHY", "HELD");
    for decision in held {
        let Verdict::Hold { wanted, reasons } = &decision.verdict else {
            continue;
        };
        let mut lines = lines(reasons).into_iter();
        let wanted = wanted.as_ref().map_or(String::new(), |change| {
            format!(" (wanted {} -> {})", change.from, change.to)
        });
        let first = lines.next().unwrap_or_default();
        let _ = writeln!(out, "  {:wide$}  {first}{wanted}", decision.target);
        for line in lines {
            let _ = writeln!(out, "  {:wide$}  {line}", "");
        }
    }
    out.push('\n');
    out
}

/// One line for each reason; inputs that are missing for one and the same cause share theirs.
fn lines(reasons: &[HoldReason]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut gaps: BTreeMap<(Grade, &str), Vec<&str>> = BTreeMap::new();
    for reason in reasons {
        match reason {
            HoldReason::Gap {
                input,
                grade,
                cause,
                blocks: _,
            } => gaps.entry((*grade, cause)).or_default().push(input),
            HoldReason::InRange { .. } => {}
            _ => lines.push(format!("{}: {}", reason.id(), printable(&reason.to_string()))),
        }
    }
    let gaps = gaps.into_iter().map(|((grade, cause), inputs)| {
        let verb = if inputs.len() == 1 { "is" } else { "are" };
        format!("gap: {} {verb} {grade} ({})", inputs.join(", "), printable(cause))
    });
    gaps.chain(lines).collect()
}

/// What looked as if it declared a target but can't be bound.
pub fn unbound(found: &[Unbound]) -> String {
    let mut out = String::new();
    for Unbound {
        path,
        line,
        what,
        refusal,
    } in found
    {
        let line = if *line == 0 { String::new() } else { format!(":{line}") };
        let _ = writeln!(
            out,
            "{path}{line}: {}: {}",
            printable(what),
            printable(&refusal.to_string())
        );
    }
    out
}

/// All reasons on one line. What was measured is told only where nothing else is.
fn join(reasons: &[HoldReason]) -> String {
    let telling = |reason: &&HoldReason| reasons.len() == 1 || !matches!(reason, HoldReason::InRange { .. });
    let texts = reasons.iter().filter(telling);
    let texts: Vec<String> = texts.map(|reason| printable(&reason.to_string())).collect();
    texts.join("; ")
}

/// Text from outside on one line of a terminal: control and direction characters become visible, and a very long one is cut.
pub fn printable(text: &str) -> String {
    const LONGEST: usize = 400;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => visible(&text[..end]) + "…",
        None => visible(text),
    }
}

/// The same at its full length.
pub fn visible(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        let hidden =
            matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
        if c.is_control() || hidden {
            out.extend(c.escape_unicode())
        } else {
            out.push(c)
        }
    }
    out
}
