//! Filter `elasticsearch`: searches Elasticsearch for every event and copies fields of what it finds
//! (logstash-filter-elasticsearch).

mod dsl;
mod esql;
mod searcher;

use crate::elasticsearch::{AskError, ClusterOptions};
use crate::event::{Event, FieldReference, InvalidReference, SetError, SprintfError, json};
use crate::plugin::{
    Build, ConfigKind, ConfigValue, Emit, Example, Filter, Kind, OptionReader, Outcome, Pairs, Spec, choices,
    options,
};
use crate::tls::ClientTls;

use dsl::Dsl;
use esql::Esql;
use searcher::Searcher;

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "elasticsearch",
    summary: "Searches Elasticsearch for every event and copies fields of what it finds.",
    options: Options::OPTIONS,
    renamed: ClientTls::RENAMED,
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter {
  elasticsearch {
    # Nobody listens here; of a real cluster's document, @timestamp would be in [started].
    hosts => ["http://127.0.0.1:9"]
    index => "logs-*"
    query => "type:start AND operation:%{[opid]}"
    fields => { "@timestamp" => "started" }
  }
}"#,
        input: &[r#"{"opid":7}"#],
        output: &[r#"{"opid":7,"tags":["_elasticsearch_lookup_failure"]}"#],
    },
    build: Build::Filter(|reader| Some(Box::new(Lookup::build(reader)?))),
};

choices! {
    /// The language of the query.
    enum QueryType {
        Dsl = "dsl",
        Esql = "esql",
    }
}

options! {
    struct Options {
        /// The nodes to ask, in turn: `host:port` or URLs.
        hosts: Vec<String> = ["localhost:9200"],
        /// Indices to search, separated by commas; may hold `%{...}`. Default: all.
        index: String = "",
        /// Whether the query is one of the query DSL or of ES|QL.
        query_type: QueryType = "dsl",
        /// The query: a query string, or an ES|QL query with `query_type => "esql"`. May hold `%{...}` in a query string.
        query: Option<String>,
        /// File with a search body in JSON, instead of `query`; may hold `%{...}`.
        query_template: Option<std::path::PathBuf>,
        /// How to sort what a query string finds.
        sort: String = "@timestamp:desc",
        /// Fields of the documents that are found, and the event's fields that take them.
        fields: ConfigValue = {},
        /// Fields beside the document, such as `_index`, and the event's fields that take them.
        docinfo_fields: Pairs = {},
        /// Aggregations of the search, and the event's fields that take their results.
        aggregation_fields: Pairs = {},
        /// Whether what a query string finds is sorted.
        enable_sort: bool = true,
        /// How many documents a query string shall find.
        result_size: i64 = 1,
        /// Tags added when the search fails.
        tag_on_failure: Vec<String> = ["_elasticsearch_lookup_failure"],
        /// Field below which everything found is put. With ES|QL it takes all rows, else the event takes the first.
        target: Option<FieldReference>,
        /// How often to ask again after a failure.
        retry_on_failure: u32 = 0,
        /// Statuses of answers that count as failures to be tried again.
        retry_on_status: Vec<u16> = [500, 502, 503, 504],
        /// Values of the parameters `?name` in an ES|QL query: `[field]` references or values as they are.
        query_params: Option<ConfigValue>,
        ..cluster: ClusterOptions,
    }
}

/// Why a search gave nothing to use.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Sprintf(#[from] SprintfError),
    #[error("the query is no json: {0}")]
    Query(json::JsonError),
    #[error(transparent)]
    Ask(#[from] AskError),
    #[error("the runtime for requests cannot be started: {0}")]
    Runtime(#[from] std::io::Error),
    #[error("shards failed: {0}")]
    Shards(String),
    #[error(transparent)]
    Reference(#[from] InvalidReference),
    #[error(transparent)]
    Set(#[from] SetError),
}

struct Lookup {
    searcher: Searcher,
    search: Search,
    tag_on_failure: Vec<String>,
}

enum Search {
    Dsl(Dsl),
    Esql(Esql),
}

/// Options that an ES|QL query leaves without a meaning.
const DSL_OPTIONS: [&str; 8] = [
    "index",
    "query_template",
    "sort",
    "fields",
    "docinfo_fields",
    "aggregation_fields",
    "enable_sort",
    "result_size",
];

impl Lookup {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let options = Options::read(reader)?;
        let search = match options.query_type {
            QueryType::Dsl => {
                if reader.is_given("query_params") {
                    reader.error("query_params", "it needs query_type => \"esql\"");
                }
                Dsl::build(&options, reader).map(Search::Dsl)
            }
            QueryType::Esql => {
                for option in DSL_OPTIONS {
                    if reader.is_given(option) {
                        reader.error(option, "it cannot be used with query_type => \"esql\"");
                    }
                }
                Esql::build(&options, reader).map(Search::Esql)
            }
        };
        let searcher = Searcher::build(&options, reader);
        Some(Lookup { searcher: searcher?, search: search?, tag_on_failure: options.tag_on_failure })
    }
}

impl Filter for Lookup {
    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        let found = match &self.search {
            Search::Dsl(dsl) => dsl.search(&self.searcher, event),
            Search::Esql(esql) => esql.search(&self.searcher, event),
        };
        match found {
            Ok(true) => Outcome::Matched,
            Ok(false) => Outcome::Unmatched,
            Err(error) => {
                tracing::warn!(%error, "could not search elasticsearch");
                self.tag_on_failure.iter().for_each(|tag| event.tag(tag));
                Outcome::Failed
            }
        }
    }
}

/// Pairs of a hash, or of an array of pairs, as texts.
fn text_pairs(value: &ConfigValue) -> Option<Vec<(String, String)>> {
    match &value.kind {
        ConfigKind::Hash(pairs) => {
            pairs.iter().map(|(from, to)| Some((from.clone(), to.scalar_text()?))).collect()
        }
        ConfigKind::Array(items) => items
            .iter()
            .map(|item| match &item.kind {
                ConfigKind::Array(pair) => match pair.as_slice() {
                    [from, to] => Some((from.scalar_text()?, to.scalar_text()?)),
                    _ => None,
                },
                _ => None,
            })
            .collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
