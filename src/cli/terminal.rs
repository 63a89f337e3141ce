//! Where words go: data to stdout, talk to stderr, colour only where somebody looks.

use std::io::{IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::plan::visible;

use super::args::Color;
use super::clock;

/// Whether stdout refused data. The process has one stdout.
static LOST: AtomicBool = AtomicBool::new(false);

fn reader_left(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::BrokenPipe {
        Ok(())
    } else {
        Err(error)
    }
}

/// The process's two streams.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terminal {
    colour: bool,
    colour_on_stderr: bool,
    watched: bool,
}

impl Terminal {
    pub(super) fn new(color: Color) -> Self {
        let decide = |terminal: bool| match color {
            Color::Auto => terminal && !clock::no_colour(),
            Color::Always => true,
            Color::Never => false,
        };
        let watched = std::io::stderr().is_terminal();
        Self {
            colour: decide(std::io::stdout().is_terminal()),
            colour_on_stderr: decide(watched),
            watched,
        }
    }

    pub(super) fn colour_on_stderr(self) -> bool {
        self.colour_on_stderr
    }

    /// Writes data. A reader that has left (`| head`) is no failure; a full disk is, and ends the process with an error.
    pub(super) fn data(self, text: &str) {
        let mut stdout = std::io::stdout().lock();
        let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
        if let Err(error) = written.or_else(reader_left)
            && !LOST.swap(true, Ordering::Relaxed)
        {
            self.talk(&format!("error: writing to stdout: {error}\n"));
        }
    }

    /// Whether some data did not reach its reader.
    pub(super) fn lost_data(self) -> bool {
        LOST.load(Ordering::Relaxed)
    }

    /// Writes talk. What of it comes from outside must not steer the terminal.
    pub(super) fn talk(self, text: &str) {
        let lines = text.split_inclusive('\n').map(|line| match line.strip_suffix('\n') {
            Some(line) => format!("{}\n", visible(line)),
            None => visible(line),
        });
        let _ = std::io::stderr().lock().write_all(lines.collect::<String>().as_bytes());
    }

    /// Says what is going on, if somebody watches.
    pub(super) fn progress(self, text: &str) {
        tracing::info!("{text}");
        if self.watched {
            self.talk(&format!("{text}\n"));
        }
    }

    /// A unified diff with the usual colours.
    pub(super) fn coloured_diff(self, diff: &str) -> String {
        if !self.colour {
            return diff.to_owned();
        }
        let mut out = String::with_capacity(diff.len() + diff.len() / 4);
        for line in diff.split_inclusive('\n') {
            let code = match line.as_bytes() {
                [b'+', b'+', b'+', ..]
                | [b'-', b'-', b'-', ..]
                | [b'd', b'i', b'f', b'f', ..]
                | [b'r', b'e', b'n', ..] => "1",
                [b'+', ..] => "32",
                [b'-', ..] => "31",
                [b'@', ..] => "36",
                _ => {
                    out.push_str(line);
                    continue;
                }
            };
            let (text, end) = line.strip_suffix('\n').map_or((line, ""), |text| (text, "\n"));
            out.push_str(&format!("\u{1b}[{code}m{text}\u{1b}[0m{end}"));
        }
        out
    }
}
