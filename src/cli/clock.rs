//! The clock and the environment: every read of either is here.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

/// What the process was told by its environment.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Which log events are wanted: `RUST_LOG`, or warnings. What kube's client calls an error is a try that failed; ours say what came of it.
pub(super) fn log_filter() -> String {
    variable("RUST_LOG").unwrap_or_else(|| "warn,kube_client=off".to_owned())
}

/// Whether the user asked for no colour (no-color.org).
pub(super) fn no_colour() -> bool {
    variable("NO_COLOR").is_some() || variable("TERM").is_some_and(|term| term == "dumb")
}

/// The program that shows differences instead of us, as kubectl knows it.
pub(super) fn external_diff() -> Option<String> {
    variable("KUBECTL_EXTERNAL_DIFF")
}

/// The secret in a variable that the fleet file names.
pub(super) fn secret(name: &str) -> Option<String> {
    variable(name)
}

/// What time it is: read once by a verb that asks the clusters.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
pub(super) fn now() -> Timestamp {
    Timestamp::now()
}

/// The kubeconfig file that kubectl would use: the first of `KUBECONFIG`, or `~/.kube/config`.
pub(super) fn kubeconfig() -> Option<PathBuf> {
    let named =
        variable("KUBECONFIG").and_then(|list| std::env::split_paths(&list).find(|path| !path.as_os_str().is_empty()));
    named.or_else(|| Some(PathBuf::from(variable("HOME")?).join(".kube/config")))
}

/// The address of the API server that a pod is told of.
pub(super) fn in_cluster_server() -> Option<String> {
    let (host, port) = (
        variable("KUBERNETES_SERVICE_HOST")?,
        variable("KUBERNETES_SERVICE_PORT")?,
    );
    // An IPv6 address stands in brackets.
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    Some(format!("https://{host}:{port}"))
}

/// The user's cache folder for this program: `$XDG_CACHE_HOME/fleetscale` or `~/.cache/fleetscale`.
pub(super) fn cache() -> Option<PathBuf> {
    let base = variable("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    let base = base.or_else(|| Some(PathBuf::from(variable("HOME")?).join(".cache")))?;
    Some(base.join("fleetscale"))
}

/// A new folder of this process alone, within a folder or the system's scratch folder.
pub(super) fn scratch_folder(within: Option<&Path>) -> std::io::Result<PathBuf> {
    let base = within.map_or_else(std::env::temp_dir, Path::to_owned);
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
