//! A backtest as one HTML page.

use super::backtest::{Report, head};

/// The page.
pub(crate) fn page(report: &Report<'_>) -> String {
    head(report)
}
