//! Reads the text of a setting as the type its row declares.
//!
//! The accepted spellings follow Logstash's `org.logstash.settings` classes and `org.logstash.util.TimeValue`.
use super::table::Kind;
use std::time::Duration;

/// A setting's value before it is read as its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Raw {
    /// From the command line, or quoted in YAML.
    Text(String),
    /// Unquoted in YAML, where `yes` means true and `1_000` a thousand.
    Plain(String),
    List(Vec<String>),
    Null,
}

/// A setting's value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Bool(bool),
    /// Also paths, choices, sizes and whatever else is only checked here.
    Text(String),
    Integer(usize),
    Number(f64),
    Time(Duration),
    List(Vec<String>),
    Null,
}

/// Why a text is not a value of its type. A password is never refused, so none of these repeats one.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Mismatch {
    #[error("`{0}` is not true or false")]
    Bool(String),
    #[error("`{0}` is not a whole number above 0")]
    PositiveInteger(String),
    #[error("`{0}` is not a number")]
    Number(String),
    #[error("`{0}` is not a duration such as 3s or 500ms")]
    Time(String),
    #[error("`{0}` is not a size such as 64mb")]
    Bytes(String),
    #[error("`{0}` is not a port or a range of ports such as 9600-9700")]
    Port(String),
    #[error("`{given}` is not one of {}", options.join(", "))]
    Choice { given: String, options: &'static [&'static str] },
    #[error("a path cannot be empty")]
    EmptyPath,
    #[error("a list stands where one value is wanted")]
    List,
    #[error("a value is missing")]
    Null,
}

/// Reads `raw` as `kind`; only a `nullable` setting takes null.
pub fn read(kind: Kind, nullable: bool, raw: &Raw) -> Result<Value, Mismatch> {
    let (text, plain) = match raw {
        Raw::Null if nullable => return Ok(Value::Null),
        Raw::Null => return Err(Mismatch::Null),
        Raw::List(items) if kind == Kind::List => return Ok(Value::List(items.clone())),
        Raw::List(_) => return Err(Mismatch::List),
        Raw::Text(text) => (text.as_str(), false),
        Raw::Plain(text) => (text.as_str(), true),
    };
    let owned = || text.to_owned();
    match kind {
        Kind::Bool => boolean(text, plain).map(Value::Bool).ok_or_else(|| Mismatch::Bool(owned())),
        Kind::Text | Kind::Password => Ok(Value::Text(owned())),
        Kind::Path if text.is_empty() => Err(Mismatch::EmptyPath),
        Kind::Path => Ok(Value::Text(owned())),
        Kind::List => Ok(Value::List(vec![owned()])),
        Kind::Choice(options) => choice(text, plain, options)
            .map(Value::Text)
            .ok_or_else(|| Mismatch::Choice { given: owned(), options }),
        Kind::PositiveInteger => {
            positive(text, plain).map(Value::Integer).ok_or_else(|| Mismatch::PositiveInteger(owned()))
        }
        Kind::Number => number(text, plain).map(Value::Number).ok_or_else(|| Mismatch::Number(owned())),
        Kind::Time => time(text).ok_or_else(|| Mismatch::Time(owned())),
        Kind::Bytes => {
            if is_size(text) {
                Ok(Value::Text(owned()))
            } else {
                Err(Mismatch::Bytes(owned()))
            }
        }
        Kind::PortRange => {
            if is_port_range(text) {
                Ok(Value::Text(owned()))
            } else {
                Err(Mismatch::Port(owned()))
            }
        }
    }
}

/// `plain` adds the words that YAML 1.1, and so Ruby, reads as booleans.
fn boolean(text: &str, plain: bool) -> Option<bool> {
    let word = if plain { text.to_ascii_lowercase() } else { text.to_owned() };
    match word.as_str() {
        "true" => Some(true),
        "false" => Some(false),
        "yes" | "on" if plain => Some(true),
        "no" | "off" if plain => Some(false),
        _ => None,
    }
}

fn choice(text: &str, plain: bool, options: &[&str]) -> Option<String> {
    if options.contains(&text) {
        return Some(text.to_owned());
    }
    let word = boolean(text, plain)?.to_string();
    options.contains(&word.as_str()).then_some(word)
}

fn positive(text: &str, plain: bool) -> Option<usize> {
    digits(text, plain).parse().ok().filter(|number| *number > 0)
}

fn number(text: &str, plain: bool) -> Option<f64> {
    digits(text, plain).parse().ok().filter(|number: &f64| number.is_finite())
}

fn digits(text: &str, plain: bool) -> String {
    if plain { text.replace('_', "") } else { text.trim().to_owned() }
}

/// Nanoseconds when there is no unit. A time below zero turns off what it times, and reads as null.
fn time(text: &str) -> Option<Value> {
    let text = text.trim();
    let (amount, unit) = split_unit(text.strip_prefix('-').unwrap_or(text))?;
    let nanoseconds_per_unit: u64 = match unit.as_str() {
        "" | "nanos" => 1,
        "micros" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60 * 1_000_000_000,
        "h" => 3_600 * 1_000_000_000,
        "d" => 86_400 * 1_000_000_000,
        _ => return None,
    };
    if text.starts_with('-') {
        return Some(Value::Null);
    }
    amount.checked_mul(nanoseconds_per_unit).map(Duration::from_nanos).map(Value::Time)
}

fn is_size(text: &str) -> bool {
    const UNITS: &[&str] = &["", "b", "k", "kb", "m", "mb", "g", "gb", "t", "tb", "p", "pb"];
    split_unit(text.trim()).is_some_and(|(_, unit)| UNITS.contains(&unit.as_str()))
}

fn is_port_range(text: &str) -> bool {
    let port = |text: &str| text.trim().parse::<u16>().ok().filter(|port| *port > 0);
    match text.split_once('-') {
        None => port(text).is_some(),
        Some((first, last)) => {
            matches!((port(first), port(last)), (Some(first), Some(last)) if first <= last)
        }
    }
}

/// `12 mb` as 12 and `mb`.
fn split_unit(text: &str) -> Option<(u64, String)> {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (amount, unit) = text.split_at(end);
    Some((amount.parse().ok()?, unit.trim_start().to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(kind: Kind, text: &str) -> Result<Value, Mismatch> {
        read(kind, false, &Raw::Text(text.to_owned()))
    }

    fn plain(kind: Kind, text: &str) -> Result<Value, Mismatch> {
        read(kind, false, &Raw::Plain(text.to_owned()))
    }

    #[test]
    fn booleans_are_true_and_false_and_more_only_in_yaml() {
        assert_eq!(text(Kind::Bool, "true"), Ok(Value::Bool(true)));
        assert_eq!(text(Kind::Bool, "yes"), Err(Mismatch::Bool("yes".into())));
        assert_eq!(text(Kind::Bool, "TRUE"), Err(Mismatch::Bool("TRUE".into())));
        assert_eq!(plain(Kind::Bool, "Yes"), Ok(Value::Bool(true)));
        assert_eq!(plain(Kind::Bool, "off"), Ok(Value::Bool(false)));
        assert_eq!(plain(Kind::Choice(&["auto", "true"]), "on"), Ok(Value::Text("true".into())));
    }

    #[test]
    fn whole_numbers_start_at_one() {
        assert_eq!(text(Kind::PositiveInteger, " 4 "), Ok(Value::Integer(4)));
        assert_eq!(plain(Kind::PositiveInteger, "1_000"), Ok(Value::Integer(1000)));
        for wrong in ["0", "-1", "1.5", "four", ""] {
            assert_eq!(text(Kind::PositiveInteger, wrong), Err(Mismatch::PositiveInteger(wrong.into())));
        }
    }

    #[test]
    fn durations_have_units_or_count_nanoseconds() {
        assert_eq!(text(Kind::Time, "3s"), Ok(Value::Time(Duration::from_secs(3))));
        assert_eq!(text(Kind::Time, "2 d"), Ok(Value::Time(Duration::from_secs(172_800))));
        assert_eq!(text(Kind::Time, "500ms"), Ok(Value::Time(Duration::from_millis(500))));
        assert_eq!(text(Kind::Time, "7"), Ok(Value::Time(Duration::from_nanos(7))));
        assert_eq!(text(Kind::Time, "-1"), Ok(Value::Null));
        assert_eq!(text(Kind::Time, "3 weeks"), Err(Mismatch::Time("3 weeks".into())));
    }

    #[test]
    fn sizes_and_ports_are_checked() {
        assert!(text(Kind::Bytes, "64mb").is_ok() && text(Kind::Bytes, "10").is_ok());
        assert!(text(Kind::Bytes, "64 apples").is_err() && text(Kind::Bytes, "mb").is_err());
        assert!(text(Kind::PortRange, "9600").is_ok() && text(Kind::PortRange, "9600-9700").is_ok());
        for wrong in ["0", "9700-9600", "65536", "http"] {
            assert!(text(Kind::PortRange, wrong).is_err(), "{wrong} passed");
        }
    }

    #[test]
    fn only_nullable_settings_take_null() {
        assert_eq!(read(Kind::Text, true, &Raw::Null), Ok(Value::Null));
        assert_eq!(read(Kind::Bool, false, &Raw::Null), Err(Mismatch::Null));
        assert_eq!(read(Kind::Bool, false, &Raw::List(vec![])), Err(Mismatch::List));
    }
}
