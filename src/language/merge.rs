//! What becomes of an option that is given more than once (`map_expr_attributes` in `compiler/lscl.rb`).

use super::ast::*;
use super::diagnostic::Diagnostic;

/// The options of a plugin, each name once, at the place of its first mention.
///
/// Hashes are merged key by key, where two values of one key become an array. An array takes in whatever follows.
/// Other values become an array of two, unless they are equal.
///
/// # Errors
/// A value after a hash that is no hash, and codecs that would have to become an array.
pub fn merged_attributes(plugin: &Plugin) -> Result<Vec<Attribute>, Box<Diagnostic>> {
    let mut merged: Vec<Attribute> = Vec::with_capacity(plugin.attributes.len());
    for attribute in &plugin.attributes {
        match merged.iter_mut().find(|it| it.name.text == attribute.name.text) {
            None => merged.push(attribute.clone()),
            Some(first) => merge(plugin, first, attribute)?,
        }
    }
    Ok(merged)
}

fn merge(plugin: &Plugin, first: &mut Attribute, next: &Attribute) -> Result<(), Box<Diagnostic>> {
    let refused = |message: String, help: &str| {
        let diagnostic = Diagnostic::error(next.span, message).help(help);
        Err(Box::new(diagnostic.related(first.span, "first given here")))
    };
    let name = &first.name.text;
    if matches!(first.value.kind, ValueKind::Plugin(_)) || matches!(next.value.kind, ValueKind::Plugin(_)) {
        let message = format!("`{}` has more than one `{name}`", plugin.name.text);
        return refused(message, "only one is possible; remove the others");
    }
    let span = first.value.span;
    match (&mut first.value.kind, &next.value.kind) {
        (ValueKind::Hash(into), ValueKind::Hash(from)) => merge_hash(into, from, Repeats::Kept),
        (ValueKind::Hash(_), _) => {
            let message = format!("`{name}` is given as a hash first, and then as something else");
            return refused(message, "write all of them as hashes: `{ \"key\" => \"value\" }`");
        }
        (ValueKind::Array(into), ValueKind::Array(from)) => into.extend(from.iter().cloned()),
        (ValueKind::Array(into), ValueKind::Hash(from)) => into.extend(from.iter().map(pair)),
        (ValueKind::Array(into), _) => into.push(next.value.clone()),
        (kind, other) => {
            if !same(kind, other) {
                let earlier = std::mem::replace(kind, ValueKind::Array(vec![]));
                *kind = ValueKind::Array(vec![Value { kind: earlier, span }, next.value.clone()]);
            }
        }
    }
    Ok(())
}

/// A hash entry as an array of its key and its value.
fn pair(entry: &HashEntry) -> Value {
    let key = Value { kind: ValueKind::String(entry.key.text.clone()), span: entry.key.span };
    let span = entry.key.span.to(entry.value.span);
    Value { kind: ValueKind::Array(vec![key, entry.value.clone()]), span }
}

/// Whether joining two arrays keeps what occurs in both: at the first level it does, deeper it does not.
#[derive(Clone, Copy, PartialEq)]
enum Repeats {
    Kept,
    Dropped,
}

/// `hash_merge_with_dups` and, deeper, `hash_merge` of `util.rb`.
fn merge_hash(into: &mut Vec<HashEntry>, from: &[HashEntry], repeats: Repeats) {
    for entry in from {
        match into.iter_mut().find(|it| it.key.text == entry.key.text) {
            None => into.push(entry.clone()),
            Some(existing) => merge_value(&mut existing.value, &entry.value, repeats),
        }
    }
}

fn merge_value(into: &mut Value, from: &Value, repeats: Repeats) {
    let span = into.span;
    match (&mut into.kind, &from.kind) {
        (ValueKind::Hash(into), ValueKind::Hash(from)) => merge_hash(into, from, Repeats::Dropped),
        (ValueKind::Array(into), ValueKind::Array(from)) => join(into, from, repeats),
        (kind, ValueKind::Array(from)) => {
            let first = std::mem::replace(kind, ValueKind::Array(vec![]));
            let mut values = vec![Value { kind: first, span }];
            join(&mut values, from, repeats);
            *kind = ValueKind::Array(values);
        }
        (ValueKind::Array(into), other) => {
            if !into.iter().any(|it| same(&it.kind, other)) {
                into.push(from.clone());
            }
        }
        (kind, other) => {
            if !same(kind, other) {
                let first = std::mem::replace(kind, ValueKind::Array(vec![]));
                *kind = ValueKind::Array(vec![Value { kind: first, span }, from.clone()]);
            }
        }
    }
}

/// Ruby's `+` of two arrays, or `|`, which leaves each value once.
fn join(into: &mut Vec<Value>, from: &[Value], repeats: Repeats) {
    into.extend(from.iter().cloned());
    if repeats == Repeats::Dropped {
        let mut unique: Vec<Value> = Vec::with_capacity(into.len());
        for value in into.drain(..) {
            if !unique.iter().any(|it| same(&it.kind, &value.kind)) {
                unique.push(value);
            }
        }
        *into = unique;
    }
}

/// Equality of what is meant: `"a"`, `'a'` and the bareword are the same, and so are 1 and 1.0.
fn same(left: &ValueKind, right: &ValueKind) -> bool {
    use ValueKind::{Array, Bareword, Hash, Number, String};
    match (left, right) {
        (String(a) | Bareword(a), String(b) | Bareword(b)) => a == b,
        (Number(a), Number(b)) => match (a.value, b.value) {
            (NumberValue::Integer(a), NumberValue::Integer(b)) => a == b,
            (NumberValue::Float(a), NumberValue::Float(b)) => a == b,
            (NumberValue::Integer(a), NumberValue::Float(b))
            | (NumberValue::Float(b), NumberValue::Integer(a)) => a as f64 == b,
        },
        (Array(a), Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(&a.kind, &b.kind)),
        (Hash(a), Hash(b)) => {
            let found = |entry: &HashEntry| {
                b.iter().any(|it| it.key.text == entry.key.text && same(&it.value.kind, &entry.value.kind))
            };
            a.len() == b.len() && a.iter().all(found)
        }
        _ => false,
    }
}
