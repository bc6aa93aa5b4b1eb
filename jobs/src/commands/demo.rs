//! `tideline demo`: sample data, models trained and two days run on it, and the report: what this program is for, in one command.

use std::path::Path;

use data_samples::{Format, Scale};
use engine::contract::Stream;
use engine::time::day_number;

use crate::cli::DemoArgs;
use crate::context::Context;
use crate::report::words::count;
use crate::{output, report};

use super::{daily, generate, ingest, train};

/// Customers and daily events per rep.
const CUSTOMERS_PER_REP: u32 = 25;
const EVENTS_PER_REP: u64 = 50;

pub(crate) async fn run(args: DemoArgs, context: &Context) -> anyhow::Result<()> {
    let (data, root) = (args.dir.join("data"), args.dir.join("lake"));
    let context = context.with_lake(&root);
    let lake = context.lake_or_new()?;
    let scale = Scale {
        reps: args.reps,
        customers: args.reps.saturating_mul(CUSTOMERS_PER_REP),
        days: args.days,
        events_per_day: u64::from(args.reps).saturating_mul(EVENTS_PER_REP).max(1),
        timezone: generate::zone(&context)?,
        ..Scale::default()
    };
    let summary = generate::generate(&scale, &data, Format::Ndjson, &context)?;
    output::print(&format!(
        "{} reps, {} customers, {} days, {} events: all made up, in {}",
        count(u64::from(scale.reps)),
        count(u64::from(scale.customers)),
        scale.days,
        count(summary.events),
        data.display()
    ))?;
    for stream in Stream::ALL {
        let from = source(&data, stream);
        let taken = ingest::take_in(&lake, stream, &[from], &context).await?;
        output::print(&ingest::describe(stream, &taken, &context))?;
    }
    let last = day_number(scale.end);
    for told in train::train(&lake, last - 1, &context).await? {
        output::print(&told.brief)?;
    }
    for day in [last - 1, last] {
        let done = daily::run_day(&lake, day, &context).await?;
        output::print(&report::run::describe(&done))?;
    }
    let catalogue = context.catalogue()?;
    let text = report::daily::report(&lake, &catalogue, last).await?;
    output::print(&format!("\n{text}\n\n{}", report::next::next(&lake, &catalogue, last, &root).await?))
}

/// Where the generator puts a stream.
fn source(data: &Path, stream: Stream) -> std::path::PathBuf {
    match stream {
        Stream::Behaviour => data.join("behaviour"),
        other => data.join(format!("{}.ndjson", other.name())),
    }
}
