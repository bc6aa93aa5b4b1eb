//! The stage where everything meets: factors, the prediction, and the frame around it.

use std::collections::BTreeMap;

use super::elasticity::Elasticity;
use super::fairness::{Judged, judge};
use super::history::{history, pipeline};
use super::learnt::learnt;
use super::marts::Measured;
use super::scores::Scores;
use super::source::Sources;
use super::stage::{Measures, Windows};
use super::subjects::{SubjectInputs, columns};
use crate::adjust::Adjustment;
use crate::entity::Crm;
use crate::error::{EngineError, Result};
use crate::factor::{FACTORS, Factor, FactorInputs, ModelValues, factors};
use crate::lake::Lake;
use crate::measure::real;
use crate::quota::{
    Effects, Forecast, Learnt, PredictInput, Predictor, Previous, QuotaInputs, QuotaRun, Span, bases, before,
    proposals, quotas as frame,
};
use crate::rule::{Book, Columns, apply};
use crate::settings::Settings;
use crate::tile::Tiles;
use crate::time::Day;

/// The quotas and what they rest on.
#[derive(Debug)]
pub(super) struct Quotas {
    pub(super) run: QuotaRun,
    pub(super) ground: Ground,
    /// The approved adjustments that acted, in their order.
    pub(super) adjustments: Vec<Adjustment>,
    pub(super) predictor: String,
    /// Where attainment counts more.
    pub(super) elasticity: Elasticity,
    /// How hard the quotas are for groups of reps.
    pub(super) fairness: Vec<Judged>,
}

/// What quotas are made of before rules, adjustments and plan act. Rows are reps on duty, by ascending id.
#[derive(Debug)]
pub(super) struct Ground {
    pub(super) basis: Basis,
    /// By position in the CRM.
    pub(super) factors: Vec<[Factor; 18]>,
    pub(super) forecast: Box<dyn Forecast>,
    pub(super) attained: Vec<i64>,
    pub(super) proposals: Vec<i64>,
    pub(super) bases: Vec<i64>,
    /// What rules can ask about.
    pub(super) subjects: Columns,
}

/// What quotas rest on that no event of the day itself changes, but for what models say.
#[derive(Debug)]
pub(super) struct Basis {
    /// Positions in the CRM of the reps on duty.
    pub(super) reps: Vec<usize>,
    /// What the prediction is made from.
    pub(super) input: PredictInput,
    pub(super) learnt: Learnt,
    /// The product of each one's factor effects when the period began; none where nothing was published of it yet, so
    /// that it begins today.
    start: Vec<Option<f64>>,
    /// Decayed mean of log(actual ÷ quota) over past periods, by rep id.
    attainment: BTreeMap<String, f64>,
    /// What models say.
    pub(super) models: ModelValues,
    pub(super) previous: BTreeMap<String, Previous>,
    pub(super) previous_as_of: Option<Day>,
}

/// What earlier runs published that quotas rest on.
#[derive(Debug)]
pub(super) struct Earlier {
    previous_as_of: Option<Day>,
    previous: BTreeMap<String, Previous>,
    /// The product of each rep's factor effects when the period began, by rep id.
    opening: BTreeMap<String, f64>,
}

impl Earlier {
    pub(super) fn read(sources: &Sources, settings: &Settings, as_of: Day) -> Result<Self> {
        let period = Span::of(as_of, settings.quota.period);
        let (previous_as_of, previous) = sources.previous_quotas(&period, as_of)?;
        Ok(Self { previous_as_of, previous, opening: sources.opening_effects(as_of, &period)? })
    }
}

/// Reads what was sold, beside what earlier runs published.
pub(super) async fn basis(
    lake: &Lake,
    (sources, earlier): (&Sources, Earlier),
    (tiles, windows): (&Tiles, &Windows),
    (settings, predictor): (&Settings, &dyn Predictor),
    as_of: Day,
) -> Result<Basis> {
    let crm = &windows.crm;
    let reps: Vec<usize> = (0..crm.reps.len()).filter(|&rep| crm.reps[rep].on_duty(as_of)).collect();
    let history = history(lake, tiles, windows, settings, as_of).await?;
    let learnt = learnt(lake, sources, crm, &history, predictor).await?;
    let input = history.input;
    let attainment = attainment(sources, crm, &input, settings, as_of)?;
    let Earlier { previous_as_of, previous, opening } = earlier;
    let start = reps.iter().map(|&rep| opening.get(&crm.reps[rep].id).copied()).collect();
    let models = ModelValues::default();
    Ok(Basis { reps, input, learnt, start, attainment, models, previous, previous_as_of })
}

impl Basis {
    /// Takes in what models say.
    pub(super) fn ask(&mut self, windows: &Windows, measures: &Measures, scores: &Scores, as_of: Day) {
        let leads = (&measures.leads[..], scores.leads.as_ref());
        let deals = (&measures.opportunities[..], scores.deals.as_ref());
        self.models = ModelValues::new(&windows.crm, &windows.facts, leads, deals);
        self.input.pipeline = pipeline(windows, &self.reps, measures, scores.deals.as_ref(), as_of);
    }

    /// What the factors are made of, `season` being the season index of the period.
    pub(super) fn factor_inputs<'a>(
        &'a self,
        windows: &'a Windows,
        measures: &'a Measures,
        settings: &'a Settings,
        (season, as_of): (f64, Day),
    ) -> FactorInputs<'a> {
        FactorInputs {
            crm: &windows.crm,
            market: &windows.market,
            portfolios: &measures.portfolios.reps,
            process: &measures.process,
            capability: &measures.capability,
            season,
            attainment: &self.attainment,
            models: &self.models,
            settings,
            as_of,
        }
    }

    /// The effects of a row's factors.
    pub(super) fn effects(&self, row: usize, factors: &[Factor; FACTORS.len()]) -> Effects {
        let now: f64 = factors.iter().map(|factor| factor.effect).product();
        Effects { now, start: self.start.get(row).copied().flatten().unwrap_or(now) }
    }
}

/// What a predictor refuses is the input's fault.
pub(super) fn refuse(message: impl std::fmt::Display) -> EngineError {
    EngineError::Input(format!("predicting quotas: {message}"))
}

pub(super) fn quotas(
    mut basis: Basis,
    sources: &Sources,
    day: &Measured<'_>,
    (predictor, book): (&dyn Predictor, &Book),
) -> Result<Quotas> {
    let Measured { windows, measures, scores, settings, as_of, .. } = *day;
    basis.ask(windows, measures, scores, as_of);
    let ground = ground(basis, windows, measures, settings, predictor, as_of)?;
    let (basis, adjustments) = (&ground.basis, sources.adjustments(as_of, settings));
    let run = frame(QuotaInputs {
        crm: &windows.crm,
        reps: &basis.reps,
        period: &windows.period,
        plan: &windows.crm.plan,
        attained: &ground.attained,
        factors: &ground.factors,
        forecast: ground.forecast.as_ref(),
        proposals: &ground.proposals,
        bases: &ground.bases,
        book,
        ruled: apply(book, as_of, &ground.subjects, &ground.proposals, &ground.bases),
        adjustments: &adjustments,
        previous: &basis.previous,
        before: &before(&windows.crm, &basis.reps, &basis.previous),
        settings: &settings.quota,
    })?;
    let fairness = judge(windows, &run, settings.quota.fairness_tolerance, as_of);
    let elasticity = Elasticity::of(windows, sources, settings, as_of)?;
    Ok(Quotas { run, ground, adjustments, predictor: predictor.name().to_owned(), elasticity, fairness })
}

/// What stands on a basis and the measures of the day.
fn ground(
    basis: Basis,
    windows: &Windows,
    measures: &Measures,
    settings: &Settings,
    predictor: &dyn Predictor,
    as_of: Day,
) -> Result<Ground> {
    let crm = &windows.crm;
    let neutral = predictor.predict(&basis.input, &basis.learnt).map_err(refuse)?;
    let factors = factors(&basis.factor_inputs(windows, measures, settings, (neutral.season(), as_of)));
    let effects: Vec<Effects> =
        basis.reps.iter().enumerate().map(|(row, &rep)| basis.effects(row, &factors[rep])).collect();
    let forecast = neutral.with_effects(&effects);
    let n = basis.reps.len();
    let signed = |rep: &usize| windows.reps_period.get(&crm.reps[*rep].id).amount_signed;
    let attained: Vec<i64> = basis.reps.iter().map(signed).collect();
    let proposals = proposals(forecast.as_ref(), n, &settings.quota);
    let expected: Vec<f64> = (0..n).map(|row| forecast.expected(row)).collect();
    let subjects = columns(&SubjectInputs {
        windows,
        measures,
        reps: &basis.reps,
        factors: &factors,
        attained: &attained,
        expected: &expected,
        proposals: &proposals,
        previous: &basis.previous,
        as_of,
    });
    Ok(Ground { bases: bases(forecast.as_ref(), n), basis, factors, forecast, attained, proposals, subjects })
}

/// Past quotas count half as much with every period further back.
const PERIOD_DECAY: f64 = 0.5;
/// Attainment below this counts as this: a rep who sold nothing has no logarithm.
const ATTAINMENT_MIN: f64 = 0.05;

/// Per rep id the decayed mean of log(actual ÷ quota) over past periods, the quota the first published in each.
fn attainment(
    sources: &Sources,
    crm: &Crm,
    input: &PredictInput,
    settings: &Settings,
    as_of: Day,
) -> Result<BTreeMap<String, f64>> {
    let mut sums: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    let on_duty = (0..crm.reps.len()).filter(|&rep| crm.reps[rep].on_duty(as_of));
    let rows: BTreeMap<&str, usize> =
        on_duty.enumerate().map(|(row, rep)| (crm.reps[rep].id.as_str(), row)).collect();
    for (age, span, run) in sources.openings(as_of, settings.quota.period) {
        let weight = PERIOD_DECAY.powi(age);
        for (rep, quota) in sources.quotas_of(run, &span.name)?.into_iter().filter(|(_, quota)| *quota > 0) {
            let Some(&row) = rows.get(rep.as_str()) else { continue };
            let attained = (input.sold(row, span.first..span.last + 1) / real(quota)).max(ATTAINMENT_MIN);
            let sum = sums.entry(rep).or_default();
            sum.0 += weight * attained.ln();
            sum.1 += weight;
        }
    }
    Ok(sums.into_iter().map(|(rep, (sum, weights))| (rep, sum / weights)).collect())
}
