//! What a client reads of a token that somebody else made (Java: `LoginAccessTokenValidator`). Whether it is signed by
//! whom it should be is the broker's to judge.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rdkafka::client::OAuthToken;
use serde_json::{Map, Value};

/// Reads a JSON web token; its subject becomes the principal's name.
///
/// # Errors
/// What is wrong with it, never quoting the token.
pub fn read(token: &str, scope_claim: &str) -> Result<OAuthToken, String> {
    let claims = claims(token).ok_or(
        "the token is not a JSON web token: header, claims and signature with dots between, in base64url",
    )?;
    let expires = claims.get("exp").and_then(Value::as_f64).filter(|seconds| *seconds >= 0.0);
    let expires = expires.ok_or("the token does not say when it expires (claim exp)")?;
    let subject =
        claims.get("sub").and_then(Value::as_str).map(str::trim).filter(|subject| !subject.is_empty());
    let subject = subject.ok_or("the token names nobody (claim sub)")?;
    let mut seen = HashSet::new();
    for scope in scopes(&claims, scope_claim) {
        let scope = scope.as_str().map(str::trim).filter(|scope| !scope.is_empty());
        let scope = scope.ok_or_else(|| format!("the token's claim {scope_claim} holds something empty"))?;
        if !seen.insert(scope) {
            return Err(format!("the token's claim {scope_claim} holds {scope:?} twice"));
        }
    }
    // Beyond the range of an i64 the conversion gives its largest, which is far enough away.
    let lifetime_ms = (expires * 1000.0) as i64;
    Ok(OAuthToken { token: token.to_owned(), principal_name: subject.to_owned(), lifetime_ms })
}

fn claims(token: &str) -> Option<Map<String, Value>> {
    let mut sections = token.split('.');
    let (Some(header), Some(claims), Some(_), None) =
        (sections.next(), sections.next(), sections.next(), sections.next())
    else {
        return None;
    };
    let decode = |section: &str| URL_SAFE_NO_PAD.decode(section.trim_end_matches('=')).ok();
    decode(header).filter(|header| !header.is_empty())?;
    serde_json::from_slice(&decode(claims)?).ok()
}

fn scopes<'c>(claims: &'c Map<String, Value>, name: &str) -> &'c [Value] {
    match claims.get(name) {
        Some(Value::Array(scopes)) => scopes,
        Some(text @ Value::String(_)) => std::slice::from_ref(text),
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn token(claims: &Value) -> String {
        format!(
            "{}.{}.sig",
            URL_SAFE_NO_PAD.encode("{\"alg\":\"RS256\"}"),
            URL_SAFE_NO_PAD.encode(claims.to_string())
        )
    }

    #[test]
    fn subject_and_end_are_read() {
        let text = token(&json!({"sub": "alice", "exp": 1_700_000_000, "scope": ["a", "b"]}));
        let read = read(&text, "scope").unwrap_or_else(|why| panic!("{why}"));
        assert_eq!((read.principal_name.as_str(), read.lifetime_ms), ("alice", 1_700_000_000_000));
        assert_eq!(read.token, text);
    }

    #[test]
    fn what_java_refuses_is_refused() {
        for (claims, part) in [
            (json!({"exp": 1}), "claim sub"),
            (json!({"sub": " ", "exp": 1}), "claim sub"),
            (json!({"sub": "a"}), "claim exp"),
            (json!({"sub": "a", "exp": -1}), "claim exp"),
            (json!({"sub": "a", "exp": 1, "roles": ["x", "x"]}), "\"x\" twice"),
            (json!({"sub": "a", "exp": 1, "roles": [""]}), "empty"),
            (json!([]), "not a JSON web token"),
        ] {
            let why = read(&token(&claims), "roles").err().unwrap_or_else(|| panic!("{claims} is accepted"));
            assert!(why.contains(part), "{claims}: {why}");
        }
        for text in ["", "opaque", "a.b", "a.b.c.d", "!.!.!"] {
            assert!(read(text, "scope").is_err(), "{text}");
        }
    }
}
