//! Which objects are kept, and what each says.

use crate::fleet::appliers::FLUX;
use crate::fleet::document::Document;
use crate::fleet::owners;
use crate::fleet::release;
use crate::fleet::shapes::{self, Said};

/// The kinds, by API group, that are kept besides those that declare node groups.
const KEPT: [(&str, &str); 13] = [
    ("apps", "Deployment"),
    owners::AUTOSCALING,
    owners::KEDA,
    ("", "ConfigMap"),
    (FLUX, "Kustomization"),
    (shapes::OPERATOR_GROUP, "AddonProvider"),
    (shapes::OPERATOR_GROUP, "BootstrapProvider"),
    (shapes::OPERATOR_GROUP, "ControlPlaneProvider"),
    (shapes::OPERATOR_GROUP, "CoreProvider"),
    (shapes::OPERATOR_GROUP, "InfrastructureProvider"),
    (shapes::CONTROL_PLANE_GROUP, "KamajiControlPlane"),
    (shapes::CONTROL_PLANE_GROUP, "KubeadmControlPlane"),
    (shapes::KAMAJI_GROUP, "TenantControlPlane"),
];

/// What a document says, if it is of a kind that matters.
pub(super) fn said(document: &Document<'_>) -> Option<Said> {
    if let Some(shape) = shapes::of(document) {
        return Some((shape.read)(document));
    }
    if document.key.group == shapes::CAPI_GROUP && document.key.kind == shapes::cluster_class::KIND {
        return Some(shapes::cluster_class::read(document));
    }
    let kind = (document.key.group.as_str(), document.key.kind.as_str());
    let matters = KEPT.contains(&kind) || release::matters(kind.0, kind.1);
    matters.then(|| shapes::marked(document))
}
