//! The concurrency of the Bare Metal Operator, where its ConfigMap gives it: the flag wins over the variable `BMO_CONCURRENCY`, which comes
//! from the ConfigMap `ironic` with the rest of the environment.

use crate::fleet::document::Document;
use crate::fleet::field::Field;
use crate::fleet::find::find;
use crate::fleet::index::{Identity, Index, Instance};
use crate::fleet::layers;
use crate::fleet::shapes::{Reading, text_integer};
use crate::model::{ComponentName, FlagName, Refusal};
use crate::yaml::Node;

/// The variable.
pub(super) const VARIABLE: &str = "BMO_CONCURRENCY";

const CONFIG_MAP: &str = "ironic";

/// Whether a flag can be given by the variable.
pub(super) fn gives(component: &ComponentName, flag: &FlagName) -> bool {
    component.as_str() == "bmo" && flag.to_string() == "controller-concurrency"
}

/// The variable in the ConfigMap that a Deployment takes its environment from, with the object that has it; nothing if there is none.
pub(super) fn variable(index: &Index<'_>, identity: &Identity, instance: &Instance) -> Option<(usize, Reading)> {
    let look = |look: fn(&Document<'_>) -> bool| {
        instance.sources().any(|number| {
            let object = &index.objects[number];
            index.opened.look(&object.path, &object.at, look).unwrap_or(false)
        })
    };
    if !look(takes_it) {
        return None;
    }
    let object = ["", "ConfigMap", CONFIG_MAP];
    let config_maps = index.all_named(&identity.management_cluster, object);
    let mut same = config_maps.filter(|(found, _)| found.namespace == identity.namespace);
    let (_, config_map) = same.next()?;
    let (number, mut reading) = layers::value(index, config_map, &Field::keys(&["data", VARIABLE]), text_integer)?;
    if !reading.written {
        return None;
    }
    if same.next().is_some() {
        let message = format!("more than one ConfigMap {CONFIG_MAP} has it");
        reading.refuse_as(Refusal::WrongShape { message });
    }
    if look(overrides_it) {
        let message = format!("the Deployment's own variable {VARIABLE} wins over the ConfigMap's");
        reading.refuse_as(Refusal::WrongShape { message });
    }
    Some((number, reading))
}

fn containers<'s>(document: &Document<'s>) -> impl Iterator<Item = Node<'s>> + use<'s> {
    let list = find(document.root, &["spec", "template", "spec", "containers"]);
    list.into_iter().flat_map(Node::items)
}

fn items<'s>(container: Node<'s>, key: &str) -> impl Iterator<Item = Node<'s>> + use<'s> {
    find(container, &[key]).into_iter().flat_map(Node::items)
}

fn takes_it(document: &Document<'_>) -> bool {
    let sources = containers(document).flat_map(|container| items(container, "envFrom"));
    let mut names = sources.filter_map(|source| find(source, &["configMapRef", "name"])?.text());
    names.any(|name| name == CONFIG_MAP)
}

fn overrides_it(document: &Document<'_>) -> bool {
    let variables = containers(document).flat_map(|container| items(container, "env"));
    let mut names = variables.filter_map(|variable| find(variable, &["name"])?.text());
    names.any(|name| name == VARIABLE)
}

#[cfg(test)]
mod tests {
    use crate::fleet::scan::testing::scanned;

    fn concurrency(container: &str, data: &str) -> Vec<String> {
        let text = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: baremetal-operator-controller-manager, namespace: a}}\nspec:\n  \
             template: {{spec: {{containers: [{{name: manager, {container}}}]}}}}\n---\napiVersion: v1\nkind: ConfigMap\n\
             metadata: {{name: ironic, namespace: a}}\ndata: {data}\n"
        );
        scanned(&[("clusters/eu-1/b.yaml", &text)])
    }

    #[test]
    fn the_variable_counts_where_the_flag_is_missing() {
        let from = "args: [--x], envFrom: [{configMapRef: {name: ironic}}]";
        let value = "{BMO_CONCURRENCY: '4'}";
        let target = "controller/eu-1/bmo/controller-concurrency = 4 at";
        let place = "clusters/eu-1/b.yaml#";
        for (container, data, want) in [
            (
                from,
                value,
                Some(format!(
                    "{target} {place}1/data/BMO_CONCURRENCY:10 Prefixed {{ prefix: \"\" }}"
                )),
            ),
            ("args: [--x]", value, None),
            (from, "{OTHER: '4'}", None),
            (
                "args: [--controller-concurrency=4], envFrom: [{configMapRef: {name: ironic}}]",
                "{BMO_CONCURRENCY: '8'}",
                Some(format!(
                    "{target} {place}0/spec/template/spec/containers/0/args/0:5 Prefixed {{ prefix: \"--controller-concurrency=\" }}"
                )),
            ),
            (
                "args: [--x], env: [{name: BMO_CONCURRENCY, value: '9'}], envFrom: [{configMapRef: {name: ironic}}]",
                value,
                Some(format!(
                    "{target} line 10: the Deployment's own variable BMO_CONCURRENCY wins over the ConfigMap's"
                )),
            ),
        ] {
            assert_eq!(concurrency(container, data), Vec::from_iter(want), "{container} {data}");
        }
    }
}
