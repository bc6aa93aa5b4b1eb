//! What models say of reps' leads and opportunities, in place of heuristics.

use crate::entity::Crm;
use crate::measure::facts::Facts;
use crate::measure::funnel::{find, rep_positions};
use crate::measure::lead::Lead;
use crate::measure::opportunity::Opportunity;
use crate::measure::{at, count, real};
use crate::score::deal::ScoredDeals;
use crate::score::lead::ScoredLeads;

/// Raw values by position in the CRM; none where there is no model.
#[derive(Debug, Clone, Default)]
pub(crate) struct ModelValues {
    /// Amounts of open opportunities times their chances, in major units.
    pub(crate) weighted_pipeline: Option<Vec<Option<f64>>>,
    /// The mean score of open leads; none of a rep who has none.
    pub(crate) lead_score: Option<Vec<Option<f64>>>,
}

impl ModelValues {
    /// Sums what models say up by rep, each one's by ascending id: floats are added in one order, whatever order events
    /// came in.
    pub(crate) fn new(
        crm: &Crm,
        facts: &Facts,
        leads: (&[Lead], Option<&ScoredLeads>),
        deals: (&[Opportunity], Option<&ScoredDeals>),
    ) -> Self {
        let position = rep_positions(facts, crm);
        let weighted_pipeline = deals.1.map(|scored| {
            let open = |number: &u32| deals.0[at(*number)].is_open();
            let mut numbers: Vec<u32> = (0_u32..).take(deals.0.len()).filter(open).collect();
            numbers.sort_unstable_by_key(|number| facts.opportunities.get(*number));
            let mut sums: Vec<Vec<(f64, i64)>> = vec![Vec::new(); crm.reps.len()];
            for number in numbers {
                let deal = &deals.0[at(number)];
                if let Some(rep) = find(&position, deal.owner) {
                    sums[rep].push((scored.p_win[at(number)].unwrap_or(0.0), deal.amount.unwrap_or(0)));
                }
            }
            sums.into_iter().map(|deals| Some(weighted(deals))).collect()
        });
        let lead_score = leads.1.map(|scored| {
            let mut points: Vec<Vec<f64>> = vec![Vec::new(); crm.reps.len()];
            for (lead, score) in scored.points() {
                if let Some(rep) = find(&position, leads.0[lead].assignee) {
                    points[rep].push(score);
                }
            }
            points.into_iter().map(mean_score).collect()
        });
        Self { weighted_pipeline, lead_score }
    }
}

/// Chances times amounts of a rep's open opportunities, in major units.
pub(crate) fn weighted(deals: impl IntoIterator<Item = (f64, i64)>) -> f64 {
    deals.into_iter().fold(0.0, |sum, (p_win, amount)| sum + p_win * real(amount)) / 100.0
}

/// The mean of the scores of a rep's open leads; none without one.
pub(crate) fn mean_score(points: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (scored, sum) = points.into_iter().fold((0, 0.0), |(scored, sum), points| (scored + 1, sum + points));
    (scored > 0).then(|| sum / real(count(scored)))
}
