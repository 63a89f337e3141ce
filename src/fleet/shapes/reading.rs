//! What is written at a place, and whether it can be replaced there.

use json_patch::jsonptr::PointerBuf;

use crate::fleet::document::{self, Document};
use crate::fleet::find::find;
use crate::fleet::gate::Refused;
use crate::model::{Embedded, Form, Place, Refusal, Scalar, Site};
use crate::yaml::{Kind, Node, ScalarStyle};

/// A value and its site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::fleet) struct Reading {
    /// The value as far as it can be read, even where it can't be changed.
    pub(in crate::fleet) value: Option<Scalar>,
    /// Where it is written, or why it can't be changed there.
    pub(in crate::fleet) site: Site,
    /// Whether the key is there, with a value or with null. A patch without the key leaves the value to what it patches.
    pub(in crate::fleet) written: bool,
    /// The hold annotations of whatever declares it.
    pub(in crate::fleet) holds: Vec<String>,
}

impl Reading {
    /// Makes the site refused, unless it is already. Of a value that has another owner, the line of the value counts.
    pub(in crate::fleet) fn refuse(&mut self, document: &Document<'_>, refused: Option<Refused>) {
        match (&self.site, refused) {
            (Site::Writable(_), Some(Refused { refusal, .. })) if matches!(refusal, Refusal::Owned { .. }) => {
                self.refuse_as(refusal);
            }
            (Site::Writable(_), Some(refused)) => self.site = site_refused(document, refused),
            _ => {}
        }
    }

    /// Makes the site refused for a reason that lies elsewhere, unless it is already.
    pub(in crate::fleet) fn refuse_as(&mut self, refusal: Refusal) {
        self.site.refuse(None, || refusal);
    }

    /// A value that is nowhere.
    pub(in crate::fleet) fn unwritten(document: &Document<'_>, refused: Refused) -> Self {
        Self {
            value: None,
            site: site_refused(document, refused),
            written: false,
            holds: Vec::new(),
        }
    }

    /// A value that is there and can't be changed.
    pub(in crate::fleet) fn refused(document: &Document<'_>, value: Option<Scalar>, refused: Refused) -> Self {
        Self {
            value,
            site: site_refused(document, refused),
            written: true,
            holds: Vec::new(),
        }
    }

    /// A value at a place of an object, unless the whole document is refused.
    pub(in crate::fleet) fn at(
        document: &Document<'_>,
        value: Option<Scalar>,
        pointer: PointerBuf,
        line: usize,
        form: Form,
    ) -> Self {
        let site = match &document.standing {
            Some(refused) => site_refused(document, refused.clone()),
            None => Site::Writable(place(document, pointer, line, form)),
        };
        Self {
            value,
            site,
            written: true,
            holds: Vec::new(),
        }
    }
}

fn place(document: &Document<'_>, pointer: PointerBuf, line: usize, form: Form) -> Place {
    let path = document.path.clone();
    let (index, key) = (document.index, document.key.clone());
    match &document.outer {
        None => Place {
            path,
            document: index,
            object: key,
            pointer,
            embedded: None,
            line,
            form,
        },
        Some(outer) => Place {
            path,
            document: outer.index,
            object: outer.key.clone(),
            pointer: outer.pointer.clone(),
            embedded: Some(Box::new(Embedded {
                document: index,
                object: key,
                pointer,
            })),
            line,
            form,
        },
    }
}

pub(in crate::fleet) fn site_refused(document: &Document<'_>, refused: Refused) -> Site {
    let Refused { line, refusal } = refused;
    Site::Refused {
        path: Some(document.path.clone()),
        line,
        refusal,
    }
}

/// Reads the whole number below an object's root.
///
/// An integer is what every reader of YAML takes for the same number: decimal digits without sign, quotes and leading zeros, below a
/// billion. Whatever else stands there is a value that some reader sees differently.
pub(in crate::fleet) fn integer(document: &Document<'_>, below: &[&str]) -> Reading {
    let pointer = PointerBuf::from_tokens(below.iter().copied());
    let value = find(document.root, below).and_then(|node| decimal(node).ok());
    let found = match document.root.lookup(&pointer) {
        Ok(found) => found,
        Err(obstacle) => {
            let refused = document::refused(obstacle);
            // Only absence without a doubt leaves a patched value alone.
            return match refused.refusal {
                Refusal::Absent { .. } => Reading::unwritten(document, refused),
                _ => Reading::refused(document, value.map(Scalar::Integer), refused),
            };
        }
    };
    let line = found.node.position().line;
    match decimal(found.node) {
        Ok(number) => {
            let pointer = document.pointer(below);
            Reading::at(document, Some(Scalar::Integer(number)), pointer, line, Form::Scalar)
        }
        // That a file is a template says more than that `{{ n }}` is a mapping.
        Err(refusal) => {
            let refused = document.standing.clone().unwrap_or(Refused::at(line, refusal));
            Reading::refused(document, None, refused)
        }
    }
}

/// Reads the whole number that a text below an object's root is: `"3"`, as annotations and the data of ConfigMaps have it.
///
/// Without quotes the text is refused, since Kubernetes wants a text there. An edit keeps the quotes.
pub(in crate::fleet) fn text_integer(document: &Document<'_>, below: &[&str]) -> Reading {
    let pointer = PointerBuf::from_tokens(below.iter().copied());
    let found = match document.root.lookup(&pointer) {
        Ok(found) => found,
        Err(obstacle) => {
            let refused = document::refused(obstacle);
            return match refused.refusal {
                Refusal::Absent { .. } => Reading::unwritten(document, refused),
                _ => Reading::refused(document, None, refused),
            };
        }
    };
    let line = found.node.position().line;
    let number = match found.node.kind() {
        Kind::Scalar { text, style } => match expanded_elsewhere(text) {
            Some(refusal) => Err(refusal),
            None => decimal_text(text)
                .filter(|_| matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted))
                .ok_or_else(|| Refusal::NotAnInteger {
                    text: shortened(found.node.source()),
                }),
        },
        _ => Err(Refusal::WrongShape {
            message: "a mapping or list stands where a text is expected".to_owned(),
        }),
    };
    match number {
        Ok(number) => {
            let prefix = String::new();
            let pointer = document.pointer(below);
            let value = Some(Scalar::Integer(number));
            Reading::at(document, value, pointer, line, Form::Prefixed { prefix })
        }
        Err(refusal) => Reading::refused(document, None, Refused::at(line, refusal)),
    }
}

/// The number that a scalar is, or why it is none.
fn decimal(node: Node<'_>) -> Result<i64, Refusal> {
    let Kind::Scalar { text, style } = node.kind() else {
        return Err(Refusal::WrongShape {
            message: "a mapping or list stands where a number is expected".to_owned(),
        });
    };
    if node.is_null() {
        return Err(Refusal::WrongShape {
            message: "null stands where a number is expected".to_owned(),
        });
    }
    if let Some(refusal) = expanded_elsewhere(text) {
        return Err(refusal);
    }
    match decimal_text(text) {
        Some(number) if style == ScalarStyle::Plain => Ok(number),
        _ => Err(Refusal::NotAnInteger {
            text: shortened(node.source()),
        }),
    }
}

/// The number that a text of decimal digits is: `0`, or up to nine digits of which the first is not 0.
pub(in crate::fleet) fn decimal_text(text: &str) -> Option<i64> {
    let plain = text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = text.len() > 1 && text.starts_with('0');
    if plain && !leading_zero {
        text.parse().ok()
    } else {
        None
    }
}

/// The refusal of a text that something replaces before it counts: a template engine, Flux and envsubst (`${name}`), the kubelet
/// (`$(NAME)`).
pub(super) fn expanded_elsewhere(text: &str) -> Option<Refusal> {
    if text.contains("{{") {
        Some(Refusal::Template)
    } else if text.contains("${") || text.contains("$(") {
        Some(Refusal::Variable { text: shortened(text) })
    } else {
        None
    }
}

/// Enough of a text to recognise it by.
fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::shapes::testing::{shown, with_objects};

    #[test]
    fn only_what_every_reader_takes_for_the_same_number_is_one() {
        for (value, want) in [
            ("3", "Integer(3) a.yaml#0/spec/replicas:2 Scalar"),
            ("0  # asleep", "Integer(0) a.yaml#0/spec/replicas:2 Scalar"),
            ("999999999", "Integer(999999999) a.yaml#0/spec/replicas:2 Scalar"),
            ("1000000000", "- line 2: not-an-integer"),
            ("\"3\"", "- line 2: not-an-integer"),
            ("'3'", "- line 2: not-an-integer"),
            ("03", "- line 2: not-an-integer"),
            ("+3", "- line 2: not-an-integer"),
            ("-1", "- line 2: not-an-integer"),
            ("3.0", "- line 2: not-an-integer"),
            ("0x3", "- line 2: not-an-integer"),
            ("1_0", "- line 2: not-an-integer"),
            ("\u{663}", "- line 2: not-an-integer"),
            ("|-\n    3", "- line 3: not-an-integer"),
            ("${count}", "- line 2: variable"),
            ("\"${count:=3}\"", "- line 2: variable"),
            ("'{{ .count }}'", "- line 2: template"),
            (
                "{a: 3}",
                "- line 2: a mapping or list stands where a number is expected",
            ),
            ("", "- line 2: null stands where a number is expected"),
            ("~", "- line 2: null stands where a number is expected"),
            ("!!int 3", "Integer(3) line 2: tag"),
            ("&n 3\nother: *n", "Integer(3) line 2: shared-anchor"),
            ("&n 3", "Integer(3) a.yaml#0/spec/replicas:2 Scalar"),
            ("3\n  replicas: 4", "- line 3: duplicate-key"),
        ] {
            let text = format!("spec:\n  replicas: {value}\n");
            let reading = with_objects(&text, |objects| integer(&objects[0], &["spec", "replicas"]));
            assert_eq!(shown(&reading), want, "{value:?}");
        }
    }

    #[test]
    fn an_absent_key_is_unwritten_unless_something_may_bring_it() {
        let absent = ": /spec/replicas absent";
        for (text, written, want) in [
            ("spec: {}\n", false, format!("- line 1{absent}")),
            ("spec:\n", false, format!("- line 1{absent}")),
            ("other: 1\n", false, "- line 1: /spec absent".into()),
            (
                "spec: 3\n",
                true,
                "- line 1: /spec is a scalar, so there is nothing in it".into(),
            ),
            (
                "x: &x {replicas: 3}\nspec:\n  <<: *x\n",
                true,
                "- line 3: merge-key".into(),
            ),
            ("x: &x {replicas: 3}\nspec: *x\n", true, "- line 2: alias".into()),
            (
                "spec: &x {replicas: 3}\nx: *x\n",
                true,
                "Integer(3) line 1: shared-anchor".into(),
            ),
        ] {
            let reading = with_objects(text, |objects| integer(&objects[0], &["spec", "replicas"]));
            assert_eq!((shown(&reading), reading.written), (want, written), "{text:?}");
        }
    }

    #[test]
    fn what_stands_against_the_document_stands_against_its_values() {
        let text = "# generated, do not edit\nspec: {replicas: 3}\n";
        let reading = with_objects(text, |objects| integer(&objects[0], &["spec", "replicas"]));
        assert_eq!(shown(&reading), "Integer(3) line 1: generated");
    }
}
