//! The stage where everything meets: factors, the prediction, and the frame around it.

use std::collections::BTreeMap;

use chrono::Datelike;

use super::elasticity::Elasticity;
use super::fairness::{Judged, judge};
use super::scores::Scores;
use super::source::Sources;
use super::stage::{Measures, Windows};
use super::subjects::{SubjectInputs, columns};
use crate::adjust::Adjustment;
use crate::error::{EngineError, Result};
use crate::factor::{FactorInputs, ModelValues, factors};
use crate::lake::Lake;
use crate::measure::real;
use crate::quota::{
    Forecast, PredictInput, Predictor, Previous, QuotaInputs, QuotaRun, bases, before, months_before,
    proposals, quotas as frame,
};
use crate::rule::{Book, Columns, apply};
use crate::settings::Settings;
use crate::tile::Tiles;
use crate::tile::rep::RepTile;
use crate::time::{Day, date};

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
    pub(super) factors: Vec<[crate::factor::Factor; 18]>,
    pub(super) forecast: Box<dyn Forecast>,
    pub(super) attained: Vec<i64>,
    pub(super) proposals: Vec<i64>,
    pub(super) bases: Vec<i64>,
    /// What rules can ask about.
    pub(super) subjects: Columns,
}

/// What quotas rest on that no event of the day itself changes.
#[derive(Debug)]
pub(super) struct Basis {
    /// Positions in the CRM of the reps on duty.
    pub(super) reps: Vec<usize>,
    /// What the prediction is made from; a [`Ground`] adds the effects of factors.
    pub(super) input: PredictInput,
    /// By month of the year.
    pub(super) season: [f64; 12],
    /// The season index of the period.
    period_season: f64,
    /// Decayed mean of log(actual ÷ quota) over past periods, by rep id.
    attainment: BTreeMap<String, f64>,
    /// What models say.
    models: ModelValues,
    pub(super) previous: BTreeMap<String, Previous>,
    pub(super) previous_as_of: Option<Day>,
}

/// Reads the months, and what earlier runs published.
pub(super) async fn basis(
    lake: &Lake,
    sources: &Sources,
    (tiles, windows): (&Tiles, &Windows),
    settings: &Settings,
    predictor: &dyn Predictor,
    as_of: Day,
) -> Result<Basis> {
    let crm = &windows.crm;
    let reps: Vec<usize> = (0..crm.reps.len()).filter(|&rep| crm.reps[rep].on_duty(as_of)).collect();
    let first_event = tiles.days(as_of).next().unwrap_or(as_of);
    let months: Vec<(Day, Day)> = months_before(windows.period.first, settings.quota.history_months)
        .into_iter()
        .filter(|(_, last)| *last >= first_event)
        .collect();
    let history = tiles.rep_months(lake, &months).await?;
    let input = predict_input(windows, &reps, &months, &history, as_of);
    let season = predictor.season(&per_day(&input, reps.len()), input.first_month).map_err(refuse)?;
    let period_season = mean(windows.period.months().iter().map(|&month| season[usize::from(month) - 1]));
    let attainment = attainment(sources, &history, settings, as_of)?;
    let (previous_as_of, previous) = sources.previous_quotas(&windows.period, as_of)?;
    let models = ModelValues::default();
    Ok(Basis { reps, input, season, period_season, attainment, models, previous, previous_as_of })
}

/// What a predictor refuses is the input's fault.
pub(super) fn refuse(message: impl std::fmt::Display) -> EngineError {
    EngineError::Input(format!("predicting quotas: {message}"))
}

impl Basis {
    /// What the factors are made of.
    pub(super) fn factor_inputs<'a>(
        &'a self,
        windows: &'a Windows,
        measures: &'a Measures,
        settings: &'a Settings,
        as_of: Day,
    ) -> FactorInputs<'a> {
        FactorInputs {
            crm: &windows.crm,
            market: &windows.market,
            portfolios: &measures.portfolios.reps,
            process: &measures.process,
            capability: &measures.capability,
            season: self.period_season,
            attainment: &self.attainment,
            models: &self.models,
            settings,
            as_of,
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "the stage where everything meets")]
pub(super) async fn quotas(
    lake: &Lake,
    sources: &Sources,
    tiles: &Tiles,
    windows: &Windows,
    measures: &Measures,
    scores: &Scores,
    settings: &Settings,
    predictor: &dyn Predictor,
    book: &Book,
    as_of: Day,
) -> Result<Quotas> {
    let mut basis = basis(lake, sources, (tiles, windows), settings, predictor, as_of).await?;
    let leads = (&measures.leads[..], scores.leads.as_ref());
    let deals = (&measures.opportunities[..], scores.deals.as_ref());
    basis.models = ModelValues::new(&windows.crm, &windows.facts, leads, deals);
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
    mut basis: Basis,
    windows: &Windows,
    measures: &Measures,
    settings: &Settings,
    predictor: &dyn Predictor,
    as_of: Day,
) -> Result<Ground> {
    let crm = &windows.crm;
    let factors = factors(&basis.factor_inputs(windows, measures, settings, as_of));
    let effects = |rep: &usize| factors[*rep].iter().map(|factor| factor.effect);
    basis.input.factor_effect = basis.reps.iter().flat_map(effects).collect();
    let forecast = predictor.predict(&basis.input, &basis.season).map_err(refuse)?;
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
    history: &BTreeMap<Day, RepTile>,
    settings: &Settings,
    as_of: Day,
) -> Result<BTreeMap<String, f64>> {
    let mut sums: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for (age, span, run) in sources.openings(as_of, settings.quota.period) {
        let weight = PERIOD_DECAY.powi(age);
        let tiles: Vec<&RepTile> = history.range(span.first..=span.last).map(|(_, tile)| tile).collect();
        for (rep, quota) in sources.quotas_of(run, &span.name)?.into_iter().filter(|(_, quota)| *quota > 0) {
            let actual: i64 = tiles.iter().map(|tile| tile.get(&rep).amount_signed).sum();
            let attained = (real(actual) / real(quota)).max(ATTAINMENT_MIN);
            let sum = sums.entry(rep).or_default();
            sum.0 += weight * attained.ln();
            sum.1 += weight;
        }
    }
    Ok(sums.into_iter().map(|(rep, (sum, weights))| (rep, sum / weights)).collect())
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut n) = (0.0_f64, 0.0_f64);
    for value in values {
        sum += value;
        n += 1.0;
    }
    if n > 0.0 { sum / n } else { 1.0 }
}

/// The company's amount per working day of every closed month.
fn per_day(input: &PredictInput, reps: usize) -> Vec<f64> {
    (0..input.n_months)
        .map(|month| {
            let total: f64 = (0..reps).map(|rep| input.history[rep * input.n_months + month]).sum();
            let worked: f64 = (0..reps).map(|rep| input.worked[rep * input.n_months + month]).sum();
            if worked > 0.0 { (total / worked).max(0.0) } else { 0.0 }
        })
        .collect()
}

fn predict_input(
    windows: &Windows,
    reps: &[usize],
    months: &[(Day, Day)],
    history: &BTreeMap<Day, RepTile>,
    as_of: Day,
) -> PredictInput {
    let crm = &windows.crm;
    let no_region = u32::try_from(crm.regions.ids.len()).unwrap_or(u32::MAX);
    let mut input = PredictInput {
        n_months: months.len(),
        first_month: months
            .first()
            .and_then(|(first, _)| u8::try_from(date(*first).month()).ok())
            .unwrap_or(1),
        working_days: months.iter().map(|&(first, last)| real(crm.working_days(first, last))).collect(),
        working_days_period: real(crm.working_days(windows.period.first, windows.period.last)),
        working_days_left: real(crm.working_days(as_of + 1, windows.period.last)),
        ..PredictInput::default()
    };
    for &rep in reps {
        let person = &crm.reps[rep];
        for &(first, last) in months {
            let tile = history.get(&first).map(|tile| tile.get(&person.id)).unwrap_or_default();
            input.history.push(real(tile.amount_signed));
            let from = person.hired_on.unwrap_or(first).max(first);
            input.worked.push(real(crm.working_days(from, last)));
        }
        input.region.push(person.region.and_then(|region| u32::try_from(region).ok()).unwrap_or(no_region));
        // Where nobody says when a rep was hired, the rep counts as experienced.
        let months = person.hired_on.map_or(60.0, |hired| f64::from((as_of - hired).max(0)) / 30.4);
        input.tenure_months.push(months);
        input.attained.push(real(windows.reps_period.get(&person.id).amount_signed));
    }
    input
}
