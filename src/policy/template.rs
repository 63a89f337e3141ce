//! Paths and names with `{braces}` in them, for places in the repository that follow a naming scheme.

use std::fmt;

use crate::model::{ComponentName, InvalidName, RepoPath};
use crate::policy::Candidate;

/// What may stand in braces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Variable {
    /// `{region}`.
    Region,
    /// `{managementCluster}`.
    ManagementCluster,
    /// `{component}`.
    Component,
    /// `{namespace}`: the workload cluster's.
    Namespace,
    /// `{cluster}`: the workload cluster.
    Cluster,
    /// `{nodeGroup}`.
    NodeGroup,
}

impl Variable {
    const ALL: [Self; 6] = [
        Self::Region,
        Self::ManagementCluster,
        Self::Component,
        Self::Namespace,
        Self::Cluster,
        Self::NodeGroup,
    ];

    /// What a policy for node groups knows.
    pub const OF_NODE_GROUPS: &[Self] = &[
        Self::Region,
        Self::ManagementCluster,
        Self::Namespace,
        Self::Cluster,
        Self::NodeGroup,
    ];

    /// What a policy for components of a management cluster knows.
    pub const OF_COMPONENTS: &[Self] = &[Self::Region, Self::ManagementCluster, Self::Component];

    /// What a label of a workload cluster's series may be made of.
    pub const OF_CLUSTERS: &[Self] = &[Self::Region, Self::ManagementCluster, Self::Namespace, Self::Cluster];

    /// What a label of a management cluster's series may be made of.
    pub const OF_MANAGEMENT_CLUSTERS: &[Self] = &[Self::Region, Self::ManagementCluster];

    /// Its name, without the braces.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Region => "region",
            Self::ManagementCluster => "managementCluster",
            Self::Component => "component",
            Self::Namespace => "namespace",
            Self::Cluster => "cluster",
            Self::NodeGroup => "nodeGroup",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable(Variable),
}

/// A text with variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

/// A path from the repository's root with variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathTemplate(Template);

/// A text that is no template, or not one that can be used here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTemplate {
    /// A brace has no partner.
    #[error("template {text:?}: a brace is not closed")]
    Brace {
        /// The text as it came in.
        text: String,
    },
    /// What stands in braces means nothing here.
    #[error("template {text:?}: `{{{name}}}` means nothing here; known are {known}")]
    Variable {
        /// The text as it came in.
        text: String,
        /// The unknown name.
        name: String,
        /// The known names, for people.
        known: String,
    },
    /// It is empty.
    #[error("a template must not be empty")]
    Empty,
    /// It can't become a path.
    #[error("template {text:?}: the path {why}")]
    Path {
        /// The text as it came in.
        text: String,
        /// What is wrong with the path.
        why: &'static str,
    },
}

impl Template {
    /// Reads a template in which only `known` may stand in braces.
    ///
    /// # Errors
    ///
    /// When a brace is not closed, or something else stands in them.
    pub fn parse(text: &str, known: &[Variable]) -> Result<Self, InvalidTemplate> {
        let shown = || text.chars().take(200).collect::<String>();
        if text.is_empty() {
            return Err(InvalidTemplate::Empty);
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after
                .split_once('}')
                .ok_or_else(|| InvalidTemplate::Brace { text: shown() })?;
            let variable = known
                .iter()
                .copied()
                .find(|variable| variable.as_str() == name)
                .ok_or_else(|| {
                    let known: Vec<String> = known
                        .iter()
                        .map(|variable| format!("`{{{}}}`", variable.as_str()))
                        .collect();
                    InvalidTemplate::Variable {
                        text: shown(),
                        name: name.chars().take(40).collect(),
                        known: known.join(", "),
                    }
                })?;
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Variable(variable));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        if parts
            .iter()
            .any(|part| matches!(part, Part::Text(text) if text.contains('}')))
        {
            return Err(InvalidTemplate::Brace { text: shown() });
        }
        Ok(Self { parts })
    }

    /// The text for one target. A variable that the target has no value for is left as it stands; `parse` does not let that happen.
    pub fn fill(&self, candidate: &Candidate<'_>, component: Option<&ComponentName>) -> String {
        let value = |variable: Variable| match variable {
            Variable::Region => Some(candidate.region.as_str()),
            Variable::ManagementCluster => Some(candidate.management_cluster.as_str()),
            Variable::Component => component.map(ComponentName::as_str),
            Variable::Namespace => candidate.namespace.map(|name| name.as_str()),
            Variable::Cluster => candidate.cluster.map(|name| name.as_str()),
            Variable::NodeGroup => candidate.node_group.map(|name| name.as_str()),
        };
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.clone(),
                Part::Variable(variable) => {
                    value(*variable).map_or_else(|| format!("{{{}}}", variable.as_str()), str::to_owned)
                }
            })
            .collect()
    }

    /// The variables in it, in order of their first use.
    pub fn variables(&self) -> Vec<Variable> {
        let used = |variable: &Variable| self.parts.contains(&Part::Variable(*variable));
        Variable::ALL.into_iter().filter(used).collect()
    }
}

impl PathTemplate {
    /// Reads a path template in which only `known` may stand in braces.
    ///
    /// # Errors
    ///
    /// As [`Template::parse`], and when no name could make a path of it.
    pub fn parse(text: &str, known: &[Variable]) -> Result<Self, InvalidTemplate> {
        let template = Template::parse(text, known)?;
        let example: String = template
            .parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.as_str(),
                Part::Variable(_) => "x",
            })
            .collect();
        match RepoPath::try_from(example) {
            Ok(_) => Ok(Self(template)),
            Err(InvalidName { why, .. }) => Err(InvalidTemplate::Path {
                text: text.chars().take(200).collect(),
                why,
            }),
        }
    }

    /// The path for one target.
    ///
    /// # Errors
    ///
    /// When the names make no path, which takes very long ones.
    pub fn fill(&self, candidate: &Candidate<'_>, component: Option<&ComponentName>) -> Result<RepoPath, InvalidName> {
        RepoPath::try_from(self.0.fill(candidate, component))
    }

    /// The variables in it.
    pub fn variables(&self) -> Vec<Variable> {
        self.0.variables()
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(text),
            Part::Variable(variable) => write!(f, "{{{}}}", variable.as_str()),
        })
    }
}

impl fmt::Display for PathTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_filled_with_the_names_of_its_target() {
        let region = "eu".parse().unwrap();
        let key = crate::model::NodeGroupKey {
            management_cluster: "eu-1".parse().unwrap(),
            namespace: "shard-a".parse().unwrap(),
            cluster: "blue".parse().unwrap(),
            group: "md-0".parse().unwrap(),
        };
        let candidate = Candidate::of_node_group(&region, &key);
        let text = "clusters/{region}/{managementCluster}/{namespace}/{cluster}-{nodeGroup}.yaml";
        let path = PathTemplate::parse(text, Variable::OF_NODE_GROUPS).unwrap();
        assert_eq!(
            path.fill(&candidate, None).unwrap().as_str(),
            "clusters/eu/eu-1/shard-a/blue-md-0.yaml"
        );
        assert_eq!(path.to_string(), text);

        let component = "kamaji".parse().unwrap();
        let candidate = Candidate::of_management_cluster(&region, &key.management_cluster);
        let path = PathTemplate::parse("{managementCluster}/{component}.yaml", Variable::OF_COMPONENTS).unwrap();
        assert_eq!(
            path.fill(&candidate, Some(&component)).unwrap().as_str(),
            "eu-1/kamaji.yaml"
        );
    }

    #[test]
    fn what_could_become_no_path_is_refused() {
        for (text, why) in [
            ("", "must not be empty"),
            ("a/{cluster", "not closed"),
            ("a/cluster}", "not closed"),
            (
                "a/{clustre}.yaml",
                "`{clustre}` means nothing here; known are `{region}`",
            ),
            ("a/{}", "`{}` means nothing"),
            ("/etc/{cluster}", "relative to the repository's root"),
            ("a/../{cluster}", "relative to the repository's root"),
            ("{{ .Values.x }}", "means nothing"),
        ] {
            let error = PathTemplate::parse(text, Variable::OF_NODE_GROUPS)
                .unwrap_err()
                .to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
        assert!(PathTemplate::parse("{cluster}", Variable::OF_COMPONENTS).is_err());
    }
}
