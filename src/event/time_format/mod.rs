//! Time as configs write it: calendar arithmetic, zones, and the pattern languages of `%{+...}`, `%{{...}}` and the date filter.
pub(crate) mod civil;
mod zone;

pub use zone::{UnknownZone, Zone};
