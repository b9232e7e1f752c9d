//! The options `cloud_id` and `cloud_auth` (`CloudSettingId.java`, `CloudSettingAuth.java` of Logstash).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// The URL of the deployment that an id such as `label:ZXhhbXBsZS5jb20kZXMka2I=` names.
///
/// # Errors
/// What is wrong with the id.
pub fn host(id: &str) -> Result<String, String> {
    let encoded = id.rsplit_once(':').map_or(id, |(_, encoded)| encoded);
    // Java's decoder takes the alphabet for URLs, and needs no padding.
    let standard: String = encoded.trim().trim_end_matches('=').replace('-', "+").replace('_', "/");
    let decoded = STANDARD_NO_PAD.decode(standard).map_err(|_| "it is not base64 behind the label")?;
    let decoded = String::from_utf8(decoded).map_err(|_| "it does not hold text")?;
    let mut parts = decoded.split('$');
    let (domain, node) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if domain.is_empty() || node.is_empty() || node == "undefined" {
        return Err("it names no Elasticsearch: host$cluster$... is expected in it".into());
    }
    let (domain, domain_port) = domain.split_once(':').unwrap_or((domain, "443"));
    let (node, port) = node.split_once(':').unwrap_or((node, domain_port));
    Ok(format!("https://{node}.{domain}:{port}"))
}

/// Name and password of `name:password`.
pub fn credentials(auth: &str) -> Option<(&str, &str)> {
    auth.split_once(':').filter(|(name, password)| !name.is_empty() && !password.is_empty())
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn ids_name_hosts() {
        // From the specs of Logstash's cloud_setting_id.rb.
        let id = "foobar:dXMtZWFzdC0xLmF3cy5mb3VuZC5pbyRub3RhcmVhbCRpZGVudGlmaWVy";
        assert_eq!(host(id).as_deref(), Ok("https://notareal.us-east-1.aws.found.io:443"));
        let with_port = format!("x:{}", STANDARD.encode("found.io:9443$es$kb"));
        assert_eq!(host(&with_port).as_deref(), Ok("https://es.found.io:9443"));
        for wrong in ["x:!!", "", &format!("x:{}", STANDARD.encode("found.io$undefined$kb"))] {
            assert!(host(wrong).is_err(), "{wrong}");
        }
        assert_eq!(credentials("elastic:a:b"), Some(("elastic", "a:b")));
        assert_eq!(credentials("elastic"), None);
    }

    #[test]
    fn ids_come_with_and_without_label_padding_and_ports() {
        // Of the documentation: "us-east-1.aws.found.io$abc$def".
        let id = format!("label:{}", STANDARD.encode("us-east-1.aws.found.io$abc$def"));
        assert_eq!(host(&id).unwrap(), "https://abc.us-east-1.aws.found.io:443");
        let id = STANDARD.encode("host:9243$abc:9244$def");
        assert_eq!(host(&id).unwrap(), "https://abc.host:9244");
        // Of CloudSettingIdTest.java: without a label, and without padding.
        let plain = "dXMtZWFzdC0xLmF3cy5mb3VuZC5pbyRub3RhcmVhbCRpZGVudGlmaWVy";
        assert_eq!(host(plain).unwrap(), "https://notareal.us-east-1.aws.found.io:443");
        let id = format!("my:{}", STANDARD.encode("h$ab$k").trim_end_matches('='));
        assert_eq!(host(&id).unwrap(), "https://ab.h:443");
        assert!(host("label:no base64").is_err());
        assert!(host(&STANDARD.encode("host$undefined$k")).is_err());
    }
}
