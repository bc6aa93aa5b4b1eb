//! The model of wins, judged by what it is used for: the chance of a win by the period's end, within thirty days.

use engine::score::{DealLook, DealRows, Stay, StayEnd, WinScorer as _};
use engine::time::{Day, date};
use models::hazard::{self, DAYS_MAX, End, Forecast, Hazards};
use models::tabular::{TabularError, measure};
use serde_json::json;

use super::judge::{Compared, Groups, base_rate, judged_days, rate_by};
use super::{Fitted, Trained, too_few};
use crate::config::Model as Config;
use crate::model_file::model_id;
use crate::win_model::{WIN, WinModel};

/// Fits and judges a model of wins. Where nothing can be learnt, the error says why.
pub(crate) fn train_wins(
    rows: &DealRows,
    in_use: Option<(&WinModel, Day)>,
    config: &Config,
    as_of: Day,
) -> anyhow::Result<Fitted> {
    let days: Vec<Day> = rows.looks.iter().map(|look| look.day).collect();
    let labels: Vec<bool> = rows.looks.iter().map(|look| look.won).collect();
    let Some(split) = judged_days(&days, &labels, config.rows_min) else {
        return Ok(Err(too_few("open opportunities", "were won", &labels, config)));
    };
    let stages = rows.stages.len() + 1;
    let fitted = |until: Day| hazard::fit(&stays(&rows.stays(until)), stages);
    let first = match fitted(split.from) {
        Ok(first) => first,
        Err(TabularError::Solver { reason }) => anyhow::bail!("fitting a model of wins: {reason}"),
        Err(error) => return Ok(Err(format!("opportunities: {error}"))),
    };
    let looks: Vec<&DealLook> = split.judged.iter().map(|&row| &rows.looks[row]).collect();
    let forecast = Forecast::new(&first);
    let own: Vec<f64> =
        looks.iter().map(|look| forecast.p_win(look.stage, look.age, look.days_ahead)).collect();
    let codes: Vec<Option<usize>> = rows.looks.iter().map(|look| Some(look.stage)).collect();
    let mut compared = Compared::new(&split, &labels, &own);
    compared.plain("the base rate", &base_rate(&split, &labels));
    compared.plain("the rate by stage", &rate_by(&codes, &split, &labels));
    let ruling = match in_use.filter(|(model, _)| model.stages() == rows.stages) {
        Some((model, fitted_on)) => {
            let theirs: Vec<f64> =
                looks.iter().map(|look| model.p_win(look.stage, look.age, look.days_ahead)).collect();
            compared.in_use(model.id(), fitted_on, &days, &theirs, config.margin)
        }
        None => compared.verdict(config.margin),
    };
    let all = stays(&rows.stays(as_of));
    let hazards = hazard::fit(&all, stages)?;
    // Without an interval where a part of the stays says too little.
    let parts = hazard::parts(&all, &hazards).unwrap_or_default();
    let bytes = WinModel::to_bytes(rows.stages.clone(), hazards.clone(), parts, date(as_of).to_string())?;
    let name = |stage: &usize| rows.stages.get(*stage).and_then(|names| names.first()).cloned();
    Ok(Ok(Trained {
        name: WIN,
        id: model_id(&bytes),
        bytes,
        verdict: ruling,
        rows: labels.len(),
        fitted_rows: all.len(),
        fitted_on: "stays in stages",
        censored: (all.iter().filter(|stay| stay.end == End::Open).count(), "of them are not over yet"),
        judged_days: split.span(&days),
        score: compared.own(),
        groups: Groups::new(&split, &labels, &own).by("stage", &codes, name),
        levels: None,
        against: compared.against,
        calibration: measure(&own, &split.labels(&labels)).calibration,
        parameters: json!({
            "penalties": hazards.penalties,
            "stages": rows.stages,
            "hazards": table(&hazards),
            "working_days_ahead": DAYS_MAX,
        }),
        importance: Vec::new(),
    }))
}

/// Hazards by stage on the first, tenth and thirtieth working day.
fn table(hazards: &Hazards) -> serde_json::Value {
    let of = |stage: usize| [0, 9, 29].map(|age| hazards.on(stage, age));
    json!((0..hazards.stages()).map(of).collect::<Vec<_>>())
}

/// Stays as the model wants them.
fn stays(stays: &[Stay]) -> Vec<hazard::Stay> {
    let end = |end: StayEnd| match end {
        StayEnd::Open => End::Open,
        StayEnd::Moved(to) => End::Moved(to),
        StayEnd::Won => End::Won,
        StayEnd::Lost => End::Lost,
    };
    stays.iter().map(|stay| hazard::Stay { stage: stay.stage, days: stay.days, end: end(stay.end) }).collect()
}
