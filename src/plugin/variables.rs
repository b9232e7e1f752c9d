//! `${VAR}` and `${VAR:default}` in option values (`ConfigVariableExpander.java`, `substitution_variables.rb`).

use std::sync::Arc;

/// Where variables come from: the keystore, once there is one, and the process environment.
#[derive(Clone)]
pub struct Environment {
    lookup: Arc<Lookup>,
    /// Whether it is that of this process.
    is_process: bool,
}

type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;

impl Environment {
    /// The environment of this process.
    pub fn process() -> Self {
        let of_process =
            |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
        Environment { is_process: true, ..Self::new(of_process) }
    }

    pub fn new(lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Environment { lookup: Arc::new(lookup), is_process: false }
    }

    pub fn is_process(&self) -> bool {
        self.is_process
    }

    pub fn get(&self, name: &str) -> Option<String> {
        (self.lookup)(name)
    }
}

/// A variable that is neither set nor has a default.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "Cannot evaluate `{placeholder}`. Replacement variable `{name}` is not defined in a Logstash secret store or an \
     environment entry and there is no default value given."
)]
pub struct UndefinedVariable {
    pub placeholder: String,
    pub name: String,
}

/// What a text became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expanded {
    /// It holds no variable.
    Unchanged,
    Text(String),
    /// `[${X}, b]` turned into a list.
    List(Vec<String>),
}

/// Expands the variables of one option value. A text that is nothing but one variable keeps the variable's value as it
/// is; in a mixed text, enclosing quotes are stripped and `[a, b]` becomes a list, as Logstash does.
///
/// Logstash looks three times (when it compiles the config, makes the plugin, and checks the option), so that a
/// variable may hold another one.
pub fn expand(text: &str, environment: &Environment) -> Result<Expanded, UndefinedVariable> {
    let mut expanded = Expanded::Unchanged;
    for _ in 0..3 {
        let again = match &expanded {
            Expanded::Unchanged => expand_once(text, environment)?,
            Expanded::Text(text) => expand_once(text, environment)?,
            Expanded::List(_) => break,
        };
        if again == Expanded::Unchanged {
            break;
        }
        expanded = again;
    }
    Ok(expanded)
}

fn expand_once(text: &str, environment: &Environment) -> Result<Expanded, UndefinedVariable> {
    let mut out = String::new();
    let mut rest = text;
    let mut found = false;
    while let Some((before, placeholder, after)) = next_placeholder(rest) {
        let value = placeholder.resolve(environment)?;
        if before.is_empty() && after.is_empty() && !found {
            return Ok(Expanded::Text(value));
        }
        found = true;
        out.push_str(before);
        out.push_str(&value);
        rest = after;
    }
    if !found {
        return Ok(Expanded::Unchanged);
    }
    out.push_str(rest);
    let stripped = strip_quotes(&out);
    Ok(match stripped.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
        // Ruby's split drops trailing empty elements: "[]" is no element at all.
        Some(inner) => {
            let mut list: Vec<String> = inner.split(',').map(|item| item.trim().to_owned()).collect();
            while list.last().is_some_and(String::is_empty) {
                list.pop();
            }
            Expanded::List(list.iter().map(|item| strip_quotes(item).to_owned()).collect())
        }
        None => Expanded::Text(stripped.to_owned()),
    })
}

/// Expands a text that must be one variable and nothing else, as strings in conditions are.
pub fn expand_whole(text: &str, environment: &Environment) -> Result<Option<String>, UndefinedVariable> {
    match next_placeholder(text) {
        Some(("", placeholder, "")) => placeholder.resolve(environment).map(Some),
        _ => Ok(None),
    }
}

struct Placeholder<'t> {
    text: &'t str,
    name: &'t str,
    default: Option<&'t str>,
}

impl Placeholder<'_> {
    fn resolve(&self, environment: &Environment) -> Result<String, UndefinedVariable> {
        environment.get(self.name).or_else(|| self.default.map(str::to_owned)).ok_or_else(|| {
            UndefinedVariable { placeholder: self.text.to_owned(), name: self.name.to_owned() }
        })
    }
}

/// Splits at the first `${name}` or `${name:default}`; a name has letters, digits, `_` and `.`, no digit first.
fn next_placeholder(text: &str) -> Option<(&str, Placeholder<'_>, &str)> {
    let mut from = 0;
    while let Some(at) = text.get(from..)?.find("${") {
        let start = from + at;
        let inner = text.get(start + 2..)?;
        let name_len =
            inner.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(byte)).count();
        let name = inner.get(..name_len)?;
        let tail = inner.get(name_len..)?;
        let close = match tail.as_bytes().first() {
            Some(b'}') => Some(0),
            Some(b':') => tail.find('}'),
            _ => None,
        };
        if let Some(close) = close.filter(|_| name.starts_with(|first: char| !first.is_ascii_digit())) {
            let end = start + 2 + name_len + close + 1;
            let default = (close > 0).then(|| tail.get(1..close)).flatten();
            let placeholder = Placeholder { text: text.get(start..end)?, name, default };
            return Some((text.get(..start)?, placeholder, text.get(end..)?));
        }
        from = start + 2;
    }
    None
}

fn strip_quotes(text: &str) -> &str {
    let strip = |text, quote: char| -> Option<&str> {
        let inner: &str = str::strip_prefix(text, quote)?;
        inner.strip_suffix(quote)
    };
    let text = strip(text, '\'').unwrap_or(text);
    strip(text, '"').unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> Expanded {
        let environment = Environment::new(|name| (name == "SET").then(|| "value".to_owned()));
        expand(text, &environment).unwrap()
    }

    #[test]
    fn whole_and_partial_texts() {
        assert_eq!(expanded("plain $SET ${} ${9X:a} ${ SET}"), Expanded::Unchanged);
        assert_eq!(expanded("${SET}"), Expanded::Text("value".into()));
        assert_eq!(expanded("${NOT:'q'}"), Expanded::Text("'q'".into()));
        assert_eq!(expanded("x ${NOT:'q'}"), Expanded::Text("x 'q'".into()));
        assert_eq!(expanded("'${NOT:q}'"), Expanded::Text("q".into()));
        assert_eq!(expanded("[${NOT:q}, r]"), Expanded::List(vec!["q".into(), "r".into()]));
        assert_eq!(expanded("[${NOT:}]"), Expanded::List(vec![]));
        assert_eq!(expanded("${a.b:1}-${_c:2}-${SET}"), Expanded::Text("1-2-value".into()));
        assert_eq!(expanded("${A:${B:in}}"), Expanded::Text("in".into()));
    }

    #[test]
    fn undefined_variables_are_named() {
        let error = expand("x${NOT}", &Environment::new(|_| None)).unwrap_err();
        assert_eq!((error.placeholder.as_str(), error.name.as_str()), ("${NOT}", "NOT"));
    }
}
