//! What the bulk API answers, document by document (`common.rb`, `submit`).

use serde::Deserialize;
use serde_json::Value;

use super::chunk::Chunk;

/// The status of a document and, where it was not taken, the error.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    pub status: u16,
    error: Value,
}

/// How much of a server's reason is shown: it may quote the document.
const LONGEST_REASON: usize = 1000;

#[derive(Deserialize)]
struct Summary {
    errors: Option<bool>,
}

#[derive(Deserialize)]
struct Detail {
    #[serde(default)]
    items: Vec<std::collections::HashMap<String, Outcome>>,
}

#[derive(Deserialize)]
struct Outcome {
    status: u16,
    #[serde(default)]
    error: Value,
}

/// Reads an answer to `sent` documents; `None` when all of them were taken, which is read without a look at each.
///
/// # Errors
/// Why it is no such answer: then nobody knows what was taken.
pub fn read(body: &[u8], sent: usize) -> Result<Option<Vec<Item>>, String> {
    let not_json = |error: serde_json::Error| format!("the answer is not the bulk API's: {error}");
    let summary: Summary = serde_json::from_slice(body).map_err(not_json)?;
    if summary.errors == Some(false) {
        return Ok(None);
    }
    let detail: Detail = serde_json::from_slice(body).map_err(not_json)?;
    if summary.errors.is_none() && detail.items.is_empty() {
        // A bulk_path with a filter_path of its own may leave out everything.
        return Ok(None);
    }
    let items: Vec<Item> = detail
        .items
        .into_iter()
        .filter_map(|item| item.into_values().next())
        .map(|Outcome { status, error }| Item { status, error })
        .collect();
    if items.len() != sent {
        return Err(format!("{sent} documents were sent, the answer speaks of {}", items.len()));
    }
    Ok(Some(items))
}

impl Item {
    /// The error's type, such as `mapper_parsing_exception`.
    pub fn kind(&self) -> Option<&str> {
        self.error.get("type").and_then(Value::as_str)
    }

    /// What is to be said of document `number` of a chunk: its index and id, and what the server says.
    pub fn describe(&self, chunk: &Chunk, number: usize) -> String {
        let action = Action::of(chunk.lines(number));
        let mut text = format!("{} in index \"{}\"", action.name, action.index);
        if let Some(id) = action.id {
            text.push_str(&format!(" with id \"{id}\""));
        }
        text.push_str(&format!(": {}", self.status));
        if let Some(reason) = reason(&self.error) {
            text.push(' ');
            text.push_str(&reason);
        }
        text
    }
}

/// An error with its causes in one line.
pub fn reason(error: &Value) -> Option<String> {
    let mut out = String::new();
    let mut at = Some(error);
    while let Some(error) = at.filter(|error| !error.is_null()) {
        let part = |name: &str| error.get(name).and_then(Value::as_str);
        let text = match (error, part("type"), part("reason")) {
            (Value::String(text), ..) => text.clone(),
            (_, Some(kind), Some(reason)) => format!("{kind}: {reason}"),
            (_, Some(text), None) | (_, None, Some(text)) => text.to_owned(),
            (_, None, None) => break,
        };
        if !out.is_empty() {
            out.push_str(", caused by ");
        }
        out.push_str(&text);
        at = error.get("caused_by");
    }
    if out.len() > LONGEST_REASON {
        let end = (0..=LONGEST_REASON).rev().find(|at| out.is_char_boundary(*at)).unwrap_or(0);
        out.truncate(end);
        out.push_str("...");
    }
    (!out.is_empty()).then_some(out)
}

/// The error in a request's answer, in one line: of JSON what it says, else its beginning.
pub fn refusal(body: &[u8]) -> String {
    let error = serde_json::from_slice::<Value>(body).ok();
    let said = error.as_ref().and_then(|body| body.get("error")).and_then(reason);
    said.unwrap_or_else(|| {
        let text = String::from_utf8_lossy(body);
        text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect()
    })
}

/// Whether a whole request was refused (status 400) for what one of its documents asks, such as a delete without an id:
/// then the others need not suffer.
pub fn blames_a_document(body: &[u8]) -> bool {
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return false };
    let part = |name: &str| body.get("error").and_then(|error| error.get(name)).and_then(Value::as_str);
    match (part("type"), part("reason")) {
        (Some("action_request_validation_exception"), _) => true,
        (Some("illegal_argument_exception"), Some(reason)) => !reason.starts_with("request ["),
        (Some(kind), _) => kind.ends_with("parse_exception") || kind.ends_with("parsing_exception"),
        (None, _) => false,
    }
}

/// What a document's first line says.
struct Action {
    name: String,
    index: String,
    id: Option<String>,
}

impl Action {
    fn of(lines: &[u8]) -> Action {
        let line = lines.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let parsed: Option<serde_json::Map<String, Value>> = serde_json::from_slice(line).ok();
        let (name, fields) = parsed.and_then(|map| map.into_iter().next()).unwrap_or_default();
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Action {
            index: fields.get("_index").map(text).unwrap_or_default(),
            id: fields.get("_id").map(text),
            name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_as_far_as_needed() {
        assert_eq!(read(br#"{"errors":false,"items":[{"index":{"status":201}}]}"#, 1), Ok(None));
        assert_eq!(read(b"{}", 3), Ok(None));
        // Of OpenSearch 2.19.
        let body = br#"{"errors":true,"items":[{"index":{"status":201}},{"index":{"status":400,"error":{"type":"mapper_parsing_exception","reason":"failed to parse field [n] of type [long] in document with id '1'","caused_by":{"type":"illegal_argument_exception","reason":"For input string: \"x\""}}}}]}"#;
        let items = read(body, 2).unwrap().unwrap();
        assert_eq!((items[0].status, items[0].kind()), (201, None));
        assert_eq!((items[1].status, items[1].kind()), (400, Some("mapper_parsing_exception")));
        assert_eq!(
            reason(&items[1].error).unwrap(),
            "mapper_parsing_exception: failed to parse field [n] of type [long] in document with id '1', caused by \
             illegal_argument_exception: For input string: \"x\""
        );
        assert!(read(body, 3).is_err());
        assert!(read(b"<html>", 1).is_err());
        assert!(read(br#"{"errors":true}"#, 1).is_err());
    }

    #[test]
    fn documents_are_blamed_only_for_what_they_ask() {
        let body = |kind: &str, reason: &str| {
            format!(r#"{{"error":{{"type":"{kind}","reason":"{reason}"}},"status":400}}"#).into_bytes()
        };
        // All of OpenSearch 2.19.
        for (kind, reason) in [
            ("action_request_validation_exception", "Validation Failed: 1: id is missing;"),
            ("illegal_argument_exception", "Action/metadata line [1] contains an unknown parameter [_type]"),
            ("illegal_argument_exception", r#"For input string: \"abc\""#),
        ] {
            assert!(blames_a_document(&body(kind, reason)), "{reason}");
        }
        let unknown = "request [/_bulk] contains unrecognized parameter: [foo]";
        assert!(!blames_a_document(&body("illegal_argument_exception", unknown)));
        assert!(!blames_a_document(&body("security_exception", "no permissions")));
        assert!(!blames_a_document(b"<html>Bad Request</html>"));
    }
}
