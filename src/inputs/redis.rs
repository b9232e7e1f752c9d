//! Input `redis`: takes events from a list, or listens to channels (logstash-input-redis).

mod channel;
mod list;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;

use super::threads::side_by_side;
use crate::event::{Event, FieldReference, Value};
use crate::plugin::{
    Build, Codec, CodecFactory, Example, Input, Kind, OptionReader, Pairs, Password, RunError, Shutdown,
    Sink, Spec, choices, options,
};
use crate::redis::{Address, Commands, Failure, Server, Waits};
use crate::tls::ClientTls;

pub static SPEC: Spec = Spec {
    kind: Kind::Input,
    name: "redis",
    summary: "Takes events from a Redis list, or listens to channels.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: Some("json"),
    example: Example {
        config: r#"input { redis { host => "redis.example.org" data_type => "list" key => "logstash" } }"#,
        input: &[],
        output: &[],
    },
    build: Build::Input(|reader| Some(Box::new(Redis::build(reader)?))),
};

choices! {
    /// What the key names.
    pub enum DataType {
        /// A list, from whose front events are taken.
        List = "list",
        /// A channel, whose messages are heard as long as the connection stands.
        Channel = "channel",
        /// All channels that a pattern fits.
        PatternChannel = "pattern_channel",
    }
}

options! {
    struct Options {
        /// How messages become events.
        codec: CodecFactory = "json",
        /// The server's name or address.
        host: String = "127.0.0.1",
        /// The server's port.
        port: u16 = 6379,
        /// Whether the connection is encrypted. The server's certificate must come from an authority that this system
        /// trusts (variable SSL_CERT_FILE: other ones).
        ssl: bool = false,
        /// The server's Unix socket, instead of `host` and `port`.
        path: Option<PathBuf>,
        /// The number of the database.
        db: u32 = 0,
        /// Seconds that connecting may take.
        timeout: f64 = 5,
        /// The server's password.
        password: Option<Password>,
        /// The list, the channel, or the pattern of channels.
        key: String,
        /// list takes events from a list, channel listens to a channel, pattern_channel to all that fit `key`.
        data_type: DataType,
        /// How many events to take from a list at a time. 1 waits at the list (BLPOP) instead of asking every 250 ms.
        batch_count: u32 = 125,
        /// New names of commands that the server has renamed, such as `{ "evalsha" => "evalsha-x" }`.
        command_map: Pairs = {},
        /// How many connections read side by side.
        threads: usize = 1,
    }
}

struct Redis {
    server: Server,
    codec: CodecFactory,
    key: String,
    data_type: DataType,
    batch_count: u32,
    threads: usize,
    batch_size: usize,
    channel_field: FieldReference,
}

/// Why one thread of reading ended.
enum End {
    /// Shutdown, or the pipeline takes nothing any more.
    Stopped,
    /// The server is away, or refuses.
    Failed(Failure),
}

impl From<Failure> for End {
    fn from(failure: Failure) -> Self {
        End::Failed(failure)
    }
}

impl Redis {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let options = Options::read(reader)?;
        let commands = match Commands::read(&options.command_map) {
            Ok(commands) => commands,
            Err(error) => {
                reader.error("command_map", error);
                return None;
            }
        };
        let timeout = Duration::try_from_secs_f64(options.timeout).ok().filter(|timeout| !timeout.is_zero());
        if timeout.is_none() {
            reader.error("timeout", "expected a number of seconds above 0");
        }
        let server = Server {
            tls: if options.ssl { Some(tls(reader, &options)?) } else { None },
            address: address(reader, &options),
            password: options.password,
            db: options.db,
            timeout: timeout?,
            commands,
        };
        Some(Redis {
            server,
            codec: options.codec,
            key: options.key,
            data_type: options.data_type,
            batch_count: options.batch_count,
            threads: options.threads,
            batch_size: reader.context.batch_size.max(1),
            channel_field: FieldReference::parse("[@metadata][redis_channel]").ok()?,
        })
    }

    /// One thread's work: reads over as many connections as it takes.
    async fn read(&self, sink: &Sink, shutdown: &Shutdown) {
        let mut waits = Waits::default();
        let mut codec = self.codec.create();
        loop {
            let ended = match self.data_type {
                DataType::List => self.take_from_list(&mut *codec, sink, shutdown, &mut waits).await,
                _ => self.listen(&mut *codec, sink, shutdown, &mut waits).await,
            };
            let End::Failed(failure) = ended else { break };
            let wait = waits.wait();
            tracing::warn!(
                address = %self.server.address, key = %self.key, error = %failure,
                retry_in_ms = wait.as_millis() as u64, "redis is not available, will try again"
            );
            tokio::select! {
                () = shutdown.requested() => break,
                () = tokio::time::sleep(wait) => {}
            }
        }
        let mut events = Vec::new();
        codec.flush(&mut |event| events.push(event));
        events.iter_mut().for_each(|event| sink.decorate(event));
        // At the end there is nobody to tell.
        _ = sink.send_decorated(events, None).await;
    }

    /// Adds what a message means to the events of a batch.
    fn decode(
        &self,
        codec: &mut dyn Codec,
        message: &[u8],
        channel: Option<&str>,
        sink: &Sink,
        events: &mut Vec<Event>,
    ) {
        codec.decode(message, &mut |mut event| {
            sink.decorate(&mut event);
            if let Some(channel) = channel
                && let Err(error) = event.set(&self.channel_field, Value::from(channel))
            {
                tracing::debug!(%error, "an event stays without [@metadata][redis_channel]");
            }
            events.push(event);
        });
    }
}

fn address(reader: &mut OptionReader<'_>, options: &Options) -> Address {
    let Some(path) = &options.path else { return Address::Tcp(options.host.clone(), options.port) };
    for option in ["host", "port"] {
        reader.no_effect(option, "path is set, and the connection goes there");
    }
    Address::Unix(path.clone())
}

fn tls(reader: &mut OptionReader<'_>, options: &Options) -> Option<(TlsConnector, ServerName<'static>)> {
    if options.path.is_some() {
        reader.error("ssl", "a Unix socket is not encrypted: remove ssl, or connect to host and port");
        return None;
    }
    let config = match ClientTls::default().config() {
        Ok(config) => config,
        Err(refusal) => {
            reader.error("ssl", refusal.reason);
            return None;
        }
    };
    let Ok(name) = ServerName::try_from(options.host.clone()) else {
        reader.error("host", "it is no name that a certificate could have");
        return None;
    };
    Some((TlsConnector::from(Arc::new(config)), name))
}

impl Input for Redis {
    fn run(self: Box<Self>, sink: Sink, shutdown: Shutdown) -> BoxFuture<'static, Result<(), RunError>> {
        Box::pin(async move {
            let input: Arc<Self> = Arc::from(self);
            let work = |sink| {
                let (input, shutdown) = (Arc::clone(&input), shutdown.clone());
                async move {
                    input.read(&sink, &shutdown).await;
                    Ok(())
                }
            };
            side_by_side(input.threads, sink, work).await
        })
    }
}
