//! The input `redis` at a list: takes events from its front, many at once by a script, or one after the other.

use std::time::Duration;

use redis::Value;
use tokio::time::Instant;

use super::{End, Redis};
use crate::plugin::{Codec, Shutdown, Sink};
use crate::redis::{Connection, Failure, Waits, texts};

/// The pause after an empty list (`BATCH_EMPTY_SLEEP` of redis.rb).
const EMPTY: Duration = Duration::from_millis(250);

/// How long the server waits for an event with BLPOP, in seconds, before it says that there is none.
const BLOCK: u32 = 1;

impl Redis {
    pub(super) async fn take_from_list(
        &self,
        codec: &mut dyn Codec,
        sink: &Sink,
        shutdown: &Shutdown,
        waits: &mut Waits,
    ) -> End {
        match self.take_all(codec, sink, shutdown, waits).await {
            Ok(()) => End::Stopped,
            Err(failure) => End::Failed(failure),
        }
    }

    /// Takes until shutdown. What has been taken goes into the queue, however long that is full and whatever is
    /// requested meanwhile, and nothing more is taken before.
    async fn take_all(
        &self,
        codec: &mut dyn Codec,
        sink: &Sink,
        shutdown: &Shutdown,
        waits: &mut Waits,
    ) -> Result<(), Failure> {
        let mut connection = tokio::select! {
            connection = self.server.connect() => connection?,
            () = shutdown.requested() => return Ok(()),
        };
        let mut script = None;
        let mut flush_at: Option<Instant> = None;
        while !shutdown.is_requested() {
            let items = match self.batch_count {
                0 | 1 => self.take_one(&mut connection, shutdown).await?,
                _ => self.take_many(&mut connection, &mut script, shutdown).await?,
            };
            waits.reset();
            let mut events = Vec::new();
            for item in &items {
                self.decode(codec, item, None, sink, &mut events);
            }
            if !items.is_empty() {
                flush_at = codec.flush_after().map(|quiet| Instant::now() + quiet);
            } else if flush_at.is_some_and(|at| at <= Instant::now()) {
                flush_at = None;
                codec.flush(&mut |event| events.push(event));
                events.iter_mut().for_each(|event| sink.decorate(event));
            }
            if !events.is_empty() && sink.send_decorated(events, None).await.is_err() {
                return self.give_back(&mut connection, &items).await;
            }
            if items.is_empty() && self.batch_count > 1 {
                tokio::select! {
                    () = tokio::time::sleep(EMPTY) => {}
                    () = shutdown.requested() => {}
                }
            }
        }
        Ok(())
    }

    async fn take_one(
        &self,
        connection: &mut Connection,
        shutdown: &Shutdown,
    ) -> Result<Vec<Vec<u8>>, Failure> {
        let mut command = self.server.commands.command("blpop");
        command.arg(&self.key).arg(BLOCK);
        connection.send(&command.get_packed_command()).await?;
        // The list's name, and the event.
        Ok(texts(self.taken(connection, shutdown).await?).into_iter().skip(1).collect())
    }

    async fn take_many(
        &self,
        connection: &mut Connection,
        script: &mut Option<Vec<u8>>,
        shutdown: &Shutdown,
    ) -> Result<Vec<Vec<u8>>, Failure> {
        loop {
            let hash = match script {
                Some(hash) => hash,
                None => script.insert(self.load_script(connection).await?),
            };
            let mut command = self.server.commands.command("evalsha");
            command.arg(hash.as_slice()).arg(1).arg(&self.key).arg(self.batch_count - 1);
            connection.send(&command.get_packed_command()).await?;
            match self.taken(connection, shutdown).await {
                Err(Failure::Refused(answer)) if answer.contains("NOSCRIPT") => {
                    tracing::info!(address = %self.server.address, "redis has forgotten the script, loading it again");
                    *script = None;
                }
                taken => return Ok(texts(taken?)),
            }
        }
    }

    /// The answer to a command that takes events. They are in no other place any more: the answer is waited for although
    /// a stop is requested, but not for ever.
    async fn taken(&self, connection: &mut Connection, shutdown: &Shutdown) -> Result<Value, Failure> {
        tokio::select! {
            biased;
            answer = connection.answer() => answer,
            () = async {
                shutdown.requested().await;
                tokio::time::sleep(self.server.timeout + Duration::from_secs(BLOCK.into())).await;
            } => Err(Failure::TimedOut(self.server.timeout)),
        }
    }

    /// Loads the script that takes events, with the server's names for the commands in it.
    async fn load_script(&self, connection: &mut Connection) -> Result<Vec<u8>, Failure> {
        let commands = &self.server.commands;
        let script = format!(
            "local last = tonumber(ARGV[1])
             local taken = redis.call('{}', KEYS[1], 0, last)
             redis.call('{}', KEYS[1], last + 1, -1)
             return taken",
            commands.name("lrange"),
            commands.name("ltrim"),
        );
        let answer = connection.ask(commands.command("script").arg("LOAD").arg(script)).await?;
        let hash = texts(answer).into_iter().next();
        hash.ok_or_else(|| Failure::Protocol("SCRIPT LOAD gives no hash".into()))
    }

    /// Puts back what the pipeline did not take, because it is gone.
    async fn give_back(&self, connection: &mut Connection, items: &[Vec<u8>]) -> Result<(), Failure> {
        if items.is_empty() {
            return Ok(());
        }
        let mut command = self.server.commands.command("lpush");
        command.arg(&self.key);
        for item in items.iter().rev() {
            command.arg(item.as_slice());
        }
        let returned = connection.ask(&command).await;
        match returned {
            Ok(_) => tracing::info!(events = items.len(), "gave events back to the list"),
            Err(error) => {
                tracing::error!(events = items.len(), %error, "could not give events back to the list");
            }
        }
        Ok(())
    }
}
