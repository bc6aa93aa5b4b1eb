//! What every rep can achieve in a period, as of the end of a day within it.
//!
//! The forecast is made at the period's start (`quota`), and stays as it is through the period. What closed days of the
//! period say comes in once, by region; what the rep itself attained, and what changes about it since, can be revised
//! rep by rep, and gives to the last bit what making all of it anew would give.
//!
//! ```text
//! achievable = attained + rest · (1 − share) · effect + wins
//! ```
//!
//! `rest` is what the panel expects of the days left, `share` the part of it that comes from opportunities which are open
//! now, and `wins` what these will bring. Without a pipeline `share` and `wins` are 0.

use std::sync::Arc;

use super::calibrate::{Calibration, at};
use super::forecast::LeansOn;
use super::input::Panel;
use super::learnt::{Learnt, PeriodDay, learn};
use super::progress::{Parts, Rest};
use super::quota::{QuotaForecast, QuotaParams, forecast_with};
use crate::error::{ModelError, Range, check_shape, check_values};

/// What open opportunities will bring a rep by the period's end.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Wins {
    /// Expected amount.
    pub mean: f64,
    /// Its variance.
    pub variance: f64,
}

/// The open pipeline of all reps.
#[derive(Debug, Clone, PartialEq)]
pub struct Pipeline {
    /// The part of what is usually still to come at such a day that opportunities open by then bring, 0 to 1.
    pub share: f64,
    /// `(n_reps)`.
    pub wins: Vec<Wins>,
}

/// What every rep can achieve.
#[derive(Debug, Clone)]
pub struct Standing {
    rows: Vec<Row>,
    calibration: Option<Arc<Calibration>>,
    season: f64,
}

#[derive(Debug, Clone)]
struct Row {
    region: usize,
    leans_on: Option<LeansOn>,
    parts: Parts,
    /// Expected of the whole period when it began.
    base: f64,
    /// Attained in the period before the forecast's origin.
    before: f64,
    /// Of what is expected: due by the end of the day.
    due: f64,
    /// Due and attained by the day's start, and how many: the others of the region.
    peers: (f64, f64, f64),
    /// Part of the rest that is not in the pipeline.
    new: f64,
    wins: Wins,
    attained: f64,
    effect: f64,
    rest: Rest,
    /// Expected without a look at the pipeline.
    without_pipeline: f64,
}

impl Row {
    fn unknown(attained: f64) -> Self {
        Self {
            region: 0,
            leans_on: None,
            parts: Parts::default(),
            base: 0.0,
            before: 0.0,
            due: 0.0,
            peers: (0.0, 0.0, 0.0),
            new: 1.0,
            wins: Wins::default(),
            attained,
            effect: 1.0,
            rest: Rest::default(),
            without_pipeline: attained,
        }
    }

    fn settle(&mut self) {
        let rest = self.parts.rest(self.due, self.attained - self.before, self.peers);
        self.without_pipeline = self.attained + rest.expected * self.effect;
        let joined = |mean: f64, spread: f64| {
            let new = mean * self.new * self.effect;
            let mean = new + self.wins.mean;
            // A shock that all of a region feel is felt by the pipeline too.
            let together = rest.shared * (self.wins.mean * self.wins.mean + 2.0 * new * self.wins.mean);
            let variance = (new * spread).powi(2) + self.wins.variance + together;
            (mean, if mean > 0.0 { variance.sqrt() / mean } else { 0.0 })
        };
        let (expected, spread) = joined(rest.expected, rest.spread);
        let (held, held_spread) = joined(rest.held, rest.held_spread);
        self.rest = Rest { expected, spread, held, held_spread, ..rest };
    }
}

impl Standing {
    /// Looks at a period as of a day. The first reps of the panel are asked for, as many as have attained anything, or
    /// nothing: `attained` is each one's since the period's start, the day included, `(n_reps)`.
    ///
    /// # Errors
    /// As [`super::forecast`]; [`ModelError::Shape`] where the pipeline is of other reps, [`ModelError::NotFinite`] and
    /// [`ModelError::OutOfRange`] for amounts that are no numbers, or a share outside 0 to 1.
    pub fn of(
        panel: &Panel,
        moment: PeriodDay,
        attained: &[f64],
        pipeline: Option<&Pipeline>,
        params: &QuotaParams,
    ) -> Result<Self, ModelError> {
        let origin = moment.origin(panel.span().map(|(first, _)| first));
        let learnt = learn(panel, origin, moment.end, params)?;
        Self::with(panel, moment, (attained, pipeline), params, learnt.as_ref())
    }

    /// The same from what was learnt before of what lies before [`PeriodDay::origin`]; none where that is nothing.
    ///
    /// # Errors
    /// As [`Standing::of`].
    pub fn with(
        panel: &Panel,
        moment: PeriodDay,
        (attained, pipeline): (&[f64], Option<&Pipeline>),
        params: &QuotaParams,
        learnt: Option<&Learnt>,
    ) -> Result<Self, ModelError> {
        check_values("attained", attained, Range::Finite)?;
        if let Some(pipeline) = pipeline {
            check(pipeline, attained.len())?;
        }
        let origin = moment.origin(panel.span().map(|(first, _)| first));
        let forecast = match learnt {
            Some(learnt) => forecast_with(panel, origin, moment.end, params, learnt)?,
            None => None,
        };
        let mut rows: Vec<Row> = attained.iter().map(|&attained| Row::unknown(attained)).collect();
        if let Some(forecast) = &forecast {
            place(&mut rows, panel, forecast, moment);
        }
        for (rep, row) in rows.iter_mut().enumerate() {
            if let Some(pipeline) = pipeline {
                (row.new, row.wins) = (1.0 - pipeline.share, pipeline.wins[rep]);
            }
            row.settle();
        }
        Ok(Self {
            rows,
            season: forecast.as_ref().map_or(1.0, |forecast| forecast.season),
            calibration: forecast.map(|forecast| forecast.calibration),
        })
    }

    /// Looks at one rep again, of whom more is attained, or of whom the rest is multiplied by another effect: what looking
    /// at all of them anew would say. Nothing for a rep that isn't there.
    pub fn revise(&mut self, rep: usize, attained: f64, effect: f64) {
        if let Some(row) = self.rows.get_mut(rep) {
            (row.attained, row.effect) = (attained, effect);
            row.settle();
        }
    }

    /// Looks at what the open opportunities of one rep will bring again, where there was a pipeline to look at.
    pub fn revise_wins(&mut self, rep: usize, wins: Wins) {
        if let Some(row) = self.rows.get_mut(rep) {
            row.wins = wins;
            row.settle();
        }
    }

    /// Looks again at the part of the rest that opportunities open by now bring: for all reps. Returns whether it is
    /// another one.
    pub fn revise_share(&mut self, share: f64) -> bool {
        let new = 1.0 - share;
        let is_other = self.rows.iter().any(|row| row.new.to_bits() != new.to_bits());
        for row in self.rows.iter_mut().filter(|_| is_other) {
            row.new = new;
            row.settle();
        }
        is_other
    }

    /// Reps looked at.
    pub fn n_reps(&self) -> usize {
        self.rows.len()
    }

    /// The season of the period against that of the year, 1 where less than a year is known.
    pub fn season(&self) -> f64 {
        self.season
    }

    /// What is attained since the period's start.
    pub fn attained(&self, rep: usize) -> f64 {
        self.rows.get(rep).map_or(0.0, |row| row.attained)
    }

    /// What the whole period was expected to bring when it began.
    pub fn base(&self, rep: usize) -> f64 {
        self.rows.get(rep).map_or(0.0, |row| row.base)
    }

    /// What it is expected to bring now.
    pub fn expected(&self, rep: usize) -> f64 {
        self.rows.get(rep).map_or(0.0, |row| row.attained + row.rest.expected)
    }

    /// The same without a look at the pipeline.
    pub fn without_pipeline(&self, rep: usize) -> f64 {
        self.rows.get(rep).map_or(0.0, |row| row.without_pipeline)
    }

    /// What a rep's forecast rests on; none where nothing is known of anybody.
    pub fn leans_on(&self, rep: usize) -> Option<LeansOn> {
        self.rows.get(rep)?.leans_on
    }

    /// The lower end of the 80 % interval.
    pub fn low(&self, rep: usize) -> f64 {
        self.end(rep, -1.0)
    }

    /// The upper end of the 80 % interval.
    pub fn high(&self, rep: usize) -> f64 {
        self.end(rep, 1.0)
    }

    fn end(&self, rep: usize, side: f64) -> f64 {
        let Some(row) = self.rows.get(rep) else { return 0.0 };
        let half = self.calibration.as_ref().map_or(0.0, |found| found.region(row.region).half);
        row.attained + at(row.rest.expected, row.rest.spread, side * half)
    }

    /// The amount that stays out of reach with the chance `p`: the quota that is reached with the chance τ is that of
    /// 1 − τ. NaN for a rep that isn't there, or `p` outside 0 to 1.
    pub fn quantile(&self, rep: usize, p: f64) -> f64 {
        let Some(row) = self.rows.get(rep).filter(|_| (0.0..=1.0).contains(&p)) else { return f64::NAN };
        match &self.calibration {
            Some(found) if row.rest.held > 0.0 && row.rest.held_spread > 0.0 => {
                row.attained + at(row.rest.held, row.rest.held_spread, found.deviations(row.region, p))
            }
            _ => row.attained + row.rest.held,
        }
    }

    /// The chance that a rep achieves an amount. NaN for a rep that isn't there or a NaN amount.
    pub fn p_at_least(&self, rep: usize, amount: f64) -> f64 {
        let Some(row) = self.rows.get(rep).filter(|_| !amount.is_nan()) else { return f64::NAN };
        let missing = amount - row.attained;
        if missing <= 0.0 {
            return 1.0;
        }
        let variance = row.rest.held_spread.powi(2).ln_1p();
        match &self.calibration {
            Some(found) if row.rest.held > 0.0 && variance > 0.0 => {
                let deviations = ((missing / row.rest.held).ln() + 0.5 * variance) / variance.sqrt();
                1.0 - found.chance_below(row.region, deviations)
            }
            _ => f64::from(u8::from(missing <= row.rest.held)),
        }
    }
}

fn check(pipeline: &Pipeline, n_reps: usize) -> Result<(), ModelError> {
    check_shape("wins", &[n_reps], &[pipeline.wins.len()])?;
    let values: Vec<f64> = pipeline.wins.iter().flat_map(|wins| [wins.mean, wins.variance]).collect();
    check_values("wins", &values, Range::NotNegative)?;
    check_values("share", &[pipeline.share], Range::NotNegative)?;
    if pipeline.share > 1.0 {
        let (what, value) = ("share", pipeline.share);
        return Err(ModelError::OutOfRange { what, position: 0, value, range: "0 to 1" });
    }
    Ok(())
}

/// Sets what the forecast says of each rep, and what closed days of the period say of its region.
fn place(rows: &mut [Row], panel: &Panel, forecast: &QuotaForecast, moment: PeriodDay) {
    let PeriodDay { start, end, as_of } = moment;
    let origin = forecast.origin();
    let due_by = |day: i32| -> Vec<f64> {
        let elapsed = forecast.elapsed(day);
        forecast.quotas.iter().map(|quota| forecast.due(quota, &elapsed, day)).collect()
    };
    let (closed, now) = (due_by(as_of.clamp(origin, end)), due_by((as_of + 1).clamp(origin, end)));
    let since: Vec<f64> =
        forecast.quotas.iter().map(|quota| panel.actual(quota.rep, origin, as_of.max(origin))).collect();
    let n_regions = forecast.quotas.iter().map(|quota| quota.region + 1).max().unwrap_or(0);
    let mut regions = vec![(0.0, 0.0, 0.0); n_regions];
    for ((quota, due), attained) in forecast.quotas.iter().zip(&closed).zip(&since) {
        let sum = &mut regions[quota.region];
        *sum = (sum.0 + due, sum.1 + attained, sum.2 + 1.0);
    }
    // What lies before the origin is known; it is as much of the base as its days are of the period.
    let whole = forecast.usual(start, end);
    let after = forecast.usual(origin, end);
    for (place, quota) in forecast.quotas.iter().enumerate() {
        let Some(row) = rows.get_mut(quota.rep) else { continue };
        let (due, attained, reps) = regions[quota.region];
        row.region = quota.region;
        row.leans_on = Some(quota.leans_on);
        row.parts = Parts::of(&quota.raw);
        row.base = if after > 0.0 { quota.expected * (whole / after) } else { quota.expected };
        row.before = panel.actual(quota.rep, start, origin);
        row.due = now[place];
        row.peers = (due - closed[place], attained - since[place], reps - 1.0);
    }
}
