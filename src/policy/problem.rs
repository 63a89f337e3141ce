//! What is wrong with a manifest, where, and what to do about it.

use std::fmt;

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The policies can't be used.
    Error,
    /// They can be used, but this is probably not what was meant.
    Warning,
}

/// One problem in a manifest. Problems sort by file and position.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file, as given to the loader.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// The field as a path: `spec.bounds.min`. Empty for the whole document.
    pub field: String,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// The way out; empty where the message says it.
    pub hint: String,
}

impl Problem {
    /// Whether it keeps the policies from being used.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// `file:line:column: error: spec.bounds.min: message (hint)`, the form that editors jump to.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            column,
            field,
            severity,
            message,
            hint,
        } = self;
        let severity = match severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{file}:{line}:{column}: {severity}: ")?;
        if !field.is_empty() {
            // A key may hold a line break, and must not look like a line of ours.
            write!(f, "{}: ", field.replace('\n', "\\n"))?;
        }
        f.write_str(message)?;
        if hint.is_empty() {
            Ok(())
        } else {
            write!(f, "\n  help: {hint}")
        }
    }
}
