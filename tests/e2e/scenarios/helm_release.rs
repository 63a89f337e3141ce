//! What helm-controller makes of a HelmRelease.
//!
//! Its documentation gives the order: `valuesFrom` as they stand, then `values`, then those of `valuesFrom` that have a `targetPath`. Releases
//! before 1.0 put `values` on top of these, too. Post-renderers come last, one after the other.

use std::fs;
use std::path::Path;

use serde_yaml::Value;

use super::compose::{get, items, refuse, text};
use crate::env::rendering::*;

/// The stream of a release of a chart.
pub(super) fn render(release: &Value, cluster: &Objects, chart: &Path) -> Result<String, String> {
    let spec = release.get("spec").ok_or("a HelmRelease without spec")?;
    refuse(spec, &["commonMetadata"])?;
    let own = text(release, &["metadata", "namespace"]).unwrap_or("default");
    let name = text(release, &["metadata", "name"]).ok_or("a HelmRelease without a name")?;
    let target = text(spec, &["targetNamespace"]);
    let usual = target.map_or(name.to_owned(), |target| format!("{target}-{name}"));
    let release = text(spec, &["releaseName"]).unwrap_or(&usual);
    let (mut texts, mut paths) = (Vec::new(), Vec::new());
    for reference in items(spec, &["valuesFrom"]) {
        let Some(value) = referenced(reference, own, cluster)? else {
            continue;
        };
        match text(reference, &["targetPath"]) {
            None => texts.push(value.to_owned()),
            Some(path) => paths.push((path, value)),
        }
    }
    if let Some(values) = get(spec, &["values"]) {
        texts.push(serde_yaml::to_string(values).unwrap());
    }
    let unquoted = |value: &str| {
        let quoted = ['"', '\'']
            .iter()
            .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
        quoted.map(str::to_owned)
    };
    let paths = paths.into_iter().map(|(path, value)| match unquoted(value) {
        Some(value) => (true, format!("{path}={value}")),
        None => (false, format!("{path}={value}")),
    });
    let paths: Vec<(bool, String)> = paths.collect();
    let texts = texts.iter().map(|text| Values::Text(text));
    let paths = paths.iter().map(|(is_text, entry)| match is_text {
        true => Values::SetString(entry),
        false => Values::Set(entry),
    });
    let layers: Vec<Values<'_>> = texts.chain(paths).collect();
    let rendered = helm_template(chart, release, target.unwrap_or(own), &layers)?;
    items(spec, &["postRenderers"]).try_fold(rendered, |rendered, renderer| post_rendered(&rendered, renderer))
}

/// What the kustomization of a post-renderer makes of a stream.
fn post_rendered(stream: &str, renderer: &Value) -> Result<String, String> {
    let kustomize = renderer.get("kustomize").ok_or("a post-renderer without kustomize")?;
    let folder = tempfile::tempdir().unwrap();
    let mut kustomization = kustomize.as_mapping().ok_or("no kustomization")?.clone();
    kustomization.insert("resources".into(), vec![Value::from("all.yaml")].into());
    let text = serde_yaml::to_string(&kustomization).unwrap();
    fs::write(folder.path().join("all.yaml"), stream).unwrap();
    fs::write(folder.path().join("kustomization.yaml"), text).unwrap();
    kustomize_build(folder.path(), ".")
}

/// The text that a reference to values means; nothing for an optional one that is not there.
fn referenced<'c>(reference: &Value, namespace: &str, cluster: &'c Objects) -> Result<Option<&'c str>, String> {
    let field = |name| text(reference, &[name]).unwrap_or_default();
    if field("kind") != "ConfigMap" {
        return Err(format!("values of a {} are not modelled", field("kind")));
    }
    let identity = format!("v1 ConfigMap {namespace}/{}", field("name"));
    let key = text(reference, &["valuesKey"]).unwrap_or("values.yaml");
    let found = cluster.get(&identity).and_then(|config| text(config, &["data", key]));
    match found {
        None if reference.get("optional") != Some(&Value::Bool(true)) => Err(format!("{identity} has no {key}")),
        found => Ok(found),
    }
}
