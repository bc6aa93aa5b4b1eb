//! Every metric against its hand-computed cases under `tests/slt/`, as a table computed before it is read, and, where it
//! stands on few others, as a view.
//!
//! The session of a case is as of 20 November 2026, a Friday, in Asia/Shanghai, under the default settings; its tables
//! are empty, and its catalogue has the fixed codes.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chrono::NaiveDate;
use datafusion::catalog::MemorySchemaProvider;
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext};
use engine::contract::Stream;
use engine::settings::Settings;
use sql::metrics::{
    METRICS, Metric, MetricError, materialize, needed, parameters, register, register_needed,
};
use sqllogictest::{DB, DBOutput, DefaultColumnType, Runner};
use tokio::runtime::Runtime;

const TOUCH: [&str; 2] = ["touch", "follow_up"];
const EFFECTIVE: [&str; 3] = ["touch", "follow_up", "effective_touch"];
const PRESENTING: [&str; 4] = ["touch", "follow_up", "effective_touch", "solution"];

/// Codes of the catalogue and their flags.
const CODES: [(&str, &[&str]); 35] = [
    ("call.connected", &TOUCH),
    ("call.unanswered", &[]),
    ("wechat.message_sent", &TOUCH),
    ("email.sent", &TOUCH),
    ("email.opened", &[]),
    ("visit.checked_in", &TOUCH),
    ("meeting.held", &TOUCH),
    ("contract.signed", &TOUCH),
    ("material.sent", &EFFECTIVE),
    ("demo.given", &PRESENTING),
    ("quote.sent", &PRESENTING),
    ("need.recorded", &["discovery"]),
    ("budget.confirmed", &["discovery"]),
    ("decision_maker.identified", &["discovery"]),
    ("competitor.mentioned", &["discovery"]),
    ("solution.accepted", &["accepted"]),
    ("quote.accepted", &["accepted"]),
    ("solution.rejected", &["rejected"]),
    ("quote.rejected", &["rejected"]),
    ("lead.created", &[]),
    ("lead.assigned", &[]),
    ("lead.responded", &[]),
    ("lead.qualified", &[]),
    ("lead.disqualified", &[]),
    ("lead.converted", &[]),
    ("lead.lost", &[]),
    ("opportunity.opened", &[]),
    ("opportunity.stage_changed", &[]),
    ("opportunity.noted", &[]),
    ("opportunity.won", &[]),
    ("opportunity.lost", &[]),
    ("deal.signed", &[]),
    ("order.placed", &[]),
    ("payment.received", &[]),
    ("complaint.raised", &[]),
];

const FLAGS: [&str; 9] = [
    "touch",
    "effective_touch",
    "follow_up",
    "discovery",
    "solution",
    "accepted",
    "rejected",
    "price_sensitive",
    "risk",
];

fn as_of() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 20).unwrap()
}

fn catalogue() -> RecordBatch {
    let mut fields = vec![Field::new("code", DataType::Utf8, false)];
    let mut columns: Vec<ArrayRef> =
        vec![Arc::new(StringArray::from_iter_values(CODES.iter().map(|(code, _)| code)))];
    for flag in FLAGS {
        fields.push(Field::new(flag, DataType::Boolean, false));
        let set: Vec<bool> = CODES.iter().map(|(_, flags)| flags.contains(&flag)).collect();
        columns.push(Arc::new(BooleanArray::from(set)));
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

/// The columns of a lake table, all of them nullable: a case names those that it is about.
fn columns(stream: Stream) -> SchemaRef {
    let mut fields: Vec<Field> =
        stream.schema().fields().iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
    if stream == Stream::Behaviour {
        fields.push(Field::new("event_date", DataType::Date32, true));
    }
    Arc::new(Schema::new(fields))
}

/// A session with empty lake tables.
fn session() -> SessionContext {
    let ctx = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(2));
    let catalog = ctx.catalog("datafusion").unwrap();
    for name in ["raw", "crm", "catalogue"] {
        catalog.register_schema(name, Arc::new(MemorySchemaProvider::new())).unwrap();
    }
    for stream in Stream::ALL {
        let schema = columns(stream);
        let empty = RecordBatch::new_empty(Arc::clone(&schema));
        let table = MemTable::try_new(schema, vec![vec![empty]]).unwrap();
        ctx.register_table(stream.table(), Arc::new(table)).unwrap();
    }
    let codes = catalogue();
    let table = MemTable::try_new(codes.schema(), vec![vec![codes]]).unwrap();
    ctx.register_table("catalogue.event", Arc::new(table)).unwrap();
    ctx
}

/// How a case reads the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    Views,
    Tables,
}

/// A session as sqllogictest drives it.
struct Case {
    runtime: Runtime,
    ctx: SessionContext,
    metric: &'static str,
    reading: Reading,
    stale: bool,
}

/// What a statement failed with.
#[derive(Debug)]
struct Failure(String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl Case {
    fn new(metric: &'static str, reading: Reading) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let ctx = session();
        if reading == Reading::Views {
            let settings = Settings::default();
            runtime.block_on(register_needed(&ctx, as_of(), &settings, &[metric])).unwrap();
        }
        Self { runtime, ctx, metric, reading, stale: true }
    }

    fn answer(&mut self, text: &str) -> datafusion::error::Result<DBOutput<DefaultColumnType>> {
        if text.starts_with("INSERT") {
            self.stale = true;
        } else if self.stale && self.reading == Reading::Tables {
            self.runtime
                .block_on(materialize(&self.ctx, as_of(), &Settings::default(), &[self.metric]))
                .unwrap();
            self.stale = false;
        }
        let frame = self.runtime.block_on(self.ctx.sql(text))?;
        let schema = Arc::clone(frame.schema().inner());
        let batches = self.runtime.block_on(frame.collect())?;
        if text.starts_with("INSERT") {
            return Ok(DBOutput::StatementComplete(0));
        }
        let types = schema.fields().iter().map(|field| column_type(field.data_type())).collect();
        let mut rows = Vec::new();
        for batch in &batches {
            let options = FormatOptions::default().with_null("NULL");
            let columns: Vec<ArrayFormatter<'_>> = batch
                .columns()
                .iter()
                .map(|column| ArrayFormatter::try_new(column, &options).unwrap())
                .collect();
            rows.extend((0..batch.num_rows()).map(|row| {
                let cells = columns.iter().map(|column| column.value(row).to_string());
                cells.map(|cell| if cell.is_empty() { "(empty)".to_owned() } else { cell }).collect()
            }));
        }
        Ok(DBOutput::Rows { types, rows })
    }
}

fn column_type(data_type: &DataType) -> DefaultColumnType {
    match data_type {
        DataType::Float64 | DataType::Decimal128(..) => DefaultColumnType::FloatingPoint,
        integer if integer.is_integer() => DefaultColumnType::Integer,
        DataType::Boolean => DefaultColumnType::Any,
        _ => DefaultColumnType::Text,
    }
}

impl DB for Case {
    type Error = Failure;
    type ColumnType = DefaultColumnType;

    fn run(&mut self, text: &str) -> Result<DBOutput<DefaultColumnType>, Failure> {
        self.answer(text).map_err(|error| Failure(error.to_string()))
    }
}

fn slt() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slt")
}

/// Views that a case may stand on: unoptimised, planning more of them takes minutes.
const VIEWS_MAX: usize = 7;

/// Bytes of stack for a case: unoptimised, planning a view of views recurses deeper than a test's thread allows.
const STACK_BYTES: usize = 256 << 20;

fn check_all(reading: Reading) {
    let cases = move || {
        let mut failed = Vec::new();
        let read = |metric: &&Metric| reading == Reading::Tables || needed(&[metric.name]).len() <= VIEWS_MAX;
        for metric in METRICS.iter().filter(read) {
            let mut runner = Runner::new(async || Ok(Case::new(metric.name, reading)));
            runner.with_column_validator(sqllogictest::strict_column_validator);
            if let Err(error) = runner.run_file(slt().join(format!("{}.slt", metric.name))) {
                failed.push(format!("{}: {}", metric.name, error.display(false)));
            }
        }
        failed
    };
    let failed = thread::Builder::new().stack_size(STACK_BYTES).spawn(cases).unwrap().join().unwrap();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

#[test]
fn views_give_the_hand_computed_rows() {
    check_all(Reading::Views);
}

#[test]
fn computed_tables_give_the_hand_computed_rows() {
    check_all(Reading::Tables);
}

#[tokio::test]
async fn metrics_are_of_the_same_types_either_way() {
    let types = async |ctx: &SessionContext| {
        let mut all = Vec::new();
        for metric in METRICS {
            let frame = ctx.table(format!("metric.{}", metric.name)).await.unwrap();
            let fields = frame.schema().as_arrow().fields().clone();
            let columns: Vec<(String, DataType)> =
                fields.iter().map(|field| (field.name().clone(), field.data_type().clone())).collect();
            all.push((metric.name, columns));
        }
        all
    };
    let (views, tables) = (session(), session());
    let names: Vec<&str> = METRICS.iter().map(|metric| metric.name).collect();
    register(&views, as_of(), &Settings::default()).await.unwrap();
    materialize(&tables, as_of(), &Settings::default(), &names).await.unwrap();
    assert_eq!(types(&views).await, types(&tables).await);
}

#[tokio::test]
async fn another_day_replaces_the_views() {
    let ctx = session();
    for (day, weeks) in [("2026-11-20", "2026-W47"), ("2026-01-01", "2026-W01"), ("2027-01-01", "2026-W53")] {
        register(&ctx, day.parse().unwrap(), &Settings::default()).await.unwrap();
        let newest = ctx.sql("SELECT MAX(iso_week) AS w FROM metric.lead_conversion_week").await.unwrap();
        let batches = newest.collect().await.unwrap();
        let newest = ArrayFormatter::try_new(batches[0].column(0), &FormatOptions::default()).unwrap();
        assert_eq!(newest.value(0).to_string(), weeks, "{day}");
    }
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let ctx = SessionContext::new();
    let refused = register(&ctx, as_of(), &Settings::default()).await.unwrap_err();
    assert!(matches!(refused, MetricError::Plan { metric: "event", .. }), "{refused}");
    let nowhere = Settings { timezone: "Mars/Olympus".to_owned(), ..Settings::default() };
    let refused = register(&session(), as_of(), &nowhere).await.unwrap_err();
    assert!(refused.to_string().contains("Mars/Olympus"));
    let bound = Metric::named("customer_day").unwrap();
    let given = parameters(as_of(), &Settings::default()).unwrap();
    assert!(bound.frame(&ctx, &given).await.is_err());
}
