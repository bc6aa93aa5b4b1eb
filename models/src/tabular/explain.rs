//! Why a row's probability is what it is: terms in log-odds, by column, that add up.

use ndarray::Array2;
use rayon::prelude::*;

use super::boost::{Booster, Tree};
use super::error::TabularError;
use super::frame::Frame;
use super::model::{BLOCK_ROWS, Model, Reader};

/// Rows that importance is taken from at most.
const IMPORTANCE_ROWS: usize = 4_000;

/// The log-odds of each row as a sum: `intercept + Σ contributions[row] + calibration[row] = log_odds[row]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The log-odds of an average training row.
    pub intercept: f64,
    /// `(n_rows, n_columns)`, columns as in [`Model::columns`].
    pub contributions: Array2<f64>,
    /// What calibration adds to the score, by row; 0 where Platt scaling is in use and nothing is clipped.
    pub calibration: Vec<f64>,
    /// ln(p / (1 − p)) of the probability stated, by row.
    pub log_odds: Vec<f64>,
}

impl Model {
    /// Splits the log-odds of each row exactly into terms by column.
    ///
    /// A line's term belongs to its column. A tree's value is split along its questions: each moves the mean value of
    /// the training rows that answer alike, and the step belongs to the column asked (Saabas 2014).
    ///
    /// # Errors
    /// As [`Model::score`].
    pub fn explain(&self, frame: &Frame) -> Result<Explanation, TabularError> {
        let readers = self.readers(frame)?;
        let paths: Vec<Vec<Path>> =
            self.boosters.iter().map(|booster| booster.trees.iter().map(Path::new).collect()).collect();
        let start = |(booster, paths): (&Booster, &Vec<Path>)| {
            booster.start + paths.iter().map(|path| path.means[0][0]).sum::<f64>()
        };
        let trees: f64 = self.boosters.iter().zip(&paths).map(start).sum();
        let intercept = self.intercept + self.boost_weight * trees;
        let width = self.columns.len();
        let mut contributions = vec![0.0; frame.rows() * width];
        contributions.par_chunks_mut(BLOCK_ROWS * width.max(1)).enumerate().for_each(|(block, into)| {
            self.explain_block(&readers, &paths, block * BLOCK_ROWS, into);
        });
        let shape = (frame.rows(), width);
        let contributions =
            Array2::from_shape_vec(shape, contributions).unwrap_or_else(|_| Array2::zeros(shape));
        let scores: Vec<f64> = contributions.rows().into_iter().map(|row| intercept + row.sum()).collect();
        let log_odds: Vec<f64> = scores.iter().map(|&score| self.calibration.log_odds(score)).collect();
        let calibration = log_odds.iter().zip(&scores).map(|(stated, score)| stated - score).collect();
        Ok(Explanation { intercept, contributions, calibration, log_odds })
    }

    /// The columns by how much they move the rows of a table: the mean size of their terms in log-odds, the strongest
    /// first. Of a long table evenly spaced rows are taken.
    ///
    /// # Errors
    /// As [`Model::score`].
    pub fn importance(&self, frame: &Frame) -> Result<Vec<(String, f64)>, TabularError> {
        let step = frame.rows().div_ceil(IMPORTANCE_ROWS).max(1);
        let rows: Vec<usize> = (0..frame.rows()).step_by(step).collect();
        let contributions = self.explain(&frame.take(&rows))?.contributions;
        let mean = |terms: ndarray::ArrayView1<'_, f64>| {
            terms.iter().map(|term| term.abs()).sum::<f64>() / super::real(rows.len()).max(1.0)
        };
        let mut columns: Vec<(String, f64)> = self
            .columns
            .iter()
            .zip(contributions.columns())
            .map(|(schema, terms)| (schema.name.clone(), mean(terms)))
            .collect();
        columns.sort_by(|a, b| b.1.total_cmp(&a.1));
        Ok(columns)
    }

    fn explain_block(&self, readers: &[Reader<'_>], paths: &[Vec<Path>], from: usize, into: &mut [f64]) {
        let width = self.columns.len();
        let rows = into.len() / width;
        let mut codes = vec![vec![0; rows]; readers.len()];
        for reader in readers {
            let mut terms = vec![0.0; rows];
            reader.lines(from, &mut terms);
            for (row, term) in into.chunks_exact_mut(width).zip(terms) {
                row[reader.column()] += term;
            }
        }
        for (position, (booster, paths)) in self.boosters.iter().zip(paths).enumerate() {
            for (reader, codes) in readers.iter().zip(&mut codes) {
                reader.codes(from, position, codes);
            }
            for (tree, path) in booster.trees.iter().zip(paths) {
                for (row, into) in into.chunks_exact_mut(width).enumerate() {
                    let mut place = 0;
                    for (level, split) in tree.splits.iter().enumerate() {
                        let feature = split.feature as usize;
                        let before = path.means[level][place];
                        place |= usize::from(codes[feature][row] > split.bin) << level;
                        let step = path.means[level + 1][place] - before;
                        into[readers[feature].column()] += self.boost_weight * step;
                    }
                }
            }
        }
    }
}

/// The mean value of a tree's training rows after each number of answers.
struct Path {
    /// `means[k]` has 2^k values.
    means: Vec<Vec<f64>>,
}

impl Path {
    fn new(tree: &Tree) -> Self {
        let mut means = vec![tree.values.clone()];
        // A sliver keeps nodes without rows defined.
        let mut cover: Vec<f64> = tree.cover.iter().map(|cover| cover + 1e-3).collect();
        let mut values = tree.values.clone();
        for level in (0..tree.splits.len()).rev() {
            let half = 1 << level;
            values = (0..half)
                .map(|place| {
                    let (left, right) = (place, place + half);
                    (values[left] * cover[left] + values[right] * cover[right]) / (cover[left] + cover[right])
                })
                .collect();
            cover = (0..half).map(|place| cover[place] + cover[place + half]).collect();
            means.push(values.clone());
        }
        means.reverse();
        Self { means }
    }
}
