//! "Try it on your fleet", followed literally: the README's own fleet file and commands, with the addresses of the tests' servers.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::agent::{Agent, text};
use crate::env::Prometheus;
use crate::env::gitea::Gitea;
use crate::env::kubernetes::{Kubernetes, cluster};
use crate::fleet;
use crate::line::{expected_titles, first_commit, open_titles, populate};

/// The blocks of a language in one section of the README, in their order.
fn blocks(language: &str) -> Vec<String> {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let (_, section) = readme.split_once("## Try it on your fleet\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let opening = format!("```{language}\n");
    let blocks = section.split(&opening).skip(1);
    blocks
        .map(|rest| rest.split_once("```").unwrap().0.to_owned())
        .collect()
}

/// Puts our own value in the place of an example, which has to be there.
fn replace(text: &str, example: &str, ours: &str) -> String {
    assert!(text.contains(example), "the README says {example}:\n{text}");
    text.replace(example, ours)
}

/// A kubeconfig with the context `eu-1`, as a person has one.
fn kubeconfig(kubernetes: &Kubernetes, path: &Path) {
    let authorities = fs::read(kubernetes.folder.join("ca.crt")).unwrap();
    let token = fs::read_to_string(kubernetes.folder.join("reader-token")).unwrap();
    let config = json!({
        "apiVersion": "v1", "kind": "Config",
        "clusters": [{"name": "eu-1", "cluster": {
            "server": kubernetes.url, "certificate-authority-data": BASE64_STANDARD.encode(authorities),
        }}],
        "users": [{"name": "me", "user": {"token": token.trim()}}],
        "contexts": [{"name": "eu-1", "context": {"cluster": "eu-1", "user": "me"}}],
    });
    fs::write(path, config.to_string()).unwrap();
}

#[test]
fn the_readme_works_on_a_real_fleet_word_for_word() {
    let kubernetes = cluster("readme", |kubernetes| populate(kubernetes, "eu-1"));
    let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap() + SignedDuration::from_hours(72);
    let prometheus = Prometheus::with(&fleet::samples(now));
    let gitea = Gitea::shared();
    let repository = gitea.repository("readme");
    let folder = tempfile::tempdir().unwrap();
    first_commit(gitea, &repository, folder.path());
    fs::write(folder.path().join("forge-token"), &gitea.bot).unwrap();
    let config = folder.path().join("kubeconfig");
    kubeconfig(kubernetes, &config);

    let [fleet_file] = &blocks("yaml")[..] else {
        panic!("the section has one fleet file")
    };
    let fleet_file = replace(fleet_file, "https://git.example.org", &gitea.url());
    let fleet_file = replace(&fleet_file, "platform/fleet", &repository);
    let fleet_file = replace(
        &fleet_file,
        "https://prometheus.eu.example.org",
        prometheus.server.url(),
    );
    let fleet_file = replace(&fleet_file, "clusters/eu/eu-1", "clusters/eu-1");
    let fleet_file = replace(
        &fleet_file,
        "scrapeInterval: 30s",
        &format!("scrapeInterval: {}s", fleet::SCRAPE),
    );
    let path = folder.path().join("fleet.yaml");
    fs::write(&path, fleet_file).unwrap();

    let agent = Agent::new(&path, &folder.path().join("work")).at(now);
    let commands = blocks("sh").concat();
    let mut verbs = Vec::new();
    for line in commands.lines() {
        let words: Vec<&str> = line.split('#').next().unwrap().split_whitespace().collect();
        let ["fleetscale", words @ ..] = &words[..] else {
            assert!(
                line.starts_with("kubectl apply -f deploy/"),
                "{line}: the test of deploy/ applies them"
            );
            continue;
        };
        let without_file: Vec<&str> = words
            .iter()
            .copied()
            .filter(|word| !matches!(*word, "--fleet" | "fleet.yaml"))
            .collect();
        // What the clusters hold was created a moment ago, so everything happens three days later; only `check` looks at the clock.
        let output = agent
            .command(&without_file)
            .env("KUBECONFIG", &config)
            .output()
            .unwrap();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        let differs = without_file[0] == "diff" && output.status.code() == Some(1);
        assert!(
            output.status.success() || differs,
            "{line}: {}\n{out}\n{err}",
            output.status
        );
        verbs.push((without_file.join(" "), out));
    }
    let names: Vec<&str> = verbs.iter().map(|(words, _)| words.as_str()).collect();
    assert_eq!(names, ["check", "run --dry-run", "diff", "run"]);
    assert!(verbs[1].1.contains("3 to change"), "{}", verbs[1].1);
    assert_eq!(verbs[2].1.matches("+  replicas: ").count(), 3, "{}", verbs[2].1);
    let of_eu_1 = expected_titles().into_iter().filter(|title| title.contains("eu-1: "));
    let open = open_titles(&gitea.api(&gitea.jo), &repository);
    assert_eq!(open, of_eu_1.collect::<Vec<_>>(), "{}", verbs[3].1);
}
