//! `URI`, `CGI` and `ERB::Util`: web addresses and their escapes.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::LazyLock;

use regex::Regex;

use super::{ClassDef, MethodDef};
use crate::event::text;
use crate::ruby::args::{Args, at_least, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::value::{Encoding, HashDefault, HashMap, Native, RHash, Value};

const fn scheme(name: &'static str) -> ClassDef {
    ClassDef { superclass: Some("URI::Generic"), ..ClassDef::class(name) }
}

pub(super) static CLASSES: &[ClassDef] = &[
    ClassDef { functions: &[FUNCTIONS], ..ClassDef::module("URI") },
    ClassDef { superclass: Some("StandardError"), ..ClassDef::class("URI::Error") },
    ClassDef { superclass: Some("URI::Error"), ..ClassDef::class("URI::InvalidURIError") },
    ClassDef { superclass: Some("URI::Error"), ..ClassDef::class("URI::InvalidComponentError") },
    ClassDef { methods: &[METHODS, SETTERS], ..ClassDef::class("URI::Generic") },
    scheme("URI::HTTP"),
    ClassDef { superclass: Some("URI::HTTP"), ..ClassDef::class("URI::HTTPS") },
    scheme("URI::FTP"),
    scheme("URI::File"),
    scheme("URI::MailTo"),
    scheme("URI::LDAP"),
    scheme("URI::WS"),
    ClassDef { functions: &[KERNEL], ..ClassDef::module("Kernel") },
    ClassDef {
        methods: &[PARSER],
        setup: Some(|interp, class| {
            let parser = Value::Object(Rc::new(crate::ruby::value::RObject::new(class)));
            if let Some(module) = interp.class_named("URI") {
                interp.define_constant(&module, "DEFAULT_PARSER", parser);
            }
        }),
        ..ClassDef::class("URI::RFC2396_Parser")
    },
    ClassDef { singleton_methods: &[CGI], ..ClassDef::class("CGI") },
    ClassDef::class("ERB"),
    ClassDef { functions: &[ERB_UTIL], ..ClassDef::module("ERB::Util") },
];

#[derive(Clone, Default)]
struct Parts {
    scheme: Option<String>,
    userinfo: Option<String>,
    host: Option<String>,
    port: Option<i64>,
    path: String,
    opaque: Option<String>,
    query: Option<String>,
    fragment: Option<String>,
}

struct Uri(RefCell<Parts>);

impl Native for Uri {
    fn duplicate(&self) -> Option<Rc<dyn Native>> {
        Some(Rc::new(Uri(self.0.clone())))
    }
}

static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^(?:([A-Za-z][A-Za-z0-9+.\-]*):)?(?://(?:([^/?#@]*)@)?(\[[^\]/?#]*\]|[^/?#:]*)(?::(\d*))?)?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$").ok()
});

fn default_port(scheme: &str) -> Option<i64> {
    Some(match scheme {
        "http" | "ws" => 80,
        "https" | "wss" => 443,
        "ftp" => 21,
        "ldap" => 389,
        "ldaps" => 636,
        _ => return None,
    })
}

fn split(text: &str) -> Option<Parts> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
    if !text.bytes().all(is_plain) {
        return None;
    }
    let bad_escape = text.match_indices('%').any(|(at, _)| {
        !text.get(at + 1..at + 3).is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
    });
    if bad_escape {
        return None;
    }
    let found = PATTERN.as_ref()?.captures(text)?;
    let part = |group: usize| found.get(group).map(|part| part.as_str().to_owned());
    let scheme = part(1).map(|scheme| scheme.to_ascii_lowercase());
    let path = part(5).unwrap_or_default();
    let is_opaque = scheme.is_some() && found.get(3).is_none() && !path.starts_with('/') && !path.is_empty();
    let port = part(4).filter(|port| !port.is_empty()).and_then(|port| port.parse().ok());
    Some(Parts {
        port: port.or(scheme.as_deref().filter(|_| found.get(3).is_some()).and_then(default_port)),
        userinfo: part(2),
        host: part(3).map(|host| if scheme.is_some() { host.to_ascii_lowercase() } else { host }),
        opaque: is_opaque.then(|| path.clone()),
        path: if is_opaque { String::new() } else { path },
        query: part(6),
        fragment: part(7),
        scheme,
    })
}

fn text_of(parts: &Parts) -> String {
    let mut out = String::new();
    if let Some(scheme) = &parts.scheme {
        out.push_str(scheme);
        out.push(':');
    }
    if let Some(opaque) = &parts.opaque {
        out.push_str(opaque);
    }
    if let Some(host) = &parts.host {
        out.push_str("//");
        if let Some(userinfo) = &parts.userinfo {
            out.push_str(userinfo);
            out.push('@');
        }
        out.push_str(host);
        if let Some(port) = parts.port
            && parts.scheme.as_deref().and_then(default_port) != Some(port)
        {
            out.push_str(&format!(":{port}"));
        }
    }
    out.push_str(&parts.path);
    if let Some(query) = &parts.query {
        out.push('?');
        out.push_str(query);
    }
    if let Some(fragment) = &parts.fragment {
        out.push('#');
        out.push_str(fragment);
    }
    out
}

fn wrap(interp: &mut Interp, parts: Parts) -> Value {
    let class = match parts.scheme.as_deref() {
        Some("http") => "URI::HTTP",
        Some("https") => "URI::HTTPS",
        Some("ftp") => "URI::FTP",
        Some("file") => "URI::File",
        Some("mailto") => "URI::MailTo",
        Some("ldap" | "ldaps") => "URI::LDAP",
        Some("ws" | "wss") => "URI::WS",
        _ => "URI::Generic",
    };
    let class = interp.class_named(class).unwrap_or_else(|| interp.classes.object.clone());
    Value::native(&class, Uri(RefCell::new(parts)))
}

fn parse(interp: &mut Interp, value: &Value) -> Outcome {
    if value.as_native::<Uri>().is_some() {
        return Ok(value.clone());
    }
    let Value::Str(text) = value else {
        let shown = interp.inspect(value)?;
        return Err(interp.error("URI::InvalidURIError", format!("bad URI (is not URI?): {shown}")));
    };
    let text = text.to_text();
    match split(&text) {
        Some(parts) => Ok(wrap(interp, parts)),
        None => {
            let message = if text.is_ascii() {
                format!("bad URI (is not URI?): {}", interp.inspect(value)?)
            } else {
                format!("URI must be ascii only {}", interp.inspect(value)?)
            };
            Err(interp.error("URI::InvalidURIError", message))
        }
    }
}

const KERNEL: &[MethodDef] = &[MethodDef("URI", exactly(1), |interp, _, args| parse(interp, args.at(0)))];

const FUNCTIONS: &[MethodDef] = &[
    MethodDef("parse", exactly(1), |interp, _, args| parse(interp, args.at(0))),
    MethodDef("split", exactly(1), |interp, _, args| {
        let uri = parse(interp, args.at(0))?;
        let mut parts = Vec::new();
        for name in ["scheme", "userinfo", "host", "port", "registry", "path", "opaque", "query", "fragment"]
        {
            parts.push(if name == "registry" { Value::Nil } else { interp.call(&uri, name, &[])? });
        }
        Ok(Value::array(parts))
    }),
    MethodDef("join", at_least(1), |interp, _, args| {
        let mut base = parse(interp, args.at(0))?;
        for reference in args.from(1) {
            base = interp.call(&base, "merge", std::slice::from_ref(reference))?;
        }
        Ok(base)
    }),
    MethodDef("extract", between(1, 2), |interp, _, args| {
        let text = args.text(interp, 0)?;
        let words = text.split(|c: char| c.is_whitespace() || "<>\"".contains(c));
        let found = words.filter(|word| word.contains("://") && split(word).is_some());
        Ok(Value::array(found.map(Value::str).collect()))
    }),
    MethodDef("regexp", between(0, 1), |interp, _, _| {
        let options = crate::ruby::compiler::tree::RegexpOptions::default();
        interp.new_regexp(r"[A-Za-z][A-Za-z0-9+.\-]*:(?://)?[^\s<>\x22]+", options)
    }),
    MethodDef("encode_www_form_component", between(1, 2), |interp, _, args| {
        escape(interp, args, b"*-._", "+")
    }),
    MethodDef("decode_www_form_component", between(1, 2), |interp, _, args| {
        check_escapes(interp, args)?;
        unescape(interp, args, true)
    }),
    MethodDef("encode_uri_component", between(1, 2), |interp, _, args| escape(interp, args, b"*-._", "%20")),
    MethodDef("decode_uri_component", between(1, 2), |interp, _, args| unescape(interp, args, false)),
    MethodDef("encode_www_form", between(1, 2), |interp, _, args| {
        let mut parts = Vec::new();
        for pair in super::enumerable::items(interp, args.at(0))? {
            let pair = interp.splat(&pair)?;
            let name = pair.first().cloned().unwrap_or_default();
            let values = match pair.get(1) {
                Some(Value::Array(values)) => values.to_vec(),
                Some(value) => vec![value.clone()],
                None => vec![Value::Nil],
            };
            let name = interp.to_s(&name)?;
            let name = escaped(name.as_bytes(), b"*-._", "+");
            for value in values {
                if value.is_nil() {
                    parts.push(name.clone());
                    continue;
                }
                let value = interp.to_s(&value)?;
                parts.push(format!("{name}={}", escaped(value.as_bytes(), b"*-._", "+")));
            }
        }
        Ok(Value::str(parts.join("&")))
    }),
    MethodDef("decode_www_form", between(1, 2), |interp, _, args| {
        let text = args.text(interp, 0)?;
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Value::array(
                [name, value]
                    .map(|part| Value::bytes(unescaped(part.as_bytes(), true), Encoding::Utf8))
                    .to_vec(),
            )
        });
        Ok(Value::array(pairs.collect()))
    }),
];

/// What `URI::DEFAULT_PARSER` still answers.
const PARSER: &[MethodDef] = &[
    MethodDef("escape", between(1, 2), |interp, _, args| {
        escape(interp, args, b"-_.!~*'();/?:@&=+$,[]", "%20")
    }),
    MethodDef("unescape", exactly(1), |interp, _, args| unescape(interp, args, false)),
    MethodDef("parse", exactly(1), |interp, _, args| parse(interp, args.at(0))),
];

/// Percent escapes for all but letters, digits and some others.
fn escaped(bytes: &[u8], kept: &[u8], space: &str) -> String {
    let mut out = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b' ' => out.push_str(space),
            byte if byte.is_ascii_alphanumeric() || kept.contains(byte) => out.push(char::from(*byte)),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn unescaped(bytes: &[u8], plus_is_space: bool) -> Vec<u8> {
    let spaced: Vec<u8> = match plus_is_space {
        true => bytes.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect(),
        false => bytes.to_vec(),
    };
    percent_encoding::percent_decode(&spaced).collect()
}

fn escape(interp: &mut Interp, args: Args<'_>, kept: &[u8], space: &str) -> Outcome {
    let text = interp.to_s_string(args.at(0))?;
    let escaped = escaped(text.borrow().bytes(), kept, space);
    Ok(Value::str(escaped))
}

/// `%` must stand before two hexadecimal digits.
fn check_escapes(interp: &mut Interp, args: Args<'_>) -> Outcome<()> {
    let text = args.text(interp, 0)?;
    let is_escape = |behind: &str| {
        behind.get(..2).is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
    };
    if text.split('%').skip(1).all(is_escape) {
        return Ok(());
    }
    Err(interp.argument_error(format!("invalid %-encoding ({text})")))
}

fn unescape(interp: &mut Interp, args: Args<'_>, plus_is_space: bool) -> Outcome {
    let text = args.string(interp, 0)?;
    let decoded = unescaped(text.borrow().bytes(), plus_is_space);
    Ok(Value::bytes(decoded, Encoding::Utf8))
}

fn parts(interp: &mut Interp, this: &Value) -> Outcome<Parts> {
    match this.as_native() {
        Some(Uri(parts)) => Ok(parts.borrow().clone()),
        None => Err(interp.type_error("not a URI")),
    }
}

/// A method that gives one part.
macro_rules! part {
    ($name:literal, $part:expr) => {
        MethodDef($name, exactly(0), |interp, this, _| {
            let parts = parts(interp, this)?;
            let part: fn(&Parts) -> Value = $part;
            Ok(part(&parts))
        })
    };
}

const METHODS: &[MethodDef] = &[
    part!("scheme", |parts| Value::from(parts.scheme.clone())),
    part!("host", |parts| Value::from(parts.host.clone())),
    part!("hostname", |parts| {
        Value::from(parts.host.as_ref().map(|host| host.trim_matches(['[', ']']).to_owned()))
    }),
    part!("port", |parts| Value::from(parts.port)),
    part!("path", |parts| if parts.opaque.is_some() { Value::Nil } else { Value::str(parts.path.as_str()) }),
    part!("query", |parts| Value::from(parts.query.clone())),
    part!("fragment", |parts| Value::from(parts.fragment.clone())),
    part!("opaque", |parts| Value::from(parts.opaque.clone())),
    part!("userinfo", |parts| Value::from(parts.userinfo.clone())),
    part!("user", |parts| {
        Value::from(parts.userinfo.as_ref().map(|info| info.split(':').next().unwrap_or_default().to_owned()))
    }),
    part!("password", |parts| {
        Value::from(parts.userinfo.as_ref().and_then(|info| Some(info.split_once(':')?.1.to_owned())))
    }),
    part!("default_port", |parts| Value::from(parts.scheme.as_deref().and_then(default_port))),
    part!("absolute?", |parts| Value::Bool(parts.scheme.is_some())),
    part!("absolute", |parts| Value::Bool(parts.scheme.is_some())),
    part!("relative?", |parts| Value::Bool(parts.scheme.is_none())),
    part!("to_s", |parts| Value::str(text_of(parts))),
    part!("to_str", |parts| Value::str(text_of(parts))),
    part!("request_uri", |parts| {
        let path = if parts.path.is_empty() { "/" } else { &parts.path };
        Value::str(parts.query.as_ref().map_or(path.to_owned(), |query| format!("{path}?{query}")))
    }),
    part!("authority", |parts| Value::from(parts.host.clone())),
    part!("origin", |parts| {
        let default = parts.scheme.as_deref().and_then(default_port) == parts.port;
        let port =
            if default { String::new() } else { parts.port.map_or(String::new(), |port| format!(":{port}")) };
        Value::str(format!(
            "{}://{}{port}",
            parts.scheme.as_deref().unwrap_or_default(),
            parts.host.as_deref().unwrap_or_default()
        ))
    }),
    MethodDef("inspect", exactly(0), |interp, this, _| {
        let text = text_of(&parts(interp, this)?);
        let class = interp.class_name(&interp.real_class(this));
        Ok(Value::str(format!("#<{class} {text}>")))
    }),
    MethodDef("==", exactly(1), |interp, this, args| {
        let own = text_of(&parts(interp, this)?);
        Ok(Value::Bool(matches!(args.at(0).as_native(), Some(Uri(other)) if text_of(&other.borrow()) == own)))
    }),
    MethodDef("merge", exactly(1), merge),
    MethodDef("+", exactly(1), merge),
    MethodDef("normalize", exactly(0), |interp, this, _| {
        let mut parts = parts(interp, this)?;
        parts.host = parts.host.map(|host| host.to_ascii_lowercase());
        if parts.path.is_empty() && parts.host.is_some() {
            parts.path = "/".into();
        }
        Ok(wrap(interp, parts))
    }),
];

/// A setter of one part.
macro_rules! setter {
    ($name:literal, $field:ident) => {
        MethodDef($name, exactly(1), |interp, this, args| {
            let value = if args.at(0).is_nil() { None } else { Some(interp.to_s(args.at(0))?) };
            if let Some(Uri(parts)) = this.as_native() {
                parts.borrow_mut().$field = value.map_or_else(Default::default, |value| value.into());
            }
            Ok(args.at(0).clone())
        })
    };
}

const SETTERS: &[MethodDef] = &[
    setter!("scheme=", scheme),
    setter!("host=", host),
    setter!("path=", path),
    setter!("query=", query),
    setter!("fragment=", fragment),
    setter!("userinfo=", userinfo),
    MethodDef("port=", exactly(1), |interp, this, args| {
        let port = if args.at(0).is_nil() { None } else { Some(interp.to_int(args.at(0))?) };
        if let Some(Uri(parts)) = this.as_native() {
            parts.borrow_mut().port = port;
        }
        Ok(args.at(0).clone())
    }),
    MethodDef("user=", exactly(1), |interp, this, args| set_user(interp, this, args, true)),
    MethodDef("password=", exactly(1), |interp, this, args| set_user(interp, this, args, false)),
];

fn set_user(interp: &mut Interp, this: &Value, args: Args<'_>, is_user: bool) -> Outcome {
    let value = if args.at(0).is_nil() { None } else { Some(interp.to_s(args.at(0))?) };
    if let Some(Uri(parts)) = this.as_native() {
        let mut parts = parts.borrow_mut();
        let old = parts.userinfo.take().unwrap_or_default();
        let (user, password) = match old.split_once(':') {
            Some((user, password)) => (user.to_owned(), Some(password.to_owned())),
            None => (old, None),
        };
        let (user, password) = if is_user { (value.unwrap_or_default(), password) } else { (user, value) };
        parts.userinfo = match password {
            Some(password) => Some(format!("{user}:{password}")),
            None => Some(user).filter(|user| !user.is_empty()),
        };
    }
    Ok(args.at(0).clone())
}

/// A reference resolved against a base, as RFC 3986 says.
fn merge(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let base = parts(interp, this)?;
    let reference = parse(interp, args.at(0))?;
    let mut target = parts(interp, &reference)?;
    if target.scheme.is_some() {
        return Ok(reference);
    }
    target.scheme = base.scheme.clone();
    if target.host.is_none() {
        (target.host, target.port, target.userinfo) = (base.host.clone(), base.port, base.userinfo.clone());
        if target.path.is_empty() {
            target.path = base.path.clone();
            target.query = target.query.or(base.query);
        } else if !target.path.starts_with('/') {
            let folder = base.path.rfind('/').map_or("/", |at| base.path.get(..=at).unwrap_or("/"));
            target.path = format!("{folder}{}", target.path);
        }
        target.path = without_dots(&target.path);
    }
    Ok(wrap(interp, target))
}

fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let parts: Vec<&str> = path.split('/').collect();
    let last = parts.len().saturating_sub(1);
    for (at, part) in parts.into_iter().enumerate() {
        match part {
            "." if at == last => kept.push(""),
            "." => {}
            ".." => {
                if kept.len() > 1 {
                    kept.pop();
                }
                if at == last {
                    kept.push("");
                }
            }
            other => kept.push(other),
        }
    }
    kept.join("/")
}

const CGI: &[MethodDef] = &[
    MethodDef("escape", exactly(1), |interp, _, args| {
        args.string(interp, 0)?;
        escape(interp, args, b"-._~", "+")
    }),
    MethodDef("unescape", between(1, 2), |interp, _, args| unescape(interp, args, true)),
    MethodDef("escapeURIComponent", exactly(1), |interp, _, args| escape(interp, args, b"-._~", "%20")),
    MethodDef("unescapeURIComponent", between(1, 2), |interp, _, args| unescape(interp, args, false)),
    MethodDef("escapeHTML", exactly(1), |interp, _, args| {
        let text = args.text(interp, 0)?;
        Ok(Value::str(escaped_html(&text)))
    }),
    MethodDef("escape_html", exactly(1), |interp, _, args| {
        let text = args.text(interp, 0)?;
        Ok(Value::str(escaped_html(&text)))
    }),
    MethodDef("h", exactly(1), |interp, _, args| {
        let text = args.text(interp, 0)?;
        Ok(Value::str(escaped_html(&text)))
    }),
    MethodDef("unescapeHTML", exactly(1), |interp, _, args| {
        let text = args.text(interp, 0)?;
        Ok(Value::str(unescaped_html(&text)))
    }),
    MethodDef("unescape_html", exactly(1), |interp, _, args| {
        let text = args.text(interp, 0)?;
        Ok(Value::str(unescaped_html(&text)))
    }),
    MethodDef("parse", exactly(1), |interp, _, args| {
        let text = args.text(interp, 0)?;
        let mut map = HashMap::new();
        for pair in text.split(['&', ';']).filter(|pair| !pair.is_empty()) {
            let decoded = |part: &str| Value::bytes(unescaped(part.as_bytes(), true), Encoding::Utf8);
            let (name, value) = match pair.split_once('=') {
                Some((name, value)) => (name, Some(decoded(value))),
                None => (pair, None),
            };
            let name = decoded(name);
            match map.get(&name) {
                Some(Value::Array(values)) => value.into_iter().for_each(|value| values.push(value)),
                _ => map.insert(name, Value::array(value.into_iter().collect())),
            }
        }
        let hash = RHash::new(map);
        *hash.default.borrow_mut() = HashDefault::Value(Value::array(Vec::new()));
        Ok(Value::Hash(Rc::new(hash)))
    }),
];

fn escaped_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    text::push_html_escaped(&mut out, text);
    out
}

fn unescaped_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, behind)) = rest.split_once('&') {
        out.push_str(plain);
        let entity = behind.split_once(';').and_then(|(name, after)| {
            let character = match name {
                "amp" => '&',
                "lt" => '<',
                "gt" => '>',
                "quot" => '"',
                "apos" => '\'',
                _ => {
                    let digits = name.strip_prefix('#')?;
                    let code = match digits.strip_prefix(['x', 'X']) {
                        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                        None => digits.parse().ok()?,
                    };
                    char::from_u32(code)?
                }
            };
            Some((character, after))
        });
        match entity {
            Some((character, after)) => {
                out.push(character);
                rest = after;
            }
            None => {
                out.push('&');
                rest = behind;
            }
        }
    }
    out.push_str(rest);
    out
}

const ERB_UTIL: &[MethodDef] = &[
    MethodDef("html_escape", exactly(1), |interp, _, args| {
        let text = interp.to_s(args.at(0))?;
        Ok(Value::str(escaped_html(&text)))
    }),
    MethodDef("h", exactly(1), |interp, _, args| {
        let text = interp.to_s(args.at(0))?;
        Ok(Value::str(escaped_html(&text)))
    }),
    MethodDef("url_encode", exactly(1), |interp, _, args| escape(interp, args, b"-._~", "%20")),
    MethodDef("u", exactly(1), |interp, _, args| escape(interp, args, b"-._~", "%20")),
];
