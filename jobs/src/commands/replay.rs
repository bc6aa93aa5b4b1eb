//! `tideline replay`: compute a published run again from what it recorded, and compare every table.

use engine::EngineError;
use engine::pipeline::{find_run, replay};

use crate::cli::ReplayArgs;
use crate::context::Context;
use crate::past::past;
use crate::{output, report};

/// Replays a run.
///
/// # Errors
/// [`EngineError::Input`] where there is no such run or its inputs are gone; [`EngineError::Lake`] where something else
/// comes out.
pub(crate) async fn run(args: ReplayArgs, context: &Context) -> anyhow::Result<()> {
    let lake = context.lake()?;
    let day = args.as_of.map(|day| context.day(day)).transpose()?;
    let run = find_run(&lake, args.run.as_deref(), day).await?;
    let past = match past(&lake, run.clone(), context).await? {
        Ok(past) => past,
        Err(missing) => {
            output::print(&report::replay::missing(&run, &missing))?;
            let message =
                format!("run {} can't be replayed: {} of its inputs are missing", run.run_id, missing.len());
            return Err(EngineError::Input(message).into());
        }
    };
    let replayed = replay(&lake, &past).await?;
    output::print(&report::replay::replayed(&past, &replayed))?;
    match report::replay::differing(&replayed) {
        0 => Ok(()),
        n => Err(EngineError::Lake(format!("run {}: {n} tables came out differently", run.run_id)).into()),
    }
}
