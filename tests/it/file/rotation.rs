//! Files that are rotated again and again while the program is killed again and again.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::{Place, Running, wait_until};

const ROTATIONS: usize = 200;
const KILLS: usize = 20;
/// Every line is a number of eight digits.
const LINE: usize = 9;
const OPTIONS: &str =
    "start_position => beginning stat_interval => 0.02 discover_interval => 2 sincedb_write_interval => 0.05";

fn lines(numbers: std::ops::Range<usize>) -> String {
    numbers.map(|number| format!("{number:08}\n")).collect()
}

/// The output as far as it was read: how often each number came, and what is no number.
#[derive(Default)]
struct Seen {
    position: u64,
    rest: Vec<u8>,
    counts: HashMap<usize, usize>,
    torn: usize,
}

impl Seen {
    /// Reads on. A line that has no end yet waits.
    fn update(&mut self, place: &Place) {
        let Ok(mut file) = File::open(place.path("out")) else { return };
        file.seek(SeekFrom::Start(self.position)).expect("it can be read on");
        self.position += file.read_to_end(&mut self.rest).expect("it can be read") as u64;
        let whole = self.rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        for line in self.rest.drain(..whole).collect::<Vec<_>>().split(|byte| *byte == b'\n') {
            let text = std::str::from_utf8(line).unwrap_or_default();
            match text.parse().ok().filter(|_| line.len() == LINE - 1) {
                Some(number) => *self.counts.entry(number).or_default() += 1,
                None => self.torn += usize::from(!line.is_empty()),
            }
        }
    }

    /// Waits until all of these numbers have come.
    fn wait_for(&mut self, place: &Place, numbers: std::ops::Range<usize>) {
        wait_until(&format!("not all of {numbers:?} came"), || {
            self.update(place);
            numbers.clone().all(|number| self.counts.contains_key(&number))
        });
    }

    fn repeated(&self) -> usize {
        self.counts.values().map(|count| count - 1).sum()
    }

    /// Every line came, and no more came twice than may.
    fn check(&self, lines: usize, may_repeat: usize) {
        let missing: Vec<_> = (0..lines).filter(|number| !self.counts.contains_key(number)).collect();
        assert!(
            missing.is_empty(),
            "{} of {lines} are missing, e.g. {:?}",
            missing.len(),
            &missing[..missing.len().min(5)]
        );
        assert_eq!(self.counts.len(), lines, "lines that nobody wrote");
        let repeated = self.repeated();
        assert!(
            repeated <= may_repeat,
            "{repeated} lines were repeated, only {may_repeat} were not acknowledged"
        );
        // A kill may cut the last line that was being written.
        assert!(self.torn <= KILLS, "{} torn lines", self.torn);
        println!("{lines} lines, {repeated} repeated of {may_repeat} that may be, {} torn", self.torn);
    }
}

/// How many lines the sincedb calls safe: what stands before its positions.
fn safe_lines(place: &Place) -> usize {
    let Ok(entries) = fs::read_dir(place.path("data/plugins/inputs/file")) else { return 0 };
    let mut safe = 0;
    for entry in entries.flatten().filter(|entry| is_sincedb(&entry.file_name().to_string_lossy())) {
        let text = fs::read_to_string(entry.path()).expect("the sincedb can be read");
        for line in text.lines() {
            let position: usize = line.split(' ').nth(3).and_then(|it| it.parse().ok()).expect("a position");
            assert_eq!(position % LINE, 0, "not at the end of a line: {line}");
            safe += position / LINE;
        }
    }
    safe
}

fn is_sincedb(name: &str) -> bool {
    name.starts_with(".sincedb_") && name.len() == ".sincedb_".len() + 32
}

fn kill(mut running: Running) {
    running.0.kill().expect("it can be killed");
    running.0.wait().expect("it can be waited for");
}

/// Writes with a rotation every so many lines, also late to the file that was just renamed.
fn write_and_rename(place: &Place, lines_each: usize, is_over: &AtomicBool) {
    const PIECE: usize = 50;
    let open = || File::options().append(true).create(true).open(place.path("a.log")).expect("it opens");
    let mut number = 0;
    let mut write = |file: &mut File, count: usize| {
        let text = lines(number..number + count);
        number += count;
        // In two parts, the first without its end.
        let (first, second) = text.as_bytes().split_at(text.len() / 2 + 1);
        file.write_all(first).and_then(|()| file.write_all(second)).expect("it can be written");
        thread::sleep(Duration::from_millis(4));
    };
    for rotation in 0..ROTATIONS {
        let mut file = open();
        for _ in 1..lines_each / PIECE {
            write(&mut file, PIECE);
        }
        fs::rename(place.path("a.log"), place.path(&format!("a.log.{rotation}"))).expect("it is renamed");
        write(&mut file, PIECE);
    }
    is_over.store(true, Ordering::Release);
}

#[test]
fn rotation_by_rename_and_kills_lose_nothing_and_repeat_only_what_was_not_acknowledged() {
    let lines_each = 1000;
    let all = ROTATIONS * lines_each;
    let place = Place::new();
    let is_over = AtomicBool::new(false);
    let (mut seen, mut may_repeat) = (Seen::default(), 0);
    thread::scope(|scope| {
        scope.spawn(|| write_and_rename(&place, lines_each, &is_over));
        for _ in 0..KILLS {
            let running = place.start("a.log*", OPTIONS);
            let before = seen.counts.len();
            let enough = (all / KILLS / 2).min((all - before) / 2);
            wait_until("nothing comes", || {
                seen.update(&place);
                seen.counts.len() >= before + enough
            });
            kill(running);
            seen.update(&place);
            let safe = safe_lines(&place);
            let written = seen.counts.len();
            assert!(safe <= written, "the sincedb calls {safe} lines safe, {written} are written");
            may_repeat += written - safe;
        }
    });
    assert!(is_over.load(Ordering::Acquire));
    let running = place.start("a.log*", OPTIONS);
    seen.wait_for(&place, 0..all);
    running.stop(&place);
    seen.update(&place);
    assert_eq!(safe_lines(&place), all, "a stop leaves everything acknowledged");
    seen.check(all, may_repeat);
    // A new start has nothing to read.
    let running = place.start("a.log*", OPTIONS);
    let last = lines(all..all + 1);
    fs::write(place.path("a.log.last"), last).expect("it can be written");
    seen.wait_for(&place, all..all + 1);
    running.stop(&place);
    seen.update(&place);
    seen.check(all + 1, may_repeat);
}

/// What nobody has read before a file is truncated is gone for every reader: the writer truncates what has been written to
/// the output. It goes on writing at once, also while the program is away, sometimes more than there was before.
#[test]
fn rotation_by_copy_and_truncate_and_kills_loses_nothing() {
    let place = Place::new();
    let mut file = File::options().append(true).create(true).open(place.path("a.log")).expect("it opens");
    let mut running = place.start("a.log", OPTIONS);
    let (mut seen, mut may_repeat, mut number, mut kills) = (Seen::default(), 0, 0, 0);
    let mut away = false;
    for rotation in 0..ROTATIONS {
        // More than the position in the sincedb, where nobody is there to see the truncation.
        let count = if away { 800 } else { 100 + rotation * 37 % 200 };
        let (start, half) = (number, number + count / 2);
        number += count;
        file.write_all(lines(start..half).as_bytes()).expect("it can be written");
        if away {
            running = place.start("a.log", OPTIONS);
            away = false;
        }
        if rotation % 20 == 3 {
            seen.wait_for(&place, start..start + 1);
            kill(running);
            kills += 1;
            seen.update(&place);
            may_repeat += (start..number).filter(|number| seen.counts.contains_key(number)).count();
            running = place.start("a.log", OPTIONS);
        }
        file.write_all(lines(half..number).as_bytes()).expect("it can be written");
        seen.wait_for(&place, start..number);
        if rotation % 20 == 13 {
            kill(running);
            kills += 1;
            seen.update(&place);
            away = true;
            running = Running::none();
        }
        fs::copy(place.path("a.log"), place.path("a.log.copy")).expect("it is copied");
        file.set_len(0).expect("it is truncated");
    }
    assert_eq!(kills, KILLS);
    running.stop(&place);
    seen.update(&place);
    seen.check(number, may_repeat);
}
