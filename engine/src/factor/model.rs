//! What models say of reps' leads and opportunities, in place of heuristics.

use crate::entity::Crm;
use crate::measure::facts::Facts;
use crate::measure::lead::Lead;
use crate::measure::opportunity::Opportunity;
use crate::measure::{at, real};
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
    /// Sums what models say up by rep.
    pub(crate) fn new(
        crm: &Crm,
        facts: &Facts,
        leads: (&[Lead], Option<&ScoredLeads>),
        deals: (&[Opportunity], Option<&ScoredDeals>),
    ) -> Self {
        let position: Vec<Option<usize>> = (0..facts.reps.len())
            .map(|number| crm.rep(facts.reps.get(u32::try_from(number).ok()?)?))
            .collect();
        let find = |rep: Option<u32>| position.get(at(rep?)).copied().flatten();
        let weighted_pipeline = deals.1.map(|scored| {
            let mut sums = vec![0.0; crm.reps.len()];
            for (deal, p_win) in deals.0.iter().zip(&scored.p_win).filter(|(deal, _)| deal.is_open()) {
                if let Some(rep) = find(deal.owner) {
                    sums[rep] += p_win.unwrap_or(0.0) * real(deal.amount.unwrap_or(0));
                }
            }
            sums.into_iter().map(|sum| Some(sum / 100.0)).collect()
        });
        let lead_score = leads.1.map(|scored| {
            let mut sums = vec![(0, 0.0); crm.reps.len()];
            for (lead, points) in scored.points() {
                if let Some(rep) = find(leads.0[lead].assignee) {
                    sums[rep].0 += 1;
                    sums[rep].1 += points;
                }
            }
            sums.into_iter().map(|(scored, points)| (scored > 0).then(|| points / real(scored))).collect()
        });
        Self { weighted_pipeline, lead_score }
    }
}
