//! OAuth 1.0a signatures (RFC 5849, HMAC-SHA1), which the v1.1 API asks of every request.

use std::fmt;
use std::num::NonZeroU64;
use std::time::{SystemTime, UNIX_EPOCH};

use oauth1_request::{Builder, Credentials as Pair, HmacSha1, ParameterList};

/// The four values that say which application asks, and for which account.
#[derive(Clone)]
pub struct Credentials {
    pub consumer_key: String,
    pub consumer_secret: String,
    pub token: String,
    pub token_secret: String,
}

impl fmt::Debug for Credentials {
    /// Says nothing but the type's name: two of the values are secrets, and the others are worth hiding.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials { .. }")
    }
}

impl Credentials {
    /// The `Authorization` header of one request of now. `url` comes without its query; `parameters` are those of the
    /// query and of a form body, not encoded.
    pub fn authorization(&self, method: &str, url: &str, parameters: &[(&str, &str)]) -> String {
        // A clock before 1970 is refused by the server like any other clock that is far off.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_secs());
        self.sign(method, url, parameters, None, now)
    }

    /// Signs with a chosen nonce and time; without a nonce a random one is drawn.
    fn sign(
        &self,
        method: &str,
        url: &str,
        parameters: &[(&str, &str)],
        nonce: Option<&str>,
        timestamp: u64,
    ) -> String {
        let consumer = Pair::new(self.consumer_key.as_str(), self.consumer_secret.as_str());
        let mut builder = Builder::new(consumer, HmacSha1::new());
        builder
            .token(Pair::new(self.token.as_str(), self.token_secret.as_str()))
            .nonce(nonce)
            .timestamp(NonZeroU64::new(timestamp))
            // Optional in the RFC, but always sent by the clients this API knows.
            .version(true);
        builder.authorize(method, url, &ParameterList::new(parameters.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of the API's page "Creating a signature".
    #[test]
    fn signs_the_published_example() {
        let credentials = Credentials {
            consumer_key: "xvz1evFS4wEEPTGEFPHBog".into(),
            consumer_secret: "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw".into(),
            token: "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb".into(),
            token_secret: "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE".into(),
        };
        let header = credentials.sign(
            "POST",
            "https://api.twitter.com/1/statuses/update.json",
            &[("status", "Hello Ladies + Gentlemen, a signed OAuth request!"), ("include_entities", "true")],
            Some("kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg"),
            1_318_622_958,
        );
        assert!(header.starts_with("OAuth "), "{header}");
        assert!(header.contains(r#"oauth_signature="tnnArxj06cWHq44gCs1OSKk%2FjLY%3D""#), "{header}");
        assert!(header.contains(r#"oauth_version="1.0""#), "{header}");
    }

    #[test]
    fn every_request_gets_its_own_nonce() {
        let credentials = Credentials {
            consumer_key: "key".into(),
            consumer_secret: "secret".into(),
            token: "token".into(),
            token_secret: "token secret".into(),
        };
        let sign =
            || credentials.authorization("GET", "https://stream.twitter.com/1.1/statuses/sample.json", &[]);
        assert_ne!(sign(), sign());
        assert!(!format!("{credentials:?}").contains("secret"));
    }
}
