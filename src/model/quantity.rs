//! Amounts as their author wrote them: Kubernetes quantities and Go durations, compared as numbers and spelled in the author's unit.

use std::cmp::Ordering;

use super::scalar::{InvalidQuantity, milli_quantity};

/// A Kubernetes quantity: cores, bytes. Equal amounts are equal, however they are spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity {
    /// Thousandths of the unit, rounded up (`resource.Quantity.MilliValue`).
    milli: u128,
}

/// The binary and the decimal units in thousandths, each family from the largest.
const BINARY: [(&str, u128); 8] = [
    ("Ei", 1_000 << 60),
    ("Pi", 1_000 << 50),
    ("Ti", 1_000 << 40),
    ("Gi", 1_000 << 30),
    ("Mi", 1_000 << 20),
    ("Ki", 1_000 << 10),
    ("", 1_000),
    ("m", 1),
];
const DECIMAL: [(&str, u128); 7] = [
    ("E", 1_000_000_000_000_000_000_000),
    ("P", 1_000_000_000_000_000_000),
    ("T", 1_000_000_000_000_000),
    ("G", 1_000_000_000_000),
    ("M", 1_000_000_000),
    ("k", 1_000_000),
    ("m", 1),
];

impl Quantity {
    /// Reads a quantity as Kubernetes does.
    pub fn parse(text: &str) -> Result<Self, InvalidQuantity> {
        milli_quantity(text).map(|milli| Self { milli })
    }

    /// So many thousandths of a core, or bytes.
    pub fn from_milli(milli: u128) -> Self {
        Self { milli }
    }

    /// The amount in the unit of another spelling: `Mi` stays `Mi`. What is no whole number there gets the next smaller unit; a number
    /// without a unit stays one, with decimals if need be.
    pub fn spelled_like(self, author: &str) -> String {
        let unit = author.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '+' | '-'));
        let from = |units: &[(&'static str, u128)]| {
            let at = units.iter().position(|(name, _)| *name == unit && !unit.is_empty())?;
            let (name, size) = units[at..].iter().find(|(_, size)| self.milli.is_multiple_of(*size))?;
            Some(format!("{}{name}", self.milli / size))
        };
        from(&BINARY).or_else(|| from(&DECIMAL)).unwrap_or_else(|| {
            let (whole, rest) = (self.milli / 1_000, self.milli % 1_000);
            let decimals = format!("{whole}.{rest:03}");
            decimals.trim_end_matches('0').trim_end_matches('.').to_owned()
        })
    }
}

/// A length of time as Go writes it: `20m`, `1h30m`, `1.5s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct GoDuration {
    nanoseconds: u128,
}

/// Go's units from the largest (`time.ParseDuration`).
const TIMES: [(&str, u128); 8] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ns", 1),
];

impl GoDuration {
    /// Reads a duration; nothing for what Go would not take, for a negative one, and for fractions of a nanosecond.
    pub fn parse(text: &str) -> Option<Self> {
        let mut nanoseconds = 0_u128;
        let mut rest = text;
        if rest == "0" {
            return Some(Self { nanoseconds });
        }
        while !rest.is_empty() {
            let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit() && c != '.')?);
            let (unit, after) = after.split_at(
                after
                    .find(|c: char| c.is_ascii_digit() || c == '.')
                    .unwrap_or(after.len()),
            );
            let (_, size) = TIMES.iter().find(|(name, _)| *name == unit)?;
            let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
            if number.len() > 15 || (whole.is_empty() && fraction.is_empty()) {
                return None;
            }
            let digits: u128 = format!("0{whole}{fraction}").parse().ok()?;
            let scale = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
            let part = digits.checked_mul(*size)?;
            if !part.is_multiple_of(scale) {
                return None;
            }
            nanoseconds = nanoseconds.checked_add(part / scale)?;
            rest = after;
        }
        (!text.is_empty()).then_some(Self { nanoseconds })
    }

    /// So many seconds.
    pub fn from_seconds(seconds: u32) -> Self {
        let nanoseconds = u128::from(seconds) * 1_000_000_000;
        Self { nanoseconds }
    }

    /// The length in the largest unit of another spelling: `20m` stays minutes. What is no whole number there gets the next smaller unit.
    pub fn spelled_like(self, author: &str) -> String {
        let unit = author.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let unit = unit
            .split(|c: char| c.is_ascii_digit() || c == '.')
            .next()
            .unwrap_or_default();
        let at = TIMES.iter().position(|(name, _)| *name == unit).unwrap_or(2);
        let whole = TIMES[at..]
            .iter()
            .find(|(_, size)| self.nanoseconds.is_multiple_of(*size));
        let (name, size) = whole.unwrap_or(&("ns", 1));
        format!("{}{name}", self.nanoseconds / size)
    }
}

/// Compares two spellings of one kind of amount; nothing if they are not both of it.
pub fn compare_amounts(one: &str, other: &str) -> Option<Ordering> {
    match (Quantity::parse(one), Quantity::parse(other)) {
        (Ok(one), Ok(other)) => Some(one.cmp(&other)),
        _ => Some(GoDuration::parse(one)?.cmp(&GoDuration::parse(other)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_keeps_its_authors_unit_while_it_is_whole_there() {
        for (wanted, author, spelled) in [
            ("1Gi", "512Mi", "1024Mi"),
            ("1536Mi", "1Gi", "1536Mi"),
            ("2Gi", "1.5Gi", "2Gi"),
            ("1000", "1Ki", "1000"),
            ("0.5", "250m", "500m"),
            ("2", "500m", "2000m"),
            ("1500m", "2", "1.5"),
            ("2", "0.5", "2"),
            ("250m", "0.5", "0.25"),
            ("1G", "500M", "1000M"),
            ("1Gi", "1G", "1073741824000m"),
            ("3k", "1E", "3k"),
            ("7", "1e3", "7"),
            ("1500m", "1Ki", "1500m"),
        ] {
            assert_eq!(
                Quantity::parse(wanted).unwrap().spelled_like(author),
                spelled,
                "{wanted} like {author}"
            );
            assert_eq!(
                compare_amounts(wanted, spelled),
                Some(Ordering::Equal),
                "{wanted} {spelled}"
            );
        }
        assert_eq!(Quantity::from_milli(1_500).spelled_like("1"), "1.5");
    }

    #[test]
    fn a_duration_keeps_its_authors_unit_while_it_is_whole_there() {
        for (wanted, author, spelled) in [
            ("20m", "10m", "20m"),
            ("1h", "10m", "60m"),
            ("90s", "10m", "90s"),
            ("90m", "1h", "90m"),
            ("2h", "1h30m", "2h"),
            ("1.5s", "10s", "1500ms"),
            ("1m30s", "5m", "90s"),
            ("1ns", "1h", "1ns"),
        ] {
            assert_eq!(
                GoDuration::parse(wanted).unwrap().spelled_like(author),
                spelled,
                "{wanted} like {author}"
            );
        }
        assert_eq!(GoDuration::from_seconds(1_200).spelled_like("10m"), "20m");
        for bad in ["", "10", "m", "-1m", "1d", "1 m", "1..5s", "0.1ns", "9999999999999999h"] {
            assert_eq!(GoDuration::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn amounts_are_compared_as_numbers() {
        for (one, other, order) in [
            ("1Gi", "1024Mi", Some(Ordering::Equal)),
            ("500m", "0.5", Some(Ordering::Equal)),
            ("1G", "1Gi", Some(Ordering::Less)),
            ("2", "10", Some(Ordering::Less)),
            ("1h", "60m0s", Some(Ordering::Equal)),
            ("90s", "1m", Some(Ordering::Greater)),
            ("1Gi", "1h", None),
            ("x", "1", None),
        ] {
            assert_eq!(compare_amounts(one, other), order, "{one} {other}");
        }
    }
}
