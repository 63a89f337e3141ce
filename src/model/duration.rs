//! A length of time in whole seconds, written as Kubernetes writes it: `90s`, `10m`, `1h30m`, and `7d` for seven times 24 hours.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A length of time in whole seconds. It is never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Duration {
    seconds: u32,
}

/// A text that is no duration, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("duration {text:?}: {why}; write it like `10m`, `1h30m` or `7d` (a day is 24 hours)")]
pub struct InvalidDuration {
    /// The text as it came in.
    pub text: String,
    /// The rule that it breaks.
    pub why: &'static str,
}

const UNITS: [(char, u32); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

impl Duration {
    /// No time at all.
    pub const ZERO: Self = Self { seconds: 0 };

    /// A number of seconds.
    pub const fn from_seconds(seconds: u32) -> Self {
        Self { seconds }
    }

    /// A number of minutes.
    pub const fn from_minutes(minutes: u32) -> Self {
        Self { seconds: minutes * 60 }
    }

    /// A number of hours.
    pub const fn from_hours(hours: u32) -> Self {
        Self { seconds: hours * 3_600 }
    }

    /// Its length in seconds.
    pub fn seconds(self) -> u32 {
        self.seconds
    }

    /// The same length for calendar arithmetic.
    pub fn signed(self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.seconds))
    }

    /// The same length for deadlines.
    pub fn standard(self) -> std::time::Duration {
        std::time::Duration::from_secs(self.seconds.into())
    }

    /// The instant that lies this long after another; the end of time if there is none.
    pub fn after(self, instant: Timestamp) -> Timestamp {
        instant.checked_add(self.signed()).unwrap_or(Timestamp::MAX)
    }

    /// The instant that lies this long before another; the beginning of time if there is none.
    pub fn before(self, instant: Timestamp) -> Timestamp {
        instant.checked_sub(self.signed()).unwrap_or(Timestamp::MIN)
    }
}

impl FromStr for Duration {
    type Err = InvalidDuration;
    fn from_str(text: &str) -> Result<Self, InvalidDuration> {
        let refuse = |why| {
            Err(InvalidDuration {
                text: text.chars().take(64).collect(),
                why,
            })
        };
        if text == "0" {
            return Ok(Self::ZERO);
        }
        let (mut total, mut rest, mut smallest) = (0u32, text, u32::MAX);
        if rest.is_empty() {
            return refuse("must not be empty");
        }
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let Ok(number) = rest[..digits].parse::<u32>() else {
                return refuse("expected a whole number before each unit");
            };
            let Some(unit) = rest[digits..].chars().next() else {
                return refuse("the unit is missing");
            };
            let Some((_, seconds)) = UNITS.iter().find(|(letter, _)| *letter == unit) else {
                return refuse("the units are d, h, m and s");
            };
            if *seconds >= smallest {
                return refuse("units must go from large to small, each at most once");
            }
            smallest = *seconds;
            let Some(sum) = number.checked_mul(*seconds).and_then(|part| total.checked_add(part)) else {
                return refuse("is too long");
            };
            total = sum;
            rest = &rest[digits + unit.len_utf8()..];
        }
        Ok(Self { seconds: total })
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
    /// Days only from two whole days up, so that `24h` and `36h` stay what people call them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = self.seconds;
        if left == 0 {
            return f.pad("0s");
        }
        let mut text = String::new();
        let days_too = left.is_multiple_of(86_400) && left >= 2 * 86_400;
        for (letter, seconds) in UNITS.iter().skip(usize::from(!days_too)) {
            if left >= *seconds {
                text.push_str(&format!("{}{letter}", left / seconds));
                left %= seconds;
            }
        }
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_and_write_like_kubernetes() {
        for (text, seconds, back) in [
            ("10m", 600, "10m"),
            ("1h30m", 5400, "1h30m"),
            ("24h", 86_400, "24h"),
            ("1d", 86_400, "24h"),
            ("7d", 604_800, "7d"),
            ("36h", 129_600, "36h"),
            ("0", 0, "0s"),
            ("0s", 0, "0s"),
            ("90s", 90, "1m30s"),
        ] {
            let duration: Duration = text.parse().unwrap();
            assert_eq!(
                (duration.seconds(), duration.to_string().as_str()),
                (seconds, back),
                "{text}"
            );
        }
        for bad in [
            "",
            "10",
            "m",
            "-1m",
            "1.5h",
            "1w",
            "1m1h",
            "1m1m",
            "1h 30m",
            "99999999d",
            "ten",
        ] {
            assert!(bad.parse::<Duration>().is_err(), "{bad}");
        }
    }
}
