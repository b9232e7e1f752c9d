//! Input `lumberjack`: lines of other Logstashes and of logstash-forwarder, by the Lumberjack protocol
//! (logstash-input-lumberjack).

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::event::{Event, FieldReference, Object, TIMESTAMP, Timestamp, Value, text};
use crate::lumberjack::{End, Failure, Malformed, Received, log_end, serve};
use crate::net::Listener;
use crate::plugin::{
    Build, Codec, CodecFactory, Example, Input, Kind, OptionReader, Password, RunError, Shutdown, Sink, Spec,
    options,
};
use crate::tls::{ClientAuthentication, ServerTls};

pub static SPEC: Spec = Spec {
    kind: Kind::Input,
    name: "lumberjack",
    summary: "Receives lines by the Lumberjack protocol, and acknowledges them when they are delivered.",
    options: Lumberjack::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: Some("plain"),
    example: Example {
        config: r#"input {
  lumberjack {
    port => 5043
    ssl_certificate => "/etc/pki/lumberjack.crt"
    ssl_key => "/etc/pki/lumberjack.key"
  }
}"#,
        input: &[],
        output: &[],
    },
    build: Build::Input(|reader| Some(Box::new(Server::build(reader)?))),
};

/// How long a client may take to agree on keys.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// The field with a line.
const LINE: &str = "line";

options! {
    #[derive(Debug)]
    #[expect(dead_code, reason = "some options are read for their checks alone")]
    struct Lumberjack {
        /// The address to listen on.
        host: String = "0.0.0.0",
        /// The port to listen on.
        port: u16,
        /// PEM file with the server's certificate, followed by those between it and the authority.
        ssl_certificate: PathBuf,
        /// PEM file with the certificate's private key: PKCS#8, PKCS#1 or SEC1.
        ssl_key: PathBuf,
        /// What the key is encrypted with.
        ssl_key_passphrase: Option<Password>,
        /// Has no effect: clients wait while the queue is full, without a limit of time.
        congestion_threshold: f64 = 5,
    }
}

struct Server {
    host: String,
    port: u16,
    acceptor: TlsAcceptor,
    codec: CodecFactory,
}

impl Server {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let codec: Option<CodecFactory> = reader.take("codec", Some("plain"));
        let options = Lumberjack::read(reader)?;
        reader.no_effect(
            "congestion_threshold",
            "clients wait while the queue is full, without a limit of time",
        );
        let tls = ServerTls {
            ssl_enabled: true,
            ssl_certificate: Some(options.ssl_certificate),
            ssl_key: Some(options.ssl_key),
            ssl_key_passphrase: options.ssl_key_passphrase,
            ..ServerTls::default()
        };
        Some(Server {
            host: options.host,
            port: options.port,
            acceptor: tls.acceptor(ClientAuthentication::None, reader)??,
            codec: codec?,
        })
    }

    async fn serve(self, sink: Sink, shutdown: Shutdown) -> Result<(), RunError> {
        let listener = Listener::bind(&self.host, self.port).await?;
        tracing::info!(address = %listener.place(), "listening for Lumberjack");
        let input = Arc::new(self);
        let accepted = |stream, address| {
            let (input, sink, shutdown) = (Arc::clone(&input), sink.clone(), shutdown.clone());
            async move { input.connected(stream, address, &sink, &shutdown).await }
        };
        listener.serve(&shutdown, accepted).await;
        Ok(())
    }

    /// Serves one connection; what goes wrong ends it alone.
    async fn connected(&self, stream: TcpStream, address: SocketAddr, sink: &Sink, shutdown: &Shutdown) {
        log_end(address, self.talk(stream, sink, shutdown).await);
    }

    async fn talk(&self, stream: TcpStream, sink: &Sink, shutdown: &Shutdown) -> Result<End, Failure> {
        // An acknowledgement is six bytes that the client waits for.
        stream.set_nodelay(true)?;
        let accepted = tokio::select! {
            () = shutdown.requested() => return Ok(End::Stopped),
            accepted = tokio::time::timeout(HANDSHAKE, self.acceptor.accept(stream)) => accepted,
        };
        let mut stream = accepted.map_err(io::Error::from)??;
        let mut lines = Lines { factory: &self.codec, codecs: HashMap::new(), sink };
        serve(&mut stream, &mut lines, None, sink, shutdown).await
    }
}

impl Input for Server {
    fn run(self: Box<Self>, sink: Sink, shutdown: Shutdown) -> BoxFuture<'static, Result<(), RunError>> {
        Box::pin(self.serve(sink, shutdown))
    }
}

/// Makes events of lines. Each file of each host has a codec of its own, so that lines of several do not mix.
struct Lines<'a> {
    factory: &'a CodecFactory,
    codecs: HashMap<String, Box<dyn Codec>>,
    sink: &'a Sink,
}

impl Lines<'_> {
    /// As many files as may be under way at once; one more, and those before are flushed.
    const MOST: usize = 20_000;

    /// Host and file, as far as they are known (`identity`).
    fn identity(fields: &Object) -> String {
        let named = ["host", "file"].map(|name| fields.get(name).and_then(Value::as_str));
        named.into_iter().flatten().collect::<Vec<_>>().join("-")
    }

    fn set_all(event: &mut Event, fields: &Object) {
        for (name, value) in fields.iter() {
            let field = FieldReference::parse(name).unwrap_or_else(|_| FieldReference::top_level(name));
            if field.as_top_level() == Some(TIMESTAMP)
                && let Some(time) = value.as_str().and_then(Timestamp::parse)
            {
                event.set_timestamp(time);
                continue;
            }
            if let Err(error) = event.assign(&field, value.clone()) {
                tracing::warn!(%error, field = name, "could not set a field of an event");
            }
        }
    }
}

impl Received for Lines<'_> {
    fn receive(&mut self, mut fields: Object, events: &mut Vec<Event>) -> Result<(), Malformed> {
        let line = match fields.remove(LINE) {
            Some(Value::Str(line)) => String::from(line),
            Some(Value::Null) | None => {
                let event = Event::from_object(fields);
                let mut event = event.map_err(|error| Malformed::Document(error.to_string()))?;
                self.sink.decorate(&mut event);
                events.push(event);
                return Ok(());
            }
            Some(other) => text::ruby_to_s(&other),
        };
        let identity = Self::identity(&fields);
        if self.codecs.len() >= Self::MOST && !self.codecs.contains_key(&identity) {
            self.flush(events);
        }
        let flushed = events.len();
        let codec = self.codecs.entry(identity).or_insert_with(|| self.factory.create());
        codec.decode(line.as_bytes(), &mut |event| events.push(event));
        for event in events.iter_mut().skip(flushed) {
            self.sink.decorate(event);
            Self::set_all(event, &fields);
        }
        Ok(())
    }

    fn flush(&mut self, events: &mut Vec<Event>) {
        let flushed = events.len();
        for codec in self.codecs.values_mut() {
            codec.flush(&mut |event| events.push(event));
        }
        self.codecs.clear();
        events.iter_mut().skip(flushed).for_each(|event| self.sink.decorate(event));
    }

    fn flush_after(&self) -> Option<Duration> {
        self.codecs.values().find_map(|codec| codec.flush_after())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::testkit;

    const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/kafka");

    fn config(more: &str) -> String {
        format!(
            "input {{ lumberjack {{ host => '127.0.0.1' port => 0 ssl_certificate => '{FIXTURES}/client.chain'
               ssl_key => '{FIXTURES}/client.key' {more} }} }}"
        )
    }

    /// What becomes of these fields, each a JSON document, and of what is held back at the end.
    fn received(more: &str, frames: &[&str]) -> Vec<String> {
        let codec = format!("input {{ stdin {{ {more} }} }}");
        let (_, decoration) = testkit::input(&codec, &testkit::context()).unwrap();
        let (sink, _receiver) = testkit::sink(decoration, 10);
        let factory = codec_of(more);
        let mut lines = Lines { factory: &factory, codecs: HashMap::new(), sink: &sink };
        let mut events = Vec::new();
        for frame in frames {
            let Ok(Value::Object(fields)) = crate::event::json::load(frame) else { panic!("{frame}") };
            lines.receive(*fields, &mut events).unwrap();
        }
        lines.flush(&mut events);
        events.iter().map(testkit::fields).collect()
    }

    fn codec_of(options: &str) -> CodecFactory {
        let text = options.split_once("codec => ").map_or("plain", |(_, codec)| codec);
        let value = crate::language::parse_value(text).unwrap();
        let context = testkit::legacy_context();
        let value = crate::plugin::ConfigValue::new(&value, &context.environment, &mut Vec::new());
        crate::plugin::FromOption::from_option(&value, &context).unwrap()
    }

    #[test]
    fn the_line_goes_through_the_codec_and_the_fields_come_along() {
        let frames = [r#"{"line":"{\"a\":1}","host":"h","file":"/f","offset":"7"}"#];
        assert_eq!(received("codec => json", &frames), [r#"{"a":1,"file":"/f","host":"h","offset":"7"}"#]);
        let frames = [r#"{"host":"h","n":{"a":1}}"#, r#"{"line":"x","host":"h","type":"own"}"#];
        let shown = received("add_field => { 'added' => 'yes' }", &frames);
        assert_eq!(shown[0], r#"{"added":"yes","host":"h","n":{"a":1}}"#);
        assert_eq!(shown[1], r#"{"added":"yes","host":"h","message":"x","type":"own"}"#);
    }

    #[test]
    fn lines_of_several_files_do_not_mix() {
        let frames = [
            r#"{"line":"a1","host":"h","file":"a"}"#,
            r#"{"line":"b1","host":"h","file":"b"}"#,
            r#"{"line":" a2","host":"h","file":"a"}"#,
            r#"{"line":"a3","host":"h","file":"a"}"#,
        ];
        let codec = r#"codec => multiline { pattern => "^\s" what => "previous" }"#;
        let mut shown = received(codec, &frames);
        shown.sort();
        // What is flushed at the end has lost its fields, as in Logstash.
        assert_eq!(shown[0], r#"{"file":"a","host":"h","message":"a1\n a2","tags":["multiline"]}"#);
        assert_eq!(shown[1..], [r#"{"message":"a3"}"#, r#"{"message":"b1"}"#]);
    }

    #[test]
    fn a_certificate_is_required() {
        assert!(testkit::input(&config(""), &testkit::context()).is_ok());
        let missing = testkit::input("input { lumberjack { port => 1 } }", &testkit::context());
        let problems = missing.err().unwrap();
        for option in ["ssl_certificate", "ssl_key"] {
            let said = format!("missing required option \"{option}\"");
            assert!(problems.iter().any(|problem| problem.message.contains(&said)), "{problems:?}");
        }
        let wrong = testkit::input(&config("ssl_key_passphrase => 5"), &testkit::context());
        assert!(wrong.is_err());
    }
}
