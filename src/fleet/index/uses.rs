//! The ways in which kustomizations are used, for what they make that is no object of the index.

use crate::fleet::document::At;
use crate::fleet::ignored::Ignored;
use crate::fleet::kustomize::{Kustomization, Patch};
use crate::fleet::steps::{Step, Steps};
use crate::model::ManagementClusterName;

use super::Index;

/// One way in which a kustomization is used.
pub(in crate::fleet) struct Used<'i> {
    /// Where what it makes belongs; nothing for what is outside of all management clusters.
    pub(in crate::fleet) management_cluster: Option<ManagementClusterName>,
    /// The patches that come after it, in the order in which they apply, each with the kustomization that has it.
    pub(in crate::fleet) patches: Vec<(&'i Kustomization, &'i Patch)>,
    /// Whether what it makes gets other names.
    pub(in crate::fleet) renames: bool,
    /// The holds that are put on everything.
    pub(in crate::fleet) holds: Vec<String>,
    /// What whoever applies it leaves alone.
    pub(in crate::fleet) ignored: Vec<Ignored>,
    /// Why whoever applies it does not do so for now.
    pub(in crate::fleet) suspended: Option<String>,
}

impl Kustomization {
    /// Where it stands in its file.
    pub(in crate::fleet) fn at(&self) -> At {
        At {
            document: self.document,
            prefix: self.prefix.clone(),
            outer: None,
        }
    }
}

impl Index<'_> {
    /// The kustomizations of folders and the components, each with all ways in which it is used.
    pub(in crate::fleet) fn kustomizations(&self) -> Vec<(&Kustomization, Vec<Used<'_>>)> {
        let all = self.graph.kustomizations.iter().enumerate();
        let folders = all.filter(|(_, kustomization)| !kustomization.role.applies());
        folders.map(|(number, own)| (own, self.uses_of(number, own))).collect()
    }

    fn uses_of(&self, number: usize, own: &Kustomization) -> Vec<Used<'_>> {
        let uses = self.graph.contexts(number).iter().map(|context| {
            let steps = Steps::of(&self.graph, &context.chain);
            let mut patches = Vec::new();
            for step in &steps.steps {
                let (user, late) = match step {
                    Step::Early(user) => (*user, false),
                    Step::Late(user) => (*user, true),
                    Step::Namespace(_) | Step::Rename(_) => continue,
                };
                let user = &self.graph.kustomizations[user];
                let of_step = user.patches.iter().filter(|patch| patch.late == late);
                patches.extend(of_step.map(|patch| (user, patch)));
            }
            let on_the_way = || context.chain.iter().map(|user| &self.graph.kustomizations[*user]);
            Used {
                management_cluster: self.territories.of_use(&self.graph, &own.path, context),
                patches,
                renames: steps.renames() || steps.uncertain,
                holds: on_the_way().filter_map(|user| user.annotations.hold.clone()).collect(),
                suspended: on_the_way().find_map(|user| user.suspended.clone()),
                ignored: on_the_way().flat_map(|user| user.ignored.iter().cloned()).collect(),
            }
        });
        uses.collect()
    }
}
