//! The runtime of filters that ask other hosts: they run on a worker's thread and wait there for the answer, as in
//! Logstash.

use std::future::Future;
use std::io;
use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};

/// One thread drives the sockets of all such filters; it is started with the first of them.
static RUNTIME: OnceLock<Runtime> = OnceLock::new();

/// Runs a future to its end on the caller's thread, with timers and sockets. Not to be called from async code.
///
/// Fails when the system gives no thread or no event queue for the runtime.
pub fn block_on<F: Future>(future: F) -> io::Result<F::Output> {
    let runtime = match RUNTIME.get() {
        Some(runtime) => runtime,
        None => {
            let started = Builder::new_multi_thread()
                .worker_threads(1)
                .thread_name("remote-filters")
                .enable_all()
                .build()?;
            RUNTIME.get_or_init(|| started)
        }
    };
    Ok(runtime.block_on(future))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn timers_and_sockets_work_from_plain_threads() {
        let answers: Vec<_> = (0..2)
            .map(|_| {
                std::thread::spawn(|| {
                    block_on(async {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                        tokio::net::TcpListener::bind("127.0.0.1:0").await.is_ok()
                    })
                })
            })
            .collect();
        for answer in answers {
            assert!(answer.join().unwrap().unwrap());
        }
    }
}
