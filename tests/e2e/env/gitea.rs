//! A Gitea with an owner of repositories, the agent, and a person.
//!
//! One server for all tests of this binary; each test has a repository of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use fleetscale::net::{Credentials, Secret};
use http::Method;
use serde_json::json;

use super::{Api, Process, built, free_port, scratch};

const PASSWORD: &str = "no-secret-in-a-test-1";

/// A running Gitea.
pub(crate) struct Gitea {
    _process: Process,
    port: u16,
    /// The agent's token.
    pub(crate) bot: String,
    /// A person's.
    pub(crate) jo: String,
    /// The agent's, which may only read.
    pub(crate) reader: String,
}

/// The repositories belong to this organization.
pub(crate) const OWNER: &str = "platform";

impl Gitea {
    /// The server that all tests of this binary use.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Gitea> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    fn start() -> Self {
        let (folder, port) = (scratch("gitea"), free_port());
        let config = folder.join("app.ini");
        std::fs::write(&config, configuration(&folder, port)).unwrap();
        let gitea = || {
            let mut command = Command::new(built("gitea").join("gitea"));
            command
                .arg("--config")
                .arg(&config)
                .env("GITEA_I_AM_BEING_UNSAFE_RUNNING_AS_ROOT", "true");
            command
        };
        let prepare = |args: &[&str]| {
            let output = gitea().args(args).output().unwrap();
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "gitea {args:?}: {text}");
        };
        prepare(&["migrate"]);
        let mail = "boss@example.org";
        let admin = [
            "admin",
            "user",
            "create",
            "--admin",
            "--username",
            "boss",
            "--email",
            mail,
        ];
        prepare(&[&admin[..], &["--password", PASSWORD, "--must-change-password=false"]].concat());
        let mut web = gitea();
        web.arg("web");
        let process = Process::start("gitea", &folder, &web);
        let boss = api(port, basic("boss"));
        process.wait_ready(|| boss.call(Method::GET, "/api/v1/version", None).0 == 200);
        boss.post("/api/v1/orgs", &json!({ "username": OWNER }));
        for user in ["fleet-bot", "jo"] {
            let mail = format!("{user}@example.org");
            let new = json!({ "username": user, "email": mail, "password": PASSWORD, "must_change_password": false });
            boss.post("/api/v1/admin/users", &new);
        }
        let token = |user: &str, name: &str, scopes: &[&str]| {
            let body = json!({ "name": name, "scopes": scopes });
            let made = api(port, basic(user)).post(&format!("/api/v1/users/{user}/tokens"), &body);
            made["sha1"].as_str().unwrap().to_owned()
        };
        let all = ["read:user", "write:repository", "write:issue"];
        Self {
            _process: process,
            port,
            bot: token("fleet-bot", "all", &all),
            jo: token("jo", "all", &all),
            reader: token("fleet-bot", "reader", &["read:user", "read:repository", "read:issue"]),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The API for somebody's token.
    pub(crate) fn api(&self, token: &str) -> Api {
        api(self.port, Credentials::Bearer(Secret::new(token)))
    }

    /// The API for the organization's owner.
    pub(crate) fn boss(&self) -> Api {
        api(self.port, basic("boss"))
    }

    /// A new repository of the organization with one commit on main, in which the agent and the person may write.
    pub(crate) fn repository(&self, name: &str) -> String {
        let boss = self.boss();
        let new = json!({ "name": name, "auto_init": true, "default_branch": "main" });
        boss.post(&format!("/api/v1/orgs/{OWNER}/repos"), &new);
        let repository = format!("{OWNER}/{name}");
        for user in ["fleet-bot", "jo"] {
            let path = format!("/api/v1/repos/{repository}/collaborators/{user}");
            boss.good(Method::PUT, &path, Some(&json!({ "permission": "write" })));
        }
        repository
    }

    /// Lets nobody push to the branches of this name.
    pub(crate) fn protect(&self, repository: &str, branches: &str) {
        let boss = api(self.port, basic("boss"));
        let rule = json!({ "rule_name": branches, "enable_push": false });
        boss.post(&format!("/api/v1/repos/{repository}/branch_protections"), &rule);
    }
}

fn basic(user: &str) -> Credentials {
    Credentials::Basic {
        user: user.to_owned(),
        password: Secret::new(PASSWORD),
    }
}

fn api(port: u16, credentials: Credentials) -> Api {
    Api::new(&format!("http://127.0.0.1:{port}"), credentials)
}

fn configuration(folder: &Path, port: u16) -> String {
    let (folder, sources): (_, PathBuf) = (folder.display(), built("gitea-source"));
    let user = Command::new("id").arg("-un").output().unwrap().stdout;
    let user = String::from_utf8_lossy(&user).trim().to_owned();
    format!(
        "WORK_PATH = {folder}
RUN_USER = {user}
[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = {port}
ROOT_URL = http://127.0.0.1:{port}/
STATIC_ROOT_PATH = {}
OFFLINE_MODE = true
DISABLE_SSH = true
[database]
DB_TYPE = sqlite3
PATH = {folder}/gitea.db
[security]
INSTALL_LOCK = true
[service]
DISABLE_REGISTRATION = true
[indexer]
ISSUE_INDEXER_TYPE = db
[actions]
ENABLED = false
[log]
LEVEL = Warn
",
        sources.canonicalize().unwrap().display()
    )
}
