//! The objects of the Cluster API Operator, which makes the Deployments of the providers: where such an object is, the Deployment's own
//! manifest is no place.
//!
//! The operator writes `manager` over the arguments of the container, and refuses an additional argument that is there already
//! (`component_customizer.go`). The arguments are a map whose keys bear the dashes; its values are texts.

use crate::fleet::document::Document;
use crate::fleet::field::{Field, Step};
use crate::fleet::find::find;
use crate::fleet::gate::Refused;
use crate::fleet::index::{Index, Instance};
use crate::fleet::layers;
use crate::fleet::shapes::{Reading, flag_value, integer};
use crate::model::{FlagName, Form, Refusal, Site};
use crate::yaml::Node;

/// A field of a container of a provider's Deployment.
pub(super) fn of_container<'a>(container: &'a str, keys: &[&'a str]) -> Field<'a> {
    let way = ["spec", "deployment", "containers"].map(Step::Key);
    let keys = keys.iter().map(|key| Step::Key(key));
    Field {
        steps: way.into_iter().chain([Step::Named(container)]).chain(keys).collect(),
        merged: false,
    }
}

/// Finds a flag, with the object that has it. What is not there becomes a new key of the arguments, if the container has any.
pub(super) fn flag(
    index: &Index<'_>,
    instance: &Instance,
    container: &str,
    flag: &FlagName,
) -> Option<(usize, Reading)> {
    let dashed = format!("--{flag}");
    let bare = flag.to_string();
    let value = |field: &Field<'_>, read: layers::Read| {
        layers::value(index, instance, field, read).filter(|(_, reading)| reading.written)
    };
    let additional = value(
        &Field::keys(&["spec", "manager", "additionalArgs", &dashed]),
        flag_value,
    );
    let argument = value(&of_container(container, &["args", &dashed]), flag_value);
    let kinds = kinds_of(index, instance, &bare);
    let mut fields = Vec::new();
    match bare.as_str() {
        "sync-period" => fields.extend(value(&Field::keys(&["spec", "manager", "syncPeriod"]), flag_value)),
        "max-concurrent-reconciles" => {
            fields.extend(value(
                &Field::keys(&["spec", "manager", "maxConcurrentReconciles"]),
                integer,
            ));
        }
        _ => {}
    }
    for kind in &kinds {
        let keys = ["spec", "manager", "controller", "groupKindConcurrency", kind];
        fields.extend(value(&Field::keys(&keys), integer));
    }
    let several = fields.len() > 1;
    let twice = additional.is_some() && (argument.is_some() || !fields.is_empty());
    let found = fields.into_iter().next().or(additional).or(argument);
    let (object, mut reading) = match found {
        Some(found) => found,
        None => missing(index, instance, container, &dashed)?,
    };
    if several || twice {
        let message =
            format!("{dashed} stands in the provider more than once, which the operator refuses or decides by chance");
        reading.refuse_as(Refusal::WrongShape { message });
    }
    for number in instance.sources() {
        let of = &index.objects[number];
        let objection = index
            .opened
            .look(&of.path, &of.at, |document| objection(document, container, &bare));
        if let Some(Refused { line, refusal }) = objection.flatten() {
            let message = format!("{}:{line}: {refusal}", of.path);
            reading.refuse_as(Refusal::WrongShape { message });
        }
    }
    Some((object, reading))
}

/// The kinds in `groupKindConcurrency` that become this flag: their name in lower case, and `-concurrency`.
fn kinds_of(index: &Index<'_>, instance: &Instance, flag: &str) -> Vec<String> {
    let Some(wanted) = flag.strip_suffix("-concurrency") else {
        return Vec::new();
    };
    let mut kinds: Vec<String> = Vec::new();
    for number in instance.sources() {
        let of = &index.objects[number];
        let found = index.opened.look(&of.path, &of.at, |document| {
            let map = find(
                document.root,
                &["spec", "manager", "controller", "groupKindConcurrency"],
            );
            let keys = map.into_iter().flat_map(Node::entries);
            let keys = keys.filter_map(|entry| entry.key_text().map(str::to_owned));
            keys.filter(|key| key.to_ascii_lowercase() == wanted)
                .collect::<Vec<_>>()
        });
        kinds.extend(found.unwrap_or_default());
    }
    kinds.sort();
    kinds.dedup();
    kinds
}

/// The map of arguments as the place of a new key.
fn missing(index: &Index<'_>, instance: &Instance, container: &str, dashed: &str) -> Option<(usize, Reading)> {
    let (object, mut reading) = layers::value(index, instance, &of_container(container, &["args"]), map_at)?;
    if let Site::Writable(place) = &mut reading.site {
        let key = dashed.to_owned();
        place.form = Form::Inserted { key };
    }
    Some((object, reading))
}

/// Reads a map that a new key could join.
fn map_at(document: &Document<'_>, below: &[&str]) -> Reading {
    let pointer = json_patch::jsonptr::PointerBuf::from_tokens(below.iter().copied());
    let found = match document.root.lookup(&pointer).map_err(crate::fleet::document::refused) {
        Ok(found) => found,
        Err(refused) if matches!(refused.refusal, Refusal::Absent { .. }) => {
            return Reading::unwritten(document, refused);
        }
        Err(refused) => return Reading::refused(document, None, refused),
    };
    let line = found.key.unwrap_or(found.node).position().line;
    if !found.node.is_mapping() {
        return Reading::refused(
            document,
            None,
            Refused::shape(line, "the arguments of a provider are a map"),
        );
    }
    let key = String::new();
    Reading::at(document, None, document.pointer(below), line, Form::Inserted { key })
}

/// What in a document makes it uncertain that the operator passes a flag as it is written.
fn objection(document: &Document<'_>, container: &str, flag: &str) -> Option<Refused> {
    for key in ["patches", "manifestPatches"] {
        let patches = find(document.root, &["spec", key]);
        if let Some(patches) = patches.filter(|patches| patches.source().contains(flag)) {
            let message = format!("spec.{key} speaks of {flag}, too");
            return Some(Refused::shape(patches.position().line, message));
        }
    }
    let containers = find(document.root, &["spec", "deployment", "containers"]);
    let named = |item: &Node<'_>| find(*item, &["name"]).and_then(Node::text) == Some(container);
    let own = containers.into_iter().flat_map(Node::items).filter(named);
    let own = own.filter_map(|item| find(item, &["args"]));
    let additional = find(document.root, &["spec", "manager", "additionalArgs"]);
    for args in own.chain(additional) {
        let bare = args.entries().find(|entry| entry.key_text() == Some(flag));
        if let Some(entry) = bare {
            let message = format!("the key {flag} lacks its dashes, so that the operator passes no flag");
            return Some(Refused::shape(entry.key.position().line, message));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::fleet::scan::testing::scanned_for;

    const FILE: &str = "clusters/eu-1/capi.yaml";

    fn flags(spec: &str, flags: &[&str]) -> Vec<String> {
        let flags: Vec<String> = flags
            .iter()
            .map(|flag| format!("{{name: {flag}, ladder: [{{clusters: 1, value: 150}}]}}"))
            .collect();
        let policy = format!(
            "apiVersion: fleetscale.io/v1alpha1\nkind: ControllerPolicy\nmetadata: {{name: p}}\nspec:\n  component: capi\n  \
             selector: {{regions: ['*']}}\n  flags: [{}]\n",
            flags.join(", ")
        );
        let text = format!(
            "apiVersion: operator.cluster.x-k8s.io/v1alpha2\nkind: CoreProvider\nmetadata: {{name: cluster-api, namespace: a}}\nspec:\n  {spec}\n"
        );
        let found = scanned_for(&policy, &[(FILE, &text)]);
        found
            .iter()
            .map(|line| line.replace(FILE, "F").replace("controller/eu-1/capi/", ""))
            .collect()
    }

    #[test]
    fn arguments_are_a_map_and_the_manager_wins() {
        let args = |args: &str| format!("deployment: {{containers: [{{name: manager, args: {{{args}}}}}]}}");
        let qps = |spec: &str| flags(spec, &["kube-api-qps"]).remove(0);
        let at = "/spec/deployment/containers/0/args";
        for (spec, want) in [
            (
                args("'--kube-api-qps': '20'"),
                format!("20 at F#0{at}/--kube-api-qps:5 Prefixed {{ prefix: \"\" }}"),
            ),
            (
                args("'--v': '2'"),
                format!("- at F#0{at}:5 Inserted {{ key: \"--kube-api-qps\" }}"),
            ),
            (
                args("'--kube-api-qps': 20"),
                "- at line 5: the value stands without quotes where the operator wants a text".to_owned(),
            ),
            (
                args("kube-api-qps: '20'"),
                "- at line 5: F:5: the key kube-api-qps lacks its dashes, so that the operator passes no flag".to_owned(),
            ),
            (
                "manager: {additionalArgs: {'--kube-api-qps': '40'}}".to_owned(),
                "40 at F#0/spec/manager/additionalArgs/--kube-api-qps:5 Prefixed { prefix: \"\" }".to_owned(),
            ),
            (
                format!("manager: {{additionalArgs: {{'--kube-api-qps': '40'}}}}\n  {}", args("'--kube-api-qps': '20'")),
                "40 at line 5: --kube-api-qps stands in the provider more than once, which the operator refuses or decides by chance"
                    .to_owned(),
            ),
            (
                format!("patches: [{{patch: '--kube-api-qps=9'}}]\n  {}", args("'--kube-api-qps': '20'")),
                "20 at line 6: F:5: spec.patches speaks of kube-api-qps, too".to_owned(),
            ),
        ] {
            assert_eq!(qps(&spec), format!("kube-api-qps = {want}"), "{spec}");
        }
    }

    #[test]
    fn the_fields_of_the_manager_become_flags() {
        let args = "deployment: {containers: [{name: manager, args: {'--sync-period': '15m', '--machine-concurrency': '50'}}]}";
        let manager = "manager: {syncPeriod: 10m, controller: {groupKindConcurrency: {Machine: 100}}}";
        assert_eq!(
            flags(&format!("{manager}\n  {args}"), &["machine-concurrency"]),
            [
                "machine-concurrency = 100 at F#0/spec/manager/controller/groupKindConcurrency/Machine:5 Scalar",
                "sync-period = 10m at F#0/spec/manager/syncPeriod:5 Scalar",
            ]
        );
        let twice = "manager: {controller: {groupKindConcurrency: {Machine: 100, machine: 50}}}";
        assert_eq!(
            flags(twice, &["machine-concurrency"]),
            [
                "machine-concurrency = 100 at line 5: --machine-concurrency stands in the provider more than once, which the operator \
              refuses or decides by chance"
            ]
        );
    }

    #[test]
    fn the_deployment_that_the_operator_makes_is_no_place() {
        let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: capi-controller-manager, namespace: a}\nspec:\n  \
                          template: {spec: {containers: [{name: manager, args: [--kube-api-qps=20]}]}}\n---\n";
        let provider = "apiVersion: operator.cluster.x-k8s.io/v1alpha2\nkind: CoreProvider\nmetadata: {name: cluster-api, namespace: a}\n\
                        spec: {deployment: {containers: [{name: manager, args: {'--kube-api-qps': '40'}}]}}\n";
        let found = scanned_for("", &[(FILE, &format!("{deployment}{provider}"))]);
        assert_eq!(
            found,
            [
                format!(
                    "controller/eu-1/capi/kube-api-qps = 40 at {FILE}#1/spec/deployment/containers/0/args/--kube-api-qps:10 Prefixed {{ prefix: \"\" }}"
                ),
                format!(
                    "{FILE}:1 Deployment a/capi-controller-manager: the Cluster API Operator makes it for CoreProvider a/cluster-api ({FILE}:7)"
                ),
            ]
        );
    }
}
