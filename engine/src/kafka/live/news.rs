//! What those are told who answer for quotas in the same process.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::live::LiveQuota;
use crate::time::{Day, Micros};

/// What quotas stand on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grounds {
    /// The running day.
    pub as_of: Day,
    /// The run whose quotas these follow, where one of the same period was published.
    pub run_id: Option<String>,
    /// The offset of the next event of each partition.
    pub positions: BTreeMap<String, i64>,
    /// When the state was loaded.
    pub loaded_at: Micros,
    /// Since when it lacks something that the lake or the topic has.
    pub outdated_since: Option<Micros>,
    /// Since when no broker answers.
    pub unreachable_since: Option<Micros>,
    /// When this was said.
    pub told_at: Micros,
}

/// Of which quotas news tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Of those that come with it; others may follow.
    These,
    /// Of all: those that don't come with it haven't changed.
    All,
    /// Of all: there are no others.
    Anew,
}

/// Quotas as they are now. Told from when all events that were on the topic at first have been followed, at each change
/// and about once a second.
#[derive(Debug, Clone)]
pub struct LiveNews {
    /// What they stand on.
    pub grounds: Arc<Grounds>,
    /// The quotas.
    pub quotas: Vec<LiveQuota>,
    /// Of which others it tells.
    pub reach: Reach,
}

/// What is called with news. It must not wait.
pub type OnLiveNews = Arc<dyn Fn(LiveNews) + Send + Sync>;
