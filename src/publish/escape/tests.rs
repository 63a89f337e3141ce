use comrak::nodes::NodeValue;
use comrak::{Arena, Options, parse_document};
use proptest::prelude::*;

use super::*;

/// Parses Markdown as GitHub does and names every node that is neither text nor code nor the frame that we wrote around it.
fn active(markdown: &str) -> (Vec<String>, String) {
    let mut options = Options::default();
    options.extension.autolink = true;
    options.extension.table = true;
    options.extension.strikethrough = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    options.extension.math_dollars = true;
    options.extension.math_code = true;
    options.extension.alerts = true;
    let arena = Arena::new();
    let (mut found, mut text) = (Vec::new(), String::new());
    for node in parse_document(&arena, markdown, &options).descendants() {
        match &node.data.borrow().value {
            NodeValue::Text(content) => text.push_str(content),
            NodeValue::Code(code) => text.push_str(&code.literal),
            NodeValue::Document
            | NodeValue::Paragraph
            | NodeValue::List(_)
            | NodeValue::Item(_)
            | NodeValue::Table(_)
            | NodeValue::TableRow(_)
            | NodeValue::TableCell => {}
            other => found.push(format!("{other:?}")),
        }
    }
    (found, text)
}

/// The places where outside text may stand.
fn frames(inert: &str) -> [String; 4] {
    [
        format!("before {inert} after\n"),
        format!("- {inert}\n"),
        format!("{inert}\n"),
        format!("| a | b |\n|---|---|\n| {inert} | end |\n"),
    ]
}

fn check_inert(outside: &str) {
    for (inert, is_code) in [(text(outside), false), (code(outside), true)] {
        assert!(!inert.contains('\n'), "{inert:?}");
        for markdown in frames(&inert) {
            let (found, rendered) = active(&markdown);
            assert!(found.is_empty(), "{outside:?} -> {markdown:?}: {found:?}");
            assert!(
                rendered
                    .chars()
                    .all(|c| c == ZERO_WIDTH_SPACE || !(c.is_control() || is_unseen(c)))
            );
            if !is_code {
                let pairs: Vec<char> = rendered.chars().collect();
                for pair in pairs.windows(2) {
                    assert!(
                        !matches!(pair, ['@' | '#' | '!', next] if *next != ZERO_WIDTH_SPACE),
                        "{rendered:?}"
                    );
                }
            }
        }
        // A table drops cells that are too many, so a pipe that gets through shows in what the last cell holds.
        let (_, table) = active(&frames(&inert)[3]);
        assert!(table.starts_with("ab") && table.ends_with("end"), "{inert:?}");
    }
}

#[test]
fn known_attacks_are_inert() {
    for attack in [
        "@org/team please look",
        "Fixes #1, closes org/repo#2 and GH-3",
        "<img src=x onerror=alert(1)>",
        "![x](http://evil.example/x.png)",
        "[click](javascript:alert(1))",
        "[click][1] [^1] [ ] [x]",
        "a | b | c \\| d",
        "`` ` ``` code ```` `",
        "`",
        "``",
        "line\n\n# heading\n\n- [ ] task\n> quote",
        "\u{202e}gnp.exe",
        "\u{200b}\u{feff}\u{2066}\u{e0041}",
        "\u{1b}[31mred\u{7}\0",
        "--> <!-- fleetscale: {} -->",
        "<details><summary>x</summary>",
        "https://evil.example www.evil.example http://x.y mail@evil.example mailto:a@b.cc xmpp:a@b.cc ftp://x.y",
        "**bold** _it_ ~~gone~~ $math$ $`x`$ $$y$$",
        "1. one",
        "2) two",
        "- minus",
        "+ plus",
        "= equals",
        "---",
        "===",
        "***",
        "    indented",
        "&copy; &#64;org &amp;",
        "trailing \\",
        "\\",
        "[!NOTE]",
        "",
        "   ",
    ] {
        check_inert(attack);
    }
}

#[test]
fn plain_words_come_out_as_they_went_in() {
    for plain in [
        "P1: cpu 97.3 % over 1h, above 95 %",
        "no down: memory/24h is stale (no sample since 2026-03-01T12:00:00Z)",
        "apps/blue.yaml:12: the file is a template",
        "room for 12 of 500 clusters, the most of 3 shards that can take it",
        "Grüße, 東京 🚀",
    ] {
        assert_eq!(text(plain), plain);
        assert_eq!(code(plain), format!("`{plain}`"));
    }
}

#[test]
fn a_long_text_is_cut() {
    assert_eq!(text(&"x".repeat(1_000)).chars().count(), LONGEST + 1);
}

#[test]
fn a_word_has_no_room_for_an_instruction() {
    assert_eq!(word("512Mi"), "512Mi");
    assert_eq!(word("[skip ci] @all\n#1"), "?skip?ci???all??1");
    assert_eq!(word(""), "?");
    assert_eq!(word(&"9".repeat(50)).len(), 41);
}

#[test]
fn json_in_a_comment_is_the_same_json_and_ends_nothing() {
    let value = serde_json::json!({"a": "--> <!-- --!> @org #1 & ---", "--": ["-", "--"]});
    let hidden = json_in_comment(&value.to_string());
    assert!(!hidden.contains("--") && !hidden.contains('>') && !hidden.contains('@') && !hidden.contains('#'));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&hidden).unwrap(), value);
}

fn nasty() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[ -~]{0,6}",
        4 => prop::sample::select(vec![
            "@org/x", "#12", "GH-1", "`", "``", "```", "|", "\\", "\\|", "<!--", "-->", "<b>", "](", "[", "![", "*", "**", "_", "~~", "$",
            "$$", "\n", "\n\n", "\r", "\t", "    ", "- ", "+ ", "1. ", "1) ", "> ", "# ", "http://a.bc", "https://", "www.a.bc", "a@b.cc",
            "&amp;", "&#64;", "\u{202e}", "\u{200d}", "\u{0}", "\u{1b}[0m", "---", "===", ":", "//", "www", ".",
        ]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_inert(outside in nasty()) {
        check_inert(&outside);
    }
}
