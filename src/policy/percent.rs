//! Percentages as people write them: `75%`, `99.5%`.

use std::fmt;
use std::str::FromStr;

use crate::model::Finite;

/// A percentage in tenths of a point, from `0%` to `1000%`.
///
/// It is written with its sign and in no other way. `0.95` and `95` are refused, because each is what somebody means who means the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent {
    tenths: u16,
}

/// A text that is not a percentage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("percentage {text:?}: {why}")]
pub struct InvalidPercent {
    /// The text as it came in.
    pub text: String,
    /// What is wrong with it, and what would be right.
    pub why: String,
}

impl Percent {
    /// A whole percentage. Only for constants: values above 1000 stop the build.
    pub const fn of(points: u16) -> Self {
        assert!(points <= 1000, "a percentage above 1000%");
        Self { tenths: points * 10 }
    }

    /// Tenths of a point: 755 for `75.5%`.
    pub const fn tenths(self) -> u16 {
        self.tenths
    }

    /// The same as a share: 0.755 for `75.5%`.
    pub fn share(self) -> Finite {
        Finite::try_from(f64::from(self.tenths) / 1000.0).unwrap_or(Finite::ZERO)
    }

    /// This share of a count, rounded up: at least one of anything, unless the percentage is zero.
    ///
    /// `10%` of 3 nodes is 1 node. Rounded down, a small fleet could never change at all.
    pub fn of_count(self, count: u32) -> u32 {
        if self.tenths == 0 {
            return 0;
        }
        let tenths = u64::from(count) * u64::from(self.tenths);
        u32::try_from(tenths.div_ceil(1000)).unwrap_or(u32::MAX).max(1)
    }

    /// This many points less, not below zero.
    pub const fn minus_points(self, points: u16) -> Self {
        Self {
            tenths: self.tenths.saturating_sub(points.saturating_mul(10)),
        }
    }
}

impl FromStr for Percent {
    type Err = InvalidPercent;

    fn from_str(text: &str) -> Result<Self, InvalidPercent> {
        let refuse = |why: String| {
            Err(InvalidPercent {
                text: text.chars().take(40).collect(),
                why,
            })
        };
        let Some(number) = text.strip_suffix('%') else {
            return refuse(match (text.parse::<f64>(), text.split_once('.')) {
                (Ok(share), Some(_)) if (0.0..=1.0).contains(&share) => {
                    format!(
                        "a share is ambiguous here; write it with a sign: `{}%`",
                        round(share * 100.0)
                    )
                }
                (Ok(points), _) if (0.0..=1000.0).contains(&points) => {
                    format!("the sign is missing; write `{text}%`")
                }
                _ => "expected a number and a sign, such as `75%`".to_owned(),
            });
        };
        let (whole, decimal) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(decimal) || whole.len() > 4 {
            return refuse("expected a number and a sign, such as `75%` or `99.5%`".to_owned());
        }
        if decimal.len() > 1 {
            return refuse("more than one decimal makes no difference to any decision; write `99.5%`".to_owned());
        }
        let points: u16 = whole.parse().unwrap_or(u16::MAX);
        let tenths = points.saturating_mul(10).saturating_add(decimal.parse().unwrap_or(0));
        if tenths > 10_000 {
            return refuse("must not be above `1000%`".to_owned());
        }
        Ok(Self { tenths })
    }
}

/// For the advice in an error only.
fn round(points: f64) -> String {
    let text = format!("{points:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tenths } = self;
        match tenths % 10 {
            0 => write!(f, "{}%", tenths / 10),
            decimal => write!(f, "{}.{decimal}%", tenths / 10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_has_its_sign() {
        for (text, tenths) in [
            ("95%", 950),
            ("0%", 0),
            ("100%", 1000),
            ("99.5%", 995),
            ("1000%", 10_000),
            ("07%", 70),
        ] {
            assert_eq!(text.parse::<Percent>().unwrap().tenths(), tenths, "{text}");
        }
        assert_eq!("99.5%".parse::<Percent>().unwrap().to_string(), "99.5%");
        assert_eq!(Percent::of(75).share().get(), 0.75);
    }

    #[test]
    fn what_could_mean_two_things_is_refused_with_the_way_out() {
        for (text, why) in [
            ("0.95", "write it with a sign: `95%`"),
            ("1.0", "`100%`"),
            ("95", "write `95%`"),
            ("1", "write `1%`"),
            ("", "such as `75%`"),
            ("-5%", "such as `75%`"),
            ("%", "such as `75%`"),
            ("9.99%", "one decimal"),
            ("1000.1%", "1000%"),
            ("99999%", "such as `75%`"),
            ("95 %", "such as `75%`"),
            ("ninety", "such as `75%`"),
            ("5%%", "such as `75%`"),
        ] {
            let error = text.parse::<Percent>().unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn a_share_of_nodes_is_at_least_one() {
        assert_eq!(Percent::of(10).of_count(3), 1);
        assert_eq!(Percent::of(10).of_count(11), 2);
        assert_eq!(Percent::of(100).of_count(7), 7);
        assert_eq!(Percent::of(10).of_count(0), 1);
        assert_eq!(Percent::of(0).of_count(1000), 0);
        assert_eq!(Percent::of(1000).of_count(u32::MAX), u32::MAX);
    }
}
