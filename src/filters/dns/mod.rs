//! Filter `dns`: looks up addresses of names and names of addresses (logstash-filter-dns).

mod hosts;
mod resolver;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use hickory_resolver::proto::rr::Name;

use super::kept::Kept;
use crate::event::{Event, FieldReference, SetError, Text, Value};
use crate::plugin::{
    Build, ConfigKind, ConfigValue, Emit, Example, Filter, Kind, OptionReader, Outcome, Spec, choices,
    options,
};

use hosts::Hosts;
use resolver::{ResolveError, Resolver, Servers};

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "dns",
    summary: "Looks up addresses of names and names of addresses.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter { dns { resolve => ["host"] action => "replace" hit_cache_size => 1000 } }"#,
        // An address is its own: no server is asked.
        input: &[r#"{"host":"192.0.2.1"}"#],
        output: &[r#"{"host":"192.0.2.1"}"#],
    },
    build: Build::Filter(|reader| Some(Box::new(Dns::build(reader)?))),
};

choices! {
    pub enum Action {
        Append = "append",
        Replace = "replace",
    }
}

options! {
    #[derive(Debug)]
    struct Options {
        /// Fields with addresses whose names to look up.
        reverse: Option<Vec<FieldReference>>,
        /// Fields with names whose addresses to look up. They come before `reverse`.
        resolve: Option<Vec<FieldReference>>,
        /// Whether the answer replaces what was asked for, or both stand in an array.
        action: Action = "append",
        /// Name servers to ask instead of the machine's: addresses, with `:port` where it is not 53; or a hash with
        /// `address`, `search` (domains to try names in) and `ndots`.
        nameserver: Option<ConfigValue>,
        /// Seconds to wait for the answer of a server.
        timeout: f64 = 0.5,
        /// How often to ask again when no answer came in time.
        max_retries: u32 = 2,
        /// How many answers to keep; 0 for none.
        hit_cache_size: usize = 0,
        /// Seconds to keep answers for.
        hit_cache_ttl: f64 = 60,
        /// How many questions without answer to remember; 0 for none.
        failed_cache_size: usize = 0,
        /// Seconds to remember them for.
        failed_cache_ttl: f64 = 5,
        /// Files in the format of `/etc/hosts`, asked before that file. With them alone no server is asked.
        hostsfile: Option<Vec<PathBuf>>,
        /// Tags added when no answer came in time.
        tag_on_timeout: Vec<String> = ["_dnstimeout"],
    }
}

#[derive(Debug)]
struct Dns {
    resolve: Vec<FieldReference>,
    reverse: Vec<FieldReference>,
    action: Action,
    resolver: Resolver,
    hits: Option<Kept<Text>>,
    failures: Option<Kept<()>>,
    tag_on_timeout: Vec<String>,
}

/// What is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question {
    Address,
    Name,
}

/// Why a field's question has no answer. Nothing more is asked for the event then.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("cannot look up {0}")]
    Value(&'static str),
    #[error("it could not be looked up a short while ago")]
    Remembered,
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    #[error(transparent)]
    Set(#[from] SetError),
}

impl Dns {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let options = Options::read(reader)?;
        let Ok(timeout) = Duration::try_from_secs_f64(options.timeout) else {
            reader.error("timeout", "expected a number of seconds");
            return None;
        };
        let given = match &options.nameserver {
            Some(value) => Some(nameservers(value).map_err(|error| reader.error("nameserver", error)).ok()?),
            None => None,
        };
        let servers = match (given, &options.hostsfile) {
            (Some(servers), _) => servers,
            (None, None) => Some(Servers::System),
            (None, Some(_)) => None,
        };
        let mut hosts = Vec::new();
        for path in options.hostsfile.iter().flatten() {
            match std::fs::read(path) {
                Ok(bytes) => hosts.push(Hosts::parse(&String::from_utf8_lossy(&bytes))),
                Err(error) => {
                    reader.error("hostsfile", format!("{}: {error}", path.display()));
                    return None;
                }
            }
        }
        // A machine need not have one.
        let own = std::fs::read("/etc/hosts").unwrap_or_default();
        hosts.push(Hosts::parse(&String::from_utf8_lossy(&own)));
        Some(Dns {
            resolve: options.resolve.unwrap_or_default(),
            reverse: options.reverse.unwrap_or_default(),
            action: options.action,
            resolver: Resolver::new(hosts, servers, timeout, options.max_retries),
            hits: Kept::new(options.hit_cache_size, life(options.hit_cache_ttl)),
            failures: Kept::new(options.failed_cache_size, life(options.failed_cache_ttl)),
            tag_on_timeout: options.tag_on_timeout,
        })
    }

    /// Asks for a field and sets the answer. A field that is missing is passed over.
    fn look_up(&self, event: &mut Event, field: &FieldReference, question: Question) -> Result<(), Failure> {
        let value = match event.get(field) {
            None | Some(Value::Null) => {
                tracing::warn!(%field, "a dns filter could not look up a missing field");
                return Ok(());
            }
            Some(Value::Array(items)) if items.len() > 1 => return Err(Failure::Value("several values")),
            Some(Value::Array(items)) => items.first().unwrap_or(&Value::Null),
            Some(value) => value,
        };
        let Value::Str(asked) = value else { return Err(Failure::Value("what is no text")) };
        let answer = Value::Str(self.answer(asked, question)?);
        match (event.get_mut(field), self.action) {
            (Some(Value::Array(items)), Action::Append) => items.push(answer),
            (Some(Value::Array(items)), Action::Replace) => *items = vec![answer],
            (_, Action::Replace) => event.assign(field, answer)?,
            (asked, Action::Append) => {
                let both = vec![asked.map(std::mem::take).unwrap_or_default(), answer];
                event.assign(field, both)?;
            }
        }
        Ok(())
    }

    fn answer(&self, asked: &str, question: Question) -> Result<Text, Failure> {
        let address = match question {
            Question::Name => {
                Some(asked.parse::<IpAddr>().map_err(|_| Failure::Value("what is no address"))?)
            }
            Question::Address => None,
        };
        if self.failures.as_ref().is_some_and(|failures| failures.get(asked).is_some()) {
            return Err(Failure::Remembered);
        }
        if let Some(answer) = self.hits.as_ref().and_then(|hits| hits.get(asked)) {
            return Ok(answer);
        }
        let answer = match address {
            Some(address) => self.resolver.name(address, asked),
            None => self.resolver.address(asked),
        };
        match answer {
            Ok(answer) => {
                let answer = Text::from(answer);
                if let Some(hits) = &self.hits {
                    hits.insert(asked, answer.clone());
                }
                Ok(answer)
            }
            Err(error) => {
                if let (Some(failures), ResolveError::NotFound | ResolveError::Timeout) =
                    (&self.failures, &error)
                {
                    failures.insert(asked, ());
                }
                Err(error.into())
            }
        }
    }
}

/// A time to live in seconds; none at all for a number that is none.
fn life(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

/// The servers of the option: one address, an array of some, or a hash. An empty array means none.
fn nameservers(value: &ConfigValue) -> Result<Option<Servers>, String> {
    let texts = |value: &ConfigValue| -> Result<Vec<String>, String> {
        let texts: Option<Vec<_>> = value.as_list().iter().map(ConfigValue::scalar_text).collect();
        texts.ok_or_else(|| format!("expected texts, got {}", value.describe()))
    };
    let (mut addresses, mut search, mut ndots) = (None, Vec::new(), 1);
    match &value.kind {
        ConfigKind::Hash(pairs) => {
            for (key, value) in pairs {
                match key.as_str() {
                    "address" => addresses = Some(texts(value)?),
                    "search" => search = texts(value)?,
                    "ndots" => {
                        let number = value.scalar_text().and_then(|text| text.parse().ok());
                        ndots =
                            number.filter(|ndots| *ndots > 0).ok_or("\"ndots\" must be a positive number")?;
                    }
                    other => {
                        return Err(format!("there is no \"{other}\"; there are: address, search, ndots"));
                    }
                }
            }
            if addresses.as_ref().is_none_or(Vec::is_empty) {
                return Err("the hash must have an \"address\"".into());
            }
        }
        _ => addresses = Some(texts(value)?),
    }
    let addresses: Vec<_> =
        addresses.iter().flatten().map(|text| socket_address(text)).collect::<Result<_, _>>()?;
    if search.len() > 6 {
        return Err("at most 6 domains can be searched".into());
    }
    let domain =
        |text: &String| Name::from_utf8(text).map_err(|error| format!("\"{text}\" is no domain: {error}"));
    let search = search.iter().map(domain).collect::<Result<_, _>>()?;
    Ok((!addresses.is_empty()).then_some(Servers::Given { addresses, search, ndots }))
}

fn socket_address(text: &str) -> Result<SocketAddr, String> {
    const PORT: u16 = 53;
    let address = text.parse::<IpAddr>().map(|address| SocketAddr::new(address, PORT));
    address.or_else(|_| text.parse()).map_err(|_| format!("\"{text}\" is no address of a name server"))
}

impl Filter for Dns {
    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        let resolve = self.resolve.iter().map(|field| (field, Question::Address));
        let reverse = self.reverse.iter().map(|field| (field, Question::Name));
        for (field, question) in resolve.chain(reverse) {
            match self.look_up(event, field, question) {
                Ok(()) => {}
                Err(Failure::Resolve(ResolveError::Timeout)) => {
                    tracing::debug!(%field, "no answer in time");
                    for tag in &self.tag_on_timeout {
                        event.tag(tag);
                    }
                    return Outcome::Failed;
                }
                Err(error @ Failure::Resolve(ResolveError::Other(_))) => {
                    tracing::error!(%field, %error, "could not look up a field");
                    return Outcome::Unmatched;
                }
                Err(Failure::Set(error)) => {
                    // Logstash stops the pipeline here.
                    tracing::warn!(%field, %error, "could not set the answer of a dns filter");
                    event.tag("_dnserror");
                    return Outcome::Failed;
                }
                Err(error @ Failure::Value(_)) if question == Question::Address => {
                    tracing::warn!(%field, %error, "a field is not looked up");
                    return Outcome::Unmatched;
                }
                Err(error) => {
                    tracing::debug!(%field, %error, "could not look up a field");
                    return Outcome::Unmatched;
                }
            }
        }
        Outcome::Matched
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::testkit;

    /// A filter that asks nothing but a list of hosts.
    fn filter(resolve: &[&str], reverse: &[&str], action: Action) -> Dns {
        let fields = |names: &[&str]| names.iter().map(|name| FieldReference::top_level(name)).collect();
        let hosts = vec![Hosts::parse("192.0.2.7 printer")];
        Dns {
            resolve: fields(resolve),
            reverse: fields(reverse),
            action,
            resolver: Resolver::new(hosts, None, Duration::from_secs(1), 0),
            hits: Kept::new(10, Duration::from_secs(60)),
            failures: Kept::new(10, Duration::from_secs(60)),
            tag_on_timeout: Vec::new(),
        }
    }

    fn run(filter: &Dns, value: Value) -> (Outcome, String) {
        let mut event = Event::new();
        event.data_mut().insert("f", value);
        let outcome = filter.filter(&mut event, &mut Emit::default());
        (outcome, testkit::fields(&event))
    }

    #[test]
    fn answers_are_appended_or_replace() {
        let append = filter(&["f"], &[], Action::Append);
        let replace = filter(&["f"], &[], Action::Replace);
        let reverse = filter(&[], &["f"], Action::Replace);
        let array = || Value::Array(vec!["printer".into()]);
        for (filter, value, expected) in [
            (&append, Value::from("printer"), r#"{"f":["printer","192.0.2.7"]}"#),
            (&append, array(), r#"{"f":["printer","192.0.2.7"]}"#),
            (&replace, Value::from("printer"), r#"{"f":"192.0.2.7"}"#),
            (&replace, array(), r#"{"f":["192.0.2.7"]}"#),
            (&reverse, Value::from("192.0.2.7"), r#"{"f":"printer"}"#),
            // A missing field is passed over.
            (&replace, Value::Null, r#"{"f":null}"#),
        ] {
            assert_eq!(run(filter, value), (Outcome::Matched, expected.to_owned()));
        }
    }

    #[test]
    fn what_has_no_answer_is_left_alone() {
        let resolve = filter(&["f"], &[], Action::Replace);
        let reverse = filter(&[], &["f"], Action::Replace);
        let several = Value::Array(vec!["printer".into(), "x".into()]);
        for (filter, value) in [
            (&resolve, Value::from("unknown")),
            (&resolve, Value::Int(5)),
            (&resolve, several),
            (&resolve, Value::Array(Vec::new())),
            (&reverse, Value::from("printer")),
            (&reverse, Value::from("192.0.2.8")),
        ] {
            let mut event = Event::new();
            event.data_mut().insert("f", value.clone());
            assert_eq!(filter.filter(&mut event, &mut Emit::default()), Outcome::Unmatched);
            assert_eq!(event.data().get("f"), Some(&value));
            assert!(!event.data().contains_key("tags"));
        }
        assert!(resolve.failures.as_ref().is_some_and(|failures| failures.get("unknown").is_some()));
    }

    #[test]
    fn name_servers_in_every_form() {
        let servers = |text: &str| {
            let value = crate::language::parse_value(text).map_err(|error| error.message)?;
            let environment = crate::plugin::Environment::new(|_| None);
            nameservers(&ConfigValue::new(&value, &environment, &mut Vec::new()))
        };
        let Ok(Some(Servers::Given { addresses, search, ndots })) = servers(
            r#"{ "address" => ["192.0.2.1", "[2001:db8::1]:5353"] "search" => "example.com" "ndots" => 2 }"#,
        ) else {
            panic!("the hash is right")
        };
        let addresses: Vec<_> = addresses.iter().map(SocketAddr::to_string).collect();
        assert_eq!(addresses, ["192.0.2.1:53", "[2001:db8::1]:5353"]);
        assert_eq!((search.len(), ndots), (1, 2));
        assert!(matches!(servers("[]"), Ok(None)));
        for (text, culprit) in [
            (r#""ns.example.com""#, "ns.example.com"),
            (r#"{ "search" => "a" }"#, "address"),
            (r#"{ "address" => "192.0.2.1" "port" => 5 }"#, "port"),
            (r#"{ "address" => "192.0.2.1" "ndots" => 0 }"#, "ndots"),
        ] {
            assert!(servers(text).is_err_and(|error| error.contains(culprit)), "{text}");
        }
    }
}
