//! `Zlib` and `StringIO`.

use std::cell::{Cell, RefCell};
use std::io::{Read as _, Write as _};
use std::rc::Rc;

use flate2::Compression;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

use super::{ClassDef, MethodDef};
use crate::ruby::args::{Args, at_least, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::value::{Encoding, Native, RObject, RString, Value};

pub(super) static CLASSES: &[ClassDef] = &[
    ClassDef {
        functions: &[FUNCTIONS],
        setup: Some(|interp, class| {
            for (name, value) in [
                ("MAX_WBITS", 15),
                ("BEST_COMPRESSION", 9),
                ("BEST_SPEED", 1),
                ("DEFAULT_COMPRESSION", -1),
                ("NO_COMPRESSION", 0),
                ("FINISH", 4),
                ("SYNC_FLUSH", 2),
            ] {
                interp.define_constant(class, name, Value::Int(value));
            }
        }),
        ..ClassDef::module("Zlib")
    },
    ClassDef { superclass: Some("StandardError"), ..ClassDef::class("Zlib::Error") },
    ClassDef { superclass: Some("Zlib::Error"), ..ClassDef::class("Zlib::DataError") },
    ClassDef { superclass: Some("Zlib::Error"), ..ClassDef::class("Zlib::BufError") },
    ClassDef::class("Zlib::GzipFile"),
    ClassDef { superclass: Some("Zlib::Error"), ..ClassDef::class("Zlib::GzipFile::Error") },
    ClassDef {
        methods: &[INFLATE],
        singleton_methods: &[NEW, INFLATE_ONCE],
        ..ClassDef::class("Zlib::Inflate")
    },
    ClassDef {
        methods: &[DEFLATE],
        singleton_methods: &[NEW, DEFLATE_ONCE],
        ..ClassDef::class("Zlib::Deflate")
    },
    ClassDef {
        superclass: Some("Zlib::GzipFile"),
        methods: &[READER],
        singleton_methods: &[NEW_READER],
        ..ClassDef::class("Zlib::GzipReader")
    },
    ClassDef {
        includes: &["Enumerable"],
        methods: &[STRING_IO],
        singleton_methods: &[NEW_STRING_IO],
        ..ClassDef::class("StringIO")
    },
];

/// The window bits that a stream was opened with, and what it was given.
struct Stream {
    bits: i64,
    data: RefCell<Vec<u8>>,
}

impl Native for Stream {}

const NEW: &[MethodDef] = &[MethodDef("new", between(0, 4), |interp, this, args| {
    let class = interp.to_class(this)?;
    // Inflate has the window bits first, Deflate behind the level.
    let place = usize::from(interp.class_name(&class).ends_with("Deflate"));
    let bits = match args.get(place) {
        Some(Value::Int(bits)) => *bits,
        _ => 15,
    };
    let stream = Stream { bits, data: RefCell::default() };
    Ok(Value::Object(Rc::new(RObject::with_native(&class, stream))))
})];

/// Decompresses: raw for negative window bits, gzip from 16 on, zlib's own format between.
fn inflate(interp: &mut Interp, data: &[u8], bits: i64) -> Outcome {
    let is_gzip = bits >= 16 && (bits < 32 || data.starts_with(&[0x1F, 0x8B]));
    let most = crate::ruby::MAX_SIZE as u64;
    let mut out = Vec::new();
    let read = if bits < 0 {
        DeflateDecoder::new(data).take(most).read_to_end(&mut out)
    } else if is_gzip {
        MultiGzDecoder::new(data).take(most).read_to_end(&mut out)
    } else {
        ZlibDecoder::new(data).take(most).read_to_end(&mut out)
    };
    match read {
        Ok(_) => Ok(Value::bytes(out, Encoding::Binary)),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Err(interp.error("Zlib::BufError", "buffer error"))
        }
        Err(_) if is_gzip => Err(interp.error("Zlib::GzipFile::Error", "not in gzip format")),
        Err(_) => Err(interp.error("Zlib::DataError", "incorrect header check")),
    }
}

fn deflate(data: &[u8], level: i64, bits: i64) -> Value {
    let level = match u32::try_from(level) {
        Ok(level) => Compression::new(level.min(9)),
        Err(_) => Compression::default(),
    };
    let done = if bits < 0 {
        let mut encoder = DeflateEncoder::new(Vec::new(), level);
        encoder.write_all(data).and_then(|()| encoder.finish())
    } else if bits >= 16 {
        let mut encoder = GzEncoder::new(Vec::new(), level);
        encoder.write_all(data).and_then(|()| encoder.finish())
    } else {
        let mut encoder = ZlibEncoder::new(Vec::new(), level);
        encoder.write_all(data).and_then(|()| encoder.finish())
    };
    Value::bytes(done.unwrap_or_default(), Encoding::Binary)
}

fn level(args: Args<'_>, place: usize) -> i64 {
    match args.keyword("level").or_else(|| args.get(place).cloned()) {
        Some(Value::Int(level)) => level,
        _ => -1,
    }
}

fn bytes(interp: &mut Interp, args: Args<'_>, place: usize) -> Outcome<Vec<u8>> {
    Ok(args.string(interp, place)?.borrow().bytes().to_vec())
}

const FUNCTIONS: &[MethodDef] = &[
    MethodDef("crc32", between(0, 2), |interp, _, args| {
        if args.is_empty() {
            return Ok(Value::Int(0));
        }
        let data = bytes(interp, args, 0)?;
        let start = if args.len() > 1 { args.int(interp, 1)? as u32 } else { 0 };
        let mut crc = !start;
        for byte in data {
            crc ^= u32::from(byte);
            for _ in 0..8 {
                crc = if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
            }
        }
        Ok(Value::Int((!crc).into()))
    }),
    MethodDef("adler32", between(0, 2), |interp, _, args| {
        let data = if args.is_empty() { Vec::new() } else { bytes(interp, args, 0)? };
        let start = if args.len() > 1 { args.int(interp, 1)? as u32 } else { 1 };
        let (mut a, mut b) = (start & 0xFFFF, start >> 16);
        for byte in data {
            a = (a + u32::from(byte)) % 65_521;
            b = (b + a) % 65_521;
        }
        Ok(Value::Int((b << 16 | a).into()))
    }),
    MethodDef("inflate", exactly(1), |interp, _, args| {
        let data = bytes(interp, args, 0)?;
        inflate(interp, &data, 15)
    }),
    MethodDef("deflate", between(1, 2), |interp, _, args| {
        Ok(deflate(&bytes(interp, args, 0)?, level(args, 1), 15))
    }),
    MethodDef("gunzip", exactly(1), |interp, _, args| {
        let data = bytes(interp, args, 0)?;
        inflate(interp, &data, 31)
    }),
    MethodDef("gzip", between(1, 2), |interp, _, args| {
        Ok(deflate(&bytes(interp, args, 0)?, level(args, 9), 31))
    }),
];

const INFLATE_ONCE: &[MethodDef] = &[MethodDef("inflate", exactly(1), |interp, _, args| {
    let data = bytes(interp, args, 0)?;
    inflate(interp, &data, 15)
})];

const DEFLATE_ONCE: &[MethodDef] = &[MethodDef("deflate", between(1, 2), |interp, _, args| {
    Ok(deflate(&bytes(interp, args, 0)?, level(args, 1), 15))
})];

fn stream<'v>(interp: &mut Interp, this: &'v Value) -> Outcome<&'v Stream> {
    match this.as_native() {
        Some(stream) => Ok(stream),
        None => Err(interp.type_error("not a stream")),
    }
}

const INFLATE: &[MethodDef] = &[
    MethodDef("inflate", between(1, 2), |interp, this, args| {
        let mut data = stream(interp, this)?.data.take();
        data.extend(bytes(interp, args, 0)?);
        let bits = stream(interp, this)?.bits;
        inflate(interp, &data, bits)
    }),
    MethodDef("<<", exactly(1), |interp, this, args| {
        let data = bytes(interp, args, 0)?;
        stream(interp, this)?.data.borrow_mut().extend(data);
        Ok(this.clone())
    }),
    MethodDef("finish", exactly(0), |interp, this, _| {
        let stream = stream(interp, this)?;
        let data = stream.data.take();
        if data.is_empty() {
            return Ok(Value::str(""));
        }
        inflate(interp, &data, stream.bits)
    }),
    MethodDef("close", exactly(0), |_, _, _| Ok(Value::Nil)),
    MethodDef("end", exactly(0), |_, _, _| Ok(Value::Nil)),
];

const DEFLATE: &[MethodDef] = &[
    MethodDef("deflate", between(1, 2), |interp, this, args| {
        let data = bytes(interp, args, 0)?;
        let stream = stream(interp, this)?;
        if args.len() > 1 {
            let mut all = stream.data.take();
            all.extend(data);
            return Ok(deflate(&all, -1, stream.bits));
        }
        stream.data.borrow_mut().extend(data);
        Ok(Value::bytes(Vec::new(), Encoding::Binary))
    }),
    MethodDef("<<", exactly(1), |interp, this, args| {
        let data = bytes(interp, args, 0)?;
        stream(interp, this)?.data.borrow_mut().extend(data);
        Ok(this.clone())
    }),
    MethodDef("finish", exactly(0), |interp, this, _| {
        let stream = stream(interp, this)?;
        Ok(deflate(&stream.data.take(), -1, stream.bits))
    }),
    MethodDef("close", exactly(0), |_, _, _| Ok(Value::Nil)),
];

/// A gzip reader is a StringIO over what was decompressed.
const NEW_READER: &[MethodDef] = &[MethodDef("new", at_least(1), |interp, this, args| {
    let data = match args.at(0) {
        Value::Str(text) => text.borrow().bytes().to_vec(),
        source => {
            let read = interp.call(source, "read", &[])?;
            interp.to_str(&read)?.borrow().bytes().to_vec()
        }
    };
    let text = inflate(interp, &data, 31)?;
    let class = interp.to_class(this)?;
    let text = interp.to_str(&text)?;
    text.borrow_mut().set_encoding(Encoding::Utf8);
    let io = StringIo { text, at: Cell::new(0) };
    Ok(Value::Object(Rc::new(RObject::with_native(&class, io))))
})];

const READER: &[MethodDef] = STRING_IO;

/// A string read and written like a file.
struct StringIo {
    text: Rc<RString>,
    at: Cell<usize>,
}

impl Native for StringIo {}

const NEW_STRING_IO: &[MethodDef] = &[
    MethodDef("new", between(0, 2), |interp, this, args| {
        let text = match args.get(0) {
            Some(_) => args.string(interp, 0)?,
            None => Rc::new(RString::from_text(String::new())),
        };
        let class = interp.to_class(this)?;
        let io = StringIo { text, at: Cell::new(0) };
        Ok(Value::Object(Rc::new(RObject::with_native(&class, io))))
    }),
    MethodDef("open", between(0, 2), |interp, this, args| {
        let io = interp.call(this, "new", args.values)?;
        match args.block {
            Some(block) => interp.yield_one(block, io),
            None => Ok(io),
        }
    }),
];

fn io<'v>(interp: &mut Interp, this: &'v Value) -> Outcome<&'v StringIo> {
    match this.as_native() {
        Some(io) => Ok(io),
        None => Err(interp.error("IOError", "not opened")),
    }
}

const STRING_IO: &[MethodDef] = &[
    MethodDef("read", between(0, 2), |interp, this, args| {
        let io = io(interp, this)?;
        let most =
            if args.at(0).is_nil() { None } else { Some(usize::try_from(args.int(interp, 0)?).unwrap_or(0)) };
        let buffer = io.text.borrow();
        let rest = buffer.bytes().get(io.at.get()..).unwrap_or_default();
        if rest.is_empty() && most.is_some_and(|most| most > 0) {
            return Ok(Value::Nil);
        }
        let count = most.unwrap_or(rest.len()).min(rest.len());
        io.at.set(io.at.get() + count);
        let encoding = if most.is_some() { Encoding::Binary } else { buffer.encoding() };
        Ok(Value::bytes(rest.get(..count).unwrap_or_default(), encoding))
    }),
    MethodDef("gets", between(0, 2), |interp, this, _| line(interp, this)),
    MethodDef("readline", between(0, 2), |interp, this, _| match line(interp, this)? {
        Value::Nil => Err(interp.error("EOFError", "end of file reached")),
        line => Ok(line),
    }),
    MethodDef("each_line", between(0, 2), each_line),
    MethodDef("each", between(0, 2), each_line),
    MethodDef("readlines", between(0, 2), |interp, this, _| {
        let mut lines = Vec::new();
        loop {
            match line(interp, this)? {
                Value::Nil => return Ok(Value::array(lines)),
                line => lines.push(line),
            }
        }
    }),
    MethodDef("getc", exactly(0), |interp, this, _| {
        let io = io(interp, this)?;
        let buffer = io.text.borrow();
        let text = buffer.to_text();
        let found = text.get(io.at.get()..).and_then(|rest| rest.chars().next());
        Ok(found.map_or(Value::Nil, |character| {
            io.at.set(io.at.get() + character.len_utf8());
            Value::str(character.to_string())
        }))
    }),
    MethodDef("write", at_least(0), |interp, this, args| {
        let mut count = 0;
        for value in args.values {
            let part = interp.to_s_string(value)?.borrow().bytes().to_vec();
            count += part.len();
            put(interp, this, &part)?;
        }
        Ok(Value::from(count))
    }),
    MethodDef("<<", exactly(1), |interp, this, args| {
        let part = interp.to_s_string(args.at(0))?.borrow().bytes().to_vec();
        put(interp, this, &part)?;
        Ok(this.clone())
    }),
    MethodDef("print", at_least(0), |interp, this, args| {
        for value in args.values {
            let part = interp.to_s_string(value)?.borrow().bytes().to_vec();
            put(interp, this, &part)?;
        }
        Ok(Value::Nil)
    }),
    MethodDef("puts", at_least(0), |interp, this, args| {
        let flat = Value::array(args.values.to_vec());
        let flat = interp.call(&flat, "flatten", &[])?;
        let values = interp.splat(&flat)?;
        if values.is_empty() {
            put(interp, this, b"\n")?;
        }
        for value in values {
            let mut part = interp.to_s_string(&value)?.borrow().bytes().to_vec();
            if !part.ends_with(b"\n") {
                part.push(b'\n');
            }
            put(interp, this, &part)?;
        }
        Ok(Value::Nil)
    }),
    MethodDef("string", exactly(0), |interp, this, _| Ok(Value::Str(io(interp, this)?.text.clone()))),
    MethodDef("rewind", exactly(0), |interp, this, _| {
        io(interp, this)?.at.set(0);
        Ok(Value::Int(0))
    }),
    MethodDef("pos", exactly(0), |interp, this, _| Ok(Value::from(io(interp, this)?.at.get()))),
    MethodDef("eof?", exactly(0), |interp, this, _| {
        let io = io(interp, this)?;
        Ok(Value::Bool(io.at.get() >= io.text.borrow().len()))
    }),
    MethodDef("size", exactly(0), |interp, this, _| Ok(Value::from(io(interp, this)?.text.borrow().len()))),
    MethodDef("close", exactly(0), |_, _, _| Ok(Value::Nil)),
    MethodDef("closed?", exactly(0), |_, _, _| Ok(Value::Bool(false))),
    MethodDef("flush", exactly(0), |_, this, _| Ok(this.clone())),
];

fn put(interp: &mut Interp, this: &Value, part: &[u8]) -> Outcome<()> {
    let io = io(interp, this)?;
    interp.check_frozen(&Value::Str(io.text.clone()))?;
    interp.check_size(io.at.get() + part.len())?;
    let mut buffer = io.text.borrow_mut();
    let bytes = buffer.bytes_mut();
    let (start, end) = (io.at.get().min(bytes.len()), (io.at.get() + part.len()).min(bytes.len()));
    bytes.splice(start..end.max(start), part.iter().copied());
    io.at.set(start + part.len());
    Ok(())
}

fn line(interp: &mut Interp, this: &Value) -> Outcome {
    let io = io(interp, this)?;
    let buffer = io.text.borrow();
    let rest = buffer.bytes().get(io.at.get()..).unwrap_or_default();
    if rest.is_empty() {
        return Ok(Value::Nil);
    }
    let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
    io.at.set(io.at.get() + end);
    Ok(Value::bytes(rest.get(..end).unwrap_or_default(), buffer.encoding()))
}

fn each_line(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let block = super::enumerable::block_or_enumerator!(interp, this, "each_line", args);
    loop {
        match line(interp, this)? {
            Value::Nil => return Ok(this.clone()),
            line => _ = interp.yield_one(block, line)?,
        }
    }
}
