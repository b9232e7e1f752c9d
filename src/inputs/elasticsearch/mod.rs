//! Input `elasticsearch`: makes events of the documents that a search finds (logstash-input-elasticsearch).

mod event;
mod pages;
mod query;
mod run;
#[cfg(test)]
mod tests;
mod tracker;

use std::path::PathBuf;
use std::time::Duration;

use crate::elasticsearch::{Cluster, ClusterOptions, Settings, Timeouts};
use crate::event::{FieldReference, Object};
use crate::plugin::{Build, Example, Kind, OptionReader, Spec, choices, options};
use crate::schedule::Schedule;
use crate::tls::ClientTls;

use event::Maker;
use tracker::Tracking;

pub static SPEC: Spec = Spec {
    kind: Kind::Input,
    name: "elasticsearch",
    summary: "Reads the documents that a search of Elasticsearch or OpenSearch finds.",
    options: Options::OPTIONS,
    renamed: ClientTls::RENAMED,
    deprecated: &[],
    refused: &[],
    default_codec: Some("plain"),
    example: Example {
        config: r#"input {
  elasticsearch {
    hosts => ["https://es:9200"]
    index => "logs-*"
    query => '{ "query": { "match": { "statuscode": 200 } } }'
    docinfo => true
  }
}"#,
        input: &[],
        output: &[],
    },
    build: Build::Input(|reader| Some(Box::new(Search::build(reader)?))),
};

choices! {
    /// The language of the query.
    pub enum QueryType {
        Dsl = "dsl",
        Esql = "esql",
    }
}

choices! {
    /// What of an answer becomes events.
    pub enum ResponseType {
        Hits = "hits",
        Aggregations = "aggregations",
    }
}

choices! {
    /// How the pages of a search are asked for.
    pub enum SearchApi {
        Auto = "auto",
        SearchAfter = "search_after",
        Scroll = "scroll",
    }
}

options! {
    struct Options {
        /// The nodes to ask, in turn: `host:port` or URLs. Required without `cloud_id`.
        hosts: Vec<String> = [],
        /// The indices or aliases to search, separated by commas; may hold `*`.
        index: String = "logstash-*",
        /// Whether the query is one of the query DSL or of ES|QL.
        query_type: QueryType = "dsl",
        /// The query: the body of a search in JSON, or an ES|QL query. With `tracking_field`, `:last_value` in it stands
        /// for the value that the last run came to, and `:present` for the time 30 seconds ago.
        query: String = "{ \"sort\": [ \"_doc\" ] }",
        /// Whether each document becomes an event, or the aggregations of the answer together become one.
        response_type: ResponseType = "hits",
        /// Documents in a page.
        size: u32 = 1000,
        /// How often to ask again after a failure.
        retries: u32 = 0,
        /// Whether pages are asked for with `search_after` and a point in time, or by scrolling. `auto` takes
        /// `search_after` from Elasticsearch 8 on, and scrolls in OpenSearch.
        search_api: SearchApi = "auto",
        /// How long the cluster keeps a search open between two pages, such as `1m`.
        scroll: String = "1m",
        /// How many parts of the search are read at the same time.
        slices: Option<u32>,
        /// Field of the events whose last value is kept for the next run; the query must sort by it.
        tracking_field: Option<FieldReference>,
        /// The value of `:last_value` in the first run.
        tracking_field_seed: String = "1970-01-01T00:00:00.000000000Z",
        /// The file that keeps the value. By default
        /// `<path.data>/plugins/inputs/elasticsearch/<pipeline>/last_run_value`.
        last_run_metadata_path: Option<PathBuf>,
        /// Whether events tell index, id and type of the document.
        docinfo: bool = false,
        /// The field that tells them. Default: `@metadata`, in ECS mode `[@metadata][input][elasticsearch]`.
        docinfo_target: Option<FieldReference>,
        /// Which fields beside the document's own are told.
        docinfo_fields: Vec<String> = ["_index", "_type", "_id"],
        /// Seconds to wait for a connection.
        connect_timeout_seconds: u64 = 10,
        /// Seconds to wait for a whole answer.
        request_timeout_seconds: u64 = 60,
        /// Seconds to wait for the next bytes of an answer.
        socket_timeout_seconds: u64 = 60,
        /// When to search: a cron line. Without it the search runs once.
        schedule: Option<String>,
        /// Whether a scheduled search may begin while the one before still runs. Default: true.
        schedule_overlap: Option<bool>,
        /// The field for the document; by default the event itself.
        target: Option<FieldReference>,
        ..cluster: ClusterOptions,
    }
}

/// What to ask for.
enum Query {
    /// The body of a search as the option gives it, with places for the tracked value.
    Dsl(String),
    Aggregations(String),
    Esql(String),
}

struct Search {
    cluster: Cluster,
    query: Query,
    index: String,
    size: u32,
    api: SearchApi,
    scroll: String,
    slices: u32,
    retries: u32,
    schedule: Option<Schedule>,
    may_overlap: bool,
    tracking: Option<Tracking>,
    maker: Maker,
}

/// Options without a meaning for an ES|QL query.
const DSL_OPTIONS: [&str; 9] = [
    "index",
    "size",
    "slices",
    "search_api",
    "docinfo",
    "docinfo_target",
    "docinfo_fields",
    "response_type",
    "tracking_field",
];

impl Search {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let options = Options::read(reader);
        crate::plugin::take_unused_codec(reader);
        let options = options?;
        let query = read_query(reader, &options);
        check_paging(reader, &options);
        let schedule = match options.schedule.as_deref().map(Schedule::cron).transpose() {
            Ok(schedule) => schedule,
            Err(error) => {
                reader.error("schedule", error.to_string());
                return None;
            }
        };
        if schedule.is_none() {
            reader.no_effect("schedule_overlap", "without a schedule the search runs once");
        }
        let tracking = read_tracking(reader, &options);
        let maker = Maker::new(reader, &options);
        let timeouts = read_timeouts(reader, &options)?;
        let settings = Settings {
            hosts: &options.hosts,
            options: &options.cluster,
            timeouts,
            origin: "logstash-input-elasticsearch",
        };
        Some(Search {
            cluster: Cluster::build(&settings, reader)?,
            query: query?,
            index: options.index,
            size: options.size,
            api: options.search_api,
            scroll: options.scroll,
            slices: options.slices.unwrap_or(1),
            retries: options.retries,
            schedule,
            may_overlap: options.schedule_overlap.unwrap_or(true),
            tracking,
            maker: maker?,
        })
    }
}

fn read_timeouts(reader: &mut OptionReader<'_>, options: &Options) -> Option<Timeouts> {
    let times = [
        ("connect_timeout_seconds", options.connect_timeout_seconds),
        ("request_timeout_seconds", options.request_timeout_seconds),
        ("socket_timeout_seconds", options.socket_timeout_seconds),
    ];
    let mut all_right = true;
    for (option, _) in times.iter().filter(|(_, seconds)| *seconds == 0) {
        reader.error(option, "it must be at least 1");
        all_right = false;
    }
    let [connect, request, socket] = times.map(|(_, seconds)| Duration::from_secs(seconds));
    all_right.then_some(Timeouts { connect, request, socket: Some(socket) })
}

fn read_query(reader: &mut OptionReader<'_>, options: &Options) -> Option<Query> {
    if options.query_type == QueryType::Esql {
        let given: Vec<&str> = DSL_OPTIONS.into_iter().filter(|option| reader.is_given(option)).collect();
        // Logstash lets one of them pass, which then does nothing.
        for option in &given {
            match given.len() {
                1 => reader.no_effect(option, "the query is one of ES|QL"),
                _ => reader.error(option, "it cannot be used with query_type => \"esql\""),
            }
        }
        let query = options.query.trim();
        if !["FROM", "ROW", "SHOW"].iter().any(|command| query.starts_with(command)) {
            reader.error("query", "an ES|QL query begins with FROM, ROW or SHOW");
            return None;
        }
        return Some(Query::Esql(options.query.clone()));
    }
    let body = match query::parse(&options.query) {
        Ok(body) => body,
        // The places of a tracked value need not be JSON before they are filled.
        Err(_) if options.tracking_field.is_some() => Object::new(),
        Err(reason) => {
            reader.error("query", reason);
            return None;
        }
    };
    if options.slices.is_some() && body.contains_key("slice") {
        reader.error("query", "it names a slice itself, which excludes the option slices");
    }
    Some(match options.response_type {
        ResponseType::Hits => Query::Dsl(options.query.clone()),
        ResponseType::Aggregations => Query::Aggregations(options.query.clone()),
    })
}

fn check_paging(reader: &mut OptionReader<'_>, options: &Options) {
    if options.slices == Some(0) {
        reader.error("slices", "it must be at least 1");
    }
    if options.size == 0 {
        reader.error("size", "it must be at least 1: pages without documents are no search");
    }
    if options.response_type == ResponseType::Aggregations {
        for option in ["size", "slices", "search_api", "scroll"] {
            reader.no_effect(option, "aggregations come without documents, in one answer");
        }
    }
}

fn read_tracking(reader: &mut OptionReader<'_>, options: &Options) -> Option<Tracking> {
    let Some(field) = &options.tracking_field else {
        for option in ["tracking_field_seed", "last_run_metadata_path"] {
            reader.no_effect(option, "there is no tracking_field");
        }
        return None;
    };
    if options.query_type == QueryType::Esql {
        return None;
    }
    if options.search_api == SearchApi::Scroll || options.response_type == ResponseType::Aggregations {
        let message = "it needs response_type => \"hits\", and search_api other than \"scroll\"";
        reader.error("tracking_field", message);
    }
    let context = reader.context;
    let default = || {
        let folder = context.data_path.join("plugins/inputs/elasticsearch").join(&*context.pipeline_id);
        folder.join("last_run_value")
    };
    let path = options.last_run_metadata_path.clone().unwrap_or_else(default);
    if path.is_dir() {
        reader.error("last_run_metadata_path", "expected a file, this is a directory");
    }
    Some(Tracking { field: field.clone(), seed: options.tracking_field_seed.clone(), path })
}
