//! Lengths of time as people write them in Kubernetes manifests: `4h`, `1h30m`, `7d`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// A length of time in whole seconds, from zero to ten years.
///
/// It is read in the form of Go's `time.ParseDuration`, which Kubernetes uses for `metav1.Duration`, with two differences. There is no sign, no
/// fraction and nothing shorter than a second, because no policy means one. And there is `d`, which Go lacks: metric windows of `7d` are
/// spelled so in Prometheus. A day is always 24 hours here, also when the clock changes: windows count elapsed time, not calendar days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Duration(u64);

/// A text that is not a length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("duration {text:?}: {why}")]
pub struct InvalidDuration {
    /// The text as it came in.
    pub text: String,
    /// What is wrong with it, and what would be right.
    pub why: &'static str,
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Longer than any window or cooldown that makes sense, and far from every overflow.
const LONGEST: u64 = 3650 * DAY;

impl Duration {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A number of minutes.
    pub const fn minutes(count: u32) -> Self {
        Self(count as u64 * MINUTE)
    }

    /// A number of hours.
    pub const fn hours(count: u32) -> Self {
        Self(count as u64 * HOUR)
    }

    /// The number of seconds.
    pub const fn as_secs(self) -> u64 {
        self.0
    }

    /// The same as jiff's type, for arithmetic with timestamps.
    pub const fn to_signed(self) -> SignedDuration {
        // LONGEST is far below `i64::MAX`.
        SignedDuration::from_secs(self.0 as i64)
    }

    /// Whether it is no time at all.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl FromStr for Duration {
    type Err = InvalidDuration;

    fn from_str(text: &str) -> Result<Self, InvalidDuration> {
        let refuse = |why| {
            Err(InvalidDuration {
                text: text.chars().take(40).collect(),
                why,
            })
        };
        if text == "0" {
            return Ok(Self::ZERO);
        }
        if text.is_empty() {
            return refuse("must not be empty; write for example `10m`, `4h` or `7d`");
        }
        if text.starts_with(['-', '+']) {
            return refuse("must not have a sign");
        }
        if text.contains(['.', ',']) {
            return refuse("must be in whole units: `1h30m`, not `1.5h`");
        }
        let mut rest = text;
        let mut last_unit = u64::MAX;
        let mut total = 0_u64;
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (number, after) = rest.split_at(digits);
            let letters = after.bytes().take_while(|b| !b.is_ascii_digit()).count();
            let Ok(number) = number.parse::<u64>() else {
                return refuse("must be numbers with units, such as `10m`, `1h30m` or `7d`");
            };
            // `letters` counts up to an ASCII digit or the end, both of which are character borders.
            let (unit, after) = after.split_at(letters);
            let unit = match unit {
                "d" => DAY,
                "h" => HOUR,
                "m" => MINUTE,
                "s" => 1,
                "" => return refuse("must have a unit: `s`, `m`, `h` or `d`"),
                "ms" | "us" | "µs" | "ns" => return refuse("must not be finer than a second"),
                "w" => return refuse("must use the units `s`, `m`, `h` or `d`: write `7d` for a week"),
                _ => return refuse("must use the units `s`, `m`, `h` or `d`"),
            };
            if unit >= last_unit {
                return refuse("must name each unit once, the largest first: `1h30m`");
            }
            last_unit = unit;
            let Some(sum) = number
                .checked_mul(unit)
                .and_then(|part| total.checked_add(part))
                .filter(|sum| *sum <= LONGEST)
            else {
                return refuse("must not be longer than 3650d");
            };
            total = sum;
            rest = after;
        }
        Ok(Self(total))
    }
}

impl TryFrom<String> for Duration {
    type Error = InvalidDuration;

    fn try_from(text: String) -> Result<Self, InvalidDuration> {
        text.parse()
    }
}

impl From<Duration> for String {
    fn from(duration: Duration) -> Self {
        duration.to_string()
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(mut rest) = *self;
        if rest == 0 {
            return f.pad("0s");
        }
        let mut text = String::new();
        for (unit, letter) in [(DAY, 'd'), (HOUR, 'h'), (MINUTE, 'm'), (1, 's')] {
            // `24h` is said as people say it: a single day stays in hours.
            let count = if unit == DAY && rest == DAY { 0 } else { rest / unit };
            if count > 0 {
                text.push_str(&count.to_string());
                text.push(letter);
                rest -= count * unit;
            }
        }
        f.pad(&text)
    }
}

impl schemars::JsonSchema for Duration {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A length of time in whole units, the largest first: `10m`, `1h30m`, `7d` (a day is 24 hours).",
            "pattern": "^(0|(?=[0-9])([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?)$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_read_and_written_in_the_form_of_kubernetes() {
        for (text, seconds, written) in [
            ("0", 0, "0s"),
            ("0s", 0, "0s"),
            ("10m", 600, "10m"),
            ("1h30m", 5400, "1h30m"),
            ("90m", 5400, "1h30m"),
            ("24h", 86_400, "24h"),
            ("1d", 86_400, "24h"),
            ("7d", 604_800, "7d"),
            ("1d12h", 129_600, "1d12h"),
            ("3650d", 315_360_000, "3650d"),
        ] {
            let duration: Duration = text.parse().unwrap();
            assert_eq!(duration.as_secs(), seconds, "{text}");
            assert_eq!(duration.to_string(), written, "{text}");
            assert_eq!(written.parse::<Duration>().unwrap(), duration, "{text}");
        }
    }

    #[test]
    fn what_is_not_a_whole_length_of_time_is_refused_with_the_way_out() {
        for (text, why) in [
            ("", "write for example"),
            ("-4h", "sign"),
            ("1.5h", "`1h30m`, not `1.5h`"),
            ("10", "must have a unit"),
            ("h", "numbers with units"),
            ("100ms", "finer than a second"),
            ("1w", "write `7d`"),
            ("30m1h", "the largest first"),
            ("1h1h", "once"),
            ("1h 30m", "units"),
            ("3651d", "3650d"),
            ("99999999999999999999d", "numbers"),
            ("9999999999999999999d", "3650d"),
            ("1å", "units"),
        ] {
            let error = text.parse::<Duration>().unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
