//! What happens to an object on its way through kustomizations, one thing after the other.

use smol_str::SmolStr;

use super::affixes::Affixes;
use super::kustomize::Kustomization;
use super::resolve::Graph;

/// One of the things that happen to what comes along a chain of kustomizations. Kustomizations are numbers of [`Graph::kustomizations`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Its patches up to the field `patches` apply.
    Early(usize),
    /// Its namespace is given to everything.
    Namespace(SmolStr),
    /// Names change.
    Rename(Affixes),
    /// Its `patchesJson6902`, `replicas` and what comes after them apply.
    Late(usize),
}

/// What happens to what comes along a chain, in kustomize's order (`configureBuiltinTransformers`): strategic merges and patches, then
/// namespace and names, then RFC 6902 and `replicas`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Steps {
    /// The steps.
    pub(super) steps: Vec<Step>,
    /// Whether names change in a way that is told elsewhere: by a configuration, a schema or a variable.
    pub(super) uncertain: bool,
}

impl Steps {
    /// The steps of a chain, the kustomization that lists the file first.
    pub(super) fn of(graph: &Graph, chain: &[usize]) -> Self {
        let mut steps = Self::default();
        let mut configured = false;
        // Flux and Argo CD add to the kustomization of the folder that they apply: what comes late there comes after theirs.
        let mut waiting: Option<usize> = None;
        for user in graph.patching(chain) {
            let Kustomization {
                role,
                affixes,
                configures,
                namespace,
                ..
            } = &graph.kustomizations[user];
            configured |= configures;
            if role.applies() {
                steps.steps.push(Step::Early(user));
                let before = waiting.take();
                let own = before.map(|before| &graph.kustomizations[before]);
                let namespace = namespace.as_ref().or(own.and_then(|own| own.namespace.as_ref()));
                let own = own.map(|own| own.affixes.clone()).unwrap_or_default();
                steps.change(namespace, own.overwritten_by(affixes));
                steps.steps.extend(before.into_iter().chain([user]).map(Step::Late));
            } else {
                steps.finish(graph, waiting.replace(user));
                steps.steps.push(Step::Early(user));
            }
        }
        steps.finish(graph, waiting);
        steps.uncertain |= configured && steps.renames();
        steps
    }

    fn finish(&mut self, graph: &Graph, waiting: Option<usize>) {
        let Some(user) = waiting else { return };
        let Kustomization { namespace, affixes, .. } = &graph.kustomizations[user];
        self.change(namespace.as_ref(), affixes.clone());
        self.steps.push(Step::Late(user));
    }

    fn change(&mut self, namespace: Option<&SmolStr>, affixes: Affixes) {
        self.steps.extend(namespace.cloned().map(Step::Namespace));
        self.uncertain |= affixes.is_filled_in();
        if !affixes.is_none() {
            self.steps.push(Step::Rename(affixes));
        }
    }

    /// Whether any name changes.
    pub(super) fn renames(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Rename(_)))
    }

    /// The name that an object has in the end.
    pub(super) fn name(&self, [group, kind, name]: [&str; 3]) -> SmolStr {
        let affixes = self.steps.iter().filter_map(|step| match step {
            Step::Rename(affixes) => Some(affixes),
            Step::Early(_) | Step::Namespace(_) | Step::Late(_) => None,
        });
        affixes.fold(name.into(), |name: SmolStr, affixes| affixes.name([group, kind, &name]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::appliers;
    use crate::fleet::tree::FleetTree;

    /// The steps of the file `base/a.yaml`, and the name that a MachineDeployment `a` of it gets.
    fn steps(files: &[(&str, &str)]) -> (String, bool, String) {
        let files = files.iter().map(|(path, text)| (*path, *text));
        let tree = FleetTree::from_files("0".repeat(40).parse().unwrap(), files).unwrap();
        let graph = Graph::unlinked(&tree).linked(&tree, appliers::read(&tree).appliers);
        let contexts = graph.contexts_of_file(&"base/a.yaml".parse().unwrap());
        assert_eq!(contexts.len(), 1);
        let steps = Steps::of(&graph, &contexts[0].chain);
        let folder = |user: &usize| graph.kustomizations[*user].path.parent().unwrap().to_string();
        let shown: Vec<String> = steps
            .steps
            .iter()
            .map(|step| match step {
                Step::Early(user) => format!("{} early", folder(user)),
                Step::Late(user) => format!("{} late", folder(user)),
                Step::Namespace(namespace) => format!("in {namespace}"),
                Step::Rename(affixes) => affixes.name(["", "", "*"]).to_string(),
            })
            .collect();
        let name = steps.name(["cluster.x-k8s.io", "MachineDeployment", "a"]).to_string();
        (shown.join(", "), steps.uncertain, name)
    }

    const BASE: (&str, &str) = ("base/kustomization.yaml", "resources: [a.yaml]\nnameSuffix: -x\n");

    #[test]
    fn names_change_between_patches_and_late_patches() {
        let overlay = (
            "o/kustomization.yaml",
            "resources: [../base]\ncomponents: [../c]\nnamePrefix: eu-\n",
        );
        let component = ("c/kustomization.yaml", "kind: Component\nnamePrefix: c-\n");
        assert_eq!(
            steps(&[("base/a.yaml", ""), BASE, overlay, component]),
            (
                "base early, *-x, base late, c early, c-*, c late, o early, eu-*, o late".to_owned(),
                false,
                "eu-c-a-x".to_owned()
            )
        );
        assert_eq!(steps(&[("base/a.yaml", "")]), (String::new(), false, "a".to_owned()));
    }

    #[test]
    fn an_applier_overwrites_the_affixes_of_its_folder() {
        let flux = "\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: a, namespace: flux-system}
spec: {path: ./base, nameSuffix: -y, namePrefix: p-}
";
        assert_eq!(
            steps(&[("base/a.yaml", ""), BASE, ("flux/a.yaml", flux)]),
            (
                "base early, flux early, p-*-y, base late, flux late".to_owned(),
                false,
                "p-a-y".to_owned()
            )
        );
    }

    #[test]
    fn what_is_told_elsewhere_is_uncertain() {
        let overlay = |text: &str| steps(&[("base/a.yaml", ""), BASE, ("o/kustomization.yaml", text)]).1;
        assert!(!overlay("resources: [../base]\n"));
        assert!(overlay("resources: [../base]\nnamePrefix: ${region}-\n"));
        assert!(overlay("resources: [../base]\nconfigurations: [references.yaml]\n"));
        assert!(overlay("resources: [../base]\ncrds: [crd.json]\n"));
        let plain = (
            "base/kustomization.yaml",
            "resources: [a.yaml]\nconfigurations: [x.yaml]\n",
        );
        assert!(!steps(&[("base/a.yaml", ""), plain]).1);
    }
}
