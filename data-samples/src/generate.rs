//! The days, one after another: lives begin, events fall due, ordinary ones fill the day up, dirt gets in, and
//! the day's file is written.

use std::path::{Path, PathBuf};

use chrono::NaiveDate;

use crate::dirt::Arrivals;
use crate::error::GenerateError;
use crate::life::deal::Sales;
use crate::life::lead;
use crate::life::order::Orders;
use crate::life::ordinary::Mix;
use crate::life::pending::Pending;
use crate::scale::Scale;
use crate::truth::{Summary, Truth};
use crate::world::World;
use crate::write::{self, Format, rows};

/// How far a generation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The day just written.
    pub date: NaiveDate,
    /// Days written.
    pub days_done: u32,
    /// Days to write.
    pub days: u32,
    /// Behaviour records written so far.
    pub records: u64,
}

/// Writes every stream of a world under `out`, and its truth under `out/truth`; calls `progress` after each day.
///
/// Files of an earlier run with the same days and format are overwritten. Memory: the events of one day, those
/// drawn ahead, and a few dozen bytes per rep and customer. The bytes depend on `scale` and `format` alone.
///
/// # Errors
/// - [`GenerateError::Scale`] for a parameter out of its range, before anything is written.
/// - [`GenerateError::OutputInUse`] where `out/behaviour` holds other files than this run's.
/// - [`GenerateError::Io`], [`GenerateError::Json`], [`GenerateError::Arrow`], [`GenerateError::Parquet`] for a
///   file that could not be written.
pub fn generate(
    scale: &Scale,
    out: &Path,
    format: Format,
    progress: &mut dyn FnMut(Progress),
) -> Result<Summary, GenerateError> {
    scale.check()?;
    let behaviour = prepare(scale, out, format)?;
    let world = World::new(scale);
    rows::write(&world, out)?;
    let mut truth = Truth::new(&world, out.join("truth"))?;
    let mut pending = Pending::new(world.clock.days());
    let mut sales = Sales::new(&world);
    let mut orders = Orders::new(&world);
    let mut arrivals = Arrivals::new(scale, format);
    let mix = Mix::new();
    let mut emitted = 0;
    sales.migrate(&world, &mut pending);
    for (day, days_done) in (0..world.clock.days()).zip(1..) {
        let leads = lead::day(&world, day, &mut sales, &mut pending);
        sales.day(&world, day, &mut pending);
        orders.day(&world, day, &mut pending);
        let mut events = pending.take(&world, day);
        let of_lives = events.len();
        emitted += u64::try_from(of_lives).unwrap_or(u64::MAX);
        let missing = world.pace.events_until(day).saturating_sub(emitted);
        mix.fill(&world, day, missing, &mut events);
        emitted += missing;
        truth.day(&world, day, &leads, &sales.expected, &events)?;
        let file = arrivals.day(&world, day, events, of_lives);
        truth.file(file.order.len());
        let date = world.clock.date(day);
        write::write_day(&behaviour.join(file_name(date, format)), format, &world.clock, &file)?;
        progress(Progress { date, days_done, days: scale.days, records: truth.records() });
    }
    truth.finish(scale, format, sales.opened(), arrivals.counts)
}

fn file_name(date: NaiveDate, format: Format) -> String {
    format!("{date}.{}", format.extension())
}

/// Makes the folders; refuses where files of another run would mix with this one's.
fn prepare(scale: &Scale, out: &Path, format: Format) -> Result<PathBuf, GenerateError> {
    let failed = |path: &Path, source| GenerateError::Io { path: path.to_owned(), source };
    let behaviour = out.join("behaviour");
    for folder in [&behaviour, &out.join("truth")] {
        std::fs::create_dir_all(folder).map_err(|source| failed(folder, source))?;
    }
    let ours = |name: &str| {
        let date = name.strip_suffix(format.extension()).and_then(|stem| stem.strip_suffix('.'));
        date.and_then(|date| date.parse::<NaiveDate>().ok())
            .is_some_and(|date| scale.start() <= date && date <= scale.end)
    };
    for entry in std::fs::read_dir(&behaviour).map_err(|source| failed(&behaviour, source))? {
        let entry = entry.map_err(|source| failed(&behaviour, source))?;
        if !entry.file_name().to_str().is_some_and(ours) {
            return Err(GenerateError::OutputInUse { path: entry.path() });
        }
    }
    Ok(behaviour)
}
