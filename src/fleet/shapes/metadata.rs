//! What an object's annotations and labels say about who may change it.

use crate::fleet::gate::Refused;
use crate::model::{AutoscalerBounds, Bound, Owner, Refusal, RepoPath};
use crate::policy::HOLD_ANNOTATION;
use crate::yaml::{Kind, Node};

use crate::fleet::find::find;

/// Cluster API looks only at whether it is there: `"false"` pauses, too (`util/annotations.HasPaused`).
const PAUSED: &str = "cluster.x-k8s.io/paused";

/// Kamaji's own word for it, on a `TenantControlPlane`.
const KAMAJI_PAUSED: &str = "kamaji.clastix.io/paused";

/// An external scaler owns the replicas and Cluster API only reflects them (the MachinePool contract).
pub(in crate::fleet) const REPLICAS_MANAGED_BY: &str = "cluster.x-k8s.io/replicas-managed-by";

/// The autoscaler's group prefix can be another one (its variable `CAPI_GROUP`); Git does not tell.
pub(in crate::fleet) const MIN_SIZE: &str = "cluster.x-k8s.io/cluster-api-autoscaler-node-group-min-size";
pub(in crate::fleet) const MAX_SIZE: &str = "cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size";

/// The annotation that holds a bound of a cluster autoscaler.
pub(in crate::fleet) fn annotation_of(bound: Bound) -> &'static str {
    match bound {
        Bound::Min => MIN_SIZE,
        Bound::Max => MAX_SIZE,
    }
}

/// The label on everything that the topology controller writes, and overwrites.
const TOPOLOGY_OWNED: &str = "topology.cluster.x-k8s.io/owned";

/// What the annotations of an object or topology entry say.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// Whether it is paused by annotation.
    pub(super) paused: bool,
    /// The text of the hold annotation.
    pub(super) hold: Option<String>,
    /// The bounds of a cluster autoscaler that owns the replicas.
    pub(super) autoscaler: Option<AutoscalerBounds>,
    /// The line of the annotation that makes it the owner.
    pub(super) autoscaler_line: usize,
    /// Whether a bound of a cluster autoscaler is written, be there an owner or not.
    pub(super) sized: bool,
    /// Why the replicas may not be changed here.
    pub(super) refused: Option<Refused>,
}

impl Marks {
    /// Reads `metadata.annotations` below an object or topology entry. Annotations that can't be read for certain refuse a change: one of
    /// them may say that somebody else owns the number.
    pub(super) fn of(path: &RepoPath, object: Node<'_>) -> Self {
        let mut marks = Self::default();
        let annotations = match certain(object, &["metadata", "annotations"]) {
            Ok(Some(annotations)) => annotations,
            Ok(None) => return marks,
            Err(refused) => {
                marks.refused = Some(refused);
                return marks;
            }
        };
        let mut bounds = (None, None);
        for entry in annotations.entries() {
            let line = entry.key.position().line;
            let text = entry.value.text().unwrap_or_default();
            match entry.key_text() {
                Some(PAUSED | KAMAJI_PAUSED) => marks.paused = true,
                Some(HOLD_ANNOTATION) => marks.hold = Some(text.to_owned()),
                Some(MIN_SIZE) => bounds.0 = Some((line, text.parse::<u32>())),
                Some(MAX_SIZE) => bounds.1 = Some((line, text.parse::<u32>())),
                Some(REPLICAS_MANAGED_BY) => {
                    let by = format!("the external scaler that {REPLICAS_MANAGED_BY} names ({path}:{line})");
                    marks.refused = Some(Refused::at(
                        line,
                        Refusal::Owned {
                            owner: Owner::External,
                            by,
                        },
                    ));
                }
                _ => {}
            }
        }
        if annotations.duplicate_keys().is_empty() {
            marks.bound(bounds);
        } else if let Some(duplicate) = annotations.duplicate_keys().into_iter().next() {
            let (line, key) = (duplicate.second.line, duplicate.key);
            marks.refused = Some(Refused::at(line, Refusal::DuplicateKey { key }));
        }
        marks
    }

    /// A missing minimum is 0; without a maximum above 0 the autoscaler leaves the group alone (`parseScalingBounds` of its Cluster API
    /// provider).
    fn bound(&mut self, (min, max): (Option<Size>, Option<Size>)) {
        self.sized = min.is_some() || max.is_some();
        let line = max.as_ref().map_or(0, |(line, _)| *line);
        let mut read = |bound: Option<Size>, name: &str| match bound {
            None => 0,
            Some((_, Ok(size))) => size,
            Some((line, Err(_))) => {
                self.refused = Some(Refused::shape(
                    line,
                    format!("{name} is not a whole number, so it may have an owner"),
                ));
                0
            }
        };
        let (min, max) = (read(min, MIN_SIZE), read(max, MAX_SIZE));
        if max > 0 {
            self.autoscaler = Some(AutoscalerBounds { min, max });
            self.autoscaler_line = line;
        }
    }
}

type Size = (usize, Result<u32, std::num::ParseIntError>);

/// Whether the topology controller writes this object.
pub(in crate::fleet) fn is_generated(object: Node<'_>) -> bool {
    find(object, &["metadata", "labels", TOPOLOGY_OWNED]).is_some()
}

/// Whether `spec.paused` says so. What can't be read as false counts as paused: the safe reading of `${paused}` is yes.
pub(super) fn is_spec_paused(object: Node<'_>) -> bool {
    match certain(object, &["spec"]).and_then(|spec| match spec {
        Some(spec) => certain(spec, &["paused"]),
        None => Ok(None),
    }) {
        Ok(None) => false,
        Ok(Some(paused)) => is_yes(paused),
        Err(_) => true,
    }
}

fn is_yes(paused: Node<'_>) -> bool {
    !paused.is_null() && !matches!(paused.text(), Some("false" | "False" | "FALSE" | "no" | "off"))
}

/// Whether a value that an operation puts there pauses an object.
pub(in crate::fleet) fn pauses(path: &[String], value: Node<'_>) -> bool {
    let put = |way: [&str; 3], length: usize| {
        let way = &way[..length];
        let leads_there = path.iter().zip(way).all(|(token, key)| token == key);
        find(value, way.get(path.len()..)?).filter(|_| leads_there)
    };
    let by_annotation = [PAUSED, KAMAJI_PAUSED]
        .iter()
        .any(|key| put(["metadata", "annotations", key], 3).is_some());
    by_annotation || put(["spec", "paused", ""], 2).is_some_and(is_yes)
}

/// Follows keys as long as what is there is certain: no alias, no merge, no key twice.
fn certain<'s>(from: Node<'s>, below: &[&str]) -> Result<Option<Node<'s>>, Refused> {
    let mut node = from;
    for key in below {
        let found = node.get(key).map_err(|duplicate| {
            let (line, key) = (duplicate.second.line, duplicate.key);
            Refused::at(line, Refusal::DuplicateKey { key })
        })?;
        match found {
            None if node.has_merge_key() => return Err(Refused::at(node.position().line, Refusal::MergeKey)),
            None => return Ok(None),
            Some(value) if value.kind() == Kind::Alias => {
                return Err(Refused::at(value.position().line, Refusal::Alias));
            }
            Some(value) if value.is_null() => return Ok(None),
            Some(value) => node = value,
        }
    }
    if node.has_merge_key() {
        return Err(Refused::at(node.position().line, Refusal::MergeKey));
    }
    Ok(Some(node))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::shapes::testing::with_objects;

    /// Bounds, paused, hold, and why it is refused.
    type Shown = (Option<(u32, u32)>, bool, Option<String>, Option<(usize, &'static str)>);

    fn marks(annotations: &str) -> Shown {
        let text = format!("x: &x {{a: b}}\nmetadata:\n  annotations: {annotations}\n");
        let marks = with_objects(&text, |objects| Marks::of(objects[0].path, objects[0].root));
        let bounds = marks.autoscaler.map(|AutoscalerBounds { min, max }| (min, max));
        let refused = marks.refused.map(|refused| (refused.line, refused.refusal.id()));
        (bounds, marks.paused, marks.hold, refused)
    }

    #[test]
    fn a_maximum_alone_makes_an_owner() {
        for (min, max, bounds, refused) in [
            (None, None, None, None),
            (Some("'1'"), Some("'6'"), Some((1, 6)), None),
            (None, Some("\"6\""), Some((0, 6)), None),
            (Some("1"), None, None, None),
            (Some("0"), Some("0"), None, None),
            (Some("one"), Some("6"), Some((0, 6)), Some((3, "wrong-shape"))),
            (None, Some("'${max}'"), None, Some((3, "wrong-shape"))),
            (None, Some("-1"), None, Some((3, "wrong-shape"))),
            (Some("6"), Some("6"), Some((6, 6)), None),
        ] {
            let key = |name, text: Option<&str>| text.map_or(String::new(), |text| format!("{name}: {text}, "));
            let text = format!("{{{}{}}}", key(MIN_SIZE, min), key(MAX_SIZE, max));
            assert_eq!(marks(&text), (bounds, false, None, refused), "{text}");
        }
    }

    #[test]
    fn annotations_say_who_keeps_his_hands_off() {
        assert_eq!(marks("{cluster.x-k8s.io/paused: 'false'}"), (None, true, None, None));
        assert_eq!(
            marks("{fleetscale.io/hold: moving house}"),
            (None, false, Some("moving house".into()), None)
        );
        assert_eq!(
            marks("\n    fleetscale.io/hold:"),
            (None, false, Some(String::new()), None)
        );
        let managed = marks(&format!("\n    {REPLICAS_MANAGED_BY}: ''"));
        assert_eq!(managed, (None, false, None, Some((4, "owned"))));
    }

    #[test]
    fn annotations_that_can_not_be_read_for_certain_refuse() {
        assert_eq!(marks("*x").3, Some((3, "alias")));
        assert_eq!(marks("{<<: *x}").3, Some((3, "merge-key")));
        assert_eq!(marks("{a: b, a: c}").3, Some((3, "duplicate-key")));
        assert_eq!(marks("{a: b}\n  annotations: {}").3, Some((4, "duplicate-key")));
        assert_eq!(marks("~").3, None);
    }

    #[test]
    fn a_spec_is_paused_unless_it_certainly_is_not() {
        for (text, paused) in [
            ("a: 1", false),
            ("spec: {}", false),
            ("spec: {paused: false}", false),
            ("spec: {paused: }", false),
            ("spec: {paused: true}", true),
            ("spec: {paused: yes}", true),
            ("spec: {paused: '${paused}'}", true),
            ("x: &x {paused: false}\nspec: *x", true),
            ("x: &x {paused: false}\nspec: {<<: *x}", true),
            ("spec: {paused: false, paused: false}", true),
        ] {
            assert_eq!(
                with_objects(text, |objects| is_spec_paused(objects[0].root)),
                paused,
                "{text}"
            );
        }
    }
}
