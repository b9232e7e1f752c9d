//! `Shared`: state that plugins of one pipeline have together, such as the tasks of all `aggregate` filters.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

type Kept = Arc<dyn Any + Send + Sync>;

/// One value of each type, made when it is first asked for. Clones are the same store.
#[derive(Clone, Default)]
pub struct Shared(Arc<Mutex<HashMap<TypeId, Kept>>>);

impl Shared {
    /// The pipeline's value of a type.
    pub fn get<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let mut values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = values.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(T::default()));
        // The key says what it is.
        Arc::clone(kept).downcast().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn all_who_ask_get_the_same() {
        let shared = Shared::default();
        shared.get::<AtomicU32>().fetch_add(2, Ordering::Relaxed);
        assert_eq!(shared.clone().get::<AtomicU32>().load(Ordering::Relaxed), 2);
        assert_eq!(Shared::default().get::<AtomicU32>().load(Ordering::Relaxed), 0);
    }
}
