//! The life of pull requests with the real program on real forges: from the first run to the one that has nothing to do.

mod faults;
mod site;

use crate::agent::git;
use site::{BUSY, Load, QUIET, URGENT, branch, on_both};

const TO_FIVE: &str = "[P1] eu-1: tenants/blue up: blue-md-0 3 -> 5";
const TO_FOUR: &str = "eu-1: tenants/blue up: blue-md-0 3 -> 4";

fn titled(number: u64, title: &str) -> Vec<(u64, String)> {
    vec![(number, title.to_owned())]
}

#[test]
fn a_pull_request_lives_from_the_first_run_to_the_quiet_one() {
    on_both("lifecycle", |site| {
        let ours = branch("blue");

        // Planned, looked at, published.
        site.sees(&[("blue", URGENT)]);
        let plan = site.folder.path().join("plan.json");
        let plan = plan.to_str().unwrap();
        site.ends(0, &["plan", "--detailed-exitcode", "--out", plan])
            .expect(2, &["1 to change"]);
        site.is_untouched();
        site.ends(0, &["publish", plan]).expect(0, &["created", "#1", &ours]);
        assert_eq!(site.pulls("open"), titled(1, TO_FIVE));
        assert_eq!(site.changed(&ours), ["-  replicas: 3", "+  replicas: 5"]);
        let first = site.head(&ours);
        let main = site.head("main");
        assert_eq!(git(&site.clone, &["rev-parse", "FETCH_HEAD^"]), main);

        // Nothing is new.
        site.writes();
        site.ends(0, &["publish", plan]).expect(0, &["unchanged"]);
        site.runs(1).expect(0, &["unchanged", "#1"]);
        assert_eq!((site.writes(), site.head(&ours)), (vec![], first.clone()));

        // Another decision: the same pull request says something else.
        site.sees(&[("blue", BUSY)]);
        site.runs(2).expect(0, &["updated", "#1"]);
        assert_eq!(site.pulls("all"), titled(1, TO_FOUR));
        assert_eq!(site.changed(&ours), ["-  replicas: 3", "+  replicas: 4"]);
        let second = site.head(&ours);
        assert_eq!(git(&site.clone, &["rev-parse", "FETCH_HEAD^"]), main);

        // A person's commit on the branch is theirs, whatever is decided.
        git(&site.clone, &["checkout", "-q", "-B", "theirs", "FETCH_HEAD"]);
        site.write("note.md", "Wait for the new rack.\n");
        site.commit("Say what we wait for");
        git(&site.clone, &["push", "-q", "origin", &format!("HEAD:{ours}")]);
        let theirs = site.head(&ours);
        site.sees(&[("blue", URGENT)]);
        site.writes();
        site.runs(3).expect(0, &["left alone", "#1", "not ours any more"]);
        site.sees(&[("blue", QUIET)]);
        site.runs(3).expect(0, &["left alone", "#1"]);
        assert_eq!((site.writes(), site.head(&ours)), (vec![], theirs));
        assert_eq!(site.pulls("all"), titled(1, TO_FOUR));

        // They take it back, and close the pull request. That is a no to these very edits.
        git(
            &site.clone,
            &["push", "-q", "-f", "origin", &format!("{second}:refs/heads/{ours}")],
        );
        site.sees(&[("blue", BUSY)]);
        site.runs(4).expect(0, &["unchanged", "#1"]);
        site.person_closes(1);
        site.writes();
        site.runs(5)
            .expect(0, &["closed-by-reviewer", "a reviewer closed pull request #1"]);
        assert_eq!((site.writes(), site.head(&ours)), (vec![], second));
        assert_eq!(site.pulls("open"), []);

        // A day later more is needed, which nobody has said no to.
        site.sees(&[("blue", URGENT)]);
        site.runs(6).expect(0, &["closed-by-reviewer", "unless the need grows"]);
        site.hours_pass(25);
        site.sees(&[("blue", URGENT)]);
        site.runs(6).expect(0, &["created", "#2"]);
        assert_eq!(site.pulls("open"), titled(2, TO_FIVE));
        assert_eq!(site.changed(&ours), ["-  replicas: 3", "+  replicas: 5"]);

        // It is merged, then applied.
        site.person_merges(2);
        site.writes();
        site.ends(7, &["publish", plan]).expect(1, &["stale", "plan again"]);
        site.runs(7).expect(0, &["not-applied", "0 to change"]);
        site.sees(&[("blue", Load { nodes: 5, ..QUIET })]);
        let quiet = site.runs(8);
        quiet.expect(0, &["0 to change"]);
        assert!(!quiet.out.contains("not-applied"), "{quiet:#?}");
        assert_eq!((site.writes(), site.pulls("open")), (vec![], vec![]));
    });
}
