//! A stretch of time that recurs: a maintenance window, a freeze.

use std::fmt;

use jiff::Timestamp;

use super::{InGap, InvalidSchedule, Schedule};
use crate::model::Duration;

/// How many openings that follow each other without a break are looked at before the last one seen counts as the end.
///
/// A window of `@hourly` and `1h` never closes, and the search for its end has to stop somewhere. 400 is more than a year of days. Beyond
/// it [`Window::open_at`] gives a time at which the window is still open; nothing but words depends on it.
const MOST_JOINED_OPENINGS: usize = 400;

/// A recurring stretch of time: open from each start of its schedule for its duration.
///
/// The duration is elapsed time: four hours are four hours also in the night in which the clock changes. Openings that overlap or touch are
/// one. A start is inside the window, the instant of closing is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    schedule: Schedule,
    duration: Duration,
    week: Option<u8>,
}

impl Window {
    /// Reads a window.
    ///
    /// # Errors
    ///
    /// When the schedule, the zone or the week can't be read, or the window would never be open.
    pub fn parse(
        schedule: &str,
        zone: Option<&str>,
        duration: Duration,
        week: Option<u8>,
        in_gap: InGap,
    ) -> Result<Self, InvalidSchedule> {
        let schedule = Schedule::parse(schedule, zone, week, in_gap)?;
        if duration == Duration::ZERO {
            return Err(InvalidSchedule::NoDuration);
        }
        Ok(Self {
            schedule,
            duration,
            week,
        })
    }

    /// When it closes, if it is open at `now`.
    pub fn open_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.end_of_openings_at(now).map(|(closes, _)| closes)
    }

    /// When it next opens after `now`, if it does within five years. While it is open, this is when it opens again after it has closed;
    /// nothing, if it doesn't close for a very long time.
    pub fn next_open(&self, now: Timestamp) -> Option<Timestamp> {
        match self.end_of_openings_at(now) {
            // The instant of closing is no start, or the two openings would be one.
            Some((closes, true)) => self.schedule.next_after(closes),
            Some((_, false)) => None,
            None => self.schedule.next_after(now),
        }
    }

    /// The end of the openings that are joined to the one at `now`, and whether it really is the end.
    fn end_of_openings_at(&self, now: Timestamp) -> Option<(Timestamp, bool)> {
        let mut closes = self.close_of_opening_at(now)?;
        for _ in 0..MOST_JOINED_OPENINGS {
            match self.close_of_opening_at(closes) {
                Some(later) => closes = later,
                None => return Some((closes, true)),
            }
        }
        Some((closes, false))
    }

    /// The end of the last opening that has started at `at` and not ended.
    fn close_of_opening_at(&self, at: Timestamp) -> Option<Timestamp> {
        let length = self.duration.signed();
        let earliest = at.checked_sub(length).unwrap_or(Timestamp::MIN);
        let start = self.schedule.last_at(at, earliest)?;
        let closes = start.checked_add(length).unwrap_or(Timestamp::MAX);
        (closes > at).then_some(closes)
    }

    /// When it starts.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// How long it stays open.
    pub fn duration(&self) -> Duration {
        self.duration
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            schedule,
            duration,
            week,
        } = self;
        write!(f, "{schedule} for {duration}")?;
        match week {
            Some(week) => write!(f, " in week {week} of the month"),
            None => Ok(()),
        }
    }
}
