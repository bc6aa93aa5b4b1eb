//! A predictor for tests, in the place of the crate of models.

use engine::quota::{Forecast, PredictInput, Predictor};

/// Predicts with a spread, in which everything that a rep did shows.
#[derive(Debug)]
pub(crate) struct Pace;

#[derive(Debug, Clone)]
struct Paced {
    pace: Vec<f64>,
    left: f64,
    attained: Vec<f64>,
    effect: Vec<f64>,
}

impl Predictor for Pace {
    fn name(&self) -> &'static str {
        "pace"
    }

    fn season(&self, _: &[f64], _: u8) -> Result<[f64; 12], String> {
        Ok([1.0; 12])
    }

    fn predict(&self, input: &PredictInput, _: &[f64; 12]) -> Result<Box<dyn Forecast>, String> {
        let reps = input.attained.len();
        let pace = |rep: usize| {
            let months = &input.history[rep * input.n_months..(rep + 1) * input.n_months];
            3_000_000.0 + months.iter().sum::<f64>() / 2.0
        };
        let mut paced = Paced {
            pace: (0..reps).map(pace).collect(),
            left: input.working_days_left / input.working_days_period,
            attained: vec![0.0; reps],
            effect: vec![1.0; reps],
        };
        for rep in 0..reps {
            paced.revise(rep, input.attained[rep], &input.factor_effect[rep * 18..(rep + 1) * 18]);
        }
        Ok(Box::new(paced))
    }
}

impl Forecast for Paced {
    fn base(&self, rep: usize) -> f64 {
        self.pace[rep]
    }

    fn expected(&self, rep: usize) -> f64 {
        self.attained[rep] + self.pace[rep] * self.left * self.effect[rep]
    }

    fn quantile(&self, rep: usize, p: f64) -> f64 {
        self.attained[rep] + self.pace[rep] * self.left * self.effect[rep] * (0.5 + p)
    }

    fn p_at_least(&self, rep: usize, amount: f64) -> f64 {
        1.0 / (1.0 + amount / self.expected(rep))
    }

    fn with_effects(&self, effect: &[f64]) -> Box<dyn Forecast> {
        let mut other = self.clone();
        other.effect = effect.to_vec();
        Box::new(other)
    }

    fn revise(&mut self, rep: usize, attained: f64, effects: &[f64]) {
        self.attained[rep] = attained;
        self.effect[rep] = effects.iter().product();
    }
}
