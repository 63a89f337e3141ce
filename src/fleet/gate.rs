//! Whether a file's text may be edited at all, whatever it declares.
//!
//! Everything here errs towards refusing: a file that is refused by mistake is named with its reason and its line, and a person moves the
//! value elsewhere. A file that is edited by mistake breaks a checksum, is overwritten by its generator, or means something else after
//! rendering.

use std::ops::Range;

use memchr::memmem;

use crate::model::{Refusal, RepoPath};
use crate::yaml::{self, Kind, Node, ParseError, ParseErrorKind, Position, ScalarStyle, Stream};

use super::tree::FleetTree;

/// Why something can't be changed, and on which line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refused {
    /// The line, counted from 1; 0 for the whole file.
    pub line: usize,
    /// Why.
    pub refusal: Refusal,
}

impl Refused {
    /// A refusal of a line.
    pub(super) fn at(line: usize, refusal: Refusal) -> Self {
        Self { line, refusal }
    }

    /// A refusal of a line in words of its own.
    pub(super) fn shape(line: usize, message: impl Into<String>) -> Self {
        let message = message.into();
        Self::at(line, Refusal::WrongShape { message })
    }
}

/// The first line of a Git LFS pointer (the LFS specification's `version` key, which comes first).
const LFS_POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";

/// The bytes as text, if they are text that lives in this repository.
pub(super) fn text(bytes: &[u8]) -> Result<&str, Refused> {
    if bytes.starts_with(LFS_POINTER) {
        return Err(Refused::at(0, Refusal::LfsPointer));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Ok(text),
        _ => Err(Refused::at(0, Refusal::NotText)),
    }
}

/// What a file that does not parse is refused for: most often it is a template.
pub(super) fn unparsed(text: &str, error: ParseError) -> Refused {
    let ParseError { position, kind } = error;
    if let Some(offset) = template_marks(text).next() {
        // Within a scalar the parser's line is the nearest one that is known.
        let first = Position::of(text, offset).line;
        return Refused::at(first.max(position.line), Refusal::Template);
    }
    let message = kind.to_string();
    let refusal = match kind {
        ParseErrorKind::Syntax(_) => Refusal::NotYaml {
            message: format!("{position}: {}", message.trim_start_matches("not valid YAML: ")),
        },
        ParseErrorKind::TooLong { bytes } => Refusal::TooLarge {
            bytes: u64::try_from(bytes).unwrap_or(u64::MAX),
        },
        ParseErrorKind::TooDeep | ParseErrorKind::TooManyAliases | ParseErrorKind::TooManyEvents => {
            Refusal::TooComplex { message }
        }
    };
    Refused::at(position.line, refusal)
}

/// What stands against every edit of a file that does parse.
pub(super) fn standing(tree: &FleetTree, path: &RepoPath, stream: &Stream<'_>) -> Option<Refused> {
    line_breaks(stream)
        .or_else(|| sops(stream))
        .or_else(|| in_chart(tree, path).then_some(Refused::at(0, Refusal::Template)))
        .or_else(|| ambiguous(stream))
        .or_else(|| template(stream))
        .or_else(|| generated(stream.text()))
}

/// What stands against every edit of a text that a scalar holds.
pub(super) fn standing_text(stream: &Stream<'_>) -> Option<Refused> {
    line_breaks(stream)
        .or_else(|| ambiguous(stream))
        .or_else(|| template(stream))
}

/// What is something else to some readers.
fn ambiguous(stream: &Stream<'_>) -> Option<Refused> {
    let offset = yaml::ambiguous(stream.text())?;
    let message = "an anchor, an alias or a key is another one to some readers".to_owned();
    Some(Refused::at(stream.position(offset).line, Refusal::NotYaml { message }))
}

/// YAML 1.1, which the parsers of Kubernetes' tools follow, breaks lines at U+0085, U+2028 and U+2029 and YAML 1.2 does not; a carriage
/// return alone breaks a line for both and for no editor. What is a comment here may be a value there.
fn line_breaks(stream: &Stream<'_>) -> Option<Refused> {
    let bytes = stream.text().as_bytes();
    let strange = ["\u{85}", "\u{2028}", "\u{2029}"]
        .iter()
        .filter(|_| !bytes.is_ascii())
        .find_map(|text| memmem::find(bytes, text.as_bytes()));
    let lone = || memchr::memchr_iter(b'\r', bytes).find(|offset| bytes.get(offset + 1) != Some(&b'\n'));
    let offset = strange.or_else(lone)?;
    let message = "it holds a character that ends a line for some readers only".to_owned();
    Some(Refused::at(stream.position(offset).line, Refusal::NotYaml { message }))
}

/// SOPS keeps a MAC over all values under the key `sops`, the plain ones included.
fn sops(stream: &Stream<'_>) -> Option<Refused> {
    for document in stream.documents() {
        for entry in document.root.entries().filter(|entry| entry.key_text() == Some("sops")) {
            if entry.value.entries().any(|inner| inner.key_text() == Some("mac")) {
                return Some(Refused::at(entry.key.position().line, Refusal::Sops));
            }
        }
    }
    let offset = memmem::find(stream.text().as_bytes(), b"ENC[AES256_GCM,")?;
    Some(Refused::at(stream.position(offset).line, Refusal::Sops))
}

/// Files in the `templates` folder of a Helm chart are templates, even those without a mark: what the chart makes of their names and how
/// often it renders them is not written in them.
fn in_chart(tree: &FleetTree, path: &RepoPath) -> bool {
    // Nearly no path is worth being taken apart.
    if !path.as_str().contains("templates/") {
        return false;
    }
    let mut folder = path.parent();
    while let Some(inner) = folder {
        let outer = inner.parent();
        if inner.file_name() == "templates" {
            let chart = match &outer {
                Some(outer) => outer.join("Chart.yaml"),
                None => "Chart.yaml".parse(),
            };
            if chart.is_ok_and(|chart| tree.mode(&chart).is_some()) {
                return true;
            }
        }
        folder = outer;
    }
    false
}

/// Where the marks of Go templates and Jinja stand.
fn template_marks(text: &str) -> impl Iterator<Item = usize> {
    memchr::memchr_iter(b'{', text.as_bytes())
        .filter(|offset| matches!(text.as_bytes().get(offset + 1), Some(b'{' | b'%')))
}

/// Where comments begin in which ytt has its code (`#@`): it may write the value beside them, or leave it out.
fn ytt_marks(text: &str) -> impl Iterator<Item = usize> {
    let begins = |offset: &usize| text[..*offset].chars().next_back().is_none_or(char::is_whitespace);
    memmem::find_iter(text.as_bytes(), b"#@").filter(begins)
}

/// A mark outside of quotes and block scalars.
///
/// Within them it is text that something in the cluster expands: an alert's words, a workflow's parameters. Elsewhere, comments included,
/// a template engine runs it: charts hide their conditions behind `#` to stay valid YAML.
fn template(stream: &Stream<'_>) -> Option<Refused> {
    let mut marks = template_marks(stream.text()).chain(ytt_marks(stream.text())).peekable();
    marks.peek()?;
    let texts = quoted_spans(stream);
    let exposed = marks.find(|offset| {
        let behind = texts.partition_point(|span| span.start <= *offset);
        !texts[..behind].last().is_some_and(|span| span.contains(offset))
    })?;
    Some(Refused::at(stream.position(exposed).line, Refusal::Template))
}

/// The spans of all scalars in quotes or blocks, in the order of the text.
fn quoted_spans(stream: &Stream<'_>) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let mut open: Vec<Node<'_>> = stream.documents().iter().map(|document| document.root).collect();
    while let Some(node) = open.pop() {
        match node.kind() {
            Kind::Scalar { style, .. } if style != ScalarStyle::Plain => spans.push(node.span()),
            Kind::Scalar { .. } | Kind::Alias => {}
            Kind::Mapping { .. } => open.extend(node.entries().flat_map(|entry| [entry.key, entry.value])),
            Kind::Sequence { .. } => open.extend(node.items()),
        }
    }
    spans.sort_by_key(|span| span.start);
    spans
}

/// A comment above the first value that tells people to keep their hands off.
///
/// `clusterctl generate` and the like also say that they generated something, and people own such files from then on: only the request not
/// to edit counts.
fn generated(text: &str) -> Option<Refused> {
    let lines = text.trim_start_matches('\u{feff}').lines().enumerate();
    let header = lines
        .map(|(index, line)| (index + 1, line.trim()))
        .take_while(|(_, line)| line.is_empty() || line.starts_with(['#', '%']) || *line == "---");
    // Nearly no header is worth being put together. All words that count are of ASCII letters.
    let verbs = ["edit", "modify", "change", "@generated"];
    let may_ask = |line: &str| verbs.iter().any(|verb| mentions(line, verb));
    if !header.clone().any(|(_, line)| may_ask(line)) {
        return None;
    }
    let comments: Vec<(usize, String)> = header
        .filter_map(|(line, text)| Some((line, text.strip_prefix('#')?.to_lowercase())))
        .collect();
    let whole: Vec<&str> = comments
        .iter()
        .flat_map(|(_, comment)| comment.split_whitespace())
        .collect();
    let whole = whole.join(" ").replace("don't", "do not");
    let hands_off = ["edit", "modify", "change"].map(|verb| format!("do not {verb}"));
    let asked = hands_off.iter().any(|words| {
        whole.contains(&format!("{words} this file")) || whole.contains("generated") && whole.contains(words)
    });
    if !asked && !whole.contains("@generated") {
        return None;
    }
    let line = comments
        .iter()
        .find(|(_, comment)| comment.contains("generated") || comment.contains("not"));
    Some(Refused::at(line.map_or(0, |(line, _)| *line), Refusal::Generated))
}

/// Whether a text has a word in it, in letters of either case.
fn mentions(text: &str, word: &str) -> bool {
    text.as_bytes()
        .windows(word.len())
        .any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, bytes: &[u8]) -> Option<(usize, &'static str)> {
        let base = "0".repeat(40).parse().unwrap();
        let tree = FleetTree::from_files(base, [(path, bytes), ("chart/Chart.yaml", b"")]).unwrap();
        let path = path.parse().unwrap();
        let refused = match text(tree.file(&path).unwrap()) {
            Err(refused) => Some(refused),
            Ok(text) => match Stream::parse(text) {
                Err(error) => Some(unparsed(text, error)),
                Ok(stream) => standing(&tree, &path, &stream),
            },
        };
        refused.map(|Refused { line, refusal }| (line, refusal.id()))
    }

    #[test]
    fn a_text_that_people_write_passes() {
        for text in [
            "",
            "a: 1\n",
            "\u{feff}a: 1\r\n",
            "# owned by the platform team\na: {b: {c: 1}}\n",
            "summary: \"{{ $labels.node }} is full\"\nother: '{{x}}'\n? '{{ k }}'\n: 1\n",
            "run: |\n  docker ps --format '{{ .Names }}'\nmore: >-\n  {{ x }}\n",
            "# This file was generated by clusterctl\na: 1\n",
            "a: 1\n# generated, do not edit\n",
            "sops: is a tool\nx: {sops: {mac: 1}}\n",
        ] {
            assert_eq!(check("a.yaml", text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn a_file_that_an_edit_would_break_is_refused_with_its_line() {
        for (text, line, refusal) in [
            (&b"\xff\xfea\0:\0"[..], 0, "not-text"),
            (b"a: \xe9\n", 0, "not-text"),
            (b"a: \"\0\"\n", 0, "not-text"),
            (
                b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n",
                0,
                "lfs-pointer",
            ),
            (b"a: 1\nsops:\n  version: 3\n  mac: ENC[AES256_GCM,data:x]\n", 2, "sops"),
            (b"a: 1\n---\n{\"sops\": {\"mac\": \"x\"}}\n", 3, "sops"),
            (b"a: 1\nb: ENC[AES256_GCM,data:x,type:str]\n", 2, "sops"),
            (b"a: 1\nb: {{ .Values.b }}\n", 2, "template"),
            (b"a: 1\nb: x-{{ .Values.b }}\n", 2, "template"),
            (b"{{- if .Values.a }}\na: 1\n{{- end }}\n", 1, "template"),
            (b"a: 1\n# {{ if .Values.b }}\nb: '{{ 1 }}'\n", 2, "template"),
            (b"a: 1\n{% if b %}\n", 2, "template"),
            (b"a: 1\nb: 2 #@ data.values.b\n", 2, "template"),
            (b"a: 1\n#@overlay/match missing_ok=True\nb: 2\n", 2, "template"),
            (
                b"# This manifest was generated by flux. DO NOT EDIT.\n---\na: 1\n",
                1,
                "generated",
            ),
            (
                b"---\n# Code generated by x;\n#   don't\n#   modify.\na: 1\n",
                2,
                "generated",
            ),
            (b"\xef\xbb\xbf# @generated\r\na: 1\r\n", 1, "generated"),
            (
                b"# Owner: a team\n# Please do not edit this file\na: 1\n",
                2,
                "generated",
            ),
            ("a: 1\n# \u{2028}b: 2\n".as_bytes(), 2, "not-yaml"),
            ("a: 1\nb: \u{85}\n".as_bytes(), 2, "not-yaml"),
            (b"a: 1\r\nb: 1\rc: 1\r\n", 2, "not-yaml"),
            (b"a: 1\nb: [\n", 2, "not-yaml"),
            (b"a:\n\tb: 2\n", 2, "not-yaml"),
        ] {
            assert_eq!(
                check("a.yaml", text),
                Some((line, refusal)),
                "{}",
                String::from_utf8_lossy(text)
            );
        }
        let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
        assert_eq!(check("a.yaml", deep.as_bytes()).map(|(_, id)| id), Some("too-complex"));
        let aliases = format!("a: &a 1\nb: [{}]\n", "*a, ".repeat(101));
        assert_eq!(
            check("a.yaml", aliases.as_bytes()).map(|(_, id)| id),
            Some("too-complex")
        );
    }

    #[test]
    fn a_file_among_a_charts_templates_is_a_template() {
        assert_eq!(check("chart/templates/md.yaml", b"a: 1\n"), Some((0, "template")));
        assert_eq!(check("chart/templates/x/md.yaml", b"a: 1\n"), Some((0, "template")));
        assert_eq!(check("chart/values.yaml", b"a: 1\n"), None);
        assert_eq!(check("templates/md.yaml", b"a: 1\n"), None);
    }
}
