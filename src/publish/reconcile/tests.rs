use super::*;
use crate::model::{ProposalRecord, RecordedChange, Scalar};

const BRANCH: &str = "fleetscale/eu-1/blue/up";

fn name() -> BranchName {
    BRANCH.parse().unwrap()
}

fn noon() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn id(digit: char) -> ObjectId {
    digit.to_string().repeat(40).parse().unwrap()
}

/// The plan that is wanted is `new`; what was there before is `old`.
fn digest(plan: &str) -> Digest {
    Digest::of_bytes(plan.as_bytes())
}

fn ours(plan: &str) -> LedgerBranch {
    LedgerBranch {
        head: id('1'),
        owner: BranchOwner::Ours {
            plan: digest(plan),
            base: id('b'),
            observed_at: noon(),
        },
        merged: false,
        conflicts: false,
    }
}

fn foreign() -> LedgerBranch {
    LedgerBranch {
        owner: BranchOwner::Foreign {
            why: "a person".to_owned(),
        },
        ..ours("old")
    }
}

fn merged() -> LedgerBranch {
    LedgerBranch {
        merged: true,
        ..ours("old")
    }
}

fn emptied() -> LedgerBranch {
    LedgerBranch {
        merged: true,
        ..foreign()
    }
}

fn request(state: PullRequestState, plan: &str) -> PullRequest {
    PullRequest {
        number: 7,
        branch: name(),
        base: "main".parse().unwrap(),
        opened_by: None,
        state,
        title: "blue up".to_owned(),
        body: digest("body"),
        labels: vec!["fleetscale".to_owned()],
        location: "0007".to_owned(),
        ended_at: None,
        record: Some(ProposalRecord {
            plan: digest(plan),
            observed_at: noon(),
            changes: vec![RecordedChange {
                target: "platform/eu-1/kamaji/replicas".parse().unwrap(),
                from: Scalar::Integer(3),
                to: Scalar::Integer(5),
            }],
            withdrawn: None,
        }),
    }
}

fn open(plan: &str) -> PullRequest {
    request(PullRequestState::Open, plan)
}

fn closed(plan: &str) -> PullRequest {
    request(PullRequestState::Closed, plan)
}

fn withdrawn(state: PullRequestState, plan: &str) -> PullRequest {
    let mut request = request(state, plan);
    request.record.as_mut().unwrap().withdrawn = Some("gone".to_owned());
    request
}

fn ended(days_before: i64, request: PullRequest) -> PullRequest {
    let ended_at = noon()
        .checked_sub(jiff::SignedDuration::from_hours(24 * days_before))
        .unwrap();
    PullRequest {
        ended_at: Some(ended_at),
        ..request
    }
}

fn ledger(branch: Option<LedgerBranch>, pull_requests: Vec<PullRequest>) -> Ledger {
    Ledger {
        branches: branch.map(|branch| (name(), branch)).into_iter().collect(),
        pull_requests,
    }
}

fn propose() -> Want {
    Want::Propose {
        plan: digest("new"),
        urgent: false,
        observed_at: noon(),
    }
}

fn keep() -> Want {
    Want::Keep {
        why: "stale".to_owned(),
    }
}

fn withdraw() -> Want {
    Want::Withdraw {
        why: "in range".to_owned(),
    }
}

/// All steps in words short enough for a table.
fn steps(want: Want, ledger: &Ledger) -> String {
    let desired = [Desired { branch: name(), want }];
    let words = |step: Step| match step {
        Step::Open { push } => format!("open{}", push_words(push)),
        Step::Update { number, push } => format!("update #{number}{}", push_words(push)),
        Step::Unchanged { number, why: None } => format!("unchanged #{number}"),
        Step::Unchanged { number, why: Some(why) } => format!("unchanged #{number}: {why}"),
        Step::Close {
            number,
            why,
            delete: Some(head),
        } => format!("close #{number}: {why}; delete at {}", &head.as_str()[..1]),
        Step::Close {
            number,
            why,
            delete: None,
        } => format!("close #{number}: {why}"),
        Step::RecordMerge { number } => format!("record merge of #{number}"),
        Step::HandsOff { number, why } => format!(
            "hands off {}: {why}",
            number.map_or("-".to_owned(), |n| format!("#{n}"))
        ),
    };
    let actions = reconcile(&desired, ledger, &"main".parse().unwrap(), noon());
    assert!(actions.iter().all(|action| action.branch == name()));
    let lines: Vec<String> = actions.into_iter().map(|action| words(action.step)).collect();
    lines.join(" + ")
}

fn push_words(push: Option<Lease>) -> String {
    match push {
        None => String::new(),
        Some(Lease(None)) => ", push as new".to_owned(),
        Some(Lease(Some(head))) => format!(", push over {}", &head.as_str()[..1]),
    }
}

type Row = (&'static str, Option<LedgerBranch>, Vec<PullRequest>, &'static str);

fn check(want: fn() -> Want, table: Vec<Row>) {
    for (row, branch, requests, expected) in table {
        assert_eq!(steps(want(), &ledger(branch, requests)), expected, "{row}");
    }
}

/// The rows of the publish protocol, in its order, for a branch with a proposal.
#[test]
#[rustfmt::skip]
fn a_proposal_meets_every_row_of_the_matrix() {
    use PullRequestState::{Merged, Open};
    let conflicting = |plan| LedgerBranch {
        conflicts: true,
        ..ours(plan)
    };
    let elsewhere = PullRequest {
        base: "next".parse().unwrap(),
        ..open("new")
    };
    let unrecorded = |request| PullRequest {
        record: None,
        ..request
    };
    let second = PullRequest {
        number: 8,
        ..open("new")
    };
    let somebodys = |request| PullRequest {
        number: 9,
        opened_by: Some("jo".to_owned()),
        record: None,
        ..request
    };
    check(
        propose,
        vec![
            ("absent, none", None, vec![], "open, push as new"),
            ("ours same, none: a run ended between push and pull request", Some(ours("new")), vec![], "open"),
            ("ours same but conflicting, none", Some(conflicting("new")), vec![], "open, push over 1"),
            ("ours same, open", Some(ours("new")), vec![open("new")], "unchanged #7"),
            ("ours same, open: the record was not written", Some(ours("new")), vec![open("old")], "update #7"),
            ("ours same, open, half withdrawn", Some(ours("new")), vec![withdrawn(Open, "new")], "update #7"),
            ("ours same but conflicting, open", Some(conflicting("new")), vec![open("new")], "update #7, push over 1"),
            ("ours other, open", Some(ours("old")), vec![open("old")], "update #7, push over 1"),
            ("ours other, open: a push was lost", Some(ours("old")), vec![open("new")], "update #7, push over 1"),
            ("ours other, none", Some(ours("old")), vec![], "open, push over 1"),
            ("not ours, none", Some(foreign()), vec![], "hands off -: the branch is not ours any more: a person"),
            ("not ours, open", Some(foreign()), vec![open("new")], "hands off #7: the branch is not ours any more: a person"),
            ("not ours, closed", Some(foreign()), vec![closed("old")], "hands off -: the branch is not ours any more: a person"),
            ("absent, open: a person deleted it", None, vec![open("new")], "hands off #7: somebody deleted the branch of #7"),
            ("absent, open, other plan", None, vec![open("old")], "update #7, push as new"),
            ("emptied by a person, open", Some(emptied()), vec![open("new")], "hands off #7: somebody deleted the branch of #7"),
            ("emptied by a person, open, other plan", Some(emptied()), vec![open("old")], "update #7, push over 1"),
            ("ours, closed by a person", Some(ours("new")), vec![closed("new")], "hands off #7: a reviewer closed #7"),
            ("absent, closed by a person", None, vec![closed("new")], "hands off #7: a reviewer closed #7"),
            ("absent, closed by a person, other plan", None, vec![closed("old")], "open, push as new"),
            ("ours, closed by a person 29 days ago", Some(ours("new")), vec![ended(29, closed("new"))], "hands off #7: a reviewer closed #7"),
            ("ours, closed by a person 30 days ago", Some(ours("new")), vec![ended(30, closed("new"))], "open, push over 1"),
            ("absent, closed by us", None, vec![withdrawn(PullRequestState::Closed, "new")], "open, push as new"),
            ("absent, closed, no record: not one of ours", None, vec![unrecorded(closed("new"))], "open, push as new"),
            ("merged, recorded", Some(merged()), vec![ended(1, request(Merged, "old"))], "open, push over 1"),
            ("merged, not recorded", Some(merged()), vec![request(Merged, "old")], "record merge of #7 + open, push over 1"),
            ("squashed: merged by the forge", Some(ours("old")), vec![ended(1, request(Merged, "old"))], "open, push over 1"),
            ("absent, merged", None, vec![ended(1, request(Merged, "old"))], "open, push as new"),
            ("aimed elsewhere by a person", Some(ours("new")), vec![elsewhere], "hands off #7: somebody aimed #7 at next"),
            ("record gone", Some(ours("new")), vec![unrecorded(open("new"))], "hands off #7: #7 does not carry our record any more"),
            ("somebody else's, open", Some(ours("new")), vec![somebodys(open("new"))], "hands off #9: #9 was opened from it by jo"),
            ("somebody else's beside ours, open", Some(ours("new")), vec![open("new"), somebodys(open("new"))], "hands off #7: #9 was opened from it by jo"),
            ("absent, somebody else's, open", None, vec![somebodys(open("new"))], "hands off #9: #9 was opened from it by jo"),
            ("somebody else's, closed", Some(ours("new")), vec![somebodys(closed("new"))], "open"),
            ("somebody else's, closed, after ours was", Some(ours("new")), vec![closed("new"), somebodys(closed("new"))], "hands off #7: a reviewer closed #7"),
            ("two open", Some(ours("new")), vec![open("new"), second], "hands off #7: #7 and #8 are both open from it"),
        ],
    );
}

#[test]
#[rustfmt::skip]
fn a_pull_request_that_stays_meets_every_row_of_the_matrix() {
    check(
        keep,
        vec![
            ("ours, open", Some(ours("old")), vec![open("old")], "unchanged #7: stale"),
            ("not ours, open", Some(foreign()), vec![open("old")], "unchanged #7: stale"),
            ("absent, open", None, vec![open("old")], "unchanged #7: stale"),
            ("closed meanwhile", Some(ours("old")), vec![closed("old")], ""),
            ("merged meanwhile", Some(merged()), vec![request(PullRequestState::Merged, "old")], "record merge of #7"),
        ],
    );
}

#[test]
#[rustfmt::skip]
fn a_withdrawal_meets_every_row_of_the_matrix() {
    let unrecorded = PullRequest {
        record: None,
        ..open("old")
    };
    check(
        withdraw,
        vec![
            ("ours, open", Some(ours("old")), vec![open("old")], "close #7: in range; delete at 1"),
            ("absent, open", None, vec![open("old")], "close #7: in range"),
            ("not ours, open", Some(foreign()), vec![open("old")], "hands off #7: the branch is not ours any more: a person"),
            ("record gone", Some(ours("old")), vec![unrecorded], "hands off #7: #7 does not carry our record any more"),
            ("closed meanwhile", Some(ours("old")), vec![closed("old")], ""),
            ("merged meanwhile", Some(merged()), vec![request(PullRequestState::Merged, "old")], "record merge of #7"),
        ],
    );
}

#[test]
fn an_older_world_never_overwrites_a_newer_one() {
    let later = "2026-03-01T12:00:01Z";
    let newer = |plan: &str| LedgerBranch {
        owner: BranchOwner::Ours {
            plan: digest(plan),
            base: id('b'),
            observed_at: later.parse().unwrap(),
        },
        ..ours(plan)
    };
    let words = format!("hands off #7: a run that observed at {later} pushed it, later than this one");
    assert_eq!(steps(propose(), &ledger(Some(newer("old")), vec![open("old")])), words);
    assert_eq!(
        steps(propose(), &ledger(Some(newer("new")), vec![open("new")])),
        "unchanged #7"
    );
}

#[test]
fn a_priority_is_raised_and_never_lowered() {
    let urgent = || Want::Propose {
        plan: digest("new"),
        urgent: true,
        observed_at: noon(),
    };
    let raised = PullRequest {
        labels: vec![URGENT_LABEL.to_owned()],
        ..open("new")
    };
    assert_eq!(
        steps(urgent(), &ledger(Some(ours("new")), vec![open("new")])),
        "update #7"
    );
    assert_eq!(
        steps(urgent(), &ledger(Some(ours("new")), vec![raised.clone()])),
        "unchanged #7"
    );
    assert_eq!(
        steps(propose(), &ledger(Some(ours("new")), vec![raised])),
        "unchanged #7"
    );
    // A forge that gives no labels is not asked again and again.
    let titled = PullRequest {
        title: format!("{URGENT_TITLE}blue up"),
        ..open("new")
    };
    assert_eq!(
        steps(urgent(), &ledger(Some(ours("new")), vec![titled])),
        "unchanged #7"
    );
}

#[test]
fn other_branches_do_not_count() {
    let mut other = open("new");
    other.branch = "fleetscale/eu-1/blue/up-too".parse().unwrap();
    assert_eq!(steps(propose(), &ledger(None, vec![other])), "open, push as new");
}
