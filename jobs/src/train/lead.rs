//! The model of leads.

use std::collections::BTreeSet;

use engine::score::{Attribute, Cases, Cells, Decay, LeadFeatures, LeadRows, LeadScorer as _, MISSING};
use engine::time::{Day, date};
use models::tabular::{FitOptions, Fitted as Fit, Model, Order, TabularError, fit, measure};
use serde_json::json;

use super::half_life::choose;
use super::judge::{Compared, Group, Groups, Split, base_rate, judged_days, rate_by};
use super::{Fitted, Trained, too_few};
use crate::config::Model as Config;
use crate::lead_model::{LEAD, LeadModel, frame};
use crate::model_file::model_id;

/// The column of a lead's source, in its case.
const SOURCE: &str = "attribute source";

/// Fits and judges a model of leads. Where nothing can be learnt, the error says why.
pub(crate) fn train_leads(
    rows: &LeadRows,
    in_use: Option<(&LeadModel, Day)>,
    config: &Config,
    as_of: Day,
) -> anyhow::Result<Fitted> {
    let (days, labels) = (&rows.days, &rows.converted);
    let Some(split) = judged_days(days, labels, config.rows_min) else {
        return Ok(Err(too_few("open leads", "converted", labels, config)));
    };
    let first = match fit_early(rows, &split, config)? {
        Ok(first) => first,
        Err(reason) => return Ok(Err(reason)),
    };
    let of_first = |stated: Vec<[f64; 3]>| stated.into_iter().map(|[p, ..]| p).collect::<Vec<f64>>();
    let own = of_first(ask(&first, rows, &split.judged)?);
    let mut compared = Compared::new(&split, labels, &own);
    plain_rules(rows, &split, &mut compared);
    let ruling = match in_use {
        Some((model, fitted_on)) => {
            let theirs = of_first(ask(model.model(), rows, &split.judged)?);
            compared.in_use(model.id(), fitted_on, days, &theirs, config.margin)
        }
        None => compared.verdict(config.margin),
    };
    let all = spaced((0..days.len()).collect(), config.rows_max);
    let (features, fitted) = fit_on(rows, &all, config)?;
    let importance = fitted.model.importance(&frame(&rows.cases, |_| true)?.take(&all))?;
    let bytes = LeadModel::to_bytes(features.clone(), fitted.model, date(as_of).to_string())?;
    Ok(Ok(Trained {
        name: LEAD,
        id: model_id(&bytes),
        bytes,
        verdict: ruling,
        rows: days.len(),
        fitted_rows: all.len(),
        fitted_on: "looks at open leads",
        censored: (rows.censored, "later looks are left out, their 30 days are not over"),
        judged_days: split.span(days),
        score: compared.own(),
        groups: ["region_id", SOURCE].iter().flat_map(|by| groups(rows, by, &split, &own)).collect(),
        levels: None,
        against: compared.against,
        calibration: measure(&own, &split.labels(labels)).calibration,
        parameters: json!({
            "choices": fitted.choices,
            "half_lives": features.decays,
            "attributes": features.attributes,
        }),
        importance,
    }))
}

/// Fits on what was known on the first judged day. Where nothing can be learnt, the inner error says why.
pub(super) fn fit_early(
    rows: &LeadRows,
    split: &Split,
    config: &Config,
) -> anyhow::Result<Result<Model, String>> {
    match fit_on(rows, &spaced(split.train.clone(), config.rows_max), config) {
        Ok((_, fitted)) => Ok(Ok(fitted.model)),
        Err(TabularError::Solver { reason }) => anyhow::bail!("fitting a model of leads: {reason}"),
        Err(error) => Ok(Err(format!("leads: {error}"))),
    }
}

/// What a model says of some rows: each probability with its interval.
pub(super) fn ask(model: &Model, rows: &LeadRows, of: &[usize]) -> Result<Vec<[f64; 3]>, TabularError> {
    let read = |name: &str| model.columns().iter().any(|column| column.name == name);
    let scored = model.score(&frame(&rows.cases, read)?.take(of))?;
    Ok(scored.iter().map(|scored| [scored.probability, scored.low, scored.high]).collect())
}

/// Holds a model against the base rate and the rate by source.
pub(super) fn plain_rules(rows: &LeadRows, split: &Split, compared: &mut Compared<'_>) {
    let labels = &rows.converted;
    compared.plain("the base rate", &base_rate(split, labels));
    if let Some(Cells::Text { codes, .. }) = rows.cases.column(SOURCE) {
        compared.plain("the rate by source", &rate_by(codes, split, labels));
    }
}

/// The judged rows by the texts of a column.
fn groups(rows: &LeadRows, column: &str, split: &Split, own: &[f64]) -> Vec<Group> {
    let Some(Cells::Text { codes, levels }) = rows.cases.column(column) else { return Vec::new() };
    let codes: Vec<Option<u32>> = codes.iter().map(|&code| (code != MISSING).then_some(code)).collect();
    let name = |code: &u32| levels.get(usize::try_from(*code).ok()?).cloned();
    Groups::new(split, &rows.converted, own).by(column, &codes, name)
}

/// At most so many rows, evenly spaced.
fn spaced(rows: Vec<usize>, most: usize) -> Vec<usize> {
    if rows.len() <= most {
        return rows;
    }
    (0..most).map(|place| rows[place * rows.len() / most]).collect()
}

/// Chooses half-lives by the rows, and fits on them.
fn fit_on(rows: &LeadRows, of: &[usize], config: &Config) -> Result<(LeadFeatures, Fit), TabularError> {
    let labels: Vec<bool> = of.iter().map(|&row| rows.converted[row]).collect();
    let decays = choose(&rows.cases, &rows.features.decays, of, &labels);
    let features = LeadFeatures { attributes: rows.features.attributes.clone(), decays };
    let wanted = columns(&rows.cases, &rows.features, &features.decays);
    let frame = frame(&rows.cases, |name| wanted.contains(name))?.take(of);
    let options = FitOptions { order: Order::Time, seed: u64::from(config.seed), time: None };
    Ok((features, fit(&frame, &labels, &options)?))
}

/// All columns but those of half-lives not chosen, and of what only another model reads.
fn columns(cases: &Cases, surveyed: &LeadFeatures, chosen: &[Decay]) -> BTreeSet<String> {
    let attributes: BTreeSet<String> = surveyed.attributes.iter().map(Attribute::column).collect();
    let decays: BTreeSet<String> = chosen.iter().map(Decay::column).collect();
    cases
        .columns()
        .map(|(name, _)| name.to_owned())
        .filter(|name| {
            let optional = name.starts_with("attribute ") || name.contains(" (half-life ");
            !optional || attributes.contains(name) || decays.contains(name)
        })
        .collect()
}
