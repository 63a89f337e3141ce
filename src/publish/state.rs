//! The hidden state of a pull request: what it says about itself to machines, in an HTML comment at the end of its body; pure.
//!
//! Invariant: what can't be read is absent. A body that a person has edited, a version from the future and a forged comment with broken JSON
//! all give nothing, and then nobody here takes the pull request for ours.

use serde::{Deserialize, Serialize};

use crate::model::ProposalRecord;

use super::escape;

const OPENING: &str = "<!-- fleetscale: ";
const CLOSING: &str = " -->";

/// The version of the format. A reader that knows another one sees nothing.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Envelope {
    version: u32,
    record: ProposalRecord,
}

/// The comment, on one line and with its line end.
pub(super) fn write(record: &ProposalRecord) -> String {
    let envelope = Envelope {
        version: VERSION,
        record: record.clone(),
    };
    // Our own plain types serialise to memory without failing.
    let json = serde_json::to_string(&envelope).expect("a plain value has a JSON form");
    format!("{OPENING}{}{CLOSING}\n", escape::json_in_comment(&json))
}

/// The record in a body: that of the last line that is such a comment.
pub(super) fn read(body: &str) -> Option<ProposalRecord> {
    let (_, json) = last(body)?;
    let Envelope { version, record } = serde_json::from_str(json).ok()?;
    (version == VERSION).then_some(record)
}

/// The same body with another record; nothing where there is none to replace.
pub(super) fn replace(body: &str, record: &ProposalRecord) -> Option<String> {
    let (line, _) = last(body)?;
    let at = body.rfind(line)?;
    let (before, after) = (&body[..at], &body[at + line.len()..]);
    Some(format!("{before}{}{}", write(record).trim_end(), after))
}

fn last(body: &str) -> Option<(&str, &str)> {
    body.lines().rev().find_map(|line| {
        let json = line.trim_end().strip_prefix(OPENING)?.strip_suffix(CLOSING)?;
        Some((line, json))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Digest, RecordedChange, Scalar};

    fn record() -> ProposalRecord {
        ProposalRecord {
            plan: Digest::of_bytes(b"plan"),
            observed_at: "2026-03-01T12:00:00Z".parse().unwrap(),
            changes: vec![RecordedChange {
                target: "platform/eu-1/kamaji/replicas".parse().unwrap(),
                from: Scalar::Integer(3),
                to: Scalar::Text("--> @org".to_owned()),
            }],
            withdrawn: None,
        }
    }

    #[test]
    fn a_record_reads_back_and_can_be_replaced() {
        let body = format!("| a |\n\n{}\nA person's words\r\n", write(&record()));
        assert_eq!(read(&body), Some(record()));
        let withdrawn = ProposalRecord {
            withdrawn: Some("no longer needed -->".to_owned()),
            ..record()
        };
        let replaced = replace(&body, &withdrawn).unwrap();
        assert_eq!(read(&replaced), Some(withdrawn));
        assert!(replaced.starts_with("| a |\n\n<!-- ") && replaced.ends_with("A person's words\r\n"));
        assert_eq!(replaced.matches(OPENING).count(), 1);
    }

    #[test]
    fn what_can_not_be_read_is_absent() {
        let line = write(&record());
        for body in [
            String::new(),
            "words".to_owned(),
            line.replace("\"version\":1", "\"version\":2"),
            line.replace("sha256:", "md5:"),
            line.replace("{", ""),
            format!("> {line}"),
            format!("{line}<!-- fleetscale: {{}} -->"),
        ] {
            assert_eq!(read(&body), None, "{body}");
        }
    }
}
