//! Reads and replaces small files that people may have edited meanwhile.

use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::Path;
use std::str::FromStr;

use super::LocalError;

/// The most that is read of a file, in bytes. A body has at most 65,536 characters on the strictest forge.
const MOST: u64 = 1 << 20;

/// The text of a file that may be missing.
pub(super) fn optional(path: &Path) -> Result<Option<String>, LocalError> {
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error("opening", path)(error)),
    };
    let mut bytes = Vec::new();
    file.take(MOST + 1)
        .read_to_end(&mut bytes)
        .map_err(io_error("reading", path))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MOST) {
        return Err(LocalError::Malformed {
            path: path.to_owned(),
            found: "it is larger than 1 MiB".to_owned(),
            expected: "less",
        });
    }
    String::from_utf8(bytes).map(Some).map_err(|_| LocalError::Malformed {
        path: path.to_owned(),
        found: "it is not UTF-8".to_owned(),
        expected: "plain text",
    })
}

/// The text of a file that has to be there.
pub(super) fn required(path: &Path, expected: &'static str) -> Result<String, LocalError> {
    optional(path)?.ok_or_else(|| LocalError::Malformed {
        path: path.to_owned(),
        found: "it is missing".to_owned(),
        expected,
    })
}

/// The value that a file's text stands for.
pub(super) fn value<T: FromStr>(path: &Path, expected: &'static str) -> Result<T, LocalError> {
    parsed(path, &required(path, expected)?, expected)
}

/// The value that a text stands for.
pub(super) fn parsed<T: FromStr>(path: &Path, text: &str, expected: &'static str) -> Result<T, LocalError> {
    text.trim().parse().map_err(|_| malformed(path, text, expected))
}

pub(super) fn malformed(path: &Path, text: &str, expected: &'static str) -> LocalError {
    let shown: String = text.trim().chars().take(40).flat_map(char::escape_debug).collect();
    LocalError::Malformed {
        path: path.to_owned(),
        found: format!("it says \"{shown}\""),
        expected,
    }
}

/// Replaces a file as a whole: who reads it sees the old text or the new one.
pub(super) fn replace(path: &Path, text: &str) -> Result<(), LocalError> {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}", std::process::id()));
    let writing = path.with_file_name(name);
    let write = || -> std::io::Result<()> {
        let mut file = fs::File::create(&writing)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(io_error("writing", &writing))?;
    fs::rename(&writing, path).map_err(io_error("replacing", path))
}

pub(super) fn io_error(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> LocalError {
    let path = path.to_owned();
    move |source| LocalError::Io { doing, path, source }
}
