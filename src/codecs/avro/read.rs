//! Avro's binary encoding to values ("Binary encoding" of the Avro specification).

use crate::event::{Object, Timestamp, Value};

use super::schema::{Id, Node, Schema};

/// How deep data of a schema that holds itself may be nested.
const MAX_DEPTH: usize = 128;
/// How many values a datum may have: those of an array of nulls take no bytes at all.
const MAX_VALUES: usize = 4 << 20;

/// Reads one datum; what follows it is not looked at. Fails with the reason.
pub fn read(schema: &Schema, bytes: &[u8]) -> Result<Value, String> {
    Reader { schema, rest: bytes, values: 0 }
        .value(0, 0)
        .map_err(|error| format!("not data of the schema: {error}"))
}

struct Reader<'d> {
    schema: &'d Schema,
    rest: &'d [u8],
    values: usize,
}

impl<'d> Reader<'d> {
    fn take(&mut self, size: usize) -> Result<&'d [u8], &'static str> {
        let (taken, rest) = self.rest.split_at_checked(size).ok_or("it ends too early")?;
        self.rest = rest;
        Ok(taken)
    }

    /// A number of a fixed size.
    fn array<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or("it ends too early")?;
        self.rest = rest;
        Ok(*taken)
    }

    /// A number of variable length, zig-zag coded.
    fn long(&mut self) -> Result<i64, &'static str> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            number |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Ok((number >> 1) as i64 ^ -((number & 1) as i64));
            }
        }
        Err("a number is too long")
    }

    fn size(&mut self) -> Result<usize, &'static str> {
        usize::try_from(self.long()?).map_err(|_| "a length is negative")
    }

    fn text(&mut self) -> Result<String, &'static str> {
        let size = self.size()?;
        Ok(String::from_utf8_lossy(self.take(size)?).into_owned())
    }

    fn value(&mut self, id: Id, depth: usize) -> Result<Value, &'static str> {
        self.values += 1;
        if depth > MAX_DEPTH || self.values > MAX_VALUES {
            return Err("it is nested too deeply or has too many values");
        }
        Ok(match self.schema.node(id) {
            Node::Null => Value::Null,
            Node::Boolean => Value::Bool(self.array::<1>()? == [1]),
            Node::Int | Node::Long => Value::Int(self.long()?),
            Node::Float => Value::Float(f32::from_le_bytes(self.array()?).into()),
            Node::Double => Value::Float(f64::from_le_bytes(self.array()?)),
            Node::Bytes | Node::String => Value::from(self.text()?),
            Node::Fixed(size) => Value::from(String::from_utf8_lossy(self.take(*size)?).into_owned()),
            Node::Enum(symbols) => {
                let symbol = symbols.get(self.size()?).ok_or("an enum has no such symbol")?;
                Value::from(&**symbol)
            }
            Node::Array(items) => {
                let mut array = Vec::new();
                self.blocks(|reader| {
                    array.push(reader.value(*items, depth + 1)?);
                    Ok(())
                })?;
                Value::Array(array)
            }
            Node::Map(values) => {
                let mut object = Object::new();
                self.blocks(|reader| {
                    let key = reader.text()?;
                    object.insert(key, reader.value(*values, depth + 1)?);
                    Ok(())
                })?;
                Value::from(object)
            }
            Node::Union(variants) => {
                let variant = *variants.get(self.size()?).ok_or("a union has no such branch")?;
                self.value(variant, depth + 1)?
            }
            Node::Record(fields) => {
                let mut object = Object::with_capacity(fields.len());
                for field in fields {
                    object.insert(&*field.name, self.value(field.schema, depth + 1)?);
                }
                Value::from(object)
            }
            Node::Date => timestamp(self.long()?.saturating_mul(86_400), 1)?,
            Node::Timestamp(unit) => timestamp(self.long()?, *unit)?,
        })
    }

    /// The items of an array or a map, which come in blocks, the last of which is empty.
    fn blocks(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<(), &'static str>,
    ) -> Result<(), &'static str> {
        loop {
            let mut count = self.long()?;
            if count == 0 {
                return Ok(());
            }
            if count < 0 {
                // The block's size in bytes, for those who skip it.
                self.long()?;
                count = count.checked_neg().ok_or("a block has too many items")?;
            }
            for _ in 0..count {
                item(self)?;
            }
        }
    }
}

/// A time in units of which a second has so many.
fn timestamp(time: i64, unit: i64) -> Result<Value, &'static str> {
    let nanos = u32::try_from(time.rem_euclid(unit) * (1_000_000_000 / unit)).unwrap_or(0);
    Timestamp::new(time.div_euclid(unit), nanos).map(Value::Timestamp).ok_or("a time is out of range")
}
