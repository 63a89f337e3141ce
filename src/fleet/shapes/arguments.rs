//! A flag among the arguments of a container, in a `Deployment` or in a patch of one.
//!
//! A patch that has `args` at all replaces the whole list (it is atomic in a strategic merge), so the list that is found is the list that
//! counts, and a flag that is absent from it is at its default.

use json_patch::jsonptr::{Pointer, PointerBuf};

use crate::fleet::document::{self, Document};
use crate::fleet::gate::Refused;
use crate::model::{FlagName, Form, Refusal, Scalar};
use crate::yaml::{Kind, Node, ScalarStyle};

use super::reading::{Reading, decimal_text, expanded_elsewhere, find};

const CONTAINERS: [&str; 4] = ["spec", "template", "spec", "containers"];

/// Reads a flag of a container that is named.
///
/// `--flag=value` is a value with a prefix; the second of the two items `--flag` and `value` is one with an empty prefix; a flag that is not
/// there becomes a new item at the end of `args`. pflag takes the last of several, but whoever wrote two of them meant something that can't
/// be guessed.
pub(in crate::fleet) fn locate(document: &Document<'_>, container: &str, flag: &FlagName) -> Reading {
    let index = match container_index(document, container) {
        Ok(Some(index)) => index.to_string(),
        Ok(None) => {
            let object = format!("the container {container} of {}", document.key);
            let refused = Refused::at(document.line(), Refusal::NoSuchObject { object });
            return Reading::unwritten(document, refused);
        }
        Err(refused) => return Reading::refused(document, None, refused),
    };
    let list = |name| {
        let below = CONTAINERS.into_iter().chain([index.as_str(), name]);
        PointerBuf::from_tokens(below)
    };
    in_lists(document, &[list("command")], &list("args"), flag)
}

/// Reads a flag of a list of arguments at a pointer, such as a chart's `extraArgs`.
pub(in crate::fleet) fn locate_in(document: &Document<'_>, list: &Pointer, flag: &FlagName) -> Reading {
    in_lists(document, &[], &list.to_owned(), flag)
}

/// Reads a flag of several lists; what is not there is appended to the last.
fn in_lists(document: &Document<'_>, more: &[PointerBuf], last: &PointerBuf, flag: &FlagName) -> Reading {
    let mut hits = Vec::new();
    for list in more.iter().chain([last]) {
        let tokens: Vec<String> = list.tokens().map(|token| token.decoded().into_owned()).collect();
        let below: Vec<&str> = tokens.iter().map(String::as_str).collect();
        let Some(items) = find(document.root, &below) else {
            continue;
        };
        match find_flag(items, flag) {
            Ok(found) => hits.extend(found.into_iter().map(|hit| (list, hit))),
            Err(refused) => return Reading::refused(document, None, refused),
        }
    }
    match &hits[..] {
        [] => appended(document, last, flag),
        [(list, hit)] => hit.reading(document, list),
        [_, (_, second), ..] => {
            let flag = format!("--{flag}");
            let refused = Refused::at(second.line, Refusal::RepeatedFlag { flag });
            Reading::refused(document, None, refused)
        }
    }
}

/// The place of a flag that is in no list yet.
fn appended(document: &Document<'_>, list: &PointerBuf, flag: &FlagName) -> Reading {
    let found = match document.root.lookup(list).map_err(document::refused) {
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
    let prefix = format!("--{flag}=");
    let pointer = document.prefix.concat(list);
    Reading::at(document, None, pointer, line, Form::Appended { prefix })
}

fn container_index(document: &Document<'_>, container: &str) -> Result<Option<usize>, Refused> {
    let Some(containers) = find(document.root, &CONTAINERS) else {
        return match document
            .root
            .lookup(&PointerBuf::from_tokens(CONTAINERS))
            .map_err(document::refused)
        {
            Err(refused) if !matches!(refused.refusal, Refusal::Absent { .. }) => Err(refused),
            _ => Ok(None),
        };
    };
    if containers.kind() == Kind::Alias {
        return Err(Refused::at(containers.position().line, Refusal::Alias));
    }
    let named = |(index, item): (usize, Node<'_>)| {
        let name = find(item, &["name"])?.text()?;
        (name == container).then(|| (index, item.position().line))
    };
    let found: Vec<(usize, usize)> = containers.items().enumerate().filter_map(named).collect();
    match found[..] {
        [] => Ok(None),
        [(index, _)] => Ok(Some(index)),
        [_, (_, line), ..] => {
            let places = found
                .iter()
                .map(|(_, line)| format!("{}:{line}", document.path))
                .collect();
            Err(Refused::at(line, Refusal::Ambiguous { places }))
        }
    }
}

/// One occurrence of the flag.
struct Hit {
    /// The index of the item that holds the value.
    index: usize,
    line: usize,
    value: Option<Scalar>,
    form: Result<Form, Refused>,
}

impl Hit {
    fn reading(&self, document: &Document<'_>, list: &PointerBuf) -> Reading {
        match &self.form {
            Err(refused) => Reading::refused(document, self.value.clone(), refused.clone()),
            Ok(form) => {
                let item = list.concat(&PointerBuf::from_tokens([self.index.to_string()]));
                if let Err(obstacle) = document.root.lookup(&item) {
                    return Reading::refused(document, self.value.clone(), document::refused(obstacle));
                }
                let pointer = document.prefix.concat(&item);
                Reading::at(document, self.value.clone(), pointer, self.line, form.clone())
            }
        }
    }
}

/// Finds the flag in a list of arguments. An item that can't be read may be the flag, so it refuses.
fn find_flag(list: Node<'_>, flag: &FlagName) -> Result<Vec<Hit>, Refused> {
    let items: Vec<Node<'_>> = list.items().collect();
    let mut hits = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let line = item.position().line;
        let Kind::Scalar { text, .. } = item.kind() else {
            return Err(match item.kind() {
                Kind::Alias => Refused::at(line, Refusal::Alias),
                _ => Refused::shape(line, "an argument is no text"),
            });
        };
        // The programs take `_` for `-` (component-base's WordSepNormalizeFunc).
        let normal = text.replace('_', "-");
        let dashed = format!("--{flag}");
        let Some(rest) = normal.strip_prefix(&dashed) else {
            if normal
                .split_whitespace()
                .skip(1)
                .any(|word| word.trim_matches(['"', '\'']).starts_with(&dashed))
            {
                return Err(Refused::shape(line, format!("{dashed} stands within another argument")));
            }
            continue;
        };
        if let Some(value) = rest.strip_prefix('=').and_then(|_| text.get(dashed.len() + 1..)) {
            let prefix = text[..=dashed.len()].to_owned();
            hits.push(hit(*item, index, value, Form::Prefixed { prefix }));
        } else if rest.is_empty() {
            hits.push(match items.get(index + 1).map(|next| (next, next.kind())) {
                Some((next, Kind::Scalar { text, style })) if !text.starts_with("--") => {
                    separate(*next, index + 1, text, style)
                }
                _ => Hit {
                    index,
                    line,
                    value: None,
                    form: Err(Refused::shape(line, format!("{dashed} has no value"))),
                },
            });
        }
    }
    Ok(hits)
}

/// A value in an item of its own.
fn separate(item: Node<'_>, index: usize, text: &str, style: ScalarStyle) -> Hit {
    let prefix = String::new();
    let mut hit = hit(item, index, text, Form::Prefixed { prefix });
    if style == ScalarStyle::Plain && decimal_text(text).is_some() && hit.form.is_ok() {
        let message = "the argument is a number where Kubernetes wants a text: it lacks quotes";
        hit.form = Err(Refused::shape(hit.line, message));
    }
    hit
}

fn hit(item: Node<'_>, index: usize, value: &str, form: Form) -> Hit {
    let line = item.position().line;
    let refused = if item.source().contains(['\n', '\r']) || is_block(item) {
        Some(Refused::shape(line, "the argument runs over several lines"))
    } else {
        expanded_elsewhere(value).map(|refusal| Refused::at(line, refusal))
    };
    let value = match decimal_text(value) {
        Some(number) => Scalar::Integer(number),
        None => Scalar::Text(value.to_owned()),
    };
    Hit {
        index,
        line,
        value: Some(value),
        form: refused.map_or(Ok(form), Err),
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
            "- line 7: repeated-flag"
        );
    }

    #[test]
    fn what_is_not_one_certain_argument_is_refused() {
        for (items, want) in [
            (" [--kube-api-qps=20, --kube-api-qps=30]", "- line 10: repeated-flag"),
            (" [--kube-api-qps=20, --kube_api_qps, '30']", "- line 10: repeated-flag"),
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
            (
                " &a [--kube-api-qps=20]\n      - *a",
                "Integer(20) line 10: shared-anchor",
            ),
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
            "- line 7: ambiguous a.yaml:7, a.yaml:7"
        );
    }
}
