//! Codec `csv`: comma-separated values, one row at a time (logstash-codec-csv).

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::text::Original;
use crate::csv::{Columns, Malformed, Reader, Writer, convert, quote_option};
use crate::event::{Event, FieldReference, Object};
use crate::plugin::{
    Build, Charset, Codec, EncodeError, Example, Kind, OptionReader, Pairs, Problem, Spec, options,
};

pub static SPEC: Spec = Spec {
    kind: Kind::Codec,
    name: "csv",
    summary: "Comma-separated values: what is read at once is one row.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"output { stdout { codec => csv { columns => ["user", "age"] include_headers => true } } }"#,
        input: &[],
        output: &[],
    },
    build: Build::Codec(|reader| Some(Box::new(Csv::build(reader)?))),
};

const FAILURE_TAG: &str = "_csvparsefailure";

options! {
    struct Options {
        /// Names of the values, by their place. Written are the fields of these names; without them all fields.
        columns: Vec<String> = [],
        /// What stands between two values. A tab is written as it is, or as `\t` with config.support_escapes.
        separator: String = ",",
        /// The character around values that hold separators, quotes or line breaks. `\x00` stands for NUL.
        quote_char: String = "\"",
        /// Write the names before the first row.
        include_headers: bool = false,
        /// Whether values without a name are kept, as `column1`, `column2` and so on.
        autogenerate_column_names: bool = true,
        /// Set no fields for values that are empty.
        skip_empty_columns: bool = false,
        /// Take the names from the first row that comes.
        autodetect_column_names: bool = false,
        /// Types by column: integer, float, date, date_time or boolean.
        convert: Pairs = {},
        /// The character encoding of what is read.
        charset: Charset = "UTF-8",
        /// The field that gets the values. Without it: the event itself.
        target: Option<FieldReference>,
    }
}

struct Csv {
    reader: Reader,
    writer: Writer,
    columns: Columns,
    /// The fields to write, with their names; none for all.
    written: Vec<(String, FieldReference)>,
    target: Option<FieldReference>,
    charset: Charset,
    original: Original,
    skip_empty_columns: bool,
    autodetect: bool,
    include_headers: bool,
    /// What the first row said; an empty one said nothing.
    detected: OnceLock<Columns>,
    headers_written: AtomicBool,
}

impl Csv {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let options = Options::read(reader)?;
        super::documents::recommend_target(reader, options.target.as_ref());
        let quote = quote_option(options.quote_char);
        let rows = Reader::new(&options.separator, &quote);
        if let Some(mistake) = rows.mistake() {
            let option = if mistake == Malformed::LongQuote { "quote_char" } else { "separator" };
            let message = format!("option \"{option}\" of the csv codec: {mistake}");
            let problem = Problem::warning(reader.span(option), message);
            reader.report(problem.label("nothing can be read like this"));
        }
        let autogenerate = options.autogenerate_column_names;
        let columns = Columns::read(reader, &options.columns, &options.convert, autogenerate)?;
        // A name that is no reference only matters where events are written.
        let written = |name: String| {
            let field = FieldReference::parse(&name).unwrap_or_else(|_| FieldReference::top_level(&name));
            (name, field)
        };
        Some(Csv {
            reader: rows,
            writer: Writer::new(&options.separator, &quote),
            columns,
            written: options.columns.into_iter().map(written).collect(),
            target: options.target,
            charset: options.charset,
            original: Original::new(reader.ecs()),
            skip_empty_columns: options.skip_empty_columns,
            autodetect: options.autodetect_column_names,
            include_headers: options.include_headers,
            detected: OnceLock::new(),
            headers_written: AtomicBool::new(false),
        })
    }

    /// The event of a text; `None` for the row that names the columns.
    fn event_of(&self, text: &str) -> Result<Option<Event>, String> {
        let row = self.reader.first_row(text).map_err(|error| error.to_string())?;
        let columns = match self.detected.get() {
            Some(detected) => detected,
            None if self.autodetect && self.columns.is_empty() => {
                if let Some(row) = row.filter(|row| !row.is_empty()) {
                    _ = self.detected.set(self.columns.with_names(&row));
                }
                return Ok(None);
            }
            None => &self.columns,
        };
        let row = row.ok_or("there is no row to read")?;
        let mut decoded = Object::with_capacity(row.len());
        for (index, value) in row.into_iter().enumerate() {
            if self.skip_empty_columns && value.as_ref().is_none_or(|value| value.is_empty()) {
                continue;
            }
            let Some(name) = columns.name(index) else { continue };
            let value = convert(columns.conversion(&name), value).map_err(|error| error.to_string())?;
            decoded.insert(&*name, value);
        }
        let mut event = match &self.target {
            None => Event::from_object(decoded).map_err(|error| error.to_string())?,
            Some(target) => {
                let mut event = Event::new();
                event.assign(target, decoded).map_err(|error| error.to_string())?;
                event
            }
        };
        self.original.replace(&mut event, text).map_err(|error| error.to_string())?;
        Ok(Some(event))
    }
}

impl Codec for Csv {
    fn decode(&mut self, bytes: &[u8], emit: &mut dyn FnMut(Event)) {
        let text = self.charset.decode(bytes);
        match self.event_of(&text) {
            Ok(Some(event)) => emit(event),
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(error, "CSV parse failure, falling back to plain text");
                let mut event = Event::from_message(&*text);
                event.tag(FAILURE_TAG);
                emit(event);
            }
        }
    }

    fn encode(&self, event: &Event, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if self.include_headers && !self.headers_written.swap(true, Ordering::Relaxed) {
            match self.written.is_empty() {
                true => self.writer.push_texts(event.data().keys(), out),
                false => self.writer.push_texts(self.written.iter().map(|(name, _)| name.as_str()), out),
            }
        }
        match self.written.is_empty() {
            true => self.writer.push_row(event.data().iter().map(|(_, value)| Some(value)), out),
            false => self.writer.push_row(self.written.iter().map(|(_, field)| event.get(field)), out),
        }
        Ok(())
    }

    fn fresh(&self) -> Box<dyn Codec> {
        Box::new(Csv {
            reader: self.reader.clone(),
            writer: self.writer.clone(),
            columns: self.columns.clone(),
            written: self.written.clone(),
            target: self.target.clone(),
            charset: self.charset.clone(),
            original: self.original.clone(),
            detected: OnceLock::new(),
            headers_written: AtomicBool::new(false),
            ..*self
        })
    }
}
