//! Java login configurations: the text of `sasl_jaas_config` and of a `jaas_path` file, as the Kafka client's
//! `JaasConfig` and the JDK's `ConfigFile` read them.
//!
//! ```text
//! org.apache.kafka.common.security.plain.PlainLoginModule required username="alice" password="secret";
//! KafkaClient { com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true keyTab="/etc/a.keytab"; };
//! ```

use std::iter::Peekable;
use std::str::Chars;

/// One login module with its options, in the order they were written.
///
/// It holds passwords and therefore has no `Debug`.
pub struct LoginModule {
    class: String,
    options: Vec<(String, String)>,
}

impl LoginModule {
    /// The class name without its package: `PlainLoginModule`. Vendors ship the same classes under packages of their own.
    pub fn name(&self) -> &str {
        self.class.rsplit('.').next().unwrap_or(&self.class)
    }

    /// The class name as written.
    pub fn class(&self) -> &str {
        &self.class
    }

    /// The value of an option, the last one where it was given twice.
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All options with their values.
    pub fn options(&self) -> impl Iterator<Item = (&str, &str)> {
        self.options.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether an option is `true` in any case, as Java's `Boolean.parseBoolean` reads it.
    pub fn is_true(&self, name: &str) -> bool {
        self.option(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

/// Reads `sasl_jaas_config`: exactly one login module, ended by a semicolon.
///
/// # Errors
/// What is wrong, never quoting a value.
pub fn parse_inline(text: &str) -> Result<LoginModule, String> {
    let mut tokens = Tokens::new(text);
    let module = login_module(&mut tokens)?;
    match tokens.next()? {
        None => Ok(module),
        Some(_) => Err("it holds more than one login module, and a Kafka client takes one".into()),
    }
}

/// Reads a JAAS file and returns the first login module of its `KafkaClient` section.
///
/// # Errors
/// What is wrong, never quoting a value.
pub fn parse_file(text: &str) -> Result<LoginModule, String> {
    let mut tokens = Tokens::new(text);
    while let Some(token) = tokens.next()? {
        let section = token.word("the name of a section")?;
        tokens.expect('{')?;
        let mut first = None;
        while !tokens.take('}')? {
            let module = login_module(&mut tokens)?;
            first.get_or_insert(module);
        }
        tokens.expect(';')?;
        if section == "KafkaClient" {
            return first.ok_or_else(|| "its KafkaClient section holds no login module".into());
        }
    }
    Err("it has no section named KafkaClient".into())
}

fn login_module(tokens: &mut Tokens<'_>) -> Result<LoginModule, String> {
    let class = tokens.word("the class of a login module")?;
    let flag = tokens.word("required, requisite, sufficient or optional")?;
    if !["required", "requisite", "sufficient", "optional"]
        .iter()
        .any(|known| flag.eq_ignore_ascii_case(known))
    {
        return Err(format!("after {class} there must be required, requisite, sufficient or optional"));
    }
    let mut options = Vec::new();
    while !tokens.take(';')? {
        let key = tokens.next()?.ok_or("it is not ended by a semicolon")?.word("the name of an option")?;
        tokens.expect('=').map_err(|_| format!("after the option name {key} there must be ="))?;
        let value = tokens.word(&format!("the value of {key}"))?;
        options.push((key, value));
    }
    Ok(LoginModule { class, options })
}

enum Token {
    Text(String),
    Mark(char),
}

impl Token {
    fn word(self, wanted: &str) -> Result<String, String> {
        match self {
            Token::Text(text) => Ok(text),
            Token::Mark(mark) => Err(format!("{mark:?} stands where {wanted} was expected")),
        }
    }
}

/// The words, quoted strings and punctuation of Java's `StreamTokenizer`, with `//`, `/* */` and `#` comments skipped.
struct Tokens<'t> {
    text: Peekable<Chars<'t>>,
}

impl<'t> Tokens<'t> {
    fn new(text: &'t str) -> Self {
        Tokens { text: text.chars().peekable() }
    }

    fn next(&mut self) -> Result<Option<Token>, String> {
        self.skip_blanks()?;
        let Some(first) = self.text.next() else { return Ok(None) };
        Ok(Some(match first {
            '"' | '\'' => Token::Text(self.quoted(first)?),
            '{' | '}' | ';' | '=' => Token::Mark(first),
            _ => {
                let mut word = String::from(first);
                while let Some(c) = self.text.next_if(|c| !c.is_whitespace() && !"{};=\"'".contains(*c)) {
                    word.push(c);
                }
                Token::Text(word)
            }
        }))
    }

    fn word(&mut self, wanted: &str) -> Result<String, String> {
        self.next()?.ok_or_else(|| format!("it ends where {wanted} was expected"))?.word(wanted)
    }

    fn expect(&mut self, mark: char) -> Result<(), String> {
        match self.next()? {
            Some(Token::Mark(found)) if found == mark => Ok(()),
            _ => Err(format!("{mark:?} is missing")),
        }
    }

    fn take(&mut self, mark: char) -> Result<bool, String> {
        self.skip_blanks()?;
        Ok(self.text.next_if_eq(&mark).is_some())
    }

    fn skip_blanks(&mut self) -> Result<(), String> {
        loop {
            while self.text.next_if(|c| c.is_whitespace()).is_some() {}
            let mut ahead = self.text.clone();
            match (ahead.next(), ahead.next()) {
                (Some('#'), _) | (Some('/'), Some('/')) => {
                    while self.text.next_if(|c| *c != '\n').is_some() {}
                }
                (Some('/'), Some('*')) => {
                    self.text = ahead;
                    let mut last = ' ';
                    loop {
                        match self.text.next() {
                            Some('/') if last == '*' => break,
                            Some(c) => last = c,
                            None => return Err("a comment is not closed".into()),
                        }
                    }
                }
                _ => return Ok(()),
            }
        }
    }

    fn quoted(&mut self, quote: char) -> Result<String, String> {
        let mut value = String::new();
        loop {
            match self.text.next() {
                Some(c) if c == quote => return Ok(value),
                Some('\\') => match self.text.next() {
                    Some('n') => value.push('\n'),
                    Some('r') => value.push('\r'),
                    Some('t') => value.push('\t'),
                    Some(c) => value.push(c),
                    None => return Err("a quoted value is not closed".into()),
                },
                Some(c) => value.push(c),
                None => return Err("a quoted value is not closed".into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error<T>(result: Result<T, String>) -> String {
        result.err().expect("an error")
    }

    #[test]
    fn inline_module_gives_class_and_options() {
        let module = parse_inline(
            "org.apache.kafka.common.security.plain.PlainLoginModule required\n username=\"alice\" password='a;b=\\\"c' x=y;",
        )
        .unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(module.name(), "PlainLoginModule");
        assert_eq!(module.option("username"), Some("alice"));
        assert_eq!(module.option("password"), Some("a;b=\"c"));
        assert_eq!(module.option("x"), Some("y"));
        assert_eq!(module.option("z"), None);
    }

    #[test]
    fn file_section_is_found_behind_others_and_comments() {
        let text = "// users\nKafkaServer { a.B required; };\n/* the\n client */ KafkaClient {\n  # keys\n  \
                    com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true keyTab=\"/etc/a.keytab\";\n};";
        let module = parse_file(text).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(module.name(), "Krb5LoginModule");
        assert!(module.is_true("useKeyTab"));
        assert_eq!(module.option("keyTab"), Some("/etc/a.keytab"));
    }

    #[test]
    fn mistakes_are_named_without_values() {
        assert!(
            error(parse_inline("a.B required username=\"alice\" password=\"s3cret\"")).contains("semicolon")
        );
        assert!(error(parse_inline("a.B required password=\"s3cret;")).contains("not closed"));
        assert!(error(parse_inline("a.B username=\"s3cret\";")).contains("required"));
        assert!(error(parse_inline("a.B required; c.D required;")).contains("more than one"));
        assert!(error(parse_inline("")).contains("class of a login module"));
        assert!(error(parse_file("KafkaServer { a.B required; };")).contains("KafkaClient"));
        for text in [
            "a.B required password=\"s3cret\"",
            "a.B required password=\"s3cret;",
            "a.B required p \"s3cret\";",
        ] {
            assert!(!error(parse_inline(text)).contains("s3cret"), "{text}");
        }
    }
}
