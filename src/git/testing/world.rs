//! A bare remote and a person's clone of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::Timestamp;
use tempfile::TempDir;

use crate::git::Identity;
use crate::model::ObjectId;

/// A bare remote whose branch main has one file, `base.yaml`, and a clone in which a person works.
pub(crate) struct World {
    folder: TempDir,
    remote: PathBuf,
    clone: PathBuf,
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (remote, clone) = (folder.path().join("remote.git"), folder.path().join("clone"));
        git_in(folder.path(), &["init", "-q", "--bare", "-b", "main", "remote.git"]);
        git_in(folder.path(), &["clone", "-q", "remote.git", "clone"]);
        let world = Self { folder, remote, clone };
        world.git(&["checkout", "-q", "-b", "main"]);
        world.commit(&[("base.yaml", "x: 1\n")], "Base");
        world.git(&["push", "-q", "origin", "main"]);
        world
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn remote_path(&self) -> &Path {
        &self.remote
    }

    pub(crate) fn clone_path(&self) -> &Path {
        &self.clone
    }

    /// Runs git in the clone.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        git_in(&self.clone, args)
    }

    /// Where a branch of the remote stands.
    pub(crate) fn head(&self, branch: &str) -> ObjectId {
        self.find(branch).expect("the branch is there")
    }

    /// Where a branch of the remote stands, if it is there.
    pub(crate) fn find(&self, branch: &str) -> Option<ObjectId> {
        let name = format!("refs/heads/{branch}");
        git_in(&self.remote, &["for-each-ref", "--format=%(objectname)", &name])
            .parse()
            .ok()
    }

    /// A person commits files on a branch and pushes it; a new branch starts at main.
    pub(crate) fn human(&self, branch: &str, files: &[(&str, &str)]) -> ObjectId {
        self.git(&["fetch", "-q", "--prune", "origin"]);
        let start = if self.find(branch).is_some() { branch } else { "main" };
        self.git(&["checkout", "-q", "--detach", &format!("origin/{start}")]);
        self.commit(files, "By hand");
        self.git(&["push", "-q", "origin", &format!("HEAD:refs/heads/{branch}")]);
        self.head(branch)
    }

    fn commit(&self, files: &[(&str, &str)], message: &str) {
        for (path, text) in files {
            let path = self.clone.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
    }
}

/// Runs git in a folder, with nobody's configuration and a fixed person and date, and returns what it prints.
pub(crate) fn git_in(folder: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "core.hooksPath=/dev/null", "-c", "protocol.file.allow=always"])
        .args(args)
        .current_dir(folder)
        .envs([
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_AUTHOR_NAME", "A Human"),
            ("GIT_AUTHOR_EMAIL", "human@example.com"),
            ("GIT_AUTHOR_DATE", "2026-03-01T10:00:00Z"),
            ("GIT_COMMITTER_NAME", "A Human"),
            ("GIT_COMMITTER_EMAIL", "human@example.com"),
            ("GIT_COMMITTER_DATE", "2026-03-01T10:00:00Z"),
        ])
        .output()
        .expect("git is installed");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    assert!(output.status.success(), "git {args:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

pub(crate) fn agent() -> Identity {
    Identity::new("fleetscale", "fleetscale@example.com").unwrap()
}

pub(crate) fn noon() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}
