//! Cuts a streamed body into its lines: one message each, blank ones keep the connection alive.

use memchr::memchr;

/// Longer lines are no tweets (the longest have some 30 kB): they are skipped, so that no server can fill the memory.
const MAX_LINE: usize = 8 << 20;

/// What a chunk of the body brought.
#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// A message, without its line end.
    Message(&'a [u8]),
    /// A message beyond [`MAX_LINE`], which was skipped.
    TooLong,
}

/// Keeps the beginning of a line until its end arrives.
///
/// Lines end with `\r\n`; a bare `\n` is accepted too, for JSON text holds neither unescaped.
#[derive(Debug, Default)]
pub struct Lines {
    started: Vec<u8>,
    skipping: bool,
}

impl Lines {
    /// Takes one chunk and hands out the lines that it completes, blank ones left out.
    pub fn push(&mut self, mut chunk: &[u8], mut on_line: impl FnMut(Line<'_>)) {
        while let Some(end) = memchr(b'\n', chunk) {
            let (line, rest) = chunk.split_at(end);
            chunk = rest.get(1..).unwrap_or_default();
            if std::mem::take(&mut self.skipping) {
                on_line(Line::TooLong);
            } else if self.started.is_empty() {
                hand_out(line, &mut on_line);
            } else {
                self.started.extend_from_slice(line);
                hand_out(&self.started, &mut on_line);
            }
            self.started.clear();
        }
        if self.skipping || self.started.len() + chunk.len() > MAX_LINE {
            self.skipping = true;
            self.started = Vec::new();
        } else {
            self.started.extend_from_slice(chunk);
        }
    }

    /// Whether a line has begun and not ended: a connection that closes now lost a message.
    pub fn is_inside_line(&self) -> bool {
        self.skipping || !self.started.is_empty()
    }
}

fn hand_out(line: &[u8], on_line: &mut impl FnMut(Line<'_>)) {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match line.len() {
        0 => {}
        length if length > MAX_LINE => on_line(Line::TooLong),
        _ => on_line(Line::Message(line)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(chunks: &[&[u8]]) -> (Vec<String>, bool) {
        let mut lines = Lines::default();
        let mut seen = Vec::new();
        for chunk in chunks {
            lines.push(chunk, |line| match line {
                Line::Message(text) => seen.push(String::from_utf8_lossy(text).into_owned()),
                Line::TooLong => seen.push("(too long)".to_owned()),
            });
        }
        (seen, lines.is_inside_line())
    }

    #[test]
    fn lines_may_be_cut_anywhere() {
        let body = "{\"a\":\"한글 😀\"}\r\n\r\n{\"b\":2}\n\n{\"c\":3}\r\n".as_bytes();
        for size in 1..body.len() {
            let chunks: Vec<&[u8]> = body.chunks(size).collect();
            assert_eq!(
                cut(&chunks),
                (vec!["{\"a\":\"한글 😀\"}".into(), "{\"b\":2}".into(), "{\"c\":3}".into()], false)
            );
        }
    }

    #[test]
    fn keep_alives_are_no_messages() {
        assert_eq!(cut(&[b"\r\n", b"\n", b"\r", b"\n"]), (vec![], false));
    }

    #[test]
    fn an_unfinished_line_is_known() {
        assert_eq!(cut(&[b"{\"a\":1}\r\n{\"b\""]), (vec!["{\"a\":1}".into()], true));
    }

    #[test]
    fn a_line_without_end_is_skipped() {
        let block = vec![b'x'; MAX_LINE / 2 + 1];
        assert_eq!(
            cut(&[&block, &block, &block, b"\r\n{}\r\n"]),
            (vec!["(too long)".into(), "{}".into()], false)
        );
    }
}
