//! From text to policies that can't be wrong, with every problem in one go.
//!
//! A manifest goes through three gates, and none of them stops at its first problem. The text must be plain YAML (`json`). The structure
//! must fit the kind's JSON Schema (`structure`); what doesn't is reported and cut out, so that the rest can go on. The values must make
//! sense, alone and together (one file a kind). Every problem has the position of the key or value that it is about.

mod across;
mod check;
mod common;
mod controller;
mod fleet;
mod json;
mod node_group;
mod platform;
mod repository;
mod sharding;
mod sources;
mod structure;
mod suggest;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::policy::problem::{Problem, Severity};
use crate::policy::set::{ControllerPolicy, Meta, NodeGroupPolicy, PlatformPolicy, ShardingPolicy};
use crate::policy::v1alpha1::{API_VERSION, Kind, Manifest};
use crate::policy::{FleetFile, Mode};
use crate::yaml::{Document, Node};

pub(super) use across::{Positions, across};
use check::Check;
pub(crate) use controller::PAIRS as FLAG_PAIRS;
pub(crate) use suggest::meant as did_you_mean;

/// A policy of any kind, as one document of a file declares it.
pub(super) enum Policy {
    NodeGroup(NodeGroupPolicy),
    Platform(PlatformPolicy),
    Controller(ControllerPolicy),
    Sharding(ShardingPolicy),
}

/// What became of one document.
pub(super) struct Outcome<T> {
    /// The validated manifest; nothing if there was an error, or if the document is not ours.
    pub(super) value: Option<T>,
    /// Its content, for the digest.
    pub(super) content: Value,
    /// Where its fields are, for problems that only show beside other manifests.
    pub(super) positions: Positions,
}

/// Reads one document of a policy file.
pub(super) fn policy<'s>(
    file: &str,
    document: &Document<'s>,
    fleet: Option<&'s FleetFile>,
    problems: &mut Vec<Problem>,
) -> Option<Outcome<Policy>> {
    let mut check = Check::new(file, document.root, fleet);
    let read = kind_of(&mut check).map(|kind| {
        let content = gate(&mut check, kind);
        let value = match kind {
            Kind::Fleet => {
                check.error(
                    "/kind",
                    "the fleet file is not a policy",
                    "keep it outside of the policies' folder: it says where that folder is",
                );
                None
            }
            Kind::NodeGroupPolicy => read(&mut check, kind, &content, node_group::read).map(Policy::NodeGroup),
            Kind::PlatformPolicy => read(&mut check, kind, &content, platform::read).map(Policy::Platform),
            Kind::ControllerPolicy => read(&mut check, kind, &content, controller::read).map(Policy::Controller),
            Kind::ShardingPolicy => read(&mut check, kind, &content, sharding::read).map(Policy::Sharding),
        };
        (value, content)
    });
    let (value, content) = match read {
        Some(read) => read,
        None => {
            problems.append(&mut check.into_problems());
            return None;
        }
    };
    Some(finish(check, value, content, problems))
}

/// Reads the one document of a fleet file.
pub(super) fn fleet_file(file: &str, document: &Document<'_>, problems: &mut Vec<Problem>) -> Option<FleetFile> {
    let mut check = Check::new(file, document.root, None);
    let mut value = None;
    match kind_of(&mut check) {
        Some(Kind::Fleet) => {
            let content = gate(&mut check, Kind::Fleet);
            value = read(&mut check, Kind::Fleet, &content, fleet::read);
        }
        Some(other) => check.error(
            "/kind",
            format!("expected the kind Fleet, found {other}"),
            "policies are read from the folder that the fleet file's spec.policies.path names",
        ),
        None if !check.has_error() => check.error(
            "",
            "this is not a fleet file",
            format!("it starts with `apiVersion: {API_VERSION}` and `kind: Fleet`"),
        ),
        None => {}
    }
    finish(check, value, Value::Null, problems).value
}

fn finish<T>(check: Check<'_>, value: Option<T>, content: Value, problems: &mut Vec<Problem>) -> Outcome<T> {
    let positions = check.positions();
    let mut found = check.into_problems();
    let value = value.filter(|_| !found.iter().any(Problem::is_error));
    problems.append(&mut found);
    Outcome {
        value,
        content,
        positions,
    }
}

/// The kind of a manifest of ours; nothing if it is somebody else's, or can't be told.
fn kind_of(check: &mut Check<'_>) -> Option<Kind> {
    let field = |name| check.root().get(name).ok().flatten().and_then(Node::text);
    let (api_version, kind) = (field("apiVersion"), field("kind"));
    let known = kind.and_then(Kind::of);
    let group = api_version.map(|text| text.split('/').next().unwrap_or(text));
    let ours = group == Some("fleetscale.io");
    match (api_version, kind) {
        (Some(API_VERSION), Some(name)) => {
            if known.is_none() {
                let hint = suggest::among(name, Kind::ALL.iter().map(|kind| kind.as_str()));
                check.error("/kind", format!("unknown kind {name:?}"), hint);
            }
            known
        }
        (Some(API_VERSION), None) => {
            let kinds = suggest::list(Kind::ALL.iter().map(|kind| kind.as_str()));
            check.error("", "kind is missing", format!("expected one of {kinds}"));
            None
        }
        (Some(version), _) if ours || known.is_some() => {
            check.error(
                "/apiVersion",
                format!("unknown version {version:?}"),
                format!("expected `{API_VERSION}`"),
            );
            None
        }
        (None, Some(name)) if known.is_some() => {
            check.error(
                "",
                format!("{name} without apiVersion"),
                format!("add `apiVersion: {API_VERSION}`"),
            );
            None
        }
        (None, None) if !check.root().is_null() => {
            let kustomization =
                check.file().ends_with("kustomization.yaml") || check.file().ends_with("kustomization.yml");
            if !kustomization {
                check.warning(
                    "",
                    "this document has neither apiVersion nor kind and is ignored",
                    format!("a policy starts with `apiVersion: {API_VERSION}`"),
                );
            }
            None
        }
        _ => None,
    }
}

/// Text and structure: gives the content without what was wrong.
fn gate(check: &mut Check<'_>, kind: Kind) -> Value {
    let mut content = json::of(check);
    structure::check(check, kind, &mut content);
    content
}

/// Name, mode and the rest of a manifest.
fn read<S: DeserializeOwned + Modal, T>(
    check: &mut Check<'_>,
    kind: Kind,
    content: &Value,
    rest: impl FnOnce(&mut Check<'_>, Meta, S) -> Option<T>,
) -> Option<T> {
    let manifest: Manifest<S> = match serde_json::from_value(content.clone()) {
        Ok(manifest) => manifest,
        Err(error) => {
            // The structure was checked, so this is a gap between the schema and the types. It must not go unseen.
            check.error("", format!("can't be read as {kind}: {error}"), "");
            return None;
        }
    };
    let name = manifest.metadata.and_then(|metadata| metadata.name);
    let name = check.required("/metadata/name", name.as_ref());
    let spec = manifest.spec?;
    let (mode, suspend) = spec.modes();
    // Without a name the rest is checked all the same.
    let stand_in = || "unnamed".parse().ok();
    let meta = Meta {
        name: name.or_else(stand_in)?,
        kind,
        mode: mode.unwrap_or_default(),
        suspend: suspend.unwrap_or_default(),
        file: check.file().to_owned(),
        line: check.position("").line,
    };
    rest(check, meta, spec)
}

/// What every policy's spec says about whether it acts.
trait Modal {
    fn modes(&self) -> (Option<Mode>, Option<bool>);
}

macro_rules! modal {
    ($($spec:ident),+) => {$(
        impl Modal for crate::policy::v1alpha1::$spec {
            fn modes(&self) -> (Option<Mode>, Option<bool>) {
                (self.mode, self.suspend)
            }
        }
    )+};
}

modal!(
    NodeGroupPolicySpec,
    PlatformPolicySpec,
    ControllerPolicySpec,
    ShardingPolicySpec
);

impl Modal for crate::policy::v1alpha1::FleetSpec {
    fn modes(&self) -> (Option<Mode>, Option<bool>) {
        (None, None)
    }
}

/// A problem of a whole file.
pub(super) fn of_file(file: &str, line: usize, column: usize, message: String, hint: &str) -> Problem {
    Problem {
        file: file.to_owned(),
        line,
        column,
        field: String::new(),
        severity: Severity::Error,
        message,
        hint: hint.to_owned(),
    }
}
