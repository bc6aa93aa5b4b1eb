//! What is counted of webhooks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use super::super::meter::{head, line};
use super::Subscriber;
use crate::context::now;

/// Reads one value of a subscriber's.
type Read = fn(&Counts) -> i64;

const MICROS_PER_SECOND: i64 = 1_000_000;

/// Counters of one subscriber.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) taken: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) changes: AtomicU64,
    /// Failures since the last request that was taken.
    pub(super) streak: AtomicU64,
    /// Whether this server tells it.
    pub(super) active: AtomicBool,
    /// When what waits for it was published, in µs; 0 where nothing waits.
    pub(super) waiting_since: AtomicI64,
}

/// The part of the page for Prometheus.
pub(in crate::serve) fn page(subscribers: &[Arc<Subscriber>]) -> String {
    let mut page = String::new();
    if subscribers.is_empty() {
        return page;
    }
    let name = "tideline_webhook_requests_total";
    head(&mut page, name, "counter", "Requests to subscribers, by what came of them.");
    for subscriber in subscribers {
        let (id, counts) = (&subscriber.settings.name, &subscriber.counts);
        for (outcome, counter) in [("taken", &counts.taken), ("failed", &counts.failed)] {
            let labels = format!("{{subscriber=\"{id}\",outcome=\"{outcome}\"}}");
            line(&mut page, &format!("{name}{labels}"), counter.load(Ordering::Relaxed));
        }
    }
    let each: [(&str, &str, &str, Read); 4] = [
        ("tideline_webhook_changes_total", "counter", "Changes that subscribers took.", |counts| {
            signed(&counts.changes)
        }),
        ("tideline_webhook_failures", "gauge", "Requests that failed since one was taken.", |counts| {
            signed(&counts.streak)
        }),
        ("tideline_webhook_active", "gauge", "1 where this server tells the subscriber.", |counts| {
            i64::from(counts.active.load(Ordering::Relaxed))
        }),
        (
            "tideline_webhook_delay_seconds",
            "gauge",
            "Seconds since the publication that waits to be told; 0 for none.",
            |counts| match counts.waiting_since.load(Ordering::Relaxed) {
                0 => 0,
                since => (now() - since).max(0) / MICROS_PER_SECOND,
            },
        ),
    ];
    for (name, kind, help, read) in each {
        head(&mut page, name, kind, help);
        for subscriber in subscribers {
            let labels = format!("{{subscriber=\"{}\"}}", subscriber.settings.name);
            line(&mut page, &format!("{name}{labels}"), read(&subscriber.counts));
        }
    }
    page
}

fn signed(counter: &AtomicU64) -> i64 {
    i64::try_from(counter.load(Ordering::Relaxed)).unwrap_or(i64::MAX)
}
