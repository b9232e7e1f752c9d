//! `RString`: mutable byte strings that know their encoding.

use std::borrow::Cow;
use std::cell::{Cell, Ref, RefCell, RefMut};

use super::Extra;

/// What a string's bytes are taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    /// `ASCII-8BIT`
    Binary,
    UsAscii,
    /// Any other; such strings are mostly on their way to UTF-8 (`encode`).
    Other(&'static encoding_rs::Encoding),
    Utf32 {
        big_endian: bool,
    },
}

impl Encoding {
    /// The encoding of this name, in any spelling Ruby takes.
    pub fn for_name(name: &str) -> Option<Encoding> {
        Some(match name.to_ascii_uppercase().as_str() {
            "UTF-8" | "UTF8" | "CP65001" | "LOCALE" | "EXTERNAL" | "FILESYSTEM" | "UTF8-MAC" => {
                Encoding::Utf8
            }
            "ASCII-8BIT" | "BINARY" => Encoding::Binary,
            "US-ASCII" | "ASCII" | "ANSI_X3.4-1968" | "646" => Encoding::UsAscii,
            "UTF-16" => Encoding::Other(encoding_rs::UTF_16BE),
            "UTF-32LE" => Encoding::Utf32 { big_endian: false },
            "UTF-32" | "UTF-32BE" => Encoding::Utf32 { big_endian: true },
            "CP1252" => Encoding::Other(encoding_rs::WINDOWS_1252),
            "CP932" | "WINDOWS-31J" => Encoding::Other(encoding_rs::SHIFT_JIS),
            "CP949" => Encoding::Other(encoding_rs::EUC_KR),
            "CP936" => Encoding::Other(encoding_rs::GBK),
            "CP1251" => Encoding::Other(encoding_rs::WINDOWS_1251),
            "CP1250" => Encoding::Other(encoding_rs::WINDOWS_1250),
            _ => Encoding::Other(encoding_rs::Encoding::for_label_no_replacement(name.as_bytes())?),
        })
    }

    /// The name as Ruby prints it.
    pub fn name(self) -> Cow<'static, str> {
        match self {
            Encoding::Utf8 => Cow::Borrowed("UTF-8"),
            Encoding::Binary => Cow::Borrowed("ASCII-8BIT"),
            Encoding::UsAscii => Cow::Borrowed("US-ASCII"),
            Encoding::Utf32 { big_endian: true } => Cow::Borrowed("UTF-32BE"),
            Encoding::Utf32 { big_endian: false } => Cow::Borrowed("UTF-32LE"),
            Encoding::Other(other) => Cow::Owned(other.name().replace("windows-", "Windows-")),
        }
    }

    /// Whether ASCII characters are the bytes of ASCII.
    pub fn is_ascii_compatible(self) -> bool {
        match self {
            Encoding::Utf8 | Encoding::Binary | Encoding::UsAscii => true,
            Encoding::Utf32 { .. } => false,
            Encoding::Other(other) => other.is_ascii_compatible(),
        }
    }
}

/// What is known of a string's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StringRange {
    Unknown,
    /// ASCII only.
    Ascii,
    /// Valid in its encoding, with characters beyond ASCII.
    Valid,
    /// Not valid in its encoding.
    Broken,
}

/// The content of a string.
#[derive(Clone)]
pub struct StrBuf {
    bytes: Vec<u8>,
    encoding: Encoding,
    range: Cell<StringRange>,
}

impl StrBuf {
    pub fn new(bytes: Vec<u8>, encoding: Encoding) -> StrBuf {
        StrBuf { bytes, encoding, range: Cell::new(StringRange::Unknown) }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Takes the bytes for another encoding (`force_encoding`).
    pub fn set_encoding(&mut self, encoding: Encoding) {
        self.encoding = encoding;
        self.range.set(StringRange::Unknown);
    }

    /// The bytes, to be changed.
    pub fn bytes_mut(&mut self) -> &mut Vec<u8> {
        self.range.set(StringRange::Unknown);
        &mut self.bytes
    }

    /// What the bytes are; looked at once after each change.
    pub fn range(&self) -> StringRange {
        if self.range.get() == StringRange::Unknown {
            self.range.set(self.look());
        }
        self.range.get()
    }

    fn look(&self) -> StringRange {
        let valid = |valid: bool| if valid { StringRange::Valid } else { StringRange::Broken };
        if self.encoding.is_ascii_compatible() && self.bytes.is_ascii() {
            return StringRange::Ascii;
        }
        match self.encoding {
            Encoding::Utf8 => valid(std::str::from_utf8(&self.bytes).is_ok()),
            Encoding::Binary => StringRange::Valid,
            Encoding::UsAscii => StringRange::Broken,
            Encoding::Utf32 { .. } => valid(self.bytes.len().is_multiple_of(4)),
            Encoding::Other(encoding) => {
                valid(encoding.decode_without_bom_handling_and_without_replacement(&self.bytes).is_some())
            }
        }
    }

    /// The text, where the bytes are text that Rust can hold: valid UTF-8, or ASCII in any encoding.
    pub fn as_str(&self) -> Option<&str> {
        let is_text = match self.range() {
            StringRange::Ascii => true,
            StringRange::Valid => self.encoding == Encoding::Utf8,
            StringRange::Unknown | StringRange::Broken => false,
        };
        // Looking at valid bytes again is cheap beside everything that is done with the text.
        if is_text { std::str::from_utf8(&self.bytes).ok() } else { None }
    }

    /// The text; what is not valid becomes U+FFFD. Bytes in another encoding are decoded.
    pub fn to_text(&self) -> Cow<'_, str> {
        match self.encoding {
            Encoding::Other(encoding) => encoding.decode_without_bom_handling(&self.bytes).0,
            _ => String::from_utf8_lossy(&self.bytes),
        }
    }

    pub fn is_ascii_only(&self) -> bool {
        self.range() == StringRange::Ascii
    }

    pub fn is_valid(&self) -> bool {
        self.range() != StringRange::Broken
    }

    /// Whether one character is one byte.
    pub fn is_single_byte(&self) -> bool {
        matches!(self.encoding, Encoding::Binary | Encoding::UsAscii) || self.is_ascii_only()
    }

    /// Whether it should be UTF-8 and is not.
    pub fn is_broken_text(&self) -> bool {
        self.encoding == Encoding::Utf8 && self.range() == StringRange::Broken
    }

    /// Whether another can be appended: their encodings are the same, or one of them is ASCII.
    pub fn fits(&self, other: &StrBuf) -> bool {
        self.encoding == other.encoding
            || self.is_empty()
            || other.is_empty()
            || self.is_ascii_only()
            || other.is_ascii_only()
    }

    /// Equal bytes in encodings that can be compared (`==`).
    pub fn is_comparable_equal(&self, other: &StrBuf) -> bool {
        self.bytes == other.bytes
            && (self.encoding == other.encoding || self.is_ascii_only() || self.bytes.is_empty())
    }

    /// Appends another string's bytes. An ASCII string takes on the encoding of what is appended.
    pub fn append(&mut self, other: &StrBuf) {
        if self.encoding != other.encoding && !other.is_ascii_only() && self.is_ascii_only() {
            self.encoding = other.encoding;
        }
        let range = match (self.range.get(), other.range.get()) {
            (StringRange::Ascii, known) if self.encoding == other.encoding => known,
            (StringRange::Valid, StringRange::Ascii) => StringRange::Valid,
            (StringRange::Valid, StringRange::Valid) if self.encoding == other.encoding => StringRange::Valid,
            _ => StringRange::Unknown,
        };
        self.bytes.extend_from_slice(&other.bytes);
        self.range.set(range);
    }

    /// Appends text.
    pub fn push_str(&mut self, text: &str) {
        self.bytes_mut().extend_from_slice(text.as_bytes());
    }

    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

impl From<String> for StrBuf {
    fn from(text: String) -> Self {
        StrBuf::new(text.into_bytes(), Encoding::Utf8)
    }
}

impl From<&str> for StrBuf {
    fn from(text: &str) -> Self {
        StrBuf::from(text.to_owned())
    }
}

thread_local! {
    /// Counts changes of strings that stand for fields of events.
    static LIVE_CHANGES: Cell<u64> = const { Cell::new(0) };
}

/// A string. Never hold a borrow of it while calling back into Ruby.
pub struct RString {
    buffer: RefCell<StrBuf>,
    frozen: Cell<bool>,
    live: Cell<Live>,
    pub extra: Extra,
}

/// Whether a string came from a field of an event, whose text changes with it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Live {
    No,
    Watched,
    Changed,
}

impl RString {
    pub fn new(buffer: StrBuf) -> RString {
        RString {
            buffer: RefCell::new(buffer),
            frozen: Cell::new(false),
            live: Cell::new(Live::No),
            extra: Extra::default(),
        }
    }

    pub fn from_text(text: String) -> RString {
        RString::new(StrBuf::from(text))
    }

    /// An equal string that is frozen: a key of a hash.
    pub fn frozen_copy(&self) -> RString {
        let copy = RString::new(self.borrow().clone());
        copy.freeze();
        copy
    }

    pub fn borrow(&self) -> Ref<'_, StrBuf> {
        self.buffer.borrow()
    }

    /// To change the content. Natives call `interp.check_frozen(value)?` before.
    pub fn borrow_mut(&self) -> RefMut<'_, StrBuf> {
        if self.live.get() == Live::Watched {
            self.live.set(Live::Changed);
            LIVE_CHANGES.set(LIVE_CHANGES.get().wrapping_add(1));
        }
        self.buffer.borrow_mut()
    }

    /// The text in a string of its own; what is not valid becomes U+FFFD.
    pub fn to_text(&self) -> String {
        self.borrow().to_text().into_owned()
    }

    pub fn is_frozen(&self) -> bool {
        self.frozen.get()
    }

    pub fn freeze(&self) {
        self.frozen.set(true);
    }

    /// Starts to note changes, because the string stands for a field of an event.
    pub(crate) fn watch(&self) {
        self.live.set(Live::Watched);
    }

    /// Whether it was changed since it is watched; asking starts anew.
    pub(crate) fn take_change(&self) -> bool {
        let changed = self.live.get() == Live::Changed;
        if changed {
            self.live.set(Live::Watched);
        }
        changed
    }

    /// How often watched strings were changed on this thread.
    pub(crate) fn changes() -> u64 {
        LIVE_CHANGES.get()
    }
}
