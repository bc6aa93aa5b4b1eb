//! The model of customers, judged by the chance of an order within thirty days.

use engine::score::{Cells, CustomerRows, CustomerScorer as _, MISSING};
use engine::time::{Day, date};
use models::survival::{Came, ROWS_MAX, Survival, fit};
use models::tabular::{TabularError, measure};
use serde_json::json;

use super::judge::{Compared, Group, Groups, Split, base_rate, judged_days, rate_by};
use super::{Fitted, Trained, too_few};
use crate::config::Model as Config;
use crate::customer_model::{CUSTOMER, CustomerModel, customers};
use crate::model_file::model_id;

/// Fits and judges a model of customers. Where nothing can be learnt, the error says why.
pub(crate) fn train_customers(
    rows: &CustomerRows,
    in_use: Option<(&CustomerModel, Day)>,
    config: &Config,
    as_of: Day,
) -> anyhow::Result<Fitted> {
    let labels: Vec<bool> = rows.orders.iter().map(|&orders| orders > 0.0).collect();
    let days = &rows.days;
    let Some(split) = judged_days(days, &labels, config.rows_min) else {
        return Ok(Err(too_few("customers who have ordered", "ordered again", &labels, config)));
    };
    let asked = customers(&rows.cases).map_err(anyhow::Error::msg)?;
    let came = Came { ordered: &labels, orders: &rows.orders };
    let first = match fit(&asked, &split.train, &came) {
        Ok(first) => first,
        Err(TabularError::Solver { reason }) => anyhow::bail!("fitting a model of customers: {reason}"),
        Err(error) => return Ok(Err(format!("customers: {error}"))),
    };
    let of_judged = |model: &Survival| -> Vec<f64> {
        let all = model.p_order(&asked);
        split.judged.iter().map(|&row| all[row]).collect()
    };
    let own = of_judged(&first);
    let mut compared = Compared::new(&split, &labels, &own);
    compared.plain("the base rate", &base_rate(&split, &labels));
    compared.plain("the rate by stage of life", &rate_by(&rows.stages, &split, &labels));
    let ruling = match in_use {
        Some((model, fitted_on)) => {
            let theirs = of_judged(model.survival());
            compared.in_use(model.id(), fitted_on, days, &theirs, config.margin)
        }
        None => compared.verdict(config.margin),
    };
    let all: Vec<usize> = (0..days.len()).collect();
    let survival = fit(&asked, &all, &came)?;
    let (intercept, weights) = survival.weights();
    let parameters = json!({
        "penalty": survival.penalty,
        "intercept": intercept,
        "weights": survival.columns().into_iter().zip(weights.iter().copied()).collect::<Vec<(String, f64)>>(),
    });
    let bytes = CustomerModel::to_bytes(survival, date(as_of).to_string())?;
    Ok(Ok(Trained {
        name: CUSTOMER,
        id: model_id(&bytes),
        bytes,
        verdict: ruling,
        rows: days.len(),
        fitted_rows: all.len().min(ROWS_MAX),
        fitted_on: "looks at customers who have ordered",
        censored: (rows.censored, "later looks are left out, their 30 days are not over"),
        judged_days: split.span(days),
        score: compared.own(),
        groups: groups(rows, &split, &labels, &own),
        levels: None,
        against: compared.against,
        calibration: measure(&own, &split.labels(&labels)).calibration,
        parameters,
        importance: Vec::new(),
    }))
}

/// The judged rows by segment and by stage of life.
fn groups(rows: &CustomerRows, split: &Split, labels: &[bool], own: &[f64]) -> Vec<Group> {
    let groups = Groups::new(split, labels, own);
    let mut all = Vec::new();
    if let Some(Cells::Text { codes, levels }) = rows.cases.column("segment") {
        let codes: Vec<Option<u32>> = codes.iter().map(|&code| (code != MISSING).then_some(code)).collect();
        all = groups.by("segment", &codes, |code| levels.get(usize::try_from(*code).ok()?).cloned());
    }
    let stages: Vec<Option<&str>> = rows.stages.iter().map(|stage| Some(*stage)).collect();
    all.extend(groups.by("lifecycle_stage", &stages, |stage| Some((*stage).to_owned())));
    all
}
