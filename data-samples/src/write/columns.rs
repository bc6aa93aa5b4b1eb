//! Behaviour as Parquet: the columns of `raw.behaviour` but `event_date`, which the reader derives.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Decimal128Builder, Int32Builder, MapBuilder, MapFieldNames, RecordBatch, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use crate::dirt::DayFile;
use crate::error::GenerateError;
use crate::event::{
    Event, Flaw, NO_AMOUNT, Value, write_customer, write_event_id, write_lead, write_opportunity, write_rep,
};
use crate::number::at;
use crate::write::{channel, event_type, given, write_evidence};

const ROW_GROUP_ROWS: usize = 131_072;
const BATCH_ROWS: usize = 16_384;

/// The schema of the files.
pub(crate) fn schema() -> SchemaRef {
    let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
    let entries = Field::new_struct("key_value", vec![text("key", false), text("value", true)], false);
    Arc::new(Schema::new(vec![
        text("event_id", true),
        Field::new("event_time", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true),
        text("event_type", true),
        text("channel", true),
        text("rep_id", true),
        text("customer_id", true),
        text("lead_id", true),
        text("opportunity_id", true),
        Field::new("amount", DataType::Decimal128(18, 2), true),
        Field::new("evidence_count", DataType::Int32, true),
        text("evidence", true),
        Field::new("attributes", DataType::Map(Arc::new(entries), false), true),
    ]))
}

fn properties() -> WriterProperties {
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Chunk);
    for unique in ["event_id", "event_time", "evidence", "amount"] {
        builder = builder.set_column_dictionary_enabled(ColumnPath::from(unique), false);
    }
    builder.build()
}

/// Writes the records of a day.
pub(crate) fn write(path: &Path, file: File, day: &DayFile) -> Result<(), GenerateError> {
    let failed = |source| GenerateError::Parquet { path: path.to_owned(), source };
    let unbuilt = |source| GenerateError::Arrow { path: path.to_owned(), source };
    let mut writer = ArrowWriter::try_new(file, schema(), Some(properties())).map_err(failed)?;
    let mut columns = Columns::new();
    for rows in day.order.chunks(BATCH_ROWS) {
        for &n in rows {
            columns.push(&day.records[at(n)]).map_err(unbuilt)?;
        }
        writer.write(&columns.finish().map_err(unbuilt)?).map_err(failed)?;
    }
    writer.close().map_err(failed)?;
    Ok(())
}

/// Builders of one batch.
struct Columns {
    id: StringBuilder,
    time: TimestampMicrosecondBuilder,
    kind: StringBuilder,
    channel: StringBuilder,
    rep: StringBuilder,
    customer: StringBuilder,
    lead: StringBuilder,
    opportunity: StringBuilder,
    amount: Decimal128Builder,
    evidence_count: Int32Builder,
    evidence: StringBuilder,
    attributes: MapBuilder<StringBuilder, StringBuilder>,
    cell: Vec<u8>,
}

impl Columns {
    fn new() -> Self {
        let text = StringBuilder::new;
        let names = MapFieldNames { entry: "key_value".into(), key: "key".into(), value: "value".into() };
        Self {
            id: text(),
            time: TimestampMicrosecondBuilder::new().with_timezone("UTC"),
            kind: text(),
            channel: text(),
            rep: text(),
            customer: text(),
            lead: text(),
            opportunity: text(),
            amount: Decimal128Builder::new().with_data_type(DataType::Decimal128(18, 2)),
            evidence_count: Int32Builder::new(),
            evidence: text(),
            attributes: MapBuilder::new(Some(names), text(), text()),
            cell: Vec::new(),
        }
    }

    fn push(&mut self, event: &Event) -> Result<(), ArrowError> {
        let cell = &mut self.cell;
        let has_id = event.flaw != Flaw::MissingId;
        append(&mut self.id, cell, has_id.then_some(event.id), write_event_id);
        self.time.append_value(event.time);
        self.kind.append_value(event_type(event));
        self.channel.append_option(channel(event));
        append(&mut self.rep, cell, given(event.rep), write_rep);
        append(&mut self.customer, cell, given(event.customer), write_customer);
        append(&mut self.lead, cell, given(event.lead), write_lead);
        append(&mut self.opportunity, cell, given(event.opportunity), write_opportunity);
        self.amount.append_option((event.amount != NO_AMOUNT).then_some(i128::from(event.amount)));
        self.evidence_count.append_value(i32::from(event.evidence));
        append(&mut self.evidence, cell, (event.evidence > 0).then_some(event), write_evidence);
        for (key, value) in event.attributes.iter().flatten() {
            self.attributes.keys().append_value(key);
            append(self.attributes.values(), cell, Some(value), Value::write);
        }
        self.attributes.append(event.attributes.is_some())
    }

    fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.id.finish()),
            Arc::new(self.time.finish()),
            Arc::new(self.kind.finish()),
            Arc::new(self.channel.finish()),
            Arc::new(self.rep.finish()),
            Arc::new(self.customer.finish()),
            Arc::new(self.lead.finish()),
            Arc::new(self.opportunity.finish()),
            Arc::new(self.amount.finish()),
            Arc::new(self.evidence_count.finish()),
            Arc::new(self.evidence.finish()),
            Arc::new(self.attributes.finish()),
        ];
        RecordBatch::try_new(schema(), columns)
    }
}

/// Appends what `write` makes of a value; null without one.
fn append<T>(to: &mut StringBuilder, cell: &mut Vec<u8>, value: Option<T>, write: impl Fn(T, &mut Vec<u8>)) {
    let Some(value) = value else { return to.append_null() };
    cell.clear();
    write(value, cell);
    to.append_option(std::str::from_utf8(cell).ok());
}
