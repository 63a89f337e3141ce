//! Runs what waits on servers.

use crate::error::{ErrorKind, Failure};

/// Runs a future to its end on this thread. What it waits for at the same time, it waits for on this thread.
pub(super) fn wait<T>(future: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime =
        runtime.map_err(|error| Failure::plain(ErrorKind::Publish, format!("starting the runtime: {error}")))?;
    Ok(runtime.block_on(future))
}
