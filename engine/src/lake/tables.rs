//! The declaration of every table: name, schema, partition columns. One place, for writers and readers.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::contract::{Stream, money, optional, required, timestamp};
use crate::error::{EngineError, Result};

/// A table of the lake.
#[derive(Debug)]
pub struct Spec {
    /// Name in SQL, e.g. `mart.quota`.
    pub name: &'static str,
    /// Columns that files are partitioned by; they come last in the schema and are not in the files.
    pub partition_by: &'static [&'static str],
    schema: SchemaRef,
    file_schema: SchemaRef,
}

impl Spec {
    fn new(name: &'static str, partition_by: &'static [&'static str], mut fields: Vec<Field>) -> Self {
        let file_schema = Arc::new(Schema::new(fields.clone()));
        fields.extend(partition_by.iter().map(|&column| match column {
            "run_id" => required(column, DataType::Utf8),
            _ => required(column, DataType::Date32),
        }));
        Self { name, partition_by, schema: Arc::new(Schema::new(fields)), file_schema }
    }

    /// All columns, the partition columns last.
    pub fn schema(&self) -> SchemaRef {
        SchemaRef::clone(&self.schema)
    }

    /// The columns that are in the files.
    pub fn file_schema(&self) -> SchemaRef {
        SchemaRef::clone(&self.file_schema)
    }

    /// Whether rows are published by a run (every mart).
    pub fn is_mart(&self) -> bool {
        self.partition_by == BY_RUN
    }
}

const BY_DAY: &[&str] = &["event_date"];
const BY_RUN: &[&str] = &["as_of", "run_id"];
const BY_AS_OF: &[&str] = &["as_of"];

static ALL: LazyLock<Vec<Spec>> = LazyLock::new(|| {
    let mut specs: Vec<Spec> = Stream::ALL
        .into_iter()
        .map(|stream| {
            let fields = stream.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
            Spec::new(stream.table(), if stream == Stream::Behaviour { BY_DAY } else { &[] }, fields)
        })
        .collect();
    specs.push(Spec::new("raw.dead_letter", &[], dead_letter()));
    specs.push(Spec::new("tile.customer_key", &[], vec![int("customer_key"), text("customer_id")]));
    specs.push(Spec::new("tile.customer_day", BY_DAY, customer_tile()));
    specs.push(Spec::new("tile.customer_block", BY_AS_OF, customer_tile()));
    specs.push(Spec::new("tile.order_day", BY_DAY, vec![int("customer_key"), int("orders"), cash("amount")]));
    specs.push(Spec::new("tile.rep_day", BY_DAY, rep_tile()));
    specs.push(Spec::new("tile.rep_month", BY_AS_OF, rep_tile()));
    specs.push(Spec::new("tile.rep_sale", BY_AS_OF, {
        vec![text("rep_id"), required("event_date", DataType::Date32), cash("amount_signed")]
    }));
    specs.push(Spec::new("tile.learnt", BY_AS_OF, vec![required("value", DataType::Float64)]));
    specs.push(Spec::new("tile.fact_day", BY_DAY, fact_tile()));
    specs.push(Spec::new("tile.id_day", BY_DAY, vec![required("id_hashes", DataType::Binary)]));
    specs.push(Spec::new(
        "tile.life",
        BY_AS_OF,
        vec![int("customer_key"), maybe_time("last_touch"), maybe_date("first_order")],
    ));
    specs.push(Spec::new(
        "tile.order_year",
        BY_AS_OF,
        vec![int("customer_key"), required("order_days", DataType::LargeBinary)],
    ));
    specs.push(Spec::new("tile.fact_life", BY_AS_OF, {
        let mut fields = fact_tile();
        fields.truncate(7);
        fields.push(required("event_date", DataType::Date32));
        fields.push(text("kept_for"));
        fields
    }));
    specs.push(Spec::new("tile.lead_life", BY_AS_OF, lead_life()));
    specs.push(Spec::new("tile.deal_life", BY_AS_OF, deal_life()));
    specs.push(Spec::new("tile.first_life", BY_AS_OF, vec![int("customer_key"), long("fired")]));
    specs.extend(marts::specs());
    specs.push(Spec::new("ops.run", &[], run()));
    specs.push(Spec::new("ops.text", &[], vec![text("kind"), text("hash"), text("text")]));
    specs.push(Spec::new("ops.adjustment", &[], crate::adjust::fields()));
    specs.push(Spec::new("ops.model", &[], super::model::fields()));
    specs
});

/// Every table, in the order of the data path.
pub fn all() -> &'static [Spec] {
    &ALL
}

/// The table of that name.
///
/// # Errors
/// [`EngineError::Input`] that lists the known names.
pub fn spec(name: &str) -> Result<&'static Spec> {
    ALL.iter().find(|spec| spec.name == name).ok_or_else(|| {
        let known: Vec<&str> = ALL.iter().map(|spec| spec.name).collect();
        EngineError::Input(format!("there is no table '{name}'; the tables are {}", known.join(", ")))
    })
}

#[path = "marts.rs"]
mod marts;
pub(crate) use marts::reason;

pub(super) fn text(name: &str) -> Field {
    required(name, DataType::Utf8)
}

pub(super) fn maybe_text(name: &str) -> Field {
    optional(name, DataType::Utf8)
}

pub(super) fn int(name: &str) -> Field {
    required(name, DataType::Int32)
}

pub(super) fn long(name: &str) -> Field {
    required(name, DataType::Int64)
}

pub(super) fn ratio(name: &str) -> Field {
    optional(name, DataType::Float64)
}

pub(super) fn cash(name: &str) -> Field {
    required(name, money())
}

pub(super) fn maybe_cash(name: &str) -> Field {
    optional(name, money())
}

pub(super) fn flag(name: &str) -> Field {
    required(name, DataType::Boolean)
}

pub(super) fn maybe_flag(name: &str) -> Field {
    optional(name, DataType::Boolean)
}

pub(super) fn maybe_time(name: &str) -> Field {
    optional(name, timestamp())
}

pub(super) fn maybe_date(name: &str) -> Field {
    optional(name, DataType::Date32)
}

fn dead_letter() -> Vec<Field> {
    vec![
        text("stream"),
        text("source"),
        long("position"),
        maybe_text("field"),
        text("reason"),
        optional("raw", DataType::Binary),
        maybe_time("ingested_at"),
    ]
}

/// One row per customer and day (or block of days).
fn customer_tile() -> Vec<Field> {
    vec![
        int("customer_key"),
        int("touches"),
        int("effective_touches"),
        int("evidenced_effective_touches"),
        long("evidence"),
        maybe_time("last_touch"),
    ]
}

/// One row per rep and day (or month): counts and sums.
fn rep_tile() -> Vec<Field> {
    let mut fields = vec![text("rep_id")];
    fields.extend(crate::tile::rep::COUNTS.iter().map(|name| long(name)));
    fields.push(cash("amount_signed"));
    fields.push(maybe_date("first_deal"));
    fields
}

/// One row per deduplicated event of an entity's life, in (`event_time`, `event_id`) order.
fn fact_tile() -> Vec<Field> {
    vec![
        required("event_time", timestamp()),
        text("event_id"),
        text("event_type"),
        maybe_text("rep_id"),
        maybe_text("customer_id"),
        maybe_text("lead_id"),
        maybe_text("opportunity_id"),
        maybe_cash("amount"),
        optional("attributes", crate::contract::attributes()),
    ]
}

/// One row per lead.
fn lead_life() -> Vec<Field> {
    vec![
        text("lead_id"),
        maybe_time("created_at"),
        maybe_date("created_on"),
        optional("attributes", crate::contract::attributes()),
        maybe_text("assignee_rep_id"),
        maybe_time("assigned_at"),
        maybe_time("responded_at"),
        maybe_time("qualified_at"),
        maybe_time("converted_at"),
        maybe_time("ended_at"),
        flag("disqualified"),
        flag("followed_up_7d"),
        required("last_event_on", DataType::Date32),
    ]
}

/// One row per opportunity.
fn deal_life() -> Vec<Field> {
    let change = vec![required("changed_on", DataType::Date32), maybe_text("rep_id"), text("stage")];
    let change = required("element", DataType::Struct(change.into()));
    vec![
        text("opportunity_id"),
        required("opened_at", timestamp()),
        required("opened_on", DataType::Date32),
        flag("has_opened"),
        maybe_text("opened_in"),
        maybe_text("owner_rep_id"),
        maybe_text("customer_id"),
        maybe_text("lead_id"),
        maybe_cash("amount"),
        maybe_time("stage_changed_at"),
        maybe_time("closed_at"),
        maybe_date("closed_on"),
        flag("won"),
        maybe_text("closed_by"),
        required("changes", DataType::List(Arc::new(change))),
    ]
}

fn run() -> Vec<Field> {
    vec![
        text("run_id"),
        text("job"),
        required("as_of", DataType::Date32),
        required("started_at", timestamp()),
        required("finished_at", timestamp()),
        text("status"),
        text("inputs"),
        text("config_hash"),
        text("catalogue_hash"),
        text("program"),
        text("rows"),
        ratio("mapping_error"),
        maybe_text("report"),
    ]
}
