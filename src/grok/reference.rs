//! Reads `%{NAME:field:type=definition}`.

/// A reference to a pattern, as it stands in an expression.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reference<'e> {
    /// Byte offset of the `%`.
    pub start: usize,
    /// Byte offset behind the `}`.
    pub end: usize,
    /// `NAME:field:type`: what the group is called.
    pub name: &'e str,
    /// `NAME`
    pub pattern: &'e str,
    /// What stands behind `=`: the pattern is defined on the spot.
    pub definition: Option<&'e str>,
}

/// The first reference at or behind byte `from`, read as ruby-grok's `PATTERN_RE` reads it.
pub(super) fn find(expression: &str, from: usize) -> Option<Reference<'_>> {
    let mut at = from;
    loop {
        at += expression.get(at..)?.find("%{")?;
        if let Some(reference) = read(expression, at) {
            return Some(reference);
        }
        at += 2;
    }
}

fn read(expression: &str, start: usize) -> Option<Reference<'_>> {
    let rest = expression.get(start..)?;
    let inside = rest.get(2..)?;
    let pattern = inside.get(..run(inside, is_of_pattern))?;
    if pattern.is_empty() {
        return None;
    }
    let mut name_end = 2 + pattern.len();
    if let Some(behind) = rest.get(name_end..)?.strip_prefix(':') {
        let field = run(behind, is_of_field);
        name_end += if field > 0 { 1 + field } else { 0 };
    }
    let behind = rest.get(name_end..)?;
    let definition = behind.strip_prefix('=').and_then(definition);
    // Whatever else stands before the closing brace means nothing.
    let skipped = definition.map_or(0, |definition| 1 + definition.len());
    let end = start + name_end + skipped + behind.get(skipped..)?.find('}')? + 1;
    Some(Reference { start, end, name: rest.get(2..name_end)?, pattern, definition })
}

fn run(text: &str, member: fn(char) -> bool) -> usize {
    text.find(|character| !member(character)).unwrap_or(text.len())
}

/// `[A-z0-9]`, whose range also holds the characters between the capitals and the small letters.
fn is_of_pattern(character: char) -> bool {
    matches!(character, 'A'..='z' | '0'..='9')
}

fn is_of_field(character: char) -> bool {
    is_of_pattern(character) || matches!(character, '@' | ':' | '.' | '-')
}

/// The definition at the beginning of `text`: as long as it can be with a closing brace somewhere behind it.
///
/// It is made of characters other than braces, of balanced pairs of braces, and of backslashes with everything up to
/// the end of the line, braces included. Of the ways to read it the one comes first in which the earlier pieces are
/// the longer ones; a place from which no way leads on is tried once only.
fn definition(text: &str) -> Option<&str> {
    let last_brace = text.rfind('}')?;
    let mut seen = vec![false; text.len() + 1];
    let end = longest(text, 0, last_brace, &mut seen)?;
    text.get(..end).filter(|definition| !definition.is_empty())
}

/// The end of the first way to read on from `at` that ends before `last_brace`.
///
/// The places still to be tried are kept on a stack, the best on top; only a place where nothing longer succeeded may
/// be an end.
fn longest(text: &str, at: usize, last_brace: usize, seen: &mut [bool]) -> Option<usize> {
    enum Try {
        From(usize),
        End(usize),
    }
    let mut tries = vec![Try::From(at)];
    while let Some(next) = tries.pop() {
        let at = match next {
            Try::End(at) if at <= last_brace => return Some(at),
            Try::End(_) => continue,
            Try::From(at) => at,
        };
        if std::mem::replace(seen.get_mut(at)?, true) {
            continue;
        }
        tries.push(Try::End(at));
        let rest = text.get(at..)?;
        match rest.chars().next() {
            None | Some('}') => {}
            Some('{') => tries.extend(balanced(rest).map(|length| Try::From(at + length))),
            Some('\\') => {
                let line = rest.find('\n').unwrap_or(rest.len());
                // Shortest first: the longest is then on top.
                let ends = rest.get(1..line)?.char_indices().map(|(index, c)| at + 1 + index + c.len_utf8());
                let unseen = ends.filter(|end| seen.get(*end) == Some(&false));
                tries.extend(unseen.map(Try::From));
            }
            Some(other) => tries.push(Try::From(at + other.len_utf8())),
        }
    }
    None
}

/// Length of the balanced pair of braces at the beginning of `text`.
fn balanced(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(expression: &str) -> Option<(&str, &str, Option<&str>, &str)> {
        let found = find(expression, 0)?;
        Some((found.pattern, found.name, found.definition, expression.get(found.end..)?))
    }

    #[test]
    fn references_are_found_as_ruby_grok_finds_them() {
        // What PATTERN_RE of lib/grok-pure.rb gives.
        for (expression, expected) in [
            ("a%{WORD}b", Some(("WORD", "WORD", None, "b"))),
            ("%{WORD:a b}c", Some(("WORD", "WORD:a", None, "c"))),
            ("%{INT:n:int}", Some(("INT", "INT:n:int", None, ""))),
            ("%{WORD:[a][b.c-d@e]}", Some(("WORD", "WORD:[a][b.c-d@e]", None, ""))),
            ("%{WORD:}x", Some(("WORD", "WORD", None, "x"))),
            ("%{A-B}", Some(("A", "A", None, ""))),
            ("%{} %{ X} %{Y}", Some(("Y", "Y", None, ""))),
            ("%{X", None),
            ("%{Q:q=a{2,3}}b", Some(("Q", "Q:q", Some("a{2,3}"), "b"))),
            ("%{Q=a{b{c}d}e}f", Some(("Q", "Q", Some("a{b{c}d}e"), "f"))),
            ("%{Q=a}}", Some(("Q", "Q", Some("a"), "}"))),
            ("%{Q=}", Some(("Q", "Q", None, ""))),
            // A backslash takes the rest of the line along.
            (r"%{Q:q=\d+} and %{R}!", Some(("Q", "Q:q", Some(r"\d+} and %{R"), "!"))),
            ("%{Q:q=\\d+} and\n%{R}!", Some(("Q", "Q:q", Some("\\d+} and\n%"), "!"))),
        ] {
            assert_eq!(parts(expression), expected, "{expression}");
        }
    }

    #[test]
    fn a_hostile_definition_takes_no_exponential_time() {
        let hostile = format!("%{{A={}}} {}", r"\a".repeat(2000), r"\{".repeat(2000));
        assert!(find(&hostile, 0).is_some());
    }
}
