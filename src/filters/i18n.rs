//! Filter `i18n`: letters of other alphabets as ASCII (logstash-filter-i18n).

use std::borrow::Cow;

use crate::event::{Event, FieldReference, Text, Value};
use crate::plugin::{Build, Emit, Example, Filter, Kind, Outcome, Spec, options};

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "i18n",
    summary: "Replaces accented Latin letters by ASCII ones, and what is not Latin by question marks.",
    options: I18n::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter { i18n { transliterate => ["city"] } }"#,
        input: &[r#"{"city":"København"}"#],
        output: &[r#"{"city":"Kobenhavn"}"#],
    },
    build: Build::Filter(|reader| Some(Box::new(I18n::read(reader)?))),
};

options! {
    #[derive(Debug)]
    pub struct I18n {
        /// Fields to write in ASCII: texts, or arrays of texts.
        transliterate: Vec<FieldReference> = [],
    }
}

/// The letters that have an ASCII form, and these forms, as in the gem i18n (`transliterator.rb`).
const FORMS: &[(&str, &str)] = &[
    ("ÀÁÂÃÄÅĀĂĄ", "A"),
    ("àáâãäåāăą", "a"),
    ("Æ", "AE"),
    ("æ", "ae"),
    ("ÇĆĈĊČ", "C"),
    ("çćĉċč", "c"),
    ("ÐĎĐ", "D"),
    ("ðďđ", "d"),
    ("ÈÉÊËĒĔĖĘĚ", "E"),
    ("èéêëēĕėęě", "e"),
    ("ĜĞĠĢ", "G"),
    ("ĝğġģ", "g"),
    ("ĤĦ", "H"),
    ("ĥħ", "h"),
    ("ÌÍÎÏĨĪĬĮİ", "I"),
    ("ìíîïĩīĭįı", "i"),
    ("Ĳ", "IJ"),
    ("ĳ", "ij"),
    ("Ĵ", "J"),
    ("ĵ", "j"),
    ("Ķ", "K"),
    ("ķĸ", "k"),
    ("ĹĻĽĿŁ", "L"),
    ("ĺļľŀł", "l"),
    ("ÑŃŅŇ", "N"),
    ("ñńņň", "n"),
    ("ŉ", "'n"),
    ("Ŋ", "NG"),
    ("ŋ", "ng"),
    ("ÒÓÔÕÖØŌŎŐǪǬ", "O"),
    ("òóôõöøōŏőǫǭ", "o"),
    ("Œ", "OE"),
    ("œ", "oe"),
    ("ŔŖŘ", "R"),
    ("ŕŗř", "r"),
    ("ŚŜŞŠ", "S"),
    ("śŝşš", "s"),
    ("ẞ", "SS"),
    ("ß", "ss"),
    ("ŢŤŦ", "T"),
    ("ţťŧ", "t"),
    ("Þ", "Th"),
    ("þ", "th"),
    ("ÙÚÛÜŨŪŬŮŰŲ", "U"),
    ("ùúûüũūŭůűų", "u"),
    ("Ŵ", "W"),
    ("ŵ", "w"),
    ("×", "x"),
    ("ÝŶŸ", "Y"),
    ("ýÿŷ", "y"),
    ("ŹŻŽ", "Z"),
    ("źżž", "z"),
];

impl Filter for I18n {
    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        for field in &self.transliterate {
            let Some(value) = event.get_mut(field) else { continue };
            match value {
                Value::Str(text) => transliterate_in_place(text),
                Value::Array(items) if items.iter().all(|item| item.as_str().is_some()) => {
                    for item in items {
                        if let Value::Str(text) = item {
                            transliterate_in_place(text);
                        }
                    }
                }
                Value::Array(_) => {
                    tracing::warn!(%field, "could not transliterate an array that holds more than text");
                    event.tag("_i18nerror");
                    return Outcome::Failed;
                }
                _ => {}
            }
        }
        Outcome::Matched
    }
}

fn transliterate_in_place(text: &mut Text) {
    if let Cow::Owned(changed) = transliterate(text) {
        *text = changed.into();
    }
}

/// The text in ASCII, with a question mark for every character that has no ASCII form.
fn transliterate(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match FORMS.iter().find(|(letters, _)| !character.is_ascii() && letters.contains(character)) {
            Some((_, form)) => out.push_str(form),
            None if character.is_ascii() => out.push(character),
            None => out.push('?'),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_without_a_form_become_question_marks() {
        assert_eq!(transliterate("Ærøskøbing ĳ 3×4 ŉ"), "AEroskobing ij 3x4 'n");
        // A combining accent is a character of its own, and has no form.
        assert_eq!(transliterate("e\u{301} 한 –"), "e? ? ?");
    }

    #[test]
    fn every_letter_stands_in_one_row() {
        let mut letters: Vec<char> = FORMS.iter().flat_map(|(letters, _)| letters.chars()).collect();
        let all = letters.len();
        letters.sort_unstable();
        letters.dedup();
        assert_eq!(letters.len(), all);
        // The gem's table has as many entries.
        assert_eq!(all, 195);
    }
}
