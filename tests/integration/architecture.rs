//! The house stands as drawn: who imports whom, which crate is named where, how long a file may be.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Who may import whom. A room that is not a key may not exist.
const IMPORTS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("yaml", &[]),
    ("policy", &["model", "yaml"]),
    ("decide", &["model", "policy"]),
    ("fleet", &["model", "policy", "yaml", "threads"]),
    ("plan", &["model", "policy"]),
    ("render", &["model", "yaml", "fleet", "threads"]),
    ("net", &[]),
    ("git", &["model", "net"]),
    ("forge", &["model", "net"]),
    ("observe", &["model", "policy", "net"]),
    ("publish", &["model", "git", "forge", "net"]),
    ("error", &[]),
    ("telemetry", &[]),
    ("threads", &[]),
    (
        "cli",
        &[
            "model",
            "yaml",
            "policy",
            "decide",
            "fleet",
            "plan",
            "render",
            "git",
            "forge",
            "observe",
            "publish",
            "net",
            "error",
            "telemetry",
        ],
    ),
];

/// Crates that only one room may name, so that a change of crate is a change of one room.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("granit_parser", &["src/yaml/"]),
    ("saphyr_parser", &["src/render/oracle"]),
    ("git2", &["src/git"]),
    ("cron", &["src/policy/schedule"]),
    ("chrono", &["src/policy/schedule"]),
    ("kube", &["src/observe/kube"]),
    ("octocrab", &["src/forge/github"]),
    ("reqwest", &["src/net/"]),
    ("ureq", &["src/git/"]),
    ("clap", &["src/cli/", "src/main.rs"]),
    ("tracing_subscriber", &["src/telemetry.rs"]),
    ("jsonschema", &["src/policy/"]),
    ("schemars", &["src/policy/"]),
];

const LONGEST_FILE: usize = 500;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path, found: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
            found.insert(name, std::fs::read_to_string(&path).unwrap());
        }
    }
}

fn all_sources() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    sources(&root().join("src"), &mut found);
    found
}

/// `src/model/ids.rs` and `src/model.rs` are in room `model`; `lib.rs` and `main.rs` are the doors.
fn room(file: &str) -> &str {
    let inner = file.strip_prefix("src/").unwrap();
    inner.split('/').next().unwrap().trim_end_matches(".rs")
}

/// The rooms that a text imports: each `crate::room`, code and macro alike.
fn imported(text: &str) -> BTreeSet<String> {
    let code: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    code.join("\n")
        .split("crate::")
        .skip(1)
        .map(|rest| {
            rest.chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect::<String>()
        })
        .filter(|name| !name.is_empty())
        .collect()
}

#[test]
fn every_room_imports_only_what_the_table_allows() {
    let table: BTreeMap<&str, &[&str]> = IMPORTS.iter().copied().collect();
    let mut wrong = Vec::new();
    for (file, text) in all_sources() {
        let room = room(&file);
        if matches!(room, "lib" | "main") {
            continue;
        }
        let Some(allowed) = table.get(room) else {
            wrong.push(format!("{file}: the room `{room}` is not in the import table"));
            continue;
        };
        for name in imported(&text) {
            if name != room && !allowed.contains(&name.as_str()) {
                wrong.push(format!(
                    "{file} imports {name}, and `{room}` may import only {allowed:?}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Whether a line names a crate: at the start of a path, since a module of ours may bear the same name (`observe::kube`).
fn names(line: &str, crate_name: &str) -> bool {
    let within = |before: &str| {
        let path = before.strip_suffix("::").unwrap_or_default();
        path.ends_with(|c: char| c.is_alphanumeric() || c == '_')
    };
    let path = format!("{crate_name}::");
    let mut starts = line.match_indices(&path).map(|(at, _)| &line[..at]);
    starts.any(|before| !within(before)) || line.contains(&format!("use {crate_name};"))
}

#[test]
fn a_crate_with_one_user_is_named_in_one_place() {
    let mut wrong = Vec::new();
    for (file, text) in all_sources() {
        for (name, places) in ONLY_IN {
            let named = text
                .lines()
                .any(|line| !line.trim_start().starts_with("//") && names(line, name));
            if named && !places.iter().any(|place| file.starts_with(place)) {
                wrong.push(format!("{file} names {name}, which only {places:?} may"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn async_lives_only_at_the_edges() {
    let mut wrong = Vec::new();
    for (file, text) in all_sources() {
        let edge = matches!(
            room(&file),
            "net" | "observe" | "git" | "forge" | "publish" | "cli" | "main"
        );
        if !edge
            && text
                .lines()
                .any(|line| !line.trim_start().starts_with("//") && line.contains("async "))
        {
            wrong.push(file);
        }
    }
    assert!(
        wrong.is_empty(),
        "async outside of net, observe, git, forge, publish, cli: {wrong:?}"
    );
}

#[test]
fn no_source_file_is_longer_than_500_lines() {
    let long: Vec<String> = all_sources()
        .into_iter()
        .filter(|(_, text)| text.lines().count() > LONGEST_FILE)
        .map(|(file, text)| format!("{file}: {} lines", text.lines().count()))
        .collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn the_architecture_page_names_every_room() {
    let sources = all_sources();
    let page: String = sources["src/lib.rs"]
        .lines()
        .filter(|line| line.starts_with("//!"))
        .collect();
    let missing: BTreeSet<&str> = sources
        .keys()
        .map(|file| room(file))
        .filter(|room| {
            !matches!(*room, "lib" | "main")
                && !page.contains(&format!("`{room}`"))
                && !page.contains(&format!("[`{room}`]"))
        })
        .collect();
    assert!(missing.is_empty(), "lib.rs's rustdoc does not name {missing:?}");
}
