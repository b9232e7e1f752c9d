//! Filter `translate`: replaces values by what a dictionary says of them (logstash-filter-translate).

mod csv;
mod dictionary;
mod lookup;
mod psych;
mod source;
mod update;
mod yaml;

use std::path::PathBuf;

use crate::event::{Event, FieldReference, Template};
use crate::plugin::{
    Build, DecorateError, Emit, Example, Filter, Kind, OptionReader, Outcome, Pairs, Spec, choices, options,
};

use dictionary::{DictionaryFile, Entries};
use lookup::{Lookup, Matching};
use source::{Reloading, Source};
use update::{Maps, Place, Update};
use yaml::Reading;

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "translate",
    summary: "Replaces values by what a dictionary says of them.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[("field", "use source instead"), ("destination", "use target instead")],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter {
  translate {
    source => "code"
    target => "reason"
    dictionary => { "200" => "OK" "404" => "Not Found" }
    fallback => "code %{code}"
  }
}"#,
        input: &[r#"{"code":404}"#, r#"{"code":"418"}"#],
        output: &[r#"{"code":404,"reason":"Not Found"}"#, r#"{"code":"418","reason":"code 418"}"#],
    },
    build: Build::Filter(|reader| Some(Box::new(Translate::build(reader)?))),
};

choices! {
    pub enum LoadStrategy {
        Streaming = "streaming",
        OneShot = "one_shot",
    }
}

choices! {
    pub enum RefreshBehaviour {
        Merge = "merge",
        Replace = "replace",
    }
}

options! {
    #[derive(Debug)]
    struct Options {
        /// Field to translate; required. Of an array the first element counts.
        source: Option<FieldReference>,
        /// The old name of `source`.
        field: Option<FieldReference>,
        /// Field that gets the translation: the source itself, or `translation` without ECS.
        target: Option<FieldReference>,
        /// The old name of `target`.
        destination: Option<FieldReference>,
        /// Translate although the target exists. Without it such events are left alone; a source that is its own
        /// target is always overwritten.
        r#override: Option<bool>,
        /// The dictionary: values and what they become.
        dictionary: Pairs = {},
        /// A file with the dictionary, whose name ends in `.yml`, `.yaml`, `.json` or `.csv`; instead of `dictionary`.
        dictionary_path: Option<PathBuf>,
        /// The largest number of characters that a YAML file may have; 134217728 unless given.
        yaml_dictionary_code_point_limit: Option<i64>,
        /// How unquoted values of a YAML file are read: `one_shot` knows all that Ruby does (`yes`, `0x1F`, times),
        /// `streaming` only null, booleans and decimal numbers.
        yaml_load_strategy: LoadStrategy = "one_shot",
        /// Seconds after which the file is read again; 0 for never. Up to 300 only when it has changed.
        refresh_interval: f64 = 300,
        /// Whether what is read again is added to the dictionary or replaces it.
        refresh_behaviour: RefreshBehaviour = "merge",
        /// Whole values are looked up. If not, every key that occurs in the value is replaced by its translation.
        exact: bool = true,
        /// With `exact`, keys are regular expressions; the first that matches counts.
        regex: bool = false,
        /// What values become that are not in the dictionary; may hold `%{...}`.
        fallback: Option<Template>,
        /// An array to go through: the source itself, or one of hashes which each have the source as a field.
        iterate_on: Option<String>,
    }
}

#[derive(Debug)]
struct Translate {
    update: Update,
    source: Source,
    /// The source is its own target: the event counts as matched whatever was found.
    in_place: bool,
}

/// A field's name as the config writes it, with its reference.
#[derive(Debug, Clone)]
struct Named {
    name: String,
    field: FieldReference,
}

impl Translate {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let options = Options::read(reader)?;
        let source = one_of(reader, ("source", &options.source), ("field", &options.field));
        let target = one_of(reader, ("target", &options.target), ("destination", &options.destination));
        let dictionary = read_dictionary(&options, reader);
        let Some(source) = source? else {
            reader.error("source", "it is required: the field to translate");
            return None;
        };
        let target = target?.or_else(|| match reader.ecs().is_enabled() {
            true => Some(source.clone()),
            false => {
                Some(Named { name: "translation".into(), field: FieldReference::top_level("translation") })
            }
        })?;
        let in_place = source.name == target.name;
        if in_place && options.r#override == Some(false) {
            reader.error("override", "false has no effect where the source is its own target; remove it");
            return None;
        }
        let overwrite = options.r#override.unwrap_or(in_place);
        let place = place(options.iterate_on.as_deref(), source, target, reader)?;
        Some(Translate {
            update: Update { place, fallback: options.fallback, overwrite },
            source: dictionary?,
            in_place,
        })
    }
}

/// The value of an option that has an old name too; giving both is a mistake.
fn one_of(
    reader: &mut OptionReader<'_>,
    (name, value): (&'static str, &Option<FieldReference>),
    (old_name, old_value): (&'static str, &Option<FieldReference>),
) -> Option<Option<Named>> {
    let named = |option: &str, value: &Option<FieldReference>| {
        let field = value.clone()?;
        let name = reader.value(option).and_then(|value| value.as_single()?.scalar_text())?;
        Some(Named { name, field })
    };
    match (named(name, value), named(old_name, old_value)) {
        (Some(_), Some(_)) => {
            reader.error(
                old_name,
                format!("it is the old name of \"{name}\", which is given as well; remove it"),
            );
            None
        }
        (new, old) => Some(new.or(old)),
    }
}

fn place(
    iterate_on: Option<&str>,
    source: Named,
    target: Named,
    reader: &mut OptionReader<'_>,
) -> Option<Place> {
    match iterate_on {
        None => Some(Place::Single { source: source.field, target: target.field }),
        Some(array) if array == source.name => {
            Some(Place::Values { source: source.field, target: target.field })
        }
        Some(array) => match Maps::new(array, &source.name, &target.name) {
            Ok(maps) => Some(Place::Maps(maps)),
            Err(error) => {
                reader.error("iterate_on", error.to_string());
                None
            }
        },
    }
}

/// The largest YAML file unless the config says otherwise, in characters.
const CODE_POINT_LIMIT: usize = 134_217_728;

fn read_dictionary(options: &Options, reader: &mut OptionReader<'_>) -> Option<Source> {
    let matching = match (options.exact, options.regex) {
        (true, true) => Matching::Regex,
        (true, false) => Matching::Exact,
        (false, _) => Matching::Replace,
    };
    let Some(path) = &options.dictionary_path else {
        let pairs = options.dictionary.iter();
        let entries: Entries = pairs.map(|(key, value)| (key.to_owned(), value.to_value())).collect();
        return match Lookup::new(entries, matching) {
            Ok(lookup) => Some(Source::Fixed(lookup)),
            Err(error) => {
                reader.error("dictionary", error.to_string());
                None
            }
        };
    };
    if !options.dictionary.is_empty() {
        reader.error("dictionary_path", "it and \"dictionary\" are mutually exclusive; remove one of them");
        return None;
    }
    let file = dictionary_file(path, options, reader)?;
    let reloading = Reloading {
        interval: options.refresh_interval,
        replaces: options.refresh_behaviour == RefreshBehaviour::Replace,
    };
    match Source::load(file, matching, reloading) {
        Ok(source) => Some(source),
        Err(error) => {
            reader.error("dictionary_path", format!("{}: {error}", path.display()));
            None
        }
    }
}

fn dictionary_file(
    path: &std::path::Path,
    options: &Options,
    reader: &mut OptionReader<'_>,
) -> Option<DictionaryFile> {
    const LIMIT: &str = "yaml_dictionary_code_point_limit";
    let limit = match options.yaml_dictionary_code_point_limit {
        Some(_) if !DictionaryFile::is_yaml(path) => {
            reader.error(LIMIT, "it is for YAML files only; remove it");
            return None;
        }
        Some(limit) if limit <= 0 => {
            reader.error(LIMIT, format!("expected a positive number, got {limit}"));
            return None;
        }
        Some(limit) => usize::try_from(limit).unwrap_or(usize::MAX),
        None => CODE_POINT_LIMIT,
    };
    let reading = match options.yaml_load_strategy {
        LoadStrategy::OneShot => Reading::Psych,
        LoadStrategy::Streaming => Reading::Streaming,
    };
    let file = DictionaryFile::new(path.to_owned(), reading, limit);
    if file.is_none() {
        let message = format!("{}: expected a name that ends in .yml, .yaml, .json or .csv", path.display());
        reader.error("dictionary_path", message);
    }
    file
}

impl Filter for Translate {
    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        if !self.update.concerns(event) {
            return Outcome::Unmatched;
        }
        match self.source.with(|lookup| self.update.apply(event, lookup)) {
            Ok(found) if found || self.in_place => Outcome::Matched,
            Ok(_) => Outcome::Unmatched,
            Err(error) => {
                tracing::error!(%error, "could not translate a field");
                Outcome::Unmatched
            }
        }
    }

    fn decoration_failed(&self, _name: &str, _event: &mut Event, error: &DecorateError) {
        tracing::error!(%error, "could not apply the common options");
    }
}
