//! `YAML` (Psych): reading documents with YAML 1.1's plain scalars, and writing values.

use std::rc::Rc;

use saphyr::{ScalarStyle, Yaml, YamlLoader};
use saphyr_parser::Parser;

use super::{ClassDef, MethodDef};
use crate::ruby::args::{Args, at_least};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::value::{HashMap, Value};

pub(super) static CLASSES: &[ClassDef] = &[
    ClassDef {
        singleton_methods: &[METHODS],
        setup: Some(|interp, module| {
            let top = interp.classes.object.clone();
            interp.define_constant(&top, "YAML", Value::Class(Rc::clone(module)));
        }),
        ..ClassDef::module("Psych")
    },
    ClassDef { superclass: Some("StandardError"), ..ClassDef::class("Psych::Exception") },
    ClassDef { superclass: Some("Psych::Exception"), ..ClassDef::class("Psych::SyntaxError") },
    ClassDef { superclass: Some("Psych::Exception"), ..ClassDef::class("Psych::BadAlias") },
    ClassDef { superclass: Some("Psych::Exception"), ..ClassDef::class("Psych::DisallowedClass") },
    ClassDef { methods: &[TO_YAML], ..ClassDef::class("Object") },
];

const METHODS: &[MethodDef] = &[
    MethodDef("load", at_least(1), load),
    MethodDef("safe_load", at_least(1), load),
    MethodDef("unsafe_load", at_least(1), load),
    MethodDef("load_file", at_least(1), load_file),
    MethodDef("safe_load_file", at_least(1), load_file),
    MethodDef("unsafe_load_file", at_least(1), load_file),
    MethodDef("dump", at_least(1), |interp, _, args| {
        let mut out = String::from("---");
        write(interp, args.at(0), 0, &mut out)?;
        Ok(Value::str(out))
    }),
];

const TO_YAML: &[MethodDef] = &[MethodDef("to_yaml", at_least(0), |interp, this, _| {
    let mut out = String::from("---");
    write(interp, this, 0, &mut out)?;
    Ok(Value::str(out))
})];

fn load(interp: &mut Interp, _: &Value, args: Args<'_>) -> Outcome {
    let text = args.text(interp, 0)?;
    let symbolize = args.keyword("symbolize_names").is_some_and(|flag| flag.truthy());
    let mut loader = YamlLoader::<Yaml<'_>>::default();
    loader.early_parse(false);
    loader.allow_duplicate_keys(true);
    let parsed = Parser::new_from_str(&text).load(&mut loader, false);
    if let Err(error) = parsed {
        return Err(interp.error("Psych::SyntaxError", error.to_string()));
    }
    if let Some(error) = loader.error() {
        let message = error.to_string();
        return Err(interp.error("Psych::SyntaxError", message));
    }
    match loader.into_documents().first() {
        Some(document) => convert(interp, document, symbolize),
        None => Ok(Value::Bool(false)),
    }
}

fn load_file(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let file = interp.class_named("File").map_or(Value::Nil, Value::Class);
    let text = interp.call(&file, "read", std::slice::from_ref(args.at(0)))?;
    let mut values = vec![text];
    values.extend_from_slice(args.from(1));
    load(interp, this, Args { values: &values, ..args })
}

fn convert(interp: &mut Interp, node: &Yaml<'_>, symbolize: bool) -> Outcome {
    interp.guard()?;
    Ok(match node {
        Yaml::Representation(text, ScalarStyle::Plain, _) => plain(interp, text),
        Yaml::Representation(text, ..) => Value::str(&**text),
        Yaml::Sequence(items) => {
            let mut values = Vec::with_capacity(items.len());
            for item in items {
                values.push(convert(interp, item, symbolize)?);
            }
            Value::array(values)
        }
        Yaml::Mapping(pairs) => {
            let mut map = HashMap::with_capacity(pairs.len());
            for (key, value) in pairs {
                let mut key = convert(interp, key, symbolize)?;
                if symbolize && let Value::Str(text) = &key {
                    key = Value::sym(&text.to_text());
                }
                let value = convert(interp, value, symbolize)?;
                map.insert(key, value);
            }
            Value::hash(map)
        }
        Yaml::Tagged(tag, inner) => match (tag.suffix.as_str(), &**inner) {
            ("str", Yaml::Representation(text, ..)) => Value::str(&**text),
            (_, inner) => convert(interp, inner, symbolize)?,
        },
        Yaml::Value(_) | Yaml::Alias(_) | Yaml::BadValue => Value::Nil,
    })
}

/// What a plain scalar stands for in YAML 1.1.
fn plain(interp: &mut Interp, text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Nil,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => return Value::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            return Value::Bool(false);
        }
        ".inf" | ".Inf" | ".INF" | "+.inf" => return Value::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Value::Float(f64::NEG_INFINITY),
        ".nan" | ".NaN" | ".NAN" => return Value::Float(f64::NAN),
        _ => {}
    }
    if let Some(name) = text.strip_prefix(':')
        && !name.is_empty()
        && !name.contains(' ')
    {
        return Value::sym(name.trim_matches('"'));
    }
    let is_number = text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first));
    if is_number {
        let clean = text.replace(['_', ','], "");
        let main = interp.main.clone();
        let whole = clean.trim_start_matches(['+', '-']);
        if whole.bytes().all(|byte| byte.is_ascii_digit()) && !whole.is_empty() || whole.starts_with("0x") {
            if let Ok(number @ (Value::Int(_) | Value::Big(_))) =
                interp.call(&main, "Integer", &[Value::str(clean.as_str())])
            {
                return number;
            }
        } else if whole.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte))
            && whole.contains('.')
            && whole.split(['e', 'E']).nth(1).is_none_or(|exponent| exponent.starts_with(['+', '-']))
            && whole.contains(|c: char| c.is_ascii_digit())
            && let Ok(number) = clean.parse::<f64>()
        {
            return Value::Float(number);
        }
    }
    Value::str(text)
}

/// Appends a value behind `---`, `- ` or `key:`, with what separates it.
fn write(interp: &mut Interp, value: &Value, indent: usize, out: &mut String) -> Outcome<()> {
    interp.guard()?;
    let pad = "  ".repeat(indent);
    match value {
        Value::Array(array) if !array.is_empty() => {
            for item in array.to_vec() {
                out.push_str(&format!("\n{pad}-"));
                let start = out.len();
                write(interp, &item, indent + 1, out)?;
                // What is nested begins on the line of its dash.
                let nested = format!("\n{pad}  ");
                if out.get(start..).is_some_and(|text| text.starts_with(&nested)) {
                    out.replace_range(start..start + nested.len(), " ");
                }
                trim_end(out);
            }
            out.push('\n');
        }
        Value::Hash(hash) if !hash.is_empty() => {
            let map = hash.borrow().clone();
            for (key, value) in map.iter() {
                let key = scalar(interp, key, indent)?;
                out.push_str(&format!("\n{pad}{key}:"));
                // A list stands at the indentation of its key.
                let deeper = if matches!(value, Value::Array(_)) { indent } else { indent + 1 };
                write(interp, value, deeper, out)?;
                trim_end(out);
            }
            out.push('\n');
        }
        Value::Array(_) => out.push_str(" []\n"),
        Value::Hash(_) => out.push_str(" {}\n"),
        other => {
            let text = scalar(interp, other, indent)?;
            if !text.is_empty() {
                out.push(' ');
                out.push_str(&text);
            }
            out.push('\n');
        }
    }
    Ok(())
}

fn trim_end(out: &mut String) {
    if out.ends_with('\n') {
        out.pop();
    }
}

fn scalar(interp: &mut Interp, value: &Value, indent: usize) -> Outcome<String> {
    Ok(match value {
        Value::Nil => String::new(),
        Value::Sym(name) => format!(":{name}"),
        Value::Str(string) => text(interp, &string.to_text(), indent),
        Value::Float(number) if number.is_nan() => ".nan".into(),
        Value::Float(number) if number.is_infinite() => if *number > 0.0 { ".inf" } else { "-.inf" }.into(),
        other if super::time::time_in(other).is_some() => {
            let utc = interp.call(other, "utc?", &[])?.truthy();
            let zone = if utc { "Z" } else { "%:z" };
            let shown = interp.call(other, "strftime", &[Value::str(format!("%F %T.%9N {zone}"))])?;
            interp.to_s(&shown)?
        }
        other => interp.to_s(other)?,
    })
}

/// Text, with the quotes that Psych gives it.
fn text(interp: &mut Interp, text: &str, indent: usize) -> String {
    let special = text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{FEFF}');
    let inner_break = text.trim_end_matches('\n').contains('\n');
    if inner_break && !special && !text.contains(" \n") {
        return literal(text, indent);
    }
    let first = text.chars().next();
    let odd_start =
        first.is_some_and(|first| !first.is_alphanumeric() && first != '_') && !text.contains('"');
    if special || text.contains('\n') || odd_start || matches!(text, "y" | "Y" | "n" | "N") {
        return quoted(text);
    }
    let stays_text = matches!(plain(interp, text), Value::Str(_))
        && !is_date_or_time(text)
        && !text.starts_with(|first: char| "-?:,[]{}#&*!|>'\"%@` ".contains(first))
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with([':', ' ']);
    if stays_text { text.to_owned() } else { format!("'{}'", text.replace('\'', "''")) }
}

/// `2024-05-06` and `12:30`, which stand for something else than text.
fn is_date_or_time(text: &str) -> bool {
    let parts: Vec<&str> = text.split(['-', ':']).collect();
    let digits = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let start = text.get(..10).unwrap_or(text);
    let is_date =
        start.len() == 10 && start.matches('-').count() == 2 && start.split('-').all(|part| digits(&part));
    is_date || (text.contains(':') && !text.contains('-') && parts.iter().all(digits))
}

/// `|-` and the lines below it.
fn literal(text: &str, indent: usize) -> String {
    let hint = if text.starts_with([' ', '\n']) { "2" } else { "" };
    let end = match text.len() - text.trim_end_matches('\n').len() {
        0 => "-",
        1 => "",
        _ => "+",
    };
    let pad = "  ".repeat(indent.max(1));
    let lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
    let lines: Vec<String> =
        lines.map(|line| if line.is_empty() { String::new() } else { format!("{pad}{line}") }).collect();
    format!("|{hint}{end}\n{}", lines.join("\n"))
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\u{1B}' => out.push_str("\\e"),
            '\0' => out.push_str("\\0"),
            control if control.is_control() => out.push_str(&format!("\\x{:02X}", u32::from(control))),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}
