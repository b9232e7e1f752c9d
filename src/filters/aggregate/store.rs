//! The file `aggregate_maps_path`: what is open at the end of a run, for the next one. Logstash writes Ruby's Marshal
//! format there, which nothing else reads; here it is a line of JSON for each task.

use std::fs;
use std::io;
use std::path::Path;

use crate::event::json::{self, Decimals};
use crate::event::{Object, Timestamp, Value};

/// One task that was open.
pub struct Kept {
    pub pattern: String,
    pub id: String,
    pub created: Timestamp,
    pub latest: Timestamp,
    pub map: Value,
}

/// Writes the tasks; without any there is no file afterwards.
pub fn save(path: &Path, tasks: &[Kept]) -> io::Result<()> {
    if tasks.is_empty() {
        return Ok(());
    }
    let mut text = Vec::new();
    for task in tasks {
        let mut line = Object::new();
        line.insert("pattern", Value::from(task.pattern.as_str()));
        line.insert("id", Value::from(task.id.as_str()));
        line.insert("created", Value::Timestamp(task.created));
        line.insert("latest", Value::Timestamp(task.latest));
        line.insert("map", task.map.clone());
        json::write_object(&mut text, &line);
        text.push(b'\n');
    }
    fs::write(path, text)
}

/// Reads the tasks and removes the file, as Logstash does. No file means no tasks.
pub fn take(path: &Path) -> io::Result<Vec<Kept>> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read?,
    };
    let invalid = |reason: &str| io::Error::new(io::ErrorKind::InvalidData, reason.to_owned());
    if bytes.starts_with(&[4, 8]) {
        return Err(invalid("Logstash wrote it, in a format of Ruby's that is not read here"));
    }
    let text = String::from_utf8(bytes).map_err(|_| invalid("it is not text"))?;
    let tasks: Option<Vec<_>> = text.lines().map(read).collect();
    let tasks = tasks.ok_or_else(|| invalid("a line of it holds no task"))?;
    fs::remove_file(path)?;
    Ok(tasks)
}

fn read(line: &str) -> Option<Kept> {
    let Value::Object(mut line) = json::parse(line, Decimals::Lossless).ok()? else { return None };
    let mut text = |name: &str| line.remove(name)?.as_str().map(str::to_owned);
    let (pattern, id) = (text("pattern")?, text("id")?);
    let (created, latest) = (Timestamp::parse(&text("created")?)?, Timestamp::parse(&text("latest")?)?);
    Some(Kept { pattern, id, created, latest, map: line.remove("map")? })
}
