//! Numbers of answers: means, shares, times. Nothing here turns what is missing into a number.

use std::time::Duration as StdDuration;

use jiff::Timestamp;

use crate::model::{Duration, Finite};

use super::answer::{Reading, Vector};

/// Digits that a value is rounded to. Counters of years and sums of weeks leave an error of about 1e-12 in a share; without the rounding, a
/// use of exactly 95 % could come out a hair above and count as crossing. Nobody can tell a use from one that differs by 1e-9.
const GRAIN: f64 = 1e9;

/// A number without the noise of its arithmetic.
pub(super) fn rounded(number: f64) -> Option<Finite> {
    Finite::try_from((number * GRAIN).round() / GRAIN).ok()
}

/// The mean; nothing of nothing.
pub(super) fn mean(numbers: &[Finite]) -> Option<Finite> {
    let count = u32::try_from(numbers.len()).ok().filter(|count| *count > 0)?;
    let sum: f64 = numbers.iter().map(|number| number.get()).sum();
    rounded(sum / f64::from(count))
}

/// A share that is never more than all.
pub(super) fn at_most_one(share: Finite) -> Finite {
    match Finite::try_from(1.0) {
        Ok(one) => share.min(one),
        Err(_) => share,
    }
}

/// A number of samples as a share of those that a window should hold.
pub(super) fn share_of_samples(count: &Reading, window: Duration, interval: Duration) -> Option<Finite> {
    match count {
        Reading::Number(count) if *count >= Finite::ZERO => rounded(count.get() * seconds(interval) / seconds(window)),
        _ => None,
    }
}

/// A length of time in seconds.
pub(super) fn seconds(duration: Duration) -> f64 {
    f64::from(duration.seconds())
}

/// A time that came as seconds since 1970.
pub(super) fn time(seconds: &Reading) -> Option<Timestamp> {
    let Reading::Number(seconds) = seconds else {
        return None;
    };
    let since = StdDuration::try_from_secs_f64(seconds.get()).ok()?;
    let millis = i64::try_from(since.as_millis()).ok()?;
    Timestamp::from_millisecond(millis).ok()
}

/// Whether every number is exactly zero, and there are several.
pub(super) fn all_zero(vector: &Vector) -> bool {
    vector.readings.len() > 1
        && vector
            .readings
            .values()
            .all(|reading| *reading == Reading::Number(Finite::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(number: f64) -> Reading {
        Reading::Number(Finite::try_from(number).unwrap())
    }

    #[test]
    fn a_value_at_a_threshold_does_not_come_out_above_it() {
        for (noisy, exact) in [
            (1.0 - 0.050_000_000_000_000_044, 0.95),
            (0.1 + 0.2, 0.3),
            (0.850_000_000_000_1, 0.85),
            (-1e-12, 0.0),
        ] {
            assert_eq!(rounded(noisy).map(Finite::get), Some(exact));
        }
        assert!(rounded(0.950_000_002).unwrap().get() > 0.95);
        assert_eq!((mean(&[]), rounded(f64::NAN), rounded(f64::MAX)), (None, None, None));
    }

    #[test]
    fn a_time_keeps_its_milliseconds() {
        assert_eq!(
            time(&of(1_791_277_200.25)).unwrap().to_string(),
            "2026-10-06T09:00:00.25Z"
        );
        assert_eq!(time(&of(-1.0)), None);
        assert_eq!(time(&of(1e300)), None);
        assert_eq!(time(&Reading::Nothing), None);
    }

    #[test]
    fn samples_are_counted_against_the_interval() {
        let (hour, minute) = (Duration::from_hours(1), Duration::from_minutes(1));
        let share = |count: f64| share_of_samples(&of(count), hour, minute).map(Finite::get);
        assert_eq!(
            (share(60.0), share(57.0), share(120.0)),
            (Some(1.0), Some(0.95), Some(2.0))
        );
        assert_eq!(share(-1.0), None);
    }
}
