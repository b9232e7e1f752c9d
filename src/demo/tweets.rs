//! Tweets that nobody wrote: the same ones for the same seed, in the shapes and sizes of the real v1.1 and v2 APIs.

use fastrand::Rng;
use jiff::Timestamp;
use serde_json::{Value, json};

/// Where the ids of real tweets count their milliseconds from.
const ID_EPOCH_MILLIS: i64 = 1_288_834_974_657;

/// Beyond this many characters a v1.1 tweet is cut, and its whole text stands in `extended_tweet`.
const SHORT_TEXT: usize = 140;

const SENTENCES: &[&str] = &[
    "오늘의 {} 소식을 한눈에 정리했습니다. 자세한 내용은 아래 링크에서 확인하세요 📌",
    "{} 덕분에 하루가 즐겁다 😂 다들 어떻게 생각해요?",
    "방금 {} 관련 발표를 들었는데 정말 놀라웠다. 내년이 기대된다 🚀✨",
    "This week in {}: three things worth reading, one worth arguing about, and a chart nobody asked for",
    "unpopular opinion: {} was better when fewer people talked about it 🤷",
    "{} 처음 시작하는 분들을 위한 안내서를 새로 썼습니다 (무료) 🎉",
    "Just published: what we learned running {} in production for a year, including the parts that went wrong",
    "새벽 3시, 아직도 {} 보는 중… 커피 한 잔 더 ☕️",
    "Can somebody explain {} to me like I'm five? 🙏",
    "{}을 공부하면서 정리한 노트를 공유합니다. 틀린 부분이 있으면 알려 주세요!",
    "Breaking: {} — more as we learn it 👀",
    "가족 👨‍👩‍👧‍👦 과 함께 보는 {} 이야기, 생각보다 재미있네요 ㅋㅋㅋ",
];

const ADDITIONS: &[&str] = &[
    "The short version: measure first, and then measure again with somebody who doubts you in the room.",
    "한 줄 요약: 서두르지 말 것. 데이터는 거짓말을 하지 않지만, 우리는 가끔 데이터를 잘못 읽는다.",
    "Thread below, with sources; corrections are welcome, jokes even more so 🧵",
];

const NAMES: &[(&str, &str, &str, &str)] = &[
    ("김하늘", "haneul_sky", "서울, 대한민국", "데이터 엔지니어 · 고양이 두 마리 🐈🐈"),
    ("Mina Park", "minapark_dev", "Seongnam", "Backend things. Opinions are mine, the bugs as well."),
    ("이준호", "junho_lee87", "부산", "야구 ⚾️ 게임 🎮 그리고 음악"),
    ("Ada Quill", "adaquill", "Leeds, UK", "Writes about databases \"for fun\""),
    ("News Desk 24", "newsdesk24_x", "", "Every headline, hourly. Not a person."),
    ("박서연", "seoyeon_p", "대전", "공부하는 사람 📚"),
    ("Tomás Ibarra", "tomas_ibarra", "Valparaíso", "juegos, mapas & café ☕"),
    ("Pixel Fox 🦊", "pixelfox_gg", "somewhere warm", "speedruns | pixel art | commissions open"),
    ("최민수", "minsu_choi_ai", "Suwon", "AI 연구 · 논문 읽기 모임"),
    ("Grace O'Neill", "graceoneill", "Cork", "Maps, models, marathons"),
];

const SOURCES: &[(&str, &str)] = &[
    ("http://twitter.com/download/iphone", "Twitter for iPhone"),
    ("http://twitter.com/download/android", "Twitter for Android"),
    ("https://mobile.twitter.com", "Twitter Web App"),
];

/// A generator of tweets. Its time goes on by a second or less with each of them.
#[derive(Debug)]
pub struct Tweets {
    rng: Rng,
    millis: i64,
    count: u64,
}

impl Tweets {
    /// The sequence of `seed`, whose first tweet was written at `start`.
    pub fn new(seed: u64, start: Timestamp) -> Self {
        Tweets { rng: Rng::with_seed(seed), millis: start.as_millisecond(), count: 0 }
    }

    /// The next tweet as the v1.1 streams send it, about one of the keywords.
    pub fn next_v1(&mut self, keywords: &[String]) -> Value {
        let kind = self.rng.u8(0..10);
        let mut tweet = self.plain_v1(keywords, kind == 9);
        match kind {
            0..=2 => self.retweet(tweet),
            3 => {
                let (_, screen_name, ..) = self.pick(NAMES);
                let replied_to = self.next_id();
                let user = user_id(screen_name);
                for (name, value) in [
                    ("in_reply_to_status_id", json!(replied_to)),
                    ("in_reply_to_status_id_str", json!(replied_to.to_string())),
                    ("in_reply_to_user_id", json!(user)),
                    ("in_reply_to_user_id_str", json!(user.to_string())),
                    ("in_reply_to_screen_name", json!(screen_name)),
                ] {
                    tweet[name] = value;
                }
                tweet
            }
            _ => tweet,
        }
    }

    /// The next post as v2's streams send it, with what it refers to.
    pub fn next_v2(&mut self, keywords: &[String]) -> Value {
        let draft = self.draft(keywords, false);
        let (name, username, ..) = self.pick(NAMES);
        let id = self.next_id();
        let author = user_id(username).to_string();
        json!({
            "data": {
                "id": id.to_string(),
                "text": draft.text,
                "author_id": author,
                "created_at": self.now().to_string(),
                "edit_history_tweet_ids": [id.to_string()],
                "lang": draft.lang,
                "entities": draft.v2_entities(),
            },
            "includes": { "users": [{ "id": author, "name": name, "username": username }] },
            "matching_rules": [{ "id": "1", "tag": "rstash" }],
        })
    }

    fn retweet(&mut self, original: Value) -> Value {
        let mut tweet = self.plain_v1(&[], false);
        let name = original["user"]["screen_name"].as_str().unwrap_or_default();
        let text = original["text"].as_str().unwrap_or_default();
        let whole = format!("RT @{name}: {text}");
        // The real ones are cut like this too, which is why readers take the original's text.
        let cut: String = whole.chars().take(SHORT_TEXT - 1).collect();
        tweet["text"] = if cut.len() < whole.len() { json!(format!("{cut}…")) } else { json!(whole) };
        let mention = json!({
            "screen_name": name, "name": original["user"]["name"], "id": original["user"]["id"],
            "id_str": original["user"]["id_str"], "indices": [3, 4 + name.chars().count()],
        });
        tweet["entities"] = json!({ "hashtags": [], "urls": [], "user_mentions": [mention], "symbols": [] });
        tweet["lang"] = original["lang"].clone();
        tweet["truncated"] = json!(false);
        tweet["retweeted_status"] = original;
        tweet
    }

    fn plain_v1(&mut self, keywords: &[String], long: bool) -> Value {
        let draft = self.draft(keywords, long);
        let author = self.pick(NAMES);
        let (link, client) = self.pick(SOURCES);
        let id = self.next_id();
        let created_at = self.now().strftime("%a %b %d %H:%M:%S %z %Y").to_string();
        let long = draft.length > SHORT_TEXT;
        let mut tweet = json!({
            "created_at": created_at,
            "id": id,
            "id_str": id.to_string(),
            "text": if long { draft.cut() } else { draft.text.clone() },
            "source": format!("<a href=\"{link}\" rel=\"nofollow\">{client}</a>"),
            "truncated": long,
            "in_reply_to_status_id": null,
            "in_reply_to_status_id_str": null,
            "in_reply_to_user_id": null,
            "in_reply_to_user_id_str": null,
            "in_reply_to_screen_name": null,
            "user": self.user(author),
            "geo": null,
            "coordinates": null,
            "place": self.place(),
            "contributors": null,
            "is_quote_status": false,
            "quote_count": 0,
            "reply_count": self.rng.u32(0..20),
            "retweet_count": self.rng.u32(0..500),
            "favorite_count": self.rng.u32(0..2000),
            "entities": draft.v1_entities(),
            "favorited": false,
            "retweeted": false,
            "possibly_sensitive": false,
            "filter_level": "low",
            "lang": draft.lang,
            "timestamp_ms": self.millis.to_string(),
        });
        if long {
            tweet["display_text_range"] = json!([0, SHORT_TEXT]);
            tweet["extended_tweet"] = json!({
                "full_text": draft.text,
                "display_text_range": [0, draft.length],
                "entities": draft.v1_entities(),
            });
        }
        tweet
    }

    fn user(&mut self, (name, screen_name, location, description): (&str, &str, &str, &str)) -> Value {
        let id = user_id(screen_name);
        let image = format!("profile_images/{id}/portrait_normal.jpg");
        json!({
            "id": id,
            "id_str": id.to_string(),
            "name": name,
            "screen_name": screen_name,
            "location": if location.is_empty() { Value::Null } else { json!(location) },
            "url": null,
            "description": description,
            "translator_type": "none",
            "protected": false,
            "verified": self.rng.u8(0..20) == 0,
            "followers_count": self.rng.u32(3..250_000),
            "friends_count": self.rng.u32(1..3000),
            "listed_count": self.rng.u32(0..200),
            "favourites_count": self.rng.u32(0..40_000),
            "statuses_count": self.rng.u32(1..90_000),
            "created_at": "Mon Mar 02 04:05:06 +0000 2015",
            "utc_offset": null,
            "time_zone": null,
            "geo_enabled": true,
            "lang": null,
            "contributors_enabled": false,
            "is_translator": false,
            "profile_background_color": "F5F8FA",
            "profile_background_image_url": "",
            "profile_background_tile": false,
            "profile_link_color": "1DA1F2",
            "profile_sidebar_border_color": "C0DEED",
            "profile_sidebar_fill_color": "DDEEF6",
            "profile_text_color": "333333",
            "profile_use_background_image": true,
            "profile_image_url": format!("http://pbs.example.net/{image}"),
            "profile_image_url_https": format!("https://pbs.example.net/{image}"),
            "default_profile": true,
            "default_profile_image": false,
            "following": null,
            "follow_request_sent": null,
            "notifications": null,
            "withheld_in_countries": [],
        })
    }

    fn place(&mut self) -> Value {
        if self.rng.u8(0..6) > 0 {
            return Value::Null;
        }
        json!({
            "id": "c999e6a453e9ef72",
            "url": "https://api.example.net/1.1/geo/id/c999e6a453e9ef72.json",
            "place_type": "city",
            "name": "강남구",
            "full_name": "대한민국 서울특별시 강남구",
            "country_code": "KR",
            "country": "대한민국",
            "bounding_box": {
                "type": "Polygon",
                "coordinates": [[[127.010271, 37.460399], [127.010271, 37.535953],
                                 [127.124195, 37.535953], [127.124195, 37.460399]]],
            },
            "attributes": {},
        })
    }

    fn draft(&mut self, keywords: &[String], long: bool) -> Draft {
        let keyword = match keywords.len() {
            0 => "things",
            many => keywords.get(self.rng.usize(0..many)).map_or("things", String::as_str),
        };
        let sentence = self.pick(SENTENCES);
        let lang = if sentence.contains(|c: char| ('가'..='힣').contains(&c)) { "ko" } else { "en" };
        let mut draft = Draft { lang, ..Draft::default() };
        let (before, after) = sentence.split_once("{}").unwrap_or((sentence, ""));
        draft.push(before);
        draft.push(keyword);
        draft.push(after);
        if long {
            draft.push(" ");
            draft.push(self.pick(ADDITIONS));
        }
        if self.rng.u8(0..3) == 0 {
            let (name, screen_name, ..) = self.pick(NAMES);
            draft.mention(name, screen_name);
        }
        if self.rng.bool() {
            let tag: String = keyword.chars().filter(|c| c.is_alphanumeric()).collect();
            draft.hashtag(&tag);
            draft.hashtag(self.pick(&["데이터", "TIL", "오늘", "WeekendReading"]));
        }
        if self.rng.u8(0..8) == 0 {
            draft.symbol(self.pick(&["TSLA", "AAPL", "NVDA"]));
        }
        if self.rng.u8(0..5) < 2 {
            let short: String = (0..10).map(|_| self.rng.alphanumeric()).collect();
            let page = self.rng.u32(1000..9999);
            draft.link(
                &short,
                &format!("https://www.example.org/articles/{page}?utm_source=feed&lang={}", draft.lang),
            );
        }
        draft
    }

    fn next_id(&mut self) -> i64 {
        self.count += 1;
        self.millis += self.rng.i64(1..1000);
        ((self.millis - ID_EPOCH_MILLIS).max(0) << 22) | (self.count & 0x3f_ffff) as i64
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.millis).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.rng.usize(0..from.len())]
    }
}

/// The same number for the same name, in the size of real ones.
pub fn user_id(screen_name: &str) -> u64 {
    let hash = screen_name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    hash % 1_400_000_000 + 10_000
}

/// A text under construction, and where its entities stand. Positions count characters, as the API's do.
#[derive(Debug, Default)]
struct Draft {
    text: String,
    length: usize,
    lang: &'static str,
    hashtags: Vec<(String, [usize; 2])>,
    symbols: Vec<(String, [usize; 2])>,
    mentions: Vec<(String, String, [usize; 2])>,
    urls: Vec<(String, String, [usize; 2])>,
}

impl Draft {
    fn push(&mut self, text: &str) -> [usize; 2] {
        let start = self.length;
        self.text.push_str(text);
        self.length += text.chars().count();
        [start, self.length]
    }

    fn hashtag(&mut self, tag: &str) {
        self.push(" ");
        let place = self.push(&format!("#{tag}"));
        self.hashtags.push((tag.to_owned(), place));
    }

    fn symbol(&mut self, symbol: &str) {
        self.push(" ");
        let place = self.push(&format!("${symbol}"));
        self.symbols.push((symbol.to_owned(), place));
    }

    fn mention(&mut self, name: &str, screen_name: &str) {
        self.push(" ");
        let place = self.push(&format!("@{screen_name}"));
        self.mentions.push((name.to_owned(), screen_name.to_owned(), place));
    }

    fn link(&mut self, short: &str, expanded: &str) {
        self.push(" ");
        let url = format!("https://t.co/{short}");
        let place = self.push(&url);
        self.urls.push((url, expanded.to_owned(), place));
    }

    fn cut(&self) -> String {
        let start: String = self.text.chars().take(116).collect();
        format!("{start}… https://t.co/whole0text")
    }

    fn v1_entities(&self) -> Value {
        let tag = |(text, place): &(String, [usize; 2])| json!({ "text": text, "indices": place });
        let url = |(url, expanded, place): &(String, String, [usize; 2])| {
            let display =
                expanded.trim_start_matches("https://www.").chars().take(25).collect::<String>() + "…";
            json!({ "url": url, "expanded_url": expanded, "display_url": display, "indices": place })
        };
        let mention = |(name, screen_name, place): &(String, String, [usize; 2])| {
            let id = user_id(screen_name);
            json!({ "screen_name": screen_name, "name": name, "id": id, "id_str": id.to_string(), "indices": place })
        };
        json!({
            "hashtags": self.hashtags.iter().map(tag).collect::<Vec<_>>(),
            "urls": self.urls.iter().map(url).collect::<Vec<_>>(),
            "user_mentions": self.mentions.iter().map(mention).collect::<Vec<_>>(),
            "symbols": self.symbols.iter().map(tag).collect::<Vec<_>>(),
        })
    }

    fn v2_entities(&self) -> Value {
        let tag =
            |(text, [start, end]): &(String, [usize; 2])| json!({ "start": start, "end": end, "tag": text });
        let url = |(url, expanded, [start, end]): &(String, String, [usize; 2])| json!({ "start": start, "end": end, "url": url, "expanded_url": expanded });
        let mention = |(_, username, [start, end]): &(String, String, [usize; 2])| json!({ "start": start, "end": end, "username": username, "id": user_id(username).to_string() });
        let lists = [
            ("hashtags", self.hashtags.iter().map(tag).collect::<Vec<_>>()),
            ("cashtags", self.symbols.iter().map(tag).collect()),
            ("urls", self.urls.iter().map(url).collect()),
            ("mentions", self.mentions.iter().map(mention).collect()),
        ];
        // v2 leaves out what is empty.
        lists
            .into_iter()
            .filter(|(_, list)| !list.is_empty())
            .map(|(name, list)| (name.to_owned(), json!(list)))
            .collect()
    }
}

/// One line of the stream: as the real servers write JSON, with slashes and everything beyond ASCII escaped.
pub fn to_line(tweet: &Value) -> String {
    let plain = tweet.to_string();
    let mut line = String::with_capacity(plain.len() * 2);
    for c in plain.chars() {
        match c {
            '/' => line.push_str("\\/"),
            c if c.is_ascii() => line.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    line.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hundred(seed: u64) -> Vec<Value> {
        let mut tweets = Tweets::new(seed, "2022-01-19T00:00:00Z".parse().unwrap());
        (0..100).map(|_| tweets.next_v1(&["news".into(), "AI".into()])).collect()
    }

    #[test]
    fn a_seed_is_a_sequence() {
        assert_eq!(hundred(1), hundred(1));
        assert_ne!(hundred(1), hundred(2));
    }

    #[test]
    fn the_variety_is_that_of_the_real_stream() {
        let tweets = hundred(7);
        let having = |test: &dyn Fn(&Value) -> bool| tweets.iter().filter(|tweet| test(tweet)).count();
        assert!(having(&|tweet| !tweet["retweeted_status"].is_null()) > 10);
        assert!(having(&|tweet| tweet["truncated"] == true) > 0);
        assert!(having(&|tweet| !tweet["in_reply_to_status_id"].is_null()) > 0);
        assert!(having(&|tweet| tweet["lang"] == "ko") > 20);
        assert!(having(&|tweet| tweet["place"].is_object()) > 5);
        let length: usize = tweets.iter().map(|tweet| to_line(tweet).len()).sum();
        assert!((2000..4500).contains(&(length / tweets.len())), "{}", length / tweets.len());
    }

    #[test]
    fn entities_stand_where_they_say() {
        for tweet in hundred(3) {
            let whole = tweet["extended_tweet"]["full_text"].as_str();
            let text: Vec<char> = whole.or(tweet["text"].as_str()).unwrap().chars().collect();
            for hashtag in tweet["entities"]["hashtags"].as_array().unwrap() {
                let place = |at: usize| hashtag["indices"][at].as_u64().unwrap() as usize;
                let there: String = text[place(0)..place(1)].iter().collect();
                assert_eq!(there, format!("#{}", hashtag["text"].as_str().unwrap()));
            }
        }
    }

    #[test]
    fn lines_are_escaped_json() {
        for tweet in hundred(5) {
            let line = to_line(&tweet);
            assert!(line.is_ascii() && !line.contains('\n'));
            assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), tweet);
        }
    }
}
