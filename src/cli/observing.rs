//! The snapshot that a verb decides on: the recorded one, or one that is taken now.

use crate::error::{ErrorKind, Failure};
use crate::model::{Ledger, Snapshot};
use crate::plan::printable;

use super::inputs::Inputs;
use super::terminal::Terminal;

/// The live half, recorded or observed, with the ledger that was read for this verb.
pub(super) fn snapshot(inputs: &Inputs, ledger: Ledger, _terminal: &Terminal) -> Result<Snapshot, Failure> {
    match &inputs.workspace.recorded {
        Some(recorded) => Ok(Snapshot {
            ledger,
            ..recorded.clone()
        }),
        None => Err(
            Failure::plain(ErrorKind::Input, "there is no snapshot to decide on").with_hint(
                "name one with --snapshot FILE, or in the fleet file as spec.source.snapshot; or name the clusters there (`kubernetes`)",
            ),
        ),
    }
}

/// What a snapshot does not know, one line each, most of all for whoever asks why nothing was done.
pub(super) fn not_seen(snapshot: &Snapshot) -> String {
    let clusters = snapshot.live.management_clusters.iter();
    let lines: Vec<String> = clusters
        .flat_map(|(name, live)| {
            let mut gaps: Vec<_> = live.gaps.iter().collect();
            gaps.sort();
            gaps.into_iter()
                .map(move |gap| format!("  {name}: {}: {}\n", gap.what, printable(&gap.cause)))
        })
        .collect();
    if lines.is_empty() {
        return String::new();
    }
    format!("not seen ({}):\n{}", lines.len(), lines.concat())
}

/// The exit code that a snapshot leads to: partial, if it lacks a part of what was asked for.
pub(super) fn exit_code(snapshot: &Snapshot) -> u8 {
    let mut clusters = snapshot.live.management_clusters.values();
    if clusters.any(|live| !live.gaps.is_empty()) {
        2
    } else {
        0
    }
}
