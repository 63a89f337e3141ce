//! A fleet file whose repository is on a server.

use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::cli::args::Color;
use crate::git::testing::{Server, World};

const MACHINES: &str = "apiVersion: cluster.x-k8s.io/v1beta2\nkind: MachineDeployment\nmetadata: {name: md, namespace: a}\nspec: {clusterName: \
                        blue, replicas: 3}\n";

fn fleet_file(folder: &Path, url: &str) -> PathBuf {
    let file = folder.join("fleet.yaml");
    let text = format!(
        "apiVersion: fleetscale.io/v1alpha1\nkind: Fleet\nmetadata: {{name: a}}\nspec:\n  repository: {{url: {url}}}\n  \
         forge: {{local: {{}}}}\n  regions: [{{name: eu, managementClusters: [{{name: eu-1, paths: [clusters]}}]}}]\n"
    );
    std::fs::write(&file, text).unwrap();
    file
}

/// The commit that is read, and the values that are found in it.
fn scanned(fleet: &Path, work: &Path, reference: Option<&str>) -> Result<(String, Vec<String>), Failure> {
    let args = Args {
        repo: None,
        fleet: Some(fleet.to_owned()),
        reference: reference.map(str::to_owned),
        policies: None,
        select: None,
        explain: false,
        output: Format::Table,
        work_dir: Some(work.to_owned()),
    };
    let terminal = Terminal::new(Color::Never);
    let (source, fleet) = open(&args, &terminal)?;
    let fleet = fleet.expect("it was named");
    let policies = policies_of(&source, &fleet, None, &terminal)?;
    let tree = source.tree(&fleet::screen_everything(&fleet, &policies))?;
    let (numbers, _) = fleet::scan(&fleet, &policies, &tree);
    let values = numbers.iter().filter_map(|number| number.binding.value.as_ref());
    let values = values.map(ToString::to_string).collect();
    Ok((source.commit().map(ToString::to_string).unwrap_or_default(), values))
}

#[test]
fn the_fleets_branch_on_a_server_is_fetched_at_each_scan() {
    let (world, folder) = (World::new(), TempDir::new().unwrap());
    let first = world.human("main", &[("clusters/md.yaml", MACHINES)]);
    let server = Server::start(world.folder(), |_| None);
    let fleet = fleet_file(folder.path(), &server.url("remote.git"));
    let work = folder.path().join("work");
    let scan = |reference| scanned(&fleet, &work, reference).unwrap();
    assert_eq!(scan(None), (first.to_string(), vec!["3".to_owned()]));
    // The next scan finds a store there already, and the branch further on.
    let second = world.human("main", &[("clusters/md.yaml", &MACHINES.replace('3', "4"))]);
    assert_eq!(scan(None), (second.to_string(), vec!["4".to_owned()]));
    assert_eq!(scan(Some(first.as_str())), (first.to_string(), vec!["3".to_owned()]));
    assert!(scanned(&fleet, &work, Some("nowhere")).is_err());
}

#[test]
fn a_server_without_the_repository_is_an_error_of_git() {
    let (world, folder) = (World::new(), TempDir::new().unwrap());
    let server = Server::start(world.folder(), |_| None);
    let fleet = fleet_file(folder.path(), &server.url("other.git"));
    let failure = scanned(&fleet, &folder.path().join("work"), None).unwrap_err();
    assert_eq!(failure.kind, ErrorKind::Publish);
    assert!(failure.message.contains("other.git"), "{}", failure.message);
}
