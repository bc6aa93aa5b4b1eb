//! Arrow IPC: a message that holds a stream of whole batches.

use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamDecoder;

use super::types::fits;
use crate::ingest::check::layout::{Layout, Slot};
use crate::ingest::check::reason::{self, Fault};

/// What a stream begins with; no text does.
const STREAM: &[u8] = &[0xff; 4];
/// Rows of a batch for each of its bytes, at most: columns of nulls and runs cost nothing, and could claim any number.
const ROWS_PER_BYTE_MAX: usize = 64;

/// Whether a message is meant as Arrow IPC.
pub(crate) fn is_ipc(bytes: &[u8]) -> bool {
    bytes.starts_with(STREAM)
}

/// The batches of a message, and where their columns go.
///
/// # Errors
/// Where the bytes are damaged, or their columns are not those of the stream.
pub(crate) fn read(bytes: &[u8], layout: &Layout) -> Result<(Vec<RecordBatch>, Vec<Slot>), Fault> {
    let damaged = Fault::record(reason::NOT_IPC);
    // The reader checks what it reads, but trusts some lengths.
    let batches =
        catch_unwind(AssertUnwindSafe(|| batches(bytes))).map_err(|_| damaged)?.map_err(|_| damaged)?;
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let Some(first) = batches.first().filter(|_| rows / ROWS_PER_BYTE_MAX <= bytes.len()) else {
        return Err(if batches.is_empty() { Fault::record(reason::EMPTY) } else { damaged });
    };
    let schema = first.schema();
    fits(&schema, layout)?;
    Ok((batches, schema.fields().iter().map(|field| layout.slot(field.name())).collect()))
}

/// Decodes from memory: a reader of files would set aside whatever room a damaged length asks for.
fn batches(bytes: &[u8]) -> Result<Vec<RecordBatch>, ArrowError> {
    let mut decoder = StreamDecoder::new();
    let mut rest = Buffer::from(bytes.to_vec());
    let mut batches = Vec::new();
    while let Some(batch) = decoder.decode(&mut rest)? {
        batches.push(batch);
    }
    decoder.finish().map(|()| batches)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, BooleanArray, Int64Array, StringArray};
    use arrow::ipc::writer::StreamWriter;

    use super::*;
    use crate::contract::Stream;

    fn text(texts: [&str; 3]) -> ArrayRef {
        Arc::new(StringArray::from(texts.to_vec()))
    }

    fn message(more: Option<(&str, ArrayRef)>) -> Vec<u8> {
        let columns = [
            ("event_id", text(["a", "b", "c"])),
            ("event_time", Arc::new(Int64Array::from(vec![1, 2, 3])) as ArrayRef),
            ("event_type", text(["call.connected"; 3])),
        ];
        let batch = RecordBatch::try_from_iter(columns.into_iter().chain(more)).unwrap();
        let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
        writer.write(&batch).unwrap();
        writer.into_inner().unwrap()
    }

    #[test]
    fn a_message_of_batches_is_read_and_any_other_bytes_are_refused() {
        let (whole, layout) = (message(None), Layout::of(Stream::Behaviour));
        let (batches, slots) = read(&whole, &layout).unwrap();
        assert_eq!((batches.len(), batches[0].num_rows()), (1, 3));
        assert_eq!(slots, [0, 1, 2].map(Slot::Column));
        let other = Layout::of(Stream::Rep);
        assert_eq!(read(&whole, &other).err(), Some(Fault::column(0, reason::MISSING)));
        let twice = message(Some(("event_id", text(["d", "e", "f"]))));
        assert_eq!(read(&twice, &layout).err(), Some(Fault::column(0, reason::GIVEN_TWICE)));
        let flags = message(Some(("amount", Arc::new(BooleanArray::from(vec![true; 3])))));
        assert_eq!(read(&flags, &layout).err().map(|fault| fault.reason), Some(reason::WRONG_TYPE));
        // Cut off, or with any byte changed: batches or a reason, never a panic that goes on.
        let silent = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        for end in 4..whole.len() {
            drop(read(&whole[..end], &layout));
        }
        for at in 4..whole.len() {
            for byte in [0, 1, 0x7f, 0x80, 0xff] {
                let mut changed = whole.clone();
                changed[at] = byte;
                drop(read(&changed, &layout));
            }
        }
        std::panic::set_hook(silent);
        assert_eq!(read(&[0xff; 4], &layout).err(), Some(Fault::record(reason::NOT_IPC)));
    }
}
