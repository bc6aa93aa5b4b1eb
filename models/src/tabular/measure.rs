//! How good probabilities are: ranking, loss, calibration, lift.

use serde::{Deserialize, Serialize};

use super::real;

/// Bins of the calibration error, of equal width in probability.
const BINS: usize = 10;
/// Groups of the lift table, of equal size.
const GROUPS: usize = 10;

/// How probabilities fare against labels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measures {
    /// Rows measured.
    pub rows: usize,
    /// Positive rows.
    pub positives: usize,
    /// Area under the ROC curve; ties count half. None where a class is missing.
    pub auc: Option<f64>,
    /// Mean of −ln p of what happened.
    pub log_loss: f64,
    /// Mean squared difference of probability and label.
    pub brier: f64,
    /// Expected calibration error: mean distance of share and mean probability over ten bins of equal width, by rows.
    pub ece: f64,
    /// The rows by decreasing probability, in ten groups.
    pub deciles: Vec<Decile>,
    /// The rows in ten bins of probability; those with rows.
    pub calibration: Vec<CalibrationBin>,
}

/// A tenth of the rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decile {
    /// 1 has the highest probabilities.
    pub decile: usize,
    /// Rows.
    pub rows: usize,
    /// Positive rows.
    pub positives: usize,
    /// Mean probability.
    pub mean_probability: f64,
    /// Share of positive rows over the share of all; 0 where there is none.
    pub lift: f64,
    /// Share of all positive rows in this decile and those before.
    pub captured: f64,
}

/// Rows of like probability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalibrationBin {
    /// From this probability.
    pub from: f64,
    /// To this one.
    pub to: f64,
    /// Rows.
    pub rows: usize,
    /// Mean probability.
    pub mean_probability: f64,
    /// Share of positive rows.
    pub share: f64,
}

/// Measures `probabilities`, each within 0 and 1, against `labels` of the same length.
pub fn measure(probabilities: &[f64], labels: &[bool]) -> Measures {
    let mut ranked: Vec<(f64, bool)> = probabilities.iter().copied().zip(labels.iter().copied()).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let n = real(ranked.len()).max(1.0);
    let positives = count(&ranked);
    let log_loss = ranked.iter().map(|&(p, label)| {
        let p = p.clamp(1e-15, 1.0 - 1e-15);
        -(if label { p } else { 1.0 - p }).ln()
    });
    let brier = ranked.iter().map(|&(p, label)| (p - f64::from(u8::from(label))).powi(2));
    let calibration = calibration(&ranked);
    let off = calibration.iter().map(|bin| real(bin.rows) * (bin.share - bin.mean_probability).abs());
    Measures {
        rows: ranked.len(),
        positives,
        auc: auc(&ranked),
        log_loss: log_loss.sum::<f64>() / n,
        brier: brier.sum::<f64>() / n,
        ece: off.sum::<f64>() / n,
        deciles: deciles(&ranked, positives),
        calibration,
    }
}

fn count(rows: &[(f64, bool)]) -> usize {
    rows.iter().filter(|(_, label)| *label).count()
}

fn mean(rows: &[(f64, bool)]) -> f64 {
    rows.iter().map(|(p, _)| p).sum::<f64>() / real(rows.len()).max(1.0)
}

fn auc(ranked: &[(f64, bool)]) -> Option<f64> {
    let (mut above, mut won) = (0.0, 0.0);
    for tied in ranked.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let positive = real(count(tied));
        let negative = real(tied.len()) - positive;
        won += negative * (above + positive / 2.0);
        above += positive;
    }
    let pairs = above * (real(ranked.len()) - above);
    (pairs > 0.0).then(|| won / pairs)
}

fn deciles(ranked: &[(f64, bool)], positives: usize) -> Vec<Decile> {
    let base = real(positives) / real(ranked.len()).max(1.0);
    let mut captured = 0;
    let mut deciles = Vec::new();
    for group in 0..GROUPS {
        let part = &ranked[ranked.len() * group / GROUPS..ranked.len() * (group + 1) / GROUPS];
        if part.is_empty() {
            continue;
        }
        let found = count(part);
        captured += found;
        let share = real(found) / real(part.len());
        deciles.push(Decile {
            decile: group + 1,
            rows: part.len(),
            positives: found,
            mean_probability: mean(part),
            lift: if positives == 0 { 0.0 } else { share / base },
            captured: if positives == 0 { 0.0 } else { real(captured) / real(positives) },
        });
    }
    deciles
}

fn calibration(ranked: &[(f64, bool)]) -> Vec<CalibrationBin> {
    let mut bins: Vec<Vec<(f64, bool)>> = vec![Vec::new(); BINS];
    for &(p, label) in ranked {
        let bin = (1..BINS).filter(|&edge| p >= real(edge) / real(BINS)).count();
        bins[bin].push((p, label));
    }
    let bins = bins.into_iter().enumerate().filter(|(_, rows)| !rows.is_empty());
    bins.map(|(bin, rows)| CalibrationBin {
        from: real(bin) / real(BINS),
        to: real(bin + 1) / real(BINS),
        rows: rows.len(),
        mean_probability: mean(&rows),
        share: real(count(&rows)) / real(rows.len()),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_scikit_learn() {
        // scikit-learn 1.9.1: roc_auc_score, log_loss, brier_score_loss of these eight; agreement to rounding.
        let p = [0.1, 0.4, 0.35, 0.8, 0.8, 0.65, 0.05, 0.5];
        let labels = [false, false, true, true, false, true, false, true];
        let found = measure(&p, &labels);
        let close =
            |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        close(found.auc.unwrap(), 0.71875);
        close(found.log_loss, 0.584_226_639_838_844_4);
        close(found.brier, 0.205_937_5);
        assert_eq!((found.rows, found.positives, found.deciles.len()), (8, 4, 8));
        close(found.deciles.last().unwrap().captured, 1.0);
    }

    #[test]
    fn one_class_and_no_row() {
        assert_eq!(measure(&[0.3, 0.4], &[true, true]).auc, None);
        let none = measure(&[], &[]);
        assert!(none.log_loss == 0.0 && none.ece == 0.0 && none.auc.is_none());
    }
}
