//! What Flux adds to `kustomize build`: a Kustomization's own fields, and variables.
//!
//! kustomize itself is the real one; the rules around it are written anew after kustomize-controller (fluxcd/pkg, `kustomize` and `envsubst`), as
//! far as our fixtures need them. What is not modelled is an error, never passed over.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_yaml::{Mapping, Value};

use super::kustomize_build;
use super::objects::{Objects, documents};

/// Label or annotation of an object whose text Flux leaves alone when it says `disabled`.
const SWITCH: &str = "kustomize.toolkit.fluxcd.io/substitute";

/// Names of kustomize's own file, in the order in which it looks for them.
const FILES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Fields of a Kustomization that change what is applied, and that are not modelled here.
const NOT_MODELLED: [&str; 5] = [
    "images",
    "commonMetadata",
    "patchesStrategicMerge",
    "patchesJson6902",
    "decryption",
];

/// The stream that Flux applies for one of its Kustomizations, given as an object, from a repository; `cluster` has the ConfigMaps that its
/// `substituteFrom` names.
///
/// Modelled: `path`, also without a kustomization.yaml (then all YAML files under it), `patches`, `components`, `targetNamespace`, `namePrefix`,
/// `nameSuffix`, and `postBuild`, where `substitute` wins over `substituteFrom` and a later source over an earlier one.
pub(crate) fn flux_build(repository: &Path, kustomization: &Value, cluster: &Objects) -> Result<String, String> {
    let spec = kustomization.get("spec").ok_or("a Kustomization without spec")?;
    if let Some(field) = NOT_MODELLED.iter().find(|field| spec.get(**field).is_some()) {
        return Err(format!("spec.{field} is not modelled"));
    }
    let copy = tempfile::tempdir().unwrap();
    copy_folder(repository, copy.path());
    let path = spec.get("path").and_then(Value::as_str).unwrap_or(".");
    add_fields(&copy.path().join(path), spec)?;
    let built = kustomize_build(copy.path(), path)?;
    match spec.get("postBuild") {
        Some(post_build) => {
            let namespace = kustomization
                .get("metadata")
                .and_then(|metadata| metadata.get("namespace"));
            let namespace = namespace.and_then(Value::as_str).unwrap_or("default");
            flux_substitute(&built, &variables(post_build, namespace, cluster)?)
        }
        None => Ok(built),
    }
}

/// Writes a Kustomization's own fields into the folder's kustomization file, which is made where there is none.
fn add_fields(folder: &Path, spec: &Value) -> Result<(), String> {
    let existing = FILES.iter().map(|name| folder.join(name)).find(|path| path.is_file());
    let (file, mut content) = match existing {
        Some(file) => {
            let text = fs::read_to_string(&file).unwrap();
            let content: Mapping =
                serde_yaml::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
            (file, content)
        }
        None => {
            let mut resources = Vec::new();
            resources_under(folder, "", &mut resources)?;
            let content = Mapping::from_iter([("resources".into(), Value::Sequence(resources))]);
            (folder.join(FILES[0]), content)
        }
    };
    for (field, name) in [
        ("targetNamespace", "namespace"),
        ("namePrefix", "namePrefix"),
        ("nameSuffix", "nameSuffix"),
    ] {
        if let Some(value) = spec.get(field) {
            content.insert(name.into(), value.clone());
        }
    }
    for field in ["patches", "components"] {
        if let Some(Value::Sequence(more)) = spec.get(field) {
            let list = content.entry(field.into()).or_insert(Value::Sequence(Vec::new()));
            let list = list.as_sequence_mut().ok_or(format!("{field} is no list"))?;
            list.extend(more.iter().cloned());
        }
    }
    fs::write(&file, serde_yaml::to_string(&content).unwrap()).unwrap();
    Ok(())
}

/// The YAML files under a folder, and the folders under it that have a kustomization of their own, which is not entered.
fn resources_under(folder: &Path, prefix: &str, found: &mut Vec<Value>) -> Result<(), String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let name = format!("{prefix}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() && !FILES.iter().any(|file| path.join(file).is_file()) {
            resources_under(&path, &format!("{name}/"), found)?;
        } else if path.is_dir() || name.ends_with(".yaml") || name.ends_with(".yml") {
            found.push(name.into());
        }
    }
    Ok(())
}

pub(crate) fn copy_folder(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().unwrap();
        if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(from).unwrap(), to).unwrap();
        } else if kind.is_dir() {
            fs::create_dir(&to).unwrap();
            copy_folder(&from, &to);
        } else {
            fs::copy(from, to).unwrap();
        }
    }
}

fn variables(post_build: &Value, namespace: &str, cluster: &Objects) -> Result<BTreeMap<String, String>, String> {
    let mut found = BTreeMap::new();
    let mut add = |values: &Value| {
        for (name, value) in values.as_mapping().into_iter().flatten() {
            let text = |value: &Value| {
                value
                    .as_str()
                    .map(str::to_owned)
                    .ok_or(format!("{value:?} is no string"))
            };
            found.insert(text(name)?, text(value)?);
        }
        Ok::<(), String>(())
    };
    let none = Vec::new();
    let sources = post_build.get("substituteFrom").and_then(Value::as_sequence);
    for source in sources.unwrap_or(&none) {
        let field = |name| source.get(name).and_then(Value::as_str).unwrap_or_default();
        if field("kind") != "ConfigMap" {
            return Err(format!("variables of a {} are not modelled", field("kind")));
        }
        let identity = format!("v1 ConfigMap {namespace}/{}", field("name"));
        let optional = source.get("optional") == Some(&Value::Bool(true));
        match cluster.get(&identity) {
            Some(config) => add(config.get("data").unwrap_or(&Value::Null))?,
            None if optional => {}
            None => return Err(format!("{identity} is not there")),
        }
    }
    add(post_build.get("substitute").unwrap_or(&Value::Null))?;
    Ok(found)
}

/// A built stream with its variables replaced as Flux's postBuild does it.
///
/// `${name}`, and `${name:=default}`, `${name:-default}`, `${name=default}`, where the default stands in for an empty value, too; `$$` is one `$`. An
/// unknown name is empty: Flux is strict about it only behind a feature gate. Without any variable, nothing is replaced. Objects with the label
/// or annotation `kustomize.toolkit.fluxcd.io/substitute: disabled` stay as they are. The other functions of a shell are errors here. The values
/// that our tests expect are those of fluxcd/pkg/envsubst v1.5.0.
pub(crate) fn flux_substitute(stream: &str, variables: &BTreeMap<String, String>) -> Result<String, String> {
    let wrong = |name: &&String| {
        name.starts_with(|c: char| c.is_ascii_digit())
            || name.is_empty()
            || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    if let Some(name) = variables.keys().find(wrong) {
        return Err(format!("a variable can not be called {name:?}"));
    }
    if variables.is_empty() {
        return Ok(stream.to_owned());
    }
    let mut replaced = Vec::new();
    for document in documents(stream) {
        replaced.push(if is_switched_off(&document) {
            document
        } else {
            substitute(&document, variables)?
        });
    }
    Ok(replaced.join("---\n"))
}

fn is_switched_off(document: &str) -> bool {
    let object: Value = serde_yaml::from_str(document).unwrap_or_default();
    ["labels", "annotations"].iter().any(|place| {
        let entries = object.get("metadata").and_then(|metadata| metadata.get(*place));
        entries.and_then(|entries| entries.get(SWITCH)) == Some(&"disabled".into())
    })
}

fn substitute(text: &str, variables: &BTreeMap<String, String>) -> Result<String, String> {
    let mut replaced = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        replaced.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('{') {
            let (expression, after) = after.split_once('}').ok_or(format!("no }} after ${rest}"))?;
            replaced.push_str(&value(expression, variables)?);
            rest = after;
        } else {
            replaced.push('$');
            rest = rest.strip_prefix('$').unwrap_or(rest);
        }
    }
    Ok(replaced + rest)
}

/// The value of what stands between the braces.
fn value(expression: &str, variables: &BTreeMap<String, String>) -> Result<String, String> {
    let end = expression.find(|c: char| !c.is_alphanumeric() && c != '_');
    let (name, operation) = expression.split_at(end.unwrap_or(expression.len()));
    let default = match operation {
        "" => Some(""),
        _ => [":=", ":-", "="].iter().find_map(|sign| operation.strip_prefix(sign)),
    };
    match default {
        Some(default) if !name.is_empty() && !default.contains('$') => {
            // Flux takes the line ends out of the values before it uses them.
            let value = variables.get(name).map(|value| value.replace('\n', ""));
            let value = value.filter(|value| !value.is_empty());
            Ok(value.unwrap_or_else(|| default.to_owned()))
        }
        _ => Err(format!("${{{expression}}} is not modelled")),
    }
}
