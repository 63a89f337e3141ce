//! When something starts: Kubernetes schedules in IANA time zones.
//!
//! A [`Schedule`] fires at every minute of real time whose wall clock, in the schedule's zone, fits the five fields. That is what Kubernetes
//! does with a CronJob, and it settles the two odd hours of the year. When clocks go forward, the times that are left out do not fire
//! (robfig/cron: "jobs scheduled during daylight-savings leap-ahead transitions will not be run!"). When clocks go back, the times that occur
//! twice fire twice. For what must not be lost, a freeze above all, [`InGap::AtItsEnd`] fires at the first instant after the gap instead.
//!
//! The `cron` crate finds the times, on a civil clock: chrono's UTC stands for the wall clock, and jiff alone knows zones. The crate counts
//! otherwise than Kubernetes (seconds first, Sunday = 1, the two day fields intersected where Kubernetes unites them), so it is never given
//! what people wrote: [`fields`] reads that, and the crate gets plain lists of numbers, in two schedules if the days are a union.
//!
//! Zones come from the database inside the binary, so that a run gives the same answer on every machine. Times before 1970 and after 2100
//! never fire.

mod fields;
mod window;

use std::collections::BTreeSet;
use std::fmt;

use chrono::{DateTime, Utc};
use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};

use fields::Fields;
pub use fields::InvalidSchedule;
pub use window::Window;

/// How far ahead a next time is looked for: five years, as in robfig/cron. It is enough for every date but those that need a certain weekday
/// on 29 February.
const HORIZON: SignedDuration = SignedDuration::from_hours(5 * 366 * 24);

/// What becomes of a time that the clock leaves out when it goes forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InGap {
    /// It does not fire, as in Kubernetes. Right for permissions: one that can't start is not given.
    Skip,
    /// It fires at the first instant after the gap, once. Right for prohibitions.
    AtItsEnd,
}

/// A five-field Kubernetes schedule in a time zone: a set of instants, each at the start of a minute.
#[derive(Debug, Clone)]
pub struct Schedule {
    text: String,
    zone: TimeZone,
    in_gap: InGap,
    /// The instants are those of any of these, on the wall clock. Never empty.
    parts: Vec<cron::Schedule>,
}

/// Seconds since 1970-01-01T00:00 on the wall clock of some zone.
type CivilSeconds = i64;

impl Schedule {
    /// Reads a schedule. No zone means UTC.
    ///
    /// `week` keeps only the days of that week of the month: 1 is days 1 to 7, so `0 2 * * sat` in week 1 is the month's first Saturday.
    ///
    /// # Errors
    ///
    /// When the expression or the zone can't be read, or nothing ever fits it (`0 0 30 2 *`).
    pub fn parse(text: &str, zone: Option<&str>, week: Option<u8>, in_gap: InGap) -> Result<Self, InvalidSchedule> {
        let fields = Fields::parse(text)?;
        let zone = match zone {
            None => TimeZone::UTC,
            Some(name) => TimeZoneDatabase::bundled()
                .get(name)
                .map_err(|_| InvalidSchedule::Zone {
                    text: name.chars().take(100).collect(),
                })?,
        };
        let week_days: BTreeSet<u8> = match week {
            None => (1..=31).collect(),
            Some(week @ 1..=5) => (week * 7 - 6..=(week * 7).min(31)).collect(),
            Some(week) => return Err(InvalidSchedule::Week { week }),
        };
        let parts = parts(&fields, &week_days);
        if parts.is_empty() {
            return Err(InvalidSchedule::Never {
                text: text.to_owned(),
                hint: if week.is_some() {
                    " (its day of month lies outside the `week`)"
                } else {
                    " (its day of month does not exist in its months)"
                },
            });
        }
        Ok(Self {
            text: text.to_owned(),
            zone,
            in_gap,
            parts,
        })
    }

    /// The first instant after `after`, if there is one within five years.
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let horizon = after.checked_add(HORIZON).unwrap_or(Timestamp::MAX);
        let mut offset = self.zone.to_offset(after);
        // Exclusive: the civil time that is looked for lies after it.
        let mut from = civil(after, offset);
        // Between two transitions the offset is constant, so civil times and instants run in step. Each stretch is searched on its own, which
        // leaves out what lies in a gap and meets twice what lies in a fold.
        for transition in self.zone.following(after).take_while(|t| t.timestamp() <= horizon) {
            let border = transition.timestamp();
            if let Some(found) = self.civil_after(from).and_then(|at| instant(at, offset))
                && found < border
            {
                return Some(found);
            }
            if self.fires_in_gap(border, offset, transition.offset()) {
                return Some(border);
            }
            offset = transition.offset();
            from = civil(border, offset) - 1;
        }
        let found = self.civil_after(from).and_then(|at| instant(at, offset))?;
        (found <= horizon).then_some(found)
    }

    /// The last instant at or before `at` that is not before `earliest`.
    pub fn last_at(&self, at: Timestamp, earliest: Timestamp) -> Option<Timestamp> {
        let mut offset = self.zone.to_offset(at);
        // Exclusive: the civil time that is looked for lies before it.
        let mut to = civil(at, offset) + 1;
        let just_after = at.checked_add(SignedDuration::from_nanos(1)).unwrap_or(at);
        for transition in self.zone.preceding(just_after) {
            let border = transition.timestamp();
            if let Some(found) = self.civil_before(to).and_then(|at| instant(at, offset))
                && found >= border
            {
                return (found >= earliest).then_some(found);
            }
            if border < earliest {
                return None;
            }
            let before = border.checked_sub(SignedDuration::from_nanos(1)).ok()?;
            let old = self.zone.to_offset(before);
            if self.fires_in_gap(border, old, offset) {
                return Some(border);
            }
            offset = old;
            to = civil(border, old);
        }
        let found = self.civil_before(to).and_then(|at| instant(at, offset))?;
        (found >= earliest).then_some(found)
    }

    /// Whether a time lies in the gap that the clock leaves out at `border`, and counts as `border`.
    fn fires_in_gap(&self, border: Timestamp, old: Offset, new: Offset) -> bool {
        self.in_gap == InGap::AtItsEnd
            && new > old
            && self
                .civil_after(civil(border, old) - 1)
                .is_some_and(|at| at < civil(border, new))
    }

    fn civil_after(&self, from: CivilSeconds) -> Option<CivilSeconds> {
        // The crate counts years without a sign, and a year before Christ is far in its future.
        let from = from.max(-1);
        let from = DateTime::<Utc>::from_timestamp(from, 0)?;
        let next = |part: &cron::Schedule| part.after(&from).next().map(|found| found.timestamp());
        self.parts.iter().filter_map(next).min()
    }

    fn civil_before(&self, to: CivilSeconds) -> Option<CivilSeconds> {
        if to <= 0 {
            return None;
        }
        let to = DateTime::<Utc>::from_timestamp(to, 0)?;
        let last = |part: &cron::Schedule| part.after(&to).next_back().map(|found| found.timestamp());
        self.parts.iter().filter_map(last).max()
    }

    /// The expression as people wrote it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The IANA name of its zone.
    pub fn zone_name(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// The zone, for printing times as its people read them.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }
}

impl PartialEq for Schedule {
    fn eq(&self, other: &Self) -> bool {
        let Self {
            text: _,
            zone,
            in_gap,
            parts,
        } = self;
        (zone, in_gap, parts) == (&other.zone, &other.in_gap, &other.parts)
    }
}

impl Eq for Schedule {}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.text, self.zone_name())
    }
}

/// The wall clock at an instant, to the second below.
fn civil(at: Timestamp, offset: Offset) -> CivilSeconds {
    let below = i64::from(at.subsec_nanosecond() < 0);
    at.as_second() - below + i64::from(offset.seconds())
}

fn instant(at: CivilSeconds, offset: Offset) -> Option<Timestamp> {
    Timestamp::from_second(at - i64::from(offset.seconds())).ok()
}

/// The crate's schedules whose union are the fields: one, or two where both day fields are restricted, without those that never fire.
fn parts(fields: &Fields, week_days: &BTreeSet<u8>) -> Vec<cron::Schedule> {
    let Fields {
        minutes,
        hours,
        days_of_month,
        months,
        days_of_week,
    } = fields;
    let all_week: BTreeSet<u8> = (0..=6).collect();
    let day_pairs = if days_of_month.star || days_of_week.star {
        vec![(&days_of_month.values & week_days, &days_of_week.values)]
    } else {
        vec![
            (&days_of_month.values & week_days, &all_week),
            (week_days.clone(), &days_of_week.values),
        ]
    };
    let mut parts = Vec::new();
    for (days_of_month, days_of_week) in day_pairs {
        if days_of_month.is_empty() {
            continue;
        }
        // The crate counts the days of the week from Sunday = 1.
        let days_of_week = days_of_week.iter().map(|day| day + 1).collect();
        let expression = format!(
            "0 {} {} {} {} {}",
            list(&minutes.values),
            list(&hours.values),
            list(&days_of_month),
            list(&months.values),
            list(&days_of_week),
        );
        let Ok(part) = expression.parse::<cron::Schedule>() else {
            debug_assert!(false, "cron refuses {expression}");
            continue;
        };
        if part.after(&DateTime::<Utc>::UNIX_EPOCH).next().is_some() {
            parts.push(part);
        }
    }
    parts
}

fn list(numbers: &BTreeSet<u8>) -> String {
    let numbers: Vec<String> = numbers.iter().map(u8::to_string).collect();
    numbers.join(",")
}

#[cfg(test)]
mod tests;
