//! How following is going: for log lines and metrics.

use std::time::Duration;

use super::super::status::Lag;
use crate::time::Micros;

/// Upper edges of the classes of latency, in milliseconds.
pub const LATENCY_MS: [u64; 12] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 5_000, 60_000];

/// How following is going. Counters run since the start.
#[derive(Debug, Clone, Default)]
pub struct LiveStatus {
    /// Events of the running day that were applied, each once.
    pub applied: u64,
    /// Events of earlier days.
    pub late: u64,
    /// Records that the contract refuses.
    pub refused: u64,
    /// Batches applied.
    pub batches: u64,
    /// Quotas sent.
    pub quotas: u64,
    /// Alerts sent, raised or cleared.
    pub alerts: u64,
    /// States loaded after the first.
    pub refreshes: u64,
    /// Attempts at loading a state that failed.
    pub refreshes_failed: u64,
    /// How long the newest batch took from decoded to sent.
    pub update: Duration,
    /// Events by the time from their message's stamp to their quotas being sent: how many at most as late as each of
    /// [`LATENCY_MS`], and all.
    pub latency: ([u64; LATENCY_MS.len()], u64),
    /// The sum of these times, in milliseconds.
    pub latency_sum_ms: u64,
    /// When the state was loaded.
    pub loaded_at: Micros,
    /// Since when the state lacks something that the lake or the topic has.
    pub outdated_since: Option<Micros>,
    /// Bytes of the rows held.
    pub rows_bytes: usize,
    /// How far each partition is followed.
    pub lags: Vec<Lag>,
}

impl LiveStatus {
    /// Notes an event whose quotas were sent so long after its message's stamp.
    pub(super) fn note(&mut self, late: Micros) {
        let ms = u64::try_from(late.max(0) / 1_000).unwrap_or(0);
        for (edge, count) in LATENCY_MS.iter().zip(&mut self.latency.0) {
            *count += u64::from(ms <= *edge);
        }
        self.latency.1 += 1;
        self.latency_sum_ms += ms;
    }

    /// The class of latency that holds a share of all events, by its upper edge; none without events, or above all.
    pub fn latency_ms(&self, share: f64) -> Option<u64> {
        let all = self.latency.1;
        let found = LATENCY_MS.iter().zip(self.latency.0).find(|(_, count)| {
            all > 0
                && crate::measure::real(count.cast_signed())
                    >= share * crate::measure::real(all.cast_signed())
        });
        found.map(|(edge, _)| *edge)
    }
}
