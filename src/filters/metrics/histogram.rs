//! The values of a timer: least, greatest, mean, spread, and percentiles of a sample that favours what is new
//! (`metriks/histogram.rb`, `exponentially_decaying_sample.rb`, `snapshot.rb`).

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

/// As many values are kept for percentiles.
const SAMPLE_SIZE: usize = 1028;
/// How fast the weight of values grows with time, per second.
const ALPHA: f64 = 0.015;
/// Weights are brought back to the ground this often, before they outgrow a double.
const RESCALE_AFTER: Duration = Duration::from_secs(3600);

#[derive(Debug)]
pub struct Histogram {
    count: u64,
    min: f64,
    max: f64,
    sum: f64,
    /// Welford's running mean, and the sum of squares of the distances from it.
    mean: f64,
    squares: f64,
    sample: Sample,
}

impl Histogram {
    pub fn new(now: Instant) -> Self {
        Histogram {
            count: 0,
            min: 0.0,
            max: 0.0,
            sum: 0.0,
            mean: 0.0,
            squares: 0.0,
            sample: Sample { values: BinaryHeap::new(), start: now },
        }
    }

    pub fn update(&mut self, value: f64, now: Instant) {
        self.count += 1;
        self.sum += value;
        if self.count == 1 {
            (self.min, self.max, self.mean) = (value, value, value);
        } else {
            self.min = self.min.min(value);
            self.max = self.max.max(value);
            let mean = self.mean + (value - self.mean) / self.count as f64;
            self.squares += (value - self.mean) * (value - mean);
            self.mean = mean;
        }
        self.sample.update(value, now);
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    pub fn min(&self) -> f64 {
        self.min
    }

    pub fn max(&self) -> f64 {
        self.max
    }

    pub fn mean(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.sum / self.count as f64 }
    }

    /// The standard deviation of all values, 0 for fewer than two.
    pub fn deviation(&self) -> f64 {
        if self.count < 2 { 0.0 } else { (self.squares / (self.count - 1) as f64).sqrt() }
    }

    /// The values of the sample, ascending.
    pub fn snapshot(&self) -> Vec<f64> {
        let mut values: Vec<f64> = self.sample.values.iter().map(|entry| entry.value).collect();
        values.sort_unstable_by(f64::total_cmp);
        values
    }
}

/// The value below which a share of the sorted values lies, between two of them in proportion; 0 without values.
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else { return 0.0 };
    let position = share * (sorted.len() + 1) as f64;
    if position < 1.0 {
        return *first;
    }
    let at = position as usize;
    match (sorted.get(at - 1), sorted.get(at)) {
        (Some(lower), Some(upper)) => lower + position.fract() * (upper - lower),
        _ => *last,
    }
}

/// A sample in which a value stays the likelier the younger it is.
#[derive(Debug)]
struct Sample {
    /// The value of the lowest priority on top.
    values: BinaryHeap<Entry>,
    start: Instant,
}

#[derive(Debug)]
struct Entry {
    priority: f64,
    value: f64,
}

impl Sample {
    fn update(&mut self, value: f64, now: Instant) {
        let age = now.saturating_duration_since(self.start);
        if age >= RESCALE_AFTER {
            self.rescale(now, age);
        }
        let age = now.saturating_duration_since(self.start).as_secs_f64();
        let priority = ((ALPHA * age).exp() / fastrand::f64()).min(f64::MAX);
        if self.values.len() < SAMPLE_SIZE {
            self.values.push(Entry { priority, value });
        } else if let Some(mut lowest) = self.values.peek_mut()
            && lowest.priority < priority
        {
            *lowest = Entry { priority, value };
        }
    }

    fn rescale(&mut self, now: Instant, age: Duration) {
        let factor = (-ALPHA * age.as_secs_f64()).exp();
        let values = std::mem::take(&mut self.values).into_iter();
        self.values = values.map(|entry| Entry { priority: entry.priority * factor, ..entry }).collect();
        self.start = now;
    }
}

impl Ord for Entry {
    /// Reversed, because the heap has its greatest element on top.
    fn cmp(&self, other: &Self) -> Ordering {
        other.priority.total_cmp(&self.priority)
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_values() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        // As the tests of metriks' histogram expect them.
        assert_eq!(quantile(&values, 0.5), 50.5);
        assert!((quantile(&values, 0.75) - 75.75).abs() < 1e-9);
        assert!((quantile(&values, 0.999) - 100.0).abs() < 1e-9);
        assert_eq!((quantile(&values, 0.0), quantile(&values, 1.0)), (1.0, 100.0));
        assert_eq!((quantile(&[], 0.5), quantile(&[7.0], 0.5)), (0.0, 7.0));
    }

    #[test]
    fn the_spread_of_a_series() {
        let now = Instant::now();
        let mut histogram = Histogram::new(now);
        for value in [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0] {
            histogram.update(value, now);
        }
        assert_eq!((histogram.min(), histogram.max(), histogram.mean()), (2.0, 9.0, 5.0));
        // The squares of the distances from 5 add up to 32; 32 / 7 under the root.
        assert!((histogram.deviation() - 2.138_089_935).abs() < 1e-9);
    }

    #[test]
    fn the_sample_is_bounded_and_favours_what_is_new() {
        let start = Instant::now();
        let mut histogram = Histogram::new(start);
        (0..SAMPLE_SIZE).for_each(|_| histogram.update(0.0, start));
        // After some two hours every new value weighs e^50 times as much as the old ones, and more.
        let later = start + RESCALE_AFTER * 2;
        (0..SAMPLE_SIZE).for_each(|_| histogram.update(1.0, later));
        let values = histogram.snapshot();
        assert_eq!(values.len(), SAMPLE_SIZE);
        assert_eq!(values.first(), Some(&1.0));
    }
}
