//! Files that were written to do harm: what they cost.

use std::process::Command;

use super::{MAX_ALIASES, MAX_BYTES, MAX_DEPTH, ParseErrorKind, Stream};

fn refusal(text: &str) -> Option<ParseErrorKind> {
    Stream::parse(text).err().map(|error| error.kind)
}

/// Nine levels of nine aliases each: a gigabyte for a reader that expands them.
fn alias_bomb() -> String {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let below = level - 1;
        let items = vec![format!("*a{below}"); 9].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{items}]\n"));
    }
    text
}

fn nested_block(levels: usize) -> String {
    let lines = (0..levels).map(|level| format!("{}a:\n", " ".repeat(level)));
    lines.collect()
}

/// Repeats a piece up to a length in bytes.
fn filled(piece: &str, bytes: usize) -> String {
    piece.repeat(bytes / piece.len())
}

/// Shapes that cost a careless reader much more than their length, each of about `bytes`.
fn shapes(bytes: usize) -> Vec<String> {
    vec![
        filled("[", bytes),
        filled("{a: ", bytes),
        filled("- ", bytes),
        filled("? ", bytes),
        filled("-\n", bytes),
        filled("---\n", bytes),
        filled("\n", bytes),
        filled("# c\n", bytes),
        filled("a", bytes),
        format!("[{}]", filled("a,", bytes - 2)),
        format!("{{{}}}", filled("a,", bytes - 2)),
        format!("[{}]", filled("[],", bytes - 2)),
        format!("[{}]", filled("&a a,", bytes - 2)),
        format!("[{}]", filled("!a a,", bytes - 2)),
        format!("a: &a 1\nb: [{}]", filled("*a,", bytes - 12)),
        format!("\"{}\"", filled("\\L", bytes - 2)),
        format!("\"{}", filled("x", bytes)),
        format!("'{}'", filled("\n", bytes - 2)),
        format!("a: |\n{}", filled(" x\n", bytes - 5)),
        format!("a: >\n{}", filled(" x\n\n", bytes - 5)),
        (0..bytes / 12).map(|n| format!("k{n:06}: 1\n")).collect(),
        (0..bytes / 14).map(|n| format!("- &a{n:06} 1\n")).collect(),
        filled("%TAG ! tag:example.com,2000:app/\n---\n!a b\n...\n", bytes),
    ]
}

#[test]
fn an_alias_bomb_is_read_without_expanding_it() {
    let bomb = alias_bomb();
    assert_eq!(bomb.matches('*').count(), 81);
    let stream = Stream::parse(&bomb).unwrap();
    assert_eq!(stream.documents()[0].root.entries().count(), 10);
}

#[test]
fn the_limits_are_told_apart() {
    let aliases = |count| format!("a: &a 1\nb: [{}]\n", vec!["*a"; count].join(", "));
    assert_eq!(refusal(&aliases(MAX_ALIASES)), None);
    assert_eq!(refusal(&aliases(MAX_ALIASES + 1)), Some(ParseErrorKind::TooManyAliases));

    assert_eq!(refusal(&nested_block(MAX_DEPTH)), None);
    assert_eq!(refusal(&nested_block(MAX_DEPTH + 1)), Some(ParseErrorKind::TooDeep));
    let nested_flow = |levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert_eq!(refusal(&nested_flow(MAX_DEPTH)), None);
    assert_eq!(refusal(&nested_flow(MAX_DEPTH + 1)), Some(ParseErrorKind::TooDeep));
    let mixed = format!(
        "{}{}",
        nested_block(MAX_DEPTH - 2),
        format_args!("{}[[[1]]]\n", " ".repeat(MAX_DEPTH))
    );
    assert_eq!(refusal(&mixed), Some(ParseErrorKind::TooDeep));

    assert_eq!(refusal(&filled("# 45678\n", MAX_BYTES)), None);
    let long = filled("# 45678\n", MAX_BYTES) + "\n";
    assert_eq!(refusal(&long), Some(ParseErrorKind::TooLong { bytes: MAX_BYTES + 1 }));

    let dense = format!("{{{}}}", filled("a,", MAX_BYTES - 2));
    assert_eq!(refusal(&dense), Some(ParseErrorKind::TooManyEvents));
}

#[test]
fn a_refusal_quotes_only_a_little_of_the_text() {
    let error = Stream::parse(&format!("a: *{}\n", "n".repeat(10_000))).unwrap_err();
    assert!(error.to_string().len() < 300, "{error}");
}

/// The most memory that this process ever had resident, in KiB.
#[cfg(target_os = "linux")]
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// The bound that the readers of a fleet promise for any file of at most 1 MiB, whoever wrote it.
#[cfg(target_os = "linux")]
const PEAK_KIB: u64 = 64 * 1024;

#[cfg(target_os = "linux")]
#[test]
#[ignore = "measures its own process: run by no_hostile_file_costs_much_memory"]
fn read_hostile_files_alone() {
    assert!(refusal(&alias_bomb()).is_none());
    for bytes in [35_000, MAX_BYTES] {
        for text in shapes(bytes) {
            let refused = refusal(&text).is_some();
            let peak = peak_kib();
            let start: String = text.chars().take(12).collect();
            println!("{bytes} bytes of {start:?}: refused {refused}, peak so far {peak} KiB");
            assert!(peak < PEAK_KIB, "{start:?}: {peak} KiB");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn no_hostile_file_costs_much_memory() {
    // In a process of its own: the tests beside this one have their own memory.
    let this = std::env::current_exe().unwrap();
    let name = "yaml::hostile::read_hostile_files_alone";
    let child = Command::new(this)
        .args(["--exact", name, "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(
        child.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&child.stderr)
    );
}
