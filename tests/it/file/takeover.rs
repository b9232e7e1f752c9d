//! A Logstash is replaced by rstash: its sincedb is read, and stays one that it can read.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use md5::{Digest, Md5};

use super::{Place, TAIL};

/// Where Logstash keeps the sincedb of an input with this one path, in its path.data.
fn sincedb(place: &Place, pattern: &str) -> PathBuf {
    let path = place.path(pattern).display().to_string();
    let digest: String = Md5::digest(path).iter().map(|byte| format!("{byte:02x}")).collect();
    place.path("data/plugins/inputs/file").join(format!(".sincedb_{digest}"))
}

/// Inode, and the numbers of the device as JRuby tells them.
fn inode(place: &Place, name: &str) -> String {
    let metadata = fs::metadata(place.path(name)).expect("it is there");
    format!("{} {} {}", metadata.ino(), (metadata.dev() >> 24) & 0xff, metadata.dev() & 0xff_ffff)
}

fn now() -> f64 {
    std::time::UNIX_EPOCH.elapsed().expect("after 1970").as_secs_f64()
}

#[test]
fn the_sincedb_of_a_logstash_is_taken_over_and_goes_back() {
    let place = Place::new();
    for name in ["known.log", "old format.log", "all.log"] {
        place.write(name, "one\ntwo\nthree\n");
    }
    let path = |name: &str| place.path(name).display().to_string();
    let text = [
        // As sincedb_record_serializer.rb writes it, and as it did before version 4.1.
        format!("{} 4 {} {}\n", inode(&place, "known.log"), now(), path("known.log")),
        format!("{} 8\n", inode(&place, "old format.log")),
        format!("{} 14 {} {}\n", inode(&place, "all.log"), now(), path("all.log")),
        // Of a file that has gone.
        format!("999999999 0 1 77 {} {}\n", now() - 3600.0, path("gone.log")),
    ];
    let sincedb = sincedb(&place, "*.log");
    fs::create_dir_all(sincedb.parent().expect("a directory")).expect("it can be made");
    fs::write(&sincedb, text.concat()).expect("it can be written");
    // Not in the sincedb: its end is where it begins, unless told otherwise.
    place.write("new.log", "only\n");
    let running = place.start("*.log", TAIL);
    place.wait_for(4);
    place.append("all.log", "four\n");
    place.wait_for(5);
    running.stop(&place);
    let mut lines = place.lines();
    lines.sort();
    assert_eq!(lines, ["four", "only", "three", "three", "two"]);

    // What Logstash reads of it: split at spaces, a position, a time, and the path again from the rest.
    let mut found: Vec<(String, u64, String)> = Vec::new();
    for line in fs::read_to_string(&sincedb).expect("it is there").lines() {
        let parts: Vec<&str> = line.split(' ').collect();
        assert!(parts.len() >= 6, "{line}");
        let time: f64 = parts[4].parse().expect("a time");
        assert!(time > now() - 4000.0 && time <= now(), "{line}");
        found.push((parts[..3].join(" "), parts[3].parse().expect("a position"), parts[5..].join(" ")));
    }
    found.sort_by(|one, other| one.2.cmp(&other.2));
    let expected = [("all.log", 19), ("known.log", 14), ("new.log", 5), ("old format.log", 14)];
    let mut expected: Vec<_> =
        expected.iter().map(|(name, position)| (inode(&place, name), *position, path(name))).collect();
    expected.push(("999999999 0 1".to_owned(), 77, path("gone.log")));
    expected.sort_by(|one, other| one.2.cmp(&other.2));
    assert_eq!(found, expected);
}
