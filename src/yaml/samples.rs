//! What the room reads out of the shapes that YAML files come in.

use json_patch::jsonptr::Pointer;
use proptest::prelude::*;

use super::{Found, Kind, Node, Obstacle, ObstacleKind, ParseErrorKind, ScalarStyle, Stream};

fn stream(text: &str) -> Stream<'_> {
    Stream::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

/// All values of a stream, in the order of the text.
fn values<'s>(stream: &'s Stream<'s>) -> Vec<Node<'s>> {
    fn visit<'s>(node: Node<'s>, into: &mut Vec<Node<'s>>) {
        into.push(node);
        for entry in node.entries() {
            visit(entry.key, into);
            visit(entry.value, into);
        }
        node.items().for_each(|item| visit(item, into));
    }
    let mut into = Vec::new();
    for document in stream.documents() {
        visit(document.root, &mut into);
    }
    into
}

fn lookup<'s>(stream: &'s Stream<'s>, pointer: &'static str) -> Result<Found<'s>, Obstacle> {
    stream.documents()[0].root.lookup(Pointer::from_static(pointer))
}

/// The source of the value at a pointer of the first document.
fn source(text: &str, pointer: &'static str) -> String {
    match lookup(&stream(text), pointer) {
        Ok(found) => found.node.source().to_owned(),
        Err(obstacle) => panic!("{text:?} {pointer}: {obstacle}"),
    }
}

#[test]
fn a_scalar_is_found_in_its_own_bytes() {
    for (text, pointer, bytes) in [
        ("a: 1\n", "/a", "1"),
        ("a: 1", "/a", "1"),
        ("a:   1   # c\n", "/a", "1"),
        ("a:\t1\t# c\n", "/a", "1"),
        ("a: one two # c\n", "/a", "one two"),
        ("a: \"x # y\" # c\n", "/a", "\"x # y\""),
        ("a: 'it''s'\n", "/a", "'it''s'"),
        ("a: \"\\u00e9\"\n", "/a", "\"\\u00e9\""),
        ("\"a\": 1\n", "/a", "1"),
        ("? a\n: 1\n", "/a", "1"),
        ("a: &n 1\n", "/a", "1"),
        ("a: one\n  two   \nb: 1\n", "/a", "one\n  two"),
        ("a: {b: 1, c: [x, y]}\n", "/a/c/1", "y"),
        ("a: {b: 1, c: [x, y]}\n", "/a", "{b: 1, c: [x, y]}"),
        ("{\"a\": {\"b\":3}}", "/a/b", "3"),
        ("- 0\n- a: 1\n  b: 2\n", "/1/b", "2"),
        ("- - x\n  - y\n", "/0/1", "y"),
        ("a:\n- x\n- y\nb: 1\n", "/a/1", "y"),
        ("a: |\n  x\n  y\n\nb: 1\n", "/a", "x\n  y\n\n"),
        ("a/b: 1\nc~d: 2\n", "/a~1b", "1"),
        ("a/b: 1\nc~d: 2\n", "/c~0d", "2"),
        ("1: x\n", "/1", "x"),
        ("# größe 🚀\nn: \"ü🚀\"\na: 3 # ü\n", "/a", "3"),
        ("\u{feff}a: 1\n", "/a", "1"),
        ("\u{feff}# c\n---\na: 1\n", "/a", "1"),
        ("a: 1\r\nb: 2\r\n", "/b", "2"),
        ("a: |\r\n  x\r\nb: 2\r\n", "/b", "2"),
        ("%YAML 1.2\n---\na: 1\n...\n", "/a", "1"),
        ("--- {a: 1}\n", "/a", "1"),
        ("x: &s {a: 1}\ny: {<<: *s, a: 2}\n", "/y/a", "2"),
    ] {
        assert_eq!(source(text, pointer), bytes, "{text:?} {pointer}");
    }
}

#[test]
fn a_block_collection_ends_with_its_last_value() {
    let text = "a:\n  b: 1\n  c:\n    - x  # last\n\n# tail\nd: {}\n";
    assert_eq!(source(text, "/a"), "b: 1\n  c:\n    - x");
    assert_eq!(source(text, "/a/c"), "x");
    assert_eq!(source(text, "/d"), "{}");
    assert_eq!(source("a:\n  b:\n# tail\n", "/a"), "b:");
    assert_eq!(source("a:\n  b :\n", "/a"), "b :");
    assert_eq!(source("a:\n  ? b\n# tail\n", "/a"), "b");
    assert_eq!(source("a: {b, c: }\n", "/a"), "{b, c: }");
    assert_eq!(source("a:\n  b: [x, y]\n\n# tail\n", "/a"), "b: [x, y]");
}

#[test]
fn a_null_is_known_however_it_is_written() {
    for (text, null, bytes) in [
        ("a:\n", true, ""),
        ("a:   # c\n", true, ""),
        ("a: ~\n", true, "~"),
        ("a: null\n", true, "null"),
        ("a: Null\n", true, "Null"),
        ("a: NULL\n", true, "NULL"),
        ("{a, b: 1}\n", true, ""),
        ("a: 'null'\n", false, "'null'"),
        ("a: \"\"\n", false, "\"\""),
        ("a: nil\n", false, "nil"),
        ("a: |\nb: 1\n", false, ""),
        ("a: {}\n", false, "{}"),
    ] {
        let stream = stream(text);
        let found = lookup(&stream, "/a").unwrap();
        assert_eq!((found.node.is_null(), found.node.source()), (null, bytes), "{text:?}");
    }
    assert_eq!(
        stream("a: !!str\n").documents()[0]
            .root
            .get("a")
            .unwrap()
            .unwrap()
            .text(),
        Some("")
    );
}

#[test]
fn a_scalar_keeps_its_style_and_text() {
    let stream = stream("a: p\nb: 'q'\nc: \"r\\n\"\nd: |\n  s\n  t\ne: >\n  u\n  v\n");
    let got: Vec<_> = stream.documents()[0]
        .root
        .entries()
        .map(|entry| entry.value.kind())
        .collect();
    let scalar = |text, style| Kind::Scalar { text, style };
    assert_eq!(
        got,
        [
            scalar("p", ScalarStyle::Plain),
            scalar("q", ScalarStyle::SingleQuoted),
            scalar("r\n", ScalarStyle::DoubleQuoted),
            scalar("s\nt\n", ScalarStyle::Literal),
            scalar("u v\n", ScalarStyle::Folded),
        ]
    );
}

#[test]
fn flow_and_block_are_told_apart() {
    let stream = stream("a: {}\nb: []\nc:\n  d: 1\ne:\n- 1\nf: [g: 1]\n");
    let root = stream.documents()[0].root;
    let kind = |key| root.get(key).unwrap().unwrap().kind();
    assert_eq!(root.kind(), Kind::Mapping { flow: false });
    assert_eq!(kind("a"), Kind::Mapping { flow: true });
    assert_eq!(kind("b"), Kind::Sequence { flow: true });
    assert_eq!(kind("c"), Kind::Mapping { flow: false });
    assert_eq!(kind("e"), Kind::Sequence { flow: false });
    let item = lookup(&stream, "/f/0").unwrap().node;
    assert_eq!(item.kind(), Kind::Mapping { flow: true });
}

#[test]
fn documents_share_out_the_bytes_of_the_stream() {
    for (text, parts) in [
        ("", vec![]),
        ("# only a comment\n\n", vec![]),
        ("a: 1\n", vec!["a: 1\n"]),
        ("# top\n---\na: 1\n", vec!["# top\n---\na: 1\n"]),
        (
            "---\na: 1\n# tail\n--- # b\nb: 2",
            vec!["---\na: 1\n# tail\n", "--- # b\nb: 2"],
        ),
        ("---\n---\n# c\n---\na: 1\n", vec!["---\n", "---\n# c\n", "---\na: 1\n"]),
        (
            "a: 1\n...\n# between\n%YAML 1.2\n---\nb: 2\n",
            vec!["a: 1\n...\n", "# between\n%YAML 1.2\n---\nb: 2\n"],
        ),
        ("a: 1\n... # end\nb: 2\n...\n", vec!["a: 1\n... # end\n", "b: 2\n...\n"]),
        (
            "\u{feff}a: 1\r\n---\r\nb: 2\r\n",
            vec!["\u{feff}a: 1\r\n", "---\r\nb: 2\r\n"],
        ),
        (
            "t: |\n  ---\n  x\nq: \"---\"\n---\nb: 2\n",
            vec!["t: |\n  ---\n  x\nq: \"---\"\n", "---\nb: 2\n"],
        ),
        ("--- 1\n--- 2\n", vec!["--- 1\n", "--- 2\n"]),
    ] {
        let stream = stream(text);
        let got: Vec<_> = stream
            .documents()
            .iter()
            .map(|document| &text[document.range.clone()])
            .collect();
        assert_eq!(got, parts, "{text:?}");
    }
}

#[test]
fn an_empty_document_has_a_null_root() {
    let stream = stream("---\n---\na: 1\n");
    let documents = stream.documents();
    assert!(documents[0].root.is_null());
    assert_eq!(documents[1].root.get("a").unwrap().unwrap().text(), Some("1"));
}

#[test]
fn a_lookup_names_what_is_in_the_way_and_where() {
    use ObstacleKind as O;
    for (text, pointer, at, line, kind) in [
        ("a: 1\n", "/b", "/b", 1, O::Missing),
        ("a:\n  b: 1\n", "/a/c/d", "/a/c", 2, O::Missing),
        ("a:\n", "/a/b", "/a/b", 1, O::Missing),
        ("a: [x]\n", "/a/1", "/a/1", 1, O::Missing),
        ("a: [x]\n", "/a/-", "/a/-", 1, O::Missing),
        ("a: [x]\n", "/a/b", "/a", 1, O::NotAnIndex),
        ("a: [x]\n", "/a/01", "/a", 1, O::NotAnIndex),
        ("x: 0\na: 1\n", "/a/b", "/a", 2, O::NotACollection),
        ("x: &n 1\na: *n\n", "/a", "/a", 2, O::Alias),
        ("x: &n {b: 1}\na: *n\n", "/a/b", "/a", 2, O::Alias),
        ("x: &n 1\na: *n\n", "/x", "/x", 1, O::SharedAnchor),
        ("x: &n\n  b: 1\na: *n\n", "/x/b", "/x", 2, O::SharedAnchor),
        ("&n x: [*n]\n", "/x/0", "/x/0", 1, O::Alias),
        ("&r\na: 1\nb: *r\n", "/a", "", 2, O::SharedAnchor),
        ("a: !!int 1\n", "/a", "/a", 1, O::Tag),
        ("--- !x\na: 1\n", "/a", "", 2, O::Tag),
        ("x: &s {b: 1}\na:\n  <<: *s\n", "/a/b", "/a/b", 3, O::MergeKey),
        ("x: &s {b: 1}\na: {\"<<\": *s}\n", "/a/b/c", "/a/b", 2, O::MergeKey),
        ("x: &s {b: 1}\na:\n  b: 3\n  <<: *s\n", "/a/b", "/a/b", 4, O::MergeKey),
        ("x: &k b\na:\n  *k : 3\n", "/a/b", "/a/b", 3, O::Alias),
        ("a:\n  b: 3\n  !!binary Yg==: 4\n", "/a/b", "/a/b", 3, O::Tag),
        ("a:\n  !!str b: 3\n", "/a/b", "/a/b", 2, O::Tag),
    ] {
        let stream = stream(text);
        let obstacle = lookup(&stream, pointer).unwrap_err();
        let got = (obstacle.at.as_str(), obstacle.position.line, obstacle.kind);
        assert_eq!(got, (at, line, kind), "{text:?} {pointer}");
    }
}

#[test]
fn a_key_that_stands_twice_is_never_chosen_from() {
    for text in [
        "a: 1\na: 2\n",
        "a: 1\n\"a\": 2\n",
        "{a: 1, 'a': 2}\n",
        "x: &k a\na: 1\n*k : 2\n",
        "a: 1\nb: 0\n? a\n: 2\n",
    ] {
        let stream = stream(text);
        let obstacle = lookup(&stream, "/a").unwrap_err();
        assert!(
            matches!(obstacle.kind, ObstacleKind::DuplicateKey(_)),
            "{text:?}: {obstacle}"
        );
        assert_eq!(stream.documents()[0].root.duplicate_keys().len(), 1, "{text:?}");
    }
    let stream = stream("a:\n  - b: 1\n    c: 2\n    b: 3\nd: 4\na: 5\n");
    let duplicates = stream.documents()[0].root.duplicate_keys();
    let words: Vec<_> = duplicates.iter().map(ToString::to_string).collect();
    assert_eq!(
        words,
        [
            "line 4, column 5: the key \"b\" stands in this mapping already, on line 2",
            "line 6, column 1: the key \"a\" stands in this mapping already, on line 1",
        ]
    );
}

#[test]
fn an_anchor_that_no_alias_names_is_harmless() {
    let stream = stream("a: &n 1\nb: &m {c: 2}\n---\nc: &o 1\nd: *o\n");
    let root = stream.documents()[0].root;
    assert!(root.get("a").unwrap().unwrap().has_anchor());
    assert!(!root.get("a").unwrap().unwrap().is_shared());
    assert!(lookup(&stream, "/b/c").is_ok());
}

#[test]
fn an_anchor_name_used_again_shares_only_the_value_that_is_meant() {
    let stream = stream("a: &n 1\nb: *n\nc: &n 2\n");
    assert_eq!(lookup(&stream, "/a").unwrap_err().kind, ObstacleKind::SharedAnchor);
    assert!(lookup(&stream, "/c").is_ok());
}

#[test]
fn the_nearest_value_is_where_a_message_points() {
    let stream = stream("a:\n  b: !!x [1, 2]\n");
    let root = stream.documents()[0].root;
    for (pointer, source, key) in [
        ("/a/b/1", "2", None),
        ("/a/b/7", "[1, 2]", Some("b")),
        ("/a/c/d", "b: !!x [1, 2]", Some("a")),
        ("/z", "a:\n  b: !!x [1, 2]", None),
    ] {
        let found = root.nearest(Pointer::from_static(pointer));
        let got = (found.node.source(), found.key.and_then(Node::text));
        assert_eq!(got, (source, key), "{pointer}");
    }
}

#[test]
fn what_is_not_yaml_is_refused_with_its_place() {
    for (text, line, column) in [
        ("a: 1\nb: [\n", 2, 4),
        ("a:\n\tb: 1\n", 2, 2),
        ("a: 1\0b: 2\n", 1, 5),
        ("a: *n\n", 1, 4),
        ("a: {{ .Values.n }}{{ end }}\n", 1, 19),
        ("{{- if .x }}\na: 1\n{{- end }}\n", 1, 3),
        ("a: 'x\n", 1, 4),
        ("x: 1\n\u{feff}y: 2\n", 2, 1),
    ] {
        let error = Stream::parse(text).unwrap_err();
        assert!(matches!(error.kind, ParseErrorKind::Syntax(_)), "{text:?}: {error}");
        assert_eq!(
            (error.position.line, error.position.column),
            (line, column),
            "{text:?}: {error}"
        );
    }
}

/// Values of every kind, some of which need what is not there.
const VALUES: [&str; 30] = [
    "",
    "3",
    "x y",
    "~",
    "null",
    "\"x # y\"",
    "'it''s'",
    "\"\\u00e9\\\\\"",
    "\"m\n    n\"",
    "'m\n\n    n'",
    "m\n    n",
    "|\n    t\n\n",
    ">-\n    u\n    v",
    "{}",
    "[]",
    "{a: 1, \"b\":2, c}",
    "[x, 'y', [z], {}]",
    "[p: q, r]",
    "{a: [\n    1,\n    2,\n  ],\n  }",
    "&n 4",
    "*n",
    "&n",
    "!!str 5",
    "!x {a: 1}",
    "é🚀",
    "a:b",
    "-",
    "- 1",
    "{{ .x }}",
    "*n : 1",
];

/// Lines that often make a document together.
fn line() -> impl Strategy<Value = String> {
    let indent = prop::sample::select(["", "", "", "  ", "  ", "    "].as_slice());
    let start = prop::sample::select(
        [
            "a: ", "b: ", "c:   ", "\"d\": ", "e :\t", "- ", "-", "- f: ", "? ", "<<: ",
        ]
        .as_slice(),
    );
    let value = prop::sample::select(VALUES.as_slice());
    let end = prop::sample::select(["\n", "\n", "\n", " # c\n", "   \n", "\r\n", "\n\n", "\n  # é\n", ""].as_slice());
    let written =
        (indent, start, value, end).prop_map(|(indent, start, value, end)| [indent, start, value, end].concat());
    let marker = prop::sample::select(
        [
            "---\n",
            "--- # c\n",
            "...\n",
            "--- ",
            "%YAML 1.2\n",
            "\u{feff}",
            "# é\n",
        ]
        .as_slice(),
    );
    prop_oneof![9 => written, 1 => marker.prop_map(str::to_owned)]
}

fn yamlish() -> impl Strategy<Value = String> {
    prop::collection::vec(line(), 1..7).prop_map(|lines| lines.concat())
}

/// Checks the place of every value of a text against what the value is.
fn check_spans(text: &str) -> Result<(), TestCaseError> {
    let Ok(stream) = Stream::parse(text) else {
        return Ok(());
    };
    let mut from = 0;
    for document in stream.documents() {
        prop_assert_eq!(document.range.start, from);
        from = document.range.end;
    }
    prop_assert!(from == text.len() || stream.documents().is_empty());
    for node in values(&stream) {
        let source = node.source();
        if source.contains('\n') {
            continue;
        }
        match node.kind() {
            Kind::Scalar {
                text,
                style: ScalarStyle::Plain,
            } => prop_assert_eq!(source, text),
            Kind::Scalar {
                text,
                style: ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted,
            } => {
                let alone = Stream::parse(source);
                let alone = alone.as_ref().map(|alone| alone.documents()[0].root.text());
                prop_assert_eq!(alone, Ok(Some(text)), "{}", source);
            }
            Kind::Scalar { .. } => {}
            Kind::Alias => prop_assert!(source.starts_with('*')),
            Kind::Mapping { flow: true } => prop_assert!(source.starts_with('{') || source.contains(':'), "{}", source),
            Kind::Sequence { flow: true } => prop_assert!(source.starts_with('[') && source.ends_with(']')),
            Kind::Mapping { flow: false } | Kind::Sequence { flow: false } => {}
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100_000, ..ProptestConfig::default() })]

    #[test]
    fn a_span_is_the_text_of_its_value(text in yamlish()) {
        check_spans(&text)?;
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,60}") {
        check_spans(&text)?;
    }
}
