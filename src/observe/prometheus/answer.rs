//! What Prometheus answers to an instant query, read without trusting it.
//!
//! Invariant: a number that leaves this file is finite. NaN means that there is nothing to say and is kept apart from what makes no sense
//! (infinite, not a number at all, twice in one answer). An answer about another time than the one that was asked for is refused, and so is
//! one that says itself that it failed.
//!
//! Absent on purpose: what a number means. A share above 1 or a negative one is judged where it is known what was asked for.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::model::Finite;

/// One number of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reading {
    /// A finite number.
    Number(Finite),
    /// NaN: a division by nothing, or a NaN among the samples.
    Nothing,
    /// What no number can be, in the server's words.
    Nonsense(String),
}

/// An instant vector: numbers by the values of the labels that were asked for, in the order in which they were asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Vector {
    /// The numbers. A label that a series does not have counts as empty, as it does for Prometheus.
    pub(super) readings: BTreeMap<Vec<String>, Reading>,
    /// Why the answer may be incomplete, if it says so.
    pub(super) partial: Option<String>,
}

/// An answer that can't be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum AnswerError {
    /// It is no JSON, or not the JSON of Prometheus' API.
    #[error("the answer is not Prometheus' ({source}); it begins with {start:?}")]
    NotPrometheus {
        /// Its first line.
        start: String,
        /// Where it goes wrong.
        source: serde_json::Error,
    },
    /// Prometheus says why it does not answer.
    #[error("Prometheus refuses the query: {kind}: {message}")]
    Refused {
        /// `errorType`.
        kind: String,
        /// `error`.
        message: String,
    },
    /// It is not an instant vector.
    #[error("the answer is a {found}, not an instant vector")]
    NoVector {
        /// `resultType`.
        found: String,
    },
    /// It is about another time.
    #[error("the answer is about {found}, not about {asked}: does a cache stand before it?")]
    OtherTime {
        /// The time that was asked for.
        asked: Timestamp,
        /// The time of the answer, as the server writes it.
        found: String,
    },
}

#[derive(Deserialize)]
struct Body {
    status: String,
    data: Option<Data>,
    #[serde(default, rename = "errorType")]
    error_type: String,
    #[serde(default)]
    error: String,
    #[serde(default)]
    warnings: Vec<String>,
    #[serde(default, rename = "isPartial")]
    is_partial: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    result_type: String,
    #[serde(default)]
    result: Vec<Sample>,
}

#[derive(Deserialize)]
struct Sample {
    #[serde(default)]
    metric: BTreeMap<String, String>,
    value: (f64, String),
}

/// The type of an answer alone, for one whose samples have another form than a vector's.
#[derive(Deserialize)]
struct Shape {
    data: ShapeData,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ShapeData {
    result_type: String,
}

/// How far the time of an answer may be from the one that was asked for. VictoriaMetrics moves queries about the present half a minute back
/// (`-search.latencyOffset`); an answer that a cache kept is older than that.
const OTHER_TIME: SignedDuration = SignedDuration::from_mins(1);

/// What Prometheus' own engine says about a query's form and not about missing data. Before 2.54 it stood among the warnings.
const HARMLESS: &str = "PromQL info:";

/// Reads an answer: the numbers by the values of some labels.
pub(super) fn read(body: &[u8], by: &[&str], asked: Timestamp) -> Result<Vector, AnswerError> {
    let body: Body = match serde_json::from_slice(body) {
        Ok(body) => body,
        Err(source) => {
            return Err(match serde_json::from_slice::<Shape>(body) {
                Ok(shape) if shape.data.result_type != "vector" => AnswerError::NoVector {
                    found: printable(&shape.data.result_type),
                },
                _ => AnswerError::NotPrometheus {
                    start: printable(&String::from_utf8_lossy(body.get(..400).unwrap_or(body))),
                    source,
                },
            });
        }
    };
    let Body {
        status,
        data,
        error_type,
        error,
        warnings,
        is_partial,
    } = body;
    let data = match data {
        Some(data) if status == "success" => data,
        _ => {
            return Err(AnswerError::Refused {
                kind: printable(if error_type.is_empty() { &status } else { &error_type }),
                message: printable(&error),
            });
        }
    };
    if data.result_type != "vector" {
        return Err(AnswerError::NoVector {
            found: printable(&data.result_type),
        });
    }
    let mut vector = Vector {
        readings: BTreeMap::new(),
        partial: partial(&warnings, is_partial),
    };
    for Sample {
        mut metric,
        value: (at, text),
    } in data.result
    {
        if !is_about(at, asked) {
            return Err(AnswerError::OtherTime {
                asked,
                found: at.to_string(),
            });
        }
        let key = by
            .iter()
            .map(|label| metric.remove(*label).unwrap_or_default())
            .collect();
        vector
            .readings
            .entry(key)
            .and_modify(|known| *known = Reading::Nonsense("twice in one answer".to_owned()))
            .or_insert_with(|| reading(&text));
    }
    Ok(vector)
}

fn reading(text: &str) -> Reading {
    match text.parse::<f64>() {
        Ok(number) if number.is_nan() => Reading::Nothing,
        Ok(number) => Finite::try_from(number).map_or_else(|_| Reading::Nonsense(printable(text)), Reading::Number),
        Err(_) => Reading::Nonsense(printable(text)),
    }
}

fn is_about(at: f64, asked: Timestamp) -> bool {
    let since = SignedDuration::try_from_secs_f64(at).ok();
    let found = since.and_then(|since| Timestamp::UNIX_EPOCH.checked_add(since).ok());
    found.is_some_and(|found| found.duration_since(asked).abs() <= OTHER_TIME)
}

fn partial(warnings: &[String], is_partial: bool) -> Option<String> {
    let serious = warnings.iter().find(|text| !text.starts_with(HARMLESS));
    match serious {
        Some(text) => Some(format!("the source warns: {}", printable(text))),
        None => is_partial.then(|| "the source says that its answer is partial".to_owned()),
    }
}

/// A text from outside on one line, at most 200 characters.
pub(super) fn printable(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("");
    line.chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: &str = "2026-10-06T09:00:00Z";

    fn read_as(body: &str) -> Result<Vector, AnswerError> {
        read(body.as_bytes(), &["cluster", "node"], AT.parse().unwrap())
    }

    fn vector(samples: &str, rest: &str) -> String {
        format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{samples}]}}{rest}}}"#)
    }

    fn sample(node: &str, value: &str) -> String {
        format!(r#"{{"metric":{{"cluster":"blue","node":"{node}"}},"value":[1791277200,"{value}"]}}"#)
    }

    #[test]
    fn a_number_is_finite_or_it_is_none() {
        let nonsense = |text: &str| Reading::Nonsense(text.to_owned());
        for (text, expected) in [
            ("0.5", Reading::Number(Finite::try_from(0.5).unwrap())),
            ("-0.25", Reading::Number(Finite::try_from(-0.25).unwrap())),
            ("NaN", Reading::Nothing),
            ("-NaN", Reading::Nothing),
            ("+Inf", nonsense("+Inf")),
            ("-Inf", nonsense("-Inf")),
            ("1e400", nonsense("1e400")),
            ("", nonsense("")),
            ("ten", nonsense("ten")),
        ] {
            let vector = read_as(&vector(&sample("a", text), "")).unwrap();
            let key = vec!["blue".to_owned(), "a".to_owned()];
            assert_eq!(vector.readings.get(&key), Some(&expected), "{text}");
        }
    }

    #[test]
    fn a_series_that_comes_twice_is_no_number() {
        let twice = format!("{},{}", sample("a", "0.5"), sample("a", "0.5"));
        let vector = read_as(&vector(&twice, "")).unwrap();
        let readings: Vec<&Reading> = vector.readings.values().collect();
        assert_eq!(readings, [&Reading::Nonsense("twice in one answer".to_owned())]);
    }

    #[test]
    fn an_empty_vector_is_an_answer_and_no_number() {
        assert_eq!(read_as(&vector("", "")).unwrap(), Vector::default());
        let without_labels = r#"{"metric":{},"value":[1791277200,"1"]}"#;
        let vector = read_as(&vector(without_labels, "")).unwrap();
        assert_eq!(
            vector.readings.keys().next().unwrap(),
            &vec![String::new(), String::new()]
        );
    }

    #[test]
    fn what_the_source_says_about_missing_data_is_kept() {
        for (rest, partial) in [
            ("", None),
            (r#","isPartial":false"#, None),
            (
                r#","isPartial":true"#,
                Some("the source says that its answer is partial"),
            ),
            (
                r#","warnings":["no store matched"]"#,
                Some("the source warns: no store matched"),
            ),
            (
                r#","warnings":["PromQL info: metric might not be a counter: \"x\""]"#,
                None,
            ),
            (
                r#","warnings":["PromQL info: x","PromQL warning: mixed"]"#,
                Some("the source warns: PromQL warning: mixed"),
            ),
            (
                r#","infos":["PromQL info: metric might not be a counter: \"x\""]"#,
                None,
            ),
        ] {
            let vector = read_as(&vector(&sample("a", "1"), rest)).unwrap();
            assert_eq!(vector.partial.as_deref(), partial, "{rest}");
        }
    }

    #[test]
    fn what_is_no_vector_of_that_time_is_refused() {
        let old = sample("a", "1").replace("1791277200", "1791273600");
        let scalar = r#"{"status":"success","data":{"resultType":"scalar","result":[1791277200,"1"]}}"#;
        let matrix = r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#;
        let refused = r#"{"status":"error","errorType":"bad_data","error":"parse error\u001b[31m at 1:1"}"#;
        let whole = vector(&sample("a", "1"), "");
        for (body, expected) in [
            (vector(&old, ""), "not about 2026-10-06T09:00:00Z"),
            (scalar.to_owned(), "the answer is a scalar, not an instant vector"),
            (matrix.to_owned(), "the answer is a matrix, not an instant vector"),
            (
                refused.to_owned(),
                "refuses the query: bad_data: parse error[31m at 1:1",
            ),
            (
                "<!DOCTYPE html>\n<title>Log in</title>".to_owned(),
                r#"it begins with "<!DOCTYPE html>""#,
            ),
            (whole[..whole.len() - 9].to_owned(), "EOF while parsing"),
            (String::new(), "EOF while parsing"),
            (r#"{"status":"success"}"#.to_owned(), "refuses the query: success"),
            ("[]".to_owned(), "not Prometheus'"),
            (whole.replace("1791277200", "1e999"), "the answer is not Prometheus'"),
        ] {
            let error = read_as(&body).unwrap_err().to_string();
            assert!(error.contains(expected), "{body}: {error}");
        }
    }
}
