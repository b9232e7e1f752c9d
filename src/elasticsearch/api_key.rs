//! The option `api_key`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::plugin::Password;

/// The value for `Authorization: ApiKey` (`http_client_builder.rb`, `resolve_api_key`): base64 and keys of a cloud as they
/// are, `id:key` in base64.
///
/// # Errors
/// What is wrong with it, without showing it.
pub fn api_key(key: &Password) -> Result<Password, String> {
    let text = key.reveal();
    let is_base64 = STANDARD.decode(text).is_ok_and(|bytes| STANDARD.encode(bytes) == text);
    if is_base64 || text.strip_prefix("essu_").is_some_and(|rest| !rest.is_empty()) {
        return Ok(key.clone());
    }
    match text.split_once(':') {
        Some((id, secret)) if !id.is_empty() && !secret.is_empty() && !secret.contains(':') => {
            Ok(Password::new(STANDARD.encode(text)))
        }
        _ => Err("it is neither id:key, nor base64 of that, nor a cloud's key (essu_...)".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_keys() {
        let resolved = |key: &str| api_key(&Password::new(key)).map(|key| key.reveal().to_owned());
        assert_eq!(resolved("id:key").unwrap(), STANDARD.encode("id:key"));
        assert_eq!(resolved("aWQ6a2V5").unwrap(), "aWQ6a2V5");
        assert_eq!(resolved("essu_x").unwrap(), "essu_x");
        assert!(!resolved("a secret").unwrap_err().contains("secret"));
    }
}
