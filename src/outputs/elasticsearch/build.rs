//! From options to a [`Sender`]: what the two plugins check, and how they differ.

mod connection;
mod content;

use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};

use self::connection::Access;
use self::content::Flavour;
use super::data_stream::{self, DataStream};
use super::delivery::{Sender, Trouble, Verdicts};
use super::documents::Destination;
use super::options::{ElasticsearchOptions, OpensearchOptions, Shared, TemplateApi};
use super::order::Order;
use super::setup::{Setup, Templates};
use crate::plugin::OptionReader;

/// Statuses with which a document is given up.
const DEAD_STATUSES: [u16; 2] = [400, 404];
/// Most bytes of a request of the elasticsearch output (`TARGET_BULK_BYTES`).
const BULK_BYTES: usize = 20 << 20;
/// How many requests a worker may have on their way. Logstash's has one, and waits for it.
const REQUESTS_PER_WORKER: usize = 4;

/// What the plugins work out each in its own way.
struct Parts {
    access: Access,
    flavour: Flavour,
    bulk_bytes: usize,
    verdicts: Verdicts,
    setup: Setup,
}

/// The sender of the elasticsearch output.
pub fn elasticsearch(reader: &mut OptionReader<'_>) -> Option<Sender> {
    let options = ElasticsearchOptions::read(reader)?;
    let streams = data_stream::decide(reader, options.data_stream);
    let access = connection::elasticsearch(&options, reader);
    content::check_custom_codes(&options.dlq_custom_codes, reader);
    let (streams, access, shared) = (streams?, access?, &options.shared);
    let setup = Setup {
        destination: match streams {
            true => Destination::Stream(DataStream::new(&options)),
            false => content::index(shared, reader),
        },
        templates: content::templates(shared, reader, options.template_api, streams)?,
        lifecycle: (!streams).then(|| content::lifecycle(&options, reader)),
    };
    let silent_types = options.silence_errors_in_log.iter().chain(&shared.failure_type_logging_whitelist);
    let parts = Parts {
        access,
        flavour: Flavour {
            refuse_placeholders: options.dlq_on_failed_indexname_interpolation,
            control: true,
        },
        bulk_bytes: BULK_BYTES,
        verdicts: Verdicts {
            dead_statuses: DEAD_STATUSES.into_iter().chain(options.dlq_custom_codes).collect(),
            dead_types: options.drop_error_types,
            silent_types: silent_types.cloned().collect(),
        },
        setup,
    };
    sender(&options.shared, parts, reader)
}

/// The sender of the opensearch output.
pub fn opensearch(reader: &mut OptionReader<'_>) -> Option<Sender> {
    let options = OpensearchOptions::read(reader)?;
    let shared = &options.shared;
    let api = if options.legacy_template { TemplateApi::Legacy } else { TemplateApi::Composable };
    let templates = content::templates(shared, reader, api, false)?
        .map(|templates| Templates { may_fail: true, ..templates });
    let parts = Parts {
        access: connection::opensearch(&options, reader)?,
        flavour: Flavour { refuse_placeholders: false, control: false },
        bulk_bytes: options.target_bulk_bytes,
        verdicts: Verdicts {
            dead_statuses: DEAD_STATUSES.to_vec(),
            dead_types: Vec::new(),
            silent_types: shared.failure_type_logging_whitelist.clone(),
        },
        setup: Setup { destination: content::index(shared, reader), templates, lifecycle: None },
    };
    sender(shared, parts, reader)
}

fn sender(shared: &Shared, parts: Parts, reader: &mut OptionReader<'_>) -> Option<Sender> {
    let documents = content::documents(shared, parts.flavour, reader);
    let cluster = connection::cluster(shared, &parts.access, reader);
    let at_once = reader.context.workers.saturating_mul(REQUESTS_PER_WORKER);
    let (documents, cluster) = (documents?, cluster?);
    let most = shared.pool_max.min(shared.pool_max_per_route.saturating_mul(cluster.pool.missing().len()));
    let retry_first = seconds(shared.retry_initial_interval);
    Some(Sender {
        cluster,
        documents,
        verdicts: parts.verdicts,
        setup: parts.setup,
        order: Arc::new(Order::default()),
        permits: Semaphore::new(at_once.min(most).clamp(1, Semaphore::MAX_PERMITS)),
        limit: AtomicUsize::new(parts.bulk_bytes.max(1)),
        retry_first,
        retry_last: seconds(shared.retry_max_interval).max(retry_first),
        destination: OnceLock::new(),
        ready: watch::Sender::new(false),
        trouble: Trouble::default(),
    })
}

fn seconds(number: f64) -> Duration {
    Duration::try_from_secs_f64(number).unwrap_or_default()
}
