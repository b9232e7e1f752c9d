//! Gives the system back the pages of the program's file that only starting up looked at.

use std::fs;
use std::ops::Range;

use rustix::mm::{Advice, madvise};

/// Takes the program's unchanged pages out of the process. Starting up, the kernel maps 64 kB of the file around every
/// page that is touched, some 13 MB; what is needed once more comes back from the file, or from its cache in memory, at
/// about a microsecond for 64 kB.
pub fn give_back() {
    let (Ok(mappings), Ok(program)) = (fs::read_to_string("/proc/self/smaps"), std::env::current_exe())
    else {
        return;
    };
    for range in unchanged(&mappings, &program.to_string_lossy()) {
        let start = std::ptr::with_exposed_provenance_mut(range.start);
        // SAFETY: the kernel has just said that this is memory of the program's own file, which stays mapped for as long
        // as the process lives, that nobody can write there, and that none of its pages differs from the file (what
        // the loader has relocated counts as anonymous). Each page is therefore read again as it was.
        if let Err(error) = unsafe { madvise(start, range.len(), Advice::LinuxDontNeed) } {
            tracing::debug!(%error, "could not give pages of the program back");
        }
    }
}

/// Where a file is mapped read-only and every page is as in the file.
fn unchanged(mappings: &str, file: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut candidate = None;
    for line in mappings.lines() {
        match line.split_once(':') {
            // Only the first line of a mapping has its range: 55d0c000-55d0d000 r-xp 00b27000 fe:00 1234 /path
            Some((range, _)) if range.contains('-') => candidate = read_only_range(line, file),
            Some(("Anonymous", size)) if size.trim() == "0 kB" => found.extend(candidate.take()),
            _ => {}
        }
    }
    found
}

fn read_only_range(line: &str, file: &str) -> Option<Range<usize>> {
    let (range, rest) = line.split_once(' ')?;
    let (permissions, _) = rest.split_once(' ')?;
    let is_of_file = line.strip_suffix(file).is_some_and(|before| before.ends_with(' '));
    if !is_of_file || !permissions.starts_with('r') || permissions.contains('w') {
        return None;
    }
    let (start, end) = range.split_once('-')?;
    Some(usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_as_in_the_file_and_cannot_be_written_is_given_back() {
        let mappings = "\
1000-3000 r--p 00000000 fe:00 42                         /opt/rstash
Size:                  8 kB
Anonymous:             0 kB
VmFlags: rd mr mw me
3000-9000 r-xp 00002000 fe:00 42                         /opt/rstash
Anonymous:             0 kB
9000-a000 r--p 00008000 fe:00 42                         /opt/rstash
Anonymous:             4 kB
a000-b000 rw-p 00009000 fe:00 42                         /opt/rstash
Anonymous:             0 kB
b000-c000 r-xp 00000000 fe:00 43                         /opt/not/opt/rstash
Anonymous:             0 kB
c000-d000 r--s 00000000 00:00 0
Anonymous:             0 kB
";
        assert_eq!(unchanged(mappings, "/opt/rstash"), [0x1000..0x3000, 0x3000..0x9000]);
    }

    #[test]
    fn a_program_has_such_pages_and_runs_on_without_them() {
        let mappings = fs::read_to_string("/proc/self/smaps").expect("Linux tells");
        let program = std::env::current_exe().expect("a program has a path");
        assert!(!unchanged(&mappings, &program.to_string_lossy()).is_empty(), "{mappings}");
        give_back();
        assert_eq!("2".repeat(3).parse(), Ok(222));
    }
}
