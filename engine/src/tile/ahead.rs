//! What a run will want of its history, opened and read while it is still busy with the new day: cores are idle then.
//!
//! Which lives are wanted is certain only once the day tiles are fresh. Until then the newest ones are a good guess, and
//! whatever turns out to be another file is simply read when it is wanted.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use tokio::task::{JoinHandle, spawn_blocking};

use crate::catalogue::Catalogue;
use crate::error::Result;
use crate::lake::{Lake, Table};
use crate::measure::facts::{Facts, Lives};
use crate::time::{Day, date};
use crate::window::OrderLife;

/// The tables of what is merged from days.
pub(super) const MERGED_TABLES: [&str; 10] = [
    "tile.life",
    "tile.order_life",
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
    /// Begins to read the newest lives of orders and of facts up to a day each, from `tables`: those of
    /// [`MERGED_TABLES`].
    pub(super) fn start(
        tables: Vec<Table>,
        (orders_day, facts_day): (Day, Day),
        catalogue: &Catalogue,
    ) -> Self {
        let newest = |name: &str, day: Day| {
            let (table, day) =
                (tables.iter().find(|table| table.spec().name == name)?, date(day).to_string());
            let file = table.files().iter().rfind(|file| file.partition_value("as_of") <= day.as_str())?;
            Some(table.dir().join(&file.path))
        };
        let catalogue = catalogue.clone();
        let orders = Reading::start(newest("tile.order_life", orders_day), |path| OrderLife::read(path));
        let lives: Option<Vec<PathBuf>> =
            Lives::TABLES.into_iter().map(|name| newest(name, facts_day)).collect();
        let lives = lives.and_then(|lives| <[PathBuf; 3]>::try_from(lives).ok());
        let facts =
            Reading::start(lives, move |lives| Facts::read(Some(Lives::read(lives)?), &[], &catalogue));
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

/// A file, or some that belong together, being read.
#[derive(Debug)]
pub(super) struct Reading<P, T>(Mutex<Option<(P, JoinHandle<Result<T>>)>>);

impl<P: Clone + PartialEq + Send + 'static, T: Send + 'static> Reading<P, T> {
    fn start(path: Option<P>, read: impl FnOnce(&P) -> Result<T> + Send + 'static) -> Self {
        let reading = path.map(|path| {
            let file = path.clone();
            (path, spawn_blocking(move || read(&file)))
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
