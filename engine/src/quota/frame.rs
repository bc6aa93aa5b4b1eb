//! The frame around a prediction: proposal → rules, adjustments → reconciliation → explanation, for every rep on duty.

use std::collections::BTreeMap;

use super::terms::{Previous, Terms};
use super::{
    Bound, Explainer, Forecast, Limits, Region, RegionOutcome, RelaxOrder, Span, TreeReconciled,
    reconcile_tree, step_ratio,
};
use crate::adjust::{Adjustment, Placed};
use crate::entity::Crm;
use crate::error::{EngineError, Result};
use crate::factor::Factor;
use crate::measure::real;
use crate::rule::{Book, Ruled, apply_beyond_plan};
use crate::settings;

/// What the frame needs beside the forecast. Vectors run over `reps`.
#[derive(Debug)]
pub(crate) struct QuotaInputs<'a> {
    pub(crate) crm: &'a Crm,
    /// Positions in the CRM of the reps on duty.
    pub(crate) reps: &'a [usize],
    pub(crate) period: &'a Span,
    /// Target per period and region position, minor units.
    pub(crate) plan: &'a BTreeMap<(String, usize), i64>,
    pub(crate) attained: &'a [i64],
    /// By position in the CRM.
    pub(crate) factors: &'a [[Factor; 18]],
    pub(crate) forecast: &'a dyn Forecast,
    /// [`proposals`] and [`bases`].
    pub(crate) proposals: &'a [i64],
    pub(crate) bases: &'a [i64],
    /// The rules, and what they did to the proposals.
    pub(crate) book: &'a Book,
    pub(crate) ruled: Vec<Ruled>,
    /// The approved adjustments that act, in their order.
    pub(crate) adjustments: &'a [Adjustment],
    /// The published quotas of an earlier day of the period, by rep id.
    pub(crate) previous: &'a BTreeMap<String, Previous>,
    /// The same, see [`before`].
    pub(crate) before: &'a [Option<&'a Previous>],
    pub(crate) settings: &'a settings::Quota,
}

/// The quotas of a run.
#[derive(Debug)]
pub(crate) struct QuotaRun {
    pub(crate) rows: Vec<Row>,
    /// What the ratios and contributions of a row belong to.
    pub(crate) terms: Terms,
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
    pub(crate) quota: i64,
    pub(crate) previous: Option<i64>,
    pub(crate) p_attain: f64,
    pub(crate) scale: f64,
    pub(crate) bound: Bound,
    /// What the rules did, and the proposal after them.
    pub(crate) ruled: Ruled,
    /// One per term.
    pub(crate) ratios: Vec<f64>,
    /// Contributions of the terms; with the base they add up to the quota.
    pub(crate) level: Vec<i64>,
    /// Contributions to the change since the previous quota: the base's, then one per term.
    pub(crate) change: Option<Vec<i64>>,
}

/// The only place where a forecast becomes minor units again.
#[expect(clippy::cast_possible_truncation, reason = "clamped to what an i64 holds exactly")]
pub(crate) fn minor(value: f64) -> i64 {
    if value.is_finite() { value.round().clamp(-9.0e15, 9.0e15) as i64 } else { 0 }
}

/// The proposal of every rep on duty: the (1 − τ) quantile of what it can achieve.
pub(crate) fn proposals(forecast: &dyn Forecast, reps: usize, settings: &settings::Quota) -> Vec<i64> {
    (0..reps).map(|row| proposal(forecast, row, settings)).collect()
}

/// The proposal of one rep.
pub(crate) fn proposal(forecast: &dyn Forecast, row: usize, settings: &settings::Quota) -> i64 {
    minor(forecast.quantile(row, 1.0 - settings.attain_probability)).max(1)
}

/// The base of every rep on duty: what it would sell in the period at neutral factors.
pub(crate) fn bases(forecast: &dyn Forecast, reps: usize) -> Vec<i64> {
    (0..reps).map(|row| base(forecast, row)).collect()
}

/// The base of one rep.
pub(crate) fn base(forecast: &dyn Forecast, row: usize) -> i64 {
    minor(forecast.base(row)).max(1)
}

/// The published quotas of an earlier day, over `reps`.
pub(crate) fn before<'a>(
    crm: &Crm,
    reps: &[usize],
    previous: &'a BTreeMap<String, Previous>,
) -> Vec<Option<&'a Previous>> {
    reps.iter().map(|&rep| previous.get(&crm.reps[rep].id)).collect()
}

/// Reconciles and explains the quota of every rep on duty.
///
/// # Errors
/// [`EngineError::Input`] where the inputs' lengths contradict each other.
pub(crate) fn quotas(mut inputs: QuotaInputs<'_>) -> Result<QuotaRun> {
    let mut ruled = std::mem::take(&mut inputs.ruled);
    let Settled { quotas, solved } = settle(&inputs, &mut ruled)?;
    let terms = Terms::new(inputs.book, inputs.adjustments, &ruled, inputs.previous);
    let mut explainer = Explainer::new();
    let rows = ruled
        .into_iter()
        .enumerate()
        .map(|(row, ruled)| explain(&inputs, row, (quotas[row], ruled), &solved, &terms, &mut explainer))
        .collect::<Result<_>>()?;
    Ok(QuotaRun { rows, terms, regions: solved.regions, findings: solved.findings })
}

/// Quotas without their explanation.
#[derive(Debug)]
pub(crate) struct Settled {
    /// Per rep on duty, in minor units.
    pub(crate) quotas: Vec<i64>,
    /// Before what acts beyond plan; the sums of regions are after it.
    pub(crate) solved: TreeReconciled,
}

/// What is in `ruled` after the rules, adjusted, reconciled, and moved beyond plan.
///
/// # Errors
/// [`EngineError::Input`] where the inputs' lengths contradict each other.
pub(crate) fn settle(inputs: &QuotaInputs<'_>, ruled: &mut [Ruled]) -> Result<Settled> {
    let placed = place(inputs.adjustments, inputs.crm, inputs.reps);
    for row in placed.rows() {
        if let Some(ruled) = ruled.get_mut(row) {
            placed.adjust(inputs.adjustments, row, ruled);
        }
    }
    let limits: Vec<Limits> = (ruled.iter().enumerate())
        .map(|(row, ruled)| limits(inputs.forecast.base(row), inputs.settings, ruled, inputs.before[row]))
        .collect();
    let proposals: Vec<i64> = ruled.iter().map(|ruled| ruled.proposal).collect();
    let mut solved = solve(inputs.crm, inputs.reps, (inputs.period, inputs.plan), &proposals, &limits)?;
    let quotas: Vec<i64> = (ruled.iter_mut().enumerate())
        .map(|(row, ruled)| {
            let amounts = (solved.quota[row], inputs.bases[row]);
            let previous = inputs.before[row].map(|previous| previous.quota);
            let quota = apply_beyond_plan(inputs.book, ruled, amounts, previous);
            placed.adjust_beyond_plan(inputs.adjustments, row, (ruled, quota))
        })
        .collect();
    let mut extra = vec![0; inputs.crm.regions.ids.len()];
    for (row, &rep) in inputs.reps.iter().enumerate() {
        let regions =
            inputs.crm.reps[rep].region.into_iter().flat_map(|region| inputs.crm.regions.upward(region));
        regions.for_each(|region| extra[region] += quotas[row] - solved.quota[row]);
    }
    for (outcome, extra) in solved.regions.iter_mut().zip(extra) {
        outcome.quota_total += extra;
        outcome.difference = outcome.difference.map(|difference| difference + extra);
    }
    Ok(Settled { quotas, solved })
}

/// Which rows approved adjustments are about. `reps` are positions in the CRM, by ascending id.
pub(crate) fn place(adjustments: &[Adjustment], crm: &Crm, reps: &[usize]) -> Placed {
    let id = |rep: &usize| crm.reps[*rep].id.as_str();
    Placed::all(adjustments, |rep_id| reps.binary_search_by(|rep| id(rep).cmp(rep_id)).ok())
}

/// Makes proposals add up to the plans of a period. `reps` are positions in the CRM; `proposals`, after rules and
/// adjustments, and `limits` run over them. Plans are targets by period and region position, in minor units.
///
/// # Errors
/// [`EngineError::Input`] where the lengths differ.
pub(crate) fn solve(
    crm: &Crm,
    reps: &[usize],
    (period, plan): (&Span, &BTreeMap<(String, usize), i64>),
    proposals: &[i64],
    limits: &[Limits],
) -> Result<TreeReconciled> {
    let regions: Vec<Region> = (0..crm.regions.ids.len())
        .map(|region| Region {
            parent: crm.regions.parent[region].and_then(|parent| u32::try_from(parent).ok()),
            plan: plan.get(&(period.name.clone(), region)).copied(),
        })
        .collect();
    let rep_region: Vec<Option<u32>> =
        reps.iter().map(|&rep| crm.reps[rep].region.and_then(|region| u32::try_from(region).ok())).collect();
    reconcile_tree(&regions, &rep_region, proposals, limits, RelaxOrder::default())
        .map_err(|error| EngineError::Input(error.to_string()))
}

/// The limits of one rep, given its base and the quota published before. What a rule says goes before what the
/// configuration says, and what was approved before both.
pub(crate) fn limits(
    base: f64,
    settings: &settings::Quota,
    ruled: &Ruled,
    previous: Option<&Previous>,
) -> Limits {
    // A share of nothing limits nothing: without any history the base is no yardstick, today's or the last.
    let share = |share: f64| (base >= 1.0).then(|| minor(base * share));
    let usual_floor = share(settings.floor_share);
    let usual_ceiling = share(settings.ceiling_share).map(|ceiling| ceiling.max(1));
    let most = |amount: i64| ruled.cap.map_or(amount, |cap| amount.min(cap));
    let least = |amount: i64| ruled.floor.map_or(amount, |floor| amount.max(floor));
    let limits = Limits {
        floor: usual_floor.map(most).map(least).or(ruled.floor),
        ceiling: usual_ceiling.map(least).map(most).or(ruled.cap),
        frozen: ruled
            .pinned
            .or_else(|| ruled.frozen.then(|| previous.map_or(ruled.proposal, |previous| previous.quota))),
        ..Limits::default()
    };
    match previous.filter(|previous| previous.base > 1) {
        Some(previous) => limits.with_daily_cap(previous.quota, settings.daily_move_max),
        None => limits,
    }
}

fn explain(
    inputs: &QuotaInputs<'_>,
    row: usize,
    (quota, ruled): (i64, Ruled),
    solved: &TreeReconciled,
    terms: &Terms,
    explainer: &mut Explainer,
) -> Result<Row> {
    let rep = inputs.reps[row];
    let forecast = inputs.forecast;
    let (reconciled, scale, base) = (solved.quota[row], solved.scale[row], inputs.bases[row]);
    let expected = minor(forecast.expected(row)).max(0);
    let without_pipeline = minor(forecast.without_pipeline(row)).max(0);
    let effects = || inputs.factors[rep].iter().map(|factor| factor.effect);
    let neutral = minor(effects().product::<f64>() * real(base));
    let scaled = minor(real(ruled.proposal) * scale);
    let steps = [
        step_ratio(neutral, without_pipeline),
        step_ratio(without_pipeline, expected),
        step_ratio(expected, inputs.proposals[row]),
        step_ratio(ruled.proposal, scaled),
        step_ratio(scaled, reconciled),
    ];
    let ratios = terms.ratios(effects(), steps, &ruled);
    let bad = |error: super::QuotaError| EngineError::Input(error.to_string());
    let mut level = vec![0; ratios.len()];
    explainer.level(base, quota, &ratios, &mut level).map_err(bad)?;
    let previous = inputs.before[row];
    let change = match previous.filter(|previous| !previous.ratios.is_empty()) {
        Some(previous) => {
            let with_base = |base: i64, ratios: &[f64]| -> Vec<f64> {
                std::iter::once(real(base)).chain(ratios.iter().copied()).collect()
            };
            let mut change = vec![0; ratios.len() + 1];
            let (before, after) = (with_base(previous.base, &terms.of(previous)), with_base(base, &ratios));
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
        low: minor(forecast.low(row)),
        high: minor(forecast.high(row)),
        quota,
        previous: previous.map(|previous| previous.quota),
        p_attain: forecast.p_at_least(row, real(quota)),
        scale,
        bound: solved.bound[row],
        ruled,
        ratios,
        level,
        change,
    })
}
