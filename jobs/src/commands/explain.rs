//! `tideline explain`: why a rep's quota is what it is and why it changed, or why a measure of a region did.

use crate::cause::{self, Scope};
use crate::cli::ExplainArgs;
use crate::context::Context;
use crate::{output, report};

pub(crate) async fn run(args: ExplainArgs, context: &Context) -> anyhow::Result<()> {
    let lake = context.lake()?;
    let catalogue = context.catalogue()?;
    let as_of = args.as_of.map(|day| context.day(day)).transpose()?;
    let since = args.since.map(|day| context.day(day)).transpose()?;
    if let Some(rep_id) = args.rep {
        let question = report::explain::Question { rep_id, as_of, since };
        return output::print(&report::explain::explain(&lake, &catalogue, &question).await?);
    }
    let scope = args.region.map(Scope::Region).or(args.manager.map(Scope::Manager)).unwrap_or(Scope::Company);
    let question = cause::Question { scope, metric: args.metric.unwrap_or_default(), as_of, since };
    output::print(&cause::cause(&lake, &catalogue, &context.settings(), &question).await?)
}
