//! The proleptic Gregorian calendar over the whole range of a `Timestamp` (jiff's ends at the years -9999 and
//! 9999).

/// Seconds in a day.
pub(crate) const DAY_SECONDS: i64 = 86_400;

/// Days in 400 years, after which the calendar, week days included, repeats.
const CYCLE_DAYS: i64 = 146_097;

/// A day of the calendar. Year 0 is the year before year 1, as in ISO 8601.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Date {
    pub(crate) year: i64,
    /// 1 to 12.
    pub(crate) month: u8,
    /// 1 to 31.
    pub(crate) day: u8,
}

impl Date {
    /// The day that lies `days` after 1970-01-01. Counts years from March, so that the leap day comes last.
    pub(crate) const fn from_epoch_days(days: i64) -> Date {
        let shifted = days + 719_468;
        let cycle = shifted.div_euclid(CYCLE_DAYS);
        let day_of_cycle = shifted.rem_euclid(CYCLE_DAYS);
        let year_of_cycle =
            (day_of_cycle - day_of_cycle / 1_460 + day_of_cycle / 36_524 - day_of_cycle / 146_096) / 365;
        let day_of_year = day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u8;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 } as u8;
        let year = year_of_cycle + cycle * 400 + (month <= 2) as i64;
        Date { year, month, day }
    }

    /// Days from 1970-01-01 to this day. A day beyond its month's length counts on into the next month.
    pub(crate) const fn epoch_days(self) -> i64 {
        let year = self.year - (self.month <= 2) as i64;
        let cycle = year.div_euclid(400);
        let year_of_cycle = year.rem_euclid(400);
        let month_from_march = (self.month as i64 + 9) % 12;
        let day_of_year = (153 * month_from_march + 2) / 5 + self.day as i64 - 1;
        let day_of_cycle = year_of_cycle * 365 + year_of_cycle / 4 - year_of_cycle / 100 + day_of_year;
        cycle * CYCLE_DAYS + day_of_cycle - 719_468
    }

    /// 1 to 366.
    pub(crate) const fn day_of_year(self) -> i64 {
        self.epoch_days() - Date { year: self.year, month: 1, day: 1 }.epoch_days() + 1
    }
}

/// Monday 1 to Sunday 7.
pub(crate) const fn weekday(epoch_days: i64) -> u8 {
    ((epoch_days + 3).rem_euclid(7) + 1) as u8
}

pub(crate) const fn is_leap(year: i64) -> bool {
    year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0)
}

/// 28 to 31; `month` counts from 1.
pub(crate) const fn days_in_month(year: i64, month: u8) -> u8 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The ISO week year and the week in it, 1 to 53, of a day.
pub(crate) const fn iso_week(epoch_days: i64) -> (i64, i64) {
    // A week belongs to the year that its Thursday is in.
    let thursday = epoch_days - weekday(epoch_days) as i64 + 4;
    let date = Date::from_epoch_days(thursday);
    (date.year, (date.day_of_year() - 1) / 7 + 1)
}

/// 52 or 53.
pub(crate) const fn iso_weeks_in_year(year: i64) -> i64 {
    // 28 December is always in the last week.
    iso_week(Date { year, month: 12, day: 28 }.epoch_days()).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_jiff_where_jiff_reaches() {
        let epoch = jiff::civil::date(1970, 1, 1);
        for days in (-4_300_000..2_900_000).step_by(97) {
            let expected = epoch.checked_add(jiff::Span::new().days(days)).expect("inside jiff's range");
            let date = Date::from_epoch_days(days);
            assert_eq!((date.year, date.month), (i64::from(expected.year()), expected.month() as u8));
            assert_eq!(date.day, expected.day() as u8);
            assert_eq!(date.epoch_days(), days);
            assert_eq!(weekday(days), expected.weekday().to_monday_one_offset() as u8);
            let week = expected.iso_week_date();
            assert_eq!(iso_week(days), (i64::from(week.year()), i64::from(week.week())));
            assert_eq!(iso_weeks_in_year(i64::from(week.year())), i64::from(week.weeks_in_year()));
            assert_eq!(date.day_of_year(), i64::from(expected.day_of_year()));
            assert_eq!(days_in_month(date.year, date.month), expected.days_in_month() as u8);
        }
    }

    #[test]
    fn reaches_the_years_java_reaches() {
        // java.time.Instant.MAX is +1000000000-12-31.
        let last = Date { year: 1_000_000_000, month: 12, day: 31 };
        assert_eq!(last.epoch_days(), 31_556_889_864_403_199 / DAY_SECONDS);
        assert_eq!(Date::from_epoch_days(last.epoch_days()), last);
    }
}
