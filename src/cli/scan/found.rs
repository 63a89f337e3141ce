//! What a scan found, in the form that programs read.
//!
//! `scan -o json` and `-o yaml` print a [`Scan`]. Every field that may be missing is left out then, and nothing is ever null. Lists are sorted:
//! numbers by target, the rest by path and line.

use json_patch::jsonptr::PointerBuf;
use serde::Serialize;

use crate::cli::repository::Source;
use crate::cli::select::Selection;
use crate::fleet::{Number, Spot};
use crate::model::{
    AutoscalerBounds, Binding, Embedded, Form, HoldAnnotation, MACHINE_API_VERSION, ObjectId, ObjectKey, Refusal,
    RegionName, RepoPath, Scalar, Site, Target, Unbound,
};
use crate::policy::FleetFile;

use super::owner;

/// A scanned repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Scan {
    /// `fleetscale.io/v1alpha1`.
    api_version: &'static str,
    /// `Scan`.
    kind: &'static str,
    /// The commit that was read; missing for a plain folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) commit: Option<ObjectId>,
    /// The numbers that were selected, in the order of their targets.
    pub(super) numbers: Vec<Found>,
    /// What looks like a number and can't be bound: `{path, line, what, refusal}`, as in a plan; line 0 is the whole file.
    pub(super) unbound: Vec<Unbound>,
}

/// One number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Found {
    /// What it is the value of: `node-group/eu-1/shard-a/blue/md-0/replicas`.
    pub(super) target: Target,
    /// The region of its management cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) region: Option<RegionName>,
    /// The value: an integer, or a text in its author's unit; missing where Git leaves it out or it can't be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<Scalar>,
    /// The file; missing where nothing declares it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) path: Option<RepoPath>,
    /// The line, counted from 1; 0 for the whole file.
    pub(super) line: usize,
    /// Which document of the file, counted from 0; missing where the file can't be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) document: Option<usize>,
    /// `{group, kind, namespace, name}` of that document, as it is written there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) object: Option<ObjectKey>,
    /// The value within the document (RFC 6901); missing where that is not certain, which it always is of what can be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pointer: Option<PointerBuf>,
    /// `{document, object, pointer}` in the text at that pointer, of a value in YAML that a scalar holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) embedded: Option<Box<Embedded>>,
    /// How the value is written there: `{is, ...}`; missing for what can't be replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) form: Option<Form>,
    /// The shape in which it is written: `machine-deployment`, `topology`, `arguments`.
    pub(super) shape: &'static str,
    /// Who decides on it: `git`, or whoever else keeps it.
    pub(super) owner: &'static str,
    /// Whether it can be changed by an edit of its place.
    pub(super) writable: bool,
    /// Why not: `{why, ...}` with the reason's word and its details.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<Refusal>,
    /// The same for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<String>,
    /// What a person can do about that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) way_out: Option<&'static str>,
    /// The bounds `{min, max}` of a cluster autoscaler that owns it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) autoscaler: Option<AutoscalerBounds>,
    /// Why no cluster autoscaler owns it, though there are annotations of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) unscaled: Option<String>,
    /// Whether Git pauses the cluster or the object.
    pub(super) paused: bool,
    /// `{reason, until}` of the annotation `fleetscale.io/hold`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hold: Option<HoldAnnotation>,
}

impl Scan {
    /// What was found, as far as it is selected.
    pub(super) fn of(
        source: &Source,
        numbers: Vec<Number>,
        unbound: Vec<Unbound>,
        fleet: &FleetFile,
        selection: Option<&Selection>,
    ) -> Self {
        let wanted = |target: &Target| selection.is_none_or(|selection| selection.matches(target, fleet));
        let may_be = |path: &RepoPath| selection.is_none_or(|selection| selection.may_mean(path, fleet));
        let mut found: Vec<Found> = numbers
            .into_iter()
            .filter(|number| wanted(&number.target))
            .map(|number| Found::of(number, fleet))
            .collect();
        found.sort_by(|a, b| a.target.cmp(&b.target));
        let mut unbound: Vec<Unbound> = unbound.into_iter().filter(|unbound| may_be(&unbound.path)).collect();
        unbound.sort();
        Self {
            api_version: MACHINE_API_VERSION,
            kind: "Scan",
            commit: source.commit().cloned(),
            numbers: found,
            unbound,
        }
    }
}

impl Found {
    fn of(number: Number, fleet: &FleetFile) -> Self {
        let Number {
            target,
            binding,
            spot,
            shape,
        } = number;
        let owner = owner::of(&binding);
        let region = target
            .management_cluster()
            .and_then(|name| fleet.management_cluster(name))
            .map(|(region, _)| region.clone());
        let Binding {
            value,
            site,
            autoscaler,
            unscaled,
            paused,
            hold,
        } = binding;
        let (path, line, form, refusal) = match site {
            Site::Writable(place) => (Some(place.path), place.line, Some(place.form), None),
            Site::Refused { path, line, refusal } => (path, line, None, Some(refusal)),
        };
        let (document, object, pointer, embedded) = match spot {
            Some(Spot {
                document,
                object,
                pointer,
                embedded,
            }) => (Some(document), Some(object), pointer, embedded),
            None => (None, None, None, None),
        };
        // Annotations of an autoscaler are a second writer, whatever the key beside them would take.
        let of_autoscaler = autoscaler.is_some();
        let (message, way_out) = match (&autoscaler, &refusal) {
            (Some(AutoscalerBounds { min, max }), refusal) => (
                Some(match refusal {
                    Some(Refusal::Owned { owner: _, by }) => format!("{by} keeps it between {min} and {max}"),
                    _ => format!("the cluster autoscaler keeps it between {min} and {max}"),
                }),
                Some("edit the autoscaler's min and max annotations, or remove them to give the number to Git"),
            ),
            (None, Some(refusal)) => (Some(refusal.to_string()), Some(refusal.way_out())),
            (None, None) => (None, None),
        };
        Self {
            target,
            region,
            value,
            path,
            line,
            writable: refusal.is_none() && !of_autoscaler,
            document,
            object,
            pointer,
            embedded,
            form,
            shape: shape.as_str(),
            owner,
            refusal,
            message,
            way_out,
            autoscaler,
            unscaled,
            paused,
            hold,
        }
    }

    /// Where it is, for people: `clusters/eu/blue.yaml:36`.
    pub(super) fn place_words(&self) -> String {
        match (&self.path, self.line) {
            (None, _) => "nowhere".to_owned(),
            (Some(path), 0) => path.to_string(),
            (Some(path), line) => format!("{path}:{line}"),
        }
    }
}
