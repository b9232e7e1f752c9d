//! Filter `mutate`: renames, replaces, converts and rewrites fields (logstash-filter-mutate).
//!
//! Whatever order the options stand in, they run in the order of [`Mutate::run`]. The first failure ends the run and
//! tags the event; what was changed before stays.

mod convert;
mod field;
mod gsub;
mod merge;

use crate::event::text::ruby_to_s;
use crate::event::{Event, FieldReference, Template, Value, ruby_text as text};
use crate::plugin::{
    Build, ConfigKind, ConfigValue, DecorateError, Emit, Example, Filter, FromOption, Kind, OptionReader,
    Outcome, Pairs, Problem, Spec, options,
};

use convert::Conversion;
use field::{Failure, Field, NamedField, Separator};
use gsub::Gsub;
use merge::merge;

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "mutate",
    summary: "Renames, replaces, converts and rewrites fields.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter {
  mutate {
    rename => { "lvl" => "[log][level]" }
    convert => { "ms" => "integer" }
    gsub => ["path", "[?].*", ""]
    lowercase => ["[log][level]"]
    remove_field => ["tmp"]
  }
}"#,
        input: &[r#"{"lvl":"WARN","ms":"12","path":"/a?b=c","tmp":1}"#],
        output: &[r#"{"log":{"level":"warn"},"ms":12,"path":"/a"}"#],
    },
    build: Build::Filter(|reader| Some(Box::new(Mutate::build(reader)?))),
};

options! {
    #[derive(Debug)]
    struct Options {
        /// Values for fields that exist and are null.
        coerce: Pairs = {},
        /// Fields to rename: old name, new name. Both may hold `%{...}`.
        rename: Pairs = {},
        /// New values for fields that exist.
        update: Pairs = {},
        /// New values for fields, which are created if need be.
        replace: Pairs = {},
        /// Types to convert fields to: string, integer, float, boolean, integer_eu or float_eu.
        convert: Pairs = {},
        /// Replacements by regular expression: field, pattern, replacement, and again.
        gsub: Vec<String> = [],
        /// Fields to turn to upper case.
        uppercase: Vec<String> = [],
        /// Fields of which the first letter becomes a capital and the others small.
        capitalize: Vec<String> = [],
        /// Fields to turn to lower case.
        lowercase: Vec<String> = [],
        /// Fields to free of white space at both ends.
        strip: Vec<String> = [],
        /// Fields to split into arrays, with the separator of each.
        split: Pairs = {},
        /// Arrays to join into text, with the separator of each.
        join: Pairs = {},
        /// Fields to append other fields to: an array to an array, a hash to a hash.
        merge: Pairs = {},
        /// Fields to copy: from, to.
        copy: Pairs = {},
        /// Tag added when something fails.
        tag_on_failure: String = "_mutate_error",
    }
}

/// The case of letters that a field is turned to.
#[derive(Debug, Clone, Copy)]
enum Case {
    Upper,
    Capital,
    Lower,
}

impl Case {
    fn apply(self, text: &str) -> Value {
        Value::from(match self {
            Case::Upper => text::upcase(text),
            Case::Capital => text::capitalize(text),
            Case::Lower => text::downcase(text),
        })
    }
}

#[derive(Debug)]
struct Mutate {
    coerce: Vec<(Field, Template)>,
    rename: Vec<(NamedField, NamedField)>,
    update: Vec<(Field, Template)>,
    replace: Vec<(Field, Template)>,
    convert: Vec<(Field, Conversion)>,
    gsub: Vec<Gsub>,
    /// Upper case first, then capitals, then lower case.
    case: Vec<(Field, Case)>,
    strip: Vec<Field>,
    split: Vec<(Field, Separator)>,
    join: Vec<(Field, Separator)>,
    merge: Vec<(Field, Vec<Field>)>,
    copy: Vec<(Field, Field)>,
    tag_on_failure: String,
}

impl Mutate {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let options = Options::read(reader);
        let convert = options.as_ref().and_then(|options| conversions(&options.convert, reader));
        let gsub = options.as_ref().and_then(|options| Gsub::read(&options.gsub, reader));
        let options = options?;
        let cases = [
            (&options.uppercase, Case::Upper),
            (&options.capitalize, Case::Capital),
            (&options.lowercase, Case::Lower),
        ];
        Some(Mutate {
            coerce: templates(&options.coerce),
            rename: pairs(&options.rename, NamedField::new, |new| NamedField::new(&text_of(new))),
            update: templates(&options.update),
            replace: templates(&options.replace),
            convert: convert?,
            gsub: gsub?,
            case: cases
                .iter()
                .flat_map(|(fields, case)| fields.iter().map(|field| (Field::new(field), *case)))
                .collect(),
            strip: options.strip.iter().map(|field| Field::new(field)).collect(),
            split: pairs(&options.split, Field::new, |value| Separator::new("split", value)),
            join: pairs(&options.join, Field::new, |value| Separator::new("join", value)),
            merge: pairs(&options.merge, Field::new, |sources| {
                sources.as_list().iter().map(|source| Field::new(&text_of(source))).collect()
            }),
            copy: pairs(&options.copy, Field::new, |target| Field::new(&text_of(target))),
            tag_on_failure: options.tag_on_failure,
        })
    }

    fn run(&self, event: &mut Event) -> Result<(), Failure> {
        self.coerce(event)?;
        self.rename(event)?;
        self.update(event)?;
        self.replace(event)?;
        self.convert(event)?;
        for gsub in &self.gsub {
            gsub.apply(event)?;
        }
        self.change_case(event)?;
        self.strip(event)?;
        self.split(event)?;
        self.join(event)?;
        self.merge(event)?;
        self.copy(event)
    }

    fn coerce(&self, event: &mut Event) -> Result<(), Failure> {
        for (field, default) in &self.coerce {
            let field = field.reference()?;
            if event.get(field) == Some(&Value::Null) {
                let value = default.render(event)?;
                event.assign(field, value)?;
            }
        }
        Ok(())
    }

    fn rename(&self, event: &mut Event) -> Result<(), Failure> {
        for (old, new) in &self.rename {
            let (old, new) = (old.resolve(event)?, new.resolve(event)?);
            let old = old?;
            if event.contains(&old) {
                let value = event.remove(&old).unwrap_or_default();
                event.assign(&*new?, value)?;
            }
        }
        Ok(())
    }

    fn update(&self, event: &mut Event) -> Result<(), Failure> {
        for (field, value) in &self.update {
            let field = field.reference()?;
            if event.contains(field) {
                let value = value.render(event)?;
                event.assign(field, value)?;
            }
        }
        Ok(())
    }

    fn replace(&self, event: &mut Event) -> Result<(), Failure> {
        for (field, value) in &self.replace {
            let value = value.render(event)?;
            event.assign(field.reference()?, value)?;
        }
        Ok(())
    }

    fn convert(&self, event: &mut Event) -> Result<(), Failure> {
        for (field, conversion) in &self.convert {
            let field = field.reference()?;
            let Some(value) = event.get(field) else { continue };
            if let Some(converted) = conversion.apply(value)? {
                event.assign(field, converted)?;
            }
        }
        Ok(())
    }

    fn change_case(&self, event: &mut Event) -> Result<(), Failure> {
        for (field, case) in &self.case {
            let field = field.reference()?;
            match changeable(event, field)? {
                Some(Value::Array(items)) => {
                    for item in items {
                        if let Value::Str(text) = item {
                            *item = case.apply(text);
                        }
                    }
                }
                Some(value) => {
                    if let Value::Str(text) = value {
                        *value = case.apply(text);
                    }
                }
                None => {}
            }
        }
        Ok(())
    }

    fn strip(&self, event: &mut Event) -> Result<(), Failure> {
        for field in &self.strip {
            let field = field.reference()?;
            match changeable(event, field)? {
                Some(Value::Array(items)) => {
                    if let Some(other) = items.iter().find(|item| item.as_str().is_none()) {
                        return Err(Failure::NotText(other.kind()));
                    }
                    items.iter_mut().for_each(strip_text);
                }
                Some(value) => strip_text(value),
                None => {}
            }
        }
        Ok(())
    }

    fn split(&self, event: &mut Event) -> Result<(), Failure> {
        for (field, separator) in &self.split {
            let field = field.reference()?;
            if let Some(Value::Str(text)) = event.get(field) {
                let parts = text::split(text, separator.text()?);
                event.assign(field, Value::Array(parts))?;
            }
        }
        Ok(())
    }

    fn join(&self, event: &mut Event) -> Result<(), Failure> {
        for (field, separator) in &self.join {
            let field = field.reference()?;
            if let Some(Value::Array(items)) = event.get(field) {
                let joined = text::join(items, separator.text()?);
                event.assign(field, joined)?;
            }
        }
        Ok(())
    }

    fn merge(&self, event: &mut Event) -> Result<(), Failure> {
        for (target, sources) in &self.merge {
            let target = target.reference()?;
            // Read once: into a scalar, every source is merged anew, and only the last one is left.
            let mut merged = event.get(target).cloned().unwrap_or_default();
            for source in sources {
                let added = event.get(source.reference()?).cloned().unwrap_or_default();
                if let Some(value) = merge(&mut merged, added) {
                    event.assign(target, value)?;
                } else {
                    tracing::error!(target = %target, "not possible to merge an array and a hash");
                }
            }
        }
        Ok(())
    }

    fn copy(&self, event: &mut Event) -> Result<(), Failure> {
        for (source, target) in &self.copy {
            match event.get(source.reference()?) {
                None | Some(Value::Null) => {}
                Some(value) => {
                    let value = value.deep_clone();
                    event.assign(target.reference()?, value)?;
                }
            }
        }
        Ok(())
    }

    fn failed(&self, event: &mut Event, error: &dyn std::error::Error) {
        tracing::warn!(%error, "could not apply mutate to an event");
        event.tag(&self.tag_on_failure);
    }
}

impl Filter for Mutate {
    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        match self.run(event) {
            Ok(()) => Outcome::Matched,
            Err(failure) => {
                self.failed(event, &failure);
                Outcome::Failed
            }
        }
    }

    fn decoration_failed(&self, _name: &str, event: &mut Event, error: &DecorateError) {
        self.failed(event, error);
    }
}

fn strip_text(value: &mut Value) {
    if let Value::Str(text) = value {
        let stripped = text::strip(text);
        if stripped.len() < text.len() {
            *value = Value::from(stripped);
        }
    }
}

/// An option's value as the text that Ruby makes of it.
fn text_of(value: &ConfigValue) -> String {
    ruby_to_s(&value.to_value())
}

fn pairs<K, V>(pairs: &Pairs, key: impl Fn(&str) -> K, value: impl Fn(&ConfigValue) -> V) -> Vec<(K, V)> {
    pairs.iter().map(|(name, given)| (key(name), value(given))).collect()
}

fn templates(options: &Pairs) -> Vec<(Field, Template)> {
    pairs(options, Field::new, |value| Template::parse(&text_of(value)))
}

/// Reads the option `convert`, and reports every type that does not exist.
/// The field to change in place, which Logstash reads and sets.
fn changeable<'a>(event: &'a mut Event, field: &FieldReference) -> Result<Option<&'a mut Value>, Failure> {
    if let Some(value) = event.get(field) {
        event.may_change(field, value)?;
    }
    Ok(event.get_mut(field))
}

fn conversions(options: &Pairs, reader: &mut OptionReader<'_>) -> Option<Vec<(Field, Conversion)>> {
    let mut conversions = Vec::new();
    let mut complete = true;
    for (field, value) in options.iter() {
        // An array, even one of a single element, is no type.
        if let ConfigKind::Array(_) = value.kind {
            let message = "option \"convert\" of the mutate filter: a type is a text, not an array";
            reader.report(Problem::error(value.span, message.to_owned()));
            complete = false;
            continue;
        }
        match Conversion::from_option(value, reader.context) {
            Ok(conversion) => conversions.push((Field::new(field), conversion)),
            Err(problems) => {
                complete = false;
                for mut problem in problems {
                    problem.message = format!("option \"convert\" of the mutate filter: {}", problem.message);
                    reader.report(problem);
                }
            }
        }
    }
    complete.then_some(conversions)
}
