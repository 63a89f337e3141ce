//! A flag among the arguments of a container, or in a chart's `extraArgs`.
//!
//! A patch that has `args` at all replaces the whole list (it is atomic in a strategic merge), so the list that is found is the list that
//! counts, and a flag that is absent from it is at its default. Of several occurrences the last one counts, as in pflag.

use json_patch::jsonptr::{Pointer, PointerBuf};

use crate::fleet::document::{self, Document};
use crate::fleet::field::{Field, Located, locate as locate_field};
use crate::fleet::find::find;
use crate::fleet::gate::Refused;
use crate::fleet::layers::Text;
use crate::model::{FlagName, Form, Refusal, Scalar, Site};
use crate::yaml::{Kind, Node, ScalarStyle};

use super::reading::{Reading, decimal_text, expanded_elsewhere};

/// Reads a flag of a container that is named, in one document.
///
/// `--flag=value` is a value with a prefix; the second of the two items `--flag` and `value` is one with an empty prefix; a flag that is not
/// there becomes a new item at the end of `args`.
pub(in crate::fleet) fn locate(document: &Document<'_>, container: &str, flag: &FlagName) -> Reading {
    let field = |list: &'static str| Field::of_container(container, &[list]);
    let mut items = Vec::new();
    let mut last = None;
    for list in ["command", "args"] {
        match locate_field(document.root, &field(list).steps, false) {
            Err(refused) => return Reading::refused(document, None, refused),
            Ok(Located::NoItem | Located::Nowhere) => {
                let object = format!("the container {container} of {}", document.key);
                let refused = Refused::at(document.line(), Refusal::NoSuchObject { object });
                return Reading::unwritten(document, refused);
            }
            Ok(Located::At(tokens)) => {
                let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
                items.extend(texts(document, &tokens));
                last = Some(list_at(document, &tokens));
            }
        }
    }
    let last = last.map(|reading| (0, reading));
    of_flag(&items, last, flag).map_or_else(
        || Reading::unwritten(document, Refused::at(document.line(), Refusal::NoSuchFile)),
        |(_, reading)| reading,
    )
}

/// Reads a flag of a list of arguments at a pointer, such as a chart's `extraArgs`.
pub(in crate::fleet) fn locate_in(document: &Document<'_>, list: &Pointer, flag: &FlagName) -> Reading {
    let tokens: Vec<String> = list.tokens().map(|token| token.decoded().into_owned()).collect();
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    let list = list_at(document, &tokens);
    if matches!(&list.site, Site::Refused { refusal, .. } if !matches!(refusal, Refusal::Absent { .. }))
        && list.written
        && document.standing.is_none()
    {
        return list;
    }
    let missing = list.clone();
    of_flag(&texts(document, &tokens), Some((0, list)), flag).map_or(missing, |(_, reading)| reading)
}

fn texts(document: &Document<'_>, tokens: &[&str]) -> Vec<Text> {
    let items = find(document.root, tokens).map_or(0, |list| list.items().count());
    let text = |index: usize| {
        let index = index.to_string();
        let tokens: Vec<&str> = tokens.iter().copied().chain([index.as_str()]).collect();
        Text {
            object: 0,
            reading: text_at(document, &tokens),
            line: find(document.root, &tokens).map_or(0, |node| node.position().line),
        }
    };
    (0..items).map(text).collect()
}

/// Reads a list that a new argument could join.
pub(in crate::fleet) fn list_at(document: &Document<'_>, tokens: &[&str]) -> Reading {
    let pointer = PointerBuf::from_tokens(tokens.iter().copied());
    let found = match document.root.lookup(&pointer).map_err(document::refused) {
        Ok(found) => found,
        Err(refused) if matches!(refused.refusal, Refusal::Absent { .. }) => {
            return Reading::unwritten(document, refused);
        }
        Err(refused) => return Reading::refused(document, None, refused),
    };
    let line = found.key.unwrap_or(found.node).position().line;
    if !found.node.is_sequence() {
        return Reading::refused(document, None, Refused::shape(line, "the arguments are no list"));
    }
    let pointer = document.pointer(tokens);
    let prefix = String::new();
    Reading::at(document, None, pointer, line, Form::Appended { prefix })
}

/// Reads one argument: its value is the whole text.
pub(in crate::fleet) fn text_at(document: &Document<'_>, tokens: &[&str]) -> Reading {
    let Some(item) = find(document.root, tokens) else {
        return Reading::unwritten(document, Refused::shape(document.line(), "an argument is not there"));
    };
    let line = item.position().line;
    let Kind::Scalar { text, style } = item.kind() else {
        let refused = match item.kind() {
            Kind::Alias => Refused::at(line, Refusal::Alias),
            _ => Refused::shape(line, "an argument is no text"),
        };
        return Reading::refused(document, None, refused);
    };
    let value = Some(Scalar::Text(text.to_owned()));
    let refused = if item.source().contains(['\n', '\r']) || is_block(item) {
        Some(Refused::shape(line, "the argument runs over several lines"))
    } else if style == ScalarStyle::Plain && decimal_text(text).is_some() {
        let message = "the argument is a number where Kubernetes wants a text: it lacks quotes";
        Some(Refused::shape(line, message))
    } else {
        let pointer = PointerBuf::from_tokens(tokens.iter().copied());
        document.root.lookup(&pointer).err().map(document::refused)
    };
    match refused {
        Some(refused) => Reading::refused(document, value, refused),
        None => {
            let prefix = String::new();
            Reading::at(
                document,
                value,
                document.pointer(tokens),
                line,
                Form::Prefixed { prefix },
            )
        }
    }
}

fn is_block(item: Node<'_>) -> bool {
    matches!(
        item.kind(),
        Kind::Scalar {
            style: ScalarStyle::Literal | ScalarStyle::Folded,
            ..
        }
    )
}

/// Finds a flag in a list of arguments, with the object that has it. What is not there is appended to `list`; nothing without a list.
///
/// An item that can't be read may be the flag, so it refuses.
pub(in crate::fleet) fn of_flag(
    items: &[Text],
    list: Option<(usize, Reading)>,
    flag: &FlagName,
) -> Option<(usize, Reading)> {
    let dashed = format!("--{flag}");
    let mut hit: Option<(usize, Reading)> = None;
    for (index, item) in items.iter().enumerate() {
        let Some(text) = item.text() else {
            return Some((item.object, item.reading.clone()));
        };
        // The programs take `_` for `-` (component-base's WordSepNormalizeFunc).
        let normal = text.replace('_', "-");
        let Some(rest) = normal.strip_prefix(&dashed) else {
            let words = normal.split_whitespace().skip(1);
            if words
                .map(|word| word.trim_matches(['"', '\'']))
                .any(|word| word.starts_with(&dashed))
            {
                return Some(refused(item, None, format!("{dashed} stands within another argument")));
            }
            continue;
        };
        if let Some(value) = rest.strip_prefix('=').and_then(|_| text.get(dashed.len() + 1..)) {
            hit = Some(of_value(item, &text[..=dashed.len()], value));
        } else if rest.is_empty() {
            let value = items.get(index + 1).and_then(|next| Some((next, next.text()?)));
            hit = Some(match value {
                Some((next, value)) if !value.starts_with("--") => of_value(next, "", value),
                _ => refused(item, None, format!("{dashed} has no value")),
            });
        }
    }
    hit.or_else(|| {
        let (object, mut reading) = list?;
        if let Site::Writable(place) = &mut reading.site {
            let prefix = format!("{dashed}=");
            place.form = Form::Appended { prefix };
        }
        Some((object, reading))
    })
}

/// The value of a flag behind a prefix of an argument.
fn of_value(item: &Text, prefix: &str, value: &str) -> (usize, Reading) {
    let mut reading = item.reading.clone();
    reading.value = Some(match decimal_text(value) {
        Some(number) => Scalar::Integer(number),
        None => Scalar::Text(value.to_owned()),
    });
    if let Site::Writable(place) = &mut reading.site {
        let prefix = prefix.to_owned();
        place.form = Form::Prefixed { prefix };
    }
    if let Some(refusal) = expanded_elsewhere(value) {
        reading.refuse_as(refusal);
    }
    (item.object, reading)
}

fn refused(item: &Text, value: Option<Scalar>, message: String) -> (usize, Reading) {
    let mut reading = item.reading.clone();
    reading.value = value;
    if let Site::Writable(place) = &reading.site {
        reading.site = Site::Refused {
            path: Some(place.path.clone()),
            line: item.line,
            refusal: Refusal::WrongShape { message },
        };
    }
    (item.object, reading)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::shapes::testing::{shown, with_objects};

    fn qps(containers: &str) -> String {
        let text = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: capi}}\nspec:\n  template:\n    spec:\n      containers:{containers}\n"
        );
        let flag = "kube-api-qps".parse().unwrap();
        with_objects(&text, |objects| shown(&locate(&objects[0], "manager", &flag)))
    }

    fn args(items: &str) -> String {
        qps(&format!(
            "\n      - name: proxy\n      - name: manager\n        args:{items}"
        ))
    }

    const AT: &str = "a.yaml#0/spec/template/spec/containers";

    #[test]
    fn a_flag_with_its_value_is_a_prefix_and_a_value() {
        let prefixed = |index: usize, line: usize, value: &str| {
            format!("{value} {AT}/1/args/{index}:{line} Prefixed {{ prefix: \"--kube-api-qps=\" }}")
        };
        assert_eq!(
            args("\n        - --leader-elect\n        - --kube-api-qps=20 # per second\n"),
            prefixed(1, 12, "Integer(20)")
        );
        assert_eq!(
            args("\n        # none\n\n        - \"--kube-api-qps=20\""),
            prefixed(0, 13, "Integer(20)")
        );
        assert_eq!(
            args(" [--v=2, '--kube-api-qps=20', --kube-api-burst=30]"),
            prefixed(1, 10, "Integer(20)")
        );
        assert_eq!(args(" [--kube-api-qps=20.5]"), prefixed(0, 10, "Text(\"20.5\")"));
        assert_eq!(args(" [--kube-api-qps=]"), prefixed(0, 10, "Text(\"\")"));
        assert_eq!(
            args(" [--kube_api_qps=20]"),
            format!("Integer(20) {AT}/1/args/0:10 Prefixed {{ prefix: \"--kube_api_qps=\" }}")
        );
    }

    #[test]
    fn a_flag_and_its_value_may_be_two_items() {
        assert_eq!(
            args(" [--kube-api-qps, \"20\", --v=2]"),
            format!("Integer(20) {AT}/1/args/1:10 Prefixed {{ prefix: \"\" }}")
        );
        assert_eq!(
            args("\n        - --kube-api-qps\n        - '20'"),
            format!("Integer(20) {AT}/1/args/1:12 Prefixed {{ prefix: \"\" }}")
        );
        assert_eq!(
            args(" [--kube-api-qps, 20]"),
            "Integer(20) line 10: the argument is a number where Kubernetes wants a text: it lacks quotes"
        );
        assert_eq!(
            args(" [--kube-api-qps, --v=2]"),
            "- line 10: --kube-api-qps has no value"
        );
        assert_eq!(args(" [--kube-api-qps]"), "- line 10: --kube-api-qps has no value");
    }

    #[test]
    fn a_flag_that_is_not_there_is_appended_to_the_list() {
        let appended = format!("- {AT}/1/args:10 Appended {{ prefix: \"--kube-api-qps=\" }}");
        assert_eq!(args(" []"), appended);
        assert_eq!(
            args("\n        - --leader-elect\n        - --kube-api-qps-extra=1\n        - kube-api-qps=3"),
            appended
        );
        let absent = "args absent";
        assert_eq!(
            qps(" [{name: manager}]"),
            format!("- line 7: /spec/template/spec/containers/0/{absent}")
        );
    }

    #[test]
    fn a_flag_is_found_in_the_command_too() {
        assert_eq!(
            qps(" [{name: manager, command: [/manager, --kube-api-qps=20], args: [--v=2]}]"),
            format!("Integer(20) {AT}/0/command/1:7 Prefixed {{ prefix: \"--kube-api-qps=\" }}")
        );
        assert_eq!(
            qps(" [{name: manager, command: [/manager, --kube-api-qps=20], args: [--kube-api-qps=30]}]"),
            format!("Integer(30) {AT}/0/args/0:7 Prefixed {{ prefix: \"--kube-api-qps=\" }}")
        );
    }

    #[test]
    fn the_last_of_several_counts() {
        let prefixed = format!("Integer(30) {AT}/1/args/1:10 Prefixed {{ prefix: \"--kube-api-qps=\" }}");
        assert_eq!(args(" [--kube-api-qps=20, --kube-api-qps=30]"), prefixed);
        assert_eq!(
            args(" [--kube-api-qps=20, --v=2, --kube_api_qps, '30']"),
            format!("Integer(30) {AT}/1/args/3:10 Prefixed {{ prefix: \"\" }}")
        );
    }

    #[test]
    fn what_is_not_one_certain_argument_is_refused() {
        for (items, want) in [
            (" [--kube-api-qps=$(QPS)]", "Text(\"$(QPS)\") line 10: variable"),
            (
                " ['--kube-api-qps=${QPS:=20}']",
                "Text(\"${QPS:=20}\") line 10: variable",
            ),
            (
                " [-c, 'manager --kube-api-qps=20']",
                "- line 10: --kube-api-qps stands within another argument",
            ),
            (
                "\n        - |-\n          --kube-api-qps=20",
                "Integer(20) line 12: the argument runs over several lines",
            ),
            (" [&a x, *a]", "- line 10: alias"),
            (" [[x]]", "- line 10: an argument is no text"),
            (" [!!str --kube-api-qps=20]", "Integer(20) line 10: tag"),
            (" &a [--kube-api-qps=20]\n      - *a", "- line 11: alias"),
            (" --kube-api-qps=20", "- line 10: the arguments are no list"),
            (" []\n        args: []", "- line 11: duplicate-key"),
        ] {
            assert_eq!(args(items), want, "{items:?}");
        }
    }

    #[test]
    fn a_list_at_a_pointer_is_read_the_same_way() {
        let in_values = |text| {
            let (list, flag) = (
                Pointer::from_static("/kamaji/extraArgs"),
                "max-concurrent-tcp-reconciles".parse().unwrap(),
            );
            with_objects(text, |objects| shown(&locate_in(&objects[0], list, &flag)))
        };
        assert_eq!(
            in_values("kamaji:\n  extraArgs:\n  - --max-concurrent-tcp-reconciles=4\n"),
            "Integer(4) a.yaml#0/kamaji/extraArgs/0:3 Prefixed { prefix: \"--max-concurrent-tcp-reconciles=\" }"
        );
        assert_eq!(
            in_values("kamaji: {extraArgs: []}\n"),
            "- a.yaml#0/kamaji/extraArgs:1 Appended { prefix: \"--max-concurrent-tcp-reconciles=\" }"
        );
        assert_eq!(in_values("kamaji: {}\n"), "- line 1: /kamaji/extraArgs absent");
        assert_eq!(
            in_values("kamaji: {extraArgs: {--v: 2}}\n"),
            "- line 1: the arguments are no list"
        );
    }

    #[test]
    fn a_container_is_found_by_its_name() {
        assert_eq!(qps(" [{name: proxy}]"), "- line 1: no-such-object");
        assert_eq!(qps(" []"), "- line 1: no-such-object");
        assert_eq!(
            qps(" [{name: manager, args: []}, {name: manager}]"),
            "- line 7: manager stands in the list more than once"
        );
    }
}
