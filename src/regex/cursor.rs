//! A place in a pattern: reads characters, numbers, names and character escapes.
use super::error::Error;

pub(super) type Parsed<T> = Result<T, Error>;

#[derive(Debug, Clone)]
pub(super) struct Cursor<'p> {
    pattern: &'p str,
    offset: usize,
}

impl<'p> Cursor<'p> {
    pub fn new(pattern: &'p str) -> Self {
        Cursor { pattern, offset: 0 }
    }

    pub fn offset(&self) -> usize {
        self.offset
    }

    pub fn rest(&self) -> &'p str {
        self.pattern.get(self.offset..).unwrap_or_default()
    }

    pub fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.offset += next.len_utf8();
        Some(next)
    }

    /// Steps over `expected` if it comes next.
    pub fn eat(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        if found {
            self.offset += expected.len();
        }
        found
    }

    pub fn rewind(&mut self, offset: usize) {
        self.offset = offset;
    }

    pub fn fail<T>(&self, message: impl Into<String>) -> Parsed<T> {
        Err(Error::at(message, self.offset))
    }

    /// Reads up to `limit` digits of `radix`; `None` when there is none, `u32::MAX` when the number is larger.
    pub fn number(&mut self, radix: u32, limit: usize) -> Option<u32> {
        let mut value = None;
        for _ in 0..limit {
            let Some(digit) = self.peek().and_then(|c| c.to_digit(radix)) else { break };
            self.next();
            value = Some(value.unwrap_or(0u32).saturating_mul(radix).saturating_add(digit));
        }
        value
    }

    /// Reads a character escape that is neither a class nor an anchor nor a reference; the backslash has been read.
    ///
    /// Ruby puts `\xE3\x81\x82` together before the engine sees it, so bytes above 0x7F must form one UTF-8
    /// character (re.c, `unescape_nonascii`).
    pub fn escaped_char(&mut self, in_class: bool) -> Parsed<char> {
        let start = self.offset.saturating_sub(1);
        let Some(letter) = self.next() else {
            return Err(Error::at("too short escape sequence", start));
        };
        match letter {
            'u' => self.unicode_escape(start),
            'x' | 'c' | 'C' | 'M' | '0'..='7' => {
                self.rewind(start + 1);
                let first = self.escaped_byte()?;
                if first < 0x80 { Ok(char::from(first)) } else { self.escaped_utf8(first, start) }
            }
            'n' => Ok('\n'),
            't' => Ok('\t'),
            'r' => Ok('\r'),
            'f' => Ok('\x0C'),
            'a' => Ok('\x07'),
            'v' => Ok('\x0B'),
            'e' => Ok('\x1B'),
            'b' if in_class => Ok('\x08'),
            other => Ok(other),
        }
    }

    /// One byte written as `\xHH`, `\OOO`, `\cX`, `\C-X` or `\M-X`, from behind its backslash.
    fn escaped_byte(&mut self) -> Parsed<u8> {
        match self.next() {
            Some('x') => {
                let value = self.number(16, 2).map_or_else(|| self.fail("invalid hex escape"), Ok)?;
                Ok(value as u8)
            }
            Some(digit @ '0'..='7') => {
                self.rewind(self.offset - digit.len_utf8());
                let value = self.number(8, 3).unwrap_or(0);
                u8::try_from(value).or_else(|_| self.fail("too big number"))
            }
            Some('c') => self.control_byte(),
            Some('C') if self.eat("-") => self.control_byte(),
            Some('C') => self.fail("too short control escape"),
            Some('M') if self.eat("-") => Ok(self.plain_or_escaped_byte("too short meta escape")? | 0x80),
            Some('M') => self.fail("too short meta escape"),
            _ => self.fail("unexpected escape sequence"),
        }
    }

    fn control_byte(&mut self) -> Parsed<u8> {
        if self.eat("?") {
            return Ok(0x7F);
        }
        Ok(self.plain_or_escaped_byte("too short control escape")? & 0x9F)
    }

    fn plain_or_escaped_byte(&mut self, too_short: &str) -> Parsed<u8> {
        if self.eat("\\") {
            return self.escaped_byte();
        }
        match self.next() {
            Some(c) if c.is_ascii() => Ok(c as u8),
            _ => self.fail(too_short),
        }
    }

    fn escaped_utf8(&mut self, first: u8, start: usize) -> Parsed<char> {
        let length = match first {
            0xC2..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF4 => 4,
            _ => return Err(Error::at("invalid multibyte escape", start)),
        };
        let mut bytes = vec![first];
        while bytes.len() < length {
            if !self.eat("\\") {
                return Err(Error::at("invalid multibyte escape", start));
            }
            bytes.push(self.escaped_byte()?);
        }
        let decoded = std::str::from_utf8(&bytes).ok().and_then(|text| text.chars().next());
        decoded.ok_or_else(|| Error::at("invalid multibyte escape", start))
    }

    /// `\uHHHH`, or `\u{H..}` with a single code point.
    fn unicode_escape(&mut self, start: usize) -> Parsed<char> {
        if self.rest().starts_with('{') {
            let mut list = self.unicode_list()?;
            return match (list.pop(), list.is_empty()) {
                (Some(only), true) => Ok(only),
                _ => Err(Error::at("invalid Unicode list", start)),
            };
        }
        let before = self.offset;
        let value = self.number(16, 4).filter(|_| self.offset - before == 4);
        let value = value.map_or_else(|| self.fail("invalid Unicode escape"), Ok)?;
        char::from_u32(value).ok_or_else(|| Error::at("invalid Unicode range", start))
    }

    /// The characters of `{H.. H..}` behind `\u`.
    pub fn unicode_list(&mut self) -> Parsed<Vec<char>> {
        let start = self.offset;
        self.eat("{");
        let mut characters = Vec::new();
        loop {
            while self.peek().is_some_and(|c| c.is_ascii_whitespace()) {
                self.next();
            }
            if self.eat("}") {
                break;
            }
            let value = self.number(16, 6).map_or_else(|| self.fail("invalid Unicode list"), Ok)?;
            characters.push(char::from_u32(value).ok_or_else(|| Error::at("invalid Unicode range", start))?);
        }
        if characters.is_empty() {
            return Err(Error::at("invalid Unicode list", start));
        }
        Ok(characters)
    }

    /// The name in `{name}` or `{^name}` behind `\p`; the flag says whether `^` stood there.
    pub fn property_name(&mut self) -> Parsed<(String, bool)> {
        self.eat("{");
        let negated = self.eat("^");
        let start = self.offset;
        loop {
            match self.next() {
                Some('}') => break,
                Some('(' | ')' | '{' | '|') => {
                    return Err(Error::at("invalid character property name", start));
                }
                Some(_) => {}
                None => return Err(Error::at("property name never terminated", start)),
            }
        }
        let name = self.pattern.get(start..self.offset - 1).unwrap_or_default();
        Ok((name.to_owned(), negated))
    }
}
