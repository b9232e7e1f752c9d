//! Answers that are kept for a while.

use std::time::{Duration, Instant};

use quick_cache::sync::Cache;

/// A bounded number of answers by statement, each with an end of its life.
#[derive(Debug)]
pub(super) struct Kept<T> {
    answers: Cache<Box<str>, (T, Instant)>,
    life: Duration,
}

impl<T: Clone> Kept<T> {
    pub fn new(size: usize, life: Duration) -> Self {
        Kept { answers: Cache::new(size), life }
    }

    pub fn get(&self, statement: &str) -> Option<T> {
        let (answer, end) = self.answers.get(statement)?;
        if Instant::now() < end {
            return Some(answer);
        }
        self.answers.remove(statement);
        None
    }

    pub fn insert(&self, statement: &str, answer: T) {
        if let Some(end) = Instant::now().checked_add(self.life) {
            self.answers.insert(statement.into(), (answer, end));
        }
    }
}
