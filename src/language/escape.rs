//! The escapes of quoted strings under `config.support_escapes` (`config/string_escape.rb`).

/// Replaces `\"`, `\'`, `\\`, `\n`, `\r`, `\t` and `\0`; a backslash before anything else stays.
pub(super) fn process_escapes(text: &str) -> Box<str> {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        let (before, escape) = rest.split_at(at);
        result.push_str(before);
        let mut characters = escape.chars();
        characters.next();
        match characters.next() {
            Some(c @ ('"' | '\'' | '\\')) => result.push(c),
            Some('n') => result.push('\n'),
            Some('r') => result.push('\r'),
            Some('t') => result.push('\t'),
            Some('0') => result.push('\0'),
            Some(other) => {
                result.push('\\');
                result.push(other);
            }
            None => result.push('\\'),
        }
        rest = characters.as_str();
    }
    result.push_str(rest);
    result.into()
}

#[cfg(test)]
mod tests {
    use super::process_escapes;

    #[test]
    fn only_the_named_escapes_are_replaced() {
        assert_eq!(&*process_escapes(r#"a\tb\n\r\0 \" \' \\ \x \d"#), "a\tb\n\r\0 \" ' \\ \\x \\d");
    }

    #[test]
    fn a_backslash_that_is_escaped_escapes_nothing() {
        assert_eq!(&*process_escapes(r"\\n"), r"\n");
    }

    #[test]
    fn a_backslash_at_the_end_stays() {
        assert_eq!(&*process_escapes("a\\"), "a\\");
    }
}
