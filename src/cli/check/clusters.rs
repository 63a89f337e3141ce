//! What was found of API servers and Prometheus servers, as lines of the check.

use crate::model::ManagementClusterName;
use crate::observe::kube::{Right, Rights};
use crate::observe::prometheus::Matches;
use crate::observe::{CheckedApiServer, CheckedPrometheus, CheckedRegion};
use crate::policy::FleetFile;

use super::READABLE;
use super::report::{Kind, Line, clock_differs, counted};

/// One line per API server and Prometheus; and one for each that the fleet file should name.
pub(super) fn lines(fleet: &FleetFile, found: &[CheckedRegion]) -> Vec<Line> {
    let mut lines = Vec::new();
    for (region, checked) in fleet.regions.iter().zip(found) {
        let mut servers = checked.api_servers.iter();
        for cluster in &region.management_clusters {
            let name = format!("{}/{}", region.name, cluster.name);
            if cluster.kubernetes.is_some() {
                lines.extend(servers.next().map(|(_, found)| api_server(&name, found)));
            } else if fleet.snapshot.is_none() {
                let says = "the fleet file does not say how to reach it (`kubernetes`)".to_owned();
                lines.push(Line::broken(Kind::ApiServer, &name, says));
            }
        }
        let measured = |cluster: &crate::policy::ManagementCluster| {
            region.prometheus_of(cluster).is_some() || cluster.kubernetes.is_none()
        };
        if !region.management_clusters.iter().all(measured) {
            let says = "the fleet file names none for some of its management clusters: nothing of them is measured";
            let line = Line::ok(Kind::Prometheus, region.name.as_str(), "none".to_owned());
            lines.push(line.with_warnings([says.to_owned()]));
        }
        for found in &checked.prometheus {
            lines.push(prometheus(region.name.as_str(), found));
        }
    }
    lines
}

pub(super) fn api_server(name: &str, found: &Result<CheckedApiServer, String>) -> Line {
    let CheckedApiServer {
        version,
        clock,
        rights,
        live,
    } = match found {
        Ok(found) => found,
        Err(why) => return Line::broken(Kind::ApiServer, name, why.clone()),
    };
    let version = version.as_deref().unwrap_or("version not told");
    let none = Rights::default();
    let known = rights.as_ref().unwrap_or(&none);
    // What a missing right explains is not told twice.
    let explained = |cause: &str| known.missing.iter().any(|right| cause.contains(&right.resource));
    let gaps = live.gaps.iter().filter(|gap| !explained(&gap.cause));
    let mut gaps: Vec<String> = gaps.map(|gap| format!("{}: {}", gap.what, gap.cause)).collect();
    gaps.dedup();
    let failed = !known.missing.is_empty() || !live.gaps.is_empty();
    let groups = live.clusters.values().flatten();
    let groups: usize = groups.map(|(_, cluster)| cluster.node_groups.len()).sum();
    let says = if known.missing.is_empty() {
        let clusters = counted(live.cluster_count(), "cluster");
        format!("{version}; {clusters}, {} seen", counted(groups, "node group"))
    } else {
        format!("{version}; may not {}", all(&known.missing))
    };
    let mut warnings = gaps;
    warnings.extend(clock_differs(*clock));
    if !known.wider.is_empty() {
        warnings.push(format!("may do more than it needs: {}", all(&known.wider)));
    }
    if let Err(cause) = rights {
        warnings.push(format!("what the account may do can't be told: {cause}"));
    }
    let line = if failed {
        Line::broken(Kind::ApiServer, name, says)
    } else {
        Line::ok(Kind::ApiServer, name, says)
    };
    line.with_warnings(warnings)
}

pub(super) fn prometheus(region: &str, found: &CheckedPrometheus) -> Line {
    let CheckedPrometheus {
        address,
        version,
        is_readable,
        matches,
    } = found;
    let name = format!("{region} {address}");
    let (version, reading) = match version {
        Ok(found) => found,
        Err(why) => return Line::broken(Kind::Prometheus, &name, why.clone()),
    };
    let mut says = version.version.clone().unwrap_or_else(|| "version not told".to_owned());
    let matches = match matches {
        Ok(matches) => matches,
        Err(why) => {
            let says = format!("{says}; {why}");
            return Line::broken(Kind::Prometheus, &name, says).with_warnings(clock_differs(*reading));
        }
    };
    let mut warnings = Vec::new();
    for (cluster, found) in matches {
        says.push_str(&format!("; {}", share(cluster, found)));
        warnings.extend(found.reasons.iter().map(|reason| format!("{cluster}: {reason}")));
    }
    warnings.extend(clock_differs(*reading));
    warnings.extend(is_readable.then(|| READABLE.to_owned()));
    Line::ok(Kind::Prometheus, &name, says).with_warnings(warnings)
}

fn share(name: &ManagementClusterName, found: &Matches) -> String {
    let Matches {
        clusters,
        of_clusters,
        nodes,
        of_nodes,
        reasons: _,
    } = found;
    format!("{name} has {clusters} of {of_clusters} clusters, {nodes} of {of_nodes} nodes")
}

fn all(rights: &[Right]) -> String {
    let words: Vec<String> = rights.iter().map(Right::to_string).collect();
    words.join(", ")
}
