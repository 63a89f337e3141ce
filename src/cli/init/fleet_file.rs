//! The starter fleet file as text: what was guessed, and why, beside each guess.

use std::fmt::Write as _;
use std::path::Path;

use crate::fleet::{Guess, GuessedCluster};
use crate::model::{BranchName, RepoPath, Unbound};
use crate::plan::printable;

/// The region of what has none.
const REGION: &str = "default";

/// The most things left over that a fleet file lists: a person reads them one by one.
const MOST_LEFT: usize = 50;

/// The folder of policies that are still to be written.
const POLICIES: &str = "fleetscale";

/// How a fleet file names the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Kind {
    /// A plain folder, which is imported.
    Folder,
    /// A repository on this disk.
    Repository,
}

/// What is known of the repository besides what lies in it.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct About<'a> {
    /// Where it lies.
    pub(in crate::cli) path: &'a Path,
    /// What it is.
    pub(in crate::cli) kind: Kind,
    /// The branch that was read.
    pub(in crate::cli) branch: Option<&'a BranchName>,
}

/// The fleet file.
pub(in crate::cli) fn text(about: About<'_>, guess: &Guess) -> String {
    let About { path, kind, branch } = about;
    let Guess {
        management_clusters,
        policies,
        requests: _,
    } = guess;
    let mut out = String::from(
        "# Written by `fleetscale init` from what lies in the repository. What it made up says so: review every line with `guess`.\n\
         # The reference of every field: `fleetscale schema fleet`.\n\
         apiVersion: fleetscale.io/v1alpha1\n\
         kind: Fleet\n\
         metadata:\n",
    );
    let _ = writeln!(
        out,
        "  name: {}  # guess: the name of the repository's folder",
        name(path)
    );
    out.push_str("spec:\n  repository:\n");
    let (key, words) = match kind {
        Kind::Folder => (
            "import",
            "A plain folder becomes the first commit of a new repository, for trying out",
        ),
        Kind::Repository => ("path", "Pull requests become branches there"),
    };
    let _ = writeln!(out, "    # {words}. In earnest: `url: https://...`.");
    let _ = writeln!(out, "    {key}: {}", quoted(&path.to_string_lossy()));
    match branch {
        Some(branch) => {
            let _ = writeln!(
                out,
                "  branch: {}  # guess: the branch that was read",
                quoted(branch.as_str())
            );
        }
        None => out.push_str("  branch: main  # guess: the usual one\n"),
    }
    out.push_str("\n  policies:\n");
    let (folder, why) = match policies {
        Some(folder) => (folder.as_str(), "guess: most manifests of fleetscale.io are there"),
        None => (POLICIES, "guess: put the policies there, none were found"),
    };
    let _ = writeln!(out, "    path: {}  # {why}", quoted(folder));
    out.push_str(
        "\n  # Pull requests as files in a folder. In earnest: `gitea:` or `github:`.\n  forge:\n    local: {}\n",
    );
    out.push_str(
        "\n  # Neither API servers nor Prometheus can be guessed: add `kubernetes:` and `prometheus:`, or name a snapshot.\n  regions:\n",
    );
    for (region, clusters) in by_region(management_clusters) {
        let why = clusters[0]
            .region
            .as_ref()
            .map_or("no folder names one", |(_, why)| why.as_str());
        let _ = writeln!(out, "    - name: {}  # guess: {}", quoted(region), printable(why));
        out.push_str("      managementClusters:\n");
        for GuessedCluster {
            name,
            why,
            region: _,
            paths,
        } in clusters
        {
            let _ = writeln!(
                out,
                "        - name: {}  # guess: {}",
                quoted(name.as_str()),
                printable(why)
            );
            out.push_str("          paths:\n");
            for (path, why) in paths {
                let _ = writeln!(
                    out,
                    "            - {}  # guess: {}",
                    quoted(path.as_str()),
                    printable(why)
                );
            }
        }
    }
    out
}

/// What is left over, as comments at the end of the fleet file.
pub(in crate::cli) fn left_over(left: &[&Unbound]) -> String {
    let mut out = String::new();
    if left.is_empty() {
        return out;
    }
    out.push_str(
        "\n  # Not placed: nothing says in which management cluster these are, and nothing of them is managed. Add the file or a folder above it to\n  \
         # the `paths` of one, or leave it out on purpose.\n",
    );
    for unbound in left.iter().take(MOST_LEFT) {
        let _ = writeln!(out, "  #   {}", left_words(unbound));
    }
    if let Some(more) = left.len().checked_sub(MOST_LEFT).filter(|more| *more > 0) {
        let _ = writeln!(out, "  #   and {more} more: `fleetscale scan` lists them");
    }
    out
}

/// One thing that is left over, on one line.
pub(in crate::cli) fn left_words(unbound: &Unbound) -> String {
    let Unbound {
        path,
        line,
        what,
        refusal,
    } = unbound;
    printable(&format!("{path}:{line} {what}: {refusal}"))
}

/// The clusters of each region, in the order of the names of both.
fn by_region(clusters: &[GuessedCluster]) -> Vec<(&str, Vec<&GuessedCluster>)> {
    let mut regions: std::collections::BTreeMap<&str, Vec<&GuessedCluster>> = std::collections::BTreeMap::new();
    for cluster in clusters {
        let region = cluster.region.as_ref().map_or(REGION, |(name, _)| name.as_str());
        regions.entry(region).or_default().push(cluster);
    }
    regions.into_iter().collect()
}

/// A fleet's name, made of its folder's.
fn name(path: &Path) -> String {
    let folder = path.file_name().map(|name| name.to_string_lossy().to_lowercase());
    let folder = folder.unwrap_or_default();
    let kept: String = folder
        .strip_suffix(".git")
        .unwrap_or(&folder)
        .chars()
        .map(|c| {
            if c.is_ascii_lowercase() || c.is_ascii_digit() {
                c
            } else {
                '-'
            }
        })
        .collect();
    let kept = kept.trim_matches('-');
    if kept.is_empty() || kept.len() > 63 {
        "fleet".to_owned()
    } else {
        quoted(kept)
    }
}

/// A text as a YAML scalar of one line: plain where every reader sees a text, else in double quotes.
pub(super) fn quoted(text: &str) -> String {
    let starts = text.starts_with(|c: char| c.is_ascii_lowercase()) || text.starts_with('/') && text.len() > 1;
    let plain = |c: char| c.is_ascii_alphanumeric() || "/.-_{}".contains(c);
    // `null`, `on` and the like, and numbers such as `0x1f`, are no texts to some readers. Braces are plain only within a text.
    let word = matches!(
        text,
        "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
    );
    if starts && !word && text.chars().all(plain) {
        return text.to_owned();
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The folder of the policies that goes with the text.
pub(super) fn policies_folder(guess: &Guess) -> String {
    guess.policies.as_ref().map_or(POLICIES, RepoPath::as_str).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::Stream;

    #[test]
    fn a_text_reads_back_as_it_was() {
        for (text, written) in [
            ("clusters/eu-1", "clusters/eu-1"),
            ("{x}/a", "\"{x}/a\""),
            ("a/{x}.yaml", "a/{x}.yaml"),
            ("no", "\"no\""),
            ("1e3", "\"1e3\""),
            ("a # b: \"c\\", "\"a # b: \\\"c\\\\\""),
            ("a\u{2028}b", "\"a\\u2028b\""),
            ("", "\"\""),
        ] {
            assert_eq!(quoted(text), written);
            let line = format!("a: {written}  # why\n");
            let stream = Stream::parse(&line).unwrap();
            let root = stream.documents()[0].root;
            assert_eq!(root.get("a").unwrap().unwrap().text(), Some(text), "{line}");
        }
    }

    #[test]
    fn a_fleet_is_named_after_its_folder() {
        for (path, expected) in [
            ("/srv/Fleet_EU.git", "fleet-eu"),
            ("/", "fleet"),
            ("/srv/42", "\"42\""),
            ("/srv/åäö", "fleet"),
        ] {
            assert_eq!(name(Path::new(path)), expected, "{path}");
        }
    }
}
