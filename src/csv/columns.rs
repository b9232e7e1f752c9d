//! `Columns`: which value of a row gets which name, and which type.

use std::borrow::Cow;
use std::collections::HashMap;

use super::convert::{Conversion, NotText, text_value};
use super::reader::Field;
use crate::event::Value;
use crate::plugin::{FromOption, OptionReader, Pairs, Problem};

/// The names of the config, or of a header line, and what their values are converted to.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    names: Vec<Option<Box<str>>>,
    conversions: HashMap<Box<str>, Conversion>,
    /// Whether values beyond the names are called `column1`, `column2`, ... by their place; else they are left out.
    autogenerate: bool,
}

impl Columns {
    /// Reads the option `convert`; an unknown type is reported at its place.
    pub fn read(
        reader: &mut OptionReader<'_>,
        names: &[String],
        convert: &Pairs,
        autogenerate: bool,
    ) -> Option<Self> {
        let mut conversions = HashMap::new();
        let mut is_fine = true;
        for (name, value) in convert.iter() {
            match Conversion::from_option(value, reader.context) {
                Ok(conversion) => _ = conversions.insert(name.into(), conversion),
                Err(problems) => {
                    is_fine = false;
                    for problem in problems {
                        let message = format!("option \"convert\", type of \"{name}\": {}", problem.message);
                        reader.report(Problem { message, ..problem });
                    }
                }
            }
        }
        let names = names.iter().map(|name| Some(name.as_str().into())).collect();
        is_fine.then_some(Columns { names, conversions, autogenerate })
    }

    /// The same with the names of a header line; a value that is null there names nothing.
    pub fn with_names(&self, header: &[Field<'_>]) -> Self {
        let names = header.iter().map(|name| name.as_deref().map(Box::from)).collect();
        Columns { names, conversions: self.conversions.clone(), autogenerate: self.autogenerate }
    }

    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether a row repeats the names.
    pub fn are(&self, row: &[Field<'_>]) -> bool {
        self.names.len() == row.len()
            && self.names.iter().zip(row).all(|(name, value)| name.as_deref() == value.as_deref())
    }

    /// The name of the value at an index; `None` for one that is left out.
    pub fn name(&self, index: usize) -> Option<Cow<'_, str>> {
        match self.names.get(index) {
            Some(Some(name)) => Some(Cow::Borrowed(name)),
            _ => self.autogenerate.then(|| Cow::Owned(format!("column{}", index + 1))),
        }
    }

    /// What values of a name are converted to.
    pub fn conversion(&self, name: &str) -> Option<Conversion> {
        self.conversions.get(name).copied()
    }
}

/// A value of a row as data, converted if need be.
///
/// # Errors
/// When an empty column should become a boolean.
pub fn convert(conversion: Option<Conversion>, field: Field<'_>) -> Result<Value, NotText> {
    match (conversion, field) {
        (Some(conversion), field) => conversion.apply(field),
        (None, Some(text)) => Ok(text_value(text)),
        (None, None) => Ok(Value::Null),
    }
}
