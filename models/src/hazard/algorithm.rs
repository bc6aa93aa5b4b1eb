//! Fitting: stays become days, days become two logistic regressions.

use ndarray::Array2;
use rayon::prelude::*;

use super::{End, Hazards, Line, PARTS, Stay, log_age};
use crate::tabular::linear::{Weights, path};
use crate::tabular::{TabularError, log_loss, real};

/// The path of penalties, strongest first.
const PENALTIES: [f64; 3] = [30.0, 3.0, 0.3];
/// Days of a regression, about: of those on which nothing happened every m-th stands for m, and the intercept says so.
const DAYS_MAX: usize = 40_000;
/// The same of each part: its fits say how far chances depend on what was seen, and need not be as fine.
const PART_DAYS_MAX: usize = 8_000;
/// Stays that go on a step, in each stage's shares, beside those seen.
const PRIOR_MOVES: f64 = 1.0;
/// The part of the stays, in their order, that is fitted on while the penalty is chosen by the rest.
const FITTED: f64 = 0.75;

/// Days of some stays, and on which of them something happened.
struct Days {
    x: Array2<f64>,
    happened: Vec<bool>,
    /// Days for which each one on which nothing happened stands.
    every: usize,
}

impl Days {
    /// Refuses days on which hardly anything happened, or hardly nothing.
    fn both(&self) -> Result<(), TabularError> {
        let positives = self.happened.iter().filter(|&&happened| happened).count();
        if positives < 2 || self.happened.len() < positives + 2 {
            return Err(TabularError::OneClass { positives, rows: self.happened.len() });
        }
        Ok(())
    }
}

/// Fits hazards on stays in `stages` stages, in the order in which they began.
///
/// # Errors
/// [`TabularError::OneClass`] where fewer than two stays went on, or were lost, or nothing else happened;
/// [`TabularError::Solver`].
pub fn fit(stays: &[Stay], stages: usize) -> Result<Hazards, TabularError> {
    let (onward, first) = line(stays, stages, goes_on)?;
    let (lost, second) = line(stays, stages, is_lost)?;
    Ok(Hazards { onward, lost, goes_to: goes_to(stays, stages), penalties: [first, second] })
}

/// The same fitted again without a part of the stays each, every [`PARTS`]-th of them, with the penalties that were chosen:
/// how far these differ says how sure the hazards are.
///
/// # Errors
/// As [`fit`].
pub fn parts(stays: &[Stay], hazards: &Hazards) -> Result<Vec<Hazards>, TabularError> {
    let stages = hazards.stages();
    let place = |penalty: f64| PENALTIES.iter().position(|&known| known <= penalty).unwrap_or(1);
    let [first, second] = hazards.penalties.map(place);
    let without = |part: usize| -> Vec<Stay> {
        stays.iter().enumerate().filter(|(row, _)| row % PARTS != part).map(|(_, stay)| *stay).collect()
    };
    let fitted = (0..PARTS).into_par_iter().map(|part| {
        let kept = without(part);
        let onward = solve(&days(&kept, stages, PART_DAYS_MAX, goes_on), stages, PENALTIES[first])?;
        let lost = solve(&days(&kept, stages, PART_DAYS_MAX, is_lost), stages, PENALTIES[second])?;
        Ok(Hazards { onward, lost, goes_to: goes_to(&kept, stages), penalties: hazards.penalties })
    });
    fitted.collect()
}

fn goes_on(end: End) -> bool {
    matches!(end, End::Moved(_) | End::Won)
}

fn is_lost(end: End) -> bool {
    end == End::Lost
}

fn line(stays: &[Stay], stages: usize, is: impl Fn(End) -> bool + Copy) -> Result<(Line, f64), TabularError> {
    let all = days(stays, stages, DAYS_MAX, is);
    all.both()?;
    let (early, late) = stays.split_at(share(stays.len(), FITTED));
    let (early, late) = (days(early, stages, DAYS_MAX, is), days(late, stages, DAYS_MAX, is));
    let both = |days: &Days| days.happened.contains(&true) && days.happened.contains(&false);
    let chosen = if both(&early) && both(&late) {
        let fitted = path(&early.x, &early.happened, &PENALTIES)?;
        let shift = real(early.every).ln() - real(late.every).ln();
        let loss = |at: usize| -> f64 {
            let margins = fitted[at].margins(&late.x);
            let days = late.happened.iter().zip(margins);
            // Of the late days, too, one on which nothing happened stands for several.
            days.map(|(&happened, margin)| log_loss(happened, margin - shift)).sum()
        };
        (0..PENALTIES.len()).min_by(|&a, &b| loss(a).total_cmp(&loss(b))).unwrap_or(1)
    } else {
        1
    };
    let fitted = path(&all.x, &all.happened, &PENALTIES[..=chosen])?;
    Ok((in_log_odds(&all, fitted, stages)?, PENALTIES[chosen]))
}

/// The hazard under one penalty.
fn solve(all: &Days, stages: usize, penalty: f64) -> Result<Line, TabularError> {
    all.both()?;
    in_log_odds(all, path(&all.x, &all.happened, &[penalty])?, stages)
}

/// The hazard that the last of some weights say.
fn in_log_odds(all: &Days, mut fitted: Vec<Weights>, stages: usize) -> Result<Line, TabularError> {
    let Some(weights) = fitted.pop() else {
        return Err(TabularError::Solver { reason: "no penalty".to_owned() });
    };
    let (level, slope) = weights.slopes.split_at(stages);
    Ok(Line {
        intercept: weights.intercept - real(all.every).ln(),
        level: level.to_vec(),
        slope: slope.to_vec(),
    })
}

/// A row per stay and day, `(n_days, 2 · stages)`: the stage, and the stage times ln(1 + age).
fn days(stays: &[Stay], stages: usize, most: usize, is: impl Fn(End) -> bool) -> Days {
    let total: usize = stays.iter().map(|stay| stay.days).sum();
    let every = total.div_ceil(most).max(1);
    let mut rows: Vec<(usize, usize, bool)> = Vec::new();
    let mut quiet = 0_usize;
    for stay in stays.iter().filter(|stay| stay.stage < stages) {
        for age in 0..stay.days {
            let happened = age + 1 == stay.days && is(stay.end);
            quiet += usize::from(!happened);
            if happened || quiet.is_multiple_of(every) {
                rows.push((stay.stage, age, happened));
            }
        }
    }
    let mut x = Array2::zeros((rows.len(), 2 * stages));
    for (row, &(stage, age, _)) in rows.iter().enumerate() {
        x[(row, stage)] = 1.0;
        x[(row, stages + stage)] = log_age(age);
    }
    Days { x, happened: rows.into_iter().map(|(.., happened)| happened).collect(), every }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a number of stays")]
fn share(of: usize, part: f64) -> usize {
    (real(of) * part) as usize
}

/// Where those that go on from a stage go: to each stage, and at last to the win.
fn goes_to(stays: &[Stay], stages: usize) -> Vec<Vec<f64>> {
    let mut counts = vec![vec![0.0; stages + 1]; stages];
    for (stage, counts) in counts.iter_mut().enumerate() {
        // Without anything seen, the next stage; after the last, the win.
        counts[stage + 1] += PRIOR_MOVES;
    }
    for stay in stays.iter().filter(|stay| stay.stage < stages) {
        match stay.end {
            End::Moved(to) if to < stages => counts[stay.stage][to] += 1.0,
            End::Won => counts[stay.stage][stages] += 1.0,
            _ => {}
        }
    }
    for row in &mut counts {
        let sum: f64 = row.iter().sum();
        for count in row {
            *count /= sum;
        }
    }
    counts
}
