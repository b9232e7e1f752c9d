//! Delivers commands to one of the servers, and again to the next one, until each has been answered.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use redis::Value;

use super::DataType;
use crate::net::spread;
use crate::redis::{Connection, Failure, Server};

/// Commands on their way at a time: the answers to more could fill the connection while nobody reads them.
const MOST_AT_ONCE: usize = 500;

/// Lists whose length was looked at are forgotten beyond so many.
const MOST_LISTS: usize = 10_000;

/// Events for one key.
#[derive(Debug, PartialEq, Eq)]
pub struct Command {
    data_type: DataType,
    pub key: String,
    pub payloads: Vec<Vec<u8>>,
}

impl Command {
    pub fn new(data_type: DataType, key: String, payload: Vec<u8>) -> Self {
        Command { data_type, key, payloads: vec![payload] }
    }

    fn pack(&self, out: &mut Vec<u8>) {
        let mut command = redis::cmd(match self.data_type {
            DataType::List => "rpush",
            DataType::Channel => "publish",
        });
        command.arg(&self.key);
        for payload in &self.payloads {
            command.arg(payload.as_slice());
        }
        out.extend(command.get_packed_command());
    }
}

/// The servers, and the connection to one of them.
pub struct Link {
    servers: Vec<Server>,
    /// The server to connect to next.
    next: usize,
    connection: Option<Connection>,
    /// How long an answer may take.
    timeout: Duration,
    reconnect: Duration,
    /// The length that a list may have, or 0, and how often to look.
    threshold: u64,
    interval: Duration,
    looked: HashMap<String, Instant>,
}

impl Link {
    pub fn new(servers: Vec<Server>, reconnect: Duration, (threshold, interval): (u64, Duration)) -> Self {
        let timeout = servers.first().map_or(Duration::from_secs(5), |server| server.timeout);
        let looked = HashMap::new();
        Link { servers, next: 0, connection: None, timeout, reconnect, threshold, interval, looked }
    }

    /// Sends commands until all have been answered. What a server had not answered when its connection broke is sent
    /// again: it may be there twice then, but it is there.
    pub async fn deliver(&mut self, commands: Vec<Command>) {
        let mut commands = VecDeque::from(commands);
        while let Err(failure) = self.try_deliver(&mut commands).await {
            let wait = spread(self.reconnect);
            let events: usize = commands.iter().map(|command| command.payloads.len()).sum();
            tracing::warn!(
                address = self.address(), error = %failure, events, retry_in_ms = wait.as_millis() as u64,
                "could not send events to redis, will try again"
            );
            self.connection = None;
            tokio::time::sleep(wait).await;
        }
    }

    /// The server that was tried last.
    fn address(&self) -> String {
        let last = self.next.checked_sub(1).unwrap_or(self.servers.len().saturating_sub(1));
        self.servers.get(last).map(|server| server.address.to_string()).unwrap_or_default()
    }

    /// Takes from the commands what was answered.
    async fn try_deliver(&mut self, commands: &mut VecDeque<Command>) -> Result<(), Failure> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        while !commands.is_empty() {
            let count = self.admitted(&mut connection, commands).await?;
            let mut packed = Vec::new();
            commands.iter().take(count).for_each(|command| command.pack(&mut packed));
            in_time(self.timeout, connection.send(&packed)).await?;
            settle(self.timeout, &mut connection, commands, count).await?;
        }
        self.connection = Some(connection);
        Ok(())
    }

    async fn connect(&mut self) -> Result<Connection, Failure> {
        let at = self.next;
        self.next = (at + 1) % self.servers.len().max(1);
        match self.servers.get(at) {
            Some(server) => server.connect().await,
            None => Err(Failure::Closed),
        }
    }

    /// How many of the commands may be sent now. Waits while the first one's list is too long.
    async fn admitted(
        &mut self,
        connection: &mut Connection,
        commands: &VecDeque<Command>,
    ) -> Result<usize, Failure> {
        let most = commands.len().min(MOST_AT_ONCE);
        let Some(first) = commands.front().filter(|_| self.threshold > 0) else { return Ok(most) };
        if self.is_due(&first.key) {
            self.wait_for_room(connection, &first.key).await?;
        }
        let others = commands.iter().take(most).skip(1);
        Ok(1 + others.take_while(|command| !self.is_due(&command.key)).count())
    }

    /// Whether it is time to look how long a list is.
    fn is_due(&self, key: &str) -> bool {
        self.looked.get(key).is_none_or(|looked| looked.elapsed() >= self.interval)
    }

    async fn wait_for_room(&mut self, connection: &mut Connection, key: &str) -> Result<(), Failure> {
        loop {
            let length = match in_time(self.timeout, connection.ask(redis::cmd("llen").arg(key))).await? {
                Value::Int(length) => u64::try_from(length).unwrap_or_default(),
                other => return Err(Failure::Protocol(format!("{other:?} is no length"))),
            };
            if length <= self.threshold {
                break;
            }
            tracing::warn!(
                key,
                length,
                threshold = self.threshold,
                "a redis list is congested, waiting until it is shorter"
            );
            // With congestion_interval => 0 as well, the server gets some rest.
            tokio::time::sleep(self.interval.max(Duration::from_millis(100))).await;
        }
        if self.looked.len() >= MOST_LISTS {
            self.looked.clear();
        }
        self.looked.insert(key.to_owned(), Instant::now());
        Ok(())
    }
}

/// Reads the answers to the first commands. Those that are refused stay, and those that get none, in their order.
async fn settle(
    timeout: Duration,
    connection: &mut Connection,
    commands: &mut VecDeque<Command>,
    count: usize,
) -> Result<(), Failure> {
    let mut sent = commands.drain(..count.min(commands.len())).collect::<Vec<_>>().into_iter();
    let mut kept = Vec::new();
    let mut outcome = Ok(());
    while let Some(command) = sent.next() {
        match in_time(timeout, connection.answer()).await {
            Ok(_) => {}
            Err(Failure::Refused(answer)) => {
                kept.push(command);
                outcome = outcome.and(Err(Failure::Refused(answer)));
            }
            Err(broken) => {
                kept.push(command);
                kept.extend(sent.by_ref());
                outcome = Err(broken);
            }
        }
    }
    kept.into_iter().rev().for_each(|command| commands.push_front(command));
    outcome
}

async fn in_time<T>(
    timeout: Duration,
    answer: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::time::timeout(timeout, answer).await.unwrap_or(Err(Failure::TimedOut(timeout)))
}
