//! Objects of a repository by `path#name`, and what Flux and Argo CD share in composing layers.

use std::fs;
use std::path::Path;

use serde_yaml::Value;

use crate::env::rendering::*;

/// The text of a file.
pub(super) fn read(repository: &Path, path: &str) -> Result<String, String> {
    fs::read_to_string(repository.join(path)).map_err(|error| format!("{path}: {error}"))
}

/// The objects of a file, or of a folder that kustomize builds.
pub(super) fn objects_at(repository: &Path, path: &str) -> Result<Objects, String> {
    if repository.join(path).is_dir() {
        objects(&kustomize_build(repository, path)?)
    } else {
        objects(&read(repository, path)?)
    }
}

/// The object of a kind that `path#name` means, and all that are beside it.
pub(super) fn object(repository: &Path, reference: &str, kind: &str) -> Result<(Value, Objects), String> {
    let (path, name) = reference
        .split_once('#')
        .ok_or(format!("{reference}: expected path#name"))?;
    let objects = objects_at(repository, path)?;
    let named =
        |object: &&Value| text(object, &["kind"]) == Some(kind) && text(object, &["metadata", "name"]) == Some(name);
    let found = objects.values().find(named).cloned();
    Ok((found.ok_or(format!("{reference}: no {kind} of this name"))?, objects))
}

/// A value below keys.
pub(super) fn get<'v>(value: &'v Value, keys: &[&str]) -> Option<&'v Value> {
    keys.iter().try_fold(value, |value, key| value.get(*key))
}

/// A text below keys.
pub(super) fn text<'v>(value: &'v Value, keys: &[&str]) -> Option<&'v str> {
    get(value, keys)?.as_str()
}

/// The items of a list below keys; none where there is no list.
pub(super) fn items<'v>(value: &'v Value, keys: &[&str]) -> impl Iterator<Item = &'v Value> {
    get(value, keys).and_then(Value::as_sequence).into_iter().flatten()
}

/// Says no to fields that change what is rendered and are not modelled.
pub(super) fn refuse(value: &Value, fields: &[&str]) -> Result<(), String> {
    match fields.iter().find(|field| value.get(**field).is_some()) {
        Some(field) => Err(format!("{field} is not modelled")),
        None => Ok(()),
    }
}
