//! The lines of a check: their states, the table that a person reads, and the exit code.

use std::fmt::Write as _;

use jiff::SignedDuration;
use serde::Serialize;

use crate::error::{ErrorKind, Failure};
use crate::observe::ClockReading;
use crate::plan::printable;

/// How much a clock may differ before it is told. What is decided on is refused if it is further in the future than that.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(30);

/// How it stands with a dependency, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum State {
    Ok,
    Warning,
    Failed,
}

/// What is depended on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    FleetFile,
    Git,
    Policies,
    Forge,
    Snapshot,
    ApiServer,
    Prometheus,
}

/// One dependency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Line {
    pub(super) state: State,
    kind: Kind,
    /// Which one: a path, an address, a management cluster.
    name: String,
    /// What is to be said of it in one line.
    says: String,
    /// What is wrong or doubtful, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) notes: Vec<String>,
    /// What its failure has the process exit with, if it is not a consequence of another one.
    #[serde(skip)]
    exit: u8,
}

/// The report for programs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report<'a> {
    state: State,
    checks: &'a [Line],
}

impl Kind {
    fn words(self) -> &'static str {
        match self {
            Self::FleetFile => "fleet file",
            Self::Git => "git",
            Self::Policies => "policies",
            Self::Forge => "forge",
            Self::Snapshot => "snapshot",
            Self::ApiServer => "API server",
            Self::Prometheus => "Prometheus",
        }
    }

    /// What a failure of it has the process exit with: the codes of `run`.
    fn exit(self) -> u8 {
        match self {
            Self::FleetFile | Self::Policies => ErrorKind::Policy.exit_code(),
            Self::Git | Self::Forge => ErrorKind::Publish.exit_code(),
            Self::Snapshot => ErrorKind::Input.exit_code(),
            Self::ApiServer | Self::Prometheus => 2,
        }
    }
}

impl Line {
    pub(super) fn ok(kind: Kind, name: &str, says: String) -> Self {
        Self {
            state: State::Ok,
            kind,
            name: name.to_owned(),
            says,
            notes: Vec::new(),
            exit: 0,
        }
    }

    /// One of which something lacks.
    pub(super) fn broken(kind: Kind, name: &str, says: String) -> Self {
        Self {
            state: State::Failed,
            exit: kind.exit(),
            ..Self::ok(kind, name, says)
        }
    }

    /// One of which nothing is known since another one failed.
    pub(super) fn unknown(kind: Kind, name: &str, says: &str) -> Self {
        Self {
            state: State::Failed,
            ..Self::ok(kind, name, says.to_owned())
        }
    }

    /// One that could not be used at all.
    pub(super) fn failed(kind: Kind, name: &str, failure: &Failure) -> Self {
        let mut lines = failure.message.lines().map(|line| line.trim().to_owned());
        let says = lines.next().unwrap_or_default();
        let hint = failure.hint.as_ref().map(|hint| format!("hint: {hint}"));
        Self {
            notes: lines.chain(hint).collect(),
            ..Self::broken(kind, name, says)
        }
    }

    /// The same with what is doubtful about it.
    pub(super) fn with_warnings(mut self, warnings: impl IntoIterator<Item = String>) -> Self {
        self.notes.extend(warnings);
        if !self.notes.is_empty() {
            self.state = self.state.max(State::Warning);
        }
        self
    }
}

/// The clock of a server, if it differs from ours by more than what is harmless: by how much, and which way.
pub(super) fn clock_differs(reading: ClockReading) -> Option<String> {
    let ClockReading {
        server,
        asked,
        answered,
    } = reading;
    let server = server?;
    // It was read at some time between the two.
    let (apart, which) = if server > answered {
        (server.duration_since(answered), "ahead of")
    } else {
        (asked.duration_since(server), "behind")
    };
    (apart > CLOCK_SKEW).then(|| {
        let seconds = apart.as_secs();
        format!("its clock is {seconds} s {which} ours; more than 30 s spoils ages and windows: look at NTP on both")
    })
}

pub(super) fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

pub(super) fn of_programs(lines: &[Line]) -> Report<'_> {
    Report {
        state: lines.iter().map(|line| line.state).max().unwrap_or(State::Ok),
        checks: lines,
    }
}

/// The table, with what needs a person's eye below its line, and a last line that sums up.
pub(super) fn text(lines: &[Line]) -> String {
    let word = |state: State| match state {
        State::Ok => "ok",
        State::Warning => "warning",
        State::Failed => "failed",
    };
    let names: Vec<String> = lines.iter().map(|line| printable(&line.name)).collect();
    let wide = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(4);
    let mut out = String::new();
    let _ = writeln!(out, "{:<7}  {:<10}  {:<wide$}  SAYS", "STATE", "WHAT", "NAME");
    for (line, name) in lines.iter().zip(&names) {
        let (state, what, says) = (word(line.state), line.kind.words(), printable(&line.says));
        let _ = writeln!(out, "{state:<7}  {what:<10}  {name:<wide$}  {says}");
        for note in &line.notes {
            let _ = writeln!(out, "{:<7}  - {}", "", printable(note));
        }
    }
    let count = |wanted: State| lines.iter().filter(|line| line.state == wanted).count();
    let _ = writeln!(
        out,
        "\n{}: {} ok, {}, {} failed",
        counted(lines.len(), "check"),
        count(State::Ok),
        counted(count(State::Warning), "warning"),
        count(State::Failed)
    );
    out
}

/// 0 if nothing failed. Else 3 for fleet file and policies, 4 for Git and the forge, 1 for a snapshot, 2 for a region's server: the first of
/// these that applies, since each is of no use without those before it.
pub(super) fn exit_code(lines: &[Line]) -> u8 {
    let has = |code: &u8| lines.iter().any(|line| line.exit == *code);
    [3, 4, 1, 2].into_iter().find(has).unwrap_or(0)
}
