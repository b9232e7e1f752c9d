//! `Object`: the fields of an event, or of a JSON object inside one, in insertion order.

use std::hash::{BuildHasher, RandomState};

use compact_str::CompactString;
use hashbrown::HashTable;

use super::value::Value;

/// A field name. Names of up to 24 bytes, nearly all of them, are stored in place without an allocation.
pub type Key = CompactString;

/// From this many fields on, look-ups go through a hash index: below, comparing names one after the other is faster.
const INDEXED_FROM: usize = 64;

/// An insertion-ordered map from names to values.
///
/// A plain vector, because events have some 5 to 50 fields and are built far more often than searched; documents with
/// thousands of keys get an index (keyed by a random SipHash key), so that hostile input costs no quadratic time.
#[derive(Debug, Clone, Default)]
pub struct Object {
    entries: Vec<(Key, Value)>,
    index: Option<Box<Index>>,
}

#[derive(Debug, Clone, Default)]
struct Index {
    hasher: RandomState,
    positions: HashTable<usize>,
}

impl Index {
    fn build(entries: &[(Key, Value)]) -> Box<Self> {
        let mut index = Box::new(Index::default());
        for position in 0..entries.len() {
            index.insert(entries, position);
        }
        index
    }

    fn insert(&mut self, entries: &[(Key, Value)], position: usize) {
        let Index { hasher, positions } = self;
        let hash_at = |&at: &usize| entries.get(at).map_or(0, |(key, _)| hasher.hash_one(key.as_str()));
        positions.insert_unique(hash_at(&position), position, hash_at);
    }

    fn find(&self, entries: &[(Key, Value)], key: &str) -> Option<usize> {
        let is_key = |&at: &usize| entries.get(at).is_some_and(|(name, _)| name == key);
        self.positions.find(self.hasher.hash_one(key), is_key).copied()
    }
}

impl Object {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn with_capacity(fields: usize) -> Self {
        Object { entries: Vec::with_capacity(fields), index: None }
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    #[inline]
    fn position(&self, key: &str) -> Option<usize> {
        match &self.index {
            Some(index) => index.find(&self.entries, key),
            None => {
                // Names of the same length are mostly told apart by their first byte, without a call of memcmp.
                let (key, first) = (key.as_bytes(), key.as_bytes().first());
                self.entries.iter().position(|(name, _)| {
                    let name = name.as_bytes();
                    name.len() == key.len() && name.first() == first && name == key
                })
            }
        }
    }

    #[inline]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.position(key).and_then(|at| self.entries.get(at)).map(|(_, value)| value)
    }

    #[inline]
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        let at = self.position(key)?;
        self.entries.get_mut(at).map(|(_, value)| value)
    }

    pub fn contains_key(&self, key: &str) -> bool {
        self.position(key).is_some()
    }

    /// Sets a field; an existing one keeps its place. Returns the value it had.
    pub fn insert(&mut self, key: impl Into<Key> + AsRef<str>, value: Value) -> Option<Value> {
        if let Some(existing) = self.get_mut(key.as_ref()) {
            return Some(std::mem::replace(existing, value));
        }
        self.push_new(key.into(), value);
        None
    }

    /// Appends a field that is known not to exist yet.
    pub(crate) fn push_new(&mut self, key: Key, value: Value) {
        self.entries.push((key, value));
        match &mut self.index {
            Some(index) => index.insert(&self.entries, self.entries.len() - 1),
            None if self.entries.len() >= INDEXED_FROM => self.index = Some(Index::build(&self.entries)),
            None => {}
        }
    }

    /// The value of a field, which `make` gives if there is none yet.
    pub(crate) fn get_or_push(&mut self, key: &Key, make: impl FnOnce() -> Value) -> Option<&mut Value> {
        let at = match self.position(key) {
            Some(at) => at,
            None => {
                self.push_new(key.clone(), make());
                self.entries.len() - 1
            }
        };
        self.entries.get_mut(at).map(|(_, value)| value)
    }

    /// Removes a field; the others keep their order.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let at = self.position(key)?;
        let (_, value) = self.entries.remove(at);
        self.reindex();
        Some(value)
    }

    /// Keeps the fields for which `keep` says so, in one pass.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &mut Value) -> bool) {
        self.entries.retain_mut(|(key, value)| keep(key, value));
        self.reindex();
    }

    fn reindex(&mut self) {
        if self.index.is_some() {
            self.index = (self.entries.len() >= INDEXED_FROM).then(|| Index::build(&self.entries));
        }
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> + Clone {
        self.entries.iter().map(|(key, value)| (key.as_str(), value))
    }

    pub fn values_mut(&mut self) -> impl ExactSizeIterator<Item = &mut Value> {
        self.entries.iter_mut().map(|(_, value)| value)
    }

    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> + Clone {
        self.entries.iter().map(|(key, _)| key.as_str())
    }
}

impl PartialEq for Object {
    /// Equal when both hold the same fields; their order does not count.
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|(key, value)| other.get(key) == Some(value))
    }
}

impl IntoIterator for Object {
    type Item = (Key, Value);
    type IntoIter = std::vec::IntoIter<(Key, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl<K: Into<Key> + AsRef<str>> FromIterator<(K, Value)> for Object {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(fields: I) -> Self {
        let fields = fields.into_iter();
        let mut object = Object::with_capacity(fields.size_hint().0);
        for (key, value) in fields {
            object.insert(key, value);
        }
        object
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_replacement() {
        let mut object = Object::new();
        object.insert("b", Value::Int(1));
        object.insert("a", Value::Int(2));
        assert_eq!(object.insert("b", Value::Int(3)), Some(Value::Int(1)));
        assert_eq!(object.keys().collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!(object.remove("b"), Some(Value::Int(3)));
        assert_eq!(object.get("b"), None);
    }

    #[test]
    fn large_objects_find_every_key_after_removals() {
        let mut object: Object = (0..500).map(|n| (format!("k{n}"), Value::Int(n))).collect();
        for n in (0..500).step_by(3) {
            assert_eq!(object.remove(&format!("k{n}")), Some(Value::Int(n)));
        }
        for n in 0..500 {
            let expected = (n % 3 != 0).then_some(Value::Int(n));
            assert_eq!(object.get(&format!("k{n}")).cloned(), expected);
        }
        object.retain(|_, value| *value == Value::Int(1));
        assert_eq!(object.len(), 1);
        assert_eq!(object.get("k1"), Some(&Value::Int(1)));
    }
}
