//! The columns of a stream as check sees them: name, what its values must be, whether it may be absent.

use arrow::datatypes::{DataType, SchemaRef};

use crate::contract::Stream;

/// More columns than any stream has.
pub(crate) const COLUMNS_MAX: usize = 16;

/// What the values of a column must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text of at most 64 bytes.
    Id,
    /// Any text.
    Text,
    /// A code of the event catalogue.
    EventType,
    /// One of the seven channels.
    Channel,
    /// An instant that is not far ahead.
    EventTime,
    /// Any instant; a date stands for its midnight in the business time zone.
    Time,
    /// A day.
    Date,
    /// Money.
    Money,
    /// A finite float.
    Number,
    /// How many pieces of evidence.
    Count,
    /// True or false.
    Flag,
    /// A list of evidence.
    Evidence,
    /// A map from string to string.
    Attributes,
}

/// One column of a stream.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// Whether a record without it is refused. A channel has a default, a count is zero.
    pub(crate) required: bool,
}

/// Where a field of the input goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    /// Into that column.
    Column(usize),
    /// Into the attributes, or nowhere where the stream has none.
    Extra,
    /// Nowhere: a column that the lake derives.
    Derived,
}

/// The columns of a stream.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub(crate) stream: Stream,
    /// The columns of the stream's data files.
    pub(crate) schema: SchemaRef,
    pub(crate) columns: Vec<Column>,
    /// Bit k: the k-th column must be given.
    pub(crate) required: u32,
    /// Position of `attributes`, where the stream has them.
    pub(crate) attributes: Option<usize>,
    /// Position of `evidence`, where the stream has it.
    pub(crate) evidence: Option<usize>,
}

/// Positions of the columns of `behaviour` that its rules look at; a test holds them to the schema.
pub(crate) mod behaviour {
    pub(crate) const EVENT_TIME: usize = 1;
    pub(crate) const EVENT_TYPE: usize = 2;
    pub(crate) const CHANNEL: usize = 3;
    /// The four ids, in the order of `Entity::ALL`.
    pub(crate) const FIRST_ENTITY: usize = 4;
    pub(crate) const AMOUNT: usize = 8;
    pub(crate) const EVIDENCE_COUNT: usize = 9;
}

impl Layout {
    /// The layout of a stream of the contract.
    pub(crate) fn of(stream: Stream) -> Self {
        let schema = stream.schema();
        let columns: Vec<Column> = schema
            .fields()
            .iter()
            .map(|field| {
                let kind = kind(field.name(), field.data_type());
                let required = !field.is_nullable() && !matches!(kind, Kind::Channel | Kind::Count);
                Column { name: field.name().clone(), kind, required }
            })
            .collect();
        let of_kind = |kind: Kind| columns.iter().position(|column| column.kind == kind);
        let (attributes, evidence) = (of_kind(Kind::Attributes), of_kind(Kind::Evidence));
        let bits = columns.iter().enumerate().filter(|(_, column)| column.required);
        let required = bits.fold(0, |bits, (position, _)| bits | 1 << position);
        Self { stream, schema, columns, required, attributes, evidence }
    }

    /// Where a field of that name goes.
    pub(crate) fn slot(&self, name: &str) -> Slot {
        self.slots().find(|(known, _)| *known == name).map_or(Slot::Extra, |(_, slot)| slot)
    }

    /// The fields that are not extra, and where they go.
    pub(crate) fn slots(&self) -> impl Iterator<Item = (&str, Slot)> {
        let derived = (self.stream == Stream::Behaviour).then_some(("event_date", Slot::Derived));
        let columns = self.columns.iter().enumerate();
        columns.map(|(position, column)| (column.name.as_str(), Slot::Column(position))).chain(derived)
    }

    /// The name of a column, for dead letters.
    pub(crate) fn name(&self, column: usize) -> &str {
        self.columns.get(column).map_or("", |column| column.name.as_str())
    }

    /// The names of the columns that an input table lacks and must have, given the names that it has; an empty list
    /// where it is complete.
    pub(crate) fn missing(&self, has: impl Fn(&str) -> bool) -> Vec<&str> {
        let mut missing: Vec<&str> = self
            .columns
            .iter()
            .filter(|column| column.required && !has(&column.name))
            .map(|column| column.name.as_str())
            .collect();
        if self.stream == Stream::Behaviour && !self.entities().any(&has) {
            missing.push("rep_id, customer_id, lead_id or opportunity_id");
        }
        missing
    }

    fn entities(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().skip(behaviour::FIRST_ENTITY).take(4).map(|column| column.name.as_str())
    }
}

fn kind(name: &str, data_type: &DataType) -> Kind {
    match (name, data_type) {
        ("event_type", _) => Kind::EventType,
        ("channel", _) => Kind::Channel,
        ("event_time", _) => Kind::EventTime,
        ("evidence", _) => Kind::Evidence,
        ("evidence_count", _) => Kind::Count,
        (_, DataType::Map(..)) => Kind::Attributes,
        (_, DataType::Timestamp(..)) => Kind::Time,
        (_, DataType::Date32) => Kind::Date,
        (_, DataType::Decimal128(..)) => Kind::Money,
        (_, DataType::Float64) => Kind::Number,
        (_, DataType::Boolean) => Kind::Flag,
        (name, _) if name.ends_with("_id") => Kind::Id,
        _ => Kind::Text,
    }
}
