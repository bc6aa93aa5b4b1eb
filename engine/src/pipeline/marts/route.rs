//! The mart of routed leads.

use super::Measured;
use crate::error::Result;
use crate::mart::{Columns, Mart};
use crate::route::{RouteInputs, Routed, Taker, route};

/// A row per lead that waits for a rep, by ascending id.
pub(super) fn lead_route(day: &Measured<'_>) -> Result<Mart> {
    let (windows, measures) = (day.windows, day.measures);
    let rows = route(&RouteInputs {
        crm: &windows.crm,
        facts: &windows.facts,
        leads: &measures.leads,
        portfolios: &measures.portfolios.reps,
        capability: &measures.capability,
        scored: day.scores.leads.as_ref(),
        settings: day.settings,
        zone: day.zone,
        as_of: day.as_of,
    });
    let to = |of: fn(&Taker<'_>) -> i64| rows.iter().map(move |row| row.to.as_ref().map(of));
    let taker = |row: &Routed<'_>| row.to.as_ref().and_then(|to| to.expected_wins);
    let strategy = day.settings.routing.strategy.as_str();
    Columns::default()
        .text(rows.iter().map(|row| row.lead_id))
        .maybe_text(rows.iter().map(|row| row.region.as_deref()))
        .maybe_text(rows.iter().map(|row| row.source.as_deref()))
        .text(rows.iter().map(|row| row.cause))
        .maybe_text(rows.iter().map(|row| row.from))
        .maybe_text(rows.iter().map(|row| row.to.as_ref().map(|to| to.rep_id)))
        .text(rows.iter().map(|_| strategy))
        .ratio(rows.iter().map(|row| row.chance))
        .text(rows.iter().map(|row| row.basis))
        .ratio(rows.iter().map(|row| row.to.as_ref().map(|to| to.factor)))
        .ratio(rows.iter().map(taker))
        .maybe_long(to(|to| to.position))
        .long(rows.iter().map(|row| row.candidates))
        .maybe_long(to(|to| to.load_before))
        .maybe_long(to(|to| to.load_after))
        .maybe_long(to(|to| to.capacity))
        .text(rows.iter().map(|row| row.reason.as_str()))
        .of("mart.lead_route")
}
