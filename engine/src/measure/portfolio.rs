//! What a rep's customers, leads and opportunities come to: integers, so that one of them can be taken out, and put
//! back changed, and the sums are those of a fresh count.

use super::at;
use super::customer::{Color, CustomerMeasure, Lifestage};
use super::funnel::find;
use super::lead::Lead;
use super::opportunity::Opportunity;
use super::{ratio, real};
use crate::entity::Crm;
use crate::settings::Settings;
use crate::time::{Day, Micros, Zone};
use crate::window::WINDOW_DAYS;

/// Of a rep: sums over the customers it owns, the leads assigned to it, the opportunities that are its.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Portfolio {
    pub(crate) customers: i64,
    pub(crate) customers_touched: i64,
    pub(crate) health: i64,
    pub(crate) dense: i64,
    pub(crate) orders: i64,
    order_amount: i128,
    /// Customers with a repurchase interval, and the sum of the intervals: medians of whole days, so their doubles are
    /// whole.
    intervals: i64,
    interval_halves: i64,
    stages: [i64; Lifestage::ALL.len()],
    colors: [i64; Color::ALL.len()],
    /// Of the leads created in the last 30 days: answered in time, and judged.
    pub(crate) timely: (i64, i64),
    pub(crate) open_leads: i64,
    pub(crate) new_leads: i64,
    pub(crate) answered: i64,
    /// Opportunities open at some time of the last 30 days, and their forward moves.
    pub(crate) deals: i64,
    pub(crate) moves: i64,
    pub(crate) open_deals: i64,
    /// Amounts of open opportunities by configured chance of a win.
    open_amounts: Vec<i128>,
}

/// What counts as of a day.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) as_of: Day,
    /// Days looked back on: how many, the first of them, when it begins, and when the last ends.
    days: Day,
    first: Day,
    start: Micros,
    end: Micros,
}

impl<'a> View<'a> {
    pub(crate) fn new(settings: &'a Settings, zone: &Zone, as_of: Day) -> Self {
        Self::over(WINDOW_DAYS, settings, zone, as_of)
    }

    /// Of other than the usual 30 days.
    pub(crate) fn over(days: Day, settings: &'a Settings, zone: &Zone, as_of: Day) -> Self {
        let first = as_of - days + 1;
        Self { settings, as_of, days, first, start: zone.start(first), end: zone.end(as_of) }
    }
}

impl Portfolio {
    /// The amount of the orders of the last 365 days, minor units.
    pub(crate) fn order_amount(&self) -> i64 {
        narrow(self.order_amount)
    }

    /// The mean of the customers' repurchase intervals, in days.
    pub(crate) fn mean_interval(&self) -> Option<f64> {
        (self.intervals > 0).then(|| real(self.interval_halves) / 2.0 / real(self.intervals))
    }

    /// Customers that are new, growing or mature.
    pub(crate) fn lively(&self) -> i64 {
        self.of_stage(Lifestage::New) + self.of_stage(Lifestage::Growing) + self.of_stage(Lifestage::Mature)
    }

    fn of_stage(&self, stage: Lifestage) -> i64 {
        self.stages[stage as usize]
    }

    /// The share of the customers in a stage of life.
    pub(crate) fn stage_share(&self, stage: Lifestage) -> Option<f64> {
        ratio(self.of_stage(stage), self.customers)
    }

    /// The share of the customers whose health has a color.
    pub(crate) fn color_share(&self, color: Color) -> Option<f64> {
        ratio(self.colors[color as usize], self.customers)
    }

    /// Σ chance × amount of the open opportunities, minor units.
    pub(crate) fn pipeline(&self, chances: &[f64]) -> f64 {
        let parts = chances.iter().zip(&self.open_amounts);
        parts.fold(0.0, |sum, (chance, amount)| sum + chance * real(narrow(*amount)))
    }
}

/// The portfolios of all reps of the CRM, by position.
#[derive(Debug, Default)]
pub(crate) struct Portfolios {
    pub(crate) reps: Vec<Portfolio>,
    /// Reps whose portfolio changed since [`Portfolios::take_changed`].
    changed: Vec<usize>,
}

impl Portfolios {
    /// Everything counted. `position`: of the facts' reps in the CRM.
    pub(crate) fn count(
        crm: &Crm,
        position: &[Option<usize>],
        (customers, leads, deals): (&[CustomerMeasure], &[Lead], &[Opportunity]),
        view: &View<'_>,
    ) -> Self {
        let mut all = Self { reps: vec![Portfolio::default(); crm.reps.len()], changed: Vec::new() };
        for customer in customers {
            all.customer(crm, customer, 1);
        }
        for lead in leads {
            all.lead(position, lead, view, 1);
        }
        for deal in deals {
            all.deal(position, deal, view, 1);
        }
        all.changed.clear();
        all
    }

    /// The reps whose portfolio changed, each once, since the last call.
    pub(crate) fn take_changed(&mut self) -> Vec<usize> {
        let mut changed = std::mem::take(&mut self.changed);
        changed.sort_unstable();
        changed.dedup();
        changed
    }

    fn of(&mut self, rep: usize) -> &mut Portfolio {
        if self.changed.last() != Some(&rep) {
            self.changed.push(rep);
        }
        &mut self.reps[rep]
    }

    /// Counts a customer so many `times`: 1 puts it in, −1 takes it out.
    pub(crate) fn customer(&mut self, crm: &Crm, customer: &CustomerMeasure, times: i64) {
        let Some(owner) = crm.customers.owner[at(customer.key)] else { return };
        let own = self.of(at(owner));
        own.customers += times;
        own.customers_touched += times * i64::from(customer.touches > 0);
        own.health += times * customer.health;
        own.dense += times * i64::from(customer.dense);
        own.orders += times * customer.orders;
        own.order_amount += i128::from(times) * i128::from(customer.order_amount);
        if let Some(interval) = customer.repurchase_interval {
            own.intervals += times;
            own.interval_halves += times * halves(interval);
        }
        own.stages[customer.stage as usize] += times;
        own.colors[customer.color as usize] += times;
    }

    /// Counts the customers in force as owned, and as touched where the last touch of their key lies within the view.
    pub(crate) fn owned(&mut self, crm: &Crm, last_touch: impl Fn(usize) -> Micros, view: &View<'_>) {
        for slot in crm.customers.keys.iter().map(|&key| at(key)) {
            let Some(owner) = crm.customers.owner[slot] else { continue };
            let own = self.of(at(owner));
            own.customers += 1;
            own.customers_touched += i64::from(last_touch(slot) >= view.start);
        }
    }

    /// Counts a lead.
    pub(crate) fn lead(&mut self, position: &[Option<usize>], lead: &Lead, view: &View<'_>, times: i64) {
        let Some(rep) = find(position, lead.assignee) else { return };
        let own = self.of(rep);
        own.open_leads += times * i64::from(lead.is_open(view.as_of));
        if lead.created_within(view.as_of, view.days) {
            own.new_leads += times;
            own.answered += times * i64::from(lead.answered_at.is_some());
            if let Some(met) = lead.sla_met(view.end, &view.settings.lead) {
                own.timely.0 += times * i64::from(met);
                own.timely.1 += times;
            }
        }
    }

    /// Counts an opportunity: its owner's, and its moves those of the reps who made them.
    pub(crate) fn deal(
        &mut self,
        position: &[Option<usize>],
        deal: &Opportunity,
        view: &View<'_>,
        times: i64,
    ) {
        if let Some(rep) = find(position, deal.owner) {
            let own = self.of(rep);
            own.deals += times * i64::from(deal.open_since(view.start));
            if deal.is_open() {
                own.open_deals += times;
                let last = view.settings.pipeline.win_chance.len().saturating_sub(1);
                let rank = deal.rank.and_then(|rank| usize::try_from(rank).ok()).unwrap_or(0).min(last);
                own.open_amounts.resize(last + 1, 0);
                own.open_amounts[rank] += i128::from(times) * i128::from(deal.amount.unwrap_or(0));
            }
        }
        for (_, rep) in deal.moves().filter(|(day, _)| *day >= view.first) {
            if let Some(rep) = find(position, rep.or(deal.owner)) {
                self.of(rep).moves += times;
            }
        }
    }
}

/// Twice a number of days that is a multiple of one half.
#[expect(clippy::cast_possible_truncation, reason = "days of a year, doubled")]
fn halves(days: f64) -> i64 {
    (days * 2.0) as i64
}

fn narrow(amount: i128) -> i64 {
    i64::try_from(amount).unwrap_or(if amount < 0 { i64::MIN } else { i64::MAX })
}
