//! The shapes in which a number is written, by the names that people have for them.

use json_patch::jsonptr::Pointer;

use crate::fleet::kustomize;
use crate::fleet::release::OVERRIDE;
use crate::fleet::shapes::OPERATOR_GROUP;
use crate::model::{RepoPath, Target};

use super::spot::Spot;

/// How a number is written, wherever that is. What is refused has a shape, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    /// `spec.replicas` of a MachineDeployment.
    MachineDeployment,
    /// `spec.replicas` of a MachinePool.
    MachinePool,
    /// The replicas of an entry of a Cluster's topology, or of its control plane.
    Topology,
    /// The value of a variable of a Cluster's topology.
    TopologyVariable,
    /// A bound of a cluster autoscaler in an annotation, of whatever object or entry.
    Annotation,
    /// The replicas of a KubeadmControlPlane, a KamajiControlPlane or a TenantControlPlane.
    ControlPlane,
    /// The replicas of a Deployment.
    Deployment,
    /// An item of a container's `args` or `command` in a Deployment.
    Arguments,
    /// What a container of a Deployment asks for.
    Resources,
    /// Anything in an object of the Cluster API Operator.
    Provider,
    /// A file of a chart's values.
    ValuesFile,
    /// The values in a HelmRelease.
    HelmRelease,
    /// The values, the parameters or the counts in an Argo CD Application.
    Application,
    /// The same in an ApplicationSet, or in an element that its template is filled with.
    ApplicationSet,
    /// The parameters in a `.argocd-source.yaml`.
    ArgoSource,
    /// The data of a ConfigMap, or of what generates one.
    ConfigMap,
    /// A strategic merge: a file, or a text in a kustomization, a Flux Kustomization or an Application.
    KustomizePatch,
    /// A list of RFC 6902 operations in the same places.
    JsonPatch,
    /// An entry of the list `replicas` of a kustomization.
    ReplicasCount,
    /// A variable in `postBuild.substitute` of a Flux Kustomization.
    Substitution,
    /// A field of another object, as a marker or a policy's `writeTo` names it.
    Manifest,
    /// The place can't be looked at, or there is none.
    Unknown,
}

impl Shape {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::MachineDeployment,
        Self::MachinePool,
        Self::Topology,
        Self::TopologyVariable,
        Self::Annotation,
        Self::ControlPlane,
        Self::Deployment,
        Self::Arguments,
        Self::Resources,
        Self::Provider,
        Self::ValuesFile,
        Self::HelmRelease,
        Self::Application,
        Self::ApplicationSet,
        Self::ArgoSource,
        Self::ConfigMap,
        Self::KustomizePatch,
        Self::JsonPatch,
        Self::ReplicasCount,
        Self::Substitution,
        Self::Manifest,
        Self::Unknown,
    ];

    /// Its word in tables and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MachineDeployment => "machine-deployment",
            Self::MachinePool => "machine-pool",
            Self::Topology => "topology",
            Self::TopologyVariable => "topology-variable",
            Self::Annotation => "annotation",
            Self::ControlPlane => "control-plane",
            Self::Deployment => "deployment",
            Self::Arguments => "arguments",
            Self::Resources => "resources",
            Self::Provider => "provider",
            Self::ValuesFile => "values-file",
            Self::HelmRelease => "helm-release",
            Self::Application => "application",
            Self::ApplicationSet => "application-set",
            Self::ArgoSource => "argocd-source",
            Self::ConfigMap => "config-map",
            Self::KustomizePatch => "kustomize-patch",
            Self::JsonPatch => "json-patch",
            Self::ReplicasCount => "replicas-count",
            Self::Substitution => "substitution",
            Self::Manifest => "manifest",
            Self::Unknown => "unknown",
        }
    }

    /// The shape of a value at a spot of a file. Where the pointer is not known, the target says which field of the object is meant.
    pub(super) fn of(target: &Target, path: &RepoPath, spot: &Spot, is_patch: bool) -> Self {
        let Spot {
            document: _,
            object,
            pointer,
            embedded,
        } = spot;
        let keys = keys(pointer.as_deref());
        let has = |key: &str| keys.iter().any(|other| other == key);
        let is_kustomization = match object.kind.as_str() {
            "Kustomization" | "Component" => true,
            "Application" | "ApplicationSet" => has("kustomize"),
            kind => kind.is_empty() && kustomize::is_name(path.file_name()),
        };
        if is_kustomization {
            return match embedded.as_ref().map(|inner| is_operation(&inner.pointer)) {
                Some(true) => Self::JsonPatch,
                Some(false) => Self::KustomizePatch,
                None if has("substitute") => Self::Substitution,
                None if has("replicas") && !has("patches") => Self::ReplicasCount,
                None if has("configMapGenerator") => Self::ConfigMap,
                None if has("patchesJson6902") => Self::JsonPatch,
                None => Self::KustomizePatch,
            };
        }
        match object.kind.as_str() {
            "" if pointer.as_ref().is_some_and(|pointer| is_operation(pointer)) => Self::JsonPatch,
            "" if path.file_name().starts_with(OVERRIDE) => Self::ArgoSource,
            "" => Self::ValuesFile,
            _ if is_patch => Self::KustomizePatch,
            "Application" => Self::Application,
            "ApplicationSet" => Self::ApplicationSet,
            "HelmRelease" => Self::HelmRelease,
            "ConfigMap" => Self::ConfigMap,
            _ if object.group == OPERATOR_GROUP => Self::Provider,
            _ if has("annotations") || matches!(target, Target::NodeGroupBound { .. }) => Self::Annotation,
            "MachineDeployment" => Self::MachineDeployment,
            "MachinePool" => Self::MachinePool,
            "Cluster" if has("variables") => Self::TopologyVariable,
            "Cluster" => Self::Topology,
            "KubeadmControlPlane" | "KamajiControlPlane" | "TenantControlPlane" => Self::ControlPlane,
            "Deployment" if has("resources") => Self::Resources,
            "Deployment" if has("args") || has("command") => Self::Arguments,
            "Deployment" => match target {
                Target::Controller { .. } => Self::Arguments,
                Target::Resources { .. } => Self::Resources,
                _ => Self::Deployment,
            },
            _ => Self::Manifest,
        }
    }
}

/// Whether a pointer leads into a list, as those into lists of operations do.
fn is_operation(pointer: &Pointer) -> bool {
    let first = pointer.tokens().next();
    first.is_some_and(|token| token.decoded().parse::<usize>().is_ok())
}

/// The keys and indices of a pointer, without the way to an item of a `List`.
fn keys(pointer: Option<&Pointer>) -> Vec<String> {
    let tokens = pointer.into_iter().flat_map(Pointer::tokens);
    let mut keys: Vec<String> = tokens.map(|token| token.decoded().into_owned()).collect();
    if keys.first().is_some_and(|key| key == "items") {
        keys.drain(..keys.len().min(2));
    }
    keys
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::{Embedded, ObjectKey};

    fn object(kind: &str) -> ObjectKey {
        let (group, kind) = kind.split_once('/').unwrap_or(("", kind));
        ObjectKey {
            group: group.into(),
            kind: kind.into(),
            namespace: "".into(),
            name: "".into(),
        }
    }

    /// The word for a value of a target at `pointer` or `pointer | pointer in the text`; an empty pointer is not known.
    fn word(target: &str, path: &str, kind: &str, place: &str, is_patch: bool) -> Shape {
        let (pointer, inner) = match place.split_once(" | ") {
            Some((pointer, inner)) => (pointer, Some(inner)),
            None => (place, None),
        };
        let spot = Spot {
            document: 0,
            object: object(kind),
            pointer: (!pointer.is_empty()).then(|| pointer.parse().unwrap()),
            embedded: inner.map(|pointer| {
                Box::new(Embedded {
                    document: 0,
                    object: object(""),
                    pointer: pointer.parse().unwrap(),
                })
            }),
        };
        Shape::of(&target.parse().unwrap(), &path.parse().unwrap(), &spot, is_patch)
    }

    const GROUP: &str = "node-group/m/a/c/g/replicas";
    const BOUND: &str = "node-group/m/a/c/g/max";
    const CONTROL_PLANE: &str = "control-plane/m/a/c/replicas";
    const PLATFORM: &str = "platform/m/kamaji/replicas";
    const FLAG: &str = "controller/m/capi/kube-api-qps";
    const MEMORY: &str = "resources/m/capi/limits/memory";

    /// What is written, and its shape.
    const TABLE: &[(&str, &str, &str, &str, Shape)] = &[
        (
            GROUP,
            "a.yaml",
            "MachineDeployment",
            "/spec/replicas",
            Shape::MachineDeployment,
        ),
        (
            GROUP,
            "a.yaml",
            "MachineDeployment",
            "/items/0/spec/replicas",
            Shape::MachineDeployment,
        ),
        (GROUP, "a.yaml", "MachineDeployment", "", Shape::MachineDeployment),
        (GROUP, "a.yaml", "MachinePool", "/spec/replicas", Shape::MachinePool),
        (
            GROUP,
            "a.yaml",
            "Cluster",
            "/spec/topology/workers/machinePools/0/replicas",
            Shape::Topology,
        ),
        (
            GROUP,
            "a.yaml",
            "Cluster",
            "/items/1/spec/topology/variables/0/value",
            Shape::TopologyVariable,
        ),
        (GROUP, "a.yaml", "Cluster", "", Shape::Topology),
        (
            BOUND,
            "a.yaml",
            "Cluster",
            "/spec/topology/workers/machinePools/0/metadata/annotations/x",
            Shape::Annotation,
        ),
        (BOUND, "a.yaml", "MachinePool", "", Shape::Annotation),
        (
            CONTROL_PLANE,
            "a.yaml",
            "Cluster",
            "/spec/topology/controlPlane/replicas",
            Shape::Topology,
        ),
        (
            CONTROL_PLANE,
            "a.yaml",
            "KubeadmControlPlane",
            "/spec/replicas",
            Shape::ControlPlane,
        ),
        (
            CONTROL_PLANE,
            "a.yaml",
            "KamajiControlPlane",
            "/spec/replicas",
            Shape::ControlPlane,
        ),
        (CONTROL_PLANE, "a.yaml", "TenantControlPlane", "", Shape::ControlPlane),
        (PLATFORM, "a.yaml", "Deployment", "/spec/replicas", Shape::Deployment),
        (PLATFORM, "a.yaml", "Deployment", "", Shape::Deployment),
        (
            FLAG,
            "a.yaml",
            "Deployment",
            "/spec/template/spec/containers/0/args/1",
            Shape::Arguments,
        ),
        (
            FLAG,
            "a.yaml",
            "Deployment",
            "/spec/template/spec/containers/0/command/1",
            Shape::Arguments,
        ),
        (FLAG, "a.yaml", "Deployment", "", Shape::Arguments),
        (
            MEMORY,
            "a.yaml",
            "Deployment",
            "/spec/template/spec/containers/0/resources/limits/memory",
            Shape::Resources,
        ),
        (MEMORY, "a.yaml", "Deployment", "", Shape::Resources),
        (
            FLAG,
            "a.yaml",
            "operator.cluster.x-k8s.io/CoreProvider",
            "/spec/manager/syncPeriod",
            Shape::Provider,
        ),
        (FLAG, "values.yaml", "", "/core/kube-api-qps", Shape::ValuesFile),
        (PLATFORM, "values.yaml", "", "", Shape::ValuesFile),
        (
            PLATFORM,
            "a.yaml",
            "HelmRelease",
            "/spec/values/kustomize/replicas",
            Shape::HelmRelease,
        ),
        (
            PLATFORM,
            "a.yaml",
            "Application",
            "/spec/source/helm/values | /replicaCount",
            Shape::Application,
        ),
        (
            PLATFORM,
            "a.yaml",
            "Application",
            "/spec/source/helm/parameters/0/value",
            Shape::Application,
        ),
        (
            PLATFORM,
            "a.yaml",
            "Application",
            "/spec/source/kustomize/replicas/0/count",
            Shape::ReplicasCount,
        ),
        (
            GROUP,
            "a.yaml",
            "Application",
            "/spec/source/kustomize/patches/0/patch | /0/value",
            Shape::JsonPatch,
        ),
        (
            PLATFORM,
            "a.yaml",
            "ApplicationSet",
            "/spec/generators/0/list/elements/0/n",
            Shape::ApplicationSet,
        ),
        (
            PLATFORM,
            ".argocd-source-kamaji.yaml",
            "",
            "/helm/parameters/0/value",
            Shape::ArgoSource,
        ),
        (FLAG, "a.yaml", "ConfigMap", "/data/BMO_CONCURRENCY", Shape::ConfigMap),
        (
            PLATFORM,
            "a.yaml",
            "ConfigMap",
            "/data/values.yaml | /replicaCount",
            Shape::ConfigMap,
        ),
        (
            PLATFORM,
            "kustomization.yaml",
            "Kustomization",
            "/configMapGenerator/0/literals/0",
            Shape::ConfigMap,
        ),
        (
            GROUP,
            "kustomization.yaml",
            "",
            "/patches/0/patch | /spec/replicas",
            Shape::KustomizePatch,
        ),
        (
            GROUP,
            "kustomization.yaml",
            "",
            "/patches/0/patch | /0/value",
            Shape::JsonPatch,
        ),
        (
            GROUP,
            "kustomization.yaml",
            "Component",
            "/patchesStrategicMerge/0 | /spec/replicas",
            Shape::KustomizePatch,
        ),
        (
            GROUP,
            "kustomization.yaml",
            "Kustomization",
            "/patchesJson6902/0/patch/0/value",
            Shape::JsonPatch,
        ),
        (GROUP, "kustomization.yaml", "Kustomization", "", Shape::KustomizePatch),
        (GROUP, "patch.yaml", "", "/0/value", Shape::JsonPatch),
        (
            PLATFORM,
            "kustomization.yaml",
            "Kustomization",
            "/replicas/0/count",
            Shape::ReplicasCount,
        ),
        (
            GROUP,
            "flux.yaml",
            "Kustomization",
            "/spec/postBuild/substitute/replicas",
            Shape::Substitution,
        ),
        (
            GROUP,
            "flux.yaml",
            "Kustomization",
            "/spec/patches/0/patch | /0/value",
            Shape::JsonPatch,
        ),
        (GROUP, "a.yaml", "Rack", "/spec/size", Shape::Manifest),
    ];

    #[test]
    fn each_way_to_write_a_number_has_a_name() {
        for (target, path, kind, place, shape) in TABLE {
            assert_eq!(word(target, path, kind, place, false), *shape, "{path} {kind} {place}");
        }
        let named: BTreeSet<Shape> = TABLE.iter().map(|(.., shape)| *shape).collect();
        let missing: Vec<Shape> = Shape::ALL.into_iter().filter(|shape| !named.contains(shape)).collect();
        assert_eq!(missing, [Shape::Unknown]);
        let words: BTreeSet<&str> = Shape::ALL.into_iter().map(Shape::as_str).collect();
        assert_eq!(words.len(), Shape::ALL.len());
    }

    #[test]
    fn a_file_that_is_merged_over_another_is_a_patch_whatever_it_says() {
        for (target, kind, pointer) in [
            (GROUP, "MachineDeployment", "/spec/replicas"),
            (BOUND, "MachineDeployment", "/metadata/annotations/x"),
            (PLATFORM, "HelmRelease", "/spec/values/replicaCount"),
            (FLAG, "Deployment", ""),
        ] {
            assert_eq!(
                word(target, "a.yaml", kind, pointer, true),
                Shape::KustomizePatch,
                "{kind}"
            );
        }
    }
}
