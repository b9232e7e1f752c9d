//! `Charset`: the option type of character encodings, and how bytes in one become text (`util/charset.rb`).

mod single_byte;

use std::borrow::Cow;
use std::sync::Arc;

use encoding_rs::Encoding;

use super::{ConfigValue, Context, FromOption, Problem};
use crate::event::text;
use crate::language::nearest;

use single_byte::SINGLE_BYTE;

/// A character encoding by one of Ruby's names for it, which are case-sensitive: `UTF-8`, `ISO-8859-1`, `CP1252`.
#[derive(Debug, Clone)]
pub struct Charset {
    name: &'static str,
    decoder: Decoder,
}

#[derive(Debug, Clone)]
enum Decoder {
    Utf8,
    /// Everything beyond ASCII is unknown: US-ASCII, and binary data.
    Ascii,
    /// The character of each byte.
    SingleByte(Arc<[char; 256]>),
    Wide(Wide),
    /// A decoder of encoding_rs.
    Web(&'static Encoding),
    /// As `Web`, but with Unicode's names for some punctuation where the web has Microsoft's.
    Jis(&'static Encoding),
    /// The part of CP949 that EUC-KR has.
    EucKr,
}

/// An encoding in units of two or four bytes.
#[derive(Debug, Clone, Copy)]
enum Wide {
    Utf16(Order),
    Utf32(Order),
}

/// The order of the bytes in a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Big,
    Little,
    /// As the byte order mark tells, which must come first.
    Marked,
}

/// How an encoding is decoded, in [`ENCODINGS`].
#[derive(Debug, Clone, Copy)]
enum How {
    Utf8,
    Ascii,
    Latin1,
    /// By the table of the first name.
    Table,
    Wide(Wide),
    Web(&'static Encoding),
    Jis(&'static Encoding),
    EucKr,
    /// Ruby knows the name, but nothing here (and often not even Ruby) can decode it.
    Unavailable,
}

/// All encodings that Ruby lists (`Encoding.name_list`), each with its aliases.
///
/// Where encoding_rs knows a superset of an encoding, the superset is decoded.
const ENCODINGS: &[(&[&str], How)] = &[
    // The last ones are what the process runs in: UTF-8, as anything else would make configs mean different things.
    (&["UTF-8", "CP65001", "UTF8", "external", "filesystem", "internal", "locale"], How::Utf8),
    (&["US-ASCII", "ASCII", "ANSI_X3.4-1968", "646"], How::Ascii),
    (&["ASCII-8BIT", "BINARY"], How::Ascii),
    (&["ISO-8859-1", "ISO8859-1"], How::Latin1),
    (&["ISO-8859-2", "ISO8859-2"], How::Table),
    (&["ISO-8859-3", "ISO8859-3"], How::Table),
    (&["ISO-8859-4", "ISO8859-4"], How::Table),
    (&["ISO-8859-5", "ISO8859-5"], How::Table),
    (&["ISO-8859-6", "ISO8859-6"], How::Table),
    (&["ISO-8859-7", "ISO8859-7"], How::Table),
    (&["ISO-8859-8", "ISO8859-8"], How::Table),
    (&["ISO-8859-9", "ISO8859-9"], How::Table),
    (&["ISO-8859-10", "ISO8859-10"], How::Table),
    (&["ISO-8859-11", "ISO8859-11"], How::Table),
    (&["ISO-8859-13", "ISO8859-13"], How::Table),
    (&["ISO-8859-14", "ISO8859-14"], How::Table),
    (&["ISO-8859-15", "ISO8859-15"], How::Table),
    (&["ISO-8859-16", "ISO8859-16"], How::Table),
    (&["KOI8-R", "CP878"], How::Table),
    (&["KOI8-U"], How::Table),
    (&["TIS-620"], How::Table),
    (&["Windows-874", "CP874"], How::Table),
    (&["Windows-1250", "CP1250"], How::Table),
    (&["Windows-1251", "CP1251"], How::Table),
    (&["Windows-1252", "CP1252"], How::Table),
    (&["Windows-1253", "CP1253"], How::Table),
    (&["Windows-1254", "CP1254"], How::Table),
    (&["Windows-1255", "CP1255"], How::Table),
    (&["Windows-1256", "CP1256"], How::Table),
    (&["Windows-1257", "CP1257"], How::Table),
    (&["IBM037", "ebcdic-cp-us"], How::Table),
    (&["IBM437", "CP437"], How::Table),
    (&["IBM720", "CP720"], How::Table),
    (&["IBM737", "CP737"], How::Table),
    (&["IBM775", "CP775"], How::Table),
    (&["CP850", "IBM850"], How::Table),
    (&["CP852", "IBM852"], How::Table),
    (&["CP855", "IBM855"], How::Table),
    (&["IBM857", "CP857"], How::Table),
    (&["IBM860", "CP860"], How::Table),
    (&["IBM861", "CP861"], How::Table),
    (&["IBM862", "CP862"], How::Table),
    (&["IBM863", "CP863"], How::Table),
    (&["IBM864", "CP864"], How::Table),
    (&["IBM865", "CP865"], How::Table),
    (&["IBM866", "CP866"], How::Table),
    (&["IBM869", "CP869"], How::Table),
    (&["macCroatian"], How::Table),
    (&["macCyrillic"], How::Table),
    (&["macGreek"], How::Table),
    (&["macIceland"], How::Table),
    (&["macRoman"], How::Table),
    (&["macRomania"], How::Table),
    (&["macTurkish"], How::Table),
    (&["macUkraine"], How::Table),
    (&["UTF-16BE", "UCS-2BE"], How::Wide(Wide::Utf16(Order::Big))),
    (&["UTF-16LE"], How::Wide(Wide::Utf16(Order::Little))),
    (&["UTF-16"], How::Wide(Wide::Utf16(Order::Marked))),
    (&["UTF-32BE", "UCS-4BE"], How::Wide(Wide::Utf32(Order::Big))),
    (&["UTF-32LE", "UCS-4LE"], How::Wide(Wide::Utf32(Order::Little))),
    (&["UTF-32"], How::Wide(Wide::Utf32(Order::Marked))),
    (&["Big5", "CP950", "CP951"], How::Web(encoding_rs::BIG5)),
    (&["Big5-HKSCS", "Big5-HKSCS:2008"], How::Web(encoding_rs::BIG5)),
    (&["GB18030"], How::Web(encoding_rs::GB18030)),
    (&["GBK", "CP936"], How::Web(encoding_rs::GBK)),
    (&["GB2312", "EUC-CN", "eucCN"], How::Web(encoding_rs::GBK)),
    (&["CP949"], How::Web(encoding_rs::EUC_KR)),
    (&["EUC-KR", "eucKR"], How::EucKr),
    (&["EUC-JP", "eucJP"], How::Jis(encoding_rs::EUC_JP)),
    (&["eucJP-ms", "euc-jp-ms", "CP51932"], How::Web(encoding_rs::EUC_JP)),
    (&["Shift_JIS"], How::Jis(encoding_rs::SHIFT_JIS)),
    (&["Windows-31J", "CP932", "MS932", "csWindows31J", "SJIS", "PCK"], How::Web(encoding_rs::SHIFT_JIS)),
    (&["ISO-2022-JP", "ISO2022-JP"], How::Jis(encoding_rs::ISO_2022_JP)),
    (&["CP50220", "CP50221"], How::Web(encoding_rs::ISO_2022_JP)),
    (
        &["Big5-UAO", "CESU-8", "Emacs-Mule", "EUC-TW", "eucTW", "EUC-JIS-2004", "EUC-JISX0213"],
        How::Unavailable,
    ),
    (&["GB12345", "GB1988", "Windows-1258", "CP1258", "UTF-7", "CP65000"], How::Unavailable),
    (&["ISO-2022-JP-2", "ISO2022-JP2", "stateless-ISO-2022-JP", "MacJapanese", "MacJapan"], How::Unavailable),
    (&["macCentEuro", "macThai", "UTF8-MAC", "UTF-8-MAC", "UTF-8-HFS"], How::Unavailable),
    (&["UTF8-DoCoMo", "SJIS-DoCoMo", "UTF8-KDDI", "SJIS-KDDI", "UTF8-SoftBank"], How::Unavailable),
    (&["SJIS-SoftBank", "ISO-2022-JP-KDDI", "stateless-ISO-2022-JP-KDDI"], How::Unavailable),
];

/// A name that no encoding has, or one that cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CharsetError {
    #[error("there is no character encoding \"{0}\"")]
    Unknown(String),
    #[error("the character encoding \"{0}\" cannot be decoded")]
    Unavailable(&'static str),
}

impl Charset {
    /// The encoding of a name, spelt exactly as Ruby lists it.
    pub fn find(name: &str) -> Result<Self, CharsetError> {
        for (names, how) in ENCODINGS {
            if let Some(&name) = names.iter().find(|known| **known == name) {
                let decoder = how.decoder(names).ok_or(CharsetError::Unavailable(name))?;
                return Ok(Charset { name, decoder });
            }
        }
        Err(CharsetError::Unknown(name.to_owned()))
    }

    /// The name as it was given.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The text that bytes stand for, as `LogStash::Util::Charset#convert` makes it. What is no UTF-8 is shown as
    /// Ruby's `inspect` shows it (`\xE9`, and every quote and line break escaped too); in the other encodings, what
    /// stands for nothing becomes U+FFFD.
    pub fn decode<'b>(&self, bytes: &'b [u8]) -> Cow<'b, str> {
        match &self.decoder {
            Decoder::Utf8 => decode_utf8(bytes),
            Decoder::Ascii if bytes.is_ascii() => String::from_utf8_lossy(bytes),
            Decoder::Ascii => bytes.iter().map(|&byte| ascii(byte)).collect(),
            Decoder::SingleByte(table) => {
                bytes.iter().filter_map(|&byte| table.get(usize::from(byte)).copied()).collect()
            }
            Decoder::Wide(wide) => wide.decode(bytes).into(),
            Decoder::Web(encoding) => encoding.decode_without_bom_handling(bytes).0,
            Decoder::Jis(encoding) => {
                encoding.decode_without_bom_handling(bytes).0.chars().map(jis_punctuation).collect()
            }
            Decoder::EucKr => decode_euc_kr(bytes),
        }
    }
}

impl How {
    fn decoder(self, names: &[&str]) -> Option<Decoder> {
        Some(match self {
            How::Utf8 => Decoder::Utf8,
            How::Ascii => Decoder::Ascii,
            How::Latin1 => Decoder::SingleByte(Arc::new(std::array::from_fn(latin1))),
            How::Table => {
                let (_, table) = SINGLE_BYTE.iter().find(|(name, _)| names.first() == Some(name))?;
                let first = 256 - table.chars().count();
                let mut characters: [char; 256] = std::array::from_fn(latin1);
                for (to, from) in characters.iter_mut().skip(first).zip(table.chars()) {
                    *to = from;
                }
                Decoder::SingleByte(Arc::new(characters))
            }
            How::Wide(wide) => Decoder::Wide(wide),
            How::Web(encoding) => Decoder::Web(encoding),
            How::Jis(encoding) => Decoder::Jis(encoding),
            How::EucKr => Decoder::EucKr,
            How::Unavailable => return None,
        })
    }
}

fn latin1(byte: usize) -> char {
    u8::try_from(byte).map_or(char::REPLACEMENT_CHARACTER, char::from)
}

fn ascii(byte: u8) -> char {
    if byte.is_ascii() { char::from(byte) } else { char::REPLACEMENT_CHARACTER }
}

fn decode_utf8(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        text::push_ruby_escaped(&mut shown, chunk.valid());
        shown.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02X}")));
    }
    tracing::warn!(text = %shown, expected_charset = "UTF-8", "received data in another encoding than the codec's charset");
    Cow::Owned(shown)
}

impl Wide {
    fn decode(self, bytes: &[u8]) -> String {
        let (unit, order) = match self {
            Wide::Utf16(order) => (2, order),
            Wide::Utf32(order) => (4, order),
        };
        let little = match (order, bytes.get(..unit)) {
            (Order::Big, _) => return self.decode_units(bytes, false),
            (Order::Little, _) => return self.decode_units(bytes, true),
            (Order::Marked, Some([0xFE, 0xFF] | [0, 0, 0xFE, 0xFF])) => false,
            (Order::Marked, Some([0xFF, 0xFE] | [0xFF, 0xFE, 0, 0])) => true,
            (Order::Marked, _) => return "\u{FFFD}".repeat(bytes.len().div_ceil(unit)),
        };
        self.decode_units(bytes.get(unit..).unwrap_or_default(), little)
    }

    fn decode_units(self, bytes: &[u8], little: bool) -> String {
        let mut text = String::with_capacity(bytes.len());
        let rest = match self {
            Wide::Utf16(_) => {
                let (units, rest) = bytes.as_chunks::<2>();
                let read = if little { u16::from_le_bytes } else { u16::from_be_bytes };
                let characters = char::decode_utf16(units.iter().map(|&unit| read(unit)));
                text.extend(characters.map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER)));
                rest
            }
            Wide::Utf32(_) => {
                let (units, rest) = bytes.as_chunks::<4>();
                let read = if little { u32::from_le_bytes } else { u32::from_be_bytes };
                let characters = units.iter().map(|&unit| char::from_u32(read(unit)));
                text.extend(characters.map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER)));
                rest
            }
        };
        if !rest.is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
        text
    }
}

/// The characters that the JIS standards mean where Microsoft's tables, and with them the web's, have look-alikes.
fn jis_punctuation(character: char) -> char {
    match character {
        '\u{2015}' => '\u{2014}',
        '\u{FF5E}' => '\u{301C}',
        '\u{2225}' => '\u{2016}',
        '\u{FF0D}' => '\u{2212}',
        '\u{FFE0}' => '\u{A2}',
        '\u{FFE1}' => '\u{A3}',
        '\u{FFE2}' => '\u{AC}',
        other => other,
    }
}

/// Decodes as CP949, whose additional syllables (a byte below 0xA1 in the pair) each become one U+FFFD.
fn decode_euc_kr(bytes: &[u8]) -> Cow<'_, str> {
    let decode = |run| encoding_rs::EUC_KR.decode_without_bom_handling(run).0;
    let mut text = String::new();
    let (mut copied, mut at) = (0, 0);
    while let Some(&lead) = bytes.get(at) {
        let Some(&trail) = bytes.get(at + 1) else { break };
        if lead.is_ascii() {
            at += 1;
            continue;
        }
        let is_syllable = trail.is_ascii_alphabetic() || trail >= 0x81;
        if is_syllable && (lead < 0xA1 || trail < 0xA1) {
            text.push_str(&decode(bytes.get(copied..at).unwrap_or_default()));
            text.push(char::REPLACEMENT_CHARACTER);
            copied = at + 2;
        }
        at += 2;
    }
    let rest = decode(bytes.get(copied..).unwrap_or_default());
    if copied == 0 { rest } else { (text + &rest).into() }
}

impl FromOption for Charset {
    fn type_name() -> String {
        "character encoding".into()
    }

    fn from_option(value: &ConfigValue, context: &Context) -> Result<Self, Vec<Problem>> {
        let name = String::from_option(value, context)?;
        Charset::find(&name).map_err(|error| {
            let problem = Problem::error(value.span, error.to_string());
            vec![match error {
                CharsetError::Unknown(_) => match nearest_name(&name) {
                    Some(near) => problem.label("unknown encoding").help(format!("did you mean \"{near}\"?")),
                    None => problem
                        .label("unknown encoding")
                        .help("use one of Ruby's names, e.g. \"UTF-8\" or \"ISO-8859-1\""),
                },
                CharsetError::Unavailable(_) => problem.label("not available").help(
                    "convert the data to UTF-8 before it comes in, e.g. with iconv, and leave charset out",
                ),
            }]
        })
    }
}

/// The name that a wrong one most likely means: in other case, another name of the web's for it, or misspelt.
fn nearest_name(name: &str) -> Option<&'static str> {
    let names: Vec<&'static str> = ENCODINGS
        .iter()
        .filter(|(_, how)| !matches!(how, How::Unavailable))
        .flat_map(|(names, _)| *names)
        .copied()
        .collect();
    let in_other_case = |wanted: &str| names.iter().copied().find(|known| known.eq_ignore_ascii_case(wanted));
    in_other_case(name).or_else(|| in_other_case(Encoding::for_label(name.as_bytes())?.name())).or_else(
        || {
            let lower: Vec<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
            in_other_case(nearest(name, &lower.iter().map(String::as_str).collect::<Vec<_>>())?)
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(charset: &str, bytes: &[u8]) -> String {
        Charset::find(charset).unwrap().decode(bytes).into_owned()
    }

    #[test]
    fn utf8_is_passed_on_or_shown() {
        assert!(matches!(Charset::find("UTF-8").unwrap().decode("é".as_bytes()), Cow::Borrowed("é")));
        assert_eq!(decode("UTF-8", b"a\"b\n\xE9\xE2\x82 #{x}\xC3\xA9"), r#"a\"b\n\xE9\xE2\x82 \#{x}é"#);
    }

    #[test]
    fn single_bytes() {
        // From the mapping tables that Unicode publishes, and, for what they leave out, from what JRuby's tables do.
        for (charset, bytes, text) in [
            ("ISO-8859-1", &b"\xE9\x9F"[..], "é\u{9F}"),
            ("ISO-8859-15", b"\xA4", "€"),
            ("ISO-8859-6", b"\xA1\xC7", "\u{FFFD}ا"),
            ("CP1252", b"\x80\x81\xE9", "€\u{FFFD}é"),
            ("KOI8-R", b"\xC2\xD0a", "бпa"),
            ("IBM437", b"\x81\xE1", "üß"),
            ("ebcdic-cp-us", b"\xC1\xC2\x40\xF1", "AB 1"),
            ("macRoman", b"\x8E", "é"),
            ("US-ASCII", b"a\xE9", "a\u{FFFD}"),
            ("BINARY", b"a\xC3\xA9b", "a\u{FFFD}\u{FFFD}b"),
        ] {
            assert_eq!(decode(charset, bytes), text, "{charset}");
        }
    }

    #[test]
    fn several_bytes() {
        // What JRuby's transcoder gives for these bytes.
        for (charset, bytes, text) in [
            ("EUC-KR", &b"\xC2\xA1\xC2\xB1\xC3\x87\xC2\xBF "[..], "징짹\u{FFFD}쩔 "),
            ("CP949", b"\xC2\xA1\xC2\xB1\xC3\x87\xC2\xBF ", "징짹횉쩔 "),
            ("EUC-KR", b"\x81\x41A\xB0", "\u{FFFD}A\u{FFFD}"),
            ("Shift_JIS", b"\xC3\xA9\xC3\x9F", "ﾃｩﾃ\u{FFFD}"),
            ("Shift_JIS", b"\x81\x60", "〜"),
            ("Windows-31J", b"\x81\x60", "～"),
            ("EUC-JP", b"\xA1\xBD\xA4\xA2", "—あ"),
            ("GBK", b"\xC4\xE3", "你"),
            ("GB18030", b"\x81\x30\x81\x30", "\u{80}"),
            ("Big5", b"\xA7\x41", "你"),
            ("ISO-2022-JP", b"\x1B$B$\"0!\x1B(BA", "あ亜A"),
        ] {
            assert_eq!(decode(charset, bytes), text, "{charset}");
        }
    }

    #[test]
    fn wide_units() {
        // What JRuby's transcoder gives for these bytes.
        for (charset, bytes, text) in [
            ("UTF-16LE", &b"h\0i\0A"[..], "hi\u{FFFD}"),
            ("UTF-16LE", b"\xFF\xFEh\0", "\u{FEFF}h"),
            ("UTF-16LE", b"\x00\xD8\x00\xD8\x3D\xD8\x00\xDE\x41", "\u{FFFD}\u{FFFD}😀\u{FFFD}"),
            ("UTF-16BE", b"\xDC\0\0A", "\u{FFFD}A"),
            ("UTF-16", b"\xFE\xFF\0h\0i", "hi"),
            ("UTF-16", b"\xFF\xFEh\0\xFF\xFE", "h\u{FEFF}"),
            ("UTF-16", b"\0h\0i", "\u{FFFD}\u{FFFD}"),
            ("UTF-32BE", b"\0\0\0A\0\x11\0\0", "A\u{FFFD}"),
            ("UTF-32LE", b"A\0\0\0\0\0\x11\0B", "A\u{FFFD}\u{FFFD}"),
            ("UTF-32", b"\0\0\xFE\xFF\0\0\0A", "A"),
            ("UTF-32", b"\xFF\xFE\0\0A\0\0\0", "A"),
        ] {
            assert_eq!(decode(charset, bytes), text, "{charset}");
        }
    }

    #[test]
    fn every_listed_encoding_is_decoded_or_refused() {
        for (names, how) in ENCODINGS {
            for name in *names {
                match (Charset::find(name), how) {
                    (Err(CharsetError::Unavailable(refused)), How::Unavailable) => assert_eq!(refused, *name),
                    (Ok(charset), _) => assert_eq!(charset.decode(b""), "", "{name}"),
                    (result, how) => panic!("{name}: {result:?}, {how:?}"),
                }
            }
        }
        for (name, table) in SINGLE_BYTE {
            assert!([96, 128, 256].contains(&table.chars().count()), "{name}");
            assert!(ENCODINGS.iter().any(|(names, _)| names.first() == Some(name)), "{name} is not listed");
        }
    }

    #[test]
    fn wrong_names_lead_to_right_ones() {
        for (wrong, right) in [
            ("utf-8", "UTF-8"),
            ("latin1", "Windows-1252"),
            ("ISO-8859-l", "ISO-8859-1"),
            ("cp1252", "CP1252"),
        ] {
            assert!(matches!(Charset::find(wrong), Err(CharsetError::Unknown(_))));
            assert_eq!(nearest_name(wrong), Some(right));
        }
    }
}
