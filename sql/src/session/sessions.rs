//! Sessions of many callers over one lake: a snapshot is kept until the lake has something newer.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::prelude::SessionContext;
use engine::catalogue::Catalogue;
use engine::lake::Lake;
use engine::settings::Settings;
use tokio::sync::Mutex;

use super::{Opened, config, register};
use crate::error::Result;

/// Consumers of memory that an error names.
const CONSUMERS_NAMED: usize = 3;

/// What all queries together may have.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of memory for what has to be held to answer: hash tables, sorts, aggregates.
    pub memory_bytes: usize,
    /// Bytes of disk for what doesn't fit into it.
    pub spill_bytes: u64,
    /// The folder for these; the system's where none is named.
    pub spill_dir: Option<PathBuf>,
    /// Parts that a query is computed in at a time.
    pub partitions: usize,
}

/// Makes sessions.
#[derive(Debug)]
pub struct Sessions {
    lake: Lake,
    catalogue: Catalogue,
    settings: Settings,
    partitions: usize,
    runtime: Arc<RuntimeEnv>,
    kept: Mutex<Option<Kept>>,
}

#[derive(Debug)]
struct Kept {
    opened: Opened,
    snapshot: Arc<Snapshot>,
}

/// The tables of a lake at one moment.
pub struct Snapshot {
    /// The same for the same snapshot.
    pub number: u64,
    context: SessionContext,
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").field("number", &self.number).finish_non_exhaustive()
    }
}

impl Snapshot {
    /// A session whose names without a schema are looked for in this one.
    pub fn context(&self, schema: &str) -> SessionContext {
        let mut state = self.context.state();
        if state.config().options().catalog.default_schema != schema {
            schema.clone_into(&mut state.config_mut().options_mut().catalog.default_schema);
        }
        SessionContext::new_with_state(state)
    }

    /// Whether there is a schema of that name.
    pub fn has_schema(&self, name: &str) -> bool {
        self.context.catalog(super::CATALOG).is_some_and(|catalog| catalog.schema(name).is_some())
    }
}

impl Sessions {
    /// Sessions over a lake, within limits.
    ///
    /// # Errors
    /// Where the folder for what doesn't fit into memory can't be made.
    pub fn new(lake: Lake, catalogue: Catalogue, settings: Settings, limits: &Limits) -> Result<Self> {
        let pool = TrackConsumersPool::new(
            FairSpillPool::new(limits.memory_bytes),
            std::num::NonZeroUsize::new(CONSUMERS_NAMED).unwrap_or(std::num::NonZeroUsize::MIN),
        );
        let mode = match &limits.spill_dir {
            Some(dir) => DiskManagerMode::Directories(vec![dir.clone()]),
            None => DiskManagerMode::OsTmpDirectory,
        };
        let disk =
            DiskManagerBuilder::default().with_mode(mode).with_max_temp_directory_size(limits.spill_bytes);
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(pool))
            .with_disk_manager_builder(disk)
            .build_arc()
            .map_err(register("the memory of queries"))?;
        Ok(Self { lake, catalogue, settings, partitions: limits.partitions, runtime, kept: Mutex::default() })
    }

    /// The lake as it stands.
    ///
    /// # Errors
    /// Where the lake can't be read.
    pub async fn current(&self) -> Result<Arc<Snapshot>> {
        let mut kept = self.kept.lock().await;
        let mut number = 0;
        if let Some(kept) = kept.as_mut() {
            if !kept.opened.refresh(&self.lake).await? {
                return Ok(Arc::clone(&kept.snapshot));
            }
            number = kept.snapshot.number + 1;
        }
        let opened = match kept.take() {
            Some(kept) => kept.opened,
            None => Opened::new(&self.lake, |_| true).await?,
        };
        let config = config().with_target_partitions(self.partitions);
        let context = SessionContext::new_with_config_rt(config, Arc::clone(&self.runtime));
        let context = opened.context(&self.catalogue, &self.settings, context)?;
        let snapshot = Arc::new(Snapshot { number, context });
        *kept = Some(Kept { opened, snapshot: Arc::clone(&snapshot) });
        Ok(snapshot)
    }
}
