//! The marts with a row per customer, lead, opportunity and derived event.

use rayon::prelude::*;

use super::Measured;
use crate::catalogue::Catalogue;
use crate::error::Result;
use crate::mart::{Columns, Mart};
use crate::measure::customer::CustomerMeasure;
use crate::measure::facts::Facts;
use crate::measure::funnel::place;
use crate::measure::lead::{Lead, Quality, quality};
use crate::measure::opportunity::{Opportunity, Stages};
use crate::measure::{at, major_per, real};
use crate::pipeline::stage::{Measures, Windows};
use crate::score::deal::ScoredDeals;
use crate::settings::Settings;
use crate::tile::keys::index;
use crate::time::{DAY, Day, Micros, Zone};

/// Rows of a mart made at once: so many stay in a core's cache while each column in turn is read from them.
const PART_ROWS: usize = 2_048;

/// A mart from parts of its rows.
fn in_parts<R: Sync>(rows: &[R], part: impl Fn(usize, &[R]) -> Result<Mart> + Sync) -> Result<Mart> {
    let parts = rows.par_chunks(PART_ROWS).enumerate();
    let parts = parts.map(|(number, rows)| part(number * PART_ROWS, rows));
    let joined = parts.reduce_with(|whole, part| {
        let (mut whole, part) = (whole?, part?);
        whole.parts.extend(part.parts);
        Ok(whole)
    });
    joined.unwrap_or_else(|| part(0, rows))
}

pub(super) fn customer_health(day: &Measured<'_>) -> Result<Mart> {
    in_parts(&day.measures.customers, |first, rows| customer_rows(day, first, rows))
}

/// The rows of some customers, of whom `first` is the place of the first.
fn customer_rows(day: &Measured<'_>, first: usize, rows: &[CustomerMeasure]) -> Result<Mart> {
    let Measured { tiles, windows, .. } = *day;
    let crm = &windows.crm;
    let owner = |row: &CustomerMeasure| match crm.customers.owner[at(row.key)] {
        Some(rep) => Some(crm.reps[at(rep)].id.as_str()),
        None => crm.customers.owner_named.get(&row.key).map(String::as_str),
    };
    let region = |row: &CustomerMeasure| {
        crm.customers.region[at(row.key)].map(|region| crm.regions.ids[at(region)].as_str())
    };
    let columns = Columns::default()
        .text(rows.iter().map(|row| tiles.keys.id(index(row.key))))
        .maybe_text(rows.iter().map(owner))
        .maybe_text(rows.iter().map(region))
        .long(rows.iter().map(|row| row.touches))
        .long(rows.iter().map(|row| row.evidence))
        .long(rows.iter().map(|row| row.effective))
        .long(rows.iter().map(|row| row.evidenced))
        .time(rows.iter().map(|row| row.last_touch))
        .long(rows.iter().map(|row| row.overdue_days))
        .long(rows.iter().map(|row| row.health))
        .text(rows.iter().map(|row| row.color.as_str()))
        .flag(rows.iter().map(|row| row.dense))
        .flag(rows.iter().map(|row| row.improved))
        .long(rows.iter().map(|row| row.orders))
        .cash(rows.iter().map(|row| row.order_amount))
        .ratio(rows.iter().map(|row| major_per(row.order_amount, row.orders)))
        .ratio(rows.iter().map(|row| row.repurchase_interval))
        .text(rows.iter().map(|row| row.stage.as_str()));
    // Without a model the table's last columns stay away.
    let Some(scored) = &day.scores.customers else { return columns.of_first("mart.customer_health") };
    let margin = day.settings.score.margin_rate;
    let (p_order, orders) = (&scored.p_order[first..][..rows.len()], &scored.orders_ahead[first..]);
    let worth = rows.iter().zip(orders).map(|(row, orders)| {
        let each = (row.orders > 0).then(|| real(row.order_amount) / real(row.orders))?;
        Some(minor(orders.as_ref()? * each * margin))
    });
    columns
        .ratio(p_order.iter().copied())
        .maybe_cash(worth)
        .maybe_text(p_order.iter().map(|p| p.map(|_| scored.model_id.as_str())))
        .of("mart.customer_health")
}

/// An expectation in whole minor units.
#[expect(
    clippy::cast_possible_truncation,
    reason = "amounts far below 2^53, and held at the ends of what fits"
)]
fn minor(amount: f64) -> i64 {
    amount.round() as i64
}

/// The leads created in the last 30 days, by ascending id.
pub(super) struct Leads<'a> {
    facts: &'a Facts,
    rows: Vec<LeadRow<'a>>,
    end: Micros,
    settings: &'a Settings,
}

struct LeadRow<'a> {
    id: &'a str,
    lead: &'a Lead,
    region: Option<&'a str>,
    source: Option<&'a str>,
    quality: Quality,
}

impl<'a> Leads<'a> {
    pub(super) fn new(
        windows: &'a Windows,
        measures: &'a Measures,
        settings: &'a Settings,
        catalogue: &Catalogue,
        zone: &Zone,
        as_of: Day,
    ) -> Self {
        let facts = &windows.facts;
        let mut rows: Vec<LeadRow<'a>> = measures
            .leads
            .iter()
            .zip(0_u32..)
            .filter(|(lead, _)| lead.created_within(as_of, 30))
            .filter_map(|(lead, number)| {
                let (region, source) = place(lead, facts, &windows.crm);
                let quality = quality(lead, facts, catalogue, &settings.lead, zone, as_of);
                Some(LeadRow { id: facts.leads.get(number)?, lead, region, source, quality })
            })
            .collect();
        rows.sort_unstable_by_key(|row| row.id);
        Self { facts, rows, end: zone.end(as_of), settings }
    }

    pub(super) fn mart(&self) -> Result<Mart> {
        let rows = &self.rows;
        let settings = &self.settings.lead;
        Columns::default()
            .text(rows.iter().map(|row| row.id))
            .maybe_text(rows.iter().map(|row| row.lead.assignee.and_then(|rep| self.facts.reps.get(rep))))
            .maybe_text(rows.iter().map(|row| row.region))
            .maybe_text(rows.iter().map(|row| row.source))
            .time(rows.iter().map(|row| Some(row.lead.created_at)))
            .time(rows.iter().map(|row| row.lead.answered_at))
            .maybe_long(rows.iter().map(|row| row.lead.response_seconds()))
            .maybe_flag(rows.iter().map(|row| row.lead.sla_met(self.end, settings)))
            .flag(rows.iter().map(|row| row.lead.escalated(self.end, settings)))
            .flag(rows.iter().map(|row| row.lead.followed_7d))
            .text(rows.iter().map(|row| row.lead.stage()))
            .ratio(rows.iter().map(|row| Some(row.quality.completeness)))
            .ratio(rows.iter().map(|row| Some(row.quality.activity)))
            .ratio(rows.iter().map(|row| Some(row.quality.urgency)))
            .flag(rows.iter().map(|row| row.quality.mql))
            .of("mart.lead")
    }
}

type DealRow<'a> = (&'a str, u32, &'a Opportunity);

/// Opportunities that are open, or closed in the last 90 days, by ascending id.
pub(super) fn opportunity(
    windows: &Windows,
    measures: &Measures,
    scored: Option<&ScoredDeals>,
    end: Micros,
) -> Result<Mart> {
    let facts = &windows.facts;
    let mut rows: Vec<DealRow<'_>> = measures
        .opportunities
        .iter()
        .zip(0_u32..)
        .filter(|(deal, _)| deal.open_since(end - 90 * DAY))
        .filter_map(|(deal, number)| Some((facts.opportunities.get(number)?, number, deal)))
        .collect();
    rows.sort_unstable_by_key(|(id, ..)| *id);
    in_parts(&rows, |_, rows| deal_rows(rows, facts, (&measures.stages, scored), end))
}

fn deal_rows(
    rows: &[DealRow<'_>],
    facts: &Facts,
    (stages, scored): (&Stages, Option<&ScoredDeals>),
    end: Micros,
) -> Result<Mart> {
    let cycle = |deal: &Opportunity| {
        let closed = deal.closed_at.filter(|_| deal.won)?;
        Some(real(closed - deal.opened_at?) / real(DAY))
    };
    let columns = Columns::default()
        .text(rows.iter().map(|(id, ..)| *id))
        .maybe_text(rows.iter().map(|(.., deal)| deal.owner.and_then(|rep| facts.reps.get(rep))))
        .maybe_text(
            rows.iter().map(|(.., deal)| deal.customer.and_then(|customer| facts.customers.get(customer))),
        )
        .maybe_text(rows.iter().map(|(.., deal)| deal.lead.and_then(|lead| facts.leads.get(lead))))
        .time(rows.iter().map(|(.., deal)| deal.opened_at))
        .maybe_text(rows.iter().map(|(.., deal)| deal.stage.as_deref()))
        .maybe_long(rows.iter().map(|(.., deal)| deal.rank))
        .time(rows.iter().map(|(.., deal)| Some(deal.stage_changed_at)))
        .time(rows.iter().map(|(.., deal)| deal.closed_at))
        .maybe_text(
            rows.iter().map(|(.., deal)| deal.closed_at.map(|_| if deal.won { "won" } else { "lost" })),
        )
        .maybe_cash(rows.iter().map(|(.., deal)| deal.amount))
        .flag(rows.iter().map(|(.., deal)| deal.is_open()))
        .long(rows.iter().map(|(.., deal)| deal.stage_age_days(end)))
        .flag(rows.iter().map(|(.., deal)| stages.is_stuck(deal, end)))
        .ratio(rows.iter().map(|(.., deal)| cycle(deal)));
    // Without a model the table's last columns stay away.
    let Some(scored) = scored else { return columns.of_first("mart.opportunity") };
    let of = |number: u32| scored.p_win.get(at(number)).copied().flatten();
    let close = |number: u32| scored.expected_close.get(at(number)).copied().flatten();
    let columns = columns
        .ratio(rows.iter().map(|(_, number, _)| of(*number)))
        .date(rows.iter().map(|(_, number, _)| close(*number)))
        .maybe_text(rows.iter().map(|(_, number, _)| of(*number).map(|_| scored.model_id.as_str())));
    let Some(intervals) = &scored.interval else { return columns.of_first("mart.opportunity") };
    let end = |number: u32, end: usize| intervals.get(at(number)).copied().flatten().map(|ends| ends[end]);
    columns
        .ratio(rows.iter().map(|(_, number, _)| end(*number, 0)))
        .ratio(rows.iter().map(|(_, number, _)| end(*number, 1)))
        .of("mart.opportunity")
}

pub(super) fn derived_event(measures: &Measures) -> Result<Mart> {
    let rows = &measures.derived;
    let id = |position: usize| rows.iter().map(move |row| row.ids[position].as_deref());
    Columns::default()
        .text(rows.iter().map(|row| row.id.as_str()))
        .time(rows.iter().map(|row| Some(row.time)))
        .text(rows.iter().map(|row| row.code.as_str()))
        .maybe_text(id(0))
        .maybe_text(id(1))
        .maybe_text(id(2))
        .maybe_text(id(3))
        .of("mart.derived_event")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{AsArray, RecordBatch};
    use arrow::datatypes::{DataType, Field, Int64Type, Schema};

    use super::*;

    /// Rows beside the places that a mart's parts take them to have.
    fn numbered(rows: &[i64]) -> RecordBatch {
        let field = |name| Field::new(name, DataType::Int64, false);
        let schema = Arc::new(Schema::new(vec![field("row"), field("place")]));
        let part = |first: usize, rows: &[i64]| {
            let places = (i64::try_from(first).unwrap()..).take(rows.len());
            let columns = Columns::default().long(rows.iter().copied()).long(places);
            Ok(Mart { table: "mart.lead", parts: vec![columns.batch(Arc::clone(&schema))?] })
        };
        in_parts(rows, part).unwrap().whole().unwrap()
    }

    #[test]
    fn parts_of_a_mart_follow_each_other_and_know_their_places() {
        for count in [0, 1, 2_048, 2_049, 10_000] {
            let rows: Vec<i64> = (0..count).collect();
            let made = numbered(&rows);
            for column in made.columns() {
                assert_eq!(column.as_primitive::<Int64Type>().values(), &rows[..], "{count}");
            }
        }
    }
}
