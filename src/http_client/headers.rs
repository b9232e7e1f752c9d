//! Headers of requests and answers: texts of configs to headers, and headers to fields of events.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::event::{Object, Value};

/// A name or a value that no header can have. It shows the name alone, for the value may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no name or value of a header")]
pub struct InvalidHeader(pub String);

/// Adds a header, beside others of its name.
///
/// # Errors
/// When the name or the value holds what headers cannot.
pub fn append_header(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), InvalidHeader> {
    match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
        (Ok(name), Ok(value)) => {
            headers.append(name, value);
            Ok(())
        }
        (Err(_), _) => Err(InvalidHeader(name.to_owned())),
        (_, Err(_)) => Err(InvalidHeader(format!("{name}: ..."))),
    }
}

/// Header names in small letters, with their values; those of a header that came more than once as an array.
pub fn headers_as_fields(headers: &HeaderMap) -> Object {
    let mut fields = Object::with_capacity(headers.keys_len());
    for name in headers.keys() {
        let text = |value: &HeaderValue| Value::from(&*String::from_utf8_lossy(value.as_bytes()));
        let mut values: Vec<Value> = headers.get_all(name).iter().map(text).collect();
        let value = if values.len() == 1 { values.swap_remove(0) } else { Value::Array(values) };
        fields.insert(name.as_str(), value);
    }
    fields
}
