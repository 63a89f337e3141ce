//! How many tenant control planes Kamaji runs.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::model::{Finite, Grade, Measurement};

use super::discovery::{unknown_group, unlisted};
use super::list::{Reader, Resource};

const GROUP: &str = "kamaji.clastix.io";

/// A TenantControlPlane: to be counted it only has to be one.
#[derive(Deserialize)]
struct TenantControlPlane {
    #[serde(rename = "metadata")]
    _metadata: IgnoredAny,
}

/// Counts the TenantControlPlanes in all namespaces, as of `now`. Those that sleep or are being deleted count: Kamaji still looks after them.
pub(super) async fn count(reader: &Reader<'_>, now: Timestamp) -> Measurement {
    let version = match reader.group(GROUP).await {
        Ok(Some(group)) => group.versions.into_iter().next(),
        Ok(None) => None,
        Err(error) => return Measurement::missing(unknown_group(GROUP, &error)),
    };
    let Some(version) = version else {
        // Kamaji installs its definitions itself. Without them it has no tenants yet, but that it runs at all is in doubt.
        return Measurement::missing(format!("there is no API group {GROUP}"));
    };
    let resource = Resource {
        group: GROUP,
        version,
        plural: "tenantcontrolplanes",
        kind: "TenantControlPlane",
    };
    let add = |count: &mut u32, _: TenantControlPlane| *count = count.saturating_add(1);
    match reader.fold(&resource, None, || 0_u32, add).await {
        Ok(count) => Measurement {
            value: Finite::try_from(f64::from(count)).ok(),
            grade: Grade::Fresh,
            at: Some(now),
            coverage: None,
            nodes: None,
            cause: None,
        },
        Err(error) => Measurement::missing(unlisted(&resource, &error)),
    }
}
