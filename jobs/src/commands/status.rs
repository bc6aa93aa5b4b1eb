//! `tideline lake status`: what is in the lake, and how fresh it is.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, UInt64Array};
use engine::contract::Stream;
use engine::kafka::partition_of;
use engine::lake::{Lake, Table, tables};
use engine::time::{Zone, date};
use sql::Writer;

use super::sql::style;
use crate::cli::{AnswerFormat, StatusArgs};
use crate::context::Context;
use crate::output;
use crate::report::published_days;
use crate::report::words::{age, bytes};

/// A partition of a topic, and how far it has been taken in.
#[derive(Debug)]
struct Taken {
    topic: String,
    kafka_partition: i32,
    stream: Stream,
    next_offset: i64,
}

/// A table's line.
#[derive(Debug)]
struct Status {
    table: &'static str,
    version: i64,
    files: u64,
    rows: u64,
    bytes: u64,
    newest: Option<String>,
    written_ms: Option<i64>,
}

pub(crate) async fn run(args: StatusArgs, context: &Context) -> anyhow::Result<()> {
    let lake = context.lake()?;
    let format = match args.format {
        AnswerFormat::Table => sql::Format::Table,
        AnswerFormat::Csv => sql::Format::Csv,
        AnswerFormat::Json => sql::Format::Json,
        AnswerFormat::Ndjson => sql::Format::Ndjson,
        AnswerFormat::Arrow => sql::Format::Arrow,
        AnswerFormat::Parquet => sql::Format::Parquet,
    };
    if args.topics {
        return show(&topics_batch(&taken(&lake).await?)?, format);
    }
    let names: Vec<&str> = tables::all().iter().map(|spec| spec.name).collect();
    let lines: Vec<Status> = lake.open_tables(&names).await?.iter().map(status).collect();
    show(&batch(&lines, context)?, format)?;
    if format == sql::Format::Table {
        output::print(&format!("\n{}", summary(&lake, &lines, context).await?))?;
    }
    Ok(())
}

fn show(batch: &RecordBatch, format: sql::Format) -> anyhow::Result<()> {
    let mut writer = Writer::new(output::stdout(), &batch.schema(), format, style())?;
    writer.write(batch)?;
    writer.finish()?;
    Ok(())
}

/// Every partition that something was taken in from, ordered by topic and number.
async fn taken(lake: &Lake) -> anyhow::Result<Vec<Taken>> {
    let mut taken = Vec::new();
    for stream in Stream::ALL {
        for (id, next_offset) in lake.table(stream.table()).await?.positions()? {
            let Some((topic, kafka_partition)) = partition_of(&id) else { continue };
            taken.push(Taken { topic: topic.to_owned(), kafka_partition, stream, next_offset });
        }
    }
    taken.sort_by(|a, b| (&a.topic, a.kafka_partition).cmp(&(&b.topic, b.kafka_partition)));
    Ok(taken)
}

fn topics_batch(taken: &[Taken]) -> anyhow::Result<RecordBatch> {
    let topics: ArrayRef = Arc::new(StringArray::from_iter_values(taken.iter().map(|one| &one.topic)));
    let numbers: ArrayRef =
        Arc::new(Int64Array::from_iter_values(taken.iter().map(|one| i64::from(one.kafka_partition))));
    let streams: ArrayRef =
        Arc::new(StringArray::from_iter_values(taken.iter().map(|one| one.stream.name())));
    let offsets: ArrayRef = Arc::new(Int64Array::from_iter_values(taken.iter().map(|one| one.next_offset)));
    Ok(RecordBatch::try_from_iter([
        ("topic", topics),
        ("kafka_partition", numbers),
        ("stream", streams),
        ("next_offset", offsets),
    ])?)
}

fn status(table: &Table) -> Status {
    let spec = table.spec();
    let newest = spec.partition_by.first().and_then(|column| {
        table.files().iter().map(|file| file.partition_value(column)).max().map(str::to_owned)
    });
    Status {
        table: spec.name,
        version: table.version(),
        files: u64::try_from(table.files().len()).unwrap_or(u64::MAX),
        rows: table.files().iter().filter_map(|file| file.rows).sum(),
        bytes: table.files().iter().map(|file| file.size).sum(),
        newest,
        written_ms: table.files().iter().map(|file| file.modified_ms).max(),
    }
}

fn batch(lines: &[Status], context: &Context) -> anyhow::Result<RecordBatch> {
    let now_ms = context.now.div_euclid(1_000);
    let texts = |values: Vec<Option<String>>| -> ArrayRef { Arc::new(StringArray::from(values)) };
    let numbers =
        |f: fn(&Status) -> u64| -> ArrayRef { Arc::new(UInt64Array::from_iter_values(lines.iter().map(f))) };
    let versions: ArrayRef = Arc::new(
        lines.iter().map(|line| (line.version >= 0).then_some(line.version)).collect::<Int64Array>(),
    );
    let written = lines.iter().map(|line| line.written_ms.map(|at| age(now_ms - at))).collect();
    Ok(RecordBatch::try_from_iter_with_nullable([
        ("table", texts(lines.iter().map(|line| Some(line.table.to_owned())).collect()), false),
        ("version", versions, true),
        ("files", numbers(|line| line.files), false),
        ("rows", numbers(|line| line.rows), false),
        ("bytes", numbers(|line| line.bytes), false),
        ("newest_day", texts(lines.iter().map(|line| line.newest.clone()).collect()), true),
        ("last_written", texts(written), true),
    ])?)
}

async fn summary(lake: &Lake, lines: &[Status], context: &Context) -> anyhow::Result<String> {
    let total: u64 = lines.iter().map(|line| line.bytes).sum();
    let zone: &Zone = lake.zone();
    let today = zone.day(context.now);
    let published = published_days(lake).await?;
    let newest = match published.last() {
        Some(&day) if day >= today - 1 => format!("published up to {}, which is up to date", date(day)),
        Some(&day) => format!("published up to {}, {} days behind", date(day), today - 1 - day),
        None => "nothing published yet".to_owned(),
    };
    let events = lines.iter().find(|line| line.table == "raw.behaviour").and_then(|line| line.newest.clone());
    let events = events.map_or_else(|| "no events yet".to_owned(), |day| format!("events up to {day}"));
    let topics = match taken(lake).await?.len() {
        0 => String::new(),
        partitions => format!("; {partitions} partitions of topics, see lake status --topics"),
    };
    Ok(format!(
        "{}: {}, time zone {}; {events}; {newest}{topics}",
        lake.root().display(),
        bytes(total),
        zone.name()
    ))
}
