//! Equality and order.

use std::cmp::Ordering;

use num_bigint::BigInt;

use super::Interp;
use super::operators::compare_integers;
use crate::ruby::args::Args;
use crate::ruby::control::{Control, Outcome};
use crate::ruby::symbol::sym;
use crate::ruby::value::{RArray, RHash, Value};

/// From this many items on, merging them is quicker.
const MERGED_FROM: usize = 32;

impl Interp {
    /// `a == b`
    pub fn equal(&mut self, a: &Value, b: &Value) -> Outcome<bool> {
        if let Some(equal) = scalars_equal(a, b) {
            return Ok(equal);
        }
        match (a, b) {
            (Value::Array(x), Value::Array(y)) if x.extra.class().is_none() => self.arrays_equal(x, y),
            (Value::Hash(x), Value::Hash(y)) if x.extra.class().is_none() => self.hashes_equal(x, y),
            (Value::Object(_), _) => {
                Ok(self.call_with(a, sym!("=="), Args::of(std::slice::from_ref(b)))?.truthy())
            }
            (Value::Int(_) | Value::Big(_) | Value::Float(_), Value::Object(_)) => {
                // Numbers ask what they do not know: 1 == BigDecimal("1").
                Ok(self.call_with(b, sym!("=="), Args::of(std::slice::from_ref(a)))?.truthy())
            }
            (Value::Range(x), Value::Range(y)) => Ok(x.exclusive == y.exclusive
                && self.equal(&x.start, &y.start)?
                && self.equal(&x.end, &y.end)?),
            (Value::Regexp(x), Value::Regexp(y)) => Ok(x.is_equal(y)),
            (Value::Str(_) | Value::Array(_) | Value::Hash(_) | Value::Class(_), _) => {
                if self.is_builtin(a, sym!("==")) {
                    return Ok(a.is_same(b));
                }
                Ok(self.call_with(a, sym!("=="), Args::of(std::slice::from_ref(b)))?.truthy())
            }
            _ => Ok(a.is_same(b)),
        }
    }

    fn arrays_equal(&mut self, a: &RArray, b: &RArray) -> Outcome<bool> {
        self.guard()?;
        if std::ptr::eq(a, b) {
            return Ok(true);
        }
        let (a, b) = (a.to_vec(), b.to_vec());
        if a.len() != b.len() {
            return Ok(false);
        }
        for (a, b) in a.iter().zip(&b) {
            if !self.equal(a, b)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn hashes_equal(&mut self, a: &RHash, b: &RHash) -> Outcome<bool> {
        self.guard()?;
        if std::ptr::eq(a, b) {
            return Ok(true);
        }
        let a = a.borrow().clone();
        if a.len() != b.len() {
            return Ok(false);
        }
        for (key, value) in a.iter() {
            let Some(other) = b.get(key) else { return Ok(false) };
            if !self.equal(value, &other)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// `pattern === value`, as `case` compares.
    pub fn case_equal(&mut self, pattern: &Value, value: &Value) -> Outcome<bool> {
        match (pattern, value) {
            (Value::Nil | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Sym(_), _)
            | (Value::Str(_), Value::Str(_)) => self.equal(pattern, value),
            (Value::Class(class), _) if self.is_builtin(pattern, sym!("===")) => Ok(self.is_a(value, class)),
            _ => Ok(self.call_with(pattern, sym!("==="), Args::of(std::slice::from_ref(value)))?.truthy()),
        }
    }

    /// `a <=> b`; `None` where they cannot be compared.
    pub fn compare(&mut self, a: &Value, b: &Value) -> Outcome<Option<Ordering>> {
        match (a, b) {
            (Value::Int(_) | Value::Big(_), Value::Int(_) | Value::Big(_)) => {
                return Ok(compare_integers(a, b));
            }
            (Value::Float(x), Value::Float(y)) => return Ok(x.partial_cmp(y)),
            (Value::Int(x), Value::Float(y)) => return Ok((*x as f64).partial_cmp(y)),
            (Value::Float(x), Value::Int(y)) => return Ok(x.partial_cmp(&(*y as f64))),
            (Value::Str(x), Value::Str(y)) => return Ok(Some(x.borrow().bytes().cmp(y.borrow().bytes()))),
            (Value::Sym(x), Value::Sym(y)) => return Ok(Some(x.as_str().cmp(y.as_str()))),
            (Value::Array(x), Value::Array(y)) => {
                let (x, y) = (x.to_vec(), y.to_vec());
                return self.compare_items(&x, &y);
            }
            _ => {}
        }
        match self.call_with(a, sym!("<=>"), Args::of(std::slice::from_ref(b)))? {
            Value::Int(order) => Ok(Some(order.cmp(&0))),
            Value::Float(order) => Ok(order.partial_cmp(&0.0)),
            Value::Big(order) => Ok(Some((*order).cmp(&BigInt::from(0)))),
            _ => Ok(None),
        }
    }

    fn compare_items(&mut self, a: &[Value], b: &[Value]) -> Outcome<Option<Ordering>> {
        self.guard()?;
        for (a, b) in a.iter().zip(b) {
            match self.compare(a, b)? {
                Some(Ordering::Equal) => {}
                other => return Ok(other),
            }
        }
        Ok(Some(a.len().cmp(&b.len())))
    }

    /// The order of two values, or the ArgumentError of values that have none (`sort`, `max`).
    pub fn order(&mut self, a: &Value, b: &Value) -> Outcome<Ordering> {
        match self.compare(a, b)? {
            Some(order) => Ok(order),
            None => Err(self.comparison_failed(a, b)),
        }
    }

    /// `comparison of Integer with nil failed`
    pub fn comparison_failed(&mut self, a: &Value, b: &Value) -> Control {
        let left = self.class_name(&self.real_class(a));
        let right = match b {
            Value::Nil | Value::Bool(_) | Value::Int(_) | Value::Big(_) | Value::Float(_) => {
                self.inspect(b).unwrap_or_default()
            }
            other => self.class_name(&self.real_class(other)),
        };
        self.argument_error(format!("comparison of {left} with {right} failed"))
    }

    /// The order that a comparing block gives: its number's sign.
    pub fn order_of(&mut self, result: &Value, a: &Value, b: &Value) -> Outcome<Ordering> {
        match result {
            Value::Int(order) => Ok(order.cmp(&0)),
            Value::Float(order) => Ok(order.partial_cmp(&0.0).unwrap_or(Ordering::Equal)),
            Value::Big(order) => Ok((**order).cmp(&BigInt::from(0))),
            _ => Err(self.comparison_failed(a, b)),
        }
    }

    /// Sorts as `sort` does: two items are compared as they stand.
    pub fn sort_values(
        &mut self,
        values: Vec<Value>,
        compare: &mut dyn FnMut(&mut Interp, &Value, &Value) -> Outcome<Ordering>,
    ) -> Outcome<Vec<Value>> {
        if let [a, b] = &*values {
            let swapped = compare(self, a, b)? == Ordering::Greater;
            return Ok(if swapped { vec![b.clone(), a.clone()] } else { values });
        }
        self.sort_keyed(values, compare)
    }

    /// Sorts with a comparison that may fail; an inconsistent one gives some order and no panic. Few items are compared
    /// in the order in which Java's `Arrays.sort` does it, which blocks and the messages of errors show.
    pub fn sort_keyed(
        &mut self,
        values: Vec<Value>,
        compare: &mut dyn FnMut(&mut Interp, &Value, &Value) -> Outcome<Ordering>,
    ) -> Outcome<Vec<Value>> {
        if values.len() < MERGED_FROM {
            return self.insertion_sort(values, compare);
        }
        let mut runs: Vec<Vec<Value>> = values.into_iter().map(|value| vec![value]).collect();
        while runs.len() > 1 {
            let mut merged = Vec::with_capacity(runs.len().div_ceil(2));
            let mut rest = runs.into_iter();
            while let Some(left) = rest.next() {
                match rest.next() {
                    Some(right) => merged.push(self.merge(left, right, compare)?),
                    None => merged.push(left),
                }
            }
            runs = merged;
        }
        Ok(runs.pop().unwrap_or_default())
    }

    /// The run at the start, then the rest item by item at the place that bisection finds.
    fn insertion_sort(
        &mut self,
        values: Vec<Value>,
        compare: &mut dyn FnMut(&mut Interp, &Value, &Value) -> Outcome<Ordering>,
    ) -> Outcome<Vec<Value>> {
        let mut sorted: Vec<Value> = Vec::with_capacity(values.len());
        let mut falls = None;
        let mut rest = values.into_iter().peekable();
        while let Some(next) = rest.peek() {
            if let Some(last) = sorted.last() {
                let below = compare(self, next, last)? == Ordering::Less;
                if *falls.get_or_insert(below) != below {
                    break;
                }
            }
            sorted.extend(rest.next());
        }
        if falls == Some(true) {
            sorted.reverse();
        }
        // The item that ended the run was compared with its neighbour, and is again.
        for item in rest {
            let (mut low, mut high) = (0, sorted.len());
            while low < high {
                let middle = usize::midpoint(low, high);
                let Some(other) = sorted.get(middle) else { break };
                if compare(self, &item, other)? == Ordering::Less { high = middle } else { low = middle + 1 }
            }
            sorted.insert(low, item);
        }
        Ok(sorted)
    }

    fn merge(
        &mut self,
        left: Vec<Value>,
        right: Vec<Value>,
        compare: &mut dyn FnMut(&mut Interp, &Value, &Value) -> Outcome<Ordering>,
    ) -> Outcome<Vec<Value>> {
        let mut merged = Vec::with_capacity(left.len() + right.len());
        let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
        while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
            let from_right = compare(self, a, b)? == Ordering::Greater;
            merged.extend(if from_right { right.next() } else { left.next() });
        }
        merged.extend(left);
        merged.extend(right);
        Ok(merged)
    }
}

/// Equality of what needs no method; `None` where it does.
fn scalars_equal(a: &Value, b: &Value) -> Option<bool> {
    Some(match (a, b) {
        (Value::Nil, Value::Nil) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Sym(a), Value::Sym(b)) => a == b,
        (Value::Str(a), Value::Str(b)) => a.borrow().is_comparable_equal(&b.borrow()),
        (Value::Float(a), Value::Float(b)) => a == b,
        (Value::Int(a), Value::Float(b)) | (Value::Float(b), Value::Int(a)) => *a as f64 == *b,
        (Value::Big(a), Value::Float(b)) | (Value::Float(b), Value::Big(a)) => {
            a.to_string().parse::<f64>().is_ok_and(|number| number == *b)
        }
        (Value::Int(_) | Value::Big(_), Value::Int(_) | Value::Big(_)) => {
            compare_integers(a, b) == Some(Ordering::Equal)
        }
        (Value::Nil | Value::Bool(_) | Value::Sym(_), _) => false,
        _ => return None,
    })
}
