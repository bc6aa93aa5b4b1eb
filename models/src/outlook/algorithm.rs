//! Fitting: normal equations of the standardised columns, the penalty and the residuals by looking forward.

use super::{Kind, Looks, Outlook, Ridge, Spread};
use crate::panel::linalg::Cholesky;
use crate::tabular::real;

/// Rows of a kind that it needs to be fitted.
pub const ROWS_MIN: usize = 100;
/// Penalties, the strongest first: of equally good ones it is taken.
const PENALTIES: [f64; 7] = [10.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01];
/// Where folds begin, as shares of the days; each is judged up to where the next begins.
const FOLDS: [f64; 4] = [0.4, 0.55, 0.7, 0.85];
/// Rows that a fold is fitted on, at least.
const FOLD_ROWS_MIN: usize = 40;

/// Fits each of `kinds` kinds on the rows named by `of`, in the order of days; `came` is the level `ahead` days later. `None`
/// where no kind has [`ROWS_MIN`] rows, with later ones to judge earlier fits by.
pub fn fit(looks: &Looks<'_>, of: &[usize], came: &[f64], ahead: i32, kinds: usize) -> Option<Outlook> {
    let kinds: Vec<Option<Kind>> = (0..kinds)
        .map(|kind| {
            let rows: Vec<usize> = of.iter().copied().filter(|&row| looks.kinds[row] == kind).collect();
            (rows.len() >= ROWS_MIN).then(|| of_kind(looks, &rows, came, ahead)).flatten()
        })
        .collect();
    kinds.iter().any(Option::is_some).then_some(Outlook { columns: looks.columns.len(), kinds })
}

/// The fit of some rows; none where no fold is large enough.
fn of_kind(looks: &Looks<'_>, rows: &[usize], came: &[f64], ahead: i32) -> Option<Kind> {
    let folds = folds(looks, rows, ahead);
    let mut best: Option<(f64, usize, Vec<f64>, Vec<f64>)> = None;
    let systems: Vec<System> = folds.iter().map(|(early, _)| System::new(looks, early, came)).collect();
    for (place, penalty) in PENALTIES.into_iter().enumerate() {
        let (mut levels, mut residuals) = (Vec::new(), Vec::new());
        for ((_, late), system) in folds.iter().zip(&systems) {
            let early = Ridge::solve(system, penalty);
            for &row in late {
                let level = early.level(looks.now[row], looks.columns.iter().map(|column| column[row]));
                levels.push(level);
                residuals.push(came[row] - level);
            }
        }
        let loss: f64 = residuals.iter().map(|residual| residual * residual).sum();
        if best.as_ref().is_none_or(|(least, ..)| loss < *least) {
            best = Some((loss, place, levels, residuals));
        }
    }
    let (_, place, levels, residuals) = best?;
    let spread = Spread::of(&levels, &residuals)?;
    let ridge = Ridge::solve(&System::new(looks, rows, came), PENALTIES[place]);
    Some(Kind { ridge, spread })
}

/// Earlier and later rows of each fold: what is judged lies after what earlier rows' outcomes were known by.
fn folds(looks: &Looks<'_>, rows: &[usize], ahead: i32) -> Vec<(Vec<usize>, Vec<usize>)> {
    let mut days: Vec<i32> = rows.iter().map(|&row| looks.days[row]).collect();
    days.sort_unstable();
    days.dedup();
    let at = |share: f64| days.get(part(days.len(), share)).copied().unwrap_or(i32::MAX);
    let ends = FOLDS.iter().skip(1).copied().chain([1.0]);
    FOLDS
        .iter()
        .zip(ends)
        .map(|(from, to)| (at(*from), at(to)))
        .map(|(from, to)| {
            let early = rows.iter().copied().filter(|&row| looks.days[row] <= from.saturating_sub(ahead));
            let late = rows.iter().copied().filter(|&row| (from..to).contains(&looks.days[row]));
            (early.collect::<Vec<usize>>(), late.collect::<Vec<usize>>())
        })
        .filter(|(early, late)| early.len() >= FOLD_ROWS_MIN && !late.is_empty())
        .collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of some days")]
fn part(of: usize, share: f64) -> usize {
    (real(of) * share) as usize
}

/// Normal equations of standardised columns.
struct System {
    rows: f64,
    /// Mean change of the level.
    change: f64,
    means: Vec<f64>,
    /// 0 for a column that holds one value.
    deviations: Vec<f64>,
    /// Products of columns by rows, and with the change.
    products: Vec<f64>,
    with_change: Vec<f64>,
}

impl System {
    fn new(looks: &Looks<'_>, rows: &[usize], came: &[f64]) -> Self {
        let n = real(rows.len());
        let changes: Vec<f64> = rows.iter().map(|&row| came[row] - looks.now[row]).collect();
        let change = changes.iter().sum::<f64>() / n;
        let known = |column: &[f64]| -> Vec<f64> {
            rows.iter().map(|&row| column[row]).filter(|value| !value.is_nan()).collect()
        };
        let (mut means, mut deviations, mut standard) = (Vec::new(), Vec::new(), Vec::new());
        for column in looks.columns {
            let values = known(column);
            let many = real(values.len()).max(1.0);
            let mean = values.iter().sum::<f64>() / many;
            let deviation = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / many).sqrt();
            let deviation = if deviation > 1e-9 { deviation } else { 0.0 };
            let z = |value: f64| {
                if value.is_nan() || deviation == 0.0 { 0.0 } else { (value - mean) / deviation }
            };
            standard.push(rows.iter().map(|&row| z(column[row])).collect::<Vec<f64>>());
            means.push(mean);
            deviations.push(deviation);
        }
        let centred: Vec<f64> = changes.iter().map(|value| value - change).collect();
        let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let products = standard.iter().flat_map(|a| standard.iter().map(move |b| product(a, b))).collect();
        let with_change = standard.iter().map(|column| product(column, &centred)).collect();
        Self { rows: n, change, means, deviations, products, with_change }
    }
}

impl Ridge {
    /// The solution under a penalty.
    fn solve(system: &System, penalty: f64) -> Self {
        let n = system.means.len();
        let mut products = system.products.clone();
        for column in 0..n {
            products[column * n + column] += penalty * system.rows;
        }
        let solved = Cholesky::of(products, n).solve(&system.with_change);
        let raw = |(weight, deviation): (f64, &f64)| if *deviation > 0.0 { weight / deviation } else { 0.0 };
        Self {
            intercept: system.change,
            means: system.means.clone(),
            weights: solved.into_iter().zip(&system.deviations).map(raw).collect(),
            penalty,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_judged_lies_after_the_outcomes_that_were_learnt_from() {
        let days: Vec<i32> = (0..200).collect();
        let looks =
            Looks { days: &days, kinds: &vec![0; days.len()], now: &vec![50.0; days.len()], columns: &[] };
        let rows: Vec<usize> = (0..days.len()).collect();
        let folds = folds(&looks, &rows, 14);
        assert_eq!(folds.len(), FOLDS.len());
        for (early, late) in folds {
            let known = early.iter().map(|&row| days[row] + 14).max();
            assert!(known <= late.iter().map(|&row| days[row]).min(), "{known:?}");
            assert!(early.len() >= FOLD_ROWS_MIN && !late.is_empty());
        }
    }
}
