//! `Numeric` and `Integer`.

use super::{ClassDef, MethodDef};
use crate::ruby::args::exactly;

pub(super) static CLASSES: &[ClassDef] = &[
    ClassDef { includes: &["Comparable"], ..ClassDef::class("Numeric") },
    ClassDef { superclass: Some("Numeric"), methods: &[METHODS], ..ClassDef::class("Integer") },
];

const METHODS: &[MethodDef] = &[MethodDef("to_i", exactly(0), |_, this, _| Ok(this.clone()))];
