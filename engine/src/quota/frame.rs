//! The frame around a prediction: proposal → reconciliation → explanation, for every rep on duty.

use std::collections::BTreeMap;

use super::{
    Bound, Explainer, Forecast, Limits, Region, RegionOutcome, RelaxOrder, Span, TreeReconciled,
    reconcile_tree, step_ratio,
};
use crate::entity::Crm;
use crate::error::{EngineError, Result};
use crate::factor::{FACTORS, Factor};
use crate::settings;

/// What the frame needs beside the forecast. Vectors run over `reps`.
#[derive(Debug)]
pub(crate) struct QuotaInputs<'a> {
    pub(crate) crm: &'a Crm,
    /// Positions in the CRM of the reps on duty.
    pub(crate) reps: &'a [usize],
    pub(crate) period: &'a Span,
    pub(crate) attained: &'a [i64],
    /// By position in the CRM.
    pub(crate) factors: &'a [[Factor; 18]],
    pub(crate) forecast: &'a dyn Forecast,
    /// The published quotas of an earlier day of the period, by rep id.
    pub(crate) previous: &'a BTreeMap<String, Previous>,
    pub(crate) settings: &'a settings::Quota,
}

/// A quota published before, with the ratios that explain it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Previous {
    pub(crate) quota: i64,
    pub(crate) base: i64,
    pub(crate) ratios: Vec<f64>,
}

/// Terms of an explanation after the base: the factors, then these.
pub(crate) const STEPS: [&str; 4] = ["progress", "ambition", "plan", "bound"];
/// Terms after the base.
pub(crate) const TERMS: usize = FACTORS.len() + STEPS.len();

/// The quotas of a run.
#[derive(Debug)]
pub(crate) struct QuotaRun {
    pub(crate) rows: Vec<Row>,
    /// Per region of the CRM.
    pub(crate) regions: Vec<RegionOutcome>,
    pub(crate) findings: Vec<super::Finding>,
}

/// One rep's quota. Money in minor units.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) rep: usize,
    pub(crate) attained: i64,
    pub(crate) base: i64,
    pub(crate) expected: i64,
    pub(crate) low: i64,
    pub(crate) high: i64,
    pub(crate) proposal: i64,
    pub(crate) quota: i64,
    pub(crate) previous: Option<i64>,
    pub(crate) p_attain: f64,
    pub(crate) scale: f64,
    pub(crate) bound: Bound,
    /// One per term.
    pub(crate) ratios: Vec<f64>,
    /// Contributions of the terms; with the base they add up to the quota.
    pub(crate) level: Vec<i64>,
    /// Contributions to the change since the previous quota: the base's, then one per term.
    pub(crate) change: Option<Vec<i64>>,
}

/// The only place where a forecast becomes minor units again.
#[expect(clippy::cast_possible_truncation, reason = "clamped to what an i64 holds exactly")]
fn minor(value: f64) -> i64 {
    if value.is_finite() { value.round().clamp(-9.0e15, 9.0e15) as i64 } else { 0 }
}

/// Proposes, reconciles and explains the quota of every rep on duty.
///
/// # Errors
/// [`EngineError::Input`] where the inputs' lengths contradict each other.
pub(crate) fn quotas(inputs: &QuotaInputs<'_>) -> Result<QuotaRun> {
    let proposals: Vec<i64> = (0..inputs.reps.len())
        .map(|row| minor(inputs.forecast.quantile(row, 1.0 - inputs.settings.attain_probability)).max(1))
        .collect();
    let solved = solve(inputs, &proposals)?;
    let mut explainer = Explainer::new();
    let mut rows = Vec::with_capacity(inputs.reps.len());
    for (row, &proposal) in proposals.iter().enumerate() {
        rows.push(explain(inputs, row, proposal, &solved, &mut explainer)?);
    }
    Ok(QuotaRun { rows, regions: solved.regions, findings: solved.findings })
}

fn solve(inputs: &QuotaInputs<'_>, proposals: &[i64]) -> Result<TreeReconciled> {
    let crm = inputs.crm;
    let regions: Vec<Region> = (0..crm.regions.ids.len())
        .map(|region| Region {
            parent: crm.regions.parent[region].and_then(|parent| u32::try_from(parent).ok()),
            plan: crm.plan.get(&(inputs.period.name.clone(), region)).copied(),
        })
        .collect();
    let rep_region: Vec<Option<u32>> = inputs
        .reps
        .iter()
        .map(|&rep| crm.reps[rep].region.and_then(|region| u32::try_from(region).ok()))
        .collect();
    let limits: Vec<Limits> = inputs
        .reps
        .iter()
        .enumerate()
        .map(|(row, &rep)| {
            // A share of nothing limits nothing: without any history the base is no yardstick, today's or the last.
            let base = inputs.forecast.base(row);
            let share = |share: f64| (base >= 1.0).then(|| minor(base * share));
            let limits = Limits {
                floor: share(inputs.settings.floor_share),
                ceiling: share(inputs.settings.ceiling_share).map(|ceiling| ceiling.max(1)),
                ..Limits::default()
            };
            match inputs.previous.get(&crm.reps[rep].id).filter(|previous| previous.base > 1) {
                Some(previous) => limits.with_daily_cap(previous.quota, inputs.settings.daily_move_max),
                None => limits,
            }
        })
        .collect();
    reconcile_tree(&regions, &rep_region, proposals, &limits, RelaxOrder::default())
        .map_err(|error| EngineError::Input(error.to_string()))
}

fn explain(
    inputs: &QuotaInputs<'_>,
    row: usize,
    proposal: i64,
    solved: &TreeReconciled,
    explainer: &mut Explainer,
) -> Result<Row> {
    let rep = inputs.reps[row];
    let forecast = inputs.forecast;
    let (quota, scale) = (solved.quota[row], solved.scale[row]);
    let base = minor(forecast.base(row)).max(1);
    let expected = minor(forecast.expected(row)).max(0);
    let mut ratios: Vec<f64> = inputs.factors[rep].iter().map(|factor| factor.effect).collect();
    let neutral = ratios.iter().product::<f64>() * crate::measure::real(base);
    let scaled = minor(crate::measure::real(proposal) * scale);
    ratios.extend([
        step_ratio(minor(neutral), expected),
        step_ratio(expected, proposal),
        step_ratio(proposal, scaled),
        step_ratio(scaled, quota),
    ]);
    let bad = |error: super::QuotaError| EngineError::Input(error.to_string());
    let mut level = vec![0; TERMS];
    explainer.level(base, quota, &ratios, &mut level).map_err(bad)?;
    let previous = inputs.previous.get(&inputs.crm.reps[rep].id);
    let change = match previous.filter(|previous| previous.ratios.len() == TERMS) {
        Some(previous) => {
            let with_base = |base: i64, ratios: &[f64]| -> Vec<f64> {
                std::iter::once(crate::measure::real(base)).chain(ratios.iter().copied()).collect()
            };
            let mut change = vec![0; TERMS + 1];
            let (before, after) = (with_base(previous.base, &previous.ratios), with_base(base, &ratios));
            explainer.change((previous.quota, &before), (quota, &after), &mut change).map_err(bad)?;
            Some(change)
        }
        None => None,
    };
    Ok(Row {
        rep,
        attained: inputs.attained[row],
        base,
        expected,
        low: minor(forecast.quantile(row, 0.1)),
        high: minor(forecast.quantile(row, 0.9)),
        proposal,
        quota,
        previous: previous.map(|previous| previous.quota),
        p_attain: forecast.p_at_least(row, crate::measure::real(quota)),
        scale,
        bound: solved.bound[row],
        ratios,
        level,
        change,
    })
}
