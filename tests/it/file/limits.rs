//! Very many files, and a process that may have few of them open.

use std::collections::HashSet;
use std::fs;

use super::{Place, Running, TAIL, wait_until};

const FILES: usize = 1500;

/// How many files the process may have open, and how many it has.
fn open_files(running: &Running) -> (String, usize) {
    let of_process = |what: &str| format!("/proc/{}/{what}", running.0.id());
    let limits = fs::read_to_string(of_process("limits")).expect("a running process");
    let line = limits.lines().find(|line| line.starts_with("Max open files")).expect("the limit");
    let soft = line.split_whitespace().nth(3).expect("a number").to_owned();
    (soft, fs::read_dir(of_process("fd")).expect("a running process").count())
}

#[test]
fn many_files_stay_within_the_limit_of_the_process() {
    let place = Place::new();
    for number in 0..FILES {
        place.write(&format!("{number}.log"), format!("first {number}\n"));
    }
    let running = place.start_limited("*.log", TAIL, Some("ulimit -n 256"));
    place.wait_for(FILES);
    let (soft, open) = open_files(&running);
    assert_eq!(soft, "256");
    assert!(open > 150 && open < 256, "{open} files are open");
    for number in (0..FILES).rev() {
        place.append(&format!("{number}.log"), &format!("second {number}\n"));
    }
    place.wait_for(FILES * 2);
    running.stop(&place);
    assert_eq!(place.lines().iter().collect::<HashSet<_>>().len(), FILES * 2);
    // Nothing had to fail first.
    assert!(!place.log().contains("too many open files"), "{}", place.log());
}

#[test]
fn the_soft_limit_is_raised_to_the_hard_one() {
    let place = Place::new();
    place.write("a.log", "line\n");
    let running = place.start_limited("*.log", TAIL, Some("ulimit -Sn 100 && ulimit -Hn 2000"));
    place.wait_for(1);
    assert_eq!(open_files(&running).0, "2000");
    running.stop(&place);
}

#[test]
fn a_quiet_file_is_closed_and_opened_again_for_what_comes() {
    let place = Place::new();
    place.write("a.log", "one\n");
    let running = place.start("a.log", &format!("{TAIL} close_older => 0.3"));
    place.wait_for(1);
    let path = place.path("a.log");
    let is_open = || {
        let files = fs::read_dir(format!("/proc/{}/fd", running.0.id())).expect("a running process");
        files.flatten().any(|file| fs::read_link(file.path()).is_ok_and(|target| target == path))
    };
    wait_until("the file stays open", || !is_open());
    place.append("a.log", "two\n");
    place.wait_for(2);
    wait_until("the file stays open", || !is_open());
    // It is still the same file under another name.
    fs::rename(&path, place.path("b.log")).expect("it is renamed");
    place.write("a.log", "three\n");
    place.wait_for(3);
    running.stop(&place);
    assert_eq!(place.lines(), ["one", "two", "three"]);
}
