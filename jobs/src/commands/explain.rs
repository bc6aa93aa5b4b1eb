//! `tideline explain`: why a rep's quota is what it is, and why it changed.

use crate::cli::ExplainArgs;
use crate::context::Context;
use crate::{output, report};

pub(crate) async fn run(args: ExplainArgs, context: &Context) -> anyhow::Result<()> {
    let lake = context.lake()?;
    let question = report::explain::Question {
        rep_id: args.rep,
        as_of: args.as_of.map(|day| context.day(day)).transpose()?,
        since: args.since.map(|day| context.day(day)).transpose()?,
    };
    let text = report::explain::explain(&lake, &context.catalogue()?, &question).await?;
    output::print(&text)
}
