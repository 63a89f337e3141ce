//! No credential reaches anything that is written: neither as it is nor in base64, not even at TRACE, and least of all in an error.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use crate::agent::{Agent, git};
use crate::env::gitea::Gitea;
use crate::env::kubernetes::cluster;
use crate::fleet;

/// Secrets that no server takes, one for each place where the fleet file can name one.
const WRONG: [&str; 4] = [
    "canary-kubernetes-5d2c1f",
    "canary-prometheus-token-81ab77",
    "canary-prometheus-password-09fe3c",
    "canary-git-password-77d0e2",
];

/// What a secret looks like on the way: as it is, in base64 behind each user's name, and in base64 alone at any offset.
fn disguises(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned()];
    for before in ["", "a", "ab", "x-access-token:", "fleet-bot:", "jo:"] {
        let encoded = BASE64_STANDARD.encode(format!("{before}{secret}"));
        // The first characters mix with what stands before, the last ones with what follows.
        let inner = encoded.trim_end_matches('=');
        forms.push(inner.get(8..inner.len() - 4).unwrap_or(inner).to_owned());
    }
    forms
}

/// Everything that a run has written to its folder.
fn written(folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        if entry.file_type().unwrap().is_dir() {
            written(&entry.path(), found);
        } else {
            found.push((entry.path().display().to_string(), fs::read(entry.path()).unwrap()));
        }
    }
}

#[test]
fn no_credential_is_in_anything_that_is_written_at_trace() {
    let kubernetes = cluster("canary", |kubernetes| {
        kubernetes.define_cluster_api(Some("v1beta2"));
        kubernetes.allow("reader", &["clusters.cluster.x-k8s.io"]);
        kubernetes.apply(&[json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": fleet::NAMESPACE}})]);
    });
    let gitea = Gitea::shared();
    let repository = gitea.repository("canary");
    let folder = tempfile::tempdir().unwrap();
    let address = gitea.url().replace("http://", &format!("http://jo:{}@", gitea.jo));
    git(
        folder.path(),
        &["clone", "-q", &format!("{address}/{repository}.git"), "clone"],
    );
    let clone = folder.path().join("clone");
    for (path, text) in fleet::files().into_iter().take(3).chain(
        fleet::files()
            .into_iter()
            .filter(|(path, _)| path.starts_with("fleetscale")),
    ) {
        let path = clone.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    git(&clone, &["add", "-A"]);
    git(&clone, &["commit", "-qm", "The fleet"]);
    git(&clone, &["push", "-q", "origin", "main"]);

    let config = folder.path().join("config");
    fs::create_dir(&config).unwrap();
    for (name, secret) in [
        ("wrong-kubernetes", WRONG[0]),
        ("wrong-token", WRONG[1]),
        ("wrong-password", WRONG[2]),
        ("wrong-git", WRONG[3]),
        ("bot", gitea.bot.as_str()),
    ] {
        fs::write(config.join(name), secret).unwrap();
    }
    let reader = fs::read_to_string(kubernetes.folder.join("reader-token")).unwrap();
    let mut secrets: Vec<String> = WRONG.iter().map(|secret| (*secret).to_owned()).collect();
    secrets.push(gitea.bot.clone());
    if reader.trim().len() >= 12 {
        secrets.push(reader.trim().to_owned());
    }

    let mut all: Vec<(String, Vec<u8>)> = Vec::new();
    for (run, git_token, forge_token) in [
        ("good", "bot", "bot"),
        ("git", "wrong-git", "bot"),
        ("forge", "bot", "wrong-git"),
    ] {
        let file = config.join(format!("{run}.yaml"));
        fs::write(
            &file,
            fleet_file(gitea, &repository, kubernetes, git_token, forge_token),
        )
        .unwrap();
        let work = folder.path().join(format!("work-{run}"));
        let agent = Agent::new(&file, &work);
        for words in [&["run"][..], &["run", "--dry-run", "-o", "json"], &["observe"]] {
            let output = agent.command(words).env("RUST_LOG", "trace").output().unwrap();
            all.push((format!("{run} {words:?} stdout"), output.stdout));
            all.push((format!("{run} {words:?} stderr"), output.stderr));
        }
        if work.exists() {
            written(&work, &mut all);
        }
    }
    let listed = gitea
        .api(&gitea.jo)
        .get(&format!("/api/v1/repos/{repository}/pulls?state=all"));
    all.push(("pull requests".to_owned(), listed.to_string().into_bytes()));

    let said: usize = all
        .iter()
        .filter(|(place, _)| place.ends_with("stderr"))
        .map(|(_, bytes)| bytes.len())
        .sum();
    assert!(said > 50_000, "TRACE says a lot, not only {said} bytes");
    let bytes: usize = all.iter().map(|(_, bytes)| bytes.len()).sum();
    println!(
        "{} secrets looked for in {bytes} bytes of {} outputs and files",
        secrets.len(),
        all.len()
    );
    for secret in &secrets {
        for form in disguises(secret) {
            for (place, bytes) in &all {
                let hit = memchr::memmem::find(bytes, form.as_bytes());
                assert_eq!(hit, None, "{form} is in {place}");
            }
        }
    }
}

fn fleet_file(
    gitea: &Gitea,
    repository: &str,
    kubernetes: &crate::env::kubernetes::Kubernetes,
    git_token: &str,
    forge_token: &str,
) -> String {
    let (url, of) = (gitea.url(), kubernetes.folder.display());
    format!(
        "apiVersion: fleetscale.io/v1alpha1
kind: Fleet
metadata: {{name: canary}}
spec:
  repository: {{url: \"{url}/{repository}.git\", credentials: {{user: fleet-bot, passwordFile: {git_token}}}}}
  forge:
    gitea: {{url: \"{url}\", repository: {repository}, credentials: {{tokenFile: {forge_token}}}}}
  deadlines: {{region: 10s, call: 3s}}
  regions:
    - name: eu
      prometheus: {{url: \"{url}\", credentials: {{tokenFile: wrong-token}}}}
      managementClusters:
        - name: eu-1
          paths: [clusters/eu-1]
          kubernetes: {{server: \"{server}\", caFile: \"{of}/ca.crt\", tokenFile: \"{of}/reader-token\"}}
    - name: us
      prometheus: {{url: \"http://127.0.0.1:9\", credentials: {{user: jo, passwordFile: wrong-password}}}}
      managementClusters:
        - name: us-1
          paths: [clusters/us-1]
          kubernetes: {{server: \"{server}\", caFile: \"{of}/ca.crt\", tokenFile: wrong-kubernetes}}
",
        server = kubernetes.url
    )
}
