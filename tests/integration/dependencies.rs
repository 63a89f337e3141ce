//! Licences and banned versions of everything that we link, over `cargo metadata`: the part of `make audit` that needs no network.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

const BANNED: &[(&str, &str, &str)] = &[
    (
        "libgit2-sys",
        "0.18.8",
        "older libgit2 follows a redirect to another host with the token (CVE-2026-53586)",
    ),
    ("git2", "0.21.0", "RUSTSEC-2026-0183, RUSTSEC-2026-0184"),
    (
        "tracing-subscriber",
        "0.3.20",
        "ANSI escapes in logs (RUSTSEC-2025-0055)",
    ),
    ("serde_yml", "999.0.0", "unsound (RUSTSEC-2025-0068)"),
    ("serde_yaml", "999.0.0", "deprecated; yaml_serde is its maintained fork"),
    ("unsafe-libyaml", "999.0.0", "unmaintained (RUSTSEC-2024-0449)"),
    ("openssl-sys", "999.0.0", "TLS is rustls"),
];

pub(crate) fn packages() -> Vec<Value> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--offline",
            "--manifest-path",
        ])
        .arg(manifest)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

fn version(text: &str) -> Vec<u64> {
    text.split(['-', '+'])
        .next()
        .unwrap()
        .split('.')
        .map(|part| part.parse().unwrap())
        .collect()
}

/// The licences that .deny.toml allows: one list for both checks.
fn allowed() -> Vec<String> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(".deny.toml")).unwrap();
    let list = text.split("[licenses]").nth(1).unwrap().split(']').next().unwrap();
    list.lines()
        .filter_map(|line| Some(line.trim().strip_prefix('"')?.split('"').next()?.to_owned()))
        .collect()
}

#[test]
fn every_licence_is_one_that_we_allow() {
    let allowed = allowed();
    assert!(allowed.len() > 5, "{allowed:?}");
    let mut wrong = Vec::new();
    for package in packages() {
        let (name, licence) = (&package["name"], package["license"].as_str().unwrap_or("none"));
        // `MIT OR Apache-2.0` is a choice; `(MIT OR X) AND Y` needs a choice and Y.
        let fine = licence.replace('/', " OR ").split(" AND ").all(|all| {
            all.split(" OR ")
                .any(|one| allowed.iter().any(|known| one.trim_matches(['(', ')', ' ']) == known))
        });
        if !fine {
            wrong.push(format!("{name}: {licence}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_banned_version_is_linked() {
    for package in packages() {
        let (name, have) = (package["name"].as_str().unwrap(), package["version"].as_str().unwrap());
        for (banned, below, why) in BANNED {
            assert!(
                name != *banned || version(have) >= version(below),
                "{name} {have}: {why}"
            );
        }
    }
}
