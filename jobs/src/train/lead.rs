//! The model of leads.

use std::collections::BTreeSet;

use engine::score::{Cases, Decay, HORIZON_DAYS, LeadFeatures, LeadRows, LeadScorer as _};
use engine::time::{Day, date};
use models::tabular::{CalibrationBin, Choices, FitOptions, Fitted, Order, TabularError, fit, measure};

use super::half_life::choose;
use super::judge::{Group, Score, Verdict, base_rate, comparable, groups, rate_by, verdict};
use crate::config::Model as Config;
use crate::lead_model::{LeadModel, frame, model_id};

/// Where judged days begin, as a share of the days looked at.
const JUDGED_FROM: f64 = 0.75;
/// The column of a lead's source, in its case.
const SOURCE: &str = "attribute source";

/// A fitted model and how good it is.
#[derive(Debug)]
pub(crate) struct Trained {
    pub(crate) id: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) verdict: Verdict,
    pub(crate) fitted_rows: usize,
    pub(crate) judged_days: (Day, Day),
    pub(crate) score: Score,
    /// Plain rules and the model in use, with the score of both on the rows that they are compared by.
    pub(crate) against: Vec<(String, Score, Score)>,
    pub(crate) groups: Vec<Group>,
    pub(crate) calibration: Vec<CalibrationBin>,
    pub(crate) choices: Choices,
    pub(crate) features: LeadFeatures,
    /// Columns by the mean size of their term in log-odds.
    pub(crate) importance: Vec<(String, f64)>,
}

/// The rows that a model is judged on, and those that it is fitted on for that.
struct Split {
    train: Vec<usize>,
    judged: Vec<usize>,
}

/// Fits and judges a model of leads. Where nothing can be learnt, the error says why.
pub(crate) fn train_leads(
    rows: &LeadRows,
    in_use: Option<(&LeadModel, Day)>,
    config: &Config,
    as_of: Day,
) -> anyhow::Result<Result<Trained, String>> {
    let Some(split) = split(rows, config.rows_min) else {
        return Ok(Err(too_few(rows, config)));
    };
    let train = spaced(split.train, config.rows_max);
    let labels = |of: &[usize]| of.iter().map(|&row| rows.converted[row]).collect::<Vec<bool>>();
    let (judged, judged_labels) = (&split.judged, labels(&split.judged));
    let first = match fit_on(rows, &train, config) {
        Ok(first) => first,
        Err(TabularError::Solver { reason }) => anyhow::bail!("fitting a model of leads: {reason}"),
        Err(error) => return Ok(Err(error.to_string())),
    };
    let whole = frame(&rows.cases, |_| true)?;
    let ask = |model: &models::tabular::Model, of: &[usize]| -> Result<Vec<f64>, TabularError> {
        Ok(model.score(&whole.take(of))?.iter().map(|scored| scored.probability).collect())
    };
    let own = ask(&first.1.model, judged)?;
    let score = Score::of(&own, &judged_labels);
    let mut against = Vec::new();
    let mut plain = vec![("the base rate", base_rate(&labels(&train), judged.len()))];
    plain.extend(
        rate_by(&rows.cases, SOURCE, &train, &rows.converted, judged).map(|by| ("the rate by source", by)),
    );
    for (name, p) in plain {
        against.push((name.to_owned(), score.clone(), Score::of(&p, &judged_labels)));
    }
    let mut ruling = verdict(&against, config.margin);
    if let Some((model, fitted_on)) = in_use {
        // Outcomes that the model in use has learnt from would flatter it.
        let unseen: Vec<usize> =
            (0..judged.len()).filter(|&place| rows.days[judged[place]] > fitted_on - HORIZON_DAYS).collect();
        let of = |p: &[f64]| unseen.iter().map(|&place| p[place]).collect::<Vec<f64>>();
        let unseen_labels: Vec<bool> = unseen.iter().map(|&place| judged_labels[place]).collect();
        if comparable(&unseen_labels) {
            let theirs = ask(model.model(), &unseen.iter().map(|&place| judged[place]).collect::<Vec<_>>())?;
            let name = format!("the model in use ({})", model.id());
            let pair = [of(&own), theirs].map(|p| Score::of(&p, &unseen_labels));
            let [own, theirs] = pair;
            against.push((name, own, theirs));
            ruling = verdict(&against, config.margin);
        } else if ruling.promoted {
            let reason = format!(
                "too few outcomes are known that the model in use ({}, fitted as of {}) has not learnt from",
                model.id(),
                date(fitted_on)
            );
            ruling = Verdict { promoted: false, reason };
        }
    }
    let all = spaced((0..rows.days.len()).collect(), config.rows_max);
    let (features, fitted) = fit_on(rows, &all, config).map_err(anyhow::Error::from)?;
    let importance = fitted.model.importance(&whole.take(&all))?;
    let bytes = LeadModel::to_bytes(features.clone(), fitted.model, date(as_of).to_string())?;
    let both = ["region_id", SOURCE];
    Ok(Ok(Trained {
        id: model_id(&bytes),
        bytes,
        verdict: ruling,
        fitted_rows: all.len(),
        judged_days: (rows.days[judged[0]], rows.days[judged[judged.len() - 1]]),
        groups: both
            .iter()
            .flat_map(|column| groups(&rows.cases, column, judged, &own, &judged_labels))
            .collect(),
        calibration: measure(&own, &judged_labels).calibration,
        score,
        against,
        choices: fitted.choices,
        features,
        importance,
    }))
}

/// The rows judged are those of the last quarter of the days; none where either part is too small.
fn split(rows: &LeadRows, rows_min: usize) -> Option<Split> {
    let days: Vec<Day> = rows.days.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
    let from = *days.get(cut(days.len()))?;
    let judged: Vec<usize> = (0..rows.days.len()).filter(|&row| rows.days[row] >= from).collect();
    let train: Vec<usize> =
        (0..rows.days.len()).filter(|&row| rows.days[row] <= from - HORIZON_DAYS).collect();
    let both = |of: &[usize]| comparable(&of.iter().map(|&row| rows.converted[row]).collect::<Vec<_>>());
    let enough = train.len() >= rows_min && both(&train) && both(&judged);
    enough.then_some(Split { train, judged })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share of some days"
)]
fn cut(days: usize) -> usize {
    (days as f64 * JUDGED_FROM) as usize
}

fn too_few(rows: &LeadRows, config: &Config) -> String {
    let positives = rows.converted.iter().filter(|&&converted| converted).count();
    format!(
        "{} looks at open leads whose {HORIZON_DAYS} days are over, of which {positives} converted, are too few: \
         a model needs {} to fit on, {HORIZON_DAYS} days before those to judge by, and both outcomes in each part",
        rows.days.len(),
        config.rows_min
    )
}

/// At most so many rows, evenly spaced.
fn spaced(rows: Vec<usize>, most: usize) -> Vec<usize> {
    if rows.len() <= most {
        return rows;
    }
    (0..most).map(|place| rows[place * rows.len() / most]).collect()
}

/// Chooses half-lives by the rows, and fits on them.
fn fit_on(rows: &LeadRows, of: &[usize], config: &Config) -> Result<(LeadFeatures, Fitted), TabularError> {
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
    let attributes: BTreeSet<String> =
        surveyed.attributes.iter().map(engine::score::Attribute::column).collect();
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
