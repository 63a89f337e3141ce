//! Tracing to stderr, as text for people or as JSON for collectors. Stdout is for data alone.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One line of text per event.
    Text,
    /// One JSON object per event.
    Json,
}

/// Installs the subscriber once per process. A second call changes nothing.
///
/// `filter` is in the form of `RUST_LOG`; what can't be read of it is left out.
pub fn install(format: LogFormat, filter: &str, colour: bool) {
    let filter = EnvFilter::builder().parse_lossy(filter);
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colour)
        .with_span_events(FmtSpan::NONE);
    // An error means that a subscriber is there already: tests run many verbs in one process.
    let _ = match format {
        LogFormat::Text => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}
