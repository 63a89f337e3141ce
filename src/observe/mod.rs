//! Where the live half of a snapshot comes from: API servers and Prometheus ([`live()`]), or a recorded file ([`recorded`]).
//!
//! What can't be read is a gap, and what can't be measured says why; nothing is filled in. Whether a value may be trusted is judged once more
//! where it is used, because its age is that of the decision. Whether the servers can be asked at all is told by [`check()`].

mod check;
pub mod kube;
mod live;
pub mod prometheus;

pub use check::{CheckedApiServer, CheckedPrometheus, CheckedRegion, ClockReading, check};
pub use live::{Access, live, prometheus_servers};

use crate::model::{MACHINE_API_VERSION, Snapshot};

/// Why a recorded snapshot can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// It does not have a snapshot's form.
    #[error("reading the snapshot {file}")]
    Malformed {
        /// The file.
        file: String,
        /// Where and why: with line and column.
        #[source]
        source: serde_yaml::Error,
    },
    /// It is something else, or of another version.
    #[error("reading the snapshot {file}: it is {found}, expected kind Snapshot of {MACHINE_API_VERSION}")]
    OtherKind {
        /// The file.
        file: String,
        /// What it says it is.
        found: String,
    },
}

/// Reads a recorded snapshot, in YAML or JSON.
pub fn recorded(file: &str, bytes: &[u8]) -> Result<Snapshot, ObserveError> {
    // A byte order mark would be read as a document of its own.
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let malformed = |source| ObserveError::Malformed {
        file: file.to_owned(),
        source,
    };
    let snapshot: Snapshot = serde_yaml::from_slice(bytes).map_err(malformed)?;
    if snapshot.api_version != MACHINE_API_VERSION || snapshot.kind != "Snapshot" {
        let found = format!("kind {} of {}", snapshot.kind, snapshot.api_version);
        return Err(ObserveError::OtherKind {
            file: file.to_owned(),
            found,
        });
    }
    Ok(snapshot)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str =
        "apiVersion: fleetscale.io/v1alpha1\nkind: Snapshot\ncapturedAt: 2026-10-06T09:00:00Z\nlive: {}\n";

    #[test]
    fn a_snapshot_reads_the_same_from_yaml_and_json() {
        let yaml = recorded("s.yaml", SMALL.as_bytes()).unwrap();
        let json = serde_json::to_vec(&yaml).unwrap();
        let back = recorded("s.json", &json).unwrap();
        assert_eq!((back.digest(), &back), (yaml.digest(), &yaml));
        let with_mark = format!("\u{feff}{SMALL}");
        assert_eq!(recorded("s.yaml", with_mark.as_bytes()).unwrap(), yaml);
    }

    #[test]
    fn what_is_no_snapshot_is_refused_with_its_place() {
        let wrong = SMALL.replace("kind: Snapshot", "kind: Plan");
        assert!(
            recorded("s.yaml", wrong.as_bytes())
                .unwrap_err()
                .to_string()
                .contains("kind Plan")
        );
        let unknown = SMALL.replace("live: {}", "live: {clusters: []}");
        let error = recorded("s.yaml", unknown.as_bytes()).unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(
            cause.contains("unknown field `clusters`") && cause.contains("line 4"),
            "{cause}"
        );
    }
}
