//! Filter `sleep`: makes events wait (logstash-filter-sleep).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::event::numbers::leading_float;
use crate::event::{Event, Template};
use crate::plugin::{Build, Emit, Example, Filter, Kind, OptionReader, Outcome, Spec, options};

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "sleep",
    summary: "Makes events wait, to slow a pipeline down or to replay events at the pace they came.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter { sleep { time => "0.001" every => 10 add_tag => ["slept"] } }"#,
        input: &[r#"{"message":"m"}"#],
        output: &[r#"{"message":"m","tags":["slept"]}"#],
    },
    build: Build::Filter(|reader| Some(Box::new(Sleep::build(reader)?))),
};

options! {
    #[derive(Debug)]
    struct Options {
        /// Seconds to sleep, also parts of a second; may hold `%{...}`. With `replay`, how much faster than the original.
        time: Option<Template>,
        /// Sleep at every so many events.
        every: String = 1,
        /// Sleep as long as lies between the timestamps of this event and the one before.
        replay: bool = false,
    }
}

#[derive(Debug)]
struct Sleep {
    time: Template,
    every: f64,
    replay: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Events since the last sleep.
    count: u64,
    /// The time of the last event in seconds, for replays.
    last: Option<f64>,
}

impl Sleep {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let Options { time, every, replay } = Options::read(reader)?;
        let time = match time {
            Some(time) => time,
            None if replay => Template::parse("1"),
            None => {
                reader.error(
                    "time",
                    "it is required unless replay is true; add time => \"1\" to sleep a second",
                );
                return None;
            }
        };
        Some(Sleep { time, every: leading_float(&every), replay, state: Mutex::default() })
    }

    /// How long to sleep for this event, in seconds.
    fn pause(&self, event: &Event, time: f64) -> Option<f64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if self.replay {
            let clock = event.timestamp()?;
            let clock = clock.epoch_seconds() as f64 + f64::from(clock.nanos()) / 1e9;
            return state.last.replace(clock).map(|last| (clock - last) / time);
        }
        state.count += 1;
        if (state.count as f64) < self.every {
            return None;
        }
        state.count = 0;
        Some(time)
    }
}

impl Filter for Sleep {
    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        let time = match self.time.render(event) {
            Ok(time) => leading_float(&time),
            Err(error) => {
                tracing::warn!(%error, "could not tell how long to sleep");
                event.tag("_sleeperror");
                return Outcome::Failed;
            }
        };
        // What is negative or beyond all time is no sleep; Logstash stops the pipeline at it.
        if let Some(pause) = self.pause(event, time).and_then(|pause| Duration::try_from_secs_f64(pause).ok())
        {
            std::thread::sleep(pause);
        }
        Outcome::Matched
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Timestamp;

    fn sleep(every: f64, replay: bool) -> Sleep {
        Sleep { time: Template::parse("2"), every, replay, state: Mutex::default() }
    }

    #[test]
    fn every_so_many_events() {
        let sleep = sleep(3.0, false);
        let pauses: Vec<_> = (0..6).map(|_| sleep.pause(&Event::new(), 2.0)).collect();
        assert_eq!(pauses, [None, None, Some(2.0), None, None, Some(2.0)]);
    }

    #[test]
    fn replays_keep_the_distance_of_timestamps() {
        let sleep = sleep(1.0, true);
        let at = |millis| Event::at(Timestamp::from_millis(millis));
        assert_eq!(sleep.pause(&at(1000), 2.0), None);
        assert_eq!(sleep.pause(&at(4000), 2.0), Some(1.5));
        assert_eq!(sleep.pause(&at(3000), 2.0), Some(-0.5));
    }
}
