//! `MatchData`: what a match left.

use super::super::MethodDef;
use super::{MatchData, whole_bytes};
use crate::ruby::args::{Args, at_least, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::value::{HashMap, Value};

fn data<'v>(interp: &mut Interp, this: &'v Value) -> Outcome<&'v MatchData> {
    match this.as_native::<MatchData>() {
        Some(data) => Ok(data),
        None => Err(interp.type_error("uninitialized MatchData")),
    }
}

fn captures(data: &MatchData) -> Vec<Value> {
    (1..data.spans.len()).map(|group| data.group(group)).collect()
}

/// Where a group begins and ends, in characters.
fn offsets(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome<[Value; 2]> {
    let data = data(interp, this)?;
    let group = data.find(interp, args.at(0))?;
    let Some(span) = group.and_then(|group| data.spans.get(group)) else {
        let shown = interp.inspect(args.at(0))?;
        return Err(interp.error("IndexError", format!("index {shown} out of matches")));
    };
    Ok(match span {
        Some((start, end)) => [*start, *end].map(|at| Value::from(data.subject.chars_before(at))),
        None => [Value::Nil, Value::Nil],
    })
}

pub(super) const METHODS: &[MethodDef] = &[
    MethodDef("[]", between(1, 2), |interp, this, args| {
        let data = data(interp, this)?;
        if args.len() == 2 || matches!(args.at(0), Value::Range(_)) {
            let all = interp.call(this, "to_a", &[])?;
            return interp.call(&all, "[]", args.values);
        }
        let group = data.find(interp, args.at(0))?;
        Ok(group.map_or(Value::Nil, |group| data.group(group)))
    }),
    MethodDef("to_a", exactly(0), |interp, this, _| {
        let data = data(interp, this)?;
        Ok(Value::array((0..data.spans.len()).map(|group| data.group(group)).collect()))
    }),
    MethodDef("captures", exactly(0), |interp, this, _| Ok(Value::array(captures(data(interp, this)?)))),
    MethodDef("deconstruct", exactly(0), |interp, this, _| Ok(Value::array(captures(data(interp, this)?)))),
    MethodDef("named_captures", between(0, 1), |interp, this, args| {
        let symbols = args.keyword("symbolize_names").is_some_and(|yes| yes.truthy());
        named(interp, this, symbols)
    }),
    MethodDef("deconstruct_keys", exactly(1), |interp, this, _| named(interp, this, true)),
    MethodDef("names", exactly(0), |interp, this, _| {
        let names = data(interp, this)?.names();
        Ok(Value::array(names.into_iter().map(|(name, _)| Value::str(name)).collect()))
    }),
    MethodDef("pre_match", exactly(0), |interp, this, _| {
        let data = data(interp, this)?;
        let start = data.spans.first().copied().flatten().map_or(0, |(start, _)| start);
        Ok(data.subject.value(0, start))
    }),
    MethodDef("post_match", exactly(0), |interp, this, _| {
        let data = data(interp, this)?;
        let end = data.spans.first().copied().flatten().map_or(0, |(_, end)| end);
        Ok(data.subject.value(end, data.subject.text.len()))
    }),
    MethodDef("begin", exactly(1), |interp, this, args| {
        let [start, _] = offsets(interp, this, args)?;
        Ok(start)
    }),
    MethodDef("end", exactly(1), |interp, this, args| {
        let [_, end] = offsets(interp, this, args)?;
        Ok(end)
    }),
    MethodDef("offset", exactly(1), |interp, this, args| {
        Ok(Value::array(offsets(interp, this, args)?.to_vec()))
    }),
    MethodDef("byteoffset", exactly(1), |interp, this, args| {
        let data = data(interp, this)?;
        let group = data.find(interp, args.at(0))?;
        let span = whole_bytes(this, group);
        Ok(Value::array(match span {
            Some((start, end)) => vec![Value::from(start), Value::from(end)],
            None => vec![Value::Nil, Value::Nil],
        }))
    }),
    MethodDef("values_at", at_least(0), |interp, this, args| {
        let mut values = Vec::new();
        for key in args.values {
            values.push(interp.call(this, "[]", std::slice::from_ref(key))?);
        }
        Ok(Value::array(values))
    }),
    MethodDef("size", exactly(0), |interp, this, _| Ok(Value::from(data(interp, this)?.spans.len()))),
    MethodDef("length", exactly(0), |interp, this, _| Ok(Value::from(data(interp, this)?.spans.len()))),
    MethodDef("string", exactly(0), |interp, this, _| {
        let data = data(interp, this)?;
        let whole = data.subject.value(0, data.subject.text.len());
        if let Value::Str(string) = &whole {
            string.freeze();
        }
        Ok(whole)
    }),
    MethodDef("regexp", exactly(0), |interp, this, _| Ok(data(interp, this)?.pattern.clone())),
    MethodDef("to_s", exactly(0), |interp, this, _| Ok(data(interp, this)?.group(0))),
    MethodDef("inspect", exactly(0), |interp, this, _| {
        let data = data(interp, this)?;
        let mut out = format!("#<MatchData {}", interp.inspect(&data.group(0))?);
        let names = data.names();
        for group in 1..data.spans.len() {
            let name = names.iter().find(|(_, groups)| groups.contains(&group));
            let name = name.map_or_else(|| group.to_string(), |(name, _)| (*name).to_owned());
            let shown = interp.inspect(&data.group(group))?;
            out.push_str(&format!(" {name}:{shown}"));
        }
        out.push('>');
        Ok(Value::str(out))
    }),
    MethodDef("==", exactly(1), |interp, this, args| {
        let a = data(interp, this)?;
        let Some(b) = args.at(0).as_native::<MatchData>() else { return Ok(Value::Bool(false)) };
        Ok(Value::Bool(a.spans == b.spans && a.subject.text == b.subject.text))
    }),
];

fn named(interp: &mut Interp, this: &Value, symbols: bool) -> Outcome {
    let data = data(interp, this)?;
    let mut map = HashMap::new();
    for (name, groups) in data.names() {
        let group = groups.iter().rev().find(|group| data.spans.get(**group).copied().flatten().is_some());
        let key = if symbols { Value::sym(name) } else { Value::str(name) };
        map.insert(key, group.map_or(Value::Nil, |group| data.group(*group)));
    }
    Ok(Value::hash(map))
}
