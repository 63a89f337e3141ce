//! The words for reasons: what a plan, a pull request and `explain` say, in one place and reviewed like an interface.
//!
//! Text from outside (causes, annotations) appears as it came in. Whoever prints it for a forge or a terminal escapes it there.

use std::fmt;

use super::decision::{Evidence, Reason};
use super::hold::HoldReason;
use super::scalar::Finite;
use super::snapshot::Signal;

/// A signal's value for people: a share as a percentage, everything else as a plain number.
pub fn amount(signal: Signal, value: Finite) -> String {
    if signal.is_share() {
        format!("{} %", round(value.get() * 100.0))
    } else {
        round(value.get())
    }
}

/// One decimal, and none where it is zero.
fn round(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            metric,
            value,
            grade: _,
            at: _,
        } = self;
        write!(
            f,
            "{} {} over {}",
            metric.signal,
            amount(metric.signal, *value),
            metric.window
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AboveThreshold {
                evidence,
                threshold,
                priority,
            } => {
                write!(
                    f,
                    "{priority}: {evidence}, above {}",
                    amount(evidence.metric.signal, *threshold)
                )
            }
            Self::BelowTarget {
                evidence,
                projected,
                target,
            } => {
                let signal = evidence.metric.signal;
                write!(
                    f,
                    "{evidence}; with fewer nodes {}, below {}",
                    amount(signal, *projected),
                    amount(signal, *target)
                )
            }
            Self::Projected {
                evidence,
                nodes,
                target,
                projected,
            } => {
                let signal = evidence.metric.signal;
                write!(
                    f,
                    "{signal} is projected to be {} (measured on {nodes} nodes, target {})",
                    amount(signal, *projected),
                    amount(signal, *target)
                )
            }
            Self::Capped { needed, by } => write!(f, "{needed} needed, cut by {by}"),
            Self::Ladder { counted, count, rung } => write!(f, "{count} {counted}, the ladder's rung from {rung}"),
            Self::VersionDefault { version, value, source } => {
                write!(f, "the default of {version} is {value} ({source})")
            }
            Self::AtLimit { evidence, limit } => {
                let signal = evidence.metric.signal;
                write!(f, "{evidence}, against a limit of {}", amount(signal, *limit))
            }
            Self::Growing { evidence, baseline } => {
                let metric = baseline.metric;
                write!(
                    f,
                    "{evidence}, against {} over {}",
                    amount(metric.signal, baseline.value),
                    metric.window
                )
            }
            Self::MostRoom {
                room,
                capacity,
                others: 0,
            } => write!(
                f,
                "room for {room} of {capacity} clusters, the only shard that can take it"
            ),
            Self::MostRoom { room, capacity, others } => write!(
                f,
                "room for {room} of {capacity} clusters, the most of {} shards that can take it",
                others.saturating_add(1)
            ),
            Self::Carried { number } => write!(f, "it stays as the open pull request #{number} proposes it"),
        }
    }
}

impl fmt::Display for HoldReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InRange { summary } => f.write_str(summary),
            Self::NoPolicy => f.write_str("no policy selects it"),
            Self::PolicyConflict { policies } => write!(f, "more than one policy selects it: {}", policies.join(", ")),
            Self::Gap {
                input,
                grade,
                cause,
                blocks,
            } => match blocks {
                Some(direction) => write!(f, "no {direction}: {input} is {grade} ({cause})"),
                None => write!(f, "{input} is {grade} ({cause})"),
            },
            Self::Blind { inventory, cause } => write!(f, "the list of {inventory} is incomplete ({cause})"),
            Self::RolloutInProgress { up_to_date, replicas } => {
                write!(f, "{up_to_date} of {replicas} machines are of the newest template")
            }
            Self::NotReady { ready, replicas } => write!(f, "{ready} of {replicas} are Ready"),
            Self::Paused => f.write_str("spec.paused or cluster.x-k8s.io/paused is set, live or in Git"),
            Self::Deleting => f.write_str("its cluster is being deleted"),
            Self::CoolingDown { changed_at, until } => {
                write!(f, "it changed at {changed_at} and rests until {until}")
            }
            Self::UnknownAge => f.write_str("it is not known since when it has had its value"),
            Self::WindowClosed { opens: Some(opens) } => write!(f, "its window opens at {opens}"),
            Self::WindowClosed { opens: None } => f.write_str("its window never opens"),
            Self::AtMinimum { min } => write!(f, "bounds.min of its policy is {min}"),
            Self::AtMaximum { max } => write!(f, "bounds.max of its policy is {max}"),
            Self::OwnedByAutoscaler { min, max } => {
                write!(f, "the cluster autoscaler scales it between {min} and {max}")
            }
            Self::NotApplied { declared, live, merged } => {
                write!(f, "Git declares {declared}, live is {live}")?;
                match merged {
                    Some(number) => write!(f, ": waiting until the merged pull request #{number} is applied"),
                    None => f.write_str(": waiting until they agree"),
                }
            }
            Self::KeyNotEffective { key, declared, live } => write!(
                f,
                "the chart's values say {key}: {declared}, live is {live}: the chart may not read that key"
            ),
            Self::OtherPullRequest { number } => write!(f, "the open pull request #{number} is about it too"),
            Self::ClosedByReviewer {
                number,
                branch_deleted: true,
                until: _,
            } => write!(
                f,
                "somebody deleted the branch of pull request #{number}; not proposed again while that is open without it"
            ),
            Self::ClosedByReviewer {
                number,
                branch_deleted: false,
                until,
            } => {
                write!(
                    f,
                    "a reviewer closed pull request #{number}; not proposed again before {until} unless the need grows"
                )
            }
            Self::NotDeclared => f.write_str("it is live, but no file that was read declares it"),
            Self::NotLive => f.write_str("it is declared, but not live"),
            Self::NotWritable { path, line, refusal } => match (path, line) {
                (Some(path), 0) => write!(f, "{path}: {refusal}"),
                (Some(path), line) => write!(f, "{path}:{line}: {refusal}"),
                (None, _) => write!(f, "{refusal}"),
            },
            Self::Frozen { freeze, until } => write!(f, "by the freeze {freeze} until {until}"),
            Self::Suspended => f.write_str("its policy says suspend: true"),
            Self::ReportOnly => f.write_str("its policy says mode: report"),
            Self::HeldByAnnotation { reason, until } => {
                write!(f, "fleetscale.io/hold: {reason}")?;
                until.map_or(Ok(()), |until| write!(f, " (until {until})"))
            }
            Self::BudgetExhausted { budget } => f.write_str(budget),
            Self::WouldOvershoot {
                metric,
                projected,
                bound,
            } => write!(
                f,
                "{} over {} would be {} with fewer nodes, above {}",
                metric.signal,
                metric.window,
                amount(metric.signal, *projected),
                amount(metric.signal, *bound)
            ),
            Self::AboveTarget { metric, value, target } => write!(
                f,
                "{} {} over {}, between the target of {} and what scales up: nothing new is asked for",
                metric.signal,
                amount(metric.signal, *value),
                metric.window,
                amount(metric.signal, *target)
            ),
            Self::NoEvidence { looked_for } => f.write_str(looked_for),
            Self::BelowDefault { version, default } => {
                write!(f, "not above {default}, which is the default of {version}")
            }
            Self::UnknownFlag { version } => write!(f, "{version} does not know the flag and would not start with it"),
            Self::NoRoom { shards } => write!(f, "no shard can take it: {}", shards.join("; ")),
            Self::AlreadyPlaced { at } => write!(f, "a cluster of that name exists already: {at}"),
        }
    }
}
