//! `JSON`: parsing and generating, as the json gem of Ruby 3.4 does.

use std::rc::Rc;
use std::str::FromStr as _;

use jiter::{Jiter, JiterError, JiterErrorType, JsonErrorType, Peek};
use num_bigint::BigInt;

use super::{ClassDef, MethodDef};
use crate::ruby::args::{Args, at_least, between};
use crate::ruby::control::{Control, Outcome};
use crate::ruby::interpreter::{Interp, float_to_s};
use crate::ruby::symbol::sym;
use crate::ruby::value::{Encoding, HashMap, RHash, Value};

pub(super) static CLASSES: &[ClassDef] = &[
    ClassDef { functions: &[FUNCTIONS], ..ClassDef::module("JSON") },
    ClassDef { superclass: Some("StandardError"), ..ClassDef::class("JSON::JSONError") },
    ClassDef { superclass: Some("JSON::JSONError"), ..ClassDef::class("JSON::ParserError") },
    ClassDef { superclass: Some("JSON::ParserError"), ..ClassDef::class("JSON::NestingError") },
    ClassDef { superclass: Some("JSON::JSONError"), ..ClassDef::class("JSON::GeneratorError") },
    ClassDef { methods: &[TO_JSON], ..ClassDef::class("Object") },
    ClassDef { functions: &[KERNEL], ..ClassDef::module("Kernel") },
];

/// Documents nested deeper are refused, unless `max_nesting:` says otherwise; never deeper than the stack allows.
const MAX_NESTING: usize = 100;
const MOST_NESTING: usize = 1000;

const FUNCTIONS: &[MethodDef] = &[
    MethodDef("parse", between(1, 2), |interp, _, args| parse(interp, args, false)),
    MethodDef("parse!", between(1, 2), |interp, _, args| parse(interp, args, false)),
    MethodDef("load", between(1, 3), |interp, _, args| parse(interp, args, true)),
    MethodDef("restore", between(1, 3), |interp, _, args| parse(interp, args, true)),
    MethodDef("load_file", between(1, 2), |interp, this, args| {
        let file = interp.class_named("File").map_or(Value::Nil, Value::Class);
        let text = interp.call(&file, "read", args.values.get(..1).unwrap_or_default())?;
        let mut values = vec![text];
        values.extend_from_slice(args.from(1));
        interp.call_with(this, sym!("parse"), Args { values: &values, ..args })
    }),
    MethodDef("generate", between(1, 2), |interp, _, args| {
        let options = Style::compact(interp, args);
        generate(interp, args.at(0), options)
    }),
    MethodDef("fast_generate", between(1, 2), |interp, _, args| {
        generate(interp, args.at(0), Style::default())
    }),
    MethodDef("dump", between(1, 3), |interp, _, args| {
        generate(interp, args.at(0), Style { lenient: true, ..Style::default() })
    }),
    MethodDef("pretty_generate", between(1, 2), |interp, _, args| {
        generate(interp, args.at(0), Style::pretty())
    }),
    MethodDef("[]", between(1, 2), |interp, _, args| match args.at(0) {
        Value::Str(_) => parse(interp, args, false),
        other => generate(interp, other, Style::default()),
    }),
];

const KERNEL: &[MethodDef] = &[
    MethodDef("JSON", between(1, 2), |interp, _, args| match args.at(0) {
        Value::Str(_) => parse(interp, args, false),
        other => generate(interp, other, Style::default()),
    }),
    MethodDef("j", at_least(0), |interp, this, args| {
        for value in args.values {
            let text = generate(interp, value, Style::default())?;
            interp.call(this, "puts", &[text])?;
        }
        Ok(Value::Nil)
    }),
];

const TO_JSON: &[MethodDef] = &[MethodDef("to_json", between(0, 1), |interp, this, args| {
    let style = Style::compact(interp, args);
    generate(interp, this, style)
})];

struct Reader<'j> {
    jiter: Jiter<'j>,
    symbols: bool,
    most: usize,
}

enum Failure {
    Syntax(JiterError),
    Number(usize),
    Depth(usize),
}

impl From<JiterError> for Failure {
    fn from(error: JiterError) -> Self {
        Failure::Syntax(error)
    }
}

impl Reader<'_> {
    fn value(&mut self, peek: Peek, depth: usize) -> Result<Value, Failure> {
        Ok(match peek {
            Peek::Null => {
                self.jiter.known_null()?;
                Value::Nil
            }
            Peek::True | Peek::False => Value::Bool(self.jiter.known_bool(peek)?),
            Peek::String => Value::str(self.jiter.known_str()?),
            Peek::Array => {
                let mut items = Vec::new();
                let depth = self.deeper(depth)?;
                let mut next = self.jiter.known_array()?;
                while let Some(peek) = next {
                    items.push(self.value(peek, depth)?);
                    next = self.jiter.array_step()?;
                }
                Value::array(items)
            }
            Peek::Object => {
                let mut map = HashMap::new();
                let depth = self.deeper(depth)?;
                let symbols = self.symbols;
                let to_key = |name: &str| match symbols {
                    true => Value::sym(name),
                    false => crate::ruby::bridge::frozen_text(name),
                };
                let mut next = self.jiter.known_object()?.map(to_key);
                while let Some(key) = next {
                    let peek = self.jiter.peek()?;
                    let value = self.value(peek, depth)?;
                    map.insert(key, value);
                    next = self.jiter.next_key()?.map(to_key);
                }
                Value::hash(map)
            }
            _ => {
                let start = self.jiter.current_index();
                let bytes = self.jiter.known_number_bytes(peek)?;
                read_number(bytes).ok_or(Failure::Number(start))?
            }
        })
    }

    fn deeper(&self, depth: usize) -> Result<usize, Failure> {
        if depth + 1 > self.most { Err(Failure::Depth(depth + 1)) } else { Ok(depth + 1) }
    }
}

fn read_number(bytes: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(bytes).ok()?;
    if text.contains(['.', 'e', 'E']) && !text.contains("nf") {
        return text.parse().ok().map(Value::Float);
    }
    if let Ok(number) = text.parse::<i64>() {
        return Some(Value::Int(number));
    }
    if !text.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    BigInt::from_str(text).ok().map(Value::big)
}

fn parse(interp: &mut Interp, args: Args<'_>, lenient: bool) -> Outcome {
    let options = match args.values.last() {
        Some(Value::Hash(options)) if args.len() > 1 => Some(options.clone()),
        _ => None,
    };
    if lenient && args.at(0).is_nil() {
        return Ok(Value::Nil);
    }
    let source = match args.at(0) {
        Value::Str(source) => source.clone(),
        other if interp.responds_to(other, sym!("to_str")) => interp.to_str(other)?,
        other if interp.responds_to(other, sym!("read")) && !other.is_nil() => {
            let text = interp.call(other, "read", &[])?;
            interp.to_str(&text)?
        }
        other => return Err(interp.no_conversion(other, "String")),
    };
    let text = source.to_text();
    if lenient && text.trim().is_empty() {
        return Ok(Value::Nil);
    }
    let flag = |name: &str| options.as_ref().and_then(|options| options.get(&Value::sym(name)));
    let most = match flag("max_nesting") {
        Some(Value::Int(most)) if most > 0 => usize::try_from(most).unwrap_or(MOST_NESTING).min(MOST_NESTING),
        Some(_) => MOST_NESTING,
        None => MAX_NESTING,
    };
    let symbols = flag("symbolize_names").is_some_and(|yes| yes.truthy());
    let mut reader = Reader { jiter: Jiter::new(text.as_bytes()), symbols, most };
    let read = reader.jiter.peek().map_err(Failure::from).and_then(|peek| reader.value(peek, 0));
    let end = reader.jiter.current_index();
    match read {
        Ok(value) => {
            let rest = text.get(end..).unwrap_or_default();
            match rest.trim_start_matches([' ', '\t', '\n', '\r']) {
                "" => Ok(value),
                rest => Err(unexpected(interp, rest)),
            }
        }
        Err(Failure::Depth(depth)) => {
            Err(interp.error("JSON::NestingError", format!("nesting of {depth} is too deep")))
        }
        Err(Failure::Number(at)) => Err(unexpected(interp, text.get(at..).unwrap_or_default())),
        Err(Failure::Syntax(error)) => Err(syntax_error(interp, &text, &error)),
    }
}

fn unexpected(interp: &mut Interp, rest: &str) -> Control {
    interp.error("JSON::ParserError", format!("unexpected token at '{rest}'"))
}

fn syntax_error(interp: &mut Interp, text: &str, error: &JiterError) -> Control {
    let kind = match &error.error_type {
        JiterErrorType::JsonError(kind) => Some(kind),
        JiterErrorType::WrongType { .. } => None,
    };
    let rest = text.get(error.index.min(text.len())..).unwrap_or_default();
    match kind {
        Some(JsonErrorType::KeyMustBeAString) => {
            let before = text.get(..error.index).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
            let message = format!("expected object key, got '{rest}' at line {line} column {column}");
            interp.error("JSON::ParserError", message)
        }
        _ if text.trim().is_empty() => interp.error("JSON::ParserError", "unexpected end of input"),
        _ => unexpected(interp, rest),
    }
}

/// How JSON is laid out.
#[derive(Clone, Default)]
struct Style {
    indent: String,
    space: String,
    space_before: String,
    line: String,
    array_line: String,
    /// Whether NaN and the infinities are written.
    lenient: bool,
    ascii_only: bool,
    script_safe: bool,
}

impl Style {
    fn pretty() -> Style {
        Style {
            indent: "  ".into(),
            space: " ".into(),
            line: "\n".into(),
            array_line: "\n".into(),
            ..Style::default()
        }
    }

    /// Compact, unless options say otherwise.
    fn compact(interp: &mut Interp, args: Args<'_>) -> Style {
        let mut style = Style::default();
        let Some(Value::Hash(options)) = args.values.last() else { return style };
        if args.len() < 2 && !args.has_keywords {
            return style;
        }
        let mut text = |name: &str| match options.get(&Value::sym(name)) {
            Some(value) if !value.is_nil() => interp.to_s(&value).unwrap_or_default(),
            _ => String::new(),
        };
        style.indent = text("indent");
        style.space = text("space");
        style.space_before = text("space_before");
        style.line = text("object_nl");
        style.array_line = text("array_nl");
        let flag = |name: &str| options.get(&Value::sym(name)).is_some_and(|yes| yes.truthy());
        style.lenient = flag("allow_nan");
        style.ascii_only = flag("ascii_only");
        style.script_safe = flag("script_safe");
        style
    }
}

fn generate(interp: &mut Interp, value: &Value, style: Style) -> Outcome {
    let mut out = Vec::new();
    write(interp, value, &style, 0, &mut out)?;
    Ok(Value::bytes(out, Encoding::Utf8))
}

fn write(interp: &mut Interp, value: &Value, style: &Style, depth: usize, out: &mut Vec<u8>) -> Outcome<()> {
    interp.guard()?;
    if depth > MAX_NESTING {
        return Err(interp.error("JSON::NestingError", format!("nesting of {depth} is too deep")));
    }
    interp.check_size(out.len())?;
    match value {
        Value::Nil => out.extend(b"null"),
        Value::Bool(flag) => out.extend(if *flag { &b"true"[..] } else { b"false" }),
        Value::Int(number) => out.extend(number.to_string().into_bytes()),
        Value::Big(number) => out.extend(number.to_string().into_bytes()),
        Value::Float(number) => {
            let text = float_to_s(*number);
            if !number.is_finite() && !style.lenient {
                return Err(interp.error("JSON::GeneratorError", format!("{text} not allowed in JSON")));
            }
            out.extend(text.into_bytes());
        }
        Value::Str(string) => {
            let buffer = string.borrow();
            let Some(text) = buffer.as_str() else {
                let is_text = buffer.is_valid() && !matches!(buffer.encoding(), Encoding::Binary);
                let text = buffer.to_text().into_owned();
                drop(buffer);
                if !is_text {
                    return Err(
                        interp.error("JSON::GeneratorError", "source sequence is illegal/malformed utf-8")
                    );
                }
                push_text(out, &text, style);
                return Ok(());
            };
            push_text(out, text, style);
        }
        Value::Sym(name) => push_text(out, name.as_str(), style),
        Value::Array(array) => {
            let items = array.to_vec();
            write_array(interp, &items, style, depth, out)?;
        }
        Value::Hash(hash) => write_hash(interp, hash, style, depth, out)?,
        other => write_object(interp, other, style, depth, out)?,
    }
    Ok(())
}

/// Objects by their own `to_json`, or as the text of `to_s`.
fn write_object(
    interp: &mut Interp,
    value: &Value,
    style: &Style,
    depth: usize,
    out: &mut Vec<u8>,
) -> Outcome<()> {
    let method = interp.find_method(value, sym!("to_json"));
    if let Some(method) = method
        && !Rc::ptr_eq(&method.owner, &interp.classes.object)
    {
        let arguments = if method.arity() == 0 { Vec::new() } else { vec![Value::hash(HashMap::new())] };
        let arguments = if method.arity() < 0 { Vec::new() } else { arguments };
        let text = interp.invoke(&method, value, Args::of(&arguments))?;
        out.extend_from_slice(interp.to_str(&text)?.borrow().bytes());
        return Ok(());
    }
    if interp.is_a(value, &interp.classes.set.clone()) && value.as_class().is_none() {
        let items = super::enumerable::items(interp, value)?;
        return write_array(interp, &items, style, depth, out);
    }
    let text = interp.to_s(value)?;
    push_text(out, &text, style);
    Ok(())
}

fn new_line(style: &str, indent: &str, depth: usize, out: &mut Vec<u8>) {
    if !style.is_empty() {
        out.extend(style.as_bytes());
        for _ in 0..depth {
            out.extend(indent.as_bytes());
        }
    }
}

fn write_array(
    interp: &mut Interp,
    items: &[Value],
    style: &Style,
    depth: usize,
    out: &mut Vec<u8>,
) -> Outcome<()> {
    out.push(b'[');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        new_line(&style.array_line, &style.indent, depth + 1, out);
        write(interp, item, style, depth + 1, out)?;
    }
    if !items.is_empty() {
        new_line(&style.array_line, &style.indent, depth, out);
    }
    out.push(b']');
    Ok(())
}

fn write_hash(
    interp: &mut Interp,
    hash: &RHash,
    style: &Style,
    depth: usize,
    out: &mut Vec<u8>,
) -> Outcome<()> {
    out.push(b'{');
    let entries = hash.borrow().clone();
    for (at, (key, value)) in entries.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        new_line(&style.line, &style.indent, depth + 1, out);
        let name = interp.to_s(key)?;
        push_text(out, &name, style);
        out.extend(style.space_before.as_bytes());
        out.push(b':');
        out.extend(style.space.as_bytes());
        write(interp, value, style, depth + 1, out)?;
    }
    if !entries.is_empty() {
        new_line(&style.line, &style.indent, depth, out);
    }
    out.push(b'}');
    Ok(())
}

fn push_text(out: &mut Vec<u8>, text: &str, style: &Style) {
    out.push(b'"');
    for character in text.chars() {
        match character {
            '"' => out.extend(b"\\\""),
            '\\' => out.extend(b"\\\\"),
            '\n' => out.extend(b"\\n"),
            '\r' => out.extend(b"\\r"),
            '\t' => out.extend(b"\\t"),
            '\u{08}' => out.extend(b"\\b"),
            '\u{0C}' => out.extend(b"\\f"),
            '/' if style.script_safe => out.extend(b"\\/"),
            control if control < ' ' => out.extend(format!("\\u{:04x}", u32::from(control)).into_bytes()),
            other if !other.is_ascii() && style.ascii_only => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    out.extend(format!("\\u{unit:04x}").into_bytes());
                }
            }
            other => out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}
