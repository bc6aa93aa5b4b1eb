//! The alert of what is not red yet.

use super::super::Measured;
use super::{Alert, worst_component};
use crate::measure::customer::Color;
use crate::score::INDEX_DAYS;

/// From this probability on a red index is rather to be expected than not.
const P_RED: f64 = 0.5;

/// Indices that are amber or green, and that a model expects to be red soon.
pub(super) fn turning_red(alerts: &mut Vec<Alert<'_>>, day: &Measured<'_>) {
    let Measured { windows, measures, scores, .. } = *day;
    let Some(scored) = &scores.indices else { return };
    let all = windows.scopes.list.iter().zip(&measures.process).zip(&scored.forecasts);
    for (((scope, id), health), said) in all {
        let Some(said) = said.filter(|said| said.p_red >= P_RED && health.color != Some(Color::Red)) else {
            continue;
        };
        alerts.push(Alert {
            rule: "process_health_turning_red",
            severity: if *scope == "rep" { "low" } else { "medium" },
            scope,
            scope_id: id.clone(),
            entity: None,
            since: None,
            message: format!(
                "the process-health index is expected at {:.1} in {INDEX_DAYS} days, and red with a probability of {:.0} %",
                said.expected,
                100.0 * said.p_red
            ),
            evidence: worst_component(health),
        });
    }
}
