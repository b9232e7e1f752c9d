//! The options `cloud_id` and `cloud_auth` (`cloud_setting_id.rb`, `cloud_setting_auth.rb` of Logstash).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The URL of the deployment that an id such as `label:ZXhhbXBsZS5jb20kZXMka2I=` names.
///
/// # Errors
/// What is wrong with the id.
pub fn host(id: &str) -> Result<String, String> {
    let encoded = id.rsplit_once(':').map_or(id, |(_, encoded)| encoded);
    let decoded = STANDARD.decode(encoded.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let decoded = decoded.ok_or("it is no id as Elastic Cloud's console shows it")?;
    let mut parts = decoded.split('$');
    let (Some(domain), Some(node)) = (parts.next(), parts.next()) else {
        return Err("it does not name a deployment of Elasticsearch".into());
    };
    if domain.is_empty() || node.is_empty() || node == "undefined" {
        return Err("it does not name a deployment of Elasticsearch".into());
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
}
