//! The five fields of a Kubernetes schedule, as sets of numbers.
//!
//! Kubernetes reads a CronJob's schedule with `ParseStandard` of robfig/cron v3, so this reads what that reads, and counts as that counts:
//! minute, hour, day of month, month, day of week with 0 = Sunday; `*` and `?`, lists, ranges, `/` steps, three-letter names; the descriptors
//! `@hourly`, `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly` and `@annually`. It differs where robfig/cron is kinder to a slip than a
//! policy should be: empty list items and `*-5` are refused. It takes one thing more: 7 is Sunday too, as in every other cron. `@every` is
//! refused because it counts from the start of the process that reads it, and a window has no such start; so are `TZ=` and `CRON_TZ=`, as
//! in Kubernetes, because the zone has a field of its own.

use std::collections::BTreeSet;

/// A schedule that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSchedule {
    /// It does not have five fields.
    #[error(
        "schedule {text:?} has {found} fields: expected five (minute, hour, day of month, month, day of week), as in `0 8 * * mon-fri`"
    )]
    FieldCount {
        /// The schedule.
        text: String,
        /// How many fields it has.
        found: usize,
    },
    /// It starts with `@` and is not a descriptor that can be used.
    #[error("schedule {text:?}: {why}")]
    Descriptor {
        /// The schedule.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// It names a zone inside the expression.
    #[error("schedule {text:?} names a time zone: write the five fields alone, and the zone into `timeZone`")]
    ZoneInside {
        /// The schedule.
        text: String,
    },
    /// One of the fields is wrong.
    #[error("schedule {text:?}: the {field} {item:?} {why}")]
    Field {
        /// The schedule.
        text: String,
        /// The field's name, for people.
        field: &'static str,
        /// The list item that is wrong.
        item: String,
        /// What is wrong with it, and what would be right.
        why: String,
    },
    /// It can be read, and no day fits it.
    #[error("schedule {text:?} never fires: no day fits it{hint}")]
    Never {
        /// The schedule.
        text: String,
        /// What to look at.
        hint: &'static str,
    },
    /// The zone is not in the IANA time zone database.
    #[error("time zone {text:?} is not in the IANA database: write a name such as `Europe/Stockholm` or `UTC`")]
    Zone {
        /// The name of the zone.
        text: String,
    },
    /// The week of the month is not 1 to 5.
    #[error("week {week} does not exist: expected 1 (days 1 to 7 of the month) to 5 (days 29 to 31)")]
    Week {
        /// The number given.
        week: u8,
    },
    /// The window has no length.
    #[error("a window of duration 0 is never open")]
    NoDuration,
}

/// One field: which numbers it names, and whether it names all of them by `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) values: BTreeSet<u8>,
    /// Kubernetes takes the intersection of the two day fields if one of them is a star, and the union if neither is. `*/2` is no star.
    pub(super) star: bool,
}

/// The five fields. Days of the week run from 0 = Sunday to 6 = Saturday.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fields {
    pub(super) minutes: Field,
    pub(super) hours: Field,
    pub(super) days_of_month: Field,
    pub(super) months: Field,
    pub(super) days_of_week: Field,
}

struct Unit {
    name: &'static str,
    min: u8,
    max: u8,
    /// The names of the numbers from `min` on.
    names: &'static [&'static str],
}

const MINUTE: Unit = Unit {
    name: "minute",
    min: 0,
    max: 59,
    names: &[],
};
const HOUR: Unit = Unit {
    name: "hour",
    min: 0,
    max: 23,
    names: &[],
};
const DAY_OF_MONTH: Unit = Unit {
    name: "day of month",
    min: 1,
    max: 31,
    names: &[],
};
const MONTH: Unit = Unit {
    name: "month",
    min: 1,
    max: 12,
    names: &[
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ],
};
// The second Sunday is folded into the first when the field is complete.
const DAY_OF_WEEK: Unit = Unit {
    name: "day of week",
    min: 0,
    max: 7,
    names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
};

impl Fields {
    /// Reads an expression.
    pub(super) fn parse(text: &str) -> Result<Self, InvalidSchedule> {
        let shown: String = text.chars().take(100).collect();
        let expression = match text.trim() {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            every if every.starts_with("@every") => {
                return Err(InvalidSchedule::Descriptor {
                    text: shown,
                    why: "`@every` has no fixed start: write the times, for example `0 */4 * * *`",
                });
            }
            other if other.starts_with('@') => {
                return Err(InvalidSchedule::Descriptor {
                    text: shown,
                    why: "expected @hourly, @daily, @weekly, @monthly, @yearly or five fields",
                });
            }
            zone if zone.starts_with("TZ=") || zone.starts_with("CRON_TZ=") => {
                return Err(InvalidSchedule::ZoneInside { text: shown });
            }
            other => other,
        };
        let fields: Vec<&str> = expression.split_ascii_whitespace().collect();
        let [minute, hour, day_of_month, month, day_of_week] = fields[..] else {
            return Err(InvalidSchedule::FieldCount {
                text: shown,
                found: fields.len(),
            });
        };
        let read = |field: &str, unit: &Unit| {
            parse_field(field, unit).map_err(|(item, why)| InvalidSchedule::Field {
                text: shown.clone(),
                field: unit.name,
                item,
                why,
            })
        };
        let mut days_of_week = read(day_of_week, &DAY_OF_WEEK)?;
        if days_of_week.values.remove(&7) {
            days_of_week.values.insert(0);
        }
        Ok(Self {
            minutes: read(minute, &MINUTE)?,
            hours: read(hour, &HOUR)?,
            days_of_month: read(day_of_month, &DAY_OF_MONTH)?,
            months: read(month, &MONTH)?,
            days_of_week,
        })
    }
}

/// What is wrong with a list item: the item, and why.
type Complaint = (String, String);

fn parse_field(text: &str, unit: &Unit) -> Result<Field, Complaint> {
    let mut field = Field {
        values: BTreeSet::new(),
        star: false,
    };
    for item in text.split(',') {
        parse_item(item, unit, &mut field).map_err(|why| (item.to_owned(), why))?;
    }
    Ok(field)
}

fn parse_item(item: &str, unit: &Unit, field: &mut Field) -> Result<(), String> {
    if item.is_empty() {
        return Err("is an empty list item".into());
    }
    let (range, step) = match item.split_once('/') {
        None => (item, None),
        Some((range, step)) => {
            let step: u8 = step
                .parse()
                .ok()
                .filter(|step| *step > 0 && item.matches('/').count() == 1)
                .ok_or("needs a number from 1 to 255 after one `/`")?;
            (range, Some(step))
        }
    };
    let (start, end) = match range.split_once('-') {
        _ if matches!(range, "*" | "?") => {
            field.star |= step.is_none_or(|step| step == 1);
            // The range ends before the second Sunday, which `*/2` would otherwise reach by another way than the first.
            (unit.min, if unit.max == 7 { 6 } else { unit.max })
        }
        None => {
            let start = number(range, unit)?;
            // robfig/cron: "N/step" means "N-max/step".
            let last = if unit.max == 7 && start <= 6 { 6 } else { unit.max };
            (start, if step.is_some() { last } else { start })
        }
        Some((start, end)) => (number(start, unit)?, number(end, unit)?),
    };
    if start > end {
        return Err(
            "runs backwards: a range does not wrap around; write a list such as `fri,sat,sun` or `22-23,0-5`".into(),
        );
    }
    field
        .values
        .extend((start..=end).step_by(usize::from(step.unwrap_or(1))));
    Ok(())
}

fn number(text: &str, unit: &Unit) -> Result<u8, String> {
    let Unit {
        name: _,
        min,
        max,
        names,
    } = unit;
    if let Some(at) = names.iter().position(|name| name.eq_ignore_ascii_case(text)) {
        // The tables hold at most twelve names.
        return Ok(min + u8::try_from(at).unwrap_or(u8::MAX));
    }
    let digits_only = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse::<u8>() {
        Ok(number) if digits_only && (*min..=*max).contains(&number) => Ok(number),
        _ if names.is_empty() => Err(format!("is not a number from {min} to {max}")),
        _ => Err(format!(
            "is not a number from {min} to {max} or a name from `{}` to `{}`",
            names[0],
            names[names.len() - 1]
        )),
    }
}
