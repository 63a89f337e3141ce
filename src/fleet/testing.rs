//! Small fleets for tests.

use crate::model::Direction;
use crate::policy::{
    Author, Budget, BudgetPer, Deadlines, FleetFile, Forge, Limits, ManagementCluster, Percent, Region, Repository,
};

use super::tree::FleetTree;

/// A fleet file with one region `eu` and these management clusters, each with its paths.
pub(in crate::fleet) fn fleet(clusters: &[(&str, &[&str])]) -> FleetFile {
    let management_clusters = clusters.iter().map(|(name, paths)| ManagementCluster {
        name: name.parse().unwrap(),
        paths: paths.iter().map(|path| path.parse().unwrap()).collect(),
        kubernetes: None,
        prometheus: None,
    });
    FleetFile {
        name: "fleet".to_owned(),
        repository: Repository::Path("fleet.git".to_owned()),
        aliases: Vec::new(),
        branch: "main".parse().unwrap(),
        policies: "fleetscale".parse().unwrap(),
        forge: Forge::Local { path: None },
        snapshot: None,
        regions: vec![Region {
            name: "eu".parse().unwrap(),
            management_clusters: management_clusters.collect(),
            prometheus: None,
        }],
        limits: Limits {
            new_pull_requests: 5,
            new_urgent_pull_requests: 20,
            open_pull_requests: 20,
            budgets: vec![Budget {
                direction: Some(Direction::Down),
                max_changes: None,
                max_nodes: None,
                max_percent: Some(Percent::of(10)),
                per: BudgetPer::ManagementCluster,
                window: None,
            }],
        },
        freezes: Vec::new(),
        deadlines: Deadlines::default(),
        author: Author {
            name: "fleetscale".to_owned(),
            email: "fleetscale@localhost".to_owned(),
        },
        warnings: Vec::new(),
    }
}

/// A tree of these files.
pub(in crate::fleet) fn tree(files: &[(&str, &str)]) -> FleetTree {
    let base = "0".repeat(40).parse().unwrap();
    FleetTree::from_files(base, files.iter().map(|(path, text)| (*path, *text))).unwrap()
}

/// A MachineDeployment of the cluster `blue` with a namespace (if any) and three replicas, which stand on line 5.
pub(in crate::fleet) fn machine_deployment(namespace: &str, name: &str) -> String {
    format!(
        "apiVersion: cluster.x-k8s.io/v1beta1\nkind: MachineDeployment\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec:\n  \
         replicas: 3\n  clusterName: blue\n"
    )
}
