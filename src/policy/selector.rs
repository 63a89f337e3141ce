//! Which targets a policy is about.

use std::fmt;
use std::str::FromStr;

use crate::model::{ClusterName, ManagementClusterName, Namespace, NodeGroupKey, NodeGroupName, RegionName};

/// A name, or a pattern in which `*` stands for any characters, also none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern(String);

/// A text that can't match any name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("pattern {text:?}: a name has lower-case letters, digits, `-` and `.`, and `*` stands for any of them")]
pub struct InvalidPattern {
    /// The text as it came in.
    pub text: String,
}

impl Pattern {
    /// Whether a name matches.
    pub fn matches(&self, name: &str) -> bool {
        let mut parts = self.0.split('*');
        let Some(rest) = parts.next().and_then(|first| name.strip_prefix(first)) else {
            return false;
        };
        let mut parts: Vec<&str> = parts.collect();
        let Some(last) = parts.pop() else {
            return rest.is_empty();
        };
        // The leftmost place for each part leaves the most for the others.
        let mut rest = rest;
        for part in parts {
            match rest.find(part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        rest.ends_with(last)
    }

    /// The name, if it is one and no pattern.
    pub fn literal(&self) -> Option<&str> {
        (!self.0.contains('*')).then_some(&self.0)
    }
}

impl FromStr for Pattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.' | b'*');
        if text.is_empty() || text.len() > 253 || !text.bytes().all(allowed) {
            return Err(InvalidPattern {
                text: text.chars().take(80).collect(),
            });
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Which targets a policy is about: every list that is given must match, within a list one match is enough.
///
/// A selector without any list selects nothing. So does one with an empty list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector {
    /// Regions.
    pub regions: Option<Vec<Pattern>>,
    /// Management clusters.
    pub management_clusters: Option<Vec<Pattern>>,
    /// Namespaces of workload clusters.
    pub namespaces: Option<Vec<Pattern>>,
    /// Workload clusters.
    pub clusters: Option<Vec<Pattern>>,
    /// Node groups.
    pub node_groups: Option<Vec<Pattern>>,
}

/// The names that a selector looks at. What a target does not have (a controller has no node group) matches no list.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// The region of its management cluster.
    pub region: &'a RegionName,
    /// Its management cluster.
    pub management_cluster: &'a ManagementClusterName,
    /// The namespace of its workload cluster.
    pub namespace: Option<&'a Namespace>,
    /// Its workload cluster.
    pub cluster: Option<&'a ClusterName>,
    /// Its node group.
    pub node_group: Option<&'a NodeGroupName>,
}

impl<'a> Candidate<'a> {
    /// Something that a management cluster has one of: a platform component, a controller.
    pub fn of_management_cluster(region: &'a RegionName, management_cluster: &'a ManagementClusterName) -> Self {
        Self {
            region,
            management_cluster,
            namespace: None,
            cluster: None,
            node_group: None,
        }
    }

    /// A node group.
    pub fn of_node_group(region: &'a RegionName, key: &'a NodeGroupKey) -> Self {
        let NodeGroupKey {
            management_cluster,
            namespace,
            cluster,
            group,
        } = key;
        Self {
            region,
            management_cluster,
            namespace: Some(namespace),
            cluster: Some(cluster),
            node_group: Some(group),
        }
    }
}

impl Selector {
    /// Whether it selects nothing, whatever the fleet.
    pub fn is_empty(&self) -> bool {
        let lists = self.lists();
        lists.iter().all(|list| list.is_none()) || lists.iter().any(|list| list.is_some_and(<[Pattern]>::is_empty))
    }

    /// Whether it selects a target.
    pub fn matches(&self, candidate: &Candidate<'_>) -> bool {
        let Candidate {
            region,
            management_cluster,
            namespace,
            cluster,
            node_group,
        } = *candidate;
        let names = [
            Some(region.as_str()),
            Some(management_cluster.as_str()),
            namespace.map(Namespace::as_str),
            cluster.map(ClusterName::as_str),
            node_group.map(NodeGroupName::as_str),
        ];
        !self.is_empty()
            && self.lists().iter().zip(names).all(|(list, name)| match (list, name) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(patterns), Some(name)) => patterns.iter().any(|pattern| pattern.matches(name)),
            })
    }

    fn lists(&self) -> [Option<&[Pattern]>; 5] {
        let Self {
            regions,
            management_clusters,
            namespaces,
            clusters,
            node_groups,
        } = self;
        [regions, management_clusters, namespaces, clusters, node_groups].map(Option::as_deref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(texts: &[&str]) -> Option<Vec<Pattern>> {
        Some(texts.iter().map(|text| text.parse().unwrap()).collect())
    }

    fn key() -> (RegionName, NodeGroupKey) {
        let key = NodeGroupKey {
            management_cluster: "eu-1".parse().unwrap(),
            namespace: "shard-a".parse().unwrap(),
            cluster: "blue".parse().unwrap(),
            group: "md-0".parse().unwrap(),
        };
        ("eu".parse().unwrap(), key)
    }

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, name, expected) in [
            ("eu", "eu", true),
            ("eu", "eu-1", false),
            ("eu-*", "eu-1", true),
            ("eu-*", "eu-", true),
            ("eu-*", "us-1", false),
            ("*", "anything", true),
            ("*-gpu", "md-gpu", true),
            ("*-gpu", "md-gpu-2", false),
            ("a*b*c", "abbc", true),
            ("a*b*c", "acb", false),
            ("ab*ba", "aba", false),
            ("a**a", "aa", true),
            ("*a*a", "a", false),
        ] {
            assert_eq!(
                pattern.parse::<Pattern>().unwrap().matches(name),
                expected,
                "{pattern} {name}"
            );
        }
        for bad in ["", "EU", "a b", "[a-z]", "{a,b}", "a?", "/"] {
            assert!(bad.parse::<Pattern>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_empty_selector_selects_nothing() {
        let (region, key) = key();
        let candidate = Candidate::of_node_group(&region, &key);
        assert!(!Selector::default().matches(&candidate));
        let empty_list = Selector {
            regions: patterns(&["*"]),
            clusters: Some(vec![]),
            ..Selector::default()
        };
        assert!(empty_list.is_empty() && !empty_list.matches(&candidate));
    }

    #[test]
    fn every_list_that_is_given_must_match() {
        let (region, key) = key();
        let candidate = Candidate::of_node_group(&region, &key);
        let all = Selector {
            regions: patterns(&["*"]),
            ..Selector::default()
        };
        assert!(all.matches(&candidate));
        assert!(all.matches(&Candidate::of_management_cluster(&region, &key.management_cluster)));
        let blue = Selector {
            clusters: patterns(&["green", "bl*"]),
            ..all.clone()
        };
        assert!(blue.matches(&candidate));
        assert!(!blue.matches(&Candidate::of_management_cluster(&region, &key.management_cluster)));
        let other = Selector {
            node_groups: patterns(&["gpu-*"]),
            ..blue
        };
        assert!(!other.matches(&candidate));
    }
}
