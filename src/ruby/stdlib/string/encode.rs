//! `String`: encodings, and the class `Encoding`.

use std::rc::Rc;

use super::super::MethodDef;
use super::{copied, from_buffer, own, own_mut, put_changed};
use crate::ruby::args::{Args, at_least, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::symbol::sym;
use crate::ruby::value::{Encoding, Native, RClass, StrBuf, Value};

pub(super) const METHODS: &[MethodDef] = &[
    MethodDef("encoding", exactly(0), |interp, this, _| {
        let encoding = own(interp, this)?.borrow().encoding();
        Ok(encoding_object(interp, encoding))
    }),
    MethodDef("force_encoding", exactly(1), |interp, this, args| {
        let encoding = to_encoding(interp, args.at(0))?;
        own_mut(interp, this)?.borrow_mut().set_encoding(encoding);
        Ok(this.clone())
    }),
    MethodDef("valid_encoding?", exactly(0), |interp, this, _| {
        Ok(Value::Bool(own(interp, this)?.borrow().is_valid()))
    }),
    MethodDef("b", exactly(0), |interp, this, _| {
        copied(interp, this, |buffer| StrBuf::new(buffer.bytes().to_vec(), Encoding::Binary))
    }),
    MethodDef("encode", between(0, 3), |interp, this, args| Ok(from_buffer(encode(interp, this, args)?))),
    MethodDef("encode!", between(0, 3), |interp, this, args| {
        interp.check_frozen(this)?;
        let encoded = encode(interp, this, args)?;
        *own_mut(interp, this)?.borrow_mut() = encoded;
        Ok(this.clone())
    }),
    MethodDef("scrub", between(0, 1), |interp, this, args| Ok(from_buffer(scrubbed(interp, this, args)?))),
    MethodDef("scrub!", between(0, 1), |interp, this, args| {
        interp.check_frozen(this)?;
        let scrubbed = scrubbed(interp, this, args)?;
        put_changed(interp, this, scrubbed)?;
        Ok(this.clone())
    }),
    MethodDef("unicode_normalize", between(0, 1), |interp, this, args| {
        let form = form_of(interp, args)?;
        copied(interp, this, |buffer| match buffer.as_str() {
            Some(text) if !text.is_ascii() => StrBuf::from(super::super::normalize::normalize(text, form)),
            _ => buffer.clone(),
        })
    }),
    MethodDef("unicode_normalize!", between(0, 1), |interp, this, args| {
        let normalized = interp.call(this, "unicode_normalize", args.values)?;
        interp.call(this, "replace", &[normalized])
    }),
    MethodDef("unicode_normalized?", between(0, 1), |interp, this, args| {
        let normalized = interp.call(this, "unicode_normalize", args.values)?;
        Ok(Value::Bool(interp.equal(this, &normalized)?))
    }),
];

fn form_of(interp: &mut Interp, args: Args<'_>) -> Outcome<&'static str> {
    let name = if args.is_empty() { "nfc" } else { interp.to_name(args.at(0))?.as_str() };
    match name {
        "nfc" | "nfd" | "nfkc" | "nfkd" => Ok(name),
        _ => Err(interp.argument_error(format!("Invalid normalization form {name}."))),
    }
}

/// An object of the class `Encoding`.
struct EncodingObject(Encoding);

impl Native for EncodingObject {
    fn trace(&self, _visit: &mut dyn FnMut(&Value)) -> bool {
        true
    }

    fn key_hash(&self) -> Option<u64> {
        Some(self.0.name().len() as u64)
    }

    fn is_same_key(&self, other: &dyn Native) -> bool {
        other.downcast::<EncodingObject>().is_some_and(|other| other.0 == self.0)
    }
}

fn encoding_object(interp: &Interp, encoding: Encoding) -> Value {
    match interp.class_named("Encoding") {
        Some(class) => Value::native(&class, EncodingObject(encoding)),
        None => Value::str(encoding.name()),
    }
}

fn to_encoding(interp: &mut Interp, value: &Value) -> Outcome<Encoding> {
    if let Some(EncodingObject(encoding)) = value.as_native() {
        return Ok(*encoding);
    }
    let name = interp.to_str(value)?.to_text();
    Encoding::for_name(&name).ok_or_else(|| interp.argument_error(format!("unknown encoding name - {name}")))
}

/// Constants and what they stand for.
const CONSTANTS: &[(&str, &str)] = &[
    ("UTF_8", "UTF-8"),
    ("ASCII_8BIT", "BINARY"),
    ("BINARY", "BINARY"),
    ("US_ASCII", "US-ASCII"),
    ("ASCII", "US-ASCII"),
    ("ISO_8859_1", "ISO-8859-1"),
    ("ISO8859_1", "ISO-8859-1"),
    ("ISO_8859_2", "ISO-8859-2"),
    ("ISO_8859_15", "ISO-8859-15"),
    ("WINDOWS_1250", "windows-1250"),
    ("WINDOWS_1251", "windows-1251"),
    ("WINDOWS_1252", "windows-1252"),
    ("CP1250", "windows-1250"),
    ("CP1251", "windows-1251"),
    ("CP1252", "windows-1252"),
    ("UTF_16", "UTF-16BE"),
    ("UTF_16LE", "UTF-16LE"),
    ("UTF_16BE", "UTF-16BE"),
    ("UTF_32LE", "UTF-32LE"),
    ("UTF_32BE", "UTF-32BE"),
    ("SHIFT_JIS", "Shift_JIS"),
    ("Shift_JIS", "Shift_JIS"),
    ("EUC_JP", "EUC-JP"),
    ("EUC_KR", "EUC-KR"),
    ("GBK", "GBK"),
    ("GB18030", "gb18030"),
    ("BIG5", "Big5"),
    ("Big5", "Big5"),
    ("KOI8_R", "KOI8-R"),
];

pub(super) fn set_up(interp: &mut Interp, class: &Rc<RClass>) {
    for (constant, name) in CONSTANTS {
        if let Some(encoding) = Encoding::for_name(name) {
            let object = Value::native(class, EncodingObject(encoding));
            interp.define_constant(class, constant, object);
        }
    }
}

pub(super) const ENCODING_CLASS: &[MethodDef] = &[
    MethodDef("default_external", exactly(0), |interp, _, _| Ok(encoding_object(interp, Encoding::Utf8))),
    MethodDef("default_internal", exactly(0), |_, _, _| Ok(Value::Nil)),
    MethodDef("default_external=", exactly(1), |_, _, args| Ok(args.at(0).clone())),
    MethodDef("default_internal=", exactly(1), |_, _, args| Ok(args.at(0).clone())),
    MethodDef("find", exactly(1), |interp, _, args| {
        let encoding = to_encoding(interp, args.at(0))?;
        Ok(encoding_object(interp, encoding))
    }),
    MethodDef("compatible?", exactly(2), |interp, _, args| {
        let (Value::Str(a), Value::Str(b)) = (args.at(0), args.at(1)) else { return Ok(Value::Nil) };
        let (a, b) = (a.borrow(), b.borrow());
        let found = if a.encoding() == b.encoding() || b.is_ascii_only() {
            a.encoding()
        } else if a.is_ascii_only() {
            b.encoding()
        } else {
            return Ok(Value::Nil);
        };
        Ok(encoding_object(interp, found))
    }),
];

pub(super) const ENCODING: &[MethodDef] = &[
    MethodDef("name", exactly(0), name),
    MethodDef("to_s", exactly(0), name),
    MethodDef("inspect", exactly(0), |_, this, _| {
        let Some(EncodingObject(encoding)) = this.as_native() else { return Ok(Value::Nil) };
        let name = encoding.name();
        Ok(Value::str(if *encoding == Encoding::Binary {
            "#<Encoding:BINARY (ASCII-8BIT)>".to_owned()
        } else {
            format!("#<Encoding:{name}>")
        }))
    }),
    MethodDef("==", exactly(1), |_, this, args| {
        let same = match (this.as_native::<EncodingObject>(), args.at(0).as_native::<EncodingObject>()) {
            (Some(a), Some(b)) => a.0 == b.0,
            _ => false,
        };
        Ok(Value::Bool(same))
    }),
    MethodDef("ascii_compatible?", exactly(0), |_, this, _| {
        Ok(Value::Bool(
            this.as_native::<EncodingObject>().is_some_and(|object| object.0.is_ascii_compatible()),
        ))
    }),
    MethodDef("names", at_least(0), |interp, this, args| Ok(Value::array(vec![name(interp, this, args)?]))),
];

fn name(_: &mut Interp, this: &Value, _: Args<'_>) -> Outcome {
    Ok(this.as_native().map_or(Value::Nil, |EncodingObject(encoding)| Value::str(encoding.name())))
}

/// What `encode` does with what it cannot convert.
#[derive(Default)]
struct Options {
    invalid_replaced: bool,
    undefined_replaced: bool,
    replacement: Option<StrBuf>,
    fallback: Value,
    universal_newline: bool,
    crlf_newline: bool,
    xml: Option<&'static str>,
}

fn options(interp: &mut Interp, args: Args<'_>) -> Outcome<Options> {
    let mut options = Options::default();
    let is_replace =
        |value: &Option<Value>| matches!(value, Some(Value::Sym(name)) if name.as_str() == "replace");
    options.invalid_replaced = is_replace(&args.keyword("invalid"));
    options.undefined_replaced = is_replace(&args.keyword("undef"));
    options.universal_newline = args.keyword("universal_newline").is_some_and(|yes| yes.truthy());
    options.crlf_newline = args.keyword("crlf_newline").is_some_and(|yes| yes.truthy());
    options.fallback = args.keyword("fallback").unwrap_or_default();
    if let Some(replacement) = args.keyword("replace").filter(|value| !value.is_nil()) {
        options.replacement = Some(interp.to_str(&replacement)?.borrow().clone());
    }
    options.xml = match args.keyword("xml") {
        Some(Value::Sym(name)) if name.as_str() == "attr" => Some("attr"),
        Some(Value::Sym(name)) if name.as_str() == "text" => Some("text"),
        _ => None,
    };
    Ok(options)
}

fn encode(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome<StrBuf> {
    let options = options(interp, args)?;
    let (args, keywords) = args.split_keywords();
    let buffer = own(interp, this)?.borrow().clone();
    let to = if args.is_empty() { Encoding::Utf8 } else { to_encoding(interp, args.at(0))? };
    let from = if args.len() > 1 { to_encoding(interp, args.at(1))? } else { buffer.encoding() };
    if from == to && keywords.is_none() {
        return Ok(StrBuf::new(buffer.bytes().to_vec(), to));
    }
    let source = StrBuf::new(buffer.bytes().to_vec(), from);
    let text = match source.is_ascii_only() {
        true => source.to_text().into_owned(),
        false => decode(interp, &source, to, &options)?,
    };
    let text = newlines(text, &options);
    encode_text(interp, &text, from, to, &options)
}

fn newlines(text: String, options: &Options) -> String {
    let mut text = text;
    if options.universal_newline {
        text = text.replace("\r\n", "\n").replace('\r', "\n");
    }
    if options.crlf_newline {
        text = text.replace('\n', "\r\n");
    }
    match options.xml {
        Some(kind) => {
            text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            if kind == "attr" {
                text = format!("\"{}\"", text.replace('"', "&quot;"));
            }
            text
        }
        None => text,
    }
}

/// Bytes of any encoding as text.
fn decode(interp: &mut Interp, source: &StrBuf, to: Encoding, options: &Options) -> Outcome<String> {
    let replacement = match &options.replacement {
        Some(replacement) => replacement.to_text().into_owned(),
        None => match to {
            Encoding::Utf8 | Encoding::Utf32 { .. } => "\u{FFFD}".to_owned(),
            _ => "?".to_owned(),
        },
    };
    match source.encoding() {
        Encoding::Utf8 => {
            let mut out = String::with_capacity(source.len());
            for chunk in source.bytes().utf8_chunks() {
                out.push_str(chunk.valid());
                if let Some(first) = chunk.invalid().first() {
                    if !options.invalid_replaced {
                        let message = format!("\"\\x{first:02X}\" on UTF-8");
                        return Err(interp.error("Encoding::InvalidByteSequenceError", message));
                    }
                    out.push_str(&replacement);
                }
            }
            Ok(out)
        }
        Encoding::Binary | Encoding::UsAscii => {
            let mut out = String::with_capacity(source.len());
            let is_binary = source.encoding() == Encoding::Binary;
            for byte in source.bytes() {
                if byte.is_ascii() {
                    out.push(char::from(*byte));
                } else if (is_binary && options.undefined_replaced) || options.invalid_replaced {
                    out.push_str(&replacement);
                } else {
                    let (from, to) = (source.encoding().name(), to.name());
                    let (class, message) = match is_binary {
                        true => (
                            "Encoding::UndefinedConversionError",
                            format!("\"\\x{byte:02X}\" from {from} to {to}"),
                        ),
                        false => {
                            ("Encoding::InvalidByteSequenceError", format!("\"\\x{byte:02X}\" on {from}"))
                        }
                    };
                    return Err(interp.error(class, message));
                }
            }
            Ok(out)
        }
        Encoding::Utf32 { big_endian } => {
            let characters = source.bytes().chunks(4).map(|four| {
                let mut bytes: [u8; 4] = four.try_into().unwrap_or([0xFF; 4]);
                if !big_endian {
                    bytes.reverse();
                }
                char::from_u32(u32::from_be_bytes(bytes)).unwrap_or('\u{FFFD}')
            });
            Ok(characters.collect())
        }
        Encoding::Other(encoding) => {
            let (text, broken) = encoding.decode_without_bom_handling(source.bytes());
            if broken && !options.invalid_replaced {
                let byte = source.bytes().iter().find(|byte| !byte.is_ascii()).copied().unwrap_or(0);
                let message = format!("\"\\x{byte:02X}\" on {}", source.encoding().name());
                return Err(interp.error("Encoding::InvalidByteSequenceError", message));
            }
            Ok(if broken { text.replace('\u{FFFD}', &replacement) } else { text.into_owned() })
        }
    }
}

/// Text in another encoding.
fn encode_text(
    interp: &mut Interp,
    text: &str,
    from: Encoding,
    to: Encoding,
    options: &Options,
) -> Outcome<StrBuf> {
    let replacement = options.replacement.as_ref().map_or(b"?".to_vec(), |text| text.bytes().to_vec());
    let mut out = Vec::with_capacity(text.len());
    for character in text.chars() {
        let known = match to {
            Encoding::Utf8 => {
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                true
            }
            Encoding::Binary | Encoding::UsAscii => {
                out.extend(u8::try_from(character).ok().filter(u8::is_ascii));
                character.is_ascii()
            }
            Encoding::Utf32 { big_endian } => {
                let bytes = u32::from(character).to_be_bytes();
                if big_endian {
                    out.extend(bytes)
                } else {
                    out.extend(bytes.iter().rev())
                }
                true
            }
            Encoding::Other(encoding)
                if encoding == encoding_rs::UTF_16LE || encoding == encoding_rs::UTF_16BE =>
            {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    let bytes = unit.to_be_bytes();
                    if encoding == encoding_rs::UTF_16BE {
                        out.extend(bytes)
                    } else {
                        out.extend(bytes.iter().rev())
                    }
                }
                true
            }
            Encoding::Other(encoding) => {
                let mut one = [0; 4];
                let (bytes, _, unmappable) = encoding.encode(character.encode_utf8(&mut one));
                if !unmappable {
                    out.extend_from_slice(&bytes);
                }
                !unmappable
            }
        };
        if !known {
            unknown(interp, character, from, to, options, &replacement, &mut out)?;
        }
    }
    Ok(StrBuf::new(out, to))
}

fn unknown(
    interp: &mut Interp,
    character: char,
    from: Encoding,
    to: Encoding,
    options: &Options,
    replacement: &[u8],
    out: &mut Vec<u8>,
) -> Outcome<()> {
    if !options.fallback.is_nil() {
        let name = if options.fallback.as_hash().is_some() { sym!("[]") } else { sym!("call") };
        let value =
            interp.call_with(&options.fallback, name, Args::of(&[Value::str(character.to_string())]))?;
        out.extend_from_slice(interp.to_str(&value)?.borrow().bytes());
        return Ok(());
    }
    if options.xml.is_some() {
        out.extend(format!("&#x{:X};", u32::from(character)).into_bytes());
        return Ok(());
    }
    if options.undefined_replaced {
        out.extend_from_slice(replacement);
        return Ok(());
    }
    let code = u32::from(character);
    let shown = match from {
        Encoding::Utf8 => format!("U+{code:04X} from UTF-8 to {}", to.name()),
        other => format!(
            "U+{code:04X} to {} in conversion from {} to UTF-8 to {}",
            to.name(),
            other.name(),
            to.name()
        ),
    };
    Err(interp.error("Encoding::UndefinedConversionError", shown))
}

fn scrubbed(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome<StrBuf> {
    let buffer = own(interp, this)?.borrow().clone();
    if buffer.is_valid() {
        return Ok(buffer);
    }
    let replacement = match args.get(0) {
        Some(value) if !value.is_nil() => Some(interp.to_str(value)?.borrow().bytes().to_vec()),
        _ => None,
    };
    let mut out = Vec::with_capacity(buffer.len());
    for chunk in buffer.bytes().utf8_chunks() {
        out.extend_from_slice(chunk.valid().as_bytes());
        if chunk.invalid().is_empty() {
            continue;
        }
        match (&replacement, args.block) {
            (Some(replacement), _) => out.extend_from_slice(replacement),
            (None, Some(block)) => {
                let part = Value::bytes(chunk.invalid(), buffer.encoding());
                let value = interp.yield_one(block, part)?;
                out.extend_from_slice(interp.to_str(&value)?.borrow().bytes());
            }
            (None, None) if buffer.encoding() == Encoding::Utf8 => out.extend("\u{FFFD}".bytes()),
            (None, None) => out.push(b'?'),
        }
    }
    Ok(StrBuf::new(out, buffer.encoding()))
}
