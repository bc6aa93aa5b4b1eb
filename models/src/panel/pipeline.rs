//! The open pipeline: what it will bring, and how much of what is usually still to come it stands for.
//!
//! Wins of a rep's open opportunities are summed by moments: amounts times chances, and their variances with what deals of
//! one rep have in common; the shock that all of a region feel is the panel's (`standing`). What else will be sold is the
//! panel's expectation without the part that opportunities open by now usually bring. That part is looked up in the past:
//! of what was signed in as many days as are left now, the share that came from opportunities open when they began.

use super::input::Panel;
use super::learnt::PeriodDay;
use super::standing::{Pipeline, Wins};

/// Correlation between the wins of two deals of one rep.
const SAME_REP: f64 = 0.05;
/// Days between two looks into the past.
const STEP_DAYS: i32 = 7;
/// The pipeline never stands for more than this of what is to come.
const SHARE_MAX: f64 = 0.95;

/// An open opportunity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OpenDeal {
    /// Number of its owner.
    pub rep: usize,
    /// Its amount.
    pub amount: f64,
    /// The chance of a win by the period's end.
    pub p_win: f64,
}

/// An opportunity that was won; its amount is among the sales of the day on which it was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WonDeal {
    /// The day on which it was opened.
    pub opened: i32,
    /// The day on which it was won.
    pub won: i32,
    /// Its amount.
    pub amount: f64,
}

impl Pipeline {
    /// Of `n_reps` reps as of a day; `won` holds all that were won from the day `known_from` on.
    pub fn of(
        panel: &Panel,
        day: PeriodDay,
        n_reps: usize,
        open: &[OpenDeal],
        (won, known_from): (&[WonDeal], i32),
    ) -> Self {
        // Sums of variances and of standard deviations.
        let mut sums = vec![(0.0, 0.0, 0.0); n_reps];
        for deal in open {
            let Some(sum) = sums.get_mut(deal.rep) else { continue };
            let p = deal.p_win.clamp(0.0, 1.0);
            let variance = deal.amount * deal.amount * p * (1.0 - p);
            *sum = (sum.0 + deal.amount * p, sum.1 + variance, sum.2 + variance.sqrt());
        }
        let wins = |&(mean, variance, deviations): &(f64, f64, f64)| Wins {
            mean,
            variance: (1.0 - SAME_REP) * variance + SAME_REP * deviations * deviations,
        };
        Self { share: share(panel, day, won, known_from), wins: sums.iter().map(wins).collect() }
    }
}

/// Of what was signed in as many days as are left, the share that came from opportunities open when these days began.
fn share(panel: &Panel, day: PeriodDay, won: &[WonDeal], known_from: i32) -> f64 {
    let left = day.end - 1 - day.as_of;
    let (mut from_open, mut all) = (0.0, 0.0);
    let mut look = day.as_of - left;
    while left > 0 && look >= known_from - 1 {
        let days = look + 1..look + left + 1;
        let of_open = won.iter().filter(|deal| deal.opened <= look && days.contains(&deal.won));
        from_open += of_open.map(|deal| deal.amount).sum::<f64>();
        all += panel.total(days);
        look -= STEP_DAYS;
    }
    if all > 0.0 { (from_open / all).clamp(0.0, SHARE_MAX) } else { 0.0 }
}
