//! Filter `memcached`: reads fields from memcached and writes fields to it (logstash-filter-memcached).
//!
//! Keys, servers and values are those of the gem Dalli, so that a cache can be shared with Logstash.

mod marshal;
mod server;

use std::time::{SystemTime, UNIX_EPOCH};

use crate::event::{Event, FieldReference, SetError, SprintfError, Template};
use crate::plugin::{Build, Emit, Example, Filter, Kind, OptionReader, Outcome, Pairs, Spec, options};

use marshal::MarshalError;
use server::{CacheError, Servers};

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "memcached",
    summary: "Reads fields from memcached and writes fields to it.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter {
  memcached {
    # Nobody listens here; a real server's value would be in [user][name].
    hosts => ["127.0.0.1:9"]
    get => { "user:%{id}" => "[user][name]" }
  }
}"#,
        input: &[r#"{"id":7}"#],
        output: &[r#"{"id":7,"tags":["_memcached_failure"]}"#],
    },
    build: Build::Filter(|reader| Some(Box::new(Memcached::build(reader)?))),
};

options! {
    struct Options {
        /// Servers: `host`, `host:port`, `host:port:weight`, or the path of a socket. Keys are spread over them.
        hosts: Vec<String> = ["localhost"],
        /// Prefix of all keys, with a colon behind it.
        namespace: Option<String>,
        /// Keys to read, and the fields that take their values. Keys may hold `%{...}`.
        get: Pairs = {},
        /// Fields to write, and the keys for their values. Keys may hold `%{...}`.
        set: Pairs = {},
        /// Seconds after which written values expire. 0: never.
        ttl: i64 = 0,
        /// Tag added when the server cannot be asked.
        tag_on_failure: String = "_memcached_failure",
    }
}

/// The longest key that memcached takes.
const MAX_KEY: usize = 250;
/// Longer times are points in time for memcached, so Dalli makes them such.
const MAX_RELATIVE_TTL: i64 = 30 * 24 * 60 * 60;

struct Memcached {
    servers: Servers,
    namespace: Option<String>,
    get: Vec<(Template, FieldReference)>,
    set: Vec<(FieldReference, Template)>,
    ttl: i64,
    tag_on_failure: String,
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Sprintf(#[from] SprintfError),
    #[error("a key is empty")]
    EmptyKey,
    #[error(transparent)]
    Cache(#[from] CacheError),
    #[error("the value of key {0:?}: {1}")]
    Value(String, MarshalError),
    #[error(transparent)]
    Set(#[from] SetError),
}

impl Memcached {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let options = Options::read(reader)?;
        if options.ttl < 0 {
            reader.error("ttl", "it cannot be negative");
        }
        if options.hosts.is_empty() {
            reader.error("hosts", "it cannot be empty");
        }
        let mut get = Vec::new();
        for (key, field) in options.get.iter() {
            match FieldReference::parse(&field.scalar_text().unwrap_or_default()) {
                Ok(field) => get.push((Template::parse(key), field)),
                Err(_) => reader.error("get", format!("\"{key}\" needs the name of a field")),
            }
        }
        let mut set = Vec::new();
        for (field, key) in options.set.iter() {
            match (FieldReference::parse(field), key.scalar_text()) {
                (Ok(field), Some(key)) => set.push((field, Template::parse(&key))),
                (Err(_), _) => reader.error("set", format!("\"{field}\" is not a field reference")),
                (_, None) => reader.error("set", format!("\"{field}\" needs a key")),
            }
        }
        let connections = u32::try_from(reader.context.workers).unwrap_or(u32::MAX).max(1);
        let servers = match Servers::new(&options.hosts, connections) {
            Ok(servers) => servers,
            Err(reason) => {
                reader.error("hosts", reason);
                return None;
            }
        };
        Some(Memcached {
            servers,
            namespace: options.namespace.filter(|namespace| !namespace.is_empty()),
            get,
            set,
            ttl: options.ttl,
            tag_on_failure: options.tag_on_failure,
        })
    }

    /// The key as memcached knows it (`Dalli::KeyManager`).
    fn key(&self, template: &Template, event: &Event) -> Result<String, Failure> {
        let key = template.render(event)?;
        if key.is_empty() {
            return Err(Failure::EmptyKey);
        }
        let key = match &self.namespace {
            Some(namespace) => format!("{namespace}:{key}"),
            None => key,
        };
        Ok(if key.len() > MAX_KEY { shortened(&key, self.namespace.is_some()) } else { key })
    }

    fn write(&self, event: &Event) -> Result<bool, Failure> {
        let mut any = false;
        for (field, key) in &self.set {
            let Some(value) = event.get(field).filter(|value| !value.is_null()) else { continue };
            self.servers.set(&self.key(key, event)?, marshal::store(value), self.expiration())?;
            any = true;
        }
        Ok(any)
    }

    /// Whether any key was found.
    fn read(&self, event: &mut Event) -> Result<bool, Failure> {
        if self.get.is_empty() {
            return Ok(false);
        }
        let mut keys = Vec::with_capacity(self.get.len());
        for (key, field) in &self.get {
            keys.push((self.key(key, event)?, field));
        }
        let names: Vec<&str> = keys.iter().map(|(key, _)| key.as_str()).collect();
        let mut found = self.servers.get(&names)?;
        let mut any = false;
        for (key, field) in &keys {
            let Some(stored) = found.remove(key) else { continue };
            let value = marshal::retrieve(stored).map_err(|error| Failure::Value(key.clone(), error))?;
            if value.is_null() {
                continue;
            }
            event.assign(field, value)?;
            any = true;
        }
        Ok(any)
    }

    fn expiration(&self) -> u32 {
        let mut expiration = self.ttl;
        if expiration > MAX_RELATIVE_TTL {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            let now = i64::try_from(now).unwrap_or(i64::MAX);
            if expiration <= now {
                expiration = expiration.saturating_add(now);
            }
        }
        u32::try_from(expiration).unwrap_or(u32::MAX)
    }
}

/// The beginning of a key that is too long, and a digest of all of it.
fn shortened(key: &str, with_namespace: bool) -> String {
    use md5::{Digest, Md5};
    let digest: String = Md5::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let target = if with_namespace { MAX_KEY } else { MAX_KEY - 1 };
    let separator = ":md5:";
    let prefix: String = key.chars().take(target - separator.len() - digest.len()).collect();
    format!("{prefix}{separator}{digest}")
}

impl Filter for Memcached {
    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        let done = self.write(event).and_then(|written| Ok((written, self.read(event)?)));
        match done {
            Ok((false, false)) => Outcome::Unmatched,
            Ok(_) => Outcome::Matched,
            Err(error) => {
                tracing::error!(%error, "memcached cannot be asked");
                event.tag(&self.tag_on_failure);
                Outcome::Failed
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::testkit;

    #[test]
    fn keys_that_are_too_long_end_in_a_digest() {
        let key = "k".repeat(300);
        let short = shortened(&key, false);
        assert_eq!(short.len(), 249);
        // md5sum of 300 times the letter k.
        assert!(short.ends_with(":md5:5a69e4537adaa28f65c3e6cc605b46dd"), "{short}");
        assert_eq!(shortened(&key, true).len(), 250);
    }

    #[test]
    fn what_cannot_work_is_refused() {
        for options in [
            "ttl => -1",
            "hosts => []",
            "hosts => [\"a:b:c:d\"]",
            "get => { \"k\" => \"[a\" }",
            "set => { \"[a\" => \"k\" }",
        ] {
            let config = format!("filter {{ memcached {{ {options} }} }}");
            assert!(testkit::filter(&config, &testkit::context()).is_err(), "{options}");
        }
    }

    #[test]
    fn without_keys_nobody_is_asked() {
        let config = "filter { memcached { hosts => [\"127.0.0.1:1\"] set => { \"missing\" => \"k\" } } }";
        let filter = testkit::filter(config, &testkit::context()).unwrap();
        let mut event = testkit::event(r#"{"a":1}"#);
        assert_eq!(filter.filter(&mut event, &mut Emit::default()), Outcome::Unmatched);
        assert_eq!(testkit::fields(&event), r#"{"a":1}"#);
    }
}
