//! What a syslog message says: `syslog_relay` of the plugin, with what the grok and date filters do for it.

use std::time::Duration;

use super::Options;
use crate::event::time_format::{DateParser, DateSource, Locale, Precision, Zone};
use crate::event::{Event, FieldReference, SetError, Value};
use crate::grok::{Dictionary, Expression, Library};
use crate::plugin::OptionReader;
use crate::regex::Locations;

/// The tag of a message that the pattern does not match.
const FAILURE_TAG: &str = "_grokparsefailure_sysloginput";
/// The priority of a message that names none: facility user-level, severity notice (RFC 3164, 4.3.3).
const DEFAULT_PRIORITY: i64 = 13;
/// As long as the grok filter searches by default.
const TIMEOUT: Duration = Duration::from_secs(30);
const TIME_FORMATS: [&str; 4] = ["MMM dd HH:mm:ss", "MMM  d HH:mm:ss", "MMM d HH:mm:ss", "ISO8601"];

/// One half of the priority: where its number and its name go, and the names there are.
struct Part {
    code: FieldReference,
    name: FieldReference,
    labels: Vec<String>,
}

/// Takes messages apart.
pub struct Relay {
    ecs: bool,
    source: FieldReference,
    expression: Expression,
    /// By position in the expression's captures.
    destinations: Vec<FieldReference>,
    priority: FieldReference,
    facility: Part,
    severity: Part,
    use_labels: bool,
    times: Vec<DateParser>,
    zone: Zone,
    service: Option<String>,
    original: FieldReference,
    service_type: FieldReference,
}

impl Relay {
    /// Reports what is wrong with the options.
    pub fn new(reader: &mut OptionReader<'_>, options: &Options) -> Option<Self> {
        let ecs = reader.ecs();
        let field = |legacy, ecs_name| FieldReference::parse(ecs.select(legacy, ecs_name)).ok();
        let part = |codes: (&str, &str), names: (&str, &str), labels: &[String]| {
            let field = |(legacy, ecs_name)| FieldReference::parse(ecs.select(legacy, ecs_name)).ok();
            Some(Part { code: field(codes)?, name: field(names)?, labels: labels.to_vec() })
        };
        let default = ecs.select(
            "<%{POSINT:priority}>%{SYSLOGLINE}",
            "<%{POSINT:[log][syslog][priority]:int}>%{SYSLOGLINE}",
        );
        let pattern = options.grok_pattern.as_deref().unwrap_or(default);
        let dictionary = Dictionary::new(ecs.select(Library::Legacy, Library::EcsV1));
        let expression = Expression::compile(pattern, &dictionary, true)
            .map_err(|error| reader.error("grok_pattern", error.to_string()))
            .ok();
        let source = FieldReference::parse(&options.syslog_field)
            .map_err(|error| reader.error("syslog_field", error.to_string()))
            .ok();
        let zone = match options.timezone.as_deref() {
            None => Some(Zone::system()),
            Some(id) => Zone::for_id(id).map_err(|error| reader.error("timezone", error.to_string())).ok(),
        };
        let locale = options.locale.as_deref().map_or_else(Locale::english, Locale::for_tag);
        let compile = |format| DateParser::compile(format, locale, Precision::Milliseconds).ok();
        let expression = expression?;
        let destinations = expression.captures().iter().map(|capture| {
            FieldReference::parse(&capture.field)
                .map_err(|error| reader.error("grok_pattern", error.to_string()))
                .ok()
        });
        Some(Relay {
            ecs: ecs.is_enabled(),
            destinations: destinations.collect::<Option<_>>()?,
            expression,
            source: source?,
            priority: field("priority", "[log][syslog][priority]")?,
            facility: part(
                ("facility", "[log][syslog][facility][code]"),
                ("facility_label", "[log][syslog][facility][name]"),
                &options.facility_labels,
            )?,
            severity: part(
                ("severity", "[log][syslog][severity][code]"),
                ("severity_label", "[log][syslog][severity][name]"),
                &options.severity_labels,
            )?,
            use_labels: options.use_labels,
            times: TIME_FORMATS.into_iter().filter_map(compile).collect(),
            zone: zone?,
            service: Some(options.service_type.clone()).filter(|name| !name.is_empty() && ecs.is_enabled()),
            original: FieldReference::parse("[event][original]").ok()?,
            service_type: FieldReference::parse("[service][type]").ok()?,
        })
    }

    /// Adds to an event what its message says.
    ///
    /// # Errors
    /// When a field cannot be set because something else is in its way.
    pub fn apply(&self, event: &mut Event) -> Result<(), SetError> {
        if self.ecs
            && let Some(message) = event.get(&self.source).cloned()
        {
            event.set(&self.original, message)?;
        }
        let matched = self.take_apart(event)?;
        if let Some(service) = &self.service
            && !event.contains(&self.service_type)
        {
            event.set(&self.service_type, service.as_str())?;
        }
        let priority = if matched { self.priority_of(event) } else { DEFAULT_PRIORITY };
        event.assign(&self.priority, priority)?;
        event.assign(&self.severity.code, priority & 7)?;
        event.assign(&self.facility.code, priority >> 3)?;
        if matched {
            self.set_time(event)?;
        } else {
            event.tag(FAILURE_TAG);
        }
        if self.use_labels {
            self.facility.set_label(event, priority >> 3)?;
            self.severity.set_label(event, priority & 7)?;
        }
        Ok(())
    }

    /// The number in the priority's field; 0 where the pattern has found none.
    fn priority_of(&self, event: &Event) -> i64 {
        match event.get(&self.priority) {
            Some(Value::Int(number)) => *number,
            Some(Value::Str(text)) => text.trim().parse().unwrap_or(0),
            _ => 0,
        }
    }

    /// Stores the captures; whether the pattern matches.
    fn take_apart(&self, event: &mut Event) -> Result<bool, SetError> {
        let Some(Value::Str(text)) = event.get(&self.source) else { return Ok(false) };
        let text = text.to_string();
        let mut locations = Locations::default();
        match self.expression.matches(&text, Some(TIMEOUT), &mut locations) {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(error) => {
                tracing::warn!(%error, "a syslog message took too long to match");
                event.tag("_groktimeout");
                return Ok(false);
            }
        }
        for (capture, field) in self.expression.captures().iter().zip(&self.destinations) {
            let found = capture.text(&text, &locations).filter(|found| !found.is_empty());
            if let Some(found) = found {
                self.store(event, field, capture.coercion.apply(found))?;
            }
        }
        Ok(true)
    }

    /// As the grok filter stores: the message is replaced, other text and arrays are added to.
    fn store(&self, event: &mut Event, field: &FieldReference, value: Value) -> Result<(), SetError> {
        let both = match event.get(field) {
            _ if *field == self.source => value,
            None | Some(Value::Null) => value,
            Some(Value::Array(items)) => Value::Array(items.iter().cloned().chain([value]).collect()),
            Some(text @ Value::Str(_)) => Value::Array(vec![text.clone(), value]),
            Some(_) => return Ok(()),
        };
        event.assign(field, both)
    }

    /// Makes the message's time the event's.
    fn set_time(&self, event: &mut Event) -> Result<(), SetError> {
        let field = FieldReference::top_level("timestamp");
        if !self.ecs
            && let Some(iso) = event.get(&FieldReference::top_level("timestamp8601")).cloned()
        {
            event.set(&field, iso)?;
        }
        let parsed = match event.get(&field) {
            None | Some(Value::Null) => None,
            Some(Value::Str(text)) => {
                Some(self.times.iter().find_map(|format| format.parse(DateSource::Text(text), &self.zone)))
            }
            Some(_) => Some(None),
        };
        match parsed {
            None => {}
            Some(None) => event.tag("_dateparsefailure"),
            Some(Some(time)) => event.set_timestamp(time),
        }
        if self.ecs {
            event.remove(&field);
        }
        Ok(())
    }
}

impl Part {
    fn set_label(&self, event: &mut Event, code: i64) -> Result<(), SetError> {
        let index = if code < 0 { code + self.labels.len() as i64 } else { code };
        match usize::try_from(index).ok().and_then(|index| self.labels.get(index)) {
            Some(label) => event.assign(&self.name, label.as_str()),
            None => Ok(()),
        }
    }
}
