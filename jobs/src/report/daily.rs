//! A day's report: what a sales director wants to know of it, on one screen.

use datafusion::prelude::SessionContext;
use engine::catalogue::Catalogue;
use engine::lake::Lake;
use engine::time::{Day, date};
use tokio::task::JoinHandle;

use super::rows::{Row, ask, quoted};
use super::steering;
use super::words::{columns, count, percent, share, share_of_money, signed, term, whole_money};

/// Reps named as having moved most.
const MOVERS_MAX: usize = 5;
/// Alerts shown.
const ALERTS_MAX: usize = 6;

/// The report of a published day.
///
/// # Errors
/// Where the lake can't be read.
pub(crate) async fn report(lake: &Lake, catalogue: &Catalogue, day: Day) -> anyhow::Result<String> {
    let wanted = |table: &str| table.starts_with("mart.") || table == "crm.region";
    let session = sql::session_over(lake, catalogue, wanted).await?;
    let on = format!("as_of = DATE '{}'", date(day));
    let parts = [
        at_once(&session, &on, |session, on| async move { quotas(&session, &on, day).await }),
        at_once(&session, &on, |session, on| async move { movers(&session, &on).await }),
        at_once(&session, &on, |session, on| async move { steering::rules(&session, &on).await }),
        at_once(&session, &on, |session, on| async move { steering::fairness(&session, &on).await }),
        at_once(&session, &on, |session, on| async move { customers(&session, &on).await }),
        at_once(&session, &on, |session, on| async move { process(&session, &on).await }),
        at_once(&session, &on, |session, on| async move { funnel(&session, &on).await }),
        at_once(&session, &on, |session, on| async move { alerts(&session, &on).await }),
    ];
    let mut texts = Vec::new();
    for part in parts {
        texts.extend(part.await??);
    }
    Ok(texts.join("\n\n"))
}

type Part = anyhow::Result<Option<String>>;

/// Begins a part of the report beside the others.
fn at_once<F: Future<Output = Part> + Send + 'static>(
    session: &SessionContext,
    on: &str,
    part: impl FnOnce(SessionContext, String) -> F,
) -> JoinHandle<Part> {
    tokio::spawn(part(session.clone(), on.to_owned()))
}

async fn quotas(session: &SessionContext, on: &str, day: Day) -> anyhow::Result<Option<String>> {
    let query = format!(
        "WITH named AS (
           SELECT region_id, name, row_number() OVER (PARTITION BY region_id ORDER BY updated_at DESC NULLS LAST) AS n
           FROM crm.region
         ), signed AS (
           SELECT scope_id, amount_signed FROM mart.sales_measure WHERE {on} AND scope = 'region'
         )
         SELECT p.region_id, coalesce(named.name, p.region_id), p.plan, p.quota_total, p.difference, p.reps,
                p.binding_reps, p.relaxed, p.period, signed.amount_signed
         FROM mart.quota_plan p
         LEFT JOIN named ON named.region_id = p.region_id AND named.n = 1
         LEFT JOIN signed ON signed.scope_id = p.region_id
         WHERE p.{on} AND p.reps > 0 ORDER BY p.region_id"
    );
    let rows = ask(session, &query).await?;
    let total = ask(
        session,
        &format!(
            "SELECT count(*), sum(attained), sum(expected), sum(quota), avg(p_attain), min(period)
             FROM mart.quota WHERE {on}"
        ),
    )
    .await?;
    let Some(total) = total.first().filter(|total| total.count(0) > 0) else {
        return Ok(Some(format!("{}: no rep is on duty, so there are no quotas", date(day))));
    };
    let mut text = format!(
        "QUOTAS of {} reps for {}, as of {}\n  signed so far {}, expected by the end {}, quotas {}; the mean chance of reaching one's quota is {}",
        count(total.count(0)),
        total.text(5),
        date(day),
        whole_money(total.money(1).unwrap_or(0)),
        whole_money(total.money(2).unwrap_or(0)),
        whole_money(total.money(3).unwrap_or(0)),
        percent(total.real(4).unwrap_or(0.0)),
    );
    if !rows.is_empty() {
        let head = ["region", "", "reps", "quotas", "plan", "difference", "held by a bound", "given way"];
        let mut lines = vec![head.map(str::to_owned).to_vec()];
        lines.extend(rows.iter().map(plan_line));
        let line = format!("\n{}", columns(&[false, false, true, true, true, true, true, false], &lines));
        text.push_str(&line);
    }
    Ok(Some(text))
}

fn plan_line(row: &Row) -> Vec<String> {
    let dash = || "–".to_owned();
    let name = if row.text(0) == row.text(1) { "" } else { row.text(1) };
    vec![
        row.text(0).to_owned(),
        name.to_owned(),
        count(row.count(5)),
        whole_money(row.money(3).unwrap_or(0)),
        row.money(2).map_or_else(dash, whole_money),
        row.money(4).map_or_else(dash, |amount| signed(&whole_money(amount))),
        count(row.count(6)),
        if row.text(7) == "none" { String::new() } else { row.text(7).replace('_', " ") },
    ]
}

async fn movers(session: &SessionContext, on: &str) -> anyhow::Result<Option<String>> {
    let rows = ask(
        session,
        &format!(
            "SELECT rep_id, previous_quota, quota, quota - previous_quota, previous_as_of FROM mart.quota
             WHERE {on} AND previous_quota IS NOT NULL AND quota <> previous_quota
             ORDER BY abs(quota - previous_quota) DESC, rep_id LIMIT {MOVERS_MAX}"
        ),
    )
    .await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let ids: Vec<String> = rows.iter().map(|row| quoted(row.text(0))).collect();
    let reasons = ask(
        session,
        &format!(
            "SELECT rep_id, term, amount FROM mart.quota_explanation
             WHERE {on} AND kind = 'change' AND amount <> 0 AND rep_id IN ({})
             ORDER BY rep_id, abs(amount) DESC, position",
            ids.join(", ")
        ),
    )
    .await?;
    let lines: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let (before, after, move_) =
                (row.money(1).unwrap_or(0), row.money(2).unwrap_or(0), row.money(3).unwrap_or(0));
            let why = reasons.iter().filter(|reason| reason.text(0) == row.text(0)).take(2).map(|reason| {
                format!("{} {}", term(reason.text(1)), signed(&whole_money(reason.money(2).unwrap_or(0))))
            });
            let share =
                share_of_money(move_, before).map_or_else(String::new, |share| signed(&percent(share)));
            vec![
                row.text(0).to_owned(),
                whole_money(before),
                "→".to_owned(),
                whole_money(after),
                share,
                why.collect::<Vec<_>>().join(", "),
            ]
        })
        .collect();
    let since = first.text(4);
    Ok(Some(format!(
        "MOVED MOST since {since}, and mostly why\n{}",
        columns(&[false, true, false, true, true, false], &lines)
    )))
}

async fn customers(session: &SessionContext, on: &str) -> anyhow::Result<Option<String>> {
    let rows = ask(
        session,
        &format!(
            "SELECT count(*), sum(CASE WHEN color = 'green' THEN 1 ELSE 0 END),
                    sum(CASE WHEN color = 'amber' THEN 1 ELSE 0 END), sum(CASE WHEN color = 'red' THEN 1 ELSE 0 END),
                    sum(CASE WHEN dense THEN 1 ELSE 0 END), sum(CASE WHEN lifecycle_stage = 'at_risk' THEN 1 ELSE 0 END)
             FROM mart.customer_health WHERE {on}"
        ),
    )
    .await?;
    Ok(rows.first().filter(|row| row.count(0) > 0).map(|row| {
        format!(
            "CUSTOMERS {}: {} green, {} amber, {} red; {} served densely, {} at risk of leaving",
            count(row.count(0)),
            count(row.count(1)),
            count(row.count(2)),
            count(row.count(3)),
            percent(share(row.count(4), row.count(0))),
            count(row.count(5)),
        )
    }))
}

async fn process(session: &SessionContext, on: &str) -> anyhow::Result<Option<String>> {
    let counts = ask(
        session,
        &format!(
            "SELECT count(process_health), sum(CASE WHEN color = 'green' THEN 1 ELSE 0 END),
                    sum(CASE WHEN color = 'amber' THEN 1 ELSE 0 END), sum(CASE WHEN color = 'red' THEN 1 ELSE 0 END)
             FROM mart.process_health WHERE {on} AND scope = 'rep'"
        ),
    )
    .await?;
    let Some(all) = counts.first().filter(|row| row.count(0) > 0) else { return Ok(None) };
    let scores = engine::measure::COMPONENTS.map(|name| format!("{name}_score")).join(", ");
    let lowest = ask(
        session,
        &format!(
            "SELECT scope_id, process_health, color, {scores} FROM mart.process_health
             WHERE {on} AND scope = 'rep' AND color IN ('red', 'amber') ORDER BY process_health, scope_id LIMIT 3"
        ),
    )
    .await?;
    let mut text = format!(
        "SALES PROCESS of {} reps: {} green, {} amber, {} red",
        count(all.count(0)),
        count(all.count(1)),
        count(all.count(2)),
        count(all.count(3))
    );
    for row in &lowest {
        let weakest = engine::measure::COMPONENTS
            .iter()
            .enumerate()
            .filter_map(|(index, name)| Some((row.real(index + 3)?, name)))
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map_or_else(String::new, |(score, name)| {
                format!(", weakest in {} ({score:.0} points)", term(name))
            });
        let line =
            format!("\n  {} {} at {:.0}{weakest}", row.text(0), row.text(2), row.real(1).unwrap_or(0.0));
        text.push_str(&line);
    }
    Ok(Some(text))
}

async fn funnel(session: &SessionContext, on: &str) -> anyhow::Result<Option<String>> {
    let rows = ask(
        session,
        &format!(
            "SELECT coalesce(region_id, 'no region'), coalesce(source, 'no source'), stage, entered, advanced, conversion,
                    company_conversion
             FROM mart.lead_funnel WHERE {on} AND worst_rank IS NOT NULL ORDER BY worst_rank"
        ),
    )
    .await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let lines: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            vec![
                format!("{}, {}", row.text(0), row.text(1)),
                row.text(2).to_owned(),
                format!("{} of {} went on", count(row.count(4)), count(row.count(3))),
                percent(row.real(5).unwrap_or(0.0)),
                format!("company {}", percent(row.real(6).unwrap_or(0.0))),
            ]
        })
        .collect();
    Ok(Some(format!("LEADS LEAK most here\n{}", columns(&[false, false, true, true, true], &lines))))
}

async fn alerts(session: &SessionContext, on: &str) -> anyhow::Result<Option<String>> {
    let counts = ask(
        session,
        &format!(
            "SELECT rule, severity, count(*), min(message) FROM mart.alert WHERE {on}
             GROUP BY rule, severity ORDER BY CASE severity WHEN 'high' THEN 0 ELSE 1 END, count(*) DESC, rule
             LIMIT {ALERTS_MAX}"
        ),
    )
    .await?;
    if counts.is_empty() {
        return Ok(Some("ALERTS: none".to_owned()));
    }
    let lines: Vec<Vec<String>> = counts
        .iter()
        .map(|row| {
            let example =
                if row.count(2) == 1 { row.text(3).to_owned() } else { format!("e.g. {}", row.text(3)) };
            vec![row.text(1).to_owned(), count(row.count(2)), term(row.text(0)), example]
        })
        .collect();
    Ok(Some(format!("ALERTS\n{}", columns(&[false, true, false, false], &lines))))
}
