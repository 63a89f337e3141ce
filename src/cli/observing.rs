//! The snapshot that a verb decides on: the recorded one, or one that is taken now.

use crate::error::{ErrorKind, Failure};
use crate::model::{Ledger, Snapshot};

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
