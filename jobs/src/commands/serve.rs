//! `tideline serve`: what stays and answers.

use engine::EngineError;

use crate::cli::ServeArgs;
use crate::context::Context;

pub(crate) async fn run(args: ServeArgs, context: &Context) -> anyhow::Result<()> {
    match &args.kafka {
        Some(brokers) => Box::pin(super::live::run(brokers, &args, context)).await,
        None => Err(EngineError::Input("say what to serve: --kafka BROKERS".to_owned()).into()),
    }
}
