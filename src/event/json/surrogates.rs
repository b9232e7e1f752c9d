//! Halves of surrogate pairs in JSON texts: `"a\ud800b"`, which no text in UTF-8 can hold.

/// A document without them.
pub struct Cut {
    pub text: String,
    /// What was left out: where in `text`, and how many bytes.
    gaps: Vec<(usize, usize)>,
}

impl Cut {
    /// Where an index into the text lies in the document as it was.
    pub fn original_index(&self, index: usize) -> usize {
        let before = self.gaps.iter().filter(|(at, _)| *at < index);
        index + before.map(|(_, bytes)| bytes).sum::<usize>()
    }
}

/// Ends every string of the document where a lone half stands in it, as JRuby's encoder does. `None` if there is none.
pub fn cut(document: &str) -> Option<Cut> {
    let bytes = document.as_bytes();
    let mut cut = Cut { text: String::with_capacity(document.len()), gaps: Vec::new() };
    let (mut at, mut copied, mut in_string) = (0, 0, false);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => in_string = !in_string,
            b'\\' if in_string => match escape(bytes, at) {
                Escape::Lone => {
                    let end = end_of_string(bytes, at);
                    cut.text.push_str(document.get(copied..at)?);
                    cut.gaps.push((cut.text.len(), end - at));
                    (at, copied) = (end, end);
                    continue;
                }
                Escape::Other(length) => {
                    at += length;
                    continue;
                }
            },
            _ => {}
        }
        at += 1;
    }
    cut.text.push_str(document.get(copied..)?);
    (!cut.gaps.is_empty()).then_some(cut)
}

enum Escape {
    Lone,
    /// Its length.
    Other(usize),
}

fn escape(bytes: &[u8], at: usize) -> Escape {
    match unit(bytes, at) {
        Some(0xD800..0xDC00) => match unit(bytes, at + 6) {
            Some(0xDC00..0xE000) => Escape::Other(12),
            _ => Escape::Lone,
        },
        Some(0xDC00..0xE000) => Escape::Lone,
        Some(_) => Escape::Other(6),
        None => Escape::Other(2),
    }
}

/// The number in the `\uXXXX` at this place.
fn unit(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Where the closing quote of the string stands.
fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => break,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    at.min(bytes.len())
}

#[cfg(test)]
mod tests {
    use crate::event::Value;
    use crate::event::json::{Decimals, parse, parse_prefix};

    #[test]
    fn a_text_ends_at_a_lone_half() {
        for (document, expected) in [
            (r#"["a\ud800b\"c","d"]"#, r#"["a","d"]"#),
            (r#"["\udc00z"]"#, r#"[""]"#),
            (r#"["\ud83d\ud83d\ude00"]"#, r#"[""]"#),
            (r#"["\ud83d\ude00\uD83Dx"]"#, r#"["😀"]"#),
            (r#"{"k\ud800":"\\ud800"}"#, r#"{"k":"\\ud800"}"#),
        ] {
            let read = |text: &str| parse(text, Decimals::Double).unwrap();
            assert_eq!(read(document), read(expected), "{document}");
        }
        assert!(parse(r#"["\ud800"#, Decimals::Double).is_err());
    }

    #[test]
    fn the_end_is_that_of_the_document_as_it_was() {
        let document = r#"["\ud800..."] [2]"#;
        let (value, end) = parse_prefix(document, Decimals::Double).unwrap();
        assert_eq!((value, &document[end..]), (Value::Array(vec!["".into()]), " [2]"));
    }
}
