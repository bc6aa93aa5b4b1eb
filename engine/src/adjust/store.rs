//! `ops.adjustment`: events are added one at a time, and of two that follow the same event only one is.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;

use super::{Event, EventKind, Request, requests};
use crate::error::{EngineError, Result};
use crate::lake::{Encoding, Lake, Table, read, write};
use crate::time::Micros;

const TABLE: &str = "ops.adjustment";
/// Attempts to add an event while others add theirs to the same request.
const ATTEMPTS: usize = 5;

/// All requests of a lake, by id.
///
/// # Errors
/// Where the table can't be read.
pub async fn load(lake: &Lake) -> Result<BTreeMap<String, Request>> {
    of_table(&lake.table(TABLE).await?)
}

/// All requests in an opened `ops.adjustment`, by id.
///
/// # Errors
/// Where a file can't be read.
pub fn of_table(table: &Table) -> Result<BTreeMap<String, Request>> {
    let mut events = Vec::new();
    for file in table.files() {
        for batch in read(&table.dir().join(&file.path), &[])? {
            Event::read(&batch, &mut events)?;
        }
    }
    Ok(requests(events))
}

/// The id of a new request: eight digits of the hash of what is asked, by whom and when.
pub fn request_id(rep_id: &str, period: &str, actor: &str, at: Micros) -> String {
    let text = format!("{rep_id}\0{period}\0{actor}\0{at}");
    blake3::hash(text.as_bytes()).to_hex()[..8].to_owned()
}

/// Adds an event: `make` is given the request as it stands, none for a new one, and checks that the event may follow.
///
/// Where somebody adds to the same request meanwhile, it is asked again, so that of two decisions the second is
/// refused by what the first one was.
///
/// # Errors
/// What `make` says; [`EngineError::Conflict`] where others keep coming first.
pub async fn add(
    lake: &Lake,
    request_id: &str,
    make: &(dyn Fn(Option<&Request>) -> Result<Event> + Sync),
) -> Result<Event> {
    for _ in 0..ATTEMPTS {
        let mut table = lake.table(TABLE).await?;
        let known = of_table(&table)?;
        let event = make(known.get(request_id))?;
        if event.kind == EventKind::Request && known.contains_key(request_id) {
            return Err(EngineError::Conflict { table: TABLE.to_owned() });
        }
        let batch = RecordBatch::try_new(table.spec().file_schema(), event.arrays())
            .map_err(EngineError::arrow("building ops.adjustment"))?;
        let name = format!("event-{}-{:x}.parquet", event.id(), nonce(&event));
        let file = write(table.dir(), name, BTreeMap::new(), &batch, Encoding::Mart)?;
        // A position for each request: two events that follow the same one exclude each other.
        let position = (format!("adjust/{request_id}"), i64::from(event.sequence));
        match table.commit(vec![file], &[], &[position]).await {
            Ok(_) => return Ok(event),
            Err(EngineError::Conflict { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Err(EngineError::Conflict { table: TABLE.to_owned() })
}

/// What tells the files of two events apart that were to follow the same one.
fn nonce(event: &Event) -> u64 {
    let hash = blake3::hash(format!("{event:?} {}", std::process::id()).as_bytes());
    hash.as_bytes().iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}
