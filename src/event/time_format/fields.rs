//! The fields that a parser collects from a text, and the local time they make
//! (org.joda.time.format.DateTimeParserBucket).
use super::civil::{self, DAY_SECONDS, Date};
use super::zone::Zone;

/// The years of Joda-Time's ISO chronology.
const MIN_YEAR: i64 = -292_275_054;
const MAX_YEAR: i64 = 292_278_993;

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const HALFDAY: i64 = 12 * HOUR;
const DAY: i64 = DAY_SECONDS * SECOND;

/// A field of a date or of a time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Era,
    Century,
    Year,
    YearOfEra,
    WeekYear,
    Month,
    Week,
    DayOfYear,
    DayOfMonth,
    DayOfWeek,
    Halfday,
    /// 0 to 23.
    Hour,
    /// 1 to 24.
    ClockHour,
    /// 0 to 11.
    HourOfHalfday,
    /// 1 to 12.
    ClockHourOfHalfday,
    Minute,
    Second,
    /// Milliseconds of the hour, of the minute or of the second.
    MilliOfHour,
    MilliOfMinute,
    MilliOfSecond,
}

impl Field {
    /// What orders the fields: the length of the unit it counts within, then that of its own unit, each from long
    /// to short.
    const fn rank(self) -> (u8, u8) {
        match self {
            Field::Era => (0, 0),
            Field::Century => (0, 1),
            Field::Year | Field::YearOfEra | Field::WeekYear => (0, 2),
            Field::Month => (1, 3),
            Field::Week => (1, 4),
            Field::DayOfYear => (1, 5),
            Field::DayOfMonth => (2, 5),
            Field::DayOfWeek => (3, 5),
            Field::Halfday => (4, 6),
            Field::Hour | Field::ClockHour => (4, 7),
            Field::HourOfHalfday | Field::ClockHourOfHalfday => (5, 7),
            Field::Minute => (6, 8),
            Field::MilliOfHour => (6, 10),
            Field::Second => (7, 9),
            Field::MilliOfMinute => (7, 10),
            Field::MilliOfSecond => (8, 10),
        }
    }

    /// Whether its unit is a month, a week or a day: a text whose longest unit is one of these leaves the year
    /// open.
    const fn needs_year(self) -> bool {
        matches!(self.rank().1, 3..=5)
    }

    const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// What a text may hold of the plain fields so that they cannot contradict each other.
const PLAIN: u32 = Field::Year.bit()
    | Field::Month.bit()
    | Field::DayOfMonth.bit()
    | Field::Hour.bit()
    | Field::Minute.bit()
    | Field::Second.bit()
    | Field::MilliOfSecond.bit();

/// How many fields a pattern may have.
pub(super) const MOST_FIELDS: usize = 24;

/// Fields in the order of the text, and the zone it names.
#[derive(Clone)]
pub(super) struct Fields {
    list: [(Field, i32); MOST_FIELDS],
    count: usize,
    seen: u32,
    plain: bool,
    /// What of the second's fraction is finer than milliseconds, 0 to 999,999.
    pub(super) nanos: u32,
    /// Milliseconds east of UTC; comes before `zone`.
    pub(super) offset: Option<i64>,
    pub(super) zone: Option<Zone>,
}

impl Fields {
    pub(super) fn new() -> Fields {
        Fields {
            list: [(Field::Era, 0); MOST_FIELDS],
            count: 0,
            seen: 0,
            plain: true,
            nanos: 0,
            offset: None,
            zone: None,
        }
    }

    /// Nothing when there is no room left, which a pattern's compilation has made sure of.
    pub(super) fn save(&mut self, field: Field, value: i32) -> Option<()> {
        *self.list.get_mut(self.count)? = (field, value);
        self.count += 1;
        self.plain &= PLAIN & field.bit() != 0 && self.seen & field.bit() == 0;
        self.seen |= field.bit();
        Some(())
    }

    /// The instant in milliseconds since the epoch, in the zone that the text names, else in `zone`.
    pub(super) fn instant(&self, default_year: i32, zone: &Zone) -> Option<i64> {
        let local = self.local(default_year)?;
        if let Some(offset) = self.offset {
            return local.checked_sub(offset);
        }
        instant(local, self.zone.as_ref().unwrap_or(zone))
    }

    /// The local time in milliseconds, as if it were UTC. Nothing when a field is outside its range.
    pub(super) fn local(&self, default_year: i32) -> Option<i64> {
        let list = self.list.get(..self.count)?;
        if self.plain { plain_local(list, default_year) } else { general_local(list, default_year) }
    }
}

/// The instant of a local time, both in milliseconds; none in a gap.
pub(super) fn instant(local: i64, zone: &Zone) -> Option<i64> {
    let seconds = zone.instant_strict(local.div_euclid(SECOND))?;
    seconds.checked_mul(SECOND)?.checked_add(local.rem_euclid(SECOND))
}

/// The short way, for fields of which each stands alone.
fn plain_local(list: &[(Field, i32)], default_year: i32) -> Option<i64> {
    let (mut year, mut month, mut day) = (None, None, None);
    let mut time = 0;
    for (field, value) in list {
        let value = i64::from(*value);
        let (limit, unit) = match field {
            Field::Year => {
                year = Some(value);
                continue;
            }
            Field::Month => {
                month = Some(value);
                continue;
            }
            Field::DayOfMonth => {
                day = Some(value);
                continue;
            }
            Field::Hour => (24, HOUR),
            Field::Minute => (60, MINUTE),
            Field::Second => (60, SECOND),
            _ => (1000, 1),
        };
        if !(0..limit).contains(&value) {
            return None;
        }
        time += value * unit;
    }
    let open = if month.is_some() || day.is_some() { i64::from(default_year) } else { 1970 };
    let year = year.unwrap_or(open);
    let month = u8::try_from(month.unwrap_or(1)).ok().filter(|month| (1..=12).contains(month))?;
    let days = civil::days_in_month(year, month);
    let day = u8::try_from(day.unwrap_or(1)).ok().filter(|day| (1..=days).contains(day))?;
    if !(MIN_YEAR..=MAX_YEAR).contains(&year) {
        return None;
    }
    Some(Date { year, month, day }.epoch_days() * DAY + time)
}

/// Joda-Time's way: sets the fields from the longest unit to the shortest, each time falling back to the unit's
/// beginning, and then all of them once more, so that a week day moves the date within its week and
/// contradictions end as they do there.
fn general_local(list: &[(Field, i32)], default_year: i32) -> Option<i64> {
    let mut sorted = [(Field::Era, 0); MOST_FIELDS + 1];
    let mut count = list.len();
    sorted.get_mut(..count)?.copy_from_slice(list);
    sorted.get_mut(..count)?.sort_by_key(|(field, _)| field.rank());
    if count > 0 && sorted[0].0.needs_year() {
        sorted.copy_within(..count, 1);
        sorted[0] = (Field::Year, default_year);
        count += 1;
    }
    let sorted = sorted.get(..count)?;
    let mut local = Local(0);
    for (field, value) in sorted {
        local.set(*field, i64::from(*value))?;
        local.floor(*field);
    }
    for (field, value) in sorted {
        local.set(*field, i64::from(*value))?;
    }
    if let Some((last, _)) = sorted.last() {
        local.floor(*last);
    }
    Some(local.0)
}

/// A local time in milliseconds, of which single fields can be set.
struct Local(i64);

impl Local {
    fn date(&self) -> Date {
        Date::from_epoch_days(self.days())
    }

    fn days(&self) -> i64 {
        self.0.div_euclid(DAY)
    }

    /// Goes to another day and keeps the time of day.
    fn go_to(&mut self, days: i64) -> Option<()> {
        self.0 = days.checked_mul(DAY)?.checked_add(self.0.rem_euclid(DAY))?;
        Some(())
    }

    fn set(&mut self, field: Field, value: i64) -> Option<()> {
        let date = self.date();
        match field {
            Field::Era => match value {
                0 | 1 if value == i64::from(date.year > 0) => Some(()),
                0 | 1 => self.set_year(-date.year),
                _ => None,
            },
            Field::Century => {
                let year = within(value, 0, MAX_YEAR / 100)? * 100 + date.year.abs() % 100;
                self.set_year(if date.year < 0 { -year } else { year })
            }
            Field::Year => self.set_year(value),
            Field::YearOfEra => {
                let year = within(value, 1, MAX_YEAR)?;
                self.set_year(if date.year <= 0 { 1 - year } else { year })
            }
            Field::WeekYear => self.set_week_year(within(value, MIN_YEAR, MAX_YEAR)?),
            Field::Month => {
                let month = within(value, 1, 12)? as u8;
                let day = date.day.min(civil::days_in_month(date.year, month));
                self.go_to(Date { month, day, ..date }.epoch_days())
            }
            Field::Week => {
                let (year, week) = civil::iso_week(self.days());
                let value = within(value, 1, civil::iso_weeks_in_year(year))?;
                self.go_to(self.days() + (value - week) * 7)
            }
            Field::DayOfYear => {
                let value = within(value, 1, if civil::is_leap(date.year) { 366 } else { 365 })?;
                self.go_to(self.days() + value - date.day_of_year())
            }
            Field::DayOfMonth => {
                let value = within(value, 1, i64::from(civil::days_in_month(date.year, date.month)))?;
                self.go_to(self.days() + value - i64::from(date.day))
            }
            Field::DayOfWeek => {
                let value = within(value, 1, 7)?;
                self.go_to(self.days() + value - i64::from(civil::weekday(self.days())))
            }
            _ => self.set_time(field, value),
        }
    }

    fn set_time(&mut self, field: Field, value: i64) -> Option<()> {
        // How many of the unit there are in the longer one, and the unit; clock hours begin with the longer
        // unit's last.
        let (count, unit) = match field {
            Field::Halfday => (2, HALFDAY),
            Field::Hour | Field::ClockHour => (24, HOUR),
            Field::HourOfHalfday | Field::ClockHourOfHalfday => (12, HOUR),
            Field::Minute => (60, MINUTE),
            Field::Second => (60, SECOND),
            Field::MilliOfHour => (HOUR, 1),
            Field::MilliOfMinute => (MINUTE, 1),
            _ => (SECOND, 1),
        };
        let value = match field {
            Field::ClockHour | Field::ClockHourOfHalfday => within(value, 1, count)? % count,
            _ => within(value, 0, count - 1)?,
        };
        let now = self.0.div_euclid(unit).rem_euclid(count);
        self.0 = self.0.checked_add((value - now) * unit)?;
        Some(())
    }

    /// Keeps the day of the year, and after February that of the month.
    fn set_year(&mut self, year: i64) -> Option<()> {
        let year = within(year, MIN_YEAR, MAX_YEAR)?;
        let date = self.date();
        let day = date.day.min(civil::days_in_month(year, date.month));
        self.go_to(Date { year, day, ..date }.epoch_days())
    }

    /// Keeps the week and the day of the week.
    fn set_week_year(&mut self, year: i64) -> Option<()> {
        let (_, week) = civil::iso_week(self.days());
        let week = week.min(civil::iso_weeks_in_year(year));
        let weekday = i64::from(civil::weekday(self.days()));
        self.go_to(week_start(year, week) + weekday - 1)
    }

    /// Goes back to the beginning of the field's unit.
    fn floor(&mut self, field: Field) {
        let date = self.date();
        let unit = match field {
            // Before the year 1 there is no beginning.
            Field::Era if date.year <= 0 => {
                self.0 = i64::MIN;
                return;
            }
            Field::Era => return self.begin(Date { year: 1, month: 1, day: 1 }.epoch_days()),
            Field::Century => {
                return self.begin(Date { year: date.year / 100 * 100, month: 1, day: 1 }.epoch_days());
            }
            Field::Year | Field::YearOfEra => {
                return self.begin(Date { month: 1, day: 1, ..date }.epoch_days());
            }
            Field::WeekYear => return self.begin(week_start(civil::iso_week(self.days()).0, 1)),
            Field::Month => return self.begin(Date { day: 1, ..date }.epoch_days()),
            Field::Week => return self.begin(self.days() - i64::from(civil::weekday(self.days())) + 1),
            Field::DayOfYear | Field::DayOfMonth | Field::DayOfWeek => DAY,
            Field::Halfday => HALFDAY,
            Field::Hour | Field::ClockHour | Field::HourOfHalfday | Field::ClockHourOfHalfday => HOUR,
            Field::Minute => MINUTE,
            Field::Second => SECOND,
            Field::MilliOfHour | Field::MilliOfMinute | Field::MilliOfSecond => 1,
        };
        self.0 = self.0.saturating_sub(self.0.rem_euclid(unit));
    }

    fn begin(&mut self, days: i64) {
        self.0 = days.saturating_mul(DAY);
    }
}

fn within(value: i64, least: i64, most: i64) -> Option<i64> {
    (least..=most).contains(&value).then_some(value)
}

/// The Monday of an ISO week, in days since the epoch.
fn week_start(year: i64, week: i64) -> i64 {
    // 4 January is always in the first week.
    let fourth = Date { year, month: 1, day: 4 }.epoch_days();
    fourth - i64::from(civil::weekday(fourth)) + 1 + (week - 1) * 7
}
