//! Sales measures beside the index: revenue per rep, push efficiency, quote success, time to the first deal.

use rustc_hash::FxHashMap;

use super::funnel::{find, rep_positions};
use super::opportunity::Opportunity;
use super::scope::Scopes;
use super::{facts::Facts, major_per, ratio, real};
use crate::entity::Crm;
use crate::tile::rep::{RepTile, count};
use crate::time::Day;

/// The sums of one scope.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sales {
    pub(crate) deals: i64,
    pub(crate) amount: i64,
    pub(crate) on_duty: i64,
    pub(crate) amount_before: i64,
    pub(crate) on_duty_before: i64,
    pub(crate) opened: i64,
    pub(crate) effective_visits: i64,
    pub(crate) quotes_accepted: i64,
    pub(crate) quotes_rejected: i64,
    first_deal_days: i64,
    first_deals: i64,
}

impl Sales {
    fn add(&mut self, other: &Self) {
        self.deals += other.deals;
        self.amount = self.amount.saturating_add(other.amount);
        self.on_duty += other.on_duty;
        self.amount_before = self.amount_before.saturating_add(other.amount_before);
        self.on_duty_before += other.on_duty_before;
        self.opened += other.opened;
        self.effective_visits += other.effective_visits;
        self.quotes_accepted += other.quotes_accepted;
        self.quotes_rejected += other.quotes_rejected;
        self.first_deal_days += other.first_deal_days;
        self.first_deals += other.first_deals;
    }

    /// Amount signed in the month, major units, per rep on duty.
    pub(crate) fn revenue_per_rep(&self) -> Option<f64> {
        major_per(self.amount, self.on_duty)
    }

    /// Revenue per rep against the month before, up to the same day of it.
    pub(crate) fn revenue_growth(&self) -> Option<f64> {
        let before = major_per(self.amount_before, self.on_duty_before).filter(|before| *before != 0.0)?;
        Some(self.revenue_per_rep()? / before - 1.0)
    }

    /// Opportunities opened per effective visit.
    pub(crate) fn push_efficiency(&self) -> Option<f64> {
        ratio(self.opened, self.effective_visits)
    }

    /// Quotes accepted ÷ quotes answered.
    pub(crate) fn quote_success(&self) -> Option<f64> {
        ratio(self.quotes_accepted, self.quotes_accepted + self.quotes_rejected)
    }

    /// Mean days from hiring to the first deal, of reps hired in the last 365 days.
    pub(crate) fn first_deal_days(&self) -> Option<f64> {
        (self.first_deals > 0).then(|| real(self.first_deal_days) / real(self.first_deals))
    }
}

/// What the sales measures are made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inputs<'a> {
    pub(crate) crm: &'a Crm,
    pub(crate) scopes: &'a Scopes,
    pub(crate) facts: &'a Facts,
    pub(crate) opportunities: &'a [Opportunity],
    pub(crate) reps_30d: &'a RepTile,
    pub(crate) reps_90d: &'a RepTile,
    pub(crate) reps_month: &'a RepTile,
    /// Tiles of the month before, up to the same day of it.
    pub(crate) reps_month_before: &'a RepTile,
    /// The last day of those.
    pub(crate) day_before: Day,
    /// The day of each rep's first deal within a year, by id.
    pub(crate) first_deals: &'a FxHashMap<String, Day>,
    pub(crate) as_of: Day,
}

/// The sums of every scope, in the order of [`Scopes::list`].
pub(crate) fn sales(inputs: &Inputs<'_>) -> Vec<Sales> {
    let crm = inputs.crm;
    let mut own: Vec<Sales> = crm
        .reps
        .iter()
        .map(|rep| {
            let (month, days_30, days_90) =
                (inputs.reps_month.get(&rep.id), inputs.reps_30d.get(&rep.id), inputs.reps_90d.get(&rep.id));
            let first = inputs.first_deals.get(&rep.id).copied();
            let hired = rep.hired_on.filter(|hired| *hired > inputs.as_of - 365 && *hired <= inputs.as_of);
            let first_deal = first.zip(hired).map(|(first, hired)| i64::from(first - hired));
            Sales {
                deals: month.counts[count::DEALS_SIGNED],
                amount: month.amount_signed,
                on_duty: i64::from(rep.on_duty(inputs.as_of)),
                amount_before: inputs.reps_month_before.get(&rep.id).amount_signed,
                on_duty_before: i64::from(rep.on_duty(inputs.day_before)),
                opened: 0,
                effective_visits: days_30.counts[count::EFFECTIVE_VISITS],
                quotes_accepted: days_90.counts[count::QUOTES_ACCEPTED],
                quotes_rejected: days_90.counts[count::QUOTES_REJECTED],
                first_deal_days: first_deal.unwrap_or(0),
                first_deals: i64::from(first_deal.is_some()),
            }
        })
        .collect();
    let positions = rep_positions(inputs.facts, crm);
    for deal in inputs.opportunities {
        let opened = deal.opened_at.is_some() && deal.opened_day > inputs.as_of - 30;
        if let (true, Some(rep)) = (opened, find(&positions, deal.owner)) {
            own[rep].opened += 1;
        }
    }
    let mut sums = vec![Sales::default(); inputs.scopes.len()];
    for (rep, own) in own.iter().enumerate() {
        for scope in inputs.scopes.of_rep(crm, rep) {
            sums[scope].add(own);
        }
    }
    sums
}
