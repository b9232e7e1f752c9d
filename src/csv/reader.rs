//! `Reader`: the first row of a text, as `CSV.parse_line` finds it (`lib/csv/parser.rb` of csv 3.3).

use std::borrow::Cow;

use memchr::{memchr, memchr2};

/// A value of a row. `None` is a value that is empty and not quoted.
pub type Field<'t> = Option<Cow<'t, str>>;

/// The values of one row.
pub type Row<'t> = Vec<Field<'t>>;

/// Why a text is not CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("unclosed quoted field")]
    Unclosed,
    #[error("any value after a quoted field isn't allowed")]
    BehindQuotes,
    #[error("illegal quoting")]
    IllegalQuoting,
    #[error("unquoted fields do not allow new lines")]
    NewLine,
    #[error("a separator is incomplete")]
    Separator,
    #[error("the separator must be one or more characters")]
    EmptySeparator,
    #[error("the quote character must be a single character")]
    LongQuote,
}

/// Reads rows with one pair of separator and quote character.
#[derive(Debug, Clone)]
pub struct Reader {
    separator: Box<str>,
    /// The separator's first character.
    first: char,
    quote: char,
    /// Options that Ruby refuses with every text.
    mistake: Option<Malformed>,
}

impl Reader {
    /// Never fails: what is wrong with the options is wrong with every text then, see [`mistake`](Self::mistake).
    pub fn new(separator: &str, quote: &str) -> Self {
        let mut characters = quote.chars();
        let (quote, is_one) = match (characters.next(), characters.next()) {
            (Some(quote), None) => (quote, true),
            _ => ('"', false),
        };
        let mistake = match separator.chars().next() {
            _ if !is_one => Some(Malformed::LongQuote),
            None => Some(Malformed::EmptySeparator),
            Some(_) => None,
        };
        Reader { separator: separator.into(), first: separator.chars().next().unwrap_or(','), quote, mistake }
    }

    /// What is wrong with the separator or the quote character themselves.
    pub fn mistake(&self) -> Option<Malformed> {
        self.mistake
    }

    /// The first row; a text without one gives `None`, an empty line a row without values.
    ///
    /// The first line break of the text, `\r\n`, `\n` or `\r`, is the one that ends rows. What stands behind the first
    /// row is not looked at.
    ///
    /// # Errors
    /// When a quote stands within an unquoted value, is never closed, or is followed by anything but a separator.
    pub fn first_row<'t>(&self, text: &'t str) -> Result<Option<Row<'t>>, Malformed> {
        if let Some(mistake) = self.mistake {
            return Err(mistake);
        }
        if text.is_empty() {
            return Ok(None);
        }
        let end = memchr2(b'\r', b'\n', text.as_bytes()).unwrap_or(text.len());
        let (line, rest) = text.split_at(end);
        if line.is_empty() {
            return Ok(Some(Row::new()));
        }
        if let Some(row) = self.simple_row(line) {
            return Ok(Some(row));
        }
        let row_end = match rest.get(..2) {
            Some("\r\n") => "\r\n",
            _ if rest.starts_with('\r') => "\r",
            _ => "\n",
        };
        Scanner { rest: text, reader: self, row_end }.row()
    }

    /// A row on one line, in which quotes stand around whole values only; `None` where it takes more to read it.
    fn simple_row<'t>(&self, line: &'t str) -> Option<Row<'t>> {
        let value = |value: &'t str| (!value.is_empty()).then_some(Cow::Borrowed(value));
        let mut row = Row::with_capacity(16);
        let separator = &*self.separator;
        match (separator.as_bytes(), self.has_quote(line)) {
            ([byte], false) => {
                let mut rest = line;
                while let Some(at) = memchr(*byte, rest.as_bytes()) {
                    row.push(value(rest.get(..at)?));
                    rest = rest.get(at + 1..)?;
                }
                row.push(value(rest));
            }
            (_, false) => row.extend(line.split(separator).map(value)),
            (_, true) if separator.contains(self.quote) => return None,
            (_, true) => {
                let mut rest = Some(line);
                while let Some(text) = rest {
                    let column;
                    (column, rest) = match text.strip_prefix(self.quote) {
                        Some(opened) => {
                            let (inside, behind) = opened.split_once(self.quote)?;
                            let rest =
                                if behind.is_empty() { None } else { Some(behind.strip_prefix(separator)?) };
                            (Some(Cow::Borrowed(inside)), rest)
                        }
                        None => {
                            let (column, rest) = match text.split_once(separator) {
                                Some((column, rest)) => (column, Some(rest)),
                                None => (text, None),
                            };
                            if self.has_quote(column) {
                                return None;
                            }
                            (value(column), rest)
                        }
                    };
                    row.push(column);
                }
            }
        }
        Some(row)
    }

    fn has_quote(&self, text: &str) -> bool {
        match u8::try_from(self.quote) {
            Ok(quote) if quote.is_ascii() => memchr(quote, text.as_bytes()).is_some(),
            _ => text.contains(self.quote),
        }
    }
}

/// Reads one row character by character (`parse_quotable_robust`).
struct Scanner<'r, 't> {
    rest: &'t str,
    reader: &'r Reader,
    row_end: &'static str,
}

/// What a value was written as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    Quoted,
    Plain,
    Nothing,
}

impl<'t> Scanner<'_, 't> {
    fn row(mut self) -> Result<Option<Row<'t>>, Malformed> {
        let mut row = Row::new();
        loop {
            let (value, written) = self.value()?;
            if self.skip(&self.reader.separator) {
                row.push(value);
                continue;
            }
            let is_end_of_row = self.skip(self.row_end);
            if !is_end_of_row && !self.rest.is_empty() {
                return Err(self.mistake(written));
            }
            if row.is_empty() && value.is_none() {
                return Ok(is_end_of_row.then_some(row));
            }
            row.push(value);
            return Ok(Some(row));
        }
    }

    /// Why a value is followed by what it is followed by.
    fn mistake(&self, written: Written) -> Malformed {
        match written {
            Written::Quoted => Malformed::BehindQuotes,
            _ if self.rest.starts_with(['\r', '\n']) => Malformed::NewLine,
            _ if self.rest.starts_with(self.reader.quote) => Malformed::IllegalQuoting,
            _ => Malformed::Separator,
        }
    }

    fn skip(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Takes characters as long as they are what is asked for.
    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|character| !wanted(character)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// Takes quotes and counts them.
    fn quotes(&mut self) -> usize {
        let quote = self.reader.quote;
        self.take_while(|character| character == quote).len() / quote.len_utf8()
    }

    fn value(&mut self) -> Result<(Field<'t>, Written), Malformed> {
        match self.quotes() {
            0 => {
                let plain = self.plain();
                let written = if plain.is_empty() { Written::Nothing } else { Written::Plain };
                Ok(((!plain.is_empty()).then_some(Cow::Borrowed(plain)), written))
            }
            quotes if quotes % 2 == 0 => {
                Ok((Some(self.repeated_quote((quotes - 2) / 2).into()), Written::Quoted))
            }
            quotes => Ok((Some(self.quoted(quotes / 2)?), Written::Quoted)),
        }
    }

    fn repeated_quote(&self, times: usize) -> String {
        std::iter::repeat_n(self.reader.quote, times).collect()
    }

    /// The rest of a quoted value, of which the opening quote and some doubled ones have been taken.
    fn quoted(&mut self, doubled: usize) -> Result<Cow<'t, str>, Malformed> {
        let quote = self.reader.quote;
        let first = self.take_while(|character| character != quote);
        let mut quotes = self.quotes();
        if doubled == 0 && quotes == 1 {
            return Ok(Cow::Borrowed(first));
        }
        let mut value = self.repeated_quote(doubled);
        value.push_str(first);
        loop {
            value.extend(std::iter::repeat_n(quote, quotes / 2));
            match quotes {
                0 => return Err(Malformed::Unclosed),
                odd if odd % 2 == 1 => return Ok(Cow::Owned(value)),
                _ => {}
            }
            value.push_str(self.take_while(|character| character != quote));
            quotes = self.quotes();
        }
    }

    /// A value without quotes. Of a separator of several characters, the first one may stand in it.
    fn plain(&mut self) -> &'t str {
        let Reader { separator, first, quote, .. } = self.reader;
        let row_end = self.row_end;
        let belongs = |character| character != *first && character != *quote && !row_end.contains(character);
        let whole = self.rest;
        let mut taken = self.take_while(belongs).len();
        if taken == 0 || separator.len() == first.len_utf8() {
            return whole.get(..taken).unwrap_or_default();
        }
        while !self.rest.starts_with(&**separator) {
            let separators = self.take_while(|character| character == *first).len();
            let more = if separators == 0 { 0 } else { self.take_while(belongs).len() };
            taken += separators + more;
            if more == 0 {
                break;
            }
        }
        whole.get(..taken).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(reader: &Reader, text: &str) -> Result<Option<Vec<Option<String>>>, Malformed> {
        let row = reader.first_row(text)?;
        Ok(row.map(|row| row.into_iter().map(|field| field.map(Cow::into_owned)).collect()))
    }

    /// Values separated by `|`, with `-` for null.
    fn row(values: &str) -> Result<Option<Vec<Option<String>>>, Malformed> {
        Ok(Some(values.split('|').map(|value| (value != "-").then(|| value.to_owned())).collect()))
    }

    #[test]
    fn quotes_are_read_strictly() {
        // As CSV.parse_line of csv 3.3 answers.
        let reader = Reader::new(",", "\"");
        for (text, values) in [
            ("a,b,\"c d\",,\"\"", "a|b|c d|-|"),
            ("\"a\"\"b\",\"\"\"\",x", "a\"b|\"|x"),
            ("\"\"\"a\"\"\",b", "\"a\"|b"),
            ("\"\"\"\"\"\",b", "\"\"|b"),
            ("a,\"b\nc\",d", "a|b\nc|d"),
            ("\"a\nb\",c\r\nd", "a\nb|c\r"),
            ("a,b\r\nc,\"", "a|b"),
            ("a\rb\n", "a"),
            (",", "-|-"),
            (" a , b ", " a | b "),
        ] {
            assert_eq!(read(&reader, text), row(values), "{text}");
        }
        for (text, mistake) in [
            ("a \"b\" c", Malformed::IllegalQuoting),
            ("a,\"b", Malformed::Unclosed),
            ("\"a\"b,c", Malformed::BehindQuotes),
            ("\"a\r\nb\",c\nd", Malformed::NewLine),
            ("a, \"b\"", Malformed::IllegalQuoting),
            ("\"\"\"", Malformed::Unclosed),
        ] {
            assert_eq!(read(&reader, text), Err(mistake), "{text}");
        }
    }

    #[test]
    fn no_row_and_an_empty_row_differ() {
        let reader = Reader::new(",", "\"");
        assert_eq!(read(&reader, ""), Ok(None));
        assert_eq!(read(&reader, "\n"), Ok(Some(Vec::new())));
        assert_eq!(read(&reader, "\r\na"), Ok(Some(Vec::new())));
    }

    #[test]
    fn separators_of_several_characters() {
        let reader = Reader::new("|#", "\"");
        assert_eq!(read(&reader, "a|#b|c|#d"), Ok(Some(["a", "b|c", "d"].map(|v| Some(v.into())).into())));
        // A quoted value makes Ruby read character by character, which swallows the first half of `||#`.
        assert_eq!(
            read(&reader, "\"x\"\"\"|#a||#b"),
            Ok(Some(["x\"", "a||#b"].map(|v| Some(v.into())).into()))
        );
        assert_eq!(read(&reader, "\"x\"\"\"|#|a"), Err(Malformed::Separator));
    }

    #[test]
    fn options_that_ruby_refuses_fail_every_text() {
        assert_eq!(read(&Reader::new("", "\""), "a"), Err(Malformed::EmptySeparator));
        assert_eq!(read(&Reader::new(",", "''"), "a"), Err(Malformed::LongQuote));
        assert_eq!(
            read(&Reader::new(",", "«"), "«a,b«,c"),
            Ok(Some(["a,b", "c"].map(|v| Some(v.into())).into()))
        );
    }
}
