//! `tideline lake maintain`: small files folded, superseded runs removed, old files deleted.

use engine::lake::{MaintainOptions, TableReport, maintain};

use crate::cli::MaintainArgs;
use crate::context::Context;
use crate::output;
use crate::report::words::{bytes, count};

pub(crate) async fn run(args: MaintainArgs, context: &Context) -> anyhow::Result<()> {
    let lake = context.lake()?;
    let options = MaintainOptions {
        now: context.now,
        keep_days: args.keep_days.unwrap_or(context.config.maintain.keep_days),
        fold_below_bytes: context.config.maintain.fold_below_mib.saturating_mul(1 << 20),
    };
    let progress = context.progress("maintain");
    let report = maintain(&lake, options, &mut |table| progress.stage(table)).await?;
    drop(progress);
    let lines: Vec<String> = report.tables.iter().filter(|table| !table.is_idle()).map(describe).collect();
    if lines.is_empty() {
        return output::print("nothing to do");
    }
    output::print(&lines.join("\n"))
}

fn describe(table: &TableReport) -> String {
    let mut parts = Vec::new();
    if table.folded > 0 {
        parts.push(format!("{} small files folded into {}", count(table.folded), count(table.folded_into)));
    }
    if table.removed > 0 {
        parts.push(format!("{} files of superseded or abandoned runs removed", count(table.removed)));
    }
    if table.deleted > 0 {
        parts.push(format!("{} old files deleted ({})", count(table.deleted), bytes(table.deleted_bytes)));
    }
    if table.checkpoint {
        parts.push("checkpoint written".to_owned());
    }
    if let Some(left) = table.left {
        parts.push(format!("left for another time: {left}"));
    }
    format!("{}: {}", table.table, parts.join(", "))
}
