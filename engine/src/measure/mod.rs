//! Measures: what the windows say about customers, leads, opportunities, reps and regions.
//!
//! Each has its SQL twin under `sql/metrics/`; a differential test holds both to the same cells.

pub(crate) mod capability;
pub mod customer;
pub mod facts;
pub(crate) mod firsts;
pub(crate) mod funnel;
pub mod lead;
pub mod opportunity;
pub(crate) mod portfolio;
pub mod process;
pub(crate) mod sales;
pub mod scope;

/// The six components of the process-health index, in column order.
pub const COMPONENTS: [&str; 6] = [
    "response_timeliness",
    "discovery_depth",
    "solution_match",
    "visit_frequency",
    "opportunity_velocity",
    "interaction_depth",
];

/// A count as the numerator or denominator of a ratio.
#[expect(clippy::cast_precision_loss, reason = "counts and minor units stay far below 2^53")]
pub(crate) fn real(count: i64) -> f64 {
    count as f64
}

/// `numerator / denominator`, null where there is no denominator.
pub(crate) fn ratio(numerator: i64, denominator: i64) -> Option<f64> {
    (denominator != 0).then(|| real(numerator) / real(denominator))
}

/// An amount in major units per thing, null where there are none.
pub(crate) fn major_per(minor: i64, things: i64) -> Option<f64> {
    (things != 0).then(|| real(minor) / real(100 * things))
}

/// A length as a count.
pub(crate) fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// A dense number as an array index.
pub(crate) fn at(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
