//! The snapshot that a verb decides on: the recorded one, or one that is taken now.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::{ErrorKind, Failure};
use crate::model::{Ledger, Snapshot};
use crate::net::Server;
use crate::observe::kube::{InClusterEnv, SERVICE_ACCOUNT};
use crate::observe::{self, Access};
use crate::plan::printable;
use crate::policy::{FleetFile, ServerRef};

use super::clock;
use super::inputs::Inputs;
use super::servers;
use super::terminal::Terminal;
use super::waiting::wait;
use super::workspace::Workspace;

/// The live half, recorded or observed, with the ledger that was read for this verb.
pub(super) fn snapshot(inputs: &Inputs, ledger: Ledger, terminal: &Terminal) -> Result<Snapshot, Failure> {
    let Workspace {
        fleet,
        recorded,
        now,
        deadline,
        ..
    } = &inputs.workspace;
    if let Some(recorded) = recorded {
        return Ok(Snapshot {
            ledger,
            ..recorded.clone()
        });
    }
    if fleet
        .management_clusters()
        .all(|(_, cluster)| cluster.kubernetes.is_none())
    {
        return Err(
            Failure::plain(ErrorKind::Input, "there is no snapshot to decide on, and no cluster to ask").with_hint(
                "name a snapshot with --snapshot FILE or as spec.source.snapshot of the fleet file; or name the API servers there, as \
                 `kubernetes` of each management cluster",
            ),
        );
    }
    terminal.progress("asking the clusters");
    let live = with_access(&inputs.workspace, |access| {
        wait(observe::live(fleet, &inputs.policies, access, *deadline, *now))
    })?;
    Ok(Snapshot::new(*now, live, ledger))
}

/// What it takes to reach the servers of the fleet file.
pub(super) fn with_access<T>(workspace: &Workspace, use_it: impl FnOnce(&Access<'_>) -> T) -> T {
    with_access_of(&workspace.fleet, &workspace.folder, use_it)
}

/// The same for a fleet file of which nothing else has been opened.
pub(super) fn with_access_of<T>(fleet: &FleetFile, folder: &Path, use_it: impl FnOnce(&Access<'_>) -> T) -> T {
    let kubeconfig = clock::kubeconfig();
    let in_cluster = clock::in_cluster_server().map(|url| InClusterEnv {
        url,
        folder: PathBuf::from(SERVICE_ACCOUNT),
    });
    let prometheus: BTreeMap<ServerRef, Result<Server, String>> = observe::prometheus_servers(fleet)
        .map(|reference| (reference.clone(), servers::resolve(folder, reference)))
        .collect();
    use_it(&Access {
        folder,
        default_kubeconfig: kubeconfig.as_deref(),
        in_cluster: in_cluster.as_ref(),
        prometheus: &prometheus,
    })
}

/// What a snapshot does not know, one line each, most of all for whoever asks why nothing was done.
pub(super) fn not_seen(snapshot: &Snapshot) -> String {
    let clusters = snapshot.live.management_clusters.iter();
    let lines: Vec<String> = clusters
        .flat_map(|(name, live)| {
            let mut gaps: Vec<_> = live.gaps.iter().collect();
            gaps.sort();
            gaps.into_iter()
                .map(move |gap| format!("  {name}: {}: {}\n", gap.what, printable(&gap.cause)))
        })
        .collect();
    if lines.is_empty() {
        return String::new();
    }
    format!("not seen ({}):\n{}", lines.len(), lines.concat())
}

/// The exit code that a snapshot leads to: partial, if it lacks a part of what was asked for.
pub(super) fn exit_code(snapshot: &Snapshot) -> u8 {
    let mut clusters = snapshot.live.management_clusters.values();
    if clusters.any(|live| !live.gaps.is_empty()) {
        2
    } else {
        0
    }
}
