//! Twenty valid files that existing tools reformat, edit in the wrong place or give up on: 3 becomes 7 and every other byte stays, or a
//! person agrees that it must not.

use super::{fixtures, is_workers, judge};
use crate::support::repository::{Fleet, Repository};

/// Each file and what must become of it. A quoted number is text, which Kubernetes refuses where it wants a number: nobody has applied it.
const CASES: [(&str, &str); 20] = [
    ("01-aligned.yaml", "preserved 8:18"),
    ("02-comments.yaml", "preserved 13:13"),
    ("03-blank-lines.yaml", "preserved 16:13"),
    ("04-double-quoted.yaml", "refused not-an-integer 7"),
    ("05-single-quoted.yaml", "refused not-an-integer 7"),
    ("06-anchors-elsewhere.yaml", "preserved 11:13"),
    ("07-lists-at-indent-0.yaml", "preserved 12:13"),
    ("08-mixed-indent.yaml", "preserved 15:14"),
    ("09-indent-4.yaml", "preserved 7:15"),
    ("10-crlf.yaml", "preserved 7:13"),
    ("11-three-documents.yaml", "preserved 15:13"),
    ("12-directives.yaml", "preserved 18:13"),
    ("13-no-final-newline.yaml", "preserved 8:13"),
    ("14-flow-one-line.yaml", "preserved 1:150"),
    ("15-flow-over-lines.yaml", "preserved 7:13"),
    ("16-long-strings.yaml", "preserved 24:13"),
    ("17-look-alikes.yaml", "preserved 21:15"),
    ("18-json.json", "preserved 5:45"),
    ("19-byte-order-mark.yaml", "preserved 7:13"),
    ("20-odd-scalars.yaml", "preserved 15:13"),
];

#[test]
fn twenty_tricky_files_change_by_their_number_alone_or_are_refused_for_a_reason() {
    let fleet = Fleet::load();
    let mut right = 0;
    for (name, want) in CASES {
        let bytes = std::fs::read(fixtures("tricky").join(name)).unwrap();
        let outcome = judge(&fleet, &Repository::of(&format!("clusters/{name}"), bytes), is_workers);
        let outcome = outcome.to_string();
        right += usize::from(outcome == want);
        println!("{name:<28}{outcome}{}", if outcome == want { "" } else { "  <- wrong" });
    }
    println!("{right} of {}", CASES.len());
    assert_eq!(right, CASES.len());
    assert_eq!(std::fs::read_dir(fixtures("tricky")).unwrap().count(), CASES.len());
}
