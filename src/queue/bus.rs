//! The pipeline bus: addresses that outputs of one pipeline send to and an input of another listens at.
//!
//! Plugins take their ends while pipelines are built; [`Bus::check`] then knows the whole graph, before anything runs.
//! A parcel carries a token, so that a sender knows when the receiving pipeline has delivered its events.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, oneshot};

use super::{Ack, Settled};
use crate::event::Event;
use crate::language::{Diagnostic, Span, nearest};

/// Batches that may wait at an address beside those in the receiving pipeline's queue.
const WAITING: usize = 4;

/// Where in which pipeline a plugin stands.
#[derive(Debug, Clone)]
pub struct Place {
    pub pipeline: Arc<str>,
    pub span: Span,
}

/// Who sends to an address.
struct Caller {
    place: Place,
    /// Whether its events wait for an address that is not there (`ensure_delivery`).
    waits: bool,
}

/// Which pipelines a bus knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Every pipeline of a `pipelines.yml`.
    All,
    /// A config by itself, perhaps one of several that belong together.
    Single,
}

/// Events on their way between two pipelines, and the token to release when they are safe.
pub struct Parcel {
    pub events: Vec<Event>,
    pub ack: Ack,
}

/// All addresses of a process.
#[derive(Clone, Default)]
pub struct Bus(Arc<Mutex<BTreeMap<String, Address>>>);

struct Address {
    sender: Option<mpsc::Sender<Parcel>>,
    receiver: Option<mpsc::Receiver<Parcel>>,
    listener: Option<Place>,
    senders: Vec<Caller>,
    /// Whether anybody sends to it.
    connected: Arc<AtomicBool>,
}

impl Address {
    fn new() -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        Address {
            sender: Some(sender),
            receiver: Some(receiver),
            listener: None,
            senders: Vec::new(),
            connected: Arc::default(),
        }
    }
}

/// The end of an address where events come out.
pub struct Listener {
    receiver: mpsc::Receiver<Parcel>,
    connected: Arc<AtomicBool>,
}

impl Listener {
    /// Whether nobody can send to it, so that waiting for the senders to end makes no sense.
    pub fn has_no_sender(&self) -> bool {
        !self.connected.load(Ordering::Acquire)
    }

    /// The next parcel; nothing once every sender is gone.
    pub async fn next(&mut self) -> Option<Parcel> {
        self.receiver.recv().await
    }
}

/// An end of an address where events go in.
pub struct Line {
    address: String,
    sender: Option<mpsc::Sender<Parcel>>,
}

/// Nobody listens at an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no running pipeline listens at the address \"{0}\"")]
pub struct Unavailable(pub String);

impl Line {
    /// Sends events and waits until the receiving pipeline has delivered them, or lost them.
    pub async fn send(&self, events: Vec<Event>) -> Result<Settled, Unavailable> {
        let unavailable = || Unavailable(self.address.clone());
        let sender = self.sender.as_ref().ok_or_else(unavailable)?;
        let (settle, settled) = oneshot::channel();
        let ack = Ack::new(move |what| _ = settle.send(what));
        sender.send(Parcel { events, ack }).await.map_err(|_| unavailable())?;
        Ok(settled.await.unwrap_or(Settled::Lost))
    }
}

impl Bus {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Address>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the listening end of an address.
    ///
    /// # Errors
    /// The place of the input that already has it.
    pub fn listen(&self, address: &str, place: Place) -> Result<Listener, Place> {
        let mut addresses = self.lock();
        let entry = addresses.entry(address.to_owned()).or_insert_with(Address::new);
        match (entry.listener.clone(), entry.receiver.take()) {
            (None, Some(receiver)) => {
                entry.listener = Some(place);
                Ok(Listener { receiver, connected: Arc::clone(&entry.connected) })
            }
            (other, _) => Err(other.unwrap_or(place)),
        }
    }

    /// Takes a sending end of an address, whether or not there is a listener yet. `waits` tells whether events stay
    /// undelivered until there is one.
    pub fn connect(&self, address: &str, place: Place, waits: bool) -> Line {
        let mut addresses = self.lock();
        let entry = addresses.entry(address.to_owned()).or_insert_with(Address::new);
        entry.senders.push(Caller { place, waits });
        entry.connected.store(true, Ordering::Release);
        Line { address: address.to_owned(), sender: entry.sender.clone() }
    }

    /// Ends the building: from now on an address that nobody listens at takes nothing, and a listener whose senders
    /// are all gone hears so. Returns what is wrong with the graph of all pipelines, with the pipeline each finding
    /// belongs to: cycles, and addresses that nobody listens at. Where all pipelines are known and its events would wait
    /// forever, such an address is an error, else a warning.
    pub fn seal(&self, scope: Scope) -> Vec<(Arc<str>, Diagnostic)> {
        let mut addresses = self.lock();
        let mut findings = Vec::new();
        let listened: Vec<String> = addresses
            .iter()
            .filter(|(_, entry)| entry.listener.is_some())
            .map(|(name, _)| name.clone())
            .collect();
        let listened: Vec<&str> = listened.iter().map(String::as_str).collect();
        for (name, entry) in addresses.iter_mut() {
            // An address without senders keeps its listener waiting until shutdown, as in Logstash.
            if !entry.senders.is_empty() {
                entry.sender = None;
            }
            if entry.listener.is_some() {
                continue;
            }
            entry.receiver = None;
            let callers = entry.senders.iter();
            findings.extend(
                callers.map(|caller| {
                    (Arc::clone(&caller.place.pipeline), unheard(name, caller, scope, &listened))
                }),
            );
        }
        findings.extend(cycle(&addresses));
        findings
    }
}

/// What there is to say of an address that nobody listens at.
fn unheard(name: &str, caller: &Caller, scope: Scope, listened: &[&str]) -> Diagnostic {
    let message = format!("no pipeline listens at the address \"{name}\"");
    let span = caller.place.span;
    let problem = match (caller.waits, scope) {
        (true, Scope::All) => Diagnostic::error(span, message).label("events for it would wait forever"),
        (true, Scope::Single) => Diagnostic::warning(span, message).label("events for it wait forever"),
        (false, _) => Diagnostic::warning(span, message).label("events for it are dropped"),
    };
    match nearest(name, listened) {
        Some(near) => problem.help(format!("did you mean \"{near}\"?")),
        None => problem.help(format!("add a pipeline with input {{ pipeline {{ address => \"{name}\" }} }}")),
    }
}

/// The edge that closes a cycle of pipelines, if there is one: events could go around in it forever.
fn cycle(addresses: &BTreeMap<String, Address>) -> Option<(Arc<str>, Diagnostic)> {
    let edges: Vec<(&Place, &str, &str)> = addresses
        .iter()
        .filter_map(|(name, entry)| Some((name, entry, entry.listener.as_ref()?)))
        .flat_map(|(name, entry, listener)| {
            entry.senders.iter().map(move |caller| (&caller.place, name.as_str(), &*listener.pipeline))
        })
        .collect();
    for (place, name, to) in &edges {
        let mut reached = BTreeSet::from([*to]);
        let mut open = vec![*to];
        while let Some(pipeline) = open.pop() {
            if *pipeline == *place.pipeline {
                let message = format!("the address \"{name}\" closes a cycle of pipelines");
                let label = format!("events of pipeline {} would come back to it", place.pipeline);
                return Some((
                    Arc::clone(&place.pipeline),
                    Diagnostic::error(place.span, message).label(label),
                ));
            }
            let next = edges.iter().filter(|(place, ..)| *place.pipeline == *pipeline).map(|(.., to)| *to);
            open.extend(next.filter(|to| reached.insert(to)));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(pipeline: &str) -> Place {
        Place { pipeline: pipeline.into(), span: Span::default() }
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    #[test]
    fn a_sender_hears_what_became_of_its_events() {
        let bus = Bus::default();
        let line = bus.connect("there", place("a"), true);
        let mut listener = bus.listen("there", place("b")).ok().unwrap();
        assert!(bus.seal(Scope::All).is_empty());
        runtime().block_on(async {
            let sending = tokio::spawn(async move {
                (line.send(vec![Event::new()]).await, line.send(vec![Event::new()]).await)
            });
            let first = listener.next().await.unwrap();
            assert_eq!(first.events.len(), 1);
            drop(first.ack);
            listener.next().await.unwrap().ack.fail();
            assert_eq!(sending.await.unwrap(), (Ok(Settled::Safe), Ok(Settled::Lost)));
            assert!(listener.next().await.is_none(), "the last sender is gone");
        });
    }

    #[test]
    fn an_address_has_one_listener() {
        let bus = Bus::default();
        assert!(bus.listen("x", place("a")).is_ok());
        assert_eq!(&*bus.listen("x", place("b")).err().unwrap().pipeline, "a");
    }

    #[test]
    fn nobody_listening_is_told_and_refused() {
        for (scope, waits, is_error) in
            [(Scope::All, true, true), (Scope::All, false, false), (Scope::Single, true, false)]
        {
            let bus = Bus::default();
            let line = bus.connect("thier", place("a"), waits);
            _ = bus.listen("their", place("b"));
            let findings = bus.seal(scope);
            assert_eq!(findings.len(), 1);
            assert_eq!(findings[0].1.is_error(), is_error, "{scope:?} {waits}");
            assert_eq!(runtime().block_on(line.send(Vec::new())), Err(Unavailable("thier".into())));
        }
    }

    #[test]
    fn a_cycle_is_an_error_and_a_diamond_is_none() {
        let bus = Bus::default();
        for (from, to) in [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")] {
            _ = bus.connect(to, place(from), true);
        }
        for pipeline in ["b", "c", "d"] {
            assert!(bus.listen(pipeline, place(pipeline)).is_ok());
        }
        assert!(bus.seal(Scope::All).is_empty());
        _ = bus.connect("b", place("d"), true);
        assert!(bus.seal(Scope::All).iter().any(|(_, problem)| problem.is_error()));
    }
}
