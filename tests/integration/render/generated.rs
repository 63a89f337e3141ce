//! Ten thousand edits of generated texts.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;

use fleetscale::model::{Edit, Location, RepoPath, Scalar};
use fleetscale::render::{Problem, Unproven, render};
use fleetscale::yaml::{Kind, Node, ScalarStyle, Stream};
use json_patch::jsonptr::PointerBuf;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde::Deserialize as _;

use super::writer::{Tape, write};
use super::{at, nothing};
use crate::support::readers::{is_integer, places};

/// How many texts are drawn.
const CASES: u32 = 10_000;

pub(super) fn draw_edit(tape: &mut Tape<'_>, (document, pointer, node): &(usize, PointerBuf, Node<'_>)) -> Edit {
    let at = Location {
        pointer: pointer.clone(),
        embedded: None,
        ..at(*document, nothing(), "")
    };
    let value = match tape.below(6) {
        0 | 1 => Scalar::Integer(tape.below(500).try_into().unwrap()),
        2 => Scalar::Text(format!("--qps={}", tape.below(500))),
        choice => Scalar::Text(["shard-a", "x y, 'z' \"\\", "yes"][choice - 3].to_owned()),
    };
    match node.kind() {
        Kind::Mapping { .. } => Edit::InsertKey {
            at,
            key: tape.pick(&["new", "new", "namespace", "1", "new key"]).to_owned(),
            value,
        },
        Kind::Sequence { .. } => Edit::AppendItem { at, value },
        Kind::Scalar { text, style } if style == ScalarStyle::Plain && is_integer(text) => Edit::Replace {
            at,
            from: Scalar::Integer(text.parse().unwrap()),
            to: Scalar::Integer(tape.below(100_000).try_into().unwrap()),
        },
        Kind::Scalar { text, .. } => Edit::Replace {
            at,
            from: Scalar::Text(text.to_owned()),
            to: Scalar::Text(value.to_string()),
        },
        Kind::Alias => Edit::Replace {
            at,
            from: Scalar::Integer(1),
            to: Scalar::Integer(2),
        },
    }
}

fn edit_text(before: &str, edits: &[Edit]) -> Result<String, Problem> {
    let read = |_: &RepoPath| Some(Cow::Borrowed(before.as_bytes()));
    let rendered = render(read, edits).map_err(|error| error.problem)?;
    let file = rendered.files.into_values().next().unwrap();
    Ok(String::from_utf8(file.after).unwrap())
}

/// The documents as a third reader has them: libyaml, as Kubernetes' own tools do; nothing for what it refuses.
pub(super) fn values(text: &str) -> Option<Vec<serde_json::Value>> {
    let text = text.trim_start_matches('\u{feff}');
    let documents = serde_yaml::Deserializer::from_str(text);
    let read = |document| serde_json::to_value(serde_yaml::Value::deserialize(document).ok()?).ok();
    documents.map(read).collect()
}

/// Checks one edit; says what became of it.
pub(super) fn check(before: &str, node: Node<'_>, edit: &Edit) -> Result<&'static str, TestCaseError> {
    let after = match edit_text(before, std::slice::from_ref(edit)) {
        Ok(after) => after,
        // The second parser is stricter about the columns of a flow collection's lines.
        Err(Problem::Unproven(Unproven::Unreadable { which: "old", .. })) => {
            return Ok("not YAML to the second parser");
        }
        Err(problem) => {
            prop_assert!(
                !matches!(problem, Problem::Unproven(_) | Problem::NotYaml(_)),
                "{problem:?}"
            );
            return Ok("refused");
        }
    };
    match edit {
        Edit::Replace { at, from, to } => {
            let span = node.span();
            let growth = after.len() + span.len() - before.len();
            prop_assert_eq!(&after[..span.start], &before[..span.start]);
            prop_assert_eq!(&after[span.start + growth..], &before[span.end..]);
            let undo = Edit::Replace {
                at: at.clone(),
                from: to.clone(),
                to: from.clone(),
            };
            match edit_text(&after, &[undo]) {
                Ok(undone) if undone == before => {}
                Ok(undone) => prop_assert!(false, "undone to {undone:?}"),
                // No plain text that only some readers take for a string is written again.
                Err(problem) => {
                    prop_assert!(matches!(problem, Problem::Unwritable { .. }), "{problem:?}");
                    prop_assert!(from.integer().is_none() && node.source() == from.to_string());
                }
            }
        }
        _ => {
            let added = after.len() - before.len();
            let start = before.bytes().zip(after.bytes()).take_while(|(a, b)| a == b).count();
            let restored = (0..=start)
                .rev()
                .any(|at| after[..at] == before[..at] && after.as_bytes()[at + added..] == before.as_bytes()[at..]);
            prop_assert!(restored, "more than an insertion: {after:?}");
        }
    }
    if before.contains('*') || before.contains("<<") {
        return Ok("edited beside shared values");
    }
    let Some(mut expected) = values(before) else {
        return Ok("edited, and libyaml refuses the text");
    };
    let (Edit::Replace { at, .. } | Edit::InsertKey { at, .. } | Edit::AppendItem { at, .. }) = edit else {
        return Ok("moved");
    };
    json_patch::patch(&mut expected[at.document], &edit.operations())
        .map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(values(&after), Some(expected), "{}", after);
    Ok("edited and patched")
}

fn tapes() -> impl Strategy<Value = (Vec<u16>, Vec<u16>)> {
    (
        prop::collection::vec(any::<u16>(), 0..120),
        prop::collection::vec(any::<u16>(), 0..24),
    )
}

fn run(
    check: impl Fn(&str, &Stream<'_>, &mut Tape<'_>) -> Result<&'static str, TestCaseError>,
) -> BTreeMap<&'static str, u32> {
    let outcomes: RefCell<BTreeMap<&'static str, u32>> = RefCell::default();
    let config = Config {
        cases: CASES,
        source_file: Some(file!()),
        ..Config::default()
    };
    let result = TestRunner::new(config).run(&tapes(), |(tape, choices)| {
        let text = write(&tape);
        let outcome = match Stream::parse(&text) {
            Ok(stream) => check(&text, &stream, &mut Tape::of(&choices)).map_err(|error| match error {
                TestCaseError::Fail(why) => TestCaseError::fail(format!("{text:?}: {why}")),
                reject => reject,
            })?,
            Err(_) => "not YAML",
        };
        *outcomes.borrow_mut().entry(outcome).or_default() += 1;
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
    println!("{:?}", outcomes.borrow());
    outcomes.into_inner()
}

#[test]
fn a_generated_edit_changes_what_it_names_and_nothing_else() {
    let outcomes = run(|text, stream, tape| {
        let places = places(stream);
        let Some(place) = (!places.is_empty()).then(|| &places[tape.below(places.len())]) else {
            return Ok("empty");
        };
        let edit = draw_edit(tape, place);
        check(text, place.2, &edit)
    });
    // The generator must keep making texts that exercise the whole chain.
    assert!(outcomes["edited and patched"] * 4 > CASES, "{outcomes:?}");
    assert!(outcomes["edited beside shared values"] * 200 > CASES, "{outcomes:?}");
}

#[test]
fn generated_edits_together_are_the_same_as_one_after_the_other() {
    let outcomes = run(|text, stream, tape| {
        let places = places(stream);
        let mut edits: Vec<Edit> = Vec::new();
        for _ in 0..4 {
            if let Some(place) = places.get(tape.below(places.len().max(1))) {
                let edit = draw_edit(tape, place);
                let free = |other: &Edit| match (other, &edit) {
                    (
                        Edit::Replace { at, .. } | Edit::InsertKey { at, .. } | Edit::AppendItem { at, .. },
                        Edit::Replace { at: new, .. }
                        | Edit::InsertKey { at: new, .. }
                        | Edit::AppendItem { at: new, .. },
                    ) => at != new,
                    _ => false,
                };
                if edits.iter().all(free) && edit_text(text, std::slice::from_ref(&edit)).is_ok() {
                    edits.push(edit);
                }
            }
        }
        if edits.len() < 2 {
            return Ok("fewer than two edits");
        }
        let together = edit_text(text, &edits);
        let mut one_by_one = text.to_owned();
        for edit in &edits {
            one_by_one = match edit_text(&one_by_one, std::slice::from_ref(edit)) {
                Ok(after) => after,
                // Another of the edits has just made an item what this one appends.
                Err(fleetscale::render::Problem::ItemExists { .. }) => return Ok("an item twice"),
                Err(problem) => return Err(TestCaseError::fail(format!("{edit:?}: {problem:?}"))),
            };
        }
        prop_assert_eq!(together, Ok(one_by_one));
        Ok("the same")
    });
    assert!(outcomes["the same"] * 5 > CASES, "{outcomes:?}");
}
