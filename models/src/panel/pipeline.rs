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

/// What was sold in earlier spans of as many days as are left now.
#[derive(Debug, Clone, PartialEq)]
pub struct PastLooks {
    /// Days left.
    left: i32,
    /// The days at whose end each look is taken, and what all reps sold in the days after it.
    looks: Vec<(i32, f64)>,
}

impl PastLooks {
    /// Looks from the day on; all wins are known from the day `known_from` on.
    pub fn of(panel: &Panel, day: PeriodDay, known_from: i32) -> Self {
        let left = day.end - 1 - day.as_of;
        let mut looks = Vec::new();
        let mut look = day.as_of - left;
        while left > 0 && look >= known_from - 1 {
            looks.push((look, panel.total(look + 1..look + left + 1)));
            look -= STEP_DAYS;
        }
        Self { left, looks }
    }

    /// Of what was signed in as many days as are left, the share that came from opportunities open when these days began.
    pub fn share(&self, won: &[WonDeal]) -> f64 {
        let (mut from_open, mut all) = (0.0, 0.0);
        for &(look, total) in &self.looks {
            let days = look + 1..look + self.left + 1;
            let of_open = won.iter().filter(|deal| deal.opened <= look && days.contains(&deal.won));
            from_open += of_open.map(|deal| deal.amount).sum::<f64>();
            all += total;
        }
        if all > 0.0 { (from_open / all).clamp(0.0, SHARE_MAX) } else { 0.0 }
    }
}

impl Wins {
    /// What open opportunities of one rep will bring, amounts and chances, in their order.
    pub fn of(deals: impl IntoIterator<Item = (f64, f64)>) -> Self {
        // Of standard deviations, too: what deals of one rep have in common.
        let (mut mean, mut variances, mut deviations) = (0.0, 0.0, 0.0);
        for (amount, p_win) in deals {
            let p = p_win.clamp(0.0, 1.0);
            let variance = amount * amount * p * (1.0 - p);
            mean += amount * p;
            variances += variance;
            deviations += variance.sqrt();
        }
        Self { mean, variance: (1.0 - SAME_REP) * variances + SAME_REP * deviations * deviations }
    }
}

impl Pipeline {
    /// Of `n_reps` reps: what was won since the looks know all wins, and what is open, each rep's in its order.
    pub fn of(looks: &PastLooks, n_reps: usize, open: &[OpenDeal], won: &[WonDeal]) -> Self {
        let mut deals: Vec<Vec<(f64, f64)>> = vec![Vec::new(); n_reps];
        for deal in open {
            if let Some(own) = deals.get_mut(deal.rep) {
                own.push((deal.amount, deal.p_win));
            }
        }
        Self { share: looks.share(won), wins: deals.into_iter().map(Wins::of).collect() }
    }
}
