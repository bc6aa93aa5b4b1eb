//! Why a quota is what it is, and why it changed: every line an amount, and all of them adding up to the cent.

use datafusion::prelude::SessionContext;
use engine::EngineError;
use engine::catalogue::Catalogue;
use engine::lake::Lake;
use engine::quota::Explainer;
use engine::time::{Day, date};

use super::published_days;
use super::rows::{ask, quoted};
use super::words::{columns, money, percent, share_of_money, signed, term};
use crate::config::nearest;

/// What is asked.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    /// The rep's id.
    pub(crate) rep_id: String,
    /// The day; the newest published where none is given.
    pub(crate) as_of: Option<Day>,
    /// The day to compare with; the one before where none is given.
    pub(crate) since: Option<Day>,
}

/// A quota with the terms that make it. Money in minor units.
#[derive(Debug, Clone, PartialEq)]
struct Quota {
    period: String,
    region: String,
    amount: i64,
    attained: i64,
    expected: i64,
    low: i64,
    high: i64,
    p_attain: f64,
    bound: String,
    /// What the forecast rests on; empty where nothing says so.
    leans_on: String,
    previous: Option<(String, i64)>,
    terms: Vec<Term>,
}

/// One term: what it contributes, and the ratio it multiplies by (the base's is its amount).
#[derive(Debug, Clone, PartialEq)]
struct Term {
    name: String,
    amount: i64,
    ratio: f64,
}

/// Answers in words and numbers.
///
/// # Errors
/// [`EngineError::Input`] for a rep or a day that is not published.
pub(crate) async fn explain(
    lake: &Lake,
    catalogue: &Catalogue,
    question: &Question,
) -> anyhow::Result<String> {
    let days = published_days(lake).await?;
    let day = chosen(&days, question.as_of)?;
    let session = sql::session_over(lake, catalogue, |table| table.starts_with("mart.")).await?;
    let Some(now) = load(&session, day, &question.rep_id).await? else {
        return Err(unknown_rep(&session, day, &question.rep_id).await?.into());
    };
    let mut text = level(&question.rep_id, day, &now);
    let since = match question.since {
        Some(since) if since >= day => {
            let message = format!("--since {} is not before {}", date(since), date(day));
            return Err(EngineError::Input(message).into());
        }
        Some(since) => Some((chosen(&days, Some(since))?, true)),
        None => now
            .previous
            .as_ref()
            .and_then(|(day, _)| day.parse().ok())
            .map(|day| (engine::time::day_number(day), false)),
    };
    if let Some((since, asked)) = since {
        text.push_str("\n\n");
        match load(&session, since, &question.rep_id).await? {
            Some(before) => text.push_str(&change(since, &before, &now)?),
            None if asked => {
                let line = format!("There was no quota on {}.", date(since));
                text.push_str(&line);
            }
            None => {
                let line = format!("The quota of {} is no longer in the lake.", date(since));
                text.push_str(&line);
            }
        }
    }
    Ok(text)
}

fn chosen(published: &[Day], wanted: Option<Day>) -> Result<Day, EngineError> {
    let Some(&newest) = published.last() else {
        return Err(EngineError::Input("no day is published yet; `tideline daily` publishes one".to_owned()));
    };
    match wanted {
        None => Ok(newest),
        Some(day) if published.contains(&day) => Ok(day),
        Some(day) => {
            let message =
                format!("{} is not published; the newest published day is {}", date(day), date(newest));
            Err(EngineError::Input(message))
        }
    }
}

async fn unknown_rep(session: &SessionContext, day: Day, rep: &str) -> anyhow::Result<EngineError> {
    let query = format!("SELECT rep_id FROM mart.quota WHERE as_of = DATE '{}' ORDER BY rep_id", date(day));
    let reps = ask(session, &query).await?;
    let hint = nearest(rep, reps.iter().map(|row| row.text(0)))
        .map_or_else(|| "a quota is for reps on duty".to_owned(), |near| format!("did you mean {near}?"));
    Ok(EngineError::Input(format!("{rep} has no quota as of {}; {hint}", date(day))))
}

async fn load(session: &SessionContext, day: Day, rep: &str) -> anyhow::Result<Option<Quota>> {
    let at = format!("as_of = DATE '{}' AND rep_id = {}", date(day), quoted(rep));
    let rows = ask(
        session,
        &format!(
            "SELECT period, quota, attained, expected, low, high, p_attain, bound, previous_quota, previous_as_of,
                    region_id, leans_on
             FROM mart.quota WHERE {at}"
        ),
    )
    .await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let query = format!(
        "SELECT term, amount, ratio FROM mart.quota_explanation WHERE {at} AND kind = 'level' ORDER BY position"
    );
    let terms = ask(session, &query)
        .await?
        .iter()
        .map(|row| {
            let amount = row.money(1).unwrap_or(0);
            Term { name: row.text(0).to_owned(), amount, ratio: row.real(2).unwrap_or_else(|| real(amount)) }
        })
        .collect();
    Ok(Some(Quota {
        period: row.text(0).to_owned(),
        region: row.maybe(10).unwrap_or("no region").to_owned(),
        amount: row.money(1).unwrap_or(0),
        attained: row.money(2).unwrap_or(0),
        expected: row.money(3).unwrap_or(0),
        low: row.money(4).unwrap_or(0),
        high: row.money(5).unwrap_or(0),
        p_attain: row.real(6).unwrap_or(0.0),
        bound: row.text(7).to_owned(),
        leans_on: row.maybe(11).unwrap_or_default().to_owned(),
        previous: row.money(8).map(|quota| (row.text(9).to_owned(), quota)),
        terms,
    }))
}

/// The only place where an amount becomes a real: a logarithm follows.
#[expect(clippy::cast_precision_loss, reason = "amounts are far below 2^53")]
fn real(amount: i64) -> f64 {
    amount as f64
}

fn level(rep: &str, day: Day, quota: &Quota) -> String {
    let mut text = format!(
        "{rep} ({}), {}, as of {}: quota {}\n  signed so far {} ({} of the quota); most likely by the end {} \
         (four times in five between {} and {});\n  the chance of reaching the quota is {}",
        quota.region,
        quota.period,
        date(day),
        money(quota.amount),
        money(quota.attained),
        share_of_money(quota.attained, quota.amount).map_or_else(|| "–".to_owned(), percent),
        money(quota.expected),
        money(quota.low),
        money(quota.high),
        percent(quota.p_attain),
    );
    match quota.bound.as_str() {
        "" | "none" => {}
        bound => {
            let line = format!("; it is held by its {}", bound.replace('_', " "));
            text.push_str(&line);
        }
    }
    if !quota.leans_on.is_empty() {
        let line = format!("\n  the forecast leans on: {}", quota.leans_on);
        text.push_str(&line);
    }
    let lines: Vec<(String, i64)> = quota.terms.iter().map(|term| (term.name.clone(), term.amount)).collect();
    let line = format!("\n\nWhy it is {}:\n{}", money(quota.amount), split(&lines, quota.amount, "quota"));
    text.push_str(&line);
    text
}

fn change(since: Day, before: &Quota, now: &Quota) -> anyhow::Result<String> {
    let total = now.amount - before.amount;
    let head =
        format!("Since {} it went from {} to {}", date(since), money(before.amount), money(now.amount));
    if before.period != now.period {
        return Ok(format!(
            "{head}; that was for {}, this is for {}, so the two don't compare.",
            before.period, now.period
        ));
    }
    if total == 0 {
        return Ok(format!("{head}: no change."));
    }
    if before.terms.is_empty() || now.terms.is_empty() {
        return Ok(format!("{head}; one of them was not explained."));
    }
    let (names, ratios) = side_by_side(&before.terms, &now.terms);
    let mut amounts = vec![0; names.len()];
    Explainer::new()
        .change((before.amount, &ratios[0]), (now.amount, &ratios[1]), &mut amounts)
        .map_err(|error| EngineError::Lake(error.to_string()))?;
    let lines: Vec<(String, i64)> = names.into_iter().zip(amounts).collect();
    Ok(format!("{head}, by {}:\n{}", signed(&money(total)), split(&lines, total, "change")))
}

/// The terms of two explanations, and the ratios of each; a rule that is in one of them only has a ratio of 1 in the
/// other.
fn side_by_side(before: &[Term], now: &[Term]) -> (Vec<String>, [Vec<f64>; 2]) {
    let gone = before.iter().filter(|old| now.iter().all(|term| term.name != old.name));
    let names: Vec<String> = now.iter().chain(gone).map(|term| term.name.clone()).collect();
    let ratios = [before, now].map(|terms| {
        let of = |name: &String| terms.iter().find(|term| term.name == *name).map_or(1.0, |term| term.ratio);
        names.iter().map(of).collect()
    });
    (names, ratios)
}

/// The terms that contribute something, and their sum.
fn split(lines: &[(String, i64)], total: i64, sum_name: &str) -> String {
    let mut rows: Vec<Vec<String>> = lines
        .iter()
        .filter(|(_, amount)| *amount != 0)
        .map(|(name, amount)| vec![signed(&money(*amount)), term(name)])
        .collect();
    let idle: Vec<String> =
        lines.iter().filter(|(_, amount)| *amount == 0).map(|(name, _)| term(name)).collect();
    let sum: i64 = lines.iter().map(|(_, amount)| amount).sum();
    rows.push(vec![signed(&money(sum)), sum_name.to_owned()]);
    let mut text = columns(&[true, false], &rows);
    if sum != total {
        let line = format!("\n  which is not {}: see `tideline lake verify`", money(total));
        text.push_str(&line);
    }
    if !idle.is_empty() {
        let line = format!("\n  without effect: {}", idle.join(", "));
        text.push_str(&line);
    }
    text
}

#[cfg(test)]
mod tests;
