//! Edits on whole files: the bytes that come out, and what is refused.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::use_debug,
    reason = "helpers of tests are tests"
)]

mod accepted;
mod amounts;
mod embedded;
mod files;
mod fixtures;
mod generated;
mod patches;
mod refused;
mod suite;
mod writer;

use std::borrow::Cow;

use fleetscale::model::{Edit, Location, ObjectKey, RepoPath, Scalar};
use fleetscale::render::{Problem, RenderError, render};

fn path(text: &str) -> RepoPath {
    text.parse().unwrap()
}

fn nothing() -> ObjectKey {
    object("", "", "", "")
}

fn object(group: &str, kind: &str, namespace: &str, name: &str) -> ObjectKey {
    ObjectKey {
        group: group.into(),
        kind: kind.into(),
        namespace: namespace.into(),
        name: name.into(),
    }
}

fn at(document: usize, object: ObjectKey, pointer: &str) -> Location {
    Location {
        path: path("f.yaml"),
        document,
        object,
        pointer: pointer.parse().unwrap(),
        embedded: None,
    }
}

fn text(text: &str) -> Scalar {
    Scalar::Text(text.to_owned())
}

fn number(pointer: &str, from: i64, to: i64) -> Edit {
    Edit::Replace {
        at: at(0, nothing(), pointer),
        from: Scalar::Integer(from),
        to: Scalar::Integer(to),
    }
}

fn string(pointer: &str, from: &str, to: &str) -> Edit {
    Edit::Replace {
        at: at(0, nothing(), pointer),
        from: text(from),
        to: text(to),
    }
}

fn key(pointer: &str, key: &str, value: Scalar) -> Edit {
    Edit::InsertKey {
        at: at(0, nothing(), pointer),
        key: key.to_owned(),
        value,
    }
}

fn replicas() -> Edit {
    key("/spec", "replicas", Scalar::Integer(5))
}

fn item(pointer: &str, value: &str) -> Edit {
    Edit::AppendItem {
        at: at(0, nothing(), pointer),
        value: text(value),
    }
}

fn edited(before: &str, edits: &[Edit]) -> Result<String, RenderError> {
    let read = |asked: &RepoPath| (asked.as_str() == "f.yaml").then_some(Cow::Borrowed(before.as_bytes()));
    let rendered = render(read, edits)?;
    Ok(String::from_utf8(rendered.files[&path("f.yaml")].after.clone()).unwrap())
}

/// Checks cases of before, edit and after; each also with CRLF, with a byte order mark, without its final newline and in a longer stream.
fn check(cases: &[(&str, Edit, &str)]) {
    for (before, edit, after) in cases {
        let variants: [fn(&str) -> String; 5] = [
            str::to_owned,
            |text| text.replace('\n', "\r\n"),
            |text| format!("\u{feff}{text}"),
            |text| text.strip_suffix('\n').unwrap_or(text).to_owned(),
            |text| format!("# größe 🚀\n{text}---\nother: 1\n"),
        ];
        for variant in variants {
            let (before, after) = (variant(before), variant(after));
            match edited(&before, std::slice::from_ref(edit)) {
                Ok(got) => assert_eq!(got, after, "{before:?}"),
                Err(error) => panic!("{before:?}: {error}: {:?}", error.problem),
            }
        }
    }
}

fn refused(before: &str, edit: Edit) -> Problem {
    match edited(before, &[edit]) {
        Ok(after) => panic!("{before:?} became {after:?}"),
        Err(error) => error.problem,
    }
}
