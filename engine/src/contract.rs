//! The input contract: every stream, its columns, and the table it lands in.
//!
//! One schema per stream serves decoding, checking, the Delta table and its reader.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};

/// A stream of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stream {
    /// What a rep, a lead or a customer did.
    Behaviour,
    /// An observation of the outside world.
    MarketFactor,
    /// Versions of sales reps.
    Rep,
    /// Versions of customers.
    Customer,
    /// Versions of regions.
    Region,
    /// Versions of plans: a target per region and period.
    Plan,
    /// Versions of products.
    Product,
    /// The business calendar.
    Calendar,
}

impl Stream {
    /// Every stream, in the order in which a report lists them.
    pub const ALL: [Self; 8] = [
        Self::Behaviour,
        Self::MarketFactor,
        Self::Rep,
        Self::Customer,
        Self::Region,
        Self::Plan,
        Self::Product,
        Self::Calendar,
    ];

    /// The name used on the command line and in dead letters, e.g. `crm.rep`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Behaviour => "behaviour",
            Self::MarketFactor => "market_factor",
            Self::Rep => "crm.rep",
            Self::Customer => "crm.customer",
            Self::Region => "crm.region",
            Self::Plan => "crm.plan",
            Self::Product => "crm.product",
            Self::Calendar => "crm.calendar",
        }
    }

    /// The stream with that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stream| stream.name() == name)
    }

    /// The lake table that the stream's records land in.
    pub fn table(self) -> &'static str {
        match self {
            Self::Behaviour => "raw.behaviour",
            Self::MarketFactor => "raw.market_factor",
            other => other.name(),
        }
    }

    /// The columns of a record, in the order that also decides between equal versions.
    /// Without `event_date`, which the lake derives.
    pub fn schema(self) -> SchemaRef {
        let fields = match self {
            Self::Behaviour => behaviour_fields(),
            Self::MarketFactor => vec![
                required("factor", DataType::Utf8),
                optional("region_id", DataType::Utf8),
                required("observed_at", timestamp()),
                required("value", DataType::Float64),
                optional("source", DataType::Utf8),
                optional("unit", DataType::Utf8),
                optional("attributes", attributes()),
            ],
            Self::Rep => versioned(vec![
                required("rep_id", DataType::Utf8),
                optional("region_id", DataType::Utf8),
                optional("manager_id", DataType::Utf8),
                optional("team", DataType::Utf8),
                optional("role", DataType::Utf8),
                optional("hired_on", DataType::Date32),
                optional("left_on", DataType::Date32),
                optional("status", DataType::Utf8),
                optional("consent_at", timestamp()),
            ]),
            Self::Customer => versioned(vec![
                required("customer_id", DataType::Utf8),
                optional("owner_rep_id", DataType::Utf8),
                optional("region_id", DataType::Utf8),
                optional("segment", DataType::Utf8),
                optional("industry", DataType::Utf8),
                optional("size_band", DataType::Utf8),
                optional("created_on", DataType::Date32),
                optional("lifecycle_stage", DataType::Utf8),
            ]),
            Self::Region => versioned(vec![
                required("region_id", DataType::Utf8),
                optional("parent_region_id", DataType::Utf8),
                optional("name", DataType::Utf8),
            ]),
            Self::Plan => versioned(vec![
                required("period", DataType::Utf8),
                required("region_id", DataType::Utf8),
                required("target_amount", money()),
            ]),
            Self::Product => versioned(vec![
                required("product_id", DataType::Utf8),
                optional("name", DataType::Utf8),
                optional("category", DataType::Utf8),
                optional("list_price", money()),
            ]),
            Self::Calendar => versioned(vec![
                required("date", DataType::Date32),
                required("is_working_day", DataType::Boolean),
                optional("season_tag", DataType::Utf8),
            ]),
        };
        Arc::new(Schema::new(fields))
    }

    /// The columns that identify an entity of a `crm.*` stream; empty for the others.
    pub fn key(self) -> &'static [&'static str] {
        match self {
            Self::Behaviour | Self::MarketFactor => &[],
            Self::Rep => &["rep_id"],
            Self::Customer => &["customer_id"],
            Self::Region => &["region_id"],
            Self::Plan => &["period", "region_id"],
            Self::Product => &["product_id"],
            Self::Calendar => &["date"],
        }
    }
}

/// The longest identifier that the contract allows, in bytes.
pub const ID_BYTES_MAX: usize = 64;

/// Money: `Decimal128(18, 2)`, in the reporting currency.
pub fn money() -> DataType {
    DataType::Decimal128(18, 2)
}

/// Instants: microseconds, UTC.
pub fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// The type of `attributes`: a map from string to string, keys in ascending order.
pub fn attributes() -> DataType {
    let entries = Fields::from(vec![
        Field::new("key", DataType::Utf8, false),
        Field::new("value", DataType::Utf8, true),
    ]);
    DataType::Map(Arc::new(Field::new("key_value", DataType::Struct(entries), false)), false)
}

/// A column that is never null.
pub(crate) fn required(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, false)
}

/// A column that may be null.
pub(crate) fn optional(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, true)
}

fn versioned(mut fields: Vec<Field>) -> Vec<Field> {
    fields.push(optional("updated_at", timestamp()));
    fields
}

fn behaviour_fields() -> Vec<Field> {
    vec![
        required("event_id", DataType::Utf8),
        required("event_time", timestamp()),
        required("event_type", DataType::Utf8),
        required("channel", DataType::Utf8),
        optional("rep_id", DataType::Utf8),
        optional("customer_id", DataType::Utf8),
        optional("lead_id", DataType::Utf8),
        optional("opportunity_id", DataType::Utf8),
        optional("amount", money()),
        required("evidence_count", DataType::Int32),
        optional("evidence", DataType::Utf8),
        optional("attributes", attributes()),
    ]
}
