//! The option `csv_options`: what Ruby's `to_csv` takes (csv 3.3).

use crate::csv::{Forced, Reader, Writer, quote_option};
use crate::plugin::{ConfigKind, ConfigValue, OptionReader, Pairs};

/// Options of Ruby's library that are about reading.
const FOR_READING: &[&str] = &[
    "converters",
    "empty_value",
    "field_size_limit",
    "header_converters",
    "liberal_parsing",
    "max_field_size",
    "nil_value",
    "return_headers",
    "skip_blanks",
    "skip_lines",
    "strip",
    "unconverted_fields",
];

/// What `csv_options` says.
pub struct CsvOptions {
    pub writer: Writer,
    /// The names of a row before every row.
    headers: Vec<String>,
}

impl CsvOptions {
    /// Reads the option; what is wrong is noted.
    pub fn read(reader: &mut OptionReader<'_>, given: &Pairs) -> Option<Self> {
        let mut mistakes = Vec::new();
        let text = |name: &'static str| {
            let value = given.iter().find(|(option, _)| *option == name).map(|(_, value)| value);
            value.map(|value| value.as_single().and_then(ConfigValue::scalar_text).ok_or(name))
        };
        let mut texts = |name: &'static str| {
            text(name).transpose().unwrap_or_else(|name| {
                mistakes.push(format!("\"{name}\" needs a text"));
                None
            })
        };
        let separator = texts("col_sep").unwrap_or_else(|| ",".to_owned());
        let quote = texts("quote_char").map_or_else(|| "\"".to_owned(), quote_option);
        let row_end = texts("row_sep");
        let null = texts("write_nil_value");
        let empty = texts("write_empty_value");
        if separator.is_empty() {
            mistakes.push("\"col_sep\" must have at least one character".to_owned());
        }
        if quote.chars().count() != 1 {
            mistakes.push("\"quote_char\" must be one character".to_owned());
        }
        let mut writer = Writer::new(&separator, &quote);
        writer.row_end = row_end.unwrap_or_else(|| "\n".to_owned()).into();
        writer.null = null.map(Into::into);
        writer.empty = empty.map(Into::into);
        let headers = headers_of(given, &Reader::new(&separator, &quote));
        for (name, value) in given.iter() {
            match name {
                "col_sep" | "quote_char" | "row_sep" | "write_nil_value" | "write_empty_value"
                | "headers" | "write_headers" => {}
                "force_quotes" => match forced(value, &headers) {
                    Ok(forced) => writer.forced = forced,
                    Err(mistake) => mistakes.push(mistake),
                },
                // In a hash of the config, false is a text, which is something to Ruby.
                "quote_empty" => {}
                name if FOR_READING.contains(&name) => {
                    reader.warning("csv_options", format!("\"{name}\" has no effect: it is about reading"));
                }
                name => mistakes.push(format!(
                    "\"{name}\" is not available here; there are col_sep, row_sep, quote_char, force_quotes, \
                     quote_empty, write_nil_value, write_empty_value, headers and write_headers"
                )),
            }
        }
        let is_right = mistakes.is_empty();
        mistakes.into_iter().for_each(|mistake| reader.error("csv_options", mistake));
        let has_headers = given.iter().any(|(name, _)| name == "write_headers");
        is_right.then_some(CsvOptions { writer, headers: if has_headers { headers } else { Vec::new() } })
    }

    /// The row before every row: `to_csv` makes a new writer each time, which begins with it.
    pub fn header(&self) -> Vec<u8> {
        let mut header = Vec::new();
        if !self.headers.is_empty() {
            self.writer.push_texts(self.headers.iter().map(String::as_str), &mut header);
        }
        header
    }
}

/// `headers`: an array of names, or a line with them.
fn headers_of(given: &Pairs, lines: &Reader) -> Vec<String> {
    let value = given.iter().find(|(name, _)| *name == "headers").map(|(_, value)| value);
    match value.map(|value| (&value.kind, value.scalar_text())) {
        Some((ConfigKind::Array(names), _)) => names.iter().filter_map(ConfigValue::scalar_text).collect(),
        Some((_, Some(line))) => {
            let row = lines.first_row(&line).ok().flatten().unwrap_or_default();
            row.into_iter().map(|name| name.unwrap_or_default().into_owned()).collect()
        }
        _ => Vec::new(),
    }
}

/// `force_quotes`: places or names, or anything else for all values.
fn forced(value: &ConfigValue, headers: &[String]) -> Result<Forced, String> {
    let ConfigKind::Array(items) = &value.kind else { return Ok(Forced::All) };
    let mut places = Vec::new();
    for item in items {
        let name = item.scalar_text().unwrap_or_default();
        match (&item.kind, headers.iter().position(|header| *header == name)) {
            (ConfigKind::Integer(place), _) => places.extend(usize::try_from(*place)),
            (_, Some(place)) => places.push(place),
            (_, None) if headers.is_empty() => {
                return Err(format!("\"force_quotes\" names \"{name}\", which needs \"headers\""));
            }
            (_, None) => {}
        }
    }
    Ok(Forced::At(places))
}
