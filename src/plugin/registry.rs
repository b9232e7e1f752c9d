//! `Registry`: which plugins there are.

use super::problem::nearest;
use super::{Kind, Spec};

/// Every plugin of this build, sorted by kind and name.
pub struct Registry {
    specs: Vec<&'static Spec>,
}

impl Registry {
    pub fn new(specs: impl IntoIterator<Item = &'static Spec>) -> Self {
        let mut specs: Vec<_> = specs.into_iter().collect();
        specs.sort_by_key(|spec| (spec.kind, spec.name));
        Registry { specs }
    }

    pub fn get(&self, kind: Kind, name: &str) -> Option<&'static Spec> {
        let found = self.specs.binary_search_by_key(&(kind, name), |spec| (spec.kind, spec.name)).ok()?;
        self.specs.get(found).copied()
    }

    pub fn iter(&self) -> impl Iterator<Item = &'static Spec> {
        self.specs.iter().copied()
    }

    /// The plugin that a misspelt name most likely means.
    pub fn nearest(&self, kind: Kind, name: &str) -> Option<&'static str> {
        nearest(name, self.specs.iter().filter(|spec| spec.kind == kind).map(|spec| spec.name))
    }
}
