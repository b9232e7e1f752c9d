//! `Writer`: a row as a line, as `CSV.generate_line` writes it (`lib/csv/writer.rb` of csv 3.3).

use std::borrow::Cow;

use crate::event::Value;
use crate::event::text::ruby_to_s;

/// Writes rows. What [`new`](Self::new) does not take is as Ruby has it by default.
#[derive(Debug, Clone)]
pub struct Writer {
    separator: Box<str>,
    quote: Box<str>,
    /// What ends a row.
    pub row_end: Box<str>,
    /// Which values have quotes although they need none.
    pub forced: Forced,
    /// Whether empty text has quotes.
    pub quote_empty: bool,
    /// What stands for null.
    pub null: Option<Box<str>>,
    /// What stands for empty text.
    pub empty: Option<Box<str>>,
}

/// Ruby's `force_quotes`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Forced {
    #[default]
    None,
    All,
    /// The values at these places.
    At(Vec<usize>),
}

impl Writer {
    pub fn new(separator: &str, quote: &str) -> Self {
        Writer {
            separator: separator.into(),
            quote: quote.into(),
            row_end: "\n".into(),
            forced: Forced::None,
            quote_empty: true,
            null: None,
            empty: None,
        }
    }

    /// Appends a row of values. Null is nothing, empty text two quotes; arrays and hashes are written as Ruby inspects
    /// them.
    pub fn push_row<'v>(&self, values: impl IntoIterator<Item = Option<&'v Value>>, out: &mut Vec<u8>) {
        self.push(
            values.into_iter().map(|value| match value {
                None | Some(Value::Null) => None,
                Some(Value::Str(text)) => Some(Cow::Borrowed(&**text)),
                Some(other) => Some(ruby_to_s(other).into()),
            }),
            out,
        );
    }

    /// Appends a row of texts.
    pub fn push_texts<'v>(&self, texts: impl IntoIterator<Item = &'v str>, out: &mut Vec<u8>) {
        self.push(texts.into_iter().map(|text| Some(Cow::Borrowed(text))), out);
    }

    fn push<'v>(&self, values: impl Iterator<Item = Option<Cow<'v, str>>>, out: &mut Vec<u8>) {
        for (at, value) in values.enumerate() {
            if at > 0 {
                out.extend_from_slice(self.separator.as_bytes());
            }
            let forced = match &self.forced {
                Forced::None => false,
                Forced::All => true,
                Forced::At(places) => places.contains(&at),
            };
            let text = match (&value, &self.null, &self.empty) {
                (None, Some(null), _) => Some(&**null),
                (Some(text), _, Some(empty)) if text.is_empty() => Some(&**empty),
                (value, ..) => value.as_deref(),
            };
            match text {
                None if forced => self.push_quoted("", out),
                None => {}
                Some(text) if forced || self.needs_quotes(text) => self.push_quoted(text, out),
                Some(text) => out.extend_from_slice(text.as_bytes()),
            }
        }
        out.extend_from_slice(self.row_end.as_bytes());
    }

    fn push_quoted(&self, text: &str, out: &mut Vec<u8>) {
        let doubled = if self.quote.is_empty() {
            Cow::Borrowed(text)
        } else {
            Cow::Owned(text.replace(&*self.quote, &self.quote.repeat(2)))
        };
        for part in [&*self.quote, &*doubled, &*self.quote] {
            out.extend_from_slice(part.as_bytes());
        }
    }

    /// Ruby looks for any character of the separator, not for the separator.
    fn needs_quotes(&self, text: &str) -> bool {
        if text.is_empty() {
            return self.quote_empty;
        }
        text.contains(|character| {
            matches!(character, '\r' | '\n')
                || self.separator.contains(character)
                || self.quote.contains(character)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(writer: &Writer, values: &[Value]) -> String {
        let mut out = Vec::new();
        writer.push_row(values.iter().map(Some), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn rows_as_ruby_writes_them() {
        // As CSV.generate_line answers.
        let values = [
            Value::from("a"),
            Value::Null,
            Value::from(""),
            Value::from("say \"hi\""),
            Value::from("x,y"),
            Value::from("l1\nl2"),
            Value::from(1.5),
            Value::Bool(true),
            Value::Array(vec![Value::from("p"), Value::Null]),
        ];
        let expected = "a,,\"\",\"say \"\"hi\"\"\",\"x,y\",\"l1\nl2\",1.5,true,\"[\"\"p\"\", nil]\"\n";
        assert_eq!(line(&Writer::new(",", "\""), &values), expected);
        assert_eq!(line(&Writer::new("||", "'"), &["a|b", "it's"].map(Value::from)), "'a|b'||'it''s'\n");
    }

    #[test]
    fn options_of_rows() {
        // As CSV.generate_line answers with these options.
        let values = [Value::from("a"), Value::Null, Value::from(""), Value::from(1)];
        let plain = || Writer::new(",", "\"");
        for (writer, expected) in [
            (Writer { forced: Forced::All, ..plain() }, "\"a\",\"\",\"\",\"1\"\n"),
            (Writer { forced: Forced::At(vec![1, 3]), ..plain() }, "a,\"\",\"\",\"1\"\n"),
            (Writer { quote_empty: false, row_end: "\r\n".into(), ..plain() }, "a,,,1\r\n"),
            (Writer { null: Some("-".into()), empty: Some("e".into()), ..plain() }, "a,-,e,1\n"),
        ] {
            assert_eq!(line(&writer, &values), expected);
        }
    }
}
