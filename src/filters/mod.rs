//! The filters: one file per plugin, named as in Logstash.

mod clone;
mod date;
mod drop;
mod json;
mod json_encode;
mod mutate;
mod ruby;
mod sleep;

use crate::plugin::Spec;

/// Every filter of this build, sorted by name.
pub static SPECS: &[&Spec] =
    &[&clone::SPEC, &date::SPEC, &drop::SPEC, &json::SPEC, &json_encode::SPEC, &mutate::SPEC, &ruby::SPEC, &sleep::SPEC];
