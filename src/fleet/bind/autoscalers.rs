//! Cluster autoscalers that own the size of a node group, by the annotations that hold its bounds.
//!
//! A missing minimum is 0. Without a maximum above 0 the autoscaler leaves the group alone, or refuses it (`parseScalingBounds` and
//! `newNodeGroupFromScalableResource` of its Cluster API provider): the size stays Git's, and a minimum has no effect.

use crate::fleet::index::{Identity, Index, Instance, Object};
use crate::fleet::layers;
use crate::fleet::shapes::{
    CAPI_GROUP, GroupClaim, MAX_SIZE, MIN_SIZE, Reading, annotation_of, cluster_class, text_integer,
};
use crate::model::{AutoscalerBounds, Bound, Owner, Refusal, Site};

use super::entries::{Claimed, Way};

/// What the annotations make of the size of a group.
#[derive(Default)]
pub(super) struct Autoscaler {
    /// The bounds that it is kept within.
    pub(super) bounds: Option<AutoscalerBounds>,
    /// That it is the autoscaler's.
    pub(super) owner: Option<Refusal>,
    /// Why it is not, though there are annotations.
    pub(super) unscaled: Option<String>,
}

/// A value with the number of the object that has it.
type Size = Option<(usize, Reading)>;

/// The bounds that an autoscaler keeps the group within, as they are after everything that is merged over it; nothing where they are not
/// written.
pub(super) fn sizes(index: &Index<'_>, instances: &[Instance], way: Way<'_>, claims: &[Claimed<'_>]) -> [Size; 2] {
    let patched = instances.iter().any(|instance| !instance.layers.is_empty());
    let said = claims.iter().any(|claimed| claimed.claim.sized);
    Bound::ALL.map(|bound| {
        let field = way.annotation(annotation_of(bound));
        let size = match instances {
            [instance, ..] if said || patched => layers::value(index, instance, &field, text_integer),
            _ => None,
        };
        size.filter(|(_, reading)| reading.written)
    })
}

/// Who owns the size. A minimum that has no effect is refused.
pub(super) fn of(
    index: &Index<'_>,
    (identity, instances): (&Identity, &[Instance]),
    sizes: &mut [Size; 2],
    claims: &[Claimed<'_>],
) -> Autoscaler {
    let own = of_annotations(index, sizes, claims);
    if own.owner.is_some() {
        return own;
    }
    let of_class = claims
        .first()
        .map(|first| of_class(index, identity, instances, first.claim));
    let [min, max] = sizes;
    if let Some(mut autoscaler) = of_class.filter(|autoscaler| autoscaler.owner.is_some()) {
        // The entry's own annotation stands over that of its class.
        if let (Some(bounds), Some(min)) = (&mut autoscaler.bounds, number(min)) {
            bounds.min = min;
        }
        return autoscaler;
    }
    let (Some((_, reading)), None) = (min.as_mut(), max) else {
        return own;
    };
    let why = format!("{MIN_SIZE} stands without {MAX_SIZE}");
    let place = match &reading.site {
        Site::Writable(place) => format!("{}:{}", place.path, place.line),
        Site::Refused { path, line, .. } => format!("{}:{line}", path.as_ref().map_or("", |path| path.as_str())),
    };
    let message = format!("{why}, so that no cluster autoscaler scales the group and its minimum has no effect");
    reading.refuse_as(Refusal::WrongShape { message });
    Autoscaler {
        unscaled: Some(format!("no cluster autoscaler scales it: {why} ({place})")),
        ..own
    }
}

fn number(size: &Size) -> Option<u32> {
    let (_, Reading { value, .. }) = size.as_ref()?;
    u32::try_from(value.as_ref()?.integer()?).ok()
}

/// By the annotations of the group itself.
fn of_annotations(index: &Index<'_>, sizes: &[Size; 2], claims: &[Claimed<'_>]) -> Autoscaler {
    let said = claims.iter().rev().find(|claimed| claimed.claim.autoscaler.is_some());
    let owned = |place: String| {
        let by = format!("the cluster autoscaler of its annotations ({place})");
        Some(Refusal::owned(Owner::ClusterAutoscaler, by))
    };
    if let Some(Claimed { object, claim }) = said {
        let Object { path, .. } = &index.objects[*object];
        return Autoscaler {
            bounds: claim.autoscaler,
            owner: owned(format!("{path}:{}", claim.autoscaler_line)),
            unscaled: None,
        };
    }
    // An operation may have brought what no document says.
    let [min, max] = sizes;
    let Some((object, _)) = max else {
        return Autoscaler::default();
    };
    let low = number(min).unwrap_or(0);
    let bounds = number(max).filter(|max| *max > 0);
    let bounds = bounds.map(|max| AutoscalerBounds { min: low, max });
    let is_owned = bounds.is_some() || number(max).is_none();
    Autoscaler {
        bounds,
        owner: is_owned.then(|| owned(index.place_of(*object))).flatten(),
        unscaled: None,
    }
}

/// By the annotations of the class that an entry of a topology is of, which its machines have, too.
fn of_class(index: &Index<'_>, identity: &Identity, instances: &[Instance], claim: &GroupClaim) -> Autoscaler {
    let numbers: Vec<usize> = instances.iter().flat_map(Instance::sources).collect();
    let saids = numbers.iter().rev().filter_map(|number| index.objects[*number].said());
    let Some((name, namespace)) = saids.filter_map(|said| said.class.as_ref()).next() else {
        return Autoscaler::default();
    };
    let namespace = namespace.as_deref().or(identity.namespace.as_deref());
    let class = [CAPI_GROUP, cluster_class::KIND, name.as_str()];
    let classes = index.all_named(&identity.management_cluster, class);
    let classes = classes.filter(|(found, _)| found.namespace.is_none() || found.namespace.as_deref() == namespace);
    for number in classes.flat_map(|(_, instance)| instance.sources()) {
        let object = &index.objects[number];
        let scaled = object.said().into_iter().flat_map(|said| &said.scaled);
        let mut same =
            scaled.filter(|scaled| scaled.pool == claim.pool && Some(scaled.class.as_str()) == claim.class.as_deref());
        if let Some(scaled) = same.next() {
            let (path, line, class) = (&object.path, scaled.line, &scaled.class);
            let by = format!("the cluster autoscaler of the annotations of its class {class} ({path}:{line})");
            return Autoscaler {
                bounds: Some(scaled.bounds),
                owner: Some(Refusal::owned(Owner::ClusterAutoscaler, by)),
                unscaled: None,
            };
        }
    }
    Autoscaler::default()
}
