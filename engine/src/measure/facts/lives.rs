//! A life of leads, opportunities and facts: three tables that belong together.

use std::path::PathBuf;

use arrow::array::RecordBatch;

use super::columns::read_whole;
use crate::error::Result;

/// The rows of a life, one batch each.
#[derive(Debug, Clone)]
pub(crate) struct Lives {
    pub(crate) facts: RecordBatch,
    pub(crate) leads: RecordBatch,
    pub(crate) deals: RecordBatch,
}

impl Lives {
    /// The tables, in the order of their files.
    pub(crate) const TABLES: [&str; 3] = ["tile.fact_life", "tile.lead_life", "tile.deal_life"];
    /// Columns that take about as long to read as the others.
    const MIDDLES: [usize; 3] = [5, 4, 8];

    /// Reads the files of [`Lives::TABLES`].
    pub(crate) fn read(paths: &[PathBuf; 3]) -> Result<Self> {
        let read = |table: usize| read_whole(&paths[table], Self::TABLES[table], Self::MIDDLES[table]);
        let (facts, (leads, deals)) = rayon::join(|| read(0), || rayon::join(|| read(1), || read(2)));
        Ok(Self { facts: facts?, leads: leads?, deals: deals? })
    }

    /// The batches of [`Lives::TABLES`].
    pub(crate) fn batches(&self) -> [&RecordBatch; 3] {
        [&self.facts, &self.leads, &self.deals]
    }
}
