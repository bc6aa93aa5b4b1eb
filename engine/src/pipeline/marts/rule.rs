//! What rules could ask about, and what they and approved adjustments did.

use arrow::array::RecordBatch;

use crate::adjust::Change;
use crate::error::{EngineError, Result};
use crate::lake::tables;
use crate::mart::{Columns, Mart};
use crate::measure::at;
use crate::pipeline::quotas::Quotas;
use crate::pipeline::stage::Windows;
use crate::rule::{Book, Language};

pub(super) fn marts(windows: &Windows, quotas: &Quotas, rules: &Book) -> Result<[Mart; 3]> {
    let table = "mart.rep_measure";
    let batch = RecordBatch::try_new(tables::spec(table)?.file_schema(), quotas.ground.subjects.arrays())
        .map_err(EngineError::arrow("building a mart"))?;
    Ok([Mart { table, parts: vec![batch] }, steps(windows, quotas, rules)?, adjusted(windows, quotas)?])
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

/// Every adjustment that acted, in order, with the proposal (beyond plan: the quota) before and after.
fn adjusted(windows: &Windows, quotas: &Quotas) -> Result<Mart> {
    let steps: Vec<_> = (quotas.run.rows.iter())
        .flat_map(|row| row.ruled.adjusted.iter().zip(1..).map(move |(step, position)| (row, step, position)))
        .filter_map(|(row, step, position)| {
            Some((row, step, position, quotas.adjustments.get(at(step.adjustment))?))
        })
        .collect();
    let amount = |change: Change| if let Change::Pin(amount) = change { Some(amount) } else { None };
    let percent = |change: Change| if let Change::Percent(percent) = change { Some(percent) } else { None };
    Columns::default()
        .text(steps.iter().map(|(row, ..)| windows.crm.reps[row.rep].id.as_str()))
        .text(steps.iter().map(|_| windows.period.name.as_str()))
        .int(steps.iter().map(|(_, _, position, _)| *position))
        .text(steps.iter().map(|(.., adjustment)| adjustment.request_id.as_str()))
        .text(steps.iter().map(|(.., adjustment)| adjustment.approved_by.as_str()))
        .maybe_cash(steps.iter().map(|(.., adjustment)| amount(adjustment.change)))
        .ratio(steps.iter().map(|(.., adjustment)| percent(adjustment.change)))
        .flag(steps.iter().map(|(.., adjustment)| adjustment.beyond_plan))
        .cash(steps.iter().map(|(_, step, ..)| step.before))
        .cash(steps.iter().map(|(_, step, ..)| step.after))
        .of("mart.quota_adjustment")
}
