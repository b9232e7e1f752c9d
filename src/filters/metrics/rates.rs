//! What the gem metriks calls a meter: a count, and its rate over the last 1, 5 and 15 minutes
//! (`metriks/meter.rb`, `metriks/ewma.rb`).

use std::time::{Duration, Instant};

/// Rates are updated when more than this has passed since the last time.
const TICK: Duration = Duration::from_secs(5);

/// Counts events and their rates.
#[derive(Debug)]
pub struct Meter {
    count: u64,
    last_tick: Instant,
    /// Over 1, 5 and 15 minutes.
    rates: [Rate; 3],
}

impl Meter {
    /// The minutes that the rates are taken over.
    pub const MINUTES: [u8; 3] = [1, 5, 15];

    pub fn new(now: Instant) -> Self {
        Meter { count: 0, last_tick: now, rates: Self::MINUTES.map(Rate::over_minutes) }
    }

    /// Counts one event.
    pub fn mark(&mut self, now: Instant) {
        self.tick(now);
        self.count += 1;
        for rate in &mut self.rates {
            rate.uncounted += 1;
        }
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    /// Events per second over the last 1, 5 and 15 minutes, exponentially weighted. 0 before the first 5 seconds.
    pub fn rates(&mut self, now: Instant) -> [f64; 3] {
        self.tick(now);
        self.rates.each_ref().map(|rate| rate.per_second.unwrap_or(0.0))
    }

    fn tick(&mut self, now: Instant) {
        let age = now.saturating_duration_since(self.last_tick);
        if age <= TICK {
            return;
        }
        self.last_tick = now;
        for _ in 0..age.as_nanos() / TICK.as_nanos() {
            self.rates.iter_mut().for_each(Rate::tick);
        }
    }
}

/// An exponentially weighted moving average.
#[derive(Debug)]
struct Rate {
    alpha: f64,
    uncounted: u64,
    per_second: Option<f64>,
}

impl Rate {
    fn over_minutes(minutes: u8) -> Self {
        let alpha = 1.0 - (-TICK.as_secs_f64() / 60.0 / f64::from(minutes)).exp();
        Rate { alpha, uncounted: 0, per_second: None }
    }

    fn tick(&mut self) {
        let instant = std::mem::take(&mut self.uncounted) as f64 / TICK.as_secs_f64();
        self.per_second = Some(match self.per_second {
            Some(rate) => rate + self.alpha * (instant - rate),
            None => instant,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_decay_as_in_metriks() {
        let start = Instant::now();
        let mut meter = Meter::new(start);
        (0..3).for_each(|_| meter.mark(start));
        assert_eq!(meter.rates(start + TICK), [0.0; 3]);
        let later = start + TICK + Duration::from_millis(1);
        assert_eq!(meter.rates(later), [0.6; 3]);
        // The values that EWMATest of Dropwizard Metrics, whose algorithm this is, expects after one minute.
        let rates = meter.rates(later + Duration::from_secs(61));
        assert!((rates[0] - 0.220_727_66).abs() < 1e-6, "{rates:?}");
        assert!((rates[1] - 0.491_238_45).abs() < 1e-6, "{rates:?}");
        assert!((rates[2] - 0.561_304_19).abs() < 1e-6, "{rates:?}");
        assert_eq!(meter.count(), 3);
    }
}
