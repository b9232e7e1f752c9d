//! The codecs: one file per plugin, named as in Logstash.

use crate::plugin::Spec;

/// Every codec of this build, sorted by name.
pub static SPECS: &[&Spec] = &[];
