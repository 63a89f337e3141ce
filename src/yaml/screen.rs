//! The cheap question that comes before parsing: can this file matter at all?

use memchr::memmem;

/// Tells whether any of the needles stands in the bytes.
///
/// It reads gigabytes per second where a parser reads tens of megabytes, so a reader of a large repository asks it first and parses only
/// the files that answer yes. A yes proves nothing: the needle may stand in a comment. A no is certain only for what is written in one way,
/// as `kind: Cluster` may be `"kind": Cluster` or `kind:  Cluster`; callers screen by the part that has no other spelling.
pub fn mentions(bytes: &[u8], needles: &[&str]) -> bool {
    needles
        .iter()
        .any(|needle| memmem::find(bytes, needle.as_bytes()).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_worth_parsing_if_it_mentions_any_needle() {
        let bytes = b"kind: MachineDeployment\n\xff\n";
        assert!(mentions(bytes, &["Cluster", "MachineDeployment"]));
        assert!(!mentions(bytes, &["Cluster"]));
        assert!(!mentions(bytes, &[]));
        assert!(!mentions(b"", &["Cluster"]));
    }
}
