//! A list of texts, such as the arguments of a container, after everything that is merged over its manifest.

use crate::fleet::document::Document;
use crate::fleet::field::{Field, Located, locate};
use crate::fleet::find::find;
use crate::fleet::gate::Refused;
use crate::fleet::index::{Content, Index, Instance, Layer};
use crate::fleet::operation::{Operation, Verb};
use crate::fleet::shapes::Reading;
use crate::model::{Refusal, Scalar};

use super::relation::{Names, Relation, relation};
use super::{Effect, Read, as_strs, of_document, value_of};

/// The items of a list of texts after all layers, each with its place, and the list that a new one would join.
#[derive(Debug, Default)]
pub(in crate::fleet) struct Texts {
    /// The items in their order.
    pub(in crate::fleet) items: Vec<Text>,
    /// The list that was written last, with the object that has it; nothing if there is none.
    pub(in crate::fleet) list: Option<(usize, Reading)>,
    /// Why it is not certain what the list holds.
    pub(in crate::fleet) uncertain: Option<(usize, Refused)>,
}

/// An item of a list of texts.
#[derive(Debug, Clone)]
pub(in crate::fleet) struct Text {
    /// The object that has it.
    pub(in crate::fleet) object: usize,
    /// What is written and where; the value is the whole text.
    pub(in crate::fleet) reading: Reading,
    /// Its line.
    pub(in crate::fleet) line: usize,
}

/// The texts of a list after all layers: a patch that has the list replaces it, an operation may add or change one item.
pub(in crate::fleet) fn texts(
    index: &Index<'_>,
    instance: &Instance,
    field: &Field<'_>,
    (read_list, read): (Read, Read),
) -> Texts {
    let opened = &index.opened;
    let mut texts = Texts::default();
    let mut names = Names::default();
    for layer in instance.writers() {
        let number = match layer {
            Layer::Object(number) => number,
            Layer::Opaque { path, line, touched } => {
                if field.is_touched(touched) {
                    let message = format!("the patch at {path}:{line} may set the value, too");
                    texts.uncertain = Some((instance.object, Refused::shape(line, message)));
                }
                continue;
            }
            Layer::Replacement { path, line, fields } => {
                if fields.reach(field) {
                    let message = fields.message(&format!("{path}:{line}"));
                    texts.uncertain = Some((instance.object, Refused::shape(line, message)));
                }
                continue;
            }
        };
        let object = &index.objects[number];
        opened.look(&object.path, &object.at, |document| {
            let mut writer = Writer {
                number,
                document,
                read_list,
                read,
                texts: &mut texts,
            };
            match &object.content {
                Content::Says(_) => {
                    let is_manifest = number == instance.object;
                    writer.document(field, is_manifest, &mut names);
                }
                Content::Operations(operations) => operations
                    .iter()
                    .for_each(|operation| writer.operation(operation, field, &mut names)),
                Content::Count(_) => {}
            }
        });
    }
    if let Some(suspended) = &instance.suspended {
        let items = texts.items.iter_mut().map(|item| &mut item.reading);
        for reading in items.chain(texts.list.iter_mut().map(|(_, list)| list)) {
            reading.refuse_as((**suspended).clone());
        }
    }
    texts
}

/// One layer that may write a list of texts.
struct Writer<'w, 's> {
    number: usize,
    document: &'w Document<'s>,
    read_list: Read,
    read: Read,
    texts: &'w mut Texts,
}

impl Writer<'_, '_> {
    fn uncertain(&mut self, refused: Refused) {
        self.texts.uncertain = Some((self.number, refused));
    }

    fn document(&mut self, field: &Field<'_>, is_manifest: bool, names: &mut Names) {
        // The names are kept by the same rules as for a value; what is read here is the list itself.
        let effect = of_document(self.document, field, self.read_list, is_manifest, names);
        match effect {
            Effect::None => {}
            Effect::Uncertain(refused) => self.uncertain(refused),
            Effect::Written(list) => match locate(self.document.root, &field.steps, false) {
                Ok(Located::At(tokens)) => self.replace(*list, &as_strs(&tokens)),
                _ => self.texts.list = Some((self.number, *list)),
            },
        }
    }

    /// Takes a list for the one that counts from now on.
    fn replace(&mut self, list: Reading, tokens: &[&str]) {
        self.texts.uncertain = None;
        self.texts.items.clear();
        let items = find(self.document.root, tokens).map_or(0, |list| list.items().count());
        for index in 0..items {
            let text = self.text(tokens, index);
            self.texts.items.push(text);
        }
        self.texts.list = Some((self.number, list));
    }

    fn text(&self, list: &[&str], index: usize) -> Text {
        let index = index.to_string();
        let tokens: Vec<&str> = list.iter().copied().chain([index.as_str()]).collect();
        self.text_at(&tokens)
    }

    fn text_at(&self, tokens: &[&str]) -> Text {
        let line = find(self.document.root, tokens).map_or(0, |node| node.position().line);
        Text {
            object: self.number,
            reading: (self.read)(self.document, tokens),
            line,
        }
    }

    fn operation(&mut self, operation: &Operation, field: &Field<'_>, names: &mut Names) {
        let Operation {
            index,
            line,
            verb,
            path,
            from,
            groups: _,
            unbound: _,
            pauses: _,
        } = operation;
        let value = value_of(self.document, *index);
        let source = match verb {
            Verb::Move => relation(from, field, names, operation, None),
            _ => Relation::Apart,
        };
        let at = relation(path, field, names, operation, value);
        let number = index.to_string();
        let refuse = |message: &str| Refused::shape(*line, message);
        let outcome = match (verb, at) {
            (Verb::Unknown, _) => Err(refuse("an operation can't be read")),
            _ if source.touches() || matches!(source, Relation::Below(_)) => {
                Err(refuse("an operation moves arguments away"))
            }
            (_, Relation::Unknown) => Err(refuse("an operation counts items of a list whose order is not certain")),
            (_, Relation::Apart) => Ok(()),
            (Verb::Move | Verb::Copy, _) => Err(refuse("an operation copies arguments from elsewhere")),
            (Verb::Test, Relation::AtOrAbove(_)) => {
                Err(refuse("a test operation expects the arguments that are there now"))
            }
            (Verb::Remove, Relation::AtOrAbove(_)) => Err(refuse("an operation takes the arguments away")),
            (Verb::Add | Verb::Replace, Relation::AtOrAbove(depth)) => {
                match value.map(|value| locate(value, &field.steps[depth..], false)) {
                    Some(Ok(Located::At(rest))) => {
                        let tokens = [number.as_str(), "value"];
                        let tokens: Vec<&str> = tokens.into_iter().chain(rest.iter().map(String::as_str)).collect();
                        let list = (self.read_list)(self.document, &tokens);
                        self.replace(list, &tokens);
                        Ok(())
                    }
                    _ => Err(refuse("an operation replaces what the arguments are in")),
                }
            }
            (verb, Relation::Below(below)) => self
                .item(*verb, &below, &number)
                .ok_or_else(|| refuse("an operation on an argument that is not certain")),
        };
        if let Err(refused) = outcome {
            self.uncertain(refused);
        }
    }

    /// An operation on one item; nothing if it can't be followed.
    fn item(&mut self, verb: Verb, below: &[String], number: &str) -> Option<()> {
        let [token] = below else { return None };
        let length = self.texts.items.len();
        let index = match token.as_str() {
            "-" => length,
            token => token.parse().ok()?,
        };
        let new = self.text_at(&[number, "value"]);
        match verb {
            Verb::Add if index <= length => self.texts.items.insert(index, new),
            Verb::Replace if index < length => self.texts.items[index] = new,
            Verb::Remove if index < length => drop(self.texts.items.remove(index)),
            Verb::Test if index < length => {
                let message = "a test operation expects the argument that is there now".to_owned();
                self.texts.items[index]
                    .reading
                    .refuse_as(Refusal::WrongShape { message });
            }
            _ => return None,
        }
        Some(())
    }
}

impl Text {
    /// The text, if it can be read.
    pub(in crate::fleet) fn text(&self) -> Option<&str> {
        match &self.reading.value {
            Some(Scalar::Text(text)) => Some(text),
            _ => None,
        }
    }
}
