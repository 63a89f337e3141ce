//! What the account of an API server may do, held against what is needed of it: what is missing, and what is too much.
//!
//! The server itself is asked (SelfSubjectRulesReview), so that every way in which rights are given counts. Its answer is about one namespace:
//! a right that a RoleBinding gives there alone looks like one in all namespaces, and only the lists themselves tell. Some authorizers (a
//! webhook, a cloud's own) can't enumerate what they allow; then the review is incomplete and nothing counts as missing.
//!
//! Absent on purpose: rights for URLs (every authenticated user has those that are needed), and the rights of anybody else.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;

use crate::net::Deadline;

use super::client::Api;
use super::error::{CallError, one_line};

/// A verb on a kind of object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// `list`, or `*` for all. Hostile until escaped, as is the rest.
    pub verb: String,
    /// The kind, with its group unless that is the core's: `machines.cluster.x-k8s.io`, `secrets`.
    pub resource: String,
}

/// The rights of an account, held against those that are needed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rights {
    /// What is needed and not there; empty if the server can't tell.
    pub missing: Vec<Right>,
    /// What is there and not needed, as far as it is dangerous: what writes or runs something, and what reads Secrets.
    pub wider: Vec<Right>,
    /// Whether the server can't tell all of it.
    pub incomplete: bool,
}

/// What is needed: to list these in all namespaces.
const NEEDED: [(&str, &str); 5] = [
    ("cluster.x-k8s.io", "clusters"),
    ("cluster.x-k8s.io", "machinedeployments"),
    ("cluster.x-k8s.io", "machines"),
    ("kamaji.clastix.io", "tenantcontrolplanes"),
    ("apps", "deployments"),
];

/// The one kind of which a rule may name the objects: its list is asked for by name.
const BY_NAME: &str = "deployments";

/// What every authenticated user may create: questions about himself, of which nothing is kept.
const REVIEWS: [(&str, &str); 3] = [
    ("authorization.k8s.io", "selfsubjectaccessreviews"),
    ("authorization.k8s.io", "selfsubjectrulesreviews"),
    ("authentication.k8s.io", "selfsubjectreviews"),
];

const READS: [&str; 3] = ["get", "list", "watch"];

/// Subresources by which whoever may only `get` runs commands or talks to whatever listens.
const DOORS: [&str; 4] = ["/attach", "/exec", "/portforward", "/proxy"];

/// One rule of the server's answer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Rule {
    verbs: Vec<String>,
    api_groups: Option<Vec<String>>,
    resources: Option<Vec<String>>,
    resource_names: Option<Vec<String>>,
}

impl Api {
    /// Asks what this account may do. It writes nothing, and every authenticated user may ask.
    pub async fn rights(&self, deadline: Deadline) -> Result<Rights, CallError> {
        #[derive(Deserialize)]
        struct Review {
            status: Status,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Status {
            resource_rules: Vec<Rule>,
            #[serde(default)]
            incomplete: bool,
        }
        let question = serde_json::json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectRulesReview",
            "spec": {"namespace": "default"},
        });
        let path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
        let Review { status } = self.review(path, &question, deadline).await?;
        Ok(judge(&status.resource_rules, status.incomplete))
    }
}

/// Holds rules against what is needed.
fn judge(rules: &[Rule], incomplete: bool) -> Rights {
    let missing = NEEDED
        .iter()
        .filter(|(group, plural)| !incomplete && !rules.iter().any(|rule| rule.lists(group, plural)));
    let wider: BTreeSet<Right> = rules.iter().flat_map(Rule::wider).collect();
    Rights {
        missing: missing.map(|(group, plural)| right("list", group, plural)).collect(),
        wider: wider.into_iter().collect(),
        incomplete,
    }
}

impl Rule {
    fn lists(&self, group: &str, plural: &str) -> bool {
        let of_some = self.resource_names.as_ref().is_some_and(|names| !names.is_empty());
        holds(Some(&self.verbs), "list")
            && holds(self.api_groups.as_ref(), group)
            && holds(self.resources.as_ref(), plural)
            && (!of_some || plural == BY_NAME)
    }

    /// What this rule allows too much.
    fn wider(&self) -> Vec<Right> {
        let none = Vec::new();
        let groups = self.api_groups.as_ref().unwrap_or(&none);
        let resources = self.resources.as_ref().unwrap_or(&none);
        let mut found = Vec::new();
        for group in groups {
            for resource in resources {
                let verbs = self.verbs.iter().filter(|verb| is_too_much(verb, group, resource));
                found.extend(verbs.map(|verb| right(verb, group, resource)));
            }
        }
        found
    }
}

fn is_too_much(verb: &str, group: &str, resource: &str) -> bool {
    if !READS.contains(&verb) {
        return !(verb == "create" && REVIEWS.contains(&(group, resource)));
    }
    let reads_secrets = matches!(group, "" | "*") && matches!(resource, "secrets" | "*");
    reads_secrets || DOORS.iter().any(|door| resource.ends_with(door))
}

fn holds(list: Option<&Vec<String>>, wanted: &str) -> bool {
    list.is_some_and(|list| list.iter().any(|item| item == wanted || item == "*"))
}

fn right(verb: &str, group: &str, resource: &str) -> Right {
    let resource = match group {
        "" => resource.to_owned(),
        group => format!("{resource}.{group}"),
    };
    Right {
        verb: one_line(verb, 60),
        resource: one_line(&resource, 200),
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { verb, resource } = self;
        write!(f, "{verb} {resource}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Rule {
        serde_yaml::from_str(text).unwrap()
    }

    fn words(rights: &[Right]) -> Vec<String> {
        rights.iter().map(Right::to_string).collect()
    }

    const CAPI: &str =
        "{verbs: [list], apiGroups: [cluster.x-k8s.io], resources: [clusters, machinedeployments, machines]}";
    const KAMAJI: &str = "{verbs: [list], apiGroups: [kamaji.clastix.io], resources: [tenantcontrolplanes]}";
    const APPS: &str = "{verbs: [list], apiGroups: [apps], resources: [deployments]}";
    const BASIC: &str = "{verbs: [create], apiGroups: [authorization.k8s.io], resources: [selfsubjectaccessreviews, selfsubjectrulesreviews]}";

    #[test]
    fn what_is_needed_and_no_more_is_neither_missing_nor_too_much() {
        let rules = [CAPI, KAMAJI, APPS, BASIC].map(rule);
        assert_eq!(judge(&rules, false), Rights::default());
        let named = rule("{verbs: [list], apiGroups: [apps], resources: [deployments], resourceNames: [kamaji]}");
        assert_eq!(judge(&[rule(CAPI), rule(KAMAJI), named], false), Rights::default());
    }

    #[test]
    fn what_is_missing_is_named_by_its_verb_and_kind() {
        for (rules, missing) in [
            (vec![CAPI, KAMAJI], vec!["list deployments.apps"]),
            (vec![CAPI, APPS], vec!["list tenantcontrolplanes.kamaji.clastix.io"]),
            (
                vec![
                    KAMAJI,
                    APPS,
                    "{verbs: [get, watch], apiGroups: ['*'], resources: [machines]}",
                    "{verbs: [list], apiGroups: [cluster.x-k8s.io], resources: [machines/status, clusters]}",
                    "{verbs: [list], apiGroups: [cluster.x-k8s.io], resources: [machinedeployments], resourceNames: [a]}",
                ],
                vec![
                    "list machinedeployments.cluster.x-k8s.io",
                    "list machines.cluster.x-k8s.io",
                ],
            ),
            (vec!["{verbs: [list], apiGroups: ['*'], resources: ['*']}"], vec![]),
        ] {
            let rules: Vec<Rule> = rules.into_iter().map(rule).collect();
            assert_eq!(words(&judge(&rules, false).missing), missing);
            let unknown = judge(&rules, true);
            assert_eq!((unknown.missing, unknown.incomplete), (vec![], true));
        }
    }

    #[test]
    fn what_writes_or_reads_secrets_is_too_much() {
        for (text, wider) in [
            (
                "{verbs: [list, patch], apiGroups: [apps], resources: [deployments]}",
                vec!["patch deployments.apps"],
            ),
            ("{verbs: ['*'], apiGroups: ['*'], resources: ['*']}", vec!["* *.*"]),
            (
                "{verbs: [get, list], apiGroups: [''], resources: [secrets, pods]}",
                vec!["get secrets", "list secrets"],
            ),
            ("{verbs: [list], apiGroups: ['*'], resources: ['*']}", vec!["list *.*"]),
            ("{verbs: [get], apiGroups: [apps], resources: ['*']}", vec![]),
            (
                "{verbs: [get], apiGroups: [''], resources: [pods/exec, pods/log, nodes/proxy], resourceNames: [a]}",
                vec!["get nodes/proxy", "get pods/exec"],
            ),
            (
                "{verbs: [create], apiGroups: [''], resources: [serviceaccounts/token]}",
                vec!["create serviceaccounts/token"],
            ),
            (
                "{verbs: [create], apiGroups: [authorization.k8s.io], resources: [subjectaccessreviews]}",
                vec!["create subjectaccessreviews.authorization.k8s.io"],
            ),
            (
                "{verbs: [impersonate], apiGroups: [''], resources: [users]}",
                vec!["impersonate users"],
            ),
            (
                "{verbs: [get, list, watch], apiGroups: [apps], resources: [deployments]}",
                vec![],
            ),
            ("{verbs: [get]}", vec![]),
        ] {
            assert_eq!(words(&judge(&[rule(text)], true).wider), wider, "{text}");
        }
    }
}
