//! Codec `gzip_lines`: each line of compressed text is one event (logstash-codec-gzip_lines).

use crate::event::Event;
use crate::plugin::{Build, Charset, Codec, EncodeError, Example, Kind, Spec, options};

use super::{gzip, target, text};

pub static SPEC: Spec = Spec {
    kind: Kind::Codec,
    name: "gzip_lines",
    summary: "Lines of text in a gzip file: each line is one event.",
    options: GzipLines::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example { config: "input { stdin { codec => gzip_lines } }", input: &[], output: &[] },
    build: Build::Codec(|reader| Some(Box::new(GzipLines::read(reader)?))),
};

options! {
    #[derive(Debug, Clone)]
    struct GzipLines {
        /// The character encoding of the text.
        charset: Charset = "UTF-8",
    }
}

impl Codec for GzipLines {
    /// Takes a whole file. The messages keep the line breaks that end them.
    fn decode(&mut self, bytes: &[u8], emit: &mut dyn FnMut(Event)) {
        let read = gzip::each_line(bytes, |line| {
            emit(Event::from_message(self.charset.decode(line).into_owned()));
        });
        if let Err(error) = read {
            emit(target::failure(SPEC.name, bytes, Some("_gzip_linesdecodefailure"), &error.to_string()));
        }
    }

    fn encode(&self, _event: &Event, _out: &mut Vec<u8>) -> Result<(), EncodeError> {
        Err(text::unencodable(SPEC.name))
    }

    fn fresh(&self) -> Box<dyn Codec> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use crate::codecs::testkit::{decode_one, tags, texts};
    use crate::plugin::EcsMode;

    fn compress(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn lines_keep_their_ends() {
        let mut file = compress(b"a\n\nb\r\n");
        file.extend(compress(b"c"));
        assert_eq!(
            texts(&decode_one("gzip_lines", EcsMode::V8, &file), "message"),
            ["a\n", "\n", "b\r\n", "c"]
        );
        let latin = decode_one("gzip_lines { charset => 'ISO-8859-1' }", EcsMode::V8, &compress(b"\xe9"));
        assert_eq!(texts(&latin, "message"), ["é"]);
    }

    #[test]
    fn a_broken_file_gives_what_came_before_and_a_failure() {
        let mut file = compress(b"a\nb\n");
        file.truncate(file.len() - 4);
        let events = decode_one("gzip_lines", EcsMode::V8, &file);
        assert_eq!(tags(events.last().unwrap()), ["_gzip_linesdecodefailure"]);
        assert_eq!(texts(&events[..events.len() - 1], "message"), ["a\n", "b\n"]);
        assert_eq!(texts(&decode_one("gzip_lines", EcsMode::V8, b"plain"), "message"), ["plain"]);
    }
}
