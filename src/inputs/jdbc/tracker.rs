//! `sql_last_value` and the file that keeps it, in the YAML that Logstash writes (`value_tracking.rb`).

use std::io;
use std::path::{Path, PathBuf};

use crate::event::{Big, Timestamp, Value};
use crate::sql::Clock;

/// What `sql_last_value` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    /// A time that is kept as Ruby's `Time`.
    Time,
    /// A time that is kept as Ruby's `DateTime`.
    DateTime,
}

/// The value and its file.
#[derive(Debug)]
pub(super) struct Tracker {
    kind: Kind,
    value: Value,
    path: Option<PathBuf>,
}

impl Tracker {
    /// Reads the file. One that does not fit the kind is removed, as one that must be forgotten is.
    ///
    /// # Errors
    /// The file is there and cannot be read or removed.
    pub fn open(kind: Kind, path: Option<PathBuf>, forget: bool) -> io::Result<Self> {
        let mut value = None;
        if let Some(path) = &path {
            let text = match std::fs::read_to_string(path) {
                Ok(text) => Some(text),
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(error),
            };
            value = text.as_deref().filter(|_| !forget).and_then(parse).filter(|value| kind.fits(value));
            if text.is_some() && value.is_none() {
                std::fs::remove_file(path)?;
            }
        }
        Ok(Tracker { kind, value: value.unwrap_or_else(|| kind.beginning()), path })
    }

    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Takes another value; returns whether it could be one.
    pub fn set(&mut self, value: Value) -> bool {
        let value = match (self.kind, &value) {
            (Kind::Time | Kind::DateTime, Value::Str(text)) => {
                Clock::utc().read_timestamp(text).or_else(|| Timestamp::parse(text)).map(Value::Timestamp)
            }
            _ => Some(value),
        };
        match value.filter(|value| self.kind.fits(value)) {
            Some(value) => {
                self.value = value;
                true
            }
            None => false,
        }
    }

    /// Writes the file, another one first that then takes its place.
    ///
    /// # Errors
    /// The directory cannot be written to.
    pub fn write(&self) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            std::fs::create_dir_all(parent)?;
        }
        let mut unfinished = path.clone().into_os_string();
        unfinished.push(".tmp");
        std::fs::write(&unfinished, dump(self.kind, &self.value))?;
        std::fs::rename(&unfinished, path)
    }
}

impl Kind {
    fn fits(self, value: &Value) -> bool {
        match self {
            Kind::Number => matches!(value, Value::Int(_) | Value::Float(_) | Value::Big(_)),
            Kind::Time | Kind::DateTime => matches!(value, Value::Timestamp(_)),
        }
    }

    fn beginning(self) -> Value {
        match self {
            Kind::Number => Value::Int(0),
            Kind::Time | Kind::DateTime => Value::Timestamp(Timestamp::EPOCH),
        }
    }
}

/// Takes the file of old Logstash versions over to the place where it is now.
pub(super) fn move_old_file(home: &Path, path: &Path) -> io::Result<()> {
    let old = home.join(".logstash_jdbc_last_run");
    if !old.exists() || path.exists() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    std::fs::copy(&old, path)?;
    std::fs::remove_file(&old)
}

fn dump(kind: Kind, value: &Value) -> String {
    let text = match value {
        Value::Timestamp(time) => match Clock::utc().shows(*time) {
            Some((shown, _)) => format!("{}.{:09} Z", shown.strftime("%Y-%m-%d %H:%M:%S"), time.nanos()),
            None => time.to_string(),
        },
        Value::Big(big) => match &**big {
            Big::Integer(number) => number.to_string(),
            // Ruby's `BigDecimal#_dump`: the digits to make room for, and the number.
            Big::Decimal(number) => {
                let (digits, scale) = number.as_bigint_and_exponent();
                let digits = digits.to_string();
                let (sign, digits) = digits.strip_prefix('-').map_or(("", &*digits), |digits| ("-", digits));
                let room = digits.len().div_ceil(9).max(1) * 9;
                let exponent = i64::try_from(digits.len()).unwrap_or_default() - scale;
                return format!("--- !ruby/object:BigDecimal {room}:{sign}0.{digits}e{exponent}\n");
            }
        },
        other => crate::event::text::ruby_to_s(other),
    };
    match kind {
        Kind::DateTime => format!("--- !ruby/object:DateTime '{text}'\n"),
        _ => format!("--- {text}\n"),
    }
}

/// The one scalar of such a file.
fn parse(text: &str) -> Option<Value> {
    let line = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#'))?;
    let mut scalar = line.strip_prefix("---").unwrap_or(line).trim();
    let mut is_decimal = false;
    if let Some(tagged) = scalar.strip_prefix('!') {
        let (tag, rest) = tagged.split_once(' ')?;
        is_decimal = tag == "ruby/object:BigDecimal";
        scalar = rest.trim();
    }
    let quotes = ['\'', '"'];
    let bare = scalar.trim_matches(quotes);
    if is_decimal {
        let number = bare.split_once(':').map_or(bare, |(_, number)| number).parse().ok()?;
        return Some(Value::Big(Box::new(Big::Decimal(number))));
    }
    if let Ok(number) = bare.parse::<num_bigint::BigInt>() {
        return Some(Value::from_big_integer(number));
    }
    // `2024-01-31 10:20:30.123456789 +01:00`: the zone stands apart.
    let joined = match bare.rsplit_once(' ') {
        Some((time, zone)) if zone.starts_with(['Z', '+', '-']) => format!("{time}{zone}"),
        _ => bare.to_owned(),
    };
    match Clock::utc().read_timestamp(&joined) {
        Some(time) => Some(Value::Timestamp(time)),
        None => bare.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Float),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        crate::event::text::ruby_to_s(&parse(text).unwrap())
    }

    /// Files as Ruby's Psych writes them.
    #[test]
    fn files_of_logstash_are_read() {
        assert_eq!(parse("--- 42\n"), Some(Value::Int(42)));
        assert_eq!(parse("--- 42\n...\n"), Some(Value::Int(42)));
        assert_eq!(parse("--- 1.5\n"), Some(Value::Float(1.5)));
        assert_eq!(shown("--- 2024-01-31 10:20:30.123456789 Z\n"), "2024-01-31T10:20:30.123456789Z");
        assert_eq!(shown("--- 2024-01-31 10:20:30.500000000 +01:00\n"), "2024-01-31T09:20:30.500Z");
        assert_eq!(
            shown("--- !ruby/object:DateTime '2018-05-17 03:32:00.000000000 Z'\n"),
            "2018-05-17T03:32:00.000Z"
        );
        let decimal = parse("--- !ruby/object:BigDecimal 18:0.42e2\n");
        assert!(matches!(decimal, Some(Value::Big(big)) if *big == Big::Decimal("42".parse().unwrap())));
        assert_eq!(parse("--- hello\n"), None);
    }

    #[test]
    fn values_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        let time = Value::Timestamp(Timestamp::parse("2024-01-31T10:20:30.25Z").unwrap());
        let decimal = Value::Big(Box::new(Big::Decimal("-12.50".parse().unwrap())));
        for (kind, value, text) in [
            (Kind::Number, Value::Int(7), "--- 7\n"),
            (Kind::Number, decimal, "--- !ruby/object:BigDecimal 9:-0.1250e2\n"),
            (Kind::Time, time.clone(), "--- 2024-01-31 10:20:30.250000000 Z\n"),
            (Kind::DateTime, time, "--- !ruby/object:DateTime '2024-01-31 10:20:30.250000000 Z'\n"),
        ] {
            let mut tracker = Tracker::open(kind, Some(path.clone()), true).unwrap();
            assert_eq!(*tracker.value(), kind.beginning());
            assert!(tracker.set(value.clone()));
            tracker.write().unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
            assert_eq!(*Tracker::open(kind, Some(path.clone()), false).unwrap().value(), value);
        }
        // What is of another kind is forgotten.
        assert_eq!(*Tracker::open(Kind::Number, Some(path.clone()), false).unwrap().value(), Value::Int(0));
        assert!(!path.exists());
    }
}
