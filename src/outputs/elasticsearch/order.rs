//! `Order`: changes of the same document keep their order, although several bulk requests are on their way at once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

/// Which documents are being changed, by the hashes of their ids, and the last batch that does so.
#[derive(Debug, Default)]
pub struct Order {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next_ticket: u64,
    last: HashMap<u64, (u64, watch::Receiver<()>)>,
}

/// A batch's place behind those that change the same documents. Dropped, it lets the next ones go.
#[derive(Debug)]
pub struct Claim {
    order: Arc<Order>,
    ticket: u64,
    identities: Vec<u64>,
    before: Vec<watch::Receiver<()>>,
    /// Dropped last: whoever waits for this batch is woken by it.
    _done: watch::Sender<()>,
}

impl Order {
    /// Takes the next place for a batch that changes these documents; `None` when it changes none that another could.
    pub fn claim(self: &Arc<Self>, mut identities: Vec<u64>) -> Option<Claim> {
        if identities.is_empty() {
            return None;
        }
        identities.sort_unstable();
        identities.dedup();
        let (done, waiting) = watch::channel(());
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        let mut before: Vec<(u64, watch::Receiver<()>)> = Vec::new();
        for identity in &identities {
            if let Some((other, done)) = state.last.insert(*identity, (ticket, waiting.clone()))
                && !before.iter().any(|(known, _)| *known == other)
            {
                before.push((other, done));
            }
        }
        drop(state);
        let before = before.into_iter().map(|(_, done)| done).collect();
        Some(Claim { order: Arc::clone(self), ticket, identities, before, _done: done })
    }
}

impl Claim {
    /// Waits for every earlier batch that changes one of the same documents.
    pub async fn turn(&mut self) {
        for mut earlier in self.before.drain(..) {
            // An error means that the earlier batch is done, nothing else ever comes.
            while earlier.changed().await.is_ok() {}
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut state = self.order.state.lock().unwrap_or_else(PoisonError::into_inner);
        for identity in &self.identities {
            if let Entry::Occupied(last) = state.last.entry(*identity)
                && last.get().0 == self.ticket
            {
                last.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn only_the_same_documents_wait_for_each_other() {
        let order = Arc::new(Order::default());
        assert!(order.claim(Vec::new()).is_none());
        let first = order.claim(vec![1, 2]).unwrap();
        let mut other = order.claim(vec![3]).unwrap();
        let mut second = order.claim(vec![2, 2, 3]).unwrap();
        let mut third = order.claim(vec![2]).unwrap();
        assert!(other.turn().now_or_never().is_some());
        {
            let mut turn = Box::pin(second.turn());
            assert!((&mut turn).now_or_never().is_none());
            drop(first);
            assert!((&mut turn).now_or_never().is_none(), "3 is not done");
            drop(other);
            assert!((&mut turn).now_or_never().is_some());
        }
        {
            let mut turn = Box::pin(third.turn());
            assert!((&mut turn).now_or_never().is_none());
            drop(second);
            assert!((&mut turn).now_or_never().is_some());
        }
        drop(third);
        assert!(order.state.lock().unwrap().last.is_empty());
    }
}
