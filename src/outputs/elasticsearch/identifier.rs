//! `Identifier`: the parts of a data stream's name that a config chooses (`data_stream_support.rb`, `validate_identifier`).

use crate::plugin::{ConfigValue, Context, FromOption, Problem};

/// Longest identifier, in bytes.
const MAX_LENGTH: usize = 100;
/// What an index's name must not hold.
const FORBIDDEN: [char; 12] = ['\\', '/', '*', '?', '"', '<', '>', '|', ' ', ',', '#', ':'];

/// `data_stream_dataset` or `data_stream_namespace`: not empty, at most 100 bytes, nothing that indices cannot be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identifier(pub String);

impl FromOption for Identifier {
    fn type_name() -> String {
        "string".into()
    }

    fn from_option(value: &ConfigValue, context: &Context) -> Result<Self, Vec<Problem>> {
        let text = String::from_option(value, context)?;
        let refuse = |why: String| Err(vec![Problem::error(value.span, why)]);
        if text.is_empty() {
            return refuse("it is empty".into());
        }
        if text.len() > MAX_LENGTH {
            return refuse(format!("it has {} bytes, {MAX_LENGTH} are possible", text.len()));
        }
        if let Some(character) = text.chars().find(|character| FORBIDDEN.contains(character)) {
            return refuse(format!("{character:?} is not possible in the name of a data stream"));
        }
        Ok(Identifier(text))
    }
}
