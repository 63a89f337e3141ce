//! To which management cluster a file belongs, and each use of a file.

use std::collections::BTreeMap;

use crate::fleet::kustomize::{Destination, Kustomization, Role};
use crate::fleet::resolve::{Context, Graph};
use crate::model::{ManagementClusterName, RepoPath};
use crate::policy::FleetFile;

/// The most uses of a base that are looked at for the one cluster that all of them are of.
const MOST_USES: usize = 16;

/// By folder or file: the management cluster that it belongs to.
#[derive(Default)]
pub(in crate::fleet) struct Territories<'t>(BTreeMap<&'t RepoPath, &'t ManagementClusterName>);

impl<'t> Territories<'t> {
    /// The paths of all management clusters.
    pub(in crate::fleet) fn of(fleet: &'t FleetFile) -> Self {
        let clusters = fleet.management_clusters();
        let paths = clusters.flat_map(|(_, cluster)| cluster.paths.iter().map(move |path| (path, &cluster.name)));
        Self(paths.collect())
    }

    /// The management cluster of a folder or file: the longest path that contains it.
    pub(super) fn of_file(&self, path: &RepoPath) -> Option<(RepoPath, &'t ManagementClusterName)> {
        let mut at = Some(path.clone());
        while let Some(folder) = at {
            if let Some(name) = self.0.get(&folder) {
                return Some((folder, name));
            }
            at = folder.parent();
        }
        None
    }

    /// The management cluster of a use of a file: that of the outermost kustomization on the way that lies in one's paths, or of one
    /// further in whose path is more exact. So a base belongs to whoever uses it.
    pub(in crate::fleet) fn of_use(
        &self,
        graph: &Graph,
        path: &RepoPath,
        context: &Context,
    ) -> Option<ManagementClusterName> {
        let chain = context.chain.iter().rev().map(|index| &graph.kustomizations[*index]);
        // What lies in nobody's paths belongs to whoever applies it.
        let applied_by = || chain.clone().find_map(|user| self.of_applier(graph, user));
        self.of_kustomizations(graph, path, context)
            .or_else(applied_by)
            .cloned()
    }

    /// The management cluster that the kustomizations on the way to a file tell, and the file itself.
    fn of_kustomizations(
        &self,
        graph: &Graph,
        path: &RepoPath,
        context: &Context,
    ) -> Option<&'t ManagementClusterName> {
        let chain = context.chain.iter().rev().map(|index| &graph.kustomizations[*index]);
        let inwards = chain.filter(|user| !user.role.applies()).map(|user| &user.path);
        let owners = inwards.chain([path]).filter_map(|path| self.of_file(path));
        let owner = owners.reduce(|outer, inner| if inner.0.is_under(&outer.0) { inner } else { outer });
        owner.map(|owner| owner.1)
    }

    /// The management cluster that an object of Flux or Argo CD applies to. One in a base is in the cluster whose kustomizations use that, if
    /// it is a single one.
    fn of_applier(&self, graph: &Graph, applier: &Kustomization) -> Option<&'t ManagementClusterName> {
        match &applier.role {
            Role::Flux { elsewhere: false, .. }
            | Role::Argo {
                destination: Destination::Own,
                ..
            } => {
                if let Some((_, own)) = self.of_file(&applier.path) {
                    return Some(own);
                }
                let contexts = graph.contexts_of_file(&applier.path);
                let contexts = Some(contexts).filter(|contexts| contexts.len() <= MOST_USES)?;
                let mut owners = contexts
                    .iter()
                    .map(|context| self.of_kustomizations(graph, &applier.path, context));
                let first = owners.next()??;
                owners.all(|owner| owner == Some(first)).then_some(first)
            }
            Role::Argo {
                destination: Destination::Named(name),
                ..
            } => {
                let names = self.0.values().copied();
                names.into_iter().find(|known| known.as_str() == name)
            }
            _ => None,
        }
    }
}
