//! Filter `throttle`: marks events that come too seldom or too often (logstash-filter-throttle).
//!
//! Events are counted by key and time slot; the slots follow the events' own times, so that old events are counted
//! where they belong. State is shared by all workers of the pipeline.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use crate::event::numbers::leading_integer;
use crate::event::{Event, SprintfError, Template};
use crate::plugin::{Build, Emit, Example, Filter, Kind, OptionReader, Outcome, Spec, options};

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "throttle",
    summary: "Marks events of which too few or too many came within a time.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter {
  throttle { key => "%{host}" after_count => 1 period => "60" max_age => 120 add_tag => ["throttled"] }
  if "throttled" in [tags] { drop { } }
}"#,
        input: &[
            r#"{"host":"a","@timestamp":"2024-05-06T07:08:00Z"}"#,
            r#"{"host":"b","@timestamp":"2024-05-06T07:08:01Z"}"#,
            r#"{"host":"a","@timestamp":"2024-05-06T07:08:02Z"}"#,
        ],
        output: &[r#"{"host":"a"}"#, r#"{"host":"b"}"#],
    },
    build: Build::Filter(|reader| Some(Box::new(Throttle::build(reader)?))),
};

options! {
    struct Options {
        /// What events are told apart by, such as `%{host}%{message}`.
        key: Template,
        /// The first events of a period are throttled until this many have come. -1: none are.
        before_count: f64 = -1,
        /// Events of a period are throttled after this many. -1: none are.
        after_count: f64 = -1,
        /// Length of a period in seconds; may hold `%{...}`.
        period: Template = "60",
        /// For how many seconds counts are kept, by the times of events.
        max_age: f64 = 3600,
        /// How many counts to keep before `max_age` is shortened. -1: as many as there are.
        max_counters: i64 = 100000,
    }
}

/// `max_age` is changed by this share of itself at a time, and never below it.
const AGE_STEP_PERCENT: f64 = 5.0;
/// It grows again while there are fewer counts than this share of `max_counters`.
const GROW_BELOW_PERCENT: i64 = 80;
/// There are never more than this many times `max_counters`, and never fewer allowed than `LEAST_BOUND`: shortening
/// `max_age` alone, as Logstash does, bounds nothing while new keys keep coming.
const BOUND_FACTOR: i64 = 10;
const LEAST_BOUND: i64 = 10_000;

#[derive(Debug)]
struct Throttle {
    key: Template,
    period: Template,
    before_count: f64,
    after_count: f64,
    max_age: f64,
    max_counters: i64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    keys: HashMap<Box<str>, Slots>,
    /// Counts of all keys together.
    counters: usize,
    /// `max_age` as it is at the moment.
    max_age: f64,
}

/// The counts of one key. Times are in seconds since 1970.
#[derive(Debug)]
struct Slots {
    /// The time of the key's first event, where its slots are aligned.
    created: i64,
    latest: i64,
    counts: BTreeMap<i64, u64>,
}

impl Throttle {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let Options { key, before_count, after_count, period, max_age, max_counters } =
            Options::read(reader)?;
        let state = Mutex::new(State { keys: HashMap::new(), counters: 0, max_age });
        Some(Throttle { key, period, before_count, after_count, max_age, max_counters, state })
    }

    /// Counts an event of a time and says the how manieth of its slot it is.
    fn count(&self, event: &Event, epoch: i64) -> Result<u64, SprintfError> {
        let key = self.key.render(event)?;
        let period = match leading_integer(&self.period.render(event)?) {
            0 => 60,
            seconds => seconds,
        };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(state.count(key, epoch, period, self.bound()))
    }

    /// The most counts to be kept in memory.
    fn bound(&self) -> usize {
        match self.max_counters {
            -1 => usize::MAX,
            max => usize::try_from(max.saturating_mul(BOUND_FACTOR).max(LEAST_BOUND)).unwrap_or(usize::MAX),
        }
    }

    /// Forgets keys of which nothing came for long, and adapts `max_age` to the number of counts.
    fn expire(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = state.keys.values().map(|slots| slots.latest).max().unwrap_or(0).max(0);
        let oldest = newest as f64 - state.max_age;
        state.keys.retain(|_, slots| slots.latest as f64 >= oldest);
        state.counters = state.keys.values().map(|slots| slots.counts.len()).sum();
        let total = i64::try_from(state.counters).unwrap_or(i64::MAX);
        if self.max_counters == -1 {
            return;
        }
        let step = percent(self.max_age, AGE_STEP_PERCENT);
        if total > self.max_counters && state.max_age > step {
            state.max_age -= step;
            tracing::warn!(
                max_age = state.max_age,
                exceeded_by = total - self.max_counters,
                "throttle keeps its counts for a shorter time: max_counters was exceeded, use a better key"
            );
        } else if state.max_age < self.max_age
            && total < self.max_counters.saturating_mul(GROW_BELOW_PERCENT) / 100
        {
            state.max_age += step;
            tracing::warn!(max_age = state.max_age, "throttle keeps its counts for a longer time again");
        }
    }
}

/// A share of a number; of a whole number the whole part, as Ruby divides.
fn percent(number: f64, percent: f64) -> f64 {
    let share = number * percent / 100.0;
    if number.fract() == 0.0 { share.floor() } else { share }
}

impl State {
    fn count(&mut self, key: String, epoch: i64, period: i64, bound: usize) -> u64 {
        if self.counters >= bound {
            self.forget_half();
        }
        let max_age = self.max_age;
        let slots = self.keys.entry(key.into_boxed_str()).or_insert_with(|| Slots {
            created: epoch,
            latest: epoch,
            counts: BTreeMap::new(),
        });
        slots.latest = slots.latest.max(epoch);
        let before = slots.counts.len();
        let slot = epoch.saturating_sub(floored_remainder(epoch.saturating_sub(slots.created), period));
        let count = slots.counts.entry(slot).or_insert(0);
        *count += 1;
        let count = *count;
        let newest = slots.counts.last_key_value().map_or(0, |(slot, _)| *slot);
        let oldest = newest as f64 - max_age;
        while slots.counts.first_key_value().is_some_and(|(slot, _)| (*slot as f64) < oldest) {
            slots.counts.pop_first();
        }
        self.counters = (self.counters + slots.counts.len()).saturating_sub(before);
        count
    }

    /// Forgets the half of the keys of which nothing came for longest.
    fn forget_half(&mut self) {
        let mut times: Vec<i64> = self.keys.values().map(|slots| slots.latest).collect();
        let middle = times.len() / 2;
        let (_, median, _) = times.select_nth_unstable(middle);
        let median = *median;
        let mut to_forget = middle.max(1);
        self.keys.retain(|_, slots| {
            let forget = to_forget > 0 && slots.latest <= median;
            to_forget -= usize::from(forget);
            !forget
        });
        self.counters = self.keys.values().map(|slots| slots.counts.len()).sum();
        tracing::warn!(
            keys_left = self.keys.len(),
            "throttle has forgotten half of its keys: there are too many"
        );
    }
}

/// Ruby's `%`: the result has the sign of the divisor, which is not 0.
fn floored_remainder(number: i64, divisor: i64) -> i64 {
    let remainder = number.wrapping_rem(divisor);
    if remainder != 0 && (remainder < 0) != (divisor < 0) { remainder + divisor } else { remainder }
}

impl Filter for Throttle {
    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        let counted = event.timestamp().map(|time| self.count(event, time.epoch_seconds()));
        let count = match counted {
            Some(Ok(count)) => count as f64,
            None => {
                tracing::warn!("an event without @timestamp cannot be throttled");
                event.tag("_throttleerror");
                return Outcome::Failed;
            }
            Some(Err(error)) => {
                tracing::warn!(%error, "could not tell the key or period of an event to throttle");
                event.tag("_throttleerror");
                return Outcome::Failed;
            }
        };
        let too_early = self.before_count != -1.0 && count < self.before_count;
        let too_many = self.after_count != -1.0 && count > self.after_count;
        if too_early || too_many { Outcome::Matched } else { Outcome::Unmatched }
    }

    fn flush(&self, _last: bool, _emit: &mut Emit) {
        self.expire();
    }

    fn flushes(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn throttle(max_age: f64, max_counters: i64) -> Throttle {
        Throttle {
            key: Template::parse("%{k}"),
            period: Template::parse("%{p}"),
            before_count: -1.0,
            after_count: 1.0,
            max_age,
            max_counters,
            state: Mutex::new(State { keys: HashMap::new(), counters: 0, max_age }),
        }
    }

    fn event(key: &str, period: &str, seconds: i64) -> Event {
        let mut event = Event::at(crate::event::Timestamp::from_millis(seconds * 1000));
        event.data_mut().insert("k", key.into());
        event.data_mut().insert("p", period.into());
        event
    }

    fn outcomes(throttle: &Throttle, events: &[(&str, &str, i64)]) -> Vec<bool> {
        let run = |&(key, period, seconds): &(&str, &str, i64)| {
            throttle.filter(&mut event(key, period, seconds), &mut Emit::default()) == Outcome::Matched
        };
        events.iter().map(run).collect()
    }

    #[test]
    fn periods_come_from_events() {
        let throttle = throttle(100.0, -1);
        // "x" is no number, so that 60 seconds are taken; a key's slots begin with its first event.
        let events = [("a", "x", 50), ("a", "x", 109), ("a", "x", 110), ("a", "10", 119), ("b", "x", 119)];
        assert_eq!(outcomes(&throttle, &events), [false, true, false, true, false]);
    }

    #[test]
    fn old_slots_and_keys_are_forgotten() {
        let throttle = throttle(10.0, -1);
        assert_eq!(
            outcomes(&throttle, &[("a", "1", 0), ("a", "1", 11), ("a", "1", 0), ("a", "1", 0)]),
            [false; 4]
        );
        outcomes(&throttle, &[("b", "1", 30)]);
        throttle.flush(false, &mut Emit::default());
        let state = throttle.state.lock().unwrap();
        assert_eq!((state.keys.len(), state.counters), (1, 1));
    }

    #[test]
    fn too_many_counts_shorten_the_age() {
        let throttle = throttle(3600.0, 2);
        outcomes(&throttle, &[("a", "1", 0), ("b", "1", 0), ("c", "1", 0)]);
        throttle.expire();
        assert_eq!(throttle.state.lock().unwrap().max_age, 3420.0);
        throttle.state.lock().unwrap().keys.clear();
        throttle.expire();
        assert_eq!(throttle.state.lock().unwrap().max_age, 3600.0);
    }

    #[test]
    fn memory_is_bounded() {
        let throttle = throttle(3600.0, 1);
        for n in 0..LEAST_BOUND + 1 {
            outcomes(&throttle, &[(n.to_string().as_str(), "1", n)]);
        }
        let state = throttle.state.lock().unwrap();
        assert_eq!(state.keys.len() as i64, LEAST_BOUND / 2 + 1);
        assert_eq!(state.counters, state.keys.len());
        assert!(!state.keys.contains_key("0") && state.keys.contains_key("9999"));
    }

    #[test]
    fn remainders_are_floored() {
        assert_eq!(
            [(-1, 60), (61, 60), (1, -60), (-61, -60)].map(|(a, b)| floored_remainder(a, b)),
            [59, 1, -59, -1]
        );
    }
}
