//! Where to read on after a mistake. Nothing here decides what is accepted: it only runs once an error was found.

/// A place in a text that matters for its structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Open(char),
    Close(char),
    /// The first byte of a line.
    LineStart,
    /// A quoted string, up to this offset.
    String(usize),
    /// A quote that is never closed.
    Unclosed,
}

/// Walks over a text outside of strings and comments.
pub(super) struct Marks<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Marks<'t> {
    pub fn new(text: &'t str, at: usize) -> Self {
        Self { text, at }
    }
}

impl Iterator for Marks<'_> {
    type Item = (usize, Mark);

    fn next(&mut self) -> Option<(usize, Mark)> {
        let bytes = self.text.as_bytes();
        while let Some(&byte) = bytes.get(self.at) {
            let at = self.at;
            self.at += 1;
            let mark = match byte {
                b'{' | b'[' | b'(' => Mark::Open(byte as char),
                b'}' | b']' | b')' => Mark::Close(byte as char),
                b'\n' => return Some((self.at, Mark::LineStart)),
                b'#' => {
                    let rest = bytes.get(self.at..).unwrap_or_default();
                    self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                    continue;
                }
                b'"' | b'\'' => match string_end(self.text, at) {
                    Some(end) => {
                        self.at = end;
                        Mark::String(end)
                    }
                    None => Mark::Unclosed,
                },
                _ => continue,
            };
            return Some((at, mark));
        }
        None
    }
}

/// The offset behind the string whose opening quote stands at `at`; `None` if it is never closed.
pub(super) fn string_end(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let quote = *bytes.get(at)?;
    let mut from = at + 1;
    loop {
        let found = from + memchr::memchr(quote, bytes.get(from..)?)?;
        if found > at + 1 && bytes.get(found - 1) == Some(&b'\\') {
            from = found + 1;
        } else {
            return Some(found + 1);
        }
    }
}

/// The brackets that are open at `to`, outermost first, each with its offset, when reading starts at `from`.
pub(super) fn open_brackets(text: &str, from: usize, to: usize) -> Vec<(usize, char)> {
    let mut open = Vec::new();
    for (at, mark) in Marks::new(text, from).take_while(|(at, _)| *at < to) {
        match mark {
            Mark::Open(bracket) => open.push((at, bracket)),
            Mark::Close(_) => drop(open.pop()),
            Mark::LineStart | Mark::String(_) | Mark::Unclosed => {}
        }
    }
    open
}

/// Where to read on inside of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resume {
    /// At the next option.
    Attribute(usize),
    /// At the brace that closes the plugin.
    CloseBrace(usize),
    Nowhere,
}

/// Where to read on after an option that starts at `start` was not understood at `failure`.
pub(super) fn in_plugin(text: &str, start: usize, failure: usize) -> Resume {
    let mut open: Vec<char> = open_brackets(text, start, failure).into_iter().map(|(_, it)| it).collect();
    for (at, mark) in Marks::new(text, failure) {
        match mark {
            Mark::Open(bracket) => open.push(bracket),
            Mark::Close('}') => match open.iter().rposition(|it| *it == '{') {
                Some(place) => open.truncate(place),
                None => return Resume::CloseBrace(at),
            },
            Mark::Close(_) => drop(open.pop()),
            Mark::LineStart if !open.contains(&'{') && looks_like_attribute(rest_of_line(text, at)) => {
                return Resume::Attribute(at);
            }
            Mark::LineStart | Mark::String(_) => {}
            Mark::Unclosed => return Resume::Nowhere,
        }
    }
    Resume::Nowhere
}

/// The offset behind the brace that opens the body of a condition that was not understood at `failure`.
pub(super) fn after_condition(text: &str, failure: usize) -> Option<usize> {
    let line = rest_of_line(text, failure);
    line.match_indices('{').map(|(at, _)| failure + at + 1).find(|&end| {
        let before = text.get(..end - 1).and_then(|it| it.chars().next_back());
        let after = text.get(end..).and_then(|it| it.chars().next());
        before.is_none_or(|it| it.is_whitespace() || ")]\"'/".contains(it))
            && after.is_none_or(|it| it.is_whitespace() || it == '}' || it == '#')
    })
}

/// Whether a line that looks like a plugin begins at `at`.
pub(super) fn starts_on_new_line(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    let break_between = before.get(before.trim_end().len()..).is_some_and(|it| it.contains('\n'));
    break_between && looks_like_item(rest_of_line(text, at))
}

/// Where to read on in a section or a branch: at a closing brace, or at a line that looks like a plugin or an `if`.
pub(super) fn in_body(text: &str, failure: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (at, mark) in Marks::new(text, failure) {
        match mark {
            Mark::Open('{') => depth += 1,
            Mark::Close('}') if depth == 0 => return Some(at),
            Mark::Close('}') => depth -= 1,
            Mark::LineStart if depth == 0 && looks_like_item(rest_of_line(text, at)) => return Some(at),
            Mark::Unclosed => return None,
            _ => {}
        }
    }
    None
}

/// The next line that opens a section.
pub(super) fn at_top_level(text: &str, failure: usize) -> Option<usize> {
    let from = failure + memchr::memchr(b'\n', text.as_bytes().get(failure..)?)? + 1;
    let starts = memchr::memchr_iter(b'\n', text.as_bytes().get(from..)?).map(|at| from + at + 1);
    std::iter::once(from).chain(starts).find(|&at| {
        let line = rest_of_line(text, at).trim_start();
        let (word, rest) = split_word(line);
        matches!(word, "input" | "filter" | "output") && rest.trim_start().starts_with('{')
    })
}

/// The text from `at` to the end of its line.
pub(super) fn rest_of_line(text: &str, at: usize) -> &str {
    text.get(at..).unwrap_or_default().lines().next().unwrap_or_default()
}

/// The word a text begins with, as names of plugins and options are made, and what follows it.
pub(super) fn split_word(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-')).unwrap_or(text.len());
    text.split_at(end)
}

/// Whether `name {` stands here with something other than a hash inside, or `if` with something behind it.
pub(super) fn looks_like_block(text: &str, at: usize) -> bool {
    let (word, rest) = split_word(text.get(at..).unwrap_or_default());
    let inside = rest.trim_start().strip_prefix('{').map(str::trim_start);
    match word {
        "" => false,
        "if" => !rest.trim_start().starts_with("=>"),
        _ => inside.is_some_and(|it| !it.starts_with(['"', '\''])),
    }
}

fn looks_like_attribute(line: &str) -> bool {
    let line = line.trim_start();
    let rest = match line.starts_with(['"', '\'']).then(|| string_end(line, 0)) {
        Some(end) => end.and_then(|end| line.get(end..)).unwrap_or_default(),
        None => match split_word(line) {
            ("", _) => return false,
            (_, rest) => rest,
        },
    };
    rest.trim_start().starts_with("=>")
}

fn looks_like_item(line: &str) -> bool {
    let (word, rest) = split_word(line.trim_start());
    let rest = rest.trim_start();
    !word.is_empty() && (rest.starts_with('{') || (word == "if" && rest.ends_with('{')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_after_any_backslash_does_not_close() {
        assert_eq!(string_end(r#""a\"b" c"#, 0), Some(6));
        assert_eq!(string_end(r#""a\\" c"#, 0), None);
        assert_eq!(string_end(r#""" c"#, 0), Some(2));
    }

    #[test]
    fn reading_goes_on_at_the_next_option_or_the_closing_brace() {
        let text = "mutate { a = 1\n  b => 2 }";
        assert_eq!(in_plugin(text, 9, 11), Resume::Attribute(15));
        let text = "mutate { a => [ 1 2\n }";
        assert_eq!(in_plugin(text, 9, 18), Resume::CloseBrace(21));
        let text = "mutate { a => { \"x\" 1\n bc => 2 } b = 3 }";
        assert_eq!(in_plugin(text, 9, 20), Resume::CloseBrace(39));
    }

    #[test]
    fn a_brace_inside_of_a_regular_expression_opens_no_body() {
        let text = "if [a] = /x{2}/ { drop { } }";
        assert_eq!(after_condition(text, 7), Some(17));
    }

    #[test]
    fn sections_are_found_at_the_start_of_a_line() {
        let text = "x } filter {\n output\n {\n  output {";
        assert_eq!(at_top_level(text, 0), Some(24));
    }
}
