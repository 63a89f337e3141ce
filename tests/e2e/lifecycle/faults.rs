//! What goes wrong between the program and the servers, and what is on them afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::site::{BUSY, Kind, Load, QUIET, Site, URGENT, branch, on_both};
use crate::agent::git;
use crate::env::gitea::Gitea;
use crate::env::github::GitHub;
use crate::env::{Fault, json_answer};

const UNKNOWN: &str = "token-that-nobody-gave";

fn says(status: &str, headers: &str, message: &str) -> Fault {
    Fault::Answer(json_answer(status, headers, &json!({ "message": message }).to_string()))
}

#[test]
fn a_token_that_nobody_knows_changes_nothing() {
    on_both("unknown-token", |site| {
        site.sees(&[("blue", URGENT)]);
        site.configure(site.token(), Some(UNKNOWN));
        let git = site.runs(0);
        git.expect(
            4,
            &[
                "platform/unknown-token.git",
                "401",
                "refused",
                "spec.repository.credentials",
            ],
        );
        assert!(!format!("{git:?}").contains(UNKNOWN), "{git:?}");
        site.is_untouched();

        let known = site.token().to_owned();
        site.configure(UNKNOWN, Some(&known));
        let forge = site.runs(0);
        forge.expect(4, &["does not know the token", site.proxy.url()]);
        assert!(!format!("{forge:?}").contains(UNKNOWN), "{forge:?}");
        site.is_untouched();
    });
}

#[test]
fn a_push_that_the_server_refuses_opens_nothing_and_says_who_refused() {
    on_both("refused", |site| {
        site.sees(&[("blue", URGENT)]);
        match site.kind {
            Kind::Gitea => Gitea::shared().protect(&site.repository, "fleetscale/**"),
            Kind::GitHub => hook(&GitHub::shared().bare(&site.repository), "Nobody pushes on a Friday."),
        }
        let words = match site.kind {
            Kind::Gitea => "Not allowed to push to protected branch",
            Kind::GitHub => "Nobody pushes on a Friday.",
        };
        let refused = site.runs(0);
        refused.expect(2, &["failed", "pushing the branch", words]);
        assert_eq!(site.branches(), ["main"]);
        assert_eq!(site.pulls("all"), []);
        // Nor does the next run.
        site.runs(1).expect(2, &["failed", words]);
        assert_eq!(site.pulls("all"), []);
    });
}

/// A hook of the server that refuses our branches.
fn hook(bare: &Path, words: &str) {
    let update = bare.join("hooks/update");
    fs::create_dir_all(update.parent().unwrap()).unwrap();
    fs::write(&update, format!("#!/bin/sh\necho '{words}' >&2\nexit 1\n")).unwrap();
    fs::set_permissions(&update, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Pushes what is committed in the person's clone as soon as so many requests had this in their line.
fn pushed_meanwhile(site: &Site, line: &'static str, after: usize) {
    let (clone, seen_before) = (site.clone.clone(), AtomicUsize::new(0));
    site.proxy.when(move |seen| {
        if seen.line.contains(line) && seen_before.fetch_add(1, Ordering::SeqCst) == after {
            let args = ["push", "-q", "origin", "HEAD:main"];
            assert!(
                Command::new("git")
                    .current_dir(&clone)
                    .args(args)
                    .status()
                    .unwrap()
                    .success()
            );
        }
        Fault::None
    });
}

#[test]
fn a_base_that_moves_before_the_ledger_is_read_makes_the_run_stale() {
    on_both("moved-early", |site| {
        site.sees(&[("blue", URGENT)]);
        site.declare("blue", 4);
        site.commit("One more by hand");
        // A listing and a fetch are what is decided on; the ledger begins with another listing.
        pushed_meanwhile(site, "service=git-upload-pack", 2);
        site.runs(0).expect(1, &["main", "stale", "nothing was changed"]);
        site.is_untouched();
        assert_eq!(site.head("main"), git(&site.clone, &["rev-parse", "HEAD"]));
    });
}

#[test]
fn a_base_that_moves_before_the_push_loses_no_edit() {
    on_both("moved-late", |site| {
        site.sees(&[("blue", URGENT)]);
        site.declare("blue", 4);
        site.commit("One more by hand");
        pushed_meanwhile(site, "service=git-receive-pack", 0);
        site.runs(0).expect(0, &["created", "#1"]);
        let theirs = git(&site.clone, &["rev-parse", "HEAD"]);
        assert_eq!(site.head("main"), theirs);
        // Ours stands on what was seen, so Git itself finds the conflict.
        assert_eq!(site.changed(&branch("blue")), ["-  replicas: 3", "+  replicas: 5"]);
        // The next runs see the edit: they wait for it, then take it as the new ground.
        site.runs(1)
            .expect(0, &["unchanged", "#1", "Git declares 4, live is 3"]);
        site.sees(&[("blue", Load { nodes: 4, ..URGENT })]);
        site.runs(2).expect(0, &["updated", "#1"]);
        assert_eq!(site.changed(&branch("blue")), ["-  replicas: 4", "+  replicas: 6"]);
        assert_eq!(git(&site.clone, &["rev-parse", "FETCH_HEAD^"]), theirs);
        // The need is gone, and so are our pull request and its branch.
        site.sees(&[("blue", Load { nodes: 4, ..QUIET })]);
        site.runs(3).expect(0, &["closed", "#1"]);
        assert_eq!((site.branches(), site.pulls("open")), (vec!["main".to_owned()], vec![]));
        assert_eq!(site.head("main"), theirs);
        let said = site.person_gets("/issues/1/comments");
        assert!(
            said[0]["body"].as_str().unwrap().starts_with("Closed by fleetscale"),
            "{said}"
        );
    });
}

#[test]
fn a_rate_limit_ends_the_writing_and_the_next_run_goes_on() {
    on_both("limited", |site| {
        site.sees(&[("blue", URGENT), ("lime", URGENT), ("teal", BUSY)]);
        let limit = says(
            "403 Forbidden",
            "Retry-After: 60\r\n",
            "You have exceeded a secondary rate limit.",
        );
        site.fault(1, ("POST", "/pulls"), limit);
        let limited = site.runs(0);
        limited.expect(2, &["failed", "limits our requests", "deferred"]);
        assert_eq!(limited.out.matches("  deferred ").count(), 2, "{limited:#?}");
        let writes = site.writes();
        assert!(writes.last().unwrap().ends_with("/pulls"), "{writes:?}");
        assert_eq!(site.branches(), [branch("blue"), "main".to_owned()]);
        assert_eq!(site.pulls("all"), []);

        let next = site.runs(1);
        next.expect(0, &["adopted", "created"]);
        assert_eq!(next.out.matches("  created ").count(), 2, "{next:#?}");
        assert_eq!(site.pulls("open").len(), 3);
        site.writes();
        site.runs(2).expect(0, &["unchanged"]);
        assert_eq!(site.writes(), Vec::<String>::new());
    });
}

#[test]
fn a_token_that_is_revoked_on_the_way_leaves_a_branch_that_is_adopted() {
    on_both("revoked", |site| {
        site.sees(&[("blue", URGENT), ("lime", URGENT)]);
        site.fault(1, ("POST", "/pulls"), says("401 Unauthorized", "", "Bad credentials"));
        let revoked = site.runs(0);
        revoked.expect(2, &["failed", "does not know the token", "deferred"]);
        assert_eq!(site.branches(), [branch("blue"), "main".to_owned()]);
        assert_eq!(site.pulls("all"), []);
        site.runs(1).expect(0, &["adopted", "created"]);
        assert_eq!(site.pulls("all").len(), 2);
    });
}

#[test]
fn an_answer_that_is_lost_after_the_effect_leads_to_one_pull_request() {
    on_both("lost-answer", |site| {
        site.sees(&[("blue", URGENT)]);
        let page = "HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n<html><h1>502</h1></html>";
        site.fault(1, ("POST", "/pulls"), Fault::AnswerAfterEffect(page.to_owned()));
        let lost = site.runs(0);
        lost.expect(0, &["created", "#1"]);
        assert_eq!(site.pulls("all").len(), 1);
        site.runs(1).expect(0, &["#1"]);
        assert_eq!(site.pulls("all").len(), 1);

        // The answer to a push is lost, too.
        site.sees(&[("blue", BUSY)]);
        site.fault(
            1,
            ("POST", "/git-receive-pack"),
            Fault::AnswerAfterEffect(page.to_owned()),
        );
        site.runs(2).expect(0, &["updated", "#1"]);
        assert_eq!(site.changed(&branch("blue")), ["-  replicas: 3", "+  replicas: 4"]);
        assert_eq!(site.pulls("all").len(), 1);
    });
}

#[test]
fn an_answer_that_is_too_long_is_not_read_and_nothing_is_pushed() {
    on_both("too-long", |site| {
        site.sees(&[("blue", URGENT)]);
        let padded = |mut body: Vec<u8>| {
            body.resize(body.len() + (17 << 20), b' ');
            body
        };
        site.fault(1, ("GET", "/pulls"), Fault::Edit(padded));
        site.runs(0)
            .expect(4, &["listing", "larger than 16777216 bytes", "nothing was changed"]);
        site.is_untouched();
    });
}

#[test]
fn an_answer_that_never_comes_leads_to_one_pull_request() {
    on_both("no-answer", |site| {
        site.sees(&[("blue", URGENT)]);
        let request = match site.kind {
            Kind::Gitea => ("POST", "/git-receive-pack"),
            Kind::GitHub => ("POST", "/pulls"),
        };
        site.fault(1, request, Fault::HangAfterEffect);
        site.runs(0).expect(0, &["created", "#1"]);
        assert_eq!(site.pulls("all").len(), 1);
        site.runs(1).expect(0, &["unchanged", "#1"]);
    });
}

#[test]
fn a_long_list_is_cut_to_what_the_forge_takes() {
    on_both("long-list", |site| {
        site.declare_groups("teal", 150, 3);
        site.commit("More groups");
        git(&site.clone, &["push", "-q", "origin", "HEAD:main"]);
        site.sees_groups(&BTreeMap::from([
            ("blue", (1, QUIET)),
            ("lime", (1, QUIET)),
            ("teal", (150, BUSY)),
        ]));
        site.runs(0).expect(0, &["created", "#1"]);
        let pull = site.person_gets("/pulls/1");
        let body = pull["body"].as_str().unwrap();
        assert!(body.len() <= 58_000 && body.contains(" more"), "{}: {body}", body.len());
        // It was cut, and the machine's record in it was not.
        site.runs(1).expect(0, &["unchanged", "#1"]);
    });
}
