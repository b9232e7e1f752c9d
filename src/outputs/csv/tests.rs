//! Tests of the csv output, many after logstash-output-csv's `csv_spec.rb`.

use crate::event::Event;
use crate::plugin::{Delivery, Output, Problem, testkit};

fn output(path: &std::path::Path, options: &str) -> Result<Box<dyn Output>, Vec<Problem>> {
    let config = format!("output {{ csv {{ path => '{}' {options} }} }}", path.display());
    testkit::output(&config, &testkit::context())
}

/// What becomes of documents.
async fn written(options: &str, documents: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.csv");
    let output = output(&path, options).unwrap();
    let events: Vec<Event> = documents.iter().map(|document| testkit::event(document)).collect();
    assert_eq!(output.deliver(&events.iter().collect::<Vec<_>>()).await, Delivery::done());
    output.close().await;
    std::fs::read_to_string(path).unwrap()
}

#[tokio::test]
async fn rows_of_fields() {
    let event = r#"{"foo":"bar","baz":"quux"}"#;
    assert_eq!(written("fields => foo", &[event]).await, "bar\n");
    assert_eq!(
        written("fields => ['foo', 'not_there', 'baz']", &[event, event]).await,
        "bar,,quux\nbar,,quux\n"
    );
    let nested = r#"{"foo":{"one":"two"},"baz":"one,two","n":1.5,"list":["a",1]}"#;
    assert_eq!(
        written("fields => ['foo', '[foo][one]', '[foo][missing]', 'baz', 'n', 'list']", &[nested]).await,
        "\"{\"\"one\"\":\"\"two\"\"}\",two,,\"one,two\",1.5,\"[\"\"a\"\", 1]\"\n"
    );
}

#[tokio::test]
async fn options_of_ruby() {
    let event = r#"{"foo":"one","baz":"two"}"#;
    let fields = "fields => ['foo', 'baz']";
    assert_eq!(
        written(
            &format!("{fields} csv_options => {{ 'col_sep' => '|' 'row_sep' => '\t' }}"),
            &[event, event]
        )
        .await,
        "one|two\tone|two\t"
    );
    assert_eq!(
        written(&format!("{fields} csv_options => {{ 'force_quotes' => true }}"), &[event]).await,
        "\"one\",\"two\"\n"
    );
    assert_eq!(
        written(
            &format!(
                "{fields} csv_options => {{ 'headers' => 'a,b' 'write_headers' => true 'force_quotes' => ['b'] }}"
            ),
            &[event, event]
        )
        .await,
        "a,\"b\"\none,\"two\"\na,\"b\"\none,\"two\"\n"
    );
}

#[tokio::test]
async fn spreadsheets_take_nothing_for_a_formula() {
    let event = r#"{"a":"1+1","b":"=1+1","c":"+1+1","d":"-1+1","e":"@1+1","f":-1}"#;
    let fields = "fields => ['a', 'b', 'c', 'd', 'e', 'f']";
    assert_eq!(written(fields, &[event]).await, "1+1,'=1+1,'+1+1,'-1+1,'@1+1,-1\n");
    assert_eq!(
        written(&format!("{fields} spreadsheet_safe => false"), &[event]).await,
        "1+1,=1+1,+1+1,-1+1,@1+1,-1\n"
    );
}

#[tokio::test]
async fn files_are_those_of_the_file_output() {
    let folder = tempfile::tempdir().unwrap();
    let output = output(&folder.path().join("%{to}.csv"), "fields => 'n' file_mode => 0600").unwrap();
    let events = [r#"{"to":"a","n":1}"#, r#"{"to":"../b","n":2}"#, r#"{"to":"a","n":3}"#].map(testkit::event);
    assert_eq!(output.deliver(&events.iter().collect::<Vec<_>>()).await, Delivery::done());
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!((read("a.csv"), read("_filepath_failures")), ("1\n3\n".into(), "2\n".into()));
}

#[test]
fn options_are_checked() {
    let path = std::path::Path::new("/tmp/x.csv");
    for options in [
        "",
        "fields => []",
        "fields => 'a' csv_options => { 'write_converters' => 'x' }",
        "fields => 'a' csv_options => { 'quote_char' => 'xx' }",
        "fields => 'a' csv_options => { 'col_sep' => '' }",
        "fields => 'a' csv_options => { 'force_quotes' => ['name'] }",
        "fields => 'a' dir_mode => -7",
    ] {
        let problems = output(path, options).err().unwrap();
        assert!(problems.iter().any(Problem::is_error), "{options}: {problems:?}");
    }
    assert!(
        output(path, "fields => 'a' write_behavior => overwrite csv_options => { 'strip' => true }").is_ok()
    );
}
