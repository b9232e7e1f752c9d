//! `Rational`.

use num_bigint::{BigInt, Sign};

use super::super::MethodDef;
use super::arithmetic::{Number, divide, number};
use super::integer::gcd;
use crate::ruby::args::{Args, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::{Interp, big_to_f64};
use crate::ruby::symbol::{Sym, sym};
use crate::ruby::value::{Native, Value};

/// A fraction in lowest terms with a positive denominator.
struct Rational {
    above: BigInt,
    below: BigInt,
}

impl Native for Rational {
    fn trace(&self, _visit: &mut dyn FnMut(&Value)) -> bool {
        true
    }

    fn key_hash(&self) -> Option<u64> {
        Some(
            self.above
                .iter_u64_digits()
                .chain(self.below.iter_u64_digits())
                .fold(7, |hash, digit| hash.rotate_left(5) ^ digit),
        )
    }

    fn is_same_key(&self, other: &dyn Native) -> bool {
        other
            .downcast::<Rational>()
            .is_some_and(|other| other.above == self.above && other.below == self.below)
    }
}

/// A rational number in lowest terms.
pub(super) fn make(interp: &mut Interp, above: BigInt, below: BigInt) -> Outcome {
    if below.sign() == Sign::NoSign {
        return Err(interp.error("ZeroDivisionError", "divided by 0"));
    }
    let divisor = gcd(above.clone(), below.clone());
    let divisor = if below.sign() == Sign::Minus { -divisor } else { divisor };
    let data = Rational { above: above / &divisor, below: below / &divisor };
    Ok(Value::native(&interp.classes.rational.clone(), data))
}

/// What `to_r` reads at the start of a text (`3/4`, `1.25`); strictly, nothing else may stand there.
pub(in crate::ruby::stdlib) fn rational_from_text(
    interp: &mut Interp,
    text: &str,
    strictly: bool,
) -> Outcome {
    let trimmed = text.trim();
    let (first, second) = match trimmed.split_once('/') {
        Some((first, second)) => (first, Some(second)),
        None => (trimmed, None),
    };
    let decimal = |text: &str| -> Option<(BigInt, BigInt)> {
        let end = text
            .char_indices()
            .find(|(at, c)| {
                !(c.is_ascii_digit() || *c == '.' || *c == '_' || (*at == 0 && (*c == '-' || *c == '+')))
            })
            .map_or(text.len(), |(at, _)| at);
        let (number, rest) = text.split_at(end);
        let number = number.replace('_', "");
        let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
        let digits = format!("{whole}{fraction}");
        let above: BigInt = digits.trim_start_matches('+').parse().ok()?;
        let mut below = BigInt::from(10).pow(u32::try_from(fraction.len()).ok()?);
        let mut above = above;
        if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
            let exponent: i32 = exponent.parse().ok().filter(|exponent: &i32| exponent.abs() < 10_000)?;
            let power = BigInt::from(10).pow(exponent.unsigned_abs());
            if exponent < 0 { below *= power } else { above *= power }
        } else if !rest.is_empty() && strictly {
            return None;
        }
        Some((above, below))
    };
    let parsed = decimal(first).and_then(|(above, below)| match second {
        Some(second) => {
            let (over, under) = decimal(second)?;
            Some((above * under, below * over))
        }
        None => Some((above, below)),
    });
    match parsed {
        Some((above, below)) => make(interp, above, below),
        None if strictly => {
            let shown = interp.inspect(&Value::str(text))?;
            Err(interp.argument_error(format!("invalid value for convert(): {shown}")))
        }
        None => make(interp, BigInt::default(), BigInt::from(1)),
    }
}

/// `Rational()`.
pub(super) const FUNCTIONS: &[MethodDef] = &[MethodDef("Rational", between(1, 3), |interp, _, args| {
    let (args, _) = args.split_keywords();
    let above = to_rational(interp, args.at(0))?;
    if args.len() == 1 {
        return Ok(above);
    }
    let below = to_rational(interp, args.at(1))?;
    interp.call(&above, "/", &[below])
})];

fn to_rational(interp: &mut Interp, value: &Value) -> Outcome {
    match value {
        Value::Str(text) => {
            let text = text.to_text();
            rational_from_text(interp, &text, true)
        }
        Value::Nil => Err(interp.type_error("can't convert nil into Rational")),
        other => interp.call(other, "to_r", &[]),
    }
}

fn own(this: &Value) -> Option<(BigInt, BigInt)> {
    if let Some(rational) = this.as_native::<Rational>() {
        return Some((rational.above.clone(), rational.below.clone()));
    }
    match number(this)? {
        Number::Integer(number) => Some((number, BigInt::from(1))),
        Number::Float(_) => None,
    }
}

fn to_f64(above: &BigInt, below: &BigInt) -> f64 {
    let (a, b) = (big_to_f64(above), big_to_f64(below));
    if a.is_finite() && b.is_finite() {
        return a / b;
    }
    let shift = above.bits().max(below.bits()).saturating_sub(1000);
    big_to_f64(&(above >> shift)) / big_to_f64(&(below >> shift))
}

pub(super) const METHODS: &[MethodDef] = &[
    MethodDef("+", exactly(1), |interp, this, args| operate(interp, this, args.at(0), sym!("+"))),
    MethodDef("-", exactly(1), |interp, this, args| operate(interp, this, args.at(0), sym!("-"))),
    MethodDef("*", exactly(1), |interp, this, args| operate(interp, this, args.at(0), sym!("*"))),
    MethodDef("/", exactly(1), |interp, this, args| operate(interp, this, args.at(0), sym!("/"))),
    MethodDef("quo", exactly(1), |interp, this, args| operate(interp, this, args.at(0), sym!("/"))),
    MethodDef("%", exactly(1), |interp, this, args| operate(interp, this, args.at(0), sym!("%"))),
    MethodDef("**", exactly(1), power),
    MethodDef("-@", exactly(0), |interp, this, _| match own(this) {
        Some((above, below)) => make(interp, -above, below),
        None => Ok(Value::Nil),
    }),
    MethodDef("<=>", exactly(1), |interp, this, args| {
        if let (Some((a, b)), Value::Float(other)) = (own(this), args.at(0)) {
            return Ok(to_f64(&a, &b)
                .partial_cmp(other)
                .map_or(Value::Nil, |order| Value::Int(order as i64)));
        }
        match (own(this), own(args.at(0))) {
            (Some((a, b)), Some((c, d))) => Ok(Value::Int((a * d).cmp(&(c * b)) as i64)),
            _ => {
                _ = interp;
                Ok(Value::Nil)
            }
        }
    }),
    MethodDef("==", exactly(1), |_, this, args| {
        Ok(Value::Bool(match (own(this), args.at(0)) {
            (Some((a, b)), Value::Float(other)) => to_f64(&a, &b) == *other,
            (Some(own_pair), other) => own(other).is_some_and(|other| other == own_pair),
            _ => false,
        }))
    }),
    MethodDef("coerce", exactly(1), |interp, this, args| match args.at(0) {
        Value::Float(_) => {
            let own = interp.call(this, "to_f", &[])?;
            Ok(Value::array(vec![args.at(0).clone(), own]))
        }
        other => {
            let other = to_rational(interp, other)?;
            Ok(Value::array(vec![other, this.clone()]))
        }
    }),
    MethodDef("numerator", exactly(0), |_, this, _| {
        Ok(own(this).map_or(Value::Nil, |(above, _)| Value::big(above)))
    }),
    MethodDef("denominator", exactly(0), |_, this, _| {
        Ok(own(this).map_or(Value::Nil, |(_, below)| Value::big(below)))
    }),
    MethodDef("to_f", exactly(0), |_, this, _| {
        Ok(own(this).map_or(Value::Nil, |(above, below)| Value::Float(to_f64(&above, &below))))
    }),
    MethodDef("to_i", exactly(0), |_, this, _| {
        Ok(own(this).map_or(Value::Nil, |(above, below)| Value::big(above / below)))
    }),
    MethodDef("truncate", exactly(0), |_, this, _| {
        Ok(own(this).map_or(Value::Nil, |(above, below)| Value::big(above / below)))
    }),
    MethodDef("floor", between(0, 1), |interp, this, args| {
        rounded(interp, this, args, |a, b| divide(a, b).0)
    }),
    MethodDef("ceil", between(0, 1), |interp, this, args| {
        rounded(interp, this, args, |a, b| -divide(&-a, b).0)
    }),
    MethodDef("round", between(0, 2), |interp, this, args| {
        let (args, _) = args.split_keywords();
        rounded(interp, this, args, |a, b| {
            let magnitude = BigInt::from(a.magnitude().clone());
            let whole = divide(&(magnitude * 2 + b), &(b * 2)).0;
            if a.sign() == Sign::Minus { -whole } else { whole }
        })
    }),
    MethodDef("to_r", exactly(0), |_, this, _| Ok(this.clone())),
    MethodDef("rationalize", between(0, 1), |_, this, _| Ok(this.clone())),
    MethodDef("zero?", exactly(0), |_, this, _| {
        Ok(Value::Bool(own(this).is_some_and(|(above, _)| above.sign() == Sign::NoSign)))
    }),
    MethodDef("to_s", exactly(0), |_, this, _| {
        Ok(own(this).map_or(Value::Nil, |(above, below)| Value::str(format!("{above}/{below}"))))
    }),
    MethodDef("inspect", exactly(0), |_, this, _| {
        Ok(own(this).map_or(Value::Nil, |(above, below)| Value::str(format!("({above}/{below})"))))
    }),
    MethodDef("hash", exactly(0), |_, this, _| {
        Ok(Value::Int((crate::ruby::value::key_hash(this) >> 1) as i64))
    }),
];

fn operate(interp: &mut Interp, this: &Value, other: &Value, operator: Sym) -> Outcome {
    if let Value::Float(_) = other {
        let own = interp.call(this, "to_f", &[])?;
        return interp.call_with(&own, operator, Args::of(std::slice::from_ref(other)));
    }
    let (Some((a, b)), Some((c, d))) = (own(this), own(other)) else {
        if matches!(other, Value::Object(_))
            && interp.responds_to(other, sym!("coerce"))
            && let Some((a, b)) = super::coerced(interp, this, other)?
        {
            return interp.call_with(&a, operator, Args::of(&[b]));
        }
        let class = interp.describe_for_conversion(other);
        return Err(interp.type_error(format!("{class} can't be coerced into Rational")));
    };
    interp.check_size(((a.bits() + b.bits() + c.bits() + d.bits()) / 8) as usize)?;
    match operator.as_str() {
        "+" => make(interp, a * &d + c * &b, b * d),
        "-" => make(interp, a * &d - c * &b, b * d),
        "*" => make(interp, a * c, b * d),
        "/" => make(interp, a * d, b * c),
        _ => {
            if c.sign() == Sign::NoSign {
                return Err(interp.error("ZeroDivisionError", "divided by 0"));
            }
            let quotient = divide(&(&a * &d), &(&b * &c)).0;
            make(interp, a * &d - c * quotient * &b, b * d)
        }
    }
}

fn power(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let Some((above, below)) = own(this) else { return Ok(Value::Nil) };
    let Value::Int(exponent) = args.at(0) else {
        let (base, exponent) = (to_f64(&above, &below), interp.to_float(args.at(0))?);
        return Ok(Value::Float(base.powf(exponent)));
    };
    let size = u32::try_from(exponent.unsigned_abs()).ok();
    let bits = above.bits().max(below.bits());
    let Some(size) = size.filter(|size| bits.saturating_mul(u64::from(*size)) < 1 << 25) else {
        return Err(interp.argument_error("exponent is too large"));
    };
    match *exponent >= 0 {
        true => make(interp, above.pow(size), below.pow(size)),
        false => make(interp, below.pow(size), above.pow(size)),
    }
}

fn rounded(
    interp: &mut Interp,
    this: &Value,
    args: Args<'_>,
    round: fn(&BigInt, &BigInt) -> BigInt,
) -> Outcome {
    let Some((above, below)) = own(this) else { return Ok(Value::Nil) };
    let places = if args.is_empty() { 0 } else { args.int(interp, 0)? };
    let Some(size) = u32::try_from(places.unsigned_abs()).ok().filter(|size| *size < 10_000) else {
        return Ok(this.clone());
    };
    let scale = BigInt::from(10).pow(size);
    if places > 0 {
        let whole = round(&(above * &scale), &below);
        return make(interp, whole, scale);
    }
    Ok(Value::big(round(&above, &(below * &scale)) * scale))
}
