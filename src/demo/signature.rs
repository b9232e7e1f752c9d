//! The server's side of OAuth 1.0a: computes the signature once more (RFC 5849, 3.4) and compares.
//!
//! Written apart from what the twitter input signs with, so that the two check each other.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha1::Sha1;

/// What RFC 5849 leaves as it is.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The four values that a client must know.
#[derive(Clone, Copy)]
pub struct Secrets {
    pub consumer_key: &'static str,
    pub consumer_secret: &'static str,
    pub token: &'static str,
    pub token_secret: &'static str,
}

/// The example values that the v1.1 API's documentation publishes; they open nothing.
pub const EXAMPLE: Secrets = Secrets {
    consumer_key: "xvz1evFS4wEEPTGEFPHBog",
    consumer_secret: "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
    token: "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb",
    token_secret: "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE",
};

/// Checks the `Authorization` header of a request. `url` has no query, `parameters` are decoded, `now` is in seconds.
/// Returns the nonce, which must be used once only; an error says what is wrong.
pub fn check(
    secrets: &Secrets,
    (method, url): (&str, &str),
    parameters: &[(String, String)],
    header: &str,
    now: u64,
) -> Result<String, &'static str> {
    let listed = header.strip_prefix("OAuth ").ok_or("no OAuth header")?;
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let oauth: Vec<(String, String)> = listed
        .split(',')
        .filter_map(|pair| pair.trim().split_once('='))
        .map(|(name, value)| (decode(name), decode(value.trim_matches('"'))))
        .filter(|(name, _)| name != "realm")
        .collect();
    let value =
        |name: &str| oauth.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    if value("oauth_consumer_key") != secrets.consumer_key || value("oauth_token") != secrets.token {
        return Err("unknown consumer key or token");
    }
    if value("oauth_signature_method") != "HMAC-SHA1" {
        return Err("unknown signature method");
    }
    if value("oauth_timestamp").parse::<u64>().map_or(true, |time| time.abs_diff(now) > 300) {
        return Err("timestamp out of bounds");
    }
    let signed = oauth.iter().filter(|(name, _)| name != "oauth_signature").chain(parameters);
    if value("oauth_signature") != signature(secrets, method, url, signed) {
        return Err("signature does not match");
    }
    Ok(value("oauth_nonce").to_owned())
}

fn signature<'p>(
    secrets: &Secrets,
    method: &str,
    url: &str,
    parameters: impl Iterator<Item = &'p (String, String)>,
) -> String {
    let encode = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
    let mut pairs: Vec<(String, String)> =
        parameters.map(|(name, value)| (encode(name), encode(value))).collect();
    pairs.sort();
    let joined: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let base = format!("{}&{}&{}", method.to_uppercase(), encode(url), encode(&joined.join("&")));
    let key = format!("{}&{}", encode(secrets.consumer_secret), encode(secrets.token_secret));
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(key.as_bytes()) else { return String::new() };
    mac.update(base.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = r#"OAuth oauth_consumer_key="xvz1evFS4wEEPTGEFPHBog",
        oauth_nonce="kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg", oauth_signature="tnnArxj06cWHq44gCs1OSKk%2FjLY%3D",
        oauth_signature_method="HMAC-SHA1", oauth_timestamp="1318622958",
        oauth_token="370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb", oauth_version="1.0""#;

    fn published(status: &str, now: u64) -> Result<String, &'static str> {
        let parameters =
            [("status".to_owned(), status.to_owned()), ("include_entities".to_owned(), "true".to_owned())];
        check(&EXAMPLE, ("POST", "https://api.twitter.com/1/statuses/update.json"), &parameters, HEADER, now)
    }

    /// The worked example of the API's page "Creating a signature".
    #[test]
    fn the_published_example_is_accepted() {
        let text = "Hello Ladies + Gentlemen, a signed OAuth request!";
        assert_eq!(
            published(text, 1_318_622_958).as_deref(),
            Ok("kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg")
        );
        assert_eq!(published("Hello Ladies", 1_318_622_958), Err("signature does not match"));
        assert_eq!(published(text, 1_318_632_958), Err("timestamp out of bounds"));
    }
}
