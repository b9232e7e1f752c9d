//! Values of a shape that an option does not expect: which of them Logstash takes all the same, and for what
//! (`config/mixin.rb`, `validate_value`).

use super::block::{Block, BlockOption, ConfigKind, ConfigValue};
use super::options::FromOption;
use super::{Context, Kind, Problem, Severity, catalogue_options};
use crate::event::{Value, text};
use crate::language::Span;

/// The type that Logstash declares for an option, in the words of the catalogue; `None` for what is not in it.
fn declared(block: &Block, name: &str) -> Option<&'static str> {
    if let Some(what) = common(block.kind, name) {
        return Some(what);
    }
    let options = catalogue_options(block.kind, &block.name)?;
    options.iter().find(|option| option.name == name && !option.obsolete).map(|option| option.declared())
}

fn common(kind: Kind, name: &str) -> Option<&'static str> {
    Some(match (kind, name) {
        (_, "id") => "string",
        (_, "enable_metric") | (Kind::Filter, "periodic_flush") => "boolean",
        (_, "ecs_compatibility") => "disabled|v1|v8",
        (Kind::Input, "type") => "string",
        (Kind::Input, "tags") | (Kind::Filter, "remove_field" | "add_tag" | "remove_tag") => "array",
        _ => return None,
    })
}

/// What Logstash refuses for a type of its own, whatever can be made of the value here.
pub(super) fn refused(block: &Block, option: &BlockOption) -> Option<&'static str> {
    let single = option.value.as_single().map(|single| &single.kind);
    match single {
        Some(ConfigKind::Integer(_) | ConfigKind::Float(_)) => (declared(block, &option.name)?
            == "field_reference")
            .then_some("a field reference is text, not a number"),
        None if option.value.as_list().is_empty() => {
            let what = declared(block, &option.name)?;
            (what == "boolean" || what.contains('|')).then_some("it needs a value")
        }
        _ => None,
    }
}

/// Reads a value that its type refused the way Logstash does: a hash of one entry or an array within an array for a
/// text is the text that Ruby prints, nothing at all is nil. The problems become warnings.
pub(super) fn read<T: FromOption>(
    block: &Block,
    option: &BlockOption,
    problems: &mut [Problem],
    context: &Context,
) -> Option<T> {
    let value = &option.value;
    let what = declared(block, &option.name)?;
    let instead = match what {
        "string" => first(value)?,
        "number" => as_number(value)?,
        "array" => each_as_text(value),
        _ => return None,
    };
    let (taken, shown) = match instead {
        Instead::Text(text) => (ConfigValue::text(text.as_str(), value.span), format!("\"{text}\"")),
        Instead::Number(number) => {
            (ConfigValue { kind: ConfigKind::Integer(number), span: value.span }, number.to_string())
        }
        Instead::List(items) => {
            let texts = format!("[{}]", items.join(", "));
            let items = items.into_iter().map(|item| ConfigValue::text(item, value.span)).collect();
            (ConfigValue { kind: ConfigKind::Array(items), span: value.span }, texts)
        }
        Instead::Nil if T::REQUIRED => (nothing(what, value.span), "nothing".to_owned()),
        Instead::Nil => return warned(T::absent(), "nothing", problems),
    };
    warned(T::from_option(&taken, context).ok(), &shown, problems)
}

/// What stands for nil where there has to be a value.
fn nothing(what: &str, span: Span) -> ConfigValue {
    match what {
        "number" => ConfigValue { kind: ConfigKind::Integer(0), span },
        _ => ConfigValue::text("", span),
    }
}

fn warned<T>(read: Option<T>, what: &str, problems: &mut [Problem]) -> Option<T> {
    if read.is_some() {
        for problem in problems {
            problem.severity = Severity::Warning;
            problem.message = format!("{}; Logstash takes it for {what}", problem.message);
        }
    }
    read
}

enum Instead {
    Nil,
    Text(String),
    Number(i64),
    List(Vec<String>),
}

/// The first element, as Ruby's `first` finds it; `None` where there is more than one.
fn first(value: &ConfigValue) -> Option<Instead> {
    Some(match &value.kind {
        ConfigKind::Hash(pairs) => match pairs.as_slice() {
            [] => Instead::Nil,
            [(key, value)] => {
                let pair = Value::Array(vec![Value::from(key.as_str()), value.to_value()]);
                Instead::Text(text::ruby_to_s(&pair))
            }
            _ => return None,
        },
        ConfigKind::Array(items) => match items.as_slice() {
            [] => Instead::Nil,
            [single] => Instead::Text(text::ruby_to_s(&single.to_value())),
            _ => return None,
        },
        _ => Instead::Text(text::ruby_to_s(&value.to_value())),
    })
}

/// A number that is not whole or below zero where a count is wanted, and what is neither number nor text.
fn as_number(value: &ConfigValue) -> Option<Instead> {
    match value.as_single().map(|single| &single.kind) {
        Some(ConfigKind::Text(_)) => None,
        Some(ConfigKind::Integer(number)) => Some(Instead::Number((*number).max(0))),
        Some(ConfigKind::Float(number)) => Some(Instead::Number((*number as i64).max(0))),
        _ => first(value).map(|_| Instead::Nil),
    }
}

fn each_as_text(value: &ConfigValue) -> Instead {
    let texts = value.as_list().iter().map(|item| text::ruby_to_s(&item.to_value()));
    Instead::List(texts.collect())
}

#[cfg(test)]
mod tests {
    use crate::plugin::testkit;

    /// How many errors and warnings loading a config gives.
    fn verdict(filter: &str) -> (usize, usize) {
        let config = format!("input {{ generator {{ }} }} filter {{ {filter} }} output {{ null {{ }} }}");
        let sources = crate::language::Sources::single("test", &*config);
        let (_, problems) = crate::pipeline::Plan::load(&sources, Default::default(), &testkit::context());
        let errors = problems.iter().filter(|problem| problem.is_error()).count();
        (errors, problems.len() - errors)
    }

    #[test]
    fn what_logstash_takes_is_taken_with_a_warning() {
        for taken in [
            "json { source => { \"a\" => \"b\" } }",
            "csv { separator => [] }",
            "truncate { length_bytes => { \"a\" => \"b\" } }",
            "throttle { key => \"k\" max_counters => 1.5 }",
            "split { terminator => json { } }",
        ] {
            let (errors, warnings) = verdict(taken);
            assert!(errors == 0 && warnings > 0, "{taken}: {errors} errors, {warnings} warnings");
        }
    }

    #[test]
    fn what_logstash_refuses_is_refused() {
        for refused in [
            "json { source => { \"a\" => \"b\" \"c\" => \"d\" } }",
            "csv { skip_empty_columns => [] }",
            "kv { transform_key => [] }",
            "json { source => \"a\" target => 5 }",
            "mutate { id => \"\" }",
            "date { match => [\"a\", \"ISO8601\"] locale => 5 }",
        ] {
            assert_eq!(verdict(refused).0, 1, "{refused}");
        }
    }
}
