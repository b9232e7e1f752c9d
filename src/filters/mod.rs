//! The filters: one file per plugin, named as in Logstash.

mod age;
mod aggregate;
mod alter;
mod anonymize;
mod bytes;
mod cidr;
mod cipher;
mod clone;
mod csv;
mod date;
mod de_dot;
mod digest;
mod dissect;
mod dns;
mod drop;
mod elapsed;
mod elasticsearch;
mod environment;
mod extractnumbers;
mod fingerprint;
mod geoip;
mod grok;
mod http;
mod i18n;
mod ip_range;
mod jdbc_static;
mod jdbc_streaming;
mod json;
mod json_encode;
mod kept;
mod kv;
mod memcached;
mod metrics;
mod mutate;
mod prune;
mod range;
mod refresh;
mod ruby;
mod sleep;
mod split;
mod syslog_pri;
mod throttle;
mod tld;
mod translate;
mod truncate;
mod urldecode;
mod useragent;
mod uuid;
mod xml;

use crate::plugin::Spec;

/// Every filter of this build, sorted by name.
pub static SPECS: &[&Spec] = &[
    &age::SPEC,
    &aggregate::SPEC,
    &alter::SPEC,
    &anonymize::SPEC,
    &bytes::SPEC,
    &cidr::SPEC,
    &cipher::SPEC,
    &clone::SPEC,
    &csv::SPEC,
    &date::SPEC,
    &de_dot::SPEC,
    &dissect::SPEC,
    &dns::SPEC,
    &drop::SPEC,
    &elapsed::SPEC,
    &elasticsearch::SPEC,
    &environment::SPEC,
    &extractnumbers::SPEC,
    &fingerprint::SPEC,
    &geoip::SPEC,
    &grok::SPEC,
    &http::SPEC,
    &i18n::SPEC,
    &jdbc_static::SPEC,
    &jdbc_streaming::SPEC,
    &json::SPEC,
    &json_encode::SPEC,
    &kv::SPEC,
    &memcached::SPEC,
    &metrics::SPEC,
    &mutate::SPEC,
    &prune::SPEC,
    &range::SPEC,
    &ruby::SPEC,
    &sleep::SPEC,
    &split::SPEC,
    &syslog_pri::SPEC,
    &throttle::SPEC,
    &tld::SPEC,
    &translate::SPEC,
    &truncate::SPEC,
    &urldecode::SPEC,
    &useragent::SPEC,
    &uuid::SPEC,
    &xml::SPEC,
];
