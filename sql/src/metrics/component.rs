//! Configuration that is a table: `config.component` and `config.stage`.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};

use super::MetricError;
use super::settings::stage_key;

/// A component of process health: its name, the values that score 0, 60, 80 and 100, and its weight.
#[derive(Debug, Clone, PartialEq)]
pub struct Component {
    /// One of the six that `process_component` knows.
    pub name: String,
    /// Values at 0, 60, 80 and 100 points, ascending.
    pub anchors: [f64; 4],
    /// Weight in the index.
    pub weight: f64,
}

impl Component {
    /// The six components with their default anchors and weights.
    pub fn defaults() -> Vec<Self> {
        [
            ("response_timeliness", [0.2, 0.6, 0.8, 0.95], 0.20),
            ("discovery_depth", [0.0, 1.5, 3.0, 5.0], 0.15),
            ("solution_match", [0.1, 0.35, 0.5, 0.7], 0.20),
            ("visit_frequency", [0.0, 1.0, 2.0, 3.2], 0.10),
            ("opportunity_velocity", [0.0, 0.3, 0.6, 1.0], 0.20),
            ("interaction_depth", [0.0, 0.1, 0.25, 0.5], 0.15),
        ]
        .map(|(name, anchors, weight)| Self { name: name.to_owned(), anchors, weight })
        .into()
    }
}

/// `config.component`: `component` (Utf8), `anchor_0`, `anchor_60`, `anchor_80`, `anchor_100`, `weight` (Float64),
/// none null.
///
/// # Errors
/// None in practice: columns and schema are built side by side.
pub fn component_table(components: &[Component]) -> Result<RecordBatch, MetricError> {
    const NAMES: [&str; 5] = ["anchor_0", "anchor_60", "anchor_80", "anchor_100", "weight"];
    let mut fields = vec![Field::new("component", DataType::Utf8, false)];
    fields.extend(NAMES.map(|name| Field::new(name, DataType::Float64, false)));
    let names = StringArray::from_iter_values(components.iter().map(|c| &c.name));
    let mut columns: Vec<ArrayRef> = vec![Arc::new(names)];
    for place in 0..4 {
        let anchors = components.iter().map(|c| c.anchors[place]);
        columns.push(Arc::new(Float64Array::from_iter_values(anchors)));
    }
    columns.push(Arc::new(Float64Array::from_iter_values(components.iter().map(|c| c.weight))));
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
        .map_err(|source| MetricError::Table { table: "config.component", source })
}

/// `config.stage`: `name` (Utf8, lower case with underscores, unique), `rank` (Int64, from 1), none null. A name
/// given twice keeps its first rank.
///
/// # Errors
/// None in practice: columns and schema are built side by side.
pub fn stage_table(stages: &[Vec<String>]) -> Result<RecordBatch, MetricError> {
    let mut ranks = BTreeMap::new();
    for (rank, names) in (1_i64..).zip(stages) {
        for name in names {
            ranks.entry(stage_key(name)).or_insert(rank);
        }
    }
    let schema = Schema::new(vec![
        Field::new("name", DataType::Utf8, false),
        Field::new("rank", DataType::Int64, false),
    ]);
    RecordBatch::try_new(
        Arc::new(schema),
        vec![
            Arc::new(StringArray::from_iter_values(ranks.keys())),
            Arc::new(Int64Array::from_iter_values(ranks.values().copied())),
        ],
    )
    .map_err(|source| MetricError::Table { table: "config.stage", source })
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::Int64Type;

    use super::*;

    #[test]
    fn a_stage_name_keeps_its_first_rank() {
        let stages =
            [vec!["Needs Analysis".to_owned()], vec!["demo".to_owned(), "needs-analysis".to_owned()]];
        let table = stage_table(&stages).unwrap();
        let names: Vec<_> = table.column(0).as_string::<i32>().iter().flatten().collect();
        assert_eq!(names, ["demo", "needs_analysis"]);
        assert_eq!(table.column(1).as_primitive::<Int64Type>().values(), &[2, 1]);
    }

    #[test]
    fn the_default_weights_add_up_to_one() {
        let components = Component::defaults();
        let total: f64 = components.iter().map(|c| c.weight).sum();
        assert!((total - 1.0).abs() < 1e-12);
        assert!(components.iter().all(|c| c.anchors.is_sorted()));
    }
}
