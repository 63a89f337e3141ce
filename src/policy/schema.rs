//! The JSON Schema of each kind, made from the manifests' types and the words on their fields.
//!
//! Editors read the files in `policies/schema`; the loader checks every manifest against the same schemas, so what an editor accepts has
//! the right structure here, too. Rules between fields (a target below its threshold) are not in it: `validate` has those.

use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};

use super::v1alpha1::{
    API_VERSION, ControllerPolicySpec, FleetSpec, Kind, Manifest, NodeGroupPolicySpec, PlatformPolicySpec,
    ShardingPolicySpec,
};

/// The schema of a kind as the text of its file, with a newline at the end.
pub fn schema(kind: Kind) -> String {
    let mut text = serde_json::to_string_pretty(&schema_value(kind)).unwrap_or_default();
    text.push('\n');
    text
}

/// The name of a kind's file in `policies/schema`.
pub fn schema_file(kind: Kind) -> String {
    format!("{}-v1alpha1.json", kind.as_str().to_ascii_lowercase())
}

pub(super) fn schema_value(kind: Kind) -> Value {
    let schema = match kind {
        Kind::Fleet => of::<FleetSpec>(),
        Kind::NodeGroupPolicy => of::<NodeGroupPolicySpec>(),
        Kind::PlatformPolicy => of::<PlatformPolicySpec>(),
        Kind::ControllerPolicy => of::<ControllerPolicySpec>(),
        Kind::ShardingPolicy => of::<ShardingPolicySpec>(),
    };
    let mut schema = sorted(schema.to_value());
    schema["title"] = json!(kind.as_str());
    schema["properties"]["apiVersion"]["const"] = json!(API_VERSION);
    schema["properties"]["kind"]["const"] = json!(kind.as_str());
    schema
}

fn of<S: JsonSchema>() -> Schema {
    let generator = || {
        let settings = SchemaSettings::draft2020_12()
            .with_transform(NoNull)
            .with_transform(Unwrapped);
        SchemaGenerator::new(settings)
    };
    let mut schema = generator().into_root_schema_for::<Manifest<S>>();
    if let Some(words) = generator().into_root_schema_for::<S>().get("description") {
        schema.insert("description".to_owned(), words.clone());
    }
    schema
}

/// Takes the null out of optional fields.
///
/// A key without a value (`scaleDown:`) could mean that the defaults are wanted or that nothing is. Whoever writes one is asked which.
#[derive(Debug, Clone)]
struct NoNull;

impl Transform for NoNull {
    fn transform(&mut self, schema: &mut Schema) {
        if let Some(Value::Array(types)) = schema.get_mut("type") {
            types.retain(|name| name != "null");
            if let [one] = &types[..] {
                let one = one.clone();
                schema.insert("type".to_owned(), one);
            }
        }
        if let Some(Value::Array(options)) = schema.get_mut("anyOf") {
            options.retain(|option| option != &json!({"type": "null"}));
            if let [Value::Object(one)] = &mut options[..] {
                let one = std::mem::take(one);
                schema.remove("anyOf");
                for (key, value) in one {
                    schema.insert(key, value);
                }
            }
        }
        // Formats such as `uint32` are schemars' own; the range says the same in words that every reader knows.
        if schema
            .get("format")
            .and_then(Value::as_str)
            .is_some_and(|format| format.starts_with("uint"))
        {
            schema.remove("format");
        }
        transform_subschemas(self, schema);
    }
}

/// Joins the lines of a description, which are broken where the source is, and keeps its paragraphs.
#[derive(Debug, Clone)]
struct Unwrapped;

impl Transform for Unwrapped {
    fn transform(&mut self, schema: &mut Schema) {
        if let Some(Value::String(words)) = schema.get_mut("description") {
            let paragraphs: Vec<String> = words
                .split("\n\n")
                .map(|paragraph| paragraph.replace('\n', " "))
                .collect();
            *words = paragraphs.join("\n\n");
        }
        transform_subschemas(self, schema);
    }
}

/// The same with the keys of every object in order, whatever the map behind it keeps.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(String, Value)> = map.into_iter().collect();
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(entries.into_iter().map(|(key, value)| (key, sorted(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}
