//! What Argo CD makes of an Application, and of an ApplicationSet with a list.
//!
//! Its documentation gives the order: `parameters` over `valuesObject` over `values` over `valueFiles`, where a `valuesObject` stands in for
//! `values`. `.argocd-source.yaml` beside the sources, and then `.argocd-source-<application>.yaml`, change the source like a merge patch
//! (RFC 7396). All sources in Git are the repository of the scenario.

use std::fs;
use std::path::{Path, PathBuf};

use serde_yaml::{Mapping, Value};

use super::compose::{get, items, object, objects_at, refuse, text};
use crate::env::rendering::*;

/// The Application that `path#name` means: one that stands there, or one that an ApplicationSet makes.
pub(super) fn application(repository: &Path, reference: &str) -> Result<Value, String> {
    if let Ok((application, _)) = object(repository, reference, "Application") {
        return Ok(application);
    }
    let (path, name) = reference
        .split_once('#')
        .ok_or(format!("{reference}: expected path#name"))?;
    for object in objects_at(repository, path)?.values() {
        if text(object, &["kind"]) == Some("ApplicationSet") {
            let made = generate(object)?;
            let found = made
                .into_iter()
                .find(|made| text(made, &["metadata", "name"]) == Some(name));
            if let Some(found) = found {
                return Ok(found);
            }
        }
    }
    Err(format!("{reference}: no Application of this name"))
}

/// The Applications of an ApplicationSet.
fn generate(set: &Value) -> Result<Vec<Value>, String> {
    let spec = set.get("spec").ok_or("an ApplicationSet without spec")?;
    refuse(spec, &["templatePatch"])?;
    let template = spec.get("template").ok_or("an ApplicationSet without template")?;
    // With Go templates a name has a dot before it.
    let dot = if spec.get("goTemplate") == Some(&Value::Bool(true)) {
        "."
    } else {
        ""
    };
    let mut made = Vec::new();
    for generator in items(spec, &["generators"]) {
        let list = generator.get("list").ok_or("only lists are modelled")?;
        for element in items(list, &["elements"]) {
            made.push(filled(template, element, dot)?);
        }
    }
    Ok(made)
}

/// A template with the values of an element.
fn filled(template: &Value, element: &Value, dot: &str) -> Result<Value, String> {
    Ok(match template {
        Value::String(text) => Value::String(filled_text(text, element, dot)?),
        Value::Sequence(items) => {
            let items: Result<_, String> = items.iter().map(|item| filled(item, element, dot)).collect();
            Value::Sequence(items?)
        }
        Value::Mapping(map) => {
            let entry = |(key, value): (&Value, &Value)| Ok((key.clone(), filled(value, element, dot)?));
            let map: Result<Mapping, String> = map.iter().map(entry).collect();
            Value::Mapping(map?)
        }
        other => other.clone(),
    })
}

fn filled_text(text: &str, element: &Value, dot: &str) -> Result<String, String> {
    let mut done = String::new();
    let mut rest = text;
    while let Some((before, (expression, after))) = rest
        .split_once("{{")
        .and_then(|(before, more)| Some((before, more.split_once("}}")?)))
    {
        let name = expression.trim().strip_prefix(dot).unwrap_or_default();
        let value = get(element, &name.split('.').collect::<Vec<_>>());
        let value = match value {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => return Err(format!("{{{{{expression}}}}} is not modelled")),
        };
        done.push_str(before);
        done.push_str(&value);
        rest = after;
    }
    Ok(done + rest)
}

/// The stream of an Application.
pub(super) fn render(repository: &Path, application: &Value, chart: Option<&Path>) -> Result<String, String> {
    let spec = application.get("spec").ok_or("an Application without spec")?;
    let name = text(application, &["metadata", "name"]).ok_or("an Application without a name")?;
    let all = spec.get("source").into_iter().chain(items(spec, &["sources"]));
    // A source that is only there to be referred to renders nothing.
    let mut rendering = all.filter(|source| source.get("path").is_some() || source.get("chart").is_some());
    let (Some(source), None) = (rendering.next(), rendering.next()) else {
        return Err("only one source that renders is modelled".to_owned());
    };
    refuse(source, &["plugin", "directory"])?;
    let source = overridden(repository, source, name)?;
    let folder = text(&source, &["path"]);
    let has = |file: &str| folder.is_some_and(|folder| repository.join(folder).join(file).is_file());
    if source.get("chart").is_some() || has("Chart.yaml") {
        let namespace = text(spec, &["destination", "namespace"]).unwrap_or("default");
        return helm(repository, &source, (name, namespace), chart);
    }
    kustomize(repository, &source, folder.ok_or("a source without a path")?)
}

/// A source with what the files beside it change.
fn overridden(repository: &Path, source: &Value, name: &str) -> Result<Value, String> {
    let Some(folder) = text(source, &["path"]) else {
        return Ok(source.clone());
    };
    let json = |value: &Value| serde_json::to_value(value).map_err(|error| error.to_string());
    let mut merged = json(source)?;
    for file in [".argocd-source.yaml".to_owned(), format!(".argocd-source-{name}.yaml")] {
        if let Ok(text) = fs::read_to_string(repository.join(folder).join(&file)) {
            let patch: Value = serde_yaml::from_str(&text).map_err(|error| format!("{file}: {error}"))?;
            json_patch::merge(&mut merged, &json(&patch)?);
        }
    }
    serde_yaml::to_value(merged).map_err(|error| error.to_string())
}

fn helm(
    repository: &Path,
    source: &Value,
    (name, namespace): (&str, &str),
    chart: Option<&Path>,
) -> Result<String, String> {
    let nothing = Value::Null;
    let helm = source.get("helm").unwrap_or(&nothing);
    refuse(helm, &["fileParameters", "ignoreMissingValueFiles", "skipCrds"])?;
    let folder = text(source, &["path"]).map(|path| repository.join(path));
    let mut files: Vec<PathBuf> = Vec::new();
    let chart = match (chart, &folder) {
        // Its dependencies are not in Git: the chart of the tests stands in for it, under the values that are.
        (Some(chart), Some(folder)) => {
            files.extend(Some(folder.join("values.yaml")).filter(|path| path.is_file()));
            chart.to_owned()
        }
        (Some(chart), None) => chart.to_owned(),
        (None, Some(folder)) => folder.clone(),
        (None, None) => return Err("an Application of a chart needs `chart`".to_owned()),
    };
    for file in items(helm, &["valueFiles"]).filter_map(Value::as_str) {
        files.push(match (file.strip_prefix('$'), &folder) {
            (Some(referred), _) => repository.join(referred.split_once('/').ok_or(format!("no path in {file}"))?.1),
            (None, Some(folder)) => folder.join(file),
            (None, None) => return Err(format!("{file} lies in a chart that is not here")),
        });
    }
    if let Some(missing) = files.iter().find(|path| !path.is_file()) {
        return Err(format!("{} is not there", missing.display()));
    }
    let inline = match (helm.get("valuesObject"), text(helm, &["values"])) {
        (Some(object), _) => Some(serde_yaml::to_string(object).unwrap()),
        (None, values) => values.map(str::to_owned),
    };
    let mut parameters = Vec::new();
    for parameter in items(helm, &["parameters"]) {
        let field = |name| text(parameter, &[name]).ok_or(format!("a parameter without {name} as a text"));
        let forced = parameter.get("forceString") == Some(&Value::Bool(true));
        parameters.push((
            forced,
            format!("{}={}", field("name")?, field("value")?.replace(',', "\\,")),
        ));
    }
    // Helm puts strings on top of the others, whatever their order.
    parameters.sort_by_key(|(forced, _)| *forced);
    let files = files.iter().map(|path| Values::File(path));
    let inline = inline.iter().map(|text| Values::Text(text));
    let parameters = parameters.iter().map(|(forced, entry)| match forced {
        true => Values::SetString(entry),
        false => Values::Set(entry),
    });
    let layers: Vec<Values<'_>> = files.chain(inline).chain(parameters).collect();
    helm_template(&chart, text(helm, &["releaseName"]).unwrap_or(name), namespace, &layers)
}

fn kustomize(repository: &Path, source: &Value, folder: &str) -> Result<String, String> {
    let nothing = Value::Mapping(Mapping::new());
    let options = source.get("kustomize").unwrap_or(&nothing);
    let copy = tempfile::tempdir().unwrap();
    copy_folder(repository, copy.path());
    let names = ["kustomization.yaml", "kustomization.yml", "Kustomization"].into_iter();
    let file = names
        .map(|name| copy.path().join(folder).join(name))
        .find(|path| path.is_file());
    let file = file.ok_or(format!("{folder} has no kustomization"))?;
    let mut content: Mapping =
        serde_yaml::from_str(&fs::read_to_string(&file).unwrap()).map_err(|error| error.to_string())?;
    for (option, value) in options.as_mapping().into_iter().flatten() {
        match option.as_str() {
            // `kustomize edit set` and `add`: a count stands in for the one of the same name.
            Some(list @ ("patches" | "components" | "replicas")) => {
                let known = content.entry(list.into()).or_insert(Value::Sequence(Vec::new()));
                let known = known.as_sequence_mut().ok_or(format!("{list} is no list"))?;
                for item in value.as_sequence().into_iter().flatten() {
                    if list == "replicas" {
                        known.retain(|other| other.get("name") != item.get("name"));
                    }
                    known.push(item.clone());
                }
            }
            Some(field @ ("namespace" | "namePrefix" | "nameSuffix")) => {
                content.insert(field.into(), value.clone());
            }
            _ => return Err(format!("kustomize: {option:?} is not modelled")),
        }
    }
    fs::write(&file, serde_yaml::to_string(&content).unwrap()).unwrap();
    kustomize_build(copy.path(), folder)
}
