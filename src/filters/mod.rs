//! The filters: one file per plugin, named as in Logstash.

mod age;
mod alter;
mod anonymize;
mod bytes;
mod cidr;
mod clone;
mod date;
mod de_dot;
mod digest;
mod drop;
mod elapsed;
mod environment;
mod extractnumbers;
mod fingerprint;
mod http;
mod i18n;
mod ip_range;
mod json;
mod json_encode;
mod memcached;
mod metrics;
mod mutate;
mod range;
mod refresh;
mod sleep;
mod syslog_pri;
mod throttle;
mod uuid;
mod xml;

use crate::plugin::Spec;

/// Every filter of this build, sorted by name.
pub static SPECS: &[&Spec] = &[
    &age::SPEC,
    &alter::SPEC,
    &anonymize::SPEC,
    &bytes::SPEC,
    &cidr::SPEC,
    &clone::SPEC,
    &date::SPEC,
    &de_dot::SPEC,
    &drop::SPEC,
    &elapsed::SPEC,
    &environment::SPEC,
    &extractnumbers::SPEC,
    &fingerprint::SPEC,
    &http::SPEC,
    &i18n::SPEC,
    &json::SPEC,
    &json_encode::SPEC,
    &memcached::SPEC,
    &metrics::SPEC,
    &mutate::SPEC,
    &range::SPEC,
    &sleep::SPEC,
    &syslog_pri::SPEC,
    &throttle::SPEC,
    &uuid::SPEC,
    &xml::SPEC,
];
