//! Reads the files of a policies' folder, and the fleet file.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::model::{Digest, RepoPath};
use crate::policy::fleet_file::FleetFile;
use crate::policy::problem::{Problem, Severity};
use crate::policy::set::{Meta, PolicySet, ShardingPolicy};
use crate::policy::v1alpha1::Kind;
use crate::policy::validate::{self, Outcome, Policy, Positions};
use crate::yaml::{ParseError, Stream};

impl PolicySet {
    /// Reads policies from files: pairs of a path, for messages, and the file's bytes.
    ///
    /// Documents of other API groups are passed over, so that a `kustomization.yaml` may lie beside the policies. With a fleet file, names of
    /// regions and management clusters are checked against it.
    ///
    /// # Errors
    ///
    /// All problems of all files, sorted by file and position, if one of them is an error. Problems that are only warnings come with the
    /// policies.
    pub fn load<P: AsRef<str>, B: AsRef<[u8]>>(
        files: impl IntoIterator<Item = (P, B)>,
        fleet: Option<&FleetFile>,
    ) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut set = Self::empty();
        let mut contents: BTreeMap<(Kind, String), Value> = BTreeMap::new();
        let mut positions: BTreeMap<(Kind, String), Positions> = BTreeMap::new();
        let mut first: BTreeMap<(Kind, String), Meta> = BTreeMap::new();
        let mut files: Vec<(P, B)> = files.into_iter().collect();
        files.sort_by(|(a, _), (b, _)| a.as_ref().cmp(b.as_ref()));
        for (path, bytes) in &files {
            let path = path.as_ref();
            let Some(text) = text(path, bytes.as_ref(), &mut problems) else {
                continue;
            };
            let Some(stream) = stream(path, text, &mut problems) else {
                continue;
            };
            for document in stream.documents() {
                let Some(outcome) = validate::policy(path, &document, fleet, &mut problems) else {
                    continue;
                };
                let Outcome {
                    value: Some(policy),
                    content,
                    positions: places,
                } = outcome
                else {
                    continue;
                };
                let meta = policy.meta().clone();
                let key = (meta.kind, meta.name.to_string());
                if let Some(Meta { file, line, .. }) = first.get(&key) {
                    problems.push(places.error(
                        "/metadata/name",
                        format!("{} {} stands in {file}:{line} already", meta.kind, meta.name),
                        "give one of the two another name, or remove it",
                    ));
                    continue;
                }
                first.insert(key.clone(), meta);
                contents.insert(key.clone(), content);
                positions.insert(key, places);
                set.add(policy);
            }
        }
        set.sort();
        problems.append(&mut validate::across(&set, &positions));
        problems.sort();
        problems.dedup();
        if problems.iter().any(Problem::is_error) {
            return Err(problems);
        }
        let contents: Vec<&Value> = contents.values().collect();
        set.digest = Digest::of(&contents);
        set.warnings = problems;
        Ok(set)
    }

    fn empty() -> Self {
        Self {
            node_groups: Vec::new(),
            platforms: Vec::new(),
            controllers: Vec::new(),
            sharding: Vec::new(),
            warnings: Vec::new(),
            digest: Digest::of(&json!([])),
        }
    }

    fn add(&mut self, policy: Policy) {
        match policy {
            Policy::NodeGroup(policy) => self.node_groups.push(policy),
            Policy::Platform(policy) => self.platforms.push(policy),
            Policy::Controller(policy) => self.controllers.push(policy),
            Policy::Sharding(policy) => self.sharding.push(policy),
        }
    }

    fn sort(&mut self) {
        let Self {
            node_groups,
            platforms,
            controllers,
            sharding,
            warnings: _,
            digest: _,
        } = self;
        node_groups.sort_by(|a, b| a.meta.name.cmp(&b.meta.name));
        platforms.sort_by(|a, b| a.meta.name.cmp(&b.meta.name));
        controllers.sort_by(|a, b| a.meta.name.cmp(&b.meta.name));
        sharding.sort_by(|a, b| a.meta.name.cmp(&b.meta.name));
    }
}

impl FleetFile {
    /// Reads the fleet file. `path` is for messages.
    ///
    /// # Errors
    ///
    /// All its problems, sorted by position, if one of them is an error.
    pub fn load(path: &str, bytes: &[u8]) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut fleet = None;
        if let Some(text) = text(path, bytes, &mut problems)
            && let Some(stream) = stream(path, text, &mut problems)
        {
            let documents = stream.documents();
            match &documents[..] {
                [only] => fleet = validate::fleet_file(path, only, &mut problems),
                [] => problems.push(validate::of_file(
                    path,
                    1,
                    1,
                    "the file is empty".to_owned(),
                    "a fleet file has one document of the kind Fleet",
                )),
                [_, second, ..] => {
                    let at = second.root.position();
                    problems.push(validate::of_file(
                        path,
                        at.line,
                        at.column,
                        "a second document begins here".to_owned(),
                        "a fleet file has one document; policies live in the fleet's repository",
                    ));
                }
            }
        }
        problems.sort();
        match fleet {
            Some(mut fleet) if !problems.iter().any(Problem::is_error) => {
                fleet.warnings = problems;
                Ok(fleet)
            }
            _ => Err(problems),
        }
    }
}

impl ShardingPolicy {
    /// Checks that nothing applies what waits in the requests folder.
    ///
    /// `applied` are the folders that Flux, Argo CD or anything else applies, each with who does; no folder means the whole repository. A
    /// request in such a folder would be created by its mere presence, before it has its place.
    pub fn outside_applied_paths<'a>(
        &self,
        applied: impl IntoIterator<Item = (Option<&'a RepoPath>, &'a str)>,
    ) -> Vec<Problem> {
        let Self {
            meta,
            requests,
            requests_position: (line, column),
            ..
        } = self;
        let conflicts = applied.into_iter().filter_map(|(path, who)| {
            let (what, overlaps) = match path {
                None => ("the whole repository".to_owned(), true),
                Some(path) => (path.to_string(), requests.is_under(path) || path.is_under(requests)),
            };
            overlaps.then(|| Problem {
                file: meta.file.clone(),
                line: *line,
                column: *column,
                field: "spec.requests".to_owned(),
                severity: Severity::Error,
                message: format!(
                    "{who} applies {what}, so a cluster that waits in {requests} would be created at once"
                ),
                hint: "keep requests in a folder that nothing applies".to_owned(),
            })
        });
        let mut problems: Vec<Problem> = conflicts.collect();
        problems.sort();
        problems.dedup();
        problems
    }
}

impl Policy {
    fn meta(&self) -> &Meta {
        match self {
            Self::NodeGroup(policy) => &policy.meta,
            Self::Platform(policy) => &policy.meta,
            Self::Controller(policy) => &policy.meta,
            Self::Sharding(policy) => &policy.meta,
        }
    }
}

fn text<'a>(path: &str, bytes: &'a [u8], problems: &mut Vec<Problem>) -> Option<&'a str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(error) => {
            let line = 1 + bytes[..error.valid_up_to()]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count();
            problems.push(validate::of_file(
                path,
                line,
                1,
                "the file is not UTF-8 text".to_owned(),
                "save it as UTF-8",
            ));
            None
        }
    }
}

fn stream<'a>(path: &str, text: &'a str, problems: &mut Vec<Problem>) -> Option<Stream<'a>> {
    match Stream::parse(text) {
        Ok(stream) => Some(stream),
        Err(ParseError { position, kind }) => {
            let hint = if text.contains("{{") {
                "policies are plain YAML: templates are not rendered"
            } else {
                ""
            };
            problems.push(validate::of_file(
                path,
                position.line,
                position.column,
                kind.to_string(),
                hint,
            ));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARDING: &str = "
apiVersion: fleetscale.io/v1alpha1
kind: ShardingPolicy
metadata: {name: eu}
spec:
  region: eu
  requests: requests/eu
  shards: [{name: a, managementCluster: eu-1, namespace: a, path: clusters/a}]
";

    #[test]
    fn requests_lie_outside_of_everything_that_is_applied() {
        let set = PolicySet::load([("sharding.yaml", SHARDING)], None).unwrap();
        let conflicts = |applied: &[Option<&str>]| {
            let paths: Vec<Option<RepoPath>> = applied
                .iter()
                .map(|path| path.map(|path| path.parse().unwrap()))
                .collect();
            let problems = set.sharding[0].outside_applied_paths(
                paths
                    .iter()
                    .map(|path| (path.as_ref(), "Kustomization flux-system/apps")),
            );
            problems
                .iter()
                .map(|problem| (problem.line, problem.message.clone()))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            conflicts(&[Some("clusters"), Some("requests/eu-2"), Some("requests-eu")]),
            []
        );
        let message = |what: &str| {
            format!(
                "Kustomization flux-system/apps applies {what}, so a cluster that waits in requests/eu would be created at once"
            )
        };
        assert_eq!(conflicts(&[Some("requests")]), [(7, message("requests"))]);
        assert_eq!(conflicts(&[Some("requests/eu/new")]), [(7, message("requests/eu/new"))]);
        assert_eq!(conflicts(&[None]), [(7, message("the whole repository"))]);
    }

    #[test]
    fn the_digest_follows_the_content_and_nothing_else() {
        let digest = |files: &[(&str, &str)]| PolicySet::load(files.iter().copied(), None).unwrap().digest;
        let plain = digest(&[("a.yaml", SHARDING)]);
        let commented = format!("# a comment\n{SHARDING}\n---\n# nothing\n");
        assert_eq!(digest(&[("b.yaml", &commented)]), plain);
        assert_eq!(
            digest(&[("a.yaml", &SHARDING.replace("region: eu", "region: \"eu\""))]),
            plain
        );
        assert_ne!(
            digest(&[("a.yaml", &SHARDING.replace("requests/eu", "requests/us"))]),
            plain
        );
        assert_ne!(digest(&[]), plain);
    }

    #[test]
    fn problems_of_all_files_come_in_one_go_sorted() {
        let broken = SHARDING.replace("region: eu", "region: EU");
        let files = [
            ("z.yaml", broken.as_str()),
            ("a.yaml", "{"),
            ("m.yaml", broken.as_str()),
        ];
        let problems = PolicySet::load(files, None).unwrap_err();
        let places: Vec<(&str, usize)> = problems
            .iter()
            .map(|problem| (problem.file.as_str(), problem.line))
            .collect();
        assert_eq!(places, [("a.yaml", 1), ("m.yaml", 6), ("z.yaml", 6)]);
    }
}
