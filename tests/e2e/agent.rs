//! The program as its users run it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use jiff::Timestamp;

/// The program with a fleet file and a work folder.
pub(crate) struct Agent {
    fleet: PathBuf,
    work: PathBuf,
    now: Option<Timestamp>,
}

impl Agent {
    pub(crate) fn new(fleet: &Path, work: &Path) -> Self {
        Self {
            fleet: fleet.to_owned(),
            work: work.to_owned(),
            now: None,
        }
    }

    /// The same at another time.
    pub(crate) fn at(mut self, now: Timestamp) -> Self {
        self.now = Some(now);
        self
    }

    /// A verb with its flags, ready to run.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fleetscale"));
        command.args(words).arg("--fleet").arg(&self.fleet);
        command.arg("--work-dir").arg(&self.work);
        if let Some(now) = self.now {
            command.args(["--now", &now.to_string()]);
        }
        command
    }

    pub(crate) fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// Runs a verb that has to go well, and returns what it printed.
    pub(crate) fn good(&self, words: &[&str]) -> String {
        let output = self.run(words);
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{words:?}: {}\n{out}\n{err}", output.status);
        out
    }
}

/// What a process printed.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs Git as a person.
pub(crate) fn git(folder: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(folder)
        .args(["-c", "user.name=Jo", "-c", "user.email=jo@example.org"])
        .args(args)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .output()
        .unwrap();
    assert!(output.status.success(), "git {args:?}: {}", text(&output.stderr));
    text(&output.stdout).trim().to_owned()
}
