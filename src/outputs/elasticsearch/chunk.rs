//! `Chunk`: the body of one bulk request, and which of its bytes belong to which event.

use super::documents::{Destination, Documents};
use crate::event::Event;
use crate::plugin::Undelivered;

/// Lines of the bulk API for some events of a batch.
#[derive(Debug, Default)]
pub struct Chunk {
    bytes: Vec<u8>,
    /// For every document the index of its event in the batch, and where its lines begin.
    documents: Vec<(usize, usize)>,
}

impl Chunk {
    /// The request's body.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many documents there are.
    pub fn len(&self) -> usize {
        self.documents.len()
    }

    pub fn is_empty(&self) -> bool {
        self.documents.is_empty()
    }

    /// The index in the batch of a document's event.
    pub fn event(&self, number: usize) -> Option<usize> {
        self.documents.get(number).map(|(event, _)| *event)
    }

    /// The indices in the batch of all events.
    pub fn events(&self) -> impl Iterator<Item = usize> {
        self.documents.iter().map(|(event, _)| *event)
    }

    /// The lines of a document.
    pub fn lines(&self, number: usize) -> &[u8] {
        let start = self.documents.get(number).map_or(self.bytes.len(), |(_, start)| *start);
        let end = self.documents.get(number + 1).map_or(self.bytes.len(), |(_, start)| *start);
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// Whether a document is to be created, so that it must not be there yet.
    pub fn is_create(&self, number: usize) -> bool {
        self.lines(number).starts_with(b"{\"create\"")
    }

    /// Some of the documents, by their numbers.
    pub fn select(&self, numbers: impl IntoIterator<Item = usize>) -> Chunk {
        let mut selected = Chunk::default();
        for number in numbers {
            if let Some(event) = self.event(number) {
                selected.documents.push((event, selected.bytes.len()));
                selected.bytes.extend_from_slice(self.lines(number));
            }
        }
        selected
    }

    /// The first half of the documents and the second.
    pub fn halves(&self) -> (Chunk, Chunk) {
        let middle = self.len() / 2;
        (self.select(0..middle), self.select(middle..self.len()))
    }
}

/// Makes the chunks of a batch, one after the other.
pub struct Chunks<'c> {
    pub documents: &'c Documents,
    pub destination: &'c Destination,
    /// Whether the server knows mapping types.
    pub types: bool,
    events: &'c [&'c Event],
    next: usize,
    /// The lines of an event that did not fit into the last chunk.
    overhang: Option<(usize, Vec<u8>)>,
    scratch: String,
}

impl<'c> Chunks<'c> {
    /// The chunks of these events.
    pub fn new(
        documents: &'c Documents,
        destination: &'c Destination,
        types: bool,
        events: &'c [&'c Event],
    ) -> Self {
        Chunks { documents, destination, types, events, next: 0, overhang: None, scratch: String::new() }
    }

    /// The next chunk, of at most `limit` bytes unless a single document has more; `None` at the end. Events that no
    /// action can be made of go to `dead`.
    pub fn next(&mut self, limit: usize, dead: &mut Vec<Undelivered>) -> Option<Chunk> {
        let mut chunk = Chunk::default();
        if let Some((index, lines)) = self.overhang.take() {
            chunk.documents.push((index, 0));
            chunk.bytes = lines;
        }
        while let Some(event) = self.events.get(self.next) {
            let (index, start) = (self.next, chunk.bytes.len());
            self.next += 1;
            let written = self.documents.write(
                event,
                self.destination,
                self.types,
                &mut chunk.bytes,
                &mut self.scratch,
            );
            match written {
                Err(reason) => dead.push(Undelivered { index, reason }),
                Ok(()) if chunk.bytes.len() > limit && start > 0 => {
                    self.overhang = Some((index, chunk.bytes.split_off(start)));
                    break;
                }
                Ok(()) => chunk.documents.push((index, start)),
            }
        }
        (!chunk.is_empty()).then_some(chunk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Template;

    fn documents() -> Documents {
        Documents { id: Some(Template::parse("%{id}")), ..Documents::default() }
    }

    fn events(ids: &[&str]) -> Vec<Event> {
        let json = |id: &&str| format!(r#"{{"id":"{id}","@timestamp":"2024-05-06T07:08:09Z"}}"#);
        ids.iter().map(|id| crate::plugin::testkit::event(&json(id))).collect()
    }

    #[test]
    fn a_batch_is_cut_by_size_and_nothing_gets_lost() {
        let (documents, events) = (documents(), events(&["a", "b", "c", "d", "e"]));
        let events: Vec<&Event> = events.iter().collect();
        let destination = Destination::Index { name: Template::parse("x"), open: false };
        let one = {
            let mut dead = Vec::new();
            Chunks::new(&documents, &destination, false, &events[..1]).next(usize::MAX, &mut dead).unwrap()
        };
        let mut chunks = Chunks::new(&documents, &destination, false, &events);
        let (mut sizes, mut bytes, mut dead) = (Vec::new(), Vec::new(), Vec::new());
        while let Some(chunk) = chunks.next(one.bytes().len() * 2 + 1, &mut dead) {
            sizes.push(chunk.events().collect::<Vec<_>>());
            bytes.extend_from_slice(chunk.bytes());
        }
        assert_eq!(sizes, [vec![0, 1], vec![2, 3], vec![4]]);
        let mut whole = Chunks::new(&documents, &destination, false, &events);
        assert_eq!(whole.next(usize::MAX, &mut dead).unwrap().bytes(), bytes);
        // A document that is larger than the limit goes alone.
        let mut alone = Chunks::new(&documents, &destination, false, &events);
        assert_eq!(alone.next(1, &mut dead).unwrap().len(), 1);
        assert!(dead.is_empty());
    }

    #[test]
    fn parts_keep_their_lines() {
        let (documents, events) = (documents(), events(&["a", "b", "c"]));
        let events: Vec<&Event> = events.iter().collect();
        let destination = Destination::Index { name: Template::parse("x"), open: false };
        let whole =
            Chunks::new(&documents, &destination, false, &events).next(usize::MAX, &mut Vec::new()).unwrap();
        let (first, second) = whole.halves();
        assert_eq!([first.bytes(), second.bytes()].concat(), whole.bytes());
        let last = whole.select([2]);
        assert_eq!((last.event(0), last.lines(0)), (Some(2), whole.lines(2)));
        assert!(last.lines(0).starts_with(br#"{"index":{"_id":"c","_index":"x"}}"#));
    }
}
