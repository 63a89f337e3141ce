//! Names: what identifies a region, a cluster, a file, a commit.
//!
//! Every name is checked where it enters, so that later code may put it into a path, a branch or a message without asking again. A name
//! that Kubernetes would refuse is refused here.
//!
//! A fleet of 15,000 clusters has a million of them in memory, most of which are short or said again and again: their text is a [`SmolStr`],
//! which holds up to 23 bytes in itself and shares what is longer among its copies.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use smol_str::{SmolStr, SmolStrBuilder};

/// A name that can't be used, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {text:?}: {why}")]
pub struct InvalidName {
    /// The kind of name, for people: `cluster name`.
    pub what: &'static str,
    /// The text as it came in.
    pub text: String,
    /// The rule that it breaks.
    pub why: &'static str,
}

/// The longest object name that Kubernetes accepts (RFC 1123 subdomain).
const LONGEST_NAME: usize = 253;

fn check_dns_subdomain(what: &'static str, text: &str) -> Result<(), InvalidName> {
    let refuse = |why| {
        Err(InvalidName {
            what,
            text: text.chars().take(80).collect(),
            why,
        })
    };
    if text.is_empty() {
        return refuse("must not be empty");
    }
    if text.len() > LONGEST_NAME {
        return refuse("must not be longer than 253 characters");
    }
    let label_ok = |label: &str| {
        let bytes = label.as_bytes();
        bytes
            .iter()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
            && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
            && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
    };
    if !text.split('.').all(label_ok) {
        return refuse(
            "must consist of lower-case letters, digits, `-` and `.`, and start and end with a letter or digit",
        );
    }
    Ok(())
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident = $what:literal, checked by $check:path;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(SmolStr);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;
            fn try_from(text: String) -> Result<Self, InvalidName> {
                text.parse()
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;
            fn from_str(text: &str) -> Result<Self, InvalidName> {
                $check($what, text)?;
                Ok(Self(text.into()))
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.into()
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                SmolStr::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    )*};
}

names! {
    /// A region: management clusters that fail and are observed together.
    RegionName = "region name", checked by check_dns_subdomain;
    /// A management cluster: where Cluster API and Kamaji run.
    ManagementClusterName = "management cluster name", checked by check_dns_subdomain;
    /// A Kubernetes namespace.
    Namespace = "namespace", checked by check_dns_subdomain;
    /// A workload cluster (a CAPI `Cluster`), unique within its namespace.
    ClusterName = "cluster name", checked by check_dns_subdomain;
    /// A node group, unique within its cluster: a topology entry's name, or a stand-alone `MachineDeployment`'s.
    NodeGroupName = "node group name", checked by check_dns_subdomain;
    /// A shard: a namespace of a management cluster with its own controller set.
    ShardName = "shard name", checked by check_dns_subdomain;
    /// A controller or platform component by its catalogue name: `capi`, `kamaji`.
    ComponentName = "component name", checked by check_dns_subdomain;
    /// A controller flag without its dashes: `kube-api-qps`.
    FlagName = "flag name", checked by check_dns_subdomain;
    /// `metadata.name` of a policy.
    PolicyName = "policy name", checked by check_dns_subdomain;
    /// A Git object id in hexadecimal: 40 characters (SHA-1) or 64 (SHA-256).
    ObjectId = "object id", checked by check_object_id;
    /// A SHA-256 digest, written `sha256:` and 64 hexadecimal characters.
    Digest = "digest", checked by check_digest;
    /// A file's path from the repository's root, with `/` between its parts.
    ///
    /// It has no empty, `.`, `..` or `.git` part and no control character, so it can't leave the tree that it is looked up in.
    RepoPath = "path", checked by check_repo_path;
    /// A branch name that `git check-ref-format` accepts.
    BranchName = "branch name", checked by check_branch;
}

fn check_object_id(what: &'static str, text: &str) -> Result<(), InvalidName> {
    if matches!(text.len(), 40 | 64) && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return Ok(());
    }
    Err(InvalidName {
        what,
        text: text.chars().take(80).collect(),
        why: "must be 40 or 64 lower-case hexadecimal digits",
    })
}

fn check_digest(what: &'static str, text: &str) -> Result<(), InvalidName> {
    let hex = text.strip_prefix("sha256:").unwrap_or_default();
    if hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return Ok(());
    }
    Err(InvalidName {
        what,
        text: text.chars().take(80).collect(),
        why: "must be `sha256:` and 64 hexadecimal digits",
    })
}

fn check_repo_path(what: &'static str, text: &str) -> Result<(), InvalidName> {
    let refuse = |why| {
        Err(InvalidName {
            what,
            text: text.chars().take(200).collect(),
            why,
        })
    };
    if text.is_empty() {
        return refuse("must not be empty");
    }
    if text.len() > 4096 {
        return refuse("must not be longer than 4096 bytes");
    }
    if text.chars().any(char::is_control) || text.contains('\\') {
        return refuse("must not contain control characters or backslashes");
    }
    if text
        .split('/')
        .any(|part| part.is_empty() || part == "." || part == ".." || part.eq_ignore_ascii_case(".git"))
    {
        return refuse("must be relative to the repository's root, without empty, `.`, `..` or `.git` parts");
    }
    Ok(())
}

fn check_branch(what: &'static str, text: &str) -> Result<(), InvalidName> {
    let part_ok = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && !part.ends_with(".lock")
            && !part.ends_with('.')
            && !part.starts_with('-')
    };
    let char_ok = |c: char| !(c.is_control() || c.is_whitespace() || " ~^:?*[\\".contains(c));
    if text.len() <= 255
        && text != "@"
        && !text.contains("..")
        && !text.contains("@{")
        && text.chars().all(char_ok)
        && text.split('/').all(part_ok)
    {
        return Ok(());
    }
    Err(InvalidName {
        what,
        text: text.chars().take(200).collect(),
        why: "is not a valid Git branch name",
    })
}

impl Digest {
    /// The digest of some bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        let mut text = SmolStrBuilder::new();
        text.push_str("sha256:");
        for byte in Sha256::digest(bytes) {
            text.push_str(&format!("{byte:02x}"));
        }
        Self(text.finish())
    }

    /// The digest of a value's canonical JSON: fields in declaration order, maps in key order, no spaces.
    pub fn of<T: Serialize>(value: &T) -> Self {
        // Our own plain types serialise to memory without failing; a type that can't is a bug that a test meets at once.
        Self::of_bytes(&serde_json::to_vec(value).expect("a plain value has a JSON form"))
    }

    /// The first twelve hexadecimal digits, for people.
    pub fn short(&self) -> &str {
        &self.0["sha256:".len().."sha256:".len() + 12]
    }
}

impl ObjectId {
    /// The first twelve hexadecimal digits, for people.
    pub fn short(&self) -> &str {
        &self.0[..12]
    }
}

impl RepoPath {
    /// The last part.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The folder that holds it; nothing for a path at the root.
    pub fn parent(&self) -> Option<RepoPath> {
        self.0.rsplit_once('/').map(|(folder, _)| Self(folder.into()))
    }

    /// The path of something inside this folder.
    pub fn join(&self, below: &str) -> Result<RepoPath, InvalidName> {
        Self::try_from(format!("{}/{below}", self.0))
    }

    /// Whether it is `folder` or lies in it. Whole parts are compared: `a/b` does not contain `a/bc`.
    pub fn is_under(&self, folder: &RepoPath) -> bool {
        self.0
            .strip_prefix(folder.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// What identifies a Kubernetes object in a file or in a cluster.
///
/// The version is left out on purpose: `cluster.x-k8s.io/v1beta1` and `v1beta2` name the same object.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectKey {
    /// The API group; empty for the core group and for files that are not Kubernetes objects.
    pub group: SmolStr,
    /// The kind; empty for files that are not Kubernetes objects.
    pub kind: SmolStr,
    /// The namespace as written; empty when the document names none.
    pub namespace: SmolStr,
    /// `metadata.name`.
    pub name: SmolStr,
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            group: _,
            kind,
            namespace,
            name,
        } = self;
        match (kind.as_str(), namespace.as_str()) {
            ("", _) => f.write_str("values"),
            (_, "") => write!(f, "{kind} {name}"),
            _ => write!(f, "{kind} {namespace}/{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules_of_kubernetes() {
        for good in ["a", "md-0", "eu-west.1", "0a"] {
            assert!(ClusterName::from_str(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "-a",
            "a-",
            "A",
            "a_b",
            "a..b",
            "a b",
            "{{ .name }}",
            "å",
            &"a".repeat(254),
        ] {
            assert!(ClusterName::from_str(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_path_can_not_leave_the_repository() {
        for good in ["a", "a/b.yaml", "a b/ü.yaml", "a/..b", ".github/x"] {
            assert!(RepoPath::from_str(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/a",
            "a/",
            "a//b",
            "../a",
            "a/../b",
            "./a",
            ".git/config",
            "a/.GIT/x",
            "a\\b",
            "a\nb",
        ] {
            assert!(RepoPath::from_str(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_folder_contains_whole_parts_only() {
        let folder: RepoPath = "a/b".parse().unwrap();
        assert!("a/b/c".parse::<RepoPath>().unwrap().is_under(&folder));
        assert!(folder.is_under(&folder));
        assert!(!"a/bc".parse::<RepoPath>().unwrap().is_under(&folder));
    }

    #[test]
    fn a_branch_is_one_that_git_takes() {
        for good in ["main", "fleetscale/eu-1/shard-a/blue/up"] {
            assert!(BranchName::from_str(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "a..b",
            "a/.b",
            "a.lock",
            "a/b.lock/c",
            "-a",
            "a//b",
            "a b",
            "a@{1}",
            "@",
            "a\u{7}",
        ] {
            assert!(BranchName::from_str(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_digest_is_the_one_that_sha256sum_prints() {
        assert_eq!(
            Digest::of_bytes(b"abc").as_str(),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
