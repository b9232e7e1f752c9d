//! Messages of the v1.1 stream, and the fields that an event gets of a tweet (`from_tweet` in the plugin's twitter.rb).

use jiff::fmt::strtime;

use crate::event::{Event, FieldReference, Object, SetError, Timestamp, Value};

/// What one line of the stream says (`Twitter::Streaming::MessageParser`).
#[derive(Debug, PartialEq)]
pub enum Message {
    /// A tweet: whatever has an `id`.
    Tweet(Object),
    /// Some tweets matched and were held back; `track` counts them since the connection began.
    Limit { track: Option<i64> },
    /// The server is about to close the connection, and says why.
    Disconnect { reason: String },
    /// The server warns, mostly that we read too slowly.
    Warning { message: String },
    /// Deletions, friend lists, events of an account: of no use to a pipeline.
    Other,
}

impl Message {
    /// Tells what a message is; JSON that is no object says nothing.
    pub fn of(value: Value) -> Self {
        let Value::Object(object) = value else { return Message::Other };
        if object.get("id").is_some_and(is_present) {
            return Message::Tweet(*object);
        }
        let text_in = |part: &Value, names: [&str; 2]| {
            let fields = part.as_object();
            names.iter().find_map(|name| fields?.get(name)?.as_str()).unwrap_or_default().to_owned()
        };
        if let Some(limit) = object.get("limit") {
            let track = limit.as_object().and_then(|limit| limit.get("track"));
            return Message::Limit { track: track.and_then(as_int) };
        }
        if let Some(disconnect) = object.get("disconnect") {
            return Message::Disconnect { reason: text_in(disconnect, ["reason", "stream_name"]) };
        }
        match object.get("warning") {
            Some(warning) => Message::Warning { message: text_in(warning, ["message", "code"]) },
            None => Message::Other,
        }
    }
}

/// How tweets become events.
#[derive(Debug, Clone, Default)]
pub struct Shape {
    /// The whole tweet as it came, or the few fields of [`short_fields`].
    pub full_tweet: bool,
    /// Where the fields go; the top of the event without it.
    pub target: Option<FieldReference>,
}

impl Shape {
    /// Makes the event of a tweet's fields. Its time is the tweet's; one without a time is of now.
    pub fn event(&self, fields: Object, created_at: Option<&Value>) -> Result<Event, SetError> {
        let time = match created_at {
            None | Some(Value::Null) => Ok(Timestamp::now()),
            Some(Value::Str(text)) => parse_time(text).ok_or(()),
            Some(_) => Err(()),
        };
        let mut event = match &self.target {
            None => Event::from_object(fields)?,
            Some(target) => {
                let mut event = Event::new();
                event.set(target, fields)?;
                event
            }
        };
        match time {
            Ok(time) => event.set_timestamp(time),
            // Logstash throws such a tweet away. It is kept, as an event with an unreadable @timestamp is.
            Err(()) => event.tag("_timestampparsefailure"),
        }
        Ok(event)
    }

    /// The event of a v1.1 tweet.
    pub fn event_of_tweet(&self, tweet: Object) -> Result<Event, SetError> {
        let created_at = tweet.get("created_at").cloned();
        let fields = if self.full_tweet { tweet } else { short_fields(&tweet) };
        self.event(fields, created_at.as_ref())
    }
}

/// `Wed Oct 10 20:19:24 +0000 2018`, or ISO 8601 as the v2 API writes it.
pub fn parse_time(text: &str) -> Option<Timestamp> {
    let of_v1 = strtime::parse("%a %b %d %H:%M:%S %z %Y", text).and_then(|time| time.to_timestamp());
    match of_v1 {
        Ok(time) => Timestamp::new(time.as_second(), 0),
        Err(_) => Timestamp::parse(text),
    }
}

/// Whether the tweet is somebody else's, passed on with the retweet button.
pub fn is_retweet(tweet: &Object) -> bool {
    tweet.get("retweeted_status").is_some_and(is_present)
}

/// The fields of an event when `full_tweet` is off.
pub fn short_fields(tweet: &Object) -> Object {
    let screen_name = tweet.get("user").and_then(Value::as_object).and_then(|user| user.get("screen_name"));
    let mut fields = Object::with_capacity(10);
    fields.insert("message", full_text(tweet));
    fields.insert("user", screen_name.cloned().unwrap_or_default());
    fields.insert("client", tweet.get("source").cloned().unwrap_or_default());
    fields.insert("retweeted", Value::from(tweet.get("retweeted").is_some_and(is_present)));
    fields.insert("source", Value::from(link(screen_name, tweet.get("id"))));
    for name in ["hashtags", "symbols", "user_mentions"] {
        fields.insert(name, Value::Array(entities(tweet, name).to_vec()));
    }
    let replied_to = tweet.get("in_reply_to_status_id").filter(|id| is_present(id));
    if let Some(id) = replied_to.filter(|_| tweet.get("in_reply_to_user_id").is_some_and(is_present)) {
        fields.insert("in-reply-to", id.clone());
    }
    let urls: Vec<Value> = entities(tweet, "urls").iter().map(expanded_url).collect();
    if !urls.is_empty() {
        fields.insert("urls", Value::Array(urls));
    }
    fields
}

/// The address of a tweet, with the scheme and host that Logstash writes.
pub fn link(screen_name: Option<&Value>, id: Option<&Value>) -> String {
    let shown = |value: Option<&Value>| value.map(crate::event::text::ruby_to_s).unwrap_or_default();
    format!("http://twitter.com/{}/status/{}", shown(screen_name), shown(id))
}

/// A retweet's own text is cut at the end, so the original's is taken behind the `RT @name: ` (`Tweet#full_text`).
fn full_text(tweet: &Object) -> Value {
    let text =
        |tweet: &Object| tweet.get("text").filter(|text| !text.is_null()).or(tweet.get("full_text")).cloned();
    let original =
        tweet.get("retweeted_status").filter(|original| is_present(original)).and_then(Value::as_object);
    let own = text(tweet).unwrap_or_default();
    match original {
        None => own,
        Some(original) => {
            let prefix = own.as_str().and_then(retweet_prefix).unwrap_or_default();
            let original = text(original);
            Value::from(format!("{prefix}{}", original.as_ref().and_then(Value::as_str).unwrap_or_default()))
        }
    }
}

/// `RT @name: `, names being 1 to 20 of `[A-Za-z0-9_]`.
fn retweet_prefix(text: &str) -> Option<&str> {
    let (start, rest) = text.split_at_checked("RT @".len())?;
    let name = rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    let is_prefix =
        start.eq_ignore_ascii_case("RT @") && (1..=20).contains(&name) && rest.get(name..)?.starts_with(": ");
    is_prefix.then(|| text.get(..start.len() + name + 2)).flatten()
}

fn entities<'t>(tweet: &'t Object, name: &str) -> &'t [Value] {
    let entities = tweet.get("entities").and_then(Value::as_object);
    entities.and_then(|entities| entities.get(name)?.as_array()).unwrap_or_default()
}

/// A link as it was written; one that was not expanded is empty, and an empty fragment is cut off, as the gem does.
fn expanded_url(entity: &Value) -> Value {
    let url = entity.as_object().and_then(|entity| entity.get("expanded_url")?.as_str()).unwrap_or_default();
    Value::from(url.strip_suffix('#').unwrap_or(url))
}

/// What Twitter's gem takes for given: neither null nor false nor empty.
fn is_present(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Str(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => true,
    }
}

fn as_int(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::json::{self, Decimals};

    fn object(text: &str) -> Object {
        match json::parse(text, Decimals::Lossless) {
            Ok(Value::Object(object)) => *object,
            other => panic!("{other:?}"),
        }
    }

    fn message(text: &str) -> Message {
        Message::of(json::parse(text, Decimals::Lossless).unwrap())
    }

    fn field(event: &Event, name: &str) -> Option<Value> {
        event.get(&FieldReference::parse(name).unwrap()).cloned()
    }

    /// The tweet that the plugin's own suite builds its events of.
    const HELLO: &str = r#"{"id":1234567890123456789,"id_str":"1234567890123456789",
        "created_at":"Thu Nov 11 10:00:00 +0000 2021","text":"Hello World! 🥰","truncated":false,
        "source":"<a href=\"http://twitter.com/download/android\" rel=\"nofollow\">Twitter for Android</a>",
        "user":{"id":1182909005012345600,"name":"Foo Bar","screen_name":"foo001","location":null}}"#;

    #[test]
    fn a_short_event_has_the_plugins_fields() {
        let event = Shape::default().event_of_tweet(object(HELLO)).unwrap();
        assert_eq!(field(&event, "message"), Some("Hello World! 🥰".into()));
        assert_eq!(field(&event, "user"), Some("foo001".into()));
        assert_eq!(
            field(&event, "source"),
            Some("http://twitter.com/foo001/status/1234567890123456789".into())
        );
        assert_eq!(field(&event, "retweeted"), Some(false.into()));
        assert_eq!(field(&event, "hashtags"), Some(Value::Array(vec![])));
        assert_eq!(field(&event, "in-reply-to"), None);
        assert_eq!(field(&event, "urls"), None);
        assert_eq!(event.timestamp().unwrap().to_string(), "2021-11-11T10:00:00.000Z");
        assert_eq!(event.data().len(), 10);
    }

    #[test]
    fn a_full_event_is_the_tweet() {
        let shape = Shape { full_tweet: true, target: None };
        let event = shape.event_of_tweet(object(HELLO)).unwrap();
        assert_eq!(field(&event, "text"), Some("Hello World! 🥰".into()));
        assert_eq!(field(&event, "[user][screen_name]"), Some("foo001".into()));
        assert_eq!(field(&event, "created_at"), Some("Thu Nov 11 10:00:00 +0000 2021".into()));
        assert_eq!(event.timestamp().unwrap().to_string(), "2021-11-11T10:00:00.000Z");
    }

    #[test]
    fn a_target_holds_everything_but_the_time() {
        let shape = Shape { full_tweet: false, target: FieldReference::parse("[twitter]").ok() };
        let event = shape.event_of_tweet(object(HELLO)).unwrap();
        assert_eq!(field(&event, "message"), None);
        assert_eq!(field(&event, "[twitter][message]"), Some("Hello World! 🥰".into()));
        assert_eq!(field(&event, "[twitter][user]"), Some("foo001".into()));
        assert_eq!(event.timestamp().unwrap().to_string(), "2021-11-11T10:00:00.000Z");
    }

    #[test]
    fn entities_replies_and_links_are_taken_over() {
        let fields = short_fields(&object(
            r##"{"id":2,"text":"@a look #b $C","user":{"screen_name":"x"},"in_reply_to_status_id":7,
            "in_reply_to_user_id":8,"retweeted":true,"entities":{"hashtags":[{"text":"b","indices":[8,10]}],
            "symbols":[{"text":"C","indices":[11,13]}],"user_mentions":[{"screen_name":"a","id":8}],
            "urls":[{"url":"https://t.co/1","expanded_url":"https://example.org/#"},{"url":"https://t.co/2"}]}}"##,
        ));
        assert_eq!(fields.get("in-reply-to"), Some(&Value::Int(7)));
        assert_eq!(fields.get("retweeted"), Some(&Value::Bool(true)));
        assert_eq!(fields.get("urls"), Some(&Value::Array(vec!["https://example.org/".into(), "".into()])));
        let hashtag = object(r#"{"text":"b","indices":[8,10]}"#);
        assert_eq!(fields.get("hashtags"), Some(&Value::Array(vec![hashtag.into()])));
    }

    #[test]
    fn a_retweets_message_is_the_whole_original() {
        let retweet = object(
            r#"{"id":3,"text":"RT @Some_One: cut off he…","retweeted_status":{"id":1,"text":"cut off here no more"}}"#,
        );
        assert!(is_retweet(&retweet));
        assert_eq!(short_fields(&retweet).get("message"), Some(&"RT @Some_One: cut off here no more".into()));
        let odd = object(r#"{"id":3,"text":"한국어 텍스트","retweeted_status":{"id":1,"text":"original"}}"#);
        assert_eq!(short_fields(&odd).get("message"), Some(&"original".into()));
        assert!(!is_retweet(&object(r#"{"id":3,"retweeted_status":null}"#)));
    }

    #[test]
    fn messages_that_are_no_tweets_are_told_apart() {
        assert_eq!(message(r#"{"limit":{"track":1234}}"#), Message::Limit { track: Some(1234) });
        assert_eq!(
            message(r#"{"disconnect":{"code":4,"stream_name":"s","reason":"stall"}}"#),
            Message::Disconnect { reason: "stall".into() }
        );
        assert_eq!(
            message(r#"{"warning":{"code":"FALLING_BEHIND","message":"60% full"}}"#),
            Message::Warning { message: "60% full".into() }
        );
        assert_eq!(message(r#"{"delete":{"status":{"id":1,"user_id":3}}}"#), Message::Other);
        assert_eq!(message("[1]"), Message::Other);
        assert!(matches!(message(HELLO), Message::Tweet(_)));
    }

    #[test]
    fn times_are_read_in_both_notations() {
        let shown = |text| parse_time(text).map(|time| time.to_string());
        assert_eq!(shown("Wed Apr 06 19:13:37 +0000 2011").as_deref(), Some("2011-04-06T19:13:37.000Z"));
        assert_eq!(shown("Wed Apr 06 19:13:37 +0900 2011").as_deref(), Some("2011-04-06T10:13:37.000Z"));
        assert_eq!(shown("2021-11-11T10:00:00.123Z").as_deref(), Some("2021-11-11T10:00:00.123Z"));
        assert_eq!(shown("yesterday"), None);
    }

    #[test]
    fn an_unreadable_time_is_tagged() {
        let event = Shape::default().event_of_tweet(object(r#"{"id":1,"created_at":"yesterday"}"#)).unwrap();
        assert_eq!(field(&event, "tags"), Some(Value::Array(vec!["_timestampparsefailure".into()])));
    }
}
