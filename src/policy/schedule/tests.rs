//! Schedules and windows against a scan of every minute, with an oracle that shares no code with them.

use std::collections::BTreeSet;

use jiff::civil::DateTime;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use proptest::prelude::*;

use super::{InGap, Schedule, Window};

const ZONES: [&str; 8] = [
    "Europe/Stockholm",
    "America/New_York",
    "Australia/Lord_Howe", // the clock moves by 30 minutes
    "Africa/Casablanca",   // back for Ramadan, forward after it
    "America/Sao_Paulo",   // midnight did not exist when the clock went forward, until 2018
    "Pacific/Apia",        // a whole day was left out in 2011
    "Asia/Kolkata",
    "UTC",
];

fn zone(name: &str) -> TimeZone {
    TimeZoneDatabase::bundled().get(name).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

/// A field as a person could write it, with its meaning.
#[derive(Debug, Clone)]
struct Field {
    text: String,
    values: BTreeSet<i8>,
    star: bool,
}

fn field(min: i8, max: i8) -> impl Strategy<Value = Field> {
    let item = prop_oneof![
        3 => Just(("*".to_owned(), (min..=max).collect::<BTreeSet<i8>>(), true)),
        1 => (1..=9_i8).prop_map(move |step| {
            let values = (min..=max).step_by(usize::try_from(step).unwrap()).collect();
            (format!("*/{step}"), values, step == 1)
        }),
        3 => (min..=max).prop_map(|n| (n.to_string(), BTreeSet::from([n]), false)),
        1 => (min..=max, 1..=9_i8).prop_map(move |(n, step)| {
            let values = (n..=max).step_by(usize::try_from(step).unwrap()).collect();
            (format!("{n}/{step}"), values, false)
        }),
        2 => (min..=max, min..=max, 1..=4_i8).prop_map(|(a, b, step)| {
            let (a, b) = (a.min(b), a.max(b));
            let values = (a..=b).step_by(usize::try_from(step).unwrap()).collect();
            (format!("{a}-{b}/{step}"), values, false)
        }),
    ];
    prop::collection::vec(item, 1..=3).prop_map(|items| {
        let mut field = Field {
            text: String::new(),
            values: BTreeSet::new(),
            star: false,
        };
        for (text, values, star) in items {
            if !field.text.is_empty() {
                field.text.push(',');
            }
            field.text.push_str(&text);
            field.values.extend(values);
            field.star |= star;
        }
        field
    })
}

#[derive(Debug, Clone)]
struct Expression {
    minute: Field,
    hour: Field,
    day_of_month: Field,
    month: Field,
    day_of_week: Field,
    week: Option<u8>,
}

fn expression() -> impl Strategy<Value = Expression> {
    let week = prop_oneof![3 => Just(None), 1 => (1..=5_u8).prop_map(Some)];
    (
        field(0, 59),
        field(0, 23),
        field(1, 31),
        field(1, 12),
        field(0, 6),
        week,
    )
        .prop_map(|(minute, hour, day_of_month, month, day_of_week, week)| Expression {
            minute,
            hour,
            day_of_month,
            month,
            day_of_week,
            week,
        })
}

impl Expression {
    fn text(&self) -> String {
        let fields = [
            &self.minute,
            &self.hour,
            &self.day_of_month,
            &self.month,
            &self.day_of_week,
        ];
        fields.map(|field| field.text.as_str()).join(" ")
    }

    /// The rule of robfig/cron's `dayMatches`, and the week of the month.
    fn fits(&self, clock: DateTime) -> bool {
        let dom = self.day_of_month.values.contains(&clock.day());
        let dow = self
            .day_of_week
            .values
            .contains(&clock.weekday().to_sunday_zero_offset());
        let day = if self.day_of_month.star || self.day_of_week.star {
            dom && dow
        } else {
            dom || dow
        };
        let week = self
            .week
            .is_none_or(|week| (clock.day() - 1) / 7 + 1 == week.cast_signed());
        day && week
            && self.minute.values.contains(&clock.minute())
            && self.hour.values.contains(&clock.hour())
            && self.month.values.contains(&clock.month())
            && clock.second() == 0
    }
}

/// Every start from `from` on, for a number of minutes.
fn scan(expression: &Expression, zone: &TimeZone, in_gap: InGap, from: Timestamp, count: i64) -> Vec<Timestamp> {
    (0..count)
        .map(|minute| from + minutes(minute))
        .filter(|&instant| {
            let clock = zone.to_datetime(instant);
            let before = zone.to_datetime(instant - minutes(1));
            let mut left_out = before + 1.minute();
            let mut in_the_gap = false;
            while left_out < clock {
                in_the_gap |= expression.fits(left_out);
                left_out += 1.minute();
            }
            expression.fits(clock) || (in_gap == InGap::AtItsEnd && in_the_gap)
        })
        .collect()
}

/// The instants around which it gets interesting: the changes of the clock from 2011 to 2026, and one quiet day.
fn borders(zone: &TimeZone) -> Vec<Timestamp> {
    let until = at("2026-12-31T00:00:00Z");
    let mut borders: Vec<Timestamp> = zone
        .following(at("2011-06-01T00:00:00Z"))
        .map(|transition| transition.timestamp())
        .take_while(|border| *border < until)
        .collect();
    borders.push(at("2024-02-29T00:00:00Z"));
    borders
}

fn place() -> impl Strategy<Value = (&'static str, Timestamp)> {
    prop::sample::select(ZONES.to_vec()).prop_flat_map(|name| {
        let borders = borders(&zone(name));
        (Just(name), prop::sample::select(borders))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_schedule_fires_at_exactly_the_minutes_that_a_scan_finds(
        expression in expression(),
        (name, border) in place(),
        skip in any::<bool>(),
    ) {
        let in_gap = if skip { InGap::Skip } else { InGap::AtItsEnd };
        let Ok(schedule) = Schedule::parse(&expression.text(), Some(name), expression.week, in_gap) else {
            // Nothing ever fits: the scan of a leap year must agree.
            let utc = TimeZone::UTC;
            prop_assert!(scan(&expression, &utc, InGap::Skip, at("2024-01-01T00:00:00Z"), 366 * 1440).is_empty());
            return Ok(());
        };
        let from = border - minutes(2 * 1440);
        let count = 4 * 1440;
        let end = from + minutes(count);
        let expected = scan(&expression, &zone(name), in_gap, from, count);

        let mut forwards = Vec::new();
        let mut cursor = from - SignedDuration::from_nanos(1);
        while let Some(found) = schedule.next_after(cursor).filter(|found| *found < end) {
            forwards.push(found);
            cursor = found;
        }
        prop_assert_eq!(&forwards, &expected, "forwards, {} {}", expression.text(), name);

        let mut backwards = Vec::new();
        let mut cursor = end - SignedDuration::from_nanos(1);
        while let Some(found) = schedule.last_at(cursor, from) {
            backwards.push(found);
            cursor = found - SignedDuration::from_nanos(1);
        }
        backwards.reverse();
        prop_assert_eq!(&backwards, &expected, "backwards, {} {}", expression.text(), name);
    }

    #[test]
    fn a_window_is_open_at_exactly_the_minutes_that_a_scan_finds(
        expression in expression(),
        (name, border) in place(),
        skip in any::<bool>(),
        length in prop_oneof![1..=30_u32, 60..=300_u32],
    ) {
        let in_gap = if skip { InGap::Skip } else { InGap::AtItsEnd };
        let duration = crate::model::Duration::from_minutes(length);
        let Ok(window) = Window::parse(&expression.text(), Some(name), duration, expression.week, in_gap) else {
            return Ok(());
        };
        let length = i64::from(length);
        let from = border - minutes(1440);
        let count = 2 * 1440;
        let starts = scan(&expression, &zone(name), in_gap, from - minutes(length), count + length);
        let open = |instant: Timestamp| {
            let started = starts.partition_point(|start| *start <= instant);
            started > 0 && starts[started - 1] + minutes(length) > instant
        };
        for minute in (0..count).step_by(7) {
            let now = from + minutes(minute);
            let closes = window.open_at(now);
            prop_assert_eq!(closes.is_some(), open(now), "{} at {}", window, now);
            if let Some(closes) = closes {
                let mut end = now;
                while open(end) {
                    end += minutes(1);
                }
                let seen = from + minutes(count);
                prop_assert!(closes == end || end >= seen || window.next_open(now).is_none(), "{} at {} closes {}", window, now, closes);
            }
            if let Some(opens) = window.next_open(now) {
                prop_assert!(opens > closes.unwrap_or(now));
                if opens < from + minutes(count) {
                    prop_assert!(open(opens) && !open(opens - minutes(1)), "{} after {} opens {}", window, now, opens);
                }
            }
        }
    }
}

fn schedule(text: &str, zone: &str) -> Schedule {
    Schedule::parse(text, Some(zone), None, InGap::Skip).unwrap()
}

#[track_caller]
fn fires(schedule: &Schedule, after: &str, expected: &[&str]) {
    let mut cursor = at(after);
    for expected in expected {
        cursor = schedule.next_after(cursor).unwrap();
        assert_eq!(cursor, at(expected), "{schedule}");
    }
}

#[test]
fn a_week_counts_from_sunday_and_seven_is_sunday_too() {
    // 2026-03-01 is a Sunday.
    let sunday = ["2026-03-01T00:00:00Z", "2026-03-08T00:00:00Z"];
    for text in ["0 0 * * 0", "0 0 * * 7", "0 0 * * sun", "0 0 * * SUN", "@weekly"] {
        fires(&schedule(text, "UTC"), "2026-02-25T00:00:00Z", &sunday);
    }
    let weekend = [
        "2026-02-27T00:00:00Z",
        "2026-02-28T00:00:00Z",
        "2026-03-01T00:00:00Z",
        "2026-03-06T00:00:00Z",
    ];
    for text in ["0 0 * * 5-7", "0 0 * * fri,sat,sun", "0 0 * * 0,5,6"] {
        fires(&schedule(text, "UTC"), "2026-02-25T00:00:00Z", &weekend);
    }
    let sun_to_tue = [
        "2026-03-01T08:30:00Z",
        "2026-03-02T08:30:00Z",
        "2026-03-03T08:30:00Z",
        "2026-03-08T08:30:00Z",
    ];
    fires(
        &schedule("30 8 * * sun-tue", "UTC"),
        "2026-02-28T00:00:00Z",
        &sun_to_tue,
    );
    fires(&schedule("30 8 ? * 0-2", "UTC"), "2026-02-28T00:00:00Z", &sun_to_tue);
}

#[test]
fn two_restricted_day_fields_are_united_as_in_kubernetes() {
    // The 13th, and every Friday.
    fires(
        &schedule("0 0 13 * fri", "UTC"),
        "2026-01-01T00:00:00Z",
        &[
            "2026-01-02T00:00:00Z",
            "2026-01-09T00:00:00Z",
            "2026-01-13T00:00:00Z",
            "2026-01-16T00:00:00Z",
        ],
    );
    // `*/2` is no star for robfig/cron, `*/1` is.
    fires(
        &schedule("0 0 */16 * mon", "UTC"),
        "2026-01-01T00:00:00Z",
        &["2026-01-05T00:00:00Z", "2026-01-12T00:00:00Z", "2026-01-17T00:00:00Z"],
    );
    fires(
        &schedule("0 0 */1 * mon", "UTC"),
        "2026-01-01T00:00:00Z",
        &["2026-01-05T00:00:00Z", "2026-01-12T00:00:00Z"],
    );
}

/// The table of robfig/cron's own test, `spec_test.go`.
#[test]
fn the_clock_changes_as_they_do_for_a_cron_job() {
    let new_york = |text| schedule(text, "America/New_York");
    // Forward on 2012-03-11: 2:30 does not exist.
    fires(
        &new_york("30 2 11 3 *"),
        "2012-03-11T05:00:00Z",
        &["2013-03-11T06:30:00Z"],
    );
    fires(
        &new_york("0 * * * *"),
        "2012-03-11T05:00:00Z",
        &["2012-03-11T06:00:00Z", "2012-03-11T07:00:00Z"],
    );
    // Back on 2012-11-04: 1:30 exists twice.
    fires(
        &new_york("30 1 4 11 *"),
        "2012-11-04T04:00:00Z",
        &["2012-11-04T05:30:00Z", "2012-11-04T06:30:00Z"],
    );
    fires(
        &new_york("0 3 4 11 *"),
        "2012-11-04T04:00:00Z",
        &["2012-11-04T08:00:00Z"],
    );
}

#[test]
fn a_prohibition_that_starts_in_a_gap_starts_at_its_end() {
    let window = |in_gap| {
        Window::parse(
            "30 2 * * *",
            Some("Europe/Stockholm"),
            "4h".parse().unwrap(),
            None,
            in_gap,
        )
        .unwrap()
    };
    let now = at("2026-03-29T01:10:00Z");
    assert_eq!(window(InGap::Skip).open_at(now), None);
    assert_eq!(window(InGap::AtItsEnd).open_at(now), Some(at("2026-03-29T05:00:00Z")));
}

#[test]
fn week_one_is_the_first_of_the_month() {
    let window = Window::parse("0 2 * * sat", None, "4h".parse().unwrap(), Some(1), InGap::Skip).unwrap();
    assert_eq!(
        window.open_at(at("2026-08-01T02:00:00Z")),
        Some(at("2026-08-01T06:00:00Z"))
    );
    assert_eq!(window.open_at(at("2026-08-01T06:00:00Z")), None);
    assert_eq!(window.open_at(at("2026-08-08T02:00:00Z")), None);
    assert_eq!(
        window.next_open(at("2026-08-01T02:00:00Z")),
        Some(at("2026-09-05T02:00:00Z"))
    );
    assert_eq!(window.to_string(), "0 2 * * sat (UTC) for 4h in week 1 of the month");
}

#[test]
fn openings_that_touch_are_one() {
    let always = Window::parse("@hourly", None, "1h".parse().unwrap(), None, InGap::Skip).unwrap();
    assert!(always.open_at(at("2026-08-01T02:30:00Z")).unwrap() > at("2026-08-15T00:00:00Z"));
    let workdays = Window::parse("0 0 * * mon-fri", None, "24h".parse().unwrap(), None, InGap::Skip).unwrap();
    // 2026-08-03 is a Monday.
    assert_eq!(
        workdays.open_at(at("2026-08-03T09:00:00Z")),
        Some(at("2026-08-08T00:00:00Z"))
    );
    assert_eq!(
        workdays.next_open(at("2026-08-03T09:00:00Z")),
        Some(at("2026-08-10T00:00:00Z"))
    );
}

#[test]
fn what_can_not_be_a_schedule_is_refused_with_the_way_out() {
    for (text, week, expected) in [
        ("0 8 * *", None, "has 4 fields: expected five"),
        ("0 0 8 * * mon", None, "has 6 fields"),
        ("", None, "has 0 fields"),
        ("@every 4h", None, "write the times"),
        ("@reboot", None, "expected @hourly"),
        ("CRON_TZ=Asia/Tokyo 0 8 * * *", None, "into `timeZone`"),
        ("60 8 * * *", None, "the minute \"60\" is not a number from 0 to 59"),
        ("+5 8 * * *", None, "the minute \"+5\""),
        ("0 24 * * *", None, "from 0 to 23"),
        ("0 8 0 * *", None, "the day of month \"0\""),
        ("0 8 * 13 *", None, "from `jan` to `dec`"),
        ("0 8 * * 8", None, "from `sun` to `sat`"),
        ("0 8 * * monday", None, "from `sun` to `sat`"),
        ("0 8 * * L", None, "the day of week \"L\""),
        ("0 8 * * fri-mon", None, "runs backwards"),
        ("0 8,,9 * * *", None, "empty list item"),
        ("*/0 * * * *", None, "after one `/`"),
        ("1/2/3 * * * *", None, "after one `/`"),
        ("*-5 * * * *", None, "the minute \"*-5\""),
        ("0 0 30 2 *", None, "does not exist in its months"),
        ("0 0 31 4,6,9,11 *", None, "never fires"),
        ("0 0 8 * *", Some(1), "outside the `week`"),
        ("0 0 * * *", Some(0), "week 0 does not exist"),
        ("0 0 * * *", Some(6), "week 6 does not exist"),
    ] {
        let error = Schedule::parse(text, None, week, InGap::Skip).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
    let error = Schedule::parse("@daily", Some("Europe/Stokholm"), None, InGap::Skip).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("\"Europe/Stokholm\" is not in the IANA database")
    );
    let error = Window::parse("@daily", None, "0s".parse().unwrap(), None, InGap::Skip).unwrap_err();
    assert!(error.to_string().contains("never open"));
}

#[test]
fn a_leap_day_is_found_and_the_far_past_and_future_are_silent() {
    fires(
        &schedule("0 0 29 2 *", "UTC"),
        "2026-01-01T00:00:00Z",
        &["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"],
    );
    let daily = schedule("@daily", "Europe/Stockholm");
    assert_eq!(daily.next_after(at("2150-01-01T00:00:00Z")), None);
    assert_eq!(daily.last_at(at("1930-01-01T00:00:00Z"), Timestamp::MIN), None);
    assert_eq!(daily.next_after(Timestamp::MAX), None);
    assert_eq!(daily.last_at(Timestamp::MIN, Timestamp::MIN), None);
}
