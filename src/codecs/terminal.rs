//! Colours for people at a terminal: those of colored_json, for JSON and for rubydebug alike.

use std::borrow::Cow;
use std::sync::LazyLock;

use colored_json::{Style, Styler};

use crate::event::{Object, Value, json};

/// The colour of each kind of thing, as terminals are told it.
pub struct Palette {
    pub field: Paint,
    pub string: Paint,
    pub integer: Paint,
    pub float: Paint,
    pub boolean: Paint,
    pub null: Paint,
    pub object: Paint,
    pub array: Paint,
    /// The `:` or `=>` behind a field.
    pub separator: Paint,
}

/// The escape sequences that switch a style on and off.
#[derive(Default)]
pub struct Paint {
    pub on: Cow<'static, str>,
    pub off: Cow<'static, str>,
}

impl From<Style> for Paint {
    fn from(style: Style) -> Self {
        Paint { on: style.prefix(), off: style.suffix() }
    }
}

impl Palette {
    /// The colours of colored_json, which are much like jq's.
    pub fn colored() -> &'static Palette {
        static COLORED: LazyLock<Palette> = LazyLock::new(|| {
            let styler = Styler::default();
            Palette {
                field: styler.key.into(),
                string: styler.string_value.into(),
                integer: styler.integer_value.into(),
                float: styler.float_value.into(),
                boolean: styler.bool_value.into(),
                null: styler.nil_value.into(),
                object: styler.object_brackets.into(),
                array: styler.array_brackets.into(),
                separator: styler.object_colon.into(),
            }
        });
        &COLORED
    }

    /// How a value that is no container is painted. Timestamps look like text, which they are in JSON.
    pub fn scalar(&self, value: &Value) -> &Paint {
        match value {
            Value::Null => &self.null,
            Value::Bool(_) => &self.boolean,
            Value::Int(_) => &self.integer,
            Value::Float(_) | Value::Big(_) => &self.float,
            _ => &self.string,
        }
    }
}

impl Paint {
    fn write(&self, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        out.extend_from_slice(self.on.as_bytes());
        write(out);
        out.extend_from_slice(self.off.as_bytes());
    }
}

/// Appends an object as compact JSON in colours: without them it is what [`json::write_object`] writes, where
/// colored_json's own formatter would print numbers in another way and refuse those beyond 64 bits.
pub fn write_json(object: &Object, out: &mut Vec<u8>) {
    write_object(object, Palette::colored(), out);
}

fn write_object(object: &Object, palette: &Palette, out: &mut Vec<u8>) {
    palette.object.write(out, |out| out.push(b'{'));
    for (at, (key, value)) in object.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        palette.field.write(out, |out| json::write_string(out, key));
        palette.separator.write(out, |out| out.push(b':'));
        write_value(value, palette, out);
    }
    palette.object.write(out, |out| out.push(b'}'));
}

fn write_value(value: &Value, palette: &Palette, out: &mut Vec<u8>) {
    match value {
        Value::Object(object) => write_object(object, palette, out),
        Value::Array(items) => {
            palette.array.write(out, |out| out.push(b'['));
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write_value(item, palette, out);
            }
            palette.array.write(out, |out| out.push(b']'));
        }
        scalar => palette.scalar(scalar).write(out, |out| json::write_value(out, scalar)),
    }
}
