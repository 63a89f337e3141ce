//! Hostile files that are too large to be committed, written when they are needed.

use fleetscale::fleet::LARGEST_FILE;

use crate::support::repository::Repository;

/// A case: its name, how it is written, and the words of its outcome.
pub(super) type Large = (&'static str, fn() -> Repository, &'static str);

/// A MachineDeployment with three replicas on its eighth line, or further below by the lines of its annotations.
pub(super) fn manifest(annotations: &str) -> String {
    format!(
        "apiVersion: cluster.x-k8s.io/v1beta2\nkind: MachineDeployment\nmetadata:\n  name: blue-md-0\n  namespace: shard-a\n{annotations}spec:\n  \
         clusterName: blue\n  replicas: 3\n"
    )
}

/// A MiB, less what stands around.
const ALMOST: usize = (1 << 20) - 1000;

/// As much of a piece as fits.
fn filled(piece: &str, bytes: usize) -> String {
    piece.repeat(bytes / piece.len())
}

/// As much of a numbered piece as fits.
fn counted(bytes: usize, piece: fn(usize) -> String) -> String {
    let length = piece(1_000_000).len();
    (0..bytes / length).map(piece).collect()
}

fn file(text: String) -> Repository {
    Repository::of("clusters/md.yaml", text)
}

fn annotation(value: String) -> Repository {
    file(manifest(&format!("  annotations:\n    a: {value}\n")))
}

fn annotations(lines: String) -> Repository {
    file(manifest(&format!("  annotations:\n{lines}")))
}

fn commented(bytes: u64) -> Repository {
    let manifest = manifest("");
    let rest = usize::try_from(bytes).unwrap() - manifest.len();
    file(format!("{}\n{manifest}", "#".repeat(rest - 1)))
}

fn kustomized(kustomization: String) -> Repository {
    let files = [("kustomization.yaml", kustomization), ("md.yaml", manifest(""))];
    Repository {
        files: files
            .map(|(name, text)| (format!("clusters/a/{name}"), text.into_bytes()))
            .into(),
        links: Vec::new(),
    }
}

/// Each alias of a level stands for eleven of the level below: expanded it is some terabytes.
fn bomb() -> Repository {
    let items = filled("xxxxxxxx, ", 3_400);
    let mut text = "    a0: &a0 [x]\n".to_owned();
    for level in 1..10 {
        let below = format!("*a{}, ", level - 1).repeat(11);
        text.push_str(&format!("    a{level}: &a{level} [{below}{items}]\n"));
    }
    annotations(text)
}

fn many(object: fn(usize) -> String) -> Repository {
    file(counted(ALMOST, object) + &manifest(""))
}

/// The cases.
pub(super) const CASES: [Large; 35] = [
    ("1 MiB", || commented(LARGEST_FILE), "preserved 9:13"),
    (
        "1 MiB and a byte",
        || commented(LARGEST_FILE + 1),
        "refused too-large 0",
    ),
    ("16 MiB", || commented(LARGEST_FILE * 16), "refused too-large 0"),
    (
        "a quoted text",
        || annotation(format!("\"{}\"", filled("x", ALMOST))),
        "preserved 10:13",
    ),
    (
        "a text of escapes",
        || annotation(format!("\"{}\"", filled("\\L", ALMOST))),
        "preserved 10:13",
    ),
    ("a plain text", || annotation(filled("x", ALMOST)), "preserved 10:13"),
    (
        "a text over lines",
        || annotation(format!("'{}'", filled("x\n     ", ALMOST))),
        "preserved 149663:13",
    ),
    (
        "a literal block",
        || annotation(format!("|\n{}", filled("     replicas: 9\n", ALMOST))),
        "preserved 61633:13",
    ),
    (
        "a folded block",
        || annotation(format!(">\n{}", filled("     x\n\n", ALMOST))),
        "preserved 261905:13",
    ),
    ("brackets", || annotation(filled("[", ALMOST)), "refused too-complex 7"),
    ("braces", || annotation(filled("{a: ", ALMOST)), "refused too-complex 7"),
    (
        "dashes",
        || annotation(format!("\n    {}", filled("- ", ALMOST))),
        "refused too-complex 8",
    ),
    (
        "question marks",
        || annotation(format!("\n    {}", filled("? ", ALMOST))),
        "refused too-complex 8",
    ),
    (
        "levels",
        || annotations((4..1_000).map(|level| " ".repeat(level) + "a:\n").collect()),
        "refused too-complex 69",
    ),
    (
        "a dense list",
        || annotation(format!("[{}]", filled("a,", ALMOST))),
        "refused too-complex 7",
    ),
    (
        "a dense mapping",
        || annotation(format!("{{{}}}", filled("a,", ALMOST))),
        "refused too-complex 7",
    ),
    (
        "empty lists",
        || annotation(format!("[{}]", filled("[],", ALMOST))),
        "refused too-complex 7",
    ),
    (
        "a list as dense as allowed",
        || annotation(format!("[{}]", filled("a,", 480_000))),
        "preserved 10:13",
    ),
    (
        "tags",
        || annotation(format!("[{}]", filled("!a a,", ALMOST))),
        "preserved 10:13",
    ),
    (
        "anchors",
        || annotation(format!("[{}]", counted(ALMOST, |n| format!("&a{n} a,")))),
        "preserved 10:13",
    ),
    (
        "documents",
        || file(manifest("") + &filled("---\n", ALMOST)),
        "refused too-complex 83335",
    ),
    (
        "keys",
        || annotations(counted(ALMOST, |n| format!("    k{n}: v\n"))),
        "preserved 65482:13",
    ),
    (
        "keys on one line",
        || annotation(format!("{{{}}}", counted(ALMOST, |n| format!("k{n}: v,")))),
        "preserved 10:13",
    ),
    (
        "a key all over",
        || annotations(filled("    a: 1\n", ALMOST)),
        "refused duplicate-key 8",
    ),
    (
        "a key all over a line",
        || annotation(format!("{{{}}}", filled("a: 1,", ALMOST))),
        "refused too-complex 7",
    ),
    ("a bomb of 35 kB", bomb, "preserved 19:13"),
    (
        "node groups",
        || many(|n| manifest("").replace("blue-md-0", &format!("n{n}")) + "---\n"),
        "preserved 61622:13",
    ),
    (
        "node groups that belong nowhere",
        || many(|_| manifest("").replace("  clusterName: blue\n", "") + "---\n"),
        "refused ambiguous 7",
    ),
    (
        "template marks in quotes",
        || annotation(format!("\"{}\"", filled("{{", ALMOST))),
        "preserved 10:13",
    ),
    (
        "line breaks",
        || file(filled("\n", ALMOST) + &manifest("")),
        "preserved 1047584:13",
    ),
    (
        "blanks",
        || file(filled(" ", ALMOST) + "\n" + &manifest("")),
        "preserved 9:13",
    ),
    (
        "a header of comments",
        || file(filled("# not generated\n", ALMOST) + &manifest("")),
        "preserved 65481:13",
    ),
    (
        "resources",
        || {
            kustomized(format!(
                "resources:\n- md.yaml\n{}",
                counted(ALMOST, |n| format!("- f{n}.yaml\n"))
            ))
        },
        "preserved 8:13",
    ),
    (
        "a long patch",
        || {
            kustomized(format!(
                "resources: [md.yaml]\npatches:\n- patch: |\n{}",
                filled("    # nothing\n", ALMOST)
            ))
        },
        "preserved 8:13",
    ),
    (
        "patches",
        || {
            kustomized(format!(
                "resources: [md.yaml]\npatches:\n{}",
                filled("- {patch: '{}', target: {kind: Y}}\n", ALMOST)
            ))
        },
        "preserved 8:13",
    ),
];
