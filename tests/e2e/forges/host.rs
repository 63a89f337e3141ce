//! One repository on a real forge, and what people do there.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fleetscale::forge::{
    AnyForge, Forge, ForgePullRequest, GitHubForge, GiteaForge, Hosted, NewPullRequest, PullRequestText,
};
use fleetscale::net::{Credentials, Deadline, Limits, Secret, Server};
use http::Method;
use serde_json::{Value, json};

use crate::env::gitea::Gitea;
use crate::env::github::{self, GitHub};
use crate::env::{Api, Fault, Proxy, Seen, wait, wait_until};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Gitea,
    GitHub,
}

/// A repository of its own for one test, with a server between us and the forge.
pub(crate) struct Host {
    pub(crate) kind: Kind,
    proxy: Proxy,
    name: String,
    repository: String,
    bot: String,
    pub(crate) reader: String,
    jo: Api,
    branches: Box<dyn Fn(&str)>,
}

pub(crate) const BODY: &str = "| a |\n|---|\n\n<!-- fleetscale: {} -->\n";

/// How a forge is looked at; what is not told is generous.
pub(crate) struct Look {
    pub(crate) token: String,
    pub(crate) body: usize,
    pub(crate) call: Duration,
    pub(crate) pace: Duration,
    pub(crate) since: &'static str,
}

/// Runs a test on both forges.
pub(crate) fn on_both(name: &str, test: impl Fn(&Host)) {
    for (kind, words) in [(Kind::Gitea, "on Gitea"), (Kind::GitHub, "on GitHub")] {
        println!("{words}");
        test(&Host::new(kind, name));
    }
}

pub(crate) fn text(title: &str, labels: &[&str]) -> PullRequestText {
    PullRequestText {
        title: title.to_owned(),
        body: BODY.to_owned(),
        labels: labels.iter().map(|label| (*label).to_owned()).collect(),
    }
}

pub(crate) fn new(branch: &str) -> NewPullRequest {
    NewPullRequest {
        branch: branch.parse().unwrap(),
        base: "main".parse().unwrap(),
        text: text("eu-1: blue up", &["fleetscale", "fleetscale/up"]),
    }
}

/// The method and the path without the query.
fn parts(seen: &Seen) -> (&str, &str) {
    let mut words = seen.line.split([' ', '?']);
    (words.next().unwrap_or_default(), words.next().unwrap_or_default())
}

impl Host {
    pub(crate) fn new(kind: Kind, name: &str) -> Self {
        match kind {
            Kind::Gitea => {
                let gitea = Gitea::shared();
                let repository = gitea.repository(name);
                let boss = gitea.api(&gitea.jo);
                let path = format!("/api/v1/repos/{repository}/contents");
                Self {
                    kind,
                    proxy: Proxy::before(&gitea.url(), None),
                    name: name.to_owned(),
                    repository,
                    bot: gitea.bot.clone(),
                    reader: gitea.reader.clone(),
                    jo: gitea.api(&gitea.jo),
                    branches: Box::new(move |branch| {
                        let file = format!("{path}/{}", branch.replace('/', "-"));
                        boss.post(
                            &file,
                            &json!({ "branch": "main", "new_branch": branch, "content": "eA==", "message": branch }),
                        );
                    }),
                }
            }
            Kind::GitHub => {
                let github = GitHub::shared();
                let repository = github.repository(name);
                let of = repository.clone();
                Self {
                    kind,
                    proxy: Proxy::before(github.url(), None),
                    name: name.to_owned(),
                    repository,
                    bot: github::BOT.to_owned(),
                    reader: String::new(),
                    jo: github.api(github::JO),
                    branches: Box::new(move |branch| github.branch(&of, branch)),
                }
            }
        }
    }

    /// The forge as the agent sees it.
    pub(crate) fn forge(&self) -> AnyForge {
        self.look(&self.usual())
    }

    pub(crate) fn usual(&self) -> Look {
        Look {
            token: self.bot.clone(),
            body: 64 << 20,
            call: Duration::from_secs(60),
            pace: Duration::ZERO,
            since: "2020-01-01T00:00:00Z",
        }
    }

    pub(crate) fn look(&self, look: &Look) -> AnyForge {
        let Look {
            token,
            body,
            call,
            pace,
            since,
        } = look;
        let mut server = Server::new(self.proxy.url()).unwrap();
        server.credentials = Credentials::Bearer(Secret::new(token));
        let hosted = Hosted {
            server: &server,
            owner: github::OWNER,
            name: &self.name,
            limits: Limits {
                connect: Duration::from_secs(5),
                call: *call,
                body: *body,
            },
            deadline: Deadline::after(Duration::from_secs(300)),
            pace: *pace,
            since: since.parse().unwrap(),
        };
        match self.kind {
            Kind::Gitea => AnyForge::Gitea(Box::new(GiteaForge::new(&hosted).unwrap())),
            Kind::GitHub => AnyForge::GitHub(Box::new(GitHubForge::new(&hosted).unwrap())),
        }
    }

    /// Makes the next so many requests of this method to a path with this end go wrong.
    pub(crate) fn fault(&self, times: usize, method: &'static str, path: &'static str, fault: Fault) {
        let left = AtomicUsize::new(times);
        self.proxy.when(move |seen| {
            let (asked, target) = parts(seen);
            let wanted = asked == method && target.ends_with(path);
            let one = |left: usize| left.checked_sub(1);
            if wanted && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one).is_ok() {
                return fault.clone();
            }
            Fault::None
        });
    }

    /// The requests since the last call, as `GET /path`.
    pub(crate) fn requests(&self) -> Vec<String> {
        let seen = self.proxy.take_seen();
        let requests = seen.iter().map(|seen| {
            let (method, path) = parts(seen);
            format!("{method} {path}")
        });
        requests.collect()
    }

    pub(crate) fn list(&self) -> Vec<ForgePullRequest> {
        wait(self.forge().list("fleetscale/")).unwrap()
    }

    /// Makes a branch with one commit.
    pub(crate) fn branch(&self, name: &str) {
        (self.branches)(name);
    }

    /// Makes a branch, and a pull request of ours from it.
    pub(crate) fn opened(&self, branch: &str) -> u64 {
        self.branch(branch);
        wait(self.forge().create(&new(branch))).unwrap()
    }

    fn path(&self, repository: &str, below: &str) -> String {
        let root = match self.kind {
            Kind::Gitea => "/api/v1",
            Kind::GitHub => "",
        };
        format!("{root}/repos/{repository}{below}")
    }

    /// What the API has below the repository, in a person's name.
    pub(crate) fn person_gets(&self, below: &str) -> Value {
        self.jo.get(&self.path(&self.repository, below))
    }

    pub(crate) fn person_opens(&self, branch: &str) -> u64 {
        let new = json!({ "head": branch, "base": "main", "title": "mine", "body": BODY });
        let opened = self.jo.post(&self.path(&self.repository, "/pulls"), &new);
        opened["number"].as_u64().unwrap()
    }

    pub(crate) fn person_labels(&self, number: u64, label: &str) {
        if self.kind == Kind::Gitea {
            let new = json!({ "name": label, "color": "#ff0000" });
            self.jo.post(&self.path(&self.repository, "/labels"), &new);
        }
        let path = self.path(&self.repository, &format!("/issues/{number}/labels"));
        self.jo.post(&path, &json!({ "labels": [label] }));
    }

    /// Opens a pull request from a branch of this name in a fork.
    pub(crate) fn fork_opens(&self, branch: &str) -> u64 {
        self.jo.post(&self.path(&self.repository, "/forks"), &json!({}));
        if self.kind == Kind::Gitea {
            let fork = format!("jo/{}", self.name);
            let new = json!({ "branch": "main", "new_branch": branch, "content": "eA==", "message": "x" });
            self.jo.post(&self.path(&fork, "/contents/fork"), &new);
        }
        self.person_opens(&format!("jo:{branch}"))
    }

    /// Merges as a person does with the button.
    pub(crate) fn merge(&self, number: u64) {
        let path = self.path(&self.repository, &format!("/pulls/{number}/merge"));
        let (method, body) = match self.kind {
            Kind::Gitea => (Method::POST, json!({ "Do": "merge" })),
            Kind::GitHub => (Method::PUT, json!({})),
        };
        // Gitea answers 405 as long as it has not found out whether there are conflicts.
        let merged = wait_until(Duration::from_secs(30), || {
            self.jo.call(method.clone(), &path, Some(&body)).0 == 200
        });
        assert!(merged, "#{number} can't be merged");
    }
}
