//! What rules could ask about, and what they did.

use arrow::array::RecordBatch;

use crate::error::{EngineError, Result};
use crate::lake::tables;
use crate::mart::{Columns, Mart};
use crate::measure::at;
use crate::pipeline::quotas::Quotas;
use crate::pipeline::stage::Windows;
use crate::rule::{Book, Language};

pub(super) fn marts(windows: &Windows, quotas: &Quotas, rules: &Book) -> Result<[Mart; 2]> {
    let table = "mart.rep_measure";
    let batch = RecordBatch::try_new(tables::spec(table)?.file_schema(), quotas.subjects.arrays())
        .map_err(EngineError::arrow("building a mart"))?;
    Ok([Mart { table, batch }, steps(windows, quotas, rules)?])
}

/// Every action of every rule on every rep, in order, with the proposal (beyond plan: the quota) before and after.
fn steps(windows: &Windows, quotas: &Quotas, rules: &Book) -> Result<Mart> {
    let steps: Vec<_> = (quotas.run.rows.iter())
        .flat_map(|row| row.ruled.steps.iter().zip(1..).map(move |(step, position)| (row, step, position)))
        .filter_map(|(row, step, position)| {
            let rule = rules.rules.get(at(step.rule))?;
            Some((row, step, position, rule, rule.actions.get(at(step.action))?))
        })
        .collect();
    let phrases: Vec<String> = steps.iter().map(|(.., action)| action.phrase(Language::English)).collect();
    Columns::default()
        .text(steps.iter().map(|(row, ..)| windows.crm.reps[row.rep].id.as_str()))
        .text(steps.iter().map(|_| windows.period.name.as_str()))
        .int(steps.iter().map(|(_, _, position, ..)| *position))
        .text(steps.iter().map(|(_, _, _, rule, _)| rule.name.as_str()))
        .text(phrases.iter().map(String::as_str))
        .flag(steps.iter().map(|(_, _, _, rule, _)| rule.beyond_plan))
        .cash(steps.iter().map(|(_, step, ..)| step.before))
        .cash(steps.iter().map(|(_, step, ..)| step.after))
        .of("mart.quota_rule")
}
