//! One scenario from bytes to bytes: read through the screen, scanned, edited, scanned again, undone.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Write as _;

use fleetscale::fleet::{FleetTree, Lent, Mode, Number, TreeEntry, scan, screen_everything};
use fleetscale::model::{Binding, Declared, Edit, Form, Place, Refusal, RepoPath, Scalar, Site, Target};
use fleetscale::policy::{FleetFile, PolicySet};
use fleetscale::render::{Problem, render};
use serde::Deserialize as _;
use serde_yaml::{Mapping, Value};

use super::restyle::restyled;
use crate::scenario::{Files, Marks, Refused, Scenario, Set, Unbound};

/// How the files of a scenario are written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Variant {
    /// As they lie there.
    AsWritten,
    /// With CRLF.
    Crlf,
    /// With a byte order mark at the front of each YAML file.
    Bom,
    /// Without the last line break.
    Unterminated,
}

impl Variant {
    pub(super) const ALL: [Self; 4] = [Self::AsWritten, Self::Crlf, Self::Bom, Self::Unterminated];

    /// The scenario in this way of writing; nothing where it is about bytes that have no other: carriage returns, or no text.
    pub(super) fn of(self, scenario: &Scenario) -> Option<Scenario> {
        let plain = |bytes: &Vec<u8>| std::str::from_utf8(bytes).is_ok_and(|text| !text.contains(['\r', '\u{feff}']));
        let every = scenario.before.values().chain(scenario.expected.values());
        if !matches!(self, Self::AsWritten) && !every.flatten().all(plain) {
            return None;
        }
        let varied = |files: &Files| {
            let files = files.iter();
            let vary = |(path, bytes): (&String, &Option<Vec<u8>>)| {
                let bytes = bytes.as_ref().map(|bytes| self.written(path, bytes));
                (path.clone(), bytes)
            };
            files.map(vary).collect()
        };
        Some(Scenario {
            before: varied(&scenario.before),
            expected: varied(&scenario.expected),
            ..scenario.clone()
        })
    }

    fn written(self, path: &str, bytes: &[u8]) -> Vec<u8> {
        let text = String::from_utf8_lossy(bytes);
        // YAML allows the mark at the front of a stream; JSON and files of variables do not.
        let is_yaml = path.ends_with(".yaml") || path.ends_with(".yml") || path.ends_with("Kustomization");
        match self {
            Self::Crlf => text.replace('\n', "\r\n").into_bytes(),
            Self::Bom if is_yaml => format!("\u{feff}{text}").into_bytes(),
            Self::Unterminated => text.strip_suffix('\n').unwrap_or(&text).as_bytes().to_vec(),
            Self::AsWritten | Self::Bom => bytes.to_vec(),
        }
    }
}

/// What a tree says, by target.
struct Scanned {
    numbers: BTreeMap<Target, Number>,
    declared: Declared,
}

/// Runs a scenario, or says what is not as it says.
pub(super) fn run(scenario: &Scenario) -> Result<(), String> {
    let (fleet, policies) = given(scenario)?;
    let before = &scenario.before;
    let scanned = scanned(&fleet, &policies, before)?;
    for refused in &scenario.refused {
        is_refused(&scanned, refused)?;
    }
    for unbound in &scenario.unbound {
        is_unbound(&scanned, unbound)?;
    }
    for marks in &scenario.marks {
        is_marked(&scanned, marks)?;
    }
    for target in &scenario.absent {
        if let Some(found) = scanned.numbers.get(target) {
            return Err(format!("{target} is there: {:?}", found.binding.site));
        }
    }
    if scenario.set.is_empty() {
        return Ok(());
    }
    let edits_to = |to: &dyn Fn(&Set) -> Scalar| -> Result<Vec<(bool, Edit)>, String> {
        let edits = scenario.set.iter();
        edits
            .map(|set| edit(&scanned, set, set.from.as_ref(), &to(set)))
            .collect()
    };
    let edits = edits_to(&|set| set.to.clone())?;
    let all: Vec<Edit> = edits.iter().map(|(_, edit)| edit.clone()).collect();
    let after = edited(before, &all)?;
    same(&after, &scenario.after()).map_err(|error| format!("after the edits, {error}"))?;
    let again = self::scanned(&fleet, &policies, &after)?;
    only_these_changed(&scanned, &again, &scenario.set)?;
    // What was inserted stays, with the old value if there was one: there is no edit that takes it away.
    let inserts: Vec<Edit> = edits_to(&|set| set.from.as_ref().unwrap_or(&set.to).clone())?
        .into_iter()
        .filter_map(|(is_new, edit)| is_new.then_some(edit))
        .collect();
    let mut undo = Vec::new();
    for set in &scenario.set {
        let (_, edit) = edit(&again, set, Some(&set.to), set.from.as_ref().unwrap_or(&set.to))?;
        if set.from.is_some() {
            undo.push(edit);
        }
    }
    let undone = edited(&after, &undo)?;
    same(&undone, &edited(before, &inserts)?).map_err(|error| format!("after the undo, {error}"))
}

/// What became of the edits of a restyled scenario.
pub(super) struct Outcome {
    /// Values that were replaced and brought back.
    pub(super) replaced: u64,
    /// Items and keys that were inserted.
    pub(super) new: u64,
    /// Insertions that the layout of the file leaves no certain place for.
    pub(super) layouts: u64,
}

/// Runs the edits of a scenario whose files are written in the style of a seed.
///
/// The expected bytes of a replacement are the scenario's expected files in the same style. What an insertion makes is compared as values:
/// its style is the list's own.
pub(super) fn run_restyled(scenario: &Scenario, seed: u64) -> Result<Outcome, String> {
    let (fleet, policies) = given(scenario)?;
    let Scenario {
        before, expected, set, ..
    } = restyled(scenario, seed);
    let mut outcome = Outcome {
        replaced: 0,
        new: 0,
        layouts: 0,
    };
    let scanned = scanned(&fleet, &policies, &before).map_err(|error| shown(error, &before))?;
    let mut edits = Vec::new();
    for set in &set {
        // A patch joins lines alone.
        if let Site::Refused {
            refusal: Refusal::SharedBase { .. },
            ..
        } = &number(&scanned, &set.target)?.binding.site
        {
            let layouts = 1;
            return Ok(Outcome {
                replaced: 0,
                layouts,
                new: 0,
            });
        }
        let (is_new, edit) = edit(&scanned, set, set.from.as_ref(), &set.to).map_err(|error| shown(error, &before))?;
        edits.push(edit);
        *(if is_new {
            &mut outcome.new
        } else {
            &mut outcome.replaced
        }) += 1;
    }
    let wanted: Files = before.clone().into_iter().chain(expected).collect();
    let read = |path: &RepoPath| before.get(path.as_str())?.as_deref().map(Cow::Borrowed);
    let after = match render(read, &edits) {
        Err(error) if outcome.new > 0 && matches!(error.problem, Problem::Layout(_)) => {
            return Ok(Outcome {
                replaced: 0,
                layouts: outcome.new,
                new: 0,
            });
        }
        _ => edited(&before, &edits).map_err(|error| shown(error, &before))?,
    };
    if outcome.new > 0 {
        same_values(&after, &wanted).map_err(|error| shown(error, &after))?;
        return Ok(outcome);
    }
    same(&after, &wanted).map_err(|error| shown(format!("after the edits, {error}"), &before))?;
    let again = self::scanned(&fleet, &policies, &after)?;
    only_these_changed(&scanned, &again, &set)?;
    let mut undo = Vec::new();
    for set in &set {
        let from = set.from.as_ref().unwrap_or(&set.to);
        undo.push(edit(&again, set, Some(&set.to), from)?.1);
    }
    same(&edited(&after, &undo)?, &before).map_err(|error| format!("after the undo, {error}"))?;
    Ok(outcome)
}

/// An error with the files that it is about.
fn shown(error: String, files: &Files) -> String {
    let mut shown = error;
    for (path, bytes) in files {
        let text = bytes.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
        let _ = write!(shown, "\n--- {path}\n{text}");
    }
    shown
}

/// Compares files by what they say to another parser than ours.
fn same_values(got: &Files, wanted: &Files) -> Result<(), String> {
    let values = |bytes: &Option<Vec<u8>>| -> Vec<Value> {
        let text = String::from_utf8_lossy(bytes.as_deref().unwrap_or_default()).into_owned();
        let text = text.trim_start_matches('\u{feff}').to_owned();
        serde_yaml::Deserializer::from_str(&text)
            .map(|document| within(Value::deserialize(document).unwrap_or(Value::Null)))
            .collect()
    };
    for (path, wanted) in wanted {
        if values(&got[path]) != values(wanted) {
            return Err(format!("{path} says something else"));
        }
    }
    Ok(())
}

/// A value with the texts in it that are YAML themselves taken for what they say.
fn within(value: Value) -> Value {
    match value {
        Value::String(text) => match serde_yaml::from_str(&text) {
            Ok(value @ (Value::Sequence(_) | Value::Mapping(_))) => within(value),
            _ => Value::String(text),
        },
        Value::Sequence(items) => items.into_iter().map(within).collect(),
        Value::Mapping(entries) => {
            let entries = entries.into_iter().map(|(key, value)| (key, within(value)));
            Value::Mapping(entries.collect())
        }
        other => other,
    }
}

/// The fleet file and the policies.
fn given(scenario: &Scenario) -> Result<(FleetFile, PolicySet), String> {
    let usual =
        "{repository: {import: repo}, regions: [{name: eu, managementClusters: [{name: eu-1, paths: [eu-1]}]}]}";
    let mut spec: Mapping = serde_yaml::from_str(usual).unwrap();
    spec.extend(scenario.fleet.clone());
    let head = "{apiVersion: fleetscale.io/v1alpha1, kind: Fleet, metadata: {name: scenario}}";
    let mut file: Mapping = serde_yaml::from_str(head).unwrap();
    file.insert("spec".into(), Value::Mapping(spec));
    let text = serde_yaml::to_string(&file).unwrap();
    let fleet = FleetFile::load("fleet.yaml", text.as_bytes()).map_err(|problems| format!("{problems:?}"))?;
    let texts = scenario
        .policies
        .iter()
        .map(|policy| serde_yaml::to_string(policy).unwrap());
    let files = texts.enumerate().map(|(number, text)| (format!("{number}.yaml"), text));
    let policies = PolicySet::load(files, Some(&fleet)).map_err(|problems| format!("{problems:?}"))?;
    Ok((fleet, policies))
}

/// Reads as the agent does: only what passes the screen is there.
fn scanned(fleet: &FleetFile, policies: &PolicySet, files: &Files) -> Result<Scanned, String> {
    let mut entries = Vec::new();
    for (path, bytes) in files {
        entries.push(TreeEntry {
            path: path.parse().map_err(|error| format!("{path}: {error}"))?,
            mode: bytes.as_ref().map_or(Mode::Symlink, |_| Mode::File),
            id: bytes,
        });
    }
    let screen = screen_everything(fleet, policies);
    let base = "0".repeat(40).parse().unwrap();
    let tree = FleetTree::read(base, entries, &screen, |bytes, lend| {
        lend(bytes.as_ref().unwrap());
        Ok::<_, Infallible>(Lent::Whole)
    })
    .unwrap_or_else(|never| match never {});
    let (numbers, declared) = scan(fleet, policies, &tree);
    let count = numbers.len();
    let numbers: BTreeMap<Target, Number> = numbers
        .into_iter()
        .map(|number| (number.target.clone(), number))
        .collect();
    if numbers.len() != count {
        return Err("a target is there twice".to_owned());
    }
    Ok(Scanned { numbers, declared })
}

fn number<'s>(scanned: &'s Scanned, target: &Target) -> Result<&'s Number, String> {
    scanned.numbers.get(target).ok_or_else(|| {
        let numbers: Vec<String> = scanned.numbers.keys().map(Target::to_string).collect();
        let unbound = scanned.declared.unbound.iter();
        let unbound: Vec<String> = unbound
            .map(|unbound| {
                format!(
                    "{}:{} {}: {}",
                    unbound.path, unbound.line, unbound.what, unbound.refusal
                )
            })
            .collect();
        format!("{target} is not found; {numbers:?}; unbound {unbound:?}")
    })
}

/// The edit of a target, and whether it writes what is not there yet.
fn edit(scanned: &Scanned, set: &Set, from: Option<&Scalar>, to: &Scalar) -> Result<(bool, Edit), String> {
    let Set { target, shape, .. } = set;
    let found = number(scanned, target)?;
    let Binding { value, site, .. } = &found.binding;
    if value.as_ref() != from {
        return Err(format!("{target} is {value:?}, not {from:?}: {}", place(site)));
    }
    if let Some(shape) = shape
        && found.shape.as_str() != shape
    {
        return Err(format!("{target} has the shape {}", found.shape.as_str()));
    }
    let Site::Writable(place) = site else {
        return Err(format!("{target} can't be written: {}", self::place(site)));
    };
    let is_new = place.form.is_new();
    // What a base says already is new in the overlay that gets a patch.
    if is_new != from.is_none() && !matches!(place.form, Form::Patched(_)) {
        return Err(format!("{target} is {from:?} in the form {:?}", place.form));
    }
    Ok((is_new, place.edit(from.unwrap_or(to), to)))
}

fn place(site: &Site) -> String {
    match site {
        Site::Writable(Place { path, line, .. }) => format!("writable at {path}:{line}"),
        Site::Refused { path, line, refusal } => {
            let path = path.as_ref().map_or("", RepoPath::as_str);
            format!("{} at {path}:{line}: {refusal}", refusal.id())
        }
    }
}

/// The files after edits.
fn edited(files: &Files, edits: &[Edit]) -> Result<Files, String> {
    let read = |path: &RepoPath| files.get(path.as_str())?.as_deref().map(Cow::Borrowed);
    let rendered = render(read, edits).map_err(|error| format!("{error}: {:?}", error.problem))?;
    let mut after = files.clone();
    for (path, file) in rendered.files {
        after.insert(path.to_string(), Some(file.after));
    }
    Ok(after)
}

fn same(got: &Files, wanted: &Files) -> Result<(), String> {
    for (path, wanted) in wanted {
        if got.get(path) != Some(wanted) {
            let text = |bytes: Option<&Option<Vec<u8>>>| {
                let bytes = bytes.and_then(Option::as_ref);
                bytes.map_or_else(String::new, |bytes| String::from_utf8_lossy(bytes).into_owned())
            };
            let (got, wanted) = (text(got.get(path)), text(Some(wanted)));
            let lines = got.lines().zip(wanted.lines()).enumerate();
            let first = lines
                .filter(|(_, (got, wanted))| got != wanted)
                .map(|(number, _)| number + 1)
                .next();
            let at = first.map_or("its end".to_owned(), |line| {
                let of = |text: &str| text.lines().nth(line - 1).unwrap_or_default().to_owned();
                format!("line {line}: {:?}, expected {:?}", of(&got), of(&wanted))
            });
            return Err(format!("{path} differs at {at}"));
        }
    }
    Ok(())
}

/// The targets that were set have their new values, and every other number is what it was.
fn only_these_changed(before: &Scanned, after: &Scanned, set: &[Set]) -> Result<(), String> {
    let values = |scanned: &Scanned| {
        let numbers = scanned.numbers.iter();
        numbers
            .map(|(target, number)| (target.clone(), number.binding.value.clone()))
            .collect::<BTreeMap<_, _>>()
    };
    let mut wanted = values(before);
    for Set { target, to, .. } in set {
        wanted.insert(target.clone(), Some(to.clone()));
    }
    let after = values(after);
    if after == wanted {
        return Ok(());
    }
    Err(format!("the numbers are now {after:?}, expected {wanted:?}"))
}

fn is_refused(scanned: &Scanned, refused: &Refused) -> Result<(), String> {
    let Refused {
        target,
        value,
        why,
        at,
        says,
        shape,
        owner,
    } = refused;
    let Number {
        binding: Binding { value: found, site, .. },
        shape: found_shape,
        ..
    } = number(scanned, target)?;
    let found_shape = found_shape.as_str();
    // What was read was read somewhere.
    let nameless = found_shape == "unknown" && found.is_some();
    if shape.as_ref().map_or(nameless, |shape| shape != found_shape) {
        return Err(format!("{target} has the shape {found_shape}"));
    }
    if value.is_some() && value != found {
        return Err(format!("{target} is {found:?}, not {value:?}"));
    }
    let Site::Refused { path, line, refusal } = site else {
        return Err(format!("{target} is {}, not refused", place(site)));
    };
    is_owned_by(refusal, owner.as_ref()).map_err(|error| format!("{target} {error}"))?;
    let found = format!("{}:{line}", path.as_ref().map_or("", RepoPath::as_str));
    matches(refusal, &found, (why, at, says)).map_err(|error| format!("{target} {error}"))
}

fn is_unbound(scanned: &Scanned, unbound: &Unbound) -> Result<(), String> {
    let Unbound {
        what,
        why,
        at,
        says,
        owner,
    } = unbound;
    let mut same = scanned.declared.unbound.iter().filter(|found| found.what == *what);
    let found = same.next().ok_or_else(|| {
        let all: Vec<&String> = scanned.declared.unbound.iter().map(|unbound| &unbound.what).collect();
        format!("{what} is not unbound; {all:?} are")
    })?;
    is_owned_by(&found.refusal, owner.as_ref()).map_err(|error| format!("{what} {error}"))?;
    let place = format!("{}:{}", found.path, found.line);
    matches(&found.refusal, &place, (why, at, says)).map_err(|error| format!("{what} {error}"))
}

/// Whether a refusal names the owner that the scenario names.
fn is_owned_by(refusal: &Refusal, owner: Option<&String>) -> Result<(), String> {
    let found = match refusal {
        Refusal::Owned { owner, by: _ } => Some(owner.as_str()),
        _ => None,
    };
    match owner {
        Some(owner) if found != Some(owner.as_str()) => Err(format!("has the owner {found:?}, not {owner}")),
        _ => Ok(()),
    }
}

fn matches(refusal: &Refusal, place: &str, (why, at, says): (&String, &String, &Option<String>)) -> Result<(), String> {
    let sentence = refusal.to_string();
    let said = says.as_ref().is_none_or(|part| sentence.contains(part.as_str()));
    if refusal.id() == why && place == at && said {
        return Ok(());
    }
    Err(format!("is {} at {place}: {sentence}", refusal.id()))
}

fn is_marked(scanned: &Scanned, marks: &Marks) -> Result<(), String> {
    let Marks {
        target,
        autoscaler,
        paused,
        hold,
    } = marks;
    let binding = &number(scanned, target)?.binding;
    let bounds = binding.autoscaler.map(|bounds| (bounds.min, bounds.max));
    let held = binding.hold.as_ref().map(|hold| hold.reason.clone());
    let found = (bounds, binding.paused, held);
    if found == (*autoscaler, *paused, hold.clone()) {
        return Ok(());
    }
    Err(format!("{target} has the marks {found:?}"))
}
