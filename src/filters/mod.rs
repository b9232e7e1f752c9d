//! The filters: one file per plugin, named as in Logstash.

mod anonymize;
mod cidr;
mod cipher;
mod clone;
mod date;
mod digest;
mod dns;
mod drop;
mod fingerprint;
mod geoip;
mod ip_range;
mod json;
mod json_encode;
mod mutate;
mod refresh;
mod sleep;
mod syslog_pri;
mod tld;
mod translate;
mod useragent;
mod uuid;

use crate::plugin::Spec;

/// Every filter of this build, sorted by name.
pub static SPECS: &[&Spec] = &[
    &anonymize::SPEC,
    &cidr::SPEC,
    &cipher::SPEC,
    &clone::SPEC,
    &date::SPEC,
    &dns::SPEC,
    &drop::SPEC,
    &fingerprint::SPEC,
    &geoip::SPEC,
    &json::SPEC,
    &json_encode::SPEC,
    &mutate::SPEC,
    &sleep::SPEC,
    &syslog_pri::SPEC,
    &tld::SPEC,
    &translate::SPEC,
    &useragent::SPEC,
    &uuid::SPEC,
];
