//! What training did, and the models of a lake, as text.

use engine::lake::{Entry, Log, Status};
use engine::score::Training;
use engine::time::{Day, date};
use serde_json::Value;

use super::words::count;
use crate::train::{Beside, Levels, Origin, Score, Trained};

/// Columns shown.
const COLUMNS_SHOWN: usize = 10;
/// Groups shown of each grouping.
const GROUPS_SHOWN: usize = 4;

/// Where nothing could be learnt.
pub(crate) fn nothing(as_of: Day, reason: &str) -> String {
    format!("NO MODEL as of {}: {reason}", date(as_of))
}

/// What training did.
pub(crate) fn trained(trained: &Trained, read: &Training, as_of: Day, known: bool) -> String {
    let number = |n: usize| count(u64::try_from(n).unwrap_or(u64::MAX));
    let (first, last) = trained.judged_days;
    let mut lines = vec![
        format!("MODEL of {} {} as of {}", trained.name, trained.id, date(as_of)),
        format!(
            "  fitted on {} {} in {} days of events; {} {}",
            number(trained.fitted_rows),
            trained.fitted_on,
            number(read.days),
            number(trained.censored.0),
            trained.censored.1
        ),
        format!(
            "  judged on {} looks from {} to {}, by a fit on what was known before: {}",
            number(trained.score.rows),
            date(first),
            date(last),
            score(&trained.score)
        ),
    ];
    for (name, own, other) in &trained.against {
        let on = if own.rows == trained.score.rows {
            String::new()
        } else {
            format!(" on the {} looks new to it, where this one has {:.4}", number(own.rows), own.log_loss)
        };
        lines.push(format!("  {name}: {}{on}", score(other)));
    }
    lines.extend(trained.levels.iter().flat_map(levels));
    if !trained.importance.is_empty() {
        lines.push("STRONGEST columns, by the mean size of their term in log-odds".to_owned());
    }
    for (column, mean) in trained.importance.iter().take(COLUMNS_SHOWN) {
        lines.push(format!("  {mean:>7.3}  {column}"));
    }
    lines.push("GROUPS of the judged looks: what was predicted, what came".to_owned());
    for groups in trained.groups.chunk_by(|a, b| a.grouping == b.grouping) {
        for group in groups.iter().take(GROUPS_SHOWN) {
            lines.push(format!(
                "  {} {}: {:.3}, {:.3} of {}",
                group.grouping.trim_start_matches("attribute "),
                group.value.as_deref().unwrap_or("none"),
                group.mean_p,
                group.share,
                number(group.score.rows)
            ));
        }
    }
    let what = match (known, trained.verdict.promoted) {
        (true, _) => "the same model was recorded before; nothing to do".to_owned(),
        (false, true) => format!("in use from {} on: {}", date(as_of), trained.verdict.reason),
        (false, false) => format!(
            "not in use: {} (`tideline model promote {}` would take it nevertheless)",
            trained.verdict.reason, trained.id
        ),
    };
    lines.push(format!("  {what}"));
    lines.join("\n")
}

/// How near a forecast number was.
fn levels(levels: &Levels) -> Vec<String> {
    let mut lines = vec![format!(
        "  expected: off by {:.2} points on the mean; the 80 % interval, {:.1} points wide, held {:.1} % of what came",
        levels.mae,
        levels.width,
        100.0 * levels.coverage
    )];
    for Beside { name, rows, own, other } in &levels.against {
        lines.push(format!(
            "  {name}: off by {other:.2} points on {rows} looks, where this one is by {own:.2}"
        ));
    }
    lines
}

/// A line per model: for whoever runs it among other things.
pub(crate) fn brief(trained: &Trained, known: bool) -> String {
    let use_of_it = match (known, trained.verdict.promoted) {
        (true, _) => "recorded before",
        (false, true) => "in use",
        (false, false) => "no better, not in use",
    };
    let auc = trained.score.auc.map_or_else(String::new, |auc| format!("AUC {auc:.3}, "));
    format!(
        "model of {} {}: {auc}log loss {:.3} on {} later looks; {use_of_it}",
        trained.name,
        trained.id,
        trained.score.log_loss,
        count(u64::try_from(trained.score.rows).unwrap_or(u64::MAX))
    )
}

/// How models fitted on past days fared.
pub(crate) fn origins(found: &[Origin]) -> String {
    let mut lines = vec![
        "LEADS: models fitted on what was known on each day, judged on the looks of the month after it"
            .to_owned(),
        "  from        fitted  judged  convert     AUC  log loss     ECE  beside log loss".to_owned(),
    ];
    for origin in found {
        let score = &origin.score;
        let against: Vec<String> =
            origin.against.iter().map(|(name, theirs)| format!("{name} {:.4}", theirs.log_loss)).collect();
        lines.push(format!(
            "  {}  {:>6}  {:>6}  {:>5.1} %  {}  {:>8.4}  {:>6.4}  {}",
            date(origin.from),
            origin.fitted_rows,
            score.rows,
            share(score),
            score.auc.map_or_else(|| "     –".to_owned(), |auc| format!("{auc:.4}")),
            score.log_loss,
            score.ece,
            against.join(", ")
        ));
    }
    lines.join("\n")
}

/// Per cent of the rows whose label is true.
#[expect(clippy::cast_precision_loss, reason = "rows are far below 2^53")]
fn share(score: &Score) -> f64 {
    100.0 * score.positives as f64 / score.rows.max(1) as f64
}

fn score(score: &Score) -> String {
    let auc = score.auc.map_or_else(String::new, |auc| format!("AUC {auc:.4}, "));
    format!("{auc}log loss {:.4}, ECE {:.4}", score.log_loss, score.ece)
}

/// A line per model, the newest last.
pub(crate) fn list(log: &Log) -> anyhow::Result<String> {
    if log.entries.is_empty() {
        return Ok("no model yet; `tideline train` fits one".to_owned());
    }
    let mut lines = vec!["model             of    as of       status      AUC     log loss".to_owned()];
    let mut ids: Vec<&str> = Vec::new();
    for entry in &log.entries {
        if !ids.contains(&entry.model_id.as_str()) {
            ids.push(&entry.model_id);
        }
    }
    for id in ids {
        let Some(entry) = log.entries.iter().rfind(|entry| entry.model_id == id) else { continue };
        let metrics: Value = serde_json::from_str(&entry.details[3])?;
        let figure = |name: &str| {
            metrics["model"][name].as_f64().map_or_else(|| "     –".to_owned(), |value| format!("{value:.4}"))
        };
        let used = log.in_use(&entry.name);
        let status = match (used.last(), entry.status) {
            (Some(last), _) if last.model_id == id => "in use",
            (_, Status::InUse) => "before",
            (_, Status::Rejected) => "rejected",
            (_, Status::TakenBack) => "taken back",
        };
        lines.push(format!(
            "{id}  {:<4}  {}  {status:<10}  {}  {}",
            entry.name,
            date(entry.as_of),
            figure("auc"),
            figure("log_loss")
        ));
    }
    Ok(lines.join("\n"))
}

/// All that is known of a model.
pub(crate) fn show(entries: &[&Entry]) -> anyhow::Result<String> {
    let Some(first) = entries.first() else { return Ok(String::new()) };
    let mut lines = vec![format!("MODEL of {} {} as of {}", first.name, first.model_id, date(first.as_of))];
    for entry in entries {
        let at = chrono::DateTime::from_timestamp_micros(entry.recorded_at).unwrap_or_default();
        let at = at.format("%Y-%m-%d %H:%M UTC");
        lines.push(format!("  {at}  {}: {}", entry.status.as_str().replace('_', " "), entry.reason));
    }
    let names = ["inputs", "features", "parameters", "metrics", "calibration"];
    for (name, detail) in names.into_iter().zip(&first.details) {
        let value: Value = serde_json::from_str(detail)?;
        lines.push(format!("{}\n{}", name.to_uppercase(), serde_json::to_string_pretty(&value)?));
    }
    lines.push(format!("seed {}, by {}", first.seed, first.program));
    Ok(lines.join("\n"))
}
