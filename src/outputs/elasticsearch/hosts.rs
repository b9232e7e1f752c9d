//! Where the servers are: the options `hosts`, `cloud_id`, `path` and what follows from them (`http_client.rb`,
//! `host_to_url`).

use percent_encoding::percent_decode_str;
use reqwest::Url;

use crate::elasticsearch::cloud;
use crate::plugin::Password;

/// The port of servers that name none, with TLS too.
const DEFAULT_PORT: u16 = 9200;

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

/// `cloud_auth`: `user:password`.
///
/// # Errors
/// What is wrong with it, without showing it.
pub fn cloud_login(cloud_auth: &Password) -> Result<Login, String> {
    let (user, password) = cloud::credentials(cloud_auth.reveal()).ok_or("user:password is expected")?;
    Ok(Login { user: user.to_owned(), password: Password::new(password) })
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
    fn logins_of_clouds() {
        assert!(cloud_login(&Password::new("elastic")).is_err());
        assert_eq!(cloud_login(&Password::new("u:p:w")).unwrap().password.reveal(), "p:w");
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
