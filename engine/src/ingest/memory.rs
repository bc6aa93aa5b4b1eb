//! Messages into memory: a lane that writes no files, for who wants the rows at once.

use std::collections::BTreeSet;

use arrow::array::RecordBatch;

use super::check::layout::Layout;
use super::decode::avro::Schemas;
use super::feed::{Unit, Work};
use super::lane::{Lane, Plan};
use super::messages::Messages;
use crate::catalogue::Catalogue;
use crate::contract::Stream;
use crate::error::Result;
use crate::lake::Lake;
use crate::time::{DAY, Day, Micros};

/// Reads messages of the stream `behaviour`: each one record as JSON or Avro, or batches as Arrow IPC.
#[derive(Debug)]
pub struct MessageReader {
    plan: Plan,
    messages: Messages,
    read: u64,
}

/// What messages came to.
#[derive(Debug, Default)]
pub struct MessageRows {
    /// The accepted rows by business day, with the columns of `raw.behaviour`.
    pub rows: Vec<(Day, RecordBatch)>,
    /// How many records the contract refuses; whoever takes the stream into the lake keeps these as dead letters.
    pub refused: u64,
}

impl MessageReader {
    /// A reader that has read nothing, for the business days of a lake.
    ///
    /// # Errors
    /// Where `raw.behaviour` isn't declared.
    pub fn new(lake: &Lake, catalogue: &Catalogue) -> Result<Self> {
        let layout = Layout::of(Stream::Behaviour);
        let plan = super::plan(lake, catalogue, layout, Vec::new(), 0, String::new(), Schemas::default())?;
        Ok(Self { plan, messages: Messages::default(), read: 0 })
    }

    /// Takes a message.
    pub fn read(&mut self, value: Option<&[u8]>) {
        self.messages.push(self.read, value);
        self.read += 1;
    }

    /// The numbers of the schemas that messages name which are not yet decoded.
    pub(crate) fn schema_ids(&self) -> BTreeSet<u32> {
        self.messages.schema_ids().collect()
    }

    /// Sets what the schema registry says.
    pub(crate) fn set_schemas(&mut self, schemas: Schemas) {
        self.plan.schemas = schemas;
    }

    /// Decodes and checks the messages taken since the last call; those with a time more than a day after `now` are
    /// refused.
    ///
    /// # Errors
    /// [`crate::EngineError::Arrow`] where the columns don't make the schema.
    pub fn finish(&mut self, now: Micros) -> Result<MessageRows> {
        self.plan.checker.latest = now.saturating_add(DAY);
        let work = Work::Messages(std::mem::take(&mut self.messages));
        let mut lane = Lane::in_memory(&self.plan);
        lane.take(Unit { input: 0, work })?;
        let mut share = lane.finish()?;
        share.rows.retain(|(_, batch)| batch.num_rows() > 0);
        let refused = share.counts.values().map(super::Counts::rejected).sum();
        Ok(MessageRows { rows: share.rows, refused })
    }
}
