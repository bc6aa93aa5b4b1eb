//! What a run did, in a few lines: for whoever runs the job.

use engine::pipeline::RunReport;
use engine::time::date;

use super::words::{count, percent};

/// The run's account.
pub(crate) fn describe(report: &RunReport) -> String {
    let day = date(report.as_of);
    if !report.published {
        return format!(
            "{day}: the same inputs were published before as run {}; nothing to do",
            report.run_id
        );
    }
    let tiles = &report.tiles;
    let seconds: f64 = report.stages.iter().map(|(_, seconds)| seconds).sum();
    let rows: u64 = report.rows.values().sum();
    let mut text = format!(
        "{day}: published run {} with {} rows in {} tables, in {seconds:.1} s",
        report.run_id,
        count(rows),
        report.rows.len()
    );
    let line = format!(
        "\n  {} of {} days of events were new or had changed: {} events read, {} copies left out",
        count(u64::try_from(tiles.rebuilt).unwrap_or(u64::MAX)),
        count(u64::try_from(tiles.days).unwrap_or(u64::MAX)),
        count(tiles.events),
        count(tiles.duplicates),
    );
    text.push_str(&line);
    let stages: Vec<String> =
        report.stages.iter().map(|(stage, seconds)| format!("{stage} {seconds:.2}")).collect();
    let line = format!("\n  seconds: {}", stages.join(", "));
    text.push_str(&line);
    if let Some(error) = report.mapping_error {
        let line =
            format!("\n  {} of the records did not reach their entity or their contract", percent(error));
        text.push_str(&line);
    }
    for warning in &report.warnings {
        let line = format!("\n  warning: {warning}");
        text.push_str(&line);
    }
    text
}
