//! Adapter: the engine's prediction interface over the capacity model.

use engine::quota::{Forecast, PredictInput, Predictor};
use models::capacity::{self, CapacityForecast, CapacityInput, CapacityParams};
use ndarray::ArrayView2;

/// Predicts by the shrunken run-rate of [`models::capacity`].
#[derive(Debug, Clone, Copy, Default)]
pub struct RunRate;

impl Predictor for RunRate {
    fn name(&self) -> &'static str {
        "run-rate/1"
    }

    fn season(&self, per_day: &[f64], first_month: u8) -> Result<[f64; 12], String> {
        capacity::season_index(per_day, first_month).map_err(|error| error.to_string())
    }

    fn predict(&self, input: &PredictInput, season: &[f64; 12]) -> Result<Box<dyn Forecast>, String> {
        let reps = input.attained.len();
        let month = |column: usize| (usize::from(input.first_month) + 11 + column) % 12;
        let seasons: Vec<f64> = (0..input.n_months).map(|column| season[month(column)]).collect();
        let effects = input.factor_effect.len().checked_div(reps).unwrap_or(0);
        let forecast = capacity::predict(&CapacityInput {
            history: view(reps, &input.history, input.n_months)?,
            worked: view(reps, &input.worked, input.n_months)?,
            season: &seasons,
            // The period's season is one of the factors, so that an explanation shows it.
            season_now: 1.0,
            region: &input.region,
            tenure_months: &input.tenure_months,
            ramp: None,
            working_days_period: input.working_days_period,
            working_days_left: input.working_days_left,
            attained: &input.attained,
            factor_effect: view(reps, &input.factor_effect, effects)?,
            params: CapacityParams::default(),
        })
        .map_err(|error| error.to_string())?;
        Ok(Box::new(RunRateForecast(forecast)))
    }
}

/// A row-major matrix with one row per rep.
fn view(reps: usize, values: &[f64], columns: usize) -> Result<ArrayView2<'_, f64>, String> {
    ArrayView2::from_shape((reps, columns), values).map_err(|error| error.to_string())
}

/// A forecast of the capacity model.
#[derive(Debug)]
struct RunRateForecast(CapacityForecast);

impl Forecast for RunRateForecast {
    fn base(&self, rep: usize) -> f64 {
        self.0.base.get(rep).copied().unwrap_or(0.0)
    }

    fn expected(&self, rep: usize) -> f64 {
        self.0.expected.get(rep).copied().unwrap_or(0.0)
    }

    fn quantile(&self, rep: usize, p: f64) -> f64 {
        self.0.quantile(rep, p)
    }

    fn p_at_least(&self, rep: usize, amount: f64) -> f64 {
        self.0.p_at_least(rep, amount)
    }

    fn with_effects(&self, effect: &[f64]) -> Box<dyn Forecast> {
        Box::new(Self(self.0.with_effects(effect)))
    }

    fn revise(&mut self, rep: usize, attained: f64, effects: &[f64]) {
        self.0.revise(rep, attained, effects);
    }
}
