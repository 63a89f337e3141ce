//! What one verified edit costs: parsed, located, spliced and proven by a second parser, beside a serde round trip of the same file.
//!
//! The round trip (`serde_yaml::Value` and back) is what a tool does that loses every comment. It proves nothing.

use std::borrow::Cow;

use fleetscale::model::{Edit, Location, ObjectKey, RepoPath, Scalar};
use fleetscale::render::render;

use crate::{median, ratio, timed};

/// What a file of the usual size looks like: a MachineDeployment with its labels, its comments and its template.
const FILE: &str = include_str!("editing.yaml");

/// Prints one row.
pub(crate) fn measure(smoke: bool) {
    let path: RepoPath = "workers.yaml".parse().unwrap();
    let edit = Edit::Replace {
        at: Location {
            path,
            document: 0,
            object: ObjectKey {
                group: "cluster.x-k8s.io".into(),
                kind: "MachineDeployment".into(),
                namespace: "shard-a".into(),
                name: "blue-md-0".into(),
            },
            pointer: "/spec/replicas".parse().unwrap(),
            embedded: None,
        },
        from: Scalar::Integer(6),
        to: Scalar::Integer(9),
    };
    let edits = [edit];
    let edited = || {
        let rendered = render(|_| Some(Cow::Borrowed(FILE.as_bytes())), &edits).unwrap();
        rendered.files.into_values().next().unwrap().after
    };
    let expected = FILE.replace("replicas: 6 ", "replicas: 9 ");
    assert_eq!(edited(), expected.as_bytes(), "the edit is what it should be");

    let round_trip = || {
        let value: serde_yaml::Value = serde_yaml::from_str(FILE).unwrap();
        serde_yaml::to_string(&value).unwrap()
    };
    let (mut edits, mut round_trips) = (Vec::new(), Vec::new());
    for _ in 0..if smoke { 1 } else { 2_000 } {
        // In turn, so that a slow stretch of the machine hits both.
        edits.push(timed(edited).1);
        round_trips.push(timed(round_trip).1);
    }
    let (edit, round_trip) = (median(&mut edits), median(&mut round_trips));
    println!(
        "edit: one verified edit of a file of {} bytes: {:.1} us; a serde round trip of it: {:.1} us; ratio {:.2} (goal 3)",
        FILE.len(),
        edit.as_secs_f64() * 1e6,
        round_trip.as_secs_f64() * 1e6,
        ratio(edit, round_trip)
    );
}
