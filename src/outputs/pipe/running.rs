//! The programs that a `pipe` output writes to: started with their first event, ended when none come any more.

use std::collections::HashMap;
use std::io;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::net::unix::pipe::Sender;
use tokio::task::JoinSet;

use crate::command::Program;
use crate::plugin::{Delivery, Undelivered};

/// How long the programs may take for what they were given, when rstash stops. Then they are left to themselves.
const PATIENCE: Duration = Duration::from_secs(30);

/// Events for one command line.
#[derive(Debug)]
pub struct Group {
    pub command: Vec<String>,
    bytes: Vec<u8>,
    /// Each event's index, and where its bytes end.
    events: Vec<(usize, usize)>,
}

impl Group {
    pub fn new(command: Vec<String>) -> Self {
        Group { command, bytes: Vec::new(), events: Vec::new() }
    }

    pub fn push(&mut self, index: usize, line: &[u8]) {
        self.bytes.extend_from_slice(line);
        self.events.push((index, self.bytes.len()));
    }

    /// Where the first event begins of which not all has been written.
    fn whole(&self, written: usize) -> usize {
        let ends = self.events.iter().map(|(_, end)| *end);
        ends.take_while(|end| *end <= written).last().unwrap_or(0)
    }

    /// The events of which not all has been written.
    fn rest(&self, written: usize, reason: &str) -> impl Iterator<Item = Undelivered> {
        let rest = self.events.iter().filter(move |(_, end)| *end > written);
        rest.map(move |(index, _)| Undelivered { index: *index, reason: reason.to_owned() })
    }
}

struct Pipe {
    stdin: Sender,
    program: Program,
    /// Written to since the last look for stale ones.
    active: bool,
}

/// The programs that run, by their command lines.
pub struct Running {
    pipes: HashMap<Vec<String>, Pipe>,
    /// Those whose input has ended.
    ending: JoinSet<()>,
    ttl: Option<Duration>,
    last_look: Instant,
    /// Whether the program's name comes from the event: it may be one that cannot be.
    from_event: bool,
}

impl Running {
    pub fn new(ttl: Option<Duration>, from_event: bool) -> Self {
        Running { pipes: HashMap::new(), ending: JoinSet::new(), ttl, last_look: Instant::now(), from_event }
    }

    /// Writes events to their program, to a new one when it has ended meanwhile. An event that went into the pipe as a
    /// whole counts as delivered, as in Logstash.
    pub async fn write(&mut self, group: &Group, delivery: &mut Delivery) {
        let mut from = 0;
        loop {
            let mut written = from;
            let Err(error) = self.try_write(group, &mut written).await else { return };
            let is_new = written == from;
            from = group.whole(written);
            self.drop_pipe(&group.command);
            let reason = format!("could not write to {}: {error}", group.command.join(" "));
            if is_fault_of_name(&error) && self.from_event {
                return delivery.dead.extend(group.rest(from, &reason));
            }
            if is_new {
                return delivery.retry.extend(group.rest(from, &reason));
            }
            tracing::warn!(reason, "a program has ended, starting it again");
        }
    }

    async fn try_write(&mut self, group: &Group, written: &mut usize) -> io::Result<()> {
        let pipe = match self.pipes.entry(group.command.clone()) {
            std::collections::hash_map::Entry::Occupied(open) => open.into_mut(),
            std::collections::hash_map::Entry::Vacant(place) => place.insert(start(&group.command)?),
        };
        pipe.active = true;
        while let Some(rest) = group.bytes.get(*written..).filter(|rest| !rest.is_empty()) {
            match pipe.stdin.write(rest).await? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                count => *written += count,
            }
        }
        Ok(())
    }

    /// Ends the input of a program and lets it come to its end.
    fn drop_pipe(&mut self, command: &[String]) {
        let Some(Pipe { stdin, program, .. }) = self.pipes.remove(command) else { return };
        drop(stdin);
        let command = command.join(" ");
        self.ending.spawn(async move {
            match program.left_alone().wait().await {
                Ok(status) => tracing::debug!(command, %status, "a program has ended"),
                Err(error) => tracing::warn!(command, %error, "a program cannot be waited for"),
            }
        });
    }

    /// Ends programs that got nothing since the last time, when that is long enough ago.
    pub fn close_stale(&mut self) {
        while self.ending.try_join_next().is_some() {}
        if self.ttl.is_none_or(|ttl| self.last_look.elapsed() < ttl) {
            return;
        }
        let stale = self.pipes.iter().filter(|(_, pipe)| !pipe.active).map(|(command, _)| command.clone());
        for command in stale.collect::<Vec<_>>() {
            tracing::info!(command = command.join(" "), "ending a program that gets no events");
            self.drop_pipe(&command);
        }
        self.pipes.values_mut().for_each(|pipe| pipe.active = false);
        self.last_look = Instant::now();
    }

    /// Ends the input of all programs and waits for them, but not for ever.
    pub async fn close(&mut self) {
        for command in self.pipes.keys().cloned().collect::<Vec<_>>() {
            self.drop_pipe(&command);
        }
        let all = async { while self.ending.join_next().await.is_some() {} };
        if tokio::time::timeout(PATIENCE, all).await.is_err() {
            tracing::warn!(
                programs = self.ending.len(),
                "programs are still busy, leaving them to themselves"
            );
            self.ending.detach_all();
        }
    }
}

fn start(command: &[String]) -> io::Result<Pipe> {
    tracing::info!(command = command.join(" "), "starting a program");
    let (program, arguments) = command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut started = Command::new(program);
    // Ruby's popen would collect what is printed, and never read it.
    started.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut program = Program::start(&mut started)?;
    Ok(Pipe { stdin: program.stdin()?, program, active: true })
}

/// Whether a program of this name cannot be started.
fn is_fault_of_name(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, IsADirectory, NotADirectory, NotFound, PermissionDenied};
    matches!(error.kind(), InvalidInput | IsADirectory | NotADirectory | NotFound | PermissionDenied)
}
