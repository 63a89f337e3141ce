//! The clock and the environment: every read of either is here.

use std::path::PathBuf;

/// What the process was told by its environment.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Which log events are wanted: `RUST_LOG`, or warnings.
pub(super) fn log_filter() -> String {
    variable("RUST_LOG").unwrap_or_else(|| "warn".to_owned())
}

/// Whether the user asked for no colour (no-color.org).
pub(super) fn no_colour() -> bool {
    variable("NO_COLOR").is_some() || variable("TERM").is_some_and(|term| term == "dumb")
}

/// The program that shows differences instead of us, as kubectl knows it.
pub(super) fn external_diff() -> Option<String> {
    variable("KUBECTL_EXTERNAL_DIFF")
}

/// The user's cache folder for this program: `$XDG_CACHE_HOME/fleetscale` or `~/.cache/fleetscale`.
pub(super) fn cache() -> Option<PathBuf> {
    let base = variable("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    let base = base.or_else(|| Some(PathBuf::from(variable("HOME")?).join(".cache")))?;
    Some(base.join("fleetscale"))
}

/// A new folder of this process alone, in the system's scratch folder.
pub(super) fn scratch_folder() -> std::io::Result<PathBuf> {
    let base = std::env::temp_dir();
    for attempt in 0..100 {
        let folder = base.join(format!("fleetscale-{}-{attempt}", std::process::id()));
        match std::fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(std::io::Error::from(std::io::ErrorKind::AlreadyExists))
}
