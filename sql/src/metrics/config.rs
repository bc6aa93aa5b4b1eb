//! Configuration that is a table: `config.component`, `config.stage`, `config.lead_attribute`, `config.heat_weight`.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use engine::settings::{Factor, Lead, Pipeline, Process};

use super::MetricError;

/// `config.component`: `component` (Utf8), `anchor_0`, `anchor_60`, `anchor_80`, `anchor_100` (Float64, the values worth
/// so many points), `weight` (Float64), none null; six rows.
///
/// # Errors
/// None in practice: columns and schema are built side by side.
pub fn component_table(process: &Process) -> Result<RecordBatch, MetricError> {
    const NAMES: [&str; 4] = ["anchor_0", "anchor_60", "anchor_80", "anchor_100"];
    let components = [
        ("response_timeliness", process.response_timeliness),
        ("discovery_depth", process.discovery_depth),
        ("solution_match", process.solution_match),
        ("visit_frequency", process.visit_frequency),
        ("opportunity_velocity", process.opportunity_velocity),
        ("interaction_depth", process.interaction_depth),
    ];
    let mut fields = vec![Field::new("component", DataType::Utf8, false)];
    let mut columns: Vec<ArrayRef> =
        vec![Arc::new(StringArray::from_iter_values(components.map(|(name, _)| name)))];
    for (place, name) in NAMES.into_iter().enumerate() {
        fields.push(Field::new(name, DataType::Float64, false));
        columns.push(Arc::new(Float64Array::from_iter_values(components.map(|(_, c)| c.anchors[place]))));
    }
    fields.push(Field::new("weight", DataType::Float64, false));
    columns.push(Arc::new(Float64Array::from_iter_values(components.map(|(_, c)| c.weight))));
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
        .map_err(|source| MetricError::Table { table: "config.component", source })
}

/// `config.stage`: `name` (Utf8, trimmed, lower case with underscores, unique), `rank` (Int64, from 0), `stuck_days`
/// (Int64, null where the stage has no limit of its own). A name of two stages is the later one's.
///
/// # Errors
/// None in practice: columns and schema are built side by side.
pub fn stage_table(pipeline: &Pipeline) -> Result<RecordBatch, MetricError> {
    let mut ranks = BTreeMap::new();
    for (rank, names) in (0_i64..).zip(&pipeline.stages) {
        ranks.extend(names.iter().map(|name| (stage_key(name), rank)));
    }
    let limits: BTreeMap<i64, i64> = pipeline
        .stuck_days_by_stage
        .iter()
        .filter_map(|(name, days)| Some((*ranks.get(&stage_key(name))?, *days)))
        .collect();
    let schema = Schema::new(vec![
        Field::new("name", DataType::Utf8, false),
        Field::new("rank", DataType::Int64, false),
        Field::new("stuck_days", DataType::Int64, true),
    ]);
    RecordBatch::try_new(
        Arc::new(schema),
        vec![
            Arc::new(StringArray::from_iter_values(ranks.keys())),
            Arc::new(Int64Array::from_iter_values(ranks.values().copied())),
            Arc::new(ranks.values().map(|rank| limits.get(rank).copied()).collect::<Int64Array>()),
        ],
    )
    .map_err(|source| MetricError::Table { table: "config.stage", source })
}

/// `config.lead_attribute`: `name` (Utf8, not null), a row per attribute that makes a lead complete.
///
/// # Errors
/// None in practice: columns and schema are built side by side.
pub fn lead_attribute_table(lead: &Lead) -> Result<RecordBatch, MetricError> {
    let schema = Schema::new(vec![Field::new("name", DataType::Utf8, false)]);
    let names = StringArray::from_iter_values(&lead.attributes);
    RecordBatch::try_new(Arc::new(schema), vec![Arc::new(names)])
        .map_err(|source| MetricError::Table { table: "config.lead_attribute", source })
}

/// `config.heat_weight`: `factor` (Utf8, unique), `weight` (Float64) in the market heat index, none null.
///
/// # Errors
/// None in practice: columns and schema are built side by side.
pub fn heat_weight_table(factor: &Factor) -> Result<RecordBatch, MetricError> {
    let schema = Schema::new(vec![
        Field::new("factor", DataType::Utf8, false),
        Field::new("weight", DataType::Float64, false),
    ]);
    let names = StringArray::from_iter_values(factor.heat_weight.keys());
    let weights = Float64Array::from_iter_values(factor.heat_weight.values().copied());
    RecordBatch::try_new(Arc::new(schema), vec![Arc::new(names), Arc::new(weights)])
        .map_err(|source| MetricError::Table { table: "config.heat_weight", source })
}

/// A stage's name as the metrics compare it.
fn stage_key(name: &str) -> String {
    name.trim().to_lowercase().replace([' ', '-'], "_")
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::{Float64Type, Int64Type};

    use super::*;

    #[test]
    fn a_limit_of_one_name_holds_for_its_synonyms() {
        let pipeline = Pipeline {
            stages: vec![vec!["new".to_owned()], vec!["Needs Analysis".to_owned(), "needs".to_owned()]],
            stuck_days_by_stage: BTreeMap::from([
                ("needs-analysis".to_owned(), 21),
                ("unheard of".to_owned(), 1),
            ]),
            ..Pipeline::default()
        };
        let table = stage_table(&pipeline).unwrap();
        let names: Vec<_> = table.column(0).as_string::<i32>().iter().flatten().collect();
        assert_eq!(names, ["needs", "needs_analysis", "new"]);
        assert_eq!(table.column(1).as_primitive::<Int64Type>().values(), &[1, 1, 0]);
        let limits: Vec<_> = table.column(2).as_primitive::<Int64Type>().iter().collect();
        assert_eq!(limits, [Some(21), Some(21), None]);
    }

    #[test]
    fn a_component_keeps_its_own_anchors_and_weight() {
        let table = component_table(&Process::default()).unwrap();
        let row: Vec<f64> =
            (1..6).map(|column| table.column(column).as_primitive::<Float64Type>().value(3)).collect();
        assert_eq!(table.column(0).as_string::<i32>().value(3), "visit_frequency");
        assert_eq!(row, [0.0, 1.0, 2.0, 3.2, 0.10]);
    }
}
