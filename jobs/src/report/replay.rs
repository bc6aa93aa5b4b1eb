//! What a replay found, table by table.

use engine::lake::Run;
use engine::pipeline::{Past, Replayed, Verdict};
use engine::time::date;

use super::words::{columns, count};

/// What of a run's inputs is missing.
pub(crate) fn missing(run: &Run, missing: &[String]) -> String {
    format!("run {} of {} is missing:\n  {}", run.run_id, date(run.as_of), missing.join("\n  "))
}

/// Tables that came out differently.
pub(crate) fn differing(replayed: &Replayed) -> usize {
    replayed.marts.iter().filter(|mart| matches!(mart.verdict, Verdict::Differs(_))).count()
}

/// Every table with its rows and how it compares.
pub(crate) fn replayed(past: &Past, replayed: &Replayed) -> String {
    let run = &past.run;
    let mut text = format!("run {} of {}, computed again", run.run_id, date(run.as_of));
    if run.program != past.program {
        text.extend([format!(
            "\n  it was made by {}, this is {}: what differs below may be the program's doing",
            run.program, past.program
        )]);
    }
    let lines: Vec<Vec<String>> = (replayed.marts.iter())
        .map(|mart| {
            let verdict = match &mart.verdict {
                Verdict::SameBytes => "the same bytes".to_owned(),
                Verdict::SameCells => "the same cells, in a file of other bytes".to_owned(),
                Verdict::Differs(how) => format!("differs: {how}"),
                Verdict::Removed => "what was published is no longer there".to_owned(),
                Verdict::Unknown => "not published by the run's program".to_owned(),
            };
            vec![mart.table.to_owned(), count(u64::try_from(mart.rows).unwrap_or(u64::MAX)), verdict]
        })
        .collect();
    let same = replayed.marts.iter().filter(|mart| mart.verdict == Verdict::SameBytes).count();
    format!(
        "{text}\n{}\n{same} of {} tables are the same to the byte",
        columns(&[false, true, false], &lines),
        replayed.marts.len()
    )
}
