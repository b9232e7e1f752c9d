//! Answers that filters keep for a while, so as not to ask the same thing twice.

use std::time::{Duration, Instant};

use quick_cache::sync::Cache;

/// A bounded number of answers by question, each with an end of its life.
#[derive(Debug)]
pub struct Kept<T> {
    answers: Cache<Box<str>, (T, Instant)>,
    life: Duration,
}

impl<T: Clone> Kept<T> {
    /// Nothing for a size of 0, which means that nothing is kept.
    pub fn new(size: usize, life: Duration) -> Option<Self> {
        (size > 0).then(|| Kept { answers: Cache::new(size), life })
    }

    pub fn get(&self, question: &str) -> Option<T> {
        let (answer, end) = self.answers.get(question)?;
        if Instant::now() < end {
            return Some(answer);
        }
        self.answers.remove(question);
        None
    }

    pub fn insert(&self, question: &str, answer: T) {
        if let Some(end) = Instant::now().checked_add(self.life) {
            self.answers.insert(question.into(), (answer, end));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_end() {
        let kept = Kept::new(10, Duration::from_secs(3600)).unwrap();
        kept.insert("a", 1);
        assert_eq!((kept.get("a"), kept.get("b")), (Some(1), None));
        let brief = Kept::new(10, Duration::ZERO).unwrap();
        brief.insert("a", 1);
        assert_eq!(brief.get("a"), None);
        assert!(Kept::<u8>::new(0, Duration::from_secs(60)).is_none());
    }
}
