//! What the two servers' forges do, each told by a real one: Gitea itself, and GitHub's emulator behind a stub.

mod host;

use std::time::Duration;

use fleetscale::forge::{Forge, ForgeError};
use fleetscale::model::PullRequestState;
use serde_json::json;

use crate::env::{Fault, json_answer, wait};
use host::{BODY, Kind, Look, new, on_both, text};

const BRANCH: &str = "fleetscale/eu-1/shard-a/blue/up";

const BAD_GATEWAY: &str = "HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n<html><h1>502</h1></html>";

fn says(status: &str, headers: &str, message: &str) -> String {
    json_answer(status, headers, &json!({ "message": message }).to_string())
}

#[test]
fn a_pull_request_is_opened_changed_and_closed() {
    on_both("life", |host| {
        host.branch(BRANCH);
        assert_eq!(host.list(), []);
        let forge = host.forge();
        let number = wait(forge.create(&new(BRANCH))).unwrap();

        let [listed] = &host.list()[..] else {
            panic!("{:?}", host.list())
        };
        assert_eq!(
            (listed.number, listed.branch.as_str(), listed.base.as_str()),
            (number, BRANCH, "main")
        );
        assert_eq!(
            (listed.state, listed.ended_at, &listed.opened_by),
            (PullRequestState::Open, None, &None)
        );
        assert_eq!((listed.title.as_str(), listed.body.as_str()), ("eu-1: blue up", BODY));
        assert_eq!(listed.labels, ["fleetscale", "fleetscale/up"]);
        assert!(
            listed.head.is_some() && listed.location.starts_with("http"),
            "{listed:?}"
        );
        assert_eq!(
            wait(forge.open_from(&BRANCH.parse().unwrap())).unwrap(),
            std::slice::from_ref(listed)
        );
        assert_eq!(wait(forge.get(number)).unwrap(), Some(listed.clone()));

        // A person's label stays; ours are given and taken.
        host.person_labels(number, "do-not-merge");
        wait(forge.update(number, &text("[P1] eu-1: blue up", &["fleetscale", "fleetscale/P1"]))).unwrap();
        let [updated] = &host.list()[..] else { panic!() };
        assert_eq!(updated.labels, ["do-not-merge", "fleetscale", "fleetscale/P1"]);
        assert_eq!(
            (updated.title.as_str(), updated.body.as_str()),
            ("[P1] eu-1: blue up", BODY)
        );

        wait(forge.comment(number, "Closed by fleetscale.")).unwrap();
        let comments = host.person_gets(&format!("/issues/{number}/comments"));
        assert_eq!(comments[0]["body"], "Closed by fleetscale.");
        wait(forge.close(number, "2026-03-01T12:00:00Z".parse().unwrap())).unwrap();
        let [closed] = &host.list()[..] else { panic!() };
        assert_eq!(closed.state, PullRequestState::Closed);
        assert!(closed.ended_at.is_some());
        assert_eq!(wait(forge.open_from(&BRANCH.parse().unwrap())).unwrap(), []);

        // The same branch again: the closed one is not taken for it.
        let again = wait(forge.create(&new(BRANCH))).unwrap();
        let open = wait(forge.open_from(&BRANCH.parse().unwrap())).unwrap();
        assert_eq!(open.iter().map(|one| one.number).collect::<Vec<_>>(), [again]);
        assert_eq!(host.list().len(), 2);
    });
}

#[test]
fn a_merge_on_the_forge_is_seen_with_its_time() {
    on_both("merge", |host| {
        let number = host.opened(BRANCH);
        host.merge(number);
        let [merged] = &host.list()[..] else { panic!() };
        assert_eq!((merged.number, merged.state), (number, PullRequestState::Merged));
        assert!(merged.ended_at.is_some());
        wait(
            host.forge()
                .record_merge(number, "2026-03-01T12:00:00Z".parse().unwrap()),
        )
        .unwrap();
        assert_eq!(host.list(), std::slice::from_ref(merged));
        // What ended before the horizon is not listed.
        let late = host.look(&Look {
            since: "2100-01-01T00:00:00Z",
            ..host.usual()
        });
        assert_eq!(wait(late.list("fleetscale/")).unwrap(), []);
    });
}

#[test]
fn a_fork_with_our_branch_name_is_ignored() {
    on_both("fork", |host| {
        let theirs = host.fork_opens(BRANCH);
        assert_eq!(host.list(), []);
        assert_eq!(wait(host.forge().open_from(&BRANCH.parse().unwrap())).unwrap(), []);
        assert_eq!(wait(host.forge().get(theirs)).unwrap(), None);
        // Nor does it stand in the way of ours.
        let ours = host.opened(BRANCH);
        let listed: Vec<u64> = host.list().iter().map(|one| one.number).collect();
        assert_eq!(listed, [ours]);
    });
}

#[test]
fn another_persons_pull_request_from_our_branch_is_listed_with_its_author() {
    on_both("author", |host| {
        // The emulator knows a branch only once there was a pull request from it.
        let before = host.opened(BRANCH);
        wait(host.forge().close(before, "2026-03-01T12:00:00Z".parse().unwrap())).unwrap();
        let number = host.person_opens(BRANCH);
        let open = wait(host.forge().open_from(&BRANCH.parse().unwrap())).unwrap();
        assert_eq!(open.len(), 1);
        assert_eq!((open[0].number, open[0].opened_by.as_deref()), (number, Some("jo")));
        assert!(host.list().contains(&open[0]));
        // A second one is refused by the forge itself.
        let second = wait(host.forge().create(&new(BRANCH))).unwrap_err();
        assert!(
            matches!(second, ForgeError::Refused { status: 409 | 422, .. }),
            "{second:?}"
        );
        assert!(!second.is_ambiguous() && !second.stops_the_run());
    });
}

#[test]
fn a_long_list_is_read_to_its_end() {
    on_both("pages", |host| {
        let forge = host.forge();
        // One more than a page of Gitea has, and the emulator's of GitHub twice that.
        let many: u64 = if host.kind == Kind::Gitea { 52 } else { 104 };
        let mut numbers: Vec<u64> = (0..many)
            .map(|n| {
                let branch = format!("fleetscale/eu-1/shard-a/c{n}/up");
                host.branch(&branch);
                let text = text("up", &[]);
                wait(forge.create(&fleetscale::forge::NewPullRequest { text, ..new(&branch) })).unwrap()
            })
            .collect();
        let listed = |state| -> Vec<u64> {
            let list = host.list();
            let of_state = list.iter().filter(|one| one.state == state);
            of_state.map(|one| one.number).collect()
        };
        assert_eq!(listed(PullRequestState::Open), numbers);
        let last = format!("fleetscale/eu-1/shard-a/c{}/up", many - 1).parse().unwrap();
        assert_eq!(wait(forge.open_from(&last)).unwrap().len(), 1);
        for number in &numbers {
            wait(forge.close(*number, "2026-03-01T12:00:00Z".parse().unwrap())).unwrap();
        }
        assert_eq!(listed(PullRequestState::Closed), numbers);
        numbers.clear();
        assert_eq!(listed(PullRequestState::Open), numbers);
    });
}

#[test]
fn an_unknown_token_stops_everything() {
    on_both("token", |host| {
        let token = "token-that-nobody-gave".to_owned();
        let forge = host.look(&Look { token, ..host.usual() });
        let error = wait(forge.list("fleetscale/")).unwrap_err();
        assert!(matches!(error, ForgeError::Unauthorized { .. }), "{error:?}");
        assert!(error.stops_the_run() && !error.is_ambiguous());
        assert!(
            !format!("{error} {error:?} {forge:?}").contains("token-that"),
            "{error:?}"
        );
        host.requests();
        assert!(wait(forge.create(&new(BRANCH))).unwrap_err().stops_the_run());
        assert_eq!(host.requests(), Vec::<String>::new());
    });
}

#[test]
fn a_missing_permission_says_what_is_missing() {
    on_both("denied", |host| {
        host.branch(BRANCH);
        let (forge, needs) = match host.kind {
            Kind::Gitea => {
                let token = host.reader.clone();
                (host.look(&Look { token, ..host.usual() }), "write:repository")
            }
            Kind::GitHub => {
                let words = says("403 Forbidden", "", "Resource not accessible by personal access token");
                host.fault(1, "POST", "/pulls", Fault::Answer(words));
                (host.forge(), "Pull requests read and write")
            }
        };
        assert_eq!(wait(forge.list("fleetscale/")).unwrap(), []);
        let error = wait(forge.create(&new(BRANCH))).unwrap_err();
        assert!(matches!(error, ForgeError::Denied { status: 403, .. }), "{error:?}");
        assert!(error.to_string().contains(needs), "{error}");
        assert!(!error.stops_the_run() && !error.is_ambiguous());
        assert_eq!(host.list(), []);
    });
}

#[test]
fn a_rate_limit_names_its_end_and_nothing_more_is_sent() {
    on_both("limit", |host| {
        host.branch(BRANCH);
        let asked = "Retry-After: 60\r\nDate: Sun, 01 Mar 2026 12:00:00 GMT\r\n";
        let spent = "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 1772366460\r\n";
        let limits = [
            says("429 Too Many Requests", asked, "slow down"),
            says("403 Forbidden", asked, "You have exceeded a secondary rate limit."),
            says("403 Forbidden", spent, "API rate limit exceeded"),
        ];
        for limit in limits {
            host.fault(1, "POST", "/pulls", Fault::Answer(limit));
            let forge = host.forge();
            let error = wait(forge.create(&new(BRANCH))).unwrap_err();
            let ForgeError::RateLimited { until, .. } = &error else {
                panic!("{error:?}")
            };
            assert_eq!(*until, Some("2026-03-01T12:01:00Z".parse().unwrap()));
            assert!(error.stops_the_run() && !error.is_ambiguous());
            host.requests();
            assert!(wait(forge.list("fleetscale/")).unwrap_err().stops_the_run());
            assert!(
                wait(forge.close(1, "2026-03-01T12:00:00Z".parse().unwrap()))
                    .unwrap_err()
                    .stops_the_run()
            );
            assert_eq!(host.requests(), Vec::<String>::new());
        }
        assert_eq!(host.list(), []);
    });
}

#[test]
fn an_answer_that_is_lost_after_the_effect_is_ambiguous_and_sent_once() {
    on_both("lost", |host| {
        // The second ends without a word.
        let faults = [BAD_GATEWAY, ""].map(|answer| Fault::AnswerAfterEffect(answer.to_owned()));
        for (n, fault) in faults.into_iter().enumerate() {
            let branch = format!("fleetscale/eu-1/shard-a/c{n}/up");
            host.branch(&branch);
            host.fault(1, "POST", "/pulls", fault);
            host.requests();
            let forge = host.forge();
            let error = wait(forge.create(&new(&branch))).unwrap_err();
            assert!(matches!(error, ForgeError::Unknown { .. }), "{error:?}");
            assert!(error.is_ambiguous() && !error.stops_the_run());
            let posts = host.requests();
            let posts = posts
                .iter()
                .filter(|request| request.starts_with("POST") && request.ends_with("/pulls"));
            assert_eq!(posts.count(), 1);
            let open = wait(forge.open_from(&branch.parse().unwrap())).unwrap();
            assert_eq!((open.len(), open[0].title.as_str()), (1, "eu-1: blue up"));
        }
    });
}

#[test]
fn a_server_that_hangs_costs_the_time_of_one_call() {
    on_both("hang", |host| {
        host.branch(BRANCH);
        let forge = host.look(&Look {
            call: Duration::from_millis(1_500),
            ..host.usual()
        });
        assert_eq!(wait(forge.open_from(&BRANCH.parse().unwrap())).unwrap(), []);
        host.fault(1, "POST", "/pulls", Fault::Hang);
        let error = wait(forge.create(&new(BRANCH))).unwrap_err();
        assert!(matches!(error, ForgeError::Unknown { .. }), "{error:?}");
    });
}

#[test]
fn an_answer_that_is_too_long_is_not_read() {
    on_both("long", |host| {
        host.opened(BRANCH);
        let forge = host.look(&Look {
            body: 1_000,
            ..host.usual()
        });
        let error = wait(forge.list("fleetscale/")).unwrap_err();
        assert!(matches!(error, ForgeError::Malformed { .. }), "{error:?}");
        assert!(error.to_string().contains("larger than 1000 bytes"), "{error}");
    });
}

#[test]
fn an_answer_that_makes_no_sense_is_an_error_and_never_an_empty_list() {
    on_both("nonsense", |host| {
        let answers = [
            json_answer("200 OK", "", "<html>Sign in</html>"),
            json_answer("200 OK", "", "{}"),
            json_answer("200 OK", "", "[{}]"),
            json_answer("301 Moved Permanently", "Location: http://127.0.0.1:9/\r\n", ""),
        ];
        for answer in answers {
            host.fault(1, "GET", "/pulls", Fault::Answer(answer));
            let error = wait(host.forge().list("fleetscale/")).unwrap_err();
            assert!(
                matches!(error, ForgeError::Malformed { .. } | ForgeError::Unknown { .. }),
                "{error:?}"
            );
        }
    });
}

#[test]
fn labels_that_can_not_be_given_fail_nothing() {
    on_both("labels", |host| {
        host.branch(BRANCH);
        host.fault(3, "POST", "/labels", Fault::Answer(says("403 Forbidden", "", "no")));
        let number = wait(host.forge().create(&new(BRANCH))).unwrap();
        let [listed] = &host.list()[..] else { panic!() };
        assert_eq!((listed.number, listed.labels.len()), (number, 0));
    });
}

#[test]
fn what_the_token_may_do_is_told_without_doing_it() {
    on_both("access", |host| {
        let access = wait(host.forge().access()).unwrap();
        assert_eq!(access.login.as_deref(), Some("fleet-bot"));
        assert!(access.may_read, "{access:?}");
        if host.kind == Kind::Gitea {
            assert_eq!((access.may_push, access.may_open), (Some(true), Some(true)));
            assert!(access.version.is_some() && access.clock.is_some(), "{access:?}");
        }
    });
}

#[test]
fn mutations_keep_their_distance_and_reads_do_not_wait() {
    on_both("pace", |host| {
        let number = host.opened(BRANCH);
        let forge = host.look(&Look {
            pace: Duration::from_secs(3_600),
            ..host.usual()
        });
        wait(forge.comment(number, "first")).unwrap();
        assert!(wait(forge.get(number)).unwrap().is_some());
        host.requests();
        // An hour is more than the time that the forge has.
        let error = wait(forge.comment(number, "second")).unwrap_err();
        assert!(matches!(error, ForgeError::OutOfTime { .. }), "{error:?}");
        assert_eq!(host.requests(), Vec::<String>::new());
    });
}
