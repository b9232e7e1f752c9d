//! Filter `date`: reads a date from a field and makes it the event's time (plugins-filters-date, version 3.2).

use std::borrow::Cow;

use crate::event::time_format::{DateParser, DateSource, Locale, Precision, Zone};
use crate::event::{Big, Event, FieldReference, Template, Timestamp, Value};
use crate::plugin::{Build, Emit, Example, Filter, Kind, OptionReader, Outcome, Spec, choices, options};

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "date",
    summary: "Reads dates from a field and uses them as the event's time.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter { date { match => ["time", "dd/MMM/yyyy:HH:mm:ss Z", "UNIX"] remove_field => ["time"] } }"#,
        input: &[
            r#"{"@timestamp":"2024-01-01T00:00:00Z","time":"06/May/2024:07:08:09 +0200"}"#,
            r#"{"@timestamp":"2024-01-01T00:00:00Z","time":1714979289}"#,
            r#"{"@timestamp":"2024-01-01T00:00:00Z","time":"yesterday"}"#,
        ],
        output: &[
            r#"{"@timestamp":"2024-05-06T05:08:09.000Z"}"#,
            r#"{"@timestamp":"2024-05-06T07:08:09.000Z"}"#,
            r#"{"@timestamp":"2024-01-01T00:00:00.000Z","time":"yesterday","tags":["_dateparsefailure"]}"#,
        ],
    },
    build: Build::Filter(|reader| Some(Box::new(Date::build(reader)?))),
};

choices! {
    pub enum PrecisionOption {
        Milliseconds = "ms",
        Nanoseconds = "ns",
    }
}

options! {
    #[derive(Debug)]
    pub struct Options {
        /// Language of month and week day names, such as `de` or `fr-CA`. English where it is not given.
        locale: Option<String>,
        /// The field, then the formats to try one after the other: `ISO8601`, `UNIX` (seconds), `UNIX_MS`,
        /// `TAI64N`, or patterns such as `dd/MMM/yyyy:HH:mm:ss Z`.
        r#match: Vec<String> = [],
        /// `ms` cuts fractions of a second off at milliseconds, and patterns are Joda-Time's. `ns` keeps nine
        /// digits, and patterns are java.time's.
        precision: PrecisionOption = "ms",
        /// Tags added when no format fits.
        tag_on_failure: Vec<String> = ["_dateparsefailure"],
        /// Field that gets the date.
        target: FieldReference = "@timestamp",
        /// Zone of dates that name none: `Europe/Paris`, `+09:00`, or `%{field}`. The machine's where it is not
        /// given.
        timezone: Option<String>,
    }
}

/// The filter, with its formats compiled.
#[derive(Debug)]
pub struct Date {
    source: FieldReference,
    target: FieldReference,
    formats: Vec<DateParser>,
    zone: ZoneOption,
    tag_on_failure: Vec<String>,
}

#[derive(Debug)]
enum ZoneOption {
    Fixed(Zone),
    /// Each event names its zone.
    PerEvent(Template),
}

impl Date {
    fn build(reader: &mut OptionReader<'_>) -> Option<Date> {
        reader.text_only(&["locale", "target", "tag_on_failure"]);
        let options = Options::read(reader)?;
        let [source, formats @ ..] = options.r#match.as_slice() else {
            reader.error("match", "expected a field and at least one format, got nothing");
            return None;
        };
        if formats.is_empty() {
            reader.error("match", format!("expected a field and at least one format, got only \"{source}\""));
            return None;
        }
        let Ok(source) = FieldReference::parse(source) else {
            reader.error("match", format!("\"{source}\" is not a field reference"));
            return None;
        };
        let locale = options.locale.as_deref().map_or_else(Locale::english, Locale::for_tag);
        let precision = match options.precision {
            PrecisionOption::Milliseconds => Precision::Milliseconds,
            PrecisionOption::Nanoseconds => Precision::Nanoseconds,
        };
        let mut parsers = Vec::with_capacity(formats.len());
        for format in formats {
            match DateParser::compile(format, locale, precision) {
                Ok(parser) => parsers.push(parser),
                Err(error) => reader.error("match", error.to_string()),
            }
        }
        let zone = read_zone(options.timezone.as_deref(), &parsers, reader)?;
        (parsers.len() == formats.len()).then_some(Date {
            source,
            target: options.target,
            formats: parsers,
            zone,
            tag_on_failure: options.tag_on_failure,
        })
    }

    /// Nothing when no format fits. A zone that the event names and nobody knows fails the formats that use it.
    fn parse(&self, source: DateSource<'_>, event: &Event) -> Option<Timestamp> {
        let zone = match &self.zone {
            ZoneOption::Fixed(zone) => Some(Cow::Borrowed(zone)),
            ZoneOption::PerEvent(template) => {
                template.render(event).ok().and_then(|id| Zone::for_id(&id).ok()).map(Cow::Owned)
            }
        };
        self.formats.iter().find_map(|format| match &zone {
            Some(zone) => format.parse(source, zone),
            None if format.uses_zone() => None,
            None => format.parse(source, &Zone::UTC),
        })
    }

    fn failed(&self, event: &mut Event) -> Outcome {
        for tag in &self.tag_on_failure {
            event.tag(tag);
        }
        Outcome::Failed
    }
}

/// An unknown zone is a mistake only where a format would use it, as in Logstash.
fn read_zone(
    timezone: Option<&str>,
    formats: &[DateParser],
    reader: &mut OptionReader<'_>,
) -> Option<ZoneOption> {
    let Some(timezone) = timezone else { return Some(ZoneOption::Fixed(Zone::system())) };
    if timezone.contains("%{") {
        return Some(ZoneOption::PerEvent(Template::parse(timezone)));
    }
    match Zone::for_id(timezone) {
        Ok(zone) => Some(ZoneOption::Fixed(zone)),
        Err(_) if !formats.iter().any(DateParser::uses_zone) => Some(ZoneOption::Fixed(Zone::UTC)),
        Err(error) => {
            reader.error("timezone", error.to_string());
            None
        }
    }
}

impl Filter for Date {
    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        let parsed = match event.get(&self.source) {
            None | Some(Value::Null) => return Outcome::Unmatched,
            Some(Value::Str(text)) => self.parse(DateSource::Text(text), event),
            Some(Value::Int(number)) => self.parse(DateSource::Integer(*number), event),
            Some(Value::Float(number)) => self.parse(DateSource::Float(*number), event),
            Some(Value::Big(big)) => match &**big {
                Big::Decimal(number) => self.parse(DateSource::Decimal(number), event),
                Big::Integer(_) => None,
            },
            Some(_) => None,
        };
        let Some(timestamp) = parsed else {
            if let Some(Value::Str(text)) = event.get(&self.source)
                && self.formats.iter().any(|format| format.raises_on(DateSource::Text(text)))
            {
                event.tag("_dateerror");
            }
            return self.failed(event);
        };
        match event.set(&self.target, Value::Timestamp(timestamp)) {
            Ok(()) => Outcome::Matched,
            Err(error) => {
                // Logstash stops the pipeline here.
                tracing::warn!(%error, "could not set the target of a date filter");
                event.tag("_dateerror");
                Outcome::Failed
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Case, Status};

    /// The verdict on a filter with these options and this event, both expected to come out as `expected`. The
    /// events are JSON text, in which long numbers keep their digits.
    fn run(options: &str, mode: &str, input: &str, expected: &str) -> (Status, String) {
        let config = serde_json::Value::from(format!("filter {{ date {{ {options} }} }}"));
        let line = format!(
            r#"{{"name":"date","config":{config},"mode":"{mode}","input":[{input}],"expect":{{"ok":true,"events":[{expected}]}}}}"#
        );
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let verdict = Case::parse(&line).unwrap().run(&runtime);
        (verdict.status, verdict.reasons().join("\n"))
    }

    fn assert_becomes(options: &str, event: &str, expected: &str) {
        let (status, reasons) = run(options, "run", event, expected);
        assert_eq!(status, Status::Passed, "{options}: {reasons}");
    }

    fn refusal(options: &str) -> String {
        let (status, reasons) = run(options, "check", "", "");
        assert_ne!(status, Status::Passed, "{options}");
        reasons
    }

    const T: &str = r#""@timestamp":"2024-05-06T07:08:09.123Z","@version":"1""#;

    #[test]
    fn the_event_names_its_zone() {
        let options = r#"match => ["t", "yyyy-MM-dd HH:mm:ss"] timezone => "%{tz}" target => "out""#;
        for (zone, out) in [
            ("Asia/Seoul", r#""out":"2024-05-05T22:08:09.000Z""#),
            ("+02:00", r#""out":"2024-05-06T05:08:09.000Z""#),
            ("Bad/Zone", r#""tags":["_dateparsefailure"]"#),
        ] {
            let event = format!(r#"{T},"t":"2024-05-06 07:08:09","tz":"{zone}""#);
            assert_becomes(options, &format!("{{{event}}}"), &format!("{{{event},{out}}}"));
        }
        // UNIX needs no zone.
        let options = r#"match => ["t", "UNIX"] timezone => "%{tz}" target => "out""#;
        let event = format!(r#"{T},"t":"5""#);
        let out = format!(r#"{{{event},"out":"1970-01-01T00:00:05.000Z"}}"#);
        assert_becomes(options, &format!("{{{event}}}"), &out);
    }

    #[test]
    fn null_is_left_alone_and_other_kinds_fail() {
        let options = r#"match => ["t", "ISO8601"] add_tag => ["ok"] tag_on_failure => ["a", "b"]"#;
        let null = format!(r#"{{{T},"t":null}}"#);
        assert_becomes(options, &null, &null);
        for value in ["true", r#"["2024-05-06"]"#, r#"{"a":1}"#, "99999999999999999999"] {
            let event = format!(r#"{T},"t":{value}"#);
            assert_becomes(options, &format!("{{{event}}}"), &format!(r#"{{{event},"tags":["a","b"]}}"#));
        }
    }

    #[test]
    fn nanoseconds_are_kept_where_asked_for() {
        let event = format!(r#"{{{T},"t":"06.05.2024 07:08:09.123456789 +0000"}}"#);
        for (options, out) in [
            (
                r#"match => ["t", "dd.MM.yyyy HH:mm:ss.SSSSSSSSS Z"] remove_field => ["t"]"#,
                "2024-05-06T07:08:09.123Z",
            ),
            (
                r#"match => ["t", "dd.MM.yyyy HH:mm:ss.SSSSSSSSS Z"] precision => "ns" remove_field => ["t"]"#,
                "2024-05-06T07:08:09.123456789Z",
            ),
        ] {
            assert_becomes(options, &event, &format!(r#"{{"@timestamp":"{out}","@version":"1"}}"#));
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (options, culprits) in [
            (r#"target => "x""#, ["match", "at least one format"]),
            (r#"match => "t""#, ["match", "at least one format"]),
            (r#"match => ["t", "yyyy-bb"]"#, ["`bb`", "yyyy-bb"]),
            (r#"match => ["t", "UNIX", "u", "ISO8601"]"#, ["match", "`u`"]),
            (r#"match => ["t", "yyyy"] timezone => "Nowhere/City""#, ["timezone", "Nowhere/City"]),
            (r#"match => ["t", "yyyy"] precision => "us""#, ["precision", "us"]),
        ] {
            let message = refusal(options);
            assert!(culprits.iter().all(|culprit| message.contains(culprit)), "{options}: {message}");
        }
    }
}
