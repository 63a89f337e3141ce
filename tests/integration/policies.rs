//! The shipped policies are valid, their schemas are fresh, and every broken manifest of the corpus is answered with the way out.

#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::fs;
use std::path::{Path, PathBuf};

use fleetscale::policy::{FleetFile, Kind, PolicySet, Problem, schema, schema_file};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The YAML files of a folder of the project, by name.
fn files(folder: &str) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(root().join(folder)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    paths.sort();
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    paths.iter().map(|path| (name(path), fs::read(path).unwrap())).collect()
}

fn example_fleet() -> FleetFile {
    let path = "fixtures/policies/valid/fleet.yaml";
    FleetFile::load(path, &fs::read(root().join(path)).unwrap()).unwrap()
}

fn text(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
    lines.join("\n")
}

#[test]
fn the_shipped_policies_are_valid_and_without_a_warning() {
    let set = PolicySet::load(files("policies"), Some(&example_fleet()))
        .unwrap_or_else(|problems| panic!("{}", text(&problems)));
    assert_eq!(text(&set.warnings), "");
    let counts = [
        set.node_groups.len(),
        set.platforms.len(),
        set.controllers.len(),
        set.sharding.len(),
    ];
    assert_eq!(counts, [1, 1, 1, 1]);
}

/// What the shipped policy writes out are the defaults: whoever deletes a line must not change anything.
#[test]
fn the_shipped_policies_write_out_the_defaults() {
    let shipped = PolicySet::load(files("policies"), None).unwrap();
    let short = "
apiVersion: fleetscale.io/v1alpha1
kind: NodeGroupPolicy
metadata: {name: workers}
spec:
  selector: {regions: ['*']}
  bounds: {max: 12}
  scaleDown: {windows: [{schedule: '0 8 * * tue', timeZone: Europe/Stockholm, duration: 8h, week: 1}]}
---
apiVersion: fleetscale.io/v1alpha1
kind: ControllerPolicy
metadata: {name: capi}
spec:
  component: capi
  selector: {regions: ['*']}
  flags: [{name: kube-api-qps, ladder: [{clusters: 1, value: 21}]}]
";
    let short = PolicySet::load([("short.yaml", short)], None).unwrap();
    let (mut expected, found) = (shipped.node_groups[0].clone(), &short.node_groups[0]);
    expected.meta = found.meta.clone();
    assert_eq!(&expected, found);
    let (expected, found) = (&shipped.controllers[0], &short.controllers[0]);
    assert_eq!(
        (&expected.evidence, &expected.cooldown, &expected.max_age),
        (&found.evidence, &found.cooldown, &found.max_age)
    );
}

#[test]
fn every_field_can_be_written_and_every_default_left_out() {
    let fleet = example_fleet();
    assert_eq!(text(&fleet.warnings), "");
    let minimal = fs::read(root().join("fixtures/policies/valid/fleet-minimal.yaml")).unwrap();
    let minimal =
        FleetFile::load("fleet-minimal.yaml", &minimal).unwrap_or_else(|problems| panic!("{}", text(&problems)));
    assert_eq!(minimal.branch.as_str(), "main");
    let policies = files("fixtures/policies/valid")
        .into_iter()
        .filter(|(name, _)| !name.starts_with("fleet"));
    let set = PolicySet::load(policies, Some(&fleet)).unwrap_or_else(|problems| panic!("{}", text(&problems)));
    assert_eq!(text(&set.warnings), "");
    let counts = [
        set.node_groups.len(),
        set.platforms.len(),
        set.controllers.len(),
        set.sharding.len(),
    ];
    assert_eq!(counts, [2, 3, 3, 1]);
}

#[test]
fn the_schemas_in_the_repository_are_fresh() {
    for kind in Kind::ALL {
        let path = root().join("policies/schema").join(schema_file(kind));
        let stored = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            stored == schema(kind),
            "write the output of `fleetscale schema {kind}` to {}",
            path.display()
        );
    }
    let stored = fs::read_dir(root().join("policies/schema")).unwrap().count();
    assert_eq!(stored, Kind::ALL.len(), "a schema without a kind");
}

#[test]
fn every_shipped_policy_names_its_schema() {
    for (name, bytes) in files("policies") {
        let text = String::from_utf8(bytes).unwrap();
        let kind = text.lines().find_map(|line| line.strip_prefix("kind: ")).unwrap();
        let expected = format!(
            "# yaml-language-server: $schema=schema/{}",
            schema_file(Kind::of(kind).unwrap())
        );
        assert_eq!(text.lines().next(), Some(expected.as_str()), "{name}");
    }
}

/// The messages of the whole corpus, in one file to be read by a person. Files that start with `fleet` are fleet files.
#[test]
fn a_broken_manifest_is_answered_with_the_way_out() {
    let fleet = example_fleet();
    let mut report = String::new();
    let files = files("fixtures/policies/invalid");
    assert!(files.len() >= 25, "{} broken manifests", files.len());
    for (name, bytes) in files {
        let problems = if name.starts_with("fleet") {
            FleetFile::load(&name, &bytes).map_or_else(|problems| problems, |fleet| fleet.warnings)
        } else {
            PolicySet::load([(&name, &bytes)], Some(&fleet)).map_or_else(|problems| problems, |set| set.warnings)
        };
        assert!(!problems.is_empty(), "{name} is accepted");
        assert!(
            problems.iter().all(|problem| problem.line > 0 && problem.column > 0),
            "{name}"
        );
        report.push_str(&text(&problems));
        report.push_str("\n\n");
    }
    insta::assert_snapshot!("broken_manifests", report);
}

/// A policy reads the same whatever the order of its files.
#[test]
fn the_order_of_the_files_changes_nothing() {
    let mut shuffled = files("policies");
    let set = PolicySet::load(shuffled.clone(), None).unwrap();
    shuffled.reverse();
    assert_eq!(PolicySet::load(shuffled, None).unwrap(), set);
}

#[test]
fn the_quickstart_is_valid_and_without_a_warning() {
    let path = "fixtures/quickstart/fleet.yaml";
    let fleet = FleetFile::load(path, &fs::read(root().join(path)).unwrap());
    let fleet = fleet.unwrap_or_else(|problems| panic!("{}", text(&problems)));
    let set = PolicySet::load(files("fixtures/quickstart/fleet/fleetscale"), Some(&fleet));
    let set = set.unwrap_or_else(|problems| panic!("{}", text(&problems)));
    assert_eq!(text(&fleet.warnings) + &text(&set.warnings), "");
}
