//! Boosted trees that ask the same question at every node of a level: the nonlinear half of the representation.
//!
//! Each round adds a tree of `depth` questions "is the code of this feature over that bin?", chosen to lower the log
//! loss most, with Newton values in its 2^depth leaves (Prokhorenkova et al. 2018 for the shape, Friedman 2001 for the
//! method). Codes are one byte each, so a tree costs a pass over bytes, in fitting and in scoring.
//! linfa-trees is not used for it: its classification trees visit every row for every node and feature through a hash
//! map, and prune by the majority class, which leaves nothing where few rows are positive.

mod sample;

use serde::{Deserialize, Serialize};

use super::permutation::Draws;
use super::real;
use sample::Sample;

/// Bins of a feature at most; bin 0 is for missing values.
pub(super) const BINS: usize = 64;

/// How trees are grown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    /// Questions of a tree.
    pub(super) depth: usize,
    /// Share of a Newton step that a tree takes.
    pub(super) rate: f64,
    /// Added to the curvature of each leaf.
    pub(super) ridge: f32,
    /// Rows drawn for a tree, in 256ths.
    pub(super) rows: u64,
    /// Share of features drawn for a tree.
    pub(super) features: f64,
    /// Trees at most.
    pub(super) rounds: usize,
    /// Rounds between two looks at the rows left out.
    pub(super) step: usize,
    /// Looks without a lower loss after which growing stops.
    pub(super) patience: usize,
}

/// A question and its successors, the same for all nodes of a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Split {
    /// The feature.
    pub(super) feature: u32,
    /// Codes over this one go right.
    pub(super) bin: u8,
}

/// Trees whose leaf values add up to a margin in log-odds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Booster {
    pub(super) start: f64,
    pub(super) trees: Vec<Tree>,
}

/// One tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Tree {
    pub(super) splits: Vec<Split>,
    /// `2^splits` values in log-odds; the answer to question k is bit k of the position.
    pub(super) values: Vec<f64>,
    /// Training rows (as weights) in each leaf.
    pub(super) cover: Vec<f64>,
}

impl Tree {
    /// Adds the values of rows `codes[feature][row]` to `margins`; `leaf` is scratch of the same length.
    fn add(&self, codes: &[Vec<u8>], leaf: &mut [u8], margins: &mut [f64]) {
        reach(&self.splits, codes, leaf);
        for (margin, &leaf) in margins.iter_mut().zip(&*leaf) {
            *margin += self.values[usize::from(leaf)];
        }
    }
}

impl Booster {
    /// The first `count` trees.
    pub(super) fn first(&self, count: usize) -> Self {
        Self { start: self.start, trees: self.trees.iter().take(count).cloned().collect() }
    }

    /// Margins of rows `codes[feature][row]`.
    pub(super) fn margins(&self, codes: &[Vec<u8>], rows: usize) -> Vec<f64> {
        let mut margins = vec![self.start; rows];
        let mut leaf = vec![0; rows];
        for tree in &self.trees {
            tree.add(codes, &mut leaf, &mut margins);
        }
        margins
    }
}

/// The leaf of each row: the answer to question k as bit k.
fn reach(splits: &[Split], codes: &[Vec<u8>], leaf: &mut [u8]) {
    leaf.fill(0);
    for (level, split) in splits.iter().enumerate() {
        for (leaf, &code) in leaf.iter_mut().zip(&codes[split.feature as usize]) {
            *leaf |= u8::from(code > split.bin) << level;
        }
    }
}

/// Two trees as one of twice the depth, or one alone: half the look-ups, in a table that any byte is a place of.
pub(super) struct Pair {
    splits: Vec<Split>,
    values: [f64; 256],
}

impl Pair {
    /// The trees of a booster by twos, each value times `weight`. Their depth is at most 4.
    pub(super) fn all(booster: &Booster, weight: f64) -> Vec<Self> {
        let value = |tree: &Tree, place: usize| tree.values[place & (tree.values.len() - 1)];
        let pair = |trees: &[Tree]| {
            let splits = trees.iter().flat_map(|tree| &tree.splits).copied().collect();
            let mut values = [0.0; 256];
            for (place, sum) in values.iter_mut().enumerate() {
                let mut rest = place;
                for tree in trees {
                    *sum += weight * value(tree, rest);
                    rest >>= tree.splits.len();
                }
            }
            Self { splits, values }
        };
        booster.trees.chunks(2).map(pair).collect()
    }

    /// Adds the values of rows `codes[feature][row]` to `margins`; `leaf` is scratch of the same length.
    pub(super) fn add(&self, codes: &[Vec<u8>], leaf: &mut [u8], margins: &mut [f64]) {
        reach(&self.splits, codes, leaf);
        for (margin, &leaf) in margins.iter_mut().zip(&*leaf) {
            *margin += self.values[usize::from(leaf)];
        }
    }
}

/// Grown trees, and what rows left out said of them.
#[derive(Debug, Clone)]
pub(super) struct Grown {
    pub(super) booster: Booster,
    /// Log loss of the rows left out after 0, `step`, 2 `step` … trees.
    pub(super) losses: Vec<f64>,
}

/// Grows trees on `train` and watches `watch`; `codes[feature][row]`, `labels[row]`.
///
/// Objective: `Σ −ln σ(±margin)`; each leaf's value minimises its quadratic approximation with `ridge`.
pub(super) fn grow(
    codes: &[&[u8]],
    labels: &[bool],
    train: &[usize],
    watch: &[usize],
    settings: Settings,
    seed: u64,
) -> Grown {
    let compact = |rows: &[usize]| -> Vec<Vec<u8>> {
        codes.iter().map(|codes| rows.iter().map(|&row| codes[row]).collect()).collect()
    };
    let (codes, watched) = (compact(train), compact(watch));
    let target: Vec<bool> = train.iter().map(|&row| labels[row]).collect();
    let positives = target.iter().filter(|&&label| label).count();
    let base = (real(positives) + 0.5) / (real(target.len()) + 1.0);
    let start = (base / (1.0 - base)).ln();
    let mut margins = vec![start; train.len()];
    let mut watch_margins = vec![start; watch.len()];
    let loss = |margins: &[f64]| -> f64 {
        let losses = watch.iter().zip(margins).map(|(&row, &margin)| super::log_loss(labels[row], margin));
        losses.sum::<f64>()
    };
    let mut losses = vec![loss(&watch_margins)];
    let mut booster = Booster { start, trees: Vec::new() };
    let mut draws = Draws::new(seed);
    let mut leaf = vec![0; train.len()];
    let mut watch_leaf = vec![0; watch.len()];
    let mut sample = Sample::default();
    let mut best = (0, losses[0]);
    for round in 0..settings.rounds {
        sample.draw(&target, &margins, settings, &mut draws);
        let Some(tree) = sample.tree(&codes, settings, &mut draws) else { break };
        tree.add(&codes, &mut leaf, &mut margins);
        tree.add(&watched, &mut watch_leaf, &mut watch_margins);
        booster.trees.push(tree);
        if (round + 1) % settings.step == 0 {
            let loss = loss(&watch_margins);
            losses.push(loss);
            if loss < best.1 {
                best = (losses.len(), loss);
            } else if !watch.is_empty() && losses.len() > best.0 + settings.patience {
                break;
            }
        }
    }
    Grown { booster, losses }
}
