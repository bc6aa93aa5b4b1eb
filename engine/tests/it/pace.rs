//! A predictor for tests, in the place of the crate of models.

use engine::quota::{Effects, Forecast, Learnt, OpenDeal, PredictInput, Predictor, WonDeal};

/// Predicts with a spread, in which everything that a rep did shows.
#[derive(Debug)]
pub(crate) struct Pace;

#[derive(Debug, Clone)]
struct Paced {
    pace: Vec<f64>,
    left: f64,
    attained: Vec<f64>,
    effects: Vec<Effects>,
    /// Where there is a pipeline: what it brings each, and the part of the rest that it stands for.
    wins: Option<Vec<f64>>,
    share: f64,
}

fn wins(open: impl Iterator<Item = (f64, f64)>) -> f64 {
    open.fold(0.0, |sum, (amount, p_win)| sum + amount * p_win)
}

fn share(won: &[WonDeal]) -> f64 {
    let weighed = |deal: &WonDeal| deal.amount * f64::from(deal.won - deal.opened + 1);
    let sum = won.iter().map(weighed).sum::<f64>();
    sum / (sum + 1e9)
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
        let of_rep = |open: &[OpenDeal], rep| {
            wins(open.iter().filter(|deal| deal.row == rep).map(|deal| (deal.amount, deal.p_win)))
        };
        let pipeline = input.pipeline.as_ref();
        Ok(Box::new(Paced {
            pace,
            left: f64::from(last - input.as_of) / f64::from(last - first + 1),
            attained: input.attained.clone(),
            effects: vec![Effects::NONE; reps],
            wins: pipeline.map(|found| (0..reps).map(|rep| of_rep(&found.open, rep)).collect()),
            share: pipeline.map_or(0.0, |found| share(&found.won)),
        }))
    }
}

impl Paced {
    fn rest(&self, rep: usize) -> f64 {
        let effects = self.effects[rep];
        let wins = self.wins.as_ref().map_or(0.0, |wins| wins[rep]);
        self.pace[rep] * self.left * (1.0 - self.share) * (effects.now / effects.start) + wins
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

    fn revise_open(&mut self, rep: usize, open: &[(f64, f64)]) {
        if let Some(all) = &mut self.wins {
            all[rep] = wins(open.iter().copied());
        }
    }

    fn revise_won(&mut self, won: &[WonDeal]) -> bool {
        let before = self.share;
        if self.wins.is_some() {
            self.share = share(won);
        }
        self.share.to_bits() != before.to_bits()
    }
}
