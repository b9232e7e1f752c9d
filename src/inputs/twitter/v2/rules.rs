//! The rules of X API v2's filtered stream: made of the options, and compared with those the server holds.

use crate::event::{Object, Value};

/// The longest rule that every access level takes.
const MAX_RULE: usize = 512;

/// What the options ask for, in the words of the v1.1 options.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    pub keywords: Vec<String>,
    pub follows: Vec<String>,
    pub locations: Vec<[f64; 4]>,
    pub languages: Vec<String>,
    pub ignore_retweets: bool,
}

/// One rule of the stream, as the server lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub id: String,
    pub value: String,
    pub tag: String,
}

/// A wish that no rule can express.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` makes a rule longer than {MAX_RULE} characters, the most that the stream takes")]
pub struct TooLong(String);

/// The rules for what is wanted: each is `(a OR b OR ...) <conditions on all>`, cut in as many as the length demands.
pub fn build(wanted: &Wanted) -> Result<Vec<String>, TooLong> {
    let mut conditions = String::new();
    let languages: Vec<String> = wanted.languages.iter().map(|language| format!("lang:{language}")).collect();
    match languages.as_slice() {
        [] => {}
        [one] => conditions = format!(" {one}"),
        many => conditions = format!(" ({})", many.join(" OR ")),
    }
    if wanted.ignore_retweets {
        conditions.push_str(" -is:retweet");
    }
    let room = MAX_RULE.saturating_sub(conditions.chars().count() + 2);
    let mut rules = Vec::new();
    let mut alternatives = String::new();
    for term in terms(wanted) {
        let length = term.chars().count();
        if length > room {
            return Err(TooLong(term));
        }
        if !alternatives.is_empty() && alternatives.chars().count() + " OR ".len() + length > room {
            rules.push(format!("({alternatives}){conditions}"));
            alternatives.clear();
        }
        if !alternatives.is_empty() {
            alternatives.push_str(" OR ");
        }
        alternatives.push_str(&term);
    }
    if !alternatives.is_empty() {
        rules.push(format!("({alternatives}){conditions}"));
    }
    Ok(rules)
}

fn terms(wanted: &Wanted) -> Vec<String> {
    let mut terms: Vec<String> = wanted.keywords.iter().filter_map(|keyword| keyword_term(keyword)).collect();
    // What `follow` meant in v1.1: what a user writes, what is answered to it and what is passed on of it.
    for user in &wanted.follows {
        let user = user.trim_start_matches('@');
        terms.extend(["from", "to", "retweets_of"].map(|operator| format!("{operator}:{user}")));
    }
    terms.extend(
        wanted
            .locations
            .iter()
            .map(|[west, south, east, north]| format!("bounding_box:[{west} {south} {east} {north}]")),
    );
    terms
}

/// The words of a keyword must all occur. Anything but a plain word is quoted, so that it is no operator.
fn keyword_term(keyword: &str) -> Option<String> {
    let words: Vec<String> = keyword
        .split_whitespace()
        .map(|word| {
            let bare = word.strip_prefix(['#', '@', '$']).unwrap_or(word);
            let is_plain = !bare.is_empty() && bare.chars().all(|c| c.is_alphanumeric() || c == '_');
            let is_operator = matches!(word, "OR" | "AND" | "NOT");
            if is_plain && !is_operator {
                word.to_owned()
            } else {
                format!("\"{}\"", word.replace('"', "\\\""))
            }
        })
        .collect();
    match words.as_slice() {
        [] => None,
        [word] => Some(word.clone()),
        words => Some(format!("({})", words.join(" "))),
    }
}

/// Reads boxes of `west,south,east,north`, one behind the other (the option `locations`).
pub fn parse_locations(text: &str) -> Option<Vec<[f64; 4]>> {
    let numbers: Option<Vec<f64>> = text.split(',').map(|number| number.trim().parse().ok()).collect();
    let numbers = numbers
        .filter(|numbers| numbers.len() % 4 == 0 && numbers.iter().all(|number| number.is_finite()))?;
    Some(numbers.chunks_exact(4).filter_map(|corners| corners.try_into().ok()).collect())
}

/// The rules in the server's answer to `GET /2/tweets/search/stream/rules`.
pub fn parse_listing(answer: &Value) -> Vec<Rule> {
    let text =
        |rule: &Object, name: &str| rule.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let rules = answer.as_object().and_then(|answer| answer.get("data")?.as_array()).unwrap_or_default();
    rules
        .iter()
        .filter_map(Value::as_object)
        .map(|rule| Rule { id: text(rule, "id"), value: text(rule, "value"), tag: text(rule, "tag") })
        .collect()
}

/// What must be sent to the server so that the rules of our tag are the wanted ones; rules of others are left alone.
#[derive(Debug, PartialEq, Eq)]
pub struct Changes {
    pub add: Vec<String>,
    pub delete: Vec<String>,
}

impl Changes {
    pub fn between(wanted: &[String], present: &[Rule], tag: &str) -> Self {
        let ours = || present.iter().filter(|rule| rule.tag == tag);
        Changes {
            add: wanted.iter().filter(|value| !ours().any(|rule| rule.value == **value)).cloned().collect(),
            delete: ours().filter(|rule| !wanted.contains(&rule.value)).map(|rule| rule.id.clone()).collect(),
        }
    }

    /// The bodies to post, deletions first: an account may be full.
    pub fn bodies(&self, tag: &str) -> Vec<serde_json::Value> {
        let mut bodies = Vec::new();
        if !self.delete.is_empty() {
            bodies.push(serde_json::json!({ "delete": { "ids": self.delete } }));
        }
        if !self.add.is_empty() {
            let add: Vec<_> =
                self.add.iter().map(|value| serde_json::json!({ "value": value, "tag": tag })).collect();
            bodies.push(serde_json::json!({ "add": add }));
        }
        bodies
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn options_become_one_rule() {
        let wanted = Wanted {
            keywords: owned(&["news", "big data", "#AI", "c++", "OR"]),
            follows: owned(&["@nasa"]),
            locations: vec![[-122.75, 36.8, -121.75, 37.8]],
            languages: owned(&["ko", "en"]),
            ignore_retweets: true,
        };
        assert_eq!(
            build(&wanted).unwrap(),
            [
                "(news OR (big data) OR #AI OR \"c++\" OR \"OR\" OR from:nasa OR to:nasa OR retweets_of:nasa OR \
             bounding_box:[-122.75 36.8 -121.75 37.8]) (lang:ko OR lang:en) -is:retweet"
            ]
        );
    }

    #[test]
    fn long_wishes_are_spread_over_rules() {
        let keywords: Vec<String> = (0..200).map(|number| format!("keyword{number}")).collect();
        let wanted = Wanted { keywords: keywords.clone(), languages: owned(&["ko"]), ..Wanted::default() };
        let rules = build(&wanted).unwrap();
        assert!(rules.len() > 1);
        assert!(rules.iter().all(|rule| rule.chars().count() <= MAX_RULE && rule.ends_with(") lang:ko")));
        let spread: Vec<&str> = rules
            .iter()
            .flat_map(|rule| rule.trim_end_matches(") lang:ko").trim_start_matches('(').split(" OR "))
            .collect();
        assert_eq!(spread, keywords);
        let endless = Wanted { keywords: vec!["x".repeat(600)], ..Wanted::default() };
        assert!(build(&endless).is_err());
    }

    #[test]
    fn only_our_own_rules_are_changed() {
        let rule =
            |id: &str, value: &str, tag: &str| Rule { id: id.into(), value: value.into(), tag: tag.into() };
        let present =
            [rule("1", "(old)", "rstash"), rule("2", "(kept)", "rstash"), rule("3", "(theirs)", "other")];
        let changes = Changes::between(&owned(&["(kept)", "(theirs)"]), &present, "rstash");
        assert_eq!(changes, Changes { add: owned(&["(theirs)"]), delete: owned(&["1"]) });
        assert_eq!(
            changes.bodies("rstash"),
            [
                serde_json::json!({"delete":{"ids":["1"]}}),
                serde_json::json!({"add":[{"value":"(theirs)","tag":"rstash"}]})
            ]
        );
        assert!(
            Changes::between(&owned(&["(old)", "(kept)"]), &present, "rstash").bodies("rstash").is_empty()
        );
    }

    #[test]
    fn locations_are_boxes() {
        assert_eq!(
            parse_locations("-122.75,36.8,-121.75,37.8, -74,40,-73,41"),
            Some(vec![[-122.75, 36.8, -121.75, 37.8], [-74.0, 40.0, -73.0, 41.0]])
        );
        assert_eq!(parse_locations("1,2,3"), None);
        assert_eq!(parse_locations("a,b,c,d"), None);
    }
}
