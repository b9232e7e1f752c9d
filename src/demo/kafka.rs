//! A Kafka for the demo, inside this process: librdkafka's mock cluster, which speaks the real protocol on loopback.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

/// A broker of this process. It ends when this is dropped.
pub struct Kafka {
    cluster: MockCluster<'static, DefaultProducerContext>,
}

impl Kafka {
    /// So many bytes of a partition are kept; older messages are thrown away, read or not (`rdkafka_mock.c`).
    pub const KEPT_BYTES: u64 = 5 << 20;

    /// Starts one broker with one topic of one partition, which `group` reads from its start.
    ///
    /// A group that has committed nothing would begin with what comes after its consumer joined, and miss what was
    /// produced before; so the start is committed for it.
    pub fn start(topic: &str, group: &str) -> KafkaResult<Self> {
        let cluster = MockCluster::new(1)?;
        cluster.create_topic(topic, 1, 1)?;
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", cluster.bootstrap_servers())
            .set("group.id", group)
            .create()?;
        // The first look at the topic makes its leader known.
        consumer.fetch_metadata(Some(topic), Duration::from_secs(10))?;
        let mut start = TopicPartitionList::new();
        start.add_partition_offset(topic, 0, Offset::Offset(0))?;
        consumer.commit(&start, CommitMode::Sync)?;
        Ok(Kafka { cluster })
    }

    /// The broker's address, as `bootstrap_servers` takes it.
    pub fn bootstrap_servers(&self) -> String {
        self.cluster.bootstrap_servers()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rdkafka::Message;
    use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

    #[test]
    fn a_group_that_comes_late_reads_from_the_start() {
        let kafka = Kafka::start("tweets", "readers").unwrap();
        let servers = kafka.bootstrap_servers();
        let producer: BaseProducer = ClientConfig::new().set("bootstrap.servers", &servers).create().unwrap();
        for number in 0..3 {
            let payload = format!("tweet {number}");
            producer.send(BaseRecord::<(), _>::to("tweets").payload(&payload)).unwrap();
        }
        producer.flush(Duration::from_secs(30)).unwrap();
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &servers)
            .set("group.id", "readers")
            .create()
            .unwrap();
        consumer.subscribe(&["tweets"]).unwrap();
        // A poll also ends without a message, when the group's partitions are shared out.
        let next = || (0..300).find_map(|_| consumer.poll(Duration::from_millis(100)));
        for number in 0..3 {
            let message = next().expect("a message in time").unwrap();
            assert_eq!(message.payload(), Some(format!("tweet {number}").as_bytes()));
        }
    }
}
