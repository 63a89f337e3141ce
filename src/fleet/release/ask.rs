//! Asks the sources of a release, from the one that wins over all others down, where a value is written.

use std::collections::BTreeSet;

use json_patch::jsonptr::PointerBuf;

use crate::fleet::document::{Document, Manifest};
use crate::fleet::field::{Located, Step, locate};
use crate::fleet::find::find;
use crate::fleet::gate::Refused;
use crate::fleet::index::{Index, Instance};
use crate::fleet::layers::{self, Read, Text};
use crate::fleet::screen::is_manifest_name;
use crate::fleet::shapes::{Reading, arguments, decimal_text, integer};
use crate::fleet::shared::refuse_shared;
use crate::fleet::tree::{FleetTree, Mode};
use crate::model::{FlagName, Form, Refusal, RepoPath, Scalar, Site};
use crate::yaml;

use super::wanted::{How, Try, Wanted};
use super::{Release, Releases, Source, Spot};

/// One that asks.
pub(in crate::fleet) struct Asker<'a, 't> {
    /// The repository.
    pub(in crate::fleet) tree: &'a FleetTree,
    /// Its objects.
    pub(in crate::fleet) index: &'a Index<'t>,
    /// Its releases.
    pub(in crate::fleet) releases: &'a Releases,
}

/// What a source says, with the number of the object that has it, if that is one of the index.
type Said = Option<(Option<usize>, Reading)>;

impl Asker<'_, '_> {
    /// Where a value of a release is written. If no source has it, the reading is that of the first that could; nothing if there is none.
    pub(in crate::fleet) fn read(&self, release: &Release, wanted: &Wanted<'_>) -> Option<Reading> {
        let mut nowhere: Option<Reading> = None;
        let mut unknown: Option<Reading> = None;
        let mut above: Option<String> = None;
        for source in &release.sources {
            if let Source::Anything { path, line, what } = source {
                above.get_or_insert_with(|| format!("{what} at {path}:{line}"));
                unknown.get_or_insert_with(|| {
                    let message = format!("{what} may set the value");
                    unwritten(path, Refused::shape(*line, message))
                });
                continue;
            }
            let Some((object, mut reading)) = self.said(source, wanted) else {
                continue;
            };
            if !reading.written {
                if let Some(what) = uncertain(&reading) {
                    above.get_or_insert(what);
                }
                nowhere.get_or_insert(reading);
                continue;
            }
            let said = object.and_then(|number| self.index.objects[number].said());
            let hold = said.and_then(|said| said.hold.clone());
            reading.holds.extend(hold.filter(|hold| !release.holds.contains(hold)));
            self.refuse_shared(source, object, &mut reading);
            if let Some(what) = above {
                let message = format!("{what} may set the value, too");
                reading.refuse_as(Refusal::WrongShape { message });
            }
            return Some(finish(release, reading));
        }
        unknown.or(nowhere).map(|reading| finish(release, reading))
    }

    fn refuse_shared(&self, source: &Source, object: Option<usize>, reading: &mut Reading) {
        if let Some(object) = object {
            let identity = match source {
                Source::Fields { identity, .. } => Some(identity),
                _ => None,
            };
            refuse_shared(self.index, object, identity, &mut reading.site);
        }
        let users = self.releases.users(source);
        if users.len() > 1 {
            let used_by: BTreeSet<&RepoPath> = users.iter().map(|(path, _)| path).collect();
            reading.site.refuse(None, || match used_by.len() {
                1 => {
                    let names: Vec<&str> = users.iter().take(3).map(|(_, name)| name.as_str()).collect();
                    let (count, names) = (users.len(), names.join(", "));
                    let message = format!("it is the value of {count} releases at once: {names}");
                    Refusal::WrongShape { message }
                }
                _ => Refusal::SharedBase {
                    used_by: used_by.into_iter().take(10).cloned().collect(),
                    patch: None,
                    no_patch: None,
                },
            });
        }
    }

    fn said(&self, source: &Source, wanted: &Wanted<'_>) -> Said {
        match source {
            Source::Fields { instance, below, .. } => self.in_fields(instance, below, wanted),
            Source::Mapping { spot, below } => self.in_mapping(spot, below, wanted),
            Source::Text { spot, below } => self.in_text(spot, below, wanted),
            Source::File(path) => self.in_file(path, wanted),
            Source::Set {
                path,
                spot,
                below,
                prefix,
            } => self.in_set(path, (spot, below), prefix, wanted),
            Source::Anything { .. } => None,
        }
    }

    fn in_fields(&self, instance: &Instance, below: &[&str], wanted: &Wanted<'_>) -> Said {
        let mut first = None;
        for wanted in &wanted.tries {
            let field = wanted.field(below);
            let found = match wanted.how {
                How::Read(read) => layers::value(self.index, instance, &field, read),
                How::Flag(flag) => {
                    let read: (Read, Read) = (arguments::list_at, arguments::text_at);
                    let texts = layers::texts(self.index, instance, &field, read);
                    let items: Vec<Text> = texts.items;
                    let mut found = arguments::of_flag(&items, texts.list, flag);
                    if let (Some((_, reading)), Some((number, Refused { line, refusal }))) =
                        (&mut found, texts.uncertain)
                    {
                        let message = format!("{}:{line}: {refusal}", self.index.objects[number].path);
                        reading.written = true;
                        reading.refuse_as(Refusal::WrongShape { message });
                    }
                    found
                }
            };
            let Some((object, mut reading)) = found else { continue };
            if reading.written {
                let ignored = instance.ignored.iter().map(|number| &self.index.ignored[*number]);
                if let Some(ignored) = ignored.into_iter().find(|ignored| ignored.covers(&field)) {
                    reading.refuse_as(ignored.refusal());
                }
                return Some((Some(object), reading));
            }
            first = first.or(Some((Some(object), reading)));
        }
        first
    }

    fn in_mapping(&self, spot: &Spot, below: &[String], wanted: &Wanted<'_>) -> Said {
        let looked = self
            .index
            .opened
            .look(&spot.path, &spot.at, |document| in_document(document, below, wanted));
        Some((spot.object, looked?))
    }

    fn in_text(&self, spot: &Spot, below: &[String], wanted: &Wanted<'_>) -> Said {
        let pointer = PointerBuf::from_tokens(below.iter().map(String::as_str));
        let looked = self.index.opened.look(&spot.path, &spot.at, |document| {
            let text = document.root.nearest(&pointer).node.text().unwrap_or_default();
            if !yaml::mentions(text.as_bytes(), &words(wanted)) {
                return None;
            }
            let within = document.within(&pointer, |documents| {
                if let Some(refused) = documents.unidentified.into_iter().next() {
                    return Some(Reading::refused(document, None, refused));
                }
                match &documents.objects[..] {
                    [] => None,
                    [values] => Some(in_document(values, &[], wanted)),
                    [_, second, ..] => {
                        let refused = Refused::shape(second.line(), "the values are more than one document");
                        Some(Reading::refused(document, None, refused))
                    }
                }
            });
            match within {
                Ok(reading) => reading,
                // A text that can't be taken apart may say anything.
                Err(refused) => Some(Reading::refused(document, None, refused)),
            }
        });
        let reading = looked.flatten()?;
        Some((spot.object, reading))
    }

    fn in_file(&self, path: &RepoPath, wanted: &Wanted<'_>) -> Said {
        let bytes = match self.tree.file(path) {
            Ok(bytes) => bytes,
            // The screen leaves out what does not mention the key.
            Err(Refusal::WrongShape { .. }) if is_plain(self.tree, path) => return None,
            Err(refusal) => return Some((None, nowhere(path, Refused::at(0, refusal)))),
        };
        if !yaml::mentions(bytes, &words(wanted)) {
            return None;
        }
        let manifest = match Manifest::open(self.tree, path) {
            Ok(manifest) => manifest,
            Err(refused) => return Some((None, nowhere(path, refused))),
        };
        let documents = manifest.documents();
        if let Some(refused) = documents.unidentified.into_iter().next() {
            return Some((None, nowhere(path, refused)));
        }
        match &documents.objects[..] {
            [] => None,
            [values] => Some((None, in_document(values, &[], wanted))),
            [_, second, ..] => {
                let refused = Refused::shape(second.line(), "the file of values has more than one document");
                Some((None, nowhere(path, refused)))
            }
        }
    }

    fn in_set(&self, path: &[String], (spot, below): (&Spot, &[String]), prefix: &str, wanted: &Wanted<'_>) -> Said {
        let first = wanted.tries.first()?;
        let relation = relation(path, first)?;
        let below: Vec<&str> = below.iter().map(String::as_str).collect();
        // An element of an ApplicationSet's list is free to be a number.
        let is_free = below.get(1) == Some(&"generators");
        let look = |document: &Document<'_>| match (relation, wanted.flat) {
            (Relation::Same, Some(_)) if !prefix.is_empty() => literal(document, &below, prefix),
            (Relation::Same, Some(read)) => {
                let plain = is_free.then(|| integer(document, &below));
                let plain = plain.filter(|reading| reading.value.is_some());
                plain.unwrap_or_else(|| read(document, &below))
            }
            _ => {
                let line = find(document.root, &below).map_or(document.line(), |node| node.position().line);
                let message = format!("{} sets a part of it, or what it is in", path.join("."));
                Reading::refused(document, None, Refused::shape(line, message))
            }
        };
        let reading = self.index.opened.look(&spot.path, &spot.at, look)?;
        Some((spot.object, reading))
    }
}

/// Whether a file is one that the screen reads.
fn is_plain(tree: &FleetTree, path: &RepoPath) -> bool {
    let plain = matches!(tree.mode(path), Some(Mode::File | Mode::Executable));
    plain && is_manifest_name(path.file_name())
}

/// How a path of `--set` lies to a value.
#[derive(Clone, Copy)]
enum Relation {
    Same,
    Overlapping,
}

fn relation(path: &[String], wanted: &Try<'_>) -> Option<Relation> {
    let mut steps = wanted.steps.iter();
    for token in path {
        match steps.next() {
            None | Some(Step::Named(_)) => return Some(Relation::Overlapping),
            Some(Step::Key(key)) if key == token => {}
            Some(Step::Key(_)) => return None,
        }
    }
    Some(match steps.next() {
        None => Relation::Same,
        Some(_) => Relation::Overlapping,
    })
}

/// Asks the values at some keys of a document.
fn in_document(document: &Document<'_>, below: &[String], wanted: &Wanted<'_>) -> Reading {
    let mut first = None;
    let below: Vec<&str> = below.iter().map(String::as_str).collect();
    let absent =
        |pointer: String| Reading::unwritten(document, Refused::at(document.line(), Refusal::Absent { pointer }));
    let Some(values) = find(document.root, &below) else {
        return absent(document.pointer(&below).to_string());
    };
    for wanted in &wanted.tries {
        let reading = match locate(values, &wanted.steps, false) {
            Err(refused) => Reading::refused(document, None, refused),
            Ok(Located::At(tokens)) => {
                let tokens = tokens.iter().map(String::as_str);
                let tokens: Vec<&str> = below.iter().copied().chain(tokens).collect();
                match wanted.how {
                    How::Read(read) => read(document, &tokens),
                    How::Flag(flag) => flag_in(document, &tokens, flag),
                }
            }
            Ok(Located::NoItem | Located::Nowhere) => continue,
        };
        if reading.written {
            return reading;
        }
        first = first.or(Some(reading));
    }
    first.unwrap_or_else(|| absent(document.pointer(&below).to_string()))
}

fn flag_in(document: &Document<'_>, list: &[&str], flag: &FlagName) -> Reading {
    arguments::locate_in(document, &PointerBuf::from_tokens(list.iter().copied()), flag)
}

/// The number behind a prefix of a text.
fn literal(document: &Document<'_>, below: &[&str], prefix: &str) -> Reading {
    let mut reading = arguments::text_at(document, below);
    let Some(Scalar::Text(text)) = reading.value.take() else {
        return reading;
    };
    reading.value = text.strip_prefix(prefix).and_then(decimal_text).map(Scalar::Integer);
    match (&reading.value, &mut reading.site) {
        (Some(_), Site::Writable(place)) => {
            let prefix = prefix.to_owned();
            place.form = Form::Prefixed { prefix };
        }
        _ => reading.refuse_as(Refusal::NotAnInteger { text }),
    }
    reading
}

/// Adds what is true of a whole release.
pub(super) fn finish(release: &Release, mut reading: Reading) -> Reading {
    if let Some(Refused { line, refusal }) = &release.refused {
        reading.site.refuse(Some(*line), || refusal.clone());
    }
    reading.holds.extend(release.holds.clone());
    reading
}

/// What may write a value that nothing is seen to write.
fn uncertain(reading: &Reading) -> Option<String> {
    match &reading.site {
        Site::Refused {
            refusal: Refusal::Absent { .. },
            ..
        }
        | Site::Writable(_) => None,
        Site::Refused { refusal, .. } => Some(format!("something else ({refusal})")),
    }
}

/// The first keys of what is looked for.
fn words<'a>(wanted: &'a Wanted<'_>) -> Vec<&'a str> {
    let first = |wanted: &'a Try<'_>| match wanted.steps.first() {
        Some(Step::Key(key)) => Some(*key),
        _ => None,
    };
    wanted.tries.iter().filter_map(first).collect()
}

/// A value in a file that can't be read: it may be written there.
fn nowhere(path: &RepoPath, refused: Refused) -> Reading {
    Reading {
        written: true,
        ..unwritten(path, refused)
    }
}

fn unwritten(path: &RepoPath, Refused { line, refusal }: Refused) -> Reading {
    Reading {
        value: None,
        site: Site::Refused {
            path: Some(path.clone()),
            line,
            refusal,
        },
        written: false,
        holds: Vec::new(),
    }
}
