//! What the kafka input and the kafka output share: Logstash's options, named after the Java client's properties, put
//! into librdkafka's.
//!
//! [`options`] is the table of all options, [`block`] declares those that both plugins have; [`client`] makes a client
//! configuration of them; [`security`] adds TLS and
//! SASL with the help of [`crate::tls::stores`], [`jaas`] and [`oauth`]; [`trouble`] turns librdkafka's errors into lines that
//! name an option.

pub mod block;
pub mod client;
pub mod jaas;
pub mod oauth;
pub mod options;
pub mod security;
pub mod trouble;

use std::collections::BTreeMap;

use crate::plugin::OptionReader;
pub use crate::tls::Refusal;

/// An accepted option that does not do what is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// It works otherwise: the option, and how.
    Otherwise(&'static str, String),
    /// It does nothing: the option, and why.
    NoEffect(&'static str, String),
}

impl Warning {
    /// The option's name.
    pub fn option(&self) -> &'static str {
        match self {
            Warning::Otherwise(option, _) | Warning::NoEffect(option, _) => option,
        }
    }

    /// Tells it at the option's place in the config.
    pub fn tell(&self, reader: &mut OptionReader<'_>) {
        match self {
            Warning::Otherwise(option, how) => reader.warning(option, how.as_str()),
            Warning::NoEffect(option, why) => reader.no_effect(option, why),
        }
    }
}

/// The options of one plugin block as text, by name; an option without value is absent.
///
/// Passwords are among them, so there is no `Debug`.
#[derive(Default)]
pub struct Given {
    values: BTreeMap<&'static str, String>,
}

impl Given {
    /// Adds an option.
    pub fn set(&mut self, option: &'static str, value: String) -> &mut Self {
        self.values.insert(option, value);
        self
    }

    /// An option's value.
    pub fn get(&self, option: &str) -> Option<&str> {
        self.values.get(option).map(String::as_str)
    }

    /// The names of all options with a value.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.values.keys().copied()
    }
}
