//! Which labels of a pull request have to change; pure.
//!
//! Labels are nice to have: the title says the same. So on a server a label that can't be given is a warning, and fails nothing.

use crate::model::is_our_label;

/// A difference between the labels that are there and those of ours that are wanted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// To be given.
    pub(super) give: Vec<String>,
    /// To be taken.
    pub(super) take: Vec<String>,
}

/// The difference. A label of other people's is neither given nor taken: `do-not-merge` is worth more than our words beside it.
pub(super) fn change(there: &[String], wanted: &[String]) -> Change {
    let give = wanted.iter().filter(|label| !there.contains(label));
    let take = there
        .iter()
        .filter(|label| is_our_label(label) && !wanted.contains(label));
    Change {
        give: give.cloned().collect(),
        take: take.cloned().collect(),
    }
}

/// The labels that are there after the change, sorted.
pub(super) fn changed(there: &[String], wanted: &[String]) -> Vec<String> {
    let theirs = there.iter().filter(|label| !is_our_label(label));
    let mut labels: Vec<String> = theirs.chain(wanted).cloned().collect();
    labels.sort();
    labels.dedup();
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_labels_change() {
        let labels = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let there = labels("do-not-merge fleetscale fleetscale/down fleetscaled");
        let wanted = labels("fleetscale fleetscale/P1");
        let expected = Change {
            give: labels("fleetscale/P1"),
            take: labels("fleetscale/down"),
        };
        assert_eq!(change(&there, &wanted), expected);
        assert_eq!(
            changed(&there, &wanted),
            labels("do-not-merge fleetscale fleetscale/P1 fleetscaled")
        );
    }
}
