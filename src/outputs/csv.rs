//! Output `csv`: writes fields of events as comma-separated values into files (logstash-output-csv).

mod csv_options;
#[cfg(test)]
mod tests;

use super::file::{FileOptions, FileOutput};
use crate::csv::Writer;
use crate::event::{Event, FieldReference, Value, json};
use crate::plugin::{Build, Example, Kind, OptionReader, Pairs, Spec, options, take_unused_codec};

use csv_options::CsvOptions;

pub static SPEC: Spec = Spec {
    kind: Kind::Output,
    name: "csv",
    summary: "Writes fields of events as comma-separated values into files.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: Some("plain"),
    example: Example {
        config: r#"output { csv { path => "/var/log/orders-%{+YYYY-MM-dd}.csv" fields => ["@timestamp", "[user][name]", "sum"] csv_options => { "col_sep" => ";" } } }"#,
        input: &[],
        output: &[],
    },
    build: Build::Output(|reader| Some(Box::new(build(reader)?))),
};

options! {
    struct Options {
        /// The fields of a row, in their order. One that an event does not have is empty; a hash is written as JSON.
        fields: Vec<FieldReference>,
        /// How rows are written, by the options of Ruby's CSV library: `col_sep`, `row_sep`, `quote_char`,
        /// `force_quotes`, `quote_empty`, `write_nil_value`, `write_empty_value`, and `headers` with `write_headers`,
        /// which stand before every row, as in Logstash.
        csv_options: Pairs = {},
        /// Whether texts that begin with `=`, `+`, `-` or `@` get a `'` in front, so that no spreadsheet takes them for
        /// a formula.
        spreadsheet_safe: bool = true,
        ..files: FileOptions,
    }
}

/// Makes rows of events.
struct Rows {
    fields: Vec<FieldReference>,
    writer: Writer,
    /// What stands before every row.
    header: Vec<u8>,
    spreadsheet_safe: bool,
}

fn build(reader: &mut OptionReader<'_>) -> Option<FileOutput> {
    let options = Options::read(reader);
    take_unused_codec(reader);
    let options = options?;
    if options.files.overwrites() {
        reader.no_effect("write_behavior", "rows are appended, as in Logstash");
    }
    if options.fields.is_empty() {
        reader.error("fields", "there is no field to write");
        return None;
    }
    let csv = CsvOptions::read(reader, &options.csv_options)?;
    let rows = Rows {
        fields: options.fields,
        header: csv.header(),
        writer: csv.writer,
        spreadsheet_safe: options.spreadsheet_safe,
    };
    let encoding = move |event: &Event, out: &mut Vec<u8>| {
        rows.push(event, out);
        Ok(())
    };
    FileOutput::new(reader, options.files.appending(), Box::new(encoding))
}

impl Rows {
    fn push(&self, event: &Event, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.header);
        let values: Vec<_> = self.fields.iter().map(|field| self.value(event, field)).collect();
        self.writer.push_row(values.iter().map(Option::as_ref), out);
    }

    fn value(&self, event: &Event, field: &FieldReference) -> Option<Value> {
        match event.get(field)? {
            Value::Object(object) => {
                let mut document = Vec::new();
                json::write_object(&mut document, object);
                Some(Value::from(&*String::from_utf8_lossy(&document)))
            }
            Value::Str(text) if self.spreadsheet_safe && text.starts_with(['=', '+', '-', '@']) => {
                Some(Value::from(format!("'{text}")))
            }
            other => Some(other.clone()),
        }
    }
}
