//! What the lake has published, as far as the server knows: swapped whole when something new is there.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use engine::EngineError;
use engine::lake::{Lake, Run, Table, tables};
use engine::time::{Day as DayNumber, date};
use tokio::sync::Semaphore;

use super::board::Board;
use super::day::{Day, Mart};
use super::problem::Problem;
use super::sheet::{Sheet, arrow_error};

/// Days beside the newest that are kept in memory.
const OLDER_DAYS: usize = 3;
/// Requests that may read the lake at a time.
const READERS: usize = 2;

/// All that was published, as of one look at the lake.
#[derive(Debug, Default)]
pub(crate) struct Published {
    /// The newest day; none before the first publication.
    pub(super) board: Option<Arc<Board>>,
    /// Published runs, the oldest publication first.
    pub(super) runs: Vec<Run>,
    /// All rows of `ops.run`.
    pub(super) ops_run: Option<RecordBatch>,
    /// Places in `runs` of the publications that the feed of changes is made of.
    steps: Vec<usize>,
    tables: Vec<Table>,
    version: Option<i64>,
}

impl Published {
    /// The newest run of a day.
    pub(super) fn of_day(&self, day: DayNumber) -> Option<&Run> {
        self.runs.iter().rev().find(|run| run.as_of == day)
    }

    /// The publications that were of the newest day when they came, and whose rows are still there, the oldest first.
    pub(super) fn steps(&self) -> impl Iterator<Item = &Run> {
        self.steps.iter().filter_map(|&place| self.runs.get(place))
    }

    /// What a run wrote.
    pub(super) fn day(&self, run: &Run) -> Day {
        Day::new(run.clone(), &self.tables)
    }
}

/// What the lake has published.
#[derive(Debug)]
pub(crate) struct Shelf {
    lake: Lake,
    published: RwLock<Arc<Published>>,
    older: Mutex<VecDeque<Arc<Day>>>,
    readers: Arc<Semaphore>,
}

impl Shelf {
    pub(super) fn new(lake: Lake) -> Self {
        Self {
            lake,
            published: RwLock::default(),
            older: Mutex::default(),
            readers: Arc::new(Semaphore::new(READERS)),
        }
    }

    /// The lake that it looks at.
    pub(super) fn lake(&self) -> &Lake {
        &self.lake
    }

    /// What is known now.
    pub(super) fn published(&self) -> Arc<Published> {
        Arc::clone(&self.published.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The newest day.
    ///
    /// # Errors
    /// 503 before the first publication.
    pub(super) fn board(&self) -> Result<Arc<Board>, Problem> {
        let none = || Problem::unavailable("no day is published yet; `tideline daily` publishes one");
        self.published.read().unwrap_or_else(PoisonError::into_inner).board.clone().ok_or_else(none)
    }

    /// Looks at the lake; true where something new was found.
    pub(super) async fn refresh(&self) -> anyhow::Result<bool> {
        let known = self.published();
        // A commit adds the file of the next version: to look for it costs nothing.
        let log = self.lake.table_dir("ops.run").join("_delta_log");
        if let Some(version) = known.version
            && !log.join(format!("{:020}.json", version + 1)).exists()
        {
            return Ok(false);
        }
        let ops = self.lake.table("ops.run").await?;
        if known.version == Some(ops.version()) {
            return Ok(false);
        }
        let served: Vec<&str> =
            Mart::ALL.iter().map(|mart| mart.table().0).filter(|name| exists(name)).collect();
        let tables = self.lake.open_tables(&served).await?;
        let fresh = tokio::task::spawn_blocking(move || load(&known, &ops, tables)).await??;
        *self.published.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        Ok(true)
    }

    /// A day's newest run, or the very run.
    ///
    /// # Errors
    /// 503 where nothing is published.
    pub(super) fn day(&self, run: &Run) -> Result<Arc<Day>, Problem> {
        let board = self.board()?;
        if board.day.run.run_id == run.run_id && board.day.run.as_of == run.as_of {
            return Ok(Arc::clone(&board.day));
        }
        let mut older = self.older.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(day) = older.iter().find(|day| day.run.run_id == run.run_id && day.run.as_of == run.as_of)
        {
            return Ok(Arc::clone(day));
        }
        let day = Arc::new(self.published().day(run));
        older.push_back(Arc::clone(&day));
        if older.len() > OLDER_DAYS {
            older.pop_front();
        }
        Ok(day)
    }

    /// A day's sheet, read in the background where it isn't in memory; none where the run has none.
    ///
    /// # Errors
    /// 503 where the lake can't be read.
    pub(super) async fn sheet(&self, day: &Arc<Day>, mart: Mart) -> Result<Option<Arc<Sheet>>, Problem> {
        if let Some(sheet) = day.ready(mart) {
            return Ok(Some(Arc::clone(sheet)));
        }
        if !day.has(mart) {
            return Ok(None);
        }
        let day = Arc::clone(day);
        self.reading(move || day.read(mart)).await
    }

    /// Reads the lake without keeping others from being answered.
    ///
    /// # Errors
    /// 503 where the lake can't be read.
    pub(super) async fn reading<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, Problem> {
        let _turn = self.readers.acquire().await.map_err(|error| Problem::of_lake(&error))?;
        let read = tokio::task::spawn_blocking(read).await.map_err(|error| Problem::of_lake(&error))?;
        read.map_err(|error| Problem::of_lake(&error))
    }
}

/// Whether this program knows the table.
fn exists(name: &str) -> bool {
    tables::all().iter().any(|spec| spec.name == name)
}

fn load(known: &Published, ops: &Table, tables: Vec<Table>) -> Result<Published, EngineError> {
    let mut batches = Vec::new();
    for file in ops.files() {
        batches.extend(engine::lake::read(&ops.dir().join(&file.path), &[])?);
    }
    let mut runs = Run::from_batches(&batches)?;
    runs.retain(Run::is_published);
    runs.sort_by(|a, b| (a.finished_at, &a.run_id).cmp(&(b.finished_at, &b.run_id)));
    let newest = engine::lake::published(&runs).into_values().next_back().cloned();
    let ops_run = match batches.first() {
        Some(first) => Some(concat_batches(&first.schema(), &batches).map_err(arrow_error)?),
        None => None,
    };
    let steps = steps(&runs, &tables);
    let mut fresh = Published { board: None, runs, ops_run, steps, tables, version: Some(ops.version()) };
    if let Some(run) = newest {
        let same = known.board.as_ref().filter(|board| board.day.run == run);
        fresh.board = Some(match same {
            Some(board) => Arc::clone(board),
            None => Arc::new(Board::load(Arc::new(fresh.day(&run)))?),
        });
    }
    Ok(fresh)
}

/// See [`Published::steps`].
fn steps(runs: &[Run], tables: &[Table]) -> Vec<usize> {
    let quota = tables.iter().find(|table| table.spec().name == Mart::Quota.table().0);
    let files = quota.into_iter().flat_map(Table::files);
    let there: BTreeSet<(&str, &str)> =
        files.map(|file| (file.partition_value("as_of"), file.partition_value("run_id"))).collect();
    let mut newest = DayNumber::MIN;
    let mut steps = Vec::new();
    for (place, run) in runs.iter().enumerate() {
        if run.as_of >= newest && there.contains(&(date(run.as_of).to_string().as_str(), run.run_id.as_str()))
        {
            newest = run.as_of;
            steps.push(place);
        }
    }
    steps
}
