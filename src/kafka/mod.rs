//! What the kafka input and the kafka output share: Logstash's options, named after the Java client's properties, put
//! into librdkafka's.
//!
//! [`options`] is the table of all options; [`client`] makes a client configuration of it; [`security`] adds TLS and
//! SASL with the help of [`stores`] and [`jaas`]; [`trouble`] turns librdkafka's errors into lines that name an option.

pub mod client;
pub mod jaas;
pub mod options;
pub mod security;
pub mod stores;
pub mod trouble;

use std::collections::BTreeMap;
use std::fmt;

/// An option that cannot be honoured as given, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The option's name.
    pub option: &'static str,
    /// What is wrong and what to do; never a secret.
    pub reason: String,
}

impl Refusal {
    /// Blames `option`.
    pub fn new(option: &'static str, reason: impl Into<String>) -> Self {
        Refusal { option, reason: reason.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.option, self.reason)
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
    /// Adds an option where it has a value.
    pub fn set(&mut self, option: &'static str, value: impl Into<Text>) -> &mut Self {
        if let Text(Some(text)) = value.into() {
            self.values.insert(option, text);
        }
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

/// An option's value on its way into [`Given`]: text, a number, a boolean, or nothing.
pub struct Text(Option<String>);

impl<T: Into<Text>> From<Option<T>> for Text {
    fn from(value: Option<T>) -> Self {
        value.map_or(Text(None), Into::into)
    }
}

macro_rules! text_from {
    ($($kind:ty),*) => {
        $(impl From<$kind> for Text {
            fn from(value: $kind) -> Self {
                Text(Some(value.to_string()))
            }
        })*
    };
}
text_from!(String, &str, &String, i64, u64, u32, usize, f64, bool);
