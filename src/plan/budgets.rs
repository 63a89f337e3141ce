//! Budgets: how much may change at once. Every budget that applies must leave room, so the most restrictive wins.
//!
//! A change that finds no room is held whole and never cut: another number would be a decision that nobody made.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::{Declared, Direction, HoldReason, ManagementClusterName, RecordedChange, Scalar, Target};
use crate::policy::{Budget, BudgetPer};

/// What has been admitted so far.
pub(super) struct Budgets<'a> {
    budgets: Vec<(usize, &'a Budget)>,
    declared_nodes: BTreeMap<String, u32>,
    used: BTreeMap<(usize, String), Use>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Use {
    changes: u32,
    nodes: u32,
}

/// A change as the budgets see it.
#[derive(Debug, Clone)]
pub(super) struct Charge {
    target: Target,
    management_cluster: Option<ManagementClusterName>,
    direction: Option<Direction>,
    nodes: u32,
}

impl Charge {
    /// The charge of a change from one value to another. A placement counts where it goes.
    pub(super) fn of(declared: &Declared, change: &RecordedChange) -> Self {
        let RecordedChange { target, from, to } = change;
        let shard = declared.shards.iter().find(|(name, _)| name.as_str() == to.to_string());
        let management_cluster = target
            .management_cluster()
            .or_else(|| shard.map(|(_, shard)| &shard.management_cluster));
        let numbers = from.integer().zip(to.integer());
        let nodes = match target {
            Target::NodeGroup(_) => {
                numbers.map_or(0, |(from, to)| u32::try_from(to.abs_diff(from)).unwrap_or(u32::MAX))
            }
            _ => 0,
        };
        Self {
            target: target.clone(),
            management_cluster: management_cluster.cloned(),
            direction: numbers.and_then(|(from, to)| Direction::of(from, to)),
            nodes,
        }
    }
}

impl<'a> Budgets<'a> {
    /// The budgets whose window is open, with nothing used yet.
    pub(super) fn open_at(budgets: &'a [Budget], declared: &Declared, now: Timestamp) -> Self {
        let open: Vec<(usize, &Budget)> = budgets
            .iter()
            .enumerate()
            .filter(|(_, budget)| budget.applies_at(now))
            .collect();
        // What is declared counts where a budget is a share of it.
        let is_share = |per: &BudgetPer| {
            open.iter()
                .any(|(_, budget)| budget.per == *per && budget.max_percent.is_some())
        };
        let counted_over: Vec<BudgetPer> = [BudgetPer::Run, BudgetPer::ManagementCluster, BudgetPer::Cluster]
            .into_iter()
            .filter(is_share)
            .collect();
        let mut declared_nodes = BTreeMap::new();
        let counted = declared.bindings.iter().filter(|_| !counted_over.is_empty());
        for (target, binding) in counted {
            let nodes = binding
                .value
                .as_ref()
                .and_then(Scalar::integer)
                .and_then(|nodes| u32::try_from(nodes).ok());
            if let (Target::NodeGroup(_), Some(nodes)) = (target, nodes) {
                let charge = Charge::of(
                    declared,
                    &RecordedChange {
                        target: target.clone(),
                        from: nodes.into(),
                        to: nodes.into(),
                    },
                );
                for per in &counted_over {
                    let sum: &mut u32 = declared_nodes.entry(bucket(*per, &charge)).or_default();
                    *sum = sum.saturating_add(nodes);
                }
            }
        }
        Self {
            budgets: open,
            declared_nodes,
            used: BTreeMap::new(),
        }
    }

    /// Takes what a change needs from every budget, or says which one has too little left and takes nothing.
    pub(super) fn admit(&mut self, charge: &Charge) -> Result<(), HoldReason> {
        for (index, budget) in &self.budgets {
            if !budget.counts(charge.direction) {
                continue;
            }
            let key = bucket(budget.per, charge);
            let total = self.declared_nodes.get(&key).copied().unwrap_or(0);
            let used = self.used.get(&(*index, key.clone())).copied().unwrap_or_default();
            if let Some(words) = exceeded(budget, total, used, charge) {
                return Err(HoldReason::BudgetExhausted {
                    budget: format!("{words} {key}"),
                });
            }
        }
        self.charge(charge);
        Ok(())
    }

    /// Counts a change that is under review already, whatever is left.
    pub(super) fn charge(&mut self, charge: &Charge) {
        self.count(charge, |used| {
            used.changes = used.changes.saturating_add(1);
            used.nodes = used.nodes.saturating_add(charge.nodes);
        });
    }

    /// Gives back what a change under review has taken, so that its successor can take it.
    pub(super) fn release(&mut self, charge: &Charge) {
        self.count(charge, |used| {
            used.changes = used.changes.saturating_sub(1);
            used.nodes = used.nodes.saturating_sub(charge.nodes);
        });
    }

    fn count(&mut self, charge: &Charge, change: impl Fn(&mut Use)) {
        for (index, budget) in &self.budgets {
            if budget.counts(charge.direction) {
                let bucket = bucket(budget.per, charge);
                change(self.used.entry((*index, bucket)).or_default());
            }
        }
    }
}

/// What a budget is counted over, in words.
fn bucket(per: BudgetPer, charge: &Charge) -> String {
    let Charge {
        target,
        management_cluster,
        ..
    } = charge;
    match (per, target, management_cluster) {
        (BudgetPer::Cluster, Target::NodeGroup(key), _) => {
            format!("of {} {}/{}", key.management_cluster, key.namespace, key.cluster)
        }
        (BudgetPer::Cluster | BudgetPer::ManagementCluster, _, Some(management_cluster)) => {
            format!("of {management_cluster}")
        }
        _ => "of this run".to_owned(),
    }
}

/// The maximum that a change would exceed, in words.
fn exceeded(budget: &Budget, total: u32, used: Use, charge: &Charge) -> Option<String> {
    let direction = match budget.direction {
        None => "changes",
        Some(Direction::Up) => "ups",
        Some(Direction::Down) => "downs",
    };
    if let Some(max) = budget.max_changes.filter(|max| used.changes >= *max) {
        return Some(format!("{} of {max} {direction}", used.changes));
    }
    let nodes = used.nodes.saturating_add(charge.nodes);
    if charge.nodes == 0 {
        return None;
    }
    if let Some(max) = budget.max_nodes.filter(|max| nodes > *max) {
        return Some(format!("{direction}: {nodes} of {max} nodes"));
    }
    let percent = budget.max_percent?;
    let max = percent.of_count(total);
    (nodes > max).then(|| format!("{direction}: {nodes} nodes, {percent} of {total} are {max},"))
}
