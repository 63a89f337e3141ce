//! Which part of a path is the name of a management cluster.

use std::collections::BTreeSet;

use crate::model::RepoPath;

/// Folder names that say what lies in a folder and not whose it is.
const GENERIC: [&str; 46] = [
    "app",
    "application",
    "applications",
    "apps",
    "argo",
    "argo-cd",
    "argocd",
    "base",
    "bases",
    "bootstrap",
    "capi",
    "cluster",
    "clusters",
    "config",
    "configs",
    "controller",
    "controllers",
    "deploy",
    "environments",
    "envs",
    "fleet",
    "flux",
    "flux-system",
    "gitops",
    "infra",
    "infrastructure",
    "k8s",
    "kamaji",
    "kmetal",
    "kubernetes",
    "management",
    "management-cluster",
    "management-clusters",
    "manifests",
    "operator",
    "overlay",
    "overlays",
    "platform",
    "platforms",
    "root",
    "src",
    "tenants",
    "values",
    "workers",
    "workload-clusters",
    "workloads",
];

/// Names of folders in which each folder is a management cluster's, as Flux and Argo CD lay them out.
const OF_MANAGEMENT_CLUSTERS: [&str; 3] = ["cluster", "clusters", "management-clusters"];

/// Names of folders in which each folder is what somebody runs, and no management cluster.
const OF_WORKLOADS: [&str; 7] = [
    "app",
    "applications",
    "apps",
    "tenants",
    "workers",
    "workload-clusters",
    "workloads",
];

/// Whether a folder is that of a management cluster by the folders above it: `clusters/eu-1`, or `clusters/eu/eu-1` that is named after its
/// region.
pub(super) fn is_among_management_clusters(folder: &RepoPath) -> bool {
    let is_one = |above: &RepoPath| OF_MANAGEMENT_CLUSTERS.contains(&above.file_name());
    let Some(above) = folder.parent() else { return false };
    let named_after = || folder.file_name().starts_with(above.file_name());
    is_one(&above) || above.parent().is_some_and(|top| is_one(&top)) && named_after()
}

/// Whether the folders in a folder of this name are workloads.
pub(super) fn holds_workloads(name: &str) -> bool {
    OF_WORKLOADS.contains(&name)
}

/// Whether a folder name says nothing of whose it is.
pub(super) fn is_generic(name: &str) -> bool {
    GENERIC.contains(&name)
}

/// A name that Kubernetes would take, made of one that people gave to a folder; nothing if too little would be left.
pub(super) fn slug(name: &str) -> Option<String> {
    let lower = name.to_lowercase().replace(['_', ' '], "-");
    let trimmed = lower.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    trimmed.parse::<crate::model::ManagementClusterName>().ok()?;
    Some(trimmed.to_owned())
}

/// The parts of a file's folder above everything that is named as a namespace or cluster of the file.
///
/// `clusters/eu/eu-1/shard-a/blue/cluster.yaml` with the namespace `shard-a` and the cluster `blue` leaves `clusters/eu/eu-1`.
pub(super) fn above<'p>(file: &'p RepoPath, names: &BTreeSet<String>) -> Vec<&'p str> {
    let mut parts: Vec<&str> = file.as_str().split('/').collect();
    parts.pop();
    let first = parts.iter().position(|part| names.contains(*part));
    parts.truncate(first.unwrap_or(parts.len()));
    parts
}

/// The region of a folder that bears a management cluster's name: the folder above, unless it says nothing.
///
/// A top folder is more often the name of a whole tree. It is a region if the management cluster is named after it (`eu/eu-1`).
pub(super) fn region_above(folder: &RepoPath) -> Option<(String, RepoPath)> {
    let above = folder.parent()?;
    let name = slug(above.file_name()).filter(|name| !is_generic(name))?;
    let is_top = above.parent().is_none();
    let named_after = || folder.file_name().to_lowercase().starts_with(&name);
    (!is_top || named_after()).then_some((name, above))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RepoPath {
        text.parse().unwrap()
    }

    #[test]
    fn a_path_is_cut_above_the_first_folder_of_a_namespace_or_cluster() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        for (file, named, left) in [
            (
                "clusters/eu/eu-1/shard-a/blue/cluster.yaml",
                &["shard-a", "blue"][..],
                "clusters/eu/eu-1",
            ),
            ("clusters/eu/eu-1/blue.yaml", &["default", "blue"], "clusters/eu/eu-1"),
            ("blue/cluster.yaml", &["blue"], ""),
            ("cluster.yaml", &["blue"], ""),
        ] {
            let (file, names) = (path(file), names(named));
            assert_eq!(above(&file, &names).join("/"), left, "{file}");
        }
    }

    #[test]
    fn a_region_is_the_folder_above_and_seldom_a_top_folder() {
        for (folder, region) in [
            ("clusters/eu/eu-1", Some("eu")),
            ("clusters/eu-1", None),
            ("eu/eu-1", Some("eu")),
            ("eu/one", None),
            ("a/clusters/eu-1", None),
            ("clusters/EU_West/eu-1", Some("eu-west")),
        ] {
            let found = region_above(&path(folder)).map(|(name, _)| name);
            assert_eq!(found.as_deref(), region, "{folder}");
        }
    }

    #[test]
    fn a_folder_of_clusters_holds_clusters_and_their_regions() {
        for (folder, is_one) in [
            ("clusters/production", true),
            ("fleet/clusters/eu-1", true),
            ("clusters/eu/eu-1", true),
            ("clusters/eu-1/alpha", false),
            ("tenants/alpha", false),
            ("clusters", false),
        ] {
            assert_eq!(is_among_management_clusters(&path(folder)), is_one, "{folder}");
        }
    }

    #[test]
    fn the_list_of_generic_names_is_sorted() {
        assert!(GENERIC.is_sorted());
    }
}
