//! twitter: events from the streams of Twitter (API v1.1) and of X (API v2).
//!
//! Follows the page "Twitter input plugin" of the Logstash reference and `lib/logstash/inputs/twitter.rb` of the plugin.
//! The v1.1 streams were switched off in 2023; `api_version => "2"` speaks what replaced them, and `base_url` any
//! server that speaks either.

mod backoff;
mod client;
mod lines;
mod oauth;
mod request;
mod session;
mod tweet;
mod v2;

use std::time::Duration;

use futures_util::future::BoxFuture;

use self::client::{Authorization, Token};
use self::oauth::Credentials;
use self::request::{Fields, Filter, Hosts};
use self::session::{Api, Session};
use self::tweet::Shape;
use self::v2::{post, rules};
use crate::event::FieldReference;
use crate::plugin::{
    Build, CodecFactory, Example, Input, Kind, OptionReader, Password, Problem, RunError, Shutdown, Sink,
    Spec, choices, options,
};

/// Where the endpoint is looked for when `base_url` is not given.
const BASE_URL_VARIABLE: &str = "RSTASH_TWITTER_BASE_URL";
const V1_CREDENTIALS: [&str; 4] = ["consumer_key", "consumer_secret", "oauth_token", "oauth_token_secret"];
const V2_OPTIONS: [&str; 9] = [
    "bearer_token",
    "tweet_fields",
    "expansions",
    "user_fields",
    "media_fields",
    "place_fields",
    "poll_fields",
    "backfill_minutes",
    "rule_tag",
];

pub static SPEC: Spec = Spec {
    kind: Kind::Input,
    name: "twitter",
    summary: "Reads tweets from the streaming APIs of Twitter (v1.1) and X (v2).",
    options: Twitter::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"input {
  twitter {
    consumer_key => "your consumer key"
    consumer_secret => "your consumer secret"
    oauth_token => "your oauth token"
    oauth_token_secret => "your oauth token secret"
    keywords => ["news", "bigdata"]
    full_tweet => true
  }
}"#,
        input: &[],
        output: &[],
    },
    build: Build::Input(|reader| Some(Box::new(Twitter::build(reader)?))),
};

choices! {
    /// Which API to speak.
    pub enum ApiVersion {
        V1 = "1.1",
        V2 = "2",
    }
}

options! {
    pub struct Twitter {
        /// The application's consumer key. Required with `api_version => "1.1"`, as are the next three.
        consumer_key: Option<String>,
        /// The application's consumer secret.
        consumer_secret: Option<Password>,
        /// The account's access token.
        oauth_token: Option<String>,
        /// The account's access token secret.
        oauth_token_secret: Option<Password>,
        /// Words to look for: tweets with any of them, and within one all words separated by spaces.
        keywords: Option<Vec<String>>,
        /// Whether the event is the tweet as it came, instead of a few fields of it.
        full_tweet: bool = false,
        /// Users whose tweets are wanted, by id or by name.
        follows: Option<Vec<String>>,
        /// Boxes on the map: longitude and latitude of the south-west corner and of the north-east one, with commas.
        locations: Option<String>,
        /// Languages that tweets must be written in, as BCP 47 codes.
        languages: Option<Vec<String>>,
        /// Take a small sample of all tweets; keywords, follows, locations and languages are ignored then.
        use_samples: bool = false,
        /// Leave out retweets.
        ignore_retweets: bool = false,
        /// Connect through the HTTP proxy of the next two options.
        use_proxy: bool = false,
        /// The proxy's host.
        proxy_address: String = "127.0.0.1",
        /// The proxy's port.
        proxy_port: u16 = 3128,
        /// Seconds to wait after the answer 420 or 429, where it does not say how long itself.
        rate_limit_reset_in: f64 = 300,
        /// The field that holds the tweet's fields; the top of the event without it.
        target: Option<FieldReference>,
        /// The API to speak: `1.1`, or `2` for X API v2 with a `bearer_token`.
        api_version: ApiVersion = "1.1",
        /// The application's bearer token. Required with `api_version => "2"`.
        bearer_token: Option<Password>,
        /// The server in the place of Twitter's, e.g. `http://127.0.0.1:8080`. Without it the environment variable
        /// `RSTASH_TWITTER_BASE_URL` is looked at, and then Twitter's own hosts are used.
        base_url: Option<String>,
        /// Seconds without any data, keep-alives included, after which the connection is taken for dead.
        stall_timeout: f64 = 90,
        /// v2: names for `tweet.fields`. What the event needs is asked for in any case.
        tweet_fields: Option<Vec<String>>,
        /// v2: names for `expansions`.
        expansions: Option<Vec<String>>,
        /// v2: names for `user.fields`.
        user_fields: Option<Vec<String>>,
        /// v2: names for `media.fields`.
        media_fields: Option<Vec<String>>,
        /// v2: names for `place.fields`.
        place_fields: Option<Vec<String>>,
        /// v2: names for `poll.fields`.
        poll_fields: Option<Vec<String>>,
        /// v2: minutes, 1 to 5, that are sent again after a reconnect; for access levels that have it.
        backfill_minutes: Option<u32>,
        /// v2: the tag of the stream's rules that belong to this input; rules with other tags are left alone.
        rule_tag: String = "rstash",
    }
}

impl Twitter {
    fn build(reader: &mut OptionReader<'_>) -> Option<Session> {
        // Logstash accepts a codec here and never calls it.
        let _: Option<Option<CodecFactory>> = reader.take("codec", None);
        reader.no_effect("codec", "tweets always come as JSON");
        let options = Twitter::read(reader)?;
        let hosts = options.hosts(reader);
        let api = match options.api_version {
            ApiVersion::V1 => options.v1(reader),
            ApiVersion::V2 => options.v2(reader),
        };
        let rate_limit_reset_in = seconds(reader, "rate_limit_reset_in", options.rate_limit_reset_in);
        let stall_timeout = seconds(reader, "stall_timeout", options.stall_timeout);
        let (authorization, api) = api?;
        Some(Session {
            id: reader.id().to_owned(),
            hosts: hosts?,
            authorization,
            api,
            use_samples: options.use_samples,
            ignore_retweets: options.ignore_retweets,
            shape: Shape { full_tweet: options.full_tweet, target: options.target },
            proxy: options.use_proxy.then(|| format!("{}:{}", options.proxy_address, options.proxy_port)),
            rate_limit_reset_in: rate_limit_reset_in?,
            stall_timeout: stall_timeout?,
        })
    }

    fn hosts(&self, reader: &mut OptionReader<'_>) -> Option<Hosts> {
        let given = self.base_url.clone();
        let base =
            given.or_else(|| reader.context.environment.get(BASE_URL_VARIABLE).filter(|url| !url.is_empty()));
        let Some(base) = base else {
            return Some(match self.api_version {
                ApiVersion::V1 => Hosts::of_v1(),
                ApiVersion::V2 => Hosts::of_v2(),
            });
        };
        let is_url = reqwest::Url::parse(&base).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if !is_url {
            let source = if self.base_url.is_some() { "" } else { " (from the environment variable)" };
            reader.error(
                "base_url",
                format!("\"{base}\"{source} is not an address like http://127.0.0.1:8080"),
            );
            return None;
        }
        Some(Hosts::at(&base))
    }

    fn v1(&self, reader: &mut OptionReader<'_>) -> Option<(Authorization, Api)> {
        for name in V2_OPTIONS.into_iter().filter(|name| reader.is_given(name)).collect::<Vec<_>>() {
            reader.error(name, "it belongs to the newer API; add api_version => \"2\", or remove it");
        }
        for name in V1_CREDENTIALS.into_iter().filter(|name| !reader.is_given(name)).collect::<Vec<_>>() {
            let message = format!("missing required option \"{name}\" of the twitter input");
            let help = "the four credentials stand on the application's page in the developer portal; \
                        api_version => \"2\" needs only a bearer_token";
            reader.report(Problem::error(reader.span(name), message).label("option is missing").help(help));
        }
        if !self.use_samples && self.keywords.is_none() && self.follows.is_none() && self.locations.is_none()
        {
            reader.report(nothing_wanted(reader));
        }
        let credentials = Credentials {
            consumer_key: self.consumer_key.clone()?,
            consumer_secret: self.consumer_secret.as_ref()?.reveal().to_owned(),
            token: self.oauth_token.clone()?,
            token_secret: self.oauth_token_secret.as_ref()?.reveal().to_owned(),
        };
        let filter = Filter {
            keywords: self.keywords.clone().unwrap_or_default(),
            locations: self.locations.clone(),
            languages: self.languages.clone().unwrap_or_default(),
            follows: self.follows.clone().unwrap_or_default(),
        };
        Some((Authorization::Signed(credentials), Api::V1 { filter }))
    }

    fn v2(&self, reader: &mut OptionReader<'_>) -> Option<(Authorization, Api)> {
        for name in V1_CREDENTIALS.into_iter().filter(|name| reader.is_given(name)).collect::<Vec<_>>() {
            reader.no_effect(name, "it belongs to the older API, and api_version is \"2\"");
        }
        if self.bearer_token.is_none() {
            let message = "missing required option \"bearer_token\" of the twitter input";
            let help = "with api_version => \"2\" it is what names the application";
            reader.report(
                Problem::error(reader.span("bearer_token"), message).label("option is missing").help(help),
            );
        }
        if let Some(minutes) = self.backfill_minutes.filter(|minutes| !(1..=5).contains(minutes)) {
            reader.error("backfill_minutes", format!("expected 1 to 5, got {minutes}"));
        }
        let rules = self.rules(reader);
        let token = Token(self.bearer_token.as_ref()?.reveal().to_owned());
        let api = Api::V2 { fields: self.fields(), rules: rules?, rule_tag: self.rule_tag.clone() };
        Some((Authorization::Bearer(token), api))
    }

    fn rules(&self, reader: &mut OptionReader<'_>) -> Option<Vec<String>> {
        if self.use_samples {
            return Some(Vec::new());
        }
        let locations = match self.locations.as_deref().map(rules::parse_locations) {
            Some(None) => {
                reader.error("locations", "expected four numbers a box: west,south,east,north");
                return None;
            }
            Some(Some(boxes)) => boxes,
            None => Vec::new(),
        };
        let wanted = rules::Wanted {
            keywords: self.keywords.clone().unwrap_or_default(),
            follows: self.follows.clone().unwrap_or_default(),
            locations,
            languages: self.languages.clone().unwrap_or_default(),
            ignore_retweets: self.ignore_retweets,
        };
        match rules::build(&wanted) {
            Ok(rules) if rules.is_empty() => {
                reader.report(nothing_wanted(reader));
                None
            }
            Ok(rules) => Some(rules),
            Err(too_long) => {
                reader.error("keywords", too_long.to_string());
                None
            }
        }
    }

    fn fields(&self) -> Fields {
        let with = |given: &Option<Vec<String>>, needed: &[&str]| {
            let mut names = given.clone().unwrap_or_default();
            for name in needed {
                if !names.iter().any(|given| given == name) {
                    names.push((*name).to_owned());
                }
            }
            names
        };
        // The whole message needs no more than the event's time; the short form needs what it is made of.
        let (tweet, expansions, user): (&[&str], &[&str], &[&str]) = match self.full_tweet {
            true => (&["created_at"], &[], &[]),
            false => (post::NEEDED_TWEET_FIELDS, post::NEEDED_EXPANSIONS, post::NEEDED_USER_FIELDS),
        };
        Fields {
            tweet: with(&self.tweet_fields, tweet),
            expansions: with(&self.expansions, expansions),
            user: with(&self.user_fields, user),
            media: with(&self.media_fields, &[]),
            place: with(&self.place_fields, &[]),
            poll: with(&self.poll_fields, &[]),
            backfill_minutes: self.backfill_minutes,
        }
    }
}

fn nothing_wanted(reader: &OptionReader<'_>) -> Problem {
    let message =
        "the twitter input needs at least one of the options \"keywords\", \"follows\" and \"locations\"";
    Problem::error(reader.span("keywords"), message)
        .label("nothing to look for")
        .help("add keywords => [\"...\"], or use_samples => true for a sample of everything")
}

/// A number of seconds, not negative.
fn seconds(reader: &mut OptionReader<'_>, name: &'static str, value: f64) -> Option<Duration> {
    let duration = Duration::try_from_secs_f64(value).ok().filter(|duration| duration.as_secs() < 1 << 32);
    if duration.is_none() {
        reader.error(name, format!("expected a number of seconds, got {value}"));
    }
    duration
}

impl Input for Session {
    fn run(self: Box<Self>, sink: Sink, shutdown: Shutdown) -> BoxFuture<'static, Result<(), RunError>> {
        Box::pin(self.stream(sink, shutdown))
    }
}

#[cfg(test)]
mod tests;
