//! The newcomer's door: the stages of a daily run, in order.

mod elasticity;
mod fairness;
mod history;
mod identity;
mod learnt;
pub mod live;
mod marts;
mod notice;
mod past;
mod publish;
mod quotas;
mod record;
mod replay;
mod scores;
mod scratch;
mod source;
mod stage;
mod subjects;
mod trial;

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::thread;
use std::time::Instant;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::{block_in_place, spawn_blocking};

use crate::catalogue::Catalogue;
use crate::error::Result;
use crate::lake::{Job, Lake};
use crate::mart::Mart;
use crate::quota::Predictor;
use crate::rule::Book;
use crate::score::Models;
use crate::settings::Settings;
use crate::tile::{TileReport, Tiles};
use crate::time::{Day, Micros, Zone};

pub use past::{Past, PastRequest, find_run};
pub use record::{Record, record};
pub use replay::{Compared, Replayed, Verdict, replay};
pub use trial::{Cast, Hire, Outcome, RepOutcome, Shift, Staff, Variation};

/// What to run.
pub struct RunRequest<'a> {
    /// The day whose end the run looks from.
    pub as_of: Day,
    /// The present, recorded in `ops.run` and nowhere else.
    pub now: Micros,
    /// What decides the numbers.
    pub settings: &'a Settings,
    /// The event catalogue.
    pub catalogue: &'a Catalogue,
    /// The prediction behind the quotas.
    pub predictor: &'a dyn Predictor,
    /// The rules that act on proposals.
    pub rules: &'a Book,
    /// The models in use for the day.
    pub models: Models<'a>,
    /// Told the name of each stage as it begins.
    pub progress: &'a mut dyn FnMut(&str),
}

impl std::fmt::Debug for RunRequest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunRequest").field("as_of", &self.as_of).finish_non_exhaustive()
    }
}

/// What a run did.
#[derive(Debug, Clone, Default)]
pub struct RunReport {
    /// The hash of what the run was made of.
    pub run_id: String,
    /// The day.
    pub as_of: Day,
    /// False where the same inputs had been published before.
    pub published: bool,
    /// Rows per mart.
    pub rows: BTreeMap<String, u64>,
    /// What freshening the tiles did.
    pub tiles: TileReport,
    /// Share of records that did not reach their entity or their contract.
    pub mapping_error: Option<f64>,
    /// What a person should look at.
    pub warnings: Vec<String>,
    /// Seconds per stage.
    pub stages: Vec<(String, f64)>,
}

/// Computes and publishes one day.
///
/// Killing it anywhere publishes nothing and loses nothing; running it again takes up where it stopped. The same
/// inputs are the same run: repeating it finds it published.
///
/// # Errors
/// Where the lake can't be read or written, or another process runs a day of the same lake.
pub async fn run(lake: &Lake, request: RunRequest<'_>) -> Result<RunReport> {
    let _lock = lake.lock(Job::Run)?;
    let mut clock = Clock::start();
    let RunRequest { as_of, now, settings, catalogue, predictor, rules, models, progress } = request;

    progress("reading the CRM");
    let (sources, tiles) = stage::open(lake, Some((as_of, catalogue))).await?;
    clock.lap("read");

    let identity = identity::of(&sources, settings, catalogue, predictor, rules, models, as_of);
    if let Some(report) = publish::already_published(&sources, &identity, as_of) {
        return Ok(report);
    }

    let inputs = Inputs { as_of, settings, catalogue, predictor, rules, models };
    let write = |marts: Vec<Mart>| publish::write_all(lake, &identity, as_of, &marts);
    let beside = |day: &marts::Measured<'_>| marts::of_measures(day, write);
    let after = |day: &marts::Measured<'_>, quotas: &_| write(marts::with_quotas(day, quotas, rules)?);
    let computed = Box::pin(compute(lake, (&sources, tiles), inputs, progress, &mut clock, (beside, after)));
    let (state, tile_report, (mut written, others)) = computed.await?;
    written.extend(others);

    progress("publishing");
    let State { tiles, windows, measures, scores, quotas } = state;
    let mapping_error = notice::mapping_error(&sources, &windows, as_of)?;
    let facts = publish::RunFacts {
        as_of,
        started_at: now,
        // Readers follow publications by this instant: it grows from one to the next, whatever clocks do.
        finished_at: (now + clock.elapsed_micros()).max(sources.last_publication() + 1),
        mapping_error,
        warnings: notice::warnings(&windows, &quotas, mapping_error),
    };
    // Memory is handed back while the disk is waited for.
    spawn_blocking(move || drop((tiles, windows, measures, scores)));
    let mut report = publish::publish(lake, &identity, &facts, written).await?;
    clock.lap("publish");
    report.warnings.extend(notice::of_tiles(&tile_report));
    report.tiles = tile_report;
    report.stages = clock.stages;
    Ok(report)
}

/// What decides a run's numbers, beside what it reads.
#[derive(Clone, Copy)]
struct Inputs<'a> {
    as_of: Day,
    settings: &'a Settings,
    catalogue: &'a Catalogue,
    predictor: &'a dyn Predictor,
    rules: &'a Book,
    models: Models<'a>,
}

/// What a run computes, before it is published.
#[derive(Debug)]
struct State {
    tiles: Tiles,
    windows: stage::Windows,
    measures: stage::Measures,
    scores: scores::Scores,
    quotas: quotas::Quotas,
}

impl State {
    /// All but the quotas.
    fn measured<'a>(
        &'a self,
        (settings, catalogue): (&'a Settings, &'a Catalogue),
        zone: &'a Zone,
        as_of: Day,
    ) -> marts::Measured<'a> {
        let Self { tiles, windows, measures, scores, .. } = self;
        marts::Measured { tiles, windows, measures, scores, settings, catalogue, zone, as_of }
    }
}

/// The stages between reading and publishing. The tiles are those of `lake`, just opened; `beside` is called with what was
/// measured, while quotas are computed, and `after` with the quotas too, while that may still go on.
async fn compute<T: Send, U: Send>(
    lake: &Lake,
    (sources, opened): (&source::Sources, Tiles),
    inputs: Inputs<'_>,
    progress: &mut dyn FnMut(&str),
    clock: &mut Clock,
    (beside, after): (
        impl FnOnce(&marts::Measured<'_>) -> Result<T> + Send,
        impl FnOnce(&marts::Measured<'_>, &quotas::Quotas) -> Result<U> + Send,
    ),
) -> Result<(State, TileReport, (T, U))> {
    let Inputs { as_of, settings, catalogue, predictor, rules, models } = inputs;
    progress("tiles");
    let (tiles, tile_report) = stage::tiles(opened, sources, catalogue, as_of).await?;
    clock.lap("tiles");

    progress("windows");
    let windows = stage::windows(lake, sources, &tiles, settings, catalogue, as_of);
    let (earlier, windows) = meanwhile(|| quotas::Earlier::read(sources, settings, as_of), windows).await;
    let (earlier, windows) = (earlier?, windows?);
    clock.lap("windows");

    progress("measures");
    let basis = quotas::basis(lake, (sources, earlier), (&tiles, &windows), (settings, predictor), as_of);
    let (measures, basis) =
        meanwhile(|| stage::measures(&windows, &tiles.keys, settings, catalogue, lake.zone(), as_of), basis)
            .await;
    let basis = basis?;
    clock.lap("measures");

    progress("scores");
    let scores =
        scores::scores((&tiles, &windows, &measures), models, settings, catalogue, lake.zone(), as_of)?;
    clock.lap("scores");

    progress("factors and quotas");
    let zone = lake.zone();
    let day = marts::Measured {
        tiles: &tiles,
        windows: &windows,
        measures: &measures,
        scores: &scores,
        settings,
        catalogue,
        zone,
        as_of,
    };
    let quotas = || {
        let quotas = quotas::quotas(basis, sources, &day, (predictor, rules))?;
        let made = after(&day, &quotas)?;
        Ok((quotas, made))
    };
    let (quotas, beside): (Result<_>, _) = rayon::join(quotas, || beside(&day));
    let ((quotas, after), beside) = (quotas?, beside?);
    clock.lap("quotas");
    Ok((State { tiles, windows, measures, scores, quotas }, tile_report, (beside, after)))
}

/// Computes while a future goes on; after it where the runtime has one thread only.
async fn meanwhile<A: Send, B>(work: impl FnOnce() -> A + Send, future: impl Future<Output = B>) -> (A, B) {
    let handle = Handle::current();
    if handle.runtime_flavor() == RuntimeFlavor::CurrentThread {
        let said = future.await;
        return (work(), said);
    }
    // A thread of its own: a future that waited on one of rayon's could wait for work that needs this very thread.
    block_in_place(|| {
        thread::scope(|scope| {
            let working = scope.spawn(work);
            let said = handle.block_on(future);
            (working.join().unwrap_or_else(|panic| resume_unwind(panic)), said)
        })
    })
}

/// Wall-clock time per stage.
struct Clock {
    started: Instant,
    begun: Instant,
    stages: Vec<(String, f64)>,
}

impl Clock {
    fn start() -> Self {
        Self { started: Instant::now(), begun: Instant::now(), stages: Vec::new() }
    }

    fn elapsed_micros(&self) -> Micros {
        Micros::try_from(self.started.elapsed().as_micros()).unwrap_or(0)
    }

    fn lap(&mut self, stage: &str) {
        let now = Instant::now();
        self.stages.push((stage.to_owned(), now.duration_since(self.begun).as_secs_f64()));
        self.begun = now;
    }
}
