//! `Set`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::enumerable::items;
use super::{ClassDef, MethodDef};
use crate::ruby::args::{Args, at_least, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::symbol::sym;
use crate::ruby::value::{HashMap, Native, RClass, Value, insert_into, key_hash, keys_equal, remove_from};

pub(super) static CLASSES: &[ClassDef] = &[ClassDef {
    includes: &["Enumerable"],
    methods: &[READING, ALGEBRA, CHANGING],
    singleton_methods: &[NEW],
    ..ClassDef::class("Set")
}];

/// Sets within sets are compared so far; they may hold themselves.
const MOST_NESTED: usize = 32;

thread_local! {
    /// How many sets are being compared within each other.
    static COMPARING: Cell<usize> = const { Cell::new(0) };
}

/// The members are the keys.
struct Set(RefCell<HashMap>);

impl Native for Set {
    fn trace(&self, visit: &mut dyn FnMut(&Value)) -> bool {
        self.0.borrow().keys().for_each(visit);
        true
    }

    fn duplicate(&self) -> Option<Rc<dyn Native>> {
        Some(Rc::new(Set(self.0.clone())))
    }

    fn key_hash(&self) -> Option<u64> {
        Some(self.0.borrow().keys_hash())
    }

    fn is_same_key(&self, other: &dyn Native) -> bool {
        let depth = COMPARING.get();
        let Some(other) = other.downcast::<Set>().filter(|_| depth < MOST_NESTED) else { return false };
        COMPARING.set(depth + 1);
        let (a, b) = (self.0.borrow(), other.0.borrow());
        let same = a.len() == b.len() && a.keys().all(|key| b.contains_key(key));
        COMPARING.set(depth);
        same
    }
}

/// A set of some values.
pub(super) fn new_set(interp: &mut Interp, values: Vec<Value>) -> Outcome {
    let class = interp.classes.set.clone();
    Ok(of_class(&class, values))
}

fn of_class(class: &Rc<RClass>, values: Vec<Value>) -> Value {
    let map = values.into_iter().map(|value| (value, Value::Bool(true))).collect();
    Value::native(class, Set(RefCell::new(map)))
}

const NEW: &[MethodDef] = &[
    MethodDef("new", between(0, 1), |interp, this, args| {
        let class = interp.to_class(this)?;
        let mut values = if args.at(0).is_nil() { Vec::new() } else { members(interp, args.at(0))? };
        if let Some(block) = args.block {
            for value in &mut values {
                *value = interp.yield_one(block, value.clone())?;
            }
        }
        Ok(of_class(&class, values))
    }),
    MethodDef("[]", at_least(0), |interp, this, args| {
        let class = interp.to_class(this)?;
        Ok(of_class(&class, args.values.to_vec()))
    }),
];

/// The values of anything that can be walked over.
fn members(interp: &mut Interp, value: &Value) -> Outcome<Vec<Value>> {
    if let Some(Set(map)) = value.as_native() {
        return Ok(map.borrow().keys().cloned().collect());
    }
    if !interp.responds_to(value, sym!("each")) {
        return Err(interp.argument_error("value must be enumerable"));
    }
    items(interp, value)
}

fn own<'v>(interp: &mut Interp, this: &'v Value) -> Outcome<&'v RefCell<HashMap>> {
    match this.as_native() {
        Some(Set(map)) => Ok(map),
        None => Err(interp.argument_error("value must be a set")),
    }
}

fn own_mut<'v>(interp: &mut Interp, this: &'v Value) -> Outcome<&'v RefCell<HashMap>> {
    interp.check_frozen(this)?;
    own(interp, this)
}

fn values(interp: &mut Interp, this: &Value) -> Outcome<Vec<Value>> {
    Ok(own(interp, this)?.borrow().keys().cloned().collect())
}

fn like(interp: &Interp, this: &Value, values: Vec<Value>) -> Value {
    of_class(&interp.real_class(this), values)
}

const READING: &[MethodDef] = &[
    MethodDef("size", exactly(0), |interp, this, _| Ok(Value::from(own(interp, this)?.borrow().len()))),
    MethodDef("length", exactly(0), |interp, this, _| Ok(Value::from(own(interp, this)?.borrow().len()))),
    MethodDef("empty?", exactly(0), |interp, this, _| {
        Ok(Value::Bool(own(interp, this)?.borrow().is_empty()))
    }),
    MethodDef("include?", exactly(1), include),
    MethodDef("member?", exactly(1), include),
    MethodDef("contain?", exactly(1), include),
    MethodDef("===", exactly(1), include),
    MethodDef("each", exactly(0), |interp, this, args| {
        let block = super::enumerable::block_or_enumerator!(interp, this, "each", args);
        for value in values(interp, this)? {
            interp.yield_one(block, value)?;
        }
        Ok(this.clone())
    }),
    MethodDef("to_a", exactly(0), |interp, this, _| Ok(Value::array(values(interp, this)?))),
    MethodDef("to_set", exactly(0), |_, this, _| Ok(this.clone())),
    MethodDef("dup", exactly(0), |interp, this, _| {
        let values = values(interp, this)?;
        Ok(like(interp, this, values))
    }),
    MethodDef("inspect", exactly(0), inspect),
    MethodDef("to_s", exactly(0), inspect),
    MethodDef("hash", exactly(0), |_, this, _| Ok(Value::Int((key_hash(this) >> 1) as i64))),
    MethodDef("join", between(0, 1), |interp, this, args| {
        let all = Value::array(values(interp, this)?);
        interp.call(&all, "join", args.values)
    }),
    MethodDef("==", exactly(1), |interp, this, args| {
        let (Some(Set(a)), Some(Set(b))) = (this.as_native(), args.at(0).as_native()) else {
            _ = interp;
            return Ok(Value::Bool(false));
        };
        let (a, b) = (a.borrow(), b.borrow());
        Ok(Value::Bool(a.len() == b.len() && a.keys().all(|key| b.contains_key(key))))
    }),
    MethodDef("subset?", exactly(1), |interp, this, args| is_within(interp, this, args.at(0), false)),
    MethodDef("<=", exactly(1), |interp, this, args| is_within(interp, this, args.at(0), false)),
    MethodDef("proper_subset?", exactly(1), |interp, this, args| is_within(interp, this, args.at(0), true)),
    MethodDef("<", exactly(1), |interp, this, args| is_within(interp, this, args.at(0), true)),
    MethodDef("superset?", exactly(1), |interp, this, args| is_within(interp, args.at(0), this, false)),
    MethodDef(">=", exactly(1), |interp, this, args| is_within(interp, args.at(0), this, false)),
    MethodDef("proper_superset?", exactly(1), |interp, this, args| is_within(interp, args.at(0), this, true)),
    MethodDef(">", exactly(1), |interp, this, args| is_within(interp, args.at(0), this, true)),
    MethodDef("flatten", exactly(0), |interp, this, _| {
        let mut all = Vec::new();
        flattened(interp, this, &mut all)?;
        Ok(like(interp, this, all))
    }),
    MethodDef("classify", exactly(0), classify),
    MethodDef("<=>", exactly(1), |interp, this, args| {
        let other = args.at(0);
        if other.as_native::<Set>().is_none() {
            return Ok(Value::Nil);
        }
        let (mine, others) = (own(interp, this)?.borrow().len(), own(interp, other)?.borrow().len());
        let (small, large) = if mine <= others { (this, other) } else { (other, this) };
        let fits = is_within(interp, small, large, false)?.truthy();
        Ok(if fits { Value::Int(mine.cmp(&others) as i64) } else { Value::Nil })
    }),
    MethodDef("intersect?", exactly(1), |interp, this, args| Ok(Value::Bool(shares(interp, this, args)?))),
    MethodDef("disjoint?", exactly(1), |interp, this, args| Ok(Value::Bool(!shares(interp, this, args)?))),
];

const ALGEBRA: &[MethodDef] = &[
    MethodDef("|", exactly(1), union),
    MethodDef("+", exactly(1), union),
    MethodDef("union", exactly(1), union),
    MethodDef("&", exactly(1), intersection),
    MethodDef("intersection", exactly(1), intersection),
    MethodDef("-", exactly(1), difference),
    MethodDef("difference", exactly(1), difference),
    MethodDef("^", exactly(1), |interp, this, args| {
        let mut map: HashMap =
            members(interp, args.at(0))?.into_iter().map(|value| (value, Value::Bool(true))).collect();
        for value in values(interp, this)? {
            if map.remove(&value).is_none() {
                map.insert(value, Value::Bool(true));
            }
        }
        Ok(like(interp, this, map.keys().cloned().collect()))
    }),
    MethodDef("select", exactly(0), |interp, this, args| kept(interp, this, args, true)),
    MethodDef("filter", exactly(0), |interp, this, args| kept(interp, this, args, true)),
    MethodDef("reject", exactly(0), |interp, this, args| kept(interp, this, args, false)),
];

const CHANGING: &[MethodDef] = &[
    MethodDef("add", exactly(1), add),
    MethodDef("<<", exactly(1), add),
    MethodDef("add?", exactly(1), |interp, this, args| {
        let map = own_mut(interp, this)?;
        if map.borrow().contains_key(args.at(0)) {
            return Ok(Value::Nil);
        }
        add(interp, this, args)
    }),
    MethodDef("delete", exactly(1), |interp, this, args| {
        remove_from(own_mut(interp, this)?, args.at(0));
        Ok(this.clone())
    }),
    MethodDef("delete?", exactly(1), |interp, this, args| {
        let removed = remove_from(own_mut(interp, this)?, args.at(0));
        Ok(if removed.is_some() { this.clone() } else { Value::Nil })
    }),
    MethodDef("merge", at_least(0), |interp, this, args| {
        for other in args.values {
            let other = members(interp, other)?;
            let map = own_mut(interp, this)?;
            for value in other {
                insert_into(map, value, Value::Bool(true));
            }
        }
        Ok(this.clone())
    }),
    MethodDef("subtract", exactly(1), |interp, this, args| {
        let other = members(interp, args.at(0))?;
        let map = own_mut(interp, this)?;
        for value in other {
            remove_from(map, &value);
        }
        Ok(this.clone())
    }),
    MethodDef("clear", exactly(0), |interp, this, _| {
        let old = std::mem::take(&mut *own_mut(interp, this)?.borrow_mut());
        drop(old);
        Ok(this.clone())
    }),
    MethodDef("delete_if", exactly(0), |interp, this, args| retain(interp, this, args, false)),
    MethodDef("reject!", exactly(0), |interp, this, args| retain(interp, this, args, false)),
    MethodDef("select!", exactly(0), |interp, this, args| retain(interp, this, args, true)),
    MethodDef("filter!", exactly(0), |interp, this, args| retain(interp, this, args, true)),
    MethodDef("map!", exactly(0), map_in_place),
    MethodDef("collect!", exactly(0), map_in_place),
    MethodDef("keep_if", exactly(0), |interp, this, args| retain(interp, this, args, true)),
];

fn map_in_place(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let block = args.block(interp)?;
    let mut map = HashMap::new();
    for value in values(interp, this)? {
        map.insert(interp.yield_one(block, value)?, Value::Bool(true));
    }
    let old = std::mem::replace(&mut *own_mut(interp, this)?.borrow_mut(), map);
    drop(old);
    Ok(this.clone())
}

/// Members of sets within the set, at any depth.
fn flattened(interp: &mut Interp, this: &Value, out: &mut Vec<Value>) -> Outcome<()> {
    interp.guard()?;
    for value in values(interp, this)? {
        match value.as_native::<Set>() {
            Some(_) => flattened(interp, &value, out)?,
            None => out.push(value),
        }
    }
    Ok(())
}

fn classify(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let block = args.block(interp)?;
    let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
    for value in values(interp, this)? {
        let key = interp.yield_one(block, value.clone())?;
        match groups.iter_mut().find(|(known, _)| keys_equal(known, &key)) {
            Some((_, members)) => members.push(value),
            None => groups.push((key, vec![value])),
        }
    }
    let map = groups.into_iter().map(|(key, members)| (key, like(interp, this, members)));
    Ok(Value::hash(map.collect()))
}

fn include(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    Ok(Value::Bool(own(interp, this)?.borrow().contains_key(args.at(0))))
}

fn add(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    insert_into(own_mut(interp, this)?, args.at(0).clone(), Value::Bool(true));
    Ok(this.clone())
}

fn inspect(interp: &mut Interp, this: &Value, _: Args<'_>) -> Outcome {
    let values = values(interp, this)?;
    Ok(Value::str(interp.inspect_items("#<Set: {", values, "}>", this)?))
}

fn is_within(interp: &mut Interp, small: &Value, large: &Value, strictly: bool) -> Outcome {
    let (small, large) = (own(interp, small)?.borrow(), own(interp, large)?.borrow());
    let fits = if strictly { small.len() < large.len() } else { small.len() <= large.len() };
    Ok(Value::Bool(fits && small.keys().all(|key| large.contains_key(key))))
}

fn shares(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome<bool> {
    let other = members(interp, args.at(0))?;
    let map = own(interp, this)?.borrow();
    Ok(other.iter().any(|value| map.contains_key(value)))
}

fn union(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let mut all = values(interp, this)?;
    all.extend(members(interp, args.at(0))?);
    Ok(like(interp, this, all))
}

fn intersection(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let other = members(interp, args.at(0))?;
    let common = {
        let map = own(interp, this)?.borrow();
        other.into_iter().filter(|value| map.contains_key(value)).collect()
    };
    Ok(like(interp, this, common))
}

fn difference(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let other: HashMap = members(interp, args.at(0))?.into_iter().map(|value| (value, Value::Nil)).collect();
    let rest = values(interp, this)?.into_iter().filter(|value| !other.contains_key(value)).collect();
    Ok(like(interp, this, rest))
}

fn passing(interp: &mut Interp, this: &Value, args: Args<'_>, wanted: bool) -> Outcome<Vec<Value>> {
    let block = args.block(interp)?;
    let mut passed = Vec::new();
    for value in values(interp, this)? {
        if interp.yield_one(block, value.clone())?.truthy() == wanted {
            passed.push(value);
        }
    }
    Ok(passed)
}

fn kept(interp: &mut Interp, this: &Value, args: Args<'_>, wanted: bool) -> Outcome {
    // Those of Enumerable: an array.
    let passed = passing(interp, this, args, wanted)?;
    Ok(Value::array(passed))
}

fn retain(interp: &mut Interp, this: &Value, args: Args<'_>, wanted: bool) -> Outcome {
    let map: HashMap =
        passing(interp, this, args, wanted)?.into_iter().map(|value| (value, Value::Bool(true))).collect();
    let old = std::mem::replace(&mut *own_mut(interp, this)?.borrow_mut(), map);
    drop(old);
    Ok(this.clone())
}
