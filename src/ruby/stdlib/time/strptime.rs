//! `strptime`: reading a text by a format.

use super::parse::{Fields, fraction, full_year, month_number, weekday_number};

/// Reads a text by a format: the parts and what is left of the text. `None` where it does not fit.
pub(super) fn strptime<'t>(text: &'t str, format: &str) -> Option<(Fields, &'t str)> {
    let mut reader = Reader { rest: text, fields: Fields::default() };
    reader.read(format)?;
    if let (Some(afternoon), Some(hour)) = (reader.fields.afternoon, reader.fields.hour) {
        reader.fields.hour = Some(hour % 12 + if afternoon { 12 } else { 0 });
    }
    Some((reader.fields, reader.rest))
}

struct Reader<'t> {
    rest: &'t str,
    fields: Fields,
}

impl Reader<'_> {
    fn read(&mut self, format: &str) -> Option<()> {
        let mut characters = format.chars().peekable();
        while let Some(character) = characters.next() {
            if character.is_whitespace() {
                self.rest = self.rest.trim_start();
                continue;
            }
            if character != '%' {
                self.rest = self.rest.strip_prefix(character)?;
                continue;
            }
            let mut kind = characters.next()?;
            while matches!(kind, '-' | '0' | '^' | '#' | '_' | ':' | 'E' | 'O') || kind.is_ascii_digit() {
                kind = characters.next()?;
            }
            let digit_follows = match characters.peek() {
                Some(next) if next.is_ascii_digit() => true,
                Some('%') => {
                    let mut ahead = characters.clone();
                    ahead.next();
                    ahead
                        .next()
                        .is_some_and(|next| "CDdeFGgHIjkLlMmNQRrSsTUuVvWwXxYy0123456789".contains(next))
                }
                _ => false,
            };
            self.directive(kind, digit_follows)?;
        }
        Some(())
    }

    fn number(&mut self, most: usize) -> Option<(i64, usize)> {
        let count = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (digits, behind) = self.rest.split_at(count);
        self.rest = behind;
        Some((digits.parse().ok()?, count))
    }

    fn signed(&mut self, most: usize) -> Option<(i64, usize)> {
        let negative = self.rest.starts_with('-');
        if negative || self.rest.starts_with('+') {
            self.rest = self.rest.get(1..)?;
        }
        let (number, count) = self.number(most)?;
        Some((if negative { -number } else { number }, count))
    }

    /// A number between two bounds.
    fn within(&mut self, most: usize, low: i64, high: i64) -> Option<i64> {
        self.rest = self.rest.trim_start_matches(' ');
        let (number, _) = self.number(most)?;
        (low..=high).contains(&number).then_some(number)
    }

    fn word(&mut self, full: &[&str]) -> Option<()> {
        for name in full {
            for form in [*name, name.get(..3).unwrap_or(name)] {
                if self.rest.get(..form.len()).is_some_and(|start| start.eq_ignore_ascii_case(form)) {
                    self.rest = self.rest.get(form.len()..)?;
                    return Some(());
                }
            }
        }
        None
    }

    fn directive(&mut self, kind: char, digit_follows: bool) -> Option<()> {
        let before = self.rest;
        match kind {
            'Y' => self.fields.year = Some(self.signed(if digit_follows { 4 } else { 10 })?.0),
            'C' => self.fields.year = Some(self.signed(2)?.0 * 100),
            'y' => {
                let (year, digits) = self.number(2)?;
                self.fields.year = Some(full_year(year, digits));
            }
            'm' => self.fields.month = Some(self.within(2, 1, 12)?),
            'B' | 'b' | 'h' => {
                self.word(&super::format::MONTHS)?;
                self.fields.month = month_number(before);
            }
            'd' | 'e' => self.fields.day = Some(self.within(2, 1, 31)?),
            'j' => self.fields.year_day = Some(self.within(3, 1, 366)?),
            'H' | 'k' => self.fields.hour = Some(self.within(2, 0, 24)?),
            'I' | 'l' => self.fields.hour = Some(self.within(2, 1, 12)?),
            'M' => self.fields.minute = Some(self.within(2, 0, 59)?),
            'S' => self.fields.second = Some(self.within(2, 0, 60)?),
            'L' | 'N' => {
                let most = match (digit_follows, kind) {
                    (false, _) => usize::MAX,
                    (true, 'L') => 3,
                    (true, _) => 9,
                };
                let count = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
                let (digits, behind) = self.rest.split_at(count);
                if digits.is_empty() {
                    return None;
                }
                self.fields.nanos = Some(fraction(digits));
                self.rest = behind;
            }
            'p' | 'P' => {
                let half = self.rest.get(..1)?.to_ascii_lowercase();
                self.fields.afternoon = Some(match half.as_str() {
                    "a" => false,
                    "p" => true,
                    _ => return None,
                });
                let behind = self.rest.get(1..)?;
                let dotted = behind.strip_prefix('.').unwrap_or(behind);
                let dotted = dotted.strip_prefix(['m', 'M'])?;
                self.rest =
                    if behind.starts_with('.') { dotted.strip_prefix('.').unwrap_or(dotted) } else { dotted };
            }
            'A' | 'a' => {
                self.word(&super::format::DAYS)?;
                self.fields.weekday = weekday_number(before);
            }
            'u' => self.fields.weekday = Some(self.within(1, 1, 7)? % 7),
            'w' => self.fields.weekday = Some(self.within(1, 0, 6)?),
            'G' => self.fields.week_year = Some(self.signed(4)?.0),
            'V' => self.fields.week = Some(self.within(2, 1, 53)?),
            'U' | 'W' => _ = self.within(2, 0, 53)?,
            's' => self.fields.epoch = Some(i128::from(self.signed(20)?.0) * 1_000_000_000),
            'Q' => self.fields.epoch = Some(i128::from(self.signed(20)?.0) * 1_000_000),
            'z' | 'Z' => self.zone()?,
            'n' | 't' => self.rest = self.rest.trim_start(),
            '%' => self.rest = self.rest.strip_prefix('%')?,
            'c' => self.read("%a %b %e %H:%M:%S %Y")?,
            'D' | 'x' => self.read("%m/%d/%y")?,
            'F' => self.read("%Y-%m-%d")?,
            'T' | 'X' => self.read("%H:%M:%S")?,
            'R' => self.read("%H:%M")?,
            'r' => self.read("%I:%M:%S %p")?,
            'v' => self.read("%e-%b-%Y")?,
            '+' => self.read("%a %b %e %H:%M:%S %Z %Y")?,
            other => self.rest = self.rest.strip_prefix('%')?.strip_prefix(other)?,
        }
        Some(())
    }

    fn zone(&mut self) -> Option<()> {
        let bytes = self.rest.as_bytes();
        let mut end = 0;
        if matches!(bytes.first(), Some(b'+' | b'-')) {
            end = 1 + bytes
                .iter()
                .skip(1)
                .take(8)
                .take_while(|byte| byte.is_ascii_digit() || **byte == b':')
                .count();
        } else {
            end += bytes.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
            if matches!(bytes.get(end), Some(b'+' | b'-')) {
                let digits = bytes.iter().skip(end + 1);
                end += 1 + digits.take_while(|byte| byte.is_ascii_digit() || **byte == b':').count();
            }
        }
        if end == 0 {
            return None;
        }
        let (name, behind) = self.rest.split_at(end);
        self.fields.set_zone(name);
        self.rest = behind;
        Some(())
    }
}
