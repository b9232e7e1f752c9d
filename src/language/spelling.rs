//! Near misses: words that resemble the right one, and characters that resemble ordinary ones.

/// The candidate that a word was most likely meant to be, if any is close enough.
pub fn nearest<'c>(word: &str, candidates: &[&'c str]) -> Option<&'c str> {
    let word = word.to_ascii_lowercase();
    let similarity = |candidate: &&'c str| (strsim::damerau_levenshtein(&word, candidate), *candidate);
    let (distance, best) = candidates.iter().map(similarity).min()?;
    (distance <= 1 + best.chars().count() / 4).then_some(best)
}

/// The name of a character that looks like an ordinary one but is not, and what to do about it.
pub(super) fn odd_character(character: char) -> Option<(String, &'static str)> {
    let code = format!("U+{:04X}", character as u32);
    let (name, help) = match character {
        '\u{feff}' => ("byte order mark", "save the file as UTF-8 without BOM"),
        '\u{a0}' | '\u{202f}' => ("no-break space", "replace it by an ordinary space"),
        '\u{3000}' => ("ideographic space", "replace it by an ordinary space"),
        '\u{b}' | '\u{c}' => ("control character", "replace it by an ordinary space or a line break"),
        '\u{200b}'..='\u{200f}' | '\u{2060}' => ("invisible character", "remove it"),
        '\u{201c}'..='\u{201f}' | '\u{ab}' | '\u{bb}' => ("typographic quote", "replace it by a plain \""),
        '\u{2018}'..='\u{201b}' | '`' | '\u{b4}' => ("typographic quote", "replace it by a plain '"),
        '\u{2010}'..='\u{2015}' => ("typographic dash", "replace it by a plain -"),
        '\u{fffd}' => ("replacement character", "the file was damaged by a wrong encoding; save it as UTF-8"),
        _ if character.is_whitespace() && !" \t\r\n".contains(character) => {
            ("kind of space", "replace it by an ordinary space")
        }
        _ if character.is_control() && !"\t\r\n".contains(character) => ("control character", "remove it"),
        _ => return None,
    };
    let shown = if name.contains("quote") {
        format!("{name} {character} ({code})")
    } else {
        format!("{name} ({code})")
    };
    Some((shown, help))
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn only_close_words_are_suggested() {
        let sections = ["input", "filter", "output"];
        assert_eq!(nearest("filters", &sections), Some("filter"));
        assert_eq!(nearest("OUTPUT", &sections), Some("output"));
        assert_eq!(nearest("ouptut", &sections), Some("output"));
        assert_eq!(nearest("codec", &sections), None);
    }
}
