//! `Tokenizer`: cuts a stream of bytes at a delimiter (`BufferedTokenizer.java`).

use memchr::memmem::Finder;

use crate::plugin::Apart;

/// What lies between two delimiters, however the stream came in pieces. The delimiter is not part of it.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    delimiter: Finder<'static>,
    /// What came after the last delimiter.
    held: Vec<u8>,
    /// Longer tokens are cut; `usize::MAX` where there is no limit.
    limit: usize,
    /// How many bytes of the token in `held` were let go because of the limit.
    dropped: usize,
}

/// A token, or as much of it as the limit allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token<'t> {
    Whole(&'t [u8]),
    /// The first bytes of a token that was longer than the limit.
    Cut(&'t [u8]),
}

impl Tokenizer {
    /// A tokenizer for a delimiter that is not empty.
    pub fn new(delimiter: &[u8]) -> Self {
        Tokenizer {
            delimiter: Finder::new(delimiter).into_owned(),
            held: Vec::new(),
            limit: usize::MAX,
            dropped: 0,
        }
    }

    /// The same, for tokens of at most `limit` bytes: no more than that is ever held back.
    pub fn with_limit(delimiter: &[u8], limit: usize) -> Self {
        Tokenizer { limit, ..Self::new(delimiter) }
    }

    /// One for the same delimiter that has seen nothing yet.
    pub fn fresh(&self) -> Self {
        Tokenizer { delimiter: self.delimiter.clone(), held: Vec::new(), limit: self.limit, dropped: 0 }
    }

    /// How many bytes wait for a delimiter.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// Whole lines leave nothing behind where it is their ends that it cuts at.
    pub fn apart(&self) -> Apart {
        if self.delimiter.needle() == b"\n" { Apart::WholeLines } else { Apart::Nothing }
    }

    /// Takes the next bytes of the stream and hands out every token that they complete.
    pub fn extract(&mut self, bytes: &[u8], mut each: impl FnMut(Token<'_>)) {
        if self.held.is_empty() {
            let rest = self.split(bytes, 0, 0, &mut each);
            self.hold(bytes.get(rest..).unwrap_or_default());
            return;
        }
        // The delimiter may have begun in what is held already; the rest of that has been searched before.
        let searched = self.held.len().saturating_sub(self.delimiter.needle().len() - 1);
        let mut held = std::mem::take(&mut self.held);
        held.extend_from_slice(bytes);
        let dropped = std::mem::take(&mut self.dropped);
        let rest = self.split(&held, searched, dropped, &mut each);
        if rest == 0 {
            self.dropped = dropped;
        }
        held.drain(..rest);
        self.held = held;
        self.cut_held();
    }

    /// Hands out what came after the last delimiter, if anything did.
    pub fn flush(&mut self, each: impl FnOnce(Token<'_>)) {
        let held = std::mem::take(&mut self.held);
        let dropped = std::mem::take(&mut self.dropped);
        if !held.is_empty() {
            each(self.token(&held, dropped));
        }
    }

    /// Hands out the complete tokens of `bytes` and tells where the last delimiter ends. `dropped` bytes of the first
    /// token are gone.
    fn split(
        &self,
        bytes: &[u8],
        from: usize,
        mut dropped: usize,
        each: &mut impl FnMut(Token<'_>),
    ) -> usize {
        let (mut start, mut search) = (0, from);
        while let Some(found) = bytes.get(search..).and_then(|rest| self.delimiter.find(rest)) {
            let end = search + found;
            each(self.token(bytes.get(start..end).unwrap_or_default(), std::mem::take(&mut dropped)));
            start = end + self.delimiter.needle().len();
            search = start;
        }
        start
    }

    fn token<'t>(&self, bytes: &'t [u8], dropped: usize) -> Token<'t> {
        match bytes.get(..self.limit) {
            Some(first) if dropped > 0 || bytes.len() > self.limit => {
                let size = bytes.len().saturating_add(dropped);
                tracing::warn!(
                    limit = self.limit,
                    size,
                    "input buffer full, the rest of the data is dropped"
                );
                Token::Cut(first)
            }
            _ => Token::Whole(bytes),
        }
    }

    fn hold(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
        self.cut_held();
    }

    /// Lets go of the middle of a token that is too long: its end may be the beginning of the delimiter.
    fn cut_held(&mut self) {
        let tail = self.delimiter.needle().len() - 1;
        let most = self.limit.saturating_add(tail);
        if self.held.len() > most {
            let excess = self.held.len() - most;
            self.held.drain(self.limit..self.limit + excess);
            self.dropped += excess;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(tokenizer: &mut Tokenizer, pieces: &[&str]) -> Vec<String> {
        let mut tokens = Vec::new();
        let mut keep = |token: Token<'_>| {
            tokens.push(match token {
                Token::Whole(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                Token::Cut(bytes) => format!("{}...", String::from_utf8_lossy(bytes)),
            });
        };
        pieces.iter().for_each(|piece| tokenizer.extract(piece.as_bytes(), &mut keep));
        tokenizer.flush(keep);
        tokens
    }

    #[test]
    fn pieces_do_not_matter() {
        let whole = "foo\r\n\r\nbar\r\rbaz\r\nqux";
        let expected = ["foo", "", "bar\r\rbaz", "qux"];
        for first in 0..whole.len() {
            for second in first..whole.len() {
                let pieces = [&whole[..first], &whole[first..second], &whole[second..]];
                assert_eq!(run(&mut Tokenizer::new(b"\r\n"), &pieces), expected, "{pieces:?}");
            }
        }
    }

    #[test]
    fn nothing_is_left_at_the_end_of_a_line() {
        assert_eq!(run(&mut Tokenizer::new(b"\n"), &["a\n", "b\n"]), ["a", "b"]);
        assert_eq!(run(&mut Tokenizer::new(b"\n"), &["\n"]), [""]);
        assert_eq!(run(&mut Tokenizer::new(b"\n"), &[]), [""; 0]);
    }

    #[test]
    fn long_tokens_are_cut_and_not_held() {
        let mut tokenizer = Tokenizer::with_limit(b"||", 4);
        assert_eq!(run(&mut tokenizer, &["abcd||abcde||x"]), ["abcd", "abcd...", "x"]);
        for _ in 0..100 {
            tokenizer.extract(b"0123456789|", |_| panic!("no delimiter yet"));
            assert!(tokenizer.held.len() <= 5);
        }
        assert_eq!(run(&mut tokenizer, &["|next||0123456|", "89"]), ["0123...", "next", "0123..."]);
        assert_eq!(run(&mut tokenizer, &["last"]), ["last"]);
    }
}
