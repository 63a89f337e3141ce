//! The objects of a stream of YAML, and where two sets of them differ.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize as _;
use serde_yaml::{Mapping, Value};

/// Objects by their identity: `apps/v1 Deployment kamaji-system/kamaji`, without a namespace `v1 Namespace kamaji-system`.
pub(crate) type Objects = BTreeMap<String, Value>;

/// One value that is not the same in two objects of one identity.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Difference {
    /// The identity of the object.
    pub(crate) object: String,
    /// Where in it, as RFC 6901 writes it; empty for the whole object.
    pub(crate) pointer: String,
    /// What was there; none where there was nothing.
    pub(crate) from: Option<Value>,
    /// What is there now; none where there is nothing.
    pub(crate) to: Option<Value>,
}

impl Difference {
    /// One value for another.
    pub(crate) fn change(object: &str, pointer: &str, from: impl Into<Value>, to: impl Into<Value>) -> Self {
        Self {
            object: object.to_owned(),
            pointer: pointer.to_owned(),
            from: Some(from.into()),
            to: Some(to.into()),
        }
    }
}

/// The objects of a stream, the items of a `kind: List` among them. Documents without content are passed over.
///
/// Merge keys are applied, as YAML of a cluster is read. A key that is there twice, a document that is no object and an identity that is there
/// twice are errors. Scalars are what YAML 1.2 says: `yes` is a string here and true for kubectl, which `server_accepts` shows.
pub(crate) fn objects(stream: &str) -> Result<Objects, String> {
    let mut found = Objects::new();
    for document in serde_yaml::Deserializer::from_str(stream) {
        let mut value = Value::deserialize(document).map_err(|error| format!("{error}\n{stream}"))?;
        value.apply_merge().map_err(|error| error.to_string())?;
        for object in items(value) {
            let identity = identity(&object)?;
            if found.insert(identity.clone(), object).is_some() {
                return Err(format!("{identity} is there twice"));
            }
        }
    }
    Ok(found)
}

/// The objects of one document: none, one, or the items of a list.
pub(super) fn items(document: Value) -> Vec<Value> {
    match document {
        Value::Null => Vec::new(),
        Value::Mapping(list) if list.get("kind") == Some(&"List".into()) => match list.get("items") {
            Some(Value::Sequence(items)) => items.clone(),
            _ => Vec::new(),
        },
        other => vec![other],
    }
}

pub(super) fn identity(object: &Value) -> Result<String, String> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let metadata = |key| text(object.get("metadata").and_then(|metadata| metadata.get(key)));
    let named = (
        text(object.get("apiVersion")),
        text(object.get("kind")),
        metadata("name"),
    );
    let (Some(version), Some(kind), Some(name)) = named else {
        return Err(format!("no object with apiVersion, kind and a name: {object:?}"));
    };
    let namespace = metadata("namespace").map(|namespace| format!("{namespace}/"));
    Ok(format!("{version} {kind} {}{name}", namespace.unwrap_or_default()))
}

/// Every value in which two sets of objects differ: by identity, then by key, then by place in the list.
///
/// Maps are compared by key and lists by index, down to the scalars: an item that was put in front of others shows as a change of all of them.
/// A number and the string that looks like it are different.
pub(crate) fn difference(before: &Objects, after: &Objects) -> Vec<Difference> {
    let mut found = Vec::new();
    let identities: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for identity in identities {
        walk(
            identity,
            String::new(),
            before.get(identity),
            after.get(identity),
            &mut found,
        );
    }
    found
}

fn walk(object: &str, pointer: String, from: Option<&Value>, to: Option<&Value>, found: &mut Vec<Difference>) {
    match (from, to) {
        (Some(Value::Mapping(from)), Some(Value::Mapping(to))) => {
            let (from, to) = (by_key(from), by_key(to));
            let keys: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
            for key in keys {
                let step = key.replace('~', "~0").replace('/', "~1");
                let values = (from.get(key).copied(), to.get(key).copied());
                walk(object, format!("{pointer}/{step}"), values.0, values.1, found);
            }
        }
        (Some(Value::Sequence(from)), Some(Value::Sequence(to))) => {
            for index in 0..from.len().max(to.len()) {
                walk(
                    object,
                    format!("{pointer}/{index}"),
                    from.get(index),
                    to.get(index),
                    found,
                );
            }
        }
        (from, to) if from == to => {}
        (from, to) => found.push(Difference {
            object: object.to_owned(),
            pointer,
            from: from.cloned(),
            to: to.cloned(),
        }),
    }
}

fn by_key(map: &Mapping) -> BTreeMap<String, &Value> {
    let key = |key: &Value| match key {
        Value::String(text) => text.clone(),
        other => serde_yaml::to_string(other).unwrap().trim_end().to_owned(),
    };
    map.iter().map(|(name, value)| (key(name), value)).collect()
}

/// The documents of a stream as they are written, without the lines that divide them.
pub(crate) fn documents(stream: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    for line in stream.split_inclusive('\n') {
        // `---` begins a document, and may bear the first of its content.
        match line.strip_prefix("---") {
            Some(rest) if rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']) => {
                found.push(rest.trim_start().to_owned());
            }
            _ => found.last_mut().unwrap().push_str(line),
        }
    }
    found
}
