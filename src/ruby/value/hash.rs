//! `HashMap` and `RHash`: insertion-ordered maps with Ruby's `eql?` keys.

use std::cell::{Cell, Ref, RefCell, RefMut};
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::rc::Rc;
use std::sync::LazyLock;

use hashbrown::HashTable;

use super::object::bury;
use super::{Extra, RProc, Value, holds_others};

/// From this many entries on, keys are found through an index; below, comparing them one by one is faster.
const INDEXED_FROM: usize = 9;
/// Keys nested deeper are told apart by identity.
const MAX_KEY_DEPTH: usize = 64;
/// How many values within a key are looked at: arrays may hold each other many times over.
const MOST_FED: usize = 100_000;

struct Entry {
    hash: u64,
    key: Value,
    value: Value,
}

/// An insertion-ordered map. Deleted entries leave gaps, which are closed when there are many.
#[derive(Default)]
pub struct HashMap {
    entries: Vec<Option<Entry>>,
    len: usize,
    index: Option<HashTable<usize>>,
}

impl HashMap {
    pub fn new() -> HashMap {
        HashMap::default()
    }

    pub fn with_capacity(entries: usize) -> HashMap {
        HashMap { entries: Vec::with_capacity(entries), ..HashMap::default() }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn find(&self, hash: u64, key: &Value) -> Option<usize> {
        let is_key = |entry: &Entry| entry.hash == hash && keys_equal(&entry.key, key);
        match &self.index {
            Some(index) => index
                .find(hash, |&at| self.entries.get(at).and_then(Option::as_ref).is_some_and(is_key))
                .copied(),
            None => self.entries.iter().position(|entry| entry.as_ref().is_some_and(is_key)),
        }
    }

    pub fn get(&self, key: &Value) -> Option<Value> {
        if self.len == 0 {
            return None;
        }
        let at = self.find(key_hash(key), key)?;
        self.entries.get(at)?.as_ref().map(|entry| entry.value.clone())
    }

    /// The value under a text key.
    pub fn get_str(&self, key: &str) -> Option<Value> {
        self.get(&Value::str(key))
    }

    pub fn contains_key(&self, key: &Value) -> bool {
        self.find(key_hash(key), key).is_some()
    }

    /// Sets a value; an existing key keeps its place. A string that is not frozen is copied to be a key.
    pub fn insert(&mut self, key: Value, value: Value) {
        let hash = key_hash(&key);
        let found = self.find(hash, &key);
        self.put(found, hash, key, value);
    }

    /// Sets a value at the place where its key was found, or at the end.
    fn put(&mut self, found: Option<usize>, hash: u64, key: Value, value: Value) {
        if let Some(at) = found {
            if let Some(Some(entry)) = self.entries.get_mut(at) {
                entry.value = value;
            }
            return;
        }
        let key = match key {
            Value::Str(string) if !string.is_frozen() => Value::Str(Rc::new(string.frozen_copy())),
            other => other,
        };
        self.entries.push(Some(Entry { hash, key, value }));
        self.len += 1;
        let at = self.entries.len() - 1;
        match &mut self.index {
            Some(index) => {
                let entries = &self.entries;
                index.insert_unique(hash, at, |&at| hash_at(entries, at));
            }
            None if self.len >= INDEXED_FROM => self.reindex(),
            None => {}
        }
    }

    /// Removes a key and gives what it held.
    pub fn remove(&mut self, key: &Value) -> Option<Value> {
        let hash = key_hash(key);
        let at = self.find(hash, key)?;
        self.take(hash, at)
    }

    fn take(&mut self, hash: u64, at: usize) -> Option<Value> {
        if let Some(index) = &mut self.index
            && let Ok(found) = index.find_entry(hash, |&other| other == at)
        {
            found.remove();
        }
        let entry = self.entries.get_mut(at)?.take()?;
        self.len -= 1;
        if self.entries.len() > 32 && self.len * 2 < self.entries.len() {
            self.entries.retain(Option::is_some);
            self.reindex();
        } else if at + 1 == self.entries.len() {
            self.entries.pop();
        }
        Some(entry.value)
    }

    /// Removes the oldest entry.
    pub fn shift(&mut self) -> Option<(Value, Value)> {
        let key = self.iter().next().map(|(key, _)| key.clone())?;
        let value = self.remove(&key)?;
        Some((key, value))
    }

    pub fn clear(&mut self) {
        *self = HashMap::default();
    }

    fn reindex(&mut self) {
        self.index = None;
        if self.len < INDEXED_FROM {
            return;
        }
        let mut index = HashTable::with_capacity(self.entries.len());
        for (at, entry) in self.entries.iter().enumerate() {
            if let Some(entry) = entry {
                index.insert_unique(entry.hash, at, |&at| hash_at(&self.entries, at));
            }
        }
        self.index = Some(index);
    }

    /// A number made of the keys, in whichever order they stand.
    pub fn keys_hash(&self) -> u64 {
        self.entries.iter().flatten().fold(self.len as u64, |sum, entry| sum.wrapping_add(entry.hash))
    }

    /// Entries in the order they were added.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Value, &Value)> {
        self.entries.iter().flatten().map(|entry| (&entry.key, &entry.value))
    }

    pub fn keys(&self) -> impl Iterator<Item = &Value> {
        self.iter().map(|(key, _)| key)
    }

    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.iter().map(|(_, value)| value)
    }

    /// The first entry at or behind a position, and the position behind it: for loops that call blocks, which may
    /// change the map. Start with 0.
    pub fn next_from(&self, position: usize) -> Option<(Value, Value, usize)> {
        let rest = self.entries.get(position..)?;
        let (offset, entry) =
            rest.iter().enumerate().find_map(|(at, entry)| entry.as_ref().map(|entry| (at, entry)))?;
        Some((entry.key.clone(), entry.value.clone(), position + offset + 1))
    }
}

impl Clone for HashMap {
    fn clone(&self) -> Self {
        let entries: Vec<_> = self
            .entries
            .iter()
            .flatten()
            .map(|Entry { hash, key, value }| {
                Some(Entry { hash: *hash, key: key.clone(), value: value.clone() })
            })
            .collect();
        let mut copy = HashMap { entries, len: self.len, index: None };
        copy.reindex();
        copy
    }
}

impl FromIterator<(Value, Value)> for HashMap {
    fn from_iter<I: IntoIterator<Item = (Value, Value)>>(entries: I) -> Self {
        let mut map = HashMap::new();
        for (key, value) in entries {
            map.insert(key, value);
        }
        map
    }
}

fn hash_at(entries: &[Option<Entry>], at: usize) -> u64 {
    entries.get(at).and_then(Option::as_ref).map_or(0, |entry| entry.hash)
}

/// The number under which a key is found (`hash`). Its secret differs from process to process, so that hostile keys
/// cannot be made to collide.
pub fn key_hash(key: &Value) -> u64 {
    static SECRET: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    match key {
        // Scalars and symbols cannot be forged into long chains: their numbers are spread over all bits.
        Value::Sym(symbol) => spread(symbol.address() as u64),
        Value::Int(number) => spread(*number as u64 ^ 0x51),
        _ => {
            let mut hasher = SECRET.build_hasher();
            let mut left = MOST_FED;
            feed(key, &mut hasher, 0, &mut left);
            hasher.finish()
        }
    }
}

fn spread(number: u64) -> u64 {
    let mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (mixed ^ (mixed >> 31)).wrapping_mul(0x94D0_49BB_1331_11EB)
}

fn feed(key: &Value, hasher: &mut impl Hasher, depth: usize, left: &mut usize) {
    if depth > MAX_KEY_DEPTH || *left == 0 {
        return;
    }
    *left -= 1;
    match key {
        Value::Nil => hasher.write_u8(0),
        Value::Bool(flag) => hasher.write_u8(1 + u8::from(*flag)),
        Value::Int(number) => hasher.write_i64(*number),
        Value::Float(number) => hasher.write_u64(if *number == 0.0 { 0 } else { number.to_bits() }),
        Value::Big(number) => number.hash(hasher),
        Value::Sym(symbol) => hasher.write_usize(symbol.address()),
        Value::Str(string) => string.borrow().bytes().hash(hasher),
        Value::Array(array) => array.borrow().iter().for_each(|item| feed(item, hasher, depth + 1, left)),
        // One that is just being changed is its own key: `h[h] = 1`.
        Value::Hash(hash) => hasher.write_u64(hash.map.try_borrow().map_or(0, |map| map.keys_hash())),
        Value::Range(range) => {
            feed(&range.start, hasher, depth + 1, left);
            feed(&range.end, hasher, depth + 1, left);
        }
        Value::Regexp(regexp) => regexp.source.hash(hasher),
        Value::Object(object) => match object.any_native().and_then(|native| native.key_hash()) {
            Some(hash) => hasher.write_u64(hash),
            None => match object.members() {
                Some(members) => members.iter().for_each(|item| feed(item, hasher, depth + 1, left)),
                None => hasher.write_i64(key.identity()),
            },
        },
        Value::Proc(_) | Value::Class(_) => hasher.write_i64(key.identity()),
    }
}

/// Whether a hash takes both for the same key (`eql?`): `1` and `1.0` are different ones.
pub fn keys_equal(a: &Value, b: &Value) -> bool {
    let mut left = MOST_FED;
    eql(a, b, 0, &mut left)
}

fn eql(a: &Value, b: &Value, depth: usize, left: &mut usize) -> bool {
    if a.is_same(b) {
        return true;
    }
    if depth > MAX_KEY_DEPTH || *left == 0 {
        return false;
    }
    if depth > 0 {
        *left -= 1;
    }
    match (a, b) {
        (Value::Float(a), Value::Float(b)) => a == b,
        (Value::Big(a), Value::Big(b)) => a == b,
        (Value::Str(a), Value::Str(b)) => a.borrow().is_comparable_equal(&b.borrow()),
        (Value::Array(a), Value::Array(b)) => {
            let (a, b) = (a.borrow(), b.borrow());
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| eql(a, b, depth + 1, left))
        }
        (Value::Hash(a), Value::Hash(b)) => {
            let (Ok(a), Ok(b)) = (a.map.try_borrow(), b.map.try_borrow()) else { return false };
            a.len() == b.len()
                && a.iter()
                    .all(|(key, value)| b.get(key).is_some_and(|other| eql(value, &other, depth + 1, left)))
        }
        (Value::Range(a), Value::Range(b)) => {
            a.exclusive == b.exclusive
                && eql(&a.start, &b.start, depth + 1, left)
                && eql(&a.end, &b.end, depth + 1, left)
        }
        (Value::Regexp(a), Value::Regexp(b)) => a.is_equal(b),
        (Value::Object(a), Value::Object(b)) => match (a.any_native(), b.any_native()) {
            (Some(a), Some(b)) => a.is_same_key(b),
            (None, None) if a.has_class_of(b) => match (a.members(), b.members()) {
                (Some(a), Some(b)) => a.iter().zip(&b).all(|(a, b)| eql(a, b, depth + 1, left)),
                _ => false,
            },
            _ => false,
        },
        _ => false,
    }
}

/// What a hash gives for a key it does not hold.
#[derive(Clone, Default)]
pub enum HashDefault {
    #[default]
    None,
    Value(Value),
    Block(Rc<RProc>),
}

/// Sets a value in a shared map. The key may hold that very map, which is read to find it.
pub fn insert_into(map: &RefCell<HashMap>, key: Value, value: Value) {
    let hash = key_hash(&key);
    let found = map.borrow().find(hash, &key);
    map.borrow_mut().put(found, hash, key, value);
}

/// Removes a key from a shared map, which may be part of the key.
pub fn remove_from(map: &RefCell<HashMap>, key: &Value) -> Option<Value> {
    let hash = key_hash(key);
    let found = map.borrow().find(hash, key)?;
    map.borrow_mut().take(hash, found)
}

/// A hash. Never hold a borrow of it while calling back into Ruby.
pub struct RHash {
    map: RefCell<HashMap>,
    pub default: RefCell<HashDefault>,
    frozen: Cell<bool>,
    pub extra: Extra,
}

impl RHash {
    pub fn new(map: HashMap) -> RHash {
        RHash {
            map: RefCell::new(map),
            default: RefCell::default(),
            frozen: Cell::new(false),
            extra: Extra::default(),
        }
    }

    pub fn borrow(&self) -> Ref<'_, HashMap> {
        self.map.borrow()
    }

    /// To change the entries. Natives call `interp.check_frozen(value)?` before.
    pub fn borrow_mut(&self) -> RefMut<'_, HashMap> {
        self.map.borrow_mut()
    }

    pub fn get(&self, key: &Value) -> Option<Value> {
        self.map.borrow().get(key)
    }

    pub fn insert(&self, key: Value, value: Value) {
        insert_into(&self.map, key, value);
    }

    /// Removes a key and gives what it held.
    pub fn remove(&self, key: &Value) -> Option<Value> {
        remove_from(&self.map, key)
    }

    pub fn len(&self) -> usize {
        self.map.borrow().len()
    }

    pub fn is_empty(&self) -> bool {
        self.map.borrow().is_empty()
    }

    pub fn is_frozen(&self) -> bool {
        self.frozen.get()
    }

    pub fn freeze(&self) {
        self.frozen.set(true);
    }
}

impl Drop for RHash {
    fn drop(&mut self) {
        let map = self.map.get_mut();
        if map.iter().any(|(key, value)| holds_others(key) || holds_others(value)) {
            bury(std::mem::take(map).entries.into_iter().flatten().flat_map(|e| [e.key, e.value]).collect());
        }
    }
}
