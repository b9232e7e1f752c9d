//! `Sym`: an interned name, compared and hashed by address.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::{LazyLock, PoisonError, RwLock};

/// A Ruby symbol, also the name of a method, variable or constant. Names are interned once for the whole process and
/// live as long as it does; copying and comparing costs one word.
#[derive(Clone, Copy)]
pub struct Sym(&'static Name);

struct Name {
    text: Box<str>,
}

static NAMES: LazyLock<RwLock<HashMap<&'static str, Sym>>> = LazyLock::new(RwLock::default);

impl Sym {
    /// The symbol of this name.
    pub fn new(name: &str) -> Sym {
        if let Some(known) = NAMES.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return *known;
        }
        let mut names = NAMES.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = names.get(name) {
            return *known;
        }
        let kept: &'static Name = Box::leak(Box::new(Name { text: name.into() }));
        names.insert(&kept.text, Sym(kept));
        Sym(kept)
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        &self.0.text
    }

    /// A number that is the same for equal symbols and for no others.
    pub fn address(self) -> usize {
        std::ptr::from_ref(self.0).addr()
    }

    /// The name of the writer that belongs to a reader: `name` gives `name=`.
    pub fn setter(self) -> Sym {
        Sym::new(&format!("{self}="))
    }
}

impl PartialEq for Sym {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for Sym {}

impl Hash for Sym {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_usize(self.address());
    }
}

impl fmt::Debug for Sym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, ":{self}")
    }
}

impl fmt::Display for Sym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A map by symbol. Its hash is the address spread over all bits, which is all that distinct addresses need.
pub type SymMap<V> = HashMap<Sym, V, BuildHasherDefault<AddressHasher>>;

/// Spreads one address over 64 bits.
#[derive(Default)]
pub struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_usize(usize::from(*byte));
        }
    }

    fn write_usize(&mut self, number: usize) {
        let mixed = (self.0 ^ number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = mixed ^ (mixed >> 32);
    }
}

/// The symbol of a literal name, looked up once per place.
macro_rules! sym {
    ($name:expr) => {{
        static NAME: std::sync::LazyLock<$crate::ruby::Sym> =
            std::sync::LazyLock::new(|| $crate::ruby::Sym::new($name));
        *NAME
    }};
}
pub(crate) use sym;
