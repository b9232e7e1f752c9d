//! `Enumerator`: a call of an iterating method that has not happened yet.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::enumerable::{Item, items, walk};
use super::{ClassDef, MethodDef};
use crate::ruby::args::{Args, at_least, between, exactly};
use crate::ruby::control::{Control, Outcome};
use crate::ruby::interpreter::Interp;
use crate::ruby::symbol::{Sym, sym};
use crate::ruby::value::{Native, RProc, Value};

pub(super) static CLASSES: &[ClassDef] = &[
    ClassDef {
        includes: &["Enumerable"],
        methods: &[METHODS],
        singleton_methods: &[NEW],
        ..ClassDef::class("Enumerator")
    },
    ClassDef { methods: &[YIELDER], ..ClassDef::class("Enumerator::Yielder") },
    ClassDef { methods: &[GENERATOR], ..ClassDef::class("Enumerator::Generator") },
    ClassDef { superclass: Some("Enumerator"), methods: &[LAZY], ..ClassDef::class("Enumerator::Lazy") },
    ClassDef { methods: &[MAKING], ..ClassDef::class("Object") },
    ClassDef { methods: &[MAKE_LAZY], ..ClassDef::module("Enumerable") },
];

/// How many items external iteration (`next`) fetches at first; an enumeration that has more is started anew.
const FIRST_FETCH: usize = 1000;

struct Enumerator {
    receiver: Value,
    method: Sym,
    arguments: Vec<Value>,
    /// What `next` has fetched, and whether that is all.
    fetched: RefCell<(Vec<Value>, bool)>,
    position: Cell<usize>,
    size: Value,
}

impl Native for Enumerator {
    fn trace(&self, visit: &mut dyn FnMut(&Value)) -> bool {
        let fetched = self.fetched.borrow();
        let held = [&self.receiver, &self.size].into_iter().chain(&self.arguments).chain(&fetched.0);
        held.for_each(visit);
        true
    }
}

/// The block of `Enumerator.new`.
struct Generator(Rc<RProc>);

impl Native for Generator {
    fn trace(&self, visit: &mut dyn FnMut(&Value)) -> bool {
        visit(&Value::Proc(self.0.clone()));
        true
    }
}

/// What that block is called with.
struct Yielder(Rc<RProc>);

impl Native for Yielder {
    fn trace(&self, visit: &mut dyn FnMut(&Value)) -> bool {
        visit(&Value::Proc(self.0.clone()));
        true
    }
}

/// One step of a lazy enumerator.
struct LazyStep {
    source: Value,
    kind: LazyKind,
    block: Option<Rc<RProc>>,
    count: usize,
}

impl Native for LazyStep {
    fn trace(&self, visit: &mut dyn FnMut(&Value)) -> bool {
        visit(&self.source);
        self.block.iter().for_each(|block| visit(&Value::Proc(block.clone())));
        true
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum LazyKind {
    Source,
    Map,
    Select,
    Reject,
    TakeWhile,
    DropWhile,
    Take,
    Drop,
    FilterMap,
    FlatMap,
    WithIndex,
}

/// The enumerator that an iterating method gives when it is called without a block.
pub(super) fn for_method(interp: &mut Interp, this: &Value, method: &str, arguments: &[Value]) -> Outcome {
    Ok(make(interp, this, Sym::new(method), arguments, Value::Nil))
}

fn make(interp: &Interp, this: &Value, method: Sym, arguments: &[Value], size: Value) -> Value {
    let data = Enumerator {
        receiver: this.clone(),
        method,
        arguments: arguments.to_vec(),
        fetched: RefCell::default(),
        position: Cell::new(0),
        size,
    };
    Value::native(&interp.classes.enumerator, data)
}

const NEW: &[MethodDef] = &[
    MethodDef("new", between(0, 1), |interp, _, args| {
        let block = args.block(interp)?.clone();
        let class = interp.class_named("Enumerator::Generator").unwrap_or(interp.classes.object.clone());
        let generator = Value::native(&class, Generator(block));
        Ok(make(interp, &generator, sym!("each"), &[], args.at(0).clone()))
    }),
    MethodDef("produce", between(0, 1), |interp, _, args| {
        let (block, start) = (args.block(interp)?.clone(), args.get(0).cloned());
        let body = RProc::native(at_least(0), move |interp, args| {
            let yielder = args.at(0).clone();
            let mut value = match &start {
                Some(start) => start.clone(),
                None => interp.call_block(&block, Args::default())?,
            };
            loop {
                interp.call(&yielder, "<<", std::slice::from_ref(&value))?;
                value = match interp.yield_one(&block, value) {
                    Ok(value) => value,
                    Err(control) => return stop_or_raise(interp, control),
                };
            }
        });
        let class = interp.class_named("Enumerator::Generator").unwrap_or(interp.classes.object.clone());
        let generator = Value::native(&class, Generator(body));
        Ok(make(interp, &generator, sym!("each"), &[], Value::Float(f64::INFINITY)))
    }),
];

/// `StopIteration` from the block of `produce` ends the enumeration.
fn stop_or_raise(interp: &mut Interp, control: Control) -> Outcome {
    let stop = interp.class_named("StopIteration");
    match (control.exception(), stop) {
        (Some(exception), Some(stop)) if interp.is_a(exception, &stop) => Ok(Value::Nil),
        _ => Err(control),
    }
}

const GENERATOR: &[MethodDef] = &[MethodDef("each", at_least(0), |interp, this, args| {
    let Some(Generator(body)) = this.as_native() else { return Ok(Value::Nil) };
    let block = args.block(interp)?.clone();
    let class = interp.class_named("Enumerator::Yielder").unwrap_or(interp.classes.object.clone());
    let yielder = Value::native(&class, Yielder(block));
    interp.yield_one(body, yielder)
})];

const YIELDER: &[MethodDef] = &[
    MethodDef("<<", exactly(1), |interp, this, args| {
        if let Some(Yielder(block)) = this.as_native() {
            interp.yield_one(block, args.at(0).clone())?;
        }
        Ok(this.clone())
    }),
    MethodDef("yield", at_least(0), hand_on),
    MethodDef("call", at_least(0), hand_on),
    MethodDef("to_proc", exactly(0), |_, this, _| {
        let yielder = this.clone();
        Ok(Value::Proc(RProc::native(at_least(0), move |interp, args| hand_on(interp, &yielder, args))))
    }),
];

fn hand_on(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    match this.as_native() {
        Some(Yielder(block)) => interp.yield_values(block, args.values),
        None => Ok(Value::Nil),
    }
}

const METHODS: &[MethodDef] = &[
    MethodDef("each", at_least(0), |interp, this, args| {
        let Some(data) = this.as_native::<Enumerator>() else { return Ok(Value::Nil) };
        match args.block {
            Some(_) => {
                interp.call_with(&data.receiver, data.method, Args { values: &data.arguments, ..args })
            }
            None => Ok(this.clone()),
        }
    }),
    MethodDef("with_index", between(0, 1), with_index),
    MethodDef("each_with_index", exactly(0), with_index),
    MethodDef("with_object", exactly(1), |interp, this, args| {
        let block = super::enumerable::block_or_enumerator!(interp, this, "with_object", args).clone();
        let memo = args.at(0).clone();
        let of_block = memo.clone();
        each_wrapped(interp, this, move |interp, item| {
            interp.yield_values(&block, &[item, of_block.clone()])
        })?;
        Ok(memo)
    }),
    MethodDef("next", exactly(0), |interp, this, _| advance(interp, this, true)),
    MethodDef("peek", exactly(0), |interp, this, _| advance(interp, this, false)),
    MethodDef("rewind", exactly(0), |_, this, _| {
        if let Some(data) = this.as_native::<Enumerator>() {
            data.position.set(0);
            *data.fetched.borrow_mut() = Default::default();
        }
        Ok(this.clone())
    }),
    MethodDef("size", exactly(0), size),
    MethodDef("+", exactly(1), |interp, this, args| {
        let mut all = items(interp, this)?;
        all.extend(items(interp, args.at(0))?);
        for_method(interp, &Value::array(all), "each", &[])
    }),
    MethodDef("inspect", exactly(0), inspect),
    MethodDef("to_s", exactly(0), inspect),
];

const MAKING: &[MethodDef] =
    &[MethodDef("to_enum", at_least(0), to_enum), MethodDef("enum_for", at_least(0), to_enum)];

fn to_enum(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let method = match args.get(0) {
        Some(name) => interp.to_name(name)?,
        None => sym!("each"),
    };
    Ok(make(interp, this, method, args.from(1), Value::Nil))
}

/// Runs the enumerated method with a block that gets its values as one.
fn each_wrapped(
    interp: &mut Interp,
    this: &Value,
    run: impl Fn(&mut Interp, Value) -> Outcome + 'static,
) -> Outcome {
    let Some(data) = this.as_native::<Enumerator>() else { return Ok(Value::Nil) };
    let block = RProc::native(at_least(0), move |interp, args| {
        let item = match args.values {
            [one] => one.clone(),
            several => Value::array(several.to_vec()),
        };
        run(interp, item)
    });
    interp.call_with(
        &data.receiver,
        data.method,
        Args { values: &data.arguments, has_keywords: false, block: Some(&block) },
    )
}

fn with_index(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let block = super::enumerable::block_or_enumerator!(interp, this, "with_index", args).clone();
    let start = if args.at(0).is_nil() { 0 } else { args.int(interp, 0)? };
    let at = Cell::new(start);
    each_wrapped(interp, this, move |interp, item| {
        let index = at.get();
        at.set(index.wrapping_add(1));
        interp.yield_values(&block, &[item, Value::Int(index)])
    })
}

fn advance(interp: &mut Interp, this: &Value, consume: bool) -> Outcome {
    let Some(data) = this.as_native::<Enumerator>() else { return Ok(Value::Nil) };
    let position = data.position.get();
    let known = |data: &Enumerator| {
        let fetched = data.fetched.borrow();
        (fetched.0.get(position).cloned(), fetched.1)
    };
    let mut found = known(data);
    if found.0.is_none() && !found.1 {
        let limit = if position < FIRST_FETCH { FIRST_FETCH } else { position.saturating_mul(2) };
        let mut fetched = Vec::new();
        walk(interp, this, &mut |_, item| {
            fetched.push(item.value());
            Ok(fetched.len() < limit)
        })?;
        let complete = fetched.len() < limit;
        *data.fetched.borrow_mut() = (fetched, complete);
        found = known(data);
    }
    match found.0 {
        Some(value) => {
            if consume {
                data.position.set(position + 1);
            }
            Ok(value)
        }
        None => Err(interp.error("StopIteration", "iteration reached an end")),
    }
}

fn size(interp: &mut Interp, this: &Value, _: Args<'_>) -> Outcome {
    let Some(data) = this.as_native::<Enumerator>() else { return Ok(Value::Nil) };
    if !data.size.is_nil() {
        return match &data.size {
            Value::Proc(block) => interp.call_block(block, Args::default()),
            size => Ok(size.clone()),
        };
    }
    let same = [
        "each",
        "map",
        "each_with_index",
        "each_char",
        "select",
        "reject",
        "filter_map",
        "flat_map",
        "times",
        "each_index",
        "each_entry",
        "group_by",
        "sort_by",
        "min_by",
        "max_by",
        "partition",
        "each_with_object",
    ];
    if data.receiver.as_native::<Generator>().is_some() || !same.contains(&data.method.as_str()) {
        return match data.method.as_str() {
            "each_slice" | "each_cons" | "step" | "upto" | "downto" | "with_index" => {
                Ok(Value::from(items(interp, this)?.len()))
            }
            _ => Ok(Value::Nil),
        };
    }
    if let Value::Int(_) = data.receiver {
        return Ok(data.receiver.clone());
    }
    match interp.responds_to(&data.receiver, sym!("size")) {
        true => interp.call(&data.receiver, "size", &[]),
        false => Ok(Value::Nil),
    }
}

fn inspect(interp: &mut Interp, this: &Value, _: Args<'_>) -> Outcome {
    let Some(data) = this.as_native::<Enumerator>() else {
        return Ok(Value::str("#<Enumerator::Lazy: ...>"));
    };
    let receiver = interp.inspect(&data.receiver)?;
    let mut arguments = Vec::new();
    for argument in &data.arguments {
        arguments.push(interp.inspect(argument)?);
    }
    let arguments = if arguments.is_empty() { String::new() } else { format!("({})", arguments.join(", ")) };
    Ok(Value::str(format!("#<Enumerator: {receiver}:{}{arguments}>", data.method)))
}

const MAKE_LAZY: &[MethodDef] =
    &[MethodDef("lazy", exactly(0), |interp, this, args| lazy_step(interp, this, LazyKind::Source, args))];

const LAZY: &[MethodDef] = &[
    MethodDef("each", at_least(0), lazy_each),
    MethodDef("map", exactly(0), |interp, this, args| lazy_step(interp, this, LazyKind::Map, args)),
    MethodDef("collect", exactly(0), |interp, this, args| lazy_step(interp, this, LazyKind::Map, args)),
    MethodDef("select", exactly(0), |interp, this, args| lazy_step(interp, this, LazyKind::Select, args)),
    MethodDef("filter", exactly(0), |interp, this, args| lazy_step(interp, this, LazyKind::Select, args)),
    MethodDef("reject", exactly(0), |interp, this, args| lazy_step(interp, this, LazyKind::Reject, args)),
    MethodDef("take_while", exactly(0), |interp, this, args| {
        lazy_step(interp, this, LazyKind::TakeWhile, args)
    }),
    MethodDef("drop_while", exactly(0), |interp, this, args| {
        lazy_step(interp, this, LazyKind::DropWhile, args)
    }),
    MethodDef("take", exactly(1), |interp, this, args| lazy_step(interp, this, LazyKind::Take, args)),
    MethodDef("drop", exactly(1), |interp, this, args| lazy_step(interp, this, LazyKind::Drop, args)),
    MethodDef("filter_map", exactly(0), |interp, this, args| {
        lazy_step(interp, this, LazyKind::FilterMap, args)
    }),
    MethodDef("flat_map", exactly(0), |interp, this, args| lazy_step(interp, this, LazyKind::FlatMap, args)),
    MethodDef("with_index", between(0, 1), |interp, this, args| {
        lazy_step(interp, this, LazyKind::WithIndex, args)
    }),
    MethodDef("each_with_index", exactly(0), |interp, this, args| {
        lazy_step(interp, this, LazyKind::WithIndex, args)
    }),
    MethodDef("force", exactly(0), |interp, this, _| Ok(Value::array(items(interp, this)?))),
    MethodDef("eager", exactly(0), |interp, this, _| Ok(Value::array(items(interp, this)?))),
    MethodDef("lazy", exactly(0), |_, this, _| Ok(this.clone())),
];

fn lazy_step(interp: &mut Interp, this: &Value, kind: LazyKind, args: Args<'_>) -> Outcome {
    let count = match args.get(0) {
        Some(count) => usize::try_from(interp.to_int(count)?).unwrap_or(0),
        None => 0,
    };
    let class = interp.class_named("Enumerator::Lazy").unwrap_or(interp.classes.object.clone());
    let step = LazyStep { source: this.clone(), kind, block: args.block.cloned(), count };
    Ok(Value::native(&class, step))
}

fn lazy_each(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let Some(step) = this.as_native::<LazyStep>() else { return Ok(Value::Nil) };
    let block = args.block(interp)?;
    let (mut seen, mut dropping) = (0usize, true);
    if step.kind == LazyKind::Take && step.count == 0 {
        return Ok(this.clone());
    }
    walk(interp, &step.source, &mut |interp, item| {
        let value = item.value();
        let result = match &step.block {
            Some(own) if step.kind == LazyKind::WithIndex => {
                interp.yield_values(own, &[value.clone(), Value::from(seen + step.count)])?;
                Value::Nil
            }
            Some(own) => Item::One(value.clone()).call(interp, own)?,
            None => Value::Nil,
        };
        seen += 1;
        let passed = match step.kind {
            LazyKind::Source => Some(value),
            LazyKind::Map => Some(result),
            LazyKind::Select => result.truthy().then_some(value),
            LazyKind::Reject => (!result.truthy()).then_some(value),
            LazyKind::TakeWhile if !result.truthy() => return Ok(false),
            LazyKind::TakeWhile | LazyKind::Take => Some(value),
            LazyKind::DropWhile => {
                dropping = dropping && result.truthy();
                (!dropping).then_some(value)
            }
            LazyKind::Drop => (seen > step.count).then_some(value),
            LazyKind::FilterMap => result.truthy().then_some(result),
            LazyKind::WithIndex if step.block.is_some() => Some(value),
            LazyKind::WithIndex => Some(Value::array(vec![value, Value::from(seen - 1 + step.count)])),
            LazyKind::FlatMap => {
                let mut parts = Vec::new();
                super::enumerable::flat_push(&mut parts, result);
                for part in parts {
                    interp.yield_one(block, part)?;
                }
                None
            }
        };
        if let Some(passed) = passed {
            interp.yield_one(block, passed)?;
        }
        Ok(step.kind != LazyKind::Take || seen < step.count)
    })?;
    Ok(this.clone())
}
