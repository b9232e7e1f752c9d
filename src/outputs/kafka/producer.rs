//! librdkafka's producer with the thread that serves its callbacks.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, Producer as _};

use super::delivery::Context;
use super::spread::Spread;
use crate::plugin::RunError;

/// How long the thread may not look at its stop sign while messages are on their way.
const BUSY: Duration = Duration::from_millis(10);
/// How long errors and logs may wait while nothing is.
const IDLE: Duration = Duration::from_millis(100);

/// A producer whose end is not waited for: rdkafka's own `ThreadedProducer` joins a thread that polls 100 ms at a time,
/// which was most of the time that sending a single event took (0.10 s, now 0.01 s).
pub struct KafkaProducer {
    producer: Arc<BaseProducer<Context, Spread>>,
    stop: Arc<AtomicBool>,
    wake: SyncSender<()>,
    thread: Option<JoinHandle<()>>,
}

impl KafkaProducer {
    /// Makes the producer, which connects by itself.
    ///
    /// # Errors
    /// When librdkafka refuses the configuration, in the words that `explain` finds for it, or no thread can be started.
    pub fn start(
        config: &ClientConfig,
        context: Context,
        explain: impl FnOnce(&str) -> String,
    ) -> Result<Self, RunError> {
        let producer: BaseProducer<Context, Spread> = config
            .create_with_context(context)
            .map_err(|error: KafkaError| RunError::new(explain(&error.to_string())))?;
        let (producer, stop) = (Arc::new(producer), Arc::new(AtomicBool::new(false)));
        let (wake, woken) = sync_channel(1);
        let thread = {
            let (producer, stop) = (Arc::clone(&producer), Arc::clone(&stop));
            std::thread::Builder::new()
                .name("kafka-output-poll".into())
                .spawn(move || serve(&producer, &stop, &woken))
                .map_err(|error| RunError::new(format!("cannot start a thread for the producer: {error}")))?
        };
        Ok(KafkaProducer { producer, stop, wake, thread: Some(thread) })
    }

    /// Has the thread look after the messages that were just sent. Without, it would find out a little later.
    pub fn wake(&self) {
        // A full channel means that it is about to look.
        _ = self.wake.try_send(());
    }
}

impl Deref for KafkaProducer {
    type Target = BaseProducer<Context, Spread>;

    fn deref(&self) -> &Self::Target {
        &self.producer
    }
}

impl Drop for KafkaProducer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.wake();
        if let Some(thread) = self.thread.take() {
            // A panic in it is already on stderr.
            _ = thread.join();
        }
    }
}

/// Serves callbacks until told to stop.
fn serve(producer: &BaseProducer<Context, Spread>, stop: &AtomicBool, woken: &Receiver<()>) {
    while !stop.load(Ordering::Relaxed) {
        if producer.in_flight_count() > 0 {
            producer.poll(BUSY);
        } else {
            producer.poll(Duration::ZERO);
            // Woken, timed out, or the producer is gone, which the stop sign tells as well.
            _ = woken.recv_timeout(IDLE);
        }
    }
}
