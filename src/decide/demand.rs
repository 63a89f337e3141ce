//! The formulas: from measured use to a number of nodes.
//!
//! The demand of a group is its use times the nodes that it was measured on. Spread over `m` nodes it gives a use of `demand / m`. The
//! number of nodes that is needed is the smallest `m` for which that is at most the target.

use crate::model::Finite;

/// The most nodes that a group can be given: what Kubernetes is tested for in one cluster (kubernetes.io, "Considerations for large
/// clusters").
pub(super) const MOST_NODES: u32 = 5_000;

/// What a group uses, in nodes: use times nodes.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(super) struct Demand(f64);

impl Demand {
    /// The demand of a use that was measured on some nodes.
    pub(super) fn new(usage: Finite, nodes: u32) -> Self {
        Self(usage.get() * f64::from(nodes))
    }

    /// The use that it makes of a number of nodes; nothing for none.
    pub(super) fn spread_over(self, nodes: u32) -> Option<Finite> {
        Finite::try_from(self.0 / f64::from(nodes)).ok()
    }

    /// The smallest number of nodes on which it is at most the target, but no more than [`MOST_NODES`].
    ///
    /// The number is searched by comparing, because a cast from a float turns NaN into 0 and infinity into four billion.
    pub(super) fn nodes_for(self, target: Finite) -> u32 {
        let (mut too_few, mut enough) = (0, MOST_NODES);
        while too_few + 1 < enough {
            let middle = too_few + (enough - too_few) / 2;
            if self.spread_over(middle).is_some_and(|usage| usage <= target) {
                enough = middle
            } else {
                too_few = middle
            }
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finite(value: f64) -> Finite {
        Finite::try_from(value).unwrap()
    }

    #[test]
    fn the_nodes_needed_are_the_fewest_that_stay_within_the_target() {
        for (usage, nodes, target, needed) in [
            (0.97, 3, 0.7, 5),
            (0.97, 10, 0.7, 14),
            (0.7, 10, 0.7, 10),
            (0.78, 8, 0.7, 9),
            (0.0, 8, 0.7, 1),
            (0.3, 8, 0.6, 4),
            (1.0, 1, 1.0, 1),
            (1e300, 8, 0.7, MOST_NODES),
            (0.5, 8, 0.0, MOST_NODES),
        ] {
            assert_eq!(
                Demand::new(finite(usage), nodes).nodes_for(finite(target)),
                needed,
                "{usage} on {nodes} for {target}"
            );
        }
    }

    #[test]
    fn no_number_of_nodes_is_derived_from_nothing() {
        assert_eq!(Demand::new(finite(0.5), 4).spread_over(0), None);
    }
}
