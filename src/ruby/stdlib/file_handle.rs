//! `File.open` and `File.write`.

use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};

use super::{ClassDef, MethodDef};
use crate::ruby::args::{Args, at_least, between, exactly};
use crate::ruby::control::{Control, Jump, Outcome};
use crate::ruby::interpreter::Interp;
use crate::ruby::value::{Encoding, Native, Value};

pub(super) static CLASSES: &[ClassDef] =
    &[ClassDef { methods: &[METHODS], singleton_methods: &[OPENING], ..ClassDef::class("File") }];

/// An open file.
struct Handle {
    path: String,
    file: RefCell<Option<BufReader<File>>>,
}

impl Native for Handle {
    fn trace(&self, _visit: &mut dyn FnMut(&Value)) -> bool {
        true
    }
}

const OPENING: &[MethodDef] = &[
    MethodDef("open", between(1, 4), open),
    MethodDef("new", between(1, 4), |interp, this, args| open(interp, this, Args { block: None, ..args })),
    MethodDef("write", between(2, 4), |interp, _, args| {
        let path = args.text(interp, 0)?;
        let text = interp.to_s_string(args.at(1))?;
        let append =
            matches!(args.keyword("mode"), Some(Value::Str(mode)) if mode.to_text().starts_with('a'));
        let mode = if append { "a" } else { "w" };
        let mut file = open_file(interp, &path, mode)?;
        let bytes = text.borrow().bytes().to_vec();
        match file.write_all(&bytes) {
            Ok(()) => Ok(Value::from(bytes.len())),
            Err(error) => Err(failed(interp, &path, &error)),
        }
    }),
];

const METHODS: &[MethodDef] = &[
    MethodDef("puts", at_least(0), |interp, this, args| write(interp, this, args, true)),
    MethodDef("print", at_least(0), |interp, this, args| write(interp, this, args, false)),
    MethodDef("write", at_least(0), |interp, this, args| write(interp, this, args, false)),
    MethodDef("<<", exactly(1), |interp, this, args| {
        write(interp, this, args, false)?;
        Ok(this.clone())
    }),
    MethodDef("read", between(0, 1), |interp, this, _| {
        let mut bytes = Vec::new();
        with(interp, this, |file| file.read_to_end(&mut bytes).map(drop))?;
        Ok(Value::bytes(bytes, Encoding::Utf8))
    }),
    MethodDef("gets", between(0, 2), |interp, this, args| {
        let line = next_line(interp, this)?;
        let chomp = args.keyword("chomp").is_some_and(|chomp| chomp.truthy());
        Ok(line.map_or(Value::Nil, |line| shown(line, chomp)))
    }),
    MethodDef("each_line", between(0, 2), |interp, this, args| {
        let block = args.block(interp)?;
        let chomp = args.keyword("chomp").is_some_and(|chomp| chomp.truthy());
        while let Some(line) = next_line(interp, this)? {
            interp.yield_one(block, shown(line, chomp))?;
        }
        Ok(this.clone())
    }),
    MethodDef("readlines", between(0, 2), |interp, this, args| {
        let chomp = args.keyword("chomp").is_some_and(|chomp| chomp.truthy());
        let mut lines = Vec::new();
        while let Some(line) = next_line(interp, this)? {
            lines.push(shown(line, chomp));
        }
        Ok(Value::array(lines))
    }),
    MethodDef("flush", exactly(0), |interp, this, _| {
        with(interp, this, |file| file.get_mut().flush())?;
        Ok(this.clone())
    }),
    MethodDef("close", exactly(0), |_, this, _| {
        if let Some(handle) = this.as_native::<Handle>() {
            handle.file.borrow_mut().take();
        }
        Ok(Value::Nil)
    }),
    MethodDef("closed?", exactly(0), |_, this, _| {
        let handle = this.as_native::<Handle>();
        Ok(Value::Bool(handle.is_none_or(|handle| handle.file.borrow().is_none())))
    }),
    MethodDef("path", exactly(0), |_, this, _| {
        Ok(Value::from(this.as_native::<Handle>().map(|handle| handle.path.clone())))
    }),
];

fn open(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let (args, options) = args.split_keywords();
    let path = args.text(interp, 0)?;
    let given = options.and_then(|options| options.get(&Value::sym("mode")));
    let mode = match args.get(1).cloned().or(given) {
        Some(Value::Str(mode)) => mode.to_text(),
        _ => "r".into(),
    };
    let mode = mode.split(':').next().unwrap_or("r").replace(['b', 't'], "");
    let file = open_file(interp, &path, &mode)?;
    let class = interp.to_class(this)?;
    let handle = Handle { path, file: RefCell::new(Some(BufReader::new(file))) };
    let value = Value::native(&class, handle);
    let Some(block) = args.block else { return Ok(value) };
    let result = interp.yield_one(block, value.clone());
    if let Some(handle) = value.as_native::<Handle>() {
        handle.file.borrow_mut().take();
    }
    match result {
        Err(Control(jump)) => match *jump {
            Jump::Next(value) => Ok(value),
            other => Err(other.into()),
        },
        ok => ok,
    }
}

fn open_file(interp: &mut Interp, path: &str, mode: &str) -> Outcome<File> {
    let mut options = OpenOptions::new();
    match mode {
        "r" => options.read(true),
        "r+" => options.read(true).write(true),
        "w" => options.write(true).create(true).truncate(true),
        "w+" => options.read(true).write(true).create(true).truncate(true),
        "a" => options.append(true).create(true),
        "a+" => options.read(true).append(true).create(true),
        other => return Err(interp.argument_error(format!("invalid access mode {other}"))),
    };
    options.open(path).map_err(|error| failed(interp, path, &error))
}

fn failed(interp: &mut Interp, path: &str, error: &std::io::Error) -> Control {
    super::system::io_error(interp, path, error)
}

/// Works on an open file; a closed one is an IOError.
fn with<T>(
    interp: &mut Interp,
    this: &Value,
    work: impl FnOnce(&mut BufReader<File>) -> std::io::Result<T>,
) -> Outcome<T> {
    let Some(handle) = this.as_native::<Handle>() else {
        return Err(interp.error("IOError", "uninitialized stream"));
    };
    let result = handle.file.borrow_mut().as_mut().map(work);
    match result {
        None => Err(interp.error("IOError", "closed stream")),
        Some(Ok(value)) => Ok(value),
        Some(Err(error)) => Err(failed(interp, &handle.path, &error)),
    }
}

fn next_line(interp: &mut Interp, this: &Value) -> Outcome<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let count = with(interp, this, |file| file.read_until(b'\n', &mut line))?;
    Ok((count > 0).then_some(line))
}

fn shown(mut line: Vec<u8>, chomp: bool) -> Value {
    if chomp && line.ends_with(b"\n") {
        line.pop();
        if line.ends_with(b"\r") {
            line.pop();
        }
    }
    Value::bytes(line, Encoding::Utf8)
}

fn write(interp: &mut Interp, this: &Value, args: Args<'_>, as_lines: bool) -> Outcome {
    let mut bytes = Vec::new();
    for value in args.values {
        bytes.extend_from_slice(interp.to_s_string(value)?.borrow().bytes());
        if as_lines && !bytes.ends_with(b"\n") {
            bytes.push(b'\n');
        }
    }
    if as_lines && args.is_empty() {
        bytes.push(b'\n');
    }
    with(interp, this, |file| file.get_mut().write_all(&bytes))?;
    Ok(if as_lines { Value::Nil } else { Value::from(bytes.len()) })
}
