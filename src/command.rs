//! Programs that plugins start: the shell and others, pipes to and from them, and an end for all that they started.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::net::unix::pipe;

/// A running program. Dropped before its end, it is killed with everything that it started.
#[derive(Debug)]
pub struct Program {
    child: Option<Child>,
    /// The process group, as long as it has to be killed.
    group: Option<Pid>,
}

/// What a shell makes of a line, as Ruby starts commands.
pub fn shell(line: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(line);
    command
}

impl Program {
    /// Starts a program in a process group of its own: Ctrl-C at the terminal is for rstash, which then ends what it
    /// started in its own order. To be called within a tokio runtime.
    ///
    /// # Errors
    /// There is no such program, or the system has no room for it.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        let child = command.process_group(0).spawn()?;
        let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        Ok(Program { child: Some(child), group })
    }

    /// What it writes to its standard output, which must be piped.
    pub fn stdout(&mut self) -> io::Result<pipe::Receiver> {
        let piped = self.child.as_mut().and_then(|child| child.stdout.take());
        pipe::Receiver::from_owned_fd(OwnedFd::from(piped.ok_or(io::ErrorKind::NotConnected)?))
    }

    /// What it writes to its standard error, which must be piped.
    pub fn stderr(&mut self) -> io::Result<pipe::Receiver> {
        let piped = self.child.as_mut().and_then(|child| child.stderr.take());
        pipe::Receiver::from_owned_fd(OwnedFd::from(piped.ok_or(io::ErrorKind::NotConnected)?))
    }

    /// What it reads from its standard input, which must be piped.
    pub fn stdin(&mut self) -> io::Result<pipe::Sender> {
        let piped = self.child.as_mut().and_then(|child| child.stdin.take());
        pipe::Sender::from_owned_fd(OwnedFd::from(piped.ok_or(io::ErrorKind::NotConnected)?))
    }

    /// Waits for its end. What it left running in the background goes on.
    pub async fn wait(mut self) -> io::Result<ExitStatus> {
        let mut child = self.child.take().ok_or(io::ErrorKind::NotConnected)?;
        // Nothing but a thread can wait for one process alone.
        let status = tokio::task::spawn_blocking(move || child.wait()).await;
        self.group = None;
        status.map_err(io::Error::other)?
    }

    /// Lets it run on, whatever becomes of this process.
    #[must_use]
    pub fn left_alone(mut self) -> Self {
        self.group = None;
        self
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let Some(group) = self.group.take() else { return };
        // It may have come to its end by itself.
        _ = kill_process_group(group, Signal::KILL);
        if let Some(child) = &mut self.child {
            _ = child.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn pipes_and_the_status() {
        let mut program =
            Program::start(shell("cat; exit 3").stdin(Stdio::piped()).stdout(Stdio::piped())).unwrap();
        let mut stdin = program.stdin().unwrap();
        stdin.write_all(b"through the shell").await.unwrap();
        drop(stdin);
        let mut text = String::new();
        program.stdout().unwrap().read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "through the shell");
        assert_eq!(program.wait().await.unwrap().code(), Some(3));
    }

    #[tokio::test]
    async fn whoever_is_dropped_ends_with_all_that_it_started() {
        let mut program =
            Program::start(shell("sleep 1000 & echo $!; sleep 1000").stdout(Stdio::piped())).unwrap();
        let mut stdout = program.stdout().unwrap();
        let (mut text, mut byte) = (String::new(), [0]);
        while !text.ends_with('\n') {
            stdout.read_exact(&mut byte).await.unwrap();
            text.push(char::from(byte[0]));
        }
        drop(program);
        // The end of the pipe: nobody holds it any more, not even what ran in the background.
        let rest = tokio::time::timeout(Duration::from_secs(60), stdout.read_to_string(&mut text)).await;
        assert_eq!(rest.unwrap().unwrap(), 0);
    }
}
