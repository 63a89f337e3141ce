//! `--select region=,cluster=,group=,kind=`: which targets a verb is about.
//!
//! A selection narrows what is shown and published, never what is computed: budgets and room are those of the whole fleet.

use std::str::FromStr;

use crate::model::{Plan, Proposal, RepoPath, Standing, Target};
use crate::policy::{FleetFile, InvalidPattern, Pattern};

/// The patterns that a target must match, all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Selection {
    region: Option<Pattern>,
    cluster: Option<Pattern>,
    group: Option<Pattern>,
    kind: Option<Pattern>,
}

impl FromStr for Selection {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let mut selection = Self::default();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let Some((key, value)) = part.split_once('=') else {
                return Err(format!("`{part}` has no `=`; write it like `region=eu,cluster=blue`"));
            };
            let place = match key {
                "region" => &mut selection.region,
                "cluster" => &mut selection.cluster,
                "group" => &mut selection.group,
                "kind" => &mut selection.kind,
                _ => return Err(format!("`{key}` is none of region, cluster, group and kind")),
            };
            let pattern: Pattern = value.parse().map_err(|error: InvalidPattern| error.to_string())?;
            if place.replace(pattern).is_some() {
                return Err(format!("`{key}` is given twice"));
            }
        }
        Ok(selection)
    }
}

impl Selection {
    /// Whether a target is selected. `cluster` is a workload cluster's name, or for platforms and controllers the management cluster's.
    pub(super) fn matches(&self, target: &Target, fleet: &FleetFile) -> bool {
        let Self {
            region,
            cluster,
            group,
            kind,
        } = self;
        let management_cluster = target.management_cluster();
        let of_region = match target {
            Target::Placement { region, .. } => Some(region.as_str()),
            _ => management_cluster
                .and_then(|name| fleet.management_cluster(name))
                .map(|(region, _)| region.as_str()),
        };
        let (of_cluster, of_group) = match target {
            Target::NodeGroup(key) | Target::NodeGroupBound { group: key, .. } => {
                (Some(key.cluster.as_str()), Some(key.group.as_str()))
            }
            Target::Placement { cluster, .. } | Target::ControlPlane { cluster, .. } => (Some(cluster.as_str()), None),
            Target::Platform { management_cluster, .. }
            | Target::Controller { management_cluster, .. }
            | Target::Resources { management_cluster, .. } => (Some(management_cluster.as_str()), None),
        };
        let fits = |pattern: &Option<Pattern>, value: Option<&str>| {
            pattern
                .as_ref()
                .is_none_or(|pattern| value.is_some_and(|value| pattern.matches(value)))
        };
        fits(region, of_region)
            && fits(cluster, of_cluster)
            && fits(group, of_group)
            && fits(kind, Some(target.kind().as_str()))
    }

    /// Whether what can't be bound may be about something that is selected: its file tells the region, and nothing tells the rest.
    pub(super) fn may_mean(&self, path: &RepoPath, fleet: &FleetFile) -> bool {
        let owner = fleet.owner_of(path);
        let region = self.region.as_ref().zip(owner);
        region.is_none_or(|(pattern, (region, _))| pattern.matches(region.as_str()))
    }

    /// Whether nothing of a plan is selected: a typing mistake, or a cluster that is gone.
    pub(super) fn misses(&self, plan: &Plan, fleet: &FleetFile) -> bool {
        let proposed = plan.proposals.iter().flat_map(|proposal| &proposal.changes);
        let mut targets = proposed
            .map(|change| &change.target)
            .chain(plan.held.iter().map(|held| &held.target));
        !targets.any(|target| self.matches(target, fleet))
    }

    /// The plan with the selected part alone. A proposal is whole or not at all: it belongs to one pull request.
    pub(super) fn narrow(&self, mut plan: Plan, fleet: &FleetFile) -> Plan {
        plan.proposals
            .retain(|Proposal { changes, .. }| changes.iter().any(|change| self.matches(&change.target, fleet)));
        plan.standing
            .retain(|Standing { reasons, .. }| reasons.iter().any(|reason| self.matches(&reason.target, fleet)));
        plan.held.retain(|decision| self.matches(&decision.target, fleet));
        plan
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_that_can_not_be_read_says_why() {
        for (text, words) in [
            ("region", "no `=`"),
            ("colour=red", "none of region"),
            ("kind=a,kind=b", "given twice"),
        ] {
            assert!(text.parse::<Selection>().unwrap_err().contains(words), "{text}");
        }
        assert_eq!("".parse::<Selection>().unwrap(), Selection::default());
    }
}
