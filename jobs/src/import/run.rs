//! The run itself: every row of every emitting table, in order, through its skips and its emits.

use super::bind::Plan;
use super::emit::{Novelty, Seen};
use super::load::Loaded;
use super::spec::Distinct;
use super::summary::{EmitSummary, ImportSummary, Origin, Output, Reason, Reject, TableSummary};
use super::table::{Failure, TableId};

type Sink<'a> = &'a mut dyn FnMut(Output<'_>) -> anyhow::Result<()>;

pub(super) fn run(plan: &Plan, loaded: Loaded, sink: Sink<'_>) -> anyhow::Result<ImportSummary> {
    let mut run = Run { plan, sink, summary: ImportSummary::default(), seen: Seen::default() };
    run.summary.unused_files = loaded.unused_files;
    run.summary.emits = plan
        .emits
        .iter()
        .map(|emit| EmitSummary {
            emit: emit.name.clone(),
            stream: emit.stream.name.to_owned(),
            ..EmitSummary::default()
        })
        .collect();
    for reject in &loaded.rejects {
        run.reject(reject)?;
    }
    let mut summaries = loaded.summaries.into_iter();
    for (table, known) in plan.tables.list.iter().enumerate() {
        let fresh = || TableSummary { table: known.name.clone(), ..TableSummary::default() };
        let mut account = summaries.next().unwrap_or_else(fresh);
        account.emitting = plan.emits.iter().any(|emit| emit.table == table);
        if account.emitting {
            run.table(table, &mut account)?;
        }
        run.summary.tables.push(account);
        run.failures()?;
    }
    Ok(run.summary)
}

struct Run<'a> {
    plan: &'a Plan,
    sink: Sink<'a>,
    summary: ImportSummary,
    seen: Seen,
}

/// What a row came to.
#[derive(Debug, Default)]
struct Fate {
    mapped: bool,
    rejected: bool,
}

impl Run<'_> {
    fn table(&mut self, table: TableId, account: &mut TableSummary) -> anyhow::Result<()> {
        let rows = self.plan.tables.rows(table);
        if account.files.is_empty() {
            // A group: its rows exist from now on.
            account.rows = u64::try_from(rows)?;
        }
        for row in 0..rows {
            if let Some(why) = self.skipped(table, row)? {
                if why.is_empty() {
                    account.rejected += 1;
                } else {
                    *account.skipped.entry(why.to_owned()).or_default() += 1;
                }
                continue;
            }
            let fate = self.row(table, row)?;
            match fate {
                Fate { mapped: true, .. } => account.mapped += 1,
                Fate { rejected: true, .. } => account.rejected += 1,
                _ => account.unmatched += 1,
            }
        }
        Ok(())
    }

    /// Why the row is left out: empty where the condition itself failed and the row is rejected.
    fn skipped(&mut self, table: TableId, row: usize) -> anyhow::Result<Option<&str>> {
        let plan = self.plan;
        for skip in plan.skips.iter().filter(|skip| skip.table == table) {
            match plan.tables.holds(&skip.when, table, row) {
                Ok(false) => {}
                Ok(true) => return Ok(Some(&skip.why)),
                Err(failure) => {
                    self.refuse(table, row, None, "skip", *failure)?;
                    return Ok(Some(""));
                }
            }
        }
        Ok(None)
    }

    fn row(&mut self, table: TableId, row: usize) -> anyhow::Result<Fate> {
        let plan = self.plan;
        let mut fate = Fate::default();
        for (index, emit) in plan.emits.iter().enumerate().filter(|(_, emit)| emit.table == table) {
            let wanted = match &emit.when {
                Some(when) => plan.tables.holds(when, table, row),
                None => Ok(true),
            };
            let record = match wanted {
                Ok(false) => continue,
                Ok(true) => emit.record(&plan.tables, row),
                Err(failure) => Err(failure),
            };
            let failure = match record {
                Err(failure) => *failure,
                Ok(record) => {
                    let novelty = self.seen.add(&record);
                    let count = &mut self.summary.emits[index];
                    if novelty == Novelty::Contradicts && emit.distinct == Distinct::Reject {
                        Failure {
                            reason: Reason::DuplicateKey,
                            column: emit.stream.key.join(", "),
                            value: record.json,
                            right: "one record per key, or the same content (or `distinct = \"first\"`)"
                                .to_owned(),
                        }
                    } else {
                        fate.mapped = true;
                        if novelty == Novelty::New {
                            count.rows += 1;
                            let origin = origin(plan, table, row);
                            (self.sink)(Output::Record {
                                stream: emit.stream.name,
                                json: &record.json,
                                origin,
                            })?;
                        } else {
                            count.merged += 1;
                        }
                        continue;
                    }
                }
            };
            fate.rejected = true;
            self.summary.emits[index].rejected += 1;
            self.refuse(table, row, Some(emit.stream.name), &emit.name, failure)?;
        }
        Ok(fate)
    }

    fn refuse(
        &mut self,
        table: TableId,
        row: usize,
        stream: Option<&'static str>,
        step: &str,
        failure: Failure,
    ) -> anyhow::Result<()> {
        let Origin { file, row: line } = origin(self.plan, table, row);
        self.reject(&Reject {
            file: file.to_owned(),
            row: line,
            table: self.plan.tables.list[table].name.clone(),
            stream,
            step: step.to_owned(),
            reason: failure.reason,
            column: failure.column,
            value: failure.value,
            right: failure.right,
            raw: self.plan.tables.raw(table, row),
        })
    }

    /// Tells of the rows that groups and lookups could not take.
    fn failures(&mut self) -> anyhow::Result<()> {
        let failures = self.plan.tables.failures.take();
        for row in failures {
            self.refuse(row.table, row.row, None, &row.step, *row.failure)?;
        }
        Ok(())
    }

    fn reject(&mut self, reject: &Reject) -> anyhow::Result<()> {
        self.summary.count(reject);
        (self.sink)(Output::Reject(reject))
    }
}

fn origin(plan: &Plan, table: TableId, row: usize) -> Origin<'_> {
    let (file, row) = plan.tables.stored(table).origins[row];
    Origin { file: &plan.tables.files[file], row }
}
