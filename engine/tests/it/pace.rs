//! A predictor for tests, in the place of the crate of models.

use engine::quota::{Effects, Forecast, Learnt, PredictInput, Predictor};

/// Predicts with a spread, in which everything that a rep did shows.
#[derive(Debug)]
pub(crate) struct Pace;

#[derive(Debug, Clone)]
struct Paced {
    pace: Vec<f64>,
    left: f64,
    attained: Vec<f64>,
    effects: Vec<Effects>,
}

impl Predictor for Pace {
    fn name(&self) -> &'static str {
        "pace"
    }

    fn predict(&self, input: &PredictInput, _: &Learnt) -> Result<Box<dyn Forecast>, String> {
        let reps = input.attained.len();
        let mut pace = vec![3_000_000.0; reps];
        for sold in &input.sales {
            if let Some(pace) = pace.get_mut(usize::try_from(sold.rep).unwrap()) {
                *pace += sold.amount / 2.0;
            }
        }
        let (first, last) = input.period;
        Ok(Box::new(Paced {
            pace,
            left: f64::from(last - input.as_of) / f64::from(last - first + 1),
            attained: input.attained.clone(),
            effects: vec![Effects::NONE; reps],
        }))
    }
}

impl Paced {
    fn rest(&self, rep: usize) -> f64 {
        let effects = self.effects[rep];
        self.pace[rep] * self.left * (effects.now / effects.start)
    }
}

impl Forecast for Paced {
    fn base(&self, rep: usize) -> f64 {
        self.pace[rep] / self.effects[rep].start
    }

    fn expected(&self, rep: usize) -> f64 {
        self.attained[rep] + self.rest(rep)
    }

    fn without_pipeline(&self, rep: usize) -> f64 {
        self.expected(rep)
    }

    fn low(&self, rep: usize) -> f64 {
        self.quantile(rep, 0.1)
    }

    fn high(&self, rep: usize) -> f64 {
        self.quantile(rep, 0.9)
    }

    fn quantile(&self, rep: usize, p: f64) -> f64 {
        self.attained[rep] + self.rest(rep) * (0.5 + p)
    }

    fn p_at_least(&self, rep: usize, amount: f64) -> f64 {
        1.0 / (1.0 + amount / self.expected(rep))
    }

    fn leans_on(&self, _: usize) -> String {
        "its pace".to_owned()
    }

    fn season(&self) -> f64 {
        1.1
    }

    fn with_effects(&self, effects: &[Effects]) -> Box<dyn Forecast> {
        Box::new(Self { effects: effects.to_vec(), ..self.clone() })
    }

    fn revise(&mut self, rep: usize, attained: f64, effects: Effects) {
        self.attained[rep] = attained;
        self.effects[rep] = effects;
    }
}
