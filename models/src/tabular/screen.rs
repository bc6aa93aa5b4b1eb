//! How much one column says of a label: for choosing among forms of the same column before anything is fitted.

use super::{log_loss, real};

/// Groups of rows with different values, at most.
const GROUPS: usize = 10;
/// Rows of either label that every group is given in addition.
const PRIOR: f64 = 0.5;

/// By how much the mean log loss falls, in nats a row, when rows are told apart by up to ten groups of like values; 0 or
/// less where the column says nothing. NaN is a group of its own. `values` and `labels` are of one length.
pub fn information(values: &[f64], labels: &[bool]) -> f64 {
    let mut rows: Vec<(f64, bool)> = values.iter().copied().zip(labels.iter().copied()).collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let size = rows.len().div_ceil(GROUPS).max(1);
    let mut told_apart = 0.0;
    let mut group: Vec<(f64, bool)> = Vec::new();
    // Equal values stay together, so that the many zeros of a count are one group.
    for tied in rows.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        if !group.is_empty() && (group.len() + tied.len() > size + size / 2) {
            told_apart += loss(&group);
            group.clear();
        }
        group.extend_from_slice(tied);
        if group.len() >= size {
            told_apart += loss(&group);
            group.clear();
        }
    }
    told_apart += loss(&group);
    if rows.is_empty() { 0.0 } else { (loss(&rows) - told_apart) / real(rows.len()) }
}

/// Log loss of rows that are all given their own share.
fn loss(rows: &[(f64, bool)]) -> f64 {
    let positives = real(rows.iter().filter(|(_, label)| *label).count());
    let margin = ((positives + PRIOR) / (real(rows.len()) - positives + PRIOR)).ln();
    positives * log_loss(true, margin) + (real(rows.len()) - positives) * log_loss(false, margin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_that_says_more_has_more() {
        let labels: Vec<bool> = (0..400).map(|row| row % 4 == 0).collect();
        let same: Vec<f64> = labels.iter().map(|&label| f64::from(u8::from(label))).collect();
        let half: Vec<f64> = (0..400).map(|row| f64::from(u8::from(row % 4 == 0 && row % 8 == 0))).collect();
        let none: Vec<f64> = (0..400).map(f64::from).map(|row| (row * 7.0) % 13.0).collect();
        let found = [&same, &half, &none].map(|values| information(values, &labels));
        assert!(found[0] > 0.5 && found[0] > found[1] && found[1] > found[2] + 0.05, "{found:?}");
        assert!(found[2].abs() < 0.02 && information(&[], &[]).abs() < f64::EPSILON, "{found:?}");
        // A label's entropy is all that can be said: −¼ ln ¼ − ¾ ln ¾.
        assert!((found[0] - 0.562_335).abs() < 0.02, "{found:?}");
    }
}
