//! The filters: one file per plugin, named as in Logstash.

mod age;
mod alter;
mod bytes;
mod clone;
mod date;
mod de_dot;
mod drop;
mod elapsed;
mod environment;
mod extractnumbers;
mod i18n;
mod json;
mod json_encode;
mod metrics;
mod mutate;
mod range;
mod sleep;
mod throttle;
mod xml;

use crate::plugin::Spec;

/// Every filter of this build, sorted by name.
pub static SPECS: &[&Spec] = &[
    &age::SPEC,
    &alter::SPEC,
    &bytes::SPEC,
    &clone::SPEC,
    &date::SPEC,
    &de_dot::SPEC,
    &drop::SPEC,
    &elapsed::SPEC,
    &environment::SPEC,
    &extractnumbers::SPEC,
    &i18n::SPEC,
    &json::SPEC,
    &json_encode::SPEC,
    &metrics::SPEC,
    &mutate::SPEC,
    &range::SPEC,
    &sleep::SPEC,
    &throttle::SPEC,
    &xml::SPEC,
];
