//! Filter `csv`: reads one line of comma-separated values from a field (logstash-filter-csv).

use std::borrow::Cow;
use std::sync::OnceLock;

use crate::csv::{Columns, Conversion, Malformed, NotText, Reader, Row, convert, quote_option};
use crate::event::{Event, FieldReference, InvalidReference, SetError, Value};
use crate::plugin::{
    Build, DecorateError, Emit, Example, Filter, Kind, OptionReader, Outcome, Pairs, Problem, Spec, options,
};

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "csv",
    summary: "Reads a line of comma-separated values from a field.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter { csv { columns => ["user", "age"] convert => { "age" => "integer" } target => "row" } }"#,
        input: &[r#"{"message":"\"Kim, M.\",30,x"}"#, r#"{"message":"Lee \"L\",40"}"#],
        output: &[
            r#"{"message":"\"Kim, M.\",30,x","row":{"user":"Kim, M.","age":30,"column3":"x"}}"#,
            r#"{"message":"Lee \"L\",40","tags":["_csvparsefailure"]}"#,
        ],
    },
    build: Build::Filter(|reader| Some(Box::new(Csv::build(reader)?))),
};

const FAILURE_TAG: &str = "_csvparsefailure";
const SKIPPED_TAG: &str = "_csvskippedemptyfield";

/// The fields of so many values without a name of their own are prepared at load.
const PREPARED: usize = 64;

options! {
    struct Options {
        /// Field that holds the line.
        source: FieldReference = "message",
        /// Names of the values, by their place. A name such as `[a][b]` nests.
        columns: Vec<String> = [],
        /// What stands between two values. A tab is written as it is, or as `\t` with config.support_escapes.
        separator: String = ",",
        /// The character around values that hold separators, quotes or line breaks. `\x00` stands for NUL, which means
        /// no quoting in practice.
        quote_char: String = "\"",
        /// Field that takes the values. Without it they become fields of the event.
        target: Option<FieldReference>,
        /// Whether values without a name are kept, as `column1`, `column2` and so on.
        autogenerate_column_names: bool = true,
        /// Drop events whose values are just the names of the columns.
        skip_header: bool = false,
        /// Set no fields for values that are empty.
        skip_empty_columns: bool = false,
        /// Tag events whose source is empty with _csvskippedemptyfield, not as a failure.
        skip_empty_rows: bool = false,
        /// Types by column: integer, float, date, date_time or boolean.
        convert: Pairs = {},
        /// Take the names from the first line that comes, whose event is dropped. Use one worker then.
        autodetect_column_names: bool = false,
    }
}

struct Csv {
    options: Options,
    reader: Reader,
    columns: Columns,
    fields: Fields,
    detected: OnceLock<Detected>,
}

/// What the first line was that should name the columns.
enum Detected {
    Names(Columns, Fields),
    /// Empty: Logstash has no names then, and fails with every line that follows.
    Nothing,
}

/// The field that each value of a row goes to.
struct Fields {
    by_index: Vec<Option<Column>>,
}

/// A field, which fails with every event if its name is no legal one, and what its values are converted to.
#[derive(Clone)]
struct Column {
    field: Result<FieldReference, InvalidReference>,
    conversion: Option<Conversion>,
}

/// A line that does not fit into the event.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("a {0} is no line of text")]
    NotText(&'static str),
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("there is no line to read")]
    Empty,
    #[error("the first line, which should name the columns, was empty")]
    NoNames,
    #[error(transparent)]
    Convert(#[from] NotText),
    #[error(transparent)]
    Reference(#[from] InvalidReference),
    #[error(transparent)]
    Set(#[from] SetError),
}

impl Csv {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let mut options = Options::read(reader)?;
        let quote = quote_option(std::mem::take(&mut options.quote_char));
        let lines = Reader::new(&options.separator, &quote);
        if let Some(mistake) = lines.mistake() {
            let option = if mistake == Malformed::LongQuote { "quote_char" } else { "separator" };
            let message = format!("option \"{option}\" of the csv filter: {mistake}");
            let problem = Problem::warning(reader.span(option), message);
            reader.report(problem.label("every event will be tagged _csvparsefailure"));
        }
        let autogenerate = options.autogenerate_column_names;
        let columns = Columns::read(reader, &options.columns, &options.convert, autogenerate)?;
        let fields = Fields::new(&columns, options.target.as_ref());
        Some(Csv { options, reader: lines, columns, fields, detected: OnceLock::new() })
    }

    fn read(&self, event: &mut Event) -> Result<Outcome, Failure> {
        let source = match event.get(&self.options.source) {
            None | Some(Value::Null | Value::Bool(false)) => return Ok(Outcome::Unmatched),
            // The line may be overwritten by its own columns.
            Some(Value::Str(line)) => line.clone(),
            Some(other) => return Err(Failure::NotText(other.kind())),
        };
        let row = self.reader.first_row(&source)?;
        let (columns, fields) = match self.names(row.as_ref())? {
            Some(names) => names,
            None => return Ok(Outcome::Cancelled),
        };
        let is_header = row.as_ref().is_some_and(|row| !columns.is_empty() && columns.are(row));
        if self.options.skip_header && is_header {
            return Ok(Outcome::Cancelled);
        }
        match row {
            None if self.options.skip_empty_rows => {
                event.tag(SKIPPED_TAG);
                Ok(Outcome::Unmatched)
            }
            None => Err(Failure::Empty),
            Some(row) => self.store(row, columns, fields, event),
        }
    }

    /// The names that hold for a row; `None` when the row itself has become the names.
    fn names(&self, row: Option<&Row<'_>>) -> Result<Option<(&Columns, &Fields)>, Failure> {
        if !self.options.autodetect_column_names || !self.columns.is_empty() {
            return Ok(Some((&self.columns, &self.fields)));
        }
        match self.detected.get() {
            Some(Detected::Names(columns, fields)) => return Ok(Some((columns, fields))),
            Some(Detected::Nothing) => return Err(Failure::NoNames),
            None => {}
        }
        let detected = match row {
            // A line without values leaves the names open.
            Some(row) if row.is_empty() => return Ok(None),
            Some(row) => {
                let columns = self.columns.with_names(row);
                let fields = Fields::new(&columns, self.options.target.as_ref());
                Detected::Names(columns, fields)
            }
            None => Detected::Nothing,
        };
        // Where two workers come at once, the first one names the columns; Logstash loses the second line as well.
        _ = self.detected.set(detected);
        Ok(None)
    }

    /// Sets the fields of a row. Those set before one that fails stay.
    fn store(
        &self,
        row: Row<'_>,
        columns: &Columns,
        fields: &Fields,
        event: &mut Event,
    ) -> Result<Outcome, Failure> {
        let target = self.options.target.as_ref();
        for (index, value) in row.into_iter().enumerate() {
            if self.options.skip_empty_columns && value.as_ref().is_none_or(|value| value.is_empty()) {
                continue;
            }
            let column = match fields.by_index.get(index) {
                Some(Some(column)) => Cow::Borrowed(column),
                Some(None) => continue,
                None => match Column::of(columns, index, target) {
                    Some(column) => Cow::Owned(column),
                    None => break,
                },
            };
            let value = convert(column.conversion, value)?;
            event.assign(column.field.as_ref().map_err(Clone::clone)?, value)?;
        }
        Ok(Outcome::Matched)
    }
}

impl Fields {
    fn new(columns: &Columns, target: Option<&FieldReference>) -> Self {
        let prepared = columns.len().max(PREPARED);
        Fields { by_index: (0..prepared).map(|index| Column::of(columns, index, target)).collect() }
    }
}

impl Column {
    /// The column of a value; `None` for one that is left out.
    fn of(columns: &Columns, index: usize, target: Option<&FieldReference>) -> Option<Self> {
        let name = columns.name(index)?;
        Some(Column { field: field_of(&name, target), conversion: columns.conversion(&name) })
    }
}

/// A name beginning with `[` is a reference itself, below the target; any other is one step, brackets around it.
fn field_of(name: &str, target: Option<&FieldReference>) -> Result<FieldReference, InvalidReference> {
    let mut text = target.map_or(String::new(), FieldReference::to_string);
    if !text.is_empty() && !text.starts_with('[') {
        text = format!("[{text}]");
    }
    match name.starts_with('[') {
        true => text.push_str(name),
        false => text.extend(["[", name, "]"]),
    }
    FieldReference::parse(&text)
}

impl Filter for Csv {
    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        self.read(event).unwrap_or_else(|error| {
            tracing::warn!(source = %self.options.source, %error, "error parsing csv");
            event.tag(FAILURE_TAG);
            Outcome::Failed
        })
    }

    fn decoration_failed(&self, _name: &str, event: &mut Event, error: &DecorateError) {
        tracing::warn!(source = %self.options.source, %error, "could not apply the common options");
        event.tag(FAILURE_TAG);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Case, Status};

    fn assert_becomes(options: &str, input: &str, expected: &str) {
        let config = serde_json::Value::from(format!("filter {{ csv {{ {options} }} }}"));
        let line = format!(
            r#"{{"name":"csv","config":{config},"input":[{input}],"expect":{{"ok":true,"events":[{expected}]}}}}"#
        );
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let verdict = Case::parse(&line).unwrap().run(&runtime);
        assert_eq!(verdict.status, Status::Passed, "{options}: {}", verdict.reasons().join("\n"));
    }

    const T: &str = r#""@timestamp":"2024-05-06T07:08:09.123Z","@version":"1""#;

    #[test]
    fn columns_set_before_a_bad_name_stay() {
        assert_becomes(
            r#"columns => ["a", "b[c]", "d"]"#,
            &format!(r#"{{{T},"message":"1,2,3"}}"#),
            &format!(r#"{{{T},"message":"1,2,3","a":"1","tags":["_csvparsefailure"]}}"#),
        );
    }

    #[test]
    fn a_header_line_may_leave_columns_without_a_name() {
        let input = [r#""id,,x""#, r#""1,2,3""#].map(|line| format!(r#"{{{T},"message":{line}}}"#)).join(",");
        assert_becomes(
            "autodetect_column_names => true",
            &input,
            &format!(r#"{{{T},"message":"1,2,3","id":"1","column2":"2","x":"3"}}"#),
        );
        assert_becomes(
            "autodetect_column_names => true autogenerate_column_names => false",
            &input,
            &format!(r#"{{{T},"message":"1,2,3","id":"1","x":"3"}}"#),
        );
    }

    #[test]
    fn only_text_is_read() {
        assert_becomes(
            "",
            &format!(r#"{{{T},"message":5}},{{{T},"message":["a,b"]}},{{{T},"message":false}}"#),
            &format!(
                r#"{{{T},"message":5,"tags":["_csvparsefailure"]}},{{{T},"message":["a,b"],"tags":["_csvparsefailure"]}},{{{T},"message":false}}"#
            ),
        );
    }

    #[test]
    fn quote_characters_that_ruby_refuses_fail_every_event() {
        assert_becomes(
            r#"quote_char => "''""#,
            &format!(r#"{{{T},"message":"a"}}"#),
            &format!(r#"{{{T},"message":"a","tags":["_csvparsefailure"]}}"#),
        );
    }

    #[test]
    fn more_values_than_are_prepared() {
        let line = vec![","; PREPARED + 1].concat() + "last";
        assert_becomes(
            r#"skip_empty_columns => true target => "[t][row]""#,
            &format!(r#"{{{T},"message":"{line}"}}"#),
            &format!(r#"{{{T},"message":"{line}","t":{{"row":{{"column{}":"last"}}}}}}"#, PREPARED + 2),
        );
    }
}
