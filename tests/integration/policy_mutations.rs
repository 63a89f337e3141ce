//! Every mutated manifest is refused or means what it says: nothing is read past a mistake, and nothing crashes the reader.

#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::fs;
use std::path::Path;

use fleetscale::policy::{FleetFile, Kind, PolicySet, Problem};
use fleetscale::yaml::{Node, Stream};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// One manifest of every kind with as many fields as the fixtures have, as JSON.
fn manifests() -> Vec<(Kind, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let names = [
        "fixtures/policies/valid/fleet.yaml",
        "fixtures/policies/valid/explicit.yaml",
        "policies/sharding.yaml",
        "policies/node-groups.yaml",
    ];
    let mut manifests = Vec::new();
    for name in names {
        let text = fs::read_to_string(folder.join(name)).unwrap();
        for document in Stream::parse(&text).unwrap().documents() {
            let value = plain(document.root);
            if let Some(kind) = value["kind"].as_str().and_then(Kind::of) {
                manifests.push((kind, value));
            }
        }
    }
    assert!(
        Kind::ALL
            .iter()
            .all(|kind| manifests.iter().any(|(known, _)| known == kind))
    );
    manifests
}

fn plain(node: Node<'_>) -> Value {
    if node.is_mapping() {
        let entries = node
            .entries()
            .map(|entry| (entry.key_text().unwrap().to_owned(), plain(entry.value)));
        return Value::Object(entries.collect::<Map<_, _>>());
    }
    if node.is_sequence() {
        return node.items().map(plain).collect();
    }
    let text = node.text().unwrap_or_default();
    match (text, text.parse::<u32>()) {
        ("true", _) => json!(true),
        ("false", _) => json!(false),
        (_, Ok(number)) => json!(number),
        _ => json!(text),
    }
}

fn problems_of(kind: Kind, text: &str) -> Vec<Problem> {
    match kind {
        Kind::Fleet => FleetFile::load("m", text.as_bytes()).map_or_else(|problems| problems, |fleet| fleet.warnings),
        _ => PolicySet::load([("m", text)], None).map_or_else(|problems| problems, |set| set.warnings),
    }
}

/// JSON pointers of all values, the root's included, with what they hold.
fn pointers(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => map
            .iter()
            .for_each(|(key, value)| pointers(value, format!("{at}/{}", key.replace('/', "~1")), found)),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(index, value)| pointers(value, format!("{at}/{index}"), found)),
        _ => {}
    }
    found.push(at);
}

/// Labels and annotations are the user's own.
fn is_free(at: &str) -> bool {
    at.starts_with("/metadata/labels") || at.starts_with("/metadata/annotations")
}

fn field(at: &str) -> String {
    let mut field = String::new();
    for token in at.split('/').skip(1) {
        match token.parse::<usize>() {
            Ok(index) => field.push_str(&format!("[{index}]")),
            Err(_) if field.is_empty() => field.push_str(token),
            Err(_) => field.push_str(&format!(".{token}")),
        }
    }
    field
}

#[track_caller]
fn assert_refused(kind: Kind, manifest: &Value, at: &str) {
    let text = serde_json::to_string(manifest).unwrap();
    let problems = problems_of(kind, &text);
    let field = field(at);
    // About the field itself, something in it, or what it is in.
    let about = |problem: &Problem| {
        problem.is_error() && (field.starts_with(&problem.field) || problem.field.starts_with(&field))
    };
    assert!(problems.iter().any(about), "{kind} {at}: {problems:?}\n{text}");
}

#[test]
fn the_manifests_are_valid_before_they_are_mutated() {
    for (kind, manifest) in manifests() {
        let problems = problems_of(kind, &serde_json::to_string(&manifest).unwrap());
        assert_eq!(problems, [], "{kind}");
    }
}

#[test]
fn an_unknown_field_is_refused_wherever_it_stands() {
    let mut count = 0;
    for (kind, manifest) in manifests() {
        let mut places = Vec::new();
        pointers(&manifest, String::new(), &mut places);
        for at in places
            .iter()
            .filter(|at| manifest.pointer(at).is_some_and(Value::is_object) && !is_free(at))
        {
            let mut mutated = manifest.clone();
            mutated.pointer_mut(at).unwrap()["zzz"] = json!(1);
            assert_refused(kind, &mutated, &format!("{at}/zzz"));
            count += 1;
        }
    }
    assert!(count > 40, "{count}");
}

/// Fields whose text has a form that none of `?!`, `0.5` and nothing has.
const WITH_A_FORM: [&str; 19] = [
    "duration",
    "schedule",
    "timeZone",
    "cpu",
    "memory",
    "target",
    "below",
    "percent",
    "maxPercent",
    "lookback",
    "window",
    "baseline",
    "maxAge",
    "minCoverage",
    "up",
    "down",
    "mode",
    "groupBy",
    "direction",
];

#[test]
fn a_wrong_value_is_refused_wherever_it_stands() {
    let others = [
        Value::Null,
        json!([["x"]]),
        json!({"x": {"y": 1}}),
        json!(-7),
        json!(true),
        json!("?!"),
        json!("0.5"),
        json!(""),
    ];
    let mut count = 0;
    for (kind, manifest) in manifests() {
        let mut places = Vec::new();
        pointers(&manifest, String::new(), &mut places);
        for at in places.iter().filter(|at| at.matches('/').count() > 1 && !is_free(at)) {
            let old = manifest.pointer(at).unwrap();
            let key = at.rsplit('/').find(|part| part.parse::<usize>().is_err()).unwrap();
            for new in &others {
                let same_type = std::mem::discriminant(old) == std::mem::discriminant(new);
                // A truth value is as good as the other, and most texts are free within limits.
                if same_type && (old.is_boolean() || old.is_string() && !WITH_A_FORM.contains(&key)) {
                    continue;
                }
                let mut mutated = manifest.clone();
                *mutated.pointer_mut(at).unwrap() = new.clone();
                assert_refused(kind, &mutated, at);
                count += 1;
            }
        }
    }
    assert!(count > 1000, "{count}");
}

#[test]
fn every_problem_is_found_in_one_go() {
    // Each of these breaks another field, and none hides another.
    let text = "
apiVersion: fleetscale.io/v1alpha1
kind: NodeGroupPolicy
metadata: {name: A_b}
spec:
  selector: {region: [eu], clusters: blue, nodeGroups: ['?']}
  bounds: {min: 9, max: 8}
  scaleUp: {target: 70, urgent: {cpu: 95}, sustained: {window: 1}, maxStep: {}}
  scaleDown: {lookback: [1x], below: 200%, windows: [{schedule: '* * *', duration: 1h}, {schedule: '@daily', timeZone: Mars, duration: 1h}]}
  cooldown: {up: -1h}
  maxAge: 0s
  minCoverage: 0%
  writeTo: {path: '/a', pointer: a}
  mode: act
";
    let problems = problems_of(Kind::NodeGroupPolicy, text);
    let fields: Vec<&str> = problems.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "metadata.name",
            "spec.selector.region",
            "spec.selector.clusters",
            "spec.selector.nodeGroups[0]",
            "spec.bounds.max",
            "spec.scaleUp.target",
            "spec.scaleUp.urgent.cpu",
            "spec.scaleUp.sustained.window",
            "spec.scaleUp.maxStep",
            "spec.scaleDown.lookback[0]",
            "spec.scaleDown.below",
            "spec.scaleDown.windows[0].schedule",
            "spec.scaleDown.windows[1].timeZone",
            "spec.cooldown.up",
            "spec.maxAge",
            "spec.minCoverage",
            "spec.writeTo.path",
            "spec.writeTo.pointer",
            "spec.mode",
        ]
    );
}

/// A text that is one of the valid manifests with a few lines dropped, doubled, swapped or garbled.
fn garbled() -> impl Strategy<Value = String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let names = [
        "policies/node-groups.yaml",
        "policies/capi.yaml",
        "policies/sharding.yaml",
        "fixtures/policies/valid/explicit.yaml",
        "fixtures/policies/valid/fleet.yaml",
    ];
    let texts: Vec<String> = names
        .iter()
        .map(|name| fs::read_to_string(folder.join(name)).unwrap())
        .collect();
    let mutation = (
        0..5_usize,
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        "[-:{}\\[\\]&*!|>'\"%@`#, \\n\\ta0é]{0,3}",
    );
    (prop::sample::select(texts), prop::collection::vec(mutation, 1..5)).prop_map(|(text, mutations)| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        for (how, a, b, piece) in mutations {
            let (a, b) = (a.index(lines.len()), b.index(lines.len()));
            match how {
                0 if lines.len() > 1 => drop(lines.remove(a)),
                1 => lines.insert(b, lines[a].clone()),
                2 => lines.swap(a, b),
                3 => lines[a].push_str(&piece),
                _ => {
                    let line = &mut lines[a];
                    let cut = line.floor_char_boundary(b % (line.len() + 1));
                    line.insert_str(cut, &piece);
                }
            }
        }
        lines.join("\n")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_garbled_manifest_never_crashes_the_reader_and_never_breaks_a_promise(text in garbled()) {
        let lines = text.lines().count();
        match FleetFile::load("m", text.as_bytes()) {
            Ok(fleet) => prop_assert!(!fleet.regions.is_empty()),
            Err(problems) => {
                prop_assert!(problems.iter().any(Problem::is_error));
                prop_assert!(problems.iter().all(|problem| (1..=lines + 1).contains(&problem.line)));
            }
        }
        match PolicySet::load([("m", &text)], None) {
            Ok(set) => {
                for policy in &set.node_groups {
                    let up = &policy.scale_up;
                    prop_assert!(up.target < up.lowest_threshold());
                    if let Some(down) = &policy.scale_down {
                        prop_assert!(down.target <= up.target && down.target.minus_points(0) < up.lowest_threshold());
                        prop_assert!(!down.lookback.is_empty());
                    }
                    prop_assert!(policy.bounds.min() <= policy.bounds.max());
                }
            }
            Err(problems) => prop_assert!(problems.iter().any(Problem::is_error)),
        }
    }
}
