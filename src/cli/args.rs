//! Flags that several verbs share, spelled once.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use crate::telemetry::LogFormat;

use super::select::Selection;

/// Flags of every verb.
#[derive(Debug, Args)]
pub(super) struct GlobalArgs {
    /// How log lines on stderr look.
    #[arg(long, global = true, value_enum, value_name = "FORMAT")]
    pub(super) log_format: Option<LogFormatArg>,
    /// When to colour.
    #[arg(long, global = true, value_enum, value_name = "WHEN")]
    pub(super) color: Option<Color>,
}

/// The formats of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormatArg {
    /// One line of text per event.
    Text,
    /// One JSON object per event.
    Json,
}

impl LogFormatArg {
    pub(super) fn format(self) -> LogFormat {
        match self {
            Self::Text => LogFormat::Text,
            Self::Json => LogFormat::Json,
        }
    }
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Where a verb's inputs come from.
#[derive(Debug, Clone, Args)]
pub(super) struct InputArgs {
    /// The fleet file.
    #[arg(long, value_name = "FILE")]
    pub(super) fleet: PathBuf,
    /// The fleet repository, instead of the fleet file's: a path or an HTTP URL.
    #[arg(long, value_name = "PATH|URL")]
    pub(super) repo: Option<String>,
    /// The branch, tag or commit to read, instead of the fleet file's branch. `run` and `publish` propose into the branch.
    #[arg(long = "ref", value_name = "NAME")]
    pub(super) reference: Option<String>,
    /// A recorded snapshot, instead of the fleet file's source.
    #[arg(long, value_name = "FILE")]
    pub(super) snapshot: Option<PathBuf>,
    /// Read the policies from this folder on disk, instead of the repository's base commit. Nothing is published from them.
    #[arg(long, value_name = "DIR")]
    pub(super) policies: Option<PathBuf>,
    /// Only these targets: `region=`, `cluster=`, `group=`, `kind=`, separated by commas; `*` matches any text.
    #[arg(long, value_name = "KEY=VALUE,...")]
    pub(super) select: Option<Selection>,
    /// The time of the decision (RFC 3339), instead of the snapshot's.
    #[arg(long, value_name = "TIME")]
    pub(super) now: Option<Timestamp>,
    /// Where the imported repository and the local forge live. Default: a folder of the user's cache, named by what is imported.
    #[arg(long, value_name = "DIR")]
    pub(super) work_dir: Option<PathBuf>,
}

impl InputArgs {
    /// The inputs that a fleet file names by itself.
    pub(super) fn of_fleet(fleet: PathBuf) -> Self {
        Self {
            fleet,
            repo: None,
            reference: None,
            snapshot: None,
            policies: None,
            select: None,
            now: None,
            work_dir: None,
        }
    }
}

/// How a plan is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For programs and people.
    Yaml,
}
