//! Files that are read once, from the beginning to the end, archives among them.

use super::*;

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn read_mode_reads_once_and_deletes() {
    let place = Place::new();
    place.write("a.log", "1\n2");
    place.write("b.log.gz", gzip("3\r\n4"));
    place.write("empty.log", "");
    let mut running = place.start("*.{log,gz}", "mode => read file_sort_by => path");
    assert_eq!(running.lines(4), ["1", "2", "3", "4"]);
    wait_until("all are deleted", || {
        ["a.log", "b.log.gz", "empty.log"].iter().all(|it| !place.path(it).exists())
    });
    // A file of the same name is another one.
    place.write("a.log", "5\n");
    assert_eq!(running.lines(1), ["5"]);
    assert_eq!(running.stop(), [""; 0]);
}

#[test]
fn nothing_is_deleted_before_it_is_delivered() {
    let place = Place::new();
    place.write("a.log", "1\n");
    let mut running = place.start("a.log", "mode => read");
    let mut held = Vec::new();
    running.batch_with(|acks| held = acks).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    assert!(place.path("a.log").exists());
    assert_eq!(place.position("a.log"), Some(0));
    drop(held);
    wait_until("it is deleted", || !place.path("a.log").exists());
    assert_eq!(running.stop(), [""; 0]);
}

#[test]
fn completed_files_are_logged_and_not_read_again() {
    let place = Place::new();
    let path = place.write("a.log", "1\n2");
    let archive = place.write("b.gz", gzip("3\n"));
    let log = place.path("completed");
    let options = format!(
        "mode => read exit_after_read => true file_sort_by => path file_completed_action => log file_completed_log_path => '{}'",
        log.display()
    );
    assert_eq!(place.start("*.{log,gz}", &options).rest(), ["1", "2", "3"]);
    let expected = format!("{}\n{}\n", path.display(), archive.display());
    assert_eq!(fs::read_to_string(&log).unwrap(), expected);
    assert_eq!(place.position("a.log"), Some(3));
    assert_eq!(place.position("b.gz"), Some(fs::metadata(&archive).unwrap().len()));
    assert_eq!(place.start("*.{log,gz}", &options).rest(), [""; 0]);
    place.append("a.log", "\nnew\n");
    assert_eq!(place.start("*.{log,gz}", &options).rest(), ["", "new"]);
}

#[test]
fn damaged_archives_stop_nothing() {
    let place = Place::new();
    let whole = gzip("1\n2\n");
    place.write("a.gz", &whole[..whole.len() - 3]);
    place.write("b.gz", "no archive");
    place.write("c.gz", gzip("3\n"));
    let mut running = place.start("*.gz", "mode => read file_sort_by => path check_archive_validity => true");
    assert_eq!(running.lines(1), ["3"]);
    assert!(place.path("a.gz").exists() && place.path("b.gz").exists());
    // Now all of it has come.
    place.write("a.gz", &whole);
    assert_eq!(running.lines(2), ["1", "2"]);
    assert_eq!(running.stop(), [""; 0]);
}

#[test]
fn what_cannot_be_read_stops_nothing() {
    let place = Place::new();
    fs::create_dir(place.path("directory.log")).unwrap();
    std::os::unix::fs::symlink("/no/such/file", place.path("dangling.log")).unwrap();
    place.write("a.log", "1\n");
    let options = "mode => read exit_after_read => true";
    assert_eq!(place.start("*.log", options).rest(), ["1"]);
    assert_eq!(place.start("nothing/*", options).rest(), [""; 0]);
}
