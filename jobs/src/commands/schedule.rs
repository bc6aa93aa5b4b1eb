//! `tideline schedule`: jobs at their times, until stopped.

use tokio::sync::watch;

use crate::cli::ScheduleArgs;
use crate::context::Context;
use crate::signal::on_stop;
use crate::{output, schedule};

pub(crate) async fn run(args: ScheduleArgs, context: &Context) -> anyhow::Result<()> {
    if let Some(units) = args.print {
        return output::print(&schedule::units(units, context)?);
    }
    if args.list {
        return schedule::list(context);
    }
    let (stop, stopping) = watch::channel(false);
    let listening = on_stop("stopping: a job under way may end; once more to stop at once", move || {
        stop.send_replace(true);
    });
    let ended = match args.run {
        Some(task) => schedule::run_once(task, context, stopping).await,
        None => schedule::run(context, stopping).await,
    };
    listening.abort();
    ended
}
