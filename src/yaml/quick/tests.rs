use std::path::Path;

use proptest::prelude::*;

use super::*;

/// Whether a text is read quickly. If it is, the parser must find the very same.
fn is_quick(text: &str) -> bool {
    let Some(quick) = quick(text) else { return false };
    let parsed = match Stream::parse(text) {
        Ok(parsed) => parsed,
        Err(error) => panic!("the parser refuses {text:?}: {error}"),
    };
    let pairs = quick.events.iter().zip(&parsed.events);
    for (index, (quick, parsed)) in pairs.enumerate() {
        assert_eq!(quick, parsed, "event {index} of {text:?}");
    }
    assert_eq!(quick.events.len(), parsed.events.len(), "{text:?}");
    assert!(parsed.anchors.is_empty(), "{text:?}");
    true
}

#[test]
fn plainly_written_yaml_is_read_quickly() {
    for text in [
        "a: 1\n",
        "a: 1",
        "# c\n\na:   1   # c\n  # d\nb: two words # c\n",
        "---\na: 1\n--- # c\nb: 2\n",
        "a:\nb:\n  c:\n  d: 1\n# tail\n",
        "a:\n- x\n- y: 1\n  z: 2\nb:\n  - x\n  -   y: 1\n      z:\n        - 2\nc: 3\n",
        "- a\n- b: 1\n- {c: d}\n",
        "a: {}\nb: []\nc: {d: 1, \"e\": 'f', g: [h, {i: j}], k: {}}\nd: [ a, b ]\n",
        "\"a\": 'b'\n'c': \"\"\nd: '#'\n",
        "a: --flag=1\nb:\n- --kube-api-qps=20\n- -v\n",
        "a: http://x.example:80/y?z#w\nb: v1.2\nc: ~\nd: 1:2\n",
        "  a: 1\n  b: 2\n",
        "a: b # c: d\n",
    ] {
        assert!(is_quick(text), "{text:?}");
    }
}

#[test]
fn everything_else_is_left_to_the_parser() {
    for text in [
        "",
        "\n",
        "# c\n",
        "---\n",
        "---\n---\na: 1\n",
        "a: 1\n...\n",
        "%YAML 1.2\n---\na: 1\n",
        "--- a\n",
        "a\n",
        "a:\tb\n",
        "a: é\n",
        "\u{feff}a: 1\n",
        "a: 1\r\n",
        "a: |\n  b\n",
        "a: >-\n  b\n",
        "a: &x 1\n",
        "a: *x\n",
        "a: !!str 1\n",
        "? a\n: b\n",
        "a: b\n  c\n",
        "a:\n  b\n",
        "a: \"b\n  c\"\n",
        "a: \"\\n\"\n",
        "a: 'it''s'\n",
        "a: b: c\n",
        "a: b:\n",
        "a: - b\n",
        "- - a\n",
        "-\n  a: 1\n",
        "- # c\n",
        "{a: 1}\n",
        "a: {b: 1,}\n",
        "a: {b, c: }\n",
        "a: [b: c]\n",
        "a: {b: 1\n  }\n",
        "a: {b:1}\n",
        "a: [a b]\n",
        "a: {{ .x }}\n",
        "<<: a\n",
        "a b: c\n",
        "a : b\n",
        "a: @b\n",
        "a: `b\n",
        "a: %b\n",
        "a: 1\n  b: 2\n",
        "a:\n    b: 1\n  c: 2\n",
        "a: 1\n- b\n",
        "- a\nb: 1\n",
        "a: 'b' c\n",
        "a: \"b\"#c\n",
        "a: []#c\n",
        "a: [b]]\n",
        "a: -\n",
    ] {
        assert!(!is_quick(text), "{text:?}");
    }
    let deep: String = (0..40).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
    assert!(!is_quick(&deep));
    assert!(!is_quick(&format!("{}: 1\n", "a".repeat(1_200))));
    assert!(!is_quick(&"a: 1\n".repeat(MAX_BYTES / 4)));
}

fn manifests(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            manifests(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            found.extend(std::fs::read_to_string(&path));
        }
    }
}

/// The manifests that this repository ships.
fn shipped() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in ["fixtures", "policies", "deploy"] {
        manifests(&root.join(folder), &mut found);
    }
    found.sort();
    found
}

#[test]
fn most_of_what_people_write_is_read_quickly() {
    let shipped = shipped();
    let quick = shipped.iter().filter(|text| is_quick(text)).count();
    assert!(quick * 2 > shipped.len(), "{quick} of {}", shipped.len());
}

/// Pieces that mean something to YAML, and some that do not.
const PIECES: [&str; 44] = [
    "\n", "\n", "\n  ", "\n- ", "\n  - ", "\n    ", "\na: ", "\n  b:", "\n---\n", "\n...\n", "\n# c\n", " ", "  ", "-",
    "- ", ":", ": ", "#", " #", ",", ", ", "{", "}", "[", "]", "{}", "[]", "\"", "'", "\\", "&x ", "*x", "!t ", "|",
    ">", "%", "@", "`", "?", "? ", "~", "a", "1", "---",
];

/// A text with some of its characters gone and other pieces in their places.
fn damaged() -> impl Strategy<Value = String> {
    let shipped: Vec<String> = shipped().into_iter().filter(|text| text.len() < 1_500).collect();
    let seeds: Vec<String> = shipped
        .into_iter()
        .filter(|text| quick(text).is_some())
        .chain(
            [
                "a: 1\nb:\n  - c\n  - d: e\n    f: {g: h, i: [j, k]}\nl: 'm'\n",
                "---\na:\n- b: 1\n  c:\n  - d\ne: \"f\"\n---\ng: h # i\n",
            ]
            .map(str::to_owned),
        )
        .collect();
    let wound = (
        any::<prop::sample::Index>(),
        0..4_usize,
        prop::sample::select(PIECES.as_slice()),
    );
    let wounds = prop::collection::vec(wound, 1..4);
    (prop::sample::select(seeds), wounds).prop_map(|(mut text, wounds)| {
        for (place, gone, piece) in wounds {
            let from = text.floor_char_boundary(place.index(text.len() + 1));
            let to = text.floor_char_boundary((from + gone).min(text.len()));
            text.replace_range(from..to, piece);
        }
        text
    })
}

/// Pieces in any order.
fn jumbled() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES.as_slice()), 1..12).prop_map(|pieces| pieces.concat())
}

/// Lines as people write them, at any indentation.
fn lined() -> impl Strategy<Value = String> {
    let indent = prop::sample::select(["", "", "", " ", "  ", "  ", "    ", "      "].as_slice());
    let start = prop::sample::select(
        [
            "a:", "b: ", "\"c\":  ", "'d': ", "- ", "-", "- e: ", "-   f:", "- - ", "# ", "---", "--- ", "",
        ]
        .as_slice(),
    );
    let value = prop::sample::select(
        [
            "",
            "",
            "",
            "1",
            "x y",
            "\"x: y\"",
            "'# z'",
            "{}",
            "[]",
            "{g: 1, h: [i, 'j']}",
            "[ 1, {k: \"l\"} ]",
            "-1",
            "--m=n",
            "a:b",
            "~",
            "null",
            "http://o/p#q",
            "- r",
            "x # s",
            "\"t\" u",
            "{v}",
            "w:",
            "x: y",
        ]
        .as_slice(),
    );
    let end = prop::sample::select(
        [
            "\n",
            "\n",
            "\n",
            "\n",
            " # c\n",
            "#c\n",
            "  \n",
            "\n\n",
            "\n  # c\n",
            "",
        ]
        .as_slice(),
    );
    let line = (indent, start, value, end).prop_map(|(indent, start, value, end)| [indent, start, value, end].concat());
    prop::collection::vec(line, 1..8).prop_map(|lines| lines.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn the_parser_finds_the_same_in_a_damaged_text(text in damaged()) {
        is_quick(&text);
    }

    #[test]
    fn the_parser_finds_the_same_in_lines_of_any_indentation(text in lined()) {
        is_quick(&text);
    }

    #[test]
    fn the_parser_finds_the_same_in_jumbled_pieces(text in jumbled()) {
        is_quick(&text);
    }
}
