//! Why a record was refused: short phrases that stay the same, so that dead letters can be counted by them.

/// Why one record was refused, and over which column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Position of the column in the stream's layout; none where the record as a whole is at fault.
    pub(crate) column: Option<usize>,
    /// One of the phrases below.
    pub(crate) reason: &'static str,
}

impl Fault {
    /// The record as a whole is at fault.
    pub(crate) const fn record(reason: &'static str) -> Self {
        Self { column: None, reason }
    }

    /// One column is at fault.
    pub(crate) const fn column(column: usize, reason: &'static str) -> Self {
        Self { column: Some(column), reason }
    }
}

pub(crate) const NOT_UTF8: &str = "not UTF-8";
pub(crate) const NOT_JSON: &str = "not JSON";
pub(crate) const NOT_AN_OBJECT: &str = "not a JSON object";
pub(crate) const RECORD_TOO_LONG: &str = "longer than 16 MiB";
pub(crate) const GIVEN_TWICE: &str = "given twice";
pub(crate) const WRONG_WIDTH: &str = "not as many cells as the header";

pub(crate) const TOMBSTONE: &str = "a message without a value (a tombstone)";
pub(crate) const NOT_IPC: &str = "damaged Arrow IPC";
pub(crate) const NOT_AVRO: &str = "damaged Avro";
pub(crate) const NO_REGISTRY: &str = "framed by a schema registry, and not JSON; set kafka.registry.url";
pub(crate) const UNKNOWN_SCHEMA: &str = "of a schema that the registry doesn't know";
pub(crate) const UNUSABLE_SCHEMA: &str = "of a schema that is neither Avro nor JSON";
pub(crate) const WRONG_TYPE: &str = "of a type that can't be converted";
pub(crate) const EMPTY: &str = "an empty message";

pub(crate) const MISSING: &str = "missing";
pub(crate) const ID_TOO_LONG: &str = "longer than 64 bytes";
pub(crate) const NOT_TEXT: &str = "not a string";
pub(crate) const NOT_A_TIME: &str = "not an RFC 3339 time or epoch microseconds";
pub(crate) const TOO_EARLY: &str = "before 1900";
pub(crate) const TOO_LATE: &str = "more than 24 h ahead";
pub(crate) const NOT_A_DATE: &str = "not a date";
pub(crate) const NOT_AN_AMOUNT: &str = "not an amount";
pub(crate) const TOO_FINE: &str = "more than two decimal places";
pub(crate) const TOO_LARGE: &str = "more than 18 digits";
pub(crate) const NOT_A_NUMBER: &str = "not a number";
pub(crate) const NOT_FINITE: &str = "not finite";
pub(crate) const NOT_A_COUNT: &str = "not a count";
pub(crate) const NOT_A_FLAG: &str = "not true or false";
pub(crate) const NOT_EVIDENCE: &str = "not a list of {kind, uri, sha256}";
pub(crate) const NOT_A_MAP: &str = "not a map of strings";

pub(crate) const UNKNOWN_EVENT: &str = "not in the event catalogue";
pub(crate) const DERIVED_EVENT: &str = "derived, not sent";
pub(crate) const UNKNOWN_CHANNEL: &str = "unknown channel";
pub(crate) const NO_ENTITY: &str = "no rep, customer, lead or opportunity";
pub(crate) const REQUIRED: &str = "required by the event type";
