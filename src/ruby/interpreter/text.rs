//! Values as text: `to_s`, `inspect`, names of classes.

use std::fmt::Write as _;
use std::rc::Rc;

use super::Interp;
use crate::event::text as event_text;
use crate::ruby::compiler::tree::RegexpOptions;
use crate::ruby::control::Outcome;
use crate::ruby::symbol::{Sym, sym};
use crate::ruby::value::Encoding;
use crate::ruby::value::{Body, RClass, RHash, RRegexp, RString, StrBuf, StringRange, Value};

impl Interp {
    /// The name of a class, `#<Class:0x...>` for one without.
    pub fn class_name(&self, class: &Rc<RClass>) -> String {
        if let Some(name) = class.name() {
            return name.to_string();
        }
        match class.attached() {
            Some(Value::Class(attached)) => format!("#<Class:{}>", self.class_name(attached)),
            Some(object) => format!("#<Class:{}>", self.plain_to_s(object)),
            None => {
                let kind = if class.is_module { "Module" } else { "Class" };
                format!("#<{kind}:0x{:016x}>", Rc::as_ptr(class).addr())
            }
        }
    }

    /// `#<Name>` without the contents, as `Object#to_s` prints it.
    pub fn plain_to_s(&self, value: &Value) -> String {
        format!("#<{}:0x{:016x}>", self.class_name(&self.real_class(value)), value.identity())
    }

    /// The text of a value (`to_s`), for messages and interpolation.
    pub fn to_s(&mut self, value: &Value) -> Outcome<String> {
        let mut text = StrBuf::from("");
        self.append_to_s(value, &mut text)?;
        Ok(text.to_text().into_owned())
    }

    /// The string that `to_s` gives.
    pub fn to_s_string(&mut self, value: &Value) -> Outcome<Rc<RString>> {
        if let Value::Str(string) = value {
            return Ok(string.clone());
        }
        let mut text = StrBuf::from("");
        self.append_to_s(value, &mut text)?;
        Ok(Rc::new(RString::new(text)))
    }

    /// Appends what `to_s` gives.
    pub fn append_to_s(&mut self, value: &Value, out: &mut StrBuf) -> Outcome<()> {
        match value {
            Value::Nil => {}
            Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
            Value::Int(number) => out.push_str(&number.to_string()),
            Value::Big(number) => out.push_str(&number.to_string()),
            Value::Float(number) => out.push_str(&float_to_s(*number)),
            Value::Sym(name) => out.push_str(name.as_str()),
            Value::Str(string) => {
                let string = string.borrow();
                if !out.fits(&string) {
                    return Err(self.incompatible("incompatible encodings", out, &string));
                }
                out.append(&string);
            }
            other => match self.call_to_s(other)? {
                Value::Str(string) => out.append(&string.borrow()),
                _ => out.push_str(&self.plain_to_s(other)),
            },
        }
        Ok(())
    }

    fn call_to_s(&mut self, value: &Value) -> Outcome {
        match self.find_method(value, sym!("to_s")) {
            Some(method) => self.invoke(&method, value, crate::ruby::args::Args::default()),
            None => Ok(Value::Nil),
        }
    }

    /// The text that shows a value (`inspect`).
    pub fn inspect(&mut self, value: &Value) -> Outcome<String> {
        self.guard()?;
        Ok(match value {
            Value::Nil => "nil".into(),
            Value::Sym(name) => inspect_symbol(*name),
            Value::Str(string) if string.extra.class().is_none() => inspect_string(&string.borrow()),
            Value::Array(array) if array.extra.class().is_none() => {
                self.inspect_items("[", array.to_vec(), "]", value)?
            }
            Value::Hash(hash) if hash.extra.class().is_none() => self.inspect_hash(hash, value)?,
            Value::Bool(_) | Value::Int(_) | Value::Big(_) | Value::Float(_) => self.to_s(value)?,
            other => match self.call(other, "inspect", &[])? {
                Value::Str(string) => string.to_text(),
                _ => self.plain_to_s(other),
            },
        })
    }

    /// Items between brackets; one that holds itself prints as `[...]`.
    pub fn inspect_items(
        &mut self,
        open: &str,
        items: Vec<Value>,
        close: &str,
        whole: &Value,
    ) -> Outcome<String> {
        let identity = whole.identity();
        if self.inspecting.contains(&identity) {
            return Ok(format!("{open}...{close}"));
        }
        self.inspecting.push(identity);
        let mut out = String::from(open);
        let mut result = Ok(());
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                out.push_str(", ");
            }
            match self.inspect(item) {
                Ok(text) => out.push_str(&text),
                Err(control) => {
                    result = Err(control);
                    break;
                }
            }
        }
        self.inspecting.pop();
        result?;
        out.push_str(close);
        Ok(out)
    }

    fn inspect_hash(&mut self, hash: &RHash, whole: &Value) -> Outcome<String> {
        let identity = whole.identity();
        if hash.is_empty() {
            return Ok("{}".into());
        }
        if self.inspecting.contains(&identity) {
            return Ok("{...}".into());
        }
        self.inspecting.push(identity);
        let result = self.inspect_pairs(hash);
        self.inspecting.pop();
        result
    }

    fn inspect_pairs(&mut self, hash: &RHash) -> Outcome<String> {
        let mut out = String::from("{");
        let mut position = 0;
        loop {
            let next = hash.borrow().next_from(position);
            let Some((key, value, after)) = next else { break };
            if position > 0 && out.len() > 1 {
                out.push_str(", ");
            }
            match &key {
                Value::Sym(name) if is_plain_symbol(*name) => _ = write!(out, "{name}: "),
                Value::Sym(name) => {
                    event_text::push_ruby_string(&mut out, name.as_str());
                    out.push_str(": ");
                }
                key => {
                    out.push_str(&self.inspect(key)?);
                    out.push_str(" => ");
                }
            }
            out.push_str(&self.inspect(&value)?);
            position = after;
        }
        out.push('}');
        Ok(out)
    }

    /// `#<Name ivar=...>`, as `Object#inspect` prints it.
    pub fn inspect_object(&mut self, value: &Value) -> Outcome<String> {
        let Value::Object(object) = value else { return Ok(self.plain_to_s(value)) };
        let plain = self.plain_to_s(value);
        let ivars = object.ivars();
        let identity = value.identity();
        let start = plain.trim_end_matches('>');
        if ivars.is_empty() {
            return Ok(plain);
        }
        if self.inspecting.contains(&identity) {
            return Ok(format!("{start} ...>"));
        }
        self.inspecting.push(identity);
        let mut shown = Vec::with_capacity(ivars.len());
        for (name, value) in &ivars {
            match self.inspect(value) {
                Ok(text) => shown.push(format!("{name}={text}")),
                Err(control) => {
                    self.inspecting.pop();
                    return Err(control);
                }
            }
        }
        self.inspecting.pop();
        Ok(format!("{start} {}>", shown.join(", ")))
    }

    /// A regular expression, or the RegexpError that says what is wrong with it.
    pub fn new_regexp(&mut self, source: &str, options: RegexpOptions) -> Outcome {
        match make_regexp(source, options) {
            Ok(regexp) => Ok(Value::Regexp(Rc::new(regexp))),
            Err(error) => Err(self.error("RegexpError", format!("{error}: /{source}/"))),
        }
    }

    /// Whether a method is one that Rust provides.
    pub fn is_builtin(&self, value: &Value, name: Sym) -> bool {
        self.find_method(value, name).is_some_and(|method| matches!(method.body, Body::Native { .. }))
    }
}

/// Compiles a regular expression.
pub(in crate::ruby) fn make_regexp(source: &str, options: RegexpOptions) -> Result<RRegexp, String> {
    let regex = crate::regex::Regex::builder(source)
        .ignore_case(options.ignore_case)
        .multiline(options.multiline)
        .extended(options.extended)
        .build()
        .map_err(|error| error.message().to_owned())?;
    Ok(RRegexp {
        regex,
        source: source.into(),
        ignore_case: options.ignore_case,
        multiline: options.multiline,
        extended: options.extended,
    })
}

/// `(?i-mx:source)`, which is how a regular expression stands inside another.
pub fn regexp_to_s(regexp: &RRegexp) -> String {
    let flags = [('m', regexp.multiline), ('i', regexp.ignore_case), ('x', regexp.extended)];
    let on: String = flags.iter().filter(|(_, set)| *set).map(|(flag, _)| *flag).collect();
    let off: String = flags.iter().filter(|(_, set)| !*set).map(|(flag, _)| *flag).collect();
    let dash = if off.is_empty() { "" } else { "-" };
    format!("(?{on}{dash}{off}:{})", regexp.source)
}

/// `Float#to_s`
pub fn float_to_s(number: f64) -> String {
    let mut out = String::new();
    event_text::push_ruby_float(&mut out, number);
    out
}

/// `String#inspect`; bytes that are not valid print as `\xE9`.
pub fn inspect_string(buffer: &StrBuf) -> String {
    let mut out = String::from("\"");
    match buffer.as_str() {
        Some(_) if matches!(buffer.encoding(), Encoding::Binary | Encoding::UsAscii) => {
            push_binary(&mut out, buffer.bytes());
        }
        Some(text) => event_text::push_ruby_escaped(&mut out, text),
        None if buffer.range() == StringRange::Broken || buffer.is_single_byte() => {
            let bytes_only = buffer.is_single_byte();
            for chunk in buffer.bytes().utf8_chunks() {
                if bytes_only {
                    push_binary(&mut out, chunk.valid().as_bytes());
                } else {
                    event_text::push_ruby_escaped(&mut out, chunk.valid());
                }
                push_binary(&mut out, chunk.invalid());
            }
        }
        None if matches!(buffer.encoding(), Encoding::Other(encoding) if encoding.is_single_byte()) => {
            push_binary(&mut out, buffer.bytes());
        }
        None => event_text::push_ruby_escaped(&mut out, &buffer.to_text()),
    }
    out.push('"');
    out
}

fn push_binary(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        let named = matches!(byte, 0x07..=0x0D | 0x1B);
        if byte.is_ascii() && (!byte.is_ascii_control() || named) {
            event_text::push_ruby_escaped(out, &char::from(*byte).to_string());
        } else {
            _ = write!(out, "\\x{byte:02X}");
        }
    }
}

/// `:name`, with quotes where the name needs them.
pub fn inspect_symbol(name: Sym) -> String {
    let text = name.as_str();
    let operator = [
        "+", "-", "*", "/", "%", "**", "==", "!=", "<", "<=", ">", ">=", "<=>", "===", "=~", "!~", "!", "[]",
        "[]=", "<<", ">>", "&", "|", "^", "~", "+@", "-@", "`",
    ];
    let stripped =
        text.strip_prefix("@@").or(text.strip_prefix('@')).or(text.strip_prefix('$')).unwrap_or(text);
    let plain = is_identifier(stripped.strip_suffix(['?', '!', '=']).unwrap_or(stripped));
    if plain || operator.contains(&text) {
        return format!(":{text}");
    }
    let mut out = String::from(":");
    event_text::push_ruby_string(&mut out, text);
    out
}

/// Whether a symbol stands without quotes before the colon of a hash's key.
fn is_plain_symbol(name: Sym) -> bool {
    let text = name.as_str();
    is_identifier(text.strip_suffix(['?', '!']).unwrap_or(text))
}

fn is_identifier(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|first| first.is_alphabetic() || first == '_' || !first.is_ascii())
        && characters.all(|other| other.is_alphanumeric() || other == '_' || !other.is_ascii())
}
