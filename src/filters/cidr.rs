//! Filter `cidr`: tells whether addresses lie within networks (logstash-filter-cidr).

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use super::ip_range::IpRange;
use super::refresh::Refresh;
use crate::event::{Event, FieldReference, SprintfError, Template, Value};
use crate::plugin::{Build, Emit, Example, Filter, Kind, OptionReader, Outcome, Spec, options};

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "cidr",
    summary: "Matches events of which an address lies within one of the networks given.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter { cidr { address => ["%{ip}"] network => ["10.0.0.0/8", "fe80::/10"] add_tag => ["internal"] } }"#,
        input: &[r#"{"ip":"10.1.2.3"}"#, r#"{"ip":"8.8.8.8"}"#, r#"{"ip":"no address"}"#],
        output: &[
            r#"{"ip":"10.1.2.3","tags":["internal"]}"#,
            r#"{"ip":"8.8.8.8"}"#,
            r#"{"ip":"no address"}"#,
        ],
    },
    build: Build::Filter(|reader| Some(Box::new(Cidr::build(reader)?))),
};

options! {
    #[derive(Debug)]
    struct Options {
        /// Addresses to look up, which may hold `%{...}`.
        address: Vec<Template> = [],
        /// Field that holds the address or the addresses; instead of `address`.
        address_field: Option<FieldReference>,
        /// Networks such as `10.0.0.0/8`, which may hold `%{...}`; several in one text are separated by commas.
        network: Vec<Template> = [],
        /// File with the networks; instead of `network`.
        network_path: Option<PathBuf>,
        /// Seconds after which the file is read again.
        refresh_interval: f64 = 600,
        /// What separates the networks in the file.
        separator: String = "\n",
    }
}

/// The filter, with its fixed networks read.
#[derive(Debug)]
struct Cidr {
    addresses: Addresses,
    networks: Networks,
}

#[derive(Debug)]
enum Addresses {
    Field(FieldReference),
    Templates(Vec<Template>),
}

#[derive(Debug)]
enum Networks {
    Inline(Vec<Inline>),
    File(NetworkFile),
}

/// One element of the option network.
#[derive(Debug)]
enum Inline {
    Fixed(Vec<IpRange>),
    PerEvent(Template),
}

#[derive(Debug)]
struct NetworkFile {
    path: PathBuf,
    separator: String,
    refresh: Refresh,
    networks: RwLock<Arc<[IpRange]>>,
}

/// A file of networks that cannot be used.
#[derive(Debug, thiserror::Error)]
enum FileError {
    #[error("{}: {error}", path.display())]
    Read { path: PathBuf, error: std::io::Error },
    #[error("{}: there is no network in it; check the option separator", path.display())]
    Empty { path: PathBuf },
}

impl Cidr {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        reader.text_only(&["network_path"]);
        let options = Options::read(reader)?;
        let mut is_right = true;
        if options.address_field.is_some() && !options.address.is_empty() {
            reader.error("address_field", "it and \"address\" are mutually exclusive; remove one of them");
            is_right = false;
        }
        if options.network_path.is_some() && !options.network.is_empty() {
            reader.error("network_path", "it and \"network\" are mutually exclusive; remove one of them");
            is_right = false;
        }
        let networks = match options.network_path {
            None => Networks::Inline(options.network.into_iter().map(Inline::new).collect()),
            Some(path) => match read_networks(&path, &options.separator) {
                Ok(networks) => Networks::File(NetworkFile {
                    path,
                    separator: options.separator,
                    refresh: Refresh::every(options.refresh_interval),
                    networks: RwLock::new(networks),
                }),
                Err(error) => {
                    reader.error("network_path", error.to_string());
                    return None;
                }
            },
        };
        let addresses = match options.address_field {
            Some(field) => Addresses::Field(field),
            None => Addresses::Templates(options.address),
        };
        is_right.then_some(Cidr { addresses, networks })
    }

    fn matches(&self, event: &Event) -> Result<bool, SprintfError> {
        let addresses = self.addresses.of(event)?;
        if addresses.is_empty() {
            return Ok(false);
        }
        let hit = |network: &IpRange| addresses.iter().any(|address| network.contains(*address));
        match &self.networks {
            Networks::File(file) => Ok(file.current().iter().any(hit)),
            Networks::Inline(elements) => {
                for element in elements {
                    let is_hit = match element {
                        Inline::Fixed(networks) => networks.iter().any(hit),
                        Inline::PerEvent(template) => parse_list(&template.render(event)?).iter().any(hit),
                    };
                    if is_hit {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }
}

impl Addresses {
    fn of(&self, event: &Event) -> Result<Vec<IpRange>, SprintfError> {
        match self {
            Addresses::Field(field) => Ok(match event.get(field) {
                Some(Value::Array(items)) => items.iter().filter_map(address).collect(),
                None | Some(Value::Null) => Vec::new(),
                Some(value) => address(value).into_iter().collect(),
            }),
            Addresses::Templates(templates) => {
                let mut addresses = Vec::with_capacity(templates.len());
                for template in templates {
                    addresses.extend(parse(&template.render(event)?, "address"));
                }
                Ok(addresses)
            }
        }
    }
}

impl Inline {
    fn new(template: Template) -> Self {
        match template.as_literal() {
            Some(networks) => Inline::Fixed(parse_list(networks)),
            None => Inline::PerEvent(template),
        }
    }
}

impl NetworkFile {
    /// The networks, read again when it is time. A file that cannot be used leaves those read before.
    fn current(&self) -> Arc<[IpRange]> {
        if self.refresh.is_due() {
            match read_networks(&self.path, &self.separator) {
                Ok(networks) => {
                    *self.networks.write().unwrap_or_else(PoisonError::into_inner) = networks;
                }
                Err(error) => {
                    tracing::error!(%error, "could not read the networks again, keeping the old ones")
                }
            }
        }
        Arc::clone(&self.networks.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn address(value: &Value) -> Option<IpRange> {
    match value {
        Value::Str(text) => parse(text, "address"),
        other => {
            tracing::warn!(kind = other.kind(), "invalid IP address, skipping");
            None
        }
    }
}

/// An address or a network; a text that is none is skipped with a line in the log.
fn parse(text: &str, what: &str) -> Option<IpRange> {
    IpRange::parse(text).inspect_err(|error| tracing::warn!(%error, "invalid IP {what}, skipping")).ok()
}

/// Networks separated by commas, with white space around them. Nothing is said of empty ones at the end.
fn parse_list(text: &str) -> Vec<IpRange> {
    let text = text.trim_end_matches(',');
    if text.is_empty() {
        return Vec::new();
    }
    text.split(',').filter_map(|network| parse(network.trim(), "network")).collect()
}

fn read_networks(path: &PathBuf, separator: &str) -> Result<Arc<[IpRange]>, FileError> {
    let bytes = std::fs::read(path).map_err(|error| FileError::Read { path: path.to_owned(), error })?;
    let text = String::from_utf8_lossy(&bytes);
    let networks: Vec<&str> = match separator {
        // Ruby's split: a space stands for any white space.
        " " => text.split_ascii_whitespace().collect(),
        separator => text.split(separator).collect(),
    };
    let end = networks.iter().rposition(|network| !network.is_empty());
    let named = networks.get(..end.map_or(0, |end| end + 1)).unwrap_or_default();
    if named.is_empty() {
        return Err(FileError::Empty { path: path.to_owned() });
    }
    Ok(named.iter().filter_map(|network| parse(network, "network")).collect())
}

impl Filter for Cidr {
    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        match self.matches(event) {
            Ok(true) => Outcome::Matched,
            Ok(false) => Outcome::Unmatched,
            Err(error) => {
                // Logstash stops the pipeline here.
                tracing::warn!(%error, "could not tell the addresses or networks of a cidr filter");
                event.tag("_cidrerror");
                Outcome::Failed
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(text: &str) -> Vec<String> {
        parse_list(text).iter().map(IpRange::to_string).collect()
    }

    #[test]
    fn lists_are_split_as_in_ruby() {
        assert_eq!(ranges("10.0.0.0/8 , ::1,,"), ["10.0.0.0", "::1"]);
        assert_eq!(ranges("nonsense,1.2.3.4"), ["1.2.3.4"]);
        assert_eq!(ranges(""), [""; 0]);
    }

    #[test]
    fn a_file_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("networks");
        std::fs::write(&path, "10.0.0.0/8\nnonsense\n").unwrap();
        let filter = Cidr {
            addresses: Addresses::Field(FieldReference::top_level("ip")),
            networks: Networks::File(NetworkFile {
                networks: RwLock::new(read_networks(&path, "\n").unwrap()),
                path: path.clone(),
                separator: "\n".into(),
                refresh: Refresh::every(0.0),
            }),
        };
        let outcome = |ip: &str| {
            let mut event = Event::new();
            event.data_mut().insert("ip", Value::Array(vec![Value::Int(1), ip.into()]));
            filter.filter(&mut event, &mut Emit::default())
        };
        assert_eq!(outcome("10.1.1.1"), Outcome::Matched);
        std::fs::write(&path, "192.168.0.0/16\n").unwrap();
        assert_eq!(outcome("10.1.1.1"), Outcome::Unmatched);
        assert_eq!(outcome("192.168.1.1"), Outcome::Matched);
        // An empty file, or none, leaves what there was.
        std::fs::write(&path, "").unwrap();
        assert_eq!(outcome("192.168.1.1"), Outcome::Matched);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(outcome("192.168.1.1"), Outcome::Matched);
    }
}
