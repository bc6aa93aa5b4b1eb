//! A published day computed again, for what needs its state.

use engine::lake::{Lake, Run};
use engine::pipeline::{Past, PastRequest};

use crate::context::Context;
use crate::predictor::PanelPredictor;
use crate::scorers::Scorers;

/// The state of a run, or what of its inputs is missing.
///
/// # Errors
/// As [`Past::of`], and where configuration, rules or catalogue can't be read.
pub(crate) async fn past(
    lake: &Lake,
    run: Run,
    context: &Context,
) -> anyhow::Result<Result<Past, Vec<String>>> {
    let scorers = match Scorers::of_run(lake, &run).await? {
        Ok(scorers) => scorers,
        Err(missing) => return Ok(Err(missing)),
    };
    let progress = context.progress("computing the day again");
    let (settings, rules, catalogue) = (context.settings(), context.rules()?, context.catalogue()?);
    let mut stage = |stage: &str| progress.stage(stage);
    let request = PastRequest {
        predictor: &PanelPredictor,
        settings: &settings,
        rules: &rules,
        catalogue: &catalogue,
        models: scorers.models(),
        progress: &mut stage,
    };
    Ok(Past::of(lake, run, request).await?)
}
