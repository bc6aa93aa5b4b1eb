//! The half-life of each kind of event: the one whose decayed count says most of the label.

use engine::score::{Cases, Cells, Decay};
use models::tabular::information;

/// Of each kind's candidates the best by the given rows; the longest where all say the same.
pub(super) fn choose(cases: &Cases, candidates: &[Decay], rows: &[usize], labels: &[bool]) -> Vec<Decay> {
    let told = |decay: &Decay| match cases.column(&decay.column()) {
        Some(Cells::Number(values)) => {
            information(&rows.iter().map(|&row| values[row]).collect::<Vec<_>>(), labels)
        }
        _ => f64::NEG_INFINITY,
    };
    let kinds = candidates.chunk_by(|a, b| a.event_type == b.event_type);
    kinds
        .filter_map(|kind| {
            let told: Vec<f64> = kind.iter().map(told).collect();
            let best = (0..kind.len()).max_by(|&a, &b| told[a].total_cmp(&told[b]))?;
            Some(kind[best].clone())
        })
        .collect()
}
