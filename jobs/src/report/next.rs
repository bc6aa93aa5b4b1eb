//! What to do with a published day.

use std::path::Path;

use engine::catalogue::Catalogue;
use engine::lake::Lake;
use engine::time::{Day, date};

use super::rows::ask;

/// Where everything is, and three things to try next.
///
/// # Errors
/// Where the lake can't be read.
pub(crate) async fn next(
    lake: &Lake,
    catalogue: &Catalogue,
    day: Day,
    root: &Path,
) -> anyhow::Result<String> {
    let session = sql::session_over(lake, catalogue, |table| table.starts_with("mart.")).await?;
    let query = format!(
        "SELECT rep_id FROM mart.quota WHERE as_of = DATE '{}'
         ORDER BY abs(quota - coalesce(previous_quota, quota)) DESC, rep_id LIMIT 1",
        date(day)
    );
    let rows = ask(&session, &query).await?;
    let rep = rows.first().map_or("REP", |row| row.text(0)).to_owned();
    let lake = root.display();
    Ok(format!(
        "The lake is {lake}; every table in it is Parquet under a Delta log. Try next:\n\
         \x20 tideline --lake {lake} explain --rep {rep}\n\
         \x20 tideline --lake {lake} sql -c \"SELECT * FROM quota ORDER BY quota DESC LIMIT 10\"\n\
         \x20 tideline --lake {lake} export --table mart.quota --to quota.parquet"
    ))
}
