use super::super::testing::BRANCH;
use super::*;

fn id(digit: char) -> ObjectId {
    digit.to_string().repeat(40).parse().unwrap()
}

fn ours() -> LedgerBranch {
    LedgerBranch {
        head: id('1'),
        owner: BranchOwner::Ours {
            plan: Digest::of_bytes(b"plan"),
            base: id('b'),
            observed_at: "2026-03-01T12:00:00Z".parse().unwrap(),
        },
        merged: false,
        conflicts: true,
    }
}

fn request(head: Option<ObjectId>, state: PullRequestState) -> ForgePullRequest {
    ForgePullRequest {
        number: 7,
        branch: BRANCH.parse().unwrap(),
        base: "main".parse().unwrap(),
        head,
        opened_by: None,
        state,
        title: String::new(),
        body: String::new(),
        labels: Vec::new(),
        location: String::new(),
        ended_at: None,
    }
}

/// What becomes of a branch next to one pull request.
fn noted(branch: LedgerBranch, request: ForgePullRequest) -> LedgerBranch {
    let name: BranchName = BRANCH.parse().unwrap();
    let branches = BTreeMap::from([(name.clone(), branch)]);
    let mut ledger = assemble(branches, vec![request]);
    ledger.branches.remove(&name).unwrap()
}

#[test]
fn a_branch_of_ours_is_merged_if_the_forge_merged_its_very_head() {
    let merged = noted(ours(), request(Some(id('1')), PullRequestState::Merged));
    assert!(merged.merged && !merged.conflicts);
    for request in [
        request(Some(id('2')), PullRequestState::Merged),
        request(None, PullRequestState::Merged),
        request(Some(id('1')), PullRequestState::Closed),
        request(Some(id('1')), PullRequestState::Open),
    ] {
        assert_eq!(noted(ours(), request), ours());
    }
}

#[test]
fn a_persons_branch_is_not_given_up_because_the_forge_merged_it() {
    let foreign = LedgerBranch {
        owner: BranchOwner::Foreign {
            why: "a person".to_owned(),
        },
        ..ours()
    };
    let request = request(Some(id('1')), PullRequestState::Merged);
    assert_eq!(noted(foreign.clone(), request), foreign);
}

#[test]
fn an_open_pull_request_stays_open_beside_a_merged_one_from_the_same_commit() {
    let merged = request(Some(id('1')), PullRequestState::Merged);
    let again = ForgePullRequest {
        number: 8,
        ..request(Some(id('1')), PullRequestState::Open)
    };
    let branches = BTreeMap::from([(BRANCH.parse().unwrap(), ours())]);
    let Ledger {
        branches,
        pull_requests,
    } = assemble(branches, vec![merged, again]);
    let states: Vec<_> = pull_requests.iter().map(|request| request.state).collect();
    assert_eq!(states, [PullRequestState::Merged, PullRequestState::Open]);
    assert!(branches.values().all(|branch| branch.merged));
}

#[test]
fn a_merge_that_git_knows_of_is_one_for_the_pull_request_too() {
    let branch = LedgerBranch { merged: true, ..ours() };
    let branches = BTreeMap::from([(BRANCH.parse().unwrap(), branch)]);
    let ledger = assemble(branches, vec![request(None, PullRequestState::Open)]);
    assert_eq!(ledger.pull_requests[0].state, PullRequestState::Merged);
}
