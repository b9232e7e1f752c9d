//! CSV dictionaries, as Ruby's `CSV.open` reads them: the first column is the key, the second its value.

use super::dictionary::Entries;
use crate::event::Value;

/// Text that Ruby's CSV library refuses, with its message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CsvError {
    #[error("Illegal quoting in line {0}.")]
    IllegalQuoting(usize),
    #[error("Unclosed quoted field in line {0}.")]
    Unclosed(usize),
    #[error("Any value after quoted field isn't allowed in line {0}.")]
    AfterQuoted(usize),
}

/// Adds the lines to the entries there are. A line without a second column stands for null; empty ones for nothing.
pub fn read(text: &str, entries: &mut Entries) -> Result<(), CsvError> {
    let mut reader = Reader { rest: text, line: 1 };
    while !reader.rest.is_empty() {
        let mut columns = reader.row()?.into_iter();
        match (columns.next().flatten(), columns.next().flatten()) {
            (Some(key), value) => entries.insert(key, value.map_or(Value::Null, Value::from)),
            (None, _) => entries.note_other_key("nothing"),
        }
    }
    Ok(())
}

struct Reader<'t> {
    rest: &'t str,
    line: usize,
}

impl Reader<'_> {
    /// The columns up to the end of the line. An unquoted empty one is null.
    fn row(&mut self) -> Result<Vec<Option<String>>, CsvError> {
        let mut columns = Vec::new();
        loop {
            let line = self.line;
            let column = match self.rest.strip_prefix('"') {
                Some(rest) => {
                    self.rest = rest;
                    Some(self.quoted(line)?)
                }
                None => self.bare()?,
            };
            columns.push(column);
            if let Some(rest) = self.rest.strip_prefix(',') {
                self.rest = rest;
                continue;
            }
            let behind = self.rest.strip_prefix('\r').unwrap_or(self.rest);
            match behind.strip_prefix('\n') {
                Some(rest) => self.rest = rest,
                None if behind.is_empty() => self.rest = behind,
                // A carriage return alone ends a line as well.
                None if behind.len() < self.rest.len() => self.rest = behind,
                None => return Err(CsvError::AfterQuoted(line)),
            }
            self.line += 1;
            return Ok(columns);
        }
    }

    fn bare(&mut self) -> Result<Option<String>, CsvError> {
        let end = self.rest.find([',', '\r', '\n']).unwrap_or(self.rest.len());
        let (column, rest) = self.rest.split_at(end);
        if column.contains('"') {
            return Err(CsvError::IllegalQuoting(self.line));
        }
        self.rest = rest;
        Ok((!column.is_empty()).then(|| column.to_owned()))
    }

    /// What stands between quotes; two of them are one.
    fn quoted(&mut self, opened: usize) -> Result<String, CsvError> {
        let mut column = String::new();
        loop {
            let (before, rest) = self.rest.split_once('"').ok_or(CsvError::Unclosed(opened))?;
            self.line += before.matches('\n').count();
            column.push_str(before);
            self.rest = rest;
            match rest.strip_prefix('"') {
                Some(rest) => {
                    column.push('"');
                    self.rest = rest;
                }
                None => return Ok(column),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(text: &str) -> Result<Vec<(String, Value)>, CsvError> {
        let mut entries = Entries::default();
        read(text, &mut entries)?;
        Ok(entries.as_object().iter().map(|(key, value)| (key.to_owned(), value.clone())).collect())
    }

    #[test]
    fn lines_as_ruby_reads_them() {
        let text = "a,1\r\n\r\n\"b \"\"x\"\"\",\"two\nlines\",more\nc\nd,\ne,\"\"\n,none\na,2";
        let expected = [
            ("a", Value::from("2")),
            ("b \"x\"", Value::from("two\nlines")),
            ("c", Value::Null),
            ("d", Value::Null),
            ("e", Value::from("")),
        ];
        assert_eq!(read_all(text), Ok(expected.map(|(key, value)| (key.to_owned(), value)).to_vec()));
    }

    #[test]
    fn what_ruby_refuses() {
        for (text, error) in [
            ("a,b\"c\n", CsvError::IllegalQuoting(1)),
            ("a,1\n\"b\nc", CsvError::Unclosed(2)),
            ("a,1\n\"b\"c,2\n", CsvError::AfterQuoted(2)),
        ] {
            assert_eq!(read_all(text), Err(error), "{text}");
        }
    }
}
