//! Controllers and platform components: their Deployments.
//!
//! Each is listed by its name alone (`fieldSelector=metadata.name=...`), in whatever namespace: a management cluster of Kamaji has a
//! Deployment per tenant, and none of these is read. Two of one name are two controller sets, of which none is the one that is meant.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use crate::model::{ComponentName, LiveController};
use crate::policy::catalogue::{Manager, managers};

use super::discovery::unlisted;
use super::list::{Reader, Resource};
use super::objects::{Condition, Metadata};

/// What the Deployments say.
#[derive(Debug, Default)]
pub(super) struct Components {
    pub(super) found: BTreeMap<ComponentName, Component>,
    /// By component: why it is not known.
    pub(super) unknown: BTreeMap<ComponentName, String>,
}

/// A component that runs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Component {
    pub(super) namespace: String,
    pub(super) deployment: String,
    pub(super) controller: LiveController,
    /// The latest moment at which `spec.replicas` can have been changed.
    pub(super) replicas_changed_at: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
struct Deployment {
    metadata: Metadata,
    spec: Spec,
    status: Option<Status>,
}

#[derive(Debug, Deserialize)]
struct Spec {
    replicas: Option<i64>,
    template: Template,
}

#[derive(Debug, Deserialize)]
struct Template {
    spec: PodSpec,
}

#[derive(Debug, Deserialize)]
struct PodSpec {
    containers: Vec<Container>,
}

#[derive(Debug, Deserialize)]
struct Container {
    name: String,
    image: Option<String>,
    command: Option<Vec<String>>,
    args: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    ready_replicas: Option<i64>,
    conditions: Option<Vec<Condition>>,
}

/// Lists the Deployment of every component of the catalogue.
pub(super) async fn observe(reader: &Reader<'_>) -> Components {
    let resource = Resource {
        group: "apps",
        version: "v1".to_owned(),
        plural: "deployments",
        kind: "Deployment",
    };
    let mut components = Components::default();
    // A server that stopped answering is not waited for ten times over.
    let mut silent: Option<String> = None;
    for (name, manager) in managers() {
        let Ok(name) = name.parse::<ComponentName>() else {
            continue;
        };
        if let Some(cause) = &silent {
            components.unknown.insert(name, cause.clone());
            continue;
        }
        let listed = reader
            .fold(&resource, Some(manager.deployment), Vec::new, Vec::push)
            .await;
        let one = listed.map_err(|error| {
            let cause = unlisted(&resource, &error);
            if error.status().is_none() {
                silent = Some(cause.clone());
            }
            cause
        });
        match one.and_then(|listed| only(listed, manager)) {
            Ok(Some(component)) => {
                components.found.insert(name, component);
            }
            Ok(None) => {}
            Err(cause) => {
                components.unknown.insert(name, cause);
            }
        }
    }
    components
}

/// The one Deployment of a component; nothing if it is not installed.
fn only(mut listed: Vec<Deployment>, manager: Manager) -> Result<Option<Component>, String> {
    // A server that knows no field selectors would list them all.
    listed.retain(|deployment| deployment.metadata.name == manager.deployment);
    let (Some(deployment), None) = (listed.pop(), listed.last()) else {
        return match listed.len() {
            0 => Ok(None),
            more => Err(format!(
                "{} Deployments are called {}, and none is known to be the one",
                more + 1,
                manager.deployment
            )),
        };
    };
    let name = format!(
        "Deployment {}/{}",
        deployment.metadata.namespace, deployment.metadata.name
    );
    component(deployment, manager)
        .map(Some)
        .map_err(|why| format!("{name} {why}"))
}

fn component(deployment: Deployment, manager: Manager) -> Result<Component, String> {
    let Deployment { metadata, spec, status } = deployment;
    let status = status.unwrap_or_default();
    let replicas = spec.replicas.and_then(|replicas| u32::try_from(replicas).ok());
    let progress = status
        .conditions
        .iter()
        .flatten()
        .filter(|condition| condition.r#type == "Progressing");
    let progressed_at = progress.filter_map(|condition| condition.last_update_time).max();
    let replicas_changed_at = metadata.replicas_set_at();
    let changed_at = metadata.template_set_at().max(progressed_at);
    let Container {
        image,
        command,
        args,
        name: _,
    } = container(spec.template.spec.containers, manager)?;
    // Its first word is the program.
    let command = command.into_iter().flatten().skip(1);
    let controller = LiveController {
        version: image.as_deref().and_then(tag).map(str::to_owned),
        args: command.chain(args.into_iter().flatten()).collect(),
        replicas: replicas.ok_or("has no spec.replicas")?,
        ready: status
            .ready_replicas
            .and_then(|ready| u32::try_from(ready).ok())
            .unwrap_or(0),
        changed_at,
        measurements: BTreeMap::new(),
    };
    Ok(Component {
        namespace: metadata.namespace,
        deployment: metadata.name,
        controller,
        replicas_changed_at,
    })
}

/// The container that runs the manager: the one that is called so, or the only one, whatever its name (CACPPK's was renamed in v0.18).
fn container(mut containers: Vec<Container>, manager: Manager) -> Result<Container, String> {
    if containers.len() == 1 {
        return containers.pop().ok_or_else(String::new);
    }
    let named = containers
        .into_iter()
        .find(|container| container.name == manager.container);
    named.ok_or_else(|| format!("has several containers, none of which is called {}", manager.container))
}

/// The tag of an image: `v1.12.4` of `registry.example.org:5000/capi/manager:v1.12.4@sha256:...`.
fn tag(image: &str) -> Option<&str> {
    let image = image.split('@').next()?;
    let (_, tag) = image.rsplit('/').next()?.split_once(':')?;
    Some(tag).filter(|tag| !tag.is_empty())
}

#[cfg(test)]
mod tests;
