//! `Statement`: SQL with `:name` or `?` in it, which values take the places of.

use super::literal::{Dialect, LiteralError, Writing, push_number};
use crate::event::Value;

/// A statement, parsed once.
#[derive(Debug, Clone)]
pub struct Statement {
    parts: Box<[Part]>,
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Text(Box<str>),
    /// The place of the parameter with this number.
    Parameter(usize),
    /// The same inside a text literal, with the text that stands there.
    Quoted(usize, Box<str>),
}

/// What stands for a value.
#[derive(Clone, Copy)]
enum Marks<'a> {
    Names(&'a [&'a str]),
    Questions,
}

/// A statement that could not be given its values.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BindError {
    #[error("the statement has {marks} parameters and {values} values for them")]
    Count { marks: usize, values: usize },
    #[error(transparent)]
    Literal(#[from] LiteralError),
}

impl Statement {
    /// A statement with `:name`s. Only names of the list are parameters, in no comment, and not `::name`, which is a
    /// cast in PostgreSQL. Inside a text literal only a number takes the place of its name (`interval ':n days'`): a
    /// text would end the literal, and then it stays as it is written.
    pub fn named(sql: &str, dialect: Dialect, names: &[&str]) -> Self {
        Self::parse(sql, dialect, Marks::Names(names))
    }

    /// A statement with `?` outside of literals, quoted names and comments.
    pub fn positional(sql: &str, dialect: Dialect) -> Self {
        Self::parse(sql, dialect, Marks::Questions)
    }

    /// How many values [`render`](Self::render) wants at least.
    pub fn parameters(&self) -> usize {
        let numbers = self.parts.iter().map(|part| match part {
            Part::Text(_) => 0,
            Part::Parameter(number) | Part::Quoted(number, _) => number + 1,
        });
        numbers.max().unwrap_or(0)
    }

    /// The statement with values: of names in the order in which they were given, else of the marks.
    pub fn render(&self, values: &[Value], writing: &Writing) -> Result<String, BindError> {
        let missing = || BindError::Count { marks: self.parameters(), values: values.len() };
        let mut sql = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => sql.push_str(text),
                Part::Parameter(number) => {
                    writing.push(&mut sql, values.get(*number).ok_or_else(missing)?)?;
                }
                Part::Quoted(number, text) => match values.get(*number).ok_or_else(missing)? {
                    number @ (Value::Int(_) | Value::Float(_) | Value::Big(_)) => {
                        push_number(&mut sql, number);
                    }
                    _ => sql.push_str(text),
                },
            }
        }
        Ok(sql)
    }

    fn parse(sql: &str, dialect: Dialect, marks: Marks<'_>) -> Self {
        let (mut parts, mut text, mut rest, mut found) = (Vec::new(), String::new(), sql, 0);
        while let Some(first) = rest.chars().next() {
            let opaque = opaque(rest, dialect);
            if opaque > 0 {
                let (inside, after) = rest.split_at(opaque);
                match marks {
                    Marks::Names(names) if first == '\'' => push_quoted(&mut parts, &mut text, inside, names),
                    _ => text.push_str(inside),
                }
                rest = after;
                continue;
            }
            let mark = match marks {
                Marks::Questions => (first == '?').then_some((found, 1)),
                Marks::Names(names) => name_at(rest, names).filter(|_| !text.ends_with(':')),
            };
            match mark {
                Some((number, length)) => {
                    found += 1;
                    parts.push(Part::Text(std::mem::take(&mut text).into()));
                    parts.push(Part::Parameter(number));
                    rest = rest.get(length..).unwrap_or_default();
                }
                None => {
                    text.push(first);
                    rest = rest.get(first.len_utf8()..).unwrap_or_default();
                }
            }
        }
        parts.push(Part::Text(text.into()));
        parts.retain(|part| !matches!(part, Part::Text(text) if text.is_empty()));
        Statement { parts: parts.into() }
    }
}

/// Takes apart a text literal with names in it.
fn push_quoted(parts: &mut Vec<Part>, text: &mut String, literal: &str, names: &[&str]) {
    let mut rest = literal;
    while let Some(first) = rest.chars().next() {
        let length = match name_at(rest, names) {
            Some((number, length)) => {
                parts.push(Part::Text(std::mem::take(text).into()));
                parts.push(Part::Quoted(number, rest.get(..length).unwrap_or_default().into()));
                length
            }
            None => {
                text.push(first);
                first.len_utf8()
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
}

/// The number of the name that a text begins with after a colon, and the length of both.
fn name_at(text: &str, names: &[&str]) -> Option<(usize, usize)> {
    let name = text.strip_prefix(':')?;
    let end = name.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(name.len());
    let name = name.get(..end)?;
    names.iter().position(|known| *known == name).map(|number| (number, end + 1))
}

/// The length of the literal, quoted name or comment that a text begins with; 0 for anything else.
fn opaque(text: &str, dialect: Dialect) -> usize {
    let mysql = dialect == Dialect::MySql;
    let bytes = text.as_bytes();
    match bytes {
        [quote @ (b'\'' | b'"'), ..] => quoted(bytes, *quote, mysql),
        [b'`', ..] if dialect != Dialect::Postgres => quoted(bytes, b'`', false),
        [b'E' | b'e', b'\'', ..] if dialect == Dialect::Postgres => {
            bytes.get(1..).map_or(0, |literal| 1 + quoted(literal, b'\'', true))
        }
        [b'-', b'-', ..] => line(bytes),
        [b'#', ..] if mysql => line(bytes),
        [b'/', b'*', ..] => block_comment(bytes, dialect == Dialect::Postgres),
        [b'$', ..] if dialect == Dialect::Postgres => dollar_quoted(text),
        // A word is passed over whole, so that the e of `date'...'` is not taken for the start of a literal.
        [b'a'..=b'z' | b'A'..=b'Z' | b'_', ..] => {
            text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len())
        }
        _ => 0,
    }
}

/// A doubled quote is part of the text; so is whatever follows a backslash, where those escape.
fn quoted(bytes: &[u8], quote: u8, backslash: bool) -> usize {
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        at += match byte {
            b'\\' if backslash => 2,
            byte if *byte == quote => {
                if bytes.get(at + 1) != Some(&quote) {
                    return at + 1;
                }
                2
            }
            _ => 1,
        };
    }
    bytes.len()
}

fn line(bytes: &[u8]) -> usize {
    memchr::memchr(b'\n', bytes).map_or(bytes.len(), |end| end + 1)
}

fn block_comment(bytes: &[u8], nests: bool) -> usize {
    let (mut at, mut depth) = (2, 1);
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        match rest {
            [b'*', b'/', ..] => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            [b'/', b'*', ..] if nests => {
                depth += 1;
                at += 2;
            }
            _ => at += 1,
        }
    }
    bytes.len()
}

/// `$tag$ ... $tag$`
fn dollar_quoted(text: &str) -> usize {
    let Some((tag, rest)) = text.get(1..).and_then(|rest| rest.split_once('$')) else { return 0 };
    if tag.starts_with(|c: char| c.is_ascii_digit()) || !tag.chars().all(|c| c.is_alphanumeric() || c == '_')
    {
        return 0;
    }
    let close = format!("${tag}$");
    rest.find(&close).map_or(text.len(), |end| end + 2 * close.len())
}

#[cfg(test)]
mod tests {
    use super::super::Clock;
    use super::*;

    fn named(dialect: Dialect, sql: &str, id: impl Into<Value>) -> String {
        let statement = Statement::named(sql, dialect, &["id", "id2"]);
        let writing = Writing::new(dialect, Clock::utc());
        statement.render(&[id.into(), "two".into()], &writing).unwrap()
    }

    #[test]
    fn names_are_whole_words() {
        let sql = "select :id, :id2, :idx, :other, x::id from t where a=:id";
        assert_eq!(named(Dialect::Postgres, sql, 5), "select 5, 'two', :idx, :other, x::id from t where a=5");
    }

    #[test]
    fn literals_names_and_comments_are_left_alone() {
        let kept = [
            (Dialect::Sqlite, r#"select ':id' from ":id" -- :id"#),
            (Dialect::Sqlite, "select 'it''s :id', `:id` /* ':id */"),
            (Dialect::MySql, r"select 'a\':id', ':id' # :id"),
            (Dialect::Postgres, r"select E'a\':id', date':id' /* /* */ :id */"),
            (Dialect::Postgres, "select $$ :id $$, $x$ :id $$ $x$, $1"),
        ];
        for (dialect, sql) in kept {
            assert_eq!(named(dialect, sql, "text"), sql, "{dialect:?}");
        }
        // Backslashes do not escape in SQLite: the literal has ended.
        assert_eq!(named(Dialect::Sqlite, r"'a\':id", "v"), r"'a\''v'");
        assert_eq!(named(Dialect::Postgres, "-- c\n:id /**/:id", "v"), "-- c\n'v' /**/'v'");
    }

    /// Sequel puts values everywhere; with numbers that works inside of literals, and people use it.
    #[test]
    fn numbers_stand_inside_literals_as_well() {
        assert_eq!(named(Dialect::Postgres, "interval ':id days'", 5), "interval '5 days'");
    }

    #[test]
    fn questions_are_counted_outside_of_literals() {
        let statement = Statement::positional("select '?' from t where a = ? and b = ? -- ?", Dialect::MySql);
        assert_eq!(statement.parameters(), 2);
        let writing = Writing::new(Dialect::MySql, Clock::utc());
        assert_eq!(
            statement.render(&[1.into(), "x".into()], &writing).unwrap(),
            "select '?' from t where a = 1 and b = 'x' -- ?"
        );
        assert_eq!(statement.render(&[1.into()], &writing), Err(BindError::Count { marks: 2, values: 1 }));
    }
}
