//! Values: the scalars that are edited, finite numbers, and Kubernetes quantities with their unit.
//!
//! What is missing or makes no sense never becomes a number here: `f64::NAN.clamp(1.0, 10.0) as u32` is 0, and a fleet scaled to 0 by a
//! NaN is the fault that these types exist to exclude.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One editable value as it stands in a file or in a cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// A whole number: replicas, a count, a flag's value.
    Integer(i64),
    /// A number with decimals, for cores that stand without a unit: `0.5`.
    Decimal(Decimal),
    /// Text, for values whose unit the author chose: `20m`, `512Mi`, a namespace.
    Text(String),
}

impl Scalar {
    /// The number, where it is one.
    pub fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            Self::Decimal(_) | Self::Text(_) => None,
        }
    }
}

impl From<u32> for Scalar {
    fn from(number: u32) -> Self {
        Self::Integer(i64::from(number))
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(number) => f.pad(&number.to_string()),
            Self::Decimal(number) => f.pad(&number.to_string()),
            Self::Text(text) => f.pad(text),
        }
    }
}

/// A number with decimals that has one spelling, and is the same number to every reader: `0.5`, `1.0`.
///
/// It is not negative and has at most 15 digits, which is what 64 bits keep (IEEE 754). A file that spells it otherwise (`.5`, `0.50`, `5e-1`)
/// is refused rather than read, as an undone edit could not bring its bytes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Decimal(Finite);

/// A number that has no spelling as a [`Decimal`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the number is negative or has more than 15 digits")]
pub struct NotDecimal;

impl Decimal {
    /// Reads a decimal in its one spelling; nothing for every other text.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.')?;
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let short = digits(whole) && digits(fraction) && text.len() <= 16;
        let number: f64 = text.parse().ok().filter(|_| short)?;
        let decimal = Self(Finite::try_from(number).ok()?);
        (decimal.to_string() == text).then_some(decimal)
    }
}

impl TryFrom<f64> for Decimal {
    type Error = NotDecimal;
    fn try_from(number: f64) -> Result<Self, NotDecimal> {
        let finite = Finite::try_from(number).map_err(|_| NotDecimal)?;
        Self::parse(&Self(finite).to_string()).ok_or(NotDecimal)
    }
}

impl From<Decimal> for f64 {
    fn from(number: Decimal) -> Self {
        number.0.get()
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Debug keeps the decimal of a whole number, `1.0`, and so does JSON.
        f.pad(&format!("{:?}", self.0.get()))
    }
}

/// A number that is neither NaN nor infinite.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Finite(f64);

/// A number that was NaN or infinite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the number is not finite")]
pub struct NotFinite;

impl Finite {
    /// Zero.
    pub const ZERO: Self = Self(0.0);

    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Finite {
    type Error = NotFinite;
    fn try_from(number: f64) -> Result<Self, NotFinite> {
        // Adding zero turns -0.0 into 0.0, so that equal numbers have equal bytes.
        if number.is_finite() {
            Ok(Self(number + 0.0))
        } else {
            Err(NotFinite)
        }
    }
}

impl From<Finite> for f64 {
    fn from(number: Finite) -> Self {
        number.0
    }
}

impl Eq for Finite {}

impl PartialOrd for Finite {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Finite {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl fmt::Display for Finite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A Kubernetes quantity that can't be read, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("quantity {text:?}: {why}")]
pub struct InvalidQuantity {
    /// The text as it came in.
    pub text: String,
    /// The rule that it breaks.
    pub why: &'static str,
}

/// CPU in thousandths of a core, as Kubernetes counts it: `500m` is half a core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cores {
    milli: u64,
}

/// Memory in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Bytes(u64);

impl Cores {
    /// Thousandths of a core.
    pub fn milli(self) -> u64 {
        self.milli
    }
}

impl Bytes {
    /// The number of bytes.
    pub fn get(self) -> u64 {
        self.0
    }
}

/// Reads a quantity in thousandths of its unit, rounded up as Kubernetes does (`resource.Quantity.MilliValue`).
///
/// Accepts what apimachinery's `resource.ParseQuantity` accepts: a decimal number with an optional sign of plus, then nothing, a binary
/// suffix (`Ki` to `Ei`), a decimal suffix (`n`, `u`, `m`, `k` to `E`) or an exponent (`e3`, `E-2`). A negative amount makes no sense for
/// capacity and is refused.
pub(super) fn milli_quantity(text: &str) -> Result<u128, InvalidQuantity> {
    let refuse = |why| {
        Err(InvalidQuantity {
            text: text.chars().take(64).collect(),
            why,
        })
    };
    if text.starts_with('-') {
        return refuse("must not be negative");
    }
    let unsigned = text.strip_prefix('+').unwrap_or(text);
    let digits_end = unsigned
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(digits_end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return refuse("must start with a decimal number");
    }
    if whole.len() > 19 || fraction.len() > 9 {
        return refuse("has more digits than Kubernetes keeps");
    }
    let digits: u128 = format!("0{whole}{fraction}").parse().map_err(|_| InvalidQuantity {
        text: text.chars().take(64).collect(),
        why: "must start with a decimal number",
    })?;
    let shift = -i32::try_from(fraction.len()).unwrap_or(0);
    let (binary, decimal): (u32, i32) = match suffix {
        "" => (0, 0),
        "Ki" => (10, 0),
        "Mi" => (20, 0),
        "Gi" => (30, 0),
        "Ti" => (40, 0),
        "Pi" => (50, 0),
        "Ei" => (60, 0),
        "n" => (0, -9),
        "u" => (0, -6),
        "m" => (0, -3),
        "k" => (0, 3),
        "M" => (0, 6),
        "G" => (0, 9),
        "T" => (0, 12),
        "P" => (0, 15),
        "E" => (0, 18),
        exponent => match exponent
            .strip_prefix(['e', 'E'])
            .and_then(|power| power.parse::<i32>().ok())
        {
            Some(power) if (-18..=18).contains(&power) => (0, power),
            _ => {
                return refuse(
                    "has a suffix that is none of n, u, m, k, M, G, T, P, E, Ki, Mi, Gi, Ti, Pi, Ei or an exponent",
                );
            }
        },
    };
    let exponent = shift + decimal + 3;
    let scaled = match digits.checked_mul(1u128 << binary) {
        Some(scaled) => scaled,
        None => return refuse("is too large"),
    };
    let power = 10u128.pow(exponent.unsigned_abs());
    if exponent >= 0 {
        scaled.checked_mul(power).map_or_else(|| refuse("is too large"), Ok)
    } else {
        Ok(scaled.div_ceil(power))
    }
}

impl TryFrom<String> for Cores {
    type Error = InvalidQuantity;
    fn try_from(text: String) -> Result<Self, InvalidQuantity> {
        let milli = milli_quantity(&text)?;
        u64::try_from(milli)
            .map(|milli| Self { milli })
            .map_err(|_| InvalidQuantity {
                text,
                why: "is too large",
            })
    }
}

impl TryFrom<String> for Bytes {
    type Error = InvalidQuantity;
    fn try_from(text: String) -> Result<Self, InvalidQuantity> {
        let bytes = milli_quantity(&text)?.div_ceil(1000);
        u64::try_from(bytes).map(Self).map_err(|_| InvalidQuantity {
            text,
            why: "is too large",
        })
    }
}

impl From<Cores> for String {
    fn from(cores: Cores) -> Self {
        cores.to_string()
    }
}

impl From<Bytes> for String {
    fn from(bytes: Bytes) -> Self {
        bytes.to_string()
    }
}

impl fmt::Display for Cores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.milli.is_multiple_of(1000) {
            write!(f, "{}", self.milli / 1000)
        } else {
            write!(f, "{}m", self.milli)
        }
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = ["Ei", "Pi", "Ti", "Gi", "Mi", "Ki"];
        for (unit, bits) in units.iter().zip((1..=6u32).rev().map(|power| power * 10)) {
            if self.0 != 0 && self.0.is_multiple_of(1 << bits) {
                return write!(f, "{}{unit}", self.0 >> bits);
            }
        }
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cores(text: &str) -> Option<u64> {
        Cores::try_from(text.to_owned()).ok().map(Cores::milli)
    }

    fn bytes(text: &str) -> Option<u64> {
        Bytes::try_from(text.to_owned()).ok().map(Bytes::get)
    }

    #[test]
    fn a_decimal_has_one_spelling() {
        for good in ["0.5", "1.0", "0.0", "0.25", "10.75", "0.001", "123456789.5"] {
            let decimal = Decimal::parse(good).map(|decimal| decimal.to_string());
            assert_eq!(decimal.as_deref(), Some(good));
            let scalar: Scalar = serde_json::from_str(good).unwrap();
            assert_eq!(scalar, Scalar::Decimal(Decimal::parse(good).unwrap()));
            assert_eq!(serde_json::to_string(&scalar).unwrap(), good);
        }
        for bad in [
            "",
            ".",
            "5",
            ".5",
            "5.",
            "0.50",
            "00.5",
            "-0.5",
            "+0.5",
            "1e3",
            "1.5e3",
            "1.2.3",
            "0.5m",
            "0x1.8",
            "1_0.5",
            "0.000001",
            "0.1234567890123456",
            "inf",
            "NaN",
            "1.0 ",
        ] {
            assert_eq!(Decimal::parse(bad), None, "{bad}");
        }
        for bad in ["-0.5", "0.000001", "1e300"] {
            assert!(serde_json::from_str::<Scalar>(bad).is_err(), "{bad}");
        }
        assert_eq!(serde_json::from_str::<Scalar>("1").unwrap(), Scalar::Integer(1));
        assert_eq!(
            serde_json::from_str::<Scalar>("\"0.5\"").unwrap(),
            Scalar::Text("0.5".to_owned())
        );
    }

    #[test]
    fn quantities_are_read_as_kubernetes_reads_them() {
        let cpu: &[(&str, Option<u64>)] = &[
            ("2", Some(2000)),
            ("500m", Some(500)),
            ("1.5", Some(1500)),
            (".5", Some(500)),
            ("0.0001", Some(1)),
            ("100u", Some(1)),
            ("1e3", Some(1_000_000)),
            ("+4", Some(4000)),
            ("0", Some(0)),
            ("-1", None),
            ("", None),
            (".", None),
            ("1.2.3", None),
            ("4 cores", None),
            ("1e99", None),
            ("NaN", None),
            ("99999999999999999999", None),
        ];
        for (text, want) in cpu {
            assert_eq!(cores(text), *want, "{text}");
        }
        let memory: &[(&str, Option<u64>)] = &[
            ("128974848", Some(128_974_848)),
            ("129e6", Some(129_000_000)),
            ("129M", Some(129_000_000)),
            ("123Mi", Some(123 << 20)),
            ("1.5Gi", Some(3 << 29)),
            ("128974848000m", Some(128_974_848)),
            ("1n", Some(1)),
            ("16Ei", None),
            ("7Ei", Some(7 << 60)),
            ("1Zi", None),
        ];
        for (text, want) in memory {
            assert_eq!(bytes(text), *want, "{text}");
        }
    }

    #[test]
    fn quantities_are_written_in_their_largest_whole_unit() {
        assert_eq!(Cores::try_from("1500m".to_owned()).unwrap().to_string(), "1500m");
        assert_eq!(Cores::try_from("2000m".to_owned()).unwrap().to_string(), "2");
        assert_eq!(Bytes::try_from("2048Mi".to_owned()).unwrap().to_string(), "2Gi");
        assert_eq!(Bytes::try_from("1500M".to_owned()).unwrap().to_string(), "1500000000");
    }

    #[test]
    fn a_number_that_is_not_finite_is_refused_at_the_border() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Finite::try_from(bad), Err(NotFinite));
        }
        assert_eq!(Finite::try_from(-0.0).unwrap().get().to_bits(), 0.0f64.to_bits());
        assert!(serde_yaml::from_str::<Finite>(".nan").is_err());
    }
}
