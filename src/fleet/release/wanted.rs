//! What is looked for in values, and how it is read where it is found.

use crate::fleet::document::Document;
use crate::fleet::field::{Field, Step};
use crate::fleet::find::find;
use crate::fleet::gate::Refused;
use crate::fleet::layers::Read;
use crate::fleet::shapes::{Reading, flag_value, integer, quantity, text_integer};
use crate::model::{FlagName, Form, Refusal};
use crate::policy::catalogue::Manager;

/// A value of a chart.
#[derive(Debug, Clone)]
pub(in crate::fleet) struct Wanted<'a> {
    /// What is asked for in each source, in this order. The first that is written there is the answer.
    pub(super) tries: Vec<Try<'a>>,
    /// How it is read where a source has it as a text at a path of its own; nothing for what is no single value.
    pub(super) flat: Option<Read>,
}

/// One question.
#[derive(Debug, Clone)]
pub(super) struct Try<'a> {
    /// The way from the root of the values.
    pub(super) steps: Vec<Step<'a>>,
    /// How it is read.
    pub(super) how: How<'a>,
}

/// How something is read.
#[derive(Debug, Clone, Copy)]
pub(super) enum How<'a> {
    /// By a function.
    Read(Read),
    /// As a flag of a list of arguments.
    Flag(&'a FlagName),
}

impl<'a> Wanted<'a> {
    /// A whole number.
    pub(in crate::fleet) fn number(keys: &[&'a str]) -> Self {
        Self::of(keys, How::Read(integer), Some(text_integer))
    }

    /// What a container asks for.
    pub(in crate::fleet) fn quantity(keys: &[&'a str]) -> Self {
        Self::of(keys, How::Read(quantity), Some(quantity))
    }

    /// A flag of a list of arguments.
    pub(in crate::fleet) fn flag(keys: &[&'a str], flag: &'a FlagName) -> Self {
        Self::of(keys, How::Flag(flag), None)
    }

    fn of(keys: &[&'a str], how: How<'a>, flat: Option<Read>) -> Self {
        let steps: Vec<Step<'a>> = keys.iter().map(|key| Step::Key(key)).collect();
        let mut tries = vec![Try {
            steps: steps.clone(),
            how,
        }];
        tries.extend(takes_away(&steps));
        Self { tries, flat }
    }

    /// A flag of a provider in the values of the operator's chart. `dashed` is the flag with its dashes.
    ///
    /// The arguments are a mapping there. A list in values replaces the one below it, so whoever has `containers` has all of them.
    pub(in crate::fleet) fn of_provider([section, name]: [&'a str; 2], manager: Manager, dashed: &'a str) -> Self {
        let containers = [section, name, "deployment", "containers"].map(Step::Key);
        let with = |steps: &[Step<'a>]| -> Vec<Step<'a>> { containers.iter().chain(steps).copied().collect() };
        let container = Step::Named(manager.container);
        let read = |steps: Vec<Step<'a>>, read: Read| Try {
            steps,
            how: How::Read(read),
        };
        let mut tries = vec![
            read(with(&[container, Step::Key("args"), Step::Key(dashed)]), flag_value),
            read(with(&[container, Step::Key("args")]), mapping),
            read(with(&[]), nothing_in),
        ];
        let field = match dashed {
            "--sync-period" => Some("syncPeriod"),
            "--max-concurrent-reconciles" => Some("maxConcurrentReconciles"),
            _ => None,
        };
        // What is written there the chart drops.
        let manager = |keys: &[&'a str]| {
            let above = [section, name, "manager"].into_iter();
            read(above.chain(keys.iter().copied()).map(Step::Key).collect(), dropped)
        };
        tries.extend(field.map(|field| manager(&[field])));
        tries.push(manager(&["additionalArgs", dashed]));
        tries.extend(takes_away(&containers));
        Self { tries, flat: None }
    }
}

/// What a provider's container asks for, in the values of the operator's chart.
impl<'a> Wanted<'a> {
    /// `claim` and `resource` as manifests spell them.
    pub(in crate::fleet) fn quantity_of_provider(
        [section, name]: [&'a str; 2],
        manager: Manager,
        [claim, resource]: [&'a str; 2],
    ) -> Self {
        let containers = [section, name, "deployment", "containers"].map(Step::Key);
        let below = [
            Step::Named(manager.container),
            Step::Key("resources"),
            Step::Key(claim),
            Step::Key(resource),
        ];
        let mut tries = vec![
            Try {
                steps: containers.iter().chain(&below).copied().collect(),
                how: How::Read(quantity),
            },
            Try {
                steps: containers.to_vec(),
                how: How::Read(nothing_in),
            },
        ];
        tries.extend(takes_away(&containers));
        Self { tries, flat: None }
    }
}

/// Questions for nulls above a value: one in a source that wins takes away what the others say below it.
fn takes_away<'a>(steps: &[Step<'a>]) -> impl Iterator<Item = Try<'a>> {
    (1..steps.len()).map(|length| Try {
        steps: steps[..length].to_vec(),
        how: How::Read(null),
    })
}

/// A null, which refuses.
fn null(document: &Document<'_>, below: &[&str]) -> Reading {
    refused_if(
        document,
        below,
        |node| node.is_null(),
        |key| Refusal::WrongShape {
            message: format!("null takes {key} away"),
        },
    )
}

/// A list that has no item of the container.
fn nothing_in(document: &Document<'_>, below: &[&str]) -> Reading {
    refused_if(
        document,
        below,
        |_| true,
        |_| Refusal::Absent {
            pointer: format!("{}/-/args", document.pointer(below)),
        },
    )
}

/// A value that does not reach what the chart renders.
fn dropped(document: &Document<'_>, below: &[&str]) -> Reading {
    let key = below.iter().rev().take_while(|key| **key != "manager");
    let key: Vec<&str> = key.copied().collect::<Vec<_>>().into_iter().rev().collect();
    let message = format!(
        "the operator's chart drops manager.{}, which has no effect there",
        key.join(".")
    );
    refused_if(document, below, |_| true, |_| Refusal::WrongShape { message })
}

fn refused_if(
    document: &Document<'_>,
    below: &[&str],
    is: impl FnOnce(crate::yaml::Node<'_>) -> bool,
    refusal: impl FnOnce(&str) -> Refusal,
) -> Reading {
    let found = find(document.root, below).filter(|node| is(*node));
    let refusal = refusal(below.last().copied().unwrap_or_default());
    match found {
        Some(node) => Reading::refused(document, None, Refused::at(node.position().line, refusal)),
        None => Reading::unwritten(document, Refused::at(document.line(), refusal)),
    }
}

/// A mapping of arguments that a new one could join.
fn mapping(document: &Document<'_>, below: &[&str]) -> Reading {
    let found = find(document.root, below).filter(|node| node.is_mapping());
    let Some(node) = found else {
        return nothing_in(document, below);
    };
    let line = node.position().line;
    let pointer = document.pointer(below);
    if let Err(obstacle) = document
        .root
        .lookup(&json_patch::jsonptr::PointerBuf::from_tokens(below.iter().copied()))
    {
        return Reading::refused(document, None, crate::fleet::document::refused(obstacle));
    }
    // Whoever asks puts the flag's name there.
    let key = String::new();
    Reading::at(document, None, pointer, line, Form::Inserted { key })
}

impl Try<'_> {
    /// The field that this is in an object whose values lie below these keys.
    pub(super) fn field<'f>(&'f self, below: &[&'f str]) -> Field<'f> {
        let below = below.iter().map(|key| Step::Key(key));
        let steps = below.chain(self.steps.iter().copied()).collect();
        Field { steps, merged: true }
    }
}
