//! What a run will want of its history, opened and read while it is still busy with the new day: cores are idle then.
//!
//! Which lives are wanted is certain only once the day tiles are fresh. Until then the newest ones are a good guess, and
//! whatever turns out to be another file is simply read when it is wanted.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use tokio::sync::oneshot::{self, Receiver};

use super::block_end_at_or_before;
use crate::catalogue::Catalogue;
use crate::error::Result;
use crate::lake::{Lake, Table};
use crate::measure::facts::{Facts, Lives};
use crate::time::{Day, date};
use crate::window::{ORDER_LIFE, OrderLife, life_day};

/// The tables of what is merged from days.
pub(super) const MERGED_TABLES: [&str; 10] = [
    "tile.life",
    ORDER_LIFE,
    "tile.fact_life",
    "tile.lead_life",
    "tile.deal_life",
    "tile.first_life",
    "tile.customer_block",
    "tile.rep_month",
    "tile.rep_sale",
    "tile.learnt",
];

/// Tables and files that wait to be taken, each once.
#[derive(Debug)]
pub(super) struct Ahead {
    tables: Mutex<Vec<Table>>,
    pub(super) orders: Reading<PathBuf, OrderLife>,
    pub(super) facts: Reading<[PathBuf; 3], Facts>,
}

impl Ahead {
    /// Of the lake with these tables, those of [`MERGED_TABLES`]; begins to read the newest lives that a run as of the
    /// day may want.
    pub(super) fn new(tables: Vec<Table>, run: Option<(Day, &Catalogue)>) -> Self {
        let (orders, facts) = run.map(|run| lives(&tables, run)).unwrap_or_default();
        Self { tables: Mutex::new(tables), orders, facts }
    }

    /// The table of that name: the one opened ahead for whoever asks first, since only the first finds nothing changed.
    pub(super) async fn table(&self, lake: &Lake, name: &str) -> Result<Table> {
        let opened = {
            let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
            let place = tables.iter().position(|table| table.spec().name == name);
            place.map(|place| tables.swap_remove(place))
        };
        match opened {
            Some(table) => Ok(table),
            None => lake.table(name).await,
        }
    }
}

type Lived = (Reading<PathBuf, OrderLife>, Reading<[PathBuf; 3], Facts>);

fn lives(tables: &[Table], (as_of, catalogue): (Day, &Catalogue)) -> Lived {
    let newest = |name: &str, day: Day| {
        let (table, day) = (tables.iter().find(|table| table.spec().name == name)?, date(day).to_string());
        let file = table.files().iter().rfind(|file| file.partition_value("as_of") <= day.as_str())?;
        Some(table.dir().join(&file.path))
    };
    let facts_day = block_end_at_or_before(as_of - 1);
    let of_facts: Option<Vec<PathBuf>> =
        Lives::TABLES.into_iter().map(|name| newest(name, facts_day)).collect();
    let of_facts = of_facts.and_then(|lives| <[PathBuf; 3]>::try_from(lives).ok());
    let catalogue = catalogue.clone();
    let read = move |lives: &[PathBuf; 3]| Facts::read(Some(Lives::read(lives)?), &[], &catalogue);
    let orders = newest(ORDER_LIFE, life_day(as_of));
    (Reading::start(orders, |path| OrderLife::read(path)), Reading::start(of_facts, read))
}

/// A file, or some that belong together, being read.
#[derive(Debug)]
pub(super) struct Reading<P, T>(Mutex<Option<(P, Receiver<Result<T>>)>>);

impl<P, T> Default for Reading<P, T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<P: Clone + PartialEq + Send + 'static, T: Send + 'static> Reading<P, T> {
    /// Begins to read, on whichever of the threads that compute has nothing else to do.
    fn start(path: Option<P>, read: impl FnOnce(&P) -> Result<T> + Send + 'static) -> Self {
        let reading = path.map(|path| {
            let (file, (done, reading)) = (path.clone(), oneshot::channel());
            rayon::spawn(move || {
                // Of a panic nothing is sent, as of a file that isn't wanted; who wants it reads it again.
                let read = catch_unwind(AssertUnwindSafe(|| read(&file)));
                drop(read.map(|read| done.send(read)));
            });
            (path, reading)
        });
        Self(Mutex::new(reading))
    }

    /// What the file of that path holds, if it is this one and could be read; who asks reads it otherwise, and learns
    /// what is wrong with it.
    pub(super) async fn take(&self, path: &P) -> Option<T> {
        let reading = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (_, reading) = reading.filter(|(ahead, _)| ahead == path)?;
        reading.await.ok()?.ok()
    }
}
