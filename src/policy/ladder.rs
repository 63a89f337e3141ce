//! Step functions from a count to a value: from this many on, that much.

/// Rungs in ascending order of both count and value. There is at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ladder {
    rungs: Vec<Rung>,
}

/// From this count on, this value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rung {
    /// The smallest count that the rung is for.
    pub from: u32,
    /// The value.
    pub value: u32,
}

/// Rungs that are no ladder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLadder {
    /// There is no rung.
    #[error("a ladder needs at least one rung")]
    Empty,
    /// A rung does not lie above the one before it.
    #[error("rung {} (from {}, value {}) must lie above rung {index} (from {}, value {}) in both", index + 1, rung.from, rung.value, before.from, before.value)]
    NotAscending {
        /// The rung's place, counted from 0.
        index: usize,
        /// The rung before it.
        before: Rung,
        /// The rung.
        rung: Rung,
    },
}

impl Ladder {
    /// A ladder of rungs in ascending order.
    ///
    /// # Errors
    ///
    /// When there is no rung, or one is not above the one before it in both count and value.
    pub fn new(rungs: Vec<Rung>) -> Result<Self, InvalidLadder> {
        if rungs.is_empty() {
            return Err(InvalidLadder::Empty);
        }
        for (before, (index, rung)) in rungs.iter().zip(rungs.iter().enumerate().skip(1)) {
            if rung.from <= before.from || rung.value <= before.value {
                return Err(InvalidLadder::NotAscending {
                    index,
                    before: *before,
                    rung: *rung,
                });
            }
        }
        Ok(Self { rungs })
    }

    /// The rung for a count; nothing below the first.
    pub fn rung(&self, count: u32) -> Option<Rung> {
        self.rungs.iter().rev().find(|rung| rung.from <= count).copied()
    }

    /// All rungs, in ascending order.
    pub fn rungs(&self) -> &[Rung] {
        &self.rungs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rungs(pairs: &[(u32, u32)]) -> Vec<Rung> {
        pairs.iter().map(|&(from, value)| Rung { from, value }).collect()
    }

    #[test]
    fn a_count_stands_on_the_highest_rung_that_it_reaches() {
        let ladder = Ladder::new(rungs(&[(10, 2), (100, 3), (500, 5)])).unwrap();
        let value = |count| ladder.rung(count).map(|rung| rung.value);
        assert_eq!(
            [0, 9, 10, 99, 100, 499, 500, u32::MAX].map(value),
            [None, None, Some(2), Some(2), Some(3), Some(3), Some(5), Some(5)]
        );
    }

    #[test]
    fn rungs_ascend_in_count_and_value() {
        assert_eq!(Ladder::new(vec![]), Err(InvalidLadder::Empty));
        for pairs in [
            &[(0, 2), (0, 3)][..],
            &[(5, 2), (4, 3)],
            &[(0, 3), (10, 3)],
            &[(0, 3), (10, 2)],
        ] {
            assert!(Ladder::new(rungs(pairs)).is_err(), "{pairs:?}");
        }
    }
}
