use tempfile::TempDir;

use super::*;

/// Runs a future to its end. Nothing in this forge ever waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

fn forge() -> (TempDir, LocalForge) {
    let folder = tempfile::tempdir().unwrap();
    let forge = LocalForge::new(folder.path().join("pulls"));
    (folder, forge)
}

fn text(title: &str) -> PullRequestText {
    PullRequestText {
        title: title.to_owned(),
        body: "| a |\n\n<!-- state -->\n".to_owned(),
        labels: vec!["fleetscale".to_owned(), "fleetscale/up".to_owned()],
    }
}

fn new(branch: &str) -> NewPullRequest {
    NewPullRequest {
        branch: branch.parse().unwrap(),
        base: "main".parse().unwrap(),
        text: text("blue up"),
    }
}

fn noon() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

#[test]
fn a_pull_request_reads_back_as_it_was_opened() {
    let (_folder, forge) = forge();
    assert_eq!(now(forge.list("")).unwrap(), []);
    let number = now(forge.create(&new("fleetscale/eu-1/blue/up"))).unwrap();
    let PullRequestText { title, body, labels } = text("blue up");
    let expected = ForgePullRequest {
        number,
        branch: "fleetscale/eu-1/blue/up".parse().unwrap(),
        base: "main".parse().unwrap(),
        head: None,
        opened_by: None,
        state: PullRequestState::Open,
        title,
        body,
        labels,
        location: forge.root.join("0001").display().to_string(),
        ended_at: None,
    };
    assert_eq!(now(forge.list("fleetscale/")).unwrap(), [expected]);
    assert_eq!(now(forge.list("other/")).unwrap(), []);
    let readme = fs::read_to_string(forge.root.join("README.md")).unwrap();
    assert!(readme.contains("echo closed > 0001/state"));
}

#[test]
fn a_branch_has_one_open_pull_request_and_numbers_are_never_used_again() {
    let (_folder, forge) = forge();
    let one = now(forge.create(&new("fleetscale/a"))).unwrap();
    let again = now(forge.create(&new("fleetscale/a")));
    assert!(matches!(again, Err(ForgeError::Local(LocalError::AlreadyOpen { number, .. })) if number == one));
    // A branch whose name only starts the same is another one.
    assert_eq!(now(forge.create(&new("fleetscale/a-b"))).unwrap(), 2);
    now(forge.close(one, noon())).unwrap();
    assert_eq!(now(forge.create(&new("fleetscale/a"))).unwrap(), 3);
}

#[test]
fn a_pull_request_can_be_updated_commented_closed_and_merged() {
    let (_folder, forge) = forge();
    let (one, two) = (
        now(forge.create(&new("fleetscale/a"))).unwrap(),
        now(forge.create(&new("fleetscale/b"))).unwrap(),
    );
    now(forge.update(one, &text("blue up 3 -> 6"))).unwrap();
    now(forge.comment(one, "First.\n")).unwrap();
    now(forge.comment(one, "Second.")).unwrap();
    now(forge.close(one, noon())).unwrap();
    now(forge.record_merge(two, noon())).unwrap();
    let list = now(forge.list("")).unwrap();
    assert_eq!(list[0].title, "blue up 3 -> 6");
    assert_eq!(
        (list[0].state, list[0].ended_at),
        (PullRequestState::Closed, Some(noon()))
    );
    assert_eq!(
        (list[1].state, list[1].ended_at),
        (PullRequestState::Merged, Some(noon()))
    );
    let comments = fs::read_to_string(forge.root.join("0001/comments.md")).unwrap();
    assert_eq!(comments, "First.\n\n---\n\nSecond.\n");
    let missing = now(forge.close(9, noon())).unwrap_err();
    assert!(matches!(
        missing,
        ForgeError::Local(LocalError::NotFound { number: 9, .. })
    ));
}

#[test]
fn a_person_closes_one_with_echo() {
    let (_folder, forge) = forge();
    let number = now(forge.create(&new("fleetscale/a"))).unwrap();
    fs::write(forge.root.join("0001/state"), "  closed \r\n").unwrap();
    let list = now(forge.list("")).unwrap();
    assert_eq!(
        (list[0].number, list[0].state, list[0].ended_at),
        (number, PullRequestState::Closed, None)
    );
}

#[test]
fn an_interrupted_creation_is_no_pull_request() {
    let (_folder, forge) = forge();
    forge.build(&new("fleetscale/a")).unwrap();
    assert_eq!(now(forge.list("")).unwrap(), []);
    assert_eq!(now(forge.create(&new("fleetscale/a"))).unwrap(), 1);
    let names: Vec<_> = fs::read_dir(&forge.root)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn what_is_not_ours_in_the_folder_is_not_read() {
    let (_folder, forge) = forge();
    now(forge.create(&new("fleetscale/a"))).unwrap();
    for name in ["2", "00003", "notes", ".new-1"] {
        fs::create_dir(forge.root.join(name)).unwrap();
    }
    fs::write(forge.root.join("0004"), "a file").unwrap();
    assert_eq!(now(forge.list("")).unwrap().len(), 1);
}

#[test]
fn a_file_that_makes_no_sense_is_named_with_the_way_out() {
    let table: [(&str, Option<&[u8]>, &str); 9] = [
        (
            "state",
            Some(b"cloesd\n"),
            "it says \"cloesd\"; it has to hold open, closed or merged",
        ),
        (
            "state",
            Some(b"\x1b[31mopen"),
            "it says \"\\u{1b}[31mopen\"; it has to hold open, closed or merged",
        ),
        (
            "state",
            Some(b""),
            "it says \"\"; it has to hold open, closed or merged",
        ),
        ("state", None, "it is missing; it has to hold open, closed or merged"),
        (
            "branch",
            Some(b"a..b"),
            "it says \"a..b\"; it has to hold the name of its branch",
        ),
        (
            "base",
            None,
            "it is missing; it has to hold the name of the branch to merge it into",
        ),
        ("title", Some(b"\xff"), "it is not UTF-8; it has to hold plain text"),
        (
            "body.md",
            Some(&[b'a'; (1 << 20) + 1]),
            "it is larger than 1 MiB; it has to hold less",
        ),
        (
            "ended",
            Some(b"noon"),
            "it says \"noon\"; it has to hold a time like 2026-03-01T12:00:00Z",
        ),
    ];
    for (name, bytes, words) in table {
        let (_folder, forge) = forge();
        now(forge.create(&new("fleetscale/a"))).unwrap();
        let path = forge.root.join("0001").join(name);
        match bytes {
            Some(bytes) => fs::write(&path, bytes).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let error = now(forge.list("")).unwrap_err().to_string();
        assert!(
            error.contains(words) && error.contains(&path.display().to_string()),
            "{error}"
        );
    }
}
