//! A node that is stopped, killed or too busy: nothing gets lost.

use std::time::Duration;

use serde_json::json;

use super::node::OwnNode;
use crate::kafka::program::Rstash;

/// Documents of a load; each has its number as its id.
const DOCUMENTS: usize = 200_000;
/// Documents for a busy node: some are sent again several times, each time after a wait.
const REJECTED: usize = 4_000;

fn load(node: &OwnNode, index: &str, documents: usize) -> Rstash {
    Rstash::start(&format!(
        r#"input {{ generator {{ count => {documents} lines => ["{{}}"] codec => json }} }}
           output {{ elasticsearch {{ hosts => "{}" index => "{index}" document_id => "%{{[event][sequence]}}" manage_template => false
             retry_initial_interval => 0.2 retry_max_interval => 2 resurrect_delay => 0.5 }} }}"#,
        node.address
    ))
}

#[test]
fn a_node_that_goes_away_in_the_middle_of_a_load_loses_nothing() {
    let Some(node) = OwnNode::start(None) else { return };
    let index = node.name("outage");
    let rstash = load(&node, &index, DOCUMENTS);
    for how in ["stop", "kill"] {
        let before = node.count(&index);
        rstash.wait_for("more documents", before + 1000, || node.count(&index));
        node.control(how);
        std::thread::sleep(Duration::from_secs(1));
        assert!(rstash.is_running(), "an outage ends nothing: {}", rstash.log());
        node.control("start");
    }
    rstash.wait_for("documents", DOCUMENTS, || node.count(&index));
    assert!(rstash.wait().success(), "{}", rstash.log());
    assert_eq!(node.count(&index), DOCUMENTS);
    let log = rstash.log();
    assert!(!log.contains("could not be delivered"), "{log}");
}

#[test]
fn what_a_busy_node_rejects_is_sent_again() {
    let Some(node) = OwnNode::start(Some(1)) else { return };
    let index = node.name("busy");
    // A request becomes a write for each shard, of which few fit into the queue.
    node.put(
        &format!("/{index}"),
        &json!({ "settings": { "number_of_shards": 8, "number_of_replicas": 0 } }),
    );
    let rstash = load(&node, &index, REJECTED);
    assert!(rstash.wait().success(), "{}", rstash.log());
    assert_eq!(node.count(&index), REJECTED);
    let log = rstash.log();
    assert!(log.contains("429"), "the node rejected nothing: {log}");
    assert!(!log.contains("could not be delivered"), "{log}");
}
