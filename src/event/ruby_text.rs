//! Ruby's string methods as plugins use them: case, `strip`, `split`, `join`.

use super::text::ruby_to_s;
use super::value::Value;

/// `String#upcase`, with the mappings that make one letter several (`ß`).
pub fn upcase(text: &str) -> String {
    text.to_uppercase()
}

/// `String#downcase`. A sigma at the end of a word becomes an ordinary one, unlike in Rust's own mapping.
pub fn downcase(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// `String#capitalize`: the first character in title case, the others in lower case.
pub fn capitalize(text: &str) -> String {
    let mut characters = text.chars();
    let Some(first) = characters.next() else { return String::new() };
    let mut capitalized = String::with_capacity(text.len());
    push_title_case(&mut capitalized, first);
    capitalized.extend(characters.flat_map(char::to_lowercase));
    capitalized
}

/// Appends a letter in title case, which differs from upper case for digraphs, ligatures and a few scripts (Unicode's
/// `SpecialCasing.txt` and the third mapping of `UnicodeData.txt`).
fn push_title_case(out: &mut String, letter: char) {
    match letter {
        'Ǆ' | 'ǅ' | 'ǆ' => out.push('ǅ'),
        'Ǉ' | 'ǈ' | 'ǉ' => out.push('ǈ'),
        'Ǌ' | 'ǋ' | 'ǌ' => out.push('ǋ'),
        'Ǳ' | 'ǲ' | 'ǳ' => out.push('ǲ'),
        // Georgian has capitals for whole words only.
        '\u{10D0}'..='\u{10FA}' | '\u{10FD}'..='\u{10FF}' => out.push(letter),
        // Greek with iota subscript: the capital takes the iota beside it.
        '\u{1F80}'..='\u{1FAF}' => out.push(char::from_u32(u32::from(letter) | 8).unwrap_or(letter)),
        'ᾳ' | 'ᾼ' => out.push('ᾼ'),
        'ῃ' | 'ῌ' => out.push('ῌ'),
        'ῳ' | 'ῼ' => out.push('ῼ'),
        _ => {
            let mut upper = letter.to_uppercase();
            out.extend(upper.next());
            // A letter that becomes several keeps all but the first small: `ß` is `Ss`, `ﬁ` is `Fi`.
            out.extend(upper.flat_map(char::to_lowercase));
        }
    }
}

/// `String#strip`: ASCII white space and NUL at both ends.
pub fn strip(text: &str) -> &str {
    text.trim_matches(|c| matches!(c, '\0' | '\t'..='\r' | ' '))
}

/// `String#split` with a text: a single space stands for any run of white space, an empty separator splits between
/// characters, and empty parts at the end are left out.
pub fn split(text: &str, separator: &str) -> Vec<Value> {
    let mut parts: Vec<&str> = match separator {
        " " => text.split(|c| matches!(c, '\t'..='\r' | ' ')).filter(|part| !part.is_empty()).collect(),
        "" => text.char_indices().filter_map(|(at, c)| text.get(at..at + c.len_utf8())).collect(),
        _ => text.split(separator).collect(),
    };
    while parts.last().is_some_and(|part| part.is_empty()) {
        parts.pop();
    }
    parts.into_iter().map(Value::from).collect()
}

/// `Array#join`: nested arrays are joined with the same separator, null is nothing.
pub fn join(items: &[Value], separator: &str) -> String {
    let mut joined = String::new();
    push_joined(&mut joined, items, separator);
    joined
}

fn push_joined(out: &mut String, items: &[Value], separator: &str) {
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push_str(separator);
        }
        match item {
            Value::Str(text) => out.push_str(text),
            Value::Null => {}
            Value::Array(nested) => push_joined(out, nested, separator),
            other => out.push_str(&ruby_to_s(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_follows_unicode() {
        assert_eq!(upcase("straße ǆ ﬁ é"), "STRASSE Ǆ FI É");
        assert_eq!(downcase("ΌΣΟΣ İ"), "όσοσ i̇");
        for (text, capitalized) in [
            ("hELLO World", "Hello world"),
            ("ßA", "Ssa"),
            ("ǆABC", "ǅabc"),
            ("ﬁX", "Fix"),
            ("ᾳ", "ᾼ"),
            ("", ""),
        ] {
            assert_eq!(capitalize(text), capitalized);
        }
    }

    #[test]
    fn strip_knows_ascii_space_only() {
        assert_eq!(strip(" \t\n x y \r\n\0"), "x y");
        assert_eq!(strip("\u{A0}x\u{3000}"), "\u{A0}x\u{3000}");
    }

    #[test]
    fn splitting() {
        let split = |text, separator| -> Vec<String> {
            split(text, separator).iter().filter_map(|part| part.as_str().map(str::to_owned)).collect()
        };
        assert_eq!(split("  x  y z ", " "), ["x", "y", "z"]);
        assert_eq!(split("한b😀", ""), ["한", "b", "😀"]);
        assert_eq!(split(",a,,b,,", ","), ["", "a", "", "b"]);
        assert!(split("", ",").is_empty());
    }
}
