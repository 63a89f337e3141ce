use comrak::nodes::NodeValue;
use comrak::{Arena, Options, parse_document};

use super::super::testing::{change, plan, proposal};
use super::*;
use crate::model::{Decision, Grade, HoldReason, ProposedAction, Scalar, Verdict};

fn written(proposal: &Proposal) -> Message {
    message(proposal, &plan("a".repeat(40).parse().unwrap(), vec![proposal.clone()])).unwrap()
}

fn held(cause: &str) -> Decision {
    Decision {
        target: "node-group/eu-1/shard-a/blue/md-1/replicas".parse().unwrap(),
        policy: None,
        verdict: Verdict::Hold {
            wanted: None,
            reasons: vec![HoldReason::Gap {
                input: "memory/24h".to_owned(),
                grade: Grade::Stale,
                cause: cause.to_owned(),
                blocks: Some(Direction::Down),
            }],
        },
    }
}

#[test]
fn a_reviewer_reads_what_why_and_what_next() {
    let proposal = Proposal {
        related: vec![held("no sample since 11:00")],
        ..proposal(vec![change("md-0", 3, 5)])
    };
    let Message {
        title,
        body,
        labels,
        commit,
    } = written(&proposal);
    let (shown, hidden) = body.split_once("<!-- ").unwrap();
    insta::assert_snapshot!(
        "what_a_reviewer_reads",
        format!("{title}\n{labels:?}\n\n{commit}\n\n=====\n{shown}")
    );
    assert!(hidden.starts_with("fleetscale: {\"version\":1,") && hidden.ends_with(" -->\n"));
}

#[test]
fn a_title_is_unique_to_its_changes_and_counts_what_it_leaves_out() {
    let many = (0..50).map(|n| change(&format!("md-{n}"), 3, 5)).collect();
    let title = written(&proposal(many)).title;
    assert_eq!(
        title,
        "[P1] eu-1: shard-a/blue up: md-0 3 -> 5, md-1 3 -> 5, md-2 3 -> 5, md-3 3 -> 5, md-4 3 -> 5, md-5 3 -> 5 and 44 more"
    );
    let long = written(&proposal(vec![change(&"x".repeat(200), 3, 5)])).title;
    assert_eq!(long.chars().count(), LONGEST_TITLE);
}

#[test]
fn a_body_stays_within_its_bounds_and_counts_what_it_leaves_out() {
    for (changes, related) in [(1, 5_000), (200, 0), (200, 200), (240, 5_000)] {
        let changes: Vec<_> = (0..changes).map(|n| change(&format!("md-{n}"), 3, 5)).collect();
        let total = changes.len();
        let proposal = Proposal {
            related: vec![held(&"cause ".repeat(40)); related],
            ..proposal(changes)
        };
        let body = written(&proposal).body;
        assert!(body.len() <= LONGEST_BODY, "{}", body.len());
        assert_eq!(state::read(&body).unwrap().changes.len(), total);
        let rows = body.lines().filter(|line| line.starts_with("| md-")).count();
        let left_out = body.contains(&format!("… and {} more changes", total - rows));
        assert!(rows > 0 && (rows == total || left_out), "{rows} of {total}");
        assert!(body.starts_with("| target | from | to |"));
    }
}

#[test]
fn more_changes_than_the_hidden_state_can_hold_are_refused() {
    let changes = (0..1_000).map(|n| change(&format!("md-{n}"), 3, 5)).collect();
    let proposal = proposal(changes);
    let refused = message(
        &proposal,
        &plan("a".repeat(40).parse().unwrap(), vec![proposal.clone()]),
    );
    assert!(matches!(
        refused,
        Err(MessageError::TooManyChanges { changes: 1_000, .. })
    ));
}

#[test]
fn what_comes_from_outside_is_inert_everywhere() {
    let hostile = "@org/all Fixes #1 <img src=x> | x ![a](http://a.bc) ` --> [skip ci]\n\nCo-authored-by: a <a@b.cc>";
    let mut change = change("md-0", 3, 5);
    if let ProposedAction::Set(set) = &mut change.action {
        set.from = Scalar::Text(hostile.to_owned());
        set.reasons = vec![crate::model::Reason::Ladder {
            counted: hostile.to_owned(),
            count: 3,
            rung: 2,
        }];
    }
    let Message {
        title,
        body,
        labels: _,
        commit,
    } = written(&Proposal {
        related: vec![held(hostile)],
        ..proposal(vec![change])
    });
    for plain in [&title, &commit] {
        assert!(!plain[5..].contains(['@', '#', '<', '[', '`']), "{plain}");
        assert!(!plain.contains("Co-authored-by:"));
    }
    let mut options = Options::default();
    options.extension.autolink = true;
    options.extension.table = true;
    let arena = Arena::new();
    for node in parse_document(&arena, &body, &options).descendants() {
        match &node.data.borrow().value {
            NodeValue::Link(_) | NodeValue::Image(_) => panic!("{body}"),
            NodeValue::HtmlInline(html) => assert_eq!(html, "<br>"),
            NodeValue::HtmlBlock(html) => assert!(
                html.literal
                    .starts_with("<details>\n<summary>Left as it is on the same cluster: 1</summary>\n")
                    || html.literal == "</details>\n"
                    || html.literal.starts_with("<!-- fleetscale: {"),
                "{}",
                html.literal
            ),
            NodeValue::Text(text) => assert!(!text.contains("@o") && !text.contains("#1"), "{text}"),
            _ => {}
        }
    }
    assert_eq!(body.matches("<!-- ").count(), 1);
    assert_eq!(
        state::read(&body).unwrap().changes[0].from,
        Scalar::Text(hostile.to_owned())
    );
}

#[test]
fn the_same_proposal_has_the_same_words() {
    let proposal = proposal(vec![change("md-0", 3, 5)]);
    assert_eq!(written(&proposal), written(&proposal));
}
