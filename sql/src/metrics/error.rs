//! What can go wrong between the text of a metric and a table of it.

use arrow::error::ArrowError;
use chrono::NaiveDate;
use datafusion::error::DataFusionError;

/// Why the metrics could not be offered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MetricError {
    /// The day, or one its windows need, lies outside what a `Date32` with a midnight can say.
    #[error("counting days around {day}")]
    DayOutOfRange {
        /// The day asked for.
        day: NaiveDate,
    },
    /// The configured business time zone has no such name.
    #[error("unknown time zone '{name}'; use an IANA name such as \"Asia/Shanghai\" or \"UTC\"")]
    Zone {
        /// The name.
        name: String,
    },
    /// A small table that the metrics read could not be built.
    #[error("building the table {table}")]
    Table {
        /// Schema and name.
        table: &'static str,
        /// What arrow says.
        #[source]
        source: ArrowError,
    },
    /// A table, view or schema could not be registered in the session.
    #[error("registering {name}")]
    Register {
        /// Schema and name.
        name: String,
        /// What the session says.
        #[source]
        source: Box<DataFusionError>,
    },
    /// The text of a metric could not be planned or bound.
    #[error("planning the metric {metric}")]
    Plan {
        /// Name of the metric.
        metric: &'static str,
        /// What the planner says.
        #[source]
        source: Box<DataFusionError>,
    },
    /// A metric could not be computed.
    #[error("computing the metric {metric}")]
    Compute {
        /// Name of the metric.
        metric: &'static str,
        /// What the execution says.
        #[source]
        source: Box<DataFusionError>,
    },
}
