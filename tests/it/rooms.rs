//! The architecture: a room uses only the rooms above it.

use std::path::{Path, PathBuf};

/// The rooms from top to bottom. Plugins of different kinds do not know each other either.
const ROOMS: [&[&str]; 12] = [
    &["language", "event", "regex", "limits"],
    &["grok", "ruby"],
    &["queue"],
    &["plugin"],
    &["tls", "net"],
    &["http_client", "kafka", "csv", "schedule", "sql", "command", "redis"],
    &["elasticsearch", "lumberjack", "rabbitmq"],
    &["inputs", "filters", "outputs", "codecs"],
    &["pipeline"],
    &["testing", "logging", "demo"],
    &["settings"],
    &["cli"],
];

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn level(room: &str) -> Option<usize> {
    ROOMS.iter().position(|rooms| rooms.contains(&room))
}

#[test]
fn a_room_uses_only_the_rooms_above_it() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&source, &mut files);
    let mut wrong = Vec::new();
    for file in &files {
        let inside = file.strip_prefix(&source).unwrap();
        let room = inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
        let Some(own) = level(room) else { continue };
        let text = std::fs::read_to_string(file).unwrap();
        // Tests may look further: they prove that a room works for those below it.
        let code = text.split("#[cfg(test)]").next().unwrap();
        for used in code.split("crate::").skip(1) {
            let used: String = used.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
            let allowed = used == room || used == "registry" || level(&used).is_none_or(|other| other < own);
            if !allowed {
                wrong.push(format!("{} uses {used}", inside.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
