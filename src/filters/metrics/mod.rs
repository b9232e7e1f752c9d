//! Filter `metrics`: counts events and values, and emits the figures as events (logstash-filter-metrics).

mod histogram;
mod rates;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::event::numbers::leading_float;
use crate::event::text::ruby_to_s;
use crate::event::{Event, FieldReference, SprintfError, Template, Value};
use crate::plugin::{
    Build, ConfigKind, ConfigValue, Emit, Example, Filter, Kind, OptionReader, Outcome, Pairs, Spec, options,
};

use histogram::{Histogram, quantile};
use rates::Meter;

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "metrics",
    summary: "Counts events and values, and emits the figures as events of their own.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter {
  metrics { meter => ["http_%{status}"] rates => [] add_tag => ["metric"] }
  if "metric" in [tags] { mutate { remove_field => ["message"] } }
}"#,
        input: &[r#"{"status":200}"#, r#"{"status":404}"#, r#"{"status":200}"#],
        output: &[
            r#"{"status":200}"#,
            r#"{"status":404}"#,
            r#"{"status":200}"#,
            r#"{"http_200":{"count":2},"http_404":{"count":1},"tags":["metric"]}"#,
        ],
    },
    build: Build::Filter(|reader| Some(Box::new(Metrics::build(reader)?))),
};

options! {
    struct Options {
        /// Names of counters, each raised by every event; may hold `%{...}`.
        meter: Vec<Template> = [],
        /// Names of timers and the value that each takes from an event; both may hold `%{...}`.
        timer: Pairs = {},
        /// Events older than this many seconds are not counted. 0: all are.
        ignore_older_than: f64 = 0,
        /// Seconds between two events with figures, a multiple of 5.
        flush_interval: f64 = 5,
        /// Seconds after which all figures begin anew, a multiple of 5. -1: never.
        clear_interval: f64 = -1,
        /// The minutes over which rates are taken: any of 1, 5 and 15.
        rates: Vec<ConfigValue> = [1, 5, 15],
        /// The percentiles of timers, numbers from 0 to 100.
        percentiles: Vec<ConfigValue> = [1, 5, 10, 90, 95, 99, 100],
    }
}

/// Intervals are counted in flushes, which come every 5 seconds.
const SECONDS_PER_FLUSH: f64 = 5.0;

/// More names than these are not counted: names come from events, and memory is bounded.
const MAX_NAMES: usize = 100_000;

struct Metrics {
    meters: Vec<Template>,
    timers: Vec<(Template, Template)>,
    ignore_older_than: f64,
    flush_interval: f64,
    clear_interval: f64,
    /// For each of [`Meter::MINUTES`] whether its rate is wanted.
    rates: [bool; 3],
    /// Names of fields such as `p99.9`, and the share that each stands for.
    percentiles: Vec<(String, f64)>,
    host: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Seconds since the last event with figures, and since the figures began anew.
    since_flush: f64,
    since_clear: f64,
    meters: HashMap<String, Meter>,
    timers: HashMap<String, Timer>,
}

struct Timer {
    meter: Meter,
    histogram: Histogram,
}

impl Metrics {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let options = Options::read(reader)?;
        let mut timers = Vec::new();
        for (name, value) in options.timer.iter() {
            match value.scalar_text() {
                Some(value) => timers.push((Template::parse(name), Template::parse(&value))),
                None => reader.error("timer", format!("\"{name}\" needs a value, such as \"%{{ms}}\"")),
            }
        }
        let is_rate = |value: &ConfigValue| matches!(value.kind, ConfigKind::Integer(1 | 5 | 15));
        if !options.rates.iter().all(is_rate) {
            reader.error("rates", "the possible rates are 1, 5 and 15");
        }
        let wants = |minutes: u8| {
            let minutes = i64::from(minutes);
            options.rates.iter().any(|rate| matches!(rate.kind, ConfigKind::Integer(n) if n == minutes))
        };
        Some(Metrics {
            meters: options.meter,
            timers,
            ignore_older_than: options.ignore_older_than,
            flush_interval: options.flush_interval,
            clear_interval: options.clear_interval,
            rates: Meter::MINUTES.map(wants),
            percentiles: percentiles(reader, &options.percentiles),
            host: gethostname::gethostname().to_string_lossy().into_owned(),
            state: Mutex::default(),
        })
    }

    fn is_too_old(&self, event: &Event) -> bool {
        if self.ignore_older_than <= 0.0 {
            return false;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        event.timestamp().is_some_and(|time| now - time.epoch_seconds() as f64 > self.ignore_older_than)
    }

    fn count(&self, event: &Event) -> Result<(), SprintfError> {
        let now = Instant::now();
        for name in &self.meters {
            let name = name.render(event)?;
            let mut state = self.state();
            if let Some(meter) = entry(&mut state.meters, name, || Meter::new(now)) {
                meter.mark(now);
            }
        }
        for (name, value) in &self.timers {
            let (name, value) = (name.render(event)?, leading_float(&value.render(event)?));
            let mut state = self.state();
            let timer = || Timer { meter: Meter::new(now), histogram: Histogram::new(now) };
            // A negative duration makes a timer appear, but does not count.
            if let Some(timer) = entry(&mut state.timers, name, timer)
                && value >= 0.0
            {
                timer.meter.mark(now);
                timer.histogram.update(value, now);
            }
        }
        Ok(())
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The event with all figures, when it is time for one and there are any.
    fn figures(&self, now: Instant) -> Option<Event> {
        let mut state = self.state();
        state.since_flush += SECONDS_PER_FLUSH;
        state.since_clear += SECONDS_PER_FLUSH;
        let empty = state.meters.is_empty() && state.timers.is_empty();
        if empty || state.since_flush < self.flush_interval {
            return None;
        }
        let mut event = Event::from_message(self.host.as_str());
        let State { meters, timers, .. } = &mut *state;
        for (name, meter) in meters {
            set(&mut event, name, "count", Value::Int(i64::try_from(meter.count()).unwrap_or(i64::MAX)));
            self.set_rates(&mut event, name, meter.rates(now));
        }
        for (name, timer) in timers {
            self.set_timer(&mut event, name, timer, now);
        }
        state.since_flush = 0.0;
        if self.clear_interval > 0.0 && state.since_clear >= self.clear_interval {
            state.since_clear = 0.0;
            state.meters.clear();
            state.timers.clear();
        }
        Some(event)
    }

    fn set_rates(&self, event: &mut Event, name: &str, rates: [f64; 3]) {
        for ((minutes, rate), wanted) in Meter::MINUTES.into_iter().zip(rates).zip(self.rates) {
            if wanted {
                set(event, name, &format!("rate_{minutes}m"), Value::Float(rate));
            }
        }
    }

    fn set_timer(&self, event: &mut Event, name: &str, timer: &mut Timer, now: Instant) {
        let histogram = &timer.histogram;
        set(event, name, "count", Value::Int(i64::try_from(histogram.count()).unwrap_or(i64::MAX)));
        self.set_rates(event, name, timer.meter.rates(now));
        set(event, name, "min", Value::Float(histogram.min()));
        set(event, name, "max", Value::Float(histogram.max()));
        // The root of the deviation: configs and dashboards know the figure as it is.
        set(event, name, "stddev", Value::Float(histogram.deviation().sqrt()));
        set(event, name, "mean", Value::Float(histogram.mean()));
        let values = histogram.snapshot();
        for (field, share) in &self.percentiles {
            set(event, name, field, Value::Float(quantile(&values, *share)));
        }
    }
}

fn percentiles(reader: &mut OptionReader<'_>, values: &[ConfigValue]) -> Vec<(String, f64)> {
    let mut percentiles = Vec::new();
    for value in values {
        let percent = match value.kind {
            ConfigKind::Integer(number) => number as f64,
            ConfigKind::Float(number) => number,
            _ => f64::NAN,
        };
        if (0.0..=100.0).contains(&percent) {
            percentiles.push((format!("p{}", ruby_to_s(&value.to_value())), percent / 100.0));
        } else {
            reader
                .error("percentiles", format!("{} is no number from 0 to 100", ruby_to_s(&value.to_value())));
        }
    }
    percentiles
}

/// What stands under a name, made if need be; `None` when there are too many names.
fn entry<T>(all: &mut HashMap<String, T>, name: String, make: impl FnOnce() -> T) -> Option<&mut T> {
    if all.len() >= MAX_NAMES && !all.contains_key(&name) {
        tracing::warn!(name, names = all.len(), "too many names of metrics, this one is not counted");
        return None;
    }
    Some(all.entry(name).or_insert_with(make))
}

/// Sets `[name][figure]`. The name is part of a field reference, so that `[a][b]` nests.
fn set(event: &mut Event, name: &str, figure: &str, value: Value) {
    let set = FieldReference::parse(&format!("[{name}][{figure}]"))
        .map_err(|error| error.to_string())
        .and_then(|field| event.assign(&field, value).map_err(|error| error.to_string()));
    if let Err(error) = set {
        tracing::warn!(name, figure, error, "the name of a metric does not make a field");
    }
}

impl Filter for Metrics {
    /// The common options apply to the events with figures only.
    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        if self.is_too_old(event) {
            return Outcome::Unmatched;
        }
        match self.count(event) {
            Ok(()) => Outcome::Unmatched,
            Err(error) => {
                tracing::warn!(%error, "could not tell what to count an event as");
                event.tag("_metricserror");
                Outcome::Failed
            }
        }
    }

    fn flush(&self, _last: bool, emit: &mut Emit) {
        if let Some(event) = self.figures(Instant::now()) {
            emit.matched(event);
        }
    }

    fn flushes(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests;
