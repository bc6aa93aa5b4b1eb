//! `tideline generate`: files of every stream from a seed.

use std::path::Path;

use data_samples::{Dirt, Format, Scale};

use super::play;
use crate::cli::{GenerateArgs, SampleFormat};
use crate::context::Context;
use crate::output;
use crate::report::words::count;

pub(crate) async fn run(args: GenerateArgs, context: &Context) -> anyhow::Result<()> {
    let scale = Scale {
        seed: args.seed,
        reps: args.reps,
        customers: args.customers,
        leads: args.leads,
        days: args.days,
        events_per_day: args.events_per_day,
        end: args.end,
        timezone: zone(context)?,
        dirt: if args.clean { Dirt::none() } else { Dirt::default() },
        ..Scale::default()
    };
    let Some(out) = &args.out else { return Box::pin(play::run(&args, &scale, context)).await };
    let summary = generate(&scale, out, format(args.format), context)?;
    let out = out.display();
    output::print(&format!(
        "{} events in {} records, {} leads, {} opportunities, from {} to {}, under {out}\n\
         take them in with\n  tideline ingest --stream behaviour --from {out}/behaviour\n  \
         tideline ingest --stream crm.rep --from {out}/crm.rep.ndjson   (and so on for each file)",
        count(summary.events),
        count(summary.records),
        count(u64::from(summary.leads)),
        count(u64::from(summary.opportunities)),
        scale.start(),
        scale.end,
    ))
}

/// Writes a world, with progress.
pub(super) fn generate(
    scale: &Scale,
    out: &Path,
    format: Format,
    context: &Context,
) -> anyhow::Result<data_samples::Summary> {
    let progress = context.progress("generate");
    progress.stage("records");
    let summary = data_samples::generate(scale, out, format, &mut |at| {
        progress.detail(|| format!("{} of {} days, {} records", at.days_done, at.days, count(at.records)));
    })?;
    Ok(summary)
}

/// The business time zone, for the generator.
pub(super) fn zone(context: &Context) -> anyhow::Result<chrono_tz::Tz> {
    let zone = engine::time::Zone::new(&context.config.timezone).map_err(engine::EngineError::Input)?;
    Ok(zone.tz())
}

fn format(format: SampleFormat) -> Format {
    match format {
        SampleFormat::Ndjson => Format::Ndjson,
        SampleFormat::NdjsonGz => Format::NdjsonGz,
        SampleFormat::NdjsonZst => Format::NdjsonZst,
        SampleFormat::Csv => Format::Csv,
        SampleFormat::Parquet => Format::Parquet,
    }
}
