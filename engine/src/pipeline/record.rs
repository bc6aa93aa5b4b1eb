//! All that a lake knows of who sold how much on which day: what quotas are backtested on.

use super::history::{by_row, workdays};
use super::stage;
use crate::catalogue::Catalogue;
use crate::entity::Crm;
use crate::error::Result;
use crate::lake::{Job, Lake};
use crate::quota::{PredictInput, Span, months_before};
use crate::settings::{Period, Settings};
use crate::time::Day;

/// Months that are looked back on: more than any forecast reads before any period of a backtest.
const MONTHS_MAX: usize = 240;

/// Who sold what, with the names behind the numbers.
#[derive(Debug)]
pub struct Record {
    /// By position among the staff of `input`.
    pub rep_ids: Vec<String>,
    /// By number of a region; the last stands for none.
    pub region_ids: Vec<String>,
    /// What a prediction would be made from, of all days up to and with the run's.
    pub input: PredictInput,
}

/// Reads the record of a lake as of the end of a day; freshens the tiles on the way.
///
/// # Errors
/// Where the lake can't be read or written, or another process runs a day of it.
pub async fn record(lake: &Lake, settings: &Settings, catalogue: &Catalogue, as_of: Day) -> Result<Record> {
    let _lock = lake.lock(Job::Run)?;
    let (sources, tiles) = stage::open(lake, None).await?;
    let (tiles, _) = stage::tiles(tiles, &sources, catalogue, as_of).await?;
    let crm = Crm::as_of(&sources.versions, &tiles.keys, lake.zone().end(as_of))?;
    let month = Span::of(as_of, Period::Month);
    let first_event = tiles.days(as_of).next().unwrap_or(as_of);
    let months: Vec<(Day, Day)> =
        months_before(month.first, MONTHS_MAX).into_iter().filter(|(_, last)| *last >= first_event).collect();
    let sales = tiles.sales(lake, &months, month.first..as_of + 1, |id| crm.rep(id)).await?;
    let (order, staff, sales) = by_row(&crm, as_of, &sales);
    let period = Span::of(as_of, settings.quota.period);
    let first_day = months.first().map_or(month.first, |(first, _)| *first);
    let input = PredictInput {
        period: (period.first, period.last),
        as_of,
        staff,
        sales,
        first_day,
        working: workdays(&crm, first_day, period.last),
        history_months: settings.quota.history_months,
        attain_probability: settings.quota.attain_probability,
        ..PredictInput::default()
    };
    Ok(Record {
        rep_ids: order.iter().map(|&rep| crm.reps[rep].id.clone()).collect(),
        region_ids: crm.regions.ids.iter().cloned().chain(["(no region)".to_owned()]).collect(),
        input,
    })
}
