//! The logger of plugins, `@logger`, which writes to the log of the process.

use super::{ClassDef, MethodDef};
use crate::ruby::args::{Args, Arity, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::value::Value;

pub(super) static CLASSES: &[ClassDef] = &[
    ClassDef::module("LogStash::Logging"),
    ClassDef { methods: &[METHODS], ..ClassDef::class("LogStash::Logging::Logger") },
];

/// A message, and a hash of facts.
const MESSAGE: Arity = between(0, 2);

const METHODS: &[MethodDef] = &[
    MethodDef("trace", MESSAGE, |interp, _, args| {
        let text = text(interp, args)?;
        tracing::trace!(plugin = "ruby", "{text}");
        Ok(Value::Nil)
    }),
    MethodDef("debug", MESSAGE, |interp, _, args| {
        let text = text(interp, args)?;
        tracing::debug!(plugin = "ruby", "{text}");
        Ok(Value::Nil)
    }),
    MethodDef("info", MESSAGE, |interp, _, args| {
        let text = text(interp, args)?;
        tracing::info!(plugin = "ruby", "{text}");
        Ok(Value::Nil)
    }),
    MethodDef("warn", MESSAGE, |interp, _, args| {
        let text = text(interp, args)?;
        tracing::warn!(plugin = "ruby", "{text}");
        Ok(Value::Nil)
    }),
    MethodDef("error", MESSAGE, |interp, _, args| {
        let text = text(interp, args)?;
        tracing::error!(plugin = "ruby", "{text}");
        Ok(Value::Nil)
    }),
    MethodDef("fatal", MESSAGE, |interp, _, args| {
        let text = text(interp, args)?;
        tracing::error!(plugin = "ruby", "{text}");
        Ok(Value::Nil)
    }),
    MethodDef("trace?", exactly(0), |_, _, _| Ok(Value::Bool(tracing::enabled!(tracing::Level::TRACE)))),
    MethodDef("debug?", exactly(0), |_, _, _| Ok(Value::Bool(tracing::enabled!(tracing::Level::DEBUG)))),
    MethodDef("info?", exactly(0), |_, _, _| Ok(Value::Bool(tracing::enabled!(tracing::Level::INFO)))),
    MethodDef("warn?", exactly(0), |_, _, _| Ok(Value::Bool(tracing::enabled!(tracing::Level::WARN)))),
    MethodDef("error?", exactly(0), |_, _, _| Ok(Value::Bool(true))),
    MethodDef("fatal?", exactly(0), |_, _, _| Ok(Value::Bool(true))),
];

/// The message with its facts, as Logstash's log shows them; a block gives the message where there is none.
fn text(interp: &mut Interp, args: Args<'_>) -> Outcome<String> {
    let mut text = match (args.values.first(), args.block) {
        (None, Some(block)) => {
            let value = interp.yield_values(block, &[])?;
            interp.to_s(&value)?
        }
        (Some(value), _) => interp.to_s(value)?,
        (None, None) => String::new(),
    };
    if let Some(facts) = args.get(1) {
        text.push(' ');
        text.push_str(&interp.inspect(facts)?);
    }
    Ok(text)
}
