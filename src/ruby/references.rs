//! Field references that scripts use, parsed once.

use std::collections::HashMap;
use std::rc::Rc;

use super::value::RString;
use crate::event::{FieldReference, InvalidReference};

/// How many are kept. Scripts use few texts, but may compute any number.
const KEPT: usize = 2048;
/// Places for literals; a power of two.
const LITERALS: usize = 64;

/// Parsed field references by their text.
#[derive(Default)]
pub struct References {
    by_text: HashMap<Box<str>, Rc<FieldReference>>,
    /// Those of literals, which are the same frozen string each time, found by the string's address. The string is
    /// held, so that its address means no other.
    literals: Vec<Option<(Rc<RString>, Rc<FieldReference>)>>,
}

impl References {
    /// The reference a string spells.
    ///
    /// # Errors
    /// When it spells none.
    pub fn get(&mut self, text: &Rc<RString>) -> Result<Rc<FieldReference>, InvalidReference> {
        if !text.is_frozen() {
            return self.get_text(&text.borrow().to_text());
        }
        let place = (Rc::as_ptr(text).addr() / align_of::<RString>()) % LITERALS;
        if let Some(Some((known, field))) = self.literals.get(place)
            && Rc::ptr_eq(known, text)
        {
            return Ok(field.clone());
        }
        let field = self.get_text(&text.borrow().to_text())?;
        self.literals.resize_with(LITERALS, || None);
        if let Some(slot) = self.literals.get_mut(place) {
            *slot = Some((text.clone(), field.clone()));
        }
        Ok(field)
    }

    fn get_text(&mut self, text: &str) -> Result<Rc<FieldReference>, InvalidReference> {
        if let Some(known) = self.by_text.get(text) {
            return Ok(known.clone());
        }
        let field = Rc::new(FieldReference::parse(text)?);
        if self.by_text.len() < KEPT {
            self.by_text.insert(text.into(), field.clone());
        }
        Ok(field)
    }
}
