//! The annotation `fleetscale.io/hold`, by which a person holds one object in Git.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::model::HoldAnnotation;

/// The annotation's key.
pub const HOLD_ANNOTATION: &str = "fleetscale.io/hold";

/// Reads the annotation's value: `<reason>[; until=<time>]`.
///
/// The time is RFC 3339 (`2026-12-24T18:00:00+01:00`) or a date, which ends the hold when that day ends in UTC. A time that can't be read
/// holds for ever and the reason says so: a typing mistake must not let a held object go. An empty value holds, too.
pub fn parse_hold(text: &str) -> HoldAnnotation {
    // The reason may hold semicolons of its own.
    let starts = std::iter::once(0).chain(text.match_indices(';').map(|(at, _)| at + 1));
    let end = starts
        .into_iter()
        .find(|start| text[*start..].trim_start().starts_with("until"));
    let (reason, rest) = match end {
        Some(start) => (text[..start].trim_end_matches(';').trim(), text[start..].trim()),
        None => (text.trim().trim_end_matches(';').trim(), ""),
    };
    let reason = if reason.is_empty() { "no reason given" } else { reason };
    if rest.is_empty() {
        return HoldAnnotation {
            reason: reason.to_owned(),
            until: None,
        };
    }
    match rest
        .strip_prefix("until")
        .map(str::trim_start)
        .and_then(|rest| rest.strip_prefix('='))
        .map(str::trim)
    {
        Some(time) => match end_of(time) {
            Some(until) => HoldAnnotation {
                reason: reason.to_owned(),
                until: Some(until),
            },
            None => HoldAnnotation {
                reason: format!(
                    "{reason} (until={time} is no time such as 2026-12-24 or 2026-12-24T18:00:00Z: held without end)"
                ),
                until: None,
            },
        },
        // No `until` follows: the semicolon is the author's own.
        None => HoldAnnotation {
            reason: text.trim().to_owned(),
            until: None,
        },
    }
}

fn end_of(time: &str) -> Option<Timestamp> {
    if let Ok(at) = time.parse::<Timestamp>() {
        return Some(at);
    }
    // jiff reads a date at the head of longer texts, too.
    if time.len() != "2026-12-24".len() {
        return None;
    }
    let day: Date = time.parse().ok()?;
    let next = day.tomorrow().ok()?;
    next.to_zoned(jiff::tz::TimeZone::UTC)
        .ok()
        .map(|midnight| midnight.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_ends_when_it_says_and_a_broken_end_never_comes() {
        for (text, reason, until) in [
            ("migration", "migration", None),
            ("  migration of CHG-12  ", "migration of CHG-12", None),
            (
                "migration; until=2026-12-24T18:00:00Z",
                "migration",
                Some("2026-12-24T18:00:00Z"),
            ),
            (
                "migration;until=2026-12-24T18:00:00+01:00",
                "migration",
                Some("2026-12-24T17:00:00Z"),
            ),
            (
                "migration; until = 2026-12-24",
                "migration",
                Some("2026-12-25T00:00:00Z"),
            ),
            ("; until=2026-12-24", "no reason given", Some("2026-12-25T00:00:00Z")),
            ("", "no reason given", None),
            ("two; things", "two; things", None),
            (
                "two; things; until=2026-12-24",
                "two; things",
                Some("2026-12-25T00:00:00Z"),
            ),
            ("until=2026-12-24", "no reason given", Some("2026-12-25T00:00:00Z")),
            ("until the move is over", "until the move is over", None),
        ] {
            let until = until.map(|time| time.parse().unwrap());
            assert_eq!(
                parse_hold(text),
                HoldAnnotation {
                    reason: reason.to_owned(),
                    until
                },
                "{text}"
            );
        }
        for text in [
            "a; until=",
            "a; until=soon",
            "a; until=2026-02-30",
            "a; until=24.12.2026",
            "a; until=2026-12-24T18:00:00",
            "a; until=2026-12-24 18:00",
            "a; until=2026-12-24; until=2027-12-24",
            "a; until=2026-12-24; or so",
        ] {
            let hold = parse_hold(text);
            assert_eq!(hold.until, None, "{text}");
            assert!(
                hold.reason.starts_with("a (until=") && hold.reason.ends_with("held without end)"),
                "{}",
                hold.reason
            );
        }
    }
}
