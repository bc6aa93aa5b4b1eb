//! The rows drawn for a tree, and the questions that tell them apart best.

use super::{BINS, Settings, Split, Tree};
use crate::tabular::permutation::Draws;
use crate::tabular::{real, sigmoid};

/// Rows drawn for a tree with their slopes and curvatures.
#[derive(Debug, Default)]
pub(super) struct Sample {
    rows: Vec<u32>,
    slopes: Vec<[f32; 2]>,
    leaf: Vec<u8>,
}

impl Sample {
    #[expect(clippy::cast_possible_truncation, reason = "slopes need no more than single precision")]
    pub(super) fn draw(&mut self, target: &[bool], margins: &[f64], settings: Settings, draws: &mut Draws) {
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
    pub(super) fn tree(&mut self, codes: &[Vec<u8>], settings: Settings, draws: &mut Draws) -> Option<Tree> {
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
