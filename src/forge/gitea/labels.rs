//! Gitea's labels: numbers that belong to a repository or to its organization, and have to exist before they are given.

use std::collections::BTreeMap;

use http::Method;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;

use crate::net::Request;

use super::super::ForgeError;
use super::super::labels::{Change, change};
use super::super::wire::Pull;
use super::{GiteaForge, PAGE};

/// The most pages of labels that are read: five hundred labels.
const MOST_PAGES: u32 = 10;

/// What is known of the labels.
pub(super) type Known = Mutex<Labels>;

#[derive(Debug, Default)]
pub(super) enum Labels {
    /// Nobody asked.
    #[default]
    Unasked,
    /// They could not be read, so none is given: one that is there would be made a second time.
    Unreadable,
    /// Their numbers by their names; nothing for one that can't be had.
    Known(BTreeMap<String, Option<u64>>),
}

#[derive(Deserialize)]
struct Label {
    id: u64,
    name: String,
}

impl GiteaForge {
    /// The numbers of some labels. Missing ones are made if the token may; those that can't be had are left out.
    pub(super) async fn label_ids(&self, wanted: &[String]) -> Result<Vec<u64>, ForgeError> {
        let mut known = self.labels.lock().await;
        if matches!(*known, Labels::Unasked) {
            let read = tolerate(self.labels_of(&self.path("/labels")).await)?;
            *known = read.map_or(Labels::Unreadable, Labels::Known);
        }
        let Labels::Known(ids) = &mut *known else {
            return Ok(Vec::new());
        };
        if wanted.iter().any(|name| !ids.contains_key(name)) {
            let path = format!("/api/v1/orgs/{}/labels", self.owner);
            // A user has no such labels, and is answered 404.
            for (name, id) in quietly(self.labels_of(&path).await)?.unwrap_or_default() {
                ids.entry(name).or_insert(id);
            }
        }
        for name in wanted {
            if !ids.contains_key(name) {
                ids.insert(name.clone(), tolerate(self.make_label(name).await)?);
            }
        }
        Ok(wanted.iter().filter_map(|name| *ids.get(name)?).collect())
    }

    /// Gives and takes labels of ours.
    pub(super) async fn update_labels(&self, number: u64, wanted: &[String]) -> Result<(), ForgeError> {
        let doing = self.doing(&format!("changing the labels of #{number}"));
        let pull: Pull = self.fetch(&doing, &self.path(&format!("/pulls/{number}"))).await?;
        let Change { give, take } = change(&pull.labels(), wanted);
        let path = self.path(&format!("/issues/{number}/labels"));
        let give = self.label_ids(&give).await?;
        if !give.is_empty() {
            let given = self
                .change(&doing, Method::POST, &path, &json!({ "labels": give }))
                .await;
            tolerate(given.map(drop))?;
        }
        if take.is_empty() {
            return Ok(());
        }
        for id in self.label_ids(&take).await? {
            let path = format!("{path}/{id}");
            let request = Request {
                method: Method::DELETE,
                ..Request::get(&path)
            };
            tolerate(self.send(&doing, request).await.map(drop))?;
        }
        Ok(())
    }

    async fn labels_of(&self, path: &str) -> Result<BTreeMap<String, Option<u64>>, ForgeError> {
        let doing = self.doing("listing the labels");
        let mut ids = BTreeMap::new();
        for page in 1..=MOST_PAGES {
            let page = page.to_string();
            let request = Request {
                query: &[("limit", PAGE), ("page", page.as_str())],
                ..Request::get(path)
            };
            let answer = self.send(&doing, request).await?;
            let labels: Vec<Label> = self.gate.read(&doing, &answer)?;
            if labels.is_empty() {
                break;
            }
            for Label { id, name } in labels {
                // Gitea allows two of one name: the older one is the one that people know.
                let known = ids.entry(name).or_insert(Some(id));
                *known = (*known).min(Some(id));
            }
        }
        Ok(ids)
    }

    async fn make_label(&self, name: &str) -> Result<u64, ForgeError> {
        let doing = self.doing(&format!("making the label {name}"));
        let color = if name.ends_with("/P1") { "#d93f0b" } else { "#1d76db" };
        let body = json!({ "name": name, "color": color, "description": "Given by fleetscale" });
        let answer = self.change(&doing, Method::POST, &self.path("/labels"), &body).await?;
        let Label { id, .. } = self.gate.read(&doing, &answer)?;
        Ok(id)
    }
}

/// A label is not worth a failed pull request, unless nothing more may be sent at all.
fn tolerate<T>(result: Result<T, ForgeError>) -> Result<Option<T>, ForgeError> {
    match result {
        Err(error) if !error.stops_the_run() => {
            tracing::warn!(%error, "going on without the label");
            Ok(None)
        }
        result => result.map(Some),
    }
}

/// The same without a word.
fn quietly<T>(result: Result<T, ForgeError>) -> Result<Option<T>, ForgeError> {
    match result {
        Err(error) if !error.stops_the_run() => Ok(None),
        result => result.map(Some),
    }
}
