//! `CSV`: lines and documents of separated values.

use std::rc::Rc;

use super::{ClassDef, MethodDef};
use crate::ruby::args::{Args, at_least, between, exactly};
use crate::ruby::control::{Control, Outcome};
use crate::ruby::interpreter::Interp;
use crate::ruby::value::{HashMap, RHash, Value};

pub(super) static CLASSES: &[ClassDef] = &[
    ClassDef { singleton_methods: &[FUNCTIONS], ..ClassDef::class("CSV") },
    ClassDef { superclass: Some("RuntimeError"), ..ClassDef::class("CSV::MalformedCSVError") },
    ClassDef { superclass: Some("Hash"), methods: &[ROW], ..ClassDef::class("CSV::Row") },
    ClassDef { methods: &[TO_CSV], ..ClassDef::class("Array") },
    ClassDef { methods: &[PARSE_CSV], ..ClassDef::class("String") },
];

struct Options {
    separator: String,
    quote: char,
    row_end: String,
    headers: Value,
    symbols: bool,
    converters: Vec<String>,
    force_quotes: bool,
    skip_blanks: bool,
    lenient: bool,
}

fn options(interp: &mut Interp, args: Args<'_>) -> Outcome<Options> {
    let mut text = |name: &str, default: &str| match args.keyword(name) {
        Some(Value::Str(text)) => Ok(text.to_text()),
        Some(Value::Nil) | None => Ok(default.to_owned()),
        Some(Value::Sym(_)) => Ok(default.to_owned()),
        Some(other) => Err(interp.no_conversion(&other, "String")),
    };
    let separator = text("col_sep", ",")?;
    let quote = text("quote_char", "\"")?.chars().next().unwrap_or('"');
    let row_end = text("row_sep", "\n")?;
    let flag = |name: &str| args.keyword(name).is_some_and(|value| value.truthy());
    let converters = match args.keyword("converters") {
        Some(Value::Sym(name)) => vec![name.as_str().to_owned()],
        Some(Value::Array(names)) => names
            .to_vec()
            .iter()
            .filter_map(|name| interp.to_name(name).ok())
            .map(|name| name.as_str().to_owned())
            .collect(),
        _ => Vec::new(),
    };
    Ok(Options {
        separator: if separator.is_empty() { ",".into() } else { separator },
        quote,
        row_end,
        headers: args.keyword("headers").unwrap_or_default(),
        symbols: matches!(args.keyword("header_converters"), Some(Value::Sym(name)) if name.as_str() == "symbol"),
        converters,
        force_quotes: flag("force_quotes"),
        skip_blanks: flag("skip_blanks"),
        lenient: flag("liberal_parsing"),
    })
}

const FUNCTIONS: &[MethodDef] = &[
    MethodDef("parse_line", between(1, 2), |interp, _, args| {
        let options = options(interp, args)?;
        let text = args.text(interp, 0)?;
        let rows = rows(interp, &text, &options, 1)?;
        let row = rows.into_iter().next();
        Ok(row.map_or(Value::Nil, |row| Value::array(converted(row, &options))))
    }),
    MethodDef("parse", between(1, 2), |interp, _, args| {
        let options = options(interp, args)?;
        let text = args.text(interp, 0)?;
        let rows = document(interp, &text, &options)?;
        match args.block {
            Some(block) => {
                for row in rows {
                    interp.yield_one(block, row)?;
                }
                Ok(Value::Nil)
            }
            None => Ok(Value::array(rows)),
        }
    }),
    MethodDef("read", between(1, 2), |interp, _, args| {
        let rows = read(interp, args)?;
        Ok(Value::array(rows))
    }),
    MethodDef("foreach", between(1, 2), |interp, _, args| {
        let rows = read(interp, args)?;
        let Some(block) = args.block else {
            return super::enumerator::for_method(interp, &Value::array(rows), "each", &[]);
        };
        for row in rows {
            interp.yield_one(block, row)?;
        }
        Ok(Value::Nil)
    }),
    MethodDef("generate_line", between(1, 2), |interp, _, args| {
        let options = options(interp, args)?;
        let fields = interp.to_array(args.at(0))?.to_vec();
        Ok(Value::str(line(interp, &fields, &options)?))
    }),
    MethodDef("generate_lines", between(1, 2), |interp, _, args| {
        let options = options(interp, args)?;
        let mut out = String::new();
        for row in interp.splat(args.at(0))? {
            let fields = interp.to_array(&row)?.to_vec();
            out.push_str(&line(interp, &fields, &options)?);
        }
        Ok(Value::str(out))
    }),
    MethodDef("generate", between(0, 2), |interp, _, args| {
        let options = options(interp, args)?;
        let block = args.block(interp)?;
        let rows = Value::array(Vec::new());
        interp.yield_one(block, rows.clone())?;
        let mut out = String::new();
        for row in interp.splat(&rows)? {
            let fields = interp.to_array(&row)?.to_vec();
            out.push_str(&line(interp, &fields, &options)?);
        }
        Ok(Value::str(out))
    }),
];

fn read(interp: &mut Interp, args: Args<'_>) -> Outcome<Vec<Value>> {
    let options = options(interp, args)?;
    let file = interp.class_named("File").map_or(Value::Nil, Value::Class);
    let text = interp.call(&file, "read", args.values.get(..1).unwrap_or_default())?;
    let text = interp.to_s(&text)?;
    document(interp, &text, &options)
}

const TO_CSV: &[MethodDef] = &[MethodDef("to_csv", between(0, 1), |interp, this, args| {
    let options = options(interp, args)?;
    let fields = interp.to_array(this)?.to_vec();
    Ok(Value::str(line(interp, &fields, &options)?))
})];

const PARSE_CSV: &[MethodDef] = &[MethodDef("parse_csv", between(0, 1), |interp, this, args| {
    let options = options(interp, args)?;
    let text = interp.to_s(this)?;
    let rows = rows(interp, &text, &options, 1)?;
    let row = rows.into_iter().next();
    Ok(row.map_or(Value::Nil, |row| Value::array(converted(row, &options))))
})];

const ROW: &[MethodDef] = &[
    MethodDef("fields", at_least(0), |interp, this, _| interp.call(this, "values", &[])),
    MethodDef("headers", exactly(0), |interp, this, _| interp.call(this, "keys", &[])),
    MethodDef("to_hash", exactly(0), |interp, this, _| interp.call(this, "to_h", &[])),
    MethodDef("field", exactly(1), |interp, this, args| interp.call(this, "[]", args.values)),
    MethodDef("[]", exactly(1), |interp, this, args| {
        let Value::Hash(hash) = this else { return Ok(Value::Nil) };
        match args.at(0) {
            Value::Int(at) => {
                let found = usize::try_from(*at).ok().and_then(|at| hash.borrow().values().nth(at).cloned());
                Ok(found.unwrap_or_default())
            }
            key => {
                _ = interp;
                Ok(hash.get(key).unwrap_or_default())
            }
        }
    }),
];

fn malformed(interp: &mut Interp, message: &str, at: usize) -> Control {
    interp.error("CSV::MalformedCSVError", format!("{message} in line {at}."))
}

/// A row: the text of each field, if it has one, and whether it stood in quotes.
type Fields = Vec<Option<(String, bool)>>;

/// Reads rows; a field without quotes that is empty is `None`.
fn rows(interp: &mut Interp, text: &str, options: &Options, most: usize) -> Outcome<Vec<Fields>> {
    let mut rows = Vec::new();
    let mut rest = text;
    let mut line_number = 1;
    while !rest.is_empty() && rows.len() < most {
        let (row, behind) = row(interp, rest, options, line_number)?;
        let used = rest.get(..rest.len() - behind.len()).unwrap_or_default();
        line_number += used.matches('\n').count().max(1);
        rest = behind;
        let is_blank = matches!(row.as_slice(), [None]);
        match (is_blank, options.skip_blanks) {
            (true, true) => {}
            (true, false) => rows.push(Vec::new()),
            _ => rows.push(row),
        }
    }
    Ok(rows)
}

type Row<'t> = (Vec<Option<(String, bool)>>, &'t str);

fn row<'t>(interp: &mut Interp, text: &'t str, options: &Options, line_number: usize) -> Outcome<Row<'t>> {
    let mut fields = Vec::new();
    let mut rest = text;
    let line_end = |rest: &'t str| rest.strip_prefix("\r\n").or(rest.strip_prefix(['\n', '\r']));
    loop {
        if let Some(quoted) = rest.strip_prefix(options.quote) {
            let (field, behind) = match unquoted(quoted, options.quote) {
                Some(found) => found,
                None => return Err(malformed(interp, "Unclosed quoted field", line_number)),
            };
            rest = behind;
            let ends = rest.is_empty() || rest.starts_with(&options.separator) || line_end(rest).is_some();
            if !ends {
                return Err(malformed(interp, "Any value after quoted field isn't allowed", line_number));
            }
            fields.push(Some((field, true)));
        } else {
            let separator = rest.find(&options.separator).unwrap_or(rest.len());
            let end = rest.find(['\n', '\r']).unwrap_or(rest.len()).min(separator);
            let (field, behind) = rest.split_at(end);
            if field.contains(options.quote) && !options.lenient {
                return Err(malformed(interp, "Illegal quoting", line_number));
            }
            fields.push(if field.is_empty() { None } else { Some((field.to_owned(), false)) });
            rest = behind;
        }
        if let Some(behind) = rest.strip_prefix(options.separator.as_str()) {
            rest = behind;
            continue;
        }
        return Ok((fields, line_end(rest).unwrap_or("")));
    }
}

/// A quoted field up to its closing quote.
fn unquoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let (part, behind) = rest.split_once(quote)?;
        field.push_str(part);
        match behind.strip_prefix(quote) {
            Some(further) => {
                field.push(quote);
                rest = further;
            }
            None => return Some((field, behind)),
        }
    }
}

fn converted(row: Vec<Option<(String, bool)>>, options: &Options) -> Vec<Value> {
    let wants = |name: &str| options.converters.iter().any(|known| known == name || known == "all");
    let integers = wants("integer") || wants("numeric");
    let floats = wants("float") || wants("numeric");
    row.into_iter()
        .map(|field| match field {
            None => Value::Nil,
            Some((text, _)) => match (text.parse::<i64>(), super::string::parse_float(&text)) {
                (Ok(number), _) if integers => Value::Int(number),
                (_, Some(number)) if floats => Value::Float(number),
                _ => Value::str(text),
            },
        })
        .collect()
}

/// All rows; with headers as hashes that know their fields by name.
fn document(interp: &mut Interp, text: &str, options: &Options) -> Outcome<Vec<Value>> {
    let mut rows = rows(interp, text, options, usize::MAX)?.into_iter();
    let headers = match &options.headers {
        Value::Nil | Value::Bool(false) => {
            return Ok(rows.map(|row| Value::array(converted(row, options))).collect());
        }
        Value::Array(names) => names.to_vec(),
        _ => match rows.next() {
            Some(names) => {
                names.into_iter().map(|name| name.map_or(Value::Nil, |(name, _)| Value::str(name))).collect()
            }
            None => Vec::new(),
        },
    };
    let mut names = Vec::with_capacity(headers.len());
    for header in headers {
        names.push(match options.symbols {
            true => {
                let text = interp.to_s(&header)?.trim().to_lowercase();
                let plain: String =
                    text.chars().filter(|c| c.is_alphanumeric() || "_ ".contains(*c)).collect();
                Value::sym(&plain.split_whitespace().collect::<Vec<_>>().join("_"))
            }
            false => header,
        });
    }
    let class = interp.class_named("CSV::Row");
    let hashes = rows.map(|row| {
        let fields = converted(row, options);
        let entries = names
            .iter()
            .enumerate()
            .map(|(at, name)| (name.clone(), fields.get(at).cloned().unwrap_or_default()));
        let hash = RHash::new(entries.collect::<HashMap>());
        if let Some(class) = &class {
            hash.extra.set_class(class.clone());
        }
        Value::Hash(Rc::new(hash))
    });
    Ok(hashes.collect())
}

fn line(interp: &mut Interp, fields: &[Value], options: &Options) -> Outcome<String> {
    let mut parts = Vec::with_capacity(fields.len());
    for field in fields {
        if field.is_nil() {
            parts.push(if options.force_quotes { format!("{0}{0}", options.quote) } else { String::new() });
            continue;
        }
        let text = interp.to_s(field)?;
        let needs_quotes = options.force_quotes
            || text.is_empty()
            || text.contains(&options.separator)
            || text.contains([options.quote, '\n', '\r'])
            || text.starts_with([' ', '\t'])
            || text.ends_with([' ', '\t']);
        parts.push(match needs_quotes {
            true => {
                let doubled = text.replace(options.quote, &format!("{0}{0}", options.quote));
                format!("{0}{doubled}{0}", options.quote)
            }
            false => text,
        });
    }
    Ok(parts.join(&options.separator) + &options.row_end)
}
