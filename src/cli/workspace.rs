//! What every verb stands on: the fleet file, the repository at its base commit, the snapshot, the forge.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::error::{ErrorKind, Failure};
use crate::forge::AnyForge;
use crate::git::{self, Identity, Remote, Store};
use crate::model::{BRANCH_PREFIX, Base, BranchName, Digest, Snapshot};
use crate::net::Deadline;
use crate::observe;
use crate::policy::{FleetFile, Problem, Repository};

use super::args::InputArgs;
use super::clock;
use super::hosting;
use super::saved;
use super::terminal::Terminal;

/// The fleet file with everything that it names, opened.
pub(super) struct Workspace {
    pub(super) fleet: FleetFile,
    /// The folder of the fleet file, which its paths are relative to.
    pub(super) folder: PathBuf,
    /// The recorded snapshot, if one is named; without it the clusters are asked.
    pub(super) recorded: Option<Snapshot>,
    /// The time of the decision, and of the observation where there is one.
    pub(super) now: Timestamp,
    /// When the whole run has to be over.
    pub(super) deadline: Deadline,
    pub(super) store: Store,
    pub(super) remote: Remote,
    pub(super) base: Base,
    pub(super) forge: AnyForge,
    /// Where a person finds the pull requests: a URL, or a folder.
    pub(super) forge_place: String,
    pub(super) agent: Identity,
}

/// The author of the commit that a folder is imported as. It is not the agent: what it finds there is somebody else's work.
const IMPORTER: (&str, &str) = ("quickstart", "quickstart@example.org");

impl Workspace {
    /// Opens everything that the arguments name.
    pub(super) fn open(args: &InputArgs, terminal: &Terminal) -> Result<Self, Failure> {
        let (fleet, bytes) = load_fleet(&args.fleet, terminal)?;
        let folder = folder_of(&args.fleet).to_owned();
        let deadline = Deadline::after(fleet.deadlines.run.standard());
        let recorded = load_snapshot(args.snapshot.as_deref(), &fleet, &folder)?;
        let now = args
            .now
            .or(recorded.as_ref().map(|snapshot| snapshot.captured_at))
            .unwrap_or_else(clock::now);
        // The imported world is the fleet file's own: another snapshot is another look at it, and a recorded one replays on it.
        let own = match &args.snapshot {
            Some(_) => load_snapshot(None, &fleet, &folder)
                .ok()
                .flatten()
                .or_else(|| recorded.clone()),
            None => recorded.clone(),
        };
        let work = match &args.work_dir {
            Some(work) => work.clone(),
            None => default_work_dir(&fleet, &bytes, &folder, own.as_ref())?,
        };
        let imported_at = own.map_or(now, |snapshot| snapshot.captured_at);
        let (store, remote) = open_repository(args, &fleet, &folder, &work, (imported_at, deadline), terminal)?;
        let base = base(args, &fleet, &store)?;
        let (forge, forge_place) = hosting::forge(&fleet, &folder, &work, now, deadline)?;
        let agent = Identity::new(&fleet.author.name, &fleet.author.email)
            .map_err(|error| Failure::new(ErrorKind::Policy, &error))?;
        Ok(Self {
            fleet,
            folder,
            recorded,
            now,
            deadline,
            store,
            remote,
            base,
            forge,
            forge_place,
            agent,
        })
    }
}

/// The folder of the fleet file, which its paths are relative to.
pub(super) fn folder_of(fleet: &Path) -> &Path {
    let parent = fleet.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

/// Reads the fleet file, or fails with everything that is wrong with it; its warnings are said.
pub(super) fn load_fleet(path: &Path, terminal: &Terminal) -> Result<(FleetFile, Vec<u8>), Failure> {
    let (fleet, bytes) = read_fleet(path)?;
    fleet
        .warnings
        .iter()
        .for_each(|warning| terminal.talk(&format!("{warning}\n")));
    Ok((fleet, bytes))
}

/// The same, with nothing said.
pub(super) fn read_fleet(path: &Path) -> Result<(FleetFile, Vec<u8>), Failure> {
    let bytes = read(path)?;
    let fleet = FleetFile::load(&path.display().to_string(), &bytes)
        .map_err(|problems| problems_failure("the fleet file", &problems))?;
    Ok((fleet, bytes))
}

/// All problems as one failure.
pub(super) fn problems_failure(what: &str, problems: &[Problem]) -> Failure {
    let errors = problems.iter().filter(|problem| problem.is_error()).count();
    let mut message = format!(
        "{what} can't be used: {errors} error{}",
        if errors == 1 { "" } else { "s" }
    );
    for problem in problems {
        message.push_str(&format!("\n{problem}"));
    }
    Failure::plain(ErrorKind::Policy, message)
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| Failure::plain(ErrorKind::Input, format!("reading {}: {error}", path.display())))
}

/// The recorded snapshot that the command line or the fleet file names.
pub(super) fn load_snapshot(
    named: Option<&Path>,
    fleet: &FleetFile,
    folder: &Path,
) -> Result<Option<Snapshot>, Failure> {
    let path = match (named, &fleet.snapshot) {
        (Some(path), _) => path.to_owned(),
        (None, Some(path)) => folder.join(path),
        (None, None) => return Ok(None),
    };
    let file = path.display().to_string();
    let read = observe::recorded(&file, &read(&path)?);
    read.map(Some).map_err(|error| Failure::new(ErrorKind::Input, &error))
}

/// A folder of the cache that belongs to exactly this fleet file, snapshot and imported folder.
pub(super) fn default_work_dir(
    fleet: &FleetFile,
    bytes: &[u8],
    folder: &Path,
    snapshot: Option<&Snapshot>,
) -> Result<PathBuf, Failure> {
    let mut parts: Vec<(String, Digest)> = vec![("fleet file".to_owned(), Digest::of_bytes(bytes))];
    parts.extend(snapshot.map(|snapshot| ("snapshot".to_owned(), snapshot.digest())));
    if let Repository::Import(import) = &fleet.repository {
        digest_folder(&folder.join(import), "", &mut parts)?;
    }
    let cache = clock::cache().ok_or_else(|| {
        Failure::plain(
            ErrorKind::Input,
            "finding the user's cache folder: neither XDG_CACHE_HOME nor HOME is set",
        )
        .with_hint("name a folder with --work-dir DIR")
    })?;
    Ok(cache.join(format!("{}-{}", fleet.name, Digest::of(&parts).short())))
}

fn digest_folder(folder: &Path, prefix: &str, parts: &mut Vec<(String, Digest)>) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::plain(
            ErrorKind::Input,
            format!("reading the folder {}: {error}", folder.display()),
        )
    };
    let mut entries: Vec<_> = fs::read_dir(folder)
        .map_err(failed)?
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = format!("{prefix}/{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type().map_err(failed)?;
        if kind.is_dir() {
            digest_folder(&entry.path(), &name, parts)?;
        } else if kind.is_symlink() {
            let target = fs::read_link(entry.path()).map_err(failed)?;
            parts.push((name, Digest::of_bytes(target.to_string_lossy().as_bytes())));
        } else {
            parts.push((name, Digest::of_bytes(&read(&entry.path())?)));
        }
    }
    Ok(())
}

pub(super) fn open_repository(
    args: &InputArgs,
    fleet: &FleetFile,
    folder: &Path,
    work: &Path,
    (imported_at, deadline): (Timestamp, Deadline),
    terminal: &Terminal,
) -> Result<(Store, Remote), Failure> {
    let git_failed = |error: git::GitError| Failure::new(ErrorKind::Publish, &error);
    let remote = match (&args.repo, &fleet.repository) {
        (Some(address), _) => named_remote(address, fleet, folder, deadline)?,
        (None, Repository::Server(reference)) => hosting::remote(fleet, folder, reference, deadline)?,
        (None, Repository::Path(path)) => Remote::Path(folder.join(path)),
        (None, Repository::Import(import)) => {
            let bare = work.join("remote.git");
            create_folder(work)?;
            let importer =
                Identity::new(IMPORTER.0, IMPORTER.1).map_err(|error| Failure::new(ErrorKind::Input, &error))?;
            git::import(&folder.join(import), &bare, &importer, imported_at)
                .map_err(|error| Failure::new(ErrorKind::Input, &error))?;
            remind_of_import(&folder.join(import), work, terminal)?;
            Remote::Path(bare)
        }
    };
    let store = match &remote {
        Remote::Path(path) => Store::open(path).map_err(|error| {
            git_failed(error).with_hint("--repo takes the folder that holds .git, or a bare repository")
        })?,
        Remote::Server(_) => {
            create_folder(work)?;
            terminal.progress(&format!("fetching {remote}"));
            let (store, _) =
                Store::fetched(&remote, &work.join("store.git"), &fleet.branch, BRANCH_PREFIX).map_err(git_failed)?;
            store
        }
    };
    Ok((store, remote))
}

/// The repository that the command line names: the fleet file's if it is that one, else one without credentials of its own.
fn named_remote(address: &str, fleet: &FleetFile, folder: &Path, deadline: Deadline) -> Result<Remote, Failure> {
    if let Repository::Server(reference) = &fleet.repository
        && reference.url == address.trim_end_matches('/')
    {
        return hosting::remote(fleet, folder, reference, deadline);
    }
    Remote::parse(address, fleet.deadlines.git.standard(), deadline)
        .map_err(|error| Failure::new(ErrorKind::Input, &error))
}

/// A folder is imported once. Whoever edits it afterwards and names the same work folder is told that the remote keeps what it has.
fn remind_of_import(import: &Path, work: &Path, terminal: &Terminal) -> Result<(), Failure> {
    let mut parts = Vec::new();
    digest_folder(import, "", &mut parts)?;
    let (now, note) = (Digest::of(&parts).to_string(), work.join("imported"));
    match fs::read_to_string(&note) {
        Ok(before) if before.trim() != now => {
            terminal.talk(&format!(
                "note: {} has changed since it was imported into {}; the remote there keeps what it has (another --work-dir imports it anew)\n",
                import.display(),
                work.display()
            ));
            Ok(())
        }
        Ok(_) => Ok(()),
        Err(_) => saved::write(&note, &format!("{now}\n")),
    }
}

fn create_folder(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path)
        .map_err(|error| Failure::plain(ErrorKind::Input, format!("creating {}: {error}", path.display())))
}

pub(super) fn base(args: &InputArgs, fleet: &FleetFile, store: &Store) -> Result<Base, Failure> {
    let name = args.reference.as_deref().unwrap_or(fleet.branch.as_str());
    let commit = store.resolve(name).map_err(|error| {
        Failure::new(ErrorKind::Publish, &error).with_hint("the branch is spec.branch of the fleet file, or --ref NAME")
    })?;
    let branch: BranchName = name.parse().unwrap_or_else(|_| fleet.branch.clone());
    Ok(Base { branch, commit })
}
