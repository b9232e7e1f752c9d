//! Lengths of time as the file input's options take them: a number, or a number with a unit (`friendly_durations.rb`).

use std::time::Duration;

use crate::plugin::{ConfigValue, Context, FromOption, Problem};

/// A number is in seconds.
pub type Seconds = FriendlyDuration<1>;
/// A number is in days.
pub type Days = FriendlyDuration<86_400>;

/// `90`, `"1.5 h"`, `"2 days"`; a number without a unit counts in `UNIT` seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FriendlyDuration<const UNIT: u32>(pub Duration);

impl<const UNIT: u32> FromOption for FriendlyDuration<UNIT> {
    fn type_name() -> String {
        "duration".into()
    }

    fn from_option(value: &ConfigValue, _: &Context) -> Result<Self, Vec<Problem>> {
        let text = value.as_single().and_then(ConfigValue::scalar_text);
        text.as_deref().and_then(|text| parse(text.trim(), f64::from(UNIT))).map(FriendlyDuration).ok_or_else(
            || {
                let message =
                    format!("expected a duration, got {}", text.unwrap_or(value.describe().to_owned()));
                let problem = Problem::error(value.span, message).label("not a duration");
                vec![problem.help("e.g. 200 usec, 250ms, 60 sec, 18h, 21.5d, 1 day, 2w, 6 weeks")]
            },
        )
    }
}

fn parse(text: &str, default_unit: f64) -> Option<Duration> {
    let unit_at = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    if !number.starts_with(|c: char| c.is_ascii_digit()) || number.ends_with('.') {
        return None;
    }
    let number: f64 = number.parse().ok()?;
    let unit = match unit.strip_prefix([' ', '\t']).unwrap_or(unit) {
        "" => default_unit,
        "us" | "usec" | "usecs" => 1e-6,
        "ms" | "msec" | "msecs" => 1e-3,
        "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
        "h" | "hour" | "hours" => 3600.0,
        "d" | "day" | "days" => 86_400.0,
        "w" | "week" | "weeks" => 604_800.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number * unit).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_units() {
        for (text, seconds) in [
            ("2", 2.0),
            ("0.25", 0.25),
            ("200 usec", 0.0002),
            ("250ms", 0.25),
            ("60 sec", 60.0),
            ("1 hour", 3600.0),
            ("18h", 64_800.0),
            ("21.5d", 1_857_600.0),
            ("2 days", 172_800.0),
            ("6 weeks", 3_628_800.0),
        ] {
            assert_eq!(parse(text, 1.0), Some(Duration::from_secs_f64(seconds)), "{text}");
        }
        assert_eq!(parse("14", 86_400.0), Some(Duration::from_secs(14 * 86_400)));
        for text in ["", "-1", "5 fortnights", "day", "1.", ".5", "1  day", "1e3"] {
            assert_eq!(parse(text, 1.0), None, "{text}");
        }
    }
}
