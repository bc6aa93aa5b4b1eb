//! The quotas of the running day, handed over by whoever follows the topic in this process.
//!
//! ```text
//! live core ── news ──► page of the reps there are ── a slot a rep: quota, and the news it came with
//!                         └ the news that all reps stand on
//! ```
//!
//! A rep's quota stands on the news that it came with, or on later ones that told of all. What requests wait for is the
//! exchange of a pointer: nothing is computed, and nothing is written as text, while a lock is held.

pub(super) mod answer;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use engine::kafka::{Grounds, LiveNews, Reach};
use engine::live::LiveQuota;
use engine::time::{Day, Micros};

/// What is known of the running day; nothing before a topic is followed, and after that has failed.
#[derive(Debug, Clone, Default)]
pub(crate) struct LiveBoard(Arc<RwLock<Option<Arc<Page>>>>);

/// News by their number.
type Told = (u64, Arc<Grounds>);

/// The reps that there are.
#[derive(Debug)]
pub(super) struct Page {
    reps: BTreeMap<String, Mutex<Slot>>,
    /// What all of them stand on, if not on later news.
    all: Mutex<Told>,
    /// News so far.
    news: AtomicU64,
    as_of: Day,
}

#[derive(Debug, Clone)]
struct Slot {
    quota: Arc<LiveQuota>,
    told: Told,
}

/// A quota, and what it stands on.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    pub(super) quota: Arc<LiveQuota>,
    pub(super) grounds: Arc<Grounds>,
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl LiveBoard {
    /// Takes news.
    pub(crate) fn take(&self, news: LiveNews) {
        let LiveNews { grounds, quotas, reach } = news;
        let page = self.known();
        let number = page.as_ref().map_or(0, |page| page.news.fetch_add(1, Ordering::Relaxed) + 1);
        let told = (number, grounds);
        let slot = |quota: LiveQuota| Slot { quota: Arc::new(quota), told: told.clone() };
        match (page, reach) {
            (Some(page), Reach::These | Reach::All) => {
                for quota in quotas {
                    if let Some(own) = page.reps.get(&quota.rep_id) {
                        *locked(own) = slot(quota);
                    }
                }
                // After the quotas that it is true of.
                if reach == Reach::All {
                    *locked(&page.all) = told;
                }
            }
            (_, Reach::Anew) => {
                let reps =
                    quotas.into_iter().map(|quota| (quota.rep_id.clone(), Mutex::new(slot(quota)))).collect();
                let news = AtomicU64::new(number);
                let fresh = Page { reps, as_of: told.1.as_of, all: Mutex::new(told), news };
                *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(fresh));
            }
            // Some of them say nothing of the others.
            (None, _) => {}
        }
    }

    /// Forgets the running day: it is followed no longer.
    pub(crate) fn clear(&self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn known(&self) -> Option<Arc<Page>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The running day; none where none is followed, or a later day than the one followed is `published`.
    pub(super) fn page(&self, published: Day) -> Option<Arc<Page>> {
        self.known().filter(|page| page.as_of >= published)
    }

    /// What all quotas stand on, if not on later news; none where no day is followed.
    pub(super) fn grounds(&self) -> Option<Arc<Grounds>> {
        self.known().map(|page| page.grounds())
    }
}

impl Page {
    /// A rep's quota.
    pub(super) fn quota(&self, rep: &str) -> Option<Standing> {
        // First what all stand on: a quota that comes later brings its own.
        let all = locked(&self.all).clone();
        let slot = locked(self.reps.get(rep)?).clone();
        let (_, grounds) = if slot.told.0 > all.0 { slot.told } else { all };
        Some(Standing { quota: slot.quota, grounds })
    }

    /// The quotas of reps after one, by ascending id.
    pub(super) fn after<'a>(&'a self, rep: Option<&str>) -> impl Iterator<Item = Arc<LiveQuota>> + 'a {
        let from = rep.map_or(Bound::Unbounded, Bound::Excluded);
        let slots = self.reps.range::<str, _>((from, Bound::Unbounded));
        slots.map(|(_, slot)| Arc::clone(&locked(slot).quota))
    }

    /// What all quotas stand on, if not on later news.
    pub(super) fn grounds(&self) -> Arc<Grounds> {
        Arc::clone(&locked(&self.all).1)
    }
}

/// Since when something may be missing: something that the lake or the topic has, or news at all.
pub(super) fn complete_until(grounds: &Grounds) -> Micros {
    let gaps = [grounds.outdated_since, grounds.unreachable_since];
    gaps.into_iter().flatten().fold(grounds.told_at, Micros::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(rep: &str, amount: i64) -> LiveQuota {
        LiveQuota {
            rep_id: rep.to_owned(),
            region_id: None,
            period: "2026-02".to_owned(),
            attained: 0,
            expected: 0,
            low: 0,
            high: 0,
            proposal: 0,
            quota: amount,
            previous_quota: None,
            p_attain: 0.5,
            bound: "none",
        }
    }

    fn news(offset: i64, quotas: &[(&str, i64)], reach: Reach) -> LiveNews {
        let grounds = Grounds {
            as_of: 10,
            run_id: None,
            positions: BTreeMap::from([("kafka:t/0".to_owned(), offset)]),
            loaded_at: 5,
            outdated_since: None,
            unreachable_since: None,
            told_at: offset,
        };
        let quotas = quotas.iter().map(|(rep, amount)| quota(rep, *amount)).collect();
        LiveNews { grounds: Arc::new(grounds), quotas, reach }
    }

    fn seen(board: &LiveBoard, rep: &str) -> Option<(i64, i64)> {
        let found = board.page(10)?.quota(rep)?;
        Some((found.quota.quota, found.grounds.told_at))
    }

    #[test]
    fn a_quota_stands_on_the_news_that_it_came_with_or_later_ones_of_all() {
        let board = LiveBoard::default();
        board.take(news(1, &[("a", 1)], Reach::These));
        assert_eq!(seen(&board, "a"), None, "nothing is known of the others");
        board.take(news(2, &[("a", 1), ("b", 2)], Reach::Anew));
        board.take(news(3, &[("a", 10)], Reach::These));
        assert_eq!((seen(&board, "a"), seen(&board, "b")), (Some((10, 3)), Some((2, 2))));
        board.take(news(4, &[("b", 20)], Reach::These));
        assert_eq!((seen(&board, "a"), seen(&board, "b")), (Some((10, 3)), Some((20, 4))));
        board.take(news(5, &[], Reach::All));
        assert_eq!((seen(&board, "a"), seen(&board, "b")), (Some((10, 5)), Some((20, 5))));
        // Whoever is there no more, and whoever is followed no more.
        board.take(news(6, &[("b", 30)], Reach::Anew));
        assert_eq!((seen(&board, "a"), seen(&board, "b")), (None, Some((30, 6))));
        assert!(board.page(11).is_none(), "a later day is published");
        board.clear();
        assert_eq!(seen(&board, "b"), None);
    }

    #[test]
    fn pages_go_on_after_a_rep() {
        let board = LiveBoard::default();
        board.take(news(1, &[("c", 3), ("a", 1), ("b", 2)], Reach::Anew));
        let page = board.page(0).unwrap();
        let reps = |after| page.after(after).map(|quota| quota.rep_id.clone()).collect::<Vec<_>>();
        assert_eq!(
            (reps(None), reps(Some("a"))),
            (vec!["a".into(), "b".into(), "c".into()], vec!["b".into(), "c".into()])
        );
        assert!(reps(Some("c")).is_empty());
    }
}
