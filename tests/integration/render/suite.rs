//! The YAML test suite: 402 cases, which lie in the published source of `yaml-edit`, read and edited value by value.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fleetscale::fleet::identify;
use fleetscale::model::{Edit, Location, RepoPath, Scalar};
use fleetscale::render::{Problem, Unproven, render};
use fleetscale::yaml::{Kind, Node, ScalarStyle, Stream};
use json_patch::jsonptr::Pointer;

use super::{at, nothing, number};
use crate::dependencies::packages;
use crate::support::readers::{find, is_integer, places, third_reading, value_of};

/// How many cases the suite has, and how many of them are not YAML. A package that lost some of them must not pass for all of them.
const CASES: (usize, usize) = (402, 94);

struct Case {
    id: String,
    text: String,
    /// Whether it is not YAML, by the suite's word.
    invalid: bool,
    /// The events that a parser must find.
    events: String,
}

/// The folders in a folder whose names are made of these characters.
fn folders(folder: &Path, name: fn(u8) -> bool) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.is_dir() && path.file_name().unwrap().as_encoded_bytes().iter().copied().all(name));
    found.sort();
    found
}

/// The cases. Beside them the suite has folders of the same cases by name and by tag, whose own names are in lower case.
fn cases() -> Vec<Case> {
    let packages = packages();
    let package = packages.iter().find(|package| package["name"] == "yaml-edit");
    let manifest = Path::new(package.unwrap()["manifest_path"].as_str().unwrap());
    let root = manifest.parent().unwrap().join("test-data");
    let mut cases = Vec::new();
    for folder in folders(&root, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()) {
        let parts = match folder.join("in.yaml").exists() {
            true => vec![folder],
            false => folders(&folder, |byte| byte.is_ascii_digit()),
        };
        cases.extend(parts.into_iter().map(|part| Case {
            id: part.strip_prefix(&root).unwrap().display().to_string(),
            text: std::fs::read_to_string(part.join("in.yaml")).unwrap(),
            invalid: part.join("error").exists(),
            events: std::fs::read_to_string(part.join("test.event")).unwrap(),
        }));
    }
    let invalid = cases.iter().filter(|case| case.invalid).count();
    assert_eq!((cases.len(), invalid), CASES, "{}", root.display());
    cases
}

/// A value in the suite's notation, without anchors and tags.
fn notation(node: Node<'_>, into: &mut String) {
    match node.kind() {
        Kind::Alias => into.push_str("=ALI\n"),
        Kind::Scalar { text, style } => {
            let style = match style {
                ScalarStyle::Plain => ':',
                ScalarStyle::SingleQuoted => '\'',
                ScalarStyle::DoubleQuoted => '"',
                ScalarStyle::Literal => '|',
                ScalarStyle::Folded => '>',
            };
            let escapes = [
                ("\\", "\\\\"),
                ("\n", "\\n"),
                ("\t", "\\t"),
                ("\r", "\\r"),
                ("\u{8}", "\\b"),
            ];
            let text = escapes
                .iter()
                .fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
            into.push_str(&format!("=VAL {style}{text}\n"));
        }
        Kind::Mapping { flow } => {
            into.push_str(if flow { "+MAP {}\n" } else { "+MAP\n" });
            for entry in node.entries() {
                notation(entry.key, into);
                notation(entry.value, into);
            }
            into.push_str("-MAP\n");
        }
        Kind::Sequence { flow } => {
            into.push_str(if flow { "+SEQ []\n" } else { "+SEQ\n" });
            node.items().for_each(|item| notation(item, into));
            into.push_str("-SEQ\n");
        }
    }
}

/// The suite's events without anchors, tags and marks of documents.
fn expected_notation(events: &str) -> String {
    let mut lines = String::new();
    for line in events.lines() {
        let mut words = line.split(' ');
        let event = words.next().unwrap();
        match event {
            "+STR" | "-STR" | "+DOC" | "-DOC" => continue,
            "=ALI" => lines.push_str(event),
            "=VAL" => {
                let adorned = line.strip_prefix("=VAL ").unwrap();
                let mut rest = adorned;
                while rest.starts_with(['&', '<']) {
                    rest = rest.split_once(' ').unwrap().1;
                }
                lines.push_str(&format!("=VAL {rest}"));
            }
            _ => match words.next().filter(|word| matches!(*word, "{}" | "[]")) {
                Some(flow) => lines.push_str(&format!("{event} {flow}")),
                None => lines.push_str(event),
            },
        }
        lines.push('\n');
    }
    lines
}

fn edited(before: &str, edit: Edit) -> Result<String, Problem> {
    let read = |_: &RepoPath| Some(Cow::Borrowed(before.as_bytes()));
    let rendered = render(read, &[edit]).map_err(|error| error.problem)?;
    Ok(String::from_utf8(rendered.files.into_values().next().unwrap().after).unwrap())
}

/// A refusal in a word or two.
fn reason(problem: &Problem) -> String {
    match problem {
        Problem::Obstacle(obstacle) => format!("{:?}", obstacle.kind).split('(').next().unwrap().to_owned(),
        Problem::Unproven(Unproven::Unreadable { which: "old", .. }) => "the second parser refuses the text".to_owned(),
        Problem::Unproven(other) => panic!("an edit was made that is wrong: {other:?}"),
        other => {
            let shown = format!("{other:?}");
            shown.split(['(', ' ', '{']).next().unwrap().to_owned()
        }
    }
}

#[derive(Default)]
struct Figures {
    cases: BTreeMap<&'static str, usize>,
    edited: BTreeMap<&'static str, usize>,
    undone: BTreeMap<&'static str, usize>,
    refused: BTreeMap<String, usize>,
    /// The values that libyaml has elsewhere, before and after.
    otherwise: Vec<String>,
}

impl Figures {
    fn value(&mut self, case: &Case, document: usize, pointer: &Pointer, node: Node<'_>) {
        let Kind::Scalar { text, style } = node.kind() else {
            return;
        };
        let Case { id, text: before, .. } = case;
        let (from, to) = match text.parse() {
            Ok(number) if style == ScalarStyle::Plain && is_integer(text) => {
                (Scalar::Integer(number), Scalar::Integer(number / 2 + 7))
            }
            _ => (Scalar::Text(text.to_owned()), Scalar::Text("shard-b".to_owned())),
        };
        let root = node.stream().documents()[document].root;
        let at = Location {
            pointer: pointer.to_owned(),
            ..at(document, identify(root).unwrap_or_else(|_| nothing()), "")
        };
        let replace = |from: &Scalar, to: &Scalar| Edit::Replace {
            at: at.clone(),
            from: from.clone(),
            to: to.clone(),
        };
        let after = match edited(before, replace(&from, &to)) {
            Ok(after) => after,
            Err(problem) => return *self.refused.entry(reason(&problem)).or_default() += 1,
        };
        assert!(!case.invalid, "{id}: {pointer} was edited in what is not YAML");
        let (span, end) = (node.span(), after.len() + node.span().end - before.len());
        let kept = after.get(..span.start) == before.get(..span.start) && after.get(end..) == before.get(span.end..);
        assert!(kept, "{id}: {pointer}: other bytes changed:\n{after}");
        let compared = match third_reading(before) {
            None => "libyaml refuses the text",
            Some(mut documents) => {
                let found = find(&mut documents, document, pointer);
                let found = found.map(|value| *value = value_of(&to));
                if found.is_some() && third_reading(&after).as_ref() == Some(&documents) {
                    "libyaml agrees"
                } else {
                    self.otherwise.push(format!("{id} {pointer}"));
                    "libyaml reads otherwise"
                }
            }
        };
        *self.edited.entry(compared).or_default() += 1;
        let undone = match edited(&after, replace(&to, &from)) {
            Ok(undone) if undone == *before => "undone",
            Ok(undone) => panic!("{id}: {pointer}: {undone}"),
            // People may write plain texts, and invisible characters, that are never written here.
            Err(Problem::Unwritable { .. }) if style == ScalarStyle::Plain => "undoing refused",
            Err(Problem::Unwritable { .. }) if text.contains(char::is_control) => "undoing refused",
            Err(problem) => panic!("{id}: {pointer}: {problem:?}"),
        };
        *self.undone.entry(undone).or_default() += 1;
    }

    fn case(&mut self, case: &Case) {
        let Case {
            id,
            text,
            invalid,
            events,
        } = case;
        let Ok(stream) = Stream::parse(text) else {
            // What can't be read can't be edited, wherever an edit claims to belong.
            for pointer in ["", "/a", "/0"] {
                let problem = edited(text, number(pointer, 1, 2)).unwrap_err();
                let unread = matches!(problem, Problem::NotYaml(_) | Problem::StrangeLineBreaks);
                assert!(unread, "{id}: {problem:?}");
            }
            let name = if *invalid { "invalid, refused" } else { "valid, refused" };
            return *self.cases.entry(name).or_default() += 1;
        };
        if !invalid {
            let mut read = String::new();
            for document in stream.documents() {
                notation(document.root, &mut read);
            }
            assert_eq!(read, expected_notation(events), "{id}:\n{text}");
        }
        let name = if *invalid { "invalid, read" } else { "valid, read right" };
        *self.cases.entry(name).or_default() += 1;
        for (document, pointer, node) in places(&stream) {
            self.value(case, document, &pointer, node);
        }
    }
}

#[test]
fn every_scalar_of_the_yaml_test_suite_is_edited_or_refused_for_a_reason() {
    let mut figures = Figures::default();
    let all = cases();
    for case in &all {
        figures.case(case);
    }
    let Figures {
        cases,
        edited,
        undone,
        refused,
        otherwise,
    } = figures;
    println!("{} cases of the YAML test suite: {cases:?}", all.len());
    println!("scalars edited: {edited:?}, {undone:?}");
    println!("scalars refused: {refused:?}");
    assert_eq!(cases["valid, read right"], CASES.0 - CASES.1);
    assert!(edited["libyaml agrees"] > 250, "{edited:?}");
    assert_eq!(otherwise, [""; 0]);
}
