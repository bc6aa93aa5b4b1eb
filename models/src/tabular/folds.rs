//! Which rows train and which judge, within the training rows.

use super::permutation::Draws;

/// How rows are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Rows have no order: every row is judged by models of the other folds.
    Random,
    /// Rows are in the order of time: a model judges only rows after its own.
    Time,
}

/// A part of the rows to fit on and a part to judge by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fold {
    pub(super) train: Vec<usize>,
    pub(super) judge: Vec<usize>,
    /// How many times each judged row counts.
    pub(super) weight: usize,
}

/// Folds at random.
const FOLDS: usize = 4;
/// Where the training part of a fold in time ends and its judged part ends, in fifths; a later fold counts double, since
/// the rows to come are more like it.
const STEPS: [(usize, usize, usize); 3] = [(2, 3, 1), (3, 4, 2), (4, 5, 4)];

/// The folds of `labels`; empty where one class has too few rows to judge by.
pub(super) fn folds(labels: &[bool], order: Order, seed: u64) -> Vec<Fold> {
    let folds = match order {
        Order::Random => at_random(labels, seed),
        Order::Time => {
            let in_time = in_time(labels);
            if in_time.is_empty() { at_random(labels, seed) } else { in_time }
        }
    };
    let has_both = |rows: &[usize]| rows.iter().filter(|&&row| labels[row]).count();
    folds
        .into_iter()
        .filter(|fold| {
            let (trained, judged) = (has_both(&fold.train), has_both(&fold.judge));
            trained >= 2 && fold.train.len() >= trained + 2 && judged >= 1 && fold.judge.len() > judged
        })
        .collect()
}

/// Each class dealt in turn to the folds, in an order drawn from the seed.
fn at_random(labels: &[bool], seed: u64) -> Vec<Fold> {
    let mut draws = Draws::new(seed ^ 0xf01d);
    let mut fold_of = vec![0; labels.len()];
    for class in [false, true] {
        let mut rows: Vec<usize> = (0..labels.len()).filter(|&row| labels[row] == class).collect();
        draws.shuffle(&mut rows);
        for (position, row) in rows.into_iter().enumerate() {
            fold_of[row] = position % FOLDS;
        }
    }
    let rows = |keep: &dyn Fn(usize) -> bool| (0..labels.len()).filter(|&row| keep(fold_of[row])).collect();
    (0..FOLDS)
        .map(|fold| Fold { train: rows(&|of| of != fold), judge: rows(&|of| of == fold), weight: 1 })
        .collect()
}

fn in_time(labels: &[bool]) -> Vec<Fold> {
    let n = labels.len();
    let cut = |fifths: usize| n * fifths / 5;
    STEPS
        .iter()
        .map(|&(until, end, weight)| Fold {
            train: (0..cut(until)).collect(),
            judge: (cut(until)..cut(end)).collect(),
            weight,
        })
        .filter(|fold| {
            let positives = fold.judge.iter().filter(|&&row| labels[row]).count();
            positives >= 5 && fold.judge.len() >= positives + 5
        })
        .collect()
}
