//! What became of each message: the receipts of a batch, which librdkafka's callbacks settle.

use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message as _};
use rdkafka::producer::ProducerContext;
use tokio::sync::Notify;

use super::spread::Spread;
use crate::kafka::oauth::Tokens;
use crate::kafka::trouble::Reporter;
use crate::plugin::Shutdown;

/// What librdkafka calls back into.
pub struct Context {
    /// Tells troubles.
    pub reporter: Arc<Reporter>,
    /// A partitioner that librdkafka does not have.
    pub spread: Option<Spread>,
    /// Where bearer tokens come from.
    pub tokens: Option<Arc<Tokens>>,
    /// A token is not waited for once this is requested.
    pub shutdown: Shutdown,
}

impl ClientContext for Context {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        // Called with sasl_mechanism => "OAUTHBEARER" alone, which always has a source.
        let tokens = self.tokens.as_ref().ok_or("there is no source of tokens")?;
        Ok(tokens.get(&|| self.shutdown.is_requested())?)
    }

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.reporter.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.reporter.error(&error, reason);
    }
}

impl ProducerContext<Spread> for Context {
    type DeliveryOpaque = Box<Receipt>;

    fn delivery(&self, result: &DeliveryResult<'_>, receipt: Box<Receipt>) {
        let failure =
            result.as_ref().err().map(|(error, message)| Failure::new(receipt.index, message.topic(), error));
        receipt.batch.settle(failure);
    }

    fn get_custom_partitioner(&self) -> Option<&Spread> {
        self.spread.as_ref()
    }
}

/// Travels with a message and says which it is.
pub struct Receipt {
    batch: Arc<Receipts>,
    index: usize,
}

/// A message that was not delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its index in the batch of events.
    pub index: usize,
    /// Why.
    pub reason: String,
    /// Whether trying again may help.
    pub passing: bool,
}

impl Failure {
    /// Judges an error as the Java client's `RetriableException` does, by which Logstash drops events or keeps them.
    pub fn new(index: usize, topic: &str, error: &KafkaError) -> Self {
        let passing = match error.rdkafka_error_code() {
            Some(code) => !is_final(code),
            // A topic's name with a NUL in it.
            None => false,
        };
        let why = error.rdkafka_error_code().map_or_else(|| error.to_string(), |code| code.to_string());
        Failure { index, reason: format!("topic {topic}: {why}"), passing }
    }
}

fn is_final(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::MessageSizeTooLarge
            | RDKafkaErrorCode::MessageBatchTooLarge
            | RDKafkaErrorCode::InvalidMessageSize
            | RDKafkaErrorCode::InvalidTopic
            | RDKafkaErrorCode::InvalidArgument
            | RDKafkaErrorCode::InvalidRecord
            | RDKafkaErrorCode::InvalidTimestamp
            | RDKafkaErrorCode::InvalidRequiredAcks
            | RDKafkaErrorCode::PolicyViolation
            | RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::ClusterAuthorizationFailed
            | RDKafkaErrorCode::UnsupportedForMessageFormat
            | RDKafkaErrorCode::UnsupportedVersion
            | RDKafkaErrorCode::UnsupportedCompressionType
    )
}

/// Waits for the receipts of a batch.
#[derive(Default)]
pub struct Receipts {
    open: AtomicUsize,
    failures: Mutex<Vec<Failure>>,
    settled: Notify,
}

impl Receipts {
    /// A receipt for one more message.
    pub fn expect(self: &Arc<Self>, index: usize) -> Box<Receipt> {
        self.open.fetch_add(1, Ordering::Relaxed);
        Box::new(Receipt { batch: Arc::clone(self), index })
    }

    /// Notes a message's fate: nothing is delivery.
    pub fn settle(&self, failure: Option<Failure>) {
        if failure.is_some() {
            self.lock().extend(failure);
        }
        if self.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.settled.notify_one();
        }
    }

    /// Returns when every receipt has come. Cancel-safe.
    pub async fn all(&self) {
        while self.open.load(Ordering::Acquire) > 0 {
            self.settled.notified().await;
        }
    }

    /// The failures so far.
    pub fn failures(&self) -> Vec<Failure> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Failure>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_batch_is_settled_with_its_last_receipt() {
        let receipts = Arc::new(Receipts::default());
        let held: Vec<_> = (0..3).map(|index| receipts.expect(index)).collect();
        for receipt in held {
            let failed =
                (receipt.index == 1).then(|| Failure { index: 1, reason: "away".into(), passing: true });
            tokio::spawn(async move { receipt.batch.settle(failed) });
        }
        receipts.all().await;
        assert_eq!(receipts.failures().iter().map(|failure| failure.index).collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn errors_are_judged_as_by_the_java_client() {
        let passing = |code| Failure::new(0, "logs", &KafkaError::MessageProduction(code)).passing;
        assert!(passing(RDKafkaErrorCode::MessageTimedOut));
        assert!(passing(RDKafkaErrorCode::UnknownTopicOrPartition));
        assert!(passing(RDKafkaErrorCode::NotEnoughReplicas));
        assert!(passing(RDKafkaErrorCode::PurgeQueue));
        assert!(!passing(RDKafkaErrorCode::MessageSizeTooLarge));
        assert!(!passing(RDKafkaErrorCode::InvalidTopic));
    }
}
