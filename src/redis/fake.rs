//! A server for tests that answers as a test wishes, one connection at a time.

use std::io::Write;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use super::texts;

/// What a server has been told, word by word.
pub type Commands = Arc<Mutex<Vec<Vec<String>>>>;

/// Starts it and returns its port. No answer means that it closes the connection.
pub fn start(mut answer: impl FnMut(&[String]) -> Option<String> + Send + 'static) -> (u16, Commands) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let commands = Commands::default();
    let seen = Arc::clone(&commands);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut parser = redis::Parser::new();
            while let Ok(command) = parser.parse_value(&mut stream) {
                let words: Vec<_> =
                    texts(command).iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
                seen.lock().unwrap().push(words.clone());
                let Some(answer) = answer(&words) else { break };
                stream.write_all(answer.as_bytes()).unwrap();
            }
        }
    });
    (port, commands)
}

/// An answer of several texts.
pub fn array(texts: &[&str]) -> String {
    let count = texts.len();
    let texts: String = texts.iter().map(|text| format!("${}\r\n{text}\r\n", text.len())).collect();
    format!("*{count}\r\n{texts}")
}
