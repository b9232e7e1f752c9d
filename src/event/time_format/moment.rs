//! An instant in UTC taken apart into the fields that formats print.
use super::civil::{self, DAY_SECONDS, Date};
use crate::event::timestamp::Timestamp;

/// A number a format can print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// Year 0 is the year before year 1.
    Year,
    /// Counts from 1 in both eras.
    YearOfEra,
    /// 0 before the year 1, then 1.
    Era,
    /// Hundreds of the year, without sign.
    Century,
    Quarter,
    Month,
    DayOfMonth,
    DayOfYear,
    /// Monday 1 to Sunday 7.
    DayOfWeek,
    /// Days from the 1st, 8th, 15th, ... of the month are week 1, 2, 3, ...
    AlignedWeekOfMonth,
    ModifiedJulianDay,
    /// Weeks from Monday; the first one has a year's first Thursday.
    IsoWeek,
    IsoWeekYear,
    /// Sunday 1 to Saturday 7.
    UsDayOfWeek,
    /// Weeks from Sunday; the first one has the year's first day.
    UsWeek,
    UsWeekYear,
    UsWeekOfMonth,
    /// 0 before noon, then 1.
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
    Nano,
    MilliOfDay,
    NanoOfDay,
}

/// A timestamp with its calendar day.
pub(super) struct Moment {
    pub(super) timestamp: Timestamp,
    days: i64,
    second_of_day: i64,
    date: Date,
}

impl Moment {
    pub(super) fn new(timestamp: Timestamp) -> Moment {
        let days = timestamp.epoch_seconds().div_euclid(DAY_SECONDS);
        let second_of_day = timestamp.epoch_seconds().rem_euclid(DAY_SECONDS);
        Moment { timestamp, days, second_of_day, date: Date::from_epoch_days(days) }
    }

    pub(super) fn get(&self, field: Field) -> i64 {
        let year = self.date.year;
        let day = i64::from(self.date.day);
        let hour = self.second_of_day / 3600;
        let nanos = i64::from(self.timestamp.nanos());
        match field {
            Field::Year => year,
            Field::YearOfEra => {
                if year > 0 {
                    year
                } else {
                    1 - year
                }
            }
            Field::Era => i64::from(year > 0),
            Field::Century => year.abs() / 100,
            Field::Quarter => i64::from(self.date.month - 1) / 3 + 1,
            Field::Month => i64::from(self.date.month),
            Field::DayOfMonth => day,
            Field::DayOfYear => self.date.day_of_year(),
            Field::DayOfWeek => i64::from(civil::weekday(self.days)),
            Field::AlignedWeekOfMonth => (day - 1) / 7 + 1,
            Field::ModifiedJulianDay => self.days + 40_587,
            Field::IsoWeek => civil::iso_week(self.days).1,
            Field::IsoWeekYear => civil::iso_week(self.days).0,
            Field::UsDayOfWeek => self.us_weekday() + 1,
            Field::UsWeek => self.us_week().1,
            Field::UsWeekYear => self.us_week().0,
            Field::UsWeekOfMonth => (day - 1 + us_weekday(self.days - day + 1)) / 7 + 1,
            Field::Halfday => hour / 12,
            Field::Hour => hour,
            Field::ClockHour => {
                if hour == 0 {
                    24
                } else {
                    hour
                }
            }
            Field::HourOfHalfday => hour % 12,
            Field::ClockHourOfHalfday => (hour + 11) % 12 + 1,
            Field::Minute => self.second_of_day / 60 % 60,
            Field::Second => self.second_of_day % 60,
            Field::Nano => nanos,
            Field::MilliOfDay => self.second_of_day * 1000 + nanos / 1_000_000,
            Field::NanoOfDay => self.second_of_day * 1_000_000_000 + nanos,
        }
    }

    fn us_weekday(&self) -> i64 {
        us_weekday(self.days)
    }

    fn us_week(&self) -> (i64, i64) {
        let new_year = |year| Date { year, month: 1, day: 1 }.epoch_days();
        let year = self.date.year;
        // The week that holds the next 1 January already counts as its first one.
        let next = new_year(year + 1);
        if self.days >= next - us_weekday(next) {
            return (year + 1, 1);
        }
        let first = new_year(year);
        (year, (self.days - first + us_weekday(first)) / 7 + 1)
    }
}

/// Sunday 0 to Saturday 6.
fn us_weekday(days: i64) -> i64 {
    i64::from(civil::weekday(days) % 7)
}
