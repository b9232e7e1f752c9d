//! `Schema`: a parsed Avro schema with its names resolved, so that each part is found by its number.

use std::collections::HashMap;

use apache_avro::Schema as Parsed;
use apache_avro::schema::{InnerDecimalSchema, UuidSchema};

use crate::event::Value;
use crate::event::json::{self, Decimals};

/// The number of a part of a schema.
pub type Id = usize;

/// A schema; part 0 is the whole.
#[derive(Debug)]
pub struct Schema {
    nodes: Vec<Node>,
}

/// One part of a schema.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Fixed(usize),
    Enum(Vec<Box<str>>),
    Array(Id),
    Map(Id),
    Union(Vec<Id>),
    Record(Vec<Field>),
    /// Days since 1970, in an int.
    Date,
    /// A time in a long: so many units in a second.
    Timestamp(i64),
}

/// A field of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    pub name: Box<str>,
    pub schema: Id,
    /// What is written where a record has no such field.
    pub default: Option<Value>,
}

impl Schema {
    /// Reads a schema in JSON, or what a registry answers: an object with the schema as text. Fails with the reason.
    pub fn parse(text: &str) -> Result<Self, String> {
        let answered = match json::parse(text, Decimals::Double) {
            Ok(Value::Object(object)) => object.get("schema").and_then(Value::as_str).map(str::to_owned),
            _ => None,
        };
        let parsed = Parsed::parse_str(answered.as_deref().unwrap_or(text))
            .map_err(|error| format!("not an Avro schema: {error}"))?;
        let mut builder = Builder::default();
        builder.add(&parsed)?;
        Ok(Schema { nodes: builder.nodes })
    }

    /// A part; one that does not exist is null.
    pub fn node(&self, id: Id) -> &Node {
        self.nodes.get(id).unwrap_or(&Node::Null)
    }
}

#[derive(Default)]
struct Builder {
    nodes: Vec<Node>,
    names: HashMap<String, Id>,
}

impl Builder {
    fn add(&mut self, parsed: &Parsed) -> Result<Id, String> {
        if let Parsed::Ref { name } = parsed {
            let known = self.names.get(&name.fullname(None));
            return known.copied().ok_or_else(|| format!("not an Avro schema: {name} is not defined"));
        }
        let id = self.nodes.len();
        self.nodes.push(Node::Null);
        if let Some(name) = parsed.name() {
            self.names.insert(name.fullname(None), id);
        }
        let node = self.node(parsed)?;
        if let Some(place) = self.nodes.get_mut(id) {
            *place = node;
        }
        Ok(id)
    }

    fn node(&mut self, parsed: &Parsed) -> Result<Node, String> {
        Ok(match parsed {
            Parsed::Null | Parsed::Ref { .. } => Node::Null,
            Parsed::Boolean => Node::Boolean,
            Parsed::Int | Parsed::TimeMillis => Node::Int,
            Parsed::Long
            | Parsed::TimeMicros
            | Parsed::TimestampNanos
            | Parsed::LocalTimestampMillis
            | Parsed::LocalTimestampMicros
            | Parsed::LocalTimestampNanos => Node::Long,
            Parsed::Float => Node::Float,
            Parsed::Double => Node::Double,
            Parsed::Bytes | Parsed::BigDecimal | Parsed::Uuid(UuidSchema::Bytes) => Node::Bytes,
            Parsed::String | Parsed::Uuid(UuidSchema::String) => Node::String,
            Parsed::Date => Node::Date,
            Parsed::TimestampMillis => Node::Timestamp(1000),
            Parsed::TimestampMicros => Node::Timestamp(1_000_000),
            Parsed::Fixed(fixed) | Parsed::Duration(fixed) | Parsed::Uuid(UuidSchema::Fixed(fixed)) => {
                Node::Fixed(fixed.size)
            }
            Parsed::Decimal(decimal) => match &decimal.inner {
                InnerDecimalSchema::Bytes => Node::Bytes,
                InnerDecimalSchema::Fixed(fixed) => Node::Fixed(fixed.size),
            },
            Parsed::Enum(symbols) => {
                Node::Enum(symbols.symbols.iter().map(|symbol| symbol.as_str().into()).collect())
            }
            Parsed::Array(array) => Node::Array(self.add(&array.items)?),
            Parsed::Map(map) => Node::Map(self.add(&map.types)?),
            Parsed::Union(union) => Node::Union(
                union.variants().iter().map(|variant| self.add(variant)).collect::<Result<_, _>>()?,
            ),
            Parsed::Record(record) => {
                let fields = record.fields.iter().map(|field| {
                    let default = field.default.as_ref().map(serde_json::Value::to_string);
                    Ok(Field {
                        name: field.name.as_str().into(),
                        schema: self.add(&field.schema)?,
                        default: default.and_then(|text| json::parse(&text, Decimals::Double).ok()),
                    })
                });
                Node::Record(fields.collect::<Result<_, String>>()?)
            }
        })
    }
}
