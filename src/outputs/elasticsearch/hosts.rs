//! Where the servers are: the options `hosts`, `cloud_id`, `path` and what follows from them (`http_client.rb`,
//! `host_to_url`).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use percent_encoding::percent_decode_str;
use reqwest::Url;

use crate::plugin::Password;

/// The port of servers that name none, with TLS too.
const DEFAULT_PORT: u16 = 9200;
/// The port of clouds that name none.
const CLOUD_PORT: &str = "443";

/// User and password for basic authentication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    pub user: String,
    pub password: Password,
}

/// A server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// `https://name:9200`
    pub origin: String,
    /// The path in its URL, without a slash at its end.
    pub path: String,
    /// The query in its URL, without the question mark.
    pub query: String,
    pub login: Option<Login>,
}

impl Host {
    /// The same with another address, as the cluster's own list gives it: `10.0.0.1:9200` or `name/10.0.0.1:9200`.
    pub fn at(&self, address: &str) -> Option<Host> {
        let (name, address) = match address.split_once('/') {
            Some((name, address)) => (name, address),
            None => ("", address),
        };
        let (ip, port) = address.rsplit_once(':')?;
        let port: u16 = port.parse().ok()?;
        let (scheme, _) = self.origin.split_once("://")?;
        let name = if name.is_empty() { ip } else { name };
        Some(Host { origin: format!("{scheme}://{name}:{port}"), ..self.clone() })
    }
}

impl std::fmt::Display for Host {
    /// The address without login and query.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.origin, self.path)
    }
}

/// A host as the config names it; the scheme only where it does.
struct Named {
    encrypted: Option<bool>,
    name: String,
    port: Option<u16>,
    path: String,
    query: String,
    login: Option<Login>,
}

/// Reads one of `hosts`: a URL, `//name`, `name:port` or `name`. The error never shows a password.
fn parse(text: &str) -> Result<Named, String> {
    let (encrypted, rest) = match text.split_once("://") {
        Some(("http", rest)) => (Some(false), rest),
        Some(("https", rest)) => (Some(true), rest),
        Some((scheme, _)) => return Err(format!("\"{scheme}://\" is not possible, use http or https")),
        None => (None, text.strip_prefix("//").unwrap_or(text)),
    };
    // A scheme without a port of its own, so that a written :80 is seen.
    let url = Url::parse(&format!("host://{rest}"))
        .map_err(|error| format!("a host cannot be read as a URL: {error}"))?;
    let name = url.host_str().filter(|name| !name.is_empty()).ok_or("a host has no name")?.to_owned();
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let login = url
        .password()
        .map(|password| Login { user: decoded(url.username()), password: Password::new(decoded(password)) });
    Ok(Named {
        encrypted,
        name,
        port: url.port(),
        path: url.path().trim_end_matches('/').to_owned(),
        query: url.query().unwrap_or_default().to_owned(),
        login,
    })
}

/// What applies to all hosts.
pub struct Common<'o> {
    /// `ssl_enabled`
    pub encrypted: Option<bool>,
    pub login: Option<&'o Login>,
    pub sniffing: bool,
}

/// Reads `hosts`. All of them are reached in the same way: with TLS or all without. What the first one names (port, path,
/// login) is what others have that do not name it themselves.
///
/// # Errors
/// What is wrong, for a person; without passwords.
pub fn resolve(texts: &[String], common: &Common<'_>) -> Result<Vec<Host>, String> {
    let texts = texts.iter().flat_map(|text| text.split_whitespace());
    let named: Vec<Named> = texts.map(parse).collect::<Result<_, _>>()?;
    let schemes: Vec<bool> = named.iter().filter_map(|host| host.encrypted).collect();
    let encrypted = match (common.encrypted, schemes.first()) {
        (Some(wanted), _) if schemes.iter().any(|scheme| *scheme != wanted) => {
            let scheme = if wanted { "http" } else { "https" };
            return Err(format!("ssl_enabled is {wanted}, but a host begins with {scheme}://"));
        }
        (Some(wanted), _) => wanted,
        (None, Some(first)) if schemes.iter().any(|scheme| scheme != first) => {
            return Err("some begin with http:// and some with https://: use one of them for all".into());
        }
        (None, first) => first.copied().unwrap_or(false),
    };
    let scheme = if encrypted { "https" } else { "http" };
    let first = named.first().ok_or("there is none")?;
    let (port, path) = (first.port.unwrap_or(DEFAULT_PORT), first.path.clone());
    let login = match (&first.login, common.login) {
        (Some(own), Some(general)) if own != general => {
            return Err("a host has another user or password than the options user and password".into());
        }
        (own, general) => own.clone().or_else(|| general.cloned()),
    };
    let hosts: Vec<Host> = named
        .into_iter()
        .map(|host| Host {
            origin: format!("{scheme}://{}:{}", host.name, host.port.unwrap_or(port)),
            path: if host.path.is_empty() { path.clone() } else { host.path },
            query: host.query,
            login: host.login.or_else(|| login.clone()),
        })
        .collect();
    match hosts.split_first() {
        None => Err("there is none".into()),
        Some((first, others)) if common.sniffing => {
            let same = |other: &Host| {
                (&first.path, &first.query, &first.login) == (&other.path, &other.query, &other.login)
            };
            if others.iter().all(same) {
                Ok(hosts)
            } else {
                Err("with sniffing, all hosts need the same path, query, user and password".into())
            }
        }
        Some(_) => Ok(hosts),
    }
}

/// The host that a `cloud_id` stands for (`CloudSettingId.java`): `label:` and base64 of `host$elasticsearch$kibana`.
///
/// # Errors
/// What is wrong with it.
pub fn of_cloud(cloud_id: &str) -> Result<String, String> {
    let encoded = cloud_id.rsplit_once(':').map_or(cloud_id, |(_, encoded)| encoded);
    // Java's decoder takes the alphabet for URLs, and needs no padding.
    let standard: String = encoded.trim().trim_end_matches('=').replace('-', "+").replace('_', "/");
    let decoded = STANDARD_NO_PAD.decode(standard).map_err(|_| "it is not base64 behind the label")?;
    let decoded = String::from_utf8(decoded).map_err(|_| "it does not hold text")?;
    let mut parts = decoded.split('$');
    let (host, cluster) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if host.is_empty() || cluster.is_empty() || cluster == "undefined" {
        return Err("it names no Elasticsearch: host$cluster$... is expected in it".into());
    }
    let (host, host_port) = host.split_once(':').unwrap_or((host, CLOUD_PORT));
    let (cluster, port) = cluster.split_once(':').unwrap_or((cluster, host_port));
    Ok(format!("https://{cluster}.{host}:{port}"))
}

/// `cloud_auth`: `user:password`.
///
/// # Errors
/// What is wrong with it, without showing it.
pub fn cloud_login(cloud_auth: &Password) -> Result<Login, String> {
    match cloud_auth.reveal().split_once(':') {
        Some((user, password)) if !user.is_empty() && !password.is_empty() => {
            Ok(Login { user: user.to_owned(), password: Password::new(password) })
        }
        _ => Err("user:password is expected".into()),
    }
}

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

/// A path with one slash before it, none behind it, and none doubled; empty for the root.
pub fn path_of(text: &str) -> String {
    let (path, query) = text.split_once('?').map_or((text, None), |(path, query)| (path, Some(query)));
    let mut out = String::with_capacity(text.len() + 1);
    for part in path.split('/').filter(|part| !part.is_empty()) {
        out.push('/');
        out.push_str(part);
    }
    if let Some(query) = query {
        out.push('?');
        out.push_str(query);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(texts: &[&str], encrypted: Option<bool>) -> Result<Vec<String>, String> {
        let texts: Vec<String> = texts.iter().map(|text| text.to_string()).collect();
        let hosts = resolve(&texts, &Common { encrypted, login: None, sniffing: false })?;
        Ok(hosts.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn hosts_are_written_in_many_ways() {
        assert_eq!(
            hosts(&["//127.0.0.1", "es1", "es2:9201 http://es3:80/x/", "http://u:p@es4"], None).unwrap(),
            [
                "http://127.0.0.1:9200",
                "http://es1:9200",
                "http://es2:9201",
                "http://es3:80/x",
                "http://es4:9200"
            ]
        );
        assert_eq!(hosts(&["https://a", "b"], None).unwrap(), ["https://a:9200", "https://b:9200"]);
        assert_eq!(hosts(&["[::1]:9201"], Some(true)).unwrap(), ["https://[::1]:9201"]);
        assert!(hosts(&["http://a", "https://b"], None).is_err());
        assert!(hosts(&["http://a"], Some(true)).is_err());
        assert!(hosts(&["ftp://a"], None).is_err());
        assert!(hosts(&[], None).is_err());
    }

    /// As `calculate_property` and `host_to_url` of `http_client.rb` have it.
    #[test]
    fn the_first_host_says_what_the_others_leave_open() {
        let found = hosts(&["http://a:9201/es", "b", "http://c:9202/other"], None).unwrap();
        assert_eq!(found, ["http://a:9201/es", "http://b:9201/es", "http://c:9202/other"]);
        let texts = ["http://u:p@a", "http://b", "http://x:y@c"].map(str::to_owned);
        let found = resolve(&texts, &Common { encrypted: None, login: None, sniffing: false }).unwrap();
        let users: Vec<_> = found.iter().map(|host| host.login.as_ref().unwrap().user.as_str()).collect();
        assert_eq!(users, ["u", "u", "x"]);
    }

    #[test]
    fn logins_of_urls_are_decoded_and_hidden() {
        let texts = ["http://us%40er:p%3Aw@es".to_owned()];
        let hosts = resolve(&texts, &Common { encrypted: None, login: None, sniffing: false }).unwrap();
        let login = hosts[0].login.as_ref().unwrap();
        assert_eq!((login.user.as_str(), login.password.reveal()), ("us@er", "p:w"));
        assert!(!format!("{hosts:?}").contains("p:w"));
        let other = Login { user: "x".into(), password: Password::new("y") };
        assert!(resolve(&texts, &Common { encrypted: None, login: Some(&other), sniffing: false }).is_err());
    }

    #[test]
    fn clouds() {
        // Of the documentation: "us-east-1.aws.found.io$abc$def".
        let id = format!("label:{}", STANDARD.encode("us-east-1.aws.found.io$abc$def"));
        assert_eq!(of_cloud(&id).unwrap(), "https://abc.us-east-1.aws.found.io:443");
        let id = STANDARD.encode("host:9243$abc:9244$def");
        assert_eq!(of_cloud(&id).unwrap(), "https://abc.host:9244");
        // Of CloudSettingIdTest.java: without a label, and without padding.
        let plain = "dXMtZWFzdC0xLmF3cy5mb3VuZC5pbyRub3RhcmVhbCRpZGVudGlmaWVy";
        assert_eq!(of_cloud(plain).unwrap(), "https://notareal.us-east-1.aws.found.io:443");
        let id = format!("my:{}", STANDARD.encode("h$ab$k").trim_end_matches('='));
        assert_eq!(of_cloud(&id).unwrap(), "https://ab.h:443");
        assert!(of_cloud("label:no base64").is_err());
        assert!(of_cloud(&STANDARD.encode("host$undefined$k")).is_err());
        assert!(cloud_login(&Password::new("elastic")).is_err());
        assert_eq!(cloud_login(&Password::new("u:p:w")).unwrap().password.reveal(), "p:w");
    }

    #[test]
    fn api_keys() {
        let resolved = |key: &str| api_key(&Password::new(key)).map(|key| key.reveal().to_owned());
        assert_eq!(resolved("id:key").unwrap(), STANDARD.encode("id:key"));
        assert_eq!(resolved("aWQ6a2V5").unwrap(), "aWQ6a2V5");
        assert_eq!(resolved("essu_x").unwrap(), "essu_x");
        assert!(!resolved("a secret").unwrap_err().contains("secret"));
    }

    #[test]
    fn sniffed_addresses() {
        let host =
            Host { origin: "https://a:9200".into(), path: "/x".into(), query: String::new(), login: None };
        assert_eq!(host.at("10.0.0.1:9201").unwrap().to_string(), "https://10.0.0.1:9201/x");
        assert_eq!(host.at("es7/10.0.0.1:9201").unwrap().to_string(), "https://es7:9201/x");
        assert_eq!(host.at("[::1]:9201").unwrap().to_string(), "https://[::1]:9201/x");
        assert!(host.at("nonsense").is_none());
    }

    #[test]
    fn paths() {
        assert_eq!(path_of("es//sub/"), "/es/sub");
        assert_eq!(path_of("/"), "");
        assert_eq!(path_of("_bulk?pipeline=x"), "/_bulk?pipeline=x");
    }
}
