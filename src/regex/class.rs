//! Reads bracket expressions: `[a-z&&[^aeiou]]`, `[[:alpha:]_]`, `[\w.-]`.
//!
//! The states follow Joni's `Parser.parseCharClass`, because what a stray `-` or `[` means depends on them.
use super::ast::{Class, ClassItem, ClassType, Property, TypeKind};
use super::cursor::{Cursor, Parsed};
use super::error::Error;

/// The options that change what a class means.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ranges {
    /// `\w \d \s \h` are ASCII.
    pub types_ascii: bool,
    /// POSIX brackets are ASCII.
    pub posix_ascii: bool,
}

/// Nested brackets deeper than this are refused.
const MAX_DEPTH: usize = 100;

enum State {
    /// Nothing that could begin a range has been read.
    Start,
    /// A character that may begin a range.
    Value(char),
    /// A class was read: it cannot begin a range.
    Set,
    /// The lower end and the hyphen of a range.
    Range(char),
    /// A range was completed.
    Complete,
}

/// Reads the class whose `[` has just been read.
pub(super) fn parse_class(cursor: &mut Cursor<'_>, ranges: Ranges, depth: usize) -> Parsed<Class> {
    let opened = cursor.offset() - 1;
    if depth > MAX_DEPTH {
        return cursor.fail("too deep nest of character classes");
    }
    let negated = cursor.eat("^");
    let mut reader = Reader { state: State::Start, union: Vec::new(), unions: Vec::new(), at: opened };
    if cursor.rest().starts_with(']') {
        if !cursor.rest().get(1..).is_some_and(has_closing_bracket) {
            return cursor.fail("empty char-class");
        }
        cursor.next();
        reader.value(']')?;
    }
    loop {
        reader.at = cursor.offset();
        let Some(next) = cursor.next() else {
            return Err(Error::at("premature end of char-class", opened));
        };
        match next {
            ']' => break,
            '-' => reader.hyphen(cursor)?,
            '[' if cursor.rest().starts_with(':') && posix_follows(cursor.rest()) => {
                match posix_bracket(cursor, ranges)? {
                    Some(item) => reader.set(item)?,
                    None => reader.value('[')?,
                }
            }
            '[' => {
                let nested = parse_class(cursor, ranges, depth + 1)?;
                reader.union.push(ClassItem::Nested(nested));
            }
            '&' if cursor.eat("&") => reader.intersect(),
            '\\' => reader.escape(cursor, ranges)?,
            other => reader.value(other)?,
        }
    }
    Ok(reader.finish(negated))
}

struct Reader {
    state: State,
    union: Vec<ClassItem>,
    unions: Vec<Vec<ClassItem>>,
    /// Where the item being read begins.
    at: usize,
}

impl Reader {
    fn value(&mut self, value: char) -> Parsed<()> {
        match std::mem::replace(&mut self.state, State::Value(value)) {
            State::Value(pending) => self.union.push(ClassItem::Range(pending, pending)),
            State::Range(low) if low > value => return Err(Error::at("empty range in char class", self.at)),
            State::Range(low) => {
                self.union.push(ClassItem::Range(low, value));
                self.state = State::Complete;
            }
            State::Start | State::Set | State::Complete => {}
        }
        Ok(())
    }

    fn set(&mut self, item: ClassItem) -> Parsed<()> {
        match std::mem::replace(&mut self.state, State::Set) {
            State::Value(pending) => self.union.push(ClassItem::Range(pending, pending)),
            State::Range(_) => return Err(Error::at("char-class value at end of range", self.at)),
            State::Start | State::Set | State::Complete => {}
        }
        self.union.push(item);
        Ok(())
    }

    fn hyphen(&mut self, cursor: &Cursor<'_>) -> Parsed<()> {
        let closes = cursor.rest().starts_with(']') || cursor.rest().starts_with("&&");
        match self.state {
            State::Value(_) | State::Set if closes => self.value('-'),
            State::Set => Err(Error::at("unmatched range specifier in char-class", self.at)),
            State::Value(low) => {
                self.state = State::Range(low);
                Ok(())
            }
            State::Start | State::Range(_) | State::Complete => self.value('-'),
        }
    }

    fn intersect(&mut self) {
        if let State::Value(pending) = std::mem::replace(&mut self.state, State::Start) {
            self.union.push(ClassItem::Range(pending, pending));
        }
        self.unions.push(std::mem::take(&mut self.union));
    }

    fn escape(&mut self, cursor: &mut Cursor<'_>, ranges: Ranges) -> Parsed<()> {
        if let Some(class_type) = cursor.peek().and_then(|letter| letter_type(letter, ranges.types_ascii)) {
            cursor.next();
            return self.set(ClassItem::Type(class_type));
        }
        let rest = cursor.rest();
        if rest.starts_with("p{") || rest.starts_with("P{") {
            return self.set(ClassItem::Property(property(cursor)?));
        }
        if rest.starts_with("u{") {
            cursor.next();
            for character in cursor.unicode_list()? {
                self.value(character)?;
            }
            return Ok(());
        }
        let character = cursor.escaped_char(true)?;
        self.value(character)
    }

    fn finish(mut self, negated: bool) -> Class {
        self.intersect();
        Class { negated, unions: self.unions }
    }
}

/// The class that a letter behind a backslash stands for, inside brackets and outside.
pub(super) fn letter_type(letter: char, ascii: bool) -> Option<ClassType> {
    let kind = match letter.to_ascii_lowercase() {
        'w' => TypeKind::Word,
        'd' => TypeKind::Digit,
        's' => TypeKind::Space,
        'h' => TypeKind::Xdigit,
        _ => return None,
    };
    Some(ClassType { kind, negated: letter.is_ascii_uppercase(), ascii })
}

/// Reads `p{name}` or `P{name}` behind a backslash.
pub(super) fn property(cursor: &mut Cursor<'_>) -> Parsed<Property> {
    let capital = cursor.next() == Some('P');
    let (name, negated) = cursor.property_name()?;
    Ok(Property { name, negated: capital != negated })
}

/// Whether an unescaped-or-not `]` still follows, which makes the `]` just read a literal one.
fn has_closing_bracket(rest: &str) -> bool {
    let mut characters = rest.chars();
    while let Some(character) = characters.next() {
        match character {
            ']' => return true,
            '\\' => {
                characters.next();
            }
            _ => {}
        }
    }
    false
}

/// Whether `:]` comes before any other unescaped `]`.
fn posix_follows(rest: &str) -> bool {
    let mut characters = rest.chars().skip(1).peekable();
    while let Some(character) = characters.next() {
        match character {
            ':' if characters.peek() == Some(&']') => return true,
            ']' => return false,
            '\\' => {
                characters.next();
            }
            _ => {}
        }
    }
    false
}

/// Longest text between `[:` and `:]` that is taken for a mistyped POSIX name and not for plain characters.
const POSIX_NAME_LIMIT: usize = 20;

/// Reads `:name:]` behind `[`; `None` leaves the cursor where it was, as the `[` is then an ordinary character.
fn posix_bracket(cursor: &mut Cursor<'_>, ranges: Ranges) -> Parsed<Option<ClassItem>> {
    let start = cursor.offset();
    cursor.eat(":");
    let negated = cursor.eat("^");
    for (kind, name) in TypeKind::ALL {
        if cursor.rest().starts_with(name) {
            cursor.eat(name);
            if !cursor.eat(":]") {
                return Err(Error::at("invalid POSIX bracket type", start));
            }
            return Ok(Some(ClassItem::Type(ClassType { kind, negated, ascii: ranges.posix_ascii })));
        }
    }
    let name_length = cursor.rest().find([':', ']']).unwrap_or(usize::MAX);
    let looks_posix = cursor.rest().get(name_length..).is_some_and(|end| end.starts_with(":]"));
    if looks_posix && cursor.rest().chars().take_while(|c| *c != ':').count() <= POSIX_NAME_LIMIT {
        return Err(Error::at("invalid POSIX bracket type", start));
    }
    cursor.rewind(start);
    Ok(None)
}
