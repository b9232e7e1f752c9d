//! `Writer`: a row as a line, as `CSV.generate_line` writes it (`lib/csv/writer.rb` of csv 3.3).

use std::borrow::Cow;

use crate::event::Value;
use crate::event::text::ruby_to_s;

/// Writes rows with one pair of separator and quote character. Rows end with a line break.
#[derive(Debug, Clone)]
pub struct Writer {
    separator: Box<str>,
    quote: Box<str>,
}

impl Writer {
    pub fn new(separator: &str, quote: &str) -> Self {
        Writer { separator: separator.into(), quote: quote.into() }
    }

    /// Appends a row of values. Null is nothing, empty text two quotes; arrays and hashes are written as Ruby inspects
    /// them.
    pub fn push_row<'v>(&self, values: impl IntoIterator<Item = Option<&'v Value>>, out: &mut Vec<u8>) {
        for (at, value) in values.into_iter().enumerate() {
            if at > 0 {
                out.extend_from_slice(self.separator.as_bytes());
            }
            match value {
                None | Some(Value::Null) => {}
                Some(Value::Str(text)) => self.push_field(text, out),
                Some(other) => self.push_field(&ruby_to_s(other), out),
            }
        }
        out.push(b'\n');
    }

    /// Appends a row of texts.
    pub fn push_texts<'v>(&self, texts: impl IntoIterator<Item = &'v str>, out: &mut Vec<u8>) {
        for (at, text) in texts.into_iter().enumerate() {
            if at > 0 {
                out.extend_from_slice(self.separator.as_bytes());
            }
            self.push_field(text, out);
        }
        out.push(b'\n');
    }

    fn push_field(&self, text: &str, out: &mut Vec<u8>) {
        if !text.is_empty() && !self.needs_quotes(text) {
            return out.extend_from_slice(text.as_bytes());
        }
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
}
