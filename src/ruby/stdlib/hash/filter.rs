//! `Hash`: choosing entries.

use super::super::MethodDef;
use super::super::enumerable::block_or_enumerator;
use super::{kept, own, own_mut, put};
use crate::ruby::args::{Args, at_least, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::value::{HashMap, Value};

pub(super) const METHODS: &[MethodDef] = &[
    MethodDef("select", exactly(0), |interp, this, args| select(interp, this, args, true)),
    MethodDef("filter", exactly(0), |interp, this, args| select(interp, this, args, true)),
    MethodDef("reject", exactly(0), |interp, this, args| select(interp, this, args, false)),
    MethodDef("select!", exactly(0), |interp, this, args| keep(interp, this, args, true, true)),
    MethodDef("filter!", exactly(0), |interp, this, args| keep(interp, this, args, true, true)),
    MethodDef("keep_if", exactly(0), |interp, this, args| keep(interp, this, args, true, false)),
    MethodDef("reject!", exactly(0), |interp, this, args| keep(interp, this, args, false, true)),
    MethodDef("delete_if", exactly(0), |interp, this, args| keep(interp, this, args, false, false)),
    MethodDef("partition", exactly(0), |interp, this, args| {
        let block = block_or_enumerator!(interp, this, "partition", args);
        let (mut yes, mut no) = (Vec::new(), Vec::new());
        super::pairs(interp, this, &mut |interp, key, value| {
            let passes = interp.yield_pair(block, key.clone(), value.clone())?.truthy();
            if passes { &mut yes } else { &mut no }.push(Value::array(vec![key, value]));
            Ok(())
        })?;
        Ok(Value::array(vec![Value::array(yes), Value::array(no)]))
    }),
    MethodDef("slice", at_least(0), |interp, this, args| {
        let hash = own(interp, this)?;
        let found = args.values.iter().filter_map(|key| Some((key.clone(), hash.get(key)?)));
        Ok(Value::hash(found.collect()))
    }),
    MethodDef("except", at_least(0), |interp, this, args| {
        let mut map = own(interp, this)?.borrow().clone();
        for key in args.values {
            map.remove(key);
        }
        Ok(Value::hash(map))
    }),
    MethodDef("compact", exactly(0), |interp, this, _| Ok(Value::hash(compacted(interp, this)?))),
    MethodDef("compact!", exactly(0), |interp, this, _| {
        let before = own_mut(interp, this)?.len();
        let map = compacted(interp, this)?;
        if map.len() == before { Ok(Value::Nil) } else { put(interp, this, map) }
    }),
];

fn compacted(interp: &mut Interp, this: &Value) -> Outcome<HashMap> {
    let hash = own(interp, this)?.borrow();
    let entries = hash.iter().filter(|(_, value)| !value.is_nil());
    Ok(entries.map(|(key, value)| (key.clone(), value.clone())).collect())
}

fn select(interp: &mut Interp, this: &Value, args: Args<'_>, wanted: bool) -> Outcome {
    let Some(block) = args.block else {
        let name = if wanted { "select" } else { "reject" };
        return super::super::enumerator::for_method(interp, this, name, args.values);
    };
    Ok(Value::hash(kept(interp, this, block, wanted)?))
}

fn keep(interp: &mut Interp, this: &Value, args: Args<'_>, wanted: bool, nil_if_same: bool) -> Outcome {
    let Some(block) = args.block else {
        let name = if wanted { "select!" } else { "reject!" };
        return super::super::enumerator::for_method(interp, this, name, args.values);
    };
    let hash = own_mut(interp, this)?.clone();
    let before = hash.len();
    // Entry by entry, so that what the block itself changes stays.
    super::pairs(interp, this, &mut |interp, key, value| {
        if interp.yield_values(block, &[key.clone(), value])?.truthy() != wanted {
            let removed = hash.remove(&key);
            drop(removed);
        }
        Ok(())
    })?;
    Ok(if nil_if_same && hash.len() == before { Value::Nil } else { this.clone() })
}
