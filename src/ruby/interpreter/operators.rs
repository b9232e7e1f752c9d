//! Operators, with short cuts for numbers, texts, arrays and hashes.

use std::cmp::Ordering;
use std::rc::Rc;

use num_bigint::BigInt;

use super::Interp;
use super::calls::Reach;
use crate::ruby::args::Args;
use crate::ruby::compiler::tree::{BinaryNode, BinaryOperator, IndexNode, Node, Site};
use crate::ruby::control::Outcome;
use crate::ruby::symbol::{Sym, sym};
use crate::ruby::value::{Env, Value};

impl Interp {
    pub(super) fn eval_binary(&mut self, node: &BinaryNode, env: &Rc<Env>) -> Outcome {
        if node.is_plain {
            let slots = env.slots.borrow();
            if let Some(left) = plain_integer(&node.left, &slots)
                && let Some(right) = plain_integer(&node.right, &slots)
                && let Some(value) = integers(node.operator, left, right)
            {
                return Ok(value);
            }
        }
        let left = self.eval_leaf(&node.left, env)?;
        let right = self.eval_leaf(&node.right, env)?;
        self.operate(node.operator, node.name, &node.site, left, right, env)
    }

    /// `left operator right`. Integers come first.
    #[inline]
    pub(super) fn operate(
        &mut self,
        operator: BinaryOperator,
        name: Sym,
        site: &Site,
        left: Value,
        right: Value,
        env: &Rc<Env>,
    ) -> Outcome {
        let (left, right) = match (left, right) {
            (Value::Int(a), Value::Int(b)) => match integers(operator, a, b) {
                Some(value) => return Ok(value),
                None => (Value::Int(a), Value::Int(b)),
            },
            others => others,
        };
        self.operate_on(operator, name, site, &left, &right, env)
    }

    fn operate_on(
        &mut self,
        operator: BinaryOperator,
        name: Sym,
        site: &Site,
        left: &Value,
        right: &Value,
        env: &Rc<Env>,
    ) -> Outcome {
        let quick = match (left, right) {
            (Value::Float(a), Value::Float(b)) => floats(operator, *a, *b),
            (Value::Int(a), Value::Float(b)) => floats(operator, *a as f64, *b),
            (Value::Float(a), Value::Int(b)) => floats(operator, *a, *b as f64),
            (Value::Str(a), Value::Str(b)) => match operator {
                BinaryOperator::Equal => Some(Value::Bool(a.borrow().is_comparable_equal(&b.borrow()))),
                BinaryOperator::NotEqual => Some(Value::Bool(!a.borrow().is_comparable_equal(&b.borrow()))),
                BinaryOperator::Add => {
                    let (a, b) = (a.borrow(), b.borrow());
                    (a.fits(&b) && a.len() + b.len() <= crate::ruby::MAX_SIZE).then(|| {
                        let mut sum = a.clone();
                        sum.append(&b);
                        Value::Str(Rc::new(crate::ruby::value::RString::new(sum)))
                    })
                }
                _ => None,
            },
            _ => None,
        };
        if let Some(value) = quick {
            return Ok(value);
        }
        self.line = site.line;
        match operator {
            BinaryOperator::Equal => self.equal(left, right).map(Value::Bool),
            BinaryOperator::NotEqual => self.equal(left, right).map(|equal| Value::Bool(!equal)),
            BinaryOperator::ShiftLeft if matches!(left, Value::Array(array) if array.extra.class().is_none()) =>
            {
                self.check_frozen(left)?;
                if let Value::Array(array) = left {
                    array.push(right.clone());
                }
                Ok(left.clone())
            }
            _ => self.dispatch(
                site,
                left,
                name,
                Args::of(std::slice::from_ref(right)),
                Reach::Public,
                false,
                env,
            ),
        }
    }

    pub(super) fn eval_index(&mut self, node: &IndexNode, env: &Rc<Env>) -> Outcome {
        let reach = if matches!(node.receiver, Node::SelfValue) { Reach::Own } else { Reach::Public };
        let receiver = self.eval_leaf(&node.receiver, env)?;
        let argument = self.eval_leaf(&node.argument, env)?;
        if let Some(value) = quick_index(&receiver, &argument) {
            return Ok(value);
        }
        let args = Args::of(std::slice::from_ref(&argument));
        self.dispatch(&node.site, &receiver, sym!("[]"), args, reach, false, env)
    }

    /// `receiver[arguments]`
    pub(super) fn index(&mut self, receiver: &Value, arguments: &[Value]) -> Outcome {
        if let [argument] = arguments
            && let Some(value) = quick_index(receiver, argument)
        {
            return Ok(value);
        }
        self.call_with(receiver, sym!("[]"), Args::of(arguments))
    }

    /// `start..end`, or the ArgumentError for ends that cannot be compared.
    pub fn new_range(&mut self, start: Value, end: Value, exclusive: bool) -> Outcome {
        let comparable =
            matches!((&start, &end), (Value::Nil, _) | (_, Value::Nil) | (Value::Int(_), Value::Int(_)))
                || self.compare(&start, &end)?.is_some();
        if !comparable {
            return Err(self.argument_error("bad value for range"));
        }
        Ok(Value::range(start, end, exclusive))
    }
}

/// Elements of plain arrays by position and of plain hashes by key; `None` for everything else.
fn quick_index(receiver: &Value, argument: &Value) -> Option<Value> {
    match (receiver, argument) {
        (Value::Array(array), Value::Int(index)) if array.extra.class().is_none() => {
            let items = array.borrow();
            let at = if *index < 0 { index.checked_add(items.len() as i64)? } else { *index };
            Some(usize::try_from(at).ok().and_then(|at| items.get(at).cloned()).unwrap_or_default())
        }
        (Value::Hash(hash), key) if hash.extra.class().is_none() => hash.get(key),
        _ => None,
    }
}

/// The operator that has short cuts, by name.
pub(in crate::ruby) fn operator_named(name: &str) -> Option<BinaryOperator> {
    Some(match name {
        "+" => BinaryOperator::Add,
        "-" => BinaryOperator::Subtract,
        "*" => BinaryOperator::Multiply,
        "/" => BinaryOperator::Divide,
        "%" => BinaryOperator::Modulo,
        "<" => BinaryOperator::Less,
        "<=" => BinaryOperator::LessEqual,
        ">" => BinaryOperator::Greater,
        ">=" => BinaryOperator::GreaterEqual,
        "==" => BinaryOperator::Equal,
        "!=" => BinaryOperator::NotEqual,
        "<<" => BinaryOperator::ShiftLeft,
        _ => return None,
    })
}

/// The integer that a plain node (`Node::is_plain`) gives, reckoned in registers; `None` where it gives something else.
pub(super) fn plain_integer(node: &Node, slots: &[Value]) -> Option<i64> {
    match node {
        Node::Local { slot, .. } => match slots.get(*slot as usize)? {
            Value::Int(number) => Some(*number),
            _ => None,
        },
        Node::Literal(Value::Int(number)) => Some(*number),
        Node::Binary(node) => {
            let left = plain_integer(&node.left, slots)?;
            match integers(node.operator, left, plain_integer(&node.right, slots)?)? {
                Value::Int(number) => Some(number),
                _ => None,
            }
        }
        _ => None,
    }
}

/// `None` where the method has to decide: division by zero, shifts.
#[inline]
pub(super) fn integers(operator: BinaryOperator, a: i64, b: i64) -> Option<Value> {
    let small = match operator {
        BinaryOperator::Add => a.checked_add(b),
        BinaryOperator::Subtract => a.checked_sub(b),
        BinaryOperator::Multiply => a.checked_mul(b),
        BinaryOperator::Divide | BinaryOperator::Modulo if b == 0 || b == -1 => return None,
        BinaryOperator::Divide => Some(floor_divide(a, b)),
        BinaryOperator::Modulo => Some(a - b * floor_divide(a, b)),
        BinaryOperator::Less => return Some(Value::Bool(a < b)),
        BinaryOperator::LessEqual => return Some(Value::Bool(a <= b)),
        BinaryOperator::Greater => return Some(Value::Bool(a > b)),
        BinaryOperator::GreaterEqual => return Some(Value::Bool(a >= b)),
        BinaryOperator::Equal => return Some(Value::Bool(a == b)),
        BinaryOperator::NotEqual => return Some(Value::Bool(a != b)),
        BinaryOperator::ShiftLeft => return None,
    };
    Some(small.map_or_else(|| big_result(operator, a, b), Value::Int))
}

/// The result that is beyond 64 bits.
#[cold]
fn big_result(operator: BinaryOperator, a: i64, b: i64) -> Value {
    let (a, b) = (BigInt::from(a), BigInt::from(b));
    Value::big(match operator {
        BinaryOperator::Subtract => a - b,
        BinaryOperator::Multiply => a * b,
        _ => a + b,
    })
}

/// Division towards negative infinity; the divisor is neither 0 nor -1.
fn floor_divide(a: i64, b: i64) -> i64 {
    let quotient = a / b;
    if a % b != 0 && (a < 0) != (b < 0) { quotient - 1 } else { quotient }
}

fn floats(operator: BinaryOperator, a: f64, b: f64) -> Option<Value> {
    Some(match operator {
        BinaryOperator::Add => Value::Float(a + b),
        BinaryOperator::Subtract => Value::Float(a - b),
        BinaryOperator::Multiply => Value::Float(a * b),
        BinaryOperator::Divide => Value::Float(a / b),
        BinaryOperator::Less => Value::Bool(a < b),
        BinaryOperator::LessEqual => Value::Bool(a <= b),
        BinaryOperator::Greater => Value::Bool(a > b),
        BinaryOperator::GreaterEqual => Value::Bool(a >= b),
        BinaryOperator::Equal => Value::Bool(a == b),
        BinaryOperator::NotEqual => Value::Bool(a != b),
        BinaryOperator::Modulo | BinaryOperator::ShiftLeft => return None,
    })
}

/// Integers of any size in order.
pub(super) fn compare_integers(a: &Value, b: &Value) -> Option<Ordering> {
    Some(match (a, b) {
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::Int(a), Value::Big(b)) => BigInt::from(*a).cmp(b),
        (Value::Big(a), Value::Int(b)) => (**a).cmp(&BigInt::from(*b)),
        (Value::Big(a), Value::Big(b)) => a.cmp(b),
        _ => return None,
    })
}
