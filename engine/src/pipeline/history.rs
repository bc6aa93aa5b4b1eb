//! What a prediction looks back on: who sold how much on which day, who these people are, and what is in the pipeline.

use super::stage::{Measures, Windows};
use crate::entity::Crm;
use crate::error::Result;
use crate::lake::Lake;
use crate::measure::facts::KEEP_DAYS;
use crate::measure::funnel::{find, rep_positions};
use crate::measure::opportunity::Opportunity;
use crate::measure::real;
use crate::quota::{Member, OpenDeal, Pipeline, PredictInput, Sold, WonDeal, months_before};
use crate::score::deal::ScoredDeals;
use crate::settings::Settings;
use crate::tile::{Sale, Tiles};
use crate::time::Day;

/// What a prediction looks back on, and who its staff are: positions in the CRM.
#[derive(Debug)]
pub(super) struct History {
    pub(super) input: PredictInput,
    pub(super) order: Vec<usize>,
}

/// The history of a day's prediction: the sales of whole months before the period, and of its days before `as_of`.
pub(super) async fn history(
    lake: &Lake,
    tiles: &Tiles,
    windows: &Windows,
    settings: &Settings,
    as_of: Day,
) -> Result<History> {
    let (crm, period) = (&windows.crm, &windows.period);
    let first_event = tiles.days(as_of).next().unwrap_or(as_of);
    let months: Vec<(Day, Day)> = months_before(period.first, settings.quota.history_months)
        .into_iter()
        .filter(|(_, last)| *last >= first_event)
        .collect();
    let sales = tiles.sales(lake, &months, period.first..as_of, |id| crm.rep(id)).await?;
    let (order, staff, sales) = by_row(crm, as_of, &sales);
    let first_day = months.first().map_or(period.first, |(first, _)| *first);
    let attained = crm.reps.iter().filter(|rep| rep.on_duty(as_of));
    let input = PredictInput {
        period: (period.first, period.last),
        as_of,
        staff,
        sales,
        first_day,
        working: workdays(crm, first_day, period.last),
        attained: attained.map(|rep| real(windows.reps_period.get(&rep.id).amount_signed)).collect(),
        pipeline: None,
        history_months: settings.quota.history_months,
        attain_probability: settings.quota.attain_probability,
    };
    Ok(History { input, order })
}

/// Whether people work, by day; empty where the CRM has no calendar.
pub(super) fn workdays(crm: &Crm, first: Day, last: Day) -> Vec<bool> {
    if crm.calendar.is_empty() {
        return Vec::new();
    }
    (first..=last).map(|day| crm.is_working_day(day)).collect()
}

/// The staff in the order of rows, then those off duty who sold, first as positions in the CRM; and the sales by rep, then
/// by day.
pub(super) fn by_row(crm: &Crm, as_of: Day, sales: &[Sale<usize>]) -> (Vec<usize>, Vec<Member>, Vec<Sold>) {
    let nowhere = u32::try_from(crm.regions.ids.len()).unwrap_or(u32::MAX);
    // Counts, then places, by position in the CRM: a sort that costs a pass.
    let mut ends = vec![0_usize; crm.reps.len()];
    let mut last_sale = vec![None; crm.reps.len()];
    for sale in sales {
        ends[sale.rep] += 1;
        last_sale[sale.rep] = last_sale[sale.rep].max(Some(sale.day));
    }
    let on_duty = |rep: &usize| crm.reps[*rep].on_duty(as_of);
    let off_duty = |rep: &usize| !crm.reps[*rep].on_duty(as_of) && last_sale[*rep].is_some();
    let order: Vec<usize> =
        (0..crm.reps.len()).filter(on_duty).chain((0..crm.reps.len()).filter(off_duty)).collect();
    let mut next = vec![0_usize; crm.reps.len()];
    let mut number = vec![0_u32; crm.reps.len()];
    let mut begin = 0;
    for (&rep, row) in order.iter().zip(0_u32..) {
        (number[rep], next[rep]) = (row, begin);
        begin += ends[rep];
    }
    let mut sold = vec![Sold { rep: 0, day: 0, amount: 0.0 }; begin];
    for sale in sales {
        sold[next[sale.rep]] = Sold { rep: number[sale.rep], day: sale.day, amount: real(sale.amount) };
        next[sale.rep] += 1;
    }
    for rows in sold.chunk_by_mut(|a, b| a.rep == b.rep) {
        rows.sort_by_key(|row| row.day);
    }
    let member = |&rep: &usize| {
        let person = &crm.reps[rep];
        // Nobody says when somebody left who is marked so: after what they last sold.
        let gone = (!person.on_duty(as_of)).then(|| last_sale[rep].map_or(as_of, |day| day + 1));
        Member {
            region: person.region.and_then(|region| u32::try_from(region).ok()).unwrap_or(nowhere),
            hired: person.hired_on,
            left: person.left_on.or(gone),
        }
    };
    let staff = order.iter().map(member).collect();
    (order, staff, sold)
}

/// What a model of wins says of the pipeline of reps on duty.
pub(super) fn pipeline(
    windows: &Windows,
    reps: &[usize],
    measures: &Measures,
    scored: Option<&ScoredDeals>,
    as_of: Day,
) -> Option<Pipeline> {
    let scored = scored?;
    let crm = &windows.crm;
    let mut row_of = vec![None; crm.reps.len()];
    for (row, &rep) in reps.iter().enumerate() {
        row_of[rep] = Some(row);
    }
    let (facts, position) = (&windows.facts, rep_positions(&windows.facts, crm));
    let mut open: Vec<(u32, OpenDeal)> = Vec::new();
    let mut found = Pipeline { known_from: known_from(as_of), ..Pipeline::default() };
    for ((number, deal), p_win) in (0..).zip(&measures.opportunities).zip(&scored.p_win) {
        let row = || row_of[find(&position, deal.owner)?];
        if let (Some((amount, p_win)), Some(row)) = (open_deal(deal, *p_win), row()) {
            open.push((number, OpenDeal { row, amount, p_win }));
        }
        found.won.extend(won_deal(deal, as_of));
    }
    // Floats are added up in one order, whatever order events came in.
    open.sort_unstable_by_key(|(number, deal)| (deal.row, facts.opportunities.get(*number)));
    found.open = open.into_iter().map(|(_, deal)| deal).collect();
    Some(found)
}

/// The first day from which on all that was won is known.
fn known_from(as_of: Day) -> Day {
    as_of - KEEP_DAYS + 1
}

/// Amount and chance of an open opportunity that a prediction counts.
pub(super) fn open_deal(deal: &Opportunity, p_win: Option<f64>) -> Option<(f64, f64)> {
    let amount = deal.amount.filter(|amount| *amount > 0 && deal.is_open())?;
    Some((real(amount), p_win?))
}

/// A won opportunity that a prediction looks back on.
pub(super) fn won_deal(deal: &Opportunity, as_of: Day) -> Option<WonDeal> {
    let counts = !deal.is_open() && deal.won && deal.has_opened() && deal.closed_day >= known_from(as_of);
    let amount = deal.amount.filter(|amount| *amount > 0 && counts)?;
    Some(WonDeal { opened: deal.opened_day, won: deal.closed_day, amount: real(amount) })
}
