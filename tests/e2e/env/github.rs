//! GitHub's emulator behind a small stub of ours, with a Git server beside it.
//!
//! The emulator keeps pull requests, labels and comments, and knows users and tokens. It has no Git server, opens a second pull request from
//! one branch, and makes a branch up where there is none. The stub asks a bare repository, which it also serves, and answers as GitHub does.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use base64::Engine as _;
use fleetscale::net::{Credentials, Secret};
use http::Method;
use serde_json::{Value, json};

use super::stub::{self, Asked, Reply, forward};
use super::{Api, Process, built, free_port, scratch};

/// The repositories belong to this user.
pub(crate) const OWNER: &str = "platform";

/// The agent's token, a person's, and the owner's.
pub(crate) const BOT: &str = "token-of-fleet-bot";
pub(crate) const JO: &str = "token-of-jo";
pub(crate) const BOSS: &str = "token-of-platform";

/// The most characters that GitHub takes as a pull request's body.
const LONGEST_BODY: usize = 65_536;

/// A running emulator and the bare repositories.
pub(crate) struct GitHub {
    _process: Process,
    port: u16,
    url: String,
    /// Below it lie `<owner>/<name>.git`.
    root: PathBuf,
}

const SEED: &str = "
tokens:
  token-of-fleet-bot: { login: fleet-bot, scopes: [repo] }
  token-of-jo: { login: jo, scopes: [repo] }
  token-of-platform: { login: platform, scopes: [repo] }
github:
  users:
    - login: fleet-bot
    - login: jo
    - login: platform
";

impl GitHub {
    /// The emulator that all tests of this binary use.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<GitHub> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    fn start() -> Self {
        let (folder, port) = (scratch("github"), free_port());
        let emulator = SocketAddr::from(([127, 0, 0, 1], port));
        let seed = folder.join("seed.yaml");
        std::fs::write(&seed, SEED).unwrap();
        let modules = built("emulate").join("node_modules");
        let mut command = Command::new(modules.join(".bin/node"));
        command.arg(modules.join("emulate/dist/index.js")).current_dir(&folder);
        command
            .args(["start", "--service", "github", "--port", &port.to_string(), "--seed"])
            .arg(&seed);
        let process = Process::start("emulate", &folder, &command);
        let api = api(port, BOSS);
        process.wait_ready(|| api.call(Method::GET, "/user", None).0 == 200);
        let root = folder.join("git");
        let url = {
            let (of_before, of_after): (PathBuf, PathBuf) = (root.clone(), root.clone());
            stub::start(
                emulator,
                Box::new(move |asked| before(emulator, &of_before, asked)),
                Box::new(move |_, reply| after(&of_after, reply)),
            )
        };
        Self {
            _process: process,
            port,
            url,
            root,
        }
    }

    /// The API for somebody's token, without the stub.
    pub(crate) fn api(&self, token: &str) -> Api {
        api(self.port, token)
    }

    /// The API for somebody's token as GitHub has it.
    pub(crate) fn through_the_stub(&self, token: &str) -> Api {
        Api::new(&self.url, Credentials::Bearer(Secret::new(token)))
    }

    /// A new repository with one commit on main, in which the agent and the person may write.
    pub(crate) fn repository(&self, name: &str) -> String {
        let boss = self.api(BOSS);
        boss.post("/user/repos", &json!({ "name": name, "auto_init": true }));
        let repository = format!("{OWNER}/{name}");
        for user in ["fleet-bot", "jo"] {
            let path = format!("/repos/{repository}/collaborators/{user}");
            boss.good(Method::PUT, &path, Some(&json!({ "permission": "push" })));
        }
        let bare = self.bare(&repository);
        std::fs::create_dir_all(&bare).unwrap();
        git(&bare, &["init", "-q", "--bare", "-b", "main"]);
        git(&bare, &["config", "http.receivepack", "true"]);
        commit(&bare, "main", None, "first");
        repository
    }

    /// The bare repository.
    pub(crate) fn bare(&self, repository: &str) -> PathBuf {
        self.root.join(format!("{repository}.git"))
    }

    /// Makes a branch with one commit on main.
    pub(crate) fn branch(&self, repository: &str, name: &str) {
        commit(&self.bare(repository), name, Some("main"), name);
    }

    /// Where all this passes for GitHub, with Git at `/<owner>/<name>.git`.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

fn api(port: u16, token: &str) -> Api {
    let credentials = Credentials::Bearer(Secret::new(token));
    Api::new(&format!("http://127.0.0.1:{port}"), credentials)
}

/// What the stub answers itself.
fn before(emulator: SocketAddr, root: &Path, asked: &Asked) -> Option<Reply> {
    let (path, query) = asked.target.split_once('?').unwrap_or((&asked.target, ""));
    if path.contains(".git/") {
        return Some(backend(root, asked, path, query));
    }
    // The emulator takes whoever has an unknown token for its first user.
    let known = [BOT, JO, BOSS].map(|token| format!("Bearer {token}"));
    if !known.contains(&header(asked, "authorization")) {
        return Some(Reply::json(
            "401 Unauthorized",
            &json!({ "message": "Bad credentials" }),
        ));
    }
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match (asked.method.as_str(), &parts[..]) {
        ("POST", ["repos", owner, name, "pulls"]) => refuse(emulator, root, &format!("{owner}/{name}"), asked),
        ("PUT", ["repos", owner, name, "pulls", number, "merge"]) => {
            let repository = format!("{owner}/{name}");
            let pull = ask(emulator, asked, &format!("/repos/{repository}/pulls/{number}"));
            let head = pull["head"]["ref"].as_str().unwrap_or_default();
            merge(&root.join(format!("{repository}.git")), head);
            None
        }
        _ => None,
    }
}

/// The heads of pull requests are those of the Git repository.
fn after(root: &Path, reply: &mut Reply) {
    let Ok(mut answer) = serde_json::from_slice::<Value>(&reply.body) else {
        return;
    };
    let correct = |pull: &mut Value| {
        let head = pull.get("head")?;
        let (repository, name) = (head["repo"]["full_name"].as_str()?, head["ref"].as_str()?);
        let sha = find(&root.join(format!("{repository}.git")), name)?;
        *pull.pointer_mut("/head/sha")? = json!(sha);
        Some(())
    };
    let pulls = match &mut answer {
        Value::Array(pulls) => &mut pulls[..],
        pull => std::slice::from_mut(pull),
    };
    for pull in pulls {
        // What is no pull request stays as it is.
        let _ = correct(pull);
    }
    reply.body = answer.to_string().into_bytes();
}

/// Why GitHub would not open this pull request.
fn refuse(emulator: SocketAddr, root: &Path, repository: &str, asked: &Asked) -> Option<Reply> {
    let new: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
    let (head, base) = (new["head"].as_str()?, new["base"].as_str()?);
    let owner = repository.split('/').next()?;
    let head = match head.split_once(':') {
        Some((other, _)) if other != owner => return None,
        Some((_, head)) => head,
        None => head,
    };
    let bare = root.join(format!("{repository}.git"));
    let invalid = |error: Value| {
        let body = json!({ "message": "Validation Failed", "errors": [error] });
        Some(Reply::json("422 Unprocessable Entity", &body))
    };
    let custom = |message: String| invalid(json!({ "resource": "PullRequest", "code": "custom", "message": message }));
    if new["body"]
        .as_str()
        .is_some_and(|body| body.chars().count() > LONGEST_BODY)
    {
        return custom(format!("body is too long (maximum is {LONGEST_BODY} characters)"));
    }
    if find(&bare, head).is_none() {
        return invalid(json!({ "resource": "PullRequest", "field": "head", "code": "invalid" }));
    }
    if git(&bare, &["rev-list", "--count", &format!("{base}..{head}")]) == "0" {
        return custom(format!("No commits between {base} and {head}"));
    }
    let open = ask(
        emulator,
        asked,
        &format!("/repos/{repository}/pulls?state=open&base={base}&head={owner}:{head}"),
    );
    if open.as_array().is_some_and(|open| !open.is_empty()) {
        return custom(format!("A pull request already exists for {owner}:{head}."));
    }
    None
}

/// Asks the emulator in somebody's name.
fn ask(emulator: SocketAddr, asked: &Asked, target: &str) -> Value {
    let question = Asked {
        method: "GET".to_owned(),
        target: target.to_owned(),
        headers: asked.headers.clone(),
        body: Vec::new(),
    };
    let reply = forward(emulator, &question).unwrap();
    serde_json::from_slice(&reply.body).unwrap_or_default()
}

fn find(bare: &Path, branch: &str) -> Option<String> {
    if let Ok(sha) = std::fs::read_to_string(bare.join("refs/heads").join(branch)) {
        return Some(sha.trim().to_owned());
    }
    let name = format!("refs/heads/{branch}");
    let output = Command::new("git")
        .arg("-C")
        .arg(bare)
        .args(["rev-parse", "-q", "--verify", &name])
        .output();
    let output = output.unwrap();
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn merge(bare: &Path, head: &str) {
    let tree = format!("{head}^{{tree}}");
    let merged = git(bare, &["commit-tree", "-p", "main", "-p", head, "-m", "Merge", &tree]);
    git(bare, &["update-ref", "refs/heads/main", &merged]);
}

/// Makes a branch with one commit that has one file of this name.
fn commit(bare: &Path, branch: &str, on: Option<&str>, file: &str) {
    let blob = git(bare, &["hash-object", "-w", "-t", "blob", "/dev/null"]);
    let entry = format!("100644 blob {blob}\t{}\n", file.replace('/', "-"));
    let tree = git_with(bare, &["mktree"], entry.as_bytes());
    let mut args = vec!["commit-tree", "-m", file];
    args.extend(on.iter().flat_map(|on| ["-p", on]));
    args.push(&tree);
    let commit = git(bare, &args);
    git(bare, &["update-ref", &format!("refs/heads/{branch}"), &commit]);
}

/// Runs git in a repository, away from this machine's configuration.
pub(crate) fn git(bare: &Path, args: &[&str]) -> String {
    git_with(bare, args, b"")
}

fn git_with(bare: &Path, args: &[&str], input: &[u8]) -> String {
    let mut command = Command::new("git");
    command.arg("-C").arg(bare).args(args);
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "Jo");
        command.env(format!("GIT_{role}_EMAIL"), "jo@example.org");
    }
    let output = run(command, input);
    assert!(
        output.status.success(),
        "git {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn run(mut command: Command, input: &[u8]) -> std::process::Output {
    command
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null");
    let piped = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    let (mut stdin, input) = (child.stdin.take().unwrap(), input.to_vec());
    let writing = std::thread::spawn(move || std::io::Write::write_all(&mut stdin, &input));
    let output = child.wait_with_output().unwrap();
    let _ = writing.join();
    output
}

fn header(asked: &Asked, wanted: &str) -> String {
    let found = asked.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
    found.map(|(_, value)| value.clone()).unwrap_or_default()
}

/// The password of an `Authorization: Basic`.
fn password(header: &str) -> Option<Vec<u8>> {
    let (_, encoded) = header.split_once(' ')?;
    let decoded = base64::engine::general_purpose::STANDARD.decode(encoded).ok()?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    decoded.get(colon + 1..).map(<[u8]>::to_vec)
}

/// Git's own server, for whoever has one of the tokens as the password.
fn backend(root: &Path, asked: &Asked, path: &str, query: &str) -> Reply {
    let header = |wanted| header(asked, wanted);
    let known = [BOT, JO, BOSS].map(str::as_bytes);
    if !password(&header("authorization")).is_some_and(|password| known.contains(&password.as_slice())) {
        return Reply::json("401 Unauthorized", &Value::Null).with("WWW-Authenticate", "Basic realm=\"git\"");
    }
    let mut command = Command::new("git");
    command
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REMOTE_USER", "someone")
        .env("REQUEST_METHOD", &asked.method)
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("CONTENT_TYPE", header("content-type"))
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("HTTP_GIT_PROTOCOL", header("git-protocol"))
        .env("CONTENT_LENGTH", asked.body.len().to_string());
    let output = run(command, &asked.body).stdout;
    let end = output.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap_or(0);
    let head = String::from_utf8_lossy(&output[..end]).into_owned();
    let headers = head.lines().filter_map(|line| line.split_once(": "));
    let headers: Vec<(String, String)> = headers
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let status = headers.iter().find(|(name, _)| name == "Status");
    Reply {
        status: status.map_or("200 OK", |(_, status)| status).to_owned(),
        body: output.get(end + 4..).unwrap_or_default().to_vec(),
        headers: headers.into_iter().filter(|(name, _)| name != "Status").collect(),
    }
}
