//! Output `null`: takes every event and does nothing with it (logstash-output-null).

use futures_util::future::BoxFuture;

use crate::event::Event;
use crate::plugin::{Build, Delivery, Example, Kind, Output, Spec, options};

pub static SPEC: Spec = Spec {
    kind: Kind::Output,
    name: "null",
    summary: "Discards events.",
    options: Null::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: Some("plain"),
    example: Example { config: "output { null { } }", input: &[], output: &[] },
    build: Build::Output(|reader| {
        let null = Null::read(reader)?;
        crate::plugin::take_unused_codec(reader);
        Some(Box::new(null))
    }),
};

options! {
    #[derive(Debug)]
    pub struct Null {}
}

impl Output for Null {
    fn deliver<'a>(&'a self, _events: &'a [&'a Event]) -> BoxFuture<'a, Delivery> {
        Box::pin(async { Delivery::done() })
    }
}
