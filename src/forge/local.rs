//! Pull requests as files in a folder, for the quickstart, for tests and for people without a forge.
//!
//! Each pull request is a folder of small files that a person can read and edit:
//!
//! ```text
//! 0001/title     one line
//! 0001/body.md   Markdown
//! 0001/state     open, closed or merged
//! 0001/branch    the branch to be merged
//! 0001/base      the branch to merge it into
//! 0001/labels    one a line
//! 0001/ended     when it was closed or merged by this program
//! 0001/comments.md
//! ```
//!
//! `echo closed > 0001/state` closes one, and is respected. Invariant: a folder with a number for a name is complete, because it is built
//! under another name and then renamed; a file is replaced whole, never written in place.
//!
//! Opening one is done under a lock on the folder, so that two processes that publish at once open one pull request for a branch. The lock
//! is the system's and ends with its process. Nothing else is locked: every other write replaces one file.

mod files;

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::model::{BranchName, PullRequestState};

use super::labels;
use super::{Forge, ForgeAccess, ForgeError, ForgePullRequest, NewPullRequest, PullRequestText};

/// A forge in a folder.
#[derive(Debug, Clone)]
pub struct LocalForge {
    root: PathBuf,
}

/// Why the folder can't be used as a forge.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// The file system refused.
    #[error("{doing} {}", path.display())]
    Io {
        /// What was being done: `reading`.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// A file does not say what it has to.
    #[error("reading {}: {found}; it has to hold {expected}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What it says; printable and short.
        found: String,
        /// What it has to say.
        expected: &'static str,
    },
    /// The branch has an open pull request already.
    #[error("opening a pull request from {branch}: #{number} is open already")]
    AlreadyOpen {
        /// The branch.
        branch: BranchName,
        /// The open one.
        number: u64,
    },
    /// There is no such pull request.
    #[error("changing pull request #{number}: {} is not there", path.display())]
    NotFound {
        /// Its number.
        number: u64,
        /// Where it would be.
        path: PathBuf,
    },
}

/// What a person finds beside the pull requests.
const README: &str = "\
# Pull requests

One folder each: `title`, `body.md`, `state` (open, closed or merged), `branch`, `base`, `labels`, `comments.md`.

- Close one: `echo closed > 0001/state`. The same change is not proposed again.
- Merge one: `git merge` its `branch` into its `base` in the fleet repository. The next run notes the merge.
- Commit on its branch, or delete the branch: the agent leaves both alone from then on.
";

impl LocalForge {
    /// A forge in this folder, which is created with the first pull request.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    fn folder(&self, number: u64) -> PathBuf {
        self.root.join(format!("{number:04}"))
    }

    /// The folder of a pull request that has to be there.
    fn existing(&self, number: u64) -> Result<PathBuf, LocalError> {
        let path = self.folder(number);
        if path.is_dir() {
            return Ok(path);
        }
        Err(LocalError::NotFound { number, path })
    }

    /// The numbers that are there, in order. Whatever else lies in the folder is not ours.
    fn numbers(&self) -> Result<Vec<u64>, LocalError> {
        let entries = match fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(files::io_error("listing", &self.root)(error)),
        };
        let mut numbers = Vec::new();
        for entry in entries {
            let entry = entry.map_err(files::io_error("listing", &self.root))?;
            let name = entry.file_name();
            let Some(number) = name.to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            // `7` and `0007` would be the same pull request; only our own spelling counts.
            if self.folder(number).file_name() == Some(&name) && entry.path().is_dir() {
                numbers.push(number);
            }
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Those with a branch that is asked for, by number.
    fn all(&self, wanted: impl Fn(&str) -> bool) -> Result<Vec<ForgePullRequest>, LocalError> {
        let mut list = Vec::new();
        for number in self.numbers()? {
            let request = self.read(number)?;
            if wanted(request.branch.as_str()) {
                list.push(request);
            }
        }
        Ok(list)
    }

    fn read(&self, number: u64) -> Result<ForgePullRequest, LocalError> {
        let folder = self.existing(number)?;
        let ended_at = files::optional(&folder.join("ended"))?
            .map(|text| files::parsed(&folder.join("ended"), &text, "a time like 2026-03-01T12:00:00Z"))
            .transpose()?;
        let mut labels: Vec<String> = files::optional(&folder.join("labels"))?
            .unwrap_or_default()
            .lines()
            .map(|line| line.trim().to_owned())
            .filter(|line| !line.is_empty())
            .collect();
        labels.sort();
        labels.dedup();
        Ok(ForgePullRequest {
            number,
            branch: files::value(&folder.join("branch"), "the name of its branch")?,
            base: files::value(&folder.join("base"), "the name of the branch to merge it into")?,
            head: None,
            opened_by: None,
            state: state(&folder.join("state"))?,
            title: files::required(&folder.join("title"), "its title")?.trim().to_owned(),
            body: files::required(&folder.join("body.md"), "its text")?,
            labels,
            location: folder.display().to_string(),
            ended_at,
        })
    }

    fn end(&self, number: u64, state: PullRequestState, at: Timestamp) -> Result<(), LocalError> {
        let folder = self.existing(number)?;
        // The time first: a state without it is one that a person wrote.
        files::replace(&folder.join("ended"), &format!("{at}\n"))?;
        files::replace(&folder.join("state"), &format!("{state}\n"))
    }

    /// Waits until no other process opens a pull request here; held until it is dropped.
    fn lock(&self) -> Result<fs::File, LocalError> {
        fs::create_dir_all(&self.root).map_err(files::io_error("creating", &self.root))?;
        let folder = fs::File::open(&self.root).map_err(files::io_error("opening", &self.root))?;
        folder.lock().map_err(files::io_error("locking", &self.root))?;
        Ok(folder)
    }

    /// Builds the folder under a name that is no number.
    fn build(&self, new: &NewPullRequest) -> Result<PathBuf, LocalError> {
        let NewPullRequest { branch, base, text } = new;
        fs::create_dir_all(&self.root).map_err(files::io_error("creating", &self.root))?;
        let readme = self.root.join("README.md");
        if !readme.exists() {
            files::replace(&readme, README)?;
        }
        let building = self.root.join(format!(".new-{}", std::process::id()));
        if building.exists() {
            fs::remove_dir_all(&building).map_err(files::io_error("removing the left-over", &building))?;
        }
        fs::create_dir(&building).map_err(files::io_error("creating", &building))?;
        files::replace(&building.join("branch"), &format!("{branch}\n"))?;
        files::replace(&building.join("base"), &format!("{base}\n"))?;
        write_text(&building, text)?;
        files::replace(&building.join("state"), &format!("{}\n", PullRequestState::Open))?;
        Ok(building)
    }
}

impl Forge for LocalForge {
    async fn access(&self) -> Result<ForgeAccess, ForgeError> {
        self.numbers()?;
        Ok(ForgeAccess {
            login: None,
            may_read: true,
            may_push: None,
            may_open: None,
            clock: None,
            version: None,
        })
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ForgePullRequest>, ForgeError> {
        Ok(self.all(|branch| branch.starts_with(prefix))?)
    }

    async fn open_from(&self, branch: &BranchName) -> Result<Vec<ForgePullRequest>, ForgeError> {
        let mut requests = self.all(|name| name == branch.as_str())?;
        requests.retain(|request| request.state == PullRequestState::Open);
        Ok(requests)
    }

    async fn get(&self, number: u64) -> Result<Option<ForgePullRequest>, ForgeError> {
        Ok(Some(self.read(number)?))
    }

    async fn create(&self, new: &NewPullRequest) -> Result<u64, ForgeError> {
        let _lock = self.lock()?;
        if let Some(request) = self.open_from(&new.branch).await?.first() {
            let (branch, number) = (new.branch.clone(), request.number);
            return Err(LocalError::AlreadyOpen { branch, number }.into());
        }
        let building = self.build(new)?;
        let mut number = self.numbers()?.last().map_or(1, |last| last + 1);
        loop {
            let folder = self.folder(number);
            match fs::rename(&building, &folder) {
                Ok(()) => return Ok(number),
                // Another process took the number a moment ago.
                Err(_) if folder.exists() => number += 1,
                Err(error) => return Err(files::io_error("naming", &folder)(error).into()),
            }
        }
    }

    async fn update(&self, number: u64, text: &PullRequestText) -> Result<(), ForgeError> {
        let PullRequestText { title, body, labels } = text.clone();
        let labels = labels::changed(&self.read(number)?.labels, &labels);
        Ok(write_text(
            &self.existing(number)?,
            &PullRequestText { title, body, labels },
        )?)
    }

    async fn comment(&self, number: u64, comment: &str) -> Result<(), ForgeError> {
        let path = self.existing(number)?.join("comments.md");
        let before = files::optional(&path)?.map(|text| format!("{}\n\n---\n\n", text.trim_end()));
        let text = format!("{}{}\n", before.unwrap_or_default(), comment.trim_end());
        Ok(files::replace(&path, &text)?)
    }

    async fn close(&self, number: u64, at: Timestamp) -> Result<(), ForgeError> {
        Ok(self.end(number, PullRequestState::Closed, at)?)
    }

    async fn record_merge(&self, number: u64, at: Timestamp) -> Result<(), ForgeError> {
        Ok(self.end(number, PullRequestState::Merged, at)?)
    }
}

fn write_text(folder: &Path, text: &PullRequestText) -> Result<(), LocalError> {
    let PullRequestText { title, body, labels } = text;
    files::replace(&folder.join("title"), &format!("{title}\n"))?;
    files::replace(
        &folder.join("labels"),
        &labels.iter().map(|label| format!("{label}\n")).collect::<String>(),
    )?;
    // The body carries the machine's record of all this, so it comes last.
    files::replace(&folder.join("body.md"), body)
}

fn state(path: &Path) -> Result<PullRequestState, LocalError> {
    let expected = "open, closed or merged";
    let text = files::required(path, expected)?;
    [
        PullRequestState::Open,
        PullRequestState::Closed,
        PullRequestState::Merged,
    ]
    .into_iter()
    .find(|state| state.to_string() == text.trim())
    .ok_or_else(|| files::malformed(path, &text, expected))
}

#[cfg(test)]
mod tests;
