//! Codec `avro`: one Avro datum per message, without a container (logstash-codec-avro).
//!
//! The crate apache-avro parses schemas. Data is read and written here, because its reader allocates and recurses as
//! deeply as hostile data says.

mod fetch;
mod read;
mod schema;
#[cfg(test)]
mod tests;
mod tls;
mod write;

use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::event::{Event, FieldReference};
use crate::plugin::{Build, Codec, EncodeError, Example, Kind, Password, Spec, choices, options};

use self::fetch::Source;
use super::documents::recommend_target;
use super::target;
use super::text::Original;

/// The tag of what cannot be read.
const FAILURE_TAG: &str = "_avroparsefailure";

pub static SPEC: Spec = Spec {
    kind: Kind::Codec,
    name: "avro",
    summary: "Avro data of one schema, one datum per message.",
    options: AvroOptions::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[(
        "ssl_cipher_suites",
        "the suites of TLS 1.2 and 1.3 that are used are all safe, so there is none to choose; leave it out",
    )],
    default_codec: None,
    example: Example {
        config: r#"input { kafka { topics => ["a"] codec => avro { schema_uri => "http://registry:8081/schemas/ids/1" } } }"#,
        input: &[],
        output: &[],
    },
    build: Build::Codec(|reader| {
        let options = AvroOptions::read(reader)?;
        recommend_target(reader, options.target.as_ref());
        let schema = match Source::new(&options) {
            Ok(source) => source,
            Err((option, error)) => {
                reader.error(option, error);
                return None;
            }
        };
        Some(Box::new(Avro(Arc::new(Rules {
            schema,
            encoding: options.encoding,
            tag_on_failure: options.tag_on_failure,
            target: options.target,
            original: Original::new(reader.ecs()),
        }))))
    }),
};

choices! {
    /// How data is written as bytes.
    enum Encoding { Binary = "binary", Base64 = "base64" }
}

choices! {
    /// Whether the certificate of the server is checked.
    pub enum Verification { Full = "full", None = "none" }
}

choices! {
    /// The form of a key store or trust store.
    pub enum StoreType { Jks = "jks", Pkcs12 = "pkcs12" }
}

choices! {
    /// Versions of TLS.
    pub enum Protocol { Tls11 = "TLSv1.1", Tls12 = "TLSv1.2", Tls13 = "TLSv1.3" }
}

options! {
    struct AvroOptions {
        /// Whether data is bare, or text in base64.
        encoding: Encoding = "base64",
        /// The schema's file, or where to fetch it by http or https. It is fetched with the first message.
        schema_uri: String,
        /// Whether data that cannot be read becomes a tagged event in silence; without it there is an error in the log.
        tag_on_failure: bool = false,
        /// The field that gets the datum. Without it: the event itself.
        target: Option<FieldReference>,
        /// The proxy on the way to the schema.
        proxy: Option<String>,
        /// The user for the schema's server.
        username: Option<String>,
        /// The user's password.
        password: Option<Password>,
        /// Whether TLS is used, which https needs.
        ssl_enabled: Option<bool>,
        /// The client's certificate, as PEM.
        ssl_certificate: Option<PathBuf>,
        /// The key of the client's certificate, as PEM.
        ssl_key: Option<PathBuf>,
        /// The certificates of authorities to trust, in one PEM file.
        ssl_certificate_authorities: Option<Vec<PathBuf>>,
        /// Whether the server's certificate is checked. Default: full.
        ssl_verification_mode: Option<Verification>,
        /// A store with the client's certificate and its key.
        ssl_keystore_path: Option<PathBuf>,
        /// The key store's password.
        ssl_keystore_password: Option<Password>,
        /// The key store's form.
        ssl_keystore_type: Option<StoreType>,
        /// A store with certificates of authorities to trust.
        ssl_truststore_path: Option<PathBuf>,
        /// The trust store's password.
        ssl_truststore_password: Option<Password>,
        /// The trust store's form.
        ssl_truststore_type: Option<StoreType>,
        /// The versions of TLS that are used.
        ssl_supported_protocols: Option<Vec<Protocol>>,
    }
}

#[derive(Debug, Clone)]
struct Avro(Arc<Rules>);

#[derive(Debug)]
struct Rules {
    schema: Source,
    encoding: Encoding,
    tag_on_failure: bool,
    target: Option<FieldReference>,
    original: Original,
}

impl Rules {
    fn event_of(&self, bytes: &[u8]) -> Result<Event, String> {
        let decoded = match self.encoding {
            // What is not base64 is taken as it is.
            Encoding::Base64 => STANDARD.decode(bytes).ok(),
            Encoding::Binary => None,
        };
        let schema = self.schema.get()?;
        let datum = read::read(&schema, decoded.as_deref().unwrap_or(bytes))?;
        let mut event = target::event_of(datum, self.target.as_ref())?;
        self.original.keep(&mut event, &String::from_utf8_lossy(bytes)).map_err(|error| error.to_string())?;
        Ok(event)
    }
}

impl Codec for Avro {
    fn decode(&mut self, bytes: &[u8], emit: &mut dyn FnMut(Event)) {
        emit(self.0.event_of(bytes).unwrap_or_else(|error| {
            if !self.0.tag_on_failure {
                tracing::error!(error, "Avro parse error");
            }
            target::failure(SPEC.name, bytes, Some(FAILURE_TAG), &error)
        }));
    }

    fn encode(&self, event: &Event, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let schema = self.0.schema.get().map_err(EncodeError)?;
        let datum = write::write(&schema, event.data()).map_err(EncodeError)?;
        match self.0.encoding {
            Encoding::Binary => out.extend_from_slice(&datum),
            Encoding::Base64 => out.extend_from_slice(STANDARD.encode(datum).as_bytes()),
        }
        Ok(())
    }

    fn fresh(&self) -> Box<dyn Codec> {
        Box::new(self.clone())
    }
}
