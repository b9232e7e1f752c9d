//! What kind of server answers: Elasticsearch or OpenSearch, and which version (`GET /`).

use serde::Deserialize;

/// Who made the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distribution {
    Elasticsearch,
    Opensearch,
}

/// A server's kind and version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    pub distribution: Distribution,
    /// As the server writes it: `8.15.0`.
    pub version: String,
    pub major: u32,
    minor: u32,
    flavour: String,
}

#[derive(Deserialize)]
struct Root {
    version: Version,
}

#[derive(Deserialize)]
struct Version {
    number: String,
    #[serde(default)]
    distribution: String,
    #[serde(default)]
    build_flavor: String,
}

impl Server {
    /// Reads the answer to `GET /`; `None` where it does not tell the version.
    pub fn read(body: &[u8]) -> Option<Server> {
        let Root { version } = serde_json::from_slice(body).ok()?;
        let distribution = match version.distribution.as_str() {
            "opensearch" => Distribution::Opensearch,
            _ => Distribution::Elasticsearch,
        };
        Server::new(distribution, version.number, version.build_flavor)
    }

    fn new(distribution: Distribution, version: String, flavour: String) -> Option<Server> {
        let mut parts = version.split(['.', '-']);
        let major = parts.next()?.parse().ok()?;
        let minor = parts.next().and_then(|minor| minor.parse().ok()).unwrap_or_default();
        Some(Server { distribution, version, major, minor, flavour })
    }

    /// A server that does not tell its version (`default_server_major_version`).
    pub fn assumed(major: u32) -> Server {
        Server {
            distribution: Distribution::Opensearch,
            version: format!("{major}.0.0"),
            major,
            minor: 0,
            flavour: String::new(),
        }
    }

    /// Whether documents may have a mapping type.
    pub fn knows_types(&self) -> bool {
        match self.distribution {
            Distribution::Elasticsearch => self.major <= 7,
            Distribution::Opensearch => self.major <= 1,
        }
    }

    pub fn has_data_streams(&self) -> bool {
        self.distribution == Distribution::Opensearch || (self.major, self.minor) >= (7, 9)
    }

    /// Whether index lifecycles are managed by policies of `_ilm`. OpenSearch has another way, and what Elasticsearch calls
    /// oss or serverless has none.
    pub fn has_lifecycles(&self) -> bool {
        self.distribution == Distribution::Elasticsearch && self.flavour != "oss" && !self.is_serverless()
    }

    pub fn is_serverless(&self) -> bool {
        self.flavour == "serverless"
    }

    /// Whether templates are composable by default.
    pub fn prefers_composable(&self) -> bool {
        self.distribution == Distribution::Opensearch || self.major >= 8
    }
}

impl std::fmt::Display for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.distribution {
            Distribution::Elasticsearch => write!(f, "Elasticsearch {}", self.version),
            Distribution::Opensearch => write!(f, "OpenSearch {}", self.version),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_tell_what_they_are() {
        let read = |version: &str| {
            Server::read(format!(r#"{{"name":"n","version":{{{version}}}}}"#).as_bytes()).unwrap()
        };
        let open = read(r#""distribution":"opensearch","number":"2.19.1""#);
        assert_eq!((open.distribution, open.major), (Distribution::Opensearch, 2));
        assert!(open.has_data_streams() && !open.has_lifecycles() && open.prefers_composable());
        let seven = read(r#""number":"7.8.1","build_flavor":"default""#);
        assert!(seven.knows_types() && !seven.has_data_streams() && seven.has_lifecycles());
        assert!(!seven.prefers_composable());
        assert!(!read(r#""number":"7.10.2","build_flavor":"oss""#).has_lifecycles());
        let nine = read(r#""number":"9.1.0-SNAPSHOT","build_flavor":"serverless""#);
        assert!(nine.is_serverless() && !nine.has_lifecycles() && !nine.knows_types());
        assert_eq!(Server::read(b"{}"), None);
        assert_eq!(Server::read(b""), None);
    }
}
