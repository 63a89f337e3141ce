//! Saved plans, and the three forms in which one is printed.

use std::path::Path;

use serde::Serialize;

use crate::error::{ErrorKind, Failure};
use crate::model::{MACHINE_API_VERSION, Plan};
use crate::plan;

use super::args::Format;
use super::workspace::read;

/// Reads a plan in YAML or JSON.
pub(super) fn load(path: &Path) -> Result<Plan, Failure> {
    let bytes = read(path)?;
    let plan: Plan = serde_yaml::from_slice(&bytes).map_err(|error| {
        Failure::plain(
            ErrorKind::Input,
            format!("reading the plan {}: {error}", path.display()),
        )
        .with_hint("a plan is written by `fleetscale plan --out FILE`")
    })?;
    if plan.api_version != MACHINE_API_VERSION || plan.kind != "Plan" {
        let found = format!("kind {} of {}", plan.kind, plan.api_version);
        return Err(Failure::plain(
            ErrorKind::Input,
            format!(
                "reading the plan {}: it is {found}, expected kind Plan of {MACHINE_API_VERSION}",
                path.display()
            ),
        ));
    }
    Ok(plan)
}

/// A plan in the form that was asked for.
pub(super) fn print(plan: &Plan, format: Format) -> Result<String, Failure> {
    match format {
        Format::Text => Ok(plan::text(plan)),
        Format::Json => json(plan),
        Format::Yaml => yaml(plan),
    }
}

/// A value as indented JSON with a final newline.
pub(super) fn json<T: Serialize>(value: &T) -> Result<String, Failure> {
    let mut text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::plain(ErrorKind::Input, format!("writing JSON: {error}")))?;
    text.push('\n');
    Ok(text)
}

/// A value as YAML.
pub(super) fn yaml<T: Serialize>(value: &T) -> Result<String, Failure> {
    serde_yaml::to_string(value).map_err(|error| Failure::plain(ErrorKind::Input, format!("writing YAML: {error}")))
}

/// Writes a file whole or not at all. What is no file (`/dev/stdout`, a pipe) is written to, and never replaced by one.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let failed =
        |error: std::io::Error| Failure::plain(ErrorKind::Input, format!("writing {}: {error}", path.display()));
    if std::fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        return std::fs::write(path, text).map_err(failed);
    }
    // A link is followed, so that the file that it names is replaced and not the link.
    let path = &std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.part", std::process::id()));
    std::fs::write(&beside, text).map_err(failed)?;
    std::fs::rename(&beside, path).map_err(failed)
}
