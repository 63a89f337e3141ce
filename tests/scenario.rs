//! The scenarios of `fixtures/scenarios`: what a fleet repository looks like, and what is said about its numbers.
//!
//! `fixtures/scenarios/README.md` describes the format. Two test binaries share this reader: one edits the repositories, the other asks the
//! real tools what they come to before and after.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fleetscale::model::{Scalar, Target};
use serde::Deserialize;
use serde_yaml::{Mapping, Value};

/// One folder of scenarios.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Scenario {
    /// What it shows, in one sentence.
    pub(crate) about: String,
    /// Parts of a fleet file's `spec` that are not the usual ones.
    #[serde(default)]
    pub(crate) fleet: Mapping,
    /// The policies.
    #[serde(default)]
    pub(crate) policies: Vec<Value>,
    /// The edits, made together.
    #[serde(default)]
    pub(crate) set: Vec<Set>,
    /// The numbers that are found and can't be changed.
    #[serde(default)]
    pub(crate) refused: Vec<Refused>,
    /// What looks like a number and is the value of no target.
    #[serde(default)]
    pub(crate) unbound: Vec<Unbound>,
    /// What else is said about a number.
    #[serde(default)]
    pub(crate) marks: Vec<Marks>,
    /// The targets that must not be found at all.
    #[serde(default)]
    pub(crate) absent: Vec<Target>,
    /// What is rendered before and after.
    #[serde(default)]
    pub(crate) render: Vec<Render>,
    /// Why nothing is.
    pub(crate) not_rendered: Option<String>,
    /// Its name.
    #[serde(skip)]
    pub(crate) name: String,
    /// The fleet repository before.
    #[serde(skip)]
    pub(crate) before: Files,
    /// The files that change, after.
    #[serde(skip)]
    pub(crate) expected: Files,
}

/// Files by their path; nothing for a link.
pub(crate) type Files = BTreeMap<String, Option<Vec<u8>>>;

/// One edit.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Set {
    pub(crate) target: Target,
    /// Nothing for a value that is not written yet.
    pub(crate) from: Option<Scalar>,
    pub(crate) to: Scalar,
    /// The shape, where the scenario is about it.
    pub(crate) shape: Option<String>,
}

/// A number that can't be changed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refused {
    pub(crate) target: Target,
    /// What is known of it nevertheless.
    pub(crate) value: Option<Scalar>,
    /// The word of the reason.
    pub(crate) why: String,
    /// `path:line`.
    pub(crate) at: String,
    /// A part of the sentence.
    pub(crate) says: Option<String>,
    /// The shape, where the scenario is about it.
    pub(crate) shape: Option<String>,
    /// The owner's word, of what is owned.
    pub(crate) owner: Option<String>,
}

/// Something that is the value of no target.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Unbound {
    pub(crate) what: String,
    pub(crate) why: String,
    pub(crate) at: String,
    pub(crate) says: Option<String>,
    /// The owner's word, of what is owned.
    pub(crate) owner: Option<String>,
}

/// Who else has a say about a number; what is left out must not be said of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Marks {
    pub(crate) target: Target,
    /// The bounds of a cluster autoscaler: `[1, 6]`.
    pub(crate) autoscaler: Option<(u32, u32)>,
    #[serde(default)]
    pub(crate) paused: bool,
    /// The reason of a hold.
    pub(crate) hold: Option<String>,
}

/// One thing that is rendered: exactly one of the first six.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Render {
    /// Manifests that are applied as they are.
    pub(crate) files: Option<Vec<String>>,
    /// A folder that kustomize builds.
    pub(crate) kustomize: Option<String>,
    /// A Flux Kustomization: `path#name`.
    pub(crate) flux: Option<String>,
    /// A chart under layers of values.
    pub(crate) helm: Option<Helm>,
    /// A HelmRelease: `path#name`, where the path may be a folder that kustomize builds.
    pub(crate) helm_release: Option<String>,
    /// An Argo CD Application, or one that an ApplicationSet makes: `path#name`.
    pub(crate) argo: Option<String>,
    /// The chart of a HelmRelease or Application, a folder of `fixtures/charts`.
    pub(crate) chart: Option<String>,
    /// What else is in the cluster: files, or folders that kustomize builds.
    #[serde(default)]
    pub(crate) with: Vec<String>,
    /// Whether a kube-apiserver is asked about the objects that it knows, too.
    #[serde(default)]
    pub(crate) server: bool,
    /// Every value that differs.
    #[serde(default)]
    pub(crate) changes: Vec<Change>,
}

/// A chart under layers of values.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Helm {
    /// A folder of `fixtures/charts`.
    pub(crate) chart: String,
    pub(crate) release: String,
    pub(crate) namespace: String,
    /// Files of the repository; a later one wins.
    pub(crate) values: Vec<String>,
}

/// One value that differs in what is rendered.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    /// `apps/v1 Deployment kamaji-system/kamaji`
    pub(crate) object: String,
    /// RFC 6901.
    pub(crate) pointer: String,
    pub(crate) from: Option<Value>,
    pub(crate) to: Option<Value>,
}

impl Scenario {
    /// Reads one folder.
    pub(crate) fn load(folder: &Path) -> Result<Self, String> {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let wrong = |error: &dyn std::fmt::Display| format!("{name}: scenario.yaml: {error}");
        let text = std::fs::read_to_string(folder.join("scenario.yaml")).map_err(|error| wrong(&error))?;
        let mut scenario: Self = serde_yaml::from_str(&text).map_err(|error| wrong(&error))?;
        for entry in std::fs::read_dir(folder).map_err(|error| wrong(&error))? {
            let entry = entry.map_err(|error| wrong(&error))?.file_name();
            if !["scenario.yaml", "repo", "expected"]
                .iter()
                .any(|known| entry == *known)
            {
                return Err(format!("{name}: nothing reads {}", entry.display()));
            }
        }
        scenario.before = files(&folder.join("repo"))?;
        scenario.expected = match folder.join("expected").exists() {
            true => files(&folder.join("expected"))?,
            false => Files::new(),
        };
        scenario.name = name;
        scenario.check()?;
        Ok(scenario)
    }

    /// What must hold of a scenario whatever fleetscale does.
    pub(crate) fn check(&self) -> Result<(), String> {
        let Self { name, set, render, .. } = self;
        let fail = |what: String| Err(format!("{name}: {what}"));
        if self.about.trim().is_empty() {
            return fail("`about` is empty".to_owned());
        }
        if set.is_empty() && self.refused.is_empty() && self.unbound.is_empty() {
            return fail("nothing is set, refused or unbound".to_owned());
        }
        if set.is_empty() != self.expected.is_empty() {
            return fail("`set` and the files in expected/ go together".to_owned());
        }
        for (path, after) in &self.expected {
            match self.before.get(path) {
                None => return fail(format!("expected/{path} is not in repo/")),
                Some(before) if before == after => return fail(format!("expected/{path} does not change")),
                Some(_) => {}
            }
        }
        match (&self.not_rendered, render.is_empty()) {
            (None, true) if !set.is_empty() => return fail("neither `render` nor `notRendered`".to_owned()),
            (Some(_), false) => return fail("`render` and `notRendered`".to_owned()),
            (Some(reason), true) if reason.trim().is_empty() => {
                return fail("`notRendered` gives no reason".to_owned());
            }
            _ => {}
        }
        let effect = render.iter().any(|render| !render.changes.is_empty());
        if !render.is_empty() && set.is_empty() == effect {
            return fail("a set changes what is rendered, and nothing else does".to_owned());
        }
        Ok(())
    }

    /// The repository after.
    pub(crate) fn after(&self) -> Files {
        let mut after = self.before.clone();
        after.extend(self.expected.clone());
        after
    }
}

/// Every folder of scenarios, in the order of their names.
pub(crate) fn all() -> Vec<Result<Scenario, String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/scenarios");
    let entries = std::fs::read_dir(&folder).expect("the folder of the scenarios is there");
    let paths = entries.map(|entry| entry.expect("the folder of the scenarios can be read").path());
    let mut paths: Vec<PathBuf> = paths.filter(|path| !path.ends_with("README.md")).collect();
    paths.sort();
    paths.iter().map(|path| Scenario::load(path)).collect()
}

/// All files below a folder, with their paths relative to it.
fn files(folder: &Path) -> Result<Files, String> {
    let mut found = Files::new();
    let mut open = vec![(folder.to_path_buf(), String::new())];
    while let Some((folder, prefix)) = open.pop() {
        let wrong = |error: std::io::Error| format!("{}: {error}", folder.display());
        for entry in std::fs::read_dir(&folder).map_err(wrong)? {
            let entry = entry.map_err(wrong)?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let kind = entry.file_type().map_err(wrong)?;
            if kind.is_dir() {
                open.push((entry.path(), format!("{name}/")));
            } else if kind.is_symlink() {
                found.insert(name, None);
            } else {
                found.insert(name, Some(std::fs::read(entry.path()).map_err(wrong)?));
            }
        }
    }
    Ok(found)
}
