//! How the options of the twitter input are read, and what is refused.

use super::*;
use crate::language::{ParseOptions, Sources, ast, parse};
use crate::plugin::{Block, Context, Environment, take_common};

const CREDENTIALS: &str = r#"consumer_key => "foo" consumer_secret => "hunter2"
    oauth_token => "foo" oauth_token_secret => "hunter3""#;

/// Reads `input { twitter { <options> } }`, where the environment holds `variables`.
fn read(options: &str, variables: &'static [(&str, &str)]) -> (Option<Session>, Vec<String>) {
    let sources = Sources::single("test", format!("input {{ twitter {{ {options} }} }}"));
    let config = parse(&sources, ParseOptions::default()).into_result().unwrap();
    let Some(ast::Item::Plugin(plugin)) = config.sections[0].items.first() else { panic!("no plugin") };
    let find =
        |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    let context = Context { environment: Environment::new(find), ..Context::new(crate::registry()) };
    let mut problems = Vec::new();
    let block = Block::new(Kind::Input, plugin, &context.environment, &mut problems);
    let mut reader = OptionReader::new(&block, &context, "tweets".into());
    take_common(&mut reader);
    let session = Twitter::build(&mut reader);
    problems.extend(reader.finish(&SPEC));
    (session, problems.into_iter().map(|problem| problem.message).collect())
}

fn accepted(options: &str) -> Session {
    match read(options, &[]) {
        (Some(session), problems) if problems.is_empty() => session,
        (_, problems) => panic!("{problems:?}"),
    }
}

fn refused(options: &str) -> Vec<String> {
    read(options, &[]).1
}

#[test]
fn logstashs_options_are_taken() {
    let session = accepted(&format!(
        r#"{CREDENTIALS} keywords => ["foo", "bar"] follows => ["12345678", "theborg"] languages => "en"
        locations => "1234,2343" full_tweet => true ignore_retweets => "true" use_samples => false
        use_proxy => true proxy_address => "10.0.0.1" proxy_port => 12345 rate_limit_reset_in => 60
        target => "[twitter]""#
    ));
    let Api::V1 { filter } = &session.api else { panic!("{session:?}") };
    assert_eq!(filter.keywords, ["foo", "bar"]);
    assert_eq!(filter.follows, ["12345678", "theborg"]);
    assert_eq!(filter.languages, ["en"]);
    assert_eq!(filter.locations.as_deref(), Some("1234,2343"));
    assert!(session.shape.full_tweet && session.ignore_retweets && !session.use_samples);
    assert_eq!(session.proxy.as_deref(), Some("10.0.0.1:12345"));
    assert_eq!(session.rate_limit_reset_in, Duration::from_secs(60));
    assert_eq!(session.hosts, Hosts::of_v1());
}

#[test]
fn defaults_are_logstashs() {
    let session = accepted(&format!("{CREDENTIALS} keywords => foo"));
    assert!(!session.shape.full_tweet && !session.ignore_retweets && !session.use_samples);
    assert_eq!(session.proxy, None);
    assert_eq!(session.rate_limit_reset_in, Duration::from_secs(300));
    let proxied = accepted(&format!("{CREDENTIALS} keywords => foo use_proxy => true"));
    assert_eq!(proxied.proxy.as_deref(), Some("127.0.0.1:3128"));
}

#[test]
fn every_missing_credential_is_named() {
    let problems = refused(r#"keywords => ["a"] consumer_key => "x""#);
    assert_eq!(problems.len(), 3, "{problems:?}");
    for (problem, name) in problems.iter().zip(["consumer_secret", "oauth_token", "oauth_token_secret"]) {
        assert_eq!(problem, &format!("missing required option \"{name}\" of the twitter input"));
    }
}

#[test]
fn something_must_be_looked_for() {
    let problems = refused(CREDENTIALS);
    assert!(
        problems.iter().any(|problem| problem.contains("\"keywords\", \"follows\" and \"locations\"")),
        "{problems:?}"
    );
    accepted(&format!("{CREDENTIALS} use_samples => true"));
    accepted(&format!(r#"{CREDENTIALS} locations => "1,2,3,4""#));
}

#[test]
fn secrets_are_not_printed() {
    let session = accepted(&format!("{CREDENTIALS} keywords => foo"));
    assert!(!format!("{session:?}").contains("hunter"));
    let bearer = accepted(r#"api_version => 2 bearer_token => "hunter4" keywords => foo"#);
    assert!(!format!("{bearer:?}").contains("hunter"));
}

#[test]
fn the_endpoint_is_an_option_or_a_variable() {
    let base =
        |options: &str, variables| read(&format!("{CREDENTIALS} keywords => news {options}"), variables).0;
    let variables = &[("RSTASH_TWITTER_BASE_URL", "http://127.0.0.1:1")];
    assert_eq!(base("", variables).unwrap().hosts, Hosts::at("http://127.0.0.1:1"));
    let option = r#"base_url => "http://127.0.0.1:2/""#;
    assert_eq!(base(option, variables).unwrap().hosts, Hosts::at("http://127.0.0.1:2"));
    assert_eq!(base("", &[("RSTASH_TWITTER_BASE_URL", "")]).unwrap().hosts, Hosts::of_v1());
    let problems = refused(&format!(r#"{CREDENTIALS} keywords => news base_url => "localhost:80""#));
    assert!(problems[0].contains("\"base_url\""), "{problems:?}");
}

#[test]
fn v2_needs_a_bearer_token_alone() {
    let session =
        accepted(r#"api_version => "2" bearer_token => "t" keywords => ["a", "b c"] languages => ["ko"]"#);
    let Api::V2 { fields, rules, rule_tag } = &session.api else { panic!("{session:?}") };
    assert_eq!(rules, &["(a OR (b c)) lang:ko"]);
    assert_eq!(rule_tag, "rstash");
    assert!(fields.tweet.iter().any(|name| name == "created_at"));
    assert!(fields.expansions.iter().any(|name| name == "author_id"));
    assert_eq!(session.hosts, Hosts::of_v2());
    let problems = refused(r#"api_version => "2" keywords => ["a"]"#);
    assert_eq!(problems, ["missing required option \"bearer_token\" of the twitter input"]);
}

#[test]
fn v2_fields_are_asked_for_as_given() {
    let session = accepted(
        r#"api_version => "2" bearer_token => "t" keywords => "a" full_tweet => true tweet_fields => ["lang"]
        expansions => ["geo.place_id"] place_fields => ["country"] backfill_minutes => 2"#,
    );
    let Api::V2 { fields, .. } = &session.api else { panic!("{session:?}") };
    assert_eq!(fields.tweet, ["lang", "created_at"]);
    assert_eq!(fields.expansions, ["geo.place_id"]);
    assert_eq!(fields.place, ["country"]);
    assert_eq!(fields.backfill_minutes, Some(2));
}

#[test]
fn what_belongs_to_the_other_api_is_refused_by_name() {
    let problems = refused(&format!("{CREDENTIALS} keywords => news tweet_fields => lang"));
    assert!(problems.len() == 1 && problems[0].contains("\"tweet_fields\""), "{problems:?}");
    for (option, name) in [
        ("backfill_minutes => 9", "backfill_minutes"),
        (r#"locations => "1,2,3""#, "locations"),
        ("stall_timeout => -1", "stall_timeout"),
        ("api_versoin => 2", "api_versoin"),
    ] {
        let problems =
            refused(&format!(r#"api_version => "2" bearer_token => "t" keywords => "a" {option}"#));
        assert!(
            problems.iter().any(|problem| problem.contains(&format!("\"{name}\""))),
            "{option}: {problems:?}"
        );
    }
}
