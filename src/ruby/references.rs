//! Field references that scripts use, parsed once.

use std::collections::HashMap;
use std::rc::Rc;

use crate::event::FieldReference;

/// How many are kept. Scripts use few texts, but may compute any number.
const KEPT: usize = 2048;

/// Parsed field references by their text.
#[derive(Default)]
pub struct References(HashMap<Box<str>, Rc<FieldReference>>);

impl References {
    pub fn get(&self, text: &str) -> Option<&Rc<FieldReference>> {
        self.0.get(text)
    }

    /// Keeps a reference while there is room for it.
    pub fn add(&mut self, text: &str, field: Rc<FieldReference>) -> Rc<FieldReference> {
        if self.0.len() < KEPT {
            self.0.insert(text.into(), field.clone());
        }
        field
    }
}
