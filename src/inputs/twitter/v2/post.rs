//! Messages of the v2 stream, and the fields that an event gets of a post, under the names of the v1.1 events.

use super::super::tweet::{Shape, link};
use crate::event::{Event, Object, SetError, Value};

/// What must be asked for, so that [`short_fields`] finds what it needs.
pub const NEEDED_TWEET_FIELDS: &[&str] =
    &["author_id", "created_at", "entities", "note_tweet", "referenced_tweets", "source"];
/// Asked for so that the author's name and a retweet's original come along.
pub const NEEDED_EXPANSIONS: &[&str] = &["author_id", "referenced_tweets.id"];
/// Asked for so that users have a name.
pub const NEEDED_USER_FIELDS: &[&str] = &["name", "username"];

/// What one line of the stream says.
#[derive(Debug, PartialEq)]
pub enum Message {
    /// A post with what it refers to: `data`, `includes`, `matching_rules`.
    Post(Object),
    /// The server is about to close the connection, or could not send something, and says why.
    Errors {
        reason: String,
    },
    Other,
}

impl Message {
    /// Tells what a message is; JSON that is no object says nothing.
    pub fn of(value: Value) -> Self {
        let Value::Object(object) = value else { return Message::Other };
        if object.get("data").and_then(Value::as_object).is_some_and(|data| data.contains_key("id")) {
            return Message::Post(*object);
        }
        match object.get("errors").and_then(Value::as_array) {
            Some(errors) => Message::Errors { reason: reason(errors) },
            None => Message::Other,
        }
    }
}

/// The first problem that an `errors` list names.
pub fn reason(errors: &[Value]) -> String {
    let first = errors.first().and_then(Value::as_object);
    let text = |name| first.and_then(|error: &Object| error.get(name)?.as_str());
    text("detail").or(text("message")).or(text("title")).unwrap_or("no reason given").to_owned()
}

/// The event of a post; with `full_tweet` it is the whole message.
pub fn event_of_post(shape: &Shape, message: Object) -> Result<Event, SetError> {
    let created_at = data(&message).and_then(|post| post.get("created_at")).cloned();
    let fields = if shape.full_tweet { message } else { short_fields(&message) };
    shape.event(fields, created_at.as_ref())
}

/// Whether the post is somebody else's, passed on.
pub fn is_retweet(message: &Object) -> bool {
    referenced(message, "retweeted").is_some()
}

/// The fields of an event when `full_tweet` is off, in the shapes that v1.1 gave them.
fn short_fields(message: &Object) -> Object {
    let nothing = Object::new();
    let post = data(message).unwrap_or(&nothing);
    let author = post.get("author_id").and_then(|id| included(message, "users", id));
    let username = author.and_then(|author| author.get("username"));
    let mut fields = Object::with_capacity(10);
    fields.insert("message", full_text(message, post));
    fields.insert("user", username.cloned().unwrap_or_default());
    fields.insert("client", post.get("source").cloned().unwrap_or_default());
    // In v1.1 whether the asking account passed it on; an application of its own never did.
    fields.insert("retweeted", Value::from(false));
    fields.insert("source", Value::from(link(username, post.get("id"))));
    fields.insert("hashtags", entities(post, "hashtags", |tag| renamed(tag, "tag", "text")));
    fields.insert("symbols", entities(post, "cashtags", |tag| renamed(tag, "tag", "text")));
    fields.insert("user_mentions", entities(post, "mentions", |mention| mentioned(message, mention)));
    if let Some(id) = referenced(message, "replied_to") {
        fields.insert("in-reply-to", number(id));
    }
    let urls = entities(post, "urls", |url| url.get("expanded_url").cloned().unwrap_or_else(|| "".into()));
    if urls.as_array().is_some_and(|urls| !urls.is_empty()) {
        fields.insert("urls", urls);
    }
    fields
}

fn data(message: &Object) -> Option<&Object> {
    message.get("data")?.as_object()
}

/// A retweet's own text is cut at the end, so the original's is taken behind the `RT @name: `.
fn full_text(message: &Object, post: &Object) -> Value {
    let own = text_of(post);
    let original =
        referenced(message, "retweeted").and_then(|id| included(message, "tweets", id)).and_then(text_of);
    match (own, original) {
        (Some(own), Some(original)) => {
            let prefix =
                own.find(": ").and_then(|end| own.get(..end + 2)).filter(|start| start.starts_with("RT @"));
            Value::from(format!("{}{original}", prefix.unwrap_or_default()))
        }
        (own, _) => own.map_or(Value::Null, Value::from),
    }
}

/// Posts beyond 280 characters have their whole text in `note_tweet`.
fn text_of(post: &Object) -> Option<&str> {
    let note = post.get("note_tweet").and_then(Value::as_object).and_then(|note| note.get("text")?.as_str());
    note.or_else(|| post.get("text")?.as_str())
}

/// The id of the post that this one refers to in the given way.
fn referenced<'m>(message: &'m Object, kind: &str) -> Option<&'m Value> {
    data(message)?
        .get("referenced_tweets")?
        .as_array()?
        .iter()
        .filter_map(Value::as_object)
        .find(|reference| reference.get("type").and_then(Value::as_str) == Some(kind))?
        .get("id")
}

/// The user or post of that id among those that came along.
fn included<'m>(message: &'m Object, kind: &str, id: &Value) -> Option<&'m Object> {
    let included = message.get("includes")?.as_object()?.get(kind)?.as_array()?;
    included.iter().filter_map(Value::as_object).find(|item| item.get("id") == Some(id))
}

fn entities(post: &Object, kind: &str, shape: impl Fn(&Object) -> Value) -> Value {
    let list =
        post.get("entities").and_then(Value::as_object).and_then(|entities| entities.get(kind)?.as_array());
    Value::Array(list.unwrap_or_default().iter().filter_map(Value::as_object).map(shape).collect())
}

fn renamed(entity: &Object, from: &str, to: &str) -> Value {
    let mut shaped = Object::with_capacity(2);
    shaped.insert(to, entity.get(from).cloned().unwrap_or_default());
    shaped.insert("indices", indices(entity));
    shaped.into()
}

fn mentioned(message: &Object, mention: &Object) -> Value {
    let mut shaped = Object::with_capacity(5);
    shaped.insert("screen_name", mention.get("username").cloned().unwrap_or_default());
    if let Some(id) = mention.get("id") {
        if let Some(name) = included(message, "users", id).and_then(|user| user.get("name")) {
            shaped.insert("name", name.clone());
        }
        shaped.insert("id", number(id));
        shaped.insert("id_str", id.clone());
    }
    shaped.insert("indices", indices(mention));
    shaped.into()
}

fn indices(entity: &Object) -> Value {
    Value::Array(["start", "end"].map(|name| entity.get(name).cloned().unwrap_or_default()).to_vec())
}

/// v1.1 wrote ids as numbers, v2 writes them as text.
fn number(id: &Value) -> Value {
    id.as_str().and_then(|id| id.parse::<i64>().ok()).map_or_else(|| id.clone(), Value::from)
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

    const REPLY: &str = r##"{"data":{"id":"20","author_id":"7","text":"@b #tag $TSLA https://t.co/x",
        "created_at":"2024-05-06T07:08:09.000Z","referenced_tweets":[{"type":"replied_to","id":"19"}],
        "entities":{"hashtags":[{"start":3,"end":7,"tag":"tag"}],"cashtags":[{"start":8,"end":13,"tag":"TSLA"}],
        "mentions":[{"start":0,"end":2,"username":"b","id":"8"}],
        "urls":[{"start":14,"end":28,"url":"https://t.co/x","expanded_url":"https://example.org/"}]}},
        "includes":{"users":[{"id":"7","name":"A","username":"a"},{"id":"8","name":"B","username":"b"}]},
        "matching_rules":[{"id":"1","tag":"rstash"}]}"##;

    #[test]
    fn a_short_event_has_the_fields_of_v1() {
        let event = event_of_post(&Shape::default(), object(REPLY)).unwrap();
        let expected = object(
            r#"{"message":"@b #tag $TSLA https://t.co/x","user":"a","client":null,"retweeted":false,
            "source":"http://twitter.com/a/status/20","hashtags":[{"text":"tag","indices":[3,7]}],
            "symbols":[{"text":"TSLA","indices":[8,13]}],
            "user_mentions":[{"screen_name":"b","name":"B","id":8,"id_str":"8","indices":[0,2]}],
            "in-reply-to":19,"urls":["https://example.org/"]}"#,
        );
        for (name, value) in expected.iter() {
            assert_eq!(event.data().get(name), Some(value), "{name}");
        }
        assert_eq!(event.data().len(), expected.len() + 2);
        assert_eq!(event.timestamp().unwrap().to_string(), "2024-05-06T07:08:09.000Z");
    }

    #[test]
    fn a_full_event_is_the_message() {
        let shape = Shape { full_tweet: true, target: None };
        let event = event_of_post(&shape, object(REPLY)).unwrap();
        assert_eq!(event.data().get("data"), object(REPLY).get("data"));
        assert_eq!(event.timestamp().unwrap().to_string(), "2024-05-06T07:08:09.000Z");
    }

    #[test]
    fn a_retweets_message_is_the_whole_original() {
        let message = object(
            r#"{"data":{"id":"3","text":"RT @b: cut o…","referenced_tweets":[{"type":"retweeted","id":"1"}]},
            "includes":{"tweets":[{"id":"1","text":"cut o…","note_tweet":{"text":"cut off no more"}}]}}"#,
        );
        assert!(is_retweet(&message));
        assert_eq!(short_fields(&message).get("message"), Some(&"RT @b: cut off no more".into()));
        assert!(!is_retweet(&object(REPLY)));
    }

    #[test]
    fn errors_are_told_from_posts() {
        let message = |text| Message::of(Value::from(object(text)));
        assert_eq!(
            message(r#"{"errors":[{"title":"operational-disconnect","detail":"maintenance"}]}"#),
            Message::Errors { reason: "maintenance".into() }
        );
        assert_eq!(message(r#"{"meta":{}}"#), Message::Other);
        assert!(matches!(message(REPLY), Message::Post(_)));
    }
}
