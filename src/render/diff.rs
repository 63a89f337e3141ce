//! Old and new bytes as a unified diff in Git's own form, which `git apply` takes.

use std::ops::Range;

use crate::model::RepoPath;

use super::{Rendered, RenderedFile};

/// Unchanged lines shown around a change, as diff and git have it.
const CONTEXT: usize = 3;

/// The most changed lines that are matched up with each other. Beyond it a diff is no longer read by anyone, and the time and memory to
/// find the shortest one grow with the square.
const MOST_CHANGES: isize = 512;

/// Writes the difference of all files, by their new path; nothing for files that neither change nor move.
///
/// It has no `index` lines: blob ids and modes belong to Git. Bytes that are not UTF-8 never change here, so none are lost.
pub fn unified_diff(rendered: &Rendered) -> String {
    let Rendered { files } = rendered;
    files.iter().map(|(path, file)| file_diff(path, file)).collect()
}

fn file_diff(path: &RepoPath, file: &RenderedFile) -> String {
    let RenderedFile { from, before, after } = file;
    let moved = from != path;
    if !moved && before == after {
        return String::new();
    }
    let (old, new) = (lines(before), lines(after));
    let changes = changes(&old, &new);
    let (a, b) = (quoted("a/", from), quoted("b/", path));
    let mut out = format!("diff --git {a} {b}\n");
    if moved {
        let similarity = similarity(&old, &changes, before.len().max(after.len()));
        let (from, to) = (quoted("", from), quoted("", path));
        out.push_str(&format!(
            "similarity index {similarity}%\nrename from {from}\nrename to {to}\n"
        ));
    }
    if !changes.is_empty() {
        // Git ends a name with blanks in it by a tab, so that a reader knows where it ends.
        let end = |name: &str| if name.contains(' ') { "\t\n" } else { "\n" };
        out.push_str(&format!("--- {a}{}+++ {b}{}", end(&a), end(&b)));
    }
    for hunk in hunks(&changes) {
        write_hunk(&mut out, &old, &new, hunk);
    }
    out
}

/// A path as Git writes it: in quotes with octal escapes if it holds a quote or anything beyond ASCII.
fn quoted(side: &str, path: &RepoPath) -> String {
    let path = path.as_str();
    if path.is_ascii() && !path.contains('"') {
        return format!("{side}{path}");
    }
    let mut out = format!("\"{side}");
    for byte in path.bytes() {
        match byte {
            b'"' => out.push_str("\\\""),
            b' '..=b'~' => out.push(char::from(byte)),
            other => out.push_str(&format!("\\{other:03o}")),
        }
    }
    out.push('"');
    out
}

fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n').collect()
}

/// Lines of the old text that give way to lines of the new one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Change {
    old: Range<usize>,
    new: Range<usize>,
}

/// The per cent of bytes in unchanged lines, rounded down: 100 only for equal texts.
fn similarity(old: &[&[u8]], changes: &[Change], longest: usize) -> usize {
    let total: usize = old.iter().map(|line| line.len()).sum();
    let gone: usize = changes
        .iter()
        .flat_map(|change| &old[change.old.clone()])
        .map(|line| line.len())
        .sum();
    let kept = total - gone;
    (kept * 100).checked_div(longest).unwrap_or(100)
}

fn changes(old: &[&[u8]], new: &[&[u8]]) -> Vec<Change> {
    let same_start = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (a, b) = (&old[same_start..], &new[same_start..]);
    let same_end = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[..a.len() - same_end], &b[..b.len() - same_end]);
    let (gone, come) = shortest_script(a, b).unwrap_or_else(|| (vec![true; a.len()], vec![true; b.len()]));
    let mut changes = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        let (from_i, from_j) = (i, j);
        while gone.get(i) == Some(&true) {
            i += 1;
        }
        while come.get(j) == Some(&true) {
            j += 1;
        }
        if (from_i, from_j) == (i, j) {
            (i, j) = (i + 1, j + 1);
            continue;
        }
        changes.push(Change {
            old: same_start + from_i..same_start + i,
            new: same_start + from_j..same_start + j,
        });
    }
    changes
}

/// Which lines of `a` go and which of `b` come in a shortest script (E. Myers, "An O(ND) Difference Algorithm", 1986); nothing if it is
/// longer than [`MOST_CHANGES`].
///
/// `reach[k]` is how far into `a` one gets on diagonal `k` (position in `a` minus position in `b`) with `d` changes.
fn shortest_script(a: &[&[u8]], b: &[&[u8]]) -> Option<(Vec<bool>, Vec<bool>)> {
    let (n, m) = (a.len().cast_signed(), b.len().cast_signed());
    let most = (n + m).min(MOST_CHANGES);
    let at = |k: isize| (k + most + 1).cast_unsigned();
    let downward = |reach: &[isize], d: isize, k: isize| k == -d || k != d && reach[at(k - 1)] < reach[at(k + 1)];
    let mut reach = vec![0_isize; at(most + 1) + 1];
    let mut history: Vec<Vec<isize>> = Vec::new();
    let mut found = false;
    'rounds: for d in 0..=most {
        history.push(reach.clone());
        for k in (-d..=d).step_by(2) {
            let down = downward(&reach, d, k);
            let mut x = if down { reach[at(k + 1)] } else { reach[at(k - 1)] + 1 };
            while x < n && x - k < m && a[x.cast_unsigned()] == b[(x - k).cast_unsigned()] {
                x += 1;
            }
            reach[at(k)] = x;
            if x >= n && x - k >= m {
                found = true;
                break 'rounds;
            }
        }
    }
    if !found {
        return None;
    }
    let (mut gone, mut come) = (vec![false; a.len()], vec![false; b.len()]);
    let (mut x, mut y) = (n, m);
    for (d, reach) in history.iter().enumerate().skip(1).rev() {
        let k = x - y;
        let down = downward(reach, d.cast_signed(), k);
        let before = if down { k + 1 } else { k - 1 };
        x = reach[at(before)];
        y = x - before;
        if down {
            come[y.cast_unsigned()] = true;
        } else {
            gone[x.cast_unsigned()] = true;
        }
    }
    Some((gone, come))
}

/// Changes whose context would meet are shown together.
fn hunks(changes: &[Change]) -> impl Iterator<Item = &[Change]> {
    changes.chunk_by(|one, next| next.old.start - one.old.end <= 2 * CONTEXT)
}

fn write_hunk(out: &mut String, old: &[&[u8]], new: &[&[u8]], hunk: &[Change]) {
    let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else {
        return;
    };
    let lead = first.old.start.min(CONTEXT);
    let tail = (old.len() - last.old.end).min(CONTEXT);
    let header = |start: usize, end: usize| match end - start {
        // An empty range is named by the line before it.
        0 => format!("{start},0"),
        1 => format!("{}", start + 1),
        count => format!("{},{count}", start + 1),
    };
    let old_range = header(first.old.start - lead, last.old.end + tail);
    let new_range = header(first.new.start - lead, last.new.end + tail);
    out.push_str(&format!("@@ -{old_range} +{new_range} @@\n"));
    let mut next = first.old.start - lead;
    for change in hunk {
        write_lines(out, ' ', &old[next..change.old.start]);
        write_lines(out, '-', &old[change.old.clone()]);
        write_lines(out, '+', &new[change.new.clone()]);
        next = change.old.end;
    }
    write_lines(out, ' ', &old[next..next + tail]);
}

fn write_lines(out: &mut String, sign: char, lines: &[&[u8]]) {
    for line in lines {
        out.push(sign);
        out.push_str(&String::from_utf8_lossy(line));
        if !line.ends_with(b"\n") {
            out.push_str("\n\\ No newline at end of file\n");
        }
    }
}

#[cfg(test)]
mod tests;
