//! When a call, a region or the whole run has to be over.
//!
//! Beside `cli` this is the one place that reads a clock: the monotonic one, which tells how long something took and never what time it is.

use std::time::{Duration, Instant};

/// The moment at which something has to be over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

#[expect(
    clippy::disallowed_methods,
    reason = "a deadline is about how long, not about when: no decision can see it"
)]
fn monotonic() -> Instant {
    Instant::now()
}

impl Deadline {
    /// The deadline of something that may take this long from now on.
    pub fn after(limit: Duration) -> Self {
        Self(monotonic() + limit)
    }

    /// The earlier of this deadline and the one of something that may take this long from now on.
    #[must_use]
    pub fn within(self, limit: Duration) -> Self {
        self.min(Self::after(limit))
    }

    /// The time that is left; nothing if it is over.
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(monotonic())
    }

    /// Whether it is over.
    pub fn is_over(self) -> bool {
        self.remaining().is_zero()
    }

    /// Runs something until it ends or the deadline does; what has not ended by then is dropped. What comes too late is not begun: a timeout
    /// of nothing would let it take its first step, which may be a request.
    pub async fn bound<T>(self, future: impl Future<Output = T>) -> Option<T> {
        if self.is_over() {
            return None;
        }
        tokio::time::timeout(self.remaining(), future).await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earlier_deadline_counts() {
        let (hour, moment) = (Duration::from_secs(3_600), Duration::ZERO);
        assert!(Deadline::after(hour).within(moment).is_over());
        assert!(Deadline::after(moment).within(hour).is_over());
        assert!(!Deadline::after(hour).within(hour).is_over());
    }

    #[tokio::test]
    async fn what_comes_too_late_is_not_begun() {
        assert_eq!(Deadline::after(Duration::ZERO).bound(async { 1 }).await, None);
        assert_eq!(
            Deadline::after(Duration::from_secs(60)).bound(async { 1 }).await,
            Some(1)
        );
    }
}
