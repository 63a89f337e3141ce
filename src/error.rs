//! Kinds of failure: what the process exits with, and the way out that a person is told at the edge.

use std::fmt;

/// What went wrong, as far as a caller of the program has to tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The words on the command line do not fit.
    Usage,
    /// The fleet file or a policy is invalid.
    Policy,
    /// A file, the repository's content or a saved plan can't be used.
    Input,
    /// Git or the forge failed.
    Publish,
}

impl ErrorKind {
    /// The exit code of `run` and of every other verb: 1 for what is neither of the rest, 3 for policies and fleet file, 4 for Git and the
    /// forge. 2 is a partial run and not an error.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Usage | Self::Input => 1,
            Self::Policy => 3,
            Self::Publish => 4,
        }
    }
}

/// A failure as the person at the terminal sees it.
#[derive(Debug)]
pub struct Failure {
    /// What the process exits with.
    pub kind: ErrorKind,
    /// What we were doing to what, and below it the causes.
    pub message: String,
    /// The way out, where there is a good one.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure with the whole chain of causes, each once.
    pub fn new(kind: ErrorKind, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !message.ends_with(&text) {
                message.push_str("\n  caused by: ");
                message.push_str(&text);
            }
            cause = error.source();
        }
        Self {
            kind,
            message,
            hint: None,
        }
    }

    /// A failure that has no cause below it.
    pub fn plain(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: None,
        }
    }

    /// The same with a way out.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind: _, message, hint } = self;
        write!(f, "error: {message}")?;
        hint.as_ref().map_or(Ok(()), |hint| write!(f, "\nhint: {hint}"))
    }
}

impl std::error::Error for Failure {}
