//! Boosted trees that ask the same question at every node of a level: the nonlinear half of the representation.
//!
//! Each round adds a tree of `depth` questions "is the code of this feature over that bin?", chosen to lower the log
//! loss most, with Newton values in its 2^depth leaves (Prokhorenkova et al. 2018 for the shape, Friedman 2001 for the
//! method). Codes are one byte each, so a tree costs a pass over bytes, in fitting and in scoring.
//! linfa-trees is not used for it: its classification trees visit every row for every node and feature through a hash
//! map, and prune by the majority class, which leaves nothing where few rows are positive.

use serde::{Deserialize, Serialize};

use super::permutation::Draws;
use super::{real, sigmoid};

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
        leaf.fill(0);
        for (level, split) in self.splits.iter().enumerate() {
            for (leaf, &code) in leaf.iter_mut().zip(&codes[split.feature as usize]) {
                *leaf |= u8::from(code > split.bin) << level;
            }
        }
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

/// Two trees as one of twice the depth, or one alone: half the look-ups, in a table that any byte is a place of.
pub(super) struct Pair<'a> {
    splits: Vec<&'a Split>,
    values: [f64; 256],
}

impl<'a> Pair<'a> {
    /// The trees of a booster by twos, each value times `weight`. Their depth is at most 4.
    pub(super) fn all(booster: &'a Booster, weight: f64) -> Vec<Self> {
        let value = |tree: &Tree, place: usize| tree.values[place & (tree.values.len() - 1)];
        let pair = |trees: &'a [Tree]| {
            let splits: Vec<&Split> = trees.iter().flat_map(|tree| &tree.splits).collect();
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
        leaf.fill(0);
        for (level, split) in self.splits.iter().enumerate() {
            for (leaf, &code) in leaf.iter_mut().zip(&codes[split.feature as usize]) {
                *leaf |= u8::from(code > split.bin) << level;
            }
        }
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

/// Rows drawn for a tree with their slopes and curvatures.
#[derive(Debug, Default)]
struct Sample {
    rows: Vec<u32>,
    slopes: Vec<[f32; 2]>,
    leaf: Vec<u8>,
}

impl Sample {
    #[expect(clippy::cast_possible_truncation, reason = "slopes need no more than single precision")]
    fn draw(&mut self, target: &[bool], margins: &[f64], settings: Settings, draws: &mut Draws) {
        self.rows.clear();
        self.slopes.clear();
        let mut bits = 0_u64;
        for (position, (&label, &margin)) in target.iter().zip(margins).enumerate() {
            if position % 8 == 0 {
                bits = draws.next();
            }
            let taken = bits & 255 < settings.rows;
            bits >>= 8;
            if taken {
                let p = sigmoid(margin);
                self.rows.push(u32::try_from(position).unwrap_or(u32::MAX));
                self.slopes.push([(f64::from(u8::from(label)) - p) as f32, (p * (1.0 - p)) as f32]);
            }
        }
        self.leaf.clear();
        self.leaf.resize(self.rows.len(), 0);
    }

    /// The tree that lowers the loss most, level by level; none where no question helps.
    fn tree(&mut self, codes: &[Vec<u8>], settings: Settings, draws: &mut Draws) -> Option<Tree> {
        let mut features: Vec<usize> = (0..codes.len()).collect();
        draws.shuffle(&mut features);
        let wanted = (real(codes.len()) * settings.features).ceil();
        let mut kept = 0.0;
        features.retain(|_| {
            kept += 1.0;
            kept <= wanted
        });
        features.sort_unstable();
        let mut splits: Vec<Split> = Vec::new();
        let mut histograms: Vec<Vec<[f32; 2]>> = vec![Vec::new(); features.len()];
        let mut counted = Counted { side: 0, rows: self.rows.clone(), cells: Vec::new() };
        counted.cells.extend(self.slopes.iter().map(|&slope| (0, slope)));
        while splits.len() < settings.depth {
            let mut best: Option<(f32, Split)> = None;
            for (&feature, histogram) in features.iter().zip(&mut histograms) {
                counted.extend(&codes[feature], 1 << splits.len(), histogram);
                for (bin, gain) in (0_u8..).zip(gains(histogram, settings.ridge)) {
                    if gain > best.map_or(1e-4, |(gain, _)| gain) {
                        let feature = u32::try_from(feature).unwrap_or(u32::MAX);
                        best = Some((gain, Split { feature, bin }));
                    }
                }
            }
            let Some((_, split)) = best else { break };
            counted = self.ask(&codes[split.feature as usize], split.bin, splits.len());
            splits.push(split);
        }
        if splits.is_empty() {
            return None;
        }
        let mut sums = vec![[0.0_f64; 2]; 1 << splits.len()];
        let mut cover = vec![0.0; sums.len()];
        for (slope, &leaf) in self.slopes.iter().zip(&self.leaf) {
            let sum = &mut sums[usize::from(leaf)];
            sum[0] += f64::from(slope[0]);
            sum[1] += f64::from(slope[1]);
            cover[usize::from(leaf)] += 1.0;
        }
        let ridge = f64::from(settings.ridge);
        let values = sums.iter().map(|[g, h]| (settings.rate * g / (h + ridge)).clamp(-2.0, 2.0)).collect();
        Some(Tree { splits, values, cover })
    }

    /// Puts the answer to a question into every row's leaf, and takes the side with fewer rows for counting.
    fn ask(&mut self, codes: &[u8], bin: u8, level: usize) -> Counted {
        let mut right = 0;
        for (leaf, &row) in self.leaf.iter_mut().zip(&self.rows) {
            let answer = u8::from(codes[row as usize] > bin);
            right += usize::from(answer);
            *leaf |= answer << level;
        }
        let side = u8::from(right * 2 < self.rows.len());
        let mut counted = Counted { side, rows: Vec::new(), cells: Vec::new() };
        for ((&row, &leaf), &slope) in self.rows.iter().zip(&self.leaf).zip(&self.slopes) {
            if leaf >> level == side {
                counted.rows.push(row);
                counted.cells.push((leaf & !(1 << level), slope));
            }
        }
        counted
    }
}

/// The rows on one side of the last question: the other side is what they leave of the level before.
struct Counted {
    side: u8,
    rows: Vec<u32>,
    /// The leaf before the last question, slope and curvature of each row.
    cells: Vec<(u8, [f32; 2])>,
}

impl Counted {
    /// Makes the sums by leaf and bin of the level before those of this level, which has `leaves` leaves.
    fn extend(&self, codes: &[u8], leaves: usize, histogram: &mut Vec<[f32; 2]>) {
        let mut sums = vec![[0.0; 2]; (leaves / 2).max(1) * BINS];
        for (&row, &(leaf, slope)) in self.rows.iter().zip(&self.cells) {
            let cell = &mut sums[usize::from(leaf) * BINS + usize::from(codes[row as usize])];
            cell[0] += slope[0];
            cell[1] += slope[1];
        }
        if leaves == 1 {
            *histogram = sums;
            return;
        }
        for (whole, part) in histogram.iter_mut().zip(&sums) {
            *whole = [whole[0] - part[0], whole[1] - part[1]];
        }
        // Left answers are the lower half of the leaves.
        if self.side == 1 {
            histogram.extend(sums);
        } else {
            sums.append(histogram);
            *histogram = sums;
        }
    }
}

/// By how much each question "code over bin" lowers twice the loss, summed over the leaves.
fn gains(histogram: &[[f32; 2]], ridge: f32) -> [f32; BINS] {
    let mut gains = [0.0; BINS];
    for leaf in histogram.chunks_exact(BINS) {
        let total = leaf.iter().fold([0.0, 0.0], |sum, cell| [sum[0] + cell[0], sum[1] + cell[1]]);
        let whole = total[0] * total[0] / (total[1].max(0.0) + ridge);
        let mut left = [0.0, 0.0];
        for (gain, cell) in gains.iter_mut().zip(leaf) {
            left = [left[0] + cell[0], left[1] + cell[1]];
            let right = [total[0] - left[0], total[1] - left[1]];
            *gain += left[0] * left[0] / (left[1].max(0.0) + ridge)
                + right[0] * right[0] / (right[1].max(0.0) + ridge)
                - whole;
        }
    }
    gains
}
