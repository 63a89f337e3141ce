//! A measured value with its grade.
//!
//! Whatever comes in as NaN, infinite or negative is graded here and loses its value, so that nothing behind this border can compute with
//! it.

use std::fmt;

use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::scalar::Finite;

/// How far an input may be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// Recent and complete.
    Fresh,
    /// Its newest sample is too old.
    Stale,
    /// Nothing was returned.
    Missing,
    /// Some nodes or samples are missing.
    Partial,
    /// A value that makes no sense: NaN, infinite, negative, a percentage where a share was expected, from the future.
    Invalid,
    /// Plausible alone, but not together with the rest: a whole region at zero at once.
    Suspect,
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Fresh => "fresh",
            Self::Stale => "stale",
            Self::Missing => "missing",
            Self::Partial => "partial",
            Self::Invalid => "invalid",
            Self::Suspect => "suspect",
        })
    }
}

/// How many of the nodes that should have reported did so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NodesSeen {
    /// Nodes with samples.
    pub seen: u32,
    /// Ready nodes, which all should have samples.
    pub expected: u32,
}

/// One measured value, and what is known about its worth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "RawMeasurement", rename_all = "camelCase")]
pub struct Measurement {
    /// The value; nothing when there is none to be had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Finite>,
    /// What the observer thought of it. Its age is judged again at the time of the decision.
    pub grade: Grade,
    /// The time of its newest sample.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The share of the window's expected samples that were there, 0 to 1; nothing where the source has no window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coverage: Option<Finite>,
    /// The nodes behind it; nothing where it is not about nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nodes: Option<NodesSeen>,
    /// Why it is not fresh. Hostile until escaped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

impl Measurement {
    /// A value that was not to be had.
    pub fn missing(cause: impl Into<String>) -> Self {
        Self {
            value: None,
            grade: Grade::Missing,
            at: None,
            coverage: None,
            nodes: None,
            cause: Some(cause.into()),
        }
    }
}

/// A measurement as files spell it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RawMeasurement {
    value: Option<RawNumber>,
    grade: Option<Grade>,
    at: Option<Timestamp>,
    coverage: Option<RawNumber>,
    nodes: Option<NodesSeen>,
    cause: Option<String>,
}

/// JSON has no NaN, so Prometheus and we spell it as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum RawNumber {
    Number(f64),
    Text(String),
    /// What is neither.
    Other(IgnoredAny),
}

impl RawNumber {
    fn read(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.parse().ok(),
            Self::Other(IgnoredAny) => None,
        }
    }
}

impl From<RawMeasurement> for Measurement {
    /// It never fails: what can't be used becomes a grade with a cause, because a snapshot with one broken value must still be read.
    fn from(raw: RawMeasurement) -> Self {
        let RawMeasurement {
            value,
            grade,
            at,
            coverage,
            nodes,
            cause,
        } = raw;
        let usable = |raw: &RawNumber| {
            raw.read()
                .and_then(|number| Finite::try_from(number).ok())
                .filter(|number| *number >= Finite::ZERO)
        };
        let mut measurement = Self {
            value: None,
            grade: grade.unwrap_or(Grade::Fresh),
            at,
            coverage: None,
            nodes,
            cause,
        };
        let mut degrade = |grade: Grade, why: &str| {
            if measurement.grade == Grade::Fresh {
                measurement.grade = grade;
            }
            measurement.cause.get_or_insert_with(|| why.to_owned());
        };
        match &value {
            None => degrade(Grade::Missing, "no value"),
            Some(raw) => match usable(raw) {
                Some(number) => measurement.value = Some(number),
                None => degrade(Grade::Invalid, "the value is not a number of at least 0"),
            },
        }
        if let Some(raw) = &coverage {
            match usable(raw).filter(|share| share.get() <= 1.0) {
                Some(share) => measurement.coverage = Some(share),
                None => {
                    measurement.value = None;
                    measurement.grade = Grade::Invalid;
                    measurement
                        .cause
                        .get_or_insert_with(|| "the coverage is not a share between 0 and 1".to_owned());
                }
            }
        }
        measurement
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Measurement {
        serde_yaml::from_str(text).unwrap()
    }

    #[test]
    fn a_value_that_makes_no_sense_is_graded_and_loses_its_value() {
        for text in [
            "{value: .nan}",
            "{value: .inf}",
            "{value: -.inf}",
            "{value: -0.1}",
            "{value: NaN}",
            "{value: '+Inf'}",
            "{value: ten}",
        ] {
            let measurement = read(text);
            assert_eq!((measurement.value, measurement.grade), (None, Grade::Invalid), "{text}");
            assert!(measurement.cause.is_some(), "{text}");
        }
        assert_eq!(read("{value: 0.5, coverage: 1.5}").value, None);
    }

    #[test]
    fn an_absent_value_is_missing_and_not_zero() {
        assert_eq!((read("{}").value, read("{}").grade), (None, Grade::Missing));
        assert_eq!(read("{value: null}").grade, Grade::Missing);
        assert_eq!(read("{value: 0}").value, Some(Finite::ZERO));
    }

    #[test]
    fn a_measurement_reads_back_from_its_own_form() {
        for text in [
            "{value: 0.5, grade: partial, coverage: 0.9, nodes: {seen: 3, expected: 4}}",
            "{value: .nan}",
            "{}",
        ] {
            let measurement = read(text);
            let json = serde_json::to_string(&measurement).unwrap();
            assert_eq!(
                serde_json::from_str::<Measurement>(&json).unwrap(),
                measurement,
                "{json}"
            );
        }
    }
}
