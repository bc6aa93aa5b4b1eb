//! Models for tests, in the place of the crate of models: whatever they are asked shows in what they say.

use std::sync::Arc;

use engine::score::{
    Cases, Cells, Decay, KeptModels, LeadFeatures, LeadScorer, LeadScores, MISSING, WinScorer,
};
use engine::settings::Settings;

/// Both kinds.
pub(super) fn models() -> KeptModels {
    models_of(true, true)
}

/// One or the other.
pub(super) fn models_of(lead: bool, win: bool) -> KeptModels {
    let decay =
        |event_type: &str, half_life_days| Decay { event_type: event_type.to_owned(), half_life_days };
    let decays = vec![decay("call.connected", 3.0), decay("lead.responded", 7.0), decay("email.sent", 1.0)];
    let reader = Reader { features: LeadFeatures { decays, ..LeadFeatures::default() } };
    let hunch = Hunch { id: "hunch", stages: Settings::default().pipeline.stages };
    KeptModels { lead: lead.then(|| Arc::new(reader) as _), win: win.then(|| Arc::new(hunch) as _) }
}

/// A model of wins that knows other stages.
pub(super) fn refusing() -> KeptModels {
    let stern = Hunch { id: "stern", stages: vec![vec!["only".to_owned()]] };
    KeptModels { lead: None, win: Some(Arc::new(stern)) }
}

/// Every cell of a lead moves its score.
struct Reader {
    features: LeadFeatures,
}

impl LeadScorer for Reader {
    fn id(&self) -> &'static str {
        "reader"
    }

    fn features(&self) -> &LeadFeatures {
        &self.features
    }

    fn score(&self, cases: &Cases) -> Result<LeadScores, String> {
        let p_convert = self.chances(cases)?;
        let reasons = vec![Vec::new(); p_convert.len()];
        Ok(LeadScores { p_convert, intercept: 0.0, reasons })
    }

    fn chances(&self, cases: &Cases) -> Result<Vec<[f64; 3]>, String> {
        let mut sums = vec![0.0; cases.rows()];
        for (column, (_, cells)) in (1_i32..).zip(cases.columns()) {
            for (row, sum) in sums.iter_mut().enumerate() {
                let value = match cells {
                    Cells::Number(values) if values[row].is_nan() => 0.77,
                    Cells::Number(values) => values[row],
                    Cells::Text { codes, .. } if codes[row] == MISSING => 0.33,
                    Cells::Text { codes, levels } => {
                        let text = &levels[usize::try_from(codes[row]).unwrap()];
                        text.bytes().map(f64::from).sum::<f64>() / 100.0
                    }
                };
                *sum += value * f64::from(column).sqrt();
            }
        }
        Ok(sums.into_iter().map(|sum| [0.5 + 0.5 * sum.sin(), 0.0, 1.0]).collect())
    }
}

/// Stage, age and days left move the chance.
struct Hunch {
    id: &'static str,
    stages: Vec<Vec<String>>,
}

impl WinScorer for Hunch {
    fn id(&self) -> &str {
        self.id
    }

    fn stages(&self) -> &[Vec<String>] {
        &self.stages
    }

    fn p_win(&self, stage: usize, age: usize, days: usize) -> f64 {
        let real = |count: usize| f64::from(u32::try_from(count).unwrap());
        (1.0 + real(stage)) / (10.0 + 0.37 * real(age) + 10.0 / (1.0 + real(days)))
    }

    fn interval(&self, _: usize, _: usize, _: usize) -> Option<[f64; 2]> {
        None
    }

    fn median_days(&self, stage: usize, age: usize) -> Option<usize> {
        Some(stage + age)
    }
}
