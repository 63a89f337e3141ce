//! Runs what waits on servers.

use crate::error::{ErrorKind, Failure};

/// Runs a future to its end on this thread. What it waits for at the same time, it waits for on this thread.
///
/// What it left behind is not waited for: a look-up of a name has no deadline of its own, and ends with the process if not before.
pub(super) fn wait<T>(future: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime =
        runtime.map_err(|error| Failure::plain(ErrorKind::Publish, format!("starting the runtime: {error}")))?;
    let result = runtime.block_on(future);
    runtime.shutdown_background();
    Ok(result)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn what_is_left_behind_is_not_waited_for() {
        let (release, released) = channel::<()>();
        let began = wait(async {
            let (begin, began) = tokio::sync::oneshot::channel();
            // As tokio looks names up: on a thread that nothing interrupts.
            drop(tokio::task::spawn_blocking(move || {
                let _ = begin.send(());
                let _ = released.recv();
            }));
            began.await
        });
        assert!(began.unwrap().is_ok());
        drop(release);
    }
}
