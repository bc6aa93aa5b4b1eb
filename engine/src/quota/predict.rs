//! The narrow interface behind which a prediction sits: what is known of reps and their sales in, a forecast out.

use crate::measure::at;
use crate::time::Day;

/// What is known of every rep on duty, and of others who sold before. Money in minor units, as `f64`.
#[derive(Debug, Clone, Default)]
pub struct PredictInput {
    /// The period's first and last day.
    pub period: (Day, Day),
    /// The run's day.
    pub as_of: Day,
    /// Reps on duty, rows of the forecast; then others who sold before.
    pub staff: Vec<Member>,
    /// What they signed before the run's day, by rep, then by day.
    pub sales: Vec<Sold>,
    /// The first day of `working`.
    pub first_day: Day,
    /// Whether people work, from that day to the period's end; empty where no calendar says so.
    pub working: Vec<bool>,
    /// Amount signed in the period up to and with the day, by row.
    pub attained: Vec<f64>,
    /// What open opportunities will bring; none without a model of wins.
    pub pipeline: Option<Pipeline>,
    /// Months before the period that may be looked back on.
    pub history_months: usize,
    /// The chance of reaching a quota that the company wants.
    pub attain_probability: f64,
}

impl PredictInput {
    /// What a rep signed on days before the run's.
    pub(crate) fn sold(&self, rep: usize, days: std::ops::Range<Day>) -> f64 {
        let place = |day: Day| self.sales.partition_point(|sold| (at(sold.rep), sold.day) < (rep, day));
        self.sales[place(days.start)..place(days.end).max(place(days.start))]
            .iter()
            .map(|sold| sold.amount)
            .sum()
    }
}

/// Who sells where, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// A number of its region.
    pub region: u32,
    /// The first day at work, where anybody says so.
    pub hired: Option<Day>,
    /// The first day no longer at work.
    pub left: Option<Day>,
}

/// An amount that was signed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sold {
    /// Position among the staff.
    pub rep: u32,
    /// The day.
    pub day: Day,
    /// The amount.
    pub amount: f64,
}

/// The open opportunities, and what became of earlier ones.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pipeline {
    /// Those open at the end of the day, each rep's by ascending id.
    pub open: Vec<OpenDeal>,
    /// Those won within the last months, in any order: sums of whole minor units.
    pub won: Vec<WonDeal>,
    /// The first day from which all of these are known.
    pub known_from: Day,
}

/// An open opportunity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OpenDeal {
    /// Its owner's row.
    pub row: usize,
    /// Its amount.
    pub amount: f64,
    /// The chance of a win by the period's end.
    pub p_win: f64,
}

/// An opportunity that was won.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WonDeal {
    /// The day on which it was opened.
    pub opened: Day,
    /// The day on which it was won.
    pub won: Day,
    /// Its amount.
    pub amount: f64,
}

/// The product of a rep's factor effects, now and when its period began: what factors were then is in what a rep sells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effects {
    /// Now.
    pub now: f64,
    /// When the period began; over 0.
    pub start: f64,
}

impl Effects {
    /// Factors that change nothing.
    pub const NONE: Self = Self { now: 1.0, start: 1.0 };
}

/// What every rep can still achieve.
pub trait Forecast: std::fmt::Debug + Send + Sync {
    /// The whole period's expectation at neutral factors.
    fn base(&self, rep: usize) -> f64;
    /// Attained plus the expectation of the rest.
    fn expected(&self, rep: usize) -> f64;
    /// The same without a look at open opportunities.
    fn without_pipeline(&self, rep: usize) -> f64;
    /// The lower end of the 80 % interval of what it will achieve.
    fn low(&self, rep: usize) -> f64;
    /// The upper end.
    fn high(&self, rep: usize) -> f64;
    /// The amount that stays out of reach with the chance `p`.
    fn quantile(&self, rep: usize, p: f64) -> f64;
    /// The chance that achievable is at least `amount`.
    fn p_at_least(&self, rep: usize, amount: f64) -> f64;
    /// What it rests on, in words joined by commas.
    fn leans_on(&self, rep: usize) -> String;
    /// The season of the period against that of the year; it is in `base` already.
    fn season(&self) -> f64;
    /// The same prediction with other factors for every rep.
    fn with_effects(&self, effects: &[Effects]) -> Box<dyn Forecast>;
    /// Forecasts one rep again, of whom more is attained in the period or other factors hold: to the last bit what
    /// [`Predictor::predict`] would say with this amount in the rep's row, followed by [`Forecast::with_effects`].
    fn revise(&mut self, rep: usize, attained: f64, effects: Effects);
    /// Takes other open opportunities of one rep, amounts and chances in the order of [`Pipeline::open`]: to the last bit
    /// what [`Predictor::predict`] would say with these. A prediction that looks at no pipeline need not say it.
    fn revise_open(&mut self, _rep: usize, _open: &[(f64, f64)]) {}
    /// Takes other won opportunities, in any order, for all reps: likewise. Returns whether that changed any forecast.
    fn revise_won(&mut self, _won: &[WonDeal]) -> bool {
        false
    }
}

/// What a predictor learnt for a period, as numbers that only it understands; none where there was nothing to learn from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Learnt(pub Vec<f64>);

/// A way of predicting; `jobs` wires one from `models`.
pub trait Predictor: Send + Sync {
    /// Its name and version, part of a run's identity and published as `basis`.
    fn name(&self) -> &str;

    /// The day before which [`Predictor::learn`] looks: the period's start, unless that is too early to know anything.
    fn learns_before(&self, input: &PredictInput) -> Day {
        input.period.0
    }

    /// Learns what holds for the whole period from `known`: the staff and sales before [`Predictor::learns_before`], which
    /// is its `as_of`. The lake keeps the answer for as long as `known` is the same.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the input.
    fn learn(&self, _known: &PredictInput) -> Result<Learnt, String> {
        Ok(Learnt::default())
    }

    /// Predicts every rep on duty, at factors that change nothing.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the input.
    fn predict(&self, input: &PredictInput, learnt: &Learnt) -> Result<Box<dyn Forecast>, String>;
}
