//! Tests of the file output as a whole, many after logstash-output-file's `file_spec.rb`.

use std::fs;
use std::io::Read;
use std::path::Path;

use crate::event::{Event, FieldReference};
use crate::plugin::{Delivery, Output, Problem, testkit};

fn output(options: &str) -> Result<Box<dyn Output>, Vec<Problem>> {
    testkit::output(&format!("output {{ file {{ {options} }} }}"), &testkit::context())
}

fn event(field: &str, value: &str) -> Event {
    let mut event = Event::new();
    event.set(&FieldReference::top_level(field), value).unwrap();
    event
}

async fn deliver(output: &dyn Output, events: &[Event]) -> Delivery {
    let events: Vec<_> = events.iter().collect();
    output.deliver(&events).await
}

/// The values of `field` in a file of JSON lines.
fn values(text: &str, field: &str) -> Vec<String> {
    text.lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()[field].as_str().unwrap().to_owned()
        })
        .collect()
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap()
}

#[tokio::test]
async fn events_are_sorted_into_files_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let output =
        output(&format!("path => '{}/%{{f}}/x.log' codec => json_lines", folder.path().display())).unwrap();
    let events: Vec<_> = ["a", "b", "a"]
        .map(|name| event("f", name))
        .into_iter()
        .enumerate()
        .map(|(n, mut event)| {
            event.set(&FieldReference::top_level("n"), n.to_string()).unwrap();
            event
        })
        .collect();
    assert_eq!(deliver(&*output, &events).await, Delivery::done());
    assert_eq!(values(&read(folder.path().join("a/x.log")), "n"), ["0", "2"]);
    assert_eq!(values(&read(folder.path().join("b/x.log")), "n"), ["1"]);
}

#[tokio::test]
async fn no_event_leaves_the_root() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    let options = format!("path => '{}/%{{f}}' filename_failure => '_error'", root.display());
    let output = output(&options).unwrap();
    let values_given = ["../../../../../../../../tmp/notcool", "../out", "", "a\0b", "good"];
    let events = values_given.map(|value| event("f", value));
    assert_eq!(deliver(&*output, &events).await, Delivery::done());
    assert_eq!(values(&read(root.join("_error")), "f"), &values_given[..4]);
    let names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["root"]);
    assert_eq!(fs::read_dir(&root).unwrap().count(), 2);
}

#[tokio::test]
async fn names_that_cannot_be_go_to_the_failure_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("dir")).unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let output = output(&format!("path => '{}/%{{f}}'", folder.path().display())).unwrap();
    let long = "x".repeat(300);
    let events = ["dir", "file/below", &long].map(|value| event("f", value));
    assert_eq!(deliver(&*output, &events).await, Delivery::done());
    let failed = values(&read(folder.path().join("_filepath_failures")), "f");
    assert_eq!(failed, ["dir", "file/below", &long]);
}

#[tokio::test]
async fn without_create_if_deleted_events_of_missing_files_are_kept_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    fs::write(&path, "").unwrap();
    let output = output(&format!("path => '{}' create_if_deleted => false", path.display())).unwrap();
    deliver(&*output, &[event("f", "1")]).await;
    assert_eq!(values(&read(&path), "f"), ["1"]);
    fs::remove_file(&path).unwrap();
    deliver(&*output, &[event("f", "2")]).await;
    assert!(!path.exists());
    assert_eq!(values(&read(folder.path().join("_filepath_failures")), "f"), ["2"]);
}

#[tokio::test]
async fn overwrite_keeps_the_last_event_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    let output =
        output(&format!("path => '{}' write_behavior => overwrite flush_interval => 0", path.display()))
            .unwrap();
    deliver(&*output, &["a long first value", "b"].map(|value| event("f", value))).await;
    assert_eq!(values(&read(&path), "f"), ["b"]);
    deliver(&*output, &[event("f", "c")]).await;
    assert_eq!(values(&read(&path), "f"), ["c"]);
}

#[tokio::test]
async fn gzip_files_are_whole_after_every_batch() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.gz");
    let output = output(&format!("path => '{}' gzip => true", path.display())).unwrap();
    for (batch, expected) in [("1", vec!["1"]), ("2", vec!["1", "2"])] {
        deliver(&*output, &[event("f", batch)]).await;
        let mut text = String::new();
        flate2::read::MultiGzDecoder::new(fs::File::open(&path).unwrap()).read_to_string(&mut text).unwrap();
        assert_eq!(values(&text, "f"), expected);
    }
}

#[tokio::test]
async fn a_full_disk_is_back_pressure() {
    let folder = tempfile::tempdir().unwrap();
    // A link in the place of a disk without space, replaced by a file when there is space again.
    let path = folder.path().join("full");
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    let output = output(&format!("path => '{}/%{{f}}'", folder.path().display())).unwrap();
    let events = ["full", "other", "full"].map(|value| event("f", value));
    let delivery = deliver(&*output, &events).await;
    let indices: Vec<_> = delivery.retry.iter().map(|undelivered| undelivered.index).collect();
    assert_eq!((indices, delivery.dead.len()), (vec![0, 2], 0));
    assert!(delivery.retry[0].reason.contains("No space left"), "{:?}", delivery.retry[0]);
    assert_eq!(values(&read(folder.path().join("other")), "f"), ["other"]);

    fs::remove_file(&path).unwrap();
    assert_eq!(deliver(&*output, &[events[0].clone(), events[2].clone()]).await, Delivery::done());
    assert_eq!(values(&read(&path), "f"), ["full", "full"]);
}

#[test]
fn options_are_checked() {
    for (options, culprit) in [
        ("path => '/%{name}'", "path"),
        ("path => '/tmp/x' file_mode => 99999", "file_mode"),
        ("path => '/tmp/x' dir_mode => -2", "dir_mode"),
        ("path => '/tmp/x' write_behavior => appending", "write_behavior"),
        ("path => '/tmp/x' stale_cleanup_interval => -1", "stale_cleanup_interval"),
        ("gzip => true", "path"),
    ] {
        let problems = output(options).err().unwrap();
        assert!(problems[0].message.contains(&format!("\"{culprit}\"")), "{options}: {problems:?}");
    }
    assert!(output("path => 'relative-%{+YYYY}.log' dir_mode => 0750 file_mode => 0640").is_ok());
}
