//! `Pool`: the servers, which of them answer, and how busy each is (`http_client/pool.rb`).

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use super::hosts::Host;

/// A server and its state.
#[derive(Debug)]
pub struct Member {
    pub host: Host,
    alive: AtomicBool,
    in_use: AtomicUsize,
    /// What was last said about it, so that the same is not said again and again.
    said: Mutex<String>,
}

/// All servers that are known.
#[derive(Debug, Default)]
pub struct Pool {
    members: Mutex<Vec<Arc<Member>>>,
    /// Woken when a server answers again.
    pub restored: Notify,
    /// Woken when a server stopped to answer.
    pub lost: Notify,
}

/// A server that a request is on its way to.
#[derive(Debug)]
pub struct Lease(Arc<Member>);

impl Lease {
    pub fn host(&self) -> &Host {
        &self.0.host
    }

    pub fn member(&self) -> &Member {
        &self.0
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.0.in_use.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Member {
    fn new(host: Host) -> Arc<Self> {
        Arc::new(Member {
            host,
            alive: AtomicBool::new(false),
            in_use: AtomicUsize::new(0),
            said: Mutex::new(String::new()),
        })
    }

    pub fn is_alive(&self) -> bool {
        self.alive.load(Ordering::Acquire)
    }

    /// Whether this differs from what was last said about this server.
    fn is_news(&self, message: &str) -> bool {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if *said == message {
            return false;
        }
        message.clone_into(&mut said);
        true
    }

    /// Says why the server cannot be used, unless that was the last word already.
    pub fn complain(&self, reason: &str) {
        if self.is_news(reason) {
            tracing::warn!(host = %self.host, reason, "server cannot be used, it is asked again from time to time");
        }
    }
}

impl Pool {
    /// A pool of servers nobody has asked yet.
    pub fn new(hosts: Vec<Host>) -> Self {
        Pool { members: Mutex::new(hosts.into_iter().map(Member::new).collect()), ..Pool::default() }
    }

    fn members(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Member>>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many servers answer.
    pub fn alive(&self) -> usize {
        self.members().iter().filter(|member| member.is_alive()).count()
    }

    /// The servers that do not answer.
    pub fn missing(&self) -> Vec<Arc<Member>> {
        self.members().iter().filter(|member| !member.is_alive()).cloned().collect()
    }

    /// One of the least busy servers that answer.
    pub fn lease(&self) -> Option<Lease> {
        let members = self.members();
        let mut least: Vec<&Arc<Member>> = Vec::with_capacity(members.len());
        let busy = |member: &Arc<Member>| member.in_use.load(Ordering::Relaxed);
        for member in members.iter().filter(|member| member.is_alive()) {
            match least.first().map(|first| busy(member).cmp(&busy(first))) {
                Some(std::cmp::Ordering::Greater) => continue,
                Some(std::cmp::Ordering::Less) => least.clear(),
                Some(std::cmp::Ordering::Equal) | None => {}
            }
            least.push(member);
        }
        let picked = match least.len() {
            0 => return None,
            count => least.get(fastrand::usize(..count))?,
        };
        picked.in_use.fetch_add(1, Ordering::Relaxed);
        Some(Lease(Arc::clone(picked)))
    }

    /// Notes that a server does not answer; it is asked at once whether that lasts.
    pub fn mark_lost(&self, member: &Member, reason: &str) {
        if member.alive.swap(false, Ordering::AcqRel) {
            member.complain(reason);
        }
        self.lost.notify_one();
    }

    /// Notes that a server answers.
    pub fn mark_alive(&self, member: &Member) {
        if !member.alive.swap(true, Ordering::AcqRel) {
            if member.is_news("") {
                tracing::info!(host = %member.host, "connection restored");
            } else {
                tracing::info!(host = %member.host, "connected");
            }
        }
        self.restored.notify_waiters();
    }

    /// Takes over the cluster's own list of servers.
    pub fn replace(&self, hosts: Vec<Host>) {
        let mut members = self.members();
        let (added, removed) = {
            let known = |host: &Host| members.iter().any(|member| member.host == *host);
            let added: Vec<Host> = hosts.iter().filter(|host| !known(host)).cloned().collect();
            (added, members.iter().filter(|member| !hosts.contains(&member.host)).count())
        };
        if added.is_empty() && removed == 0 {
            return;
        }
        members.retain(|member| hosts.contains(&member.host));
        let shown: Vec<_> = added.iter().map(ToString::to_string).collect();
        tracing::info!(added = ?shown, removed, "the cluster's list of servers has changed");
        members.extend(added.into_iter().map(Member::new));
    }

    /// The first server, whatever its state: what others are reached like.
    pub fn first(&self) -> Option<Host> {
        self.members().first().map(|member| member.host.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str) -> Host {
        Host { origin: format!("http://{name}:9200"), path: String::new(), query: String::new(), login: None }
    }

    #[test]
    fn the_least_busy_server_that_answers_is_taken() {
        let pool = Pool::new(vec![host("a"), host("b"), host("c")]);
        assert!(pool.lease().is_none(), "nobody was asked yet");
        for member in pool.missing().iter().take(2) {
            pool.mark_alive(member);
        }
        let (first, second) = (pool.lease().unwrap(), pool.lease().unwrap());
        assert_ne!(first.host(), second.host());
        let name = first.host().clone();
        drop(first);
        let third = pool.lease().unwrap();
        assert_eq!(*third.host(), name);
        pool.mark_lost(third.member(), "test");
        drop((second, third));
        assert_ne!(*pool.lease().unwrap().host(), name);
        assert_eq!(pool.missing().len(), 2);
    }

    #[test]
    fn the_clusters_list_replaces_the_configs() {
        let pool = Pool::new(vec![host("a"), host("b")]);
        pool.missing().iter().for_each(|member| pool.mark_alive(member));
        pool.replace(vec![host("b"), host("c")]);
        assert_eq!(pool.alive(), 1);
        assert_eq!(pool.missing().iter().map(|member| member.host.clone()).collect::<Vec<_>>(), [host("c")]);
    }
}
