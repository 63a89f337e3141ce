//! Small repositories for one or a few numbers, and the fleet that they belong to.

use std::borrow::Cow;

use fleetscale::fleet::{FleetTree, Mode, bind, scan};
use fleetscale::model::{Declared, RepoPath, Scalar, Site, Target};
use fleetscale::policy::{FleetFile, PolicySet};
use fleetscale::render::{RenderError, render};

const FLEET: &str = "
apiVersion: fleetscale.io/v1alpha1
kind: Fleet
metadata: {name: corpus}
spec:
  repository: {path: fleet.git}
  regions:
    - name: eu
      managementClusters:
        - {name: eu-1, paths: [clusters, eu-1, management, platform]}
";

const POLICIES: &str = "
apiVersion: fleetscale.io/v1alpha1
kind: PlatformPolicy
metadata: {name: kamaji}
spec:
  component: kamaji
  selector: {regions: [eu]}
  ladder: [{tenants: 0, replicas: 2}]
  writeTo: {path: platform/values.yaml, pointer: /kamaji/replicas}
---
apiVersion: fleetscale.io/v1alpha1
kind: ControllerPolicy
metadata: {name: capi}
spec:
  component: capi
  selector: {regions: [eu]}
  flags: [{name: kube-api-qps, ladder: [{clusters: 1, value: 100}]}]
  writeTo: {path: management/args.yaml, object: {kind: Deployment, name: capi-controller-manager}}
";

/// A fleet with one management cluster, `eu-1`, and policies that say where Kamaji's replicas and a flag are written.
pub(crate) struct Fleet {
    file: FleetFile,
    policies: PolicySet,
}

/// A repository.
#[derive(Debug, Clone)]
pub(crate) struct Repository {
    /// Paths with their bytes.
    pub(crate) files: Vec<(String, Vec<u8>)>,
    /// Links and submodules.
    pub(crate) links: Vec<(RepoPath, Mode)>,
}

impl Repository {
    pub(crate) fn of(path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            files: vec![(path.to_owned(), bytes.into())],
            links: Vec::new(),
        }
    }

    pub(crate) fn tree(&self) -> FleetTree {
        let base = "0".repeat(40).parse().unwrap();
        let tree = FleetTree::from_files(base, self.files.iter().cloned()).unwrap();
        let links = self.links.iter().cloned();
        links.fold(tree, |tree, (path, mode)| tree.with_entry(path, mode))
    }

    /// The repository with other bytes in a file.
    pub(crate) fn with(&self, path: &RepoPath, bytes: &[u8]) -> Self {
        let mut changed = self.clone();
        let file = changed
            .files
            .iter_mut()
            .find(|(name, _)| name == path.as_str())
            .unwrap();
        file.1 = bytes.to_vec();
        changed
    }
}

impl Fleet {
    pub(crate) fn load() -> Self {
        let file = FleetFile::load("fleet.yaml", FLEET.as_bytes()).unwrap();
        let policies = PolicySet::load([("policies.yaml", POLICIES)], Some(&file)).unwrap();
        Self { file, policies }
    }

    pub(crate) fn declared(&self, tree: &FleetTree) -> Declared {
        bind(&self.file, &self.policies, tree)
    }

    /// What is declared, and every number besides that no policy asks for.
    pub(crate) fn scanned(&self, tree: &FleetTree) -> Declared {
        let (numbers, mut declared) = scan(&self.file, &self.policies, tree);
        let numbers = numbers.into_iter().map(|number| (number.target, number.binding));
        declared.bindings.extend(numbers);
        declared
    }
}

/// The file that an edit of a target changes, and its new bytes. Panics if the target is not declared writable.
pub(crate) fn edited(
    tree: &FleetTree,
    declared: &Declared,
    target: &Target,
    from: &Scalar,
    to: &Scalar,
) -> Result<(RepoPath, Vec<u8>), RenderError> {
    let Site::Writable(place) = &declared.bindings[target].site else {
        panic!("{target} can't be written");
    };
    let read = |path: &RepoPath| tree.file(path).ok().map(Cow::Borrowed);
    let rendered = render(read, &[place.edit(from, to)])?;
    assert_eq!(rendered.files.len(), 1, "one edit changes one file");
    let (path, file) = rendered.files.into_iter().next().unwrap();
    Ok((path, file.after))
}
