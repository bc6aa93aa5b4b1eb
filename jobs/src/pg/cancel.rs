//! Requests to end a statement, which come on connections of their own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::sync::watch;

/// Every connection, by its number.
#[derive(Debug, Default)]
pub(super) struct Cancels {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    last: i32,
    connections: HashMap<i32, ([u8; 4], watch::Sender<u64>)>,
}

/// A connection's place; given up when dropped.
#[derive(Debug)]
pub(super) struct Place {
    all: Arc<Cancels>,
    pub(super) pid: i32,
    pub(super) secret: [u8; 4],
    /// Changes with every request.
    pub(super) told: watch::Receiver<u64>,
}

impl Cancels {
    /// A place for a connection; none where the system has no random bits.
    pub(super) fn enter(self: &Arc<Self>) -> Option<Place> {
        let mut secret = [0; 4];
        SystemRandom::new().fill(&mut secret).ok()?;
        let (tell, told) = watch::channel(0);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut pid = known.last;
        loop {
            pid = pid.checked_add(1).unwrap_or(1);
            if !known.connections.contains_key(&pid) {
                break;
            }
        }
        known.last = pid;
        known.connections.insert(pid, (secret, tell));
        Some(Place { all: Arc::clone(self), pid, secret, told })
    }

    /// Ends what a connection is computing, for whoever knows its secret.
    pub(super) fn cancel(&self, pid: i32, secret: &[u8]) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((right, tell)) = known.connections.get(&pid)
            && right.as_slice() == secret
        {
            tell.send_modify(|count| *count += 1);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut known = self.all.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.connections.remove(&self.pid);
    }
}
