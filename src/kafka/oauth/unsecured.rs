//! Tokens that nobody signed, made here of a login module's entries (Java: `OAuthBearerUnsecuredLoginCallbackHandler`).
//! Brokers take them where they are set up for tests.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rdkafka::client::OAuthToken;
use serde_json::{Map, Value};

use crate::kafka::jaas::LoginModule;

const TEXT: &str = "unsecuredLoginStringClaim_";
const NUMBER: &str = "unsecuredLoginNumberClaim_";
const LIST: &str = "unsecuredLoginListClaim_";
const PRINCIPAL: &str = "unsecuredLoginPrincipalClaimName";
const LIFETIME: &str = "unsecuredLoginLifetimeSeconds";
/// Java's client reads the scope of its own token by this name, and does nothing with it.
const SCOPE: &str = "unsecuredLoginScopeClaimName";
/// An hour.
const DEFAULT_LIFETIME: i64 = 3600;

/// What every token says, but for its times.
pub struct Unsecured {
    claims: Map<String, Value>,
    principal: String,
    lifetime_seconds: i64,
}

/// Whether an entry of the login module means something.
pub fn is_known(name: &str) -> bool {
    claim(name).is_some() || [PRINCIPAL, LIFETIME, SCOPE].contains(&name)
}

/// The prefix of an entry that is a claim, and the claim's name.
fn claim(entry: &str) -> Option<(&'static str, &str)> {
    let of = |prefix: &'static str| entry.strip_prefix(prefix).map(|name| (prefix, name));
    [TEXT, NUMBER, LIST].into_iter().find_map(of).filter(|(_, name)| !name.is_empty())
}

impl Unsecured {
    /// Reads the claims of a login module.
    ///
    /// # Errors
    /// What is wrong with an entry.
    pub fn read(module: &LoginModule) -> Result<Self, String> {
        let mut claims = Map::new();
        for (entry, value) in module.options() {
            let Some((kind, name)) = claim(entry) else { continue };
            if ["iat", "exp"].contains(&name) {
                return Err(format!("{entry}: the claim {name} is made by the clock and cannot be given"));
            }
            let value = match kind {
                NUMBER => {
                    let number = value.trim().parse::<f64>().ok().filter(|number| number.is_finite());
                    Value::from(number.ok_or_else(|| format!("{entry} is not a number"))?)
                }
                LIST => list(value),
                _ => Value::from(value),
            };
            claims.insert(name.to_owned(), value);
        }
        let name = module.option(PRINCIPAL).map(str::trim).filter(|name| !name.is_empty()).unwrap_or("sub");
        let principal =
            claims.get(name).and_then(Value::as_str).filter(|principal| !principal.trim().is_empty());
        let principal = principal
            .ok_or_else(|| format!("the login module has no {TEXT}{name}, the name to log in with"))?
            .to_owned();
        let lifetime_seconds = match module.option(LIFETIME) {
            None => DEFAULT_LIFETIME,
            // Milliseconds of it must fit too.
            Some(text) => text
                .parse()
                .ok()
                .filter(|seconds| (1..=i64::from(u32::MAX)).contains(seconds))
                .ok_or_else(|| format!("{LIFETIME} is not a whole number above 0"))?,
        };
        Ok(Unsecured { claims, principal, lifetime_seconds })
    }

    /// The token of a moment, in milliseconds since 1970.
    pub fn token(&self, now: i64) -> OAuthToken {
        let lifetime_ms = now.saturating_add(self.lifetime_seconds.saturating_mul(1000));
        let mut claims = self.claims.clone();
        // Milliseconds since 1970 are exact in a double for longer than the calendar goes.
        claims.insert("iat".to_owned(), Value::from(now as f64 / 1000.0));
        claims.insert("exp".to_owned(), Value::from(lifetime_ms as f64 / 1000.0));
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
        let claims = URL_SAFE_NO_PAD.encode(Value::Object(claims).to_string());
        OAuthToken {
            token: format!("{header}.{claims}."),
            principal_name: self.principal.clone(),
            lifetime_ms,
        }
    }
}

/// A list as its entry writes it: the first character stands between the elements, as in `|read|write`.
fn list(text: &str) -> Value {
    let mut characters = text.chars();
    let Some(separator) = characters.next() else { return Value::Array(Vec::new()) };
    let elements = characters.as_str();
    match elements {
        "" => Value::Array(Vec::new()),
        _ => elements.split(separator).map(Value::from).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::jaas::parse_inline;

    fn read(entries: &str) -> Result<Unsecured, String> {
        Unsecured::read(
            &parse_inline(&format!("a.OAuthBearerLoginModule required {entries};")).expect("a module"),
        )
    }

    #[test]
    fn a_token_says_what_the_entries_say() {
        let unsecured = read(
            r#"unsecuredLoginStringClaim_sub="alice \"a\"" unsecuredLoginNumberClaim_level="1.5"
               unsecuredLoginListClaim_scope="|read|write" unsecuredLoginLifetimeSeconds="60""#,
        )
        .unwrap_or_else(|why| panic!("{why}"));
        let token = unsecured.token(1_700_000_000_500);
        assert_eq!((token.principal_name.as_str(), token.lifetime_ms), ("alice \"a\"", 1_700_000_060_500));
        let sections: Vec<_> = token.token.split('.').collect();
        let [header, claims, ""] = sections.as_slice() else { panic!("{sections:?}") };
        let decoded = |section: &str| -> Value {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(section).expect("base64")).expect("JSON")
        };
        assert_eq!(decoded(header), serde_json::json!({"alg": "none"}));
        let expected = serde_json::json!({
            "sub": "alice \"a\"", "level": 1.5, "scope": ["read", "write"], "iat": 1_700_000_000.5, "exp": 1_700_000_060.5
        });
        assert_eq!(decoded(claims), expected);
    }

    #[test]
    fn the_name_to_log_in_with_may_be_another_claim() {
        let unsecured = read("unsecuredLoginPrincipalClaimName=user unsecuredLoginStringClaim_user=bob");
        assert_eq!(unsecured.unwrap_or_else(|why| panic!("{why}")).token(0).principal_name, "bob");
    }

    #[test]
    fn wrong_entries_are_named() {
        for (entries, part) in [
            ("", "unsecuredLoginStringClaim_sub"),
            ("unsecuredLoginStringClaim_user=bob", "unsecuredLoginStringClaim_sub"),
            ("unsecuredLoginNumberClaim_sub=1", "unsecuredLoginStringClaim_sub"),
            ("unsecuredLoginStringClaim_sub=a unsecuredLoginNumberClaim_exp=1", "the claim exp"),
            ("unsecuredLoginStringClaim_sub=a unsecuredLoginNumberClaim_n=x", "unsecuredLoginNumberClaim_n"),
            (
                "unsecuredLoginStringClaim_sub=a unsecuredLoginLifetimeSeconds=0",
                "unsecuredLoginLifetimeSeconds",
            ),
        ] {
            let why = read(entries).err().unwrap_or_else(|| panic!("{entries} is accepted"));
            assert!(why.contains(part), "{entries}: {why}");
        }
    }

    #[test]
    fn lists_bring_their_separator() {
        assert_eq!(list("|a|b"), serde_json::json!(["a", "b"]));
        assert_eq!(list(",a"), serde_json::json!(["a"]));
        assert_eq!(list("|"), serde_json::json!([]));
        assert_eq!(list(""), serde_json::json!([]));
    }
}
