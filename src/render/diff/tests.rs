//! Diffs as a person reads them and as Git applies them.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::*;

fn rendered(files: &[(&str, &str, &[u8], &[u8])]) -> Rendered {
    let file = |(from, to, before, after): &(&str, &str, &[u8], &[u8])| {
        let file = RenderedFile {
            from: from.parse().unwrap(),
            before: before.to_vec(),
            after: after.to_vec(),
        };
        (to.parse().unwrap(), file)
    };
    Rendered {
        files: files.iter().map(file).collect(),
    }
}

fn diff(before: &str, after: &str) -> String {
    unified_diff(&rendered(&[("f.yaml", "f.yaml", before.as_bytes(), after.as_bytes())]))
}

/// Lets Git apply a diff to the old files, and compares all that is there afterwards with the new ones.
fn applies(rendered: &Rendered) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let at = |path: &RepoPath| folder.path().join(path.as_str());
    for file in rendered.files.values() {
        let place = at(&file.from);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(place, &file.before).unwrap();
    }
    let diff = unified_diff(rendered);
    let mut git = Command::new("git")
        .args(["apply", "--whitespace=nowarn", "--allow-empty", "-"])
        .current_dir(folder.path())
        .env(
            "GIT_CEILING_DIRECTORIES",
            folder.path().parent().unwrap_or(Path::new("/")),
        )
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    git.stdin.take().unwrap().write_all(diff.as_bytes()).unwrap();
    let output = git.wait_with_output().unwrap();
    if !output.status.success() {
        return Err(format!("{}\n{diff}", String::from_utf8_lossy(&output.stderr)));
    }
    for (path, file) in &rendered.files {
        if std::fs::read(at(path)).ok().as_deref() != Some(&file.after) {
            return Err(format!("{path} differs after\n{diff}"));
        }
    }
    match rendered.removed().find(|path| at(path).exists()) {
        Some(left) => Err(format!("{left} is still there after\n{diff}")),
        None => Ok(()),
    }
}

#[test]
fn a_change_is_shown_with_three_lines_around_it() {
    let before = "a\nb\nc\nd\nreplicas: 3 # c\ne\nf\ng\nh\n";
    assert_eq!(
        diff(before, &before.replace('3', "5")),
        "diff --git a/f.yaml b/f.yaml\n--- a/f.yaml\n+++ b/f.yaml\n@@ -2,7 +2,7 @@\n b\n c\n d\n-replicas: 3 # c\n+replicas: 5 # c\n e\n f\n g\n"
    );
}

#[test]
fn changes_share_a_hunk_only_if_their_context_meets() {
    let lines = |changed: &[usize]| -> String {
        let line = |n: usize| format!("{n}{}\n", if changed.contains(&n) { "!" } else { "" });
        (0..30).map(line).collect()
    };
    let hunks = |changed: &[usize]| diff(&lines(&[]), &lines(changed)).matches("@@ -").count();
    assert_eq!(hunks(&[10, 17]), 1);
    assert_eq!(hunks(&[10, 18]), 2);
    assert_eq!(hunks(&[0, 29]), 2);
    assert_eq!(hunks(&[]), 0);
}

#[test]
fn a_missing_last_line_break_is_said() {
    assert!(
        diff("a: 3", "a: 5")
            .ends_with("@@ -1 +1 @@\n-a: 3\n\\ No newline at end of file\n+a: 5\n\\ No newline at end of file\n")
    );
    assert!(
        diff("a: 3", "a: 3\nb: 1").ends_with(
            "@@ -1 +1,2 @@\n-a: 3\n\\ No newline at end of file\n+a: 3\n+b: 1\n\\ No newline at end of file\n"
        )
    );
}

#[test]
fn a_move_is_a_rename_with_its_few_changes() {
    let before = "metadata:\n  name: c\nspec:\n  x: 1\n";
    let after = before.replace("name: c\n", "name: c\n  namespace: s\n");
    let moved = rendered(&[("new/c.yaml", "shard/c d.yaml", before.as_bytes(), after.as_bytes())]);
    assert_eq!(
        unified_diff(&moved),
        "diff --git a/new/c.yaml b/shard/c d.yaml\nsimilarity index 68%\nrename from new/c.yaml\nrename to shard/c d.yaml\n\
         --- a/new/c.yaml\n+++ b/shard/c d.yaml\t\n@@ -1,4 +1,5 @@\n metadata:\n   name: c\n+  namespace: s\n spec:\n   x: 1\n"
    );
    let only_moved = rendered(&[("a.yaml", "b.yaml", b"\xff", b"\xff")]);
    assert_eq!(
        unified_diff(&only_moved),
        "diff --git a/a.yaml b/b.yaml\nsimilarity index 100%\nrename from a.yaml\nrename to b.yaml\n"
    );
}

#[test]
fn git_applies_every_shape_of_path_and_text() {
    let all = rendered(&[
        ("plain.yaml", "plain.yaml", b"a: 3\n", b"a: 5\n"),
        ("with space.yaml", "with space.yaml", b"a: 3\n", b"a: 5\n"),
        ("größe/🚀.yaml", "größe/🚀.yaml", b"a: 3\n", b"a: 5\n"),
        ("quote\"d.yaml", "quote\"d.yaml", b"a: 3\n", b"a: 5\n"),
        (
            "crlf.yaml",
            "crlf.yaml",
            b"a: 3\r\nb: 1\r\n",
            b"a: 5\r\nb: 1\r\nc: 2\r\n",
        ),
        ("bom.yaml", "bom.yaml", b"\xef\xbb\xbfa: 3\n", b"\xef\xbb\xbfa: 5\n"),
        ("no-end.yaml", "no-end.yaml", b"x\na: 3", b"x\na: 3\nb: 1"),
        (
            "signs.yaml",
            "signs.yaml",
            b"--- a/x\n+++ b/x\n@@ -1 +1 @@\na: 3\n",
            b"--- a/x\n+++ b/x\n@@ -1 +1 @@\na: 5\n",
        ),
        ("same.yaml", "same.yaml", b"a: 3\n", b"a: 3\n"),
        (
            "requests/c d.yaml",
            "shard/ü d.yaml",
            b"a: 3\nb: 1\nc: 1\nd: 1\n",
            b"a: 5\nb: 1\nc: 1\nd: 1\n",
        ),
        ("requests/e.yaml", "shard/e.yaml", b"a: 3\n", b"a: 3\n"),
    ]);
    applies(&all).unwrap();
}

#[test]
fn texts_without_a_common_line_are_shown_whole() {
    let before: String = (0..600).map(|n| format!("a{n}\n")).collect();
    let after: String = (0..600).map(|n| format!("b{n}\n")).collect();
    let rendered = rendered(&[("f.yaml", "f.yaml", before.as_bytes(), after.as_bytes())]);
    assert!(unified_diff(&rendered).contains("@@ -1,600 +1,600 @@\n"));
    applies(&rendered).unwrap();
}

/// A text of few different lines, so that many of them look alike.
fn text() -> impl Strategy<Value = String> {
    let line = prop::sample::select(["a\n", "b\n", "c: 1\n", "- d\r\n", "\n", "ü\n"].as_slice());
    (prop::collection::vec(line, 0..24), any::<bool>()).prop_map(|(lines, ends)| {
        let text = lines.concat();
        if ends {
            text
        } else {
            text.trim_end_matches('\n').to_owned()
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    // Many files in each diff: starting Git costs more than all the rest.
    #[test]
    fn git_applies_any_diff(pairs in prop::collection::vec((text(), text(), any::<bool>()), 1..60)) {
        let files = pairs.into_iter().enumerate().map(|(index, (before, after, moves))| {
            let folder = if moves { "old" } else { "new" };
            let file = RenderedFile {
                from: format!("{folder}/{index}").parse().unwrap(),
                before: before.into_bytes(),
                after: after.into_bytes(),
            };
            (format!("new/{index}").parse().unwrap(), file)
        });
        let rendered = Rendered { files: files.collect() };
        prop_assert_eq!(applies(&rendered), Ok(()));
    }
}
