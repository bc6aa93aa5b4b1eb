//! What a person should look at: lost records, and what the CRM leaves open.

use super::quotas::Quotas;
use super::source::Sources;
use super::stage::Windows;
use crate::error::Result;
use crate::lake::Table;
use crate::measure::ratio;
use crate::quota::Finding;
use crate::tile::rep::count as counter;
use crate::tile::{TileReport, parse_day};
use crate::time::{Day, date};

/// Records that did not reach their contract or their entity ÷ records seen.
///
/// The contract is judged over everything that was ever taken in (a bad record has no day that could be trusted), the
/// entities over the events of the last 30 days: those of reps, and the touches of customers, that the CRM doesn't know.
pub(super) fn mapping_error(sources: &Sources, windows: &Windows, as_of: Day) -> Result<Option<f64>> {
    let rows = |table: &Table| table.files().iter().filter_map(|file| file.rows).sum::<u64>();
    let signed = |rows: u64| i64::try_from(rows).unwrap_or(i64::MAX);
    let (accepted, rejected) = (rows(&sources.raw) + rows(&sources.market), rows(&sources.dead_letters));
    let outside = ratio(signed(rejected + windows.market.unknown_region), signed(accepted + rejected));
    let mut events = 0;
    for file in sources.raw.files() {
        let day = parse_day(file.partition_value("event_date"))?;
        events += if (as_of - 29..=as_of).contains(&day) { file.rows.unwrap_or(0) } else { 0 };
    }
    let strangers = windows.reps_30d.iter().filter(|(rep, _)| windows.crm.rep(rep).is_none());
    let of_reps: i64 = strangers.map(|(_, tile)| tile.counts[counter::EVENTS]).sum();
    let unmapped = ratio(of_reps + windows.touches_of_strangers(), signed(events));
    Ok(outside.map(|outside| (outside + unmapped.unwrap_or(0.0)).min(1.0)))
}

/// The share of lost records over which a run warns.
const MAPPING_ERROR_MAX: f64 = 0.008;

/// What a person should look at.
pub(super) fn warnings(windows: &Windows, quotas: &Quotas, mapping_error: Option<f64>) -> Vec<String> {
    let crm = &windows.crm;
    let mut warnings: Vec<String> = mapping_warning(mapping_error).into_iter().collect();
    let name = |region: usize| crm.regions.ids.get(region).cloned().unwrap_or_default();
    if crm.reps.is_empty() {
        warnings.push(
            "no rep is in force: ingest the stream crm.rep to get quotas and process health".to_owned(),
        );
    }
    for finding in &quotas.run.findings {
        warnings.push(match finding {
            Finding::PlanWithoutReps { region, .. } => {
                format!("region {} has a plan for {} but no rep on duty", name(*region), windows.period.name)
            }
            Finding::RepsWithoutRegion { reps } | Finding::RepsInUnknownRegion { reps } => {
                format!("{} reps belong to no region and stand outside every plan", reps.len())
            }
            Finding::Cycle { regions } => {
                let names: Vec<String> = regions.iter().map(|&region| name(region)).collect();
                format!("regions {} are above each other; the circle was cut", names.join(" → "))
            }
            other => format!("{other:?}"),
        });
    }
    for &region in &crm.regions.cut {
        warnings.push(format!("region {} lies above itself; it was taken for a root", name(region)));
    }
    if windows.market.unknown_region > 0 {
        warnings
            .push(format!("{} market observations name an unknown region", windows.market.unknown_region));
    }
    warnings
}

/// What is told by the run that reads the rows: events that a changed catalogue has dropped, and ids on two days.
pub(super) fn of_tiles(tiles: &TileReport) -> Vec<String> {
    let mut warnings = Vec::new();
    if tiles.unknown_types > 0 {
        warnings
            .push(format!("{} events have a type that the catalogue no longer knows", tiles.unknown_types));
    }
    let ids: u64 = tiles.conflicts.values().sum();
    if let Some(((one, two), _)) = tiles.conflicts.first_key_value() {
        let (one, two) = (date(*one), date(*two));
        warnings.push(format!(
            "event ids on two days: {ids}, for example of {one} and {two}; both events count, `tideline lake verify` \
             names them"
        ));
    }
    warnings
}

/// The warning about lost records.
fn mapping_warning(share: Option<f64>) -> Option<String> {
    let share = share.filter(|share| *share > MAPPING_ERROR_MAX)?;
    Some(format!(
        "{:.2} % of the records did not reach their contract or entity; see raw.dead_letter",
        share * 100.0
    ))
}
