//! Which files of a repository are worth reading, and which of those are worth keeping.

use std::collections::BTreeSet;

use crate::model::RepoPath;
use crate::yaml;

use super::{kustomize, release};

/// The largest file, in bytes, that is kept for a word that many files contain. A ConfigMap of variables is a fraction of it, and those that
/// are larger are dashboards and scripts.
pub(super) const SMALL: usize = 16 << 10;

/// What has to be found in a file's name or bytes for the file to matter.
///
/// A file that the screen leaves out can't be bound later, so whoever knows the policies says everything that they name. The screen asks
/// only for what has no second spelling: an API group, an object's name, a path.
#[derive(Debug, Clone, Default)]
pub struct Screen {
    words: BTreeSet<String>,
    words_of_small: BTreeSet<String>,
    files: BTreeSet<RepoPath>,
    folders: BTreeSet<RepoPath>,
    patterns: BTreeSet<String>,
}

impl Screen {
    /// A screen that keeps kustomizations and nothing else.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps the manifests whose bytes contain one of these words.
    #[must_use]
    pub fn words<T: Into<String>>(mut self, words: impl IntoIterator<Item = T>) -> Self {
        self.words
            .extend(words.into_iter().map(Into::into).filter(|word| !word.is_empty()));
        self
    }

    /// Keeps the manifests of at most [`SMALL`] bytes that contain one of these words.
    #[must_use]
    pub fn words_of_small<T: Into<String>>(mut self, words: impl IntoIterator<Item = T>) -> Self {
        self.words_of_small.extend(words.into_iter().map(Into::into));
        self
    }

    /// Keeps this file, whatever its name and bytes are.
    #[must_use]
    pub fn file(mut self, path: RepoPath) -> Self {
        self.files.insert(path);
        self
    }

    /// Keeps the manifests in this folder, at any depth, whatever their bytes are.
    #[must_use]
    pub fn folder(mut self, path: RepoPath) -> Self {
        self.folders.insert(path);
        self
    }

    /// Keeps the files whose path fits a template: what stands in braces is anything without a slash.
    #[must_use]
    pub fn pattern(mut self, template: &str) -> Self {
        self.patterns.insert(template.to_owned());
        self
    }

    /// Whether a policy may name this very file.
    fn is_named(&self, path: &RepoPath) -> bool {
        self.files.contains(path) || self.patterns.iter().any(|pattern| fits(path.as_str(), pattern))
    }

    /// Whether a file can matter as far as its path tells.
    pub(super) fn opens(&self, path: &RepoPath) -> bool {
        self.is_named(path) || is_manifest_name(path.file_name())
    }

    /// Whether a file that was opened matters.
    pub(super) fn keeps(&self, path: &RepoPath, bytes: &[u8]) -> bool {
        // What Argo CD merges over a source takes values away by leaving them out.
        let is_override = path.file_name().starts_with(release::OVERRIDE);
        if self.is_named(path) || kustomize::is_name(path.file_name()) || is_override {
            return true;
        }
        if self.folders.iter().any(|folder| path.is_under(folder)) {
            return true;
        }
        let mentions = |words: &BTreeSet<String>| {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            yaml::mentions(bytes, &words)
        };
        mentions(&self.words) || bytes.len() <= SMALL && mentions(&self.words_of_small)
    }
}

/// Whether a file is a manifest by its name: what `kubectl apply -f` takes from a folder, or a kustomization.
pub(super) fn is_manifest_name(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    matches!(extension, Some("yaml" | "yml" | "json")) || kustomize::is_name(name)
}

/// Whether a path fits a template, part by part.
fn fits(path: &str, template: &str) -> bool {
    let (mut parts, mut patterns) = (path.split('/'), template.split('/'));
    loop {
        match (parts.next(), patterns.next()) {
            (None, None) => return true,
            (Some(part), Some(pattern)) if part_fits(part, pattern) => {}
            _ => return false,
        }
    }
}

fn part_fits(part: &str, pattern: &str) -> bool {
    let Some((before, rest)) = pattern.split_once('{') else {
        return part == pattern;
    };
    let Some((mut part, (_, mut rest))) = part.strip_prefix(before).zip(rest.split_once('}')) else {
        return false;
    };
    // The leftmost place for each text between two braces leaves the most for the others.
    while let Some((text, more)) = rest.split_once('{') {
        let Some((at, (_, after))) = part.find(text).zip(more.split_once('}')) else {
            return false;
        };
        part = &part[at + text.len()..];
        rest = after;
    }
    part.ends_with(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_opened_by_its_name_and_kept_by_its_bytes() {
        let path = |text: &str| text.parse::<RepoPath>().unwrap();
        let screen = Screen::new()
            .words(["cluster.x-k8s.io", ""])
            .file(path("apps/values.tpl"))
            .folder(path("requests/eu"));
        for (name, opened, kept) in [
            ("a/md.yaml", true, true),
            ("a/md.yml", true, true),
            ("a/md.json", true, true),
            ("a/md.txt", false, true),
            ("README.md", false, true),
            ("apps/values.tpl", true, true),
        ] {
            assert_eq!(screen.opens(&path(name)), opened, "{name}");
            assert_eq!(screen.keeps(&path(name), b"x: cluster.x-k8s.io/v1"), kept, "{name}");
        }
        for (name, kept) in [
            ("a/md.yaml", false),
            ("a/kustomization.yaml", true),
            ("Kustomization", true),
            ("apps/values.tpl", true),
            ("requests/eu/new.yaml", true),
            ("requests/eu2/new.yaml", false),
        ] {
            assert_eq!(screen.keeps(&path(name), b"kind: ConfigMap"), kept, "{name}");
        }
    }

    #[test]
    fn a_template_fits_paths_with_any_names_in_it() {
        for (path, template, fit) in [
            ("a/b/c.yaml", "a/{cluster}/c.yaml", true),
            ("a/b/c.yaml", "a/{cluster}.yaml", false),
            ("a/b-c.yaml", "a/{cluster}-{nodeGroup}.yaml", true),
            ("a/b.yaml", "a/{cluster}-{nodeGroup}.yaml", false),
            ("a/x-b-c-y", "{region}/x-{cluster}-{nodeGroup}-y", true),
            ("a/b/c", "a/{cluster}", false),
            ("a", "a/{cluster}", false),
            ("a/b", "a/b", true),
            ("a/b", "a/{b", false),
        ] {
            assert_eq!(fits(path, template), fit, "{path} {template}");
        }
    }
}
