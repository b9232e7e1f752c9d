//! The index template: built in or from a file, in the form that the server's API wants (`template_manager.rb`).

use serde_json::{Map, Value, json};

/// Settings and mappings without ECS.
const LEGACY: &str = include_str!("templates/legacy.json");
/// Settings and mappings for ECS. Strings are keywords unless they are named here.
const ECS: &str = include_str!("templates/ecs.json");
/// Of several templates for one index the one with the highest priority counts.
const PRIORITY: u32 = 200;
/// What a serverless cluster decides by itself.
const SERVERLESS: [&str; 4] =
    ["number_of_shards", "index.number_of_shards", "number_of_replicas", "index.number_of_replicas"];

/// Which API a template is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `_template`
    Legacy,
    /// `_index_template`
    Composable,
}

impl Form {
    /// The API's path.
    pub fn endpoint(self) -> &'static str {
        match self {
            Form::Legacy => "/_template",
            Form::Composable => "/_index_template",
        }
    }
}

/// The built-in template.
pub fn built_in(ecs: bool, form: Form) -> Value {
    let (text, pattern) = if ecs { (ECS, "ecs-logstash-*") } else { (LEGACY, "logstash-*") };
    let body: Value = serde_json::from_str(text).unwrap_or_default();
    match form {
        Form::Composable => json!({
            "index_patterns": [pattern],
            "priority": PRIORITY,
            "template": body,
            "_meta": { "description": "index template of rstash" },
        }),
        Form::Legacy => {
            let mut template = json!({ "index_patterns": [pattern] });
            if let (Value::Object(template), Value::Object(body)) = (&mut template, body) {
                template.extend(body);
            }
            template
        }
    }
}

/// Lets the indices of a rollover alias be managed by a policy (`add_ilm_settings_to_template`).
pub fn add_lifecycle(template: &mut Value, form: Form, alias: &str, policy: &str) {
    let Value::Object(fields) = template else { return };
    // Before Elasticsearch 6, `template` was the pattern.
    if fields.get("template").is_some_and(Value::is_string) {
        fields.remove("template");
    }
    fields.insert("index_patterns".into(), json!([format!("{alias}-*")]));
    let nested =
        fields.contains_key("template") || (form == Form::Composable && !fields.contains_key("settings"));
    let home = if nested { object(fields, "template") } else { fields };
    let settings = object(home, "settings");
    settings.insert("index.lifecycle.name".into(), policy.into());
    settings.insert("index.lifecycle.rollover_alias".into(), alias.into());
}

/// A member that is an object, made where there is none.
fn object<'m>(map: &'m mut Map<String, Value>, name: &str) -> &'m mut Map<String, Value> {
    let value = map.entry(name).or_insert_with(|| Value::Object(Map::new()));
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(object) => object,
        // It was made one just now.
        _ => unreachable!("an object"),
    }
}

/// Takes out what a serverless cluster decides by itself.
pub fn strip_for_serverless(template: &mut Value) {
    for path in ["/template/settings", "/settings"] {
        if let Some(Value::Object(settings)) = template.pointer_mut(path) {
            for name in SERVERLESS {
                settings.remove(name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_templates_have_the_form_of_their_api() {
        for (ecs, pattern) in [(false, "logstash-*"), (true, "ecs-logstash-*")] {
            let legacy = built_in(ecs, Form::Legacy);
            let composable = built_in(ecs, Form::Composable);
            assert_eq!(legacy["index_patterns"], json!([pattern]));
            assert_eq!(composable["index_patterns"], json!([pattern]));
            assert_eq!(legacy["mappings"]["properties"]["@timestamp"]["type"], "date");
            assert_eq!(composable["template"]["mappings"], legacy["mappings"]);
            assert_eq!(composable["template"]["settings"], legacy["settings"]);
        }
    }

    #[test]
    fn lifecycles_go_where_the_settings_are() {
        let settings = json!({ "index.lifecycle.name": "p", "index.lifecycle.rollover_alias": "a" });
        for (mut template, form, path) in [
            (json!({ "template": { "mappings": {} } }), Form::Composable, "/template/settings"),
            (json!({ "settings": {} }), Form::Composable, "/settings"),
            (json!({ "template": "old-*", "settings": {} }), Form::Legacy, "/settings"),
            (json!({}), Form::Composable, "/template/settings"),
            (json!({}), Form::Legacy, "/settings"),
        ] {
            add_lifecycle(&mut template, form, "a", "p");
            assert_eq!(template.pointer(path), Some(&settings), "{template}");
            assert_eq!(template["index_patterns"], json!(["a-*"]));
        }
    }

    #[test]
    fn serverless_clusters_choose_their_shards() {
        let mut template = built_in(false, Form::Composable);
        strip_for_serverless(&mut template);
        assert_eq!(template["template"]["settings"], json!({ "index.refresh_interval": "5s" }));
    }
}
