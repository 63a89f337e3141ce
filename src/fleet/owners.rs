//! Who else owns a number: scalers that aim at its object, and appliers that were told to leave it alone.

use std::collections::BTreeMap;

use crate::model::{ManagementClusterName, Owner, Refusal, Scalar};

use super::field::Field;
use super::ignored::Ignored;
use super::index::{Identity, Index, Instance};
use super::layers;
use super::shapes::text_at;

/// The API group of HorizontalPodAutoscalers.
pub(super) const AUTOSCALING: (&str, &str) = ("autoscaling", "HorizontalPodAutoscaler");

/// KEDA, which makes a HorizontalPodAutoscaler of each of its objects.
pub(super) const KEDA: (&str, &str) = ("keda.sh", "ScaledObject");

/// What the files of scalers mention.
pub(super) const WORDS: [&str; 2] = [AUTOSCALING.1, KEDA.0];

/// The objects whose replicas a scaler owns, each with that scaler.
pub(super) fn scaled(index: &Index<'_>) -> BTreeMap<Identity, Refusal> {
    let mut scaled = BTreeMap::new();
    let scalers = index
        .instances
        .iter()
        .filter(|(identity, _)| [AUTOSCALING, KEDA].contains(&(identity.group.as_str(), identity.kind.as_str())));
    for (identity, instances) in scalers {
        let owner = if identity.group == KEDA.0 {
            Owner::Keda
        } else {
            Owner::HorizontalPodAutoscaler
        };
        for instance in instances {
            let text = |key| text_of(index, instance, &["spec", "scaleTargetRef", key]);
            let Some(name) = text("name") else { continue };
            // KEDA's own default; a HorizontalPodAutoscaler says both.
            let kind = text("kind").unwrap_or_else(|| "Deployment".to_owned());
            let version = text("apiVersion").unwrap_or_else(|| "apps/v1".to_owned());
            let group = version.split_once('/').map_or("", |(group, _)| group).to_owned();
            let object = &index.objects[instance.object];
            let by = format!("{} scales it ({}:{})", object.key, object.path, object.line);
            // kustomize gives the object that it names the new name there, too, if both get one.
            let renamed = match identity.name.split_once(object.key.name.as_str()) {
                Some((prefix, suffix)) => format!("{prefix}{name}{suffix}"),
                None => name.clone(),
            };
            for name in [name, renamed] {
                let target = Identity {
                    group: group.as_str().into(),
                    kind: kind.as_str().into(),
                    name: name.into(),
                    ..Identity::clone(identity)
                };
                scaled.insert(target, Refusal::owned(owner, by.clone()));
            }
        }
    }
    scaled
}

/// The scaler of an object that a chart renders under one of these names, if the field is its number of replicas. The namespace is that of
/// the release, which a scaler has to share: of two releases with one name in two namespaces both are taken to be scaled.
pub(super) fn scaler_of_any(
    index: &Index<'_>,
    management_cluster: &ManagementClusterName,
    [group, kind]: [&str; 2],
    names: &[&str],
    field: &Field<'_>,
) -> Option<Refusal> {
    let is_it = |identity: &Identity| {
        identity.management_cluster == *management_cluster
            && [identity.group.as_str(), &identity.kind] == [group, kind]
            && names.contains(&identity.name.as_str())
    };
    let mut scaled = index.scaled.iter().filter(|_| field.words().last() == Some("replicas"));
    scaled
        .find(|(identity, _)| is_it(identity))
        .map(|(_, refusal)| refusal.clone())
}

fn text_of(index: &Index<'_>, instance: &Instance, keys: &[&str]) -> Option<String> {
    match layers::value(index, instance, &Field::keys(keys), text_at)?.1.value? {
        Scalar::Text(text) => Some(text),
        Scalar::Integer(_) | Scalar::Decimal(_) => None,
    }
}

/// Why a field of an object has another owner than Git.
pub(super) fn owner(
    index: &Index<'_>,
    identity: &Identity,
    instances: &[Instance],
    field: &Field<'_>,
) -> Option<Refusal> {
    let is_count = field.words().last() == Some("replicas") && field.list().is_none();
    let scaler = index.scaled.get(identity).filter(|_| is_count);
    let ignored = instances.iter().flat_map(|instance| &instance.ignored);
    let mut ignored = ignored.map(|number| &index.ignored[*number]);
    if let Some(scaler) = scaler {
        return Some(scaler.clone());
    }
    let is_replicas = field.words().last() == Some("replicas");
    let mut owned = instances.iter().filter_map(|instance| instance.owned.as_deref());
    if let Some(owned) = owned.next().filter(|_| is_replicas) {
        return Some(owned.clone());
    }
    ignored.find(|ignored| ignored.covers(field)).map(Ignored::refusal)
}
