//! Filter `syslog_pri`: splits the priority of a syslog message into facility and severity (logstash-filter-syslog_pri).

use num_bigint::BigInt;

use crate::event::numbers::float_to_integer;
use crate::event::{Big, Event, FieldReference, SetError, Value, text};
use crate::plugin::{Build, Emit, Example, Filter, Kind, OptionReader, Outcome, Spec, options};

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "syslog_pri",
    summary: "Splits the priority of a syslog message into facility and severity.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter { syslog_pri { syslog_pri_field_name => "pri" } }"#,
        input: &[r#"{"pri":"34"}"#],
        output: &[
            r#"{"pri":"34","log":{"syslog":{"severity":{"code":2,"name":"critical"},"facility":{"code":4,"name":"security/authorization"}}}}"#,
        ],
    },
    build: Build::Filter(|reader| Some(Box::new(SyslogPri::build(reader)?))),
};

/// The tag of an event whose facility has no label.
const FAILURE_TAG: &str = "_syslogpriparsefailure";
/// The priority of a message that names none: facility user-level, severity notice (RFC 3164, 4.3.3).
const DEFAULT_PRIORITY: i64 = 13;
/// The most zeros that an exponent may stand for.
const MAX_DIGITS: i64 = 10_000;

options! {
    #[derive(Debug)]
    struct Options {
        /// Add names beside the numbers.
        use_labels: bool = true,
        /// Field that holds the priority: `[log][syslog][priority]`, or `syslog_pri` without ECS.
        syslog_pri_field_name: Option<FieldReference>,
        /// Names of the facilities, from 0 on.
        facility_labels: Vec<String> = ["kernel", "user-level", "mail", "daemon", "security/authorization", "syslogd",
            "line printer", "network news", "uucp", "clock", "security/authorization", "ftp", "ntp", "log audit",
            "log alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"],
        /// Names of the severities, from 0 on.
        severity_labels: Vec<String> = ["emergency", "alert", "critical", "error", "warning", "notice",
            "informational", "debug"],
    }
}

/// The filter, with its fields chosen.
#[derive(Debug)]
struct SyslogPri {
    priority: FieldReference,
    facility: Part,
    severity: Part,
    use_labels: bool,
}

/// One half of the priority: where its number and its name go, and the names there are.
#[derive(Debug)]
struct Part {
    code: FieldReference,
    name: FieldReference,
    labels: Vec<String>,
}

/// A priority of a kind that stands for no number.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("a {0} is no priority")]
    Kind(&'static str),
    #[error("the number has too many digits")]
    TooLarge,
    #[error(transparent)]
    Set(#[from] SetError),
}

impl SyslogPri {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let options = Options::read(reader)?;
        let ecs = reader.ecs();
        // The names are literals that parse.
        let field = |legacy: &str, name: &str| FieldReference::parse(ecs.select(legacy, name)).ok();
        let priority = match options.syslog_pri_field_name {
            Some(given) => given,
            None => field("syslog_pri", "[log][syslog][priority]")?,
        };
        Some(SyslogPri {
            priority,
            facility: Part {
                code: field("syslog_facility_code", "[log][syslog][facility][code]")?,
                name: field("syslog_facility", "[log][syslog][facility][name]")?,
                labels: options.facility_labels,
            },
            severity: Part {
                code: field("syslog_severity_code", "[log][syslog][severity][code]")?,
                name: field("syslog_severity", "[log][syslog][severity][name]")?,
                labels: options.severity_labels,
            },
            use_labels: options.use_labels,
        })
    }

    fn run(&self, event: &mut Event) -> Result<(), Failure> {
        let (facility, severity) = match priority(event.get(&self.priority))? {
            Value::Big(big) => match *big {
                Big::Integer(number) => beyond(&number),
                Big::Decimal(_) => (Value::Null, 0),
            },
            Value::Int(number) => (Value::Int(number >> 3), number & 7),
            _ => (Value::Null, 0),
        };
        event.assign(&self.severity.code, severity)?;
        event.assign(&self.facility.code, facility.clone())?;
        if !self.use_labels {
            return Ok(());
        }
        let Some(label) = self.facility.label(&facility) else {
            event.tag(FAILURE_TAG);
            return Ok(());
        };
        if let Some(label) = label {
            event.assign(&self.facility.name, label)?;
        }
        if let Some(Some(label)) = self.severity.label(&Value::Int(severity)) {
            event.assign(&self.severity.name, label)?;
        }
        Ok(())
    }
}

impl Part {
    /// The name of a code: `None` beyond the last one, `Some(None)` before the first. Negative codes count from the
    /// end, as indices of Ruby's arrays do.
    fn label(&self, code: &Value) -> Option<Option<&str>> {
        let count = i64::try_from(self.labels.len()).unwrap_or(i64::MAX);
        match code {
            Value::Int(code) if *code >= count => None,
            Value::Int(code) => {
                let index = if *code < 0 { code.saturating_add(count) } else { *code };
                let label = usize::try_from(index).ok().and_then(|index| self.labels.get(index));
                Some(label.map(String::as_str))
            }
            Value::Big(big) => match &**big {
                Big::Integer(number) if number.sign() == num_bigint::Sign::Minus => Some(None),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Facility and severity of a priority beyond 64 bits.
fn beyond(number: &BigInt) -> (Value, i64) {
    let severity = i64::try_from(number & BigInt::from(7)).unwrap_or(0);
    (Value::from_big_integer(number >> 3), severity)
}

/// The number that a field's value stands for (Ruby's `to_i`). Of an array the first element counts; a missing
/// field, null and false mean the default.
fn priority(value: Option<&Value>) -> Result<Value, Failure> {
    match value {
        None | Some(Value::Null | Value::Bool(false)) => Ok(Value::Int(DEFAULT_PRIORITY)),
        Some(Value::Array(items)) => match items.first() {
            None | Some(Value::Null) => Ok(Value::Int(0)),
            Some(first) => to_i(first),
        },
        Some(value) => to_i(value),
    }
}

fn to_i(value: &Value) -> Result<Value, Failure> {
    match value {
        Value::Int(_) => Ok(value.clone()),
        Value::Float(number) if number.is_finite() => {
            Ok(float_to_integer(number.trunc()).map_or(Value::Int(0), Value::from_big_integer))
        }
        Value::Big(big) => match &**big {
            Big::Integer(_) => Ok(value.clone()),
            // A large exponent would become as many digits.
            Big::Decimal(number) if number.fractional_digit_count() < -MAX_DIGITS => Err(Failure::TooLarge),
            Big::Decimal(number) => {
                Ok(Value::from_big_integer(number.with_scale(0).into_bigint_and_scale().0))
            }
        },
        Value::Str(text) => Ok(text_to_i(text)),
        Value::Timestamp(time) => Ok(Value::Int(time.epoch_seconds())),
        other => Err(Failure::Kind(other.kind())),
    }
}

/// The integer that a text begins with, 0 without one (Ruby's `String#to_i`).
fn text_to_i(text: &str) -> Value {
    let text = text.trim_start_matches([' ', '\t', '\n', '\u{0B}', '\u{0C}', '\r']);
    let (sign, digits) = match text.as_bytes().first() {
        Some(b'-') => ("-", text.get(1..).unwrap_or_default()),
        Some(b'+') => ("", text.get(1..).unwrap_or_default()),
        _ => ("", text),
    };
    let mut number = String::from(sign);
    let mut last = '_';
    for character in digits.chars() {
        match character {
            '0'..='9' => number.push(character),
            // One between digits separates them.
            '_' if last != '_' => {}
            _ => break,
        }
        last = character;
    }
    if number.len() <= 18 {
        return Value::Int(number.parse().unwrap_or(0));
    }
    number.parse().map_or(Value::Int(0), Value::from_big_integer)
}

impl Filter for SyslogPri {
    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        match self.run(event) {
            Ok(()) => Outcome::Matched,
            Err(error) => {
                // Logstash stops the pipeline here.
                let value = event.get(&self.priority).map(text::ruby_to_s);
                tracing::warn!(%error, field = %self.priority, value, "could not read a syslog priority");
                event.tag("_syslog_prierror");
                Outcome::Failed
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_ruby_reads_them() {
        for (text, number) in
            [("34", 34), (" -7x", -7), ("+5", 5), ("1_0_", 10), ("1__0", 1), ("_1", 0), ("0x1f", 0), ("", 0)]
        {
            assert_eq!(text_to_i(text), Value::Int(number), "{text}");
        }
        let huge = "123456789012345678901234567890";
        assert_eq!(text::ruby_to_s(&text_to_i(&format!("{huge}.5"))), huge);
    }

    #[test]
    fn the_first_element_of_an_array_counts() {
        let array = |items| Value::Array(items);
        assert_eq!(priority(Some(&array(vec!["34".into(), "1".into()]))).ok(), Some(Value::Int(34)));
        assert_eq!(priority(Some(&array(vec![]))).ok(), Some(Value::Int(0)));
        assert_eq!(priority(Some(&Value::Float(34.9))).ok(), Some(Value::Int(34)));
        assert_eq!(priority(Some(&Value::Bool(false))).ok(), Some(Value::Int(13)));
        assert!(priority(Some(&Value::Bool(true))).is_err());
    }

    #[test]
    fn a_number_beyond_64_bits_is_split_too() {
        // 2^70 + 1
        let number: BigInt = "1180591620717411303425".parse().unwrap();
        let (facility, severity) = beyond(&number);
        assert_eq!((text::ruby_to_s(&facility).as_str(), severity), ("147573952589676412928", 1));
        let part = Part {
            code: FieldReference::top_level("c"),
            name: FieldReference::top_level("n"),
            labels: vec!["only".into()],
        };
        assert_eq!(part.label(&facility), None);
        assert_eq!(part.label(&Value::Int(-1)), Some(Some("only")));
        assert_eq!(part.label(&Value::Int(-2)), Some(None));
    }
}
