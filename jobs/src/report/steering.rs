//! What rules did to a day's quotas, and whether they are as hard for some as for others.

use datafusion::prelude::SessionContext;

use super::rows::ask;
use super::words::{columns, count, percent, signed, whole_money};

/// The rules that acted; nothing where none did.
pub(super) async fn rules(session: &SessionContext, on: &str) -> anyhow::Result<Option<String>> {
    let query = format!(
        "SELECT rule, min(action), count(DISTINCT action), count(DISTINCT rep_id), sum(after - before)
         FROM mart.quota_rule WHERE {on} GROUP BY rule ORDER BY rule"
    );
    let rows = ask(session, &query).await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let lines: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let moved = row.money(4).unwrap_or(0);
            let more = if row.count(2) > 1 { ", …" } else { "" };
            vec![
                row.text(0).to_owned(),
                format!("{}{more}", row.text(1)),
                format!("{} {}", count(row.count(3)), if row.count(3) == 1 { "rep" } else { "reps" }),
                if moved == 0 { "–".to_owned() } else { signed(&whole_money(moved)) },
            ]
        })
        .collect();
    Ok(Some(format!(
        "RULES, and by how much they moved proposals\n{}",
        columns(&[false, false, true, true], &lines)
    )))
}

/// The groups with the lowest and the highest chance, and how many are off.
pub(super) async fn fairness(session: &SessionContext, on: &str) -> anyhow::Result<Option<String>> {
    let query = format!(
        "SELECT grouping, group_id, p_attain, reps FROM mart.fairness
         WHERE {on} AND grouping <> 'company' AND reps >= 5 AND p_attain IS NOT NULL ORDER BY p_attain, grouping, group_id"
    );
    let groups = ask(session, &query).await?;
    let off = ask(session, &format!("SELECT count(*) FROM mart.fairness WHERE {on} AND off")).await?;
    let (Some(first), Some(last)) = (groups.first(), groups.last()) else { return Ok(None) };
    let name = |row: &super::rows::Row| {
        format!("{} in {} {}", percent(row.real(2).unwrap_or(0.0)), row.text(0), row.text(1))
    };
    let verdict = match off.first().map_or(0, |row| row.count(0)) {
        0 => "no group is off".to_owned(),
        1 => "one group is off: see the alerts".to_owned(),
        n => format!("{} groups are off: see the alerts", count(n)),
    };
    Ok(Some(format!(
        "FAIRNESS: the chance of reaching one's quota goes from {} to {}; {verdict}",
        name(first),
        name(last)
    )))
}
