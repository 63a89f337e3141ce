//! Pull requests as GitHub, Gitea and Forgejo write them in JSON. The three agree in all that is read here.
//!
//! Only these fields are read, and none is required that any of the three leaves out: an answer that comes after the effect must not fail on
//! a field that nobody needs.

use jiff::Timestamp;
use serde::Deserialize;

use crate::model::{BranchName, PullRequestState};

use super::ForgePullRequest;

/// A pull request.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Pull {
    pub(super) number: u64,
    state: String,
    title: Option<String>,
    body: Option<String>,
    html_url: Option<String>,
    user: Option<User>,
    labels: Option<Vec<Label>>,
    head: Side,
    base: Side,
    pub(super) updated_at: Option<Timestamp>,
    closed_at: Option<Timestamp>,
    merged_at: Option<Timestamp>,
    merged: Option<bool>,
}

/// A user or an app.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct User {
    pub(super) login: String,
    /// GitHub: `User`, `Bot`, `Organization`.
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Label {
    name: String,
}

/// One of the two branches.
#[derive(Debug, Clone, Deserialize)]
struct Side {
    /// GitHub: `owner:branch`. Gitea: `branch`, also when it is deleted and `ref` has become `refs/pull/7/head`.
    label: Option<String>,
    #[serde(rename = "ref")]
    name: String,
    sha: Option<String>,
    /// Nothing when the fork is gone.
    repo: Option<Repository>,
    /// Gitea alone; -1 when the fork is gone.
    repo_id: Option<i64>,
}

#[derive(Debug, Clone, Deserialize)]
struct Repository {
    id: i64,
}

impl Side {
    /// The branch. Its name has no colon, since Git allows none.
    fn branch(&self) -> &str {
        let label = self.label.as_deref().filter(|label| !label.is_empty());
        label.map_or(self.name.as_str(), |label| label.rsplit(':').next().unwrap_or(label))
    }

    fn repository(&self) -> Option<i64> {
        let id = self.repo.as_ref().map(|repository| repository.id).or(self.repo_id)?;
        (id > 0).then_some(id)
    }
}

/// Who we are to the forge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Us {
    /// A user with this name.
    User(String),
    /// A GitHub App or Action. It has no name that it could ask for, but what it opens is opened by a bot.
    App,
}

impl Us {
    fn opened(&self, user: Option<&User>) -> bool {
        match (self, user) {
            (Self::User(login), Some(user)) => user.login.eq_ignore_ascii_case(login),
            (Self::App, Some(user)) => user.kind.as_deref() == Some("Bot"),
            (_, None) => false,
        }
    }
}

impl Pull {
    /// Its labels.
    pub(super) fn labels(&self) -> Vec<String> {
        let labels = self.labels.iter().flatten();
        let mut labels: Vec<String> = labels.map(|label| label.name.clone()).collect();
        labels.sort();
        labels.dedup();
        labels
    }

    /// What it is to us, or nothing if it comes from a fork or from a branch that is none of ours.
    ///
    /// The forge may have filtered already. It is done again, because a filter that a server does not know is ignored in silence, and then
    /// every pull request of the repository would pass for ours.
    pub(super) fn read(&self, prefix: &str, us: &Us) -> Result<Option<ForgePullRequest>, String> {
        let here = self.base.repository();
        if here.is_none() {
            return Err(format!("#{} has no repository", self.number));
        }
        let name = self.head.branch();
        if self.head.repository() != here || !name.starts_with(prefix) {
            return Ok(None);
        }
        let branch = |name: &str| -> Result<BranchName, String> {
            name.parse()
                .map_err(|_| format!("#{} has a branch with an impossible name", self.number))
        };
        let merged = self.merged_at.is_some() || self.merged == Some(true);
        let state = match self.state.as_str() {
            _ if merged => PullRequestState::Merged,
            "open" => PullRequestState::Open,
            "closed" => PullRequestState::Closed,
            other => return Err(format!("#{} is {other}, which is neither open nor closed", self.number)),
        };
        let user = self.user.as_ref();
        let somebody = || user.map_or_else(|| "somebody who is gone".to_owned(), |user| user.login.clone());
        Ok(Some(ForgePullRequest {
            number: self.number,
            branch: branch(name)?,
            base: branch(self.base.branch())?,
            head: self.head.sha.as_deref().and_then(|sha| sha.parse().ok()),
            opened_by: (!us.opened(user)).then(somebody),
            state,
            title: self.title.clone().unwrap_or_default(),
            body: self.body.clone().unwrap_or_default(),
            labels: self.labels(),
            location: self.html_url.clone().unwrap_or_else(|| format!("#{}", self.number)),
            ended_at: self.merged_at.or(self.closed_at),
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn us() -> Us {
        Us::User("Fleet-Bot".to_owned())
    }

    fn github() -> serde_json::Value {
        json!({
            "number": 7, "state": "open", "title": "up", "body": null, "html_url": "https://github.com/o/fleet/pull/7",
            "user": {"login": "fleet-bot", "type": "User"}, "labels": [{"name": "b"}, {"name": "a"}],
            "head": {"label": "o:fleetscale/eu-1/up", "ref": "fleetscale/eu-1/up", "sha": "a".repeat(40), "repo": {"id": 5}},
            "base": {"label": "o:main", "ref": "main", "sha": "b".repeat(40), "repo": {"id": 5}},
            "closed_at": null, "merged_at": null, "new_field": {"x": []},
        })
    }

    fn read(change: &[(&str, serde_json::Value)], us: &Us) -> Result<Option<ForgePullRequest>, String> {
        let mut pull = github();
        for (pointer, value) in change {
            *pull.pointer_mut(pointer).unwrap() = value.clone();
        }
        serde_json::from_value::<Pull>(pull).unwrap().read("fleetscale/", us)
    }

    #[test]
    fn both_dialects_read_the_same() {
        let github = read(&[], &us()).unwrap().unwrap();
        assert_eq!(
            (github.branch.as_str(), github.base.as_str(), github.labels.join(" ")),
            ("fleetscale/eu-1/up", "main", "a b".to_owned())
        );
        assert_eq!((github.opened_by.clone(), github.state), (None, PullRequestState::Open));
        // Gitea's label is the branch alone; of a deleted branch the ref says something else.
        let side = json!({"label": "fleetscale/eu-1/up", "ref": "refs/pull/7/head", "sha": "a".repeat(40), "repo_id": 5, "repo": null});
        let gitea = read(&[("/head", side)], &us()).unwrap().unwrap();
        assert_eq!(gitea, github);
    }

    #[test]
    fn forks_other_branches_and_other_people_are_told_apart() {
        let absent = [
            ("/head/repo/id", json!(6)),
            ("/head/repo", json!(null)),
            ("/head/label", json!("o:fleetscalex/eu-1/up")),
        ];
        for change in absent {
            assert_eq!(read(std::slice::from_ref(&change), &us()), Ok(None), "{change:?}");
        }
        let opened_by = |change: &[(&str, serde_json::Value)], us: &Us| read(change, us).unwrap().unwrap().opened_by;
        assert_eq!(opened_by(&[("/user/login", json!("jo"))], &us()).as_deref(), Some("jo"));
        assert_eq!(
            opened_by(&[("/user", json!(null))], &us()).as_deref(),
            Some("somebody who is gone")
        );
        assert_eq!(opened_by(&[], &Us::App).as_deref(), Some("fleet-bot"));
        assert_eq!(opened_by(&[("/user/type", json!("Bot"))], &Us::App), None);
    }

    #[test]
    fn the_end_is_a_merge_or_a_close() {
        let noon = json!("2026-03-01T13:00:00+01:00");
        let closed = read(&[("/state", json!("closed")), ("/closed_at", noon.clone())], &us());
        let closed = closed.unwrap().unwrap();
        assert_eq!(
            (closed.state, closed.ended_at),
            (PullRequestState::Closed, Some("2026-03-01T12:00:00Z".parse().unwrap()))
        );
        let merged = read(&[("/state", json!("closed")), ("/merged_at", noon)], &us());
        assert_eq!(merged.unwrap().unwrap().state, PullRequestState::Merged);
    }

    #[test]
    fn what_makes_no_sense_is_an_error_and_never_absent() {
        for change in [
            ("/state", json!("unknown")),
            ("/base/repo", json!(null)),
            ("/head/label", json!("o:fleetscale/a..b")),
            ("/base/label", json!("o: ")),
        ] {
            assert!(read(std::slice::from_ref(&change), &us()).is_err(), "{change:?}");
        }
    }
}
