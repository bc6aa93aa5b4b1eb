//! Quotas of a period from a plain table: forecast, calibrate, take the quantile.

use std::sync::Arc;

use super::calendar::Cadence;
use super::calibrate::{Calibration, at};
use super::deviation::Kernels;
use super::factors::{changes, effect, usual};
use super::forecast::{Ask, LeansOn, Raw, RawForecast, raw};
use super::input::Panel;
use super::learnt::{Learnt, learn};
use super::window::{MONTHS_MAX, Window};
use crate::error::{ModelError, Range, check_values};

/// What the company wants of its quotas.
///
/// | parameter | default | purpose | range |
/// |---|---|---|---|
/// | `attain_probability` | 0.60 | τ, the chance with which a rep shall reach its quota | between 0 and 1 |
/// | `ratchet_max` | 0.15 | most that a quota follows a rep's own sales of the last period | over 0, to 1 |
/// | `history_months` | 48 | months before the period that are read | 1 to 48 |
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QuotaParams {
    /// Chance with which a rep shall reach its quota.
    pub attain_probability: f64,
    /// Most that a quota may rise, in percent, for each percent more that the rep itself sold in the last period.
    pub ratchet_max: f64,
    /// Months before the period that are read.
    pub history_months: usize,
}

impl Default for QuotaParams {
    fn default() -> Self {
        Self { attain_probability: 0.60, ratchet_max: 0.15, history_months: MONTHS_MAX }
    }
}

impl QuotaParams {
    fn check(&self) -> Result<(), ModelError> {
        let both = [("attain_probability", self.attain_probability), ("ratchet_max", self.ratchet_max)];
        for (what, value) in both {
            check_values(what, &[value], Range::Positive)?;
            if value > 1.0 || what == "attain_probability" && value >= 1.0 {
                return Err(ModelError::OutOfRange { what, position: 0, value, range: "between 0 and 1" });
            }
        }
        Ok(())
    }
}

/// A rep's quota for a period; amounts in the unit of the table.
#[derive(Debug, Clone)]
pub struct PanelQuota {
    /// Number of the rep.
    pub rep: usize,
    /// Its region, the latest known at the period's start.
    pub region: usize,
    /// The amount that is reached with the wanted chance.
    pub quota: f64,
    /// Expected amount.
    pub expected: f64,
    /// The lower end of the 80 % interval.
    pub low: f64,
    /// The upper end of the 80 % interval.
    pub high: f64,
    /// Years since the rep's first sale; none where it was there before the history that is read.
    pub tenure_years: Option<f64>,
    /// What it rests on most.
    pub leans_on: LeansOn,
    pub(crate) raw: Raw,
    /// Standard deviations of the quota from the middle.
    pub(crate) quota_deviations: f64,
}

/// The quotas of a period, and what is needed to carry them through it.
#[derive(Debug)]
pub struct QuotaForecast {
    /// One for each rep that was known at the start and hadn't left, in order of their numbers.
    pub quotas: Vec<PanelQuota>,
    /// Reps that were known, and taken to have left.
    pub left: Vec<usize>,
    /// Periods' worth of earlier forecasts that the calibration rests on; under one it is mostly the normal distribution's.
    pub calibrated_on: f64,
    pub(crate) calibration: Arc<Calibration>,
    /// The season of the period against that of the year, 1 where less than a year is known.
    pub(crate) season: f64,
    window: Window,
    cadence: Cadence,
    end: i32,
    kernels: Kernels,
}

/// Quotas of `[start, end)` from what happened before `start`; none where nothing did.
///
/// # Errors
/// [`ModelError::OutOfRange`] where the period is empty or over ten years long, where monthly rows meet a start
/// or an end within a month, or for parameters outside their ranges.
pub fn forecast(
    panel: &Panel,
    start: i32,
    end: i32,
    params: &QuotaParams,
) -> Result<Option<QuotaForecast>, ModelError> {
    let Some(learnt) = learn(panel, start, end, params)? else { return Ok(None) };
    forecast_with(panel, start, end, params, &learnt)
}

/// What is asked of a table, checked.
pub(super) fn ask<'a>(
    panel: &Panel,
    (start, end): (i32, i32),
    params: &QuotaParams,
    kernels: Option<&'a Kernels>,
) -> Result<Ask<'a>, ModelError> {
    params.check()?;
    let seen = panel.days.partition_point(|&day| day < start);
    // A company's own record has its days.
    let cadence = if panel.staff.is_empty() { Cadence::of(&panel.days[..seen]) } else { Cadence::Daily };
    check_period(cadence, start, end)?;
    let (ratchet, months) = (params.ratchet_max, params.history_months);
    Ok(Ask { cadence, start, end, ratchet, kernels, only: None, months })
}

/// The same from what was learnt before, by [`learn`] for the same period and parameters.
pub(super) fn forecast_with(
    panel: &Panel,
    start: i32,
    end: i32,
    params: &QuotaParams,
    learnt: &Learnt,
) -> Result<Option<QuotaForecast>, ModelError> {
    let ask = ask(panel, (start, end), params, Some(&learnt.kernels))?;
    let Some(RawForecast { window, reps, kernels, .. }) = raw(panel, &ask) else { return Ok(None) };
    let calibration = Arc::clone(&learnt.calibration);
    let cadence = ask.cadence;
    #[expect(clippy::cast_precision_loss, reason = "buckets of a year")]
    let per_year = cadence.buckets_per_year() as f64;
    let known: Vec<Vec<f64>> =
        reps.iter().map(|raw| changes(&panel.reps[raw.rep], start, panel.n_factors)).collect();
    let usual = usual(known.iter().map(Vec::as_slice), panel.n_factors);
    let quotas = reps.into_iter().zip(&known).map(|(mut raw, known)| {
        raw.scale(effect(&calibration.coefficients, known, &usual));
        let deviations = calibration.deviations(raw.region, 1.0 - params.attain_probability);
        let half = calibration.region(raw.region).half;
        PanelQuota {
            rep: raw.rep,
            region: raw.region,
            quota: at(raw.held, raw.held_spread, deviations),
            expected: raw.expected,
            low: at(raw.expected, raw.spread, -half),
            high: at(raw.expected, raw.spread, half),
            tenure_years: raw.tenure.map(|buckets| buckets / per_year),
            leans_on: raw.leans_on,
            quota_deviations: deviations,
            raw,
        }
    });
    let quotas = quotas.collect();
    let left = window.reps.iter().filter(|rep| rep.left).map(|rep| rep.rep).collect();
    Ok(Some(QuotaForecast {
        quotas,
        left,
        calibrated_on: calibration.periods,
        calibration,
        season: learnt.season,
        window,
        cadence,
        end,
        kernels,
    }))
}

fn check_period(cadence: Cadence, start: i32, end: i32) -> Result<(), ModelError> {
    let wrong = |value: i32, range: &'static str| {
        Err(ModelError::OutOfRange { what: "period", position: 0, value: f64::from(value), range })
    };
    if end <= start || end.saturating_sub(start) > 3_653 {
        return wrong(end.saturating_sub(start), "lengths of 1 to 3653 days");
    }
    if cadence == Cadence::Monthly {
        for day in [start, end] {
            if super::calendar::civil(day).2 != 1 {
                return wrong(day, "first days of months, where rows are monthly");
            }
        }
    }
    Ok(())
}

impl QuotaForecast {
    /// What was expected of a rep before `day`.
    pub(crate) fn due(&self, quota: &PanelQuota, elapsed: &[f64], day: i32) -> f64 {
        let known = &self.window.reps[quota.raw.place];
        let part = |whole: &[f64], elapsed: &[f64]| -> f64 {
            let share = |(elapsed, whole): (&f64, &f64)| {
                if *whole > 0.0 { (elapsed / whole).min(1.0) } else { 0.0 }
            };
            quota.raw.profile.iter().zip(elapsed.iter().zip(whole)).map(|(all, one)| all * share(one)).sum()
        };
        if known.from.is_none() && known.until.is_none() {
            return part(&self.window.future, elapsed);
        }
        part(&self.window.future_of(known, None), &self.window.future_of(known, Some(day.min(self.end))))
    }

    /// What each bucket of the period brings before `day`, against a usual whole one.
    pub(crate) fn elapsed(&self, day: i32) -> Vec<f64> {
        self.window.elapsed(day.min(self.end))
    }

    /// What the days from `from` up to `to` usually bring, in usual weeks or months.
    pub(crate) fn usual(&self, from: i32, to: i32) -> f64 {
        self.window.usual(from, to)
    }

    /// The first day that is forecast.
    pub(crate) fn origin(&self) -> i32 {
        self.window.grid.origin
    }

    /// By how much percent a rep's quota moves for one percent more of its own sales in the last period, of as many days,
    /// market and calibration held. None for a rep without a quota, or without sales then.
    pub fn ratchet(&self, panel: &Panel, rep: usize, params: &QuotaParams) -> Option<f64> {
        const STEP: f64 = 0.01;
        let before = self.quotas.iter().find(|quota| quota.rep == rep)?;
        let start = self.window.grid.origin;
        let mut more = panel.clone();
        let rows = more.reps.get_mut(rep)?;
        let recent = rows.before(start - (self.end - start))..rows.before(start);
        if rows.amount[recent.clone()].iter().all(|amount| *amount == 0.0) || before.quota <= 0.0 {
            return None;
        }
        rows.amount[recent].iter_mut().for_each(|amount| *amount *= 1.0 + STEP);
        let ask = Ask {
            cadence: self.cadence,
            start,
            end: self.end,
            ratchet: params.ratchet_max,
            kernels: Some(&self.kernels),
            only: Some(rep),
            months: params.history_months,
        };
        let found = raw(&more, &ask)?;
        let after = found.reps.first()?;
        let quota = at(
            after.held * before.raw.peers * before.raw.factors,
            after.held_spread,
            before.quota_deviations,
        );
        Some((quota / before.quota - 1.0) / STEP)
    }
}

impl Panel {
    /// What a rep sold from `start` up to `end`, that day excluded; 0 for a rep that isn't there.
    pub fn actual(&self, rep: usize, start: i32, end: i32) -> f64 {
        self.reps.get(rep).map_or(0.0, |rows| rows.sum(start, end))
    }

    /// A rep's days and amounts from `start` up to `end`, that day excluded.
    pub fn sales(&self, rep: usize, start: i32, end: i32) -> impl Iterator<Item = (i32, f64)> {
        let rows = self.reps.get(rep);
        let range = rows.map_or(0..0, |rows| rows.before(start)..rows.before(end.max(start)));
        rows.into_iter().flat_map(move |rows| range.clone().map(|row| (rows.day[row], rows.amount[row])))
    }
}
