//! Input `unix`: reads a Unix domain socket (logstash-input-unix).

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;

use super::stream::{End, Stream};
use crate::event::{Event, FieldReference, Value};
use crate::net::Backoff;
use crate::plugin::{
    Build, CodecFactory, Example, Input, Kind, OptionReader, RunError, Shutdown, Sink, Spec, StreamCodec,
    choices, options,
};

pub static SPEC: Spec = Spec {
    kind: Kind::Input,
    name: "unix",
    summary: "Reads a Unix domain socket.",
    options: Unix::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: Some("line"),
    example: Example {
        config: r#"input { unix { path => "/run/events.sock" force_unlink => true } }"#,
        input: &[],
        output: &[],
    },
    build: Build::Input(|reader| Some(Box::new(Socket::new(reader)?))),
};

choices! {
    /// Who opens the connection.
    pub enum Mode { Server = "server", Client = "client" }
}

options! {
    #[derive(Debug)]
    pub struct Unix {
        /// The socket's file.
        path: String,
        /// Remove a file that is in the way of listening.
        force_unlink: bool = false,
        /// Seconds without data after which a connection is closed; -1: never.
        data_timeout: f64 = -1,
        /// server listens at the path, client connects to it.
        mode: Mode = "server",
        /// Longest time in seconds between two looks for a socket that is not there. Only in client mode.
        socket_not_present_retry_interval_seconds: f64 = 5,
    }
}

struct Socket {
    options: Unix,
    codec: CodecFactory,
    host: String,
    host_field: FieldReference,
    path_field: FieldReference,
}

impl Socket {
    fn new(reader: &mut OptionReader<'_>) -> Option<Self> {
        let codec: Option<StreamCodec> = reader.take("codec", Some("line"));
        let options = Unix::read(reader)?;
        let ecs = reader.ecs();
        Some(Socket {
            options,
            codec: codec?.0,
            host: gethostname::gethostname().to_string_lossy().into_owned(),
            host_field: FieldReference::parse(ecs.select("host", "[host][name]")).ok()?,
            path_field: FieldReference::parse(ecs.select("path", "[file][path]")).ok()?,
        })
    }

    fn finish(&self, event: &mut Event) {
        for (field, value) in [(&self.host_field, &self.host), (&self.path_field, &self.options.path)] {
            if event.get(field).is_none() {
                // A field in its way that is no object keeps its value.
                _ = event.set(field, Value::from(value.as_str()));
            }
        }
    }

    async fn read(&self, mut connection: UnixStream, sink: &Sink, shutdown: &Shutdown) {
        let path = &self.options.path;
        let stream = Stream {
            codec: self.codec.create(),
            finish: |event: &mut Event| self.finish(event),
            sink,
            shutdown,
            idle: Duration::try_from_secs_f64(self.options.data_timeout).ok(),
        };
        match stream.pump(&mut connection, Vec::new()).await {
            Ok(End::Idle) => tracing::info!(%path, "closing a connection after data_timeout without data"),
            Ok(_) => tracing::debug!(%path, "connection closed"),
            Err(error) => tracing::info!(%path, %error, "closing a connection"),
        }
    }

    fn bind(&self) -> io::Result<UnixListener> {
        match UnixListener::bind(&self.options.path) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && self.options.force_unlink => {
                std::fs::remove_file(&self.options.path)?;
                UnixListener::bind(&self.options.path)
            }
            other => other,
        }
    }

    async fn serve(self, sink: Sink, shutdown: Shutdown) -> Result<(), RunError> {
        let path = self.options.path.clone();
        let listener = self.bind().map_err(|error| {
            let advice = match error.kind() {
                io::ErrorKind::AddrInUse => "; force_unlink => true removes a file that was left there",
                _ => "",
            };
            RunError::new(format!("could not listen at {path}: {error}{advice}"))
        })?;
        let socket = Arc::new(self);
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = shutdown.requested() => break,
                accepted = listener.accept() => match accepted {
                    Ok((connection, _)) => {
                        let (socket, sink, shutdown) = (Arc::clone(&socket), sink.clone(), shutdown.clone());
                        connections.spawn(async move { socket.read(connection, &sink, &shutdown).await });
                    }
                    Err(error) => {
                        tracing::warn!(%path, %error, "could not accept a connection");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                },
                Some(_) = connections.join_next() => {}
            }
        }
        drop(listener);
        // As the socket of one who is gone it would only mislead others.
        _ = std::fs::remove_file(&path);
        while connections.join_next().await.is_some() {}
        Ok(())
    }

    async fn connect(self, sink: Sink, shutdown: Shutdown) -> Result<(), RunError> {
        let interval = self.options.socket_not_present_retry_interval_seconds;
        let interval = Duration::try_from_secs_f64(interval).unwrap_or(Duration::from_secs(5));
        let mut backoff = Backoff::up_to(interval);
        while !shutdown.is_requested() {
            match UnixStream::connect(&self.options.path).await {
                Ok(connection) => {
                    backoff.reset();
                    self.read(connection, &sink, &shutdown).await;
                }
                Err(error) => {
                    tracing::warn!(path = %self.options.path, %error, "could not connect, will try again");
                }
            }
            tokio::select! {
                () = shutdown.requested() => {}
                () = tokio::time::sleep(backoff.wait()) => {}
            }
        }
        Ok(())
    }
}

impl Input for Socket {
    fn run(self: Box<Self>, sink: Sink, shutdown: Shutdown) -> BoxFuture<'static, Result<(), RunError>> {
        match self.options.mode {
            Mode::Server => Box::pin(self.serve(sink, shutdown)),
            Mode::Client => Box::pin(self.connect(sink, shutdown)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::event::text::ruby_to_s;
    use crate::plugin::testkit;

    #[test]
    fn a_file_in_the_way_is_removed_where_asked_and_the_own_one_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let config = |force: bool| {
            format!("input {{ unix {{ path => '{}' force_unlink => {force} }} }}", path.display())
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let (stop, shutdown) = Shutdown::channel();
        let (input, decoration) = testkit::input(&config(false), &testkit::context()).unwrap();
        let (sink, _receiver) = testkit::sink(decoration, 10);
        let refused = runtime.block_on(input.run(sink, shutdown.clone())).unwrap_err();
        assert!(refused.0.contains("force_unlink"), "{refused}");

        let (input, decoration) = testkit::input(&config(true), &testkit::context()).unwrap();
        let (sink, receiver) = testkit::sink(decoration, 10);
        let running = runtime.spawn(input.run(sink, shutdown));
        let mut peer = loop {
            if let Ok(peer) = std::os::unix::net::UnixStream::connect(&path) {
                break peer;
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        peer.write_all(b"one\ntwo\n").unwrap();
        std::thread::sleep(Duration::from_millis(200));
        stop.send(true).unwrap();
        runtime.block_on(running).unwrap().unwrap();
        let field = FieldReference::parse("[file][path]").unwrap();
        let paths: Vec<_> =
            testkit::drain(&receiver).iter().filter_map(|event| event.get(&field).map(ruby_to_s)).collect();
        assert_eq!(paths, [path.display().to_string(), path.display().to_string()]);
        assert!(!path.exists());
    }

    /// A socket that comes later is found, and looked for again when its connection ends.
    #[test]
    fn a_client_waits_for_the_socket_and_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let config = format!(
            "input {{ unix {{ path => '{}' mode => client socket_not_present_retry_interval_seconds => 0.2 }} }}",
            path.display()
        );
        let (input, decoration) = testkit::input(&config, &testkit::legacy_context()).unwrap();
        let (sink, receiver) = testkit::sink(decoration, 10);
        let (stop, shutdown) = Shutdown::channel();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let running = runtime.spawn(input.run(sink, shutdown));
        std::thread::sleep(Duration::from_millis(100));
        let server = std::os::unix::net::UnixListener::bind(&path).unwrap();
        for line in ["one\n", "two\n"] {
            server.accept().unwrap().0.write_all(line.as_bytes()).unwrap();
        }
        // It is here again: what it had was read.
        let waiting = server.accept().unwrap();
        stop.send(true).unwrap();
        runtime.block_on(running).unwrap().unwrap();
        drop(waiting);
        let events = testkit::drain(&receiver);
        let text = |event: &Event, name: &str| {
            event.get(&FieldReference::parse(name).unwrap()).map(ruby_to_s).unwrap_or_default()
        };
        let messages: Vec<_> = events.iter().map(|event| text(event, "message")).collect();
        assert_eq!(messages, ["one", "two"]);
        let host = gethostname::gethostname().to_string_lossy().into_owned();
        assert!(events.iter().all(|event| text(event, "host") == host));
        assert!(events.iter().all(|event| text(event, "path") == path.display().to_string()));
    }

    #[test]
    fn a_connection_without_data_is_closed_after_the_timeout() {
        use std::io::Read;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let config = format!("input {{ unix {{ path => '{}' data_timeout => 0.2 }} }}", path.display());
        let (input, decoration) = testkit::input(&config, &testkit::context()).unwrap();
        let (sink, receiver) = testkit::sink(decoration, 10);
        let (stop, shutdown) = Shutdown::channel();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let running = runtime.spawn(input.run(sink, shutdown));
        let mut peer = loop {
            if let Ok(peer) = std::os::unix::net::UnixStream::connect(&path) {
                break peer;
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        peer.set_read_timeout(Some(testkit::LONG)).unwrap();
        peer.write_all(b"one\nnot ended").unwrap();
        assert_eq!(peer.read(&mut [0; 1]).unwrap(), 0, "the end of the connection");
        stop.send(true).unwrap();
        runtime.block_on(running).unwrap().unwrap();
        let field = FieldReference::parse("message").unwrap();
        let messages: Vec<_> =
            testkit::drain(&receiver).iter().filter_map(|event| event.get(&field).map(ruby_to_s)).collect();
        assert_eq!(messages, ["one", "not ended"]);
    }
}
