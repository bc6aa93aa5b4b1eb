//! Whether a state is outdated, and a newer one beside it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::error::{EngineError, Result};
use crate::lake::Lake;
use crate::live::{Live, Making, versions};
use crate::time::Day;

/// Looks at the lake now and then, on threads of the runtime.
pub(super) struct Looker {
    lake: Lake,
    making: Making,
    runtime: Handle,
    every: Duration,
    looked: Instant,
    looking: Option<JoinHandle<Result<Option<Box<Live>>>>>,
    /// Offsets that the lake must have reached before a new state shows events that this one can't: by partition's id.
    lacking: BTreeMap<String, i64>,
}

/// What came of looking.
pub(super) enum Looked {
    /// Nothing yet.
    Not,
    /// The state shows all that it can.
    Fresh,
    /// A newer state.
    Newer(Box<Live>),
    /// The state stays as it is, because of this.
    Failed(EngineError),
}

impl Looker {
    pub(super) fn new(lake: &Lake, making: &Making, runtime: &Handle, every: Duration) -> Self {
        Self {
            lake: lake.clone(),
            making: making.clone(),
            runtime: runtime.clone(),
            every,
            looked: Instant::now(),
            looking: None,
            lacking: BTreeMap::new(),
        }
    }

    /// Loads the first state, waiting while a day is being run.
    pub(super) fn first(&self, day: Day, is_stopped: impl Fn() -> bool) -> Result<Option<Live>> {
        loop {
            match self.runtime.block_on(Live::open(&self.lake, self.making.clone(), day)) {
                Ok(live) => return Ok(Some(live)),
                Err(EngineError::Busy { doing }) if !is_stopped() => {
                    tracing::info!("waiting: another process is {doing} this lake");
                    self.runtime.block_on(tokio::time::sleep(Duration::from_secs(1)));
                }
                Err(EngineError::Busy { .. }) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    /// Notes that the state can't show events up to these offsets.
    pub(super) fn note_late(&mut self, positions: &BTreeMap<String, i64>) {
        self.lacking.extend(positions.iter().map(|(id, offset)| (id.clone(), *offset)));
    }

    /// Whether the state lacks events.
    pub(super) fn lacks(&self) -> bool {
        !self.lacking.is_empty()
    }

    /// Begins to look where it is time, or the day is another; tells what came of looking before.
    pub(super) fn look(&mut self, live: &Live, day: Day) -> Looked {
        if let Some(looking) = self.looking.take_if(|looking| looking.is_finished()) {
            return match self.runtime.block_on(looking) {
                Ok(Ok(Some(newer))) => {
                    let known = newer.positions();
                    self.lacking.retain(|id, offset| known.get(id).is_none_or(|known| known < offset));
                    Looked::Newer(newer)
                }
                Ok(Ok(None)) => Looked::Fresh,
                Ok(Err(error)) => Looked::Failed(error),
                Err(stopped) => Looked::Failed(crate::ingest::stopped_thread(stopped)),
            };
        }
        if self.looking.is_none() && self.looked.elapsed() >= self.every {
            self.looked = Instant::now();
            let (lake, making, lacking) = (self.lake.clone(), self.making.clone(), self.lacking.clone());
            let (known, shown) = (live.versions().clone(), live.as_of());
            self.looking = Some(self.runtime.spawn(async move {
                let outdated =
                    day != shown || versions(&lake).await? != known || has(&lake, &lacking).await?;
                if !outdated {
                    return Ok(None);
                }
                Live::open(&lake, making, day).await.map(|live| Some(Box::new(live)))
            }));
        }
        Looked::Not
    }
}

/// Whether the lake has reached one of some offsets; no for none.
async fn has(lake: &Lake, offsets: &BTreeMap<String, i64>) -> Result<bool> {
    if offsets.is_empty() {
        return Ok(false);
    }
    let raw = lake.table("raw.behaviour").await?;
    for (id, offset) in offsets {
        if raw.position(id).await?.is_some_and(|position| position >= *offset) {
            return Ok(true);
        }
    }
    Ok(false)
}
