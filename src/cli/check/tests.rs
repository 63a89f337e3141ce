use jiff::SignedDuration;

use super::clusters::{api_server, prometheus};
use super::report::{State, clock_differs, exit_code, text};
use super::*;
use crate::model::{Gap, Inventory, LiveManagementCluster};
use crate::observe::kube::{Right, Rights};
use crate::observe::prometheus::{Matches, PrometheusVersion};
use crate::observe::{CheckedApiServer, CheckedPrometheus};

fn now() -> Timestamp {
    "2026-10-06T09:00:00Z".parse().unwrap()
}

fn clock(ahead: i64) -> ClockReading {
    ClockReading {
        server: Some(now() + SignedDuration::from_secs(ahead)),
        asked: now(),
        answered: now() + SignedDuration::from_secs(2),
    }
}

#[test]
fn a_clock_is_told_beyond_thirty_seconds_with_its_figure() {
    for (ahead, words) in [
        (0, None),
        (32, None),
        (-30, None),
        (33, Some("31 s ahead of ours")),
        (-31, Some("31 s behind ours")),
        (-86_400, Some("86400 s behind ours")),
    ] {
        let told = clock_differs(clock(ahead));
        assert_eq!(told.is_some(), words.is_some(), "{ahead}");
        assert!(told.unwrap_or_default().contains(words.unwrap_or_default()), "{ahead}");
    }
    let silent = ClockReading {
        server: None,
        ..clock(0)
    };
    assert_eq!(clock_differs(silent), None);
}

fn server(missing: &[&str], wider: &[&str], gaps: &[&str]) -> CheckedApiServer {
    let rights = |texts: &[&str]| {
        let split = texts.iter().map(|text| text.split_once(' ').unwrap());
        split
            .map(|(verb, resource)| Right {
                verb: verb.to_owned(),
                resource: resource.to_owned(),
            })
            .collect()
    };
    let gap = |cause: &&str| Gap {
        what: Inventory::Clusters,
        cause: (*cause).to_owned(),
    };
    CheckedApiServer {
        version: Some("v1.35.3".to_owned()),
        clock: clock(0),
        rights: Ok(Rights {
            missing: rights(missing),
            wider: rights(wider),
            incomplete: false,
        }),
        live: LiveManagementCluster {
            region: "eu".parse().unwrap(),
            gaps: gaps.iter().map(gap).collect(),
            clusters: std::collections::BTreeMap::new(),
            platforms: std::collections::BTreeMap::new(),
            controllers: std::collections::BTreeMap::new(),
        },
    }
}

#[test]
fn a_table_says_each_state_in_one_line_and_its_reasons_below() {
    let missing = ["list machines.cluster.x-k8s.io"];
    let gap = "listing machines: 403 forbidden; we may not list machines.cluster.x-k8s.io";
    let half = "shard-a/blue/md-0 (1 of 2 nodes): some \u{1b}[31mreason";
    let found = CheckedPrometheus {
        address: "http://prometheus.monitoring:9090".to_owned(),
        version: Ok((PrometheusVersion::default(), clock(-40))),
        is_readable: true,
        matches: Ok(vec![(
            "eu-1".parse().unwrap(),
            Matches {
                clusters: 1,
                of_clusters: 1,
                nodes: 1,
                of_nodes: 2,
                reasons: vec![half.to_owned()],
            },
        )]),
    };
    let lines = [
        Line::ok(
            Kind::FleetFile,
            "fleet.yaml",
            "1 management cluster in 1 region".to_owned(),
        ),
        api_server("eu/eu-1", &Ok(server(&missing, &[], &[gap]))),
        api_server("eu/eu-2", &Ok(server(&[], &["update deployments.apps"], &[]))),
        api_server("eu/eu-3", &Ok(server(&[], &[], &["the list expired"]))),
        api_server("eu/eu-4", &Err("no answer within 5.0s".to_owned())),
        prometheus("eu", &found),
    ];
    let table = text(&lines);
    let expected = "\
STATE    WHAT        NAME                                  SAYS
ok       fleet file  fleet.yaml                            1 management cluster in 1 region
failed   API server  eu/eu-1                               v1.35.3; may not list machines.cluster.x-k8s.io
warning  API server  eu/eu-2                               v1.35.3; 0 clusters, 0 node groups seen
         - may do more than it needs: update deployments.apps
failed   API server  eu/eu-3                               v1.35.3; 0 clusters, 0 node groups seen
         - clusters: the list expired
failed   API server  eu/eu-4                               no answer within 5.0s
warning  Prometheus  eu http://prometheus.monitoring:9090  version not told; eu-1 has 1 of 1 clusters, 1 of 2 nodes
";
    assert!(table.starts_with(expected), "{table}");
    assert!(table.contains("- its clock is 40 s behind ours") && table.contains("plain HTTP"));
    assert!(
        !table.contains('\u{1b}') && table.ends_with("\n6 checks: 1 ok, 2 warnings, 3 failed\n"),
        "{table}"
    );
}

#[test]
fn the_exit_code_is_that_of_what_everything_else_stands_on() {
    let ok = || Line::ok(Kind::Git, "a", String::new());
    let broken = |kind| Line::broken(kind, "a", String::new());
    for (lines, code) in [
        (vec![ok(), ok().with_warnings(["odd".to_owned()])], 0),
        (vec![ok(), broken(Kind::Prometheus)], 2),
        (vec![broken(Kind::ApiServer), broken(Kind::Forge)], 4),
        (vec![broken(Kind::Git), Line::unknown(Kind::Policies, "a", "")], 4),
        (vec![broken(Kind::Git), broken(Kind::Policies)], 3),
    ] {
        assert_eq!(exit_code(&lines), code, "{lines:?}");
    }
    assert!(State::Ok < State::Warning && State::Warning < State::Failed);
}

#[test]
fn what_may_not_be_done_at_the_forge_comes_first() {
    let access = |may_push| ForgeAccess {
        login: Some("fleet-bot".to_owned()),
        may_read: true,
        may_push,
        may_open: Some(true),
        clock: None,
        version: Some("1.26.0".to_owned()),
    };
    let local = Forge::Local { path: None };
    for (may_push, says, lacks) in [
        (
            Some(true),
            "a folder 1.26.0; fleet-bot may read pull requests, push branches, open pull requests",
            false,
        ),
        (
            Some(false),
            "a folder 1.26.0; fleet-bot may not push branches; fleet-bot may read pull requests, open pull requests",
            true,
        ),
        (
            None,
            "a folder 1.26.0; fleet-bot may read pull requests, open pull requests; fleet-bot maybe may push branches",
            false,
        ),
    ] {
        assert_eq!(may(&local, &access(may_push)), (says.to_owned(), lacks));
    }
}
