//! What a consumer subscribes to: a list of topics, or every topic that matches a pattern.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::KafkaError;

use super::KafkaOptions;
use crate::kafka::Refusal;
use crate::regex::Regex;

/// Kafka's own topics, which a pattern skips unless `exclude_internal_topics => false`.
const INTERNAL: [&str; 3] = ["__consumer_offsets", "__transaction_state", "__share_group_state"];
/// A cluster that does not answer must not hold up a shutdown.
const ANSWER_TIME: Duration = Duration::from_secs(2);
/// While nothing matches, a new topic is looked for more often than `metadata_max_age_ms` would.
const EAGER: Duration = Duration::from_secs(10);

/// The subscription of an input.
pub enum Topics {
    /// These.
    Listed(Vec<String>),
    /// Those that match.
    Matching(Pattern),
}

/// A Java regular expression over topic names.
pub struct Pattern {
    regex: Regex,
    internal: bool,
    refresh: Duration,
}

impl Topics {
    /// Reads `topics`, `topics_pattern` and `exclude_internal_topics`.
    ///
    /// # Errors
    /// A pattern that is no regular expression, an empty list, or a word other than true and false.
    pub fn new(options: &KafkaOptions) -> Result<Self, Refusal> {
        let Some(pattern) = &options.topics_pattern else {
            return match options.topics.is_empty() {
                true => Err(Refusal::new("topics", "it names no topic")),
                false => Ok(Topics::Listed(options.topics.clone())),
            };
        };
        let internal = match options.exclude_internal_topics.as_deref() {
            None | Some("true") => false,
            Some("false") => true,
            Some(other) => {
                return Err(Refusal::new(
                    "exclude_internal_topics",
                    format!("{other:?} is neither true nor false"),
                ));
            }
        };
        // The Java client matches whole names (`Matcher.matches`). librdkafka's own patterns are POSIX ones and find
        // anywhere, so they are not used.
        let regex = Regex::new(&format!("\\A(?:{pattern})\\z"))
            .map_err(|error| Refusal::new("topics_pattern", error.to_string()))?;
        let refresh = Duration::from_millis(options.metadata_max_age_ms.max(1).unsigned_abs());
        Ok(Topics::Matching(Pattern { regex, internal, refresh }))
    }
}

impl Pattern {
    fn matches(&self, topic: &str) -> bool {
        (self.internal || !INTERNAL.contains(&topic)) && self.regex.is_match(topic)
    }
}

/// One member's subscription, kept up to date.
#[derive(Default)]
pub struct Subscription {
    subscribed: Vec<String>,
    checked: Option<Instant>,
}

impl Subscription {
    /// Subscribes, or subscribes anew where the topics that match have changed. To be called between polls.
    ///
    /// # Errors
    /// What librdkafka says of a topic's name; a cluster that does not answer is asked again later.
    pub fn keep<C: ConsumerContext>(
        &mut self,
        topics: &Topics,
        consumer: &BaseConsumer<C>,
    ) -> Result<(), KafkaError> {
        let wanted = match topics {
            Topics::Listed(_) if self.checked.is_some() => return Ok(()),
            Topics::Listed(listed) => listed.clone(),
            Topics::Matching(pattern) => {
                let wait =
                    if self.subscribed.is_empty() { pattern.refresh.min(EAGER) } else { pattern.refresh };
                if self.checked.is_some_and(|checked| checked.elapsed() < wait) {
                    return Ok(());
                }
                let Ok(cluster) = consumer.fetch_metadata(None, ANSWER_TIME) else { return Ok(()) };
                let names = cluster.topics().iter().map(rdkafka::metadata::MetadataTopic::name);
                let mut matching: Vec<_> =
                    names.filter(|name| pattern.matches(name)).map(str::to_owned).collect();
                matching.sort();
                matching
            }
        };
        self.checked = Some(Instant::now());
        if wanted == self.subscribed {
            return Ok(());
        }
        match wanted.is_empty() {
            true => consumer.unsubscribe(),
            false => consumer.subscribe(&wanted.iter().map(String::as_str).collect::<Vec<_>>())?,
        }
        self.subscribed = wanted;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str, internal: bool) -> Pattern {
        let regex = Regex::new(&format!("\\A(?:{text})\\z")).expect("a pattern");
        Pattern { regex, internal, refresh: EAGER }
    }

    #[test]
    fn patterns_match_whole_names_as_javas_do() {
        for (text, topic, matches) in [
            ("logs-.*", "logs-web", true),
            ("logs-.*", "old-logs-web", false),
            ("logs", "logs-web", false),
            ("^logs-\\d+$", "logs-17", true),
            ("a|b", "b", true),
            ("a|b", "ab", false),
            ("(?!audit)[a-z]+", "audit", false),
            ("(?!audit)[a-z]+", "web", true),
            (".*", "__consumer_offsets", false),
        ] {
            assert_eq!(pattern(text, false).matches(topic), matches, "{text} on {topic}");
        }
        assert!(pattern(".*", true).matches("__consumer_offsets"));
    }
}
