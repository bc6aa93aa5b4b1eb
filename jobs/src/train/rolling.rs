//! A rolling origin: a model fitted on what was known on each of several past days, judged on the looks that followed.

use engine::score::LeadRows;
use engine::time::Day;

use super::judge::{Compared, Score, distinct, split};
use super::lead::{ask, fit_early, plain_rules};
use crate::config::Model as Config;

/// Looks that an origin is judged on.
const LOOKS: usize = 4;

/// A past day, and how a model fitted then fared afterwards.
#[derive(Debug)]
pub(crate) struct Origin {
    /// The first judged day: outcomes known then were fitted on.
    pub(crate) from: Day,
    pub(crate) fitted_rows: usize,
    pub(crate) score: Score,
    /// Plain rules, by name, on the same rows.
    pub(crate) against: Vec<(String, Score)>,
    /// Row, and the probability with its interval.
    pub(crate) judged: Vec<(usize, [f64; 3])>,
}

/// The last origins that have rows enough, the oldest first.
pub(crate) fn backtest_leads(rows: &LeadRows, origins: u32, config: &Config) -> anyhow::Result<Vec<Origin>> {
    let looks = distinct(&rows.days);
    let mut found = Vec::new();
    for span in looks.rchunks(LOOKS).take(usize::try_from(origins)?) {
        let (Some(&from), Some(&to)) = (span.first(), span.last()) else { continue };
        let Some(split) = split(&rows.days, &rows.converted, (from, to), config.rows_min) else { continue };
        let Ok(model) = fit_early(rows, &split, config)? else { continue };
        let stated = ask(&model, rows, &split.judged)?;
        let own: Vec<f64> = stated.iter().map(|stated| stated[0]).collect();
        let mut compared = Compared::new(&split, &rows.converted, &own);
        plain_rules(rows, &split, &mut compared);
        found.push(Origin {
            from,
            fitted_rows: split.train.len(),
            score: compared.own(),
            against: compared.against.into_iter().map(|(name, _, theirs)| (name, theirs)).collect(),
            judged: split.judged.iter().copied().zip(stated).collect(),
        });
    }
    found.reverse();
    Ok(found)
}
