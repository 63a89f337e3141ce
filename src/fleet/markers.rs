//! Markers: `replicas: 3 # {"$fleetscale": "workers"}`, by which people say what a number is, in the form that Flux's setters have.
//!
//! A marker is a comment behind the one value of its line. Comments are no part of what a parser says, so the token is looked for in the
//! bytes first, and only files that have it are parsed for it. What a marker means is not known here.

use std::collections::BTreeMap;
use std::ops::Range;

use json_patch::jsonptr::PointerBuf;
use memchr::{memchr, memrchr};

use crate::model::{Refusal, RepoPath, Unbound};
use crate::yaml::{Node, Stream};

use super::document::Manifest;
use super::gate::Refused;
use super::screen::is_manifest_name;
use super::tree::FleetTree;

/// What a marker has in it and hardly anything else does.
pub(super) const TOKEN: &str = "$fleetscale";

/// The most markers of one file. Nobody writes as many; each is held against everything that its file declares.
const MOST_MARKERS: usize = 5_000;

/// A marker with the value that it stands behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Marker {
    /// The file.
    pub(super) path: RepoPath,
    /// The line, counted from 1.
    pub(super) line: usize,
    /// What it says.
    pub(super) text: String,
    /// Which document of the file's stream, counted from 0.
    pub(super) document: usize,
    /// The value within that document.
    pub(super) pointer: PointerBuf,
}

/// Lists the markers of a tree in the order of paths and lines, and what looks like one and is none.
pub(super) fn read(tree: &FleetTree) -> (Vec<Marker>, Vec<Unbound>) {
    let (mut markers, mut unbound) = (Vec::new(), Vec::new());
    let finder = memchr::memmem::Finder::new(TOKEN);
    for (path, bytes) in tree.kept() {
        if !is_manifest_name(path.file_name()) || finder.find(bytes).is_none() {
            continue;
        }
        let mut wrong = |Refused { line, refusal }| {
            unbound.push(Unbound {
                path: path.clone(),
                line,
                what: "marker".to_owned(),
                refusal,
            });
        };
        let manifest = match Manifest::open(tree, path) {
            Ok(manifest) => manifest,
            Err(refused) => {
                wrong(refused);
                continue;
            }
        };
        let stream = manifest.stream();
        let values = Values::of(stream);
        for (count, offset) in finder.find_iter(bytes).enumerate() {
            if count == MOST_MARKERS {
                let message = format!("the file has more than {MOST_MARKERS} markers");
                wrong(Refused::at(
                    stream.position(offset).line,
                    Refusal::TooComplex { message },
                ));
                break;
            }
            match values.marked(stream, offset) {
                None => {}
                Some(Err(refused)) => wrong(refused),
                Some(Ok((text, value))) => markers.push(Marker {
                    path: path.clone(),
                    line: stream.position(offset).line,
                    text,
                    document: value.document,
                    pointer: PointerBuf::from_tokens(value.tokens.iter().map(String::as_str)),
                }),
            }
        }
    }
    (markers, unbound)
}

/// A value that is no mapping and no list.
#[derive(Debug)]
struct Value {
    document: usize,
    tokens: Vec<String>,
    span: Range<usize>,
}

/// Everything in a text that is no comment and no punctuation.
#[derive(Debug, Default)]
struct Values {
    values: Vec<Value>,
    /// The ends of keys by their starts.
    keys: BTreeMap<usize, usize>,
}

impl Values {
    fn of(stream: &Stream<'_>) -> Self {
        let mut found = Self::default();
        for (index, document) in stream.documents().into_iter().enumerate() {
            found.add(index, document.root, &mut Vec::new());
        }
        found
    }

    /// The parser bounds the depth.
    fn add(&mut self, document: usize, node: Node<'_>, tokens: &mut Vec<String>) {
        if !node.is_mapping() && !node.is_sequence() {
            self.values.push(Value {
                document,
                tokens: tokens.clone(),
                span: node.span(),
            });
        }
        for (index, item) in node.items().enumerate() {
            tokens.push(index.to_string());
            self.add(document, item, tokens);
            tokens.pop();
        }
        for entry in node.entries() {
            let span = entry.key.span();
            self.keys.insert(span.start, span.end);
            tokens.push(entry.key_text().unwrap_or_default().to_owned());
            self.add(document, entry.value, tokens);
            tokens.pop();
        }
    }

    /// The value or key that an offset lies in.
    fn around(&self, offset: usize) -> Option<Range<usize>> {
        let value = self.values.partition_point(|value| value.span.end <= offset);
        let value = self.values.get(value).map(|value| value.span.clone());
        let key = self.keys.range(..=offset).next_back();
        let key = key.map(|(start, end)| *start..*end);
        [value, key].into_iter().flatten().find(|span| span.contains(&offset))
    }

    /// What the marker at an offset says and what it is about; nothing if there is no comment at the offset.
    fn marked(&self, stream: &Stream<'_>, offset: usize) -> Option<Result<(String, &Value), Refused>> {
        let text = stream.text();
        let bytes = text.as_bytes();
        let start = memrchr(b'\n', &bytes[..offset]).map_or(0, |end| end + 1);
        let end = memchr(b'\n', &bytes[offset..]).map_or(bytes.len(), |end| offset + end);
        let line = stream.position(offset).line;
        if let Some(span) = self.around(offset) {
            // In a text of several lines it may be meant: that of an Argo CD Application is YAML itself.
            let several = text[span].contains('\n') && bytes[start..offset].contains(&b'#');
            let message =
                "it stands within a text, where markers are not read; name the place with the policy's writeTo";
            return several.then(|| Err(Refused::shape(line, message)));
        }
        // Values stand in the order of the text.
        let first = self.values.partition_point(|value| value.span.end <= start);
        let on_the_line = self.values[first..].iter().take_while(|value| value.span.end <= offset);
        let on_the_line: Vec<&Value> = on_the_line.filter(|value| !value.span.is_empty()).collect();
        let before = on_the_line.iter().map(|value| value.span.end).max().unwrap_or(start);
        let comment = before + memchr(b'#', &bytes[before..offset])?;
        let name = match name(&text[comment..end], offset - comment) {
            Some(name) => name,
            None => {
                let message = format!("it can't be read; write it like `# {{\"{TOKEN}\": \"workers\"}}`");
                return Some(Err(Refused::shape(line, message)));
            }
        };
        Some(match on_the_line[..] {
            [value] => Ok((name, value)),
            [] => Err(Refused::shape(
                line,
                "there is no value on its line; put it behind the number",
            )),
            _ => {
                let message = "more than one value stands on its line; give the number a line of its own";
                Err(Refused::shape(line, message))
            }
        })
    }
}

/// The text of the marker that has its token at an offset of a comment.
fn name(comment: &str, token: usize) -> Option<String> {
    let brace = comment[..token].rfind('{')?;
    let mut objects = serde_json::Deserializer::from_str(&comment[brace..]).into_iter();
    let object: serde_json::Map<String, serde_json::Value> = objects.next()?.ok()?;
    let name = object.get(TOKEN)?.as_str()?;
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::testing::tree;

    /// The markers of a file, a line each, and what is none.
    fn read_text(text: &str) -> Vec<String> {
        let (markers, unbound) = read(&tree(&[("a.yaml", text)]));
        let markers = markers.iter().map(|marker| {
            let Marker {
                path: _,
                line,
                text,
                document,
                pointer,
            } = marker;
            format!("{line}: {text} {document}{pointer}")
        });
        let unbound = unbound
            .iter()
            .map(|unbound| format!("{}: {}", unbound.line, unbound.refusal));
        markers.chain(unbound).collect()
    }

    #[test]
    fn a_marker_is_a_comment_behind_a_value() {
        for (text, expected) in [
            ("a: 3 # {\"$fleetscale\": \"workers\"}\n", &["1: workers 0/a"][..]),
            ("a: 3 # why, {\"$fleetscale\":\"w\"}", &["1: w 0/a"]),
            (
                "a: 3 # {\"$imagepolicy\": \"a:b\"} {\"$fleetscale\": \"w\"}\r\n",
                &["1: w 0/a"],
            ),
            (
                "x: 1\n---\nl:\n- b:\n    '3' # {\"$fleetscale\": \"w\"}\n",
                &["5: w 1/l/0/b"],
            ),
            (
                "a/b:\n  - --qps=20 # {\"$fleetscale\": \"capi:kube-api-qps\"}\n",
                &["2: capi:kube-api-qps 0/a~1b/0"],
            ),
            ("x: &x 3\na: *x # {\"$fleetscale\": \"w\"}\n", &["2: w 0/a"]),
            // Not a comment.
            ("a: '# {\"$fleetscale\": \"w\"}'\n", &[]),
            ("$fleetscale: 1\n", &[]),
            ("a: |\n  see $fleetscale\n", &[]),
            ("a: 3\n", &[]),
        ] {
            assert_eq!(read_text(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_file_has_so_many_markers_and_no_more() {
        let found = read_text(&"- 3 # {\"$fleetscale\": \"w\"}\n".repeat(MOST_MARKERS + 2));
        assert_eq!(found.len(), MOST_MARKERS + 1);
        assert!(
            found[MOST_MARKERS].contains("more than 5000 markers"),
            "{}",
            found[MOST_MARKERS]
        );
    }

    #[test]
    fn a_marker_that_is_none_says_why() {
        for (text, expected) in [
            ("# {\"$fleetscale\": \"w\"}\na: 3\n", "1: there is no value on its line"),
            (
                "a: # {\"$fleetscale\": \"w\"}\n  b: 3\n",
                "1: there is no value on its line",
            ),
            ("a: {b: 1, c: 3} # {\"$fleetscale\": \"w\"}\n", "1: more than one value"),
            ("a: 3 # {$fleetscale: w}\n", "1: it can't be read"),
            ("a: 3 # {\"$fleetscale\": 3}\n", "1: it can't be read"),
            ("a: 3 # $fleetscale w\n", "1: it can't be read"),
            (
                "v: |\n  a: 3 # {\"$fleetscale\": \"w\"}\n",
                "2: it stands within a text",
            ),
            ("a: [ # {\"$fleetscale\": \"w\"}\n", "not valid YAML"),
        ] {
            let found = read_text(text);
            assert!(found.len() == 1 && found[0].contains(expected), "{text:?}: {found:?}");
        }
    }
}
