//! What is asked of the server: hosts, paths and parameters, made of the options.

use reqwest::Method;

/// From this many characters on, parameters go into a form body, for servers cut long request lines off.
const LONGEST_QUERY: usize = 6000;

/// The two hosts, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts {
    pub stream: String,
    pub api: String,
}

impl Hosts {
    pub fn of_v1() -> Self {
        Hosts { stream: "https://stream.twitter.com".into(), api: "https://api.twitter.com".into() }
    }

    pub fn of_v2() -> Self {
        Hosts { stream: "https://api.x.com".into(), api: "https://api.x.com".into() }
    }

    /// One address in the place of both hosts.
    pub fn at(base: &str) -> Self {
        let base = base.trim_end_matches('/');
        Hosts { stream: base.into(), api: base.into() }
    }
}

/// One request, not yet signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub method: Method,
    /// Without a query.
    pub url: String,
    pub parameters: Vec<(&'static str, String)>,
    /// A JSON body, where there is one.
    pub json: Option<String>,
}

impl Request {
    pub fn get(url: String, parameters: Vec<(&'static str, String)>) -> Self {
        Request { method: Method::GET, url, parameters, json: None }
    }

    pub fn post_json(url: String, json: String) -> Self {
        Request { method: Method::POST, url, parameters: Vec::new(), json: Some(json) }
    }

    /// The encoded parameters, strictly as RFC 5849 has them (a space is `%20`), so that no server reads others than
    /// were signed.
    pub fn query(&self) -> String {
        use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
        const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
        let encoded = |text| utf8_percent_encode(text, RESERVED);
        let pairs: Vec<String> = self
            .parameters
            .iter()
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect();
        pairs.join("&")
    }

    /// Whether the parameters belong into a form body.
    pub fn has_form(&self) -> bool {
        self.method == Method::POST && self.query().len() > LONGEST_QUERY
    }
}

/// What of the v1.1 stream is wanted (`build_options` in the plugin's twitter.rb).
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub keywords: Vec<String>,
    pub locations: Option<String>,
    pub languages: Vec<String>,
    /// User ids; names were looked up before.
    pub follows: Vec<String>,
}

impl Filter {
    /// `POST statuses/filter.json`. The parameters stand in the query, where Logstash has them.
    pub fn request(&self, hosts: &Hosts) -> Request {
        let lists = [
            ("track", self.keywords.join(",")),
            ("locations", self.locations.clone().unwrap_or_default()),
            ("language", self.languages.join(",")),
            ("follow", self.follows.join(",")),
        ];
        Request {
            method: Method::POST,
            url: format!("{}/1.1/statuses/filter.json", hosts.stream),
            parameters: lists.into_iter().filter(|(_, value)| !value.is_empty()).collect(),
            json: None,
        }
    }
}

/// `GET statuses/sample.json`: some of everything; filters are ignored there.
pub fn sample(hosts: &Hosts) -> Request {
    Request::get(format!("{}/1.1/statuses/sample.json", hosts.stream), Vec::new())
}

/// `GET users/show.json`: the account behind a name.
pub fn user(hosts: &Hosts, screen_name: &str) -> Request {
    Request::get(format!("{}/1.1/users/show.json", hosts.api), vec![("screen_name", screen_name.to_owned())])
}

/// Whether a followed user is given by its id (the plugin's `is_number?`).
pub fn is_user_id(user: &str) -> bool {
    !user.is_empty() && user.bytes().all(|byte| byte.is_ascii_digit())
}

/// The v2 endpoint whose rules are listed and changed.
pub fn rules_url(hosts: &Hosts) -> String {
    format!("{}/2/tweets/search/stream/rules", hosts.api)
}

/// What v2 is to send of each post: names of fields per kind of thing.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    pub tweet: Vec<String>,
    pub expansions: Vec<String>,
    pub user: Vec<String>,
    pub media: Vec<String>,
    pub place: Vec<String>,
    pub poll: Vec<String>,
    pub backfill_minutes: Option<u32>,
}

/// The v2 stream: the filtered one, or the sample.
pub fn v2_stream(hosts: &Hosts, samples: bool, fields: &Fields) -> Request {
    let path = if samples { "2/tweets/sample/stream" } else { "2/tweets/search/stream" };
    let lists = [
        ("tweet.fields", &fields.tweet),
        ("expansions", &fields.expansions),
        ("user.fields", &fields.user),
        ("media.fields", &fields.media),
        ("place.fields", &fields.place),
        ("poll.fields", &fields.poll),
    ];
    let mut parameters: Vec<(&'static str, String)> = lists
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(name, names)| (name, names.join(",")))
        .collect();
    if let Some(minutes) = fields.backfill_minutes {
        parameters.push(("backfill_minutes", minutes.to_string()));
    }
    Request::get(format!("{}/{path}", hosts.stream), parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    /// The options of the plugin's own suite, and what it expects of them.
    #[test]
    fn options_become_parameters() {
        let filter = Filter {
            keywords: owned(&["foo"]),
            languages: owned(&["en", "fr"]),
            locations: Some("1234,2343".into()),
            follows: owned(&["1234", "4321"]),
        };
        let request = filter.request(&Hosts::of_v1());
        assert_eq!(
            (request.method.as_str(), request.url.as_str()),
            ("POST", "https://stream.twitter.com/1.1/statuses/filter.json")
        );
        assert_eq!(request.query(), "track=foo&locations=1234%2C2343&language=en%2Cfr&follow=1234%2C4321");
    }

    #[test]
    fn what_is_not_asked_is_not_sent() {
        let filter = Filter { keywords: owned(&["한국 AI", "a&b"]), ..Filter::default() };
        assert_eq!(filter.request(&Hosts::of_v1()).query(), "track=%ED%95%9C%EA%B5%AD%20AI%2Ca%26b");
        assert_eq!(sample(&Hosts::of_v1()).query(), "");
    }

    #[test]
    fn thousands_of_users_go_into_the_body() {
        let follows = (0..5000).map(|id| (1_000_000 + id).to_string()).collect();
        assert!(Filter { follows, ..Filter::default() }.request(&Hosts::of_v1()).has_form());
        assert!(!Filter { follows: owned(&["1"]), ..Filter::default() }.request(&Hosts::of_v1()).has_form());
    }

    #[test]
    fn one_base_stands_for_both_hosts() {
        let hosts = Hosts::at("http://127.0.0.1:8080/");
        assert_eq!(user(&hosts, "nasa").url, "http://127.0.0.1:8080/1.1/users/show.json");
        assert_eq!(sample(&hosts).url, "http://127.0.0.1:8080/1.1/statuses/sample.json");
        assert_eq!(rules_url(&hosts), "http://127.0.0.1:8080/2/tweets/search/stream/rules");
    }

    #[test]
    fn users_are_ids_or_names() {
        assert!(is_user_id("12345678"));
        assert!(!is_user_id("theborg") && !is_user_id("123abc") && !is_user_id(""));
    }

    #[test]
    fn v2_fields_are_lists() {
        let fields = Fields {
            tweet: owned(&["created_at", "entities"]),
            backfill_minutes: Some(2),
            ..Fields::default()
        };
        let request = v2_stream(&Hosts::of_v2(), false, &fields);
        assert_eq!(request.url, "https://api.x.com/2/tweets/search/stream");
        assert_eq!(request.query(), "tweet.fields=created_at%2Centities&backfill_minutes=2");
    }
}
