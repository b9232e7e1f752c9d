//! Codec `rubydebug`: prints events for people, as the Ruby library amazing_print does (logstash-codec-rubydebug).

use std::fmt::Write as _;

use bigdecimal::BigDecimal;

use crate::event::text::{push_java, push_ruby_float, push_ruby_string};
use crate::event::{Big, Event, METADATA, Object, Value};
use crate::plugin::{Build, Codec, EncodeError, Example, Kind, Spec, options};

use super::terminal::{Paint, Palette};
use super::text;

pub static SPEC: Spec = Spec {
    kind: Kind::Codec,
    name: "rubydebug",
    summary: "Events for people to read, a field per line.",
    options: RubyDebug::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: "output { stdout { codec => rubydebug { metadata => true } } }",
        input: &[],
        output: &[],
    },
    build: Build::Codec(|reader| Some(Box::new(RubyDebug::read(reader)?))),
};

options! {
    #[derive(Debug, Clone)]
    pub struct RubyDebug {
        /// Whether to print the fields of @metadata too, if it has any.
        metadata: bool = false,
    }
}

impl Codec for RubyDebug {
    fn decode(&mut self, bytes: &[u8], emit: &mut dyn FnMut(Event)) {
        emit(text::undecodable(SPEC.name, bytes));
    }

    fn encode(&self, event: &Event, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        write(event, self.metadata, None, out);
        Ok(())
    }

    fn encode_for_terminal(&self, event: &Event, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        write(event, self.metadata, Some(Palette::colored()), out);
        Ok(())
    }

    fn fresh(&self) -> Box<dyn Codec> {
        Box::new(self.clone())
    }
}

/// Spaces per level.
const INDENT: usize = 4;

/// Appends an event and a line break: with `@metadata` if wanted and not empty, in colours if there are any.
pub fn write(event: &Event, metadata: bool, palette: Option<&Palette>, out: &mut Vec<u8>) {
    let mut printer = Printer { out: String::with_capacity(256), palette };
    if metadata && !event.metadata().is_empty() {
        let metadata = (METADATA, Value::from(event.metadata().clone()));
        let fields = event.data().iter().map(|(key, value)| (key, value.clone()));
        printer.object(&std::iter::once(metadata).chain(fields).collect(), INDENT);
    } else {
        printer.object(event.data(), INDENT);
    }
    printer.out.push('\n');
    out.extend_from_slice(printer.out.as_bytes());
}

struct Printer<'p> {
    out: String,
    palette: Option<&'p Palette>,
}

impl Printer<'_> {
    fn value(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Object(object) => self.object(object, indent),
            Value::Array(items) => self.array(items, indent),
            scalar => self.painted(|palette| palette.scalar(scalar), |out| push_scalar(out, scalar)),
        }
    }

    /// Fields are aligned at their arrows, `indent` spaces in.
    fn object(&mut self, object: &Object, indent: usize) {
        if object.is_empty() {
            return self.painted(|palette| &palette.object, |out| out.push_str("{}"));
        }
        let width = object.keys().map(printed_width).max().unwrap_or_default() + indent;
        self.painted(|palette| &palette.object, |out| out.push('{'));
        for (at, (key, value)) in object.iter().enumerate() {
            self.out.push_str(if at > 0 { ",\n" } else { "\n" });
            self.spaces(width - printed_width(key));
            self.painted(|palette| &palette.field, |out| push_ruby_string(out, key));
            self.painted(|palette| &palette.separator, |out| out.push_str(" => "));
            self.value(value, indent + INDENT);
        }
        self.out.push('\n');
        self.spaces(indent - INDENT);
        self.painted(|palette| &palette.object, |out| out.push('}'));
    }

    /// Elements have their index before them, aligned to the right.
    fn array(&mut self, items: &[Value], indent: usize) {
        if items.is_empty() {
            return self.painted(|palette| &palette.array, |out| out.push_str("[]"));
        }
        let width = items.len().saturating_sub(1).to_string().len();
        self.painted(|palette| &palette.array, |out| out.push('['));
        for (at, item) in items.iter().enumerate() {
            self.out.push_str(if at > 0 { ",\n" } else { "\n" });
            self.spaces(indent);
            self.painted(|palette| &palette.array, |out| _ = write!(out, "[{at:>width$}]"));
            self.out.push(' ');
            self.value(item, indent + INDENT);
        }
        self.out.push('\n');
        self.spaces(indent - INDENT);
        self.painted(|palette| &palette.array, |out| out.push(']'));
    }

    fn spaces(&mut self, count: usize) {
        self.out.extend(std::iter::repeat_n(' ', count));
    }

    fn painted(&mut self, paint: impl FnOnce(&Palette) -> &Paint, write: impl FnOnce(&mut String)) {
        let paint = self.palette.map(paint);
        self.out.push_str(paint.map_or("", |paint| &paint.on));
        write(&mut self.out);
        self.out.push_str(paint.map_or("", |paint| &paint.off));
    }
}

/// How many characters a key takes with its quotes and escapes.
fn printed_width(key: &str) -> usize {
    if key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"@_-. ".contains(&byte)) {
        return key.len() + 2;
    }
    let mut printed = String::new();
    push_ruby_string(&mut printed, key);
    printed.chars().count()
}

fn push_scalar(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("nil"),
        Value::Float(number) => push_ruby_float(out, *number),
        Value::Str(text) => push_ruby_string(out, text),
        Value::Big(number) => match &**number {
            Big::Integer(number) => _ = write!(out, "{number}"),
            Big::Decimal(number) => push_plain_decimal(out, number),
        },
        other => push_java(out, other),
    }
}

/// Decimals with more zeros than this are printed with an exponent: `1e1000000000` must not fill the memory.
const MOST_ZEROS: u64 = 5000;

/// `BigDecimal#to_s("F")`: all digits, no exponent, no zeros at the end but one behind the point.
fn push_plain_decimal(out: &mut String, number: &BigDecimal) {
    let number = number.normalized();
    if number.fractional_digit_count().unsigned_abs() > MOST_ZEROS {
        _ = write!(out, "{}", Big::Decimal(number));
        return;
    }
    let plain = number.to_plain_string();
    out.push_str(&plain);
    if !plain.contains('.') {
        out.push_str(".0");
    }
}
