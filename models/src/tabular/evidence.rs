//! Evidence encoding: a category's level as the log-odds of its training rows, drawn toward the average.
//!
//! `ln((k + a·p) / (n − k + a·(1 − p)))` for a level with k positives of n rows, where p is the share of all rows and a
//! the credibility constant by moments (Bühlmann, Straub 1970): where levels hardly differ, a is large and says so.

use super::feature::{Category, bin, edges};
use super::real;

/// Rows under which a level's own rows would show through its evidence: they get the evidence of the other folds.
const SMALL: usize = 30;
const FOLDS: usize = 5;

/// A category encoded by the labels of some rows.
#[derive(Debug, Clone)]
pub(super) struct Evidence {
    /// Log-odds of each level, missing last; the average where a level was not seen.
    pub(super) levels: Vec<f64>,
    /// The average, for levels not known.
    pub(super) base: f64,
    /// For each row; out of fold for training rows of small levels.
    pub(super) rows: Vec<f64>,
    pub(super) mean: f64,
    pub(super) sd: f64,
    /// Edges of the bins for trees.
    edges: Vec<f64>,
    pub(super) codes: Vec<u8>,
}

impl Evidence {
    /// The encoding standardised for a line.
    pub(super) fn scaled(&self, evidence: f64) -> f64 {
        (evidence - self.mean) / self.sd
    }

    /// The bin of an evidence.
    pub(super) fn code(&self, evidence: f64) -> u8 {
        bin(&self.edges, evidence)
    }

    /// The bins of all levels, missing last.
    pub(super) fn level_codes(&self) -> Vec<u8> {
        self.levels.iter().map(|&level| self.code(level)).collect()
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    n: f64,
    positive: f64,
}

/// Encodes `category` by the labels of the rows in `train`.
pub(super) fn encode(category: &Category<'_>, labels: &[bool], train: &[usize]) -> Evidence {
    let count = category.levels.len() + 1;
    let mut all = vec![Tally::default(); count];
    let mut folds = vec![vec![Tally::default(); count]; FOLDS];
    for (position, &row) in train.iter().enumerate() {
        let level = category.level(row);
        for tally in [&mut all[level], &mut folds[position % FOLDS][level]] {
            tally.n += 1.0;
            tally.positive += f64::from(u8::from(labels[row]));
        }
    }
    let total = all.iter().fold(Tally::default(), |sum, tally| Tally {
        n: sum.n + tally.n,
        positive: sum.positive + tally.positive,
    });
    let share = (total.positive + 0.5) / (total.n + 1.0);
    let pull = credibility(&all, total.n, share);
    let log_odds = |tally: Tally| {
        ((tally.positive + pull * share) / (tally.n - tally.positive + pull * (1.0 - share))).ln()
    };
    let levels: Vec<f64> = all.iter().map(|&tally| log_odds(tally)).collect();
    let mut rows: Vec<f64> = (0..category.codes.len()).map(|row| levels[category.level(row)]).collect();
    for (position, &row) in train.iter().enumerate() {
        let level = category.level(row);
        if all[level].n < real(SMALL) {
            let own = folds[position % FOLDS][level];
            rows[row] =
                log_odds(Tally { n: all[level].n - own.n, positive: all[level].positive - own.positive });
        }
    }
    let n = real(train.len());
    let mean = train.iter().map(|&row| rows[row]).sum::<f64>() / n;
    let variance = train.iter().map(|&row| (rows[row] - mean).powi(2)).sum::<f64>() / n;
    let mut sorted: Vec<f64> = train.iter().map(|&row| rows[row]).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let edges = edges(&sorted);
    let codes = rows.iter().map(|&value| bin(&edges, value)).collect();
    Evidence {
        levels,
        base: (share / (1.0 - share)).ln(),
        rows,
        mean,
        sd: variance.sqrt().max(0.1),
        edges,
        codes,
    }
}

/// How many average rows every level is given: p(1 − p) over the variance between levels, less one.
fn credibility(levels: &[Tally], n: f64, share: f64) -> f64 {
    let seen: Vec<&Tally> = levels.iter().filter(|tally| tally.n > 0.0).collect();
    let within = share * (1.0 - share);
    let between: f64 = seen.iter().map(|tally| tally.n * (tally.positive / tally.n - share).powi(2)).sum();
    let squares: f64 = seen.iter().map(|tally| tally.n * tally.n).sum();
    let spread = n - squares / n;
    if spread <= 0.0 {
        return 1e6;
    }
    let variance = (between - (real(seen.len()) - 1.0) * within) / spread;
    (within / variance.max(1e-9) - 1.0).clamp(2.0, 1e6)
}
