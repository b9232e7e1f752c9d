//! `Dissector`: a mapping compiled into fields and the delimiters between them (`Dissector.java`).

use memchr::memmem;

use super::Failure;
use super::field::{Action, Field, InvalidField};
use crate::event::{Event, FieldReference, Value, text};

/// A mapping, ready to cut texts.
#[derive(Debug)]
pub(super) struct Dissector {
    mapping: String,
    pieces: Vec<Piece>,
    /// The fields to store, by their place in `pieces`, in the order in which they are stored.
    stored: Vec<usize>,
    starts_with_delimiter: bool,
}

/// A field and the delimiter before it.
#[derive(Debug)]
struct Piece {
    field: Field,
    before: Delimiter,
}

#[derive(Debug)]
struct Delimiter {
    text: String,
    finder: memmem::Finder<'static>,
    /// Whether repetitions are passed over.
    greedy: bool,
}

/// A mapping that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum InvalidMapping {
    #[error(transparent)]
    Field(#[from] InvalidField),
    #[error("the mapping has no field: write %{{name}} for what is to be taken")]
    NoField,
}

impl Delimiter {
    fn new(text: &str, greedy: bool) -> Self {
        Delimiter { text: text.to_owned(), finder: memmem::Finder::new(text).into_owned(), greedy }
    }

    /// Where the delimiter stands at or behind an offset. An empty one is nowhere.
    fn find(&self, source: &[u8], from: usize) -> Option<usize> {
        if self.text.is_empty() {
            return None;
        }
        self.finder.find(source.get(from..)?).map(|at| from + at)
    }
}

impl Dissector {
    /// # Errors
    /// When the mapping has no fields, or one that means nothing.
    pub fn new(mapping: &str) -> Result<Self, InvalidMapping> {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut rest = mapping;
        let mut greedy = false;
        while let Some((delimiter, name, behind)) = next_field(rest) {
            let field = Field::parse(name)?;
            let before = Delimiter::new(delimiter, std::mem::replace(&mut greedy, field.padded));
            pieces.push(Piece { field, before });
            rest = behind;
        }
        let tail = mapping.rsplit('}').next().unwrap_or_default();
        if !tail.is_empty() {
            if pieces.is_empty() {
                return Err(InvalidMapping::NoField);
            }
            // What stands behind the last field must be found too; what follows it in a text is skipped.
            let field = Field::parse("?auto_added_skip")?;
            pieces.push(Piece { field, before: Delimiter::new(tail, greedy) });
        }
        let mut ranked: Vec<(u32, usize)> =
            pieces.iter().enumerate().filter_map(|(at, piece)| Some((piece.field.rank()?, at))).collect();
        ranked.sort();
        Ok(Dissector {
            mapping: mapping.to_owned(),
            stored: ranked.into_iter().map(|(_, at)| at).collect(),
            starts_with_delimiter: pieces.first().is_some_and(|piece| !piece.before.text.is_empty()),
            pieces,
        })
    }

    /// The mapping as it was written.
    pub fn mapping(&self) -> &str {
        &self.mapping
    }

    /// Cuts a text and stores its parts; `false` when a delimiter is missing, in which case nothing is stored.
    ///
    /// # Errors
    /// When a part cannot be stored. Those before it stay.
    pub fn dissect(&self, source: &str, event: &mut Event) -> Result<bool, Failure> {
        if source.is_empty() {
            return Ok(false);
        }
        let Some(parts) = self.cut(source) else { return Ok(false) };
        let part = |at: usize| parts.get(at).copied().unwrap_or_default();
        for &at in &self.stored {
            let Some(Piece { field, before }) = self.pieces.get(at) else { continue };
            match field.action {
                Action::Skip => {}
                Action::Set => event.set(field.reference.as_ref().map_err(Clone::clone)?, part(at))?,
                Action::Append { .. } => append(field, before, part(at), event)?,
                Action::Indirect => {
                    let other = |(index, piece): (usize, &Piece)| {
                        (index != at && piece.field.name == field.name).then_some(part(index))
                    };
                    let named = self.pieces.iter().enumerate().find_map(other);
                    store_indirectly(field, named.unwrap_or_default(), part(at), event)?;
                }
            }
        }
        Ok(true)
    }

    /// The text of each field; `None` when a delimiter is missing.
    fn cut<'t>(&self, source: &'t str) -> Option<Vec<&'t str>> {
        let bytes = source.as_bytes();
        let mut parts = Vec::with_capacity(self.pieces.len());
        let mut left = 0;
        let mut pieces = self.pieces.iter().peekable();
        while let Some(Piece { before, .. }) = pieces.next() {
            if before.greedy {
                while before.find(bytes, left) == Some(left) {
                    left += before.text.len();
                }
            } else if left == 0 && self.starts_with_delimiter {
                // Also for later fields, while nothing but delimiters at the very start has been found.
                if before.find(bytes, 0) != Some(0) {
                    return None;
                }
                left = before.text.len();
            }
            let Some(Piece { before: next, .. }) = pieces.peek() else {
                parts.push(source.get(left..)?);
                break;
            };
            let end = next.find(bytes, left)?;
            if end == 0 {
                // Java takes this for not found yet: the field is empty, and the search stays where it is.
                parts.push("");
                continue;
            }
            parts.push(source.get(left..end)?);
            left = end + next.text.len();
        }
        (!parts.is_empty()).then_some(parts)
    }
}

/// Splits at the first field: the text before it, what stands in it, and the rest.
fn next_field(mapping: &str) -> Option<(&str, &str, &str)> {
    let (before, opened) = mapping.split_once("%{")?;
    let (name, behind) = opened.split_once('}')?;
    Some((before, name, behind))
}

/// Appends to a field, behind the delimiter that stood before the text, or a space.
fn append(field: &Field, before: &Delimiter, part: &str, event: &mut Event) -> Result<(), Failure> {
    let reference = field.reference.as_ref().map_err(Clone::clone)?;
    let mut joined = String::new();
    match event.get(reference) {
        None => {}
        Some(Value::Null) => return Err(Failure::AppendToNull(field.name.clone())),
        Some(value) => {
            text::push_java(&mut joined, value);
            joined.push_str(if before.text.is_empty() { " " } else { &before.text });
        }
    }
    joined.push_str(part);
    Ok(event.set(reference, joined)?)
}

/// Stores a text in the field that the event, or else another part of the text, names.
fn store_indirectly(field: &Field, named: &str, part: &str, event: &mut Event) -> Result<(), Failure> {
    let mut name = String::new();
    match event.get(field.reference.as_ref().map_err(Clone::clone)?) {
        Some(value) => text::push_java(&mut name, value),
        None => name.push_str(named),
    }
    if name.is_empty() {
        return Ok(());
    }
    Ok(event.set(&FieldReference::parse(&name)?, part)?)
}
