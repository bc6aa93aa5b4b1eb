//! `tideline model score`: a probability for each row of a table.

use arrow::array::{Float64Array, StringArray, UInt64Array};
use models::tabular::{Explanation, Frame, Model};

use super::output::{column, format, write};
use super::{Saved, refused};
use crate::cli::ModelScoreArgs;
use crate::import::BadInput;
use crate::output;
use crate::report::words::count;
use crate::table_file::TableFile;

pub(in crate::commands) fn run(args: &ModelScoreArgs) -> anyhow::Result<()> {
    format(&args.to)?;
    let saved = Saved::load(&args.model)?;
    let table = TableFile::read(&args.from)?;
    let frame = frame(&table, &saved.model)?;
    let scored = saved.model.score(&frame).map_err(|error| refused(&args.from, &error))?;
    let mut columns = vec![column("row", UInt64Array::from_iter_values(0..scored.len() as u64))];
    if let Some(id) = &saved.id
        && table.header().contains(id)
    {
        columns.push(column(id_name(id), table.text("the model", id)?.clone()));
    }
    let of = |of: fn(&models::tabular::Scored) -> f64| Float64Array::from_iter_values(scored.iter().map(of));
    columns.push(column("probability", of(|scored| scored.probability)));
    columns.push(column("low", of(|scored| scored.low)));
    columns.push(column("high", of(|scored| scored.high)));
    if args.reasons > 0 {
        let explanation = saved.model.explain(&frame).map_err(|error| refused(&args.from, &error))?;
        columns.extend(reasons(&saved.model, &explanation, args.reasons));
    }
    write(&args.to, columns)?;
    let rows = count(u64::try_from(scored.len())?);
    output::print(&format!(
        "{rows} rows scored in {}: the probability that {} is {}",
        args.to.display(),
        saved.label,
        saved.positive
    ))
}

/// The id's column, kept apart from the columns of the result.
fn id_name(id: &str) -> &str {
    if ["row", "probability", "low", "high"].contains(&id) || id.starts_with("reason_") { "id" } else { id }
}

/// The columns that the model reads, as it reads them.
fn frame(table: &TableFile, model: &Model) -> anyhow::Result<Frame> {
    let missing: Vec<&str> = model
        .columns()
        .iter()
        .map(|schema| schema.name.as_str())
        .filter(|name| !table.header().iter().any(|header| header == name))
        .collect();
    if !missing.is_empty() {
        let message = format!(
            "it lacks columns that the model was fitted with: {} (it has: {})",
            missing.join(", "),
            table.header().join(", ")
        );
        return Err(table.error(&message).into());
    }
    let columns = model
        .columns()
        .iter()
        .map(|schema| table.as_kind(&schema.name, table.text("the model", &schema.name)?, schema.kind));
    let columns = columns.collect::<Result<Vec<_>, BadInput>>()?;
    Frame::new(columns, table.rows()).map_err(|error| table.error(&error.to_string()).into())
}

/// The names and terms of the columns that move each row most, the strongest first.
fn reasons(model: &Model, explanation: &Explanation, n: usize) -> Vec<(String, arrow::array::ArrayRef)> {
    let names: Vec<&str> = model.columns().iter().map(|schema| schema.name.as_str()).collect();
    let ranked: Vec<Vec<(usize, f64)>> = explanation
        .contributions
        .rows()
        .into_iter()
        .map(|row| {
            let mut terms: Vec<(usize, f64)> = row.iter().copied().enumerate().collect();
            terms.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0)));
            terms.truncate(n);
            terms
        })
        .collect();
    let mut columns = Vec::new();
    for k in 0..n.min(names.len()) {
        let term = |row: &Vec<(usize, f64)>| row.get(k).copied();
        let name: StringArray = ranked.iter().map(|row| Some(names[term(row)?.0])).collect();
        let add: Float64Array = ranked.iter().map(|row| Some(term(row)?.1)).collect();
        columns.push(column(&format!("reason_{}", k + 1), name));
        columns.push(column(&format!("reason_{}_log_odds", k + 1), add));
    }
    columns
}
