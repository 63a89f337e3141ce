//! Room for one more change: a budget that is not used up, and a pull request that may still be opened.
//!
//! What is under review has its room already and keeps it, so that a new change never takes the place of an open one. A change that finds
//! room in one of the two only takes nothing from either: else five downs without a budget would use up the run's five pull requests, at
//! every run.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::model::{BranchName, Declared, HoldReason, Ledger, Priority, RecordedChange};
use crate::policy::Limits;

use super::budgets::{Budgets, Charge};
use super::standing;

/// What is left of budgets and pull requests.
pub(super) struct Room<'a> {
    declared: &'a Declared,
    ledger: &'a Ledger,
    limits: &'a Limits,
    budgets: Budgets<'a>,
    /// The branches with an open pull request, whoever opened it: none of them gets another one.
    open: BTreeSet<&'a BranchName>,
    /// Those of them that are ours, which alone count against the limit.
    ours: usize,
    new: BTreeSet<BranchName>,
    new_urgent: BTreeSet<BranchName>,
}

impl<'a> Room<'a> {
    /// The room beside everything that is under review.
    pub(super) fn new(declared: &'a Declared, ledger: &'a Ledger, limits: &'a Limits, now: Timestamp) -> Self {
        let mut budgets = Budgets::open_at(&limits.budgets, declared, now);
        let records = ledger.under_review().filter_map(|request| request.record.as_ref());
        for change in records.flat_map(|record| &record.changes) {
            budgets.charge(&Charge::of(declared, change));
        }
        Self {
            declared,
            ledger,
            limits,
            budgets,
            open: ledger.open().map(|request| &request.branch).collect(),
            ours: ledger.open_of_ours(),
            new: BTreeSet::new(),
            new_urgent: BTreeSet::new(),
        }
    }

    /// Takes the room that a change needs, or says what there is too little of.
    pub(super) fn admit(
        &mut self,
        branch: &BranchName,
        priority: Priority,
        change: &RecordedChange,
    ) -> Result<(), HoldReason> {
        self.has_slot(branch, priority)?;
        let of_branch = self.ledger.under_review().filter(|request| request.branch == *branch);
        let predecessors: Vec<Charge> = of_branch
            .filter_map(|request| standing::recorded(request, &change.target))
            .map(|old| Charge::of(self.declared, old))
            .collect();
        predecessors.iter().for_each(|old| self.budgets.release(old));
        if let Err(reason) = self.budgets.admit(&Charge::of(self.declared, change)) {
            predecessors.iter().for_each(|old| self.budgets.charge(old));
            return Err(reason);
        }
        self.take_slot(branch, priority);
        Ok(())
    }

    fn is_taken(&self, branch: &BranchName) -> bool {
        self.open.contains(branch) || self.new.contains(branch) || self.new_urgent.contains(branch)
    }

    fn has_slot(&self, branch: &BranchName, priority: Priority) -> Result<(), HoldReason> {
        if self.is_taken(branch) {
            return Ok(());
        }
        let Limits {
            new_pull_requests,
            new_urgent_pull_requests,
            open_pull_requests,
            budgets: _,
        } = self.limits;
        let exhausted = |count: usize, most: u32, what: &str| {
            let room = u32::try_from(count).is_ok_and(|count| count < most);
            (!room).then(|| HoldReason::BudgetExhausted {
                budget: format!("{most} {what}"),
            })
        };
        let refusal = if priority == Priority::P1 {
            let what = "new urgent pull requests in this run";
            exhausted(self.new_urgent.len(), *new_urgent_pull_requests, what)
        } else {
            let all = self.ours + self.new.len() + self.new_urgent.len();
            exhausted(self.new.len(), *new_pull_requests, "new pull requests in this run")
                .or_else(|| exhausted(all, *open_pull_requests, "open pull requests"))
        };
        refusal.map_or(Ok(()), Err)
    }

    fn take_slot(&mut self, branch: &BranchName, priority: Priority) {
        if self.is_taken(branch) {
            return;
        }
        let slots = if priority == Priority::P1 {
            &mut self.new_urgent
        } else {
            &mut self.new
        };
        slots.insert(branch.clone());
    }
}
